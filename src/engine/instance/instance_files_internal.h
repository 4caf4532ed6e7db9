/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: files for guests. Everything here runs inside an operation. */
#pragma once

#include "engine/instance/instance.h"
#include "engine/internal.h"

/* Encodes the files for a row, in the arena. ERR_QUOTA: too many files, or a path or contents are too
 * long. */
RESULT instance_take_files(struct op *op, uuid account, const struct guest_files *files,
			   struct strs *ret_paths, struct strs *ret_contents);
