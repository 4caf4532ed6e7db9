/* SPDX-License-Identifier: Apache-2.0
 * Resource groups and names of resources. Called by: api/azure/, reconcile/resource_group.c. */
#include "engine/resource_group.h"

#include "base/letters.h"
#include "engine/acting.h"
#include "engine/deployment.h"

#include "engine/emptying_internal.h"
#include "engine/limits.h"
#include "engine/tag_internal.h"
#include "model/instance.h"
#include "store/arm_resource.h"
#include "store/resource_group.h"

enum { MANAGED_BY_MAX = 1024 };
/* Counted from the request, because hosts may still hold resources of deleted rows. */
#define GIVE_UP_US (2 * MINUTE)

/* ---- targets of names ---- */

/* A row given to another account has no name there. */
static bool is_of_account(enum kind kind, const struct row *row, uuid account)
{
	size_t offset = model_kinds[kind].account_offset;
	return !offset || uuid_equal(*(const uuid *) (const void *) ((const char *) row + offset), account);
}

bool engine_is_resource_gone(const struct tables *t, const struct arm_resource *r)
{
	enum kind kind = (enum kind) r->target_kind;
	const struct row *row = tables_find(t, kind, r->target);
	return !row || !row_is_live(row) || !is_of_account(kind, row, r->account) ||
	       (kind == KIND_INSTANCE &&
		model_derive_instance_state(instance_of(row)) == INSTANCE_TERMINATED);
}

const struct resource_group *engine_find_resource_group(const struct tables *t, struct arena *a, uuid account,
							struct str name)
{
	if (!name.n || name.n > RESOURCE_GROUP_NAME_MAX)
		return NULL;
	const struct resource_group *g = resource_group_find_by_name(t, account, str_lower_all(a, name));
	/* groups that were made before 0.9.1 fold ASCII letters alone */
	return g ? g : resource_group_find_by_name(t, account, str_lower(a, name));
}

const struct arm_resource *engine_find_resource(const struct tables *t, struct arena *a, uuid account,
						uuid group, struct str type, struct str name)
{
	const struct arm_resource *r =
		arm_resource_find_by_name(t, account, group, str_lower(a, type), str_lower(a, name));
	return r && !engine_is_resource_gone(t, r) ? r : NULL;
}

const struct arm_resource *engine_find_name(const struct tables *t, uuid target)
{
	const struct arm_resource *r = uuid_is_none(target) ? NULL : arm_resource_first_by_target(t, target);
	for (; r; r = arm_resource_next_by_target(t, r)) {
		const struct row *row = tables_find(t, (enum kind) r->target_kind, target);
		if (!row || is_of_account((enum kind) r->target_kind, row, r->account))
			return r;
	}
	return NULL;
}

/* ---- groups ---- */

static RESULT fail_deleting(struct op *op, const struct resource_group *g)
{
	return ENGINE_FAIL(op, ERR_STATE, KIND_RESOURCE_GROUP, STR("resourceGroupName"),
			   "The resource group '%" STR_FMT
			   "' is in deprovisioning state and cannot perform this operation.",
			   STR_ARG(g->name));
}

static RESULT check_wish(struct op *op, const struct resource_group_wish *wish)
{
	if (wish->name.n < 1 || wish->name.n > RESOURCE_GROUP_NAME_MAX || !str_is_line(wish->name))
		return ENGINE_FAIL(op, ERR_INVALID, KIND_RESOURCE_GROUP, STR("resourceGroupName"),
				   "A resource group's name has 1 to %d characters.",
				   RESOURCE_GROUP_NAME_MAX);
	if (wish->managed_by.n > MANAGED_BY_MAX || !str_is_line(wish->managed_by))
		return ENGINE_FAIL(op, ERR_INVALID, KIND_RESOURCE_GROUP, STR("managedBy"),
				   "The id of what manages a group has up to %d characters.", MANAGED_BY_MAX);
	return OK;
}

RESULT engine_put_resource_group(struct op *op, struct resource_group_wish *wish)
{
	uuid account = UUID_NONE;
	TRY(engine_find_acting_id(op, &account));
	TRY(check_wish(op, wish));
	uuid owner = account;
	const struct resource_group *before =
		engine_find_resource_group(op->head, op->ctx->arena, owner, wish->name);
	struct resource_group next = before ? *before : (struct resource_group){.account = owner};
	TRY(engine_permit(op, "resource_group.create", KIND_RESOURCE_GROUP, before ? &before->row : NULL));
	if (before && before->is_deleting)
		return fail_deleting(op, before);
	if (!before) {
		TRY(limit_check(op, LIMIT_RESOURCE_GROUPS, owner, 1, STR_NONE));
		next.row.id = engine_new_id(op, KIND_RESOURCE_GROUP);
		next.row.gen = 1;
		next.name = wish->name;
		next.folded = str_lower_all(op->ctx->arena, wish->name);
	}
	next.managed_by = wish->managed_by;
	if (wish->set_tags)
		TRY(tag_normalize(op, wish->tags, &next.tags));
	TRY(resource_group_put(op, &next));
	wish->group = next.row.id;
	wish->is_new = !before;
	return before ? OK
		      : engine_log_event(op, KIND_RESOURCE_GROUP, &next.row, "created",
					 "Resource group %" STR_FMT ".", STR_ARG(next.name));
}

/* ---- deletion of the contents ---- */

static const struct row_deleter *deleter_of(const struct arm_resource *r)
{
	return engine_find_row_deleter((enum kind) r->target_kind);
}

/* A policy that denies the deletion of a member denies the deletion of the group. */
static RESULT permit_members(struct op *op, uuid group)
{
	const struct arm_resource *r = arm_resource_first_by_resource_group(op->head, group);
	for (; r; r = arm_resource_next_by_resource_group(op->head, r)) {
		const struct row_deleter *kind = deleter_of(r);
		if (kind && !engine_is_resource_gone(op->head, r))
			TRY(engine_permit(op, kind->permission, kind->kind,
					  tables_find(op->head, kind->kind, r->target)));
	}
	return OK;
}

RESULT engine_delete_resource_group(struct op *op, struct resource_group_target *wish)
{
	const struct resource_group *g = resource_group_find(op->head, wish->group);
	if (!g || !engine_may_see(op->ctx, KIND_RESOURCE_GROUP, &g->row))
		return ENGINE_FAIL(op, ERR_NOT_FOUND, KIND_RESOURCE_GROUP, STR("resourceGroupName"),
				   "Resource group could not be found.");
	TRY(engine_permit(op, "resource_group.delete", KIND_RESOURCE_GROUP, &g->row));
	if (g->is_deleting)
		return OK;
	TRY(permit_members(op, g->row.id));
	struct resource_group next = *g;
	next.is_deleting = true;
	next.problem = STR_NONE;
	TRY(resource_group_put(op, &next));
	return engine_log_event(op, KIND_RESOURCE_GROUP, &next.row, "deleted", "Resource group %" STR_FMT ".",
				STR_ARG(next.name));
}

/* Deletion changes the index, so the ids are collected first. */
static RESULT list_members(struct op *op, uuid group, struct uuids *ret_ids)
{
	size_t count = 0;
	const struct arm_resource *r = arm_resource_first_by_resource_group(op->head, group);
	for (; r; r = arm_resource_next_by_resource_group(op->head, r))
		count++;
	uuid *ids = arena_new_array(op->ctx->arena, uuid, count ? count : 1);
	if (!ids)
		return ctx_no_memory(op->ctx);
	*ret_ids = (struct uuids){ids, 0};
	r = arm_resource_first_by_resource_group(op->head, group);
	for (; r; r = arm_resource_next_by_resource_group(op->head, r))
		ids[ret_ids->count++] = r->row.id;
	return OK;
}

static RESULT empty_of_kind(struct op *op, const struct uuids *ids, const struct row_deleter *kind,
			    struct emptying *e)
{
	for (size_t k = 0; k < ids->count; k++) {
		const struct arm_resource *r = arm_resource_find(op->head, ids->at[k]);
		if (!r || deleter_of(r) != kind)
			continue;
		if (engine_is_resource_gone(op->head, r)) {
			TRY(arm_resource_forget(op, r->row.id));
			continue;
		}
		e->left++;
		if (emptying_is_going(op->head, kind->kind, r->target))
			e->is_on_the_way = true;
		else
			TRY(emptying_try(op, kind, r->target, r->name, e));
	}
	return OK;
}

static RESULT give_up(struct op *op, const struct resource_group *g, struct str problem)
{
	struct resource_group next = *g;
	next.is_deleting = false;
	next.problem = problem;
	TRY(resource_group_put(op, &next));
	return engine_log_event(op, KIND_RESOURCE_GROUP, &next.row, "kept",
				"Resource group %" STR_FMT " is not deleted: %" STR_FMT, STR_ARG(next.name),
				STR_ARG(problem));
}

RESULT engine_empty_resource_group(struct op *op, struct resource_group_emptying *wish)
{
	const struct resource_group *g = resource_group_find(op->head, wish->group);
	struct emptying e = {0};
	struct uuids ids = {NULL, 0};
	if (!g || !g->is_deleting)
		return OK;
	struct result result = emptying_begin(op, g->row.id, "resource_group.delete", wish->guard, &e);
	if (!result_is_ok(result) && engine_is_refusal(result.code)) {
		struct str why = op->ctx->problem.message;
		ctx_clear_problem(op->ctx);
		return give_up(op, g, why);
	}
	TRY(result);
	TRY(list_members(op, g->row.id, &ids));
	for (size_t k = 0; k < engine_row_deleter_count; k++)
		TRY(empty_of_kind(op, &ids, &engine_row_deleters[k], &e));
	if (!e.left) {
		TRY(engine_forget_deployments(op, g->account, g->folded));
		return resource_group_forget(op, wish->group);
	}
	bool waits = e.is_on_the_way || op->now_us < g->row.updated_us + GIVE_UP_US;
	return waits ? OK : give_up(op, resource_group_find(op->head, wish->group), e.problem);
}

/* ---- resources ---- */

RESULT engine_name_resource(struct op *op, struct arm_resource_wish *wish)
{
	uuid account = engine_get_account(op->ctx);
	const struct resource_group *g = resource_group_find(op->head, wish->group);
	struct str type = str_lower(op->ctx->arena, wish->type),
		   folded = str_lower(op->ctx->arena, wish->name);
	if (!uuid_is_none(wish->group) && !g)
		return ENGINE_FAIL(op, ERR_NOT_FOUND, KIND_RESOURCE_GROUP, STR("resourceGroupName"),
				   "The resource group could not be found.");
	if (g && g->is_deleting)
		return fail_deleting(op, g);
	const struct arm_resource *before =
		arm_resource_find_by_name(op->head, account, wish->group, type, folded);
	if (before && !uuid_equal(before->target, wish->target) && !engine_is_resource_gone(op->head, before))
		return ENGINE_FAIL(op, ERR_EXISTS, KIND_ARM_RESOURCE, STR("name"),
				   "Another resource was given the name %" STR_FMT " meanwhile.",
				   STR_ARG(wish->name));
	struct arm_resource next =
		before ? *before
		       : (struct arm_resource){.row.id = engine_new_id(op, KIND_ARM_RESOURCE),
					       .row.gen = 1,
					       .account = account,
					       .resource_group = wish->group,
					       .type = type,
					       .name = wish->name,
					       .folded = folded};
	wish->resource = next.row.id;
	if (before && uuid_equal(before->target, wish->target) &&
	    str_equal(before->definition, wish->definition))
		return OK;
	if (!before)
		TRY(limit_check(op, LIMIT_ARM_RESOURCES, account, 1, STR_NONE));
	next.row.gen += before ? 1 : 0;
	next.target_kind = wish->kind;
	next.target = wish->target;
	next.definition = wish->definition;
	return arm_resource_put(op, &next);
}

RESULT engine_forget_resource(struct op *op, struct arm_resource_target *wish)
{
	const struct arm_resource *r = arm_resource_find(op->head, wish->resource);
	return r && engine_is_resource_gone(op->head, r) ? arm_resource_forget(op, wish->resource) : OK;
}
