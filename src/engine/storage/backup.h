/* SPDX-License-Identifier: Apache-2.0
 * Backups of volumes, outside the region (drivers/backup_store.h). What is written is a snapshot's file: the
 * user's, or one that is made for the backup and goes when it is written. An incremental backup has a parent,
 * whose data it needs: a parent is not deleted before it. To be restored, a backup becomes a snapshot that is
 * fetched from it, and goes with the volume that it was made for. reconcile/backup.c does what follows. */
#pragma once

#include "engine/storage/volume.h"

struct backup;
struct snapshot;

/* Where a backup lies if nobody says. Cinder's, of its drivers for Swift and S3. */
#define BACKUP_CONTAINER "volumebackups"

/* Begins a backup. ERR_STATE with KIND_VOLUME or KIND_SNAPSHOT: not in that state, or attached and not forced.
 * ERR_STATE with KIND_BACKUP: there is none to add to. ERR_INVALID: an incremental one in another container than
 * its parent, or a name that no container can have. ERR_QUOTA. */
struct backup_wish {
	struct str target; /* the setting backup.target */
	struct ref volume;
	struct ref snapshot; /* of it; kind none: of the volume as it is now */
	struct ref zone;     /* kind none: its volume's */
	bool is_incremental;
	bool is_forced; /* also of a volume that is attached */
	struct str container, name, description;
	struct tags metadata;
	/* made: */
	uuid backup;
};
OPERATION(engine_create_backup, backup_wish)

/* Changes what is said of a backup. */
struct backup_settings {
	struct ref backup;
	bool set_name, set_description, set_metadata;
	struct str name, description;
	struct tags metadata;
	enum choice is_broken; /* an administrator's word; no: it is looked at again */
};
OPERATION(engine_update_backup, backup_settings)

/* Deletes a backup. ERR_STATE: it is being made or restored, and is not forced to go; another one needs it. */
struct backup_deleting {
	struct ref backup;
	bool force;
};
OPERATION(engine_delete_backup, backup_deleting)

/* Restores a backup, into a free volume, which gets its content, or into a new one. ERR_STATE with KIND_BACKUP
 * or KIND_VOLUME: not in that state, or the volume is too small. ERR_COMBINATION: an encrypted one into a plain
 * volume. */
struct backup_restoring {
	struct ref backup;
	struct ref volume;       /* kind none: a new one */
	struct volume_wish made; /* of the new one: zone, name, description, type; the rest is the backup's */
	/* made: */
	uuid restored, volume_id;
	struct str volume_name;
};
OPERATION(engine_restore_backup, backup_restoring)

/* A backup that the target has, and no row of this region: what its record says of it. It is looked up there.
 * ERR_STATE: there is a row. ERR_INVALID: a name that no container can have. ERR_QUOTA. */
struct backup_importing {
	struct str target;
	uuid id, parent;
	int64_t size;
	struct str container, name, description;
	/* made: */
	uuid backup;
};
OPERATION(engine_import_backup, backup_importing)

/* Whether incremental backups stand on it. */
bool engine_backup_has_children(const struct tables *t, uuid backup);

/* Whether it is being restored just now; whether the volume is being backed up (its content is not fixed yet),
 * or a backup is on its way into it. */
bool engine_backup_is_restoring(const struct tables *t, uuid backup);
bool engine_volume_is_backing_up(const struct tables *t, uuid volume);
bool engine_volume_is_restoring(const struct tables *t, const struct volume *volume);

/* ---- the reconciler's. Absent: OK. ---- */

/* What a step found: it is in its target, or will never be. */
struct backup_report {
	uuid backup;
	struct str problem; /* empty: it is there, and what follows is so */
	int64_t object_count, stored_size;
	/* Of one that was looked up: */
	bool is_found;
	int64_t size, data_us;
	bool is_encrypted, is_bootable;
	struct str data_key;
	struct tags image_properties, volume_tags;
};
OPERATION(engine_see_backup, backup_report)

/* Forgets a backup, nothing of which is left. ERR_STATE: it is not deleted. */
struct backup_forget {
	uuid backup;
};
OPERATION(engine_forget_backup, backup_forget)
