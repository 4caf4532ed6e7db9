/* SPDX-License-Identifier: Apache-2.0
 * Cinder's volume groups: volumes of one account that are snapshotted, copied and deleted together; the types
 * of groups; and snapshots of groups. A group lists the volume types it allows. A volume is in at most one
 * group; while it is, it can neither be deleted alone nor change its type. */
#pragma once

#include "engine/operation.h"

struct volume_group;
struct volume_group_snapshot;
struct volume_group_type;

/* ---- group types: administrators only ---- */

/* ERR_EXISTS: the name is in use. */
struct volume_group_type_wish {
	struct ref type; /* the type to change */
	bool set_name, set_description, set_specs;
	struct str name, description;
	enum choice is_public; /* default: yes, or no change */
	struct tags specs;     /* replace the present ones */
	/* result: */
	uuid group_type;
};
OPERATION(engine_create_volume_group_type, volume_group_type_wish)
OPERATION(engine_update_volume_group_type, volume_group_type_wish)

/* ERR_IN_USE: there are groups of the type. */
struct volume_group_type_target {
	struct ref type;
};
OPERATION(engine_delete_volume_group_type, volume_group_type_target)

/* True if the caller may create groups of the type. */
bool engine_may_use_volume_group_type(const struct ctx *c, const struct volume_group_type *type);

/* ---- groups ---- */

/* Creates an empty group, or one with copies of all volumes of another group, or of all snapshots in a group
 * snapshot; it then takes over their types. ERR_STATE: there is nothing to copy. ERR_QUOTA. */
struct volume_group_wish {
	struct ref type;          /* by name or id */
	struct refs volume_types; /* by name or id */
	struct ref zone;          /* none: the region's first zone */
	struct str name, description;
	struct ref source_group, source_snapshot; /* at most one of them; kind none: not given */
	/* result: */
	uuid group;
};
OPERATION(engine_create_volume_group, volume_group_wish)

/* ERR_INVALID with KIND_VOLUME: a volume cannot be added or removed. ERR_STATE: the group is in progress, or
 * an administrator marked it. */
struct volume_group_change {
	struct ref group;
	bool set_name, set_description;
	struct str name, description;
	struct refs added, removed; /* volumes */
};
OPERATION(engine_update_volume_group, volume_group_change)

/* Deletes a group: an empty one, or with its volumes. ERR_STATE: the group has snapshots, or volumes that
 * cannot be deleted. */
struct volume_group_target {
	struct ref group;
	bool with_volumes;
};
OPERATION(engine_delete_volume_group, volume_group_target)

/* "available", "creating", "error", or the status that an administrator set. */
const char *engine_volume_group_status(const struct tables *t, const struct volume_group *group);

/* Sets the shown status, for administrators; "available": back to the status derived from the volumes.
 * ERR_INVALID: unknown status. */
struct volume_group_marking {
	struct ref group;
	struct str status;
};
OPERATION(engine_mark_volume_group, volume_group_marking)

/* ---- group snapshots ---- */

/* Creates a snapshot of each volume, of all or of none. ERR_STATE: the group has no volumes, or a volume does
 * not allow a snapshot now. ERR_QUOTA. */
struct volume_group_snapshot_wish {
	struct ref group;
	struct str name, description; /* also given to each snapshot */
	/* result: */
	uuid group_snapshot;
};
OPERATION(engine_create_volume_group_snapshot, volume_group_snapshot_wish)

/* Deletes the group snapshot and all its snapshots, or nothing. ERR_STATE: they are in progress, or a group
 * is being created from them. */
struct volume_group_snapshot_target {
	struct ref group_snapshot;
};
OPERATION(engine_delete_volume_group_snapshot, volume_group_snapshot_target)

/* Like engine_volume_group_status(), derived from the snapshots. */
const char *engine_volume_group_snapshot_status(const struct tables *t,
						const struct volume_group_snapshot *s);

struct volume_group_snapshot_marking {
	struct ref group_snapshot;
	struct str status;
};
OPERATION(engine_mark_volume_group_snapshot, volume_group_snapshot_marking)
