/* SPDX-License-Identifier: Apache-2.0
 * OVSDB's values between wire format and canonical form, and the cache of update3: differences of each type,
 * the two indexes, and malformed updates. */
#include "../base/test_base.h"

#include "drivers/ovsdb/ovsdb_cache.h"

static const struct ovsdb_column columns[] = {
	{"Switch", "name", OVSDB_TEXT, false},        {"Switch", "ports", OVSDB_UUIDS, false},
	{"Switch", "external_ids", OVSDB_MAP, false}, {"Port", "name", OVSDB_TEXT, false},
	{"Port", "up", OVSDB_OPT_BOOL, false},        {"Port", "addresses", OVSDB_TEXTS, false},
	{"Port", "options", OVSDB_MAP, false},        {"Port", "dhcp", OVSDB_OPT_UUID, false},
	{"Port", "external_ids", OVSDB_MAP, false},   {"Port", "tag", OVSDB_OPT_INT, false},
	{"Port", "peer", OVSDB_OPT_TEXT, false},      {"Port", "priority", OVSDB_INT, false},
	{"Port", "log", OVSDB_BOOL, false},
};
static const char *const roots[] = {"Switch", NULL};
static const struct ovsdb_schema schema = {"Test", columns, sizeof columns / sizeof columns[0], roots,
					   "scope"};

#define SW "11111111-1111-1111-1111-111111111111"
#define PA "aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa"
#define PB "bbbbbbbb-bbbb-bbbb-bbbb-bbbbbbbbbbbb"

static json_t *parse(const char *text)
{
	json_error_t error;
	json_t *value = json_loads(text, JSON_DECODE_ANY, &error);
	if (!value)
		print_error("%s: %s\n", text, error.text);
	assert_non_null(value);
	return value;
}

static struct result update(struct ovsdb_cache *cache, const char *text)
{
	json_t *tables = parse(text);
	struct result r = ovsdb_cache_update(cache, tables, NULL, NULL);
	json_decref(tables);
	return r;
}

static void check_json(const json_t *value, const char *expected)
{
	json_t *other = parse(expected);
	if (!value || !json_equal(value, other)) {
		char *text = value ? json_dumps(value, JSON_ENCODE_ANY | JSON_SORT_KEYS) : NULL;
		print_error("%s is not %s\n", text ? text : "NULL", expected);
		free(text);
		fail();
	}
	json_decref(other);
}

static void check_column(const struct ovsdb_cache *cache, const char *table, const char *id,
			 const char *column, const char *expected)
{
	check_json(json_object_get(ovsdb_cache_row(cache, table, id), column), expected);
}

/* ---- values ---- */

static void check_value(enum ovsdb_type type, const char *wire, const char *canonical, const char *back)
{
	json_t *from = parse(wire), *value = ovsdb_value_read(type, from);
	check_json(value, canonical);
	json_t *again = ovsdb_value_write(type, value);
	check_json(again, back);
	json_decref(from);
	json_decref(value);
	json_decref(again);
}

static void test_values(void **state)
{
	(void) state;
	check_value(OVSDB_TEXT, "\"a\"", "\"a\"", "\"a\"");
	check_value(OVSDB_INT, "7", "7", "7");
	check_value(OVSDB_BOOL, "true", "true", "true");
	check_value(OVSDB_OPT_TEXT, "\"a\"", "\"a\"", "\"a\"");
	check_value(OVSDB_OPT_TEXT, "[\"set\",[\"a\"]]", "\"a\"", "\"a\"");
	check_value(OVSDB_OPT_TEXT, "[\"set\",[]]", "null", "[\"set\",[]]");
	check_value(OVSDB_OPT_INT, "3", "3", "3");
	check_value(OVSDB_OPT_BOOL, "[\"set\",[]]", "null", "[\"set\",[]]");
	check_value(OVSDB_OPT_UUID, "[\"uuid\",\"" PA "\"]", "\"" PA "\"", "[\"uuid\",\"" PA "\"]");
	check_value(OVSDB_OPT_UUID, "[\"set\",[[\"uuid\",\"" PA "\"]]]", "\"" PA "\"",
		    "[\"uuid\",\"" PA "\"]");
	check_value(OVSDB_TEXTS, "\"a\"", "{\"a\":true}", "[\"set\",[\"a\"]]");
	check_value(OVSDB_TEXTS, "[\"set\",[\"a\",\"b\"]]", "{\"b\":true,\"a\":true}",
		    "[\"set\",[\"a\",\"b\"]]");
	check_value(OVSDB_TEXTS, "[\"set\",[]]", "{}", "[\"set\",[]]");
	check_value(OVSDB_UUIDS, "[\"uuid\",\"" PA "\"]", "{\"" PA "\":true}",
		    "[\"set\",[[\"uuid\",\"" PA "\"]]]");
	check_value(OVSDB_MAP, "[\"map\",[[\"k\",\"v\"]]]", "{\"k\":\"v\"}", "[\"map\",[[\"k\",\"v\"]]]");
	check_value(OVSDB_INTS, "[\"map\",[[\"k\",2]]]", "{\"k\":2}", "[\"map\",[[\"k\",2]]]");
}

static void test_malformed_values(void **state)
{
	(void) state;
	static const struct {
		enum ovsdb_type type;
		const char *wire;
	} bad[] = {
		{OVSDB_TEXT, "1"},
		{OVSDB_INT, "\"1\""},
		{OVSDB_INT, "1.5"},
		{OVSDB_BOOL, "0"},
		{OVSDB_OPT_TEXT, "[\"set\",[1]]"},
		{OVSDB_OPT_UUID, "\"a\""},
		{OVSDB_OPT_UUID, "null"},
		{OVSDB_TEXTS, "[\"set\",[1]]"},
		{OVSDB_TEXTS, "[]"},
		{OVSDB_UUIDS, "[\"set\",[\"a\"]]"},
		{OVSDB_UUIDS, "[\"uuid\"]"},
		{OVSDB_MAP, "{}"},
		{OVSDB_MAP, "[\"map\",[[1,2]]]"},
		{OVSDB_MAP, "[\"map\",[[\"k\"]]]"},
		{OVSDB_MAP, "[\"map\",{}]"},
		{OVSDB_INTS, "[\"map\",[[\"k\",\"2\"]]]"},
		{OVSDB_TEXT, "{}"},
	};
	for (size_t k = 0; k < sizeof bad / sizeof bad[0]; k++) {
		json_t *wire = parse(bad[k].wire);
		assert_null(ovsdb_value_read(bad[k].type, wire));
		json_decref(wire);
	}
}

static void test_defaults_are_equal_to_absent(void **state)
{
	(void) state;
	static const struct {
		enum ovsdb_type type;
		const char *value;
		bool equal;
	} cases[] = {
		{OVSDB_TEXT, "\"\"", true},     {OVSDB_TEXT, "\"a\"", false},
		{OVSDB_INT, "0", true},         {OVSDB_INT, "1", false},
		{OVSDB_TEXTS, "{}", true},      {OVSDB_TEXTS, "{\"a\":true}", false},
		{OVSDB_OPT_TEXT, "null", true}, {OVSDB_OPT_TEXT, "\"\"", false},
		{OVSDB_OPT_BOOL, "null", true}, {OVSDB_OPT_BOOL, "false", false},
		{OVSDB_MAP, "{}", true},        {OVSDB_BOOL, "false", true},
	};
	for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
		json_t *value = parse(cases[k].value);
		assert_int_equal(ovsdb_value_equal(cases[k].type, value, NULL), cases[k].equal);
		assert_int_equal(ovsdb_value_equal(cases[k].type, NULL, value), cases[k].equal);
		assert_true(ovsdb_value_equal(cases[k].type, value, value));
		json_decref(value);
	}
	assert_true(ovsdb_value_equal(OVSDB_INT, NULL, NULL));
}

/* ---- the cache ---- */

static const char snapshot[] =
	"{\"Switch\":{\"" SW "\":{\"initial\":{\"name\":\"s\",\"ports\":[\"set\",[[\"uuid\",\"" PA
	"\"],[\"uuid\",\"" PB "\"]]],\"external_ids\":[\"map\",[[\"scope\",\"one\"]]]}}},"
	"\"Port\":{\"" PA
	"\":{\"initial\":{\"name\":\"a\",\"addresses\":\"x\",\"options\":[\"map\",[[\"k\",\"v\"],"
	"[\"l\",\"w\"]]],\"external_ids\":[\"map\",[[\"scope\",\"two\"]]]}},\"" PB
	"\":{\"initial\":{\"name\":\"b\"}}}}";

static int cache_setup(void **state)
{
	struct ovsdb_cache *cache = calloc(1, sizeof *cache);
	*state = cache;
	return !cache || ovsdb_cache_init(cache, &schema).code || update(cache, snapshot).code;
}

static int cache_teardown(void **state)
{
	ovsdb_cache_done(*state);
	free(*state);
	return 0;
}
#define cache_test(f) cmocka_unit_test_setup_teardown(f, cache_setup, cache_teardown)

static void test_snapshot(void **state)
{
	struct ovsdb_cache *cache = *state;
	check_column(cache, "Port", PA, "addresses", "{\"x\":true}");
	check_json(ovsdb_cache_scope(cache, "one"), "{\"Switch/" SW "\":true}");
	check_json(ovsdb_cache_scope(cache, "two"), "{\"Port/" PA "\":true}");
	check_json(ovsdb_cache_parents(cache, PA), "{\"Switch/ports/" SW "\":true}");
	check_json(ovsdb_cache_parents(cache, PB), "{\"Switch/ports/" SW "\":true}");
	assert_null(ovsdb_cache_parents(cache, SW));
	assert_string_equal(ovsdb_row_mark(ovsdb_cache_row(cache, "Port", PA), "scope"), "two");
	assert_null(ovsdb_row_mark(ovsdb_cache_row(cache, "Port", PB), "scope"));
}

static void test_modify_sets_and_maps_by_difference(void **state)
{
	struct ovsdb_cache *cache = *state;
	assert_ok(update(cache, "{\"Switch\":{\"" SW "\":{\"modify\":{\"ports\":[\"uuid\",\"" PA "\"]}}}}"));
	check_column(cache, "Switch", SW, "ports", "{\"" PB "\":true}");
	assert_null(ovsdb_cache_parents(cache, PA));
	assert_ok(update(cache, "{\"Switch\":{\"" SW "\":{\"modify\":{\"ports\":[\"set\",[[\"uuid\",\"" PA
				"\"],[\"uuid\",\"" PB "\"]]]}}}}"));
	check_column(cache, "Switch", SW, "ports", "{\"" PA "\":true}");
	assert_null(ovsdb_cache_parents(cache, PB));
	check_json(ovsdb_cache_parents(cache, PA), "{\"Switch/ports/" SW "\":true}");

	/* k is deleted, l changed, m inserted */
	assert_ok(update(cache, "{\"Port\":{\"" PA
				"\":{\"modify\":{\"options\":[\"map\",[[\"k\",\"v\"],[\"l\",\"z\"],"
				"[\"m\",\"n\"]]],\"addresses\":[\"set\",[\"x\",\"y\"]]}}}}"));
	check_column(cache, "Port", PA, "options", "{\"l\":\"z\",\"m\":\"n\"}");
	check_column(cache, "Port", PA, "addresses", "{\"y\":true}");
	check_column(cache, "Port", PA, "name", "\"a\"");
}

static void test_modify_scalars_and_optionals_by_value(void **state)
{
	struct ovsdb_cache *cache = *state;
	assert_ok(update(cache,
			 "{\"Port\":{\"" PA
			 "\":{\"modify\":{\"name\":\"c\",\"up\":true,\"dhcp\":[\"uuid\",\"" PB "\"]}}}}"));
	check_column(cache, "Port", PA, "name", "\"c\"");
	check_column(cache, "Port", PA, "up", "true");
	check_column(cache, "Port", PA, "dhcp", "\"" PB "\"");
	assert_ok(update(cache, "{\"Port\":{\"" PA "\":{\"modify\":{\"up\":false,\"dhcp\":[\"set\",[]]}}}}"));
	check_column(cache, "Port", PA, "up", "false");
	check_column(cache, "Port", PA, "dhcp", "null");
}

static void test_marks_move_between_scopes(void **state)
{
	struct ovsdb_cache *cache = *state;
	assert_ok(update(cache, "{\"Port\":{\"" PA
				"\":{\"modify\":{\"external_ids\":[\"map\",[[\"scope\",\"one\"]]]}}}}"));
	assert_null(ovsdb_cache_scope(cache, "two"));
	check_json(ovsdb_cache_scope(cache, "one"), "{\"Port/" PA "\":true,\"Switch/" SW "\":true}");
	assert_ok(update(cache, "{\"Port\":{\"" PA
				"\":{\"modify\":{\"external_ids\":[\"map\",[[\"scope\",\"one\"]]]}}}}"));
	check_json(ovsdb_cache_scope(cache, "one"), "{\"Switch/" SW "\":true}");
	check_column(cache, "Port", PA, "external_ids", "{}");
}

static void test_delete_and_insert(void **state)
{
	struct ovsdb_cache *cache = *state;
	assert_ok(update(cache, "{\"Switch\":{\"" SW "\":{\"delete\":null}}}"));
	assert_null(ovsdb_cache_row(cache, "Switch", SW));
	assert_null(ovsdb_cache_parents(cache, PA));
	assert_null(ovsdb_cache_scope(cache, "one"));
	assert_ok(update(cache, "{\"Switch\":{\"" SW "\":{\"insert\":{\"ports\":[\"uuid\",\"" PB "\"]}}}}"));
	check_json(ovsdb_cache_parents(cache, PB), "{\"Switch/ports/" SW "\":true}");
	assert_ok(update(cache, "{\"Switch\":{\"" SW "\":{\"insert\":{\"ports\":[\"uuid\",\"" PA "\"]}}}}"));
	assert_null(ovsdb_cache_parents(cache, PB));
}

static void test_malformed_updates(void **state)
{
	struct ovsdb_cache *cache = *state;
	static const char *const bad[] = {
		"[]",
		"{\"Strange\":{}}",
		"{\"Port\":{\"" PA "\":{\"modify\":{\"strange\":1}}}}",
		"{\"Port\":{\"" PA "\":{\"modify\":{\"name\":1}}}}",
		"{\"Port\":{\"" PA "\":{\"modify\":[]}}}",
		"{\"Port\":{\"" PA "\":{}}}",
		"{\"Port\":{\"not-a-uuid\":{\"insert\":{}}}}",
		"{\"Port\":{\"" SW "\":{\"modify\":{\"name\":\"a\"}}}}",
	};
	for (size_t k = 0; k < sizeof bad / sizeof bad[0]; k++)
		assert_err(update(cache, bad[k]), IO);
}

static void count_change(void *arg, const struct ovsdb_change *change)
{
	json_t *seen = arg;
	json_object_set_new(seen, change->id,
			    json_boolean(change->row && json_object_get(change->columns, "up")));
}

static void test_changes_are_told(void **state)
{
	struct ovsdb_cache *cache = *state;
	json_t *seen = json_object();
	json_t *tables =
		parse("{\"Port\":{\"" PA "\":{\"modify\":{\"up\":true}},\"" PB "\":{\"delete\":null}}}");
	assert_ok(ovsdb_cache_update(cache, tables, count_change, seen));
	check_json(seen, "{\"" PA "\":true,\"" PB "\":false}");
	json_decref(tables);
	json_decref(seen);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_malformed_values),
		cmocka_unit_test(test_defaults_are_equal_to_absent),
		cache_test(test_snapshot),
		cache_test(test_modify_sets_and_maps_by_difference),
		cache_test(test_modify_scalars_and_optionals_by_value),
		cache_test(test_marks_move_between_scopes),
		cache_test(test_delete_and_insert),
		cache_test(test_malformed_updates),
		cache_test(test_changes_are_told),
	};
	return cmocka_run_group_tests_name("ovsdb_cache", tests, NULL, NULL);
}
