/* SPDX-License-Identifier: Apache-2.0
 * Moves between resource groups: rows of names only. Called by: api/azure/resources/. */
#include "engine/resource_move.h"

#include "engine/acting.h"
#include "engine/internal.h"
#include "engine/people/policy/arm_lock.h"
#include "engine/resource_group.h"
#include "store/arm_lock.h"
#include "store/arm_resource.h"
#include "store/resource_group.h"

static RESULT check_group(struct op *op, uuid id)
{
	const struct resource_group *g = resource_group_find(op->head, id);
	if (!uuid_is_none(id) && (!g || !engine_may_see(op->ctx, KIND_RESOURCE_GROUP, &g->row)))
		return ENGINE_FAIL(op, ERR_NOT_FOUND, KIND_RESOURCE_GROUP, STR("targetResourceGroup"),
				   "The resource group could not be found.");
	if (!g || !g->is_deleting)
		return OK;
	return ENGINE_FAIL(op, ERR_STATE, KIND_RESOURCE_GROUP, STR("targetResourceGroup"),
			   "The resource group '%" STR_FMT
			   "' is in deprovisioning state and cannot perform this operation.",
			   STR_ARG(g->name));
}

/* Checks locks: a move is a deletion in the source group and a write in the target group. */
static RESULT check_locks(struct op *op, uuid account, const struct resources_move *wish,
			  const struct moved_resource *r, const struct row *row)
{
	const struct arm_place there = {.group = uuid_is_none(wish->to) ? account : wish->to};
	const struct arm_lock *l = arm_lock_first_by_account(op->head, account);
	for (; l; l = arm_lock_next_by_account(op->head, l)) {
		struct arm_place place = engine_get_lock_place(l);
		bool holds = engine_is_at_place(op->head, &place, account, r->kind, row) ||
			     (l->level == ARM_LOCK_LEVEL_READ_ONLY && engine_is_place_within(&there, &place));
		if (holds)
			return ctx_fail_kind(
				op->ctx, ERR_PROTECTED, (int) r->kind,
				"The scope '%" STR_FMT "' cannot perform delete operation because following "
				"scope(s) are locked: '%" STR_FMT "'. Please remove the lock and try again.",
				STR_ARG(r->name), STR_ARG(l->scope));
	}
	return OK;
}

static RESULT check_free(struct op *op, uuid account, uuid group, struct str type, struct str folded)
{
	const struct arm_resource *other = arm_resource_find_by_name(op->head, account, group, type, folded);
	if (!other || engine_is_resource_gone(op->head, other))
		return OK;
	return ENGINE_FAIL(op, ERR_EXISTS, KIND_ARM_RESOURCE, STR("resources"),
			   "The target resource group has a resource of the type %" STR_FMT
			   " and the name %" STR_FMT " already.",
			   STR_ARG(type), STR_ARG(other->name));
}

static RESULT write_move(struct op *op, const struct resources_move *wish, uuid id)
{
	const struct arm_resource *r = arm_resource_find(op->head, id);
	const struct arm_resource *stale =
		arm_resource_find_by_name(op->head, r->account, wish->to, r->type, r->folded);
	struct arm_resource next = *r;
	TRY(check_free(op, r->account, wish->to, r->type, r->folded));
	if (wish->is_tried)
		return OK;
	if (stale)
		TRY(arm_resource_forget(op, stale->row.id));
	next.resource_group = wish->to;
	return arm_resource_put(op, &next);
}

static bool is_part(const struct arm_resource *part, const struct arm_resource *whole)
{
	struct str type = part->type, name = part->folded;
	return uuid_equal(part->resource_group, whole->resource_group) && type.n > whole->type.n &&
	       type.p[whole->type.n] == '/' && str_starts_with(type, whole->type) &&
	       name.n > whole->folded.n && name.p[whole->folded.n] == '/' &&
	       str_starts_with(name, whole->folded);
}

/* A move changes the index, so the ids are collected first. */
static RESULT list_with_parts(struct op *op, const struct arm_resource *whole, struct uuids *ret_ids)
{
	size_t count = 1;
	const struct arm_resource *r = arm_resource_first_by_account(op->head, whole->account);
	for (; r; r = arm_resource_next_by_account(op->head, r))
		count += is_part(r, whole);
	uuid *ids = arena_new_array(op->ctx->arena, uuid, count);
	if (!ids)
		return ctx_no_memory(op->ctx);
	*ret_ids = (struct uuids){ids, 1};
	ids[0] = whole->row.id;
	r = arm_resource_first_by_account(op->head, whole->account);
	for (; r; r = arm_resource_next_by_account(op->head, r))
		if (is_part(r, whole))
			ids[ret_ids->count++] = r->row.id;
	return OK;
}

/* A row that another face created is named by the move. */
static RESULT name_there(struct op *op, uuid account, const struct resources_move *wish,
			 const struct moved_resource *r)
{
	struct arm_resource_wish name = {
		.group = wish->to, .type = r->type, .name = r->name, .kind = r->kind, .target = r->target};
	TRY(check_free(op, account, wish->to, str_lower(op->ctx->arena, r->type),
		       str_lower(op->ctx->arena, r->name)));
	return wish->is_tried ? OK : engine_name_resource(op, &name);
}

static RESULT move(struct op *op, uuid account, const struct resources_move *wish,
		   const struct moved_resource *r)
{
	const struct row *row = tables_find(op->head, r->kind, r->target);
	const struct arm_resource *name = engine_find_name(op->head, r->target);
	struct uuids ids = {NULL, 0};
	if (!row || (name && !uuid_equal(name->resource_group, wish->from)) ||
	    (!name && !uuid_is_none(wish->from)))
		return ENGINE_FAIL(op, ERR_CONFLICT, KIND_ARM_RESOURCE, STR("resources"),
				   "The resource %" STR_FMT " is not in that group any more.",
				   STR_ARG(r->name));
	TRY(engine_permit(op, "resource_group.move", r->kind, row));
	TRY(check_locks(op, account, wish, r, row));
	if (uuid_equal(wish->from, wish->to))
		return OK;
	if (!name)
		return name_there(op, account, wish, r);
	TRY(list_with_parts(op, name, &ids));
	for (size_t k = 0; k < ids.count; k++)
		TRY(write_move(op, wish, ids.at[k]));
	return OK;
}

RESULT engine_move_resources(struct op *op, struct resources_move *wish)
{
	uuid account = UUID_NONE;
	TRY(engine_find_acting_id(op, &account));
	uuid owner = account;
	TRY(check_group(op, wish->from));
	TRY(check_group(op, wish->to));
	for (size_t k = 0; k < wish->count; k++)
		TRY(move(op, owner, wish, &wish->resources[k]));
	return OK;
}
