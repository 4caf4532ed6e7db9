/* SPDX-License-Identifier: Apache-2.0
 * Address prefixes (Azure: public IP prefixes): blocks of public addresses that belong to one account. All
 * addresses of a prefix count as used from its creation: for the account's quota, for the external network,
 * and for metering. engine_allocate_address() draws addresses from a prefix. */
#pragma once

#include "engine/operation.h"

struct address;
struct address_prefix;

enum {
	ADDRESS_PREFIXES_MAX = 1000, /* per account */
	ADDRESS_PREFIX_BITS_MIN = 28,
	ADDRESS_PREFIX_BITS_MAX = 31,
};

struct address_prefix_wish {
	struct str name;
	int64_t bits; /* prefix length, ADDRESS_PREFIX_BITS_MIN to _MAX */
	/* outputs: */
	uuid prefix;
};
/* Reserves a free block of a public external network's ranges. With KIND_ADDRESS_PREFIX: ERR_RANGE, a length
 * that is not allowed; ERR_CAPACITY, no block of that length is free. ERR_QUOTA with KIND_ADDRESS. */
OPERATION(engine_create_address_prefix, address_prefix_wish)

struct address_prefix_target {
	struct ref prefix;
};
/* Deletes a prefix. ERR_IN_USE with KIND_ADDRESS_PREFIX: an address of it is allocated, or a source NAT uses
 * it. The row stays until the network has removed addresses that were released recently. */
OPERATION(engine_delete_address_prefix, address_prefix_target)

/* Iterate over the allocated addresses of the prefix; NULL ends. On any tables. */
const struct address *engine_first_drawn(const struct tables *t, uuid prefix);
const struct address *engine_next_drawn(const struct tables *t, const struct address *address);
/* Number of unallocated addresses of a live prefix, including those that a source NAT uses; 0 if the prefix
 * is gone. On any tables. */
int64_t engine_count_undrawn(const struct tables *t, uuid prefix);
