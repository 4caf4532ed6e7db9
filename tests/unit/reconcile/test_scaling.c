/* SPDX-License-Identifier: Apache-2.0
 * Scaling groups: kept at their size in spite of kills between any two steps, terminations and missing room; made smaller and
 * deleted as asked; hooks, standby and policies. */
#include "../cloud/cloud.h"
#include "engine/instance/launch/fleet.h"
#include "engine/scaling/scale_set.h"
#include "engine/scaling/scaling.h"
#include "store/instance.h"
#include "store/launch_configuration.h"
#include "store/scaling_activity.h"
#include "store/subnet.h"

enum { SEEDS = 10 };

static struct cloud *told; /* the cloud whose groups are read */

/* Each place has one launch, of which a host has room for four. */
static RESULT read_scaling(struct ctx *ctx, const struct later_launch *later,
			   const struct scaling_group *group, struct fleet_override **ret_launches,
			   size_t *ret_count)
{
	static const struct scale_set_launch of_set = {.computer_prefix = {"web", 3}};
	const struct scaling_source source = engine_get_scaling_source(group);
	size_t places = engine_count_scaling_places(&source);
	struct fleet_override *o = arena_new_array(ctx->arena, struct fleet_override, places);
	(void) later;
	assert_non_null(o);
	for (size_t k = 0; k < places; k++) {
		o[k].launch = cloud_launch_wish(told, 1);
		o[k].launch.type.text = STR("r5.2xlarge");
		o[k].capacity = 1;
		o[k].set = scaling_is_set(group) ? &of_set : NULL;
	}
	*ret_launches = o;
	*ret_count = places;
	return OK;
}

static void begin(struct cloud *c)
{
	told = c;
	c->read_scaling = c->read_scale_set = read_scaling;
	cloud_restart(c);
}

/* ---- rows ---- */

static uuid configuration_of(struct cloud *c)
{
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	const struct launch_configuration *l =
		launch_configuration_first_by_account(view.tables, c->alice.account);
	return l ? l->row.id : UUID_NONE;
}

static struct scaling_group group_now(struct cloud *c, uuid id)
{
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	const struct scaling_group *g = scaling_group_find(view.tables, id);
	return g ? *g : (struct scaling_group){0};
}

struct counted {
	size_t members, in_service, instances, failed;
	uuid first; /* instance of the first member */
};

static struct counted count(struct cloud *c, uuid group)
{
	struct counted n = {0};
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	for (const struct scaling_member *m = scaling_member_first_by_scaling_group(view.tables, group); m;
	     m = scaling_member_next_by_scaling_group(view.tables, m)) {
		n.first = n.members ? n.first : m->instance;
		n.members++;
		n.in_service += m->stage == SCALING_MEMBER_STAGE_IN_SERVICE;
	}
	for (const struct instance *i = instance_first_by_account(view.tables, c->alice.account); i;
	     i = instance_next_by_account(view.tables, i))
		n.instances += row_is_live(&i->row);
	for (const struct scaling_activity *a = scaling_activity_first_by_scaling_group(view.tables, group);
	     a; a = scaling_activity_next_by_scaling_group(view.tables, a))
		n.failed += a->status == SCALING_ACTIVITY_STATUS_FAILED;
	return n;
}

struct wanted {
	uuid group;
	size_t members, in_service;
};

static bool is_so(struct cloud *c, const void *arg)
{
	const struct wanted *w = arg;
	struct counted n = count(c, w->group);
	return n.members == w->members && n.in_service == w->in_service;
}

static void await(struct cloud *c, uuid group, size_t members, size_t in_service)
{
	const struct wanted w = {group, members, in_service};
	if (!cloud_step_until(c, is_so, &w, 20 * MINUTE)) {
		assert_int_equal(count(c, group).members, members);
		assert_int_equal(count(c, group).in_service, in_service);
	}
}

/* ---- calls ---- */

static struct result create(struct cloud *c, int64_t desired, int64_t max, uuid *ret_group)
{
	struct launch_configuration_wish configuration = {
		.name = STR("config"), .data = STR("ImageId=x"), .sent = STR("ImageId=x")};
	if (uuid_is_none(configuration_of(c))) {
		struct result made =
			cloud_call(c, &c->alice, engine_create_launch_configuration_run, &configuration);
		if (!result_is_ok(made))
			return made;
	}
	AUTO_VIEW view = {0};
	struct ref subnet = {0};
	{
		view_open(c->store, &view);
		const struct subnet *s = subnet_first_by_router(view.tables, c->router);
		subnet = cloud_ref(c, KIND_SUBNET, s->row.id);
		view_close(&view);
	}
	struct scaling_group_wish wish = {
		.name = STR("web"),
		.settings = {.min = {true, 0},
			     .max = {true, max},
			     .desired = {true, desired},
			     .has_source = true,
			     .has_places = true,
			     .launch_configuration =
				     cloud_ref(c, KIND_LAUNCH_CONFIGURATION, configuration_of(c)),
			     .on_demand_percent = 100,
			     .subnets = {&subnet, 1}}};
	struct result result = cloud_call(c, &c->alice, engine_create_scaling_group_run, &wish);
	*ret_group = wish.group;
	return result;
}

static uuid make(struct cloud *c, int64_t desired, int64_t max)
{
	uuid group = UUID_NONE;
	assert_int_equal(create(c, desired, max, &group).code, ERR_NONE);
	return group;
}

static void set_desired(struct cloud *c, uuid group, int64_t desired)
{
	struct scaling_desired wish = {.group = cloud_ref(c, KIND_SCALING_GROUP, group), .desired = desired};
	cloud_ok(c, &c->alice, engine_set_scaling_desired, &wish);
}

static void delete_group(struct cloud *c, uuid group)
{
	struct scaling_group_target wish = {.group = cloud_ref(c, KIND_SCALING_GROUP, group),
					    .is_forced = true};
	cloud_ok(c, &c->alice, engine_delete_scaling_group, &wish);
}

static void fails(struct cloud *c, op_run run, void *wish, enum err err)
{
	assert_int_equal(cloud_call(c, &c->alice, run, wish).code, err);
}

/* ---- stories ---- */

static void keeps_its_size(struct cloud *c)
{
	begin(c);
	uuid id = make(c, 3, 4);
	await(c, id, 3, 3);
	cloud_terminate(c, count(c, id).first);
	await(c, id, 3, 3);
	set_desired(c, id, 1);
	await(c, id, 1, 1);
	struct scaling_desired wish = {.group = cloud_ref(c, KIND_SCALING_GROUP, id), .desired = 5};
	fails(c, engine_set_scaling_desired_run, &wish, ERR_INVALID);
	delete_group(c, id);
	await(c, id, 0, 0);
	cloud_settle(c);
	assert_int_equal(cloud_count(c, KIND_SCALING_GROUP), 0);
	assert_int_equal(cloud_count(c, KIND_SCALING_ACTIVITY), 0);
	assert_int_equal(count(c, id).instances, 0);
}
TEST_STORY(keeps_its_size, 1)

/* A launch without room is a failed activity, and is repeated later. */
static void waits_for_room(struct cloud *c)
{
	begin(c);
	uuid id = make(c, 6, 6);
	await(c, id, 4, 4);
	cloud_step_for(c, SECOND);
	assert_true(count(c, id).failed > 0);
	assert_true(group_now(c, id).tries > 0);
	set_desired(c, id, 4);
	cloud_settle(c);
	assert_int_equal(count(c, id).members, 4);
}
TEST_STORY(waits_for_room, 1)

static void stands_by(struct cloud *c)
{
	begin(c);
	uuid id = make(c, 2, 3);
	await(c, id, 2, 2);
	struct ref instance = cloud_ref(c, KIND_INSTANCE, count(c, id).first);
	struct scaling_instances wish = {.group = cloud_ref(c, KIND_SCALING_GROUP, id),
					 .instances = {&instance, 1},
					 .decrements = true};
	fails(c, engine_exit_scaling_standby_run, &wish, ERR_STATE);
	cloud_ok(c, &c->alice, engine_enter_scaling_standby, &wish);
	cloud_settle(c);
	assert_int_equal(count(c, id).in_service, 1);
	assert_int_equal(group_now(c, id).desired, 1);
	wish.activities = (struct uuids){0};
	cloud_ok(c, &c->alice, engine_exit_scaling_standby, &wish);
	cloud_settle(c);
	assert_int_equal(count(c, id).in_service, 2);
	cloud_ok(c, &c->alice, engine_detach_scaling_instances, &wish);
	cloud_settle(c);
	assert_int_equal(count(c, id).members, 1);
	assert_int_equal(count(c, id).instances, 2);
	wish.instances.count = 1;
	cloud_ok(c, &c->alice, engine_attach_scaling_instances, &wish);
	cloud_settle(c);
	assert_int_equal(count(c, id).in_service, 2);
	assert_int_equal(group_now(c, id).desired, 2);
	wish.decrements = false;
	cloud_ok(c, &c->alice, engine_enter_scaling_standby, &wish);
	cloud_settle(c);
	assert_int_equal(count(c, id).members, 3); /* another one takes its place */
	wish.decrements = true;
	cloud_ok(c, &c->alice, engine_detach_scaling_instances, &wish);
	cloud_settle(c);
	assert_int_equal(group_now(c, id).desired, 1); /* the call says so, although it did not count */
	assert_int_equal(count(c, id).members, 1);
}
TEST_STORY(stands_by, 1)

/* A launch waits for its hook; abandoned, it is terminated and repeated. */
static void waits_for_hooks(struct cloud *c)
{
	begin(c);
	uuid id = make(c, 0, 2);
	struct scaling_hook_wish hook = {.group = cloud_ref(c, KIND_SCALING_GROUP, id),
					 .name = STR("ready"),
					 .has_transition = true,
					 .timeout_s = {true, 60},
					 .abandons = CHOICE_NO};
	cloud_ok(c, &c->alice, engine_put_scaling_hook, &hook);
	set_desired(c, id, 1);
	await(c, id, 1, 0);
	cloud_await(c, count(c, id).first, INSTANCE_RUNNING);
	cloud_step_for(c, SECOND);
	struct scaling_hook_target done = {.group = hook.group,
					   .name = STR("ready"),
					   .instance = cloud_ref(c, KIND_INSTANCE, count(c, id).first)};
	struct scaling_hook_target other = done;
	other.name = STR("other");
	fails(c, engine_complete_scaling_hook_run, &other, ERR_NOT_FOUND);
	cloud_ok(c, &c->alice, engine_complete_scaling_hook, &done);
	await(c, id, 1, 1);
	fails(c, engine_complete_scaling_hook_run, &done, ERR_STATE);
	set_desired(c, id, 2);
	await(c, id, 2, 2); /* its timeout continues */
}
TEST_STORY(waits_for_hooks, 1)

/* ---- warm pools ---- */

static void put_pool(struct cloud *c, uuid group, int64_t min, bool reuses)
{
	struct scaling_pool_wish wish = {.group = cloud_ref(c, KIND_SCALING_GROUP, group),
					 .min = {true, min},
					 .max = {true, 0},
					 .reuses = reuses ? CHOICE_YES : CHOICE_NO};
	cloud_ok(c, &c->alice, engine_put_scaling_pool, &wish);
}

struct pooled {
	size_t ready, warm, drawn;
	uuid one; /* instance of a ready member */
	uuid serving;
};

static struct pooled count_pool(struct cloud *c, uuid group)
{
	struct pooled n = {0};
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	for (const struct scaling_member *m = scaling_member_first_by_scaling_group(view.tables, group); m;
	     m = scaling_member_next_by_scaling_group(view.tables, m)) {
		bool is_ready = m->stage == SCALING_MEMBER_STAGE_WARMED_STOPPED;
		n.ready += is_ready;
		n.one = is_ready ? m->instance : n.one;
		n.serving = m->stage == SCALING_MEMBER_STAGE_IN_SERVICE ? m->instance : n.serving;
		n.warm += m->pool == SCALING_MEMBER_POOL_WARM;
		n.drawn += m->pool == SCALING_MEMBER_POOL_DRAWN;
	}
	return n;
}

struct pool_wanted {
	uuid group;
	size_t in_service, ready, warm;
};

static bool is_pool_so(struct cloud *c, const void *arg)
{
	const struct pool_wanted *w = arg;
	struct pooled n = count_pool(c, w->group);
	return count(c, w->group).in_service == w->in_service && n.ready == w->ready && n.warm == w->warm;
}

static void await_pool(struct cloud *c, uuid group, size_t in_service, size_t ready, size_t warm)
{
	const struct pool_wanted w = {group, in_service, ready, warm};
	if (!cloud_step_until(c, is_pool_so, &w, 20 * MINUTE)) {
		assert_int_equal(count(c, group).in_service, in_service);
		assert_int_equal(count_pool(c, group).ready, ready);
		assert_int_equal(count_pool(c, group).warm, warm);
	}
}

/* The pool's instances are stopped; a greater group takes them, and a smaller one gives them back. */
static void has_warm_pool(struct cloud *c)
{
	begin(c);
	uuid id = make(c, 1, 4);
	put_pool(c, id, 2, true);
	await_pool(c, id, 1, 2, 2);
	uuid first = count_pool(c, id).one;
	cloud_await(c, first, INSTANCE_STOPPED);
	struct scaling_instances one = {.group = cloud_ref(c, KIND_SCALING_GROUP, id)};
	struct ref instance = cloud_ref(c, KIND_INSTANCE, first);
	one.instances = (struct refs){&instance, 1};
	fails(c, engine_terminate_scaling_instance_run, &one, ERR_STATE);
	set_desired(c, id, 2);
	await_pool(c, id, 2, 2, 2);
	assert_int_equal(count_pool(c, id).drawn, 1);
	assert_int_equal(count(c, id).instances, 4);
	size_t launched = cloud_count(c, KIND_INSTANCE);
	put_pool(c, id, 3, true); /* room for the one that comes back */
	set_desired(c, id, 1);
	await_pool(c, id, 1, 3, 3);
	assert_int_equal(cloud_count(c, KIND_INSTANCE), launched);
	put_pool(c, id, 1, true);
	await_pool(c, id, 1, 1, 1);
	struct scaling_pool_target gone = {.group = one.group};
	cloud_ok(c, &c->alice, engine_delete_scaling_pool, &gone);
	await_pool(c, id, 1, 0, 0);
	cloud_settle(c);
	assert_false(group_now(c, id).has_pool);
	fails(c, engine_delete_scaling_pool_run, &gone, ERR_STATE);
}
TEST_STORY(has_warm_pool, 1)

/* An instance of the pool that somebody starts or terminates is replaced. */
static void replaces_warm(struct cloud *c)
{
	begin(c);
	uuid id = make(c, 0, 2);
	put_pool(c, id, 1, false);
	await_pool(c, id, 0, 1, 1);
	uuid first = count_pool(c, id).one;
	assert_int_equal(cloud_power(c, engine_terminate_instances_run, first, false).code, ERR_NONE);
	await_pool(c, id, 0, 0, 1);
	await_pool(c, id, 0, 1, 1);
	uuid second = count_pool(c, id).one;
	assert_false(uuid_equal(first, second));
	assert_int_equal(cloud_power(c, engine_start_instances_run, second, false).code, ERR_NONE);
	await_pool(c, id, 0, 0, 1);
	await_pool(c, id, 0, 1, 1);
	assert_false(uuid_equal(second, count_pool(c, id).one));
}
TEST_STORY(replaces_warm, 1)

/* A pool that finds no room for itself does not keep its instances from the group. */
static void draws_while_pool_is_short(struct cloud *c)
{
	begin(c);
	uuid id = make(c, 3, 5);
	await(c, id, 3, 3);
	put_pool(c, id, 2, false);
	await_pool(c, id, 3, 1, 1);
	cloud_step_for(c, 5 * MINUTE);
	assert_true(group_now(c, id).pool_tries > 1);
	assert_int_equal(group_now(c, id).tries, 0);
	uuid lost = count_pool(c, id).serving;
	assert_int_equal(cloud_power(c, engine_terminate_instances_run, lost, false).code, ERR_NONE);
	cloud_step_for(c, 5 * MINUTE);
	await_pool(c, id, 3, 1, 1);
	assert_int_equal(count_pool(c, id).drawn, 1);
	put_pool(c, id, 0, false);
	await_pool(c, id, 3, 0, 0);
}
TEST_STORY(draws_while_pool_is_short, 1)

static void adjusts(struct cloud *c)
{
	const struct scaling_group g = {.min_size = 1, .max_size = 20, .desired = 10};
	(void) c;
	assert_int_equal(engine_adjust_scaling(&g, SCALING_POLICY_ADJUSTMENT_CHANGE, 3, 0), 13);
	assert_int_equal(engine_adjust_scaling(&g, SCALING_POLICY_ADJUSTMENT_CHANGE, -30, 0), 1);
	assert_int_equal(engine_adjust_scaling(&g, SCALING_POLICY_ADJUSTMENT_EXACT, 5, 0), 5);
	assert_int_equal(engine_adjust_scaling(&g, SCALING_POLICY_ADJUSTMENT_EXACT, 50, 0), 20);
	assert_int_equal(engine_adjust_scaling(&g, SCALING_POLICY_ADJUSTMENT_PERCENT, 25, 0), 12);
	assert_int_equal(engine_adjust_scaling(&g, SCALING_POLICY_ADJUSTMENT_PERCENT, 5, 0), 11);
	assert_int_equal(engine_adjust_scaling(&g, SCALING_POLICY_ADJUSTMENT_PERCENT, -5, 0), 9);
	assert_int_equal(engine_adjust_scaling(&g, SCALING_POLICY_ADJUSTMENT_PERCENT, -5, 3), 7);
}
TEST_STORY(adjusts, 1)

/* ---- instance refreshes ---- */

static struct scaling_refresh refresh_now(struct cloud *c)
{
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	struct scaling_refresh found = {0};
	for (const struct scaling_refresh *r = scaling_refresh_first(view.tables); r;
	     r = scaling_refresh_next(view.tables, r))
		if (r->row.created_us >= found.row.created_us)
			found = *r;
	return found;
}

static bool has_status(struct cloud *c, const void *arg)
{
	return refresh_now(c).status == *(const enum scaling_refresh_status *) arg;
}

static void await_status(struct cloud *c, enum scaling_refresh_status status, int64_t within_us)
{
	if (!cloud_step_until(c, has_status, &status, within_us))
		assert_int_equal(refresh_now(c).status, status);
}

/* Number of instances in service that the newest refresh launched. */
static size_t count_new(struct cloud *c, uuid group)
{
	uuid refresh = refresh_now(c).row.id;
	size_t n = 0;
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	for (const struct scaling_member *m = scaling_member_first_by_scaling_group(view.tables, group); m;
	     m = scaling_member_next_by_scaling_group(view.tables, m))
		n += m->stage == SCALING_MEMBER_STAGE_IN_SERVICE && uuid_equal(m->refresh, refresh);
	return n;
}

static struct scaling_refresh_wish refresh_wish(struct cloud *c, uuid group, int64_t min_healthy)
{
	return (struct scaling_refresh_wish){
		.group = cloud_ref(c, KIND_SCALING_GROUP, group),
		.row = {.min_healthy = min_healthy, .warmup_s = 60, .bake_s = -1}};
}

struct bounds {
	uuid group;
	size_t least, most; /* instances in service, and members that count */
	enum scaling_refresh_status until;
	bool is_broken;
};

/* Looks after each step that the group is neither too small nor too large. */
static bool keeps_bounds(struct cloud *c, const void *arg)
{
	struct bounds *b = (struct bounds *) arg;
	size_t serving = 0, counted = 0;
	bool is_over = refresh_now(c).status == b->until;
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	for (const struct scaling_member *m = scaling_member_first_by_scaling_group(view.tables, b->group); m;
	     m = scaling_member_next_by_scaling_group(view.tables, m)) {
		serving += m->stage == SCALING_MEMBER_STAGE_IN_SERVICE;
		counted += scaling_member_counts(m);
	}
	b->is_broken |= serving < b->least || counted > b->most;
	return b->is_broken || is_over;
}

static void await_within(struct cloud *c, struct bounds b)
{
	assert_true(cloud_step_until(c, keeps_bounds, &b, 40 * MINUTE));
	assert_false(b.is_broken);
}

/* Below 100 percent instances go before others come; at 100 percent one is launched ahead. */
static void refreshes(struct cloud *c)
{
	begin(c);
	uuid id = make(c, 3, 4);
	await(c, id, 3, 3);
	struct scaling_refresh_wish wish = refresh_wish(c, id, 90);
	cloud_ok(c, &c->alice, engine_start_scaling_refresh, &wish);
	fails(c, engine_start_scaling_refresh_run, &wish, ERR_CONFLICT);
	await_within(c, (struct bounds){id, 2, 3, SCALING_REFRESH_STATUS_SUCCESSFUL, false});
	assert_int_equal(refresh_now(c).percent, 100);
	assert_int_equal(refresh_now(c).total, 3);
	assert_int_equal(refresh_now(c).remaining, 0);
	assert_int_equal(count_new(c, id), 3);
	struct scaling_refresh_target target = {.group = wish.group};
	fails(c, engine_cancel_scaling_refresh_run, &target, ERR_NOT_FOUND);
	fails(c, engine_roll_back_scaling_refresh_run, &target, ERR_NOT_FOUND);
	wish = refresh_wish(c, id, 100);
	cloud_ok(c, &c->alice, engine_start_scaling_refresh, &wish);
	await_within(c, (struct bounds){id, 3, 4, SCALING_REFRESH_STATUS_SUCCESSFUL, false});
	assert_int_equal(count_new(c, id), 3);
	cloud_settle(c);
	assert_int_equal(count(c, id).instances, 3);
}
TEST_STORY(refreshes, 1)

/* A checkpoint is a pause; the last one ends the refresh, although instances are left. */
static void pauses(struct cloud *c)
{
	static const struct str at[] = {{"25", 2}, {"50", 2}};
	begin(c);
	uuid id = make(c, 4, 4);
	await(c, id, 4, 4);
	struct scaling_refresh_wish wish = refresh_wish(c, id, 50);
	wish.row.checkpoints = (struct strs){at, 2};
	wish.row.checkpoint_s = 1800;
	wish.row.bake_s = 600;
	cloud_ok(c, &c->alice, engine_start_scaling_refresh, &wish);
	cloud_step_for(c, 20 * MINUTE);
	assert_int_equal(refresh_now(c).why, SCALING_REFRESH_WHY_CHECKPOINT);
	assert_int_equal(refresh_now(c).percent, 25);
	assert_int_equal(count_new(c, id), 1);
	await_status(c, SCALING_REFRESH_STATUS_BAKING, 40 * MINUTE);
	assert_int_equal(count_new(c, id), 2);
	await_status(c, SCALING_REFRESH_STATUS_SUCCESSFUL, 20 * MINUTE);
	assert_int_equal(refresh_now(c).percent, 50);
	assert_int_equal(refresh_now(c).remaining, 2);
	assert_int_equal(count_new(c, id), 2);
}
TEST_STORY(pauses, 1)

/* A protected instance is waited for, for an hour; ignored it stays. Standby instances likewise. */
static void waits_for_protected(struct cloud *c)
{
	begin(c);
	uuid id = make(c, 2, 3);
	await(c, id, 2, 2);
	struct ref instance = cloud_ref(c, KIND_INSTANCE, count(c, id).first);
	struct scaling_instances protection = {.group = cloud_ref(c, KIND_SCALING_GROUP, id),
					       .instances = {&instance, 1},
					       .is_protected = true};
	cloud_ok(c, &c->alice, engine_set_scaling_protection, &protection);
	struct scaling_refresh_wish wish = refresh_wish(c, id, 50);
	cloud_ok(c, &c->alice, engine_start_scaling_refresh, &wish);
	cloud_step_for(c, 30 * MINUTE);
	assert_int_equal(refresh_now(c).why, SCALING_REFRESH_WHY_PROTECTED);
	await_status(c, SCALING_REFRESH_STATUS_FAILED, 60 * MINUTE);
	assert_int_equal(refresh_now(c).why, SCALING_REFRESH_WHY_NO_PROGRESS);
	assert_int_equal(refresh_now(c).percent, 50);
	wish.row.protected = SCALING_REFRESH_PROTECTED_IGNORE;
	cloud_ok(c, &c->alice, engine_start_scaling_refresh, &wish);
	await_status(c, SCALING_REFRESH_STATUS_SUCCESSFUL, 30 * MINUTE);
	assert_int_equal(count_new(c, id), 1);
	protection.is_protected = false;
	cloud_ok(c, &c->alice, engine_set_scaling_protection, &protection);
	struct scaling_instances move = {.group = protection.group, .instances = {&instance, 1}};
	cloud_ok(c, &c->alice, engine_enter_scaling_standby, &move);
	await(c, id, 3, 2);
	wish.row.standby = SCALING_REFRESH_STANDBY_TERMINATE;
	cloud_ok(c, &c->alice, engine_start_scaling_refresh, &wish);
	await_status(c, SCALING_REFRESH_STATUS_SUCCESSFUL, 30 * MINUTE);
	await(c, id, 2, 2);
	assert_int_equal(count_new(c, id), 2);
}
TEST_STORY(waits_for_protected, 1)

/* Cancelled, the refresh leaves what it replaced, and no instance too many; suspended, it rests. */
static void is_cancelled(struct cloud *c)
{
	begin(c);
	uuid id = make(c, 3, 4);
	await(c, id, 3, 3);
	static const struct str process = {"Terminate", 9};
	struct scaling_processes suspended = {.group = cloud_ref(c, KIND_SCALING_GROUP, id),
					      .processes = {&process, 1}};
	cloud_ok(c, &c->alice, engine_suspend_scaling, &suspended);
	struct scaling_refresh_wish wish = refresh_wish(c, id, 100);
	cloud_ok(c, &c->alice, engine_start_scaling_refresh, &wish);
	cloud_step_for(c, 10 * MINUTE);
	assert_int_equal(refresh_now(c).why, SCALING_REFRESH_WHY_SUSPENDED);
	assert_int_equal(count(c, id).members, 3);
	cloud_ok(c, &c->alice, engine_resume_scaling, &suspended);
	await(c, id, 4, 4);
	struct scaling_refresh_target target = {.group = wish.group};
	fails(c, engine_roll_back_scaling_refresh_run, &target, ERR_STATE);
	cloud_ok(c, &c->alice, engine_cancel_scaling_refresh, &target);
	await_status(c, SCALING_REFRESH_STATUS_CANCELLED, 20 * MINUTE);
	await(c, id, 3, 3);
	assert_int_equal(count_new(c, id), 1);
	cloud_ok(c, &c->alice, engine_start_scaling_refresh, &wish);
	delete_group(c, id);
	assert_int_equal(refresh_now(c).why, SCALING_REFRESH_WHY_DELETED);
	cloud_settle(c);
	assert_int_equal(cloud_count(c, KIND_SCALING_REFRESH), 0);
}
TEST_STORY(is_cancelled, 1)

/* ---- kills ---- */

static bool is_complete(struct cloud *c, const void *arg)
{
	struct counted n = count(c, *(const uuid *) arg);
	return n.members == 2 && n.in_service == 2;
}

/* Creates a group, loses an instance, and has another one in its place; false: the process died. */
static bool tell_life(struct cloud *c, uuid *group, bool *has_lost)
{
	if (!cloud_count(c, KIND_SCALING_GROUP) && !cloud_was_answered(c, create(c, 2, 2, group)))
		return false;
	{
		AUTO_VIEW view = {0};
		view_open(c->store, &view);
		*group = scaling_group_first_by_account(view.tables, c->alice.account)->row.id;
	}
	if (!cloud_step_until(c, is_complete, group, 20 * MINUTE) || !cloud_lived_to_settle(c))
		return false;
	if (!*has_lost) {
		uuid lost = count(c, *group).first;
		if (!cloud_was_answered(c, cloud_power(c, engine_terminate_instances_run, lost, false)))
			return false;
		*has_lost = true;
	}
	return cloud_step_until(c, is_complete, group, 20 * MINUTE) && cloud_lived_to_settle(c);
}

/* Killed after each of its steps, the group has its size afterwards, and never an instance without a member. */
static void test_survives_kills(void **state)
{
	(void) state;
	uint64_t steps = 0;
	for (uint64_t at = 0; at <= steps; at += at < 40 ? 1 : 7) {
		struct cloud *c = cloud_new(3, 1);
		uuid group = UUID_NONE;
		bool has_lost = false;
		begin(c);
		c->kill_at = at ? c->steps + at : 0;
		uint64_t before = c->steps;
		while (!tell_life(c, &group, &has_lost)) {
			assert_true(cloud_was_killed(c));
			c->kill_at = 0;
			cloud_restart(c);
		}
		if (!at)
			steps = c->steps - before;
		assert_int_equal(cloud_count(c, KIND_SCALING_GROUP), 1);
		assert_int_equal(count(c, group).members, 2);
		assert_int_equal(count(c, group).instances, 2);
		cloud_done(c);
	}
	assert_true(steps > 20);
}

/* Starts a refresh, and waits for its end; false: the process died. */
static bool tell_refresh(struct cloud *c, uuid *group, bool *has_begun)
{
	const enum scaling_refresh_status done = SCALING_REFRESH_STATUS_SUCCESSFUL;
	bool has_lost = true;
	if (!*has_begun && !tell_life(c, group, &has_lost))
		return false;
	struct scaling_refresh_wish wish = refresh_wish(c, *group, 100);
	if (!cloud_count(c, KIND_SCALING_REFRESH) &&
	    !cloud_was_answered(c, cloud_call(c, &c->alice, engine_start_scaling_refresh_run, &wish)))
		return false;
	*has_begun = true;
	struct bounds b = {*group, 0, 3, done, false};
	bool is_over = cloud_step_until(c, keeps_bounds, &b, 60 * MINUTE);
	assert_false(b.is_broken);
	return is_over && cloud_lived_to_settle(c);
}

/* Killed after each of its steps, a refresh replaces each instance once, and launches never more than one ahead. */
static void test_refresh_survives_kills(void **state)
{
	(void) state;
	uint64_t steps = 0;
	for (uint64_t at = 0; at <= steps; at += at < 60 ? 1 : 5) {
		struct cloud *c = cloud_new(3, 1);
		uuid group = UUID_NONE;
		bool has_lost = true, has_begun = false;
		begin(c);
		assert_true(tell_life(c, &group, &has_lost));
		uint64_t before = c->steps;
		c->kill_at = at ? c->steps + at : 0;
		while (!tell_refresh(c, &group, &has_begun)) {
			assert_true(cloud_was_killed(c));
			c->kill_at = 0;
			cloud_restart(c);
		}
		if (!at)
			steps = c->steps - before;
		assert_int_equal(refresh_now(c).status, SCALING_REFRESH_STATUS_SUCCESSFUL);
		assert_int_equal(count_new(c, group), 2);
		assert_int_equal(count(c, group).members, 2);
		assert_int_equal(count(c, group).instances, 2);
		cloud_done(c);
	}
	assert_true(steps > 20);
}

/* ---- scale sets ---- */

/* Creates a set of two machines, or changes its model; upgrades: its machines follow. */
static struct result put_set(struct cloud *c, uuid set, const char *model, bool upgrades, uuid *ret_set)
{
	struct ref subnet = {0};
	{
		AUTO_VIEW view = {0};
		view_open(c->store, &view);
		subnet = cloud_ref(c, KIND_SUBNET, subnet_first_by_router(view.tables, c->router)->row.id);
	}
	struct scale_set_wish wish = {.name = STR("rg/web"),
				      .mode = SCALING_GROUP_MODE_UNIFORM,
				      .has_model = true,
				      .model = str_from(model),
				      .how = upgrades ? SCALE_SET_UPGRADE : SCALE_SET_MANUAL,
				      .upgrade = {.min_healthy = 50, .bake_s = -1, .skips_matching = true}};
	if (uuid_is_none(set))
		wish.settings = (struct scaling_settings){.min = {true, 0},
							  .max = {true, 4},
							  .desired = {true, 2},
							  .has_places = true,
							  .subnets = {&subnet, 1}};
	else
		wish.set = cloud_ref(c, KIND_SCALING_GROUP, set);
	struct result result = cloud_call(c, &c->alice, engine_put_scale_set_run, &wish);
	*ret_set = wish.id;
	return result;
}

/* Number of machines in service with the latest model. */
static size_t count_latest(struct cloud *c, uuid set)
{
	size_t n = 0;
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	const struct scaling_group *g = scaling_group_find(view.tables, set);
	for (const struct scaling_member *m = scaling_member_first_by_scaling_group(view.tables, set); m;
	     m = scaling_member_next_by_scaling_group(view.tables, m))
		n += m->stage == SCALING_MEMBER_STAGE_IN_SERVICE && m->number > 0 &&
		     engine_has_latest_model(view.tables, g, m);
	return n;
}

static void keeps_machines_of_a_set(struct cloud *c)
{
	uuid set = UUID_NONE;
	begin(c);
	assert_int_equal(put_set(c, UUID_NONE, "{}", false, &set).code, ERR_NONE);
	await(c, set, 2, 2);
	uuid first = count(c, set).first;
	assert_int_equal(cloud_power(c, engine_stop_instances_run, first, false).code, ERR_NONE);
	cloud_await(c, first, INSTANCE_STOPPED);
	cloud_step_for(c, MINUTE);
	assert_int_equal(count(c, set).in_service, 2);
	assert_true(uuid_equal(count(c, set).first, first));
	cloud_terminate(c, first);
	await(c, set, 1, 1);
	assert_int_equal(group_now(c, set).desired, 1);
	assert_int_equal(put_set(c, set, "{\"a\":1}", false, &set).code, ERR_NONE);
	cloud_step_for(c, MINUTE);
	assert_int_equal(count_latest(c, set), 0);
	assert_int_equal(cloud_count(c, KIND_LAUNCH_CONFIGURATION), 1);
	struct scaling_group_change change = {.group = cloud_ref(c, KIND_SCALING_GROUP, set),
					      .settings = {.has_source = true}};
	fails(c, engine_update_scaling_group_run, &change, ERR_UNSUPPORTED);
	delete_group(c, set);
	await(c, set, 0, 0);
	cloud_settle(c);
	assert_int_equal(cloud_count(c, KIND_SCALING_GROUP), 0);
	assert_int_equal(cloud_count(c, KIND_LAUNCH_CONFIGURATION), 0);
}
TEST_STORY(keeps_machines_of_a_set, 1)

static bool has_latest(struct cloud *c, const void *arg)
{
	uuid set = *(const uuid *) arg;
	return count_latest(c, set) == 2 && count(c, set).members == 2;
}

/* Changes the model of a set once, and waits for its machines; false: the process died. */
static bool tell_upgrade(struct cloud *c, uuid set, bool *is_put)
{
	uuid same;
	if (!*is_put && !cloud_was_answered(c, put_set(c, set, "{\"a\":2}", true, &same)))
		return false;
	*is_put = true;
	return cloud_step_until(c, has_latest, &set, 60 * MINUTE) && cloud_lived_to_settle(c);
}

/* Killed after each of its steps, an upgrade leaves two machines of the latest model, and one model. */
static void test_upgrade_survives_kills(void **state)
{
	(void) state;
	uint64_t steps = 0;
	for (uint64_t at = 0; at <= steps; at += at < 40 ? 1 : 5) {
		struct cloud *c = cloud_new(3, 1);
		uuid set = UUID_NONE;
		bool is_put = false;
		begin(c);
		assert_int_equal(put_set(c, UUID_NONE, "{}", false, &set).code, ERR_NONE);
		await(c, set, 2, 2);
		cloud_settle(c);
		uint64_t before = c->steps;
		c->kill_at = at ? c->steps + at : 0;
		while (!tell_upgrade(c, set, &is_put)) {
			assert_true(cloud_was_killed(c));
			c->kill_at = 0;
			cloud_restart(c);
			is_put = is_put || cloud_count(c, KIND_SCALING_REFRESH) > 0;
		}
		if (!at)
			steps = c->steps - before;
		assert_int_equal(count(c, set).instances, 2);
		assert_int_equal(cloud_count(c, KIND_LAUNCH_CONFIGURATION), 1);
		cloud_done(c);
	}
	assert_true(steps > 20);
}

/* Fills a warm pool, takes an instance from there into service and gives it back; false: the process died. */
static bool tell_pool(struct cloud *c, uuid *group, int *told_calls)
{
	if (!cloud_count(c, KIND_SCALING_GROUP) && !cloud_was_answered(c, create(c, 1, 3, group)))
		return false;
	{
		AUTO_VIEW view = {0};
		view_open(c->store, &view);
		*group = scaling_group_first_by_account(view.tables, c->alice.account)->row.id;
	}
	struct ref ref = cloud_ref(c, KIND_SCALING_GROUP, *group);
	for (; *told_calls < 3; (*told_calls)++) {
		struct scaling_pool_wish pool = {.group = ref, .reuses = CHOICE_YES};
		struct scaling_desired desired = {.group = ref, .desired = *told_calls == 1 ? 2 : 1};
		const struct pool_wanted w = {*group, (size_t) desired.desired, 3 - (size_t) desired.desired,
					      3 - (size_t) desired.desired};
		struct result called =
			*told_calls ? cloud_call(c, &c->alice, engine_set_scaling_desired_run, &desired)
				    : cloud_call(c, &c->alice, engine_put_scaling_pool_run, &pool);
		if (!cloud_was_answered(c, called) || !cloud_step_until(c, is_pool_so, &w, 20 * MINUTE) ||
		    !cloud_lived_to_settle(c))
			return false;
	}
	return true;
}

/* Killed after each of its steps, group and pool have their sizes, and no instance is launched a second time. */
static void test_pool_survives_kills(void **state)
{
	(void) state;
	uint64_t steps = 0;
	for (uint64_t at = 0; at <= steps; at += at < 40 ? 1 : 7) {
		struct cloud *c = cloud_new(3, 1);
		uuid group = UUID_NONE;
		int told_calls = 0;
		begin(c);
		c->kill_at = at ? c->steps + at : 0;
		uint64_t before = c->steps;
		while (!tell_pool(c, &group, &told_calls)) {
			assert_true(cloud_was_killed(c));
			c->kill_at = 0;
			cloud_restart(c);
		}
		if (!at)
			steps = c->steps - before;
		assert_int_equal(count(c, group).in_service, 1);
		assert_int_equal(count_pool(c, group).ready, 2);
		assert_int_equal(count(c, group).instances, 3);
		assert_int_equal(cloud_count(c, KIND_INSTANCE), 3);
		cloud_done(c);
	}
	assert_true(steps > 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keeps_its_size),
		cmocka_unit_test(test_waits_for_room),
		cmocka_unit_test(test_stands_by),
		cmocka_unit_test(test_waits_for_hooks),
		cmocka_unit_test(test_has_warm_pool),
		cmocka_unit_test(test_replaces_warm),
		cmocka_unit_test(test_draws_while_pool_is_short),
		cmocka_unit_test(test_adjusts),
		cmocka_unit_test(test_survives_kills),
		cmocka_unit_test(test_pool_survives_kills),
		cmocka_unit_test(test_refreshes),
		cmocka_unit_test(test_pauses),
		cmocka_unit_test(test_waits_for_protected),
		cmocka_unit_test(test_is_cancelled),
		cmocka_unit_test(test_refresh_survives_kills),
		cmocka_unit_test(test_keeps_machines_of_a_set),
		cmocka_unit_test(test_upgrade_survives_kills),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
