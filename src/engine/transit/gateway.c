/* SPDX-License-Identifier: Apache-2.0
 * Transit gateways. */
#include "engine/transit/transit.h"

#include <inttypes.h>

#include "engine/acting.h"
#include "engine/capacity_internal.h"
#include "engine/condition_internal.h"
#include "engine/limits.h"
#include "engine/tag_internal.h"
#include "engine/transit/transit_internal.h"
#include "store/transit_attachment.h"
#include "store/transit_gateway.h"
#include "store/transit_route_table.h"

/* ---- finding ---- */

RESULT transit_find_gateway(struct op *op, const struct ref *ref, const struct transit_gateway **ret_gateway)
{
	TRY(engine_find_own_transit_gateway(op->ctx, op->head, ref, ret_gateway));
	if (row_is_live(&(*ret_gateway)->row))
		return OK;
	if ((*ret_gateway)->ended_us != 0)
		return engine_fail_not_found(op->ctx, KIND_TRANSIT_GATEWAY, ref);
	return ENGINE_FAIL(op, ERR_STATE, KIND_TRANSIT_GATEWAY, ref->field,
			   "%" STR_FMT " is in invalid state.",
			   STR_ARG(engine_write_id(op, KIND_TRANSIT_GATEWAY, (*ret_gateway)->row.id)));
}

/* ---- creation and change ---- */

static bool is_private_asn(int64_t asn)
{
	return (asn >= TRANSIT_ASN_DEFAULT && asn <= TRANSIT_ASN_LAST_16) ||
	       (asn >= TRANSIT_ASN_FIRST_32 && asn <= TRANSIT_ASN_LAST_32);
}

static RESULT check_asn(struct op *op, int64_t asn, struct str field)
{
	if (is_private_asn(asn))
		return OK;
	return ENGINE_FAIL(op, ERR_INVALID, KIND_TRANSIT_GATEWAY, field,
			   "Value (%" PRId64 ") for parameter amazonSideAsn is invalid. A private ASN is in "
			   "64512-65534 or 4200000000-4294967294.",
			   asn);
}

RESULT engine_create_transit_gateway(struct op *op, struct transit_gateway_wish *wish)
{
	uuid account = UUID_NONE;
	TRY(engine_find_acting_id(op, &account));
	struct transit_gateway gateway = {.row.id = engine_new_id(op, KIND_TRANSIT_GATEWAY),
					  .row.gen = 1,
					  .account = account,
					  .description = wish->description,
					  .asn = wish->asn,
					  .auto_accept = choice_or(wish->auto_accept, false),
					  .associates = choice_or(wish->associates, true),
					  .propagates = choice_or(wish->propagates, true),
					  .vpn_ecmp = choice_or(wish->vpn_ecmp, true),
					  .dns_support = choice_or(wish->dns_support, true)};
	TRY(check_asn(op, wish->asn, wish->asn_field));
	TRY(tag_normalize(op, wish->tags, &gateway.tags));
	TRY(engine_permit_new(op, "transit_gateway.create", KIND_TRANSIT_GATEWAY, &gateway.row));
	TRY(limit_check(op, LIMIT_TRANSIT_GATEWAYS, account, 1, STR_NONE));
	TRY(capacity_check_keys(op, KIND_TRANSIT_GATEWAY));
	TRY(transit_gateway_put(op,
				&gateway)); /* before its table, which is counted in the gateway's usage */
	wish->gateway = gateway.row.id;
	if (gateway.associates || gateway.propagates) {
		uuid table = UUID_NONE;
		TRY(transit_table_write(op, &gateway, (struct tags){0}, &table));
		gateway.association_table = gateway.associates ? table : UUID_NONE;
		gateway.propagation_table = gateway.propagates ? table : UUID_NONE;
		TRY(transit_gateway_put(op, &gateway));
	}
	return engine_log_event(op, KIND_TRANSIT_GATEWAY, &gateway.row, "created", "Transit gateway.");
}

/* Sets a default route table: the named one, or the one that there is. */
static RESULT set_default(struct op *op, const struct transit_gateway *gateway, const struct ref *named,
			  bool is_on, uuid *table)
{
	const struct row *row = NULL;
	if (!ref_is_given(named)) {
		if (is_on && uuid_is_none(*table))
			return ctx_fail_kind(op->ctx, ERR_MISSING, KIND_TRANSIT_GATEWAY,
					     "The transit gateway has no default route table: name one.");
		return OK;
	}
	if (!is_on)
		return ENGINE_FAIL(op, ERR_COMBINATION, KIND_TRANSIT_GATEWAY, named->field,
				   "%" STR_FMT " is named, but that default route table is disabled.",
				   STR_ARG(named->text));
	TRY(engine_find_own(op->ctx, op->head, KIND_TRANSIT_ROUTE_TABLE, named, &row));
	if (!uuid_equal(transit_route_table_of(row)->gateway, gateway->row.id))
		return engine_fail_not_found(op->ctx, KIND_TRANSIT_ROUTE_TABLE, named);
	TRY(engine_permit(op, "transit_gateway.update", KIND_TRANSIT_ROUTE_TABLE, row));
	*table = row->id;
	return OK;
}

static bool has_attachments(const struct tables *t, uuid gateway, const struct transit_attachment **ret_first)
{
	*ret_first = transit_attachment_first_by_gateway(t, gateway);
	while (*ret_first && !row_is_live(&(*ret_first)->row))
		*ret_first = transit_attachment_next_by_gateway(t, *ret_first);
	return *ret_first != NULL;
}

static RESULT set_asn(struct op *op, const struct transit_gateway_settings *wish,
		      const struct transit_gateway *gateway, int64_t *asn)
{
	const struct transit_attachment *first = NULL;
	if (wish->asn == 0 || wish->asn == *asn)
		return OK;
	TRY(check_asn(op, wish->asn, wish->asn_field));
	if (has_attachments(op->head, gateway->row.id, &first))
		return ENGINE_FAIL(op, ERR_STATE, KIND_TRANSIT_GATEWAY, wish->asn_field,
				   "The ASN of %" STR_FMT " cannot be changed while it has attachments.",
				   STR_ARG(engine_write_id(op, KIND_TRANSIT_GATEWAY, gateway->row.id)));
	*asn = wish->asn;
	return OK;
}

RESULT engine_update_transit_gateway(struct op *op, struct transit_gateway_settings *wish)
{
	const struct transit_gateway *gateway = NULL;
	TRY(transit_find_gateway(op, &wish->gateway, &gateway));
	TRY(engine_permit(op, "transit_gateway.update", KIND_TRANSIT_GATEWAY, &gateway->row));
	struct transit_gateway next = *gateway;
	if (wish->description)
		next.description = *wish->description;
	choice_apply(wish->associates, &next.associates);
	choice_apply(wish->propagates, &next.propagates);
	choice_apply(wish->dns_support, &next.dns_support);
	choice_apply(wish->vpn_ecmp, &next.vpn_ecmp);
	choice_apply(wish->auto_accept, &next.auto_accept);
	TRY(set_default(op, gateway, &wish->association_table, next.associates, &next.association_table));
	TRY(set_default(op, gateway, &wish->propagation_table, next.propagates, &next.propagation_table));
	TRY(set_asn(op, wish, gateway, &next.asn));
	if (!next.associates)
		next.association_table = UUID_NONE;
	if (!next.propagates)
		next.propagation_table = UUID_NONE;
	next.row.gen++;
	TRY(transit_gateway_put(op, &next));
	wish->made = gateway->row.id;
	return engine_log_event(op, KIND_TRANSIT_GATEWAY, &next.row, "changed", "Transit gateway.");
}

/* ---- deletion ---- */

RESULT engine_delete_transit_gateway(struct op *op, struct transit_gateway_target *wish)
{
	const struct transit_gateway *gateway = NULL;
	const struct transit_attachment *first = NULL;
	TRY(engine_permit_transit_gateway(op, &wish->gateway, "transit_gateway.delete", &gateway));
	wish->made = gateway->row.id;
	if (!row_is_live(&gateway->row))
		return OK;
	if (has_attachments(op->head, gateway->row.id, &first))
		return ENGINE_FAIL(op, ERR_STATE, KIND_TRANSIT_GATEWAY, wish->gateway.field,
				   "%" STR_FMT " has non-deleted Transit Gateway Attachments: %" STR_FMT ".",
				   STR_ARG(engine_write_id(op, KIND_TRANSIT_GATEWAY, gateway->row.id)),
				   STR_ARG(engine_write_id(op, KIND_TRANSIT_ATTACHMENT, first->row.id)));
	TRY(transit_gateway_delete(op, gateway->row.id));
	return engine_log_event(op, KIND_TRANSIT_GATEWAY, &gateway->row, "deleted", "Transit gateway.");
}

/* ---- reports of the reconciler ---- */

RESULT engine_see_transit_gateway(struct op *op, struct transit_report *report)
{
	const struct transit_gateway *gateway = transit_gateway_find(op->head, report->id);
	if (!gateway || !row_is_live(&gateway->row) || (int64_t) report->gen <= gateway->seen_gen)
		return OK;
	struct transit_gateway next = *gateway;
	next.seen_gen = (int64_t) report->gen;
	return transit_gateway_put(op, &next);
}

RESULT engine_end_transit_gateway(struct op *op, struct transit_report *report)
{
	const struct transit_gateway *gateway = transit_gateway_find(op->head, report->id);
	if (!gateway || gateway->ended_us != 0)
		return OK;
	if (row_is_live(&gateway->row))
		return ctx_fail_kind(op->ctx, ERR_STATE, KIND_TRANSIT_GATEWAY,
				     "The transit gateway is not deleted.");
	struct transit_gateway next = *gateway;
	next.ended_us = op->now_us;
	return transit_gateway_put(op, &next);
}

/* Waits for its attachments, which refer to it, to be forgotten. */
RESULT engine_forget_transit_gateway(struct op *op, struct transit_report *report)
{
	const struct transit_gateway *gateway = transit_gateway_find(op->head, report->id);
	if (!gateway)
		return OK;
	if (gateway->ended_us == 0 || op->now_us < gateway->ended_us + TRANSIT_VISIBLE_US)
		return ctx_fail_kind(op->ctx, ERR_STATE, KIND_TRANSIT_GATEWAY,
				     "The transit gateway is still shown.");
	return transit_gateway_forget(op, report->id);
}
