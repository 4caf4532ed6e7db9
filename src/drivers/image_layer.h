/* SPDX-License-Identifier: Apache-2.0
 * Increments of disks, laid over what they were cut since: qcow2 files on this machine, by qemu-img. */
#pragma once

#include "drivers/disk.h"

/* As drivers/disk.h's lay(). Where the file system can, what both have in common is kept once. Blocks, for as
 * long as a large copy takes: never on an HTTP thread or the committer. */
RESULT image_layer_lay(struct ctx *c, const struct disk_layer *layer);
