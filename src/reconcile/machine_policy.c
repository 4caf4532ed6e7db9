/* SPDX-License-Identifier: Apache-2.0
 * Checks of machine policies. A step weighs all machines that a policy selects in a view, and reports only those whose finding
 * changes or whose act is due, so that a check without differences commits nothing. Steps run on the home lane. */
#include "engine/machine_policy/machine_policy.h"

#include "base/clock.h"
#include "reconcile/machine_policy.h"
#include "reconcile/work.h"
#include "store/machine_policy.h"
#include "store/policy_finding.h"

/* Machines of one report: acts of more would hold up the committer. */
enum { TURN_MAX = 100 };

struct check {
	struct step *s;
	const struct tables *t;
	const struct machine_policy *policy;
	int64_t now_us;
	size_t known; /* findings that exist */
	size_t fresh; /* new ones */
	int64_t left_out;
	struct uuids work; /* at most TURN_MAX */
	uuid *at;
};

static void add_work(struct check *c, uuid machine)
{
	if (c->work.count < TURN_MAX)
		c->at[c->work.count++] = machine;
}

static RESULT weigh(void *arg, const struct policy_machine *m)
{
	struct check *c = arg;
	const struct policy_finding *finding = engine_find_policy_finding(c->t, c->policy, m);
	struct policy_text text;
	const struct policy_verdict v = engine_weigh_policy(&text, c->policy, finding, m, c->now_us, false);
	if (!engine_policy_has_work(finding, &v))
		return OK;
	if (v.is_found && !finding && c->known + c->fresh >= POLICY_FINDINGS_MAX)
		c->left_out++;
	else {
		c->fresh += v.is_found && !finding;
		add_work(c, m->id);
	}
	return OK;
}

/* Findings about machines that the policy no longer selects. */
static void find_stale(struct check *c)
{
	struct policy_machine ignored;
	const struct policy_finding *f = policy_finding_first_by_policy(c->t, c->policy->row.id);
	for (; f; f = policy_finding_next_by_policy(c->t, f)) {
		uuid machine = uuid_is_none(f->instance) ? f->machine : f->instance;
		if (!engine_read_policy_machine(c->t, c->policy, machine, &ignored))
			add_work(c, machine);
	}
}

static size_t count_findings(const struct tables *t, uuid policy)
{
	size_t count = 0;
	for (const struct policy_finding *f = policy_finding_first_by_policy(t, policy); f;
	     f = policy_finding_next_by_policy(t, f))
		count++;
	return count;
}

/* ---- steps ---- */

static bool is_time(const struct machine_policy *p, int64_t now_us)
{
	return p->is_active && p->rule == MACHINE_POLICY_RULE_SCHEDULE &&
	       (!p->next_us || now_us >= p->next_us);
}

static void report(struct step *s, const struct machine_policy *p, struct policy_turn *turn)
{
	turn->policy = s->id;
	turn->gen = p->row.gen;
	turn->guard = s->r->later_guard;
	step_report(s, engine_take_machine_policy_turn_run, turn);
	step_again(s);
}

/* The tick wakes a policy that is checked every minute or more rarely, so that it does not count as work. */
static void wait_for_next(struct step *s, const struct check *c)
{
	if (c->policy->check_s < POLICY_CHECK_MIN_S)
		step_again_at(s, c->now_us + c->policy->check_s * SECOND);
}

static RESULT check_machines(struct step *s, struct policy_turn *turn)
{
	AUTO_VIEW view = {0};
	view_open(s->r->store, &view);
	const struct machine_policy *p = machine_policy_find(view.tables, s->id);
	struct check c = {.s = s,
			  .t = view.tables,
			  .policy = p,
			  .now_us = clock_now_us(),
			  .at = arena_new_array(s->ctx.arena, uuid, TURN_MAX)};
	if (!c.at)
		return ctx_no_memory(&s->ctx);
	if (!p)
		return OK;
	if (is_time(p, c.now_us)) {
		turn->is_due = true;
		turn->left_out = p->left_out;
		report(s, p, turn);
		return OK;
	}
	c.known = count_findings(view.tables, s->id);
	TRY(engine_visit_policy_machines(view.tables, p, weigh, &c));
	if (c.known)
		find_stale(&c);
	*turn = (struct policy_turn){.machines = c.at, .count = c.work.count, .left_out = c.left_out};
	if (c.work.count || c.left_out != p->left_out)
		report(s, p, turn);
	else if (p->is_active)
		wait_for_next(s, &c);
	return OK;
}

static RESULT step_policy(struct step *s)
{
	struct policy_turn *turn = STEP_NEW(s, struct policy_turn);
	return check_machines(s, turn);
}

/* ---- wake-ups ---- */

static void wake_policy(struct reconciler *r, const struct row *row)
{
	work_wake(r, lane_home(r), KIND_MACHINE_POLICY, row->id, WAKE_WISH);
}

/* Turns of the step itself leave gen as it was. */
static void wake_changed(struct reconciler *r, const struct tables *t, const struct row *before,
			 const struct row *after)
{
	(void) t;
	if (!before || before->gen != after->gen)
		wake_policy(r, after);
}

/* True in one tick of each interval; policies have different phases, so that not all are checked at once. */
static bool is_check_due(const struct reconciler *r, const struct machine_policy *p, int64_t now_us)
{
	int64_t every_us = p->check_s * SECOND, at_us = now_us + p->row.id.b[15] * SECOND;
	return at_us / every_us != (at_us - r->host_interval_us) / every_us;
}

void wake_due_machine_policies(struct reconciler *r)
{
	int64_t now_us = clock_now_us();
	AUTO_VIEW view = {0};
	view_open(r->store, &view);
	for (const struct machine_policy *p = machine_policy_first(view.tables); p;
	     p = machine_policy_next(view.tables, p))
		if (p->is_active && (is_time(p, now_us) || is_check_due(r, p, now_us)))
			wake_policy(r, &p->row);
}

const struct resource reconcile_machine_policy = {
	.step = step_policy, .is_swept = true, .wake = wake_policy, .wake_changed = wake_changed};
