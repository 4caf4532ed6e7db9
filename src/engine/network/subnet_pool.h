/* SPDX-License-Identifier: Apache-2.0
 * Subnet pools: prefixes from which subnets of networks are allocated without overlap (engine_add_subnet()).
 * Only administrators may make shared pools and the region's default ones. */
#pragma once

#include "engine/operation.h"

struct subnet_pool;

enum {
	SUBNET_POOLS_OF_ACCOUNT_MAX = 100,
	SUBNET_POOL_PREFIXES_MAX = 64,
	SUBNET_POOL_BITS_MIN = 1, /* bounds of prefix lengths; subnets on networks have narrower ones */
	SUBNET_POOL_BITS_MAX = 32,
	SUBNET_POOL_IPV6_BITS_MAX = 128,
	SUBNET_POOL_BITS_LEAST = 8, /* min_bits if the call gives none */
	SUBNET_POOL_IPV6_BITS_LEAST = 64,
	SUBNET_POOL_UNIT_BITS = 32, /* a quota counts IPv4 addresses, and IPv6 blocks of /64 */
	SUBNET_POOL_IPV6_UNIT_BITS = 64,
};

/* The scope in a wish for a subnet pool. */
struct scope_choice {
	bool is_given;
	struct ref scope; /* kind none: no scope */
};

/* True if the pool is IPv6; all its prefixes are of one family. */
bool engine_is_ipv6_pool(const struct subnet_pool *pool);

/* With KIND_SUBNET_POOL: ERR_RANGE, a prefix is not usable for subnets, or the lengths are not in order;
 * ERR_CONFLICT, prefixes overlap; ERR_EXISTS, the family has a default pool; ERR_QUOTA; ERR_DENIED. */
struct subnet_pool_wish {
	struct ref account; /* owner; kind none: the caller's account */
	struct str name, description;
	struct cidrs prefixes;
	int64_t min_bits, default_bits, max_bits; /* 0: min 8 (IPv6: 64); default as min_bits; max 32 (IPv6:
						   * 128) */
	int64_t quota;                            /* of each account; 0: none */
	bool is_default, is_shared;
	struct scope_choice scope;
	/* outputs: */
	uuid pool;
};
OPERATION(engine_create_subnet_pool, subnet_pool_wish)

/* Changes a pool. Prefixes may be added and merged; ERR_CONFLICT: one would be removed. Otherwise errors as
 * for engine_create_subnet_pool(). */
struct subnet_pool_settings {
	struct ref pool;
	const struct str *name, *description; /* NULL: unchanged */
	const struct cidrs *prefixes;
	int64_t min_bits, default_bits, max_bits; /* 0: unchanged */
	const int64_t *quota;                     /* NULL: unchanged */
	enum choice is_default;
	struct scope_choice scope;
};
OPERATION(engine_update_subnet_pool, subnet_pool_settings)

/* Deletes a pool. ERR_IN_USE: a subnet was allocated from it. */
struct subnet_pool_target {
	struct ref pool;
};
OPERATION(engine_delete_subnet_pool, subnet_pool_target)
