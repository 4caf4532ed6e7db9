/* SPDX-License-Identifier: Apache-2.0
 * A guest's config drive: an ISO 9660 file system. */
#pragma once

#include "drivers/compute.h"

#define DRIVE_LABEL "config-2" /* default label, by which guests find it */

/* Returns the file system's bytes, in c's arena; typically about half a MiB. ERR_TOO_LARGE: more than 4 MiB.
 * The label has at most 32 bytes. */
RESULT drive_file_write(struct ctx *c, const struct compute_files *files, struct str *ret_bytes);
