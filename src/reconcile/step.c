/* SPDX-License-Identifier: Apache-2.0
 * Runs one step: creates the arena, calls the resource's function, and submits the reports to the committer.
 * The arena lives until the committer is done with the reports. A repeated failure becomes a condition of the
 * resource; the next success clears it, even after a restart, because the condition is a row. */
#include "base/clock.h"
#include "base/log.h"
#include "engine/condition.h"
#include "reconcile/work.h"
#include "store/condition.h"

enum { FAILURES_UNTIL_REPORTED = 3, STRAYS_SHOWN = 10 };
enum { STEP_ARENA_FIRST = 8 * 1024, STEP_ARENA_CAP = 16 * 1024 * 1024 };

static const struct resource *const resources[STEP_KINDS] = {
#define RESOURCE(kind, name) [kind] = &reconcile_##name,
#include "reconcile/resources.def"
#undef RESOURCE
};

const struct resource *resource_of(enum kind kind)
{
	static const struct resource nothing;
	return resources[kind] ? resources[kind] : &nothing;
}

bool step_is_known(enum kind kind)
{
	return resource_of(kind)->step != NULL;
}

const char *step_kind_name(enum kind kind)
{
	if (kind == KIND_HOST_SILENCE)
		return "host's silence";
	if (kind == KIND_HOST_CHASSIS)
		return "host's chassis";
	return kind == KIND_HOST_DISKS ? "host's disks" : model_kinds[kind].name;
}

/* ---- reports ---- */

void step_report(struct step *s, op_run run, void *wish)
{
	if (s->report_count < STEP_REPORTS_MAX)
		s->reports[s->report_count++] = (struct report){run, wish};
	else
		step_again(s);
}

void step_again(struct step *s)
{
	s->end.again = AGAIN_SOON;
}

void step_again_at(struct step *s, int64_t due_us)
{
	s->end.again = AGAIN_LATER;
	s->end.due_us = due_us;
}

void step_again_by(struct step *s, int64_t due_us)
{
	if (due_us < clock_now_us() + s->r->resync_interval_us)
		step_again_at(s, due_us);
}

RESULT step_report_condition(struct step *s, const struct condition *wanted, bool holds)
{
	bool is_reported = false, same = false;
	{
		AUTO_VIEW view = {0};
		view_open(s->r->store, &view);
		const struct condition *reported =
			condition_find_by_subject(view.tables, wanted->subject, wanted->name);
		is_reported = reported != NULL;
		same = reported && str_equal(reported->message, wanted->message);
	}
	if (holds ? same : !is_reported)
		return OK;
	struct condition_wish *wish = STEP_NEW(s, struct condition_wish);
	*wish = (struct condition_wish){
		.kind = (enum kind) wanted->subject_kind,
		.subject = wanted->subject,
		.name = wanted->name,
		.message = wanted->message,
		.advice = wanted->advice,
	};
	step_report(s, holds ? engine_set_condition_run : engine_clear_condition_run, wish);
	return OK;
}

size_t step_name_stray(struct step *s, size_t count, const char *what, uuid id, struct str *names)
{
	char text[UUID_TEXT_SIZE];
	if (count < STRAYS_SHOWN)
		*names = str_print(s->ctx.arena, "%" STR_FMT "%s%s %s", STR_ARG(*names), count ? ", " : "",
				   what, uuid_write(id, text));
	return count + 1;
}

RESULT step_report_strays(struct step *s, const char *name, size_t count, struct str names)
{
	struct condition condition = {
		.subject_kind =
			s->kind == KIND_POOL_HOST || s->kind == KIND_STORAGE_POOL ? s->kind : KIND_HOST,
		.subject = s->id,
		.name = str_from(name),
		.message = str_print(s->ctx.arena,
				     "%zu things with this region's mark have no row: %" STR_FMT "%s", count,
				     STR_ARG(names), count > STRAYS_SHOWN ? ", …" : ""),
		.advice = STR("They are left as they are. `dari audit` lists them, `dari adopt` and `dari "
			      "purge` decide."),
	};
	return step_report_condition(s, &condition, count > 0);
}

/* Sets or clears NotReconciled. Reading w->failures without the map's lock is safe: only the conclusion of
 * this step changes it. A disconnected host is reported once by its own condition, not again by everything on
 * it. */
static void report_failure(struct step *s, struct result result)
{
	bool fails = !result_is_ok(result);
	bool is_away = result.code == ERR_GONE && s->host;
	bool lasts = s->work->failures + 1 >= FAILURES_UNTIL_REPORTED;
	if (uuid_is_none(s->id) || s->kind >= KIND_COUNT ||
	    (fails && (is_away || result.code == ERR_AGAIN || !lasts)))
		return;
	if (!fails && s->host && host_connection_hangs(s->host, s->kind, s->id))
		return; /* host_connection_look_at_left() reports the hanging call; clearing the condition
			 * here would hide it */
	struct condition condition = {
		.subject_kind = s->kind,
		.subject = s->id,
		.name = STR(NOT_RECONCILED),
		.message = s->ctx.problem.message,
		.advice = result.code == ERR_CAPACITY
				  ? STR("Make room there: it goes on by itself then.")
				  : STR("It is tried again by itself; `dari doctor` checks the parts."),
	};
	IGNORE(step_report_condition(s, &condition, fails)); /* out of memory: the next step reports it */
}

static void log_failure(const struct step *s, struct result result)
{
	bool is_waiting = result.code == ERR_AGAIN || (result.code == ERR_GONE && s->host);
	char id[UUID_TEXT_SIZE];
	log_event(is_waiting ? LOG_DEBUG : LOG_WARN, "step-failed", "kind=%s id=%s error=%s message=%s",
		  step_kind_name(s->kind), uuid_write(s->id, id), err_name(result.code),
		  log_quote(s->ctx.problem.message));
}

/* ---- reports ---- */

/* Runs all reports of a step in one change. ERR_IN_USE and ERR_STATE of one report do not fail the others: a
 * row is still referenced, so it is too early to forget it, and the removal of the referrer wakes the
 * resource again. Operations check before they write, so a refused one has changed nothing. */
static RESULT reports_run(struct op *op, void *arg)
{
	struct step *s = arg;
	for (size_t k = 0; k < s->report_count; k++) {
		struct result result = s->reports[k].run(op, s->reports[k].wish);
		if (result.code != ERR_IN_USE && result.code != ERR_STATE)
			TRY(result);
		ctx_clear_problem(&s->ctx);
	}
	return OK;
}

static void reports_done(struct change *change, struct result result)
{
	struct step *s = change->arg;
	struct reconciler *r = s->r;
	struct arena *arena = s->ctx.arena; /* owns s and the change; read before work_conclude(), after
					     * which s may not be used */
	if (!result_is_ok(result)) {
		log_event(LOG_WARN, "report-refused", "kind=%s error=%s message=%s", step_kind_name(s->kind),
			  err_name(result.code), log_quote(s->ctx.problem.message));
		s->end.result = result;
	}
	work_conclude(r, s->work, &s->end);
	arena_free(arena);
	reconciler_release(r);
}

/* The reference keeps r alive until reports_done(), which may run after reconciler_free(). WORK_REPORTING is
 * set before the submission because reports_done() may run before store_submit() returns. */
static void submit_reports(struct step *s)
{
	ctx_clear_problem(&s->ctx);
	s->change = (struct change){
		.run = reports_run, .arg = s, .ctx = &s->ctx, .done = reports_done, .action = "reconcile"};
	atomic_fetch_add(&s->r->references, 1);
	work_wait_for_reports(s->r, s->work);
	store_submit(s->r->store, &s->change);
}

/* ---- the step ---- */

void step_run(struct reconciler *r, struct work *w, struct lane lane)
{
	struct arena *arena = arena_new(STEP_ARENA_FIRST, STEP_ARENA_CAP);
	struct step *s = arena ? arena_new_object(arena, struct step) : NULL;
	if (!s) {
		arena_free(arena);
		work_conclude(r, w, &(struct step_end){.result = FAIL(NO_MEMORY)});
		return;
	}
	*s = (struct step){.r = r,
			   .work = w,
			   .kind = w->kind,
			   .id = w->id,
			   .host = lane.host,
			   .is_disks = lane.is_disks};
	ctx_init(&s->ctx, arena);
	s->ctx.may_act = r->may_act;
	s->ctx.may_act_self = r->may_act_self;
	s->ctx.epoch = r->epoch;
	if (lane.host)
		s->connection = host_connection_enter(lane, s->kind, s->id);
	struct result result = resource_of(s->kind)->step(s);
	s->end.result = result;
	if (!result_is_ok(result))
		log_failure(s, result);
	if (result.code == ERR_GONE && s->connection)
		host_connection_lost(s->connection);
	if (s->connection)
		host_connection_leave(s->connection);
	report_failure(s, result);
	if (s->report_count > 0) {
		submit_reports(s);
		return;
	}
	work_conclude(r, w, &s->end);
	arena_free(arena);
}
