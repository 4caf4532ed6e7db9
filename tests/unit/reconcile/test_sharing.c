/* SPDX-License-Identifier: Apache-2.0
 * A disk shared by two guests: attached to both and detached from each, with a snapshot cut while both are
 * paused, in spite of kills at any step. */
#include <stdio.h>

#include "../cloud/cloud.h"
#include "drivers/sim/compute_state.h"
#include "engine/instance/placement/instance_migration.h"
#include "engine/storage/image/image.h"
#include "engine/storage/snapshot/snapshot.h"
#include "engine/storage/storage_pool.h"
#include "engine/storage/volume/volume_attachment.h"
#include "model/host.h"
#include "model/id.h"
#include "model/states.h"
#include "store/image.h"
#include "store/instance.h"
#include "store/snapshot.h"
#include "store/volume.h"
#include "store/volume_attachment.h"
#include "store/zone.h"

enum { SEEDS = 3 };

static RESULT make_volume(struct cloud *c, enum choice is_shared, uuid *ret_volume)
{
	struct volume_wish wish = {
		.disk = {.size = 4 * CLOUD_GIB, .type = STR("io2"), .iops = 100, .is_shared = is_shared},
		.client_token = STR("shared")};
	{
		AUTO_VIEW view = {0};
		view_open(c->store, &view);
		wish.zone = cloud_ref(c, KIND_ZONE, zone_first(view.tables)->row.id);
	}
	TRY(cloud_call(c, &c->alice, engine_create_volume_run, &wish));
	*ret_volume = wish.volume;
	return OK;
}

static RESULT attach(struct cloud *c, uuid volume, uuid instance)
{
	struct volume_attaching wish = {.volume = cloud_ref(c, KIND_VOLUME, volume),
					.instance = cloud_ref(c, KIND_INSTANCE, instance),
					.device = STR("/dev/sdf")};
	return cloud_call(c, &c->alice, engine_attach_volume_run, &wish);
}

static RESULT detach(struct cloud *c, uuid volume, uuid instance)
{
	struct volume_detaching wish = {.volume = cloud_ref(c, KIND_VOLUME, volume),
					.instance = cloud_ref(c, KIND_INSTANCE, instance)};
	return cloud_call(c, &c->alice, engine_detach_volume_run, &wish);
}

static struct volume volume_row(struct cloud *c, uuid id)
{
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	const struct volume *v = volume_find(view.tables, id);
	return v ? *v : (struct volume){0};
}

static enum attachment attachment_of(struct cloud *c, uuid volume, uuid instance)
{
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	const struct volume *v = volume_find(view.tables, volume), *found = NULL;
	if (v)
		assert_true(result_is_ok(engine_find_attachment(c->arena, view.tables, v, instance, &found)));
	return found ? model_derive_attachment(found->instance, found->seen_instance) : ATTACHMENT_NONE;
}

static bool is_plugged(struct cloud *c, uuid volume, uuid instance)
{
	return sim_compute_has_plugged(cloud_host_of(c, instance), instance, volume);
}

/* Like a client without an answer, repeats the request unless it has taken effect. */
static bool was_attached(struct cloud *c, uuid volume, uuid instance)
{
	if (attachment_of(c, volume, instance) != ATTACHMENT_NONE)
		return true;
	return cloud_was_answered(c, attach(c, volume, instance));
}

static bool was_detached(struct cloud *c, uuid volume, uuid instance)
{
	if (attachment_of(c, volume, instance) != ATTACHMENT_ATTACHED)
		return true;
	return cloud_was_answered(c, detach(c, volume, instance));
}

struct both {
	uuid guests[2], volume;
};

static bool make_shared(struct cloud *c, struct both *s)
{
	if (!cloud_was_answered(c, make_volume(c, CHOICE_YES, &s->volume)) || !cloud_lived_to_settle(c))
		return false;
	for (size_t k = 0; k < 2; k++)
		if (!was_attached(c, s->volume, s->guests[k]))
			return false;
	return cloud_lived_to_settle(c);
}

static bool both_have_it(struct cloud *c, const struct both *s)
{
	for (size_t k = 0; k < 2; k++) {
		assert_int_equal(attachment_of(c, s->volume, s->guests[k]), ATTACHMENT_ATTACHED);
		assert_true(is_plugged(c, s->volume, s->guests[k]));
	}
	return true;
}

/* The volume is attached to both instances, detached from the first, and deleted at the end of the second. */
static bool tell_attachments(struct cloud *c, struct both *s)
{
	if (!make_shared(c, s) || !both_have_it(c, s))
		return false;
	assert_true(volume_row(c, s->volume).is_raw);
	if (!was_detached(c, s->volume, s->guests[0]) || !cloud_lived_to_settle(c))
		return false;
	assert_int_equal(attachment_of(c, s->volume, s->guests[0]), ATTACHMENT_NONE);
	assert_int_equal(attachment_of(c, s->volume, s->guests[1]), ATTACHMENT_ATTACHED);
	assert_false(is_plugged(c, s->volume, s->guests[0]));
	assert_true(is_plugged(c, s->volume, s->guests[1]));
	return true;
}

/* The process dies after so many steps, at another place each time until the story is over before, and goes
 * on where it was. */
static void tell_killed(bool (*story)(struct cloud *c, struct both *s))
{
	bool was_killed = true;
	for (uint64_t kill_at = 1; was_killed; kill_at += 1 + kill_at / 16) {
		struct cloud *c = cloud_new(kill_at, 1);
		struct both s = {{cloud_launch_running(c), cloud_launch_running(c)}};
		c->kill_at = c->steps + kill_at;
		was_killed = !story(c, &s);
		c->kill_at = 0;
		if (was_killed) {
			cloud_restart(c);
			assert_true(story(c, &s));
		}
		cloud_done(c);
	}
}

static void test_attachments(void **state)
{
	(void) state;
	tell_killed(tell_attachments);
}

static RESULT take_snapshot(struct cloud *c, uuid volume, uuid *ret_snapshot)
{
	struct snapshot_wish wish = {.volume = cloud_ref(c, KIND_VOLUME, volume)};
	TRY(cloud_call(c, &c->alice, engine_create_snapshot_run, &wish));
	*ret_snapshot = wish.snapshot;
	return OK;
}

static bool is_kept(struct cloud *c, uuid id)
{
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	const struct snapshot *s = snapshot_find(view.tables, id);
	return s && model_derive_snapshot_state(s) == SNAPSHOT_COMPLETED;
}

/* Every requested snapshot has the content of its moment, and the guests are reported as running all the
 * time. */
static bool tell_snapshot(struct cloud *c, struct both *s)
{
	uuid snapshot = UUID_NONE;
	if (!make_shared(c, s) || !both_have_it(c, s))
		return false;
	sim_compute_write_disk(cloud_host_of(c, s->guests[0]), s->volume, "ours");
	if (!cloud_was_answered(c, take_snapshot(c, s->volume, &snapshot)) || !cloud_lived_to_settle(c))
		return false;
	assert_true(is_kept(c, snapshot));
	for (size_t k = 0; k < 2; k++) {
		struct cloud_guest guest = cloud_guest(c, s->guests[k]);
		assert_true(guest.is_on && !guest.is_paused && guest.boots == 1);
		assert_int_equal(cloud_state(c, s->guests[k]), INSTANCE_RUNNING);
	}
	return true;
}

static void test_snapshot(void **state)
{
	(void) state;
	tell_killed(tell_snapshot);
}

/* Made for one, it becomes one for several, with what is on it. */
static void converts(struct cloud *c)
{
	uuid guest = cloud_launch_running(c), volume = UUID_NONE;
	assert_true(result_is_ok(make_volume(c, CHOICE_DEFAULT, &volume)));
	cloud_settle(c);
	assert_true(result_is_ok(attach(c, volume, guest)));
	cloud_settle(c);
	struct str host = cloud_host_of(c, guest);
	sim_compute_write_disk(host, volume, "before");
	assert_true(result_is_ok(detach(c, volume, guest)));
	cloud_settle(c);
	struct volume_modifying wish = {.volume = cloud_ref(c, KIND_VOLUME, volume), .is_shared = CHOICE_YES};
	cloud_ok(c, &c->alice, engine_modify_volume, &wish);
	assert_true(result_is_ok(attach(c, volume, guest)));
	cloud_settle(c);
	assert_true(volume_row(c, volume).is_raw && is_plugged(c, volume, guest));
	assert_true(sim_compute_disk_has(host, volume, "before"));
}
TEST_STORY(converts, 1)

/* A stopped instance on another host is moved to the volume's host and starts there. */
static void follows(struct cloud *c)
{
	struct both s = {{cloud_launch_running(c), cloud_launch_running(c)}};
	assert_true(result_is_ok(make_volume(c, CHOICE_YES, &s.volume)));
	cloud_settle(c);
	assert_true(result_is_ok(attach(c, s.volume, s.guests[0])));
	cloud_settle(c);
	if (!uuid_equal(cloud_instance(c, s.guests[0]).host, cloud_instance(c, s.guests[1]).host)) {
		assert_int_equal(attach(c, s.volume, s.guests[1]).code, ERR_STATE);
		cloud_stop(c, s.guests[1]);
		cloud_await(c, s.guests[1], INSTANCE_STOPPED);
	}
	assert_true(result_is_ok(attach(c, s.volume, s.guests[1])));
	cloud_settle(c);
	if (cloud_state(c, s.guests[1]) == INSTANCE_STOPPED)
		cloud_start(c, s.guests[1]);
	cloud_await(c, s.guests[1], INSTANCE_RUNNING);
	cloud_settle(c);
	both_have_it(c, &s);
	cloud_terminate(c, s.guests[0]);
	cloud_settle(c);
	assert_true(uuid_equal(volume_row(c, s.volume).instance, s.guests[1]));
}
TEST_STORY(follows, 2)

static bool is_still(struct cloud *c, const void *guest)
{
	return cloud_guest(c, *(const uuid *) guest).is_paused;
}

/* Seconds for which the guest is paused, checked each second, up to at_most. */
static int count_still(struct cloud *c, uuid guest, int at_most)
{
	int seconds = 0;
	while (seconds < at_most && is_still(c, &guest)) {
		cloud_step_for(c, SECOND);
		seconds++;
	}
	return seconds;
}

/* One of the guests fails to pause: the other one waits for half a minute, and then runs for five before it
 * is paused again. */
static void gives_up(struct cloud *c)
{
	struct both s = {{cloud_launch_running(c), cloud_launch_running(c)}};
	uuid snapshot = UUID_NONE;
	assert_true(make_shared(c, &s) && both_have_it(c, &s));
	struct str host = cloud_host_of(c, s.guests[1]);
	sim_compute_set_restless(host, s.guests[1], true);
	assert_true(result_is_ok(take_snapshot(c, s.volume, &snapshot)));
	assert_true(cloud_step_until(c, is_still, &s.guests[0], MINUTE));
	assert_in_range(count_still(c, s.guests[0], 60), 29, 33);
	for (int k = 0; k < 28; k++) {
		cloud_step_for(c, 10 * SECOND);
		assert_false(is_still(c, &s.guests[0]));
	}
	assert_false(is_kept(c, snapshot));
	assert_true(cloud_step_until(c, is_still, &s.guests[0], MINUTE)); /* again, and in vain again */
	assert_in_range(count_still(c, s.guests[0], 60), 29, 33);
	sim_compute_set_restless(host, s.guests[1], false);
	cloud_step_for(c, 6 * MINUTE);
	cloud_settle(c);
	assert_true(is_kept(c, snapshot));
	assert_int_equal(cloud_guest(c, s.guests[0]).boots, 1);
}
TEST_STORY(gives_up, 1)

/* For an image its guest goes off until all its disks' contents are fixed, and on again then: a shared disk's cut is made of
 * its copy while the guest runs. */
static void captured(struct cloud *c)
{
	uuid guest = cloud_launch_running(c), volume = UUID_NONE;
	struct image_capture wish = {.instance = cloud_ref(c, KIND_INSTANCE, guest), .name = STR("of both")};
	assert_true(result_is_ok(make_volume(c, CHOICE_YES, &volume)));
	cloud_settle(c);
	assert_true(result_is_ok(attach(c, volume, guest)));
	cloud_settle(c);
	cloud_ok(c, &c->alice, engine_capture_image, &wish);
	cloud_settle(c);
	assert_true(cloud_guest(c, guest).is_on);
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	const struct image *image = image_find(view.tables, wish.image);
	assert_int_equal(engine_derive_image_state(view.tables, image), IMAGE_AVAILABLE);
}
TEST_STORY(captured, 1)

/* ---- on the way to another host ---- */

static uuid add_pool(struct cloud *c)
{
	struct str types[] = {STR("io2")};
	struct storage_pool_wish wish = {
		.name = STR("nfs"), .kind = STORAGE_POOL_KIND_SHARED_DIR, .path = STR("/srv/nfs")};
	cloud_ok(c, NULL, engine_add_storage_pool, &wish);
	cloud_settle(c);
	struct storage_pool_settings bound = {.pool = cloud_ref(c, KIND_STORAGE_POOL, wish.pool),
					      .more_types = {types, 1}};
	cloud_ok(c, NULL, engine_update_storage_pool, &bound);
	return wish.pool;
}

/* In a pool that both hosts see, while no other instance has it. */
static void goes_to_another_host(struct cloud *c)
{
	uuid volume, one = cloud_launch_running(c), two = cloud_launch_running(c);
	struct instance_migrating wish = {.instance = cloud_ref(c, KIND_INSTANCE, one)};
	(void) add_pool(c);
	assert_true(result_is_ok(make_volume(c, CHOICE_YES, &volume)));
	cloud_settle(c);
	assert_true(result_is_ok(attach(c, volume, one)));
	cloud_settle(c);
	sim_compute_write_disk(cloud_host_of(c, one), volume, "of the first");
	struct str from = str_copy(c->arena, cloud_host_of(c, one));
	cloud_ok(c, NULL, engine_migrate_instance, &wish);
	cloud_settle(c);
	assert_false(str_equal(cloud_host_of(c, one), from));
	assert_true(is_plugged(c, volume, one));
	assert_true(sim_compute_disk_has(cloud_host_of(c, one), volume, "of the first"));
	if (!str_equal(cloud_host_of(c, two), cloud_host_of(c, one)))
		return;
	assert_true(result_is_ok(attach(c, volume, two)));
	cloud_settle(c);
	assert_int_equal(cloud_call(c, NULL, engine_migrate_instance_run, &wish).code, ERR_UNSUPPORTED);
}
TEST_STORY(goes_to_another_host, 2)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_attachments),
		cmocka_unit_test(test_snapshot),
		cmocka_unit_test(test_converts),
		cmocka_unit_test(test_follows),
		cmocka_unit_test(test_gives_up),
		cmocka_unit_test(test_captured),
		cmocka_unit_test(test_goes_to_another_host),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
