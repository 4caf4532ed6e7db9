/* SPDX-License-Identifier: Apache-2.0
 * CloudStack's face: its tables, its refusals, and how often strangers may ask. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api/cloudstack/core/cloudstack.h"
#include "api/core/dispatch.h"
#include "api/core/listing.h"
#include "base/clock.h"
#include "world.h"

static int setup(void **state)
{
	static struct world w;
	const struct limits_config limits = {.of = {[LIMIT_STRANGERS] = {1, 2}}};
	world_make(&w);
	world_set_limits(&w, &limits);
	*state = &w;
	return 0;
}

static int teardown(void **state)
{
	world_done(*state);
	return 0;
}

/* The status of a GET, and whether its answer has the text. */
static int ask(struct world *w, const char *query, const char *text)
{
	struct fake_call call;
	fake_call_init(&call, "GET", STR("/client/api"), str_from(query), STR_NONE);
	call.call.self = w->cloudstack;
	fake_call_handle(&call, &api_http_face);
	assert_true(call.is_answered);
	if (!str_contains(buf_str(&call.body), str_from(text)))
		fail_msg("%s: %.*s", query, STR_ARG(buf_str(&call.body)));
	int status = call.status;
	fake_call_done(&call);
	return status;
}

/* Broken escapes and names that stand twice are refused before anybody signed: they count, too. */
static void test_malformed_requests_count(void **state)
{
	struct world *w = *state;
	assert_int_equal(ask(w, "response=json&command=%zz", "\"errorresponse\""), 431);
	assert_int_equal(ask(w, "response=json&command=listZones&COMMAND=listZones", "\"errorcode\":431"),
			 431);
	assert_int_equal(ask(w, "response=json&command=%zz", "account api limit"), 429);
	assert_int_equal(ask(w, "response=json&command=listZones", "account api limit"), 429);
	clock_advance_us(SECOND);
	assert_int_equal(ask(w, "response=json&command=LISTzones", "{\"listzonesresponse\":{\"uuidList\":[]"),
			 401);
}

static void test_reject(void **state)
{
	struct world *w = *state;
	struct fake_call call;
	fake_call_init(&call, "POST", STR("/client/api"), STR("response=json"), STR_NONE);
	api_http_face.reject(w->cloudstack, &call.call, 413, ERR_TOO_LARGE);
	assert_int_equal(call.status, 413);
	assert_true(str_starts_with(buf_str(&call.body),
				    STR("{\"errorresponse\":{\"uuidList\":[],\"errorcode\":413")));
	fake_call_done(&call);
}

/* Filters are of types that lists compare, and name fields of the listed kind. */
static void test_filters(void **state)
{
	struct world *w = *state;
	for (size_t k = 0; k < w->cloudstack->entries.count; k++) {
		const struct api_action *a = w->cloudstack->entries.at[k].action;
		if (!a->listing)
			continue;
		const struct kind_info *kind = &model_kinds[a->listing->kind];
		assert_true(!a->listing->is_by_name || query_find_field(kind->kind, "name"));
		for (size_t n = 0; n < a->args.count; n++) {
			const struct param *p = &a->args.at[n];
			bool is_text = p->type == PARAM_TEXT,
			     is_found = p->fits - 1 == offsetof(struct row, id);
			if (!p->fits)
				continue;
			assert_true(is_text || p->type == PARAM_ID || p->type == PARAM_IDS);
			for (unsigned m = 0; m < kind->field_count; m++)
				is_found = is_found ||
					   (kind->fields[m].offset == p->fits - 1 &&
					    kind->fields[m].type == (is_text ? FIELD_TEXT : FIELD_UUID));
			assert_true(is_found);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_malformed_requests_count, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reject, setup, teardown),
		cmocka_unit_test_setup_teardown(test_filters, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
