/* SPDX-License-Identifier: Apache-2.0
 * Reads from answers of a southbound database whether a port is bound to exactly one host. */
#include "../base/test_base.h"

#include <jansson.h>

#include "drivers/ovn/sb_binding.h"

#define CHASSIS "{\"rows\":[{\"_uuid\":[\"uuid\",\"there\"]}]}"

static const struct binding_case {
	const char *name, *binding, *chassis;
	bool is_alone;
} cases[] = {
	{"alone", "\"chassis\":[\"uuid\",\"there\"],\"additional_chassis\":[\"set\",[]],\"up\":true", CHASSIS,
	 true},
	{"an OVN without others", "\"chassis\":[\"uuid\",\"there\"],\"up\":true", CHASSIS, true},
	{"not up", "\"chassis\":[\"uuid\",\"there\"],\"additional_chassis\":[\"set\",[]],\"up\":false",
	 CHASSIS, false},
	{"nobody said that it is",
	 "\"chassis\":[\"uuid\",\"there\"],\"additional_chassis\":[\"set\",[]],\"up\":[\"set\",[]]", CHASSIS,
	 false},
	{"where it was", "\"chassis\":[\"uuid\",\"here\"],\"additional_chassis\":[\"set\",[]],\"up\":true",
	 CHASSIS, false},
	{"let go of, not taken yet",
	 "\"chassis\":[\"set\",[]],\"additional_chassis\":[\"set\",[]],\"up\":false", CHASSIS, false},
	{"the other one has it, too",
	 "\"chassis\":[\"uuid\",\"there\"],\"additional_chassis\":[\"uuid\",\"here\"],\"up\":true", CHASSIS,
	 false},
	{"two others have it, too",
	 "\"chassis\":[\"uuid\",\"there\"],\"additional_chassis\":[\"set\",[[\"uuid\",\"a\"],[\"uuid\",\"b\"]"
	 "]],\"up\":true",
	 CHASSIS, false},
	{"no such chassis", "\"chassis\":[\"set\",[]],\"additional_chassis\":[\"set\",[]],\"up\":true",
	 "{\"rows\":[]}", false},
};

static void test_reads(void **state)
{
	(void) state;
	for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
		char text[512];
		(void) snprintf(text, sizeof text, "[{\"rows\":[{%s}]},%s]", cases[k].binding,
				cases[k].chassis);
		json_t *results = json_loads(text, 0, NULL);
		assert_non_null(results);
		if (sb_binding_is_alone(results) != cases[k].is_alone)
			print_message("case: %s\n", cases[k].name);
		assert_int_equal(sb_binding_is_alone(results), cases[k].is_alone);
		json_decref(results);
	}
}

/* A malformed answer means no binding. */
static void test_reads_anything(void **state)
{
	static const char *const texts[] = {"[]",
					    "{}",
					    "[{},{}]",
					    "[{\"rows\":[]},{\"rows\":[]}]",
					    "[{\"error\":\"x\"}]",
					    "[{\"rows\":[{}]},{\"rows\":[{}]}]",
					    "[null,null]",
					    "[{\"rows\":5},{\"rows\":5}]"};
	(void) state;
	assert_false(sb_binding_is_alone(NULL));
	for (size_t k = 0; k < sizeof texts / sizeof texts[0]; k++) {
		json_t *results = json_loads(texts[k], 0, NULL);
		assert_non_null(results);
		assert_false(sb_binding_is_alone(results));
		json_decref(results);
	}
}

static void test_asks(void **state)
{
	(void) state;
	json_t *ops = sb_binding_ask(uuid_v5(UUID_NONE, STR("port")), STR("hv1"));
	assert_int_equal(json_array_size(ops), 2);
	json_decref(ops);
	ops = sb_binding_ask(UUID_NONE, STR_NONE);
	assert_int_equal(json_array_size(ops), 2);
	json_decref(ops);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads),
		cmocka_unit_test(test_reads_anything),
		cmocka_unit_test(test_asks),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
