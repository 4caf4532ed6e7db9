/* SPDX-License-Identifier: Apache-2.0
 * Private to drivers/remote/: a resource that is being read from an answer. Drafts bound every text and list, and keep
 * only what the schema of remote_resource allows. Tables map members of an answer to fields. Pure; any thread. */
#pragma once

#include "base/vec.h"
#include "drivers/remote.h"
#include "model/remote_resource.h"

/* RESOURCE_PLACES_MAX: places of a type of resources in a cloud's table. */
enum {
	RESOURCE_TEXT_MAX = 255,
	RESOURCE_ATTRIBUTES_MAX = 16,
	RESOURCE_TAGS_MAX = 50,
	RESOURCE_PLACES_MAX = 16
};
/* Types of public clouds: bits 1 << enum remote_resource_type. */
#define RESOURCE_TYPES_ALL ((2U << REMOTE_RESOURCE_TYPE_ADDRESS) - 1)
#define RESOURCE_TYPES_STACKS (1U << REMOTE_RESOURCE_TYPE_STACK | 1U << REMOTE_RESOURCE_TYPE_STACK_RESOURCE)

/* Sizes are kept in bytes, whatever the cloud's unit. */
enum resource_field {
	RESOURCE_REF,
	RESOURCE_NAME,
	RESOURCE_PARENT,
	RESOURCE_STATE,
	RESOURCE_ZONE,
	RESOURCE_BYTES,
	RESOURCE_MIB,
	RESOURCE_GIB,
	RESOURCE_ATTRIBUTE
};

/* Maps a member of an answer to a field. Of several members for one field the first with a text counts. */
struct resource_place {
	const char *path;
	enum resource_field field;
	const char *attribute; /* of RESOURCE_ATTRIBUTE: the attribute's name */
};
#define RESOURCE_AT(path, field)                                                                             \
	{                                                                                                    \
		path, RESOURCE_##field, NULL                                                                 \
	}
#define RESOURCE_ATTRIBUTE_AT(path, name)                                                                    \
	{                                                                                                    \
		path, RESOURCE_ATTRIBUTE, name                                                               \
	}

struct resource_draft {
	struct remote_resource resource;
	struct tag attributes[RESOURCE_ATTRIBUTES_MAX], tags[RESOURCE_TAGS_MAX];
	size_t attribute_count, tag_count;
};

struct remote_resources {
	VEC(struct remote_resource);
};

/* text: in the arena, or of an answer that outlives resource_end(). Empty and malformed texts count as absent. */
void resource_put(struct resource_draft *d, const struct resource_place *place, struct str text);
void resource_add_tag(struct resource_draft *d, struct str key, struct str value);
/* Adds the resource to the list, with its tags sorted, because clouds change their order between answers. ERR_IO: the
 * resource has no proper id, or the page has too many resources. */
RESULT resource_end(struct ctx *c, struct resource_draft *d, enum remote_resource_type type,
		    struct remote_resources *list);
/* Makes the page's resources parts of the stack. Names are unique in a stack alone, so that a ref is "STACK/NAME", with the
 * name's SHA-256 in its place if that is too long. */
RESULT resource_put_into_stack(struct ctx *c, struct str stack, struct remote_resource_page *page);
