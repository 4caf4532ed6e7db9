/* SPDX-License-Identifier: Apache-2.0
 * Live migration: a running instance goes to another host, and runs on. Its rows of then are what Nova
 * calls migrations, as are resizes (instance_resize.c). What brings it about: reconcile/instance_migration.c. */
#pragma once

#include "engine/operation.h"
#include "model/instance_migration.h"

struct volume;

/* Moves a running instance to another host. Its room there is taken from now on. Only administrators
 * may ask. One at a time for each instance.
 * ERR_STATE with KIND_INSTANCE: it does not run, or something else is under way of it or of its disks.
 * ERR_UNSUPPORTED: something of it cannot go along, in words. ERR_NOT_FOUND with KIND_HOST: no such host.
 * ERR_CONFLICT with KIND_HOST: it is there already. ERR_CAPACITY: that host does not take it, or none does. */
struct instance_migrating {
	struct ref instance;
	struct ref host; /* by name or id; kind none: the one with the most room */
	bool forces;     /* the host is taken whatever groups, hints, aggregates and tenancies say */
	/* made: */
	uuid migration;
};
OPERATION(engine_migrate_instance, instance_migrating)
/* The same for its owner, as Azure has it: to a host that the region chooses. */
OPERATION(engine_redeploy_instance, instance_migrating)

/* Moves an instance that runs or is stopped to another host, off meanwhile; then it is confirmed or reverted as a
 * resize is (engine_confirm_resize(), engine_revert_resize()). forces means nothing. Failures as above. */
OPERATION(engine_cold_migrate_instance, instance_migrating)

/* Whether it could, as it is now, and to that host (NULL: to any): OK, or the failure of the above. Changes
 * nothing. */
struct host;
RESULT engine_check_migration(struct ctx *c, const struct tables *t, const struct instance *instance,
			      const struct host *host);

/* What is asked of a live migration under way. ERR_STATE with KIND_INSTANCE_MIGRATION: the instance has none
 * such. */
struct migration_target {
	struct ref instance;
	uuid migration; /* none: the one under way */
};
/* It is not to be. One that is through already stays so. */
OPERATION(engine_cancel_migration, migration_target)
/* Its guest stands still until it is through. */
OPERATION(engine_hasten_migration, migration_target)

/* Closes a host to new instances, and moves those that run there to others. What cannot move stays as it is. */
struct drained_instance {
	uuid instance;
	uuid target;    /* where it goes; none: it stays */
	struct str why; /* it stays; empty: it is on its way already */
};
struct host_draining {
	struct ref host;   /* by name or id */
	struct str reason; /* as in struct host_settings */
	/* made: */
	const struct drained_instance *instances;
	size_t instance_count;
};
OPERATION(engine_drain_host, host_draining)

/* The live migration of the instance that is under way; NULL: none. */
const struct instance_migration *engine_find_migration(const struct tables *t, uuid instance);
/* The one that was asked for last, whatever came of it; NULL: none is known. */
const struct instance_migration *engine_last_migration(const struct tables *t, uuid instance);
/* Whether the instance arrived by a live migration a moment ago, and its network has not followed yet. */
bool engine_is_settling(const struct tables *t, uuid instance);
/* Whether an empty file of the volume is to be where its instance goes; then to bring it there is no matter of
 * the volume's own. */
bool engine_volume_goes_along(const struct tables *t, const struct volume *v);

/* Whether an empty file of each of its disks waits where it goes. */
bool engine_migration_has_disks(const struct tables *t, const struct instance_migration *m);

/* ---- for the reconciler. Absent, or over: OK, and nothing happens. */

/* An empty file of the volume waits there (instance_place.c). */
struct migration_disk_report {
	uuid volume, host;
};
OPERATION(engine_see_migration_disk, migration_disk_report)

struct migration_figures {
	int64_t memory_size, memory_done, memory_left, disk_size, disk_done, disk_left; /* bytes */
	int64_t pause_limit_ms, pause_ms; /* as in schema/instance_migration.toml */
};
enum migration_event {
	MIGRATION_PROGRESSES, /* figures */
	MIGRATION_BEGINS,     /* the host is about to be told to send it */
	MIGRATION_IS_REDONE,  /* whoever told it so is gone: the target is made ready anew */
	MIGRATION_FAILS,      /* problem: why it is not to be, once it is known that it stayed */
	MIGRATION_WAS_SENT,   /* figures: for how long it stood still */
	MIGRATION_ARRIVED,    /* it runs at the target, and nothing of it is left at its host but its disks */
	MIGRATION_SETTLED,    /* the network followed; or, with a problem, it did not in good time */
	MIGRATION_STAYED      /* it does not come to that: nothing of it is at the target but its disks */
};
struct migration_report {
	uuid migration;
	enum migration_event event;
	struct migration_figures figures;
	/* Of one that fails; of one that stayed: besides that; empty: it was cancelled. Of one that settled: what is
	 * left to say. */
	struct str problem;
};
OPERATION(engine_see_migration, migration_report)
