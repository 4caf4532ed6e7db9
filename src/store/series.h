/* SPDX-License-Identifier: Apache-2.0
 * Figures of a host and its guests, a packed text for each stretch of time (reconcile/figures/figures.h says what is in it). They are in
 * SQL only, and go when they are old: unlike the usage log nobody pays by them. */
#pragma once

#include "base/ctx.h"
#include "model/row.h"

struct op;
struct store;

struct series {
	uuid host;
	int64_t step_us; /* how long the stretch is */
	int64_t from_us; /* when it began */
	int64_t keep_us; /* stretches of this length that began longer before this one go */
	struct str bytes;
};

struct series_query {
	uuid host;
	int64_t step_us, from_us, before_us;
};

/* Writes one with the change, over one of the same host, length and beginning. The bytes are copied. ERR_NO_MEMORY. */
RESULT op_series(struct op *op, const struct series *series);
/* Reads SQL over a connection of its own, and blocks meanwhile; by time. Any thread but the committer's. The bytes are valid
 * during the call of each(). */
RESULT store_read_series(struct store *s, struct ctx *c, const struct series_query *query,
			 RESULT (*each)(void *arg, const struct series *series), void *arg);
