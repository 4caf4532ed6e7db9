/* SPDX-License-Identifier: Apache-2.0
 * A disk of the image store as blocks of 512 KiB, the unit of EBS direct. The last block of a disk whose size is no
 * multiple of that ends in zeros. Blocks that the file does not contain read as zeros. The calls read local files and
 * block: never use them on an HTTP thread. */
#pragma once

#include "drivers/qcow2.h"

enum { DISK_BLOCK_SIZE = 512 * 1024 };

/* Blocks of a disk of that many bytes. */
int64_t disk_blocks_count(int64_t disk_size);
/* The first block from `from` on of which the file contains data; -1: none. ERR_INVALID: the file is damaged. */
RESULT disk_blocks_find_next(struct qcow2_file *f, struct ctx *c, int64_t from, int64_t *ret_index);
/* ret_has_data: the file contains data of the block. ERR_INVALID, ERR_IO. */
RESULT disk_blocks_read(struct qcow2_file *f, struct ctx *c, int64_t index,
			uint8_t ret_bytes[static DISK_BLOCK_SIZE], bool *ret_has_data);
