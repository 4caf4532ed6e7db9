/* SPDX-License-Identifier: Apache-2.0
 * Address scopes: which pools may be in one, and which subnets in one network. */
#include "cloud.h"
#include "store/address_scope.h"
#include "store/subnet_pool.h"

#include "engine/network/address_scope.h"
#include "engine/network/network.h"
#include "engine/network/network_grant.h"
#include "engine/network/subnet.h"
#include "engine/network/subnet_pool.h"

static struct ref ref_of(enum kind kind, uuid id)
{
	return (struct ref){.kind = kind, .prefix = id, .bits = 128};
}

static struct ref make_scope(struct cloud *c, struct identity *who, bool is_shared)
{
	struct address_scope_wish wish = {.name = STR("scope"), .is_shared = is_shared};
	cloud_ok(c, who, engine_create_address_scope, &wish);
	return ref_of(KIND_ADDRESS_SCOPE, wish.scope);
}

static struct subnet_pool_wish pool_of(const struct cidr *prefix, struct ref scope)
{
	return (struct subnet_pool_wish){
		.name = STR("pool"), .prefixes = {prefix, 1}, .default_bits = 24, .scope = {true, scope}};
}

static void check_pools(void **state)
{
	struct cloud *c = *state;
	const struct cidr block = cidr_of("10.20.0.0/16"), part = cidr_of("10.20.8.0/22");
	const struct cidr six = cidr_of("2001:db8::/48");
	struct ref scope = make_scope(c, &c->alice, false);
	struct subnet_pool_wish first = pool_of(&block, scope), second = pool_of(&part, scope);
	struct subnet_pool_wish other = pool_of(&six, scope);
	other.default_bits = 64;
	cloud_fails(c, &c->bob, engine_create_subnet_pool, &first, ERR_NOT_FOUND, KIND_ADDRESS_SCOPE);
	cloud_ok(c, &c->alice, engine_create_subnet_pool, &first);
	cloud_fails(c, &c->alice, engine_create_subnet_pool, &second, ERR_CONFLICT, KIND_ADDRESS_SCOPE);
	cloud_fails(c, &c->alice, engine_create_subnet_pool, &other, ERR_INVALID, KIND_ADDRESS_SCOPE);
	struct address_scope_target target = {scope};
	cloud_fails(c, &c->alice, engine_delete_address_scope, &target, ERR_IN_USE, KIND_ADDRESS_SCOPE);
	struct subnet_pool_settings leave = {.pool = ref_of(KIND_SUBNET_POOL, first.pool),
					     .scope = {.is_given = true}};
	cloud_ok(c, &c->alice, engine_update_subnet_pool, &leave);
	cloud_ok(c, &c->alice, engine_create_subnet_pool, &second);
	leave.scope.scope = scope;
	cloud_fails(c, &c->alice, engine_update_subnet_pool, &leave, ERR_CONFLICT, KIND_ADDRESS_SCOPE);
	struct subnet_pool_target pool = {ref_of(KIND_SUBNET_POOL, second.pool)};
	cloud_ok(c, &c->alice, engine_delete_subnet_pool, &pool);
	cloud_ok(c, &c->alice, engine_delete_address_scope, &target);
}

static struct network_subnet_wish subnet_of(struct ref network, struct ref pool)
{
	return (struct network_subnet_wish){.network = network, .pool = pool};
}

/* Subnets of a network are in one scope, also when their pool changes its own. */
static void check_networks(void **state)
{
	struct cloud *c = *state;
	const struct cidr block = cidr_of("10.20.0.0/16"), free_block = cidr_of("10.30.0.0/16");
	struct ref scope = make_scope(c, &c->alice, false);
	struct subnet_pool_wish scoped = pool_of(&block, scope),
				plain = pool_of(&free_block, (struct ref){0});
	cloud_ok(c, &c->alice, engine_create_subnet_pool, &scoped);
	cloud_ok(c, &c->alice, engine_create_subnet_pool, &plain);
	struct network_wish wish = {.name = STR("net")};
	cloud_ok(c, &c->alice, engine_create_network, &wish);
	struct ref network = ref_of(KIND_NETWORK, wish.network);
	struct network_subnet_wish first = subnet_of(network, ref_of(KIND_SUBNET_POOL, plain.pool));
	struct network_subnet_wish second = subnet_of(network, ref_of(KIND_SUBNET_POOL, scoped.pool));
	cloud_ok(c, &c->alice, engine_add_subnet, &first);
	cloud_fails(c, &c->alice, engine_add_subnet, &second, ERR_COMBINATION, KIND_ADDRESS_SCOPE);
	struct subnet_pool_settings leave = {.pool = ref_of(KIND_SUBNET_POOL, scoped.pool),
					     .scope = {.is_given = true}};
	cloud_ok(c, &c->alice, engine_update_subnet_pool, &leave);
	cloud_ok(c, &c->alice, engine_add_subnet, &second);
	leave.scope.scope = scope;
	cloud_fails(c, &c->alice, engine_update_subnet_pool, &leave, ERR_COMBINATION, KIND_ADDRESS_SCOPE);
}

static void check_shared(void **state)
{
	struct cloud *c = *state;
	const struct cidr block = cidr_of("10.20.0.0/16");
	struct address_scope_wish denied = {.is_shared = true};
	cloud_fails(c, &c->alice, engine_create_address_scope, &denied, ERR_DENIED, KIND_ADDRESS_SCOPE);
	struct address_scope_wish wish = {.is_shared = true,
					  .account = ref_by_id(KIND_ACCOUNT, c->bob.account)};
	cloud_ok(c, &c->operator, engine_create_address_scope, &wish);
	struct ref scope = ref_of(KIND_ADDRESS_SCOPE, wish.scope);
	struct subnet_pool_wish pool = pool_of(&block, scope);
	cloud_ok(c, &c->alice, engine_create_subnet_pool, &pool);
	struct str name = STR("other");
	struct subnet_pool_settings rename = {.pool = ref_of(KIND_SUBNET_POOL, pool.pool), .name = &name};
	cloud_fails(c, &c->alice, engine_update_subnet_pool, &rename, ERR_DENIED, KIND_ADDRESS_SCOPE);
	struct address_scope_settings end = {.scope = scope, .is_shared = CHOICE_NO};
	cloud_fails(c, &c->operator, engine_update_address_scope, &end, ERR_PROTECTED, KIND_ADDRESS_SCOPE);
}

/* A pool in a scope is granted to whoever may use the scope. */
static void check_granted(void **state)
{
	struct cloud *c = *state;
	const struct cidr block = cidr_of("10.20.0.0/16");
	struct ref scope = make_scope(c, &c->alice, false), bob = ref_by_id(KIND_ACCOUNT, c->bob.account);
	struct subnet_pool_wish pool = pool_of(&block, scope);
	cloud_ok(c, &c->alice, engine_create_subnet_pool, &pool);
	struct network_grant_wish wish = {.network = ref_of(KIND_SUBNET_POOL, pool.pool), .target = bob};
	cloud_fails(c, &c->alice, engine_grant_network, &wish, ERR_INVALID, KIND_NETWORK);
	struct network_grant_wish of_scope = {.network = scope, .target = bob};
	cloud_ok(c, &c->alice, engine_grant_network, &of_scope);
	cloud_ok(c, &c->alice, engine_grant_network, &wish);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(check_pools, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_networks, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_shared, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_granted, cloud_setup, cloud_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
