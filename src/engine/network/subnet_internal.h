/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: subnets, for other files of the engine. Everything here runs inside an operation. */
#pragma once

#include "engine/internal.h"
#include "engine/network/subnet_internal.h"
#include "engine/network/subnet_reservation.h"

enum { DEFAULT_SUBNET_BITS = 20 /* prefix length of a zone's default subnet */ };
struct subnet_plan {
	uuid account, router, zone, acl;
	struct cidr block; /* IPv4 or IPv6 */
	struct str name;
	struct cidr ipv6_block; /* block of an IPv6 subnet beside it; none: no such subnet */
	struct str ipv6_field;  /* parameter that ipv6_block came from */
	bool is_default, public_on_launch;
	struct tags tags;
};
/* Writes a subnet and its network. ERR_CONFLICT, ERR_RANGE as in engine/operation.h. */
RESULT subnet_write(struct op *op, const struct subnet_plan *plan, uuid *ret_subnet);
/* MAC address for the gateway's router port. The first byte, 0x0a, marks it locally administered and differs
 * from that of ports, 0x02. */
struct mac subnet_draw_gateway_mac(void);
/* The n-th allocation pool; false if there is none. */
bool subnet_get_pool(const struct subnet *subnet, size_t n, struct ip *ret_first, struct ip *ret_last);
/* Last host address, or the one before if that is the gateway: guest networks do not assign it. */
struct ip subnet_get_spare_ip(const struct subnet *subnet);
/* True if a port may request that address of the block. */
bool subnet_may_hold(const struct subnet *subnet, struct ip ip);
uint64_t subnet_count_addresses(const struct subnet *subnet);
/* Block of the subnet; none if the row is gone. */
struct cidr subnet_get_block(const struct tables *t, uuid subnet);
/* True if the subnet lies in its router's own blocks. */
bool subnet_is_of_blocks(const struct tables *t, const struct subnet *subnet);
/* ERR_IN_USE with KIND_SUBNET: a port or router uses the subnet. */
RESULT subnet_check_unused(struct op *op, const struct subnet *subnet, struct str field);
/* Any live subnet of the router, or NULL. */
const struct subnet *subnet_first_live(const struct tables *t, uuid router);
/* Parts of an address range that reservations leave free, in address order. */
struct ip_spans {
	struct {
		struct ip first, last;
	} at[SUBNET_RESERVATIONS_MAX + 1];
	size_t count;
};
void subnet_find_spans(const struct tables *t, const struct subnet *subnet, struct ip first, struct ip last,
		       struct ip_spans *ret_spans);
