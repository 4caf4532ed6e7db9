/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: vaults and roles, as plans and jobs of AWS Backup name them. */
#pragma once

#include "engine/internal.h"
#include "engine/people/asker.h"

struct backup;
struct backup_plan;
struct backup_rule;
struct backup_selection;
struct backup_vault;

/* Finds the account's vault of that name, and makes the vault Default if it is missing. permission: for the vault; NULL: the caller is not
 * asked. ERR_NOT_FOUND. */
RESULT backup_vault_find_or_make(struct op *op, uuid account, struct str name, const char *permission,
				 const struct backup_vault **ret_vault);
/* Returns a role of the account as the asker of work, in place of the caller, who must be allowed to pass the role. ERR_INVALID: there is no
 * such role. */
RESULT backup_role_take(struct op *op, uuid account, struct str arn, enum kind kind, struct asker *ret_asker);

/* Faces with XML show the text, too. ERR_INVALID with the field. */
RESULT vault_check_text(struct op *op, const char *field, struct str text);
/* Finds a plan of AWS Backup and checks the permission. ERR_NOT_FOUND: no such plan, or not one of AWS Backup. */
RESULT vault_plan_find(struct op *op, const struct ref *ref, const char *permission,
		       const struct backup_plan **ret_plan);
/* True if the selection selects the instance or volume with these tags. */
bool vault_selection_has(const struct backup_selection *s, enum kind kind, uuid id, struct tags tags);
/* Makes all rules of the plan compute their next runs, without making up for missed ones. at_us: they run then; 0: by schedule. */
RESULT vault_plan_restart(struct op *op, uuid plan, int64_t at_us);
/* Copies the earliest next run and the latest run of the rules to the plan's row. */
RESULT vault_plan_sum_up(struct op *op, uuid plan);

/* A backup of the rule's run has failed: schedules a retry, with a condition of the plan. Nothing for a rule that is gone, or an earlier
 * run. `of` is the instance or volume. */
RESULT backup_rule_note_failure(struct op *op, uuid rule, int64_t due_us, struct str of, struct str problem);
/* Clears the condition of the plan after a backup has completed, once nothing of the last runs is to be retried. */
RESULT backup_rule_note_success(struct op *op, uuid rule, int64_t due_us);

/* A backup of a volume as a recovery point. */
struct volume_backup_order {
	const struct volume *volume;
	const struct backup_rule *rule; /* NULL: a call asks for it */
	int64_t due_us;                 /* the rule's run */
	struct str target, container, field;
	int64_t keep_days, complete_minutes; /* 0: for ever; without a deadline */
	struct tags tags;
	struct asker asker; /* whose policies decide until the data are written */
};
RESULT vault_back_up_volume(struct op *op, const struct volume_backup_order *order, uuid *ret_made);
