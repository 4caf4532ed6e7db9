/* SPDX-License-Identifier: Apache-2.0
 * Network ACLs with their entries and associations. The last entry of each direction, which denies
 * everything else, is shown but has no row. */
#include <inttypes.h>

#include "api/ec2/core/list.h"
#include "api/ec2/core/write.h"
#include "api/ec2/network/security_group_rules.h"
#include "engine/network/filter/network_acl.h"
#include "model/network_acl.h"
#include "store/network_acl_entry.h"
#include "store/subnet.h"

enum { PROTOCOL_ICMP6 = 58 };
enum { PROTOCOL_ICMP = 1, PROTOCOL_TCP = 6, PROTOCOL_UDP = 17 };

/* ---- items ---- */

static const struct cidr all_of_ipv4 = {{.family = IP_V4}, 0};
static const struct network_acl_entry last_entries[2] = {
	{.number = 32767, .protocol = -1, .from_port = -1, .to_port = -1, .blocks = {&all_of_ipv4, 1}},
	{.number = 32767,
	 .egress = true,
	 .protocol = -1,
	 .from_port = -1,
	 .to_port = -1,
	 .blocks = {&all_of_ipv4, 1}},
};

/* Next entry in the order shown: ingress before egress, by number, and at the end of each the default
 * entry. */
static const struct network_acl_entry *next_entry(const struct tables *t, const struct row *acl,
						  const struct network_acl_entry *entry)
{
	const struct network_acl_entry *next = NULL;
	if (entry == &last_entries[0])
		return &last_entries[1];
	if (entry == &last_entries[1])
		return NULL;
	next = entry ? network_acl_entry_next_by_acl(t, entry) : network_acl_entry_first_by_acl(t, acl->id);
	return next ? next : &last_entries[0];
}

static bool is_icmp(int64_t protocol)
{
	return protocol == PROTOCOL_ICMP || protocol == PROTOCOL_ICMP6;
}

static bool has_ports(int64_t protocol)
{
	return protocol == PROTOCOL_TCP || protocol == PROTOCOL_UDP;
}

/* An entry of EC2's has one block: a row with several blocks is shown as several entries of the same
 * number. */
struct shown_entry {
	struct row row; /* no row of the store */
	int64_t number, protocol, from_port, to_port;
	bool allows, egress;
	struct cidr block;
};

static struct attribute_rows list_entries(struct api_call *e, const struct row *row)
{
	const struct tables *t = api_tables(e);
	VEC(const struct shown_entry *) all = {0};
	for (const struct network_acl_entry *n = next_entry(t, row, 0); n; n = next_entry(t, row, n)) {
		for (size_t k = 0; k < n->blocks.count; k++) {
			struct shown_entry *shown = arena_new_object(e->c->arena, struct shown_entry);
			if (!shown)
				return (struct attribute_rows){0};
			*shown = (struct shown_entry){.number = n->number,
						      .protocol = n->protocol,
						      .from_port = n->from_port,
						      .to_port = n->to_port,
						      .allows = n->allows,
						      .egress = n->egress,
						      .block = n->blocks.at[k]};
			(void) VEC_PUSH(e->c->arena, &all, shown);
		}
	}
	return (struct attribute_rows){all.at, all.count};
}

static const void *find_icmp(struct api_call *e, const struct row *row)
{
	(void) e;
	return is_icmp(((const struct shown_entry *) row)->protocol) ? row : NULL;
}

static const void *find_ports(struct api_call *e, const struct row *row)
{
	(void) e;
	return has_ports(((const struct shown_entry *) row)->protocol) ? row : NULL;
}

#define WITHIN .flags = ATTRIBUTE_FILTERS_WITHIN
static const struct attribute icmp_rows[] = {
	ATTRIBUTE(shown_entry, "code", to_port, .filter = "entry.icmp.code"),
	ATTRIBUTE(shown_entry, "type", from_port, .filter = "entry.icmp.type"),
};
static const struct attributes icmp_members = ATTRIBUTES(icmp_rows);
static const struct attribute port_rows[] = {
	ATTRIBUTE(shown_entry, "from", from_port, .filter = "entry.port-range.from"),
	ATTRIBUTE(shown_entry, "to", to_port, .filter = "entry.port-range.to"),
};
static const struct attributes port_members = ATTRIBUTES(port_rows);
static const char *const action_words[] = {"deny", "allow"};
static const struct attribute entry_rows[] = {
	ATTRIBUTE(shown_entry, "ruleNumber", number, .filter = "entry.rule-number"),
	ATTRIBUTE(shown_entry, "protocol", protocol),
	ATTRIBUTE(shown_entry, "ruleAction", allows, .words = action_words, .filter = "entry.rule-action"),
	ATTRIBUTE(shown_entry, "egress", egress, .filter = "entry.egress"),
	ATTRIBUTE(shown_entry, "cidrBlock", block, .flags = ATTRIBUTE_V4, .filter = "entry.cidr"),
	ATTRIBUTE(shown_entry, "ipv6CidrBlock", block, .flags = ATTRIBUTE_V6, .filter = "entry.ipv6-cidr"),
	ATTRIBUTE_WITHIN_OF("icmpTypeCode", icmp_members, find_icmp, WITHIN),
	ATTRIBUTE_WITHIN_OF("portRange", port_members, find_ports, WITHIN),
};
static const struct attributes entry_members = ATTRIBUTES(entry_rows);
static const struct attribute association_rows[] = {
	ATTRIBUTE_PREFIXED(subnet, "networkAclAssociationId", acl_association, "aclassoc",
			   .filter = "association.association-id"),
	ATTRIBUTE_REF(subnet, "networkAclId", acl, KIND_NETWORK_ACL, .filter = "association.network-acl-id",
		      ATTRIBUTE_PATHS({KIND_NETWORK_ACL})),
	ATTRIBUTE_OWN_ID(subnet, "subnetId", KIND_SUBNET, .filter = "association.subnet-id",
			 ATTRIBUTE_PATHS({KIND_SUBNET, .joins = {JOIN_ONE(KIND_NETWORK_ACL, subnet, acl)}})),
};
static const struct attributes association_members = ATTRIBUTES(association_rows);
static const struct attribute acl_rows[] = {
	ATTRIBUTE_OWN_ID(network_acl, "networkAclId", KIND_NETWORK_ACL, .filter = "network-acl-id"),
	ATTRIBUTE_REF(network_acl, "vpcId", router, KIND_ROUTER, .filter = "vpc-id",
		      .index = NETWORK_ACL_INDEX_ROUTER),
	EC2_OWNER("ownerId", .filter = "owner-id"),
	ATTRIBUTE(network_acl, "default", is_default, .filter = "default"),
	ATTRIBUTE_ROWS("entrySet", entry_members, list_entries, WITHIN),
	ATTRIBUTE_EACH("associationSet", association_members, KIND_SUBNET, SUBNET_INDEX_ACL, WITHIN),
	ATTRIBUTE(network_acl, "tagSet", tags),
};
static const struct attributes acl_members = ATTRIBUTES(acl_rows);

/* ---- describe ---- */

struct ec2_describe_acls {
	struct ec2_query query;
};
static const struct param describe_acls_params[] = {
	QUERY_IDS(struct ec2_describe_acls, "NetworkAclId", KIND_NETWORK_ACL, "Lists by id."),
	QUERY_FILTERS(struct ec2_describe_acls),
	QUERY_PAGES(struct ec2_describe_acls, 5, 1000),
};

/* Compares the protocol by number, and by name if it has one. */
static bool fits_protocol(const struct filter_run *f, const struct row *row)
{
	static const char *const words[] = {
		[PROTOCOL_ICMP] = "icmp", [PROTOCOL_TCP] = "tcp", [PROTOCOL_UDP] = "udp"};
	for (const struct network_acl_entry *n = next_entry(f->t, row, 0); n; n = next_entry(f->t, row, n)) {
		bool is_named = n->protocol >= 0 && n->protocol <= PROTOCOL_UDP && words[n->protocol];
		if (filter_int(f, n->protocol) || (is_named && filter_z(f, words[n->protocol])))
			return true;
	}
	return false;
}

static const struct filter acl_filters[] = {{"entry.protocol", .get = fits_protocol}};
static const struct ec2_listing acl_listing = {.kind = KIND_NETWORK_ACL,
					       .set = "networkAclSet",
					       .filters = FILTERS_AND(acl_filters, acl_members),
					       .attributes = &acl_members};

/* ---- lists ---- */

struct ec2_create_acl {
	struct network_acl_wish wish;
	struct ec2_tag_specs tag_specs;
};
static const struct param create_acl_params[] = {
	PARAM(struct ec2_create_acl, "VpcId", wish.router, .flags = REQUIRED, .kind = KIND_ROUTER,
	      .doc = "The VPC."),
	PARAM(struct ec2_create_acl, "ClientToken", wish.client_token, .max = 64,
	      .doc = "Idempotency token of the request."),
	TAG_SPECIFICATIONS(struct ec2_create_acl, tag_specs),
};

static RESULT ec2_create_network_acl(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct ec2_create_acl *a = args;
	TRY(ec2_write_returned(e, &acl_listing, a->wish.acl, "networkAcl", x));
	xml_text_opt(x, "clientToken", a->wish.client_token);
	return OK;
}

static const struct param delete_acl_params[] = {
	PARAM(struct network_acl_target, "NetworkAclId", acl, .flags = REQUIRED, .kind = KIND_NETWORK_ACL,
	      .doc = "The network ACL."),
};

/* ---- entries ---- */

struct ec2_acl_entry {
	struct network_acl_entry_wish wish;
	struct str protocol, action;
	struct cidr block, ipv6;
	int64_t port_from, port_to, icmp_type, icmp_code;
	bool has_from, has_to, has_type, has_code;
};
#define P(wire, member, ...) PARAM(struct ec2_acl_entry, wire, member, __VA_ARGS__)
#define GIVEN(member) .given = offsetof(struct ec2_acl_entry, member) + 1
#define PLACE                                                                                                \
	P("NetworkAclId", wish.acl, .flags = REQUIRED, .kind = KIND_NETWORK_ACL, .doc = "The network ACL."), \
		P("RuleNumber", wish.number, .flags = REQUIRED, .min = 1, .max = NETWORK_ACL_NUMBER_MAX,     \
		  .doc = "Rule number. The matching entry with the lowest number decides."),                 \
		P("Egress", wish.egress, .flags = REQUIRED,                                                  \
		  .doc = "true: the entry is for traffic that leaves the subnet; false: for traffic that "   \
			 "enters it.")
static const struct param entry_params[] = {
	PLACE,
	P("Protocol", protocol, .flags = REQUIRED, .max = 8,
	  .doc = "tcp, udp, icmp, a protocol number, or -1 for all."),
	P("RuleAction", action, .flags = REQUIRED, .words = "allow|deny",
	  .doc = "Whether the entry allows or denies the traffic."),
	P("CidrBlock", block, .doc = "IPv4 block of the peer."),
	P("Ipv6CidrBlock", ipv6, .flags = IPV6, .doc = "IPv6 block of the peer, instead of the IPv4 block."),
	P("PortRange.From", port_from, .max = 65535, GIVEN(has_from), .doc = "First port, for TCP and UDP."),
	P("PortRange.To", port_to, .max = 65535, GIVEN(has_to), .doc = "Last port, for TCP and UDP."),
	P("Icmp.Type", icmp_type, .min = -1, .max = 255, GIVEN(has_type),
	  .doc = "ICMP or ICMPv6 type; -1: all."),
	P("Icmp.Code", icmp_code, .min = -1, .max = 255, GIVEN(has_code),
	  .doc = "ICMP or ICMPv6 code; -1: all."),
};
static const struct param delete_entry_params[] = {PLACE};
#undef PLACE
#undef GIVEN
#undef P

static RESULT need_both(struct ec2_call *e, bool has_first, bool has_second, const char *first,
			const char *second)
{
	const char *missing = has_first ? second : first;
	if (has_first && has_second)
		return OK;
	return ctx_fail_field(e->c, ERR_MISSING, str_from(missing),
			      "The request must contain the parameter %" STR_FMT " with this protocol",
			      STR_ARG(params_small_name(e->c->arena, str_from(missing))));
}

static RESULT take_ports(struct ec2_call *e, struct ec2_acl_entry *a)
{
	TRY(need_both(e, a->has_from, a->has_to, "PortRange.From", "PortRange.To"));
	a->wish.from_port = a->port_from;
	a->wish.to_port = a->port_to;
	if (a->port_from <= a->port_to)
		return OK;
	return ctx_fail_field(e->c, ERR_INVALID, STR("PortRange.From"),
			      "Value (%" PRId64
			      ") for parameter portRange.from is invalid: it is greater than "
			      "portRange.to.",
			      a->port_from);
}

static RESULT take_icmp(struct ec2_call *e, struct ec2_acl_entry *a)
{
	TRY(need_both(e, a->has_type, a->has_code, "Icmp.Type", "Icmp.Code"));
	a->wish.from_port = a->icmp_type;
	a->wish.to_port = a->icmp_code;
	if (a->icmp_type >= 0 || a->icmp_code < 0)
		return OK;
	return ctx_fail_field(e->c, ERR_INVALID, STR("Icmp.Code"),
			      "Value (%" PRId64
			      ") for parameter icmp.code is invalid: all types have all codes.",
			      a->icmp_code);
}

/* Takes the one block, IPv4 or IPv6. */
static RESULT take_block(struct ec2_call *e, struct ec2_acl_entry *a)
{
	bool has_ipv4 = !cidr_is_none(a->block), has_ipv6 = !cidr_is_none(a->ipv6);
	if (has_ipv4 && has_ipv6)
		return ctx_fail_field(e->c, ERR_COMBINATION, STR("Ipv6CidrBlock"),
				      "An entry has one block: CidrBlock or Ipv6CidrBlock.");
	if (!has_ipv4 && !has_ipv6)
		return ctx_fail_field(e->c, ERR_MISSING, STR("CidrBlock"),
				      "The request must contain the parameter cidrBlock or ipv6CidrBlock");
	a->wish.blocks = (struct cidrs){has_ipv6 ? &a->ipv6 : &a->block, 1};
	return OK;
}

static RESULT prepare_entry(struct ec2_call *e, void *args)
{
	struct ec2_acl_entry *a = args;
	a->wish.allows = str_is(a->action, "allow");
	a->wish.from_port = a->wish.to_port = -1;
	TRY(take_block(e, a));
	bool is_ipv6 = !cidr_is_none(a->ipv6);
	if (!ec2_parse_protocol(a->protocol, &a->wish.protocol) ||
	    a->wish.protocol == (is_ipv6 ? PROTOCOL_ICMP : PROTOCOL_ICMP6))
		return ctx_fail_field(e->c, ERR_INVALID, STR("Protocol"),
				      "Invalid value '%" STR_FMT "' for IP protocol. %s",
				      STR_ARG(a->protocol),
				      a->wish.protocol == PROTOCOL_ICMP6  ? "It needs an IPv6 CIDR block."
				      : a->wish.protocol == PROTOCOL_ICMP ? "It needs an IPv4 CIDR block."
									  : "Unknown protocol.");
	if (a->wish.protocol == PROTOCOL_TCP || a->wish.protocol == PROTOCOL_UDP)
		return take_ports(e, a);
	return is_icmp(a->wish.protocol) ? take_icmp(e, a) : OK;
}

/* ---- associations ---- */

static const struct param replace_association_params[] = {
	PARAM(struct network_acl_association, "AssociationId", association, .flags = REQUIRED,
	      .prefix = "aclassoc", .doc = "Association of the subnet with its network ACL."),
	PARAM(struct network_acl_association, "NetworkAclId", acl, .flags = REQUIRED,
	      .kind = KIND_NETWORK_ACL, .doc = "New network ACL of the subnet."),
};

static RESULT ec2_replace_network_acl_association(struct ec2_call *e, const void *args, struct xml *x)
{
	(void) e;
	const struct network_acl_association *a = args;
	ec2_write_prefixed(x, "newAssociationId", "aclassoc", a->made);
	return OK;
}

static const struct ec2_action actions[] = {
	{EC2_ACTION("DescribeNetworkAcls"), .args = PARAMS(struct ec2_describe_acls, describe_acls_params),
	 .list = &acl_listing,
	 .doc = "Lists the account's network ACLs with their entries and associations."},
	{EC2_ACTION("CreateNetworkAcl"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_create_acl, create_acl_params),
	 EC2_TAGS(struct ec2_create_acl, "network-acl"), EC2_DIGEST(struct ec2_create_acl),
	 .operation = engine_create_network_acl_run, .returns = KIND_NETWORK_ACL,
	 .answer = ec2_create_network_acl, .doc = "Creates a network ACL, which denies all traffic."},
	{EC2_ACTION("DeleteNetworkAcl"), .flags = API_WRITES,
	 .args = PARAMS(struct network_acl_target, delete_acl_params),
	 .operation = engine_delete_network_acl_run,
	 .doc = "Deletes a network ACL with its entries. Fails while a subnet uses it."},
	{EC2_ACTION("CreateNetworkAclEntry"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_acl_entry, entry_params), .prepare = prepare_entry,
	 .operation = engine_create_network_acl_entry_run, .doc = "Adds an entry at an unused rule number."},
	{EC2_ACTION("ReplaceNetworkAclEntry"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_acl_entry, entry_params), .prepare = prepare_entry,
	 .operation = engine_replace_network_acl_entry_run, .doc = "Replaces the entry of a rule number."},
	{EC2_ACTION("DeleteNetworkAclEntry"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_acl_entry, delete_entry_params),
	 .operation = engine_delete_network_acl_entry_run, .doc = "Deletes an entry."},
	{EC2_ACTION("ReplaceNetworkAclAssociation"), .flags = API_WRITES,
	 .args = PARAMS(struct network_acl_association, replace_association_params),
	 .operation = engine_replace_network_acl_association_run,
	 .answer = ec2_replace_network_acl_association,
	 .doc = "Associates a subnet with another network ACL of its VPC."},
};
const struct api_actions ec2_acl_actions = API_ACTIONS(actions);
