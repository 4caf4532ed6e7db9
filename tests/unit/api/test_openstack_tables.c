/* SPDX-License-Identifier: Apache-2.0
 * The tables of OpenStack's actions, held to their own rules. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api/openstack/core/list.h"

static const struct os_actions *const groups[] = {
#define GROUP(name) &os_##name##_actions,
#include "api/openstack/core/action_groups.def"
#undef GROUP
};
enum { GROUP_COUNT = sizeof groups / sizeof groups[0] };

#define EACH_ACTION(a)                                                                                       \
	for (size_t g = 0; g < GROUP_COUNT; g++)                                                             \
		for (const struct os_action *a = groups[g]->at; a < groups[g]->at + groups[g]->count; a++)

/* Of those the call itself says which (os_call.returns). */
static bool is_of_any_kind(const struct os_action *a)
{
	struct str path = str_from(a->path);
	bool is_metadata =
		str_ends_with(path, STR("/metadata")) || str_ends_with(path, STR("/metadata/{key}"));
	return str_starts_with(path, STR("/v3/")) ? is_metadata
						  : str_ends_with(path, STR("/{collection}/{id}/tags"));
}

/* What a change left may be gone when its answer is written, by another call: the answer is of the row as it
 * left it, or of none. */
static void test_changes_show_what_they_left(void **state)
{
	size_t count = 0, wrong = 0;
	(void) state;
	EACH_ACTION(a)
	{
		bool is_told = a->operation && a->answer;
		bool is_fine = is_told ? a->returns != KIND_NONE || is_of_any_kind(a)
				       : a->returns == KIND_NONE ||
						 (a->operation && a->returns != API_RETURNS_NOTHING_STORED);
		count += is_told;
		wrong += !is_fine;
		if (!is_fine)
			print_message("%s %s: returns no kind, and does not say API_RETURNS_NOTHING_STORED\n",
				      a->path, a->verb ? a->verb : "");
	}
	assert_true(count > 50);
	assert_int_equal(wrong, 0);
}

static bool is_indexed(enum kind kind, const struct os_filter *f)
{
	const struct query q = {.kind = kind};
	const struct list l = {.query = (struct query *) &q, .owner_count = 1};
	const struct field *field = query_find_field(kind, f->field);
	const struct kind_info *k = &model_kinds[kind];
	return field && (field->offset == k->account_offset || field->offset == k->groups_offset ||
			 field->offset == k->name_offset || list_find_index(&l, field));
}

static bool leads(enum kind kind, const struct os_filter *f)
{
	return f->is_id || f->is_name || f->is_device || f->tags || f->parts ||
	       f->access_paths[0].kind != KIND_NONE || is_indexed(kind, f);
}

static size_t check_filters(const char *path, const struct os_listing *list)
{
	static const char *const names_one[] = {"id",  "name", "uuid",     "address",
						"ips", "tags", "tags-any", 0};
	static const char *const few_rows[] = {
		"domain_id",
		"default_project_id", /* of users: most of a region's */
		"user_id",
		"key_name",        /* most of a project's servers and keys */
		"binding:host_id", /* for administrators alone */
		"instance_id",     /* of attachments: also a reserved volume has one, and no host */
		"not-tags",
		"not-tags-any", /* most rows lack a tag */
		"event_id",     /* of messages: a project has few */
		0};
	size_t wrong = 0;
	for (size_t k = 0; k < list->filters.count; k++) {
		const struct os_filter *f = &list->filters.at[k];
		bool names = false;
		for (size_t n = 0; names_one[n]; n++)
			names = names || str_ends_with(str_from(f->name), str_from(names_one[n]));
		for (size_t n = 0; few_rows[n]; n++)
			names = names && strcmp(f->name, few_rows[n]) != 0;
		if (names && !leads(list->kind, f)) {
			print_message("%s: the filter %s leads to no rows: all are read\n", path, f->name);
			wrong++;
		}
	}
	return wrong;
}

/* What names one thing leads to it, however many there are. */
static void test_filters_lead_to_rows(void **state)
{
	size_t wrong = 0;
	(void) state;
	EACH_ACTION(a)
	{
		if (a->list)
			wrong += check_filters(a->path, a->list);
	}
	assert_int_equal(wrong, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_filters_lead_to_rows),
		cmocka_unit_test(test_changes_show_what_they_left),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
