/* SPDX-License-Identifier: Apache-2.0
 * Filter policies of subscriptions: which are refused, and which messages they let through. */
#include "base/ctx.h"
#include "cloud.h"
#include "engine/messaging/messaging_internal.h"

/* ---- check ---- */

static void filter_refuses(void **state)
{
	static const struct {
		const char *policy;
		bool is_body;
		const char *says;
	} cases[] = {
		{"no", false, "FilterPolicy: failed to parse JSON."},
		{"[]", false, "FilterPolicy: failed to parse JSON."},
		{"{\"a\": []}", false, "FilterPolicy: Match value must be a non-empty array: a"},
		{"{\"a\": \"x\"}", false, "FilterPolicy: Match value must be a non-empty array: a"},
		{"{\"a\": [[\"x\"]]}", false,
		 "FilterPolicy: Match value must be String, number, true, false, or null"},
		{"{\"a\": [1e10]}", false, "FilterPolicy: Match value must be between -1.0E9 and 1.0E9"},
		{"{\"a\": [{\"exists\": null}]}", false,
		 "FilterPolicy: exists match pattern must be either true or false."},
		{"{\"a\": [{\"error\": true}]}", false, "FilterPolicy: Unrecognized match type error"},
		{"{\"a\": [{}]}", false, "FilterPolicy: Only one key allowed in match expression"},
		{"{\"a\": [{\"cidr\": \"10.0.0.0\"}]}", false,
		 "FilterPolicy: cidr match pattern must be a block of addresses"},
		{"{\"a\": [{\"prefix\": 1}]}", false, "FilterPolicy: prefix match pattern must be a string"},
		{"{\"a\": [{\"anything-but\": []}]}", false, "FilterPolicy: Empty arrays are not allowed"},
		{"{\"a\": [{\"anything-but\": {\"x\": \"y\"}}]}", false,
		 "FilterPolicy: Unsupported anything-but pattern: x"},
		{"{\"a\": {\"b\": [1]}}", false,
		 "Filter policy scope MessageAttributes does not support nested filter policy"},
		{"{\"a\":[1],\"b\":[1],\"c\":[1],\"d\":[1],\"e\":[1],\"f\":[1]}", false,
		 "FilterPolicy: Filter policy can not have more than 5 keys"},
		{"{\"a\":{\"b\":{\"c\":[1,2,3,4]}},\"d\":{\"e\":[1,2,3]},\"f\":[1,2,3]}", true,
		 "FilterPolicy: Filter policy is too complex"},
		{"{\"a\": [{\"numeric\": []}]}", false, "FilterPolicy: Invalid member in numeric match: ]"},
		{"{\"a\": [{\"numeric\": [50, \"<=\", 1]}]}", false,
		 "FilterPolicy: Invalid member in numeric match: 50"},
		{"{\"a\": [{\"numeric\": [\"<\", \"1\"]}]}", false,
		 "FilterPolicy: Value of < must be numeric"},
		{"{\"a\": [{\"numeric\": [\"0\"]}]}", false,
		 "FilterPolicy: Unrecognized numeric range operator: 0"},
		{"{\"a\": [{\"numeric\": [\"<\", 20, \">\", 1]}]}", false,
		 "FilterPolicy: Too many elements in numeric expression"},
		{"{\"a\": [{\"numeric\": [\">\", 20, \">\", 1]}]}", false,
		 "FilterPolicy: Bad numeric range operator: >"},
		{"{\"a\": [{\"numeric\": [\">\", 20, \"<\", 1]}]}", false,
		 "FilterPolicy: Bottom must be less than top"},
		{"{\"$or\": [{\"a\": [1]}]}", false,
		 "FilterPolicy: $or must be an array of two or more objects"},
	};
	(void) state;
	for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
		AUTO(arena) arena = arena_new(1 << 12, 1 << 16);
		struct ctx c = {.arena = arena};
		bool is_none = false;
		struct result result =
			engine_check_filter(&c, str_from(cases[k].policy), cases[k].is_body, &is_none);
		assert_int_equal(result.code, ERR_INVALID);
		if (!str_ends_with(c.problem.message, str_from(cases[k].says)))
			fail_msg("%s: %.*s", cases[k].policy, STR_ARG(c.problem.message));
	}
}

static void filter_takes(void **state)
{
	static const struct {
		const char *policy;
		bool is_none;
	} cases[] = {
		{"", true},
		{"{}", true},
		{"{\"a\": [\"x\", 1, true, null, {\"prefix\": \"p\"}, {\"anything-but\": [\"q\"]}]}", false},
		{"{\"a\": [{\"numeric\": [\">\", 0, \"<=\", 5]}], \"b\": [{\"cidr\": \"10.0.0.0/8\"}]}",
		 false},
		{"{\"$or\": [{\"a\": [1]}, {\"b\": [2]}]}", false},
	};
	(void) state;
	for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
		AUTO(arena) arena = arena_new(1 << 12, 1 << 16);
		struct ctx c = {.arena = arena};
		bool is_none = !cases[k].is_none;
		assert_true(
			result_is_ok(engine_check_filter(&c, str_from(cases[k].policy), false, &is_none)));
		assert_int_equal(is_none, cases[k].is_none);
	}
}

/* ---- match ---- */

static void check_bodies(const char *policy, const char *const *yes, const char *const *no)
{
	for (int round = 0; round < 2; round++)
		for (const char *const *body = round ? no : yes; *body; body++) {
			struct filter_message message = {.body = str_from(*body)};
			bool admits = message_filter_admits(&message, str_from(policy), true);
			message_filter_close(&message);
			if (admits != !round)
				fail_msg("%s: %s", policy, *body);
		}
}
#define YES (const char *const[])
#define NO (const char *const[])

static void filter_matches_bodies(void **state)
{
	(void) state;
	check_bodies("{}", YES{"{}", NULL}, NO{"no JSON", NULL});
	check_bodies("{\"a\": [\"x\", 1]}",
		     YES{"{\"a\":\"x\"}", "{\"a\":1.0}", "{\"a\":[\"y\",\"x\"]}", NULL},
		     NO{"{\"a\":\"1\"}", "{\"b\":\"x\"}", "{}", "{\"a\":{\"x\":1}}", "{\"a\":[]}", NULL});
	check_bodies("{\"a\": [true, null]}", YES{"{\"a\":true}", "{\"a\":null}", NULL},
		     NO{"{\"a\":false}", "{}", NULL});
	check_bodies("{\"a\": [100.123456789]}", YES{"{\"a\":100.1234567}", NULL},
		     NO{"{\"a\":100.1235}", "{\"a\":1e300}", NULL});
	check_bodies(
		"{\"a\": [{\"prefix\": \"ab\"}, {\"suffix\": \"yz\"}, {\"equals-ignore-case\": \"Mid\"}]}",
		YES{"{\"a\":\"abc\"}", "{\"a\":\"xyz\"}", "{\"a\":\"mID\"}", NULL},
		NO{"{\"a\":\"cab\"}", "{\"a\":\"mids\"}", "{\"a\":7}", NULL});
	check_bodies("{\"a\": [{\"anything-but\": [\"x\", 1]}]}",
		     YES{"{\"a\":\"y\"}", "{\"a\":2}", "{\"a\":[\"x\",\"y\"]}", NULL},
		     NO{"{\"a\":\"x\"}", "{\"a\":1}", "{}", "{\"a\":[\"x\",1]}", NULL});
	check_bodies("{\"a\": [{\"anything-but\": {\"prefix\": \"x\"}}]}", YES{"{\"a\":\"y\"}", NULL},
		     NO{"{\"a\":\"xy\"}", "{}", NULL});
	check_bodies("{\"a\": [{\"numeric\": [\">\", 0, \"<=\", 5]}]}", YES{"{\"a\":5}", "{\"a\":0.1}", NULL},
		     NO{"{\"a\":0}", "{\"a\":5.1}", "{\"a\":\"3\"}", NULL});
	check_bodies("{\"a\": [{\"cidr\": \"10.0.0.0/8\"}]}", YES{"{\"a\":\"10.1.2.3\"}", NULL},
		     NO{"{\"a\":\"11.1.2.3\"}", "{\"a\":\"ten\"}", NULL});
	check_bodies("{\"a\": [{\"exists\": true}]}", YES{"{\"a\":null}", NULL},
		     NO{"{}", "{\"a\":{\"b\":1}}", NULL});
	check_bodies("{\"a\": {\"b\": [{\"exists\": false}]}}", YES{"{}", "{\"a\":{}}", NULL},
		     NO{"{\"a\":{\"b\":1}}", NULL});
	check_bodies("{\"s\": [\"c\"], \"$or\": [{\"m\": [1]}, {\"n\": [2]}]}",
		     YES{"{\"s\":\"c\",\"m\":1}", "{\"s\":\"c\",\"n\":2}", NULL},
		     NO{"{\"s\":\"c\"}", "{\"m\":1}", NULL});
	check_bodies(
		"{\"r\": {\"e\": [{\"prefix\": \"put\"}], \"k\": [\"x\"]}}",
		YES{"{\"r\":[{\"e\":\"get\",\"k\":\"x\"},{\"e\":\"put1\",\"k\":\"x\"}]}", NULL},
		NO{"{\"r\":[{\"e\":\"get\",\"k\":\"x\"},{\"e\":\"put1\",\"k\":\"y\"}]}", "{\"r\":[]}", NULL});
}

static bool admits_attribute(const char *policy, const char *type, const char *value)
{
	const struct str texts[ATTRIBUTE_TEXTS] = {STR("a"), str_from(type), str_from(value)};
	struct filter_message message = {.body = STR("text"), .attributes = {texts, ATTRIBUTE_TEXTS}};
	bool admits = message_filter_admits(&message, str_from(policy), false);
	message_filter_close(&message);
	return admits;
}

static void filter_matches_attributes(void **state)
{
	(void) state;
	assert_true(admits_attribute("{\"a\": [\"x\"]}", "String", "x"));
	assert_true(admits_attribute("{\"a\": [\"5\"]}", "String.custom", "5"));
	assert_false(admits_attribute("{\"a\": [5]}", "String", "5"));
	assert_true(admits_attribute("{\"a\": [5]}", "Number", "5.0"));
	assert_true(admits_attribute("{\"a\": [5]}", "Number.int", "5"));
	assert_true(admits_attribute("{\"a\": [5, \"x\"]}", "String.Array", "[\"x\"]"));
	assert_true(admits_attribute("{\"a\": [\"[x\"]}", "String.Array", "[x"));
	assert_false(admits_attribute("{\"a\": [{\"exists\": true}]}", "Binary", "eA=="));
	assert_true(admits_attribute("{\"b\": [{\"exists\": false}]}", "String", "x"));
	assert_false(admits_attribute("{\"b\": [\"x\"]}", "String", "x"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(filter_refuses),
		cmocka_unit_test(filter_takes),
		cmocka_unit_test(filter_matches_bodies),
		cmocka_unit_test(filter_matches_attributes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
