/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: what its files share of IPv6. All of it runs inside an operation. */
#pragma once

#include "engine/internal.h"

struct ipv6_block_wish;
struct network_subnet_wish;
struct router_block_wish;

/* Unicast: of the internet, of documentation, or a site's own. */
bool ipv6_is_usable_block(struct cidr block);
/* ERR_CONFLICT with KIND_SUBNET: modes that do not go together, or with its family or without DHCP;
 * ERR_RANGE: its block is no /64, of which alone addresses are made. */
RESULT ipv6_check_modes(struct op *op, const struct network_subnet_wish *wish);
/* Its guests are told how to get IPv6 addresses; ports have those that follow from their MACs. */
bool ipv6_subnet_has_modes(const struct subnet *subnet);
bool ipv6_subnet_is_auto(const struct subnet *subnet);
/* The /56 that is wished: of the pool, or of the first external network that has one left. ERR_CAPACITY with
 * KIND_ADDRESS: none has; ERR_UNSUPPORTED with KIND_EXTERNAL_NETWORK: none has a pool. Of the pool that is
 * named, ERR_NOT_FOUND with that kind; of the block, ERR_RANGE and ERR_CONFLICT with it: it is no /56 of the
 * pool, or another's. */
RESULT ipv6_pick_block(struct op *op, const struct ipv6_block_wish *wish, struct cidr *ret_block);
/* The same for a router that is there; a field for each kind of failure. ERR_QUOTA with KIND_ROUTER: it has
 * as many as it may; ERR_RANGE: it has no blocks of its own. */
RESULT ipv6_add_block(struct op *op, const struct router *router, const struct router_block_wish *wish,
		      struct cidr *ret_block, uuid *ret_association);
/* What EC2 adds to a VPC's default group and list with its first IPv6 block, where they let IPv4 through. */
RESULT ipv6_let_through(struct op *op, const struct router *router);
/* ERR_RANGE, ERR_CONFLICT with KIND_SUBNET: not a block for a subnet within the router's, or not apart
 * from its subnets. */
RESULT ipv6_check_block(struct op *op, const struct router *router, struct cidr block, struct str field);
/* A network's subnets of IPv6 that have a router have its default network ACL or one of their own where no
 * one of IPv4 is beside them, and else neither that nor a route table: what is beside them says it. Called
 * when that has changed. */
RESULT ipv6_settle_lists(struct op *op, uuid network);
/* Beside a subnet without one. Errors as engine_add_ipv6_subnet(). */
RESULT ipv6_write_subnet(struct op *op, const struct subnet *beside, struct cidr block, struct str field,
			 uuid *ret_subnet);
/* The block is that of a router or of a subnet from one of the region's pools, if any. */
bool ipv6_find_holder(const struct tables *t, struct cidr block, struct cidr *ret_held);
