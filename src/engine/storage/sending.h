/* SPDX-License-Identifier: Apache-2.0
 * Data of images and volumes that their owner sends by a form, as CloudStack has it: the row is there before its data are, and
 * waits for them for a while. What did not come in time, or was no disk, ends the waiting for good: the row stays until its
 * owner deletes it. */
#pragma once

#include "engine/storage/image.h"

/* So long after the row was made its data may come: CloudStack's upload.operation.timeout. */
#define SENDING_WAITS_US (60 * MINUTE)

/* Makes an image whose data are waited for. */
OPERATION(engine_await_image, image_creation)

/* Makes a volume whose data are waited for: of no size, and on no host until they are there. ERR_QUOTA. */
struct volume_awaiting {
	struct ref zone;
	struct str name;
	struct ref type;   /* kind none: gp2 */
	struct str format; /* of the data: raw, qcow2, … */
	/* made: */
	uuid volume;
};
OPERATION(engine_await_volume, volume_awaiting)

/* Gives such a volume its data, which are a file in the image store: it is placed, and made of them. ERR_STATE: nothing is waited
 * for. ERR_CAPACITY, ERR_QUOTA. */
OPERATION(engine_fill_volume, image_filling) /* its ref `image` names the volume */

/* Ends the waiting. Nothing happens where nothing is waited for, or, unless `failed`, where the time is not over. */
struct sending_end {
	enum kind kind; /* of an image or a volume */
	uuid id;
	bool failed; /* what came was no disk; else nothing came */
};
OPERATION(engine_end_sending, sending_end)

/* What an upload is for: an image or a volume of the caller's own. */
struct awaited {
	struct ref ref;
	struct str format; /* in the arena */
};
/* ERR_NOT_FOUND. ERR_STATE: nothing is waited for. In walks. */
RESULT engine_find_awaited(struct ctx *c, const struct tables *t, uuid id, struct awaited *ret_awaited);
