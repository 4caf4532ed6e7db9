/* SPDX-License-Identifier: Apache-2.0
 * Route tables of transit gateways: their associations, propagations and routes. They are parts of the gateway's
 * router, which the reconciler deploys again when they change. */
#include "engine/transit/transit.h"

#include <stdlib.h>

#include "engine/limits.h"
#include "engine/tag_internal.h"
#include "engine/transit/transit_internal.h"
#include "model/transit_gateway.h"
#include "store/router.h"
#include "store/transit_attachment.h"
#include "store/transit_gateway.h"
#include "store/transit_route.h"
#include "store/transit_route_table.h"

enum { PROPAGATIONS_MAX = 20 /* tables that an attachment propagates to; the schema says so too */ };

/* ---- tables ---- */

RESULT transit_table_write(struct op *op, const struct transit_gateway *gateway, struct tags tags,
			   uuid *ret_table)
{
	struct transit_route_table table = {.row.id = engine_new_id(op, KIND_TRANSIT_ROUTE_TABLE),
					    .row.gen = 1,
					    .account = gateway->account,
					    .gateway = gateway->row.id,
					    .tags = tags};
	TRY(limit_check(op, LIMIT_TRANSIT_ROUTE_TABLES, gateway->row.id, 1, STR_NONE));
	TRY(transit_route_table_put(op, &table));
	*ret_table = table.row.id;
	return engine_log_event(op, KIND_TRANSIT_ROUTE_TABLE, &table.row, "created", "Route table.");
}

RESULT engine_create_transit_route_table(struct op *op, struct transit_route_table_wish *wish)
{
	const struct transit_gateway *gateway = NULL;
	struct tags tags = {0};
	TRY(transit_find_gateway(op, &wish->gateway, &gateway));
	TRY(tag_normalize(op, wish->tags, &tags));
	const struct transit_route_table planned = {
		.account = gateway->account, .gateway = gateway->row.id, .tags = tags};
	TRY(engine_permit(op, "transit_gateway.create_route_table", KIND_TRANSIT_GATEWAY, &gateway->row));
	TRY(engine_permit_new(op, "transit_gateway.create_route_table", KIND_TRANSIT_ROUTE_TABLE,
			      &planned.row));
	return transit_table_write(op, gateway, tags, &wish->route_table);
}

static RESULT find_table(struct op *op, const struct ref *ref, const struct transit_route_table **ret_table)
{
	const struct row *row = NULL;
	TRY(engine_find_own(op->ctx, op->head, KIND_TRANSIT_ROUTE_TABLE, ref, &row));
	*ret_table = transit_route_table_of(row);
	return OK;
}

/* Rewrites where an attachment propagates: without `table`, and with it at the end if `adds`. */
static RESULT write_propagations(struct op *op, const struct transit_attachment *attachment, uuid table,
				 bool adds)
{
	uuid ids[PROPAGATIONS_MAX];
	size_t count = 0;
	for (size_t k = 0; k < attachment->propagates_to.count && count < PROPAGATIONS_MAX; k++)
		if (!uuid_equal(attachment->propagates_to.at[k], table))
			ids[count++] = attachment->propagates_to.at[k];
	if (adds && count == PROPAGATIONS_MAX)
		return ctx_fail_kind(op->ctx, ERR_QUOTA, KIND_TRANSIT_ROUTE_TABLE,
				     "An attachment propagates to %d route tables at most.",
				     PROPAGATIONS_MAX);
	if (adds)
		ids[count++] = table;
	struct transit_attachment next = *attachment;
	next.propagates_to = (struct uuids){ids, count};
	next.row.gen++;
	return transit_attachment_put(op, &next);
}

static RESULT fail_in_use(struct op *op, const struct ref *ref, const struct transit_route_table *table,
			  const char *why)
{
	return ENGINE_FAIL(op, ERR_STATE, KIND_TRANSIT_ROUTE_TABLE, ref->field, "%" STR_FMT " %s.",
			   STR_ARG(engine_write_id(op, KIND_TRANSIT_ROUTE_TABLE, table->row.id)), why);
}

RESULT engine_delete_transit_route_table(struct op *op, struct transit_route_table_target *wish)
{
	const struct transit_route_table *table = NULL;
	TRY(engine_permit_transit_route_table(op, &wish->route_table, "transit_gateway.delete_route_table",
					      &table));
	const struct transit_gateway *gateway = transit_gateway_find(op->head, table->gateway);
	if (gateway && (uuid_equal(gateway->association_table, table->row.id) ||
			uuid_equal(gateway->propagation_table, table->row.id)))
		return fail_in_use(op, &wish->route_table, table,
				   "is a default route table of its transit gateway");
	const struct transit_attachment *a = transit_attachment_first_by_table(op->head, table->row.id);
	if (a)
		return fail_in_use(op, &wish->route_table, table, "has associations");
	for (a = transit_attachment_first_by_gateway(op->head, table->gateway); a;
	     a = transit_attachment_next_by_gateway(op->head, a))
		if (uuids_have(&a->propagates_to, table->row.id))
			TRY(write_propagations(op, a, table->row.id, false));
	wish->deleted = *table;
	wish->deleted.tags = (struct tags){0};
	TRY(engine_log_event(op, KIND_TRANSIT_ROUTE_TABLE, &table->row, "deleted", "Route table."));
	return transit_route_table_forget(op, table->row.id);
}

/* ---- associations and propagations ---- */

static RESULT check_same_gateway(struct op *op, const struct transit_route_table *table,
				 const struct ref *table_ref, const struct transit_attachment *attachment,
				 const struct ref *attachment_ref)
{
	if (uuid_equal(table->gateway, attachment->gateway))
		return OK;
	return ENGINE_FAIL(op, ERR_INVALID, KIND_TRANSIT_ROUTE_TABLE, table_ref->field,
			   "%" STR_FMT " and %" STR_FMT " belong to different transit gateways.",
			   STR_ARG(table_ref->text), STR_ARG(attachment_ref->text));
}

/* Finds the two. */
static RESULT find_use(struct op *op, const char *permission, struct transit_use *wish,
		       const struct transit_route_table **ret_table,
		       const struct transit_attachment **ret_attachment)
{
	TRY(find_table(op, &wish->route_table, ret_table));
	TRY(transit_find_attachment(op, &wish->attachment, ret_attachment));
	TRY(engine_permit(op, permission, KIND_TRANSIT_ROUTE_TABLE, &(*ret_table)->row));
	TRY(engine_permit(op, permission, KIND_TRANSIT_ATTACHMENT, &(*ret_attachment)->row));
	wish->made = (*ret_attachment)->row.id;
	wish->made_table = (*ret_table)->row.id;
	wish->router = (*ret_attachment)->router;
	return check_same_gateway(op, *ret_table, &wish->route_table, *ret_attachment, &wish->attachment);
}

static RESULT write_association(struct op *op, const struct transit_attachment *attachment, uuid table)
{
	struct transit_attachment next = *attachment;
	next.table = table;
	next.row.gen++;
	TRY(transit_attachment_put(op, &next));
	return engine_log_event(op, KIND_TRANSIT_ATTACHMENT, &next.row, "route table changed",
				uuid_is_none(table) ? "It is associated with no route table."
						    : "It is associated with a route table.");
}

RESULT engine_associate_transit_route_table(struct op *op, struct transit_use *wish)
{
	const struct transit_route_table *table = NULL;
	const struct transit_attachment *attachment = NULL;
	TRY(find_use(op, "transit_gateway.associate_route_table", wish, &table, &attachment));
	if (!uuid_is_none(attachment->table))
		return ENGINE_FAIL(op, ERR_CONFLICT, KIND_TRANSIT_ATTACHMENT, wish->attachment.field,
				   "Transit Gateway Attachment %" STR_FMT
				   " is already associated to a route table.",
				   STR_ARG(engine_write_id(op, KIND_TRANSIT_ATTACHMENT, attachment->row.id)));
	return write_association(op, attachment, table->row.id);
}

RESULT engine_disassociate_transit_route_table(struct op *op, struct transit_use *wish)
{
	const struct transit_route_table *table = NULL;
	const struct transit_attachment *attachment = NULL;
	TRY(find_use(op, "transit_gateway.disassociate_route_table", wish, &table, &attachment));
	if (!uuid_equal(attachment->table, table->row.id))
		return ENGINE_FAIL(op, ERR_NOT_FOUND, KIND_TRANSIT_ATTACHMENT, STR("Association"),
				   "%" STR_FMT " is not associated with %" STR_FMT ".",
				   STR_ARG(wish->attachment.text), STR_ARG(wish->route_table.text));
	return write_association(op, attachment, UUID_NONE);
}

RESULT engine_enable_transit_propagation(struct op *op, struct transit_use *wish)
{
	const struct transit_route_table *table = NULL;
	const struct transit_attachment *attachment = NULL;
	TRY(find_use(op, "transit_gateway.enable_propagation", wish, &table, &attachment));
	if (uuids_have(&attachment->propagates_to, table->row.id))
		return ENGINE_FAIL(op, ERR_EXISTS, KIND_TRANSIT_ROUTE_TABLE, wish->route_table.field,
				   "Propagation from %" STR_FMT " to %" STR_FMT " already exists.",
				   STR_ARG(wish->attachment.text), STR_ARG(wish->route_table.text));
	return write_propagations(op, attachment, table->row.id, true);
}

RESULT engine_disable_transit_propagation(struct op *op, struct transit_use *wish)
{
	const struct transit_route_table *table = NULL;
	const struct transit_attachment *attachment = NULL;
	TRY(find_use(op, "transit_gateway.disable_propagation", wish, &table, &attachment));
	if (!uuids_have(&attachment->propagates_to, table->row.id))
		return ENGINE_FAIL(op, ERR_NOT_FOUND, KIND_TRANSIT_ATTACHMENT, STR("Propagation"),
				   "Propagation from %" STR_FMT " to %" STR_FMT " does not exist.",
				   STR_ARG(wish->attachment.text), STR_ARG(wish->route_table.text));
	return write_propagations(op, attachment, table->row.id, false);
}

/* ---- static routes ---- */

struct route_plan {
	const struct transit_route_table *table;
	const struct transit_attachment *attachment; /* NULL: a black hole */
	const struct transit_route *present;
	struct cidr destination;
};

static RESULT resolve_route(struct op *op, const char *permission, const struct transit_route_wish *wish,
			    struct route_plan *plan)
{
	TRY(find_table(op, &wish->route_table, &plan->table));
	TRY(engine_permit(op, permission, KIND_TRANSIT_ROUTE_TABLE, &plan->table->row));
	plan->destination = cidr_canonical(wish->destination);
	plan->present = transit_route_find_by_table(op->head, plan->table->row.id, plan->destination);
	return OK;
}

static RESULT resolve_target(struct op *op, const char *permission, const struct transit_route_wish *wish,
			     struct route_plan *plan)
{
	bool has_attachment = ref_is_given(&wish->attachment);
	if (has_attachment == wish->is_blackhole)
		return ctx_fail_kind(
			op->ctx, has_attachment ? ERR_COMBINATION : ERR_MISSING, KIND_TRANSIT_ROUTE,
			"The request must contain either transitGatewayAttachmentId or blackhole.");
	if (!has_attachment)
		return OK;
	TRY(transit_find_attachment(op, &wish->attachment, &plan->attachment));
	TRY(engine_permit(op, permission, KIND_TRANSIT_ATTACHMENT, &plan->attachment->row));
	return check_same_gateway(op, plan->table, &wish->route_table, plan->attachment, &wish->attachment);
}

static void tell_made(struct transit_route_wish *wish, const struct transit_attachment *attachment)
{
	wish->made_is_blackhole = !engine_carries_transit(attachment, wish->destination);
	wish->made_attachment = attachment ? attachment->row.id : UUID_NONE;
	wish->made_router = attachment ? attachment->router : UUID_NONE;
}

static RESULT write_route(struct op *op, struct transit_route_wish *wish, const struct route_plan *plan)
{
	char text[CIDR_TEXT_SIZE];
	struct transit_route next = {.row.id = plan->present ? plan->present->row.id
							     : engine_new_id(op, KIND_TRANSIT_ROUTE),
				     .row.gen = plan->present ? plan->present->row.gen + 1 : 1,
				     .account = plan->table->account,
				     .table = plan->table->row.id,
				     .destination = plan->destination,
				     .attachment = plan->attachment ? plan->attachment->row.id : UUID_NONE};
	TRY(limit_check(op, LIMIT_TRANSIT_ROUTES, next.table, !plan->present, STR_NONE));
	TRY(transit_route_put(op, &next));
	tell_made(wish, plan->attachment);
	return engine_log_event(op, KIND_TRANSIT_ROUTE_TABLE, &plan->table->row, "route changed",
				"Route to %s.", cidr_write(plan->destination, text));
}

static RESULT fail_no_route(struct op *op, const struct route_plan *plan, const struct ref *table)
{
	char text[CIDR_TEXT_SIZE];
	return ctx_fail_kind(op->ctx, ERR_NOT_FOUND, KIND_TRANSIT_ROUTE,
			     "no static route with destination-cidr-block %s in route table %" STR_FMT,
			     cidr_write(plan->destination, text), STR_ARG(table->text));
}

RESULT engine_create_transit_route(struct op *op, struct transit_route_wish *wish)
{
	static const char permission[] = "transit_gateway.create_route";
	struct route_plan plan = {0};
	char text[CIDR_TEXT_SIZE];
	TRY(resolve_route(op, permission, wish, &plan));
	TRY(resolve_target(op, permission, wish, &plan));
	if (plan.present)
		return ctx_fail_kind(op->ctx, ERR_EXISTS, KIND_TRANSIT_ROUTE,
				     "The route identified by %s already exists.",
				     cidr_write(plan.destination, text));
	return write_route(op, wish, &plan);
}

RESULT engine_replace_transit_route(struct op *op, struct transit_route_wish *wish)
{
	static const char permission[] = "transit_gateway.replace_route";
	struct route_plan plan = {0};
	TRY(resolve_route(op, permission, wish, &plan));
	TRY(resolve_target(op, permission, wish, &plan));
	return plan.present ? write_route(op, wish, &plan) : fail_no_route(op, &plan, &wish->route_table);
}

RESULT engine_delete_transit_route(struct op *op, struct transit_route_wish *wish)
{
	struct route_plan plan = {0};
	char text[CIDR_TEXT_SIZE];
	TRY(resolve_route(op, "transit_gateway.delete_route", wish, &plan));
	if (!plan.present)
		return fail_no_route(op, &plan, &wish->route_table);
	tell_made(wish, uuid_is_none(plan.present->attachment)
				? NULL
				: transit_attachment_find(op->head, plan.present->attachment));
	TRY(engine_log_event(op, KIND_TRANSIT_ROUTE_TABLE, &plan.table->row, "route deleted", "Route to %s.",
			     cidr_write(plan.destination, text)));
	return transit_route_forget(op, plan.present->row.id);
}

/* ---- effective routes ---- */

struct way_list {
	VEC(struct transit_way) at;
};

static bool add_static(struct arena *a, const struct tables *t, uuid table, struct way_list *list)
{
	for (const struct transit_route *r = transit_route_first_by_table(t, table); r;
	     r = transit_route_next_by_table(t, r)) {
		const struct transit_attachment *to =
			uuid_is_none(r->attachment) ? NULL : transit_attachment_find(t, r->attachment);
		struct transit_way way = {.to = r->destination,
					  .attachment = to && row_is_live(&to->row) ? to : NULL,
					  .route = r,
					  .is_blackhole = !engine_carries_transit(to, r->destination)};
		if (!VEC_PUSH(a, &list->at, way))
			return false;
	}
	return true;
}

static bool add_propagated(struct arena *a, const struct transit_attachment *attachment,
			   const struct cidrs *blocks, struct way_list *list)
{
	for (size_t k = 0; k < blocks->count; k++) {
		struct transit_way way = {.to = cidr_canonical(blocks->at[k]), .attachment = attachment};
		if (!VEC_PUSH(a, &list->at, way))
			return false;
	}
	return true;
}

/* Sorts by destination. Where several lead to one, the static route comes first, then the oldest attachment's. */
static int compare_ways(const void *left, const void *right)
{
	const struct transit_way *a = left, *b = right;
	int order = cidr_compare(a->to, b->to);
	if (order != 0)
		return order;
	if (a->route || b->route)
		return a->route ? -1 : 1;
	if (a->attachment->row.created_us != b->attachment->row.created_us)
		return a->attachment->row.created_us < b->attachment->row.created_us ? -1 : 1;
	return uuid_compare(a->attachment->row.id, b->attachment->row.id);
}

static void drop_shadowed(struct way_list *list)
{
	size_t count = 0;
	for (size_t k = 0; k < list->at.count; k++)
		if (count == 0 || !cidr_equal(list->at.at[count - 1].to, list->at.at[k].to))
			list->at.at[count++] = list->at.at[k];
	list->at.count = count;
}

bool engine_list_transit_ways(struct arena *a, const struct tables *t, uuid table,
			      struct transit_ways *ret_ways)
{
	struct way_list list = {0};
	const struct transit_route_table *row = transit_route_table_find(t, table);
	if (!add_static(a, t, table, &list))
		return false;
	const struct transit_attachment *each =
		row ? transit_attachment_first_by_gateway(t, row->gateway) : NULL;
	for (; each; each = transit_attachment_next_by_gateway(t, each)) {
		const struct router *router = router_find(t, each->router);
		if (!router || !row_is_live(&each->row) || !uuids_have(&each->propagates_to, table))
			continue;
		if (!add_propagated(a, each, &router->blocks, &list) ||
		    (each->ipv6_support && !add_propagated(a, each, &router->ipv6_blocks, &list)))
			return false;
	}
	if (list.at.count > 1)
		qsort(list.at.at, list.at.count, sizeof *list.at.at, compare_ways);
	drop_shadowed(&list);
	*ret_ways = (struct transit_ways){list.at.at, list.at.count};
	return true;
}

const struct transit_way *engine_find_transit_way(const struct transit_ways *ways, struct ip ip)
{
	const struct transit_way *best = NULL;
	for (size_t k = 0; k < ways->count; k++)
		if (cidr_contains(ways->at[k].to, ip) && (!best || ways->at[k].to.bits > best->to.bits))
			best = &ways->at[k];
	return best;
}
