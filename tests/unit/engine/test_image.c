/* SPDX-License-Identifier: Apache-2.0
 * Images: whose they are, who may see them, and when their rows may go. */
#include "cloud.h"

static uuid register_one(struct cloud *c, const struct identity *who, const char *name, bool is_public)
{
	struct image_wish wish = {.name = str_from(name),
				  .is_public = is_public,
				  .virtual_size = GIB,
				  .sha256 = STR("ff"),
				  .state = IMAGE_SEEN_STATE_AVAILABLE};
	cloud_ok(c, who, engine_register_image, &wish);
	return wish.image;
}

static void check_register(void **state)
{
	struct cloud *c = *state;
	uuid alices =
		register_one(c, &c->alice, "debian", false); /* the operator has one of that name, too */
	assert_true(uuid_equal(image_find(cloud_tables(c), alices)->account, c->alice.account));
	assert_true(uuid_is_none(image_find(cloud_tables(c), c->image)->account));
	struct image_wish wish = {.name = STR("debian")};
	cloud_fails(c, &c->alice, engine_register_image, &wish, ERR_EXISTS, KIND_IMAGE);
	wish.name = STR("x");
	wish.id = alices;
	cloud_fails(c, &c->alice, engine_register_image, &wish, ERR_EXISTS, KIND_IMAGE);
	wish.id = UUID_NONE;
	wish.state = IMAGE_SEEN_STATE_AVAILABLE;
	cloud_fails(c, &c->alice, engine_register_image, &wish, ERR_MISSING, KIND_IMAGE);
	wish.name = STR_NONE;
	cloud_fails(c, &c->alice, engine_register_image, &wish, ERR_INVALID, KIND_IMAGE);
}

static void check_visibility(void **state)
{
	struct cloud *c = *state;
	uuid private = register_one(c, &c->alice, "private", false);
	uuid public = register_one(c, &c->alice, "public", true);
	const struct image *image = NULL;
	struct ref ref = ref_to(c, KIND_IMAGE, private);
	c->c.who = &c->bob;
	assert_int_equal(engine_find_image(&c->c, cloud_tables(c), &ref, &image).code, ERR_NOT_FOUND);
	assert_true(str_is(c->c.problem.field, "Id"));
	ctx_clear_problem(&c->c);
	ref = ref_to(c, KIND_IMAGE, public);
	assert_int_equal(engine_find_image(&c->c, cloud_tables(c), &ref, &image).code, ERR_NONE);
	ref = ref_to(c, KIND_IMAGE, c->image);
	assert_int_equal(engine_find_image(&c->c, cloud_tables(c), &ref, &image).code, ERR_NONE);
	/* Seen is not owned. */
	struct image_target target = {.image = ref_to(c, KIND_IMAGE, public)};
	cloud_fails(c, &c->bob, engine_delete_image, &target, ERR_NOT_FOUND, KIND_IMAGE);
	target.image = ref_to(c, KIND_IMAGE, c->image);
	cloud_fails(c, &c->bob, engine_delete_image, &target, ERR_NOT_FOUND, KIND_IMAGE);
	/* Another kind's id is no image. */
	target.image = ref_to(c, KIND_ROUTER, c->alice_router);
	cloud_fails(c, &c->alice, engine_delete_image, &target, ERR_NOT_FOUND, KIND_IMAGE);
}

static void check_see(void **state)
{
	struct cloud *c = *state;
	struct image_wish wish = {.name = STR("slow")};
	cloud_ok(c, &c->alice, engine_register_image, &wish);
	struct instance_launch launch = cloud_launch(c, 1);
	launch.image = ref_to(c, KIND_IMAGE, wish.image);
	cloud_fails(c, &c->alice, engine_create_instances, &launch, ERR_STATE, KIND_IMAGE);
	struct image_sight sight = {.image = wish.image,
				    .state = IMAGE_SEEN_STATE_AVAILABLE,
				    .virtual_size = GIB,
				    .file_size = -1,
				    .sha256 = STR("cafe")};
	cloud_ok(c, NULL, engine_see_image, &sight);
	cloud_ok(c, &c->alice, engine_create_instances, &launch);
	assert_int_equal(image_find(cloud_tables(c), wish.image)->row.gen, 1);
}

static void check_forget(void **state)
{
	struct cloud *c = *state;
	uuid instance = cloud_launch_one(c);
	struct image_forget forget = {.image = c->image};
	cloud_fails(c, NULL, engine_forget_image, &forget, ERR_STATE, KIND_IMAGE);
	struct image_target target = {.image = ref_to(c, KIND_IMAGE, c->image)};
	cloud_ok(c, &c->operator, engine_delete_image, &target);
	cloud_fails(c, &c->operator, engine_delete_image, &target, ERR_NOT_FOUND, KIND_IMAGE);
	struct instance_launch launch = cloud_launch(c, 1);
	cloud_fails(c, &c->alice, engine_create_instances, &launch, ERR_NOT_FOUND, KIND_IMAGE);
	cloud_fails(c, NULL, engine_forget_image, &forget, ERR_IN_USE, KIND_IMAGE);
	/* The name is free again although the row is still there. */
	struct image_wish again = {.name = STR("debian")};
	cloud_ok(c, &c->operator, engine_register_image, &again);
	assert_true(row_is_live(&cloud_instance(c, instance)->row));
	uuid unused = register_one(c, &c->operator, "unused", true);
	target.image = ref_to(c, KIND_IMAGE, unused);
	forget.image = unused;
	cloud_ok(c, &c->operator, engine_delete_image, &target);
	cloud_ok(c, NULL, engine_forget_image, &forget);
	cloud_ok(c, NULL, engine_forget_image, &forget);
	assert_null(image_find(cloud_tables(c), unused));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(check_register, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_visibility, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_see, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_forget, cloud_setup, cloud_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
