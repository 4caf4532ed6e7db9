/* SPDX-License-Identifier: Apache-2.0
 * The IAM query API: the identities of an account and their permissions in every face. Served on EC2's listener:
 * the signature of a request names the service. Actions are const rows (actions.c). This file takes a call through
 * its steps: authenticate, find the action, read the parameters, check permission, change or read, answer. */
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
