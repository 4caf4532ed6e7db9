/* SPDX-License-Identifier: Apache-2.0
 * Consistency of the tables of OpenStack's actions. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "api/openstack/core/list.h"
#include "api/openstack/core/read_policies.h"
#include "api/openstack/core/statuses.h"

static const struct os_actions *const groups[] = {
#define GROUP(name) &os_##name##_actions,
#include "api/openstack/core/action_groups.def"
#undef GROUP
};
enum { GROUP_COUNT = sizeof groups / sizeof groups[0] };

#define EACH_ACTION(a)                                                                                       \
	for (size_t g = 0; g < GROUP_COUNT; g++)                                                             \
		for (const struct os_action *a = groups[g]->at; a < groups[g]->at + groups[g]->count; a++)

/* Whether the call itself sets the kind that it returns (os_call.returns). */
static bool is_of_any_kind(const struct os_action *a)
{
	struct str path = str_from(a->path);
	bool is_metadata =
		str_ends_with(path, STR("/metadata")) || str_ends_with(path, STR("/metadata/{key}"));
	if (str_starts_with(path, STR("/v3/credentials")))
		return true;
	return str_starts_with(path, STR("/v3/")) ? is_metadata
						  : str_ends_with(path, STR("/{collection}/{id}/tags"));
}

/* Another call may delete a changed row before the answer is written. Every change's answer must therefore
 * come from the row that the change left, or from no row. */
static void test_changes_show_what_they_left(void **state)
{
	size_t count = 0, wrong = 0;
	(void) state;
	EACH_ACTION(a)
	{
		bool is_told = a->operation && (a->answer || a->shows.listing);
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
		"provider:segmentation_id", /* of external networks, which are few */
		"default_project_id",       /* of users: most of a region's */
		"user_id",
		"key_name",        /* most of a project's servers and keys */
		"binding:host_id", /* for administrators alone */
		"instance_id",     /* of attachments: also a reserved volume has one, and no host */
		"not-tags",
		"not-tags-any", /* most rows lack a tag */
		"event_id",     /* of messages: a project has few */
		"request_id",   /* see above */
		"dns_name",     /* of ports: a project has few with a name */
		"local_id",     /* of VPN connections, like the next two: a project has few */
		"peer_address",
		"peer_id",
		0};
	size_t wrong = 0, rows = list->attributes ? list->attributes->count : 0;
	for (size_t k = 0; k < list->filters.count + rows; k++) {
		struct os_filter filter;
		const struct os_filter *f = &filter;
		if (k < list->filters.count)
			f = &list->filters.at[k];
		else if (!list->attributes->at[k - list->filters.count].filter ||
			 list->attributes->at[k - list->filters.count].form == ATTRIBUTE_FIXED)
			continue; /* every row has a fixed value */
		else
			assert_true(os_make_filter(
				list, str_from(list->attributes->at[k - list->filters.count].filter), INT_MAX,
				&filter));
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

/* Filters that name one resource must find it by an index, independent of the count of rows. */
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

/* ---- statuses of failures ---- */

static bool is_built(const struct os_statuses *row)
{
	for (size_t g = 0; g < GROUP_COUNT; g++)
		for (size_t k = 0; k < groups[g]->count; k++)
			if (os_find_statuses(groups[g]->service, &groups[g]->at[k]) == row)
				return true;
	return false;
}

/* Each status that a reference names for a call is answered, or left out for a reason. */
static void test_statuses(void **state)
{
	size_t count = 0, wrong = 0;
	const struct os_statuses *rows = os_list_statuses(&count);
	(void) state;
	for (size_t k = 0; k < count; k++) {
		struct str rest = str_from(rows[k].statuses), text;
		int64_t status = 0;
		if (!is_built(&rows[k])) {
			print_message("no call that is built: %s %s %s\n", rows[k].method, rows[k].path,
				      rows[k].verb);
			wrong++;
		}
		while (str_split_next(&rest, ' ', &text)) {
			assert_true(result_is_ok(str_parse_int(text, &status)) && status >= 400);
			if (os_is_answered_status(rows[k].service, (int) status) ||
			    os_why_no_status(&rows[k], (int) status))
				continue;
			print_message("%s %s %s: neither is %d answered, nor is there a reason\n",
				      rows[k].method, rows[k].path, rows[k].verb, (int) status);
			wrong++;
		}
	}
	assert_true(count > 0);
	assert_int_equal(wrong, 0);
}

/* A reason is of a call whose reference has the status. */
static void test_statuses_left_out(void **state)
{
	size_t count = 0, row_count = 0;
	const struct os_status_left_out *left_out = os_list_left_out_statuses(&count);
	const struct os_statuses *rows = os_list_statuses(&row_count);
	(void) state;
	for (size_t k = 0; k < count; k++) {
		char status[16];
		bool is_met = false;
		(void) snprintf(status, sizeof status, "%d", left_out[k].status);
		for (size_t n = 0; n < row_count && !is_met; n++) {
			const char *why = os_why_no_status(&rows[n], left_out[k].status);
			is_met = why && strcmp(why, left_out[k].why) == 0 && strstr(rows[n].statuses, status);
		}
		if (!is_met)
			fail_msg("no call has it: %s %d", left_out[k].calls, left_out[k].status);
	}
}

/* A read of Identity without a rule would be open to every token. */
static void test_reads_of_identity_have_a_policy(void **state)
{
	size_t count = 0;
	(void) state;
	EACH_ACTION(a)
	{
		if (groups[g]->service != OS_IDENTITY || a->flags & (API_WRITES | API_OPEN))
			continue;
		count++;
		if (!os_has_read_policy(a->permit))
			fail_msg("read_policies.def has no row for %s", a->permit);
	}
	assert_true(count > 50);
}

/* Neutron takes a list wherever it makes something (its BodyValidationHook). */
static void test_networks_are_made_in_bulk(void **state)
{
	size_t count = 0;
	(void) state;
	EACH_ACTION(a)
	{
		if (groups[g]->service != OS_NETWORK || a->method != HTTP_POST || !a->wrap)
			continue;
		count++;
		if (!(a->flags & OS_BULK))
			fail_msg("POST %s takes no list", a->path);
	}
	assert_true(count > 9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_statuses),
		cmocka_unit_test(test_statuses_left_out),
		cmocka_unit_test(test_filters_lead_to_rows),
		cmocka_unit_test(test_changes_show_what_they_left),
		cmocka_unit_test(test_networks_are_made_in_bulk),
		cmocka_unit_test(test_reads_of_identity_have_a_policy),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
