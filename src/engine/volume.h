/* SPDX-License-Identifier: Apache-2.0
 * Volumes: made alone or with instances; seen, and forgotten once their host has confirmed that they
 * are gone. */
#pragma once

#include "engine/operation.h"

/* As many disks as an instance may have. */
enum { INSTANCE_VOLUMES_MAX = 26 };

/* A disk as it is asked for: of a launch, of an image. Where it is said over a disk of the same
 * device name that an image has, what is not said stays. */
struct disk_wish {
	struct str device;
	struct ref snapshot;               /* kind none: blank, or as the image says */
	int64_t size;                      /* bytes; 0: the snapshot's, or as the image says */
	struct str type;                   /* empty: gp2, or as the image says */
	int64_t iops, throughput;          /* 0: the type's */
	enum choice delete_on_termination; /* default: yes, or as the image says */
	bool is_left_out;                  /* the image's disk of that name is not wanted */
	struct str field;                  /* for messages */
};

/* Deletes a free volume. ERR_IN_USE: attached, or still plugged. */
struct volume_target {
	struct ref volume;
};
OPERATION(engine_delete_volume, volume_target)

/* What is shown where nothing was asked for; 0: the type has no such figure. */
int64_t engine_volume_iops(const struct volume *volume);
int64_t engine_volume_throughput(const struct volume *volume);

/* ---- the reconciler's. Absent: OK. ---- */

struct volume_sight {
	uuid volume;
	uint64_t gen; /* of the row that was brought about */
	uuid host;    /* the one that has the disk; none: no host */
	int64_t size; /* found there; 0: absent */
};
OPERATION(engine_see_volume, volume_sight)

/* ERR_STATE unless deleted. */
OPERATION(engine_forget_volume, volume_sight)
