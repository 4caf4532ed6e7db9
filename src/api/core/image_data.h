/* SPDX-License-Identifier: Apache-2.0
 * Streams the image data that a client uploads into the image store, and opens stored data for downloads. */
#pragma once

#include "base/disk_room.h"
#include "http/server.h"

struct image_filling;
struct image_upload;

/* An image's data on their way from a client into a file, piece by piece. Zeroed, and in the call's arena. */
struct api_image_sink {
	struct call_sink sink;       /* its result: whether all of it has come */
	struct image_upload *upload; /* owned until the call ends */
	struct str format;           /* in which the data are looked at; in the arena */
};
/* Takes the call's body so from now on: from begin() only. directory: of the image store; disk_format: as the image's row has it.
 * payer: whose limit the data count against. ERR_NO_MEMORY, ERR_IO. */
RESULT api_take_image_data(struct call *call, const char *directory, const struct disk_payer *payer,
			   struct str disk_format, struct api_image_sink *s);

/* Takes in what has arrived, as image_upload_keep() does, and says so in the wish for engine_fill_image(). It blocks for as
 * long as a large copy takes. */
RESULT api_keep_image_upload(struct ctx *c, struct image_upload *upload, struct str format,
			     struct image_filling *wish);

struct api_call;
struct image;

/* Opens the image's data as the call's answer (e->file). Leaves e->file 0 if the image has no data of its own. In prepare, with a
 * view. ERR_UNSUPPORTED: the data are encrypted, and the key is never given out; ERR_GONE: they cannot be read. */
RESULT api_open_image_data(struct api_call *e, const struct image *image);
