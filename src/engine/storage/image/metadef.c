/* SPDX-License-Identifier: Apache-2.0
 * Metadata definitions: namespaces, items and tags. Rows only. */
#include "engine/storage/image/metadef.h"

#include "engine/internal.h"
#include "store/metadef_item.h"
#include "store/metadef_namespace.h"

static const char *const part_words[] = {[METADEF_ITEM_PART_OBJECT] = "object",
					 [METADEF_ITEM_PART_PROPERTY] = "property",
					 [METADEF_ITEM_PART_TAG] = "tag",
					 [METADEF_ITEM_PART_RESOURCE_TYPE] = "resource-type association"};

const struct metadef_item *engine_find_metadef_item(const struct tables *t, uuid space,
						    enum metadef_item_part part, struct str name)
{
	const struct metadef_item *i = metadef_item_find_by_namespace(t, space, part, name);
	if (i || part != METADEF_ITEM_PART_TAG)
		return i;
	for (i = metadef_item_first_by_namespace(t, space); i; i = metadef_item_next_by_namespace(t, i))
		if (i->part == part && str_equal_nocase(i->name, name))
			return i;
	return NULL;
}

/* ---- items ---- */

static RESULT fail_taken(struct op *op, const struct metadef_namespace *space,
			 const struct metadef_item_words *words)
{
	if (words->part == METADEF_ITEM_PART_RESOURCE_TYPE)
		return ctx_fail_kind(op->ctx, ERR_EXISTS, KIND_METADEF_ITEM,
				     "The metadata definition resource-type association of "
				     "resource-type=%" STR_FMT " to namespace=%" STR_FMT " already exists.",
				     STR_ARG(words->name), STR_ARG(space->name));
	if (words->part == METADEF_ITEM_PART_TAG)
		return ctx_fail_kind(op->ctx, ERR_EXISTS, KIND_METADEF_ITEM,
				     "A metadata tag with name=%" STR_FMT
				     " already exists in namespace=%" STR_FMT
				     ". (Please note that metadata tag names are case insensitive).",
				     STR_ARG(words->name), STR_ARG(space->name));
	return ctx_fail_kind(op->ctx, ERR_EXISTS, KIND_METADEF_ITEM,
			     "A metadata definition %s with name=%" STR_FMT
			     " already exists in namespace=%" STR_FMT ".",
			     part_words[words->part], STR_ARG(words->name), STR_ARG(space->name));
}

/* The region remembers the name of every resource type that a namespace has named. */
static RESULT note_resource_type(struct op *op, struct str name)
{
	if (metadef_item_find_by_namespace(op->head, UUID_NONE, METADEF_ITEM_PART_RESOURCE_TYPE, name))
		return OK;
	struct metadef_item type = {.row.id = engine_new_id(op, KIND_METADEF_ITEM),
				    .row.gen = 1,
				    .part = METADEF_ITEM_PART_RESOURCE_TYPE,
				    .name = name};
	return metadef_item_put(op, &type);
}

/* before NULL: creates a new item. */
static RESULT put_item(struct op *op, const struct metadef_namespace *space,
		       const struct metadef_item *before, const struct metadef_item_words *words,
		       uuid *ret_item)
{
	const struct metadef_item *other =
		engine_find_metadef_item(op->head, space->row.id, words->part, words->name);
	struct metadef_item item = {.row.gen = 0, .space = space->row.id, .part = words->part};
	TRY(engine_check_name(op, KIND_METADEF_ITEM, words->name));
	if (other && (!before || !uuid_equal(other->row.id, before->row.id)))
		return fail_taken(op, space, words);
	if (before)
		item = *before;
	else
		item.row.id = engine_new_id(op, KIND_METADEF_ITEM);
	item.row.gen++;
	item.name = words->name;
	item.definition = words->definition;
	if (words->part == METADEF_ITEM_PART_RESOURCE_TYPE)
		TRY(note_resource_type(op, words->name));
	*ret_item = item.row.id;
	return metadef_item_put(op, &item);
}

static RESULT find_space(struct op *op, uuid id, const char *permission,
			 const struct metadef_namespace **ret_space)
{
	*ret_space = metadef_namespace_find(op->head, id);
	if (!*ret_space)
		return engine_fail_gone(op->ctx, KIND_METADEF_NAMESPACE, id);
	return engine_permit(op, permission, KIND_METADEF_NAMESPACE, &(*ret_space)->row);
}

static RESULT check_unprotected(struct op *op, const struct metadef_namespace *space, const char *what,
				struct str name)
{
	if (!space->is_protected)
		return OK;
	return ctx_fail_kind(op->ctx, ERR_PROTECTED, KIND_METADEF_NAMESPACE,
			     "Metadata definition %s %" STR_FMT " is protected and cannot be deleted.", what,
			     STR_ARG(name));
}

RESULT engine_put_metadef_item(struct op *op, struct metadef_item_wish *wish)
{
	const struct metadef_namespace *space = NULL;
	const struct metadef_item *before = NULL;
	TRY(find_space(op, wish->space, "metadef.update", &space));
	if (wish->before.n) {
		before = engine_find_metadef_item(op->head, wish->space, wish->words.part, wish->before);
		if (!before)
			return engine_fail_not_found(
				op->ctx, KIND_METADEF_ITEM,
				&(struct ref){.kind = KIND_METADEF_ITEM, .text = wish->before});
	}
	return put_item(op, space, before, &wish->words, &wish->item);
}

/* An empty name: all items. */
static RESULT forget_items(struct op *op, uuid space, enum metadef_item_part part, size_t *ret_count)
{
	const struct metadef_item *next = NULL, *i = metadef_item_first_by_namespace(op->head, space);
	*ret_count = 0;
	for (; i; i = next) {
		next = metadef_item_next_by_namespace(op->head, i);
		if (i->part != part)
			continue;
		TRY(metadef_item_forget(op, i->row.id));
		++*ret_count;
	}
	return OK;
}

RESULT engine_delete_metadef_items(struct op *op, struct metadef_items_target *wish)
{
	const struct metadef_namespace *space = NULL;
	size_t count = 0;
	TRY(find_space(op, wish->space, "metadef.update", &space));
	if (!wish->name.n) {
		TRY(check_unprotected(op, space, "namespace", space->name));
		return forget_items(op, wish->space, wish->part, &count);
	}
	TRY(check_unprotected(op, space,
			      wish->part == METADEF_ITEM_PART_RESOURCE_TYPE ? "resource-type-association"
									    : part_words[wish->part],
			      wish->name));
	const struct metadef_item *item =
		engine_find_metadef_item(op->head, wish->space, wish->part, wish->name);
	if (!item)
		return engine_fail_not_found(op->ctx, KIND_METADEF_ITEM,
					     &(struct ref){.kind = KIND_METADEF_ITEM, .text = wish->name});
	return metadef_item_forget(op, item->row.id);
}

RESULT engine_set_metadef_tags(struct op *op, struct metadef_tags_wish *wish)
{
	const struct metadef_namespace *space = NULL;
	size_t count = 0;
	uuid made;
	TRY(find_space(op, wish->space, "metadef.update", &space));
	if (!wish->are_added)
		TRY(forget_items(op, wish->space, METADEF_ITEM_PART_TAG, &count));
	for (size_t k = 0; k < wish->names.count; k++) {
		const struct metadef_item_words words = {METADEF_ITEM_PART_TAG, wish->names.at[k], STR_NONE};
		TRY(put_item(op, space, NULL, &words, &made));
	}
	return OK;
}

/* ---- namespaces ---- */

static RESULT apply(struct op *op, const struct metadef_namespace_wish *wish, struct metadef_namespace *space)
{
	const struct row *owner = NULL;
	TRY(engine_check_name(op, KIND_METADEF_NAMESPACE, wish->name));
	const struct metadef_namespace *other = metadef_namespace_find_by_name(op->head, wish->name);
	if (other && !uuid_equal(other->row.id, space->row.id))
		return ctx_fail_kind(op->ctx, ERR_EXISTS, KIND_METADEF_NAMESPACE,
				     "The metadata definition namespace=%" STR_FMT " already exists.",
				     STR_ARG(wish->name));
	if (ref_is_given(&wish->account))
		TRY(engine_look_up(op->ctx, op->head, KIND_ACCOUNT, &wish->account, &owner));
	space->account = owner ? owner->id : op->ctx->who ? op->ctx->who->account : UUID_NONE;
	space->name = wish->name;
	space->display_name = wish->display_name;
	space->description = wish->description;
	space->is_public = wish->is_public;
	space->is_protected = wish->is_protected;
	space->row.gen++;
	return metadef_namespace_put(op, space);
}

RESULT engine_create_metadef_namespace(struct op *op, struct metadef_namespace_wish *wish)
{
	struct metadef_namespace space = {.row.id = engine_new_id(op, KIND_METADEF_NAMESPACE)};
	uuid made;
	TRY(engine_permit(op, "metadef.create", KIND_METADEF_NAMESPACE, NULL));
	TRY(apply(op, wish, &space));
	wish->space = space.row.id;
	for (size_t k = 0; k < wish->item_count; k++)
		TRY(put_item(op, &space, NULL, &wish->items[k], &made));
	return OK;
}

RESULT engine_update_metadef_namespace(struct op *op, struct metadef_namespace_change *wish)
{
	const struct metadef_namespace *space = NULL;
	TRY(find_space(op, wish->space, "metadef.update", &space));
	struct metadef_namespace next = *space;
	return apply(op, &wish->next, &next);
}

RESULT engine_delete_metadef_namespace(struct op *op, struct metadef_namespace_target *wish)
{
	const struct metadef_namespace *space = NULL;
	TRY(find_space(op, wish->space, "metadef.delete", &space));
	TRY(check_unprotected(op, space, "namespace", space->name));
	return metadef_namespace_forget(op, wish->space);
}
