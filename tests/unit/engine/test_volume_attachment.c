/* SPDX-License-Identifier: Apache-2.0
 * Multi-attach volumes: attached and detached separately, bound to one host, and detached when an instance
 * ends. */
#include "cloud.h"
#include "engine/storage/volume/volume_attachment.h"
#include "model/instance.h"
#include "model/states.h"
#include "store/host.h"
#include "store/instance.h"
#include "store/snapshot.h"
#include "store/volume.h"
#include "store/volume_attachment.h"

static const struct volume *find_volume(const struct cloud *c, uuid id)
{
	return volume_find(cloud_tables(c), id);
}

static void see_disk(struct cloud *c, uuid id)
{
	const struct volume *v = find_volume(c, id);
	struct volume_report report = {
		.volume = id, .gen = v->row.gen, .host = v->host, .size = v->size, .is_raw = v->is_shared};
	cloud_ok(c, NULL, engine_see_volume, &report);
}

static struct volume_wish wish_of(const char *type, enum choice is_shared)
{
	return (struct volume_wish){.zone = ref_named(KIND_ZONE, "xy-west-2a"),
				    .disk = {.size = 4 * GIB,
					     .type = str_from(type),
					     .iops = type[0] == 'i' ? 100 : 0,
					     .is_shared = is_shared,
					     .field = STR("Size")}};
}

static uuid create(struct cloud *c, const char *type, enum choice is_shared)
{
	struct volume_wish wish = wish_of(type, is_shared);
	cloud_ok(c, &c->alice, engine_create_volume, &wish);
	see_disk(c, wish.volume);
	return wish.volume;
}

/* Running ones of the first zone, on one host or on each its own. */
static void launch(struct cloud *c, int64_t count, bool is_together, uuid *ret_instances)
{
	struct instance_launch wish = cloud_launch(c, count);
	struct launch_port port = {.public_ip = CHOICE_NO};
	wish.zone = ref_named(KIND_ZONE, "xy-west-2a");
	wish.ports = &port;
	wish.port_count = 1;
	cloud_ok(c, &c->alice, engine_create_instances, &wish);
	for (size_t n = 0; n < wish.made.count; n++) {
		ret_instances[n] = wish.made.at[n];
		cloud_see(c, ret_instances[n], INSTANCE_SEEN_POWER_ON);
	}
	bool same = uuid_equal(cloud_instance(c, ret_instances[0])->host,
			       cloud_instance(c, ret_instances[count - 1])->host);
	assert_true(same == is_together);
}

static struct volume_attaching attaching(struct cloud *c, uuid volume, uuid instance)
{
	return (struct volume_attaching){.volume = ref_to(c, KIND_VOLUME, volume),
					 .instance = ref_to(c, KIND_INSTANCE, instance),
					 .device = STR("/dev/sdf")};
}

static void attach(struct cloud *c, uuid volume, uuid instance)
{
	struct volume_attaching wish = attaching(c, volume, instance);
	cloud_ok(c, &c->alice, engine_attach_volume, &wish);
}

static void see_plugged(struct cloud *c, uuid instance, const uuid *volumes, size_t count)
{
	struct instance_report report = {.instance = instance,
					 .gen = cloud_instance(c, instance)->row.gen,
					 .power = INSTANCE_SEEN_POWER_ON,
					 .devices_known = true,
					 .volumes = {volumes, count}};
	cloud_ok(c, NULL, engine_see_instance, &report);
}

static struct volume_detaching detaching(struct cloud *c, uuid volume, uuid instance)
{
	struct volume_detaching wish = {.volume = ref_to(c, KIND_VOLUME, volume)};
	if (!uuid_is_none(instance))
		wish.instance = ref_to(c, KIND_INSTANCE, instance);
	return wish;
}

static size_t count_attachments(const struct cloud *c, uuid volume)
{
	struct volume_list list;
	assert_true(result_is_ok(
		engine_list_attachments(c->arena, cloud_tables(c), find_volume(c, volume), &list)));
	return list.count;
}

static const struct volume *attached_to(const struct cloud *c, uuid volume, uuid instance)
{
	const struct volume *found = NULL;
	assert_true(result_is_ok(
		engine_find_attachment(c->arena, cloud_tables(c), find_volume(c, volume), instance, &found)));
	return found;
}

/* Leaves the zone with one host, so that all of its instances run there. */
static void close_other_hosts(struct cloud *c)
{
	for (size_t k = 1; k < CLOUD_HOSTS; k++) {
		struct host_settings wish = {.host = ref_to(c, KIND_HOST, c->hosts[k]), .enabled = CHOICE_NO};
		cloud_ok(c, &c->operator, engine_update_host, &wish);
	}
}

static void check_two(void **state)
{
	struct cloud *c = *state;
	uuid i[2];
	close_other_hosts(c);
	launch(c, 2, true, i);
	uuid v = create(c, "io2", CHOICE_YES), plain = create(c, "io2", CHOICE_DEFAULT);
	attach(c, v, i[0]);
	attach(c, v, i[1]);
	struct volume_attaching first = attaching(c, plain, i[0]);
	first.device = STR("/dev/sdg");
	cloud_ok(c, &c->alice, engine_attach_volume, &first);
	struct volume_attaching again = attaching(c, v, i[1]), other = attaching(c, plain, i[1]);
	again.device = other.device = STR("/dev/sdh");
	cloud_fails(c, &c->alice, engine_attach_volume, &again, ERR_IN_USE, KIND_VOLUME);
	cloud_fails(c, &c->alice, engine_attach_volume, &other, ERR_IN_USE, KIND_VOLUME);
	assert_int_equal(count_attachments(c, v), 2);
	see_plugged(c, i[0], &v, 1);
	assert_int_equal(model_derive_volume_state(find_volume(c, v)), VOLUME_IN_USE);
}

static void check_many(void **state)
{
	struct cloud *c = *state;
	uuid i[VOLUME_ATTACHMENTS_MAX + 1];
	for (size_t k = 0; k < CLOUD_HOSTS; k++) {
		struct host_report large = {.host = c->hosts[k],
					    .state = HOST_SEEN_STATE_UP,
					    .has_facts = true,
					    .cpus = 64,
					    .memory = 1024 * GIB,
					    .disk = 1024 * GIB};
		cloud_ok(c, NULL, engine_see_host, &large);
	}
	close_other_hosts(c);
	launch(c, VOLUME_ATTACHMENTS_MAX + 1, true, i);
	uuid v = create(c, "io1", CHOICE_YES);
	for (size_t n = 0; n < VOLUME_ATTACHMENTS_MAX; n++)
		attach(c, v, i[n]);
	struct volume_attaching wish = attaching(c, v, i[VOLUME_ATTACHMENTS_MAX]);
	cloud_fails(c, &c->alice, engine_attach_volume, &wish, ERR_QUOTA, KIND_VOLUME);
	assert_int_equal(count_attachments(c, v), VOLUME_ATTACHMENTS_MAX);
}

/* Whichever goes first, the other keeps its own, with its id. */
static void check_detach(void **state)
{
	struct cloud *c = *state;
	uuid i[3];
	close_other_hosts(c);
	launch(c, 3, true, i);
	uuid v = create(c, "io2", CHOICE_YES);
	for (size_t n = 0; n < 3; n++) {
		attach(c, v, i[n]);
		see_plugged(c, i[n], &v, 1);
	}
	uuid id = engine_attachment_id(attached_to(c, v, i[1]));
	struct volume_detaching wish = detaching(c, v, UUID_NONE);
	cloud_fails(c, &c->alice, engine_detach_volume, &wish, ERR_MISSING, KIND_VOLUME);
	wish = detaching(c, v, i[0]);
	cloud_ok(c, &c->alice, engine_detach_volume, &wish);
	assert_int_equal(wish.now, ATTACHMENT_DETACHING);
	assert_int_equal(count_attachments(c, v), 3);
	see_plugged(c, i[0], NULL, 0);
	assert_int_equal(count_attachments(c, v), 2);
	assert_null(attached_to(c, v, i[0]));
	assert_true(uuid_equal(id, engine_attachment_id(attached_to(c, v, i[1]))));
	wish = detaching(c, v, i[0]);
	cloud_fails(c, &c->alice, engine_detach_volume, &wish, ERR_NOT_FOUND, KIND_VOLUME);
	wish = detaching(c, v, i[2]);
	cloud_ok(c, &c->alice, engine_detach_volume, &wish);
	see_plugged(c, i[2], NULL, 0);
	wish = detaching(c, v, UUID_NONE); /* the last one needs no name */
	cloud_ok(c, &c->alice, engine_detach_volume, &wish);
	assert_int_equal(model_derive_volume_state(find_volume(c, v)), VOLUME_IN_USE);
	see_plugged(c, i[1], NULL, 0);
	assert_int_equal(model_derive_volume_state(find_volume(c, v)), VOLUME_AVAILABLE);
	assert_true(uuid_equal(engine_attachment_id(find_volume(c, v)), v));
}

/* The setting of the last attached instance applies. */
static void check_end(void **state)
{
	struct cloud *c = *state;
	uuid i[2];
	close_other_hosts(c);
	launch(c, 2, true, i);
	uuid v = create(c, "io2", CHOICE_YES);
	for (size_t n = 0; n < 2; n++) {
		attach(c, v, i[n]);
		see_plugged(c, i[n], &v, 1);
		struct volume_fate fate = {.device = STR("/dev/sdf"), .delete_on_termination = true};
		struct instance_settings settings = {
			.instance = ref_to(c, KIND_INSTANCE, i[n]), .volumes = &fate, .volume_count = 1};
		cloud_ok(c, &c->alice, engine_update_instance, &settings);
	}
	for (size_t n = 0; n < 2; n++) {
		struct ref ref = ref_to(c, KIND_INSTANCE, i[n]);
		struct instances_wish power = {.instances = refs_of(c, &ref, 1)};
		cloud_ok(c, &c->alice, engine_terminate_instances, &power);
		cloud_see(c, i[n], INSTANCE_SEEN_POWER_ABSENT);
		assert_true(row_is_live(&find_volume(c, v)->row) == (n == 0));
	}
	assert_null(volume_attachment_first(cloud_tables(c)));
}

/* A volume in use is bound to its host. A stopped instance is moved there. */
static void check_hosts(void **state)
{
	struct cloud *c = *state;
	uuid i[2];
	launch(c, 2, false, i);
	uuid v = create(c, "io2", CHOICE_YES);
	attach(c, v, i[0]);
	struct volume_attaching wish = attaching(c, v, i[1]);
	cloud_fails(c, &c->alice, engine_attach_volume, &wish, ERR_STATE, KIND_VOLUME);
	struct ref ref = ref_to(c, KIND_INSTANCE, i[1]);
	struct instances_wish power = {.instances = refs_of(c, &ref, 1)};
	cloud_ok(c, &c->alice, engine_stop_instances, &power);
	cloud_see(c, i[1], INSTANCE_SEEN_POWER_OFF);
	cloud_ok(c, &c->alice, engine_attach_volume, &wish);
	assert_true(cloud_instance(c, i[1])->migrating);
	cloud_see(c, i[1], INSTANCE_SEEN_POWER_ABSENT);
	struct instance_leaving leaving = {.instance = i[1], .gen = cloud_instance(c, i[1])->row.gen};
	cloud_ok(c, NULL, engine_leave_instance_host, &leaving);
	assert_true(uuid_equal(cloud_instance(c, i[1])->host, find_volume(c, v)->host));
	assert_true(uuid_equal(engine_find_host_of_shared(cloud_tables(c), i[0]), find_volume(c, v)->host));
}

static void fails_to_modify(struct cloud *c, uuid volume, struct volume_modifying wish, enum err err)
{
	wish.volume = ref_to(c, KIND_VOLUME, volume);
	cloud_fails(c, &c->alice, engine_modify_volume, &wish, err, KIND_VOLUME);
}

static void check_refused(void **state)
{
	struct cloud *c = *state;
	uuid i[1];
	launch(c, 1, true, i);
	struct volume_wish wish = wish_of("gp3", CHOICE_YES);
	cloud_fails(c, &c->alice, engine_create_volume, &wish, ERR_COMBINATION, KIND_VOLUME);
	wish = wish_of("io2", CHOICE_YES);
	wish.disk.crypt.is_wanted = CHOICE_YES;
	cloud_fails(c, &c->alice, engine_create_volume, &wish, ERR_UNSUPPORTED, KIND_VOLUME);
	uuid io1 = create(c, "io1", CHOICE_YES), io2 = create(c, "io2", CHOICE_DEFAULT);
	fails_to_modify(c, io1, (struct volume_modifying){.size = 5 * GIB}, ERR_UNSUPPORTED);
	fails_to_modify(c, io1, (struct volume_modifying){.type = STR("io2"), .iops = 100}, ERR_UNSUPPORTED);
	fails_to_modify(c, io1, (struct volume_modifying){.is_shared = CHOICE_NO}, ERR_COMBINATION);
	attach(c, io2, i[0]);
	fails_to_modify(c, io2, (struct volume_modifying){.is_shared = CHOICE_YES}, ERR_STATE);
	struct ref ref = ref_to(c, KIND_INSTANCE, i[0]);
	struct instances_wish stop = {.instances = refs_of(c, &ref, 1)};
	cloud_ok(c, &c->alice, engine_stop_instances, &stop);
	cloud_see(c, i[0], INSTANCE_SEEN_POWER_OFF);
	struct volume_detaching root = {.volume = ref_to(c, KIND_VOLUME, cloud_volume(c, i[0])->row.id)};
	cloud_ok(c, &c->alice, engine_detach_volume, &root);
	struct volume_attaching as_root = attaching(c, io1, i[0]);
	as_root.device = STR("/dev/xvda");
	cloud_fails(c, &c->alice, engine_attach_volume, &as_root, ERR_COMBINATION, KIND_VOLUME);
}

static void check_modify(void **state)
{
	struct cloud *c = *state;
	uuid v = create(c, "io2", CHOICE_DEFAULT);
	struct volume_modifying wish = {.volume = ref_to(c, KIND_VOLUME, v), .is_shared = CHOICE_YES};
	cloud_ok(c, &c->alice, engine_modify_volume, &wish);
	assert_true(find_volume(c, v)->is_shared && !find_volume(c, v)->is_raw);
	assert_int_equal(find_volume(c, v)->modified_end_us, 0);
	see_disk(c, v);
	assert_true(find_volume(c, v)->is_raw && find_volume(c, v)->modified_end_us > 0);
	wish = (struct volume_modifying){.volume = ref_to(c, KIND_VOLUME, v), .is_shared = CHOICE_NO};
	cloud_ok(c, &c->alice, engine_modify_volume, &wish);
	assert_true(!find_volume(c, v)->is_shared && find_volume(c, v)->is_raw);
}

/* A shared volume occupies its place in each instance, also until a detached one is unplugged there. */
static void check_places(void **state)
{
	struct cloud *c = *state;
	uuid i[2];
	close_other_hosts(c);
	launch(c, 2, true, i);
	uuid v = create(c, "io2", CHOICE_YES), plain = create(c, "io2", CHOICE_DEFAULT),
	     third = create(c, "io2", CHOICE_DEFAULT);
	attach(c, v, i[0]);
	attach(c, v, i[1]);
	struct volume_attaching named = attaching(c, plain, i[1]), unnamed = attaching(c, plain, i[1]);
	cloud_fails(c, &c->alice, engine_attach_volume, &named, ERR_INVALID, KIND_VOLUME);
	unnamed.device = STR_NONE;
	cloud_ok(c, &c->alice, engine_attach_volume, &unnamed);
	assert_true(str_is(find_volume(c, plain)->device, "/dev/vdc"));
	assert_int_equal(find_volume(c, plain)->device_slot, 2);
	const uuid both[] = {v, plain};
	see_plugged(c, i[1], both, 2);
	struct volume_detaching off = detaching(c, v, i[1]);
	cloud_ok(c, &c->alice, engine_detach_volume, &off);
	named = attaching(c, third, i[1]);
	cloud_fails(c, &c->alice, engine_attach_volume, &named, ERR_INVALID, KIND_VOLUME);
	see_plugged(c, i[1], &plain, 1);
	cloud_ok(c, &c->alice, engine_attach_volume, &named);
	assert_int_equal(find_volume(c, third)->device_slot, 1);
}

/* A shared volume seen in an instance that must not have it is recorded there, and stays in its own one. */
static void check_stray(void **state)
{
	struct cloud *c = *state;
	uuid i[2];
	close_other_hosts(c);
	launch(c, 2, true, i);
	uuid v = create(c, "io2", CHOICE_YES);
	attach(c, v, i[0]);
	see_plugged(c, i[0], &v, 1);
	see_plugged(c, i[1], &v, 1);
	assert_int_equal(count_attachments(c, v), 2);
	assert_true(uuid_equal(find_volume(c, v)->seen_instance, i[0]));
	assert_non_null(volume_attachment_first_by_seen_instance(cloud_tables(c), i[1]));
	see_plugged(c, i[1], NULL, 0);
	assert_int_equal(count_attachments(c, v), 1);
	assert_true(uuid_equal(find_volume(c, v)->instance, i[0]));
}

/* The volume has to exist on its host, and a detach has to name the device that the volume has. */
static void check_wrong_state(void **state)
{
	struct cloud *c = *state;
	uuid i[1];
	launch(c, 1, true, i);
	struct volume_wish wish = wish_of("io2", CHOICE_DEFAULT);
	cloud_ok(c, &c->alice, engine_create_volume, &wish);
	struct volume_attaching early = attaching(c, wish.volume, i[0]);
	cloud_fails(c, &c->alice, engine_attach_volume, &early, ERR_STATE, KIND_VOLUME);
	see_disk(c, wish.volume);
	cloud_ok(c, &c->alice, engine_attach_volume, &early);
	see_plugged(c, i[0], &wish.volume, 1);
	struct volume_detaching off = detaching(c, wish.volume, i[0]);
	off.device = STR("/dev/sdg");
	cloud_fails(c, &c->alice, engine_detach_volume, &off, ERR_NOT_FOUND, KIND_VOLUME);
	off.device = STR("/dev/sdf");
	cloud_ok(c, &c->alice, engine_detach_volume, &off);
	cloud_fails(c, &c->alice, engine_detach_volume, &off, ERR_STATE, KIND_VOLUME);
	off.force = true;
	cloud_ok(c, &c->alice, engine_detach_volume, &off);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(check_two, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_many, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_detach, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_end, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_hosts, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_refused, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_places, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_stray, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_wrong_state, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_modify, cloud_setup, cloud_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
