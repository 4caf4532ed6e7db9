/* SPDX-License-Identifier: Apache-2.0
 * Backups of machines: the backups of all disks of an instance (engine/storage/snapshot/backup.h), together with what
 * it takes to create the instance again. The backup outlives its machine. A machine backup is complete when
 * the last of its disks is; no task of its own runs. Restores: machine_restore.c. A test restore starts a copy
 * of the machine without network interfaces and waits for a text on its console; reconcile/backup/
 * machine_backup.c reads it. Called by: api/native, api/cloudstack. */
#pragma once

#include "engine/operation.h"
#include "model/machine_backup.h"

#define MACHINE_BACKUP_MARKER "login:" /* default text that proves that a guest has started */
enum { MACHINE_BACKUP_CHECK_S = 1800 /* time that a test restore has to start */ };

/* Starts a backup of an instance. The disks' backups are incremental where the volume has one in the target.
 * ERR_STATE: the instance has no disks, or one of them cannot be backed up now. ERR_QUOTA. ERR_GONE: no
 * backup target. */
struct machine_backup_wish {
	struct str target; /* value of the setting backup.target */
	struct ref instance;
	struct str name; /* empty: made of the machine's name and the time */
	struct str description;
	struct str container; /* empty: BACKUP_CONTAINER */
	bool is_full;         /* of each disk a full backup */
	struct tags tags;
	/* outputs: */
	uuid backup;
};
OPERATION(engine_create_machine_backup, machine_backup_wish)

/* Changes name and description, and sets or lifts the legal hold. */
struct machine_backup_settings {
	struct ref backup;
	const struct str *name, *description; /* NULL: no change */
	enum choice is_held;
};
OPERATION(engine_update_machine_backup, machine_backup_settings)

/* Deletes a machine backup with the backups of its disks; others of their chains keep what they need.
 * ERR_PROTECTED: legal hold. ERR_STATE: a disk is being restored, or is the base of a backup under way. */
struct machine_backup_target {
	struct ref backup;
};
OPERATION(engine_delete_machine_backup, machine_backup_target)

/* Restores a machine to a new instance, or in place. ERR_STATE: the backup is not available. */
struct machine_restoring {
	struct ref backup;
	bool in_place;     /* onto the disks of the instance, which must be stopped and have all of them */
	struct ref type;   /* kind none: the machine's */
	struct ref subnet; /* kind none: the machine's subnets; ERR_MISSING with KIND_SUBNET: they are gone */
	struct refs groups; /* none: the machine's, those that still exist; else the VPC's default group */
	struct str name;    /* empty: the machine's */
	bool stays_off;
	/* outputs: */
	struct uuids made; /* the instance */
};
OPERATION(engine_restore_machine_backup, machine_restoring)

/* Starts a test restore. ERR_STATE: the backup is not available, or is being tested. */
struct machine_check {
	struct ref backup;
};
OPERATION(engine_check_machine_backup, machine_check)

/* ---- for the reconciler; OK for a row that is absent ---- */

/* Ends a test restore, and terminates its machine. */
struct machine_check_report {
	uuid backup, instance;
	bool has_passed;
	struct str message;
};
SYSTEM_OPERATION(engine_see_machine_check, machine_check_report)
