/* SPDX-License-Identifier: Apache-2.0
 * Resources in JSON: see resource_json.h. */
#include "drivers/remote/resource_json.h"

/* Numbers with a fraction count as absent. */
static struct str text_at(struct ctx *c, const json_t *object, const char *path)
{
	const json_t *value = remote_json_at(object, path);
	if (json_is_boolean(value))
		return json_is_true(value) ? STR("true") : STR("false");
	return remote_json_text(c, object, path);
}

static void read_tag_list(struct ctx *c, const json_t *list, struct resource_draft *d)
{
	for (size_t k = 0; k < json_array_size(list) && d->tag_count < RESOURCE_TAGS_MAX; k++) {
		const json_t *each = json_array_get(list, k);
		resource_add_tag(d, remote_json_text(c, each, "key"), remote_json_text(c, each, "value"));
	}
}

static void read_tags(struct ctx *c, const json_t *tags, struct resource_draft *d)
{
	const char *key = NULL;
	json_t *value = NULL;
	read_tag_list(c, tags, d);
	json_object_foreach ((json_t *) tags, key, value)
		if (json_is_string(value))
			resource_add_tag(d, str_copy(c->arena, str_from(key)),
					 str_copy(c->arena, str_from(json_string_value(value))));
}

RESULT remote_read_resource(struct ctx *c, const json_t *object, const struct resource_form *form,
			    struct remote_resources *list)
{
	struct resource_draft d = {0};
	for (size_t k = 0; k < RESOURCE_PLACES_MAX && form->places[k].path; k++) {
		const struct resource_place *place = &form->places[k];
		struct str text = text_at(c, object, place->path);
		bool is_id = place->field == RESOURCE_REF || place->field == RESOURCE_PARENT;
		if (is_id && text.n && form->write_ref)
			text = form->write_ref(c, form->self, text);
		resource_put(&d, place, text);
	}
	if (form->tags)
		read_tags(c, remote_json_at(object, form->tags), &d);
	return resource_end(c, &d, form->type, list);
}
