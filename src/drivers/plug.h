/* SPDX-License-Identifier: Apache-2.0
 * Dari's presence inside a VPC: a network namespace on Dari's machine, plugged into br-int as the router's
 * metadata port, with the addresses 169.254.169.254, 169.254.169.253, 168.63.129.16 and, if the machine has
 * IPv6, fd00:ec2::254. A network with guests behind no router has a namespace of its own, plugged into its
 * switch, with 169.254.169.254 alone. Only a file descriptor holds the namespace, so it disappears with the
 * process. Entries that an earlier process left in the local Open vSwitch database are reused or removed at
 * the next start.
 * Calls block; one thread at a time. */
#pragma once

#include "base/ctx.h"
#include "base/ip.h"
#include "base/uuid.h"

struct plugs; /* the local Open vSwitch, and the current plugs */

struct plug_wish {
	uuid router;  /* or a network, if is_on_link */
	int64_t mark; /* a small number unique to this router, used in link names; unused if is_on_link */
	uuid port;    /* OVN's name of the metadata port */
	struct mac mac;
	bool is_on_link; /* guests are reached without a router, whatever their addresses are */
};

/* Opens the local Open vSwitch; ovsdb is "unix:/run/openvswitch/db.sock". Removes this region's plugs left by
 * an earlier process. */
RESULT plugs_open(struct ctx *c, struct str ovsdb, uuid region, struct plugs **ret_plugs);
void plugs_close(struct plugs *p); /* removes all plugs */
/* Creates a router's plug; may be repeated. ret_netns_fd: its namespace, owned by plugs. */
RESULT plugs_ensure(struct plugs *p, struct ctx *c, const struct plug_wish *wish, int *ret_netns_fd);
/* Further interfaces of a VPC's namespace, each the port of a VPC endpoint: makes and removes links until these are
 * there. The VPC has its plug. */
enum { PLUG_LINKS_MAX = 128 };
struct plug_link {
	uuid port;
	struct mac mac;
	struct ip ip, gateway;
	struct cidr subnet;
};
RESULT plugs_set_links(struct plugs *p, struct ctx *c, uuid router, const struct plug_link *links,
		       size_t count);
/* Makes the VPC's namespace answer at a further address, to which routes lead; may be repeated. */
RESULT plugs_add_address(struct plugs *p, struct ctx *c, uuid router, struct ip ip);
RESULT plugs_remove(struct plugs *p, struct ctx *c, uuid router);
/* True if this machine's kernel supports IPv6; otherwise plugs have none. */
bool plug_has_ipv6(void);
/* Creates a listening TCP socket, or a bound UDP one, inside the namespace: non-blocking, close-on-exec,
 * closed by the caller. ip none: all addresses. The socket keeps the namespace alive until it is closed. */
RESULT plug_listen_tcp(struct ctx *c, int netns_fd, struct ip ip, uint16_t port, int *ret_fd);
RESULT plug_bind_udp(struct ctx *c, int netns_fd, struct ip ip, uint16_t port, int *ret_fd);
