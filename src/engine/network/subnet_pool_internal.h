/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: what its files share of subnet pools. All of it runs inside an operation. */
#pragma once

#include "engine/internal.h"

struct subnet_pool;

bool subnet_pool_is_used(const struct tables *t, uuid pool);           /* a subnet is from it */
bool subnet_pool_is_regions(const struct subnet_pool *pool);           /* administrators' for others */
bool subnet_pool_has_id_of_regions(const struct tables *t, uuid pool); /* such a one has the id; none: no */
/* The region's default pool of that family, NULL: there is none. */
const struct subnet_pool *subnet_pool_find_default(const struct tables *t, bool is_ipv6);
struct subnet_pool_request {
	struct ref pool;
	bool wants_default;
	bool is_ipv6;
	int64_t bits; /* 0: as the pool says */
};
/* block: the one wanted, or none, and then the one found. ERR_CAPACITY: there is no room for it; ERR_RANGE:
 * the pool has no such subnets; ERR_INVALID: no default pool, or one of the other family; each with
 * KIND_SUBNET_POOL. */
RESULT subnet_pool_allocate(struct op *op, const struct subnet_pool_request *request, uuid *ret_pool,
			    struct cidr *block);
