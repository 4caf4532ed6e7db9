/* SPDX-License-Identifier: Apache-2.0
 * Users' changes of an instance's settings, and the states that forbid them. */
#include "cloud.h"
#include "denied.h"
#include "engine/instance/instance_interface.h"
#include "engine/instance/placement/instance_migration.h"
#include "engine/instance/profile_association.h"
#include "engine/licence/licence.h"
#include "engine/people/policy/iam_role.h"
#include "model/instance.h"
#include "model/port.h"
#include "model/states.h"
#include "store/host.h"
#include "store/volume.h"

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
	assert_int_equal(host_usage(host_find(cloud_tables(c), cloud_instance(c, id)->host))->memory,
			 8 * GIB);
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

/* ---- locked, paused, suspended ---- */

static void check_lock(void **state)
{
	struct cloud *c = *state;
	uuid id = cloud_launch_one(c);
	const struct ref ref = ref_to(c, KIND_INSTANCE, id);
	struct instances_wish wish = {.instances = {&ref, 1}, .reason = STR("mine")};
	cloud_see(c, id, INSTANCE_SEEN_POWER_ON);
	cloud_ok(c, &c->alice, engine_lock_instances, &wish);
	assert_true(str_is(cloud_instance(c, id)->locked_reason, "mine"));
	static const op_run refused[] = {engine_stop_instances_run,      engine_reboot_instances_run,
					 engine_terminate_instances_run, engine_pause_instances_run,
					 engine_suspend_instances_run,   engine_monitor_instances_run};
	for (size_t n = 0; n < sizeof refused / sizeof *refused; n++)
		ask(c, refused[n], id, ERR_PROTECTED);
	struct instance_settings change = {.instance = ref, .set_name = true, .name = STR("n")};
	cloud_fails(c, &c->alice, engine_update_instance, &change, ERR_PROTECTED, KIND_INSTANCE);
	struct instance_resizing resizing = {.instance = ref,
					     .type = ref_named(KIND_INSTANCE_TYPE, "t3.large")};
	cloud_fails(c, &c->alice, engine_resize_instance, &resizing, ERR_PROTECTED, KIND_INSTANCE);
	struct volume_detaching detaching = {.volume = ref_to(c, KIND_VOLUME, cloud_volume(c, id)->row.id)};
	cloud_fails(c, &c->alice, engine_detach_volume, &detaching, ERR_PROTECTED, KIND_INSTANCE);
	struct instance_migrating redeploying = {.instance = ref};
	cloud_fails(c, &c->alice, engine_redeploy_instance, &redeploying, ERR_PROTECTED, KIND_INSTANCE);
	struct licence_conversion conversion = {.instance = ref};
	cloud_fails(c, &c->alice, engine_convert_licences, &conversion, ERR_PROTECTED, KIND_INSTANCE);
	struct credit_change credits = {.instance = ref, .unlimited = true};
	struct credit_wish all_credits = {&credits, 1};
	cloud_fails(c, &c->alice, engine_change_credits, &all_credits, ERR_PROTECTED, KIND_INSTANCE);
	struct interface_wish plugging = {.instance = ref};
	cloud_fails(c, &c->alice, engine_plug_interface, &plugging, ERR_PROTECTED, KIND_INSTANCE);
	struct port_wish port = {.subnet = ref_to(c, KIND_SUBNET, cloud_port(c, id)->subnet)};
	cloud_ok(c, &c->alice, engine_create_port, &port);
	struct port_attaching attaching = {
		.port = ref_to(c, KIND_PORT, port.port), .instance = ref, .device_index = 1};
	cloud_fails(c, &c->alice, engine_attach_port, &attaching, ERR_PROTECTED, KIND_INSTANCE);
	cloud_ok(c, &c->alice, engine_unlock_instances, &wish);
	cloud_ok(c, &c->alice, engine_update_instance, &change);
	/* The operator's lock is his, and does not bind him. */
	cloud_ok(c, &c->operator, engine_lock_instances, &wish);
	cloud_ok(c, &c->alice, engine_lock_instances, &wish);
	cloud_fails(c, &c->alice, engine_unlock_instances, &wish, ERR_DENIED, KIND_INSTANCE);
	cloud_ok(c, &c->operator, engine_reboot_instances, &wish);
	cloud_ok(c, &c->operator, engine_unlock_instances, &wish);
	ask(c, engine_stop_instances_run, id, ERR_NONE);
}

static uuid make_group(struct cloud *c, size_t k)
{
	struct security_group_wish wish = {.name = str_print(c->arena, "group-%zu", k)};
	cloud_ok(c, &c->alice, engine_create_security_group, &wish);
	return wish.group;
}

/* Calls for all ports of an instance keep the limits and permissions of calls for one port. */
/* A locked instance keeps the profile that it has, and a terminated one gets none. */
static void check_profiles(void **state)
{
	struct cloud *c = *state;
	uuid id = cloud_launch_one(c), bare = cloud_launch_one(c);
	const struct ref refs[] = {ref_to(c, KIND_INSTANCE, id), ref_to(c, KIND_INSTANCE, bare)};
	struct instances_wish both = {.instances = {refs, 2}};
	struct instance_profile_wish made = {.name = STR("web")};
	c->alice.is_owner = true; /* who may make and pass profiles */
	cloud_ok(c, &c->alice, engine_create_instance_profile, &made);
	struct ref profile = ref_to(c, KIND_INSTANCE_PROFILE, made.instance_profile);
	struct profile_association_wish wish = {refs[0], profile, UUID_NONE},
					other = {refs[1], profile, UUID_NONE};
	cloud_ok(c, &c->alice, engine_associate_profile, &wish);
	cloud_fails(c, &c->alice, engine_associate_profile, &wish, ERR_STATE, KIND_PROFILE_ASSOCIATION);
	struct ref association = ref_to(c, KIND_PROFILE_ASSOCIATION, wish.profile_association);
	struct profile_association_change change = {association, profile, UUID_NONE};
	struct profile_association_target target = {.profile_association = association};
	cloud_ok(c, &c->alice, engine_lock_instances, &both);
	cloud_fails(c, &c->alice, engine_associate_profile, &other, ERR_PROTECTED, KIND_INSTANCE);
	cloud_fails(c, &c->alice, engine_replace_profile, &change, ERR_PROTECTED, KIND_INSTANCE);
	cloud_fails(c, &c->alice, engine_disassociate_profile, &target, ERR_PROTECTED, KIND_INSTANCE);
	cloud_ok(c, &c->alice, engine_unlock_instances, &both);
	cloud_ok(c, &c->alice, engine_replace_profile, &change);
	target.profile_association = ref_to(c, KIND_PROFILE_ASSOCIATION, change.made);
	cloud_ok(c, &c->alice, engine_disassociate_profile, &target);
	ask(c, engine_terminate_instances_run, bare, ERR_NONE);
	cloud_fails(c, &c->alice, engine_associate_profile, &other, ERR_STATE, KIND_INSTANCE);
}

static void check_interfaces(void **state)
{
	struct cloud *c = *state;
	uuid id = cloud_launch_one(c), group = make_group(c, 0);
	struct instance_group_change wish = {.instance = ref_to(c, KIND_INSTANCE, id),
					     .group = ref_to(c, KIND_SECURITY_GROUP, group)};
	cloud_denies(c, &c->alice, engine_change_instance_groups, &wish, "security_group.use",
		     KIND_SECURITY_GROUP, group);
	for (size_t k = 1; k < PORT_GROUPS_MAX; k++) { /* in the default group it is already */
		wish.group = ref_to(c, KIND_SECURITY_GROUP, make_group(c, k));
		cloud_ok(c, &c->alice, engine_change_instance_groups, &wish);
	}
	wish.group = ref_to(c, KIND_SECURITY_GROUP, group);
	cloud_fails(c, &c->alice, engine_change_instance_groups, &wish, ERR_QUOTA, KIND_SECURITY_GROUP);
	struct port_settings open = {.instance = wish.instance, .is_open = CHOICE_YES, .has_no_groups = true};
	cloud_ok(c, &c->alice, engine_update_port, &open);
	cloud_fails(c, &c->alice, engine_change_instance_groups, &wish, ERR_COMBINATION, KIND_SECURITY_GROUP);
	struct interface_target unplugging = {.instance = wish.instance,
					      .port = ref_to(c, KIND_PORT, cloud_port(c, id)->row.id)};
	cloud_denies(c, &c->alice, engine_unplug_interface, &unplugging, "port.detach", KIND_INSTANCE, id);
	cloud_ok(c, &c->alice, engine_unplug_interface, &unplugging);
}

static void check_pause_and_suspend(void **state)
{
	struct cloud *c = *state;
	uuid id = cloud_launch_one(c);
	ask(c, engine_pause_instances_run, id, ERR_STATE); /* it does not run yet */
	ask(c, engine_suspend_instances_run, id, ERR_STATE);
	cloud_see(c, id, INSTANCE_SEEN_POWER_ON);
	uint64_t gen = cloud_instance(c, id)->row.gen;
	ask(c, engine_unpause_instances_run, id, ERR_NONE);
	assert_int_equal(cloud_instance(c, id)->row.gen, gen);
	ask(c, engine_pause_instances_run, id, ERR_NONE);
	assert_true(cloud_instance(c, id)->wanted_pause);
	ask(c, engine_reboot_instances_run, id, ERR_NONE);
	assert_false(cloud_instance(c, id)->wanted_pause);
	ask(c, engine_suspend_instances_run, id, ERR_NONE);
	ask(c, engine_suspend_instances_run, id, ERR_NONE);
	assert_int_equal(cloud_state(c, id), INSTANCE_SUSPENDING);
	ask(c, engine_start_instances_run, id, ERR_STATE);
	struct instance_report report = {.instance = id,
					 .gen = cloud_instance(c, id)->row.gen,
					 .reached = true,
					 .power = INSTANCE_SEEN_POWER_OFF,
					 .is_saved = true};
	cloud_ok(c, NULL, engine_see_instance, &report);
	assert_int_equal(cloud_state(c, id), INSTANCE_SUSPENDED);
	struct volume_detaching detaching = {.volume = ref_to(c, KIND_VOLUME, cloud_volume(c, id)->row.id)};
	cloud_fails(c, &c->alice, engine_detach_volume, &detaching, ERR_STATE, KIND_VOLUME);
	ask(c, engine_stop_instances_run, id, ERR_NONE); /* it is off: nothing changes */
	assert_int_equal(cloud_state(c, id), INSTANCE_SUSPENDED);
	const struct ref ref = ref_to(c, KIND_INSTANCE, id);
	struct instances_wish start = {.instances = {&ref, 1}, .only_from = 1U << INSTANCE_STOPPED};
	cloud_fails(c, &c->alice, engine_start_instances, &start, ERR_STATE, KIND_INSTANCE);
	start.only_from |= 1U << INSTANCE_SUSPENDED;
	cloud_ok(c, &c->alice, engine_start_instances, &start);
	assert_false(cloud_instance(c, id)->wanted_save);
}

/* ---- resized, rebuilt ---- */

static void check_resize(void **state)
{
	struct cloud *c = *state;
	uuid id = cloud_launch_one(c);
	struct instance_target target = {.instance = ref_to(c, KIND_INSTANCE, id)};
	struct instance_resizing wish = {.instance = target.instance,
					 .type = ref_named(KIND_INSTANCE_TYPE, "t3.large")};
	cloud_fails(c, &c->alice, engine_resize_instance, &wish, ERR_STATE, KIND_INSTANCE);
	cloud_see(c, id, INSTANCE_SEEN_POWER_ON);
	cloud_fails(c, &c->bob, engine_resize_instance, &wish, ERR_NOT_FOUND, KIND_INSTANCE);
	cloud_fails(c, &c->alice, engine_confirm_resize, &target, ERR_STATE, KIND_INSTANCE);
	cloud_ok(c, &c->alice, engine_resize_instance, &wish);
	cloud_fails(c, &c->alice, engine_revert_resize, &target, ERR_STATE, KIND_INSTANCE);
	assert_int_equal(host_usage(host_find(cloud_tables(c), cloud_instance(c, id)->host))->memory,
			 8 * GIB);
	cloud_see(c, id, INSTANCE_SEEN_POWER_ON);
	cloud_fails(c, &c->alice, engine_resize_instance, &wish, ERR_STATE,
		    KIND_INSTANCE); /* confirm first */
	cloud_ok(c, &c->alice, engine_confirm_resize, &target);
	cloud_fails(c, &c->alice, engine_revert_resize, &target, ERR_STATE, KIND_INSTANCE);
	cloud_fails(c, &c->alice, engine_resize_instance, &wish, ERR_CONFLICT, KIND_INSTANCE_TYPE);
	wish.type = ref_named(KIND_INSTANCE_TYPE, "m5.4xlarge");
	cloud_fails(c, &c->alice, engine_resize_instance, &wish, ERR_CAPACITY, KIND_INSTANCE);
}

static void check_rebuild(void **state)
{
	struct cloud *c = *state;
	uuid id = cloud_launch_one(c), old = cloud_volume(c, id)->row.id;
	struct instance_rebuilding wish = {.instance = ref_to(c, KIND_INSTANCE, id),
					   .image = ref_to(c, KIND_IMAGE, c->image),
					   .set_name = true,
					   .name = STR("anew")};
	cloud_fails(c, &c->alice, engine_rebuild_instance, &wish, ERR_STATE, KIND_INSTANCE);
	cloud_see(c, id, INSTANCE_SEEN_POWER_ON);
	wish.image = ref_to(c, KIND_IMAGE, id_new(KIND_IMAGE));
	cloud_fails(c, &c->alice, engine_rebuild_instance, &wish, ERR_NOT_FOUND, KIND_IMAGE);
	wish.image = ref_to(c, KIND_IMAGE, c->image);
	cloud_ok(c, &c->alice, engine_rebuild_instance, &wish);
	const struct volume *root = cloud_volume(c, id);
	assert_false(uuid_equal(root->row.id, old));
	assert_int_equal(root->device_slot, 0);
	assert_false(volume_find(cloud_tables(c), old) &&
		     row_is_live(&volume_find(cloud_tables(c), old)->row));
	assert_true(str_is(cloud_instance(c, id)->name, "anew"));
	cloud_fails(c, &c->alice, engine_rebuild_instance, &wish, ERR_STATE, KIND_INSTANCE);
}

static void check_rescue(void **state)
{
	struct cloud *c = *state;
	uuid id = cloud_launch_one(c);
	struct instance_target target = {.instance = ref_to(c, KIND_INSTANCE, id)};
	struct instance_rescuing wish = {.instance = target.instance,
					 .image = ref_to(c, KIND_IMAGE, id_new(KIND_IMAGE))};
	cloud_fails(c, &c->alice, engine_rescue_instance, &wish, ERR_STATE, KIND_INSTANCE);
	cloud_see(c, id, INSTANCE_SEEN_POWER_ON);
	cloud_fails(c, &c->alice, engine_rescue_instance, &wish, ERR_NOT_FOUND, KIND_IMAGE);
	wish.image = (struct ref){0};
	cloud_fails(c, &c->bob, engine_rescue_instance, &wish, ERR_NOT_FOUND, KIND_INSTANCE);
	cloud_fails(c, &c->alice, engine_unrescue_instance, &target, ERR_STATE, KIND_INSTANCE);
	cloud_ok(c, &c->alice, engine_rescue_instance, &wish);
	const struct volume *disk = volume_find(cloud_tables(c), cloud_instance(c, id)->rescue_disk);
	assert_true(disk && disk->delete_on_termination && disk->device_slot == 1);
	cloud_fails(c, &c->alice, engine_unrescue_instance, &target, ERR_STATE, KIND_INSTANCE); /* not yet */
	cloud_see(c, id, INSTANCE_SEEN_POWER_ON);
	cloud_fails(c, &c->alice, engine_rescue_instance, &wish, ERR_STATE, KIND_INSTANCE);
	cloud_fails(c, &c->alice, engine_shelve_instance, &target, ERR_STATE, KIND_INSTANCE);
	cloud_fails(c, &c->bob, engine_unrescue_instance, &target, ERR_NOT_FOUND, KIND_INSTANCE);
	cloud_ok(c, &c->alice, engine_unrescue_instance, &target);
	assert_true(uuid_is_none(cloud_instance(c, id)->rescue_disk));
}

static void check_shelves(void **state)
{
	struct cloud *c = *state;
	uuid id = cloud_launch_one(c);
	struct instance_target target = {.instance = ref_to(c, KIND_INSTANCE, id)};
	cloud_fails(c, &c->alice, engine_shelve_instance, &target, ERR_STATE, KIND_INSTANCE);
	cloud_see(c, id, INSTANCE_SEEN_POWER_ON);
	cloud_fails(c, &c->bob, engine_shelve_instance, &target, ERR_NOT_FOUND, KIND_INSTANCE);
	struct instance_unshelving back = {.instance = target.instance};
	cloud_fails(c, &c->alice, engine_unshelve_instance, &back, ERR_STATE, KIND_INSTANCE);
	struct instance_settings settings = {.instance = target.instance, .protect_stop = CHOICE_YES};
	cloud_ok(c, &c->alice, engine_update_instance, &settings);
	cloud_see(c, id, INSTANCE_SEEN_POWER_ON);
	cloud_fails(c, &c->alice, engine_shelve_instance, &target, ERR_PROTECTED, KIND_INSTANCE);
}

static void check_words(void **state)
{
	struct cloud *c = *state;
	uuid id = cloud_launch_one(c);
	struct instance_marking mark = {.instance = ref_to(c, KIND_INSTANCE, id), .is_broken = true};
	struct instance_target target = {.instance = mark.instance};
	struct guest_password_report telling = {.instance = id, .password = STR("")};
	cloud_fails(c, &c->bob, engine_mark_instance, &mark, ERR_NOT_FOUND, KIND_INSTANCE);
	cloud_ok(c, &c->alice, engine_mark_instance, &mark);
	assert_true(cloud_instance(c, id)->error_override);
	mark.is_broken = false;
	cloud_ok(c, &c->alice, engine_mark_instance, &mark);
	assert_false(cloud_instance(c, id)->error_override);
	cloud_fails(c, NULL, engine_report_guest_password, &telling, ERR_INVALID, KIND_INSTANCE);
	telling.password = STR("c2VjcmV0");
	cloud_ok(c, NULL, engine_report_guest_password, &telling);
	cloud_fails(c, NULL, engine_report_guest_password, &telling, ERR_EXISTS, KIND_INSTANCE);
	cloud_fails(c, &c->bob, engine_clear_guest_password, &target, ERR_NOT_FOUND, KIND_INSTANCE);
	cloud_ok(c, &c->alice, engine_clear_guest_password, &target);
	cloud_ok(c, NULL, engine_report_guest_password, &telling);
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

/* Settings of the instance's parts: its only port and its volumes. */
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
		cmocka_unit_test_setup_teardown(check_lock, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_profiles, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_interfaces, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_pause_and_suspend, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_resize, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_rebuild, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_rescue, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_shelves, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_words, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_parts, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_type, cloud_setup, cloud_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
