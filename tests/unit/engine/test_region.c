/* SPDX-License-Identifier: Apache-2.0
 * The region's bootstrap: created rows, repetition and refusals; settings. */
#include "cloud.h"
#include "store/account.h"
#include "store/instance_type.h"
#include "store/zone.h"

static void check_bootstrap(void **state)
{
	struct cloud *c = *state;
	const struct tables *t = cloud_tables(c);
	assert_true(str_is(engine_get_region_name(t), "xy-west-2"));
	assert_false(uuid_is_none(engine_get_region_id(t)));
	assert_true(str_is(engine_get_domain_name(t, c->arena), "xy-west-2.compute.internal"));
	assert_true(str_is(zone_find_by_name(t, STR("xy-west-2b"))->short_id, "xyw2-az2"));
	const struct instance_type *type = instance_type_find_by_name(t, STR("t3.micro"));
	assert_int_equal(type->vcpus, 2);
	assert_int_equal(type->memory, GIB);
	assert_true(tables_count(t, KIND_INSTANCE_TYPE) > 60);
}

static void check_bootstrap_again(void **state)
{
	struct cloud *c = *state;
	uuid region = engine_get_region_id(cloud_tables(c));
	struct str zone = STR("xy-west-2c");
	struct region_wish wish = {.name = STR("xy-west-2"), .zones = {&zone, 1}};
	cloud_ok(c, &c->operator, engine_bootstrap_region, &wish);
	assert_true(uuid_equal(wish.region, region));
	assert_int_equal(tables_count(cloud_tables(c), KIND_ZONE), 3);
	wish.name = STR("other");
	cloud_fails(c, &c->operator, engine_bootstrap_region, &wish, ERR_CONFLICT, KIND_SETTING);
	wish.name = STR("Not A Region");
	cloud_fails(c, &c->operator, engine_bootstrap_region, &wish, ERR_INVALID, KIND_NONE);
	wish.name = STR("xy-west-2");
	cloud_fails(c, &c->alice, engine_bootstrap_region, &wish, ERR_DENIED, KIND_NONE);
}

static void check_short_ids(void **state)
{
	(void) state;
	static const struct {
		const char *region, *zone_id;
	} rows[] = {
		{"us-east-1", "use1-az1"},       {"eu-central-1", "euc1-az1"},
		{"ap-southeast-2", "apse2-az1"}, {"ap-northeast-1", "apne1-az1"},
		{"us-northwest-3", "usnw3-az1"}, {"home", "home-az1"},
	};
	for (size_t n = 0; n < sizeof rows / sizeof *rows; n++) {
		static struct cloud c;
		cloud_init(&c);
		struct region_wish wish = {.name = str_from(rows[n].region)};
		cloud_ok(&c, NULL, engine_bootstrap_region, &wish);
		assert_true(str_is(zone_first(cloud_tables(&c))->short_id, rows[n].zone_id));
		assert_true(str_ends_with(zone_first(cloud_tables(&c))->name, STR("a")));
		cloud_done(&c);
	}
}

static void check_settings(void **state)
{
	struct cloud *c = *state;
	struct setting_wish wish = {.name = STR("limit.instances"), .value = STR("7")};
	cloud_ok(c, &c->operator, engine_put_setting, &wish);
	struct account_wish account = {.name = STR("carol")};
	cloud_ok(c, &c->operator, engine_create_account, &account);
	assert_int_equal(account_find(cloud_tables(c), account.account)->limit_instances, 7);
	wish.value = STR_NONE;
	cloud_ok(c, &c->operator, engine_put_setting, &wish);
	assert_true(str_is_empty(engine_get_setting(cloud_tables(c), wish.name)));
	cloud_fails(c, &c->alice, engine_put_setting, &wish, ERR_DENIED, KIND_SETTING);
	wish.name = STR_NONE;
	cloud_fails(c, &c->operator, engine_put_setting, &wish, ERR_INVALID, KIND_SETTING);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(check_bootstrap, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_bootstrap_again, cloud_setup, cloud_teardown),
		cmocka_unit_test(check_short_ids),
		cmocka_unit_test_setup_teardown(check_settings, cloud_setup, cloud_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
