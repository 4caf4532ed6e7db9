/* SPDX-License-Identifier: Apache-2.0
 * Placement: on which host a new instance or volume goes. It reads tables and usage figures and
 * changes nothing. Usage figures follow each put at once, so the second instance of a launch sees
 * where the first one went. Only on the committer, because of the usage figures. */
#pragma once

#include "engine/operation.h"
#include "model/instance.h"
#include "model/instance_type.h"

struct host;
struct server_group;

enum placement_reason {
	PLACEMENT_FITS,
	PLACEMENT_DISABLED,
	PLACEMENT_DOWN,
	PLACEMENT_ARCH,
	PLACEMENT_VCPUS,
	PLACEMENT_MEMORY,
	PLACEMENT_DISK,
	PLACEMENT_GROUP,
	PLACEMENT_AGGREGATE,
	PLACEMENT_TENANCY,
	PLACEMENT_HINTS,
	PLACEMENT_SHARED,
	PLACEMENT_ASKED,
	PLACEMENT_ZONE,
	PLACEMENT_UNLIKE,
	PLACEMENT_POOL,
	PLACEMENT_PROCESSOR,
	PLACEMENT_LEFT,
	PLACEMENT_REASON_COUNT
};
enum { PLACEMENT_POOLS_MAX = 26 /* as many as an instance has disks */ };
enum { PLACEMENT_HOSTS_SHOWN = 20, PLACEMENT_LARGE = 256, PLACEMENT_SAMPLE = 32 };

struct placement_need {
	uuid zone;          /* none: any */
	uuid host;          /* that one alone, for a volume that others have there; none: any */
	bool host_is_asked; /* that one alone because somebody said so */
	enum instance_type_arch arch;
	int64_t vcpus, memory, disk;     /* disk and memory in bytes; disk: in the host's own directory */
	uuid pools[PLACEMENT_POOLS_MAX]; /* shared ones that the host is to see */
	size_t pool_count;
	const struct server_group *group; /* NULL: other instances do not matter */
	int64_t partition;                /* of that group; 0: none */
	const struct instance_type *type; /* its extra specs may ask for aggregates; NULL: nothing asks */
	struct str zone_name;             /* Nova's zone that was asked for; empty: any */
	uuid account;                     /* the account that owns it */
	enum instance_tenancy tenancy;    /* of an instance */
	uuid dedicated_host;              /* that one; none: any that accepts instances which name none */
	struct uuids near, apart;         /* instances: one of these is there; none of those is */
	uuid except;                      /* an instance of the group that does not count: itself */
	uuid leaves;                      /* another one than that; none: any */
	/* A guest comes from there, running, with that processor and machine (as in struct compute_domain): only a
	 * host that is like it, and has both, takes it. NULL: it does not run. */
	const struct host *from;
	struct str cpu, machine;
};

/* A host that could be chosen, and how many instances of this launch it has got. */
struct placement_candidate {
	const struct host *host;
	int64_t launched;
};

/* The search of one launch. In a small region, each instance looks at all hosts of the zone. In a
 * large one it looks at a random few, and at all only if none of these has room. */
struct placement {
	const struct tables *tables;
	struct placement_need need;
	struct placement_candidate *candidates; /* NULL: a large region */
	size_t candidate_count;
};

/* How many hosts were refused for each reason, and the first of them. */
struct placement_report {
	size_t host_count;
	size_t refused[PLACEMENT_REASON_COUNT];
	const struct host *shown[PLACEMENT_HOSTS_SHOWN];
	enum placement_reason shown_reason[PLACEMENT_HOSTS_SHOWN];
	size_t shown_count;
	struct str cpu; /* that was needed */
};

/* Gathers the hosts of the zone. ERR_NO_MEMORY. */
RESULT placement_begin(struct ctx *c, const struct tables *t, const struct placement_need *need,
		       struct placement *ret_placement);
/* Chooses the best host: of those that fit, the one that the group prefers, then the one with the
 * fewest instances of this launch, then the one with the most free memory (disk, if only that is
 * needed). NULL: none fits. */
const struct host *placement_next(struct placement *p);
/* How many hosts would take one more; in a large region, of the random few. */
size_t placement_count_fitting(const struct placement *p);
void placement_report(const struct placement *p, struct placement_report *ret_report);

/* Whether group, tenancy and shared volumes allow the instance to stay where it is. Room and aggregates do not
 * count. */
bool placement_may_stay(const struct tables *t, const struct placement_need *need, const struct host *host);

/* Whether the host is where the need wants it in regard to single instances. */
bool placement_follows_hints(const struct tables *t, const struct placement_need *need,
			     const struct host *host);

/* A disk more: in that shared pool, or where that is NULL in the host's own directory. */
struct storage_pool;
void placement_add_disk(struct placement_need *need, const struct storage_pool *pool, int64_t size);

/* Whether a host has so much more room, even if it is closed to new instances. Needs that are not
 * positive are ignored. */
enum placement_reason placement_check_room(const struct host *host, const struct placement_need *need);
/* Whether the host sees all shared pools that it needs. */
bool placement_sees_pools(const struct tables *t, const struct placement_need *need, const struct host *host);
/* PLACEMENT_AGGREGATE: the host is not in aggregates that have what the type's extra specs ask for; PLACEMENT_ZONE: it
 * is not in Nova's zone that was asked for. */
enum placement_reason placement_check_aggregates(const struct tables *t, const struct placement_need *need,
						 const struct host *host);
/* Why this host cannot take it, or PLACEMENT_FITS. Group, aggregates and pools do not count. */
enum placement_reason placement_check_host(const struct host *host, const struct placement_need *need);
/* Why the host that somebody named cannot take it, or PLACEMENT_FITS. forces: its room, the pools that it sees and its being
 * like the one that it comes from count alone. */
enum placement_reason placement_check_named(const struct tables *t, const struct placement_need *need,
					    const struct host *host, bool forces);
/* Writes "of 12 hosts 3 do not answer, 9 lack memory (h1, h2, …)", in the arena. */
struct str placement_explain(struct arena *a, const struct placement_report *report);
const char *placement_reason_words(enum placement_reason reason);
