/* SPDX-License-Identifier: Apache-2.0
 * How often somebody may ask: token buckets, one for each account's reads, one for its writes, and
 * one for each address whose requests prove nobody. A request takes a token. A bucket gains a
 * number of tokens each second and holds a number at most.
 *
 * Memory is bounded: each kind of bucket has a table of fixed size. If a part of it is full, a new
 * bucket replaces the fullest one there and begins with that one's tokens. So nobody gains tokens
 * when a bucket is forgotten, and any number of addresses together get no more than the table
 * allows. Any thread. */
#pragma once

#include "base/ctx.h"
#include "base/ip.h"
#include "model/identity.h"

struct limits;

/* How many tokens a bucket gains a second, and how many it holds. per_second 0: no limit. */
struct limit {
	int64_t per_second, burst;
};

enum { LIMIT_PER_SECOND_MAX = 100 * 1000, LIMIT_BURST_MAX = 1000 * 1000 };

enum limit_kind { LIMIT_READS, LIMIT_WRITES, LIMIT_STRANGERS, LIMIT_KIND_COUNT };

struct limits_config {
	struct limit of[LIMIT_KIND_COUNT];
};

/* ERR_NO_MEMORY. Larger values than the two maxima above count as these. */
RESULT limits_new(struct ctx *c, const struct limits_config *config, struct limits **ret_limits);
void limits_free(struct limits *l); /* NULL: nothing */
DEFINE_AUTO(limits)

/* Takes a token of the account. False: it has none, and the request must be refused. Refusals are
 * counted, and logged in sum, with the accounts, every ten seconds at most. l NULL: no limits. */
bool limits_take(struct limits *l, const struct identity *who, bool writes);
/* The same for a request that proved nobody. An IPv6 client's whole /64 has one bucket. */
bool limits_take_stranger(struct limits *l, struct ip peer);

/* How many requests were refused since the start, by kind. */
void limits_read_refused(const struct limits *l, uint64_t ret_refused[static LIMIT_KIND_COUNT]);
