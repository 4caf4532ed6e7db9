/* SPDX-License-Identifier: Apache-2.0
 * Incremental snapshots, end to end: a snapshot has exactly its volume's content at its moment, whether it is
 * a full copy or an increment, in spite of kills, outages and deletions at any step. */
#include <stdio.h>
#include <unistd.h>

#include "../cloud/cloud.h"
#include "drivers/sim/compute_state.h"
#include "engine/storage/snapshot/snapshot.h"
#include "model/id.h"
#include "store/snapshot.h"
#include "store/volume.h"

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

static void write_text(struct cloud *c, uuid volume, const char *text)
{
	char name[24] = "";
	for (size_t k = 0; k < c->host_count; k++)
		if (uuid_equal(c->hosts[k], volume_row(c, volume).seen_host))
			(void) snprintf(name, sizeof name, "h%zu", k);
	sim_compute_write_disk(str_from(name), volume, text);
}

static struct result ask(struct cloud *c, uuid volume, uuid *ret_snapshot)
{
	struct snapshot_wish wish = {.volume = cloud_ref(c, KIND_VOLUME, volume)};
	struct result r = cloud_call(c, &c->alice, engine_create_snapshot_run, &wish);
	*ret_snapshot = wish.snapshot;
	return r;
}

static uuid take(struct cloud *c, uuid volume)
{
	uuid snapshot = UUID_NONE;
	cloud_expect_at(c, ask(c, volume, &snapshot), __FILE__, __LINE__);
	return snapshot;
}

static struct result drop(struct cloud *c, uuid snapshot)
{
	struct snapshot_target target = {.snapshot = cloud_ref(c, KIND_SNAPSHOT, snapshot)};
	return cloud_call(c, &c->alice, engine_delete_snapshot_run, &target);
}

static struct str path_of(struct cloud *c, uuid snapshot)
{
	return str_print(c->arena, "%s/images/%" STR_FMT ".qcow2", c->directory,
			 STR_ARG(snapshot_row(c, snapshot).sha256));
}

/* Whether the snapshot's stored file contains this text. */
static bool has(struct cloud *c, uuid snapshot, const char *text)
{
	struct snapshot row = snapshot_row(c, snapshot);
	char found[SIM_TEXT_SIZE] = "";
	FILE *f = row.sha256.n ? fopen(path_of(c, snapshot).p, "r") : NULL;
	if (!f)
		return false;
	bool is_read =
		fseek(f, SIM_TEXT_AT, SEEK_SET) == 0 && fread(found, 1, sizeof found, f) == sizeof found;
	assert_int_equal(fclose(f), 0);
	return is_read && row.over.n == 0 && str_is(str_from(found), text);
}

/* Settles, and returns whether an increment was cut meanwhile. */
static bool settle(struct cloud *c)
{
	struct sim_counts before = {0}, after = {0};
	sim_compute_count(&before);
	cloud_settle(c);
	sim_compute_count(&after);
	return after.increments > before.increments;
}

static uuid root_of(struct cloud *c, uuid instance)
{
	uuid root = cloud_volume_of(c, instance);
	write_text(c, root, "first");
	return root;
}

static void test_chain(void **state)
{
	(void) state;
	struct cloud *c = cloud_new(1, 1);
	uuid root = root_of(c, cloud_launch_running(c));
	uuid one = take(c, root);
	assert_false(settle(c)); /* there is nothing that it could be since */
	assert_true(uuid_equal(volume_row(c, root).tracked_from, one));
	write_text(c, root, "second");
	uuid two = take(c, root);
	assert_true(settle(c));
	uuid three = take(c, root);
	assert_true(settle(c)); /* nothing was written */
	assert_true(has(c, one, "first") && has(c, two, "second") && has(c, three, "second"));
	cloud_expect_at(c, drop(c, one), __FILE__, __LINE__);
	cloud_expect_at(c, drop(c, two), __FILE__, __LINE__);
	cloud_step_for(c, HOUR);
	assert_true(has(c, three, "second"));
	write_text(c, root, "fourth");
	uuid four = take(c, root);
	assert_true(settle(c));
	assert_true(has(c, four, "fourth") && has(c, three, "second"));
	cloud_expect_at(c, drop(c, four), __FILE__, __LINE__);
	uuid five = take(c, root);
	assert_false(settle(c)); /* its possible base was deleted */
	assert_true(has(c, five, "fourth"));
	cloud_done(c);
}

/* At rest, too, once its disk notes what is written. */
static void test_at_rest(void **state)
{
	(void) state;
	struct cloud *c = cloud_new(2, 1);
	uuid instance = cloud_launch_running(c), root = root_of(c, instance), one = take(c, root);
	assert_false(settle(c));
	cloud_stop(c, instance);
	cloud_settle(c);
	write_text(c, root, "second");
	uuid two = take(c, root);
	assert_true(settle(c));
	cloud_start(c, instance);
	cloud_settle(c);
	uuid three = take(c, root);
	assert_true(settle(c));
	assert_true(has(c, one, "first") && has(c, two, "second") && has(c, three, "second"));
	cloud_done(c);
}

/* A crash invalidates the disk's record of changes: the next snapshot is a full copy, and the disk can still
 * grow. */
static void test_crash(void **state)
{
	(void) state;
	for (int grows = 0; grows < 2; grows++) {
		struct cloud *c = cloud_new(3, 1);
		uuid instance = cloud_launch_running(c), root = root_of(c, instance), one = take(c, root);
		assert_false(settle(c));
		cloud_stop(c, instance);
		cloud_settle(c);
		cloud_start(c, instance);
		cloud_settle(c);
		write_text(c, root, "second");
		sim_compute_end_guest(STR("h0"), instance, COMPUTE_OFF_CRASHED);
		cloud_settle(c);
		struct volume_modifying wish = {.volume = cloud_ref(c, KIND_VOLUME, root),
						.size = 9 * CLOUD_GIB};
		if (grows)
			cloud_ok(c, &c->alice, engine_modify_volume, &wish);
		cloud_settle(c);
		assert_int_equal(volume_row(c, root).seen_size == 9 * CLOUD_GIB, grows);
		uuid two = take(c, root);
		assert_false(settle(c));
		uuid three = take(c, root);
		assert_true(settle(c));
		assert_true(has(c, one, "first") && has(c, two, "second") && has(c, three, "second"));
		cloud_done(c);
	}
}

/* The increment's base is deleted at any moment, while the host is away for longer than files without a row
 * are kept. */
static void test_deleted_meanwhile(void **state)
{
	(void) state;
	for (int ms = 0; ms < 3000; ms += 250) {
		struct cloud *c = cloud_new(4, 1);
		uuid root = root_of(c, cloud_launch_running(c)), one = take(c, root);
		(void) settle(c);
		write_text(c, root, "second");
		uuid two = take(c, root);
		cloud_step_for(c, ms * MILLISECOND);
		sim_compute_set_health(STR("h0"), SIM_DOWN, 0);
		cloud_expect_at(c, drop(c, one), __FILE__, __LINE__);
		cloud_step_for(c, HOUR);
		sim_compute_set_health(STR("h0"), SIM_UP, 0);
		cloud_settle(c);
		assert_true(has(c, two, "second"));
		cloud_done(c);
	}
}

static bool is_fixed(struct cloud *c, const void *snapshot)
{
	return snapshot_row(c, *(const uuid *) snapshot).seen_stage != SNAPSHOT_SEEN_STAGE_NONE;
}

/* The previous snapshot's file is lost. If that happens before the cut, the next snapshot is a full copy;
 * afterwards its increment has no base, which is reported. */
static void test_lost_file(void **state)
{
	(void) state;
	for (int is_cut = 0; is_cut < 2; is_cut++) {
		struct cloud *c = cloud_new(5, 1);
		uuid root = root_of(c, cloud_launch_running(c)), one = take(c, root);
		(void) settle(c);
		write_text(c, root, "second");
		struct str path = path_of(c, one);
		if (!is_cut)
			assert_int_equal(unlink(path.p), 0);
		uuid two = take(c, root);
		assert_true(cloud_step_until(c, is_fixed, &two, MINUTE));
		assert_int_equal(snapshot_row(c, two).over.n > 0, is_cut);
		if (is_cut)
			assert_int_equal(unlink(path.p), 0);
		cloud_settle(c);
		assert_int_equal(snapshot_row(c, two).problem.n > 0, is_cut);
		assert_int_equal(has(c, two, "second"), !is_cut);
		uuid three = take(c, root);
		cloud_settle(c);
		assert_true(has(c, three, "second"));
		cloud_done(c);
	}
}

static bool take_with_kill(uint64_t seed, uint64_t at)
{
	struct cloud *c = cloud_new(seed * 1000, 1);
	uuid root = root_of(c, cloud_launch_running(c)), one = take(c, root), two = UUID_NONE;
	(void) settle(c);
	write_text(c, root, "second");
	c->kill_at = c->steps + at;
	if (result_is_ok(ask(c, root, &two)))
		cloud_step_for(c, MINUTE);
	bool was_killed = cloud_was_killed(c);
	c->kill_at = 0;
	if (was_killed)
		cloud_restart(c);
	cloud_settle(c);
	bool is_there = !uuid_is_none(two) && !uuid_is_none(snapshot_row(c, two).row.id);
	assert_true(is_there || was_killed);
	write_text(c, root, "third");
	uuid three = take(c, root);
	cloud_settle(c);
	assert_true(has(c, one, "first") && has(c, three, "third"));
	assert_true(!is_there || has(c, two, "second"));
	cloud_done(c);
	return was_killed;
}

static void test_kill_after_each_step(void **state)
{
	(void) state;
	for (uint64_t seed = 1; seed <= 3; seed++) {
		uint64_t at = 1;
		while (take_with_kill(seed, at))
			at++;
		assert_true(at > 10);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_chain),     cmocka_unit_test(test_at_rest),
		cmocka_unit_test(test_crash),     cmocka_unit_test(test_deleted_meanwhile),
		cmocka_unit_test(test_lost_file), cmocka_unit_test(test_kill_after_each_step),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
