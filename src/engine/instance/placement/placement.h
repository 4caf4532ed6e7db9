/* SPDX-License-Identifier: Apache-2.0
 * Placement: chooses the host of an instance or volume. Reads tables and usage figures, changes nothing.
 * Usage figures follow each put at once, so the next instance of a launch sees the previous one. Only on the
 * committer, which owns the usage figures. */
#pragma once

#include "engine/operation.h"
#include "model/instance_type_words.h"
#include "model/instance_words.h"

struct instance_type;
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
enum { PLACEMENT_POOLS_MAX = 26 /* an instance has at most as many disks */ };
enum { PLACEMENT_HOSTS_SHOWN = 20, PLACEMENT_LARGE = 256, PLACEMENT_SAMPLE = 32 };

struct placement_need {
	uuid zone;          /* none: any */
	uuid host;          /* the only host allowed, because a shared volume is there; none: any */
	bool host_is_asked; /* `host` is set because the call names it */
	enum instance_type_arch arch;
	int64_t vcpus, memory, disk;     /* disk and memory in bytes; disk: in the host's own directory */
	uuid pools[PLACEMENT_POOLS_MAX]; /* shared pools that the host must access */
	size_t pool_count;
	const struct server_group *group; /* NULL: no group */
	int64_t partition;                /* of that group; 0: none */
	const struct instance_type *type; /* its extra specs may require aggregates; NULL: no requirement */
	struct str zone_name;             /* requested availability zone of Nova; empty: any */
	uuid account;                     /* owner */
	enum instance_tenancy tenancy;    /* of the instance */
	uuid dedicated_host;              /* the only dedicated host allowed; none: any with automatic
					   * placement */
	struct uuids near, apart;         /* host must have one of `near`, and none of `apart` */
	uuid except;                      /* instance of the group to ignore: the one being placed */
	uuid leaves;                      /* host to leave; none: none */
	/* Room of the host's spot instances that counts as free, because the launch may take it back. */
	int64_t freed_vcpus, freed_memory;
	/* Source of a live migration, with the guest's processor and machine type (as in struct
	 * compute_domain): the target must be compatible. NULL: not running. */
	const struct host *from;
	struct str cpu, machine;
};

/* A candidate host, and the number of instances of this launch placed on it. */
struct placement_candidate {
	const struct host *host;
	int64_t launched;
};

/* The search of one launch. Up to PLACEMENT_LARGE hosts, each instance looks at all of the zone. In a larger
 * region it looks at PLACEMENT_SAMPLE random ones, and at all only if none of these fits. */
struct placement {
	const struct tables *tables;
	struct placement_need need;
	struct placement_candidate *candidates; /* NULL: a large region */
	size_t candidate_count;
};

/* Number of hosts refused for each reason, and the first few hosts. */
struct placement_report {
	size_t host_count;
	size_t refused[PLACEMENT_REASON_COUNT];
	const struct host *shown[PLACEMENT_HOSTS_SHOWN];
	enum placement_reason shown_reason[PLACEMENT_HOSTS_SHOWN];
	size_t shown_count;
	struct str cpu; /* required processor */
};

/* Collects the hosts of the zone. ERR_NO_MEMORY. */
RESULT placement_begin(struct ctx *c, const struct tables *t, const struct placement_need *need,
		       struct placement *ret_placement);
/* Chooses the best host that fits: preferred by the group, then with the fewest instances of this launch,
 * then with the most free memory (free disk, if only disk is needed). NULL: none fits. */
const struct host *placement_next(struct placement *p);
/* Number of hosts that fit one more; in a large region, of a random sample. */
size_t placement_count_fitting(const struct placement *p);
void placement_report(const struct placement *p, struct placement_report *ret_report);

/* True if group, tenancy and shared volumes allow the instance to stay on the host. Ignores room and
 * aggregates. */
bool placement_may_stay(const struct tables *t, const struct placement_need *need, const struct host *host);

/* True if the host satisfies `near` and `apart`. */
bool placement_follows_hints(const struct tables *t, const struct placement_need *need,
			     const struct host *host);

/* Walk over the hosts in a zone; without a zone, over all. */
const struct host *placement_first_host(const struct tables *t, uuid zone);
const struct host *placement_next_host(const struct tables *t, uuid zone, const struct host *host);
/* Checks one host of the search with another need. */
enum placement_reason placement_check(const struct placement *p, const struct placement_need *need,
				      const struct host *host);

/* Adds a disk in the shared pool or, if that is NULL, in the host's own directory. */
struct storage_pool;
void placement_add_disk(struct placement_need *need, const struct storage_pool *pool, int64_t size);

/* Checks the host's free room, even if it is closed. Needs of 0 or less are ignored. */
enum placement_reason placement_check_room(const struct host *host, const struct placement_need *need);
/* True if the host accesses all pools that are needed. */
bool placement_sees_pools(const struct tables *t, const struct placement_need *need, const struct host *host);
/* PLACEMENT_AGGREGATE: no aggregate of the host has what the type's extra specs require. PLACEMENT_ZONE: not
 * in the requested availability zone of Nova. */
enum placement_reason placement_check_aggregates(const struct tables *t, const struct placement_need *need,
						 const struct host *host);
/* Checks the host's state and room only. PLACEMENT_FITS, or the reason. */
enum placement_reason placement_check_host(const struct host *host, const struct placement_need *need);
/* Checks a host that the call names. forces: checks only room, pools and compatibility with the source.
 * PLACEMENT_FITS, or the reason. */
enum placement_reason placement_check_named(const struct tables *t, const struct placement_need *need,
					    const struct host *host, bool forces);
/* Writes "of 12 hosts 3 do not answer, 9 lack memory (h1, h2, …)", in the arena. */
struct str placement_explain(struct arena *a, const struct placement_report *report);
const char *placement_reason_words(enum placement_reason reason);
