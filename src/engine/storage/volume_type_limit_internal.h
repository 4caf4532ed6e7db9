/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: what its files share of the limits of volume types. All of it runs inside an operation. */
#pragma once

#include "engine/internal.h"
#include "engine/storage/volume_type_limit.h"

/* Sets them for the account; with none for every account. ERR_NOT_FOUND: a type is gone. */
RESULT volume_type_limits_set(struct op *op, uuid account, const struct volume_type_limit_wish *limits,
			      size_t count);
/* ERR_QUOTA: the account may not have so much more of the type, which is known by its name. */
RESULT volume_type_limit_check(struct op *op, uuid account, struct str type,
			       const struct volume_type_figures *more);
/* How many times that much the account may still have; INT64_MAX: no limit. */
int64_t volume_type_limit_left(const struct op *op, uuid account, struct str type,
			       const struct volume_type_figures *each);
