/* SPDX-License-Identifier: Apache-2.0
 * Tags, conditions and client tokens' sweep. */
#include "cloud.h"
#include "model/condition.h"
#include "store/router.h"

static void check_set(void **state)
{
	struct cloud *c = *state;
	const struct tables *t = cloud_tables(c);
	uuid instance = cloud_launch_one(c);
	const struct tag tags[] = {{STR("b"), STR("2")}, {STR("a"), STR("1")}, {STR("Name"), STR("")}};
	struct ref both[] = {ref_to(c, KIND_INSTANCE, instance), ref_to(c, KIND_ROUTER, c->alice_router)};
	struct tags_wish wish = {.resources = {both, 2}, .tags = {tags, 3}};
	cloud_fails(c, &c->bob, engine_set_tags, &wish, ERR_NOT_FOUND, KIND_INSTANCE);
	cloud_ok(c, &c->alice, engine_set_tags, &wish);
	const struct router *router = router_find(t, c->alice_router);
	assert_int_equal(router->tags.count, 3);
	assert_true(str_is(router->tags.at[0].key, "Name") && str_is(router->tags.at[2].key, "b"));
	assert_int_equal(router->row.gen, 1);
	const struct tag again = {STR("b"), STR("3")};
	wish.tags = (struct tags){&again, 1};
	cloud_ok(c, &c->alice, engine_set_tags, &wish);
	assert_true(str_is(tags_find(cloud_instance(c, instance)->tags, STR("b"))->value, "3"));
	/* If one of the resources does not exist, none is changed. */
	both[1] = ref_to(c, KIND_ROUTER, c->bob_router);
	wish.tags = (struct tags){tags, 1};
	cloud_fails(c, &c->alice, engine_set_tags, &wish, ERR_NOT_FOUND, KIND_ROUTER);
	both[1] = ref_to(c, KIND_USER, c->alice.user);
	cloud_fails(c, &c->alice, engine_set_tags, &wish, ERR_INVALID, KIND_USER);
}

/* Words, and pairs: one part is replaced or deleted, the other stays. */
static void check_parts(void **state)
{
	struct cloud *c = *state;
	uuid id = cloud_launch_one(c);
	const struct ref ref = ref_to(c, KIND_INSTANCE, id);
	const struct tag tags[] = {{STR("a"), STR("1")}, {STR("b"), STR("2")}, {STR("word"), STR("")}};
	struct tags_wish wish = {.resources = {&ref, 1}, .tags = {tags, 3}};
	cloud_ok(c, &c->alice, engine_replace_tags, &wish);
	wish.part = TAGS_WITH_VALUE;
	wish.tags = (struct tags){tags, 1};
	cloud_ok(c, &c->alice, engine_replace_tags, &wish);
	assert_int_equal(cloud_instance(c, id)->tags.count, 2);
	assert_non_null(tags_find(cloud_instance(c, id)->tags, STR("word")));
	wish.part = TAGS_WORDS;
	cloud_ok(c, &c->alice, engine_delete_tags, &wish);
	assert_int_equal(cloud_instance(c, id)->tags.count, 1);
	assert_non_null(tags_find(cloud_instance(c, id)->tags, STR("a")));
}

static void check_limits(void **state)
{
	struct cloud *c = *state;
	char text[300];
	memset(text, 'x', sizeof text);
	const struct {
		struct tag tag;
		enum err err;
	} rows[] = {
		{{{text, 128}, {text, 256}}, ERR_NONE},        {{{text, 129}, STR("")}, ERR_INVALID},
		{{STR("k"), {text, 257}}, ERR_INVALID},        {{STR(""), STR("v")}, ERR_INVALID},
		{{STR("aws:x"), STR("v")}, ERR_INVALID},       {{STR("AWS:x"), STR("v")}, ERR_NONE},
		{{STR("\xc3\xa9"), STR("\xc3")}, ERR_INVALID}, {{STR("bell\x07"), STR("v")}, ERR_INVALID},
	};
	struct ref router = ref_to(c, KIND_ROUTER, c->alice_router);
	for (size_t n = 0; n < sizeof rows / sizeof *rows; n++) {
		struct tags_wish wish = {.resources = {&router, 1}, .tags = {&rows[n].tag, 1}};
		cloud_expect(c, cloud_run(c, &c->alice, engine_set_tags_run, &wish), rows[n].err, KIND_NONE);
		struct router_wish made = {.block = cidr_of("10.0.0.0/24"), .tags = wish.tags};
		cloud_expect(c, cloud_run(c, &c->alice, engine_create_router_run, &made), rows[n].err,
			     KIND_NONE);
	}
	struct tag many[51];
	for (size_t n = 0; n < 51; n++)
		many[n] = (struct tag){str_print(c->arena, "key-%zu", n), STR("v")};
	struct tags_wish wish = {.resources = {&router, 1}, .tags = {many, 49}};
	cloud_fails(c, &c->alice, engine_set_tags, &wish, ERR_QUOTA, KIND_NONE); /* two are there already */
	wish.tags.count = 48;
	cloud_ok(c, &c->alice, engine_set_tags, &wish);
	struct router_wish made = {.block = cidr_of("10.0.0.0/24"), .tags = {many, 51}};
	cloud_fails(c, &c->alice, engine_create_router, &made, ERR_QUOTA, KIND_NONE);
	many[1].key = many[0].key;
	made.tags.count = 2;
	cloud_fails(c, &c->alice, engine_create_router, &made, ERR_INVALID, KIND_NONE);
}

static void check_delete(void **state)
{
	struct cloud *c = *state;
	const struct tag tags[] = {
		{STR("a"), STR("1")}, {STR("b"), STR("")}, {STR("c"), STR("3")}, {STR("d"), STR("4")}};
	struct ref router = ref_to(c, KIND_ROUTER, c->alice_router);
	struct tags_wish wish = {.resources = {&router, 1}, .tags = {tags, 4}};
	cloud_ok(c, &c->alice, engine_set_tags, &wish);
	const struct tag_removal removals[] = {
		{STR("a"), STR("2"), true},                            /* another value: stays */
		{STR("b"), STR(""), true},  {STR("c"), STR(""), true}, /* not empty: stays */
		{STR("d"), STR(""), false}, {STR("absent"), STR(""), false},
	};
	struct tags_wish removal = {.resources = {&router, 1}, .removals = removals, .removal_count = 5};
	cloud_ok(c, &c->alice, engine_delete_tags, &removal);
	struct tags left = router_find(cloud_tables(c), c->alice_router)->tags;
	assert_int_equal(left.count, 2);
	assert_true(str_is(left.at[0].key, "a") && str_is(left.at[1].key, "c"));
	struct tags_wish replace = {.resources = {&router, 1}, .tags = {&tags[1], 2}};
	cloud_ok(c, &c->alice, engine_replace_tags, &replace);
	left = router_find(cloud_tables(c), c->alice_router)->tags;
	assert_int_equal(left.count, 2);
	assert_true(str_is(left.at[0].key, "b") && str_is(left.at[1].key, "c"));
	removal.removal_count = 0;
	cloud_ok(c, &c->alice, engine_delete_tags, &removal);
	assert_int_equal(router_find(cloud_tables(c), c->alice_router)->tags.count, 0);
	cloud_fails(c, &c->bob, engine_delete_tags, &removal, ERR_NOT_FOUND, KIND_ROUTER);
}

static void check_conditions(void **state)
{
	struct cloud *c = *state;
	struct condition_wish wish = {.kind = KIND_HOST,
				      .subject = c->hosts[0],
				      .name = STR("HostDown"),
				      .message = STR("No answer."),
				      .advice = STR("Look at it.")};
	cloud_ok(c, NULL, engine_set_condition, &wish);
	int64_t since_us = cloud_condition(c, c->hosts[0], "HostDown")->row.created_us;
	clock_advance_us(SECOND);
	cloud_ok(c, NULL, engine_set_condition, &wish);
	wish.message = STR("Still none.");
	cloud_ok(c, NULL, engine_set_condition, &wish);
	assert_int_equal(cloud_condition(c, c->hosts[0], "HostDown")->row.created_us, since_us);
	assert_true(str_is(cloud_condition(c, c->hosts[0], "HostDown")->message, "Still none."));
	wish.name = STR("Other");
	cloud_ok(c, NULL, engine_set_condition, &wish);
	wish.name = STR("HostDown");
	cloud_ok(c, NULL, engine_clear_condition, &wish);
	cloud_ok(c, NULL, engine_clear_condition, &wish);
	assert_null(cloud_condition(c, c->hosts[0], "HostDown"));
	assert_non_null(cloud_condition(c, c->hosts[0], "Other"));
	wish.name = STR_NONE;
	cloud_ok(c, NULL, engine_clear_condition, &wish);
	assert_int_equal(tables_count(cloud_tables(c), KIND_CONDITION), 0);
	wish.subject = uuid_random();
	wish.name = STR("Late");
	cloud_ok(c, NULL, engine_set_condition, &wish); /* the subject is gone, so there is no condition */
	assert_int_equal(tables_count(cloud_tables(c), KIND_CONDITION), 0);
}

static void check_sweep(void **state)
{
	struct cloud *c = *state;
	for (int n = 0; n < 3; n++) {
		struct instance_launch launch = cloud_launch(c, 1);
		launch.client_token = str_print(c->arena, "token-%d", n);
		cloud_ok(c, &c->alice, engine_create_instances, &launch);
		clock_advance_us(HOUR);
	}
	struct client_token_sweep sweep = {.max = 10};
	cloud_ok(c, NULL, engine_sweep_client_tokens, &sweep);
	assert_int_equal(sweep.forgotten, 0);
	clock_advance_us(22 * HOUR);
	cloud_ok(c, NULL, engine_sweep_client_tokens, &sweep);
	assert_int_equal(sweep.forgotten, 2);
	clock_advance_us(HOUR);
	sweep.max = 0;
	cloud_ok(c, NULL, engine_sweep_client_tokens, &sweep);
	assert_int_equal(tables_count(cloud_tables(c), KIND_CLIENT_TOKEN), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(check_set, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_parts, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_limits, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_delete, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_conditions, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_sweep, cloud_setup, cloud_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
