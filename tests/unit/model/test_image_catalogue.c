/* SPDX-License-Identifier: Apache-2.0
 * The catalogue of vendors' images: complete and unambiguous rows, and the parsing of version lists and
 * checksum files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "model/image_catalogue.h"

#define HASH_A "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define HASH_B "1123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static struct arena *arena;

static int setup(void **state)
{
	(void) state;
	arena = arena_new(4096, 1 << 22);
	return arena ? 0 : 1;
}

static int teardown(void **state)
{
	(void) state;
	arena_free(arena);
	return 0;
}

static bool is_said(const char *text)
{
	return text && *text;
}

/* Checks that the template contains only placeholders that are filled in. */
static void check_template(const char *name, const char *text)
{
	for (const char *at = text; (at = strchr(at, '{')); at++)
		if (strncmp(at, "{v}", 3) != 0 && strncmp(at, "{arch}", 6) != 0 &&
		    strncmp(at, "{dots}", 6) != 0)
			fail_msg("%s: %s has a word that nothing fills in", name, text);
}

static void check_row(const struct image_source *s)
{
	const char *templates[] = {s->listing, s->mark, s->file, s->sums, s->ec2_name, s->description};
	for (size_t k = 0; k < sizeof templates / sizeof templates[0]; k++) {
		if (!is_said(templates[k]))
			fail_msg("%s lacks its template %zu", s->name, k);
		check_template(s->name, templates[k]);
	}
	const char *words[] = {s->distro,   s->release,     s->login,        s->archs[0],
			       s->archs[1], s->versions[0], s->vendor->title};
	for (size_t k = 0; k < sizeof words / sizeof words[0]; k++)
		if (!is_said(words[k]))
			fail_msg("%s lacks its word %zu", s->name, k);
	if (!strstr(s->mark, "{v}") || !strstr(s->file, "{v}") || !strstr(s->file, "{arch}") ||
	    (!strstr(s->ec2_name, "{v}") && !strstr(s->ec2_name, "{dots}")))
		fail_msg("%s: versions would have one name", s->name);
	if (strlen(s->vendor->account) != 12 || strncmp(s->vendor->base, "https://", 8) != 0 ||
	    !str_ends_with(str_from(s->vendor->base), STR("/")))
		fail_msg("%s: its vendor's number or base", s->name);
	bool is_signed = s->signing != IMAGE_SIGNING_NONE;
	if (is_signed != !!s->key || (s->signing == IMAGE_SIGNING_DETACHED) != !!s->signature)
		fail_msg("%s: its signature and its key", s->name);
	if (s->key && (strlen(s->key->fingerprint) != 40 ||
		       !str_starts_with(*s->key->armored, STR("-----BEGIN PGP PUBLIC KEY BLOCK-----"))))
		fail_msg("%s: its key", s->name);
}

/* Name of the source, common to all its versions. */
static struct str name_of(const struct image_source *s)
{
	return image_source_fill(arena, s, s->ec2_name, 0, str_from(s->versions[0]));
}

static void test_rows(void **state)
{
	size_t count = 0;
	const struct image_source *at = image_catalogue(&count);
	(void) state;
	assert_true(count > 0);
	for (size_t k = 0; k < count; k++) {
		check_row(&at[k]);
		assert_ptr_equal(image_source_find(str_from(at[k].name)), &at[k]);
		assert_true(image_vendor_is_account(str_from(at[k].vendor->account)));
		if (at[k].alias)
			assert_ptr_equal(image_source_find(str_from(at[k].alias)), &at[k]);
		for (size_t n = 0; n < k; n++)
			if (strcmp(at[k].file, at[n].file) == 0 ||
			    str_equal(name_of(&at[k]), name_of(&at[n])))
				fail_msg("%s and %s have one file or one name", at[k].name, at[n].name);
	}
	static const char *const promised[] = {"debian-12", "ubuntu-24.04", "rocky-9", "fedora", "alpine"};
	for (size_t k = 0; k < sizeof promised / sizeof promised[0]; k++)
		assert_non_null(image_source_find(str_from(promised[k])));
	assert_null(image_source_find(STR("debian")));
	assert_false(image_vendor_is_account(STR("123456789012")));
}

static void test_templates(void **state)
{
	static const struct {
		const char *name;
		int arch;
		const char *version, *file, *ec2_name;
	} rows[] = {
		{"debian-12", 0, "20260711-2187",
		 "bookworm/20260711-2187/debian-12-genericcloud-amd64-20260711-2187.qcow2",
		 "debian-12-amd64-20260711-2187"},
		{"noble", 1, "20260814", "noble/release-20260814/ubuntu-24.04-server-cloudimg-arm64.img",
		 "ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-arm64-server-20260814"},
		{"rocky-9", 0, "9.5-20241118.0",
		 "9/images/x86_64/Rocky-9-GenericCloud-Base-9.5-20241118.0.x86_64.qcow2",
		 "Rocky-9-EC2-Base-9.5-20241118.0.x86_64"},
		{"almalinux-9", 0, "9.6-20250522",
		 "9/cloud/x86_64/images/AlmaLinux-9-GenericCloud-9.6-20250522.x86_64.qcow2",
		 "AlmaLinux OS 9.6.20250522 x86_64"},
		{"fedora", 0, "44-1.7",
		 "44/Cloud/x86_64/images/Fedora-Cloud-Base-Generic-44-1.7.x86_64.qcow2",
		 "Fedora-Cloud-Base-AmazonEC2.x86_64-44-1.7"},
	};
	(void) state;
	for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
		const struct image_source *s = image_source_find(str_from(rows[k].name));
		struct str version = str_from(rows[k].version);
		assert_non_null(s);
		assert_true(image_source_has_form(s, version));
		assert_true(
			str_is(image_source_fill(arena, s, s->file, rows[k].arch, version), rows[k].file));
		assert_true(str_is(image_source_fill(arena, s, s->ec2_name, rows[k].arch, version),
				   rows[k].ec2_name));
	}
}

static void test_versions(void **state)
{
	static const char *const ascending[] = {
		"",   "9.5-20241118.0", "9.5-20241118.1", "9.6-20250101.0", "9.10-20250101.0",
		"10", "0020260101",     "20260101-2",     "20260101-10",    "20260101.1"};
	(void) state;
	for (size_t a = 0; a < sizeof ascending / sizeof ascending[0]; a++)
		for (size_t b = 0; b < sizeof ascending / sizeof ascending[0]; b++) {
			int order = image_version_compare(str_from(ascending[a]), str_from(ascending[b]));
			if ((order > 0) != (a > b) || (order < 0) != (a < b))
				fail_msg("%s and %s: %d", ascending[a], ascending[b], order);
		}
	const struct image_source *debian = image_source_find(STR("debian-12"));
	assert_false(image_source_has_form(debian, STR("2026-07-11")));
	assert_false(image_source_has_form(debian, STR("../../20260711-2187")));
	assert_false(image_source_has_form(debian, STR("latest")));
	assert_false(image_source_has_form(debian, STR("20260711-")));
	assert_false(image_source_has_form(image_source_find(STR("rocky-9")), STR("8.10-20240528.0")));
	assert_false(image_source_has_form(debian, STR("000000000000000000000000000000001-1")));
}

static void test_listings(void **state)
{
	static const struct {
		const char *name, *listing, *newest;
	} rows[] = {
		{"debian-12",
		 "<a href=\"20260601-2100/\">20260601-2100/</a> 2026-06-01 10:22 - <a "
		 "href=\"20260711-2187/\">"
		 "20260711-2187/</a> <a href=\"latest/\">latest/</a> <a href=\"20260901-2200.bak/\">",
		 "20260711-2187"},
		{"ubuntu-24.04", "release/ release-20260814/ release-20260814.1/ release-2027 daily-20280101",
		 "20260814.1"},
		{"almalinux-9",
		 HASH_A "  AlmaLinux-9-GenericCloud-9.6-20250522.x86_64.qcow2\n" HASH_A
			"  AlmaLinux-9-GenericCloud-9.10-20250101.x86_64.qcow2\n" HASH_A
			"  AlmaLinux-9-GenericCloud-latest.x86_64.qcow2\n" HASH_A
			"  AlmaLinux-9-GenericCloud-ext4-9.11-20260101.x86_64.qcow2\n",
		 "9.10-20250101"},
		{"alpine",
		 "generic_alpine-3.22.1-x86_64-bios-cloudinit-r0.qcow2\ngeneric_alpine-3.22.4-x86_64-uefi-"
		 "cloudinit-r0.qcow2",
		 "3.22.1"},
		{"rocky-9", "nothing of the kind", ""},
		{"rocky-9", "", ""},
	};
	(void) state;
	for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
		const struct image_source *s = image_source_find(str_from(rows[k].name));
		struct str newest = image_source_newest(arena, s, 0, str_from(rows[k].listing));
		if (!str_is(newest, rows[k].newest))
			fail_msg("%s: %.*s", rows[k].name, STR_ARG(newest));
	}
}

static void test_sums(void **state)
{
	static const struct {
		enum image_sums_form form;
		const char *sums, *digest;
	} rows[] = {
		{IMAGE_SUMS_LINES, HASH_A "  a.qcow2\n" HASH_B "  b.qcow2\n", HASH_A},
		{IMAGE_SUMS_LINES, HASH_B " *b.qcow2\r\n" HASH_A " *a.qcow2\r\n", HASH_A},
		{IMAGE_SUMS_LINES, HASH_A HASH_B "  a.qcow2\n", HASH_A HASH_B},
		{IMAGE_SUMS_LINES, HASH_A "  ./a.qcow2\n", HASH_A},
		{IMAGE_SUMS_LINES, HASH_A "  a.qcow2\n" HASH_A "  a.qcow2\n", HASH_A},
		{IMAGE_SUMS_LINES, HASH_A "  a.qcow2\n" HASH_B "  a.qcow2\n", ""},
		{IMAGE_SUMS_LINES, HASH_A "  aa.qcow2\n" HASH_A "  a.qcow2.old\n" HASH_A "  x/a.qcow2\n", ""},
		{IMAGE_SUMS_LINES, "d41d8cd98f00b204e9800998ecf8427e  a.qcow2\n", ""}, /* MD5 */
		{IMAGE_SUMS_LINES, HASH_A "\n", ""},
		{IMAGE_SUMS_BSD, "# a.qcow2: 5 bytes\nSHA256 (a.qcow2) = " HASH_A "\n", HASH_A},
		{IMAGE_SUMS_BSD, "SHA512 (a.qcow2) = " HASH_A HASH_B "\n", HASH_A HASH_B},
		{IMAGE_SUMS_BSD, "SHA512 (a.qcow2) = " HASH_A "\n", ""},
		{IMAGE_SUMS_BSD, "MD5 (a.qcow2) = " HASH_A "\n", ""},
		{IMAGE_SUMS_BSD, "SHA256 (a.qcow2) " HASH_A "\n", ""},
		{IMAGE_SUMS_BSD, "SHA256 (b.qcow2) = " HASH_A "\n", ""},
		{IMAGE_SUMS_BARE, HASH_A HASH_B "\n", HASH_A HASH_B},
		{IMAGE_SUMS_BARE, HASH_A, HASH_A},
		{IMAGE_SUMS_BARE, HASH_A "  a.qcow2\n", HASH_A},
		{IMAGE_SUMS_BARE, HASH_A "  b.qcow2\n", ""},
		{IMAGE_SUMS_BARE, "<html>404</html>", ""},
	};
	(void) state;
	for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
		struct str digest = image_sums_find(str_from(rows[k].sums), rows[k].form, STR("a.qcow2"));
		if (!str_is(digest, rows[k].digest))
			fail_msg("row %zu: %.*s", k, STR_ARG(digest));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),     cmocka_unit_test(test_templates),
		cmocka_unit_test(test_versions), cmocka_unit_test(test_listings),
		cmocka_unit_test(test_sums),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
