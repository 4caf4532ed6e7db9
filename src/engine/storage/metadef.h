/* SPDX-License-Identifier: Apache-2.0
 * Glance's metadata definitions: namespaces, and what is in them as documents. An administrator writes them, everybody
 * reads public ones; nothing follows from them. Source: Image API reference, "Metadata definitions"; glance.db.sqlalchemy. */
#pragma once

#include "engine/operation.h"
#include "model/metadef_item.h"

struct metadef_item_words {
	enum metadef_item_part part;
	struct str name;
	struct str definition; /* a JSON object; empty: {} */
};

struct metadef_namespace_wish {
	struct ref account; /* kind none: the caller's */
	struct str name, display_name, description;
	bool is_public, is_protected;
	const struct metadef_item_words *items;
	size_t item_count;
	/* made: */
	uuid space;
};
OPERATION(engine_create_metadef_namespace, metadef_namespace_wish)

/* What is not said is as in a new one. */
struct metadef_namespace_change {
	uuid space;
	struct metadef_namespace_wish next; /* without items */
};
OPERATION(engine_update_metadef_namespace, metadef_namespace_change)

/* ERR_PROTECTED: it is protected; as for what is in it. */
struct metadef_namespace_target {
	uuid space;
};
OPERATION(engine_delete_metadef_namespace, metadef_namespace_target)

/* Makes one, or changes one. ERR_EXISTS with KIND_METADEF_ITEM: another has the name. */
struct metadef_item_wish {
	uuid space;
	struct str before; /* the name of the one that is changed; empty: a new one */
	struct metadef_item_words words;
	/* made or changed: */
	uuid item;
};
OPERATION(engine_put_metadef_item, metadef_item_wish)

/* One by its name; without a name all of the part. ERR_NOT_FOUND. */
struct metadef_items_target {
	uuid space;
	enum metadef_item_part part;
	struct str name;
};
OPERATION(engine_delete_metadef_items, metadef_items_target)

/* The namespace's tags instead of those that it has, or besides. */
struct metadef_tags_wish {
	uuid space;
	struct strs names;
	bool are_added;
};
OPERATION(engine_set_metadef_tags, metadef_tags_wish)

/* The item of that name; NULL: none. On the head, or on a view that is read. Tags are the same in small letters. */
const struct metadef_item *engine_find_metadef_item(const struct tables *t, uuid space,
						    enum metadef_item_part part, struct str name);

/* Inside the operation that deletes an account. */
RESULT metadefs_forget_of_account(struct op *op, uuid account);
