/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: migrations, for other files of the engine. Everything here runs inside an operation. */
#pragma once

#include "engine/internal.h"

struct host;
struct instance;
struct instance_migrating;
struct instance_migration;
struct placement_need;

/* Puts a new record and fills in its id. Forgets the instance's oldest record if it has too many. */
RESULT instance_record_migration(struct op *op, struct instance_migration *record);
/* ERR_UNSUPPORTED, with the reason: a permanent property of the instance, regardless of its state and of
 * room, prevents live migration. */
RESULT instance_check_unbound(struct ctx *c, const struct tables *t, const struct instance *i);
/* Checks that the host accepts the instance. ERR_CONFLICT with KIND_HOST: it is there already.
 * ERR_CAPACITY. */
RESULT instance_check_target(struct ctx *c, const struct tables *t, const struct instance *i,
			     const struct placement_need *need, const struct host *host, bool forces);
/* The host with the most room. ERR_CAPACITY, with the reason: no host accepts the need. */
RESULT instance_choose_target(struct ctx *c, const struct tables *t, const struct placement_need *need,
			      const struct host **ret_host);
/* The host that the wish names, if it accepts the instance; otherwise the best one. */
RESULT instance_find_target(struct op *op, const struct instance *i, const struct placement_need *need,
			    const struct instance_migrating *wish, const struct host **ret_host);
/* Begins a live migration without asking for permissions. Errors as for engine_migrate_instance(). */
RESULT instance_move_away(struct op *op, const struct instance *i);
/* Sends the instance back after a cold migration, in a row that is about to be put. ERR_CAPACITY: the former
 * host no longer accepts it. ERR_STATE: the host is gone. */
RESULT instance_send_back(struct op *op, const struct instance *i, const struct ref *ref,
			  struct instance *next);
/* Cancels a live migration under way, because a user requested something else of the instance. */
RESULT instance_drop_migration(struct op *op, uuid instance);

/* ---- disks: instance_placement.c ---- */

/* Checks that the disks can be migrated, and that none is busy. ERR_UNSUPPORTED; ERR_STATE. */
RESULT instance_check_disks_movable(struct ctx *c, const struct tables *t, const struct instance *i);
/* Asks for the disks on that host, which has no copies of them yet. */
RESULT instance_send_disks(struct op *op, uuid instance, uuid host);
/* Records that the disks are on that host, so that the former files are deleted. */
RESULT instance_bring_disks(struct op *op, uuid instance, uuid host);
