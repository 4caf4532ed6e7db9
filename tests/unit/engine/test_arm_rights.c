/* SPDX-License-Identifier: Apache-2.0
 * Azure's roles and their assignments: who may be assigned, to what, and where an assignment holds. */
#include "cloud.h"

#include "engine/people/account/account_user.h"
#include "engine/people/policy/arm_lock.h"
#include "engine/people/policy/arm_rights.h"
#include "engine/people/policy/iam_role.h"
#include "engine/people/user_group.h"
#include "model/domain.h"
#include "store/arm_assignment.h"
#include "store/arm_role.h"
#include "store/route.h"
#include "store/security_group_rule.h"
#include "store/subnet.h"

static int make_owners(void **state)
{
	int made = cloud_setup(state);
	struct cloud *c = *state;
	c->alice.is_owner = c->bob.is_owner = true;
	return made;
}

static uuid builtin(size_t number)
{
	struct arm_definition role;
	assert_true(engine_get_builtin_role(number, &role));
	return role.id;
}

static struct arm_role_wish role_named(const char *name)
{
	return (struct arm_role_wish){
		.id = uuid_random(), .name = str_from(name), .permissions = STR("[]"), .scopes = STR("[]")};
}

static struct arm_assignment_wish assign(uuid principal, uuid definition)
{
	return (struct arm_assignment_wish){
		.id = uuid_random(), .principal = principal, .definition = definition, .scope = STR("/")};
}

static uuid make_user(struct cloud *c, const char *name)
{
	struct account_user_wish wish = {.name = str_from(name)};
	cloud_ok(c, &c->alice, engine_create_account_user, &wish);
	return wish.user;
}

/* ---- roles ---- */

static void a_custom_role_has_a_name_and_an_id_of_its_own(void **state)
{
	struct cloud *c = *state;
	struct arm_definition own;
	struct arm_role_wish one = role_named("Mine"), two = role_named("Mine"),
			     theirs = role_named("Theirs");
	cloud_ok(c, &c->alice, engine_put_arm_role, &one);
	assert_true(one.is_new);
	cloud_fails(c, &c->alice, engine_put_arm_role, &two, ERR_EXISTS, KIND_ARM_ROLE);
	assert_true(engine_get_builtin_role(0, &own));
	two.name = str_lower(c->arena, own.name);
	cloud_fails(c, &c->alice, engine_put_arm_role, &two, ERR_EXISTS, KIND_ARM_ROLE);
	two.name = STR_NONE;
	cloud_fails(c, &c->alice, engine_put_arm_role, &two, ERR_INVALID, KIND_ARM_ROLE);
	two.name = STR("bell\a");
	cloud_fails(c, &c->alice, engine_put_arm_role, &two, ERR_INVALID, KIND_ARM_ROLE);
	theirs.id = one.id;
	cloud_fails(c, &c->bob, engine_put_arm_role, &theirs, ERR_EXISTS, KIND_ARM_ROLE);
	theirs.id = own.id;
	cloud_fails(c, &c->bob, engine_put_arm_role, &theirs, ERR_DENIED, KIND_ARM_ROLE);
	one.description = STR("changed");
	cloud_ok(c, &c->alice, engine_put_arm_role, &one);
	assert_false(one.is_new);
	assert_int_equal(arm_role_find(cloud_tables(c), one.id)->row.gen, 2);
}

static void an_assigned_role_is_not_deleted(void **state)
{
	struct cloud *c = *state;
	struct arm_role_wish role = role_named("Mine");
	cloud_ok(c, &c->alice, engine_put_arm_role, &role);
	struct arm_assignment_wish wish = assign(c->alice.user, role.id);
	struct arm_role_target target = {role.id}, own = {builtin(0)};
	struct arm_assignment_target gone = {wish.id};
	cloud_ok(c, &c->alice, engine_create_arm_assignment, &wish);
	cloud_fails(c, &c->alice, engine_delete_arm_role, &target, ERR_IN_USE, KIND_ARM_ROLE);
	cloud_fails(c, &c->alice, engine_delete_arm_role, &own, ERR_DENIED, KIND_ARM_ROLE);
	cloud_fails(c, &c->bob, engine_delete_arm_role, &target, ERR_NOT_FOUND, KIND_ARM_ROLE);
	cloud_fails(c, &c->bob, engine_delete_arm_assignment, &gone, ERR_NOT_FOUND, KIND_ARM_ASSIGNMENT);
	cloud_ok(c, &c->alice, engine_delete_arm_assignment, &gone);
	cloud_ok(c, &c->alice, engine_delete_arm_role, &target);
}

/* ---- assignments ---- */

static void principals_are_of_the_account_or_of_its_domain(void **state)
{
	struct cloud *c = *state;
	struct user_group_wish group = {.name = STR("domain's")};
	struct account_group_wish own = {.name = STR("own")};
	struct iam_role_wish role = {.name = STR("role"), .trust = STR("{}")}, theirs = role;
	cloud_ok(c, &c->operator, engine_create_user_group, &group);
	cloud_ok(c, &c->alice, engine_create_account_group, &own);
	cloud_ok(c, &c->alice, engine_create_iam_role, &role);
	cloud_ok(c, &c->bob, engine_create_iam_role, &theirs);
	struct arm_assignment_wish wishes[] = {
		assign(make_user(c, "dave"), builtin(0)), assign(group.user_group, builtin(0)),
		assign(own.user_group, builtin(0)), assign(role.iam_role, builtin(0))};
	for (size_t k = 0; k < 4; k++) {
		cloud_ok(c, &c->alice, engine_create_arm_assignment, &wishes[k]);
		const struct arm_assignment *a = arm_assignment_find(cloud_tables(c), wishes[k].id);
		assert_true(uuid_equal(engine_get_assigned(a), wishes[k].principal));
	}
	struct arm_assignment_wish wrong[] = {assign(theirs.iam_role, builtin(0)),
					      assign(c->bob.user, builtin(0)),
					      assign(uuid_random(), builtin(0))};
	for (size_t k = 0; k < 3; k++)
		cloud_fails(c, &c->alice, engine_create_arm_assignment, &wrong[k], ERR_NOT_FOUND, KIND_USER);
	wrong[0] = assign(c->alice.user, uuid_random());
	cloud_fails(c, &c->alice, engine_create_arm_assignment, &wrong[0], ERR_NOT_FOUND, KIND_ARM_ROLE);
}

static void an_assignment_is_made_once_and_never_changed(void **state)
{
	struct cloud *c = *state;
	uuid dave = make_user(c, "dave");
	struct arm_assignment_wish wish = assign(dave, builtin(0)), same = wish, other = wish;
	cloud_ok(c, &c->alice, engine_create_arm_assignment, &wish);
	cloud_ok(c, &c->alice, engine_create_arm_assignment, &wish); /* the same id and the same words */
	same.id = uuid_random();
	cloud_fails(c, &c->alice, engine_create_arm_assignment, &same, ERR_EXISTS, KIND_ARM_ASSIGNMENT);
	same.place = (struct arm_place){.kind = KIND_ROUTER, .resource = c->alice_router};
	cloud_ok(c, &c->alice, engine_create_arm_assignment, &same); /* it holds elsewhere */
	other.definition = builtin(1);
	cloud_fails(c, &c->alice, engine_create_arm_assignment, &other, ERR_EXISTS, KIND_ARM_ROLE);
	other = wish;
	other.principal = make_user(c, "erin");
	cloud_fails(c, &c->alice, engine_create_arm_assignment, &other, ERR_EXISTS, KIND_ARM_ROLE);
	other = wish;
	other.place.group = c->alice.account;
	cloud_fails(c, &c->alice, engine_create_arm_assignment, &other, ERR_EXISTS, KIND_ARM_ROLE);
}

static void a_member_has_what_its_group_is_assigned(void **state)
{
	struct cloud *c = *state;
	static struct arm_grant grants[ARM_ASSIGNMENTS_OF_ONE];
	size_t count = 0;
	uuid dave = make_user(c, "dave"), erin = make_user(c, "erin");
	struct account_group_wish group = {.name = STR("own")};
	cloud_ok(c, &c->alice, engine_create_account_group, &group);
	struct membership member = {ref_by_id(KIND_USER_GROUP, group.user_group), ref_by_id(KIND_USER, dave)};
	struct arm_assignment_wish wish = assign(group.user_group, builtin(0));
	cloud_ok(c, &c->alice, engine_add_group_member, &member);
	cloud_ok(c, &c->alice, engine_create_arm_assignment, &wish);
	const struct tables *t = cloud_tables(c);
	assert_true(engine_find_grants(t, dave, c->alice.account, grants, &count));
	assert_int_equal(count, 1);
	assert_true(uuid_equal(grants[0].definition.id, builtin(0)));
	assert_true(engine_is_member(t, dave, group.user_group) &&
		    engine_is_assigned(t, dave, c->alice.account));
	assert_true(engine_find_grants(t, erin, c->alice.account, grants, &count));
	assert_int_equal(count, 0);
	assert_false(engine_is_member(t, erin, group.user_group) ||
		     engine_is_assigned(t, erin, c->alice.account));
	assert_false(engine_is_assigned(t, dave, c->bob.account));
	assert_false(engine_is_member(t, dave, UUID_NONE));
	assert_true(engine_find_grants(t, dave, c->bob.account, grants, &count));
	assert_int_equal(count, 0);
	struct account_group_target gone = {member.user_group};
	cloud_ok(c, &c->alice, engine_remove_group_member, &member);
	cloud_ok(c, &c->alice, engine_delete_account_group, &gone);
	assert_null(arm_assignment_find(cloud_tables(c), wish.id));
}

static void a_lock_of_another_account_is_like_none(void **state)
{
	struct cloud *c = *state;
	struct arm_lock_wish lock = {.name = STR("keep"), .scope = STR("/")};
	cloud_ok(c, &c->alice, engine_put_arm_lock, &lock);
	struct arm_lock_target target = {lock.lock};
	cloud_fails(c, &c->bob, engine_delete_arm_lock, &target, ERR_NOT_FOUND, KIND_ARM_LOCK);
	cloud_ok(c, &c->alice, engine_delete_arm_lock, &target);
	cloud_fails(c, &c->alice, engine_delete_arm_lock, &target, ERR_NOT_FOUND, KIND_ARM_LOCK);
}

/* ---- places ---- */

static bool is_at(struct cloud *c, struct arm_place place, enum kind kind, const struct row *row)
{
	return engine_is_at_place(cloud_tables(c), &place, c->alice.account, kind, row);
}

static void a_place_holds_its_resource_and_the_parts_of_it(void **state)
{
	struct cloud *c = *state;
	const struct tables *t = cloud_tables(c);
	const struct router *router = router_find(t, c->alice_router);
	const struct subnet *subnet = subnet_first_by_router(t, c->alice_router);
	const struct security_group_rule *rule = security_group_rule_first_by_group(t, router->default_group);
	const struct route *route = route_find_by_table(t, router->main_route_table, cidr_of("0.0.0.0/0"));
	const struct arm_place network = {.kind = KIND_ROUTER, .resource = c->alice_router},
			       group = {.kind = KIND_SECURITY_GROUP, .resource = router->default_group},
			       table = {.kind = KIND_ROUTE_TABLE, .resource = router->main_route_table},
			       all = {0}, loose = {.group = c->alice.account},
			       other = {.group = uuid_random()};
	assert_true(is_at(c, network, KIND_ROUTER, &router->row) &&
		    is_at(c, network, KIND_SUBNET, &subnet->row));
	assert_true(is_at(c, group, KIND_SECURITY_GROUP_RULE, &rule->row));
	assert_true(is_at(c, table, KIND_ROUTE, &route->row));
	assert_false(is_at(c, network, KIND_SECURITY_GROUP_RULE, &rule->row));
	assert_false(is_at(c, group, KIND_SUBNET, &subnet->row));
	const struct row *bobs = &router_find(t, c->bob_router)->row;
	assert_true(is_at(c, all, KIND_ROUTER, bobs)); /* the guard asks within one account */
	assert_false(is_at(c, loose, KIND_ROUTER, bobs) || is_at(c, network, KIND_ROUTER, bobs));
	assert_true(is_at(c, loose, KIND_SUBNET, &subnet->row)); /* a resource in no group */
	assert_false(is_at(c, other, KIND_SUBNET, &subnet->row));
}

static void a_place_is_within_the_same_or_a_wider_one(void **state)
{
	(void) state;
	uuid group = uuid_random(), resource = uuid_random();
	const struct arm_place all = {0}, in_group = {.group = group}, other = {.group = uuid_random()},
			       one = {group, KIND_INSTANCE, resource},
			       two = {group, KIND_INSTANCE, uuid_random()};
	assert_true(engine_is_place_within(&one, &in_group) && engine_is_place_within(&one, &all));
	assert_true(engine_is_place_within(&one, &one) && engine_is_place_within(&in_group, &all));
	assert_false(engine_is_place_within(&in_group, &one) || engine_is_place_within(&two, &one));
	assert_false(engine_is_place_within(&one, &other) || engine_is_place_within(&all, &in_group));
}

#define in_a_cloud(test) cmocka_unit_test_setup_teardown(test, make_owners, cloud_teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {
		in_a_cloud(a_custom_role_has_a_name_and_an_id_of_its_own),
		in_a_cloud(an_assigned_role_is_not_deleted),
		in_a_cloud(principals_are_of_the_account_or_of_its_domain),
		in_a_cloud(an_assignment_is_made_once_and_never_changed),
		in_a_cloud(a_lock_of_another_account_is_like_none),
		in_a_cloud(a_member_has_what_its_group_is_assigned),
		in_a_cloud(a_place_holds_its_resource_and_the_parts_of_it),
		cmocka_unit_test(a_place_is_within_the_same_or_a_wider_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
