/* SPDX-License-Identifier: Apache-2.0
 * Delivers events to the targets of rules. A change that delivers an event also forgets it, so that a process that dies in between
 * delivers it once more, and never twice after the commit. A target that does not take the event gets a delivery of its own, which is
 * tried again, and goes to the target's dead-letter queue in the end. Called by: reconcile/events. Source: Amazon EventBridge User
 * Guide, "Retrying event delivery" and "Using dead-letter queues to process undelivered events". */
#include <inttypes.h>
#include <jansson.h>

#include "base/clock.h"
#include "engine/events/events_internal.h"
#include "engine/limits.h"
#include "engine/messaging/messaging_internal.h"
#include "engine/row_bytes.h"

#define RETRY_FIRST_US (10 * SECOND)
#define RETRY_LONGEST_US (10 * MINUTE)
#define SENDER STR("events.amazonaws.com")

/* ---- which targets ---- */

struct sendings { /* a VEC */
	struct event_sending *at;
	size_t count, capacity;
	size_t bytes; /* of texts that are not the event itself */
};

/* An event without changes is one text for all targets. */
static RESULT add_targets(struct ctx *c, const struct tables *t, const struct event_rule *rule,
			  struct str event, struct sendings *list)
{
	for (const struct event_target *target = event_target_first_by_event_rule(t, rule->row.id); target;
	     target = event_target_next_by_event_rule(t, target)) {
		struct event_sending sending = {.target = target->row.id};
		TRY(event_write_input(c, t, rule, target, event, &sending.body));
		if (sending.body.p == target->input.p && sending.body.n &&
		    !(sending.body = str_copy(c->arena, sending.body)).p)
			return ctx_no_memory(c);
		list->bytes += sending.body.p == event.p ? 0 : sending.body.n;
		if (!VEC_PUSH(c->arena, list, sending))
			return ctx_no_memory(c);
	}
	return OK;
}

static bool is_asked(const struct event_rule *rule)
{
	return !rule->is_disabled && rule->pattern.n;
}

/* The first rule behind the one that was asked last, which may be gone. */
static const struct event_rule *next_rule(const struct tables *t, uuid account, struct str passed)
{
	for (const struct event_rule *rule = event_rule_first_by_account(t, account); rule;
	     rule = event_rule_next_by_account(t, rule))
		if (!passed.n || str_compare(rule->name, passed) > 0)
			return rule;
	return NULL;
}

static RESULT find_matches(struct ctx *c, const struct tables *t, const struct bus_event *event,
			   struct str text, struct sendings *list, struct event_spread *spread)
{
	json_t *document = event_read_object(text);
	struct result result = document ? OK : ctx_no_memory(c);
	const struct event_rule *rule = next_rule(t, event->account, event->passed);
	for (; rule && result_is_ok(result) && list->count < EVENT_SENDINGS_MAX &&
	       list->bytes < EVENT_SENDINGS_BYTES;
	     rule = event_rule_next_by_account(t, rule)) {
		spread->passed = rule->name;
		if (is_asked(rule) && event_matches(rule->pattern, document))
			result = add_targets(c, t, rule, text, list);
	}
	spread->is_last = !rule;
	json_decref(document);
	return result;
}

RESULT engine_find_event_targets(struct ctx *c, const struct tables *t, const struct bus_event *event,
				 struct event_spread *ret_spread)
{
	struct event_spread spread = {.event = event->row.id};
	struct sendings list = {0};
	struct str text = STR_NONE;
	TRY(event_write(c, t, event, &text));
	if (uuid_is_none(event->event_rule)) {
		TRY(find_matches(c, t, event, text, &list, &spread));
	} else {
		const struct event_rule *rule = event_rule_find(t, event->event_rule);
		if (rule && !rule->is_disabled)
			TRY(add_targets(c, t, rule, text, &list));
		spread.is_last = true;
	}
	if (spread.passed.n && !(spread.passed = str_copy(c->arena, spread.passed)).p)
		return ctx_no_memory(c);
	spread.at = list.at;
	spread.count = list.count;
	*ret_spread = spread;
	return OK;
}

/* ---- one delivery ---- */

struct outcome {
	struct str problem; /* empty: it was taken */
	const char *code;   /* EventBridge's code for dead-letter queues */
	bool is_final;
};

static RESULT see_added(struct op *op, struct result added, struct outcome *out)
{
	if (result_is_ok(added))
		return OK;
	if (!engine_is_refusal(added.code))
		return added;
	out->problem = str_copy(op->ctx->arena, op->ctx->problem.message);
	out->is_final = added.code != ERR_QUOTA;
	out->code = added.code == ERR_QUOTA ? "THROTTLING" : "SDK_CLIENT_ERROR";
	ctx_clear_problem(op->ctx);
	return out->problem.p ? OK : ctx_no_memory(op->ctx);
}

static void give_up(struct outcome *out, const char *code, const char *problem)
{
	*out = (struct outcome){.problem = str_from(problem), .code = code, .is_final = true};
}

/* True if the policy of the target admits EventBridge for the rule. */
static RESULT admit(struct op *op, const struct event_rule *rule, enum kind kind, const struct row *row,
		    bool *ret_is_admitted)
{
	const struct service_sender sender = {
		.service = "events.amazonaws.com",
		.source = engine_find_event_rule_arn(op->head, op->ctx->arena, rule),
		.account = rule->account};
	return engine_admit_service(op, kind, row, &sender, ret_is_admitted);
}

static RESULT send(struct op *op, const struct event_target *target, struct str body, struct outcome *out)
{
	const struct event_rule *rule = event_rule_find(op->head, target->event_rule);
	const struct topic *topic = engine_find_topic_by_arn(op->head, target->account, target->arn);
	const struct queue *queue = engine_find_queue_by_arn(op->head, target->account, target->arn);
	struct message_wish message = {.body = body, .delay_s = -1, .message_group = target->message_group};
	struct published_message published = {.body = body};
	bool is_admitted = false;
	*out = (struct outcome){.problem = STR_NONE};
	if (topic || queue)
		TRY(admit(op, rule, topic ? KIND_TOPIC : KIND_QUEUE, topic ? &topic->row : &queue->row,
			  &is_admitted));
	if (!body.n || body.n > EVENT_BYTES_MAX)
		give_up(out, "INVALID_JSON",
			"The input of the target does not fit the event, or is too long.");
	else if (!topic && !queue)
		give_up(out, "NO_RESOURCE", "The target does not exist.");
	else if (!is_admitted)
		give_up(out, "NO_PERMISSIONS",
			topic ? "The topic's policy does not allow the rule to publish."
			      : "The queue's policy does not allow the rule to send.");
	else if (topic)
		return see_added(op, topic_publish(op, topic->row.id, &published), out);
	else
		return see_added(op, queue_add_message(op, queue->row.id, &message, SENDER), out);
	return OK;
}

/* ---- failures ---- */

/* The event, with the reason as message attributes. */
static RESULT bury(struct op *op, const struct event_target *target, struct str body, int64_t tries,
		   const struct outcome *out, const char *exhausted)
{
	const struct event_rule *rule = event_rule_find(op->head, target->event_rule);
	const struct queue *dead = queue_find_by_account(op->head, target->account, target->dead_queue);
	struct arena *a = op->ctx->arena;
	struct str rule_arn = engine_find_event_rule_arn(op->head, a, rule);
	const struct str texts[] = {STR("RULE_ARN"),
				    STR("String"),
				    rule_arn,
				    STR("TARGET_ARN"),
				    STR("String"),
				    target->arn,
				    STR("ERROR_CODE"),
				    STR("String"),
				    str_from(out->code),
				    STR("ERROR_MESSAGE"),
				    STR("String"),
				    out->problem,
				    STR("RETRY_ATTEMPTS"),
				    STR("Number"),
				    str_print(a, "%" PRId64, tries),
				    STR("EXHAUSTED_RETRY_CONDITION"),
				    STR("String"),
				    str_from(exhausted)};
	size_t count = sizeof texts / sizeof *texts - (exhausted ? 0 : ATTRIBUTE_TEXTS);
	struct message_wish message = {.body = body, .attributes = {texts, count}, .delay_s = -1};
	bool is_admitted = false;
	if (!target->dead_queue.n || !dead || !body.n)
		return OK;
	TRY(admit(op, rule, KIND_QUEUE, &dead->row, &is_admitted));
	if (!is_admitted)
		return OK;
	struct result added = queue_add_message(op, dead->row.id, &message, SENDER);
	if (!result_is_ok(added) && !engine_is_refusal(added.code))
		return added;
	ctx_clear_problem(op->ctx);
	return OK;
}

static RESULT lose(struct op *op, const struct event_target *target, struct str body, int64_t tries,
		   const struct outcome *out, const char *exhausted)
{
	struct event_target next = *target;
	next.lost++;
	next.problem = str_cut(out->problem, 1024);
	TRY(bury(op, target, body, tries, out, exhausted));
	return event_target_put(op, &next);
}

static RESULT note_problem(struct op *op, const struct event_target *target, struct str problem)
{
	struct event_target next = *target;
	if (str_equal(next.problem, str_cut(problem, 1024)))
		return OK;
	next.problem = str_cut(problem, 1024);
	return event_target_put(op, &next);
}

/* Twice as long after each failure. */
static int64_t pause_after(int64_t tries)
{
	int64_t pause_us = RETRY_FIRST_US;
	for (int64_t n = 1; n < tries && pause_us < RETRY_LONGEST_US; n++)
		pause_us *= 2;
	return pause_us < RETRY_LONGEST_US ? pause_us : RETRY_LONGEST_US;
}

static const char *find_exhausted(const struct event_target *target, int64_t tries, int64_t begun_us,
				  int64_t next_us)
{
	int64_t retries_max = target->has_retries ? target->retries_max : EVENT_RETRIES_MAX;
	int64_t age_max_s = target->has_retries ? target->age_max_s : EVENT_AGE_MAX_S;
	if (tries > retries_max)
		return "MaximumRetryAttempts";
	return next_us > begun_us + age_max_s * SECOND ? "MaximumEventAgeInSeconds" : NULL;
}

static RESULT wait_for_target(struct op *op, const struct event_target *target, uuid event, struct str body,
			      const struct outcome *out)
{
	struct event_delivery made = {.row = {.id = engine_new_id(op, KIND_EVENT_DELIVERY), .gen = 1},
				      .account = target->account,
				      .event_target = target->row.id,
				      .event = event,
				      .body = body,
				      .tries = 1,
				      .retry_us = op->now_us + pause_after(1)};
	bool has_room = result_is_ok(limit_check(op, LIMIT_EVENT_DELIVERIES, target->row.id, 1, STR_NONE)) &&
			!row_bytes_is_full(op->head, target->account);
	const char *exhausted = find_exhausted(target, 1, op->now_us, made.retry_us);
	ctx_clear_problem(op->ctx);
	if (!has_room || exhausted)
		return lose(op, target, body, 0, out, exhausted ? exhausted : "MaximumRetryAttempts");
	TRY(event_delivery_put(op, &made));
	return note_problem(op, event_target_find(op->head, made.event_target), out->problem);
}

/* ---- operations ---- */

static RESULT deliver_first(struct op *op, uuid event, const struct event_sending *sending)
{
	const struct event_target *target = event_target_find(op->head, sending->target);
	struct outcome out;
	if (!target) /* removed meanwhile */
		return OK;
	TRY(send(op, target, sending->body, &out));
	target = event_target_find(op->head, sending->target);
	if (!out.problem.n)
		return note_problem(op, target, STR_NONE);
	return out.is_final ? lose(op, target, sending->body, 0, &out, NULL)
			    : wait_for_target(op, target, event, sending->body, &out);
}

RESULT engine_spread_event(struct op *op, struct event_spread *wish)
{
	const struct bus_event *event = bus_event_find(op->head, wish->event);
	if (!event) /* another step was first */
		return OK;
	for (size_t k = 0; k < wish->count; k++)
		TRY(deliver_first(op, wish->event, &wish->at[k]));
	if (wish->is_last)
		return bus_event_forget(op, wish->event);
	struct bus_event next = *bus_event_find(op->head, wish->event);
	next.passed = wish->passed;
	next.row.gen++;
	return bus_event_put(op, &next);
}

RESULT engine_resend_event(struct op *op, struct event_resending *wish)
{
	const struct event_delivery *d = event_delivery_find(op->head, wish->delivery);
	const struct event_target *target = d ? event_target_find(op->head, d->event_target) : NULL;
	struct outcome out;
	if (!d)
		return OK;
	if (!target)
		return event_delivery_forget(op, d->row.id);
	TRY(send(op, target, d->body, &out));
	d = event_delivery_find(op->head, wish->delivery);
	target = event_target_find(op->head, d->event_target);
	int64_t tries = d->tries + 1, retry_us = op->now_us + pause_after(tries);
	const char *exhausted =
		out.is_final ? NULL : find_exhausted(target, tries, d->row.created_us, retry_us);
	if (!out.problem.n || out.is_final || exhausted) {
		TRY(out.problem.n ? lose(op, target, d->body, d->tries, &out, exhausted)
				  : note_problem(op, target, STR_NONE));
		return event_delivery_forget(op, wish->delivery);
	}
	struct event_delivery later = *d;
	later.tries = tries;
	later.retry_us = retry_us;
	TRY(event_delivery_put(op, &later));
	return note_problem(op, target, out.problem);
}
