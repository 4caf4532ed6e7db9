/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: what its files share of blocks of public addresses. All of it runs inside an operation. */
#pragma once

#include "engine/internal.h"

struct address;
struct address_prefix;
struct address_wish;

/* The block that has the address, be it marked deleted; NULL: none. */
const struct address_prefix *address_prefix_around(const struct tables *t, uuid external_network,
						   struct ip ip);
/* A block of the external network, within that one; none: within any. NULL: it has none there. */
const struct address_prefix *address_prefix_first_in(const struct tables *t, uuid external_network,
						     struct cidr within);
/* Chooses the address that the wish asks for of a block of the account's, which is counted as a whole; writes nothing. As
 * engine_allocate_address(), with KIND_ADDRESS_PREFIX. */
RESULT address_prefix_draw(struct op *op, const struct address_wish *wish, uuid account,
			   struct address *address);
/* All of its addresses are rows that are nobody's but the source NAT's; none of it is left then. ERR_CONFLICT with
 * KIND_ADDRESS_PREFIX: one is in use. */
RESULT address_prefix_take(struct op *op, const struct address_prefix *prefix, uuid source_nat,
			   const struct ref *ref);
RESULT address_prefix_leave(struct op *op, const struct address_prefix *prefix);
/* An address of a block is gone: so is the block that waited for it. */
RESULT address_prefix_forget_with(struct op *op, uuid prefix);
