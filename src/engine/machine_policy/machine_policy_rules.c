/* SPDX-License-Identifier: Apache-2.0
 * The rules of machine policies: which machines a policy selects, and what it says about each. Nothing here writes a row. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "engine/machine_policy/machine_policy.h"
#include "model/states.h"
#include "store/instance.h"
#include "store/machine_policy.h"
#include "store/policy_finding.h"
#include "store/provider.h"
#include "store/remote_machine.h"

#define DAY (24 * HOUR)
/* A schedule acts on a machine that is in the other state within this time, so that one whose act was refused is tried
 * again, and one that somebody turns on later stays on. */
#define WINDOW_US (15 * MINUTE)
#define PAUSE_MIN_US (5 * MINUTE)
#define PAUSE_MAX_US HOUR
/* Events that come during a run, or so soon after it, may be effects of the playbook: they begin no run. */
#define QUIET_US (15 * MINUTE)
/* A change of power is somebody's act in this region if the act was requested within this time before. */
#define ACT_TIME_US (15 * MINUTE)
enum { TAG_SHOWN = 64, MISSED_KEPT = 20 };

/* ---- texts ---- */

/* Writes a reason, cut between letters. */
static struct str say(struct policy_text *text, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
static struct str say(struct policy_text *text, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	int wanted = vsnprintf(text->at, sizeof text->at, format, args);
	va_end(args);
	size_t n = wanted < 0 ? 0 : (size_t) wanted;
	struct str whole = {text->at, n < sizeof text->at ? n : sizeof text->at - 1};
	return str_cut(whole, POLICY_REASON_MAX);
}

/* ---- machines ---- */

static enum policy_power power_here(const struct instance *i)
{
	enum instance_state state = model_derive_instance_state(i);
	if (!row_is_live(&i->row) || state == INSTANCE_TERMINATED || state == INSTANCE_SHUTTING_DOWN ||
	    state == INSTANCE_DESTROYED)
		return POLICY_POWER_GONE;
	if (state == INSTANCE_RUNNING)
		return POLICY_POWER_RUNNING;
	return state == INSTANCE_STOPPED ? POLICY_POWER_STOPPED : POLICY_POWER_MOVING;
}

static enum policy_power power_elsewhere(const struct remote_machine *m)
{
	if (m->power == REMOTE_MACHINE_POWER_TERMINATED || m->power == REMOTE_MACHINE_POWER_TERMINATING)
		return POLICY_POWER_GONE;
	if (m->power == REMOTE_MACHINE_POWER_RUNNING)
		return POLICY_POWER_RUNNING;
	return m->power == REMOTE_MACHINE_POWER_STOPPED ? POLICY_POWER_STOPPED : POLICY_POWER_MOVING;
}

/* An instance that was neither started nor stopped by a request: its guest shut down, or its host failed. */
static bool is_adrift_here(const struct instance *i)
{
	return power_here(i) == POLICY_POWER_STOPPED &&
	       !str_equal(i->reason_code, STR("Client.UserInitiatedShutdown"));
}

static bool is_adrift_elsewhere(const struct remote_machine *m)
{
	return m->power_us &&
	       (!m->act_us || m->act_us > m->power_us || m->act_us + ACT_TIME_US < m->power_us);
}

static struct policy_machine machine_here(const struct instance *i)
{
	enum policy_power power = power_here(i);
	return (struct policy_machine){.instance = i,
				       .id = i->row.id,
				       .tags = i->tags,
				       .power = power,
				       .made_us = i->row.created_us,
				       .known_us = i->row.created_us,
				       .power_us = power == POLICY_POWER_RUNNING   ? i->launched_us
						   : power == POLICY_POWER_STOPPED ? i->stopped_us
										   : 0,
				       .is_adrift = is_adrift_here(i)};
}

static struct policy_machine machine_elsewhere(const struct remote_machine *m)
{
	return (struct policy_machine){.remote = m,
				       .id = m->row.id,
				       .tags = m->remote_tags,
				       .power = power_elsewhere(m),
				       .made_us = m->launched_us,
				       .known_us = m->row.created_us,
				       .power_us = m->power_us,
				       .is_adrift = is_adrift_elsewhere(m),
				       .is_missed = m->missed > 0,
				       .is_busy = m->act != REMOTE_MACHINE_ACT_NONE};
}

/* ---- selection ---- */

static bool has_tag(const struct machine_policy *p, const struct policy_machine *m)
{
	const struct tag *tag = p->tag_key.n ? tags_find(m->tags, p->tag_key) : NULL;
	return !p->tag_key.n || (tag && (!p->tag_value.n || str_equal(tag->value, p->tag_value)));
}

static bool is_of_scope(const struct tables *t, const struct machine_policy *p,
			const struct policy_machine *m)
{
	if (m->instance)
		return p->scope != MACHINE_POLICY_SCOPE_ELSEWHERE && uuid_is_none(p->provider) &&
		       uuid_equal(m->instance->account, p->account);
	const struct provider *provider = provider_find(t, m->remote->provider);
	return p->scope != MACHINE_POLICY_SCOPE_HERE && provider && row_is_live(&provider->row) &&
	       uuid_equal(m->remote->account, p->account) &&
	       (uuid_is_none(p->provider) || uuid_equal(p->provider, m->remote->provider));
}

static bool is_selected(const struct tables *t, const struct machine_policy *p,
			const struct policy_machine *m)
{
	return p->is_active && m->power != POLICY_POWER_GONE && is_of_scope(t, p, m) && has_tag(p, m);
}

RESULT engine_visit_policy_machines(const struct tables *t, const struct machine_policy *p,
				    policy_visit *visit, void *arg)
{
	for (const struct instance *i = instance_first_by_account(t, p->account); i;
	     i = instance_next_by_account(t, i)) {
		const struct policy_machine m = machine_here(i);
		if (is_selected(t, p, &m))
			TRY(visit(arg, &m));
	}
	for (const struct remote_machine *r = remote_machine_first_by_account(t, p->account); r;
	     r = remote_machine_next_by_account(t, r)) {
		const struct policy_machine m = machine_elsewhere(r);
		if (is_selected(t, p, &m))
			TRY(visit(arg, &m));
	}
	return OK;
}

bool engine_read_policy_machine(const struct tables *t, const struct machine_policy *p, uuid id,
				struct policy_machine *ret_machine)
{
	const struct instance *i = instance_find(t, id);
	const struct remote_machine *r = i ? NULL : remote_machine_find(t, id);
	*ret_machine = i ? machine_here(i) : r ? machine_elsewhere(r) : (struct policy_machine){.id = id};
	return (i || r) && is_selected(t, p, ret_machine);
}

const struct policy_finding *engine_find_policy_finding(const struct tables *t,
							const struct machine_policy *p,
							const struct policy_machine *m)
{
	return policy_finding_find_by_policy(t, p->row.id, m->instance ? m->id : UUID_NONE,
					     m->instance ? UUID_NONE : m->id);
}

/* ---- retirement ---- */

/* "2026-12-24", midnight in UTC, or a time in ISO 8601. */
static bool read_date(struct str text, int64_t *ret_us)
{
	enum { DATE_SIZE = 10, WHOLE_SIZE = 32 };
	char whole[WHOLE_SIZE];
	if (text.n != DATE_SIZE)
		return result_is_ok(clock_parse(text, ret_us));
	(void) snprintf(whole, sizeof whole, "%" STR_FMT "T00:00:00Z", STR_ARG(text));
	return result_is_ok(clock_parse(str_from(whole), ret_us));
}

/* The verdict on a machine that is to be stopped or terminated; a stopped one is left alone by a policy that stops. */
static struct policy_verdict end_machine(const struct machine_policy *p, const struct policy_machine *m,
					 int64_t due_us, struct str reason)
{
	struct policy_verdict v = {.is_found = true, .reason = reason};
	if (p->act == MACHINE_POLICY_ACT_TERMINATE)
		v.act = POLICY_FINDING_ACT_TERMINATE;
	else if (p->act == MACHINE_POLICY_ACT_STOP && m->power != POLICY_POWER_STOPPED)
		v.act = POLICY_FINDING_ACT_STOP;
	v.due_us = v.act == POLICY_FINDING_ACT_NONE ? 0 : due_us;
	return v;
}

static struct policy_verdict weigh_retirement(struct policy_text *text, const struct machine_policy *p,
					      const struct policy_machine *m, int64_t now_us, bool is_preview)
{
	const struct tag *tag = p->date_tag.n ? tags_find(m->tags, p->date_tag) : NULL;
	int64_t date_us = INT64_MAX, age_us = INT64_MAX;
	char date[CLOCK_TEXT_SIZE];
	if (tag && !read_date(tag->value, &date_us))
		return (struct policy_verdict){.is_found = true,
					       .reason = say(text,
							     "The tag %" STR_FMT
							     " is no date, such as 2026-12-24: %" STR_FMT ".",
							     STR_ARG(str_cut(tag->key, TAG_SHOWN)),
							     STR_ARG(str_cut(tag->value, TAG_SHOWN)))};
	if (p->age_days && m->made_us)
		age_us = m->made_us + p->age_days * DAY;
	int64_t at_us = date_us < age_us ? date_us : age_us;
	if (at_us == INT64_MAX || (!is_preview && now_us < at_us - p->warn_days * DAY))
		return (struct policy_verdict){0};
	struct str reason = say(text, "Retirement date: %s (%s).", clock_write_s(at_us, date),
				date_us <= age_us ? "its tag" : "its age");
	return end_machine(p, m, at_us, reason);
}

/* ---- schedules ---- */

static struct policy_verdict weigh_schedule(const struct machine_policy *p,
					    const struct policy_finding *finding,
					    const struct policy_machine *m, int64_t now_us)
{
	bool stops = p->turn == MACHINE_POLICY_TURN_STOP;
	struct policy_verdict verdict = {.is_found = true,
					 .act = stops ? POLICY_FINDING_ACT_STOP : POLICY_FINDING_ACT_START,
					 .due_us = p->turn_us,
					 .reason = stops ? STR("Scheduled stop.") : STR("Scheduled start.")};
	bool is_tried = finding && finding->tried_us >= p->turn_us;
	bool differs = m->power == (stops ? POLICY_POWER_RUNNING : POLICY_POWER_STOPPED);
	bool is_over = now_us >= p->turn_us + WINDOW_US;
	if (p->turn == MACHINE_POLICY_TURN_NONE || (!is_tried && (!differs || is_over)))
		return (struct policy_verdict){0};
	/* A request that was accepted is not repeated; it stays listed until the next time. */
	verdict.is_due =
		differs && !is_over && !(is_tried && finding->state == POLICY_FINDING_STATE_REQUESTED);
	return verdict;
}

/* ---- tags and power ---- */

static int64_t due_after(const struct machine_policy *p, const struct policy_finding *finding, int64_t now_us)
{
	return (finding ? finding->row.created_us : now_us) + p->grace_hours * HOUR;
}

static struct policy_verdict weigh_tags(struct policy_text *text, const struct machine_policy *p,
					const struct policy_finding *finding, const struct policy_machine *m,
					int64_t now_us)
{
	size_t n = 0;
	for (size_t k = 0; k < p->keys.count; k++)
		if (!tags_find(m->tags, p->keys.at[k]) && n < sizeof text->at)
			n += (size_t) snprintf(text->at + n, sizeof text->at - n, "%s%" STR_FMT,
					       n ? ", " : "Missing tags: ", STR_ARG(p->keys.at[k]));
	if (!n)
		return (struct policy_verdict){0};
	if (n + 1 < sizeof text->at)
		n += (size_t) snprintf(text->at + n, sizeof text->at - n, ".");
	struct str missing = {text->at, n < sizeof text->at ? n : sizeof text->at - 1};
	return end_machine(p, m, due_after(p, finding, now_us), str_cut(missing, POLICY_REASON_MAX));
}

static struct policy_verdict weigh_power(const struct machine_policy *p, const struct policy_finding *finding,
					 const struct policy_machine *m, int64_t now_us)
{
	bool runs = p->power == MACHINE_POLICY_POWER_RUNNING;
	if (m->power != (runs ? POLICY_POWER_STOPPED : POLICY_POWER_RUNNING))
		return (struct policy_verdict){0};
	bool corrects = p->act == MACHINE_POLICY_ACT_CORRECT;
	return (struct policy_verdict){.is_found = true,
				       .act = !corrects ? POLICY_FINDING_ACT_NONE
					      : runs    ? POLICY_FINDING_ACT_START
							: POLICY_FINDING_ACT_STOP,
				       .due_us = corrects ? due_after(p, finding, now_us) : 0,
				       .reason = runs ? STR("Stopped; it should be running.")
						      : STR("Running; it should be stopped.")};
}

/* ---- playbooks ---- */

/* A machine counts as new if both its row here and its launch are younger than the policy: a provider that was added later has
 * old machines, and AWS shows a restart as a launch. */
static struct policy_verdict weigh_provisioned(const struct machine_policy *p,
					       const struct policy_finding *finding,
					       const struct policy_machine *m)
{
	bool is_new = m->known_us > p->since_us && (!m->made_us || m->made_us > p->since_us);
	if (!finding && (!is_new || m->power != POLICY_POWER_RUNNING))
		return (struct policy_verdict){0};
	return (struct policy_verdict){.is_found = true,
				       .act = POLICY_FINDING_ACT_PLAYBOOK,
				       .due_us = finding ? finding->due_us : m->known_us,
				       .reason = STR("New machine.")};
}

/* ---- events ---- */

/* Some events are moments, others last: the machine is not listed, or lacks a tag. A lasting one counts when it begins. */
static bool is_lasting(const struct machine_policy *p)
{
	return p->event == MACHINE_POLICY_EVENT_VANISHED || p->event == MACHINE_POLICY_EVENT_TAG_MISSING;
}

static bool lacks_tag(const struct machine_policy *p, const struct policy_machine *m)
{
	for (size_t k = 0; k < p->keys.count; k++)
		if (!tags_find(m->tags, p->keys.at[k]))
			return true;
	return false;
}

/* Time of the policy's event, as the machine shows it; 0: there is none. A lasting one keeps the time when it was first
 * seen. A moment counts for a day: no finding remembers it for longer. */
static int64_t find_event_us(const struct machine_policy *p, const struct policy_finding *finding,
			     const struct policy_machine *m, int64_t since_us, int64_t now_us)
{
	bool rests = m->power == POLICY_POWER_RUNNING || m->power == POLICY_POWER_STOPPED;
	bool lasts = p->event == MACHINE_POLICY_EVENT_VANISHED ? m->is_missed : lacks_tag(p, m);
	if (is_lasting(p))
		return !lasts ? 0 : finding && finding->event_us ? finding->event_us : now_us;
	if (!rests || m->power_us <= since_us || m->power_us + DAY < now_us ||
	    (p->event == MACHINE_POLICY_EVENT_POWER_DRIFT && !m->is_adrift))
		return 0;
	return m->power_us;
}

/* True during a run of the policy for the machine, and in the quiet time after it. */
static bool is_quiet(const struct policy_finding *finding, int64_t event_us)
{
	if (!finding || finding->run == POLICY_FINDING_RUN_NONE)
		return false;
	return finding->run == POLICY_FINDING_RUN_WANTED || finding->run == POLICY_FINDING_RUN_RUNNING ||
	       event_us <= finding->run_us + QUIET_US;
}

static const char *const event_reasons[] = {
	[MACHINE_POLICY_EVENT_NONE] = "",
	[MACHINE_POLICY_EVENT_STATE_CHANGED] = "The state changed.",
	[MACHINE_POLICY_EVENT_POWER_DRIFT] =
		"The machine was started or stopped, and nobody asked for it here.",
	[MACHINE_POLICY_EVENT_VANISHED] = "The machine is no longer listed.",
	[MACHINE_POLICY_EVENT_TAG_MISSING] = "A tag is missing.",
};

/* A lasting event begins once, and a moment is later than the one that was judged last. */
static bool is_new(const struct machine_policy *p, int64_t event_us, int64_t before_us)
{
	return event_us && (is_lasting(p) ? !before_us : event_us > before_us);
}

/* True while the finding has a run to come or under way, and for a day after the run. */
static bool is_kept(const struct policy_finding *finding, int64_t now_us)
{
	return finding &&
	       (finding->run == POLICY_FINDING_RUN_NONE || finding->run == POLICY_FINDING_RUN_WANTED ||
		finding->run == POLICY_FINDING_RUN_RUNNING || now_us < finding->run_us + DAY);
}

/* A finding without a new event stays for a day after its last run: it counts the machine's runs, and knows the quiet time. */
static struct policy_verdict weigh_event(const struct machine_policy *p, const struct policy_finding *finding,
					 const struct policy_machine *m, int64_t now_us, bool is_preview)
{
	int64_t since_us = is_preview ? now_us - DAY : p->since_us;
	int64_t before_us = finding && !is_preview ? finding->event_us : 0;
	int64_t event_us = find_event_us(p, is_preview ? NULL : finding, m, since_us, now_us);
	bool is_event = is_new(p, event_us, before_us) && (is_preview || !is_quiet(finding, event_us));
	int64_t due_us = finding ? finding->due_us : 0;
	return (struct policy_verdict){
		.is_found = is_event || is_kept(finding, now_us) || (event_us && is_lasting(p)),
		.is_event = is_event,
		.act = POLICY_FINDING_ACT_PLAYBOOK,
		.due_us = is_event ? event_us : due_us,
		.event_us = event_us || is_lasting(p) ? event_us : before_us,
		.reason = str_from(event_reasons[p->event]),
	};
}

bool engine_policy_awaits_machine(const struct tables *t, const struct remote_machine *m)
{
	const struct policy_machine machine = machine_elsewhere(m);
	if (m->missed >= MISSED_KEPT)
		return false;
	for (const struct machine_policy *p = machine_policy_first_by_account(t, m->account); p;
	     p = machine_policy_next_by_account(t, p)) {
		if (p->event != MACHINE_POLICY_EVENT_VANISHED || !is_selected(t, p, &machine))
			continue;
		const struct policy_finding *f = engine_find_policy_finding(t, p, &machine);
		if (!f || f->run == POLICY_FINDING_RUN_NONE || f->run == POLICY_FINDING_RUN_WANTED ||
		    f->run == POLICY_FINDING_RUN_RUNNING)
			return true;
	}
	return false;
}

/* A run that is wanted or under way is waited for. That of a new machine is not repeated; a retirement waits until its run
 * has succeeded, and a failed run is repeated after the pauses of refused acts. */
static bool may_run(const struct machine_policy *p, const struct policy_finding *finding)
{
	if (!p->playbook.n || !finding)
		return true;
	if (finding->run == POLICY_FINDING_RUN_WANTED || finding->run == POLICY_FINDING_RUN_RUNNING)
		return false;
	bool is_once = p->rule == MACHINE_POLICY_RULE_PROVISIONED || p->rule == MACHINE_POLICY_RULE_EVENT;
	return !is_once || finding->run == POLICY_FINDING_RUN_NONE;
}

/* ---- verdicts ---- */

/* A refused or ineffective request is repeated after growing pauses. */
static bool may_try(const struct policy_finding *finding, const struct policy_verdict *v, int64_t now_us)
{
	int64_t pause_us = PAUSE_MIN_US;
	if (!finding || !finding->tries || finding->act != v->act)
		return true;
	for (int64_t k = 1; k < finding->tries && pause_us < PAUSE_MAX_US; k++)
		pause_us *= 2;
	return now_us >= finding->tried_us + (pause_us < PAUSE_MAX_US ? pause_us : PAUSE_MAX_US);
}

static struct policy_verdict weigh_preview(struct policy_verdict v, const struct machine_policy *p,
					   const struct policy_machine *m)
{
	bool stops = p->turn == MACHINE_POLICY_TURN_STOP;
	if (p->rule != MACHINE_POLICY_RULE_SCHEDULE)
		return v;
	return (struct policy_verdict){
		.is_found = p->next_us && m->power == (stops ? POLICY_POWER_RUNNING : POLICY_POWER_STOPPED),
		.act = stops ? POLICY_FINDING_ACT_STOP : POLICY_FINDING_ACT_START,
		.due_us = p->next_us,
		.reason = stops ? STR("Scheduled stop.") : STR("Scheduled start.")};
}

struct policy_verdict engine_weigh_policy(struct policy_text *text, const struct machine_policy *p,
					  const struct policy_finding *finding,
					  const struct policy_machine *m, int64_t now_us, bool is_preview)
{
	struct policy_verdict v = {0};
	switch (p->rule) {
	case MACHINE_POLICY_RULE_RETIREMENT:
		v = weigh_retirement(text, p, m, now_us, is_preview);
		break;
	case MACHINE_POLICY_RULE_SCHEDULE:
		v = weigh_schedule(p, finding, m, now_us);
		break;
	case MACHINE_POLICY_RULE_REQUIRED_TAGS:
		v = weigh_tags(text, p, finding, m, now_us);
		break;
	case MACHINE_POLICY_RULE_POWER_STATE:
		v = weigh_power(p, finding, m, now_us);
		break;
	case MACHINE_POLICY_RULE_PROVISIONED:
		v = weigh_provisioned(p, finding, m);
		break;
	case MACHINE_POLICY_RULE_EVENT:
		v = weigh_event(p, finding, m, now_us, is_preview);
		break;
	}
	if (is_preview)
		return weigh_preview(v, p, m);
	bool is_time = p->rule == MACHINE_POLICY_RULE_SCHEDULE ? v.is_due : v.due_us && now_us >= v.due_us;
	v.is_due = v.is_found && v.act != POLICY_FINDING_ACT_NONE && is_time && !m->is_busy &&
		   (v.is_event || may_run(p, finding)) && may_try(finding, &v, now_us);
	return v;
}

bool engine_policy_has_work(const struct policy_finding *finding, const struct policy_verdict *verdict)
{
	if (!verdict->is_found || !finding)
		return verdict->is_found || finding;
	return verdict->is_due || verdict->event_us != finding->event_us || verdict->act != finding->act ||
	       verdict->due_us != finding->due_us || !str_equal(verdict->reason, finding->reason);
}
