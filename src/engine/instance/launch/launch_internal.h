/* SPDX-License-Identifier: Apache-2.0
 * Shared by the files of a launch, inside the operation of instance_launch.c. */
#pragma once

#include "engine/instance/instance.h"
#include "engine/instance/launch/launch_ports_internal.h"
#include "engine/instance/placement/placement.h"
#include "engine/reservation/capacity_reservation_internal.h"
#include "engine/storage/volume/disk_plan_internal.h"

/* The wish with everything resolved. */
struct launch {
	struct op *op;
	const struct instance_launch *wish;
	const struct account *account;
	const struct image *image; /* NULL: the launch boots from a named disk */
	const struct image *from;  /* image that the root disk's content came from; NULL: unknown */
	const struct instance_type *type;
	const struct key_pair *key;             /* or NULL */
	const struct instance_profile *profile; /* or NULL */
	const struct server_group *group;       /* or NULL */
	struct uuids near, apart;               /* ids of instances */
	const struct dedicated_host *dedicated; /* named dedicated host, or NULL */
	struct str user_data;
	struct strs file_paths, file_contents;
	struct launch_ports ports;
	const struct subnet *subnet; /* of the primary port; NULL: no port */
	uuid zone;
	struct tags instance_tags, volume_tags, port_tags;
	struct {
		bool enabled, tokens_required, tags;
		int64_t hop_limit;
	} metadata;
	struct disk_plans disks;
	int64_t new_disk, new_disk_count; /* bytes and number of new volumes of one instance */
	int64_t count;                    /* upper limit, after quotas */
	struct placement placement;
	const struct capacity_reservation *capacity_target; /* or NULL */
	uuid capacity;                                      /* whose unit the next instance takes; none */
	const struct host *
		waits_for; /* the next instance waits for spot instances to leave this host; NULL: it does not */
	bool lacks_pool;      /* a storage pool has no room for the disks of the next instance */
	struct str pool_says; /* why; empty if no host has room either */
	uuid reservation;
	uuid *made;
	uuid shared_host;              /* host of volumes that other instances share; none: there are no such
				        * volumes */
	const struct host *asked_host; /* NULL: any */
	struct strs licences;
	bool needs_dedicated; /* the licences require it */
	bool is_resolved; /* and permitted by the guard; only room and quotas can be missing from here on */
};

/* ---- instance_launch.c ---- */

struct later_guard;
/* Launches one instance and takes it back, so that the guard decides during the call about everything that a later launch
 * uses and makes: the policies of a session, and conditions on a request such as aws:SourceIp, are not known later
 * (auth/guard/guard_later.c). Missing room, also in a server group, and exceeded quotas of the account are no failure, because
 * the later launch waits for them. A limit of an instance or of its type is: ERR_QUOTA. guard: NULL where roles alone
 * decide. */
RESULT launch_on_trial(struct op *op, const struct instance_launch *given, struct later_guard *guard);

/* ---- launch_resolve.c ---- */

/* Resolves everything that the wish names, and asks the guard. */
RESULT launch_resolve(struct launch *l);

/* ---- launch_count.c ---- */

/* Sets l->count by quotas and limits. ERR_QUOTA: less than min_count. */
RESULT launch_check_quotas(struct launch *l);
/* Reduces l->count to the number of public addresses left, if each instance needs one. */
RESULT launch_check_addresses(struct launch *l);

/* ---- launch_placement.c ---- */

/* Tenancy by the licences, the launch or the VPC. */
enum instance_tenancy launch_tenancy(const struct launch *l);
/* Capacity reservations that the instances may use in the zone. */
struct capacity_match launch_capacity_in(const struct launch *l, uuid zone);
/* Resources that one instance needs of a host in the zone. */
struct placement_need launch_need_in(const struct launch *l, uuid zone);
/* Sets l->zone. only: the requested zone, or NULL. */
RESULT launch_choose_zone(struct launch *l, const struct zone *only);
/* Sets l->subnet to one of the account's default subnets. ERR_MISSING, ERR_INVALID: there is none. */
RESULT launch_choose_subnet(struct launch *l, const struct zone *only);
/* Chooses a host for the next instance; `made` were placed before. *ret_host is NULL if no host or storage
 * pool has room, but min_count is reached or unplaced instances are accepted. ERR_CAPACITY otherwise. */
RESULT launch_choose_place(struct launch *l, int64_t made, const struct host **ret_host);

/* ---- launch_write.c ---- */

/* host NULL: the instance is not placed yet. */
RESULT launch_write_instance(struct launch *l, int64_t index, const struct host *host);
/* Zone of the subnet that a port of a launch names; none: it names none, or the subnet does not exist. */
uuid launch_find_zone(const struct tables *t, const struct launch_port *port);
