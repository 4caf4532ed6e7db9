/* SPDX-License-Identifier: Apache-2.0
 * Blocks are found by the file's extents, so that a hole of any size costs a few table reads. */
#include "drivers/disk_blocks.h"

#include <string.h>

int64_t disk_blocks_count(int64_t disk_size)
{
	return (disk_size + DISK_BLOCK_SIZE - 1) / DISK_BLOCK_SIZE;
}

RESULT disk_blocks_find_next(struct qcow2_file *f, struct ctx *c, int64_t from, int64_t *ret_index)
{
	int64_t at = from * DISK_BLOCK_SIZE;
	*ret_index = -1;
	while (at < qcow2_size(f)) {
		struct qcow2_extent extent;
		TRY(qcow2_find(f, c, at, &extent));
		if (extent.file_at >= 0) {
			*ret_index = at / DISK_BLOCK_SIZE;
			return OK;
		}
		at += extent.size;
	}
	return OK;
}

RESULT disk_blocks_read(struct qcow2_file *f, struct ctx *c, int64_t index,
			uint8_t ret_bytes[static DISK_BLOCK_SIZE], bool *ret_has_data)
{
	int64_t start = index * DISK_BLOCK_SIZE, end = start + DISK_BLOCK_SIZE, at = start;
	*ret_has_data = false;
	memset(ret_bytes, 0, DISK_BLOCK_SIZE);
	while (at < end && at < qcow2_size(f)) {
		struct qcow2_extent extent;
		TRY(qcow2_find(f, c, at, &extent));
		int64_t size = extent.size < end - at ? extent.size : end - at;
		if (extent.file_at >= 0) {
			TRY(qcow2_read(f, c, extent.file_at, ret_bytes + (at - start), (size_t) size));
			*ret_has_data = true;
		}
		at += size;
	}
	return OK;
}
