/* SPDX-License-Identifier: Apache-2.0
 * Keystone's unified limits: those of resources with a quota are the quota, others are stored. */
#include "cloud.h"
#include "store/account.h"
#include "store/project_limit.h"
#include "store/registered_limit.h"

#include "engine/people/account/account.h"
#include "engine/people/unified_limit.h"
#include "engine/quota.h"

#define GIB (INT64_C(1) << 30)

static struct limited_resource resource_of(const char *type, const char *name)
{
	struct limited_resource r = {
		.own_type = str_from(type), .own_region = STR("here"), .name = str_from(name)};
	memset(r.service.b, type[0], sizeof r.service.b);
	return r;
}

static struct ref make_registered(struct cloud *c, struct limited_resource r, int64_t value)
{
	struct registered_limit_wish limit = {.resource = r, .value = value};
	struct registered_limits_wish wish = {&limit, 1};
	cloud_ok(c, &c->operator, engine_create_registered_limits, &wish);
	return (struct ref){.kind = KIND_REGISTERED_LIMIT, .prefix = limit.limit, .bits = 128};
}

static struct ref make_limit(struct cloud *c, struct limited_resource r, int64_t value)
{
	struct project_limit_wish limit = {
		.resource = r, .account = ref_by_id(KIND_ACCOUNT, c->alice.account), .value = value};
	struct project_limits_wish wish = {&limit, 1};
	cloud_ok(c, &c->operator, engine_create_project_limits, &wish);
	return (struct ref){.kind = KIND_PROJECT_LIMIT, .prefix = limit.limit, .bits = 128};
}

static int64_t bytes_of(struct cloud *c, uuid account)
{
	return account_find(cloud_tables(c), account)->limit_volume_bytes;
}

static int64_t standard(struct cloud *c)
{
	struct account limits = {0};
	engine_get_default_limits(cloud_tables(c), &limits);
	return limits.limit_volume_bytes;
}

static void check_quota(void **state)
{
	struct cloud *c = *state;
	struct limited_resource r = resource_of("block-storage", "gigabytes");
	int64_t before = standard(c);
	struct account_limits own =
		account_limits_all(ref_by_id(KIND_ACCOUNT, c->bob.account), ACCOUNT_LIMIT_KEEP);
	own.volume_bytes = 3 * GIB;
	cloud_ok(c, &c->operator, engine_set_limits, &own);
	own = account_limits_all(ref_by_id(KIND_ACCOUNT, c->alice.account), ACCOUNT_LIMIT_KEEP);
	own.volume_bytes = before;
	cloud_ok(c, &c->operator, engine_set_limits, &own);
	struct ref registered = make_registered(c, r, 70);
	assert_int_equal(standard(c), 70 * GIB);
	assert_int_equal(bytes_of(c, c->alice.account), 70 * GIB); /* had the former default */
	assert_int_equal(bytes_of(c, c->bob.account), 3 * GIB);    /* had a quota of its own */
	struct ref limit = make_limit(c, r, 5);
	assert_int_equal(bytes_of(c, c->alice.account), 5 * GIB);
	own.volume_bytes = -1;
	cloud_ok(c, &c->operator, engine_set_limits, &own);
	assert_int_equal(
		engine_get_project_limit(cloud_tables(c), project_limit_find(cloud_tables(c), limit.prefix)),
		-1);
	int64_t seven = 7;
	struct project_limit_change change = {.limit = limit, .value = &seven};
	cloud_ok(c, &c->operator, engine_update_project_limit, &change);
	assert_int_equal(bytes_of(c, c->alice.account), 7 * GIB);
	struct registered_limit_target target = {registered};
	cloud_fails(c, &c->operator, engine_delete_registered_limit, &target, ERR_PROTECTED,
		    KIND_REGISTERED_LIMIT);
	struct project_limit_target gone = {limit};
	cloud_ok(c, &c->operator, engine_delete_project_limit, &gone);
	assert_int_equal(bytes_of(c, c->alice.account), 70 * GIB);
	cloud_ok(c, &c->operator, engine_delete_registered_limit, &target);
	assert_int_equal(standard(c), before);
	assert_int_equal(bytes_of(c, c->alice.account), before);
}

/* A name that no quota has, and one of another region, are stored. */
static void check_stored(void **state)
{
	struct cloud *c = *state;
	int64_t before = standard(c);
	struct limited_resource r = resource_of("block-storage", "gigabytes");
	struct limited_resource other = resource_of("compute", "class:CUSTOM_FPGA");
	struct ref registered = make_registered(c, other, 4);
	r.region = STR("elsewhere");
	struct registered_limit_wish limit = {.resource = r};
	struct registered_limits_wish wish = {&limit, 1};
	cloud_fails(c, &c->operator, engine_create_registered_limits, &wish, ERR_INVALID,
		    KIND_REGISTERED_LIMIT);
	assert_int_equal(standard(c), before);
	make_limit(c, other, 2);
	struct project_limit_wish twice = {
		.resource = other, .account = ref_by_id(KIND_ACCOUNT, c->alice.account), .value = 1};
	struct project_limits_wish again = {&twice, 1};
	cloud_fails(c, &c->operator, engine_create_project_limits, &again, ERR_EXISTS, KIND_PROJECT_LIMIT);
	twice.resource.name = STR("unregistered");
	cloud_fails(c, &c->operator, engine_create_project_limits, &again, ERR_STATE, KIND_PROJECT_LIMIT);
	cloud_fails(c, &c->alice, engine_create_project_limits, &again, ERR_DENIED, KIND_PROJECT_LIMIT);
	limit = (struct registered_limit_wish){.resource = other};
	cloud_fails(c, &c->operator, engine_create_registered_limits, &wish, ERR_EXISTS,
		    KIND_REGISTERED_LIMIT);
	assert_int_equal(engine_get_registered_limit(
				 cloud_tables(c), registered_limit_find(cloud_tables(c), registered.prefix)),
			 4);
	/* The same quota is not tied twice: both of Cinder's services are "block-storage" here. */
	make_registered(c, resource_of("block-storage", "volumes"), 11);
	struct limited_resource second = resource_of("block-storage", "volumes");
	second.service.b[0] ^= 1;
	struct ref untied = make_registered(c, second, 12);
	struct account limits = {0};
	engine_get_default_limits(cloud_tables(c), &limits);
	assert_int_equal(limits.limit_volumes, 11);
	assert_int_equal(engine_get_registered_limit(cloud_tables(c),
						     registered_limit_find(cloud_tables(c), untied.prefix)),
			 12);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(check_quota, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_stored, cloud_setup, cloud_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
