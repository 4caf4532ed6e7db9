/* SPDX-License-Identifier: Apache-2.0
 * Interfaces of routers. Ports and instances hold a copy of their subnet's router for look-up, which changes
 * together with the subnet. The reconciler deploys the router (reconcile/network/router.c) and each port
 * (reconcile/network/port.c) again. */
#include "engine/network/routing/router_interface.h"

#include "engine/balancing/load_balancer_internal.h"
#include "engine/internal.h"
#include "engine/limits.h"
#include "engine/network/address/port_forwarding_internal.h"
#include "engine/network/external_network_internal.h"
#include "engine/network/filter/security_group_association.h"
#include "engine/network/ipv6_internal.h"
#include "engine/network/port/port.h"
#include "engine/network/port/port_internal.h"
#include "engine/network/port/trunk_internal.h"
#include "engine/network/routing/gateway.h"
#include "engine/network/routing/route_table.h"
#include "engine/network/routing/router.h"
#include "engine/network/routing/router_internal.h"
#include "engine/network/subnet_internal.h"
#include "engine/vpn/vpn_internal.h"
#include "model/states.h"
#include "store/address.h"
#include "store/gateway.h"
#include "store/instance.h"
#include "store/nat_gateway.h"
#include "store/port.h"
#include "store/port_prefix.h"
#include "store/route.h"
#include "store/route_table.h"
#include "store/router.h"
#include "store/secondary_ip.h"
#include "store/security_group.h"
#include "store/subnet.h"

const struct port *router_first_interface(const struct tables *t, uuid router)
{
	return port_find_by_interface_of(t, router);
}

bool router_has_interface_in(const struct tables *t, uuid router, uuid subnet)
{
	const struct subnet *holder = subnet_find(t, subnet);
	const struct port *port = router_first_interface(t, router);
	if (holder && uuid_equal(holder->router, router))
		return true;
	while (port && !(row_is_live(&port->row) && uuid_equal(port->subnet, subnet)))
		port = port_next_by_interface_of(t, port);
	return port != NULL;
}

uuid engine_get_gateway_port(const struct tables *t, const struct subnet *subnet)
{
	const struct port *port = port_find_by_subnet(t, subnet->row.id, subnet->gateway_ip);
	return port && row_is_live(&port->row) ? port->row.id : uuid_v5(subnet->row.id, STR("gateway port"));
}

RESULT router_touch(struct op *op, uuid id)
{
	const struct router *router = router_find(op->head, id);
	if (!router || !row_is_live(&router->row))
		return OK;
	struct router next = *router;
	next.row.gen++;
	return router_put(op, &next);
}

uuid engine_get_outer_port(const struct gateway *gateway)
{
	return uuid_v5(gateway->row.id, STR("gateway port"));
}

uuid engine_get_floating_port(const struct address *address)
{
	return uuid_v5(address->row.id, STR("floating port"));
}

/* ---- copies of the subnet's router ---- */

static RESULT move_instance(struct op *op, const struct port *port, uuid router)
{
	const struct instance *instance = instance_find(op->head, port->instance);
	if (!instance || port->device_index != 0 || !uuid_equal(instance->subnet, port->subnet))
		return OK;
	struct instance next = *instance;
	next.router = router;
	return instance_put(op, &next);
}

static RESULT move_ports(struct op *op, uuid subnet, uuid router)
{
	const struct port *port = port_first_by_subnet(op->head, subnet), *next_port = NULL;
	for (; port; port = next_port) {
		next_port = port_next_by_subnet(op->head, port);
		struct port next = *port;
		next.router = router;
		next.row.gen++;
		TRY(port_put(op, &next));
		TRY(move_instance(op, &next, router));
	}
	const struct secondary_ip *s = secondary_ip_first_by_subnet(op->head, subnet), *next_ip = NULL;
	for (; s; s = next_ip) {
		next_ip = secondary_ip_next_by_subnet(op->head, s);
		struct secondary_ip next = *s;
		const struct port *of = port_find(op->head, s->port);
		next.router = router;
		TRY(secondary_ip_put(op, &next));
		if (!of || uuid_equal(of->subnet, subnet))
			continue;
		struct port touched = *of; /* the port may be reachable from outside, or no longer */
		touched.row.gen++;
		TRY(port_put(op, &touched));
	}
	const struct port_prefix *p = port_prefix_first_by_subnet(op->head, subnet), *next_prefix = NULL;
	for (; p; p = next_prefix) {
		next_prefix = port_prefix_next_by_subnet(op->head, p);
		struct port_prefix next = *p;
		next.router = router;
		TRY(port_prefix_put(op, &next));
	}
	return OK;
}

/* router NULL: the subnet leaves its router. */
static RESULT write_holder(struct op *op, const struct subnet *subnet, const struct router *router,
			   struct mac gateway_mac)
{
	struct subnet next = *subnet;
	if (router)
		TRY(limit_check(op, LIMIT_ROUTER_SUBNETS, router->row.id, 1, STR_NONE));
	next.router = router ? router->row.id : UUID_NONE;
	bool has_acl = router && subnet->block.base.family == IP_V4; /* ipv6_settle_lists() decides for IPv6
							       * subnets */
	next.acl = has_acl ? router->default_acl : UUID_NONE;
	next.acl_association = has_acl ? uuid_random() : UUID_NONE;
	next.route_table = next.route_association = UUID_NONE;
	next.gateway_mac = gateway_mac;
	next.row.gen++;
	TRY(subnet_put(op, &next));
	if (router && subnet->block.base.family == IP_V6)
		TRY(ipv6_let_through(op, router));
	TRY(ipv6_settle_lists(op, next.network));
	return move_ports(op, subnet->row.id, next.router);
}

/* ---- adding ---- */

static RESULT check_apart(struct op *op, const struct router *router, const struct subnet *subnet)
{
	const struct subnet *other = subnet_first_by_router(op->head, router->row.id);
	const struct port *port = router_first_interface(op->head, router->row.id);
	bool overlaps = false, is_in = false;
	for (; other; other = subnet_next_by_router(op->head, other)) {
		overlaps =
			overlaps || (row_is_live(&other->row) && cidr_overlaps(other->block, subnet->block));
		is_in = is_in || other == subnet;
	}
	for (; port; port = port_next_by_interface_of(op->head, port)) {
		const struct subnet *in =
			row_is_live(&port->row) ? subnet_find(op->head, port->subnet) : NULL;
		overlaps = overlaps || (in && cidr_overlaps(in->block, subnet->block));
		is_in = is_in || in == subnet;
	}
	char text[CIDR_TEXT_SIZE];
	if (is_in)
		return ctx_fail_kind(op->ctx, ERR_EXISTS, KIND_ROUTER,
				     "Router already has a port on subnet %" STR_FMT,
				     STR_ARG(uuid_to_str(op->ctx->arena, subnet->row.id)));
	if (overlaps)
		return ctx_fail_kind(
			op->ctx, ERR_CONFLICT, KIND_SUBNET,
			"The subnet's block %s overlaps with that of another subnet of the router",
			cidr_write(subnet->block, text));
	return OK;
}

static RESULT fail_taken(struct op *op, struct ip ip)
{
	char text[IP_TEXT_SIZE];
	return ctx_fail_kind(op->ctx, ERR_IN_USE, KIND_PORT, "The address %s is in use.", ip_write(ip, text));
}

static RESULT add_by_subnet(struct op *op, struct router_interface_wish *wish, const struct router *router)
{
	const struct subnet *subnet = NULL;
	TRY(engine_find_own_subnet(op->ctx, op->head, &wish->subnet, &subnet));
	TRY(external_network_check_none(op, subnet->network, wish->subnet.field));
	TRY(check_apart(op, router, subnet));
	if (ip_is_none(subnet->gateway_ip))
		return ENGINE_FAIL(op, ERR_INVALID, KIND_SUBNET, wish->subnet.field,
				   "Subnet %" STR_FMT " must have a gateway IP", STR_ARG(wish->subnet.text));
	if (!uuid_is_none(subnet->router) || port_subnet_has_ip(op->head, subnet->row.id, subnet->gateway_ip))
		return fail_taken(op, subnet->gateway_ip);
	TRY(engine_permit(op, "router.interface", KIND_SUBNET, &subnet->row));
	TRY(write_holder(op, subnet, router, subnet->gateway_mac));
	wish->in_subnet = subnet->row.id;
	wish->in_network = subnet->network;
	wish->interface = engine_get_gateway_port(op->head, subnet);
	return OK;
}

/* Removes SLAAC addresses from a port that becomes a router's: routers do not use SLAAC. */
static RESULT drop_auto_ips(struct op *op, uuid port)
{
	const struct secondary_ip *s = engine_first_secondary_ip(op->head, port), *next = NULL;
	for (; s; s = next) {
		next = engine_next_secondary_ip(op->head, s);
		if (ipv6_subnet_is_auto(subnet_find(op->head, s->subnet)))
			TRY(secondary_ip_delete(op, s->row.id));
	}
	return OK;
}

static RESULT add_by_port(struct op *op, struct router_interface_wish *wish, const struct router *router)
{
	const struct port *port = NULL;
	TRY(engine_find_own_port(op->ctx, op->head, &wish->port, &port));
	const struct subnet *subnet = subnet_find(op->head, port->subnet);
	if (!subnet)
		return ENGINE_FAIL(op, ERR_INVALID, KIND_PORT, wish->port.field,
				   "Router port must have at least one fixed IP");
	TRY(external_network_check_none(op, subnet->network, wish->port.field));
	if (!uuid_is_none(port->nat_gateway) || !uuid_is_none(port->interface_of) ||
	    !str_is_empty(port->device_id) || model_derive_port_state(port) != PORT_AVAILABLE)
		return ENGINE_FAIL(op, ERR_IN_USE, KIND_PORT, wish->port.field,
				   "The port '%" STR_FMT "' is in use.", STR_ARG(wish->port.text));
	TRY(trunk_check_no_subport(op, port));
	TRY(trunk_check_no_parent(op, port));
	TRY(check_apart(op, router, subnet));
	TRY(engine_permit(op, "router.interface", KIND_PORT, &port->row));
	struct port next = *port;
	next.interface_of = router->row.id;
	next.groups = (struct uuids){0};
	next.row.gen++;
	TRY(port_put(op, &next));
	TRY(drop_auto_ips(op, next.row.id));
	if (uuid_is_none(subnet->router) && ip_equal(subnet->gateway_ip, port->ip))
		TRY(write_holder(op, subnet, router, port->mac));
	wish->in_subnet = subnet->row.id;
	wish->in_network = subnet->network;
	wish->interface = next.row.id;
	return OK;
}

RESULT engine_add_router_interface(struct op *op, struct router_interface_wish *wish)
{
	const struct router *router = NULL;
	TRY(engine_find_own_router(op->ctx, op->head, &wish->router, &router));
	uuid id = router->row.id;
	if (ref_is_given(&wish->subnet) == ref_is_given(&wish->port))
		return ctx_fail_kind(op->ctx, ERR_COMBINATION, KIND_ROUTER,
				     "Name either a subnet or a port.");
	TRY(engine_permit(op, "router.interface", KIND_ROUTER, &router->row));
	TRY(ref_is_given(&wish->port) ? add_by_port(op, wish, router) : add_by_subnet(op, wish, router));
	TRY(router_touch(op, id));
	return engine_log_event(op, KIND_ROUTER, &router_find(op->head, id)->row, "interface added",
				"In subnet %" STR_FMT ".",
				STR_ARG(engine_write_id(op, KIND_SUBNET, wish->in_subnet)));
}

/* ---- removal ---- */

struct interface {
	const struct subnet *subnet;
	const struct port *port; /* NULL: the gateway address without a port row */
	bool is_holder;
};

static bool is_holder_of(const struct router *router, const struct subnet *subnet)
{
	return row_is_live(&subnet->row) && uuid_equal(subnet->router, router->row.id);
}

/* Finds the router's interface in the subnet; false if there is none. */
static bool find_in_subnet(const struct tables *t, const struct router *router, const struct subnet *subnet,
			   struct interface *ret_interface)
{
	bool is_holder = is_holder_of(router, subnet);
	const struct port *port = router_first_interface(t, router->row.id);
	while (port && !(row_is_live(&port->row) && uuid_equal(port->subnet, subnet->row.id)))
		port = port_next_by_interface_of(t, port);
	*ret_interface = (struct interface){subnet, port, is_holder};
	return port || is_holder;
}

/* Finds it by an id as engine_get_gateway_port() returns. */
static bool find_by_port(const struct tables *t, const struct router *router, const struct ref *ref,
			 struct interface *ret_interface)
{
	const struct port *port =
		ref->bits >= 128 ? port_find(t, ref->prefix) : port_find_prefix(t, ref->prefix, ref->bits);
	const struct subnet *subnet = port ? subnet_find(t, port->subnet) : NULL;
	if (port)
		return subnet && uuid_equal(port->interface_of, router->row.id) &&
		       find_in_subnet(t, router, subnet, ret_interface);
	for (subnet = subnet_first_by_router(t, router->row.id); subnet;
	     subnet = subnet_next_by_router(t, subnet))
		if (row_is_live(&subnet->row) &&
		    id_has_prefix(engine_get_gateway_port(t, subnet), ref->prefix, ref->bits)) {
			*ret_interface = (struct interface){subnet, NULL, true};
			return true;
		}
	return false;
}

static RESULT find_interface(struct op *op, const struct router_interface_wish *wish,
			     const struct router *router, struct interface *ret_interface)
{
	const struct subnet *subnet = NULL;
	bool found = true;
	if (ref_is_given(&wish->subnet)) {
		TRY(engine_find_own_subnet(op->ctx, op->head, &wish->subnet, &subnet));
		found = find_in_subnet(op->head, router, subnet, ret_interface);
	}
	if (found && ref_is_given(&wish->port))
		found = find_by_port(op->head, router, &wish->port, ret_interface) &&
			(!subnet || ret_interface->subnet == subnet);
	if (found && ret_interface->subnet)
		return OK;
	return ctx_fail_kind(op->ctx, ERR_NOT_FOUND, KIND_ROUTER,
			     "Router %" STR_FMT " does not have an interface with what was named",
			     STR_ARG(wish->router.text));
}

static bool has_public_address(const struct tables *t, const struct router *router,
			       const struct subnet *subnet)
{
	const struct address *address = address_first_by_account(t, router->account);
	for (; address; address = address_next_by_account(t, address)) {
		const struct port *port = uuid_is_none(address->port) ? NULL : port_find(t, address->port);
		if (row_is_live(&address->row) && port && uuid_equal(port->network, subnet->network) &&
		    cidr_contains(subnet->block, address->private_ip))
			return true;
	}
	return port_forwarding_is_in(t, router->row.id, subnet) ||
	       load_balancer_is_in(t, router->row.id, subnet);
}

static bool leads_into(const struct subnet *subnet, const struct route *r)
{
	bool leads = cidr_contains(subnet->block, r->next_hop);
	for (size_t k = 0; k < r->more_hops.count && !leads; k++)
		leads = cidr_contains(subnet->block, r->more_hops.at[k]);
	return leads;
}

static bool has_route_over(const struct tables *t, const struct router *router, const struct subnet *subnet)
{
	const struct route_table *table = route_table_first_by_router(t, router->row.id);
	for (; table; table = route_table_next_by_router(t, table))
		for (const struct route *r = route_first_by_table(t, table->row.id); r;
		     r = route_next_by_table(t, r)) {
			const struct port *port = uuid_is_none(r->port) ? NULL : port_find(t, r->port);
			if (leads_into(subnet, r) || (port && uuid_equal(port->subnet, subnet->row.id)))
				return true;
		}
	return false;
}

static bool has_nat_gateway(const struct tables *t, const struct subnet *subnet)
{
	return nat_gateway_find_by_subnet(t, subnet->row.id) != NULL;
}

/* Groups of a router, and groups associated with it, are valid for its ports only. */
static bool has_port_in_groups(const struct tables *t, const struct router *router,
			       const struct subnet *subnet)
{
	for (const struct port *p = port_first_by_subnet(t, subnet->row.id); p; p = port_next_by_subnet(t, p))
		for (size_t n = 0; row_is_live(&p->row) && n < p->groups.count; n++) {
			const struct security_group *group = security_group_find(t, p->groups.at[n]);
			if (group && !uuid_is_none(group->router) &&
			    engine_is_group_in(t, group, router->row.id))
				return true;
		}
	return false;
}

/* Returns why the subnet cannot leave its router, or NULL. */
static const char *find_user(const struct tables *t, const struct router *router, const struct subnet *subnet,
			     enum kind *ret_kind)
{
	if (has_public_address(t, router, subnet)) {
		*ret_kind = KIND_ADDRESS;
		return "public addresses stand for ports in it";
	}
	if (has_route_over(t, router, subnet)) {
		*ret_kind = KIND_ROUTE;
		return "routes lead over it";
	}
	if (has_nat_gateway(t, subnet)) {
		*ret_kind = KIND_NAT_GATEWAY;
		return "a NAT gateway is in it";
	}
	if (has_port_in_groups(t, router, subnet)) {
		*ret_kind = KIND_SECURITY_GROUP;
		return "ports in it are in the router's own security groups";
	}
	*ret_kind = KIND_SUBNET;
	return subnet_is_of_blocks(t, subnet) ? "it is part of the router's address blocks" : NULL;
}

RESULT engine_remove_router_interface(struct op *op, struct router_interface_wish *wish)
{
	const struct router *router = NULL;
	struct interface found = {0};
	enum kind kind = KIND_NONE;
	TRY(engine_find_own_router(op->ctx, op->head, &wish->router, &router));
	uuid id = router->row.id;
	TRY(find_interface(op, wish, router, &found));
	TRY(engine_permit(op, "router.interface", KIND_ROUTER, &router->row));
	TRY(vpn_check_subnet_unused(op, id, found.subnet->row.id));
	const char *why = found.is_holder ? find_user(op->head, router, found.subnet, &kind) : NULL;
	if (why)
		return ENGINE_FAIL(op, ERR_IN_USE, kind, wish->subnet.field,
				   "Router interface for subnet %" STR_FMT " on router %" STR_FMT
				   " cannot be deleted: %s",
				   STR_ARG(uuid_to_str(op->ctx->arena, found.subnet->row.id)),
				   STR_ARG(wish->router.text), why);
	wish->in_subnet = found.subnet->row.id;
	wish->in_network = found.subnet->network;
	wish->interface = found.port ? found.port->row.id : engine_get_gateway_port(op->head, found.subnet);
	if (found.is_holder)
		TRY(write_holder(op, found.subnet, NULL, found.subnet->gateway_mac));
	if (found.port)
		TRY(port_delete_with_addresses(op, port_find(op->head, wish->interface)));
	TRY(router_touch(op, id));
	return engine_log_event(op, KIND_ROUTER, &router_find(op->head, id)->row, "interface removed",
				"From subnet %" STR_FMT ".",
				STR_ARG(engine_write_id(op, KIND_SUBNET, wish->in_subnet)));
}

/* ---- router, gateway and routes together ---- */

static RESULT set_rest(struct op *op, struct router_whole *wish, const struct ref *router)
{
	wish->gateway.router = wish->routes.router = *router;
	if (wish->sets_gateway)
		TRY(engine_set_router_gateway(op, &wish->gateway));
	return wish->sets_routes ? engine_set_extra_routes(op, &wish->routes) : OK;
}

RESULT engine_create_whole_router(struct op *op, struct router_whole *wish)
{
	TRY(engine_create_router(op, &wish->create));
	struct ref made = ref_by_id(KIND_ROUTER, wish->create.router);
	return set_rest(op, wish, &made);
}

RESULT engine_change_router(struct op *op, struct router_whole *wish)
{
	struct ref router = wish->settings.router;
	TRY(engine_update_router(op, &wish->settings));
	return set_rest(op, wish, &router);
}
