/* SPDX-License-Identifier: Apache-2.0
 * A part of test_limits.c, behind its macros: scaling groups, their hooks and policies, and launch configurations. */
#pragma once

#include "engine/alarm/alarm.h"
#include "engine/alarm/dashboard.h"
#include "engine/scaling/scaling.h"

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
	[LIMIT_SCALING_SCHEDULES] = {is_a_scaling_group, make_scaling_schedule, drop_scaling_schedule},      \
	[LIMIT_DASHBOARDS] = {is_alices, make_dashboard, drop_dashboard},                                    \
	[LIMIT_ALARMS] = {is_alices, make_alarm, drop_alarm},                                                \
	[LIMIT_METRICS] = {is_alices, make_metric, drop_metric},
