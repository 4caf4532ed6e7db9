/* SPDX-License-Identifier: Apache-2.0
 * Vaults of AWS Backup, its plans with one rule and one selection, and its jobs. A vault is a folder of the backup target. It contains all
 * machine backups and backups of volumes in that folder, whoever made them. A plan is a row of backup_plan with a rule, and acts with the
 * rights of its selection's role. Called by: api/awsbackup. */
#pragma once

#include "engine/operation.h"
#include "model/backup_plan.h"
#include "model/backup_vault.h"

#define BACKUP_VAULT_DEFAULT "Default" /* made by the first call that writes to it */
enum {
	BACKUP_VAULTS_MAX = 100,          /* per account: AWS Backup's quota */
	PLAN_DAYS_MAX = 36500,            /* the longest retention: AWS Backup's */
	PLAN_MINUTES_MAX = 100 * 24 * 60, /* the longest start or completion window */
};

/* True for rows of AWS Backup's plans. */
bool engine_is_vault_plan(const struct backup_plan *plan);
/* The vault's folder of the backup target. */
struct str engine_vault_container(struct str name);
/* The name of the vault that has, or would have, the folder. */
struct str engine_vault_name(struct str container);
/* ARNs of vaults, plans and recovery points, which are machine backups and backups of volumes. row NULL: "*" in place of its id. */
struct str engine_write_backup_arn(struct arena *a, struct str region, struct str account_number,
				   enum kind kind, const struct row *row);

/* ---- vaults ---- */

struct backup_vault_wish {
	struct str name, token;
	struct tags tags;
	/* outputs: */
	uuid made;
};
/* ERR_EXISTS, ERR_QUOTA. */
OPERATION(engine_create_backup_vault, backup_vault_wish)

struct backup_vault_target {
	struct ref vault;
};
/* ERR_STATE: recovery points are in the vault. */
OPERATION(engine_delete_backup_vault, backup_vault_target)

/* ---- plans ---- */

struct vault_plan_wish {
	struct ref plan;   /* to change; kind none: a new plan */
	struct str target; /* value of the setting backup.target */
	struct str name, rule_name, vault, schedule, token;
	int64_t keep_days, start_minutes, complete_minutes;
	struct tags tags; /* only a new plan takes these */
	struct tags backup_tags;
	/* outputs: */
	uuid made;
};
/* A plan makes no backups before it has a selection. ERR_NOT_FOUND: no such vault. ERR_EXISTS: the account has a plan of that name. */
OPERATION(engine_create_vault_plan, vault_plan_wish)
OPERATION(engine_update_vault_plan, vault_plan_wish)

struct vault_plan_target {
	struct ref plan;
	uuid selection; /* only engine_delete_vault_selection() reads this */
};
/* ERR_STATE: the plan has a selection. */
OPERATION(engine_delete_vault_plan, vault_plan_target)

struct vault_selection_wish {
	struct ref plan;
	struct str name, role;
	struct refs instances;
	struct str tag_key, tag_value;
	bool is_condition; /* the tag was given as a condition on all instances */
	/* outputs: */
	uuid selection;
};
/* ERR_EXISTS: the plan has a selection. ERR_INVALID: the role does not exist. */
OPERATION(engine_create_vault_selection, vault_selection_wish)
OPERATION(engine_delete_vault_selection, vault_plan_target)

/* ---- jobs ---- */

struct backup_job_wish {
	struct str target, vault, role;
	struct ref instance, volume; /* one of them */
	int64_t keep_days, complete_minutes;
	struct tags tags;
	/* outputs: */
	uuid made; /* the machine backup, or the backup of the volume */
};
/* The role's policies decide before data are written. ERR_NOT_FOUND: no such vault, instance or volume. */
OPERATION(engine_start_backup_job, backup_job_wish)

struct backup_job_target {
	struct ref backup; /* a machine backup */
};
/* Ends a machine backup that is not complete. ERR_STATE: it is complete, or has failed. */
OPERATION(engine_stop_backup_job, backup_job_target)

struct recovery_point_target {
	struct ref machine_backup, backup; /* one of them */
};
OPERATION(engine_delete_recovery_point, recovery_point_target)

struct restore_job_wish {
	struct ref machine_backup, backup; /* one of them */
	struct str role;                   /* empty: none; the caller may pass it */
	struct ref type, subnet;           /* for a machine; kind none: as backed up */
	struct refs groups;
	struct ref zone;        /* for a volume; kind none: as backed up */
	struct str volume_type; /* empty: as backed up */
	/* outputs: */
	uuid job;
};
OPERATION(engine_start_restore_job, restore_job_wish)

/* ---- tags ---- */

struct backup_tags_wish {
	struct ref resource; /* a vault, a plan or a recovery point */
	struct tags set;
	struct strs removed; /* keys; none: sets tags */
};
OPERATION(engine_tag_backup_resource, backup_tags_wish)

/* ---- for the reconciler ---- */

struct machine_backup_due {
	uuid backup;
};
/* Stops a machine backup whose deadline has passed, and deletes it if it has expired and nothing holds it. OK if absent. */
SYSTEM_OPERATION(engine_end_due_backup, machine_backup_due)
