/* SPDX-License-Identifier: Apache-2.0
 * IP addresses, CIDR blocks and MAC addresses as values. An IPv4 address occupies the first four bytes; the
 * rest is zero. Family 0 is "none". Pure; any thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/result.h"
#include "base/str.h"

enum ip_family { IP_NONE = 0, IP_V4 = 4, IP_V6 = 6 };

struct ip {
	uint8_t b[16];
	uint8_t family;
};

struct cidr {
	struct ip base; /* as written, possibly with host bits set: cidr_is_canonical() */
	uint8_t bits;
};

struct mac {
	uint8_t b[6];
};

struct ips {
	const struct ip *at;
	size_t count;
};

enum { IP_TEXT_SIZE = 46, CIDR_TEXT_SIZE = 50, MAC_TEXT_SIZE = 18 };

/* Parses IPv4 as a dotted quad without leading zeros, IPv6 as in RFC 4291; writes as in RFC 5952.
 * ERR_INVALID. */
RESULT ip_parse(struct str s, struct ip *ret_ip);
char *ip_write(struct ip ip, char out[static IP_TEXT_SIZE]); /* "" for none */
struct str ip_to_str(struct arena *a, struct ip ip);
bool ip_is_none(struct ip ip);
bool ip_equal(struct ip a, struct ip b);
int ip_compare(struct ip a, struct ip b);           /* orders by family, then by number */
struct ip ip_add(struct ip ip, uint64_t n);         /* wraps around within the family */
uint64_t ip_distance(struct ip from, struct ip to); /* to minus from, low 64 bits; same family */
uint32_t ip_to_v4(struct ip ip);                    /* host byte order; IPv4 only */
struct ip ip_from_v4(uint32_t host_order);

RESULT cidr_parse(struct str s, struct cidr *ret_cidr); /* "/bits" is required */
char *cidr_write(struct cidr c, char out[static CIDR_TEXT_SIZE]);
struct str cidr_to_str(struct arena *a, struct cidr c);
bool cidr_is_none(struct cidr c);
bool cidr_equal(struct cidr a, struct cidr b);
int cidr_compare(struct cidr a, struct cidr b); /* orders by base, then by bits */
bool cidr_is_canonical(struct cidr c);          /* no host bits set */
struct cidr cidr_canonical(struct cidr c);
bool cidr_contains(struct cidr c, struct ip ip);
bool cidr_contains_cidr(struct cidr outer, struct cidr inner);
bool cidr_overlaps(struct cidr a, struct cidr b);
struct ip cidr_last(struct cidr c);
uint64_t cidr_count(struct cidr c); /* number of addresses; UINT64_MAX if more */

RESULT mac_parse(struct str s, struct mac *ret_mac); /* six colon-separated pairs of digits */
/* Parses every form supported by Python's netaddr: "fa-16-3e-0-0-1", "fa16.3e00.0001", "fa163e-000001",
 * "fa163e000001". */
RESULT mac_parse_any(struct str s, struct mac *ret_mac);
char *mac_write(struct mac m, char out[static MAC_TEXT_SIZE]);
bool mac_is_none(struct mac m);
