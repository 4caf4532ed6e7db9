/* SPDX-License-Identifier: Apache-2.0
 * Reachability: walks the path of a packet from one place to another, and of the reply, and reports each step
 * up to the row that stops it. Pure: it reads rows from any tables and calls no driver. It follows the rules
 * that the reconciler writes for these rows (reconcile/gather.c and drivers/ovn/), and shares functions with
 * it where possible; tests/real/58-reach.py compares its answers with real packets. The behaviour of guests
 * is unknown. */
#pragma once

#include "base/ctx.h"
#include "base/ip.h"
#include "model/id.h"

struct port;
struct tables;

enum reach_verdict {
	REACH_PASSES,
	REACH_STOPS,
	REACH_UNKNOWN /* a guest, or something outside the region, decides */
};
extern const char *const reach_verdict_words[]; /* "passes", "stops", "unknown" */

/* The subject of a step. */
enum reach_stage {
	REACH_STATE,       /* an instance's power, and its interface's binding */
	REACH_SOURCE,      /* source addresses that an interface may use */
	REACH_POLICY,      /* an ordered policy at an interface */
	REACH_GROUP,       /* security groups */
	REACH_FIREWALL,    /* the firewall of a guest network */
	REACH_ACL,         /* a network ACL, at the border of a subnet */
	REACH_LINK,        /* within a subnet */
	REACH_ROUTE,       /* a router's look-up */
	REACH_TRANSLATION, /* translation between a public and a private address */
	REACH_NAT,         /* a NAT gateway */
	REACH_PEERING,
	REACH_TRANSIT,  /* a transit gateway */
	REACH_VPN,      /* a VPN connection */
	REACH_BALANCER, /* a load balancer, or a port forwarding */
	REACH_GUEST,    /* a guest that forwards packets */
	REACH_OUTSIDE,  /* outside the region */
	REACH_PLATFORM, /* metadata and DNS service */
	REACH_STAGES
};
extern const char *const reach_stage_words[REACH_STAGES];

/* A security group rule that would allow the packet. */
struct reach_remedy {
	uuid group; /* none: no such rule */
	bool is_egress;
	int64_t protocol, from_port, to_port; /* as in the rule's row */
	struct cidr peer_block;
};

struct reach_step {
	enum reach_stage stage;
	enum reach_verdict verdict;
	bool is_reply;  /* the step is about the reply */
	enum kind kind; /* kind of the deciding row; KIND_NONE: no row */
	uuid row;
	enum kind part_of; /* the row's parent: a rule's group, a route's table; KIND_NONE: no parent */
	uuid whole;
	struct str text, advice; /* one sentence each; advice may be empty */
	struct reach_remedy remedy;
};

/* A question from one end to another. Each end is an interface or an address: outside the region, or, as a
 * destination, whoever has it. */
struct reach_question {
	const struct port *from, *to; /* NULL: the address below is the end */
	struct ip from_ip, to_ip;     /* the interface's address to use; none: the one that fits */
	enum ip_family family;        /* IP_NONE: a family both ends have, preferably IPv4 */
	int64_t protocol;             /* IP protocol number; ICMP follows the addresses' family */
	int64_t port;                 /* for TCP and UDP */
};

struct reach_answer {
	enum reach_verdict verdict; /* verdict of the first step that does not pass; otherwise REACH_PASSES */
	struct ip from_ip, to_ip;   /* the addresses used; to_ip none: nothing leads to the interface */
	int64_t protocol;
	const struct port *found; /* the interface that the packet reached; NULL: none */
	const struct reach_step *steps;
	size_t count;
	size_t first_bad; /* index of the deciding step; count: none */
};

/* The answer's memory is in the context's arena; its rows belong to the tables. ERR_INVALID with the field
 * "to": neither end is an interface and there is no address, the ends have different families, or both are
 * the same. */
RESULT engine_find_reach(struct ctx *c, const struct tables *t, const struct reach_question *question,
			 struct reach_answer *ret_answer);
/* An address that represents the internet: from a documentation block, and unused in the region. */
struct ip engine_get_stranger(const struct tables *t, enum ip_family family);
/* Parses "tcp", "udp", "icmp", or a number from 0 to 255. false: invalid. */
bool engine_read_protocol(struct str text, int64_t *ret_protocol);
