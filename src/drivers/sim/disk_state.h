/* SPDX-License-Identifier: Apache-2.0
 * A connection to a simulated host's disks, and what its files share. With the host's lock held, but where a file is worked on that
 * no host has. */
#pragma once

#include "drivers/disk.h"
#include "drivers/sim/compute_state.h"

struct disk_host {
	struct compute_host link; /* first: begin and end know it by that */
	void (*asks)(void *arg, uuid guest);
	void *asks_arg;
	char *path;   /* of the directory that was entered; owned; NULL: the host's own */
	bool is_pool; /* of Ceph: the host stands for the cluster, the directory for the pool */
	size_t none;  /* the count of files where there can be none */
};

/* What the calls concern: with the host's lock held. */
struct files {
	struct sim_disk *at;
	size_t *count;
};

/* ---- disk.c ---- */

/* Made if need be; NULL: the host's own one, or out of memory. */
struct sim_directory *sim_disk_directory(struct disk_host *h);
/* At NULL and count 0: out of memory, or nothing. */
struct files sim_disk_list(struct disk_host *h);
/* NULL: there is none of the name. */
struct sim_disk *sim_disk_find(struct disk_host *h, const struct disk_name *name);
/* An empty one of the name. ERR_NO_MEMORY. */
RESULT sim_disk_add(struct disk_host *h, struct ctx *c, const struct disk_name *name,
		    struct sim_disk **ret_disk);
/* The running domain that has the volume; NULL: none. */
struct sim_domain *sim_disk_find_user(struct disk_host *h, uuid volume);
/* Asks the guest's QEMU, which may hang. NULL: OK. The host's lock is let go of while it waits: what was found before is to be found
 * anew. */
RESULT sim_disk_ask(struct disk_host *h, struct ctx *c, const struct sim_domain *user);

/* A volume's disk, in either form. */
struct disk_name sim_disk_name(uuid volume, bool is_raw);

/* ---- cut.c ---- */

/* As of cut of the driver (drivers/disk.h). */
RESULT sim_disk_cut(struct disk_host *h, struct ctx *c, const struct disk_cut *cut,
		    struct disk_cut_seen *seen);

/* ---- copy.c ---- */

/* As of pull. */
RESULT sim_disk_pull(struct disk_host *h, struct ctx *c, const struct disk_name *name,
		     struct disk_copy *copy);
/* As of push. */
RESULT sim_disk_push(struct disk_host *h, struct ctx *c, const struct disk_name *name,
		     struct disk_copy *copy);
/* As of lay. */
RESULT sim_disk_lay(struct ctx *c, const struct disk_layer *layer);
/* As of encrypt. */
RESULT sim_disk_encrypt(struct ctx *c, const struct disk_sealing *wish);
/* As of recast. */
RESULT sim_disk_recast(struct ctx *c, const struct disk_recasting *wish);
/* As of export_file. */
RESULT sim_disk_export(struct ctx *c, const struct disk_export *wish);

/* ---- marks.c ---- */

/* As of prove. */
RESULT sim_disk_prove(struct disk_host *h, struct ctx *c, const struct disk_mark *own, struct str kept_word,
		      struct disk_marks *ret_marks);
