/* SPDX-License-Identifier: Apache-2.0
 * Free space on a file system, the last part of which is reserved for the database: bulk writers (images,
 * attachments, backups) take space before writing, and get none of that part. Any thread; the calls only read
 * the file system's figures. */
#pragma once

#include "base/ctx.h"
#include "base/uuid.h"

/* Free bytes on the directory's file system (or its parent's, if the directory is absent), and the part
 * reserved for the database: a twentieth of the file system, at least 16 MiB (but no more than a quarter of a
 * smaller one) and at most 1 GiB. */
struct disk_room {
	int64_t free_size, floor_size;
};
RESULT disk_room_read(struct ctx *c, const char *directory, struct disk_room *ret_room);

bool disk_room_is_low(const char *directory); /* less than the reserve is free; false also if unreadable */

/* The account that bulk data are written for, and the bytes its limit currently leaves for files, by the
 * rows. Zeroed: no limit, as for the region's own data. */
struct disk_payer {
	int64_t left_size;
	uuid account;
	int kind; /* enum kind for the problem if it doesn't fit */
};

/* Bytes reserved for writing and not written yet. Zeroed: none. One thread at a time. The share must not move
 * in memory before disk_share_end(). */
struct disk_share {
	int64_t left_size, used_size; /* used_size: already written, but not recorded in a row */
	struct disk_payer payer;      /* set before the first take */
	struct disk_share *previous, *next;
};
/* Grows the share to at least this size. All shares count as written, so that concurrent writers can't exceed
 * the reserve, nor those of an account its limit. ERR_CAPACITY, with a message without paths: no space.
 * ERR_QUOTA: the payer's limit leaves none. ERR_IO. */
RESULT disk_share_take(struct disk_share *s, struct ctx *c, const char *directory, int64_t size);
void disk_share_use(struct disk_share *s, int64_t size); /* that much has been written */
/* Returns the unwritten rest, and stops counting the written part: by then the row with its size must exist,
 * or the file be deleted. */
void disk_share_end(struct disk_share *s);

/* ERR_CAPACITY: no space for so many more bytes, as above, without reserving them. */
RESULT disk_room_check(struct ctx *c, const char *directory, int64_t size);
/* Likewise for a payer, which may be NULL. ERR_QUOTA: the payer's limit leaves less. */
RESULT disk_room_check_for(struct ctx *c, const struct disk_payer *payer, const char *directory,
			   int64_t size);
/* ERR_CAPACITY, with the same message. */
RESULT disk_room_fail(struct ctx *c, int64_t size);
/* Maximum size for one file now: free space above the reserve and outside shares. 0: none. */
int64_t disk_room_largest(const char *directory);
/* Maximum size that the payer's limit leaves for a file; INT64_MAX: no limit. payer may be NULL. */
int64_t disk_room_left_for(const struct disk_payer *payer);
