/* SPDX-License-Identifier: Apache-2.0
 * Room on a file system, of which the last part is the database's: who writes much (images, attachments,
 * backups) takes room before writing, and gets none of that part. Any thread; the calls read the file
 * system's figures and do not wait for the disk. */
#pragma once

#include "base/ctx.h"
#include "base/uuid.h"

/* Bytes that are free on the directory's file system (or its parent's, where the directory is absent), and how
 * many of these are kept for the database: a twentieth of the file system, at least 16 MiB (but no more than a
 * quarter of a smaller one) and at most 1 GiB. */
struct disk_room {
	int64_t free_size, floor_size;
};
RESULT disk_room_read(struct ctx *c, const char *directory, struct disk_room *ret_room);

bool disk_room_is_low(const char *directory); /* less than the floor is free; false: that cannot be read */

/* The account that bulk data are written for, and the bytes of files that its limit leaves by the rows of that moment.
 * Zeroed: nobody's limit, as of the region's own data. */
struct disk_payer {
	int64_t left_size;
	uuid account;
	int kind; /* enum kind of the problem when they do not fit */
};

/* Bytes that somebody may write and has not written yet. Zeroed: none. One thread at a time. The share must not
 * move in memory before disk_share_end(). */
struct disk_share {
	int64_t left_size, used_size; /* used_size: written by now, and in no row yet */
	struct disk_payer payer;      /* set before the first take */
	struct disk_share *previous, *next;
};
/* Makes the share at least so large. What all shares hold counts as written, so that writers together do not pass
 * the floor, nor those of one account its limit. ERR_CAPACITY, in words that name no path: there is no room.
 * ERR_QUOTA: the payer's limit leaves none. ERR_IO. */
RESULT disk_share_take(struct disk_share *s, struct ctx *c, const char *directory, int64_t size);
void disk_share_use(struct disk_share *s, int64_t size); /* so much of it was written */
/* Gives back what was not written, and no longer counts what was: by then the row that says its size must be
 * there, or the file be deleted. */
void disk_share_end(struct disk_share *s);

/* ERR_CAPACITY: there is no room for so many bytes more, as above, without taking it. */
RESULT disk_room_check(struct ctx *c, const char *directory, int64_t size);
/* Likewise for a payer, who may be NULL. ERR_QUOTA: the payer's limit leaves less. */
RESULT disk_room_check_for(struct ctx *c, const struct disk_payer *payer, const char *directory,
			   int64_t size);
/* ERR_CAPACITY, in the same words. */
RESULT disk_room_fail(struct ctx *c, int64_t size);
/* The most that one file may become now: what is free above the floor and in no share. 0: nothing. */
int64_t disk_room_largest(const char *directory);
/* The most that the payer's limit leaves one file; INT64_MAX: no limit. payer may be NULL. */
int64_t disk_room_left_for(const struct disk_payer *payer);
