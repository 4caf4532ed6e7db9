/* SPDX-License-Identifier: Apache-2.0
 * Tags of any kind of resource. Drivers ignore tags, so gen stays. */
#pragma once

#include "engine/operation.h"

enum { TAG_COUNT_MAX = 50, TAG_KEY_MAX = 128, TAG_VALUE_MAX = 256 }; /* in characters */

/* A tag to delete: with any value, or only with this one. */
struct tag_removal {
	struct str key, value;
	bool with_value;
};

/* Some faces have both words and pairs and store them as tags: a word is a tag without a value. */
enum tag_part { TAGS_ALL, TAGS_WITH_VALUE, TAGS_WORDS };

struct tags_wish {
	struct refs resources;              /* may have different kinds */
	enum tag_part part;                 /* the part of the tags to replace or delete */
	struct tags tags;                   /* to set; in any order */
	const struct tag_removal *removals; /* to delete; none: all */
	size_t removal_count;
};
/* Change all of the resources, or none. ERR_INVALID: a bad key or value. ERR_QUOTA with KIND_NONE: more than
 * 50 tags. */
OPERATION(engine_set_tags, tags_wish)
OPERATION(engine_delete_tags, tags_wish)
/* Replaces the tags: the resources have exactly these afterwards. */
OPERATION(engine_replace_tags, tags_wish)

/* Sets or deletes tags of an IAM entity: a user, an IAM role, an instance profile or a managed policy. */
struct entity_tags {
	struct ref entity;
	struct tags tags; /* to set */
	struct strs keys; /* to delete; absent keys are fine */
};
OPERATION(engine_tag_entity, entity_tags)
OPERATION(engine_untag_entity, entity_tags)
