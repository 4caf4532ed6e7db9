/* SPDX-License-Identifier: Apache-2.0
 * Checks new policies of resources against the limits of their service. */
#include "auth/policy/resource_policy.h"

#include <jansson.h>
#include <string.h>

struct checking {
	struct ctx *c;
	const struct resource_policy_limits *limits;
	struct str arn;
	enum resource_policy_fault *fault;
};

static RESULT fail(struct checking *k, enum resource_policy_fault fault)
{
	*k->fault = fault;
	return ctx_fail(k->c, ERR_INVALID, "The policy is not valid.");
}

static size_t count_of(const json_t *json)
{
	return json_is_array(json) ? json_array_size(json) : json ? 1 : 0;
}

/* The n-th of a list, or the text that stands in place of a list. */
static struct str text_at(const json_t *json, size_t n)
{
	const json_t *item = json_is_array(json) ? json_array_get(json, n) : json;
	return (struct str){json_string_value(item), json_string_length(item)};
}

static bool is_in_scope(const struct checking *k, struct str action)
{
	size_t colon = str_find_char(action, ':', 0);
	struct str name = str_slice(action, colon + (colon < action.n), action.n);
	bool is_of_vendor = str_equal_nocase(str_slice(action, 0, colon), k->limits->vendor);
	if (!k->limits->scope)
		return is_of_vendor || str_is(action, "*");
	for (const char *const *known = k->limits->scope; *known; known++)
		if (is_of_vendor && str_equal_nocase(name, str_from(*known)))
			return true;
	return false;
}

static RESULT check_actions(struct checking *k, const json_t *statement)
{
	const json_t *actions = json_object_get(statement, "Action");
	if (!actions)
		actions = json_object_get(statement, "NotAction");
	if (k->limits->actions && count_of(actions) > k->limits->actions)
		return fail(k, RESOURCE_POLICY_MALFORMED);
	for (size_t n = 0; n < count_of(actions); n++)
		if (!is_in_scope(k, text_at(actions, n)))
			return fail(k, RESOURCE_POLICY_ACTION);
	return OK;
}

static RESULT check_principals(struct checking *k, const json_t *statement)
{
	const json_t *principals = json_object_get(statement, "Principal");
	const char *type = NULL;
	json_t *list = NULL;
	size_t count = 0;
	if (!principals)
		principals = json_object_get(statement, "NotPrincipal");
	json_object_foreach ((json_t *) principals, type, list)
		count += count_of(list);
	return count <= k->limits->principals ? OK : fail(k, RESOURCE_POLICY_MALFORMED);
}

static RESULT check_conditions(struct checking *k, const json_t *statement)
{
	const char *operator= NULL;
	json_t *keys = NULL;
	size_t count = 0;
	json_object_foreach (json_object_get(statement, "Condition"), operator, keys)
		count += json_object_size(keys);
	return !k->limits->conditions || count <= k->limits->conditions ? OK
									: fail(k, RESOURCE_POLICY_MALFORMED);
}

static RESULT check_resource(struct checking *k, const json_t *statement)
{
	const json_t *resource = json_object_get(statement, "Resource");
	if (!k->limits->is_one_resource)
		return OK;
	return count_of(resource) == 1 && str_equal(text_at(resource, 0), k->arn)
		       ? OK
		       : fail(k, RESOURCE_POLICY_RESOURCE);
}

static RESULT check_statements(struct checking *k, const json_t *statements)
{
	if (count_of(statements) > k->limits->statements)
		return fail(k, RESOURCE_POLICY_MALFORMED);
	for (size_t n = 0; n < count_of(statements); n++) {
		const json_t *statement =
			json_is_array(statements) ? json_array_get(statements, n) : statements;
		TRY(check_actions(k, statement));
		TRY(check_resource(k, statement));
		TRY(check_principals(k, statement));
		TRY(check_conditions(k, statement));
	}
	return OK;
}

RESULT resource_policy_check(struct ctx *c, const struct tables *t,
			     const struct resource_policy_limits *limits, struct str document, struct str arn,
			     enum resource_policy_fault *ret_fault)
{
	struct checking k = {c, limits, arn, ret_fault};
	const struct policy_code *code = NULL;
	if (document.n > limits->bytes)
		return fail(&k, RESOURCE_POLICY_MALFORMED);
	*ret_fault = RESOURCE_POLICY_MALFORMED;
	TRY(resource_policy_compile(c, document, &code));
	json_t *json = json_loadb(document.p, document.n, JSON_REJECT_DUPLICATES, NULL);
	struct result result = check_statements(&k, json_object_get(json, "Statement"));
	json_decref(json);
	TRY(result);
	*ret_fault = RESOURCE_POLICY_PRINCIPAL;
	return policy_check_principals(c, t, document);
}
