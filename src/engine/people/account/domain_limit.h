/* SPDX-License-Identifier: Apache-2.0
 * Limits of a domain for all its accounts and those of the domains below it together, in addition to those of each account. Most domains have
 * none. */
#pragma once

#include "engine/people/account/account.h"

struct domain_limit;

/* Each limit is a number, below zero for none, or ACCOUNT_LIMIT_KEEP. */
struct domain_limits {
	struct ref domain;
	int64_t instances, vcpus, memory, volumes, volume_bytes, snapshots, images, addresses, routers,
		networks;
	/* outputs: */
	uuid limit; /* the row */
};
static inline struct domain_limits domain_limits_all(struct ref domain, int64_t value)
{
	return (struct domain_limits){domain, value, value, value, value, value,
				      value,  value, value, value, value, UUID_NONE};
}
/* Administrators of the region set limits. ERR_DENIED: others, and the default domain, whose accounts have limits
 * of their own only, as in CloudStack. A limit below the present use stops further creation. */
OPERATION(engine_set_domain_limits, domain_limits)

/* The limits of a domain's row; all below zero without a row. */
void engine_read_domain_limits(const struct domain_limit *row, struct domain_limits *ret_limits);
