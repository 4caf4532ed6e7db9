/* SPDX-License-Identifier: Apache-2.0
 * Reads the IPFIX messages (RFC 7011) in which Open vSwitch reports flows: what passed the interfaces of a bridge, and, with an
 * observation domain of OVN's, what a policy dropped. Pure but for the templates that it remembers; not thread-safe. */
#pragma once

#include "base/ip.h"
#include "base/result.h"
#include "base/str.h"

enum { IPFIX_NAME_SIZE = 16 };

/* An exported record: packets of a flow at a place in the switch. */
struct ipfix_record {
	uint32_t domain, point; /* where it was seen */
	bool is_output;         /* leaving by `out`; else arriving by `in` */
	char in[IPFIX_NAME_SIZE], out[IPFIX_NAME_SIZE];
	struct ip source, destination;
	uint16_t source_port, destination_port;
	uint8_t protocol;
	int64_t packets, bytes;
	int64_t start_us, end_us;
};

struct ipfix_templates;
struct ipfix_templates *ipfix_templates_new(void); /* NULL: out of memory */
void ipfix_templates_free(struct ipfix_templates *t);

/* Calls each for every record of a message; records of templates that have not been seen yet are skipped: an exporter repeats its
 * templates. ret_lost: records that the exporter sent before and that did not arrive, by the sequence number. False: it is no
 * message. source: the exporter's address and port. */
typedef void ipfix_each(void *arg, const struct ipfix_record *record);
bool ipfix_read(struct ipfix_templates *t, struct ip source, uint16_t port, struct str message,
		ipfix_each *each, void *arg, int64_t *ret_lost);
