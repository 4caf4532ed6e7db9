/* SPDX-License-Identifier: Apache-2.0
 * The IAM query API: an account's people and what they may, through every face. On the
 * listener of EC2's: a request is IAM's when its signature is. Actions are const rows (actions.c); this takes
 * calls through: who asks, which action, its parameters, whether they may, change or read, answer. */
#pragma once

#include "api/core/face.h"

/* The face's protocol, for api_face_new(). */
extern const struct api_protocol iam_protocol;

/* True if a request is signed for IAM, which shares a listener with other faces. */
bool iam_has_call(const struct call *call);

/* Writes the chapter of `dari dump coverage`: each action, what it does, which parameters are refused. */
void iam_write_coverage(struct buf *out);
/* All actions as JSON, as ec2_dump_actions(). */
void iam_dump_actions(struct buf *out);
