/* SPDX-License-Identifier: Apache-2.0
 * Backups of volumes, stored outside the region (drivers/backup_store.h). Written from a snapshot's file: the
 * user's snapshot, or one taken for the backup and deleted afterwards. The backups that go back to one full
 * backup are a chain: they share the chunks in its folder, and a chunk goes with the last backup that needs
 * it. As in Cinder, a user cannot delete the parent of an incremental backup; backups of machines expire in
 * any order (engine/backup/). Restoring fetches the backup into a snapshot that belongs to the
 * restored volume. reconcile/backup/backup.c transfers the data. */
#pragma once

#include "engine/storage/volume/volume.h"

struct backup;
struct snapshot;

/* Default container, as in Cinder's Swift and S3 drivers. */
#define BACKUP_CONTAINER "volumebackups"

/* Starts a backup. ERR_STATE with KIND_VOLUME or KIND_SNAPSHOT: wrong state, or attached and not forced.
 * ERR_STATE with KIND_BACKUP: an incremental backup has no parent. ERR_INVALID: another container than the
 * parent's, or not a valid container name. ERR_QUOTA. */
struct backup_wish {
	struct str target; /* value of the setting backup.target */
	struct ref volume;
	struct ref snapshot; /* a snapshot of the volume; kind none: the volume's present content */
	struct ref zone;     /* kind none: the volume's zone */
	bool is_incremental;
	bool is_forced;  /* accepts an attached volume */
	bool is_callers; /* belongs to the caller's account, else to the volume's */
	struct str container, name, description;
	struct tags metadata;
	/* outputs: */
	uuid backup;
};
OPERATION(engine_create_backup, backup_wish)

/* Changes name, description, metadata and health of a backup. */
struct backup_settings {
	struct ref backup;
	bool set_name, set_description, set_metadata;
	struct str name, description;
	struct tags metadata;
	enum choice is_broken; /* administrator's override; no: the reconciler checks it again */
};
OPERATION(engine_update_backup, backup_settings)

/* Deletes a backup. ERR_STATE: being created or restored, and not forced; or an incremental backup needs
 * it. */
struct backup_deleting {
	struct ref backup;
	bool force;
};
OPERATION(engine_delete_backup, backup_deleting)

/* Restores a backup to an available volume, or to a new one. ERR_STATE with KIND_BACKUP or KIND_VOLUME: wrong
 * state, or the volume is too small. ERR_COMBINATION: an encrypted backup to a volume that is not
 * encrypted. */
struct backup_restoring {
	struct ref backup;
	struct ref volume;       /* kind none: creates a volume */
	struct volume_wish made; /* parameters of the new volume: zone (kind none: the backup's), name,
				  * description, type; the rest comes from the backup */
	/* outputs: */
	uuid restored, volume_id;
	struct str volume_name;
};
OPERATION(engine_restore_backup, backup_restoring)

/* Imports a backup that exists in the target but has no row here, from its record, which the reconciler then
 * verifies. ERR_STATE: there is a row. ERR_INVALID: not a valid container name. ERR_QUOTA. */
struct backup_importing {
	struct str target;
	uuid id, parent;
	int64_t size;
	struct str container, name, description;
	/* outputs: */
	uuid backup;
};
OPERATION(engine_import_backup, backup_importing)

/* True if live incremental backups depend on it. */
bool engine_backup_has_children(const struct tables *t, uuid backup);

/* True if the backup is being restored; if the volume is being backed up, and its content is not yet fixed;
 * if a backup is being restored to the volume. */
bool engine_backup_is_restoring(const struct tables *t, uuid backup);
bool engine_volume_is_backing_up(const struct tables *t, uuid volume);
bool engine_volume_is_restoring(const struct tables *t, const struct volume *volume);

/* ---- reports of the reconciler. OK if the backup is gone ---- */

/* Result of a step: the backup is stored, or has failed. */
struct backup_report {
	uuid backup;
	struct str problem; /* empty: stored, and the other fields are valid */
	int64_t object_count, stored_size;
	/* for an imported backup: */
	bool is_found;
	int64_t size, data_us;
	bool is_encrypted, is_bootable;
	struct str data_key;
	struct tags image_properties, volume_tags;
};
SYSTEM_OPERATION(engine_see_backup, backup_report)

/* Forgets a backup of which nothing is left. ERR_STATE: it is not marked deleted. */
struct backup_forget {
	uuid backup;
	int64_t freed; /* bytes that its removal freed in the target; others of its chain need the rest */
};
SYSTEM_OPERATION(engine_forget_backup, backup_forget)
