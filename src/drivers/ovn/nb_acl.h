/* SPDX-License-Identifier: Apache-2.0
 * Private to drivers/ovn/: what the two ways of writing network ACLs share. */
#pragma once

#include "drivers/ovn/nb.h"
#include "model/network_acl_entry.h"

/* The platform's own addresses (metadata, names), which always pass. */
#define NB_PLATFORM "169.254.169.253, 169.254.169.254, 168.63.129.16"

/* The entries of one direction: IPv4's, IPv6's or both. The last of a family may allow all that is left of it. */
struct nb_way {
	const struct network_guard *guard;
	bool egress, denies;
	size_t ends[2];      /* of each family: the entry behind which nothing is decided */
	bool allows_rest[2]; /* of the family */
};
struct nb_way nb_find_way(const struct network_guard *guard, bool egress, bool with_ipv4, bool with_ipv6);
/* Goes through those that decide anything of less than all; from *at = 0 on. NULL: there are no more. */
const struct network_acl_entry *nb_next_entry(const struct nb_way *way, size_t *at);

/* Of a list that tracks connections: its IPv4. */
bool nb_tracks(const struct network_guard *guard);
void nb_plan_tracked(struct wish *w, const struct network_router *wish, const struct network_guard *guard);
