/* SPDX-License-Identifier: Apache-2.0
 * Parsed rules of port policies: blocks, keywords for several blocks, ports; and the calculation of denied
 * traffic. Source: Azure, "Network security groups" (security rules, default security rules, service
 * tags). */
#pragma once

#include "base/arena.h"
#include "base/ip.h"
#include "base/str.h"

/* Keywords for several blocks. */
enum port_word { PORT_BLOCK, PORT_ANY, PORT_NETWORK, PORT_INTERNET, PORT_BALANCER, PORT_WORDS };
/* Parses a rule's source or destination: "10.0.0.0/8", "10.0.0.4", "*", "VirtualNetwork". IPv4 only. False:
 * invalid. */
bool port_read_place(struct str text, enum port_word *ret_word, struct cidr *ret_block);
/* Parses "80", "80-90", "*". False: invalid. */
bool port_read_ports(struct str text, uint32_t *ret_first, uint32_t *ret_last);

/* The default rules at the end of every policy, in order. */
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

/* A range of addresses or ports. */
struct port_span {
	uint32_t first, last;
};
/* Sorted, disjoint and not adjacent. */
struct port_spans {
	const struct port_span *at;
	size_t count;
};
extern const struct port_spans port_all_addresses, port_all_ports;
/* Sorts and joins spans in place. */
struct port_spans port_spans_settle(struct port_span *spans, size_t count);
struct port_span port_span_of_block(struct cidr block);
/* Calculates from minus what. False: out of memory. */
bool port_spans_subtract(struct arena *a, struct port_spans from, struct port_spans what,
			 struct port_spans *ret_rest);

/* All traffic within one of the spans on each side. Port sides apply to TCP and UDP only. */
enum port_side { PORT_FROM, PORT_TO, PORT_FROM_PORTS, PORT_TO_PORTS, PORT_SIDES };
struct port_cell {
	struct port_spans sides[PORT_SIDES];
};
struct port_cells {
	const struct port_cell *at;
	size_t count;
};
/* A rule of one direction, with keywords resolved. */
struct port_rule {
	struct port_cell about;
	int64_t protocol;       /* -1: all */
	bool allows, has_ports; /* has_ports: restricted to ports, so with all protocols it matches TCP and
				 * UDP only */
};

/* Protocols that rules can distinguish, and all others. */
enum port_protocol { PORT_TCP, PORT_UDP, PORT_ICMP, PORT_ESP, PORT_AH, PORT_OTHERS, PORT_PROTOCOLS };
extern const int port_protocol_numbers[PORT_PROTOCOLS]; /* -1: all others */

enum { PORT_CELLS_MAX = 1024 };
/* Calculates the traffic of one protocol denied by rules in order: the first matching rule decides, and
 * traffic without a match is denied. False: out of memory, or more than PORT_CELLS_MAX cells. */
bool port_find_denied(struct arena *a, const struct port_rule *rules, size_t count,
		      enum port_protocol protocol, struct port_cells *ret_cells);

/* An IPv4 connection: protocol, and both addresses (as numbers) and ports. Ports apply to TCP and UDP
 * only. */
struct port_traffic {
	int64_t protocol;
	uint32_t sides[PORT_SIDES];
};
/* True if the rule matches; it decides unless an earlier one matches. */
bool port_rule_fits(const struct port_rule *rule, const struct port_traffic *traffic);
