/* SPDX-License-Identifier: Apache-2.0
 * Swaps of volumes in a running guest, including the content: in spite of kills at any step, the rows name
 * the volume that the guest uses, and no written data is lost. */
#include <stdio.h>

#include "../cloud/cloud.h"
#include "engine/instance/placement/instance_migration.h"
#include "engine/storage/snapshot/snapshot.h"
#include "engine/storage/volume/volume_reservation.h"
#include "engine/storage/volume/volume_swap.h"
#include "model/host.h"
#include "model/states.h"
#include "store/snapshot.h"
#include "store/volume.h"
#include "store/zone.h"

enum { SEEDS = 6 };

/* ---- requests of users ---- */

static RESULT make_volume(struct cloud *c, int64_t size, bool is_encrypted, const char *token,
			  uuid *ret_volume)
{
	struct volume_wish wish = {.disk = {.size = size,
					    .type = STR("gp2"),
					    .crypt.is_wanted = is_encrypted ? CHOICE_YES : CHOICE_DEFAULT},
				   .client_token = str_from(token)};
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

static RESULT swap(struct cloud *c, uuid instance, uuid volume, uuid other)
{
	struct volume_swapping wish = {.instance = cloud_ref(c, KIND_INSTANCE, instance),
				       .volume = cloud_ref(c, KIND_VOLUME, volume),
				       .other = cloud_ref(c, KIND_VOLUME, other)};
	return cloud_call(c, &c->alice, engine_swap_volume_run, &wish);
}

/* ---- looking ---- */

static struct volume volume_row(struct cloud *c, uuid id)
{
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	const struct volume *v = volume_find(view.tables, id);
	return v ? *v : (struct volume){0};
}

static bool is_over(struct cloud *c, const void *other)
{
	return uuid_is_none(volume_row(c, *(const uuid *) other).takes_over);
}

static void await_end(struct cloud *c, uuid other)
{
	assert_true(cloud_step_until(c, is_over, &other, 2 * MINUTE));
	cloud_settle(c);
}

static bool is_plugged(struct cloud *c, uuid volume, uuid instance)
{
	return sim_compute_has_plugged(cloud_host_of(c, instance), instance, volume);
}

static void check_has(struct cloud *c, uuid instance, uuid has, uuid has_not)
{
	struct volume in = volume_row(c, has), out = volume_row(c, has_not);
	assert_true(uuid_equal(in.instance, instance) && uuid_equal(in.seen_instance, instance));
	assert_true(uuid_is_none(out.instance) && uuid_is_none(out.seen_instance));
	assert_int_equal(in.reservation, VOLUME_RESERVATION_NONE);
	assert_int_equal(out.reservation, VOLUME_RESERVATION_NONE);
	assert_int_equal(in.seen_size, in.size);
	assert_int_equal(out.seen_size, out.size);
	if (cloud_guest(c, instance).is_on)
		assert_true(is_plugged(c, has, instance) && !is_plugged(c, has_not, instance));
}

struct sides {
	uuid instance, old, new;
};

/* False: it died. */
static bool prepare(struct cloud *c, struct sides *p, int64_t more, bool encrypts)
{
	if (!cloud_was_answered(c, make_volume(c, CLOUD_GIB, false, "old", &p->old)) ||
	    !cloud_was_answered(c, make_volume(c, CLOUD_GIB + more, encrypts, "new", &p->new)) ||
	    !cloud_lived_to_settle(c))
		return false;
	if (uuid_is_none(volume_row(c, p->old).instance) && uuid_is_none(volume_row(c, p->new).instance) &&
	    !cloud_was_answered(c, attach(c, p->old, p->instance)))
		return false;
	return cloud_lived_to_settle(c);
}

/* ---- stories ---- */

/* Swaps to a larger, encrypted disk and back, on any host. Both disks have their properties after the guest's
 * restart. */
static void there_and_back(struct cloud *c)
{
	struct sides p = {.instance = cloud_launch_running(c)};
	assert_true(prepare(c, &p, CLOUD_GIB, true));
	struct str host = cloud_host_of(c, p.instance);
	sim_compute_write_disk(host, p.old, "first");
	cloud_expect_at(c, swap(c, p.instance, p.old, p.new), __FILE__, __LINE__);
	await_end(c, p.new);
	check_has(c, p.instance, p.new, p.old);
	assert_true(sim_compute_disk_has(host, p.new, "first"));
	sim_compute_write_disk(host, p.new, "second");
	assert_true(sim_compute_disk_has(host, p.old, "first"));
	cloud_expect_at(c, attach(c, p.old, p.instance).code == ERR_INVALID ? OK : FAIL(INTERNAL), __FILE__,
			__LINE__); /* its device is the other's now */
	assert_int_equal(swap(c, p.instance, p.new, p.old).code, ERR_INVALID); /* smaller */
	cloud_stop(c, p.instance);
	cloud_await(c, p.instance, INSTANCE_STOPPED);
	cloud_start(c, p.instance);
	cloud_await(c, p.instance, INSTANCE_RUNNING);
	check_has(c, p.instance, p.new, p.old);
	assert_true(sim_compute_disk_has(host, p.new, "second"));
	uuid third = UUID_NONE;
	assert_true(result_is_ok(make_volume(c, 2 * CLOUD_GIB, false, "third", &third)));
	cloud_settle(c);
	cloud_expect_at(c, swap(c, p.instance, p.new, third), __FILE__, __LINE__);
	await_end(c, third);
	check_has(c, p.instance, third, p.new);
	assert_true(sim_compute_disk_has(host, third, "second"));
}
TEST_STORY(there_and_back, 2)

/* Swaps in a paused guest work, too. */
static void while_paused(struct cloud *c)
{
	struct sides p = {.instance = cloud_launch_running(c)};
	assert_true(prepare(c, &p, 0, false));
	cloud_ask(c, engine_pause_instances, p.instance);
	cloud_settle(c);
	cloud_expect_at(c, swap(c, p.instance, p.old, p.new), __FILE__, __LINE__);
	await_end(c, p.new);
	check_has(c, p.instance, p.new, p.old);
}
TEST_STORY(while_paused, 2)

/* Volumes in a swap accept no other changes. */
static void keeps_others_off(struct cloud *c)
{
	struct sides p = {.instance = cloud_launch_running(c)};
	uuid third = UUID_NONE;
	assert_true(prepare(c, &p, 0, false));
	assert_true(result_is_ok(make_volume(c, CLOUD_GIB, false, "third", &third)));
	cloud_settle(c);
	sim_compute_set_copies(cloud_host_of(c, p.instance), true, false);
	cloud_expect_at(c, swap(c, p.instance, p.old, p.new), __FILE__, __LINE__);
	cloud_step_for(c, 10 * SECOND);
	const uuid both[] = {p.old, p.new};
	for (size_t k = 0; k < 2; k++) {
		struct ref ref = cloud_ref(c, KIND_VOLUME, both[k]);
		struct snapshot_wish snapshot = {.volume = ref};
		struct volume_modifying growing = {.volume = ref, .size = 4 * CLOUD_GIB};
		struct volume_detaching detaching = {.volume = ref, .force = true};
		struct volume_target target = {.volume = ref, .force = true};
		assert_int_equal(cloud_call(c, &c->alice, engine_create_snapshot_run, &snapshot).code,
				 ERR_STATE);
		assert_int_equal(cloud_call(c, &c->alice, engine_modify_volume_run, &growing).code,
				 ERR_STATE);
		assert_int_equal(cloud_call(c, &c->alice, engine_detach_volume_run, &detaching).code,
				 ERR_STATE);
		assert_false(result_is_ok(cloud_call(c, &c->alice, engine_delete_volume_run, &target)));
		assert_int_equal(swap(c, p.instance, both[k], third).code, ERR_INVALID);
		assert_false(result_is_ok(attach(c, both[k], p.instance)));
		struct volume_marking marking = {ref, VOLUME_RESERVATION_NONE};
		cloud_ok(c, &c->alice, engine_mark_volume, &marking); /* only the displayed state */
		assert_int_equal(cloud_call(c, &c->alice, engine_modify_volume_run, &growing).code,
				 ERR_STATE);
	}
	assert_int_equal(swap(c, p.instance, third, p.new).code, ERR_INVALID);
	struct instance_migrating moving = {.instance = cloud_ref(c, KIND_INSTANCE, p.instance)};
	assert_int_equal(cloud_call(c, NULL, engine_migrate_instance_run, &moving).code, ERR_STATE);
	sim_compute_set_copies(cloud_host_of(c, p.instance), false, false);
	await_end(c, p.new);
	check_has(c, p.instance, p.new, p.old);
}
TEST_STORY(keeps_others_off, 2)

/* The copying stands still, and then comes to nothing: by the guest's end, because it is to stop, and to save its
 * memory, or because the host cannot. All is as it was, and it may be asked for again. */
enum end { END_BY_GUEST, END_BY_STOP, END_BY_SAVE, END_BY_FAILURE, END_BY_REBOOT, ENDS };

static void end_it(struct cloud *c, const struct sides *p, enum end end)
{
	struct str host = cloud_host_of(c, p->instance);
	switch (end) {
	case END_BY_GUEST:
		sim_compute_end_guest(host, p->instance, COMPUTE_OFF_CRASHED);
		break;
	case END_BY_STOP:
		cloud_stop(c, p->instance);
		break;
	case END_BY_SAVE:
		cloud_ask(c, engine_suspend_instances, p->instance);
		break;
	case END_BY_FAILURE:
		sim_compute_set_copies(host, true, true);
		break;
	case END_BY_REBOOT:
		sim_compute_reboot(host);
		break;
	case ENDS:
		break;
	}
}

static void comes_to_nothing(struct cloud *c)
{
	for (enum end end = END_BY_GUEST; end < ENDS; end++) {
		struct sides p = {.instance = cloud_launch_running(c)};
		uuid volumes[2] = {UUID_NONE, UUID_NONE};
		for (size_t k = 0; k < 2; k++)
			assert_true(result_is_ok(make_volume(c, CLOUD_GIB, k == 1,
							     (char[]){(char) ('a' + 2 * end + (int) k), 0},
							     &volumes[k])));
		p.old = volumes[0], p.new = volumes[1];
		cloud_settle(c);
		cloud_expect_at(c, attach(c, p.old, p.instance), __FILE__, __LINE__);
		cloud_settle(c);
		struct str host = cloud_host_of(c, p.instance);
		sim_compute_write_disk(host, p.old, "kept");
		sim_compute_set_copies(host, true, false);
		cloud_expect_at(c, swap(c, p.instance, p.old, p.new), __FILE__, __LINE__);
		cloud_step_for(c, 10 * SECOND);
		assert_false(is_over(c, &p.new));
		end_it(c, &p, end);
		await_end(c, p.new);
		check_has(c, p.instance, p.old, p.new);
		assert_true(sim_compute_disk_has(host, p.old, "kept"));
		sim_compute_set_copies(host, false, false);
		if (cloud_state(c, p.instance) == INSTANCE_STOPPED)
			cloud_start(c, p.instance);
		else if (end == END_BY_SAVE)
			cloud_ask(c, engine_start_instances, p.instance);
		cloud_await(c, p.instance, INSTANCE_RUNNING);
		cloud_expect_at(c, swap(c, p.instance, p.old, p.new), __FILE__, __LINE__);
		await_end(c, p.new);
		check_has(c, p.instance, p.new, p.old);
		assert_true(sim_compute_disk_has(host, p.new, "kept"));
	}
}
TEST_STORY(comes_to_nothing, 2)

/* When the instance ends, both volumes are free, except for those deleted with the instance. */
static void ends_with_its_instance(struct cloud *c)
{
	struct sides p = {.instance = cloud_launch_running(c)};
	assert_true(prepare(c, &p, 0, false));
	sim_compute_set_copies(cloud_host_of(c, p.instance), true, false);
	cloud_expect_at(c, swap(c, p.instance, p.old, p.new), __FILE__, __LINE__);
	cloud_step_for(c, 10 * SECOND);
	cloud_terminate(c, p.instance);
	await_end(c, p.new);
	const uuid both[] = {p.old, p.new};
	for (size_t k = 0; k < 2; k++) {
		struct volume v = volume_row(c, both[k]);
		assert_true(uuid_is_none(v.instance) && uuid_is_none(v.seen_instance));
		assert_int_equal(v.reservation, VOLUME_RESERVATION_NONE);
	}
}
TEST_STORY(ends_with_its_instance, 2)

/* ---- the process dies ---- */

static bool ask(struct cloud *c, const struct sides *p)
{
	bool is_asked = !uuid_is_none(volume_row(c, p->new).takes_over) ||
			!uuid_is_none(volume_row(c, p->new).instance);
	return is_asked || cloud_was_answered(c, swap(c, p->instance, p->old, p->new));
}

static bool tell(struct cloud *c, struct sides *p)
{
	if (!prepare(c, p, CLOUD_GIB, true))
		return false;
	if (!is_plugged(c, p->new, p->instance))
		sim_compute_write_disk(cloud_host_of(c, p->instance), p->old, "ours");
	if (!ask(c, p))
		return false;
	cloud_step_until(c, is_over, &p->new, 2 * MINUTE);
	if (cloud_was_killed(c) || !cloud_lived_to_settle(c))
		return false;
	check_has(c, p->instance, p->new, p->old);
	assert_true(sim_compute_disk_has(cloud_host_of(c, p->instance), p->new, "ours"));
	return true;
}

static void test_killed(void **state)
{
	(void) state;
	bool was_killed = true;
	for (uint64_t kill_at = 1; was_killed; kill_at += 1 + kill_at / 24) {
		struct cloud *c = cloud_new(kill_at, 2);
		struct sides p = {.instance = cloud_launch_running(c)};
		c->kill_at = c->steps + kill_at;
		was_killed = !tell(c, &p);
		c->kill_at = 0;
		if (was_killed) {
			cloud_restart(c);
			assert_true(tell(c, &p));
		}
		assert_int_equal(cloud_guest(c, p.instance).boots, 1);
		cloud_done(c);
	}
}

/* While it is dead, the guest writes to what it has, and ends: that volume is its, then. */
static void test_killed_and_ended(void **state)
{
	(void) state;
	bool was_killed = true, was_new = false;
	for (uint64_t kill_at = 1; was_killed; kill_at += 1 + kill_at / 24) {
		struct cloud *c = cloud_new(kill_at, 1);
		struct sides p = {.instance = cloud_launch_running(c)};
		assert_true(prepare(c, &p, 0, false));
		struct str host = STR("h0");
		sim_compute_write_disk(host, p.old, "ours");
		c->kill_at = c->steps + kill_at;
		bool is_done = ask(c, &p) && (cloud_step_until(c, is_over, &p.new, 2 * MINUTE),
					      !cloud_was_killed(c) && cloud_lived_to_settle(c));
		was_killed = !is_done;
		c->kill_at = 0;
		bool is_new = sim_compute_has_plugged(host, p.instance, p.new);
		was_new |= was_killed && is_new;
		sim_compute_write_disk(host, is_new ? p.new : p.old, "late");
		sim_compute_end_guest(host, p.instance, COMPUTE_OFF_CRASHED);
		if (was_killed)
			cloud_restart(c);
		await_end(c, p.new);
		cloud_await(c, p.instance, INSTANCE_RUNNING);
		cloud_settle(c);
		check_has(c, p.instance, is_new ? p.new : p.old, is_new ? p.old : p.new);
		assert_true(sim_compute_disk_has(host, is_new ? p.new : p.old, "late"));
		cloud_done(c);
	}
	assert_true(was_new); /* the swap had happened without a report */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_there_and_back),         cmocka_unit_test(test_while_paused),
		cmocka_unit_test(test_keeps_others_off),       cmocka_unit_test(test_comes_to_nothing),
		cmocka_unit_test(test_ends_with_its_instance), cmocka_unit_test(test_killed),
		cmocka_unit_test(test_killed_and_ended),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
