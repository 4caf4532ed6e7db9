/* SPDX-License-Identifier: Apache-2.0
 * Local disks: blank disks that the instance type provides (Nova: ephemeral and swap disks, EC2: instance
 * store). They are files beside the root disk, end with the instance, and are made again on a rebuild. Their
 * rows are volumes with `local` set (schema/volume.toml), hidden from finders and lists: they count for no
 * volume quota, have no snapshots, and cannot be attached elsewhere. Their room on the host counts like any
 * disk's. */
#pragma once

#include "engine/storage/volume/volume.h"
#include "engine/storage/volume/volume_attachment.h"

/* per launch */
enum { LOCAL_DISKS_MAX = 16 };

/* A local disk of a launch. Wishes replace the type's disks of that use. */
struct local_disk_wish {
	bool is_swap;
	int64_t size;      /* in bytes; 0: all that the type has */
	struct str device; /* empty: as the guest names it */
	struct str field;  /* for messages */
};

/* An instance's local disks in order of slots, in the arena. */
RESULT engine_list_local_disks(struct arena *a, const struct tables *t, uuid instance,
			       struct volume_list *ret_list);
