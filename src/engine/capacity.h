/* SPDX-License-Identifier: Apache-2.0
 * What the region can run out of: addresses, IPv6 blocks, keys of OVN. Each is a row of capacity.c's table,
 * which says how to count what is in use and what there is, so that `dari doctor`, `dari explain` and the
 * metrics tell of it before it is used up. Reading only; any thread with a view, or within an operation. */
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
	const char *words;  /* for people: "addresses of the gateways' link" */
	const char *advice; /* what the operator can do */
	enum kind of;       /* each resource of the kind has its own; KIND_NONE: the region has one */
	/* Both in time that does not grow with what is in use. of: the resource, NULL for KIND_NONE. */
	int64_t (*count_used)(const struct tables *t, const struct row *of);
	int64_t (*count_all)(const struct tables *t,
			     const struct row *of); /* NULL: as many as the limit says */
	enum limit_id limit;
};
extern const struct capacity_info engine_capacities[CAPACITY_COUNT];

struct capacity_use {
	int64_t used, all; /* all 0: there is nothing to run out of */
	uuid of;           /* whose; none: the region's */
};
/* of: as count_used. */
void engine_read_capacity(const struct tables *t, enum capacity c, const struct row *of,
			  struct capacity_use *ret_use);
/* At the percentage to warn from, or above. */
bool engine_is_running_out(const struct capacity_use *use);
/* "3 of 253 addresses of the gateways' link are in use (1 %)" */
struct str engine_write_capacity(struct arena *a, enum capacity c, const struct capacity_use *use);

/* Finds the fullest of those that each resource of a kind has, by parts: a region may have many networks. */
struct capacity_sweep {
	uuid after;                         /* the resource that was looked at last; none: the sweep begins */
	struct capacity_use so_far, before; /* the fullest of this sweep, and of the one before */
};
/* Looks at so many more resources at most. True: the sweep has ended, and the next call begins one. */
bool engine_sweep_capacity(const struct tables *t, enum capacity c, size_t most,
			   struct capacity_sweep *sweep);
/* The fullest that is known. */
const struct capacity_use *engine_get_fullest(const struct capacity_sweep *sweep);
