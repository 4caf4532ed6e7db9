/* SPDX-License-Identifier: Apache-2.0
 * Turns of machine policies: findings of a check, and the acts that are due. An act is the operation that people use, with
 * the rights of the user who set the policy; a refusal is kept in the finding. Called by: reconcile/machine_policy.c. */
#include "base/time_zone.h"
#include "engine/instance/instance.h"
#include "engine/internal.h"
#include "engine/machine_policy/machine_policy.h"
#include "engine/machine_policy/machine_policy_internal.h"
#include "engine/people/asker.h"
#include "engine/people/policy/role.h"
#include "engine/remote/remote_machine.h"
#include "model/schedule.h"
#include "store/account.h"
#include "store/instance.h"
#include "store/machine_policy.h"
#include "store/policy_finding.h"
#include "store/remote_machine.h"

/* MISSED_MAX: times of a schedule that one turn passes over after a long pause. */
enum { MISSED_MAX = 1000, PROBLEM_MAX = 1024 };

/* ---- times ---- */

static RESULT next_of(const struct time_zone *zone, struct str text, int64_t after_us, int64_t *ret_at_us)
{
	struct schedule schedule;
	*ret_at_us = INT64_MAX;
	if (!text.n)
		return OK;
	TRY(schedule_read_cron(text, &schedule));
	*ret_at_us = schedule_next_us(&schedule, zone, after_us);
	return OK;
}

static RESULT next_of_both(const struct machine_policy *p, const struct time_zone *zone, int64_t after_us,
			   int64_t *ret_at_us, enum machine_policy_turn *ret_turn)
{
	int64_t stop_us = INT64_MAX, start_us = INT64_MAX;
	TRY(next_of(zone, p->stop_at, after_us, &stop_us));
	TRY(next_of(zone, p->start_at, after_us, &start_us));
	*ret_turn = start_us <= stop_us ? MACHINE_POLICY_TURN_START : MACHINE_POLICY_TURN_STOP;
	*ret_at_us = start_us <= stop_us ? start_us : stop_us;
	return OK;
}

RESULT machine_policy_find_next(struct ctx *c, const struct machine_policy *p, int64_t after_us,
				int64_t *ret_at_us, enum machine_policy_turn *ret_turn)
{
	const struct time_zone *zone = NULL;
	*ret_at_us = 0;
	*ret_turn = MACHINE_POLICY_TURN_NONE;
	if (p->rule != MACHINE_POLICY_RULE_SCHEDULE)
		return OK;
	TRY(time_zone_load(c, p->timezone, &zone));
	return next_of_both(p, zone, after_us, ret_at_us, ret_turn);
}

/* Takes the last time that has come, and computes the next one. Many missed times read the time zone's file once, because
 * this runs on the committer. */
static RESULT take_time(struct op *op, struct machine_policy *next)
{
	const struct time_zone *zone = NULL;
	enum machine_policy_turn turn = MACHINE_POLICY_TURN_NONE;
	int64_t at_us = next->next_us ? next->next_us - 1 : op->now_us;
	TRY(time_zone_load(op->ctx, next->timezone, &zone));
	for (int k = 0; k < MISSED_MAX; k++) {
		TRY(next_of_both(next, zone, at_us, &at_us, &turn));
		if (at_us > op->now_us)
			break;
		next->turn = turn;
		next->turn_us = op->now_us;
		next->last_us = at_us;
	}
	next->next_us = at_us;
	return OK;
}

/* ---- acts ---- */

static const struct {
	const char *word, *here, *elsewhere; /* elsewhere, here: permissions */
	op_run run;
	enum remote_machine_act act;
} acts[] = {
	[POLICY_FINDING_ACT_STOP] = {"stop", "instance.stop", "remote.stop", engine_stop_instances_run,
				     REMOTE_MACHINE_ACT_STOP},
	[POLICY_FINDING_ACT_TERMINATE] = {"terminate", "instance.terminate", "remote.terminate",
					  engine_terminate_instances_run, REMOTE_MACHINE_ACT_TERMINATE},
	[POLICY_FINDING_ACT_START] = {"start", "instance.start", "remote.start", engine_start_instances_run,
				      REMOTE_MACHINE_ACT_START},
};

struct turn {
	struct op *op;
	struct machine_policy
		*policy; /* a copy, which stays as it is while acts run, but for its count of runs */
	struct later_guard *guard;
};

static RESULT run_act(const struct turn *t, const struct policy_machine *m, enum policy_finding_act act)
{
	struct op *op = t->op;
	const struct asker asker = ASKER_OF(t->policy);
	const struct asker_work work = {t->guard, m->instance ? acts[act].here : acts[act].elsewhere,
					op->now_us};
	struct ref ref =
		engine_ref_to(op, m->instance ? KIND_INSTANCE : KIND_REMOTE_MACHINE, m->id, STR_NONE);
	if (!engine_is_account_open(op->head, account_find(op->head, t->policy->account)))
		return ctx_fail_kind(op->ctx, ERR_DENIED, KIND_ACCOUNT, "The account is disabled.");
	if (m->instance) {
		struct instances_wish wish = {.instances = {&ref, 1}};
		return asker_run(op, &asker, &work, acts[act].run, &wish);
	}
	struct remote_act_wish wish = {.machine = ref, .act = acts[act].act};
	return asker_run(op, &asker, &work, engine_act_remote_machine_run, &wish);
}

static RESULT log_on_machine(const struct turn *t, const struct policy_machine *m, const char *what,
			     struct str text)
{
	const struct row *row = m->instance ? &m->instance->row : &m->remote->row;
	return engine_log_event(t->op, m->instance ? KIND_INSTANCE : KIND_REMOTE_MACHINE, row, what,
				"Policy %" STR_FMT ": %" STR_FMT, STR_ARG(t->policy->name), STR_ARG(text));
}

/* Requests the act, and notes its outcome in the finding. A refusal is an event once, however often it is repeated. */
static RESULT request(const struct turn *t, const struct policy_machine *m, struct policy_finding *next)
{
	struct op *op = t->op;
	struct op_place place = op_place_now(op);
	struct str before = next->problem;
	struct result result = run_act(t, m, next->act);
	if (!result_is_ok(result) && !engine_is_refusal(result.code))
		return result;
	next->tries++;
	next->tried_us = op->now_us;
	next->state = result_is_ok(result) ? POLICY_FINDING_STATE_REQUESTED : POLICY_FINDING_STATE_FAILED;
	next->problem = STR_NONE;
	if (result_is_ok(result))
		return log_on_machine(t, m, "policy act",
				      str_print(op->ctx->arena, "requested %s.", acts[next->act].word));
	op_go_back(op, place);
	next->problem = str_copy(op->ctx->arena, str_cut(op->ctx->problem.message, PROBLEM_MAX));
	ctx_clear_problem(op->ctx);
	return str_equal(before, next->problem)
		       ? OK
		       : log_on_machine(t, m, "policy failed",
					str_print(op->ctx->arena, "%s refused. %" STR_FMT,
						  acts[next->act].word, STR_ARG(next->problem)));
}

/* ---- playbooks ---- */

/* True if the playbook has to run before the act, or instead of one. */
static bool needs_run(const struct turn *t, const struct policy_finding *f)
{
	return t->policy->playbook.n && f->run != POLICY_FINDING_RUN_DONE;
}

/* Counts a run for an event. False: the machine or the policy has had too many. */
static bool count_run(const struct turn *t, struct policy_finding *next)
{
	struct machine_policy *p = t->policy;
	int64_t now_us = t->op->now_us;
	if (p->window_us + HOUR <= now_us) {
		p->window_us = now_us;
		p->window_runs = 0;
	}
	if (next->run_us + 24 * HOUR <= now_us)
		next->runs = 0;
	next->problem =
		next->runs >= POLICY_RUNS_OF_MACHINE
			? STR("The playbook has run too often for this machine in a day; it may cause "
			      "the events itself.")
		: p->window_runs >= p->runs_per_hour
			? STR("The policy has begun as many runs in an hour as it may.")
			: STR_NONE;
	if (next->problem.n) {
		next->state = POLICY_FINDING_STATE_FAILED;
		next->tries++;
		next->tried_us = now_us;
		return false;
	}
	next->runs++;
	p->window_runs++;
	return true;
}

static RESULT want_run(const struct turn *t, const struct policy_machine *m, struct policy_finding *next)
{
	if (t->policy->rule == MACHINE_POLICY_RULE_EVENT && !count_run(t, next))
		return OK; /* run stays NONE: a later check tries again */
	next->run = POLICY_FINDING_RUN_WANTED;
	next->run_us = t->op->now_us;
	next->problem = STR_NONE;
	next->tries++;
	next->tried_us = t->op->now_us;
	return log_on_machine(t, m, "policy act",
			      str_print(t->op->ctx->arena, "requested playbook %" STR_FMT ".",
					STR_ARG(t->policy->playbook)));
}

/* Why the run may not begin; empty: it may. Whoever may no longer set the policy may not run its playbook. A run may have waited
 * for others of the account, while the policy was suspended or the machine changed. */
static RESULT weigh_begin(struct op *op, const struct policy_finding *f, struct later_guard *guard,
			  struct str *ret_problem)
{
	const struct machine_policy *p = machine_policy_find(op->head, f->policy);
	struct policy_machine m;
	const struct asker asker = ASKER_OF(p);
	const struct asker_work work = {guard, "machine_policy.update", op->now_us};
	*ret_problem = STR("The account is disabled.");
	if (!engine_is_account_open(op->head, account_find(op->head, f->account)))
		return OK;
	*ret_problem = STR("The policy is suspended.");
	if (!p->is_active)
		return OK;
	*ret_problem = STR("The policy no longer concerns the machine.");
	if (!engine_read_policy_machine(op->head, p, uuid_is_none(f->instance) ? f->machine : f->instance,
					&m))
		return OK;
	*ret_problem = STR_NONE;
	return asker_ask(op->ctx->arena, op->head, &asker, &work, KIND_MACHINE_POLICY, &p->row, ret_problem);
}

RESULT engine_see_playbook(struct op *op, struct playbook_report *report)
{
	const struct policy_finding *f = policy_finding_find(op->head, report->finding);
	if (!f || f->run != report->from || f->run_us != report->run_us)
		return OK;
	struct policy_finding next = *f;
	struct policy_machine m;
	struct str problem = report->problem;
	struct machine_policy policy = *machine_policy_find(op->head, f->policy);
	const struct turn t = {op, &policy, report->guard};
	uuid machine = uuid_is_none(f->instance) ? f->machine : f->instance;
	if (report->to == POLICY_FINDING_RUN_RUNNING)
		TRY(weigh_begin(op, f, report->guard, &problem));
	next.run = problem.n ? POLICY_FINDING_RUN_FAILED : report->to;
	next.state = problem.n ? POLICY_FINDING_STATE_FAILED : POLICY_FINDING_STATE_REQUESTED;
	next.run_us = op->now_us;
	next.exit_status = report->exit_status;
	next.output = report->output;
	next.problem = str_cut(problem, PROBLEM_MAX);
	if (next.run == POLICY_FINDING_RUN_DONE)
		next.tries = 0; /* the act follows without a pause */
	next.row.gen++;
	TRY(policy_finding_put(op, &next));
	(void) engine_read_policy_machine(op->head, &policy, machine, &m);
	if (next.run == POLICY_FINDING_RUN_RUNNING || !(m.instance || m.remote))
		return OK;
	return problem.n ? log_on_machine(
				   &t, &m, "policy failed",
				   str_print(op->ctx->arena, "playbook %s. %" STR_FMT,
					     report->to == POLICY_FINDING_RUN_RUNNING ? "refused" : "failed",
					     STR_ARG(next.problem)))
			 : log_on_machine(&t, &m, "policy act", STR("finished the playbook."));
}

/* ---- findings ---- */

static struct policy_finding new_finding(const struct turn *t, const struct policy_machine *m)
{
	return (struct policy_finding){.row.id = engine_new_id(t->op, KIND_POLICY_FINDING),
				       .account = t->policy->account,
				       .policy = t->policy->row.id,
				       .instance = m->instance ? m->id : UUID_NONE,
				       .machine = m->instance ? UUID_NONE : m->id};
}

static RESULT drop(const struct turn *t, const struct policy_machine *m, const struct policy_finding *finding)
{
	TRY(policy_finding_forget(t->op, finding->row.id));
	return m->instance || m->remote ? log_on_machine(t, m, "policy ended", STR("no longer applies."))
					: OK;
}

static RESULT take_machine(const struct turn *t, uuid id)
{
	struct policy_machine m;
	struct policy_text text;
	struct op *op = t->op;
	bool is_selected = engine_read_policy_machine(op->head, t->policy, id, &m);
	const struct policy_finding *finding = engine_find_policy_finding(op->head, t->policy, &m);
	struct policy_verdict v = {0};
	if (is_selected)
		v = engine_weigh_policy(&text, t->policy, finding, &m, op->now_us, false);
	if (!engine_policy_has_work(finding, &v))
		return OK;
	if (!v.is_found)
		return drop(t, &m, finding);
	struct policy_finding next = finding ? *finding : new_finding(t, &m);
	if (!finding || !str_equal(finding->reason, v.reason))
		TRY(log_on_machine(t, &m, "policy found", v.reason));
	if (next.act != v.act || next.due_us != v.due_us || v.is_event) {
		if (next.run == POLICY_FINDING_RUN_DONE || next.run == POLICY_FINDING_RUN_FAILED)
			next.run = POLICY_FINDING_RUN_NONE;
		next.tries = 0;
		next.problem = STR_NONE;
		next.state = POLICY_FINDING_STATE_FOUND;
	}
	next.reason = v.reason;
	next.act = v.act;
	next.due_us = v.due_us;
	next.event_us = v.event_us;
	next.row.gen++;
	if (v.is_due)
		TRY(needs_run(t, &next) ? want_run(t, &m, &next) : request(t, &m, &next));
	return policy_finding_put(op, &next);
}

RESULT engine_take_machine_policy_turn(struct op *op, struct policy_turn *turn)
{
	const struct machine_policy *p = machine_policy_find(op->head, turn->policy);
	if (!p || p->row.gen != turn->gen)
		return OK;
	struct machine_policy next = *p;
	const struct turn t = {op, &next, turn->guard};
	next.left_out = turn->left_out;
	if (turn->is_due)
		TRY(take_time(op, &next));
	if (turn->is_due || next.left_out != p->left_out)
		TRY(machine_policy_put(op, &next));
	int64_t window_us = next.window_us, runs = next.window_runs;
	for (size_t k = 0; k < turn->count; k++)
		TRY(take_machine(&t, turn->machines[k]));
	return next.window_us == window_us && next.window_runs == runs ? OK : machine_policy_put(op, &next);
}
