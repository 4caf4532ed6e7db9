/* SPDX-License-Identifier: Apache-2.0
 * EC2 Instance Connect: sends a public SSH key to an instance for a minute. AWS JSON 1.1, signed. Source: EC2 Instance Connect
 * API Reference, 2018-04-02. */
#pragma once

#include "api/core/face.h"

struct connect_keys;

extern const struct api_protocol connect_protocol;

/* True for a request signed for the service "ec2-instance-connect". */
bool connect_has_call(const struct call *call);

/* The keys that the face was sent, for the metadata service; they live as long as the face. */
struct connect_keys *connect_face_keys(const struct api_face *face);

/* The calls as a table in Markdown. */
void connect_write_coverage(struct buf *out);
/* The calls as a JSON list, for tests. */
void connect_dump_actions(struct buf *out);
