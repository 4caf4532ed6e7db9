/* SPDX-License-Identifier: Apache-2.0
 * What Dari asks of the virtual network. drivers/ovn keeps it with OVN's northbound database,
 * drivers/sim with memory.
 *
 * Called from the network's one actor. apply_* brings what is there to what is wanted, in one
 * transaction, and is cheap when nothing differs; each may be repeated at any time. remove_* of
 * something absent is OK, and remove_network() answers ERR_AGAIN as long as a port or a router is in it. Rows
 * are told apart by our mark (region + resource UUID), never by name. Errors: ERR_AGAIN: something it stands
 * on is not there yet. ERR_GONE: the database cannot be reached; it reconnects by itself. ERR_TIMEOUT. All
 * pointers are borrowed until return. */
#pragma once

#include "base/ctx.h"
#include "base/ip.h"
#include "base/uuid.h"

struct address;
struct dhcp_options;
struct egress_gateway;
struct external_network;
struct gateway;
struct nat_gateway;
struct network;
struct network_acl;
struct network_acl_entry;
struct peering;
struct port;
struct route;
struct router;
struct security_group;
struct security_group_rule;
struct subnet;

struct vnet; /* a driver's own connection */

/* A segment with its subnets, which its guests learn of by DHCP. */
struct network_segment {
	const struct network *network;
	const struct subnet *const *subnets;
	const struct dhcp_options *const *options; /* what a subnet's VPC has for it, each; NULL: none has */
	size_t subnet_count;
	const struct ip
		*resolvers; /* IPv4, that guests are told of; behind 169.254.169.253 where a router is */
	size_t resolver_count;
	struct str domain_name; /* "ec2.internal", "us-west-2.compute.internal" */
};

/* What may pass between subnets and their router: a network ACL. What no entry decides is denied, but for
 * what the platform answers (metadata, names), which always passes. */
struct network_guard {
	const struct network_acl *acl;
	const struct network_acl_entry *const *entries; /* inward before outward, by number */
	size_t entry_count;
	bool has_ipv6; /* its VPC has: what it does not allow is denied of IPv6, too */
};

/* A subnet on a router. */
struct network_subnet {
	const struct subnet *subnet;
	const struct port *port;           /* the interface; NULL: the subnet's own gateway address */
	uuid route_table;                  /* the effective one: explicit or main */
	const struct network_guard *guard; /* one of the router's; NULL: everything passes */
	int64_t mtu;                       /* of its network; told by the router, of IPv6 alone */
	bool is_outer;                     /* IPv6 that is found from outside, where its table leads there */
};

struct network_route {
	const struct route *route;
	const struct port *port; /* the next hop, a NAT gateway's, too; NULL: none, or gone: a blackhole */
	struct ip hop;           /* the port's address of the destination's family; none: likewise */
};

/* A NAT gateway: what comes to its port goes out again with the port's address, by its subnet's routes. With
 * further addresses it shares what the router's subnets send among all of them, by source: one that comes
 * or goes takes its share from the others, or leaves it to them, and no other source moves. */
struct network_nat {
	const struct nat_gateway *nat;
	const struct port *port;
	const struct subnet *subnet;
	struct str chassis; /* the one host that carries it */
	struct ips more;    /* IPv4 addresses of the port besides its first; in any order */
};

/* A whole router: gateways, peerings, subnets, route tables, metadata and DNS port. */
struct network_router {
	const struct router *router;
	const struct gateway *gateway;       /* NULL: none attached */
	const struct egress_gateway *egress; /* for IPv6; NULL: none */
	const struct external_network
		*external;       /* the gateway's, else where the other leads; NULL: nowhere */
	struct ip translated_to; /* public: what its subnets reach out under; none: only what has its own */
	const struct network_subnet *subnets;
	size_t subnet_count;
	const struct network_guard *const *guards; /* those that its subnets have */
	size_t guard_count;
	const uuid *tables; /* all route tables of the router */
	size_t table_count;
	const struct network_route *routes; /* of all its tables */
	size_t route_count;
	const struct network_nat *nats;
	size_t nat_count;
	const struct peering *const *peerings; /* that lead to or from it: its end of each, also while the
						  other router has none */
	size_t peering_count;
	struct str gateway_chassis;  /* hosts that may carry the gateway, comma separated, best first */
	struct mac metadata_mac;     /* of the metadata port */
	struct str metadata_chassis; /* dari's own machine */
};

struct network_port {
	const struct port *port;
	const struct subnet *subnet; /* of port->ip; NULL: it has none */
	struct ips secondaries;      /* its addresses besides port->ip, IPv6 ones in subnets of their own */
	const struct subnet *ipv6;   /* an IPv6 one of those, one with DHCP first; NULL: none is */
	struct ips outer_ips; /* of all, IPv6 ones that its router's gateway, if any, answers for outside */
	struct str chassis;   /* the host's name; empty: not to be bound anywhere */
	bool has_names;       /* ip-10-0-1-10, and the way back, for each of its addresses */
	struct str domain_name;
};

struct network_group {
	const struct security_group *group;
	const struct security_group_rule *const
		*rules; /* deleted ones let only tracked connections through */
	size_t rule_count;
};

/* One public address on one port. */
struct network_address {
	const struct address *address;
	uuid router;
	const struct port *port;
};

enum network_item_kind {
	NETWORK_ITEM_ROUTER,
	NETWORK_ITEM_NETWORK,
	NETWORK_ITEM_PORT,
	NETWORK_ITEM_GROUP,
	NETWORK_ITEM_ADDRESS,
	NETWORK_ITEM_OTHER
};

struct network_item {
	enum network_item_kind kind;
	uuid id;          /* the resource's */
	struct str words; /* table and name, for people */
};

struct network_inventory {
	const struct network_item *at;
	size_t count;
};

struct network_health {
	bool connected;
	int64_t lag;           /* nb_cfg - sb_cfg: transactions northd has not taken up */
	int64_t chassis_count; /* -1: not known */
};

struct network_driver {
	RESULT (*see)(struct vnet *n, struct ctx *c, struct network_health *ret_health);
	RESULT (*apply_network)(struct vnet *n, struct ctx *c, const struct network_segment *wish);
	RESULT (*remove_network)(struct vnet *n, struct ctx *c, uuid network);
	/* Needs its networks. */
	RESULT (*apply_router)(struct vnet *n, struct ctx *c, const struct network_router *wish);
	RESULT (*remove_router)(struct vnet *n, struct ctx *c, uuid router);
	RESULT (*apply_group)(struct vnet *n, struct ctx *c, const struct network_group *wish);
	RESULT (*remove_group)(struct vnet *n, struct ctx *c, uuid group);
	/* Needs its network, its router if it has names there, and its groups. ret_up: bound on its chassis
	 * now; false also when this call changed anything: the watch tells. */
	RESULT (*apply_port)(struct vnet *n, struct ctx *c, const struct network_port *wish, bool *ret_up);
	RESULT (*remove_port)(struct vnet *n, struct ctx *c, uuid port);
	RESULT (*apply_address)(struct vnet *n, struct ctx *c, const struct network_address *wish);
	RESULT (*remove_address)(struct vnet *n, struct ctx *c, uuid address);
	/* Everything with our mark, each resource once: for audit, and for orphans after a resync. What
	 * routers or ports share (kind other) comes and goes with them. */
	RESULT (*list)(struct vnet *n, struct ctx *c, struct network_inventory *ret_inventory);
	/* changed() is called on any thread when a port's binding changed (id), or when the connection was
	 * lost or made anew, or somebody else removed what is ours (id none: look at everything again). It
	 * must only post. NULL: none, and on
	 * return none is being called. */
	void (*watch)(struct vnet *n, void (*changed)(void *arg, uuid port), void *arg);
	void (*close)(struct vnet *n);
};

/* A connected driver: its functions and itself. */
struct network_handle {
	const struct network_driver *driver;
	struct vnet *self;
};

struct ovn_config {
	struct str northbound; /* "unix:/run/ovn/ovnnb_db.sock" */
	struct str southbound; /* likewise, only to count chassis; empty: not looked at */
	uuid region;           /* the mark's first half */
	int64_t timeout_us;    /* of one transaction; 0: 5 s */
};
/* Returns at once; the first call waits for the connection. */
RESULT ovn_open(struct ctx *c, const struct ovn_config *config, struct network_handle *ret_network);
RESULT network_sim_open(struct ctx *c, struct network_handle *ret_network);
