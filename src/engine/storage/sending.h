/* SPDX-License-Identifier: Apache-2.0
 * Images and volumes whose owner uploads the data with a form, as CloudStack does it. The row exists before
 * its data and waits for them for a limited time. If the data come late, or are no disk image, the wait ends
 * for good and the row stays until its owner deletes it. */
#pragma once

#include "engine/storage/image/image.h"

/* Time from the row's creation within which its data must arrive: CloudStack's upload.operation.timeout. */
#define SENDING_WAITS_US (60 * MINUTE)

/* Creates an image that waits for its data. */
OPERATION(engine_await_image, image_creation)

/* Creates a volume that waits for its data: until they arrive it has no size and no host. ERR_QUOTA. */
struct volume_awaiting {
	struct ref zone;
	struct str name;
	struct ref type;   /* kind none: gp2 */
	struct str format; /* the data's format: raw, qcow2, … */
	/* result: */
	uuid volume;
};
OPERATION(engine_await_volume, volume_awaiting)

/* Gives the volume its data, a file in the image store: places the volume and creates it from the file.
 * ERR_STATE: the volume waits for nothing. ERR_CAPACITY, ERR_QUOTA. */
OPERATION(engine_fill_volume, image_filling) /* `image` refers to the volume */

/* Ends the wait. Does nothing if the row waits for nothing, or, unless `failed`, if the time is not over. */
struct sending_end {
	enum kind kind; /* KIND_IMAGE or KIND_VOLUME */
	uuid id;
	bool failed; /* true: the data were no disk image; false: no data arrived */
};
SYSTEM_OPERATION(engine_end_sending, sending_end)

/* The target of an upload: an image or a volume of the caller. */
struct awaited {
	struct ref ref;
	struct str format; /* in the arena */
};
/* Runs in walks. ERR_NOT_FOUND. ERR_STATE: the row waits for nothing. */
RESULT engine_find_awaited(struct ctx *c, const struct tables *t, uuid id, struct awaited *ret_awaited);
