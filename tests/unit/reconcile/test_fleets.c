/* SPDX-License-Identifier: Apache-2.0
 * Fleets that are launched later: kept at their target in spite of kills between any two steps, terminations, missing room
 * and taken-back spot instances; made smaller and ended as asked. */
#include "../cloud/cloud.h"
#include "engine/instance/launch/fleet.h"
#include "engine/instance/launch/spot.h"
#include "store/fleet.h"
#include "store/instance.h"
#include "store/spot_request.h"

enum { SEEDS = 10 };

static struct cloud *told; /* the cloud whose fleets are read */

/* One override, of which a host has room for four instances; or one that no host has room for, and small ones. */
static RESULT read_fleet(struct ctx *ctx, const struct later_launch *later, const struct fleet *fleet,
			 struct fleet_override **ret_overrides, size_t *ret_count)
{
	static const char *const types[] = {"r5.24xlarge", "t3.micro"};
	bool has_two = str_is(fleet->configs, "two");
	struct fleet_override *o = arena_new_array(ctx->arena, struct fleet_override, 2);
	(void) later;
	assert_non_null(o);
	for (size_t k = 0; k < 2; k++) {
		o[k].launch = cloud_launch_wish(told, 1);
		o[k].launch.type.text = has_two ? str_from(types[k]) : STR("r5.2xlarge");
		o[k].capacity = FLEET_UNIT;
		o[k].priority = (int64_t) k;
	}
	*ret_overrides = o;
	*ret_count = has_two ? 2 : 1;
	return OK;
}

static void begin(struct cloud *c)
{
	told = c;
	c->read_fleet = read_fleet;
	cloud_restart(c);
}

static struct fleet_wish wish_of(enum fleet_type type, int64_t units)
{
	return (struct fleet_wish){.type = type,
				   .target = units * FLEET_UNIT,
				   .is_prioritized = true,
				   .configs = STR("large"),
				   .client_token = STR("once")};
}

static uuid create(struct cloud *c, struct fleet_wish wish)
{
	cloud_ok(c, &c->alice, engine_create_fleet, &wish);
	return wish.fleet;
}

static struct fleet fleet_now(struct cloud *c, uuid id)
{
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	const struct fleet *fleet = fleet_find(view.tables, id);
	return fleet ? *fleet : (struct fleet){0};
}

struct counted {
	size_t live, spot, forgotten;
	uuid first;
};

static struct counted count(struct cloud *c, uuid fleet)
{
	struct counted n = {0};
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	for (const struct instance *i = instance_first_by_fleet(view.tables, fleet); i;
	     i = instance_next_by_fleet(view.tables, i)) {
		if (!row_is_live(&i->row))
			continue;
		n.first = n.live ? n.first : i->row.id;
		n.live++;
		n.spot += !uuid_is_none(i->spot_request);
	}
	return n;
}

struct wanted {
	uuid fleet;
	size_t live;
};

static bool has_live(struct cloud *c, const void *arg)
{
	const struct wanted *w = arg;
	return count(c, w->fleet).live == w->live;
}

static void await(struct cloud *c, uuid fleet, size_t live, int64_t limit_us)
{
	const struct wanted w = {fleet, live};
	if (!cloud_step_until(c, has_live, &w, limit_us))
		assert_int_equal(count(c, fleet).live, live);
}

static void delete_fleet(struct cloud *c, uuid id, bool keeps_instances)
{
	struct fleet_change change = {.fleet = cloud_ref(c, KIND_FLEET, id)};
	struct fleets_target wish = {&change, 1, keeps_instances};
	cloud_ok(c, &c->alice, engine_delete_fleets, &wish);
	assert_int_equal(change.err, ERR_NONE);
}

static void update(struct cloud *c, uuid id, int64_t units, enum choice keeps_excess)
{
	struct fleet_update wish = {.fleet = cloud_ref(c, KIND_FLEET, id),
				    .has_target = true,
				    .target = units * FLEET_UNIT,
				    .on_demand = -1,
				    .spot = -1,
				    .keeps_excess = keeps_excess};
	cloud_ok(c, &c->alice, engine_update_fleet, &wish);
}

/* Replaces what its user terminates, and nothing after it was deleted. */
static void keeps_its_target(struct cloud *c)
{
	begin(c);
	uuid id = create(c, wish_of(FLEET_TYPE_MAINTAIN, 2));
	assert_int_equal(fleet_now(c, id).stage, FLEET_STAGE_SUBMITTED);
	await(c, id, 2, MINUTE);
	cloud_settle(c);
	assert_int_equal(fleet_now(c, id).stage, FLEET_STAGE_ACTIVE);
	uuid lost = count(c, id).first;
	cloud_terminate(c, lost);
	assert_int_equal(count(c, id).live, 1);
	await(c, id, 2, MINUTE);
	cloud_settle(c);
	assert_int_equal(fleet_now(c, id).fulfilled, 3 * FLEET_UNIT);
	delete_fleet(c, id, true);
	cloud_terminate(c, count(c, id).first);
	cloud_step_for(c, 5 * MINUTE);
	assert_int_equal(count(c, id).live, 1);
	cloud_terminate(c, count(c, id).first);
}
TEST_STORY(keeps_its_target, 1)

/* A request is launched once. */
static void does_not_replace(struct cloud *c)
{
	begin(c);
	uuid id = create(c, wish_of(FLEET_TYPE_REQUEST, 2));
	await(c, id, 2, MINUTE);
	cloud_settle(c);
	cloud_terminate(c, count(c, id).first);
	cloud_step_for(c, 5 * MINUTE);
	assert_int_equal(count(c, id).live, 1);
	delete_fleet(c, id, false);
	assert_int_equal(count(c, id).live, 0);
}
TEST_STORY(does_not_replace, 1)

/* What finds no room is launched when there is room, after a wait that gets longer. */
static void waits_for_room(struct cloud *c)
{
	begin(c);
	uuid id = create(c, wish_of(FLEET_TYPE_MAINTAIN, 5)); /* the host has room for four */
	await(c, id, 4, MINUTE);
	cloud_step_for(c, 15 * SECOND);
	struct fleet fleet = fleet_now(c, id);
	assert_int_equal(fleet.tries, 1);
	assert_false(fleet.has_failed);
	assert_true(fleet.again_us > clock_now_us());
	cloud_step_for(c, 65 * SECOND);
	assert_int_equal(fleet_now(c, id).tries, 2);
	assert_true(fleet_now(c, id).again_us > clock_now_us() + 100 * SECOND);
	update(c, id, 4, CHOICE_DEFAULT);
	cloud_settle(c);
	assert_int_equal(fleet_now(c, id).tries, 0);
	assert_int_equal(count(c, id).live, 4);
}
TEST_STORY(waits_for_room, 1)

/* A machine that ends as soon as it runs is replaced after a pause, not in a loop. */
static void pauses_between_launches(struct cloud *c)
{
	begin(c);
	uuid id = create(c, wish_of(FLEET_TYPE_MAINTAIN, 1));
	await(c, id, 1, MINUTE);
	int64_t from_us = clock_now_us(), launched = fleet_now(c, id).fulfilled;
	while (clock_now_us() < from_us + MINUTE) {
		if (count(c, id).live)
			cloud_terminate(c, count(c, id).first);
		cloud_step_for(c, SECOND);
	}
	launched = fleet_now(c, id).fulfilled - launched;
	assert_in_range(launched, 2 * FLEET_UNIT, 7 * FLEET_UNIT);
	delete_fleet(c, id, true);
}
TEST_STORY(pauses_between_launches, 1)

/* The next override is used where the first has no room. */
static void goes_on_with_the_next(struct cloud *c)
{
	begin(c);
	struct fleet_wish wish = wish_of(FLEET_TYPE_MAINTAIN, 5);
	wish.configs = STR("two");
	uuid id = create(c, wish);
	await(c, id, 5, MINUTE);
	cloud_settle(c);
	assert_int_equal(fleet_now(c, id).tries, 0);
}
TEST_STORY(goes_on_with_the_next, 1)

/* A lower target ends instances, unless the fleet keeps them or they are protected. */
static void gets_smaller(struct cloud *c)
{
	begin(c);
	uuid id = create(c, wish_of(FLEET_TYPE_MAINTAIN, 3));
	await(c, id, 3, MINUTE);
	cloud_settle(c);
	update(c, id, 2, CHOICE_YES);
	cloud_settle(c);
	assert_int_equal(count(c, id).live, 3);
	assert_int_equal(fleet_now(c, id).stage, FLEET_STAGE_ACTIVE);
	update(c, id, 1, CHOICE_NO);
	assert_int_equal(fleet_now(c, id).stage, FLEET_STAGE_MODIFYING);
	await(c, id, 1, MINUTE);
	cloud_settle(c);
	assert_int_equal(fleet_now(c, id).stage, FLEET_STAGE_ACTIVE);
	update(c, id, 2, CHOICE_DEFAULT);
	await(c, id, 2, MINUTE);
	cloud_settle(c);
}
TEST_STORY(gets_smaller, 1)

/* Nothing is launched before its time, and it ends with its instances. */
static void has_its_time(struct cloud *c)
{
	begin(c);
	struct fleet_wish wish = wish_of(FLEET_TYPE_MAINTAIN, 1);
	wish.valid_from_us = clock_now_us() + 2 * MINUTE;
	wish.valid_until_us = clock_now_us() + 10 * MINUTE;
	wish.ends_instances = true;
	uuid id = create(c, wish);
	cloud_step_for(c, MINUTE);
	assert_int_equal(count(c, id).live, 0);
	await(c, id, 1, 2 * MINUTE);
	await(c, id, 0, 9 * MINUTE);
	cloud_settle(c);
	struct fleet fleet = fleet_now(c, id);
	assert_false(row_is_live(&fleet.row));
	assert_int_equal(fleet.stage, FLEET_STAGE_ENDED);
	cloud_step_for(c, 3 * HOUR);
	assert_int_equal(cloud_count(c, KIND_FLEET), 0);
}
TEST_STORY(has_its_time, 1)

/* A spot instance whose room is taken back is replaced as soon as there is room. */
static void replaces_what_is_taken_back(struct cloud *c)
{
	begin(c);
	struct fleet_wish wish = wish_of(FLEET_TYPE_MAINTAIN, 4);
	wish.spot_target = 2 * FLEET_UNIT;
	wish.spot_default = true;
	uuid id = create(c, wish);
	await(c, id, 4, MINUTE);
	cloud_settle(c);
	assert_int_equal(count(c, id).spot, 2);
	struct instance_launch large = cloud_launch_wish(c, 1);
	large.type.text = STR("r5.2xlarge");
	cloud_ok(c, &c->alice, engine_create_instances, &large);
	await(c, id, 3, SPOT_NOTICE_US + MINUTE);
	cloud_await(c, large.made.at[0], INSTANCE_RUNNING);
	assert_int_equal(count(c, id).spot, 1);
	cloud_terminate(c, large.made.at[0]);
	await(c, id, 4, 20 * MINUTE);
	cloud_settle(c);
	assert_int_equal(count(c, id).spot, 2);
	assert_int_equal(fleet_now(c, id).fulfilled_spot, 3 * FLEET_UNIT);
}
TEST_STORY(replaces_what_is_taken_back, 1)

static bool is_complete(struct cloud *c, const void *arg)
{
	return count(c, *(const uuid *) arg).live == 2 && fleet_now(c, *(const uuid *) arg).tries == 0;
}

/* Creates a fleet, loses an instance, and deletes the fleet; false: the process died. */
static bool tell_life(struct cloud *c, uuid *fleet, bool *has_lost)
{
	struct fleet_wish wish = wish_of(FLEET_TYPE_MAINTAIN, 2);
	wish.digest = STR("same");
	if (!cloud_was_answered(c, cloud_call(c, &c->alice, engine_create_fleet_run, &wish)))
		return false;
	*fleet = wish.fleet;
	if (!cloud_step_until(c, is_complete, fleet, 20 * MINUTE) || !cloud_lived_to_settle(c))
		return false;
	assert_int_equal(count(c, *fleet).live, 2);
	if (!*has_lost) {
		uuid lost = count(c, *fleet).first;
		struct result result = cloud_power(c, engine_terminate_instances_run, lost, false);
		if (!cloud_was_answered(c, result))
			return false;
		*has_lost = true;
	}
	if (!cloud_step_until(c, is_complete, fleet, 20 * MINUTE) || !cloud_lived_to_settle(c))
		return false;
	assert_int_equal(count(c, *fleet).live, 2);
	return true;
}

/* Killed after each of its steps, the fleet has its target afterwards, never more. */
static void test_survives_kills(void **state)
{
	(void) state;
	uint64_t steps = 0;
	for (uint64_t at = 0; at <= steps; at += at < 40 ? 1 : 7) {
		struct cloud *c = cloud_new(3, 1);
		uuid fleet = UUID_NONE;
		bool has_lost = false;
		begin(c);
		c->kill_at = at ? c->steps + at : 0;
		uint64_t before = c->steps;
		while (!tell_life(c, &fleet, &has_lost)) {
			assert_true(cloud_was_killed(c));
			c->kill_at = 0;
			cloud_restart(c);
		}
		if (!at)
			steps = c->steps - before;
		assert_int_equal(cloud_count(c, KIND_FLEET), 1);
		assert_int_equal(count(c, fleet).live, 2);
		cloud_done(c);
	}
	assert_true(steps > 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keeps_its_target),
		cmocka_unit_test(test_does_not_replace),
		cmocka_unit_test(test_waits_for_room),
		cmocka_unit_test(test_pauses_between_launches),
		cmocka_unit_test(test_goes_on_with_the_next),
		cmocka_unit_test(test_gets_smaller),
		cmocka_unit_test(test_has_its_time),
		cmocka_unit_test(test_replaces_what_is_taken_back),
		cmocka_unit_test(test_survives_kills),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
