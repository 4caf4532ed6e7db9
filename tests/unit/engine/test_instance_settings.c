/* SPDX-License-Identifier: Apache-2.0
 * What users change of one instance, and what that forbids. */
#include "cloud.h"

static void ask(struct cloud *c, op_run run, uuid id, enum err err)
{
	const struct ref ref = ref_to(c, KIND_INSTANCE, id);
	struct instances_wish wish = {.instances = {&ref, 1}};
	cloud_expect(c, cloud_run(c, &c->alice, run, &wish), err, err ? KIND_INSTANCE : KIND_NONE);
}

static void check_update(void **state)
{
	struct cloud *c = *state;
	uuid id = cloud_launch_one(c);
	struct ref ref = ref_to(c, KIND_INSTANCE, id);
	cloud_see(c, id, INSTANCE_SEEN_POWER_ON);
	struct instance_settings wish = {.instance = ref, .type = ref_named(KIND_INSTANCE_TYPE, "t3.large")};
	cloud_fails(c, &c->alice, engine_update_instance, &wish, ERR_STATE, KIND_INSTANCE);
	cloud_fails(c, &c->bob, engine_update_instance, &wish, ERR_NOT_FOUND, KIND_INSTANCE);
	ask(c, engine_stop_instances_run, id, ERR_NONE);
	cloud_see(c, id, INSTANCE_SEEN_POWER_OFF);
	cloud_ok(c, &c->alice, engine_update_instance, &wish);
	assert_int_equal(cloud_instance(c, id)->memory, 8 * GIB);
	assert_int_equal(host_side(host_find(cloud_tables(c), cloud_instance(c, id)->host))->memory, 8 * GIB);
	wish.type = ref_named(KIND_INSTANCE_TYPE, "m5.4xlarge");
	cloud_fails(c, &c->alice, engine_update_instance, &wish, ERR_CAPACITY, KIND_INSTANCE);
	wish.type = ref_named(KIND_INSTANCE_TYPE, "nonsense");
	cloud_fails(c, &c->alice, engine_update_instance, &wish, ERR_NOT_FOUND, KIND_INSTANCE_TYPE);
	wish.type = (struct ref){0};
	wish.set_user_data = true;
	wish.user_data = STR("new");
	wish.metadata_tokens_required = CHOICE_YES;
	wish.metadata_hop_limit = 2;
	cloud_ok(c, &c->alice, engine_update_instance, &wish);
	const struct instance *i = cloud_instance(c, id);
	assert_true(str_is(i->user_data, "new") && i->metadata_tokens_required && i->metadata_hop_limit == 2);
	wish.metadata_hop_limit = 65;
	cloud_fails(c, &c->alice, engine_update_instance, &wish, ERR_INVALID, KIND_INSTANCE);
	ask(c, engine_terminate_instances_run, id, ERR_NONE);
	wish.metadata_hop_limit = 0;
	cloud_fails(c, &c->alice, engine_update_instance, &wish, ERR_STATE, KIND_INSTANCE);
}

static void check_protected(void **state)
{
	struct cloud *c = *state;
	uuid id = cloud_launch_one(c);
	cloud_see(c, id, INSTANCE_SEEN_POWER_ON);
	struct instance_settings wish = {.instance = ref_to(c, KIND_INSTANCE, id),
					 .protect_stop = CHOICE_YES};
	cloud_ok(c, &c->alice, engine_update_instance, &wish);
	uint64_t gen = cloud_instance(c, id)->row.gen;
	cloud_ok(c, &c->alice, engine_update_instance, &wish); /* as it is: nothing new is wanted */
	assert_int_equal(cloud_instance(c, id)->row.gen, gen);
	ask(c, engine_stop_instances_run, id, ERR_PROTECTED);
	assert_true(str_contains(c->c.problem.message, STR("disableApiStop")));
	ask(c, engine_terminate_instances_run, id, ERR_PROTECTED);
	wish.protect_stop = CHOICE_NO;
	wish.protect_terminate = CHOICE_YES;
	cloud_ok(c, &c->alice, engine_update_instance, &wish);
	ask(c, engine_stop_instances_run, id, ERR_NONE);
	ask(c, engine_terminate_instances_run, id, ERR_PROTECTED);
	assert_true(str_contains(c->c.problem.message, STR("disableApiTermination")));
}

/* What belongs to it: its only port and its volumes. */
static void check_parts(void **state)
{
	struct cloud *c = *state;
	uuid id = cloud_launch_one(c);
	struct security_group_wish group = {.name = STR("web")};
	cloud_ok(c, &c->alice, engine_create_security_group, &group);
	const struct ref groups = ref_to(c, KIND_SECURITY_GROUP, group.group);
	struct volume_fate fates[] = {
		{.device = str_copy(c->c.arena, cloud_volume(c, id)->device), .field = STR("B")}};
	struct instance_settings wish = {.instance = ref_to(c, KIND_INSTANCE, id),
					 .groups = {&groups, 1},
					 .source_dest_check = CHOICE_NO,
					 .volumes = fates,
					 .volume_count = 1};
	cloud_ok(c, &c->alice, engine_update_instance, &wish);
	const struct port *port = cloud_port(c, id);
	assert_true(uuid_equal(port->groups.at[0], group.group) && !port->source_dest_check);
	assert_false(cloud_volume(c, id)->delete_on_termination);
	fates[0].volume = ref_to(c, KIND_VOLUME, cloud_volume(c, cloud_launch_one(c))->row.id);
	cloud_fails(c, &c->alice, engine_update_instance, &wish, ERR_NOT_FOUND, KIND_VOLUME);
	fates[0] = (struct volume_fate){.device = STR("/dev/sdz"), .field = STR("B")};
	cloud_fails(c, &c->alice, engine_update_instance, &wish, ERR_NOT_FOUND, KIND_VOLUME);
	assert_true(str_is(c->c.problem.field, "B"));
}

static void check_type(void **state)
{
	struct cloud *c = *state;
	struct instance_launch launch = cloud_launch(c, 1);
	const struct launch_port ports[] = {{.device_index = 0}, {.device_index = 1}, {.device_index = 2}};
	launch.type = ref_named(KIND_INSTANCE_TYPE, "t3.small");
	launch.ports = ports;
	launch.port_count = 3;
	cloud_ok(c, &c->alice, engine_create_instances, &launch);
	uuid id = launch.made.at[0];
	ask(c, engine_stop_instances_run, id, ERR_NONE);
	struct instance_settings wish = {.instance = ref_to(c, KIND_INSTANCE, id),
					 .type = ref_named(KIND_INSTANCE_TYPE, "t3.micro")};
	cloud_fails(c, &c->alice, engine_update_instance, &wish, ERR_QUOTA, KIND_PORT);
	wish.type = ref_named(KIND_INSTANCE_TYPE, "t4g.small");
	cloud_fails(c, &c->alice, engine_update_instance, &wish, ERR_INVALID, KIND_INSTANCE_TYPE);
	wish.type = ref_named(KIND_INSTANCE_TYPE, "t3.medium");
	cloud_ok(c, &c->alice, engine_update_instance, &wish);
	assert_int_equal(cloud_instance(c, id)->memory, 4 * GIB);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(check_update, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_protected, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_parts, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_type, cloud_setup, cloud_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
