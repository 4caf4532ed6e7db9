/* SPDX-License-Identifier: Apache-2.0
 * A part of test_limits.c, behind its macros: rules of the event bus, their targets, and events on their way. */
#pragma once

#include "engine/events/events.h"
#include "engine/messaging/messaging.h"

/* Limits whose excess is no refusal, or that another test meets. */
static bool is_met_apart(enum limit_id limit)
{
	return limit == LIMIT_REVOCATIONS || limit == LIMIT_LINK_GATEWAYS || limit == LIMIT_MACS ||
	       limit == LIMIT_BUS_EVENTS || limit == LIMIT_EVENT_DELIVERIES || limit == LIMIT_VPN_TUNNELS;
}

static RESULT make_event_rule(struct cloud *c, int n)
{
	struct event_rule_wish wish = {
		.row = {.name = numbered(c, "rule", n), .pattern = STR("{\"source\":[\"x\"]}")}};
	MAKE(c, &c->alice, engine_put_event_rule, wish, made);
}
DROP(event_rule, engine_delete_event_rule, event_rule_target, .rule = ref_by_id(KIND_EVENT_RULE, made))

static struct str event_queue_arn;
static void is_an_event_rule(struct cloud *c)
{
	struct queue_wish queue = {.row = {.name = STR("events")}};
	cloud_expect(c, make_event_rule(c, 0), ERR_NONE, KIND_NONE);
	owner = made;
	cloud_ok(c, &c->alice, engine_create_queue, &queue);
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	event_queue_arn = engine_find_queue_arn(view.tables, c->arena, queue_find(view.tables, queue.made));
}
static struct str event_target_name;
static RESULT make_event_target(struct cloud *c, int n)
{
	struct event_target_wish target = {.row = {.name = numbered(c, "target", n), .arn = event_queue_arn}};
	struct event_targets_wish wish = {ref_by_id(KIND_EVENT_RULE, owner), &target, 1};
	struct result result = cloud_run(c, &c->alice, engine_put_event_targets_run, &wish);
	if (result_is_ok(result))
		event_target_name = target.row.name;
	return result;
}
static void drop_event_target(struct cloud *c)
{
	struct event_target_wish target = {.row = {.name = event_target_name}};
	struct event_targets_wish wish = {ref_by_id(KIND_EVENT_RULE, owner), &target, 1};
	cloud_ok(c, &c->alice, engine_remove_event_targets, &wish);
	assert_null(target.code);
}

#define EVENTS                                                                                               \
	[LIMIT_EVENT_RULES] = {is_alices, make_event_rule, drop_event_rule},                                 \
	[LIMIT_EVENT_TARGETS] = {is_an_event_rule, make_event_target, drop_event_target},

static void set_limit(struct cloud *c, enum limit_id limit, int64_t most);

static const char *put_event(struct cloud *c)
{
	struct event_entry entry = {.source = STR("x"), .detail_type = STR("t"), .detail = STR("{\"a\":1}")};
	struct events_wish wish = {&entry, 1};
	cloud_ok(c, &c->alice, engine_put_events, &wish);
	return entry.code;
}

static void spread_events(struct cloud *c)
{
	const struct bus_event *event = NULL;
	while ((event = bus_event_first(cloud_tables(c)))) {
		struct event_spread spread = {0};
		AUTO_VIEW view = {0};
		view_open(c->store, &view);
		assert_true(result_is_ok(engine_find_event_targets(&c->c, view.tables, event, &spread)));
		view_close(&view);
		cloud_ok(c, NULL, engine_spread_event, &spread);
	}
}

/* PutEvents leaves places for events of the region. An event beyond all places is lost, and the change that made the event succeeds. A
 * target that takes nothing has up to so many deliveries, and loses further events. */
static void check_events(void **state)
{
	struct cloud *c = *state;
	c->alice.rights |= RIGHT(MANAGER);
	is_an_event_rule(c);
	cloud_expect(c, make_event_target(c, 0), ERR_NONE, KIND_NONE);
	set_limit(c, LIMIT_BUS_EVENTS, 4);
	set_limit(c, LIMIT_QUEUE_MESSAGES, 1);
	set_limit(c, LIMIT_EVENT_DELIVERIES, 1);
	for (int n = 0; n < 3; n++)
		assert_null(put_event(c));
	assert_string_equal(put_event(c), "ThrottlingException");
	for (int n = 0; n < 2; n++) {
		struct instance_launch launch = cloud_launch(c, 1);
		cloud_ok(c, &c->alice, engine_create_instances, &launch);
		assert_int_equal(engine_count_limited(cloud_tables(c), LIMIT_BUS_EVENTS, c->alice.account),
				 4);
	}
	spread_events(c);
	const struct event_target *target = event_target_first(cloud_tables(c));
	assert_int_equal(engine_count_limited(cloud_tables(c), LIMIT_BUS_EVENTS, c->alice.account), 0);
	assert_int_equal(engine_count_limited(cloud_tables(c), LIMIT_EVENT_DELIVERIES, target->row.id), 1);
	assert_int_equal(target->lost, 1); /* the first is in the queue, the second waits */
	assert_true(str_equal(target->problem, STR("A queue has up to 1 messages.")));
	struct event_resending again = {event_delivery_first(cloud_tables(c))->row.id};
	set_limit(c, LIMIT_QUEUE_MESSAGES, 2);
	cloud_ok(c, NULL, engine_resend_event, &again);
	assert_null(event_delivery_first(cloud_tables(c)));
	assert_true(str_is_empty(event_target_first(cloud_tables(c))->problem));
}
