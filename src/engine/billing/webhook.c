/* SPDX-License-Identifier: Apache-2.0
 * Webhooks and their deliveries. reconcile/billing/webhook.c delivers. Called by:
 * daemon/bill/commands_webhook.c, api/native/bills.c. */
#include "engine/billing/webhook.h"

#include <string.h>

#include "base/json_write.h"
#include "engine/internal.h"
#include "store/account.h"
#include "store/domain.h"
#include "store/webhook.h"
#include "store/webhook_delivery.h"

enum { URL_MAX = 1024, PATTERNS_MAX = 32, PROBLEM_MAX = 1024, DATA_MAX = 16384 };

/* ---- webhooks ---- */

static RESULT check_administrator(struct op *op)
{
	return identity_is_admin(op->ctx->who) ? OK
					       : ctx_fail_kind(op->ctx, ERR_DENIED, KIND_WEBHOOK,
							       "Only an administrator changes webhooks.");
}

static RESULT check_url(struct op *op, struct str url)
{
	bool is_url = url.n <= URL_MAX && str_is_line(url) &&
		      (str_starts_with(url, STR("http://")) || str_starts_with(url, STR("https://"))) &&
		      str_find_char(url, '@', 0) == url.n;
	return is_url ? OK
		      : ENGINE_FAIL(op, ERR_INVALID, KIND_WEBHOOK, STR("url"),
				    "A webhook is at a URL of http or https without a password in it.");
}

static RESULT check_events(struct op *op, struct strs events)
{
	bool is_fine = events.count <= PATTERNS_MAX;
	for (size_t k = 0; k < events.count && is_fine; k++)
		is_fine = events.at[k].n >= 1 && events.at[k].n <= WORD_MAX && str_is_line(events.at[k]);
	return is_fine ? OK
		       : ENGINE_FAIL(op, ERR_INVALID, KIND_WEBHOOK, STR("events"),
				     "Up to %d patterns of events are said, of 1 to %d characters.",
				     PATTERNS_MAX, WORD_MAX);
}

static RESULT check_wish(struct op *op, const struct webhook_wish *wish, bool is_new)
{
	TRY(engine_check_word(op, KIND_WEBHOOK, wish->name));
	if (is_new && !wish->url.n)
		return ENGINE_FAIL(op, ERR_MISSING, KIND_WEBHOOK, STR("url"), "A webhook has a URL.");
	if (is_new && !wish->secret.n)
		return ENGINE_FAIL(op, ERR_MISSING, KIND_WEBHOOK, STR("secret"),
				   "What a webhook is told is signed: it has a secret.");
	if (wish->url.n)
		TRY(check_url(op, wish->url));
	TRY(check_events(op, wish->events));
	if (is_new && tables_count(op->head, KIND_WEBHOOK) >= WEBHOOKS_MAX)
		return ENGINE_FAIL(op, ERR_QUOTA, KIND_WEBHOOK, STR("name"), "There are %d webhooks at most.",
				   WEBHOOKS_MAX);
	return OK;
}

RESULT engine_put_webhook(struct op *op, struct webhook_wish *wish)
{
	const struct webhook *before = wish->name.n ? webhook_find_by_name(op->head, wish->name) : NULL;
	TRY(engine_permit(op, "webhook.put", KIND_WEBHOOK, before ? &before->row : NULL));
	TRY(check_administrator(op));
	TRY(check_wish(op, wish, !before));
	struct webhook next = before ? *before : (struct webhook){.row.id = wish->id, .name = wish->name};
	if (!uuid_equal(next.row.id, wish->id)) /* created or deleted since the secret was sealed with its
						 * id */
		return ENGINE_FAIL(op, ERR_CONFLICT, KIND_WEBHOOK, STR("name"),
				   "Somebody has just made a webhook of that name.");
	next.url = wish->url.n ? wish->url : next.url;
	next.secret = wish->secret.n ? wish->secret : next.secret;
	next.events = wish->has_events ? wish->events : next.events;
	choice_apply(wish->off, &next.is_off);
	choice_apply(wish->takes_payments, &next.takes_payments);
	next.tries = next.retry_us = 0; /* a change resets the retry delay */
	next.row.gen++;
	TRY(webhook_put(op, &next));
	return engine_log_event(op, KIND_WEBHOOK, &next.row, before ? "changed" : "created",
				"Webhook %" STR_FMT " at %" STR_FMT ".", STR_ARG(next.name),
				STR_ARG(next.url));
}

RESULT engine_delete_webhook(struct op *op, struct webhook_target *wish)
{
	const struct row *row = NULL;
	TRY(engine_look_up(op->ctx, op->head, KIND_WEBHOOK, &wish->webhook, &row));
	TRY(engine_permit(op, "webhook.delete", KIND_WEBHOOK, row));
	TRY(check_administrator(op));
	TRY(engine_log_event(op, KIND_WEBHOOK, row, "deleted", "Webhook %" STR_FMT ".",
			     STR_ARG(webhook_of(row)->name)));
	return webhook_forget(op, row->id);
}

/* ---- deliveries ---- */

static const struct webhook_delivery *first_in(const struct tables *t, uuid webhook,
					       enum webhook_delivery_stage stage)
{
	const struct webhook_delivery probe = {.webhook = webhook, .stage = stage};
	return webhook_delivery_of(
		tables_first(t, KIND_WEBHOOK_DELIVERY, WEBHOOK_DELIVERY_INDEX_WEBHOOK, &probe.row, 2));
}

const struct webhook_delivery *engine_next_delivery(const struct tables *t, uuid webhook, int64_t now_us,
						    int64_t *ret_next_us)
{
	const struct webhook_delivery *d = first_in(t, webhook, WEBHOOK_DELIVERY_STAGE_WAITING);
	*ret_next_us = 0;
	for (; d && d->stage == WEBHOOK_DELIVERY_STAGE_WAITING; d = webhook_delivery_next_by_webhook(t, d)) {
		if (d->retry_us <= now_us)
			return d;
		if (!*ret_next_us || d->retry_us < *ret_next_us)
			*ret_next_us = d->retry_us;
	}
	return NULL;
}

/* Removes the oldest deliveries. A pending one that is dropped is counted as lost, and the receiver sees a
 * gap in the numbers. */
static RESULT make_room(struct op *op, struct webhook *hook)
{
	for (int stage = 0; stage <= WEBHOOK_DELIVERY_STAGE_DEAD; stage++) {
		const struct webhook_delivery *d = NULL;
		while ((d = first_in(op->head, hook->row.id, (enum webhook_delivery_stage) stage)) != NULL &&
		       d->number <= hook->last_number - WEBHOOK_DELIVERIES_KEPT) {
			hook->lost += stage == WEBHOOK_DELIVERY_STAGE_WAITING;
			TRY(webhook_delivery_forget(op, d->row.id));
		}
	}
	return OK;
}

static void write_domain(struct op *op, struct json_writer *w, uuid id)
{
	const struct domain *d = domain_find(op->head, id);
	if (!d)
		return;
	json_write_open(w, "domain");
	json_write_uuid(w, "id", id);
	json_write_text(w, "name", d->name);
	json_write_close(w);
}

static void write_account(struct op *op, struct json_writer *w, uuid id)
{
	const struct account *a = account_find(op->head, id);
	if (!a)
		return;
	json_write_open(w, "account");
	json_write_uuid(w, "id", id);
	json_write_text(w, "number", a->number);
	json_write_text(w, "name", a->name);
	json_write_close(w);
}

static RESULT write_data(struct op *op, const struct webhook_event *event, struct str *ret_data)
{
	struct json_writer w;
	struct buf text;
	buf_init(&text, DATA_MAX);
	json_write_begin(&w, &text);
	json_write_open(&w, NULL);
	write_domain(op, &w, event->domain);
	write_account(op, &w, event->account);
	if (!uuid_is_none(event->instance))
		json_write_text(&w, "instance", id_to_ec2(op->ctx->arena, KIND_INSTANCE, event->instance));
	for (size_t k = 0; k < event->more.count; k++) {
		json_write_key(&w, event->more.at[k].key);
		json_write_text(&w, NULL, event->more.at[k].value);
	}
	json_write_close(&w);
	bool is_whole = result_is_ok(json_write_end(&w));
	*ret_data = is_whole ? str_copy(op->ctx->arena, buf_str(&text)) : STR_NONE;
	buf_done(&text);
	return ret_data->p ? OK : ctx_no_memory(op->ctx);
}

static bool is_told(const struct webhook *hook, const char *event)
{
	for (size_t k = 0; k < hook->events.count; k++)
		if (str_matches(str_from(event), hook->events.at[k]))
			return true;
	return !hook->events.count;
}

static RESULT note_for(struct op *op, const struct webhook *hook, const struct webhook_event *event,
		       struct str data)
{
	struct webhook next = *hook;
	const struct webhook_delivery delivery = {.row.id = engine_new_id(op, KIND_WEBHOOK_DELIVERY),
						  .row.gen = 1,
						  .webhook = hook->row.id,
						  .number = ++next.last_number,
						  .event = str_from(event->name),
						  .at_us = op->now_us,
						  .data = data,
						  .domain = event->domain,
						  .signup = event->signup,
						  .invoice = event->invoice};
	TRY(make_room(op, &next));
	TRY(webhook_put(op, &next));
	return webhook_delivery_put(op, &delivery);
}

RESULT engine_test_webhook(struct op *op, struct webhook_test *wish)
{
	const struct webhook_event event = {.name = "webhook.test"};
	const struct row *row = NULL;
	struct str data = STR_NONE;
	TRY(engine_look_up(op->ctx, op->head, KIND_WEBHOOK, &wish->webhook, &row));
	TRY(engine_permit(op, "webhook.put", KIND_WEBHOOK, row));
	TRY(check_administrator(op));
	if (webhook_of(row)->is_off)
		return ENGINE_FAIL(op, ERR_STATE, KIND_WEBHOOK, wish->webhook.field,
				   "The webhook is disabled. Enable it to test it.");
	TRY(write_data(op, &event, &data));
	return note_for(op, webhook_of(row), &event, data);
}

RESULT webhook_note(struct op *op, const struct webhook_event *event)
{
	struct str data = STR_NONE;
	const struct webhook *hook = webhook_first(op->head), *next = NULL;
	for (; hook; hook = next) {
		next = webhook_next(op->head, hook);
		if (!is_told(hook, event->name))
			continue;
		if (!data.p)
			TRY(write_data(op, event, &data));
		TRY(note_for(op, hook, event, data));
	}
	return OK;
}

/* ---- outcomes ---- */

RESULT engine_retry_delivery(struct op *op, struct delivery_target *wish)
{
	const struct row *row = NULL;
	TRY(engine_look_up(op->ctx, op->head, KIND_WEBHOOK_DELIVERY, &wish->delivery, &row));
	TRY(engine_permit(op, "webhook.retry", KIND_WEBHOOK_DELIVERY, row));
	TRY(check_administrator(op));
	struct webhook_delivery next = *webhook_delivery_of(row);
	if (next.stage == WEBHOOK_DELIVERY_STAGE_SENT)
		return ENGINE_FAIL(op, ERR_STATE, KIND_WEBHOOK_DELIVERY, wish->delivery.field,
				   "The webhook has taken it already.");
	struct webhook hook = *webhook_find(op->head, next.webhook);
	hook.tries = hook.retry_us = 0;
	next.stage = WEBHOOK_DELIVERY_STAGE_WAITING;
	next.tries = next.retry_us = 0;
	next.row.gen++;
	TRY(webhook_put(op, &hook));
	return webhook_delivery_put(op, &next);
}

RESULT engine_see_delivery(struct op *op, struct delivery_report *wish)
{
	const struct webhook_delivery *d = webhook_delivery_find(op->head, wish->delivery);
	const struct webhook *hook = d ? webhook_find(op->head, d->webhook) : NULL;
	if (!hook || d->stage != WEBHOOK_DELIVERY_STAGE_WAITING)
		return OK;
	struct webhook next = *hook;
	struct webhook_delivery told = *d;
	next.tries = wish->is_away ? hook->tries + 1 : 0;
	next.retry_us = wish->is_away ? wish->retry_us : 0;
	next.problem = str_cut(wish->problem, PROBLEM_MAX);
	told.problem = next.problem;
	if (wish->is_taken) {
		next.told_us = told.sent_us = op->now_us;
		told.retry_us = 0;
		told.stage = WEBHOOK_DELIVERY_STAGE_SENT;
	} else {
		told.tries++;
		told.retry_us = wish->is_final ? 0 : wish->retry_us;
		told.stage = wish->is_final ? WEBHOOK_DELIVERY_STAGE_DEAD : WEBHOOK_DELIVERY_STAGE_WAITING;
	}
	TRY(webhook_put(op, &next));
	return webhook_delivery_put(op, &told);
}
