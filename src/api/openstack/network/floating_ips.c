/* SPDX-License-Identifier: Apache-2.0
 * Floating IPs, which are EC2's elastic addresses. */
#include "api/openstack/network/network.h"
#include "engine/network/address/address.h"
#include "engine/network/address/port_forwarding.h"
#include "engine/network/port/port.h"
#include "model/address.h"
#include "model/load_balancer.h"
#include "model/secondary_ip.h"
#include "store/port.h"
#include "store/port_forwarding.h"

static struct str get_device(struct api_call *e, const struct row *row)
{
	const struct port *p = port_of(row);
	return uuid_is_none(p->instance) ? p->device_id : uuid_to_str(e->c->arena, p->instance);
}

#define GETTER(returned, function, expression) ATTRIBUTE_GETTER(port, p, returned, function, expression)
GETTER(const char *, get_port_status, p->seen_up ? "ACTIVE" : "DOWN")
GETTER(struct str, get_owner, uuid_is_none(p->instance) ? p->device_owner : STR("compute:nova"))
#undef GETTER
static const struct attribute port_rows[] = {
	ATTRIBUTE_MADE(TEXT, text, "name", os_get_name),
	ATTRIBUTE(port, "network_id", network),
	ATTRIBUTE(port, "mac_address", mac),
	ATTRIBUTE(port, "admin_state_up", is_down, .flags = ATTRIBUTE_NOT),
	ATTRIBUTE_MADE(WORD, word, "status", get_port_status),
	ATTRIBUTE_MADE(TEXT, text, "device_id", get_device),
	ATTRIBUTE_MADE(TEXT, text, "device_owner", get_owner),
};
static const struct attributes port_members = ATTRIBUTES(port_rows);

static uuid find_router(struct api_call *e, const struct row *row)
{
	const struct address *a = address_of(row);
	const struct port *port = uuid_is_none(a->port) ? NULL : port_find(api_tables(e), a->port);
	return port ? engine_get_router_of_ip(api_tables(e), port, a->private_ip)
		    : engine_get_forwarding_router(api_tables(e), row->id);
}

ATTRIBUTE_GETTER(address, a, const char *, get_status,
		 uuid_is_none(a->port) && uuid_is_none(find_router(e, &a->row)) ? "DOWN" : "ACTIVE")

static const struct access_path ip_paths[] = {
	{KIND_PORT, PORT_INDEX_IP, .joins = {JOIN_EACH(KIND_ADDRESS, ADDRESS_INDEX_PORT)}},
	{KIND_SECONDARY_IP, SECONDARY_IP_INDEX_IP,
	 .joins = {JOIN_ONE(KIND_PORT, secondary_ip, port), JOIN_EACH(KIND_ADDRESS, ADDRESS_INDEX_PORT)}},
	{0}};
static const struct access_path router_paths[] = {
	{KIND_PORT, PORT_INDEX_IN_ROUTER, .joins = {JOIN_EACH(KIND_ADDRESS, ADDRESS_INDEX_PORT)}},
	{KIND_SECONDARY_IP, SECONDARY_IP_INDEX_ROUTER,
	 .joins = {JOIN_ONE(KIND_PORT, secondary_ip, port), JOIN_EACH(KIND_ADDRESS, ADDRESS_INDEX_PORT)}},
	{KIND_PORT_FORWARDING, PORT_FORWARDING_INDEX_ROUTER,
	 .joins = {JOIN_ONE(KIND_ADDRESS, port_forwarding, address)}},
	{KIND_LOAD_BALANCER, LOAD_BALANCER_INDEX_ROUTER,
	 .joins = {JOIN_ONE(KIND_ADDRESS, load_balancer, address)}},
	{0}};
static const struct attribute floating_rows[] = {
	ATTRIBUTE(address, "id", row.id, .filter = "id"),
	OS_MADE(WORD, word, "status", get_status),
	OS_FIELD(address, "floating_network_id", external_network),
	OS_FIELD(address, "floating_ip_address", ip),
	OS_FIELD(address, "fixed_ip_address", private_ip, .paths = ip_paths),
	ATTRIBUTE(address, "port_id", port, .filter = "port_id"),
	ATTRIBUTE_MADE(ID, id, "router_id", find_router, .filter = "router_id", .paths = router_paths),
	ATTRIBUTE_CONST("dns_domain", "\"\"", .filter = "dns_domain"),
	ATTRIBUTE_CONST("dns_name", "\"\"", .filter = "dns_name"),
	ATTRIBUTE_WITHIN("port_details", port_members, .via = JOIN_ONE(KIND_PORT, address, port)),
	ATTRIBUTE_EACH("port_forwardings", os_forwarded_members, KIND_PORT_FORWARDING,
		       PORT_FORWARDING_INDEX_ADDRESS),
	OS_STANDARD_ROWS(address),
};
static const struct attributes floating_members = ATTRIBUTES(floating_rows);

/* Addresses assigned at launch and gateway addresses are not floating IPs. */
static bool is_elastic(struct os_call *e, const struct row *row)
{
	(void) e;
	return row_is_live(row) && address_of(row)->is_elastic;
}

const struct os_listing os_floating_ips = {
	.kind = KIND_ADDRESS,
	.items = "floatingips",
	.links = "floatingips_links",
	.filters = OS_FILTERS(os_tag_filters),
	.flags = OS_ADMIN_SEES_ALL,
	.shows = is_elastic,
	.attributes = &floating_members,
};

/* ---- show, delete ---- */

struct os_floating_target {
	struct address_target wish;
};
static const struct param target_params[] = {
	OS_PATH(struct os_floating_target, "floatingip_id", wish.address, .kind = KIND_ADDRESS,
		.doc = "The floating IP."),
};

/* ---- create ---- */

#define FLOATING_UNBUILT                                                                                     \
	OS_UNBUILT("dns_name", .only = ""), OS_UNBUILT("dns_domain", .only = ""), OS_UNBUILT("qos_policy_id")

struct os_create_floating {
	struct address_wish wish;
};
static const struct param create_params[] = {
	OS_BODY(struct os_create_floating, "floating_network_id", wish.external_network, .flags = REQUIRED,
		.kind = KIND_EXTERNAL_NETWORK, .doc = "External network of the floating IP."),
	OS_BODY(struct os_create_floating, "floating_ip_address", wish.ip, .flags = NULLABLE,
		.doc = "Address to allocate; absent: any."),
	OS_BODY(struct os_create_floating, "port_id", wish.port, .flags = NULLABLE, .kind = KIND_PORT,
		.doc = "Port to associate."),
	OS_BODY(struct os_create_floating, "fixed_ip_address", wish.private_ip, .flags = NULLABLE,
		.doc = "Fixed address of the port to associate; absent: its first one."),
	OS_BODY(struct os_create_floating, "description", wish.description, .doc = "Description: free text."),
	OS_BODY(struct os_create_floating, "subnet_id", wish.subnet, .flags = NULLABLE, .kind = KIND_SUBNET,
		.doc = "Subnet of the external network; absent: any."),
	OS_PROJECT(struct os_create_floating, wish.account),
	FLOATING_UNBUILT,
};

/* Source: Neutron, _check_and_get_fip_assoc(). */
static RESULT check_fixed(struct os_call *e, struct ip fixed, const struct ref *port)
{
	return ip_is_none(fixed) || port->kind != KIND_NONE
		       ? OK
		       : ctx_fail_field(
				 e->c, ERR_COMBINATION, STR("fixed_ip_address"),
				 "Bad floatingip request: fixed_ip_address cannot be specified without "
				 "a port_id.");
}

static RESULT prepare_create(struct os_call *e, void *args)
{
	const struct address_wish *wish = &((const struct os_create_floating *) args)->wish;
	TRY(check_fixed(e, wish->private_ip, &wish->port));
	return os_check_external(e, &((const struct os_create_floating *) args)->wish.external_network);
}

/* ---- change ---- */

struct os_update_floating {
	struct address_change wish;
};
static const struct param update_params[] = {
	OS_PATH(struct os_update_floating, "floatingip_id", wish.address, .kind = KIND_ADDRESS,
		.doc = "The floating IP."),
	OS_BODY(struct os_update_floating, "port_id", wish.port, .flags = NULLABLE, .kind = KIND_PORT,
		.given = OS_GIVEN(struct os_update_floating, wish.sets_port),
		.doc = "Port to associate; null: disassociates."),
	OS_BODY(struct os_update_floating, "fixed_ip_address", wish.private_ip, .flags = NULLABLE,
		.doc = "Fixed address of the port to associate; absent: its first one."),
	OS_BODY(struct os_update_floating, "description", wish.description, .doc = "Description: free text."),
	FLOATING_UNBUILT,
};

static RESULT prepare_update(struct os_call *e, void *args)
{
	struct os_update_floating *a = args;
	if (json_object_size(e->request.body) == 0) /* Neutron disassociates the address on an empty body */
		a->wish.sets_port = true;
	return check_fixed(e, a->wish.private_ip, &a->wish.port);
}

static const struct os_action actions[] = {
	{HTTP_GET, "/v2.0/floatingips", .permit = "get_floatingip", .list = &os_floating_ips,
	 .doc = "Lists floating IPs."},
	{HTTP_POST, "/v2.0/floatingips", .permit = "create_floatingip", .flags = API_WRITES | OS_BULK,
	 .status = 201, .args = OS_PARAMS(struct os_create_floating, create_params), .wrap = "floatingip",
	 .item = "floatingip", .prepare = prepare_create, .operation = engine_allocate_address_run,
	 OS_SHOWS(os_floating_ips, struct os_create_floating, wish.address), .returns = KIND_ADDRESS,
	 .doc = "Creates a floating IP, and associates it on request."},
	{HTTP_GET, "/v2.0/floatingips/{floatingip_id}", .permit = "get_floatingip",
	 .args = OS_PARAMS(struct os_floating_target, target_params), .item = "floatingip",
	 OS_SHOWS(os_floating_ips, struct os_floating_target, wish.address), .doc = "Shows one floating IP."},
	{HTTP_PUT, "/v2.0/floatingips/{floatingip_id}", .permit = "update_floatingip", .flags = API_WRITES,
	 .args = OS_PARAMS(struct os_update_floating, update_params), .wrap = "floatingip",
	 .item = "floatingip", .prepare = prepare_update, .operation = engine_change_address_run,
	 OS_SHOWS(os_floating_ips, struct os_update_floating, wish.address), .returns = KIND_ADDRESS,
	 .doc = "Associates or disassociates a floating IP."},
	{HTTP_DELETE, "/v2.0/floatingips/{floatingip_id}", .permit = "delete_floatingip", .flags = API_WRITES,
	 .status = 204, .args = OS_PARAMS(struct os_floating_target, target_params),
	 .sets = {API_SETS(struct os_floating_target, wish.with_association)},
	 .operation = engine_release_address_run, .doc = "Deletes a floating IP."},
};
const struct os_actions os_floating_ip_actions = OS_ACTIONS(OS_NETWORK, actions);
