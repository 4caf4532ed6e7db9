/* SPDX-License-Identifier: Apache-2.0
 * Network interfaces, stored as ports: their elements, DescribeNetworkInterfaces, CreateNetworkInterface,
 * DeleteNetworkInterface. Their attributes and attachments: network_interface_changes.c. */
#include "api/ec2/network/network_interfaces.h"

#include "api/ec2/core/write.h"
#include "auth/guard/guard.h"
#include "engine/network/address/address.h"
#include "engine/network/port/port.h"
#include "engine/network/routing/router.h"
#include "model/port.h"
#include "model/port_prefix.h"
#include "model/secondary_ip.h"
#include "model/states.h"
#include "store/address.h"
#include "store/router.h"
#include "store/security_group.h"
#include "store/subnet.h"
#include "store/zone.h"

/* ---- items ---- */

static size_t port_name(const struct ec2_call *e, const struct port *port,
			char out[static EC2_NAME_TEXT_SIZE])
{
	if (port->is_named_by_id)
		return ec2_resource_name(e, engine_port_holder(port), out);
	return port->ip.family == IP_V6 ? 0 : ec2_private_name(e, port->ip, out);
}

void ec2_write_port_name(const struct ec2_call *e, struct xml *x, const char *name, const struct port *port)
{
	char text[EC2_NAME_TEXT_SIZE];
	size_t n = port_name(e, port, text);
	xml_text(x, name, (struct str){text, n});
}

/* Without an IPv4 address, the first item stays empty. */
static bool gather_ips(struct ec2_call *e, struct ec2_port_item *item)
{
	const struct tables *t = ec2_tables(e);
	uuid id = item->port->row.id;
	struct ip ip = item->port->ip;
	struct ec2_ip_item primary = {0};
	if (ip.family != IP_V6)
		primary = (struct ec2_ip_item){.ip = ip, .address = engine_find_address_for(t, id, ip)};
	else if (!VEC_PUSH(e->c->arena, &item->ipv6s, ip))
		return false;
	if (!VEC_PUSH(e->c->arena, &item->ips, primary))
		return false;
	const struct secondary_ip *s = engine_first_secondary_ip(t, id);
	for (; s; s = engine_next_secondary_ip(t, s)) {
		struct ec2_ip_item more = {s->ip, s, engine_find_address_for(t, id, s->ip)};
		if (s->ip.family == IP_V6 ? !VEC_PUSH(e->c->arena, &item->ipv6s, s->ip)
					  : !VEC_PUSH(e->c->arena, &item->ips, more))
			return false;
	}
	for (const struct port_prefix *p = engine_first_prefix(t, id); p; p = engine_next_prefix(t, p))
		if (!VEC_PUSH(e->c->arena, &item->prefixes, p->block))
			return false;
	return true;
}

bool ec2_gather_port(struct ec2_call *e, const struct port *port, struct ec2_port_item *ret_item)
{
	const struct tables *t = ec2_tables(e);
	const struct subnet *subnet = subnet_find(t, port->subnet);
	*ret_item = (struct ec2_port_item){.port = port};
	ret_item->zone = subnet ? zone_find(t, subnet->zone) : 0;
	ret_item->router = router_find(t, port->router);
	ret_item->groups = arena_new_array(e->c->arena, const struct security_group *, port->groups.count);
	if (!ret_item->groups)
		return false;
	for (size_t k = 0; k < port->groups.count; k++)
		ret_item->groups[k] = security_group_find(t, port->groups.at[k]);
	return gather_ips(e, ret_item);
}

static const void *gather_interface(struct ec2_call *e, const struct row *row)
{
	struct ec2_port_item *item = arena_new_object(e->c->arena, struct ec2_port_item);
	return item && ec2_gather_port(e, port_of(row), item) ? item : 0;
}

/* ---- writing ---- */

void ec2_write_public_name(struct ec2_call *e, struct xml *x, const char *name, const struct router *router,
			   const struct address *a)
{
	char text[EC2_NAME_TEXT_SIZE];
	size_t n = a && engine_has_hostnames(router) ? ec2_public_name(e, a->ip, text) : 0;
	xml_text(x, name, (struct str){text, n});
}

void ec2_write_association(struct ec2_call *e, struct xml *x, const struct router *router,
			   const struct address *a, bool with_ids)
{
	if (!a)
		return;
	xml_open(x, "association");
	ec2_write_ip(x, "publicIp", a->ip);
	ec2_write_public_name(e, x, "publicDnsName", router, a);
	xml_text(x, "ipOwnerId", a->is_elastic ? e->owner : STR("amazon"));
	if (with_ids && a->is_elastic) {
		ec2_write_id(x, "allocationId", KIND_ADDRESS, a->row.id);
		ec2_write_prefixed(x, "associationId", "eipassoc", a->association);
	}
	xml_close(x, "association");
}

static void write_addresses(struct ec2_call *e, struct xml *x, const struct ec2_port_item *item,
			    bool with_ids)
{
	xml_open(x, "privateIpAddressesSet");
	for (size_t k = 0; k < item->ips.count; k++) {
		const struct ec2_ip_item *ip = &item->ips.at[k];
		if (ip_is_none(ip->ip))
			continue;
		xml_open(x, "item");
		ec2_write_ip(x, "privateIpAddress", ip->ip);
		ec2_write_private_name(e, x, "privateDnsName", ip->ip);
		xml_bool(x, "primary", k == 0);
		ec2_write_association(e, x, item->router, ip->address, with_ids);
		xml_close(x, "item");
	}
	xml_close(x, "privateIpAddressesSet");
}

static void write_ipv6_addresses(struct xml *x, const struct ec2_port_item *item)
{
	if (item->ipv6s.count == 0) {
		xml_empty(x, "ipv6AddressesSet");
		return;
	}
	xml_open(x, "ipv6AddressesSet");
	for (size_t k = 0; k < item->ipv6s.count; k++) {
		xml_open(x, "item");
		ec2_write_ip(x, "ipv6Address", item->ipv6s.at[k]);
		xml_bool(x, "isPrimaryIpv6", false);
		xml_close(x, "item");
	}
	xml_close(x, "ipv6AddressesSet");
}

void ec2_write_prefixes(struct xml *x, const char *name, const char *member, enum ip_family family,
			const struct cidr *blocks, size_t count)
{
	bool any = false;
	for (size_t k = 0; k < count; k++) {
		if (blocks[k].base.family != family)
			continue;
		if (!any)
			xml_open(x, name);
		any = true;
		xml_open(x, "item");
		ec2_write_cidr(x, member, blocks[k]);
		xml_close(x, "item");
	}
	if (any)
		xml_close(x, name);
}

static bool is_managed(const struct port *port)
{
	return !uuid_is_none(port->nat_gateway);
}

/* EC2 shows no requester for an interface that a launch created. For a NAT gateway's it shows an account
 * of Amazon's; the name is a guess. */
static struct str requester_of(const struct port *port)
{
	return is_managed(port) ? STR("amazon-aws") : port->requester;
}

static const char *port_type(const struct port *port)
{
	return is_managed(port) ? "nat_gateway" : "interface";
}

void ec2_write_port_common(struct ec2_call *e, struct xml *x, const struct ec2_port_item *item, bool with_ids)
{
	const struct port *p = item->port;
	ec2_write_id(x, "networkInterfaceId", KIND_PORT, p->row.id);
	ec2_write_id(x, "subnetId", KIND_SUBNET, p->subnet);
	ec2_write_id(x, "vpcId", KIND_ROUTER, p->router);
	xml_text(x, "description", p->description);
	xml_text(x, "ownerId", e->owner);
	xml_z(x, "status", ec2_state_in_answer(e, model_port_states[model_derive_port_state(p)].ec2));
	ec2_write_mac(x, "macAddress", p->mac);
	ec2_write_ip(x, "privateIpAddress", item->ips.at[0].ip);
	ec2_write_port_name(e, x, "privateDnsName", p);
	xml_bool(x, "sourceDestCheck", p->source_dest_check);
	ec2_write_groups(x, item->groups, p->groups.count);
	ec2_write_association(e, x, item->router, item->ips.at[0].address, with_ids);
	write_addresses(e, x, item, with_ids);
	write_ipv6_addresses(x, item);
	ec2_write_prefixes(x, "ipv4PrefixSet", "ipv4Prefix", IP_V4, item->prefixes.at, item->prefixes.count);
	ec2_write_prefixes(x, "ipv6PrefixSet", "ipv6Prefix", IP_V6, item->prefixes.at, item->prefixes.count);
	xml_z(x, "interfaceType", port_type(p));
}

/* Attachment to the NAT gateway; its id is the gateway's id with another prefix. */
static void write_managed_attachment(struct xml *x, const struct port *port)
{
	xml_open(x, "attachment");
	ec2_write_prefixed(x, "attachmentId", "ela-attach", port->nat_gateway);
	xml_z(x, "instanceOwnerId", "amazon-aws");
	xml_int(x, "deviceIndex", 1);
	xml_z(x, "status", "attached");
	xml_bool(x, "deleteOnTermination", false);
	xml_close(x, "attachment");
}

static const char *attachment_status(const struct port *port)
{
	static const char *const words[PORT_STATE_COUNT] = {
		[PORT_AVAILABLE] = "detached",  [PORT_ATTACHING] = "attaching", [PORT_IN_USE] = "attached",
		[PORT_DETACHING] = "detaching", [PORT_DELETED] = "detached",
	};
	return words[model_derive_port_state(port)];
}

void ec2_write_attachment(struct ec2_call *e, struct xml *x, const struct port *port, bool with_instance)
{
	if (is_managed(port)) {
		write_managed_attachment(x, port);
		return;
	}
	if (uuid_is_none(port->attachment))
		return;
	xml_open(x, "attachment");
	ec2_write_prefixed(x, "attachmentId", "eni-attach", port->attachment);
	if (with_instance) {
		ec2_write_id(x, "instanceId", KIND_INSTANCE, engine_port_holder(port));
		xml_text(x, "instanceOwnerId", e->owner);
	}
	xml_int(x, "deviceIndex", port->device_index);
	xml_int(x, "networkCardIndex", 0);
	xml_z(x, "status", attachment_status(port));
	xml_time_ms(x, "attachTime", port->attached_us);
	xml_bool(x, "deleteOnTermination", port->delete_on_termination);
	xml_close(x, "attachment");
}

static void write_interface(struct ec2_call *e, struct xml *x, const void *item)
{
	const struct ec2_port_item *i = item;
	ec2_write_port_common(e, x, i, true);
	if (i->zone)
		xml_text(x, "availabilityZone", i->zone->name);
	if (i->port->ip.family == IP_V6) {
		xml_bool(x, "ipv6Native", true);
		ec2_write_ip(x, "ipv6Address", i->port->ip);
	}
	xml_text_opt(x, "requesterId", requester_of(i->port));
	xml_bool(x, "requesterManaged", is_managed(i->port));
	ec2_write_attachment(e, x, i->port, true);
	ec2_write_tags(x, i->port->tags);
}

/* ---- describe ---- */

struct ec2_describe_interfaces {
	struct ec2_query query;
};
static const struct param describe_interfaces_params[] = {
	QUERY_IDS(struct ec2_describe_interfaces, "NetworkInterfaceId", KIND_PORT, "Interfaces by id."),
	NO_MANAGED_RESOURCES,
	QUERY_FILTERS(struct ec2_describe_interfaces),
	QUERY_PAGES(struct ec2_describe_interfaces, 5, 1000),
};

static bool fits_public_name(const struct filter_run *f, const struct port *port, const struct address *a)
{
	char text[EC2_NAME_TEXT_SIZE];
	bool has_name = engine_has_hostnames(router_find(f->t, port->router));
	return filter_text(f, (struct str){text, has_name ? ec2_public_name(f->e, a->ip, text) : 0});
}

static bool fits_address(const struct filter_run *f, const struct row *row, const struct address *a)
{
	struct str name = str_from(f->filter->name);
	if (str_ends_with(name, STR("public-ip")))
		return filter_ip(f, a->ip);
	if (str_ends_with(name, STR("public-dns-name")))
		return fits_public_name(f, port_of(row), a);
	if (str_ends_with(name, STR("owner-id")))
		return a->is_elastic ? filter_owner(f, row) : filter_z(f, "amazon");
	if (!a->is_elastic)
		return false;
	return str_ends_with(name, STR("allocation-id")) ? filter_id(f, KIND_ADDRESS, a->row.id)
							 : filter_prefixed(f, "eipassoc", a->association);
}

/* Compares a property of a public address of the port: of any address for "addresses.…", else of the
 * primary private address. */
static bool fits_association(const struct filter_run *f, const struct row *row)
{
	const struct port *p = port_of(row);
	bool any = str_starts_with(str_from(f->filter->name), STR("addresses."));
	for (const struct address *a = address_first_by_port(f->t, row->id); a;
	     a = address_next_by_port(f->t, a))
		if (row_is_live(&a->row) && (any || ip_equal(a->private_ip, p->ip)) &&
		    fits_address(f, row, a))
			return true;
	return false;
}

static bool fits_private_ip(const struct filter_run *f, const struct row *row)
{
	const struct ip ip = port_of(row)->ip;
	if (ip.family == IP_V4 && filter_ip(f, ip))
		return true;
	const struct secondary_ip *s = engine_first_secondary_ip(f->t, row->id);
	while (s && !(s->ip.family == IP_V4 && filter_ip(f, s->ip)))
		s = engine_next_secondary_ip(f->t, s);
	return s != 0;
}

static const struct secondary_ip *first_of_family(const struct tables *t, uuid port, enum ip_family family)
{
	const struct secondary_ip *s = engine_first_secondary_ip(t, port);
	while (s && s->ip.family != family)
		s = engine_next_secondary_ip(t, s);
	return s;
}

/* Every interface has a primary address. */
static bool fits_primary(const struct filter_run *f, const struct row *row)
{
	return filter_bool(f, true) || (filter_bool(f, false) && first_of_family(f->t, row->id, IP_V4));
}

static bool fits_ipv6(const struct filter_run *f, const struct row *row)
{
	const struct ip ip = port_of(row)->ip;
	if (ip.family == IP_V6 && filter_ip(f, ip))
		return true;
	const struct secondary_ip *s = first_of_family(f->t, row->id, IP_V6);
	while (s && !(s->ip.family == IP_V6 && filter_ip(f, s->ip)))
		s = engine_next_secondary_ip(f->t, s);
	return s != 0;
}

/* The same for the interface of a NAT gateway, as shown. */
static bool fits_managed_attachment(const struct filter_run *f, const struct port *p)
{
	struct str name = str_from(f->filter->name);
	if (str_ends_with(name, STR("attachment-id")))
		return filter_prefixed(f, "ela-attach", p->nat_gateway);
	if (str_ends_with(name, STR("status")))
		return filter_z(f, "attached");
	if (str_ends_with(name, STR("owner-id")))
		return filter_z(f, "amazon-aws");
	if (str_ends_with(name, STR("device-index")))
		return filter_int(f, 1);
	return str_ends_with(name, STR("delete-on-termination")) && filter_bool(f, false);
}

/* Compares a property of the attachment; only attached ports can fit. */
static bool fits_attachment(const struct filter_run *f, const struct row *row)
{
	const struct port *p = port_of(row);
	if (is_managed(p))
		return fits_managed_attachment(f, p);
	struct str name = str_from(f->filter->name);
	if (uuid_is_none(p->attachment))
		return false;
	if (str_ends_with(name, STR("attachment-id")))
		return filter_prefixed(f, "eni-attach", p->attachment);
	if (str_ends_with(name, STR("instance-id")))
		return filter_id(f, KIND_INSTANCE, engine_port_holder(p));
	if (str_ends_with(name, STR("status")))
		return filter_z(f, attachment_status(p));
	if (str_ends_with(name, STR("owner-id")))
		return filter_owner(f, row);
	if (str_ends_with(name, STR("attach-time")))
		return filter_time(f, p->attached_us);
	return str_ends_with(name, STR("device-index")) ? filter_int(f, p->device_index)
							: filter_bool(f, p->delete_on_termination);
}

static bool fits_group_name(const struct filter_run *f, const struct row *row)
{
	const struct uuids *groups = &port_of(row)->groups;
	for (size_t k = 0; k < groups->count; k++) {
		const struct security_group *group = security_group_find(f->t, groups->at[k]);
		if (group && filter_text(f, group->name))
			return true;
	}
	return false;
}

static bool fits_zone(const struct filter_run *f, const struct row *row)
{
	const struct subnet *subnet = subnet_find(f->t, port_of(row)->subnet);
	return subnet && filter_zone(f, subnet->zone);
}

static bool fits_zone_id(const struct filter_run *f, const struct row *row)
{
	const struct subnet *subnet = subnet_find(f->t, port_of(row)->subnet);
	const struct zone *zone = subnet ? zone_find(f->t, subnet->zone) : NULL;
	return zone && filter_text(f, zone->short_id);
}

static bool fits_private_name(const struct filter_run *f, const struct row *row)
{
	char text[EC2_NAME_TEXT_SIZE];
	size_t n = port_name(f->e, port_of(row), text);
	return filter_text(f, (struct str){text, n});
}

static bool has_status(const struct filter_run *f, unsigned state)
{
	return filter_z(f, model_port_states[state].ec2);
}

static bool fits_type(const struct filter_run *f, const struct row *row)
{
	return filter_z(f, port_type(port_of(row)));
}

static bool fits_requester(const struct filter_run *f, const struct row *row)
{
	struct str requester = requester_of(port_of(row));
	return requester.n && filter_text(f, requester);
}

static bool fits_managed(const struct filter_run *f, const struct row *row)
{
	return filter_bool(f, is_managed(port_of(row)));
}

#define BY_PUBLIC_IP                                                                                         \
	.access_paths = {{KIND_ADDRESS, ADDRESS_INDEX_PUBLIC, .joins = {JOIN_ONE(KIND_PORT, address, port)}}}
static const struct filter interface_filters[] = {
	{"network-interface-id", .is_id = true},
	{"vpc-id", .field = "router", .index = PORT_INDEX_IN_ROUTER},
	{"subnet-id", .field = "subnet", .index = PORT_INDEX_IN_SUBNET},
	{"attachment.instance-id", .get = fits_attachment,
	 .access_paths = {{KIND_PORT, PORT_INDEX_INSTANCE}, {KIND_PORT, PORT_INDEX_SEEN_INSTANCE}}},
	{"group-id", .field = "groups"},
	{"group-name", .get = fits_group_name},
	{"private-ip-address", .field = "ip", .index = PORT_INDEX_IP},
	{"addresses.private-ip-address", .get = fits_private_ip,
	 .access_paths = {{KIND_PORT, PORT_INDEX_IP},
			  {KIND_SECONDARY_IP, SECONDARY_IP_INDEX_IP,
			   .joins = {JOIN_ONE(KIND_PORT, secondary_ip, port)}}}},
	{"addresses.primary", .get = fits_primary},
	{"addresses.association.public-ip", .get = fits_association, BY_PUBLIC_IP},
	{"addresses.association.owner-id", .get = fits_association},
	{"association.association-id", .get = fits_association,
	 .access_paths = {{KIND_ADDRESS,
			   ADDRESS_INDEX_ASSOCIATION,
			   "eipassoc",
			   {JOIN_ONE(KIND_PORT, address, port)}}}},
	{"association.allocation-id", .get = fits_association,
	 .access_paths = {{KIND_ADDRESS, .joins = {JOIN_ONE(KIND_PORT, address, port)}}}},
	{"association.ip-owner-id", .get = fits_association},
	{"association.public-ip", .get = fits_association, BY_PUBLIC_IP},
	{"association.public-dns-name", .get = fits_association, BY_PUBLIC_IP},
	{"attachment.attachment-id", .get = fits_attachment,
	 .access_paths = {{KIND_PORT, PORT_INDEX_ATTACHMENT, "eni-attach"}}},
	{"attachment.attach-time", .get = fits_attachment},
	{"attachment.delete-on-termination", .get = fits_attachment},
	{"attachment.device-index", .get = fits_attachment},
	{"attachment.instance-owner-id", .get = fits_attachment},
	{"attachment.status", .get = fits_attachment},
	{"availability-zone", .get = fits_zone},
	{"availability-zone-id", .get = fits_zone_id},
	{"operator.managed", .fixed = "false"},
	{"operator.principal", .get = filter_nothing},
	{"description", .field = "description"},
	{"ipv6-addresses.ipv6-address", .get = fits_ipv6,
	 .access_paths = {{KIND_PORT, PORT_INDEX_IP},
			  {KIND_SECONDARY_IP, SECONDARY_IP_INDEX_IP,
			   .joins = {JOIN_ONE(KIND_PORT, secondary_ip, port)}}}},
	{"interface-type", .get = fits_type},
	{"mac-address", .field = "mac", .index = PORT_INDEX_MAC},
	{"owner-id", .get = filter_owner},
	{"private-dns-name", .get = fits_private_name, .access_paths = {{KIND_PORT, PORT_INDEX_IP}}},
	{"requester-id", .get = fits_requester},
	{"requester-managed", .get = fits_managed},
	{"source-dest-check", .field = "source_dest_check"},
	{"status", .in_state = has_status},
};

const struct filters ec2_interface_filters = FILTERS(interface_filters);

/* ---- filters of DescribeInstances on interfaces that DescribeNetworkInterfaces does not have ---- */

static bool fits_any_private_name(const struct filter_run *f, const struct row *row)
{
	char text[EC2_NAME_TEXT_SIZE];
	const struct ip ip = port_of(row)->ip;
	const struct secondary_ip *s = first_of_family(f->t, row->id, IP_V4);
	if (ip.family == IP_V4 && filter_text(f, (struct str){text, ec2_private_name(f->e, ip, text)}))
		return true;
	while (s && !(s->ip.family == IP_V4 &&
		      filter_text(f, (struct str){text, ec2_private_name(f->e, s->ip, text)})))
		s = engine_next_secondary_ip(f->t, s);
	return s != 0;
}

static bool fits_prefix(const struct filter_run *f, const struct row *row)
{
	bool is_ipv6 = str_starts_with(str_from(f->filter->name), STR("ipv6"));
	const struct port_prefix *p = engine_first_prefix(f->t, row->id);
	char text[CIDR_TEXT_SIZE];
	while (p && !((p->block.base.family == IP_V6) == is_ipv6 && filter_z(f, cidr_write(p->block, text))))
		p = engine_next_prefix(f->t, p);
	return p != 0;
}

static bool has_ipv6(const struct filter_run *f, const struct row *row)
{
	return port_of(row)->ip.family == IP_V6 || first_of_family(f->t, row->id, IP_V6);
}

/* No address is primary among the IPv6 ones. */
static bool fits_primary_ipv6(const struct filter_run *f, const struct row *row)
{
	return has_ipv6(f, row) && filter_bool(f, false);
}

static bool fits_native(const struct filter_run *f, const struct row *row)
{
	return filter_bool(f, port_of(row)->ip.family == IP_V6);
}

static bool fits_tag(const struct filter_run *f, const struct row *row)
{
	const struct tags *tags = ec2_tags_of(f->e, KIND_PORT, row);
	bool is_key = str_is(str_from(f->filter->name), "tag-key");
	for (size_t k = 0; tags && k < tags->count; k++)
		if (filter_text(f, is_key ? tags->at[k].key : tags->at[k].value))
			return true;
	return false;
}

static const struct filter further_filters[] = {
	{"addresses.association.allocation-id", .get = fits_association},
	{"addresses.association.association-id", .get = fits_association},
	{"addresses.association.public-dns-name", .get = fits_association},
	{"addresses.private-dns-name", .get = fits_any_private_name},
	{"attachment.network-card-index", .fixed = "0"},
	{"ipv4-prefixes.ipv4-prefix", .get = fits_prefix},
	{"ipv6-address", .get = fits_ipv6},
	{"ipv6-addresses.is-primary-ipv6", .get = fits_primary_ipv6},
	{"ipv6-native", .get = fits_native},
	{"ipv6-prefixes.ipv6-prefix", .get = fits_prefix},
	{"public-dns-name", .get = fits_association},
	{"tag-key", .get = fits_tag},
	{"tag-value", .get = fits_tag},
};
const struct filters ec2_further_interface_filters = FILTERS(further_filters);

/* Hides interfaces of routers, which EC2 does not have, and those in networks without a router, which are
 * in no VPC. */
static bool is_in_vpc(struct ec2_call *e, const struct row *row)
{
	const struct port *port = port_of(row);
	(void) e;
	return uuid_is_none(port->interface_of) && !uuid_is_none(port->router);
}

static const struct ec2_listing interface_listing = {.kind = KIND_PORT,
						     .set = "networkInterfaceSet",
						     .filters = FILTERS(interface_filters),
						     .shows = is_in_vpc,
						     .is_hiding = true,
						     .gather = gather_interface,
						     .write = write_interface};

/* ---- create ---- */

static const struct param private_ip_rows[] = {
	PARAM(struct ec2_private_ip, "PrivateIpAddress", ip, .flags = REQUIRED, .doc = "The address."),
	PARAM(struct ec2_private_ip, "Primary", is_primary, .doc = "It is the primary one: of one only."),
};
const struct params ec2_private_ip_params = PARAMS(struct ec2_private_ip, private_ip_rows);

RESULT ec2_take_private_ips(struct ec2_call *e, const struct ec2_private_ips *list, struct port_ips_wish *ips)
{
	struct ip *secondaries = arena_new_array(e->c->arena, struct ip, list->count + 1);
	size_t count = 0;
	if (!secondaries)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < list->count; k++) {
		const struct ec2_private_ip *each = &list->at[k];
		if (each->is_primary && !ip_is_none(ips->primary))
			return ctx_fail_field(e->c, ERR_COMBINATION, STR("PrivateIpAddresses"),
					      "Only one primary private IP address can be specified");
		if (each->is_primary)
			ips->primary = each->ip;
		else
			secondaries[count++] = each->ip;
	}
	if (count && ips->more)
		return ctx_fail_field(
			e->c, ERR_COMBINATION, STR("SecondaryPrivateIpAddressCount"),
			"SecondaryPrivateIpAddressCount and secondary private IP addresses may not "
			"be specified on the same request");
	ips->secondaries = (struct ips){secondaries, count};
	ips->field = STR("PrivateIpAddress");
	return OK;
}

static const struct param ipv6_address_rows[] = {
	PARAM(struct ec2_ipv6_address, "Ipv6Address", ip, .flags = REQUIRED | IPV6, .doc = "The address."),
	NOT_BUILT("IsPrimaryIpv6", .only = "false"),
};
const struct params ec2_ipv6_address_params = PARAMS(struct ec2_ipv6_address, ipv6_address_rows);

RESULT ec2_take_ipv6_addresses(struct ec2_call *e, const struct ec2_ipv6_addresses *list,
			       struct port_ips_wish *ips)
{
	struct ip *at = arena_new_array(e->c->arena, struct ip, list->count + 1);
	if (!at)
		return ctx_no_memory(e->c);
	if (list->count && ips->ipv6_more)
		return ctx_fail_field(e->c, ERR_COMBINATION, STR("Ipv6AddressCount"),
				      "Ipv6AddressCount and IPv6 addresses may not be specified on the same "
				      "request");
	for (size_t k = 0; k < list->count; k++)
		at[k] = list->at[k].ip;
	ips->ipv6s = (struct ips){at, list->count};
	ips->ipv6_field = list->count ? STR("Ipv6Addresses") : STR("Ipv6AddressCount");
	return OK;
}

static const struct param ipv4_prefix_rows[] = {
	PARAM(struct ec2_prefix, "Ipv4Prefix", block, .flags = REQUIRED, .doc = "A /28 of the subnet's."),
};
const struct params ec2_ipv4_prefix_params = PARAMS(struct ec2_prefix, ipv4_prefix_rows);
static const struct param ipv6_prefix_rows[] = {
	PARAM(struct ec2_prefix, "Ipv6Prefix", block, .flags = REQUIRED | IPV6,
	      .doc = "A /80 of the subnet's IPv6 block."),
};
const struct params ec2_ipv6_prefix_params = PARAMS(struct ec2_prefix, ipv6_prefix_rows);

static RESULT take_prefix_list(struct ec2_call *e, const struct ec2_prefixes *list, const char *name,
			       const char *count_name, struct port_prefixes_wish *wish)
{
	struct cidr *blocks = arena_new_array(e->c->arena, struct cidr, list->count + 1);
	if (!blocks)
		return ctx_no_memory(e->c);
	if (list->count && wish->more)
		return ctx_fail_field(e->c, ERR_COMBINATION, str_from(count_name),
				      "%s and %s may not be specified on the same request", count_name, name);
	for (size_t k = 0; k < list->count; k++)
		blocks[k] = list->at[k].block;
	wish->named = (struct cidrs){blocks, list->count};
	wish->field = str_from(list->count ? name : count_name);
	return OK;
}

RESULT ec2_take_prefixes(struct ec2_call *e, const struct ec2_prefix_lists *lists, struct port_ips_wish *ips)
{
	TRY(take_prefix_list(e, &lists->ipv4, "Ipv4Prefix", "Ipv4PrefixCount", &ips->prefixes));
	TRY(take_prefix_list(e, &lists->ipv6, "Ipv6Prefix", "Ipv6PrefixCount", &ips->ipv6_prefixes));
	bool has_prefixes = ips->prefixes.more || ips->prefixes.named.count;
	bool has_ipv6 = ips->ipv6_prefixes.more || ips->ipv6_prefixes.named.count;
	if (has_prefixes && (ips->more || ips->secondaries.count))
		return ctx_fail_field(e->c, ERR_COMBINATION, ips->prefixes.field,
				      "Prefixes and secondary private IP addresses may not be specified on "
				      "the same request");
	if (has_ipv6 && (ips->ipv6_more || ips->ipv6s.count))
		return ctx_fail_field(e->c, ERR_COMBINATION, ips->ipv6_prefixes.field,
				      "Prefixes and IPv6 addresses may not be specified on the same request");
	return OK;
}

RESULT ec2_read_prefixes(struct ec2_call *e, struct strs texts, struct str field, enum ip_family family,
			 struct cidrs *ret_blocks)
{
	struct cidr *blocks = arena_new_array(e->c->arena, struct cidr, texts.count + 1);
	if (!blocks)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < texts.count; k++)
		if (!result_is_ok(cidr_parse(texts.at[k], &blocks[k])) || blocks[k].base.family != family)
			return ctx_fail_field(e->c, ERR_INVALID, field,
					      "Value (%" STR_FMT ") for parameter %" STR_FMT
					      " is invalid. This is not a valid CIDR block.",
					      STR_ARG(texts.at[k]),
					      STR_ARG(params_small_name(e->c->arena, field)));
	*ret_blocks = (struct cidrs){blocks, texts.count};
	return OK;
}

struct ec2_create_interface {
	struct port_wish wish;
	struct ec2_private_ips private_ips;
	struct ec2_ipv6_addresses ipv6_addresses;
	struct ec2_prefix_lists prefixes;
	struct ec2_tag_specs tag_specs;
};
#define P(wire, member, ...) PARAM(struct ec2_create_interface, wire, member, __VA_ARGS__)
static const struct param create_interface_params[] = {
	P("SubnetId", wish.subnet, .flags = REQUIRED, .kind = KIND_SUBNET,
	  .doc = "The subnet it is to be in."),
	P("Description", wish.description, .max = 255, .doc = "Free text."),
	P("PrivateIpAddress", wish.ips.primary, .doc = "Its address; absent: any free one."),
	P("SecurityGroupId", wish.groups, .kind = KIND_SECURITY_GROUP,
	  .doc = "Its groups; none: the VPC's default one."),
	PARAM_LIST(struct ec2_create_interface, "PrivateIpAddresses", private_ips, ec2_private_ip_params,
		   .max = PORT_IPS_MAX, .doc = "Its addresses, the primary one and secondary ones."),
	P("SecondaryPrivateIpAddressCount", wish.ips.more, .min = 0, .max = PORT_IPS_MAX - 1,
	  .doc = "As many secondary addresses that are free."),
	EC2_IPV6_ADDRESSES(struct ec2_create_interface, "Ipv6Addresses", ipv6_addresses, wish.ips),
	P("ClientToken", wish.client_token, .max = 64, .doc = "Same token, same answer."),
	TAG_SPECIFICATIONS(struct ec2_create_interface, tag_specs),
	NOT_BUILT("InterfaceType", .only = "interface"),
	EC2_PREFIXES(struct ec2_create_interface, prefixes, wish.ips),
	NOT_BUILT("EnablePrimaryIpv6", .only = "false"),
	NOT_BUILT("ConnectionTrackingSpecification|Operator"),
};
#undef P

static RESULT prepare_create(struct ec2_call *e, void *args)
{
	static const char *const not_in_digest[] = {"ClientToken", "DryRun", 0};
	struct ec2_create_interface *a = args;
	TRY(ec2_take_private_ips(e, &a->private_ips, &a->wish.ips));
	TRY(ec2_take_ipv6_addresses(e, &a->ipv6_addresses, &a->wish.ips));
	TRY(ec2_take_prefixes(e, &a->prefixes, &a->wish.ips));
	a->wish.digest = pairs_digest(e->c, &e->pairs, not_in_digest);
	a->wish.requester = guard_write_id(e->c->who, e->c->arena);
	return ec2_take_tags(e, &a->tag_specs, "network-interface", "network-interface", &a->wish.tags);
}

static RESULT ec2_create_interface(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct ec2_create_interface *a = args;
	TRY(ec2_write_returned(e, &interface_listing, a->wish.port, "networkInterface", x));
	xml_text_opt(x, "clientToken", a->wish.client_token);
	return OK;
}

/* ---- delete ---- */

static const struct param delete_interface_params[] = {
	PARAM(struct port_target, "NetworkInterfaceId", port, .flags = REQUIRED, .kind = KIND_PORT,
	      .doc = "The interface, in no instance."),
};

static const struct ec2_action actions[] = {
	{EC2_ACTION("DescribeNetworkInterfaces"),
	 .args = PARAMS(struct ec2_describe_interfaces, describe_interfaces_params),
	 .list = &interface_listing, .doc = "Network interfaces of the account."},
	{EC2_ACTION("CreateNetworkInterface"), .part = EC2_OF_INTERFACES, .flags = API_WRITES,
	 .args = PARAMS(struct ec2_create_interface, create_interface_params), .prepare = prepare_create,
	 .operation = engine_create_port_run, .returns = KIND_PORT, .answer = ec2_create_interface,
	 .state_in_answer = "pending", .doc = "Makes an interface in a subnet."},
	{EC2_ACTION("DeleteNetworkInterface"), .flags = API_WRITES,
	 .args = PARAMS(struct port_target, delete_interface_params), .operation = engine_delete_port_run,
	 .doc = "Deletes an interface that is in no instance."},
};
const struct api_actions ec2_interface_actions = API_ACTIONS(actions);
