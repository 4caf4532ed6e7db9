/* SPDX-License-Identifier: Apache-2.0
 * VPN connections. */
#include "engine/capacity_internal.h"
#include "engine/limits.h"
#include "engine/tag_internal.h"
#include "engine/tombstone.h"
#include "engine/vpn/vpn.h"
#include "engine/vpn/vpn_internal.h"
#include "store/customer_gateway.h"
#include "store/vpn_connection.h"
#include "store/vpn_gateway.h"
#include "store/vpn_tunnel.h"

const struct vpn_connection *engine_next_vpn_connection(const struct tables *t, uuid gateway,
							const struct vpn_connection *last)
{
	const struct vpn_connection *c = last ? vpn_connection_next_by_vpn_gateway(t, last)
					      : vpn_connection_first_by_vpn_gateway(t, gateway);
	while (c && !row_is_live(&c->row))
		c = vpn_connection_next_by_vpn_gateway(t, c);
	return c;
}

RESULT vpn_connection_make(struct op *op, struct vpn_connection *made, const struct vpn_tunnel *tunnels,
			   int count, struct str inside_field)
{
	TRY(engine_permit_new(op, "vpn.create_connection", KIND_VPN_CONNECTION, &made->row));
	TRY(limit_check(op, LIMIT_VPN_CONNECTIONS, made->account, 1, STR_NONE));
	TRY(limit_check(op, LIMIT_GATEWAY_CONNECTIONS, made->vpn_gateway, 1, STR_NONE));
	TRY(vpn_connection_put(op, made));
	for (int k = 0; k < count; k++) {
		struct vpn_tunnel tunnel = tunnels[k];
		tunnel.account = made->account;
		tunnel.connection = made->row.id;
		tunnel.number = k;
		TRY(capacity_check_keys(op, KIND_VPN_TUNNEL));
		TRY(limit_check(op, LIMIT_VPN_TUNNELS, UUID_NONE, 1, STR_NONE));
		TRY(vpn_tunnel_make(op, &tunnel, made->vpn_gateway, inside_field));
	}
	return engine_log_event(op, KIND_VPN_CONNECTION, &made->row, "created",
				"VPN connection of %" STR_FMT " to %" STR_FMT ".",
				STR_ARG(engine_write_id(op, KIND_VPN_GATEWAY, made->vpn_gateway)),
				STR_ARG(engine_write_id(op, KIND_CUSTOMER_GATEWAY, made->customer_gateway)));
}

RESULT engine_create_vpn_connection(struct op *op, struct vpn_connection_wish *wish)
{
	static const char permission[] = "vpn.create_connection";
	const struct customer_gateway *customer = NULL;
	const struct vpn_gateway *g = NULL;
	TRY(engine_permit_customer_gateway(op, &wish->customer_gateway, permission, &customer));
	TRY(vpn_check_customer(op, customer, wish->customer_gateway.field));
	TRY(engine_permit_vpn_gateway(op, &wish->vpn_gateway, permission, &g));
	struct vpn_connection made = {.row = {.id = engine_new_id(op, KIND_VPN_CONNECTION), .gen = 1},
				      .account = g->account,
				      .vpn_gateway = g->row.id,
				      .customer_gateway = customer->row.id,
				      .local_cidr = wish->local_cidr,
				      .remote_cidr = wish->remote_cidr};
	TRY(tag_normalize(op, wish->tags, &made.tags));
	TRY(vpn_connection_make(op, &made, wish->tunnels, VPN_TUNNELS, wish->inside_field));
	wish->connection = made.row.id;
	return OK;
}

RESULT vpn_touch_connection(struct op *op, uuid connection)
{
	for (const struct vpn_tunnel *n = vpn_tunnel_first_by_connection(op->head, connection); n;
	     n = vpn_tunnel_next_by_connection(op->head, n)) {
		struct vpn_tunnel next = *n;
		next.row.gen++;
		TRY(vpn_tunnel_put(op, &next));
	}
	return OK;
}

static RESULT end_tunnels(struct op *op, uuid connection)
{
	const struct vpn_tunnel *n = vpn_tunnel_first_by_connection(op->head, connection), *following = NULL;
	for (; n; n = following) {
		following = vpn_tunnel_next_by_connection(op->head, n);
		if (row_is_live(&n->row))
			TRY(vpn_tunnel_end(op, n));
	}
	return OK;
}

RESULT engine_delete_vpn_connection(struct op *op, struct vpn_connection_target *wish)
{
	const struct vpn_connection *c = NULL;
	TRY(engine_permit_vpn_connection(op, &wish->connection, "vpn.delete_connection", &c));
	TRY(engine_log_event(op, KIND_VPN_CONNECTION, &c->row, "deleted", "VPN connection."));
	uuid id = c->row.id, customer = c->customer_gateway;
	TRY(end_tunnels(op, id));
	c = vpn_connection_find(op->head, id);
	if (!uuid_is_none(c->service))
		TRY(vpn_leave_service(op, c));
	c = vpn_connection_find(op->head, id);
	TRY(tombstone_leave(op, KIND_VPN_CONNECTION, &c->row, VPN_CONNECTION_INDEX_ACCOUNT));
	return vpn_end_customer(op, customer);
}

/* ---- settings ---- */

RESULT vpn_check_leads(struct op *op, const struct vpn_connection *c, struct str field)
{
	struct str id = engine_write_id(op, KIND_VPN_CONNECTION, c->row.id);
	if (!uuid_is_none(c->service))
		return ENGINE_FAIL(
			op, ERR_STATE, KIND_VPN_CONNECTION, field,
			"VPN connection %" STR_FMT
			" belongs to a VPN service. Change it with Neutron's ipsec_site_connections.",
			STR_ARG(id));
	if (c->follows_customer)
		return ENGINE_FAIL(op, ERR_STATE, KIND_VPN_CONNECTION, field,
				   "VPN connection %" STR_FMT " follows its customer gateway. Change the "
				   "gateway with CloudStack's updateVpnCustomerGateway, or make another "
				   "connection.",
				   STR_ARG(id));
	return OK;
}

/* Links and inside blocks are unique at a gateway, so the tunnels get new ones where they collide. */
static RESULT move_tunnels(struct op *op, uuid connection, uuid gateway)
{
	for (const struct vpn_tunnel *n = vpn_tunnel_first_by_connection(op->head, connection); n;
	     n = vpn_tunnel_next_by_connection(op->head, n)) {
		struct vpn_tunnel next = *n;
		TRY(vpn_tunnel_check(op, &next, gateway, STR("VpnGatewayId")));
		TRY(vpn_tunnel_link(op, &next, gateway));
		next.row.gen++;
		TRY(vpn_tunnel_put(op, &next));
	}
	return OK;
}

static RESULT update(struct op *op, struct vpn_connection_settings *wish, const char *permission)
{
	const struct vpn_connection *c = NULL;
	const struct customer_gateway *customer = NULL;
	const struct vpn_gateway *g = NULL;
	TRY(engine_permit_vpn_connection(op, &wish->connection, permission, &c));
	TRY(vpn_check_leads(op, c, wish->connection.field));
	struct vpn_connection next = *c;
	if (ref_is_given(&wish->customer_gateway)) {
		TRY(engine_permit_customer_gateway(op, &wish->customer_gateway, permission, &customer));
		TRY(vpn_check_customer(op, customer, wish->customer_gateway.field));
		next.customer_gateway = customer->row.id;
	}
	if (ref_is_given(&wish->vpn_gateway)) {
		TRY(engine_permit_vpn_gateway(op, &wish->vpn_gateway, permission, &g));
		if (!uuid_equal(g->row.id, next.vpn_gateway))
			TRY(limit_check(op, LIMIT_GATEWAY_CONNECTIONS, g->row.id, 1, STR_NONE));
		next.vpn_gateway = g->row.id;
	}
	if (!cidr_is_none(wish->local_cidr))
		next.local_cidr = wish->local_cidr;
	if (!cidr_is_none(wish->remote_cidr))
		next.remote_cidr = wish->remote_cidr;
	next.row.gen++;
	TRY(vpn_connection_put(op, &next));
	TRY(move_tunnels(op, next.row.id, next.vpn_gateway));
	wish->made = next.row.id;
	return engine_log_event(op, KIND_VPN_CONNECTION, &next.row, "changed", "VPN connection.");
}

RESULT engine_update_vpn_connection(struct op *op, struct vpn_connection_settings *wish)
{
	return update(op, wish, "vpn.update_connection");
}

RESULT engine_update_vpn_options(struct op *op, struct vpn_connection_settings *wish)
{
	return update(op, wish, "vpn.update_options");
}
