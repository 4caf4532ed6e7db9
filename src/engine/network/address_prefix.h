/* SPDX-License-Identifier: Apache-2.0
 * Blocks of public addresses that one account has as a whole, which Azure calls public IP prefixes. Their addresses are in use
 * from the beginning: they count for the account's quota and for the external network, and are metered, drawn or not. An address
 * is drawn from one by engine_allocate_address(). */
#pragma once

#include "engine/operation.h"

struct address;
struct address_prefix;

enum {
	ADDRESS_PREFIXES_MAX = 1000, /* of an account */
	ADDRESS_PREFIX_BITS_MIN = 28,
	ADDRESS_PREFIX_BITS_MAX = 31,
};

struct address_prefix_wish {
	struct str name;
	int64_t bits; /* the length of the block: ADDRESS_PREFIX_BITS_MIN to _MAX */
	/* made: */
	uuid prefix;
};
/* Takes a block out of the ranges of an external network that is there for everybody: nobody has an address of it. With
 * KIND_ADDRESS_PREFIX: ERR_RANGE, a length that there is not; ERR_CAPACITY, no such block is left. ERR_QUOTA with KIND_ADDRESS. */
OPERATION(engine_create_address_prefix, address_prefix_wish)

struct address_prefix_target {
	struct ref prefix;
};
/* Gives a block back. ERR_IN_USE with KIND_ADDRESS_PREFIX: an address of it is allocated, or a source NAT has it. Those that were released just now
 * keep it until the network is rid of them. */
OPERATION(engine_delete_address_prefix, address_prefix_target)

/* The addresses that are drawn from it, one after the other; NULL: no further one. On any tables. */
const struct address *engine_first_drawn(const struct tables *t, uuid prefix);
const struct address *engine_next_drawn(const struct tables *t, const struct address *address);
/* How many of a live one's addresses nobody has drawn, also those of a source NAT; 0: it is gone. On any tables. */
int64_t engine_count_undrawn(const struct tables *t, uuid prefix);
