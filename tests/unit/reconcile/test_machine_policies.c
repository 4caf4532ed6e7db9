/* SPDX-License-Identifier: Apache-2.0
 * Machine policies, end to end, on instances and on machines elsewhere: schedules, retirement dates, required tags and power
 * states, each with its action, its refusals and its end. A provider that does not answer stands for the cloud elsewhere:
 * requested acts stay in the rows. */
#include "../cloud/cloud.h"
#include "base/clock.h"
#include "engine/instance/instance.h"
#include "engine/machine_policy/machine_policy.h"
#include "engine/people/account/account.h"
#include "engine/remote/provider.h"
#include "engine/remote/remote_machine.h"
#include "engine/tag.h"
#include "store/machine_policy.h"
#include "store/policy_finding.h"
#include "store/remote_machine.h"

#define DAY (24 * HOUR)
#define WISH(...) ((struct machine_policy_wish){__VA_ARGS__})

/* ---- looking; texts are not to be looked at ---- */

static struct policy_finding finding(struct cloud *c)
{
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	const struct policy_finding *f = policy_finding_first(view.tables);
	return f ? *f : (struct policy_finding){0};
}

static struct machine_policy policy(struct cloud *c)
{
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	return *machine_policy_first(view.tables);
}

static enum remote_machine_act act_of(struct cloud *c, uuid machine)
{
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	return remote_machine_find(view.tables, machine)->act;
}

/* ---- making ---- */

static const struct str name = STR("p");

static uuid add(struct cloud *c, struct machine_policy_wish wish)
{
	wish.name = &name;
	cloud_ok(c, &c->alice, engine_create_machine_policy, &wish);
	return policy(c).row.id;
}

static void change(struct cloud *c, struct machine_policy_wish wish)
{
	wish.policy = cloud_ref(c, KIND_MACHINE_POLICY, policy(c).row.id);
	cloud_ok(c, &c->alice, engine_update_machine_policy, &wish);
}

static void done(struct cloud *c)
{
	struct machine_policy_target wish = {cloud_ref(c, KIND_MACHINE_POLICY, policy(c).row.id)};
	cloud_ok(c, &c->alice, engine_delete_machine_policy, &wish);
	assert_int_equal(cloud_count(c, KIND_POLICY_FINDING), 0);
	cloud_done(c);
}

static void set_tag(struct cloud *c, uuid instance, const char *key, const char *value)
{
	const struct tag tag = {str_from(key), str_from(value)};
	struct ref ref = cloud_ref(c, KIND_INSTANCE, instance);
	struct tags_wish wish = {.resources = {&ref, 1}, .tags = {&tag, 1}};
	cloud_ok(c, &c->alice, engine_set_tags, &wish);
}

/* A machine of a provider that is never asked, because its login is refused long before. */
static uuid machine_elsewhere(struct cloud *c)
{
	struct provider_wish wish = {.id = id_new(KIND_PROVIDER),
				     .name = STR("bank"),
				     .region = STR("eu-central-1"),
				     .login = STR("AKIA"),
				     .secret = STR("sealed")};
	struct remote_machine seen = {.row.id = id_new(KIND_REMOTE_MACHINE),
				      .ref = STR("i-1"),
				      .power = REMOTE_MACHINE_POWER_RUNNING};
	struct remote_machines_report listed = {.provider = wish.id, .at = &seen, .count = 1};
	cloud_ok(c, &c->alice, engine_create_provider, &wish);
	cloud_ok(c, NULL, engine_see_remote_machines, &listed);
	return seen.row.id;
}

/* ---- schedules ---- */

static void test_schedule(void **state)
{
	(void) state;
	static const struct str stop = STR("0 20 * * *"), start = STR("0 8 * * *"), zone = STR("Asia/Seoul");
	struct cloud *c = cloud_new(1, 1);
	uuid instance = cloud_launch_running(c);
	add(c, WISH(.rule = 1 + MACHINE_POLICY_RULE_SCHEDULE, .stop_at = &stop, .start_at = &start,
		    .timezone = &zone));
	cloud_settle(c);
	cloud_step_for(c, DAY);
	cloud_settle(c);
	bool is_night = policy(c).turn == MACHINE_POLICY_TURN_STOP;
	assert_int_equal(cloud_state(c, instance), is_night ? INSTANCE_STOPPED : INSTANCE_RUNNING);
	cloud_step_for(c, policy(c).next_us - clock_now_us() + MINUTE);
	cloud_settle(c);
	assert_int_equal(cloud_state(c, instance), is_night ? INSTANCE_RUNNING : INSTANCE_STOPPED);
	assert_int_equal(finding(c).state, POLICY_FINDING_STATE_REQUESTED);
	if (is_night) {
		cloud_step_for(c, policy(c).next_us - clock_now_us() + MINUTE);
		cloud_settle(c);
	}
	/* A machine that somebody turns on at night stays on. */
	cloud_start(c, instance);
	cloud_step_for(c, 30 * MINUTE);
	cloud_settle(c);
	assert_int_equal(cloud_state(c, instance), INSTANCE_RUNNING);
	done(c);
}

/* A time that passed while the process was down is made up for once. */
static void test_missed_schedule(void **state)
{
	(void) state;
	static const struct str stop = STR("0 * * * *");
	struct cloud *c = cloud_new(2, 1);
	uuid instance = cloud_launch_running(c);
	add(c, WISH(.rule = 1 + MACHINE_POLICY_RULE_SCHEDULE, .stop_at = &stop));
	cloud_settle(c);
	cloud_kill(c);
	clock_advance_us(10 * HOUR);
	cloud_restart(c);
	cloud_settle(c);
	cloud_await(c, instance, INSTANCE_STOPPED);
	assert_true(policy(c).next_us > clock_now_us());
	done(c);
}

/* ---- retirement ---- */

static void test_retirement(void **state)
{
	(void) state;
	static const struct str date_tag = STR("retire-on");
	struct cloud *c = cloud_new(3, 1);
	uuid instance = cloud_launch_running(c), other = cloud_launch_running(c);
	char date[CLOCK_TEXT_SIZE];
	set_tag(c, instance, "retire-on", clock_write_s(clock_now_us() + 10 * DAY, date));
	add(c, WISH(.rule = 1 + MACHINE_POLICY_RULE_RETIREMENT, .act = 1 + MACHINE_POLICY_ACT_TERMINATE,
		    .date_tag = &date_tag, .number.warn_days = 7, .given.warn_days = true));
	cloud_step_for(c, 2 * DAY);
	assert_int_equal(cloud_count(c, KIND_POLICY_FINDING), 0);
	cloud_step_for(c, 2 * DAY);
	assert_int_equal(finding(c).act, POLICY_FINDING_ACT_TERMINATE);
	assert_int_equal(finding(c).state, POLICY_FINDING_STATE_FOUND);
	assert_int_equal(cloud_state(c, instance), INSTANCE_RUNNING);
	cloud_step_for(c, 7 * DAY);
	cloud_settle(c);
	assert_int_equal(cloud_count(c, KIND_POLICY_FINDING), 0);
	assert_int_equal(cloud_state(c, other), INSTANCE_RUNNING);
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	const struct row *row = tables_find(view.tables, KIND_INSTANCE, instance);
	assert_true(!row || !row_is_live(row));
	view_close(&view);
	done(c);
}

/* ---- tags and power ---- */

static void test_tags(void **state)
{
	(void) state;
	static const struct str keys[] = {STR("owner"), STR("team")};
	struct cloud *c = cloud_new(4, 1);
	uuid instance = cloud_launch_running(c);
	add(c,
	    WISH(.rule = 1 + MACHINE_POLICY_RULE_REQUIRED_TAGS, .act = 1 + MACHINE_POLICY_ACT_STOP,
		 .keys = {keys, 2}, .given = {.keys = true, .grace_hours = true}, .number.grace_hours = 2));
	cloud_settle(c);
	assert_int_equal(finding(c).due_us, finding(c).row.created_us + 2 * HOUR);
	set_tag(c, instance, "owner", "ann");
	set_tag(c, instance, "team", "red");
	cloud_step_for(c, 2 * MINUTE);
	assert_int_equal(cloud_count(c, KIND_POLICY_FINDING), 0);
	assert_int_equal(cloud_state(c, instance), INSTANCE_RUNNING);
	static const struct str more[] = {STR("cost")};
	change(c, WISH(.keys = {more, 1}, .given.keys = true));
	cloud_step_for(c, 3 * HOUR);
	cloud_settle(c);
	assert_int_equal(cloud_state(c, instance), INSTANCE_STOPPED);
	assert_int_equal(finding(c).act, POLICY_FINDING_ACT_NONE); /* it is stopped, and stays found */
	done(c);
}

static void test_power(void **state)
{
	(void) state;
	struct cloud *c = cloud_new(5, 1);
	uuid instance = cloud_launch_running(c);
	add(c, WISH(.rule = 1 + MACHINE_POLICY_RULE_POWER_STATE, .act = 1 + MACHINE_POLICY_ACT_CORRECT));
	cloud_stop(c, instance);
	cloud_await(c, instance, INSTANCE_STOPPED);
	cloud_await(c, instance, INSTANCE_RUNNING);
	cloud_step_for(c, 2 * MINUTE);
	assert_int_equal(cloud_count(c, KIND_POLICY_FINDING), 0);
	change(c, WISH(.is_active = CHOICE_NO));
	cloud_stop(c, instance);
	cloud_await(c, instance, INSTANCE_STOPPED);
	cloud_step_for(c, HOUR);
	assert_int_equal(cloud_state(c, instance), INSTANCE_STOPPED);
	done(c);
}

/* A refused action is tried again with growing pauses, and the finding says why. */
static void test_refused(void **state)
{
	(void) state;
	struct cloud *c = cloud_new(6, 1);
	(void) cloud_launch_running(c);
	struct account_change settings = {.account = cloud_ref(c, KIND_ACCOUNT, c->alice.account),
					  .enabled = CHOICE_NO};
	add(c, WISH(.rule = 1 + MACHINE_POLICY_RULE_POWER_STATE, .act = 1 + MACHINE_POLICY_ACT_CORRECT,
		    .power = 1 + MACHINE_POLICY_POWER_STOPPED, .number.grace_hours = 1,
		    .given.grace_hours = true));
	cloud_ok(c, NULL, engine_update_account, &settings);
	cloud_step_for(c, 2 * HOUR);
	assert_int_equal(finding(c).state, POLICY_FINDING_STATE_FAILED);
	assert_in_range(finding(c).tries, 3, 6);
	settings.enabled = CHOICE_YES;
	cloud_ok(c, NULL, engine_update_account, &settings);
	done(c);
}

/* ---- elsewhere, and previews ---- */

static void test_elsewhere(void **state)
{
	(void) state;
	struct cloud *c = cloud_new(7, 1);
	uuid instance = cloud_launch_running(c), machine = machine_elsewhere(c);
	struct machine_policy_wish wish =
		WISH(.rule = 1 + MACHINE_POLICY_RULE_POWER_STATE, .name = &name,
		     .act = 1 + MACHINE_POLICY_ACT_CORRECT, .scope = 1 + MACHINE_POLICY_SCOPE_ELSEWHERE,
		     .power = 1 + MACHINE_POLICY_POWER_STOPPED, .is_preview = true);
	cloud_ok(c, &c->alice, engine_create_machine_policy, &wish);
	assert_int_equal(wish.found, 1);
	assert_true(uuid_equal(wish.would[0].id, machine));
	assert_int_equal(wish.would[0].verdict.act, POLICY_FINDING_ACT_STOP);
	cloud_step_for(c, MINUTE);
	assert_int_equal(act_of(c, machine), REMOTE_MACHINE_ACT_STOP);
	assert_int_equal(cloud_state(c, instance), INSTANCE_RUNNING);
	assert_int_equal(finding(c).state, POLICY_FINDING_STATE_REQUESTED);
	struct remote_machines_loss gone = {
		.provider = UUID_NONE, .at = &machine, .count = 1, .is_final = true};
	{
		AUTO_VIEW view = {0};
		view_open(c->store, &view);
		gone.provider = remote_machine_find(view.tables, machine)->provider;
	}
	cloud_ok(c, NULL, engine_miss_remote_machines, &gone);
	assert_int_equal(cloud_count(c, KIND_POLICY_FINDING), 0);
	struct provider_target bank = {.provider = cloud_ref(c, KIND_PROVIDER, gone.provider)};
	cloud_ok(c, &c->alice, engine_delete_provider, &bank);
	done(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_schedule),   cmocka_unit_test(test_missed_schedule),
		cmocka_unit_test(test_retirement), cmocka_unit_test(test_tags),
		cmocka_unit_test(test_power),      cmocka_unit_test(test_refused),
		cmocka_unit_test(test_elsewhere)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
