/* SPDX-License-Identifier: Apache-2.0
 * Subnet pools: allocations, and access. */
#include "cloud.h"
#include "store/subnet.h"
#include "store/subnet_pool.h"

#include "engine/network/network.h"
#include "engine/network/subnet_pool.h"

static struct ref ref_of(enum kind kind, uuid id)
{
	return (struct ref){.kind = kind, .prefix = id, .bits = 128};
}

/* 10.8.0.0/22 and 10.9.0.0/24. */
static struct ref make_pool(struct cloud *c)
{
	const struct cidr prefixes[] = {cidr_of("10.8.0.0/22"), cidr_of("10.9.0.0/24")};
	struct subnet_pool_wish wish = {.name = STR("pool"), .prefixes = {prefixes, 2}, .default_bits = 24};
	cloud_ok(c, &c->alice, engine_create_subnet_pool, &wish);
	return ref_of(KIND_SUBNET_POOL, wish.pool);
}

static struct network_subnet_wish wish_of(struct cloud *c, struct identity *who, struct ref pool,
					  int64_t bits)
{
	struct network_wish network = {.name = STR("net")};
	cloud_ok(c, who, engine_create_network, &network);
	return (struct network_subnet_wish){
		.network = ref_of(KIND_NETWORK, network.network), .pool = pool, .bits = bits};
}

static uuid take(struct cloud *c, struct ref pool, int64_t bits, const char *block)
{
	struct network_subnet_wish wish = wish_of(c, &c->alice, pool, bits);
	cloud_ok(c, &c->alice, engine_add_subnet, &wish);
	assert_true(cidr_equal(wish.block, cidr_of(block)));
	const struct subnet *subnet = subnet_find(cloud_tables(c), wish.subnet);
	assert_true(cidr_equal(subnet->block, wish.block) && uuid_equal(subnet->subnet_pool, pool.prefix));
	return wish.subnet;
}

static void check_allocation(void **state)
{
	struct cloud *c = *state;
	struct ref pool = make_pool(c);
	uuid first = take(c, pool, 26, "10.8.0.0/26");
	take(c, pool, 0, "10.8.1.0/24");
	take(c, pool, 26, "10.8.0.64/26");
	take(c, pool, 23, "10.8.2.0/23");
	take(c, pool, 24, "10.9.0.0/24");
	struct network_subnet_wish more = wish_of(c, &c->alice, pool, 24);
	cloud_fails(c, &c->alice, engine_add_subnet, &more, ERR_CAPACITY, KIND_SUBNET_POOL);
	take(c, pool, 25, "10.8.0.128/25");
	struct subnet_target gone = {ref_of(KIND_SUBNET, first)};
	cloud_ok(c, &c->alice, engine_delete_subnet, &gone);
	take(c, pool, 30, "10.8.0.0/30");
}

static void check_chosen(void **state)
{
	struct cloud *c = *state;
	struct ref pool = make_pool(c);
	struct network_subnet_wish wish = wish_of(c, &c->alice, pool, 0);
	wish.block = cidr_of("10.10.0.0/24");
	cloud_fails(c, &c->alice, engine_add_subnet, &wish, ERR_CAPACITY, KIND_SUBNET_POOL);
	wish.block = cidr_of("10.8.3.0/24");
	cloud_ok(c, &c->alice, engine_add_subnet, &wish);
	struct network_subnet_wish again = wish_of(c, &c->alice, pool, 0);
	again.block = cidr_of("10.8.3.128/25");
	cloud_fails(c, &c->alice, engine_add_subnet, &again, ERR_CAPACITY, KIND_SUBNET_POOL);
	struct network_subnet_wish small = wish_of(c, &c->alice, pool, 31);
	cloud_fails(c, &c->alice, engine_add_subnet, &small, ERR_RANGE, KIND_SUBNET);
	struct subnet_pool_target target = {pool};
	cloud_fails(c, &c->alice, engine_delete_subnet_pool, &target, ERR_IN_USE, KIND_SUBNET_POOL);
}

/* The quota counts addresses, and holds for each account and not for older subnets. */
static void check_quota(void **state)
{
	struct cloud *c = *state;
	struct ref pool = make_pool(c);
	int64_t quota = 48;
	struct subnet_pool_settings change = {.pool = pool, .quota = &quota};
	cloud_ok(c, &c->alice, engine_update_subnet_pool, &change);
	take(c, pool, 27, "10.8.0.0/27");
	struct network_subnet_wish more = wish_of(c, &c->alice, pool, 27);
	cloud_fails(c, &c->alice, engine_add_subnet, &more, ERR_QUOTA, KIND_SUBNET_POOL);
	take(c, pool, 28, "10.8.0.32/28");
	quota = 0;
	cloud_ok(c, &c->alice, engine_update_subnet_pool, &change);
	cloud_ok(c, &c->alice, engine_add_subnet, &more);
}

static void check_whose(void **state)
{
	struct cloud *c = *state;
	struct ref pool = make_pool(c);
	struct network_subnet_wish wish = wish_of(c, &c->bob, pool, 0);
	cloud_fails(c, &c->bob, engine_add_subnet, &wish, ERR_NOT_FOUND, KIND_SUBNET_POOL);
	struct subnet_pool_settings change = {.pool = pool, .is_default = CHOICE_YES};
	cloud_fails(c, &c->bob, engine_update_subnet_pool, &change, ERR_NOT_FOUND, KIND_SUBNET_POOL);
	cloud_fails(c, &c->alice, engine_update_subnet_pool, &change, ERR_DENIED, KIND_SUBNET_POOL);
	const struct cidr prefix = cidr_of("10.20.0.0/16");
	struct subnet_pool_wish shared = {
		.name = STR("all"), .prefixes = {&prefix, 1}, .is_shared = true, .is_default = true};
	cloud_fails(c, &c->alice, engine_create_subnet_pool, &shared, ERR_DENIED, KIND_SUBNET_POOL);
	cloud_ok(c, &c->operator, engine_update_subnet_pool, &change);
	struct network_subnet_wish of_default = wish_of(c, &c->bob, (struct ref){0}, 0);
	of_default.wants_default_pool = true;
	cloud_fails(c, &c->bob, engine_add_subnet, &of_default, ERR_DENIED, KIND_SUBNET_POOL);
	of_default.network = wish_of(c, &c->alice, (struct ref){0}, 0).network;
	cloud_ok(c, &c->alice, engine_add_subnet, &of_default);
}

static void check_for_another(void **state)
{
	struct cloud *c = *state;
	const struct cidr prefix = cidr_of("10.20.0.0/16");
	struct subnet_pool_wish wish = {.account = ref_of(KIND_ACCOUNT, c->bob.account),
					.name = STR("bob's"),
					.prefixes = {&prefix, 1}};
	cloud_fails(c, &c->alice, engine_create_subnet_pool, &wish, ERR_DENIED, KIND_ACCOUNT);
	cloud_ok(c, &c->operator, engine_create_subnet_pool, &wish);
	const struct subnet_pool *pool = subnet_pool_find(cloud_tables(c), wish.pool);
	assert_true(uuid_equal(pool->account, c->bob.account));
}

static void check_changes(void **state)
{
	struct cloud *c = *state;
	struct ref pool = make_pool(c);
	const struct cidr fewer = cidr_of("10.8.0.0/22"), grown[] = {cidr_of("10.8.0.0/15")};
	struct cidrs less = {&fewer, 1}, more = {grown, 1};
	struct subnet_pool_settings wish = {.pool = pool, .prefixes = &less};
	cloud_fails(c, &c->alice, engine_update_subnet_pool, &wish, ERR_CONFLICT, KIND_SUBNET_POOL);
	wish.prefixes = &more;
	cloud_ok(c, &c->alice, engine_update_subnet_pool, &wish);
	struct subnet_pool_settings bits = {.pool = pool, .min_bits = 25};
	cloud_fails(c, &c->alice, engine_update_subnet_pool, &bits, ERR_RANGE, KIND_SUBNET_POOL);
	struct subnet_pool_target target = {pool};
	cloud_ok(c, &c->alice, engine_delete_subnet_pool, &target);
	cloud_fails(c, &c->alice, engine_delete_subnet_pool, &target, ERR_NOT_FOUND, KIND_SUBNET_POOL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(check_allocation, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_chosen, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_quota, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_whose, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_for_another, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_changes, cloud_setup, cloud_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
