/* SPDX-License-Identifier: Apache-2.0
 * Private to the files of a launch: instance_launch.c has the operation. All of it runs inside that. */
#pragma once

#include "engine/instance/instance.h"
#include "engine/instance/launch_ports_internal.h"
#include "engine/instance/placement.h"
#include "engine/storage/disk_plan_internal.h"

/* The wish with everything looked up. */
struct launch {
	struct op *op;
	const struct instance_launch *wish;
	const struct account *account;
	const struct image *image; /* NULL: from a disk that is named */
	const struct image *from;  /* what its root disk's content came from; NULL: not known */
	const struct instance_type *type;
	const struct key_pair *key;             /* or NULL */
	const struct instance_profile *profile; /* likewise */
	const struct server_group *group;       /* likewise */
	struct uuids near, apart;               /* instances */
	const struct dedicated_host *dedicated; /* likewise: that it names */
	struct str user_data;
	struct strs file_paths, file_contents;
	struct launch_ports ports;
	const struct subnet *subnet; /* the primary port's; NULL: it has none */
	uuid zone;
	struct tags instance_tags, volume_tags, port_tags;
	struct {
		bool enabled, tokens_required, tags;
		int64_t hop_limit;
	} metadata;
	struct disk_plans disks;
	int64_t new_disk, new_disk_count; /* of those that are made */
	int64_t count;                    /* how many at most, after quotas */
	struct placement placement;
	bool lacks_pool;      /* a storage pool does not take the disks of the next one */
	struct str pool_says; /* why; empty: no host has room, either */
	uuid reservation;
	uuid *made;
	uuid shared_host;              /* where volumes lie that others have, too; none: it has no such */
	const struct host *asked_host; /* NULL: any */
	struct strs licences;
	bool needs_dedicated; /* for these */
};

/* ---- launch_resolve.c ---- */

/* Looks up all that the wish names, and asks the guard. */
RESULT launch_resolve(struct launch *l);

/* ---- launch_count.c ---- */

/* As many as quotas and limits allow (l->count). ERR_QUOTA: fewer than the least asked for. */
RESULT launch_check_quotas(struct launch *l);
/* As many as there are public addresses for, where each is to have one. */
RESULT launch_check_addresses(struct launch *l);

/* ---- launch_place.c ---- */

/* As the launch says, its licences, or its VPC. */
enum instance_tenancy launch_tenancy(const struct launch *l);
/* What one of its instances needs of a host in that zone. */
struct placement_need launch_need_in(const struct launch *l, uuid zone);
/* Sets l->zone. only: NULL, or the one that is asked for. */
RESULT launch_choose_zone(struct launch *l, const struct zone *only);
/* Sets l->subnet: one of the account's default subnets. ERR_MISSING, ERR_INVALID: there is none. */
RESULT launch_choose_subnet(struct launch *l, const struct zone *only);
/* For the next one, behind `made` of them. *ret_host NULL: none has room, or a storage pool has none; and there are enough, or
 * those that lack it wait for it. ERR_CAPACITY: there are not enough. */
RESULT launch_choose_place(struct launch *l, int64_t made, const struct host **ret_host);

/* ---- launch_write.c ---- */

/* host: NULL, where it has no place yet. */
RESULT launch_write_instance(struct launch *l, int64_t index, const struct host *host);
