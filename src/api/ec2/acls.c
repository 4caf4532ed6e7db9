/* SPDX-License-Identifier: Apache-2.0
 * Network ACLs: DescribeNetworkAcls. The entry that denies what no other one decides ends each
 * direction; it is shown, but is no row. */
#include "api/ec2/list.h"
#include "api/ec2/write.h"

enum { PROTOCOL_ICMP = 1, PROTOCOL_TCP = 6, PROTOCOL_UDP = 17 };

/* ---- items ---- */

struct acl_item {
	const struct network_acl *acl;
	VEC(const struct subnet *) subnets;
	VEC(const struct network_acl_entry *) entries;
};

static const struct network_acl_entry last_entries[2] = {
	{.number = 32767, .protocol = -1, .from_port = -1, .to_port = -1, .block = {{.family = IP_V4}, 0}},
	{.number = 32767,
	 .egress = true,
	 .protocol = -1,
	 .from_port = -1,
	 .to_port = -1,
	 .block = {{.family = IP_V4}, 0}},
};

/* Inward before outward, by number; then the last of each. */
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
	const struct tables *t = ec2_walk(e);
	struct acl_item *item = arena_new_object(e->c->arena, struct acl_item);
	if (!item)
		return 0;
	item->acl = (const struct network_acl *) row;
	for (const struct subnet *s = subnet_first_by_acl(t, row->id); s; s = subnet_next_by_acl(t, s))
		if (row_is_live(&s->row) && !VEC_PUSH(e->c->arena, &item->subnets, s))
			return 0;
	for (const struct network_acl_entry *n = next_entry(t, row, 0); n; n = next_entry(t, row, n))
		if (!VEC_PUSH(e->c->arena, &item->entries, n))
			return 0;
	return item;
}

/* ---- writing ---- */

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

static void write_entry(struct xml *x, const struct network_acl_entry *entry)
{
	xml_open(x, "item");
	xml_int(x, "ruleNumber", entry->number);
	xml_int(x, "protocol", entry->protocol);
	xml_z(x, "ruleAction", entry->allows ? "allow" : "deny");
	xml_bool(x, "egress", entry->egress);
	ec2_write_cidr(x, "cidrBlock", entry->block);
	if (entry->protocol == PROTOCOL_ICMP)
		write_pair(x, "icmpTypeCode", "code", entry->to_port, "type", entry->from_port);
	if (has_ports(entry))
		write_pair(x, "portRange", "from", entry->from_port, "to", entry->to_port);
	xml_close(x, "item");
}

static void write_acl(struct ec2_call *e, struct xml *x, const void *item)
{
	const struct acl_item *i = item;
	ec2_write_id(x, "networkAclId", KIND_NETWORK_ACL, i->acl->row.id);
	ec2_write_id(x, "vpcId", KIND_ROUTER, i->acl->router);
	xml_text(x, "ownerId", e->owner);
	xml_bool(x, "default", i->acl->is_default);
	xml_open(x, "entrySet");
	for (size_t k = 0; k < i->entries.count; k++)
		write_entry(x, i->entries.at[k]);
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

/* By name where it has one, and by number. */
static bool fits_protocol(const struct filter_run *f, const struct network_acl_entry *entry)
{
	static const char *const words[] = {
		[PROTOCOL_ICMP] = "icmp", [PROTOCOL_TCP] = "tcp", [PROTOCOL_UDP] = "udp"};
	bool named = entry->protocol >= 0 && entry->protocol <= PROTOCOL_UDP && words[entry->protocol];
	return filter_int(f, entry->protocol) || (named && filter_z(f, words[entry->protocol]));
}

static bool fits_one_entry(const struct filter_run *f, const struct network_acl_entry *entry)
{
	struct str name = str_from(f->filter->name);
	char text[CIDR_TEXT_SIZE];
	if (str_is(name, "entry.cidr"))
		return filter_z(f, cidr_write(entry->block, text));
	if (str_is(name, "entry.icmp.code"))
		return entry->protocol == PROTOCOL_ICMP && filter_int(f, entry->to_port);
	if (str_is(name, "entry.icmp.type"))
		return entry->protocol == PROTOCOL_ICMP && filter_int(f, entry->from_port);
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
	{"association.network-acl-id", .get = fits_association, .ways = {{KIND_NETWORK_ACL}}},
	{"association.subnet-id", .get = fits_association,
	 .ways = {{KIND_SUBNET, .steps = {TO(KIND_NETWORK_ACL, subnet, acl)}}}},
	{"entry.cidr", .get = fits_entry},
	{"entry.icmp.code", .get = fits_entry},
	{"entry.icmp.type", .get = fits_entry},
	{"entry.ipv6-cidr", .get = filter_nothing},
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
					       .account_index = NETWORK_ACL_INDEX_ACCOUNT,
					       .gather = gather_acl,
					       .write = write_acl};

static const struct ec2_action actions[] = {
	{"DescribeNetworkAcls", "ec2:DescribeNetworkAcls", 0,
	 PARAMS(struct ec2_describe_acls, describe_acls_params), .list = &acl_listing,
	 .doc = "Network ACLs of the account, with entries and associations."},
};
const struct ec2_actions ec2_acl_actions = ACTIONS(actions);
