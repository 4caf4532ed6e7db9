/* SPDX-License-Identifier: Apache-2.0
 * What we write into OVN's northbound database for each thing of the cloud: pure functions from a
 * driver call's arguments to a wish. A row that stands for a resource has the resource's UUID,
 * further ones UUIDv5(resource, role); names are made of UUIDs and never looked up.
 *
 * Matches (ACL) are built from typed fields only: the database takes a bad match without a word,
 * and a drop that no host can read lets everything through. */
#pragma once

#include "base/ip.h"
#include "drivers/network.h"
#include "drivers/ovn/wish.h"

struct firewall_rule;
struct network_acl_entry;
struct peering;
struct route;
struct security_group_rule;
struct subnet;

extern const struct ovsdb_schema nb_schema; /* OVN_Northbound: tables and columns we use */
extern const struct ovsdb_schema sb_schema; /* OVN_Southbound: the chassis there are */

/* Values of dari-kind. */
#define NB_ROUTER "router"
#define NB_NETWORK "network"
#define NB_PORT "port"
#define NB_GROUP "group"
#define NB_ADDRESS "address"
#define NB_POLICY "policy"
#define NB_SHARED "shared" /* external switches, the default-deny group */

/* A port's names in its router's DNS row: "<DNS row> <name> <reverse name>". */
#define MARK_NAMES "dari-names"

/* Longest of the names below, with NUL. */
enum { NB_NAME_SIZE = 64 };
char *nb_write_hex(const char *prefix, uuid id, char out[static NB_NAME_SIZE]);  /* prefix and 32 digits */
char *nb_write_name(const char *prefix, uuid id, char out[static NB_NAME_SIZE]); /* prefix and UUID text */
uuid nb_dns_id(uuid router);

/* Each adds its rows to w, whose scope is the resource. All pointers are borrowed. */
void nb_plan_network(struct wish *w, const struct network_segment *wish);
/* Its guests are told by DHCP of its family: it has a row of options. */
bool nb_has_dhcp(const struct subnet *subnet);
/* What guests are told in that subnet of the network, but for the way out and names where that is not theirs to take; NULL:
 * it has none of that id. */
json_t *nb_make_dhcp(struct wish *w, const struct network_segment *wish, uuid subnet, bool leads_out);
void nb_plan_router(struct wish *w, const struct network_router *wish);
void nb_plan_uplink(struct wish *w, const struct network_router *wish); /* part of it, if nb_has_uplink() */
struct cidr nb_get_half(struct cidr block, bool is_upper);
bool nb_has_uplink(const struct network_router *wish); /* a gateway of either kind, and a chassis for it */
/* The next hop outside of a route to a gateway of the router; none: it does not lead there, or nowhere. */
struct ip nb_find_way_out(const struct network_router *wish, const struct route *route);
void nb_plan_egress(struct wish *w, const struct network_router *wish);   /* part of it: nothing comes in */
void nb_plan_metadata(struct wish *w, const struct network_router *wish); /* part of it */
void nb_plan_nat(struct wish *w, const struct network_nat *n,
		 const struct network_router *wish);                         /* likewise */
void nb_plan_forwardings(struct wish *w, const struct network_router *wish); /* likewise */
void nb_plan_peering(struct wish *w, const struct peering *p); /* likewise: the end at the wish's scope */
/* The address of its link that every router port has by itself, made of its MAC (RFC 4291, appendix A). */
struct ip nb_make_link_local(struct mac mac);
/* How that router reaches the other one. */
void nb_write_peering_hop(const struct peering *p, uuid router, enum ip_family family,
			  char next_hop[static IP_TEXT_SIZE], char port[static NB_NAME_SIZE]);
void nb_plan_group(struct wish *w, const struct network_group *wish);
void nb_plan_policy(struct wish *w, const struct network_policy *wish);
/* The port group of a policy behind one router; and that of a router's closed ports. */
uuid nb_policy_id(uuid policy, uuid place);
uuid nb_closed_id(uuid router);
void nb_plan_closed(struct wish *w, const struct network_router *wish); /* part of the router */
void nb_plan_port(struct wish *w, const struct network_port *wish);
void nb_plan_default_deny(struct wish *w); /* shared; nb_plan_port() adds it */
void nb_plan_address(struct wish *w, const struct network_address *wish);
/* Takes out of DNS what an earlier nb_plan_port() wrote there (have: the port's row in the cache)
 * and w does not ask for. */
void nb_plan_forget_names(struct wish *w, const json_t *have);

/* An ACL for one rule: the match of its traffic; empty: matches nothing, no ACL. */
struct str nb_write_rule_match(struct arena *a, const struct security_group_rule *rule);
/* The same of an entry of a network ACL; never empty. */
struct str nb_write_entry_match(struct arena *a, const struct network_acl_entry *entry);

void nb_plan_guards(struct wish *w, const struct network_router *wish); /* part of it: its network ACLs */
/* What a firewall's rule outwards is about, behind "ip4": " && ip4.src == {…} && tcp". */
struct str nb_write_firewall_match(struct arena *a, const struct firewall_rule *rule);
void nb_plan_firewalls(struct wish *w, const struct network_router *wish); /* part of it */
/* The port by which the router is in a subnet, at the subnet's gateway address or as an interface of its own: that the
 * names "rp-" and "sp-" are made of. */
uuid nb_get_arm_id(const struct network_subnet *s);

/* A subnet's port on its router joins the group that its network ACL guards. */
void nb_join_guard(struct wish *w, struct wish_row *switch_port, const struct network_guard *guard);
