/* SPDX-License-Identifier: Apache-2.0
 * Vaults of AWS Backup, its plans with rules and selections, and its jobs. A vault is a folder of the backup target. It contains all
 * machine backups and backups of volumes in that folder, whoever made them. A plan is a row of backup_plan with a version. Each rule has a
 * schedule of its own, and backs up what all selections of the plan select, with the rights of the selection's role. Called by: api/awsbackup. */
#pragma once

#include "engine/operation.h"
#include "model/backup_plan.h"
#include "model/backup_vault.h"

#define BACKUP_VAULT_DEFAULT "Default" /* made by the first call that writes to it */
enum {
	BACKUP_VAULTS_MAX = 100,          /* per account: AWS Backup's quota */
	PLAN_DAYS_MAX = 36500,            /* the longest retention: AWS Backup's */
	PLAN_MINUTES_MAX = 100 * 24 * 60, /* the longest start or completion window */
	PLAN_RULES_MAX = 100,             /* ours: AWS Backup's is not documented */
	PLAN_SELECTIONS_MAX = 100,        /* AWS Backup's quota */
	PLAN_SELECTED_BYTES_MAX = 256 * 1024,
	SELECTION_ARNS_MAX = 500, /* of each list: AWS Backup's */
	SELECTION_TAGS_MAX = 30,  /* of each list: AWS Backup's */
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

struct vault_rule_wish {
	struct str name, vault, schedule;
	int64_t keep_days, start_minutes, complete_minutes;
	struct tags tags; /* backups get them */
};
struct vault_plan_wish {
	struct ref plan;   /* to change; kind none: a new plan */
	struct str target; /* value of the setting backup.target */
	struct str name, token;
	const struct vault_rule_wish *rules;
	size_t rule_count;
	struct tags tags; /* only a new plan takes these */
	/* outputs: */
	uuid made;
};
/* A plan makes no backups before it has a selection. A changed plan keeps rules whose names it still has. ERR_NOT_FOUND: no such vault.
 * ERR_EXISTS: the account has a plan of that name. ERR_INVALID: a rule. */
OPERATION(engine_create_vault_plan, vault_plan_wish)
OPERATION(engine_update_vault_plan, vault_plan_wish)

struct vault_plan_target {
	struct ref plan;
	uuid selection; /* only engine_delete_vault_selection() reads this */
};
/* ERR_STATE: the plan has a selection. */
OPERATION(engine_delete_vault_plan, vault_plan_target)

/* Selects instances and volumes that match one of `resources`, or have one of `some_tags`; both empty: all. They must meet all conditions,
 * and match none of `excluded`. */
struct vault_selection_wish {
	struct ref plan;
	struct str name, role, token;
	struct str arn_start;            /* "arn:aws:ec2:REGION:ACCOUNT:" */
	struct strs resources, excluded; /* ARNs, with * and ? as in a shell */
	struct strs some_tags;           /* key and value, one after the other */
	struct strs conditions; /* operator, key and value, one after the other; operators: vault_operators */
	/* outputs: */
	uuid selection;
};
/* ERR_QUOTA: the plan has 100 selections, or 256 KiB of their texts. ERR_INVALID: the role does not exist, or the plan has a selection of
 * that name. */
OPERATION(engine_create_vault_selection, vault_selection_wish)
OPERATION(engine_delete_vault_selection, vault_plan_target)

/* Operators of conditions, as AWS Backup calls them. */
enum vault_operator {
	VAULT_OPERATOR_EQUALS,
	VAULT_OPERATOR_NOT_EQUALS,
	VAULT_OPERATOR_LIKE,
	VAULT_OPERATOR_NOT_LIKE,
	VAULT_OPERATOR_COUNT,
};
extern const char *const vault_operators[VAULT_OPERATOR_COUNT];

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
	struct ref machine_backup, backup; /* one of them */
};
/* Ends a backup that is not complete. ERR_STATE: it is complete, or has failed. */
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

struct recovery_point_due {
	uuid machine_backup, backup; /* one of them */
};
/* Stops a backup whose deadline has passed, and deletes it if it has expired and nothing holds it. OK if absent. */
SYSTEM_OPERATION(engine_end_due_backup, recovery_point_due)

struct later_guard; /* engine/people/asker.h */
/* is_due: begins the rule's run that was due at next_us; is_retry: repeats what failed in the last run; neither: notes the time of the next
 * run. */
struct backup_rule_turn {
	uuid rule;
	uint64_t gen;             /* as read */
	int64_t due_us, retry_us; /* next_us and retry_us as read */
	int64_t next_us;          /* new value */
	bool is_due, is_retry;
	struct later_guard *guard; /* asks the role's policies; NULL: for tests */
};
SYSTEM_OPERATION(engine_take_backup_rule_turn, backup_rule_turn)
