/* SPDX-License-Identifier: Apache-2.0
 * Functions of numbers. Source: "Numeric functions" of Azure's documentation. */
#include <math.h>
#include <stdlib.h>

#include "api/azure/template/internal.h"

#define RUN(name) static RESULT run_##name(struct template *t, const struct template_call *call, json_t **ret)

/* add, sub, mul, div, mod; refuses a result that does not fit into 64 bits. */
static RESULT calculate(struct template *t, const struct template_call *call, char sign, json_t **ret)
{
	int64_t a = 0, b = 0, value = 0;
	TRY(function_int(t, call, 0, &a));
	TRY(function_int(t, call, 1, &b));
	bool is_division = sign == '/' || sign == '%';
	bool fails = sign == '+'   ? __builtin_add_overflow(a, b, &value)
		     : sign == '-' ? __builtin_sub_overflow(a, b, &value)
		     : sign == '*' ? __builtin_mul_overflow(a, b, &value)
				   : b == 0 || (a == INT64_MIN && b == -1);
	if (fails)
		return function_fail(t, call,
				     is_division && !b ? "division by zero"
						       : "the result is out of range"); /* guessed */
	if (is_division)
		value = sign == '/' ? a / b : a % b;
	return template_keep(t, json_integer(value), ret);
}
RUN(add)
{
	return calculate(t, call, '+', ret);
}
RUN(sub)
{
	return calculate(t, call, '-', ret);
}
RUN(mul)
{
	return calculate(t, call, '*', ret);
}
RUN(div)
{
	return calculate(t, call, '/', ret);
}
RUN(mod)
{
	return calculate(t, call, '%', ret);
}

/* Least or greatest of the arguments, or of the elements if the only argument is a list. */
static RESULT find_extreme(struct template *t, const struct template_call *call, bool wants_max, json_t **ret)
{
	bool is_list = call->count == 1 && json_is_array(call->args[0]);
	size_t count = is_list ? json_array_size(call->args[0]) : call->count;
	int64_t found = 0;
	for (size_t k = 0; k < count; k++) {
		const json_t *value = is_list ? json_array_get(call->args[0], k) : call->args[k];
		int64_t n = json_integer_value(value);
		if (!json_is_integer(value))
			return function_fail(t, call,
					     "all arguments must be of type 'Integer'"); /* guessed */
		found = !k || (n > found) == wants_max ? n : found;
	}
	if (!count)
		return function_fail(t, call, "the array must not be empty"); /* guessed */
	return template_keep(t, json_integer(found), ret);
}
RUN(min)
{
	return find_extreme(t, call, false, ret);
}
RUN(max)
{
	return find_extreme(t, call, true, ret);
}

RUN(int)
{
	int64_t value = 0;
	if (json_is_integer(call->args[0])) {
		*ret = call->args[0];
		return OK;
	}
	struct str text = template_text_of(call->args[0]);
	if (!result_is_ok(str_parse_int(text, &value)))
		return function_fail(
			t, call, "the value '%" STR_FMT "' can't be converted to an integer", /* guessed */
			STR_ARG(str_slice(text, 0, 64)));
	return template_keep(t, json_integer(value), ret);
}

RUN(float)
{
	struct str text = template_text_of(call->args[0]);
	if (json_is_number(call->args[0])) {
		*ret = call->args[0];
		return OK;
	}
	const char *z = str_to_z(t->c->arena, text);
	char *end = NULL;
	double value = z ? strtod(z, &end) : 0;
	if (!text.n || end != z + text.n || !isfinite(value))
		return function_fail(t, call,
				     "the value '%" STR_FMT "' can't be converted to a float", /* guessed */
				     STR_ARG(str_slice(text, 0, 64)));
	return template_keep(t, json_real(value), ret);
}

static const struct template_function rows[] = {
	{"add", 2, 2, run_add, 0},        {"sub", 2, 2, run_sub, 0}, {"mul", 2, 2, run_mul, 0},
	{"div", 2, 2, run_div, 0},        {"mod", 2, 2, run_mod, 0}, {"min", 1, ARGS_ANY, run_min, 0},
	{"max", 1, ARGS_ANY, run_max, 0}, {"int", 1, 1, run_int, 0}, {"float", 1, 1, run_float, 0},
};
const struct template_functions template_numbers = {rows, sizeof rows / sizeof rows[0]};
