/* SPDX-License-Identifier: Apache-2.0
 * Elastic Load Balancing: version 2015-12-01 (ELBv2), and version 2012-06-01, the API of Classic Load Balancers.
 * Served on EC2's listener: the signature of a request names the service, and the parameter Version the API
 * version. Source: Elastic Load Balancing API Reference. */
#pragma once

#include "api/core/face.h"

/* Argument of api_face_new(). */
extern const struct api_protocol elb_protocol, elb_classic_protocol;

/* True if a request is signed for the service. */
bool elb_has_call(const struct call *call);
/* True if a request names the version of Classic Load Balancers; and if it is also signed for the service. */
bool elb_is_classic(const struct call *call);
bool elb_classic_has_call(const struct call *call);

/* Writes the chapter of `dari dump coverage`. */
void elb_write_coverage(struct buf *out);
void elb_classic_write_coverage(struct buf *out);
/* All actions as JSON, as iam_dump_actions(). */
void elb_dump_actions(struct buf *out);
void elb_classic_dump_actions(struct buf *out);
