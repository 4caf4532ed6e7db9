/* SPDX-License-Identifier: Apache-2.0
 * Steps of subscriptions: a step takes one delivery to its queue, or posts it to its server. A failed post is repeated
 * three times, 20 seconds apart; then the message goes to the subscription's dead-letter queue. Steps run on fetch lanes, of
 * which an account has a share, so slow servers of one account delay nobody else. Source: Amazon SNS Developer Guide, "Creating an HTTP/S
 * delivery policy". */
#include "base/clock.h"
#include "drivers/web_post.h"
#include "reconcile/messaging/notification.h"

enum { RETRIES = 3, POST_MS = 15000 };
#define RETRY_US (20 * SECOND)

static RESULT gather(struct step *s, struct notification *n)
{
	int64_t again_us = 0;
	AUTO_VIEW view = {0};
	view_open(s->r->store, &view);
	const struct tables *t = view.tables;
	const struct topic_subscription *row = topic_subscription_find(t, s->id);
	const struct topic *topic = row ? topic_find(t, row->topic) : NULL;
	const struct topic_delivery *d =
		topic && !engine_is_topic_deleted(topic)
			? engine_next_topic_delivery(t, s->id, clock_now_us(), &again_us)
			: NULL;
	if (again_us && !d)
		step_again_at(s, again_us);
	if (!d)
		return OK;
	struct topic_key key = engine_get_topic_key(t);
	n->subscription = STEP_COPY(s, KIND_TOPIC_SUBSCRIPTION, struct topic_subscription, row);
	n->topic = STEP_COPY(s, KIND_TOPIC, struct topic, topic);
	n->delivery = STEP_COPY(s, KIND_TOPIC_DELIVERY, struct topic_delivery, d);
	n->key = (struct topic_key){str_copy(s->ctx.arena, key.sealed), str_copy(s->ctx.arena, key.cert_pem)};
	n->topic_arn = engine_find_topic_arn(t, s->ctx.arena, topic);
	n->subscription_arn = str_print(s->ctx.arena, "%" STR_FMT ":%" STR_FMT, STR_ARG(n->topic_arn),
					STR_ARG(uuid_to_str(s->ctx.arena, s->id)));
	return n->topic_arn.p && n->subscription_arn.p ? OK : ctx_no_memory(&s->ctx);
}

/* Members of attributes are named, so that raw messages keep them. */
static RESULT deliver_to_queue(struct step *s, const struct notification *n, struct str body)
{
	struct topic_report *report = STEP_NEW(s, struct topic_report);
	*report = (struct topic_report){
		.delivery = n->delivery->row.id, .body = body, .retry_us = clock_now_us() + RETRY_US};
	if (n->subscription->is_raw)
		report->attributes = n->delivery->attributes;
	step_report(s, engine_deliver_to_queue_run, report);
	return OK;
}

static const char *header_of(struct step *s, const char *name, struct str value)
{
	return str_to_z(s->ctx.arena, str_print(s->ctx.arena, "%s: %" STR_FMT, name, STR_ARG(value)));
}

static bool fill_headers(struct step *s, const struct notification *n, struct web_post *post)
{
	bool is_confirmation = n->delivery->type == TOPIC_DELIVERY_TYPE_CONFIRMATION;
	size_t count = 0;
	post->headers[count++] = "Content-Type: text/plain; charset=UTF-8";
	post->headers[count++] = "User-Agent: Amazon Simple Notification Service Agent";
	post->headers[count++] = is_confirmation ? "x-amz-sns-message-type: SubscriptionConfirmation"
						 : "x-amz-sns-message-type: Notification";
	post->headers[count++] =
		header_of(s, "x-amz-sns-message-id", uuid_to_str(s->ctx.arena, n->delivery->message_id));
	post->headers[count++] = header_of(s, "x-amz-sns-topic-arn", n->topic_arn);
	if (!is_confirmation)
		post->headers[count++] = header_of(s, "x-amz-sns-subscription-arn", n->subscription_arn);
	if (!is_confirmation && n->subscription->is_raw)
		post->headers[count++] = "x-amz-sns-rawdelivery: true";
	for (size_t k = 0; k < count; k++)
		if (!post->headers[k])
			return false;
	return true;
}

/* 2xx: taken. 4xx but for 429: the server will not take it later either. */
static RESULT post_to_server(struct step *s, const struct notification *n, struct str body)
{
	struct topic_report *report = STEP_NEW(s, struct topic_report);
	struct web_post post = {.url = str_to_z(s->ctx.arena, n->subscription->endpoint),
				.reach = s->r->reach,
				.body = body,
				.timeout_ms = POST_MS};
	if (!post.url || !fill_headers(s, n, &post))
		return ctx_no_memory(&s->ctx);
	struct result result = web_post_send(&s->ctx, &post);
	if (result.code == ERR_NO_MEMORY)
		return result;
	bool is_answered = result_is_ok(result), is_refused = post.status >= 400 && post.status < 500;
	*report = (struct topic_report){.delivery = n->delivery->row.id,
					.is_taken = is_answered && post.status >= 200 && post.status < 300,
					.is_final = (is_answered && is_refused && post.status != 429) ||
						    n->delivery->tries >= RETRIES,
					.retry_us = clock_now_us() + RETRY_US};
	if (!report->is_taken)
		report->problem = is_answered ? str_print(s->ctx.arena, "The server answers %d.", post.status)
					      : s->ctx.problem.message;
	ctx_clear_problem(&s->ctx);
	step_report(s, engine_see_topic_delivery_run, report);
	return OK;
}

static RESULT step_topic_subscription(struct step *s)
{
	struct notification n = {0};
	TRY(gather(s, &n));
	if (!n.delivery)
		return OK;
	bool is_raw = n.subscription->is_raw && n.delivery->type == TOPIC_DELIVERY_TYPE_NOTIFICATION;
	if (!is_raw && !n.key.sealed.n)
		return notification_make_key(s);
	struct str body = n.delivery->body;
	if (!is_raw)
		TRY(notification_write(s, &n, &body));
	step_again(s); /* the next delivery, or the timer for it */
	return n.subscription->protocol == TOPIC_SUBSCRIPTION_PROTOCOL_SQS ? deliver_to_queue(s, &n, body)
									   : post_to_server(s, &n, body);
}

static void wake(struct reconciler *r, const struct row *row)
{
	work_wake(r, lane_fetches(topic_subscription_of(row)->account), KIND_TOPIC_SUBSCRIPTION, row->id,
		  WAKE_WISH);
}

/* Each delivery changes the row, and wakes the subscription itself. */
static void wake_changed(struct reconciler *r, const struct tables *t, const struct row *before,
			 const struct row *after)
{
	(void) t;
	if (!before)
		wake(r, after);
}

const struct resource reconcile_topic_subscription = {
	.step = step_topic_subscription, .is_swept = true, .wake = wake, .wake_changed = wake_changed};

static void wake_for_delivery(struct reconciler *r, const struct tables *t, const struct row *before,
			      const struct row *after)
{
	const struct topic_subscription *s =
		topic_subscription_find(t, topic_delivery_of(after)->topic_subscription);
	if (s && !before)
		wake(r, &s->row);
}

static RESULT step_topic(struct step *s)
{
	bool has_waste = false;
	int64_t next_us = 0;
	{
		AUTO_VIEW view = {0};
		view_open(s->r->store, &view);
		const struct topic *topic = topic_find(view.tables, s->id);
		has_waste = topic && (engine_is_topic_deleted(topic) ||
				      engine_has_topic_waste(view.tables, topic, clock_now_us(), &next_us));
	}
	if (!has_waste) {
		if (next_us)
			step_again_at(s, next_us);
		return OK;
	}
	struct topic_sweep *report = STEP_NEW(s, struct topic_sweep);
	*report = (struct topic_sweep){.topic = s->id};
	step_report(s, engine_sweep_topic_run, report);
	step_again(s);
	return OK;
}

static void wake_topic(struct reconciler *r, const struct row *row)
{
	if (engine_is_topic_deleted(topic_of(row)) || topic_of(row)->is_fifo)
		work_wake(r, lane_home(r), KIND_TOPIC, row->id, WAKE_WISH);
}

const struct resource reconcile_topic = {.step = step_topic, .is_swept = true, .wake = wake_topic};

const struct resource reconcile_topic_delivery = {.wake_changed = wake_for_delivery};
