/* SPDX-License-Identifier: Apache-2.0
 * Bytes between public addresses and what is outside, counted where they pass: at the network device by which the gateway
 * of the region reaches out, in the kernel's netfilter (nft(8), family netdev). What goes through Open vSwitch's bridges
 * passes no other of netfilter's hooks. Only IPv4 is counted. */
#pragma once

#include "base/ctx.h"
#include "base/ip.h"

enum { TRAFFIC_ADDRESSES_MAX = 65000 };

struct traffic_uplink {
	struct str device; /* its name; empty: nothing is counted */
	struct str netns;  /* the named network namespace that it is in; empty: ours */
};

/* An address, and the bytes of IP packets since its counters began. */
struct traffic_count {
	struct ip ip;
	bool is_gone; /* nobody has it any more: its counters end with this reading */
	int64_t in, out;
};

/* Reads the counters, which live as long as the machine runs, or the device. An address that had none has them from now on,
 * from 0 on; counters of addresses that are not asked for end. One that is gone and that somebody else has by now comes
 * twice, the gone one first: the other begins at 0. at: sorted by ip. *ret_is_new: all counters begin only now.
 * ERR_NOT_FOUND: nft is not installed, or there is no such namespace; ERR_IO: its words. Blocks for as long as a program
 * runs, twice. */
RESULT traffic_read(struct ctx *c, const struct traffic_uplink *uplink, struct traffic_count *at,
		    size_t count, bool *ret_is_new);
