/* SPDX-License-Identifier: Apache-2.0
 * Migrations of machines from clouds elsewhere, and of instances to them. A plan says what moves and what is refused. Once started, rounds copy
 * snapshots of the machine's disks into snapshots here, while the machine runs: the first round all blocks, later ones the
 * changed blocks. The cutover stops the machine, copies what it has written since, and launches the instance.
 *
 * On the way out the source is an instance, its disks are read from snapshots here, and the target is a machine of a
 * provider. Stages, rounds, cutover and undo are the same.
 *
 * Invariants. The source is never deleted. By this region's doing the machine and the instance never run at the same
 * time: the instance is launched only when the machine was just seen stopped, and an undo starts the machine only when
 * the instance was seen off. Every ending removes the snapshots that the migration made there.
 *
 * reconcile/remote/migration.c follows the stages, migration_disk.c copies blocks. */
#pragma once

#include "engine/operation.h"
#include "engine/people/asker.h"
#include "model/cloud_migration.h"
#include "model/cloud_migration_disk.h"

enum {
	MIGRATIONS_MAX = 200,
	MIGRATION_DISKS_MAX = 26,
	MIGRATION_ROUND_S = 600,
	MIGRATION_ROUND_MIN_S = 10,
	MIGRATION_ROUND_MAX_S = 3600,
	MIGRATION_SMALL_DELTA = 64 << 20, /* bytes; smaller rounds are repeated at the interval only */
	MIGRATION_ROUNDS_AT_ONCE = 20,
	MIGRATION_RESETS_MAX =
		8, /* way out: a disk whose copying is restarted more often ends the migration */
	MIGRATION_RATE_GUESS = 50 << 20, /* bytes a second until a round has been measured */
	MIGRATION_BOOT_GUESS_S = 30
};

/* ---- wishes ---- */

/* Plans the migration of a machine to this region, or of an instance to a provider. ERR_UNSUPPORTED: not from, or to, that
 * cloud. ERR_EXISTS: the source is being migrated. ERR_MISSING, ERR_COMBINATION: neither or both are named. */
struct migration_wish {
	struct ref machine;
	struct ref instance, provider; /* way out: both */
	/* result: */
	uuid migration;
};
OPERATION(engine_plan_migration, migration_wish)

/* Changes the plan. ERR_STATE: copying has begun, and the change is of the network or the disks' loss. */
struct migration_change {
	struct ref migration;
	struct ref type, subnet, key_pair; /* kind none: unchanged */
	struct refs groups;                /* none: unchanged */
	struct str name;                   /* empty: unchanged */
	enum choice keeps_ip, drops_local, lacks_virtio;
	int64_t round_s; /* 0: unchanged */
	/* Way out, by the cloud's ids; empty: unchanged. ERR_COMBINATION: a member of the other direction. */
	struct str target_type, target_subnet, target_key;
	struct strs target_groups;
};
OPERATION(engine_change_migration, migration_change)

struct cloud_migration_target {
	struct ref migration;
	bool accepts_loss; /* undo alone: the writes of the instance here may be lost */
};
/* Begins to copy. ERR_STATE: it is not planned, or the plan has refusals, the first of which is the message. */
OPERATION(engine_start_migration, cloud_migration_target)
/* Requests the cutover. ERR_STATE: copying has not begun, or the cutover is requested already. */
OPERATION(engine_cut_over_migration, cloud_migration_target)
/* Undoes the migration: removes what was made there and here and, if it has stopped the machine, starts it again. An
 * instance that has run is stopped and kept. ERR_STATE: it is over; or the instance has run, and accepts_loss is not
 * given. */
OPERATION(engine_undo_migration, cloud_migration_target)
/* Forgets an ended migration. The image and the snapshots that the instance was made from stay. ERR_STATE: not ended. */
OPERATION(engine_delete_migration, cloud_migration_target)

/* ---- what is next ---- */

enum migration_turn {
	MIGRATION_TURN_NONE,   /* ended, or waits for its user */
	MIGRATION_TURN_LOOK,   /* describe the machine */
	MIGRATION_TURN_FREEZE, /* make snapshots there, or look at them */
	MIGRATION_TURN_COPY,   /* disks are being copied, by their own steps */
	MIGRATION_TURN_ROUND,  /* begin the next round, from ret_due_us on */
	MIGRATION_TURN_STOP,   /* stop the machine */
	MIGRATION_TURN_MAKE,   /* launch the instance, once its snapshots are complete */
	MIGRATION_TURN_WATCH,  /* wait for the instance to run */
	MIGRATION_TURN_THAW,   /* remove the snapshots there, of a migration that is done */
	MIGRATION_TURN_UNDO
};
enum migration_turn engine_find_migration_turn(const struct cloud_migration *m, int64_t *ret_due_us);
bool engine_migration_has_ended(const struct cloud_migration *m);

/* An estimate uses the sizes of the disks before the first round, and measurements later. */
struct migration_estimate {
	int64_t left_bytes; /* bytes of the round under way at most, or those that the next one is expected to copy */
	int64_t left_s;     /* seconds that those take */
	int64_t downtime_s; /* expected downtime of a cutover requested now */
	int64_t size;       /* bytes of all disks */
	bool is_measured;
};
struct migration_estimate engine_estimate_migration(const struct tables *t, const struct cloud_migration *m);

/* Decides what speaks against the migration, from the facts of its rows. Lists in the arena. */
struct migration_doubts {
	struct strs refusals, warnings;
};
RESULT engine_weigh_migration(struct ctx *c, const struct tables *t, const struct cloud_migration *m,
			      const struct cloud_migration_disk *disks, size_t disk_count,
			      struct migration_doubts *ret_doubts);

/* ---- reports of the reconciler. Void if the migration's gen or stage has changed ---- */

/* The machine as its cloud describes it. */
struct migration_plan_report {
	uuid migration;
	uint64_t gen;
	const struct cloud_migration *seen; /* the facts about the machine */
	const struct cloud_migration_disk *disks;
	size_t disk_count;
	struct strs lacks;  /* rights that the credentials lack */
	struct str problem; /* why the machine cannot be described; empty: it is */
};
SYSTEM_OPERATION(engine_see_migration_plan, migration_plan_report)

enum migration_news {
	MIGRATION_NEWS_PROBLEM,  /* the migration waits because of `problem`; empty: it no longer waits */
	MIGRATION_NEWS_FROZEN,   /* snapshots of the round exist there: points; is_complete */
	MIGRATION_NEWS_ROUND,    /* the next round begins */
	MIGRATION_NEWS_STOPPING, /* a request to stop the machine is about to be sent */
	MIGRATION_NEWS_STOPPED,  /* the machine is seen stopped: the last round begins */
	MIGRATION_NEWS_RESUMED,  /* somebody has started the machine meanwhile: the cutover is off */
	MIGRATION_NEWS_COMPLETE, /* the machine is still stopped: the snapshots here are to be completed */
	MIGRATION_NEWS_LAUNCH,   /* the snapshots here are complete: launches the instance as the asker */
	MIGRATION_NEWS_RUNNING,
	MIGRATION_NEWS_THAWED, /* nothing is left there: the end */
	MIGRATION_NEWS_FAILED, /* problem says why: it is undone */
	/* way out: */
	MIGRATION_NEWS_CUT,    /* the round's snapshots are to be made here */
	MIGRATION_NEWS_ASKED,  /* a request to create the machine there is about to be sent */
	MIGRATION_NEWS_MADE,   /* the machine there exists: ref */
	MIGRATION_NEWS_RESTART /* undo: nothing runs there, so the instance is to be started again */
};
struct migration_point {
	struct str volume, snapshot; /* the cloud's ids */
};
struct cloud_migration_report {
	uuid migration;
	uint64_t gen;
	enum cloud_migration_stage stage; /* that was acted on */
	int64_t round;
	enum migration_news news;
	struct str problem;
	struct str ref;
	const struct migration_point *points;
	size_t point_count;
	bool is_complete;
	bool was_running;
	struct later_guard *guard;
};
SYSTEM_OPERATION(engine_see_cloud_migration, cloud_migration_report)

/* Progress of a disk. Void unless the disk's target is the named one. */
struct migration_disk_report {
	uuid disk;
	struct str target;
	int64_t next_block;
	int64_t bytes;      /* copied since the last report */
	bool is_copied;     /* the target is complete */
	bool is_reset;      /* copying begins anew, with all blocks */
	bool is_lost;       /* the target is gone there: the round is repeated with new snapshots */
	struct str problem; /* in the way; empty: nothing */
	struct str failure; /* why the migration cannot go on; empty: it can */
	/* way out: */
	struct str begun; /* a snapshot there was started, which is the target from now on */
	int64_t blocks;   /* written since the last report */
	bool is_sealed;   /* all blocks are written */
};
SYSTEM_OPERATION(engine_see_cloud_migration_disk, migration_disk_report)
