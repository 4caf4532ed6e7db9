/* SPDX-License-Identifier: Apache-2.0
 * A disk that is written block by block (drivers/disk_blocks.h) before it becomes a file of the image store. Two files in
 * the store's directory hold it: the content, sparse, and the SHA-256 of each block that was written. The files survive a
 * restart of the process. After a restart of the machine they may lack blocks that were acknowledged, since nothing is
 * synced before the end: the first file names the boot, and a later one refuses it.
 *
 * Blocks of one upload may be written by several threads at once. All calls block. */
#pragma once

#include "base/crypto.h"
#include "drivers/disk_blocks.h"
#include "drivers/image/image_file.h"

#define BLOCK_UPLOAD_SUFFIX ".blocks"
#define BLOCK_UPLOAD_MAP_SUFFIX ".digests"

struct block_upload {
	const char *directory; /* directory of the image store */
	uuid id;
	int64_t size; /* bytes of the disk */
};

/* Writes a block with its SHA-256; creates the files if needed. A block written again replaces the earlier content.
 * ERR_RANGE: the disk has no such block, or the file system no room for so large a file. ERR_STATE: the machine was
 * restarted since, or block_upload_import() has begun. ERR_CAPACITY, ERR_IO. */
RESULT block_upload_put(struct ctx *c, const struct block_upload *u, int64_t index,
			const uint8_t bytes[static DISK_BLOCK_SIZE],
			const uint8_t digest[static SHA256_SIZE]);

/* Makes a block a hole, as if it had never been written. Errors as of block_upload_put(). */
RESULT block_upload_clear(struct ctx *c, const struct block_upload *u, int64_t index);

/* The number of blocks written, and the SHA-256 over their SHA-256 values in order. No files: no blocks. ERR_STATE as
 * above. ERR_IO. */
struct block_upload_sum {
	int64_t count;
	struct str sha256; /* hex, in c's arena */
};
RESULT block_upload_sum(struct ctx *c, const struct block_upload *u, struct block_upload_sum *ret_sum);

/* The time of the last write; 0: none. */
int64_t block_upload_written_us(const struct block_upload *u);

/* Imports the content as image_file_import() does. over: path of the store's unencrypted file from which blocks come that
 * were not written; NULL: such blocks are zeros. Repeatable, also after a crash. ERR_STATE as above. ERR_GONE: `over` is missing.
 * Else errors as of image_file_import(). */
RESULT block_upload_import(struct ctx *c, const struct block_upload *u, const char *over,
			   const struct disk_key *key, const struct disk_payer *payer,
			   struct image_file *ret_file);

/* Removes both files after waiting for calls that write. Absent: OK. A call that looked at the row before and comes
 * afterwards makes the files again: block_upload_collect() removes those. */
void block_upload_remove(const struct block_upload *u);

/* Removes the files of uploads that no row needs. The row must exist before its first block is written. Absent directory:
 * OK. */
void block_upload_collect(const char *directory, bool (*is_needed)(void *arg, uuid id), void *arg);
