/* SPDX-License-Identifier: Apache-2.0
 * Route tables, their routes, and their associations with subnets and gateways. The local route of a VPC is
 * shown in each of its tables; it has a row only where it has another target. */
#include "api/ec2/core/list.h"
#include "api/ec2/core/write.h"
#include "engine/network/port/port.h"
#include "engine/network/routing/route_table.h"
#include "engine/network/routing/router.h"
#include "engine/transit/transit.h"
#include "model/route_table.h"
#include "store/egress_gateway.h"
#include "store/gateway.h"
#include "store/nat_gateway.h"
#include "store/peering.h"
#include "store/port.h"
#include "store/route.h"
#include "store/router.h"
#include "store/subnet.h"

/* ---- items ---- */

struct route_item {
	const struct route *route;
	const struct port *port; /* next hop, or NULL */
	bool is_active;
	bool is_local; /* it replaces a local route */
};

struct table_item {
	const struct route_table *table;
	struct cidrs local, local_ipv6; /* blocks of the VPC itself */
	VEC(const struct subnet *) subnets;
	VEC(const struct gateway *) gateways;
	VEC(struct route_item) routes;
};

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
	if (!uuid_is_none(route->egress_gateway))
		return egress_gateway_find(t, route->egress_gateway) != NULL;
	const struct gateway *gateway = gateway_find(t, route->gateway);
	return gateway && row_is_live(&gateway->row) && uuid_equal(gateway->router, table->router);
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

static const void *gather_table(struct ec2_call *e, const struct row *row)
{
	const struct tables *t = ec2_tables(e);
	struct table_item *item = arena_new_object(e->c->arena, struct table_item);
	if (!item)
		return 0;
	item->table = route_table_of(row);
	const struct router *router = router_find(t, item->table->router);
	if (router) {
		item->local = engine_get_blocks(t, e->c->arena, router);
		item->local_ipv6 = router->ipv6_blocks;
	}
	for (const struct subnet *s = subnet_first_by_route_table(t, row->id); s;
	     s = subnet_next_by_route_table(t, s))
		if (row_is_live(&s->row) && !VEC_PUSH(e->c->arena, &item->subnets, s))
			return 0;
	for (const struct gateway *g = gateway_first_by_route_table(t, row->id); g;
	     g = gateway_next_by_route_table(t, g))
		if (row_is_live(&g->row) && !VEC_PUSH(e->c->arena, &item->gateways, g))
			return 0;
	for (const struct route *r = route_first_by_table(t, row->id); r; r = route_next_by_table(t, r)) {
		const struct route_item route = {r, find_hop(t, item->table, r), is_active(t, item->table, r),
						 is_local_replaced(t, item->table, r)};
		if (row_is_live(&r->row) && !VEC_PUSH(e->c->arena, &item->routes, route))
			return 0;
	}
	return item;
}

/* ---- writing ---- */

static void write_association_state(struct xml *x)
{
	xml_open(x, "associationState");
	xml_z(x, "state", "associated");
	xml_close(x, "associationState");
}

/* kind: of the associated resource; KIND_NONE: the main association. */
static void write_association(struct xml *x, const struct table_item *i, uuid association, enum kind kind,
			      uuid user)
{
	xml_open(x, "item");
	ec2_write_prefixed(x, "routeTableAssociationId", "rtbassoc", association);
	ec2_write_id(x, "routeTableId", KIND_ROUTE_TABLE, i->table->row.id);
	if (kind != KIND_NONE)
		ec2_write_id(x, kind == KIND_GATEWAY ? "gatewayId" : "subnetId", kind, user);
	xml_bool(x, "main", kind == KIND_NONE);
	write_association_state(x);
	xml_close(x, "item");
}

static void write_associations(struct xml *x, const struct table_item *i)
{
	xml_open(x, "associationSet");
	if (!uuid_is_none(i->table->main_association))
		write_association(x, i, i->table->main_association, KIND_NONE, UUID_NONE);
	for (size_t k = 0; k < i->subnets.count; k++)
		write_association(x, i, i->subnets.at[k]->route_association, KIND_SUBNET,
				  i->subnets.at[k]->row.id);
	for (size_t k = 0; k < i->gateways.count; k++)
		write_association(x, i, i->gateways.at[k]->route_association, KIND_GATEWAY,
				  i->gateways.at[k]->row.id);
	xml_close(x, "associationSet");
}

static void write_destination(struct xml *x, struct cidr block)
{
	ec2_write_cidr(x, block.base.family == IP_V6 ? "destinationIpv6CidrBlock" : "destinationCidrBlock",
		       block);
}

static bool is_replaced(const struct table_item *i, struct cidr block)
{
	for (size_t k = 0; k < i->routes.count; k++)
		if (i->routes.at[k].is_local &&
		    cidr_equal(i->routes.at[k].route->destination, cidr_canonical(block)))
			return true;
	return false;
}

static void write_local_routes(struct xml *x, const struct table_item *i, struct cidrs blocks)
{
	for (size_t k = 0; k < blocks.count; k++) {
		if (is_replaced(i, blocks.at[k]))
			continue;
		xml_open(x, "item");
		write_destination(x, blocks.at[k]);
		xml_z(x, "gatewayId", "local");
		xml_z(x, "state", "active");
		xml_z(x, "origin", "CreateRouteTable");
		xml_close(x, "item");
	}
}

static void write_route(struct ec2_call *e, struct xml *x, const struct route_item *r)
{
	xml_open(x, "item");
	write_destination(x, r->route->destination);
	ec2_write_id(x, "gatewayId", KIND_GATEWAY, r->route->gateway);
	ec2_write_id(x, "egressOnlyInternetGatewayId", KIND_EGRESS_GATEWAY, r->route->egress_gateway);
	ec2_write_id(x, "natGatewayId", KIND_NAT_GATEWAY, r->route->nat_gateway);
	ec2_write_id(x, "vpcPeeringConnectionId", KIND_PEERING, r->route->peering);
	ec2_write_id(x, "transitGatewayId", KIND_TRANSIT_GATEWAY, r->route->transit_gateway);
	ec2_write_id(x, "networkInterfaceId", KIND_PORT,
		     ip_is_none(r->route->next_hop) || !r->port ? r->route->port : r->port->row.id);
	if (r->port && !uuid_is_none(r->port->instance)) {
		ec2_write_id(x, "instanceId", KIND_INSTANCE, r->port->instance);
		xml_text(x, "instanceOwnerId", e->owner);
	}
	xml_z(x, "state", r->is_active ? "active" : "blackhole");
	xml_z(x, "origin", r->is_local ? "CreateRouteTable" : "CreateRoute");
	xml_close(x, "item");
}

static void write_table(struct ec2_call *e, struct xml *x, const void *item)
{
	const struct table_item *i = item;
	ec2_write_id(x, "routeTableId", KIND_ROUTE_TABLE, i->table->row.id);
	ec2_write_id(x, "vpcId", KIND_ROUTER, i->table->router);
	xml_text(x, "ownerId", e->owner);
	xml_open(x, "routeSet");
	write_local_routes(x, i, i->local);
	write_local_routes(x, i, i->local_ipv6);
	for (size_t k = 0; k < i->routes.count; k++)
		write_route(e, x, &i->routes.at[k]);
	xml_close(x, "routeSet");
	write_associations(x, i);
	xml_empty(x, "propagatingVgwSet");
	ec2_write_tags(x, i->table->tags);
}

/* ---- describe ---- */

struct ec2_describe_tables {
	struct ec2_query query;
};
static const struct param describe_tables_params[] = {
	QUERY_IDS(struct ec2_describe_tables, "RouteTableId", KIND_ROUTE_TABLE, "Tables by id."),
	QUERY_FILTERS(struct ec2_describe_tables),
	QUERY_PAGES(struct ec2_describe_tables, 5, 100),
};

static bool is_main(const struct row *row)
{
	return !uuid_is_none(route_table_of(row)->main_association);
}

static bool fits_main(const struct filter_run *f, const struct row *row)
{
	return (is_main(row) && filter_bool(f, true)) ||
	       ((subnet_first_by_route_table(f->t, row->id) || gateway_first_by_route_table(f->t, row->id)) &&
		filter_bool(f, false));
}

static bool fits_association(const struct filter_run *f, const struct row *row)
{
	struct str name = str_from(f->filter->name);
	if (str_ends_with(name, STR("route-table-id")))
		return filter_id(f, KIND_ROUTE_TABLE, row->id);
	bool by_subnet = str_ends_with(name, STR("subnet-id")),
	     by_gateway = str_ends_with(name, STR("gateway-id"));
	if (!by_subnet && !by_gateway &&
	    filter_prefixed(f, "rtbassoc", route_table_of(row)->main_association))
		return true;
	for (const struct gateway *g = gateway_first_by_route_table(f->t, row->id); g && !by_subnet;
	     g = gateway_next_by_route_table(f->t, g))
		if (row_is_live(&g->row) &&
		    (by_gateway ? filter_id(f, KIND_GATEWAY, g->row.id)
				: filter_prefixed(f, "rtbassoc", g->route_association)))
			return true;
	for (const struct subnet *s = subnet_first_by_route_table(f->t, row->id); s && !by_gateway;
	     s = subnet_next_by_route_table(f->t, s))
		if (row_is_live(&s->row) &&
		    (by_subnet ? filter_id(f, KIND_SUBNET, s->row.id)
			       : filter_prefixed(f, "rtbassoc", s->route_association)))
			return true;
	return false;
}

/* Compares blocks of the family in the filter's name. */
static bool fits_destination(const struct filter_run *f, struct cidr block)
{
	char text[CIDR_TEXT_SIZE];
	bool wants_ipv6 = str_is(str_from(f->filter->name), "route.destination-ipv6-cidr-block");
	return wants_ipv6 == (block.base.family == IP_V6) && filter_z(f, cidr_write(block, text));
}

static bool fits_one_route(const struct filter_run *f, const struct route_table *table,
			   const struct route *route)
{
	struct str name = str_from(f->filter->name);
	if (str_ends_with(name, STR("cidr-block")))
		return fits_destination(f, route->destination);
	if (str_is(name, "route.gateway-id"))
		return filter_id(f, KIND_GATEWAY, route->gateway);
	if (str_is(name, "route.egress-only-internet-gateway-id"))
		return filter_id(f, KIND_EGRESS_GATEWAY, route->egress_gateway);
	if (str_is(name, "route.nat-gateway-id"))
		return filter_id(f, KIND_NAT_GATEWAY, route->nat_gateway);
	if (str_is(name, "route.vpc-peering-connection-id"))
		return filter_id(f, KIND_PEERING, route->peering);
	if (str_is(name, "route.transit-gateway-id"))
		return filter_id(f, KIND_TRANSIT_GATEWAY, route->transit_gateway);
	if (str_is(name, "route.origin"))
		return filter_z(f,
				is_local_replaced(f->t, table, route) ? "CreateRouteTable" : "CreateRoute");
	if (str_is(name, "route.state"))
		return filter_z(f, is_active(f->t, table, route) ? "active" : "blackhole");
	const struct port *port = find_hop(f->t, table, route);
	return port && filter_id(f, KIND_INSTANCE, port->instance);
}

/* Compares attributes of the local route for one block. */
static bool fits_local_route(const struct filter_run *f, struct cidr block)
{
	struct str name = str_from(f->filter->name);
	if (str_is(name, "route.gateway-id"))
		return filter_z(f, "local");
	if (str_is(name, "route.origin"))
		return filter_z(f, "CreateRouteTable");
	if (str_is(name, "route.state"))
		return filter_z(f, "active");
	return str_ends_with(name, STR("cidr-block")) && fits_destination(f, block);
}

/* Compares the local routes that no other route replaces. */
static bool fits_local_routes(const struct filter_run *f, const struct route_table *table)
{
	const struct router *router = router_find(f->t, table->router);
	struct cidrs blocks[2] = {{0}, {0}};
	if (router) {
		blocks[0] = engine_get_blocks(f->t, f->e->c->arena, router);
		blocks[1] = router->ipv6_blocks;
	}
	for (size_t n = 0; n < 2; n++)
		for (size_t k = 0; k < blocks[n].count; k++) {
			struct cidr block = cidr_canonical(blocks[n].at[k]);
			const struct route *route = route_find_by_table(f->t, table->row.id, block);
			if (!(route && is_local_replaced(f->t, table, route)) && fits_local_route(f, block))
				return true;
		}
	return false;
}

static bool fits_route(const struct filter_run *f, const struct row *row)
{
	const struct route_table *table = route_table_of(row);
	if (fits_local_routes(f, table))
		return true;
	for (const struct route *r = route_first_by_table(f->t, row->id); r; r = route_next_by_table(f->t, r))
		if (row_is_live(&r->row) && fits_one_route(f, table, r))
			return true;
	return false;
}

static const struct filter table_filters[] = {
	{"route-table-id", .is_id = true},
	{"vpc-id", .field = "router", .index = ROUTE_TABLE_INDEX_ROUTER},
	{"owner-id", .get = filter_owner},
	{"association.main", .get = fits_main},
	{"association.subnet-id", .get = fits_association,
	 .access_paths = {{KIND_SUBNET, .joins = {JOIN_ONE(KIND_ROUTE_TABLE, subnet, route_table)}}}},
	{"association.gateway-id", .get = fits_association,
	 .access_paths = {{KIND_GATEWAY, .joins = {JOIN_ONE(KIND_ROUTE_TABLE, gateway, route_table)}}}},
	{"association.route-table-id", .get = fits_association, .access_paths = {{KIND_ROUTE_TABLE}}},
	{"association.route-table-association-id", .get = fits_association},
	{"route.destination-cidr-block", .get = fits_route},
	{"route.gateway-id", .get = fits_route,
	 .access_paths = {{KIND_ROUTE, ROUTE_INDEX_GATEWAY,
			   .joins = {JOIN_ONE(KIND_ROUTE_TABLE, route, table)}}}},
	{"route.instance-id", .get = fits_route,
	 .access_paths = {{KIND_INSTANCE, .joins = {JOIN_EACH(KIND_PORT, PORT_INDEX_INSTANCE),
						    JOIN_EACH(KIND_ROUTE, ROUTE_INDEX_PORT),
						    JOIN_ONE(KIND_ROUTE_TABLE, route, table)}}}},
	{"route.nat-gateway-id", .get = fits_route,
	 .access_paths = {{KIND_ROUTE, ROUTE_INDEX_NAT_GATEWAY,
			   .joins = {JOIN_ONE(KIND_ROUTE_TABLE, route, table)}}}},
	{"route.destination-ipv6-cidr-block", .get = fits_route},
	{"route.destination-prefix-list-id", .get = filter_nothing},
	{"route.egress-only-internet-gateway-id", .get = fits_route,
	 .access_paths = {{KIND_ROUTE, ROUTE_INDEX_EGRESS_GATEWAY,
			   .joins = {JOIN_ONE(KIND_ROUTE_TABLE, route, table)}}}},
	{"route.transit-gateway-id", .get = fits_route,
	 .access_paths = {{KIND_ROUTE, ROUTE_INDEX_TRANSIT_GATEWAY,
			   .joins = {JOIN_ONE(KIND_ROUTE_TABLE, route, table)}}}},
	{"route.vpc-peering-connection-id", .get = fits_route,
	 .access_paths = {{KIND_ROUTE, ROUTE_INDEX_PEERING,
			   .joins = {JOIN_ONE(KIND_ROUTE_TABLE, route, table)}}}},
	{"route.origin", .get = fits_route},
	{"route.state", .get = fits_route},
};

static const struct ec2_listing table_listing = {.kind = KIND_ROUTE_TABLE,
						 .set = "routeTableSet",
						 .filters = FILTERS(table_filters),
						 .gather = gather_table,
						 .write = write_table};

/* ---- tables ---- */

struct ec2_create_table {
	struct route_table_wish wish;
	struct ec2_tag_specs tag_specs;
};
static const struct param create_table_params[] = {
	PARAM(struct ec2_create_table, "VpcId", wish.router, .flags = REQUIRED, .kind = KIND_ROUTER,
	      .doc = "The VPC."),
	PARAM(struct ec2_create_table, "ClientToken", wish.client_token, .max = 64,
	      .doc = "Same token, same answer."),
	TAG_SPECIFICATIONS(struct ec2_create_table, tag_specs),
};

static RESULT prepare_create(struct ec2_call *e, void *args)
{
	static const char *const not_in_digest[] = {"ClientToken", "DryRun", 0};
	struct ec2_create_table *a = args;
	a->wish.digest = pairs_digest(e->c, &e->pairs, not_in_digest);
	return ec2_take_tags(e, &a->tag_specs, "route-table", "route-table", &a->wish.tags);
}

static RESULT ec2_create_route_table(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct ec2_create_table *a = args;
	return ec2_write_returned(e, &table_listing, a->wish.route_table, "routeTable", x);
}

static const struct param delete_table_params[] = {
	PARAM(struct route_table_target, "RouteTableId", route_table, .flags = REQUIRED,
	      .kind = KIND_ROUTE_TABLE, .doc = "The table."),
};

/* ---- associations ---- */

#define P(wire, member, ...) PARAM(struct route_table_association, wire, member, __VA_ARGS__)
#define TABLE P("RouteTableId", route_table, .flags = REQUIRED, .kind = KIND_ROUTE_TABLE, .doc = "The table.")
#define ASSOCIATION                                                                                          \
	P("AssociationId", association, .flags = REQUIRED, .prefix = "rtbassoc", .doc = "The association.")
static const struct param associate_table_params[] = {
	TABLE,
	P("SubnetId", subnet, .kind = KIND_SUBNET, .doc = "The subnet that is to use it."),
	P("GatewayId", gateway, .flags = BY_NAME, .kind = KIND_GATEWAY,
	  .doc = "Or the internet gateway whose incoming traffic it is to lead."),
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
	write_association_state(x);
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
	struct cidr ipv6;
};
#define P(wire, member, ...) PARAM(struct ec2_route, wire, member, __VA_ARGS__)
#define PLACE                                                                                                \
	P("RouteTableId", wish.route_table, .flags = REQUIRED, .kind = KIND_ROUTE_TABLE,                     \
	  .doc = "The table."),                                                                              \
		P("DestinationCidrBlock", wish.destination, .doc = "Where to, in IPv4, or"),                 \
		P("DestinationIpv6CidrBlock", ipv6, .flags = IPV6, .doc = "in IPv6."),                       \
		NOT_BUILT("DestinationPrefixListId")
#define TARGET                                                                                               \
	P("GatewayId", wish.gateway, .kind = KIND_GATEWAY, .doc = "Through this internet gateway."),         \
		P("NatGatewayId", wish.nat_gateway, .kind = KIND_NAT_GATEWAY,                                \
		  .doc = "Or this NAT gateway."),                                                            \
		P("NetworkInterfaceId", wish.port, .kind = KIND_PORT, .doc = "Or this interface."),          \
		P("InstanceId", wish.instance, .kind = KIND_INSTANCE,                                        \
		  .doc = "Or this instance's interface."),                                                   \
		P("EgressOnlyInternetGatewayId", wish.egress_gateway, .kind = KIND_EGRESS_GATEWAY,           \
		  .doc = "Or, in IPv6, this egress-only gateway."),                                          \
		NOT_BUILT("VpcEndpointId"),                                                                  \
		P("TransitGatewayId", wish.transit_gateway, .kind = KIND_TRANSIT_GATEWAY,                    \
		  .doc = "Or a transit gateway that the VPC is attached to."),                               \
		NOT_BUILT("LocalGatewayId"), NOT_BUILT("CarrierGatewayId"),                                  \
		P("VpcPeeringConnectionId", wish.peering, .kind = KIND_PEERING, .doc = "Or the peer VPC."),  \
		NOT_BUILT("CoreNetworkArn"), NOT_BUILT("OdbNetworkArn")
static const struct param create_route_params[] = {PLACE, TARGET};
static const struct param replace_route_params[] = {
	PLACE, TARGET,
	P("LocalTarget", wish.to_local, .doc = "Or the local target again, of a local route.")};
static const struct param delete_route_params[] = {PLACE};
#undef P

/* Takes either of the two destinations. */
static RESULT prepare_route(struct ec2_call *e, void *args)
{
	struct ec2_route *a = args;
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
	 .doc = "Route tables of the account, with routes and associations."},
	{EC2_ACTION("CreateRouteTable"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_create_table, create_table_params), .prepare = prepare_create,
	 .operation = engine_create_route_table_run, .returns = KIND_ROUTE_TABLE,
	 .answer = ec2_create_route_table, .doc = "Makes a route table with the local route only."},
	CHANGE("DeleteRouteTable", route_table_target, delete_table_params, engine_delete_route_table_run, 0,
	       "Deletes a route table that no subnet and no gateway uses."),
	{EC2_ACTION("AssociateRouteTable"), .flags = API_WRITES,
	 .args = PARAMS(struct route_table_association, associate_table_params), .prepare = prepare_associate,
	 .operation = engine_associate_route_table_run, .answer = ec2_associate_route_table,
	 .doc = "Lets a subnet, or what comes in by an internet gateway, use a table."},
	CHANGE("DisassociateRouteTable", route_table_association, disassociate_table_params,
	       engine_disassociate_route_table_run, 0,
	       "Lets the subnet use the main table again, or the gateway none."),
	CHANGE("ReplaceRouteTableAssociation", route_table_association, replace_association_params,
	       engine_replace_route_table_run, ec2_replace_route_table_association,
	       "Another table for a subnet or a gateway, or another main one."),
	CHANGE_ROUTE("CreateRoute", create_route_params, engine_create_route_run, "Adds a route."),
	CHANGE_ROUTE("ReplaceRoute", replace_route_params, engine_replace_route_run,
		     "Leads a route elsewhere."),
	CHANGE_ROUTE("DeleteRoute", delete_route_params, engine_delete_route_run, "Removes a route."),
};
const struct api_actions ec2_route_actions = API_ACTIONS(actions);
