/* SPDX-License-Identifier: Apache-2.0
 * Steps of machines elsewhere carry out requested acts, on the provider's lane. Each step looks at the machine
 * first, and does nothing if the act's goal is reached, so that a crash in between repeats nothing. A reboot and a
 * snapshot have no goal that could be seen: the row says before the request that it is sent, and after a restart it
 * is not sent again. Before each request that changes something there, the policies of whoever requested the act are asked
 * again. After an act, the machine is looked at until its state rests. */
#include "engine/remote/remote_machine.h"
#include "base/clock.h"
#include "engine/people/asker.h"
#include "engine/remote/provider_share.h"
#include "reconcile/remote/lane.h"
#include "store/provider.h"
#include "store/remote_machine.h"

/* Clouds show an act's effect seconds late, and a move for minutes. */
enum { LOOK_EVERY_S = 2, LOOK_AT_LEAST_S = 6, LOOK_AT_MOST_S = 300 };

struct acting {
	const struct remote_machine *machine; /* NULL: nothing to do */
	const struct provider *provider;
	struct provider_lane *lane;
	const struct remote_driver *driver;
};

static bool is_moving(const struct remote_machine *m)
{
	return m->power == REMOTE_MACHINE_POWER_PENDING || m->power == REMOTE_MACHINE_POWER_STOPPING ||
	       m->power == REMOTE_MACHINE_POWER_TERMINATING;
}

/* After an act the state changes soon. */
static bool is_watched(const struct remote_machine *m, int64_t now_us)
{
	int64_t since_us = now_us - m->act_us;
	return m->act_us && !m->act_problem.n && since_us >= 0 &&
	       (since_us < LOOK_AT_LEAST_S * SECOND || (is_moving(m) && since_us < LOOK_AT_MOST_S * SECOND));
}

static bool has_work(const struct remote_machine *m)
{
	return m->act != REMOTE_MACHINE_ACT_NONE || is_watched(m, clock_now_us());
}

static bool is_expired(const struct remote_machine *m)
{
	return clock_now_us() > m->act_us + REMOTE_ACT_EXPIRES_S * SECOND;
}

static RESULT gather(struct step *s, struct acting *a)
{
	AUTO_VIEW view = {0};
	view_open(s->r->store, &view);
	const struct remote_machine *m = remote_machine_find(view.tables, s->id);
	const struct provider *p = m ? provider_find(view.tables, m->provider) : NULL;
	if (!p || !row_is_live(&p->row) || !has_work(m))
		return OK;
	a->machine = STEP_COPY(s, KIND_REMOTE_MACHINE, struct remote_machine, m);
	a->provider = STEP_COPY(s, KIND_PROVIDER, struct provider, p);
	return OK;
}

/* ---- reports ---- */

static RESULT report_end(struct step *s, const struct acting *a, struct remote_act_report outcome)
{
	struct remote_act_report *report = STEP_NEW(s, struct remote_act_report);
	*report = outcome;
	report->machine = s->id;
	report->gen = a->machine->row.gen;
	step_report(s, engine_end_remote_act_run, report);
	step_again(s);
	return OK;
}

static RESULT report_seen(struct step *s, const struct acting *a, const struct remote_machine *seen)
{
	if (!engine_remote_machine_differs(a->machine, seen))
		return OK;
	struct remote_machines_report *report = STEP_NEW(s, struct remote_machines_report);
	struct remote_machine *copy = STEP_NEW(s, struct remote_machine);
	*copy = *seen;
	*report = (struct remote_machines_report){.provider = a->provider->row.id, .at = copy, .count = 1};
	step_report(s, engine_see_remote_machines_run, report);
	return OK;
}

/* ---- goals ---- */

static bool has_tags(const struct remote_machine *m, struct tags tags)
{
	for (size_t k = 0; k < tags.count; k++) {
		const struct tag *tag = tags_find(m->remote_tags, tags.at[k].key);
		if (!tag || !str_equal(tag->value, tags.at[k].value))
			return false;
	}
	return true;
}

/* True if the act is sent once: the machine does not show whether it was carried out. */
static bool is_sent_once(const struct remote_machine *m)
{
	return m->act == REMOTE_MACHINE_ACT_REBOOT || m->act == REMOTE_MACHINE_ACT_SNAPSHOT;
}

/* OpenStack keeps both sizes until the new one is confirmed. */
static bool is_to_be_confirmed(const struct remote_machine *seen)
{
	return str_is(seen->raw_state, "VERIFY_RESIZE");
}

/* Confirming somebody else's resize would change the machine to a type that nobody here asked for. */
static bool is_resized_by_others(const struct remote_machine *wanted, const struct remote_machine *seen)
{
	return wanted->act == REMOTE_MACHINE_ACT_RESIZE && is_to_be_confirmed(seen) && !wanted->act_is_sent &&
	       !str_equal(seen->type, wanted->act_type);
}

static bool is_reached(const struct remote_machine *wanted, const struct remote_machine *seen)
{
	enum remote_machine_power power = seen->power;
	switch (wanted->act) {
	case REMOTE_MACHINE_ACT_START:
		return power == REMOTE_MACHINE_POWER_RUNNING || power == REMOTE_MACHINE_POWER_PENDING;
	case REMOTE_MACHINE_ACT_STOP:
	case REMOTE_MACHINE_ACT_SAVE:
		return power == REMOTE_MACHINE_POWER_STOPPED || power == REMOTE_MACHINE_POWER_STOPPING;
	case REMOTE_MACHINE_ACT_TERMINATE:
		return power == REMOTE_MACHINE_POWER_TERMINATED || power == REMOTE_MACHINE_POWER_TERMINATING;
	case REMOTE_MACHINE_ACT_TAG:
		return has_tags(seen, wanted->act_tags);
	case REMOTE_MACHINE_ACT_RESIZE: /* the wish may name a type by its id, and the machine by its name */
		return !is_to_be_confirmed(seen) &&
		       (wanted->act_is_sent || str_equal(seen->type, wanted->act_type));
	case REMOTE_MACHINE_ACT_NONE:
	case REMOTE_MACHINE_ACT_CREATE:
	case REMOTE_MACHINE_ACT_REBOOT:
	case REMOTE_MACHINE_ACT_SNAPSHOT:
		return false;
	}
	return false;
}

/* ---- acting ---- */

static bool is_ending(const struct remote_machine *m)
{
	return m->power == REMOTE_MACHINE_POWER_TERMINATING || m->power == REMOTE_MACHINE_POWER_TERMINATED;
}

/* Forgets the machine at once: the cloud has accepted its end, and no longer knows it. */
static RESULT report_loss(struct step *s, const struct acting *a)
{
	struct remote_machines_loss *loss = STEP_NEW(s, struct remote_machines_loss);
	*loss = (struct remote_machines_loss){
		.provider = a->provider->row.id, .at = &s->id, .count = 1, .is_final = true};
	step_report(s, engine_miss_remote_machines_run, loss);
	return OK;
}

/* The machine is gone: terminating it has succeeded. */
static RESULT end_gone(struct step *s, const struct acting *a)
{
	bool is_fine = a->machine->act == REMOTE_MACHINE_ACT_TERMINATE;
	struct str why = is_fine ? STR_NONE : s->ctx.problem.message;
	ctx_clear_problem(&s->ctx);
	if (is_fine || is_ending(a->machine))
		TRY(report_loss(s, a));
	if (a->machine->act == REMOTE_MACHINE_ACT_NONE)
		return OK;
	return report_end(s, a, (struct remote_act_report){.problem = why});
}

/* The requester's policies may have changed while the act waited for the provider. *ret_is_refused: the act is over, and
 * its row says why. */
static RESULT ask_again(struct step *s, const struct acting *a, bool *ret_is_refused)
{
	AUTO_VIEW view = {0};
	view_open(s->r->store, &view);
	const struct remote_machine *m = remote_machine_find(view.tables, s->id);
	struct asker asker = ASKER_OF(a->machine);
	asker.account = engine_find_act_account(a->machine);
	const struct asker_work work = {s->r->later_guard, engine_remote_permission(a->machine->act),
					clock_now_us()};
	struct str why = STR_NONE;
	*ret_is_refused = !m || m->row.gen != a->machine->row.gen; /* the act is over already */
	if (*ret_is_refused)
		return OK;
	const char *unshared = engine_weigh_shared_act(view.tables, m);
	why = unshared ? str_from(unshared) : STR_NONE;
	if (!unshared)
		TRY(asker_ask(s->ctx.arena, view.tables, &asker, &work, KIND_REMOTE_MACHINE, &m->row, &why));
	*ret_is_refused = why.n;
	return why.n ? report_end(s, a, (struct remote_act_report){.problem = why}) : OK;
}

static RESULT send(struct step *s, const struct acting *a, struct remote *remote,
		   const struct remote_machine *seen)
{
	const struct remote_machine *m = a->machine;
	bool is_refused = false;
	const struct remote_act act = {.verb = m->act,
				       .ref = m->ref,
				       .tags = m->act_tags,
				       .type = m->act_type,
				       .raw_state = seen->raw_state,
				       .asked_us = m->act_us};
	if (!(a->driver->verbs & 1U << m->act))
		return ctx_fail(&s->ctx, ERR_UNSUPPORTED, "The driver of %s cannot do that: %s.",
				a->driver->name, remote_machine_act_words[m->act]);
	if (is_sent_once(m) && m->act_is_sent && !s->work->has_begun)
		return report_end(
			s, a,
			(struct remote_act_report){
				.note = STR("The region was restarted while the request was on its way. "
					    "It was not sent again.")});
	TRY(ask_again(s, a, &is_refused));
	if (is_refused)
		return OK;
	if (is_sent_once(m) && !m->act_is_sent) {
		s->work->has_begun = true;
		return report_end(s, a, (struct remote_act_report){.is_sent = true});
	}
	s->work->has_begun = false; /* sent once, whatever comes of it */
	struct result result = a->driver->act(&s->ctx, remote, &act);
	/* The next call follows the task, and sends nothing. */
	if (m->act == REMOTE_MACHINE_ACT_SNAPSHOT && result.code == ERR_AGAIN && remote->is_under_way)
		s->work->has_begun = true;
	TRY(result);
	return report_end(s, a, (struct remote_act_report){.is_sent = m->act == REMOTE_MACHINE_ACT_RESIZE});
}

/* A resize that was sent may still fail there. The type that was asked for may be an id, and the machine's its name, so
 * that another type alone is no failure. */
static RESULT end_reached(struct step *s, const struct acting *a, const struct remote_machine *seen)
{
	const struct remote_machine *m = a->machine;
	struct remote_act_report outcome = {0};
	if (m->act == REMOTE_MACHINE_ACT_RESIZE && !str_equal(seen->type, m->act_type)) {
		struct str text =
			str_print(s->ctx.arena, "The machine is %" STR_FMT ", of type %" STR_FMT ".",
				  STR_ARG(seen->raw_state), STR_ARG(seen->type));
		if (str_is(seen->raw_state, "ERROR")) /* OpenStack's, after a resize that failed */
			outcome.problem = text;
		else
			outcome.note = text;
	}
	return report_end(s, a, outcome);
}

static RESULT look_and_act(struct step *s, const struct acting *a, struct remote *remote)
{
	struct remote_machine seen = {0};
	struct result found = a->driver->get(&s->ctx, remote, a->machine->ref, &seen);
	if (found.code == ERR_NOT_FOUND)
		return end_gone(s, a);
	TRY(found);
	TRY(report_seen(s, a, &seen));
	if (a->machine->act == REMOTE_MACHINE_ACT_NONE) {
		step_again_at(s, clock_now_us() + LOOK_EVERY_S * SECOND);
		return OK;
	}
	if (a->machine->act == REMOTE_MACHINE_ACT_RESIZE && str_is(seen.raw_state, "RESIZE")) {
		if (is_expired(a->machine))
			return report_end(
				s, a,
				(struct remote_act_report){
					.problem = STR("The cloud is still resizing the machine.")});
		step_again_at(s, clock_now_us() + LOOK_EVERY_S * SECOND);
		return OK;
	}
	if (is_reached(a->machine, &seen))
		return end_reached(s, a, &seen);
	if (is_resized_by_others(a->machine, &seen))
		return report_end(s, a,
				  (struct remote_act_report){
					  .problem = STR("Another resize waits there to be confirmed.")});
	return send(s, a, remote, &seen);
}

/* True if another row has the machine that the cloud names as the new one. */
static bool is_known(struct step *s, const struct acting *a, struct str ref)
{
	AUTO_VIEW view = {0};
	view_open(s->r->store, &view);
	const struct remote_machine *row =
		remote_machine_find_by_provider(view.tables, a->provider->row.id, ref);
	return row && !uuid_equal(row->row.id, s->id);
}

/* The machine's report ends the act, because it gives the row the cloud's id. */
static RESULT create(struct step *s, const struct acting *a, struct remote *remote)
{
	const struct remote_machine *m = a->machine;
	const struct remote_new wish = {.token = s->id,
					.name = m->name,
					.image = m->image,
					.type = m->type,
					.zone = m->zone,
					.subnet = m->subnets.count ? m->subnets.at[0] : STR_NONE,
					.key_name = m->key_name,
					.groups = m->groups,
					.tags = m->act_tags};
	struct remote_machine *made = STEP_NEW(s, struct remote_machine);
	struct remote_machines_report *report = STEP_NEW(s, struct remote_machines_report);
	bool is_refused = false;
	TRY(ask_again(s, a, &is_refused));
	if (is_refused)
		return OK;
	if (!a->driver->create)
		return ctx_fail(&s->ctx, ERR_UNSUPPORTED,
				"Machines of this cloud cannot be created from here.");
	TRY(a->driver->create(&s->ctx, remote, &wish, made));
	if (is_known(s, a, made->ref))
		return report_end(s, a,
				  (struct remote_act_report){
					  .problem = str_print(s->ctx.arena,
							       "The cloud answers with machine %" STR_FMT
							       ", which is listed already.",
							       STR_ARG(made->ref))});
	made->row.id = s->id;
	*report = (struct remote_machines_report){.provider = a->provider->row.id, .at = made, .count = 1};
	step_report(s, engine_see_remote_machines_run, report);
	step_again_at(s, clock_now_us() + LOOK_EVERY_S * SECOND);
	return OK;
}

/* A request that fails for now is tried again until the act expires. */
static RESULT fail(struct step *s, const struct acting *a, const struct remote *remote, struct result result)
{
	int64_t now_us = clock_now_us();
	bool is_late = is_expired(a->machine);
	if (result.code == ERR_NO_MEMORY)
		return result;
	if (result.code == ERR_THROTTLED)
		pace_slow_down(&a->lane->pace, now_us);
	struct str why = s->ctx.problem.message;
	ctx_clear_problem(&s->ctx);
	if (a->machine->act == REMOTE_MACHINE_ACT_NONE)
		return OK; /* the listing reports the provider's problem */
	bool is_unsure = is_sent_once(a->machine) && a->machine->act_is_sent &&
			 !s->work->has_begun; /* before that, the look failed, and nothing was sent */
	if (remote_may_help_later(result.code) && !is_late && !is_unsure) {
		step_again_at(s, remote_next_try_us(++a->lane->failures, remote->wait_us));
		return OK;
	}
	return report_end(s, a, (struct remote_act_report){.problem = why.n ? why : STR("It failed.")});
}

/* New credentials may belong to another account, where the same id is another machine. Nothing is sent until they are
 * verified. */
static RESULT wait_for_verification(struct step *s, const struct acting *a)
{
	int64_t now_us = clock_now_us();
	bool is_late = a->machine->act != REMOTE_MACHINE_ACT_NONE && is_expired(a->machine);
	struct str why = a->provider->problem;
	if (is_late)
		return report_end(
			s, a,
			(struct remote_act_report){
				.problem = why.n ? why
						 : STR("The provider's credentials are not verified yet.")});
	step_again_at(s, now_us + LOOK_EVERY_S * SECOND);
	return OK;
}

static RESULT step_machine(struct step *s)
{
	struct acting a = {0};
	struct remote remote;
	int64_t due_us = 0;
	TRY(gather(s, &a));
	if (!a.machine)
		return OK;
	if (!a.provider->verified_us)
		return wait_for_verification(s, &a);
	a.lane = provider_lane_of(s->r, a.provider->row.id);
	a.driver = remote_driver_of((int) a.provider->cloud);
	if (!a.lane)
		return ctx_no_memory(&s->ctx);
	if (!pace_take(&a.lane->pace, clock_now_us(), &due_us)) {
		step_again_at(s, due_us);
		return OK;
	}
	struct result result = remote_open(s, a.provider, a.lane, &remote);
	if (result_is_ok(result))
		result = a.machine->act == REMOTE_MACHINE_ACT_CREATE ? create(s, &a, &remote)
								     : look_and_act(s, &a, &remote);
	remote_close(&remote);
	if (!result_is_ok(result))
		return fail(s, &a, &remote, result);
	a.lane->failures = 0; /* an act that waits for a task is no failure of the cloud */
	return OK;
}

static void wake_machine(struct reconciler *r, const struct row *row)
{
	const struct remote_machine *m = remote_machine_of(row);
	if (!has_work(m))
		return;
	const struct provider_lane *lane = provider_lane_of(r, m->provider);
	if (lane)
		work_wake(r, lane->lane, KIND_REMOTE_MACHINE, row->id, WAKE_WISH);
	else
		work_note_loss(r);
}

static void wake_changed(struct reconciler *r, const struct tables *t, const struct row *before,
			 const struct row *after)
{
	(void) t;
	if (!before || before->gen != after->gen)
		wake_machine(r, after);
}

const struct resource reconcile_remote_machine = {
	.step = step_machine, .is_swept = true, .wake = wake_machine, .wake_changed = wake_changed};
