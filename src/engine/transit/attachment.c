/* SPDX-License-Identifier: Apache-2.0
 * Attachments of VPCs to transit gateways. */
#include "engine/transit/transit.h"

#include "engine/condition_internal.h"
#include "engine/limits.h"
#include "engine/tag_internal.h"
#include "engine/transit/transit_internal.h"
#include "store/router.h"
#include "store/subnet.h"
#include "store/transit_attachment.h"
#include "store/transit_gateway.h"

#define ATTACHMENT_METER STR("transit-gateway-attachment")
enum {
	SUBNETS_MAX = 64, /* in one attachment; the schema says so too */
	LINKS_MAX = 4096  /* link addresses that the network has */
};

/* ---- finding ---- */

RESULT transit_find_attachment(struct op *op, const struct ref *ref,
			       const struct transit_attachment **ret_attachment)
{
	TRY(engine_find_own_transit_attachment(op->ctx, op->head, ref, ret_attachment));
	if (row_is_live(&(*ret_attachment)->row))
		return OK;
	if ((*ret_attachment)->ended_us != 0)
		return engine_fail_not_found(op->ctx, KIND_TRANSIT_ATTACHMENT, ref);
	return ENGINE_FAIL(op, ERR_STATE, KIND_TRANSIT_ATTACHMENT, ref->field,
			   "%" STR_FMT " is in invalid state.",
			   STR_ARG(engine_write_id(op, KIND_TRANSIT_ATTACHMENT, (*ret_attachment)->row.id)));
}

const struct transit_attachment *engine_find_transit_attachment_of(const struct tables *t, uuid router,
								   uuid gateway)
{
	const struct transit_attachment *a = transit_attachment_first_by_router(t, router);
	while (a && !(row_is_live(&a->row) && uuid_equal(a->gateway, gateway)))
		a = transit_attachment_next_by_router(t, a);
	return a;
}

bool engine_carries_transit(const struct transit_attachment *a, struct cidr to)
{
	return a && row_is_live(&a->row) && (to.base.family == IP_V4 || a->ipv6_support);
}

bool engine_resolves_over_transit(const struct tables *t, uuid asker, uuid owner)
{
	bool resolves = false;
	for (const struct transit_attachment *a = transit_attachment_first_by_router(t, owner);
	     a && !resolves; a = transit_attachment_next_by_router(t, a)) {
		const struct transit_gateway *gateway = transit_gateway_find(t, a->gateway);
		const struct transit_attachment *other =
			engine_find_transit_attachment_of(t, asker, a->gateway);
		resolves = row_is_live(&a->row) && a->dns_support && gateway && gateway->dns_support &&
			   other && other->dns_support;
	}
	return resolves;
}

bool transit_holds_router(const struct tables *t, uuid router)
{
	const struct transit_attachment *a = transit_attachment_first_by_router(t, router);
	while (a && a->ended_us != 0)
		a = transit_attachment_next_by_router(t, a);
	return a != NULL;
}

const struct transit_attachment *transit_find_in_subnet(const struct tables *t, const struct subnet *subnet)
{
	const struct transit_attachment *a =
		uuid_is_none(subnet->router) ? NULL : transit_attachment_first_by_router(t, subnet->router);
	while (a && !(row_is_live(&a->row) && uuids_have(&a->subnets, subnet->row.id)))
		a = transit_attachment_next_by_router(t, a);
	return a;
}

/* ---- subnets ---- */

struct subnet_list {
	uuid ids[SUBNETS_MAX];
	size_t count;
};

static bool is_listed(const struct subnet_list *list, uuid id)
{
	return uuids_have(&(struct uuids){(uuid *) list->ids, list->count}, id);
}

/* True if the list has another subnet of the zone. */
static bool has_zone(const struct tables *t, const struct subnet_list *list, uuid zone)
{
	for (size_t k = 0; k < list->count; k++) {
		const struct subnet *other = subnet_find(t, list->ids[k]);
		if (other && uuid_equal(other->zone, zone))
			return true;
	}
	return false;
}

static RESULT find_subnet(struct op *op, const struct ref *ref, uuid router, const struct subnet **ret_subnet)
{
	TRY(engine_find_own_subnet(op->ctx, op->head, ref, ret_subnet));
	if (uuid_equal((*ret_subnet)->router, router))
		return OK;
	return engine_fail_not_found(op->ctx, KIND_SUBNET, ref);
}

static RESULT add_subnets(struct op *op, const struct refs *refs, const char *permission, uuid router,
			  struct subnet_list *list)
{
	for (size_t k = 0; k < refs->count; k++) {
		const struct subnet *subnet = NULL;
		TRY(find_subnet(op, &refs->at[k], router, &subnet));
		TRY(engine_permit(op, permission, KIND_SUBNET, &subnet->row));
		if (list->count == SUBNETS_MAX || has_zone(op->head, list, subnet->zone))
			return ENGINE_FAIL(op, ERR_COMBINATION, KIND_TRANSIT_ATTACHMENT, refs->at[k].field,
					   "Duplicate Subnets for same AZ");
		list->ids[list->count++] = subnet->row.id;
	}
	return OK;
}

static RESULT remove_subnets(struct op *op, const struct refs *refs, const char *permission, uuid router,
			     struct subnet_list *list)
{
	for (size_t k = 0; k < refs->count; k++) {
		const struct subnet *subnet = NULL;
		TRY(find_subnet(op, &refs->at[k], router, &subnet));
		TRY(engine_permit(op, permission, KIND_SUBNET, &subnet->row));
		if (!is_listed(list, subnet->row.id))
			return engine_fail_not_found(op->ctx, KIND_SUBNET, &refs->at[k]);
		size_t count = 0;
		for (size_t n = 0; n < list->count; n++)
			if (!uuid_equal(list->ids[n], subnet->row.id))
				list->ids[count++] = list->ids[n];
		list->count = count;
	}
	return OK;
}

/* ---- creation ---- */

static bool is_link_of(const struct tables *t, uuid gateway, uuid router, int64_t link)
{
	for (const struct transit_attachment *a = transit_attachment_first_by_gateway(t, gateway); a;
	     a = transit_attachment_next_by_gateway(t, a))
		if (a->ended_us == 0 && a->link == link)
			return true;
	for (const struct transit_attachment *a = transit_attachment_first_by_router(t, router); a;
	     a = transit_attachment_next_by_router(t, a))
		if (a->ended_us == 0 && a->link == link)
			return true;
	return false;
}

/* Lowest link number that neither router uses. An attachment that is being removed still holds its number. */
static int64_t choose_link(const struct tables *t, uuid gateway, uuid router)
{
	int64_t link = 0;
	while (is_link_of(t, gateway, router, link))
		link++;
	return link;
}

struct attachment_plan {
	const struct transit_gateway *gateway;
	const struct router *router;
	struct subnet_list subnets;
	struct tags tags;
};

static RESULT resolve_attachment(struct op *op, const struct transit_attachment_wish *wish,
				 struct attachment_plan *plan)
{
	static const char permission[] = "transit_gateway.attach";
	TRY(transit_find_gateway(op, &wish->gateway, &plan->gateway));
	TRY(engine_find_own_router(op->ctx, op->head, &wish->router, &plan->router));
	if (!plan->router->blocks.count)
		return ENGINE_FAIL(op, ERR_INVALID, KIND_ROUTER, wish->router.field,
				   "The VPC '%" STR_FMT "' has no CIDR block of its own, and no attachments.",
				   STR_ARG(wish->router.text));
	/* An administrator sees both accounts' rows. */
	if (!uuid_equal(plan->router->account, plan->gateway->account))
		return engine_fail_not_found(op->ctx, KIND_TRANSIT_GATEWAY, &wish->gateway);
	TRY(add_subnets(op, &wish->subnets, permission, plan->router->row.id, &plan->subnets));
	TRY(tag_normalize(op, wish->tags, &plan->tags));
	TRY(engine_permit(op, permission, KIND_TRANSIT_GATEWAY, &plan->gateway->row));
	return engine_permit(op, permission, KIND_ROUTER, &plan->router->row);
}

static RESULT check_attachment(struct op *op, const struct transit_attachment_wish *wish,
			       const struct attachment_plan *plan)
{
	if (engine_find_transit_attachment_of(op->head, plan->router->row.id, plan->gateway->row.id))
		return ENGINE_FAIL(op, ERR_EXISTS, KIND_TRANSIT_ATTACHMENT, wish->router.field,
				   "%" STR_FMT
				   " has non-deleted Transit Gateway Attachments with same VPC ID.",
				   STR_ARG(engine_write_id(op, KIND_TRANSIT_GATEWAY, plan->gateway->row.id)));
	TRY(limit_check(op, LIMIT_TRANSIT_ATTACHMENTS, plan->gateway->row.id, 1, STR_NONE));
	return limit_check(op, LIMIT_ROUTER_ATTACHMENTS, plan->router->row.id, 1, STR_NONE);
}

RESULT engine_create_transit_attachment(struct op *op, struct transit_attachment_wish *wish)
{
	struct attachment_plan plan = {0};
	TRY(resolve_attachment(op, wish, &plan));
	const struct transit_gateway *gateway = plan.gateway;
	uuid table = gateway->propagation_table;
	struct transit_attachment next = {
		.row.id = engine_new_id(op, KIND_TRANSIT_ATTACHMENT),
		.row.gen = 1,
		.account = plan.router->account,
		.gateway = gateway->row.id,
		.router = plan.router->row.id,
		.subnets = {plan.subnets.ids, plan.subnets.count},
		.dns_support = choice_or(wish->dns_support, true),
		.ipv6_support = choice_or(wish->ipv6_support, false),
		.table = gateway->associates ? gateway->association_table : UUID_NONE,
		.propagates_to = {&table, gateway->propagates && !uuid_is_none(table)},
		.link = choose_link(op->head, gateway->row.id, plan.router->row.id),
		.tags = plan.tags};
	TRY(engine_permit_new(op, "transit_gateway.attach", KIND_TRANSIT_ATTACHMENT, &next.row));
	TRY(check_attachment(op, wish, &plan));
	if (next.link >= LINKS_MAX)
		return ctx_fail(op->ctx, ERR_AGAIN, "Too many attachments of the gateway are being deleted.");
	TRY(transit_attachment_put(op, &next));
	TRY(op_usage(op, KIND_TRANSIT_ATTACHMENT, next.row.id, next.account, ATTACHMENT_METER, 1));
	wish->attachment = next.row.id;
	return engine_log_event(op, KIND_TRANSIT_ATTACHMENT, &next.row, "created",
				"VPC %" STR_FMT " is attached to %" STR_FMT ".",
				STR_ARG(engine_write_id(op, KIND_ROUTER, next.router)),
				STR_ARG(engine_write_id(op, KIND_TRANSIT_GATEWAY, next.gateway)));
}

/* ---- change ---- */

RESULT engine_update_transit_attachment(struct op *op, struct transit_attachment_settings *wish)
{
	static const char permission[] = "transit_gateway.update_attachment";
	const struct transit_attachment *attachment = NULL;
	struct subnet_list list = {0};
	TRY(transit_find_attachment(op, &wish->attachment, &attachment));
	TRY(engine_permit(op, permission, KIND_TRANSIT_ATTACHMENT, &attachment->row));
	for (size_t k = 0; k < attachment->subnets.count && k < SUBNETS_MAX; k++)
		list.ids[list.count++] = attachment->subnets.at[k];
	TRY(remove_subnets(op, &wish->removed, permission, attachment->router, &list));
	TRY(add_subnets(op, &wish->added, permission, attachment->router, &list));
	if (list.count == 0)
		return ctx_fail_kind(op->ctx, ERR_MISSING, KIND_TRANSIT_ATTACHMENT,
				     "An attachment needs a subnet: the last one cannot be removed.");
	struct transit_attachment next = *attachment;
	next.subnets = (struct uuids){list.ids, list.count};
	choice_apply(wish->dns_support, &next.dns_support);
	choice_apply(wish->ipv6_support, &next.ipv6_support);
	next.row.gen++;
	TRY(transit_attachment_put(op, &next));
	wish->made = attachment->row.id;
	return engine_log_event(op, KIND_TRANSIT_ATTACHMENT, &next.row, "changed", "It is in %zu subnets.",
				list.count);
}

RESULT engine_delete_transit_attachment(struct op *op, struct transit_attachment_target *wish)
{
	const struct transit_attachment *attachment = NULL;
	TRY(engine_permit_transit_attachment(op, &wish->attachment, "transit_gateway.detach", &attachment));
	wish->made = attachment->row.id;
	if (!row_is_live(&attachment->row))
		return OK;
	struct transit_attachment next = *attachment;
	next.table = UUID_NONE;
	next.propagates_to = (struct uuids){0};
	TRY(transit_attachment_put(op, &next));
	TRY(transit_attachment_delete(op, attachment->row.id));
	return engine_log_event(op, KIND_TRANSIT_ATTACHMENT, &next.row, "deleted", "Attachment.");
}

RESULT engine_answer_transit_attachment(struct op *op, struct transit_attachment_target *wish)
{
	const struct transit_attachment *attachment = NULL;
	engine_need_no_permission(op); /* it changes nothing */
	TRY(transit_find_attachment(op, &wish->attachment, &attachment));
	return ENGINE_FAIL(op, ERR_STATE, KIND_TRANSIT_ATTACHMENT, wish->attachment.field,
			   "%" STR_FMT " is in invalid state.",
			   STR_ARG(engine_write_id(op, KIND_TRANSIT_ATTACHMENT, attachment->row.id)));
}

/* ---- reports of the reconciler ---- */

RESULT engine_see_transit_attachment(struct op *op, struct transit_report *report)
{
	const struct transit_attachment *a = transit_attachment_find(op->head, report->id);
	if (!a || a->ended_us != 0)
		return OK;
	struct transit_attachment next = *a;
	int64_t *seen = report->is_of_router ? &next.router_seen_gen : &next.seen_gen;
	if ((int64_t) report->gen > *seen)
		*seen = (int64_t) report->gen;
	bool is_gone = !row_is_live(&a->row) && next.seen_gen >= (int64_t) a->row.gen &&
		       next.router_seen_gen >= (int64_t) a->row.gen;
	if (is_gone) {
		next.ended_us = op->now_us;
		TRY(op_usage(op, KIND_TRANSIT_ATTACHMENT, a->row.id, a->account, ATTACHMENT_METER, 0));
	}
	return transit_attachment_put(op, &next);
}

RESULT engine_forget_transit_attachment(struct op *op, struct transit_report *report)
{
	const struct transit_attachment *a = transit_attachment_find(op->head, report->id);
	if (!a)
		return OK;
	if (a->ended_us == 0 || op->now_us < a->ended_us + TRANSIT_VISIBLE_US)
		return ctx_fail_kind(op->ctx, ERR_STATE, KIND_TRANSIT_ATTACHMENT,
				     "The attachment is still shown.");
	return transit_attachment_forget(op, report->id);
}
