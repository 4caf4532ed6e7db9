/* SPDX-License-Identifier: Apache-2.0
 * Snapshot policies: the engine takes hourly, daily, weekly or monthly snapshots of a volume and keeps a
 * given number of each. The policy's row holds when the next one is due. reconcile/storage/snapshot_policy.c computes
 * that time, takes the snapshot and deletes the surplus. A time that passed while the daemon was down is
 * caught up once. Policies that select volumes by tags are in lifecycle_policy.h. Called by: api/cloudstack. */
#pragma once

#include "engine/operation.h"
#include "model/snapshot_policy_words.h"

struct snapshot_policy;

enum { SNAPSHOT_POLICY_KEPT_MAX = 8 }; /* CloudStack's snapshot.max.hourly etc. */

/* Creates the volume's policy for the interval, or changes it. ERR_INVALID: the schedule does not fit the
 * interval, or `kept` is above the maximum or the account's snapshot limit. ERR_STATE: the volume is not
 * ready. */
struct snapshot_policy_wish {
	struct ref volume;
	enum snapshot_policy_interval interval;
	struct str schedule; /* model/schedule.h */
	struct str timezone; /* the caller checked that the timezone exists */
	int64_t kept;
	struct uuids zones;    /* kept and shown; the caller found them */
	enum choice is_active; /* default: yes */
	struct tags tags;
	/* result: */
	uuid policy;
};
OPERATION(engine_put_snapshot_policy, snapshot_policy_wish)

struct snapshot_policy_settings {
	struct ref policy;
	enum choice is_active;
};
OPERATION(engine_update_snapshot_policy, snapshot_policy_settings)

/* Deletes all these policies or none. Their snapshots stay. */
struct snapshot_policies_target {
	struct refs policies;
};
OPERATION(engine_delete_snapshot_policies, snapshot_policies_target)

/* Lists the snapshots to delete, the oldest of each volume first: those beyond `kept` or past their time, and failed ones that a
 * later one superseded. At most SNAPSHOTS_PRUNED_MAX. In the arena. */
enum { SNAPSHOTS_PRUNED_MAX = 256 };
struct snapshot;
RESULT engine_list_superfluous(struct ctx *c, const struct tables *t, const struct snapshot_policy *policy,
			       int64_t now_us, struct uuids *ret_snapshots);
/* The newest snapshot of a policy of one volume, in whatever state. NULL: none. */
const struct snapshot *engine_find_newest(const struct tables *t, const struct snapshot_policy *policy);

/* ---- for the reconciler; OK for a row that is absent or changed ---- */

/* The conditions of a policy that lacks a snapshot, or has one too many. */
#define SNAPSHOT_NOT_TAKEN "SnapshotNotTaken"
#define SNAPSHOTS_NOT_DELETED "SnapshotsNotDeleted"

struct later_guard; /* engine/people/asker.h */
struct snapshot_policy_turn {
	uuid policy;
	uint64_t gen;    /* the generation that the reconciler read */
	int64_t due_us;  /* that row's next_us */
	int64_t next_us; /* its new value */
	bool is_due; /* a snapshot is due; if the engine refuses it, a condition says so and next_us stays */
	struct later_guard *guard; /* asks the asker's policies again; NULL: roles alone decide */
};
SYSTEM_OPERATION(engine_take_policy_turn, snapshot_policy_turn)

/* Deletes the surplus snapshots. A refusal becomes a condition. */
struct snapshot_policy_pruning {
	uuid policy;
	struct later_guard *guard; /* as above */
};
SYSTEM_OPERATION(engine_prune_policy, snapshot_policy_pruning)
