/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: what its files share of address groups. All of it runs inside an operation. */
#pragma once

#include "engine/internal.h"

/* The account's own, for a rule of its groups. ERR_NOT_FOUND. */
RESULT address_group_resolve(struct op *op, uuid account, const struct ref *ref,
			     const struct address_group **ret_group);
