/* SPDX-License-Identifier: Apache-2.0
 * Usage samples of a host and its guests, one packed text per interval (reconcile/figures/figures.h defines
 * the content). They are in SQL only and are deleted when old: unlike the usage log, nobody is billed by
 * them. */
#pragma once

#include "base/ctx.h"
#include "model/row.h"

struct op;
struct store;

struct series {
	uuid host;
	int64_t step_us; /* length of the interval */
	int64_t from_us; /* its start */
	int64_t keep_us; /* intervals of this length that began earlier than from_us - keep_us are deleted */
	struct str bytes;
};

struct series_query {
	uuid host;
	int64_t step_us, from_us, before_us;
};

/* Writes a sample with the change; replaces one of the same host, length and start. Copies the bytes.
 * ERR_NO_MEMORY. */
RESULT op_series(struct op *op, const struct series *series);
/* Reads samples in order of time, through a separate SQL connection. Blocks. Any thread but the committer's.
 * The bytes are valid during each(). */
RESULT store_read_series(struct store *s, struct ctx *c, const struct series_query *query,
			 RESULT (*each)(void *arg, const struct series *series), void *arg);
