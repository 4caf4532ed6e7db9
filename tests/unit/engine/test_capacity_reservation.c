/* SPDX-License-Identifier: Apache-2.0
 * Capacity reservations: units have room on hosts, launches take them, ends give them back, and nothing is promised
 * twice. A host here has room for eight t3.micro; xy-west-2a has two hosts, xy-west-2b one. */
#include "cloud.h"
#include "engine/region/dedicated_host.h"
#include "engine/reservation/capacity_preference.h"
#include "engine/reservation/capacity_reservation.h"
#include "store/account.h"
#include "store/capacity_reservation.h"
#include "store/host.h"
#include "store/instance.h"

enum { OF_HOST = 8 };

static struct capacity_wish wish_of(const char *zone, int64_t count)
{
	return (struct capacity_wish){.type = ref_named(KIND_INSTANCE_TYPE, "t3.micro"),
				      .zone = ref_named(KIND_ZONE, zone),
				      .count = count};
}

static uuid reserve(struct cloud *c, const char *zone, int64_t count)
{
	struct capacity_wish wish = wish_of(zone, count);
	cloud_ok(c, &c->alice, engine_create_capacity_reservation, &wish);
	return wish.made;
}

static const struct capacity_reservation *row_of(struct cloud *c, uuid id)
{
	return capacity_reservation_find(cloud_tables(c), id);
}

static int64_t free_of(struct cloud *c, uuid id)
{
	return (int64_t) row_of(c, id)->hosts.count;
}

static int64_t used_of(struct cloud *c, uuid id)
{
	return engine_count_capacity_used(cloud_tables(c), id);
}

static void check_held(struct cloud *c, uuid id, int64_t free, int64_t used)
{
	assert_int_equal(free_of(c, id), free);
	assert_int_equal(used_of(c, id), used);
	for (const struct host *h = host_first(cloud_tables(c)); h; h = host_next(cloud_tables(c), h)) {
		assert_true(host_usage(h)->vcpus <= h->seen_cpus * h->overcommit_percent / 100);
		assert_true(host_usage(h)->memory <= h->seen_memory - h->reserved_memory);
	}
}

static struct instance_launch launch_in(struct cloud *c, const char *zone, int64_t count)
{
	static const struct launch_port port = {.public_ip = CHOICE_NO};
	struct instance_launch launch = cloud_launch(c, count);
	launch.ports = &port;
	launch.port_count = 1;
	launch.zone = ref_named(KIND_ZONE, zone);
	return launch;
}

static uuid launch_one(struct cloud *c, const char *zone)
{
	struct instance_launch launch = launch_in(c, zone, 1);
	cloud_ok(c, &c->alice, engine_create_instances, &launch);
	return launch.made.at[0];
}

static void end(struct cloud *c, uuid instance)
{
	struct ref ref = ref_to(c, KIND_INSTANCE, instance);
	struct instances_wish wish = {.instances = refs_of(c, &ref, 1)};
	cloud_ok(c, &c->alice, engine_terminate_instances, &wish);
	cloud_see(c, instance, INSTANCE_SEEN_POWER_ABSENT);
}

/* The zone has no more room than its hosts, whoever holds it. */
static void check_room(void **state)
{
	struct cloud *c = *state;
	struct capacity_wish more = wish_of("xy-west-2a", 2 * OF_HOST + 1);
	cloud_fails(c, &c->alice, engine_create_capacity_reservation, &more, ERR_CAPACITY, KIND_INSTANCE);
	uuid id = reserve(c, "xy-west-2a", 2 * OF_HOST);
	check_held(c, id, 2 * OF_HOST, 0);
	struct capacity_wish one = wish_of("xy-west-2a", 1);
	cloud_fails(c, &c->bob, engine_create_capacity_reservation, &one, ERR_CAPACITY, KIND_INSTANCE);
	struct instance_launch theirs = launch_in(c, "xy-west-2a", 1);
	cloud_fails(c, &c->bob, engine_create_instances, &theirs, ERR_CAPACITY, KIND_INSTANCE);
	struct instance_launch ours = launch_in(c, "xy-west-2a", 3);
	cloud_ok(c, &c->alice, engine_create_instances, &ours);
	check_held(c, id, 2 * OF_HOST - 3, 3);
	struct instance_launch all = launch_in(c, "xy-west-2a", 2 * OF_HOST - 2);
	cloud_fails(c, &c->alice, engine_create_instances, &all, ERR_CAPACITY, KIND_INSTANCE);
	check_held(c, id, 2 * OF_HOST - 3, 3);
	end(c, ours.made.at[1]);
	check_held(c, id, 2 * OF_HOST - 2, 2);
	cloud_fails(c, &c->bob, engine_create_instances, &theirs, ERR_CAPACITY, KIND_INSTANCE);
	struct capacity_target target = {ref_to(c, KIND_CAPACITY_RESERVATION, id)};
	cloud_ok(c, &c->alice, engine_cancel_capacity_reservation, &target);
	assert_true(uuid_is_none(cloud_instance(c, ours.made.at[0])->capacity_reservation));
	cloud_ok(c, &c->bob, engine_create_instances, &theirs);
}

/* Instances match by type, platform and zone, preference and account. */
static void check_matching(void **state)
{
	struct cloud *c = *state;
	struct capacity_wish wish = wish_of("xy-west-2a", 2);
	wish.is_targeted = true;
	cloud_ok(c, &c->alice, engine_create_capacity_reservation, &wish);
	uuid targeted = wish.made, open = reserve(c, "xy-west-2a", 1);
	struct instance_launch none = launch_in(c, "xy-west-2a", 1);
	none.capacity_preference = INSTANCE_CAPACITY_PREFERENCE_NONE;
	cloud_ok(c, &c->alice, engine_create_instances, &none);
	check_held(c, open, 1, 0);
	struct instance_launch other = launch_in(c, "xy-west-2a", 1);
	other.type = ref_named(KIND_INSTANCE_TYPE, "t3.nano");
	cloud_ok(c, &c->alice, engine_create_instances, &other);
	check_held(c, open, 1, 0);
	assert_true(uuid_equal(cloud_instance(c, launch_one(c, "xy-west-2a"))->capacity_reservation, open));
	check_held(c, open, 0, 1);
	assert_true(uuid_is_none(cloud_instance(c, launch_one(c, "xy-west-2a"))->capacity_reservation));
	struct instance_launch named = cloud_launch(c, 2);
	named.capacity_target = ref_to(c, KIND_CAPACITY_RESERVATION, targeted);
	cloud_fails(c, &c->bob, engine_create_instances, &named, ERR_NOT_FOUND, KIND_CAPACITY_RESERVATION);
	cloud_ok(c, &c->alice, engine_create_instances, &named);
	check_held(c, targeted, 0, 2);
	cloud_fails(c, &c->alice, engine_create_instances, &named, ERR_CAPACITY, KIND_CAPACITY_RESERVATION);
	struct instance_launch only = launch_in(c, "xy-west-2b", 1);
	only.capacity_preference = INSTANCE_CAPACITY_PREFERENCE_CAPACITY_RESERVATIONS_ONLY;
	cloud_fails(c, &c->alice, engine_create_instances, &only, ERR_CAPACITY, KIND_CAPACITY_RESERVATION);
	named.spot.is_spot = true;
	cloud_fails(c, &c->alice, engine_create_instances, &named, ERR_COMBINATION,
		    KIND_CAPACITY_RESERVATION);
}

/* Running instances that match take units of a new reservation, which then needs less room. */
static void check_running(void **state)
{
	struct cloud *c = *state;
	struct instance_launch launch = launch_in(c, "xy-west-2b", OF_HOST);
	cloud_ok(c, &c->alice, engine_create_instances, &launch);
	uuid id = reserve(c, "xy-west-2b", 3);
	check_held(c, id, 0, 3);
	struct capacity_wish targeted = wish_of("xy-west-2b", 1);
	targeted.is_targeted = true;
	cloud_fails(c, &c->alice, engine_create_capacity_reservation, &targeted, ERR_CAPACITY, KIND_INSTANCE);
	struct capacity_settings grow = {.reservation = ref_to(c, KIND_CAPACITY_RESERVATION, id), .count = 5};
	cloud_ok(c, &c->alice, engine_update_capacity_reservation, &grow);
	check_held(c, id, 0, 5);
	grow.count = 4;
	cloud_fails(c, &c->alice, engine_update_capacity_reservation, &grow, ERR_INVALID,
		    KIND_CAPACITY_RESERVATION);
	grow.count = OF_HOST + 1;
	cloud_fails(c, &c->alice, engine_update_capacity_reservation, &grow, ERR_CAPACITY, KIND_INSTANCE);
	end(c, launch.made.at[0]);
	end(c, launch.made.at[1]);
	int64_t free = free_of(c, id);
	check_held(c, id, free, 5 - free);
	grow.count = 5 - free;
	cloud_ok(c, &c->alice, engine_update_capacity_reservation, &grow);
	check_held(c, id, 0, 5 - free);
}

/* Units count for the quotas, and an instance that takes one needs nothing more of them. */
static void check_quotas(void **state)
{
	struct cloud *c = *state;
	struct account_limits limits =
		account_limits_all(ref_to(c, KIND_ACCOUNT, c->alice.account), ACCOUNT_LIMIT_KEEP);
	limits.instances = 3;
	cloud_ok(c, &c->operator, engine_set_limits, &limits);
	struct capacity_wish more = wish_of("xy-west-2a", 4);
	cloud_fails(c, &c->alice, engine_create_capacity_reservation, &more, ERR_QUOTA, KIND_INSTANCE);
	uuid id = reserve(c, "xy-west-2a", 2);
	launch_one(c, "xy-west-2a");
	launch_one(c, "xy-west-2a");
	check_held(c, id, 0, 2);
	launch_one(c, "xy-west-2a");
	struct instance_launch one = launch_in(c, "xy-west-2a", 1);
	cloud_fails(c, &c->alice, engine_create_instances, &one, ERR_QUOTA, KIND_INSTANCE);
	struct capacity_wish zero = wish_of("xy-west-2a", 0);
	cloud_fails(c, &c->alice, engine_create_capacity_reservation, &zero, ERR_INVALID,
		    KIND_CAPACITY_RESERVATION);
	struct capacity_wish huge = wish_of("xy-west-2a", CAPACITY_UNITS_MAX + 1);
	cloud_fails(c, &c->alice, engine_create_capacity_reservation, &huge, ERR_INVALID,
		    KIND_CAPACITY_RESERVATION);
}

static enum capacity_turn turn_of(struct cloud *c, uuid id)
{
	int64_t due_us = 0;
	return engine_find_capacity_turn(cloud_tables(c), row_of(c, id), clock_now_us(), &due_us);
}

static void follow(struct cloud *c, uuid id)
{
	struct capacity_following following = {id};
	cloud_ok(c, NULL, engine_follow_capacity_reservation, &following);
}

/* Units leave hosts that take no instances, wait where there is no other room, and are found again. */
static void check_hosts(void **state)
{
	struct cloud *c = *state;
	uuid id = reserve(c, "xy-west-2a", OF_HOST);
	assert_int_equal(turn_of(c, id), CAPACITY_WAIT);
	struct host_settings closed = {.host = ref_to(c, KIND_HOST, c->hosts[0]), .enabled = CHOICE_NO};
	cloud_ok(c, &c->operator, engine_update_host, &closed);
	assert_int_equal(turn_of(c, id), CAPACITY_PLACE);
	follow(c, id);
	check_held(c, id, OF_HOST, 0);
	assert_int_equal(turn_of(c, id), CAPACITY_WAIT);
	for (size_t k = 0; k < OF_HOST; k++)
		assert_true(uuid_equal(row_of(c, id)->hosts.at[k], c->hosts[1]));
	closed.host = ref_to(c, KIND_HOST, c->hosts[1]);
	cloud_ok(c, &c->operator, engine_update_host, &closed);
	follow(c, id);
	check_held(c, id, OF_HOST, 0);
	struct instance_launch one = launch_in(c, "xy-west-2a", 1);
	cloud_fails(c, &c->alice, engine_create_instances, &one, ERR_CAPACITY, KIND_INSTANCE);
	struct host_target gone = {ref_to(c, KIND_HOST, c->hosts[1])};
	cloud_ok(c, &c->operator, engine_remove_host, &gone);
	check_held(c, id, 0, 0);
	assert_int_equal(turn_of(c, id), CAPACITY_PLACE);
	closed = (struct host_settings){.host = ref_to(c, KIND_HOST, c->hosts[0]), .enabled = CHOICE_YES};
	cloud_ok(c, &c->operator, engine_update_host, &closed);
	follow(c, id);
	check_held(c, id, OF_HOST, 0);
	struct dedicated_host_wish dedicated = {
		.zone = ref_named(KIND_ZONE, "xy-west-2a"), .family = STR("t3"), .count = 1};
	cloud_fails(c, &c->alice, engine_allocate_dedicated_hosts, &dedicated, ERR_CAPACITY,
		    KIND_DEDICATED_HOST);
	struct instance_launch alone = launch_in(c, "xy-west-2a", 1);
	alone.tenancy = INSTANCE_TENANCY_DEDICATED;
	cloud_fails(c, &c->alice, engine_create_instances, &alone, ERR_CAPACITY, KIND_INSTANCE);
}

static void check_end_date(void **state)
{
	struct cloud *c = *state;
	struct capacity_wish wish = wish_of("xy-west-2a", 1);
	wish.end_us = clock_now_us() - SECOND;
	cloud_fails(c, &c->alice, engine_create_capacity_reservation, &wish, ERR_INVALID,
		    KIND_CAPACITY_RESERVATION);
	wish.end_us = clock_now_us() + HOUR;
	cloud_ok(c, &c->alice, engine_create_capacity_reservation, &wish);
	uuid instance = launch_one(c, "xy-west-2a");
	int64_t due_us = 0;
	assert_int_equal(
		engine_find_capacity_turn(cloud_tables(c), row_of(c, wish.made), clock_now_us(), &due_us),
		CAPACITY_WAIT);
	assert_int_equal(due_us, wish.end_us);
	clock_advance_us(HOUR);
	assert_int_equal(turn_of(c, wish.made), CAPACITY_EXPIRE);
	follow(c, wish.made);
	assert_true(row_of(c, wish.made)->has_expired && !row_is_live(&row_of(c, wish.made)->row));
	assert_true(uuid_is_none(cloud_instance(c, instance)->capacity_reservation));
	clock_set_us(0);
}

/* A stopped instance changes what it prefers, and a start needs what it must use. */
static void check_preference(void **state)
{
	struct cloud *c = *state;
	struct capacity_wish wish = wish_of("xy-west-2a", 1);
	wish.is_targeted = true;
	cloud_ok(c, &c->alice, engine_create_capacity_reservation, &wish);
	uuid first = launch_one(c, "xy-west-2a");
	struct ref ref = ref_to(c, KIND_INSTANCE, first);
	struct instances_wish power = {.instances = refs_of(c, &ref, 1)};
	struct capacity_preferring prefer = {.instance = ref,
					     .target = ref_to(c, KIND_CAPACITY_RESERVATION, wish.made)};
	cloud_see(c, first, INSTANCE_SEEN_POWER_ON);
	cloud_fails(c, &c->alice, engine_set_capacity_preference, &prefer, ERR_STATE, KIND_INSTANCE);
	cloud_ok(c, &c->alice, engine_stop_instances, &power);
	cloud_see(c, first, INSTANCE_SEEN_POWER_OFF);
	cloud_ok(c, &c->alice, engine_set_capacity_preference, &prefer);
	check_held(c, wish.made, 0, 1);
	struct capacity_target target = {prefer.target};
	cloud_ok(c, &c->alice, engine_cancel_capacity_reservation, &target);
	cloud_fails(c, &c->alice, engine_start_instances, &power, ERR_CAPACITY, KIND_CAPACITY_RESERVATION);
	prefer.target = (struct ref){0};
	cloud_ok(c, &c->alice, engine_set_capacity_preference, &prefer);
	uuid open = reserve(c, "xy-west-2a", 1);
	check_held(c, open, 1, 0);
	cloud_ok(c, &c->alice, engine_start_instances, &power);
	check_held(c, open, 0, 1);
}

/* Free units are metered; a used one is paid as its instance. */
static void check_meter(void **state)
{
	struct cloud *c = *state;
	uuid id = reserve(c, "xy-west-2a", 2);
	assert_int_equal(cloud_usage(c, id, "reserved:t3.micro"), 2);
	uuid instance = launch_one(c, "xy-west-2a");
	assert_int_equal(cloud_usage(c, id, "reserved:t3.micro"), 1);
	struct instance_settings grow = {.instance = ref_to(c, KIND_INSTANCE, instance),
					 .type = ref_named(KIND_INSTANCE_TYPE, "t3.small")};
	struct ref ref = grow.instance;
	struct instances_wish power = {.instances = refs_of(c, &ref, 1)};
	cloud_see(c, instance, INSTANCE_SEEN_POWER_ON);
	cloud_ok(c, &c->alice, engine_stop_instances, &power);
	cloud_see(c, instance, INSTANCE_SEEN_POWER_OFF);
	cloud_ok(c, &c->alice, engine_update_instance, &grow);
	check_held(c, id, 2, 0);
	assert_int_equal(cloud_usage(c, id, "reserved:t3.micro"), 2);
	struct capacity_target target = {ref_to(c, KIND_CAPACITY_RESERVATION, id)};
	cloud_ok(c, &c->alice, engine_cancel_capacity_reservation, &target);
	assert_int_equal(cloud_usage(c, id, "reserved:t3.micro"), 0);
	cloud_fails(c, &c->alice, engine_cancel_capacity_reservation, &target, ERR_NOT_FOUND,
		    KIND_CAPACITY_RESERVATION);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(check_room, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_matching, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_running, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_quotas, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_hosts, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_end_date, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_preference, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_meter, cloud_setup, cloud_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
