/* SPDX-License-Identifier: Apache-2.0
 * A part of test_limits.c, behind its macros: queues, topics, and what they contain. */
#pragma once

#include "engine/messaging/messaging.h"
#include "limits_events.h"

static RESULT make_queue(struct cloud *c, int n)
{
	struct queue_wish wish = {.row = {.name = numbered(c, "queue", n)}};
	MAKE(c, &c->alice, engine_create_queue, wish, made);
}
DROP(queue, engine_delete_queue, queue_target, .queue = ref_by_id(KIND_QUEUE, made))

static void is_a_queue(struct cloud *c)
{
	cloud_expect(c, make_queue(c, 0), ERR_NONE, KIND_NONE);
	owner = made;
}
static RESULT make_queue_message(struct cloud *c, int n)
{
	struct message_wish message = {.body = numbered(c, "text", n), .delay_s = -1};
	struct send_wish wish = {ref_by_id(KIND_QUEUE, owner), &message, 1};
	MAKE(c, &c->alice, engine_send_messages, wish, at[0].message);
}
static void drop_queue_message(struct cloud *c)
{
	struct handle_wish handle = {.message = made};
	struct handles_wish wish = {ref_by_id(KIND_QUEUE, owner), &handle, 1};
	cloud_ok(c, &c->alice, engine_delete_messages, &wish);
}

static RESULT make_topic(struct cloud *c, int n)
{
	struct topic_wish wish = {.row = {.name = numbered(c, "topic", n)}};
	MAKE(c, &c->alice, engine_create_topic, wish, made);
}
DROP(topic, engine_delete_topic, topic_target, .topic = ref_by_id(KIND_TOPIC, made))

static void is_a_topic(struct cloud *c)
{
	cloud_expect(c, make_topic(c, 0), ERR_NONE, KIND_NONE);
	owner = made;
}
static RESULT subscribe(struct cloud *c, uuid topic, struct str endpoint)
{
	struct subscribe_wish wish = {.topic = ref_by_id(KIND_TOPIC, topic),
				      .protocol = TOPIC_SUBSCRIPTION_PROTOCOL_HTTP,
				      .endpoint = endpoint,
				      .token = STR("digest"),
				      .sealed_token = STR("sealed")};
	MAKE(c, &c->alice, engine_subscribe, wish, made);
}
static RESULT make_topic_subscription(struct cloud *c, int n)
{
	return subscribe(c, owner, numbered(c, "http://127.0.0.2/", n));
}
DROP(topic_subscription, engine_unsubscribe, subscription_wish,
     .subscription = ref_by_id(KIND_TOPIC_SUBSCRIPTION, made))

/* A repeated Subscribe finds the pending subscription and sends a further confirmation request. */
static uuid subscribed_topic;
static void is_a_topic_subscription(struct cloud *c)
{
	is_a_topic(c);
	subscribed_topic = owner;
	cloud_expect(c, subscribe(c, owner, STR("http://127.0.0.2/")), ERR_NONE, KIND_NONE);
	owner = made;
}
static RESULT make_topic_delivery(struct cloud *c, int n)
{
	(void) n;
	return subscribe(c, subscribed_topic, STR("http://127.0.0.2/"));
}
static void drop_topic_delivery(struct cloud *c)
{
	struct topic_report wish = {.is_taken = true};
	{
		AUTO_VIEW view = {0};
		int64_t again_us = 0;
		view_open(c->store, &view);
		wish.delivery = engine_next_topic_delivery(view.tables, owner, INT64_MAX, &again_us)->row.id;
	}
	cloud_ok(c, NULL, engine_see_topic_delivery, &wish);
}

static void is_a_fifo_topic(struct cloud *c)
{
	struct topic_wish wish = {.row = {.name = STR("topic.fifo"), .is_fifo = true, .dedups_content = true},
				  .has_dedups_content = true};
	cloud_ok(c, &c->alice, engine_create_topic, &wish);
	owner = wish.made;
}
static RESULT make_topic_record(struct cloud *c, int n)
{
	struct published_message message = {.body = numbered(c, "text", n), .message_group = STR("group")};
	struct publish_wish wish = {ref_by_id(KIND_TOPIC, owner), &message, 1};
	clock_advance_us(SECOND); /* so that one record goes before the next one */
	return cloud_run(c, &c->alice, engine_publish_run, &wish);
}
/* The first of two records goes when its five minutes are over; a third message was refused a second after the second one. */
static void drop_topic_record(struct cloud *c)
{
	struct topic_sweep wish = {.topic = owner};
	clock_advance_us(QUEUE_DEDUPLICATION_US - 3 * SECOND / 2);
	cloud_ok(c, NULL, engine_sweep_topic, &wish);
}

#define MESSAGING                                                                                            \
	[LIMIT_QUEUES] = {is_alices, make_queue, drop_queue},                                                \
	[LIMIT_QUEUE_MESSAGES] = {is_a_queue, make_queue_message, drop_queue_message},                       \
	[LIMIT_TOPICS] = {is_alices, make_topic, drop_topic},                                                \
	[LIMIT_TOPIC_SUBSCRIPTIONS] = {is_a_topic, make_topic_subscription, drop_topic_subscription},        \
	[LIMIT_TOPIC_DELIVERIES] = {is_a_topic_subscription, make_topic_delivery, drop_topic_delivery},      \
	[LIMIT_TOPIC_RECORDS] = {is_a_fifo_topic, make_topic_record, drop_topic_record},
