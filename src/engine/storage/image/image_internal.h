/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: images, for other files of the engine. Everything here runs inside an operation. */
#pragma once

#include "engine/internal.h"

struct disk_plans;
struct image_capture;
struct image_import;

/* Sorts properties by key, as rows have them. ERR_QUOTA, ERR_INVALID. */
RESULT image_take_properties(struct op *op, struct tags wish, struct tags *ret_properties);
RESULT image_write(struct op *op, struct image *image, const struct disk_plans *disks);
RESULT image_capture_instance(struct op *op, const struct instance *instance, bool needs_off,
			      struct image_capture *wish);
/* Create an image of a volume or snapshot; see engine_capture_volume() and engine_capture_snapshot(). The
 * caller has asked for their permissions. */
struct image_form;
RESULT image_write_of_volume(struct op *op, const struct volume *volume, const struct image_form *form,
			     uuid *ret_image);
RESULT image_write_of_snapshot(struct op *op, uuid account, const struct snapshot *source,
			       const struct image_form *form, uuid *ret_image);
/* Marks an image deleted, together with snapshots made for it only. */
RESULT image_write_end(struct op *op, const struct image *image);
/* ERR_PROTECTED: the image is shared, and has an encrypted disk. */
RESULT image_check_shares(struct op *op, const struct image *image);
/* Writes the disks of an image that has none yet. */
RESULT image_write_disks(struct op *op, uuid image, const struct disk_plans *disks);
/* Writes a snapshot of a file in the store; account, description and file are set. */
RESULT image_write_file_snapshot(struct op *op, struct snapshot *snapshot);
/* Sets family and properties of a new image; moves the label IMAGE_LATEST to it if it is the newest. */
RESULT image_join_family(struct op *op, const struct image_import *wish, struct image *image);
