/* SPDX-License-Identifier: Apache-2.0
 * The network driver's contract: what Dari asks of the virtual network. drivers/ovn keeps it with
 * OVN's northbound database, drivers/sim keeps it in memory (tests/unit/drivers/test_network_ovn.c
 * and test_network_sim.c).
 *
 * What holds for every call:
 *
 * 1. Threads. The reconciler makes all calls from the network's actor, one after another. Only
 *    watch() and close() come from the thread that starts and ends the region.
 * 2. Time. A call that changes something sends at most two transactions, and waits for the
 *    database, never for a host: hosts take a change up later (see vnet_see, vnet_watch). It gives
 *    up after the timeout of its connection (ovn_config.timeout_us, or the context's deadline if
 *    that is earlier).
 * 3. Apply. apply_* is given all that one resource shall be. It compares that with what exists and
 *    sends what differs in one transaction, or nothing. It remembers nothing from earlier calls.
 * 4. Repetition. Every call may be repeated, after success, after failure and after a crash of
 *    dari; also after ERR_TIMEOUT, when nobody knows whether the transaction took place.
 * 5. Absence. remove_* of something that does not exist is OK.
 * 6. Identity. The driver finds its rows by our mark (region and resource UUID), never by their
 *    names. Rows without this region's mark are never touched.
 * 7. Memory. All pointers are borrowed until the call returns. Results are in the context's arena.
 * 8. Errors. ERR_AGAIN: something that the resource stands on does not exist yet, or the database
 *    changed meanwhile; try later. ERR_GONE: the database cannot be reached; the driver reconnects
 *    by itself. ERR_TIMEOUT: see 4. ERR_CONFLICT: another region has that UUID, or the database
 *    refuses the change because of a constraint. ERR_NO_MEMORY is possible everywhere. */
#pragma once

#include "base/ctx.h"
#include "base/ip.h"
#include "base/uuid.h"

struct address;
struct dhcp_options;
struct egress_gateway;
struct external_network;
struct firewall_rule;
struct gateway;
struct load_balancer;
struct nat_gateway;
struct network;
struct network_acl;
struct network_acl_entry;
struct peering;
struct port;
struct port_forwarding;
struct port_policy;
struct port_rule;
struct route;
struct router;
struct security_group;
struct security_group_rule;
struct subnet;

/* A driver's connection to the network; each driver defines its own. */
struct vnet;

/* ---- what apply_* is given */

/* A layer-2 segment with its subnets, and what its guests learn by DHCP. */
struct network_segment {
	const struct network *network;
	const struct subnet *const *subnets;
	const struct dhcp_options *const *options; /* of each subnet's VPC; NULL: the VPC has none */
	size_t subnet_count;
	/* IPv4 resolvers that guests are told of. Where the subnet has a router, the address of our
	 * own resolver, 169.254.169.253, is told before these. */
	const struct ip *resolvers;
	size_t resolver_count;
	struct str domain_name; /* "ec2.internal", "us-west-2.compute.internal" */
};

/* A network ACL: what may pass between subnets and their router. What no entry decides is denied,
 * except the platform's own addresses (metadata, names), which always pass. */
struct network_guard {
	const struct network_acl *acl;
	const struct network_acl_entry *const *entries; /* inbound before outbound, by number */
	size_t entry_count;
	bool has_ipv6; /* the VPC has IPv6, so IPv6 that no entry allows is denied, too */
};

/* A subnet on a router. */
struct network_subnet {
	const struct subnet *subnet;
	const struct port *port;           /* the router's interface; NULL: the subnet's gateway address */
	uuid route_table;                  /* the table in force: the subnet's own, or the main one */
	const struct network_guard *guard; /* one of network_router.guards; NULL: everything passes */
	int64_t mtu;                       /* of its network, bytes; the router announces it over IPv6 */
	/* Public addresses that its guests without one of their own reach out under, each as many of them; none: as the
	 * router says. */
	struct ips translated_to;
	bool is_outer; /* its IPv6 addresses are reachable from outside, if its table leads there */
};

struct network_route {
	const struct route *route;
	const struct port *port; /* the next hop, also of a NAT gateway; NULL: none, or a blackhole */
	struct ip hop;           /* the port's address of the destination's family; none: as above */
};

/* A NAT gateway. What arrives at its port leaves again with the port's address, by the routes of
 * its subnet. With further addresses, the sources in the router's subnets are divided among all of
 * them. An address that is added takes its share from the others, and one that is removed leaves
 * its share to them; no other source changes its address. */
struct network_nat {
	const struct nat_gateway *nat;
	const struct port *port;
	const struct subnet *subnet;
	struct str chassis; /* the one host that carries it */
	struct ips more;    /* IPv4 addresses of the port besides its first; in any order */
};

/* A prefix of IPv6 that is delegated to a port: the router sends it there, whatever asks. */
struct network_prefix {
	struct cidr block;
	const struct port *port;
	struct ip hop; /* the port's first IPv6 address; none: it has none but its link's own */
	uuid subnet;   /* of the block */
};

/* Ports of a public address that lead to a port behind the router, from outside and from inside. */
struct network_forwarding {
	const struct port_forwarding *forwarding;
	struct ip public_ip;
};

/* One of the addresses that a balanced port leads to. */
struct network_member {
	struct ip ip;
	uuid port; /* that has it */
	/* An address of its subnet that is nobody's. By TCP, it is asked from there whether it answers, and
	 * gets nothing while it does not; none: nobody asks. */
	struct ip asked_from;
};

/* A port of an address that leads to one of several addresses behind the router, likewise: a public one, or one of a subnet of it
 * that no port stands for. */
struct network_balancer {
	const struct load_balancer *balancer;
	struct ip ip;
	const struct network_member *members;
	size_t member_count; /* 0: it answers nobody */
};

/* Something that may come in to a guest's address from outside of its network. */
struct network_opening {
	struct cidr source;
	struct ip ip;
	int64_t protocol; /* 1, 6, 17 */
	int64_t from, to; /* ports of the guest's, or ICMP's type and code; -1: all */
};

/* The firewall of a network that the router is in: between its ports there and the guests' only that passes what is opened,
 * inwards, and outwards what the network's egress_open and the rules say. Within the network, to the platform's own
 * addresses and in reply everything passes. It opens nothing that security groups keep out. */
struct network_firewall {
	const struct network *network;
	const struct network_opening *openings;
	size_t opening_count;
	const struct firewall_rule *const *rules; /* outwards */
	size_t rule_count;
	struct ips own_ips; /* public addresses that stand for its guests: they are not outside */
};

/* A whole router: gateways, peerings, subnets, route tables, metadata and DNS port. */
struct network_router {
	const struct router *router;
	const struct gateway *gateway;       /* NULL: none is attached */
	const struct egress_gateway *egress; /* for IPv6; NULL: none */
	/* The external network of the gateway, else of the egress gateway; NULL: none. */
	const struct external_network *external;
	/* The public address that guests without one of their own reach out under; none: they do
	 * not. */
	struct ip translated_to;
	/* Its own blocks and its peers', where it has interfaces that are closed to all else (network_port.is_closed); none:
	 * it has not. */
	const struct cidr *closed_to_others;
	size_t closed_to_others_count;
	const struct network_subnet *subnets;
	size_t subnet_count;
	const struct network_guard *const *guards; /* each network ACL of its subnets once */
	size_t guard_count;
	const uuid *tables; /* all route tables of the router */
	size_t table_count;
	const struct network_route *routes; /* of all its tables */
	size_t route_count;
	const struct network_prefix *prefixes;
	size_t prefix_count;
	const struct network_nat *nats;
	size_t nat_count;
	const struct network_forwarding *forwardings; /* with a gateway only */
	size_t forwarding_count;
	const struct network_balancer *balancers; /* those of public addresses likewise */
	size_t balancer_count;
	const struct network_firewall *firewalls; /* of its networks that have one */
	size_t firewall_count;
	/* The peerings that lead from or to it. The call makes this router's end of each, also
	 * while the other router does not exist. */
	const struct peering *const *peerings;
	size_t peering_count;
	struct str gateway_chassis;  /* hosts that may carry the gateway: comma separated, best first */
	struct mac metadata_mac;     /* of the metadata port */
	struct str metadata_chassis; /* the machine that dari runs on */
};

struct network_port {
	const struct port *port;
	const struct subnet *subnet; /* of port->ip; NULL: it has no such address */
	struct ips secondaries;      /* its further addresses; IPv6 ones have subnets of their own */
	/* The subnet of one of its IPv6 addresses, one with DHCP if there is any; NULL: it has
	 * none. */
	const struct subnet *ipv6;
	const struct cidr *prefixes; /* all addresses of these blocks lead to it, too */
	size_t prefix_count;
	struct ips outer_ips; /* the IPv6 addresses among them that its router's gateway answers for */
	struct str chassis;   /* the host that binds it; empty: nobody shall */
	/* The host that its guest is on its way to, running: it is bound there, too, and carries nothing until the
	 * guest announces itself from there. Empty: none. */
	struct str next_chassis;
	/* Its guest has just come from another host: it is up once no other host binds it any more, and this one does. */
	bool is_settling;
	/* What its network's guests are told by DHCP, of a port that is told more (port->dhcp4, port->dhcp6), or that
	 * leads_nowhere: of IPv4 neither a gateway nor who knows names; NULL: it is told what its subnet says. */
	const struct network_segment *segment;
	bool leads_nowhere;
	/* Port policies that stand before it, each once: what any of them does not let through is dropped, whatever groups
	 * and ACLs say. */
	struct uuids policies;
	int64_t egress_kbit; /* what its guest sends beyond that many kbit/s is dropped; 0: no limit */
	bool is_closed;      /* of new connections only those from its router's closed_to_others come in */
	bool has_names;      /* DNS has ip-10-0-1-10 and its reverse for each IPv4 address */
	struct str domain_name;
};

struct network_group {
	const struct security_group *group;
	/* A rule that was deleted a short while ago is listed, too: it admits only connections that
	 * are established already. */
	const struct security_group_rule *const *rules;
	size_t rule_count;
};

/* What a port policy says behind one router, or in one network that has none, with all words read: rules of each direction in their order, of which the first
 * that fits decides. What none fits is not let through. Replies pass, what was let through before goes on, and so do DHCP and
 * the platform's own addresses. Of IPv6 nothing new passes. */
struct network_policy_place {
	uuid place;                       /* a router, or a network that is behind none */
	const struct port_rule *rules[2]; /* inwards; outwards */
	size_t counts[2];
};
struct network_policy {
	const struct port_policy *policy;
	const struct network_policy_place *places; /* wherever it stands before something */
	size_t place_count;
};

/* One public address on one port. */
struct network_address {
	const struct address *address;
	uuid router;
	const struct port *port;
};

/* ---- what is found */

enum network_item_kind {
	NETWORK_ITEM_ROUTER,
	NETWORK_ITEM_NETWORK,
	NETWORK_ITEM_PORT,
	NETWORK_ITEM_GROUP,
	NETWORK_ITEM_ADDRESS,
	NETWORK_ITEM_POLICY,
	NETWORK_ITEM_OTHER /* shared by routers or ports */
};

struct network_item {
	enum network_item_kind kind;
	uuid id;          /* of the resource */
	struct str words; /* table and name, for people */
};

struct network_inventory {
	const struct network_item *at;
	size_t count;
};

/* How far the OVN of a host follows what is counted for all of them. */
struct network_chassis {
	bool is_known; /* else nothing is known of it */
	int64_t asked, followed;
};

struct network_health {
	bool connected;        /* to the northbound database; false: lag is 0 */
	int64_t lag;           /* nb_cfg - sb_cfg: transactions that northd has not taken up yet */
	int64_t chassis_count; /* -1: not known */
};

/* ---- looking */

/* Reports whether the database can be reached and how far OVN is behind. Not being reached is an
 * answer, not a failure. Changes nothing. `dari doctor` calls it as an observation. */
typedef RESULT vnet_see(struct vnet *n, struct ctx *c, struct network_health *ret_health);

/* How far a host's chassis follows. asks: where it has followed so far, the count is raised, so that a later look
 * tells whether it still does. */
typedef RESULT vnet_see_chassis(struct vnet *n, struct ctx *c, struct str name, bool asks,
				struct network_chassis *ret_chassis);

/* The physical networks that a host's bridges lead to: words with a space between, in the context's arena; empty where
 * nothing is known of it. Changes nothing. */
typedef RESULT vnet_see_bridges(struct vnet *n, struct ctx *c, struct str name, struct str *ret_words);

/* Lists every resource that has our mark, each once, whether Dari has a row for it or not. What
 * several routers or ports share is of kind OTHER; apply_* and remove_* create and remove it with
 * them. Changes nothing. `dari audit` and `dari adopt` call it as an observation. */
typedef RESULT vnet_list(struct vnet *n, struct ctx *c, struct network_inventory *ret_inventory);

/* ---- segments */

/* Makes a network with its subnets' DHCP as the wish has it. It needs nothing to exist before. */
typedef RESULT vnet_apply_network(struct vnet *n, struct ctx *c, const struct network_segment *wish);

/* Removes a network. ERR_AGAIN as long as a port or a router is in it. */
typedef RESULT vnet_remove_network(struct vnet *n, struct ctx *c, uuid network);

/* ---- routers */

/* Makes a router with everything in the wish. The networks of its subnets must exist
 * (ERR_AGAIN). */
typedef RESULT vnet_apply_router(struct vnet *n, struct ctx *c, const struct network_router *wish);

/* Removes a router, with its NAT gateways and its ends of peerings. */
typedef RESULT vnet_remove_router(struct vnet *n, struct ctx *c, uuid router);

/* ---- security groups */

/* Makes a security group with its rules. It needs nothing to exist before. */
typedef RESULT vnet_apply_group(struct vnet *n, struct ctx *c, const struct network_group *wish);

/* Removes a security group. */
typedef RESULT vnet_remove_group(struct vnet *n, struct ctx *c, uuid group);

/* ---- port policies */

/* Makes a policy in all its places. It needs nothing to exist before. */
typedef RESULT vnet_apply_policy(struct vnet *n, struct ctx *c, const struct network_policy *wish);

/* Removes a policy. */
typedef RESULT vnet_remove_policy(struct vnet *n, struct ctx *c, uuid policy);

/* ---- ports */

/* Makes a port. Its network, its security groups and its policies behind its router must exist, and its router too if the port
 * has names there or is closed (ERR_AGAIN). ret_up: the port is bound on its chassis. The OVN driver reports false
 * when this call changed anything, because the binding may move; watch() then tells when it is
 * bound. */
typedef RESULT vnet_apply_port(struct vnet *n, struct ctx *c, const struct network_port *wish, bool *ret_up);

/* Removes a port with its names. */
typedef RESULT vnet_remove_port(struct vnet *n, struct ctx *c, uuid port);

/* ---- public addresses */

/* Translates a public address to a port's address. The router must exist (ERR_AGAIN). */
typedef RESULT vnet_apply_address(struct vnet *n, struct ctx *c, const struct network_address *wish);

/* Ends the translation of a public address. */
typedef RESULT vnet_remove_address(struct vnet *n, struct ctx *c, uuid address);

/* ---- connections */

/* A port was bound or unbound. port none: the connection was lost or made anew, or somebody else
 * removed something of ours; look at everything again. The driver calls this on any thread, with a
 * lock of its own held: the callee must only post a job, and must not call the driver. */
typedef void vnet_changed(void *arg, uuid port);

/* Sets the function that the driver calls with news; NULL: none, and no call of the old function is
 * under way or comes after the return. The reconciler sets it when it starts and takes it away when
 * it ends. News are hints: one may be missed while a transaction of ours is under way. */
typedef void vnet_watch(struct vnet *n, vnet_changed *changed, void *arg);

/* Closes the connection and frees it. NULL is allowed for OVN. What was applied stays. No call may
 * be under way. */
typedef void vnet_close(struct vnet *n);

/* ---- the driver */

struct network_driver {
	vnet_see *see;
	vnet_see_chassis *see_chassis;
	vnet_see_bridges *see_bridges;

	vnet_apply_network *apply_network;
	vnet_remove_network *remove_network;
	vnet_apply_router *apply_router;
	vnet_remove_router *remove_router;
	vnet_apply_group *apply_group;
	vnet_remove_group *remove_group;
	vnet_apply_policy *apply_policy;
	vnet_remove_policy *remove_policy;
	vnet_apply_port *apply_port;
	vnet_remove_port *remove_port;
	vnet_apply_address *apply_address;
	vnet_remove_address *remove_address;

	vnet_list *list;
	vnet_watch *watch;
	vnet_close *close;
};

/* A connected driver: its functions, and what to pass as their first argument. */
struct network_handle {
	const struct network_driver *driver;
	struct vnet *self;
};

struct ovn_config {
	struct str northbound; /* "unix:/run/ovn/ovnnb_db.sock" */
	struct str southbound; /* likewise, to look at chassis; empty: nothing is known of them */
	uuid region;           /* half of the mark */
	int64_t timeout_us;    /* of one transaction, and of the first connection; 0: 5 s */
};

/* Opens the OVN driver. Returns at once and connects in the background; the first call waits for
 * the connection. ERR_INVALID: an address that is not a unix socket's. */
RESULT ovn_open(struct ctx *c, const struct ovn_config *config, struct network_handle *ret_network);

/* Opens the simulated network. */
RESULT network_sim_open(struct ctx *c, struct network_handle *ret_network);
