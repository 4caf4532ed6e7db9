/* SPDX-License-Identifier: Apache-2.0
 * Reads items of lists. A text that is too long for a field, or is no line, counts as absent. */
#include "drivers/remote/ec2/items.h"

#include <string.h>

#include "base/vec.h"
#include "drivers/remote/xml_walk.h"

enum { FIELD_MAX = 255, CURSOR_MAX = 4096 };
#define TAG "tag:"

struct reading {
	struct ctx *c;
	struct ec2_items *list;
	struct {
		VEC(struct ec2_item);
	} items;
	struct ec2_item item;
	struct str key, value; /* the tag that is being read */
};

/* The path below the item's element. False: elsewhere. */
static bool is_in_item(const struct reading *r, struct str path, struct str *ret_below)
{
	struct str item = str_from(r->list->path);
	if (!str_starts_with(path, item) || (path.n > item.n && path.p[item.n] != '/'))
		return false;
	*ret_below = str_slice(path, item.n + 1, path.n);
	return true;
}

static RESULT enter(void *self, struct str path)
{
	struct reading *r = self;
	struct str below = STR_NONE;
	if (is_in_item(r, path, &below) && !below.n)
		r->item = (struct ec2_item){0};
	return OK;
}

static RESULT put(struct reading *r, size_t k, struct str text)
{
	struct str copy = str_copy(r->c->arena, text);
	if (!copy.p)
		return ctx_no_memory(r->c);
	if (!r->item.at[k].n)
		r->item.at[k] = copy;
	return OK;
}

static RESULT end_tag(struct reading *r)
{
	for (size_t k = 0; k < EC2_FIELDS_MAX && r->list->fields[k]; k++) {
		const char *field = r->list->fields[k];
		if (strncmp(field, TAG, strlen(TAG)) == 0 && str_is(r->key, field + strlen(TAG)) &&
		    r->value.n)
			TRY(put(r, k, r->value));
	}
	r->key = r->value = STR_NONE;
	return OK;
}

static RESULT end_item(struct reading *r)
{
	if (r->items.count == r->list->most)
		return remote_fail_answer(r->c, "a list has too many items");
	return VEC_PUSH(r->c->arena, &r->items, r->item) ? OK : ctx_no_memory(r->c);
}

static RESULT leave(void *self, struct str path, struct str text)
{
	struct reading *r = self;
	struct str below = STR_NONE;
	if (str_is(path, "nextToken") && text.n <= CURSOR_MAX)
		r->list->next = str_copy(r->c->arena, text);
	if (!is_in_item(r, path, &below))
		return OK;
	if (!below.n)
		return end_item(r);
	if (str_is(below, "tagSet/item"))
		return end_tag(r);
	if (!text.n || text.n > FIELD_MAX || !str_is_line(text))
		return OK;
	if (str_is(below, "tagSet/item/key"))
		r->key = str_copy(r->c->arena, text);
	if (str_is(below, "tagSet/item/value"))
		r->value = str_copy(r->c->arena, text);
	for (size_t k = 0; k < EC2_FIELDS_MAX && r->list->fields[k]; k++)
		if (str_is(below, r->list->fields[k]))
			return put(r, k, text);
	return OK;
}

RESULT ec2_read_items(struct ctx *c, struct str text, const char *root, struct ec2_items *list)
{
	struct reading *r = arena_new_object(c->arena, struct reading);
	struct str found = STR_NONE;
	if (!r)
		return ctx_no_memory(c);
	*r = (struct reading){.c = c, .list = list};
	TRY(remote_walk_xml(c, text, &(struct xml_visitor){r, enter, leave}, &found));
	if (!str_is(found, root))
		return ctx_fail(c, ERR_IO, "The answer is not usable: it is no %s.", root);
	list->at = r->items.at;
	list->count = r->items.count;
	return OK;
}
