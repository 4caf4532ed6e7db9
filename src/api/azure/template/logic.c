/* SPDX-License-Identifier: Apache-2.0
 * Logical functions, and functions of null. Source: "Logical functions", "Comparison functions".
 */
#include "api/azure/template/internal.h"

#define RUN(name) static RESULT run_##name(struct template *t, const struct template_call *call, json_t **ret)

static RESULT take_bool(struct template *t, const struct template_call *call, const struct expr *x,
			bool *ret_value)
{
	json_t *value = NULL;
	TRY(expr_evaluate(t, x, &value));
	*ret_value = json_is_true(value);
	if (json_is_boolean(value))
		return OK;
	return function_fail(t, call,
			     "the argument must be of type 'Boolean', and is of type '%s'", /* guessed */
			     template_type_word(value));
}

/* Evaluates only the chosen branch: the other may refer to something that does not exist. */
RUN(if)
{
	bool holds = false;
	TRY(take_bool(t, call, call->expr->args[0], &holds));
	return expr_evaluate(t, call->expr->args[holds ? 1 : 2], ret);
}

static RESULT decide(struct template *t, const struct template_call *call, bool ends_at, json_t **ret)
{
	bool holds = !ends_at;
	for (size_t k = 0; k < call->count && holds != ends_at; k++)
		TRY(take_bool(t, call, call->expr->args[k], &holds));
	*ret = json_boolean(holds);
	return OK;
}
RUN(and)
{
	return decide(t, call, false, ret);
}
RUN(or)
{
	return decide(t, call, true, ret);
}

RUN(not )
{
	bool holds = false;
	TRY(take_bool(t, call, call->expr->args[0], &holds));
	*ret = json_boolean(!holds);
	return OK;
}

RUN(equals)
{
	bool are_equal = false;
	TRY(template_equal(t, call->args[0], call->args[1], &are_equal));
	*ret = json_boolean(are_equal);
	return OK;
}

/* Numbers, or texts. */
static RESULT compare(struct template *t, const struct template_call *call, int *ret_order)
{
	int64_t a = 0, b = 0;
	struct str x, y;
	if (json_is_string(call->args[0])) {
		TRY(function_text(t, call, 0, &x));
		TRY(function_text(t, call, 1, &y));
		*ret_order = str_compare(x, y);
		return OK;
	}
	TRY(function_int(t, call, 0, &a));
	TRY(function_int(t, call, 1, &b));
	*ret_order = a < b ? -1 : a > b;
	return OK;
}
#define COMPARISON(name, holds)                                                                              \
	RUN(name)                                                                                            \
	{                                                                                                    \
		int order = 0;                                                                               \
		TRY(compare(t, call, &order));                                                               \
		*ret = json_boolean(order holds 0);                                                          \
		return OK;                                                                                   \
	}
COMPARISON(less, <)
COMPARISON(less_or_equal, <=)
COMPARISON(greater, >)
COMPARISON(greater_or_equal, >=)

RUN(coalesce)
{
	for (size_t k = 0; k < call->count; k++) {
		TRY(expr_evaluate(t, call->expr->args[k], ret));
		if (!json_is_null(*ret))
			return OK;
	}
	return OK;
}

RUN(bool)
{
	const json_t *v = call->args[0];
	struct str text = template_text_of(v);
	bool value = json_is_true(v) || json_integer_value(v) != 0;
	if (!json_is_boolean(v) && !json_is_integer(v) && !result_is_ok(str_parse_bool(text, &value)))
		return function_fail(t, call,
				     "the value '%" STR_FMT "' can't be converted to a boolean", /* guessed */
				     STR_ARG(str_slice(text, 0, 64)));
	*ret = json_boolean(value);
	return OK;
}

#define CONSTANT(name, value)                                                                                \
	RUN(name)                                                                                            \
	{                                                                                                    \
		(void) t;                                                                                    \
		(void) call;                                                                                 \
		*ret = (value);                                                                              \
		return OK;                                                                                   \
	}
CONSTANT(yes, json_true())
CONSTANT(no, json_false())
CONSTANT(nothing, json_null())

/* Ends the deployment with the author's own sentence. */
RUN(fail)
{
	struct str message;
	(void) ret;
	TRY(function_text(t, call, 0, &message));
	return function_fail(t, call, "%" STR_FMT, STR_ARG(str_slice(message, 0, 1024)));
}

static const struct template_function rows[] = {
	{"fail", 1, 1, run_fail, 0},
	{"if", 3, 3, run_if, FUNCTION_LAZY},
	{"and", 1, ARGS_ANY, run_and, FUNCTION_LAZY},
	{"or", 1, ARGS_ANY, run_or, FUNCTION_LAZY},
	{"not", 1, 1, run_not, FUNCTION_LAZY},
	{"equals", 2, 2, run_equals, 0},
	{"less", 2, 2, run_less, 0},
	{"lessOrEquals", 2, 2, run_less_or_equal, 0},
	{"greater", 2, 2, run_greater, 0},
	{"greaterOrEquals", 2, 2, run_greater_or_equal, 0},
	{"coalesce", 1, ARGS_ANY, run_coalesce, FUNCTION_LAZY},
	{"bool", 1, 1, run_bool, 0},
	{"true", 0, 0, run_yes, 0},
	{"false", 0, 0, run_no, 0},
	{"null", 0, 0, run_nothing, 0},
};
const struct template_functions template_logic = {rows, sizeof rows / sizeof rows[0]};
