/* SPDX-License-Identifier: Apache-2.0
 * Dependencies between resources: from dependsOn, reference() and serial copies. Source: "Define
 * the order for deploying resources". */
#include "api/azure/template/internal.h"

/* ---- names ---- */

static bool is_type_and_name(const struct template_resource *r, struct str name)
{
	return name.n == r->type.n + 1 + r->name.n && name.p[r->type.n] == '/' &&
	       str_equal_nocase(str_slice(name, 0, r->type.n), r->type) &&
	       str_equal_nocase(str_slice(name, r->type.n + 1, name.n), r->name);
}

/* A name is an id, a relative id ("NS/virtualNetworks/v/subnets/s"), a type with a name, a symbol, or a name alone. */
static bool is_called(const struct template_resource *r, struct str name)
{
	if (str_starts_with(name, STR("/")))
		return str_equal_nocase(name, r->id);
	return (r->symbol.n && str_equal_nocase(name, r->symbol)) ||
	       str_equal_nocase(name, r->part->relative) || is_type_and_name(r, name) ||
	       str_equal_nocase(name, r->name);
}

/* Counts the comparison of a name with the names of each resource. */
static RESULT step_names(struct template *t, struct str name)
{
	return template_step(t, 1 + t->resource_count / 8 + t->resource_count * name.n / 256);
}

RESULT template_find_resource(struct template *t, struct str name, size_t *ret_resource)
{
	size_t found = TEMPLATE_NO_RESOURCE;
	TRY(step_names(t, name));
	for (size_t k = 0; k < t->resource_count; k++)
		if (is_called(&t->resources[k], name) &&
		    (found == TEMPLATE_NO_RESOURCE || t->resources[found].is_left_out ||
		     t->resources[found].is_existing))
			found = k;
	*ret_resource = found;
	return OK;
}

/* ---- collecting ---- */

struct needs {
	struct template *t;
	size_t of;    /* resource that has the needs */
	uint8_t *has; /* for each resource */
};

static void add(struct needs *n, size_t k)
{
	n->has[k] = true;
}

bool template_is_turn(const struct template_resource *r, struct str name)
{
	size_t bracket = str_find_char(r->symbol, '[', 0);
	return str_equal_nocase(r->part->copy_name, name) ||
	       (bracket < r->symbol.n && str_equal_nocase(str_slice(r->symbol, 0, bracket), name));
}

/* Adds all iterations of the copy of that name or symbol. */
static bool add_copy(struct needs *n, struct str name)
{
	bool found = false;
	for (size_t k = 0; k < n->t->resource_count; k++) {
		if (!template_is_turn(&n->t->resources[k], name))
			continue;
		add(n, k);
		found = true;
	}
	return found;
}

/* A copy without iterations exists, but has no resources. */
static RESULT find_empty_copy(struct template *t, struct str name, bool *ret_is_there)
{
	const json_t *resources = template_get(t->document, "resources");
	const char *symbol;
	json_t *definition;
	size_t k;
	json_array_foreach (resources, k, definition) {
		const json_t *copy = template_get(definition, "copy");
		TRY(template_step(t, 1));
		TRY(template_step_over(t, definition));
		TRY(template_step_over(t, copy));
		if (str_equal_nocase(template_text_of(template_get(copy, "name")), name))
			*ret_is_there = true;
	}
	json_object_foreach ((json_t *) resources, symbol, definition) {
		TRY(template_step(t, 1));
		if (str_equal_nocase(str_from(symbol), name))
			*ret_is_there = true;
	}
	return OK;
}

static RESULT add_named(struct needs *n, struct str name)
{
	size_t k = TEMPLATE_NO_RESOURCE;
	TRY(template_find_resource(n->t, name, &k));
	if (k != TEMPLATE_NO_RESOURCE) {
		add(n, k);
		return OK;
	}
	bool is_copy = add_copy(n, name);
	if (!is_copy)
		TRY(find_empty_copy(n->t, name, &is_copy));
	if (is_copy)
		return OK;
	return ctx_fail(
		n->t->c, ERR_INVALID,
		"The resource '%" STR_FMT
		"' is not defined in the template. Please see https://aka.ms/arm-syntax for usage details.",
		STR_ARG(str_slice(name, 0, 512)));
}

static RESULT add_explicit(struct needs *n, const json_t *depends)
{
	json_t *list = NULL, *name;
	size_t k;
	TRY(template_resolve(n->t, depends, &list));
	if (!json_is_array(list))
		return ctx_fail(n->t->c, ERR_INVALID,
				"The 'dependsOn' must be of type 'Array', and is of type '%s'.", /* guessed */
				template_type_word(list));
	json_array_foreach (list, k, name) {
		if (!json_is_string(name))
			return ctx_fail(
				n->t->c, ERR_INVALID,
				"Each element of 'dependsOn' must be of type 'String'."); /* guessed */
		TRY(add_named(n, template_text_of(name)));
	}
	return OK;
}

/* ---- references in expressions ---- */

/* References by expressions that cannot be evaluated yet are found when the resource is deployed. */
static RESULT add_reference(struct needs *n, const struct expr *name)
{
	json_t *value = NULL;
	struct result result = expr_evaluate(n->t, name, &value);
	if (result.code == ERR_INVALID) {
		ctx_clear_problem(n->t->c);
		n->t->depth = 0;
		return template_step(n->t, 0);
	}
	TRY(result);
	size_t k = TEMPLATE_NO_RESOURCE;
	if (json_is_string(value))
		TRY(template_find_resource(n->t, template_text_of(value), &k));
	if (k != TEMPLATE_NO_RESOURCE)
		add(n, k);
	else if (json_is_string(value))
		(void) add_copy(n, template_text_of(value)); /* references() */
	return OK;
}

static RESULT walk_expr(struct needs *n, const struct expr *x)
{
	bool is_reference = x->type == EXPR_CALL && x->arg_count &&
			    (str_equal_nocase(x->name, STR("reference")) ||
			     str_equal_nocase(x->name, STR("references")) ||
			     str_equal_nocase(str_slice(x->name, 0, 4), STR("list")));
	if (is_reference)
		TRY(add_reference(n, x->args[0]));
	for (size_t k = 0; k < x->arg_count; k++)
		TRY(walk_expr(n, x->args[k]));
	return OK;
}

static bool has_reference(struct str text)
{
	for (size_t k = 0; k + 4 <= text.n; k++)
		if (str_equal_nocase(str_slice(text, k, k + 4), STR("list")) ||
		    str_equal_nocase(str_slice(text, k, k + 9), STR("reference")))
			return true;
	return false;
}

static RESULT walk_value(struct needs *n, const json_t *value)
{
	const char *name;
	json_t *member;
	size_t k;
	struct str inner;
	const struct expr *x = NULL;
	TRY(template_step(n->t, 1));
	if (json_is_string(value) && expr_is_one(template_text_of(value), &inner)) {
		TRY(expr_parse(n->t, inner, &x)); /* parsed for its syntax only */
		return has_reference(inner) ? walk_expr(n, x) : OK;
	}
	json_array_foreach (value, k, member)
		TRY(walk_value(n, member));
	json_object_foreach ((json_t *) value, name, member) {
		if (str_equal_nocase(str_from(name), STR("dependsOn")) ||
		    str_equal_nocase(str_from(name), STR("resources")) ||
		    str_equal_nocase(str_from(name), STR("template")))
			continue;
		TRY(walk_value(n, member));
	}
	return OK;
}

/* ---- all of a resource ---- */

/* An iteration of a serial copy needs the whole previous batch. */
static void add_serial(struct needs *n, const struct template_part *p)
{
	if (!p->batch)
		return;
	size_t index = p->copy_index, batch = index / p->batch;
	for (size_t k = 0; k < n->t->resource_count && batch; k++) {
		const struct template_part *other = n->t->resources[k].part;
		if (other->copy_first == p->copy_first && other->batch == p->batch &&
		    other->copy_name.p == p->copy_name.p && other->copy_index / p->batch == batch - 1)
			add(n, k);
	}
}

static RESULT fail_circle(struct template *t, size_t k)
{
	return ctx_fail(t->c, ERR_INVALID,
			"Circular dependency detected on resource: '%" STR_FMT
			"'. Please see https://aka.ms/arm-template/#resources for usage details.",
			STR_ARG(t->resources[k].id));
}

static RESULT collect(struct needs *n, struct template_resource *r)
{
	struct template *t = n->t;
	size_t count = 0;
	const json_t *depends = template_get(r->part->definition, "dependsOn");
	t->turn = r->part->turn;
	memset(n->has, 0, t->resource_count);
	if (depends && !json_is_null(depends))
		TRY(add_explicit(n, depends));
	TRY(walk_value(n, r->part->definition));
	add_serial(n, r->part);
	if (n->has[n->of])
		return fail_circle(t, n->of);
	for (size_t k = 0; k < t->resource_count; k++)
		count += n->has[k];
	size_t *needs = arena_new_array(t->c->arena, size_t, count + 1);
	if (!needs)
		return ctx_no_memory(t->c);
	for (size_t k = 0; k < t->resource_count; k++)
		if (n->has[k])
			needs[r->need_count++] = k;
	r->needs = needs;
	return OK;
}

/* ---- circles ---- */

enum mark { MARK_NEW, MARK_OPEN, MARK_DONE };

static RESULT visit(struct template *t, uint8_t *marks, size_t k)
{
	const struct template_resource *r = &t->resources[k];
	if (marks[k] == MARK_OPEN)
		return fail_circle(t, k);
	if (marks[k] == MARK_DONE)
		return OK;
	marks[k] = MARK_OPEN;
	for (size_t n = 0; n < r->need_count; n++)
		TRY(visit(t, marks, r->needs[n]));
	marks[k] = MARK_DONE;
	return OK;
}

RESULT template_link(struct template *t)
{
	struct needs n = {.t = t, .has = arena_alloc(t->c->arena, TEMPLATE_RESOURCES_MAX)};
	uint8_t *marks = arena_alloc(t->c->arena, TEMPLATE_RESOURCES_MAX);
	if (!n.has || !marks)
		return ctx_no_memory(t->c);
	for (; n.of < t->resource_count; n.of++)
		TRY(collect(&n, &t->resources[n.of]));
	t->turn = NULL;
	for (size_t k = 0; k < t->resource_count; k++)
		TRY(visit(t, marks, k));
	return OK;
}
