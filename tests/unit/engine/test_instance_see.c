/* SPDX-License-Identifier: Apache-2.0
 * Lives of instances: users' requests, the reconciler's reports, and the resulting states. */
#include "cloud.h"
#include "model/states.h"
#include "store/account.h"
#include "store/address.h"
#include "store/host.h"
#include "store/instance.h"
#include "store/port.h"
#include "store/volume.h"

struct life {
	struct cloud *c;
	uuid id;
	struct ref ref;
};

static struct life begin(struct cloud *c)
{
	uuid id = cloud_launch_one(c);
	return (struct life){c, id, ref_to(c, KIND_INSTANCE, id)};
}

static struct instance_change ask(struct life *l, op_run run, bool force)
{
	struct instances_wish wish = {.instances = {&l->ref, 1}, .force = force};
	cloud_expect(l->c, cloud_run(l->c, &l->c->alice, run, &wish), ERR_NONE, KIND_NONE);
	assert_int_equal(wish.change_count, 1);
	assert_true(uuid_equal(wish.changes[0].id, l->id));
	return wish.changes[0];
}

static void refuse(struct life *l, op_run run, enum err err)
{
	struct instances_wish wish = {.instances = {&l->ref, 1}};
	cloud_expect(l->c, cloud_run(l->c, &l->c->alice, run, &wish), err, KIND_INSTANCE);
	assert_true(str_is(l->c->c.problem.field, "Id"));
}

#define assert_state(l, state) assert_int_equal(cloud_state((l)->c, (l)->id), INSTANCE_##state)
#define assert_moved(change, from, to)                                                                       \
	do {                                                                                                 \
		struct instance_change moved_ = (change);                                                    \
		assert_int_equal(moved_.before, INSTANCE_##from);                                            \
		assert_int_equal(moved_.after, INSTANCE_##to);                                               \
	} while (0)

static void check_whole_life(void **state)
{
	struct cloud *c = *state;
	struct life life = begin(c), *l = &life;
	assert_state(l, PENDING);
	cloud_see(c, l->id, INSTANCE_SEEN_POWER_OFF); /* defined */
	assert_state(l, PENDING);
	cloud_see(c, l->id, INSTANCE_SEEN_POWER_ON);
	assert_state(l, RUNNING);
	assert_int_equal(cloud_usage(c, l->id, "instance:t3.micro"), 1);
	assert_true(str_is(cloud_instance(c, l->id)->seen_boot_id, "boot-1"));
	assert_moved(ask(l, engine_start_instances_run, false), RUNNING, RUNNING);

	assert_moved(ask(l, engine_reboot_instances_run, false), RUNNING, RUNNING);
	assert_int_equal(cloud_instance(c, l->id)->wanted_boots, 1);
	assert_int_equal(cloud_instance(c, l->id)->seen_boots, 0);
	cloud_see(c, l->id, INSTANCE_SEEN_POWER_ON);
	assert_int_equal(cloud_instance(c, l->id)->seen_boots, 1);

	clock_advance_us(HOUR);
	assert_moved(ask(l, engine_stop_instances_run, false), RUNNING, STOPPING);
	assert_int_equal(cloud_instance(c, l->id)->off_since_us, clock_now_us());
	refuse(l, engine_start_instances_run, ERR_STATE);
	refuse(l, engine_reboot_instances_run, ERR_STATE);
	uint64_t gen = cloud_instance(c, l->id)->row.gen;
	assert_moved(ask(l, engine_stop_instances_run, false), STOPPING, STOPPING);
	assert_int_equal(cloud_instance(c, l->id)->row.gen, gen);
	assert_moved(ask(l, engine_stop_instances_run, true), STOPPING, STOPPING);
	assert_true(cloud_instance(c, l->id)->force_off && cloud_instance(c, l->id)->row.gen == gen + 1);
	clock_advance_us(MINUTE);
	cloud_see(c, l->id, INSTANCE_SEEN_POWER_OFF);
	assert_state(l, STOPPED);
	assert_int_equal(cloud_usage(c, l->id, "instance:t3.micro"), 0);
	assert_int_equal(cloud_instance(c, l->id)->stopped_us, clock_now_us());
	assert_true(str_is(cloud_instance(c, l->id)->reason_code, "Client.UserInitiatedShutdown"));
	assert_moved(ask(l, engine_stop_instances_run, false), STOPPED, STOPPED);

	assert_moved(ask(l, engine_start_instances_run, false), STOPPED, PENDING);
	assert_true(str_is_empty(cloud_instance(c, l->id)->reason_code));
	cloud_see(c, l->id, INSTANCE_SEEN_POWER_ON);
	assert_moved(ask(l, engine_terminate_instances_run, false), RUNNING, SHUTTING_DOWN);
	assert_moved(ask(l, engine_terminate_instances_run, false), SHUTTING_DOWN, SHUTTING_DOWN);
	refuse(l, engine_start_instances_run, ERR_STATE);
	refuse(l, engine_stop_instances_run, ERR_STATE);
	cloud_see(c, l->id, INSTANCE_SEEN_POWER_OFF);
	assert_state(l, SHUTTING_DOWN);
	assert_non_null(cloud_port(c, l->id)); /* it holds its ports until it has ended */
	cloud_see(c, l->id, INSTANCE_SEEN_POWER_ABSENT);
	assert_state(l, TERMINATED);
	assert_moved(ask(l, engine_terminate_instances_run, false), TERMINATED, TERMINATED);
	cloud_see(c, l->id, INSTANCE_SEEN_POWER_ON); /* nothing brings it back */
	assert_state(l, TERMINATED);
}

static void check_end(void **state)
{
	struct cloud *c = *state;
	const struct tables *t = cloud_tables(c);
	struct instance_launch wish = cloud_launch(c, 1);
	const struct disk_wish disk = {
		.device = STR("/dev/sdb"), .size = GIB, .delete_on_termination = CHOICE_NO};
	wish.disks = &disk;
	wish.disk_count = 1;
	cloud_ok(c, &c->alice, engine_create_instances, &wish);
	struct life life = {c, wish.made.at[0], ref_to(c, KIND_INSTANCE, wish.made.at[0])}, *l = &life;
	uuid root = volume_find_by_instance(t, l->id, 0)->row.id,
	     data = volume_find_by_instance(t, l->id, 1)->row.id;
	uuid port = cloud_port(c, l->id)->row.id, address = cloud_address(c, l->id)->row.id;
	cloud_see(c, l->id, INSTANCE_SEEN_POWER_ON);
	ask(l, engine_terminate_instances_run, false);
	struct account_usage *account = account_usage(account_find(t, c->alice.account));
	assert_int_equal(account->instances, 1); /* and its quota */
	clock_advance_us(SECOND);
	/* A look from before the deletion was asked is no proof. */
	struct instance_report old = {
		.instance = l->id, .gen = 1, .reached = true, .power = INSTANCE_SEEN_POWER_ABSENT};
	cloud_ok(c, NULL, engine_see_instance, &old);
	assert_state(l, SHUTTING_DOWN);
	assert_true(row_is_live(&port_find(t, port)->row));
	cloud_see(c, l->id, INSTANCE_SEEN_POWER_ABSENT);
	assert_state(l, TERMINATED);
	assert_int_equal(cloud_instance(c, l->id)->stopped_us, clock_now_us());
	assert_int_equal(cloud_usage(c, l->id, "instance:t3.micro"), 0);
	assert_false(row_is_live(&port_find(t, port)->row));
	assert_false(row_is_live(&address_find(t, address)->row));
	assert_false(row_is_live(&volume_find(t, root)->row));
	assert_int_equal(cloud_usage(c, root, "volume:gp3"), 0);
	const struct volume *kept = volume_find(t, data);
	assert_true(row_is_live(&kept->row) && uuid_is_none(kept->instance) && str_is_empty(kept->device));
	assert_null(cloud_port(c, l->id));
	account = account_usage(account_find(t, c->alice.account));
	assert_true(account->instances == 0 && account->vcpus == 0);
	assert_int_equal(account->volumes, 2); /* until the disk is known to be gone */
	assert_int_equal(host_usage(host_find(t, cloud_instance(c, l->id)->host))->memory, 0);
	assert_int_equal(host_usage(host_find(t, kept->host))->disk, 3 * GIB);

	struct volume_report report = {.volume = root, .gen = volume_find(t, root)->row.gen, .size = 0};
	cloud_ok(c, NULL, engine_see_volume, &report);
	assert_int_equal(model_derive_volume_state(volume_find(t, root)), VOLUME_DELETED);
	cloud_ok(c, NULL, engine_forget_volume, &report);
	assert_int_equal(account_usage(account_find(t, c->alice.account))->volumes, 1);
	cloud_ok(c, NULL, engine_forget_volume, &report);
	report.volume = data;
	cloud_fails(c, NULL, engine_forget_volume, &report, ERR_STATE, KIND_VOLUME);
	struct volume_target target = {.volume = ref_to(c, KIND_VOLUME, data)};
	cloud_fails(c, &c->bob, engine_delete_volume, &target, ERR_NOT_FOUND, KIND_VOLUME);
	cloud_ok(c, &c->alice, engine_delete_volume, &target);
	cloud_fails(c, &c->alice, engine_delete_volume, &target, ERR_NOT_FOUND, KIND_VOLUME);

	struct instance_forget forget = {.instance = l->id};
	cloud_ok(c, NULL, engine_forget_instance, &forget);
	cloud_ok(c, NULL, engine_forget_instance, &forget);
	assert_null(cloud_instance(c, l->id));
	refuse(l, engine_terminate_instances_run, ERR_NOT_FOUND);
}

static void check_guest_shutdown(void **state)
{
	struct cloud *c = *state;
	struct life life = begin(c), *l = &life;
	cloud_see(c, l->id, INSTANCE_SEEN_POWER_ON);
	uint64_t gen = cloud_instance(c, l->id)->row.gen;
	cloud_see_off(c, l->id, INSTANCE_OFF_GUEST);
	assert_state(l, STOPPED);
	const struct instance *i = cloud_instance(c, l->id);
	assert_int_equal(i->wanted_power, INSTANCE_WANTED_POWER_OFF);
	assert_int_equal(i->row.gen, gen + 1);
	assert_true(str_is(i->reason_code, "Client.InstanceInitiatedShutdown"));
	assert_int_equal(cloud_usage(c, l->id, "instance:t3.micro"), 0);
	assert_null(cloud_address(c, l->id));
	/* Started again: that it is still off because of then is no news. */
	ask(l, engine_start_instances_run, false);
	cloud_see_off(c, l->id, INSTANCE_OFF_GUEST);
	assert_state(l, PENDING);
}

static void check_shutdown_terminates(void **state)
{
	struct cloud *c = *state;
	struct instance_launch wish = cloud_launch(c, 1);
	wish.shutdown_terminates = true;
	wish.protect_terminate = true; /* protects from the call, not from this */
	cloud_ok(c, &c->alice, engine_create_instances, &wish);
	struct life life = {c, wish.made.at[0], ref_to(c, KIND_INSTANCE, wish.made.at[0])}, *l = &life;
	cloud_see(c, l->id, INSTANCE_SEEN_POWER_ON);
	cloud_see_off(c, l->id, INSTANCE_OFF_GUEST);
	assert_state(l, SHUTTING_DOWN);
	cloud_see(c, l->id, INSTANCE_SEEN_POWER_ABSENT);
	assert_state(l, TERMINATED);
	assert_true(str_is(cloud_instance(c, l->id)->reason_code, "Client.InstanceInitiatedShutdown"));
}

static void check_crashes(void **state)
{
	struct cloud *c = *state;
	static const enum instance_off reasons[] = {INSTANCE_OFF_UNKNOWN, INSTANCE_OFF_CRASHED,
						    INSTANCE_OFF_DESTROYED};
	for (size_t n = 0; n < 3; n++) {
		struct life life = begin(c), *l = &life;
		cloud_see(c, l->id, INSTANCE_SEEN_POWER_ON);
		cloud_see_off(c, l->id, reasons[n]);
		assert_state(l, PENDING); /* to be started again */
		assert_int_equal(cloud_instance(c, l->id)->wanted_power, INSTANCE_WANTED_POWER_ON);
		assert_int_equal(cloud_instance(c, l->id)->row.gen, 1);
		assert_non_null(cloud_condition(c, l->id, INSTANCE_RESTARTED));
		cloud_see(c, l->id, INSTANCE_SEEN_POWER_ON);
		assert_state(l, RUNNING);
		assert_non_null(cloud_condition(c, l->id, INSTANCE_RESTARTED));
		assert_int_equal(cloud_usage(c, l->id, "instance:t3.micro"), 1);
		ask(l, engine_reboot_instances_run, false);
		assert_null(cloud_condition(c, l->id, INSTANCE_RESTARTED));
	}
}

/* Reports that are older than the user's last word. */
static void check_late_reports(void **state)
{
	struct cloud *c = *state;
	struct life life = begin(c), *l = &life;
	cloud_see(c, l->id, INSTANCE_SEEN_POWER_ON);
	uint64_t old = cloud_instance(c, l->id)->row.gen;
	ask(l, engine_reboot_instances_run, false);
	/* The guest powered off before the reboot request: the report must not count as the guest's wish to
	 * stay off. */
	struct instance_report report = {
		.instance = l->id, .gen = old, .power = INSTANCE_SEEN_POWER_OFF, .off = INSTANCE_OFF_GUEST};
	cloud_ok(c, NULL, engine_see_instance, &report);
	assert_state(l, PENDING);
	assert_int_equal(cloud_instance(c, l->id)->wanted_power, INSTANCE_WANTED_POWER_ON);
	/* An old gen reached late does not take back the newer one's mark. */
	cloud_see(c, l->id, INSTANCE_SEEN_POWER_ON);
	assert_int_equal(cloud_instance(c, l->id)->seen_gen, old + 1);
	report = (struct instance_report){
		.instance = l->id, .gen = old, .reached = true, .power = INSTANCE_SEEN_POWER_ON};
	cloud_ok(c, NULL, engine_see_instance, &report);
	assert_int_equal(cloud_instance(c, l->id)->seen_gen, old + 1);
	assert_int_equal(cloud_instance(c, l->id)->seen_boots, 1);
	/* Stopped and started before any look: the guest's shutdown was requested. */
	ask(l, engine_stop_instances_run, false);
	cloud_see(c, l->id, INSTANCE_SEEN_POWER_OFF);
	ask(l, engine_start_instances_run, false);
	cloud_see(c, l->id, INSTANCE_SEEN_POWER_ON);
	report.instance = uuid_random();
	cloud_ok(c, NULL, engine_see_instance, &report);
}

/* A look that reached nothing proves the end of a deleted instance only where it was for the present gen: an
 * older one moves neither what was reached nor when it stopped. */
static void check_late_absence(void **state)
{
	struct cloud *c = *state;
	struct life life = begin(c), *l = &life;
	cloud_see(c, l->id, INSTANCE_SEEN_POWER_ON);
	ask(l, engine_stop_instances_run, false);
	cloud_see(c, l->id, INSTANCE_SEEN_POWER_OFF);
	struct instance stopped = *cloud_instance(c, l->id);
	clock_advance_us(MINUTE);
	ask(l, engine_terminate_instances_run, false);
	struct instance_report absent = {.instance = l->id, .gen = 1, .power = INSTANCE_SEEN_POWER_ABSENT};
	cloud_ok(c, NULL, engine_see_instance, &absent);
	assert_state(l, SHUTTING_DOWN);
	assert_int_equal(cloud_instance(c, l->id)->seen_gen, stopped.seen_gen);
	assert_int_equal(cloud_instance(c, l->id)->stopped_us, stopped.stopped_us);
	absent.gen = cloud_instance(c, l->id)->row.gen;
	cloud_ok(c, NULL, engine_see_instance, &absent);
	assert_state(l, TERMINATED);
	assert_int_equal(cloud_instance(c, l->id)->stopped_us, clock_now_us());
}

/* The start was on its way when the stop was asked; or somebody started it from outside. */
static void check_late_start(void **state)
{
	struct cloud *c = *state;
	struct life life = begin(c), *l = &life;
	assert_moved(ask(l, engine_stop_instances_run, false), PENDING, STOPPED);
	struct instance_report late = {
		.instance = l->id, .gen = 1, .reached = true, .power = INSTANCE_SEEN_POWER_ON};
	cloud_ok(c, NULL, engine_see_instance, &late);
	assert_state(l, STOPPING);
	cloud_see(c, l->id, INSTANCE_SEEN_POWER_OFF);
	assert_state(l, STOPPED);
}

static void check_no_news(void **state)
{
	struct cloud *c = *state;
	struct life life = begin(c), *l = &life;
	cloud_see(c, l->id, INSTANCE_SEEN_POWER_ON);
	uint64_t commit = cloud_instance(c, l->id)->row.commit;
	size_t events = c->event_count;
	clock_advance_us(SECOND);
	cloud_see(c, l->id, INSTANCE_SEEN_POWER_ON);
	assert_int_equal(cloud_instance(c, l->id)->row.commit, commit);
	assert_int_equal(c->event_count, events);
}

static void check_many(void **state)
{
	struct cloud *c = *state;
	struct instance_launch wish = cloud_launch(c, 3);
	cloud_ok(c, &c->alice, engine_create_instances, &wish);
	struct ref refs[5];
	for (size_t n = 0; n < 3; n++)
		refs[n] = ref_to(c, KIND_INSTANCE, wish.made.at[n]);
	refs[3] = refs[0];
	struct instances_wish all = {.instances = {refs, 4}};
	cloud_ok(c, &c->alice, engine_stop_instances, &all);
	assert_int_equal(all.change_count, 3); /* one named twice counts once */
	/* If one of the instances is Bob's, or protected, none is changed. */
	struct instance_launch bobs = cloud_launch(c, 1);
	cloud_ok(c, &c->bob, engine_create_instances, &bobs);
	refs[3] = ref_to(c, KIND_INSTANCE, bobs.made.at[0]);
	cloud_fails(c, &c->alice, engine_terminate_instances, &all, ERR_NOT_FOUND, KIND_INSTANCE);
	struct instance_settings settings = {.instance = refs[2], .protect_terminate = CHOICE_YES};
	cloud_ok(c, &c->alice, engine_update_instance, &settings);
	all.instances.count = 3;
	cloud_fails(c, &c->alice, engine_terminate_instances, &all, ERR_PROTECTED, KIND_INSTANCE);
	settings.protect_terminate = CHOICE_NO;
	cloud_ok(c, &c->alice, engine_update_instance, &settings);
	cloud_ok(c, &c->operator, engine_terminate_instances, &all);
}

static void check_volumes(void **state)
{
	struct cloud *c = *state;
	struct life life = begin(c), *l = &life;
	uuid volume = cloud_volume(c, l->id)->row.id;
	assert_int_equal(model_derive_volume_state(cloud_volume(c, l->id)), VOLUME_CREATING);
	struct volume_report report = {
		.volume = volume, .gen = 1, .host = cloud_volume(c, l->id)->host, .size = 2 * GIB};
	cloud_ok(c, NULL, engine_see_volume, &report);
	assert_int_equal(model_derive_volume_state(cloud_volume(c, l->id)), VOLUME_IN_USE);
	report.size = 0; /* it vanished: a condition, and no step back */
	cloud_ok(c, NULL, engine_see_volume, &report);
	assert_int_equal(model_derive_volume_state(cloud_volume(c, l->id)), VOLUME_IN_USE);
	assert_non_null(cloud_condition(c, volume, "DiskMissing"));
	report.size = 3 * GIB;
	cloud_ok(c, NULL, engine_see_volume, &report);
	assert_null(cloud_condition(c, volume, "DiskMissing"));
	struct volume_target target = {.volume = ref_to(c, KIND_VOLUME, volume)};
	cloud_fails(c, &c->alice, engine_delete_volume, &target, ERR_IN_USE, KIND_VOLUME);
	report.volume = uuid_random();
	cloud_ok(c, NULL, engine_see_volume, &report);
}

/* Plugged devices are only known from a look that read them. Without a domain there are none. */
static void check_ports(void **state)
{
	struct cloud *c = *state;
	struct life life = begin(c), *l = &life;
	uuid port = cloud_port(c, l->id)->row.id;
	struct instance_report report = {
		.instance = l->id, .gen = 1, .reached = true, .power = INSTANCE_SEEN_POWER_ON};
	uuid plugged[] = {uuid_random(), port}; /* the first has no row */
	report.ports = (struct uuids){plugged, 2};
	cloud_ok(c, NULL, engine_see_instance, &report);
	assert_true(uuid_is_none(cloud_port(c, l->id)->seen_instance));
	report.devices_known = true;
	cloud_ok(c, NULL, engine_see_instance, &report);
	assert_true(uuid_equal(cloud_port(c, l->id)->seen_instance, l->id));
	uint64_t commit = cloud_port(c, l->id)->row.commit;
	cloud_ok(c, NULL, engine_see_instance, &report);
	assert_int_equal(cloud_port(c, l->id)->row.commit, commit);
	report.ports.count = 1;
	cloud_ok(c, NULL, engine_see_instance, &report);
	assert_true(uuid_is_none(cloud_port(c, l->id)->seen_instance));
	assert_true(uuid_equal(cloud_port(c, l->id)->instance, l->id)); /* still wanted */
	report.ports.count = 2;
	cloud_ok(c, NULL, engine_see_instance, &report);
	ask(l, engine_terminate_instances_run, false);
	cloud_see(c, l->id, INSTANCE_SEEN_POWER_ABSENT);
	assert_true(uuid_is_none(port_find(cloud_tables(c), port)->seen_instance));
	assert_false(row_is_live(&port_find(cloud_tables(c), port)->row));
}

/* A row that no operation would write: the store's invariant must refuse it. */
static RESULT write_nonsense(struct op *op, void *arg)
{
	struct instance next = *instance_find(op->head, *(const uuid *) arg);
	next.vcpus = 0;
	return instance_put(op, &next);
}

static RESULT write_resurrection(struct op *op, void *arg)
{
	struct instance next = *instance_find(op->head, *(const uuid *) arg);
	next.row.deleted_us = 0;
	return instance_put(op, &next);
}

static void check_invariants(void **state)
{
	struct cloud *c = *state;
	struct life life = begin(c), *l = &life;
	cloud_expect(c, cloud_run(c, NULL, write_nonsense, &l->id), ERR_INTERNAL, KIND_INSTANCE);
	ask(l, engine_terminate_instances_run, false);
	cloud_expect(c, cloud_run(c, NULL, write_resurrection, &l->id), ERR_INTERNAL, KIND_INSTANCE);
	cloud_see(c, l->id, INSTANCE_SEEN_POWER_ABSENT);
	cloud_expect(c, cloud_run(c, NULL, write_resurrection, &l->id), ERR_INTERNAL, KIND_INSTANCE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(check_whole_life, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_end, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_guest_shutdown, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_shutdown_terminates, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_crashes, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_late_reports, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_late_absence, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_late_start, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_no_news, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_many, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_volumes, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_ports, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_invariants, cloud_setup, cloud_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
