/* SPDX-License-Identifier: Apache-2.0
 * A network interface as a switch port: pinned to its chassis, held to its addresses, a member of
 * its groups and of the region's default deny from the first moment, with its names in DNS. And a
 * public address as a translation on its router. */
#include <stdio.h>

#include "drivers/ovn/nb.h"

/* A chassis that no host can be: a port nobody may bind. */
#define NOWHERE "-"

/* Without the source/destination check it may speak for other addresses, but with its own MAC. */
static json_t *make_port_columns(const struct network_port *wish)
{
	const struct port *port = wish->port;
	char name[UUID_TEXT_SIZE], mac[MAC_TEXT_SIZE], ip[IP_TEXT_SIZE], dhcp[UUID_TEXT_SIZE];
	char address[MAC_TEXT_SIZE + IP_TEXT_SIZE];
	snprintf(address, sizeof address, "%s %s", mac_write(port->mac, mac), ip_write(port->ip, ip));
	uuid_write(uuid_v5(port->subnet, STR("dhcp")), dhcp);
	struct str chassis = wish->chassis.n ? wish->chassis : STR(NOWHERE);
	return json_pack("{s:s,s:s,s:{s:b},s:{s:b},s:s,s:{s:s%}}", "name", uuid_write(port->row.id, name),
			 "type", "", "addresses", address, 1, "port_security",
			 port->source_dest_check ? address : mac, 1, "dhcpv4_options", dhcp, "options",
			 "requested-chassis", chassis.p, chassis.n);
}

/* "10.1.0.10.in-addr.arpa" for 10.0.1.10; empty for what has no such name here. */
static struct str write_reverse_name(struct arena *a, struct ip ip)
{
	if (ip.family != IP_V4)
		return STR_NONE;
	return str_print(a, "%u.%u.%u.%u.in-addr.arpa", ip.b[3], ip.b[2], ip.b[1], ip.b[0]);
}

static void plan_names(struct wish *w, struct wish_row *row, const struct network_port *wish)
{
	if (wish->host_name.n == 0 || wish->domain_name.n == 0)
		return;
	uuid dns = nb_dns_id(wish->port->router);
	char dns_text[UUID_TEXT_SIZE];
	struct str full = str_print(w->arena, "%" STR_FMT ".%" STR_FMT, STR_ARG(wish->host_name),
				    STR_ARG(wish->domain_name));
	full = str_lower(w->arena, full); /* the keys must be */
	struct str reverse = write_reverse_name(w->arena, wish->port->ip);
	wish_add_entry(w, "DNS", "records", dns, full, ip_to_str(w->arena, wish->port->ip));
	if (reverse.n)
		wish_add_entry(w, "DNS", "records", dns, reverse, full);
	wish_add_mark(w, row, MARK_NAMES,
		      str_print(w->arena, "%s %" STR_FMT " %" STR_FMT, uuid_write(dns, dns_text),
				STR_ARG(full), STR_ARG(reverse)));
}

void nb_plan_port(struct wish *w, const struct network_port *wish)
{
	const struct port *port = wish->port;
	struct wish_row *row = wish_add_row(w, "Logical_Switch_Port", port->row.id, make_port_columns(wish));
	wish_add_edge(w, row, "Logical_Switch", "ports", port->subnet);
	nb_plan_default_deny(w);
	wish_add_edge(w, row, "Port_Group", "ports", w->region);
	for (size_t k = 0; k < port->groups.count; k++)
		wish_add_edge(w, row, "Port_Group", "ports", port->groups.at[k]);
	plan_names(w, row, wish);
}

static bool is_wanted_entry(const struct wish *w, uuid row, struct str key)
{
	for (size_t k = 0; k < w->entries.count; k++)
		if (uuid_equal(w->entries.at[k].row, row) && str_is(key, w->entries.at[k].key))
			return true;
	return false;
}

void nb_plan_forget_names(struct wish *w, const json_t *have)
{
	struct str rest = str_from(ovsdb_row_mark(have, MARK_NAMES)), id_text, key;
	uuid dns;
	if (!str_split_next(&rest, ' ', &id_text) || uuid_parse(id_text, &dns).code)
		return;
	while (str_split_next(&rest, ' ', &key))
		if (key.n && !is_wanted_entry(w, dns, key))
			wish_add_entry(w, "DNS", "records", dns, key, STR_NONE);
}

/* Translated on the gateway's chassis: works on hosts without a leg in the external network. */
void nb_plan_address(struct wish *w, const struct network_address *wish)
{
	char public[IP_TEXT_SIZE], private[IP_TEXT_SIZE];
	struct ip target = ip_is_none(wish->address->private_ip) ? wish->port->ip : wish->address->private_ip;
	struct wish_row *row = wish_add_row(w, "NAT", wish->address->row.id,
					    json_pack("{s:s,s:s,s:s}", "type", "dnat_and_snat", "external_ip",
						      ip_write(wish->address->ip, public), "logical_ip",
						      ip_write(target, private)));
	wish_add_edge(w, row, "Logical_Router", "nat", wish->router);
}
