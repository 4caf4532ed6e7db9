/* SPDX-License-Identifier: Apache-2.0
 * Groups of volumes, which Cinder has: volumes of one account that are snapshotted, copied and deleted
 * together, the types that groups are of, and their snapshots. A group says of which types its volumes may be.
 * A volume is part of one group at most, and is neither deleted by itself nor of another type meanwhile. */
#pragma once

#include "engine/operation.h"

struct volume_group;
struct volume_group_snapshot;
struct volume_group_type;

/* ---- types: an administrator's ---- */

/* ERR_EXISTS: there is a type of that name. */
struct volume_group_type_wish {
	struct ref type; /* to change */
	bool set_name, set_description, set_specs;
	struct str name, description;
	enum choice is_public; /* default: yes, or as it is */
	struct tags specs;     /* in place of those there are */
	/* made: */
	uuid group_type;
};
OPERATION(engine_create_volume_group_type, volume_group_type_wish)
OPERATION(engine_update_volume_group_type, volume_group_type_wish)

/* ERR_IN_USE: there are groups of it. */
struct volume_group_type_target {
	struct ref type;
};
OPERATION(engine_delete_volume_group_type, volume_group_type_target)

/* Whether the caller may make groups of that type. */
bool engine_may_use_volume_group_type(const struct ctx *c, const struct volume_group_type *type);

/* ---- groups ---- */

/* Makes an empty group; or one of copies of all volumes of another group, or of all snapshots of a group's
 * snapshot, whose types it has then. ERR_STATE: there is nothing to copy. ERR_QUOTA. */
struct volume_group_wish {
	struct ref type;          /* by name or id */
	struct refs volume_types; /* likewise */
	struct ref zone;          /* none: the region's first */
	struct str name, description;
	struct ref source_group, source_snapshot; /* at most one; else kind none */
	/* made: */
	uuid group;
};
OPERATION(engine_create_volume_group, volume_group_wish)

/* ERR_INVALID with KIND_VOLUME: one that is to come or to go cannot. ERR_STATE: the group is being made, or an
 * administrator holds it. */
struct volume_group_change {
	struct ref group;
	bool set_name, set_description;
	struct str name, description;
	struct refs added, removed; /* volumes */
};
OPERATION(engine_update_volume_group, volume_group_change)

/* Deletes a group, with its volumes or when it has none. ERR_STATE: it has snapshots, or volumes that may not
 * be deleted. */
struct volume_group_target {
	struct ref group;
	bool with_volumes;
};
OPERATION(engine_delete_volume_group, volume_group_target)

/* "available", "creating", "error", or what an administrator said of it. */
const char *engine_volume_group_status(const struct tables *t, const struct volume_group *group);

/* For administrators: a status that it has from now on; "available": whichever follows from its volumes.
 * ERR_INVALID: it is none. */
struct volume_group_marking {
	struct ref group;
	struct str status;
};
OPERATION(engine_mark_volume_group, volume_group_marking)

/* ---- their snapshots ---- */

/* Takes a snapshot of each volume, all or none. ERR_STATE: the group has no volumes, or a volume cannot be
 * copied now. ERR_QUOTA. */
struct volume_group_snapshot_wish {
	struct ref group;
	struct str name, description; /* of each snapshot, too */
	/* made: */
	uuid group_snapshot;
};
OPERATION(engine_create_volume_group_snapshot, volume_group_snapshot_wish)

/* Deletes it with its snapshots, all or none. ERR_STATE: they are being made, or a group of them is. */
struct volume_group_snapshot_target {
	struct ref group_snapshot;
};
OPERATION(engine_delete_volume_group_snapshot, volume_group_snapshot_target)

/* As engine_volume_group_status(), by its snapshots. */
const char *engine_volume_group_snapshot_status(const struct tables *t,
						const struct volume_group_snapshot *s);

struct volume_group_snapshot_marking {
	struct ref group_snapshot;
	struct str status;
};
OPERATION(engine_mark_volume_group_snapshot, volume_group_snapshot_marking)
