/* SPDX-License-Identifier: Apache-2.0
 * AWS Backup, version 2018-11-15: vaults, plans, selections, jobs, recovery points and restores of instances and volumes. REST with
 * JSON, signed for the service "backup". Sources: botocore's model, and AWS Backup's API Reference. */
#pragma once

#include "api/core/face.h"

struct call;

/* True for a request signed for the service "backup". */
bool awsbackup_has_call(const struct call *call);

extern const struct api_protocol awsbackup_protocol;
extern const struct api_groups awsbackup_action_groups;

/* The calls as a table in Markdown. */
void awsbackup_write_coverage(struct buf *out);
/* The calls as a JSON list, for tests. */
void awsbackup_dump_actions(struct buf *out);
