/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: external networks seen as networks, with subnets whose allocation pools are the ranges
 * of public addresses. Everything here runs inside an operation. */
#pragma once

#include "engine/internal.h"
#include "engine/network/network.h"
#include "store/external_network.h"

struct subnet;
struct address_range;

/* True if the network serves calls that name no external network: all accounts may use it, and it is the
 * default, or the operator gave it a range for gateway ports. Other external networks have to be named. */
bool external_network_is_for_all(const struct tables *t, const struct external_network *network);
/* The network after `last` for calls that name none: the default one is first. NULL begins, and is the end. */
const struct external_network *external_network_next_choice(const struct tables *t,
							    const struct external_network *last);
/* Finds an external network that the caller may use (engine_may_use_external()). ERR_NOT_FOUND. */
RESULT external_network_find_usable(struct op *op, const struct ref *ref,
				    const struct external_network **ret_network);
/* Range that contains the address, or NULL. */
const struct address_range *external_network_find_range(const struct tables *t, uuid network, struct ip ip);
/* Checks the provider attributes of a new network. In Neutron's words: ERR_DENIED, ERR_INVALID with
 * KIND_NETWORK, ERR_IN_USE and ERR_CAPACITY with KIND_EXTERNAL_NETWORK. */
RESULT external_network_check_provider(struct op *op, const struct network_wish *wish);
/* Makes an existing network external, for administrators; no account may use it before a grant. ERR_IN_USE
 * with KIND_NETWORK: the network has a port or a router. */
RESULT external_network_open(struct op *op, const struct network *network,
			     const struct network_provider *provider);
/* Makes an external network internal again, and removes its external grants. ERR_IN_USE with KIND_EXTERNAL_NETWORK: gateways, addresses or
 * IPv6 blocks use it; with KIND_NETWORK: it has a port. */
RESULT external_network_close(struct op *op, const struct network *network);
/* Prepares the deletion of an external network: releases its free addresses. ERR_IN_USE with KIND_NETWORK:
 * anything else uses it. */
RESULT external_network_leave(struct op *op, const struct network *network, const struct ref *ref);
/* Updates an external network's name, ranges and next hop from its network and subnets. No-op for other
 * networks. */
RESULT external_network_follow(struct op *op, uuid network);
/* Write the network, and for a range the subnet, by which Neutron's API shows an operator's external
 * network. */
RESULT external_network_write_shown(struct op *op, const struct external_network *network);
RESULT external_network_write_shown_range(struct op *op, const struct external_network *network,
					  const struct address_range *range);
/* Checks that no address of an external network's subnet is in use. ERR_IN_USE with KIND_SUBNET. */
RESULT external_network_check_subnet(struct op *op, const struct subnet *subnet, const struct ref *ref);
/* Raises gen of the gateways to the network, so that the reconciler deploys them again. */
RESULT external_network_touch_gateways(struct op *op, uuid network);
/* Checks that the caller may make subnets and ports (`what`) on an external network. ERR_DENIED with
 * KIND_EXTERNAL_NETWORK, in Neutron's words. OK for other networks. */
RESULT external_network_check_own(struct op *op, const struct ref *network, const char *what);
/* Refuses external networks for guests' interfaces and routers' inner ports. ERR_DENIED with
 * KIND_EXTERNAL_NETWORK, in Nova's words. */
RESULT external_network_check_none(struct op *op, uuid network, struct str field);
