/* SPDX-License-Identifier: Apache-2.0
 * A part of test_limits.c, in its middle: what Azure's users make, and how it goes. */
#pragma once

static RESULT make_resource_group(struct cloud *c, int n)
{
	struct resource_group_wish wish = {.name = numbered(c, "group", n)};
	MAKE(c, &c->alice, engine_put_resource_group, wish, group);
}
static void drop_resource_group(struct cloud *c)
{
	struct resource_group_target wish = {.group = made};
	cloud_ok(c, &c->alice, engine_delete_resource_group, &wish);
	struct resource_group_emptying emptying = {.group = made};
	cloud_ok(c, NULL, engine_empty_resource_group, &emptying);
}

/* The name alone: a caller names a resource within a change that has asked for its own permission. */
static RESULT name_resource_run(struct op *op, void *wish)
{
	engine_need_no_permission(op);
	return engine_name_resource(op, wish);
}

static RESULT make_arm_resource(struct cloud *c, int n)
{
	uuid before = made;
	TRY(make_user_data(c, n));
	struct arm_resource_wish wish = {.type = STR("Test/data"),
					 .name = numbered(c, "data", n),
					 .kind = KIND_USER_DATA,
					 .target = made};
	made = before;
	MAKE(c, &c->alice, name_resource, wish, resource);
}
static void drop_arm_resource(struct cloud *c)
{
	struct arm_resource_target wish = {.resource = made};
	made = arm_resource_find(cloud_tables(c), made)->target;
	drop_user_data(c);
	cloud_ok(c, NULL, engine_forget_resource, &wish);
}

static RESULT make_arm_role(struct cloud *c, int n)
{
	struct arm_role_wish wish = {.id = uuid_random(),
				     .name = numbered(c, "role", n),
				     .permissions = STR("[]"),
				     .scopes = STR("[]")};
	MAKE(c, &c->alice, engine_put_arm_role, wish, id);
}
static void drop_arm_role(struct cloud *c)
{
	struct arm_role_target wish = {.id = made};
	cloud_ok(c, &c->alice, engine_delete_arm_role, &wish);
}

/* Each at another place. */
static RESULT make_arm_assignment(struct cloud *c, int n)
{
	struct arm_definition role;
	assert_true(engine_get_builtin_role(0, &role));
	struct arm_assignment_wish wish = {.id = uuid_random(),
					   .principal = c->alice.user,
					   .definition = role.id,
					   .scope = numbered(c, "place", n),
					   .place = {.kind = KIND_VOLUME, .resource = uuid_random()}};
	MAKE(c, &c->alice, engine_create_arm_assignment, wish, id);
}
static void drop_arm_assignment(struct cloud *c)
{
	struct arm_assignment_target wish = {.id = made};
	cloud_ok(c, &c->alice, engine_delete_arm_assignment, &wish);
}

static RESULT make_arm_lock(struct cloud *c, int n)
{
	struct arm_lock_wish wish = {.name = numbered(c, "lock", n),
				     .scope = STR("place"),
				     .level = ARM_LOCK_LEVEL_CANNOT_DELETE,
				     .place = {.kind = KIND_VOLUME, .resource = uuid_random()}};
	MAKE(c, &c->alice, engine_put_arm_lock, wish, lock);
}
static void drop_arm_lock(struct cloud *c)
{
	struct arm_lock_target wish = {.lock = made};
	cloud_ok(c, &c->alice, engine_delete_arm_lock, &wish);
}
