/* SPDX-License-Identifier: Apache-2.0
 * Merges incremental disk snapshots with their base: qcow2 files on this machine, by qemu-img. */
#pragma once

#include "drivers/disk.h"

/* Implements lay() of drivers/disk.h. Shares common blocks if the file system supports reflinks. Blocks for
 * as long as a large copy takes: never use it on an HTTP thread or the committer. */
RESULT increment_apply(struct ctx *c, const struct disk_layer *layer);
