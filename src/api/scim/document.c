/* SPDX-License-Identifier: Apache-2.0
 * Checks what a client sends against the table of attributes. Names are compared ignoring case and stored as the schema writes
 * them. Unknown and read-only attributes are left out, as RFC 7644 3.3 asks for; the answer shows what was stored. */
#include <stdlib.h>

#include "api/scim/internal.h"

RESULT scim_dump(struct ctx *c, const json_t *value, struct str *ret_text)
{
	char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
	*ret_text = str_copy(c->arena, str_from(text));
	free(text);
	return ret_text->n ? OK : ctx_no_memory(c);
}

static RESULT fail_value(struct ctx *c, const struct scim_attribute *a, const char *why)
{
	return ctx_fail_field(c, ERR_INVALID, str_from(a->name), "%s: %s.", a->name, why);
}

/* Entra ID sends booleans as "True" and "False". */
static RESULT take_boolean(struct ctx *c, const struct scim_attribute *a, const json_t *value,
			   json_t **ret_value)
{
	bool is_true = json_is_true(value);
	struct str text = {json_string_value(value), json_string_length(value)};
	if (!json_is_boolean(value) && !result_is_ok(str_parse_bool(text, &is_true)))
		return fail_value(c, a, "true or false is expected");
	*ret_value = json_boolean(is_true);
	return OK;
}

static RESULT take_text(struct ctx *c, const struct scim_attribute *a, const json_t *value,
			json_t **ret_value)
{
	struct str text = {json_string_value(value), json_string_length(value)};
	if (!json_is_string(value))
		return fail_value(c, a, "a string is expected");
	if (text.n > SCIM_TEXT_MAX || !str_is_utf8(text))
		return fail_value(c, a, "the value is too long, or not text");
	*ret_value = json_stringn(text.p, text.n);
	return *ret_value ? OK : ctx_no_memory(c);
}

static RESULT take_object(struct ctx *c, const struct scim_attribute *a, const json_t *value, json_t *object);

/* A string stands for the sub-attribute "value": Entra ID sends a manager's id so. */
static RESULT take_complex(struct ctx *c, const struct scim_attribute *a, const json_t *value,
			   json_t **ret_value)
{
	const struct scim_attribute *main = scim_find_attribute(a->subs, a->sub_count, STR("value"));
	AUTO_JSON *object = json_object();
	json_t *text = NULL;
	if (!object)
		return ctx_no_memory(c);
	if (json_is_string(value) && main) {
		TRY(take_text(c, main, value, &text));
		(void) json_object_set_new(object, main->name, text);
	} else if (json_is_object(value)) {
		TRY(take_object(c, a, value, object));
	} else {
		return fail_value(c, a, "an object is expected");
	}
	*ret_value = json_incref(object);
	return OK;
}

/* Two levels of the schema bound the recursion: an extension, and a complex attribute in it. */
RESULT scim_take_one(struct ctx *c, const struct scim_attribute *a, const json_t *value, json_t **ret_value)
{
	*ret_value = NULL;
	if (json_is_null(value))
		return OK;
	if (a->type == SCIM_BOOLEAN)
		return take_boolean(c, a, value, ret_value);
	return a->type == SCIM_COMPLEX ? take_complex(c, a, value, ret_value)
				       : take_text(c, a, value, ret_value);
}

static RESULT take_object(struct ctx *c, const struct scim_attribute *a, const json_t *value, json_t *object)
{
	const char *name;
	json_t *member, *taken;
	json_object_foreach ((json_t *) value, name, member) {
		const struct scim_attribute *sub = scim_find_attribute(a->subs, a->sub_count, str_from(name));
		if (!sub || sub->mutability == SCIM_READ_ONLY)
			continue;
		TRY(scim_take_one(c, sub, member, &taken));
		if (taken)
			(void) json_object_set_new(object, sub->name, taken);
	}
	return OK;
}

static RESULT check_primary(struct ctx *c, const struct scim_attribute *a, const json_t *list)
{
	size_t count = 0;
	for (size_t k = 0; k < json_array_size(list); k++)
		count += json_is_true(json_object_get(json_array_get(list, k), "primary"));
	return count < 2 ? OK : fail_value(c, a, "one value at most is primary");
}

static RESULT take_list(struct ctx *c, const struct scim_attribute *a, const json_t *value,
			json_t **ret_value)
{
	bool is_list = json_is_array(value);
	size_t count = is_list ? json_array_size(value) : 1;
	AUTO_JSON *list = json_array();
	json_t *one = NULL;
	if (!list)
		return ctx_no_memory(c);
	if (count > SCIM_VALUES_MAX)
		return fail_value(c, a, "there are too many values");
	for (size_t k = 0; k < count; k++) {
		TRY(scim_take_one(c, a, is_list ? json_array_get(value, k) : value, &one));
		if (one && json_array_append_new(list, one) != 0)
			return ctx_no_memory(c);
	}
	TRY(check_primary(c, a, list));
	*ret_value = json_array_size(list) ? json_incref(list) : NULL;
	return OK;
}

RESULT scim_take_value(struct ctx *c, const struct scim_attribute *a, const json_t *value, json_t **ret_value)
{
	*ret_value = NULL;
	if (!value || json_is_null(value))
		return OK;
	return a->is_list ? take_list(c, a, value, ret_value) : scim_take_one(c, a, value, ret_value);
}

RESULT scim_take_resource(struct scim_call *e, json_t *body, json_t **ret_document)
{
	const struct scim_type *type = scim_type_of(e);
	AUTO_JSON *document = json_object();
	const char *name;
	json_t *member, *taken;
	if (!document)
		return ctx_no_memory(e->c);
	json_object_foreach (body, name, member) {
		struct scim_place place;
		if (!scim_read_place(type, str_from(name), &place) || place.sub || place.extension)
			continue;
		const struct scim_attribute *a = place.attribute;
		if (a->mutability == SCIM_READ_ONLY || strcmp(a->name, "members") == 0)
			continue;
		TRY(scim_take_value(e->c, a, member, &taken));
		if (taken)
			(void) json_object_set_new(document, a->name, taken);
	}
	*ret_document = json_incref(document);
	return OK;
}

/* An empty object or list is no value. */
static bool is_nothing(const json_t *value)
{
	return !value || (json_is_object(value) && !json_object_size(value)) ||
	       (json_is_array(value) && !json_array_size(value));
}

RESULT scim_list_changed(struct scim_call *e, const json_t *before, const json_t *after,
			 struct tags *ret_extra)
{
	const struct scim_type *type = scim_type_of(e);
	struct tag *tags = arena_new_array(e->c->arena, struct tag, type->count);
	size_t count = 0;
	if (!tags)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < type->count; k++) {
		const struct scim_attribute *a = &type->at[k];
		const json_t *was = json_object_get(before, a->name), *is = json_object_get(after, a->name);
		if (!a->kept || (is_nothing(was) && is_nothing(is)) || (was && is && json_equal(was, is)))
			continue;
		tags[count].key = str_from(a->kept);
		if (!is_nothing(is))
			TRY(scim_dump(e->c, is, &tags[count].value));
		count++;
	}
	*ret_extra = (struct tags){tags, count};
	return OK;
}
