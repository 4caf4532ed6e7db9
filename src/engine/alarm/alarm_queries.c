/* SPDX-License-Identifier: Apache-2.0
 * Queries of alarms on metric math, to and from JSON, and their evaluation. */
#include "engine/alarm/alarm_queries.h"

#include <jansson.h>

#include "base/buf.h"
#include "base/json_write.h"
#include "engine/alarm/metric_math.h"

enum { TEXT_CAP = 1 << 20 };

/* ---- JSON ---- */

static void write_query(struct json_writer *w, const struct alarm_query *q)
{
	json_write_open(w, NULL);
	json_write_text(w, "Id", q->id);
	json_write_text(w, "Label", q->label);
	json_write_text(w, "Expression", q->expression);
	json_write_text(w, "Namespace", q->name_space);
	json_write_text(w, "MetricName", q->name);
	json_write_text(w, "Stat", q->stat);
	json_write_text(w, "Unit", q->unit);
	json_write_int(w, "Period", q->period_s);
	json_write_bool(w, "ReturnData", q->returns);
	json_write_open_list(w, "Dimensions");
	for (size_t k = 0; k < q->dimensions.count; k++)
		json_write_text(w, NULL, q->dimensions.at[k]);
	json_write_close_list(w);
	json_write_close(w);
}

struct str alarm_queries_write(struct arena *a, const struct alarm_queries *queries)
{
	struct buf out;
	struct json_writer w;
	buf_init(&out, TEXT_CAP);
	json_write_begin(&w, &out);
	json_write_open_list(&w, NULL);
	for (size_t k = 0; k < queries->count; k++)
		write_query(&w, &queries->at[k]);
	json_write_close_list(&w);
	struct str text = result_is_ok(json_write_end(&w)) ? str_copy(a, buf_str(&out)) : STR_NONE;
	buf_done(&out);
	return text;
}

static struct str text_of(struct ctx *c, const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);
	return json_is_string(value)
		       ? str_copy(c->arena, (struct str){json_string_value(value), json_string_length(value)})
		       : STR_NONE;
}

static RESULT read_query(struct ctx *c, const json_t *object, struct alarm_query *q)
{
	const json_t *dimensions = json_object_get(object, "Dimensions"), *one;
	size_t k, count = json_array_size(dimensions);
	struct str *texts = arena_new_array(c->arena, struct str, count + 1);
	if (!texts)
		return ctx_no_memory(c);
	json_array_foreach (dimensions, k, one)
		texts[k] = str_copy(c->arena, (struct str){json_string_value(one), json_string_length(one)});
	*q = (struct alarm_query){.id = text_of(c, object, "Id"),
				  .label = text_of(c, object, "Label"),
				  .expression = text_of(c, object, "Expression"),
				  .name_space = text_of(c, object, "Namespace"),
				  .name = text_of(c, object, "MetricName"),
				  .stat = text_of(c, object, "Stat"),
				  .unit = text_of(c, object, "Unit"),
				  .dimensions = {texts, count},
				  .period_s = json_integer_value(json_object_get(object, "Period")),
				  .returns = json_is_true(json_object_get(object, "ReturnData"))};
	return OK;
}

static RESULT read_list(struct ctx *c, const json_t *list, struct alarm_queries *ret_queries)
{
	size_t k;
	const json_t *one;
	struct alarm_queries made = {arena_new_array(c->arena, struct alarm_query, json_array_size(list) + 1),
				     json_array_size(list)};
	if (!made.at)
		return ctx_no_memory(c);
	json_array_foreach (list, k, one)
		TRY(read_query(c, one, &made.at[k]));
	*ret_queries = made;
	return OK;
}

RESULT alarm_queries_read(struct ctx *c, struct str text, struct alarm_queries *ret_queries)
{
	json_error_t error;
	json_t *list = json_loadb(text.p, text.n, 0, &error);
	struct result result = json_is_array(list)
				       ? read_list(c, list, ret_queries)
				       : ctx_fail(c, ERR_INTERNAL, "The queries of an alarm cannot be read.");
	json_decref(list);
	return result;
}

/* ---- evaluation ---- */

static RESULT new_values(struct ctx *c, struct alarm_query *q, size_t count)
{
	q->at = arena_new_array(c->arena, double, count + 1);
	return q->at ? OK : ctx_no_memory(c);
}

static size_t list_known(const struct alarm_queries *queries, struct math_series *series)
{
	size_t known = 0;
	for (size_t k = 0; k < queries->count; k++)
		if (queries->at[k].is_done)
			series[known++] = (struct math_series){queries->at[k].id, queries->at[k].at,
							       !queries->at[k].expression.n};
	return known;
}

/* Evaluates what can be evaluated by now; an expression whose names are not known yet waits for the next round. */
static RESULT evaluate_round(struct ctx *c, struct alarm_queries *queries, size_t count, double period_s,
			     struct math_series *series, size_t *ret_done)
{
	*ret_done = 0;
	for (size_t k = 0; k < queries->count; k++) {
		struct alarm_query *q = &queries->at[k];
		if (q->is_done)
			continue;
		const struct math_scope scope = {count, period_s, series, list_known(queries, series)};
		struct result result = metric_math(c, q->expression, &scope, q->at);
		q->is_done = result_is_ok(result);
		*ret_done += q->is_done;
		if (!q->is_done && result.code != ERR_INVALID)
			return result;
	}
	return OK;
}

RESULT alarm_queries_evaluate(struct ctx *c, struct alarm_queries *queries, size_t count, double period_s)
{
	size_t done = 1, left = 0;
	struct math_series *series = arena_new_array(c->arena, struct math_series, queries->count + 1);
	if (!series)
		return ctx_no_memory(c);
	for (size_t k = 0; k < queries->count; k++) {
		queries->at[k].is_done = !queries->at[k].expression.n;
		left += !queries->at[k].is_done;
		if (!queries->at[k].is_done)
			TRY(new_values(c, &queries->at[k], count));
	}
	while (left && done) {
		TRY(evaluate_round(c, queries, count, period_s, series, &done));
		left -= done;
	}
	if (left)
		return FAIL(INVALID); /* with the message of the last one that failed */
	ctx_clear_problem(c);
	return OK;
}

static bool is_id(struct str id)
{
	for (size_t k = 0; k < id.n; k++) {
		char c = id.p[k];
		bool is_small = c >= 'a' && c <= 'z';
		if (!is_small && (!k || !((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_')))
			return false;
	}
	return true;
}

const char *alarm_queries_find_fault(const struct alarm_queries *queries)
{
	for (size_t k = 0; k < queries->count; k++) {
		if (!is_id(queries->at[k].id))
			return "Invalid metrics list: an Id begins with a small letter, and has letters, "
			       "digits and '_'.";
		for (size_t n = 0; n < k; n++)
			if (str_equal(queries->at[k].id, queries->at[n].id))
				return "Invalid metrics list: an Id is there twice.";
	}
	return alarm_queries_result(queries)
		       ? NULL
		       : "Invalid metrics list: exactly one query must have ReturnData true.";
}

struct alarm_query *alarm_queries_result(const struct alarm_queries *queries)
{
	struct alarm_query *found = NULL;
	for (size_t k = 0; k < queries->count; k++)
		if (queries->at[k].returns) {
			if (found)
				return NULL;
			found = &queries->at[k];
		}
	return found;
}
