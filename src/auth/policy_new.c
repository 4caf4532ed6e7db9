/* SPDX-License-Identifier: Apache-2.0
 * Refuses new policies that IAM refuses although they would compile. Stored policies stay in effect: they are
 * compiled without these checks. Source of the messages: IAM's answers as recorded in moto's tests
 * (test_iam_policies). */
#include <jansson.h>

#include "auth/policy.h"

static struct str text_of(const json_t *json)
{
	return (struct str){json_string_value(json), json_string_length(json)};
}

/* Number of strings in a string or list. */
static size_t count_of(const json_t *json)
{
	return json_is_array(json) ? json_array_size(json) : json != NULL;
}

static struct str text_at(const json_t *json, size_t k)
{
	return text_of(json_is_array(json) ? json_array_get(json, k) : json);
}

static size_t count_colons(struct str s)
{
	size_t count = 0;
	for (size_t k = 0; k < s.n; k++)
		count += s.p[k] == ':';
	return count;
}

static RESULT check_colons(struct ctx *c, struct str name)
{
	return count_colons(name) <= 1
		       ? OK
		       : ctx_fail(c, ERR_INVALID, "Actions/Condition can contain only one colon.");
}

/* OpenStack's names, for example os_compute_api:os-flavor-manage:create, have an underscore in the vendor and
 * more colons. */
static RESULT check_action(struct ctx *c, struct str action)
{
	struct str vendor = str_slice(action, 0, str_find_char(action, ':', 0));
	bool is_openstack = str_find_char(vendor, '_', 0) < vendor.n;
	return is_openstack ? OK : check_colons(c, action);
}

/* ARNs of IAM, and of S3 except its access points, have no region. */
static RESULT check_resource(struct ctx *c, struct str resource)
{
	enum { PARTITION = 1, SERVICE, REGION, ACCOUNT, NAME, PARTS };
	struct str rest = resource, parts[PARTS] = {{0}};
	for (size_t k = 0; k < NAME && str_split_next(&rest, ':', &parts[k]); k++)
		continue;
	parts[NAME] = rest;
	if (!parts[REGION].n)
		return OK;
	if (str_is(parts[SERVICE], "iam"))
		return ctx_fail(c, ERR_INVALID,
				"IAM resource %" STR_FMT " cannot contain region information.",
				STR_ARG(resource));
	if (str_is(parts[SERVICE], "s3") && !str_starts_with(parts[NAME], STR("accesspoint/")))
		return ctx_fail(c, ERR_INVALID, "Resource %" STR_FMT " can not contain region information.",
				STR_ARG(resource));
	return OK;
}

static RESULT check_each(struct ctx *c, const json_t *json, RESULT (*check)(struct ctx *c, struct str text))
{
	for (size_t k = 0; k < count_of(json); k++)
		TRY(check(c, text_at(json, k)));
	return OK;
}

/* Key without the port of an issuer: "id.example.com:8443:sub". AWS has no issuers with a port; Dari does. */
static struct str skip_port(struct str key)
{
	size_t host = str_find_char(key, ':', 0), port = str_find_char(key, ':', host + 1);
	int64_t number = 0;
	bool is_port = port < key.n && !str_parse_int(str_slice(key, host + 1, port), &number).code;
	return is_port ? str_slice(key, port, key.n) : key;
}

/* A tag key, after the slash, may contain colons. */
static RESULT check_conditions(struct ctx *c, const json_t *conditions)
{
	const char *operator= NULL, *key = NULL;
	json_t *keys = NULL, *value = NULL;
	json_object_foreach ((json_t *) conditions, operator, keys)
		json_object_foreach (keys, key, value) {
			struct str name = str_from(key);
			TRY(check_colons(c, skip_port(str_slice(name, 0, str_find_char(name, '/', 0)))));
		}
	return OK;
}

static RESULT check_statement(struct ctx *c, const json_t *s)
{
	TRY(check_each(c, json_object_get(s, "Action"), check_action));
	TRY(check_each(c, json_object_get(s, "NotAction"), check_action));
	TRY(check_each(c, json_object_get(s, "Resource"), check_resource));
	TRY(check_each(c, json_object_get(s, "NotResource"), check_resource));
	return check_conditions(c, json_object_get(s, "Condition"));
}

static RESULT check(struct ctx *c, const json_t *json, bool is_managed)
{
	const json_t *statements = json_object_get(json, "Statement");
	if (is_managed && !str_is(text_of(json_object_get(json, "Version")), "2012-10-17"))
		return ctx_fail(c, ERR_INVALID, "Policy document must be version 2012-10-17 or greater.");
	if (!json_is_array(statements))
		return check_statement(c, statements);
	for (size_t k = 0; k < json_array_size(statements); k++)
		TRY(check_statement(c, json_array_get(statements, k)));
	return OK;
}

RESULT policy_check_new(struct ctx *c, struct str document, bool is_managed)
{
	json_t *json = json_loadb(document.p ? document.p : "", document.n, 0, NULL);
	/* policy_compile() reports malformed JSON */
	struct result result = json ? check(c, json, is_managed) : OK;
	json_decref(json);
	return result;
}
