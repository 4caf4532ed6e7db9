/* SPDX-License-Identifier: Apache-2.0
 * QoS policies: their rules reach the ports that have them, and those of a network that has one, when the policy is given and when a
 * rule changes. */
#include "../cloud/applied.h"
#include "../cloud/cloud.h"
#include "model/qos_rule.h"

#include "engine/network/network.h"
#include "engine/network/port/port.h"
#include "engine/network/port/qos_policy.h"

enum { SEEDS = 3 };

static bool is_told(struct cloud *c, uuid port, const char *what)
{
	char id[UUID_TEXT_SIZE];
	struct str reported = applied_read(c->arena), line;
	struct str head = str_print(c->arena, "port %s ", uuid_write(port, id));
	while (str_split_next(&reported, '\n', &line))
		if (str_starts_with(line, head) && str_contains(line, str_from(what)))
			return true;
	return false;
}

static struct ref make_policy(struct cloud *c, int64_t kbps, uuid *ret_rule)
{
	struct qos_policy_wish wish = {.name = STR("bw")};
	c->alice.rights |= RIGHT(MANAGER);
	cloud_ok(c, &c->alice, engine_create_qos_policy, &wish);
	struct qos_rule_wish limit = {.policy = cloud_ref(c, KIND_QOS_POLICY, wish.policy),
				      .type = QOS_RULE_TYPE_BANDWIDTH_LIMIT,
				      .values = {.max_kbps = kbps, .has_max_kbps = true}};
	cloud_ok(c, &c->alice, engine_create_qos_rule, &limit);
	*ret_rule = limit.rule;
	return limit.policy;
}

static void own_policy(struct cloud *c, uuid port)
{
	uuid rule;
	struct ref policy = make_policy(c, 1000, &rule);
	struct port_settings set = {.port = cloud_ref(c, KIND_PORT, port), .qos = {true, policy}};
	cloud_ok(c, &c->alice, engine_update_port, &set);
	cloud_settle(c);
	assert_true(is_told(c, port, "at most 1000 kbit/s"));
	struct qos_rule_settings change = {.rule = cloud_ref(c, KIND_QOS_RULE, rule),
					   .type = QOS_RULE_TYPE_BANDWIDTH_LIMIT,
					   .values = {.max_kbps = 2000, .has_max_kbps = true}};
	cloud_ok(c, &c->alice, engine_update_qos_rule, &change);
	struct qos_rule_wish mark = {.policy = policy,
				     .type = QOS_RULE_TYPE_DSCP_MARKING,
				     .values = {.dscp_mark = 26, .has_dscp_mark = true}};
	cloud_ok(c, &c->alice, engine_create_qos_rule, &mark);
	cloud_settle(c);
	assert_true(is_told(c, port, "at most 2000 kbit/s dscp 26"));
	set.qos = (struct qos_choice){.is_given = true};
	cloud_ok(c, &c->alice, engine_update_port, &set);
	cloud_settle(c);
	assert_false(is_told(c, port, "dscp"));
}

static void qos(struct cloud *c)
{
	struct network_wish network = {.name = STR("net")};
	cloud_ok(c, &c->alice, engine_create_network, &network);
	struct network_port_wish port = {.network = cloud_ref(c, KIND_NETWORK, network.network)};
	cloud_ok(c, &c->alice, engine_add_port, &port);
	cloud_settle(c);
	own_policy(c, port.port);
	uuid rule;
	struct ref common = make_policy(c, 3000, &rule);
	struct network_settings set = {.network = port.network, .qos = {true, common}};
	cloud_ok(c, &c->alice, engine_update_network, &set);
	cloud_settle(c);
	assert_true(is_told(c, port.port, "at most 3000 kbit/s"));
	struct qos_rule_settings inwards = {.rule = cloud_ref(c, KIND_QOS_RULE, rule),
					    .type = QOS_RULE_TYPE_BANDWIDTH_LIMIT,
					    .values = {.is_ingress = CHOICE_YES}};
	cloud_ok(c, &c->alice, engine_update_qos_rule, &inwards);
	cloud_settle(c);
	assert_true(is_told(c, port.port, "inwards at most 3000 kbit/s"));
	set.qos = (struct qos_choice){.is_given = true};
	cloud_ok(c, &c->alice, engine_update_network, &set);
	cloud_settle(c);
	assert_false(is_told(c, port.port, "kbit/s"));
}
TEST_STORY(qos, 1)

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_qos)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
