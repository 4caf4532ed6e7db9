/* SPDX-License-Identifier: Apache-2.0
 * CloudWatch's query API, as far as it reads figures of instances. Source: Amazon CloudWatch API Reference, version 2010-08-01. */
#pragma once

#include "api/core/face.h"

/* For api_face_new(). */
extern const struct api_protocol cloudwatch_protocol;

/* Whether a request is signed for it, and in the query protocol. */
bool cloudwatch_has_call(const struct call *call);

/* Writes the chapter of `dari dump coverage`. */
void cloudwatch_write_coverage(struct buf *out);
/* Writes `dari dump cloudwatch`. */
void cloudwatch_dump_actions(struct buf *out);
