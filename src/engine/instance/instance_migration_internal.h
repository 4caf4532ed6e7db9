/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: what its files share of migrations. All of it runs inside an operation. */
#pragma once

#include "engine/internal.h"

struct host;
struct instance;
struct instance_migration;
struct placement_need;

/* Puts a new record, which gets its id; the oldest of its instance goes if that has many. */
RESULT instance_record_migration(struct op *op, struct instance_migration *record);
/* ERR_CONFLICT with KIND_HOST: it is there. ERR_CAPACITY: that host does not take it, in words. forces: as in
 * struct instance_migrating. */
RESULT instance_check_host(struct ctx *c, const struct tables *t, const struct instance *i,
			   const struct placement_need *need, const struct host *host, bool forces);
/* The one with the most room. ERR_CAPACITY: none takes it, in words. */
RESULT instance_choose_host(struct ctx *c, const struct tables *t, const struct placement_need *need,
			    const struct host **ret_host);
/* Something else was asked of the instance: a live migration under way is not to be. */
RESULT instance_drop_migration(struct op *op, uuid instance);

/* ---- its disks: instance_place.c ---- */

/* They could go along, and nothing is under way of them. ERR_UNSUPPORTED; ERR_STATE. */
RESULT instance_check_disks_movable(struct ctx *c, const struct tables *t, const struct instance *i);
/* They are to be on that host, where nothing waits for them yet. */
RESULT instance_send_disks(struct op *op, uuid instance, uuid host);
/* They are on that host, and their old files are to go. */
RESULT instance_bring_disks(struct op *op, uuid instance, uuid host);
