/* SPDX-License-Identifier: Apache-2.0
 * Resources: those of the template, their children, one for each turn of a copy. Source: "Resource declaration", "Child
 * resources", "Resource iteration", "Conditional deployment". */
#include "api/azure/template/internal.h"

#define HELP "Please see https://aka.ms/arm-syntax-resources for usage details."

/* ---- ids ---- */

struct str template_make_scope(struct template *t, struct str subscription, struct str group)
{
	if (!group.n)
		return str_print(t->c->arena, "/subscriptions/%" STR_FMT, STR_ARG(subscription));
	return str_print(t->c->arena, "/subscriptions/%" STR_FMT "/resourceGroups/%" STR_FMT,
			 STR_ARG(subscription), STR_ARG(group));
}

static size_t count_segments(struct str path)
{
	size_t count = path.n > 0;
	for (size_t k = 0; k < path.n; k++)
		count += path.p[k] == '/';
	return count;
}

/* The namespace, then each segment of the type and of the name in turn. */
static struct str interleave(struct arena *a, struct str type, struct str name)
{
	struct str path = STR_NONE, segment, of_name;
	if (count_segments(type) != count_segments(name) + 1)
		return STR_NONE;
	if (!str_split_next(&type, '/', &path))
		return STR_NONE;
	while (str_split_next(&type, '/', &segment) && str_split_next(&name, '/', &of_name)) {
		if (!segment.n || !of_name.n)
			return STR_NONE;
		path = str_print(a, "%" STR_FMT "/%" STR_FMT "/%" STR_FMT, STR_ARG(path), STR_ARG(segment),
				 STR_ARG(of_name));
	}
	return path;
}

/* A group has no provider in its path. */
struct str template_make_id(struct template *t, struct str scope, struct str type, struct str name)
{
	struct str path = interleave(t->c->arena, type, name);
	if (!path.n)
		return STR_NONE;
	if (str_equal_nocase(type, STR("Microsoft.Resources/resourceGroups")) && scope.n)
		return template_make_scope(t, t->place.subscription, name);
	return str_print(t->c->arena, "%" STR_FMT "/providers/%" STR_FMT, STR_ARG(scope), STR_ARG(path));
}

/* ---- failures ---- */

/* Prefixes the failure with the invalid resource. */
static RESULT blame(struct template *t, const struct template_resource *r, struct result result)
{
	if (result.code != ERR_INVALID)
		return result;
	struct str why = t->c->problem.message;
	ctx_clear_problem(t->c);
	return ctx_fail(t->c, ERR_INVALID,
			"The template resource '%" STR_FMT
			"' at line '' and column '' is not valid: %" STR_FMT
			". Please see https://aka.ms/arm-functions for usage details.",
			STR_ARG(str_slice(r->name, 0, 256)),
			STR_ARG(str_ends_with(why, STR(".")) ? str_slice(why, 0, why.n - 1) : why));
}

/* ---- one resource ---- */

static RESULT read_text(struct template *t, const json_t *definition, const char *name, struct str *ret_text)
{
	json_t *value = NULL;
	*ret_text = STR_NONE;
	TRY(template_resolve_member(t, definition, name, &value));
	if (value && !json_is_string(value))
		return ctx_fail(t->c, ERR_INVALID, "The '%s' must be of type 'String', and is of type '%s'",
				name, /* guessed */
				template_type_word(value));
	*ret_text = template_text_of(value);
	return OK;
}

static RESULT read_condition(struct template *t, struct template_resource *r)
{
	json_t *value = NULL;
	TRY(template_resolve_member(t, r->part->definition, "condition", &value));
	if (value && !json_is_boolean(value))
		return ctx_fail(
			t->c, ERR_INVALID,
			"The 'condition' must be of type 'Boolean', and is of type '%s'", /* guessed */
			template_type_word(value));
	r->is_left_out = value && json_is_false(value);
	return OK;
}

/* Reads another scope: a nested deployment's group, or the resource that an extension belongs to. */
static RESULT read_scope(struct template *t, struct template_resource *r)
{
	const json_t *d = r->part->definition;
	struct str subscription, group, scope;
	bool is_deployment = str_equal_nocase(r->type, STR("Microsoft.Resources/deployments"));
	TRY(read_text(t, d, "subscriptionId", &subscription));
	TRY(read_text(t, d, "resourceGroup", &group));
	TRY(read_text(t, d, "scope", &scope));
	bool is_group = str_equal_nocase(r->type, STR("Microsoft.Resources/resourceGroups"));
	r->part->scope = template_make_scope(t, t->place.subscription, is_group ? STR_NONE : t->place.group);
	if (is_deployment && (subscription.n || group.n))
		r->part->scope =
			template_make_scope(t, subscription.n ? subscription : t->place.subscription, group);
	else if (str_starts_with(scope, STR("/")) && scope.n > 1)
		r->part->scope = scope;
	else if (scope.n > 1) /* a relative id */
		r->part->scope = str_print(t->c->arena, "%" STR_FMT "/providers/%" STR_FMT,
					   STR_ARG(r->part->scope), STR_ARG(scope));
	return OK;
}

/* Text after the last "/providers/". */
static struct str find_relative(struct str id)
{
	static const struct str word = {"/providers/", sizeof "/providers/" - 1};
	for (size_t k = id.n; k-- > 0;)
		if (str_equal_nocase(str_slice(id, k, k + word.n), word))
			return str_slice(id, k + word.n, id.n);
	return id;
}

/* Each id and symbol is compared with those of all others. */
static RESULT check_sizes(struct template *t, const struct template_resource *r)
{
	if (r->id.n <= TEMPLATE_ID_MAX && r->symbol.n <= TEMPLATE_ID_MAX)
		return OK;
	return ctx_fail(t->c, ERR_INVALID,
			"The name of the template resource '%" STR_FMT "' is too long.", /* guessed */
			STR_ARG(str_slice(r->name, 0, 128)));
}

static RESULT check_segments(struct template *t, struct template_resource *r)
{
	r->id = template_make_id(t, r->part->scope, r->type, r->name);
	r->part->relative = find_relative(r->id);
	TRY(check_sizes(t, r));
	if (r->id.n)
		return OK;
	return ctx_fail(t->c, ERR_INVALID,
			"The template resource '%" STR_FMT "' for type '%" STR_FMT
			"' at line '' and column '' has incorrect segment lengths. A nested resource type "
			"must have identical "
			"number of segments as its resource name. A root resource type must have segment "
			"length one greater "
			"than its resource name. " HELP,
			STR_ARG(str_slice(r->name, 0, 256)), STR_ARG(str_slice(r->type, 0, 256)));
}

static struct str join_path(struct template *t, struct str first, struct str second)
{
	return first.n ? str_print(t->c->arena, "%" STR_FMT "/%" STR_FMT, STR_ARG(first), STR_ARG(second))
		       : second;
}

static RESULT fail_required(struct template *t, const char *what)
{
	return ctx_fail(
		t->c, ERR_INVALID,
		"The template resource at line '' and column '' is missing the required property '%s'. " HELP,
		what);
}

static RESULT read_words(struct template *t, struct template_resource *r,
			 const struct template_resource *parent)
{
	const json_t *d = r->part->definition;
	struct str type, name;
	TRY(read_text(t, d, "type", &type));
	TRY(read_text(t, d, "name", &name));
	TRY(read_text(t, d, "apiVersion", &r->version));
	if (!type.n)
		return fail_required(t, "type");
	if (!name.n)
		return fail_required(t, "name");
	if (!r->version.n)
		return fail_required(t, "apiVersion");
	r->type = join_path(t, parent ? parent->type : STR_NONE, type);
	r->name = join_path(t, parent ? parent->name : STR_NONE, name);
	r->is_existing = json_is_true(template_get(d, "existing"));

	return OK;
}

/* ---- all of them ---- */

struct expansion {
	struct template *t;
	const struct template_resource *parent;
	unsigned depth;
};

enum { CHILD_DEPTH_MAX = 8 };

static RESULT expand_list(struct expansion *x, const json_t *resources);

static RESULT new_resource(struct template *t, struct template_resource **ret_resource)
{
	if (t->resource_count == TEMPLATE_RESOURCES_MAX)
		return ctx_fail(t->c, ERR_INVALID,
				"The number of template resources limit exceeded. Limit: '%d' and actual: "
				"'%d'. Please see "
				"https://aka.ms/arm-template/#resources for usage details.",
				TEMPLATE_RESOURCES_MAX, TEMPLATE_RESOURCES_MAX + 1);
	struct template_resource *r = &t->resources[t->resource_count];
	*r = (struct template_resource){.part = arena_new_object(t->c->arena, struct template_part)};
	if (!r->part)
		return ctx_no_memory(t->c);
	t->resource_count++;
	*ret_resource = r;
	return OK;
}

/* Expands the resource in the current iteration. */
static RESULT expand_one(struct expansion *x, const json_t *definition, const char *symbol,
			 struct template_resource **ret_resource)
{
	struct template *t = x->t;
	struct template_resource *r = NULL;
	const json_t *children = template_get(definition, "resources");
	TRY(new_resource(t, &r));
	r->part->definition = definition;
	r->part->turn = t->turn;
	r->symbol = str_from(symbol);
	TRY(template_step_over(t, definition));
	TRY(read_words(t, r, x->parent));
	TRY(blame(t, r, read_condition(t, r)));
	TRY(blame(t, r, read_scope(t, r)));
	TRY(check_segments(t, r));
	*ret_resource = r;
	if (!children || json_is_null(children))
		return OK;
	if (x->depth >= CHILD_DEPTH_MAX)
		return ctx_fail(t->c, ERR_INVALID,
				"The template's resources are too deep within each other."); /* guessed */
	struct expansion inner = {t, r, x->depth + 1};
	return expand_list(&inner, children);
}

struct copy {
	struct str name;
	size_t count, batch;
};

static RESULT read_copy(struct template *t, const json_t *copy, struct copy *ret_copy)
{
	json_t *count = NULL, *batch = NULL;
	struct str mode;
	TRY(read_text(t, copy, "name", &ret_copy->name));
	TRY(read_text(t, copy, "mode", &mode));
	TRY(template_resolve_member(t, copy, "count", &count));
	TRY(template_resolve_member(t, copy, "batchSize", &batch));
	json_int_t n = json_is_integer(count) ? json_integer_value(count) : -1;
	json_int_t size = batch ? json_integer_value(batch) : 1;
	if (!ret_copy->name.n || n < 0 || n > TEMPLATE_RESOURCES_MAX || size < 1)
		return ctx_fail(t->c, ERR_INVALID,
				"The copy count '%lld' is not valid, or the copy has no name: the count must "
				"be a number from 0 to %d. "
				"Please see https://aka.ms/arm-copy for usage details.", /* guessed */
				(long long) n, TEMPLATE_RESOURCES_MAX);
	ret_copy->count = (size_t) n;
	ret_copy->batch = str_equal_nocase(mode, STR("serial")) ? (size_t) size : 0;
	return OK;
}

static RESULT expand_turn(struct expansion *x, const json_t *definition, const char *symbol,
			  const struct copy *copy, size_t index, size_t *first)
{
	struct template *t = x->t;
	const struct copy_turn *before = t->turn;
	struct template_resource *r = NULL;
	struct copy_turn *turn = arena_new_object(t->c->arena, struct copy_turn);
	if (!turn)
		return ctx_no_memory(t->c);
	*turn = (struct copy_turn){.up = before, .name = copy->name, .index = (int64_t) index};
	t->turn = turn;
	if (symbol)
		symbol = str_to_z(t->c->arena, str_print(t->c->arena, "%s[%zu]", symbol, index));
	size_t at = t->resource_count;
	TRY(expand_one(x, definition, symbol, &r));
	*first = index ? *first : at;
	r->part->copy_name = copy->name;
	r->part->copy_first = *first;
	r->part->copy_index = index;
	r->part->batch = copy->batch;
	t->turn = before;
	return OK;
}

static RESULT expand(struct expansion *x, const json_t *definition, const char *symbol)
{
	const json_t *copy = template_get(definition, "copy");
	struct template_resource *r = NULL;
	struct copy loop = {0};
	size_t first = 0;
	if (!json_is_object(definition))
		return ctx_fail(x->t->c, ERR_INVALID,
				"A template resource is no object. " HELP); /* guessed */
	if (!copy || json_is_null(copy))
		return expand_one(x, definition, symbol, &r);
	if (x->parent)
		return ctx_fail(
			x->t->c, ERR_INVALID,
			"The template resource's 'copy' is not supported in a nested resource. Please see "
			"https://aka.ms/arm-copy for usage details."); /* guessed */
	TRY(read_copy(x->t, copy, &loop));
	for (size_t k = 0; k < loop.count; k++)
		TRY(expand_turn(x, definition, symbol, &loop, k, &first));
	return OK;
}

/* A list, or, with languageVersion 2.0, an object whose names are symbols. */
static RESULT expand_list(struct expansion *x, const json_t *resources)
{
	const char *symbol;
	json_t *definition;
	size_t k;
	if (!json_is_array(resources) && !json_is_object(resources))
		return ctx_fail(
			x->t->c, ERR_INVALID,
			"The template's 'resources' must be an array or an object. " HELP); /* guessed */
	json_array_foreach (resources, k, definition)
		TRY(expand(x, definition, NULL));
	json_object_foreach ((json_t *) resources, symbol, definition)
		TRY(expand(x, definition, symbol));
	return OK;
}

static RESULT check_doubles(struct template *t)
{
	const struct template_resource *all = t->resources;
	for (size_t k = 1; k < t->resource_count; k++)
		for (size_t n = 0; n < k; n++) {
			TRY(template_step(t, 1));
			bool counts = !all[k].is_existing && !all[n].is_existing && !all[k].is_left_out &&
				      !all[n].is_left_out;
			if (counts && str_equal_nocase(all[k].id, all[n].id))
				return ctx_fail(t->c, ERR_INVALID,
						"The resource '%" STR_FMT
						"' at line '' and column '' is defined multiple times in a "
						"template. " HELP,
						STR_ARG(all[k].id));
		}
	return OK;
}

RESULT template_open_resources(struct template *t)
{
	struct expansion x = {.t = t};
	const json_t *resources = template_get(t->document, "resources");
	t->resources = arena_new_array(t->c->arena, struct template_resource, TEMPLATE_RESOURCES_MAX);
	if (!t->resources)
		return ctx_no_memory(t->c);
	t->is_early = true;
	if (resources && !json_is_null(resources))
		TRY(expand_list(&x, resources));
	TRY(check_doubles(t));
	TRY(template_link(t));
	t->is_early = false;
	return OK;
}

/* ---- bodies ---- */

static bool is_of_template(const char *name)
{
	static const char *const words[] = {"type",          "name",     "apiVersion", "dependsOn",
					    "condition",     "copy",     "comments",   "metadata",
					    "resources",     "existing", "scope",      "resourceGroup",
					    "subscriptionId"};
	for (size_t k = 0; k < sizeof words / sizeof words[0]; k++)
		if (str_equal_nocase(str_from(name), str_from(words[k])))
			return true;
	return false;
}

/* True for a nested deployment of inner scope: its template is not evaluated here. */
static bool is_inner(const struct template_resource *r, const json_t *properties)
{
	const json_t *options = template_get(properties, "expressionEvaluationOptions");
	return str_equal_nocase(r->type, STR("Microsoft.Resources/deployments")) &&
	       str_equal_nocase(template_text_of(template_get(options, "scope")), STR("inner"));
}

static RESULT add_inner(struct template *t, const json_t *properties, json_t *body)
{
	const char *name;
	json_t *value, *made = NULL;
	json_auto_t *to = json_object();
	json_object_foreach ((json_t *) properties, name, value) {
		made = value;
		if (!str_equal_nocase(str_from(name), STR("template")))
			TRY(template_resolve(t, value, &made));
		if (json_object_set(to, name, made))
			return ctx_no_memory(t->c);
	}
	return json_object_set(body, "properties", to) ? ctx_no_memory(t->c) : OK;
}

static RESULT make_body(struct template *t, const struct template_resource *r, json_t **ret_body)
{
	const char *name;
	json_t *value, *made = NULL;
	json_auto_t *to = json_object();
	json_object_foreach ((json_t *) r->part->definition, name, value) {
		if (is_of_template(name))
			continue;
		if (str_equal_nocase(str_from(name), STR("properties")) && is_inner(r, value)) {
			TRY(add_inner(t, value, to));
			continue;
		}
		TRY(template_resolve(t, value, &made));
		if (json_object_set(to, name, made))
			return ctx_no_memory(t->c);
	}
	return template_keep(t, TAKE(to), ret_body);
}

RESULT template_make_body(struct template *t, size_t k, bool is_loose, json_t **ret_body)
{
	const struct template_resource *r = &t->resources[k];
	template_begin(t);
	t->turn = r->part->turn;
	t->is_loose = is_loose;
	struct heap_budget *before = heap_budget_use(&t->budget);
	return blame(t, r, template_end(t, before, make_body(t, r, ret_body)));
}
