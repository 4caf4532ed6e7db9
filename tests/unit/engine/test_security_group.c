/* SPDX-License-Identifier: Apache-2.0
 * Security groups and their rules. */
#include "cloud.h"
#include "engine/network/filter/security_group_association.h"
#include "engine/tombstone.h"
#include "store/router.h"
#include "store/security_group.h"
#include "store/security_group_rule.h"

static uuid make_group(struct cloud *c, const char *name)
{
	struct security_group_wish wish = {.name = str_from(name), .description = STR("for tests")};
	cloud_ok(c, &c->alice, engine_create_security_group, &wish);
	return wish.group;
}

static size_t count_rules(struct cloud *c, uuid group)
{
	size_t count = 0;
	const struct security_group_rule *rule = security_group_rule_first_by_group(cloud_tables(c), group);
	for (; rule; rule = security_group_rule_next_by_group(cloud_tables(c), rule))
		count += row_is_live(&rule->row);
	return count;
}

static void check_create(void **state)
{
	struct cloud *c = *state;
	uuid group = make_group(c, "web");
	const struct security_group *row = security_group_find(cloud_tables(c), group);
	assert_true(uuid_equal(row->router, c->alice_router) && !row->is_default);
	assert_int_equal(count_rules(c, group), 1); /* all may go out */
	struct security_group_wish wish = {.name = STR("web")};
	cloud_fails(c, &c->alice, engine_create_security_group, &wish, ERR_EXISTS, KIND_SECURITY_GROUP);
	cloud_ok(c, &c->bob, engine_create_security_group, &wish);
	wish.name = STR("default");
	cloud_fails(c, &c->alice, engine_create_security_group, &wish, ERR_EXISTS, KIND_SECURITY_GROUP);
	wish.name = STR("sg-web");
	cloud_fails(c, &c->alice, engine_create_security_group, &wish, ERR_INVALID, KIND_SECURITY_GROUP);
	wish.name = STR("x");
	wish.router = ref_to(c, KIND_ROUTER, c->bob_router);
	cloud_fails(c, &c->alice, engine_create_security_group, &wish, ERR_NOT_FOUND, KIND_ROUTER);
	struct account_limits limits =
		account_limits_all(ref_named(KIND_ACCOUNT, "alice"), ACCOUNT_LIMIT_KEEP);
	limits.groups = 2;
	cloud_ok(c, &c->operator, engine_set_limits, &limits);
	wish.router = (struct ref){0};
	cloud_fails(c, &c->alice, engine_create_security_group, &wish, ERR_QUOTA, KIND_SECURITY_GROUP);
}

static void check_delete(void **state)
{
	struct cloud *c = *state;
	const struct tables *t = cloud_tables(c);
	uuid a = make_group(c, "a"), b = make_group(c, "b");
	struct rule_wish rule = {.protocol = -1, .peer_group = ref_to(c, KIND_SECURITY_GROUP, b)};
	struct rules_wish rules = {
		.group = ref_to(c, KIND_SECURITY_GROUP, a), .rules = &rule, .rule_count = 1};
	cloud_ok(c, &c->alice, engine_authorize_rules, &rules);
	struct security_group_target target = {.group = ref_to(c, KIND_SECURITY_GROUP, b)};
	cloud_fails(c, &c->bob, engine_delete_security_group, &target, ERR_NOT_FOUND, KIND_SECURITY_GROUP);
	cloud_fails(c, &c->alice, engine_delete_security_group, &target, ERR_IN_USE, KIND_SECURITY_GROUP);
	size_t others = count_rules(c, a);
	uint64_t gen = security_group_find(t, a)->row.gen;
	target.takes_rules = true;
	cloud_ok(c, &c->alice, engine_delete_security_group, &target);
	target.takes_rules = false;
	t = cloud_tables(c);
	assert_int_equal(count_rules(c, a), others - 1);
	assert_true(security_group_find(t, a)->row.gen > gen);
	assert_int_equal(count_rules(c, b), 0);
	assert_false(row_is_live(&security_group_find(t, b)->row));
	struct tombstone forget = {KIND_SECURITY_GROUP, b};
	cloud_ok(c, NULL, engine_forget_deleted, &forget);
	assert_null(security_group_find(t, b));
	/* The name is free at once. */
	make_group(c, "b");

	struct instance_launch launch = cloud_launch(c, 1);
	const struct ref group = ref_named(KIND_SECURITY_GROUP, "a");
	const struct launch_port port = {.groups = {&group, 1}};
	launch.ports = &port;
	launch.port_count = 1;
	cloud_ok(c, &c->alice, engine_create_instances, &launch);
	target.group = ref_named(KIND_SECURITY_GROUP, "a");
	cloud_fails(c, &c->alice, engine_delete_security_group, &target, ERR_IN_USE, KIND_SECURITY_GROUP);
	target.group = ref_named(KIND_SECURITY_GROUP, "default");
	cloud_fails(c, &c->alice, engine_delete_security_group, &target, ERR_PROTECTED, KIND_SECURITY_GROUP);
	forget.id = a;
	cloud_fails(c, NULL, engine_forget_deleted, &forget, ERR_STATE, KIND_SECURITY_GROUP);
}

static void check_rule_values(void **state)
{
	struct cloud *c = *state;
	uuid group = make_group(c, "web");
	static const struct {
		int64_t protocol, from, to;
		enum err err;
	} rows[] = {
		{6, 22, 22, ERR_NONE},    {6, 22, 22, ERR_EXISTS},  {6, 23, 22, ERR_INVALID},
		{6, -1, -1, ERR_INVALID}, {17, 0, 65535, ERR_NONE}, {17, 0, 65536, ERR_INVALID},
		{1, -1, -1, ERR_NONE},    {1, 8, 0, ERR_NONE},      {1, 8, -1, ERR_NONE},
		{1, -1, 0, ERR_INVALID},  {1, 256, 0, ERR_INVALID}, {-1, 5, 6, ERR_NONE},
		{-1, 7, 8, ERR_EXISTS},   {47, 1, 2, ERR_NONE},     {256, 0, 0, ERR_INVALID},
		{-2, 0, 0, ERR_INVALID},
	};
	for (size_t n = 0; n < sizeof rows / sizeof *rows; n++) {
		struct rule_wish rule = {rows[n].protocol, rows[n].from, rows[n].to, cidr_of("10.1.2.3/8")};
		struct rules_wish wish = {
			.group = ref_to(c, KIND_SECURITY_GROUP, group), .rules = &rule, .rule_count = 1};
		cloud_expect(c, cloud_run(c, &c->alice, engine_authorize_rules_run, &wish), rows[n].err,
			     KIND_SECURITY_GROUP_RULE);
	}
	const struct security_group_rule *rule = security_group_rule_first_by_group(cloud_tables(c), group);
	for (; rule; rule = security_group_rule_next_by_group(cloud_tables(c), rule))
		assert_true(cidr_is_canonical(rule->peer_block));
}

static void check_peers(void **state)
{
	struct cloud *c = *state;
	uuid group = make_group(c, "web");
	struct rule_wish rule = {.protocol = -1};
	struct rules_wish wish = {
		.group = ref_to(c, KIND_SECURITY_GROUP, group), .rules = &rule, .rule_count = 1};
	cloud_fails(c, &c->alice, engine_authorize_rules, &wish, ERR_COMBINATION, KIND_SECURITY_GROUP_RULE);
	rule.peer_block = cidr_of("10.0.0.0/8");
	rule.peer_group = ref_named(KIND_SECURITY_GROUP, "web");
	cloud_fails(c, &c->alice, engine_authorize_rules, &wish, ERR_COMBINATION, KIND_SECURITY_GROUP_RULE);
	rule.peer_block = (struct cidr){0};
	cloud_ok(c, &c->alice, engine_authorize_rules, &wish); /* its own members, by name */
	rule.peer_group =
		ref_to(c, KIND_SECURITY_GROUP, router_find(cloud_tables(c), c->bob_router)->default_group);
	cloud_fails(c, &c->alice, engine_authorize_rules, &wish, ERR_NOT_FOUND, KIND_SECURITY_GROUP);
	rule.peer_group = ref_named(KIND_SECURITY_GROUP, "default");
	cloud_ok(c, &c->alice, engine_authorize_rules, &wish);
	cloud_fails(c, &c->bob, engine_authorize_rules, &wish, ERR_NOT_FOUND, KIND_SECURITY_GROUP);
}

static void check_authorize_is_atomic(void **state)
{
	struct cloud *c = *state;
	uuid group = make_group(c, "web");
	const struct rule_wish rules[] = {
		{6, 80, 80, cidr_of("0.0.0.0/0"), .description = STR("first")},
		{6, 443, 443, cidr_of("0.0.0.0/0")},
		{6, 80, 80, cidr_of("0.0.0.0/0"), .description = STR("again"),
		 .field = STR("IpPermissions.3")},
	};
	const struct tag tag = {STR("k"), STR("v")};
	struct rules_wish wish = {.group = ref_to(c, KIND_SECURITY_GROUP, group),
				  .rules = rules,
				  .rule_count = 3,
				  .tags = {&tag, 1}};
	cloud_fails(c, &c->alice, engine_authorize_rules, &wish, ERR_EXISTS, KIND_SECURITY_GROUP_RULE);
	assert_true(str_is(c->c.problem.field, "IpPermissions.3"));
	assert_int_equal(count_rules(c, group), 1);
	wish.rule_count = 2;
	cloud_ok(c, &c->alice, engine_authorize_rules, &wish);
	assert_int_equal(wish.made.count, 2);
	const struct security_group_rule *made = security_group_rule_find(cloud_tables(c), wish.made.at[1]);
	assert_true(made->from_port == 443 && made->tags.count == 1);
	assert_int_equal(security_group_find(cloud_tables(c), group)->row.gen, 2);
	/* The other direction is another rule. */
	wish.direction = SECURITY_GROUP_RULE_DIRECTION_EGRESS;
	cloud_ok(c, &c->alice, engine_authorize_rules, &wish);
}

static size_t count_revoked(struct cloud *c, uuid group)
{
	size_t count = 0;
	const struct security_group_rule *rule = security_group_rule_first_by_group(cloud_tables(c), group);
	for (; rule; rule = security_group_rule_next_by_group(cloud_tables(c), rule))
		count += !row_is_live(&rule->row);
	return count;
}

/* A modified rule keeps its id. Connections that the old rule allowed end as after a revocation. */
static void check_modify(void **state)
{
	struct cloud *c = *state;
	const struct tables *t = cloud_tables(c);
	uuid group = make_group(c, "web"), other = make_group(c, "other");
	const struct tag tag = {STR("k"), STR("v")};
	const struct rule_wish rules[] = {{6, 80, 80, cidr_of("0.0.0.0/0"), .description = STR("web")},
					  {6, 443, 443, cidr_of("0.0.0.0/0")}};
	struct rules_wish wish = {.group = ref_to(c, KIND_SECURITY_GROUP, group),
				  .rules = rules,
				  .rule_count = 2,
				  .tags = {&tag, 1}};
	cloud_ok(c, &c->alice, engine_authorize_rules, &wish);
	uuid first = wish.made.at[0];
	uint64_t gen = security_group_find(t, group)->row.gen;
	struct rule_wish change = {17, 53, 53, cidr_of("10.1.2.3/8"),
				   .rule = ref_to(c, KIND_SECURITY_GROUP_RULE, first)};
	struct rules_wish modify = {.group = wish.group, .rules = &change, .rule_count = 1};
	cloud_fails(c, &c->bob, engine_modify_rules, &modify, ERR_NOT_FOUND, KIND_SECURITY_GROUP);
	modify.group = ref_to(c, KIND_SECURITY_GROUP, other);
	cloud_fails(c, &c->alice, engine_modify_rules, &modify, ERR_NOT_FOUND, KIND_SECURITY_GROUP_RULE);
	modify.group = wish.group;
	cloud_ok(c, &c->alice, engine_modify_rules, &modify);
	const struct security_group_rule *rule = security_group_rule_find(t, first);
	assert_true(rule->protocol == 17 && rule->from_port == 53 && rule->tags.count == 1);
	assert_true(str_is_empty(rule->description) && cidr_is_canonical(rule->peer_block));
	assert_int_equal(security_group_find(t, group)->row.gen, gen + 1);
	assert_int_equal(count_rules(c, group), 3);
	assert_int_equal(count_revoked(c, group), 1);
	/* The other one is there already; words alone leave nothing revoked. */
	change = rules[1];
	change.rule = ref_to(c, KIND_SECURITY_GROUP_RULE, first);
	cloud_fails(c, &c->alice, engine_modify_rules, &modify, ERR_EXISTS, KIND_SECURITY_GROUP_RULE);
	change.rule = ref_to(c, KIND_SECURITY_GROUP_RULE, wish.made.at[1]);
	change.description = STR("TLS");
	cloud_ok(c, &c->alice, engine_modify_rules, &modify);
	assert_int_equal(count_revoked(c, group), 1);
	assert_true(str_is(security_group_rule_find(t, wish.made.at[1])->description, "TLS"));
}

static void check_descriptions(void **state)
{
	struct cloud *c = *state;
	const struct tables *t = cloud_tables(c);
	uuid group = make_group(c, "web");
	struct rule_wish rule = {6, 80, 80, cidr_of("0.0.0.0/0"), .description = STR("web")};
	struct rules_wish wish = {
		.group = ref_to(c, KIND_SECURITY_GROUP, group), .rules = &rule, .rule_count = 1};
	cloud_ok(c, &c->alice, engine_authorize_rules, &wish);
	uuid made = wish.made.at[0];
	uint64_t gen = security_group_find(t, group)->row.gen;
	rule.description = STR("all the world");
	cloud_ok(c, &c->alice, engine_update_rule_descriptions, &wish);
	assert_true(str_is(security_group_rule_find(t, made)->description, "all the world"));
	struct rule_wish by_id = {.rule = ref_to(c, KIND_SECURITY_GROUP_RULE, made)};
	wish.rules = &by_id;
	cloud_ok(c, &c->alice, engine_update_rule_descriptions, &wish);
	assert_true(str_is_empty(security_group_rule_find(t, made)->description));
	assert_int_equal(security_group_find(t, group)->row.gen, gen); /* nothing for the network to do */
	wish.direction = SECURITY_GROUP_RULE_DIRECTION_EGRESS;
	cloud_fails(c, &c->alice, engine_update_rule_descriptions, &wish, ERR_NOT_FOUND,
		    KIND_SECURITY_GROUP_RULE);
	wish.rules = &rule;
	cloud_fails(c, &c->alice, engine_update_rule_descriptions, &wish, ERR_NOT_FOUND,
		    KIND_SECURITY_GROUP_RULE);
}

static void check_revoke(void **state)
{
	struct cloud *c = *state;
	uuid group = make_group(c, "web");
	const struct rule_wish rules[] = {{6, 80, 80, cidr_of("0.0.0.0/0")},
					  {6, 443, 443, cidr_of("0.0.0.0/0")},
					  {6, 22, 22, cidr_of("0.0.0.0/0")}};
	struct rules_wish wish = {
		.group = ref_to(c, KIND_SECURITY_GROUP, group), .rules = rules, .rule_count = 2};
	cloud_ok(c, &c->alice, engine_authorize_rules, &wish);
	uuid second = wish.made.at[1];
	wish.rules = rules + 1;
	cloud_fails(c, &c->alice, engine_revoke_rules, &wish, ERR_NOT_FOUND, KIND_SECURITY_GROUP_RULE);
	wish.rules = rules;
	wish.rule_count = 1;
	cloud_ok(c, &c->alice, engine_revoke_rules, &wish);
	struct ref id = ref_to(c, KIND_SECURITY_GROUP_RULE, second);
	struct rules_wish by_id = {
		.group = wish.group, .direction = SECURITY_GROUP_RULE_DIRECTION_EGRESS, .rule_ids = {&id, 1}};
	cloud_fails(c, &c->alice, engine_revoke_rules, &by_id, ERR_NOT_FOUND, KIND_SECURITY_GROUP_RULE);
	by_id.direction = SECURITY_GROUP_RULE_DIRECTION_INGRESS;
	cloud_fails(c, &c->bob, engine_revoke_rules, &by_id, ERR_NOT_FOUND, KIND_SECURITY_GROUP);
	cloud_ok(c, &c->alice, engine_revoke_rules, &by_id);
	assert_true(uuid_equal(by_id.made.at[0], second));
	assert_int_equal(count_rules(c, group), 1);
	assert_int_equal(security_group_find(cloud_tables(c), group)->row.gen, 4);
	/* The default allow-all egress rule. */
	const struct rule_wish out = {.protocol = -1, .peer_block = cidr_of("0.0.0.0/0")};
	struct rules_wish egress = {.group = wish.group,
				    .direction = SECURITY_GROUP_RULE_DIRECTION_EGRESS,
				    .rules = &out,
				    .rule_count = 1};
	cloud_ok(c, &c->alice, engine_revoke_rules, &egress);
	assert_int_equal(count_rules(c, group), 0);

	/* Revoked rules are kept for a while, for their connections. An identical rule can be added
	 * meanwhile. */
	const struct tables *t = cloud_tables(c);
	struct rule_forget forget = {.rule = second};
	assert_non_null(security_group_rule_find(t, second));
	cloud_fails(c, NULL, engine_forget_rule, &forget, ERR_STATE, KIND_SECURITY_GROUP_RULE);
	wish.rule_count = 2;
	cloud_ok(c, &c->alice, engine_authorize_rules, &wish);
	clock_set_us(clock_now_us() + RULE_TRACKED_US);
	cloud_ok(c, NULL, engine_forget_rule, &forget);
	cloud_ok(c, NULL, engine_forget_rule, &forget);
	assert_null(security_group_rule_find(t, second));
	assert_int_equal(count_rules(c, group), 2);
}

static uuid make_router(struct cloud *c, const struct identity *who, const char *block)
{
	struct router_wish wish = {.block = cidr_of(block)};
	cloud_ok(c, who, engine_create_router, &wish);
	return wish.router;
}

static void check_association(void **state)
{
	struct cloud *c = *state;
	const struct tables *t = cloud_tables(c);
	uuid group = make_group(c, "web"), other = make_router(c, &c->alice, "10.8.0.0/16");
	struct security_group_association_wish wish = {.group = ref_to(c, KIND_SECURITY_GROUP, group),
						       .router = ref_to(c, KIND_ROUTER, other)};
	cloud_fails(c, &c->bob, engine_associate_security_group, &wish, ERR_NOT_FOUND, KIND_SECURITY_GROUP);
	cloud_fails(c, &c->alice, engine_disassociate_security_group, &wish, ERR_NOT_FOUND,
		    KIND_SECURITY_GROUP_ASSOCIATION);
	assert_false(engine_is_group_in(t, security_group_find(t, group), other));
	cloud_ok(c, &c->alice, engine_associate_security_group, &wish);
	cloud_ok(c, &c->alice, engine_associate_security_group, &wish);
	assert_true(engine_is_group_in(t, security_group_find(t, group), other));
	assert_int_equal(tables_count(t, KIND_SECURITY_GROUP_ASSOCIATION), 1);
	struct security_group_target target = {.group = wish.group};
	struct router_target router = {.router = wish.router};
	cloud_fails(c, &c->alice, engine_delete_security_group, &target, ERR_IN_USE, KIND_SECURITY_GROUP);
	cloud_fails(c, &c->alice, engine_delete_router, &router, ERR_IN_USE, KIND_ROUTER);
	cloud_ok(c, &c->alice, engine_disassociate_security_group, &wish);
	assert_int_equal(tables_count(t, KIND_SECURITY_GROUP_ASSOCIATION), 0);
	cloud_ok(c, &c->alice, engine_delete_router, &router);
	cloud_ok(c, &c->alice, engine_delete_security_group, &target);
}

static void check_no_association(void **state)
{
	struct cloud *c = *state;
	const struct tables *t = cloud_tables(c);
	uuid group = make_group(c, "web"), other = make_router(c, &c->alice, "10.8.0.0/16");
	struct security_group_association_wish wish = {
		.group = ref_to(c, KIND_SECURITY_GROUP, group),
		.router = ref_to(c, KIND_ROUTER, make_router(c, &c->bob, "10.8.0.0/16"))};
	cloud_fails(c, &c->alice, engine_associate_security_group, &wish, ERR_NOT_FOUND, KIND_ROUTER);
	cloud_fails(c, &c->operator, engine_associate_security_group, &wish, ERR_NOT_FOUND, KIND_ROUTER);
	wish.router = ref_to(c, KIND_ROUTER, c->alice_router);
	cloud_fails(c, &c->alice, engine_associate_security_group, &wish, ERR_INVALID, KIND_ROUTER);
	wish.router = ref_to(c, KIND_ROUTER, other);
	wish.group = ref_named(KIND_SECURITY_GROUP, "default");
	cloud_fails(c, &c->alice, engine_associate_security_group, &wish, ERR_INVALID, KIND_SECURITY_GROUP);
	struct security_group_wish alone = {.name = STR("alone"), .is_alone = true};
	cloud_ok(c, &c->alice, engine_create_security_group, &alone);
	wish.group = ref_to(c, KIND_SECURITY_GROUP, alone.group);
	cloud_fails(c, &c->alice, engine_associate_security_group, &wish, ERR_INVALID, KIND_SECURITY_GROUP);
	struct security_group_wish others = {.name = STR("db"), .router = wish.router};
	cloud_ok(c, &c->alice, engine_create_security_group, &others);
	wish.group = ref_to(c, KIND_SECURITY_GROUP, others.group);
	wish.router = ref_to(c, KIND_ROUTER, c->alice_router); /* the default one */
	cloud_fails(c, &c->alice, engine_associate_security_group, &wish, ERR_INVALID, KIND_ROUTER);
	assert_int_equal(tables_count(t, KIND_SECURITY_GROUP_ASSOCIATION), 0);
}

/* A rule names what is associated with its own group's router, and is stale without that. */
static void check_rule_by_associated(void **state)
{
	struct cloud *c = *state;
	const struct tables *t = cloud_tables(c);
	uuid group = make_group(c, "web"), other = make_router(c, &c->alice, "10.8.0.0/16");
	struct security_group_wish db = {.name = STR("db"), .router = ref_to(c, KIND_ROUTER, other)};
	cloud_ok(c, &c->alice, engine_create_security_group, &db);
	struct security_group_association_wish wish = {.group = ref_to(c, KIND_SECURITY_GROUP, group),
						       .router = db.router};
	const struct rule_wish rule = {.protocol = -1, .peer_group = wish.group};
	struct rules_wish rules = {
		.group = ref_to(c, KIND_SECURITY_GROUP, db.group), .rules = &rule, .rule_count = 1};
	cloud_fails(c, &c->alice, engine_authorize_rules, &rules, ERR_INVALID, KIND_SECURITY_GROUP);
	cloud_ok(c, &c->alice, engine_associate_security_group, &wish);
	cloud_ok(c, &c->alice, engine_authorize_rules, &rules);
	const struct security_group_rule *made = security_group_rule_find(t, rules.made.at[0]);
	assert_false(engine_is_rule_stale(t, made));
	cloud_ok(c, &c->alice, engine_disassociate_security_group, &wish);
	assert_true(engine_is_rule_stale(t, made));
	cloud_ok(c, &c->alice, engine_associate_security_group, &wish);
	assert_false(engine_is_rule_stale(t, made));
	cloud_ok(c, &c->alice, engine_disassociate_security_group, &wish);
	cloud_ok(c, &c->alice, engine_revoke_rules, &rules);
}

static void check_too_many_associations(void **state)
{
	struct cloud *c = *state;
	struct account_limits limits =
		account_limits_all(ref_named(KIND_ACCOUNT, "alice"), ACCOUNT_LIMIT_KEEP);
	limits.routers = GROUP_ASSOCIATIONS_MAX + 2;
	limits.groups = 2 * GROUP_ASSOCIATIONS_MAX;
	cloud_ok(c, &c->operator, engine_set_limits, &limits);
	struct security_group_association_wish wish = {
		.group = ref_to(c, KIND_SECURITY_GROUP, make_group(c, "web"))};
	for (int n = 0; n < GROUP_ASSOCIATIONS_MAX; n++) {
		wish.router = ref_to(c, KIND_ROUTER, make_router(c, &c->alice, "10.8.0.0/16"));
		cloud_ok(c, &c->alice, engine_associate_security_group, &wish);
	}
	wish.router = ref_to(c, KIND_ROUTER, make_router(c, &c->alice, "10.8.0.0/16"));
	cloud_fails(c, &c->alice, engine_associate_security_group, &wish, ERR_QUOTA,
		    KIND_SECURITY_GROUP_ASSOCIATION);
}

/* Added and revoked without end, they do not pile up. */
static void check_revoke_again(void **state)
{
	struct cloud *c = *state;
	uuid group = make_group(c, "web");
	const struct rule_wish rule = {6, 80, 80, cidr_of("0.0.0.0/0")};
	struct rules_wish wish = {
		.group = ref_to(c, KIND_SECURITY_GROUP, group), .rules = &rule, .rule_count = 1};
	for (int n = 0; n < 150; n++) {
		cloud_ok(c, &c->alice, engine_authorize_rules, &wish);
		cloud_ok(c, &c->alice, engine_revoke_rules, &wish);
	}
	size_t rows = 0;
	const struct security_group_rule *each = security_group_rule_first_by_group(cloud_tables(c), group);
	for (; each; each = security_group_rule_next_by_group(cloud_tables(c), each))
		rows++;
	assert_int_equal(rows, 101);
}

/* A revoked rule does not keep the group that it names. */
static void check_revoked_peer(void **state)
{
	struct cloud *c = *state;
	uuid group = make_group(c, "web"), peer = make_group(c, "peer");
	const struct rule_wish rule = {.protocol = -1, .peer_group = ref_to(c, KIND_SECURITY_GROUP, peer)};
	struct rules_wish wish = {
		.group = ref_to(c, KIND_SECURITY_GROUP, group), .rules = &rule, .rule_count = 1};
	struct security_group_target target = {.group = rule.peer_group};
	cloud_ok(c, &c->alice, engine_authorize_rules, &wish);
	cloud_fails(c, &c->alice, engine_delete_security_group, &target, ERR_IN_USE, KIND_SECURITY_GROUP);
	cloud_ok(c, &c->alice, engine_revoke_rules, &wish);
	cloud_ok(c, &c->alice, engine_delete_security_group, &target);
	assert_null(security_group_rule_first_by_peer_group(cloud_tables(c), peer));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(check_create, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_delete, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_rule_values, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_peers, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_authorize_is_atomic, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_modify, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_descriptions, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_revoke, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_revoke_again, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_revoked_peer, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_association, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_no_association, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_rule_by_associated, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_too_many_associations, cloud_setup, cloud_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
