/* SPDX-License-Identifier: Apache-2.0
 * Steps of live migrations. Woken by the migration's row, its instance, its volumes (whose steps create empty
 * files on the target) and its ports (whose steps make OVN bind them on both hosts). A step opens connections
 * of its own to both hosts and sends the guest on a fetch lane, because sending may take hours.
 * instance_migration_plan.c decides.
 *
 * The row records that sending is about to begin before it begins. A process that finds this record and did
 * not write it knows that files on the target may have content, and has them created anew. */
#include "engine/instance/placement/instance_migration.h"

#include "base/clock.h"
#include "base/log.h"
#include "engine/region/fence.h"
#include "engine/region/host.h"
#include "reconcile/instance/instance_migration_plan.h"
#include "reconcile/instance/instance_rows.h"
#include "reconcile/work.h"
#include "store/host.h"
#include "store/instance.h"
#include "store/instance_migration.h"
#include "store/network.h"
#include "store/port.h"

/* Between looks at both hosts while a migration's end is awaited. */
static const int64_t LOOK_AGAIN_US = SECOND;
/* after arrival; then the migration ends with a warning */
static const int64_t SETTLE_US = 60 * SECOND;
static const int64_t NEWS_INTERVAL_US = 2 * SECOND; /* between two progress reports */

struct migration_rows {
	const struct instance_migration *migration; /* NULL: no such row, or it has ended */
	const struct host *source, *target;         /* NULL: the host was removed */
	struct instance_rows instance;
	bool is_ready;
	bool has_settled;                  /* OVN has bound all ports on the target */
	bool source_is_off, target_is_off; /* proven by a fence */
};

/* Source or target host of the migration; `host` is NULL if it was not reached. */
struct end {
	const struct compute_driver *driver;
	struct compute_host *host; /* NULL: not connected */
	struct compute_end_seen seen;
};

struct ends {
	struct end source, target;
	bool target_is_silent;
};

/* ---- the rows ---- */

static bool is_network_ready(const struct tables *t, const struct instance_migration *m)
{
	for (const struct port *p = port_first_by_instance(t, m->instance); p;
	     p = port_next_by_instance(t, p))
		if (row_is_live(&p->row) && p->seen_gen != (int64_t) p->row.gen)
			return false;
	return true;
}

/* True if the port is disabled: OVN binds it nowhere. */
static bool is_shut(const struct tables *t, const struct port *p)
{
	const struct network *network = network_find(t, p->network);
	return p->is_down || !network || network->is_down;
}

static bool has_network_settled(const struct tables *t, const struct instance_migration *m)
{
	for (const struct port *p = port_first_by_instance(t, m->instance); p;
	     p = port_next_by_instance(t, p))
		if (row_is_live(&p->row) &&
		    (p->seen_gen != (int64_t) p->row.gen || !(p->seen_up || is_shut(t, p))))
			return false;
	return true;
}

static const struct host *find_host(const struct tables *t, uuid id)
{
	const struct host *h = host_find(t, id);
	return h && row_is_live(&h->row) ? h : NULL;
}

static RESULT gather_hosts(struct step *s, const struct tables *t, struct migration_rows *rows)
{
	const struct host *source = find_host(t, rows->migration->host);
	const struct host *target = find_host(t, rows->migration->target);
	rows->source_is_off = engine_is_host_off(t, rows->migration->host);
	rows->target_is_off = engine_is_host_off(t, rows->migration->target);
	if (source)
		rows->source = STEP_COPY(s, KIND_HOST, struct host, source);
	if (target)
		rows->target = STEP_COPY(s, KIND_HOST, struct host, target);
	return OK;
}

static RESULT gather(struct step *s, struct migration_rows *ret_rows)
{
	*ret_rows = (struct migration_rows){0};
	{
		AUTO_VIEW view = {0};
		view_open(s->r->store, &view);
		const struct instance_migration *m = instance_migration_find(view.tables, s->id);
		const struct instance *i = m ? instance_find(view.tables, m->instance) : NULL;
		if (!i || m->method != INSTANCE_MIGRATION_METHOD_LIVE ||
		    m->outcome != INSTANCE_MIGRATION_OUTCOME_ASKED)
			return OK;
		ret_rows->migration = STEP_COPY(s, KIND_INSTANCE_MIGRATION, struct instance_migration, m);
		ret_rows->has_settled = has_network_settled(view.tables, m);
		ret_rows->is_ready =
			engine_migration_has_disks(view.tables, m) && is_network_ready(view.tables, m);
		TRY(gather_hosts(s, view.tables, ret_rows));
	}
	TRY(instance_gather_rows(s, ret_rows->migration->instance, &ret_rows->instance));
	if (!ret_rows->instance.instance) /* forgotten since the view above */
		ret_rows->migration = NULL;
	return OK;
}

/* ---- reports ---- */

static RESULT report(struct step *s, enum migration_event event, struct str problem)
{
	struct migration_report *report = STEP_NEW(s, struct migration_report);
	*report = (struct migration_report){.migration = s->id, .event = event, .problem = problem};
	step_report(s, engine_see_migration_run, report);
	step_again(s);
	return OK;
}

static RESULT report_pause(struct step *s, int64_t pause_ms)
{
	struct migration_report *report = STEP_NEW(s, struct migration_report);
	*report = (struct migration_report){
		.migration = s->id, .event = MIGRATION_WAS_SENT, .figures = {.pause_ms = pause_ms}};
	step_report(s, engine_see_migration_run, report);
	return OK;
}

/* A progress report. It is a change of its own because the step is still running. */
struct news {
	struct ctx ctx;
	struct reconciler *r;
	struct change change;
	struct migration_report report;
};

static RESULT news_run(struct op *op, void *arg)
{
	struct news *news = arg;
	return engine_see_migration(op, &news->report);
}

static void news_done(struct change *change, struct result result)
{
	struct news *news = change->arg;
	struct reconciler *r = news->r;
	(void) result; /* the next report replaces a lost one */
	arena_free(news->ctx.arena);
	reconciler_release(r);
}

static void tell_sent(struct step *s, const struct compute_sent *sent)
{
	struct arena *arena = arena_new(4096, 1 << 20);
	struct news *news = arena ? arena_new_object(arena, struct news) : NULL;
	if (!news) {
		arena_free(arena);
		return;
	}
	*news = (struct news){.r = s->r,
			      .report = {.migration = s->id,
					 .event = MIGRATION_PROGRESSES,
					 .figures = {.memory_size = sent->memory_size,
						     .memory_done = sent->memory_done,
						     .memory_left = sent->memory_left,
						     .disk_size = sent->disk_size,
						     .disk_done = sent->disk_done,
						     .disk_left = sent->disk_left,
						     .pause_limit_ms = sent->pause_limit_ms}}};
	ctx_init(&news->ctx, arena);
	news->change = (struct change){
		.run = news_run, .arg = news, .ctx = &news->ctx, .done = news_done, .action = "reconcile"};
	atomic_fetch_add(&s->r->references, 1);
	store_submit(s->r->store, &news->change);
}

/* ---- the two ends ---- */

static RESULT open_end(struct step *s, const struct host *row, uuid instance, struct end *end)
{
	void *self = NULL;
	end->driver = hosts_driver(s->r, row->uri, &self);
	if (!end->driver)
		return ctx_fail(&s->ctx, ERR_UNSUPPORTED, "no driver for the host's address %" STR_FMT,
				STR_ARG(row->uri));
	TRY(end->driver->open_host(self, &s->ctx, s->r->region, row, &end->host));
	return end->driver->see_end(end->host, &s->ctx, instance, &end->seen);
}

static void close_end(const struct end *end)
{
	if (end->host)
		end->driver->close_host(end->host);
}

static void close_ends(struct ends *ends)
{
	close_end(&ends->source);
	close_end(&ends->target);
}
#define AUTO_ENDS __attribute__((cleanup(close_ends))) struct ends

/* Connects to both hosts. A target that does not answer is no error here: the state of the source may be
 * enough to decide. */
static RESULT open_ends(struct step *s, const struct migration_rows *rows, struct ends *ends)
{
	uuid instance = rows->migration->instance;
	if (!rows->source_is_off)
		TRY(open_end(s, rows->source, instance, &ends->source));
	ends->target_is_silent = rows->target_is_off;
	if (rows->target_is_off)
		return OK;
	struct result result = open_end(s, rows->target, instance, &ends->target);
	ends->target_is_silent = result.code == ERR_GONE;
	return ends->target_is_silent ? OK : result;
}

/* ---- arriving ---- */

/* Undefines the domain on the source, which deletes the files stored beside its definition. */
static RESULT arrive(struct step *s, const struct ends *ends, uuid instance)
{
	if (ends->source.host)
		TRY(ends->source.driver->undefine(ends->source.host, &s->ctx, instance));
	return report(s, MIGRATION_ARRIVED, STR_NONE);
}

/* Reports the arrival within the sending step. A later step would queue behind other migrations on the lane,
 * each of which may take hours. */
static RESULT arrive_at_once(struct step *s, struct ends *ends, uuid instance)
{
	struct end *source = &ends->source, *target = &ends->target;
	struct result result = source->driver->see_end(source->host, &s->ctx, instance, &source->seen);
	if (result_is_ok(result))
		result = target->driver->see_end(target->host, &s->ctx, instance, &target->seen);
	if (result.code == ERR_NO_MEMORY)
		return result;
	ctx_clear_problem(&s->ctx);
	bool is_there = result_is_ok(result) && source->seen.end == COMPUTE_END_ABSENT &&
			target->seen.end == COMPUTE_END_RUNS;
	return is_there ? arrive(s, ends, instance) : OK;
}

/* ---- sending ---- */

struct journey {
	struct step *step;
	int64_t told_us; /* time of the last progress report; 0: none yet */
	bool is_given_up;
};

/* Reads the row while sending: false if the migration was cancelled or the instance deleted. */
static bool look_at_wish(struct step *s, bool *ret_hastens)
{
	AUTO_VIEW view = {0};
	view_open(s->r->store, &view);
	const struct instance_migration *m = instance_migration_find(view.tables, s->id);
	const struct instance *i = m ? instance_find(view.tables, m->instance) : NULL;
	*ret_hastens = m && m->is_hastened;
	return i && row_is_live(&i->row) && !m->is_cancelled;
}

static bool goes_on(void *arg, const struct compute_sent *sent, bool *ret_hastens)
{
	struct journey *j = arg;
	int64_t now_us = clock_now_us();
	j->is_given_up = work_is_stopping(j->step->r) || !look_at_wish(j->step, ret_hastens);
	if (!j->is_given_up && (j->told_us == 0 || now_us >= j->told_us + NEWS_INTERVAL_US)) {
		tell_sent(j->step, sent);
		j->told_us = now_us;
	}
	return !j->is_given_up;
}

/* An error does not prove that the guest has not arrived: the next step looks at both hosts. */
static RESULT send(struct step *s, const struct migration_rows *rows, struct ends *ends)
{
	struct journey j = {.step = s};
	struct compute_migration journey = {.to = ends->target.host,
					    .address = engine_get_host_address(rows->target),
					    .domain = &rows->instance.domain,
					    .rate = rows->source->move_rate,
					    .goes_on = goes_on,
					    .arg = &j};
	s->work->has_begun = false;
	step_again(s);
	struct result result = ends->source.driver->send(ends->source.host, &s->ctx, &journey);
	if (result_is_ok(result)) {
		TRY(report_pause(s, journey.pause_ms));
		return arrive_at_once(s, ends, rows->migration->instance);
	}
	if (result.code == ERR_NO_MEMORY)
		return result;
	struct str problem = s->ctx.problem.message;
	ctx_clear_problem(&s->ctx);
	log_event(LOG_INFO, "migration-ended", "instance=%s given-up=%d message=%s",
		  log_quote(rows->instance.domain.name), j.is_given_up, log_quote(problem));
	return j.is_given_up ? OK : report(s, MIGRATION_FAILS, problem);
}

/* ---- actions ---- */

/* Removes the guest from one end. No row changes by that, so the step asks to be run again, and looks. */
static RESULT clear(struct step *s, const struct end *end, uuid instance)
{
	step_again(s);
	TRY(end->driver->set_power(end->host, &s->ctx, instance, COMPUTE_FORCE_OFF));
	return end->driver->undefine(end->host, &s->ctx, instance);
}

static RESULT resume(struct step *s, const struct end *end, uuid instance)
{
	step_again(s);
	return end->driver->set_power(end->host, &s->ctx, instance, COMPUTE_START);
}

static RESULT stay(struct step *s, const struct ends *ends, uuid instance)
{
	bool went_off = ends->source.seen.end != COMPUTE_END_RUNS;
	if (!ends->target_is_silent)
		TRY(ends->target.driver->undefine(ends->target.host, &s->ctx, instance));
	return report(s, MIGRATION_STAYED, went_off ? STR("Its guest went off meanwhile.") : STR_NONE);
}

static RESULT begin(struct step *s)
{
	s->work->has_begun = true;
	return report(s, MIGRATION_BEGINS, STR_NONE);
}

/* Looks again until the target host is reported down; then the migration fails. */
static RESULT look_again(struct step *s, const struct migration_rows *rows, const struct ends *ends)
{
	bool is_lost = ends->target_is_silent && ends->source.seen.end == COMPUTE_END_RUNS &&
		       rows->target->seen_state == HOST_SEEN_STATE_DOWN;
	step_again_at(s, clock_now_us() + LOOK_AGAIN_US);
	return is_lost ? report(s, MIGRATION_FAILS, STR("The host that it goes to does not answer.")) : OK;
}

static RESULT apply(struct step *s, const struct migration_rows *rows, struct ends *ends,
		    enum migration_step step)
{
	uuid instance = rows->migration->instance;
	switch (step) {
	case MIGRATION_WAIT:
		return OK;
	case MIGRATION_LOOK_AGAIN:
		return look_again(s, rows, ends);
	case MIGRATION_BEGIN:
		return begin(s);
	case MIGRATION_SEND:
		return send(s, rows, ends);
	case MIGRATION_REDO:
		return report(s, MIGRATION_IS_REDONE, STR_NONE);
	case MIGRATION_CLEAR_TARGET:
		return clear(s, &ends->target, instance);
	case MIGRATION_CLEAR_SOURCE:
		return clear(s, &ends->source, instance);
	case MIGRATION_RESUME_SOURCE:
		return resume(s, &ends->source, instance);
	case MIGRATION_RESUME_TARGET:
		return resume(s, &ends->target, instance);
	case MIGRATION_ARRIVE:
		return arrive(s, ends, instance);
	case MIGRATION_STAY:
		return stay(s, ends, instance);
	}
	return FAIL(INTERNAL);
}

/* The guest runs on the target. Until OVN has bound its ports there alone, traffic may still go to the
 * source. */
static RESULT settle(struct step *s, const struct migration_rows *rows)
{
	int64_t until_us = rows->migration->arrived_us + SETTLE_US;
	if (rows->has_settled)
		return report(s, MIGRATION_SETTLED, STR_NONE);
	if (clock_now_us() >= until_us)
		return report(s, MIGRATION_SETTLED,
			      STR("Its network does not follow: OVN has not bound its interfaces there."));
	step_again_at(s, until_us); /* the ports' steps wake it earlier */
	return OK;
}

static RESULT step_migration(struct step *s)
{
	struct migration_rows rows;
	enum migration_step step = MIGRATION_WAIT;
	AUTO_ENDS ends = {0};
	TRY(gather(s, &rows));
	const struct instance_migration *m = rows.migration;
	if (!m)
		return OK;
	if (m->stage == INSTANCE_MIGRATION_STAGE_SETTLING)
		return settle(s, &rows);
	if (!rows.source || !rows.target)
		return ctx_fail(&s->ctx, ERR_AGAIN, "a host of the migration is gone");
	TRY(open_ends(s, &rows, &ends));
	const struct migration_plan_input input = {
		.source = ends.source.seen,
		.target = ends.target.seen,
		.target_is_silent = ends.target_is_silent,
		.source_is_off = rows.source_is_off,
		.target_is_off = rows.target_is_off,
		.is_over = m->is_cancelled || m->problem.n || !row_is_live(&rows.instance.instance->row),
		.is_ready = rows.is_ready,
		.has_begun = s->work->has_begun,
		.stage = m->stage,
	};
	TRY(migration_step_choose(&s->ctx, &input, &step));
	ctx_clear_problem(&s->ctx);
	return apply(s, &rows, &ends, step);
}

/* ---- wake-ups ---- */

/* Uses the fetch lanes of the source host, so that few migrations leave it at a time. A migration that only
 * waits for OVN does not occupy a lane. */
static void wake_row(struct reconciler *r, const struct row *row)
{
	const struct instance_migration *m = instance_migration_of(row);
	bool settles = m->stage == INSTANCE_MIGRATION_STAGE_SETTLING;
	if (m->method == INSTANCE_MIGRATION_METHOD_LIVE && m->outcome == INSTANCE_MIGRATION_OUTCOME_ASKED)
		work_wake(r, settles ? lane_home(r) : lane_fetches(m->host), KIND_INSTANCE_MIGRATION, row->id,
			  WAKE_WISH);
}

void wake_migration(struct reconciler *r, const struct tables *t, uuid instance)
{
	const struct instance_migration *m = engine_find_migration(t, instance);
	if (m)
		wake_row(r, &m->row);
}

const struct resource reconcile_instance_migration = {
	.step = step_migration,
	.is_swept = true,
	.wake = wake_row,
};
