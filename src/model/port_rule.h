/* SPDX-License-Identifier: Apache-2.0
 * What rules of port policies say, read: blocks and words for several, ports. And which cells of all that there is a
 * policy lets through. Source: Azure, "Network security groups" (security rules, default security rules, service tags). */
#pragma once

#include "base/arena.h"
#include "base/ip.h"
#include "base/str.h"

/* Words for several blocks. */
enum port_word { PORT_BLOCK, PORT_ANY, PORT_NETWORK, PORT_INTERNET, PORT_BALANCER, PORT_WORDS };
/* One of a rule's sources or destinations: "10.0.0.0/8", "10.0.0.4", "*", "VirtualNetwork". false: it is none. Of IPv4. */
bool port_read_place(struct str text, enum port_word *ret_word, struct cidr *ret_block);
/* "80", "80-90", "*". false: it is none. */
bool port_read_ports(struct str text, uint32_t *ret_first, uint32_t *ret_last);

/* The rules that every policy ends with, in their order. */
struct port_default {
	const char *name, *description;
	bool egress, allows;
	int64_t priority;
	enum port_word source, destination;
};
enum { PORT_DEFAULTS = 6 };
extern const struct port_default port_defaults[PORT_DEFAULTS];
const char *port_word_text(enum port_word word); /* "*", "VirtualNetwork" */

/* ---- cells ---- */

/* Of addresses or ports. */
struct port_span {
	uint32_t first, last;
};
/* In their order, apart from each other, and not next to each other. */
struct port_spans {
	const struct port_span *at;
	size_t count;
};
extern const struct port_spans port_all_addresses, port_all_ports;
/* Puts spans in order and joins them: in place. */
struct port_spans port_spans_settle(struct port_span *spans, size_t count);
struct port_span port_span_of_block(struct cidr block);
/* What is in the one and not in the other. false: there is no memory. */
bool port_spans_subtract(struct arena *a, struct port_spans from, struct port_spans what,
			 struct port_spans *ret_rest);

/* All that is in one of the spans of each side. Sides of ports count for TCP and UDP alone. */
enum port_side { PORT_FROM, PORT_TO, PORT_FROM_PORTS, PORT_TO_PORTS, PORT_SIDES };
struct port_cell {
	struct port_spans sides[PORT_SIDES];
};
struct port_cells {
	const struct port_cell *at;
	size_t count;
};
/* One rule of a direction, with its words read. */
struct port_rule {
	struct port_cell about;
	int64_t protocol;       /* -1: all */
	bool allows, has_ports; /* it names ports: of all protocols it is about TCP and UDP alone */
};

/* Protocols that rules tell apart, and all others. */
enum port_protocol { PORT_TCP, PORT_UDP, PORT_ICMP, PORT_ESP, PORT_AH, PORT_OTHERS, PORT_PROTOCOLS };
extern const int port_protocol_numbers[PORT_PROTOCOLS]; /* -1: of the others */

enum { PORT_CELLS_MAX = 1024 };
/* What is not let through of one protocol by rules in their order, of which the first that fits decides; what none fits is
 * not. false: there is no memory, or they are more than PORT_CELLS_MAX. */
bool port_find_denied(struct arena *a, const struct port_rule *rules, size_t count,
		      enum port_protocol protocol, struct port_cells *ret_cells);

/* One connection of IPv4: which protocol, between which addresses, as numbers, and ports. Ports count for TCP and UDP alone. */
struct port_traffic {
	int64_t protocol;
	uint32_t sides[PORT_SIDES];
};
/* Whether the rule decides it, if none before it does. */
bool port_rule_fits(const struct port_rule *rule, const struct port_traffic *traffic);
