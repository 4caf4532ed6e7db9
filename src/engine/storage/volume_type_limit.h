/* SPDX-License-Identifier: Apache-2.0
 * Limits of single volume types, besides the account's own over all types: Cinder's quotas volumes_TYPE,
 * gigabytes_TYPE and snapshots_TYPE. Where an account has none, that of every account holds; where there is none
 * either, there is no limit. */
#pragma once

#include "engine/operation.h"
#include "model/volume_type_limit.h"

struct snapshot;
struct volume_type;

struct volume_type_figures {
	int64_t volumes;
	int64_t bytes; /* of them, and of those that the snapshots are of */
	int64_t snapshots;
};
/* Whether the snapshot takes something of the bytes: it is of a volume, and not of use to an image, a copy or a
 * backup alone. */
bool engine_snapshot_takes_bytes(const struct snapshot *snapshot);
/* What the account has of that type, by its name; a snapshot whose volume is gone is of no type. Costs what the
 * account has. */
void engine_count_type_usage(const struct tables *t, uuid account, struct str type,
			     struct volume_type_figures *ret_usage);
/* What holds for the account, or with none for every account that says nothing else. -1: no limit. */
void engine_read_type_limits(const struct tables *t, uuid account, uuid type,
			     struct volume_type_figures *ret_limits);

/* One to be set; ACCOUNT_LIMIT_KEEP leaves a number as it is. */
struct volume_type_limit_wish {
	uuid type;
	struct volume_type_figures limits;
};
