/* SPDX-License-Identifier: Apache-2.0
 * The EC2 query API, and STS's GetCallerIdentity beside it on the same listener. Actions are const rows beside
 * their handlers, in files by resource. This file collects the rows, and takes a call through its steps: parse,
 * authenticate, find the action, read the parameters, change or read, answer. */
#pragma once

#include "api/core/face.h"

struct json_writer;

/* Protocol of the face, for api_face_new(). */
extern const struct api_protocol ec2_protocol;

/* All actions as JSON, for documentation and tests: {"actions": [{name, doc, permit, writes,
 * params: [{name, type, required, built, doc}], filters: [name]}], "unbuilt": [name]}. */
void ec2_dump_actions(struct buf *out);
/* An object for each action that lists rows of attributes (dump_answer()). */
void ec2_dump_answers(struct json_writer *w);
/* True if EC2 has an action of that name, implemented here or not. Any thread. */
bool ec2_is_known_action(struct str name);
