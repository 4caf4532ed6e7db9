/* SPDX-License-Identifier: Apache-2.0
 * Private to reconcile/remote/: what steps of migrations in both directions share. */
#pragma once

#include "engine/remote/migration.h"
#include "reconcile/remote/lane.h"

/* Calls to a provider are limited and billed, looks at our own rows are neither. */
enum { LOOK_EVERY_S = 2, LOOK_HERE_MS = 500, FAR_S = 60 };
#define MSECOND (SECOND / 1000)

/* Progress of the snapshots and the instance in this region. */
struct parts_here {
	bool are_asked;          /* the snapshots are to be completed */
	bool are_complete;       /* they are */
	struct str failure;      /* problem of a failed snapshot; empty: none */
	bool is_running, is_off; /* the instance; off: or gone */
	/* way out: */
	bool are_cut;    /* the round has snapshots here; are_complete: their files are kept */
	bool is_gone;    /* the instance is terminated */
	bool is_stopped; /* the instance is off, and nobody wants it on */
	bool is_wanted_on;
	size_t disk_count;
};

struct moving {
	const struct cloud_migration *m; /* NULL: nothing to do */
	const struct provider *provider;
	struct provider_lane *lane;
	const struct remote_driver *driver;
	const struct remote_point_ops *points; /* calls for points of this direction */
	struct parts_here here;
};

/* Reports news about the stage that the step began with. */
RESULT migration_report(struct step *s, const struct moving *mo, struct cloud_migration_report news);
/* Reports the end of a stage. The next step begins the next stage, or repeats this one if the report is refused because
 * somebody changed the migration meanwhile. */
RESULT migration_report_and_go_on(struct step *s, const struct moving *mo,
				  struct cloud_migration_report news);
/* Polls: a change in the cloud wakes nobody here. */
RESULT migration_look_again(struct step *s, int64_t after_ms);
/* True: the asker may still do this to the row. Otherwise the migration's problem says why. */
RESULT migration_may_still(struct step *s, const struct moving *mo, const char *permission, enum kind kind,
			   const struct row *row, const struct tables *t, bool *ret_may);
/* Copies the rows of the disks, in the order of their numbers. */
RESULT migration_gather_disks(struct step *s, const struct moving *mo,
			      struct cloud_migration_disk **ret_disks);
/* Result of migration_thaw_one(). */
enum thawed {
	THAWED_ONE,
	THAWED_LATER, /* some are left that cannot be deleted now */
	THAWED_ALL
};
/* Deletes one snapshot there of a round before from_round. */
RESULT migration_thaw_one(struct step *s, const struct moving *mo, struct remote *remote, int64_t from_round,
			  enum thawed *ret_thawed);
/* Deletes the migration's snapshots there one by one, and then reports the end. */
RESULT migration_thaw_all(struct step *s, const struct moving *mo, struct remote *remote, struct str note);

/* ---- migration_out.c, migration_disk_out.c ---- */

/* Takes a turn of a migration of the way out. */
RESULT migration_act_out(struct step *s, const struct moving *mo, struct remote *remote,
			 enum migration_turn turn);
/* Step of a disk of the way out. */
RESULT migration_disk_push(struct step *s);
