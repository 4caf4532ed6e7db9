/* SPDX-License-Identifier: Apache-2.0
 * Rules of Azure's autoscale settings: which alarms let a scale-in rule remove a machine. */
#include "cloud.h"
#include "engine/alarm/alarm.h"
#include "engine/scaling/autoscale_setting.h"
#include "engine/scaling/scale_set.h"
#include "store/alarm.h"
#include "store/scaling_policy.h"

static uuid make_set(struct cloud *c)
{
	struct scale_set_wish wish = {.name = STR("web"),
				      .mode = SCALING_GROUP_MODE_UNIFORM,
				      .has_model = true,
				      .model = STR("{}"),
				      .settings = {.min = {true, 0}, .max = {true, 5}, .desired = {true, 3}}};
	cloud_ok(c, &c->alice, engine_put_scale_set, &wish);
	return wish.id;
}

static uuid make_setting(struct cloud *c, const struct autoscale_rule *rules, size_t count)
{
	struct str profile[SETTING_TEXTS] = {STR("always"), STR("1"), STR("5"), STR("3"),
					     STR_NONE,      STR_NONE, STR_NONE, STR_NONE};
	struct autoscale_setting_wish wish = {.name = STR("load"),
					      .target = ref_by_id(KIND_SCALING_GROUP, make_set(c)),
					      .is_enabled = true,
					      .profiles = {profile, SETTING_TEXTS},
					      .rules = rules,
					      .rule_count = count};
	cloud_ok(c, &c->alice, engine_put_autoscale_setting, &wish);
	return wish.id;
}

static struct autoscale_rule rule_on(const char *metric)
{
	return (struct autoscale_rule){.metric = metric,
				       .statistic = "Average",
				       .threshold = STR("20"),
				       .comparison = ALARM_COMPARISON_LESS,
				       .window_s = 300,
				       .amount = -1};
}

static const struct alarm *alarm_of_policy(struct cloud *c, const struct scaling_policy *p)
{
	return alarm_first_by_scaling_policy(cloud_tables(c), p->row.id);
}

static void ring(struct cloud *c, const struct scaling_policy *p, enum alarm_state state)
{
	struct alarm_setting wish = {.alarm = ref_by_id(KIND_ALARM, alarm_of_policy(c, p)->row.id),
				     .state = state,
				     .reason = STR("test")};
	cloud_ok(c, &c->alice, engine_set_alarm_state, &wish);
}

static bool would_shrink(struct cloud *c, const struct scaling_policy *p)
{
	const struct scaling_policy_target target = {.alarm = alarm_of_policy(c, p)};
	return scaling_would_change(cloud_tables(c), p->row.id, &target, clock_now_us());
}

static RESULT forget_alarms(struct op *op, void *policy)
{
	engine_need_no_permission(op);
	return alarm_forget_tracking(op, *(const uuid *) policy);
}

static void check_scale_in(void **state)
{
	struct cloud *c = *state;
	const struct autoscale_rule rules[] = {rule_on("CPUUtilization"), rule_on("NetworkIn")};
	uuid setting = make_setting(c, rules, 2);
	const struct scaling_policy one = *scaling_policy_first_by_setting(cloud_tables(c), setting);
	const struct scaling_policy *next = scaling_policy_next_by_setting(
		cloud_tables(c), scaling_policy_find(cloud_tables(c), one.row.id));
	const struct scaling_policy other = *next;
	ring(c, &one, ALARM_STATE_ALARM);
	assert_false(would_shrink(c, &one));
	ring(c, &other, ALARM_STATE_ALARM);
	assert_true(would_shrink(c, &one));
	uuid id = other.row.id;
	cloud_expect(c, cloud_run(c, NULL, forget_alarms, &id), ERR_NONE, KIND_NONE);
	assert_false(would_shrink(c, &one));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(check_scale_in, cloud_setup, cloud_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
