/* SPDX-License-Identifier: Apache-2.0
 * Destroyed instances: the resources that they keep, refused operations, recovery, and their expiry. */
#include "cloud.h"
#include "engine/region/region.h"
#include "engine/storage/volume/volume.h"
#include "model/states.h"
#include "store/account.h"
#include "store/address.h"
#include "store/instance.h"
#include "store/port.h"
#include "store/volume.h"

static struct instances_wish wish_of(struct cloud *c, struct ref *ref, uuid id)
{
	*ref = ref_to(c, KIND_INSTANCE, id);
	return (struct instances_wish){.instances = {ref, 1}};
}

static void ask(struct cloud *c, op_run run, uuid id)
{
	struct ref ref;
	struct instances_wish wish = wish_of(c, &ref, id);
	cloud_expect(c, cloud_run(c, &c->alice, run, &wish), ERR_NONE, KIND_NONE);
}

static void refuse(struct cloud *c, op_run run, uuid id, enum err err, int kind)
{
	struct ref ref;
	struct instances_wish wish = wish_of(c, &ref, id);
	cloud_expect(c, cloud_run(c, &c->alice, run, &wish), err, kind);
}

static void set(struct cloud *c, struct str name, const char *value)
{
	struct setting_wish wish = {name, str_from(value)};
	cloud_ok(c, NULL, engine_put_setting, &wish);
}

static uuid destroy_running(struct cloud *c)
{
	uuid id = cloud_launch_one(c);
	cloud_see(c, id, INSTANCE_SEEN_POWER_ON);
	ask(c, engine_destroy_instances_run, id);
	assert_int_equal(cloud_state(c, id), INSTANCE_STOPPING);
	assert_false(cloud_instance(c, id)->force_off); /* the guest is shut down, not powered off */
	cloud_see(c, id, INSTANCE_SEEN_POWER_OFF);
	assert_int_equal(cloud_state(c, id), INSTANCE_DESTROYED);
	return id;
}

static struct account_usage *usage(struct cloud *c)
{
	return account_usage(account_find(cloud_tables(c), c->alice.account));
}

static void check_life(void **state)
{
	struct cloud *c = *state;
	uuid id = destroy_running(c);
	struct ip ip = cloud_port(c, id)->ip;
	int64_t since_us = cloud_instance(c, id)->destroyed_us;
	assert_non_null(cloud_volume(c, id));
	assert_int_equal(usage(c)->instances, 0);
	assert_int_equal(usage(c)->vcpus, 0);
	assert_int_equal(usage(c)->memory, 0);
	assert_int_equal(usage(c)->volumes, 1);
	clock_advance_us(MINUTE);
	ask(c, engine_destroy_instances_run, id); /* the retention does not start again */
	assert_int_equal(cloud_instance(c, id)->destroyed_us, since_us);
	ask(c, engine_recover_instances_run, id);
	assert_int_equal(cloud_state(c, id), INSTANCE_STOPPED);
	assert_int_equal(usage(c)->instances, 1);
	assert_true(ip_equal(cloud_port(c, id)->ip, ip));
	ask(c, engine_start_instances_run, id);
	cloud_see(c, id, INSTANCE_SEEN_POWER_ON);
	assert_int_equal(cloud_state(c, id), INSTANCE_RUNNING);
	refuse(c, engine_recover_instances_run, id, ERR_STATE, KIND_INSTANCE);
}

static void check_refusals(void **state)
{
	struct cloud *c = *state;
	static const op_run runs[] = {engine_start_instances_run,   engine_stop_instances_run,
				      engine_reboot_instances_run,  engine_pause_instances_run,
				      engine_suspend_instances_run, engine_monitor_instances_run};
	uuid id = destroy_running(c);
	uint64_t gen = cloud_instance(c, id)->row.gen;
	for (size_t k = 0; k < sizeof runs / sizeof *runs; k++)
		refuse(c, runs[k], id, ERR_STATE, KIND_INSTANCE);
	struct instance_settings settings = {
		.instance = ref_to(c, KIND_INSTANCE, id), .set_name = true, .name = STR("other")};
	cloud_fails(c, &c->alice, engine_update_instance, &settings, ERR_STATE, KIND_INSTANCE);
	struct instance_target target = {ref_to(c, KIND_INSTANCE, id)};
	cloud_fails(c, &c->alice, engine_shelve_instance, &target, ERR_STATE, KIND_INSTANCE);
	struct instance_rebuilding rebuild = {.instance = target.instance,
					      .image = ref_to(c, KIND_IMAGE, c->image)};
	cloud_fails(c, &c->alice, engine_rebuild_instance, &rebuild, ERR_STATE, KIND_INSTANCE);
	assert_int_equal(cloud_instance(c, id)->row.gen, gen);
	ask(c, engine_terminate_instances_run, id); /* but to end */
	assert_int_equal(cloud_state(c, id), INSTANCE_SHUTTING_DOWN);
	refuse(c, engine_recover_instances_run, id, ERR_STATE, KIND_INSTANCE);
}

static void check_protected(void **state)
{
	struct cloud *c = *state;
	uuid id = cloud_launch_one(c);
	struct instance_settings settings = {.instance = ref_to(c, KIND_INSTANCE, id),
					     .protect_terminate = CHOICE_YES};
	cloud_ok(c, &c->alice, engine_update_instance, &settings);
	refuse(c, engine_destroy_instances_run, id, ERR_PROTECTED, KIND_INSTANCE);
	settings.protect_terminate = CHOICE_NO;
	cloud_ok(c, &c->alice, engine_update_instance, &settings);
	ask(c, engine_lock_instances_run, id);
	ask(c, engine_unlock_instances_run, id);
	ask(c, engine_destroy_instances_run, id);
}

/* Others may have used the quota meanwhile. */
static void check_quota(void **state)
{
	struct cloud *c = *state;
	uuid id = destroy_running(c);
	struct account_limits limits =
		account_limits_all(ref_to(c, KIND_ACCOUNT, c->alice.account), ACCOUNT_LIMIT_KEEP);
	limits.instances = 1;
	cloud_ok(c, &c->operator, engine_set_limits, &limits);
	uuid other = cloud_launch_one(c);
	refuse(c, engine_recover_instances_run, id, ERR_QUOTA, KIND_INSTANCE);
	assert_int_equal(cloud_state(c, id), INSTANCE_DESTROYED);
	ask(c, engine_destroy_instances_run, other);
	ask(c, engine_recover_instances_run, id);
}

static uuid attach(struct cloud *c, uuid instance, bool goes_with_it)
{
	struct volume_wish make = {.zone = ref_to(c, KIND_ZONE, cloud_instance(c, instance)->zone),
				   .disk = {.size = GIB, .type = STR("gp3"), .field = STR("Size")}};
	cloud_ok(c, &c->alice, engine_create_volume, &make);
	const struct volume *v = volume_find(cloud_tables(c), make.volume);
	struct volume_report report = {
		.volume = make.volume, .gen = v->row.gen, .host = v->host, .size = v->size};
	cloud_ok(c, NULL, engine_see_volume, &report);
	struct volume_attaching attaching = {.volume = ref_to(c, KIND_VOLUME, make.volume),
					     .instance = ref_to(c, KIND_INSTANCE, instance),
					     .delete_on_termination = goes_with_it};
	cloud_ok(c, &c->alice, engine_attach_volume, &attaching);
	return make.volume;
}

/* In CloudStack's API data disks outlive their instance, unless requested otherwise. */
static void check_disks(void **state)
{
	struct cloud *c = *state;
	uuid id = cloud_launch_one(c);
	cloud_see(c, id, INSTANCE_SEEN_POWER_ON);
	uuid root = cloud_volume(c, id)->row.id;
	uuid kept = attach(c, id, false), gone = attach(c, id, false), its = attach(c, id, true);
	struct ref ref, named[] = {ref_to(c, KIND_VOLUME, root)};
	struct instances_wish wish = wish_of(c, &ref, id);
	wish.volumes = (struct refs){named, 1};
	cloud_fails(c, &c->alice, engine_destroy_instances, &wish, ERR_INVALID, KIND_VOLUME);
	assert_int_equal(cloud_instance(c, id)->destroyed_us, 0);
	named[0] = ref_to(c, KIND_VOLUME, gone);
	cloud_ok(c, &c->alice, engine_destroy_instances, &wish);
	const struct tables *t = cloud_tables(c);
	assert_true(uuid_is_none(volume_find(t, kept)->instance) && row_is_live(&volume_find(t, kept)->row));
	assert_false(row_is_live(&volume_find(t, gone)->row));
	assert_true(uuid_equal(volume_find(t, its)->instance, id) && row_is_live(&volume_find(t, its)->row));
	assert_true(uuid_equal(volume_find(t, root)->instance, id));
	wish.volumes = (struct refs){&named[0], 0};
	wish.force = true;
	cloud_ok(c, &c->alice, engine_destroy_instances, &wish);
	cloud_see(c, id, INSTANCE_SEEN_POWER_ABSENT);
	assert_int_equal(cloud_state(c, id), INSTANCE_TERMINATED);
	assert_false(row_is_live(&volume_find(t, its)->row) || row_is_live(&volume_find(t, root)->row));
	assert_true(row_is_live(&volume_find(t, kept)->row));
}

static void check_time(void **state)
{
	struct cloud *c = *state;
	uuid id = destroy_running(c);
	struct instance_expunging wish = {id};
	assert_int_equal(engine_get_expunge_us(cloud_tables(c), cloud_instance(c, id)),
			 cloud_instance(c, id)->destroyed_us + 86400 * SECOND);
	clock_advance_us(86399 * SECOND);
	cloud_ok(c, NULL, engine_expunge_instance, &wish);
	assert_int_equal(cloud_state(c, id), INSTANCE_DESTROYED);
	clock_advance_us(SECOND);
	cloud_ok(c, NULL, engine_expunge_instance, &wish);
	assert_int_equal(cloud_state(c, id), INSTANCE_SHUTTING_DOWN);
	cloud_ok(c, NULL, engine_expunge_instance, &wish); /* once more, and of none */
	wish.instance = c->image;
	cloud_ok(c, NULL, engine_expunge_instance, &wish);
	/* a recovered instance does not expire */
	wish.instance = destroy_running(c);
	ask(c, engine_recover_instances_run, wish.instance);
	clock_advance_us(86401 * SECOND);
	cloud_ok(c, NULL, engine_expunge_instance, &wish);
	assert_int_equal(cloud_state(c, wish.instance), INSTANCE_STOPPED);
	/* the setting holds for what is destroyed already, too; 0: at once */
	uuid other = destroy_running(c);
	set(c, SETTING_EXPUNGE_DELAY, "10");
	clock_advance_us(10 * SECOND);
	wish.instance = other;
	cloud_ok(c, NULL, engine_expunge_instance, &wish);
	assert_int_equal(cloud_state(c, other), INSTANCE_SHUTTING_DOWN);
	set(c, SETTING_EXPUNGE_DELAY, "0");
	uuid last = cloud_launch_one(c);
	ask(c, engine_destroy_instances_run, last);
	assert_int_equal(cloud_state(c, last), INSTANCE_SHUTTING_DOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(check_life, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_refusals, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_protected, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_quota, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_disks, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_time, cloud_setup, cloud_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
