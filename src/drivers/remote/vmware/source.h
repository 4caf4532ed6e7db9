/* SPDX-License-Identifier: Apache-2.0
 * Private to drivers/remote/vmware/: disks of machines, for migrations. */
#pragma once

#include "drivers/remote.h"

extern const struct remote_source_ops vmware_source_ops;

/* In a session: reads the file of a snapshot's disk from the datastore. ERR_INVALID: there is no single file. */
RESULT vmware_read_datastore(struct ctx *c, struct remote *r, struct remote_download *download);

/* Adds the privileges on the machine that the credentials lack. */
RESULT vmware_judge_rights(struct ctx *c, struct remote *r, struct str machine, const char *const *names,
			   size_t count, struct remote_identity *identity);
