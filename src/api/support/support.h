/* SPDX-License-Identifier: Apache-2.0
 * AWS Support's API over the region's tickets: JSON 1.1, signed. Served on EC2's listener. Source: AWS Support API
 * Reference, 2013-04-15. */
#pragma once

#include "api/core/face.h"

/* The face's protocol, for api_face_new(). */
extern const struct api_protocol support_protocol;

/* True if a request is signed for AWS Support. */
bool support_has_call(const struct call *call);
/* `dari dump support`, and the page. */
void support_dump_actions(struct buf *out);
void support_write_coverage(struct buf *out);
