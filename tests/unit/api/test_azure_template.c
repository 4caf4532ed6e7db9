/* SPDX-License-Identifier: Apache-2.0
 * Templates of Azure's deployments: the lenient JSON reader, expressions, parameters, resources and
 * dependencies. The templates here have ' in place of ". */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "api/azure/template/template.h"
#include "base/buf.h"
#include "base/heap_budget.h"

/* ---- fixtures: a template and its inputs ---- */

struct fixture {
	struct arena *arena;
	struct ctx c;
	json_t *document, *parameters, *body;
	struct template *t;
};

static void begin(struct fixture *f)
{
	*f = (struct fixture){.arena = arena_new(ARENA_FIRST_SIZE, ARENA_REQUEST_CAP)};
	ctx_init(&f->c, f->arena);
}

static void end(struct fixture *f)
{
	template_free(f->t);
	json_decref(f->document);
	json_decref(f->parameters);
	json_decref(f->body);
	arena_free(f->arena);
}

/* Current state of resources: the fixture has one at most. */
static struct result read_state(void *arg, const struct template_reference *what, json_t **ret_body)
{
	struct fixture *f = arg;
	if (!f->body ||
	    !str_equal_nocase(what->id, str_from(json_string_value(json_object_get(f->body, "id")))))
		return FAIL(AGAIN);
	*ret_body = f->body;
	return OK;
}

static json_t *read(struct fixture *f, const char *text)
{
	json_t *value = NULL;
	struct result result = template_read_json(&f->c, str_from(text), &value);
	if (!result_is_ok(result))
		print_error("%.*s\n", STR_ARG(f->c.problem.message));
	assert_true(result_is_ok(result));
	return value;
}

static struct result open(struct fixture *f, const char *document, const char *parameters)
{
	f->document = read(f, document);
	f->parameters = parameters ? read(f, parameters) : NULL;
	const struct template_wish wish = {
		.place = {.deployer_id = STR("0b1e"),
			  .deployer_name = STR("ann@Default"),
			  .subscription = STR("5ab0"),
			  .tenant = STR("7e4a"),
			  .subscription_name = STR("demo"),
			  .group = STR("rg"),
			  .group_location = STR("test1"),
			  .deployment = STR("d"),
			  .endpoint = STR("https://cloud.example.com"),
			  .now_us = 1704164645000000},
		.document = f->document,
		.parameters = f->parameters,
		.read = read_state,
		.arg = f,
	};
	return template_open(&f->c, &wish, &f->t);
}

static void open_well(struct fixture *f, const char *document, const char *parameters)
{
	struct result result = open(f, document, parameters);
	if (!result_is_ok(result))
		print_error("%.*s\n", STR_ARG(f->c.problem.message));
	assert_true(result_is_ok(result));
}

static void assert_json(const json_t *value, const char *wanted)
{
	char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_SORT_KEYS);
	char *quotes = text;
	for (; quotes && *quotes; quotes++) /* as this file writes it */
		*quotes = *quotes == '"' ? '\'' : *quotes;
	assert_string_equal(text, wanted);
	free(text);
}

static void assert_says(struct fixture *f, struct result result, const char *part)
{
	assert_int_equal(result.code, ERR_INVALID);
	if (!str_contains(f->c.problem.message, str_from(part)))
		print_error("%.*s\n", STR_ARG(f->c.problem.message));
	assert_true(str_contains(f->c.problem.message, str_from(part)));
}

/* ---- the reader ---- */

static void test_reader(void **state)
{
	static const struct {
		const char *text, *value; /* NULL: refused */
	} cases[] = {
		{"{\"a\": 1, b: [true, null, -3, 1.5]}", "{'a':1,'b':[true,null,-3,1.5]}"},
		{"// one\n{ /* two */ template: /* three */ {$schema: 'x'} } // four",
		 "{'template':{'$schema':'x'}}"},
		{"{\"a\": \"two\nlines\"}", "{'a':'two\\nlines'}"},
		{"'it \\u00e9\\ud83d\\ude00 \\n'", "'it \303\251\360\237\230\200 \\n'"},
		{"{}", "{}"},
		{"", NULL},
		{"{", NULL},
		{"{\"a\" 1}", NULL},
		{"{\"a\": 1,}", NULL},
		{"[1,]", NULL},
		{"[1 2]", NULL},
		{"{a: 1, a: 2}", NULL},
		{"{} {}", NULL},
		{"/* no end", NULL},
		{"'no end", NULL},
		{"'\\ud800'", NULL},
		{"'\\u0000'", NULL},
		{"'\\x'", NULL},
		{"99999999999999999999", NULL},
		{"1e999", NULL},
		{"--1", NULL},
		{"'\377'", NULL},
	};
	(void) state;
	for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
		struct fixture f;
		json_t *value = NULL;
		begin(&f);
		struct result result = template_read_json(&f.c, str_from(cases[k].text), &value);
		if (result_is_ok(result) != (cases[k].value != NULL))
			print_error("%s\n", cases[k].text);
		assert_int_equal(result.code, cases[k].value ? ERR_NONE : ERR_MALFORMED);
		if (cases[k].value)
			assert_json(value, cases[k].value);
		json_decref(value);
		end(&f);
	}
}

static void test_depth(void **state)
{
	struct fixture f;
	char text[2 * TEMPLATE_DEPTH_MAX + 4] = {0};
	json_t *value = NULL;
	(void) state;
	begin(&f);
	memset(text, '[', TEMPLATE_DEPTH_MAX);
	memset(text + TEMPLATE_DEPTH_MAX, ']', TEMPLATE_DEPTH_MAX);
	assert_true(result_is_ok(template_read_json(&f.c, str_from(text), &value)));
	json_decref(value);
	memset(text, '[', TEMPLATE_DEPTH_MAX + 1);
	memset(text + TEMPLATE_DEPTH_MAX + 1, ']', TEMPLATE_DEPTH_MAX + 1);
	assert_int_equal(template_read_json(&f.c, str_from(text), &value).code, ERR_MALFORMED);
	end(&f);
}

/* ---- expressions ---- */

/* An output of the template whose value is the expression. */
static struct result evaluate(struct fixture *f, const char *expression, const char *type, json_t **ret_value)
{
	static const char form[] =
		"{'$schema': 's', contentVersion: '1.0.0.0', parameters: {p: {type: 'object', defaultValue: "
		"{a: [1, {b: 'deep'}]}},"
		" s: {type: 'string', defaultValue: 'Text'}, e: {type: 'array', defaultValue: []}},"
		" variables: {v: \"[concat(parameters('s'), '!')]\", n: 3, copy: [{name: 'list', count: 3, "
		"input: "
		"\"[copyIndex('list', 1)]\"}]},"
		" resources: [], outputs: {o: {type: '%s', value: \"[%s]\"}}}";
	json_t *outputs = NULL;
	TRY(open(f, str_print(f->arena, form, type, expression).p, NULL));
	TRY(template_make_outputs(f->t, &outputs));
	*ret_value = json_object_get(json_object_get(outputs, "o"), "value");
	return OK;
}

static const struct {
	const char *type, *expression, *value;
} expressions[] = {
	{"string", "concat('a', 1, true(), parameters('S'), variables('v'))", "'a1TrueTextText!'"},
	{"array", "concat(createArray(1), createArray('x'))", "[1,'x']"},
	{"string", "'it''s'", "'it's'"},
	{"int", "-7", "-7"},
	{"string", "parameters('p').a[1].B", "'deep'"},
	{"string", "parameters('p')['A'][1]['b']", "'deep'"},
	{"string", "string(parameters('p').?none)", "''"},
	{"array", "variables('list')", "[1,2,3]"},
	{"string", "format('{0}-{1,4}-{2,-3}|{3:D3}{{}}', 'a', 'b', 'c', 7)", "'a-   b-c  |007{}'"},
	{"string", "resourceId('Microsoft.Network/virtualNetworks/subnets', 'v', 's')",
	 "'/subscriptions/5ab0/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/v/"
	 "subnets/s'"},
	{"string", "resourceId('other', 'Microsoft.Compute/disks', 'd')",
	 "'/subscriptions/5ab0/resourceGroups/other/providers/Microsoft.Compute/disks/d'"},
	{"string", "resourceId('11fb06fb-712d-4ddd-98c7-e71bbd588830', 'o', 'Microsoft.Compute/disks', 'd')",
	 "'/subscriptions/11fb06fb-712d-4ddd-98c7-e71bbd588830/resourceGroups/o/providers/"
	 "Microsoft.Compute/disks/d'"},
	{"string", "subscriptionResourceId('Microsoft.Authorization/roleDefinitions', 'x')",
	 "'/subscriptions/5ab0/providers/Microsoft.Authorization/roleDefinitions/x'"},
	{"string", "extensionResourceId(resourceGroup().id, 'Microsoft.Authorization/locks', 'l')",
	 "'/subscriptions/5ab0/resourceGroups/rg/providers/Microsoft.Authorization/locks/l'"},
	{"string", "tenantResourceId('Microsoft.Authorization/roleDefinitions', 'x')",
	 "'/providers/Microsoft.Authorization/roleDefinitions/x'"},
	{"string", "resourceGroup().location", "'test1'"},
	{"string", "subscription().subscriptionId", "'5ab0'"},
	{"string", "tenant().tenantId", "'7e4a'"},
	{"string", "deployment().name", "'d'"},
	{"string", "uniqueString('test')", "'rbgf3xv4ufgzg'"},
	{"string", "uniqueString('hello', 'world')", "'a7wkljktk6wne'"},
	{"string", "uniqueString('abc')", "'cgtzqvhu4i23s'"},
	{"string", "uniqueString('foo', 'bar', 'baz')", "'xzi4ioaxtmth4'"},
	{"string", "uniqueString('/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/my-rg')",
	 "'bmg7c6xu4tw46'"},
	{"string", "deployer().objectId", "'0b1e'"},
	{"string", "deployer().userPrincipalName", "'ann@Default'"},
	{"string", "parseUri('https://a.org:81/x/y?q=1#z').host", "'a.org'"},
	{"int", "parseUri('https://a.org:81/x/y?q=1#z').port", "81"},
	{"string", "parseUri('https://a.org:81/x/y?q=1#z').path", "'/x/y'"},
	{"string", "parseUri('https://a.org:81/x/y?q=1#z').query", "'q=1'"},
	{"bool", "contains(parseUri('http://[::1]/'), 'port')", "false"},
	{"string", "parseUri('http://[::1]:8/').host", "'[::1]'"},
	{"string", "buildUri(parseUri('https://a.org:81/x/y?q=1'))", "'https://a.org:81/x/y?q=1'"},
	{"string", "string(float('1.5'))", "'1.5'"},
	{"string", "guid('a')", "'3703365d-5a9f-59b4-bca7-b9681389e4c1'"},
	{"int", "if(true(), 1, div(1, 0))", "1"},
	{"bool", "and(true(), false())", "false"},
	{"bool", "or(true(), equals(1, div(1, 0)))", "true"},
	{"bool", "not(equals('a', 'A'))", "true"},
	{"bool", "equals(createObject('a', createArray(1)), createObject('a', createArray(1)))", "true"},
	{"bool", "empty('')", "true"},
	{"bool", "empty(parameters('e'))", "true"},
	{"bool", "contains('abc', 'bc')", "true"},
	{"bool", "contains(createArray(1, 2), 3)", "false"},
	{"bool", "contains(parameters('p'), 'A')", "true"},
	{"int", "length('\303\251a')", "2"},
	{"object", "createObject('a', 1, 'b', createArray())", "{'a':1,'b':[]}"},
	{"array", "array('x')", "['x']"},
	{"array", "union(createArray(1, 2), createArray(2, 3))", "[1,2,3]"},
	{"object", "union(createObject('a', createObject('x', 1)), createObject('a', createObject('y', 2)))",
	 "{'a':{'x':1,'y':2}}"},
	{"array", "intersection(createArray(1, 2, 3), createArray(3, 2))", "[2,3]"},
	{"string", "concat(first('abc'), last('ab\303\251'))", "'a\303\251'"},
	{"string", "toUpper(toLower('aBc'))", "'ABC'"},
	{"string", "string(createObject('a', 1))", "'{\\'a\\':1}'"},
	{"int", "int('42')", "42"},
	{"bool", "bool('TRUE')", "true"},
	{"string", "base64('one')", "'b25l'"},
	{"string", "base64ToString('b25l')", "'one'"},
	{"array", "split('a,b,,c', ',')", "['a','b','','c']"},
	{"array", "split('a;b,c', createArray(',', ';'))", "['a','b','c']"},
	{"string", "join(createArray('a', 'b'), ', ')", "'a, b'"},
	{"string", "replace('a.b.c', '.', '--')", "'a--b--c'"},
	{"string", "substring('abcdef', 2, 3)", "'cde'"},
	{"string", "substring('abc', 1)", "'bc'"},
	{"array", "take(createArray(1, 2, 3), 2)", "[1,2]"},
	{"string", "skip('abc', 1)", "'bc'"},
	{"array", "range(5, 3)", "[5,6,7]"},
	{"int", "add(sub(10, 4), mul(2, div(9, 2)))", "14"},
	{"object", "parseCidr('10.9.16.3/20')",
	 "{'broadcast':'10.9.31.255','cidr':20,'firstUsable':'10.9.16.1','lastUsable':'10.9.31.254',"
	 "'netmask':'255.255.240.0','network':'10.9.16.0'}"},
	{"object", "parseCidr('fd00:1::/48')",
	 "{'cidr':48,'firstUsable':'fd00:1::','lastUsable':'fd00:1:0:ffff:ffff:ffff:ffff:ffff',"
	 "'netmask':'ffff:ffff:ffff::','network':'fd00:1::'}"},
	{"string", "cidrSubnet('10.9.16.0/20', 24, 15)", "'10.9.31.0/24'"},
	{"string", "cidrSubnet('fd00:1::/48', 64, 258)", "'fd00:1:0:102::/64'"},
	{"string", "cidrSubnet('10.9.16.0/20', 20, 0)", "'10.9.16.0/20'"},
	{"string", "cidrHost('10.9.3.0/24', 0)", "'10.9.3.1'"},
	{"string", "cidrHost('10.9.3.0/24', 253)", "'10.9.3.254'"},
	{"string", "cidrHost('fdad:3236:5555:3000::/52', 0)", "'fdad:3236:5555:3000::1'"},
	{"string", "toUpper(toLower('\303\211t\303\251'))", "'\303\211T\303\211'"},
	{"string", "dateTimeAdd('2020-04-07 14:53:14Z', 'P3Y')", "'4/7/2023 2:53:14 PM'"},
	{"string", "dateTimeAdd('2020-04-07 14:53:14Z', '-P9D')", "'3/29/2020 2:53:14 PM'"},
	{"string", "dateTimeAdd('20200407T145314Z', 'PT1H30M')", "'20200407T162314Z'"},
	{"string", "dateTimeAdd('4/7/2020 2:53:14 PM', 'P1D', 'yyyy-MM-dd')", "'2020-04-08'"},
	{"string", "dateTimeFromEpoch(1683040573)", "'2023-05-02T15:16:13Z'"},
	{"int", "dateTimeToEpoch('2023-05-02T17:16:13+02:00')", "1683040573"},
	{"string", "uri('http://contoso.org/firstpath', 'myscript.sh')", "'http://contoso.org/myscript.sh'"},
	{"string", "uri('http://contoso.org/firstpath/', '/myscript.sh')",
	 "'http://contoso.org/firstpath/myscript.sh'"},
	{"string", "uri('http://contoso.org', 'a')", "'http://contoso.org/a'"},
	{"string", "dataUri('Hello')", "'data:text/plain;charset=utf8;base64,SGVsbG8='"},
	{"string", "dataUriToString('data:;base64,SGVsbG8sIFdvcmxkIQ==')", "'Hello, World!'"},
	{"int", "indexOf(createArray('a', 'b', 'b'), 'b')", "1"},
	{"int", "lastIndexOf(createArray('a', 'b', 'b'), 'b')", "2"},
	{"int", "indexOf(createArray('a'), 'A')", "-1"},
	{"string", "format('{0:N0} {1:F2} {2:N}', 8175133, 7, -1234)", "'8,175,133 7.00 -1,234.00'"},
	{"object",
	 "groupBy(createArray('foo', 'bar', 'baz'), lambda('x', substring(lambdaVariables('x'), 0, 1)))",
	 "{'b':['bar','baz'],'f':['foo']}"},
	{"object", "mapValues(createObject('a', 1, 'b', 2), lambda('x', add(lambdaVariables('x'), 1)))",
	 "{'a':2,'b':3}"},
	{"object", "shallowMerge(createArray(createObject('a', 1), createObject('a', 2, 'b', 3)))",
	 "{'a':2,'b':3}"},
	{"int", "indexFromEnd(createArray(1, 2, 3), 1)", "3"},
	{"string", "coalesce(tryIndexFromEnd(createArray(1), 2), 'none')", "'none'"},
	{"int", "mod(9, 4)", "1"},
	{"int", "min(createArray(3, 1, 2))", "1"},
	{"int", "max(3, 9, 2)", "9"},
	{"object", "json('{\\\"a\\\": [1, null]}')", "{'a':[1,null]}"},
	{"string", "coalesce(null(), parameters('p').?x, 'there')", "'there'"},
	{"string", "trim('  a b ')", "'a b'"},
	{"string", "padLeft(7, 3, '0')", "'007'"},
	{"bool", "startsWith('abc', 'AB')", "true"},
	{"bool", "startsWith('\xc3\x84rger', '\xc3\xa4')", "true"},
	{"bool", "endsWith('caf\xc3\xa9', '\xc3\x89')", "true"},
	{"int", "indexOf('caf\xc3\xa9', '\xc3\x89')", "3"},
	{"int", "lastIndexOf('\xc3\xa9t\xc3\xa9', '\xc3\x89')", "2"},
	{"bool", "endsWith('abc', 'BC')", "true"},
	{"int", "indexOf('abcabc', 'CA')", "2"},
	{"int", "lastIndexOf('abcabc', 'c')", "5"},
	{"string", "uriComponentToString(uriComponent('a b+c/%'))", "'a b+c/%'"},
	{"array", "pickZones('Microsoft.Compute', 'virtualMachines', 'test1', 2, 1)", "['2','3']"},
	{"array", "providers('microsoft.network', 'VirtualNetworks').locations", "['test1']"},
	{"string", "providers('Microsoft.Network', 'virtualNetworks').resourceType", "'virtualNetworks'"},
	{"bool", "greater(providers('Microsoft.Compute', 'virtualMachines').apiVersions[0], '2021-01-01')",
	 "true"},
	{"bool", "greater(length(providers('Microsoft.Compute').resourceTypes), 5)", "true"},
	{"array", "map(range(1, 3), lambda('x', mul(lambdaVariables('x'), 2)))", "[2,4,6]"},
	{"array", "filter(range(1, 5), lambda('x', equals(mod(lambdaVariables('X'), 2), 1)))", "[1,3,5]"},
	{"int", "reduce(range(1, 4), 0, lambda('a', 'b', add(lambdaVariables('a'), lambdaVariables('b'))))",
	 "10"},
	{"array",
	 "sort(createArray(3, 1, 2), lambda('a', 'b', less(lambdaVariables('a'), "
	 "lambdaVariables('b'))))",
	 "[1,2,3]"},
	{"object",
	 "toObject(createArray('a', 'b'), lambda('x', lambdaVariables('x')), lambda('x', "
	 "toUpper(lambdaVariables('x'))))",
	 "{'a':'A','b':'B'}"},
	{"array", "items(createObject('b', 2, 'a', 1))", "[{'key':'a','value':1},{'key':'b','value':2}]"},
	{"array", "flatten(createArray(createArray(1), createArray(2, 3)))", "[1,2,3]"},
	{"bool", "and(less(1, 2), greaterOrEquals('b', 'a'), lessOrEquals(1, 1), greater(2, 1))", "true"},
};

static void test_expressions(void **state)
{
	(void) state;
	for (size_t k = 0; k < sizeof expressions / sizeof expressions[0]; k++) {
		struct fixture f;
		json_t *value = NULL;
		begin(&f);
		struct result result = evaluate(&f, expressions[k].expression, expressions[k].type, &value);
		if (!result_is_ok(result))
			print_error("%s: %.*s\n", expressions[k].expression, STR_ARG(f.c.problem.message));
		assert_true(result_is_ok(result));
		assert_json(value, expressions[k].value);
		end(&f);
	}
}

static void test_bad_expressions(void **state)
{
	static const struct {
		const char *expression, *says;
	} cases[] = {
		{"concat('a'", "Unable to parse language expression 'concat('a'': expected token "
			       "'RightParenthesis' and actual "
			       "'EndOfData'."},
		{"concat('a'))", "expected token 'EndOfData' and actual 'RightParenthesis'"},
		{"concat('a", "actual 'Unknown'"},
		{"", "expected token 'Identifier' and actual 'EndOfData'"},
		{"nothing()", "The template function 'nothing' is not valid."},
		{"parameters('none')", "The template parameter 'none' is not found."},
		{"variables('none')", "The template variable 'none' is not found."},
		{"parameters('p').none",
		 "The language expression property 'none' doesn't exist, available properties are 'a'."},
		{"parameters('p').a[9]",
		 "The language expression property array index '9' is out of bounds."},
		{"empty()", "Unable to evaluate template language function 'empty': function requires 1 "
			    "argument(s) while 0 were "
			    "provided."},
		{"substring('abc', 0, 24)",
		 "The index parameter: '0', the length parameter: '24', the length of the string "
		 "parameter: '3'."},
		{"resourceId('Microsoft.Storage/storageAccounts')",
		 "'resourceId': function requires at least 2"},
		{"resourceId('Microsoft.Storage/storageAccounts', 'a', 'b')",
		 "the type 'Microsoft.Storage/storageAccounts' requires '1' resource name argument(s)"},
		{"reference('none')", "The template reference 'none' is not valid: could not find template "
				      "resource or resource copy "
				      "with this name."},
		{"newGuid()", "The template function 'newGuid' is not expected at this location."},
		{"copyIndex()", "The function can only be used in a resource with copy specified."},
		{"format('{1}', 'a')", "index (zero based) must be greater than or equal to zero"},
		{"format('{0', 'a')", "input string was not in a correct format"},
		{"div(1, 0)", "division by zero"},
		{"mul(9223372036854775807, 2)", "out of range"},
		{"cidrSubnet('10.9.16.0/20', 24, 16)", "no subnet of that index"},
		{"cidrSubnet('10.9.16.0/20', 19, 0)", "must be 20 to 32"},
		{"cidrSubnet('10.9.16.0/20', 24, -1)", "no subnet of that index"},
		{"cidrHost('10.9.3.0/24', 254)", "no host of that index"},
		{"cidrHost('fd00::/64', -1)", "no host of that index"},
		{"parseCidr('10.9.3.0')", "not a valid IP address range"},
		{"dateTimeAdd('2020-02-30', 'P1D')", "not a valid date"},
		{"dateTimeAdd('2020-02-03', '1 day')", "not a duration"},
		{"dateTimeAdd('9999-12-31', 'P1D')", "years 1 to 9999"},
		{"uri('contoso', 'a')", "not a valid absolute URI"},
		{"contoso.none('a')", "The template function 'contoso.none' is not valid."},
		{"references('none')", "no resource collection"},
		{"listKeys('x', 'y')", "not supported"},
		{"range(0, 10001)", "Unable to evaluate template language function 'range'"},
		{"length(map(range(0, 10000), lambda('x', range(0, 10000))))", "more memory"},
		{"reduce(range(0, 200), 'x', lambda('a', 'b', concat(lambdaVariables('a'), "
		 "lambdaVariables('a'))))",
		 "bytes"},
		{"string(reduce(range(0, 500), createArray(), lambda('a', 'b', "
		 "createArray(lambdaVariables('a')))))",
		 "too deep"},
		{"string(reduce(range(0, 90), createArray(), lambda('a', 'b', "
		 "createArray(lambdaVariables('a'), "
		 "lambdaVariables('a')))))",
		 "expanded size exceeds"},
	};
	(void) state;
	for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
		struct fixture f;
		json_t *value = NULL;
		begin(&f);
		struct result result = evaluate(&f, cases[k].expression, "string", &value);
		if (result_is_ok(result))
			print_error("%s\n", cases[k].expression);
		assert_says(&f, result, cases[k].says);
		end(&f);
	}
}

/* Looking at values is counted as making them is: otherwise an expression of a few bytes takes hours. */
static void test_reading_is_work(void **state)
{
#define TEXT(times)                                                                                          \
	"reduce(range(0, " times "), padLeft('', 1000, 'a'), lambda('a', 'b', concat(lambdaVariables('a'), " \
	"lambdaVariables('a'))))"
#define AGAIN(value, what)                                                                                   \
	"length(map(createArray(" value "), lambda('v', map(range(0, 10000), lambda('x', " what ")))))"
#define VALUE "lambdaVariables('v')"
	static const char *const cases[] = {
		"indexOf(" TEXT("10") ", concat(" TEXT("9") ", 'b'))",
		"lastIndexOf(" TEXT("10") ", concat(" TEXT("9") ", 'b'))",
		AGAIN(TEXT("10"), "length(" VALUE ")"),
		AGAIN(TEXT("10"), "substring(" VALUE ", 1000000, 1)"),
		AGAIN(TEXT("10"), "contains(" VALUE ", 'b')"),
		AGAIN("createArray(range(0, 10000), concat(range(0, 9999), createArray(0)))",
		      "equals(" VALUE "[0], " VALUE "[1])"),
		AGAIN("createArray(createArray(range(0, 10000)), concat(range(0, 9999), createArray(0)))",
		      "contains(" VALUE "[0], " VALUE "[1])"),
		AGAIN("createArray(createArray(range(0, 10000)), concat(range(0, 9999), createArray(0)))",
		      "indexOf(" VALUE "[0], " VALUE "[1])"),
		AGAIN("createArray(createArray(range(0, 10000)), createArray(concat(range(0, 9999), "
		      "createArray(0))))",
		      "length(intersection(" VALUE "[0], " VALUE "[1]))"),
		AGAIN("toObject(range(0, 10000), lambda('k', string(lambdaVariables('k'))))",
		      "contains(" VALUE ", 'none')"),
		AGAIN("toObject(range(0, 10000), lambda('k', string(lambdaVariables('k'))))",
		      "empty(" VALUE ".?none)"),
	};
	(void) state;
	for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
		struct fixture f;
		json_t *value = NULL;
		begin(&f);
		struct result result = evaluate(&f, cases[k], "int", &value);
		if (result_is_ok(result))
			print_error("%s\n", cases[k]);
		assert_says(&f, result, "more work");
		end(&f);
	}
}

/* Each parameter's elements are compared with all that are allowed. */
static void test_many_allowed_values(void **state)
{
	struct fixture f;
	struct buf text;
	(void) state;
	begin(&f);
	buf_init(&text, 1 << 20);
	buf_add_str(&text,
		    STR("{parameters: {a: {type: 'array', defaultValue: \"[map(range(0, 10000), lambda('x', "
			"9))]\", allowedValues: ["));
	for (int k = 0; k < 5000; k++)
		buf_add_str(&text, STR("1, "));
	buf_add_str(&text, STR("9]}}, resources: []}"));
	assert_says(&f, open(&f, str_to_z(f.arena, buf_str(&text)), NULL), "more work");
	buf_done(&text);
	end(&f);
}

/* Brackets within each other, to any depth. */
static void test_deep_expression(void **state)
{
	struct fixture f;
	json_t *value = NULL;
	struct str text = STR("1");
	(void) state;
	begin(&f);
	for (size_t k = 0; k < 200; k++)
		text = str_print(f.arena, "add(1, %" STR_FMT ")", STR_ARG(text));
	assert_says(&f, evaluate(&f, text.p, "int", &value), "is too deep");
	end(&f);
}

/* ---- functions of the template's own ---- */

#define WITH_FUNCTIONS(output)                                                                               \
	"{contentVersion: '1.0.0.0', functions: [{namespace: '__bicep', members: {"                          \
	"greet: {parameters: [{name: 'who', type: 'string'}], output: {type: 'string', value: "              \
	"\"[format('Hello {0}{1}', parameters('WHO'), __bicep.mark(1))]\"}}, "                               \
	"mark: {parameters: [{name: 'n', type: 'int'}], output: {type: 'string', value: "                    \
	"\"[substring('!!!', 0, parameters('n'))]\"}}, "                                                     \
	"sees: {parameters: [], output: {type: 'string', value: \"[parameters('p')]\"}}, "                   \
	"looks: {parameters: [], output: {type: 'string', value: \"[variables('v')]\"}}, "                   \
	"runs: {parameters: [], output: {type: 'string', value: \"[__bicep.runs()]\"}}}}], "                 \
	"parameters: {p: {type: 'string', defaultValue: 'x'}}, variables: {v: 1}, resources: [], "           \
	"outputs: {o: {type: 'string', value: \"[" output "]\"}}}"

static void test_user_functions(void **state)
{
	static const struct {
		const char *document, *value, *says;
	} cases[] = {
		{WITH_FUNCTIONS("__bicep.greet('you')"), "{'o':{'type':'String','value':'Hello you!'}}",
		 NULL},
		{WITH_FUNCTIONS("__bicep.greet(1)"), NULL,
		 "must be of type 'string', and is of type 'Integer'"},
		{WITH_FUNCTIONS("__bicep.greet()"), NULL, "requires 1 argument(s) while 0 were provided"},
		{WITH_FUNCTIONS("__bicep.sees()"), NULL, "The template parameter 'p' is not found."},
		{WITH_FUNCTIONS("__bicep.looks()"), NULL, "'variables' is not expected at this location."},
		{WITH_FUNCTIONS("__bicep.runs()"), NULL, "too deep"},
	};
	(void) state;
	for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
		struct fixture f;
		json_t *outputs = NULL;
		begin(&f);
		assert_true(result_is_ok(open(&f, cases[k].document, NULL)));
		struct result result = template_make_outputs(f.t, &outputs);
		if (cases[k].says)
			assert_says(&f, result, cases[k].says);
		else
			assert_json(outputs, cases[k].value);
		end(&f);
	}
}

/* ---- parameters ---- */

#define WITH_PARAMETER(definition)                                                                           \
	"{contentVersion: '1.0.0.0', parameters: {p: " definition "}, resources: []}"

static void test_bad_parameters(void **state)
{
	static const struct {
		const char *document, *given, *says;
	} cases[] = {
		{WITH_PARAMETER("{type: 'string'}"), NULL,
		 "Deployment template validation failed: 'The value for the template parameter 'p' at line "
		 "'' and column '' is not "
		 "provided."},
		{WITH_PARAMETER("{type: 'string'}"), "{p: {value: 'a'}, q: {value: 1}}",
		 "The template parameters 'q' in the parameters file are not valid; they are not present in "
		 "the original template"},
		{WITH_PARAMETER("{type: 'string', allowedValues: ['a', 'b']}"), "{p: {value: 'c'}}",
		 "The provided value 'c' for the template parameter 'p' at line '' and column '' is not "
		 "valid. The parameter value "
		 "is not part of the allowed value(s): 'a,b'."},
		{WITH_PARAMETER("{type: 'secureString', allowedValues: ['a']}"),
		 "{p: {value: 'tell-nobody'}}", "The provided value '' for the template parameter 'p'"},
		{WITH_PARAMETER("{type: 'int'}"), "{p: {value: 'c'}}",
		 "Template parameter JToken type is not valid. Expected 'Integer'. Actual 'String'."},
		{WITH_PARAMETER("{type: 'int', minValue: 3}"), "{p: {value: 2}}",
		 "greater than or equal to '3'"},
		{WITH_PARAMETER("{type: 'int', maxValue: 3}"), "{p: {value: 4}}",
		 "less than or equal to '3'"},
		{WITH_PARAMETER("{type: 'string', minLength: 3}"), "{p: {value: 'ab'}}",
		 "Length of the value should be greater than or equal to '3'"},
		{WITH_PARAMETER("{type: 'array', maxLength: 1}"), "{p: {value: [1, 2]}}",
		 "less than or equal to '1'"},
		{WITH_PARAMETER("{type: 'number'}"), "{p: {value: 1}}", "not valid"},
		{WITH_PARAMETER("{type: 'string', defaultValue: \"[variables('v')]\"}"), NULL,
		 "The template function 'variables' is not expected at this location."},
		{WITH_PARAMETER("{type: 'string', defaultValue: \"[parameters('p')]\"}"), NULL,
		 "refers to itself"},
		{"{variables: {a: \"[variables('b')]\", b: \"[variables('a')]\"}, resources: []}", NULL,
		 "refers to itself"},
		{"{variables: {a: \"[reference('b')]\"}, resources: []}", NULL,
		 "The template function 'reference' is not expected at this location."},
		{WITH_PARAMETER("{type: 'string'}"), "{p: {reference: {keyVault: {id: 'x'}}}}",
		 "not supported"},
		{WITH_PARAMETER("{type: 'string'}"), "[1]", "must be an object"},
	};
	(void) state;
	for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
		struct fixture f;
		begin(&f);
		assert_says(&f, open(&f, cases[k].document, cases[k].given), cases[k].says);
		assert_false(str_contains(f.c.problem.message, STR("tell-nobody")));
		end(&f);
	}
}

static void test_parameters(void **state)
{
	struct fixture f;
	json_t *shown = NULL;
	(void) state;
	begin(&f);
	open_well(&f,
		  "{parameters: {name: {type: 'String'}, other: {type: 'string', defaultValue: "
		  "\"[concat(parameters('NAME'), "
		  "'-x')]\"}, secret: {type: 'securestring'}, at: {type: 'string', defaultValue: "
		  "\"[utcNow('yyyy-MM-dd')]\"}, none: {type: "
		  "'int', nullable: true}}, resources: []}",
		  "{Name: {value: 'a'}, secret: {value: 'hush'}}");
	assert_true(result_is_ok(template_make_parameters(f.t, false, &shown)));
	assert_json(
		shown,
		"{'at':{'type':'String','value':'2024-01-02'},'name':{'type':'String','value':'a'},'none':{'"
		"type':'Int',"
		"'value':null},'other':{'type':'String','value':'a-x'},'secret':{'type':'SecureString'}}");
	assert_true(result_is_ok(template_make_parameters(f.t, true, &shown)));
	assert_json(json_object_get(shown, "secret"), "{'type':'SecureString','value':'hush'}");
	end(&f);
}

/* ---- resources ---- */

#define VNET "type: 'Microsoft.Network/virtualNetworks', apiVersion: '2022-07-01'"
#define NIC "type: 'Microsoft.Network/networkInterfaces', apiVersion: '2022-07-01'"

static const struct template_resource *at(const struct fixture *f, size_t k)
{
	assert_true(k < template_count(f->t));
	return template_at(f->t, k);
}

/* "1,2": the resources that resource k depends on. */
static void assert_needs(const struct fixture *f, size_t k, const char *wanted)
{
	struct str text = STR_NONE;
	const struct template_resource *r = at(f, k);
	for (size_t n = 0; n < r->need_count; n++)
		text = str_print(f->arena, "%" STR_FMT "%s%zu", STR_ARG(text), n ? "," : "", r->needs[n]);
	assert_string_equal(str_to_z(f->arena, text), wanted);
}

static void test_needs(void **state)
{
	struct fixture f;
	(void) state;
	begin(&f);
	open_well(
		&f,
		"{resources: ["
		"{" VNET
		", name: 'v', resources: [{type: 'subnets', apiVersion: '2022-07-01', name: 's', dependsOn: "
		"['Microsoft.network/VirtualNetworks/V']}]},"
		"{" NIC ", name: 'by-id', dependsOn: "
		"[\"[resourceId('Microsoft.Network/virtualNetworks/subnets', 'v', 's')]\"]},"
		"{" NIC ", name: 'by-name', dependsOn: ['v']},"
		"{" NIC ", name: 'by-path', dependsOn: ['Microsoft.Network/virtualNetworks/v/subnets/s']},"
		"{" NIC ", name: 'by-reference', properties: {a: \"[reference('by-id').x]\"}},"
		"{" NIC ", name: 'never', condition: false},"
		"{" NIC ", name: 'deep', properties: {a: [{b: "
		"\"[concat(reference(resourceId('Microsoft.Network/virtualNetworks', "
		"'v'), '2022-07-01').x, '!')]\"}]}}"
		"]}",
		NULL);
	assert_int_equal(template_count(f.t), 8);
	assert_string_equal(at(&f, 1)->type.p, "Microsoft.Network/virtualNetworks/subnets");
	assert_string_equal(at(&f, 1)->name.p, "v/s");
	assert_string_equal(at(&f, 1)->id.p, "/subscriptions/5ab0/resourceGroups/rg/providers/"
					     "Microsoft.Network/virtualNetworks/v/subnets/s");
	assert_needs(&f, 0, "");
	assert_needs(&f, 1, "0");
	assert_needs(&f, 2, "1");
	assert_needs(&f, 3, "0");
	assert_needs(&f, 4, "1");
	assert_needs(&f, 5, "2");
	assert_true(at(&f, 6)->is_left_out);
	assert_needs(&f, 7, "0");
	end(&f);
}

static void test_copies(void **state)
{
	struct fixture f;
	json_t *body = NULL;
	(void) state;
	begin(&f);
	open_well(&f,
		  "{resources: [{" NIC
		  ", name: \"[concat('n', copyIndex(1))]\", copy: {name: 'nics', count: 5, mode: 'Serial', "
		  "batchSize: 2}, properties: {index: \"[copyIndex()]\", copy: [{name: 'list', count: 2, "
		  "input: "
		  "\"[concat(copyIndex('list'), '/', copyIndex('nics'))]\"}]}},"
		  "{" VNET ", name: 'v', dependsOn: ['nics']}, {" VNET ", name: 'w', dependsOn: ['none']},"
		  "{" NIC ", name: 'x', copy: {name: 'none', count: 0}}]}",
		  NULL);
	assert_int_equal(template_count(f.t), 7);
	assert_string_equal(at(&f, 4)->name.p, "n5");
	assert_needs(&f, 1, "");
	assert_needs(&f, 2, "0,1");
	assert_needs(&f, 4, "2,3");
	assert_needs(&f, 5, "0,1,2,3,4");
	assert_needs(&f, 6, "");
	assert_true(result_is_ok(template_make_body(f.t, 3, false, &body)));
	assert_json(body, "{'properties':{'index':3,'list':['0/3','1/3']}}");
	end(&f);
}

/* Symbolic names, as in templates that bicep generates. */
static void test_symbols(void **state)
{
	struct fixture f;
	json_t *body = NULL, *outputs = NULL;
	(void) state;
	begin(&f);
	open_well(&f,
		  "{languageVersion: '2.0', resources: {"
		  "net: {existing: true, " VNET ", name: 'v'},"
		  "nics: {copy: {name: 'nics', count: 2}, " NIC
		  ", name: \"[format('n{0}', copyIndex())]\", dependsOn: ['net'], properties: "
		  "{space: \"[reference('net').space]\"}},"
		  "last: {" NIC ", name: 'last', location: \"[resourceGroup().location]\", tags: {a: "
		  "'[[b]'}, dependsOn: ['nics'],"
		  " properties: {first: \"[resourceId('Microsoft.Network/networkInterfaces', format('n{0}', "
		  "0))]\"}}},"
		  " outputs: {space: {type: 'string', value: \"[reference('net').space]\"}, secret: {type: "
		  "'securestring', value: 'x'},"
		  " all: {type: 'array', copy: {count: 2, input: \"[copyIndex()]\"}}, no: {type: 'int', "
		  "condition: false, value: 1}}}",
		  NULL);
	assert_true(at(&f, 0)->is_existing);
	assert_string_equal(at(&f, 2)->symbol.p, "nics[1]");
	assert_needs(&f, 2, "0");
	assert_needs(&f, 3, "1,2");
	assert_int_equal(template_make_body(f.t, 1, false, &body).code, ERR_AGAIN);
	assert_string_equal(
		template_missing(f.t)->id.p,
		"/subscriptions/5ab0/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/v");
	assert_true(result_is_ok(template_make_body(f.t, 1, true, &body)));
	assert_json(body, "{'properties':{'space':'[reference('net').space]'}}");
	f.body = json_pack("{s:s, s:{s:s}}", "id", template_missing(f.t)->id.p, "properties", "space",
			   "10.0.0.0/16");
	assert_true(result_is_ok(template_make_body(f.t, 1, false, &body)));
	assert_json(body, "{'properties':{'space':'10.0.0.0/16'}}");
	assert_true(result_is_ok(template_make_body(f.t, 3, false, &body)));
	assert_json(
		body,
		"{'location':'test1','properties':{'first':'/subscriptions/5ab0/resourceGroups/rg/providers/"
		"Microsoft.Network/networkInterfaces/n0'},'tags':{'a':'[b]'}}");
	assert_true(result_is_ok(template_make_outputs(f.t, &outputs)));
	assert_json(outputs, "{'all':{'type':'Array','value':[0,1]},'secret':{'type':'SecureString'},'space':"
			     "{'type':'String',"
			     "'value':'10.0.0.0/16'}}");
	end(&f);
}

/* A deployment within keeps its own expressions where it is evaluated by itself; elsewhere they are ours. */
static void test_nested(void **state)
{
	struct fixture f;
	json_t *body = NULL;
	(void) state;
	begin(&f);
	open_well(&f,
		  "{variables: {v: 'ours'}, resources: [{type: 'Microsoft.Resources/deployments', "
		  "apiVersion: '2022-09-01', name: 'in', "
		  "resourceGroup: 'other', properties: {mode: 'Incremental', expressionEvaluationOptions: "
		  "{scope: 'inner'}, parameters: "
		  "{a: {value: \"[variables('v')]\"}}, template: {resources: [\"[variables('theirs')]\"]}}},"
		  "{type: 'Microsoft.Resources/deployments', apiVersion: '2022-09-01', name: 'out', "
		  "properties: {template: {resources: "
		  "[\"[variables('v')]\"]}}}]}",
		  NULL);
	assert_string_equal(
		at(&f, 0)->id.p,
		"/subscriptions/5ab0/resourceGroups/other/providers/Microsoft.Resources/deployments/in");
	assert_true(result_is_ok(template_make_body(f.t, 0, false, &body)));
	assert_json(body, "{'properties':{'expressionEvaluationOptions':{'scope':'inner'},'mode':'"
			  "Incremental','parameters':{'a':"
			  "{'value':'ours'}},'template':{'resources':['[variables('theirs')]']}}}");
	assert_true(result_is_ok(template_make_body(f.t, 1, false, &body)));
	assert_json(body, "{'properties':{'template':{'resources':['ours']}}}");
	end(&f);
}

/* references() waits for each turn, and gives what each has. */
static void test_references(void **state)
{
	struct fixture f;
	json_t *outputs = NULL;
	(void) state;
	begin(&f);
	assert_true(result_is_ok(open(
		&f,
		"{contentVersion: '1.0.0.0', parameters: {p: {type: 'string', defaultValue: 'B', "
		"allowedValues: "
		"['a', 'b']}}, resources: [{type: 'Microsoft.Compute/disks', apiVersion: '2023-04-02', name: "
		"\"[format('d{0}', copyIndex())]\", copy: {name: 'all', count: 1}}, {type: "
		"'Microsoft.Compute/snapshots', apiVersion: '2023-04-02', name: 's', properties: {x: "
		"\"[references('all')[0].size]\"}}], outputs: {o: {type: 'array', value: "
		"\"[references('ALL')]\"}}}",
		NULL)));
	assert_int_equal(template_at(f.t, 1)->need_count, 1);
	assert_int_equal(template_make_outputs(f.t, &outputs).code, ERR_AGAIN);
	f.body = json_pack("{s:s, s:{s:i}}", "id", template_missing(f.t)->id.p, "properties", "size", 4);
	assert_true(result_is_ok(template_make_outputs(f.t, &outputs)));
	assert_json(outputs, "{'o':{'type':'Array','value':[{'size':4}]}}");
	end(&f);
}

static void test_bad_resources(void **state)
{
	static const struct {
		const char *document, *says;
	} cases[] = {
		{"{resources: [{" NIC ", name: 'a', dependsOn: 'b'}]}",
		 "The 'dependsOn' must be of type 'Array', and is of type 'String'."},
		{"{resources: [{" NIC ", name: 'a', dependsOn: [1]}]}",
		 "Each element of 'dependsOn' must be of type 'String'."},
		{"{resources: [{" NIC ", name: 'a', dependsOn: ['b']}]}",
		 "The resource 'b' is not defined in the template. Please see https://aka.ms/arm-syntax for "
		 "usage details."},
		{"{resources: [{" NIC ", name: 'a', dependsOn: ['b']}, {" NIC
		 ", name: 'b', dependsOn: ['a']}]}",
		 "Circular dependency detected on resource: "
		 "'/subscriptions/5ab0/resourceGroups/rg/providers/Microsoft.Network/networkInterfaces/a'."},
		{"{resources: [{" NIC ", name: 'a', properties: {x: \"[reference('a').y]\"}}]}",
		 "Circular dependency detected on resource"},
		{"{resources: [{" NIC ", name: 'a'}, {" NIC ", name: 'A'}]}",
		 "is defined multiple times in a template."},
		{"{resources: [{" NIC ", name: 'a/b'}]}",
		 "The template resource 'a/b' for type 'Microsoft.Network/networkInterfaces' at line '' and "
		 "column '' has incorrect "
		 "segment lengths."},
		{"{resources: [{" NIC ", name: \"[variables('x')]\"}]}",
		 "The template variable 'x' is not found."},
		{"{resources: [{" NIC ", name: 'a', condition: 'yes'}]}",
		 "The template resource 'a' at line '' and column '' is not valid: "},
		{"{resources: [{" NIC "}]}", "missing the required property 'name'"},
		{"{resources: [{type: 'a/b', name: 'x'}]}", "missing the required property 'apiVersion'"},
		{"{resources: [{" NIC ", name: 'a', copy: {name: 'c', count: 801}}]}",
		 "The copy count '801' is not valid"},
		{"{resources: [{" NIC
		 ", name: \"[concat('a', copyIndex())]\", copy: {name: 'c', count: 500}},"
		 " {" VNET ", name: \"[concat('a', copyIndex())]\", copy: {name: 'd', count: 500}}]}",
		 "The number of template resources limit exceeded."},
		{"{resources: [{" NIC ", name: 'a', properties: {x: '[concat(]'}}]}",
		 "Unable to parse language expression 'concat('"},
		{"{resources: 3}", "'resources' must be an array or an object"},
		{"{resources: [3]}", "no object"},
		{"[]", "The template must be an object."},
	};
	(void) state;
	for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
		struct fixture f;
		begin(&f);
		assert_says(&f, open(&f, cases[k].document, NULL), cases[k].says);
		end(&f);
	}
}

/* The evaluation budget is per template: a template that exhausts it affects neither the next template nor
 * the thread. */
static void test_budget_ends(void **state)
{
	struct fixture f;
	json_t *value = NULL;
	(void) state;
	for (int k = 0; k < 3; k++) {
		begin(&f);
		assert_says(&f,
			    evaluate(&f, "length(map(range(0, 10000), lambda('x', range(0, 10000))))", "int",
				     &value),
			    "The template takes more memory to evaluate than is allowed.");
		end(&f);
		begin(&f);
		assert_int_equal(
			ERR_NONE,
			evaluate(&f, "length(map(range(0, 100), lambda('x', range(0, 1000))))", "int", &value)
				.code);
		assert_int_equal(json_integer_value(value), 100);
		end(&f);
		assert_null(heap_budget_use(NULL));
	}
}

int main(void)
{
	json_set_alloc_funcs(heap_alloc_counted, heap_free_counted);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reader),          cmocka_unit_test(test_depth),
		cmocka_unit_test(test_expressions),     cmocka_unit_test(test_bad_expressions),
		cmocka_unit_test(test_budget_ends),     cmocka_unit_test(test_deep_expression),
		cmocka_unit_test(test_reading_is_work), cmocka_unit_test(test_many_allowed_values),
		cmocka_unit_test(test_bad_parameters),  cmocka_unit_test(test_parameters),
		cmocka_unit_test(test_needs),           cmocka_unit_test(test_copies),
		cmocka_unit_test(test_symbols),         cmocka_unit_test(test_nested),
		cmocka_unit_test(test_bad_resources),   cmocka_unit_test(test_user_functions),
		cmocka_unit_test(test_references),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
