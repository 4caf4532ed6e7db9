/* SPDX-License-Identifier: Apache-2.0
 * Hosts that are off for good: what is lost when one is forgotten, and its consequences. Also the replacement
 * of dedicated hosts by other machines. */
#include "../cloud/cloud.h"
#include "engine/instance/instance.h"
#include "engine/instance/placement/instance_evacuate.h"
#include "engine/region/dedicated_host.h"
#include "engine/region/fence.h"
#include "engine/region/host_forget.h"
#include "engine/storage/storage_pool.h"
#include "model/states.h"
#include "store/dedicated_host.h"
#include "store/host.h"
#include "store/instance.h"
#include "store/volume.h"

enum { SEEDS = 20 };

static struct ref ref_of(struct str host)
{
	return (struct ref){.kind = KIND_HOST, .text = host};
}

static uuid launch_on(struct cloud *c, struct str host)
{
	for (;;) {
		uuid id = cloud_launch_running(c);
		if (str_equal(cloud_host_of(c, id), host))
			return id;
	}
}

/* Cuts the host's power and confirms that as an operator. */
static void lose_host(struct cloud *c, struct str host)
{
	struct fence_word wish = {.host = ref_of(host), .who = STR("kim")};
	sim_compute_cut_power(host);
	while (cloud_call(c, NULL, engine_vouch_fence_run, &wish).code == ERR_STATE)
		cloud_step_for(c, SECOND);
}

static RESULT forget(struct cloud *c, struct str host, struct host_forgetting *wish)
{
	*wish = (struct host_forgetting){.host = ref_of(host)};
	struct result result = cloud_call(c, NULL, engine_forget_host_run, wish);
	if (result_is_ok(result))
		cloud_scrap_host(host);
	return result;
}

static size_t count_lost(const struct host_forgetting *wish, enum kind kind)
{
	size_t count = 0;
	for (size_t k = 0; k < wish->lost.count; k++)
		count += wish->lost.at[k].kind == kind;
	return count;
}

static bool has_host(struct cloud *c, struct str name)
{
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	return host_find_by_name(view.tables, name) != NULL;
}

static enum volume_state volume_state(struct cloud *c, uuid id)
{
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	const struct volume *v = volume_find(view.tables, id);
	return v ? model_derive_volume_state(v) : VOLUME_DELETED;
}

static uuid make_volume(struct cloud *c)
{
	struct volume_wish wish = {.zone = {.kind = KIND_ZONE, .text = STR("xy-west-2a")},
				   .disk = {.size = CLOUD_GIB}};
	cloud_ok(c, &c->alice, engine_create_volume, &wish);
	cloud_settle(c);
	return wish.volume;
}

/* ---- forgotten */

/* A rebuilt instance runs elsewhere, and its old disk's row would wait for the host forever: it is deleted
 * with the host. */
static void forgets_old_disks(struct cloud *c)
{
	struct str h0 = STR("h0");
	struct host_forgetting wish;
	uuid id = launch_on(c, h0), old = cloud_volume_of(c, id);
	assert_int_equal(forget(c, h0, &wish).code, ERR_STATE); /* it answers */
	lose_host(c, h0);
	struct instance_evacuation leaves = {.instance = cloud_ref(c, KIND_INSTANCE, id), .rebuilds = true};
	cloud_ok(c, NULL, engine_evacuate_instance, &leaves);
	cloud_await(c, id, INSTANCE_RUNNING);
	assert_int_equal(volume_state(c, old), VOLUME_DELETING);
	struct host_target remove = {ref_of(h0)};
	assert_int_equal(cloud_call(c, NULL, engine_remove_host_run, &remove).code, ERR_IN_USE);
	assert_true(has_host(c, h0));
	cloud_expect_at(c, forget(c, h0, &wish), __FILE__, __LINE__);
	assert_false(has_host(c, h0));
	assert_int_equal(volume_state(c, old), VOLUME_DELETED);
	assert_int_equal(cloud_guest(c, id).boots, 1);
}
TEST_STORY(forgets_old_disks, 2)

/* The instance is off and cannot be started until a rebuild gives it a new disk. The process may be killed at
 * once. */
static void loses_disks(struct cloud *c)
{
	struct str h0 = STR("h0");
	struct host_forgetting wish;
	uuid id = launch_on(c, h0), ends = launch_on(c, h0), root = cloud_volume_of(c, id);
	lose_host(c, h0);
	cloud_terminate(c, ends);
	cloud_expect_at(c, forget(c, h0, &wish), __FILE__, __LINE__);
	if (c->seed % 2) {
		cloud_kill(c);
		cloud_restart(c);
	}
	cloud_settle(c);
	cloud_await(c, ends, INSTANCE_TERMINATED);
	assert_int_equal(cloud_state(c, id), INSTANCE_STOPPED);
	assert_true(cloud_instance(c, id).error_override);
	assert_int_equal(volume_state(c, root), VOLUME_ERROR);
	assert_int_equal(cloud_power(c, engine_start_instances_run, id, false).code, ERR_STATE);
	struct instance_rebuilding rebuild = {.instance = cloud_ref(c, KIND_INSTANCE, id),
					      .image = cloud_ref(c, KIND_IMAGE, c->image)};
	cloud_ok(c, &c->alice, engine_rebuild_instance, &rebuild);
	cloud_settle(c);
	assert_false(cloud_instance(c, id).error_override);
	assert_int_equal(volume_state(c, root), VOLUME_DELETED);
	cloud_start(c, id);
	cloud_await(c, id, INSTANCE_RUNNING);
	assert_true(str_equal(cloud_host_of(c, id), STR("h1")));
}
TEST_STORY(loses_disks, 2)

/* A free volume is an error until it is deleted, and nothing else is done with it. */
static void loses_free_volumes(struct cloud *c)
{
	struct host_forgetting wish;
	uuid volume = make_volume(c), other = make_volume(c);
	struct str host = uuid_equal(cloud_disk(c, volume).host, c->hosts[0]) ? STR("h0") : STR("h1");
	bool both = uuid_equal(cloud_disk(c, volume).host, cloud_disk(c, other).host);
	lose_host(c, host);
	cloud_expect_at(c, forget(c, host, &wish), __FILE__, __LINE__);
	assert_int_equal(count_lost(&wish, KIND_VOLUME), 1 + both);
	assert_int_equal(volume_state(c, volume), VOLUME_ERROR);
	assert_int_equal(volume_state(c, other), both ? VOLUME_ERROR : VOLUME_AVAILABLE);
	struct volume_target target = {.volume = cloud_ref(c, KIND_VOLUME, volume)};
	struct volume_modifying modify = {.volume = target.volume, .size = 2 * CLOUD_GIB};
	assert_int_equal(cloud_call(c, &c->alice, engine_modify_volume_run, &modify).code, ERR_STATE);
	cloud_ok(c, &c->alice, engine_delete_volume, &target);
	cloud_settle(c);
	assert_int_equal(volume_state(c, volume), VOLUME_DELETED);
}
TEST_STORY(loses_free_volumes, 2)

/* ---- disks in a pool */

static struct str pooled[] = {STR("gp3"), STR("gp2")};

static void add_pool(struct cloud *c)
{
	struct storage_pool_wish wish = {
		.name = STR("nfs"), .kind = STORAGE_POOL_KIND_SHARED_DIR, .path = STR("/srv/shared")};
	cloud_ok(c, NULL, engine_add_storage_pool, &wish);
	struct storage_pool_settings bound = {.pool = cloud_ref(c, KIND_STORAGE_POOL, wish.pool),
					      .more_types = {pooled, 2}};
	cloud_ok(c, NULL, engine_update_storage_pool, &bound);
	cloud_settle(c);
}

static bool runs(struct cloud *c, const void *id)
{
	return cloud_guest(c, *(const uuid *) id).is_on;
}

/* An instance whose owner wants it to wait for its host starts elsewhere, with its data, because the host
 * will not return. */
static void loses_nothing_shared(struct cloud *c)
{
	struct str h0 = STR("h0");
	struct host_forgetting wish;
	add_pool(c);
	uuid id = launch_on(c, h0), volume = cloud_volume_of(c, id), free = make_volume(c);
	struct instance_settings waits = {.instance = cloud_ref(c, KIND_INSTANCE, id), .recovers = CHOICE_NO};
	cloud_ok(c, &c->alice, engine_update_instance, &waits);
	cloud_settle(c);
	sim_compute_write_disk(h0, volume, "token");
	lose_host(c, h0);
	cloud_step_for(c, MINUTE);
	assert_true(cloud_has_condition(c, id, WAITS_FOR_HOST));
	cloud_expect_at(c, forget(c, h0, &wish), __FILE__, __LINE__);
	assert_int_equal(wish.lost.count, 0);
	assert_true(cloud_step_until(c, runs, &id, 5 * MINUTE));
	assert_true(sim_compute_disk_has(cloud_host_of(c, id), volume, "token"));
	cloud_settle(c);
	assert_int_equal(volume_state(c, free), VOLUME_AVAILABLE);
}
TEST_STORY(loses_nothing_shared, 3)

static bool has_left(struct cloud *c, const void *id)
{
	return !str_equal(cloud_host_of(c, *(const uuid *) id), STR("h0"));
}

/* The host was off once before: instances that left it then are unaffected, those with local disks are
 * lost. */
static void is_lost_after_a_return(struct cloud *c)
{
	struct str h0 = STR("h0");
	struct host_forgetting wish;
	uuid local = launch_on(c, h0);
	add_pool(c);
	uuid shared = launch_on(c, h0);
	lose_host(c, h0);
	assert_true(cloud_step_until(c, has_left, &shared, 5 * MINUTE));
	sim_compute_give_power(h0);
	cloud_step_for(c, 3 * MINUTE);
	cloud_settle(c);
	cloud_await(c, local, INSTANCE_RUNNING);
	lose_host(c, h0);
	if (c->seed % 2)
		cloud_step_for(c, c->seed * SECOND);
	cloud_expect_at(c, forget(c, h0, &wish), __FILE__, __LINE__);
	assert_int_equal(count_lost(&wish, KIND_INSTANCE), 1);
	assert_int_equal(count_lost(&wish, KIND_VOLUME), 1);
	assert_int_equal(cloud_state(c, shared), INSTANCE_RUNNING);
	cloud_terminate(c, local);
	cloud_settle(c);
}
TEST_STORY(is_lost_after_a_return, 3)

/* ---- dedicated ones */

static uuid dedicate(struct cloud *c, bool recovers)
{
	static const struct tag tags[] = {{STR("team"), STR("a")}};
	struct dedicated_host_wish wish = {.zone = {.kind = KIND_ZONE, .text = STR("xy-west-2a")},
					   .family = STR("t3"),
					   .auto_placement = true,
					   .recovers = recovers,
					   .count = 1,
					   .tags = {tags, 1}};
	cloud_ok(c, &c->alice, engine_allocate_dedicated_hosts, &wish);
	return wish.made.at[0];
}

static struct dedicated_host dedicated(struct cloud *c, uuid id)
{
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	const struct dedicated_host *d = dedicated_host_find(view.tables, id);
	return d ? *d : (struct dedicated_host){0};
}

static uuid launch_dedicated(struct cloud *c, uuid host)
{
	struct instance_launch wish = cloud_launch_wish(c, 1);
	wish.tenancy = INSTANCE_TENANCY_HOST;
	wish.dedicated_host = cloud_ref(c, KIND_DEDICATED_HOST, host);
	wish.host_affinity = true;
	cloud_ok(c, &c->alice, engine_create_instances, &wish);
	cloud_await(c, wish.made.at[0], INSTANCE_RUNNING);
	return wish.made.at[0];
}

static bool is_released(struct cloud *c, const void *id)
{
	return !dedicated(c, *(const uuid *) id).row.deleted_us == 0;
}

/* Another machine of the zone takes its place, under an id of its own, and its instances start there. */
static void recovers(struct cloud *c)
{
	add_pool(c);
	uuid old = dedicate(c, true), id = launch_dedicated(c, old), second = launch_dedicated(c, old);
	struct str name = str_copy(c->arena, cloud_host_of(c, id));
	lose_host(c, name);
	if (c->seed % 2) {
		cloud_kill(c);
		cloud_restart(c);
	}
	assert_true(cloud_step_until(c, is_released, &old, 5 * MINUTE));
	cloud_await(c, id, INSTANCE_RUNNING);
	cloud_await(c, second, INSTANCE_RUNNING);
	struct dedicated_host was = dedicated(c, old), is = dedicated(c, was.replacement);
	assert_true(was.has_failed);
	assert_false(uuid_equal(is.row.id, old));
	assert_true(is.recovers && is.auto_placement && !is.has_failed && row_is_live(&is.row));
	assert_int_equal(is.tags.count, 1);
	assert_true(uuid_equal(cloud_instance(c, id).host, is.host));
	assert_true(uuid_equal(cloud_instance(c, second).host, is.host));
	assert_true(
		uuid_equal(cloud_instance(c, id).dedicated_host, is.row.id)); /* its affinity is updated */
	sim_compute_give_power(name);
	cloud_step_for(c, 3 * MINUTE);
	cloud_settle(c);
	assert_int_equal(sim_compute_count_doubles(), 0);
}
TEST_STORY(recovers, 4)

/* Without it they wait: no other machine is their account's. */
static void does_not_recover(struct cloud *c)
{
	add_pool(c);
	uuid old = dedicate(c, false), id = launch_dedicated(c, old);
	struct str name = str_copy(c->arena, cloud_host_of(c, id));
	lose_host(c, name);
	cloud_step_for(c, 3 * MINUTE);
	assert_true(cloud_has_condition(c, id, WAITS_FOR_HOST));
	assert_true((dedicated(c, old).row.deleted_us == 0));
	struct dedicated_host_change change = {.dedicated_host = cloud_ref(c, KIND_DEDICATED_HOST, old)};
	struct dedicated_host_settings turn_on = {.changes = &change, .count = 1, .recovers = CHOICE_YES};
	cloud_ok(c, &c->alice, engine_modify_dedicated_hosts, &turn_on); /* also when it is dead already */
	assert_true(cloud_step_until(c, is_released, &old, 5 * MINUTE));
	cloud_await(c, id, INSTANCE_RUNNING);
	sim_compute_give_power(name);
	cloud_step_for(c, 3 * MINUTE);
}
TEST_STORY(does_not_recover, 3)

/* No machine is free, or the disk is local: the instance waits, and no machine is allocated in vain. */
static void cannot_recover(struct cloud *c)
{
	uuid old = dedicate(c, true), id = launch_dedicated(c, old);
	struct str name = str_copy(c->arena, cloud_host_of(c, id));
	lose_host(c, name);
	cloud_step_for(c, 3 * MINUTE);
	assert_true(cloud_has_condition(c, id, WAITS_FOR_HOST));
	assert_true(uuid_is_none(dedicated(c, old).replacement));
	if (c->seed % 2) {
		struct host_forgetting wish;
		cloud_expect_at(c, forget(c, name, &wish), __FILE__, __LINE__);
		assert_false((dedicated(c, old).row.deleted_us == 0));
		assert_true(dedicated(c, old).has_failed);
		cloud_terminate(c, id);
		cloud_await(c, id, INSTANCE_TERMINATED);
		return;
	}
	sim_compute_give_power(name);
	cloud_step_for(c, 3 * MINUTE);
	cloud_await(c, id, INSTANCE_RUNNING);
}
TEST_STORY(cannot_recover, 3)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forgets_old_disks),      cmocka_unit_test(test_loses_disks),
		cmocka_unit_test(test_loses_free_volumes),     cmocka_unit_test(test_loses_nothing_shared),
		cmocka_unit_test(test_is_lost_after_a_return), cmocka_unit_test(test_recovers),
		cmocka_unit_test(test_does_not_recover),       cmocka_unit_test(test_cannot_recover),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
