/* SPDX-License-Identifier: Apache-2.0
 * EBS direct APIs, version 2019-11-02: reads snapshots block by block, lists what changed between two, and makes
 * snapshots from blocks. REST with JSON, signed for the service "ebs". Source: botocore's model, and the "EBS direct
 * APIs" chapter of the Amazon EBS User Guide. */
#pragma once

#include "api/core/face.h"

struct call;

/* True for a request signed for the service "ebs". */
bool ebs_has_call(const struct call *call);

extern const struct api_protocol ebs_protocol;

/* The calls as a table in Markdown. */
void ebs_write_coverage(struct buf *out);
/* The calls as a JSON list, for tests. */
void ebs_dump_actions(struct buf *out);
