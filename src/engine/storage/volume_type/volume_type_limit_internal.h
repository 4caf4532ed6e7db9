/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: limits per volume type. Everything here runs inside an operation. */
#pragma once

#include "engine/internal.h"
#include "engine/storage/volume_type/volume_type_limit.h"

/* Sets the account's limits, or, for none, the defaults. ERR_NOT_FOUND: a type does not exist. */
RESULT volume_type_limits_set(struct op *op, uuid account, const struct volume_type_limit_wish *limits,
			      size_t count);
/* ERR_QUOTA: `more` exceeds the account's limits for the type, given by name. */
RESULT volume_type_limit_check(struct op *op, uuid account, struct str type,
			       const struct volume_type_figures *more);
/* The multiple of `each` that still fits the account's limits; INT64_MAX: unlimited. */
int64_t volume_type_limit_left(const struct op *op, uuid account, struct str type,
			       const struct volume_type_figures *each);
