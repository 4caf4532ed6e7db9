/* SPDX-License-Identifier: Apache-2.0
 * Plans of AWS Backup and their rules. Selections: vault_selection.c. Source: AWS Backup's API Reference. */
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
#include "store/backup_rule.h"
#include "store/iam_role.h"

bool engine_is_vault_plan(const struct backup_plan *plan)
{
	return !uuid_is_none(plan->version);
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
RESULT vault_check_text(struct op *op, const char *field, struct str text)
{
	return str_is_xml_text(text) ? OK
				     : ENGINE_FAIL(op, ERR_INVALID, KIND_BACKUP_PLAN, str_from(field),
						   "%s has characters that are not allowed.", field);
}

/* ---- rules ---- */

static RESULT check_rule(struct op *op, const struct vault_rule_wish *rule)
{
	TRY(vault_check_text(op, "RuleName", rule->name));
	if (!result_is_ok(engine_check_event_schedule(op->ctx, rule->schedule)) ||
	    !str_starts_with(rule->schedule, STR("cron("))) {
		ctx_clear_problem(op->ctx);
		return fail(op, "ScheduleExpression",
			    "ScheduleExpression: no expression such as cron(0 5 * * ? *), in UTC.");
	}
	if (rule->complete_minutes && rule->complete_minutes < rule->start_minutes)
		return fail(op, "CompletionWindowMinutes",
			    "CompletionWindowMinutes is not shorter than StartWindowMinutes.");
	return OK;
}

static RESULT check_rules(struct op *op, const struct vault_plan_wish *wish)
{
	if (!wish->rule_count || wish->rule_count > PLAN_RULES_MAX)
		return fail(op, "Rules", "Rules: a plan has 1 to 100.");
	for (size_t k = 0; k < wish->rule_count; k++) {
		TRY(check_rule(op, &wish->rules[k]));
		for (size_t m = 0; m < k; m++)
			if (str_equal(wish->rules[m].name, wish->rules[k].name))
				return fail(op, "Rules", "Rules: each rule of a plan has a name of its own.");
	}
	return OK;
}

static const struct backup_rule *find_rule(const struct tables *t, uuid plan, struct str name)
{
	const struct backup_rule *r = backup_rule_first_by_plan(t, plan);
	while (r && !str_equal(r->name, name))
		r = backup_rule_next_by_plan(t, r);
	return r;
}

/* Writes a rule. A rule with an unchanged schedule keeps its next run: a change just before it must not lose the run. */
static RESULT take_rule(struct op *op, const struct backup_plan *plan, const struct vault_rule_wish *wish,
			size_t position)
{
	const struct backup_rule *before = find_rule(op->head, plan->row.id, wish->name);
	const struct backup_vault *vault = NULL;
	struct backup_rule rule = before ? *before
					 : (struct backup_rule){.row.id = engine_new_id(op, KIND_BACKUP_RULE),
								.account = plan->account,
								.plan = plan->row.id,
								.name = wish->name};
	TRY(backup_vault_find_or_make(op, plan->account, wish->vault, NULL, &vault));
	TRY(tag_normalize(op, wish->tags, &rule.tags));
	if (!str_equal(rule.schedule, wish->schedule))
		rule.next_us = 0;
	rule.position = (int64_t) position;
	rule.schedule = wish->schedule;
	rule.container = engine_vault_container(wish->vault);
	rule.keep_days = wish->keep_days;
	rule.start_minutes = wish->start_minutes;
	rule.complete_minutes = wish->complete_minutes;
	rule.row.gen++;
	return backup_rule_put(op, &rule);
}

static bool is_wanted(const struct vault_plan_wish *wish, const struct backup_rule *rule)
{
	for (size_t k = 0; k < wish->rule_count; k++)
		if (str_equal(wish->rules[k].name, rule->name))
			return true;
	return false;
}

static RESULT take_rules(struct op *op, const struct vault_plan_wish *wish, uuid id)
{
	for (const struct backup_rule *r = backup_rule_first_by_plan(op->head, id), *after = NULL; r;
	     r = after) {
		after = backup_rule_next_by_plan(op->head, r);
		if (!is_wanted(wish, r))
			TRY(backup_rule_forget(op, r->row.id));
	}
	const struct backup_plan plan = *backup_plan_find(op->head, id);
	for (size_t k = 0; k < wish->rule_count; k++)
		TRY(take_rule(op, &plan, &wish->rules[k], k));
	return vault_plan_sum_up(op, id);
}

RESULT vault_plan_restart(struct op *op, uuid plan, int64_t at_us)
{
	for (const struct backup_rule *r = backup_rule_first_by_plan(op->head, plan); r;
	     r = backup_rule_next_by_plan(op->head, r)) {
		struct backup_rule next = *r;
		next.next_us = at_us;
		next.retry_us = 0;
		next.row.gen++;
		TRY(backup_rule_put(op, &next));
		r = backup_rule_find(op->head, next.row.id);
	}
	return vault_plan_sum_up(op, plan);
}

RESULT vault_plan_sum_up(struct op *op, uuid id)
{
	struct backup_plan plan = *backup_plan_find(op->head, id);
	plan.next_us = 0;
	for (const struct backup_rule *r = backup_rule_first_by_plan(op->head, id); r;
	     r = backup_rule_next_by_plan(op->head, r)) {
		if (r->next_us && (!plan.next_us || r->next_us < plan.next_us))
			plan.next_us = r->next_us;
		if (r->run_us > plan.run_us)
			plan.run_us = r->run_us;
		if (r->skipped_us > plan.skipped_us)
			plan.skipped_us = r->skipped_us;
	}
	return backup_plan_put(op, &plan);
}

/* ---- plans ---- */

/* Copies schedule and folder of the first rule to the plan, for pages that show a single one. */
static RESULT write_plan(struct op *op, struct vault_plan_wish *wish, struct backup_plan *plan,
			 const char *what)
{
	if (!wish->target.n)
		return ctx_fail(op->ctx, ERR_GONE, "This region keeps no backups: it has no place for them.");
	const struct backup_plan *other = backup_plan_find_by_name(op->head, plan->account, wish->name);
	if (other && !uuid_equal(other->row.id, plan->row.id))
		return ENGINE_FAIL(op, ERR_EXISTS, KIND_BACKUP_PLAN, STR("BackupPlanName"),
				   "The account has a backup plan '%" STR_FMT "' already.",
				   STR_ARG(wish->name));
	TRY(vault_check_text(op, "BackupPlanName", wish->name));
	TRY(vault_check_text(op, "CreatorRequestId", wish->token));
	TRY(check_rules(op, wish));
	plan->name = wish->name;
	plan->version = engine_new_id(op, KIND_BACKUP_PLAN);
	plan->interval = BACKUP_PLAN_INTERVAL_EXPRESSION;
	plan->schedule = wish->rules[0].schedule;
	plan->container = engine_vault_container(wish->rules[0].vault);
	plan->rule_count = (int64_t) wish->rule_count;
	plan->target = wish->target;
	plan->row.gen++;
	wish->made = plan->row.id;
	TRY(backup_plan_put(op, plan));
	TRY(take_rules(op, wish, plan->row.id));
	return backup_plan_log(op, plan, what);
}

RESULT engine_create_vault_plan(struct op *op, struct vault_plan_wish *wish)
{
	uuid account = UUID_NONE;
	TRY(engine_find_acting_id(op, &account));
	struct backup_plan plan = {.row.id = engine_new_id(op, KIND_BACKUP_PLAN),
				   .account = account,
				   .timezone = STR("UTC"),
				   .check_marker = STR(MACHINE_BACKUP_MARKER),
				   .is_active = true,
				   .token = wish->token};
	TRY(engine_permit_new(op, "vault_plan.create", KIND_BACKUP_PLAN, &plan.row));
	TRY(limit_check(op, LIMIT_BACKUP_PLANS, account, 1, STR_NONE));
	TRY(tag_normalize(op, wish->tags, &plan.tags));
	ASKER_NOTE(op, &plan);
	return write_plan(op, wish, &plan, "created");
}

RESULT vault_plan_find(struct op *op, const struct ref *ref, const char *permission,
		       const struct backup_plan **ret_plan)
{
	TRY(engine_permit_backup_plan(op, ref, permission, ret_plan));
	return engine_is_vault_plan(*ret_plan) ? OK : engine_fail_not_found(op->ctx, KIND_BACKUP_PLAN, ref);
}

RESULT engine_update_vault_plan(struct op *op, struct vault_plan_wish *wish)
{
	const struct backup_plan *before = NULL;
	TRY(vault_plan_find(op, &wish->plan, "vault_plan.update", &before));
	struct backup_plan plan = *before;
	plan.changed_us = op->now_us;
	return write_plan(op, wish, &plan, "changed");
}

RESULT engine_delete_vault_plan(struct op *op, struct vault_plan_target *wish)
{
	const struct backup_plan *plan = NULL;
	TRY(vault_plan_find(op, &wish->plan, "vault_plan.delete", &plan));
	if (plan->selection_count)
		return ENGINE_FAIL(op, ERR_STATE, KIND_BACKUP_PLAN, STR("backupPlanId"),
				   "Related backup plan selections must be deleted prior to backup plan "
				   "deletion.");
	return backup_plan_end(op, plan);
}
