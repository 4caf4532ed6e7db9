/* SPDX-License-Identifier: Apache-2.0
 * Shows rules of security groups: one by one (DescribeSecurityGroupRules), and as a group's permissions,
 * each with many peers. */
#include "api/ec2/network/security_group_rules.h"

#include "api/ec2/core/write.h"
#include "model/security_group_rule.h"
#include "model/states.h"
#include "store/peering.h"
#include "store/security_group.h"

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

bool ec2_parse_protocol(struct str text, int64_t *ret_protocol)
{
	for (size_t k = 0; k < sizeof protocols / sizeof protocols[0]; k++) {
		if (!str_equal_nocase(text, str_from(protocols[k].word)))
			continue;
		*ret_protocol = protocols[k].number;
		return true;
	}
	return result_is_ok(str_parse_int(text, ret_protocol)) && *ret_protocol >= 0 && *ret_protocol <= 255;
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
	return !rule->is_ipv6 || uuid_is_none(rule->peer_group); /* hidden: the IPv4 twin stands for both */
}

enum peers { PEERS_GROUPS, PEERS_V4, PEERS_V6, PEERS_LISTS };

static enum peers peers_of(const struct security_group_rule *rule)
{
	if (!uuid_is_none(rule->peer_group))
		return PEERS_GROUPS;
	if (!uuid_is_none(rule->peer_address_group))
		return PEERS_LISTS;
	return rule->peer_block.base.family == IP_V6 ? PEERS_V6 : PEERS_V4;
}

static bool has_peers(const struct security_group_rule *const *rules, size_t count, enum peers peers)
{
	for (size_t k = 0; k < count; k++)
		if (is_same_permission(rules[k], rules[0]) && peers_of(rules[k]) == peers)
			return true;
	return false;
}

static struct ec2_rule_peer find_peer(const struct tables *t, const struct security_group_rule *rule)
{
	const struct security_group *group = security_group_find(t, rule->peer_group);
	const struct peering *peering = peering_find(t, rule->peering);
	bool is_there = group && row_is_live(&group->row);
	return (struct ec2_rule_peer){
		.rule = rule,
		.owner = is_there ? ec2_owner_number(t, group->account) : STR_NONE,
		.router = is_there ? group->router : UUID_NONE,
		.status =
			model_peering_states[peering ? model_derive_peering_state(peering) : PEERING_DELETED]
				.ec2};
}

bool ec2_show_rule(struct ec2_call *e, const struct tables *t, const struct security_group_rule *rule,
		   struct ec2_shown_rules *shown)
{
	struct arena *a = e->c->arena;
	if (!uuid_is_none(rule->peering) && !VEC_PUSH(a, &shown->peers, find_peer(t, rule)))
		return false;
	return VEC_PUSH(a, &shown->rules, rule);
}

static const struct ec2_rule_peer *peer_of(const struct ec2_shown_rules *shown,
					   const struct security_group_rule *rule)
{
	for (size_t k = 0; k < shown->peers.count; k++)
		if (shown->peers.at[k].rule == rule)
			return &shown->peers.at[k];
	return NULL;
}

static void write_pair(struct ec2_call *e, struct xml *x, const struct security_group_rule *rule,
		       const struct ec2_rule_peer *peer)
{
	xml_text_opt(x, "userId", peer ? peer->owner : e->owner);
	ec2_write_id(x, "groupId", KIND_SECURITY_GROUP, rule->peer_group);
	if (!peer)
		return;
	ec2_write_id(x, "vpcId", KIND_ROUTER, peer->router);
	ec2_write_id(x, "vpcPeeringConnectionId", KIND_PEERING, rule->peering);
	xml_z(x, "peeringStatus", peer->status);
}

/* Writes the peers of a permission: those of all rules from number `from` on that equal the first rule in direction, protocol and
 * ports. */
static void write_peers(struct ec2_call *e, struct xml *x, const struct ec2_shown_rules *shown, size_t from,
			enum peers peers)
{
	const struct security_group_rule *const *rules = shown->rules.at + from;
	size_t count = shown->rules.count - from;
	static const char *const sets[] = {"groups", "ipRanges", "ipv6Ranges", "prefixListIds"};
	static const char *const members[] = {NULL, "cidrIp", "cidrIpv6", "prefixListId"};
	xml_open(x, sets[peers]);
	for (size_t k = 0; k < count; k++) {
		const struct security_group_rule *r = rules[k];
		if (!is_same_permission(r, rules[0]) || peers_of(r) != peers)
			continue;
		xml_open(x, "item");
		if (peers == PEERS_GROUPS) {
			write_pair(e, x, r, peer_of(shown, r));
		} else if (peers == PEERS_LISTS) {
			ec2_write_id(x, members[peers], KIND_ADDRESS_GROUP, r->peer_address_group);
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

/* Writes an empty set if there are no peers; stale permissions leave it out. */
static void write_more_peers(struct ec2_call *e, struct xml *x, const struct ec2_shown_rules *shown,
			     size_t from, enum peers peers, const char *empty)
{
	if (has_peers(shown->rules.at + from, shown->rules.count - from, peers))
		write_peers(e, x, shown, from, peers);
	else if (!shown->is_stale)
		xml_empty(x, empty);
}

void ec2_write_permissions(struct ec2_call *e, struct xml *x, const char *set,
			   const struct ec2_shown_rules *shown, enum security_group_rule_direction direction)
{
	const struct security_group_rule *const *rules = shown->rules.at;
	xml_open(x, set);
	for (size_t k = 0; k < shown->rules.count; k++) {
		if (rules[k]->direction != direction || !is_first_of_permission(rules, k))
			continue;
		xml_open(x, "item");
		xml_text(x, "ipProtocol", ec2_protocol_word(e->c->arena, rules[k]->protocol));
		if (rules[k]->protocol != -1)
			write_ports(x, rules[k]);
		write_peers(e, x, shown, k, PEERS_GROUPS);
		write_peers(e, x, shown, k, PEERS_V4);
		write_more_peers(e, x, shown, k, PEERS_V6, "ipv6Ranges");
		write_more_peers(e, x, shown, k, PEERS_LISTS, "prefixListIds");
		xml_close(x, "item");
	}
	xml_close(x, set);
}

/* ---- describe ---- */

struct rule_item {
	const struct security_group_rule *rule;
	const struct security_group *peer;
	struct ec2_rule_peer over; /* rule NULL: the peer is no group of another VPC */
};

static bool is_shown(struct ec2_call *e, const struct row *row)
{
	(void) e;
	return ec2_shows_rule(security_group_rule_of(row));
}

static const void *gather_rule(struct ec2_call *e, const struct row *row)
{
	struct rule_item *item = arena_new_object(e->c->arena, struct rule_item);
	if (!item)
		return 0;
	item->rule = security_group_rule_of(row);
	if (!uuid_is_none(item->rule->peer_group))
		item->peer = security_group_find(ec2_tables(e), item->rule->peer_group);
	if (!uuid_is_none(item->rule->peering))
		item->over = find_peer(ec2_tables(e), item->rule);
	return item;
}

void ec2_write_rule(struct ec2_call *e, struct xml *x, const struct security_group_rule *r)
{
	xml_bool(x, "isEgress", r->direction == SECURITY_GROUP_RULE_DIRECTION_EGRESS);
	xml_text(x, "ipProtocol", ec2_protocol_word(e->c->arena, r->protocol));
	write_ports(x, r);
	ec2_write_cidr(x, r->peer_block.base.family == IP_V6 ? "cidrIpv6" : "cidrIpv4", r->peer_block);
	ec2_write_id(x, "prefixListId", KIND_ADDRESS_GROUP, r->peer_address_group);
}

static void write_rule(struct ec2_call *e, struct xml *x, const void *item)
{
	const struct rule_item *i = item;
	const struct security_group_rule *r = i->rule;
	ec2_write_id(x, "securityGroupRuleId", KIND_SECURITY_GROUP_RULE, r->row.id);
	ec2_write_id(x, "groupId", KIND_SECURITY_GROUP, r->group);
	xml_text(x, "groupOwnerId", e->owner);
	ec2_write_rule(e, x, r);
	if (i->over.rule) {
		xml_open(x, "referencedGroupInfo");
		write_pair(e, x, r, &i->over);
		xml_close(x, "referencedGroupInfo");
	} else if (i->peer) {
		xml_open(x, "referencedGroupInfo");
		ec2_write_id(x, "groupId", KIND_SECURITY_GROUP, i->peer->row.id);
		xml_text(x, "userId", e->owner); /* EC2 shows the VPC only of a group over a peering */
		xml_close(x, "referencedGroupInfo");
	}
	xml_text_opt(x, "description", r->description);
	ec2_write_tags(x, r->tags);
	ec2_write_arn(e, x, "securityGroupRuleArn", "security-group-rule", KIND_SECURITY_GROUP_RULE,
		      r->row.id);
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
	{"group-id", .field = "group", .id_of = KIND_SECURITY_GROUP,
	 .index = SECURITY_GROUP_RULE_INDEX_GROUP},
	{"security-group-rule-id", .is_id = true},
};

const struct ec2_listing ec2_rule_listing = {.kind = KIND_SECURITY_GROUP_RULE,
					     .set = "securityGroupRuleSet",
					     .filters = FILTERS(rule_filters),
					     .shows = is_shown,
					     .gather = gather_rule,
					     .write = write_rule};

static const struct ec2_action actions[] = {
	{EC2_ACTION("DescribeSecurityGroupRules"),
	 .args = PARAMS(struct ec2_describe_rules, describe_rules_params), .list = &ec2_rule_listing,
	 .doc = "Lists the rules of the account's security groups."},
};
const struct api_actions ec2_rule_actions = API_ACTIONS(actions);
