/* SPDX-License-Identifier: Apache-2.0
 * Delivers webhook events in order, one a step. While the receiver does not answer, all events wait; an event
 * that it refuses is retried later while the others go on. A delivery keeps its id across retries and
 * restarts, so that receivers can discard duplicates. An invoice is read from the ledger at delivery, which
 * keeps rows small, and a sign-up token is made at delivery, so that no row contains it. The step may wait
 * for the receiver and runs on a desk lane. */
#include "drivers/webhook.h"

#include "base/clock.h"
#include "base/crypto.h"
#include "base/json_write.h"
#include "engine/billing/webhook.h"
#include "engine/people/account/signup.h"
#include "engine/region/region.h"
#include "reconcile/support/desk.h"
#include "store/ledger.h"
#include "store/webhook.h"
#include "store/webhook_delivery.h"

#define GIVE_UP_US (WEBHOOK_GIVE_UP_HOURS * HOUR)
#define BODY_CAP ((size_t) 16 << 20)

struct telling {
	const struct webhook *hook; /* NULL: nothing to deliver now */
	const struct webhook_delivery *delivery;
	struct str region;
	int64_t again_us; /* time of the next delivery; 0: none */
};

static RESULT gather(struct step *s, struct telling *ret)
{
	AUTO_VIEW view = {0};
	view_open(s->r->store, &view);
	int64_t now_us = clock_now_us();
	const struct webhook *hook = webhook_find(view.tables, s->id);
	if (!hook || hook->is_off)
		return OK;
	const struct webhook_delivery *next =
		engine_next_delivery(view.tables, s->id, now_us, &ret->again_us);
	if (next && hook->retry_us > now_us)
		ret->again_us = hook->retry_us;
	if (!next || hook->retry_us > now_us)
		return OK;
	ret->hook = STEP_COPY(s, KIND_WEBHOOK, struct webhook, hook);
	ret->delivery = STEP_COPY(s, KIND_WEBHOOK_DELIVERY, struct webhook_delivery, next);
	ret->region = str_copy(s->ctx.arena, engine_get_region_name(view.tables));
	return OK;
}

/* ---- reports ---- */

struct invoice_search {
	struct ctx *c;
	struct str number, json;
};

static RESULT take_invoice(void *arg, const struct ledger_record *record)
{
	struct invoice_search *search = arg;
	if (!str_equal(record->name, search->number))
		return OK;
	search->json = str_copy(search->c->arena, record->text);
	return search->json.p ? OK : ctx_no_memory(search->c);
}

static RESULT write_body(struct step *s, const struct telling *t, struct buf *body)
{
	const struct webhook_delivery *d = t->delivery;
	char at[CLOCK_TEXT_SIZE];
	struct json_writer w;
	struct invoice_search search = {.c = &s->ctx, .number = d->invoice};
	const struct ledger_query query = {
		.type = LEDGER_INVOICE, .from_us = LEDGER_ANY_TIME, .id = d->domain};
	if (d->invoice.n)
		TRY(store_read_ledger(s->r->store, &s->ctx, &query, take_invoice, &search));
	struct str token = STR_NONE;
	if (!uuid_is_none(d->signup))
		TRY(signup_write_token(&s->ctx, s->r->master_key, d->signup, &token));
	json_write_begin(&w, body);
	json_write_open(&w, NULL);
	json_write_uuid(&w, "id", d->row.id);
	json_write_int(&w, "number", d->number);
	json_write_text(&w, "event", d->event);
	json_write_z(&w, "time", clock_write_ms(d->at_us, at));
	json_write_text(&w, "region", t->region);
	json_write_raw(&w, "data", d->data);
	if (token.n)
		json_write_text(&w, "token", token);
	if (search.json.n)
		json_write_raw(&w, "invoice", search.json);
	json_write_close(&w);
	return json_write_end(&w);
}

static RESULT tell(struct step *s, const struct telling *t, struct webhook_place *place)
{
	struct buf body;
	buf_init(&body, BODY_CAP);
	struct result result = write_body(s, t, &body);
	if (result_is_ok(result))
		result = crypto_open(&s->ctx, s->r->master_key,
				     (struct str){(const char *) s->id.b, sizeof s->id.b}, t->hook->secret,
				     &place->secret);
	if (result_is_ok(result))
		result = webhook_send(&s->ctx, place, buf_str(&body));
	crypto_wipe((void *) place->secret.p, place->secret.n);
	buf_done(&body);
	return result;
}

static RESULT step_webhook(struct step *s)
{
	struct telling t = {0};
	TRY(gather(s, &t));
	if (t.again_us)
		step_again_at(s, t.again_us); /* an event that the receiver refused is due then */
	if (!t.hook)
		return OK;
	struct webhook_place place = {.name = t.hook->name, .url = t.hook->url};
	struct result result = tell(s, &t, &place);
	if (result.code == ERR_NO_MEMORY)
		return result;
	struct delivery_report *report = STEP_NEW(s, struct delivery_report);
	bool is_taken = result_is_ok(result), is_away = !is_taken && desk_may_help_later(result.code);
	*report = (struct delivery_report){.delivery = t.delivery->row.id,
					   .is_taken = is_taken,
					   .is_away = is_away,
					   .problem = s->ctx.problem.message};
	if (!is_taken) {
		report->is_final = clock_now_us() > t.delivery->at_us + GIVE_UP_US;
		report->retry_us =
			desk_next_try_us(is_away ? t.hook->tries : t.delivery->tries, place.wait_us);
	}
	ctx_clear_problem(&s->ctx);
	step_report(s, engine_see_delivery_run, report);
	step_again(s); /* the next delivery, or the timer for it */
	return OK;
}

static void wake_webhook(struct reconciler *r, const struct row *row)
{
	work_wake(r, lane_desks(r, row->id), KIND_WEBHOOK, row->id, WAKE_WISH);
}

/* Successful deliveries do not wake the webhook. */
static void wake_changed(struct reconciler *r, const struct tables *t, const struct row *before,
			 const struct row *after)
{
	(void) t;
	if (!before || before->gen != after->gen ||
	    (webhook_of(before)->retry_us && !webhook_of(after)->retry_us))
		wake_webhook(r, after);
}

const struct resource reconcile_webhook = {
	.step = step_webhook, .is_swept = true, .wake = wake_webhook, .wake_changed = wake_changed};

static void wake_for_delivery(struct reconciler *r, const struct tables *t, const struct row *before,
			      const struct row *after)
{
	const struct webhook *hook = webhook_find(t, webhook_delivery_of(after)->webhook);
	if (hook && (!before || before->gen != after->gen))
		wake_webhook(r, &hook->row);
}

const struct resource reconcile_webhook_delivery = {.wake_changed = wake_for_delivery};
