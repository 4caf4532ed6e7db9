/* SPDX-License-Identifier: Apache-2.0
 * An instance's rows as its step needs them. All is in the step's arena. */
#pragma once

#include "base/vec.h"
#include "drivers/compute.h"
#include "model/instance.h"
#include "reconcile/work.h"

struct condition;

/* A volume that is to take the place of one of its disks; or a disk that goes to another pool. */
struct instance_swap {
	struct compute_disk from, to; /* of one volume, if it goes to another pool */
	uuid tracked_from;            /* of the first */
	bool is_ready;                /* the other is on its host, as the copying needs it */
	bool is_move;
	uuid pool; /* of a move: where to; none: its host's own directory */
};

struct instance_rows {
	const struct instance *instance;  /* NULL: no such row */
	struct compute_domain domain;     /* without its manifest, and without disks that wait */
	VEC(struct compute_disk) waiting; /* wanted in it, and not ready on its host */
	const struct condition *obstacle; /* what keeps one of those from being ready; NULL: nothing known */
	VEC(struct instance_swap) swaps;
	bool obstacle_reported;                     /* the instance has a condition that says so */
	VEC(uuid) reported_volumes, reported_ports; /* which the rows say to be plugged into it */
	enum instance_wanted_power power_wanted;
	bool stands_still;    /* a snapshot of a disk that it shares is about to be cut */
	bool leaves_host;     /* nothing of it is to stay there but its disks */
	int64_t io_paused_us; /* since when a condition says so; 0: it is not */
	int64_t expunge_us;   /* when it ends, destroyed as it is; 0: it is not */
	int64_t restart_us;   /* not before, after an end of its own; 0: at once */
};

/* ret_rows->instance NULL: there is no such row. */
RESULT instance_gather_rows(struct step *s, uuid id, struct instance_rows *ret_rows);
/* What is wanted and plugged stays, ready or not: the rows may know less of it than the host. */
RESULT instance_keep_plugged(struct step *s, struct instance_rows *rows, struct compute_seen *seen);
/* A device without a row (the process ended before it was told, and it was detached and deleted since) is not
 * named among those seen: there is nothing to tell of it, and as it is not as wished it goes. */
RESULT instance_drop_rowless(struct step *s, struct compute_seen *seen);
/* Brings forward what of its disks are to be swapped. *ret_is_over: what came of one is told, which changes the
 * rows: the rest of the step waits for them. (instance_swap.c) */
RESULT instance_step_swaps(struct step *s, const struct instance_rows *rows, const struct compute_seen *seen,
			   bool *ret_is_over);
/* The rows know what was found plugged. */
bool instance_is_reported(const struct instance_rows *rows, const struct compute_seen *seen);
/* seen has the devices of the wish. */
RESULT instance_list_devices(struct step *s, const struct instance_rows *rows, struct compute_seen *seen);
/* What is on its drive, if it has one. */
RESULT instance_write_drive(struct step *s, struct compute_domain *domain);
/* What `dari adopt` needs should the rows ever be lost; of the rows as they are now. */
RESULT instance_write_manifest(struct step *s, struct str *ret_text);
