/* SPDX-License-Identifier: Apache-2.0
 * Ports of a server: list, attach, detach, further fixed addresses; also the server's addresses and
 * security groups. Source: Compute API reference, "Port interfaces", "Servers - run an action", "Servers
 * IPs", "Servers - security groups". */
#include "api/openstack/compute/servers.h"
#include "api/openstack/core/write.h"
#include "engine/instance/instance_interface.h"
#include "engine/network/port/port.h"
#include "model/instance.h"
#include "store/port.h"
#include "store/secondary_ip.h"
#include "store/security_group.h"

#define SERVER(T, member) OS_PATH(T, "server_id", member, .kind = KIND_INSTANCE, .doc = "The server.")

/* ---- writing ---- */

static void write_fixed_ip(struct json_writer *w, uuid subnet, struct ip ip)
{
	json_write_open(w, NULL);
	os_write_ip(w, "ip_address", ip);
	os_write_id(w, "subnet_id", subnet);
	json_write_close(w);
}

static void write_interface(struct os_call *e, struct json_writer *w, const struct port *p)
{
	const struct tables *t = os_tables(e);
	json_write_open_list(w, "fixed_ips");
	if (!ip_is_none(p->ip))
		write_fixed_ip(w, p->subnet, p->ip);
	for (const struct secondary_ip *s = secondary_ip_first_by_port(t, p->row.id); s;
	     s = secondary_ip_next_by_port(t, s))
		if (row_is_live(&s->row))
			write_fixed_ip(w, s->subnet, s->ip);
	json_write_close_list(w);
	os_write_mac(w, "mac_addr", p->mac);
	os_write_id(w, "net_id", p->network);
	os_write_id(w, "port_id", p->row.id);
	json_write_z(w, "port_state", p->seen_up ? "ACTIVE" : "DOWN");
	if (e->request.version >= 70)
		json_write_text_or_null(w, "tag", p->device_tag);
}

/* ---- list and show ---- */

struct os_interface_target {
	struct interface_target wish;
};
static const struct param list_params[] = {SERVER(struct os_interface_target, wish.instance)};
static const struct param one_params[] = {
	SERVER(struct os_interface_target, wish.instance),
	OS_PATH(struct os_interface_target, "port_id", wish.port, .kind = KIND_PORT, .doc = "The port."),
};

static RESULT list_interfaces(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct os_interface_target *a = args;
	const struct instance *instance = NULL;
	TRY(os_find_server(e, &a->wish.instance, &instance));
	json_write_open_list(w, "interfaceAttachments");
	for (const struct port *p = port_first_by_instance(os_tables(e), instance->row.id); p;
	     p = port_next_by_instance(os_tables(e), p)) {
		if (!row_is_live(&p->row))
			continue;
		json_write_open(w, NULL);
		write_interface(e, w, p);
		json_write_close(w);
	}
	json_write_close_list(w);
	return OK;
}

static RESULT show_interface(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct os_interface_target *a = args;
	const struct instance *instance = NULL;
	const struct port *port = NULL;
	TRY(os_find_server(e, &a->wish.instance, &instance));
	TRY(engine_find_own_port(e->c, os_tables(e), &a->wish.port, &port));
	if (!uuid_equal(port->instance, instance->row.id))
		return engine_fail_not_found(e->c, KIND_PORT, &a->wish.port);
	write_interface(e, w, port);
	return OK;
}

static RESULT prepare_unplug(struct os_call *e, void *args)
{
	struct os_interface_target *a = args;
	const struct instance *instance = NULL;
	return os_find_server(e, &a->wish.instance, &instance);
}

/* ---- create ---- */

struct os_fixed_ip {
	struct ip ip;
};
static const struct param fixed_ip_rows[] = {
	OS_BODY(struct os_fixed_ip, "ip_address", ip, .flags = REQUIRED, .doc = "The address."),
};
static const struct params fixed_ip_params = OS_PARAMS(struct os_fixed_ip, fixed_ip_rows);

struct os_plug {
	struct interface_wish wish;
	struct {
		const struct os_fixed_ip *at;
		size_t count;
	} fixed_ips;
};
static const struct param plug_params[] = {
	SERVER(struct os_plug, wish.instance),
	OS_BODY(struct os_plug, "port_id", wish.port, .kind = KIND_PORT, .doc = "Existing port."),
	OS_BODY(struct os_plug, "net_id", wish.network, .kind = KIND_NETWORK,
		.doc = "Network of a new port, instead of an existing one."),
	OS_BODY_LIST(struct os_plug, "fixed_ips", fixed_ips, fixed_ip_params, .max = 1,
		     .doc = "Fixed address of the new port."),
	OS_BODY(struct os_plug, "tag", wish.tag, .since = 49, .min = 1, .max = 60,
		.doc = "Device role tag that the guest sees."),
};

static RESULT prepare_plug(struct os_call *e, void *args)
{
	struct os_plug *a = args;
	const struct instance *instance = NULL;
	TRY(os_check_device_tag(e, a->wish.tag));
	TRY(os_find_server(e, &a->wish.instance, &instance));
	if (a->wish.port.kind != KIND_NONE && (a->wish.network.kind != KIND_NONE || a->fixed_ips.count))
		return ctx_fail_field(e->c, ERR_COMBINATION, STR("port_id"),
				      "Must not input both network_id and port_id");
	if (a->fixed_ips.count && a->wish.network.kind == KIND_NONE)
		return ctx_fail_field(e->c, ERR_COMBINATION, STR("fixed_ips"),
				      "Must input network_id when request IP address");
	if (a->fixed_ips.count)
		a->wish.ip = a->fixed_ips.at[0].ip;
	return OK;
}

static RESULT show_plugged(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct os_plug *a = args;
	const struct row *row = NULL;
	TRY(os_find_returned(e, a->wish.plugged, &row));
	write_interface(e, w, port_of(row));
	return OK;
}

/* ---- one address more, and away ---- */

enum { LAST_FIXED = 43 }; /* last microversion with addFixedIp and removeFixedIp */

/* Returns the port with the lower device index. */
static const struct port *earlier(const struct port *one, const struct port *other)
{
	return !one || other->device_index < one->device_index ? other : one;
}

static struct ref ref_to_port(struct os_call *e, const struct port *p, const char *field)
{
	return (struct ref){.kind = KIND_PORT,
			    .prefix = p->row.id,
			    .bits = 128,
			    .text = uuid_to_str(e->c->arena, p->row.id),
			    .field = str_from(field)};
}

struct os_add_fixed {
	struct port_assignment wish;
	struct ref instance, network;
};
static const struct param add_fixed_params[] = {
	SERVER(struct os_add_fixed, instance),
	OS_BODY(struct os_add_fixed, "networkId", network, .flags = REQUIRED, .kind = KIND_NETWORK,
		.doc = "Network of the server's port that gets the address."),
};

/* Nova forwards the request to the host and answers 202 even if nothing can be done. Here impossible
 * requests fail, with the statuses of Nova's reference and the texts of its exceptions
 * NetworkNotFoundForInstance and FixedIpNotFoundForInstance. */
static RESULT prepare_add_fixed(struct os_call *e, void *args)
{
	struct os_add_fixed *a = args;
	const struct tables *t = os_tables(e);
	const struct instance *instance = NULL;
	const struct port *found = NULL;
	TRY(os_find_live_server(e, &a->instance, &instance));
	for (const struct port *p = port_first_by_instance(t, instance->row.id); p;
	     p = port_next_by_instance(t, p))
		if (row_is_live(&p->row) && id_has_prefix(p->network, a->network.prefix, a->network.bits))
			found = earlier(found, p);
	if (!found)
		return ctx_fail_field(e->c, ERR_NOT_FOUND, STR("networkId"),
				      "Network could not be found for instance %" STR_FMT ".",
				      STR_ARG(uuid_to_str(e->c->arena, instance->row.id)));
	a->wish.port = ref_to_port(e, found, "networkId");
	a->wish.is_ipv6 = found->ip.family == IP_V6;
	a->wish.of_instance = true;
	a->wish.more = 1;
	a->wish.field = STR("networkId");
	return OK;
}

struct os_remove_fixed {
	struct port_unassignment wish;
	struct ref instance;
	struct ip address;
};
static const struct param remove_fixed_params[] = {
	SERVER(struct os_remove_fixed, instance),
	OS_BODY(struct os_remove_fixed, "address", address, .flags = REQUIRED,
		.doc = "Fixed address to remove."),
};

static bool has_ip(const struct tables *t, const struct port *p, struct ip ip)
{
	const struct secondary_ip *s = engine_first_secondary_ip(t, p->row.id);
	while (s && !ip_equal(s->ip, ip))
		s = engine_next_secondary_ip(t, s);
	return s || ip_equal(p->ip, ip);
}

static RESULT prepare_remove_fixed(struct os_call *e, void *args)
{
	struct os_remove_fixed *a = args;
	const struct tables *t = os_tables(e);
	const struct instance *instance = NULL;
	const struct port *found = NULL;
	char text[IP_TEXT_SIZE];
	TRY(os_find_live_server(e, &a->instance, &instance));
	for (const struct port *p = port_first_by_instance(t, instance->row.id); p;
	     p = port_next_by_instance(t, p))
		if (row_is_live(&p->row) && has_ip(t, p, a->address))
			found = earlier(found, p);
	if (!found)
		return ctx_fail_field(e->c, ERR_INVALID, STR("address"),
				      "Instance %" STR_FMT " does not have fixed IP '%s'.",
				      STR_ARG(uuid_to_str(e->c->arena, instance->row.id)),
				      ip_write(a->address, text));
	a->wish.port = ref_to_port(e, found, "address");
	a->wish.ips = (struct ips){&a->address, 1};
	a->wish.is_ipv6 = a->address.family == IP_V6;
	a->wish.may_be_first = true;
	a->wish.of_instance = true;
	a->wish.field = STR("address");
	return OK;
}

/* ---- addresses and groups ---- */

struct os_ips {
	struct ref server;
	struct str label;
};
static const struct param ips_params[] = {SERVER(struct os_ips, server)};
static const struct param label_params[] = {
	SERVER(struct os_ips, server),
	OS_PATH(struct os_ips, "label", label, .doc = "Name of the network."),
};

static void write_plain_address(struct json_writer *w, struct ip ip)
{
	json_write_open(w, NULL);
	os_write_ip(w, "addr", ip);
	json_write_int(w, "version", ip.family == IP_V6 ? 6 : 4);
	json_write_close(w);
}

static void write_network(struct json_writer *w, const struct os_server_network *n)
{
	json_write_key(w, n->name);
	json_write_open_list(w, NULL);
	for (size_t m = 0; m < n->addresses.count; m++) {
		write_plain_address(w, n->addresses.at[m].ip);
		if (!ip_is_none(n->addresses.at[m].floating))
			write_plain_address(w, n->addresses.at[m].floating);
	}
	json_write_close_list(w);
}

static RESULT gather(struct os_call *e, const struct ref *ref, const struct os_server **ret_server)
{
	const struct instance *instance = NULL;
	TRY(os_find_server(e, ref, &instance));
	*ret_server = os_server_details.gather(e, &instance->row);
	return *ret_server ? OK : ctx_no_memory(e->c);
}

static RESULT show_ips(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct os_ips *a = args;
	const struct os_server *s = NULL;
	TRY(gather(e, &a->server, &s));
	json_write_open(w, "addresses");
	for (size_t k = 0; k < s->networks.count; k++)
		write_network(w, &s->networks.at[k]);
	json_write_close(w);
	return OK;
}

static RESULT show_label(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct os_ips *a = args;
	const struct os_server *s = NULL;
	TRY(gather(e, &a->server, &s));
	for (size_t k = 0; k < s->networks.count; k++)
		if (str_equal(s->networks.at[k].name, a->label)) {
			write_network(w, &s->networks.at[k]);
			return OK;
		}
	return ctx_fail(e->c, ERR_NOT_FOUND, "Instance is not a member of specified network");
}

static void write_group(struct os_call *e, struct json_writer *w, const struct security_group *group)
{
	json_write_open(w, NULL);
	os_write_id(w, "id", group->row.id);
	json_write_text(w, "name", os_group_name(e->c->arena, group));
	json_write_text(w, "description", group->description);
	os_write_hex(w, "tenant_id", group->account);
	json_write_open_list(w, "rules"); /* always empty: Neutron's API shows the rules */
	json_write_close_list(w);
	json_write_close(w);
}

static RESULT show_groups(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct os_ips *a = args;
	const struct tables *t = os_tables(e);
	const struct instance *instance = NULL;
	struct uuids shown = {0};
	TRY(os_find_server(e, &a->server, &instance));
	uuid *ids = arena_new_array(e->c->arena, uuid, tables_count(t, KIND_SECURITY_GROUP) + 1);
	if (!ids)
		return ctx_no_memory(e->c);
	json_write_open_list(w, "security_groups");
	for (const struct port *p = port_first_by_instance(t, instance->row.id); p;
	     p = port_next_by_instance(t, p))
		for (size_t k = 0; row_is_live(&p->row) && k < p->groups.count; k++) {
			const struct security_group *group = security_group_find(t, p->groups.at[k]);
			if (!group || uuids_have(&shown, group->row.id))
				continue;
			ids[shown.count] = group->row.id;
			shown = (struct uuids){ids, shown.count + 1};
			write_group(e, w, group);
		}
	json_write_close_list(w);
	return OK;
}

#define INTERFACES "/v2.1/servers/{server_id}/os-interface"
#define TARGET(rows) OS_PARAMS(struct os_interface_target, rows)
static const struct os_action actions[] = {
	{HTTP_GET, INTERFACES, .permit = "os_compute_api:os-attach-interfaces:list",
	 .args = TARGET(list_params), .answer = list_interfaces, .doc = "Lists the ports of a server."},
	{HTTP_GET, INTERFACES "/{port_id}", .permit = "os_compute_api:os-attach-interfaces:show",
	 .args = TARGET(one_params), .item = "interfaceAttachment", .answer = show_interface,
	 .doc = "Shows one port of a server."},
	{HTTP_POST, INTERFACES, .permit = "os_compute_api:os-attach-interfaces:create", .flags = API_WRITES,
	 .args = OS_PARAMS(struct os_plug, plug_params), .wrap = "interfaceAttachment",
	 .item = "interfaceAttachment", .prepare = prepare_plug, .operation = engine_plug_interface_run,
	 .answer = show_plugged, .returns = KIND_PORT,
	 .doc = "Attaches an existing or new port to a server."},
	{HTTP_DELETE, INTERFACES "/{port_id}", .permit = "os_compute_api:os-attach-interfaces:delete",
	 .flags = API_WRITES, .status = 202, .args = TARGET(one_params), .prepare = prepare_unplug,
	 .operation = engine_unplug_interface_run,
	 .doc = "Detaches a port. A port that was created by the attachment is deleted."},
	OS_SERVER_ACTION("addFixedIp", "os-multinic:add", struct os_add_fixed, add_fixed_params,
			 .until = LAST_FIXED, .prepare = prepare_add_fixed,
			 .operation = engine_assign_ips_run,
			 .doc = "Adds a fixed address to a port of the server."),
	OS_SERVER_ACTION("removeFixedIp", "os-multinic:remove", struct os_remove_fixed, remove_fixed_params,
			 .until = LAST_FIXED, .prepare = prepare_remove_fixed,
			 .operation = engine_unassign_ips_run,
			 .doc = "Removes a fixed address from a server."),
	{HTTP_GET, "/v2.1/servers/{server_id}/ips", .permit = "os_compute_api:ips:index",
	 .args = OS_PARAMS(struct os_ips, ips_params), .answer = show_ips,
	 .doc = "Lists the addresses of a server."},
	{HTTP_GET, "/v2.1/servers/{server_id}/ips/{label}", .permit = "os_compute_api:ips:show",
	 .args = OS_PARAMS(struct os_ips, label_params), .answer = show_label,
	 .doc = "Lists the addresses of a server in one network."},
	{HTTP_GET, "/v2.1/servers/{server_id}/os-security-groups",
	 .permit = "os_compute_api:os-security-groups:list", .args = OS_PARAMS(struct os_ips, ips_params),
	 .answer = show_groups, .doc = "Lists the security groups of a server's ports."},
};
const struct os_actions os_server_interface_actions = OS_ACTIONS(OS_COMPUTE, actions);
