/* SPDX-License-Identifier: Apache-2.0
 * Parameters and variables. Source: "Parameters in ARM templates", "Variables in ARM templates". */
#include "api/azure/template/internal.h"
#include "base/letters.h"

#define HELP "Please see https://aka.ms/arm-create-parameter-file for usage details."

/* ---- types ---- */

struct type {
	const char *name;  /* in templates, in any letter case */
	const char *shown; /* in answers */
	json_type json;    /* JSON_TRUE: either of the two */
	bool is_secure;
};
static const struct type types[] = {
	{"string", "String", JSON_STRING, false}, {"securestring", "SecureString", JSON_STRING, true},
	{"int", "Int", JSON_INTEGER, false},      {"bool", "Bool", JSON_TRUE, false},
	{"object", "Object", JSON_OBJECT, false}, {"secureobject", "SecureObject", JSON_OBJECT, true},
	{"array", "Array", JSON_ARRAY, false},
};

/* Resolves "$ref": "#/definitions/name". */
static const json_t *find_definition(const struct template *t, const json_t *definition)
{
	const json_t *named = template_get(definition, "$ref");
	struct str path = template_text_of(named), prefix = STR("#/definitions/");
	if (!str_starts_with(path, prefix))
		return definition;
	return template_get(template_get(t->document, "definitions"), json_string_value(named) + prefix.n);
}

static const struct type *find_type(const struct template *t, const json_t *definition)
{
	struct str name = template_text_of(template_get(find_definition(t, definition), "type"));
	for (size_t k = 0; k < sizeof types / sizeof types[0]; k++)
		if (str_equal_nocase(str_from(types[k].name), name))
			return &types[k];
	return NULL;
}

static bool fits_type(const struct type *type, const json_t *value)
{
	return type->json == JSON_TRUE ? json_is_boolean(value) : json_typeof(value) == type->json;
}

static const char *word_of(const struct type *type)
{
	static const char *const words[] = {[JSON_STRING] = "String, Uri",
					    [JSON_INTEGER] = "Integer",
					    [JSON_TRUE] = "Boolean",
					    [JSON_OBJECT] = "Object",
					    [JSON_ARRAY] = "Array"};
	return words[type->json];
}

/* ---- one parameter ---- */

static bool is_nullable(const struct template *t, const struct template_named *p)
{
	return json_is_true(template_get(p->definition, "nullable")) ||
	       json_is_true(template_get(find_definition(t, p->definition), "nullable"));
}

static RESULT fail_value(struct template *t, const struct template_named *p, const char *words,
			 long long limit)
{
	return ctx_fail(t->c, ERR_INVALID,
			"The provided value for the template parameter '%s' at line '' and column '' is not "
			"valid. %s '%lld'.",
			p->name, words, limit);
}

static RESULT check_range(struct template *t, const struct template_named *p)
{
	const json_t *from = template_get(p->definition, "minValue"),
		     *to = template_get(p->definition, "maxValue");
	const json_t *least = template_get(p->definition, "minLength"),
		     *most = template_get(p->definition, "maxLength");
	json_int_t value = json_integer_value(p->value);
	json_int_t length = json_is_array(p->value) ? (json_int_t) json_array_size(p->value)
						    : (json_int_t) json_string_length(p->value);
	bool has_length = json_is_string(p->value) || json_is_array(p->value);
	if (json_is_integer(p->value) && json_is_integer(from) && value < json_integer_value(from))
		return fail_value(t, p, "The value should be greater than or equal to",
				  json_integer_value(from));
	if (json_is_integer(p->value) && json_is_integer(to) && value > json_integer_value(to))
		return fail_value(t, p, "The value should be less than or equal to", json_integer_value(to));
	if (has_length && json_is_integer(least) && length < json_integer_value(least))
		return fail_value(t, p, "Length of the value should be greater than or equal to",
				  json_integer_value(least));
	if (has_length && json_is_integer(most) && length > json_integer_value(most))
		return fail_value(t, p, "Length of the value should be less than or equal to",
				  json_integer_value(most));
	return OK;
}

/* Compares strings without regard to case, as ARM does (bicep issue 2489). */
static RESULT find_element(struct template *t, const json_t *allowed, const json_t *value, bool *ret_is_one)
{
	json_t *element;
	size_t k;
	*ret_is_one = false;
	json_array_foreach (allowed, k, element) {
		bool are_texts = json_is_string(element) && json_is_string(value);
		TRY(template_step_over(t, element));
		TRY(template_step_over(t, value));
		TRY(template_equal(t, element, value, ret_is_one));
		if (are_texts)
			*ret_is_one = str_equal(str_lower_all(t->c->arena, template_text_of(element)),
						str_lower_all(t->c->arena, template_text_of(value)));
		if (*ret_is_one)
			return OK;
	}
	return OK;
}

/* A list is allowed as a whole, or if each of its elements is allowed. */
static RESULT find_allowed(struct template *t, const json_t *allowed, const json_t *value,
			   bool *ret_is_allowed)
{
	*ret_is_allowed = !json_is_array(allowed);
	if (!*ret_is_allowed)
		TRY(find_element(t, allowed, value, ret_is_allowed));
	if (*ret_is_allowed || !json_is_array(value))
		return OK;
	*ret_is_allowed = true;
	for (size_t k = 0; k < json_array_size(value) && *ret_is_allowed; k++)
		TRY(find_element(t, allowed, json_array_get(value, k), ret_is_allowed));
	return OK;
}

/* Error messages leave out the values of secure parameters. */
static RESULT check_allowed(struct template *t, const struct template_named *p)
{
	const json_t *allowed = template_get(p->definition, "allowedValues");
	struct str all = STR_NONE, one = STR_NONE, value = STR_NONE;
	json_t *element;
	bool is_allowed = false;
	size_t k;
	TRY(find_allowed(t, allowed, p->value, &is_allowed));
	if (is_allowed)
		return OK;
	json_array_foreach (allowed, k, element) {
		TRY(template_to_text(t, element, &one));
		if (all.n < 1024)
			all = str_print(t->c->arena, "%" STR_FMT "%s%" STR_FMT, STR_ARG(all), k ? "," : "",
					STR_ARG(one));
	}
	if (!p->is_secure)
		TRY(template_to_text(t, p->value, &value));
	return ctx_fail(t->c, ERR_INVALID,
			"The provided value '%" STR_FMT
			"' for the template parameter '%s' at line '' and column '' is not valid. The "
			"parameter value is not part "
			"of the allowed value(s): '%" STR_FMT "'.",
			STR_ARG(str_slice(value, 0, 256)), p->name, STR_ARG(all));
}

static RESULT check_value(struct template *t, struct template_named *p)
{
	const struct type *type = find_type(t, p->definition);
	if (!type)
		return ctx_fail(t->c, ERR_INVALID,
				"The template parameter '%s' at line '' and column '' has no type, or one "
				"that is not valid. " HELP, /* guessed */
				p->name);
	p->is_secure = type->is_secure;
	if (json_is_null(p->value) && is_nullable(t, p))
		return OK;
	if (!fits_type(type, p->value))
		return ctx_fail(
			t->c, ERR_INVALID,
			"Template parameter JToken type is not valid. Expected '%s'. Actual '%s'. " HELP,
			word_of(type), template_type_word(p->value));
	TRY(check_allowed(t, p));
	return check_range(t, p);
}

static RESULT work_out_default(struct template *t, struct template_named *p, const json_t *value)
{
	bool was_early = t->is_early, was_default = t->is_default;
	t->is_early = t->is_default = true;
	TRY(template_resolve(t, value, &p->value));
	t->is_early = was_early;
	t->is_default = was_default;
	return OK;
}

/* Evaluates the default unless a value was given. */
static RESULT work_out(struct template *t, struct template_named *p)
{
	const json_t *value = template_get(p->definition, "defaultValue");
	if (p->is_open)
		return ctx_fail(
			t->c, ERR_INVALID,
			"The template parameter '%s' is not valid: its default value refers to itself.",
			p->name); /* guessed */
	p->is_open = true;
	if (p->value)
		; /* as given */
	else if (value)
		TRY(work_out_default(t, p, value));
	else if (is_nullable(t, p))
		p->value = json_null();
	else
		return ctx_fail(t->c, ERR_INVALID,
				"The value for the template parameter '%s' at line '' and column '' is not "
				"provided. " HELP,
				p->name);
	p->is_open = false;
	return OK;
}

/* ---- all of them ---- */

static struct template_named *find_named(struct template_named *all, size_t count, struct str name)
{
	for (size_t k = 0; k < count; k++)
		if (str_equal_nocase(str_from(all[k].name), name))
			return &all[k];
	return NULL;
}

/* Counts the comparison of a name with each of the names. */
static RESULT step_names(struct template *t, size_t count, struct str name)
{
	return template_step(t, 1 + count / 16 + count * name.n / 256);
}

static RESULT take_all(struct template *t, const char *what, size_t max, struct template_named **ret_all,
		       size_t *ret_count)
{
	const json_t *all = template_get(t->document, what);
	const char *name;
	json_t *definition;
	size_t n = 0;
	if (all && !json_is_object(all) && !json_is_null(all))
		return ctx_fail(t->c, ERR_INVALID, "The template's '%s' must be an object.",
				what); /* guessed */
	size_t count = json_object_size(all);
	if (count > max)
		return ctx_fail(t->c, ERR_INVALID,
				"The number of template %s limit exceeded. Limit: '%zu' and actual: '%zu'. "
				"Please see "
				"https://aka.ms/arm-template/#%s for usage details.",
				what, max, count, what);
	struct template_named *to = arena_new_array(t->c->arena, struct template_named, count + 1);
	if (!to)
		return ctx_no_memory(t->c);
	json_object_foreach ((json_t *) all, name, definition)
		to[n++] = (struct template_named){.name = name, .definition = definition};
	*ret_all = to;
	*ret_count = n;
	return OK;
}

static RESULT fail_unknown(struct template *t, const char *name)
{
	struct str all = STR_NONE;
	for (size_t k = 0; k < t->parameter_count && all.n < 1024; k++)
		all = str_print(t->c->arena, "%" STR_FMT "%s%s", STR_ARG(all), k ? ", " : "",
				t->parameters[k].name);
	return ctx_fail(t->c, ERR_INVALID,
			"The template parameters '%s' in the parameters file are not valid; they are not "
			"present in the original "
			"template and can therefore not be provided at deployment time. The only supported "
			"parameters for this "
			"template are '%" STR_FMT
			"'. Please see https://aka.ms/arm-pass-parameter-values for usage details.",
			name, STR_ARG(all));
}

static RESULT take_given(struct template *t, const json_t *given)
{
	const char *name;
	json_t *wrapped;
	if (given && !json_is_object(given) && !json_is_null(given))
		return ctx_fail(t->c, ERR_INVALID, "The parameters must be an object. " HELP); /* guessed */
	json_object_foreach ((json_t *) given, name, wrapped) {
		TRY(step_names(t, t->parameter_count, str_from(name)));
		struct template_named *p = find_named(t->parameters, t->parameter_count, str_from(name));
		json_t *value = template_get(wrapped, "value");
		if (!p)
			return fail_unknown(t, name);
		if (template_get(wrapped, "reference"))
			return ctx_fail(t->c, ERR_INVALID,
					"The parameter '%s' is a reference to a key vault, which is not "
					"supported here.",
					name);
		if (!json_is_object(wrapped) || !value)
			return ctx_fail(t->c, ERR_INVALID,
					"The value of deployment parameter '%s' is null. " HELP, name);
		p->value = json_is_null(value) && !is_nullable(t, p) ? NULL : value; /* null: the default */
	}
	return OK;
}

RESULT template_open_parameters(struct template *t, const json_t *given)
{
	TRY(take_all(t, "parameters", TEMPLATE_PARAMETERS_MAX, &t->parameters, &t->parameter_count));
	TRY(take_given(t, given));
	for (size_t k = 0; k < t->parameter_count; k++) {
		TRY(work_out(t, &t->parameters[k]));
		TRY(check_value(t, &t->parameters[k]));
	}
	return OK;
}

RESULT template_find_parameter(struct template *t, struct str name, json_t **ret_value)
{
	TRY(step_names(t, t->parameter_count, name));
	struct template_named *p = find_named(t->parameters, t->parameter_count, name);
	if (!p)
		return ctx_fail(t->c, ERR_INVALID,
				"The template parameter '%" STR_FMT
				"' is not found. Please see https://aka.ms/arm-template/#parameters for "
				"usage details.",
				STR_ARG(str_slice(name, 0, 128)));
	if (!p->value || p->is_open)
		TRY(work_out(t, p));
	*ret_value = p->value;
	return OK;
}

/* ---- variables ---- */

/* {"copy": [{"name", "count", "input"}]} among variables makes a variable of each. */
static RESULT spread_copies(struct template *t)
{
	const json_t *copies = template_get(template_get(t->document, "variables"), "copy");
	size_t n = 0, count = t->variable_count + json_array_size(copies);
	json_t *copy;
	size_t k;
	struct template_named *to = arena_new_array(t->c->arena, struct template_named, count + 1);
	if (!to)
		return ctx_no_memory(t->c);
	for (size_t v = 0; v < t->variable_count; v++)
		if (t->variables[v].definition != copies || !json_is_array(copies))
			to[n++] = t->variables[v];
	json_array_foreach (copies, k, copy) {
		const json_t *name = template_get(copy, "name");
		if (!json_is_string(name))
			return ctx_fail(t->c, ERR_INVALID,
					"The copy definition of a variable has no 'name'."); /* guessed */
		to[n++] = (struct template_named){
			.name = json_string_value(name), .definition = copy, .is_copy = true};
	}
	t->variables = to;
	t->variable_count = n;
	return OK;
}

RESULT template_open_variables(struct template *t)
{
	json_t *value = NULL;
	TRY(take_all(t, "variables", TEMPLATE_VARIABLES_MAX, &t->variables, &t->variable_count));
	TRY(spread_copies(t));
	t->is_early = true;
	for (size_t k = 0; k < t->variable_count; k++)
		TRY(template_find_variable(t, str_from(t->variables[k].name), &value));
	t->is_early = false;
	return OK;
}

static RESULT work_out_variable(struct template *t, struct template_named *v)
{
	const struct copy_turn *turn = t->turn;
	t->turn = NULL;
	if (v->is_copy)
		TRY(template_unroll(t, v->definition, str_from(v->name), &v->value));
	else
		TRY(template_resolve(t, v->definition, &v->value));
	t->turn = turn;
	return OK;
}

RESULT template_find_variable(struct template *t, struct str name, json_t **ret_value)
{
	TRY(step_names(t, t->variable_count, name));
	struct template_named *v = find_named(t->variables, t->variable_count, name);
	if (!v)
		return ctx_fail(t->c, ERR_INVALID,
				"The template variable '%" STR_FMT
				"' is not found. Please see https://aka.ms/arm-template/#variables for usage "
				"details.",
				STR_ARG(str_slice(name, 0, 128)));
	if (v->is_open)
		return ctx_fail(t->c, ERR_INVALID,
				"The template variable '%s' is not valid: it refers to itself.",
				v->name); /* guessed */
	v->is_open = true;
	if (!v->value)
		TRY(work_out_variable(t, v));
	v->is_open = false;
	*ret_value = v->value;
	return OK;
}

/* ---- parameters as answers show them ---- */

static RESULT make_parameters(struct template *t, bool shows_secrets, json_t **ret_parameters)
{
	json_auto_t *to = json_object();
	for (size_t k = 0; k < t->parameter_count; k++) {
		const struct template_named *p = &t->parameters[k];
		json_t *one = json_pack("{s:s}", "type", find_type(t, p->definition)->shown);
		bool is_shown = shows_secrets || !p->is_secure;
		if (!one || json_object_set_new(to, p->name, one) ||
		    (is_shown && json_object_set(one, "value", p->value)))
			return ctx_no_memory(t->c);
	}
	return template_keep(t, TAKE(to), ret_parameters);
}

RESULT template_make_parameters(struct template *t, bool shows_secrets, json_t **ret_parameters)
{
	struct heap_budget *before = heap_budget_use(&t->budget);
	return template_end(t, before, make_parameters(t, shows_secrets, ret_parameters));
}

/* Evaluates values again that were derived from secrets. */
static RESULT hide_secrets(struct template *t)
{
	template_begin(t);
	for (size_t k = 0; k < t->parameter_count; k++)
		if (t->parameters[k].is_secure && json_is_string(t->parameters[k].value))
			TRY(template_keep_text(t, STR("*******"), &t->parameters[k].value));
		else if (t->parameters[k].is_secure)
			TRY(template_keep(t, json_object(), &t->parameters[k].value));
	for (size_t k = 0; k < t->variable_count; k++)
		t->variables[k].value = NULL;
	return OK;
}

RESULT template_hide_secrets(struct template *t)
{
	struct heap_budget *before = heap_budget_use(&t->budget);
	return template_end(t, before, hide_secrets(t));
}

/* ---- outputs ---- */

static RESULT work_out_output(struct template *t, const char *name, const json_t *definition,
			      json_t **ret_value)
{
	const json_t *copy = template_get(definition, "copy"), *value = template_get(definition, "value");
	struct result result;
	if (copy) /* whose turn has no name: copyIndex() is its own */
		result = template_unroll(t, copy, STR_NONE, ret_value);
	else
		result = value ? template_resolve(t, value, ret_value)
			       : ctx_fail(t->c, ERR_INVALID, "it has no value"); /* guessed */
	if (result.code != ERR_INVALID)
		return result;
	struct str why = t->c->problem.message;
	ctx_clear_problem(t->c);
	return ctx_fail(t->c, ERR_INVALID, "The template output '%s' is not valid: %" STR_FMT ".", name,
			STR_ARG(why));
}

static RESULT add_output(struct template *t, json_t *to, const char *name, const json_t *definition)
{
	const struct type *type = find_type(t, definition);
	json_t *value = NULL, *condition = NULL, *one;
	TRY(template_resolve_member(t, definition, "condition", &condition));
	if (json_is_false(condition))
		return OK;
	TRY(work_out_output(t, name, definition, &value));
	if (!type || (!fits_type(type, value) && !json_is_null(value) && !t->is_loose))
		return ctx_fail(
			t->c, ERR_INVALID,
			"The template output '%s' is not valid: Template output JToken type is not valid. "
			"Expected '%s'. "
			"Actual '%s'. Please see https://aka.ms/arm-template/#outputs for usage details.",
			name, type ? word_of(type) : "", template_type_word(value));
	one = json_pack("{s:s}", "type", type->shown);
	if (!one || json_object_set_new(to, name, one) ||
	    (!type->is_secure && json_object_set(one, "value", value)))
		return ctx_no_memory(t->c);
	return OK;
}

static RESULT make_outputs(struct template *t, json_t **ret_outputs)
{
	const json_t *outputs = template_get(t->document, "outputs");
	json_auto_t *to = json_object();
	const char *name;
	json_t *definition;
	if (json_object_size(outputs) > TEMPLATE_OUTPUTS_MAX)
		return ctx_fail(t->c, ERR_INVALID,
				"The number of template outputs limit exceeded. Limit: '%d' and actual: "
				"'%zu'. Please see "
				"https://aka.ms/arm-template/#outputs for usage details.",
				TEMPLATE_OUTPUTS_MAX, json_object_size(outputs));
	template_begin(t);
	json_object_foreach ((json_t *) outputs, name, definition)
		TRY(add_output(t, to, name, definition));
	return template_keep(t, TAKE(to), ret_outputs);
}

RESULT template_make_outputs(struct template *t, json_t **ret_outputs)
{
	struct heap_budget *before = heap_budget_use(&t->budget);
	return template_end(t, before, make_outputs(t, ret_outputs));
}
