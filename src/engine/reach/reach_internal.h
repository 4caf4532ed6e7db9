/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/reach/: a packet on its way. */
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
	/* Ports that clients send from: what Linux takes (ip_local_port_range). */
	REACH_CLIENT_FIRST = 32768,
	REACH_CLIENT_LAST = 60999,
	/* Types of ICMP. Source: RFC 792, RFC 4443. */
	REACH_ECHO4 = 8,
	REACH_ECHO4_REPLY = 0,
	REACH_ECHO6 = 128,
	REACH_ECHO6_REPLY = 129
};

struct reach_ports {
	int64_t first, last; /* -1: the protocol has none */
};

struct reach_packet {
	struct ip from, to;
	int64_t protocol;
	struct reach_ports from_ports, to_ports;
	int64_t type, code; /* of ICMP */
	bool is_reply;
};

/* What was made of an address on the way, which answers undo in the opposite order. */
enum reach_change_kind {
	REACH_HIDDEN,        /* a gateway sent it on under a public address */
	REACH_HIDDEN_BY_NAT, /* a NAT gateway under its own */
	REACH_UNCOVERED,     /* it came in by a public address of the router's */
	REACH_BALANCED       /* a switch found who stands for the address */
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
	bool has_failed; /* there is no memory */
	/* Where it came to an interface: */
	const struct port *hit;
	const struct subnet *hit_subnet;
	const struct router *by; /* NULL: within the subnet */
};

/* Where a router has it: from one of its subnets, or (NULL) by a gateway or a peering. */
struct reach_spot {
	const struct router *router;
	const struct subnet *in;
	uuid table; /* none: the router's own subnets alone */
};

/* ---- reach.c: steps ---- */

/* Adds a step. */
void reach_say(struct reach_walk *w, struct reach_step step, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* What would let the last step's packet through. */
void reach_advise(struct reach_walk *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Adds a step that stops it. advice NULL: there is none. */
enum reach_end reach_stop(struct reach_walk *w, struct reach_step step, const char *text, const char *advice);
/* A sentence about two texts, for that. */
const char *reach_print(struct reach_walk *w, const char *format, struct str a, struct str b);
/* "tcp to port 443" */
struct str reach_write_traffic(const struct reach_walk *w);
/* "10.0.0.4"; and the packet's destination. */
struct str reach_write_ip(const struct reach_walk *w, struct ip ip);
struct str reach_write_to(const struct reach_walk *w);
/* "sg-…", or a UUID. */
struct str reach_name(const struct reach_walk *w, enum kind kind, uuid id);
/* The platform's own addresses: metadata and names. */
bool reach_is_platform(struct ip ip);
/* TCP and UDP. */
bool reach_has_ports(int64_t protocol);
/* Whether it is a ping, or answers one. */
bool reach_is_icmp(const struct reach_packet *p);
/* What rules of groups, ACLs and firewalls say of protocols: -1 is all; ports, or ICMP's type and code, where from is -1 all. */
bool reach_traffic_fits(const struct reach_packet *p, int64_t port, int64_t protocol, int64_t from,
			int64_t to);
/* Among the interface's addresses and prefixes. */
bool reach_has_ip(const struct tables *t, const struct port *port, struct ip ip);
/* false: there are too many. */
bool reach_add_change(struct reach_walk *w, struct reach_change change);

/* ---- ends.c ---- */

/* Sets the packet. Errors as of engine_find_reach(). */
RESULT reach_begin(struct reach_walk *w);

/* ---- interface.c: what stands before an interface; false: it stops there ---- */

/* Whether it is there: the way goes on in any case. */
void reach_tell_state(struct reach_walk *w, const struct port *port);
/* Out of it, */
bool reach_leave_port(struct reach_walk *w, const struct port *port);
/* and behind the switch's load balancers. router: whose it is handed to; NULL: it stays within the subnet. */
bool reach_leave_network(struct reach_walk *w, const struct port *port, const struct subnet *subnet,
			 const struct router *router);
/* Into w->hit. */
bool reach_enter_port(struct reach_walk *w);

/* ---- acl.c: likewise ---- */

/* At the edge of the subnet on its own router. */
bool reach_pass_acl(struct reach_walk *w, const struct router *router, const struct subnet *subnet,
		    bool egress);
/* What a list that tracks connections says at the interface. */
bool reach_pass_tracked(struct reach_walk *w, const struct router *router, const struct subnet *subnet,
			bool egress);

/* ---- look_up.c ---- */

struct reach_way {
	const struct subnet *subnet; /* connected */
	const struct route *route;   /* else; NULL both: nothing leads there */
	int rank;
};
/* table none: among the router's own subnets alone. */
struct reach_way reach_look_up(const struct reach_walk *w, const struct router *router, uuid table,
			       struct ip ip);
/* The router's subnet that the address is in; NULL: none. */
const struct subnet *reach_find_subnet_of(const struct reach_walk *w, const struct router *router,
					  struct ip ip);
/* The internet gateway that leads outside; NULL: none does. */
const struct gateway *reach_find_gateway(const struct tables *t, uuid router);
/* Whether the route leads outside. */
bool reach_leads_out(const struct reach_walk *w, const struct router *router, const struct route *r);
/* Whether the outside reaches the IPv6 subnet, and is reached from it. */
bool reach_is_open_outwards(const struct reach_walk *w, const struct router *router, const struct subnet *s);
/* The route by which the subnet's table leads to the address by an egress-only gateway: then nothing begins from there. NULL:
 * it does not. */
const struct route *reach_find_egress_only(const struct reach_walk *w, const struct router *router,
					   const struct subnet *subnet, struct ip ip);

/* ---- way.c ---- */

/* From an interface, and from a router on. */
enum reach_end reach_send(struct reach_walk *w, const struct port *port);
enum reach_end reach_go(struct reach_walk *w, struct reach_spot spot);
/* Whether the router's table leads from the interface's subnet to the address, by anything but to outside. */
bool reach_leads_privately(struct reach_walk *w, const struct port *from, struct ip to);

/* ---- outside.c ---- */

/* From a router by its gateway, and from outside to whatever has the address. */
enum reach_end reach_leave_router(struct reach_walk *w, const struct router *router, const struct route *r);
enum reach_end reach_go_outside(struct reach_walk *w);
/* The newest change that an answer has not undone; NULL: none is left. */
struct reach_change *reach_find_change(struct reach_walk *w);
/* A switch leads what is for a public address of its router's ports, or for a private one of a balancer's, on by itself. false:
 * it is for none. */
bool reach_balance(struct reach_walk *w, const struct router *router, bool *ret_stops);
