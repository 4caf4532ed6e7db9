/* SPDX-License-Identifier: Apache-2.0
 * Lists the condition keys that a document uses in conditions and variables, as spelt there. */
#include <jansson.h>

#include "auth/policy/policy.h"
#include "base/vec.h"

static RESULT add_key(struct ctx *c, struct policy_keys *keys, struct str key)
{
	for (size_t k = 0; k < keys->names.count; k++)
		if (str_equal_nocase(keys->names.at[k], key))
			return OK;
	return VEC_PUSH(c->arena, &keys->names, str_copy(c->arena, key)) ? OK : ctx_no_memory(c);
}

/* Adds variables such as "${aws:username}" or "${aws:PrincipalTag/team, 'none'}"; "${*}" is a literal
 * star. */
static RESULT add_variables(struct ctx *c, struct policy_keys *keys, struct str text)
{
	for (size_t k = 0; k + 1 < text.n; k++) {
		if (text.p[k] != '$' || text.p[k + 1] != '{')
			continue;
		size_t end = str_find_char(text, '}', k);
		struct str name = str_slice(text, k + 2, end);
		name = str_slice(name, 0, str_find_char(name, ',', 0));
		if (name.n > 1)
			TRY(add_key(c, keys, name));
		k = end;
	}
	return OK;
}

static struct str text_of(const json_t *json)
{
	return (struct str){json_string_value(json), json_string_length(json)};
}

/* A string, or each element of a list. */
static RESULT add_texts(struct ctx *c, struct policy_keys *keys, const json_t *json)
{
	if (json_is_string(json))
		return add_variables(c, keys, text_of(json));
	for (size_t k = 0; k < json_array_size(json); k++)
		TRY(add_variables(c, keys, text_of(json_array_get(json, k))));
	return OK;
}

static RESULT add_statement(struct ctx *c, struct policy_keys *keys, const json_t *statement,
			    bool has_variables)
{
	static const char *const with_variables[] = {"Resource", "NotResource"};
	const char *operator_name = NULL, *key = NULL;
	json_t *condition = NULL, *values = NULL;
	for (size_t k = 0; k < sizeof with_variables / sizeof with_variables[0] && has_variables; k++)
		TRY(add_texts(c, keys, json_object_get(statement, with_variables[k])));
	json_object_foreach (json_object_get(statement, "Condition"), operator_name, condition)
		json_object_foreach (condition, key, values) {
			TRY(add_key(c, keys, str_from(key)));
			if (has_variables)
				TRY(add_texts(c, keys, values));
		}
	return OK;
}

static RESULT add_statements(struct ctx *c, const json_t *json, struct policy_keys *keys, bool is_each)
{
	const json_t *statements = json_object_get(json, "Statement");
	bool has_variables = str_is(text_of(json_object_get(json, "Version")), "2012-10-17");
	if (json_is_object(statements))
		return add_statement(c, keys, statements, has_variables);
	for (size_t k = 0; k < json_array_size(statements); k++)
		TRY(add_statement(c, is_each ? &keys[k] : keys, json_array_get(statements, k),
				  has_variables));
	return OK;
}

static RESULT list_keys(struct ctx *c, struct str document, struct policy_keys *keys, bool is_each)
{
	json_t *json = json_loadb(document.p ? document.p : "", document.n, 0, NULL);
	struct result result = add_statements(c, json, keys, is_each);
	json_decref(json);
	return result;
}

RESULT policy_list_keys(struct ctx *c, struct str document, struct policy_keys *keys)
{
	return list_keys(c, document, keys, false);
}

RESULT policy_list_keys_of_each(struct ctx *c, struct str document, struct policy_keys *keys)
{
	return list_keys(c, document, keys, true);
}
