/* SPDX-License-Identifier: Apache-2.0
 * Rules of security groups: DescribeSecurityGroupRules, Authorize… and Revoke… A request's
 * permissions, each with many peers, become one rule for each peer. */
#include "api/ec2/rules.h"

#include "api/ec2/write.h"
#include "engine/security_group.h"

/* ---- protocols ---- */

static const struct {
	const char *word;
	int64_t number;
} protocols[] = {{"-1", -1}, {"all", -1}, {"tcp", 6}, {"udp", 17}, {"icmp", 1}, {"icmpv6", 58}};

struct str ec2_protocol_word(struct arena *a, int64_t protocol)
{
	for (size_t k = 0; k < sizeof protocols / sizeof protocols[0]; k++)
		if (protocols[k].number == protocol)
			return str_from(protocols[k].word);
	return str_print(a, "%lld", (long long) protocol);
}

static RESULT parse_protocol(struct ec2_call *e, struct str text, int64_t *ret_protocol)
{
	for (size_t k = 0; k < sizeof protocols / sizeof protocols[0]; k++) {
		if (!str_equal_nocase(text, str_from(protocols[k].word)))
			continue;
		*ret_protocol = protocols[k].number;
		return OK;
	}
	if (!result_is_ok(str_parse_int(text, ret_protocol)) || *ret_protocol < 0 || *ret_protocol > 255)
		return ctx_fail_field(e->c, ERR_INVALID, STR("IpProtocol"),
				      "Invalid value '%" STR_FMT "' for IP protocol. Unknown protocol.",
				      STR_ARG(text));
	return OK;
}

/* ---- rules as answers ---- */

static void write_ports(struct xml *x, const struct security_group_rule *rule)
{
	xml_int(x, "fromPort", rule->from_port);
	xml_int(x, "toPort", rule->to_port);
}

static bool is_same_permission(const struct security_group_rule *a, const struct security_group_rule *b)
{
	return a->direction == b->direction && a->protocol == b->protocol && a->from_port == b->from_port &&
	       a->to_port == b->to_port;
}

bool ec2_shows_rule(const struct security_group_rule *rule)
{
	return !rule->is_ipv6 || uuid_is_none(rule->peer_group);
}

enum peers { PEERS_GROUPS, PEERS_V4, PEERS_V6 };

static enum peers peers_of(const struct security_group_rule *rule)
{
	if (!uuid_is_none(rule->peer_group))
		return PEERS_GROUPS;
	return rule->peer_block.base.family == IP_V6 ? PEERS_V6 : PEERS_V4;
}

static bool has_peers(const struct security_group_rule *const *rules, size_t count, enum peers peers)
{
	for (size_t k = 0; k < count; k++)
		if (is_same_permission(rules[k], rules[0]) && peers_of(rules[k]) == peers)
			return true;
	return false;
}

/* The peers of one permission: of the rules from `rules` on that are like the first. */
static void write_peers(struct ec2_call *e, struct xml *x, const struct security_group_rule *const *rules,
			size_t count, enum peers peers)
{
	static const char *const sets[] = {"groups", "ipRanges", "ipv6Ranges"};
	static const char *const members[] = {"groupId", "cidrIp", "cidrIpv6"};
	xml_open(x, sets[peers]);
	for (size_t k = 0; k < count; k++) {
		const struct security_group_rule *r = rules[k];
		if (!is_same_permission(r, rules[0]) || peers_of(r) != peers)
			continue;
		xml_open(x, "item");
		if (peers == PEERS_GROUPS) {
			xml_text(x, "userId", e->owner);
			ec2_write_id(x, members[peers], KIND_SECURITY_GROUP, r->peer_group);
		} else {
			ec2_write_cidr(x, members[peers], r->peer_block);
		}
		xml_text_opt(x, "description", r->description);
		xml_close(x, "item");
	}
	xml_close(x, sets[peers]);
}

static bool is_first_of_permission(const struct security_group_rule *const *rules, size_t at)
{
	for (size_t k = 0; k < at; k++)
		if (is_same_permission(rules[k], rules[at]))
			return false;
	return true;
}

void ec2_write_permissions(struct ec2_call *e, struct xml *x, const char *set,
			   const struct security_group_rule *const *rules, size_t count,
			   enum security_group_rule_direction direction)
{
	xml_open(x, set);
	for (size_t k = 0; k < count; k++) {
		if (rules[k]->direction != direction || !is_first_of_permission(rules, k))
			continue;
		xml_open(x, "item");
		xml_text(x, "ipProtocol", ec2_protocol_word(e->c->arena, rules[k]->protocol));
		if (rules[k]->protocol != -1)
			write_ports(x, rules[k]);
		write_peers(e, x, rules + k, count - k, PEERS_GROUPS);
		write_peers(e, x, rules + k, count - k, PEERS_V4);
		if (has_peers(rules + k, count - k, PEERS_V6))
			write_peers(e, x, rules + k, count - k, PEERS_V6);
		else
			xml_empty(x, "ipv6Ranges");
		xml_empty(x, "prefixListIds");
		xml_close(x, "item");
	}
	xml_close(x, set);
}

/* ---- describe ---- */

struct rule_item {
	const struct security_group_rule *rule;
	const struct security_group *peer;
};

static bool is_shown(struct ec2_call *e, const struct row *row)
{
	(void) e;
	return ec2_shows_rule((const struct security_group_rule *) row);
}

static const void *gather_rule(struct ec2_call *e, const struct row *row)
{
	struct rule_item *item = arena_new_object(e->c->arena, struct rule_item);
	if (!item)
		return 0;
	item->rule = (const struct security_group_rule *) row;
	if (!uuid_is_none(item->rule->peer_group))
		item->peer = security_group_find(ec2_walk(e), item->rule->peer_group);
	return item;
}

static void write_rule(struct ec2_call *e, struct xml *x, const void *item)
{
	const struct rule_item *i = item;
	const struct security_group_rule *r = i->rule;
	ec2_write_id(x, "securityGroupRuleId", KIND_SECURITY_GROUP_RULE, r->row.id);
	ec2_write_id(x, "groupId", KIND_SECURITY_GROUP, r->group);
	xml_text(x, "groupOwnerId", e->owner);
	xml_bool(x, "isEgress", r->direction == SECURITY_GROUP_RULE_DIRECTION_EGRESS);
	xml_text(x, "ipProtocol", ec2_protocol_word(e->c->arena, r->protocol));
	write_ports(x, r);
	ec2_write_cidr(x, r->peer_block.base.family == IP_V6 ? "cidrIpv6" : "cidrIpv4", r->peer_block);
	if (i->peer) {
		xml_open(x, "referencedGroupInfo");
		ec2_write_id(x, "groupId", KIND_SECURITY_GROUP, i->peer->row.id);
		xml_text(x, "userId", e->owner);
		ec2_write_id(x, "vpcId", KIND_ROUTER, i->peer->router);
		xml_close(x, "referencedGroupInfo");
	}
	xml_text_opt(x, "description", r->description);
	ec2_write_tags(x, r->tags);
}

struct ec2_describe_rules {
	struct ec2_query query;
};
static const struct param describe_rules_params[] = {
	QUERY_IDS(struct ec2_describe_rules, "SecurityGroupRuleId", KIND_SECURITY_GROUP_RULE, "Rules by id."),
	QUERY_FILTERS(struct ec2_describe_rules),
	QUERY_PAGES(struct ec2_describe_rules, 5, 1000),
};

static const struct filter rule_filters[] = {
	{"group-id", .field = "group", .index = SECURITY_GROUP_RULE_INDEX_GROUP},
	{"security-group-rule-id", .is_id = true},
};

static const struct ec2_listing rule_listing = {.kind = KIND_SECURITY_GROUP_RULE,
						.set = "securityGroupRuleSet",
						.filters = FILTERS(rule_filters),
						.account_index = SECURITY_GROUP_RULE_INDEX_ACCOUNT,
						.shows = is_shown,
						.gather = gather_rule,
						.write = write_rule};

/* ---- authorize and revoke: parameters ---- */

struct ec2_ip_range {
	struct cidr block;
	struct str description, field;
};
static const struct param ip_range_rows[] = {
	PARAM(struct ec2_ip_range, "CidrIp", block, .flags = REQUIRED,
	      .field = offsetof(struct ec2_ip_range, field) + 1, .doc = "A range of addresses."),
	PARAM(struct ec2_ip_range, "Description", description, .max = 255, .doc = "What the rule is for."),
};
static const struct params ip_range_params = PARAMS(struct ec2_ip_range, ip_range_rows);

struct ec2_group_pair {
	struct ref id, name, vpc;
	struct str user_id, description;
};
#define P(wire, member, ...) PARAM(struct ec2_group_pair, wire, member, __VA_ARGS__)
static const struct param group_pair_rows[] = {
	P("GroupId", id, .kind = KIND_SECURITY_GROUP, .doc = "A group, by id."),
	P("GroupName", name, .flags = BY_NAME, .kind = KIND_SECURITY_GROUP,
	  .doc = "Or by name, in the same VPC."),
	P("UserId", user_id, .max = 12, .doc = "The account it belongs to: the caller's."),
	P("VpcId", vpc, .kind = KIND_ROUTER, .doc = "Its VPC."),
	P("Description", description, .max = 255, .doc = "What the rule is for."),
	NOT_BUILT("PeeringStatus"),
	NOT_BUILT("VpcPeeringConnectionId"),
};
#undef P
static const struct params group_pair_params = PARAMS(struct ec2_group_pair, group_pair_rows);

struct ec2_permission {
	struct str protocol;
	int64_t from_port, to_port;
	bool has_from, has_to;
	struct {
		const struct ec2_ip_range *at;
		size_t count;
	} ranges;
	struct {
		const struct ec2_group_pair *at;
		size_t count;
	} groups;
};
#define P(wire, member, ...) PARAM(struct ec2_permission, wire, member, __VA_ARGS__)
#define PORTS                                                                                                \
	P("FromPort", from_port, .min = -1, .max = 65535,                                                    \
	  .given = offsetof(struct ec2_permission, has_from) + 1, .doc = "First port; ICMP: type."),         \
		P("ToPort", to_port, .min = -1, .max = 65535,                                                \
		  .given = offsetof(struct ec2_permission, has_to) + 1, .doc = "Last port; ICMP: code.")
static const struct param permission_rows[] = {
	P("IpProtocol", protocol, .flags = REQUIRED, .max = 8,
	  .doc = "tcp, udp, icmp, a number, or -1 for all."),
	PORTS,
	PARAM_LIST(struct ec2_permission, "IpRanges", ranges, ip_range_params, .doc = "Peers by address."),
	PARAM_LIST(struct ec2_permission, "Groups", groups, group_pair_params, .doc = "Peers by group."),
	NOT_BUILT("Ipv6Ranges"),
	NOT_BUILT("PrefixListIds"),
};
#undef P
static const struct params permission_params = PARAMS(struct ec2_permission, permission_rows);

struct ec2_rules {
	struct rules_wish wish;
	struct ref group_name;
	struct ec2_tag_specs tag_specs;
	struct {
		const struct ec2_permission *at;
		size_t count;
	} permissions;
	/* The old flat form: one permission, one range. */
	struct str protocol;
	int64_t from_port, to_port;
	bool has_from, has_to;
	struct ec2_ip_range range;
};
#define P(wire, member, ...) PARAM(struct ec2_rules, wire, member, __VA_ARGS__)
#define FLAT_AND_PERMISSIONS                                                                                 \
	PARAM_LIST(struct ec2_rules, "IpPermissions", permissions, permission_params, .doc = "The rules."),  \
		P("IpProtocol", protocol, .max = 8, .doc = "One rule without IpPermissions: its protocol."), \
		P("FromPort", from_port, .min = -1, .max = 65535,                                            \
		  .given = offsetof(struct ec2_rules, has_from) + 1, .doc = "Its first port."),              \
		P("ToPort", to_port, .min = -1, .max = 65535,                                                \
		  .given = offsetof(struct ec2_rules, has_to) + 1, .doc = "Its last port."),                 \
		P("CidrIp", range.block, .field = offsetof(struct ec2_rules, range.field) + 1,               \
		  .doc = "Its range of addresses."),                                                         \
		NOT_BUILT("SourceSecurityGroupName"), NOT_BUILT("SourceSecurityGroupOwnerId")
#define GROUP_BY_ID_OR_NAME                                                                                  \
	P("GroupId", wish.group, .kind = KIND_SECURITY_GROUP, .doc = "The group."),                          \
		P("GroupName", group_name, .flags = BY_NAME, .kind = KIND_SECURITY_GROUP,                    \
		  .doc = "Or by name, in the default VPC.")
#define GROUP_BY_ID                                                                                          \
	P("GroupId", wish.group, .flags = REQUIRED, .kind = KIND_SECURITY_GROUP, .doc = "The group.")
#define RULE_IDS                                                                                             \
	P("SecurityGroupRuleId", wish.rule_ids, .kind = KIND_SECURITY_GROUP_RULE, .doc = "The rules, by id.")

static const struct param authorize_ingress_params[] = {GROUP_BY_ID_OR_NAME, FLAT_AND_PERMISSIONS,
							TAG_SPECIFICATIONS(struct ec2_rules, tag_specs)};
static const struct param authorize_egress_params[] = {GROUP_BY_ID, FLAT_AND_PERMISSIONS,
						       TAG_SPECIFICATIONS(struct ec2_rules, tag_specs)};
static const struct param revoke_ingress_params[] = {GROUP_BY_ID_OR_NAME, FLAT_AND_PERMISSIONS, RULE_IDS};
static const struct param revoke_egress_params[] = {GROUP_BY_ID, FLAT_AND_PERMISSIONS, RULE_IDS};
#undef P

/* ---- authorize and revoke: from permissions to rules ---- */

struct rule_vec {
	VEC(struct rule_wish) rules;
};

/* Protocol and ports; the peer comes later. */
static RESULT start_rule(struct ec2_call *e, const struct ec2_permission *p, struct rule_wish *ret_rule)
{
	*ret_rule = (struct rule_wish){.from_port = p->has_from ? p->from_port : -1,
				       .to_port = p->has_to ? p->to_port : -1};
	TRY(parse_protocol(e, p->protocol, &ret_rule->protocol));
	bool needs_ports = ret_rule->protocol == 6 || ret_rule->protocol == 17;
	if (needs_ports && (!p->has_from || !p->has_to))
		return ctx_fail_field(
			e->c, ERR_INVALID, STR("FromPort"),
			"Invalid value for portRange. Must specify both from and to ports with TCP/UDP.");
	return OK;
}

static RESULT add_rule(struct ec2_call *e, struct rule_vec *vec, const struct rule_wish *rule)
{
	return VEC_PUSH(e->c->arena, &vec->rules, *rule) ? OK : ctx_no_memory(e->c);
}

static RESULT set_peer_group(struct ec2_call *e, const struct ec2_group_pair *pair, struct rule_wish *rule)
{
	rule->peer_group = pair->id.kind != KIND_NONE ? pair->id : pair->name;
	rule->peer_router = pair->vpc;
	rule->description = pair->description;
	rule->field = rule->peer_group.field;
	if (rule->peer_group.kind == KIND_NONE)
		return ctx_fail_field(
			e->c, ERR_MISSING, STR("GroupId"),
			"The request must contain the parameter GroupId or GroupName in each of Groups");
	if (!str_is_empty(pair->user_id) && !str_equal(pair->user_id, e->owner))
		return engine_fail_not_found(e->c, KIND_SECURITY_GROUP, &rule->peer_group);
	return OK;
}

static RESULT add_permission(struct ec2_call *e, const struct ec2_permission *p, struct rule_vec *vec)
{
	struct rule_wish rule;
	TRY(start_rule(e, p, &rule));
	for (size_t k = 0; k < p->ranges.count; k++) {
		rule.peer_block = p->ranges.at[k].block;
		rule.description = p->ranges.at[k].description;
		rule.field = p->ranges.at[k].field;
		TRY(add_rule(e, vec, &rule));
	}
	rule.peer_block = (struct cidr){0};
	for (size_t k = 0; k < p->groups.count; k++) {
		TRY(set_peer_group(e, &p->groups.at[k], &rule));
		TRY(add_rule(e, vec, &rule));
	}
	return OK;
}

static RESULT add_flat_permission(struct ec2_call *e, const struct ec2_rules *a, struct rule_vec *vec)
{
	if (str_is_empty(a->protocol))
		return OK;
	if (cidr_is_none(a->range.block))
		return ctx_fail_field(e->c, ERR_MISSING, STR("CidrIp"),
				      "The request must contain the parameter CidrIp");
	const struct ec2_permission flat = {.protocol = a->protocol,
					    .from_port = a->from_port,
					    .to_port = a->to_port,
					    .has_from = a->has_from,
					    .has_to = a->has_to,
					    .ranges = {&a->range, 1}};
	return add_permission(e, &flat, vec);
}

static RESULT prepare_rules(struct ec2_call *e, struct ec2_rules *a,
			    enum security_group_rule_direction direction)
{
	struct rule_vec vec = {0};
	a->wish.direction = direction;
	TRY(params_choose(e->c, &a->wish.group, "GroupId", &a->group_name, "GroupName", &a->wish.group));
	TRY(add_flat_permission(e, a, &vec));
	for (size_t k = 0; k < a->permissions.count; k++)
		TRY(add_permission(e, &a->permissions.at[k], &vec));
	if (!vec.rules.count && !a->wish.rule_ids.count)
		return ctx_fail_field(
			e->c, ERR_MISSING, STR("IpPermissions"),
			"The request must contain the parameter IpPermissions with a range or a group");
	if (vec.rules.count && a->wish.rule_ids.count)
		return ctx_fail_field(e->c, ERR_COMBINATION, STR("SecurityGroupRuleId"),
				      "Specify either IpPermissions or SecurityGroupRuleId");
	a->wish.rules = vec.rules.at;
	a->wish.rule_count = vec.rules.count;
	return ec2_take_tags(e, &a->tag_specs, "security-group-rule", "security-group-rule", &a->wish.tags);
}

static RESULT prepare_ingress(struct ec2_call *e, void *args)
{
	return prepare_rules(e, args, SECURITY_GROUP_RULE_DIRECTION_INGRESS);
}

static RESULT prepare_egress(struct ec2_call *e, void *args)
{
	return prepare_rules(e, args, SECURITY_GROUP_RULE_DIRECTION_EGRESS);
}

/* Both directions. */
static RESULT ec2_authorize_security_group(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct rows *made = &e->change.left;
	const void **items = 0;
	(void) args;
	TRY(ec2_gather(e, &rule_listing, made->at, made->count, &items));
	xml_bool(x, "return", true);
	ec2_write_items(e, &rule_listing, items, made->count, x);
	return OK;
}

#define RULES(name, params_rows, prepare, run, shown, write, words)                                          \
	{                                                                                                    \
#name, "ec2:" #name, WRITES, PARAMS(struct ec2_rules, params_rows), prepare, run,            \
			.shows = KIND_##shown, .answer = (write), .doc = words                               \
	}
static const struct ec2_action actions[] = {
	{"DescribeSecurityGroupRules", "ec2:DescribeSecurityGroupRules", 0,
	 PARAMS(struct ec2_describe_rules, describe_rules_params), .list = &rule_listing,
	 .doc = "Rules of the account's security groups, one by one."},
	RULES(AuthorizeSecurityGroupIngress, authorize_ingress_params, prepare_ingress,
	      engine_authorize_rules_run, SECURITY_GROUP_RULE, ec2_authorize_security_group,
	      "Lets traffic in."),
	RULES(AuthorizeSecurityGroupEgress, authorize_egress_params, prepare_egress,
	      engine_authorize_rules_run, SECURITY_GROUP_RULE, ec2_authorize_security_group,
	      "Lets traffic out."),
	RULES(RevokeSecurityGroupIngress, revoke_ingress_params, prepare_ingress, engine_revoke_rules_run,
	      NONE, 0, "Removes rules for what comes in."),
	RULES(RevokeSecurityGroupEgress, revoke_egress_params, prepare_egress, engine_revoke_rules_run, NONE,
	      0, "Removes rules for what goes out."),
};
const struct ec2_actions ec2_rule_actions = ACTIONS(actions);
