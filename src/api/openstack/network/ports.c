/* SPDX-License-Identifier: Apache-2.0
 * Ports. Neutron has ports that have no row here, so the list adds them: router interfaces at a subnet's
 * gateway address and, for administrators because no project owns them, router gateways and floating IPs on
 * external networks. */
#include "api/openstack/network/network.h"
#include "engine/network/address/address.h"
#include "engine/network/port/port.h"
#include "engine/network/port/trunk.h"
#include "engine/network/routing/router_interface.h"
#include "model/mac.h"
#include "model/nat_gateway.h"
#include "model/secondary_ip.h"
#include "model/trunk.h"
#include "store/address.h"
#include "store/gateway.h"
#include "store/host.h"
#include "store/instance.h"
#include "store/network.h"
#include "store/network_grant.h"
#include "store/port.h"
#include "store/subnet.h"
#include "store/zone.h"

struct port_item {
	const struct port *port;
	const struct zone *zone;
	struct str device_owner;
	uuid device; /* none: the row's device_id applies */
};

/* ---- gateways' addresses as rows ---- */

static RESULT add_gateway(struct os_call *e, const struct subnet *s, struct os_added *ret_rows)
{
	uuid id = engine_get_gateway_port(os_tables(e), s);
	if (!os_wants(ret_rows, id) || port_find(os_tables(e), id))
		return OK;
	struct port *row = arena_new_object(e->c->arena, struct port);
	if (!row)
		return ctx_no_memory(e->c);
	*row = (struct port){.row = s->row,
			     .account = s->account,
			     .network = s->network,
			     .subnet = s->row.id,
			     .router = s->router,
			     .interface_of = s->router,
			     .mac = s->gateway_mac,
			     .ip = s->gateway_ip,
			     .is_open = true,
			     .source_dest_check = true,
			     .seen_up = true};
	row->row.id = id;
	row->row.kind = KIND_PORT;
	return VEC_PUSH(e->c->arena, &ret_rows->rows, &row->row) ? OK : ctx_no_memory(e->c);
}

static RESULT add_gateways(struct os_call *e, struct os_added *ret_rows)
{
	const struct tables *t = os_tables(e);
	bool all = os_is_admin(e);
	uuid account = e->c->who->account;
	const struct subnet *s = all ? subnet_first(t) : subnet_first_by_account(t, account);
	for (; s; s = all ? subnet_next(t, s) : subnet_next_by_account(t, s))
		if (row_is_live(&s->row) && !uuid_is_none(s->router))
			TRY(add_gateway(e, s, ret_rows));
	return OK;
}

/* Adds a port that only administrators see: a router's gateway or a floating IP. */
static RESULT add_outside(struct os_call *e, const struct port *port, uuid id, uuid device,
			  struct os_added *ret_rows)
{
	if (!os_wants(ret_rows, id))
		return OK;
	struct port *row = arena_new_object(e->c->arena, struct port);
	if (!row)
		return ctx_no_memory(e->c);
	*row = *port;
	row->row.id = id;
	row->row.kind = KIND_PORT;
	row->device_id = uuid_to_str(e->c->arena, device);
	row->is_open = row->source_dest_check = row->seen_up = true;
	return VEC_PUSH(e->c->arena, &ret_rows->rows, &row->row) ? OK : ctx_no_memory(e->c);
}

static RESULT add_router_gateways(struct os_call *e, struct os_added *ret_rows)
{
	const struct tables *t = os_tables(e);
	for (const struct gateway *g = gateway_first(t); g; g = gateway_next(t, g)) {
		const struct address *address = address_find(t, g->address);
		struct ip ip = address ? address->ip : (struct ip){0};
		const struct port port = {.row = g->row,
					  .network = g->external_network,
					  .subnet = engine_get_external_subnet(t, g->external_network, ip),
					  .mac = model_make_mac(g->router, MAC_OF_GATEWAY),
					  .ip = ip,
					  .device_owner = STR("network:router_gateway")};
		if (row_is_live(&g->row) && !uuid_is_none(g->router) && !uuid_is_none(g->external_network))
			TRY(add_outside(e, &port, engine_get_outer_port(g), g->router, ret_rows));
	}
	return OK;
}

static RESULT add_floating_ips(struct os_call *e, struct os_added *ret_rows)
{
	const struct tables *t = os_tables(e);
	for (const struct address *a = address_first(t); a; a = address_next(t, a)) {
		const struct port port = {.row = a->row,
					  .network = a->external_network,
					  .subnet = engine_get_external_subnet(t, a->external_network, a->ip),
					  .mac = model_make_mac(a->row.id, "floating-mac"),
					  .ip = a->ip,
					  .device_owner = STR("network:floatingip")};
		if (row_is_live(&a->row) && a->is_elastic)
			TRY(add_outside(e, &port, engine_get_floating_port(a), a->row.id, ret_rows));
	}
	return OK;
}

/* Adds other projects' ports in shared networks of the caller. Source: Neutron's policy get_port. */
static RESULT add_guests(struct os_call *e, struct os_added *ret_rows)
{
	const struct tables *t = os_tables(e);
	uuid account = e->c->who->account;
	const struct network *n = uuid_is_none(account) ? NULL : network_first_by_account(t, account);
	for (; n; n = network_next_by_account(t, n)) {
		const struct port *p = network_grant_first_by_network(t, n->row.id)
					       ? port_first_by_network(t, n->row.id)
					       : NULL;
		for (; p; p = port_next_by_network(t, p))
			if (row_is_live(&p->row) && os_wants(ret_rows, p->row.id) &&
			    engine_is_guest_port(e->c, t, p) &&
			    !VEC_PUSH(e->c->arena, &ret_rows->rows, &p->row))
				return ctx_no_memory(e->c);
	}
	return OK;
}

static RESULT add_unwritten(struct os_call *e, struct os_added *ret_rows)
{
	TRY(add_gateways(e, ret_rows));
	if (!os_is_admin(e))
		return add_guests(e, ret_rows);
	TRY(add_router_gateways(e, ret_rows));
	return add_floating_ips(e, ret_rows);
}

/* ---- items ---- */

static void find_device(struct os_call *e, struct port_item *item)
{
	const struct port *p = item->port;
	item->device_owner = p->device_owner;
	if (!uuid_is_none(p->interface_of)) {
		item->device = p->interface_of;
		item->device_owner = STR("network:router_interface");
	} else if (!uuid_is_none(p->nat_gateway)) {
		item->device = p->nat_gateway;
		item->device_owner = STR("network:nat_gateway");
	} else if (!uuid_is_none(p->trunk_parent)) {
		const struct trunk *trunk = engine_get_trunk_of(os_tables(e), p->trunk_parent);
		item->device = trunk ? trunk->row.id : UUID_NONE;
		item->device_owner = STR("trunk:subport");
	} else if (!uuid_is_none(engine_port_holder(p))) {
		item->device = engine_port_holder(p);
		item->device_owner = str_print(e->c->arena, "compute:%" STR_FMT,
					       STR_ARG(item->zone ? item->zone->name : STR("nova")));
	}
}

static struct port_item make_item(struct os_call *e, const struct port *port)
{
	const struct tables *t = os_tables(e);
	const struct instance *instance = instance_find(t, engine_port_holder(port));
	struct port_item item = {.port = port, .zone = instance ? zone_find(t, instance->zone) : NULL};
	find_device(e, &item);
	return item;
}

RESULT os_check_port_device(struct os_call *e, const struct port *port, const struct str *device,
			    const struct str *owner)
{
	struct port_item item = make_item(e, port);
	struct ref ref;
	if (uuid_is_none(item.device))
		return OK;
	bool is_same =
		!device || (os_parse_id(*device, KIND_NONE, &ref) && uuid_equal(ref.prefix, item.device));
	if (is_same && (!owner || str_equal(*owner, item.device_owner)))
		return OK;
	return ctx_fail_kind(e->c, ERR_IN_USE, KIND_PORT,
			     "Unable to complete operation on port %" STR_FMT " for network %" STR_FMT
			     ". Port already has an attached device %" STR_FMT ".",
			     STR_ARG(uuid_to_str(e->c->arena, port->row.id)),
			     STR_ARG(uuid_to_str(e->c->arena, port->network)),
			     STR_ARG(uuid_to_str(e->c->arena, item.device)));
}

/* ---- members ---- */

/* An element of fixed_ips; an arena row, because secondary addresses are rows of another kind. */
struct fixed_ip {
	struct row row;
	uuid subnet;
	struct ip ip;
};
static const struct attribute fixed_ip_rows[] = {
	ATTRIBUTE(fixed_ip, "subnet_id", subnet),
	ATTRIBUTE(fixed_ip, "ip_address", ip),
};
static const struct attributes fixed_ip_members = ATTRIBUTES(fixed_ip_rows);

static struct attribute_rows list_fixed_ips(struct api_call *e, const struct row *row)
{
	const struct tables *t = api_tables(e);
	const struct port *p = port_of(row);
	VEC(const struct fixed_ip *) ips = {0};
	const struct secondary_ip *s = engine_first_secondary_ip(t, row->id);
	struct fixed_ip next = {.subnet = p->subnet, .ip = p->ip};
	bool has_next = !ip_is_none(p->ip);
	while (has_next || s) {
		struct fixed_ip *shown = arena_new_object(e->c->arena, struct fixed_ip);
		if (!shown)
			break;
		*shown = has_next ? next : (struct fixed_ip){.subnet = s->subnet, .ip = s->ip};
		s = has_next ? s : engine_next_secondary_ip(t, s);
		has_next = false;
		(void) VEC_PUSH(e->c->arena, &ips, shown);
	}
	return (struct attribute_rows){ips.at, ips.count};
}

static void write_pairs(struct api_call *e, struct json_writer *w, const char *name, const struct row *row)
{
	const struct strs *pairs = &port_of(row)->allowed_pairs;
	(void) e;
	json_write_open_list(w, name);
	for (size_t k = 0; k < pairs->count; k++) {
		struct str rest = pairs->at[k], mac = STR_NONE;
		(void) str_split_next(&rest, ' ', &mac);
		json_write_open(w, NULL);
		json_write_text(w, "mac_address", mac);
		json_write_text(w, "ip_address", rest);
		json_write_close(w);
	}
	json_write_close_list(w);
}

static void write_options(struct json_writer *w, struct tags options, int version)
{
	for (size_t k = 0; k < options.count; k++) {
		json_write_open(w, NULL);
		json_write_text(w, "opt_name", options.at[k].key);
		json_write_text(w, "opt_value", options.at[k].value);
		json_write_int(w, "ip_version", version);
		json_write_close(w);
	}
}

static void write_dhcp(struct api_call *e, struct json_writer *w, const char *name, const struct row *row)
{
	(void) e;
	json_write_open_list(w, name);
	write_options(w, port_of(row)->dhcp4, 4);
	write_options(w, port_of(row)->dhcp6, 6);
	json_write_close_list(w);
}

static struct str get_device(struct api_call *e, const struct row *row)
{
	struct port_item item = make_item(os_call_of(e), port_of(row));
	return uuid_is_none(item.device) ? item.port->device_id : uuid_to_str(e->c->arena, item.device);
}

static struct str get_owner(struct api_call *e, const struct row *row)
{
	return make_item(os_call_of(e), port_of(row)).device_owner;
}

static struct str get_host(struct api_call *e, const struct row *row)
{
	const struct tables *t = api_tables(e);
	const struct host *host = host_find(t, engine_get_carrier(t, port_of(row))->host);
	return host ? host->name : port_of(row)->binding_host;
}

/* An administrator may bind a port to a name that no host has. */
static const char *get_vif(struct api_call *e, const struct row *row)
{
	struct str name = get_host(e, row);
	if (str_is_empty(name))
		return "unbound";
	return host_find_by_name(api_tables(e), name) ? "ovs" : "binding_failed";
}

ATTRIBUTE_GETTER(port, p, const char *, get_status, p->seen_up && !p->is_down ? "ACTIVE" : "DOWN")
ATTRIBUTE_GETTER(port, p, struct strs, list_groups, os_list_ids(e->c->arena, p->groups))

static const struct attribute port_rows[] = {
	ATTRIBUTE(port, "id", row.id, .filter = "id"),
	OS_SHOWN_NAME,
	OS_FIELD(port, "network_id", network),
	OS_FIELD(port, "mac_address", mac),
	OS_UP(port, is_down),
	OS_MADE(WORD, word, "status", get_status),
	ATTRIBUTE_MADE(TEXT, text, "device_id", get_device, .sort = "device_id"),
	ATTRIBUTE_MADE(TEXT, text, "device_owner", get_owner, .sort = "device_owner"),
	ATTRIBUTE_ROWS("fixed_ips", fixed_ip_members, list_fixed_ips),
	ATTRIBUTE_MADE(TEXTS, texts, "security_groups", list_groups),
	ATTRIBUTE(port, "port_security_enabled", is_open, .flags = ATTRIBUTE_NOT,
		  .filter = "port_security_enabled"),
	ATTRIBUTE_WRITTEN("allowed_address_pairs", write_pairs),
	ATTRIBUTE_WRITTEN("extra_dhcp_opts", write_dhcp),
	ATTRIBUTE(port, "dns_name", dns_name, .filter = "dns_name"),
	ATTRIBUTE_CONST("dns_assignment", "[]"),
	ATTRIBUTE_CONST("binding:vnic_type", "\"normal\"", .filter = "binding:vnic_type"),
	ATTRIBUTE_MADE(TEXT, text, "binding:host_id", get_host, .flags = ATTRIBUTE_ADMIN,
		       .filter = "binding:host_id"),
	ATTRIBUTE_MADE(WORD, word, "binding:vif_type", get_vif, .flags = ATTRIBUTE_ADMIN,
		       .filter = "binding:vif_type"),
	ATTRIBUTE_CONST("binding:vif_details", "{}", .flags = ATTRIBUTE_ADMIN),
	ATTRIBUTE_CONST("binding:profile", "{}", .flags = ATTRIBUTE_ADMIN),
	ATTRIBUTE(port, "qos_policy_id", qos_policy),
	ATTRIBUTE_OF(port, network, KIND_NETWORK, network, "qos_network_policy_id", qos_policy),
	ATTRIBUTE_WITHIN_OF("trunk_details", os_trunk_details, os_find_trunk, .flags = ATTRIBUTE_OMIT_NONE),
	OS_STANDARD_ROWS(port),
};
static const struct attributes port_members = ATTRIBUTES(port_rows);

/* ---- filters ---- */

/* A device that is a row is found by its id in any spelling. */
static bool fits_device(struct os_call *e, const struct row *row, struct str value)
{
	struct port_item item = make_item(e, port_of(row));
	struct ref ref;
	if (uuid_is_none(item.device))
		return str_equal(item.port->device_id, value);
	return os_parse_id(value, KIND_NONE, &ref) && uuid_equal(ref.prefix, item.device);
}

/* Matches "network:router_interface", or the prefix "compute:". */
static bool fits_owner(struct os_call *e, const struct row *row, struct str value)
{
	struct str owner = get_owner(&e->core, row);
	bool is_prefix = value.n > 0 && value.p[value.n - 1] == ':';
	return is_prefix ? str_starts_with(owner, value) : str_equal(owner, value);
}

static bool fits_one_ip(uuid subnet, struct ip ip, struct str key, struct str value)
{
	struct ref ref;
	struct ip wanted;
	if (str_is(key, "subnet_id"))
		return os_parse_id(value, KIND_SUBNET, &ref) && uuid_equal(ref.prefix, subnet);
	char text[IP_TEXT_SIZE];
	if (str_is(key, "ip_address_substr"))
		return str_contains(str_from(ip_write(ip, text)), value);
	return str_is(key, "ip_address") && !ip_parse(value, &wanted).code && ip_equal(wanted, ip);
}

/* Matches "ip_address=10.0.0.5", "ip_address_substr=10.0." or "subnet_id=…". */
static bool fits_fixed_ips(struct os_call *e, const struct row *row, struct str value)
{
	const struct port *p = port_of(row);
	struct str key = STR_NONE;
	if (!str_split_next(&value, '=', &key))
		return false;
	bool fits = !ip_is_none(p->ip) && fits_one_ip(p->subnet, p->ip, key, value);
	const struct secondary_ip *s = engine_first_secondary_ip(os_tables(e), row->id);
	for (; s && !fits; s = engine_next_secondary_ip(os_tables(e), s))
		fits = fits_one_ip(s->subnet, s->ip, key, value);
	return fits;
}

static bool fits_group(struct os_call *e, const struct row *row, struct str value)
{
	const struct port *p = port_of(row);
	struct ref ref;
	(void) e;
	return os_parse_id(value, KIND_SECURITY_GROUP, &ref) && uuids_have(&p->groups, ref.prefix);
}

static const struct os_filter fixed_ip_parts[] = {
	{"subnet_id", .access_paths = {{KIND_PORT, PORT_INDEX_IN_SUBNET},
				       {KIND_SECONDARY_IP, SECONDARY_IP_INDEX_SUBNET,
					.joins = {JOIN_ONE(KIND_PORT, secondary_ip, port)}}}},
	{"ip_address", .access_paths = {{KIND_PORT, PORT_INDEX_IP},
					{KIND_SECONDARY_IP, SECONDARY_IP_INDEX_IP,
					 .joins = {JOIN_ONE(KIND_PORT, secondary_ip, port)}}}},
	{"ip_address_substr"},
};
static const struct os_filters fixed_ips = OS_FILTERS(fixed_ip_parts);
static const struct os_filter port_filters[] = {
	OS_TAG_FILTERS,
	{"device_id", .is_device = true, .fits = fits_device,
	 .access_paths = {{KIND_PORT, PORT_INDEX_INSTANCE},
			  {KIND_PORT, PORT_INDEX_INTERFACE_OF},
			  {KIND_NAT_GATEWAY, .joins = {JOIN_ONE(KIND_PORT, nat_gateway, port)}},
			  {KIND_TRUNK, .joins = {JOIN_ONE(KIND_PORT, trunk, port),
						 JOIN_EACH(KIND_PORT, PORT_INDEX_TRUNK_PARENT)}}}},
	{"device_owner", .fits = fits_owner},
	{"fixed_ips", .parts = &fixed_ips, .fits = fits_fixed_ips},
	{"security_groups", "groups", .fits = fits_group},
};
const struct os_listing os_ports = {
	.kind = KIND_PORT,
	.items = "ports",
	.links = "ports_links",
	.filters = OS_FILTERS(port_filters),
	.flags = OS_ADMIN_SEES_ALL,
	.add = add_unwritten,
	.attributes = &port_members,
};
