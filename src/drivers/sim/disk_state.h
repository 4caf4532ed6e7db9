/* SPDX-License-Identifier: Apache-2.0
 * A connection to a simulated host's disks, and the disk files' shared functions. Call them with the host's
 * lock held, except those that work on files outside any host. */
#pragma once

#include "drivers/disk.h"
#include "drivers/sim/compute_state.h"

struct disk_host {
	struct compute_host link; /* must be first: begin and end cast it */
	void (*asks)(void *arg, uuid guest);
	void *asks_arg;
	char *path;   /* directory entered; owned; NULL: the host's own */
	bool is_pool; /* a Ceph pool: the host stands for the cluster, the directory for the pool */
	size_t none;  /* count for an empty list */
};

/* The current directory's list; with the host's lock held. */
struct files {
	struct sim_disk *at;
	size_t *count;
};

/* ---- disk.c ---- */

/* Creates it if needed; NULL: the host's own, or out of memory. */
struct sim_directory *sim_disk_directory(struct disk_host *h);
/* at NULL and count 0: out of memory, or empty. */
struct files sim_disk_list(struct disk_host *h);
/* NULL: no such disk. */
struct sim_disk *sim_disk_find(struct disk_host *h, const struct disk_name *name);
/* Adds an empty disk. ERR_NO_MEMORY. */
RESULT sim_disk_add(struct disk_host *h, struct ctx *c, const struct disk_name *name,
		    struct sim_disk **ret_disk);
/* The running domain that has the volume; NULL: none. */
struct sim_domain *sim_disk_find_user(struct disk_host *h, uuid volume);
/* Queries the guest's QEMU, which may hang. user NULL: OK. Releases the host's lock while waiting, so
 * pointers found before must be looked up again. */
RESULT sim_disk_ask(struct disk_host *h, struct ctx *c, const struct sim_domain *user);

/* A volume's disk name in either form. */
struct disk_name sim_disk_name(uuid volume, bool is_raw);

/* ---- snapshot_copy.c ---- */

/* Implements cut of drivers/disk.h. */
RESULT sim_disk_cut(struct disk_host *h, struct ctx *c, const struct disk_cut *cut,
		    struct disk_cut_seen *seen);

/* ---- copy.c ---- */

/* Implements pull. */
RESULT sim_disk_pull(struct disk_host *h, struct ctx *c, const struct disk_name *name,
		     struct disk_copy *copy);
/* Opens the content that a test gave the volume: a qcow2 file of its id in the directory DARI_SIM_DISKS. -1: none. */
int sim_disk_open_content(uuid volume);
/* Implements push. */
RESULT sim_disk_push(struct disk_host *h, struct ctx *c, const struct disk_name *name,
		     struct disk_copy *copy);
/* Implements lay. */
RESULT sim_disk_lay(struct ctx *c, const struct disk_layer *layer);
/* Implements encrypt. */
RESULT sim_disk_encrypt(struct ctx *c, const struct disk_sealing *wish);
/* Implements recast. */
RESULT sim_disk_recast(struct ctx *c, const struct disk_recasting *wish);
/* Implements export_file. */
RESULT sim_disk_export(struct ctx *c, const struct disk_export *wish);

/* ---- marks.c ---- */

/* Implements prove. */
RESULT sim_disk_prove(struct disk_host *h, struct ctx *c, const struct disk_mark *own, struct str kept_word,
		      struct disk_marks *ret_marks);
