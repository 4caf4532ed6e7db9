/* SPDX-License-Identifier: Apache-2.0
 * Classifies addresses by their digits, to decide where accounts may make dari connect (web_reach.h). Pure;
 * any thread. */
#pragma once

#include "base/ip.h"

/* True for addresses of the machine itself, link-local, multicast, and those translated to an unknown
 * destination. True for none. */
bool web_place_is_special(struct ip ip);
/* The IPv4 address that a translator or tunnel would send ip's packets to; otherwise ip itself. */
struct ip web_place_inner(struct ip ip);
/* own: an interface's address with its network's prefix. True if ip is that address, or one that reaches the
 * machine along with its neighbours: the network's broadcast, or its first address (IPv6's subnet-router
 * anycast). */
bool web_place_is_of(struct ip ip, struct cidr own);
