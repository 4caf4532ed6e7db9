/* SPDX-License-Identifier: Apache-2.0
 * Copies a region from one database to another of either kind, while no server uses them. */
#pragma once

#include "base/ctx.h"

struct store_copied {
	size_t row_count, record_count; /* rows of resources; records of history */
	uint64_t commit;
};

/* Places are as in sql_open(). Copies everything in one transaction, then reads both databases' contents and compares each
 * row and record. ERR_IN_USE: a server uses one of them. ERR_NOT_FOUND: `from` has no region. ERR_EXISTS: `to` has
 * one. ERR_CONFLICT, with a message: the copy differs. */
RESULT store_copy(struct ctx *c, const char *from, const char *to, struct store_copied *ret_copied);
