/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: files for a guest. Inside an operation. */
#pragma once

#include "engine/instance/instance.h"
#include "engine/internal.h"

/* What a row keeps of the files that a call names, in the arena. ERR_QUOTA: too many, a path or contents too long. */
RESULT instance_take_files(struct op *op, uuid account, const struct guest_files *files,
			   struct strs *ret_paths, struct strs *ret_contents);
