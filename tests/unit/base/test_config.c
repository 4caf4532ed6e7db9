/* SPDX-License-Identifier: Apache-2.0
 * The configuration reader: accepted files, and the messages for others. */
#include "test_base.h"

#include "base/config.h"

struct sample {
	struct str region, api, empty;
	int64_t port, free_int, workers;
	bool tls, on;
	struct strs hosts, zones;
};

#define KEY(key, kind, field, ...)                                                                           \
	{                                                                                                    \
		.name = key, .type = kind, .offset = offsetof(struct sample, field), __VA_ARGS__             \
	}

static const struct config_key keys[] = {
	KEY("region", CONFIG_TEXT, region, .absent = "home"),
	KEY("listen.api", CONFIG_TEXT, api, .absent = "[::]:8080"),
	KEY("listen.port", CONFIG_INT, port, .absent = "443", .min = 1, .max = 65535),
	KEY("listen.tls", CONFIG_BOOL, tls, .absent = "true"),
	KEY("workers", CONFIG_INT, workers, .min = -5, .max = 5),
	KEY("deep.free_int", CONFIG_INT, free_int),
	KEY("deep.empty", CONFIG_TEXT, empty),
	KEY("on", CONFIG_BOOL, on),
	KEY("hosts", CONFIG_TEXTS, hosts, .absent = "a, b"),
	KEY("deep.zones", CONFIG_TEXTS, zones),
};
enum { KEY_COUNT = sizeof keys / sizeof keys[0] };

static RESULT parse(struct ctx *c, const char *yaml, struct sample *out)
{
	memset(out, 0xAA, sizeof *out);
	ctx_clear_problem(c);
	return config_parse(c, str_from(yaml), keys, KEY_COUNT, out);
}

static void check_defaults(const struct sample *s)
{
	assert_str(s->region, "home");
	assert_str(s->api, "[::]:8080");
	assert_true(str_is_empty(s->empty));
	assert_int_equal(s->port, 443);
	assert_int_equal(s->free_int, 0);
	assert_true(s->tls);
	assert_false(s->on);
	assert_int_equal(s->hosts.count, 2);
	assert_str(s->hosts.at[0], "a");
	assert_str(s->hosts.at[1], "b");
	assert_int_equal(s->zones.count, 0);
}

static void test_defaults(void **state)
{
	struct ctx *c = *state;
	static const char *const nothing[] = {
		"",    "\n\n",      "# a comment\n",        "---\n",   "---\n...\n", "{}",
		"~\n", "listen:\n", "listen: ~\nregion:\n", "hosts:\n"};
	for (size_t k = 0; k < sizeof nothing / sizeof nothing[0]; k++) {
		struct sample s;
		assert_ok(parse(c, nothing[k], &s));
		check_defaults(&s);
	}
	struct sample s;
	assert_ok(config_parse(c, STR_NONE, keys, KEY_COUNT, &s));
	check_defaults(&s);
}

static void test_values(void **state)
{
	struct ctx *c = *state;
	struct sample s;
	assert_ok(parse(c,
			"region: seoul # here\n"
			"workers: -5\n"
			"on: True\n"
			"hosts: [x, \"y z\", '']\n"
			"listen:\n"
			"  api: \"~\"\n"
			"  port: 65535\n"
			"  tls: false\n"
			"deep:\n"
			"  free_int: -9223372036854775808\n"
			"  zones:\n"
			"    - 다리\n"
			"    - b\n"
			"  empty: ''\n",
			&s));
	assert_str(s.region, "seoul");
	assert_int_equal(s.workers, -5);
	assert_true(s.on);
	assert_int_equal(s.hosts.count, 3);
	assert_str(s.hosts.at[1], "y z");
	assert_str(s.hosts.at[2], "");
	assert_str(s.api, "~"); /* quoted is text */
	assert_int_equal(s.port, 65535);
	assert_false(s.tls);
	assert_true(s.free_int == INT64_MIN);
	assert_int_equal(s.zones.count, 2);
	assert_str(s.zones.at[0], "다리");
	assert_int_equal(s.empty.n, 0);
	assert_ok(parse(c, "hosts: []\n", &s));
	assert_int_equal(s.hosts.count, 0); /* not the default */
	assert_ok(parse(c, "{region: a, listen: {port: 1}}", &s));
	assert_int_equal(s.port, 1);
}

static void test_refusals_in_words(void **state)
{
	struct ctx *c = *state;
	static const struct {
		const char *yaml, *message, *field;
	} rows[] = {
		{"regoin: x\n", "line 1: unknown key \"regoin\"; perhaps \"region\" was meant", "regoin"},
		{"xn: 1\n", "line 1: unknown key \"xn\"", "xn"}, /* nothing is near to two letters */
		{"\n\nzebra: x\n", "line 3: unknown key \"zebra\"", "zebra"},
		{"listen:\n  prot: 1\n",
		 "line 2: unknown key \"listen.prot\"; perhaps \"listen.port\" was meant", "listen.prot"},
		{"listen:\n  region: 1\n", "line 2: unknown key \"listen.region\"", "listen.region"},
		{"lisen:\n  port: 1\n", "line 1: unknown key \"lisen\"", "lisen"},
		{"listen.port: 5\nlisten.port: 6\n", "line 2: listen.port is given twice", "listen.port"},
		{"region: a\nregion: b\n", "line 2: region is given twice", "region"},
		{"listen:\n  port: 1\nlisten:\n  tls: true\n", "line 3: listen is given twice", "listen"},
		{"listen:\n  port: 0\n", "line 2: listen.port must be from 1 to 65535, not 0", "listen.port"},
		{"listen:\n  port: 65536\n", "line 2: listen.port must be from 1 to 65535, not 65536",
		 "listen.port"},
		{"workers: -6\n", "line 1: workers must be from -5 to 5, not -6", "workers"},
		{"workers: 1.5\n", "line 1: workers must be a whole number, not \"1.5\"", "workers"},
		{"workers: ''\n", "line 1: workers must be a whole number, not \"\"", "workers"},
		{"on: yes\n", "line 1: on must be true or false, not \"yes\"", "on"},
		{"region: [a]\n", "line 1: region must be a single value", "region"},
		{"region: {a: b}\n", "line 1: region must be a single value", "region"},
		{"hosts: a\n", "line 1: hosts must be a list: [a, b]", "hosts"},
		{"hosts: {a: b}\n", "line 1: hosts must be a list: [a, b]", "hosts"},
		{"hosts:\n - [a]\n", "line 2: hosts must be a list of plain values", "hosts"},
		{"hosts:\n - a: b\n", "line 2: hosts must be a list of plain values", "hosts"},
		{"listen: 5\n", "line 1: listen must hold keys of its own", "listen"},
		{"listen: [a]\n", "line 1: listen must hold keys of its own", "listen"},
		{"listen:\n  port: {a: 1}\n", "line 2: listen.port must be a single value", "listen.port"},
		{"[a]: b\n", "line 1: a key must be a plain word", ""},
		{"listen:\n  [a]: b\n", "line 2: a key must be a plain word", ""},
		{"- a\n", "line 1: the configuration must be keys and values", ""},
		{"just words\n", "line 1: the configuration must be keys and values", ""},
		{"region: a\n---\nregion: b\n", "line 2: only one document may be here", ""},
		{"region: &x a\n", "line 1: anchors, aliases and tags have no place here", ""},
		{"region: *x\n", "line 1: anchors, aliases and tags have no place here", ""},
		{"region: !!str a\n", "line 1: anchors, aliases and tags have no place here", ""},
		{"listen: &a\n  port: 1\n", "line 1: anchors, aliases and tags have no place here", ""},
		{"hosts: !x [a]\n", "line 1: anchors, aliases and tags have no place here", ""},
		{"region: \"a\\0b\"\n", "line 1: region holds a NUL character", "region"},
		{"\"region\\0\": b\n", "line 1: a key holds a NUL character", ""},
		{"listen:\n  \"port\\0\": 5\n", "line 2: a key holds a NUL character", ""},
		{"\"\": b\n", "line 1: unknown key \"\"", ""},
	};
	for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
		struct sample s;
		struct result r = parse(c, rows[k].yaml, &s);
		if (r.code != ERR_INVALID || c->problem.err != ERR_INVALID ||
		    !str_is(c->problem.message, rows[k].message) || !str_is(c->problem.field, rows[k].field))
			fail_msg("%s gave %s, \"%" STR_FMT "\", field %" STR_FMT, rows[k].yaml,
				 err_name(r.code), STR_ARG(c->problem.message), STR_ARG(c->problem.field));
	}
}

static void test_not_yaml(void **state)
{
	struct ctx *c = *state;
	static const char *const bad[] = {"a: b: c\n",  "[",      "{a: b",     "a:\n\tb: c\n",
					  "\"open\n",   "\x01",   "a: \xFF\n", "%BAD\n---\n",
					  "region: @x", "? [a\n", "\xFF\xFE"};
	for (size_t k = 0; k < sizeof bad / sizeof bad[0]; k++) {
		struct sample s;
		assert_err(parse(c, bad[k], &s), INVALID);
		assert_true(str_starts_with(c->problem.message, STR("line ")));
	}
}

static void test_bounds(void **state)
{
	struct ctx *c = *state;
	struct sample s;
	enum { CAP = 1024 * 1024 };
	char *large = malloc(CAP + 1);
	assert_non_null(large);
	memset(large, '\n', CAP + 1);
	assert_ok(config_parse(c, (struct str){large, CAP}, keys, KEY_COUNT, &s));
	assert_err(config_parse(c, (struct str){large, CAP + 1}, keys, KEY_COUNT, &s), TOO_LARGE);
	ctx_clear_problem(c);
	memset(large, '[', CAP); /* refused at the first level too deep */
	assert_err(config_parse(c, (struct str){large, CAP}, keys, KEY_COUNT, &s), INVALID);
	ctx_clear_problem(c);
	memset(large, 'a', CAP);
	memcpy(large, "region: ", 8);
	assert_err(config_parse(c, (struct str){large, CAP}, keys, KEY_COUNT, &s),
		   TOO_LARGE); /* the arena's cap */
	ctx_clear_problem(c);
	memset(large, 'k', CAP);
	memcpy(large + CAP - 4, ": v\n", 4);
	assert_err(config_parse(c, (struct str){large, CAP}, keys, KEY_COUNT, &s), INVALID);
	assert_true(c->problem.message.n < 1000);
	free(large);
}

static void out_of_memory_body(void *data)
{
	(void) data;
	AUTO(arena) a = arena_new(16, 1024 * 1024);
	if (!a)
		return;
	struct ctx c;
	struct sample s;
	ctx_init(&c, a);
	struct result r =
		config_parse(&c, STR("listen: {port: 5, api: 'x'}\nhosts: [a, b, c, d, e, f, g, h, i]\n"),
			     keys, KEY_COUNT, &s);
	assert_int_equal(r.code, fault_has_fired() ? ERR_NO_MEMORY : ERR_NONE);
}

static void test_out_of_memory(void **state)
{
	(void) state;
	assert_true(for_each_fault(FAULT_ALLOC, false, out_of_memory_body, NULL) > 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ctx_test(test_defaults), ctx_test(test_values), ctx_test(test_refusals_in_words),
		ctx_test(test_not_yaml), ctx_test(test_bounds), ctx_test(test_out_of_memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
