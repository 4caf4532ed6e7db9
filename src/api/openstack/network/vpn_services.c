/* SPDX-License-Identifier: Apache-2.0
 * VPN services. Source: Networking API reference, "VPNaaS", and neutron_lib.api.definitions.vpn. */
#include "api/openstack/network/network.h"
#include "engine/vpn/vpnaas.h"
#include "store/vpn_connection.h"
#include "store/vpn_service.h"
#include "store/vpn_tunnel.h"

/* A service is PENDING_CREATE until a daemon runs for one of its connections, as with Neutron's driver for strongSwan. */
static const char *get_status(struct api_call *e, const struct row *row)
{
	const struct tables *t = api_tables(e);
	if (vpn_service_of(row)->is_down)
		return "DOWN";
	for (const struct vpn_connection *c = vpn_connection_first_by_service(t, row->id); c;
	     c = vpn_connection_next_by_service(t, c)) {
		const struct vpn_tunnel *n = vpn_tunnel_first_by_connection(t, c->row.id);
		if (n && n->seen_gen && !c->is_down)
			return "ACTIVE";
	}
	return vpn_connection_first_by_service(t, row->id) ? "DOWN" : "PENDING_CREATE";
}

static const struct attribute service_rows[] = {
	OS_FIELD(vpn_service, "id", row.id),
	ATTRIBUTE_AS(HEX, vpn_service, "tenant_id", account, .filter = "tenant_id", .sort = "tenant_id"),
	ATTRIBUTE_AS(HEX, vpn_service, "project_id", account, .filter = "project_id", .sort = "project_id"),
	OS_FIELD(vpn_service, "name", name),
	OS_FILTERED(vpn_service, "description", description),
	OS_FILTERED(vpn_service, "subnet_id", subnet, .index = VPN_SERVICE_INDEX_SUBNET),
	OS_FIELD(vpn_service, "router_id", router, .index = VPN_SERVICE_INDEX_ROUTER),
	OS_FILTERED(vpn_service, "admin_state_up", is_down, .flags = ATTRIBUTE_NOT),
	OS_FILTERED(vpn_service, "external_v4_ip", outside_ip),
	ATTRIBUTE_CONST("external_v6_ip", "null"),
	ATTRIBUTE_MADE(WORD, word, "status", get_status, .filter = "status"),
};
static const struct attributes service_members = ATTRIBUTES(service_rows);

static const struct os_listing services = {
	.kind = KIND_VPN_SERVICE,
	.items = "vpnservices",
	.links = "vpnservices_links",
	.flags = OS_ADMIN_SEES_ALL,
	.attributes = &service_members,
};

struct os_vpn_service_target {
	struct vpn_service_target wish;
};
#define SERVICE(T)                                                                                           \
	OS_PATH(T, "vpnservice_id", wish.service, .kind = KIND_VPN_SERVICE, .doc = "The VPN service.")
static const struct param target_params[] = {SERVICE(struct os_vpn_service_target)};

struct os_create_vpn_service {
	struct vpn_service_wish wish;
};
static const struct param create_params[] = {
	OS_BODY(struct os_create_vpn_service, "router_id", wish.router, .flags = REQUIRED,
		.kind = KIND_ROUTER, .doc = "Router with an external gateway."),
	OS_BODY(struct os_create_vpn_service, "subnet_id", wish.subnet, .flags = NULLABLE,
		.kind = KIND_SUBNET,
		.doc = "Subnet whose traffic the connections carry; absent: they name endpoint groups."),
	OS_BODY(struct os_create_vpn_service, "name", wish.name, .doc = "Name; need not be unique."),
	OS_BODY(struct os_create_vpn_service, "description", wish.description,
		.doc = "Description: free text."),
	OS_BODY(struct os_create_vpn_service, "admin_state_up", wish.is_down, .flags = OPPOSITE,
		.doc = "Whether the connections run."),
	OS_PROJECT(struct os_create_vpn_service, wish.account),
};

struct os_update_vpn_service {
	struct vpn_service_settings wish;
};
static const struct param update_params[] = {
	SERVICE(struct os_update_vpn_service),
	OS_BODY(struct os_update_vpn_service, "name", wish.name, .doc = "Name; need not be unique."),
	OS_BODY(struct os_update_vpn_service, "description", wish.description,
		.doc = "Description: free text."),
	OS_BODY(struct os_update_vpn_service, "admin_state_up", wish.is_down, .flags = OPPOSITE,
		.doc = "Whether the connections run."),
};

#define SERVICES "/v2.0/vpn/vpnservices"
#define TARGET OS_PARAMS(struct os_vpn_service_target, target_params)
static const struct os_action actions[] = {
	{HTTP_GET, SERVICES, .permit = "get_vpnservice", .list = &services, .doc = "Lists VPN services."},
	{HTTP_POST, SERVICES, .permit = "create_vpnservice", .flags = API_WRITES | OS_BULK, .status = 201,
	 .args = OS_PARAMS(struct os_create_vpn_service, create_params), .wrap = "vpnservice",
	 .item = "vpnservice", .operation = engine_create_vpn_service_run,
	 OS_SHOWS(services, struct os_create_vpn_service, wish.service), .returns = KIND_VPN_SERVICE,
	 .doc = "Creates a VPN service of a router."},
	{HTTP_GET, SERVICES "/{vpnservice_id}", .permit = "get_vpnservice", .args = TARGET,
	 .item = "vpnservice", OS_SHOWS(services, struct os_vpn_service_target, wish.service),
	 .doc = "Shows one VPN service."},
	{HTTP_PUT, SERVICES "/{vpnservice_id}", .permit = "update_vpnservice", .flags = API_WRITES,
	 .args = OS_PARAMS(struct os_update_vpn_service, update_params), .wrap = "vpnservice",
	 .item = "vpnservice", .operation = engine_update_vpn_service_run,
	 OS_SHOWS(services, struct os_update_vpn_service, wish.service), .returns = KIND_VPN_SERVICE,
	 .doc = "Changes a VPN service."},
	{HTTP_DELETE, SERVICES "/{vpnservice_id}", .permit = "delete_vpnservice", .flags = API_WRITES,
	 .status = 204, .args = TARGET, .operation = engine_delete_vpn_service_run,
	 .doc = "Deletes a VPN service without connections."},
};
const struct os_actions os_vpn_service_actions = OS_ACTIONS(OS_NETWORK, actions);
