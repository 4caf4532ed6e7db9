/* SPDX-License-Identifier: Apache-2.0
 * Subnet pools: prefixes from which subnets on networks are allocated (engine_add_subnet()), so
 * that no two of them overlap. Only administrators may have shared pools, and the region's default
 * one. */
#pragma once

#include "engine/operation.h"

struct subnet_pool;

enum {
	SUBNET_POOLS_OF_ACCOUNT_MAX = 100,
	SUBNET_POOL_PREFIXES_MAX = 64,
	SUBNET_POOL_BITS_MIN = 8, /* as subnets on networks */
	SUBNET_POOL_BITS_MAX = 30,
	SUBNET_POOL_IPV6_BITS_MIN = 32,
	SUBNET_POOL_IPV6_BITS_LEAST = 64, /* where none is said */
	SUBNET_POOL_IPV6_BITS_MAX = 126,
};

/* Whether the pool is IPv6; its prefixes are of one family. */
bool engine_is_ipv6_pool(const struct subnet_pool *pool);

/* ERR_RANGE: a prefix cannot be used for subnets, or lengths are not in order. ERR_CONFLICT:
 * prefixes overlap. ERR_EXISTS: there is a default pool already. ERR_QUOTA. ERR_DENIED. Each with
 * KIND_SUBNET_POOL. */
struct subnet_pool_wish {
	struct ref account; /* the account that shall own it; kind none: the caller's */
	struct str name, description;
	struct cidrs prefixes;
	int64_t min_bits, default_bits, max_bits; /* 0: 8, for IPv6 64; as min_bits; 30, for IPv6 126 */
	bool is_default, is_shared;
	/* made: */
	uuid pool;
};
OPERATION(engine_create_subnet_pool, subnet_pool_wish)

/* Changes a pool. Prefixes may be added and joined; ERR_CONFLICT: one would be missing. Else as
 * above. */
struct subnet_pool_settings {
	struct ref pool;
	const struct str *name, *description; /* NULL: as they are */
	const struct cidrs *prefixes;
	int64_t min_bits, default_bits, max_bits; /* 0: as they are */
	enum choice is_default;
};
OPERATION(engine_update_subnet_pool, subnet_pool_settings)

/* Deletes a pool. ERR_IN_USE: subnets are from it. */
struct subnet_pool_target {
	struct ref pool;
};
OPERATION(engine_delete_subnet_pool, subnet_pool_target)
