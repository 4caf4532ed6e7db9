/* SPDX-License-Identifier: Apache-2.0
 * A part of test_limits.c, behind its macros: scaling groups, their hooks and policies, and launch configurations. */
#pragma once

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

#define SCALING                                                                                              \
	[LIMIT_SCALING_GROUPS] = {is_alices, make_scaling_group, drop_scaling_group},                        \
	[LIMIT_LAUNCH_CONFIGURATIONS] = {is_alices, make_launch_configuration, drop_launch_configuration},   \
	[LIMIT_SCALING_HOOKS] = {is_a_scaling_group, make_scaling_hook, drop_scaling_hook},                  \
	[LIMIT_SCALING_POLICIES] = {is_a_scaling_group, make_scaling_policy, drop_scaling_policy},
