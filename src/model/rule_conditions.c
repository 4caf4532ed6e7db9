/* SPDX-License-Identifier: Apache-2.0
 * Conditions of rules, as rows have them: a JSON list of objects. */
#include "model/rule_conditions.h"

#include <jansson.h>

#include "base/json_write.h"

enum { CONDITIONS_CAP = 8192 }; /* the column's */

const char *const rule_field_words[RULE_FIELDS] = {
	[RULE_PATH_PATTERN] = "path-pattern", [RULE_HOST_HEADER] = "host-header",
	[RULE_HTTP_HEADER] = "http-header",   [RULE_METHOD] = "http-request-method",
	[RULE_QUERY_STRING] = "query-string", [RULE_SOURCE_IP] = "source-ip",
};

RESULT rule_conditions_write(struct ctx *c, const struct rule_conditions *conditions, struct str *ret_text)
{
	struct json_writer w;
	struct buf out;
	buf_init(&out, CONDITIONS_CAP);
	json_write_begin(&w, &out);
	json_write_open_list(&w, NULL);
	for (size_t k = 0; k < conditions->count; k++) {
		const struct rule_condition *one = &conditions->at[k];
		json_write_open(&w, NULL);
		json_write_z(&w, "field", rule_field_words[one->field]);
		if (one->name.n)
			json_write_text(&w, "name", one->name);
		json_write_open_list(&w, "values");
		for (size_t n = 0; n < one->value_count; n++) {
			json_write_open(&w, NULL);
			if (one->values[n].key.n)
				json_write_text(&w, "key", one->values[n].key);
			json_write_text(&w, "value", one->values[n].value);
			json_write_close(&w);
		}
		json_write_close_list(&w);
		json_write_close(&w);
	}
	json_write_close_list(&w);
	struct result ended = json_write_end(&w);
	*ret_text = result_is_ok(ended) ? str_copy(c->arena, buf_str(&out)) : STR_NONE;
	buf_done(&out);
	TRY(ended);
	return ret_text->p ? OK : ctx_no_memory(c);
}

static struct str text_of(struct arena *a, const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);
	return str_copy(a, (struct str){json_string_value(value), json_string_length(value)});
}

static RESULT read_one(struct ctx *c, const json_t *object, struct rule_condition *ret_condition)
{
	const json_t *values = json_object_get(object, "values");
	struct str word = text_of(c->arena, object, "field");
	*ret_condition = (struct rule_condition){.name = text_of(c->arena, object, "name"),
						 .value_count = json_array_size(values)};
	while (ret_condition->field + 1 < RULE_FIELDS &&
	       !str_is(word, rule_field_words[ret_condition->field]))
		ret_condition->field++;
	ret_condition->values = arena_new_array(c->arena, struct rule_value, ret_condition->value_count + 1);
	if (!ret_condition->values)
		return ctx_no_memory(c);
	for (size_t n = 0; n < ret_condition->value_count; n++) {
		const json_t *value = json_array_get(values, n);
		ret_condition->values[n] = (struct rule_value){text_of(c->arena, value, "key"),
							       text_of(c->arena, value, "value")};
	}
	return OK;
}

static RESULT read_all(struct ctx *c, const json_t *list, struct rule_conditions *ret_conditions)
{
	size_t count = json_array_size(list);
	struct rule_condition *at = arena_new_array(c->arena, struct rule_condition, count + 1);
	if (!at)
		return ctx_no_memory(c);
	for (size_t k = 0; k < count; k++)
		TRY(read_one(c, json_array_get(list, k), &at[k]));
	*ret_conditions = (struct rule_conditions){at, count};
	return OK;
}

RESULT rule_conditions_read(struct ctx *c, struct str text, struct rule_conditions *ret_conditions)
{
	json_t *list = text.n ? json_loadb(text.p, text.n, 0, NULL) : json_array();
	struct result read = read_all(c, list, ret_conditions);
	json_decref(list);
	return read;
}
