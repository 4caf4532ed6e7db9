/* SPDX-License-Identifier: Apache-2.0
 * Sizes of rows: no field exceeds its schema's limit, and no kind's rows exceed a common ceiling, except for
 * those listed here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "model/row.h"

enum { CEILING = 256 * 1024 };

/* Larger ones, and why. */
static const struct {
	enum kind kind;
	size_t ceiling;
	const char *why;
} exceptions[] = {
	{KIND_IMAGE, 576 * 1024, "Glance's properties: 256 KiB of an image; and what its UEFI begins with"},
	{KIND_INSTANCE, 448 * 1024,
	 "what its UEFI begins with, of few images, Nova's user data, and files, of few instances"},
	{KIND_VOLUME, 512 * 1024, "its image's properties"},
	{KIND_BACKUP, 544 * 1024, "likewise, of its volume, and that one's tags"},
	{KIND_MACHINE_BACKUP, 384 * 1024, "what its instance has: user data, and what its UEFI begins with"},
	{KIND_SNAPSHOT_POLICY, 384 * 1024, "four lists of tags; an account has 100 policies that have them"},
	{KIND_DEPLOYMENT, 1536 * 1024, "a template, its parameters and outputs: 100 of an account are kept"},
	{KIND_DEPLOYMENT_OPERATION, 384 * 1024,
	 "a resource that others refer to, while its deployment goes on"},
	{KIND_CREDENTIAL_REPORT, 9 * 1024 * 1024, "a line for each user of an account; there is one report"},
	{KIND_QUEUE_MESSAGE, 2064 * 1024, "a body of 1 MiB, and attributes of the same size at most"},
	{KIND_TOPIC_DELIVERY, 528 * 1024,
	 "a published message of 256 KiB, and attributes of the same size at most"},
	{KIND_BUS_EVENT, 768 * 1024, "a detail of 256 KiB, and resources of the same size at most"},
	{KIND_EVENT_DELIVERY, 272 * 1024, "the text that a target gets"},
	{KIND_SAML_PROVIDER, 384 * 1024, "metadata of 131,072 characters, and its certificates once more"},
	{KIND_ROLE, 320 * 1024, "rules about CloudStack's commands; administrators make them"},
	{KIND_PROJECT_ROLE, 320 * 1024, "likewise; a project has few"},
	{KIND_INSTANCE_TYPE, 512 * 1024,
	 "a description of 65,535 characters, as Nova has it; administrators make them"},
};

static size_t ceiling_of(enum kind kind)
{
	for (size_t n = 0; n < sizeof exceptions / sizeof *exceptions; n++)
		if (exceptions[n].kind == kind)
			return exceptions[n].ceiling;
	return CEILING;
}

static void check_ceilings(void **state)
{
	(void) state;
	for (enum kind kind = 1; kind < KIND_COUNT; kind++) {
		const struct kind_info *k = &model_kinds[kind];
		print_message("%-28s %7zu bytes at most\n", k->name, k->row_max);
		assert_true(k->row_max >= k->row_size);
		assert_true(k->row_max <= ceiling_of(kind));
		assert_true(ceiling_of(kind) == CEILING || k->row_max > CEILING);
	}
}

/* A row whose list has so many elements, each of so many bytes where it has texts. */
static void set_list(const struct field *f, void *row, size_t count, size_t each)
{
	static char bytes[9 * 1024 * 1024];
	static _Alignas(16) char lists[1024 * 1024];
	struct str list = {f->type == FIELD_TEXT || f->type == FIELD_BLOB ? bytes : lists, count};
	memset(lists, 0, sizeof lists);
	assert_true(count <= sizeof bytes && each <= sizeof bytes);
	size_t texts = f->type == FIELD_TAGS ? 2 * count : count;
	for (size_t n = 0; f->most_bytes && n < texts; n++)
		memcpy(lists + n * sizeof(struct str), &(struct str){bytes, n == 0 ? each : 0},
		       sizeof(struct str));
	memcpy((char *) row + f->offset, &list, sizeof list);
}

static void check_each_field(void **state)
{
	(void) state;
	size_t checked = 0;
	for (enum kind kind = 1; kind < KIND_COUNT; kind++) {
		const struct kind_info *k = &model_kinds[kind];
		for (unsigned n = 0; n < k->field_count; n++) {
			const struct field *f = &k->fields[n];
			_Alignas(16) char bytes[4096] = {0};
			struct row *row = (struct row *) (void *) bytes;
			assert_true(k->row_size <= sizeof bytes);
			assert_null(row_find_too_large(k, row));
			if (!f->most)
				continue;
			set_list(f, row, f->most, f->most_bytes);
			assert_null(row_find_too_large(k, row));
			assert_true(row_block_size(k, row) <= k->row_max);
			set_list(f, row, f->most + 1, 0);
			assert_ptr_equal(row_find_too_large(k, row), f);
			if (f->most_bytes) {
				set_list(f, row, 1, f->most_bytes + 1);
				assert_ptr_equal(row_find_too_large(k, row), f);
			}
			checked++;
		}
	}
	assert_true(checked > 200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(check_ceilings),
		cmocka_unit_test(check_each_field),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
