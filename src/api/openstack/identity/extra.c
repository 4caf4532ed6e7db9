/* SPDX-License-Identifier: Apache-2.0
 * Extra attributes. Keystone stores and shows unknown members of users, groups, roles, projects and
 * domains. Each is stored as a name and a JSON value. */
#include <stdlib.h>

#include "api/openstack/identity/identity.h"

/* Members that answers compute and clients cannot set. */
static bool is_ours(const char *name)
{
	static const char *const names[] = {"id", "links", "domain_id", "is_domain", "password_expires_at"};
	for (size_t k = 0; k < sizeof names / sizeof names[0]; k++)
		if (strcmp(names[k], name) == 0)
			return true;
	return false;
}

static RESULT take_one(struct ctx *c, const char *name, const json_t *value, struct tag *ret_tag)
{
	enum { NAME_MAX_BYTES = 255 };
	if (strlen(name) > NAME_MAX_BYTES)
		return ctx_fail_field(c, ERR_INVALID, STR("body"),
				      "An attribute's name is longer than %d bytes.", NAME_MAX_BYTES);
	char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
	*ret_tag = (struct tag){str_copy(c->arena, str_from(name)), str_copy(c->arena, str_from(text))};
	free(text);
	return ret_tag->key.p && ret_tag->value.n ? OK : ctx_no_memory(c);
}

static RESULT take_all(struct ctx *c, json_t *object, struct tags *ret_extra)
{
	const char *name;
	json_t *value;
	size_t count = 0;
	struct tag *tags = arena_new_array(c->arena, struct tag, json_object_size(object));
	if (!tags)
		return ctx_no_memory(c);
	json_object_foreach (object, name, value)
		if (!is_ours(name))
			TRY(take_one(c, name, value, &tags[count++]));
	*ret_extra = (struct tags){tags, count};
	return OK;
}

RESULT os_take_extra(struct os_call *e, struct str members, struct tags *ret_extra)
{
	if (str_is_empty(members))
		return OK;
	json_t *object = json_loadb(members.p, members.n, 0, NULL);
	struct result result = object ? take_all(e->c, object, ret_extra) : ctx_no_memory(e->c);
	json_decref(object);
	return result;
}

void os_write_extra(struct json_writer *w, struct tags extra)
{
	for (size_t k = 0; k < extra.count; k++) {
		json_write_key(w, extra.at[k].key);
		json_write_raw(w, NULL, extra.at[k].value);
	}
}
