/* SPDX-License-Identifier: Apache-2.0
 * Values: storing, measuring, and evaluation of nested expressions.
 */
#include "api/azure/template/internal.h"

#include <stdlib.h>

enum { BYTES_MAX = 64 * 1024 * 1024 }; /* limit of bytes that a template may create */

json_t *template_get(const json_t *object, const char *name)
{
	json_t *found = json_object_get(object, name);
	const char *key;
	json_t *value;
	if (found)
		return found;
	json_object_foreach ((json_t *) object, key, value)
		if (str_equal_nocase(str_from(key), str_from(name)))
			return value;
	return NULL;
}

void template_begin(struct template *t)
{
	t->depth = 0;
	t->turn = NULL;
	t->lambda = NULL;
	t->is_early = t->is_default = t->is_loose = false;
}

RESULT template_step(struct template *t, size_t count)
{
	t->steps += count;
	return t->steps <= TEMPLATE_STEPS_MAX
		       ? OK
		       : ctx_fail(t->c, ERR_INVALID,
				  "The template takes more work to evaluate than is allowed."); /* guessed */
}

/* Bytes or elements, and members, that one step of work covers. Members cost more: their names are compared. */
enum { STEP_SIZE = 16, STEP_MEMBERS = 4 };

RESULT template_step_over(struct template *t, const json_t *value)
{
	return template_step(t, (json_string_length(value) + json_array_size(value)) / STEP_SIZE +
					json_object_size(value) / STEP_MEMBERS);
}

/* ---- comparing ---- */

static RESULT compare_objects(struct template *t, const json_t *a, const json_t *b, bool *ret_are_equal)
{
	const char *key;
	json_t *member;
	*ret_are_equal = json_object_size(a) == json_object_size(b);
	json_object_foreach ((json_t *) a, key, member) {
		const json_t *other = *ret_are_equal ? json_object_get(b, key) : NULL;
		if (!other) {
			*ret_are_equal = false;
			return OK;
		}
		TRY(template_step(t, strlen(key) / STEP_SIZE));
		TRY(template_equal(t, member, other, ret_are_equal));
	}
	return OK;
}

static RESULT compare_lists(struct template *t, const json_t *a, const json_t *b, bool *ret_are_equal)
{
	size_t count = json_array_size(a);
	*ret_are_equal = count == json_array_size(b);
	for (size_t k = 0; k < count && *ret_are_equal; k++)
		TRY(template_equal(t, json_array_get(a, k), json_array_get(b, k), ret_are_equal));
	return OK;
}

RESULT template_equal(struct template *t, const json_t *a, const json_t *b, bool *ret_are_equal)
{
	TRY(template_step(t, 1));
	*ret_are_equal = a == b;
	if (a == b || !a || !b || json_typeof(a) != json_typeof(b))
		return OK;
	if (json_is_object(a))
		return compare_objects(t, a, b, ret_are_equal);
	if (json_is_array(a))
		return compare_lists(t, a, b, ret_are_equal);
	*ret_are_equal = json_equal(a, b);
	return json_string_length(a) == json_string_length(b) ? template_step_over(t, a) : OK;
}

RESULT template_has_element(struct template *t, const json_t *list, const json_t *wanted, bool *ret_has)
{
	*ret_has = false;
	for (size_t k = 0; k < json_array_size(list) && !*ret_has; k++)
		TRY(template_equal(t, json_array_get(list, k), wanted, ret_has));
	return OK;
}

/* ---- sizes ---- */

struct measure {
	size_t bytes, nodes;
};

/* Measures the value as written; stops at the limit, so that the check itself stays cheap. */
static bool measure(const json_t *value, unsigned depth, struct measure *m)
{
	const char *key;
	json_t *member;
	size_t k;
	m->nodes++;
	m->bytes += json_is_string(value) ? json_string_length(value) + 2 : 4;
	if (m->bytes > TEMPLATE_SIZE_MAX || depth > TEMPLATE_DEPTH_MAX)
		return false;
	json_object_foreach ((json_t *) value, key, member) {
		m->bytes += strlen(key) + 4;
		if (!measure(member, depth + 1, m))
			return false;
	}
	json_array_foreach (value, k, member)
		if (!measure(member, depth + 1, m))
			return false;
	return true;
}

RESULT template_keep(struct template *t, json_t *made, json_t **ret_value)
{
	struct measure m = {0};
	bool fits = made && measure(made, 0, &m);
	if (!made || json_array_append_new(t->kept, made))
		return ctx_no_memory(t->c);
	t->bytes += m.bytes;
	if (!fits || t->bytes > BYTES_MAX)
		return ctx_fail(t->c, ERR_INVALID,
				"The template's expanded size exceeds the limit of %d bytes, or is too deep.",
				TEMPLATE_SIZE_MAX); /* guessed */
	*ret_value = made;
	return template_step(t, m.nodes + m.bytes / STEP_SIZE);
}

RESULT template_keep_text(struct template *t, struct str text, json_t **ret_value)
{
	return template_keep(t, json_stringn(text.p ? text.p : "", text.n), ret_value);
}

const char *template_type_word(const json_t *value)
{
	static const char *const words[] = {
		[JSON_OBJECT] = "Object",   [JSON_ARRAY] = "Array", [JSON_STRING] = "String",
		[JSON_INTEGER] = "Integer", [JSON_REAL] = "Float",  [JSON_TRUE] = "Boolean",
		[JSON_FALSE] = "Boolean",   [JSON_NULL] = "Null",
	};
	return value ? words[json_typeof(value)] : "Null";
}

RESULT template_to_text(struct template *t, const json_t *value, struct str *ret_text)
{
	char *text = NULL;
	if (json_is_string(value)) {
		*ret_text = template_text_of(value);
		return OK;
	}
	if (json_is_boolean(value)) /* as .NET has it */
		*ret_text = json_is_true(value) ? STR("True") : STR("False");
	else if (!value || json_is_null(value))
		*ret_text = STR_NONE;
	else {
		text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
		if (!text)
			return ctx_no_memory(t->c);
		*ret_text = str_copy(t->c->arena, str_from(text));
		free(text);
	}
	return OK;
}

/* ---- working out ---- */

static RESULT resolve_text(struct template *t, const json_t *value, json_t **ret_value)
{
	const struct expr *x = NULL;
	struct str text = template_text_of(value), inner;
	if (str_starts_with(text, STR("[[")))
		return template_keep_text(t, str_slice(text, 1, text.n), ret_value);
	if (!expr_is_one(text, &inner)) {
		*ret_value = (json_t *) value;
		return OK;
	}
	TRY(expr_parse(t, inner, &x));
	struct result result = expr_evaluate(t, x, ret_value);
	if (result.code == ERR_AGAIN && t->is_loose) { /* stays an expression */
		ctx_clear_problem(t->c);
		*ret_value = (json_t *) value;
		return OK;
	}
	return result;
}

static RESULT resolve_list(struct template *t, const json_t *list, json_t *to)
{
	json_t *item, *made = NULL;
	size_t k;
	json_array_foreach (list, k, item) {
		TRY(template_resolve(t, item, &made));
		if (json_array_append(to, made))
			return ctx_no_memory(t->c);
	}
	return OK;
}

/* [{"name", "count", "input"}]: a member that is a list, with the input once for each turn. */
static bool is_copy(const char *key, const json_t *value)
{
	const json_t *first = json_array_get(value, 0);
	return str_equal_nocase(str_from(key), STR("copy")) && json_is_object(first) &&
	       template_get(first, "input");
}

RESULT template_unroll(struct template *t, const json_t *copy, struct str name, json_t **ret_list)
{
	json_auto_t *list = json_array();
	json_t *count = NULL, *made = NULL;
	const json_t *input = template_get(copy, "input");
	TRY(template_resolve_member(t, copy, "count", &count));
	int64_t n = json_is_integer(count) ? json_integer_value(count) : -1;
	if (n < 0 || n > TEMPLATE_RESOURCES_MAX || !input)
		return ctx_fail(t->c, ERR_INVALID,
				"The copy '%" STR_FMT "' is not valid: its 'count' must be a number from 0 "
				"to %d, and its 'input' be there. Please "
				"see https://aka.ms/arm-copy for usage details.",
				STR_ARG(str_slice(name, 0, 128)), TEMPLATE_RESOURCES_MAX);
	struct copy_turn turn = {.up = t->turn, .name = name, .is_inner = name.n > 0};
	struct result result = OK;
	for (t->turn = &turn; turn.index < n && result_is_ok(result); turn.index++) {
		result = template_resolve(t, input, &made);
		if (result_is_ok(result) && json_array_append(list, made))
			result = ctx_no_memory(t->c);
	}
	t->turn = turn.up; /* turn is on this function's stack */
	TRY(result);
	return template_keep(t, TAKE(list), ret_list);
}

static RESULT resolve_copies(struct template *t, const json_t *copies, json_t *to)
{
	json_t *copy, *name = NULL, *list = NULL;
	size_t k;
	json_array_foreach (copies, k, copy) {
		TRY(template_resolve_member(t, copy, "name", &name));
		if (!json_is_string(name))
			return ctx_fail(t->c, ERR_INVALID,
					"The copy definition has no 'name'. Please see "
					"https://aka.ms/arm-copy for usage "
					"details.");
		TRY(template_unroll(t, copy, template_text_of(name), &list));
		if (json_object_set(to, json_string_value(name), list))
			return ctx_no_memory(t->c);
	}
	return OK;
}

/* A name may be an expression, too. */
static RESULT resolve_object(struct template *t, const json_t *object, json_t *to)
{
	const char *key;
	json_t *value, *made = NULL, *name = NULL;
	struct str inner;
	json_object_foreach ((json_t *) object, key, value) {
		const char *z = key;
		if (is_copy(key, value)) {
			TRY(resolve_copies(t, value, to));
			continue;
		}
		if (expr_is_one(str_from(key), &inner)) {
			const struct expr *x = NULL;
			TRY(expr_parse(t, inner, &x));
			TRY(expr_evaluate(t, x, &name));
			if (!json_is_string(name))
				return ctx_fail(
					t->c, ERR_INVALID,
					"The language expression '%s' of a property's name is not a text.",
					key);
			z = json_string_value(name);
		}
		TRY(template_resolve(t, value, &made));
		if (json_object_set(to, z, made))
			return ctx_no_memory(t->c);
	}
	return OK;
}

enum { EVALUATION_DEPTH_MAX = 250 }; /* bound on nesting, which uses the C stack */

RESULT template_resolve(struct template *t, const json_t *value, json_t **ret_value)
{
	TRY(template_step(t, 1));
	if (json_is_string(value))
		return resolve_text(t, value, ret_value);
	if (!json_is_object(value) && !json_is_array(value)) {
		*ret_value = (json_t *) value;
		return OK;
	}
	if (t->depth >= EVALUATION_DEPTH_MAX)
		return ctx_fail(t->c, ERR_INVALID, "The template is too deep to be evaluated."); /* guessed */
	json_auto_t *to = json_is_object(value) ? json_object() : json_array();
	if (!to)
		return ctx_no_memory(t->c);
	t->depth++;
	TRY(json_is_object(value) ? resolve_object(t, value, to) : resolve_list(t, value, to));
	t->depth--;
	return template_keep(t, TAKE(to), ret_value);
}

RESULT template_resolve_member(struct template *t, const json_t *object, const char *name, json_t **ret_value)
{
	const json_t *value = template_get(object, name);
	*ret_value = NULL;
	TRY(template_step_over(t, object));
	if (!value)
		return OK;
	TRY(template_resolve(t, value, ret_value));
	if (json_is_null(*ret_value))
		*ret_value = NULL;
	return OK;
}
