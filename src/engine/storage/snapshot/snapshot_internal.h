/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: snapshots. Everything here runs inside an operation. */
#pragma once

#include "engine/internal.h"

struct disk_crypt;

/* ERR_STATE: an administrator reserved the snapshot. */
RESULT snapshot_check_unreserved(struct op *op, const struct snapshot *snapshot, const struct ref *ref);
/* ERR_INVALID: more than 255 characters, or some that XML cannot hold. */
RESULT snapshot_check_description(struct op *op, struct str description);
/* ERR_QUOTA: the account's quota does not allow `count` more snapshots of volumes of that type, with `bytes`
 * in all. */
RESULT snapshot_check_quotas(struct op *op, uuid account, struct str type, int64_t count, int64_t bytes);
/* Creates a snapshot of the volume. The caller sets name, description, tags and needs_off. ERR_STATE,
 * ERR_QUOTA. */
RESULT snapshot_write_of(struct op *op, const struct volume *volume, struct snapshot *snapshot);
/* Creates a copy with the same file, or one that the reconciler encrypts. The caller sets account, name,
 * description and tags. ERR_STATE: the source is not completed. */
RESULT snapshot_write_copy(struct op *op, const struct snapshot *source, const struct disk_crypt *crypt,
			   struct snapshot *snapshot);
/* Deletes the volume's policies; their snapshots stay. */
RESULT snapshot_end_policies(struct op *op, uuid volume);
/* Sets the metered size of its file, in bytes. */
RESULT snapshot_meter(struct op *op, const struct snapshot *snapshot, int64_t level);
/* Marks the snapshot deleted and ends its metering. */
RESULT snapshot_delete_metered(struct op *op, const struct snapshot *snapshot);
