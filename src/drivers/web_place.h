/* SPDX-License-Identifier: Apache-2.0
 * What an address is by its digits alone: for who decides where accounts may send us (web_reach.h). Pure; any
 * thread. */
#pragma once

#include "base/ip.h"

/* Of a machine itself, of its links, of groups, or translated where the other side cannot be told. None: so,
 * too. */
bool web_place_is_special(struct ip ip);
/* Where a translator or a tunnel sends what goes to ip: the IPv4 address inside; ip itself for all others. */
struct ip web_place_inner(struct ip ip);
/* own is an interface's address and how long its network's prefix is. Whether ip is that address, or one that
 * reaches the machine as well as its neighbours: the network's broadcast, or its first (IPv6's anycast of
 * routers). */
bool web_place_is_of(struct ip ip, struct cidr own);
