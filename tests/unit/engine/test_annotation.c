/* SPDX-License-Identifier: Apache-2.0
 * Annotations: who adds, sees and removes them, and their end with the resource. */
#include "cloud.h"
#include "engine/annotation.h"
#include "engine/instance/key_pair.h"
#include "store/annotation.h"
#include "store/key_pair.h"

static uuid add(struct cloud *c, const struct identity *who, struct ref resource, bool admins_only)
{
	struct annotation_wish wish = {
		.resource = resource, .text = STR("Ask Carol first."), .admins_only = admins_only};
	cloud_ok(c, who, engine_add_annotation, &wish);
	return wish.annotation;
}

static bool sees(struct cloud *c, const struct identity *who, uuid annotation)
{
	const struct annotation *a = annotation_find(cloud_tables(c), annotation);
	c->c.who = who;
	return a && engine_sees_annotation(&c->c, cloud_tables(c), a);
}

static void check_owners(void **state)
{
	struct cloud *c = *state;
	struct ref router = ref_to(c, KIND_ROUTER, c->alice_router);
	struct annotation_wish wish = {.resource = router, .text = STR("x")};
	cloud_fails(c, &c->bob, engine_add_annotation, &wish, ERR_NOT_FOUND, KIND_ROUTER);
	wish.text = STR_NONE;
	cloud_fails(c, &c->alice, engine_add_annotation, &wish, ERR_INVALID, KIND_ANNOTATION);
	uuid own = add(c, &c->alice, router, false);
	assert_true(uuid_equal(annotation_find(cloud_tables(c), own)->account, c->alice.account));
	assert_true(sees(c, &c->alice, own) && sees(c, &c->operator, own) && !sees(c, &c->bob, own));
	struct annotation_target target = {.annotation = ref_to(c, KIND_ANNOTATION, own)};
	cloud_fails(c, &c->bob, engine_remove_annotation, &target, ERR_NOT_FOUND, KIND_ANNOTATION);
	cloud_ok(c, &c->alice, engine_remove_annotation, &target);
	cloud_fails(c, &c->alice, engine_remove_annotation, &target, ERR_NOT_FOUND, KIND_ANNOTATION);
}

/* Notes of administrators: the owner of the resource sees those that are not hidden, and removes none. */
static void check_administrators(void **state)
{
	struct cloud *c = *state;
	struct ref router = ref_to(c, KIND_ROUTER, c->alice_router);
	uuid hidden = add(c, &c->operator, router, true), shown = add(c, &c->operator, router, false);
	assert_true(!sees(c, &c->alice, hidden) && sees(c, &c->alice, shown) &&
		    sees(c, &c->operator, hidden));
	struct annotation_target target = {.annotation = ref_to(c, KIND_ANNOTATION, hidden)};
	cloud_fails(c, &c->alice, engine_remove_annotation, &target, ERR_NOT_FOUND, KIND_ANNOTATION);
	target.annotation = ref_to(c, KIND_ANNOTATION, shown);
	cloud_fails(c, &c->alice, engine_remove_annotation, &target, ERR_PROTECTED, KIND_ANNOTATION);
	struct annotation_visibility change = {.annotation = ref_to(c, KIND_ANNOTATION, shown),
					       .admins_only = true};
	cloud_fails(c, &c->alice, engine_update_annotation, &change, ERR_DENIED, KIND_ANNOTATION);
	cloud_ok(c, &c->operator, engine_update_annotation, &change);
	assert_false(sees(c, &c->alice, shown));
	change.admins_only = false;
	cloud_ok(c, &c->operator, engine_update_annotation, &change);
	assert_true(sees(c, &c->alice, shown));
	cloud_ok(c, &c->operator, engine_remove_annotation, &target);
}

/* A resource without owner takes notes of administrators alone. */
static void check_infrastructure(void **state)
{
	struct cloud *c = *state;
	struct ref host = ref_to(c, KIND_HOST, c->hosts[0]);
	struct annotation_wish wish = {.resource = host, .text = STR("New fans.")};
	cloud_fails(c, &c->alice, engine_add_annotation, &wish, ERR_DENIED, KIND_ANNOTATION);
	uuid first = add(c, &c->operator, host, false);
	assert_true(sees(c, &c->operator, first) && !sees(c, &c->alice, first));
	c->c.who = &c->operator;
	const struct annotation *newest =
		engine_find_newest_annotation(&c->c, cloud_tables(c), c->hosts[0], ANNOTATION_PART_WHOLE);
	assert_true(newest && uuid_equal(newest->row.id, first));
	assert_null(engine_find_newest_annotation(&c->c, cloud_tables(c), c->hosts[0], ANNOTATION_PART_POD));
}

static void check_end(void **state)
{
	struct cloud *c = *state;
	struct key_pair_wish key = {.name = STR("laptop")};
	cloud_ok(c, &c->alice, engine_create_key_pair, &key);
	uuid note = add(c, &c->alice, ref_to(c, KIND_KEY_PAIR, key.key_pair), false);
	uuid other = add(c, &c->alice, ref_to(c, KIND_ROUTER, c->alice_router), false);
	struct key_pair_target target = {.key_pair = ref_to(c, KIND_KEY_PAIR, key.key_pair)};
	cloud_ok(c, &c->alice, engine_delete_key_pair, &target);
	assert_null(annotation_find(cloud_tables(c), note));
	assert_non_null(annotation_find(cloud_tables(c), other));
}

/* Notes do not follow the resource to another account. */
static void check_moves(void **state)
{
	struct cloud *c = *state;
	static const struct launch_port plain = {.field = {"networkids", 10}};
	struct instance_launch launch = cloud_launch(c, 1);
	launch.stays_off = true;
	cloud_ok(c, &c->alice, engine_create_instances, &launch);
	cloud_see(c, launch.made.at[0], INSTANCE_SEEN_POWER_OFF);
	struct ref instance = ref_to(c, KIND_INSTANCE, launch.made.at[0]);
	uuid note = add(c, &c->alice, instance, false);
	struct instance_assigning wish = {
		.instance = instance, .account = c->bob.account, .ports = &plain, .port_count = 1};
	cloud_ok(c, &c->operator, engine_assign_instance, &wish);
	assert_null(annotation_find(cloud_tables(c), note));
	cloud_check(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(check_owners, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_administrators, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_infrastructure, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_end, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_moves, cloud_setup, cloud_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
