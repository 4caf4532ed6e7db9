/* SPDX-License-Identifier: Apache-2.0
 * Private to api/openstack/image/metadef*.c: declarations that namespaces of metadata definitions and their items
 * share. */
#pragma once

#include "api/openstack/core/list.h"
#include "engine/storage/image/metadef.h"
#include "model/metadef_item_words.h"

struct metadef_namespace;
struct metadef_item;

/* The namespace of that name, if the caller sees it. ERR_NOT_FOUND, as Glance says it. */
RESULT os_find_metadef_space(struct os_call *e, struct str name, const struct metadef_namespace **ret_space);

/* Checks the other members of an item, as a JSON object. ERR_INVALID: the object violates the part's schema; ERR_DENIED: the caller may not
 * set a member. */
RESULT os_check_metadef(struct os_call *e, enum metadef_item_part part, struct str definition);

/* The members of an item's object. */
void os_write_metadef_object(struct os_call *e, struct json_writer *w, const struct metadef_namespace *space,
			     const struct metadef_item *item);
void os_write_metadef_property(struct json_writer *w, const struct metadef_item *item);
void os_write_metadef_association(struct os_call *e, struct json_writer *w, const struct metadef_item *item);
/* created_at and updated_at. */
void os_write_metadef_times(struct json_writer *w, const struct row *row);
