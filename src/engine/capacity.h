/* SPDX-License-Identifier: Apache-2.0
 * The region's exhaustible resources: addresses, IPv6 blocks, OVN keys. Each has an entry in capacity.c's
 * table, which counts usage and total, so that `dari doctor`, `dari explain` and the metrics can warn before
 * it is used up. Read only; any thread with a view, or within an operation. */
#pragma once

#include "engine/limits.h"

enum capacity {
	CAPACITY_GATEWAY_ADDRESSES,
	CAPACITY_PUBLIC_ADDRESSES,
	CAPACITY_IPV6_BLOCKS,
	CAPACITY_NETWORK_PORTS,
	CAPACITY_ROUTER_PORTS,
	CAPACITY_NETWORK_KEYS,
	CAPACITY_MACS,
	CAPACITY_COUNT
};

enum { CAPACITY_WARN_PERCENT = 90 };

struct capacity_info {
	const char *name;   /* the metrics' label: "gateway_addresses" */
	const char *words;  /* description: "addresses of the gateways' link" */
	const char *advice; /* advice for the operator */
	enum kind of;       /* each resource of the kind has its own capacity; KIND_NONE: the region has
			     * one */
	/* Both run in time independent of the usage. of: the resource, NULL for KIND_NONE. */
	int64_t (*count_used)(const struct tables *t, const struct row *of);
	int64_t (*count_all)(const struct tables *t, const struct row *of); /* NULL: the limit is the total */
	enum limit_id limit;
};
extern const struct capacity_info engine_capacities[CAPACITY_COUNT];

struct capacity_use {
	int64_t used, all; /* all 0: unlimited or not set up */
	uuid of;           /* the resource; none: the region */
};
/* of: as for count_used. */
void engine_read_capacity(const struct tables *t, enum capacity c, const struct row *of,
			  struct capacity_use *ret_use);
/* True if the usage has reached CAPACITY_WARN_PERCENT. */
bool engine_is_running_out(const struct capacity_use *use);
/* "3 of 253 addresses of the gateways' link are in use (1 %)" */
struct str engine_write_capacity(struct arena *a, enum capacity c, const struct capacity_use *use);

/* Finds the fullest resource of a kind in several steps, because a region may have many networks. */
struct capacity_sweep {
	uuid after;                         /* the last resource examined; none: start */
	struct capacity_use so_far, before; /* the fullest of this sweep and of the previous one */
};
/* Examines up to `most` further resources. True: the sweep has ended, and the next call starts another. */
bool engine_sweep_capacity(const struct tables *t, enum capacity c, size_t most,
			   struct capacity_sweep *sweep);
/* The fullest resource known. */
const struct capacity_use *engine_get_fullest(const struct capacity_sweep *sweep);
