/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: what its files share of migrations. All of it runs inside an operation. */
#pragma once

#include "engine/internal.h"

struct host;
struct instance;
struct instance_migrating;
struct instance_migration;
struct placement_need;

/* Puts a new record, which gets its id; the oldest of its instance goes if that has many. */
RESULT instance_record_migration(struct op *op, struct instance_migration *record);
/* What keeps it from going to another host while it runs, for good, whatever it does now and whatever room there is.
 * ERR_UNSUPPORTED. */
RESULT instance_check_unbound(struct ctx *c, const struct tables *t, const struct instance *i);
/* Whether that host takes it, by what is needed of it. ERR_CONFLICT with KIND_HOST: it is there already. ERR_CAPACITY: no. */
RESULT instance_check_target(struct ctx *c, const struct tables *t, const struct instance *i,
			     const struct placement_need *need, const struct host *host, bool forces);
/* The one with the most room. ERR_CAPACITY: none takes it, in words. */
RESULT instance_choose_target(struct ctx *c, const struct tables *t, const struct placement_need *need,
			      const struct host **ret_host);
/* The host that the wish names, if that takes it; without one, the best. */
RESULT instance_find_target(struct op *op, const struct instance *i, const struct placement_need *need,
			    const struct instance_migrating *wish, const struct host **ret_host);
/* Its way to another host begins, whoever asks. Failures as of engine_migrate_instance(). */
RESULT instance_move_away(struct op *op, const struct instance *i);
/* Into a row that is about to be put: back to where it was before a move that it was off for. ERR_CAPACITY: that host
 * does not take it any more. ERR_STATE: it is gone. */
RESULT instance_send_back(struct op *op, const struct instance *i, const struct ref *ref,
			  struct instance *next);
/* Something else was asked of the instance: a live migration under way is not to be. */
RESULT instance_drop_migration(struct op *op, uuid instance);

/* ---- its disks: instance_place.c ---- */

/* They could go along, and nothing is under way of them. ERR_UNSUPPORTED; ERR_STATE. */
RESULT instance_check_disks_movable(struct ctx *c, const struct tables *t, const struct instance *i);
/* They are to be on that host, where nothing waits for them yet. */
RESULT instance_send_disks(struct op *op, uuid instance, uuid host);
/* They are on that host, and their old files are to go. */
RESULT instance_bring_disks(struct op *op, uuid instance, uuid host);
