/* SPDX-License-Identifier: Apache-2.0
 * Instance types that the operator makes: what they may be, who may use them, and how long they stay. */
#include "cloud.h"
#include "engine/instance/instance_type.h"
#include "model/instance.h"
#include "model/volume.h"
#include "store/instance_type.h"

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

/* Its instances keep a deleted type's row, whose name and id are free again. */
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
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
