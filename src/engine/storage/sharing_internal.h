/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: what its files share of sharings. All of it runs inside an operation. */
#pragma once

#include "engine/internal.h"

/* Whether everybody has it, and a new list in the arena. ERR_NOT_FOUND with KIND_ACCOUNT; ERR_QUOTA: they are
 * too many. */
RESULT sharing_change(struct op *op, enum kind kind, const struct sharing *wish, bool *is_public,
		      struct uuids *accounts);
