/* SPDX-License-Identifier: Apache-2.0
 * The network driver's contract: calls to the virtual network. drivers/ovn implements it with OVN's
 * northbound database, drivers/sim in memory (tests/unit/drivers/test_network_ovn.c and test_network_sim.c).
 *
 * Rules for every call:
 *
 * 1. Threads. The reconciler makes all calls from the network's actor, one after another. Only watch() and
 *    close() come from the thread that starts and ends the region.
 * 2. Time. A call that changes something sends at most two transactions, and waits for the database but never
 *    for a host: hosts apply a change later (see vnet_see, vnet_watch). It gives up after the connection's
 *    timeout (ovn_config.timeout_us, or the context's deadline if earlier).
 * 3. Apply. apply_* gets the complete wish of one resource, compares it with the database and sends the
 *    differences in one transaction, or nothing. It keeps no memory of earlier calls.
 * 4. Repetition. Every call may be repeated, after success, after failure and after a crash of dari; also
 *    after ERR_TIMEOUT, when the transaction may or may not have been committed.
 * 5. Absence. remove_* of something that doesn't exist is OK.
 * 6. Identity. The driver finds its rows by our mark (region and resource UUID), never by their names. Rows
 *    without this region's mark are never touched.
 * 7. Memory. All pointers are borrowed until the call returns. Results are in the context's arena.
 * 8. Errors. ERR_AGAIN: a prerequisite doesn't exist yet, or the database changed meanwhile; try later.
 *    ERR_GONE: the database is unreachable; the driver reconnects by itself. ERR_TIMEOUT: see 4.
 *    ERR_CONFLICT: another region has that UUID, or the database refuses the change by a constraint.
 *    ERR_NO_MEMORY is always possible. */
#pragma once

#include "base/ctx.h"
#include "base/ip.h"
#include "base/uuid.h"
#include "model/vpn_link.h"

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
struct transit_attachment;
struct transit_gateway;
struct vpn_tunnel;

/* A driver's connection to the network; each driver defines its own. */
struct vnet;

/* ---- wishes, for apply_* */

/* A layer-2 segment with its subnets and DHCP options. */
struct network_segment {
	const struct network *network;
	const struct subnet *const *subnets;
	const struct dhcp_options *const *options; /* of each subnet's VPC; NULL: none */
	size_t subnet_count;
	/* IPv4 resolvers announced to guests. If the subnet has a router, our own resolver's address,
	 * 169.254.169.253, precedes them. */
	const struct ip *resolvers;
	size_t resolver_count;
	struct str domain_name; /* "ec2.internal", "us-west-2.compute.internal" */
	/* Guests behind no router ask for metadata on the network's own link, at this port. */
	bool has_metadata;
	struct mac metadata_mac;
	struct str metadata_chassis; /* the machine that dari runs on */
};

/* A network ACL: the traffic allowed between subnets and their router. Traffic that no entry matches is
 * denied, except to the platform's addresses (metadata, DNS), which are always allowed. */
struct network_guard {
	const struct network_acl *acl;
	const struct network_acl_entry *const *entries; /* inbound before outbound, by number */
	size_t entry_count;
	bool has_ipv6; /* the VPC has IPv6, so unmatched IPv6 traffic is denied too */
};

/* A subnet on a router. */
struct network_subnet {
	const struct subnet *subnet;
	const struct port *port;           /* the router's interface; NULL: the subnet's gateway address */
	uuid route_table;                  /* the effective table: the subnet's own, or the main one */
	const struct network_guard *guard; /* one of network_router.guards; NULL: everything is allowed */
	int64_t mtu;                       /* MTU of its network in bytes, announced by the router over
					    * IPv6 */
	/* Public addresses for outgoing traffic of guests without one of their own, each for an equal share
	 * of guests; none: the router's. */
	struct ips translated_to;
	bool is_outer; /* its IPv6 addresses are reachable from outside, if its route table leads there */
};

struct network_route {
	const struct route *route;
	const struct port *port; /* the next hop, also a NAT gateway's; NULL: none, or a blackhole */
	struct ip hop;           /* the port's address in the destination's family; none: as above */
};

/* A NAT gateway: traffic arriving at its port leaves with the port's address, by its subnet's routes. With
 * further addresses, the source addresses in the router's subnets are distributed among all of them. An added
 * address takes its share from the others, and a removed one's share goes to the others; the remaining
 * sources keep their address. */
struct network_nat {
	const struct nat_gateway *nat;
	const struct port *port;
	const struct subnet *subnet;
	struct str chassis; /* the single host that carries it */
	struct ips more;    /* further IPv4 addresses of the port, in any order */
};

/* An IPv6 prefix delegated to a port: the router forwards it there. */
struct network_prefix {
	struct cidr block;
	const struct port *port;
	struct ip hop; /* the port's first IPv6 address; none: only its link-local one */
	uuid subnet;   /* that contains the block */
};

/* Forwards ports of a public address to a port behind the router, from outside and from inside. */
struct network_forwarding {
	const struct port_forwarding *forwarding;
	struct ip public_ip;
};

/* A backend address of a balancer. */
struct network_member {
	struct ip ip;
	uuid port; /* the port that has it */
	/* An unused address of its subnet, the source of TCP health checks: a backend that doesn't answer
	 * gets no traffic. none: no checks. */
	struct ip asked_from;
};

/* Distributes a port of an address to several addresses behind the router: a public address, or one of its
 * subnets that no port has. */
struct network_balancer {
	const struct load_balancer *balancer;
	struct ip ip;
	const struct network_member *members;
	size_t member_count; /* 0: connections fail */
	struct ip public_ip; /* a public address with the same port; none: there is none */
};

/* An interface of a VPC endpoint that leads to an endpoint service: passes connections to its address on to the service's exit
 * of its zone, as far as its security groups allow them in. */
struct network_entry {
	const struct port *port;
	const struct subnet *subnet;
	struct str chassis; /* the single host that carries it, preferably not the exit's */
	int64_t link;       /* number unique among the entries of an exit */
	uuid leg; /* interface of the exit, which the network has already; none: it is not connected */
	const struct security_group_rule *const *rules; /* rules of its groups */
	size_t rule_count;
};

/* An endpoint service's interface: distributes connections of entries to the targets of the load balancer in its subnet. Targets
 * see its address. */
struct network_exit {
	const struct port *port;
	const struct subnet *subnet;
	struct str chassis;                       /* the single host that carries it */
	const struct network_balancer *balancers; /* their own addresses do not matter */
	size_t balancer_count;
};

/* Traffic allowed into a guest's address from outside its network. */
struct network_opening {
	struct cidr source;
	struct ip ip;
	int64_t protocol; /* 1, 6, 17 */
	int64_t from, to; /* ports of the guest, or ICMP type and code; -1: all */
};

/* The firewall of a network that the router is in. Between the router's and the guests' ports, only the
 * openings pass inwards, and outwards what the network's egress_open and the rules allow. Traffic within the
 * network, to the platform's addresses, and replies are always allowed. Security groups still apply in
 * addition. */
struct network_firewall {
	const struct network *network;
	const struct network_opening *openings;
	size_t opening_count;
	const struct firewall_rule *const *rules; /* outbound */
	size_t rule_count;
	struct ips own_ips; /* public addresses of its guests: they don't count as outside */
};

/* A tunnel of a VPN connection: the network between the router, the namespace of the tunnel's IKE daemon, and the outside. */
struct network_tunnel {
	uuid id;                         /* daemon's id */
	const struct vpn_tunnel *tunnel; /* the tunnel, or one of several of a daemon */
	struct vpn_link link;
	const struct external_network *external; /* of its public address */
	struct str chassis;                      /* the single host that has the public address */
	struct str leg_chassis;                  /* the machine that runs the daemon */
};

/* A route of a route table by way of a tunnel. */
struct network_vpn_route {
	uuid table;
	struct cidr to;
	uuid tunnel; /* id of the daemon; none: the traffic is dropped */
};

/* A complete router: gateways, peerings, attachments, subnets, route tables, metadata and DNS port. */
struct network_router {
	const struct router *router;
	const struct gateway *gateway;       /* NULL: none */
	const struct egress_gateway *egress; /* for IPv6; NULL: none */
	/* The external network of the gateway, or else of the egress gateway; NULL: none. */
	const struct external_network *external;
	/* The public address for outgoing traffic of guests without one of their own; none: they have no
	 * outside access. */
	struct ip translated_to;
	/* Blocks of its VPC and its peers, if it has ports closed to everything else
	 * (network_port.is_closed); otherwise none. */
	const struct cidr *closed_to_others;
	size_t closed_to_others_count;
	const struct network_subnet *subnets;
	size_t subnet_count;
	const struct network_guard *const *guards; /* each network ACL of its subnets, once */
	size_t guard_count;
	const uuid *tables; /* all route tables of the router */
	size_t table_count;
	const struct network_route *routes; /* routes of all tables */
	size_t route_count;
	const struct network_prefix *prefixes;
	size_t prefix_count;
	/* The API's own address, and the tables that lead to it by the metadata port; none: there are none. */
	struct ip api_ip;
	const uuid *api_tables;
	size_t api_table_count;
	const struct network_nat *nats;
	size_t nat_count;
	/* Ends of connections between VPC endpoints and endpoint services. Prerequisite: the exits of connected entries (ERR_AGAIN). */
	const struct network_entry *entries;
	size_t entry_count;
	const struct network_exit *exits;
	size_t exit_count;
	const struct network_forwarding *forwardings; /* only with a gateway */
	size_t forwarding_count;
	const struct network_balancer *balancers; /* balancers with public addresses only with a gateway */
	size_t balancer_count;
	const struct network_firewall *firewalls; /* for its networks with a firewall */
	size_t firewall_count;
	/* Peerings in either direction. The call creates this router's end of each, even if the other router
	 * doesn't exist yet. */
	const struct peering *const *peerings;
	size_t peering_count;
	/* Attachments to transit gateways. The call creates this router's end of each, even if the gateway's
	 * router doesn't exist yet. */
	const struct transit_attachment *const *attachments;
	size_t attachment_count;
	const struct network_tunnel *tunnels;
	size_t tunnel_count;
	const struct network_vpn_route *vpn_routes; /* each destination once in a table */
	size_t vpn_route_count;
	struct str gateway_chassis;  /* hosts that may carry the gateway: comma-separated, preferred first */
	struct mac metadata_mac;     /* MAC address of the metadata port */
	struct str metadata_chassis; /* the machine that dari runs on */
};

/* A route of a transit gateway's route table. */
struct network_transit_route {
	uuid table;
	struct cidr to;
	const struct transit_attachment *attachment; /* NULL: a black hole */
};

/* A complete transit gateway: its ends of attachments, and the routes of all of its tables. */
struct network_transit {
	const struct transit_gateway *gateway;
	const struct transit_attachment *const *attachments;
	size_t attachment_count;
	const struct network_transit_route *routes; /* each destination once in a table */
	size_t route_count;
};

/* Treatment of a port's traffic in one direction. */
struct network_qos {
	int64_t kbit;       /* limit of the rate in kbit/s; excess is dropped; 0: none */
	int64_t burst_kbit; /* 0: four fifths of the rate */
	bool marks;         /* sets the DSCP of IP packets to dscp */
	int64_t dscp;
};

struct network_port {
	const struct port *port;
	const struct subnet *subnet; /* for port->ip; NULL: none */
	struct ips secondaries;      /* further addresses; IPv6 ones have their own subnets */
	/* The subnet of one of its IPv6 addresses, preferably one with DHCP; NULL: none. */
	const struct subnet *ipv6;
	const struct cidr *prefixes; /* all addresses of these blocks are routed to it as well */
	size_t prefix_count;
	struct ips outer_ips; /* its IPv6 addresses that the router's gateway answers for */
	struct str chassis;   /* the host that binds it; empty: none */
	/* The target host of its guest's live migration: bound there too, but without traffic until the guest
	 * announces itself from there. Empty: none. */
	struct str next_chassis;
	/* The guest has just been migrated: the port is up once only this host binds it. */
	bool is_settling;
	/* The port that carries the frames of this one, tagged with port->vlan_id: its parent in a trunk, on the
	 * same chassis. none: the guest has an interface for this port. */
	uuid carrier;
	/* DHCP options of its network, for a port with additional ones (port->dhcp4, port->dhcp6), or one
	 * that leads_nowhere: no IPv4 gateway and resolvers. NULL: the subnet's options apply. */
	const struct network_segment *segment;
	bool leads_nowhere;
	/* Port policies of the port, each once: traffic denied by any of them is dropped, whatever groups and ACLs
	 * allow. */
	struct uuids policies;
	struct network_qos egress,
		ingress; /* limits and mark for what the guest sends, and limits for what it gets */
	bool is_closed;  /* accepts new connections only from its router's closed_to_others */
	bool has_names;  /* DNS has ip-10-0-1-10 and the reverse for each IPv4 address */
	struct str domain_name;
};

struct network_group {
	const struct security_group *group;
	/* Includes recently deleted rules, which admit only established connections. */
	const struct security_group_rule *const *rules;
	size_t rule_count;
};

/* A port policy's rules, resolved behind one router, or in one network without a router. In each direction
 * the first matching rule decides; traffic without a match is denied. Replies and established connections are
 * allowed, as are DHCP and the platform's addresses. New IPv6 connections are denied. */
struct network_policy_place {
	uuid place;                       /* a router, or a network without one */
	const struct port_rule *rules[2]; /* inwards; outwards */
	size_t counts[2];
};
struct network_policy {
	const struct port_policy *policy;
	const struct network_policy_place *places; /* for every router and network where it is used */
	size_t place_count;
};

/* A public address assigned to a port. */
struct network_address {
	const struct address *address;
	uuid router;
	const struct port *port;
};

/* ---- results */

enum network_item_kind {
	NETWORK_ITEM_ROUTER,
	NETWORK_ITEM_NETWORK,
	NETWORK_ITEM_PORT,
	NETWORK_ITEM_GROUP,
	NETWORK_ITEM_ADDRESS,
	NETWORK_ITEM_POLICY,
	NETWORK_ITEM_TRANSIT_GATEWAY,
	NETWORK_ITEM_OTHER /* shared by routers or ports */
};

struct network_item {
	enum network_item_kind kind;
	uuid id;          /* resource */
	struct str words; /* table and name, for people */
};

struct network_inventory {
	const struct network_item *at;
	size_t count;
};

enum network_probe_result { NETWORK_PROBE_NONE, NETWORK_PROBE_UP, NETWORK_PROBE_DOWN };
/* Result of the TCP health checks of a balancer's member. */
struct network_probe {
	uuid port; /* the port that has the member's address */
	struct ip ip;
	int64_t number;                   /* TCP port */
	enum network_probe_result result; /* output; NONE: no check has ended yet */
};

/* Numbers of IPFIX reports: the upper eight bits of the observation domain, whose others are the datapath's key; and the set of
 * collectors that hosts have for them. */
enum { NETWORK_SAMPLE_DOMAIN = 113, NETWORK_SAMPLE_SET = 113 };

/* A flow that drops, by the observation point of its reports. */
struct network_drop {
	uint32_t point;
	bool is_out; /* out of a network to a port; else into the network or a router */
};

struct network_datapath {
	uuid id; /* network or router */
	uint32_t key;
};

struct network_samples {
	const struct network_drop *drops;
	size_t drop_count;
	const struct network_datapath *datapaths;
	size_t datapath_count;
};

/* Progress of a host's OVN in the global sequence number. */
struct network_chassis {
	bool is_known; /* false: unknown */
	int64_t asked, followed;
};

struct network_health {
	bool connected;        /* to the northbound database; false: lag is 0 */
	int64_t lag;           /* nb_cfg - sb_cfg: transactions that northd hasn't processed yet */
	int64_t chassis_count; /* -1: unknown */
	struct str
		problem; /* reason of a missing connection, in the context's arena; names each server of a cluster */
};

/* ---- looking */

/* Reports whether the database is reachable and how far OVN is behind. Unreachable is a result rather than a
 * failure. Changes nothing. `dari doctor` calls it as an observation. */
typedef RESULT vnet_see(struct vnet *n, struct ctx *c, struct network_health *ret_health);

/* Reports how far a host's chassis has followed. asks: if it is up to date, increments the number, so that a
 * later call shows whether it still follows. */
typedef RESULT vnet_see_chassis(struct vnet *n, struct ctx *c, struct str name, bool asks,
				struct network_chassis *ret_chassis);

/* The physical networks that a host's bridges connect to, separated by spaces, in the context's arena; empty:
 * unknown. Changes nothing. */
typedef RESULT vnet_see_bridges(struct vnet *n, struct ctx *c, struct str name, struct str *ret_words);

/* Lists every resource with our mark once, whether Dari has a row for it or not. Objects shared by several
 * routers or ports have kind OTHER; apply_* and remove_* manage them along with these. Changes nothing. `dari
 * audit` and `dari adopt` call it as an observation. */
typedef RESULT vnet_list(struct vnet *n, struct ctx *c, struct network_inventory *ret_inventory);

/* ---- segments */

/* Creates or updates a network and its subnets' DHCP. Has no prerequisites. */
typedef RESULT vnet_apply_network(struct vnet *n, struct ctx *c, const struct network_segment *wish);

/* Removes a network. ERR_AGAIN while it has a port or a router. */
typedef RESULT vnet_remove_network(struct vnet *n, struct ctx *c, uuid network);

/* ---- routers */

/* Creates or updates a router with everything in the wish. Prerequisite: the networks of its subnets
 * (ERR_AGAIN). */
typedef RESULT vnet_apply_router(struct vnet *n, struct ctx *c, const struct network_router *wish);

/* Removes a router with its NAT gateways and its ends of peerings and attachments. */
typedef RESULT vnet_remove_router(struct vnet *n, struct ctx *c, uuid router);

/* ---- transit gateways ---- */

/* Creates or updates a transit gateway with everything in the wish. Has no prerequisites: the routers of its
 * attachments may be missing. */
typedef RESULT vnet_apply_transit(struct vnet *n, struct ctx *c, const struct network_transit *wish);

/* Removes a transit gateway with its ends of attachments. */
typedef RESULT vnet_remove_transit(struct vnet *n, struct ctx *c, uuid gateway);

/* ---- security groups */

/* Creates or updates a security group with its rules. Has no prerequisites. */
typedef RESULT vnet_apply_group(struct vnet *n, struct ctx *c, const struct network_group *wish);

/* Removes a security group. */
typedef RESULT vnet_remove_group(struct vnet *n, struct ctx *c, uuid group);

/* ---- port policies */

/* Creates or updates a policy in all places. Has no prerequisites. */
typedef RESULT vnet_apply_policy(struct vnet *n, struct ctx *c, const struct network_policy *wish);

/* Removes a policy. */
typedef RESULT vnet_remove_policy(struct vnet *n, struct ctx *c, uuid policy);

/* ---- ports */

/* Creates or updates a port. Prerequisites (ERR_AGAIN): its network, its security groups, its policies behind
 * its router, and the router itself if the port has names there or is closed. ret_up: the port is bound on
 * its chassis. The OVN driver reports false if this call changed anything, because the binding may move;
 * watch() then reports the binding. */
typedef RESULT vnet_apply_port(struct vnet *n, struct ctx *c, const struct network_port *wish, bool *ret_up);

/* Removes a port with its names. */
typedef RESULT vnet_remove_port(struct vnet *n, struct ctx *c, uuid port);

/* ---- public addresses */

/* Maps a public address to a port's address. Prerequisite: the router (ERR_AGAIN). */
typedef RESULT vnet_apply_address(struct vnet *n, struct ctx *c, const struct network_address *wish);

/* Removes the mapping of a public address. */
typedef RESULT vnet_remove_address(struct vnet *n, struct ctx *c, uuid address);

/* ---- health checks of balancers */

/* Fills in the results of checks. Changes nothing. ERR_UNSUPPORTED: the driver cannot read them. */
typedef RESULT vnet_see_probes(struct vnet *n, struct ctx *c, struct network_probe *probes, size_t count);

/* ---- samples of drops ---- */

/* Has the hosts report each packet that a security group, a network ACL or a firewall drops, to the collectors of the set
 * NETWORK_SAMPLE_SET, or stops it. ret_samples, in c's arena: how to read these reports; empty if they are off. ERR_UNSUPPORTED: the
 * driver cannot read them. */
typedef RESULT vnet_sample_drops(struct vnet *n, struct ctx *c, bool on, struct network_samples *ret_samples);

/* ---- connections */

/* A port was bound or unbound. port none: the connection was lost or restored, or somebody else removed an
 * object of ours; look at everything again. Called on any thread with a lock of the driver held: it must only
 * post a job, and must not call the driver. */
typedef void vnet_changed(void *arg, uuid port);

/* Sets the callback for events; NULL: none, and on return the old function is not running and won't be called
 * again. Set by the reconciler at its start and removed at its end. Events are hints: one may be missed while
 * a transaction of ours is in progress. */
typedef void vnet_watch(struct vnet *n, vnet_changed *changed, void *arg);

/* Closes and frees the connection; OVN's ignores NULL. Applied resources remain. No call may be running. */
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
	vnet_apply_transit *apply_transit;
	vnet_remove_transit *remove_transit;
	vnet_apply_group *apply_group;
	vnet_remove_group *remove_group;
	vnet_apply_policy *apply_policy;
	vnet_remove_policy *remove_policy;
	vnet_apply_port *apply_port;
	vnet_remove_port *remove_port;
	vnet_apply_address *apply_address;
	vnet_remove_address *remove_address;
	vnet_see_probes *see_probes;
	vnet_sample_drops *sample_drops;

	vnet_list *list;
	vnet_watch *watch;
	vnet_close *close;
};

/* A connected driver: its functions, and their first argument. */
struct network_handle {
	const struct network_driver *driver;
	struct vnet *self;
};

struct ovn_config {
	struct str
		northbound; /* "unix:/run/ovn/ovnnb_db.sock"; the servers of a cluster with commas between them */
	struct str southbound; /* likewise, for reading chassis; empty: their state is unknown */
	uuid region;           /* half of the mark */
	int64_t timeout_us;    /* for one transaction, and for the first connection; 0: 5 s */
	/* PEM files for ssl: addresses, NULL without; outlive the driver, which reads them at each connection */
	const char *authority, *certificate, *key;
};

/* Opens the OVN driver. Returns immediately and connects in the background; the first call waits for the
 * connection. ERR_INVALID: a malformed address. */
RESULT ovn_open(struct ctx *c, const struct ovn_config *config, struct network_handle *ret_network);

/* Opens the simulated network. */
RESULT network_sim_open(struct ctx *c, struct network_handle *ret_network);
