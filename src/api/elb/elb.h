/* SPDX-License-Identifier: Apache-2.0
 * Elastic Load Balancing, version 2015-12-01 (ELBv2), as far as network load balancers go. On the listener of EC2's:
 * a request is this service's when its signature is. Source: Elastic Load Balancing API Reference. */
#pragma once

#include "api/core/face.h"

/* Argument of api_face_new(). */
extern const struct api_protocol elb_protocol;

/* True if a request is signed for the service. */
bool elb_has_call(const struct call *call);

/* Writes the chapter of `dari dump coverage`. */
void elb_write_coverage(struct buf *out);
/* All actions as JSON, as iam_dump_actions(). */
void elb_dump_actions(struct buf *out);
