/* SPDX-License-Identifier: Apache-2.0
 * Routers with their subnets, gateway and routes: what is wanted → one logical router. Nothing is
 * made for a router without ports; what was made is kept up to date and removed with it. */
#include "engine/router.h"

#include "engine/nat_gateway.h"
#include "engine/subnet.h"
#include "reconcile/work.h"

static RESULT forget_subnets(struct step *s, const struct router_rows *rows)
{
	for (size_t k = 0; k < rows->deleted_subnets.count; k++) {
		struct subnet_forget *forget = STEP_NEW(s, struct subnet_forget);
		forget->subnet = rows->deleted_subnets.at[k]->row.id;
		step_report(s, engine_forget_subnet_run, forget);
	}
	return OK;
}

static RESULT report_nat(struct step *s, op_run run, const struct nat_gateway *nat, const struct port *port)
{
	struct nat_gateway_sight *sight = STEP_NEW(s, struct nat_gateway_sight);
	*sight = (struct nat_gateway_sight){
		.nat_gateway = nat->row.id, .gen = nat->row.gen, .port_gen = port ? port->row.gen : 0};
	step_report(s, run, sight);
	return OK;
}

/* Its NAT gateways are as wished, too: those that are there, and those that are gone. */
static RESULT report_nats(struct step *s, const struct router_rows *rows)
{
	for (size_t k = 0; k < rows->wish.nat_count; k++) {
		const struct network_nat *n = &rows->wish.nats[k];
		if (n->nat->seen_gen != (int64_t) n->nat->row.gen ||
		    n->port->seen_gen != (int64_t) n->port->row.gen)
			TRY(report_nat(s, engine_see_nat_gateway_run, n->nat, n->port));
	}
	for (size_t k = 0; k < rows->going_nats.count; k++)
		TRY(report_nat(s, engine_end_nat_gateway_run, rows->going_nats.at[k], NULL));
	return OK;
}

/* Where ports are left that have no row (after a start on an older database) it stays for them: their
 * adoption or their end wakes it. */
static RESULT remove_unused(struct step *s, uuid router)
{
	struct result result = s->r->network.driver->remove_router(s->r->network.self, &s->ctx, router);
	if (result.code != ERR_AGAIN)
		return result;
	ctx_clear_problem(&s->ctx);
	return OK;
}

RESULT reconcile_step_router(struct step *s)
{
	struct router_rows rows = {0};
	{
		AUTO_VIEW view = {0};
		view_open(s->r->store, &view);
		TRY(gather_router(s, view.tables, s->id, &rows));
	}
	const struct router *router = rows.wish.router;
	if (!router)
		return OK;
	const struct network_driver *driver = s->r->network.driver;
	struct vnet *self = s->r->network.self;
	if (!row_is_live(&router->row)) {
		TRY(driver->remove_router(self, &s->ctx, router->row.id));
		TRY(forget_subnets(s, &rows));
		struct router_forget *forget = STEP_NEW(s, struct router_forget);
		forget->router = router->row.id;
		step_report(s, engine_forget_router_run, forget);
		return OK;
	}
	if (rows.has_ports)
		TRY(driver->apply_router(self, &s->ctx, &rows.wish));
	else
		TRY(remove_unused(s, router->row.id));
	TRY(report_nats(s, &rows));
	return forget_subnets(s, &rows);
}
