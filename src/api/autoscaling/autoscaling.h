/* SPDX-License-Identifier: Apache-2.0
 * EC2 Auto Scaling, version 2011-01-01: groups, their instances and activities, lifecycle hooks, policies, launch
 * configurations. Served on EC2's listener: the signature of a request names the service. Source: Amazon EC2 Auto
 * Scaling API Reference. */
#pragma once

#include "api/core/face.h"

/* Argument of api_face_new(). */
extern const struct api_protocol autoscaling_protocol;

/* True if a request is signed for the service. */
bool autoscaling_has_call(const struct call *call);

/* Writes the chapter of `dari dump coverage`. */
void autoscaling_write_coverage(struct buf *out);
/* All actions as JSON, as iam_dump_actions(). */
void autoscaling_dump_actions(struct buf *out);
