/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: what its files share of subnets. All of it runs inside an operation. */
#pragma once

#include "engine/internal.h"
#include "engine/network/subnet_internal.h"
#include "engine/network/subnet_reservation.h"

enum { DEFAULT_SUBNET_BITS = 20 /* of the default subnet of a zone */ };
struct subnet_plan {
	uuid account, router, zone, acl;
	struct cidr block; /* of either family */
	struct str name;
	struct cidr ipv6_block; /* of a subnet beside it; none: no such */
	struct str ipv6_field;  /* for messages about that */
	bool is_default, public_on_launch;
	struct tags tags;
};
/* With its network. ERR_CONFLICT, ERR_RANGE as engine/operation.h says. */
RESULT subnet_write(struct op *op, const struct subnet_plan *plan, uuid *ret_subnet);
/* For its router's port: locally administered, in a range that ports do not have. */
struct mac subnet_draw_gateway_mac(void);
/* The n-th range that ports draw from; false: there is none. */
bool subnet_get_pool(const struct subnet *subnet, size_t n, struct ip *ret_first, struct ip *ret_last);
/* The last address for a guest, or the one before where that is the gateway: what a guest network keeps for itself. */
struct ip subnet_get_spare_ip(const struct subnet *subnet);
/* Whether a port may ask for that address of its block. */
bool subnet_may_hold(const struct subnet *subnet, struct ip ip);
uint64_t subnet_count_addresses(const struct subnet *subnet);
/* It lies in its router's own blocks: made there, and part of it. */
bool subnet_is_of_blocks(const struct tables *t, const struct subnet *subnet);
/* ERR_IN_USE with KIND_SUBNET. */
RESULT subnet_check_unused(struct op *op, const struct subnet *subnet, struct str field);
/* Any live subnet of the router, or NULL. */
const struct subnet *subnet_first_live(const struct tables *t, uuid router);
/* Marked deleted; its reservations go at once. */
RESULT subnet_delete_with_reservations(struct op *op, uuid subnet);
/* What reservations leave of a range of the subnet, in the order of addresses. */
struct ip_spans {
	struct {
		struct ip first, last;
	} at[SUBNET_RESERVATIONS_MAX + 1];
	size_t count;
};
void subnet_find_spans(const struct tables *t, const struct subnet *subnet, struct ip first, struct ip last,
		       struct ip_spans *ret_spans);
