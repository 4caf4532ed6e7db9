/* SPDX-License-Identifier: Apache-2.0
 * QoS policies: the one that a port has, whose they are, and which rules ports cannot have; and grants of resources. */
#include "cloud.h"
#include "store/network.h"
#include "store/port.h"
#include "store/qos_policy.h"
#include "store/qos_rule.h"

#include "engine/network/network.h"
#include "engine/network/network_grant.h"
#include "engine/network/port/port.h"
#include "engine/network/port/qos_policy.h"

static struct ref ref_of(enum kind kind, uuid id)
{
	return (struct ref){.kind = kind, .prefix = id, .bits = 128};
}

static struct ref make_policy(struct cloud *c, struct identity *who, bool is_default)
{
	struct qos_policy_wish wish = {.name = STR("bw"), .is_default = is_default};
	cloud_ok(c, who, engine_create_qos_policy, &wish);
	return ref_of(KIND_QOS_POLICY, wish.policy);
}

static struct ref make_network(struct cloud *c, struct identity *who, struct qos_choice qos)
{
	struct network_wish wish = {.name = STR("net"), .qos = qos};
	cloud_ok(c, who, engine_create_network, &wish);
	return ref_of(KIND_NETWORK, wish.network);
}

static struct ref make_port(struct cloud *c, struct ref network, struct qos_choice qos)
{
	struct network_port_wish wish = {.network = network, .qos = qos};
	cloud_ok(c, &c->alice, engine_add_port, &wish);
	return ref_of(KIND_PORT, wish.port);
}

static bool has_policy(struct cloud *c, struct ref port, struct ref policy)
{
	const struct tables *t = cloud_tables(c);
	const struct qos_policy *found = engine_get_qos_policy(t, port_find(t, port.prefix));
	return uuid_equal(found ? found->row.id : UUID_NONE, policy.prefix);
}

/* A port's own policy goes before its network's, and that is the account's default unless the call says otherwise. */
static void check_which(void **state)
{
	struct cloud *c = *state;
	struct ref common = make_policy(c, &c->alice, true), own = make_policy(c, &c->alice, false);
	struct ref plain =
		make_port(c, make_network(c, &c->alice, (struct qos_choice){0}), (struct qos_choice){0});
	struct ref none = make_network(c, &c->alice, (struct qos_choice){.is_given = true});
	struct ref port = make_port(c, none, (struct qos_choice){true, own});
	assert_true(has_policy(c, plain, common));
	assert_true(has_policy(c, port, own));
	struct port_settings unset = {.port = port, .qos = {.is_given = true}};
	cloud_ok(c, &c->alice, engine_update_port, &unset);
	assert_true(has_policy(c, port, (struct ref){0}));
	struct network_settings set = {.network = none, .qos = {true, own}};
	cloud_ok(c, &c->alice, engine_update_network, &set);
	assert_true(has_policy(c, port, own));
	struct qos_policy_target target = {own};
	cloud_fails(c, &c->alice, engine_delete_qos_policy, &target, ERR_IN_USE, KIND_QOS_POLICY);
	set.qos = (struct qos_choice){.is_given = true};
	cloud_ok(c, &c->alice, engine_update_network, &set);
	cloud_ok(c, &c->alice, engine_delete_qos_policy, &target);
	struct qos_policy_wish second = {.is_default = true};
	cloud_fails(c, &c->alice, engine_create_qos_policy, &second, ERR_EXISTS, KIND_QOS_POLICY);
	struct qos_policy_settings first = {.policy = common, .is_default = CHOICE_NO};
	cloud_ok(c, &c->alice, engine_update_qos_policy, &first);
	cloud_ok(c, &c->alice, engine_create_qos_policy, &second);
}

static struct qos_rule_wish limit_of(struct ref policy, int64_t kbps)
{
	return (struct qos_rule_wish){.policy = policy,
				      .type = QOS_RULE_TYPE_BANDWIDTH_LIMIT,
				      .values = {.max_kbps = kbps, .has_max_kbps = true}};
}

static struct qos_rule_wish least_of(struct ref policy, int64_t kbps)
{
	return (struct qos_rule_wish){.policy = policy,
				      .type = QOS_RULE_TYPE_MINIMUM_BANDWIDTH,
				      .values = {.min_kbps = kbps, .has_min_kbps = true}};
}

static void check_rules(void **state)
{
	struct cloud *c = *state;
	struct ref policy = make_policy(c, &c->alice, false);
	struct qos_rule_wish limit = limit_of(policy, 100), least = least_of(policy, 101);
	cloud_ok(c, &c->alice, engine_create_qos_rule, &limit);
	cloud_fails(c, &c->alice, engine_create_qos_rule, &limit, ERR_EXISTS, KIND_QOS_RULE);
	limit.values.is_ingress = CHOICE_YES;
	cloud_ok(c, &c->alice, engine_create_qos_rule, &limit);
	cloud_fails(c, &c->alice, engine_create_qos_rule, &least, ERR_CONFLICT, KIND_QOS_RULE);
	least.values.min_kbps = 100;
	cloud_ok(c, &c->alice, engine_create_qos_rule, &least);
	struct qos_rule_settings more = {.rule = ref_of(KIND_QOS_RULE, least.rule),
					 .type = QOS_RULE_TYPE_MINIMUM_BANDWIDTH,
					 .values = {.min_kbps = 200, .has_min_kbps = true}};
	cloud_fails(c, &c->alice, engine_update_qos_rule, &more, ERR_CONFLICT, KIND_QOS_RULE);
	cloud_fails(c, &c->bob, engine_update_qos_rule, &more, ERR_NOT_FOUND, KIND_QOS_RULE);
	more.type = QOS_RULE_TYPE_DSCP_MARKING;
	cloud_fails(c, &c->alice, engine_update_qos_rule, &more, ERR_NOT_FOUND, KIND_QOS_RULE);
	struct qos_rule_wish mark = {.type = QOS_RULE_TYPE_DSCP_MARKING,
				     .policy = policy,
				     .values = {.dscp_mark = 6, .has_dscp_mark = true}};
	cloud_fails(c, &c->alice, engine_create_qos_rule, &mark, ERR_INVALID, KIND_QOS_RULE);
	uint64_t gen = qos_policy_find(cloud_tables(c), policy.prefix)->row.gen;
	struct qos_rule_target target = {.rule = ref_of(KIND_QOS_RULE, least.rule),
					 .type = QOS_RULE_TYPE_MINIMUM_BANDWIDTH};
	cloud_ok(c, &c->alice, engine_delete_qos_rule, &target);
	assert_int_equal(qos_policy_find(cloud_tables(c), policy.prefix)->row.gen,
			 gen + 1); /* wakes its ports */
	struct qos_policy_target all = {policy};
	cloud_ok(c, &c->alice, engine_delete_qos_policy, &all);
	assert_null(qos_rule_find(cloud_tables(c), limit.rule));
}

/* Neither a policy with a minimum bandwidth is given to a port or network, nor a minimum added to the policy of one. */
static void check_minimum(void **state)
{
	struct cloud *c = *state;
	struct ref policy = make_policy(c, &c->alice, false);
	struct ref network = make_network(c, &c->alice, (struct qos_choice){true, policy});
	struct qos_rule_wish least = least_of(policy, 100);
	cloud_fails(c, &c->alice, engine_create_qos_rule, &least, ERR_UNSUPPORTED, KIND_QOS_RULE);
	struct network_settings set = {.network = network, .qos = {.is_given = true}};
	cloud_ok(c, &c->alice, engine_update_network, &set);
	struct ref port = make_port(c, network, (struct qos_choice){true, policy});
	cloud_fails(c, &c->alice, engine_create_qos_rule, &least, ERR_UNSUPPORTED, KIND_QOS_RULE);
	struct port_settings unset = {.port = port, .qos = {.is_given = true}};
	cloud_ok(c, &c->alice, engine_update_port, &unset);
	cloud_ok(c, &c->alice, engine_create_qos_rule, &least);
	set.qos.policy = unset.qos.policy = policy;
	cloud_fails(c, &c->alice, engine_update_network, &set, ERR_UNSUPPORTED, KIND_QOS_RULE);
	cloud_fails(c, &c->alice, engine_update_port, &unset, ERR_UNSUPPORTED, KIND_QOS_RULE);
	struct network_port_wish second = {.network = network, .qos = {true, policy}};
	cloud_fails(c, &c->alice, engine_add_port, &second, ERR_UNSUPPORTED, KIND_QOS_RULE);
	struct qos_policy_settings preset = {.policy = policy, .is_default = CHOICE_YES};
	cloud_ok(c, &c->alice, engine_update_qos_policy, &preset);
	struct network_wish next = {.name = STR("next")};
	cloud_fails(c, &c->alice, engine_create_network, &next, ERR_UNSUPPORTED, KIND_QOS_RULE);
}

/* A port's own policy replaces its network's, so a mere member makes none. */
static void check_managers(void **state)
{
	struct cloud *c = *state;
	struct identity plain = c->alice;
	struct ref policy = make_policy(c, &c->alice, false);
	struct qos_policy_wish wish = {.name = STR("bw")};
	struct qos_rule_wish limit = limit_of(policy, 100);
	plain.rights = RIGHTS_OF_MEMBER;
	cloud_fails(c, &plain, engine_create_qos_policy, &wish, ERR_DENIED, KIND_QOS_POLICY);
	cloud_fails(c, &plain, engine_create_qos_rule, &limit, ERR_DENIED, KIND_QOS_POLICY);
	plain.rights |= RIGHT(MANAGER);
	cloud_ok(c, &plain, engine_create_qos_policy, &wish);
	cloud_ok(c, &plain, engine_create_qos_rule, &limit);
}

/* An account uses what is granted to it, and the grant stays while it does. */
static void check_grants(void **state)
{
	struct cloud *c = *state;
	struct ref policy = make_policy(c, &c->alice, false);
	struct network_wish bobs = {.name = STR("net"), .qos = {true, policy}};
	cloud_fails(c, &c->bob, engine_create_network, &bobs, ERR_NOT_FOUND, KIND_QOS_POLICY);
	struct network_grant_wish grant = {.network = policy,
					   .target = ref_by_id(KIND_ACCOUNT, c->bob.account)};
	cloud_fails(c, &c->bob, engine_grant_network, &grant, ERR_NOT_FOUND, KIND_QOS_POLICY);
	cloud_ok(c, &c->alice, engine_grant_network, &grant);
	uuid first = grant.grant;
	cloud_fails(c, &c->alice, engine_grant_network, &grant, ERR_EXISTS, KIND_NETWORK_GRANT);
	cloud_ok(c, &c->bob, engine_create_network, &bobs);
	struct network_grant_target target = {ref_of(KIND_NETWORK_GRANT, first)};
	cloud_fails(c, &c->alice, engine_revoke_network, &target, ERR_IN_USE, KIND_NETWORK_GRANT);
	struct network_grant_wish all = {.network = policy};
	cloud_ok(c, &c->operator, engine_grant_network, &all);
	cloud_ok(c, &c->alice, engine_revoke_network, &target); /* the grant to all is left */
	target.grant = ref_of(KIND_NETWORK_GRANT, all.grant);
	cloud_fails(c, &c->operator, engine_revoke_network, &target, ERR_IN_USE, KIND_NETWORK_GRANT);
	struct network_grant_settings narrowed = {.grant = target.grant, .target = grant.target};
	cloud_fails(c, &c->operator, engine_change_network_grant, &narrowed, ERR_IN_USE, KIND_NETWORK_GRANT);
	struct network_settings set = {.network = ref_of(KIND_NETWORK, bobs.network),
				       .qos = {.is_given = true}};
	cloud_ok(c, &c->bob, engine_update_network, &set);
	cloud_ok(c, &c->operator, engine_revoke_network, &target);
	set.qos.policy = policy;
	cloud_fails(c, &c->bob, engine_update_network, &set, ERR_NOT_FOUND, KIND_QOS_POLICY);
}

/* A policy that an administrator has given is not the owner's to take away, unless the owner may use it. */
static void check_operators(void **state)
{
	struct cloud *c = *state;
	struct qos_policy_wish wish = {.name = STR("gold"),
				       .account = ref_by_id(KIND_ACCOUNT, c->bob.account)};
	cloud_ok(c, &c->operator, engine_create_qos_policy, &wish);
	struct ref policy = ref_of(KIND_QOS_POLICY, wish.policy);
	struct ref network = make_network(c, &c->alice, (struct qos_choice){0});
	struct network_settings set = {.network = network, .qos = {true, policy}};
	cloud_ok(c, &c->operator, engine_update_network, &set);
	set.qos.policy = (struct ref){0};
	cloud_fails(c, &c->alice, engine_update_network, &set, ERR_DENIED, KIND_QOS_POLICY);
	struct qos_policy_settings share = {.policy = policy, .is_shared = CHOICE_YES};
	cloud_fails(c, &c->bob, engine_update_qos_policy, &share, ERR_DENIED, KIND_QOS_POLICY);
	cloud_ok(c, &c->operator, engine_update_qos_policy, &share);
	struct network_grant_wish again = {.network = policy}; /* sharing has made the grant to all */
	cloud_fails(c, &c->operator, engine_grant_network, &again, ERR_EXISTS, KIND_NETWORK_GRANT);
	share.is_shared = CHOICE_NO;
	cloud_fails(c, &c->operator, engine_update_qos_policy, &share, ERR_IN_USE, KIND_NETWORK_GRANT);
	cloud_ok(c, &c->alice, engine_update_network, &set);
	cloud_ok(c, &c->operator, engine_update_qos_policy, &share);
	cloud_ok(c, &c->operator, engine_grant_network, &again);
	struct network_grant_target revoke = {ref_of(KIND_NETWORK_GRANT, again.grant)};
	cloud_ok(c, &c->operator, engine_revoke_network, &revoke);
	set.qos.policy = policy;
	cloud_fails(c, &c->alice, engine_update_network, &set, ERR_NOT_FOUND, KIND_QOS_POLICY);
}

static int setup(void **state)
{
	int failed = cloud_setup(state);
	struct cloud *c = *state;
	if (!failed)
		c->alice.rights |= RIGHT(MANAGER);
	return failed;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(check_which, setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_rules, setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_minimum, setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_managers, setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_grants, setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_operators, setup, cloud_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
