/* SPDX-License-Identifier: Apache-2.0
 * How what a region keeps is called: "dari-<first 8 digits of the region>-vol-<UUID>", "-snp-<UUID>" or
 * "-img-<SHA-256>". Pure. */
#pragma once

#include "drivers/disk.h"

enum { DISK_NAME_REGION_SIZE = 8 }; /* digits */

/* In a's arena. ending: of a file's name, or "". */
struct str disk_name_write(struct arena *a, uuid region, const struct disk_name *name, const char *ending);
/* region_text: those digits. name: without an ending. False: none of this region's, in the form that we write.
 * The digest lies in name. */
bool disk_name_parse(const char *region_text, struct str name, struct disk_name *ret_name);
