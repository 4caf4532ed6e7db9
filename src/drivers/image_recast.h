/* SPDX-License-Identifier: Apache-2.0
 * Disks in files on this machine, written in another form: what goes from one kind of pool to another. */
#pragma once

#include "drivers/disk.h"

/* As drivers/disk.h's recast(), encrypt(), export_file() and pack(), by qemu-img. */
RESULT image_recast(struct ctx *c, const struct disk_recasting *wish);
RESULT image_recast_sealed(struct ctx *c, const struct disk_sealing *wish);
RESULT image_recast_export(struct ctx *c, const struct disk_export *wish);
RESULT image_recast_pack(struct ctx *c, const char *from, const char *to);
