/* SPDX-License-Identifier: Apache-2.0
 * Runs of backup plans: which machines a run backs up, retries, skipped machines, and expiry. */
#include <inttypes.h>

#include "engine/backup/backup_plan.h"
#include "engine/backup/backup_plan_internal.h"
#include "engine/backup/backup_vault.h"
#include "engine/backup/backup_vault_internal.h"
#include "engine/backup/machine_backup_internal.h"
#include "engine/condition_internal.h"
#include "engine/people/asker.h"
#include "engine/people/policy/role.h"
#include "engine/storage/snapshot/backup.h"
#include "model/states.h"
#include "store/account.h"
#include "store/backup_plan.h"
#include "store/instance.h"
#include "store/machine_backup.h"
#include "store/user.h"

#define PAUSE_MIN_US MINUTE
#define PAUSE_MAX_US HOUR
enum { SENTENCE_MAX = 1000 };

int64_t engine_backup_retry_pause_us(int64_t failures)
{
	int64_t pause_us = PAUSE_MIN_US;
	for (int64_t k = 0; k < failures && pause_us < PAUSE_MAX_US; k++)
		pause_us *= 2;
	return pause_us < PAUSE_MAX_US ? pause_us : PAUSE_MAX_US;
}

/* ---- the machines of a run ---- */

static bool is_selected(const struct backup_plan *p, const struct instance *i)
{
	const struct tag *tag = p->tag_key.n ? tags_find(i->tags, p->tag_key) : NULL;
	return uuids_have(&p->instances, i->row.id) ||
	       (tag && (!p->tag_value.n || str_equal(tag->value, p->tag_value)));
}

/* Test restores have no machine backups of their own. */
static bool is_test(const struct tables *t, const struct instance *i)
{
	return machine_backup_first_by_check_instance(t, i->row.id) != NULL;
}

/* The machine's backup in this run of the plan, and whether an earlier one is still being written. */
struct run_state {
	bool is_done;   /* complete, or being written */
	bool is_behind; /* an earlier run's backup is being written */
};
static struct run_state find_run(const struct tables *t, const struct backup_plan *p, uuid instance,
				 int64_t due_us)
{
	struct run_state state = {0};
	for (const struct machine_backup *m = machine_backup_first_by_plan(t, p->row.id); m;
	     m = machine_backup_next_by_plan(t, m)) {
		enum machine_backup_state is = model_derive_machine_backup_state(m);
		if (!uuid_equal(m->instance, instance) || is == MACHINE_BACKUP_ERROR)
			continue;
		state.is_done = state.is_done || m->due_us == due_us;
		state.is_behind = state.is_behind || (m->due_us != due_us && is == MACHINE_BACKUP_CREATING);
	}
	return state;
}

/* ---- one machine ---- */

/* The account keeps the plan of a user who has left it; such backups are then the system's. Policies and roles of a
 * user who is there decide. */
static RESULT ask_again(struct op *op, const struct backup_plan *p, struct later_guard *guard,
			const char *permission, enum kind kind, const struct row *row,
			struct asker *ret_asker)
{
	struct asker asker = ASKER_OF(p);
	const struct asker_work work = {guard, permission, op->now_us};
	const char *why = asker_weigh_credential(op->head, &asker, op->now_us);
	if (why)
		return ctx_fail_kind(op->ctx, ERR_DENIED, KIND_USER, "%s Set the plan anew.", why);
	bool has_left = !uuid_is_none(asker.user) && !user_find(op->head, asker.user);
	if (!has_left && guard)
		TRY(asker_permit(op, &asker, &work, kind, row));
	*ret_asker = has_left ? (struct asker){.account = asker.account} : asker;
	return OK;
}

/* Checks that the vault of a plan of AWS Backup still exists; a backup outside of all vaults would be in no list. */
static RESULT check_vault(struct op *op, const struct backup_plan *p)
{
	const struct backup_vault *ignored = NULL;
	return engine_is_vault_plan(p)
		       ? backup_vault_find_or_make(op, p->account, engine_vault_name(p->container), NULL,
						   &ignored)
		       : OK;
}

static RESULT back_up(struct op *op, const struct backup_plan *p, const struct instance *i, int64_t due_us,
		      struct later_guard *guard)
{
	uuid made = UUID_NONE;
	struct machine_backup_order order = {
		.instance = i,
		.plan = p,
		.due_us = due_us,
		.target = p->target,
		.container = p->container,
		.description =
			str_print(op->ctx->arena, "Backup plan: %" STR_FMT, STR_ARG(str_cut(p->name, 200))),
		.keep_days = p->keep_days,
		.complete_minutes = p->complete_minutes,
		.tags = engine_is_vault_plan(p) ? p->backup_tags : p->tags};
	if (!engine_is_account_open(op->head, account_find(op->head, p->account)))
		return ctx_fail_kind(op->ctx, ERR_DENIED, KIND_ACCOUNT, "The account is disabled.");
	TRY(check_vault(op, p));
	TRY(ask_again(op, p, guard, "machine_backup.create", KIND_INSTANCE, &i->row, &order.asker));
	return machine_backup_write(op, &order, &made);
}

/* ---- a run ---- */

struct run {
	struct later_guard *guard;
	int64_t due_us;
	size_t begun, behind, left_out;
	struct refusals refused;
	struct str who_is_behind;
};

/* A refusal of one machine takes back what was written for it, and leaves the others. */
static RESULT visit(struct op *op, const struct backup_plan *p, const struct instance *i, struct run *run)
{
	struct run_state state = find_run(op->head, p, i->row.id, run->due_us);
	struct op_place place = op_place_now(op);
	if (state.is_done)
		return OK;
	if (state.is_behind) {
		if (!run->behind++)
			run->who_is_behind = engine_write_id(op, KIND_INSTANCE, i->row.id);
		return OK;
	}
	if (run->begun == PLAN_MACHINES_MAX) {
		run->left_out++;
		return OK;
	}
	struct result result = back_up(op, p, i, run->due_us, run->guard);
	if (!result_is_ok(result))
		return condition_take_refusal(op, place, result, KIND_INSTANCE, i->row.id, &run->refused);
	run->begun++;
	return OK;
}

static RESULT visit_all(struct op *op, const struct backup_plan *p, struct run *run)
{
	for (const struct instance *i = instance_first_by_account(op->head, p->account); i;
	     i = instance_next_by_account(op->head, i))
		if (row_is_live(&i->row) && is_selected(p, i) && !is_test(op->head, i))
			TRY(visit(op, p, i, run));
	return OK;
}

static RESULT say_skipped(struct op *op, const struct backup_plan *p, const struct run *run)
{
	if (!run->behind && !run->left_out)
		return condition_clear(op, p->row.id, STR(BACKUP_RUN_SKIPPED));
	struct str why = run->behind ? str_print(op->ctx->arena,
						 "The last run left out %zu machines whose previous backup "
						 "was not complete, "
						 "first %" STR_FMT ".",
						 run->behind, STR_ARG(run->who_is_behind))
				     : str_print(op->ctx->arena,
						 "The last run left out %zu machines: a run has %d at most.",
						 run->left_out, PLAN_MACHINES_MAX);
	TRY(engine_log_event(op, KIND_BACKUP_PLAN, &p->row, "machines left out", "%" STR_FMT, STR_ARG(why)));
	return condition_set(
		op, KIND_BACKUP_PLAN, p->row.id, BACKUP_RUN_SKIPPED, why,
		run->behind ? "The next run backs them up. Let the plan run less often if this repeats."
			    : "Use several plans.");
}

/* Schedules the next try, after a pause that grows with the failures so far: most causes, such as a host that is away, last
 * for a while. The next run begins anew. */
static RESULT say_failed(struct op *op, struct backup_plan *next, struct str why)
{
	next->retry_us = op->now_us + engine_backup_retry_pause_us(next->failures);
	if (next->start_minutes && next->retry_us > next->run_us + next->start_minutes * MINUTE)
		next->retry_us = 0;
	next->failures++;
	TRY(engine_log_event(op, KIND_BACKUP_PLAN, &next->row, "failed", "%" STR_FMT, STR_ARG(why)));
	return condition_set(op, KIND_BACKUP_PLAN, next->row.id, BACKUP_FAILED, why,
			     next->retry_us ? "Dari tries again until the next run."
					    : "The next run begins anew.");
}

static RESULT run_plan(struct op *op, const struct backup_plan_turn *turn, struct backup_plan *next)
{
	struct run run = {.guard = turn->guard, .due_us = next->run_us};
	next->retry_us = 0;
	TRY(visit_all(op, next, &run));
	if (run.behind || run.left_out)
		next->skipped_us = next->run_us;
	if (turn->is_due)
		TRY(say_skipped(op, next, &run));
	if (run.refused.count)
		TRY(say_failed(op, next, run.refused.first));
	TRY(backup_plan_put(op, next));
	return turn->is_due
		       ? engine_log_event(op, KIND_BACKUP_PLAN, &next->row, "run", "%zu machines.", run.begun)
		       : OK;
}

RESULT engine_take_backup_turn(struct op *op, struct backup_plan_turn *turn)
{
	const struct backup_plan *p = backup_plan_find(op->head, turn->plan);
	if (!p || p->row.gen != turn->gen || p->next_us != turn->due_us || p->retry_us != turn->retry_us ||
	    !p->is_active)
		return OK;
	struct backup_plan next = *p;
	next.next_us = turn->next_us;
	if (!turn->is_due && !turn->is_retry)
		return backup_plan_put(op, &next);
	if (turn->is_due) {
		next.run_us = turn->due_us;
		next.failures = 0;
	}
	return run_plan(op, turn, &next);
}

/* ---- outcomes ---- */

RESULT backup_plan_note_failure(struct op *op, const struct machine_backup *m)
{
	const struct backup_plan *p = backup_plan_find(op->head, m->plan);
	if (!p || m->due_us != p->run_us)
		return OK;
	struct backup_plan next = *p;
	struct str why = str_print(op->ctx->arena, "%" STR_FMT ": %" STR_FMT,
				   STR_ARG(engine_write_id(op, KIND_INSTANCE, m->instance)),
				   STR_ARG(str_cut(m->problem, SENTENCE_MAX)));
	if (p->retry_us) /* another machine of the run has failed, too: one retry for all */
		return OK;
	TRY(say_failed(op, &next, why));
	return backup_plan_put(op, &next);
}

RESULT backup_plan_note_success(struct op *op, const struct machine_backup *m)
{
	const struct backup_plan *p = backup_plan_find(op->head, m->plan);
	if (!p || p->retry_us || m->due_us != p->run_us)
		return OK;
	return condition_clear(op, p->row.id, STR(BACKUP_FAILED));
}

/* ---- expiry ---- */

static bool is_newest(const struct tables *t, const struct machine_backup *m)
{
	for (const struct machine_backup *other = machine_backup_first_by_plan(t, m->plan); other;
	     other = machine_backup_next_by_plan(t, other))
		if (uuid_equal(other->instance, m->instance) && other->data_us > m->data_us &&
		    model_derive_machine_backup_state(other) == MACHINE_BACKUP_AVAILABLE)
			return false;
	return true;
}

/* A failed backup may go once a later one is complete. */
static bool may_expire(const struct tables *t, uuid plan, const struct machine_backup *m)
{
	return m && uuid_equal(m->plan, plan) && !is_newest(t, m) && !machine_backup_is_busy(t, m) &&
	       model_derive_machine_backup_state(m) != MACHINE_BACKUP_CREATING;
}

RESULT engine_prune_backup_plan(struct op *op, struct backup_plan_pruning *wish)
{
	for (size_t k = 0; k < wish->expired.count; k++) {
		const struct machine_backup *m = machine_backup_find(op->head, wish->expired.at[k]);
		struct op_place place = op_place_now(op);
		if (!may_expire(op->head, wish->plan, m))
			continue;
		struct result result = machine_backup_drop(op, m, STR_NONE);
		if (!result_is_ok(result) && !engine_is_refusal(result.code))
			return result;
		if (!result_is_ok(result)) {
			op_go_back(op, place);
			struct str why = op->ctx->problem.message;
			ctx_clear_problem(op->ctx);
			return condition_set(op, KIND_BACKUP_PLAN, wish->plan, BACKUPS_NOT_EXPIRED, why,
					     "Dari tries again.");
		}
	}
	return condition_clear(op, wish->plan, STR(BACKUPS_NOT_EXPIRED));
}

/* ---- test restores ---- */

RESULT engine_begin_plan_check(struct op *op, struct backup_plan_check *wish)
{
	const struct machine_backup *m = machine_backup_find(op->head, wish->backup);
	const struct backup_plan *p = backup_plan_find(op->head, wish->plan);
	struct asker ignored;
	if (!m || !p || !uuid_equal(m->plan, p->row.id) ||
	    model_derive_machine_backup_state(m) != MACHINE_BACKUP_AVAILABLE ||
	    m->check_state == MACHINE_BACKUP_CHECK_STATE_RUNNING)
		return OK;
	struct op_place place = op_place_now(op);
	struct result result =
		ask_again(op, p, wish->guard, "machine_backup.check", KIND_MACHINE_BACKUP, &m->row, &ignored);
	if (result_is_ok(result))
		result = machine_check_begin(op, m, STR_NONE);
	if (result_is_ok(result) || !engine_is_refusal(result.code))
		return result;
	op_go_back(op, place);
	struct machine_backup next = *machine_backup_find(op->head, wish->backup);
	next.check_state = MACHINE_BACKUP_CHECK_STATE_FAILED;
	next.check_message = str_cut(op->ctx->problem.message, SENTENCE_MAX);
	next.checked_us = op->now_us;
	ctx_clear_problem(op->ctx);
	TRY(machine_backup_put(op, &next));
	return engine_log_event(op, KIND_MACHINE_BACKUP, &next.row, "test failed", "%" STR_FMT,
				STR_ARG(next.check_message));
}
