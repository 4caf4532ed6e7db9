/* SPDX-License-Identifier: Apache-2.0
 * What Azure calls NAT gateways: public addresses that subnets reach out under. What happens next: reconcile/router.c. */
#pragma once

#include "engine/operation.h"

struct address;

enum { SOURCE_NAT_ADDRESSES_MAX = 16 };

/* Makes one, or gives one that is there other addresses. ERR_CONFLICT with KIND_ADDRESS or
 * KIND_ADDRESS_PREFIX: one is in use. ERR_QUOTA: more than SOURCE_NAT_ADDRESSES_MAX. */
struct source_nat_wish {
	struct ref source_nat; /* kind none: a new one */
	struct str name;
	struct refs addresses;
	struct refs prefixes; /* blocks of addresses, of which it has all */
	/* made: */
	uuid made;
};
OPERATION(engine_put_source_nat, source_nat_wish)

/* Its addresses are free. ERR_IN_USE: a subnet has it. */
struct source_nat_target {
	struct ref source_nat;
};
OPERATION(engine_delete_source_nat, source_nat_target)

/* The addresses that subnets with it reach out under. In the arena; false: it is full. On any tables. */
bool engine_list_translated(struct arena *a, const struct tables *t, uuid source_nat, struct ips *ret_ips);
