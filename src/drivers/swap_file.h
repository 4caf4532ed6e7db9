/* SPDX-License-Identifier: Apache-2.0
 * Swap disks as mkswap creates them: a qcow2 file whose only data is a swap area's header. No program of ours
 * runs on hosts and libvirt has no mkswap, so the file is created here and uploaded. Source: mkswap(8), and
 * union swap_header of Linux. */
#pragma once

#include "base/ctx.h"
#include "base/uuid.h"

/* Maximum size of such a file without guest data. */
enum { SWAP_FILE_EMPTY_SIZE = 4 << 20 };

/* Creates it as a memory file; the caller closes ret_fd. size: the disk's, at least 40 KiB; id: the swap
 * area's. ERR_INVALID: invalid disk size. */
RESULT swap_file_create(struct ctx *c, int64_t size, uuid id, int *ret_fd);
