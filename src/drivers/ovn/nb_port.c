/* SPDX-License-Identifier: Apache-2.0
 * A network interface as a switch port: bound to its chassis, restricted to its addresses, member of its
 * security groups and of the region's default deny from the start, with its names in DNS. Also a public
 * address, as a translation on its router. */
#include <stdio.h>

#include "drivers/ovn/nb.h"
#include "model/address.h"
#include "model/dhcp_word.h"
#include "model/port.h"
#include "model/subnet.h"

/* A name that no chassis has: prevents any binding. */
#define NOWHERE "-"

/* Each address of an IPv4 prefix belongs to the port: OVN answers ARP in place of the guest, which may have
 * passed the address on, and the network needs no route. */
static struct str add_prefixes(struct arena *a, struct str text, const struct network_port *wish)
{
	char ip[IP_TEXT_SIZE];
	for (size_t k = 0; k < wish->prefix_count; k++) {
		struct cidr block = wish->prefixes[k];
		for (uint64_t n = 0; block.base.family == IP_V4 && n < cidr_count(block); n++)
			text = str_print(a, "%" STR_FMT " %s", STR_ARG(text),
					 ip_write(ip_add(block.base, n), ip));
	}
	return text;
}

/* for example "02:… 10.0.1.10 10.0.1.11" */
static struct str write_addresses(struct arena *a, const struct network_port *wish)
{
	char mac[MAC_TEXT_SIZE], ip[IP_TEXT_SIZE];
	struct str text = str_print(a, "%s", mac_write(wish->port->mac, mac));
	if (!ip_is_none(wish->port->ip))
		text = str_print(a, "%" STR_FMT " %s", STR_ARG(text), ip_write(wish->port->ip, ip));
	for (size_t k = 0; k < wish->secondaries.count; k++)
		text = str_print(a, "%" STR_FMT " %s", STR_ARG(text), ip_write(wish->secondaries.at[k], ip));
	return add_prefixes(a, text, wish);
}

/* Allows an IPv6 prefix as source; the router routes it here (nb_router.c). */
static struct str add_ipv6_prefixes(struct arena *a, struct str text, const struct network_port *wish)
{
	char block[CIDR_TEXT_SIZE];
	for (size_t k = 0; k < wish->prefix_count; k++)
		if (wish->prefixes[k].base.family == IP_V6)
			text = str_print(a, "%" STR_FMT " %s", STR_ARG(text),
					 cidr_write(wish->prefixes[k], block));
	return text;
}

/* Adds a member to a set of texts in canonical form. */
static void add_text(struct wish *w, json_t *set, struct str text)
{
	if (json_object_setn_new(set, text.p, text.n, json_true()) < 0)
		w->failed = true;
}

/* Allowed sources: the port's addresses and address pairs; without the source/destination check any address
 * with its own MAC; on an open port anything. */
static json_t *make_security(struct wish *w, const struct network_port *wish, struct str addresses)
{
	const struct port *port = wish->port;
	char mac[MAC_TEXT_SIZE];
	json_t *set = json_object();
	addresses = add_ipv6_prefixes(w->arena, addresses, wish);
	if (!port->is_open)
		add_text(w, set, port->source_dest_check ? addresses : str_from(mac_write(port->mac, mac)));
	for (size_t k = 0; !port->is_open && k < port->allowed_pairs.count; k++)
		add_text(w, set, port->allowed_pairs.at[k]);
	return set;
}

/* Row of DHCP options of a subnet of the family; NULL: none. */
static const char *write_dhcp(const struct subnet *subnet, enum ip_family family,
			      char out[static UUID_TEXT_SIZE])
{
	if (!subnet || !nb_has_dhcp(subnet) || subnet->block.base.family != family)
		return NULL;
	return uuid_write(uuid_v5(subnet->row.id, STR("dhcp")), out);
}

/* ---- the port's own DHCP options ---- */

static bool is_told_nothing(struct tags own)
{
	for (size_t k = 0; k < own.count; k++)
		if (str_is(own.at[k].key, "dhcp_disabled") && str_equal_nocase(own.at[k].value, STR("true")))
			return true;
	return false;
}

/* Overrides the subnet's options. */
static void add_own(struct wish *w, json_t *options, enum ip_family family, struct tags own)
{
	for (size_t k = 0; k < own.count; k++) {
		const struct dhcp_word *word = dhcp_word_find(family, own.at[k].key);
		struct str value = word && word->ovn
					   ? dhcp_word_write(w->arena, word, family, own.at[k].value)
					   : STR_NONE;
		if (value.p && json_object_set_new(options, word->ovn, json_stringn(value.p, value.n)) < 0)
			w->failed = true;
	}
}

/* Row of the port's DHCP options, its own or its subnet's. NULL: none. */
static const char *plan_dhcp(struct wish *w, const struct network_port *wish, const struct subnet *subnet,
			     enum ip_family family, char out[static UUID_TEXT_SIZE])
{
	struct tags own = family == IP_V4 ? wish->port->dhcp4 : wish->port->dhcp6;
	const char *common = write_dhcp(subnet, family, out);
	char block[CIDR_TEXT_SIZE];
	if (!common || !(own.count || wish->leads_nowhere) || !wish->segment)
		return common;
	if (is_told_nothing(own))
		return NULL;
	json_t *options = nb_make_dhcp(w, wish->segment, subnet->row.id, !wish->leads_nowhere);
	if (!options)
		return common;
	uuid id = uuid_v5(wish->port->row.id, family == IP_V4 ? STR("dhcp4") : STR("dhcp6"));
	add_own(w, options, family, own);
	wish_add_row(w, "DHCP_Options", id,
		     json_pack("{s:s,s:o}", "cidr", cidr_write(cidr_canonical(subnet->block), block),
			       "options", options));
	return uuid_write(id, out);
}

/* Chassis of the port. During live migration the second host binds it once it has the tap, and passes no
 * traffic until the guest there announces itself by RARP, which QEMU causes. Source: ovn-nb(5), "options:
 * requested-chassis", "options: activation-strategy". */
static json_t *make_options(struct wish *w, const struct network_port *wish)
{
	struct str chassis = wish->chassis.n ? wish->chassis : STR(NOWHERE);
	if (!wish->chassis.n || !wish->next_chassis.n)
		return json_pack("{s:s%}", "requested-chassis", chassis.p, chassis.n);
	struct str both = str_print(w->arena, "%" STR_FMT ",%" STR_FMT, STR_ARG(wish->chassis),
				    STR_ARG(wish->next_chassis));
	return json_pack("{s:s%,s:s}", "requested-chassis", both.p, both.n, "activation-strategy", "rarp");
}

/* OVN takes a port with a parent for one inside the parent's guest. Source: ovn-nb(5), "parent_name", "tag". */
static json_t *add_carrier(struct wish *w, const struct network_port *wish, json_t *columns)
{
	char parent[UUID_TEXT_SIZE];
	if (uuid_is_none(wish->carrier))
		return columns;
	if (json_object_set_new(columns, "parent_name", json_string(uuid_write(wish->carrier, parent))) < 0 ||
	    json_object_set_new(columns, "tag", json_integer(wish->port->vlan_id)) < 0)
		w->failed = true;
	return columns;
}

static json_t *make_port_columns(struct wish *w, const struct network_port *wish)
{
	const struct port *port = wish->port;
	char name[UUID_TEXT_SIZE], dhcp[UUID_TEXT_SIZE], dhcp6[UUID_TEXT_SIZE];
	struct str addresses = write_addresses(w->arena, wish);
	json_t *set = json_object();
	add_text(w, set, addresses);
	if (port->is_open)
		add_text(w, set, STR("unknown")); /* also receives frames to any other MAC */
	json_t *columns =
		json_pack("{s:s,s:s,s:o,s:o,s:s?,s:s?,s:o,s:n,s:n}", "name", uuid_write(port->row.id, name),
			  "type", "", "addresses", set, "port_security", make_security(w, wish, addresses),
			  "dhcpv4_options", plan_dhcp(w, wish, wish->subnet, IP_V4, dhcp), "dhcpv6_options",
			  plan_dhcp(w, wish, wish->ipv6, IP_V6, dhcp6), "options", make_options(w, wish),
			  "parent_name", "tag");
	return add_carrier(w, wish, columns);
}

/* for example "10.1.0.10.in-addr.arpa" for 10.0.1.10 */
static struct str write_reverse_name(struct arena *a, struct ip ip)
{
	return str_print(a, "%u.%u.%u.%u.in-addr.arpa", ip.b[3], ip.b[2], ip.b[1], ip.b[0]);
}

/* Adds "ip-10-0-1-10.<domain>", EC2's private name, and its reverse. The keys are recorded in the row's mark,
 * so that they can be removed later. */
static struct str plan_name(struct wish *w, const struct network_port *wish, struct ip ip, struct str keys)
{
	uuid dns = nb_dns_id(wish->port->router);
	if (ip.family != IP_V4)
		return keys;
	struct str full = str_print(w->arena, "ip-%u-%u-%u-%u.%" STR_FMT, ip.b[0], ip.b[1], ip.b[2], ip.b[3],
				    STR_ARG(wish->domain_name));
	full = str_lower(w->arena, full); /* keys of the DNS row must be lower case */
	struct str reverse = write_reverse_name(w->arena, ip);
	wish_add_entry(w, "DNS", "records", dns, full, ip_to_str(w->arena, ip));
	wish_add_entry(w, "DNS", "records", dns, reverse, full);
	return str_print(w->arena, "%" STR_FMT " %" STR_FMT " %" STR_FMT, STR_ARG(keys), STR_ARG(full),
			 STR_ARG(reverse));
}

static void plan_names(struct wish *w, struct wish_row *row, const struct network_port *wish)
{
	char dns[UUID_TEXT_SIZE];
	if (!wish->has_names || uuid_is_none(wish->port->router) || wish->domain_name.n == 0)
		return;
	struct str keys = str_from(uuid_write(nb_dns_id(wish->port->router), dns));
	keys = plan_name(w, wish, wish->port->ip, keys);
	for (size_t k = 0; k < wish->secondaries.count; k++)
		keys = plan_name(w, wish, wish->secondaries.at[k], keys);
	wish_add_mark(w, row, MARK_NAMES, keys);
}

/* Translates the address to itself, so that the gateway's chassis answers for it upstream, as for elastic
 * addresses. Tracks no connection, and has no effect without a gateway. */
static void plan_outer_ip(struct wish *w, const struct port *port, struct ip ip)
{
	char text[IP_TEXT_SIZE];
	ip_write(ip, text);
	struct wish_row *row =
		wish_add_row(w, "NAT", uuid_v5(port->row.id, str_print(w->arena, "outer:%s", text)),
			     json_pack("{s:s,s:s,s:s,s:{s:s}}", "type", "dnat_and_snat", "external_ip", text,
				       "logical_ip", text, "options", "stateless", "true"));
	wish_add_edge(w, row, "Logical_Router", "nat", port->router);
}

/* Adds a limit or mark of one direction. OVN looks at the highest priority of a direction alone, so both are in one row. It
 * enforces the rate with a meter on the guest's host, which drops excess packets. The default burst follows OpenStack's
 * networking guide for TCP, which would otherwise stay far below the rate. Source: ovn-nb(5), "QoS TABLE". */
static void plan_qos(struct wish *w, const struct network_port *wish, const struct network_qos *qos,
		     bool is_egress)
{
	enum { PRIORITY = 1000, BURST_PERCENT = 80 };
	char name[UUID_TEXT_SIZE];
	uuid port = wish->port->row.id;
	if (!qos->kbit && !qos->marks)
		return;
	int64_t burst = qos->burst_kbit ? qos->burst_kbit : qos->kbit * BURST_PERCENT / 100;
	json_t *bandwidth = qos->kbit ? json_pack("{s:I,s:I}", "rate", (json_int_t) qos->kbit, "burst",
						  (json_int_t) burst)
				      : json_object();
	json_t *action = qos->marks ? json_pack("{s:I}", "dscp", (json_int_t) qos->dscp) : json_object();
	struct str match =
		str_print(w->arena, "%s == \"%s\"", is_egress ? "inport" : "outport", uuid_write(port, name));
	struct wish_row *row =
		wish_add_row(w, "QoS", uuid_v5(port, is_egress ? STR("egress") : STR("ingress")),
			     json_pack("{s:i,s:s,s:s%,s:o,s:o}", "priority", PRIORITY, "direction",
				       is_egress ? "from-lport" : "to-lport", "match", match.p ? match.p : "",
				       match.n, "bandwidth", bandwidth, "action", action));
	wish_add_edge(w, row, "Logical_Switch", "qos_rules", wish->port->network);
}

void nb_plan_port(struct wish *w, const struct network_port *wish)
{
	const struct port *port = wish->port;
	uuid place = uuid_is_none(port->router) ? port->network : port->router;
	struct wish_row *row =
		wish_add_row(w, "Logical_Switch_Port", port->row.id, make_port_columns(w, wish));
	wish_add_edge(w, row, "Logical_Switch", "ports", port->network);
	if (!port->is_open) {
		nb_plan_default_deny(w);
		wish_add_edge(w, row, "Port_Group", "ports", w->region);
	}
	for (size_t k = 0; k < port->groups.count; k++)
		wish_add_edge(w, row, "Port_Group", "ports", port->groups.at[k]);
	for (size_t k = 0; k < wish->policies.count; k++)
		wish_add_edge(w, row, "Port_Group", "ports", nb_policy_id(wish->policies.at[k], place));
	if (wish->is_closed)
		wish_add_edge(w, row, "Port_Group", "ports", nb_closed_id(port->router));
	plan_qos(w, wish, &wish->egress, true);
	plan_qos(w, wish, &wish->ingress, false);
	for (size_t k = 0; k < wish->outer_ips.count; k++)
		plan_outer_ip(w, port, wish->outer_ips.at[k]);
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

/* Translated on the gateway's chassis, so hosts need no connection to the external network. */
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
