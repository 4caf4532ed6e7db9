/* SPDX-License-Identifier: Apache-2.0
 * How often who may ask: a bucket of tokens for each account's reads, one for its writes, and one for
 * each address whose requests prove nobody. A request takes a token; a bucket gets so many a second
 * and holds so many at most.
 *
 * Memory is bounded: a kind of bucket has its table, taken whole at first. In a full part of it a new
 * bucket replaces the fullest, and begins with what that one held: so forgetting a bucket gives nobody
 * tokens, and addresses without number are held to what the table lets through. Any thread. */
#pragma once

#include "base/ctx.h"
#include "base/ip.h"
#include "model/identity.h"

struct limits;

/* Tokens a second, and how many a bucket holds; per_second 0: no limit. */
struct limit {
	int64_t per_second, burst;
};

enum { LIMIT_PER_SECOND_MAX = 100 * 1000, LIMIT_BURST_MAX = 1000 * 1000 };

enum limit_kind { LIMIT_READS, LIMIT_WRITES, LIMIT_STRANGERS, LIMIT_KIND_COUNT };

struct limits_config {
	struct limit of[LIMIT_KIND_COUNT];
};

/* ERR_NO_MEMORY. Values over the two bounds above count as those. */
RESULT limits_new(struct ctx *c, const struct limits_config *config, struct limits **ret_limits);
void limits_free(struct limits *l); /* NULL: nothing */
DEFINE_AUTO(limits)

/* Takes a token of the account's; false: it has none, the request is to be refused. A refusal counts,
 * and whose they are is logged, in sum, every ten seconds at most. l NULL: no limits. */
bool limits_take(struct limits *l, const struct identity *who, bool writes);
/* The same for a request that proved nobody. An IPv6 client has its whole /64 for one bucket. */
bool limits_take_stranger(struct limits *l, struct ip peer);

/* Refusals since the start, by kind. */
void limits_read_refused(const struct limits *l, uint64_t ret_refused[static LIMIT_KIND_COUNT]);
