/* SPDX-License-Identifier: Apache-2.0
 * Reservations of addresses in subnets. The choice of addresses (port_ips.c) reads the unreserved parts here. */
#include "engine/network/subnet_reservation.h"

#include "engine/internal.h"
#include "engine/limits.h"
#include "engine/network/ipv6.h"
#include "engine/network/subnet_internal.h"
#include "engine/tag_internal.h"
#include "store/subnet.h"
#include "store/subnet_reservation.h"

static RESULT check_block(struct op *op, const struct subnet *subnet, struct cidr block)
{
	char text[CIDR_TEXT_SIZE], whole[CIDR_TEXT_SIZE];
	cidr_write(block, text);
	if (!cidr_contains_cidr(subnet->block, block))
		return ENGINE_FAIL(op, ERR_RANGE, KIND_SUBNET_RESERVATION, STR("Cidr"),
				   "The CIDR '%s' is not within the subnet's CIDR block %s.", text,
				   cidr_write(subnet->block, whole));
	const struct subnet_reservation *r = subnet_reservation_first_by_subnet(op->head, subnet->row.id);
	for (; r; r = subnet_reservation_next_by_subnet(op->head, r)) {
		if (cidr_overlaps(r->block, block))
			return ENGINE_FAIL(op, ERR_CONFLICT, KIND_SUBNET_RESERVATION, STR("Cidr"),
					   "The CIDR '%s' overlaps with the reservation %" STR_FMT ".", text,
					   STR_ARG(engine_write_id(op, KIND_SUBNET_RESERVATION, r->row.id)));
	}
	return limit_check(op, LIMIT_SUBNET_RESERVATIONS, subnet->row.id, 1, STR("Cidr"));
}

/* The subnet that contains the block: for IPv6 addresses, the one beside the named subnet. */
static const struct subnet *find_holder(const struct op *op, const struct subnet *named, struct cidr block)
{
	const struct subnet *beside =
		block.base.family == IP_V6 ? engine_find_ipv6_subnet(op->head, named) : NULL;
	return beside ? beside : named;
}

RESULT engine_create_subnet_reservation(struct op *op, struct subnet_reservation_wish *wish)
{
	const struct subnet *subnet = NULL, *holder = NULL;
	char text[CIDR_TEXT_SIZE];
	TRY(engine_find_own_subnet(op->ctx, op->head, &wish->subnet, &subnet));
	holder = find_holder(op, subnet, wish->block);
	struct subnet_reservation made = {.row.gen = 1,
					  .account = subnet->account,
					  .subnet = holder->row.id,
					  .block = cidr_canonical(wish->block),
					  .type = wish->type,
					  .description = wish->description};
	TRY(check_block(op, holder, made.block));
	TRY(tag_normalize(op, wish->tags, &made.tags));
	made.row.id = engine_new_id(op, KIND_SUBNET_RESERVATION);
	TRY(engine_permit(op, "subnet_reservation.create", KIND_SUBNET, &subnet->row));
	TRY(engine_permit_new(op, "subnet_reservation.create", KIND_SUBNET_RESERVATION, &made.row));
	TRY(subnet_reservation_put(op, &made));
	wish->reservation = made.row.id;
	return engine_log_event(op, KIND_SUBNET, &subnet->row, "changed", "%s is reserved.",
				cidr_write(made.block, text));
}

RESULT engine_delete_subnet_reservation(struct op *op, struct subnet_reservation_target *wish)
{
	const struct subnet_reservation *reservation = NULL;
	char text[CIDR_TEXT_SIZE];
	TRY(engine_permit_subnet_reservation(op, &wish->reservation, "subnet_reservation.delete",
					     &reservation));
	wish->deleted = *reservation;
	wish->deleted.description = str_copy(op->ctx->arena, reservation->description);
	wish->deleted.tags = (struct tags){0};
	TRY(subnet_reservation_forget(op, reservation->row.id));
	const struct subnet *holder = subnet_find(op->head, wish->deleted.subnet);
	const struct subnet *beside = holder && holder->block.base.family == IP_V6
					      ? engine_find_ipv4_subnet(op->head, holder)
					      : NULL;
	const struct subnet *subnet = beside ? beside : holder;
	wish->subnet = subnet ? subnet->row.id : wish->deleted.subnet;
	if (!subnet)
		return OK;
	return engine_log_event(op, KIND_SUBNET, &subnet->row, "changed", "%s is reserved no more.",
				cidr_write(wish->deleted.block, text));
}

static void add_span(struct ip_spans *spans, struct ip first, struct ip last)
{
	if (ip_compare(first, last) > 0)
		return;
	spans->at[spans->count].first = first;
	spans->at[spans->count++].last = last;
}

/* The index returns reservations in address order, and they do not overlap. */
void subnet_find_spans(const struct tables *t, const struct subnet *subnet, struct ip first, struct ip last,
		       struct ip_spans *ret_spans)
{
	ret_spans->count = 0;
	for (const struct subnet_reservation *r = subnet_reservation_first_by_subnet(t, subnet->row.id); r;
	     r = subnet_reservation_next_by_subnet(t, r)) {
		struct ip end = cidr_last(r->block);
		if (ip_compare(end, first) < 0 || ip_compare(r->block.base, last) > 0)
			continue;
		add_span(ret_spans, first, ip_add(r->block.base, (uint64_t) -1));
		if (ip_compare(end, last) >= 0)
			return;
		first = ip_add(end, 1);
	}
	add_span(ret_spans, first, last);
}
