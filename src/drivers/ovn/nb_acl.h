/* SPDX-License-Identifier: Apache-2.0
 * Private to drivers/ovn/: shared by both implementations of network ACLs. */
#pragma once

#include "drivers/ovn/nb.h"

struct network_acl_entry;

/* Addresses of platform services (metadata, DNS), which always pass. */
#define NB_PLATFORM "169.254.169.253, 169.254.169.254, 168.63.129.16"

/* Entries of one direction, for IPv4, IPv6 or both. The final entry per family may be a catch-all allow. */
struct nb_way {
	const struct network_guard *guard;
	bool egress, denies;
	size_t ends[2];      /* per family: index of the entry after which nothing is decided */
	bool allows_rest[2]; /* per family */
};
struct nb_way nb_find_way(const struct network_guard *guard, bool egress, bool with_ipv4, bool with_ipv6);
/* Iterates, from *at = 0, over entries that decide a part of the traffic. NULL: no more. */
const struct network_acl_entry *nb_next_entry(const struct nb_way *way, size_t *at);

/* True if the ACL is stateful; concerns its IPv4. */
bool nb_tracks(const struct network_guard *guard);
void nb_plan_tracked(struct wish *w, const struct network_router *wish, const struct network_guard *guard);
