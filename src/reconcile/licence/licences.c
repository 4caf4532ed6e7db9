/* SPDX-License-Identifier: Apache-2.0
 * Two things. (1) Compares licences needed with those entitled, at every tick; an excess becomes a condition
 * of the entitled party and stops nothing. One step, with no id, handles all. (2) Reports to Satellite and
 * Candlepin servers which guests run on which hosts: after a change, but at most every two minutes and not
 * before a requested delay; then polls the server's job until it ends. A heartbeat is sent when nothing
 * changed for two hours. */
#include "engine/licence/compliance.h"

#include <inttypes.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "drivers/candlepin.h"
#include "engine/condition.h"
#include "engine/licence/mapping.h"
#include "model/entitlement.h"
#include "reconcile/work.h"
#include "store/condition.h"
#include "store/entitlement.h"
#include "store/instance.h"
#include "store/subscription_server.h"

enum { CONDITIONS_MAX = 60, GUESTS_NAMED = 5, BEAT_US_HOURS = 2 };
static const int64_t tell_us = 2 * MINUTE, ask_us = 3 * SECOND, beat_us = BEAT_US_HOURS * HOUR;
#define NOT_TOLD "GuestsNotTold"

/* ---- needed and entitled licences ---- */

/* Sets the subject of the need's condition. */
static void find_subject(const struct licence_need *n, struct condition *ret)
{
	ret->subject_kind = !uuid_is_none(n->account)  ? KIND_ACCOUNT
			    : !uuid_is_none(n->domain) ? KIND_DOMAIN
						       : KIND_ENTITLEMENT;
	ret->subject = !uuid_is_none(n->account)  ? n->account
		       : !uuid_is_none(n->domain) ? n->domain
						  : n->entitlement;
}

static struct str name_guests(struct step *s, const struct licence_need *n)
{
	struct arena *a = s->ctx.arena;
	struct str text = STR_NONE;
	for (size_t k = 0; k < n->guests.count && k < GUESTS_NAMED; k++)
		text = str_print(a, "%" STR_FMT "%s%" STR_FMT, STR_ARG(text), k ? ", " : "",
				 STR_ARG(id_to_ec2(a, KIND_INSTANCE, n->guests.at[k].instance)));
	return n->guests.count > GUESTS_NAMED ? str_print(a, "%" STR_FMT ", …", STR_ARG(text)) : text;
}

static RESULT report_over(struct step *s, const struct licence_need *n)
{
	struct arena *a = s->ctx.arena;
	struct condition condition = {
		.name = engine_licence_condition(a, n),
		.message =
			str_print(a,
				  "Of %" STR_FMT " (%s) %" PRId64 " are needed by %s, and %" PRId64
				  " are entitled: %" STR_FMT ".",
				  STR_ARG(n->product), licence_source_words[n->source], n->needed,
				  product_metric_words[n->metric], n->entitled, STR_ARG(name_guests(s, n))),
		.advice = STR("`dari subscriptions` names all of them. Turn some off, convert them, or write "
			      "down what was bought: dari subscriptions entitle.")};
	find_subject(n, &condition);
	if (!condition.message.p || !condition.name.p)
		return ctx_no_memory(&s->ctx);
	struct condition_wish *wish = STEP_NEW(s, struct condition_wish);
	*wish = (struct condition_wish){(enum kind) condition.subject_kind, condition.subject, condition.name,
					condition.message, condition.advice};
	step_report(s, engine_set_condition_run, wish);
	return OK;
}

struct over_seen { /* conditions that no longer hold */
	struct condition_wish at[CONDITIONS_MAX];
	size_t count;
};

static bool still_holds(struct step *s, const struct condition *c, const struct licence_needs *needs)
{
	for (size_t k = 0; k < needs->list.count; k++) {
		struct condition subject = {0};
		const struct licence_need *n = needs->list.at[k];
		find_subject(n, &subject);
		if (engine_is_over(n) && uuid_equal(subject.subject, c->subject) &&
		    str_equal(engine_licence_condition(s->ctx.arena, n), c->name))
			return true;
	}
	return false;
}

/* Walks all conditions; a region has few. */
static void gather_over(struct step *s, const struct tables *t, const struct licence_needs *needs,
			struct over_seen *ret)
{
	ret->count = 0;
	for (const struct condition *c = condition_first(t); c && ret->count < CONDITIONS_MAX;
	     c = condition_next(t, c))
		if (row_is_live(&c->row) && str_starts_with(c->name, STR(LICENCES_OVER)) &&
		    !still_holds(s, c, needs))
			ret->at[ret->count++] =
				(struct condition_wish){.kind = (enum kind) c->subject_kind,
							.subject = c->subject,
							.name = str_copy(s->ctx.arena, c->name)};
}

static RESULT step_licences(struct step *s)
{
	struct licence_needs needs;
	struct over_seen *gone = STEP_NEW(s, struct over_seen);
	AUTO_VIEW view = {0};
	view_open(s->r->store, &view);
	TRY(engine_weigh_licences(&s->ctx, view.tables, clock_now_us(), NULL, 0, &needs));
	gather_over(s, view.tables, &needs, gone);
	view_close(&view);
	for (size_t k = 0; k < gone->count; k++)
		step_report(s, engine_clear_condition_run, &gone->at[k]);
	for (size_t k = 0, said = gone->count; k < needs.list.count && said < CONDITIONS_MAX; k++)
		if (engine_is_over(needs.list.at[k])) {
			TRY(report_over(s, needs.list.at[k]));
			said++;
		}
	return OK;
}

static void wake_licences(struct reconciler *r, const struct row *row)
{
	(void) row;
	work_wake(r, lane_home(r), KIND_ENTITLEMENT, UUID_NONE, WAKE_WISH);
}

const struct resource reconcile_entitlement = {.step = step_licences, .wake = wake_licences};

/* ---- reports to subscription servers ---- */

struct telling {
	const struct subscription_server *row; /* NULL: the row does not exist */
	struct candlepin place;
	struct str mapping, sum;
	struct subscription_server_report *report;
};

static RESULT gather_telling(struct step *s, struct telling *ret)
{
	AUTO_VIEW view = {0};
	view_open(s->r->store, &view);
	const struct subscription_server *row = subscription_server_find(view.tables, s->id);
	if (!row || !row_is_live(&row->row))
		return OK;
	ret->row = STEP_COPY(s, KIND_SUBSCRIPTION_SERVER, struct subscription_server, row);
	const struct mapping_scope scope = {ret->row->of_account, ret->row->of_domain};
	if (!ret->row->job.n)
		TRY(engine_write_mapping(&s->ctx, view.tables, &scope, &ret->mapping));
	return OK;
}

static RESULT open_place(struct step *s, struct telling *t)
{
	const struct subscription_server *row = t->row;
	t->place = (struct candlepin){.url = row->url,
				      .is_satellite = row->dialect == SUBSCRIPTION_SERVER_DIALECT_SATELLITE,
				      .organisation = row->organisation,
				      .user = row->user,
				      .certificate = row->certificate,
				      .authority = row->authority,
				      .reporter = row->reporter};
	if (row->secret.n)
		TRY(crypto_open(&s->ctx, s->r->master_key,
				(struct str){(const char *) row->row.id.b, sizeof row->row.id.b}, row->secret,
				&t->place.secret));
	return OK;
}

static RESULT say_problem(struct step *s, struct str words)
{
	struct condition condition = {.subject_kind = KIND_SUBSCRIPTION_SERVER,
				      .subject = s->id,
				      .name = STR(NOT_TOLD),
				      .message = words,
				      .advice = STR("Look there what its job says; it is told again in two "
						    "minutes.")};
	return step_report_condition(s, &condition, words.n > 0);
}

/* Records the server's answer: accepted, pending or refused. sum: digest of the mapping. */
static RESULT conclude(struct step *s, struct telling *t, const struct candlepin_answer *a, struct str sum)
{
	struct subscription_server_report *report = t->report;
	int64_t now_us = clock_now_us();
	report->sets_told = a->state == CANDLEPIN_TAKEN;
	report->told_sum = sum;
	report->sets_job = a->state != CANDLEPIN_LATER;
	if (a->state == CANDLEPIN_WAITS) {
		report->job = a->job;
		report->job_sum = sum;
		step_again_at(s, now_us + ask_us);
	}
	report->not_before_us = a->state == CANDLEPIN_LATER     ? now_us + a->retry_s * SECOND
				: a->state == CANDLEPIN_REFUSED ? now_us + tell_us
								: 0;
	step_report(s, engine_see_subscription_server_run, report);
	if (a->state == CANDLEPIN_TAKEN || a->state == CANDLEPIN_REFUSED)
		TRY(say_problem(s, a->state == CANDLEPIN_REFUSED ? a->words : STR_NONE));
	return OK;
}

static RESULT ask_job(struct step *s, struct telling *t)
{
	struct candlepin_answer answer;
	TRY(candlepin_ask_job(&s->ctx, &t->place, t->row->job, &answer));
	return conclude(s, t, &answer, t->row->job_sum);
}

static RESULT tell(struct step *s, struct telling *t)
{
	struct candlepin_answer answer;
	TRY(candlepin_tell(&s->ctx, &t->place, t->mapping, &answer));
	return conclude(s, t, &answer, t->sum);
}

static RESULT beat(struct step *s, struct telling *t)
{
	struct candlepin_answer answer;
	TRY(candlepin_beat(&s->ctx, &t->place, &answer));
	t->report->sets_beat = answer.state != CANDLEPIN_LATER;
	t->report->not_before_us =
		answer.state == CANDLEPIN_LATER ? clock_now_us() + answer.retry_s * SECOND : 0;
	step_report(s, engine_see_subscription_server_run, t->report);
	return OK;
}

static RESULT sum_up(struct step *s, struct telling *t)
{
	uint8_t digest[SHA256_SIZE];
	crypto_sha256(t->mapping, digest);
	t->sum = str_encode_hex(s->ctx.arena, digest, sizeof digest);
	return t->sum.p ? OK : ctx_no_memory(&s->ctx);
}

static RESULT talk(struct step *s, struct telling *t, int64_t now_us)
{
	int64_t heard_us = t->row->told_us > t->row->beat_us ? t->row->told_us : t->row->beat_us;
	if (t->row->job.n)
		return ask_job(s, t);
	bool has_changed = !str_equal(t->sum, t->row->told_sum);
	if (has_changed)
		return now_us - t->row->told_us >= tell_us ? tell(s, t) : OK;
	return now_us - heard_us >= beat_us ? beat(s, t) : OK;
}

static RESULT step_server(struct step *s)
{
	struct telling t = {.report = STEP_NEW(s, struct subscription_server_report)};
	int64_t now_us = clock_now_us();
	TRY(gather_telling(s, &t));
	if (!t.row || now_us < t.row->not_before_us)
		return OK;
	*t.report = (struct subscription_server_report){.server = s->id, .gen = t.row->row.gen};
	TRY(sum_up(s, &t));
	TRY(open_place(s, &t));
	struct result result = talk(s, &t, now_us);
	if (t.place.secret.n)
		crypto_wipe((void *) t.place.secret.p, t.place.secret.n); /* the copy in our arena */
	return result;
}

static void wake_server(struct reconciler *r, const struct row *row)
{
	work_wake(r, lane_fetches(row->id), KIND_SUBSCRIPTION_SERVER, row->id, WAKE_NEWS);
}

/* Reports of the step leave gen as it was; the tick wakes the server when it is due. */
static void wake_changed_server(struct reconciler *r, const struct tables *t, const struct row *before,
				const struct row *after)
{
	(void) t;
	if (!before || before->gen != after->gen)
		wake_server(r, after);
}

const struct resource reconcile_subscription_server = {
	.step = step_server, .wake = wake_server, .wake_changed = wake_changed_server};

/* ---- ticks ---- */

void wake_due_licences(struct reconciler *r)
{
	AUTO_VIEW view = {0};
	view_open(r->store, &view);
	const struct subscription_server *s = subscription_server_first(view.tables);
	for (; s; s = subscription_server_next(view.tables, s))
		if (row_is_live(&s->row))
			wake_server(r, &s->row);
	const struct instance *i = instance_first(view.tables);
	while (i && !i->licences.count)
		i = instance_next(view.tables, i);
	bool has_some = i || tables_count(view.tables, KIND_ENTITLEMENT) > 0;
	view_close(&view);
	if (has_some)
		wake_licences(r, NULL);
}
