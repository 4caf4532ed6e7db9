/* SPDX-License-Identifier: Apache-2.0
 * Amazon SNS's API: topics and their subscriptions. Source: Amazon SNS API Reference, version 2010-03-31. */
#pragma once

#include "api/core/face.h"

/* The protocol that api_face_new() takes. */
extern const struct api_protocol sns_protocol;

/* True if the request is signed for SNS, confirms a subscription by its token, or fetches the certificate of signatures. */
bool sns_has_call(const struct call *call);

/* Writes the chapter of `dari dump coverage`. */
void sns_write_coverage(struct buf *out);
/* Writes what `dari dump sns` prints. */
void sns_dump_actions(struct buf *out);
