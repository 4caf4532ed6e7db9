/* SPDX-License-Identifier: Apache-2.0
 * Rows of OVN's northbound database for each resource: pure functions from a driver call's arguments to the
 * desired rows (struct wish). A row that represents a resource has the resource's UUID; further rows have
 * UUIDv5(resource, role). Names are derived from UUIDs and never looked up.
 *
 * Matches of ACLs are built from typed fields only: the database accepts an invalid match without an error,
 * and a drop that no host can parse lets everything through. */
#pragma once

#include "base/ip.h"
#include "drivers/network.h"
#include "drivers/ovn/wish.h"
#include "drivers/ovsdb/ovsdb.h"

struct firewall_rule;
struct network_acl_entry;
struct peering;
struct route;
struct security_group_rule;
struct subnet;
struct transit_attachment;

extern const struct ovsdb_schema nb_schema; /* OVN_Northbound: tables and columns we use */
extern const struct ovsdb_schema sb_schema; /* OVN_Southbound: existing chassis */

/* Values of dari-kind. */
#define NB_ROUTER "router"
#define NB_NETWORK "network"
#define NB_PORT "port"
#define NB_GROUP "group"
#define NB_ADDRESS "address"
#define NB_POLICY "policy"
#define NB_TRANSIT "transit-gateway"
#define NB_SHARED "shared" /* external switches and the default-deny group */

/* A port's entries in its router's DNS row: "<DNS row> <name> <reverse name>". */
#define MARK_NAMES "dari-names"

/* Maximum size of the names below, with NUL. */
enum { NB_NAME_SIZE = 64 };
/* prefix and 32 hex digits */
char *nb_write_hex(const char *prefix, uuid id, char out[static NB_NAME_SIZE]);
char *nb_write_name(const char *prefix, uuid id, char out[static NB_NAME_SIZE]); /* prefix and UUID text */
uuid nb_dns_id(uuid router);

/* Each function adds its rows to w, whose scope is the resource. All pointers are borrowed. */
void nb_plan_network(struct wish *w, const struct network_segment *wish);
/* True if the subnet has DHCP of its family, and thus a DHCP_Options row. */
bool nb_has_dhcp(const struct subnet *subnet);
/* DHCP options of a subnet of the network; NULL: no such subnet. leads_out false: without routes and
 * resolvers, for a port without a way out. */
json_t *nb_make_dhcp(struct wish *w, const struct network_segment *wish, uuid subnet, bool leads_out);
void nb_plan_router(struct wish *w, const struct network_router *wish);
/* part of the router, if nb_has_uplink() */
void nb_plan_uplink(struct wish *w, const struct network_router *wish);
struct cidr nb_get_half(struct cidr block, bool is_upper);
bool nb_has_uplink(const struct network_router *wish); /* a gateway of either kind, and a chassis for it */
/* Next hop outside for a route to a gateway of the router; none: another target, or no way out. */
struct ip nb_find_way_out(const struct network_router *wish, const struct route *route);
/* part of the router: blocks inbound connections */
void nb_plan_egress(struct wish *w, const struct network_router *wish);
void nb_plan_metadata(struct wish *w, const struct network_router *wish); /* part of the router */
void nb_plan_nat(struct wish *w, const struct network_nat *n,
		 const struct network_router *wish);               /* part of the router */
void nb_plan_entry(struct wish *w, const struct network_entry *n); /* part of the router */
/* Switch between the exit of a service's interface and its entries. */
uuid nb_get_join_id(uuid leg);
void nb_plan_exit(struct wish *w, const struct network_exit *n);             /* part of the router */
void nb_plan_forwardings(struct wish *w, const struct network_router *wish); /* part of the router */
/* The balancer again, at another address and on a small router of its own. */
void nb_plan_balancer_at(struct wish *w, const struct network_balancer *n, uuid router, struct ip at);
/* part of the router: its end of the peering */
void nb_plan_peering(struct wish *w, const struct peering *p);
/* The link-local address that every router port derives from its MAC (RFC 4291, appendix A). */
struct ip nb_make_link_local(struct mac mac);
/* Next hop and port from this router to its peer. */
void nb_write_peering_hop(const struct peering *p, uuid router, enum ip_family family,
			  char next_hop[static IP_TEXT_SIZE], char port[static NB_NAME_SIZE]);
/* part of the router: its end of the attachment */
void nb_plan_attachment(struct wish *w, const struct transit_attachment *a);
/* Next hop and port from this router to the transit gateway that the route names; false: it names none, or the
 * router is not attached to it for that family. */
bool nb_write_transit_hop(const struct network_router *wish, const struct route *route,
			  char next_hop[static IP_TEXT_SIZE], char port[static NB_NAME_SIZE]);
void nb_plan_transit(struct wish *w, const struct network_transit *wish);
void nb_plan_vpn(struct wish *w, const struct network_router *wish); /* part of the router */
/* The switch of an external network, which all routers with a port there share. */
void nb_plan_external_switch(struct wish *w, const struct external_network *external);
void nb_plan_group(struct wish *w, const struct network_group *wish);
void nb_plan_policy(struct wish *w, const struct network_policy *wish);
/* Port group of a policy behind one router; port group of a router's closed ports. */
uuid nb_policy_id(uuid policy, uuid place);
uuid nb_closed_id(uuid router);
void nb_plan_closed(struct wish *w, const struct network_router *wish); /* part of the router */
void nb_plan_port(struct wish *w, const struct network_port *wish);
void nb_plan_default_deny(struct wish *w); /* shared; added by nb_plan_port() */
void nb_plan_address(struct wish *w, const struct network_address *wish);
/* Removes DNS entries written by an earlier nb_plan_port() (have: the port's cached row) that w does not
 * contain. */
void nb_plan_forget_names(struct wish *w, const json_t *have);

/* ACL match of a security group rule; empty: the rule matches nothing and needs no ACL. */
struct str nb_write_rule_match(struct arena *a, const struct security_group_rule *rule);
/* Match of the packets that an inbound rule allows, without the port that they go to; empty: the rule is outbound, revoked, or
 * matches nothing. For a router, which tracks no connections. */
struct str nb_write_routed_match(struct arena *a, const struct security_group_rule *rule);
/* ACL match of a network ACL entry; never empty. */
struct str nb_write_entry_match(struct arena *a, const struct network_acl_entry *entry);

/* part of the router: its network ACLs */
void nb_plan_guards(struct wish *w, const struct network_router *wish);
/* Match of an outbound firewall rule, to follow "ip4": " && ip4.src == {…} && tcp". */
struct str nb_write_firewall_match(struct arena *a, const struct firewall_rule *rule);
void nb_plan_firewalls(struct wish *w, const struct network_router *wish); /* part of the router */
/* Port by which the router is attached to a subnet: the subnet's gateway address, or an interface of its own.
 * The names "rp-" and "sp-" are derived from its id. */
uuid nb_get_arm_id(const struct network_subnet *s);

/* Adds the subnet's switch port towards the router to the port group of its network ACL. */
void nb_join_guard(struct wish *w, struct wish_row *switch_port, const struct network_guard *guard);

/* ---- epoch.c ---- */

/* The writer's epoch in OVN's northbound database. Several dari processes may share a region's rows, and one writes (store/lease.h).
 * A former writer's transactions may be under way when the next one begins. So each transaction names its writer's
 * epoch, and OVSDB itself refuses that of a superseded one: the epoch stands in NB_Global's external_ids, and a
 * `wait` operation compares it. */
struct epoch {
	int64_t number;     /* counts the writers; 0: one process has the region, and nothing is compared */
	const char *region; /* text of the region's id: regions may share a database */
};

/* Sets the epoch of an OVN network before its first use. */
void ovn_set_epoch(const struct network_handle *network, int64_t epoch);

/* Makes ops of a transaction that fails if another epoch stands in the database: operations in front, which also write an
 * epoch that is newer than the database's, and ops. ERR_STATE: the cache shows a newer one. The caller owns *ret_ops;
 * *ret_added: number of operations in front. */
RESULT epoch_guard(struct ctx *c, const struct ovsdb_cache *cache, const struct epoch *epoch,
		   const json_t *ops, json_t **ret_ops, size_t *ret_added);
/* Executes a transaction that carries no epoch. Every operation must be a select: dari only reads the southbound database,
 * which northd and ovn-controller write. ERR_INTERNAL: ops has another operation; nothing was sent. */
RESULT epoch_select(struct ovsdb *db, struct ctx *c, const json_t *ops, json_t **ret_results);
/* ovsdb_transact() with that guard. ret_results is without the operations in front. */
RESULT epoch_transact(struct ovsdb *db, struct ctx *c, const struct epoch *epoch, const json_t *ops,
		      json_t **ret_results);
