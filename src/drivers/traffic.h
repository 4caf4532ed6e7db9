/* SPDX-License-Identifier: Apache-2.0
 * Counts bytes between public addresses and the outside at the network device of the region's gateway, in the
 * kernel's netfilter (nft(8), family netdev). Traffic through Open vSwitch's bridges passes no other
 * netfilter hook. Counts IPv4 only. */
#pragma once

#include "base/ctx.h"
#include "base/ip.h"

enum { TRAFFIC_ADDRESSES_MAX = 65000 };

struct traffic_uplink {
	struct str device; /* device name; empty: no counting */
	struct str netns;  /* its named network namespace; empty: dari's */
};

/* An address, with its bytes of IP packets since its counters began. */
struct traffic_count {
	struct ip ip;
	bool is_gone; /* released: its counters end with this reading */
	int64_t in, out;
};

/* Reads the counters, which exist as long as the machine runs, or the device. Adds counters starting at 0 for
 * new addresses, and removes those of addresses not in the list. A released address that somebody else has
 * meanwhile is listed twice, the released one first: the new one starts at 0. at: sorted by ip. *ret_is_new:
 * all counters start only now. ERR_NOT_FOUND: nft is not installed, or no such namespace; ERR_IO: nft's
 * message. Blocks for up to two runs of a program. */
RESULT traffic_read(struct ctx *c, const struct traffic_uplink *uplink, struct traffic_count *at,
		    size_t count, bool *ret_is_new);
