/* SPDX-License-Identifier: Apache-2.0
 * Azure's NAT gateways: the public addresses for outbound connections of subnets. reconcile/network/router.c applies
 * them. */
#pragma once

#include "engine/operation.h"

struct address;

enum { SOURCE_NAT_ADDRESSES_MAX = 16 };

/* Creates a NAT gateway, or replaces its addresses. ERR_CONFLICT with KIND_ADDRESS or KIND_ADDRESS_PREFIX: an
 * address is in use. ERR_QUOTA: more than SOURCE_NAT_ADDRESSES_MAX. */
struct source_nat_wish {
	struct ref source_nat; /* kind none: creates a NAT gateway */
	struct str name;
	struct refs addresses;
	struct refs prefixes; /* blocks of addresses, used as a whole */
	/* result: */
	uuid made;
};
OPERATION(engine_put_source_nat, source_nat_wish)

/* Releases its addresses. ERR_IN_USE: a subnet uses it. */
struct source_nat_target {
	struct ref source_nat;
};
OPERATION(engine_delete_source_nat, source_nat_target)

/* The addresses for outbound connections of subnets with this NAT gateway. In the arena; false: the arena is
 * full. For any tables. */
bool engine_list_translated(struct arena *a, const struct tables *t, uuid source_nat, struct ips *ret_ips);
