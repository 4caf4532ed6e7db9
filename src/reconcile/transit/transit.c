/* SPDX-License-Identifier: Apache-2.0
 * Steps of transit gateways with their attachments, route tables and routes: maintain one logical router each. The
 * other ends of attachments are parts of the VPCs' routers (router.c). Ended gateways and attachments are forgotten
 * after TRANSIT_VISIBLE_US; the resync finds them. */
#include "engine/transit/transit.h"
#include "base/clock.h"
#include "model/transit_route.h"
#include "reconcile/work.h"
#include "store/transit_attachment.h"
#include "store/transit_gateway.h"
#include "store/transit_route_table.h"

#define PUSH(s, vec, value)                                                                                  \
	do {                                                                                                 \
		if (!VEC_PUSH((s)->ctx.arena, (vec), (value)))                                               \
			return ctx_no_memory(&(s)->ctx);                                                     \
	} while (0)

struct transit_rows {
	struct network_transit wish; /* gateway NULL: the row does not exist */
	VEC(const struct transit_attachment *) attachments;
	VEC(const struct transit_attachment *) going; /* deleted, not yet confirmed as removed */
	VEC(struct network_transit_route) routes;
};

/* ---- gathering ---- */

static RESULT gather_attachments(struct step *s, const struct tables *t, struct transit_rows *rows)
{
	for (const struct transit_attachment *a = transit_attachment_first_by_gateway(t, s->id); a;
	     a = transit_attachment_next_by_gateway(t, a)) {
		if (a->ended_us != 0)
			continue;
		const struct transit_attachment *copy =
			STEP_COPY(s, KIND_TRANSIT_ATTACHMENT, struct transit_attachment, a);
		if (row_is_live(&a->row))
			PUSH(s, &rows->attachments, copy);
		else
			PUSH(s, &rows->going, copy);
	}
	rows->wish.attachments = rows->attachments.at;
	rows->wish.attachment_count = rows->attachments.count;
	return OK;
}

/* The copy of an attachment in the step's arena, or NULL. */
static const struct transit_attachment *find_copy(const struct transit_rows *rows,
						  const struct transit_attachment *a)
{
	for (size_t k = 0; a && k < rows->attachments.count; k++)
		if (uuid_equal(rows->attachments.at[k]->row.id, a->row.id))
			return rows->attachments.at[k];
	return NULL;
}

static RESULT gather_table(struct step *s, const struct tables *t, uuid table, struct transit_rows *rows)
{
	struct transit_ways ways = {0};
	if (!engine_list_transit_ways(s->ctx.arena, t, table, &ways))
		return ctx_no_memory(&s->ctx);
	for (size_t k = 0; k < ways.count; k++) {
		struct network_transit_route route = {.table = table,
						      .to = ways.at[k].to,
						      .attachment = find_copy(rows, ways.at[k].attachment)};
		PUSH(s, &rows->routes, route);
	}
	return OK;
}

static RESULT gather_transit(struct step *s, const struct tables *t, struct transit_rows *rows)
{
	const struct transit_gateway *gateway = transit_gateway_find(t, s->id);
	if (!gateway)
		return OK;
	rows->wish.gateway = STEP_COPY(s, KIND_TRANSIT_GATEWAY, struct transit_gateway, gateway);
	TRY(gather_attachments(s, t, rows));
	for (const struct transit_route_table *table = transit_route_table_first_by_gateway(t, s->id); table;
	     table = transit_route_table_next_by_gateway(t, table))
		TRY(gather_table(s, t, table->row.id, rows));
	rows->wish.routes = rows->routes.at;
	rows->wish.route_count = rows->routes.count;
	return OK;
}

/* ---- the gateway's step ---- */

static RESULT report(struct step *s, op_run run, uuid id, uint64_t gen)
{
	struct transit_report *report = STEP_NEW(s, struct transit_report);
	*report = (struct transit_report){.id = id, .gen = gen};
	step_report(s, run, report);
	return OK;
}

/* Confirms the gateway's end of an attachment. */
static RESULT report_attachment(struct step *s, const struct transit_attachment *a)
{
	return a->seen_gen == (int64_t) a->row.gen
		       ? OK
		       : report(s, engine_see_transit_attachment_run, a->row.id, a->row.gen);
}

/* has_rows: attachments refer to the gateway, which stays as long as they. */
static RESULT end_gateway(struct step *s, const struct transit_rows *rows, bool has_rows)
{
	const struct transit_gateway *gateway = rows->wish.gateway;
	if (gateway->ended_us == 0)
		TRY(s->r->network.driver->remove_transit(s->r->network.self, &s->ctx, gateway->row.id));
	for (size_t k = 0; k < rows->going.count; k++)
		TRY(report_attachment(s, rows->going.at[k]));
	if (gateway->ended_us == 0)
		return report(s, engine_end_transit_gateway_run, gateway->row.id, gateway->row.gen);
	bool is_due = clock_now_us() >= gateway->ended_us + TRANSIT_VISIBLE_US;
	return is_due && !has_rows
		       ? report(s, engine_forget_transit_gateway_run, gateway->row.id, gateway->row.gen)
		       : OK;
}

static RESULT step_transit_gateway(struct step *s)
{
	struct transit_rows rows = {0};
	bool has_rows = false;
	{
		AUTO_VIEW view = {0};
		view_open(s->r->store, &view);
		TRY(gather_transit(s, view.tables, &rows));
		has_rows = transit_attachment_first_by_gateway(view.tables, s->id);
	}
	const struct transit_gateway *gateway = rows.wish.gateway;
	if (!gateway)
		return OK;
	if (!row_is_live(&gateway->row))
		return end_gateway(s, &rows, has_rows);
	TRY(s->r->network.driver->apply_transit(s->r->network.self, &s->ctx, &rows.wish));
	for (size_t k = 0; k < rows.attachments.count; k++)
		TRY(report_attachment(s, rows.attachments.at[k]));
	for (size_t k = 0; k < rows.going.count; k++)
		TRY(report_attachment(s, rows.going.at[k]));
	return gateway->seen_gen == (int64_t) gateway->row.gen
		       ? OK
		       : report(s, engine_see_transit_gateway_run, gateway->row.id, gateway->row.gen);
}

const struct resource reconcile_transit_gateway = {
	.step = step_transit_gateway,
	.is_swept = true,
	.wakes = {{KIND_TRANSIT_GATEWAY, offsetof(struct transit_gateway, row.id)}},
};

/* ---- attachments ---- */

static RESULT step_transit_attachment(struct step *s)
{
	bool is_due = false;
	{
		AUTO_VIEW view = {0};
		view_open(s->r->store, &view);
		const struct transit_attachment *a = transit_attachment_find(view.tables, s->id);
		is_due = a && a->ended_us != 0 && clock_now_us() >= a->ended_us + TRANSIT_VISIBLE_US;
	}
	return is_due ? report(s, engine_forget_transit_attachment_run, s->id, 0) : OK;
}

/* Both routers implement the attachment until it has ended; then the home lane forgets it. */
static void wake_transit_attachment(struct reconciler *r, const struct row *row)
{
	const struct transit_attachment *a = transit_attachment_of(row);
	if (a->ended_us != 0) {
		work_wake(r, lane_home(r), KIND_TRANSIT_ATTACHMENT, row->id, WAKE_WISH);
		return;
	}
	wake_network(r, KIND_TRANSIT_GATEWAY, a->gateway);
	wake_network(r, KIND_ROUTER, a->router);
}

/* A gateway that has ended waits for its attachments. */
static void wake_for_forgotten_attachment(struct reconciler *r, const struct tables *t, const struct row *row)
{
	(void) t;
	wake_network(r, KIND_TRANSIT_GATEWAY, transit_attachment_of(row)->gateway);
}

const struct resource reconcile_transit_attachment = {
	.step = step_transit_attachment,
	.is_swept = true,
	.wake = wake_transit_attachment,
	.wake_forgotten = wake_for_forgotten_attachment,
};

/* ---- route tables and routes ---- */

const struct resource reconcile_transit_route_table = {
	.wakes = {{KIND_TRANSIT_GATEWAY, offsetof(struct transit_route_table, gateway)}},
	.wakes_forgotten = true,
};

/* A route names its table, and the table the gateway. */
static void wake_for_forgotten_route(struct reconciler *r, const struct tables *t, const struct row *row)
{
	const struct transit_route_table *table = transit_route_table_find(t, transit_route_of(row)->table);
	if (table)
		wake_network(r, KIND_TRANSIT_GATEWAY, table->gateway);
}

static void wake_for_route(struct reconciler *r, const struct tables *t, const struct row *before,
			   const struct row *after)
{
	(void) before;
	wake_for_forgotten_route(r, t, after);
}

const struct resource reconcile_transit_route = {
	.wake_changed = wake_for_route,
	.wake_forgotten = wake_for_forgotten_route,
};

/* ---- the VPC's router ---- */

RESULT transit_gather_ends(struct step *s, const struct tables *t, uuid router, struct router_rows *rows)
{
	for (const struct transit_attachment *a = transit_attachment_first_by_router(t, router); a;
	     a = transit_attachment_next_by_router(t, a)) {
		if (a->ended_us != 0)
			continue;
		const struct transit_attachment *copy =
			STEP_COPY(s, KIND_TRANSIT_ATTACHMENT, struct transit_attachment, a);
		if (row_is_live(&a->row))
			PUSH(s, &rows->attachments, copy);
		else
			PUSH(s, &rows->going_attachments, copy);
	}
	rows->wish.attachments = rows->attachments.at;
	rows->wish.attachment_count = rows->attachments.count;
	return OK;
}

static RESULT report_end(struct step *s, const struct transit_attachment *a)
{
	struct transit_report *report = STEP_NEW(s, struct transit_report);
	*report = (struct transit_report){.id = a->row.id, .gen = a->row.gen, .is_of_router = true};
	if (a->router_seen_gen != (int64_t) a->row.gen)
		step_report(s, engine_see_transit_attachment_run, report);
	return OK;
}

RESULT report_transit_ends(struct step *s, const struct router_rows *rows)
{
	for (size_t k = 0; k < rows->attachments.count; k++)
		TRY(report_end(s, rows->attachments.at[k]));
	for (size_t k = 0; k < rows->going_attachments.count; k++)
		TRY(report_end(s, rows->going_attachments.at[k]));
	return OK;
}

void wake_transits_of(struct reconciler *r, const struct tables *t, uuid router)
{
	for (const struct transit_attachment *a = transit_attachment_first_by_router(t, router); a;
	     a = transit_attachment_next_by_router(t, a))
		if (a->ended_us == 0)
			wake_network(r, KIND_TRANSIT_GATEWAY, a->gateway);
}
