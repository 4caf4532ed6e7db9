/* SPDX-License-Identifier: Apache-2.0
 * Policies of snapshots: a volume's snapshots are taken by themselves, hourly, daily, weekly and monthly, and so many of
 * each are kept. A policy's row has when the next one is due; reconcile/snapshot_policy.c works that out, takes it when
 * the time has come, and deletes those above. A time that passed while nobody looked is made up for once. Called by:
 * api/cloudstack. */
#pragma once

#include "engine/operation.h"
#include "model/snapshot_policy.h"

enum { SNAPSHOT_POLICY_KEPT_MAX = 8 }; /* snapshot.max.hourly and so on, as CloudStack has them */

/* Makes the volume's policy of the interval, or changes it. ERR_INVALID: the schedule is none of the interval, or too many
 * are to be kept, or more than the account may have. ERR_STATE: the volume is not ready. */
struct snapshot_policy_wish {
	struct ref volume;
	enum snapshot_policy_interval interval;
	struct str schedule; /* model/schedule.h */
	struct str timezone; /* the caller knows that there is one of that name */
	int64_t kept;
	enum choice is_active; /* default: yes */
	struct tags tags;
	/* made: */
	uuid policy;
};
OPERATION(engine_put_snapshot_policy, snapshot_policy_wish)

struct snapshot_policy_settings {
	struct ref policy;
	enum choice is_active;
};
OPERATION(engine_update_snapshot_policy, snapshot_policy_settings)

/* Deletes all of them, or none. Their snapshots stay. */
struct snapshot_policies_target {
	struct refs policies;
};
OPERATION(engine_delete_snapshot_policies, snapshot_policies_target)

/* The first of its snapshots to go: the oldest of more than are kept, or one that failed before a later one was made.
 * NULL: none. */
struct snapshot;
const struct snapshot *engine_find_superfluous(const struct tables *t, const struct snapshot_policy *policy);
/* The newest that it took, whatever came of it. NULL: none. */
const struct snapshot *engine_find_newest(const struct tables *t, const struct snapshot_policy *policy);

/* ---- the reconciler's. Absent, or changed since: OK. ---- */

/* Why a policy has no snapshot that it should have, or has one that it should not have. */
#define SNAPSHOT_NOT_TAKEN "SnapshotNotTaken"
#define SNAPSHOTS_NOT_DELETED "SnapshotsNotDeleted"

struct snapshot_policy_turn {
	uuid policy;
	uint64_t gen;    /* of the row that was looked at */
	int64_t due_us;  /* that row's next_us */
	int64_t next_us; /* what it is to be from now on */
	bool is_due; /* and a snapshot is to be taken; what is refused becomes a condition, and next_us stays */
};
OPERATION(engine_take_policy_turn, snapshot_policy_turn)

/* Deletes what is superfluous, as far as that is not refused: that becomes a condition. */
struct snapshot_policy_pruning {
	uuid policy;
};
OPERATION(engine_prune_policy, snapshot_policy_pruning)
