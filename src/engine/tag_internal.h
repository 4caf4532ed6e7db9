/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: tags. Everything here runs inside an operation. */
#pragma once

#include "engine/internal.h"

/* Checks the tags and sorts them by key, as rows store them. */
RESULT tag_normalize(struct op *op, struct tags wish, struct tags *ret_tags);
/* Joins the tags of a row with those to set, without those whose keys are in `removed`, and normalizes them. */
RESULT tag_merge(struct op *op, struct tags before, struct tags set, const struct strs *removed,
		 struct tags *ret_tags);
/* Adds the system's own tags, with keys that begin with "aws:", which users cannot set or delete. */
RESULT tag_add_reserved(struct op *op, struct tags added, struct tags *tags);
