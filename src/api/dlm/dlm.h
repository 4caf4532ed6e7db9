/* SPDX-License-Identifier: Apache-2.0
 * Amazon Data Lifecycle Manager, version 2018-01-12: policies that take snapshots of tagged volumes and instances, and delete them. REST
 * with JSON, signed for the service "dlm". Sources: botocore's model, and the chapter "Amazon Data Lifecycle Manager" of the Amazon EBS
 * User Guide. */
#pragma once

#include "api/core/face.h"

struct call;

/* True for a request signed for the service "dlm". */
bool dlm_has_call(const struct call *call);

extern const struct api_protocol dlm_protocol;
extern const struct api_groups dlm_action_groups;

/* The calls as a table in Markdown. */
void dlm_write_coverage(struct buf *out);
/* The calls as a JSON list, for tests. */
void dlm_dump_actions(struct buf *out);
