/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: external networks as networks, whose allocation pools are ranges of public addresses. All of it
 * runs inside an operation. */
#pragma once

#include "engine/internal.h"
#include "engine/network/network.h"
#include "store/external_network.h"
#include "store/subnet.h"

struct address_range;

/* It is there for whoever names no network: the operator gave it addresses for routers, or it is the default one. Of
 * others addresses are only taken by name. */
bool external_network_is_for_all(const struct external_network *network);
/* The range that has the address; NULL: none. */
const struct address_range *external_network_find_range(const struct tables *t, uuid network, struct ip ip);
/* What a new network is to lie on. In Neutron's words: ERR_DENIED, ERR_INVALID with KIND_NETWORK, ERR_IN_USE with
 * KIND_EXTERNAL_NETWORK, ERR_CAPACITY with KIND_EXTERNAL_NETWORK. */
RESULT external_network_check_provider(struct op *op, const struct network_wish *wish);
/* A network that is there becomes an external one. ERR_IN_USE with KIND_NETWORK: a port or a router is in it. */
RESULT external_network_open(struct op *op, const struct network *network,
			     const struct network_provider *provider);
/* It is an ordinary one again. ERR_IN_USE with KIND_EXTERNAL_NETWORK: gateways lead to it or addresses are from it; with
 * KIND_NETWORK: a port is in it. */
RESULT external_network_close(struct op *op, const struct network *network);
/* Before it is deleted: its free addresses are released. ERR_IN_USE with KIND_NETWORK: something else stands on it. */
RESULT external_network_leave(struct op *op, const struct network *network, const struct ref *ref);
/* Its name, its ranges and its next hop follow its network's name and subnets; nothing for any other network. */
RESULT external_network_follow(struct op *op, uuid network);
/* The network and the subnet as which a range that the operator names is shown. */
RESULT external_network_write_shown(struct op *op, const struct external_network *network);
RESULT external_network_write_shown_range(struct op *op, const struct external_network *network,
					  const struct address_range *range);
/* ERR_IN_USE with KIND_SUBNET: an address of a subnet on an external network is in use. */
RESULT external_network_check_subnet(struct op *op, const struct subnet *subnet, const struct ref *ref);
/* Routers that lead there are brought about anew. */
RESULT external_network_touch_gateways(struct op *op, uuid network);
/* A subnet or a port is made there by its owner. ERR_DENIED with KIND_EXTERNAL_NETWORK, in Neutron's words; nothing for
 * any other network. */
RESULT external_network_check_own(struct op *op, const struct ref *network, const char *what);
/* Guests' interfaces and routers' inner ones are on no external network. ERR_DENIED with KIND_EXTERNAL_NETWORK, in Nova's
 * words. */
RESULT external_network_check_none(struct op *op, uuid network, struct str field);
