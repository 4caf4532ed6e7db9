/* SPDX-License-Identifier: Apache-2.0
 * Route tables, their routes, and their associations with subnets and gateways. The local route of a VPC is
 * shown in each of its tables; it has a row only where it has another target. */
#include "api/ec2/core/list.h"
#include "api/ec2/core/write.h"
#include "api/ec2/network/vpc_endpoints.h"
#include "engine/network/port/port.h"
#include "engine/network/routing/route_table.h"
#include "engine/network/routing/router.h"
#include "engine/transit/transit.h"
#include "engine/vpn/vpn.h"
#include "model/route_table.h"
#include "store/egress_gateway.h"
#include "store/gateway.h"
#include "store/nat_gateway.h"
#include "store/peering.h"
#include "store/port.h"
#include "store/route.h"
#include "store/router.h"
#include "store/subnet.h"
#include "store/vpc_endpoint.h"
#include "store/vpn_gateway.h"

/* ---- items ---- */

static bool is_vpn_active(const struct tables *t, const struct route_table *table, const struct route *route)
{
	const struct vpn_gateway *g = engine_get_vpn_gateway(t, table->router);
	return g && uuid_equal(g->row.id, route->vpn_gateway);
}

static bool is_gateway_active(const struct tables *t, const struct route_table *table,
			      const struct route *route)
{
	const struct gateway *gateway = gateway_find(t, route->gateway);
	return gateway && row_is_live(&gateway->row) && uuid_equal(gateway->router, table->router);
}

/* True if the route's target exists and can carry its traffic. */
static bool is_active(const struct tables *t, const struct route_table *table, const struct route *route)
{
	if (!uuid_is_none(route->nat_gateway)) {
		const struct nat_gateway *nat = nat_gateway_find(t, route->nat_gateway);
		return nat && row_is_live(&nat->row);
	}
	if (!uuid_is_none(route->port)) {
		const struct port *port = port_find(t, route->port);
		return port && row_is_live(&port->row) && !uuid_is_none(port->instance);
	}
	if (!ip_is_none(route->next_hop)) {
		const struct port *port = engine_find_port_by_ip(t, table->router, route->next_hop);
		return port && row_is_live(&port->row);
	}
	if (!uuid_is_none(route->peering)) {
		const struct peering *peering = peering_find(t, route->peering);
		return peering && row_is_live(&peering->row) && peering->is_accepted;
	}
	if (!uuid_is_none(route->transit_gateway))
		return engine_carries_transit(
			engine_find_transit_attachment_of(t, table->router, route->transit_gateway),
			route->destination);
	if (!uuid_is_none(route->vpn_gateway))
		return is_vpn_active(t, table, route);
	if (!uuid_is_none(route->egress_gateway))
		return egress_gateway_find(t, route->egress_gateway) != NULL;
	return is_gateway_active(t, table, route);
}

static const struct port *find_hop(const struct tables *t, const struct route_table *table,
				   const struct route *route)
{
	return ip_is_none(route->next_hop) ? port_find(t, route->port)
					   : engine_find_port_by_ip(t, table->router, route->next_hop);
}

static bool has_block(struct cidrs blocks, struct cidr block)
{
	for (size_t k = 0; k < blocks.count; k++)
		if (cidr_equal(cidr_canonical(blocks.at[k]), block))
			return true;
	return false;
}

/* True if the route replaces a local route: its destination is a block of the VPC. */
static bool is_local_replaced(const struct tables *t, const struct route_table *table,
			      const struct route *route)
{
	const struct router *router = router_find(t, table->router);
	return router && (has_block(router->blocks, route->destination) ||
			  has_block(router->ipv6_blocks, route->destination));
}

/* A route as it is shown: also the local route of a VPC. */
struct shown_route {
	struct row row; /* no row of the store */
	struct cidr destination;
	struct str gateway, owner, state, origin;
	uuid prefix_list, egress_gateway, nat_gateway, peering, transit_gateway, port, instance;
};
struct shown_routes {
	const struct shown_route **at;
	size_t count, capacity;
};

static void add_route(struct api_call *e, struct shown_routes *routes, const struct shown_route *route)
{
	struct shown_route *copy = arena_new_object(e->c->arena, struct shown_route);
	if (!copy)
		return;
	*copy = *route;
	(void) VEC_PUSH(e->c->arena, routes, copy);
}

static bool is_replaced(const struct tables *t, const struct route_table *table, struct cidr block)
{
	const struct route *route = route_find_by_table(t, table->row.id, cidr_canonical(block));
	return route && row_is_live(&route->row);
}

static void add_local_routes(struct api_call *e, struct shown_routes *routes, const struct route_table *table,
			     struct cidrs blocks)
{
	for (size_t k = 0; k < blocks.count; k++) {
		if (!is_replaced(api_tables(e), table, blocks.at[k]))
			add_route(e, routes,
				  &(struct shown_route){.destination = blocks.at[k],
							.gateway = STR("local"),
							.state = STR("active"),
							.origin = STR("CreateRouteTable")});
	}
}

static struct str write_gateway(struct arena *a, const struct route *r)
{
	if (!uuid_is_none(r->vpn_gateway))
		return id_to_ec2(a, KIND_VPN_GATEWAY, r->vpn_gateway);
	return uuid_is_none(r->gateway) ? STR_NONE : id_to_ec2(a, KIND_GATEWAY, r->gateway);
}

static struct shown_route show_route(struct ec2_call *e, const struct route_table *table,
				     const struct route *r)
{
	const struct tables *t = ec2_tables(e);
	const struct port *port = find_hop(t, table, r);
	bool is_in_instance = port && !uuid_is_none(port->instance);
	return (struct shown_route){
		.destination = r->destination,
		.gateway = write_gateway(e->c->arena, r),
		.owner = is_in_instance ? e->owner : STR_NONE,
		.state = is_active(t, table, r) ? STR("active") : STR("blackhole"),
		.origin = is_local_replaced(t, table, r) ? STR("CreateRouteTable") : STR("CreateRoute"),
		.egress_gateway = r->egress_gateway,
		.nat_gateway = r->nat_gateway,
		.peering = r->peering,
		.transit_gateway = r->transit_gateway,
		.port = ip_is_none(r->next_hop) || !port ? r->port : port->row.id,
		.instance = is_in_instance ? port->instance : UUID_NONE,
	};
}

/* The route of a gateway endpoint. */
static void add_endpoint_route(struct api_call *e, struct shown_routes *routes,
			       const struct route_table *table)
{
	const struct tables *t = api_tables(e);
	const struct vpc_endpoint *endpoint = engine_find_gateway_endpoint(t, table->router, table->row.id);
	if (endpoint)
		add_route(e, routes,
			  &(struct shown_route){
				  .prefix_list = ec2_get_api_prefix_list(t),
				  .gateway = id_to_ec2(e->c->arena, KIND_VPC_ENDPOINT, endpoint->row.id),
				  .state = STR("active"),
				  .origin = STR("CreateRoute")});
}

/* Routes of VPN connections that are propagated to the table. */
static void add_propagated_routes(struct api_call *e, struct shown_routes *routes,
				  const struct route_table *table)
{
	struct vpn_ways ways = {0};
	if (uuid_is_none(table->vpn_gateway) ||
	    !engine_list_vpn_ways(e->c->arena, api_tables(e), table->row.id, &ways))
		return;
	for (size_t k = 0; k < ways.count; k++)
		if (ways.at[k].is_propagated)
			add_route(e, routes,
				  &(struct shown_route){.destination = ways.at[k].to,
							.gateway = id_to_ec2(e->c->arena, KIND_VPN_GATEWAY,
									     table->vpn_gateway),
							.state = STR("active"),
							.origin = STR("EnableVgwRoutePropagation")});
}

static struct attribute_rows list_propagating(struct api_call *e, const struct row *row)
{
	return attribute_rows_of(e, row, !uuid_is_none(route_table_of(row)->vpn_gateway), 0);
}

static struct attribute_rows list_routes(struct api_call *e, const struct row *row)
{
	const struct tables *t = api_tables(e);
	const struct route_table *table = route_table_of(row);
	const struct router *router = router_find(t, table->router);
	struct shown_routes routes = {0};
	if (router) {
		add_local_routes(e, &routes, table, engine_get_blocks(t, e->c->arena, router));
		add_local_routes(e, &routes, table, router->ipv6_blocks);
	}
	for (const struct route *r = route_first_by_table(t, row->id); r; r = route_next_by_table(t, r)) {
		const struct shown_route shown = show_route(ec2_call_of(e), table, r);
		if (row_is_live(&r->row))
			add_route(e, &routes, &shown);
	}
	add_propagated_routes(e, &routes, table);
	add_endpoint_route(e, &routes, table);
	return (struct attribute_rows){routes.at, routes.count};
}

struct shown_association {
	struct row row; /* its id is the association's */
	uuid table, subnet, gateway;
	bool is_main;
};

/* Returns their number. all NULL: only counts them. */
static size_t show_associations(const struct tables *t, const struct route_table *table,
				struct shown_association *all)
{
	const struct shown_association none = {.table = table->row.id};
	size_t count = 0;
#define ADD(association, member, value)                                                                      \
	do {                                                                                                 \
		if (all) {                                                                                   \
			all[count] = none;                                                                   \
			all[count].row.id = (association);                                                   \
			all[count].member = (value);                                                         \
		}                                                                                            \
		count++;                                                                                     \
	} while (0)
	if (!uuid_is_none(table->main_association))
		ADD(table->main_association, is_main, true);
	for (const struct subnet *s = subnet_first_by_route_table(t, table->row.id); s;
	     s = subnet_next_by_route_table(t, s))
		if (row_is_live(&s->row))
			ADD(s->route_association, subnet, s->row.id);
	for (const struct gateway *g = gateway_first_by_route_table(t, table->row.id); g;
	     g = gateway_next_by_route_table(t, g))
		if (row_is_live(&g->row))
			ADD(g->route_association, gateway, g->row.id);
#undef ADD
	return count;
}

static struct attribute_rows list_associations(struct api_call *e, const struct row *row)
{
	const struct tables *t = api_tables(e);
	size_t count = show_associations(t, route_table_of(row), NULL);
	struct shown_association *all = arena_new_array(e->c->arena, struct shown_association, count);
	if (all)
		(void) show_associations(t, route_table_of(row), all);
	return attribute_rows_of(e, all, count, sizeof *all);
}

#define BY(index) ATTRIBUTE_PATHS({KIND_ROUTE, index, .joins = {JOIN_ONE(KIND_ROUTE_TABLE, route, table)}})
#define WITHIN .flags = ATTRIBUTE_FILTERS_WITHIN
static const struct attribute route_rows[] = {
	ATTRIBUTE(shown_route, "destinationCidrBlock", destination, .flags = ATTRIBUTE_V4,
		  .filter = "route.destination-cidr-block"),
	ATTRIBUTE(shown_route, "destinationIpv6CidrBlock", destination, .flags = ATTRIBUTE_V6,
		  .filter = "route.destination-ipv6-cidr-block"),
	ATTRIBUTE_REF(shown_route, "destinationPrefixListId", prefix_list, KIND_ADDRESS_GROUP,
		      .filter = "route.destination-prefix-list-id"),
	ATTRIBUTE(shown_route, "gatewayId", gateway, .flags = ATTRIBUTE_OMIT_NONE,
		  .filter = "route.gateway-id",
		  ATTRIBUTE_PATHS({KIND_ROUTE, ROUTE_INDEX_GATEWAY,
				   .joins = {JOIN_ONE(KIND_ROUTE_TABLE, route, table)}},
				  {KIND_VPC_ENDPOINT,
				   .joins = {JOIN_ONE(KIND_ROUTER, vpc_endpoint, router),
					     JOIN_EACH(KIND_ROUTE_TABLE, ROUTE_TABLE_INDEX_ROUTER)}})),
	ATTRIBUTE_REF(shown_route, "egressOnlyInternetGatewayId", egress_gateway, KIND_EGRESS_GATEWAY,
		      .filter = "route.egress-only-internet-gateway-id", BY(ROUTE_INDEX_EGRESS_GATEWAY)),
	ATTRIBUTE_REF(shown_route, "natGatewayId", nat_gateway, KIND_NAT_GATEWAY,
		      .filter = "route.nat-gateway-id", BY(ROUTE_INDEX_NAT_GATEWAY)),
	ATTRIBUTE_REF(shown_route, "vpcPeeringConnectionId", peering, KIND_PEERING,
		      .filter = "route.vpc-peering-connection-id", BY(ROUTE_INDEX_PEERING)),
	ATTRIBUTE_REF(shown_route, "transitGatewayId", transit_gateway, KIND_TRANSIT_GATEWAY,
		      .filter = "route.transit-gateway-id", BY(ROUTE_INDEX_TRANSIT_GATEWAY)),
	ATTRIBUTE_REF(shown_route, "networkInterfaceId", port, KIND_PORT),
	ATTRIBUTE_REF(shown_route, "instanceId", instance, KIND_INSTANCE, .filter = "route.instance-id",
		      ATTRIBUTE_PATHS({KIND_INSTANCE, .joins = {JOIN_EACH(KIND_PORT, PORT_INDEX_INSTANCE),
								JOIN_EACH(KIND_ROUTE, ROUTE_INDEX_PORT),
								JOIN_ONE(KIND_ROUTE_TABLE, route, table)}})),
	ATTRIBUTE(shown_route, "instanceOwnerId", owner, .flags = ATTRIBUTE_OMIT_NONE),
	ATTRIBUTE(shown_route, "state", state, .filter = "route.state"),
	ATTRIBUTE(shown_route, "origin", origin, .filter = "route.origin"),
};
static const struct attributes route_members = ATTRIBUTES(route_rows);
static const struct attribute association_state_rows[] = {ATTRIBUTE_CONST("state", "associated")};
static const struct attributes association_state_members = ATTRIBUTES(association_state_rows);
static const struct attribute association_rows[] = {
	ATTRIBUTE_PREFIXED(shown_association, "routeTableAssociationId", row.id, "rtbassoc",
			   .filter = "association.route-table-association-id"),
	ATTRIBUTE_REF(shown_association, "routeTableId", table, KIND_ROUTE_TABLE,
		      .filter = "association.route-table-id", ATTRIBUTE_PATHS({KIND_ROUTE_TABLE})),
	ATTRIBUTE_REF(
		shown_association, "subnetId", subnet, KIND_SUBNET, .filter = "association.subnet-id",
		ATTRIBUTE_PATHS({KIND_SUBNET, .joins = {JOIN_ONE(KIND_ROUTE_TABLE, subnet, route_table)}})),
	ATTRIBUTE_REF(
		shown_association, "gatewayId", gateway, KIND_GATEWAY, .filter = "association.gateway-id",
		ATTRIBUTE_PATHS({KIND_GATEWAY, .joins = {JOIN_ONE(KIND_ROUTE_TABLE, gateway, route_table)}})),
	ATTRIBUTE(shown_association, "main", is_main, .filter = "association.main"),
	ATTRIBUTE_WITHIN("associationState", association_state_members),
};
static const struct attributes association_members = ATTRIBUTES(association_rows);
static const struct attribute propagating_rows[] = {
	ATTRIBUTE_REF(route_table, "gatewayId", vpn_gateway, KIND_VPN_GATEWAY)};
static const struct attributes propagating_members = ATTRIBUTES(propagating_rows);
static const struct attribute table_rows[] = {
	ATTRIBUTE_OWN_ID(route_table, "routeTableId", KIND_ROUTE_TABLE, .filter = "route-table-id"),
	ATTRIBUTE_REF(route_table, "vpcId", router, KIND_ROUTER, .filter = "vpc-id",
		      .index = ROUTE_TABLE_INDEX_ROUTER),
	EC2_OWNER("ownerId", .filter = "owner-id"),
	ATTRIBUTE_ROWS("routeSet", route_members, list_routes, WITHIN),
	ATTRIBUTE_ROWS("associationSet", association_members, list_associations, WITHIN),
	ATTRIBUTE_ROWS("propagatingVgwSet", propagating_members, list_propagating),
	ATTRIBUTE(route_table, "tagSet", tags),
};
static const struct attributes table_members = ATTRIBUTES(table_rows);

/* ---- describe ---- */

struct ec2_describe_tables {
	struct ec2_query query;
};
static const struct param describe_tables_params[] = {
	QUERY_IDS(struct ec2_describe_tables, "RouteTableId", KIND_ROUTE_TABLE, "Route tables by id."),
	QUERY_FILTERS(struct ec2_describe_tables),
	QUERY_PAGES(struct ec2_describe_tables, 5, 100),
};

static const struct ec2_listing table_listing = {.kind = KIND_ROUTE_TABLE,
						 .set = "routeTableSet",
						 .filters = FILTERS_OF(table_members),
						 .attributes = &table_members};

/* ---- tables ---- */

struct ec2_create_table {
	struct route_table_wish wish;
	struct ec2_tag_specs tag_specs;
};
static const struct param create_table_params[] = {
	PARAM(struct ec2_create_table, "VpcId", wish.router, .flags = REQUIRED, .kind = KIND_ROUTER,
	      .doc = "The VPC."),
	PARAM(struct ec2_create_table, "ClientToken", wish.client_token, .max = 64,
	      .doc = "Idempotency token of the request."),
	TAG_SPECIFICATIONS(struct ec2_create_table, tag_specs),
};

static const struct param delete_table_params[] = {
	PARAM(struct route_table_target, "RouteTableId", route_table, .flags = REQUIRED,
	      .kind = KIND_ROUTE_TABLE, .doc = "The route table."),
};

/* ---- associations ---- */

#define P(wire, member, ...) PARAM(struct route_table_association, wire, member, __VA_ARGS__)
#define TABLE                                                                                                \
	P("RouteTableId", route_table, .flags = REQUIRED, .kind = KIND_ROUTE_TABLE, .doc = "The route table.")
#define ASSOCIATION                                                                                          \
	P("AssociationId", association, .flags = REQUIRED, .prefix = "rtbassoc", .doc = "The association.")
static const struct param associate_table_params[] = {
	TABLE,
	P("SubnetId", subnet, .kind = KIND_SUBNET, .doc = "Subnet that uses the route table."),
	P("GatewayId", gateway, .flags = BY_NAME, .kind = KIND_GATEWAY,
	  .doc = "Internet gateway whose incoming traffic the table routes, instead of a subnet."),
	NOT_BUILT("PublicIpv4Pool"),
};
static const struct param disassociate_table_params[] = {ASSOCIATION};
static const struct param replace_association_params[] = {ASSOCIATION, TABLE};
#undef TABLE
#undef P

/* Reads the id of an internet gateway. */
static RESULT read_gateway(struct ec2_call *e, struct ref *gateway)
{
	struct str text = gateway->text, field = gateway->field;
	if (str_starts_with(text, STR("vgw-")))
		return ctx_fail_field(
			e->c, ERR_UNSUPPORTED, field,
			"The parameter GatewayId is not supported for virtual private gateways");
	if (!result_is_ok(id_parse_prefixed(text, "igw", gateway)))
		return ctx_fail_kind(e->c, ERR_MALFORMED, KIND_GATEWAY,
				     "Invalid id: \"%" STR_FMT "\" (expecting \"igw-...\")",
				     STR_ARG(str_slice(text, 0, 256)));
	gateway->kind = KIND_GATEWAY;
	gateway->field = field;
	return OK;
}

/* Takes either a subnet or a gateway. */
static RESULT prepare_associate(struct ec2_call *e, void *args)
{
	struct route_table_association *a = args;
	bool has_subnet = ref_is_given(&a->subnet), has_gateway = ref_is_given(&a->gateway);
	if (has_subnet && has_gateway)
		return ctx_fail_field(e->c, ERR_COMBINATION, STR("GatewayId"),
				      "A route table is associated with one of both: SubnetId or GatewayId.");
	if (!has_subnet && !has_gateway)
		return ctx_fail_field(e->c, ERR_MISSING, STR("SubnetId"),
				      "The request must contain the parameter subnetId or gatewayId");
	return has_gateway ? read_gateway(e, &a->gateway) : OK;
}

static RESULT write_new_association(const void *args, struct xml *x, const char *name)
{
	const struct route_table_association *a = args;
	ec2_write_prefixed(x, name, "rtbassoc", a->made);
	xml_open(x, "associationState");
	xml_z(x, "state", "associated");
	xml_close(x, "associationState");
	return OK;
}

static RESULT ec2_associate_route_table(struct ec2_call *e, const void *args, struct xml *x)
{
	(void) e;
	return write_new_association(args, x, "associationId");
}

static RESULT ec2_replace_route_table_association(struct ec2_call *e, const void *args, struct xml *x)
{
	(void) e;
	return write_new_association(args, x, "newAssociationId");
}

/* ---- routes ---- */

struct ec2_route {
	struct route_wish wish;
	struct ref any_gateway; /* an internet gateway or a virtual private gateway */
	struct cidr ipv6;
};
#define P(wire, member, ...) PARAM(struct ec2_route, wire, member, __VA_ARGS__)
#define PLACE                                                                                                \
	P("RouteTableId", wish.route_table, .flags = REQUIRED, .kind = KIND_ROUTE_TABLE,                     \
	  .doc = "The route table."),                                                                        \
		P("DestinationCidrBlock", wish.destination, .doc = "IPv4 destination of the route."),        \
		P("DestinationIpv6CidrBlock", ipv6, .flags = IPV6,                                           \
		  .doc = "IPv6 destination of the route, instead of the IPv4 one."),                         \
		NOT_BUILT("DestinationPrefixListId")
#define TARGET                                                                                               \
	P("GatewayId", any_gateway, .flags = BY_NAME, .kind = KIND_GATEWAY,                                  \
	  .doc = "Target: an internet gateway, or a virtual private gateway."),                              \
		P("NatGatewayId", wish.nat_gateway, .kind = KIND_NAT_GATEWAY,                                \
		  .doc = "Target: a NAT gateway."),                                                          \
		P("NetworkInterfaceId", wish.port, .kind = KIND_PORT,                                        \
		  .doc = "Target: a network interface."),                                                    \
		P("InstanceId", wish.instance, .kind = KIND_INSTANCE,                                        \
		  .doc = "Target: the network interface of an instance."),                                   \
		P("EgressOnlyInternetGatewayId", wish.egress_gateway, .kind = KIND_EGRESS_GATEWAY,           \
		  .doc = "Target of an IPv6 route: an egress-only internet gateway."),                       \
		NOT_BUILT("VpcEndpointId"),                                                                  \
		P("TransitGatewayId", wish.transit_gateway, .kind = KIND_TRANSIT_GATEWAY,                    \
		  .doc = "Target: a transit gateway that the VPC is attached to."),                          \
		NOT_BUILT("LocalGatewayId"), NOT_BUILT("CarrierGatewayId"),                                  \
		P("VpcPeeringConnectionId", wish.peering, .kind = KIND_PEERING,                              \
		  .doc = "Target: the peer VPC of a peering connection."),                                   \
		NOT_BUILT("CoreNetworkArn"), NOT_BUILT("OdbNetworkArn")
static const struct param create_route_params[] = {PLACE, TARGET};
static const struct param replace_route_params[] = {
	PLACE, TARGET, P("LocalTarget", wish.to_local, .doc = "Restores the local target of a local route.")};
static const struct param delete_route_params[] = {PLACE};
#undef P

static RESULT take_gateway(struct ec2_call *e, struct ec2_route *a)
{
	struct ref *any = &a->any_gateway;
	struct str field = any->field;
	if (!ref_is_given(any))
		return OK;
	if (!str_starts_with(any->text, STR("vgw-"))) {
		a->wish.gateway = *any;
		return read_gateway(e, &a->wish.gateway);
	}
	if (!result_is_ok(id_parse_ec2(any->text, KIND_VPN_GATEWAY, &a->wish.vpn_gateway)))
		return ctx_fail_kind(e->c, ERR_MALFORMED, KIND_VPN_GATEWAY,
				     "Invalid id: \"%" STR_FMT "\" (expecting \"vgw-...\")",
				     STR_ARG(str_slice(any->text, 0, 256)));
	a->wish.vpn_gateway.kind = KIND_VPN_GATEWAY;
	a->wish.vpn_gateway.field = field;
	return OK;
}

/* Takes either of the two destinations. */
static RESULT prepare_route(struct ec2_call *e, void *args)
{
	struct ec2_route *a = args;
	TRY(take_gateway(e, a));
	bool has_ipv4 = !cidr_is_none(a->wish.destination), has_ipv6 = !cidr_is_none(a->ipv6);
	if (has_ipv4 && has_ipv6)
		return ctx_fail_field(e->c, ERR_COMBINATION, STR("DestinationIpv6CidrBlock"),
				      "A route has one destination: DestinationCidrBlock or "
				      "DestinationIpv6CidrBlock.");
	if (!has_ipv4 && !has_ipv6)
		return ctx_fail_field(e->c, ERR_MISSING, STR("DestinationCidrBlock"),
				      "The request must contain the parameter destinationCidrBlock or "
				      "destinationIpv6CidrBlock");
	if (has_ipv6)
		a->wish.destination = a->ipv6;
	return OK;
}

#define CHANGE(word, type, rows, run, write, words)                                                          \
	{                                                                                                    \
		EC2_ACTION(word), .flags = API_WRITES, .args = PARAMS(struct type, rows), .operation = run,  \
				  .answer = (write), .doc = words                                            \
	}
#define CHANGE_ROUTE(word, rows, run, words)                                                                 \
	{                                                                                                    \
		EC2_ACTION(word), .flags = API_WRITES, .args = PARAMS(struct ec2_route, rows),               \
				  .prepare = prepare_route, .operation = run, .doc = words                   \
	}
static const struct ec2_action actions[] = {
	{EC2_ACTION("DescribeRouteTables"),
	 .args = PARAMS(struct ec2_describe_tables, describe_tables_params), .list = &table_listing,
	 .doc = "Lists the account's route tables with their routes and associations."},
	{EC2_ACTION("CreateRouteTable"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_create_table, create_table_params),
	 EC2_TAGS(struct ec2_create_table, "route-table"), EC2_DIGEST(struct ec2_create_table),
	 .operation = engine_create_route_table_run, .returns = KIND_ROUTE_TABLE,
	 EC2_SHOWS(table_listing, struct ec2_create_table, wish.route_table, "routeTable"),
	 .doc = "Creates a route table, which has the local route only."},
	CHANGE("DeleteRouteTable", route_table_target, delete_table_params, engine_delete_route_table_run, 0,
	       "Deletes a route table that no subnet and no gateway uses."),
	{EC2_ACTION("AssociateRouteTable"), .flags = API_WRITES,
	 .args = PARAMS(struct route_table_association, associate_table_params), .prepare = prepare_associate,
	 .operation = engine_associate_route_table_run, .answer = ec2_associate_route_table,
	 .doc = "Associates a subnet, or the incoming traffic of an internet gateway, with a route table."},
	CHANGE("DisassociateRouteTable", route_table_association, disassociate_table_params,
	       engine_disassociate_route_table_run, 0,
	       "Disassociates a subnet, which then uses the main route table, or a gateway."),
	CHANGE("ReplaceRouteTableAssociation", route_table_association, replace_association_params,
	       engine_replace_route_table_run, ec2_replace_route_table_association,
	       "Replaces the route table of a subnet or gateway, or the main route table."),
	CHANGE_ROUTE("CreateRoute", create_route_params, engine_create_route_run, "Adds a route."),
	CHANGE_ROUTE("ReplaceRoute", replace_route_params, engine_replace_route_run,
		     "Replaces the target of a route."),
	CHANGE_ROUTE("DeleteRoute", delete_route_params, engine_delete_route_run, "Deletes a route."),
};
const struct api_actions ec2_route_actions = API_ACTIONS(actions);
