/* SPDX-License-Identifier: Apache-2.0
 * Functions that call an expression again and again: map(list, lambda('x', toUpper(lambdaVariables('x')))). Source: "Lambda
 * functions" of Azure's documentation. */
#include "api/azure/template/internal.h"

#define RUN(name) static RESULT run_##name(struct template *t, const struct template_call *call, json_t **ret)

enum { VARIABLES_MAX = 3 };

struct lambda {
	const struct expr *body;
	struct lambda_variable variables[VARIABLES_MAX];
	size_t count;
};

static RESULT take_lambda(struct template *t, const struct template_call *call, size_t k,
			  struct lambda *ret_lambda)
{
	const struct expr *x = call->expr->args[k];
	bool is_one = x->type == EXPR_CALL && str_equal_nocase(x->name, STR("lambda")) && x->arg_count > 0 &&
		      x->arg_count <= VARIABLES_MAX + 1;
	*ret_lambda = (struct lambda){0};
	for (size_t n = 0; is_one && n + 1 < x->arg_count; n++) {
		is_one = x->args[n]->type == EXPR_VALUE && json_is_string(x->args[n]->value);
		ret_lambda->variables[n].name = is_one ? template_text_of(x->args[n]->value) : STR_NONE;
	}
	if (!is_one)
		return function_fail(t, call, "the argument %zu must be a lambda", k + 1); /* guessed */
	ret_lambda->count = x->arg_count - 1;
	ret_lambda->body = x->args[x->arg_count - 1];
	return OK;
}

static RESULT call_lambda(struct template *t, struct lambda *l, json_t *const *values, size_t count,
			  json_t **ret)
{
	const struct lambda_variable *before = t->lambda;
	for (size_t k = 0; k < l->count && k < count; k++) {
		l->variables[k].value = values[k];
		l->variables[k].up = t->lambda;
		t->lambda = &l->variables[k];
	}
	struct result result = expr_evaluate(t, l->body, ret);
	t->lambda = before;
	return result;
}

static RESULT take_list(struct template *t, const struct template_call *call, json_t **ret_list)
{
	TRY(expr_evaluate(t, call->expr->args[0], ret_list));
	return json_is_array(*ret_list)
		       ? OK
		       : function_fail(t, call, "the first argument must be of type 'Array'"); /* guessed */
}

static RESULT number(struct template *t, size_t k, json_t **ret)
{
	return template_keep(t, json_integer((json_int_t) k), ret);
}

/* Calls the lambda with each element. */
static RESULT walk(struct template *t, const struct template_call *call, bool filters, json_t **ret)
{
	json_auto_t *to = json_array();
	json_t *list = NULL, *values[2], *made = NULL;
	struct lambda l;
	TRY(take_list(t, call, &list));
	TRY(take_lambda(t, call, 1, &l));
	for (size_t k = 0; k < json_array_size(list); k++) {
		values[0] = json_array_get(list, k);
		TRY(number(t, k, &values[1]));
		TRY(call_lambda(t, &l, values, 2, &made));
		bool is_in = !filters || json_is_true(made);
		if (is_in && json_array_append(to, filters ? values[0] : made))
			return ctx_no_memory(t->c);
	}
	return template_keep(t, TAKE(to), ret);
}
RUN(map)
{
	return walk(t, call, false, ret);
}
RUN(filter)
{
	return walk(t, call, true, ret);
}

RUN(reduce)
{
	json_t *list = NULL, *values[3];
	struct lambda l;
	TRY(take_list(t, call, &list));
	TRY(expr_evaluate(t, call->expr->args[1], ret));
	TRY(take_lambda(t, call, 2, &l));
	for (size_t k = 0; k < json_array_size(list); k++) {
		values[0] = *ret;
		values[1] = json_array_get(list, k);
		TRY(number(t, k, &values[2]));
		TRY(call_lambda(t, &l, values, 3, ret));
	}
	return OK;
}

/* By insertion: lists are short, and the lambda's work is counted. */
RUN(sort)
{
	json_t *list = NULL, *made = NULL, *values[2];
	struct lambda l;
	TRY(take_list(t, call, &list));
	TRY(take_lambda(t, call, 1, &l));
	size_t count = json_array_size(list);
	json_t **at = arena_new_array(t->c->arena, json_t *, count + 1);
	if (!at)
		return ctx_no_memory(t->c);
	for (size_t n = 0; n < count; n++) {
		size_t k = n;
		values[0] = json_array_get(list, n);
		for (; k > 0; k--) {
			values[1] = at[k - 1];
			TRY(call_lambda(t, &l, values, 2, &made));
			if (!json_is_true(made))
				break;
			at[k] = at[k - 1];
		}
		at[k] = values[0];
	}
	json_auto_t *to = json_array();
	for (size_t k = 0; k < count; k++)
		if (json_array_append(to, at[k]))
			return ctx_no_memory(t->c);
	return template_keep(t, TAKE(to), ret);
}

/* {key: value}: keys and values that the lambdas return for each element. */
RUN(toObject)
{
	json_t *list = NULL, *key = NULL, *value = NULL, *element;
	struct lambda keys, values;
	bool has_values = call->count > 2;
	TRY(take_list(t, call, &list));
	TRY(take_lambda(t, call, 1, &keys));
	if (has_values)
		TRY(take_lambda(t, call, 2, &values));
	json_auto_t *made = json_object();
	for (size_t k = 0; k < json_array_size(list); k++) {
		element = value = json_array_get(list, k);
		TRY(call_lambda(t, &keys, &element, 1, &key));
		if (has_values)
			TRY(call_lambda(t, &values, &element, 1, &value));
		if (!json_is_string(key))
			return function_fail(t, call, "a key must be of type 'String'"); /* guessed */
		if (json_object_set(made, json_string_value(key), value))
			return ctx_no_memory(t->c);
	}
	return template_keep(t, TAKE(made), ret);
}

/* {key: [elements]}: groups the elements by the lambda's result. */
RUN(groupBy)
{
	json_t *list = NULL, *key = NULL, *element;
	struct lambda l;
	TRY(take_list(t, call, &list));
	TRY(take_lambda(t, call, 1, &l));
	json_auto_t *made = json_object();
	for (size_t k = 0; k < json_array_size(list); k++) {
		element = json_array_get(list, k);
		TRY(call_lambda(t, &l, &element, 1, &key));
		if (!json_is_string(key))
			return function_fail(t, call, "a key must be of type 'String'"); /* guessed */
		json_t *group = json_object_get(made, json_string_value(key));
		if (!group && json_object_set_new(made, json_string_value(key), group = json_array()))
			return ctx_no_memory(t->c);
		if (json_array_append(group, element))
			return ctx_no_memory(t->c);
	}
	return template_keep(t, TAKE(made), ret);
}

/* {key: the lambda's result for the value}. */
RUN(mapValues)
{
	json_t *object = NULL, *value = NULL, *made = NULL;
	const char *key;
	struct lambda l;
	TRY(expr_evaluate(t, call->expr->args[0], &object));
	if (!json_is_object(object))
		return function_fail(t, call, "the first argument must be of type 'Object'"); /* guessed */
	TRY(take_lambda(t, call, 1, &l));
	json_auto_t *to = json_object();
	json_object_foreach (object, key, value) {
		TRY(call_lambda(t, &l, &value, 1, &made));
		if (json_object_set(to, key, made))
			return ctx_no_memory(t->c);
	}
	return template_keep(t, TAKE(to), ret);
}

RUN(lambdaVariables)
{
	struct str name;
	TRY(function_text(t, call, 0, &name));
	for (const struct lambda_variable *v = t->lambda; v; v = v->up)
		if (str_equal_nocase(v->name, name)) {
			*ret = v->value;
			return OK;
		}
	return function_fail(t, call, "there is no lambda variable '%" STR_FMT "'", /* guessed */
			     STR_ARG(str_slice(name, 0, 64)));
}

static RESULT run_lambda(struct template *t, const struct template_call *call, json_t **ret)
{
	(void) ret;
	return function_fail(
		t, call, "a lambda stands only as an argument of a function that takes one"); /* guessed */
}

static const struct template_function rows[] = {
	{"map", 2, 2, run_map, FUNCTION_LAZY},
	{"filter", 2, 2, run_filter, FUNCTION_LAZY},
	{"reduce", 3, 3, run_reduce, FUNCTION_LAZY},
	{"sort", 2, 2, run_sort, FUNCTION_LAZY},
	{"toObject", 2, 3, run_toObject, FUNCTION_LAZY},
	{"groupBy", 2, 2, run_groupBy, FUNCTION_LAZY},
	{"mapValues", 2, 2, run_mapValues, FUNCTION_LAZY},
	{"lambdaVariables", 1, 1, run_lambdaVariables, 0},
	{"lambda", 1, VARIABLES_MAX + 1, run_lambda, FUNCTION_LAZY},
};
const struct template_functions template_lambdas = {rows, sizeof rows / sizeof rows[0]};
