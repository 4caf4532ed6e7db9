/* SPDX-License-Identifier: Apache-2.0
 * Opens the stored data of an image as the answer of a call. */
#pragma once

#include "api/core/action.h"

struct image;

/* Opens the image's data as the call's answer (e->file). Leaves e->file 0 if the image has no data of its own. In prepare, with a
 * view. ERR_UNSUPPORTED: the data are encrypted, and the key is never given out; ERR_GONE: they cannot be read. */
RESULT api_open_image_data(struct api_call *e, const struct image *image);
