/* SPDX-License-Identifier: Apache-2.0
 * Private to api/openstack/: declarations that the files of Image share. */
#pragma once

#include "api/openstack/core/list.h"
#include "engine/storage/image/image.h"

struct image;

/* The members of an image, in lists and alone. */
extern const struct os_listing os_image_listing;

struct os_image_target {
	struct ref image;
};
#define OS_IMAGE_PATH(T, member) OS_PATH(T, "image_id", member, .kind = KIND_IMAGE, .doc = "The image.")

/* Finds an image that the caller may change, in the open view. ERR_DENIED: the caller may only see it. */
RESULT os_find_changed_image(struct os_call *e, const struct ref *ref, const struct image **ret_image);

/* True if a list includes the image: own images, public images, and community or shared images by the query's filters. */
bool os_is_image_listed(struct os_call *e, const struct row *row);

/* Begins a change of an image: sets the wish to the present attributes and gen, and copies the image into the arena. */
RESULT os_begin_image_rewriting(struct os_call *e, const struct ref *ref, struct image_rewriting *wish,
				const struct image **ret_image);
/* Replaces the properties, and the fields of the row that they set; fields that another face set remain. */
void os_image_set_properties(struct arena *a, const struct image *image, struct tags properties,
			     struct image_form *form);

/* An image's properties that are fields of its row: the form that they ask for (properties.c). */
void os_image_apply_properties(struct arena *a, struct image_form *form);
/* Property that tells who provides the licences of the image's software: byos, or several such as rhel:byos,rhel-ha:byos. Shows the
 * present state, not the value as set. */
#define OS_LICENCE_PROPERTY "dari:licence"
/* Nova's block device mapping of the image, as JSON text; empty: it has none. While the view's tables are held. */
struct str os_image_block_devices(struct os_call *e, const struct image *image);
/* True if the property is a field of the row. */
bool os_image_is_machine_word(struct str key);
/* True if the image shows that word although no property says it: as another face's user made the image. */
bool os_image_shows_machine_word(const struct image_form *form, struct str key);
/* Writes the properties that follow from the row's fields, such as "hw_disk_bus": "sata" of an image that another face made. */
void os_image_write_machine(struct json_writer *w, const struct image *image);
