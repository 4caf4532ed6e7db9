/* SPDX-License-Identifier: Apache-2.0
 * A part of test_limits.c, behind its macros: scaling groups, their hooks and policies, and launch configurations. */
#pragma once

#include "engine/alarm/alarm.h"
#include "engine/alarm/dashboard.h"
#include "engine/scaling/autoscale.h"
#include "engine/scaling/autoscale_setting.h"
#include "engine/scaling/scale_set.h"

static struct str next_scaling_name(struct cloud *c)
{
	static int number;
	return str_print(c->arena, "scaled-%d", ++number);
}

static RESULT make_scaling_group(struct cloud *c, int n)
{
	struct scaling_group_wish wish = {.name = next_scaling_name(c)};
	(void) n;
	MAKE(c, &c->alice, engine_create_scaling_group, wish, group);
}
DROP(scaling_group, engine_delete_scaling_group, scaling_group_target,
     .group = ref_by_id(KIND_SCALING_GROUP, made))

static RESULT make_launch_configuration(struct cloud *c, int n)
{
	struct launch_configuration_wish wish = {.name = next_scaling_name(c), .data = STR("a=b")};
	(void) n;
	MAKE(c, &c->alice, engine_create_launch_configuration, wish, configuration);
}
DROP(launch_configuration, engine_delete_launch_configuration, launch_configuration_target,
     .configuration = ref_by_id(KIND_LAUNCH_CONFIGURATION, made))

static void is_a_scaling_group(struct cloud *c)
{
	cloud_expect(c, make_scaling_group(c, 0), ERR_NONE, KIND_NONE);
	owner = made;
}
static struct str hook_name;
static RESULT make_scaling_hook(struct cloud *c, int n)
{
	struct scaling_hook_wish wish = {.group = ref_by_id(KIND_SCALING_GROUP, owner),
					 .name = next_scaling_name(c),
					 .has_transition = true};
	(void) n;
	struct result result = cloud_run(c, &c->alice, engine_put_scaling_hook_run, &wish);
	if (result_is_ok(result))
		hook_name = wish.name;
	return result;
}
static void drop_scaling_hook(struct cloud *c)
{
	struct scaling_hook_target wish = {.group = ref_by_id(KIND_SCALING_GROUP, owner), .name = hook_name};
	cloud_ok(c, &c->alice, engine_delete_scaling_hook, &wish);
}
static RESULT make_scaling_policy(struct cloud *c, int n)
{
	struct scaling_policy_wish wish = {.group = ref_by_id(KIND_SCALING_GROUP, owner),
					   .name = next_scaling_name(c)};
	(void) n;
	MAKE(c, &c->alice, engine_put_scaling_policy, wish, policy);
}
DROP(scaling_policy, engine_delete_scaling_policy, scaling_policy_target,
     .policy = ref_by_id(KIND_SCALING_POLICY, made))

static RESULT make_autoscale_condition(struct cloud *c, int n)
{
	struct autoscale_condition_wish wish = {.threshold = n};
	MAKE(c, &c->alice, engine_create_autoscale_condition, wish, condition);
}
DROP(autoscale_condition, engine_delete_autoscale_condition, autoscale_condition_target,
     .condition = ref_by_id(KIND_AUTOSCALE_CONDITION, made))

static uuid condition_of_policies;
static void has_a_condition(struct cloud *c)
{
	cloud_expect(c, make_autoscale_condition(c, 1), ERR_NONE, KIND_NONE);
	condition_of_policies = made;
	is_alices(c);
}
static RESULT make_autoscale_policy(struct cloud *c, int n)
{
	const struct ref condition = ref_by_id(KIND_AUTOSCALE_CONDITION, condition_of_policies);
	struct autoscale_policy_wish wish = {.duration_s = n, .conditions = {&condition, 1}};
	MAKE(c, &c->alice, engine_create_autoscale_policy, wish, policy);
}
DROP(autoscale_policy, engine_delete_autoscale_policy, autoscale_policy_target,
     .policy = ref_by_id(KIND_AUTOSCALE_POLICY, made))

static RESULT make_autoscale_profile(struct cloud *c, int n)
{
	struct autoscale_profile_wish wish = {.zone = ref_named(KIND_ZONE, "xy-west-2a"),
					      .offering = ref_named(KIND_INSTANCE_TYPE, "t3.nano"),
					      .image = cloud_launch(c, 1).image};
	(void) n;
	MAKE(c, &c->alice, engine_create_autoscale_profile, wish, profile);
}
DROP(autoscale_profile, engine_delete_autoscale_profile, autoscale_profile_target,
     .profile = ref_by_id(KIND_AUTOSCALE_PROFILE, made))

static RESULT make_autoscale_setting(struct cloud *c, int n)
{
	struct scale_set_wish set = {
		.name = next_scaling_name(c), .mode = SCALING_GROUP_MODE_UNIFORM, .model = STR("{}")};
	(void) n;
	cloud_ok(c, &c->alice, engine_put_scale_set, &set);
	struct autoscale_setting_wish wish = {
		.name = next_scaling_name(c), .target = ref_by_id(KIND_SCALING_GROUP, set.id), .profile = -1};
	MAKE(c, &c->alice, engine_put_autoscale_setting, wish, id);
}
DROP(autoscale_setting, engine_delete_autoscale_setting, autoscale_setting_target,
     .setting = ref_by_id(KIND_AUTOSCALE_SETTING, made))

static struct str schedule_name;
static RESULT make_scaling_schedule(struct cloud *c, int n)
{
	struct scaling_schedule_wish wish = {.group = ref_by_id(KIND_SCALING_GROUP, owner),
					     .name = next_scaling_name(c),
					     .recurrence = STR("0 0 * * *"),
					     .min = {true, 1},
					     .next_us = 1};
	(void) n;
	struct result result = cloud_run(c, &c->alice, engine_put_scaling_schedule_run, &wish);
	if (result_is_ok(result))
		schedule_name = wish.name;
	return result;
}
static void drop_scaling_schedule(struct cloud *c)
{
	struct scaling_schedule_target wish = {.group = ref_by_id(KIND_SCALING_GROUP, owner),
					       .name = schedule_name};
	cloud_ok(c, &c->alice, engine_delete_scaling_schedule, &wish);
}

static RESULT make_alarm(struct cloud *c, int n)
{
	struct alarm_wish wish = {
		.row = {.name = next_scaling_name(c), .period_s = 60, .evaluation_periods = 1}};
	(void) n;
	MAKE(c, &c->alice, engine_put_alarm, wish, alarm);
}
static RESULT make_dashboard(struct cloud *c, int n)
{
	struct dashboard_wish wish = {.name = numbered(c, "dashboard", n), .body = STR("{}")};
	MAKE(c, &c->alice, engine_put_dashboard, wish, made);
}
static void drop_dashboard(struct cloud *c)
{
	struct ref ref = ref_by_id(KIND_DASHBOARD, made);
	struct dashboards_wish wish = {.dashboards = {&ref, 1}};
	cloud_ok(c, &c->alice, engine_delete_dashboards, &wish);
}

static void drop_alarm(struct cloud *c)
{
	struct ref ref = ref_by_id(KIND_ALARM, made);
	struct alarms_target wish = {.alarms = {&ref, 1}};
	cloud_ok(c, &c->alice, engine_delete_alarms, &wish);
}

static RESULT make_metric(struct cloud *c, int n)
{
	struct metric_name name = {.name_space = STR("Own"), .name = next_scaling_name(c)};
	struct metrics_wish wish = {&name, 1};
	(void) n;
	struct result result = cloud_run(c, &c->alice, engine_put_metrics_run, &wish);
	if (result_is_ok(result))
		made = name.metric;
	return result;
}
/* Metrics go when nobody has published them for two weeks. */
static void drop_metric(struct cloud *c)
{
	struct metric_target wish = {made};
	clock_advance_us((METRIC_KEPT_DAYS + 2) * 24 * HOUR);
	cloud_ok(c, NULL, engine_expire_metric, &wish);
}

#define SCALING                                                                                              \
	[LIMIT_SCALING_GROUPS] = {is_alices, make_scaling_group, drop_scaling_group},                        \
	[LIMIT_LAUNCH_CONFIGURATIONS] = {is_alices, make_launch_configuration, drop_launch_configuration},   \
	[LIMIT_SCALING_HOOKS] = {is_a_scaling_group, make_scaling_hook, drop_scaling_hook},                  \
	[LIMIT_SCALING_POLICIES] = {is_a_scaling_group, make_scaling_policy, drop_scaling_policy},           \
	[LIMIT_AUTOSCALE_CONDITIONS] = {is_alices, make_autoscale_condition, drop_autoscale_condition},      \
	[LIMIT_AUTOSCALE_POLICIES] = {has_a_condition, make_autoscale_policy, drop_autoscale_policy},        \
	[LIMIT_AUTOSCALE_PROFILES] = {is_alices, make_autoscale_profile, drop_autoscale_profile},            \
	[LIMIT_AUTOSCALE_SETTINGS] = {is_alices, make_autoscale_setting, drop_autoscale_setting},            \
	[LIMIT_SCALING_SCHEDULES] = {is_a_scaling_group, make_scaling_schedule, drop_scaling_schedule},      \
	[LIMIT_DASHBOARDS] = {is_alices, make_dashboard, drop_dashboard},                                    \
	[LIMIT_ALARMS] = {is_alices, make_alarm, drop_alarm},                                                \
	[LIMIT_METRICS] = {is_alices, make_metric, drop_metric},
