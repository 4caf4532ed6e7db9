/* SPDX-License-Identifier: Apache-2.0
 * Resource groups, and names of resources. Called by: api/azure/, reconcile/resource_group.c. */
#include "engine/resource_group.h"

#include "engine/deployment.h"

#include "engine/instance/instance.h"
#include "engine/instance/key_pair.h"
#include "engine/instance/server_group.h"
#include "engine/internal.h"
#include "engine/limits.h"
#include "engine/network/address.h"
#include "engine/network/address_prefix.h"
#include "engine/network/egress_gateway.h"
#include "engine/network/gateway.h"
#include "engine/network/load_balancer.h"
#include "engine/network/nat_gateway.h"
#include "engine/network/network.h"
#include "engine/network/peering.h"
#include "engine/network/route_table.h"
#include "engine/network/router.h"
#include "engine/network/security_group.h"
#include "engine/network/subnet.h"
#include "engine/people/iam_role.h"
#include "engine/storage/image.h"
#include "engine/storage/snapshot.h"
#include "engine/tag_internal.h"
#include "engine/virtual/balancer_set.h"
#include "engine/virtual/peering_side.h"
#include "engine/virtual/port_policy.h"
#include "engine/virtual/route_plan.h"
#include "engine/virtual/source_nat.h"
#include "model/account.h"
#include "model/instance.h"
#include "store/arm_resource.h"
#include "store/resource_group.h"

enum { MANAGED_BY_MAX = 1024 };
/* From when its deletion was asked for on: what has gone as a row may still hold something on a host. */
#define GIVE_UP_US (2 * MINUTE)

/* ---- what names lead to ---- */

/* What was given to another account has no name there. */
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
	return name.n && name.n <= RESOURCE_GROUP_NAME_MAX
		       ? resource_group_find_by_name(t, account, str_lower(a, name))
		       : NULL;
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
	const struct account *account = NULL;
	TRY(engine_find_acting_account(op, &account));
	TRY(check_wish(op, wish));
	uuid owner = account->row.id;
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
		next.folded = str_lower(op->ctx->arena, wish->name);
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

/* ---- deleting what is in one ---- */

#define DELETER(name, type, member, ...)                                                                     \
	static RESULT delete_##name(struct op *op, struct ref *ref)                                          \
	{                                                                                                    \
		struct type wish = {.member = *ref, __VA_ARGS__};                                            \
		return engine_delete_##name(op, &wish);                                                      \
	}
DELETER(image, image_target, image)
DELETER(balancer_set, balancer_set_target, set)
DELETER(load_balancer, load_balancer_target, balancer)
DELETER(nat_gateway, nat_gateway_target, nat_gateway)
DELETER(peering, peering_target, peering)
DELETER(port, port_target, port)
DELETER(volume, volume_target, volume, .snapshots = VOLUME_SNAPSHOTS_STAY)
DELETER(snapshot, snapshot_target, snapshot)
DELETER(security_group, security_group_target, group, .takes_rules = true)
DELETER(port_policy, port_policy_target, policy)
DELETER(port_policy_rule, port_policy_rule_target, rule)
DELETER(port_set, port_set_target, set)
DELETER(route_plan, route_plan_target, plan)
DELETER(route_plan_entry, route_plan_entry_target, entry)
DELETER(peering_side, peering_side_target, side)
DELETER(address_prefix, address_prefix_target, prefix)
DELETER(source_nat, source_nat_target, source_nat)
DELETER(subnet, subnet_target, subnet)
DELETER(route_table, route_table_target, route_table)
DELETER(router, router_target, router, .with_gateway = true)
DELETER(key_pair, key_pair_target, key_pair)
DELETER(server_group, server_group_target, server_group, .must_be_empty = true)

static RESULT delete_instance(struct op *op, struct ref *ref)
{
	struct instances_wish wish = {.instances = {ref, 1}};
	return engine_terminate_instances(op, &wish);
}

static RESULT delete_identity(struct op *op, struct ref *ref)
{
	struct iam_role_target wish = {.iam_role = *ref};
	return engine_delete_managed_identity(op, &wish);
}

static RESULT release_address(struct op *op, struct ref *ref)
{
	struct address_target wish = {.address = *ref};
	return engine_release_address(op, &wish);
}

/* In the order in which they can go: what holds another first. */
static const struct member_kind {
	enum kind kind;
	const char *permission;
	RESULT (*delete)(struct op *op, struct ref *ref);
} member_kinds[] = {
	{KIND_INSTANCE, "instance.terminate", delete_instance},
	{KIND_IMAGE, "image.delete", delete_image},
	{KIND_BALANCER_SET, "load_balancer.delete", delete_balancer_set},
	{KIND_LOAD_BALANCER, "load_balancer.delete", delete_load_balancer},
	{KIND_NAT_GATEWAY, "nat_gateway.delete", delete_nat_gateway},
	{KIND_PEERING_SIDE, "peering.delete", delete_peering_side},
	{KIND_PEERING, "peering.delete", delete_peering},
	{KIND_PORT, "port.delete", delete_port},
	{KIND_VOLUME, "volume.delete", delete_volume},
	{KIND_SNAPSHOT, "snapshot.delete", delete_snapshot},
	{KIND_SUBNET, "subnet.delete", delete_subnet},
	{KIND_SOURCE_NAT, "source_nat.delete", delete_source_nat},
	{KIND_ADDRESS, "address.release", release_address},
	{KIND_ADDRESS_PREFIX, "address_prefix.delete", delete_address_prefix},
	{KIND_ROUTE_PLAN_ENTRY, "route_plan.update", delete_route_plan_entry},
	{KIND_ROUTE_PLAN, "route_plan.delete", delete_route_plan},
	{KIND_PORT_POLICY_RULE, "port_policy.update", delete_port_policy_rule},
	{KIND_PORT_POLICY, "port_policy.delete", delete_port_policy},
	{KIND_PORT_SET, "port_set.delete", delete_port_set},
	{KIND_ROUTE_TABLE, "route_table.delete", delete_route_table},
	{KIND_SECURITY_GROUP, "security_group.delete", delete_security_group},
	{KIND_ROUTER, "router.delete", delete_router},
	{KIND_KEY_PAIR, "key_pair.delete", delete_key_pair},
	{KIND_SERVER_GROUP, "server_group.delete", delete_server_group},
	{KIND_IAM_ROLE, "managed_identity.delete", delete_identity},
};
enum { MEMBER_KINDS = sizeof member_kinds / sizeof member_kinds[0] };

static const struct member_kind *member_kind_of(const struct arm_resource *r)
{
	for (size_t k = 0; k < MEMBER_KINDS; k++)
		if (member_kinds[k].kind == (enum kind) r->target_kind)
			return &member_kinds[k];
	return NULL;
}

/* A policy that keeps the caller from one of them keeps him from the group. */
static RESULT permit_members(struct op *op, uuid group)
{
	const struct arm_resource *r = arm_resource_first_by_resource_group(op->head, group);
	for (; r; r = arm_resource_next_by_resource_group(op->head, r)) {
		const struct member_kind *kind = member_kind_of(r);
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

/* What came of a look at all that is in a group. */
struct emptying {
	size_t left;        /* resources that are there still */
	bool is_on_the_way; /* something of it is, so that a further look may get on */
	struct str problem; /* why the first of the others stays */
};

/* Whether it is half way out already: nobody has to ask for it again. */
static bool is_going(const struct tables *t, const struct arm_resource *r)
{
	enum kind kind = (enum kind) r->target_kind;
	const struct row *row = tables_find(t, kind, r->target);
	return row && kind == KIND_INSTANCE &&
	       model_derive_instance_state(instance_of(row)) == INSTANCE_SHUTTING_DOWN;
}

/* What is refused is left, without a trace of having been tried. */
static RESULT try_delete(struct op *op, const struct arm_resource *r, const struct member_kind *kind,
			 struct emptying *e)
{
	struct op_place place = op_place_now(op);
	struct ref ref = engine_ref_to(op, kind->kind, r->target, STR_NONE);
	struct str name = r->name;
	struct result result = kind->delete (op, &ref);
	if (result_is_ok(result)) {
		e->is_on_the_way = true;
		return OK;
	}
	if (!engine_is_refusal(result.code))
		return result;
	op_go_back(op, place);
	if (!e->problem.n)
		e->problem = str_print(op->ctx->arena, "%" STR_FMT ": %" STR_FMT, STR_ARG(name),
				       STR_ARG(op->ctx->problem.message));
	ctx_clear_problem(op->ctx);
	return OK;
}

/* Rows go while it is walked over, so their ids are noted first. */
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

static RESULT empty_of_kind(struct op *op, const struct uuids *ids, const struct member_kind *kind,
			    struct emptying *e)
{
	for (size_t k = 0; k < ids->count; k++) {
		const struct arm_resource *r = arm_resource_find(op->head, ids->at[k]);
		if (!r || member_kind_of(r) != kind)
			continue;
		if (engine_is_resource_gone(op->head, r)) {
			TRY(arm_resource_forget(op, r->row.id));
			continue;
		}
		e->left++;
		if (is_going(op->head, r))
			e->is_on_the_way = true;
		else
			TRY(try_delete(op, r, kind, e));
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

RESULT engine_empty_resource_group(struct op *op, struct resource_group_target *wish)
{
	const struct resource_group *g = resource_group_find(op->head, wish->group);
	struct emptying e = {0};
	struct uuids ids = {NULL, 0};
	if (!g || !g->is_deleting)
		return OK;
	TRY(list_members(op, g->row.id, &ids));
	for (size_t k = 0; k < MEMBER_KINDS; k++)
		TRY(empty_of_kind(op, &ids, &member_kinds[k], &e));
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
