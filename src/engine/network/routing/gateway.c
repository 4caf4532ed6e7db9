/* SPDX-License-Identifier: Apache-2.0
 * Internet gateways. A change raises the gateway's gen, and the reconciler deploys its router again. */
#include "engine/network/routing/gateway.h"

#include "engine/acting.h"
#include "engine/condition_internal.h"
#include "engine/internal.h"
#include "engine/limits.h"
#include "engine/network/address/address_internal.h"
#include "engine/network/address/ip_pool_internal.h"
#include "engine/network/address/port_forwarding_internal.h"
#include "engine/network/external_network_internal.h"
#include "engine/network/routing/gateway_internal.h"
#include "engine/network/routing/route_table_internal.h"
#include "engine/network/routing/router_internal.h"
#include "engine/tag_internal.h"
#include "engine/vpn/vpn_internal.h"
#include "store/address.h"
#include "store/external_network.h"
#include "store/gateway.h"
#include "store/load_balancer.h"
#include "store/port.h"
#include "store/port_forwarding.h"
#include "store/route.h"
#include "store/router.h"
#include "store/subnet.h"

const struct gateway *gateway_of_router(const struct tables *t, uuid router)
{
	return gateway_find_by_router(t, router);
}

uuid gateway_router_of_address(const struct tables *t, const struct address *address)
{
	const struct gateway *g = address->is_elastic ? NULL : gateway_first_by_account(t, address->account);
	while (g && !(row_is_live(&g->row) && uuid_equal(g->address, address->row.id)))
		g = gateway_next_by_account(t, g);
	return g ? g->router : UUID_NONE;
}

/* A public address associated with a port of the router, or forwarded or balanced to one; NULL if there is
 * none. */
static const struct address *find_mapped(const struct tables *t, const struct router *router)
{
	const struct port_forwarding *forwarding = port_forwarding_first_by_router(t, router->row.id);
	const struct load_balancer *balancer = load_balancer_first_by_router(t, router->row.id);
	while (balancer && uuid_is_none(balancer->address))
		balancer = load_balancer_next_by_router(t, balancer);
	if (forwarding || balancer)
		return address_find(t, forwarding ? forwarding->address : balancer->address);
	const struct address *address = address_first_by_account(t, router->account);
	for (; address; address = address_next_by_account(t, address)) {
		const struct port *port = uuid_is_none(address->port) ? NULL : port_find(t, address->port);
		if (row_is_live(&address->row) && port && uuid_equal(port->router, router->row.id))
			break;
	}
	return address;
}

static bool router_has_addresses(const struct tables *t, const struct router *router)
{
	return find_mapped(t, router) != NULL;
}

/* External network of public addresses that the router's ports have already; none if they have no address. */
static uuid find_network_of_mapped(const struct tables *t, uuid router_id)
{
	const struct router *router = router_find(t, router_id);
	const struct address *address = router ? find_mapped(t, router) : NULL;
	return address ? address->external_network : UUID_NONE;
}

/* True if the external network may have one more router port: OVN limits their number. */
static bool has_port(const struct tables *t, uuid network)
{
	int64_t ports = engine_get_limit(t, LIMIT_LINK_GATEWAYS);
	return ports < 0 || engine_count_limited(t, LIMIT_LINK_GATEWAYS, network) < ports;
}

/* Gives the gateway's router port an address of the network's gateway range or, if the network has none, a
 * public address of its own. *ret_leads is false if no address is left. */
static RESULT lead_to(struct op *op, struct gateway *gateway, const struct external_network *network,
		      bool *ret_leads)
{
	struct gateway probe = {.external_network = network->row.id}, next = *gateway;
	struct ip_pool pool = {.kind = KIND_GATEWAY,
			       .index = GATEWAY_INDEX_EXTERNAL_NETWORK,
			       .probe = &probe.row,
			       .probe_ip = &probe.ip,
			       .ip_offset = offsetof(struct gateway, ip)};
	uuid own;
	next.external_network = network->row.id;
	*ret_leads = has_port(op->head, network->row.id);
	if (!*ret_leads)
		return OK;
	if (!ip_is_none(network->infra_first)) {
		*ret_leads =
			ip_pool_pick(op->head, &pool, network->infra_first, network->infra_last, &next.ip);
	} else {
		struct result written = address_write_for_gateway(op, &next, UUID_NONE, (struct ip){0}, &own);
		*ret_leads = result_is_ok(written);
		if (!*ret_leads && written.code != ERR_CAPACITY)
			return written;
		if (*ret_leads)
			next.ip = address_find(op->head, own)->ip;
		else
			ctx_clear_problem(op->ctx);
	}
	if (*ret_leads)
		*gateway = next;
	return OK;
}

/* Chooses the first public external network that has an address left. If ports behind the router have public
 * addresses already, only the network of those will do. Without a choice the gateway stays without a network,
 * and gateway_lead_all_out() tries again. */
static RESULT lead_out(struct op *op, struct gateway *gateway)
{
	const struct external_network *network = external_network_next_choice(op->head, NULL);
	uuid only = find_network_of_mapped(op->head, gateway->router);
	bool leads = false;
	for (; network && !leads; network = external_network_next_choice(op->head, network)) {
		bool may_lead = uuid_is_none(only) ? external_network_is_for_all(op->head, network)
						   : uuid_equal(network->row.id, only);
		if (row_is_live(&network->row) && may_lead)
			TRY(lead_to(op, gateway, network, &leads));
	}
	return OK;
}

/* ---- gateways without an external network ---- */

bool gateway_lacks_address(const struct tables *t, const struct gateway *gateway)
{
	const struct external_network *network = external_network_first(t);
	while (network && !external_network_is_for_all(t, network))
		network = external_network_next(t, network);
	return network && !uuid_is_none(gateway->router) && uuid_is_none(gateway->external_network);
}

static struct str why_nowhere(const struct tables *t, const struct gateway *gateway)
{
	return gateway_lacks_address(t, gateway) ? STR("The link to the outside has no address left for it.")
						 : STR("The region has no outside network.");
}

struct str gateway_explain_nowhere(const struct op *op, uuid router)
{
	const struct gateway *gateway = gateway_of_router(op->head, router);
	if (!gateway || uuid_is_none(gateway->router) || !uuid_is_none(gateway->external_network))
		return STR_NONE;
	struct str id = engine_write_id(op, KIND_GATEWAY, gateway->row.id);
	return str_print(op->ctx->arena, "Internet gateway %" STR_FMT " leads nowhere. %" STR_FMT,
			 STR_ARG(id), STR_ARG(why_nowhere(op->head, gateway)));
}

/* Sets the condition that explains why the gateway has no external network, or clears it. */
static RESULT tell_of_way_out(struct op *op, const struct gateway *gateway)
{
	if (uuid_is_none(gateway->router) || !uuid_is_none(gateway->external_network))
		return condition_clear(op, gateway->row.id, STR(GATEWAY_NO_WAY_OUT));
	return condition_set(op, KIND_GATEWAY, gateway->row.id, GATEWAY_NO_WAY_OUT,
			     why_nowhere(op->head, gateway),
			     gateway_lacks_address(op->head, gateway)
				     ? "Dari connects the gateway once the operator gives the link more "
				       "addresses (dari network set-gateway-range), or another gateway is "
				       "detached."
				     : "Dari connects the gateway once the operator adds an external network "
				       "(dari network add-external).");
}

static RESULT put(struct op *op, const struct gateway *gateway)
{
	TRY(gateway_put(op, gateway));
	return tell_of_way_out(op, gateway);
}

/* Once no public network has an address left, gateways that may use any of them are not tried again. A gateway
 * that is bound to one network always is: that network may have addresses, and may not be public. */
RESULT gateway_lead_all_out(struct op *op)
{
	const struct gateway *gateway = gateway_first_by_external_network(op->head, UUID_NONE), *next = NULL;
	for (bool is_full = false; gateway; gateway = next) {
		next = gateway_next_by_external_network(op->head, gateway);
		if (!row_is_live(&gateway->row) || uuid_is_none(gateway->router))
			continue;
		struct gateway led = *gateway;
		bool is_bound = !uuid_is_none(find_network_of_mapped(op->head, gateway->router));
		if (!is_full || is_bound)
			TRY(lead_out(op, &led));
		if (uuid_is_none(led.external_network)) {
			is_full = is_full || !is_bound;
			TRY(tell_of_way_out(op, gateway));
			continue;
		}
		led.row.gen++;
		TRY(put(op, &led));
		TRY(address_give_behind(op, led.router));
		TRY(engine_log_event(op, KIND_GATEWAY, &led.row, "led out",
				     "There is an address for it now."));
	}
	return OK;
}

RESULT gateway_write(struct op *op, uuid account, struct tags tags, uuid router, uuid *ret_gateway)
{
	struct gateway gateway = {.row.id = engine_new_id(op, KIND_GATEWAY),
				  .row.gen = 1,
				  .account = account,
				  .router = router,
				  .tags = tags};
	TRY(limit_check(op, LIMIT_GATEWAYS, account, 1, STR_NONE));
	if (!uuid_is_none(router))
		TRY(lead_out(op, &gateway));
	TRY(put(op, &gateway));
	*ret_gateway = gateway.row.id;
	return engine_log_event(op, KIND_GATEWAY, &gateway.row, "created", "Internet gateway.");
}

RESULT engine_create_gateway(struct op *op, struct gateway_wish *wish)
{
	uuid account = UUID_NONE;
	struct tags tags = {0};
	TRY(engine_find_acting_id(op, &account));
	TRY(tag_normalize(op, wish->tags, &tags));
	TRY(engine_permit(op, "gateway.create", KIND_GATEWAY, NULL));
	return gateway_write(op, account, tags, UUID_NONE, &wish->gateway);
}

static RESULT find_both(struct op *op, const struct gateway_attachment *wish,
			const struct gateway **ret_gateway, const struct router **ret_router)
{
	TRY(engine_find_own_gateway(op->ctx, op->head, &wish->gateway, ret_gateway));
	return engine_find_own_router(op->ctx, op->head, &wish->router, ret_router);
}

RESULT engine_attach_gateway(struct op *op, struct gateway_attachment *wish)
{
	const struct gateway *gateway = NULL;
	const struct router *router = NULL;
	TRY(find_both(op, wish, &gateway, &router));
	struct str gateway_id = engine_write_id(op, KIND_GATEWAY, gateway->row.id);
	struct str router_id = engine_write_id(op, KIND_ROUTER, router->row.id);
	if (!uuid_is_none(gateway->router))
		return ENGINE_FAIL(op, ERR_CONFLICT, KIND_GATEWAY, wish->gateway.field,
				   "resource %" STR_FMT " is already attached to network %" STR_FMT,
				   STR_ARG(gateway_id),
				   STR_ARG(engine_write_id(op, KIND_ROUTER, gateway->router)));
	if (gateway_of_router(op->head, router->row.id))
		return ENGINE_FAIL(op, ERR_EXISTS, KIND_GATEWAY, wish->router.field,
				   "Network %" STR_FMT " already has an internet gateway attached",
				   STR_ARG(router_id));
	TRY(engine_permit(op, "gateway.attach", KIND_GATEWAY, &gateway->row));
	TRY(engine_permit(op, "gateway.attach", KIND_ROUTER, &router->row));
	struct gateway next = *gateway;
	next.router = router->row.id;
	next.row.gen++;
	TRY(lead_out(op, &next));
	if (gateway_lacks_address(op->head, &next))
		return ENGINE_FAIL(op, ERR_CAPACITY, KIND_GATEWAY, wish->gateway.field,
				   NOT_ENOUGH_ADDRESSES
				   "The link to the outside has none left for another internet gateway.");
	TRY(put(op, &next));
	return engine_log_event(op, KIND_GATEWAY, &next.row, "attached", "Attached to %" STR_FMT ".",
				STR_ARG(router_id));
}

/* Ends the public addresses of the gateway itself: for source NAT, and of its router port. */
static RESULT end_addresses(struct op *op, const struct gateway *gateway)
{
	const struct address *own = address_find_by_ip(op->head, gateway->external_network, gateway->ip);
	if (!uuid_is_none(gateway->address))
		TRY(address_end(op, gateway->address));
	return own && !uuid_equal(own->row.id, gateway->address) ? address_end(op, own->row.id) : OK;
}

/* Detached copy of the gateway, without external network and address. */
static RESULT release(struct op *op, const struct gateway *gateway, struct gateway *ret_next)
{
	TRY(end_addresses(op, gateway));
	*ret_next = *gateway;
	ret_next->router = ret_next->external_network = ret_next->address = UUID_NONE;
	ret_next->route_table = ret_next->route_association =
		UUID_NONE; /* EC2 does not document whether a route table association ends on detachment */
	ret_next->ip = (struct ip){0};
	ret_next->translates = false;
	ret_next->row.gen++;
	return OK;
}

RESULT engine_detach_gateway(struct op *op, struct gateway_attachment *wish)
{
	const struct gateway *gateway = NULL;
	const struct router *router = NULL;
	TRY(find_both(op, wish, &gateway, &router));
	struct str router_id = engine_write_id(op, KIND_ROUTER, router->row.id);
	if (!uuid_equal(gateway->router, router->row.id))
		return ENGINE_FAIL(op, ERR_STATE, KIND_GATEWAY, wish->gateway.field,
				   "resource %" STR_FMT " is not attached to network %" STR_FMT,
				   STR_ARG(engine_write_id(op, KIND_GATEWAY, gateway->row.id)),
				   STR_ARG(router_id));
	if (router_has_addresses(op->head, router))
		return ENGINE_FAIL(op, ERR_IN_USE, KIND_ROUTER, wish->router.field,
				   "Network %" STR_FMT
				   " has some mapped public address(es). Please unmap those "
				   "public address(es) before detaching the gateway.",
				   STR_ARG(router_id));
	TRY(engine_permit(op, "gateway.detach", KIND_GATEWAY, &gateway->row));
	struct gateway next;
	TRY(release(op, gateway, &next));
	TRY(put(op, &next));
	TRY(gateway_lead_all_out(op));
	return engine_log_event(op, KIND_GATEWAY, &next.row, "detached", "Detached from %" STR_FMT ".",
				STR_ARG(router_id));
}

RESULT engine_delete_gateway(struct op *op, struct gateway_target *wish)
{
	const struct gateway *gateway = NULL;
	TRY(engine_permit_gateway(op, &wish->gateway, "gateway.delete", &gateway));
	if (!uuid_is_none(gateway->router))
		return ENGINE_FAIL(op, ERR_IN_USE, KIND_GATEWAY, wish->gateway.field,
				   "The internetGateway '%" STR_FMT
				   "' has dependencies and cannot be deleted.",
				   STR_ARG(engine_write_id(op, KIND_GATEWAY, gateway->row.id)));
	TRY(engine_log_event(op, KIND_GATEWAY, &gateway->row, "deleted", "Internet gateway."));
	return gateway_forget(op, gateway->row.id);
}

/* ---- Neutron's router gateways ---- */

static RESULT forget_routes_to(struct op *op, uuid gateway)
{
	const struct route *route = route_first_by_gateway(op->head, gateway), *next = NULL;
	for (; route; route = next) {
		next = route_next_by_gateway(op->head, route);
		TRY(route_forget(op, route->row.id));
	}
	return OK;
}

static RESULT fail_mapped(struct op *op, const struct router *router)
{
	return ctx_fail_kind(op->ctx, ERR_IN_USE, KIND_GATEWAY,
			     "The gateway of router %" STR_FMT
			     " is required by one or more public addresses that stand for its ports.",
			     STR_ARG(uuid_to_str(op->ctx->arena, router->row.id)));
}

RESULT gateway_clear(struct op *op, const struct router *router)
{
	const struct gateway *gateway = gateway_of_router(op->head, router->row.id);
	if (!gateway)
		return OK;
	if (router_has_addresses(op->head, router))
		return fail_mapped(op, router);
	TRY(vpn_check_no_service(op, router->row.id));
	bool was_set = !uuid_is_none(gateway->address);
	struct gateway next;
	TRY(forget_routes_to(op, gateway->row.id));
	TRY(release(op, gateway, &next));
	TRY(engine_log_event(op, KIND_GATEWAY, &gateway->row, "detached", "From %" STR_FMT ".",
			     STR_ARG(engine_write_id(op, KIND_ROUTER, router->row.id))));
	TRY(put(op, &next));
	if (was_set)
		TRY(gateway_forget(op, gateway->row.id));
	return gateway_lead_all_out(op);
}

/* Adds a default route to the gateway in the router's main table, unless the table has one, or is associated
 * with a gateway. */
static RESULT write_default_route(struct op *op, const struct router *router, uuid gateway, struct ip of)
{
	struct cidr all = {of, 0};
	if (route_find_by_table(op->head, router->main_route_table, all) ||
	    route_table_is_gateways(op->head, router->main_route_table))
		return OK;
	struct route route = {.row.id = engine_new_id(op, KIND_ROUTE),
			      .row.gen = 1,
			      .account = router->account,
			      .table = router->main_route_table,
			      .destination = all,
			      .gateway = gateway};
	return route_put(op, &route);
}

RESULT gateway_lead_ipv6_out(struct op *op, const struct gateway *gateway)
{
	const struct router *router =
		uuid_is_none(gateway->router) ? NULL : router_find(op->head, gateway->router);
	const struct external_network *external = external_network_find(op->head, gateway->external_network);
	if (!router || !external || cidr_is_none(external->ipv6_pool) || uuid_is_none(gateway->address))
		return OK;
	return write_default_route(op, router, gateway->row.id, (struct ip){.family = IP_V6});
}

/* Neutron's message when the network has no address for a port. */
static RESULT fail_full(struct op *op, uuid external_network)
{
	ctx_clear_problem(op->ctx);
	return ctx_fail_kind(op->ctx, ERR_CAPACITY, KIND_GATEWAY,
			     "No more IP addresses available on network %" STR_FMT ".",
			     STR_ARG(uuid_to_str(op->ctx->arena, external_network)));
}

static bool is_in(const struct tables *t, const struct address *a, uuid subnet)
{
	const struct subnet *s = subnet_find(t, subnet);
	return !s || cidr_contains(s->block, a->ip);
}

/* Gives the gateway the requested address, or any if it has none yet. On a network without a gateway range,
 * the router port has this address, too. */
static RESULT write_address(struct op *op, const struct router_gateway_wish *wish,
			    const struct external_network *external, struct gateway *gateway)
{
	const struct address *present = address_find(op->head, gateway->address);
	uuid subnet = wish->subnet.prefix;
	bool is_other = present && ((!ip_is_none(wish->ip) && !ip_equal(wish->ip, present->ip)) ||
				    !is_in(op->head, present, subnet));
	if (present && !is_other && uuid_equal(present->external_network, gateway->external_network))
		return OK;
	bool is_alone = ip_is_none(external->infra_first);
	if (present && port_forwarding_has_any(op->head, present->row.id))
		return fail_mapped(op, router_find(op->head, gateway->router));
	TRY(is_alone ? end_addresses(op, gateway) : present ? address_end(op, present->row.id) : OK);
	struct result written = address_write_for_gateway(op, gateway, subnet, wish->ip, &gateway->address);
	if (written.code == ERR_CAPACITY)
		return fail_full(op, gateway->external_network);
	TRY(written);
	if (is_alone)
		gateway->ip = address_find(op->head, gateway->address)->ip;
	return OK;
}

/* Moves the gateway to another external network. */
static RESULT lead_to_other(struct op *op, const struct router *router, const struct gateway *present,
			    const struct external_network *external, struct gateway *next)
{
	bool leads = true;
	if (present && router_has_addresses(op->head, router))
		return fail_mapped(op, router);
	TRY(vpn_check_no_service(op, router->row.id));
	if (present)
		TRY(end_addresses(op, present));
	next->external_network = external->row.id;
	next->address = UUID_NONE;
	next->ip = (struct ip){0};
	if (ip_is_none(external->infra_first)) /* write_address() allocates the port's address */
		leads = has_port(op->head, external->row.id);
	else
		TRY(lead_to(op, next, external, &leads));
	return leads ? OK : fail_full(op, external->row.id);
}

static RESULT set_gateway(struct op *op, struct router_gateway_wish *wish, const struct router *router)
{
	const struct external_network *external = NULL;
	const struct gateway *present = gateway_of_router(op->head, router->row.id);
	TRY(external_network_find_usable(op, &wish->external_network, &external));
	struct gateway next = {.account = router->account, .router = router->row.id, .translates = true};
	if (present)
		next = *present;
	else
		next.row.id = engine_new_id(op, KIND_GATEWAY);
	next.row.gen++;
	TRY(address_check_subnet(op, external->row.id, &wish->subnet));
	if (!uuid_equal(next.external_network, external->row.id))
		TRY(lead_to_other(op, router, present, external, &next));
	if (present && uuid_is_none(present->address))
		next.translates = true;
	choice_apply(wish->translates, &next.translates);
	TRY(write_address(op, wish, external, &next));
	TRY(put(op, &next));
	TRY(write_default_route(op, router, next.row.id, ip_from_v4(0)));
	TRY(gateway_lead_ipv6_out(op, &next));
	TRY(gateway_lead_all_out(op)); /* the place on the former network may be free for another gateway
				        * now */
	return engine_log_event(op, KIND_GATEWAY, &next.row, "attached",
				next.translates ? "To %" STR_FMT "; its subnets reach out under it."
						: "To %" STR_FMT
						  "; its subnets do not use the address of it.",
				STR_ARG(engine_write_id(op, KIND_ROUTER, router->row.id)));
}

RESULT engine_set_router_gateway(struct op *op, struct router_gateway_wish *wish)
{
	const struct router *router = NULL;
	TRY(engine_permit_router(op, &wish->router, "gateway.attach", &router));
	uuid id = router->row.id;
	TRY(ref_is_given(&wish->external_network) ? set_gateway(op, wish, router)
						  : gateway_clear(op, router));
	return router_touch(op, id);
}
