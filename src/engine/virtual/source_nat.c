/* SPDX-License-Identifier: Apache-2.0
 * Public addresses for outbound connections of subnets. Called by: api/azure. */
#include "engine/virtual/source_nat.h"

#include "engine/acting.h"
#include "engine/internal.h"
#include "engine/limits.h"
#include "engine/network/address/address_prefix_internal.h"
#include "engine/network/address/port_forwarding.h"
#include "store/address.h"
#include "store/address_prefix.h"
#include "store/load_balancer.h"
#include "store/port_forwarding.h"
#include "store/source_nat.h"
#include "store/subnet.h"

static RESULT check_free(struct op *op, const struct address *a, uuid source_nat, const struct ref *ref)
{
	bool is_other = !uuid_is_none(a->source_nat) && !uuid_equal(a->source_nat, source_nat);
	if (a->is_elastic && !is_other && uuid_is_none(a->port) &&
	    !port_forwarding_first_by_address(op->head, a->row.id) &&
	    !load_balancer_first_by_address(op->head, a->row.id))
		return OK;
	return ENGINE_FAIL(op, ERR_CONFLICT, KIND_ADDRESS, ref->field,
			   "The public address %" STR_FMT " is in use.", STR_ARG(ref->text));
}

static RESULT take(struct op *op, const struct address *a, uuid source_nat)
{
	struct address next = *a;
	if (uuid_equal(a->source_nat, source_nat))
		return OK;
	next.source_nat = source_nat;
	next.row.gen++;
	return address_put(op, &next);
}

static RESULT take_all(struct op *op, const struct source_nat_wish *wish, uuid id)
{
	struct uuids wanted = {arena_new_array(op->ctx->arena, uuid, wish->addresses.count + 1), 0};
	if (!wanted.at)
		return ctx_no_memory(op->ctx);
	for (size_t k = 0; k < wish->addresses.count; k++) {
		const struct address *a = NULL;
		TRY(engine_find_own_address(op->ctx, op->head, &wish->addresses.at[k], &a));
		TRY(check_free(op, a, id, &wish->addresses.at[k]));
		TRY(engine_permit(op, "source_nat.update", KIND_ADDRESS, &a->row));
		((uuid *) wanted.at)[wanted.count++] = a->row.id;
		TRY(take(op, a, id));
	}
	const struct address *a = address_first_by_source_nat(op->head, id), *next = NULL;
	for (; a; a = next) {
		next = address_next_by_source_nat(op->head, a);
		if (a->is_elastic && !uuids_have(&wanted, a->row.id))
			TRY(take(op, a, UUID_NONE));
	}
	return OK;
}

/* ---- blocks of addresses ---- */

static RESULT take_prefix(struct op *op, const struct ref *ref, uuid source_nat, uuid *ret_prefix)
{
	const struct address_prefix *p = NULL;
	TRY(engine_permit_address_prefix(op, ref, "source_nat.update", &p));
	*ret_prefix = p->row.id;
	if (uuid_equal(p->source_nat, source_nat))
		return OK;
	if (!uuid_is_none(p->source_nat))
		return ENGINE_FAIL(op, ERR_CONFLICT, KIND_ADDRESS_PREFIX, ref->field,
				   "The public IP prefix %" STR_FMT " is in use.", STR_ARG(ref->text));
	return address_prefix_take(op, p, source_nat, ref);
}

static RESULT take_prefixes(struct op *op, const struct source_nat_wish *wish, uuid id)
{
	uuid *wanted = arena_new_array(op->ctx->arena, uuid, wish->prefixes.count + 1);
	if (!wanted)
		return ctx_no_memory(op->ctx);
	for (size_t k = 0; k < wish->prefixes.count; k++)
		TRY(take_prefix(op, &wish->prefixes.at[k], id, &wanted[k]));
	struct uuids kept = {wanted, wish->prefixes.count};
	const struct address_prefix *p = address_prefix_first_by_source_nat(op->head, id), *next = NULL;
	for (; p; p = next) {
		next = address_prefix_next_by_source_nat(op->head, p);
		if (!uuids_have(&kept, p->row.id))
			TRY(address_prefix_leave(op, p));
	}
	return OK;
}

static RESULT check_count(struct op *op, const struct source_nat_wish *wish)
{
	uint64_t count = wish->addresses.count;
	for (size_t k = 0; k < wish->prefixes.count; k++) {
		const struct address_prefix *p = NULL;
		TRY(engine_find_own_address_prefix(op->ctx, op->head, &wish->prefixes.at[k], &p));
		count += cidr_count(p->block);
	}
	return count <= SOURCE_NAT_ADDRESSES_MAX
		       ? OK
		       : ctx_fail_kind(op->ctx, ERR_QUOTA, KIND_SOURCE_NAT,
				       "A NAT gateway has up to %d public addresses.",
				       SOURCE_NAT_ADDRESSES_MAX);
}

RESULT engine_put_source_nat(struct op *op, struct source_nat_wish *wish)
{
	uuid account = UUID_NONE;
	const struct source_nat *present = NULL;
	TRY(engine_find_acting_id(op, &account));
	TRY(check_count(op, wish));
	if (ref_is_given(&wish->source_nat)) {
		TRY(engine_find_own_source_nat(op->ctx, op->head, &wish->source_nat, &present));
		TRY(engine_permit(op, "source_nat.update", KIND_SOURCE_NAT, &present->row));
	} else {
		TRY(engine_check_name(op, KIND_SOURCE_NAT, wish->name));
		TRY(limit_check(op, LIMIT_SOURCE_NATS, account, 1, STR_NONE));
		TRY(engine_permit(op, "source_nat.create", KIND_SOURCE_NAT, NULL));
	}
	struct source_nat next = {
		.row = {.id = engine_new_id(op, KIND_SOURCE_NAT)}, .account = account, .name = wish->name};
	if (present)
		next = *present;
	next.row.gen++;
	wish->made = next.row.id;
	if (!present)
		TRY(source_nat_put(op, &next));
	size_t before = op_place_now(op).entries;
	TRY(take_all(op, wish, wish->made));
	TRY(take_prefixes(op, wish, wish->made));
	if (op_place_now(op).entries == before)
		return OK;
	if (present)
		TRY(source_nat_put(op, &next));
	return engine_log_event(op, KIND_SOURCE_NAT, &source_nat_find(op->head, wish->made)->row, "changed",
				"It has %zu public addresses and %zu public IP prefixes.",
				wish->addresses.count, wish->prefixes.count);
}

RESULT engine_delete_source_nat(struct op *op, struct source_nat_target *wish)
{
	const struct source_nat *nat = NULL;
	TRY(engine_permit_source_nat(op, &wish->source_nat, "source_nat.delete", &nat));
	const struct subnet *user = subnet_find_by_source_nat(op->head, nat->row.id);
	if (user)
		return ENGINE_FAIL_ABOUT(op, ERR_IN_USE, KIND_SOURCE_NAT, &wish->source_nat,
					 "NAT gateway %" STR_FMT
					 " is in use by a subnet and cannot be deleted.",
					 STR_ARG(nat->name));
	struct source_nat_wish none = {.addresses = {0}};
	uuid id = nat->row.id;
	TRY(engine_log_event(op, KIND_SOURCE_NAT, &nat->row, "deleted", "NAT gateway %" STR_FMT ".",
			     STR_ARG(nat->name)));
	TRY(take_all(op, &none, id));
	TRY(take_prefixes(op, &none, id));
	return source_nat_forget(op, id);
}

bool engine_list_translated(struct arena *arena, const struct tables *t, uuid source_nat, struct ips *ret_ips)
{
	VEC(struct ip) ips = {0};
	const struct address *a =
		uuid_is_none(source_nat) ? NULL : address_first_by_source_nat(t, source_nat);
	for (; a; a = address_next_by_source_nat(t, a))
		if (row_is_live(&a->row) && a->ip.family == IP_V4 && !VEC_PUSH(arena, &ips, a->ip))
			return false;
	*ret_ips = (struct ips){ips.at, ips.count};
	return true;
}
