/* SPDX-License-Identifier: Apache-2.0
 * Amazon SQS's API: queues of messages. Source: Amazon SQS API Reference, version 2012-11-05. */
#pragma once

#include "api/core/face.h"

/* The protocol that api_face_new() takes. */
extern const struct api_protocol sqs_protocol;

/* Limit of a request: ten messages of 1 MiB in all, escaped as JSON or as a form. */
enum { SQS_BODY_CAP_SIZE = 4 << 20 };

/* True if the request is signed for SQS. */
bool sqs_has_call(const struct call *call);

/* Writes the chapter of `dari dump coverage`. */
void sqs_write_coverage(struct buf *out);
/* Writes what `dari dump sqs` prints. */
void sqs_dump_actions(struct buf *out);
