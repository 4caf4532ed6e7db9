/* SPDX-License-Identifier: Apache-2.0
 * Steps of routers with their subnets, gateway and routes: maintain one logical router. It exists only while
 * one of the router's networks has a port. */
#include "engine/network/routing/router.h"
#include "engine/network/port/port.h"
#include "engine/network/routing/nat_gateway.h"
#include "engine/network/routing/peering.h"
#include "engine/network/subnet.h"
#include "model/egress_gateway.h"
#include "model/gateway.h"
#include "model/load_balancer.h"
#include "model/nat_gateway.h"
#include "model/network.h"
#include "model/network_acl.h"
#include "model/peering.h"
#include "model/port.h"
#include "model/port_forwarding.h"
#include "model/route.h"
#include "reconcile/work.h"
#include "store/route_table.h"
#include "store/router.h"
#include "store/subnet.h"

static RESULT forget_parts(struct step *s, const struct router_rows *rows)
{
	for (size_t k = 0; k < rows->deleted_interfaces.count; k++) {
		struct port_report *forget = STEP_NEW(s, struct port_report);
		*forget = (struct port_report){.port = rows->deleted_interfaces.at[k]->row.id};
		step_report(s, engine_forget_port_run, forget);
	}
	for (size_t k = 0; k < rows->deleted_subnets.count; k++)
		TRY(step_forget(s, KIND_SUBNET, rows->deleted_subnets.at[k]->row.id));
	return OK;
}

static RESULT report_nat(struct step *s, op_run run, const struct nat_gateway *nat, const struct port *port)
{
	struct nat_gateway_report *report = STEP_NEW(s, struct nat_gateway_report);
	*report = (struct nat_gateway_report){
		.nat_gateway = nat->row.id, .gen = nat->row.gen, .port_gen = port ? port->row.gen : 0};
	step_report(s, run, report);
	return OK;
}

/* Confirms the router's NAT gateways, both created and removed ones, which are part of the logical router. */
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

static RESULT report_peering(struct step *s, const struct peering *p)
{
	struct peering_report *report = STEP_NEW(s, struct peering_report);
	*report = (struct peering_report){.peering = p->row.id, .router = s->id, .gen = p->row.gen};
	step_report(s, engine_see_peering_run, report);
	return OK;
}

static bool is_seen(const struct peering *p, uuid router)
{
	return (uuid_equal(p->router, router) ? p->seen_gen : p->peer_seen_gen) == (int64_t) p->row.gen;
}

/* Confirms this router's end of each peering. */
static RESULT report_peerings(struct step *s, const struct router_rows *rows)
{
	for (size_t k = 0; k < rows->peerings.count; k++)
		if (!is_seen(rows->peerings.at[k], s->id))
			TRY(report_peering(s, rows->peerings.at[k]));
	for (size_t k = 0; k < rows->going_peerings.count; k++)
		if (!is_seen(rows->going_peerings.at[k], s->id))
			TRY(report_peering(s, rows->going_peerings.at[k]));
	return OK;
}

/* Confirms the router's interfaces, whether or not the logical router is needed yet. */
static RESULT report_interfaces(struct step *s, const struct router_rows *rows)
{
	for (size_t k = 0; k < rows->interfaces.count; k++) {
		const struct port *p = rows->interfaces.at[k];
		if (p->seen_gen == (int64_t) p->row.gen && p->seen_up)
			continue;
		struct port_report *report = STEP_NEW(s, struct port_report);
		*report = (struct port_report){.port = p->row.id, .gen = p->row.gen, .up = true};
		step_report(s, engine_see_port_run, report);
	}
	return OK;
}

static RESULT report_part(struct step *s, const struct port *port)
{
	if (port->seen_gen == (int64_t) port->row.gen && port->seen_up)
		return OK;
	struct port_report *report = STEP_NEW(s, struct port_report);
	*report = (struct port_report){.port = port->row.id, .gen = port->row.gen, .up = true};
	step_report(s, engine_see_port_run, report);
	return OK;
}

/* Confirms interfaces of VPC endpoints and endpoint services, which are part of the logical router. */
static RESULT report_endpoints(struct step *s, const struct router_rows *rows)
{
	for (size_t k = 0; k < rows->wish.entry_count; k++)
		TRY(report_part(s, rows->wish.entries[k].port));
	for (size_t k = 0; k < rows->wish.exit_count; k++)
		TRY(report_part(s, rows->wish.exits[k].port));
	return OK;
}

RESULT reconcile_apply_router(struct step *s, const struct router_rows *rows)
{
	const struct network_driver *driver = s->r->network.driver;
	for (size_t k = 0; k < rows->segments.count; k++)
		TRY(driver->apply_network(s->r->network.self, &s->ctx, &rows->segments.at[k]));
	return driver->apply_router(s->r->network.self, &s->ctx, &rows->wish);
}

/* Removes the router and its unused networks. A network with ports that have no row (after a start on an
 * older database) is kept until they are adopted or purged, which wakes it. */
static RESULT remove_unused(struct step *s, const struct router_rows *rows)
{
	TRY(s->r->network.driver->remove_router(s->r->network.self, &s->ctx, rows->wish.router->row.id));
	for (size_t k = 0; k < rows->segments.count; k++)
		TRY(reconcile_remove_unused_network(s, rows->segments.at[k].network->row.id));
	return OK;
}

static RESULT step_router(struct step *s)
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
	if (!row_is_live(&router->row)) {
		TRY(s->r->network.driver->remove_router(s->r->network.self, &s->ctx, router->row.id));
		TRY(report_peerings(s, &rows));
		TRY(report_transit_ends(s, &rows));
		TRY(forget_parts(s, &rows));
		return step_forget(s, KIND_ROUTER, router->row.id);
	}
	for (size_t k = 0; k < rows.segments.count; k++)
		reconcile_wake_told_apart(s, rows.segments.at[k].network->row.id);
	TRY(rows.has_ports ? reconcile_apply_router(s, &rows) : remove_unused(s, &rows));
	TRY(report_nats(s, &rows));
	TRY(report_endpoints(s, &rows));
	TRY(report_peerings(s, &rows));
	TRY(report_transit_ends(s, &rows));
	TRY(report_interfaces(s, &rows));
	return forget_parts(s, &rows);
}

/* ---- wake-ups ---- */

static bool do_blocks_differ(const struct cidrs *was, const struct cidrs *is)
{
	bool differs = was->count != is->count;
	for (size_t k = 0; !differs && k < is->count; k++)
		differs = !cidr_equal(was->at[k], is->at[k]);
	return differs;
}

/* Policies can name "the virtual network": wakes those behind the router when its blocks change. Transit gateways
 * have routes to its blocks. */
static void wake_for_blocks(struct reconciler *r, const struct tables *t, const struct row *before,
			    const struct row *after)
{
	const struct router *was = router_of(before), *is = router_of(after);
	bool differs = was && do_blocks_differ(&was->blocks, &is->blocks);
	if (differs)
		wake_policies_behind(r, t, after->id);
	if (differs)
		wake_vpn_tunnels_behind(r, t, after->id);
	if (differs || (was && do_blocks_differ(&was->ipv6_blocks, &is->ipv6_blocks)))
		wake_transits_of(r, t, after->id);
	wake_for_row(r, KIND_ROUTER, after);
}

const struct resource reconcile_router = {
	.step = step_router,
	.is_swept = true,
	.wakes = {{KIND_ROUTER, offsetof(struct router, row.id)}},
	.wake_changed = wake_for_blocks,
};

/* The gateway may move between routers. */
static void wake_for_gateway(struct reconciler *r, const struct tables *t, const struct row *before,
			     const struct row *after)
{
	(void) t;
	if (before)
		wake_for_row(r, KIND_GATEWAY, before);
	wake_for_row(r, KIND_GATEWAY, after);
}

const struct resource reconcile_gateway = {
	.wakes = {{KIND_ROUTER, offsetof(struct gateway, router)}},
	.wake_changed = wake_for_gateway,
	.wakes_forgotten = true,
};

/* The target port may change to one behind another router. */
static void wake_for_forwarding(struct reconciler *r, const struct tables *t, const struct row *before,
				const struct row *after)
{
	(void) t;
	if (before)
		wake_for_row(r, KIND_PORT_FORWARDING, before);
	wake_for_row(r, KIND_PORT_FORWARDING, after);
}

const struct resource reconcile_port_forwarding = {
	.wakes = {{KIND_ROUTER, offsetof(struct port_forwarding, router)}},
	.wake_changed = wake_for_forwarding,
	.wakes_forgotten = true,
};
/* The first and the last member determine the router. */
static void wake_for_balancer(struct reconciler *r, const struct tables *t, const struct row *before,
			      const struct row *after)
{
	(void) t;
	if (before)
		wake_for_row(r, KIND_LOAD_BALANCER, before);
	wake_for_row(r, KIND_LOAD_BALANCER, after);
}

const struct resource reconcile_load_balancer = {
	/* a change of members changes the load balancer's row */
	.wakes = {{KIND_ROUTER, offsetof(struct load_balancer, router)}},
	.wake_changed = wake_for_balancer,
	.wakes_forgotten = true,
};
const struct resource reconcile_egress_gateway = {
	.wakes = {{KIND_ROUTER, offsetof(struct egress_gateway, router)}},
	.wakes_forgotten = true,
};
const struct resource reconcile_route_table = {
	.wakes = {{KIND_ROUTER, offsetof(struct route_table, router)}},
	.wakes_forgotten = true,
};
const struct resource reconcile_network_acl = {
	/* a change of entries changes the ACL's row */
	.wakes = {{KIND_ROUTER, offsetof(struct network_acl, router)}},
};

/* A route names its table, and the table the router. */
static void wake_for_forgotten_route(struct reconciler *r, const struct tables *t, const struct row *row)
{
	const struct route_table *table = route_table_find(t, route_of(row)->table);
	if (table)
		wake_network(r, KIND_ROUTER, table->router);
}

static void wake_for_route(struct reconciler *r, const struct tables *t, const struct row *before,
			   const struct row *after)
{
	(void) before;
	wake_for_forgotten_route(r, t, after);
}

const struct resource reconcile_route = {
	.wake_changed = wake_for_route,
	.wake_forgotten = wake_for_forgotten_route,
};
