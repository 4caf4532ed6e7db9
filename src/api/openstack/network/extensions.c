/* SPDX-License-Identifier: Apache-2.0
 * Discovery: extensions, availability zones, service providers and agents. */
#include "api/openstack/core/extensions.h"
#include "api/openstack/network/network.h"
#include "engine/region/host.h"
#include "store/host.h"
#include "store/zone.h"

/* Lists only implemented extensions: clients use what is listed. */
static const struct os_extension rows[] = {
	{"address-group", "Address group"},
	{"address-scope", "Address scope"},
	{"agent", "agent"},
	{"allowed-address-pairs", "Allowed Address Pairs"},
	{"auto-allocated-topology", "Auto Allocated Topology Services"},
	{"availability_zone", "Availability Zone"},
	{"binding", "Port Binding"},
	{"expose-port-forwarding-in-fip", "Expose Floating IP port forwardings"},
	{"ext-gw-mode", "Neutron L3 Configurable external gateway mode"},
	{"default-subnetpools", "Default Subnetpools"},
	{"external-net", "Neutron external network"},
	{"extra_dhcp_opt", "Neutron Extra DHCP options"},
	{"extraroute", "Neutron Extra Route"},
	{"extraroute-atomic", "Atomically add/remove extra routes"},
	{"filter-validation", "Filter parameters validation"},
	{"fip-port-details", "Floating IP Port Details Extension"},
	{"floating-ip-port-forwarding", "Floating IP Port Forwarding"},
	{"floating-ip-port-forwarding-description", "Floating IP Port Forwarding new attribute description"},
	{"floating-ip-port-forwarding-detail", "Floating IP port forwarding detail"},
	{"floating-ip-port-forwarding-port-ranges", "Floating IP Port Forwarding support port ranges"},
	{"ip-substring-filtering", "IP address substring filtering"},
	{"net-mtu", "Network MTU"},
	{"network-ip-availability", "Network IP Availability"},
	{"net-mtu-writable", "Network MTU (writable)"},
	{"network_availability_zone", "Network Availability Zone"},
	{"pagination", "Pagination support"},
	{"port-security", "Port Security"},
	{"project-id", "project_id field enabled"},
	{"provider", "Provider Network"},
	{"qos", "Quality of Service"},
	{"qos-bw-limit-direction", "Direction for QoS bandwidth limit rule"},
	{"qos-bw-minimum-ingress", "Ingress direction for QoS minimum bandwidth rule"},
	{"qos-default", "QoS default policy"},
	{"qos-port-network-policy", "QoS port network policy ID"},
	{"qos-rule-type-details", "Details of QoS rule types"},
	{"qos-rule-type-filter", "Allow to filter the list of QoS rule types"},
	{"qos-rules-alias", "Quality of Service rules alias API"},
	{"quotas", "Quota management support"},
	{"quota_details", "Quota details management support"},
	{"rbac-address-group", "Add address_group type to RBAC"},
	{"rbac-address-scope", "Add address_scope type to RBAC"},
	{"rbac-policies", "RBAC Policies"},
	{"rbac-subnetpool", "Add subnetpool type to RBAC"},
	{"revision-if-match", "If-Match constraints based on revision_number"},
	{"router", "Neutron L3 Router"},
	{"router_availability_zone", "Router Availability Zone"},
	{"security-group", "security-group"},
	{"security-groups-remote-address-group", "Remote address group id field for security group rules"},
	{"service-type", "Neutron Service Type Management"},
	{"sorting", "Sorting support"},
	{"standard-attr-description", "standard-attr-description"},
	{"standard-attr-revisions", "Resource revision numbers"},
	{"standard-attr-tag", "Tag support for resources with standard attribute"},
	{"standard-attr-timestamp", "Resource timestamps"},
	{"subnet_allocation", "Subnet Allocation"},
	{"trunk", "Trunk Extension"},
	{"trunk-details", "Trunk port details"},
	{"vpn-aes-ccm-gcm", "VPN support for AES CCM, GCM modes"},
	{"vpn-aes-ctr", "VPN support for AES CTR mode"},
	{"vpn-endpoint-groups", "VPN Endpoint Groups"},
	{"vpnaas", "VPN service"},
};
static const struct os_extensions extensions = {
	OS_EXTENSIONS(rows),
	.updated = "2022-10-05T00:00:00-00:00",
};

static RESULT list_extensions(struct os_call *e, const void *args, struct json_writer *w)
{
	(void) e;
	(void) args;
	return os_list_extensions(&extensions, w);
}

static RESULT show_extension(struct os_call *e, const void *args, struct json_writer *w)
{
	return os_show_extension(e, &extensions, ((const struct os_extension_target *) args)->alias, w);
}

/* ---- zones ---- */

struct os_zones_asked {
	struct str name, resource, state;
};
static const struct param zone_params[] = {
	OS_QUERY(struct os_zones_asked, "name", name, .doc = "Name of the zone."),
	OS_QUERY(struct os_zones_asked, "resource", resource,
		 .doc = "Resource of the zone: network or router."),
	OS_QUERY(struct os_zones_asked, "state", state,
		 .doc = "State of the zone: available or unavailable."),
};

static void write_zone(struct json_writer *w, const struct os_zones_asked *a, const struct zone *z,
		       const char *resource)
{
	const char *state = z->enabled ? "available" : "unavailable";
	if ((a->name.n && !str_equal(a->name, z->name)) ||
	    (a->resource.n && !str_is(a->resource, resource)) || (a->state.n && !str_is(a->state, state)))
		return;
	json_write_open(w, NULL);
	json_write_text(w, "name", z->name);
	json_write_z(w, "resource", resource);
	json_write_z(w, "state", state);
	json_write_close(w);
}

static RESULT list_zones(struct os_call *e, const void *args, struct json_writer *w)
{
	static const char *const resources[] = {"network", "router"};
	const struct tables *t = os_tables(e);
	json_write_open_list(w, "availability_zones");
	for (const struct zone *z = zone_first(t); z; z = zone_next(t, z))
		for (size_t k = 0; k < 2 && row_is_live(&z->row); k++)
			write_zone(w, args, z, resources[k]);
	json_write_close_list(w);
	return OK;
}

/* Always empty: OVN is the only router implementation. */
static RESULT list_service_providers(struct os_call *e, const void *args, struct json_writer *w)
{
	(void) e;
	(void) args;
	json_write_open_list(w, "service_providers");
	json_write_close_list(w);
	return OK;
}

/* ---- agents: each host's ovn-controller ---- */

ATTRIBUTE_GETTER(host, h, bool, is_alive, h->seen_state == HOST_SEEN_STATE_UP)
#define ALWAYS(wire, value) ATTRIBUTE_CONST(wire, value, .filter = (wire))
static const struct attribute agent_rows[] = {
	ATTRIBUTE(host, "id", row.id, .filter = "id"),
	ALWAYS("agent_type", "\"OVN Controller agent\""),
	ALWAYS("binary", "\"ovn-controller\""),
	OS_FIELD(host, "host", name),
	ATTRIBUTE_OF(host, zone, KIND_ZONE, zone, "availability_zone", name, .flags = ATTRIBUTE_EMPTY_NONE,
		     .filter = "availability_zone"),
	ALWAYS("admin_state_up", "true"),
	ATTRIBUTE_MADE(BOOL, truth, "alive", is_alive, .filter = "alive"),
	ALWAYS("topic", "\"n/a\""),
	ATTRIBUTE(host, "description", agent_description, .filter = "description"),
	ATTRIBUTE_AS(TIME, host, "created_at", row.created_us),
	ATTRIBUTE_AS(TIME, host, "started_at", row.created_us),
	ATTRIBUTE_CONST("resources_synced", "null"),
	ATTRIBUTE_CONST("configurations", "{}"),
};
#undef ALWAYS
static const struct attributes agent_members = ATTRIBUTES(agent_rows);

/* Other callers get an empty list, as in Neutron. */
static bool is_for_admins(struct os_call *e, const struct row *row)
{
	(void) row;
	return os_is_admin(e);
}

static const struct os_listing agents = {
	.kind = KIND_HOST,
	.items = "agents",
	.links = "agents_links",
	.shows = is_for_admins,
	.attributes = &agent_members,
};

struct os_agent_target {
	struct ref agent;
};
static const struct param agent_params[] = {
	OS_PATH(struct os_agent_target, "agent_id", agent, .kind = KIND_HOST,
		.doc = "Id of the agent, which is that of the host."),
};

/* ---- changing agents: what Neutron's OVN driver takes ---- */

struct os_agent_update {
	struct host_settings wish;
	enum choice up;
};
static const struct param agent_update_params[] = {
	OS_PATH(struct os_agent_update, "agent_id", wish.host, .kind = KIND_HOST,
		.doc = "Id of the agent, which is that of the host."),
	OS_BODY(struct os_agent_update, "description", wish.agent_description, .max = 255,
		.doc = "Description: free text."),
	OS_BODY(struct os_agent_update, "admin_state_up", up,
		.doc = "Must be true: an agent cannot be disabled."),
};

static RESULT prepare_agent_update(struct os_call *e, void *args)
{
	struct os_agent_update *a = args;
	if (a->up == CHOICE_NO)
		return ctx_fail_field(e->c, ERR_UNSUPPORTED, STR("admin_state_up"),
				      "Bad agent request: OVN agent status updates are not supported.");
	return OK;
}

static RESULT update_agent(struct op *op, void *args)
{
	struct os_agent_update *a = args;
	const struct row *host = NULL;
	if (a->wish.agent_description)
		return engine_update_host(op, &a->wish);
	TRY(engine_find_own(op->ctx, op->head, KIND_HOST, &a->wish.host, &host));
	return engine_permit(op, "host.enable", KIND_HOST, host);
}

/* The agent of a host is as long there as the host is. */
static RESULT delete_agent(struct op *op, void *args)
{
	const struct os_agent_target *a = args;
	const struct row *host = NULL;
	TRY(engine_find_own(op->ctx, op->head, KIND_HOST, &a->agent, &host));
	TRY(engine_permit(op, "host.enable", KIND_HOST, host));
	return ctx_fail_kind(
		op->ctx, ERR_STATE, KIND_HOST,
		"The agent belongs to a host of the region: its operator removes that with 'dari "
		"host remove %" STR_FMT "'.",
		STR_ARG(host_of(host)->name));
}

static const struct os_action actions[] = {
	{HTTP_GET, "/v2.0/extensions", .permit = "get_extension", .answer = list_extensions,
	 .doc = "Lists the supported API extensions."},
	{HTTP_GET, "/v2.0/extensions/{alias}", .permit = "get_extension",
	 .args = OS_PARAMS(struct os_extension_target, os_extension_params), .item = "extension",
	 .answer = show_extension, .doc = "Shows one API extension."},
	{HTTP_GET, "/v2.0/availability_zones", .permit = "get_availability_zone",
	 .args = OS_PARAMS(struct os_zones_asked, zone_params), .answer = list_zones,
	 .doc = "Lists availability zones."},
	{HTTP_GET, "/v2.0/service-providers", .permit = "get_service_provider",
	 .answer = list_service_providers, .doc = "Lists service providers. There are none.",
	 .never = "Routers have a single implementation, so there is no provider to choose."},
	{HTTP_GET, "/v2.0/agents", .permit = "get_agent", .list = &agents,
	 .doc = "Lists the network agents, one on each host."},
	{HTTP_GET, "/v2.0/agents/{agent_id}", .permit = "get_agent", .flags = OS_ADMIN,
	 .args = OS_PARAMS(struct os_agent_target, agent_params), .item = "agent",
	 OS_SHOWS(agents, struct os_agent_target, agent), .doc = "Shows one agent."},
	{HTTP_PUT, "/v2.0/agents/{agent_id}", .permit = "update_agent", .flags = API_WRITES | OS_ADMIN,
	 .args = OS_PARAMS(struct os_agent_update, agent_update_params), .wrap = "agent", .item = "agent",
	 .prepare = prepare_agent_update, .operation = update_agent,
	 OS_SHOWS(agents, struct os_agent_update, wish.host), .returns = KIND_HOST,
	 .doc = "Changes the description of an agent."},
	{HTTP_DELETE, "/v2.0/agents/{agent_id}", .permit = "delete_agent", .flags = API_WRITES | OS_ADMIN,
	 .status = 204, .args = OS_PARAMS(struct os_agent_target, agent_params), .operation = delete_agent,
	 .never = "An agent is removed with its host, by the operator.", .doc = "Deletes an agent."},
};
const struct os_actions os_network_extension_actions = OS_ACTIONS(OS_NETWORK, actions);
