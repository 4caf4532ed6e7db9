/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: subnet pools, for other files of the engine. Everything here runs inside an
 * operation. */
#pragma once

#include "engine/internal.h"

struct subnet_pool;

bool subnet_pool_is_used(const struct tables *t, uuid pool);           /* a live subnet is allocated from the
								        * pool */
bool subnet_pool_is_regions(const struct subnet_pool *pool);           /* default or shared: made by
								        * administrators for all accounts */
bool subnet_pool_has_id_of_regions(const struct tables *t, uuid pool); /* true for the id of such a pool;
								        * none: false */
/* The region's default pool of the family, or NULL. */
const struct subnet_pool *subnet_pool_find_default(const struct tables *t, bool is_ipv6);
struct subnet_pool_request {
	struct ref pool;
	bool wants_default;
	bool is_ipv6;
	int64_t bits; /* 0: the pool's default */
	uuid account; /* that gets the subnet */
};
/* Chooses a block. *block: the wanted block, or none; receives the chosen one. With KIND_SUBNET_POOL:
 * ERR_CAPACITY, no room; ERR_QUOTA, the account has its share of the pool; ERR_RANGE, the pool does not allow the length; ERR_INVALID, no default pool, or a
 * pool of the other family. */
RESULT subnet_pool_allocate(struct op *op, const struct subnet_pool_request *request, uuid *ret_pool,
			    struct cidr *block);
