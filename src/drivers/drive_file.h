/* SPDX-License-Identifier: Apache-2.0
 * A guest's config drive: files on an ISO 9660 file system. */
#pragma once

#include "drivers/compute.h"

#define DRIVE_LABEL "config-2" /* by which guests find it, where the files say no other */

/* The file system's bytes, in c's arena: half a MiB or so. ERR_TOO_LARGE: they are more than 4 MiB. The files' label has
 * 32 bytes at most. */
RESULT drive_file_write(struct ctx *c, const struct compute_files *files, struct str *ret_bytes);
