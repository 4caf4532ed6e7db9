/* SPDX-License-Identifier: Apache-2.0
 * Instance types created by the operator: validation, access, deletion, and the local disks of their
 * instances. */
#include "cloud.h"
#include "engine/instance/instance_type.h"
#include "engine/quota.h"
#include "engine/storage/volume/volume_attachment.h"
#include "model/instance.h"
#include "model/volume.h"
#include "store/account.h"
#include "store/host.h"
#include "store/instance_type.h"
#include "store/volume.h"

#define MIB (INT64_C(1) << 20)
#define TYPE(name) ref_named(KIND_INSTANCE_TYPE, name)

static struct instance_type_wish wish_of(const char *name, const char *id)
{
	return (struct instance_type_wish){
		.name = str_from(name), .flavor_id = str_from(id), .vcpus = 1, .memory = GIB};
}

static void check_create(void **state)
{
	struct cloud *c = *state;
	struct instance_type_wish wish = wish_of("m1.plain", "42");
	wish.root_disk = 20 * GIB;
	cloud_fails(c, &c->alice, engine_create_instance_type, &wish, ERR_DENIED, KIND_INSTANCE_TYPE);
	cloud_ok(c, &c->operator, engine_create_instance_type, &wish);
	const struct instance_type *type = instance_type_find(cloud_tables(c), wish.instance_type);
	assert_true(str_is(type->flavor_id, "42") && type->enabled && type->is_public);
	assert_int_equal(type->rxtx_percent, 100);
	cloud_fails(c, &c->operator, engine_create_instance_type, &wish, ERR_EXISTS, KIND_INSTANCE_TYPE);
	struct instance_type_wish same = wish_of("other", "m1.plain"); /* names and ids are one space */
	cloud_fails(c, &c->operator, engine_create_instance_type, &same, ERR_EXISTS, KIND_INSTANCE_TYPE);
	same = wish_of("t3.micro", "");
	cloud_fails(c, &c->operator, engine_create_instance_type, &same, ERR_EXISTS, KIND_INSTANCE_TYPE);
	same = wish_of("drawn", "");
	cloud_ok(c, &c->operator, engine_create_instance_type, &same);
	type = instance_type_find(cloud_tables(c), same.instance_type);
	assert_true(str_equal(type->flavor_id, uuid_to_str(c->arena, same.instance_type)));
}

static void check_limits(void **state)
{
	struct cloud *c = *state;
	struct instance_type_wish wish = wish_of("", "1");
	cloud_fails(c, &c->operator, engine_create_instance_type, &wish, ERR_INVALID, KIND_INSTANCE_TYPE);
	wish = wish_of("a", "1");
	wish.vcpus = 0;
	cloud_fails(c, &c->operator, engine_create_instance_type, &wish, ERR_INVALID, KIND_INSTANCE_TYPE);
	wish = wish_of("a", "1");
	wish.memory = INT64_MAX;
	cloud_fails(c, &c->operator, engine_create_instance_type, &wish, ERR_INVALID, KIND_INSTANCE_TYPE);
	wish = wish_of("a", "1");
	wish.root_disk = -1;
	cloud_fails(c, &c->operator, engine_create_instance_type, &wish, ERR_INVALID, KIND_INSTANCE_TYPE);
}

/* The root disk is the type's where the launch says none; one too small for the image is refused. */
static void check_root_disk(void **state)
{
	struct cloud *c = *state;
	struct instance_type_wish type = wish_of("roomy", "");
	type.root_disk = 50 * GIB;
	cloud_ok(c, &c->operator, engine_create_instance_type, &type);
	struct instance_launch launch = cloud_launch(c, 1);
	launch.type = TYPE("roomy");
	cloud_ok(c, &c->alice, engine_create_instances, &launch);
	assert_int_equal(cloud_volume(c, launch.made.at[0])->size, 50 * GIB);
	type = wish_of("narrow", "");
	type.root_disk = 1;
	cloud_ok(c, &c->operator, engine_create_instance_type, &type);
	launch = cloud_launch(c, 1);
	launch.type = TYPE("narrow");
	cloud_fails(c, &c->alice, engine_create_instances, &launch, ERR_INVALID, KIND_INSTANCE_TYPE);
}

static void check_access(void **state)
{
	struct cloud *c = *state;
	struct instance_type_wish wish = wish_of("own", "7");
	wish.is_private = true;
	cloud_ok(c, &c->operator, engine_create_instance_type, &wish);
	struct instance_launch launch = cloud_launch(c, 1);
	launch.type = TYPE("7");
	cloud_fails(c, &c->alice, engine_create_instances, &launch, ERR_NOT_FOUND, KIND_INSTANCE_TYPE);
	const struct ref alice = {
		.kind = KIND_ACCOUNT, .prefix = c->alice.account, .bits = 128, .text = STR("alice")};
	struct instance_type_settings change = {.type = TYPE("7"), .add_user = alice};
	cloud_fails(c, &c->alice, engine_update_instance_type, &change, ERR_NOT_FOUND, KIND_INSTANCE_TYPE);
	cloud_ok(c, &c->operator, engine_update_instance_type, &change);
	cloud_fails(c, &c->operator, engine_update_instance_type, &change, ERR_EXISTS, KIND_ACCOUNT);
	cloud_fails(c, &c->alice, engine_update_instance_type, &change, ERR_DENIED, KIND_INSTANCE_TYPE);
	cloud_ok(c, &c->alice, engine_create_instances, &launch);
	cloud_fails(c, &c->bob, engine_create_instances, &launch, ERR_NOT_FOUND, KIND_INSTANCE_TYPE);
	change = (struct instance_type_settings){.type = TYPE("7"), .remove_user = alice};
	cloud_ok(c, &c->operator, engine_update_instance_type, &change);
	cloud_fails(c, &c->operator, engine_update_instance_type, &change, ERR_NOT_FOUND, KIND_NONE);
	change = (struct instance_type_settings){.type = TYPE("t3.micro"), .add_user = alice};
	cloud_fails(c, &c->operator, engine_update_instance_type, &change, ERR_CONFLICT, KIND_INSTANCE_TYPE);
}

static void check_specs(void **state)
{
	struct cloud *c = *state;
	const struct tag specs[] = {
		{STR("hw:b"), STR("2")}, {STR("hw:a"), STR("1")}, {STR("hw:b"), STR("3")}};
	struct instance_type_settings change = {.type = TYPE("t3.micro"), .specs = {specs, 3}};
	cloud_ok(c, &c->operator, engine_update_instance_type, &change);
	const struct instance_type *type = instance_type_find_by_name(cloud_tables(c), STR("t3.micro"));
	assert_int_equal(type->extra_specs.count, 2);
	assert_true(str_is(type->extra_specs.at[0].key, "hw:a") &&
		    str_is(type->extra_specs.at[1].value, "3"));
	change = (struct instance_type_settings){.type = TYPE("t3.micro"), .remove_spec = STR("hw:a")};
	cloud_ok(c, &c->operator, engine_update_instance_type, &change);
	cloud_fails(c, &c->operator, engine_update_instance_type, &change, ERR_NOT_FOUND, KIND_NONE);
	const struct tag wrong = {STR("a/b"), STR("")};
	change = (struct instance_type_settings){.type = TYPE("t3.micro"), .specs = {&wrong, 1}};
	cloud_fails(c, &c->operator, engine_update_instance_type, &change, ERR_INVALID, KIND_INSTANCE_TYPE);
}

/* An instance type gets another name that is free, and is closed for new instances. */
static void check_settings(void **state)
{
	struct cloud *c = *state;
	const struct tag spec = {STR("kept"), STR("1")}, wrong = {STR("a/b"), STR("")};
	const struct str taken = STR("t3.micro"), empty = STR(""), free = STR("later");
	struct instance_type_wish wish = wish_of("early", "8");
	wish.specs = (struct tags){&wrong, 1};
	cloud_fails(c, &c->operator, engine_create_instance_type, &wish, ERR_INVALID, KIND_INSTANCE_TYPE);
	wish.specs = (struct tags){&spec, 1};
	cloud_ok(c, &c->operator, engine_create_instance_type, &wish);
	struct instance_type_settings change = {.type = TYPE("8"), .name = &taken};
	cloud_fails(c, &c->operator, engine_update_instance_type, &change, ERR_EXISTS, KIND_INSTANCE_TYPE);
	change.name = &empty;
	cloud_fails(c, &c->operator, engine_update_instance_type, &change, ERR_INVALID, KIND_INSTANCE_TYPE);
	change.name = &free;
	change.enabled = CHOICE_NO;
	cloud_ok(c, &c->operator, engine_update_instance_type, &change);
	cloud_ok(c, &c->operator, engine_update_instance_type, &change); /* its own name is not taken */
	const struct instance_type *type = instance_type_find_by_name(cloud_tables(c), free);
	assert_true(!type->enabled && type->extra_specs.count == 1);
	struct instance_launch launch = cloud_launch(c, 1);
	launch.type = TYPE("later");
	cloud_fails(c, &c->alice, engine_create_instances, &launch, ERR_NOT_FOUND, KIND_INSTANCE_TYPE);
	change.enabled = CHOICE_YES;
	cloud_ok(c, &c->operator, engine_update_instance_type, &change);
	cloud_ok(c, &c->alice, engine_create_instances, &launch);
}

/* A deleted type's row is kept for its instances, while its name and id can be used again. */
static void check_delete(void **state)
{
	struct cloud *c = *state;
	struct instance_type_wish wish = wish_of("short", "9");
	cloud_ok(c, &c->operator, engine_create_instance_type, &wish);
	struct instance_launch launch = cloud_launch(c, 1);
	launch.type = TYPE("short");
	cloud_ok(c, &c->alice, engine_create_instances, &launch);
	uuid id = launch.made.at[0], first = wish.instance_type;
	struct instance_type_target target = {.type = TYPE("9")};
	cloud_fails(c, &c->alice, engine_delete_instance_type, &target, ERR_DENIED, KIND_INSTANCE_TYPE);
	cloud_ok(c, &c->operator, engine_delete_instance_type, &target);
	cloud_fails(c, &c->operator, engine_delete_instance_type, &target, ERR_NOT_FOUND, KIND_INSTANCE_TYPE);
	assert_non_null(instance_type_find(cloud_tables(c), first));
	wish = wish_of("short", "9");
	cloud_ok(c, &c->operator, engine_create_instance_type, &wish);
	cloud_ok(c, &c->operator, engine_delete_instance_type, &target);
	assert_null(instance_type_find(cloud_tables(c), wish.instance_type));
	cloud_see(c, id, INSTANCE_SEEN_POWER_OFF);
	struct instance_settings change = {.instance = ref_to(c, KIND_INSTANCE, id),
					   .protect_stop = CHOICE_YES,
					   .type = TYPE("t3.micro")};
	const struct ref ref = ref_to(c, KIND_INSTANCE, id);
	struct instances_wish stop = {.instances = {&ref, 1}};
	cloud_ok(c, &c->alice, engine_stop_instances, &stop);
	cloud_see(c, id, INSTANCE_SEEN_POWER_OFF);
	cloud_ok(c, &c->alice, engine_update_instance, &change);
	assert_null(instance_type_find(cloud_tables(c), first));
}

/* ---- local disks: what an instance gets because of its type, and that nobody sees it as a volume ---- */

static void make_type(struct cloud *c, const char *name, int64_t ephemeral, int64_t swap)
{
	struct instance_type_wish wish = {.name = str_from(name),
					  .vcpus = 1,
					  .memory = 512 * MIB,
					  .ephemeral_disk = ephemeral,
					  .swap_disk = swap};
	cloud_ok(c, &c->operator, engine_create_instance_type, &wish);
}

static struct instance_launch launch_of(struct cloud *c, const char *type)
{
	struct instance_launch wish = cloud_launch(c, 1);
	wish.type = ref_named(KIND_INSTANCE_TYPE, type);
	return wish;
}

static uuid launch(struct cloud *c, const char *type)
{
	struct instance_launch wish = launch_of(c, type);
	cloud_ok(c, &c->alice, engine_create_instances, &wish);
	return wish.made.at[0];
}

/* Local disks in order of their slots, in MiB: "ephemeral 10240 /dev/vdb, swap 512 /dev/vdc". */
static const char *describe(struct cloud *c, uuid instance)
{
	struct volume_list disks;
	struct str text = STR_NONE;
	int64_t slot = 0;
	assert_true(result_is_ok(engine_list_local_disks(c->arena, cloud_tables(c), instance, &disks)));
	for (size_t k = 0; k < disks.count; k++) {
		const struct volume *v = disks.at[k];
		assert_true(v->device_slot > slot && v->delete_on_termination);
		slot = v->device_slot;
		text = str_print(c->arena, "%" STR_FMT "%s%s %lld %" STR_FMT, STR_ARG(text), k ? ", " : "",
				 volume_local_words[v->local], (long long) (v->size / MIB),
				 STR_ARG(v->device));
	}
	return text.n ? text.p : "none";
}

static uuid find(struct cloud *c, uuid instance, size_t number)
{
	struct volume_list disks;
	assert_true(result_is_ok(engine_list_local_disks(c->arena, cloud_tables(c), instance, &disks)));
	assert_true(number < disks.count);
	return disks.at[number]->row.id;
}

static struct account_usage usage_of_alice(struct cloud *c)
{
	struct account_usage usage;
	engine_get_usage(account_find(cloud_tables(c), c->alice.account), &usage);
	return usage;
}

static void check_launch(void **state)
{
	struct cloud *c = *state;
	struct volume_list disks;
	make_type(c, "both", 10 * GIB, 512 * MIB);
	int64_t before = 0, after = 0;
	for (size_t k = 0; k < CLOUD_HOSTS; k++)
		before += host_usage(host_find(cloud_tables(c), c->hosts[k]))->disk;
	uuid id = launch(c, "both");
	assert_string_equal(describe(c, id), "ephemeral 10240 /dev/vdb, swap 512 /dev/vdc");
	for (size_t k = 0; k < CLOUD_HOSTS; k++)
		after += host_usage(host_find(cloud_tables(c), c->hosts[k]))->disk;
	int64_t root = cloud_volume(c, id)->size;
	assert_int_equal(after - before, root + 10 * GIB + 512 * MIB); /* placement counts them */
	assert_int_equal(usage_of_alice(c).volumes, 1);                /* limits and meters do not */
	assert_int_equal(usage_of_alice(c).volume_bytes, root);
	assert_int_equal(cloud_usage(c, find(c, id, 0), "volume:"), -1);
	assert_true(result_is_ok(engine_list_disks(c->arena, cloud_tables(c), id, false, &disks)));
	assert_int_equal(disks.count, 1); /* nor are they among its volumes */
	assert_true(result_is_ok(engine_list_all_disks(c->arena, cloud_tables(c), id, &disks)));
	assert_int_equal(disks.count, 3);
	struct volume_target deleting = {.volume = ref_to(c, KIND_VOLUME, find(c, id, 1))};
	cloud_fails(c, &c->alice, engine_delete_volume, &deleting, ERR_NOT_FOUND, KIND_VOLUME);
	cloud_fails(c, &c->operator, engine_delete_volume, &deleting, ERR_NOT_FOUND, KIND_VOLUME);
}

static void check_named(void **state)
{
	struct cloud *c = *state;
	make_type(c, "both", 10 * GIB, 512 * MIB);
	const struct local_disk_wish named[] = {{.size = 4 * GIB, .device = STR("/dev/vdk")},
						{.is_swap = true, .size = 256 * MIB},
						{.size = 6 * GIB}};
	struct instance_launch wish = launch_of(c, "both");
	wish.local_disks = named;
	wish.local_disk_count = 3;
	cloud_ok(c, &c->alice, engine_create_instances, &wish);
	assert_string_equal(describe(c, wish.made.at[0]),
			    "ephemeral 4096 /dev/vdk, ephemeral 6144 /dev/vdc, swap 256 /dev/vdd");
	wish = launch_of(c, "both"); /* the one that is not named is the type's */
	wish.local_disks = named + 1;
	wish.local_disk_count = 1;
	cloud_ok(c, &c->alice, engine_create_instances, &wish);
	assert_string_equal(describe(c, wish.made.at[0]), "ephemeral 10240 /dev/vdb, swap 256 /dev/vdc");
}

static void refuse(struct cloud *c, const char *type, struct local_disk_wish first,
		   struct local_disk_wish second)
{
	const struct local_disk_wish named[] = {first, second};
	struct instance_launch wish = launch_of(c, type);
	wish.local_disks = named;
	wish.local_disk_count = 2;
	cloud_fails(c, &c->alice, engine_create_instances, &wish, ERR_INVALID, KIND_VOLUME);
}

static void check_refused(void **state)
{
	struct cloud *c = *state;
	const struct local_disk_wish swap = {.is_swap = true, .size = MIB}, half = {.size = 5 * GIB};
	make_type(c, "both", 10 * GIB, 512 * MIB);
	refuse(c, "both", half, (struct local_disk_wish){.size = 6 * GIB});
	refuse(c, "both", half, (struct local_disk_wish){0}); /* all that the type has, and more */
	refuse(c, "both", swap, swap);
	refuse(c, "both", half, (struct local_disk_wish){.is_swap = true, .size = GIB});
	refuse(c, "t3.micro", half, swap);
	refuse(c, "both", half, (struct local_disk_wish){.size = GIB, .device = STR("/dev/xvda")});
	refuse(c, "both", half, (struct local_disk_wish){.size = GIB, .device = STR("Not One")});
}

static void check_rebuild(void **state)
{
	struct cloud *c = *state;
	make_type(c, "both", 10 * GIB, 512 * MIB);
	uuid id = launch(c, "both");
	cloud_see(c, id, INSTANCE_SEEN_POWER_ON);
	uuid ephemeral = find(c, id, 0), swap = find(c, id, 1);
	struct instance_rebuilding wish = {.instance = ref_to(c, KIND_INSTANCE, id),
					   .image = ref_to(c, KIND_IMAGE, c->image)};
	cloud_ok(c, &c->alice, engine_rebuild_instance, &wish);
	assert_string_equal(describe(c, id), "ephemeral 10240 /dev/vdb, swap 512 /dev/vdc");
	assert_false(uuid_equal(ephemeral, find(c, id, 0)));
	assert_false(uuid_equal(swap, find(c, id, 1)));
	const struct volume *old = volume_find(cloud_tables(c), ephemeral);
	assert_true(!old || !row_is_live(&old->row));
}

static void resize(struct cloud *c, uuid id, const char *type)
{
	struct instance_resizing wish = {.instance = ref_to(c, KIND_INSTANCE, id),
					 .type = ref_named(KIND_INSTANCE_TYPE, type)};
	cloud_ok(c, &c->alice, engine_resize_instance, &wish);
	cloud_see(c, id, INSTANCE_SEEN_POWER_ON);
}

static void check_resize(void **state)
{
	struct cloud *c = *state;
	make_type(c, "both", 10 * GIB, 512 * MIB);
	make_type(c, "more", 20 * GIB, GIB);
	make_type(c, "less", 5 * GIB, 0);
	uuid id = launch(c, "t3.micro");
	struct instance_target target = {.instance = ref_to(c, KIND_INSTANCE, id)};
	cloud_see(c, id, INSTANCE_SEEN_POWER_ON);
	assert_string_equal(describe(c, id), "none");
	resize(c, id, "both"); /* added by the new type */
	assert_string_equal(describe(c, id), "ephemeral 10240 /dev/vdb, swap 512 /dev/vdc");
	cloud_ok(c, &c->alice, engine_revert_resize, &target); /* and go */
	cloud_see(c, id, INSTANCE_SEEN_POWER_ON);
	assert_string_equal(describe(c, id), "none");
	resize(c, id, "both");
	cloud_ok(c, &c->alice, engine_confirm_resize, &target);
	uuid ephemeral = find(c, id, 0);
	resize(c, id, "more"); /* what is on the ephemeral disk stays, as it is; the other holds nothing */
	assert_true(uuid_equal(find(c, id, 0), ephemeral));
	assert_true(strstr(describe(c, id), "ephemeral 10240") && strstr(describe(c, id), "swap 1024"));
	cloud_ok(c, &c->alice, engine_confirm_resize, &target);
	struct instance_resizing wish = {.instance = target.instance,
					 .type = ref_named(KIND_INSTANCE_TYPE, "less")};
	cloud_fails(c, &c->alice, engine_resize_instance, &wish, ERR_INVALID, KIND_INSTANCE_TYPE);
}

static void check_end(void **state)
{
	struct cloud *c = *state;
	make_type(c, "both", 10 * GIB, 512 * MIB);
	uuid id = launch(c, "both");
	cloud_see(c, id, INSTANCE_SEEN_POWER_ON);
	uuid ephemeral = find(c, id, 0);
	cloud_see_volume(c, cloud_volume(c, id)->row.id);
	struct instance_snapshots snapshots = {.instance = ref_to(c, KIND_INSTANCE, id)};
	cloud_ok(c, &c->alice, engine_create_snapshots, &snapshots);
	assert_int_equal(snapshots.made.count, 1); /* only of the root disk */
	const struct ref ref = ref_to(c, KIND_INSTANCE, id);
	struct instances_wish ending = {.instances = refs_of(c, &ref, 1)};
	cloud_ok(c, &c->alice, engine_terminate_instances, &ending);
	cloud_see(c, id, INSTANCE_SEEN_POWER_ABSENT);
	const struct volume *old = volume_find(cloud_tables(c), ephemeral);
	assert_true(!old || !row_is_live(&old->row));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(check_create, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_limits, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_root_disk, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_access, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_specs, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_settings, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_delete, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_launch, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_named, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_refused, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_rebuild, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_resize, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_end, cloud_setup, cloud_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
