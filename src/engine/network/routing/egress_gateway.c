/* SPDX-License-Identifier: Apache-2.0
 * Egress-only internet gateways. A gateway is part of its router: the reconciler deploys the router again
 * when one is created or deleted. */
#include "engine/network/routing/egress_gateway.h"

#include "engine/acting.h"
#include "engine/client_token_internal.h"
#include "engine/internal.h"
#include "engine/tag_internal.h"
#include "model/router.h"
#include "store/egress_gateway.h"

const struct egress_gateway *engine_get_egress_gateway(const struct tables *t, uuid router)
{
	return egress_gateway_find_by_router(t, router);
}

static RESULT create_gateway(struct op *op, struct egress_gateway_wish *wish, uuid account)
{
	const struct router *router = NULL;
	TRY(engine_find_own_router(op->ctx, op->head, &wish->router, &router));
	struct egress_gateway gateway = {.row.id = engine_new_id(op, KIND_EGRESS_GATEWAY),
					 .row.gen = 1,
					 .account = router->account,
					 .router = router->row.id};
	if (engine_get_egress_gateway(op->head, router->row.id))
		return ENGINE_FAIL(op, ERR_EXISTS, KIND_EGRESS_GATEWAY, wish->router.field,
				   "Network %" STR_FMT
				   " already has an egress-only internet gateway attached",
				   STR_ARG(engine_write_id(op, KIND_ROUTER, router->row.id)));
	TRY(tag_normalize(op, wish->tags, &gateway.tags));
	TRY(engine_permit(op, "egress_gateway.create", KIND_ROUTER, &router->row));
	TRY(engine_permit_new(op, "egress_gateway.create", KIND_EGRESS_GATEWAY, &gateway.row));
	TRY(egress_gateway_put(op, &gateway));
	wish->gateway = gateway.row.id;
	TRY(engine_log_event(op, KIND_EGRESS_GATEWAY, &gateway.row, "created",
			     "Egress-only internet gateway."));
	return client_token_write(op, account, wish->client_token, wish->digest, wish->gateway);
}

RESULT engine_create_egress_gateway(struct op *op, struct egress_gateway_wish *wish)
{
	uuid account = UUID_NONE;
	TRY(engine_find_acting_id(op, &account));
	TRY(client_token_find_made(op, account, wish->client_token, wish->digest, KIND_EGRESS_GATEWAY,
				   &wish->gateway));
	return uuid_is_none(wish->gateway) ? create_gateway(op, wish, account) : OK;
}

RESULT engine_delete_egress_gateway(struct op *op, struct egress_gateway_target *wish)
{
	const struct egress_gateway *gateway = NULL;
	TRY(engine_permit_egress_gateway(op, &wish->gateway, "egress_gateway.delete", &gateway));
	TRY(engine_log_event(op, KIND_EGRESS_GATEWAY, &gateway->row, "deleted",
			     "Egress-only internet gateway."));
	return egress_gateway_forget(op, gateway->row.id);
}
