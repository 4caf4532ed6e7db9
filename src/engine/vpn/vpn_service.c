/* SPDX-License-Identifier: Apache-2.0
 * VPN services of Neutron. The first service of a router attaches a VPN gateway to it, unless there is one, and the last takes that
 * gateway along. Each service has a public address and a link for its daemon. */
#include "store/vpn_service.h"

#include "engine/acting.h"
#include "engine/limits.h"
#include "engine/network/address/address_internal.h"
#include "engine/network/routing/gateway_internal.h"
#include "engine/network/routing/router_internal.h"
#include "engine/vpn/vpn.h"
#include "engine/vpn/vpn_internal.h"
#include "engine/vpn/vpnaas.h"
#include "store/address.h"
#include "store/gateway.h"
#include "store/route_table.h"
#include "store/router.h"
#include "store/vpn_connection.h"
#include "store/vpn_endpoint_group.h"
#include "store/vpn_gateway.h"
#include "store/vpn_tunnel.h"

/* ---- checks ---- */

RESULT vpn_check_attached(struct op *op, uuid router, uuid subnet)
{
	if (router_has_interface_in(op->head, router, subnet))
		return OK;
	return ENGINE_FAIL(op, ERR_STATE, KIND_VPN_SERVICE, STR("subnet_id"),
			   "Subnet %" STR_FMT " is not connected to Router %" STR_FMT,
			   STR_ARG(engine_write_id(op, KIND_SUBNET, subnet)),
			   STR_ARG(engine_write_id(op, KIND_ROUTER, router)));
}

static RESULT find_outside(struct op *op, const struct router *router, uuid *ret_network)
{
	const struct gateway *g = gateway_of_router(op->head, router->row.id);
	if (!g || uuid_is_none(g->external_network))
		return ENGINE_FAIL(op, ERR_STATE, KIND_VPN_SERVICE, STR("router_id"),
				   "Router %" STR_FMT " has no external network gateway set",
				   STR_ARG(engine_write_id(op, KIND_ROUTER, router->row.id)));
	*ret_network = g->external_network;
	return OK;
}

/* ---- the gateway ---- */

/* Leads each route table of the router to the gateway that leads to no other. */
RESULT vpn_propagate(struct op *op, uuid router, uuid gateway)
{
	const struct route_table *table = route_table_first_by_router(op->head, router), *following = NULL;
	for (; table; table = following) {
		following = route_table_next_by_router(op->head, table);
		struct route_table next = *table;
		if (!row_is_live(&table->row) || !uuid_is_none(table->vpn_gateway))
			continue;
		next.vpn_gateway = gateway;
		next.row.gen++;
		TRY(route_table_put(op, &next));
	}
	return OK;
}

static RESULT ensure_gateway(struct op *op, const struct router *router)
{
	const struct vpn_gateway *present = engine_get_vpn_gateway(op->head, router->row.id);
	if (present)
		return vpn_propagate(op, router->row.id, present->row.id);
	struct vpn_gateway made = {.row = {.id = engine_new_id(op, KIND_VPN_GATEWAY), .gen = 1},
				   .account = router->account,
				   .router = router->row.id,
				   .is_of_services = true,
				   .asn = VPN_ASN_DEFAULT};
	TRY(engine_permit_new(op, "vpn.create_gateway", KIND_VPN_GATEWAY, &made.row));
	TRY(limit_check(op, LIMIT_VPN_GATEWAYS, made.account, 1, STR_NONE));
	TRY(vpn_gateway_put(op, &made));
	TRY(vpn_propagate(op, made.router, made.row.id));
	return engine_log_event(op, KIND_VPN_GATEWAY, &made.row, "created", "Virtual private gateway.");
}

/* Ends the gateway that services made, unless a connection of another face has joined it. */
static RESULT leave_gateway(struct op *op, uuid router)
{
	const struct vpn_gateway *g = engine_get_vpn_gateway(op->head, router);
	if (!g || !g->is_of_services || vpn_service_first_by_router(op->head, router) ||
	    engine_next_vpn_connection(op->head, g->row.id, NULL))
		return OK;
	return vpn_gateway_end(op, g);
}

const struct vpn_service *vpn_find_service_of(const struct op *op, uuid router)
{
	return uuid_is_none(router) ? NULL : vpn_service_first_by_router(op->head, router);
}

/* ---- operations ---- */

RESULT engine_create_vpn_service(struct op *op, struct vpn_service_wish *wish)
{
	static const char permission[] = "vpn_service.create";
	const struct router *router = NULL;
	const struct row *subnet = NULL;
	uuid outside = UUID_NONE, account = UUID_NONE;
	TRY(engine_find_owner_id(op, &wish->account, &account));
	TRY(engine_permit_router(op, &wish->router, permission, &router));
	struct vpn_service made = {.row = {.id = engine_new_id(op, KIND_VPN_SERVICE), .gen = 1},
				   .account = account,
				   .name = wish->name,
				   .description = wish->description,
				   .router = router->row.id,
				   .is_down = wish->is_down};
	TRY(engine_permit_new(op, permission, KIND_VPN_SERVICE, &made.row));
	if (ref_is_given(&wish->subnet))
		TRY(engine_permit_named(op, KIND_SUBNET, &wish->subnet, permission, &subnet));
	TRY(find_outside(op, router, &outside));
	if (subnet) {
		TRY(vpn_check_attached(op, router->row.id, subnet->id));
		made.subnet = subnet->id;
	}
	TRY(limit_check(op, LIMIT_VPN_SERVICES, made.account, 1, STR_NONE));
	TRY(ensure_gateway(op, router));
	TRY(vpn_choose_link(op, engine_get_vpn_gateway(op->head, made.router)->row.id, &made.link));
	TRY(vpn_address_allocate_on(op, made.account, outside, &made.address, &made.outside_ip));
	TRY(vpn_service_put(op, &made));
	wish->service = made.row.id;
	return engine_log_event(op, KIND_VPN_SERVICE, &made.row, "created", "VPN service.");
}

RESULT engine_update_vpn_service(struct op *op, struct vpn_service_settings *wish)
{
	const struct vpn_service *s = NULL;
	TRY(engine_permit_vpn_service(op, &wish->service, "vpn_service.update", &s));
	struct vpn_service next = *s;
	if (wish->name)
		next.name = *wish->name;
	if (wish->description)
		next.description = *wish->description;
	choice_apply(wish->is_down, &next.is_down);
	next.row.gen++;
	bool moves = next.is_down != s->is_down;
	TRY(vpn_service_put(op, &next));
	for (const struct vpn_connection *c = vpn_connection_first_by_service(op->head, next.row.id);
	     c && moves; c = vpn_connection_next_by_service(op->head, c))
		TRY(vpn_touch_connection(op, c->row.id));
	return engine_log_event(op, KIND_VPN_SERVICE, &next.row, "changed", "VPN service.");
}

RESULT engine_delete_vpn_service(struct op *op, struct vpn_service_target *wish)
{
	const struct vpn_service *s = NULL;
	TRY(engine_permit_vpn_service(op, &wish->service, "vpn_service.delete", &s));
	if (vpn_connection_first_by_service(op->head, s->row.id))
		return ENGINE_FAIL(op, ERR_IN_USE, KIND_VPN_SERVICE, wish->service.field,
				   "VPNService %" STR_FMT " is still in use",
				   STR_ARG(engine_write_id(op, KIND_VPN_SERVICE, s->row.id)));
	uuid router = s->router;
	TRY(engine_log_event(op, KIND_VPN_SERVICE, &s->row, "deleted", "VPN service."));
	if (address_find(op->head, s->address))
		TRY(address_end(op, s->address));
	TRY(vpn_service_forget(op, s->row.id));
	return leave_gateway(op, router);
}

/* ---- what services hold ---- */

RESULT vpn_check_no_service(struct op *op, uuid router)
{
	struct str ids = STR_NONE;
	size_t count = 0;
	for (const struct vpn_service *s = vpn_find_service_of(op, router); s;
	     s = vpn_service_next_by_router(op->head, s)) {
		struct str id = engine_write_id(op, KIND_VPN_SERVICE, s->row.id);
		ids = count++ ? str_print(op->ctx->arena, "%" STR_FMT ",%" STR_FMT, STR_ARG(ids), STR_ARG(id))
			      : id;
	}
	return !count ? OK
		      : ENGINE_FAIL(op, ERR_IN_USE, KIND_VPN_SERVICE, STR("router_id"),
				    "Router %" STR_FMT " is currently used by VPN service%s (%" STR_FMT ")",
				    STR_ARG(engine_write_id(op, KIND_ROUTER, router)), count > 1 ? "s" : "",
				    STR_ARG(ids));
}

static const struct vpn_connection *find_by_group(const struct op *op, const struct vpn_service *s,
						  uuid subnet)
{
	for (const struct vpn_connection *c = vpn_connection_first_by_service(op->head, s->row.id); c;
	     c = vpn_connection_next_by_service(op->head, c)) {
		const struct vpn_endpoint_group *g = vpn_endpoint_group_find(op->head, c->local_group);
		if (g && uuids_have(&g->subnets, subnet))
			return c;
	}
	return NULL;
}

RESULT vpn_check_subnet_unused(struct op *op, uuid router, uuid subnet)
{
	for (const struct vpn_service *s = vpn_find_service_of(op, router); s;
	     s = vpn_service_next_by_router(op->head, s)) {
		const struct vpn_connection *c = find_by_group(op, s, subnet);
		if (uuid_equal(s->subnet, subnet))
			return ENGINE_FAIL(op, ERR_IN_USE, KIND_VPN_SERVICE, STR("subnet_id"),
					   "Subnet %" STR_FMT " is used by VPNService %" STR_FMT,
					   STR_ARG(engine_write_id(op, KIND_SUBNET, subnet)),
					   STR_ARG(engine_write_id(op, KIND_VPN_SERVICE, s->row.id)));
		if (c)
			return ENGINE_FAIL(op, ERR_IN_USE, KIND_VPN_CONNECTION, STR("subnet_id"),
					   "Subnet %" STR_FMT " is used by ipsec site connection %" STR_FMT,
					   STR_ARG(engine_write_id(op, KIND_SUBNET, subnet)),
					   STR_ARG(engine_write_id(op, KIND_VPN_CONNECTION, c->row.id)));
	}
	return OK;
}
