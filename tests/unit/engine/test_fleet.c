/* SPDX-License-Identifier: Apache-2.0
 * Instant fleets: the order of their overrides, what they record where an override fails, and that a fleet below its
 * minimum launches nothing. Changes of fleets that go on. */
#include "cloud.h"
#include "engine/instance/launch/fleet_internal.h"
#include "engine/instance/placement/server_group.h"
#include "model/fleet.h"
#include "model/server_group.h"
#include "store/fleet.h"
#include "store/instance.h"
#include "store/instance_type.h"
#include "store/zone.h"

enum { OVERRIDES = 3 };

static void tell(void *arg, struct result result, struct str *ret_code, struct str *ret_message)
{
	(void) arg, (void) ret_message;
	*ret_code = result.code == ERR_CAPACITY ? STR("NoRoom") : STR("Failed");
}

struct scene {
	struct cloud *c;
	struct fleet_override overrides[OVERRIDES];
	struct ref apart;
};

/* Overrides of t3.micro in the zone of two hosts. `apart`: a group of which each host takes one instance. */
static struct scene begin(struct cloud *c)
{
	struct scene s = {.c = c};
	struct server_group_wish group = {.name = STR("g"), .policy = SERVER_GROUP_POLICY_ANTI_AFFINITY};
	cloud_ok(c, &c->alice, engine_create_server_group, &group);
	s.apart = (struct ref){.kind = KIND_SERVER_GROUP, .prefix = group.server_group, .bits = 128};
	for (size_t k = 0; k < OVERRIDES; k++) {
		s.overrides[k].launch = cloud_launch(c, 1);
		s.overrides[k].launch.zone = ref_named(KIND_ZONE, "xy-west-2a");
		s.overrides[k].capacity = FLEET_UNIT;
		s.overrides[k].priority = (int64_t) k;
	}
	return s;
}

static struct fleet_wish wish_of(struct scene *s, size_t count, int64_t units)
{
	return (struct fleet_wish){.overrides = s->overrides,
				   .count = count,
				   .type = FLEET_TYPE_INSTANT,
				   .target = units * FLEET_UNIT,
				   .configs = STR("{}"),
				   .tell = tell};
}

static const struct fleet *create(struct scene *s, struct fleet_wish *wish)
{
	cloud_ok(s->c, &s->c->alice, engine_create_fleet, wish);
	return fleet_find(cloud_tables(s->c), wish->fleet);
}

static size_t count_all(struct scene *s, const struct fleet *fleet)
{
	size_t count = 0;
	const struct instance *i = instance_first_by_fleet(cloud_tables(s->c), fleet->row.id);
	for (; i; i = instance_next_by_fleet(cloud_tables(s->c), i))
		count++;
	return count;
}

static size_t count_of(struct scene *s, const struct fleet *fleet, int64_t override)
{
	size_t count = 0;
	const struct instance *i = instance_first_by_fleet(cloud_tables(s->c), fleet->row.id);
	for (; i; i = instance_next_by_fleet(cloud_tables(s->c), i))
		count += i->fleet_override == override;
	return count;
}

/* Two hosts take two instances of the group. */
static void check_minimum(void **state)
{
	struct scene s = begin(*state);
	struct fleet_wish wish = wish_of(&s, 1, 3);
	s.overrides[0].launch.server_group = s.apart;
	wish.min_target = 3 * FLEET_UNIT;
	const struct fleet *fleet = create(&s, &wish);
	assert_int_equal(count_all(&s, fleet), 0);
	assert_int_equal(fleet->fulfilled, 0);
	assert_int_equal(s.overrides[0].err, ERR_CAPACITY);
	assert_int_equal(s.overrides[0].launch.made.count, 0);
	assert_int_equal(fleet->failures.count, 3);
	assert_true(str_is(fleet->failures.at[0], "0") && str_is(fleet->failures.at[1], "NoRoom"));
	s = begin(s.c);
	s.overrides[0].launch.server_group = s.apart;
	wish = wish_of(&s, 1, 3);
	wish.min_target = 2 * FLEET_UNIT;
	fleet = create(&s, &wish);
	assert_int_equal(count_all(&s, fleet), 2);
	assert_int_equal(fleet->fulfilled, 2 * FLEET_UNIT);
	assert_int_equal(fleet->stage, FLEET_STAGE_ACTIVE);
	assert_true(str_is(fleet->failures.at[1], "NoRoom")); /* of the third */
}

static void check_order(void **state)
{
	struct scene s = begin(*state);
	s.overrides[0].launch.type = s.overrides[2].launch.type = ref_named(KIND_INSTANCE_TYPE, "t3.small");
	s.overrides[0].priority = 2;
	struct fleet_wish wish = wish_of(&s, 3, 1);
	const struct fleet *fleet = create(&s, &wish); /* the smallest first */
	assert_int_equal(count_of(&s, fleet, 1), 1);
	s.overrides[2].priority = 0;
	wish = wish_of(&s, 3, 1);
	wish.is_prioritized = true;
	fleet = create(&s, &wish);
	assert_int_equal(count_of(&s, fleet, 2), 1);
	assert_int_equal(count_all(&s, fleet), 1);
	s.overrides[0].priority = s.overrides[1].priority = s.overrides[2].priority = 7;
	wish = wish_of(&s, 3, 1);
	wish.is_prioritized = true;
	fleet = create(&s, &wish); /* as they were given, where they are equal */
	assert_int_equal(count_of(&s, fleet, 0), 1);
}

/* Instances of more than one unit: the last one may exceed the target. */
static void check_units(void **state)
{
	struct scene s = begin(*state);
	struct fleet_wish wish = wish_of(&s, 1, 4);
	s.overrides[0].capacity = 3 * FLEET_UNIT;
	const struct fleet *fleet = create(&s, &wish);
	assert_int_equal(count_all(&s, fleet), 2);
	assert_int_equal(fleet->fulfilled, 6 * FLEET_UNIT);
}

static void check_one_type(void **state)
{
	struct scene s = begin(*state);
	struct fleet_wish wish = wish_of(&s, 2, 3);
	s.overrides[0].launch.server_group = s.apart;
	s.overrides[1].launch.type = ref_named(KIND_INSTANCE_TYPE, "t3.small");
	wish.single_type = true;
	assert_int_equal(count_all(&s, create(&s, &wish)), 2);
	s = begin(s.c);
	s.overrides[0].launch.server_group = s.apart;
	s.overrides[1].launch.type = ref_named(KIND_INSTANCE_TYPE, "t3.small");
	wish = wish_of(&s, 2, 3);
	const struct fleet *fleet = create(&s, &wish);
	assert_int_equal(count_of(&s, fleet, 0), 2);
	assert_int_equal(count_of(&s, fleet, 1), 1);
}

/* The zone of the first instance replaces the zone that the second override names. */
static void check_one_zone(void **state)
{
	static struct scene s; /* too large for the stack beside a copy */
	s = begin(*state);
	const struct tables *t = cloud_tables(s.c);
	uuid zone = zone_find_by_name(t, STR("xy-west-2a"))->row.id;
	for (int is_single = 0; is_single < 2; is_single++) {
		size_t elsewhere = 0;
		s = begin(s.c);
		s.overrides[0].launch.server_group = s.apart;
		s.overrides[1].launch.zone = ref_named(KIND_ZONE, "xy-west-2b");
		struct fleet_wish wish = wish_of(&s, 2, 3);
		wish.single_zone = is_single;
		const struct fleet *fleet = create(&s, &wish);
		assert_int_equal(count_all(&s, fleet), 3);
		const struct instance *i = instance_first_by_fleet(cloud_tables(s.c), fleet->row.id);
		for (; i; i = instance_next_by_fleet(cloud_tables(s.c), i))
			elsewhere += !uuid_equal(i->zone, zone);
		assert_int_equal(elsewhere, is_single ? 0 : 1);
	}
}

/* An override that fails leaves nothing, and the next one is launched in its place. */
static void check_failures(void **state)
{
	struct scene s = begin(*state);
	struct fleet_wish wish = wish_of(&s, 3, 2);
	wish.is_prioritized = true;
	s.overrides[0].launch.type = ref_named(KIND_INSTANCE_TYPE, "no.such");
	s.overrides[1].code = STR("Unread");
	s.overrides[1].message = STR("The face could not read it.");
	const struct fleet *fleet = create(&s, &wish);
	assert_int_equal(count_of(&s, fleet, 2), 2);
	assert_int_equal(count_all(&s, fleet), 2);
	assert_int_equal(fleet->failures.count, 6);
	assert_true(str_is(fleet->failures.at[0], "0") && str_is(fleet->failures.at[1], "Failed"));
	assert_true(str_is(fleet->failures.at[3], "1") && str_is(fleet->failures.at[4], "Unread"));
	assert_int_equal(s.overrides[1].err, ERR_INVALID);
}

/* The row holds the failures of the longest fleet for both kinds of capacity, with messages that are cut. */
static void check_failures_of_all(void **state)
{
	struct cloud *c = *state;
	struct scene s = begin(c);
	struct fleet_override *many = arena_new_array(c->c.arena, struct fleet_override, FLEET_OVERRIDES_MAX);
	char words[400];
	memset(words, 'w', sizeof words);
	for (size_t k = 0; k < FLEET_OVERRIDES_MAX; k++) {
		many[k] = s.overrides[0];
		many[k].code = STR("PrivateIpAddressLimitExceededAndMore");
		many[k].message = (struct str){words, sizeof words};
	}
	struct fleet_wish wish = wish_of(&s, FLEET_OVERRIDES_MAX, 2);
	wish.overrides = many;
	wish.spot_target = FLEET_UNIT;
	const struct fleet *fleet = create(&s, &wish);
	assert_int_equal(fleet->failures.count, 2 * 3 * FLEET_OVERRIDES_MAX);
	assert_true(str_is(fleet->failures.at[3 * FLEET_OVERRIDES_MAX], "0 spot"));
	assert_in_range(fleet->failures.at[2].n, 40, 200);
}

static void check_token(void **state)
{
	struct scene s = begin(*state);
	struct fleet_wish wish = wish_of(&s, 1, 2);
	wish.client_token = STR("once");
	wish.digest = STR("d");
	const struct fleet *fleet = create(&s, &wish);
	struct fleet_wish again = wish;
	again.fleet = UUID_NONE;
	assert_true(uuid_equal(create(&s, &again)->row.id, fleet->row.id));
	assert_int_equal(count_all(&s, fleet), 2);
	again.digest = STR("another");
	again.fleet = UUID_NONE;
	cloud_fails(s.c, &s.c->alice, engine_create_fleet, &again, ERR_CONFLICT, KIND_CLIENT_TOKEN);
}

/* Spot instances of several overrides are spread over them; on-demand ones come from the first. */
static void check_diversified(void **state)
{
	struct scene s = begin(*state);
	struct fleet_wish wish = wish_of(&s, 3, 3);
	wish.spot_target = wish.target;
	wish.spot_strategy = FLEET_SPOT_STRATEGY_DIVERSIFIED;
	const struct fleet *fleet = create(&s, &wish);
	for (int k = 0; k < OVERRIDES; k++)
		assert_int_equal(count_of(&s, fleet, k), 1);
	assert_int_equal(fleet->fulfilled_spot, 3 * FLEET_UNIT);
	s = begin(s.c);
	wish = wish_of(&s, 3, 3);
	assert_int_equal(count_of(&s, create(&s, &wish), 0), 3);
}

/* Zone b of the first override has one host, zone a of the second has two. */
static void check_room(void **state)
{
	static const struct {
		enum fleet_spot_strategy strategy;
		int64_t override;
	} rows[] = {
		{FLEET_SPOT_STRATEGY_LOWEST_PRICE, 0},
		{FLEET_SPOT_STRATEGY_CAPACITY_OPTIMIZED, 1},
		{FLEET_SPOT_STRATEGY_CAPACITY_OPTIMIZED_PRIORITIZED, 0},
		{FLEET_SPOT_STRATEGY_PRICE_CAPACITY_OPTIMIZED, 0},
	};
	struct scene s = begin(*state);
	s.overrides[0].launch.zone = ref_named(KIND_ZONE, "xy-west-2b");
	for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
		struct fleet_wish wish = wish_of(&s, 2, 1);
		wish.spot_target = wish.target;
		wish.spot_strategy = rows[k].strategy;
		const struct fleet *fleet = create(&s, &wish);
		if (count_of(&s, fleet, rows[k].override) != 1)
			fail_msg("row %zu", k);
	}
}

/* An override without room for all comes after one that has it, whatever its priority. */
static void check_too_little_room(void **state)
{
	struct scene s = begin(*state);
	s.overrides[0].launch.zone = ref_named(KIND_ZONE, "xy-west-2b");
	int64_t room = fleet_count_room(cloud_tables(s.c), &s.overrides[0]);
	assert_true(room > 0 && fleet_count_room(cloud_tables(s.c), &s.overrides[1]) > room);
	struct fleet_wish wish = wish_of(&s, 2, room + 1);
	wish.spot_target = wish.target;
	wish.spot_strategy = FLEET_SPOT_STRATEGY_CAPACITY_OPTIMIZED_PRIORITIZED;
	const struct fleet *fleet = create(&s, &wish);
	assert_int_equal(count_of(&s, fleet, 0), 0);
	assert_int_equal(count_of(&s, fleet, 1), room + 1);
}

/* ---- changes ---- */

static void check_split(void **state)
{
	(void) state;
	static const struct {
		int64_t target, on_demand, spot;
		bool spot_default;
		int64_t spots;
	} rows[] = {
		{10, 0, 0, false, 0}, {10, 0, 0, true, 10}, {10, 4, 0, true, 6},   {10, 0, 4, false, 4},
		{10, 7, 7, false, 3}, {10, 7, 1, true, 3},  {10, 20, 5, false, 0}, {10, 20, 5, true, 0},
		{10, 2, 3, false, 3}, {0, 1, 1, true, 0},
	};
	for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
		const struct fleet_split split = {rows[k].target, rows[k].on_demand, rows[k].spot,
						  rows[k].spot_default};
		if (engine_split_fleet_target(&split) != rows[k].spots)
			fail_msg("row %zu: %lld", k, (long long) engine_split_fleet_target(&split));
	}
}

static void check_update(void **state)
{
	struct scene s = begin(*state);
	struct cloud *c = s.c;
	struct fleet_wish wish = wish_of(&s, 1, 1);
	struct fleet_update update = {
		.has_target = true, .target = 8 * FLEET_UNIT, .on_demand = -1, .spot = -1};
	update.fleet = ref_to(c, KIND_FLEET, create(&s, &wish)->row.id);
	cloud_fails(c, &c->alice, engine_update_fleet, &update, ERR_STATE, KIND_FLEET);
	wish = wish_of(&s, 1, 6);
	wish.type = FLEET_TYPE_MAINTAIN;
	wish.spot_target = 2 * FLEET_UNIT;
	uuid id = create(&s, &wish)->row.id;
	update.fleet = ref_to(c, KIND_FLEET, id);
	cloud_fails(c, &c->bob, engine_update_fleet, &update, ERR_NOT_FOUND, KIND_FLEET);
	/* the share that is not the default stays: two spot units of six are two of eight */
	cloud_ok(c, &c->alice, engine_update_fleet, &update);
	const struct fleet *fleet = fleet_find(cloud_tables(c), id);
	assert_int_equal(fleet->target, 8 * FLEET_UNIT);
	assert_int_equal(fleet->spot_target, 2 * FLEET_UNIT);
	update.spot_default = CHOICE_YES; /* now six on-demand units stay */
	update.target = 9 * FLEET_UNIT;
	cloud_ok(c, &c->alice, engine_update_fleet, &update);
	assert_int_equal(fleet_find(cloud_tables(c), id)->spot_target, 3 * FLEET_UNIT);
	update.on_demand = FLEET_UNIT;
	cloud_ok(c, &c->alice, engine_update_fleet, &update);
	assert_int_equal(fleet_find(cloud_tables(c), id)->spot_target, 8 * FLEET_UNIT);
}

/* A fleet that could not be launched as asked is refused at once; its trial leaves nothing. */
static void check_trial(void **state)
{
	struct scene s = begin(*state);
	struct fleet_wish wish = wish_of(&s, 2, 2);
	wish.type = FLEET_TYPE_MAINTAIN;
	size_t before = tables_count(cloud_tables(s.c), KIND_INSTANCE);
	const struct fleet *fleet = create(&s, &wish);
	assert_int_equal(tables_count(cloud_tables(s.c), KIND_INSTANCE), before);
	assert_int_equal(fleet->stage, FLEET_STAGE_SUBMITTED);
	wish = wish_of(&s, 2, 2);
	wish.type = FLEET_TYPE_MAINTAIN;
	s.overrides[1].launch.type = ref_named(KIND_INSTANCE_TYPE, "no.such");
	cloud_fails(s.c, &s.c->alice, engine_create_fleet, &wish, ERR_NOT_FOUND, KIND_INSTANCE_TYPE);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, cloud_setup, cloud_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(check_minimum),         TEST(check_order),
		TEST(check_units),           TEST(check_one_type),
		TEST(check_one_zone),        TEST(check_failures),
		TEST(check_failures_of_all), TEST(check_token),
		TEST(check_diversified),     TEST(check_room),
		TEST(check_too_little_room), cmocka_unit_test(check_split),
		TEST(check_update),          TEST(check_trial),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
