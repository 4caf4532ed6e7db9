/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: what its files share of images. All of it runs inside an operation. */
#pragma once

#include "engine/internal.h"

struct disk_plans;
struct image_capture;
struct image_import;

/* Sorted by key, as a row has them. ERR_QUOTA, ERR_INVALID. */
RESULT image_take_properties(struct op *op, struct tags wish, struct tags *ret_properties);
RESULT image_write(struct op *op, struct image *image, const struct disk_plans *disks);
RESULT image_capture_instance(struct op *op, const struct instance *instance, bool needs_off,
			      struct image_capture *wish);
/* A new image that has what a volume or a snapshot has, in the form that is said; as engine_capture_volume() and
 * engine_capture_snapshot(), whose permissions were asked before. */
struct image_form;
RESULT image_write_of_volume(struct op *op, const struct volume *volume, const struct image_form *form,
			     uuid *ret_image);
RESULT image_write_of_snapshot(struct op *op, uuid account, const struct snapshot *source,
			       const struct image_form *form, uuid *ret_image);
/* Marks it deleted, with what was made for it alone. */
RESULT image_write_end(struct op *op, const struct image *image);
/* ERR_PROTECTED: others are to have it, and one of its disks is encrypted. */
RESULT image_check_shares(struct op *op, const struct image *image);
/* Its disks, of an image that has none yet. */
RESULT image_write_disks(struct op *op, uuid image, const struct disk_plans *disks);
/* Of a file that is kept already: account, words and the file are set. */
RESULT image_write_file_snapshot(struct op *op, struct snapshot *snapshot);
/* Gives a new image the properties and the family of its wish, and the label of the latest to the newest. */
RESULT image_join_family(struct op *op, const struct image_import *wish, struct image *image);
