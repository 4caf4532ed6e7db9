/* SPDX-License-Identifier: Apache-2.0
 * Changes rules of security groups: Authorize… and Revoke…, UpdateSecurityGroupRuleDescriptions…,
 * ModifySecurityGroupRules. Each permission of a request, with its many peers, becomes one rule per peer. */
#include "api/ec2/core/write.h"
#include "api/ec2/network/security_group_rules.h"
#include "engine/network/filter/security_group.h"
#include "model/security_group_rule.h"

static RESULT parse_protocol(struct ec2_call *e, struct str text, int64_t *ret_protocol)
{
	if (ec2_parse_protocol(text, ret_protocol))
		return OK;
	return ctx_fail_field(e->c, ERR_INVALID, STR("IpProtocol"),
			      "Invalid value '%" STR_FMT "' for IP protocol. Unknown protocol.",
			      STR_ARG(text));
}

/* ---- authorize and revoke: parameters ---- */

/* EC2's message for a malformed block in a rule, which differs from that for other blocks. */
#define NO_BLOCK .says = "CIDR block {value} is malformed"

struct ec2_ip_range {
	struct cidr block;
	struct str description, field;
};
static const struct param ip_range_rows[] = {
	PARAM(struct ec2_ip_range, "CidrIp", block, .flags = REQUIRED, NO_BLOCK,
	      .field = offsetof(struct ec2_ip_range, field) + 1, .doc = "IPv4 block of the peer."),
	PARAM(struct ec2_ip_range, "Description", description, .max = 255, .doc = "Description of the rule."),
};
static const struct params ip_range_params = PARAMS(struct ec2_ip_range, ip_range_rows);
static const struct param ipv6_range_rows[] = {
	PARAM(struct ec2_ip_range, "CidrIpv6", block, .flags = REQUIRED | IPV6, NO_BLOCK,
	      .field = offsetof(struct ec2_ip_range, field) + 1, .doc = "IPv6 block of the peer."),
	PARAM(struct ec2_ip_range, "Description", description, .max = 255, .doc = "Description of the rule."),
};
static const struct params ipv6_range_params = PARAMS(struct ec2_ip_range, ipv6_range_rows);

struct ec2_ip_ranges {
	const struct ec2_ip_range *at;
	size_t count;
};

struct ec2_group_pair {
	struct ref id, name, vpc, peering;
	struct str user_id, description, status;
};
#define P(wire, member, ...) PARAM(struct ec2_group_pair, wire, member, __VA_ARGS__)
static const struct param group_pair_rows[] = {
	P("GroupId", id, .kind = KIND_SECURITY_GROUP, .doc = "Security group by id."),
	P("GroupName", name, .flags = BY_NAME, .kind = KIND_SECURITY_GROUP,
	  .doc = "Security group by name, in the same VPC."),
	P("UserId", user_id, .max = 12,
	  .doc = "Account that owns the group: the caller's, or that of a peer VPC."),
	P("VpcId", vpc, .kind = KIND_ROUTER, .doc = "VPC of the group."),
	P("Description", description, .max = 255, .doc = "Description of the rule."),
	P("VpcPeeringConnectionId", peering, .kind = KIND_PEERING,
	  .doc = "Peering connection with the group's VPC."),
	P("PeeringStatus", status, .doc = "Accepted and ignored, so that an answer can be sent back."),
};
#undef P
static const struct params group_pair_params = PARAMS(struct ec2_group_pair, group_pair_rows);

struct ec2_list_id {
	struct ref id;
	struct str description;
};
static const struct param list_id_rows[] = {
	PARAM(struct ec2_list_id, "PrefixListId", id, .flags = REQUIRED, .kind = KIND_ADDRESS_GROUP,
	      .doc = "Prefix list by id."),
	PARAM(struct ec2_list_id, "Description", description, .max = 255, .doc = "Description of the rule."),
};
static const struct params list_id_params = PARAMS(struct ec2_list_id, list_id_rows);

struct ec2_permission {
	struct str protocol;
	int64_t from_port, to_port;
	bool has_from, has_to;
	struct ec2_ip_ranges ranges, ipv6_ranges;
	struct {
		const struct ec2_group_pair *at;
		size_t count;
	} groups;
	struct {
		const struct ec2_list_id *at;
		size_t count;
	} lists;
};
#define P(wire, member, ...) PARAM(struct ec2_permission, wire, member, __VA_ARGS__)
#define PORTS                                                                                                \
	P("FromPort", from_port, .min = -1, .max = 65535,                                                    \
	  .given = offsetof(struct ec2_permission, has_from) + 1, .doc = "First port, or the ICMP type."),   \
		P("ToPort", to_port, .min = -1, .max = 65535,                                                \
		  .given = offsetof(struct ec2_permission, has_to) + 1,                                      \
		  .doc = "Last port, or the ICMP code.")
static const struct param permission_rows[] = {
	P("IpProtocol", protocol, .flags = REQUIRED, .max = 8,
	  .doc = "tcp, udp, icmp, a protocol number, or -1 for all."),
	PORTS,
	PARAM_LIST(struct ec2_permission, "IpRanges", ranges, ip_range_params, .doc = "IPv4 peers."),
	PARAM_LIST(struct ec2_permission, "Groups", groups, group_pair_params,
		   .doc = "Peers by security group."),
	PARAM_LIST(struct ec2_permission, "Ipv6Ranges", ipv6_ranges, ipv6_range_params, .doc = "IPv6 peers."),
	PARAM_LIST(struct ec2_permission, "PrefixListIds", lists, list_id_params,
		   .doc = "Peers by prefix list."),
};
#undef P
static const struct params permission_params = PARAMS(struct ec2_permission, permission_rows);

struct ec2_rule_description {
	struct ref rule;
	struct str description;
};
static const struct param rule_description_rows[] = {
	PARAM(struct ec2_rule_description, "SecurityGroupRuleId", rule, .flags = REQUIRED,
	      .kind = KIND_SECURITY_GROUP_RULE, .doc = "Security group rule by id."),
	PARAM(struct ec2_rule_description, "Description", description, .max = 255,
	      .doc = "Description of the rule; absent: removes it."),
};
static const struct params rule_description_params =
	PARAMS(struct ec2_rule_description, rule_description_rows);

struct ec2_rules {
	struct rules_wish wish;
	struct ref group_name;
	struct ec2_tag_specs tag_specs;
	struct {
		const struct ec2_permission *at;
		size_t count;
	} permissions;
	struct {
		const struct ec2_rule_description *at;
		size_t count;
	} descriptions;
	/* The older flat form: one permission with one range. */
	struct str protocol;
	int64_t from_port, to_port;
	bool has_from, has_to;
	struct ec2_ip_range range;
};
#define P(wire, member, ...) PARAM(struct ec2_rules, wire, member, __VA_ARGS__)
#define PERMISSIONS                                                                                          \
	PARAM_LIST(struct ec2_rules, "IpPermissions", permissions, permission_params, .doc = "The rules.")
#define FLAT_AND_PERMISSIONS                                                                                 \
	PERMISSIONS,                                                                                         \
		P("IpProtocol", protocol, .max = 8,                                                          \
		  .doc = "Protocol, if the request has a single rule without IpPermissions."),               \
		P("FromPort", from_port, .min = -1, .max = 65535,                                            \
		  .given = offsetof(struct ec2_rules, has_from) + 1,                                         \
		  .doc = "First port of the single rule."),                                                  \
		P("ToPort", to_port, .min = -1, .max = 65535,                                                \
		  .given = offsetof(struct ec2_rules, has_to) + 1, .doc = "Last port of the single rule."),  \
		P("CidrIp", range.block, NO_BLOCK, .field = offsetof(struct ec2_rules, range.field) + 1,     \
		  .doc = "IPv4 block of the single rule."),                                                  \
		NOT_BUILT("SourceSecurityGroupName"), NOT_BUILT("SourceSecurityGroupOwnerId")
#define GROUP_BY_ID_OR_NAME                                                                                  \
	P("GroupId", wish.group, .kind = KIND_SECURITY_GROUP, .doc = "The security group."),                 \
		P("GroupName", group_name, .flags = BY_NAME, .kind = KIND_SECURITY_GROUP,                    \
		  .doc = "Security group by name, in the default VPC.")
#define GROUP_BY_ID                                                                                          \
	P("GroupId", wish.group, .flags = REQUIRED, .kind = KIND_SECURITY_GROUP, .doc = "The security group.")
#define RULE_IDS                                                                                             \
	P("SecurityGroupRuleId", wish.rule_ids, .kind = KIND_SECURITY_GROUP_RULE, .doc = "Rules by id.")

static const struct param authorize_ingress_params[] = {GROUP_BY_ID_OR_NAME, FLAT_AND_PERMISSIONS,
							TAG_SPECIFICATIONS(struct ec2_rules, tag_specs)};
static const struct param authorize_egress_params[] = {GROUP_BY_ID, FLAT_AND_PERMISSIONS,
						       TAG_SPECIFICATIONS(struct ec2_rules, tag_specs)};
static const struct param revoke_ingress_params[] = {GROUP_BY_ID_OR_NAME, FLAT_AND_PERMISSIONS, RULE_IDS};
static const struct param revoke_egress_params[] = {GROUP_BY_ID, FLAT_AND_PERMISSIONS, RULE_IDS};
static const struct param descriptions_params[] = {
	GROUP_BY_ID_OR_NAME,
	PERMISSIONS,
	PARAM_LIST(struct ec2_rules, "SecurityGroupRuleDescription", descriptions, rule_description_params,
		   .doc = "Rules by id, with their descriptions."),
};
#undef P

/* ---- authorize and revoke: from permissions to rules ---- */

struct rule_vec {
	VEC(struct rule_wish) rules;
};

/* Reads protocol and ports; the peer is read later. */
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
	rule->peering = pair->peering;
	rule->peer_owner = pair->user_id;
	rule->description = pair->description;
	rule->field = rule->peer_group.field;
	if (rule->peer_group.kind == KIND_NONE)
		return ctx_fail_field(
			e->c, ERR_MISSING, STR("GroupId"),
			"The request must contain the parameter groupId or groupName in each of groups");
	return OK;
}

static RESULT add_ranges(struct ec2_call *e, const struct ec2_ip_ranges *ranges, struct rule_wish rule,
			 struct rule_vec *vec)
{
	for (size_t k = 0; k < ranges->count; k++) {
		rule.peer_block = ranges->at[k].block;
		rule.description = ranges->at[k].description;
		rule.field = ranges->at[k].field;
		TRY(add_rule(e, vec, &rule));
	}
	return OK;
}

static RESULT add_permission(struct ec2_call *e, const struct ec2_permission *p, struct rule_vec *vec)
{
	struct rule_wish rule;
	TRY(start_rule(e, p, &rule));
	TRY(add_ranges(e, &p->ranges, rule, vec));
	TRY(add_ranges(e, &p->ipv6_ranges, rule, vec));
	for (size_t k = 0; k < p->groups.count; k++) {
		TRY(set_peer_group(e, &p->groups.at[k], &rule));
		TRY(add_rule(e, vec, &rule));
	}
	TRY(start_rule(e, p, &rule));
	rule.is_of_their_family = true;
	for (size_t k = 0; k < p->lists.count; k++) {
		rule.peer_addresses = p->lists.at[k].id;
		rule.description = p->lists.at[k].description;
		rule.field = p->lists.at[k].id.field;
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
				      "The request must contain the parameter cidrIp");
	const struct ec2_permission flat = {.protocol = a->protocol,
					    .from_port = a->from_port,
					    .to_port = a->to_port,
					    .has_from = a->has_from,
					    .has_to = a->has_to,
					    .ranges = {&a->range, 1}};
	return add_permission(e, &flat, vec);
}

static RESULT add_descriptions(struct ec2_call *e, const struct ec2_rules *a, struct rule_vec *vec)
{
	for (size_t k = 0; k < a->descriptions.count; k++) {
		const struct ec2_rule_description *d = &a->descriptions.at[k];
		const struct rule_wish rule = {
			.rule = d->rule, .description = d->description, .field = d->rule.field};
		TRY(add_rule(e, vec, &rule));
	}
	return OK;
}

static RESULT prepare_rules(struct ec2_call *e, struct ec2_rules *a,
			    enum security_group_rule_direction direction)
{
	struct rule_vec vec = {0};
	a->wish.direction = direction;
	a->wish.is_ec2s = true;
	TRY(request_choose(e->c, &a->wish.group, "GroupId", &a->group_name, "GroupName", &a->wish.group));
	TRY(add_flat_permission(e, a, &vec));
	for (size_t k = 0; k < a->permissions.count; k++)
		TRY(add_permission(e, &a->permissions.at[k], &vec));
	if (vec.rules.count && a->descriptions.count)
		return ctx_fail_field(e->c, ERR_COMBINATION, STR("SecurityGroupRuleDescription"),
				      "Specify either IpPermissions or SecurityGroupRuleDescription");
	TRY(add_descriptions(e, a, &vec));
	if (!vec.rules.count && !a->wish.rule_ids.count)
		return ctx_fail_field(
			e->c, ERR_MISSING, STR("IpPermissions"),
			"The request must contain the parameter ipPermissions with a range or a group");
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

/* Answer for both directions. */
static RESULT ec2_authorize_security_group(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct rows *made = &e->change.returned;
	const void **items = 0;
	(void) args;
	TRY(ec2_gather(e, &ec2_rule_listing, made->at, made->count, &items));
	xml_bool(x, "return", true);
	ec2_write_items(e, &ec2_rule_listing, items, made->count, x);
	return OK;
}

static void write_revoked(struct ec2_call *e, struct xml *x, const struct security_group_rules *revoked)
{
	xml_open(x, "revokedSecurityGroupRuleSet");
	for (size_t k = 0; k < revoked->count; k++) {
		const struct security_group_rule *r = &revoked->at[k];
		if (!ec2_shows_rule(r))
			continue;
		xml_open(x, "item");
		ec2_write_id(x, "securityGroupRuleId", KIND_SECURITY_GROUP_RULE, r->row.id);
		ec2_write_id(x, "groupId", KIND_SECURITY_GROUP, r->group);
		ec2_write_rule(e, x, r);
		ec2_write_id(x, "referencedGroupId", KIND_SECURITY_GROUP, r->peer_group);
		xml_text_opt(x, "description", r->description);
		xml_close(x, "item");
	}
	xml_close(x, "revokedSecurityGroupRuleSet");
}

static RESULT ec2_revoke_security_group(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct ec2_rules *a = args;
	const struct rules_wish *wish = &a->wish;
	struct ec2_shown_rules unknown = {0};
	for (size_t k = 0; k < wish->unknown.count; k++)
		if (!ec2_show_rule(e, ec2_tables(e), &wish->unknown.at[k], &unknown))
			return ctx_no_memory(e->c);
	ec2_release_tables(e);
	xml_bool(x, "return", true);
	if (unknown.rules.count)
		ec2_write_permissions(e, x, "unknownIpPermissionSet", &unknown, wish->direction);
	write_revoked(e, x, &wish->revoked);
	return OK;
}

/* ---- modify ---- */

struct ec2_rule_change {
	struct ref rule;
	struct str protocol, description;
	int64_t from_port, to_port;
	bool has_from, has_to;
	struct cidr block, ipv6_block;
	struct ref peer, list;
	struct str field;
};
#define P(wire, member, ...) PARAM(struct ec2_rule_change, wire, member, __VA_ARGS__)
#define OF(wire) "SecurityGroupRule." wire
static const struct param rule_change_rows[] = {
	P("SecurityGroupRuleId", rule, .flags = REQUIRED, .kind = KIND_SECURITY_GROUP_RULE,
	  .doc = "Security group rule by id."),
	P(OF("IpProtocol"), protocol, .max = 8, .field = offsetof(struct ec2_rule_change, field) + 1,
	  .doc = "New protocol: tcp, udp, icmp, a protocol number, or -1 for all."),
	P(OF("FromPort"), from_port, .min = -1, .max = 65535,
	  .given = offsetof(struct ec2_rule_change, has_from) + 1, .doc = "First port, or the ICMP type."),
	P(OF("ToPort"), to_port, .min = -1, .max = 65535,
	  .given = offsetof(struct ec2_rule_change, has_to) + 1, .doc = "Last port, or the ICMP code."),
	P(OF("CidrIpv4"), block, NO_BLOCK, .doc = "New peer: an IPv4 block."),
	P(OF("CidrIpv6"), ipv6_block, .flags = IPV6, NO_BLOCK, .doc = "New peer: an IPv6 block."),
	P(OF("ReferencedGroupId"), peer, .kind = KIND_SECURITY_GROUP, .doc = "New peer: a security group."),
	P(OF("PrefixListId"), list, .kind = KIND_ADDRESS_GROUP, .doc = "New peer: a prefix list."),
	P(OF("Description"), description, .max = 255, .doc = "Description of the rule; absent: removes it."),
};
#undef OF
#undef P
static const struct params rule_change_params = PARAMS(struct ec2_rule_change, rule_change_rows);

struct ec2_modify_rules {
	struct rules_wish wish;
	struct {
		const struct ec2_rule_change *at;
		size_t count;
	} changes;
};
static const struct param modify_rules_params[] = {
	PARAM(struct ec2_modify_rules, "GroupId", wish.group, .flags = REQUIRED, .kind = KIND_SECURITY_GROUP,
	      .doc = "The security group."),
	PARAM_LIST(struct ec2_modify_rules, "SecurityGroupRule", changes, rule_change_params,
		   .flags = REQUIRED, .doc = "Rules to change, with their new values."),
};

#define PEERS "cidrIp, cidrIpv6, prefixListId, or referencedGroupId"
static RESULT add_change(struct ec2_call *e, const struct ec2_rule_change *change, struct rule_vec *vec)
{
	const struct ec2_permission like = {.protocol = change->protocol,
					    .from_port = change->from_port,
					    .to_port = change->to_port,
					    .has_from = change->has_from,
					    .has_to = change->has_to};
	struct rule_wish rule;
	size_t peers = !cidr_is_none(change->block) + !cidr_is_none(change->ipv6_block) +
		       (change->peer.kind != KIND_NONE) + (change->list.kind != KIND_NONE);
	if (str_is_empty(change->protocol))
		return ctx_fail_field(e->c, ERR_INVALID, change->field,
				      "Invalid value 'null' for protocol. VPC security group rules must "
				      "specify protocols explicitly.");
	TRY(start_rule(e, &like, &rule));
	if (peers != 1)
		return ctx_fail_field(e->c, peers ? ERR_COMBINATION : ERR_MISSING, change->field,
				      peers ? "Only one of " PEERS " can be specified"
					    : "The request must contain exactly one of: " PEERS);
	rule.rule = change->rule;
	rule.peer_block = cidr_is_none(change->block) ? change->ipv6_block : change->block;
	rule.peer_group = change->peer;
	rule.peer_addresses = change->list;
	rule.is_of_their_family = true;
	rule.description = change->description;
	rule.field = change->field;
	return add_rule(e, vec, &rule);
}

static RESULT prepare_modify(struct ec2_call *e, void *args)
{
	struct ec2_modify_rules *a = args;
	struct rule_vec vec = {0};
	for (size_t k = 0; k < a->changes.count; k++)
		TRY(add_change(e, &a->changes.at[k], &vec));
	a->wish.rules = vec.rules.at;
	a->wish.rule_count = vec.rules.count;
	return OK;
}

#define RULES(word, rows, ready, run, shown, write, words)                                                   \
	{                                                                                                    \
		EC2_ACTION(word), .flags = API_WRITES, .args = PARAMS(struct ec2_rules, rows),               \
				  .prepare = ready, .operation = run, .returns = KIND_##shown,               \
				  .answer = (write), .doc = words                                            \
	}
static const struct ec2_action actions[] = {
	RULES("AuthorizeSecurityGroupIngress", authorize_ingress_params, prepare_ingress,
	      engine_authorize_rules_run, SECURITY_GROUP_RULE, ec2_authorize_security_group,
	      "Adds rules for incoming traffic."),
	RULES("AuthorizeSecurityGroupEgress", authorize_egress_params, prepare_egress,
	      engine_authorize_rules_run, SECURITY_GROUP_RULE, ec2_authorize_security_group,
	      "Adds rules for outgoing traffic."),
	RULES("RevokeSecurityGroupIngress", revoke_ingress_params, prepare_ingress, engine_revoke_rules_run,
	      NONE, ec2_revoke_security_group, "Removes rules for incoming traffic."),
	RULES("RevokeSecurityGroupEgress", revoke_egress_params, prepare_egress, engine_revoke_rules_run,
	      NONE, ec2_revoke_security_group, "Removes rules for outgoing traffic."),
	RULES("UpdateSecurityGroupRuleDescriptionsIngress", descriptions_params, prepare_ingress,
	      engine_update_rule_descriptions_run, NONE, 0,
	      "Changes the descriptions of rules for incoming traffic."),
	RULES("UpdateSecurityGroupRuleDescriptionsEgress", descriptions_params, prepare_egress,
	      engine_update_rule_descriptions_run, NONE, 0,
	      "Changes the descriptions of rules for outgoing traffic."),
	{EC2_ACTION("ModifySecurityGroupRules"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_modify_rules, modify_rules_params), .prepare = prepare_modify,
	 .operation = engine_modify_rules_run, .doc = "Changes security group rules, which keep their ids."},
};
const struct api_actions ec2_rule_change_actions = API_ACTIONS(actions);
