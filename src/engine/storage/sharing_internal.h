/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: sharing of rows. Everything here runs inside an operation. */
#pragma once

#include "engine/internal.h"

/* Applies the change to is_public and replaces the list by a new one in the arena. ERR_NOT_FOUND with
 * KIND_ACCOUNT; ERR_QUOTA: too many accounts. */
RESULT sharing_change(struct op *op, enum kind kind, const struct sharing *wish, bool *is_public,
		      struct uuids *accounts);
