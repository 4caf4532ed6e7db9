/* SPDX-License-Identifier: Apache-2.0
 * Meters that follow changes of rows: addresses in use and idle, provisioned volume performance, and resource
 * names. */
#include "cloud.h"

#include <stdio.h>

#include "engine/balancing/octavia.h"
#include "engine/network/address/address.h"
#include "engine/tag.h"
#include "store/address.h"
#include "store/ledger.h"
#include "store/listener.h"
#include "store/port.h"
#include "store/proxy.h"
#include "store/volume.h"

static void expect_use(struct cloud *c, uuid address, int used, int idle)
{
	assert_int_equal(cloud_usage(c, address, "address:used"), used);
	assert_int_equal(cloud_usage(c, address, "address:idle"), idle);
}

static void addresses_are_used_or_idle(void **state)
{
	struct cloud *c = *state;
	struct address_wish wish = {0};
	uuid instance = cloud_launch_one(c);
	cloud_ok(c, &c->alice, engine_allocate_address, &wish);
	uuid address = wish.address;
	expect_use(c, address, 0, 1);
	cloud_see(c, instance, INSTANCE_SEEN_POWER_ON);
	struct address_association associate = {.address = ref_to(c, KIND_ADDRESS, address),
						.instance = ref_to(c, KIND_INSTANCE, instance)};
	cloud_ok(c, &c->alice, engine_associate_address, &associate);
	expect_use(c, address, 1, 0);
	cloud_see_off(c, instance, INSTANCE_OFF_GUEST);
	expect_use(c, address, 0, 1);
	size_t records = c->usage_count;
	cloud_see_off(c, instance, INSTANCE_OFF_GUEST); /* nothing new: nothing is written */
	assert_int_equal(c->usage_count, records);
}

/* ---- listeners ---- */

/* TCP is the case that no other field of the row reveals as a proxy's. */
static void listeners_of_octavia_are_metered(void **state)
{
	struct cloud *c = *state;
	uuid subnet = cloud_port(c, cloud_launch_one(c))->subnet;
	struct octavia_listener listeners[] = {
		{.protocol = STR("TCP"), .port = 22, .connection_limit = -1},
		{.protocol = STR("HTTP"), .port = 80, .connection_limit = -1},
		{.protocol = STR("HTTPS"), .port = 443, .connection_limit = -1},
	};
	static const char *const meters[] = {"lb:tcp", "lb:http", "lb:https"};
	struct octavia_balancer_wish wish = {.subnet = ref_by_id(KIND_SUBNET, subnet),
					     .listeners = {listeners, 3}};
	cloud_ok(c, &c->alice, engine_create_octavia_balancer, &wish);
	uuid made[3];
	for (size_t k = 0; k < 3; k++) {
		const struct listener *l = listener_find_by_elastic_load_balancer(
			cloud_tables(c), wish.balancer, listeners[k].port);
		assert_non_null(l);
		made[k] = l->row.id;
		assert_int_equal(cloud_usage(c, made[k], meters[k]), 1);
	}
	const struct proxy *proxy = engine_get_proxy(cloud_tables(c), wish.balancer);
	struct proxy_report seen = {.proxy = proxy->row.id, .gen = proxy->row.gen};
	cloud_ok(c, NULL, engine_see_proxy, &seen);
	struct octavia_balancer_target target = {
		.balancer = ref_by_id(KIND_ELASTIC_LOAD_BALANCER, wish.balancer), .is_cascading = true};
	cloud_ok(c, &c->alice, engine_delete_octavia_balancer, &target);
	for (size_t k = 0; k < 3; k++)
		assert_int_equal(cloud_usage(c, made[k], meters[k]), 0);
}

/* ---- names of resources ---- */

struct subjects {
	struct cloud *c;
	size_t count;
	char name[64], text[256];
};

static RESULT take(void *arg, const struct ledger_record *record)
{
	struct subjects *s = arg;
	s->count++;
	snprintf(s->name, sizeof s->name, "%" STR_FMT, STR_ARG(record->name));
	snprintf(s->text, sizeof s->text, "%" STR_FMT, STR_ARG(record->text));
	return OK;
}

static struct subjects read_subjects(struct cloud *c, uuid id)
{
	const struct ledger_query query = {.type = LEDGER_SUBJECT, .from_us = LEDGER_ANY_TIME, .id = id};
	struct subjects s = {c, 0, "", ""};
	assert_true(result_is_ok(store_read_ledger(c->store, &c->c, &query, take, &s)));
	return s;
}

static void names_are_said_when_they_change(void **state)
{
	struct cloud *c = *state;
	uuid volume = cloud_make_volume(c, GIB);
	struct subjects s = read_subjects(c, volume);
	assert_int_equal(s.count, 1);
	assert_string_equal(s.text, "xy-west-2a\n{}");
	cloud_see_volume(c, volume); /* a report names nothing */
	assert_int_equal(read_subjects(c, volume).count, 1);
	struct tag tags[] = {{STR("team"), STR("a\"b")}, {STR("bare"), STR_NONE}};
	const struct ref ref = ref_to(c, KIND_VOLUME, volume);
	struct tags_wish wish = {.resources = {&ref, 1}, .tags = {tags, 2}};
	cloud_ok(c, &c->alice, engine_set_tags, &wish);
	s = read_subjects(c, volume);
	assert_int_equal(s.count, 2);
	assert_string_equal(s.name, "data");
	assert_non_null(strstr(s.text, "\"team\":\"a\\\"b\""));
	assert_non_null(strstr(s.text, "\"bare\":true"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(addresses_are_used_or_idle, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(listeners_of_octavia_are_metered, cloud_setup,
						cloud_teardown),
		cmocka_unit_test_setup_teardown(names_are_said_when_they_change, cloud_setup, cloud_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
