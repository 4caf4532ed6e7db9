/* SPDX-License-Identifier: Apache-2.0
 * The rows of one instance as its step needs them, copied into the step's arena. */
#pragma once

#include "base/vec.h"
#include "drivers/compute.h"
#include "model/instance_words.h"
#include "reconcile/work.h"

struct instance;
struct condition;

/* Replacement of an attached volume by another one, or the live copy of a volume to another pool. */
struct instance_swap {
	struct compute_disk from, to; /* both of the same volume for a move to another pool */
	uuid tracked_from;            /* dirty bitmap of `from` */
	bool is_ready;                /* the target file is on the host and as the copy needs it */
	bool is_move;
	uuid pool; /* target pool of a move; none: the host's own directory */
};

struct instance_rows {
	const struct instance *instance;  /* NULL: the row does not exist */
	struct compute_domain domain;     /* without the manifest, and without waiting disks */
	VEC(struct compute_disk) waiting; /* attached disks whose file is not ready on the host */
	const struct condition *obstacle; /* condition of a waiting disk; NULL: none */
	VEC(struct instance_swap) swaps;
	bool obstacle_reported;                     /* the instance has a WaitsForDisk condition */
	VEC(uuid) reported_volumes, reported_ports; /* devices whose rows say that they are plugged in */
	enum instance_wanted_power power_wanted;
	bool stands_still;    /* held while a snapshot of a shared disk is taken */
	bool leaves_host;     /* only its disks stay on the host */
	int64_t io_paused_us; /* since when the IO_PAUSED condition exists; 0: it does not */
	int64_t expunge_us;   /* when a destroyed instance is ended; 0: not destroyed */
	int64_t restart_us;   /* earliest restart after the guest went off by itself; 0: at once */
};

/* ret_rows->instance is NULL if the row does not exist. */
RESULT instance_gather_rows(struct step *s, uuid id, struct instance_rows *ret_rows);
/* Adds waiting disks that are already plugged in to the wanted ones: the rows may lag behind the host. */
RESULT instance_keep_plugged(struct step *s, struct instance_rows *rows, struct compute_seen *seen);
/* Removes devices without a row from `seen`. Such a device was detached and deleted while an earlier process
 * had not reported it; no row can record it, and the definition no longer has it, so it is unplugged. */
RESULT instance_drop_rowless(struct step *s, struct compute_seen *seen);
/* Advances disk replacements and moves (instance_swap.c). *ret_is_over: a result was reported, which changes
 * the rows, so the rest of the step must wait for the next one. */
RESULT instance_step_swaps(struct step *s, const struct instance_rows *rows, const struct compute_seen *seen,
			   bool *ret_is_over);
/* True if the rows' seen devices equal those seen now. */
bool instance_is_reported(const struct instance_rows *rows, const struct compute_seen *seen);
/* Fills `seen` with the devices of the wanted definition. */
RESULT instance_list_devices(struct step *s, const struct instance_rows *rows, struct compute_seen *seen);
/* Writes the content of the config drive, if the instance has one. */
RESULT instance_write_drive(struct step *s, struct compute_domain *domain);
/* Writes the manifest from the present rows; `dari adopt` restores rows from it if they are lost. */
RESULT instance_write_manifest(struct step *s, struct str *ret_text);
