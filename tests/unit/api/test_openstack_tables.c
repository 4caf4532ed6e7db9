/* SPDX-License-Identifier: Apache-2.0
 * The tables of OpenStack's actions, held to their own rules. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api/openstack/core/action.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_changes_show_what_they_left),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
