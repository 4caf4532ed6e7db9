/* SPDX-License-Identifier: Apache-2.0
 * Records of deduplication IDs in FIFO topics: an ID counts for five minutes, and its record goes then without another publish. */
#include "../cloud/cloud.h"
#include "engine/messaging/messaging.h"

static uuid make_topic(struct cloud *c)
{
	struct topic_wish wish = {
		.row = {.name = STR("orders.fifo"), .is_fifo = true, .dedups_content = true},
		.has_dedups_content = true};
	cloud_ok(c, &c->alice, engine_create_topic, &wish);
	return wish.made;
}

static struct published_message publish(struct cloud *c, uuid topic, struct str body)
{
	struct published_message message = {.body = body, .message_group = STR("group")};
	struct publish_wish wish = {ref_by_id(KIND_TOPIC, topic), &message, 1};
	cloud_ok(c, &c->alice, engine_publish, &wish);
	return message;
}

static int64_t count_records(struct cloud *c, uuid topic)
{
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	return topic_usage(topic_find(view.tables, topic))->topic_deliveries;
}

static void test_records_go_after_five_minutes(void **state)
{
	(void) state;
	struct cloud *c = cloud_new(1, 1);
	uuid topic = make_topic(c);
	struct published_message first = publish(c, topic, STR("a")), again = publish(c, topic, STR("a"));
	assert_true(uuid_equal(first.message, again.message) && first.sequence == again.sequence);
	cloud_step_for(c, 2 * MINUTE);
	struct published_message other = publish(c, topic, STR("b"));
	assert_int_equal(other.sequence, first.sequence + 1);
	assert_int_equal(count_records(c, topic), 2);
	cloud_step_for(c, 4 * MINUTE);
	assert_int_equal(count_records(c, topic), 1);
	again = publish(c, topic, STR("a"));
	assert_int_equal(again.sequence, first.sequence + 2);
	assert_true(uuid_equal(publish(c, topic, STR("b")).message, other.message));
	cloud_step_for(c, 10 * MINUTE);
	assert_int_equal(count_records(c, topic), 0);
	cloud_done(c);
}

static void test_topic_goes_with_its_records(void **state)
{
	(void) state;
	struct cloud *c = cloud_new(2, 1);
	uuid topic = make_topic(c);
	struct topic_target wish = {.topic = ref_by_id(KIND_TOPIC, topic)};
	for (int k = 0; k < 450; k++) /* more than two changes forget */
		publish(c, topic, str_print(c->arena, "%d", k));
	cloud_ok(c, &c->alice, engine_delete_topic, &wish);
	cloud_step_for(c, MINUTE);
	assert_int_equal(cloud_count(c, KIND_TOPIC), 0);
	cloud_done(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_records_go_after_five_minutes),
		cmocka_unit_test(test_topic_goes_with_its_records),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
