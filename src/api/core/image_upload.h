/* SPDX-License-Identifier: Apache-2.0
 * An image's data that a client sent, into the image store. */
#pragma once

#include "base/ctx.h"

struct image_filling;
struct image_upload;

/* Takes in what has arrived, as image_upload_keep() does, and says so in the wish for engine_fill_image(). It blocks for as
 * long as a large copy takes. */
RESULT api_keep_image_upload(struct ctx *c, struct image_upload *upload, struct str format,
			     struct image_filling *wish);
