/* SPDX-License-Identifier: Apache-2.0
 * Names of a region's files and images: "dari-<first 8 digits of the region>-vol-<UUID>", "-snp-<UUID>" or
 * "-img-<SHA-256>". Pure. */
#pragma once

#include "drivers/disk.h"

enum { DISK_NAME_REGION_SIZE = 8 }; /* digits */

/* Returned in a's arena. ending: the file name's suffix, or "". */
struct str disk_name_write(struct arena *a, uuid region, const struct disk_name *name, const char *ending);
/* region_text: those digits. name: without suffix. False: not of this region, or not in canonical form. The
 * digest points into name. */
bool disk_name_parse(const char *region_text, struct str name, struct disk_name *ret_name);
