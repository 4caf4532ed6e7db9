/* SPDX-License-Identifier: Apache-2.0
 * Conversion of fields to text and back: every field of every kind with random contents, the exact formats,
 * and refusals. A row here has one field of each type, independent of the schema. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"
#include "fill.h"
#include "model/row.h"

struct sample {
	struct row row;
	uuid u;
	struct str text, blob;
	int64_t number;
	bool flag;
	unsigned word;
	struct ip ip;
	struct cidr cidr;
	struct mac mac;
	struct uuids ids;
	struct strs texts;
	struct cidrs blocks;
	struct tags tags;
};

static const char *const words[] = {"off", "on", "in-use", NULL};

#define AT(member, kind)                                                                                     \
	{                                                                                                    \
#member, kind, offsetof(struct sample, member), KIND_NONE, words, ""                         \
	}
enum {
	AT_UUID,
	AT_TEXT,
	AT_BLOB,
	AT_INT,
	AT_BOOL,
	AT_ENUM,
	AT_IP,
	AT_CIDR,
	AT_MAC,
	AT_UUIDS,
	AT_TEXTS,
	AT_CIDRS,
	AT_TAGS
};
static const struct field fields[] = {
	AT(u, FIELD_UUID),    AT(text, FIELD_TEXT), AT(blob, FIELD_BLOB),   AT(number, FIELD_INT),
	AT(flag, FIELD_BOOL), AT(word, FIELD_ENUM), AT(ip, FIELD_IP),       AT(cidr, FIELD_CIDR),
	AT(mac, FIELD_MAC),   AT(ids, FIELD_UUIDS), AT(texts, FIELD_TEXTS), AT(blocks, FIELD_CIDRS),
	AT(tags, FIELD_TAGS),
};
static const struct kind_info sample_kind = {.name = "sample",
					     .row_size = sizeof(struct sample),
					     .fields = fields,
					     .field_count = sizeof fields / sizeof *fields};

static int setup(void **state)
{
	random_set_seed(11);
	*state = arena_new(ARENA_FIRST_SIZE, 64 * 1024 * 1024);
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	arena_free(*state);
	return 0;
}

static void check_round_trip(struct arena *a, const struct kind_info *k)
{
	struct row *r = fill_row(a, k), *back = arena_alloc(a, k->row_size);
	*back = *r;
	for (unsigned n = 0; n < k->field_count; n++) {
		struct str text = row_field_to_text(a, &k->fields[n], r);
		assert_non_null(text.p);
		assert_int_equal(text.p[text.n], 0);
		assert_true(result_is_ok(row_field_from_text(a, &k->fields[n], text, back)));
	}
	assert_true(row_equal(k, r, back));
}

static void test_every_field_reads_back_equal(void **state)
{
	for (unsigned round = 0; round < 300; round++)
		check_round_trip(*state, &sample_kind);
	for (unsigned kind = 1; kind < KIND_COUNT; kind++) {
		for (unsigned round = 0; round < 20; round++)
			check_round_trip(*state, &model_kinds[kind]);
	}
}

/* Text that is accepted, and how it is written again. */
static void test_forms(void **state)
{
	static const struct {
		unsigned field;
		const char *in, *out;
	} rows[] = {
		{AT_UUID, "", ""},
		{AT_UUID, "EC2A0000000040008000000000000001", "ec2a0000-0000-4000-8000-000000000001"},
		{AT_TEXT, "", ""},
		{AT_TEXT, "d\xc3\xa9j\xc3\xa0 \"vu\"", "d\xc3\xa9j\xc3\xa0 \"vu\""},
		{AT_BLOB, "", ""},
		{AT_BLOB, "AP8=", "AP8="},
		{AT_INT, "-9223372036854775808", "-9223372036854775808"},
		{AT_BOOL, "true", "true"},
		{AT_BOOL, "false", "false"},
		{AT_ENUM, "off", "off"},
		{AT_ENUM, "in-use", "in-use"},
		{AT_IP, "", ""},
		{AT_IP, "0.0.0.0", "0.0.0.0"},
		{AT_IP, "FD00::0:1", "fd00::1"},
		{AT_CIDR, "", ""},
		{AT_CIDR, "0.0.0.0/0", "0.0.0.0/0"},
		{AT_CIDR, "10.0.0.7/24", "10.0.0.7/24"},
		{AT_MAC, "", ""},
		{AT_MAC, "0A:00:00:00:00:01", "0a:00:00:00:00:01"},
		{AT_UUIDS, "[]", "[]"},
		{AT_UUIDS, " [ \"ec2a0000-0000-4000-8000-000000000001\" ] ",
		 "[\"ec2a0000-0000-4000-8000-000000000001\"]"},
		{AT_TEXTS, "[\"a\",\"\\u000a\\\"\\\\\",\"\"]", "[\"a\",\"\\u000a\\\"\\\\\",\"\"]"},
		{AT_CIDRS, "[\"10.0.0.0/16\",\"fd00::/8\"]", "[\"10.0.0.0/16\",\"fd00::/8\"]"},
		{AT_TAGS, "{}", "{}"},
		{AT_TAGS, "{\"b\":\"2\",\"a\":\"\",\"B\":\"1\"}", "{\"B\":\"1\",\"a\":\"\",\"b\":\"2\"}"},
	};
	for (size_t n = 0; n < sizeof rows / sizeof *rows; n++) {
		struct sample s = {0};
		const struct field *f = &fields[rows[n].field];
		assert_true(result_is_ok(row_field_from_text(*state, f, str_from(rows[n].in), &s.row)));
		assert_string_equal(row_field_to_text(*state, f, &s.row).p, rows[n].out);
	}
}

static void test_refused(void **state)
{
	static const struct {
		unsigned field;
		const char *text;
	} rows[] = {
		{AT_UUID, "ec2"},
		{AT_BLOB, "A"},
		{AT_INT, ""},
		{AT_INT, "1x"},
		{AT_INT, "9223372036854775808"},
		{AT_BOOL, ""},
		{AT_BOOL, "1"},
		{AT_ENUM, ""},
		{AT_ENUM, "ON"},
		{AT_IP, "1.2.3"},
		{AT_CIDR, "10.0.0.0"},
		{AT_CIDR, "10.0.0.0/33"},
		{AT_MAC, "0a:00"},
		{AT_UUIDS, ""},
		{AT_UUIDS, "{}"},
		{AT_UUIDS, "[\"x\"]"},
		{AT_UUIDS, "[1]"},
		{AT_TEXTS, "[1]"},
		{AT_TEXTS, "[\"a\""},
		{AT_TEXTS, "[\"\xff\"]"},
		{AT_CIDRS, "[\"10.0.0.0\"]"},
		{AT_TAGS, "[]"},
		{AT_TAGS, "{\"a\":1}"},
		{AT_TAGS, "{\"a\":\"1\",\"a\":\"2\"}"},
		{AT_TAGS, "{} x"},
	};
	for (size_t n = 0; n < sizeof rows / sizeof *rows; n++) {
		struct sample s = {0};
		struct result r =
			row_field_from_text(*state, &fields[rows[n].field], str_from(rows[n].text), &s.row);
		if (r.code != ERR_INVALID)
			print_message("accepted for %s: %s\n", fields[rows[n].field].name, rows[n].text);
		assert_int_equal(r.code, ERR_INVALID);
	}
}

static void test_full_arena(void **state)
{
	static const char *const texts[] = {[AT_TEXT] = "0123456789abcdef0123456789abcdef",
					    [AT_TEXTS] = "[\"0123456789abcdef0123456789abcdef\"]",
					    [AT_UUIDS] = "[\"ec2a0000-0000-4000-8000-000000000001\"]",
					    [AT_CIDRS] = "[\"10.0.0.0/16\"]",
					    [AT_TAGS] = "{\"0123456789abcdef0123456789abcdef\":\"\"}"};
	for (size_t n = 0; n < sizeof texts / sizeof *texts; n++) {
		if (!texts[n])
			continue;
		AUTO(arena) full = arena_new(64, 64);
		while (arena_alloc(full, 1)) {
		}
		struct sample s = {0};
		assert_int_equal(row_field_from_text(full, &fields[n], str_from(texts[n]), &s.row).code,
				 ERR_NO_MEMORY);
		assert_true(
			result_is_ok(row_field_from_text(*state, &fields[n], str_from(texts[n]), &s.row)));
		assert_null(row_field_to_text(full, &fields[n], &s.row).p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_field_reads_back_equal),
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_full_arena),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
