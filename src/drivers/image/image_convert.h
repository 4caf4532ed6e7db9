/* SPDX-License-Identifier: Apache-2.0
 * Converts disks in local files to other forms, for moves between different kinds of pools. */
#pragma once

#include "drivers/disk.h"

/* Implement recast(), encrypt(), export_file() and pack() of drivers/disk.h, with qemu-img. */
RESULT image_convert(struct ctx *c, const struct disk_recasting *wish);
RESULT image_convert_sealed(struct ctx *c, const struct disk_sealing *wish);
RESULT image_convert_export(struct ctx *c, const struct disk_export *wish);
RESULT image_convert_pack(struct ctx *c, const char *from, const char *to);
