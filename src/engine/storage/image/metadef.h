/* SPDX-License-Identifier: Apache-2.0
 * Glance's metadata definitions: namespaces, and their contents as JSON documents. An administrator writes
 * them, everybody reads public ones, and nothing else depends on them. Source: Image API reference, "Metadata
 * definitions"; glance.db.sqlalchemy. */
#pragma once

#include "engine/operation.h"
#include "model/metadef_item_words.h"

struct metadef_item;

struct metadef_item_words {
	enum metadef_item_part part;
	struct str name;
	struct str definition; /* JSON object; empty: {} */
};

struct metadef_namespace_wish {
	struct ref account; /* kind none: the caller's account */
	struct str name, display_name, description;
	bool is_public, is_protected;
	const struct metadef_item_words *items;
	size_t item_count;
	/* results: */
	uuid space;
};
OPERATION(engine_create_metadef_namespace, metadef_namespace_wish)

/* Replaces all fields: a field that is not given gets its default, as in a new namespace. */
struct metadef_namespace_change {
	uuid space;
	struct metadef_namespace_wish next; /* without items */
};
OPERATION(engine_update_metadef_namespace, metadef_namespace_change)

/* ERR_PROTECTED: the namespace is protected, and so are its items. */
struct metadef_namespace_target {
	uuid space;
};
OPERATION(engine_delete_metadef_namespace, metadef_namespace_target)

/* Creates an item or changes one. ERR_EXISTS with KIND_METADEF_ITEM: the name is in use. */
struct metadef_item_wish {
	uuid space;
	struct str before; /* name of the item to change; empty: creates a new item */
	struct metadef_item_words words;
	/* result: */
	uuid item;
};
OPERATION(engine_put_metadef_item, metadef_item_wish)

/* Deletes one item by its name, or, without a name, all items of the part. ERR_NOT_FOUND. */
struct metadef_items_target {
	uuid space;
	enum metadef_item_part part;
	struct str name;
};
OPERATION(engine_delete_metadef_items, metadef_items_target)

/* Replaces the namespace's tags, or adds to them. */
struct metadef_tags_wish {
	uuid space;
	struct strs names;
	bool are_added;
};
OPERATION(engine_set_metadef_tags, metadef_tags_wish)

/* Finds the item with that name; NULL: none. For the head or a view. Tag names are case-insensitive. */
const struct metadef_item *engine_find_metadef_item(const struct tables *t, uuid space,
						    enum metadef_item_part part, struct str name);
