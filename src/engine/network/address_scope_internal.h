/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: address scopes, for the operations of subnet pools. */
#pragma once

#include "engine/internal.h"

struct scope_choice;
struct subnet_pool;

/* Puts the pool, with its id and prefixes, into the scope that is chosen. was: the present row; NULL: the pool is new. With
 * KIND_ADDRESS_SCOPE: ERR_NOT_FOUND; ERR_INVALID, the family differs; ERR_CONFLICT, another pool has an address of the
 * prefixes; ERR_COMBINATION, subnets of the pool's networks would be in different scopes; ERR_DENIED, the pool is in a shared
 * scope of another account. */
RESULT address_scope_choose(struct op *op, const struct scope_choice *choice, const struct subnet_pool *was,
			    struct subnet_pool *pool);
/* ERR_COMBINATION with KIND_ADDRESS_SCOPE: the network has a subnet of the family in another scope than the pool's. */
RESULT address_scope_check_network(struct op *op, uuid network, bool is_ipv6, uuid pool);
