/* SPDX-License-Identifier: Apache-2.0
 * Firewalls of guest networks: what may come in by a public address, and what may go out. Only networks that were made with
 * a firewall have one (engine/network/guest_network.h). Nothing comes in but what a rule of the address lets in, whatever
 * the address leads to; what goes out does so by the network's egress_open. Replies always pass, and so does what was let
 * through before its rule ended. Security groups hold besides: both must let something through. What happens next:
 * reconcile/router.c makes them with the router. */
#pragma once

#include "engine/operation.h"
#include "model/firewall_rule.h"

enum {
	FIREWALL_RULES_MAX = 100,  /* of an address, and outwards of a network */
	FIREWALL_SOURCES_MAX = 50, /* of a rule; of destinations as many */
	FIREWALL_BLOCKS_MAX = 200, /* of all rules of an address, or outwards of a network */
};

/* Lets something in by the address, or, where none is named, out of the network (or, of one that is open outwards, not).
 * With KIND_FIREWALL_RULE: ERR_STATE, the address is no network's, or the network has no firewall; ERR_INVALID, a port or a
 * protocol is none; ERR_UNSUPPORTED, a block is of IPv6; ERR_RANGE, a source is outside of the network that it is to
 * leave; ERR_CONFLICT, a rule says some of that already, or, of ICMP, ERR_EXISTS; ERR_QUOTA. */
struct firewall_rule_wish {
	struct ref address, network;
	int64_t protocol;                   /* -1: all, outwards only */
	int64_t from, to;                   /* ports from 1 on, or ICMP's type and code; -1: all */
	struct cidrs sources, destinations; /* no sources: from anywhere; outwards from all of the network */
	struct tags tags;
	/* made: */
	uuid rule;
};
OPERATION(engine_create_firewall_rule, firewall_rule_wish)

struct firewall_rule_target {
	struct ref rule;
};
OPERATION(engine_delete_firewall_rule, firewall_rule_target)
/* Nothing of a rule can be changed; finds it, as a change would. */
OPERATION(engine_change_firewall_rule, firewall_rule_target)

/* What a network's rules let in: something may come from outside of the network to a guest's address. */
struct firewall_opening {
	struct cidr source;
	struct ip ip;
	int64_t protocol; /* 1, 6, 17 */
	int64_t from, to; /* ports of the guest's, or ICMP's type and code; -1: all */
	const struct firewall_rule *rule;
};
struct firewall_openings {
	const struct firewall_opening *at;
	size_t count;
	struct ips own_ips; /* public addresses that stand for its guests: they are not outside */
};
/* In the context's arena; rules are borrowed from the tables. */
RESULT engine_list_openings(struct ctx *c, const struct tables *t, uuid network,
			    struct firewall_openings *ret_openings);

struct address;

/* The network that an address leads into, else that which it was taken for, or whose way out it is; none: no one. */
uuid engine_get_address_network(const struct tables *t, const struct address *address);
