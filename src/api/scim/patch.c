/* SPDX-License-Identifier: Apache-2.0
 * Patches (RFC 7644 3.5.2): operations change a document of the resource, which is stored afterwards if it differs. Entra ID
 * writes "Add" and "Replace" with capitals, and names members to remove in `value`; both are accepted. A path-less operation
 * skips unknown and read-only attributes, because Okta sends the id along; a path that names one is refused. */
#include "api/scim/internal.h"

enum patch_op { PATCH_ADD, PATCH_REPLACE, PATCH_REMOVE };

struct patching {
	struct scim_call *e;
	json_t *document;
	scim_patch_members members;
	void *members_arg;
};

struct operation {
	enum patch_op op;
	struct scim_path path;
	const json_t *value; /* NULL: absent or null */
};

static RESULT fail_mutability(struct scim_call *e, const char *name)
{
	return ctx_fail_field(e->c, ERR_INVALID, STR("mutability"), "%s cannot be changed or removed.", name);
}

static RESULT fail_target(struct scim_call *e, const char *why)
{
	return ctx_fail_field(e->c, ERR_INVALID, STR("target"), "%s", why);
}

static RESULT fail_syntax(struct scim_call *e, const char *why)
{
	return ctx_fail(e->c, ERR_MALFORMED, "%s", why);
}

/* ---- values of a list ---- */

static bool says_primary(const json_t *value)
{
	bool says = json_is_true(json_object_get(value, "primary"));
	for (size_t k = 0; k < json_array_size(value) && !says; k++)
		says = says_primary(json_array_get(value, k));
	return says;
}

/* A new primary value takes the mark from the others. */
static void clear_primary(json_t *list)
{
	for (size_t k = 0; k < json_array_size(list); k++)
		(void) json_object_del(json_array_get(list, k), "primary");
}

static bool has_equal(const json_t *list, const json_t *value)
{
	for (size_t k = 0; k < json_array_size(list); k++)
		if (json_equal(json_array_get(list, k), value))
			return true;
	return false;
}

static RESULT append(struct scim_call *e, json_t *list, json_t *value)
{
	if (json_array_size(list) >= SCIM_VALUES_MAX)
		return ctx_fail(e->c, ERR_TOO_LARGE, "An attribute has at most %d values.", SCIM_VALUES_MAX);
	return json_array_append(list, value) == 0 ? OK : ctx_no_memory(e->c);
}

static RESULT add_values(struct scim_call *e, json_t *list, const json_t *values)
{
	if (says_primary(values))
		clear_primary(list);
	for (size_t k = 0; k < json_array_size(values); k++)
		if (!has_equal(list, json_array_get(values, k)))
			TRY(append(e, list, json_array_get(values, k)));
	return OK;
}

/* True if every member of `part` is in `value` too. */
static bool includes(const json_t *value, const json_t *part)
{
	const char *name;
	json_t *member;
	bool does = json_is_object(value);
	json_object_foreach ((json_t *) part, name, member)
		does = does && json_equal(json_object_get(value, name), member);
	return does;
}

static void remove_values(json_t *list, const json_t *values)
{
	for (size_t n = 0; n < json_array_size(values); n++)
		for (size_t k = json_array_size(list); k > 0; k--)
			if (includes(json_array_get(list, k - 1), json_array_get(values, n)))
				(void) json_array_remove(list, k - 1);
}

/* ---- places ---- */

/* The object that the place's attribute is a member of; created if `creates`. NULL: absent, or out of memory. */
static json_t *find_home(struct patching *p, const struct scim_place *place, bool creates)
{
	const char *urn = place->extension ? place->extension->name : NULL;
	json_t *home = urn ? json_object_get(p->document, urn) : p->document;
	if (!home && creates && json_object_set_new(p->document, urn, json_object()) == 0)
		home = json_object_get(p->document, urn);
	return home;
}

static json_t *find_or_create(json_t *home, const char *name, json_t *(*create)(void) )
{
	json_t *value = json_object_get(home, name);
	if (!value && json_object_set_new(home, name, create()) == 0)
		value = json_object_get(home, name);
	return value;
}

static RESULT set_member(struct scim_call *e, json_t *object, const struct scim_attribute *a, json_t *value)
{
	int failed = value ? json_object_set(object, a->name, value) : 0;
	if (!value)
		(void) json_object_del(object, a->name);
	return failed ? ctx_no_memory(e->c) : OK;
}

/* The whole attribute: a list gets or loses values, a complex attribute gets members. */
static RESULT apply_whole(struct patching *p, const struct operation *o)
{
	const struct scim_attribute *a = o->path.place.attribute;
	json_t *home = find_home(p, &o->path.place, o->value);
	json_t *present = json_object_get(home, a->name);
	json_t *taken = NULL;
	TRY(scim_take_value(p->e->c, a, o->value, &taken));
	AUTO_JSON *value = taken;
	if (o->op == PATCH_REMOVE && o->value && a->is_list) {
		remove_values(present, value);
		return OK;
	}
	if (o->op == PATCH_REMOVE || !value)
		return set_member(p->e, home, a, NULL);
	if (o->op == PATCH_ADD && a->is_list && present)
		return add_values(p->e, present, value);
	if (!a->is_list && a->type == SCIM_COMPLEX && present)
		return json_object_update(present, value) == 0 ? OK : ctx_no_memory(p->e->c);
	return set_member(p->e, home, a, value);
}

/* A sub-attribute of a single value, or of every value of a list. */
static RESULT apply_part(struct patching *p, const struct operation *o)
{
	const struct scim_place *place = &o->path.place;
	const struct scim_attribute *a = place->attribute;
	json_t *home = find_home(p, place, o->value);
	json_t *taken = NULL, *target = json_object_get(home, a->name);
	TRY(scim_take_value(p->e->c, place->sub, o->op == PATCH_REMOVE ? NULL : o->value, &taken));
	AUTO_JSON *value = taken;
	if (!target && value)
		target = find_or_create(home, a->name, a->is_list ? json_array : json_object);
	if (!a->is_list && !target)
		return value ? ctx_no_memory(p->e->c) : OK;
	if (!a->is_list)
		return set_member(p->e, target, place->sub, value);
	if (!json_array_size(target) && value)
		(void) json_array_append_new(target, json_object());
	for (size_t k = 0; k < json_array_size(target); k++)
		TRY(set_member(p->e, json_array_get(target, k), place->sub, value));
	return OK;
}

/* Members that the filter asks for by eq, for a value that is added because none matches. */
static void fill_by_filter(json_t *object, const struct scim_filter *f)
{
	if (f->op == SCIM_AND) {
		fill_by_filter(object, f->left);
		fill_by_filter(object, f->right);
	} else if (f->op == SCIM_EQ && f->literal == SCIM_IS_TEXT) {
		(void) json_object_set_new(object, f->place.attribute->name,
					   json_stringn(f->text.p ? f->text.p : "", f->text.n));
	} else if (f->op == SCIM_EQ && f->literal != SCIM_IS_NULL) {
		(void) json_object_set_new(object, f->place.attribute->name,
					   json_boolean(f->literal == SCIM_IS_TRUE));
	}
}

/* Changes one matching value. `value` is that of the sub-attribute, or an object. */
static RESULT change_value(struct patching *p, const struct operation *o, json_t *target, json_t *value)
{
	const struct scim_attribute *sub = o->path.place.sub;
	if (sub)
		return set_member(p->e, target, sub, value);
	if (o->op == PATCH_REPLACE)
		(void) json_object_clear(target);
	return json_object_update(target, value) == 0 ? OK : ctx_no_memory(p->e->c);
}

static RESULT take_for_filter(struct patching *p, const struct operation *o, json_t **ret_value)
{
	const struct scim_place *place = &o->path.place;
	json_t *list = NULL;
	*ret_value = NULL;
	if (o->op == PATCH_REMOVE)
		return OK;
	if (place->sub)
		return scim_take_value(p->e->c, place->sub, o->value, ret_value);
	TRY(scim_take_value(p->e->c, place->attribute, o->value, &list));
	*ret_value = json_incref(json_array_get(list, 0));
	json_decref(list);
	return *ret_value ? OK : fail_target(p->e, "The operation has no value.");
}

static RESULT add_missing(struct patching *p, const struct operation *o, json_t *list, json_t *value)
{
	AUTO_JSON *object = json_object();
	if (!object || !list)
		return ctx_no_memory(p->e->c);
	fill_by_filter(object, o->path.filter);
	TRY(change_value(p, o, object, value));
	return append(p->e, list, object);
}

/* Values of a list that match a filter. */
static RESULT apply_filtered(struct patching *p, const struct operation *o)
{
	const struct scim_attribute *a = o->path.place.attribute;
	json_t *home = find_home(p, &o->path.place, o->op == PATCH_ADD);
	json_t *list = json_object_get(home, a->name), *taken = NULL;
	bool is_found = false, is_part = o->path.place.sub;
	TRY(take_for_filter(p, o, &taken));
	AUTO_JSON *value = taken;
	bool is_primary = is_part ? strcmp(o->path.place.sub->name, "primary") == 0 && json_is_true(value)
				  : says_primary(value);
	AUTO_JSON *before = is_primary ? json_deep_copy(list) : json_incref(list);
	if (is_primary)
		clear_primary(list);
	for (size_t k = json_array_size(list); k > 0; k--) {
		if (!scim_matches_value(o->path.filter, json_array_get(before, k - 1)))
			continue;
		is_found = true;
		if (o->op == PATCH_REMOVE && !is_part)
			(void) json_array_remove(list, k - 1);
		else
			TRY(change_value(p, o, json_array_get(list, k - 1), value));
	}
	if (is_found || o->op == PATCH_REMOVE)
		return OK;
	if (o->op == PATCH_REPLACE)
		return fail_target(p->e, "No value matches the path's filter.");
	return add_missing(p, o, find_or_create(home, a->name, json_array), value);
}

/* ---- operations ---- */

static bool is_of_members(const struct operation *o)
{
	return strcmp(o->path.place.attribute->name, "members") == 0;
}

static const char *const op_words[] = {
	[PATCH_ADD] = "add", [PATCH_REPLACE] = "replace", [PATCH_REMOVE] = "remove"};

static RESULT apply(struct patching *p, const struct operation *o)
{
	const struct scim_place *place = &o->path.place;
	const struct scim_attribute *a = place->sub ? place->sub : place->attribute;
	bool is_part = place->sub || o->path.filter;
	if (is_of_members(o) && p->members)
		return p->members(p->e, p->members_arg, str_from(op_words[o->op]), &o->path, o->value);
	if (place->attribute->mutability == SCIM_READ_ONLY || a->mutability == SCIM_READ_ONLY)
		return fail_mutability(p->e, a->name);
	if (place->attribute->is_required && (o->op == PATCH_REMOVE || !o->value))
		return fail_mutability(p->e, a->name);
	if (!is_part)
		return apply_whole(p, o);
	return o->path.filter ? apply_filtered(p, o) : apply_part(p, o);
}

/* An operation without a path: each member of the value is a path with its value. */
static RESULT apply_members(struct patching *p, enum patch_op op, const json_t *value)
{
	const char *name;
	json_t *member;
	if (op == PATCH_REMOVE)
		return fail_target(p->e, "An operation that removes needs a path.");
	if (!json_is_object(value))
		return fail_syntax(p->e, "An operation without a path has an object as its value.");
	json_object_foreach ((json_t *) value, name, member) {
		struct operation o = {.op = op, .value = json_is_null(member) ? NULL : member};
		if (!result_is_ok(scim_parse_path(p->e->c, scim_type_of(p->e), str_from(name), &o.path))) {
			ctx_clear_problem(p->e->c);
			continue;
		}
		if (o.path.place.attribute->mutability != SCIM_READ_ONLY)
			TRY(apply(p, &o));
	}
	return OK;
}

static json_t *find_nocase(const json_t *object, const char *wanted)
{
	const char *name;
	json_t *member;
	json_object_foreach ((json_t *) object, name, member)
		if (str_equal_nocase(str_from(name), str_from(wanted)))
			return member;
	return NULL;
}

static RESULT read_op(struct scim_call *e, const json_t *operation, enum patch_op *ret_op)
{
	struct str word = str_from(json_string_value(find_nocase(operation, "op")));
	for (enum patch_op op = PATCH_ADD; op <= PATCH_REMOVE; op++)
		if (str_equal_nocase(word, str_from(op_words[op]))) {
			*ret_op = op;
			return OK;
		}
	return fail_syntax(e, "An operation's op is add, replace or remove.");
}

static RESULT apply_operation(struct patching *p, const json_t *operation)
{
	const json_t *path = find_nocase(operation, "path"), *value = find_nocase(operation, "value");
	struct operation o = {.value = json_is_null(value) ? NULL : value};
	if (!json_is_object(operation))
		return fail_syntax(p->e, "Each of the Operations is an object.");
	TRY(read_op(p->e, operation, &o.op));
	if (!path || json_is_null(path))
		return apply_members(p, o.op, value);
	struct str text = {json_string_value(path), json_string_length(path)};
	TRY(scim_parse_path(p->e->c, scim_type_of(p->e), text, &o.path));
	if (o.op == PATCH_ADD && !o.value)
		return fail_syntax(p->e, "An operation that adds has a value.");
	return apply(p, &o);
}

/* Operations are right one by one, and may together break a rule, such as that of one primary value. */
static RESULT check_whole(struct scim_call *e, json_t *document)
{
	json_t *taken = NULL;
	TRY(scim_take_resource(e, document, &taken));
	json_decref(taken);
	return OK;
}

RESULT scim_patch(struct scim_call *e, json_t *document, scim_patch_members members, void *arg)
{
	struct patching p = {e, document, members, arg};
	const json_t *operations = find_nocase(e->body, "Operations");
	size_t count = json_array_size(operations);
	if (!count)
		return fail_syntax(e, "A patch has a list of Operations.");
	if (count > SCIM_OPERATIONS_MAX)
		return ctx_fail(e->c, ERR_TOO_LARGE, "A patch has at most %d operations.",
				SCIM_OPERATIONS_MAX);
	for (size_t k = 0; k < count; k++)
		TRY(apply_operation(&p, json_array_get(operations, k)));
	return check_whole(e, document);
}
