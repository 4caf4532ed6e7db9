/* SPDX-License-Identifier: Apache-2.0
 * Access to a disk's bytes by whoever has its address, for a while, as Azure grants it. The bytes are an image of its own that
 * has what the disk had when it was granted, written as a VHD, and goes when the access ends: each face shows it among the
 * account's own images. An address says until when it holds, and is signed by the face. */
#pragma once

#include "engine/operation.h"
#include "model/image.h"

enum { DISK_ACCESS_S_MAX = 365 * 24 * 3600 }; /* ours */

/* Of a volume or a snapshot of the caller's own. ERR_STATE: the volume is in a running machine, or access was granted
 * already. ERR_UNSUPPORTED: it is encrypted, and its bytes are given to nobody. ERR_QUOTA. */
struct disk_access_wish {
	struct ref disk; /* kind volume or snapshot */
	int64_t duration_s;
	/* made: */
	uuid image;
};
OPERATION(engine_grant_disk_access, disk_access_wish)

/* Takes it back. None is there: OK. */
struct disk_access_target {
	struct ref disk;
	/* found: */
	uuid image; /* none: there was none */
};
OPERATION(engine_revoke_disk_access, disk_access_target)

/* The image that access to the disk leads to; NULL: none is granted. It may be over. */
const struct image *engine_find_disk_access(const struct tables *t, uuid account, uuid disk);
/* Until when; 0: the image is of no access. */
int64_t engine_get_disk_access_end(const struct image *image);
