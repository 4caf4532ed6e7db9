/* SPDX-License-Identifier: Apache-2.0
 * Virtual private gateways: attachment to a VPC, and propagation of routes to its route tables. */
#include "store/vpn_gateway.h"

#include <inttypes.h>

#include "engine/limits.h"
#include "engine/network/address/address_internal.h"
#include "engine/tag_internal.h"
#include "engine/tombstone.h"
#include "engine/vpn/vpn.h"
#include "engine/vpn/vpn_internal.h"
#include "model/account.h"
#include "model/router.h"
#include "store/address.h"
#include "store/route_table.h"
#include "store/vpn_connection.h"

enum { ASN_LAST_16 = 65534 };
#define ASN_FIRST_32 INT64_C(4200000000)
#define ASN_LAST_32 INT64_C(4294967294)

const struct vpn_gateway *engine_get_vpn_gateway(const struct tables *t, uuid router)
{
	const struct vpn_gateway *g = uuid_is_none(router) ? NULL : vpn_gateway_first_by_router(t, router);
	while (g && !row_is_live(&g->row))
		g = vpn_gateway_next_by_router(t, g);
	return g;
}

RESULT vpn_find_attached(struct op *op, const struct ref *ref, uuid router,
			 const struct vpn_gateway **ret_gateway)
{
	TRY(engine_find_own_vpn_gateway(op->ctx, op->head, ref, ret_gateway));
	return uuid_equal((*ret_gateway)->router, router)
		       ? OK
		       : engine_fail_not_found(op->ctx, KIND_VPN_GATEWAY, ref);
}

RESULT vpn_touch_tunnels(struct op *op, uuid gateway)
{
	for (const struct vpn_connection *c = engine_next_vpn_connection(op->head, gateway, NULL); c;
	     c = engine_next_vpn_connection(op->head, gateway, c))
		TRY(vpn_touch_connection(op, c->row.id));
	return OK;
}

/* ---- creation ---- */

/* EC2 takes the private ASNs and a few of Amazon's own; those of older regions are not offered. */
static RESULT check_asn(struct op *op, int64_t asn, struct str field)
{
	if ((asn >= VPN_ASN_DEFAULT && asn <= ASN_LAST_16) || (asn >= ASN_FIRST_32 && asn <= ASN_LAST_32))
		return OK;
	return ENGINE_FAIL(op, ERR_INVALID, KIND_VPN_GATEWAY, field,
			   "Value (%" PRId64 ") for parameter amazonSideAsn is invalid. A private ASN is in "
			   "64512-65534 or 4200000000-4294967294.",
			   asn);
}

RESULT engine_create_vpn_gateway(struct op *op, struct vpn_gateway_wish *wish)
{
	const struct account *account = NULL;
	TRY(engine_find_acting_account(op, &account));
	struct vpn_gateway made = {.row = {.id = engine_new_id(op, KIND_VPN_GATEWAY), .gen = 1},
				   .account = account->row.id,
				   .asn = wish->asn ? wish->asn : VPN_ASN_DEFAULT,
				   .zone = wish->zone};
	TRY(check_asn(op, made.asn, wish->asn_field));
	TRY(tag_normalize(op, wish->tags, &made.tags));
	TRY(engine_permit_new(op, "vpn.create_gateway", KIND_VPN_GATEWAY, &made.row));
	TRY(limit_check(op, LIMIT_VPN_GATEWAYS, account->row.id, 1, STR_NONE));
	TRY(vpn_gateway_put(op, &made));
	wish->gateway = made.row.id;
	return engine_log_event(op, KIND_VPN_GATEWAY, &made.row, "created", "Virtual private gateway.");
}

/* ---- attachment ---- */

static RESULT find_both(struct op *op, const struct vpn_gateway_attachment *wish, const char *permission,
			const struct vpn_gateway **ret_gateway, const struct router **ret_router)
{
	TRY(engine_permit_vpn_gateway(op, &wish->gateway, permission, ret_gateway));
	return engine_permit_router(op, &wish->router, permission, ret_router);
}

RESULT engine_attach_vpn_gateway(struct op *op, struct vpn_gateway_attachment *wish)
{
	const struct vpn_gateway *g = NULL;
	const struct router *router = NULL;
	TRY(find_both(op, wish, "vpn.attach", &g, &router));
	const struct vpn_gateway *present = engine_get_vpn_gateway(op->head, router->row.id);
	if (present == g)
		return OK;
	if (!uuid_is_none(g->router))
		return ENGINE_FAIL(op, ERR_CONFLICT, KIND_VPN_GATEWAY, wish->gateway.field,
				   "%" STR_FMT " is already attached to VPC %" STR_FMT ".",
				   STR_ARG(engine_write_id(op, KIND_VPN_GATEWAY, g->row.id)),
				   STR_ARG(engine_write_id(op, KIND_ROUTER, g->router)));
	if (present)
		return ENGINE_FAIL(op, ERR_EXISTS, KIND_VPN_GATEWAY, wish->router.field,
				   "VPC %" STR_FMT " already has virtual private gateway %" STR_FMT
				   " attached.",
				   STR_ARG(engine_write_id(op, KIND_ROUTER, router->row.id)),
				   STR_ARG(engine_write_id(op, KIND_VPN_GATEWAY, present->row.id)));
	struct vpn_gateway next = *g;
	next.router = router->row.id;
	next.row.gen++;
	TRY(vpn_gateway_put(op, &next));
	TRY(vpn_touch_tunnels(op, next.row.id));
	return engine_log_event(op, KIND_VPN_GATEWAY, &next.row, "attached", "Attached to %" STR_FMT ".",
				STR_ARG(engine_write_id(op, KIND_ROUTER, next.router)));
}

static RESULT end_propagation(struct op *op, uuid gateway)
{
	const struct route_table *table = route_table_first_by_vpn_gateway(op->head, gateway),
				 *following = NULL;
	for (; table; table = following) {
		following = route_table_next_by_vpn_gateway(op->head, table);
		struct route_table next = *table;
		next.vpn_gateway = UUID_NONE;
		next.row.gen++;
		TRY(route_table_put(op, &next));
	}
	return OK;
}

static RESULT detach(struct op *op, const struct vpn_gateway *g)
{
	struct vpn_gateway next = *g;
	struct str router = engine_write_id(op, KIND_ROUTER, g->router);
	TRY(end_propagation(op, g->row.id));
	next.router = UUID_NONE;
	next.row.gen++;
	TRY(vpn_gateway_put(op, &next));
	TRY(vpn_touch_tunnels(op, next.row.id));
	return engine_log_event(op, KIND_VPN_GATEWAY, &next.row, "detached", "Detached from %" STR_FMT ".",
				STR_ARG(router));
}

RESULT engine_detach_vpn_gateway(struct op *op, struct vpn_gateway_attachment *wish)
{
	const struct vpn_gateway *g = NULL;
	const struct router *router = NULL;
	TRY(find_both(op, wish, "vpn.detach", &g, &router));
	TRY(vpn_check_no_service(op, g->router));
	if (!uuid_equal(g->router, router->row.id))
		return ENGINE_FAIL(op, ERR_NOT_FOUND, KIND_VPN_GATEWAY, STR("Attachment"),
				   "The attachment with vpn gateway ID '%" STR_FMT "' and vpc ID '%" STR_FMT
				   "' does not exist",
				   STR_ARG(wish->gateway.text), STR_ARG(wish->router.text));
	return detach(op, g);
}

/* ---- deletion ---- */

RESULT engine_delete_vpn_gateway(struct op *op, struct vpn_gateway_target *wish)
{
	const struct vpn_gateway *g = NULL;
	TRY(engine_permit_vpn_gateway(op, &wish->gateway, "vpn.delete_gateway", &g));
	const struct vpn_connection *c = engine_next_vpn_connection(op->head, g->row.id, NULL);
	if (c)
		return ENGINE_FAIL(op, ERR_STATE, KIND_VPN_GATEWAY, wish->gateway.field,
				   "The virtual private gateway is in use by VPN connection %" STR_FMT ".",
				   STR_ARG(engine_write_id(op, KIND_VPN_CONNECTION, c->row.id)));
	if (!uuid_is_none(g->router) && !wish->is_forced)
		return ENGINE_FAIL(op, ERR_STATE, KIND_VPN_GATEWAY, wish->gateway.field,
				   "The virtual private gateway is attached to VPC %" STR_FMT ".",
				   STR_ARG(engine_write_id(op, KIND_ROUTER, g->router)));
	TRY(vpn_check_no_service(op, g->router));
	return vpn_gateway_end(op, g);
}

RESULT vpn_gateway_end(struct op *op, const struct vpn_gateway *g)
{
	uuid id = g->row.id;
	if (!uuid_is_none(g->router))
		TRY(detach(op, g));
	g = vpn_gateway_find(op->head, id);
	if (address_find(op->head, g->address))
		TRY(address_end(op, g->address));
	TRY(engine_log_event(op, KIND_VPN_GATEWAY, &g->row, "deleted", "Virtual private gateway."));
	return tombstone_leave(op, KIND_VPN_GATEWAY, &g->row, VPN_GATEWAY_INDEX_ACCOUNT);
}

/* ---- propagation ---- */

static RESULT set_propagation(struct op *op, const struct vpn_propagation *wish, const char *permission,
			      bool is_on)
{
	const struct vpn_gateway *g = NULL;
	const struct route_table *table = NULL;
	TRY(engine_permit_vpn_gateway(op, &wish->gateway, permission, &g));
	TRY(engine_permit_route_table(op, &wish->route_table, permission, &table));
	if (!uuid_equal(g->router, table->router))
		return ENGINE_FAIL(op, ERR_INVALID, KIND_VPN_GATEWAY, wish->route_table.field,
				   "route table %" STR_FMT " and network gateway %" STR_FMT
				   " belong to different networks",
				   STR_ARG(wish->route_table.text), STR_ARG(wish->gateway.text));
	if (uuid_equal(table->vpn_gateway, g->row.id) == is_on)
		return OK;
	struct route_table next = *table;
	next.vpn_gateway = is_on ? g->row.id : UUID_NONE;
	next.row.gen++;
	TRY(route_table_put(op, &next));
	struct str id = engine_write_id(op, KIND_VPN_GATEWAY, g->row.id);
	return is_on ? engine_log_event(op, KIND_ROUTE_TABLE, &next.row, "propagation enabled",
					"Routes of %" STR_FMT " are propagated.", STR_ARG(id))
		     : engine_log_event(op, KIND_ROUTE_TABLE, &next.row, "propagation disabled",
					"Routes of %" STR_FMT " are not propagated.", STR_ARG(id));
}

RESULT engine_enable_vpn_propagation(struct op *op, struct vpn_propagation *wish)
{
	return set_propagation(op, wish, "vpn.enable_propagation", true);
}

RESULT engine_disable_vpn_propagation(struct op *op, struct vpn_propagation *wish)
{
	return set_propagation(op, wish, "vpn.disable_propagation", false);
}
