/* SPDX-License-Identifier: Apache-2.0
 * Customer gateways: rows only. VPN connections read the address of the other site's device from them. */
#include "store/customer_gateway.h"
#include "engine/limits.h"
#include "engine/tag_internal.h"
#include "engine/tombstone.h"
#include "engine/vpn/vpn.h"
#include "engine/vpn/vpn_internal.h"
#include "model/account.h"
#include "store/vpn_connection.h"

static const struct customer_gateway *find_alike(const struct tables *t, const struct customer_gateway *like)
{
	const struct customer_gateway *g = customer_gateway_first_by_account(t, like->account);
	while (g && !(row_is_live(&g->row) && !g->is_of_connection && ip_equal(g->ip, like->ip) &&
		      g->asn == like->asn && str_equal(g->device_name, like->device_name)))
		g = customer_gateway_next_by_account(t, g);
	return g;
}

RESULT vpn_check_customer(struct op *op, const struct customer_gateway *g, struct str field)
{
	return !g->is_of_connection
		       ? OK
		       : ENGINE_FAIL(op, ERR_STATE, KIND_CUSTOMER_GATEWAY, field,
				     "The customer gateway belongs to an IPsec site connection of Neutron.");
}

RESULT engine_create_customer_gateway(struct op *op, struct customer_gateway_wish *wish)
{
	const struct account *account = NULL;
	TRY(engine_find_acting_account(op, &account));
	struct customer_gateway made = {.row = {.id = engine_new_id(op, KIND_CUSTOMER_GATEWAY), .gen = 1},
					.account = account->row.id,
					.ip = wish->ip,
					.asn = wish->asn,
					.device_name = wish->device_name};
	TRY(tag_normalize(op, wish->tags, &made.tags));
	TRY(engine_permit_new(op, "vpn.create_customer_gateway", KIND_CUSTOMER_GATEWAY, &made.row));
	const struct customer_gateway *alike = find_alike(op->head, &made);
	wish->gateway = alike ? alike->row.id : made.row.id;
	if (alike)
		return OK;
	TRY(limit_check(op, LIMIT_CUSTOMER_GATEWAYS, account->row.id, 1, STR_NONE));
	TRY(customer_gateway_put(op, &made));
	return engine_log_event(op, KIND_CUSTOMER_GATEWAY, &made.row, "created", "Customer gateway.");
}

RESULT engine_delete_customer_gateway(struct op *op, struct customer_gateway_target *wish)
{
	const struct customer_gateway *g = NULL;
	TRY(engine_permit_customer_gateway(op, &wish->gateway, "vpn.delete_customer_gateway", &g));
	const struct vpn_connection *c = vpn_connection_first_by_customer_gateway(op->head, g->row.id);
	while (c && !row_is_live(&c->row))
		c = vpn_connection_next_by_customer_gateway(op->head, c);
	if (c)
		return ENGINE_FAIL(op, ERR_STATE, KIND_CUSTOMER_GATEWAY, wish->gateway.field,
				   "The customer gateway is in use by VPN connection %" STR_FMT ".",
				   STR_ARG(engine_write_id(op, KIND_VPN_CONNECTION, c->row.id)));
	TRY(engine_log_event(op, KIND_CUSTOMER_GATEWAY, &g->row, "deleted", "Customer gateway."));
	return tombstone_leave(op, KIND_CUSTOMER_GATEWAY, &g->row, CUSTOMER_GATEWAY_INDEX_ACCOUNT);
}
