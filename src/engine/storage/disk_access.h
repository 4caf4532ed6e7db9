/* SPDX-License-Identifier: Apache-2.0
 * Temporary access to a disk's bytes for whoever has its URL (Azure's SAS). Granting makes an image of the
 * disk's present content, in VHD format, which is deleted when access ends. Every face shows it among the
 * account's images. The face signs the URL, which contains its expiry. */
#pragma once

#include "engine/operation.h"

struct image;

enum { DISK_ACCESS_S_MAX = 365 * 24 * 3600 }; /* limit of ours */

/* Grants access to a volume or snapshot of the caller. ERR_STATE: the volume is attached to a running
 * instance, or access is granted already. ERR_UNSUPPORTED: the disk is encrypted, and encrypted content is
 * never handed out. ERR_QUOTA. */
struct disk_access_wish {
	struct ref disk; /* a volume or a snapshot */
	int64_t duration_s;
	/* outputs: */
	uuid image;
};
OPERATION(engine_grant_disk_access, disk_access_wish)

/* Revokes access. OK if none was granted. */
struct disk_access_target {
	struct ref disk;
	/* outputs: */
	uuid image; /* none: no access was granted */
};
OPERATION(engine_revoke_disk_access, disk_access_target)

/* Image of the granted access, which may have expired; NULL if no access was granted. */
const struct image *engine_find_disk_access(const struct tables *t, uuid account, uuid disk);
/* Expiry of the access; 0: the image is not one of a disk access. */
int64_t engine_get_disk_access_end(const struct image *image);
