/* SPDX-License-Identifier: Apache-2.0
 * Plans of AWS Backup: one rule and one selection of instances, kept in a row of backup_plan. Source: AWS Backup's API Reference. */
#include <inttypes.h>

#include "engine/acting.h"
#include "engine/backup/backup_plan.h"
#include "engine/backup/backup_plan_internal.h"
#include "engine/backup/backup_vault.h"
#include "engine/backup/backup_vault_internal.h"
#include "engine/backup/machine_backup.h"
#include "engine/events/events.h"
#include "engine/limits.h"
#include "engine/people/policy/iam_role.h"
#include "engine/tag_internal.h"
#include "store/backup_plan.h"
#include "store/iam_role.h"
#include "store/instance.h"

bool engine_is_vault_plan(const struct backup_plan *plan)
{
	return !uuid_is_none(plan->rule);
}

static RESULT fail(struct op *op, const char *field, const char *why)
{
	return ENGINE_FAIL(op, ERR_INVALID, KIND_BACKUP_PLAN, str_from(field), "%s", why);
}

RESULT backup_role_take(struct op *op, uuid account, struct str arn, enum kind kind, struct asker *ret_asker)
{
	TRY(iam_role_permit_pass(op, account, arn, STR("backup.amazonaws.com"), kind, STR("IamRoleArn")));
	const struct iam_role *role = iam_role_find_arn(op->head, account, arn);
	if (!role)
		return ctx_fail(op->ctx, ERR_INTERNAL, "The role is gone.");
	*ret_asker = (struct asker){.account = account, .with = role->row.id};
	return OK;
}

/* Faces with XML show these texts, too, for example in the descriptions of backups. */
static RESULT check_text(struct op *op, const char *field, struct str text)
{
	return str_is_xml_text(text) ? OK
				     : ENGINE_FAIL(op, ERR_INVALID, KIND_BACKUP_PLAN, str_from(field),
						   "%s has characters that are not allowed.", field);
}

/* ---- the rule ---- */

static RESULT check_rule(struct op *op, const struct vault_plan_wish *wish)
{
	if (!result_is_ok(engine_check_event_schedule(op->ctx, wish->schedule)) ||
	    !str_starts_with(wish->schedule, STR("cron("))) {
		ctx_clear_problem(op->ctx);
		return fail(op, "ScheduleExpression",
			    "ScheduleExpression: no expression such as cron(0 5 * * ? *), in UTC.");
	}
	if (wish->complete_minutes && wish->complete_minutes < wish->start_minutes)
		return fail(op, "CompletionWindowMinutes",
			    "CompletionWindowMinutes is not shorter than StartWindowMinutes.");
	return OK;
}

static RESULT take_rule(struct op *op, const struct vault_plan_wish *wish, struct backup_plan *plan)
{
	const struct backup_vault *vault = NULL;
	if (!wish->target.n)
		return ctx_fail(op->ctx, ERR_GONE, "This region keeps no backups: it has no place for them.");
	const struct backup_plan *other = backup_plan_find_by_name(op->head, plan->account, wish->name);
	if (other && !uuid_equal(other->row.id, plan->row.id))
		return ENGINE_FAIL(op, ERR_EXISTS, KIND_BACKUP_PLAN, STR("BackupPlanName"),
				   "The account has a backup plan '%" STR_FMT "' already.",
				   STR_ARG(wish->name));
	TRY(check_text(op, "BackupPlanName", wish->name));
	TRY(check_text(op, "RuleName", wish->rule_name));
	TRY(check_text(op, "CreatorRequestId", wish->token));
	TRY(check_rule(op, wish));
	TRY(backup_vault_find_or_make(op, plan->account, wish->vault, NULL, &vault));
	TRY(tag_normalize(op, wish->backup_tags, &plan->backup_tags));
	plan->name = wish->name;
	plan->rule_name = wish->rule_name;
	plan->rule = engine_new_id(op, KIND_BACKUP_PLAN);
	plan->version = engine_new_id(op, KIND_BACKUP_PLAN);
	plan->interval = BACKUP_PLAN_INTERVAL_EXPRESSION;
	plan->schedule = wish->schedule;
	plan->keep_days = wish->keep_days;
	plan->start_minutes = wish->start_minutes;
	plan->complete_minutes = wish->complete_minutes;
	plan->container = engine_vault_container(wish->vault);
	plan->target = wish->target;
	plan->next_us = 0;
	plan->row.gen++;
	return backup_plan_put(op, plan);
}

RESULT engine_create_vault_plan(struct op *op, struct vault_plan_wish *wish)
{
	uuid account = UUID_NONE;
	TRY(engine_find_acting_id(op, &account));
	struct backup_plan plan = {.row.id = engine_new_id(op, KIND_BACKUP_PLAN),
				   .account = account,
				   .timezone = STR("UTC"),
				   .check_marker = STR(MACHINE_BACKUP_MARKER),
				   .token = wish->token};
	TRY(engine_permit_new(op, "vault_plan.create", KIND_BACKUP_PLAN, &plan.row));
	TRY(limit_check(op, LIMIT_BACKUP_PLANS, account, 1, STR_NONE));
	TRY(tag_normalize(op, wish->tags, &plan.tags));
	ASKER_NOTE(op, &plan);
	TRY(take_rule(op, wish, &plan));
	wish->made = plan.row.id;
	return backup_plan_log(op, &plan, "created");
}

static RESULT find(struct op *op, const struct ref *ref, const char *permission,
		   const struct backup_plan **ret_plan)
{
	TRY(engine_permit_backup_plan(op, ref, permission, ret_plan));
	return engine_is_vault_plan(*ret_plan) ? OK : engine_fail_not_found(op->ctx, KIND_BACKUP_PLAN, ref);
}

RESULT engine_update_vault_plan(struct op *op, struct vault_plan_wish *wish)
{
	const struct backup_plan *before = NULL;
	TRY(find(op, &wish->plan, "vault_plan.update", &before));
	struct backup_plan plan = *before;
	plan.changed_us = op->now_us;
	TRY(take_rule(op, wish, &plan));
	wish->made = plan.row.id;
	return backup_plan_log(op, &plan, "changed");
}

RESULT engine_delete_vault_plan(struct op *op, struct vault_plan_target *wish)
{
	const struct backup_plan *plan = NULL;
	TRY(find(op, &wish->plan, "vault_plan.delete", &plan));
	if (!uuid_is_none(plan->selection))
		return ENGINE_FAIL(op, ERR_STATE, KIND_BACKUP_PLAN, STR("backupPlanId"),
				   "Related backup plan selections must be deleted prior to backup plan "
				   "deletion.");
	return backup_plan_end(op, plan);
}

/* ---- the selection ---- */

RESULT engine_create_vault_selection(struct op *op, struct vault_selection_wish *wish)
{
	const struct backup_plan *before = NULL;
	struct asker asker = {0};
	TRY(find(op, &wish->plan, "vault_plan.select", &before));
	if (!uuid_is_none(before->selection))
		return ENGINE_FAIL(op, ERR_EXISTS, KIND_BACKUP_PLAN, STR("BackupSelection"),
				   "A plan has one selection here. Create a plan for each selection.");
	struct backup_plan plan = *before;
	TRY(check_text(op, "SelectionName", wish->name));
	TRY(backup_role_take(op, plan.account, wish->role, KIND_BACKUP_PLAN, &asker));
	TRY(backup_plan_take_instances(op, &wish->instances, NULL, "Resources", &plan));
	plan.tag_key = wish->tag_key;
	plan.tag_value = wish->tag_value;
	plan.is_condition = wish->is_condition;
	plan.selection = engine_new_id(op, KIND_BACKUP_PLAN);
	plan.selection_name = wish->name;
	plan.selected_us = op->now_us;
	plan.role = wish->role;
	plan.made_by = asker.user;
	plan.made_with = asker.with;
	plan.made_until_us = 0;
	plan.is_active = true;
	plan.next_us = 0;
	plan.row.gen++;
	TRY(backup_plan_put(op, &plan));
	wish->selection = plan.selection;
	return backup_plan_log(op, &plan, "changed");
}

RESULT engine_delete_vault_selection(struct op *op, struct vault_plan_target *wish)
{
	const struct backup_plan *before = NULL;
	TRY(find(op, &wish->plan, "vault_plan.deselect", &before));
	if (uuid_is_none(wish->selection) || !uuid_equal(wish->selection, before->selection))
		return ENGINE_FAIL(op, ERR_NOT_FOUND, KIND_BACKUP_PLAN, STR("selectionId"),
				   "The plan has no such selection.");
	struct backup_plan plan = *before;
	plan.instances = (struct uuids){0};
	plan.tag_key = plan.tag_value = plan.selection_name = plan.role = STR_NONE;
	plan.selection = UUID_NONE;
	plan.selected_us = 0;
	plan.is_condition = false;
	plan.is_active = false;
	plan.row.gen++;
	ASKER_NOTE(op, &plan);
	TRY(backup_plan_put(op, &plan));
	return backup_plan_log(op, &plan, "changed");
}
