/* SPDX-License-Identifier: Apache-2.0
 * Firewalls of guest networks (engine/network/guest_network.h): only networks created with one have it.
 * Ingress through a public address needs a rule of that address, whichever way the address is used. Egress is
 * allowed or denied by the network's egress_open. Replies and established connections always pass. Security
 * groups apply as well: both must allow the traffic. The reconciler (reconcile/network/router.c) deploys the rules
 * with the router. */
#pragma once

#include "engine/operation.h"

struct firewall_rule;

enum {
	FIREWALL_RULES_MAX = 100,  /* per address; per network for egress */
	FIREWALL_SOURCES_MAX = 50, /* per rule; destinations have the same limit */
	FIREWALL_BLOCKS_MAX = 200, /* total over all rules of an address, or all egress rules of a network */
};

/* Creates a rule: ingress through `address` or, if none is named, egress from `network`. An egress rule
 * allows, unless the network is open outwards: then it denies. With KIND_FIREWALL_RULE: ERR_STATE, the
 * address belongs to no network, or the network has no firewall; ERR_INVALID, bad port or protocol;
 * ERR_UNSUPPORTED, an IPv6 block; ERR_RANGE, an egress source outside the network; ERR_CONFLICT (ICMP:
 * ERR_EXISTS), overlap with another rule; ERR_QUOTA. */
struct firewall_rule_wish {
	struct ref address, network;
	int64_t protocol;                   /* IP protocol number; -1: all (egress only) */
	int64_t from, to;                   /* ports from 1, or ICMP type and code; -1: all */
	struct cidrs sources, destinations; /* no sources: any (ingress), the whole network (egress) */
	struct tags tags;
	/* outputs: */
	uuid rule;
};
OPERATION(engine_create_firewall_rule, firewall_rule_wish)

struct firewall_rule_target {
	struct ref rule;
};
OPERATION(engine_delete_firewall_rule, firewall_rule_target)
/* Finds a rule and checks the permission to change it. Rules have nothing that can be changed. */
OPERATION(engine_change_firewall_rule, firewall_rule_target)

/* Ingress that a network's rules allow, translated to a guest's private address. */
struct firewall_opening {
	struct cidr source;
	struct ip ip;
	int64_t protocol; /* IP protocol number: 1, 6 or 17 */
	int64_t from, to; /* ports of the guest, or ICMP type and code; -1: all */
	const struct firewall_rule *rule;
};
struct firewall_openings {
	const struct firewall_opening *at;
	size_t count;
	struct ips own_ips; /* public addresses of the network's guests, which do not count as outside */
};
/* Lists the openings of a network, in the context's arena; `rule` is borrowed from the tables. */
RESULT engine_list_openings(struct ctx *c, const struct tables *t, uuid network,
			    struct firewall_openings *ret_openings);

struct address;

/* Network that the address belongs to: where it leads by association, forwarding or load balancer; else the
 * network it was allocated for, or the one it does source NAT for. None if there is no such network. */
uuid engine_get_address_network(const struct tables *t, const struct address *address);
