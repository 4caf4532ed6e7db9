/* SPDX-License-Identifier: Apache-2.0
 * Instances from API call to host and back. Every story runs with many seeds, because the order of turns
 * between committer, hosts and network is arbitrary. */
#include "../cloud/cloud.h"
#include "model/instance.h"
#include "model/instance_task.h"
#include "model/server_group.h"
#include "model/states.h"
#include "store/image.h"

#include <stdio.h>

#include "engine/instance/launch/fleet.h"
#include "engine/instance/placement/server_group.h"
#include "engine/network/filter/address_group.h"
#include "engine/region/dedicated_host.h"
#include "engine/tombstone.h"

enum { SEEDS = 50 };

/* ---- requests of users ---- */

static void launch(struct cloud *c)
{
	uuid id = cloud_launch(c);
	assert_int_equal(cloud_state(c, id), INSTANCE_PENDING);
	cloud_await(c, id, INSTANCE_RUNNING);
	cloud_settle(c);
	struct cloud_guest guest = cloud_guest(c, id);
	assert_true(guest.is_on);
	assert_int_equal(guest.boots, 1);
	assert_true(network_sim_port_is_up(cloud_port_of(c, id)));
}
TEST_STORY(launch, 3)

static void launch_many(struct cloud *c)
{
	struct instance_launch wish = cloud_launch_wish(c, 20);
	cloud_ok(c, &c->alice, engine_create_instances, &wish);
	for (size_t k = 0; k < wish.made.count; k++)
		cloud_await(c, wish.made.at[k], INSTANCE_RUNNING);
	for (size_t k = 0; k < wish.made.count; k += 2)
		cloud_terminate(c, wish.made.at[k]);
	cloud_settle(c);
	for (size_t k = 0; k < wish.made.count; k++)
		assert_int_equal(cloud_guest(c, wish.made.at[k]).boots, k % 2);
}
TEST_STORY(launch_many, 3)

static void stop_start(struct cloud *c)
{
	uuid id = cloud_launch_running(c);
	cloud_stop(c, id);
	assert_int_equal(cloud_state(c, id), INSTANCE_STOPPING);
	cloud_await(c, id, INSTANCE_STOPPED);
	cloud_settle(c);
	assert_false(cloud_guest(c, id).is_on);
	cloud_start(c, id);
	cloud_await(c, id, INSTANCE_RUNNING);
	assert_int_equal(cloud_guest(c, id).boots, 2);
	assert_false(cloud_has_condition(c, id, INSTANCE_RESTARTED));
}
TEST_STORY(stop_start, 2)

/* The host follows the change of account: the guest loses the old account's ports and gets the new one's. */
static void assign(struct cloud *c)
{
	static const struct launch_port plain = {.field = {"networkids", 10}};
	uuid id = cloud_launch_running(c), old_port = cloud_port_of(c, id);
	struct account_wish bob = {.name = STR("bob"), .with_default_router = true};
	cloud_ok(c, NULL, engine_create_account, &bob);
	cloud_stop(c, id);
	cloud_await(c, id, INSTANCE_STOPPED);
	struct instance_assigning wish = {.instance = cloud_ref(c, KIND_INSTANCE, id),
					  .account = bob.account,
					  .ports = &plain,
					  .port_count = 1};
	cloud_ok(c, NULL, engine_assign_instance, &wish);
	cloud_settle(c);
	assert_true(uuid_is_none(cloud_port(c, old_port).network)); /* forgotten */
	uuid port = cloud_port_of(c, id);
	assert_true(uuid_equal(cloud_port(c, port).seen_instance, id));
	c->alice.account = bob.account;
	c->alice.user = bob.user;
	cloud_start(c, id);
	cloud_await(c, id, INSTANCE_RUNNING);
	cloud_settle(c);
	assert_true(network_sim_port_is_up(port));
	assert_int_equal(cloud_guest(c, id).boots, 2);
}
TEST_STORY(assign, 2)

static bool drive_says(struct cloud *c, uuid id, const char *name)
{
	char text[64];
	(void) snprintf(text, sizeof text, "name\n%s\n", name);
	return sim_compute_drive_has(cloud_host_of(c, id), id, text);
}

static void rename_it(struct cloud *c, uuid id, const char *name)
{
	struct instance_settings wish = {
		.instance = cloud_ref(c, KIND_INSTANCE, id), .set_name = true, .name = str_from(name)};
	cloud_ok(c, &c->alice, engine_update_instance, &wish);
	cloud_settle(c);
}

/* The config drive is updated when the guest starts, but not when it resumes. */
static void config_drive(struct cloud *c)
{
	struct instance_launch wish = cloud_launch_wish(c, 1);
	wish.config_drive = true;
	wish.name = STR("first");
	cloud_ok(c, &c->alice, engine_create_instances, &wish);
	uuid id = wish.made.at[0];
	cloud_await(c, id, INSTANCE_RUNNING);
	assert_true(drive_says(c, id, "first"));
	rename_it(c, id, "second");
	assert_true(drive_says(c, id, "first"));
	cloud_ask(c, engine_suspend_instances, id);
	cloud_await(c, id, INSTANCE_SUSPENDED);
	cloud_start(c, id);
	cloud_await(c, id, INSTANCE_RUNNING);
	assert_true(drive_says(c, id, "first"));
	cloud_stop(c, id);
	cloud_await(c, id, INSTANCE_STOPPED);
	cloud_start(c, id);
	cloud_await(c, id, INSTANCE_RUNNING);
	assert_true(drive_says(c, id, "second"));
}
TEST_STORY(config_drive, 1)

/* A guest that is deaf is forced off when its time is over, and not before. */
static void stop_deaf(struct cloud *c)
{
	uuid id = cloud_launch_running(c);
	sim_compute_set_deaf(cloud_host_of(c, id), true);
	cloud_stop(c, id);
	cloud_step_for(c, CLOUD_GRACE_US - SECOND);
	assert_int_equal(cloud_state(c, id), INSTANCE_STOPPING);
	assert_true(cloud_guest(c, id).is_on);
	cloud_step_for(c, 2 * SECOND);
	assert_int_equal(cloud_state(c, id), INSTANCE_STOPPED);
}
TEST_STORY(stop_deaf, 1)

static void stop_by_force(struct cloud *c)
{
	uuid id = cloud_launch_running(c);
	sim_compute_set_deaf(cloud_host_of(c, id), true);
	cloud_stop(c, id);
	cloud_step_for(c, SECOND);
	cloud_expect_at(c, cloud_power(c, engine_stop_instances_run, id, true), __FILE__, __LINE__);
	cloud_step_for(c, SECOND);
	assert_int_equal(cloud_state(c, id), INSTANCE_STOPPED);
}
TEST_STORY(stop_by_force, 1)

/* The guest takes its time, and is not forced while it has some. */
static void stop_slowly(struct cloud *c)
{
	uuid id = cloud_launch_running(c);
	sim_compute_set_shutdown_us(cloud_host_of(c, id), 12 * SECOND);
	cloud_stop(c, id);
	int64_t asked_us = clock_now_us();
	cloud_await(c, id, INSTANCE_STOPPED);
	assert_true(clock_now_us() - asked_us >= 12 * SECOND);
	assert_true(clock_now_us() - asked_us < CLOUD_GRACE_US);
}
TEST_STORY(stop_slowly, 1)

static void reboot(struct cloud *c)
{
	uuid id = cloud_launch_running(c);
	cloud_reboot(c, id);
	cloud_settle(c);
	assert_int_equal(cloud_guest(c, id).boots, 2);
	cloud_reboot(c, id);
	cloud_reboot(c, id);
	cloud_settle(c);
	assert_true(cloud_guest(c, id).boots == 3 || cloud_guest(c, id).boots == 4);
	assert_int_equal(cloud_state(c, id), INSTANCE_RUNNING);
}
TEST_STORY(reboot, 1)

static void pause_and_go_on(struct cloud *c)
{
	uuid id = cloud_launch_running(c);
	cloud_ask(c, engine_pause_instances, id);
	cloud_await(c, id, INSTANCE_PAUSED);
	cloud_settle(c);
	assert_true(cloud_guest(c, id).is_on && cloud_guest(c, id).is_paused);
	cloud_step_for(c, CLOUD_RESYNC_US + CLOUD_HOST_INTERVAL_US);
	assert_true(cloud_guest(c, id).is_paused);
	cloud_ask(c, engine_unpause_instances, id);
	cloud_await(c, id, INSTANCE_RUNNING);
	cloud_settle(c);
	assert_false(cloud_guest(c, id).is_paused);
	assert_int_equal(cloud_guest(c, id).boots, 1);
}
TEST_STORY(pause_and_go_on, 1)

/* A paused guest hears nothing: it goes on first. */
static void stop_paused(struct cloud *c)
{
	uuid id = cloud_launch_running(c);
	cloud_ask(c, engine_pause_instances, id);
	cloud_await(c, id, INSTANCE_PAUSED);
	int64_t asked_us = clock_now_us();
	cloud_stop(c, id);
	cloud_await(c, id, INSTANCE_STOPPED);
	assert_true(clock_now_us() - asked_us < CLOUD_GRACE_US);
	cloud_start(c, id);
	cloud_await(c, id, INSTANCE_RUNNING);
	cloud_ask(c, engine_pause_instances, id);
	cloud_await(c, id, INSTANCE_PAUSED);
	cloud_reboot(c, id);
	cloud_settle(c);
	assert_int_equal(cloud_state(c, id), INSTANCE_RUNNING);
	assert_int_equal(cloud_guest(c, id).boots, 3);
}
TEST_STORY(stop_paused, 1)

/* The saved memory outlives restarts of Dari and of the host. */
static void suspend_and_resume(struct cloud *c)
{
	uuid id = cloud_launch_running(c);
	cloud_ask(c, engine_suspend_instances, id);
	cloud_await(c, id, INSTANCE_SUSPENDED);
	cloud_settle(c);
	assert_false(cloud_guest(c, id).is_on);
	sim_compute_reboot(cloud_host_of(c, id));
	cloud_restart(c);
	cloud_step_for(c, CLOUD_HOST_INTERVAL_US);
	cloud_settle(c);
	assert_int_equal(cloud_state(c, id), INSTANCE_SUSPENDED);
	cloud_start(c, id);
	cloud_await(c, id, INSTANCE_RUNNING);
	assert_int_equal(cloud_guest(c, id).boots, 1);
	cloud_ask(c, engine_suspend_instances, id);
	cloud_await(c, id, INSTANCE_SUSPENDED);
	cloud_terminate(c, id);
	cloud_await(c, id, INSTANCE_TERMINATED);
}
TEST_STORY(suspend_and_resume, 1)

/* ---- another size, another root disk ---- */

static RESULT resize(struct cloud *c, uuid id, const char *type)
{
	struct instance_resizing wish = {.instance = cloud_ref(c, KIND_INSTANCE, id),
					 .type = {.kind = KIND_INSTANCE_TYPE, .text = str_from(type)}};
	return cloud_call(c, &c->alice, engine_resize_instance_run, &wish);
}

static bool is_resized(struct cloud *c, const void *id)
{
	struct instance i = cloud_instance(c, *(const uuid *) id);
	return model_is_resized(&i);
}

static void resize_running(struct cloud *c)
{
	uuid id = cloud_launch_running(c);
	struct instance_target target = {.instance = cloud_ref(c, KIND_INSTANCE, id)};
	cloud_expect_at(c, resize(c, id, "t3.large"), __FILE__, __LINE__);
	assert_true(cloud_step_until(c, is_resized, &id, 2 * MINUTE));
	cloud_settle(c);
	assert_int_equal(cloud_guest(c, id).boots, 2);
	assert_int_equal(cloud_instance(c, id).memory, 8 * CLOUD_GIB);
	cloud_ok(c, &c->alice, engine_revert_resize, &target);
	cloud_settle(c);
	assert_int_equal(cloud_guest(c, id).boots, 3);
	assert_int_equal(cloud_instance(c, id).memory, CLOUD_GIB);
	cloud_expect_at(c, resize(c, id, "t3.large"), __FILE__, __LINE__);
	assert_true(cloud_step_until(c, is_resized, &id, 2 * MINUTE));
	cloud_ok(c, &c->alice, engine_confirm_resize, &target);
	cloud_settle(c);
	assert_int_equal(cloud_guest(c, id).boots, 4);
	assert_int_equal(cloud_state(c, id), INSTANCE_RUNNING);
}
TEST_STORY(resize_running, 1)

/* A deaf one is forced off when its time is over: a reset would keep the old size. */
static void resize_deaf(struct cloud *c)
{
	uuid id = cloud_launch_running(c);
	sim_compute_set_deaf(cloud_host_of(c, id), true);
	cloud_expect_at(c, resize(c, id, "t3.large"), __FILE__, __LINE__);
	cloud_step_for(c, CLOUD_GRACE_US - SECOND);
	assert_false(is_resized(c, &id));
	cloud_step_for(c, 2 * SECOND);
	assert_true(is_resized(c, &id));
	assert_int_equal(cloud_guest(c, id).boots, 2);
	assert_false(cloud_has_condition(c, id, INSTANCE_RESTARTED));
}
TEST_STORY(resize_deaf, 1)

static void resize_stopped(struct cloud *c)
{
	uuid id = cloud_launch_running(c);
	cloud_stop(c, id);
	cloud_await(c, id, INSTANCE_STOPPED);
	cloud_expect_at(c, resize(c, id, "t3.small"), __FILE__, __LINE__);
	assert_true(cloud_step_until(c, is_resized, &id, MINUTE));
	assert_false(cloud_guest(c, id).is_on);
}
TEST_STORY(resize_stopped, 1)

static void rebuild(struct cloud *c)
{
	uuid id = cloud_launch_running(c), old = cloud_volume_of(c, id), port = cloud_port_of(c, id);
	struct instance_rebuilding wish = {.instance = cloud_ref(c, KIND_INSTANCE, id),
					   .image = cloud_ref(c, KIND_IMAGE, c->image)};
	sim_compute_write_disk(cloud_host_of(c, id), old, "old");
	cloud_ok(c, &c->alice, engine_rebuild_instance, &wish);
	struct instance i = cloud_instance(c, id);
	assert_int_equal(model_derive_instance_task(&i), INSTANCE_TASK_REBUILD);
	cloud_settle(c);
	assert_int_equal(cloud_state(c, id), INSTANCE_RUNNING);
	assert_int_equal(cloud_guest(c, id).boots, 2);
	assert_false(uuid_equal(cloud_volume_of(c, id), old));
	assert_true(uuid_equal(cloud_port_of(c, id), port));
	assert_int_equal(cloud_count(c, KIND_VOLUME), 1);
	assert_false(cloud_has_condition(c, id, INSTANCE_RESTARTED));
	cloud_stop(c, id);
	cloud_await(c, id, INSTANCE_STOPPED);
	cloud_ok(c, &c->alice, engine_rebuild_instance, &wish);
	cloud_settle(c);
	assert_false(cloud_guest(c, id).is_on); /* a stopped one stays off */
	assert_int_equal(cloud_count(c, KIND_VOLUME), 1);
}
TEST_STORY(rebuild, 1)

static void rescue(struct cloud *c)
{
	uuid id = cloud_launch_running(c), root = cloud_volume_of(c, id);
	struct instance_rescuing wish = {.instance = cloud_ref(c, KIND_INSTANCE, id)};
	struct instance_target target = {.instance = wish.instance};
	cloud_ok(c, &c->alice, engine_rescue_instance, &wish);
	struct instance i = cloud_instance(c, id);
	assert_int_equal(model_derive_instance_task(&i), INSTANCE_TASK_RESCUE);
	cloud_settle(c);
	i = cloud_instance(c, id);
	assert_int_equal(cloud_state(c, id), INSTANCE_RESCUED);
	assert_int_equal(cloud_guest(c, id).boots, 2);
	assert_int_equal(sim_compute_get_slot(cloud_host_of(c, id), id, i.rescue_disk), 0);
	assert_int_equal(sim_compute_get_slot(cloud_host_of(c, id), id, root), 1);
	cloud_ok(c, &c->alice, engine_unrescue_instance, &target);
	cloud_settle(c);
	assert_int_equal(cloud_state(c, id), INSTANCE_RUNNING);
	assert_int_equal(cloud_guest(c, id).boots, 3);
	assert_int_equal(sim_compute_get_slot(cloud_host_of(c, id), id, root), 0);
	assert_int_equal(cloud_count(c, KIND_VOLUME), 1);
	assert_false(cloud_has_condition(c, id, INSTANCE_RESTARTED));
}
TEST_STORY(rescue, 1)

/* Rescuing a stopped instance starts it, and it starts from the rescue disk again if it is stopped
 * meanwhile. */
static void rescue_stopped(struct cloud *c)
{
	uuid id = cloud_launch_running(c);
	struct instance_rescuing wish = {.instance = cloud_ref(c, KIND_INSTANCE, id)};
	struct instance_target target = {.instance = wish.instance};
	cloud_stop(c, id);
	cloud_await(c, id, INSTANCE_STOPPED);
	cloud_ok(c, &c->alice, engine_rescue_instance, &wish);
	cloud_settle(c);
	assert_int_equal(cloud_state(c, id), INSTANCE_RESCUED);
	cloud_stop(c, id);
	cloud_await(c, id, INSTANCE_STOPPED);
	cloud_expect_at(c, cloud_power(c, engine_start_instances_run, id, false), __FILE__, __LINE__);
	cloud_settle(c);
	assert_int_equal(cloud_state(c, id), INSTANCE_RESCUED);
	cloud_stop(c, id);
	cloud_await(c, id, INSTANCE_STOPPED);
	cloud_ok(c, &c->alice, engine_unrescue_instance, &target);
	cloud_settle(c);
	assert_int_equal(cloud_state(c, id), INSTANCE_STOPPED);
	assert_int_equal(cloud_count(c, KIND_VOLUME), 1);
}
TEST_STORY(rescue_stopped, 1)

static void terminate_rescued(struct cloud *c)
{
	uuid id = cloud_launch_running(c);
	struct instance_rescuing wish = {.instance = cloud_ref(c, KIND_INSTANCE, id)};
	cloud_ok(c, &c->alice, engine_rescue_instance, &wish);
	cloud_settle(c);
	cloud_terminate(c, id);
	cloud_settle(c);
	assert_int_equal(cloud_state(c, id), INSTANCE_TERMINATED);
	assert_int_equal(cloud_count(c, KIND_VOLUME), 0);
}
TEST_STORY(terminate_rescued, 1)

/* Rows of those that are gone stay for a while. */
static size_t live_images(struct cloud *c)
{
	size_t count = 0;
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	for (const struct image *i = image_first(view.tables); i; i = image_next(view.tables, i))
		count += row_is_live(&i->row);
	return count;
}

static void shelve(struct cloud *c)
{
	uuid id = cloud_launch_running(c), root = cloud_volume_of(c, id);
	struct str host = cloud_host_of(c, id);
	struct instance_target target = {.instance = cloud_ref(c, KIND_INSTANCE, id)};
	sim_compute_write_disk(host, root, "mine");
	cloud_ok(c, &c->alice, engine_shelve_instance, &target);
	cloud_settle(c);
	assert_int_equal(cloud_state(c, id), INSTANCE_SHELVED_OFFLOADED);
	assert_true(uuid_is_none(cloud_instance(c, id).host));
	assert_int_equal(cloud_count(c, KIND_IMAGE), 2);
	assert_int_equal(cloud_count(c, KIND_VOLUME), 1);
	struct instance_settings change = {.instance = target.instance,
					   .protect_terminate = CHOICE_NO,
					   .shutdown_terminates = CHOICE_YES};
	cloud_ok(c, &c->alice, engine_update_instance, &change);
	cloud_settle(c); /* without a host to bring it about on */
	struct instance_unshelving back = {.instance = target.instance};
	cloud_ok(c, &c->alice, engine_unshelve_instance, &back);
	cloud_settle(c);
	assert_int_equal(cloud_state(c, id), INSTANCE_RUNNING);
	assert_true(str_equal(cloud_host_of(c, id), host)); /* where its disk is */
	assert_true(sim_compute_disk_has(host, root, "mine"));
	assert_int_equal(cloud_count(c, KIND_SNAPSHOT), 1); /* the operator's: its own went with its image */
	assert_int_equal(cloud_guest(c, id).boots, 1);      /* the domain was newly defined */
	assert_int_equal(live_images(c), 1);
}
TEST_STORY(shelve, 2)

/* The disk moves with the instance to the host that an administrator names. */
static void shelve_and_move(struct cloud *c)
{
	uuid id = cloud_launch_running(c), root = cloud_volume_of(c, id);
	struct str host = cloud_host_of(c, id), other = str_is(host, "h0") ? STR("h1") : STR("h0");
	struct instance_target target = {.instance = cloud_ref(c, KIND_INSTANCE, id)};
	struct instance_unshelving back = {.instance = target.instance, .host = STR("nowhere")};
	sim_compute_write_disk(host, root, "mine");
	cloud_ok(c, &c->alice, engine_shelve_instance, &target);
	cloud_await(c, id, INSTANCE_SHELVED); /* on its host still, where its image is made */
	assert_int_equal(cloud_call(c, &c->alice, engine_unshelve_instance_run, &back).code, ERR_STATE);
	cloud_settle(c);
	assert_int_equal(cloud_call(c, &c->alice, engine_unshelve_instance_run, &back).code, ERR_INVALID);
	back.host = other;
	uuid there = c->hosts[str_is(other, "h0") ? 0 : 1];
	struct host_settings door = {.host = cloud_ref(c, KIND_HOST, there), .enabled = CHOICE_NO};
	cloud_ok(c, NULL, engine_update_host, &door);
	assert_int_equal(cloud_call(c, &c->alice, engine_unshelve_instance_run, &back).code, ERR_CAPACITY);
	assert_int_equal(cloud_state(c, id), INSTANCE_SHELVED_OFFLOADED);
	door.enabled = CHOICE_YES;
	cloud_ok(c, NULL, engine_update_host, &door);
	cloud_ok(c, &c->alice, engine_unshelve_instance, &back);
	cloud_settle(c);
	assert_int_equal(cloud_state(c, id), INSTANCE_RUNNING);
	assert_true(str_equal(cloud_host_of(c, id), other));
	assert_true(sim_compute_disk_has(other, root, "mine"));
}
TEST_STORY(shelve_and_move, 2)

/* EC2's start takes it from the shelf, and its end needs no host. */
static void shelve_and_end(struct cloud *c)
{
	uuid id = cloud_launch_running(c);
	struct instance_target target = {.instance = cloud_ref(c, KIND_INSTANCE, id)};
	cloud_stop(c, id);
	cloud_await(c, id, INSTANCE_STOPPED);
	cloud_ok(c, &c->alice, engine_shelve_instance, &target);
	cloud_settle(c);
	assert_int_equal(cloud_state(c, id), INSTANCE_SHELVED_OFFLOADED);
	cloud_expect_at(c, cloud_power(c, engine_start_instances_run, id, false), __FILE__, __LINE__);
	cloud_settle(c);
	assert_int_equal(cloud_state(c, id), INSTANCE_RUNNING);
	cloud_ok(c, &c->alice, engine_shelve_instance, &target);
	cloud_settle(c);
	cloud_terminate(c, id);
	cloud_settle(c);
	assert_int_equal(cloud_state(c, id), INSTANCE_TERMINATED);
	assert_int_equal(cloud_count(c, KIND_VOLUME), 0);
	assert_int_equal(live_images(c), 1);
}
TEST_STORY(shelve_and_end, 2)

static void place_in(struct cloud *c, uuid id, uuid group)
{
	struct instance_placement wish = {.instance = cloud_ref(c, KIND_INSTANCE, id),
					  .set_group = true,
					  .server_group = cloud_ref(c, KIND_SERVER_GROUP, group)};
	cloud_ok(c, &c->alice, engine_change_placement, &wish);
}

/* Two on one host are to be apart: the second goes to another one, with what is on its disk. */
static void place_apart(struct cloud *c)
{
	struct server_group_wish near = {.name = STR("near"), .policy = SERVER_GROUP_POLICY_AFFINITY};
	struct server_group_wish apart = {.name = STR("apart"), .policy = SERVER_GROUP_POLICY_ANTI_AFFINITY};
	cloud_ok(c, &c->alice, engine_create_server_group, &near);
	cloud_ok(c, &c->alice, engine_create_server_group, &apart);
	struct instance_launch launch = cloud_launch_wish(c, 2);
	launch.server_group = cloud_ref(c, KIND_SERVER_GROUP, near.server_group);
	cloud_ok(c, &c->alice, engine_create_instances, &launch);
	uuid first = launch.made.at[0], second = launch.made.at[1];
	cloud_await(c, first, INSTANCE_RUNNING);
	cloud_await(c, second, INSTANCE_RUNNING);
	struct str host = cloud_host_of(c, second);
	assert_true(str_equal(cloud_host_of(c, first), host));
	cloud_stop(c, first);
	cloud_stop(c, second);
	cloud_settle(c);
	uuid root = cloud_volume_of(c, second);
	sim_compute_write_disk(host, root, "mine");
	place_in(c, first, apart.server_group);
	place_in(c, second, apart.server_group);
	if (c->seed % 2)
		cloud_settle(c);
	assert_int_equal(cloud_state(c, second), INSTANCE_STOPPED);
	cloud_start(c, second);
	cloud_settle(c);
	assert_int_equal(cloud_state(c, second), INSTANCE_RUNNING);
	assert_true(str_equal(cloud_host_of(c, first), host));
	struct str other = cloud_host_of(c, second);
	assert_false(str_equal(other, host));
	assert_true(sim_compute_disk_has(other, root, "mine"));
}
TEST_STORY(place_apart, 2)

static void terminate(struct cloud *c)
{
	uuid id = cloud_launch_running(c);
	uuid volume = cloud_volume_of(c, id);
	cloud_terminate(c, id);
	assert_int_equal(cloud_state(c, id), INSTANCE_SHUTTING_DOWN);
	cloud_await(c, id, INSTANCE_TERMINATED);
	cloud_settle(c);
	assert_false(cloud_guest(c, id).exists);
	assert_int_equal(cloud_count(c, KIND_VOLUME), 0);
	assert_false(network_sim_has(NETWORK_ITEM_ROUTER, c->router)); /* made with its first port */
	assert_false(uuid_is_none(volume));
}
TEST_STORY(terminate, 2)

/* Caught at any moment of its start. */
static void terminate_while_starting(struct cloud *c)
{
	uuid id = cloud_launch(c);
	for (uint64_t k = 0; k < c->seed / 1000; k++)
		(void) executor_step(c->executor, clock_now_us() + 1);
	cloud_terminate(c, id);
	cloud_settle(c);
	assert_int_equal(cloud_state(c, id), INSTANCE_TERMINATED);
}
TEST_STORY(terminate_while_starting, 2)

static void stop_while_starting(struct cloud *c)
{
	uuid id = cloud_launch(c);
	for (uint64_t k = 0; k < c->seed / 1000; k++)
		(void) executor_step(c->executor, clock_now_us() + 1);
	cloud_stop(c, id);
	cloud_settle(c);
	assert_int_equal(cloud_state(c, id), INSTANCE_STOPPED);
	cloud_start(c, id);
	cloud_settle(c);
	assert_true(cloud_guest(c, id).is_on);
}
TEST_STORY(stop_while_starting, 2)

/* Rows of ended instances go after an hour, without anybody asking. */
static void forget(struct cloud *c)
{
	uuid id = cloud_launch_running(c);
	cloud_terminate(c, id);
	cloud_settle(c);
	cloud_step_for(c, INSTANCE_VISIBLE_US - 5 * MINUTE);
	assert_int_equal(cloud_count(c, KIND_INSTANCE), 1);
	cloud_step_for(c, 5 * MINUTE + CLOUD_RESYNC_US + CLOUD_HOST_INTERVAL_US);
	assert_int_equal(cloud_count(c, KIND_INSTANCE), 0);
}

static void test_forget(void **state)
{
	(void) state;
	struct cloud *c = cloud_new(1, 1);
	forget(c);
	cloud_done(c);
}

/* Rows kept only for listing are forgotten, too: released dedicated hosts, deleted prefix lists, and fleets
 * without instances. */
static void test_forget_ended(void **state)
{
	(void) state;
	struct cloud *c = cloud_new(1, 2);
	struct dedicated_host_wish allocate = {
		.zone = {KIND_ZONE, .text = STR("xy-west-2a")}, .family = STR("t3"), .count = 1};
	cloud_ok(c, &c->alice, engine_allocate_dedicated_hosts, &allocate);
	struct dedicated_host_change change = {
		.dedicated_host = cloud_ref(c, KIND_DEDICATED_HOST, allocate.made.at[0])};
	struct dedicated_hosts_target release = {&change, 1};
	cloud_ok(c, &c->alice, engine_release_dedicated_hosts, &release);
	struct address_group_wish list = {.name = STR("list")};
	cloud_ok(c, &c->alice, engine_create_address_group, &list);
	struct address_group_target target = {.group = cloud_ref(c, KIND_ADDRESS_GROUP, list.group)};
	cloud_ok(c, &c->alice, engine_delete_address_group, &target);
	struct fleet_wish fleet = {.target = FLEET_UNIT}; /* of no instances */
	cloud_ok(c, &c->alice, engine_create_fleet, &fleet);
	cloud_step_for(c, ENDED_LISTED_US - 5 * MINUTE);
	assert_int_equal(cloud_count(c, KIND_FLEET), 1);
	assert_int_equal(cloud_count(c, KIND_DEDICATED_HOST), 1);
	assert_int_equal(cloud_count(c, KIND_ADDRESS_GROUP), 1);
	cloud_step_for(c, 5 * MINUTE + CLOUD_RESYNC_US + CLOUD_HOST_INTERVAL_US);
	assert_int_equal(cloud_count(c, KIND_FLEET), 0);
	assert_int_equal(cloud_count(c, KIND_DEDICATED_HOST), 0);
	assert_int_equal(cloud_count(c, KIND_ADDRESS_GROUP), 0);
	cloud_done(c);
}

/* Nova's way: accepted without a host, and placed when one has room. */
static void place_later(struct cloud *c)
{
	struct host_settings closed = {.host = cloud_ref(c, KIND_HOST, c->hosts[0]), .enabled = CHOICE_NO};
	cloud_ok(c, NULL, engine_update_host, &closed);
	struct instance_launch wish = cloud_launch_wish(c, 2);
	wish.accept_unplaced = true;
	cloud_ok(c, &c->alice, engine_create_instances, &wish);
	uuid id = wish.made.at[0], other = wish.made.at[1];
	cloud_step_for(c, MINUTE + SECOND);
	assert_int_equal(cloud_state(c, id), INSTANCE_PENDING);
	assert_true(cloud_has_condition(c, id, "NoHost"));
	cloud_terminate(c, other);
	closed.enabled = CHOICE_YES;
	int64_t since_us = clock_now_us();
	cloud_ok(c, NULL, engine_update_host, &closed);
	cloud_await(c, id, INSTANCE_RUNNING);
	assert_true(clock_now_us() - since_us < 10 * SECOND); /* sooner than it would look again */
	assert_false(cloud_has_condition(c, id, "NoHost"));
}
TEST_STORY(place_later, 1)

/* ---- changes that begin below ---- */

static void guest_shuts_down(struct cloud *c)
{
	uuid id = cloud_launch_running(c);
	sim_compute_end_guest(cloud_host_of(c, id), id, COMPUTE_OFF_GUEST);
	cloud_await(c, id, INSTANCE_STOPPED);
	cloud_settle(c);
	assert_int_equal(cloud_guest(c, id).boots, 1);
	cloud_start(c, id);
	cloud_await(c, id, INSTANCE_RUNNING);
}
TEST_STORY(guest_shuts_down, 1)

/* The guest shuts down right after its start, when the host's event may arrive before the start's result. */
static void guest_shuts_down_early(struct cloud *c)
{
	uuid id = cloud_launch(c);
	while (!cloud_guest(c, id).is_on)
		assert_true(executor_step(c->executor, clock_now_us() + MINUTE));
	sim_compute_end_guest(cloud_host_of(c, id), id, COMPUTE_OFF_GUEST);
	cloud_settle(c);
	assert_int_equal(cloud_state(c, id), INSTANCE_STOPPED);
	assert_int_equal(cloud_guest(c, id).boots, 1);
}
TEST_STORY(guest_shuts_down_early, 1)

static void guest_shutdown_terminates(struct cloud *c)
{
	struct instance_launch wish = cloud_launch_wish(c, 1);
	wish.shutdown_terminates = true;
	cloud_ok(c, &c->alice, engine_create_instances, &wish);
	uuid id = wish.made.at[0];
	cloud_await(c, id, INSTANCE_RUNNING);
	sim_compute_end_guest(cloud_host_of(c, id), id, COMPUTE_OFF_GUEST);
	cloud_await(c, id, INSTANCE_TERMINATED);
}
TEST_STORY(guest_shutdown_terminates, 1)

static void goes_off(struct cloud *c, enum compute_off why)
{
	uuid id = cloud_launch_running(c);
	sim_compute_end_guest(cloud_host_of(c, id), id, why);
	cloud_step_for(c, SECOND);
	cloud_settle(c);
	assert_int_equal(cloud_state(c, id), INSTANCE_RUNNING);
	assert_int_equal(cloud_guest(c, id).boots, 2);
	assert_true(cloud_has_condition(c, id, INSTANCE_RESTARTED));
	cloud_reboot(c, id);
	assert_false(cloud_has_condition(c, id, INSTANCE_RESTARTED));
}

static void guest_crashes(struct cloud *c)
{
	goes_off(c, COMPUTE_OFF_CRASHED);
}
TEST_STORY(guest_crashes, 1)

static void guest_is_destroyed(struct cloud *c)
{
	goes_off(c, COMPUTE_OFF_DESTROYED);
}
TEST_STORY(guest_is_destroyed, 1)

static void domain_is_lost(struct cloud *c)
{
	uuid id = cloud_launch_running(c);
	sim_compute_lose_domain(cloud_host_of(c, id), id);
	cloud_step_for(c, SECOND);
	cloud_settle(c);
	assert_true(cloud_guest(c, id).is_on);
	assert_true(cloud_has_condition(c, id, INSTANCE_RESTARTED));
}
TEST_STORY(domain_is_lost, 1)

/* Crashing at every start it is not started all the time, and its user's wish still counts. */
static void guest_crashes_on_and_on(struct cloud *c)
{
	uuid id = cloud_launch_running(c);
	int64_t until_us = clock_now_us() + 5 * MINUTE;
	while (clock_now_us() < until_us) {
		sim_compute_end_guest(cloud_host_of(c, id), id, COMPUTE_OFF_CRASHED);
		cloud_step_for(c, SECOND);
	}
	assert_in_range(cloud_guest(c, id).boots, 20, 40);
	cloud_stop(c, id);
	cloud_await(c, id, INSTANCE_STOPPED);
	int64_t boots = cloud_guest(c, id).boots, started_us = clock_now_us();
	cloud_start(c, id);
	cloud_await(c, id, INSTANCE_RUNNING);
	assert_int_equal(cloud_guest(c, id).boots, boots + 1);
	assert_true(clock_now_us() < started_us + SECOND);
}
TEST_STORY(guest_crashes_on_and_on, 1)

/* A stopped instance that somebody starts by hand is stopped again. */
static void stopped_is_kept_off(struct cloud *c)
{
	uuid id = cloud_launch_running(c);
	cloud_stop(c, id);
	cloud_settle(c);
	cloud_start_by_hand(c, id);
	assert_true(cloud_guest(c, id).is_on);
	cloud_step_for(c, CLOUD_RESYNC_US + CLOUD_HOST_INTERVAL_US);
	cloud_settle(c);
	assert_false(cloud_guest(c, id).is_on);
	assert_int_equal(cloud_state(c, id), INSTANCE_STOPPED);
}
TEST_STORY(stopped_is_kept_off, 1)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_launch),
		cmocka_unit_test(test_launch_many),
		cmocka_unit_test(test_stop_start),
		cmocka_unit_test(test_assign),
		cmocka_unit_test(test_config_drive),
		cmocka_unit_test(test_stop_deaf),
		cmocka_unit_test(test_stop_by_force),
		cmocka_unit_test(test_stop_slowly),
		cmocka_unit_test(test_reboot),
		cmocka_unit_test(test_pause_and_go_on),
		cmocka_unit_test(test_stop_paused),
		cmocka_unit_test(test_suspend_and_resume),
		cmocka_unit_test(test_resize_running),
		cmocka_unit_test(test_resize_deaf),
		cmocka_unit_test(test_resize_stopped),
		cmocka_unit_test(test_rebuild),
		cmocka_unit_test(test_rescue),
		cmocka_unit_test(test_rescue_stopped),
		cmocka_unit_test(test_terminate_rescued),
		cmocka_unit_test(test_place_apart),
		cmocka_unit_test(test_shelve),
		cmocka_unit_test(test_shelve_and_end),
		cmocka_unit_test(test_shelve_and_move),
		cmocka_unit_test(test_terminate),
		cmocka_unit_test(test_terminate_while_starting),
		cmocka_unit_test(test_stop_while_starting),
		cmocka_unit_test(test_forget),
		cmocka_unit_test(test_forget_ended),
		cmocka_unit_test(test_place_later),
		cmocka_unit_test(test_guest_shuts_down),
		cmocka_unit_test(test_guest_shuts_down_early),
		cmocka_unit_test(test_guest_shutdown_terminates),
		cmocka_unit_test(test_guest_crashes),
		cmocka_unit_test(test_guest_is_destroyed),
		cmocka_unit_test(test_domain_is_lost),
		cmocka_unit_test(test_guest_crashes_on_and_on),
		cmocka_unit_test(test_stopped_is_kept_off),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
