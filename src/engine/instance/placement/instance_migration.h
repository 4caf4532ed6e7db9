/* SPDX-License-Identifier: Apache-2.0
 * Live migration of running instances. Its records, together with those of resizes (instance_resize.c), are
 * Nova's migrations. reconcile/instance/instance_migration.c carries it out. */
#pragma once

#include "engine/operation.h"

struct instance_migration;
struct volume;

/* Migrates a running instance live. Its room on the target is reserved at once. For administrators; one
 * migration an instance at a time. ERR_STATE with KIND_INSTANCE: not running, or the instance or a disk is
 * busy. ERR_UNSUPPORTED, with the reason: part of it cannot be migrated. With KIND_HOST: ERR_NOT_FOUND,
 * unknown host; ERR_CONFLICT, the instance is there already. ERR_CAPACITY: the host, or every host, refuses
 * it. */
struct instance_migrating {
	struct ref instance;
	struct ref host; /* by name or id; kind none: the host with the most room */
	bool forces;     /* ignores groups, hints, aggregates and tenancies */
	/* outputs: */
	uuid migration;
};
OPERATION(engine_migrate_instance, instance_migrating)
/* Migrates an instance for its owner, as Azure's redeploy: the engine chooses the host. */
OPERATION(engine_redeploy_instance, instance_migrating)

/* Migrates a running or stopped instance while it is off. It is then confirmed or reverted like a resize
 * (engine_confirm_resize(), engine_revert_resize()). `forces` is ignored. Errors as for
 * engine_migrate_instance(). */
OPERATION(engine_cold_migrate_instance, instance_migrating)

/* Checks, without changes, whether the instance could be migrated now, to that host (NULL: to any). Errors as
 * for engine_migrate_instance(). */
struct host;
RESULT engine_check_migration(struct ctx *c, const struct tables *t, const struct instance *instance,
			      const struct host *host);

/* Names a live migration under way. ERR_STATE with KIND_INSTANCE_MIGRATION: the instance has no such
 * migration. */
struct migration_target {
	struct ref instance;
	uuid migration; /* none: the one under way */
};
/* Cancels the migration, unless it has completed. */
OPERATION(engine_cancel_migration, migration_target)
/* Forces completion: pauses the guest until the migration is complete. */
OPERATION(engine_hasten_migration, migration_target)

/* Closes a host to new instances, and migrates its running instances to other hosts. Those that cannot be
 * migrated stay. */
struct drained_instance {
	uuid instance;
	uuid target;    /* target host; none: it stays */
	struct str why; /* why it stays; empty: it is being migrated already */
};
struct host_draining {
	struct ref host;   /* by name or id */
	struct str reason; /* as in struct host_settings */
	/* outputs: */
	const struct drained_instance *instances;
	size_t instance_count;
};
OPERATION(engine_drain_host, host_draining)

/* The instance's live migration under way, or NULL. */
const struct instance_migration *engine_find_migration(const struct tables *t, uuid instance);
/* The instance's latest migration, whatever its outcome, or NULL. */
const struct instance_migration *engine_last_migration(const struct tables *t, uuid instance);
/* True if the instance has just been migrated live, and its network ports have not moved yet. */
bool engine_is_settling(const struct tables *t, uuid instance);
/* True if an empty copy of the volume is needed on the target of its instance's live migration. Such a volume
 * is not moved by itself. */
bool engine_volume_goes_along(const struct tables *t, const struct volume *v);

/* True if the target has an empty copy of each disk that needs one. */
bool engine_migration_has_disks(const struct tables *t, const struct instance_migration *m);

/* ---- reports of the reconciler. OK, without effect, if the migration is gone or over ---- */

/* An empty copy of the volume exists on the host (instance_placement.c). */
struct migration_disk_report {
	uuid volume, host;
};
SYSTEM_OPERATION(engine_see_migration_disk, migration_disk_report)

struct migration_figures {
	int64_t memory_size, memory_done, memory_left, disk_size, disk_done, disk_left; /* in bytes */
	int64_t pause_limit_ms, pause_ms; /* see schema/instance_migration.toml */
};
enum migration_event {
	MIGRATION_PROGRESSES, /* carries figures */
	MIGRATION_BEGINS,     /* the source host is about to be told to migrate */
	MIGRATION_IS_REDONE,  /* the control process that started it is gone: the target is prepared again */
	MIGRATION_FAILS,      /* `problem` says why; the instance is known to have stayed */
	MIGRATION_WAS_SENT,   /* the guest was sent; figures carry the downtime */
	MIGRATION_ARRIVED,    /* it runs on the target, and only disks are left on the source */
	MIGRATION_SETTLED,    /* the network followed or, with a problem, did not follow in time */
	MIGRATION_STAYED      /* ended without migration: only disks are left on the target */
};
struct migration_report {
	uuid migration;
	enum migration_event event;
	struct migration_figures figures;
	/* FAILS: the reason. STAYED: an additional reason; empty: cancelled. SETTLED: a warning. */
	struct str problem;
};
SYSTEM_OPERATION(engine_see_migration, migration_report)
