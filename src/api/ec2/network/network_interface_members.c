/* SPDX-License-Identifier: Apache-2.0
 * Members of network interfaces, as DescribeNetworkInterfaces shows them and as DescribeInstances shows them within an
 * instance: there without ids of addresses, and with filters of longer names that lead on to the instance. */
#include "api/ec2/network/network_interfaces.h"

#include "engine/network/address/address.h"
#include "engine/network/routing/router.h"
#include "engine/network/routing/vpc_endpoint.h"
#include "model/port_prefix.h"
#include "model/secondary_ip.h"
#include "model/security_group.h"
#include "model/states.h"
#include "store/address.h"
#include "store/port.h"
#include "store/router.h"
#include "store/security_group.h"
#include "store/subnet.h"
#include "store/zone.h"

/* ---- names ---- */

static struct str copy_name(struct api_call *e, const char *text, size_t size)
{
	return str_copy(e->c->arena, (struct str){text, size});
}

static struct str get_private_name(struct api_call *core, const struct row *row)
{
	char text[EC2_NAME_TEXT_SIZE];
	struct ec2_call *e = ec2_call_of(core);
	const struct port *port = port_of(row);
	if (port->is_named_by_id)
		return copy_name(core, text, ec2_resource_name(e, engine_port_holder(port), text));
	return copy_name(core, text, ec2_private_name(e, port->ip, text)); /* IPv6: empty */
}

/* The address's name, where the router's hosts have names; else empty. */
static struct str write_public_name(struct api_call *core, const struct port *port, const struct address *a)
{
	char text[EC2_NAME_TEXT_SIZE];
	bool has_name = a && engine_has_hostnames(router_find(api_tables(core), port->router));
	return copy_name(core, text, has_name ? ec2_public_name(ec2_call_of(core), a->ip, text) : 0);
}

/* ---- public addresses ---- */

/* EC2 shows an automatic address of a new instance only from DescribeInstances on. */
static const struct address *find_address(struct api_call *e, const struct port *port, struct ip ip)
{
	const struct address *a =
		ip.family == IP_V4 ? engine_find_address_for(api_tables(e), port->row.id, ip) : NULL;
	return a && (a->is_elastic || !ec2_call_of(e)->is_launch) ? a : NULL;
}

struct shown_association {
	struct row row; /* no row of the store */
	struct ip ip;
	struct str name, owner;
	uuid allocation, association; /* none: it is not elastic */
};

static const void *show_association(struct api_call *e, const struct port *port, struct ip ip)
{
	const struct address *a = find_address(e, port, ip);
	struct shown_association *shown = a ? arena_new_object(e->c->arena, struct shown_association) : NULL;
	if (!shown)
		return NULL;
	shown->ip = a->ip;
	shown->name = write_public_name(e, port, a);
	shown->owner = a->is_elastic ? ec2_call_of(e)->owner : STR("amazon");
	shown->allocation = a->is_elastic ? a->row.id : UUID_NONE;
	shown->association = a->is_elastic ? a->association : UUID_NONE;
	return shown;
}

static const void *find_association(struct api_call *e, const struct row *row)
{
	return show_association(e, port_of(row), port_of(row)->ip);
}

/* ---- private addresses ---- */

struct shown_ip {
	struct row row; /* no row of the store */
	const struct port *port;
	struct ip ip;
	bool is_primary;
	struct str name;
};
struct shown_ips {
	const struct shown_ip **at;
	size_t count, capacity;
};

static void add_ip(struct api_call *e, struct shown_ips *ips, const struct port *port, struct ip ip)
{
	char text[EC2_NAME_TEXT_SIZE];
	struct shown_ip *shown = arena_new_object(e->c->arena, struct shown_ip);
	if (!shown)
		return;
	*shown = (struct shown_ip){.port = port, .ip = ip, .is_primary = ip_equal(ip, port->ip)};
	shown->name = copy_name(e, text, ec2_private_name(ec2_call_of(e), ip, text));
	(void) VEC_PUSH(e->c->arena, ips, shown);
}

static struct attribute_rows list_of_family(struct api_call *e, const struct row *row, enum ip_family family)
{
	const struct port *port = port_of(row);
	const struct tables *t = api_tables(e);
	struct shown_ips ips = {0};
	if (port->ip.family == family)
		add_ip(e, &ips, port, port->ip);
	for (const struct secondary_ip *s = engine_first_secondary_ip(t, row->id); s;
	     s = engine_next_secondary_ip(t, s))
		if (s->ip.family == family)
			add_ip(e, &ips, port, s->ip);
	return (struct attribute_rows){ips.at, ips.count};
}

static struct attribute_rows list_ips(struct api_call *e, const struct row *row)
{
	return list_of_family(e, row, IP_V4);
}

static struct attribute_rows list_ipv6s(struct api_call *e, const struct row *row)
{
	return list_of_family(e, row, IP_V6);
}

static const void *find_association_of_ip(struct api_call *e, const struct row *row)
{
	const struct shown_ip *shown = (const struct shown_ip *) row;
	return show_association(e, shown->port, shown->ip);
}

static struct attribute_rows list_prefixes(struct api_call *e, const struct row *row, enum ip_family family)
{
	const struct tables *t = api_tables(e);
	VEC(const struct port_prefix *) all = {0};
	for (const struct port_prefix *p = engine_first_prefix(t, row->id); p; p = engine_next_prefix(t, p))
		if (p->block.base.family == family)
			(void) VEC_PUSH(e->c->arena, &all, p);
	return (struct attribute_rows){all.at, all.count};
}

static struct attribute_rows list_ipv4_prefixes(struct api_call *e, const struct row *row)
{
	return list_prefixes(e, row, IP_V4);
}

static struct attribute_rows list_ipv6_prefixes(struct api_call *e, const struct row *row)
{
	return list_prefixes(e, row, IP_V6);
}

/* ---- the rest ---- */

static struct attribute_rows list_groups(struct api_call *e, const struct row *row)
{
	const struct uuids *groups = &port_of(row)->groups;
	VEC(const struct security_group *) all = {0};
	for (size_t k = 0; k < groups->count; k++) {
		const struct security_group *group = security_group_find(api_tables(e), groups->at[k]);
		if (group)
			(void) VEC_PUSH(e->c->arena, &all, group);
	}
	return (struct attribute_rows){all.at, all.count};
}

static const void *find_zone(struct api_call *e, const struct row *row)
{
	const struct subnet *subnet = subnet_find(api_tables(e), port_of(row)->subnet);
	return subnet ? zone_find(api_tables(e), subnet->zone) : NULL;
}

static bool is_managed(const struct port *port)
{
	return !uuid_is_none(port->nat_gateway);
}

ATTRIBUTE_GETTER(port, p, const char *, get_type,
		 is_managed(p)                               ? "nat_gateway"
		 : engine_is_endpoint_port(api_tables(e), p) ? "vpc_endpoint"
							     : "interface")
ATTRIBUTE_GETTER(port, p, bool, get_managed, is_managed(p) || engine_is_endpoint_port(api_tables(e), p))
ATTRIBUTE_GETTER(port, p, bool, is_native, p->ip.family == IP_V6)
/* EC2 shows no requester for an interface that a launch created. For a NAT gateway's it shows an account
 * of Amazon's; the name is a guess. */
ATTRIBUTE_GETTER(port, p, struct str, get_requester, is_managed(p) ? STR("amazon-aws") : p->requester)

struct shown_attachment {
	struct row row; /* no row of the store */
	struct str id, owner, status;
	uuid instance;
	int64_t device_index, card_index; /* -1: not shown */
	int64_t attached_us;              /* 0: not shown */
	bool delete_on_termination;
};

/* The attachment to the NAT gateway has the gateway's id with another prefix. */
static struct shown_attachment show_managed(struct api_call *e, const struct port *port)
{
	return (struct shown_attachment){.id = id_to_prefixed(e->c->arena, "ela-attach", port->nat_gateway),
					 .owner = STR("amazon-aws"),
					 .status = STR("attached"),
					 .device_index = 1,
					 .card_index = -1};
}

static struct shown_attachment show_attached(struct api_call *e, const struct port *port)
{
	static const char *const words[PORT_STATE_COUNT] = {
		[PORT_AVAILABLE] = "detached",  [PORT_ATTACHING] = "attaching", [PORT_IN_USE] = "attached",
		[PORT_DETACHING] = "detaching", [PORT_DELETED] = "detached",
	};
	const struct ec2_call *call = ec2_call_of(e);
	enum port_state state = call->is_launch ? PORT_ATTACHING : model_derive_port_state(port);
	return (struct shown_attachment){.id = id_to_prefixed(e->c->arena, "eni-attach", port->attachment),
					 .owner = call->owner,
					 .status = str_from(words[state]),
					 .instance = engine_port_holder(port),
					 .device_index = port->device_index,
					 .attached_us = port->attached_us,
					 .delete_on_termination = port->delete_on_termination};
}

static const void *find_attachment(struct api_call *e, const struct row *row)
{
	const struct port *port = port_of(row);
	struct shown_attachment *shown = arena_new_object(e->c->arena, struct shown_attachment);
	if (!shown || (!is_managed(port) && uuid_is_none(port->attachment)))
		return NULL;
	*shown = is_managed(port) ? show_managed(e, port) : show_attached(e, port);
	return shown;
}

static const void *find_public_ip(struct api_call *e, const struct row *row)
{
	const struct address *a = find_address(e, port_of(row), port_of(row)->ip);
	return a ? &a->ip : NULL;
}

static const void *find_ipv6(struct api_call *e, const struct row *row)
{
	struct attribute_rows ips = list_ipv6s(e, row);
	return ips.count ? &(*(const struct shown_ip *const *) ips.pointers)->ip : NULL;
}

ATTRIBUTE_GETTER(port, p, struct str, get_public_name, write_public_name(e, p, find_address(e, p, p->ip)))

struct shown_tag {
	struct row row; /* no row of the store */
	struct str key, value;
};

static struct attribute_rows list_tags(struct api_call *e, const struct row *row)
{
	const struct tags *tags = ec2_tags_of(ec2_call_of(e), KIND_PORT, row);
	struct shown_tag *all = arena_new_array(e->c->arena, struct shown_tag, tags->count);
	for (size_t k = 0; all && k < tags->count; k++)
		all[k] = (struct shown_tag){.key = tags->at[k].key, .value = tags->at[k].value};
	return attribute_rows_of(e, all, tags->count, sizeof *all);
}

/* ---- both tables ---- */

/* V is ALONE for DescribeNetworkInterfaces and WITHIN for DescribeInstances. These macros give the name of a filter, also of
 * one that only one of them has (FURTHER, OWN), the flag of a member that DescribeInstances does not show, and the ways from a
 * filter's values. */
#define NAME_ALONE(name) name
#define NAME_WITHIN(name) "network-interface." name
#define FURTHER_ALONE(name) NULL
#define FURTHER_WITHIN(name) "network-interface." name
#define OWN_ALONE(name) name
#define OWN_WITHIN(name) NULL
#define OWNER_ALONE "addresses.association.owner-id"
#define OWNER_WITHIN "network-interface.addresses.association.ip-owner-id"
#define MORE_ALONE 0
#define MORE_WITHIN ATTRIBUTE_HIDDEN
#define TO(member) JOIN_ONE(KIND_INSTANCE, port, member)
#define WAYS_ALONE(kind, index, prefix) ATTRIBUTE_PATHS({kind, index, prefix})
#define WAYS_WITHIN(kind, index, prefix)                                                                     \
	ATTRIBUTE_PATHS({kind, index, prefix, {TO(instance)}}, {kind, index, prefix, {TO(seen_instance)}})
#define JOINED_ALONE(kind, index, prefix, join) ATTRIBUTE_PATHS({kind, index, prefix, {join}})
#define JOINED_WITHIN(kind, index, prefix, join)                                                             \
	ATTRIBUTE_PATHS({kind, index, prefix, {join, TO(instance)}},                                         \
			{kind, index, prefix, {join, TO(seen_instance)}})
#define OF_SECONDARY JOIN_ONE(KIND_PORT, secondary_ip, port)
#define OF_ADDRESS JOIN_ONE(KIND_PORT, address, port)
#define BY_IP_ALONE                                                                                          \
	ATTRIBUTE_PATHS({KIND_PORT, PORT_INDEX_IP},                                                          \
			{KIND_SECONDARY_IP, SECONDARY_IP_INDEX_IP, .joins = {OF_SECONDARY}})
#define BY_IP_WITHIN                                                                                         \
	ATTRIBUTE_PATHS(                                                                                     \
		{KIND_PORT, PORT_INDEX_IP, .joins = {TO(instance)}},                                         \
		{KIND_PORT, PORT_INDEX_IP, .joins = {TO(seen_instance)}},                                    \
		{KIND_SECONDARY_IP, SECONDARY_IP_INDEX_IP, .joins = {OF_SECONDARY, TO(instance)}},           \
		{KIND_SECONDARY_IP, SECONDARY_IP_INDEX_IP, .joins = {OF_SECONDARY, TO(seen_instance)}})
#define BY_PUBLIC(V) JOINED_##V(KIND_ADDRESS, ADDRESS_INDEX_PUBLIC, NULL, OF_ADDRESS)
#define BY_INSTANCE_ALONE                                                                                    \
	ATTRIBUTE_PATHS({KIND_PORT, PORT_INDEX_INSTANCE}, {KIND_PORT, PORT_INDEX_SEEN_INSTANCE})
#define BY_INSTANCE_WITHIN ATTRIBUTE_PATHS({KIND_INSTANCE})
#define FILTERED .flags = ATTRIBUTE_FILTERS_WITHIN

/* at: the filter's name up to "association."; N: NAME, or FURTHER for a filter of DescribeInstances alone. */
#define ASSOCIATION(V, at, N, owner_filter)                                                                  \
	{                                                                                                    \
		ATTRIBUTE(shown_association, "publicIp", ip, .filter = NAME_##V(at "association.public-ip"), \
			  BY_PUBLIC(V)),                                                                     \
			ATTRIBUTE(shown_association, "publicDnsName", name,                                  \
				  .filter = N##_##V(at "association.public-dns-name"), BY_PUBLIC(V)),        \
			ATTRIBUTE(shown_association, "ipOwnerId", owner, .filter = owner_filter),            \
			ATTRIBUTE_REF(shown_association, "allocationId", allocation, KIND_ADDRESS,           \
				      .flags = MORE_##V, .filter = N##_##V(at "association.allocation-id"),  \
				      JOINED_##V(KIND_ADDRESS, 0, NULL, OF_ADDRESS)),                        \
			ATTRIBUTE_PREFIXED(shown_association, "associationId", association, "eipassoc",      \
					   .flags = MORE_##V,                                                \
					   .filter = N##_##V(at "association.association-id"),               \
					   JOINED_##V(KIND_ADDRESS, ADDRESS_INDEX_ASSOCIATION, "eipassoc",   \
						      OF_ADDRESS)),                                          \
	}
#define IPS(V, association_members)                                                                          \
	{                                                                                                    \
		ATTRIBUTE(shown_ip, "privateIpAddress", ip,                                                  \
			  .filter = NAME_##V("addresses.private-ip-address"), BY_IP_##V),                    \
			ATTRIBUTE(shown_ip, "privateDnsName", name,                                          \
				  .filter = FURTHER_##V("addresses.private-dns-name"), BY_IP_##V),           \
			ATTRIBUTE(shown_ip, "primary", is_primary, .filter = NAME_##V("addresses.primary")), \
			ATTRIBUTE_WITHIN_OF("association", association_members, find_association_of_ip,      \
					    FILTERED),                                                       \
	}
#define IPV6S(V)                                                                                             \
	{                                                                                                    \
		ATTRIBUTE(shown_ip, "ipv6Address", ip, .filter = NAME_##V("ipv6-addresses.ipv6-address"),    \
			  BY_IP_##V),                                                                        \
			ATTRIBUTE_CONST("isPrimaryIpv6", "false",                                            \
					.filter = FURTHER_##V("ipv6-addresses.is-primary-ipv6")),            \
	}
#define GROUPS(V)                                                                                            \
	{                                                                                                    \
		ATTRIBUTE_OWN_ID(security_group, "groupId", KIND_SECURITY_GROUP),                            \
			ATTRIBUTE(security_group, "groupName", name, .filter = NAME_##V("group-name")),      \
	}
#define ATTACHMENT(V)                                                                                        \
	{                                                                                                    \
		ATTRIBUTE(shown_attachment, "attachmentId", id,                                              \
			  .filter = NAME_##V("attachment.attachment-id"),                                    \
			  WAYS_##V(KIND_PORT, PORT_INDEX_ATTACHMENT, "eni-attach")),                         \
			ATTRIBUTE_REF(shown_attachment, "instanceId", instance, KIND_INSTANCE,               \
				      .flags = MORE_##V, .filter = NAME_##V("attachment.instance-id"),       \
				      BY_INSTANCE_##V),                                                      \
			ATTRIBUTE(shown_attachment, "instanceOwnerId", owner, .flags = MORE_##V,             \
				  .filter = NAME_##V("attachment.instance-owner-id")),                       \
			ATTRIBUTE(shown_attachment, "deviceIndex", device_index,                             \
				  .filter = NAME_##V("attachment.device-index")),                            \
			ATTRIBUTE(shown_attachment, "networkCardIndex", card_index,                          \
				  .flags = ATTRIBUTE_FROM_ZERO,                                              \
				  .filter = FURTHER_##V("attachment.network-card-index")),                   \
			ATTRIBUTE(shown_attachment, "status", status,                                        \
				  .filter = NAME_##V("attachment.status")),                                  \
			ATTRIBUTE_AS(TIME, shown_attachment, "attachTime", attached_us,                      \
				     .flags = ATTRIBUTE_OMIT_NONE,                                           \
				     .filter = NAME_##V("attachment.attach-time")),                          \
			ATTRIBUTE(shown_attachment, "deleteOnTermination", delete_on_termination,            \
				  .filter = NAME_##V("attachment.delete-on-termination")),                   \
	}
#define COMMON(V, groups, association_members, ips, ipv6s, ipv4_prefixes, ipv6_prefixes)                     \
	ATTRIBUTE_OWN_ID(port, "networkInterfaceId", KIND_PORT, .filter = NAME_##V("network-interface-id"),  \
			 WAYS_##V(KIND_PORT, 0, NULL)),                                                      \
		ATTRIBUTE_REF(port, "subnetId", subnet, KIND_SUBNET, .filter = NAME_##V("subnet-id"),        \
			      WAYS_##V(KIND_PORT, PORT_INDEX_IN_SUBNET, NULL)),                              \
		ATTRIBUTE_REF(port, "vpcId", router, KIND_ROUTER, .filter = NAME_##V("vpc-id"),              \
			      WAYS_##V(KIND_PORT, PORT_INDEX_IN_ROUTER, NULL)),                              \
		ATTRIBUTE(port, "description", description, .filter = NAME_##V("description")),              \
		EC2_OWNER("ownerId", .filter = NAME_##V("owner-id")),                                        \
		ATTRIBUTE_STATE_OF("status", KIND_PORT, .flags = ATTRIBUTE_IN_ANSWER,                        \
				   .filter = NAME_##V("status")),                                            \
		ATTRIBUTE(port, "macAddress", mac, .filter = NAME_##V("mac-address"),                        \
			  WAYS_##V(KIND_PORT, PORT_INDEX_MAC, NULL)),                                        \
		ATTRIBUTE(port, "privateIpAddress", ip, .flags = ATTRIBUTE_V4,                               \
			  .filter = NAME_##V("private-ip-address"),                                          \
			  WAYS_##V(KIND_PORT, PORT_INDEX_IP, NULL)),                                         \
		ATTRIBUTE_MADE(TEXT, text, "privateDnsName", get_private_name,                               \
			       .filter = NAME_##V("private-dns-name"),                                       \
			       WAYS_##V(KIND_PORT, PORT_INDEX_IP, NULL)),                                    \
		ATTRIBUTE(port, "sourceDestCheck", source_dest_check,                                        \
			  .filter = NAME_##V("source-dest-check")),                                          \
		ATTRIBUTE_ROWS("groupSet", groups, list_groups, FILTERED),                                   \
		ATTRIBUTE_WITHIN_OF("association", association_members, find_association, FILTERED),         \
		ATTRIBUTE_ROWS("privateIpAddressesSet", ips, list_ips, FILTERED),                            \
		ATTRIBUTE_ROWS("ipv6AddressesSet", ipv6s, list_ipv6s,                                        \
			       .flags = ATTRIBUTE_EMPTY_NONE | ATTRIBUTE_FILTERS_WITHIN),                    \
		ATTRIBUTE_ROWS("ipv4PrefixSet", ipv4_prefixes, list_ipv4_prefixes,                           \
			       .flags = ATTRIBUTE_OMIT_NONE | ATTRIBUTE_FILTERS_WITHIN),                     \
		ATTRIBUTE_ROWS("ipv6PrefixSet", ipv6_prefixes, list_ipv6_prefixes,                           \
			       .flags = ATTRIBUTE_OMIT_NONE | ATTRIBUTE_FILTERS_WITHIN),                     \
		ATTRIBUTE_MADE(WORD, word, "interfaceType", get_type, .filter = OWN_##V("interface-type"))

ATTRIBUTE_TABLE(prefixes4, {ATTRIBUTE(port_prefix, "ipv4Prefix", block)});
ATTRIBUTE_TABLE(prefixes6, {ATTRIBUTE(port_prefix, "ipv6Prefix", block)});
ATTRIBUTE_TABLE(prefixes4_within, {ATTRIBUTE(port_prefix, "ipv4Prefix", block,
					     .filter = "network-interface.ipv4-prefixes.ipv4-prefix")});
ATTRIBUTE_TABLE(prefixes6_within, {ATTRIBUTE(port_prefix, "ipv6Prefix", block,
					     .filter = "network-interface.ipv6-prefixes.ipv6-prefix")});
ATTRIBUTE_TABLE(groups_alone, GROUPS(ALONE));
ATTRIBUTE_TABLE(groups_within, GROUPS(WITHIN));
ATTRIBUTE_TABLE(primary_alone, ASSOCIATION(ALONE, "", NAME, "association.ip-owner-id"));
ATTRIBUTE_TABLE(primary_within, ASSOCIATION(WITHIN, "", NAME, "network-interface.association.ip-owner-id"));
ATTRIBUTE_TABLE(any_alone, ASSOCIATION(ALONE, "addresses.", FURTHER, OWNER_ALONE));
ATTRIBUTE_TABLE(any_within, ASSOCIATION(WITHIN, "addresses.", FURTHER, OWNER_WITHIN));
ATTRIBUTE_TABLE(ips_alone, IPS(ALONE, any_alone));
ATTRIBUTE_TABLE(ips_within, IPS(WITHIN, any_within));
ATTRIBUTE_TABLE(ipv6s_alone, IPV6S(ALONE));
ATTRIBUTE_TABLE(ipv6s_within, IPV6S(WITHIN));
ATTRIBUTE_TABLE(attachment_alone, ATTACHMENT(ALONE));
ATTRIBUTE_TABLE(attachment_within, ATTACHMENT(WITHIN));
ATTRIBUTE_TABLE(zone_alone,
		{ATTRIBUTE(zone, "availabilityZone", name, .filter = "availability-zone"),
		 ATTRIBUTE(zone, "", short_id, .flags = ATTRIBUTE_HIDDEN, .filter = "availability-zone-id")});
ATTRIBUTE_TABLE(zone_within, {ATTRIBUTE(zone, "", name, .filter = "network-interface.availability-zone")});

static const char *const only_true[] = {NULL, "true"};
static const struct attribute interface_rows[] = {
	COMMON(ALONE, groups_alone, primary_alone, ips_alone, ipv6s_alone, prefixes4, prefixes6),
	ATTRIBUTE_INLINE(zone_alone, find_zone, FILTERED),
	ATTRIBUTE_MADE(BOOL, truth, "ipv6Native", is_native, .words = only_true),
	ATTRIBUTE(port, "ipv6Address", ip, .flags = ATTRIBUTE_V6),
	ATTRIBUTE_MADE(TEXT, text, "requesterId", get_requester, .flags = ATTRIBUTE_OMIT_NONE,
		       .filter = "requester-id"),
	ATTRIBUTE_MADE(BOOL, truth, "requesterManaged", get_managed, .filter = "requester-managed"),
	ATTRIBUTE_WITHIN_OF("attachment", attachment_alone, find_attachment, FILTERED),
	ATTRIBUTE(port, "tagSet", tags),
	ATTRIBUTE_CONST("", "false", .flags = ATTRIBUTE_HIDDEN, .filter = "operator.managed"),
	ATTRIBUTE_NOTHING("operator.principal"),
};
const struct attributes ec2_interface_members = ATTRIBUTES(interface_rows);

ATTRIBUTE_TABLE(tags_within, {ATTRIBUTE(shown_tag, "", key, .filter = "network-interface.tag-key"),
			      ATTRIBUTE(shown_tag, "", value, .filter = "network-interface.tag-value")});
ATTRIBUTE_TABLE(ipv6_within,
		{ATTRIBUTE(shown_ip, "", ip, .filter = "network-interface.ipv6-address", BY_IP_WITHIN)});
#define HIDDEN_FILTERS .flags = ATTRIBUTE_HIDDEN | ATTRIBUTE_FILTERS_WITHIN
static const struct attribute within_rows[] = {
	COMMON(WITHIN, groups_within, primary_within, ips_within, ipv6s_within, prefixes4_within,
	       prefixes6_within),
	ATTRIBUTE_WITHIN_OF("attachment", attachment_within, find_attachment, FILTERED),
	ATTRIBUTE_INLINE(zone_within, find_zone, HIDDEN_FILTERS),
	ATTRIBUTE_MADE(TEXT, text, "", get_requester, .flags = ATTRIBUTE_HIDDEN,
		       .filter = "network-interface.requester-id"),
	ATTRIBUTE_MADE(BOOL, truth, "", get_managed, .flags = ATTRIBUTE_HIDDEN,
		       .filter = "network-interface.requester-managed"),
	ATTRIBUTE_MADE(BOOL, truth, "", is_native, .flags = ATTRIBUTE_HIDDEN,
		       .filter = "network-interface.ipv6-native"),
	ATTRIBUTE_MADE(TEXT, text, "", get_public_name, .flags = ATTRIBUTE_HIDDEN,
		       .filter = "network-interface.public-dns-name", BY_PUBLIC(WITHIN)),
	ATTRIBUTE_ROWS("", ipv6_within, list_ipv6s, HIDDEN_FILTERS),
	ATTRIBUTE_ROWS("", tags_within, list_tags, HIDDEN_FILTERS),
	ATTRIBUTE_CONST("", "false", .flags = ATTRIBUTE_HIDDEN,
			.filter = "network-interface.operator.managed"),
};
const struct attributes ec2_instance_interface_members = ATTRIBUTES(within_rows);

/* ---- at the instance itself ---- */

static const struct attribute primary_interface_rows[] = {
	ATTRIBUTE_MADE(TEXT, text, "privateDnsName", get_private_name),
	ATTRIBUTE_MADE(TEXT, text, "dnsName", get_public_name, .filter = "dns-name", BY_PUBLIC(WITHIN)),
	ATTRIBUTE(port, "privateIpAddress", ip, .flags = ATTRIBUTE_V4),
	ATTRIBUTE_MADE(IP, at, "ipv6Address", find_ipv6),
	ATTRIBUTE_MADE(IP, at, "ipAddress", find_public_ip, .filter = "ip-address", BY_PUBLIC(WITHIN)),
	ATTRIBUTE_REF(port, "subnetId", subnet, KIND_SUBNET),
	ATTRIBUTE_REF(port, "vpcId", router, KIND_ROUTER),
	ATTRIBUTE(port, "sourceDestCheck", source_dest_check),
	ATTRIBUTE_ROWS("groupSet", groups_alone, list_groups),
};
const struct attributes ec2_primary_interface_members = ATTRIBUTES(primary_interface_rows);

ATTRIBUTE_TABLE(any_groups, {ATTRIBUTE(security_group, "", name, .filter = "group-name"),
			     ATTRIBUTE(security_group, "", name, .filter = "instance.group-name")});
ATTRIBUTE_TABLE(any_ipv6s, {ATTRIBUTE(shown_ip, "", ip, .filter = "ipv6-address", BY_IP_WITHIN)});
static const struct attribute any_interface_rows[] = {
	ATTRIBUTE(port, "", ip, .flags = ATTRIBUTE_V4, .filter = "private-ip-address",
		  WAYS_WITHIN(KIND_PORT, PORT_INDEX_IP, NULL)),
	ATTRIBUTE_MADE(TEXT, text, "", get_private_name, .filter = "private-dns-name",
		       WAYS_WITHIN(KIND_PORT, PORT_INDEX_IP, NULL)),
	ATTRIBUTE(port, "", source_dest_check, .filter = "source-dest-check"),
	ATTRIBUTE_ROWS("", any_groups, list_groups, FILTERED),
	ATTRIBUTE_ROWS("", any_ipv6s, list_ipv6s, FILTERED),
};
const struct attributes ec2_any_interface_members = ATTRIBUTES(any_interface_rows);

static const struct attribute groups_only_rows[] = {ATTRIBUTE_ROWS("groupSet", groups_alone, list_groups)};
const struct attributes ec2_interface_groups = ATTRIBUTES(groups_only_rows);
static const struct attribute attachment_only_rows[] = {
	ATTRIBUTE_WITHIN_OF("attachment", attachment_alone, find_attachment)};
const struct attributes ec2_interface_attachment = ATTRIBUTES(attachment_only_rows);
