/* SPDX-License-Identifier: Apache-2.0
 * Whether a packet from one place reaches another, step by step: what stands before it on its way, and on the way of what
 * answers it, and the row that stops it. Pure: it reads rows on any tables and asks no driver. It says what the reconciler
 * writes down for these rows (reconcile/gather.c and drivers/ovn/), by the same functions where one decides what a row means;
 * tests/real/58-reach.py holds its answers to packets. What a guest does with what reaches it, nobody can know here. */
#pragma once

#include "base/ctx.h"
#include "base/ip.h"
#include "model/id.h"

struct port;
struct tables;

enum reach_verdict { REACH_PASSES, REACH_STOPS, REACH_UNKNOWN /* a guest, or nobody here, decides */ };
extern const char *const reach_verdict_words[]; /* of a step: "passes", "stops", "unknown" */

/* What a step is about. */
enum reach_stage {
	REACH_STATE,       /* whether a machine is on, and its interface bound */
	REACH_SOURCE,      /* what an interface may send from */
	REACH_POLICY,      /* an ordered policy before an interface */
	REACH_GROUP,       /* security groups */
	REACH_FIREWALL,    /* of a guest network */
	REACH_ACL,         /* a network ACL, at the edge of a subnet */
	REACH_LINK,        /* within a subnet */
	REACH_ROUTE,       /* a router's look-up */
	REACH_TRANSLATION, /* a public address for a private one, or the other way round */
	REACH_NAT,         /* a NAT gateway */
	REACH_PEERING,
	REACH_BALANCER, /* a load balancer, or a port forwarding */
	REACH_GUEST,    /* a machine that passes packets on */
	REACH_OUTSIDE,  /* what lies outside of the region */
	REACH_PLATFORM, /* metadata and names */
	REACH_STAGES
};
extern const char *const reach_stage_words[REACH_STAGES];

/* The rule of a security group that would let it through. */
struct reach_remedy {
	uuid group; /* none: there is no such rule */
	bool is_egress;
	int64_t protocol, from_port, to_port; /* as in the rule's row */
	struct cidr peer_block;
};

struct reach_step {
	enum reach_stage stage;
	enum reach_verdict verdict;
	bool is_reply;  /* it is about what answers */
	enum kind kind; /* of the row that decides; KIND_NONE: no row does */
	uuid row;
	enum kind
		part_of; /* what the row is a part of: a rule's group, a route's table; KIND_NONE: of nothing */
	uuid whole;
	struct str text, advice; /* a sentence each; no advice: empty */
	struct reach_remedy remedy;
};

/* From one end to the other. Each end is an interface or an address that is not one's here to choose: outside, or, where it
 * goes, whatever has it. */
struct reach_question {
	const struct port *from, *to; /* NULL: the address below alone says it */
	struct ip from_ip, to_ip;     /* of an interface which of its addresses; none: the one that fits */
	enum ip_family family;        /* IP_NONE: what both have, IPv4 before IPv6 */
	int64_t protocol;             /* IP's number; ICMP of either family is that of the addresses */
	int64_t port;                 /* of TCP and UDP */
};

struct reach_answer {
	enum reach_verdict verdict; /* of the first step that does not let it pass; else REACH_PASSES */
	struct ip from_ip, to_ip;   /* what was asked in the end; to_ip none: it has none that leads there */
	int64_t protocol;
	const struct port *found; /* the interface that it reached, or came up to; NULL: none */
	const struct reach_step *steps;
	size_t count;
	size_t first_bad; /* the step that decides; count: none does */
};

/* The answer's memory is in the context's arena, its rows are the tables'. ERR_INVALID with the field "to": neither end is an
 * interface and no address is said, they are of different families, or both are one. */
RESULT engine_find_reach(struct ctx *c, const struct tables *t, const struct reach_question *question,
			 struct reach_answer *ret_answer);
/* An address that stands for all of the internet: of a block for documentation, and nobody's in the region. */
struct ip engine_get_stranger(const struct tables *t, enum ip_family family);
/* "tcp", "udp", "icmp", or a number from 0 to 255. false: it is none. */
bool engine_read_protocol(struct str text, int64_t *ret_protocol);
