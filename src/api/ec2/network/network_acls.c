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

struct acl_item {
	const struct network_acl *acl;
	VEC(const struct subnet *) subnets;
	VEC(const struct network_acl_entry *) entries;
};

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

static const void *gather_acl(struct ec2_call *e, const struct row *row)
{
	const struct tables *t = ec2_tables(e);
	struct acl_item *item = arena_new_object(e->c->arena, struct acl_item);
	if (!item)
		return 0;
	item->acl = network_acl_of(row);
	for (const struct subnet *s = subnet_first_by_acl(t, row->id); s; s = subnet_next_by_acl(t, s))
		if (row_is_live(&s->row) && !VEC_PUSH(e->c->arena, &item->subnets, s))
			return 0;
	for (const struct network_acl_entry *n = next_entry(t, row, 0); n; n = next_entry(t, row, n))
		if (!VEC_PUSH(e->c->arena, &item->entries, n))
			return 0;
	return item;
}

/* ---- writing ---- */

static bool is_icmp(int64_t protocol)
{
	return protocol == PROTOCOL_ICMP || protocol == PROTOCOL_ICMP6;
}

static bool has_ports(const struct network_acl_entry *entry)
{
	return entry->protocol == PROTOCOL_TCP || entry->protocol == PROTOCOL_UDP;
}

static void write_pair(struct xml *x, const char *name, const char *first, int64_t from, const char *second,
		       int64_t to)
{
	xml_open(x, name);
	xml_int(x, first, from);
	xml_int(x, second, to);
	xml_close(x, name);
}

/* An entry of EC2's has one block: a row with several blocks is shown as several entries of the same
 * number. */
static void write_entry(struct xml *x, const struct network_acl_entry *entry, struct cidr block)
{
	xml_open(x, "item");
	xml_int(x, "ruleNumber", entry->number);
	xml_int(x, "protocol", entry->protocol);
	xml_z(x, "ruleAction", entry->allows ? "allow" : "deny");
	xml_bool(x, "egress", entry->egress);
	ec2_write_cidr(x, block.base.family == IP_V6 ? "ipv6CidrBlock" : "cidrBlock", block);
	if (is_icmp(entry->protocol))
		write_pair(x, "icmpTypeCode", "code", entry->to_port, "type", entry->from_port);
	if (has_ports(entry))
		write_pair(x, "portRange", "from", entry->from_port, "to", entry->to_port);
	xml_close(x, "item");
}

static void write_acl(struct ec2_call *e, struct xml *x, const void *item)
{
	const struct acl_item *i = item;
	PREFETCH_ROWS(KIND_NETWORK_ACL_ENTRY, i->entries);
	PREFETCH_ROWS(KIND_SUBNET, i->subnets);
	ec2_write_id(x, "networkAclId", KIND_NETWORK_ACL, i->acl->row.id);
	ec2_write_id(x, "vpcId", KIND_ROUTER, i->acl->router);
	xml_text(x, "ownerId", e->owner);
	xml_bool(x, "default", i->acl->is_default);
	xml_open(x, "entrySet");
	for (size_t k = 0; k < i->entries.count; k++)
		for (size_t n = 0; n < i->entries.at[k]->blocks.count; n++)
			write_entry(x, i->entries.at[k], i->entries.at[k]->blocks.at[n]);
	xml_close(x, "entrySet");
	xml_open(x, "associationSet");
	for (size_t k = 0; k < i->subnets.count; k++) {
		xml_open(x, "item");
		ec2_write_prefixed(x, "networkAclAssociationId", "aclassoc",
				   i->subnets.at[k]->acl_association);
		ec2_write_id(x, "networkAclId", KIND_NETWORK_ACL, i->acl->row.id);
		ec2_write_id(x, "subnetId", KIND_SUBNET, i->subnets.at[k]->row.id);
		xml_close(x, "item");
	}
	xml_close(x, "associationSet");
	ec2_write_tags(x, i->acl->tags);
}

/* ---- describe ---- */

struct ec2_describe_acls {
	struct ec2_query query;
};
static const struct param describe_acls_params[] = {
	QUERY_IDS(struct ec2_describe_acls, "NetworkAclId", KIND_NETWORK_ACL, "Lists by id."),
	QUERY_FILTERS(struct ec2_describe_acls),
	QUERY_PAGES(struct ec2_describe_acls, 5, 1000),
};

static bool fits_association(const struct filter_run *f, const struct row *row)
{
	struct str name = str_from(f->filter->name);
	for (const struct subnet *s = subnet_first_by_acl(f->t, row->id); s;
	     s = subnet_next_by_acl(f->t, s)) {
		if (!row_is_live(&s->row))
			continue;
		if (str_ends_with(name, STR("association-id"))
			    ? filter_prefixed(f, "aclassoc", s->acl_association)
		    : str_ends_with(name, STR("subnet-id")) ? filter_id(f, KIND_SUBNET, s->row.id)
							    : filter_id(f, KIND_NETWORK_ACL, row->id))
			return true;
	}
	return false;
}

/* Compares the protocol by number, and by name if it has one. */
static bool fits_protocol(const struct filter_run *f, const struct network_acl_entry *entry)
{
	static const char *const words[] = {
		[PROTOCOL_ICMP] = "icmp", [PROTOCOL_TCP] = "tcp", [PROTOCOL_UDP] = "udp"};
	bool named = entry->protocol >= 0 && entry->protocol <= PROTOCOL_UDP && words[entry->protocol];
	return filter_int(f, entry->protocol) || (named && filter_z(f, words[entry->protocol]));
}

/* Compares blocks of the family in the filter's name. */
static bool fits_block(const struct filter_run *f, struct cidrs blocks)
{
	char text[CIDR_TEXT_SIZE];
	bool wants_ipv6 = str_is(str_from(f->filter->name), "entry.ipv6-cidr");
	for (size_t k = 0; k < blocks.count; k++)
		if (wants_ipv6 == (blocks.at[k].base.family == IP_V6) &&
		    filter_z(f, cidr_write(blocks.at[k], text)))
			return true;
	return false;
}

static bool fits_one_entry(const struct filter_run *f, const struct network_acl_entry *entry)
{
	struct str name = str_from(f->filter->name);
	if (str_ends_with(name, STR("cidr")))
		return fits_block(f, entry->blocks);
	if (str_is(name, "entry.icmp.code"))
		return is_icmp(entry->protocol) && filter_int(f, entry->to_port);
	if (str_is(name, "entry.icmp.type"))
		return is_icmp(entry->protocol) && filter_int(f, entry->from_port);
	if (str_is(name, "entry.port-range.from"))
		return has_ports(entry) && filter_int(f, entry->from_port);
	if (str_is(name, "entry.port-range.to"))
		return has_ports(entry) && filter_int(f, entry->to_port);
	if (str_is(name, "entry.protocol"))
		return fits_protocol(f, entry);
	if (str_is(name, "entry.rule-action"))
		return filter_z(f, entry->allows ? "allow" : "deny");
	if (str_is(name, "entry.egress"))
		return filter_bool(f, entry->egress);
	return filter_int(f, entry->number);
}

static bool fits_entry(const struct filter_run *f, const struct row *row)
{
	for (const struct network_acl_entry *n = next_entry(f->t, row, 0); n; n = next_entry(f->t, row, n))
		if (fits_one_entry(f, n))
			return true;
	return false;
}

static const struct filter acl_filters[] = {
	{"network-acl-id", .is_id = true},
	{"vpc-id", .field = "router", .index = NETWORK_ACL_INDEX_ROUTER},
	{"owner-id", .get = filter_owner},
	{"default", .field = "is_default"},
	{"association.association-id", .get = fits_association},
	{"association.network-acl-id", .get = fits_association, .access_paths = {{KIND_NETWORK_ACL}}},
	{"association.subnet-id", .get = fits_association,
	 .access_paths = {{KIND_SUBNET, .joins = {JOIN_ONE(KIND_NETWORK_ACL, subnet, acl)}}}},
	{"entry.cidr", .get = fits_entry},
	{"entry.icmp.code", .get = fits_entry},
	{"entry.icmp.type", .get = fits_entry},
	{"entry.ipv6-cidr", .get = fits_entry},
	{"entry.port-range.from", .get = fits_entry},
	{"entry.port-range.to", .get = fits_entry},
	{"entry.protocol", .get = fits_entry},
	{"entry.rule-action", .get = fits_entry},
	{"entry.egress", .get = fits_entry},
	{"entry.rule-number", .get = fits_entry},
};

static const struct ec2_listing acl_listing = {.kind = KIND_NETWORK_ACL,
					       .set = "networkAclSet",
					       .filters = FILTERS(acl_filters),
					       .gather = gather_acl,
					       .write = write_acl};

/* ---- lists ---- */

struct ec2_create_acl {
	struct network_acl_wish wish;
	struct ec2_tag_specs tag_specs;
};
static const struct param create_acl_params[] = {
	PARAM(struct ec2_create_acl, "VpcId", wish.router, .flags = REQUIRED, .kind = KIND_ROUTER,
	      .doc = "The VPC."),
	PARAM(struct ec2_create_acl, "ClientToken", wish.client_token, .max = 64,
	      .doc = "Same token, same answer."),
	TAG_SPECIFICATIONS(struct ec2_create_acl, tag_specs),
};

static RESULT prepare_create_acl(struct ec2_call *e, void *args)
{
	static const char *const not_in_digest[] = {"ClientToken", "DryRun", 0};
	struct ec2_create_acl *a = args;
	a->wish.digest = pairs_digest(e->c, &e->pairs, not_in_digest);
	return ec2_take_tags(e, &a->tag_specs, "network-acl", "network-acl", &a->wish.tags);
}

static RESULT ec2_create_network_acl(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct ec2_create_acl *a = args;
	TRY(ec2_write_returned(e, &acl_listing, a->wish.acl, "networkAcl", x));
	xml_text_opt(x, "clientToken", a->wish.client_token);
	return OK;
}

static const struct param delete_acl_params[] = {
	PARAM(struct network_acl_target, "NetworkAclId", acl, .flags = REQUIRED, .kind = KIND_NETWORK_ACL,
	      .doc = "The list."),
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
	P("NetworkAclId", wish.acl, .flags = REQUIRED, .kind = KIND_NETWORK_ACL, .doc = "The list."),        \
		P("RuleNumber", wish.number, .flags = REQUIRED, .min = 1, .max = NETWORK_ACL_NUMBER_MAX,     \
		  .doc = "Its number: the lowest that fits decides."),                                       \
		P("Egress", wish.egress, .flags = REQUIRED,                                                  \
		  .doc = "Of what leaves subnets; else of what enters them.")
static const struct param entry_params[] = {
	PLACE,
	P("Protocol", protocol, .flags = REQUIRED, .max = 8,
	  .doc = "tcp, udp, icmp, a number, or -1 for all."),
	P("RuleAction", action, .flags = REQUIRED, .words = "allow|deny", .doc = "What it does."),
	P("CidrBlock", block, .doc = "The other side's addresses, in IPv4, or"),
	P("Ipv6CidrBlock", ipv6, .flags = IPV6, .doc = "in IPv6."),
	P("PortRange.From", port_from, .max = 65535, GIVEN(has_from), .doc = "TCP, UDP: first port."),
	P("PortRange.To", port_to, .max = 65535, GIVEN(has_to), .doc = "TCP, UDP: last port."),
	P("Icmp.Type", icmp_type, .min = -1, .max = 255, GIVEN(has_type),
	  .doc = "ICMP, of either family: its type; -1: all."),
	P("Icmp.Code", icmp_code, .min = -1, .max = 255, GIVEN(has_code), .doc = "ICMP: its code; -1: all."),
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
	      .prefix = "aclassoc", .doc = "The subnet's association."),
	PARAM(struct network_acl_association, "NetworkAclId", acl, .flags = REQUIRED,
	      .kind = KIND_NETWORK_ACL, .doc = "The list that the subnet is to have."),
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
	 .list = &acl_listing, .doc = "Network ACLs of the account, with entries and associations."},
	{EC2_ACTION("CreateNetworkAcl"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_create_acl, create_acl_params), .prepare = prepare_create_acl,
	 .operation = engine_create_network_acl_run, .returns = KIND_NETWORK_ACL,
	 .answer = ec2_create_network_acl, .doc = "Makes a list that denies everything."},
	{EC2_ACTION("DeleteNetworkAcl"), .flags = API_WRITES,
	 .args = PARAMS(struct network_acl_target, delete_acl_params),
	 .operation = engine_delete_network_acl_run,
	 .doc = "Deletes a list that no subnet has, with its entries."},
	{EC2_ACTION("CreateNetworkAclEntry"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_acl_entry, entry_params), .prepare = prepare_entry,
	 .operation = engine_create_network_acl_entry_run, .doc = "Puts an entry at a number that has none."},
	{EC2_ACTION("ReplaceNetworkAclEntry"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_acl_entry, entry_params), .prepare = prepare_entry,
	 .operation = engine_replace_network_acl_entry_run, .doc = "Puts another entry in the place of one."},
	{EC2_ACTION("DeleteNetworkAclEntry"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_acl_entry, delete_entry_params),
	 .operation = engine_delete_network_acl_entry_run, .doc = "Removes an entry."},
	{EC2_ACTION("ReplaceNetworkAclAssociation"), .flags = API_WRITES,
	 .args = PARAMS(struct network_acl_association, replace_association_params),
	 .operation = engine_replace_network_acl_association_run,
	 .answer = ec2_replace_network_acl_association, .doc = "Gives a subnet another list of its VPC."},
};
const struct api_actions ec2_acl_actions = API_ACTIONS(actions);
