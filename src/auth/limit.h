/* SPDX-License-Identifier: Apache-2.0
 * Rate limits: token buckets for each account's reads, for its writes, and for each address whose requests
 * are not authenticated. A request takes a token; a bucket gains tokens at a fixed rate up to a maximum.
 *
 * Memory is bounded: each kind of bucket has a table of fixed size. In a full part of it, a new bucket
 * replaces the fullest one and starts with its tokens. So nobody gains tokens by displacing buckets, and any
 * number of addresses together get no more than the table allows. Any thread. */
#pragma once

#include "base/ctx.h"
#include "base/ip.h"
#include "model/identity.h"

struct limits;

/* Rate and size of a bucket. per_second 0: no limit. */
struct limit {
	int64_t per_second, burst;
};

enum { LIMIT_PER_SECOND_MAX = 100 * 1000, LIMIT_BURST_MAX = 1000 * 1000 };

enum limit_kind { LIMIT_READS, LIMIT_WRITES, LIMIT_STRANGERS, LIMIT_KIND_COUNT };

struct limits_config {
	struct limit of[LIMIT_KIND_COUNT];
};

/* ERR_NO_MEMORY. Values above the maxima count as the maxima. */
RESULT limits_new(struct ctx *c, const struct limits_config *config, struct limits **ret_limits);
void limits_free(struct limits *l); /* ignores NULL */
DEFINE_AUTO(limits)

/* Takes a token of the account; false: none left, refuse the request. Refusals are counted, and logged in sum
 * per account, at most every ten seconds. l NULL: no limits. */
bool limits_take(struct limits *l, const struct identity *who, bool writes);
/* The same for a request that is not authenticated. An IPv6 client's /64 shares one bucket. */
bool limits_take_stranger(struct limits *l, struct ip peer);

/* Number of refused requests since the start, by kind. */
void limits_read_refused(const struct limits *l, uint64_t ret_refused[static LIMIT_KIND_COUNT]);
