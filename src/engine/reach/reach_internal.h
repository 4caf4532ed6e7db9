/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/reach/: the state of a packet's walk. */
#pragma once

#include "base/vec.h"
#include "engine/reach/reach.h"
#include "store/store.h"

struct gateway;
struct route;
struct router;
struct subnet;

enum {
	REACH_HOPS_MAX = 12,
	REACH_CHANGES_MAX = 8,
	/* Client ports: Linux's default ip_local_port_range. */
	REACH_CLIENT_FIRST = 32768,
	REACH_CLIENT_LAST = 60999,
	/* ICMP types. Source: RFC 792, RFC 4443. */
	REACH_ECHO4 = 8,
	REACH_ECHO4_REPLY = 0,
	REACH_ECHO6 = 128,
	REACH_ECHO6_REPLY = 129
};

struct reach_ports {
	int64_t first, last; /* -1: the protocol has no ports */
};

struct reach_packet {
	struct ip from, to;
	int64_t protocol;
	struct reach_ports from_ports, to_ports;
	int64_t type, code; /* for ICMP */
	bool is_reply;
};

/* Address changes on the way, which replies reverse in the opposite order. */
enum reach_change_kind {
	REACH_HIDDEN,        /* a gateway replaced the source by a public address */
	REACH_HIDDEN_BY_NAT, /* a NAT gateway replaced the source by its own address */
	REACH_UNCOVERED,     /* a public address of the router was replaced by the private one */
	REACH_BALANCED       /* a switch's load balancer chose a member */
};
struct reach_change {
	enum reach_change_kind kind;
	const struct router *router;
	struct ip before, after;
};

enum reach_end { REACH_END_STOPPED, REACH_END_PORT, REACH_END_OUTSIDE, REACH_END_PLATFORM, REACH_END_GUEST };

struct reach_walk {
	struct ctx *c;
	const struct tables *t;
	const struct reach_question *q;
	struct reach_packet p;
	VEC(struct reach_step) steps;
	struct reach_change changes[REACH_CHANGES_MAX];
	size_t change_count, hops;
	bool has_failed; /* out of memory */
	/* The interface that the packet reached: */
	const struct port *hit;
	const struct subnet *hit_subnet;
	const struct router *by; /* NULL: within the subnet */
};

/* A packet at a router: from one of its subnets, or (NULL) from a gateway, a peering or a transit gateway. */
struct reach_spot {
	const struct router *router;
	const struct subnet *in;
	uuid table; /* none: only the router's own subnets */
};

/* ---- reach.c: steps ---- */

/* Adds a step. */
void reach_say(struct reach_walk *w, struct reach_step step, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Sets the advice of the last step. */
void reach_advise(struct reach_walk *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Adds a step that stops the packet. advice NULL: none. */
enum reach_end reach_stop(struct reach_walk *w, struct reach_step step, const char *text, const char *advice);
/* Formats a text with two arguments, for reach_stop(). */
const char *reach_print(struct reach_walk *w, const char *format, struct str a, struct str b);
/* "tcp to port 443" */
struct str reach_write_traffic(const struct reach_walk *w);
/* "10.0.0.4"; the second function writes the packet's destination. */
struct str reach_write_ip(const struct reach_walk *w, struct ip ip);
struct str reach_write_to(const struct reach_walk *w);
/* "sg-…", or a UUID. */
struct str reach_name(const struct reach_walk *w, enum kind kind, uuid id);
/* True for the platform's own addresses: metadata and DNS. */
bool reach_is_platform(struct ip ip);
/* True for TCP and UDP. */
bool reach_has_ports(int64_t protocol);
/* True for an ICMP echo request or reply. */
bool reach_is_icmp(const struct reach_packet *p);
/* Matches a packet with a rule of a group, an ACL or a firewall: protocol -1 is all; from and to are ports,
 * or ICMP's type and code, where from -1 is all. */
bool reach_traffic_fits(const struct reach_packet *p, int64_t port, int64_t protocol, int64_t from,
			int64_t to);
/* True if the address is among the interface's addresses and prefixes. */
bool reach_has_ip(const struct tables *t, const struct port *port, struct ip ip);
/* false: too many changes. */
bool reach_add_change(struct reach_walk *w, struct reach_change change);

/* ---- ends.c ---- */

/* Sets the packet. Errors as in engine_find_reach(). */
RESULT reach_begin(struct reach_walk *w);

/* ---- interface.c: filters of an interface; false: the packet stops ---- */

/* Reports the state; the walk continues in any case. */
void reach_tell_state(struct reach_walk *w, const struct port *port);
/* Leaves the interface. */
bool reach_leave_port(struct reach_walk *w, const struct port *port);
/* Leaves the network, after the switch's load balancers. router: receives the packet; NULL: it stays within
 * the subnet. */
bool reach_leave_network(struct reach_walk *w, const struct port *port, const struct subnet *subnet,
			 const struct router *router);
/* Enters w->hit. */
bool reach_enter_port(struct reach_walk *w);

/* ---- acl.c; false: the packet stops ---- */

/* Passes the ACL at the subnet's border on its own router. */
bool reach_pass_acl(struct reach_walk *w, const struct router *router, const struct subnet *subnet,
		    bool egress);
/* Passes a stateful list, at the interface. */
bool reach_pass_tracked(struct reach_walk *w, const struct router *router, const struct subnet *subnet,
			bool egress);

/* ---- look_up.c ---- */

struct vpn_way; /* engine/vpn/vpn.h */
struct reach_way {
	const struct subnet *subnet; /* a connected subnet */
	const struct route *route;   /* otherwise a route; both NULL: no match */
	int rank;
};
/* table none: only the router's own subnets. */
struct reach_way reach_look_up(const struct reach_walk *w, const struct router *router, uuid table,
			       struct ip ip);
/* The router's subnet that contains the address, or NULL. */
const struct subnet *reach_find_subnet_of(const struct reach_walk *w, const struct router *router,
					  struct ip ip);
/* The internet gateway that leads outside, or NULL. */
const struct gateway *reach_find_gateway(const struct tables *t, uuid router);
/* True if the route leads outside. */
bool reach_leads_out(const struct reach_walk *w, const struct router *router, const struct route *r);
/* True if the outside can reach the IPv6 subnet, and vice versa. */
bool reach_is_open_outwards(const struct reach_walk *w, const struct router *router, const struct subnet *s);
/* The route by which the subnet's table reaches the address through an egress-only gateway, which blocks
 * connections from there. NULL: none. */
const struct route *reach_find_egress_only(const struct reach_walk *w, const struct router *router,
					   const struct subnet *subnet, struct ip ip);

/* ---- way.c ---- */

/* Sends from an interface; continues from a router. */
enum reach_end reach_send(struct reach_walk *w, const struct port *port);
enum reach_end reach_go(struct reach_walk *w, struct reach_spot spot);
/* True if the router's table leads from the interface's subnet to the address without leaving to the
 * outside. */
bool reach_leads_privately(struct reach_walk *w, const struct port *from, struct ip to);

/* ---- vpn.c ---- */

/* The way by a VPN gateway that wins over what the table's rows say about the address. NULL: none. */
const struct vpn_way *reach_find_vpn_way(struct reach_walk *w, uuid table, const struct reach_way *way,
					 struct ip to);
/* Sends by a VPN connection, or drops. */
enum reach_end reach_go_by_vpn(struct reach_walk *w, uuid table, const struct vpn_way *vpn);

/* ---- outside.c ---- */

/* Leaves a router by its gateway; enters from outside to the owner of the address. */
enum reach_end reach_leave_router(struct reach_walk *w, const struct router *router, const struct route *r);
enum reach_end reach_go_outside(struct reach_walk *w);
/* The newest change that a reply has not reversed, or NULL. */
struct reach_change *reach_find_change(struct reach_walk *w);
/* Applies the switch's own load balancing, for a public address with forwardings or balancers on the router,
 * or a balancer's private address. false: the packet is for none of these. */
bool reach_balance(struct reach_walk *w, const struct router *router, bool *ret_stops);
