/* SPDX-License-Identifier: Apache-2.0
 * Consistency of the native API's tables, and fields that must never be shown. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api/native/action.h"
#include "api/native/rows.h"
#include "model/permission.h"

static const struct native_action *each_change(size_t *at)
{
	size_t n = *at;
	for (size_t g = 0; g < native_count_groups(); g++) {
		const struct api_actions *group = native_group_at(g);
		if (n < group->count) {
			(*at)++;
			return native_row_of(api_action_at(group, n));
		}
		n -= group->count;
	}
	return NULL;
}

static void test_kinds(void **state)
{
	size_t shown = 0;
	(void) state;
	for (enum kind k = KIND_NONE + 1; k < KIND_COUNT; k++) {
		const struct shown_kind *s = &model_shown[k];
		if (!s->name)
			continue;
		shown++;
		assert_int_equal(native_kind_of(str_from(s->name)), k);
		assert_non_null(s->read);
		if (permission_find(str_from(s->read)) == PERMISSION_NONE)
			fail_msg("%s: there is no permission %s", s->name, s->read);
		for (size_t n = 0; s->derived[n]; n++)
			if (!native_has_derived(s->derived[n]))
				fail_msg("%s: nothing works out %s", s->name, s->derived[n]);
	}
	assert_true(shown > 80);
}

/* A field by whose name it might be a secret is hidden, or is one of these, which are none. */
static void test_secrets(void **state)
{
	static const char *const words[] = {"secret",  "password",   "hash",    "token",
					    "private", "credential", "data_key"};
	static const char *const fine[] = {"private_ip",
					   "private_port",
					   "private_first",
					   "private_last",
					   "tokens_required",
					   "metadata_tokens_required",
					   "password_length_min",
					   "password_symbols",
					   "password_digits",
					   "password_capitals",
					   "password_small_letters",
					   "password_own",
					   "password_is_first",
					   "password_set_us",
					   "password_used_us",
					   "password_age_days",
					   "password_reuse",
					   "password_hard_expiry",
					   "password_changed_us",
					   "allows_password",
					   "passwords",
					   "serial_consoles_closed",
					   "is_private",
					   "private_ips",
					   "private_names"};
	(void) state;
	for (enum kind k = KIND_NONE + 1; k < KIND_COUNT; k++)
		for (unsigned n = 0; model_shown[k].name && n < model_kinds[k].field_count; n++) {
			const struct field *f = &model_kinds[k].fields[n];
			bool is_shown = row_shows_field(k, n, ROW_FOR_OWNER | ROW_FOR_ADMIN), is_fine = false;
			for (size_t w = 0; w < sizeof fine / sizeof fine[0]; w++)
				is_fine = is_fine || strcmp(f->name, fine[w]) == 0;
			for (size_t w = 0; w < sizeof words / sizeof words[0]; w++)
				if (is_shown && !is_fine && strstr(f->name, words[w]))
					fail_msg("%s.%s is shown, and looks like a secret",
						 model_kinds[k].name, f->name);
			assert_false(is_shown && f->type == FIELD_BLOB);
		}
}

/* Fields that refer to hosts are visible to administrators only, tags to owners. */
static void test_classes(void **state)
{
	bool has_host = false, has_tags = false;
	(void) state;
	for (unsigned n = 0; n < model_kinds[KIND_INSTANCE].field_count; n++) {
		const struct field *f = &model_kinds[KIND_INSTANCE].fields[n];
		if (f->ref == KIND_HOST) {
			has_host = true;
			assert_false(row_shows_field(KIND_INSTANCE, n, ROW_FOR_OWNER));
			assert_true(row_shows_field(KIND_INSTANCE, n, ROW_FOR_OWNER | ROW_FOR_ADMIN));
		}
		if (f->type == FIELD_TAGS) {
			has_tags = true;
			assert_false(row_shows_field(KIND_INSTANCE, n, 0));
			assert_true(row_shows_field(KIND_INSTANCE, n, ROW_FOR_OWNER));
		}
	}
	assert_true(has_host && has_tags);
}

/* Changes declare the kind that their answer shows, and the field for the id in the path. */
static void test_changes(void **state)
{
	const struct native_action *a;
	size_t changes = 0;
	(void) state;
	for (size_t at = 0; (a = each_change(&at));) {
		bool has_id = strstr(a->path, "{id}");
		if (!(a->flags & API_WRITES)) {
			assert_true(!a->operation ||
				    a->flags & API_OPEN); /* signing in uses up a code or link */
			continue;
		}
		changes++;
		if (!(a->flags & API_FOR_ALL) &&
		    permission_find_action(str_from(a->permit)) == PERMISSION_NONE)
			fail_msg("%s: there is no permission %s", a->path, a->permit);
		if (a->operation && a->returns == KIND_NONE)
			fail_msg("%s: returns no kind, and does not say API_RETURNS_NOTHING_STORED", a->path);
		if (has_id != (a->kind != KIND_NONE) || (has_id && a->operation && !a->target && !a->targets))
			fail_msg("%s: where its {id} goes is not said", a->path);
		assert_true(a->doc && a->method != HTTP_GET);
	}
	assert_true(changes > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_secrets),
		cmocka_unit_test(test_classes),
		cmocka_unit_test(test_changes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
