/* SPDX-License-Identifier: Apache-2.0
 * Routers with their gateway, interfaces and extra routes. Extra routes are the routes of the main route
 * table, except those to gateways. */
#include "api/openstack/network/network.h"
#include "engine/network/address/address.h"
#include "engine/network/routing/router_interface.h"
#include "model/router.h"
#include "store/address.h"
#include "store/gateway.h"
#include "store/route.h"

/* An element of a list that has no row of its own. */
struct extra_route {
	struct row row;
	struct cidr destination;
	struct ip nexthop;
};
static const struct attribute extra_route_rows[] = {
	ATTRIBUTE(extra_route, "destination", destination),
	ATTRIBUTE(extra_route, "nexthop", nexthop),
};
static const struct attributes extra_route_members = ATTRIBUTES(extra_route_rows);

static struct attribute_rows list_routes(struct api_call *e, const struct row *row)
{
	const struct tables *t = api_tables(e);
	VEC(const struct extra_route *) routes = {0};
	const struct route *r = route_first_by_table(t, router_of(row)->main_route_table);
	for (; r; r = route_next_by_table(t, r)) {
		struct ip first = engine_get_next_hop(t, r);
		for (size_t k = 0; !ip_is_none(first) && k <= r->more_hops.count; k++) {
			struct extra_route *shown = arena_new_object(e->c->arena, struct extra_route);
			if (!shown)
				break;
			*shown = (struct extra_route){.destination = r->destination,
						      .nexthop = k ? r->more_hops.at[k - 1] : first};
			(void) VEC_PUSH(e->c->arena, &routes, shown);
		}
	}
	return (struct attribute_rows){routes.at, routes.count};
}

static const void *find_gateway(struct api_call *e, const struct row *row)
{
	const struct tables *t = api_tables(e);
	const struct gateway *found = NULL;
	for (const struct gateway *g = gateway_first_by_router(t, row->id); g;
	     g = gateway_next_by_router(t, g))
		if (row_is_live(&g->row) && !uuid_is_none(g->external_network))
			found = g;
	return found;
}

/* Lists the gateway's address; an EC2 internet gateway has none. */
static struct attribute_rows list_fixed_ips(struct api_call *e, const struct row *row)
{
	const struct address **found = arena_new_array(e->c->arena, const struct address *, 1);
	if (found)
		*found = address_find(api_tables(e), gateway_of(row)->address);
	return (struct attribute_rows){found, found && *found};
}

ATTRIBUTE_GETTER(address, a, uuid, get_subnet,
		 engine_get_external_subnet(api_tables(e), a->external_network, a->ip))
static const struct attribute fixed_ip_rows[] = {
	ATTRIBUTE_MADE(ID, id, "subnet_id", get_subnet),
	ATTRIBUTE(address, "ip_address", ip),
};
static const struct attributes fixed_ip_members = ATTRIBUTES(fixed_ip_rows);
static const struct attribute gateway_rows[] = {
	ATTRIBUTE(gateway, "network_id", external_network),
	ATTRIBUTE(gateway, "enable_snat", translates),
	ATTRIBUTE_ROWS("external_fixed_ips", fixed_ip_members, list_fixed_ips),
};
static const struct attributes gateway_members = ATTRIBUTES(gateway_rows);

static const struct attribute router_rows[] = {
	ATTRIBUTE(router, "id", row.id, .filter = "id"),
	OS_SHOWN_NAME,
	OS_FIXED("status", "\"ACTIVE\""),
	OS_UP(router, is_down),
	ATTRIBUTE_MADE(OBJECT, at, "external_gateway_info", find_gateway, .within = &gateway_members),
	ATTRIBUTE_ROWS("routes", extra_route_members, list_routes),
	ATTRIBUTE_CONST("availability_zone_hints", "[]"),
	ATTRIBUTE_CONST("availability_zones", "[]"),
	ATTRIBUTE_CONST("flavor_id", "null", .filter = "flavor_id"),
	OS_STANDARD_ROWS(router),
};
static const struct attributes router_members = ATTRIBUTES(router_rows);

const struct os_listing os_routers = {
	.kind = KIND_ROUTER,
	.items = "routers",
	.links = "routers_links",
	.filters = OS_FILTERS(os_tag_filters),
	.flags = OS_ADMIN_SEES_ALL,
	.attributes = &router_members,
};

/* ---- show, delete ---- */

struct os_router_target {
	struct router_target wish;
};
static const struct param target_params[] = {
	OS_PATH(struct os_router_target, "router_id", wish.router, .kind = KIND_ROUTER, .doc = "The router."),
};

/* ---- create, change ---- */

struct os_external_ip {
	struct ref subnet;
	struct ip ip;
};
static const struct param external_ip_param_rows[] = {
	OS_BODY(struct os_external_ip, "subnet_id", subnet, .kind = KIND_SUBNET,
		.doc = "Subnet of the external network; absent: any."),
	OS_BODY(struct os_external_ip, "ip_address", ip, .doc = "External address; absent: any."),
};
static const struct params external_ip_params = OS_PARAMS(struct os_external_ip, external_ip_param_rows);

struct os_gateway_info {
	struct ref network;
	enum choice snat;
	struct {
		const struct os_external_ip *at;
		size_t count;
	} ips;
	bool has_ips;
};
static const struct param gateway_param_rows[] = {
	OS_BODY(struct os_gateway_info, "network_id", network, .kind = KIND_EXTERNAL_NETWORK,
		.doc = "External network."),
	OS_BODY(struct os_gateway_info, "enable_snat", snat,
		.doc = "Whether ports without a floating IP reach the external network through SNAT."),
	OS_BODY_LIST(struct os_gateway_info, "external_fixed_ips", ips, external_ip_params, .max = 1,
		     .given = OS_GIVEN(struct os_gateway_info, has_ips),
		     .doc = "External address of the router."),
	OS_UNBUILT("qos_policy_id"),
};
static const struct params gateway_params = OS_PARAMS(struct os_gateway_info, gateway_param_rows);

struct os_extra_route {
	struct cidr destination;
	struct ip nexthop;
};
static const struct param route_param_rows[] = {
	OS_BODY(struct os_extra_route, "destination", destination, .flags = REQUIRED,
		.doc = "Destination block."),
	OS_BODY(struct os_extra_route, "nexthop", nexthop, .flags = REQUIRED,
		.doc = "Address of the next hop."),
};
static const struct params route_params = OS_PARAMS(struct os_extra_route, route_param_rows);

struct os_router_body {
	struct router_whole wish;
	struct str name, description;
	struct ref account;
	bool has_name, has_description, has_gateway, has_routes;
	enum choice is_down;
	struct os_gateway_info gateway;
	struct {
		const struct os_extra_route *at;
		size_t count;
	} routes;
};
#define ROUTER_BODY                                                                                          \
	OS_BODY(struct os_router_body, "name", name, .given = OS_GIVEN(struct os_router_body, has_name),     \
		.doc = "Name; need not be unique."),                                                         \
		OS_BODY(struct os_router_body, "description", description,                                   \
			.given = OS_GIVEN(struct os_router_body, has_description),                           \
			.doc = "Description: free text."),                                                   \
		OS_BODY(struct os_router_body, "admin_state_up", is_down, .flags = OPPOSITE,                 \
			.doc = "Whether the router is enabled."),                                            \
		OS_BODY_OBJECT(struct os_router_body, "external_gateway_info", gateway, gateway_params,      \
			       .flags = NULLABLE, .given = OS_GIVEN(struct os_router_body, has_gateway),     \
			       .doc = "External gateway; null or empty: none."),                             \
		OS_BODY_LIST(struct os_router_body, "routes", routes, route_params, .max = EXTRA_ROUTES_MAX, \
			     .flags = NULLABLE, .given = OS_GIVEN(struct os_router_body, has_routes),        \
			     .doc = "Extra routes, which replace all present ones; null: none."),            \
		OS_UNBUILT("distributed", .only = "false"), OS_UNBUILT("ha", .only = "false"),               \
		OS_UNBUILT("availability_zone_hints", .only = "[]"), OS_UNBUILT("flavor_id"),                \
		OS_UNBUILT("enable_ndp_proxy", .only = "false")
static const struct param create_params[] = {
	ROUTER_BODY,
	OS_PROJECT(struct os_router_body, account),
};
static const struct param update_params[] = {
	OS_PATH(struct os_router_body, "router_id", wish.settings.router, .kind = KIND_ROUTER,
		.doc = "The router."),
	ROUTER_BODY,
};

/* Only an empty object means no gateway: without the network a change of one member would take the gateway away. */
static RESULT check_gateway(struct os_call *e, const struct os_gateway_info *g)
{
	bool has_snat = g->snat != CHOICE_DEFAULT;
	if (ref_is_given(&g->network) || !(has_snat || g->has_ips))
		return OK;
	return ctx_fail_field(e->c, ERR_INVALID, STR("external_gateway_info"),
			      "Invalid input for external_gateway_info. Reason: Validation of dictionary's "
			      "keys failed. Expected keys: {'network_id'} Provided keys: {%s%s%s}.",
			      has_snat ? "'enable_snat'" : "", has_snat && g->has_ips ? ", " : "",
			      g->has_ips ? "'external_fixed_ips'" : "");
}

static RESULT read_rest(struct os_call *e, struct os_router_body *a)
{
	struct cidr *to = arena_new_array(e->c->arena, struct cidr, a->routes.count + 1);
	struct ip *over = arena_new_array(e->c->arena, struct ip, a->routes.count + 1);
	if (!to || !over)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < a->routes.count; k++) {
		to[k] = a->routes.at[k].destination;
		over[k] = a->routes.at[k].nexthop;
	}
	a->wish.sets_routes = a->has_routes;
	a->wish.routes.destinations = (struct cidrs){to, a->routes.count};
	a->wish.routes.next_hops = (struct ips){over, a->routes.count};
	a->wish.sets_gateway = a->has_gateway;
	TRY(os_check_external(e, &a->gateway.network));
	a->wish.gateway.external_network = a->gateway.network;
	a->wish.gateway.translates = a->gateway.snat;
	TRY(check_gateway(e, &a->gateway));
	if (a->gateway.ips.count) {
		a->wish.gateway.subnet = a->gateway.ips.at[0].subnet;
		a->wish.gateway.ip = a->gateway.ips.at[0].ip;
	}
	return OK;
}

static RESULT prepare_create(struct os_call *e, void *args)
{
	struct os_router_body *a = args;
	a->wish.create = (struct router_wish){.account = a->account,
					      .name = a->name,
					      .description = a->description,
					      .has_no_block = true,
					      .is_down = a->is_down == CHOICE_YES};
	return read_rest(e, a);
}

static RESULT prepare_update(struct os_call *e, void *args)
{
	struct os_router_body *a = args;
	a->wish.settings.name = a->has_name ? &a->name : NULL;
	a->wish.settings.description = a->has_description ? &a->description : NULL;
	a->wish.settings.is_down = a->is_down;
	return read_rest(e, a);
}

/* ---- some routes more or less ---- */

struct os_some_routes {
	struct extra_routes_wish wish;
	struct {
		const struct os_extra_route *at;
		size_t count;
	} routes;
};
static const struct param some_routes_params[] = {
	OS_PATH(struct os_some_routes, "router_id", wish.router, .kind = KIND_ROUTER, .doc = "The router."),
	OS_BODY_LIST(struct os_some_routes, "routes", routes, route_params, .flags = REQUIRED,
		     .max = EXTRA_ROUTES_MAX, .doc = "Extra routes."),
};

static RESULT prepare_some_routes(struct os_call *e, void *args)
{
	struct os_some_routes *a = args;
	struct os_router_body body = {.routes = {a->routes.at, a->routes.count}};
	TRY(read_rest(e, &body));
	a->wish.destinations = body.wish.routes.destinations;
	a->wish.next_hops = body.wish.routes.next_hops;
	a->wish.change =
		str_ends_with(e->path, STR("add_extraroutes")) ? EXTRA_ROUTES_ADD : EXTRA_ROUTES_REMOVE;
	return OK;
}

/* ---- interfaces ---- */

struct os_router_interface {
	struct router_interface_wish wish;
};
static const struct param interface_params[] = {
	OS_PATH(struct os_router_interface, "router_id", wish.router, .kind = KIND_ROUTER,
		.doc = "The router."),
	OS_BODY(struct os_router_interface, "subnet_id", wish.subnet, .kind = KIND_SUBNET,
		.doc = "Subnet to attach, at its gateway address."),
	OS_BODY(struct os_router_interface, "port_id", wish.port, .kind = KIND_PORT,
		.doc = "Port to attach, instead of a subnet."),
};

static RESULT show_interface(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct router_interface_wish *wish = args;
	uuid router = wish->router.prefix;
	os_write_id(w, "id", router);
	os_write_hex(w, "tenant_id", e->c->who->account);
	os_write_hex(w, "project_id", e->c->who->account);
	os_write_id(w, "port_id", wish->interface);
	os_write_id(w, "network_id", wish->in_network);
	os_write_id(w, "subnet_id", wish->in_subnet);
	json_write_open_list(w, "subnet_ids");
	os_write_id(w, NULL, wish->in_subnet);
	json_write_close_list(w);
	return OK;
}

static const struct os_action actions[] = {
	{HTTP_GET, "/v2.0/routers", .permit = "get_router", .list = &os_routers, .doc = "Lists routers."},
	{HTTP_POST, "/v2.0/routers", .permit = "create_router", .flags = API_WRITES | OS_BULK, .status = 201,
	 .args = OS_PARAMS(struct os_router_body, create_params), .wrap = "router", .item = "router",
	 .prepare = prepare_create, .operation = engine_create_whole_router_run,
	 OS_SHOWS(os_routers, struct os_router_body, wish.create.router), .returns = KIND_ROUTER,
	 .doc = "Creates a router."},
	{HTTP_GET, "/v2.0/routers/{router_id}", .permit = "get_router",
	 .args = OS_PARAMS(struct os_router_target, target_params), .item = "router",
	 OS_SHOWS(os_routers, struct os_router_target, wish.router), .doc = "Shows one router."},
	{HTTP_PUT, "/v2.0/routers/{router_id}", .permit = "update_router", .flags = API_WRITES,
	 .args = OS_PARAMS(struct os_router_body, update_params), .wrap = "router", .item = "router",
	 .prepare = prepare_update, .operation = engine_change_router_run,
	 OS_SHOWS(os_routers, struct os_router_body, wish.settings.router), .returns = KIND_ROUTER,
	 .doc = "Changes a router, its gateway and its routes."},
	{HTTP_DELETE, "/v2.0/routers/{router_id}", .permit = "delete_router", .flags = API_WRITES,
	 .status = 204, .args = OS_PARAMS(struct os_router_target, target_params),
	 .sets = {API_SETS(struct os_router_target, wish.with_gateway)},
	 .operation = engine_delete_router_run, .doc = "Deletes a router with its gateway."},
	{HTTP_PUT, "/v2.0/routers/{router_id}/add_extraroutes", .permit = "add_extraroutes",
	 .flags = API_WRITES, .args = OS_PARAMS(struct os_some_routes, some_routes_params), .wrap = "router",
	 .item = "router", .prepare = prepare_some_routes, .operation = engine_set_extra_routes_run,
	 OS_SHOWS(os_routers, struct os_some_routes, wish.router), .returns = KIND_ROUTER,
	 .doc = "Adds extra routes to a router."},
	{HTTP_PUT, "/v2.0/routers/{router_id}/remove_extraroutes", .permit = "remove_extraroutes",
	 .flags = API_WRITES, .args = OS_PARAMS(struct os_some_routes, some_routes_params), .wrap = "router",
	 .item = "router", .prepare = prepare_some_routes, .operation = engine_set_extra_routes_run,
	 OS_SHOWS(os_routers, struct os_some_routes, wish.router), .returns = KIND_ROUTER,
	 .doc = "Removes extra routes from a router."},
	{HTTP_PUT, "/v2.0/routers/{router_id}/add_router_interface", .permit = "add_router_interface",
	 .flags = API_WRITES, .args = OS_PARAMS(struct os_router_interface, interface_params),
	 .operation = engine_add_router_interface_run, .answer = show_interface,
	 .returns = API_RETURNS_NOTHING_STORED, .doc = "Attaches a subnet to a router."},
	{HTTP_PUT, "/v2.0/routers/{router_id}/remove_router_interface", .permit = "remove_router_interface",
	 .flags = API_WRITES, .args = OS_PARAMS(struct os_router_interface, interface_params),
	 .operation = engine_remove_router_interface_run, .answer = show_interface,
	 .returns = API_RETURNS_NOTHING_STORED, .doc = "Detaches a subnet from a router."},
};
const struct os_actions os_router_actions = OS_ACTIONS(OS_NETWORK, actions);
