/* SPDX-License-Identifier: Apache-2.0
 * Route tables and routes. They are part of their router, which the reconciler deploys again when they
 * change. */
#include "engine/network/routing/route_table.h"

#include "engine/acting.h"
#include "engine/client_token_internal.h"
#include "engine/internal.h"
#include "engine/limits.h"
#include "engine/network/ipv6.h"
#include "engine/network/port/port.h"
#include "engine/network/port/port_internal.h"
#include "engine/network/routing/peering.h"
#include "engine/network/routing/route_table_internal.h"
#include "engine/network/routing/router_internal.h"
#include "engine/network/routing/vpc_endpoint.h"
#include "engine/tag_internal.h"
#include "engine/transit/transit.h"
#include "engine/transit/transit_internal.h"
#include "model/egress_gateway.h"
#include "model/peering.h"
#include "model/transit_gateway.h"
#include "model/vpn_gateway.h"
#include "store/gateway.h"
#include "store/nat_gateway.h"
#include "store/port.h"
#include "store/route.h"
#include "store/route_table.h"
#include "store/router.h"
#include "store/subnet.h"

RESULT route_table_write(struct op *op, uuid account, uuid router, bool is_main, struct tags tags,
			 uuid *ret_table)
{
	struct route_table table = {.row.id = engine_new_id(op, KIND_ROUTE_TABLE),
				    .row.gen = 1,
				    .account = account,
				    .router = router,
				    .main_association = is_main ? uuid_random() : UUID_NONE,
				    .tags = tags};
	TRY(limit_check(op, LIMIT_ROUTE_TABLES, router, 1, STR_NONE));
	TRY(route_table_put(op, &table));
	*ret_table = table.row.id;
	return engine_log_event(op, KIND_ROUTE_TABLE, &table.row, "created", "Route table.");
}

static RESULT create_route_table(struct op *op, struct route_table_wish *wish, uuid account)
{
	const struct router *router = NULL;
	struct tags tags = {0};
	TRY(engine_find_own_router(op->ctx, op->head, &wish->router, &router));
	TRY(tag_normalize(op, wish->tags, &tags));
	TRY(engine_permit(op, "route_table.create", KIND_ROUTER, &router->row));
	TRY(route_table_write(op, router->account, router->row.id, false, tags, &wish->route_table));
	return client_token_write(op, account, wish->client_token, wish->digest, wish->route_table);
}

RESULT engine_create_route_table(struct op *op, struct route_table_wish *wish)
{
	uuid account = UUID_NONE;
	TRY(engine_find_acting_id(op, &account));
	TRY(client_token_find_made(op, account, wish->client_token, wish->digest, KIND_ROUTE_TABLE,
				   &wish->route_table));
	return uuid_is_none(wish->route_table) ? create_route_table(op, wish, account) : OK;
}

RESULT engine_delete_route_table(struct op *op, struct route_table_target *wish)
{
	const struct route_table *table = NULL;
	TRY(engine_permit_route_table(op, &wish->route_table, "route_table.delete", &table));
	const struct subnet *user = subnet_find_by_route_table(op->head, table->row.id);
	bool is_gateways = route_table_is_gateways(op->head, table->row.id);
	if (user || is_gateways || !uuid_is_none(table->main_association))
		return ENGINE_FAIL(op, ERR_IN_USE, KIND_ROUTE_TABLE, wish->route_table.field,
				   "The routeTable '%" STR_FMT "' has dependencies and cannot be deleted.",
				   STR_ARG(engine_write_id(op, KIND_ROUTE_TABLE, table->row.id)));
	TRY(vpc_endpoint_leave_table(op, table->router, table->row.id));
	TRY(engine_log_event(op, KIND_ROUTE_TABLE, &table->row, "deleted", "Route table."));
	return route_table_forget(op, table->row.id);
}

/* ---- associations ---- */

static RESULT write_association(struct op *op, const struct subnet *subnet, uuid table, uuid *ret_association)
{
	struct subnet next = *subnet;
	next.route_table = table;
	next.route_association = uuid_is_none(table) ? UUID_NONE : uuid_random();
	next.row.gen++;
	*ret_association = next.route_association;
	TRY(subnet_put(op, &next));
	return engine_log_event(op, KIND_SUBNET, &next.row, "route table changed",
				uuid_is_none(table) ? "It uses the main route table."
						    : "It uses a route table of its own.");
}

static RESULT write_gateway(struct op *op, const struct gateway *gateway, uuid table, uuid *ret_association)
{
	struct gateway next = *gateway;
	next.route_table = table;
	next.route_association = uuid_is_none(table) ? UUID_NONE : uuid_random();
	next.row.gen++;
	*ret_association = next.route_association;
	TRY(gateway_put(op, &next));
	return engine_log_event(op, KIND_GATEWAY, &next.row, "route table changed",
				uuid_is_none(table) ? "What comes in goes straight to its subnet."
						    : "What comes in goes by a route table.");
}

/* Association found by its id: of a subnet, of a gateway, or a router's main one. */
struct association {
	const struct subnet *subnet;
	const struct gateway *gateway; /* both NULL: the main association */
	const struct route_table *table;
};

/* The association's id. */
static uuid id_of(const struct association *a)
{
	return a->subnet    ? a->subnet->route_association
	       : a->gateway ? a->gateway->route_association
			    : a->table->main_association;
}

static RESULT permit_association(struct op *op, const char *permission, const struct association *a)
{
	if (a->subnet)
		TRY(engine_permit(op, permission, KIND_SUBNET, &a->subnet->row));
	return a->gateway ? engine_permit(op, permission, KIND_GATEWAY, &a->gateway->row) : OK;
}

static RESULT find_association(struct op *op, const struct ref *ref, struct association *ret_association)
{
	uuid account = engine_get_account(op->ctx);
	const struct route_table *table = route_table_first_by_account(op->head, account);
	for (; table; table = route_table_next_by_account(op->head, table))
		if (!uuid_is_none(table->main_association) &&
		    id_has_prefix(table->main_association, ref->prefix, ref->bits)) {
			*ret_association = (struct association){.table = table};
			return OK;
		}
	const struct subnet *subnet = subnet_first_by_account(op->head, account);
	for (; subnet; subnet = subnet_next_by_account(op->head, subnet))
		if (row_is_live(&subnet->row) && !uuid_is_none(subnet->route_association) &&
		    id_has_prefix(subnet->route_association, ref->prefix, ref->bits)) {
			*ret_association = (struct association){
				.subnet = subnet, .table = route_table_find(op->head, subnet->route_table)};
			return OK;
		}
	const struct gateway *gateway = gateway_first_by_account(op->head, account);
	for (; gateway; gateway = gateway_next_by_account(op->head, gateway))
		if (row_is_live(&gateway->row) && !uuid_is_none(gateway->route_association) &&
		    id_has_prefix(gateway->route_association, ref->prefix, ref->bits)) {
			*ret_association = (struct association){
				.gateway = gateway,
				.table = route_table_find(op->head, gateway->route_table)};
			return OK;
		}
	return ENGINE_FAIL(op, ERR_NOT_FOUND, KIND_NONE, ref->field,
			   "The association ID '%" STR_FMT "' does not exist", STR_ARG(ref->text));
}

/* A subnet or gateway that a table is to be associated with. */
struct association_end {
	const struct ref *ref;
	enum kind kind;
	const struct row *row;
	uuid router, table; /* table none: it has no table of its own */
	const char *network_words, *words;
};

/* OK if the two are associated already. The message for a gateway with another table is modelled on the one
 * for subnets: EC2's is not documented. */
static RESULT check_association(struct op *op, const struct route_table_association *wish,
				const struct route_table *table, const struct association_end *end)
{
	if (!uuid_equal(table->router, end->router))
		return ENGINE_FAIL(
			op, ERR_INVALID, KIND_ROUTE_TABLE, wish->route_table.field,
			"route table %" STR_FMT " and %s %" STR_FMT " belong to different networks",
			STR_ARG(wish->route_table.text), end->network_words, STR_ARG(end->ref->text));
	TRY(engine_permit(op, "route_table.associate", KIND_ROUTE_TABLE, &table->row));
	TRY(engine_permit(op, "route_table.associate", end->kind, end->row));
	if (uuid_is_none(end->table) || uuid_equal(end->table, table->row.id))
		return OK;
	return ENGINE_FAIL(op, ERR_CONFLICT, end->kind, end->ref->field,
			   "the specified association for the %s %" STR_FMT " conflicts with an existing one",
			   end->words, STR_ARG(end->ref->text));
}

static RESULT associate_gateway(struct op *op, struct route_table_association *wish,
				const struct route_table *table)
{
	const struct gateway *gateway = NULL;
	TRY(engine_find_own_gateway(op->ctx, op->head, &wish->gateway, &gateway));
	const struct association_end end = {.ref = &wish->gateway,
					    .kind = KIND_GATEWAY,
					    .row = &gateway->row,
					    .router = gateway->router,
					    .table = gateway->route_table,
					    .network_words = "network gateway",
					    .words = "gateway"};
	TRY(check_association(op, wish, table, &end));
	if (uuid_equal(gateway->route_table, table->row.id)) {
		wish->made = gateway->route_association;
		return OK;
	}
	TRY(route_check_for_gateway(op, table, wish->route_table.field));
	return write_gateway(op, gateway, table->row.id, &wish->made);
}

static RESULT associate_subnet(struct op *op, struct route_table_association *wish,
			       const struct route_table *table)
{
	const struct subnet *subnet = NULL;
	TRY(engine_find_own_subnet(op->ctx, op->head, &wish->subnet, &subnet));
	const struct association_end end = {.ref = &wish->subnet,
					    .kind = KIND_SUBNET,
					    .row = &subnet->row,
					    .router = subnet->router,
					    .table = subnet->route_table,
					    .network_words = "subnet",
					    .words = "subnet"};
	TRY(check_association(op, wish, table, &end));
	if (uuid_equal(subnet->route_table, table->row.id)) {
		wish->made = subnet->route_association;
		return OK;
	}
	return write_association(op, subnet, table->row.id, &wish->made);
}

RESULT engine_associate_route_table(struct op *op, struct route_table_association *wish)
{
	const struct route_table *table = NULL;
	TRY(engine_find_own_route_table(op->ctx, op->head, &wish->route_table, &table));
	return ref_is_given(&wish->gateway) ? associate_gateway(op, wish, table)
					    : associate_subnet(op, wish, table);
}

RESULT engine_disassociate_route_table(struct op *op, struct route_table_association *wish)
{
	struct association found = {0};
	TRY(find_association(op, &wish->association, &found));
	TRY(engine_permit(op, "route_table.disassociate", KIND_ROUTE_TABLE, &found.table->row));
	TRY(permit_association(op, "route_table.disassociate", &found));
	if (!found.subnet && !found.gateway)
		return ENGINE_FAIL(op, ERR_INVALID, KIND_ROUTE_TABLE, wish->association.field,
				   "cannot disassociate the main route table association %" STR_FMT,
				   STR_ARG(wish->association.text));
	return found.gateway ? write_gateway(op, found.gateway, UUID_NONE, &wish->made)
			     : write_association(op, found.subnet, UUID_NONE, &wish->made);
}

/* Makes another table the router's main one. The main association gets a new id, as in EC2. */
static RESULT replace_main(struct op *op, const struct route_table *old, const struct route_table *table,
			   uuid *ret_association)
{
	*ret_association = uuid_random();
	struct route_table before = *old, after = *table;
	before.main_association = UUID_NONE;
	before.row.gen++;
	TRY(route_table_put(op, &before));
	after.main_association = *ret_association;
	after.row.gen++;
	TRY(route_table_put(op, &after));
	struct router router = *router_find(op->head, table->router);
	router.main_route_table = table->row.id;
	router.row.gen++;
	TRY(router_put(op, &router));
	return engine_log_event(op, KIND_ROUTER, &router.row, "main route table changed",
				"It is %" STR_FMT " now.",
				STR_ARG(engine_write_id(op, KIND_ROUTE_TABLE, table->row.id)));
}

RESULT engine_replace_route_table(struct op *op, struct route_table_association *wish)
{
	struct association found = {0};
	const struct route_table *table = NULL;
	TRY(find_association(op, &wish->association, &found));
	TRY(engine_find_own_route_table(op->ctx, op->head, &wish->route_table, &table));
	if (!uuid_equal(found.table->router, table->router))
		return ENGINE_FAIL(op, ERR_INVALID, KIND_ROUTE_TABLE, wish->route_table.field,
				   "route table %" STR_FMT " belongs to another network",
				   STR_ARG(wish->route_table.text));
	TRY(engine_permit(op, "route_table.replace", KIND_ROUTE_TABLE, &table->row));
	TRY(permit_association(op, "route_table.replace", &found));
	if (uuid_equal(found.table->row.id, table->row.id)) { /* already associated: the id stays */
		wish->made = id_of(&found);
		return OK;
	}
	if (found.gateway) {
		TRY(route_check_for_gateway(op, table, wish->route_table.field));
		return write_gateway(op, found.gateway, table->row.id, &wish->made);
	}
	if (!found.subnet)
		return replace_main(op, found.table, table, &wish->made);
	return write_association(op, found.subnet, table->row.id, &wish->made);
}

/* ---- routes ---- */

struct route_plan {
	const struct route_table *table;
	struct cidr destination;
	uuid gateway, egress_gateway, nat_gateway, port, peering, transit_gateway, vpn_gateway;
	const struct route *present; /* route with that destination, or NULL */
};

static RESULT resolve_destination(struct op *op, const struct route_wish *wish, struct route_plan *ret_plan)
{
	TRY(engine_find_own_route_table(op->ctx, op->head, &wish->route_table, &ret_plan->table));
	ret_plan->destination = cidr_canonical(wish->destination);
	ret_plan->present = route_find_by_table(op->head, ret_plan->table->row.id, ret_plan->destination);
	return engine_permit(op, "route.change", KIND_ROUTE_TABLE, &ret_plan->table->row);
}

static RESULT find_target_port(struct op *op, const struct route_wish *wish, const struct port **ret_port)
{
	TRY(port_find_target(op, &wish->port, &wish->instance, ret_port));
	if (!uuid_is_none((*ret_port)->nat_gateway))
		return ENGINE_FAIL(op, ERR_INVALID, KIND_PORT, wish->port.field,
				   "The network interface '%" STR_FMT
				   "' is a NAT gateway's: the route's target is the NAT gateway.",
				   STR_ARG(wish->port.text));
	return OK;
}

static RESULT find_target_nat(struct op *op, const struct ref *ref, const struct nat_gateway **ret_nat)
{
	TRY(engine_find_own_nat_gateway(op->ctx, op->head, ref, ret_nat));
	return row_is_live(&(*ret_nat)->row) ? OK : engine_fail_not_found(op->ctx, KIND_NAT_GATEWAY, ref);
}

/* A pending peering is allowed: the route is a black hole until the peering is accepted. *ret_router is the
 * table's router if the peering is one of its, otherwise none. */
static RESULT find_target_peering(struct op *op, const struct ref *ref, uuid own,
				  const struct peering **ret_peering, uuid *ret_router)
{
	TRY(engine_find_peering(op->ctx, op->head, ref, ret_peering));
	if (!row_is_live(&(*ret_peering)->row))
		return engine_fail_not_found(op->ctx, KIND_PEERING, ref);
	*ret_router = uuid_is_none(engine_get_peer(*ret_peering, own)) ? UUID_NONE : own;
	return OK;
}

/* The router must be attached to the gateway. */
static RESULT find_target_transit(struct op *op, const struct ref *ref, uuid own,
				  const struct transit_gateway **ret_gateway)
{
	TRY(transit_find_gateway(op, ref, ret_gateway));
	if (engine_find_transit_attachment_of(op->head, own, (*ret_gateway)->row.id))
		return OK;
	return engine_fail_not_found(op->ctx, KIND_TRANSIT_GATEWAY, ref);
}

/* Resolves the named target, and finds its router. */
static RESULT resolve_named(struct op *op, const struct route_wish *wish, const struct ref *target,
			    struct route_plan *plan, uuid *ret_router)
{
	if (target == &wish->gateway) {
		const struct gateway *gateway = NULL;
		TRY(engine_find_own_gateway(op->ctx, op->head, target, &gateway));
		plan->gateway = gateway->row.id;
		*ret_router = gateway->router;
	} else if (target == &wish->egress_gateway) {
		const struct egress_gateway *gateway = NULL;
		TRY(engine_find_own_egress_gateway(op->ctx, op->head, target, &gateway));
		plan->egress_gateway = gateway->row.id;
		*ret_router = gateway->router;
	} else if (target == &wish->nat_gateway) {
		const struct nat_gateway *nat = NULL;
		TRY(find_target_nat(op, target, &nat));
		plan->nat_gateway = nat->row.id;
		*ret_router = nat->router;
	} else if (target == &wish->peering) {
		const struct peering *peering = NULL;
		TRY(find_target_peering(op, target, plan->table->router, &peering, ret_router));
		plan->peering = peering->row.id;
	} else if (target == &wish->transit_gateway) {
		const struct transit_gateway *gateway = NULL;
		TRY(find_target_transit(op, target, plan->table->router, &gateway));
		plan->transit_gateway = gateway->row.id;
		*ret_router = plan->table->router;
	} else if (target == &wish->vpn_gateway) {
		const struct vpn_gateway *gateway = NULL;
		TRY(engine_find_own_vpn_gateway(op->ctx, op->head, target, &gateway));
		plan->vpn_gateway = gateway->row.id;
		*ret_router = gateway->router;
	} else {
		const struct port *port = NULL;
		TRY(find_target_port(op, wish, &port));
		plan->port = port->row.id;
		*ret_router = port->router;
	}
	return OK;
}

static RESULT resolve_target(struct op *op, const struct route_wish *wish, struct route_plan *plan)
{
	const struct ref *targets[] = {
		&wish->gateway,  &wish->egress_gateway, &wish->nat_gateway,     &wish->port,
		&wish->instance, &wish->peering,        &wish->transit_gateway, &wish->vpn_gateway};
	const struct ref *target = NULL;
	size_t count = wish->to_local;
	uuid router = UUID_NONE;
	for (size_t n = 0; n < sizeof targets / sizeof *targets; n++)
		if (ref_is_given(targets[n])) {
			target = targets[n];
			count++;
		}
	if (count != 1)
		return ctx_fail_kind(
			op->ctx, count ? ERR_COMBINATION : ERR_MISSING, KIND_ROUTE,
			"The request must contain exactly one of gatewayId, natGatewayId, "
			"networkInterfaceId, vpcPeeringConnectionId, egressOnlyInternetGatewayId, "
			"transitGatewayId, localGatewayId or instanceId");
	if (!target)
		return OK; /* to_local */
	TRY(resolve_named(op, wish, target, plan, &router));
	if (target == &wish->egress_gateway && plan->destination.base.family == IP_V4)
		return ENGINE_FAIL(op, ERR_INVALID, KIND_ROUTE, target->field,
				   "An egress-only internet gateway leads IPv6 out alone.");
	if (target == &wish->nat_gateway && plan->destination.base.family == IP_V6)
		return ENGINE_FAIL(op, ERR_UNSUPPORTED, KIND_ROUTE, target->field,
				   "A NAT gateway translates IPv4 alone.");
	if (!uuid_equal(router, plan->table->router))
		return ENGINE_FAIL(op, ERR_INVALID, KIND_ROUTE, target->field,
				   "route table %" STR_FMT " and %" STR_FMT " belong to different networks",
				   STR_ARG(wish->route_table.text), STR_ARG(target->text));
	return OK;
}

static RESULT fail_exists(struct op *op, struct cidr destination)
{
	char text[CIDR_TEXT_SIZE];
	return ctx_fail_kind(op->ctx, ERR_EXISTS, KIND_ROUTE, "The route identified by %s already exists.",
			     cidr_write(destination, text));
}

static RESULT write_route(struct op *op, const struct route_plan *plan, bool is_change)
{
	struct route route = {.row.id = plan->present ? plan->present->row.id : engine_new_id(op, KIND_ROUTE),
			      .row.gen = plan->present ? plan->present->row.gen + 1 : 1,
			      .account = plan->table->account,
			      .table = plan->table->row.id,
			      .destination = plan->destination,
			      .gateway = plan->gateway,
			      .egress_gateway = plan->egress_gateway,
			      .nat_gateway = plan->nat_gateway,
			      .port = plan->port,
			      .peering = plan->peering,
			      .transit_gateway = plan->transit_gateway,
			      .vpn_gateway = plan->vpn_gateway};
	TRY(route_check(op, plan->table, &route, is_change));
	if (plan->present && !is_change)
		return fail_exists(op, plan->destination);
	TRY(limit_check(op, LIMIT_ROUTES, route.table, !plan->present, STR_NONE));
	TRY(route_put(op, &route));
	char text[CIDR_TEXT_SIZE];
	return engine_log_event(op, KIND_ROUTE_TABLE, &plan->table->row, "route changed", "Route to %s.",
				cidr_write(plan->destination, text));
}

RESULT engine_create_route(struct op *op, struct route_wish *wish)
{
	struct route_plan plan = {0};
	TRY(resolve_destination(op, wish, &plan));
	TRY(resolve_target(op, wish, &plan));
	return write_route(op, &plan, false);
}

static RESULT fail_no_route(struct op *op, const struct route_wish *wish)
{
	char text[CIDR_TEXT_SIZE];
	return ctx_fail_kind(op->ctx, ERR_NOT_FOUND, KIND_ROUTE,
			     "no route with destination-%scidr-block %s in route table %" STR_FMT,
			     wish->destination.base.family == IP_V6 ? "ipv6-" : "",
			     cidr_write(wish->destination, text), STR_ARG(wish->route_table.text));
}

static bool is_local(const struct op *op, const struct route_plan *plan)
{
	return route_find_place(op->head, plan->table->router, plan->destination) == ROUTE_LOCAL;
}

/* Removes the route that replaces the local one. */
static RESULT restore_local(struct op *op, const struct route_wish *wish, const struct route_plan *plan)
{
	char text[CIDR_TEXT_SIZE];
	if (!is_local(op, plan))
		return plan->present
			       ? ctx_fail_kind(op->ctx, ERR_INVALID, KIND_ROUTE,
					       "%s is not one of the VPC's CIDR blocks: its route has no "
					       "local target.",
					       cidr_write(plan->destination, text))
			       : fail_no_route(op, wish);
	if (!plan->present)
		return OK;
	TRY(engine_log_event(op, KIND_ROUTE_TABLE, &plan->table->row, "route changed",
			     "Route to %s is local again.", cidr_write(plan->destination, text)));
	return route_forget(op, plan->present->row.id);
}

RESULT engine_replace_route(struct op *op, struct route_wish *wish)
{
	struct route_plan plan = {0};
	TRY(resolve_destination(op, wish, &plan));
	TRY(resolve_target(op, wish, &plan));
	if (wish->to_local)
		return restore_local(op, wish, &plan);
	return plan.present || is_local(op, &plan) ? write_route(op, &plan, true) : fail_no_route(op, wish);
}

/* ---- Neutron's extra routes ---- */

struct ip engine_get_next_hop(const struct tables *t, const struct route *route)
{
	const struct nat_gateway *nat =
		uuid_is_none(route->nat_gateway) ? NULL : nat_gateway_find(t, route->nat_gateway);
	const struct port *port = port_find(t, nat ? nat->port : route->port);
	return ip_is_none(route->next_hop) && port
		       ? engine_get_port_ip(t, port, route->destination.base.family)
		       : route->next_hop;
}

/* A next hop must be in a subnet of the router, and must not be the router itself. */
static RESULT check_hop(struct op *op, const struct router *router, struct cidr to, struct ip hop)
{
	char text[IP_TEXT_SIZE];
	const struct subnet *subnet = subnet_first_by_router(op->head, router->row.id);
	bool is_on = false;
	for (; subnet && !is_on; subnet = subnet_next_by_router(op->head, subnet))
		is_on = row_is_live(&subnet->row) && cidr_contains(subnet->block, hop) &&
			!ip_equal(subnet->gateway_ip, hop);
	for (const struct port *p = router_first_interface(op->head, router->row.id); p && !is_on;
	     p = port_next_by_interface_of(op->head, p)) {
		subnet = row_is_live(&p->row) ? subnet_find(op->head, p->subnet) : NULL;
		is_on = subnet && cidr_contains(subnet->block, hop) && !ip_equal(p->ip, hop);
	}
	if (is_on && hop.family == to.base.family)
		return OK;
	if (is_on)
		return ctx_fail_kind(op->ctx, ERR_INVALID, KIND_ROUTE,
				     "Invalid format for routes: the nexthop %s is not of the "
				     "destination's IP version.",
				     ip_write(hop, text));
	return ctx_fail_kind(op->ctx, ERR_INVALID, KIND_ROUTE,
			     "Invalid format for routes: the nexthop %s is not connected with the router",
			     ip_write(hop, text));
}

bool engine_leads_over(const struct tables *t, const struct route *route, struct ip hop)
{
	for (size_t k = 0; k < route->more_hops.count; k++)
		if (ip_equal(route->more_hops.at[k], hop))
			return true;
	return ip_equal(engine_get_next_hop(t, route), hop);
}

static bool is_listed(const struct extra_routes_wish *wish, struct cidr to, struct ip hop)
{
	for (size_t k = 0; k < wish->destinations.count; k++)
		if (cidr_equal(cidr_canonical(wish->destinations.at[k]), to) &&
		    ip_equal(wish->next_hops.at[k], hop))
			return true;
	return false;
}

/* Keeps the next hops that the wish lists, or with `removes` those that it does not list. A route without
 * next hops is forgotten. */
static RESULT keep_hops(struct op *op, const struct extra_routes_wish *wish, const struct route *route,
			bool removes)
{
	struct ip kept[1 + EXTRA_ROUTES_MAX], first = engine_get_next_hop(op->head, route);
	struct route next = *route;
	size_t count = 0;
	for (size_t k = 0; k <= route->more_hops.count; k++) {
		struct ip hop = k ? route->more_hops.at[k - 1] : first;
		if (is_listed(wish, route->destination, hop) != removes)
			kept[count++] = hop;
	}
	if (count == 0)
		return route_forget(op, route->row.id);
	if (count == 1 + route->more_hops.count)
		return OK;
	next.next_hop = kept[0];
	next.more_hops = (struct ips){kept + 1, count - 1};
	next.row.gen++;
	return route_put(op, &next);
}

/* EXTRA_ROUTES_SET: removes next hops that are not listed. EXTRA_ROUTES_REMOVE: removes those that are. */
static RESULT forget_extra(struct op *op, const struct extra_routes_wish *wish, uuid table)
{
	bool removes = wish->change == EXTRA_ROUTES_REMOVE;
	const struct route *route = route_first_by_table(op->head, table), *next = NULL;
	for (; route; route = next) {
		next = route_next_by_table(op->head, route);
		if (uuid_is_none(route->gateway) && uuid_is_none(route->egress_gateway) &&
		    uuid_is_none(route->peering) && uuid_is_none(route->transit_gateway) &&
		    uuid_is_none(route->vpn_gateway))
			TRY(keep_hops(op, wish, route, removes));
	}
	return OK;
}

static RESULT add_hop(struct op *op, const struct route *present, struct ip hop)
{
	struct ip hops[EXTRA_ROUTES_MAX];
	char text[CIDR_TEXT_SIZE];
	struct route next = *present;
	if (engine_leads_over(op->head, present, hop))
		return OK;
	if (ip_is_none(present->next_hop))
		return ctx_fail_kind(op->ctx, ERR_EXISTS, KIND_ROUTE, "There is a route to %s already.",
				     cidr_write(present->destination, text));
	if (present->more_hops.count >= EXTRA_ROUTES_MAX)
		return ctx_fail_kind(op->ctx, ERR_QUOTA, KIND_ROUTE, "A router has up to %d extra routes.",
				     EXTRA_ROUTES_MAX);
	for (size_t k = 0; k < present->more_hops.count; k++)
		hops[k] = present->more_hops.at[k];
	hops[present->more_hops.count] = hop;
	next.more_hops = (struct ips){hops, present->more_hops.count + 1};
	next.row.gen++;
	return route_put(op, &next);
}

static RESULT add_extra(struct op *op, const struct router *router, struct cidr to, struct ip hop)
{
	const struct route *present = route_find_by_table(op->head, router->main_route_table, to);
	TRY(check_hop(op, router, to, hop));
	if (present)
		return add_hop(op, present, hop);
	struct route route = {.row.id = engine_new_id(op, KIND_ROUTE),
			      .row.gen = 1,
			      .account = router->account,
			      .table = router->main_route_table,
			      .destination = to,
			      .next_hop = hop};
	TRY(limit_check(op, LIMIT_ROUTES, route.table, 1, STR_NONE));
	return route_put(op, &route);
}

RESULT engine_set_extra_routes(struct op *op, struct extra_routes_wish *wish)
{
	const struct router *router = NULL;
	TRY(engine_permit_router(op, &wish->router, "route.change", &router));
	if (wish->change != EXTRA_ROUTES_REMOVE &&
	    route_table_is_gateways(op->head, router->main_route_table))
		return ctx_fail_kind(
			op->ctx, ERR_INVALID, KIND_ROUTE,
			"The router's main route table is its gateway's: its routes are changed in "
			"EC2 alone.");
	if (wish->destinations.count > EXTRA_ROUTES_MAX)
		return ctx_fail_kind(op->ctx, ERR_QUOTA, KIND_ROUTE, "A router has up to %d extra routes.",
				     EXTRA_ROUTES_MAX);
	if (wish->change != EXTRA_ROUTES_ADD)
		TRY(forget_extra(op, wish, router->main_route_table));
	for (size_t k = 0; k < wish->destinations.count && wish->change != EXTRA_ROUTES_REMOVE; k++)
		TRY(add_extra(op, router, cidr_canonical(wish->destinations.at[k]), wish->next_hops.at[k]));
	return engine_log_event(op, KIND_ROUTER, &router->row, "routes changed", "%zu extra routes.",
				wish->destinations.count);
}

RESULT engine_delete_route(struct op *op, struct route_wish *wish)
{
	struct route_plan plan = {0};
	char text[CIDR_TEXT_SIZE];
	TRY(resolve_destination(op, wish, &plan));
	if (is_local(op, &plan))
		return ctx_fail_kind(op->ctx, ERR_INVALID, KIND_ROUTE,
				     "cannot remove local route %s in route table %" STR_FMT,
				     cidr_write(plan.destination, text), STR_ARG(wish->route_table.text));
	if (!plan.present)
		return fail_no_route(op, wish);
	TRY(engine_log_event(op, KIND_ROUTE_TABLE, &plan.table->row, "route deleted", "Route to %s.",
			     cidr_write(plan.destination, text)));
	return route_forget(op, plan.present->row.id);
}

const struct port *engine_find_hop_port(const struct tables *t, const struct route *route)
{
	const struct nat_gateway *nat =
		uuid_is_none(route->nat_gateway) ? NULL : nat_gateway_find(t, route->nat_gateway);
	uuid port = nat && row_is_live(&nat->row) ? nat->port : route->port;
	return uuid_is_none(port) ? NULL : port_find(t, port);
}
