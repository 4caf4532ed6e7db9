/* SPDX-License-Identifier: Apache-2.0
 * Classifies addresses by their digits, to decide where accounts may make dari connect (egress_policy.h). Pure;
 * any thread. */
#pragma once

#include "base/ip.h"

/* True for addresses of the machine itself, link-local, multicast, and those translated to an unknown
 * destination. True for none. */
bool special_range_has(struct ip ip);
/* The IPv4 address that a translator or tunnel would send ip's packets to; otherwise ip itself. */
struct ip special_range_inner(struct ip ip);
/* own: an interface's address with its network's prefix. True if ip is that address, or one that reaches the
 * machine along with its neighbours: the network's broadcast, or its first address (IPv6's subnet-router
 * anycast). */
bool special_range_is_of(struct ip ip, struct cidr own);
