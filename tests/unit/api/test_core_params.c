/* SPDX-License-Identifier: Apache-2.0
 * Reading parameters by table in CloudStack's form: names regardless of case, elements in brackets, maps,
 * lists with commas, empty values as absent ones, and unknown names ignored. Also the document model common
 * to all APIs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api/core/params.h"

static bool parse_bool(struct str text, bool *ret_value)
{
	return result_is_ok(str_parse_bool(text, ret_value));
}

static RESULT read_id(const struct params_reader *r, const struct params_value *v, struct ref *out)
{
	uuid id;
	if (!result_is_ok(uuid_parse(v->text, &id)))
		return params_fail(r, FAULT_ID, v);
	*out = (struct ref){
		.kind = v->p->kind, .prefix = id, .bits = 128, .text = v->text, .field = v->field};
	return OK;
}

#define INVALID "Invalid parameter {name} value={value}"
static const struct params_dialect dialect = {
	.words = {[FAULT_MISSING] = "Unable to execute API command due to missing parameter {name}",
		  [FAULT_UNBUILT] = "The parameter {name} is not supported",
		  [FAULT_UNKNOWN] = "Invalid parameter {field}",
		  [FAULT_INT] = INVALID,
		  [FAULT_BOOL] = INVALID,
		  [FAULT_ID] = INVALID " due to incorrect long value format, or entity does not exist",
		  [FAULT_INDEX] = "The index of {field} is not within {min} to {max}",
		  [FAULT_COUNT] = "{name} takes {max} elements at most",
		  [FAULT_MEMBERS] = "{name} takes {min} to {max} members"},
	.rules = ABSENT_IF_EMPTY | UNKNOWN_IS_IGNORED,
	.text_max = 255,
	.separator = ',',
	.parse_bool = parse_bool,
	.read_id = read_id,
};

enum { FORM = PAIRS_NEST | PAIRS_BRACKETS | PAIRS_IGNORE_CASE };
static const struct pairs_rules rules = {.noun = "request", .count_max = 20, .form = FORM};

struct network {
	struct str ip;
	struct ref network;
	struct tags options;
};
static const struct param network_rows[] = {
	PARAM(struct network, "ip", ip),
	PARAM(struct network, "networkid", network, .flags = REQUIRED, .kind = KIND_NETWORK),
	PARAM(struct network, "options", options),
};
static const struct params network_params = PARAMS(struct network, network_rows);

struct deploy {
	struct str name, field;
	int64_t page;
	bool is_started, has_page;
	struct ref zone;
	struct refs networks;
	struct strs keys;
	struct tags details;
	/* Pointers: NULL if the parameter is not given. */
	const struct str *text;
	const int64_t *quota;
	const struct strs *words;
	const struct ref *owner;
	bool is_down;
	enum choice is_open;
	struct {
		const struct network *at;
		size_t count;
	} nics;
};
#define P(wire, member, ...) PARAM(struct deploy, wire, member, __VA_ARGS__)
static const struct param rows[] = {
	P("zoneid", zone, .flags = REQUIRED, .kind = KIND_ZONE),
	P("name", name, .absent = "unnamed", .field = offsetof(struct deploy, field) + 1),
	P("page", page, .min = 1, .max = 9, .given = offsetof(struct deploy, has_page) + 1),
	P("startvm", is_started),
	P("networkids", networks, .kind = KIND_NETWORK, .max = 2),
	P("keypairs", keys),
	P("details", details, .max = 4),
	PARAM_LIST(struct deploy, "iptonetworklist", nics, network_params, .max = 2),
	P("text", text, .flags = NULLABLE),
	P("quota", quota, .min = 0, .max = 9),
	P("words", words),
	P("owner", owner, .flags = NULLABLE, .kind = KIND_ACCOUNT),
	P("up", is_down, .flags = OPPOSITE),
	P("filtered", is_open, .flags = OPPOSITE),
	NOT_BUILT("extraconfig"),
};
static const struct params table = PARAMS(struct deploy, rows);

struct fixture {
	struct arena *arena;
	struct ctx c;
	struct deploy out;
};

static int setup(void **state)
{
	static struct fixture f;
	f = (struct fixture){.arena = arena_new(ARENA_FIRST_SIZE, ARENA_REQUEST_CAP)};
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	arena_free(((struct fixture *) *state)->arena);
	return 0;
}

static enum err read_query(struct fixture *f, const char *query)
{
	struct pairs pairs;
	ctx_init(&f->c, f->arena);
	f->out = (struct deploy){0};
	struct result r = pairs_parse(&f->c, &rules, str_from(query), STR_NONE, &pairs);
	if (!result_is_ok(r))
		return r.code;
	const struct params_request request = {.dialect = &dialect, .body = document_of_pairs(&pairs, FORM)};
	return params_fill(&f->c, &table, &request, &f->out).code;
}

#define ZONE "zoneid=ec2aaaaa-0000-4000-8000-000000000001"
#define NET "ec2aaaaa-0000-4000-8000-00000000000"
#define assert_text(s, expected) assert_true(str_is((s), (expected)))

static void test_names_and_empties(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(
		read_query(f, "ZoneID=" NET "1&NAME=web&startVM=TRUE&page=&command=deploy&x%5B0%5D.y=1"),
		ERR_NONE);
	assert_int_equal(f->out.zone.bits, 128);
	assert_text(f->out.name, "web");
	assert_text(f->out.field, "NAME");
	assert_true(f->out.is_started);
	assert_false(f->out.has_page);
	assert_int_equal(read_query(f, ZONE "&name=&keypairs=&details="), ERR_NONE);
	assert_text(f->out.name, "unnamed");
	assert_int_equal(f->out.keys.count, 0);
	assert_int_equal(f->out.details.count, 0);
}

static void test_lists(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(read_query(f, ZONE "&networkids=" NET "2," NET "3&keypairs=a,,b,"), ERR_NONE);
	assert_int_equal(f->out.networks.count, 2);
	assert_text(f->out.networks.at[1].text, NET "3");
	assert_text(f->out.networks.at[1].field, "networkids");
	assert_int_equal(f->out.keys.count, 2);
	assert_text(f->out.keys.at[1], "b");
	assert_int_equal(read_query(f, ZONE "&keypairs%5B10%5D=c&KeyPairs[2]=b&keypairs[0]=a"), ERR_NONE);
	assert_int_equal(f->out.keys.count, 3);
	assert_text(f->out.keys.at[2], "c");
}

static void test_maps(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(read_query(f, ZONE "&details[0].memory=512&Details[0].cpuNumber=2&details[1].a.b=c"),
			 ERR_NONE);
	assert_int_equal(f->out.details.count, 3);
	assert_text(f->out.details.at[0].key, "a.b"); /* sorted; the case of keys stays */
	assert_text(f->out.details.at[1].key, "cpuNumber");
	assert_text(f->out.details.at[1].value, "2");
	assert_text(f->out.details.at[2].key, "memory");
	assert_int_equal(read_query(f, ZONE "&iptonetworklist[1].networkid=" NET
					    "4&IPToNetworkList[0].IP=10.0.0.9"
					    "&iptonetworklist[0].networkId=" NET "5&iptonetworklist[0].mac=x"
					    "&iptonetworklist[0].options[0].k=v"),
			 ERR_NONE);
	assert_int_equal(f->out.nics.count, 2);
	assert_text(f->out.nics.at[0].ip, "10.0.0.9");
	assert_text(f->out.nics.at[0].network.text, NET "5");
	assert_text(f->out.nics.at[0].options.at[0].key, "k");
	assert_text(f->out.nics.at[1].network.field, "iptonetworklist[1].networkid");
}

static void test_refusals(void **state)
{
	static const struct {
		const char *query;
		enum err err;
		const char *field, *message;
	} cases[] = {
		{"zoneid=", ERR_MISSING, "zoneid",
		 "Unable to execute API command due to missing parameter zoneid"},
		{"zoneID=7", ERR_INVALID, "zoneID",
		 "Invalid parameter zoneid value=7 due to incorrect long value format, or entity does not "
		 "exist"},
		{ZONE "&Page=x", ERR_INVALID, "Page", "Invalid parameter page value=x"},
		{ZONE "&startvm=2", ERR_INVALID, "startvm", "Invalid parameter startvm value=2"},
		{ZONE "&name=a&NAME=b", ERR_INVALID, NULL, NULL},
		{ZONE "&extraconfig=a", ERR_UNSUPPORTED, "extraconfig",
		 "The parameter extraconfig is not supported"},
		{ZONE "&keypairs[1001]=a", ERR_INVALID, "keypairs[1001]",
		 "The index of keypairs[1001] is not within 1 to 1000"},
		{ZONE "&keypairs[x]=a", ERR_UNKNOWN, "keypairs[x]", "Invalid parameter keypairs[x]"},
		{ZONE "&keypairs[1=a", ERR_UNKNOWN, "keypairs[1", NULL},
		{ZONE "&keypairs[1]x=a", ERR_UNKNOWN, "keypairs[1]x", NULL},
		{ZONE "&keypairs[0].a=b", ERR_UNKNOWN, "keypairs[0].a", NULL},
		{ZONE "&details=a", ERR_UNKNOWN, "details", NULL},
		{ZONE "&details[0]=a", ERR_UNKNOWN, "details[0]", NULL},
		{ZONE "&details.a=b", ERR_UNKNOWN, "details.a", NULL},
		{ZONE "&details[0].a=1&details[0].b=1&details[0].c=1&details[0].d=1&details[0].e=1",
		 ERR_INVALID, "details[0].a", "details takes 0 to 4 members"},
		{ZONE "&iptonetworklist[0].ip=a", ERR_MISSING, "iptonetworklist[0].networkid", NULL},
		{ZONE "&iptonetworklist=a", ERR_UNKNOWN, "iptonetworklist", NULL},
		{ZONE "&iptonetworklist[0].networkid=" NET "4&iptonetworklist[1].networkid=" NET
		      "4&iptonetworklist[2].networkid=" NET "4",
		 ERR_INVALID, "iptonetworklist[2].networkid", "iptonetworklist takes 2 elements at most"},
		{"a=%zz", ERR_INVALID, NULL, "The request has a broken %-escape: a"},
		{"1&2&3&4&5&6&7&8&9&10&11&12&13&14&15&16&17&18&19&20&21", ERR_TOO_LARGE, NULL,
		 "The request has more than 20 parameters"},
	};
	struct fixture *f = *state;
	for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
		enum err err = read_query(f, cases[k].query);
		struct str field = f->c.problem.field, message = f->c.problem.message;
		if (err != cases[k].err || (cases[k].field && !str_is(field, cases[k].field)) ||
		    (cases[k].message && !str_is(message, cases[k].message)))
			fail_msg("%s: %s at '%.*s': %.*s", cases[k].query, err_name(err), STR_ARG(field),
				 STR_ARG(message));
	}
}

/* The same table reads a JSON body. */
static enum err read_json_as(struct fixture *f, const struct params_dialect *of, const char *text)
{
	json_t *body = json_loads(text, 0, NULL);
	const struct params_request request = {.dialect = of, .body = document_of_json(body)};
	ctx_init(&f->c, f->arena);
	f->out = (struct deploy){0};
	enum err err = params_fill(&f->c, &table, &request, &f->out).code;
	json_decref(body);
	return err;
}

static enum err read_json(struct fixture *f, const char *text)
{
	return read_json_as(f, &dialect, text);
}

static void test_json(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(read_json(f,
				   "{\"zoneid\": \"" NET "1\", \"page\": 3, \"startvm\": true, \"keypairs\": "
				   "[\"a\", \"b\"], \"details\": {\"b\": \"2\", \"a\": \"1\"}, \"more\": 1.5,"
				   "\"iptonetworklist\": [{\"networkid\": \"" NET "2\"}]}"),
			 ERR_NONE);
	assert_int_equal(f->out.page, 3);
	assert_true(f->out.is_started && f->out.has_page);
	assert_text(f->out.keys.at[1], "b");
	assert_text(f->out.details.at[0].key, "a");
	assert_text(f->out.nics.at[0].network.field, "iptonetworklist.0.networkid");
}

/* Documents, read without a table of parameters. */
/* A pointer tells a value that is not given from an empty one, which an update sets. */
static void test_pointers(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(read_query(f, ZONE), ERR_NONE);
	assert_null(f->out.text);
	assert_null(f->out.quota);
	assert_null(f->out.words);
	assert_null(f->out.owner);
	assert_int_equal(read_query(f, ZONE "&text=t&quota=0&words=a,b&owner=" NET "1"), ERR_NONE);
	assert_text(*f->out.text, "t");
	assert_int_equal(*f->out.quota, 0);
	assert_int_equal(f->out.words->count, 2);
	assert_int_equal(f->out.owner->bits, 128);
	assert_int_equal(read_query(f, ZONE "&quota=10"), ERR_INVALID);
	assert_int_equal(
		read_json(f, "{\"zoneid\": \"" NET "1\", \"text\": null, \"words\": [], \"owner\": null}"),
		ERR_NONE);
	assert_text(*f->out.text, "");
	assert_int_equal(f->out.words->count, 0);
	assert_int_equal(f->out.owner->bits, 0);
}

/* In faces that take null for an absent value, null lacks a required parameter, and leaves a default in force. */
static void test_nulls(void **state)
{
	struct fixture *f = *state;
	struct params_dialect nulls = dialect;
	nulls.rules |= NULLS_ARE_ABSENT;
	assert_int_equal(read_json_as(f, &nulls, "{\"zoneid\": null}"), ERR_MISSING);
	assert_int_equal(
		read_json_as(f, &nulls, "{\"zoneid\": \"" NET "1\", \"name\": null, \"page\": null}"),
		ERR_NONE);
	assert_text(f->out.name, "unnamed");
	assert_false(f->out.has_page);
	assert_int_equal(read_json_as(f, &nulls,
				      "{\"zoneid\": \"" NET
				      "1\", \"iptonetworklist\": [{\"networkid\": null}]}"),
			 ERR_MISSING);
}

static void test_opposites(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(read_query(f, ZONE), ERR_NONE);
	assert_false(f->out.is_down);
	assert_int_equal(f->out.is_open, CHOICE_DEFAULT);
	assert_int_equal(read_query(f, ZONE "&up=false&filtered=false"), ERR_NONE);
	assert_true(f->out.is_down);
	assert_int_equal(f->out.is_open, CHOICE_YES);
	assert_int_equal(read_query(f, ZONE "&up=true&filtered=true"), ERR_NONE);
	assert_false(f->out.is_down);
	assert_int_equal(f->out.is_open, CHOICE_NO);
	assert_int_equal(read_query(f, ZONE "&up=maybe"), ERR_INVALID);
}

static void test_documents(void **state)
{
	static const struct pair pairs[] = {
		{{"A.1.B", 5}, {"x", 1}}, {{"A.2", 3}, {"y", 1}}, {{"C", 1}, {"z", 1}}};
	const struct pairs all = {pairs, 3};
	const struct document d = document_of_pairs(&all, PAIRS_NEST);
	struct document_walk walk = document_begin(&d), elements;
	struct document_member m, e;
	(void) state;
	assert_true(document_next_member(&walk, &m));
	assert_text(m.name, "A.1.B");
	assert_int_equal(document_fit_name(PAIRS_NEST, m.name, "A"), NAME_BEGINS);
	assert_int_equal(document_fit_name(PAIRS_FLAT, m.name, "A"), NAME_DIFFERS);
	document_take_branch(&walk, 1, &m);
	assert_int_equal(m.value.type, DOCUMENT_BRANCH);
	assert_int_equal(m.value.count, 2);
	assert_true(document_is_list(&m.value) && document_is_object(&m.value));
	elements = document_begin(&m.value);
	assert_int_equal(document_next_element(&elements, 0, &e), DOCUMENT_ELEMENT);
	assert_true(document_is_object(&e.value));
	assert_text(document_name(&e.value), "A.1");
	assert_int_equal(document_next_element(&elements, 0, &e), DOCUMENT_ELEMENT);
	assert_text(e.value.text, "y");
	assert_int_equal(document_next_element(&elements, 0, &e), DOCUMENT_END);
	assert_true(document_next_member(&walk, &m));
	assert_int_equal(m.value.type, DOCUMENT_TEXT);
	assert_text(m.value.text, "z");
	assert_false(document_next_member(&walk, &m));
	assert_int_equal(document_of_json(NULL).type, DOCUMENT_ABSENT);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_names_and_empties), TEST(test_lists),     TEST(test_maps),
		TEST(test_refusals),          TEST(test_json),      TEST(test_pointers),
		TEST(test_opposites),         TEST(test_documents), TEST(test_nulls)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
