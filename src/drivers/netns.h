/* SPDX-License-Identifier: Apache-2.0
 * Network namespaces of this machine: made without a name, entered, and given interfaces by ip(8).
 *
 * Entering a namespace changes the calling thread. It is only done by threads that end afterwards, never by a caller's.
 * Calls block. */
#pragma once

#include "base/ctx.h"
#include "base/ip.h"

/* Work for a thread that may change its namespace because it ends afterwards. The caller's own data can follow in a
 * struct that begins with this one. */
struct netns_visit {
	void (*work)(struct netns_visit *v); /* sets result to what it created, or to -1 and error to errno */
	int netns_fd;                        /* -1: stays in the current namespace unless work changes it */
	int result, error;
};
/* what: completes "cannot …". ERR_AGAIN: no thread. ERR_IO: the work failed. */
RESULT netns_enter(struct ctx *c, struct netns_visit *v, const char *what);

/* Makes a namespace, which exists as long as the descriptor, or as a process in it. */
RESULT netns_make(struct ctx *c, int *ret_fd);
/* Runs ip(8) with a batch of commands. netns_fd 0: in the current namespace. ERR_IO: a command failed. */
RESULT netns_run_ip(struct ctx *c, struct str commands, int netns_fd);
/* Runs commands about IPv6 likewise; ip(8) takes rules without a family for those of IPv4. */
RESULT netns_run_ip6(struct ctx *c, struct str commands, int netns_fd);
/* Deletes a link of the current namespace, with its other end. Absence is fine. */
void netns_delete_link(struct ctx *c, const char *link);
/* Makes a pair of links: `outer` here, `inner` in the namespace. Neither has offloads that a userspace datapath can't
 * do. */
RESULT netns_make_links(struct ctx *c, int netns_fd, const char *outer, const char *inner, int mtu);
/* An address of a link, with a routing table by which answers from the address leave by the link: a switch accepts a
 * link's own address alone. */
struct netns_address {
	const char *link;
	struct ip ip, gateway; /* gateway none: only the subnet is reached */
	struct cidr subnet;
	unsigned bits; /* prefix length of the address; 32: only that table has a route to the subnet */
	unsigned table, rule; /* the table, and the place of its rule */
};
/* The commands for netns_run_ip(), in c's arena. All but the rule's may be repeated. */
struct str netns_write_address(struct ctx *c, const struct netns_address *address);
/* Disables checksum offload of a link; netns_fd -1: in the current namespace. */
RESULT netns_stop_offload(struct ctx *c, int netns_fd, const char *link);
