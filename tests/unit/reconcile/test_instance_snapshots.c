/* SPDX-License-Identifier: Apache-2.0
 * Snapshots of instances: a revert changes all disks or none, even if the process is killed at any time. */
#include "../cloud/cloud.h"
#include "drivers/sim/compute_state.h"
#include "engine/instance/instance_snapshot.h"
#include "store/instance_snapshot.h"
#include "store/volume.h"
#include "store/zone.h"

enum { SEEDS = 3, DISKS = 2 };

struct tale {
	struct cloud *c;
	uuid instance, disks[DISKS];
};

static struct volume disk_row(struct cloud *c, uuid id)
{
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	const struct volume *v = volume_find(view.tables, id);
	return v ? *v : (struct volume){0};
}

static uuid find_snapshot(struct cloud *c)
{
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	const struct instance_snapshot *s = instance_snapshot_first(view.tables);
	return s ? s->row.id : UUID_NONE;
}

static void write_disks(struct tale *t, const char *text)
{
	for (size_t k = 0; k < DISKS; k++)
		sim_compute_write_disk(cloud_host_of(t->c, t->instance), t->disks[k], text);
}

static void make(struct tale *t)
{
	struct volume_wish wish = {.disk = {.size = CLOUD_GIB, .type = STR("gp2"), .field = STR("x")}};
	t->instance = cloud_launch_running(t->c);
	t->disks[0] = cloud_volume_of(t->c, t->instance);
	wish.zone = cloud_ref(t->c, KIND_ZONE, cloud_instance(t->c, t->instance).zone);
	cloud_ok(t->c, &t->c->alice, engine_create_volume, &wish);
	cloud_settle(t->c);
	t->disks[1] = wish.volume;
	struct volume_attaching attach = {.volume = cloud_ref(t->c, KIND_VOLUME, wish.volume),
					  .instance = cloud_ref(t->c, KIND_INSTANCE, t->instance),
					  .device = STR("/dev/sdf")};
	cloud_ok(t->c, &t->c->alice, engine_attach_volume, &attach);
	cloud_settle(t->c);
	write_disks(t, "kept");
}

/* ---- the chapters: each may be told again from its start ---- */

static bool ask(struct tale *t, op_run run, void *wish)
{
	return cloud_was_answered(t->c, cloud_call(t->c, &t->c->alice, run, wish));
}

static bool tell_take(struct tale *t)
{
	struct instance_snapshot_wish wish = {.instance = cloud_ref(t->c, KIND_INSTANCE, t->instance),
					      .name = STR("one")};
	if (uuid_is_none(find_snapshot(t->c)) && !ask(t, engine_create_instance_snapshot_run, &wish))
		return false;
	return cloud_lived_to_settle(t->c);
}

static bool tell_stop(struct tale *t)
{
	if (!cloud_was_answered(t->c, cloud_power(t->c, engine_stop_instances_run, t->instance, false)))
		return false;
	return cloud_lived_to_settle(t->c);
}

/* The instance is started at once, and waits for both disks' reverts. */
static bool tell_revert(struct tale *t)
{
	struct instance_snapshot_target wish = {
		.snapshot = cloud_ref(t->c, KIND_INSTANCE_SNAPSHOT, find_snapshot(t->c))};
	if (disk_row(t->c, t->disks[0]).reverts == 0) {
		write_disks(t, "spoilt");
		if (!ask(t, engine_revert_instance_run, &wish))
			return false;
	}
	assert_int_equal(disk_row(t->c, t->disks[0]).reverts, disk_row(t->c, t->disks[1]).reverts);
	if (!cloud_was_answered(t->c, cloud_power(t->c, engine_start_instances_run, t->instance, false)))
		return false;
	return cloud_lived_to_settle(t->c);
}

static bool tell_delete(struct tale *t)
{
	struct instance_snapshot_target wish = {
		.snapshot = cloud_ref(t->c, KIND_INSTANCE_SNAPSHOT, find_snapshot(t->c))};
	if (!uuid_is_none(find_snapshot(t->c)) && !ask(t, engine_delete_instance_snapshot_run, &wish))
		return false;
	return cloud_lived_to_settle(t->c);
}

static bool (*const chapters[])(struct tale *t) = {tell_take, tell_stop, tell_revert, tell_delete};
enum { CHAPTERS = sizeof chapters / sizeof chapters[0] };

static bool tell_with_kill(uint64_t seed, uint64_t at)
{
	struct tale t = {.c = cloud_new(seed * 1000, 1)};
	bool was_killed = false;
	make(&t);
	t.c->kill_at = t.c->steps + at;
	for (size_t k = 0; k < CHAPTERS;) {
		if (chapters[k](&t)) {
			k++;
			continue;
		}
		assert_false(was_killed);
		was_killed = true;
		cloud_restart(t.c);
		cloud_settle(t.c);
		assert_int_equal(cloud_count_leaks(t.c), 0);
	}
	t.c->kill_at = 0;
	for (size_t k = 0; k < DISKS; k++) {
		assert_true(sim_compute_disk_has(cloud_host_of(t.c, t.instance), t.disks[k], "kept"));
		assert_false(sim_compute_disk_has(cloud_host_of(t.c, t.instance), t.disks[k], "spoilt"));
		assert_int_equal(disk_row(t.c, t.disks[k]).seen_reverts, 1);
	}
	assert_int_equal(cloud_state(t.c, t.instance), INSTANCE_RUNNING);
	assert_int_equal(cloud_count(t.c, KIND_INSTANCE_SNAPSHOT), 0);
	cloud_done(t.c);
	return was_killed;
}

static void test_kill_after_each_step(void **state)
{
	(void) state;
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		uint64_t at = 1;
		while (tell_with_kill(seed, at))
			at++;
		print_message("seed %llu: killed at %llu places\n", (unsigned long long) seed,
			      (unsigned long long) at - 1);
		assert_true(at > 30);
	}
}

/* A guest that was asked to start stays off until each of its disks has its old content. */
static void test_waits_for_disks(void **state)
{
	(void) state;
	struct tale t = {.c = cloud_new(3, 1)};
	make(&t);
	assert_true(tell_take(&t) && tell_stop(&t));
	int64_t boots = cloud_guest(t.c, t.instance).boots;
	struct instance_snapshot_target wish = {
		.snapshot = cloud_ref(t.c, KIND_INSTANCE_SNAPSHOT, find_snapshot(t.c))};
	cloud_ok(t.c, &t.c->alice, engine_revert_instance, &wish);
	cloud_start(t.c, t.instance);
	while (disk_row(t.c, t.disks[0]).seen_reverts + disk_row(t.c, t.disks[1]).seen_reverts < DISKS) {
		assert_int_equal(cloud_guest(t.c, t.instance).boots, boots);
		cloud_step_for(t.c, MILLISECOND);
	}
	cloud_settle(t.c);
	assert_int_equal(cloud_guest(t.c, t.instance).boots, boots + 1);
	cloud_done(t.c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kill_after_each_step),
		cmocka_unit_test(test_waits_for_disks),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
