/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: address groups, for other files of the engine. Everything here runs inside an
 * operation. */
#pragma once

#include "engine/internal.h"

/* Finds a group of `account` that a rule of its security groups may name. ERR_NOT_FOUND. */
RESULT address_group_resolve(struct op *op, uuid account, const struct ref *ref,
			     const struct address_group **ret_group);
