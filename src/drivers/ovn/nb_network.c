/* SPDX-License-Identifier: Apache-2.0
 * A network as northbound rows: a switch, and the DHCP options of each subnet. Where a router has the
 * subnet's gateway address, it is also the way to metadata and DNS. Guests behind no router reach metadata on
 * the link, at a port of the switch. */
#include <stdio.h>

#include "base/buf.h"
#include "drivers/ovn/nb.h"
#include "model/dhcp_options.h"
#include "model/id.h"
#include "model/network.h"
#include "model/subnet.h"

enum { LEASE_TIME_S = 3600, OPTION_CAP_SIZE = 4096 };
/* Metadata address; CloudStack's templates ask the DHCP server, whose address this is. */
#define METADATA_SERVER "169.254.169.254"

/* True if the text needs no escaping within a quoted DHCP option. */
static bool is_domain_name(struct str s)
{
	for (size_t k = 0; k < s.n; k++) {
		char ch = s.p[k];
		if (!str_is_alphanumeric(ch) && ch != '-' && ch != '.' && ch != ' ')
			return false;
	}
	return s.n > 0;
}

static bool is_routed(const struct subnet *subnet)
{
	return !uuid_is_none(subnet->router);
}

static struct str finish(struct wish *w, struct buf *b)
{
	if (buf_finish(b).code)
		w->failed = true;
	struct str text = str_copy(w->arena, buf_str(b));
	buf_done(b);
	return text;
}

/* for example "192.0.2.1", "{192.0.2.1, 192.0.2.2}" */
static struct str write_ips(struct wish *w, struct str first, const struct ip *ips, size_t count)
{
	struct buf b;
	char ip[IP_TEXT_SIZE];
	const char *comma = first.n ? ", " : "";
	buf_init(&b, OPTION_CAP_SIZE);
	buf_print(&b, "%" STR_FMT, STR_ARG(first));
	for (size_t k = 0; k < count; k++, comma = ", ")
		buf_print(&b, "%s%s", comma, ip_write(ips[k], ip));
	struct str list = finish(w, &b);
	return str_contains(list, STR(",")) ? str_print(w->arena, "{%" STR_FMT "}", STR_ARG(list)) : list;
}

/* Resolvers of the subnet; else of its VPC's DHCP options; else our own, which knows private names, followed
 * by others for when ours is down. */
static struct str write_resolvers(struct wish *w, const struct subnet *subnet, const struct dhcp_options *set,
				  const struct network_segment *wish)
{
	if (subnet->dns_servers.count)
		return write_ips(w, STR_NONE, subnet->dns_servers.at, subnet->dns_servers.count);
	if (set && !set->provided_dns)
		return write_ips(w, STR_NONE, set->dns_servers.at, set->dns_servers.count);
	return write_ips(w, is_routed(subnet) ? STR("169.254.169.253") : STR_NONE, wish->resolvers,
			 wish->resolver_count);
}

/* Clients that get option 121 ignore option 3, so the default route is in both. */
static struct str write_routes(struct wish *w, const struct subnet *subnet, const char *gateway,
			       bool leads_out, bool has_metadata)
{
	struct buf b;
	char block[CIDR_TEXT_SIZE], hop[IP_TEXT_SIZE];
	const char *comma = "";
	buf_init(&b, OPTION_CAP_SIZE);
	buf_print(&b, "{");
	if (leads_out && is_routed(subnet))
		buf_print(&b, "169.254.169.254/32,%s, 169.254.169.253/32,%s, 168.63.129.16/32,%s", gateway,
			  gateway, gateway);
	else if (leads_out && has_metadata)
		buf_print(&b, METADATA_SERVER "/32,0.0.0.0"); /* no gateway: on the link */
	if (leads_out && (is_routed(subnet) || has_metadata))
		comma = ", ";
	for (size_t k = 0; k < subnet->host_route_blocks.count && k < subnet->host_route_hops.count; k++) {
		buf_print(&b, "%s%s,%s", comma, cidr_write(subnet->host_route_blocks.at[k], block),
			  ip_write(subnet->host_route_hops.at[k], hop));
		comma = ", ";
	}
	if (leads_out && !ip_is_none(subnet->gateway_ip))
		buf_print(&b, "%s0.0.0.0/0,%s", comma, gateway);
	buf_print(&b, "}");
	return finish(w, &b);
}

static void add_option(struct wish *w, json_t *options, const char *key, struct str value)
{
	if (json_object_set_new(options, key, json_stringn(value.p, value.n)) < 0)
		w->failed = true;
}

static void add_ips(struct wish *w, json_t *options, const char *key, struct ips ips)
{
	if (ips.count)
		add_option(w, options, key, write_ips(w, STR_NONE, ips.at, ips.count));
}

/* Adds the other options of the VPC's set. With a set that has no domain name, guests get none. */
static void add_set(struct wish *w, json_t *options, const struct dhcp_options *set, struct str domain_name)
{
	struct str name = set ? set->domain_name : domain_name;
	if (is_domain_name(name))
		add_option(w, options, "domain_name", str_print(w->arena, "\"%" STR_FMT "\"", STR_ARG(name)));
	if (!set)
		return;
	add_ips(w, options, "ntp_server", set->ntp_servers);
	add_ips(w, options, "netbios_name_server", set->netbios_name_servers);
	if (set->netbios_node_type)
		add_option(w, options, "netbios_node_type",
			   str_print(w->arena, "%d", (int) set->netbios_node_type));
}

static json_t *make_options(struct wish *w, const struct subnet *subnet, const struct dhcp_options *set,
			    const struct network_segment *wish, bool leads_out)
{
	char gateway[IP_TEXT_SIZE], mac[MAC_TEXT_SIZE], mtu[16], lease[16];
	bool has_gateway = !ip_is_none(subnet->gateway_ip), is_others = has_gateway && !is_routed(subnet);
	ip_write(subnet->gateway_ip, gateway);
	snprintf(mtu, sizeof mtu, "%d", (int) wish->network->mtu);
	snprintf(lease, sizeof lease, "%d", LEASE_TIME_S);
	json_t *options =
		json_pack("{s:s,s:s,s:s,s:s}", "server_id", is_others ? gateway : METADATA_SERVER,
			  "server_mac", mac_write(subnet->gateway_mac, mac), "lease_time", lease, "mtu", mtu);
	struct str resolvers = leads_out ? write_resolvers(w, subnet, set, wish) : STR_NONE,
		   routes = write_routes(w, subnet, gateway, leads_out, wish->has_metadata);
	if (has_gateway && leads_out)
		add_option(w, options, "router", str_from(gateway));
	if (resolvers.n)
		add_option(w, options, "dns_server", resolvers);
	if (!str_is(routes, "{}"))
		add_option(w, options, "classless_static_route", routes);
	if (leads_out)
		add_set(w, options, set, wish->domain_name);
	return options;
}

/* The router announces itself as the default route; in stateless mode it announces addresses as well. */
static json_t *make_ipv6_options(struct wish *w, const struct subnet *subnet)
{
	char mac[MAC_TEXT_SIZE];
	json_t *options = json_pack("{s:s}", "server_id", mac_write(subnet->gateway_mac, mac));
	if (subnet->ipv6_address_mode == SUBNET_IPV6_ADDRESS_MODE_DHCPV6_STATELESS)
		add_option(w, options, "dhcpv6_stateless", STR("true"));
	add_ips(w, options, "dns_server", subnet->dns_servers);
	return options;
}

bool nb_has_dhcp(const struct subnet *subnet)
{
	if (subnet->no_dhcp || subnet->block.base.family == IP_V4)
		return !subnet->no_dhcp;
	return subnet->ipv6_address_mode == SUBNET_IPV6_ADDRESS_MODE_DHCPV6_STATEFUL ||
	       subnet->ipv6_address_mode == SUBNET_IPV6_ADDRESS_MODE_DHCPV6_STATELESS;
}

static json_t *make_dhcp(struct wish *w, const struct network_segment *wish, size_t k, bool leads_out)
{
	const struct subnet *subnet = wish->subnets[k];
	return subnet->block.base.family == IP_V6
		       ? make_ipv6_options(w, subnet)
		       : make_options(w, subnet, wish->options ? wish->options[k] : NULL, wish, leads_out);
}

json_t *nb_make_dhcp(struct wish *w, const struct network_segment *wish, uuid subnet, bool leads_out)
{
	for (size_t k = 0; k < wish->subnet_count; k++)
		if (uuid_equal(wish->subnets[k]->row.id, subnet))
			return make_dhcp(w, wish, k, leads_out);
	return NULL;
}

/* The port is plugged in on dari's machine only; guests on every chassis reach it through the switch. */
static void plan_metadata(struct wish *w, const struct network_segment *wish)
{
	uuid id = wish->network->row.id, port = model_metadata_port(id);
	char name[UUID_TEXT_SIZE], mac[MAC_TEXT_SIZE], address[MAC_TEXT_SIZE + sizeof METADATA_SERVER];
	struct str chassis = wish->metadata_chassis;
	snprintf(address, sizeof address, "%s " METADATA_SERVER, mac_write(wish->metadata_mac, mac));
	struct wish_row *row =
		wish_add_row(w, "Logical_Switch_Port", port,
			     json_pack("{s:s,s:s,s:{s:b},s:{s:s%}}", "name", uuid_write(port, name), "type",
				       "", "addresses", address, 1, "options", "requested-chassis",
				       chassis.p ? chassis.p : "", chassis.n));
	wish_add_edge(w, row, "Logical_Switch", "ports", id);
}

void nb_plan_network(struct wish *w, const struct network_segment *wish)
{
	uuid id = wish->network->row.id;
	char name[UUID_TEXT_SIZE], block[CIDR_TEXT_SIZE];
	wish_add_row(w, "Logical_Switch", id, json_pack("{s:s}", "name", uuid_write(id, name)));
	if (wish->has_metadata)
		plan_metadata(w, wish);
	for (size_t k = 0; k < wish->subnet_count; k++) {
		const struct subnet *subnet = wish->subnets[k];
		if (nb_has_dhcp(subnet))
			wish_add_row(w, "DHCP_Options", uuid_v5(subnet->row.id, STR("dhcp")),
				     json_pack("{s:s,s:o}", "cidr",
					       cidr_write(cidr_canonical(subnet->block), block), "options",
					       make_dhcp(w, wish, k, true)));
	}
}
