/* SPDX-License-Identifier: Apache-2.0
 * Azure's role definitions and assignments as rows, and the places where they apply. Called by: api/azure/,
 * auth/guard/, auth/token/token.c. */
#include "engine/people/policy/arm_rights.h"

#include "engine/acting.h"
#include "engine/internal.h"
#include "engine/limits.h"
#include "engine/resource_group.h"
#include "model/account.h"
#include "store/arm_assignment.h"
#include "store/arm_resource.h"
#include "store/arm_role.h"
#include "store/group_member.h"
#include "store/iam_role.h"
#include "store/route.h"
#include "store/security_group_rule.h"
#include "store/subnet.h"
#include "store/user.h"
#include "store/user_group.h"

/* ---- places ---- */

/* The resource that a row is a part of: rights and locks on the whole extend to the part. */
static uuid whole_of(enum kind kind, const struct row *row)
{
	switch ((int) kind) {
	case KIND_SUBNET:
		return subnet_of(row)->router;
	case KIND_SECURITY_GROUP_RULE:
		return security_group_rule_of(row)->group;
	case KIND_ROUTE:
		return route_of(row)->table;
	default:
		return UUID_NONE;
	}
}

static uuid group_of(const struct tables *t, uuid account, enum kind kind, const struct row *row)
{
	const struct arm_resource *r = engine_find_name(t, row->id);
	uuid whole = whole_of(kind, row);
	if (kind == KIND_RESOURCE_GROUP)
		return row->id;
	if (!r && !uuid_is_none(whole))
		r = engine_find_name(t, whole);
	return r && !uuid_is_none(r->resource_group) ? r->resource_group : account;
}

bool engine_is_at_place(const struct tables *t, const struct arm_place *place, uuid account, enum kind kind,
			const struct row *row)
{
	if (place->kind == KIND_NONE && uuid_is_none(place->group))
		return true;
	if (!uuid_equal(engine_get_owner(kind, row), account))
		return false;
	if (place->kind != KIND_NONE)
		return uuid_equal(row->id, place->resource) ||
		       uuid_equal(whole_of(kind, row), place->resource);
	return uuid_equal(group_of(t, account, kind, row), place->group);
}

bool engine_is_place_within(const struct arm_place *inner, const struct arm_place *outer)
{
	if (outer->kind != KIND_NONE)
		return inner->kind != KIND_NONE && uuid_equal(inner->resource, outer->resource);
	return uuid_is_none(outer->group) || uuid_equal(inner->group, outer->group);
}

/* ---- role definitions ---- */

#define Q(text) "\"" text "\""
static const struct builtin_role {
	const char *id, *name, *description, *permissions;
} builtin_roles[] = {
#define ARM_ROLE(id, name, description, actions, not_actions)                                                \
	{id, name, description,                                                                              \
	 "[{\"actions\":[" actions "],\"notActions\":[" not_actions                                          \
	 "],\"dataActions\":[],\"notDataActions\":[]}]"},
#include "engine/people/policy/arm_roles.def"
#undef ARM_ROLE
};

bool engine_get_builtin_role(size_t number, struct arm_definition *ret_definition)
{
	uuid id = UUID_NONE;
	if (number >= sizeof builtin_roles / sizeof builtin_roles[0])
		return false;
	const struct builtin_role *b = &builtin_roles[number];
	bool is_id = result_is_ok(uuid_parse(str_from(b->id), &id));
	*ret_definition = (struct arm_definition){.id = id,
						  .name = str_from(b->name),
						  .description = str_from(b->description),
						  .permissions = str_from(b->permissions)};
	return is_id;
}

bool engine_find_definition(const struct tables *t, uuid account, uuid id,
			    struct arm_definition *ret_definition)
{
	for (size_t k = 0; engine_get_builtin_role(k, ret_definition); k++)
		if (uuid_equal(ret_definition->id, id))
			return true;
	const struct arm_role *row = arm_role_find(t, id);
	if (!row || !uuid_equal(row->account, account))
		return false;
	*ret_definition = (struct arm_definition){.id = id,
						  .commit = row->row.commit,
						  .name = row->name,
						  .description = row->description,
						  .permissions = row->permissions,
						  .row = row};
	return true;
}

static RESULT check_text(struct op *op, enum kind kind, const char *field, struct str text, size_t min,
			 size_t max)
{
	if (text.n >= min && text.n <= max && str_is_xml_text(text))
		return OK;
	return ENGINE_FAIL(op, ERR_INVALID, kind, str_from(field), "The %s has %zu to %zu characters.", field,
			   min, max);
}

static RESULT fail_no_role(struct op *op, uuid id)
{
	char text[UUID_TEXT_SIZE];
	return ENGINE_FAIL(op, ERR_NOT_FOUND, KIND_ARM_ROLE, STR("roleDefinitionId"),
			   "The specified role definition with ID '%s' does not exist.",
			   uuid_write(id, text));
}

static RESULT check_name_free(struct op *op, uuid account, const struct arm_role_wish *wish)
{
	struct arm_definition builtin;
	const struct arm_role *same = arm_role_find_by_account(op->head, account, wish->name);
	bool is_taken = same && !uuid_equal(same->row.id, wish->id);
	for (size_t k = 0; engine_get_builtin_role(k, &builtin); k++)
		is_taken = is_taken || str_equal_nocase(builtin.name, wish->name);
	return is_taken ? ENGINE_FAIL(
				  op, ERR_EXISTS, KIND_ARM_ROLE, STR("roleName"),
				  "A custom role with the same name already exists in this directory. Use a "
				  "different name.")
			: OK;
}

RESULT engine_put_arm_role(struct op *op, struct arm_role_wish *wish)
{
	uuid account = UUID_NONE;
	struct arm_definition found = {0};
	TRY(engine_find_acting_id(op, &account));
	uuid owner = account;
	bool is_there = engine_find_definition(op->head, owner, wish->id, &found);
	TRY(engine_permit(op, "arm_role.put", KIND_ARM_ROLE, found.row ? &found.row->row : NULL));
	if (is_there && !found.row)
		return ctx_fail_kind(op->ctx, ERR_DENIED, KIND_ARM_ROLE,
				     "The role is one of Azure's own, which no subscription changes.");
	if (!is_there && arm_role_find(op->head, wish->id))
		return ENGINE_FAIL(op, ERR_EXISTS, KIND_ARM_ROLE, STR("roleDefinitionId"),
				   "The id stands for another role already.");
	TRY(check_text(op, KIND_ARM_ROLE, "roleName", wish->name, 1, ARM_NAME_MAX));
	TRY(check_text(op, KIND_ARM_ROLE, "description", wish->description, 0, ARM_DESCRIPTION_MAX));
	TRY(check_name_free(op, owner, wish));
	struct arm_role next =
		is_there ? *found.row : (struct arm_role){.row.id = wish->id, .account = owner};
	if (!is_there)
		TRY(limit_check(op, LIMIT_ARM_ROLES, owner, 1, STR_NONE));
	next.row.gen++;
	next.name = wish->name;
	next.description = wish->description;
	next.permissions = wish->permissions;
	next.scopes = wish->scopes;
	wish->is_new = !is_there;
	TRY(arm_role_put(op, &next));
	return engine_log_event(op, KIND_ARM_ROLE, &next.row, is_there ? "changed" : "created",
				"Role %" STR_FMT ".", STR_ARG(next.name));
}

RESULT engine_delete_arm_role(struct op *op, struct arm_role_target *wish)
{
	struct arm_definition found = {0};
	uuid account = engine_get_account(op->ctx);
	if (!engine_find_definition(op->head, account, wish->id, &found))
		return fail_no_role(op, wish->id);
	TRY(engine_permit(op, "arm_role.delete", KIND_ARM_ROLE, found.row ? &found.row->row : NULL));
	if (!found.row)
		return ctx_fail_kind(op->ctx, ERR_DENIED, KIND_ARM_ROLE,
				     "The role is one of Azure's own, which no subscription changes.");
	const struct arm_assignment *a = arm_assignment_first_by_account(op->head, account);
	for (; a; a = arm_assignment_next_by_account(op->head, a))
		if (uuid_equal(a->definition, wish->id))
			return ctx_fail_kind(op->ctx, ERR_IN_USE, KIND_ARM_ROLE,
					     "There are existing role assignments referencing role.");
	TRY(engine_log_event(op, KIND_ARM_ROLE, &found.row->row, "deleted", "Role %" STR_FMT ".",
			     STR_ARG(found.name)));
	return arm_role_forget(op, wish->id);
}

/* ---- assignments ---- */

uuid engine_get_assigned(const struct arm_assignment *a)
{
	return !uuid_is_none(a->user) ? a->user : !uuid_is_none(a->user_group) ? a->user_group : a->iam_role;
}

struct arm_place engine_get_assignment_place(const struct arm_assignment *a)
{
	return (struct arm_place){a->scope_group, (enum kind) a->scope_kind, a->scope_resource};
}

/* Principals of the account or of its domain: an assignment admits a domain's user to the account. */
static RESULT find_principal(struct op *op, const struct account *account, uuid id, struct arm_assignment *a)
{
	const struct user *user = user_find(op->head, id);
	const struct user_group *group = user_group_find(op->head, id);
	const struct iam_role *role = iam_role_find(op->head, id);
	char text[UUID_TEXT_SIZE];
	if (user && (uuid_equal(user->account, account->row.id) || uuid_equal(user->domain, account->domain)))
		a->user = id;
	else if (group &&
		 (uuid_equal(group->account, account->row.id) || uuid_equal(group->domain, account->domain)))
		a->user_group = id;
	else if (role && uuid_equal(role->account, account->row.id))
		a->iam_role = id;
	else
		return ENGINE_FAIL(op, ERR_NOT_FOUND, KIND_USER, STR("principalId"),
				   "Principal %s does not exist in the directory.", uuid_write(id, text));
	return OK;
}

static bool is_same(const struct arm_assignment *a, const struct arm_assignment *b)
{
	return uuid_equal(a->definition, b->definition) &&
	       uuid_equal(engine_get_assigned(a), engine_get_assigned(b)) &&
	       uuid_equal(a->scope_group, b->scope_group) && uuid_equal(a->scope_resource, b->scope_resource);
}

static RESULT check_unassigned(struct op *op, const struct arm_assignment *next)
{
	const struct arm_assignment *a = arm_assignment_first_by_account(op->head, next->account);
	for (; a; a = arm_assignment_next_by_account(op->head, a))
		if (is_same(a, next))
			return ENGINE_FAIL(op, ERR_EXISTS, KIND_ARM_ASSIGNMENT, STR_NONE,
					   "The role assignment already exists.");
	return OK;
}

RESULT engine_create_arm_assignment(struct op *op, struct arm_assignment_wish *wish)
{
	const struct account *account = NULL;
	struct arm_definition role;
	TRY(engine_find_acting_account(op, &account));
	uuid owner = account->row.id;
	struct arm_assignment next = {.row.id = wish->id,
				      .row.gen = 1,
				      .account = owner,
				      .definition = wish->definition,
				      .scope = wish->scope,
				      .scope_group =
					      wish->place.kind == KIND_NONE ? wish->place.group : UUID_NONE,
				      .scope_kind = wish->place.kind,
				      .scope_resource = wish->place.resource,
				      .description = wish->description,
				      .made_by = op->ctx->who->user};
	TRY(engine_permit_new(op, "arm_assignment.create", KIND_ARM_ASSIGNMENT, &next.row));
	if (!engine_find_definition(op->head, owner, wish->definition, &role))
		return fail_no_role(op, wish->definition);
	TRY(find_principal(op, account, wish->principal, &next));
	TRY(check_text(op, KIND_ARM_ASSIGNMENT, "description", wish->description, 0, ARM_DESCRIPTION_MAX));
	const struct arm_assignment *before = arm_assignment_find(op->head, wish->id);
	if (before && uuid_equal(before->account, owner) && is_same(before, &next))
		return OK;
	if (before)
		return ENGINE_FAIL(op, ERR_EXISTS, KIND_ARM_ROLE, STR("roleAssignmentId"),
				   "Tenant ID, application ID, principal ID, and scope are not allowed to be "
				   "updated.");
	TRY(check_unassigned(op, &next));
	TRY(limit_check(op, LIMIT_ARM_ASSIGNMENTS, owner, 1, STR_NONE));
	TRY(arm_assignment_put(op, &next));
	return engine_log_event(op, KIND_ARM_ASSIGNMENT, &next.row, "created",
				"Role %" STR_FMT " at %" STR_FMT ".", STR_ARG(role.name),
				STR_ARG(next.scope));
}

RESULT engine_delete_arm_assignment(struct op *op, struct arm_assignment_target *wish)
{
	const struct arm_assignment *a = arm_assignment_find(op->head, wish->id);
	bool is_own = a && uuid_equal(a->account, engine_get_account(op->ctx));
	TRY(engine_permit(op, "arm_assignment.delete", KIND_ARM_ASSIGNMENT, is_own ? &a->row : NULL));
	if (!is_own)
		return ENGINE_FAIL(op, ERR_NOT_FOUND, KIND_ARM_ASSIGNMENT, STR_NONE,
				   "The role assignment could not be found.");
	TRY(engine_log_event(op, KIND_ARM_ASSIGNMENT, &a->row, "deleted", "At %" STR_FMT ".",
			     STR_ARG(a->scope)));
	return arm_assignment_forget(op, wish->id);
}

bool engine_has_assignments(const struct tables *t)
{
	return tables_count(t, KIND_ARM_ASSIGNMENT) > 0;
}

struct grants {
	const struct tables *t;
	uuid account;
	struct arm_grant *at;
	size_t count;
	bool is_over;
};

static void add_grant(struct grants *g, const struct arm_assignment *a)
{
	struct arm_definition role;
	if (!uuid_equal(a->account, g->account) ||
	    !engine_find_definition(g->t, g->account, a->definition, &role))
		return;
	if (g->count == ARM_ASSIGNMENTS_OF_ONE)
		g->is_over = true;
	else
		g->at[g->count++] = (struct arm_grant){role, engine_get_assignment_place(a)};
}

bool engine_find_grants(const struct tables *t, uuid principal, uuid account,
			struct arm_grant ret_grants[static ARM_ASSIGNMENTS_OF_ONE], size_t *ret_count)
{
	struct grants g = {.t = t, .account = account, .at = ret_grants};
	*ret_count = 0;
	if (uuid_is_none(principal) || !engine_has_assignments(t))
		return true;
	const struct arm_assignment *a = arm_assignment_first_by_user(t, principal);
	for (; a; a = arm_assignment_next_by_user(t, a))
		add_grant(&g, a);
	for (a = arm_assignment_first_by_iam_role(t, principal); a; a = arm_assignment_next_by_iam_role(t, a))
		add_grant(&g, a);
	const struct group_member *m = group_member_first_by_user(t, principal);
	for (; m; m = group_member_next_by_user(t, m))
		for (a = arm_assignment_first_by_user_group(t, m->user_group); a;
		     a = arm_assignment_next_by_user_group(t, a))
			add_grant(&g, a);
	*ret_count = g.count;
	return !g.is_over;
}

bool engine_is_member(const struct tables *t, uuid user, uuid user_group)
{
	const struct group_member *m = group_member_first_by_user(t, user);
	while (m && !uuid_equal(m->user_group, user_group))
		m = group_member_next_by_user(t, m);
	return m && !uuid_is_none(user_group);
}

bool engine_is_assigned(const struct tables *t, uuid user, uuid account)
{
	const struct arm_assignment *a = arm_assignment_first_by_user(t, user);
	for (; a; a = arm_assignment_next_by_user(t, a))
		if (uuid_equal(a->account, account))
			return true;
	const struct group_member *m = group_member_first_by_user(t, user);
	for (; m; m = group_member_next_by_user(t, m))
		for (a = arm_assignment_first_by_user_group(t, m->user_group); a;
		     a = arm_assignment_next_by_user_group(t, a))
			if (uuid_equal(a->account, account))
				return true;
	return false;
}
