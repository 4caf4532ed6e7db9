/* SPDX-License-Identifier: Apache-2.0
 * Azure VM extensions: which VMs and handlers may have them, which changes make a new goal state, and when a
 * deleted extension is forgotten. */
#include "cloud.h"

#include <stdio.h>

#include "engine/instance/azure_guest.h"
#include "store/azure_guest.h"
#include "store/instance_extension.h"

static uuid launch(struct cloud *c, enum instance_personality personality)
{
	struct instance_launch wish = cloud_launch(c, 1);
	wish.personality_choice = CHOICE_YES;
	wish.personality = personality;
	cloud_ok(c, &c->alice, engine_create_instances, &wish);
	return wish.made.at[0];
}

static uuid start_guest(struct cloud *c)
{
	uuid id = launch(c, INSTANCE_PERSONALITY_AZURE);
	cloud_see(c, id, INSTANCE_SEEN_POWER_ON);
	return id;
}

static struct extension_wish command(struct cloud *c, uuid instance, const char *name, const char *type)
{
	return (struct extension_wish){.instance = ref_to(c, KIND_INSTANCE, instance),
				       .name = str_from(name),
				       .publisher = STR("Dari"),
				       .type = str_from(type),
				       .version = STR("1.0"),
				       .settings = STR("{}")};
}

static const struct instance_extension *extension(struct cloud *c, uuid id)
{
	return instance_extension_find(cloud_tables(c), id);
}

/* The number of the goal state; a guest without extensions has the first. */
static int64_t incarnation(struct cloud *c, uuid instance)
{
	const struct azure_guest *guest = engine_find_azure_guest(cloud_tables(c), instance);
	return guest ? guest->incarnation : 1;
}

static void a_guest_with_an_agent_has_to_run(void **state)
{
	struct cloud *c = *state;
	uuid other = launch(c, INSTANCE_PERSONALITY_NOCLOUD), guest = launch(c, INSTANCE_PERSONALITY_AZURE);
	cloud_see(c, other, INSTANCE_SEEN_POWER_ON);
	struct extension_wish wish = command(c, other, "a", "RunCommandLinux");
	cloud_fails(c, &c->alice, engine_set_extension, &wish, ERR_STATE, KIND_INSTANCE);
	wish.instance = ref_to(c, KIND_INSTANCE, guest);
	cloud_fails(c, &c->alice, engine_set_extension, &wish, ERR_STATE, KIND_INSTANCE); /* it starts */
	cloud_see(c, guest, INSTANCE_SEEN_POWER_ON);
	cloud_fails(c, &c->bob, engine_set_extension, &wish, ERR_NOT_FOUND, KIND_INSTANCE);
	cloud_ok(c, &c->alice, engine_set_extension, &wish);
	assert_int_equal(incarnation(c, guest), 2);
	cloud_see_off(c, guest, INSTANCE_OFF_GUEST);
	struct extension_target target = {.instance = wish.instance, .name = STR("a")};
	cloud_fails(c, &c->alice, engine_delete_extension, &target, ERR_STATE, KIND_INSTANCE);
}

static void names_and_settings_have_limits(void **state)
{
	struct cloud *c = *state;
	uuid guest = start_guest(c);
	static char text[EXTENSION_SETTINGS_MAX + 1];
	memset(text, 'a', sizeof text);
	struct extension_wish wish = command(c, guest, "", "RunCommandLinux");
	cloud_fails(c, &c->alice, engine_set_extension, &wish, ERR_INVALID, KIND_INSTANCE_EXTENSION);
	wish.name = (struct str){text, EXTENSION_NAME_MAX + 1};
	cloud_fails(c, &c->alice, engine_set_extension, &wish, ERR_INVALID, KIND_INSTANCE_EXTENSION);
	wish.name.n = EXTENSION_NAME_MAX;
	wish.settings = (struct str){text, sizeof text};
	cloud_fails(c, &c->alice, engine_set_extension, &wish, ERR_INVALID, KIND_INSTANCE_EXTENSION);
	wish.settings.n--;
	wish.version = STR("1.0\n");
	cloud_fails(c, &c->alice, engine_set_extension, &wish, ERR_INVALID, KIND_INSTANCE_EXTENSION);
	wish.version = STR("1.0");
	wish.publisher = STR("Microsoft.Compute");
	cloud_fails(c, &c->alice, engine_set_extension, &wish, ERR_NOT_FOUND, KIND_INSTANCE_EXTENSION);
	wish.publisher = STR("dari"); /* Azure ignores case */
	cloud_ok(c, &c->alice, engine_set_extension, &wish);
	assert_true(str_is(extension(c, wish.extension)->publisher, "Dari"));
}

/* An agent runs one extension of a handler; each managed run command names a handler of its own. */
static void a_handler_has_one_extension(void **state)
{
	struct cloud *c = *state;
	uuid guest = start_guest(c);
	struct extension_wish wish = command(c, guest, "first", "RunCommandLinux");
	cloud_ok(c, &c->alice, engine_set_extension, &wish);
	assert_true(wish.is_new);
	wish = command(c, guest, "second", "runcommandlinux");
	cloud_fails(c, &c->alice, engine_set_extension, &wish, ERR_EXISTS, KIND_INSTANCE_EXTENSION);
	wish.name = STR("FIRST");
	cloud_ok(c, &c->alice, engine_set_extension, &wish); /* the same one */
	assert_false(wish.is_new);

	char names[EXTENSIONS_OF_INSTANCE_MAX][40];
	for (int n = 1; n < EXTENSIONS_OF_INSTANCE_MAX; n++) {
		snprintf(names[n], sizeof names[n], EXTENSION_OF_COMMANDS "_%d", n);
		wish = command(c, guest, names[n], names[n]);
		cloud_ok(c, &c->alice, engine_set_extension, &wish);
		assert_true(engine_is_kept_command(extension(c, wish.extension)));
	}
	wish = command(c, guest, "more", EXTENSION_OF_COMMANDS "_more");
	cloud_fails(c, &c->alice, engine_set_extension, &wish, ERR_QUOTA, KIND_INSTANCE_EXTENSION);
	wish = command(c, guest, names[1], names[1]);
	wish.settings = STR("{\"a\":1}");
	cloud_ok(c, &c->alice, engine_set_extension, &wish);
	wish = command(c, guest, "odd", EXTENSION_OF_COMMANDS "_a.b");
	cloud_fails(c, &c->alice, engine_set_extension, &wish, ERR_NOT_FOUND, KIND_INSTANCE_EXTENSION);
}

/* A new goal state makes the agent run the program again. */
static void only_a_change_makes_a_goal_state(void **state)
{
	struct cloud *c = *state;
	uuid guest = start_guest(c);
	struct extension_wish wish = command(c, guest, "a", "RunCommandLinux");
	cloud_ok(c, &c->alice, engine_set_extension, &wish);
	cloud_ok(c, &c->alice, engine_set_extension, &wish); /* as it is */
	assert_int_equal(incarnation(c, guest), 2);
	assert_int_equal(extension(c, wish.extension)->sequence, 0);
	wish.again = true;
	cloud_ok(c, &c->alice, engine_set_extension, &wish);
	wish.again = false;
	wish.auto_upgrade = true;
	cloud_ok(c, &c->alice, engine_set_extension, &wish);
	wish.settings = STR("{\"a\":1}");
	cloud_ok(c, &c->alice, engine_set_extension, &wish);
	wish.version = STR("1.1");
	cloud_ok(c, &c->alice, engine_set_extension, &wish);
	wish.protected_settings = STR("sealed");
	wish.key = STR("key");
	wish.certificate = STR("certificate");
	cloud_ok(c, &c->alice, engine_set_extension, &wish);
	wish.key = STR("another key");                       /* the guest has one */
	cloud_ok(c, &c->alice, engine_set_extension, &wish); /* sealed texts cannot be compared */
	assert_int_equal(incarnation(c, guest), 8);
	assert_int_equal(extension(c, wish.extension)->sequence, 6);
	assert_true(str_is(engine_find_azure_guest(cloud_tables(c), guest)->key, "key"));
}

static void an_agent_that_has_it_removes_it_first(void **state)
{
	struct cloud *c = *state;
	uuid guest = start_guest(c);
	struct extension_wish wish = command(c, guest, "a", "RunCommandLinux");
	struct extension_target target = {.instance = wish.instance, .name = STR("A")};
	cloud_fails(c, &c->alice, engine_delete_extension, &target, ERR_NOT_FOUND, KIND_INSTANCE_EXTENSION);
	cloud_ok(c, &c->alice, engine_set_extension, &wish);
	cloud_ok(c, &c->alice, engine_delete_extension, &target);
	assert_null(extension(c, target.extension)); /* no agent has reported it */

	cloud_ok(c, &c->alice, engine_set_extension, &wish);
	struct extension_report ready = {.handler = STR("Dari.RunCommandLinux"),
					 .handler_version = STR("1.0"),
					 .handler_state = STR("Ready")};
	struct azure_status_report report = {.instance = guest, .extensions = &ready, .extension_count = 1};
	cloud_ok(c, NULL, engine_report_azure_status, &report);
	cloud_ok(c, &c->alice, engine_delete_extension, &target);
	assert_true(extension(c, target.extension)->is_leaving);
	assert_int_equal(incarnation(c, guest), 5);
	cloud_ok(c, &c->alice, engine_delete_extension, &target);
	assert_int_equal(incarnation(c, guest), 5);
	cloud_ok(c, &c->alice, engine_set_extension, &wish); /* asked for again, with the same settings */
	assert_false(extension(c, target.extension)->is_leaving);
	assert_int_equal(incarnation(c, guest), 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_guest_with_an_agent_has_to_run, cloud_setup,
						cloud_teardown),
		cmocka_unit_test_setup_teardown(names_and_settings_have_limits, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(a_handler_has_one_extension, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(only_a_change_makes_a_goal_state, cloud_setup,
						cloud_teardown),
		cmocka_unit_test_setup_teardown(an_agent_that_has_it_removes_it_first, cloud_setup,
						cloud_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
