/* SPDX-License-Identifier: Apache-2.0
 * Accounts, their owners, keys and limits; default VPCs; key pairs; who may do what. */
#include "cloud.h"
#include "store/access_key.h"
#include "store/account.h"
#include "store/gateway.h"
#include "store/key_pair.h"
#include "store/network.h"
#include "store/route.h"
#include "store/route_table.h"
#include "store/router.h"
#include "store/security_group.h"
#include "store/security_group_rule.h"
#include "store/subnet.h"
#include "store/user.h"

static void check_create(void **state)
{
	struct cloud *c = *state;
	const struct tables *t = cloud_tables(c);
	const struct account *account = account_find(t, c->alice.account);
	assert_int_equal(account->number.n, 12);
	assert_true(account->number.p[0] != '0');
	assert_true(account->enabled);
	const struct user *user = user_find(t, c->alice.user);
	assert_true(user->is_owner && str_is(user->name, "root"));
	const struct access_key *key = access_key_find_by_key_id(t, STR("AKIAALICE"));
	assert_true(key->enabled && uuid_equal(key->user, user->row.id) &&
		    uuid_equal(key->account, account->row.id));

	struct account_wish wish = {.name = STR("alice")};
	cloud_fails(c, &c->operator, engine_create_account, &wish, ERR_EXISTS, KIND_ACCOUNT);
	wish.name = STR_NONE;
	cloud_fails(c, &c->operator, engine_create_account, &wish, ERR_INVALID, KIND_ACCOUNT);
	wish.name = STR("carol");
	cloud_fails(c, &c->alice, engine_create_account, &wish, ERR_DENIED, KIND_DOMAIN);
	cloud_ok(c, NULL, engine_create_account, &wish);
	assert_true(uuid_is_none(account_find(t, wish.account)->default_router));
	/* The access key's id exists already: no row of the account is created. */
	struct access_key taken = {.row.id = uuid_random(), .key_id = STR("AKIABOB")};
	struct account_wish other = {.name = STR("dave"), .key = &taken, .with_default_router = true};
	cloud_fails(c, &c->operator, engine_create_account, &other, ERR_EXISTS, KIND_ACCESS_KEY);
}

static void check_default_router(void **state)
{
	struct cloud *c = *state;
	const struct tables *t = cloud_tables(c);
	const struct router *router = router_find(t, c->alice_router);
	assert_true(router->is_default && router->dns_support && router->dns_hostnames);
	assert_true(cidr_equal(router->blocks.at[0], cidr_of("172.31.0.0/16")));
	assert_true(uuid_equal(account_find(t, c->alice.account)->default_router, router->row.id));
	assert_true(router->metadata_mark > 0);
	assert_true(router->metadata_mark != router_find(t, c->bob_router)->metadata_mark);

	size_t subnets = 0;
	for (const struct subnet *s = subnet_first_by_router(t, router->row.id); s;
	     s = subnet_next_by_router(t, s)) {
		assert_true(s->is_default && s->public_on_launch && s->block.bits == 20);
		assert_true(ip_equal(s->gateway_ip, ip_add(s->block.base, 1)) &&
			    !mac_is_none(s->gateway_mac));
		assert_int_equal(network_find(t, s->network)->mtu, 1442);
		assert_int_equal(engine_count_free_addresses(s), 4091);
		subnets++;
	}
	assert_int_equal(subnets, 2);

	const struct route_table *table = route_table_find(t, router->main_route_table);
	assert_false(uuid_is_none(table->main_association));
	const struct gateway *gateway = gateway_first_by_router(t, router->row.id);
	assert_true(uuid_equal(gateway->external_network, c->external_network) && !ip_is_none(gateway->ip));
	assert_true(uuid_equal(route_find_by_table(t, table->row.id, cidr_of("0.0.0.0/0"))->gateway,
			       gateway->row.id));
	assert_false(ip_equal(gateway->ip, gateway_first_by_router(t, c->bob_router)->ip));

	const struct security_group *group = security_group_find(t, router->default_group);
	assert_true(group->is_default && str_is(group->name, "default"));
	size_t rules = 0;
	const struct security_group_rule *rule = security_group_rule_first_by_group(t, group->row.id);
	for (; rule; rule = security_group_rule_next_by_group(t, rule), rules++) {
		assert_int_equal(rule->protocol, -1);
		if (rule->direction == SECURITY_GROUP_RULE_DIRECTION_INGRESS)
			assert_true(uuid_equal(rule->peer_group, group->row.id));
		else
			assert_true(cidr_equal(rule->peer_block, cidr_of("0.0.0.0/0")));
	}
	assert_int_equal(rules, 2);

	struct default_router_wish again = {0};
	cloud_fails(c, &c->alice, engine_create_default_router, &again, ERR_EXISTS, KIND_ROUTER);
	struct account_wish carol = {.name = STR("carol")};
	cloud_ok(c, &c->operator, engine_create_account, &carol);
	struct identity who = {.account = carol.account, .rights = RIGHTS_OF_MEMBER};
	cloud_ok(c, &who, engine_create_default_router, &again);
	assert_true(router_find(t, again.router)->is_default);
	cloud_fails(c, NULL, engine_create_default_router, &again, ERR_INVALID, KIND_ACCOUNT);
}

/* A region without an external network: gateways are led out when one is added. */
static void check_later_network(void **state)
{
	(void) state;
	static struct cloud c;
	cloud_init(&c);
	struct region_wish region = {.name = STR("home")};
	cloud_ok(&c, NULL, engine_bootstrap_region, &region);
	struct account_wish account = {.name = STR("alice"), .with_default_router = true};
	cloud_ok(&c, NULL, engine_create_account, &account);
	const struct gateway *gateway = gateway_first_by_router(cloud_tables(&c), account.router);
	assert_true(uuid_is_none(gateway->external_network) && ip_is_none(gateway->ip));
	struct external_network_wish network = {.name = STR("internet"),
						.physical_network = STR("physnet1"),
						.next_hop = ip_of("203.0.113.1"),
						.infra_first = ip_of("203.0.113.2"),
						.infra_last = ip_of("203.0.113.2")};
	cloud_ok(&c, NULL, engine_add_external_network, &network);
	gateway = gateway_first_by_router(cloud_tables(&c), account.router);
	assert_true(uuid_equal(gateway->external_network, network.external_network));
	assert_true(ip_equal(gateway->ip, ip_of("203.0.113.2")));
	assert_int_equal(gateway->row.gen, 2);
	/* Without a free infrastructure address, the next account's gateway has no external network. */
	struct account_wish second = {.name = STR("bob"), .with_default_router = true};
	cloud_ok(&c, NULL, engine_create_account, &second);
	assert_true(uuid_is_none(gateway_first_by_router(cloud_tables(&c), second.router)->external_network));
	cloud_done(&c);
}

static void check_enable(void **state)
{
	struct cloud *c = *state;
	struct account_change wish = {.account = ref_named(KIND_ACCOUNT, "alice"), .enabled = CHOICE_NO};
	cloud_fails(c, &c->alice, engine_update_account, &wish, ERR_DENIED, KIND_ACCOUNT);
	cloud_ok(c, &c->operator, engine_update_account, &wish);
	struct key_pair_wish key = {.name = STR("k")};
	cloud_fails(c, &c->alice, engine_create_key_pair, &key, ERR_DENIED, KIND_ACCOUNT);
	wish.enabled = CHOICE_YES;
	cloud_ok(c, &c->operator, engine_update_account, &wish);
	cloud_ok(c, &c->alice, engine_create_key_pair, &key);
	wish.account = ref_named(KIND_ACCOUNT, "nobody");
	cloud_fails(c, &c->operator, engine_update_account, &wish, ERR_NOT_FOUND, KIND_ACCOUNT);
}

static void check_limits(void **state)
{
	struct cloud *c = *state;
	struct account_limits wish = account_limits_all(ref_named(KIND_ACCOUNT, "alice"), ACCOUNT_LIMIT_KEEP);
	wish.instances = 3;
	wish.vcpus = -1;
	wish.routers = 1;
	cloud_ok(c, &c->operator, engine_set_limits, &wish);
	const struct account *account = account_find(cloud_tables(c), c->alice.account);
	assert_int_equal(account->limit_instances, 3);
	assert_int_equal(account->limit_vcpus, -1);
	assert_int_equal(account->limit_volumes, 1000);
	cloud_fails(c, &c->alice, engine_set_limits, &wish, ERR_DENIED, KIND_ACCOUNT);
	struct router_wish router = {.block = cidr_of("10.0.0.0/16")};
	cloud_fails(c, &c->alice, engine_create_router, &router, ERR_QUOTA, KIND_ROUTER);
	cloud_ok(c, &c->bob, engine_create_router, &router);
}

static void check_access_keys(void **state)
{
	struct cloud *c = *state;
	const struct tables *t = cloud_tables(c);
	struct access_key key = {.row.id = uuid_random(), .key_id = STR("AKIASECOND"), .secret = STR("s")};
	struct access_key_wish wish = {.user = ref_to(c, KIND_USER, c->alice.user), .key = &key};
	cloud_fails(c, &c->bob, engine_create_access_key, &wish, ERR_NOT_FOUND, KIND_USER);
	cloud_ok(c, &c->alice, engine_create_access_key, &wish);
	struct access_key_change renaming = {.key = key.row.id, .key_id = STR("AKIATHIRD")};
	cloud_ok(c, &c->alice, engine_change_access_key, &renaming);
	assert_true(str_is(access_key_find_by_key_id(t, renaming.key_id)->secret, "s"));
	renaming.key_id = STR("AKIASECOND");
	cloud_ok(c, &c->alice, engine_change_access_key, &renaming);
	struct access_key_target target = {.key_id = STR("AKIASECOND"), .enabled = false};
	cloud_fails(c, &c->bob, engine_enable_access_key, &target, ERR_NOT_FOUND, KIND_ACCESS_KEY);
	cloud_ok(c, &c->alice, engine_enable_access_key, &target);
	assert_false(access_key_find_by_key_id(t, target.key_id)->enabled);
	cloud_ok(c, &c->alice, engine_delete_access_key, &target);
	assert_null(access_key_find_by_key_id(t, target.key_id));
	cloud_fails(c, &c->alice, engine_delete_access_key, &target, ERR_NOT_FOUND, KIND_ACCESS_KEY);
	key.row.id = UUID_NONE;
	cloud_fails(c, &c->alice, engine_create_access_key, &wish, ERR_INVALID, KIND_ACCESS_KEY);
}

/* An id that the caller chooses, as in Keystone's "ec2" credentials. */
static void check_told_ids(void **state)
{
	static const char *const bad[] = {"ASIATEMPORARY", "a/b", "a b", "a:b"};
	struct cloud *c = *state;
	struct access_key key = {.row.id = uuid_random(), .key_id = STR("a-b_c.d@e+f1"), .secret = STR("s")};
	struct access_key_wish wish = {
		.user = ref_to(c, KIND_USER, c->alice.user), .key = &key, .is_told = true};
	cloud_ok(c, &c->alice, engine_create_access_key, &wish);
	struct access_key_change renaming = {.key = key.row.id};
	for (size_t n = 0; n < sizeof bad / sizeof *bad; n++) {
		renaming.key_id = str_from(bad[n]);
		cloud_fails(c, &c->alice, engine_change_access_key, &renaming, ERR_INVALID, KIND_ACCESS_KEY);
	}
	renaming.key_id = STR("AKIABOB"); /* another account's */
	cloud_fails(c, &c->alice, engine_change_access_key, &renaming, ERR_EXISTS, KIND_ACCESS_KEY);
	renaming.key_id = key.key_id; /* its own */
	cloud_ok(c, &c->alice, engine_change_access_key, &renaming);
}

/* A member's keys are in reach of others in the account; the owner's are not. */
static void check_reach_of_keys(void **state)
{
	struct cloud *c = *state;
	struct identity member = c->alice;
	member.user = uuid_random();
	member.is_owner = false;
	struct access_key_target target = {.key_id = STR("AKIAALICE"), .enabled = false};
	cloud_fails(c, &member, engine_enable_access_key, &target, ERR_NOT_FOUND, KIND_ACCESS_KEY);
	cloud_fails(c, &member, engine_delete_access_key, &target, ERR_NOT_FOUND, KIND_ACCESS_KEY);
	assert_true(access_key_find_by_key_id(cloud_tables(c), target.key_id)->enabled);
}

static void check_key_pairs(void **state)
{
	struct cloud *c = *state;
	struct key_pair_wish wish = {.name = STR("key"), .public_key = STR("ssh-rsa B")};
	cloud_fails(c, &c->alice, engine_create_key_pair, &wish, ERR_EXISTS, KIND_KEY_PAIR);
	cloud_ok(c, &c->bob, engine_create_key_pair, &wish);
	uuid bobs = wish.key_pair;
	/* Bob's is not Alice's to delete, by name or by id: a success that deletes nothing. */
	struct key_pair_target target = {.key_pair = ref_to(c, KIND_KEY_PAIR, bobs)};
	cloud_ok(c, &c->alice, engine_delete_key_pair, &target);
	assert_true(uuid_is_none(target.deleted));
	assert_non_null(key_pair_find(cloud_tables(c), bobs));
	target.key_pair = ref_named(KIND_KEY_PAIR, "key");
	cloud_ok(c, &c->alice, engine_delete_key_pair, &target);
	assert_false(uuid_is_none(target.deleted));
	cloud_ok(c, &c->alice, engine_delete_key_pair, &target);
	assert_true(uuid_is_none(target.deleted));
	wish.name = STR_NONE;
	cloud_fails(c, &c->alice, engine_create_key_pair, &wish, ERR_INVALID, KIND_KEY_PAIR);
	/* Only an administrator makes and deletes key pairs of another user. */
	wish = (struct key_pair_wish){
		.name = STR("k2"), .public_key = STR("ssh-rsa B"), .user = ref_by_id(KIND_USER, c->bob.user)};
	cloud_fails(c, &c->alice, engine_create_key_pair, &wish, ERR_DENIED, KIND_KEY_PAIR);
	cloud_ok(c, &c->operator, engine_create_key_pair, &wish);
	target = (struct key_pair_target){.key_pair = ref_named(KIND_KEY_PAIR, "k2"), .user = wish.user};
	cloud_fails(c, &c->alice, engine_delete_key_pair, &target, ERR_DENIED, KIND_KEY_PAIR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(check_create, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_default_router, cloud_setup, cloud_teardown),
		cmocka_unit_test(check_later_network),
		cmocka_unit_test_setup_teardown(check_enable, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_limits, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_access_keys, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_told_ids, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_reach_of_keys, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_key_pairs, cloud_setup, cloud_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
