/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: what its files share of tags. All of it runs inside an operation. */
#pragma once

#include "engine/internal.h"

/* Sorted by key and checked, as a row has them. */
RESULT tag_normalize(struct op *op, struct tags wish, struct tags *ret_tags);
/* With those of the system's own, whose keys begin with "aws:" and which no user sets or deletes. */
RESULT tag_add_reserved(struct op *op, struct tags added, struct tags *tags);
