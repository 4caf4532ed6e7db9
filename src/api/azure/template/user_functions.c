/* SPDX-License-Identifier: Apache-2.0
 * Functions that the template itself defines: [contoso.uniqueName('a')], and Bicep's `func` in the namespace __bicep. One sees
 * its own parameters, and neither the template's nor variables. Source: "User-defined functions in ARM template". */
#include "api/azure/template/internal.h"

/* *ret_definition NULL: there is none. */
static RESULT find_definition(struct template *t, struct str name, const json_t **ret_definition)
{
	const json_t *spaces = template_get(t->document, "functions"), *space;
	size_t dot = str_find_char(name, '.', 0), k;
	*ret_definition = NULL;
	json_array_foreach ((json_t *) spaces, k, space) {
		struct str word = template_text_of(template_get(space, "namespace"));
		TRY(template_step(t, 1));
		TRY(template_step_over(t, space));
		if (dot == name.n || !str_equal_nocase(word, str_slice(name, 0, dot)))
			continue;
		const json_t *members = template_get(space, "members");
		*ret_definition =
			template_get(members, str_to_z(t->c->arena, str_slice(name, dot + 1, name.n)));
		TRY(template_step_over(t, *ret_definition));
		return template_step_over(t, members);
	}
	return OK;
}

static bool fits(const json_t *parameter, const json_t *value)
{
	struct str type = template_text_of(template_get(parameter, "type"));
	if (json_is_null(value) && json_is_true(template_get(parameter, "nullable")))
		return true;
	if (str_equal_nocase(type, STR("string")))
		return json_is_string(value);
	if (str_equal_nocase(type, STR("int")))
		return json_is_integer(value);
	if (str_equal_nocase(type, STR("bool")))
		return json_is_boolean(value);
	if (str_equal_nocase(type, STR("object")))
		return json_is_object(value);
	return !str_equal_nocase(type, STR("array")) || json_is_array(value);
}

static RESULT take_argument(struct template *t, const struct expr *x, size_t k, const json_t *parameter,
			    struct template_argument *ret_argument)
{
	TRY(template_step_over(t, parameter));
	ret_argument->name = template_text_of(template_get(parameter, "name"));
	TRY(expr_evaluate(t, x->args[k], &ret_argument->value));
	if (fits(parameter, ret_argument->value))
		return OK;
	return ctx_fail(t->c, ERR_INVALID,
			"The argument %zu of the template function '%" STR_FMT "' must be of type '%" STR_FMT
			"', and is of type '%s'.", /* guessed */
			k + 1, STR_ARG(x->name), STR_ARG(template_text_of(template_get(parameter, "type"))),
			template_type_word(ret_argument->value));
}

RESULT user_function_call(struct template *t, const struct expr *x, json_t **ret_value)
{
	const json_t *definition = NULL, *parameters, *output;
	TRY(find_definition(t, x->name, &definition));
	if (!definition)
		return ctx_fail(t->c, ERR_INVALID,
				"The template function '%" STR_FMT
				"' is not valid. Please see https://aka.ms/arm-functions for usage details.",
				STR_ARG(str_slice(x->name, 0, 64)));
	parameters = template_get(definition, "parameters");
	output = template_get(template_get(definition, "output"), "value");
	size_t count = json_array_size(parameters);
	struct template_frame frame = {arena_new_array(t->c->arena, struct template_argument, count + 1),
				       count};
	if (!frame.at)
		return ctx_no_memory(t->c);
	if (count != x->arg_count)
		return ctx_fail(t->c, ERR_INVALID,
				"The template function '%" STR_FMT
				"' requires %zu argument(s) while %zu were provided.", /* guessed */
				STR_ARG(x->name), count, x->arg_count);
	for (size_t k = 0; k < count; k++)
		TRY(take_argument(t, x, k, json_array_get(parameters, k), &frame.at[k]));
	const struct template_frame *before = t->frame;
	const struct lambda_variable *lambda = t->lambda;
	const struct copy_turn *turn = t->turn;
	bool is_early = t->is_early;
	t->frame = &frame;
	t->lambda = NULL;
	t->turn = NULL;
	t->is_early = true; /* no reference() within */
	struct result result = template_resolve(t, output, ret_value);
	t->frame = before;
	t->lambda = lambda;
	t->turn = turn;
	t->is_early = is_early;
	return result;
}

RESULT user_function_parameter(struct template *t, struct str name, json_t **ret_value)
{
	for (size_t k = 0; k < t->frame->count; k++)
		if (str_equal_nocase(t->frame->at[k].name, name)) {
			*ret_value = t->frame->at[k].value;
			return OK;
		}
	return ctx_fail(
		t->c, ERR_INVALID,
		"The template parameter '%" STR_FMT
		"' is not found. Please see https://aka.ms/arm-template/#parameters for usage details.",
		STR_ARG(str_slice(name, 0, 64)));
}
