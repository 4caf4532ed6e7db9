/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: address prefixes, for other files of the engine. Everything here runs inside an
 * operation. */
#pragma once

#include "engine/internal.h"

struct address;
struct address_prefix;
struct address_wish;

/* Prefix that contains the address, even one marked deleted; NULL if none does. */
const struct address_prefix *address_prefix_around(const struct tables *t, uuid external_network,
						   struct ip ip);
/* First prefix of the external network that lies within a block (none: anywhere); NULL if there is none. */
const struct address_prefix *address_prefix_first_in(const struct tables *t, uuid external_network,
						     struct cidr within);
/* Chooses an address of one of the account's prefixes; writes nothing. No quota check: the whole prefix is
 * counted already. Errors as for engine_allocate_address(), with KIND_ADDRESS_PREFIX. */
RESULT address_prefix_draw(struct op *op, const struct address_wish *wish, uuid account,
			   struct address *address);
/* Takes all addresses of a prefix for a source NAT: writes a row for each, so that none can be drawn.
 * ERR_CONFLICT with KIND_ADDRESS_PREFIX: an address is in use. address_prefix_leave() ends those rows. */
RESULT address_prefix_take(struct op *op, const struct address_prefix *prefix, uuid source_nat,
			   const struct ref *ref);
RESULT address_prefix_leave(struct op *op, const struct address_prefix *prefix);
/* Forgets a deleted prefix once the last of its addresses is forgotten. */
RESULT address_prefix_forget_with(struct op *op, uuid prefix);
