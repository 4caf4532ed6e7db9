/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: what its files share of snapshots. All of it runs inside an operation. */
#pragma once

#include "engine/internal.h"

/* ERR_STATE: an administrator said that it is not to be used. */
RESULT snapshot_check_unreserved(struct op *op, const struct snapshot *snapshot, const struct ref *ref);
/* ERR_QUOTA: the account may not have so many more of volumes of that type, of so many bytes together. */
RESULT snapshot_check_quotas(struct op *op, uuid account, struct str type, int64_t count, int64_t bytes);
/* Of the volume; words, tags and needs_off are set, the rest is made. ERR_STATE, ERR_QUOTA. */
RESULT snapshot_write_of(struct op *op, const struct volume *volume, struct snapshot *snapshot);
/* Of the same file, or of one that is to be encrypted; account, words and tags are set. ERR_STATE: the source
 * is not completed. */
RESULT snapshot_write_copy(struct op *op, const struct snapshot *source, const struct disk_crypt *crypt,
			   struct snapshot *snapshot);
/* The volume's policies go; their snapshots stay. */
RESULT snapshot_end_policies(struct op *op, uuid volume);
/* How much its file takes from now on. */
RESULT snapshot_meter(struct op *op, const struct snapshot *snapshot, int64_t level);
/* Marks it deleted and ends its usage. */
RESULT snapshot_delete_metered(struct op *op, const struct snapshot *snapshot);
