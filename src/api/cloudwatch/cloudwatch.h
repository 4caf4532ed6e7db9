/* SPDX-License-Identifier: Apache-2.0
 * CloudWatch's API: metrics and alarms. Source: Amazon CloudWatch API Reference, version 2010-08-01. */
#pragma once

#include "api/core/face.h"

/* The protocol that api_face_new() takes. */
extern const struct api_protocol cloudwatch_protocol;

/* True if the request is signed for CloudWatch. */
bool cloudwatch_has_call(const struct call *call);

/* Writes the chapter of `dari dump coverage`. */
void cloudwatch_write_coverage(struct buf *out);
/* Writes `dari dump cloudwatch`. */
void cloudwatch_dump_actions(struct buf *out);
