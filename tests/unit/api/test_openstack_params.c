/* SPDX-License-Identifier: Apache-2.0
 * Reading parameters by table: all types from all places, and all refusals. Also patterns and paths in
 * api/openstack/. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api/openstack/core/errors.h"
#include "api/openstack/core/list.h"
#include "api/openstack/core/pattern.h"
#include "api/openstack/core/services.h"

struct part {
	struct str name;
	int64_t size;
};
static const struct param part_rows[] = {
	OS_BODY(struct part, "name", name, .flags = REQUIRED, .min = 1),
	OS_BODY(struct part, "size", size, .min = 1, .max = 10),
};
static const struct params part_params = OS_PARAMS(struct part, part_rows);

struct all {
	struct ref server, image, flavor;
	struct str name, word, raw, rest, data;
	int64_t count, new_count, limit;
	bool on, has_description, has_limit;
	enum choice choice, power;
	struct ip ip;
	struct cidr cidr;
	struct mac mac;
	struct strs names, tags_any;
	struct refs ids;
	struct tags metadata;
	struct str description;
	struct part part;
	struct {
		const struct part *at;
		size_t count;
	} parts;
};
#define B(wire, member, ...) OS_BODY(struct all, wire, member, __VA_ARGS__)
static const struct param rows[] = {
	OS_PATH(struct all, "server_id", server, .kind = KIND_INSTANCE),
	OS_QUERY(struct all, "tags-any", tags_any),
	OS_QUERY(struct all, "on", on),
	B("name", name, .max = 8),
	B("word", word, .words = "one|two", .absent = "two"),
	B("data", data, .flags = BASE64, .max = 4),
	B("imageRef", image, .kind = KIND_IMAGE, .flags = ID_OR_EMPTY),
	B("flavorRef", flavor, .kind = KIND_INSTANCE_TYPE, .flags = BY_NAME),
	B("count", count, .min = 1, .max = 9),
	B("new", new_count, .since = 10, .until = 20),
	B("choice", choice),
	B("power", power, .yes = "up", .no = "down"),
	B("ip", ip),
	B("cidr", cidr),
	B("mac", mac),
	B("names", names),
	B("ids", ids, .kind = KIND_PORT),
	B("metadata", metadata),
	B("description", description, .flags = NULLABLE, .given = offsetof(struct all, has_description) + 1),
	B("limit", limit, .flags = NULL_ABSENT, .given = offsetof(struct all, has_limit) + 1),
	OS_BODY_JSON(struct all, "raw", raw),
	OS_BODY_OBJECT(struct all, "part", part, part_params),
	OS_BODY_LIST(struct all, "parts", parts, part_params, .max = 2),
	OS_UNBUILT("hints", .only = "none|false"),
};
static const struct params strict = OS_PARAMS(struct all, rows);
static const struct params keeping = OS_PARAMS(struct all, rows, .members = offsetof(struct all, rest) + 1);

struct fixture {
	struct arena *arena;
	struct ctx c;
	struct all out;
};

static int setup(void **state)
{
	static struct fixture f;
	f = (struct fixture){.arena = arena_new(ARENA_FIRST_SIZE, ARENA_REQUEST_CAP)};
	ctx_init(&f.c, f.arena);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	arena_free(f->arena);
	return 0;
}

static const struct pair server = {{"server_id", 9}, {"ec2aaaaa-0000-4000-8000-000000000001", 36}};

static enum err read_with(struct fixture *f, const struct params *table, int version, const char *query,
			  const char *text)
{
	struct os_request request = {.version = version, .path = {&server, 1}};
	json_t *body = text ? json_loads(text, 0, NULL) : NULL;
	f->out = (struct all){0};
	ctx_clear_problem(&f->c);
	assert_true(result_is_ok(os_query_parse(&f->c, str_from(query), &request.query)));
	request.body = body;
	struct result result = os_params_read(&f->c, table, &request, &f->out);
	json_decref(body);
	return result.code;
}

static enum err read_body(struct fixture *f, const char *text)
{
	return read_with(f, &strict, 0, "", text);
}

#define assert_text(s, expected) assert_true(str_is((s), (expected)))

static void test_every_type(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(
		read_with(
			f, &strict, 15, "tags-any=a%20b&tags-any=c&on=True&unknown=1",
			"{\"name\":\"web\",\"data\":\"aGkh\",\"imageRef\":"
			"\"ec2aaaaa000040008000000000000002\","
			"\"flavorRef\":\"m1.tiny\",\"count\":\"3\",\"new\":7,\"choice\":\"yes\",\"power\":"
			"\"down\","
			"\"ip\":\"10.0.0.1\",\"cidr\":\"10.0.0.0/8\",\"mac\":\"fa:16:3e:00:00:01\","
			"\"names\":[\"x\",\"y\"],\"ids\":[\"ec2aaaaa-0000-4000-8000-000000000003\"],"
			"\"metadata\":{\"b\":\"2\",\"a\":\"1\"},\"description\":null,\"limit\":null,"
			"\"raw\":{\"k\":[1]},"
			"\"part\":{\"name\":\"p\"},\"parts\":[{\"name\":\"q\",\"size\":2}],\"hints\":false}"),
		ERR_NONE);
	const struct all *o = &f->out;
	assert_int_equal(o->server.bits, 128);
	assert_int_equal(o->server.kind, KIND_INSTANCE);
	assert_int_equal(o->tags_any.count, 2);
	assert_text(o->tags_any.at[0], "a b");
	assert_true(o->on);
	assert_text(o->name, "web");
	assert_text(o->word, "two");
	assert_text(o->data, "hi!");
	assert_int_equal(o->image.bits, 128);
	assert_int_equal(o->flavor.bits, 0);
	assert_text(o->flavor.text, "m1.tiny");
	assert_int_equal(o->count, 3);
	assert_int_equal(o->new_count, 7);
	assert_int_equal(o->choice, CHOICE_YES);
	assert_int_equal(o->power, CHOICE_NO);
	assert_int_equal(o->ip.family, IP_V4);
	assert_int_equal(o->cidr.bits, 8);
	assert_int_equal(o->mac.b[0], 0xfa);
	assert_int_equal(o->names.count, 2);
	assert_int_equal(o->ids.count, 1);
	assert_int_equal(o->metadata.count, 2);
	assert_text(o->metadata.at[0].key, "a");
	assert_true(o->has_description);
	assert_false(o->has_limit);
	assert_text(o->raw, "{\"k\":[1]}");
	assert_text(o->part.name, "p");
	assert_int_equal(o->parts.count, 1);
	assert_int_equal(o->parts.at[0].size, 2);
}

struct refusal {
	const char *body;
	enum err err;
	const char *field;
};

static void test_refusals(void **state)
{
	static const struct refusal refusals[] = {
		{"{\"name\":7}", ERR_INVALID, "name"},
		{"{\"name\":null}", ERR_INVALID, "name"},
		{"{\"name\":\"123456789\"}", ERR_INVALID, "name"},
		{"{\"word\":\"three\"}", ERR_INVALID, "word"},
		{"{\"data\":\"aGkhISE=\"}", ERR_INVALID, "data"},
		{"{\"data\":\"a\"}", ERR_INVALID, "data"},
		{"{\"imageRef\":\"x\"}", ERR_INVALID, "imageRef"},
		{"{\"imageRef\":\"\"}", ERR_NONE, NULL},
		{"{\"flavorRef\":1}", ERR_NONE, NULL},
		{"{\"count\":0}", ERR_INVALID, "count"},
		{"{\"count\":10}", ERR_INVALID, "count"},
		{"{\"count\":\"x\"}", ERR_INVALID, "count"},
		{"{\"count\":1.5}", ERR_INVALID, "count"},
		{"{\"new\":1}", ERR_UNKNOWN, "new"},
		{"{\"choice\":\"perhaps\"}", ERR_INVALID, "choice"},
		{"{\"power\":true}", ERR_INVALID, "power"},
		{"{\"ip\":\"10.0.0\"}", ERR_INVALID, "ip"},
		{"{\"cidr\":\"10.0.0.0\"}", ERR_INVALID, "cidr"},
		{"{\"mac\":\"fa\"}", ERR_INVALID, "mac"},
		{"{\"names\":\"x\"}", ERR_INVALID, "names"},
		{"{\"names\":[1]}", ERR_INVALID, "names"},
		{"{\"ids\":[\"x\"]}", ERR_INVALID, "ids.0"},
		{"{\"metadata\":[]}", ERR_INVALID, "metadata"},
		{"{\"metadata\":{\"a\":1}}", ERR_INVALID, "metadata"},
		{"{\"metadata\":{\"\":\"1\"}}", ERR_INVALID, "metadata"},
		{"{\"part\":{}}", ERR_MISSING, "part.name"},
		{"{\"part\":[]}", ERR_INVALID, "part"},
		{"{\"part\":{\"name\":\"p\",\"x\":1}}", ERR_UNKNOWN, "x"},
		{"{\"parts\":[{\"name\":\"p\",\"size\":11}]}", ERR_INVALID, "parts.0.size"},
		{"{\"parts\":[{\"name\":\"p\"},{\"name\":\"p\"},{\"name\":\"p\"}]}", ERR_INVALID, "parts"},
		{"{\"hints\":true}", ERR_UNSUPPORTED, "hints"},
		{"{\"hints\":\"none\"}", ERR_NONE, NULL},
		{"{\"hints\":null}", ERR_NONE, NULL},
		{"{\"other\":1}", ERR_UNKNOWN, "other"},
	};
	struct fixture *f = *state;
	for (size_t k = 0; k < sizeof refusals / sizeof refusals[0]; k++) {
		enum err err = read_body(f, refusals[k].body);
		if (err != refusals[k].err)
			fail_msg("%s: %s", refusals[k].body, err_name(err));
		if (refusals[k].field && !str_is(f->c.problem.field, refusals[k].field))
			fail_msg("%s: field %.*s", refusals[k].body, STR_ARG(f->c.problem.field));
	}
}

static void test_members_kept(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(read_with(f, &keeping, 0, "", "{\"other\":{\"a\":1},\"name\":\"n\",\"b\":null}"),
			 ERR_NONE);
	assert_text(f->out.rest, "{\"other\":{\"a\":1},\"b\":null}");
	assert_text(f->out.name, "n");
	assert_int_equal(read_with(f, &keeping, 0, "", "{}"), ERR_NONE);
	assert_int_equal(f->out.rest.n, 0);
}

static void test_path_id(void **state)
{
	struct fixture *f = *state;
	const struct pair web = {STR("server_id"), STR("web")};
	const struct os_request request = {.path = {&web, 1}};
	ctx_clear_problem(&f->c);
	assert_int_equal(os_params_read(&f->c, &strict, &request, &f->out).code, ERR_NOT_FOUND);
	assert_int_equal(f->c.problem.kind, KIND_INSTANCE);
}

static void test_query(void **state)
{
	struct fixture *f = *state;
	struct pairs pairs;
	assert_true(result_is_ok(os_query_parse(&f->c, STR("a=1&&b&a=%2B+x"), &pairs)));
	assert_int_equal(pairs.count, 3);
	assert_text(pairs.at[2].value, "+ x");
	assert_int_equal(pairs.at[1].value.n, 0);
	assert_text(pairs_find(&pairs, "a"), "1");
	assert_null(pairs_find(&pairs, "c").p);
	assert_int_equal(os_query_parse(&f->c, STR("a=%G"), &pairs).code, ERR_INVALID);
	ctx_clear_problem(&f->c);
	assert_int_equal(os_query_parse(&f->c, STR("a=%FF"), &pairs).code, ERR_INVALID);
}

static const char *time_of(const char *text)
{
	static char out[CLOCK_TEXT_SIZE];
	int64_t us = 0;
	return os_read_time(str_from(text), &us) ? clock_write_ms(us, out) : "none";
}

/* Every form of ISO 8601 that oslo.utils takes. */
static void test_times(void **state)
{
	static const char *const times[][2] = {
		{"2020", "2020-01-01T00:00:00.000Z"},
		{"2020-03", "2020-03-01T00:00:00.000Z"},
		{"2020-3-4", "2020-03-04T00:00:00.000Z"},
		{"2020-03-04", "2020-03-04T00:00:00.000Z"},
		{"20200304", "2020-03-04T00:00:00.000Z"},
		{"2020-03-04T05", "2020-03-04T05:00:00.000Z"},
		{"2020-03-04 05:06", "2020-03-04T05:06:00.000Z"},
		{"20200304T050607", "2020-03-04T05:06:07.000Z"},
		{"2020-03-04T05:06:07.25", "2020-03-04T05:06:07.250Z"},
		{"2020-03-04T05:06:07,1234567Z", "2020-03-04T05:06:07.123Z"},
		{"2020-03-04T05:06:07+02:00", "2020-03-04T03:06:07.000Z"},
		{"2020-03-04T05:06:07-0130", "2020-03-04T06:36:07.000Z"},
		{"2020-03-04T05:06:07+02", "2020-03-04T03:06:07.000Z"},
		{"", "none"},
		{"202003", "none"},
		{"2020-13", "none"},
		{"2020-02-30", "none"},
		{"2020-03-04T", "none"},
		{"2020-03-04T05:", "none"},
		{"2020-03-04T05:06:07.", "none"},
		{"2020-03-04T05:06:07+", "none"},
		{"2020-03-04T05:06:07Zx", "none"},
		{"yesterday", "none"},
	};
	(void) state;
	for (size_t k = 0; k < sizeof times / sizeof times[0]; k++)
		assert_string_equal(time_of(times[k][0]), times[k][1]);
}

static bool is_pattern(struct str pattern)
{
	AUTO(arena) a = arena_new(ARENA_FIRST_SIZE, ARENA_REQUEST_CAP);
	return os_pattern_new(a, pattern);
}

static bool is_found(struct str pattern, struct str text)
{
	AUTO(arena) a = arena_new(ARENA_FIRST_SIZE, ARENA_REQUEST_CAP);
	const struct os_pattern *p = os_pattern_new(a, pattern);
	return p && os_pattern_is_found(p, text);
}

static void test_patterns(void **state)
{
	(void) state;
	assert_true(is_found(STR("web"), STR("my web 1")));
	assert_true(is_found(STR("^web$"), STR("web")));
	assert_false(is_found(STR("^web$"), STR("web1")));
	assert_false(is_found(STR("^web"), STR("my web")));
	assert_true(is_found(STR("w.b.*1$"), STR("web-11")));
	assert_true(is_found(STR("a*"), STR("b")));
	assert_true(is_found(STR("^a*b*c$"), STR("aaac")));
	assert_true(is_found(STR("10\\.0"), STR("10.0")));
	assert_false(is_found(STR("10\\.0"), STR("10x0")));
	assert_true(is_found(STR(""), STR("x")));
	assert_false(is_found(STR("x"), STR("")));
	assert_true(is_found(STR("^.*\\-instance\\-[0-9]+$"), STR("a-instance-17")));
	assert_false(is_found(STR("^.*\\-instance\\-[0-9]+$"), STR("a-instance-17x")));
	assert_true(is_found(STR("^(ab)+c?$"), STR("ababc")));
	assert_false(is_found(STR("^(ab)+c?$"), STR("abac")));
	assert_true(is_found(STR("^x{2,3}$"), STR("xxx")));
	assert_false(is_found(STR("^x{2,3}$"), STR("xxxx")));
	assert_true(is_found(STR("^x{2,}$"), STR("xxxx")));
	assert_true(is_found(STR("^[^0-9]*$"), STR("abc")));
	assert_false(is_found(STR("^[^0-9]*$"), STR("ab1c")));
	assert_true(is_found(STR("a|b"), STR("xa|by")));
	assert_false(is_found(STR("a|b"), STR("a")));
	assert_true(is_found(STR("^(a*)*$"), STR("aaa")));
}

/* Patterns that take exponential time elsewhere: they match nothing, or are refused at once. */
static void test_hostile_patterns(void **state)
{
	char many[255];
	(void) state;
	memset(many, 'a', sizeof many);
	struct str text = {many, sizeof many};
	assert_false(is_found(STR("^(a*)*b$"), text));
	assert_false(is_found(STR("(((a{9}){9}){9}){9}"), text));
	static const char *const none[] = {"(", ")", "[", "[a", "*", "a{3,2}", "\\", "+a"};
	for (size_t k = 0; k < sizeof none / sizeof none[0]; k++)
		assert_false(is_pattern(str_from(none[k])));
	assert_true(is_pattern(STR("[]a]")));
	assert_true(is_pattern(STR("a|b")));
}

static void test_paths(void **state)
{
	enum os_service service;
	struct str rest;
	(void) state;
	assert_true(os_service_of_path(STR("/compute/v2.1/servers"), &service, &rest));
	assert_int_equal(service, OS_COMPUTE);
	assert_text(rest, "/v2.1/servers");
	assert_true(os_service_of_path(STR("/v3/auth/tokens"), &service, &rest));
	assert_int_equal(service, OS_IDENTITY);
	assert_text(rest, "/v3/auth/tokens");
	assert_true(os_service_of_path(STR("/image"), &service, &rest));
	assert_false(openstack_has_path(STR("/")));
	assert_false(openstack_has_path(STR("/imagery")));
	assert_false(openstack_has_path(STR("/healthz")));
}

/* Every error kind has a row for every service, and every type of fault is in its place. */
static void test_errors(void **state)
{
	size_t count = os_errors.count;
	const struct api_error *errors = os_errors.at;
	(void) state;
	for (enum os_service s = 0; s < OS_SERVICE_COUNT; s++)
		for (enum err err = ERR_NONE + 1; err <= ERR_INTERNAL; err++)
			assert_int_equal(api_find_error(&os_errors, 1u << s, err, KIND_NONE, STR_NONE)->err,
					 err);
	for (size_t k = 0; k < count; k++) {
		assert_true(errors[k].status >= 400 && errors[k].status < 600);
		for (enum os_service s = 0; s < OS_SERVICE_COUNT; s++) {
			const struct api_error *found =
				api_find_error(&os_errors, 1u << s, errors[k].err, errors[k].kind,
					       str_from(errors[k].field));
			bool is_everyones = errors[k].parts == (1u << OS_SERVICE_COUNT) - 1;
			if (!is_everyones && errors[k].parts & 1u << s) /* none hides behind another */
				assert_ptr_equal(found, &errors[k]);
		}
	}
	assert_int_equal(
		api_find_error(&os_errors, 1u << OS_NETWORK, ERR_NOT_FOUND, KIND_PORT, STR_NONE)->status,
		404);
	assert_string_equal(
		api_find_error(&os_errors, 1u << OS_NETWORK, ERR_NOT_FOUND, KIND_PORT, STR_NONE)->code,
		"PortNotFound");
	assert_int_equal(
		api_find_error(&os_errors, 1u << OS_VOLUME, ERR_QUOTA, KIND_VOLUME, STR_NONE)->status, 413);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_every_type),   TEST(test_refusals),
		TEST(test_members_kept), TEST(test_path_id),
		TEST(test_query),        TEST(test_patterns),
		TEST(test_times),        TEST(test_hostile_patterns),
		TEST(test_paths),        TEST(test_errors),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
