/* SPDX-License-Identifier: Apache-2.0
 * DNS packets, by ldns: what we need of a query, and our answers. Pure functions of their arguments;
 * any bytes may be given. RFC 1035, 6891 (EDNS). */
#pragma once

#include "base/ip.h"
#include "base/str.h"

enum {
	DNS_HEADER_SIZE = 12,
	DNS_NAME_MAX = 255,       /* octets on the wire */
	DNS_UDP_PLAIN_SIZE = 512, /* what a client without EDNS takes */
	DNS_UDP_SIZE = 1232,      /* what we send at most by UDP: no fragments on any link */
	DNS_PACKET_MAX = 65535,
};

enum dns_rcode {
	DNS_NOERROR = 0,
	DNS_FORMERR = 1,
	DNS_SERVFAIL = 2,
	DNS_NXDOMAIN = 3,
	DNS_NOTIMP = 4,
	DNS_REFUSED = 5,
	DNS_BADVERS = 16,
};

enum dns_type {
	DNS_A = 1,
	DNS_SOA = 6,
	DNS_PTR = 12,
	DNS_AAAA = 28,
	DNS_IXFR = 251,
	DNS_AXFR = 252,
	DNS_ANY = 255,
};

enum { DNS_CLASS_IN = 1 };

struct dns_query {
	uint16_t id;
	uint8_t opcode;
	bool recursion_desired, checking_disabled;
	bool has_question; /* the rest up to the blank line is set */
	uint16_t type, class;
	uint8_t wire_name[DNS_NAME_MAX]; /* as asked, uncompressed */
	size_t wire_name_size;
	char name[DNS_NAME_MAX + 1]; /* "host.example.com": lower case, no dot at the end, "" for the
				      * root; what no host name has is '?' */

	bool has_edns, wants_dnssec;
	uint8_t edns_version;
	uint16_t udp_size; /* what the client takes by UDP: 512 to DNS_UDP_SIZE */
};

enum dns_reading {
	DNS_READ_QUERY,
	DNS_READ_BAD,   /* a query of which only the header is good: FORMERR */
	DNS_READ_NOISE, /* nothing to be answered: too short, or an answer */
};
enum dns_reading dns_read_query(const uint8_t *bytes, size_t size, struct dns_query *ret_query);

/* True if an upstream's packet answers the question: compares id, direction, name, type and class. */
bool dns_is_answer(const uint8_t *bytes, size_t size, uint16_t id, const struct dns_query *query);

/* An answer of ours. Strings end with NUL (as those of an arena do). */
struct dns_answer {
	enum dns_rcode rcode;
	bool is_authoritative, is_truncated;
	struct ip a;    /* an A record of the name; none: none */
	struct ip aaaa; /* AAAA record of the name; none: none */
	struct str ptr; /* a PTR record of the name */
	struct str
		zone; /* zone of the SOA record: in the answer section if the query asks for it, else in the authority section */
	bool has_soa_answer;
};
/* Writes the answer's packet into out. False: out is too small, or memory is out. */
bool dns_write_answer(const struct dns_query *query, const struct dns_answer *answer, uint8_t *out,
		      size_t capacity, size_t *ret_size);
