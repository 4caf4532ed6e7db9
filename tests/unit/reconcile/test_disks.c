/* SPDX-License-Identifier: Apache-2.0
 * Disks, end to end: data written by guests survives snapshots and moves, in spite of kills at any step. */
#include <stdio.h>
#include <unistd.h>

#include "../cloud/cloud.h"
#include "drivers/sim/compute_state.h"
#include "engine/storage/snapshot/snapshot.h"
#include "engine/storage/volume_type/volume_qos.h"
#include "model/host.h"
#include "model/id.h"
#include "model/states.h"
#include "store/instance.h"
#include "store/snapshot.h"
#include "store/volume.h"
#include "store/zone.h"

enum { SEEDS = 3 };

/* ---- requests of users ---- */

/* A pending snapshot of a volume, as CreateSnapshot writes one. */
static RESULT write_snapshot(struct op *op, void *arg)
{
	struct snapshot *snapshot = arg;
	const struct volume *v = volume_find(op->head, snapshot->volume);
	if (snapshot_find(op->head, snapshot->row.id)) /* asked once more, after a kill */
		return OK;
	snapshot->row.gen = 1;
	snapshot->account = v->account;
	snapshot->host = v->host;
	snapshot->instance = v->instance;
	snapshot->volume_size = v->size;
	snapshot->is_encrypted = v->is_encrypted;
	snapshot->data_key = v->data_key;
	return snapshot_put(op, snapshot);
}

static RESULT take_snapshot(struct cloud *c, uuid volume, uuid id)
{
	struct snapshot snapshot = {.row.id = id, .volume = volume};
	return cloud_call(c, NULL, write_snapshot, &snapshot);
}

static RESULT make_disk(struct cloud *c, uuid snapshot, bool is_encrypted, uuid *ret_volume)
{
	bool is_blank = uuid_is_none(snapshot);
	struct volume_wish wish = {.disk = {.size = is_blank ? CLOUD_GIB : 0,
					    .type = STR("gp2"),
					    .crypt.is_wanted = is_encrypted ? CHOICE_YES : CHOICE_DEFAULT},
				   .client_token = is_blank ? STR("blank") : STR("copy")};
	{
		AUTO_VIEW view = {0};
		view_open(c->store, &view);
		wish.zone = cloud_ref(c, KIND_ZONE, zone_first(view.tables)->row.id);
	}
	if (!is_blank)
		wish.disk.snapshot = cloud_ref(c, KIND_SNAPSHOT, snapshot);
	TRY(cloud_call(c, &c->alice, engine_create_volume_run, &wish));
	*ret_volume = wish.volume;
	return OK;
}

static RESULT make_volume(struct cloud *c, uuid snapshot, uuid *ret_volume)
{
	return make_disk(c, snapshot, false, ret_volume);
}

static RESULT attach(struct cloud *c, uuid volume, uuid instance)
{
	struct volume_attaching wish = {.volume = cloud_ref(c, KIND_VOLUME, volume),
					.instance = cloud_ref(c, KIND_INSTANCE, instance),
					.device = STR("/dev/sdf")};
	return cloud_call(c, &c->alice, engine_attach_volume_run, &wish);
}

static RESULT detach(struct cloud *c, uuid volume)
{
	struct volume_detaching wish = {.volume = cloud_ref(c, KIND_VOLUME, volume)};
	return cloud_call(c, &c->alice, engine_detach_volume_run, &wish);
}

/* ---- looking ---- */

static struct volume volume_row(struct cloud *c, uuid id)
{
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	const struct volume *v = volume_find(view.tables, id);
	return v ? *v : (struct volume){0};
}

static struct snapshot snapshot_row(struct cloud *c, uuid id)
{
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	const struct snapshot *s = snapshot_find(view.tables, id);
	return s ? *s : (struct snapshot){0};
}

static struct str host_name(struct cloud *c, uuid host)
{
	static char name[24];
	for (size_t k = 0; k < c->host_count; k++)
		if (uuid_equal(c->hosts[k], host))
			(void) snprintf(name, sizeof name, "h%zu", k);
	return str_from(name);
}

static struct str find_host(struct cloud *c, uuid volume)
{
	return host_name(c, volume_row(c, volume).seen_host);
}

#define CHECK_TEXT(c, volume, text)                                                                          \
	assert_true(sim_compute_disk_has(find_host((c), (volume)), (volume), (text)))

/* An instance on another host than the volume. */
static uuid launch_elsewhere(struct cloud *c, uuid volume)
{
	for (int tries = 0; tries < 20; tries++) {
		uuid id = cloud_launch_running(c);
		if (!uuid_equal(cloud_instance(c, id).host, volume_row(c, volume).seen_host))
			return id;
	}
	fail_msg("all on one host");
	return UUID_NONE;
}

/* ---- stories ---- */

static void test_snapshots(void **state)
{
	(void) state;
	struct cloud *c = cloud_new(1, 2);
	uuid instance = cloud_launch_running(c), root = cloud_volume_of(c, instance);
	uuid one = id_new(KIND_SNAPSHOT), two = id_new(KIND_SNAPSHOT), copy = UUID_NONE;
	sim_compute_write_disk(find_host(c, root), root, "first");
	cloud_expect_at(c, take_snapshot(c, root, one), __FILE__, __LINE__);
	cloud_expect_at(c, take_snapshot(c, root, two), __FILE__, __LINE__); /* one job at a time */
	cloud_settle(c);
	sim_compute_write_disk(find_host(c, root), root, "second");
	assert_int_equal(snapshot_row(c, one).seen_stage, SNAPSHOT_SEEN_STAGE_KEPT);
	assert_int_equal(snapshot_row(c, two).seen_stage, SNAPSHOT_SEEN_STAGE_KEPT);
	assert_int_equal(snapshot_row(c, one).progress, 100);
	cloud_expect_at(c, make_volume(c, one, &copy), __FILE__, __LINE__);
	cloud_settle(c);
	CHECK_TEXT(c, copy, "first");
	CHECK_TEXT(c, root, "second");
	struct snapshot_target target = {.snapshot = cloud_ref(c, KIND_SNAPSHOT, one)};
	cloud_ok(c, &c->alice, engine_delete_snapshot, &target);
	cloud_step_for(c, 2 * CLOUD_RESYNC_US);
	assert_int_equal(cloud_count(c, KIND_SNAPSHOT), 3); /* and the image's: its volume may need it */
	uuid elsewhere = launch_elsewhere(c, copy);
	cloud_expect_at(c, attach(c, copy, elsewhere), __FILE__, __LINE__);
	cloud_settle(c);
	CHECK_TEXT(c, copy, "first");
	cloud_done(c);
}

/* A deleted snapshot that a volume was made from is forgotten when the volume is, not some time later. */
static void test_snapshot_goes_with_its_volume(void **state)
{
	(void) state;
	struct cloud *c = cloud_new(1, 1);
	uuid root = cloud_volume_of(c, cloud_launch_running(c)), one = id_new(KIND_SNAPSHOT),
	     copy = UUID_NONE;
	cloud_expect_at(c, take_snapshot(c, root, one), __FILE__, __LINE__);
	cloud_settle(c);
	cloud_expect_at(c, make_volume(c, one, &copy), __FILE__, __LINE__);
	cloud_settle(c);
	struct snapshot_target snapshot = {.snapshot = cloud_ref(c, KIND_SNAPSHOT, one)};
	cloud_ok(c, &c->alice, engine_delete_snapshot, &snapshot);
	struct volume_target volume = {.volume = cloud_ref(c, KIND_VOLUME, copy)};
	cloud_ok(c, &c->alice, engine_delete_volume, &volume);
	cloud_settle(c);
	assert_true(uuid_is_none(snapshot_row(c, one).row.id));
	cloud_done(c);
}

static struct str store_path(struct cloud *c, uuid snapshot)
{
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	struct str sha256 = snapshot_find(view.tables, snapshot)->sha256;
	return str_print(c->arena, "%s/images/%" STR_FMT ".qcow2", c->directory, STR_ARG(sha256));
}

static void write_at(struct str path, long at, int byte)
{
	FILE *f = fopen(path.p, "r+b");
	assert_non_null(f);
	assert_int_equal(fseek(f, at, SEEK_SET), 0);
	assert_int_equal(fputc(byte, f), byte);
	assert_int_equal(fclose(f), 0);
}

/* The store's file is of other bytes, or cut: nothing is made from it, nor sent, until it is as it was. */
static void tell_unreadable(bool is_cut)
{
	enum { LAST = SIM_FILE_SIZE - 1 };
	struct cloud *c = cloud_new(1, 2);
	uuid root = cloud_volume_of(c, cloud_launch_running(c)), one = id_new(KIND_SNAPSHOT),
	     copy = UUID_NONE;
	sim_compute_write_disk(find_host(c, root), root, "first");
	cloud_expect_at(c, take_snapshot(c, root, one), __FILE__, __LINE__);
	cloud_settle(c);
	struct str path = store_path(c, one);
	if (is_cut)
		assert_int_equal(truncate(path.p, LAST), 0);
	else
		write_at(path, LAST, 'x');
	cloud_expect_at(c, make_volume(c, one, &copy), __FILE__, __LINE__);
	cloud_step_for(c, 5 * MINUTE);
	assert_true(cloud_has_condition(c, copy, "ImageUnreadable"));
	assert_false(cloud_has_condition(c, copy, "NotReconciled"));
	assert_int_equal(volume_row(c, copy).seen_size, 0);
	cloud_await(c, cloud_launch(c), INSTANCE_RUNNING); /* others go on */
	write_at(path, LAST, 0);
	cloud_step_for(c, MINUTE);
	assert_false(cloud_has_condition(c, copy, "ImageUnreadable"));
	CHECK_TEXT(c, copy, "first");
	cloud_done(c);
}

static void test_unreadable(void **state)
{
	(void) state;
	tell_unreadable(true);
	tell_unreadable(false);
}

/* A snapshot is of the disk as it was when it was asked for: growing waits until it is cut. */
static void test_snapshot_before_growing(void **state)
{
	(void) state;
	for (uint64_t seed = 1; seed <= 20; seed++) {
		struct cloud *c = cloud_new(seed, 1);
		uuid volume, snapshot = uuid_random();
		cloud_expect_at(c, make_volume(c, UUID_NONE, &volume), __FILE__, __LINE__);
		cloud_settle(c);
		struct volume_modifying wish = {.volume = cloud_ref(c, KIND_VOLUME, volume),
						.size = 9 * CLOUD_GIB};
		cloud_expect_at(c, take_snapshot(c, volume, snapshot), __FILE__, __LINE__);
		int64_t before = snapshot_row(c, snapshot).volume_size;
		cloud_ok(c, &c->alice, engine_modify_volume, &wish);
		cloud_settle(c);
		assert_int_equal(snapshot_row(c, snapshot).seen_stage, SNAPSHOT_SEEN_STAGE_KEPT);
		assert_int_equal(snapshot_row(c, snapshot).volume_size, before);
		assert_int_equal(volume_row(c, volume).seen_size, 9 * CLOUD_GIB);
		cloud_done(c);
	}
}

/* The limit in effect on the guest's disk in operations per second; 0 if the guest lacks the disk. */
static int64_t iops_applied(struct cloud *c, uuid instance, uuid volume)
{
	struct disk_limits limits = {0};
	return sim_compute_find_limits(cloud_host_of(c, instance), volume, &limits) ? limits.iops : 0;
}

/* Changed while the guest runs, and there again when it was off. */
static void test_limits(void **state)
{
	(void) state;
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct cloud *c = cloud_new(seed, 1);
		uuid one = cloud_launch_running(c), volume;
		cloud_expect_at(c, make_volume(c, UUID_NONE, &volume), __FILE__, __LINE__);
		cloud_settle(c);
		cloud_expect_at(c, attach(c, volume, one), __FILE__, __LINE__);
		cloud_settle(c);
		assert_int_equal(iops_applied(c, one, volume), 100);
		struct volume_modifying wish = {.volume = cloud_ref(c, KIND_VOLUME, volume),
						.type = STR("gp3"),
						.iops = 4000,
						.size = 8 * CLOUD_GIB};
		cloud_ok(c, &c->alice, engine_modify_volume, &wish);
		cloud_settle(c);
		assert_int_equal(iops_applied(c, one, volume), 4000);
		cloud_stop(c, one);
		cloud_settle(c);
		assert_int_equal(iops_applied(c, one, volume), 0);
		cloud_start(c, one);
		cloud_settle(c);
		assert_int_equal(iops_applied(c, one, volume), 4000);
		cloud_done(c);
	}
}

/* An administrator's rates for the type reach a disk that is plugged in, and leave it. */
static void test_qos(void **state)
{
	(void) state;
	struct cloud *c = cloud_new(3, 1);
	uuid one = cloud_launch_running(c), volume;
	cloud_expect_at(c, make_volume(c, UUID_NONE, &volume), __FILE__, __LINE__);
	cloud_settle(c);
	cloud_expect_at(c, attach(c, volume, one), __FILE__, __LINE__);
	struct tag specs[] = {{STR("total_iops_sec"), STR("77")}};
	struct volume_qos_wish slow = {
		.name = STR("slow"), .consumer = STR("front-end"), .specs = {specs, 1}};
	cloud_ok(c, NULL, engine_create_volume_qos, &slow);
	struct volume_qos_association held = {
		.qos = cloud_ref(c, KIND_VOLUME_QOS, slow.made),
		.type = {.kind = KIND_VOLUME_TYPE, .text = STR("gp2"), .field = STR("type")}};
	cloud_settle(c);
	assert_int_equal(iops_applied(c, one, volume), 100);
	cloud_ok(c, NULL, engine_associate_volume_qos, &held);
	cloud_settle(c);
	assert_int_equal(iops_applied(c, one, volume), 77);
	specs[0].value = STR("88");
	struct volume_qos_wish faster = {.qos = held.qos, .specs = {specs, 1}};
	cloud_ok(c, NULL, engine_update_volume_qos, &faster);
	cloud_settle(c);
	assert_int_equal(iops_applied(c, one, volume), 88);
	struct volume_qos_wish away = {.qos = held.qos, .consumer = STR("back-end")};
	cloud_ok(c, NULL, engine_update_volume_qos, &away);
	cloud_settle(c);
	assert_int_equal(iops_applied(c, one, volume), 100);
	struct volume_qos_target gone = {.qos = held.qos};
	assert_int_equal(cloud_call(c, NULL, engine_delete_volume_qos_run, &gone).code, ERR_IN_USE);
	cloud_ok(c, NULL, engine_disassociate_volume_qos, &held);
	cloud_ok(c, NULL, engine_delete_volume_qos, &gone);
	cloud_done(c);
}

static void test_snapshot_at_rest(void **state)
{
	(void) state;
	struct cloud *c = cloud_new(2, 1);
	uuid volume = UUID_NONE, copy = UUID_NONE, one = id_new(KIND_SNAPSHOT);
	cloud_expect_at(c, make_volume(c, UUID_NONE, &volume), __FILE__, __LINE__);
	cloud_settle(c);
	sim_compute_write_disk(find_host(c, volume), volume, "at rest");
	cloud_expect_at(c, take_snapshot(c, volume, one), __FILE__, __LINE__);
	cloud_settle(c);
	struct volume_target target = {.volume = cloud_ref(c, KIND_VOLUME, volume)};
	cloud_ok(c, &c->alice, engine_delete_volume, &target);
	cloud_settle(c);
	cloud_expect_at(c, make_volume(c, one, &copy), __FILE__, __LINE__);
	cloud_settle(c);
	CHECK_TEXT(c, copy, "at rest");
	cloud_done(c);
}

/* Its disk is lost, so the snapshot fails finally, with a message. */
static void test_snapshot_of_lost(void **state)
{
	(void) state;
	struct cloud *c = cloud_new(3, 1);
	uuid volume = UUID_NONE, one = id_new(KIND_SNAPSHOT);
	cloud_expect_at(c, make_volume(c, UUID_NONE, &volume), __FILE__, __LINE__);
	cloud_settle(c);
	cloud_lose_disk(c, volume);
	cloud_expect_at(c, take_snapshot(c, volume, one), __FILE__, __LINE__);
	cloud_step_for(c, MINUTE);
	assert_true(snapshot_row(c, one).problem.n > 0);
	assert_true(uuid_is_none(snapshot_row(c, one).host));
	cloud_bring_disk(c, volume);
	cloud_step_for(c, CLOUD_RESYNC_US);
	cloud_done(c);
}

/* A host that goes away in the midst of it; deleting in the midst of it. */
static void test_interrupted(void **state)
{
	(void) state;
	for (int ms = 0; ms < 4000; ms += 130) {
		struct cloud *c = cloud_new(4, 1);
		uuid instance = cloud_launch_running(c), root = cloud_volume_of(c, instance);
		uuid one = id_new(KIND_SNAPSHOT), two = id_new(KIND_SNAPSHOT);
		cloud_expect_at(c, take_snapshot(c, root, one), __FILE__, __LINE__);
		cloud_expect_at(c, take_snapshot(c, root, two), __FILE__, __LINE__);
		cloud_step_for(c, ms * MILLISECOND);
		sim_compute_disconnect(STR("h0"));
		struct snapshot_target target = {.snapshot = cloud_ref(c, KIND_SNAPSHOT, one)};
		cloud_ok(c, &c->alice, engine_delete_snapshot, &target);
		cloud_settle(c);
		assert_int_equal(snapshot_row(c, two).seen_stage, SNAPSHOT_SEEN_STAGE_KEPT);
		assert_int_equal(cloud_count(c, KIND_SNAPSHOT), 2);
		cloud_done(c);
	}
}

static void test_move(void **state)
{
	(void) state;
	struct cloud *c = cloud_new(5, 2);
	uuid volume = UUID_NONE;
	struct sim_counts counts = {0};
	cloud_expect_at(c, make_volume(c, UUID_NONE, &volume), __FILE__, __LINE__);
	cloud_settle(c);
	sim_compute_write_disk(find_host(c, volume), volume, "precious");
	uuid there = launch_elsewhere(c, volume);
	cloud_expect_at(c, attach(c, volume, there), __FILE__, __LINE__);
	cloud_settle(c);
	assert_true(uuid_equal(volume_row(c, volume).seen_host, cloud_instance(c, there).host));
	CHECK_TEXT(c, volume, "precious");
	sim_compute_write_disk(find_host(c, volume), volume, "more precious");
	cloud_expect_at(c, detach(c, volume), __FILE__, __LINE__);
	cloud_settle(c);
	uuid back = launch_elsewhere(c, volume);
	cloud_expect_at(c, attach(c, volume, back), __FILE__, __LINE__);
	cloud_settle(c);
	CHECK_TEXT(c, volume, "more precious");
	sim_compute_count(&counts);
	assert_int_equal(counts.disks, (int64_t) cloud_count(c, KIND_VOLUME));
	cloud_done(c);
}

/* ---- cached files ---- */

static int64_t cached(void)
{
	struct sim_counts counts = {0};
	sim_compute_count(&counts);
	return counts.images;
}

static void lose_bases(struct str host)
{
	struct sim_host *s = sim_need_host(host);
	for (size_t k = s->disk_count; k-- > 0;)
		if (s->disks[k].kind == DISK_BASE)
			s->disks[k] = s->disks[--s->disk_count];
}

/* Cached base images are removed after a day without use, or at once if space is short. */
static void test_cache(void **state)
{
	(void) state;
	struct cloud *c = cloud_new(6, 1);
	uuid one = cloud_launch_running(c), two = cloud_launch_running(c);
	assert_int_equal(cached(), 1);
	cloud_terminate(c, one);
	sim_compute_set_pool_free(STR("h0"), 1);
	cloud_step_for(c, 2 * CLOUD_RESYNC_US);
	assert_int_equal(cached(), 1); /* another guest's disk is based on it */
	sim_compute_set_pool_free(STR("h0"), 0);
	cloud_terminate(c, two);
	cloud_step_for(c, 2 * CLOUD_RESYNC_US);
	assert_int_equal(cached(), 1);
	cloud_step_for(c, 24 * HOUR + 2 * CLOUD_RESYNC_US);
	assert_int_equal(cached(), 0);
	one = cloud_launch_running(c); /* it is sent again */
	assert_int_equal(cached(), 1);
	cloud_terminate(c, one);
	cloud_settle(c);
	sim_compute_set_pool_free(STR("h0"), 1);
	cloud_step_for(c, 2 * CLOUD_RESYNC_US);
	assert_int_equal(cached(), 0);
	cloud_step_for(c, 2 * HOUR); /* the ended one is forgotten */
	cloud_done(c);
}

/* A lost base image is fetched again for the disks that are based on it. */
static void test_lost_base(void **state)
{
	(void) state;
	struct cloud *c = cloud_new(7, 1);
	uuid one = cloud_launch_running(c);
	lose_bases(STR("h0"));
	assert_int_equal(cached(), 0);
	cloud_step_for(c, 2 * CLOUD_RESYNC_US);
	assert_int_equal(cached(), 1);
	assert_int_equal(cloud_guest(c, one).boots, 1);
	cloud_done(c);
}

/* The volume that explains why the instance is not started; none: it waits for no disk. */
static uuid awaited_volume(struct cloud *c, uuid instance)
{
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	const struct volume *v =
		reconciler_find_awaited_volume(view.tables, instance_find(view.tables, instance));
	return v ? v->row.id : UUID_NONE;
}

static void test_waits_for_a_disk(void **state)
{
	(void) state;
	struct cloud *c = cloud_new(9, 1);
	uuid one = cloud_launch(c); /* its disk is not made yet, which is no trouble: no condition says it */
	assert_true(uuid_equal(awaited_volume(c, one), cloud_volume_of(c, one)));
	assert_false(cloud_has_condition(c, one, "WaitsForDisk"));
	cloud_await(c, one, INSTANCE_RUNNING);
	assert_true(uuid_is_none(awaited_volume(c, one)));
	cloud_done(c);
}

/* A disk's problem is also reported as a condition of its instance. */
static void test_instance_tells(void **state)
{
	(void) state;
	struct cloud *c = cloud_new(8, 1);
	uuid one = cloud_launch_running(c);
	uuid root = cloud_volume_of(c, one);
	cloud_stop(c, one);
	cloud_settle(c);
	cloud_lose_disk(c, root);
	cloud_step_for(c, 2 * CLOUD_RESYNC_US);
	assert_true(cloud_has_condition(c, root, "DiskMissing"));
	assert_true(cloud_has_condition(c, one, "WaitsForDisk"));
	assert_true(uuid_is_none(awaited_volume(c, one))); /* it is to be off */
	cloud_start(c, one);
	cloud_step_for(c, MINUTE);
	assert_true(uuid_equal(awaited_volume(c, one), root));
	assert_false(cloud_guest(c, one).is_on);
	cloud_bring_disk(c, root);
	cloud_step_for(c, 2 * CLOUD_RESYNC_US);
	assert_true(cloud_guest(c, one).is_on);
	assert_false(cloud_has_condition(c, one, "WaitsForDisk"));
	cloud_done(c);
}

/* ---- killed after each step ---- */

struct tale {
	struct cloud *c;
	uuid volume, instance, snapshot, copy;
};

static bool tell_snapshot(struct tale *t)
{
	return cloud_was_answered(t->c, take_snapshot(t->c, t->volume, t->snapshot)) &&
	       cloud_lived_to_settle(t->c);
}

static bool tell_copy(struct tale *t)
{
	return cloud_was_answered(t->c, make_volume(t->c, t->snapshot, &t->copy)) &&
	       cloud_lived_to_settle(t->c);
}

/* The revert undoes exactly the writes since the snapshot. */
static bool tell_revert(struct tale *t)
{
	struct volume_reverting wish = {.volume = cloud_ref(t->c, KIND_VOLUME, t->volume),
					.snapshot = cloud_ref(t->c, KIND_SNAPSHOT, t->snapshot)};
	if (volume_row(t->c, t->volume).reverts == 0) {
		sim_compute_write_disk(find_host(t->c, t->volume), t->volume, "spoilt");
		if (!cloud_was_answered(t->c,
					cloud_call(t->c, &t->c->alice, engine_revert_volume_run, &wish)))
			return false;
	}
	return cloud_lived_to_settle(t->c);
}

static bool tell_move(struct tale *t)
{
	if (uuid_is_none(volume_row(t->c, t->volume).instance) &&
	    !cloud_was_answered(t->c, attach(t->c, t->volume, t->instance)))
		return false;
	return cloud_lived_to_settle(t->c);
}

static bool tell_delete(struct tale *t)
{
	struct volume_target target = {.volume = cloud_ref(t->c, KIND_VOLUME, t->copy)};
	if (uuid_is_none(volume_row(t->c, t->copy).row.id))
		return true;
	if (row_is_live(&(struct row){.deleted_us = volume_row(t->c, t->copy).row.deleted_us}) &&
	    !cloud_was_answered(t->c, cloud_call(t->c, &t->c->alice, engine_delete_volume_run, &target)))
		return false;
	return cloud_lived_to_settle(t->c);
}

static bool (*const chapters[])(struct tale *t) = {tell_snapshot, tell_copy, tell_revert, tell_move,
						   tell_delete};
enum { CHAPTERS = sizeof chapters / sizeof chapters[0] };

static void check_tale(struct tale *t)
{
	struct sim_counts counts = {0};
	CHECK_TEXT(t->c, t->volume, "kept");
	assert_false(sim_compute_disk_has(find_host(t->c, t->volume), t->volume, "spoilt"));
	assert_int_equal(volume_row(t->c, t->volume).seen_reverts, 1);
	assert_true(
		uuid_equal(volume_row(t->c, t->volume).seen_host, cloud_instance(t->c, t->instance).host));
	sim_compute_count(&counts);
	assert_int_equal(counts.disks, (int64_t) cloud_count(t->c, KIND_VOLUME));
	assert_int_equal(counts.cuts, 0);
}

/* With one of the seeds the disks are encrypted, and readable only with their key. */
static bool tell_with_kill(uint64_t seed, uint64_t at)
{
	bool is_encrypted = seed == SEEDS;
	struct tale t = {.c = cloud_new(seed * 1000, 2), .snapshot = id_new(KIND_SNAPSHOT)};
	bool was_killed = false;
	cloud_expect_at(t.c, make_disk(t.c, UUID_NONE, is_encrypted, &t.volume), __FILE__, __LINE__);
	cloud_settle(t.c);
	assert_int_equal(volume_row(t.c, t.volume).data_key.n > 0, is_encrypted);
	sim_compute_write_disk(find_host(t.c, t.volume), t.volume, "kept");
	t.instance = launch_elsewhere(t.c, t.volume);
	cloud_settle(t.c);
	t.c->kill_at = t.c->steps + at;
	for (size_t k = 0; k < CHAPTERS;) {
		if (chapters[k](&t)) {
			if (k == 1)
				CHECK_TEXT(t.c, t.copy, "kept");
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
	check_tale(&t);
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

/* The encrypted copy of a plain snapshot, whose source is deleted at once: completed in spite of kills. */
static bool copy_with_kill(uint64_t at)
{
	struct cloud *c = cloud_new(7, 1);
	uuid volume = UUID_NONE, restored = UUID_NONE, one = id_new(KIND_SNAPSHOT);
	cloud_expect_at(c, make_volume(c, UUID_NONE, &volume), __FILE__, __LINE__);
	cloud_settle(c);
	sim_compute_write_disk(find_host(c, volume), volume, "kept");
	cloud_expect_at(c, take_snapshot(c, volume, one), __FILE__, __LINE__);
	cloud_settle(c);
	struct snapshot_copying copying = {.source = cloud_ref(c, KIND_SNAPSHOT, one),
					   .crypt.is_wanted = CHOICE_YES};
	struct snapshot_target target = {.snapshot = cloud_ref(c, KIND_SNAPSHOT, one)};
	cloud_ok(c, &c->alice, engine_copy_snapshot, &copying);
	uuid copy = copying.snapshot;
	cloud_ok(c, &c->alice, engine_delete_snapshot, &target);
	c->kill_at = c->steps + at;
	bool was_killed = !cloud_lived_to_settle(c);
	if (was_killed)
		cloud_restart(c);
	c->kill_at = 0;
	cloud_settle(c);
	assert_int_equal(snapshot_row(c, copy).seen_stage, SNAPSHOT_SEEN_STAGE_KEPT);
	assert_true(snapshot_row(c, copy).is_encrypted && snapshot_row(c, copy).data_key.n > 0);
	assert_int_equal(snapshot_row(c, copy).plain_sha256.n, 0);
	cloud_expect_at(c, make_volume(c, copy, &restored), __FILE__, __LINE__);
	cloud_settle(c);
	assert_true(volume_row(c, restored).is_encrypted);
	CHECK_TEXT(c, restored, "kept");
	cloud_done(c);
	return was_killed;
}

static void test_encrypted_copy(void **state)
{
	(void) state;
	uint64_t at = 1;
	while (copy_with_kill(at))
		at++;
	print_message("killed at %llu places\n", (unsigned long long) at - 1);
	assert_true(at > 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_snapshots),
		cmocka_unit_test(test_snapshot_goes_with_its_volume),
		cmocka_unit_test(test_unreadable),
		cmocka_unit_test(test_snapshot_before_growing),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_qos),
		cmocka_unit_test(test_snapshot_at_rest),
		cmocka_unit_test(test_snapshot_of_lost),
		cmocka_unit_test(test_interrupted),
		cmocka_unit_test(test_cache),
		cmocka_unit_test(test_lost_base),
		cmocka_unit_test(test_waits_for_a_disk),
		cmocka_unit_test(test_instance_tells),
		cmocka_unit_test(test_move),
		cmocka_unit_test(test_kill_after_each_step),
		cmocka_unit_test(test_encrypted_copy),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
