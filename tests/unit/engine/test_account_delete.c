/* SPDX-License-Identifier: Apache-2.0
 * Deletion of an account: rows that cost money refuse it, and all other rows of the account go with it. Also
 * access keys whose id and secret the caller chose. */
#include "cloud.h"

#include "engine/events/events.h"
#include "engine/instance/launch/launch_template.h"
#include "engine/instance/placement/server_group.h"
#include "engine/instance/user_data.h"
#include "engine/messaging/messaging.h"
#include "engine/network/address/address_prefix.h"
#include "engine/network/address_scope.h"
#include "engine/network/dhcp_options.h"
#include "engine/network/filter/address_group.h"
#include "engine/network/network.h"
#include "engine/network/network_grant.h"
#include "engine/network/port/qos_policy.h"
#include "engine/network/routing/gateway.h"
#include "engine/network/subnet_pool.h"
#include "engine/people/account/account_purge.h"
#include "engine/people/account/account_user.h"
#include "engine/people/policy/arm_rights.h"
#include "engine/people/policy/iam_role.h"
#include "engine/people/policy/policy.h"
#include "engine/people/policy/role.h"
#include "engine/people/user.h"
#include "engine/remote/provider.h"
#include "engine/resource_group.h"
#include "engine/storage/volume/volume_group.h"
#include "engine/support/ticket.h"
#include "engine/virtual/balancer_set.h"
#include "engine/virtual/port_policy.h"
#include "engine/virtual/route_plan.h"
#include "model/domain.h"
#include "model/provider.h"
#include "model/qos_rule.h"
#include "store/access_key.h"
#include "store/account.h"
#include "store/user.h"

#define ALLOW_ALL                                                                                            \
	"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*" \
	"\"}]}"

/* An account without a VPC. */
static struct identity make_carol(struct cloud *c)
{
	struct account_wish wish = {.name = STR("carol")};
	cloud_ok(c, &c->operator, engine_create_account, &wish);
	return (struct identity){.scope = IDENTITY_ACCOUNT,
				 .rights = RIGHTS_OF_MEMBER,
				 .account = wish.account,
				 .domain = DOMAIN_DEFAULT,
				 .user = wish.user,
				 .account_number = wish.number,
				 .user_name = STR("root"),
				 .is_owner = true};
}

static void fill_network(struct cloud *c, const struct identity *who)
{
	const struct cidr block = cidr_of("10.8.0.0/16");
	struct gateway_wish gateway = {0};
	struct address_group_wish addresses = {.name = STR("list"), .addresses = {&block, 1}};
	struct dhcp_options_wish dhcp = {0};
	struct subnet_pool_wish pool = {.name = STR("pool"), .prefixes = {&block, 1}, .default_bits = 24};
	struct port_policy_wish policy = {.name = STR("policy")};
	struct port_set_wish set = {.name = STR("set")};
	struct route_plan_wish plan = {.name = STR("plan")};
	struct balancer_set_wish balancer = {.name = STR("balancer")};
	cloud_ok(c, who, engine_create_gateway, &gateway);
	cloud_ok(c, who, engine_create_address_group, &addresses);
	cloud_ok(c, who, engine_create_dhcp_options, &dhcp);
	cloud_ok(c, who, engine_create_subnet_pool, &pool);
	cloud_ok(c, who, engine_create_port_policy, &policy);
	cloud_ok(c, who, engine_create_port_set, &set);
	cloud_ok(c, who, engine_create_route_plan, &plan);
	cloud_ok(c, who, engine_put_balancer_set, &balancer);
	struct port_policy_rule_wish rule = {.policy = ref_by_id(KIND_PORT_POLICY, policy.policy),
					     .name = STR("rule"),
					     .priority = 100,
					     .protocol = -1};
	struct route_plan_entry_wish entry = {.plan = ref_by_id(KIND_ROUTE_PLAN, plan.plan),
					      .name = STR("entry"),
					      .destination = block,
					      .hop = ROUTE_PLAN_ENTRY_HOP_NONE};
	cloud_ok(c, who, engine_put_port_policy_rule, &rule);
	cloud_ok(c, who, engine_put_route_plan_entry, &entry);
}

/* A QoS policy, and a scope with a pool, which another account may use. */
static void fill_shared(struct cloud *c, const struct identity *who)
{
	const struct cidr block = cidr_of("10.9.0.0/16");
	struct qos_policy_wish policy = {.name = STR("policy")};
	struct address_scope_wish scope = {.name = STR("scope")};
	cloud_ok(c, who, engine_create_qos_policy, &policy);
	cloud_ok(c, who, engine_create_address_scope, &scope);
	struct qos_rule_wish rule = {.policy = ref_by_id(KIND_QOS_POLICY, policy.policy),
				     .type = QOS_RULE_TYPE_BANDWIDTH_LIMIT,
				     .values = {.max_kbps = 1000, .has_max_kbps = true}};
	struct subnet_pool_wish pool = {.name = STR("scoped"),
					.prefixes = {&block, 1},
					.default_bits = 24,
					.scope = {true, ref_by_id(KIND_ADDRESS_SCOPE, scope.scope)}};
	struct network_grant_wish of_policy = {.network = rule.policy,
					       .target = ref_by_id(KIND_ACCOUNT, c->bob.account)};
	struct network_grant_wish of_scope = {.network = pool.scope.scope, .target = of_policy.target};
	cloud_ok(c, who, engine_create_qos_rule, &rule);
	cloud_ok(c, who, engine_create_subnet_pool, &pool);
	cloud_ok(c, who, engine_grant_network, &of_policy);
	cloud_ok(c, who, engine_grant_network, &of_scope);
}

static void fill_people(struct cloud *c, const struct identity *who)
{
	struct account_user_wish user = {.name = STR("dave")};
	struct account_group_wish group = {.name = STR("admins")};
	struct iam_role_wish role = {.name = STR("role"), .trust = STR(ALLOW_ALL)};
	struct policy_wish policy = {.name = STR("all"), .document = STR(ALLOW_ALL)};
	struct access_key key = {
		.row.id = id_new(KIND_ACCESS_KEY), .key_id = STR("AKIADAVE"), .secret = STR("sealed")};
	struct arm_definition reader;
	assert_true(engine_get_builtin_role(0, &reader));
	cloud_ok(c, who, engine_create_account_user, &user);
	cloud_ok(c, who, engine_create_account_group, &group);
	cloud_ok(c, who, engine_create_iam_role, &role);
	cloud_ok(c, who, engine_create_policy, &policy);
	struct access_key_wish own = {.user = ref_by_id(KIND_USER, user.user), .key = &key};
	struct policy_attachment_wish attach = {.policy = ref_by_id(KIND_POLICY, policy.policy),
						.user_group = ref_by_id(KIND_USER_GROUP, group.user_group)};
	struct arm_assignment_wish assign = {
		.id = uuid_random(), .principal = user.user, .definition = reader.id, .scope = STR("/")};
	struct arm_role_wish custom = {
		.id = uuid_random(), .name = STR("Mine"), .permissions = STR("[]"), .scopes = STR("[]")};
	cloud_ok(c, who, engine_create_access_key, &own);
	cloud_ok(c, who, engine_attach_policy, &attach);
	cloud_ok(c, who, engine_create_arm_assignment, &assign);
	cloud_ok(c, who, engine_put_arm_role, &custom);
}

/* A rule with a schedule, and a target whose queue is gone, since queues would keep the account. */
static void fill_events(struct cloud *c, const struct identity *who)
{
	struct queue_wish queue = {.row.name = STR("events")};
	struct event_rule_wish rule = {.row = {.name = STR("rule"),
					       .pattern = STR("{\"source\":[\"x\"]}"),
					       .schedule = STR("rate(1 minute)")}};
	cloud_ok(c, who, engine_create_queue, &queue);
	cloud_ok(c, who, engine_put_event_rule, &rule);
	struct event_target_wish target = {.row.name = STR("target")};
	struct event_targets_wish targets = {ref_by_id(KIND_EVENT_RULE, rule.made), &target, 1};
	struct queue_target gone = {ref_by_id(KIND_QUEUE, queue.made)};
	target.row.arn =
		engine_find_queue_arn(cloud_tables(c), c->arena, queue_find(cloud_tables(c), queue.made));
	cloud_ok(c, who, engine_put_event_targets, &targets);
	assert_null(target.code);
	cloud_ok(c, who, engine_delete_queue, &gone);
}

static void fill_others(struct cloud *c, const struct identity *who)
{
	struct user_data_wish data = {.name = STR("data"), .data = STR("#!/bin/sh")};
	struct launch_template_wish launch = {.name = STR("template"), .data = STR("{}")};
	struct server_group_wish servers = {.name = STR("servers"), .policy = SERVER_GROUP_POLICY_AFFINITY};
	struct key_pair_wish pair = {.name = STR("pair"), .public_key = STR("ssh-rsa B")};
	struct resource_group_wish group = {.name = STR("group")};
	struct ticket_wish ticket = {.subject = STR("It hangs"), .body = STR("It does not boot.")};
	struct provider_wish elsewhere = {.id = id_new(KIND_PROVIDER),
					  .name = STR("aws"),
					  .cloud = PROVIDER_CLOUD_AWS,
					  .region = STR("eu-west-1"),
					  .login = STR("AKIA"),
					  .secret = STR("sealed")};
	cloud_ok(c, who, engine_create_provider, &elsewhere);
	cloud_ok(c, who, engine_create_user_data, &data);
	cloud_ok(c, who, engine_create_launch_template, &launch);
	cloud_ok(c, who, engine_create_server_group, &servers);
	cloud_ok(c, who, engine_create_key_pair, &pair);
	cloud_ok(c, who, engine_put_resource_group, &group);
	cloud_ok(c, who, engine_open_ticket, &ticket);
}

static size_t count_rows(struct cloud *c, uuid account, bool prints)
{
	const struct tables *t = cloud_tables(c);
	size_t count = 0;
	for (enum kind kind = 1; kind < KIND_COUNT; kind++)
		for (const struct row *row = tables_first(t, kind, 0, NULL, 0); row;
		     row = tables_next(t, kind, 0, row, 0)) {
			if (kind == KIND_ACCOUNT || !row_is_live(row) ||
			    !uuid_equal(engine_get_owner(kind, row), account))
				continue;
			if (prints)
				print_message("a %s is left\n", model_kinds[kind].name);
			count++;
		}
	return count;
}

static struct account_target target_of(const struct identity *who)
{
	return (struct account_target){ref_by_id(KIND_ACCOUNT, who->account)};
}

static void a_deleted_account_leaves_no_row_of_any_kind(void **state)
{
	struct cloud *c = *state;
	struct identity carol = make_carol(c);
	struct account_target target = target_of(&carol);
	fill_network(c, &carol);
	fill_shared(c, &carol);
	fill_people(c, &carol);
	fill_others(c, &carol);
	fill_events(c, &carol);
	assert_true(count_rows(c, carol.account, false) > 25);
	cloud_fails(c, &carol, engine_delete_account, &target, ERR_DENIED, KIND_ACCOUNT);
	cloud_ok(c, &c->operator, engine_delete_account, &target);
	assert_int_equal(count_rows(c, carol.account, true), 0);
	assert_false(row_is_live(&account_find(cloud_tables(c), carol.account)->row));
}

static void reserved_addresses_keep_their_account(void **state)
{
	struct cloud *c = *state;
	struct identity carol = make_carol(c);
	struct account_target target = target_of(&carol);
	struct address_prefix_wish wish = {.name = STR("prefix"), .bits = 30};
	cloud_ok(c, &carol, engine_create_address_prefix, &wish);
	cloud_fails(c, &c->operator, engine_delete_account, &target, ERR_IN_USE, KIND_ACCOUNT);
	struct address_prefix_target gone = {ref_by_id(KIND_ADDRESS_PREFIX, wish.prefix)};
	cloud_ok(c, &carol, engine_delete_address_prefix, &gone);
	cloud_ok(c, &c->operator, engine_delete_account, &target);
}

static void a_pool_that_others_subnets_are_from_keeps_its_account(void **state)
{
	struct cloud *c = *state;
	struct identity carol = make_carol(c);
	struct account_target target = target_of(&carol);
	const struct cidr block = cidr_of("10.8.0.0/16");
	struct subnet_pool_wish pool = {.account = target.account,
					.name = STR("pool"),
					.prefixes = {&block, 1},
					.default_bits = 24,
					.is_shared = true};
	struct network_wish network = {.name = STR("net")};
	cloud_ok(c, &c->operator, engine_create_subnet_pool, &pool);
	cloud_ok(c, &c->bob, engine_create_network, &network);
	struct network_subnet_wish subnet = {.network = ref_by_id(KIND_NETWORK, network.network),
					     .pool = ref_by_id(KIND_SUBNET_POOL, pool.pool)};
	cloud_ok(c, &c->bob, engine_add_subnet, &subnet);
	cloud_fails(c, &c->operator, engine_delete_account, &target, ERR_IN_USE, KIND_ACCOUNT);
}

static void an_account_that_has_accounts_in_it_is_kept(void **state)
{
	struct cloud *c = *state;
	struct identity carol = make_carol(c);
	struct account_target target = target_of(&carol);
	struct account_wish child = {.name = STR("child"), .parent = target.account};
	cloud_ok(c, &c->operator, engine_create_account, &child);
	cloud_fails(c, &c->operator, engine_delete_account, &target, ERR_PROTECTED, KIND_ACCOUNT);
	struct account_target inner = {ref_by_id(KIND_ACCOUNT, child.account)};
	cloud_ok(c, &c->operator, engine_delete_account, &inner);
	cloud_ok(c, &c->operator, engine_delete_account, &target);
}

static void a_deleted_account_is_no_users_default_any_more(void **state)
{
	struct cloud *c = *state;
	struct identity carol = make_carol(c);
	struct account_target target = target_of(&carol);
	struct user_wish user = {.name = STR("erin"), .default_account = target.account},
			 other = {.name = STR("fay"),
				  .default_account = ref_by_id(KIND_ACCOUNT, c->alice.account)};
	cloud_ok(c, &c->operator, engine_create_user, &user);
	cloud_ok(c, &c->operator, engine_create_user, &other);
	cloud_ok(c, &c->operator, engine_delete_account, &target);
	assert_true(uuid_is_none(user_find(cloud_tables(c), user.user)->default_account));
	assert_true(uuid_equal(user_find(cloud_tables(c), other.user)->default_account, c->alice.account));
}

/* ---- queues and topics ---- */

enum { FULL = 1000, STEP_MAX = 1000, BATCH = 10 };

static void fill_queue(struct cloud *c, const struct identity *who, uuid queue)
{
	struct message_wish messages[BATCH];
	for (size_t k = 0; k < BATCH; k++)
		messages[k] = (struct message_wish){.body = STR("m"), .delay_s = -1};
	struct send_wish send = {ref_by_id(KIND_QUEUE, queue), messages, BATCH, false};
	for (size_t k = 0; k < FULL / BATCH; k++)
		cloud_ok(c, who, engine_send_messages, &send);
}

/* Messages of an account go in several changes, so that none of them holds up the others. */
static void queues_and_topics_of_a_purged_account_go_in_steps(void **state)
{
	struct cloud *c = *state;
	struct identity carol = make_carol(c);
	struct account_target target = target_of(&carol);
	struct queue_wish queues[] = {{.row.name = STR("one")}, {.row.name = STR("two")}};
	struct topic_wish topic = {.row.name = STR("news")};
	struct account_emptying step = {.account = carol.account};
	for (size_t k = 0; k < 2; k++) {
		cloud_ok(c, &carol, engine_create_queue, &queues[k]);
		fill_queue(c, &carol, queues[k].made);
	}
	cloud_ok(c, &carol, engine_create_topic, &topic);
	cloud_fails(c, &c->operator, engine_delete_account, &target, ERR_IN_USE, KIND_ACCOUNT);
	cloud_ok(c, &c->operator, engine_purge_account, &target);
	size_t left = count_rows(c, carol.account, false);
	assert_true(left > 2 * FULL);
	for (int n = 0; n < 2 * FULL / STEP_MAX + 12 && left; n++) {
		struct queue_sweep sweep = {.queue = queues[n % 2].made};
		size_t before = left;
		cloud_ok(c, NULL, engine_empty_account, &step);
		cloud_ok(c, NULL, engine_sweep_queue, &sweep);
		left = count_rows(c, carol.account, false);
		assert_true(before - left <= STEP_MAX);
	}
	assert_int_equal(count_rows(c, carol.account, true), 0);
	assert_false(row_is_live(&account_find(cloud_tables(c), carol.account)->row));
}

/* ---- labels ---- */

static void labels_of_an_account_are_told_apart_and_limited(void **state)
{
	struct cloud *c = *state;
	static const char *const wrong[] = {"", "a/b", "a,b", "\xff"};
	struct str labels[81] = {STR("a"), STR("b"), STR("a")};
	struct strs list = {labels, 3};
	struct account_change change = {.account = ref_by_id(KIND_ACCOUNT, c->alice.account),
					.labels = &list};
	cloud_ok(c, &c->operator, engine_update_account, &change);
	assert_int_equal(account_find(cloud_tables(c), c->alice.account)->labels.count, 2);
	for (size_t k = 0; k < sizeof wrong / sizeof wrong[0]; k++) {
		labels[1] = str_from(wrong[k]);
		cloud_fails(c, &c->operator, engine_update_account, &change, ERR_INVALID, KIND_ACCOUNT);
	}
	for (size_t k = 0; k < 81; k++)
		labels[k] = str_print(c->arena, "label-%zu", k);
	list.count = 80;
	cloud_ok(c, &c->operator, engine_update_account, &change);
	list.count = 81;
	cloud_fails(c, &c->operator, engine_update_account, &change, ERR_INVALID, KIND_ACCOUNT);
}

/* ---- keys that the caller chose ---- */

static void a_chosen_key_id_fits_into_a_signature_and_is_free(void **state)
{
	struct cloud *c = *state;
	static char long_id[130];
	static const char *const wrong[] = {"", "a/b", "a b", "ASIAKEY", "k\xc3\xa4y"};
	struct access_key key = {.row.id = id_new(KIND_ACCESS_KEY), .secret = STR("sealed")};
	struct access_key_wish wish = {
		.user = ref_by_id(KIND_USER, c->alice.user), .key = &key, .is_told = true};
	for (size_t k = 0; k < sizeof wrong / sizeof wrong[0]; k++) {
		key.key_id = str_from(wrong[k]);
		cloud_fails(c, &c->alice, engine_create_access_key, &wish, ERR_INVALID, KIND_ACCESS_KEY);
	}
	for (size_t k = 0; k < sizeof long_id; k++)
		long_id[k] = 'a';
	key.key_id = (struct str){long_id, 129};
	cloud_fails(c, &c->alice, engine_create_access_key, &wish, ERR_INVALID, KIND_ACCESS_KEY);
	key.key_id = STR("AKIABOB");
	cloud_fails(c, &c->alice, engine_create_access_key, &wish, ERR_EXISTS, KIND_ACCESS_KEY);
	key.key_id = (struct str){long_id, 128};
	cloud_ok(c, &c->alice, engine_create_access_key, &wish);
}

static void a_changed_key_keeps_what_the_change_leaves_out(void **state)
{
	struct cloud *c = *state;
	const struct tables *t = cloud_tables(c);
	uuid id = access_key_find_by_key_id(t, STR("AKIAALICE"))->row.id;
	struct access_key_change change = {.key = id, .secret = STR("another")};
	cloud_ok(c, &c->alice, engine_change_access_key, &change);
	assert_true(str_is(access_key_find(t, id)->key_id, "AKIAALICE"));
	assert_true(str_is(access_key_find(t, id)->secret, "another"));
	change = (struct access_key_change){.key = id, .key_id = STR("AKIABOB")};
	cloud_fails(c, &c->alice, engine_change_access_key, &change, ERR_EXISTS, KIND_ACCESS_KEY);
	change.key_id = STR("a/b");
	cloud_fails(c, &c->alice, engine_change_access_key, &change, ERR_INVALID, KIND_ACCESS_KEY);
	change.key_id = STR_NONE;
	change.account = ref_by_id(KIND_ACCOUNT, c->bob.account);
	cloud_ok(c, &c->operator, engine_change_access_key, &change);
	assert_true(uuid_equal(access_key_find(t, id)->account, c->bob.account));
	change.account = ref_by_id(KIND_ACCOUNT, id_new(KIND_ACCOUNT));
	cloud_fails(c, &c->operator, engine_change_access_key, &change, ERR_NOT_FOUND, KIND_ACCOUNT);
	change.key = id_new(KIND_ACCESS_KEY);
	cloud_fails(c, &c->operator, engine_change_access_key, &change, ERR_NOT_FOUND, KIND_ACCESS_KEY);
}

static void a_user_has_as_many_keys_as_the_caller_allows(void **state)
{
	struct cloud *c = *state;
	struct access_key key = {
		.row.id = id_new(KIND_ACCESS_KEY), .key_id = STR("AKIASECOND"), .secret = STR("sealed")};
	struct access_key_wish wish = {
		.user = ref_by_id(KIND_USER, c->alice.user), .key = &key, .count_max = 1};
	cloud_fails(c, &c->alice, engine_create_access_key, &wish, ERR_QUOTA, KIND_ACCESS_KEY);
	wish.count_max = 2;
	cloud_ok(c, &c->alice, engine_create_access_key, &wish);
}

#define in_a_cloud(test) cmocka_unit_test_setup_teardown(test, cloud_setup, cloud_teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {
		in_a_cloud(a_deleted_account_leaves_no_row_of_any_kind),
		in_a_cloud(reserved_addresses_keep_their_account),
		in_a_cloud(a_pool_that_others_subnets_are_from_keeps_its_account),
		in_a_cloud(an_account_that_has_accounts_in_it_is_kept),
		in_a_cloud(a_deleted_account_is_no_users_default_any_more),
		in_a_cloud(queues_and_topics_of_a_purged_account_go_in_steps),
		in_a_cloud(labels_of_an_account_are_told_apart_and_limited),
		in_a_cloud(a_chosen_key_id_fits_into_a_signature_and_is_free),
		in_a_cloud(a_changed_key_keeps_what_the_change_leaves_out),
		in_a_cloud(a_user_has_as_many_keys_as_the_caller_allows),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
