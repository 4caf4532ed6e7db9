/* SPDX-License-Identifier: Apache-2.0
 * Runs of the rules of AWS Backup's plans: which instances and volumes a run backs up, retries within the start window, and resources left
 * out. A rule makes recovery points of its own, whatever other rules of the plan make at the same time. */
#include <inttypes.h>

#include "engine/backup/backup_plan.h"
#include "engine/backup/backup_plan_internal.h"
#include "engine/backup/backup_vault.h"
#include "engine/backup/backup_vault_internal.h"
#include "engine/backup/machine_backup_internal.h"
#include "engine/condition_internal.h"
#include "engine/storage/snapshot/backup_internal.h"
#include "model/states.h"
#include "store/backup.h"
#include "store/backup_plan.h"
#include "store/backup_rule.h"
#include "store/backup_selection.h"
#include "store/instance.h"
#include "store/machine_backup.h"
#include "store/volume.h"

enum { SENTENCE_MAX = 1000 };

/* An instance or volume that a run may back up. */
struct candidate {
	enum kind kind;
	const struct row *row;
	struct tags tags;
};

/* ---- candidates ---- */

/* Finds the first selection of the plan that selects the resource: the role of this selection decides. NULL: none does. */
static const struct backup_selection *find_selection(struct op *op, uuid plan, const struct candidate *c)
{
	const struct backup_selection *s = backup_selection_first_by_plan(op->head, plan);
	while (s && !vault_selection_has(s, c->kind, c->row->id, c->tags))
		s = backup_selection_next_by_plan(op->head, s);
	return s;
}

/* Progress of a rule with one resource. */
struct run_state {
	bool is_done;   /* complete, or being written */
	bool is_behind; /* an earlier run's backup is being written */
};

static void see(struct run_state *state, int64_t of_us, int64_t due_us, bool has_failed, bool is_creating)
{
	if (has_failed)
		return;
	state->is_done = state->is_done || of_us == due_us;
	state->is_behind = state->is_behind || (of_us != due_us && is_creating);
}

static struct run_state find_run(const struct tables *t, uuid rule, const struct candidate *c, int64_t due_us)
{
	struct run_state state = {0};
	if (c->kind == KIND_INSTANCE)
		for (const struct machine_backup *m = machine_backup_first_by_instance(t, c->row->id); m;
		     m = machine_backup_next_by_instance(t, m)) {
			enum machine_backup_state is = model_derive_machine_backup_state(m);
			if (uuid_equal(m->rule, rule))
				see(&state, m->due_us, due_us, is == MACHINE_BACKUP_ERROR,
				    is == MACHINE_BACKUP_CREATING);
		}
	else
		for (const struct backup *b = backup_first_by_volume(t, c->row->id); b;
		     b = backup_next_by_volume(t, b)) {
			enum backup_state is = model_derive_backup_state(b);
			if (uuid_equal(b->rule, rule))
				see(&state, b->due_us, due_us, is == BACKUP_ERROR, is == BACKUP_CREATING);
		}
	return state;
}

/* ---- one resource ---- */

static RESULT back_up_machine(struct op *op, const struct backup_rule *rule, const struct candidate *c,
			      struct asker asker)
{
	const struct backup_plan *plan = backup_plan_find(op->head, rule->plan);
	uuid ignored;
	const struct machine_backup_order order = {.instance = instance_of(c->row),
						   .plan = plan,
						   .rule = rule->row.id,
						   .due_us = rule->run_us,
						   .target = plan->target,
						   .container = rule->container,
						   .description =
							   str_print(op->ctx->arena, "Backup plan: %" STR_FMT,
								     STR_ARG(str_cut(plan->name, 200))),
						   .keep_days = rule->keep_days,
						   .complete_minutes = rule->complete_minutes,
						   .tags = rule->tags,
						   .asker = asker};
	return machine_backup_write(op, &order, &ignored);
}

static RESULT back_up_volume(struct op *op, const struct backup_rule *rule, const struct candidate *c,
			     struct asker asker)
{
	uuid ignored;
	const struct volume_backup_order order = {.volume = volume_of(c->row),
						  .rule = rule,
						  .due_us = rule->run_us,
						  .target = backup_plan_find(op->head, rule->plan)->target,
						  .container = rule->container,
						  .keep_days = rule->keep_days,
						  .complete_minutes = rule->complete_minutes,
						  .tags = rule->tags,
						  .asker = asker};
	return vault_back_up_volume(op, &order, &ignored);
}

/* A backup outside of all vaults would be in no list: the vault has to exist. */
static RESULT back_up(struct op *op, const struct backup_rule *rule, const struct candidate *c,
		      const struct backup_selection *s, struct later_guard *guard)
{
	const struct backup_vault *ignored = NULL;
	struct asker asker = {.account = s->account, .with = s->made_with};
	bool is_machine = c->kind == KIND_INSTANCE;
	TRY(backup_plan_check_account(op, rule->account));
	TRY(backup_vault_find_or_make(op, rule->account, engine_vault_name(rule->container), NULL, &ignored));
	TRY(backup_plan_ask(op, asker, guard, is_machine ? "machine_backup.create" : "backup.create", c->kind,
			    c->row, &asker));
	return is_machine ? back_up_machine(op, rule, c, asker) : back_up_volume(op, rule, c, asker);
}

/* ---- a run ---- */

struct run {
	struct later_guard *guard;
	size_t begun, behind, left_out;
	struct refusals refused;
	struct str who_is_behind;
};

/* A refusal of one resource takes back what was written for it, and leaves the others. */
static RESULT visit(struct op *op, const struct backup_rule *rule, const struct candidate *c, struct run *run)
{
	const struct backup_selection *s = find_selection(op, rule->plan, c);
	struct run_state state = find_run(op->head, rule->row.id, c, rule->run_us);
	struct op_place place = op_place_now(op);
	if (!s || state.is_done)
		return OK;
	if (state.is_behind) {
		if (!run->behind++)
			run->who_is_behind = engine_write_id(op, c->kind, c->row->id);
		return OK;
	}
	if (run->begun == PLAN_MACHINES_MAX) {
		run->left_out++;
		return OK;
	}
	struct result result = back_up(op, rule, c, s, run->guard);
	if (!result_is_ok(result))
		return condition_take_refusal(op, place, result, c->kind, c->row->id, &run->refused);
	run->begun++;
	return OK;
}

/* Test restores, and media of CD-ROM drives, have no recovery points. */
static RESULT visit_all(struct op *op, const struct backup_rule *rule, struct run *run)
{
	for (const struct instance *i = instance_first_by_account(op->head, rule->account), *after = NULL; i;
	     i = after) {
		const struct candidate c = {KIND_INSTANCE, &i->row, i->tags};
		after = instance_next_by_account(op->head, i);
		if (row_is_live(&i->row) && !machine_backup_first_by_check_instance(op->head, i->row.id))
			TRY(visit(op, rule, &c, run));
	}
	for (const struct volume *v = volume_first_by_account(op->head, rule->account), *after = NULL; v;
	     v = after) {
		const struct candidate c = {KIND_VOLUME, &v->row, v->tags};
		bool is_of_test = !uuid_is_none(v->instance) &&
				  machine_backup_first_by_check_instance(op->head, v->instance);
		after = volume_next_by_account(op->head, v);
		if (row_is_live(&v->row) && !v->is_medium && !is_of_test)
			TRY(visit(op, rule, &c, run));
	}
	return OK;
}

/* ---- conditions, which a plan has for all its rules ---- */

static bool has_skipped(const struct tables *t, uuid plan)
{
	const struct backup_rule *r = backup_rule_first_by_plan(t, plan);
	while (r && !(r->skipped_us && r->skipped_us == r->run_us))
		r = backup_rule_next_by_plan(t, r);
	return r != NULL;
}

static bool has_failed(const struct tables *t, uuid plan)
{
	const struct backup_rule *r = backup_rule_first_by_plan(t, plan);
	while (r && !r->failures)
		r = backup_rule_next_by_plan(t, r);
	return r != NULL;
}

static RESULT say_skipped(struct op *op, const struct backup_rule *rule, const struct run *run)
{
	const struct backup_plan *plan = backup_plan_find(op->head, rule->plan);
	if (!run->behind && !run->left_out)
		return has_skipped(op->head, rule->plan)
			       ? OK
			       : condition_clear(op, rule->plan, STR(BACKUP_RUN_SKIPPED));
	struct str why =
		run->behind
			? str_print(op->ctx->arena,
				    "The last run of the rule %" STR_FMT
				    " left out %zu resources whose previous backup was not complete, first "
				    "%" STR_FMT ".",
				    STR_ARG(rule->name), run->behind, STR_ARG(run->who_is_behind))
			: str_print(op->ctx->arena,
				    "The last run of the rule %" STR_FMT
				    " left out %zu resources: a run has %d at most.",
				    STR_ARG(rule->name), run->left_out, PLAN_MACHINES_MAX);
	TRY(engine_log_event(op, KIND_BACKUP_PLAN, &plan->row, "machines left out", "%" STR_FMT,
			     STR_ARG(why)));
	return condition_set(
		op, KIND_BACKUP_PLAN, rule->plan, BACKUP_RUN_SKIPPED, why,
		run->behind ? "The next run backs them up. Let the rule run less often if this repeats."
			    : "Use several plans.");
}

/* The start window bounds the tries; within it their pauses grow, because most causes last for a while. */
static RESULT say_failed(struct op *op, struct backup_rule *next, struct str why)
{
	const struct backup_plan *plan = backup_plan_find(op->head, next->plan);
	next->retry_us = op->now_us + engine_backup_retry_pause_us(next->failures);
	if (next->start_minutes && next->retry_us > next->run_us + next->start_minutes * MINUTE)
		next->retry_us = 0;
	next->failures++;
	TRY(engine_log_event(op, KIND_BACKUP_PLAN, &plan->row, "failed", "%" STR_FMT, STR_ARG(why)));
	return condition_set(op, KIND_BACKUP_PLAN, next->plan, BACKUP_FAILED, why,
			     next->retry_us ? "Dari tries again within the rule's start window."
					    : "The next run begins anew.");
}

static RESULT run_rule(struct op *op, const struct backup_rule_turn *turn, struct backup_rule *next)
{
	struct run run = {.guard = turn->guard};
	next->retry_us = 0;
	TRY(visit_all(op, next, &run));
	if (run.behind || run.left_out)
		next->skipped_us = next->run_us;
	if (run.refused.count)
		TRY(say_failed(op, next, run.refused.first));
	TRY(backup_rule_put(op, next));
	if (!turn->is_due)
		return OK;
	TRY(say_skipped(op, next, &run));
	const struct backup_plan *plan = backup_plan_find(op->head, next->plan);
	return engine_log_event(op, KIND_BACKUP_PLAN, &plan->row, "run", "%zu resources.", run.begun);
}

RESULT engine_take_backup_rule_turn(struct op *op, struct backup_rule_turn *turn)
{
	const struct backup_rule *r = backup_rule_find(op->head, turn->rule);
	const struct backup_plan *plan = r ? backup_plan_find(op->head, r->plan) : NULL;
	if (!plan || !plan->is_active || !plan->selection_count || r->row.gen != turn->gen ||
	    r->next_us != turn->due_us || r->retry_us != turn->retry_us)
		return OK;
	struct backup_rule next = *r;
	next.next_us = turn->next_us;
	if (turn->is_due) {
		next.run_us = turn->due_us;
		next.failures = 0;
	}
	TRY(turn->is_due || turn->is_retry ? run_rule(op, turn, &next) : backup_rule_put(op, &next));
	return vault_plan_sum_up(op, next.plan);
}

/* ---- outcomes ---- */

RESULT backup_rule_note_failure(struct op *op, uuid rule, int64_t due_us, struct str of, struct str problem)
{
	const struct backup_rule *r = backup_rule_find(op->head, rule);
	if (!r || due_us != r->run_us || r->retry_us) /* one retry for all resources of the run */
		return OK;
	struct backup_rule next = *r;
	TRY(say_failed(op, &next,
		       str_print(op->ctx->arena, "%" STR_FMT ": %" STR_FMT, STR_ARG(of),
				 STR_ARG(str_cut(problem, SENTENCE_MAX)))));
	return backup_rule_put(op, &next);
}

RESULT backup_rule_note_success(struct op *op, uuid rule, int64_t due_us)
{
	const struct backup_rule *r = backup_rule_find(op->head, rule);
	if (!r || r->retry_us || due_us != r->run_us)
		return OK;
	struct backup_rule next = *r;
	next.failures = 0;
	if (r->failures)
		TRY(backup_rule_put(op, &next));
	return has_failed(op->head, next.plan) ? OK : condition_clear(op, next.plan, STR(BACKUP_FAILED));
}
