/* SPDX-License-Identifier: Apache-2.0
 * Internet gateways. What happens next: the router is brought about anew, with or without one. */
#include "engine/network/gateway.h"

#include "engine/internal.h"
#include "engine/limits.h"
#include "engine/network/address_internal.h"
#include "engine/network/gateway_internal.h"
#include "engine/network/ip_pool_internal.h"
#include "engine/tag_internal.h"
#include "model/account.h"
#include "store/address.h"
#include "store/external_network.h"
#include "store/gateway.h"
#include "store/port.h"
#include "store/route.h"
#include "store/router.h"

const struct gateway *gateway_of_router(const struct tables *t, uuid router)
{
	const struct gateway *gateway = gateway_first_by_router(t, router);
	while (gateway && !row_is_live(&gateway->row))
		gateway = gateway_next_by_router(t, gateway);
	return gateway;
}

/* The first external network, or the only one that will do, whose infrastructure range has an address left.
 * None: it leads nowhere yet, and engine_add_external_network() will see to it. */
void gateway_lead_out(const struct op *op, struct gateway *gateway, uuid only)
{
	const struct external_network *network = external_network_first(op->head);
	for (; network; network = external_network_next(op->head, network)) {
		struct gateway probe = {.external_network = network->row.id};
		struct ip_pool pool = {.kind = KIND_GATEWAY,
				       .index = GATEWAY_INDEX_EXTERNAL_NETWORK,
				       .probe = &probe.row,
				       .probe_ip = &probe.ip,
				       .ip_offset = offsetof(struct gateway, ip)};
		if (!row_is_live(&network->row) ||
		    (!uuid_is_none(only) && !uuid_equal(network->row.id, only)) ||
		    !ip_pool_pick(op->head, &pool, network->infra_first, network->infra_last, &gateway->ip))
			continue;
		gateway->external_network = network->row.id;
		return;
	}
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
		gateway_lead_out(op, &gateway, UUID_NONE);
	TRY(gateway_put(op, &gateway));
	*ret_gateway = gateway.row.id;
	return engine_log_event(op, KIND_GATEWAY, &gateway.row, "created", "Internet gateway.");
}

RESULT engine_create_gateway(struct op *op, struct gateway_wish *wish)
{
	const struct account *account = NULL;
	struct tags tags = {0};
	TRY(engine_find_acting_account(op, &account));
	TRY(tag_normalize(op, wish->tags, &tags));
	TRY(engine_permit(op, "gateway.create", KIND_GATEWAY, NULL));
	return gateway_write(op, account->row.id, tags, UUID_NONE, &wish->gateway);
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
	gateway_lead_out(op, &next, UUID_NONE);
	TRY(gateway_put(op, &next));
	return engine_log_event(op, KIND_GATEWAY, &next.row, "attached", "Attached to %" STR_FMT ".",
				STR_ARG(router_id));
}

static bool router_has_addresses(const struct tables *t, const struct router *router)
{
	const struct address *address = address_first_by_account(t, router->account);
	for (; address; address = address_next_by_account(t, address)) {
		const struct port *port = uuid_is_none(address->port) ? NULL : port_find(t, address->port);
		if (row_is_live(&address->row) && port && uuid_equal(port->router, router->row.id))
			return true;
	}
	return false;
}

/* A free one, without a way out and an address. */
static RESULT release(struct op *op, const struct gateway *gateway, struct gateway *ret_next)
{
	if (!uuid_is_none(gateway->address))
		TRY(address_delete(op, gateway->address));
	*ret_next = *gateway;
	ret_next->router = ret_next->external_network = ret_next->address = UUID_NONE;
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
	TRY(gateway_put(op, &next));
	return engine_log_event(op, KIND_GATEWAY, &next.row, "detached", "Detached from %" STR_FMT ".",
				STR_ARG(router_id));
}

RESULT engine_delete_gateway(struct op *op, struct gateway_target *wish)
{
	const struct gateway *gateway = NULL;
	TRY(engine_find_own_gateway(op->ctx, op->head, &wish->gateway, &gateway));
	TRY(engine_permit(op, "gateway.delete", KIND_GATEWAY, &gateway->row));
	if (!uuid_is_none(gateway->router))
		return ENGINE_FAIL(op, ERR_IN_USE, KIND_GATEWAY, wish->gateway.field,
				   "The internetGateway '%" STR_FMT
				   "' has dependencies and cannot be deleted.",
				   STR_ARG(engine_write_id(op, KIND_GATEWAY, gateway->row.id)));
	TRY(engine_log_event(op, KIND_GATEWAY, &gateway->row, "deleted", "Internet gateway."));
	return gateway_forget(op, gateway->row.id);
}

/* ---- a router's, set as a whole ---- */

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
	bool was_set = !uuid_is_none(gateway->address);
	struct gateway next;
	TRY(forget_routes_to(op, gateway->row.id));
	TRY(release(op, gateway, &next));
	TRY(engine_log_event(op, KIND_GATEWAY, &gateway->row, "detached", "From %" STR_FMT ".",
			     STR_ARG(engine_write_id(op, KIND_ROUTER, router->row.id))));
	return was_set ? gateway_forget(op, gateway->row.id) : gateway_put(op, &next);
}

/* A default route of the main table leads to it, unless there is one. */
static RESULT write_default_route(struct op *op, const struct router *router, uuid gateway, struct ip of)
{
	struct cidr all = {of, 0};
	if (route_find_by_table(op->head, router->main_route_table, all))
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

/* The address asked for, or any if it has none. */
static RESULT write_address(struct op *op, const struct router_gateway_wish *wish, struct gateway *gateway)
{
	const struct address *present = address_find(op->head, gateway->address);
	bool is_other = present && !ip_is_none(wish->ip) && !ip_equal(wish->ip, present->ip);
	if (present && !is_other && uuid_equal(present->external_network, gateway->external_network))
		return OK;
	if (present)
		TRY(address_delete(op, present->row.id));
	return address_write_for_gateway(op, gateway, wish->ip, &gateway->address);
}

static RESULT set_gateway(struct op *op, struct router_gateway_wish *wish, const struct router *router)
{
	const struct external_network *external = NULL;
	const struct gateway *present = gateway_of_router(op->head, router->row.id);
	TRY(engine_find_external_network(op->ctx, op->head, &wish->external_network, &external));
	struct gateway next = {.account = router->account, .router = router->row.id, .translates = true};
	if (present)
		next = *present;
	else
		next.row.id = engine_new_id(op, KIND_GATEWAY);
	next.row.gen++;
	if (!uuid_equal(next.external_network, external->row.id)) {
		if (present && router_has_addresses(op->head, router))
			return fail_mapped(op, router);
		next.external_network = UUID_NONE;
		gateway_lead_out(op, &next, external->row.id);
		if (uuid_is_none(next.external_network))
			return ctx_fail_kind(op->ctx, ERR_CAPACITY, KIND_ADDRESS,
					     "The external network has no address left for a gateway.");
	}
	if (present && uuid_is_none(present->address))
		next.translates = true;
	choice_apply(wish->translates, &next.translates);
	TRY(write_address(op, wish, &next));
	TRY(gateway_put(op, &next));
	TRY(write_default_route(op, router, next.row.id, ip_from_v4(0)));
	TRY(gateway_lead_ipv6_out(op, &next));
	return engine_log_event(op, KIND_GATEWAY, &next.row, "attached",
				"To %" STR_FMT "; its subnets %s it.",
				STR_ARG(engine_write_id(op, KIND_ROUTER, router->row.id)),
				next.translates ? "reach out under" : "do not use the address of");
}

RESULT engine_set_router_gateway(struct op *op, struct router_gateway_wish *wish)
{
	const struct router *router = NULL;
	TRY(engine_find_own_router(op->ctx, op->head, &wish->router, &router));
	TRY(engine_permit(op, "gateway.attach", KIND_ROUTER, &router->row));
	return ref_is_given(&wish->external_network) ? set_gateway(op, wish, router)
						     : gateway_clear(op, router);
}
