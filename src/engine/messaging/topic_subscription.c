/* SPDX-License-Identifier: Apache-2.0
 * Creates, confirms, changes and ends subscriptions to topics, and ends their deliveries. Called by: api/sns,
 * reconcile/messaging. Sources: Amazon SNS API Reference; Amazon SNS Developer Guide, "Message delivery retries". */
#include "base/clock.h"
#include "engine/limits.h"
#include "engine/messaging/messaging_internal.h"
#include "engine/resolve.h"
#include "store/account.h"

enum { ARN_ACCOUNT_PARTS = 5 /* up to the account's number */ };

/* ---- subscribe ---- */

static const struct topic_subscription *find_same(struct op *op, uuid topic, uuid account,
						  const struct subscribe_wish *wish)
{
	for (const struct topic_subscription *s = topic_subscription_first_by_topic(op->head, topic); s;
	     s = topic_subscription_next_by_topic(op->head, s))
		if (uuid_equal(s->account, account) && s->protocol == wish->protocol &&
		    str_equal(s->endpoint, wish->endpoint))
			return s;
	return NULL;
}

/* A FIFO queue needs a message group, which messages of a standard topic may lack. */
static RESULT check_dead_queue(struct op *op, const struct topic *topic, uuid account, struct str name)
{
	const struct queue *dead = name.n ? queue_find_by_account(op->head, account, name) : NULL;
	if (!name.n || (dead && dead->is_fifo == topic->is_fifo))
		return OK;
	return ENGINE_FAIL(
		op, ERR_INVALID, KIND_TOPIC_SUBSCRIPTION, STR("RedrivePolicy"), "%s",
		dead && topic->is_fifo
			? "Invalid parameter: RedrivePolicy: must use a FIFO queue as DLQ for a FIFO "
			  "Subscription to a FIFO Topic."
			: "Invalid parameter: RedrivePolicy: deadLetterTargetArn is invalid");
}

/* The endpoint's server gets a token, and confirms with it. */
static RESULT ask_to_confirm(struct op *op, const struct topic_subscription *s, struct str sealed)
{
	struct topic_subscription next = *s;
	struct topic_delivery made = {.row = {.id = engine_new_id(op, KIND_TOPIC_DELIVERY), .gen = 1},
				      .account = s->account,
				      .topic_subscription = s->row.id,
				      .number = ++next.last_number,
				      .type = TOPIC_DELIVERY_TYPE_CONFIRMATION,
				      .message_id = uuid_random(),
				      .at_us = op->now_us,
				      .token = sealed};
	TRY(limit_check(op, LIMIT_TOPIC_DELIVERIES, s->row.id, 1, STR_NONE));
	TRY(topic_subscription_put(op, &next));
	return topic_delivery_put(op, &made);
}

/* A queue may be absent, as in SNS: messages are given up until it is there. *ret_is_own: a queue of the subscribing account needs no
 * confirmation. SNS repeats "Invalid parameter: " in one of its sentences. */
static RESULT check_queue(struct op *op, const struct topic *topic, uuid subscriber, struct str arn,
			  bool *ret_is_own)
{
	const struct account *account = account_find(op->head, subscriber);
	struct str rest = arn, part = STR_NONE;
	bool is_arn = false;
	(void) engine_find_any_queue(op->head, arn, &is_arn);
	if (!is_arn)
		return ENGINE_FAIL(op, ERR_INVALID, KIND_TOPIC_SUBSCRIPTION, STR("Endpoint"),
				   "Invalid parameter: SQS endpoint ARN");
	if (str_ends_with(arn, STR(".fifo")) && !topic->is_fifo)
		return ENGINE_FAIL(
			op, ERR_INVALID, KIND_TOPIC_SUBSCRIPTION, STR("Endpoint"),
			"Invalid parameter: Invalid parameter: Endpoint Reason: FIFO SQS Queues can "
			"not be subscribed to standard SNS topics");
	for (size_t k = 0; k < ARN_ACCOUNT_PARTS; k++)
		(void) str_split_next(&rest, ':', &part);
	*ret_is_own = account && str_equal(part, account->number);
	return OK;
}

/* SNS passes messages of a FIFO topic on to queues only. */
static RESULT check_protocol(struct op *op, const struct topic *topic, const struct subscribe_wish *wish)
{
	if (!topic->is_fifo || wish->protocol == TOPIC_SUBSCRIPTION_PROTOCOL_SQS)
		return OK;
	return ENGINE_FAIL(op, ERR_INVALID, KIND_TOPIC_SUBSCRIPTION, STR("Protocol"),
			   "Invalid parameter: Invalid protocol type: %s",
			   wish->protocol == TOPIC_SUBSCRIPTION_PROTOCOL_HTTP ? "http" : "https");
}

static bool has_same_settings(const struct topic_subscription *s, const struct subscribe_wish *wish)
{
	return s->is_raw == wish->is_raw && str_equal(s->dead_queue, wish->dead_queue) &&
	       str_equal(s->filter, wish->filter) && s->filters_body == wish->filters_body;
}

RESULT engine_subscribe(struct op *op, struct subscribe_wish *wish)
{
	const struct topic *topic = NULL;
	bool is_none = false;
	TRY(topic_permit(op, &wish->topic, "topic.subscribe", &topic));
	/* The subscription is the caller's, also on another account's topic. */
	uuid account = op->ctx->who ? engine_get_account(op->ctx) : topic->account;
	const struct topic_subscription *same = find_same(op, topic->row.id, account, wish);
	bool is_own = false; /* a queue of the account */
	if (wish->protocol == TOPIC_SUBSCRIPTION_PROTOCOL_SQS)
		TRY(check_queue(op, topic, account, wish->endpoint, &is_own));
	TRY(check_protocol(op, topic, wish));
	TRY(check_dead_queue(op, topic, account, wish->dead_queue));
	TRY(engine_check_filter(op->ctx, wish->filter, wish->filters_body, &is_none));
	if (is_none)
		wish->filter = STR_NONE;
	if (same && !has_same_settings(same, wish))
		return ENGINE_FAIL(
			op, ERR_EXISTS, KIND_TOPIC_SUBSCRIPTION, STR("Attributes"),
			"Invalid parameter: Attributes Reason: Subscription already exists with different "
			"attributes");
	struct topic_subscription next = {.account = account,
					  .topic = topic->row.id,
					  .protocol = wish->protocol,
					  .endpoint = wish->endpoint,
					  .is_raw = wish->is_raw,
					  .filter = wish->filter,
					  .filters_body = wish->filters_body,
					  .dead_queue = wish->dead_queue,
					  .made_by = op->ctx->who ? op->ctx->who->user : UUID_NONE,
					  .is_confirmed = is_own,
					  .is_authenticated = is_own};
	wish->made = same ? same->row.id : UUID_NONE;
	wish->is_confirmed = same ? same->is_confirmed : next.is_confirmed;
	if (same && same->is_confirmed)
		return OK;
	if (!same)
		TRY(limit_check(op, LIMIT_TOPIC_SUBSCRIPTIONS, topic->row.id, 1, STR_NONE));
	if (same)
		next = *same;
	else
		next.row.id = engine_new_id(op, KIND_TOPIC_SUBSCRIPTION);
	next.row.gen++;
	next.confirmation = is_own ? STR_NONE : wish->token;
	wish->made = next.row.id;
	TRY(topic_subscription_put(op, &next));
	return is_own ? OK : ask_to_confirm(op, &next, wish->sealed_token);
}

/* Any account's: whoever confirms has none. */
static const struct topic *find_topic(const struct tables *t, struct str arn)
{
	struct str rest = arn, part, number = STR_NONE;
	for (size_t k = 0; k < 5 && str_split_next(&rest, ':', &part); k++)
		number = part;
	const struct account *account = account_find_by_number(t, number);
	return account ? engine_find_topic_by_arn(t, account->row.id, arn) : NULL;
}

RESULT engine_confirm_subscription(struct op *op, struct subscription_wish *wish)
{
	const struct topic *topic = find_topic(op->head, wish->topic.text);
	engine_need_no_permission(op); /* the token is the proof, which the endpoint alone was sent */
	const struct topic_subscription *found = NULL;
	for (const struct topic_subscription *s =
		     topic ? topic_subscription_first_by_topic(op->head, topic->row.id) : NULL;
	     s && !found; s = topic_subscription_next_by_topic(op->head, s))
		if (s->confirmation.n && str_equal(s->confirmation, wish->token))
			found = s;
	if (!found)
		return ENGINE_FAIL(op, ERR_INVALID, KIND_TOPIC_SUBSCRIPTION, STR("Token"),
				   "Invalid parameter: Token");
	struct topic_subscription next = *found;
	next.is_confirmed = true;
	choice_apply(wish->is_authenticated, &next.is_authenticated);
	next.row.gen++;
	wish->found = next.row.id;
	return topic_subscription_put(op, &next);
}

/* ---- change ---- */

/* The permission is about the topic, as in AWS. */
static RESULT find_permitted(struct op *op, const struct ref *ref, const char *permission,
			     const struct topic_subscription **ret)
{
	TRY(engine_find_own_topic_subscription(op->ctx, op->head, ref, ret));
	return engine_permit(op, permission, KIND_TOPIC_SUBSCRIPTION, &(*ret)->row);
}

/* A policy must suit its scope, whichever of the two is new. */
static RESULT apply_filter(struct op *op, const struct subscription_wish *wish,
			   struct topic_subscription *next)
{
	bool is_none = false;
	if (wish->has_filter)
		next->filter = wish->filter;
	choice_apply(wish->filters_body, &next->filters_body);
	TRY(engine_check_filter(op->ctx, next->filter, next->filters_body, &is_none));
	if (is_none)
		next->filter = STR_NONE;
	return OK;
}

RESULT engine_set_subscription(struct op *op, struct subscription_wish *wish)
{
	const struct topic_subscription *s = NULL;
	TRY(find_permitted(op, &wish->subscription, "topic_subscription.set_attributes", &s));
	struct topic_subscription next = *s;
	choice_apply(wish->is_raw, &next.is_raw);
	if (wish->has_dead_queue) {
		const struct topic *topic = topic_find(op->head, s->topic);
		if (!topic)
			return engine_fail_gone(op->ctx, KIND_TOPIC, s->topic);
		TRY(check_dead_queue(op, topic, s->account, wish->dead_queue));
		next.dead_queue = wish->dead_queue;
	}
	if (wish->has_filter || wish->filters_body != CHOICE_DEFAULT)
		TRY(apply_filter(op, wish, &next));
	next.row.gen++;
	return topic_subscription_put(op, &next);
}

RESULT engine_unsubscribe(struct op *op, struct subscription_wish *wish)
{
	const struct topic_subscription *s = topic_subscription_find(op->head, wish->subscription.prefix);
	const struct topic *topic = s ? topic_find(op->head, s->topic) : NULL;
	/* The topic's owner may end another account's subscription, too. */
	if (topic && op->ctx->who && engine_is_foreign(op->ctx, KIND_TOPIC_SUBSCRIPTION, &s->row) &&
	    uuid_equal(topic->account, op->ctx->who->account))
		TRY(engine_permit(op, "topic_subscription.delete", KIND_TOPIC, &topic->row));
	else
		TRY(find_permitted(op, &wish->subscription, "topic_subscription.delete", &s));
	return topic_subscription_forget(op, s->row.id);
}

/* ---- deliveries ---- */

const struct topic_delivery *engine_next_topic_delivery(const struct tables *t, uuid subscription,
							int64_t now_us, int64_t *ret_again_us)
{
	const struct topic_subscription *s = topic_subscription_find(t, subscription);
	const struct topic *topic = s ? topic_find(t, s->topic) : NULL;
	*ret_again_us = 0;
	for (const struct topic_delivery *d = topic_delivery_first_by_topic_subscription(t, subscription); d;
	     d = topic_delivery_next_by_topic_subscription(t, d)) {
		if (d->retry_us <= now_us)
			return d;
		if (!*ret_again_us || d->retry_us < *ret_again_us)
			*ret_again_us = d->retry_us;
		if (topic && topic->is_fifo) /* later ones wait for the first */
			return NULL;
	}
	return NULL;
}

/* A queue that is gone, or whose policy refuses the topic, is no matter of time: the delivery is given up. A request to confirm asks the
 * same. Empty: the queue takes it. */
static RESULT find_refusal(struct op *op, const struct topic *topic, const struct queue *queue,
			   struct str *ret_why)
{
	const struct service_sender sender = {.service = "sns.amazonaws.com",
					      .source =
						      engine_find_topic_arn(op->head, op->ctx->arena, topic),
					      .account = topic->account};
	bool is_admitted = false;
	*ret_why = STR("The queue does not exist.");
	if (!queue || engine_is_queue_deleted(queue))
		return OK;
	TRY(engine_admit_service(op, KIND_QUEUE, &queue->row, &sender, &is_admitted));
	*ret_why = is_admitted ? STR_NONE : STR("The queue's policy does not allow the topic to send.");
	return OK;
}

/* The delivery as a message to that queue, without its text. A request to confirm is a group of its own in a FIFO queue. */
static struct message_wish message_of(struct op *op, const struct topic_delivery *d,
				      const struct queue *queue)
{
	bool is_fifo = queue && queue->is_fifo;
	if (is_fifo && d->type == TOPIC_DELIVERY_TYPE_CONFIRMATION) {
		struct str id = uuid_to_str(op->ctx->arena, d->message_id);
		return (struct message_wish){.message_group = id, .deduplication = id, .delay_s = -1};
	}
	return (struct message_wish){.message_group = d->message_group,
				     .deduplication = is_fifo ? d->deduplication : STR_NONE,
				     .delay_s = -1};
}

/* The message itself, without the JSON of a notification. */
static RESULT bury(struct op *op, const struct topic_subscription *s, const struct topic_delivery *d)
{
	const struct queue *dead = queue_find_by_account(op->head, s->account, s->dead_queue);
	struct message_wish message = message_of(op, d, dead);
	message.body = d->body;
	message.attributes = d->attributes;
	const struct topic *topic = topic_find(op->head, s->topic);
	struct str why = STR_NONE;
	if (!s->dead_queue.n || !topic || d->type == TOPIC_DELIVERY_TYPE_CONFIRMATION)
		return OK;
	TRY(find_refusal(op, topic, dead, &why));
	if (why.n)
		return OK;
	struct result added = queue_add_message(op, dead->row.id, &message, STR("sns.amazonaws.com"));
	if (!result_is_ok(added) && !engine_is_refusal(added.code))
		return added;
	ctx_clear_problem(op->ctx);
	return OK;
}

RESULT engine_see_topic_delivery(struct op *op, struct topic_report *wish)
{
	const struct topic_delivery *d = topic_delivery_find(op->head, wish->delivery);
	const struct topic_subscription *s =
		d ? topic_subscription_find(op->head, d->topic_subscription) : NULL;
	if (!s)
		return OK;
	struct topic_subscription next = *s;
	next.tries = wish->is_taken ? 0 : next.tries + 1;
	next.problem = wish->is_taken ? STR_NONE : str_cut(wish->problem, 1024);
	next.told_us = wish->is_taken ? op->now_us : next.told_us;
	next.lost += !wish->is_taken && wish->is_final;
	TRY(topic_subscription_put(op, &next));
	if (!wish->is_taken && wish->is_final)
		TRY(bury(op, s, d));
	if (wish->is_taken || wish->is_final)
		return topic_delivery_forget(op, d->row.id);
	struct topic_delivery later = *d;
	later.tries++;
	later.retry_us = wish->retry_us;
	later.problem = next.problem;
	return topic_delivery_put(op, &later);
}

RESULT engine_deliver_to_queue(struct op *op, struct topic_report *wish)
{
	const struct topic_delivery *d = topic_delivery_find(op->head, wish->delivery);
	const struct topic_subscription *s =
		d ? topic_subscription_find(op->head, d->topic_subscription) : NULL;
	const struct topic *topic = s ? topic_find(op->head, s->topic) : NULL;
	if (!topic)
		return OK;
	bool is_arn = false;
	const struct queue *queue = engine_find_any_queue(op->head, s->endpoint, &is_arn);
	struct message_wish message = message_of(op, d, queue);
	message.body = wish->body;
	message.attributes = wish->attributes;
	TRY(find_refusal(op, topic, queue, &wish->problem));
	wish->is_final = wish->problem.n > 0;
	if (!wish->is_final) {
		struct result added =
			queue_add_message(op, queue->row.id, &message, STR("sns.amazonaws.com"));
		wish->is_taken = result_is_ok(added);
		if (!wish->is_taken && !engine_is_refusal(added.code))
			return added;
		wish->is_final = !wish->is_taken && added.code != ERR_QUOTA;
		wish->problem = str_copy(op->ctx->arena, op->ctx->problem.message);
		ctx_clear_problem(op->ctx);
	}
	return engine_see_topic_delivery(op, wish);
}
