/* SPDX-License-Identifier: Apache-2.0
 * Address scopes. Nothing outside the tables depends on them. Source of the rules: neutron.db.address_scope_db and
 * db_base_plugin_v2, _validate_address_scope_id(). */
#include "engine/network/address_scope.h"

#include "engine/internal.h"
#include "engine/limits.h"
#include "engine/network/address_scope_internal.h"
#include "engine/network/object_grant_internal.h"
#include "engine/network/subnet_pool.h"
#include "model/account.h"
#include "store/address_scope.h"
#include "store/subnet.h"
#include "store/subnet_pool.h"

static struct str write_scope(const struct op *op, uuid scope)
{
	return engine_write_id(op, KIND_ADDRESS_SCOPE, scope);
}

RESULT engine_create_address_scope(struct op *op, struct address_scope_wish *wish)
{
	const struct account *account = NULL;
	TRY(engine_find_owner_to_be(op, &wish->account, &account));
	const struct address_scope scope = {.row = {.id = engine_new_id(op, KIND_ADDRESS_SCOPE), .gen = 1},
					    .account = account->row.id,
					    .name = wish->name,
					    .is_ipv6 = wish->is_ipv6};
	TRY(limit_check(op, LIMIT_ADDRESS_SCOPES, account->row.id, 1, STR_NONE));
	TRY(engine_permit_new(op, "address_scope.create", KIND_ADDRESS_SCOPE, &scope.row));
	if (wish->is_shared)
		TRY(engine_permit(op, "address_scope.share", KIND_ADDRESS_SCOPE, NULL));
	TRY(address_scope_put(op, &scope));
	if (wish->is_shared)
		TRY(object_grant_share(op, KIND_ADDRESS_SCOPE, scope.row.id, CHOICE_YES));
	wish->scope = scope.row.id;
	return engine_log_event(op, KIND_ADDRESS_SCOPE, &scope.row, "created", "Address scope.");
}

RESULT engine_update_address_scope(struct op *op, struct address_scope_settings *wish)
{
	const struct address_scope *scope = NULL;
	TRY(engine_find_own_address_scope(op->ctx, op->head, &wish->scope, &scope));
	TRY(engine_permit(op, "address_scope.update", KIND_ADDRESS_SCOPE, &scope->row));
	struct address_scope next = *scope;
	if (wish->name)
		next.name = *wish->name;
	bool is_shared = uuids_have(&scope->users, UUID_NONE);
	if (is_shared && wish->is_shared == CHOICE_NO)
		return ENGINE_FAIL(op, ERR_PROTECTED, KIND_ADDRESS_SCOPE, STR("shared"),
				   "Unable to update address scope %" STR_FMT
				   " : Shared address scope can't be unshared.",
				   STR_ARG(write_scope(op, scope->row.id)));
	if (!is_shared && wish->is_shared == CHOICE_YES)
		TRY(engine_permit(op, "address_scope.share", KIND_ADDRESS_SCOPE, &scope->row));
	next.row.gen++;
	TRY(address_scope_put(op, &next));
	TRY(object_grant_share(op, KIND_ADDRESS_SCOPE, next.row.id, wish->is_shared));
	return engine_log_event(op, KIND_ADDRESS_SCOPE, &next.row, "changed", "Address scope.");
}

RESULT engine_delete_address_scope(struct op *op, struct address_scope_target *wish)
{
	const struct address_scope *scope = NULL;
	TRY(engine_find_own_address_scope(op->ctx, op->head, &wish->scope, &scope));
	TRY(engine_permit(op, "address_scope.delete", KIND_ADDRESS_SCOPE, &scope->row));
	if (subnet_pool_first_by_scope(op->head, scope->row.id))
		return ENGINE_FAIL_ABOUT(op, ERR_IN_USE, KIND_ADDRESS_SCOPE, &wish->scope,
					 "Address scope %" STR_FMT " has subnet pools.",
					 STR_ARG(write_scope(op, scope->row.id)));
	TRY(engine_log_event(op, KIND_ADDRESS_SCOPE, &scope->row, "deleted", "Address scope."));
	return address_scope_forget(op, scope->row.id);
}

/* ---- pools in scopes ---- */

static uuid scope_of(const struct tables *t, uuid pool)
{
	const struct subnet_pool *row = uuid_is_none(pool) ? NULL : subnet_pool_find(t, pool);
	return row ? row->scope : UUID_NONE;
}

static RESULT fail_affinity(struct op *op)
{
	return ENGINE_FAIL(
		op, ERR_COMBINATION, KIND_ADDRESS_SCOPE, STR("address_scope_id"),
		"Subnets of the same address family hosted on the same network must all participate in "
		"the same address scope.");
}

RESULT address_scope_check_network(struct op *op, uuid network, bool is_ipv6, uuid pool)
{
	uuid scope = scope_of(op->head, pool);
	const struct subnet *s = subnet_first_by_network(op->head, network);
	for (; s; s = subnet_next_by_network(op->head, s))
		if (row_is_live(&s->row) && (s->block.base.family == IP_V6) == is_ipv6 &&
		    !uuid_equal(scope_of(op->head, s->subnet_pool), scope))
			return fail_affinity(op);
	return OK;
}

/* A pool takes its subnets into another scope. Their networks may not have subnets of other pools. */
static RESULT check_subnets(struct op *op, const struct subnet_pool *pool)
{
	bool is_ipv6 = engine_is_ipv6_pool(pool);
	const struct subnet *s = subnet_first_by_subnet_pool(op->head, pool->row.id);
	for (; s; s = subnet_next_by_subnet_pool(op->head, s)) {
		const struct subnet *other = subnet_first_by_network(op->head, s->network);
		for (; other && row_is_live(&s->row); other = subnet_next_by_network(op->head, other))
			if (row_is_live(&other->row) && (other->block.base.family == IP_V6) == is_ipv6 &&
			    !uuid_equal(other->subnet_pool, pool->row.id))
				return fail_affinity(op);
	}
	return OK;
}

static bool have_common(struct cidrs a, struct cidrs b)
{
	for (size_t k = 0; k < a.count; k++)
		for (size_t n = 0; n < b.count; n++)
			if (cidr_overlaps(a.at[k], b.at[n]))
				return true;
	return false;
}

static RESULT check_prefixes(struct op *op, const struct subnet_pool *pool)
{
	const struct subnet_pool *other = subnet_pool_first_by_scope(op->head, pool->scope);
	while (other &&
	       (uuid_equal(other->row.id, pool->row.id) || !have_common(other->prefixes, pool->prefixes)))
		other = subnet_pool_next_by_scope(op->head, other);
	if (!other)
		return OK;
	return ENGINE_FAIL(
		op, ERR_CONFLICT, KIND_ADDRESS_SCOPE, STR("address_scope_id"),
		"Failed to associate address scope: subnetpools within an address scope must have unique "
		"prefixes.");
}

static RESULT check_family(struct op *op, const struct subnet_pool *pool, const struct address_scope *scope)
{
	if (engine_is_ipv6_pool(pool) == scope->is_ipv6)
		return OK;
	return ENGINE_FAIL(op, ERR_INVALID, KIND_ADDRESS_SCOPE, STR("address_scope_id"),
			   "Illegal subnetpool association: subnetpool %" STR_FMT
			   " cannot associate with address scope %" STR_FMT
			   " because subnetpool ip_version is not %d.",
			   STR_ARG(engine_write_id(op, KIND_SUBNET_POOL, pool->row.id)),
			   STR_ARG(write_scope(op, scope->row.id)), scope->is_ipv6 ? 6 : 4);
}

/* As in Neutron, a pool in a scope of another account is not changed at all. */
static RESULT check_own(struct op *op, const struct subnet_pool *was)
{
	const struct address_scope *scope =
		!was || uuid_is_none(was->scope) ? NULL : address_scope_find(op->head, was->scope);
	if (!scope || engine_is_own(op->ctx, KIND_ADDRESS_SCOPE, &scope->row))
		return OK;
	return ENGINE_FAIL(op, ERR_DENIED, KIND_ADDRESS_SCOPE, STR("address_scope_id"),
			   "Illegal subnetpool update : subnetpool %" STR_FMT
			   " cannot be updated when associated with shared address scope %" STR_FMT ".",
			   STR_ARG(engine_write_id(op, KIND_SUBNET_POOL, was->row.id)),
			   STR_ARG(write_scope(op, scope->row.id)));
}

RESULT address_scope_choose(struct op *op, const struct scope_choice *choice, const struct subnet_pool *was,
			    struct subnet_pool *pool)
{
	const struct address_scope *scope = NULL;
	TRY(check_own(op, was));
	if (choice->is_given && ref_is_given(&choice->scope))
		TRY(engine_find_address_scope(op->ctx, op->head, &choice->scope, &scope));
	if (choice->is_given)
		pool->scope = scope ? scope->row.id : UUID_NONE;
	if (was && !uuid_equal(was->scope, pool->scope))
		TRY(check_subnets(op, was));
	if (uuid_is_none(pool->scope))
		return OK;
	if (scope)
		TRY(check_family(op, pool, scope));
	return check_prefixes(op, pool);
}
