/* SPDX-License-Identifier: Apache-2.0
 * A place of ours inside a VPC: a network namespace on Dari's own machine, plugged into br-int as
 * the router's metadata port, with the addresses 169.254.169.254, 169.254.169.253, 168.63.129.16
 * and, if the machine has IPv6, fd00:ec2::254. Only a file descriptor holds the namespace, so it goes when the process goes. What
 * an earlier process left in the local Open vSwitch database is taken over or removed at the next
 * start. Blocks; one thread at a time. */
#pragma once

#include "base/ctx.h"
#include "base/ip.h"
#include "base/uuid.h"

struct plugs; /* the local Open vSwitch, and what is plugged */

struct plug_wish {
	uuid router;
	int64_t mark; /* a small number that no other router has: it names the links */
	uuid port;    /* OVN's name of the port: the router's metadata port */
	struct mac mac;
};

/* Opens the local Open vSwitch; ovsdb is "unix:/run/openvswitch/db.sock". Removes plugs of this
 * region that an earlier process left. */
RESULT plugs_open(struct ctx *c, struct str ovsdb, uuid region, struct plugs **ret_plugs);
void plugs_close(struct plugs *p); /* removes all plugs */
/* Plugs a router's place in; may be repeated. ret_netns_fd is the namespace, which plugs owns. */
RESULT plugs_ensure(struct plugs *p, struct ctx *c, const struct plug_wish *wish, int *ret_netns_fd);
RESULT plugs_remove(struct plugs *p, struct ctx *c, uuid router);
/* Whether this machine's kernel has IPv6: if not, no plug has. */
bool plug_has_ipv6(void);
/* Makes a listening TCP socket, or a bound UDP one, inside the namespace: non-blocking, closed on
 * exec, the caller's to close. ip none: all its addresses. The socket keeps the namespace alive
 * until it is closed. */
RESULT plug_listen_tcp(struct ctx *c, int netns_fd, struct ip ip, uint16_t port, int *ret_fd);
RESULT plug_bind_udp(struct ctx *c, int netns_fd, struct ip ip, uint16_t port, int *ret_fd);
