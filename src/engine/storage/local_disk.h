/* SPDX-License-Identifier: Apache-2.0
 * Local disks: blank ones that an instance has because its type says so. Nova calls them ephemeral and swap disks, EC2
 * instance store. They are files beside the root disk on the instance's host, end with the instance, and are made anew
 * when it is rebuilt. Each is a row of the volumes' kind (`local` in schema/volume.toml), which finders and lists show
 * nobody: it is in no quota of volumes, has no snapshots and is attached nowhere else. Its room on the host counts as
 * any disk's. */
#pragma once

#include "engine/storage/volume.h"
#include "engine/storage/volume_attachment.h"

/* How many of a launch may be named. */
enum { LOCAL_DISKS_MAX = 16 };

/* A local disk of a launch. The type's disk of that use is not made then, but those that are named. */
struct local_disk_wish {
	bool is_swap;
	int64_t size;      /* bytes; 0: as much as the type has of it */
	struct str device; /* empty: as the guest will name it */
	struct str field;  /* for messages */
};

/* Those of an instance, by their places. In the arena, or rows. */
RESULT engine_list_local_disks(struct arena *a, const struct tables *t, uuid instance,
			       struct volume_list *ret_list);
