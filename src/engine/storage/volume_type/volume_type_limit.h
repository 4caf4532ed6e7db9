/* SPDX-License-Identifier: Apache-2.0
 * Limits per volume type, in addition to the account's total: Cinder's quotas volumes_TYPE, gigabytes_TYPE
 * and snapshots_TYPE. If the account has no limit of its own, the default for all accounts applies, if
 * any. */
#pragma once

#include "engine/operation.h"

struct snapshot;

struct volume_type_figures {
	int64_t volumes;
	int64_t bytes; /* total size of the volumes and of the snapshots' volumes */
	int64_t snapshots;
};
/* True if the snapshot counts towards the bytes: it is of a volume, and not bound to an image, copy or
 * backup. */
bool engine_snapshot_takes_bytes(const struct snapshot *snapshot);
/* The account's usage of the type, given by name. A snapshot without its volume has no type. Linear in the
 * account's volumes and snapshots. */
void engine_count_type_usage(const struct tables *t, uuid account, struct str type,
			     struct volume_type_figures *ret_usage);
/* The limits that apply to the account, or, for none, the defaults. -1: unlimited. */
void engine_read_type_limits(const struct tables *t, uuid account, uuid type,
			     struct volume_type_figures *ret_limits);

/* A limit to set; ACCOUNT_LIMIT_KEEP leaves a number unchanged. */
struct volume_type_limit_wish {
	uuid type;
	struct volume_type_figures limits;
};
