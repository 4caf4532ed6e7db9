/* SPDX-License-Identifier: Apache-2.0
 * Disks to swap on, as mkswap leaves them: a qcow2 file whose only data is the head of a swap area. Hosts run none of our
 * code and libvirt has no mkswap, so the file is made here and sent. Source: mkswap(8), and union swap_header of
 * Linux. */
#pragma once

#include "base/ctx.h"
#include "base/uuid.h"

/* No such file without a guest's data is larger. */
enum { SWAP_FILE_EMPTY_SIZE = 4 << 20 };

/* In memory; ret_fd is the caller's to close. size: of the disk, in bytes, which are 40 KiB at least; id: the swap
 * area's. ERR_INVALID: a size that is no disk's. */
RESULT swap_file_create(struct ctx *c, int64_t size, uuid id, int *ret_fd);
