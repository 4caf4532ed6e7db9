/* SPDX-License-Identifier: Apache-2.0
 * Creates, changes and deletes roles. A role created from a type alone permits nothing; a role created from
 * another role implies it. Standard roles cannot be changed. Source: API reference, "Role", 4.18; messages
 * about type and id: CreateRoleCmd.
 */
#include "api/cloudstack/account/people.h"
#include "engine/people/policy/role.h"
#include "store/role.h"
#include "store/role_assignment.h"

struct role_args {
	struct role_wish wish;
	struct role_change change;
	struct role_implication from;
	struct str type;
};
#define P(wire, member, ...) PARAM(struct role_args, wire, member, __VA_ARGS__)
#define TYPE P("type", type, .words = "Admin|ResourceAdmin|DomainAdmin|User", .doc = "Type of the role.")
#define PUBLIC NOT_BUILT("ispublic", .only = "true")
static const struct param create_params[] = {
	P("name", wish.name, .flags = REQUIRED, .min = 1, .doc = "Name; unique."),
	P("description", wish.description, .doc = "Description or display text."),
	TYPE,
	P("roleid", from.implied, .kind = KIND_ROLE,
	  .doc = "Role whose rules the new one copies, instead of a type."),
	PUBLIC,
};
static const struct param update_params[] = {
	P("id", change.role, .kind = KIND_ROLE, .flags = REQUIRED, .doc = "The role."),
	P("name", change.name, .doc = "New name."),
	P("description", change.description, .doc = "New description or display text."),
	TYPE,
	PUBLIC,
};
#undef P

/* Stores the type as JSON, as extra attributes are. */
static RESULT take_type(struct cs_call *e, const struct role_args *a, struct tags *ret_extra)
{
	struct tag *tag = arena_new_object(e->c->arena, struct tag);
	if (!tag)
		return ctx_no_memory(e->c);
	*tag = (struct tag){STR(CS_ROLE_TYPE), str_print(e->c->arena, "\"%" STR_FMT "\"", STR_ARG(a->type))};
	*ret_extra = (struct tags){tag, a->type.n ? 1 : 0};
	return OK;
}

static RESULT prepare_create(struct cs_call *e, void *args)
{
	struct role_args *a = args;
	bool has_role = ref_is_given(&a->from.implied);
	if (!a->type.n && !has_role)
		return cs_fail(e, "type", "Neither role type nor role ID is provided");
	if (a->type.n && has_role)
		return cs_fail(e, "type", "Both role type and role ID should not be specified");
	return take_type(e, a, &a->wish.extra);
}

/* A copied role is of the type of the other one. */
static RESULT keep_type(struct ctx *c, const struct role *from, struct role_wish *wish)
{
	const struct tag *type = tags_find(from->extra, STR(CS_ROLE_TYPE));
	struct tag *own = arena_new_object(c->arena, struct tag);
	if (!own)
		return ctx_no_memory(c);
	if (type)
		*own = *type;
	wish->extra = (struct tags){own, type ? 1 : 0};
	return OK;
}

static RESULT create(struct op *op, void *args)
{
	struct role_args *a = args;
	const struct role *from = role_find(op->head, a->from.implied.prefix);
	if (from && from->rules.count) { /* a copy: later changes of either stay its own */
		a->wish.rules = from->rules;
		TRY(keep_type(op->ctx, from, &a->wish));
		return engine_create_role(op, &a->wish);
	}
	TRY(engine_create_role(op, &a->wish));
	if (!ref_is_given(&a->from.implied))
		return OK;
	a->from.role = ref_by_id(KIND_ROLE, a->wish.role);
	a->from.implies = true;
	return engine_imply_role(op, &a->from);
}

static bool is_in_use(const struct tables *t, const struct role *role)
{
	return role_assignment_first_by_role(t, role->row.id);
}

/* A role in use stays, as in RoleManagerImpl.deleteRole(); Keystone's deletion takes it from everybody. */
static RESULT prepare_delete(struct cs_call *e, void *args)
{
	const struct role *role = role_find(cs_tables(e), ((struct role_target *) args)->role.prefix);
	return role && role->right == ROLE_RIGHT_NONE && is_in_use(cs_tables(e), role)
		       ? ctx_fail_field(e->c, ERR_DENIED, STR("id"),
					"Found accounts that have role in use, won't allow to delete role")
		       : OK;
}

/* The messages about default roles are our own. */
static RESULT prepare_update(struct cs_call *e, void *args)
{
	struct role_args *a = args;
	const struct role *role = role_find(cs_tables(e), a->change.role.prefix);
	if (role && role->right != ROLE_RIGHT_NONE)
		return ctx_fail_field(e->c, ERR_PROTECTED, STR("id"), "Default roles cannot be updated");
	if (role && a->type.n && is_in_use(cs_tables(e), role))
		return ctx_fail_field(
			e->c, ERR_DENIED, STR("type"),
			"Found accounts that have role in use, won't allow to update role type");
	return take_type(e, a, &a->change.extra);
}

static RESULT update(struct op *op, void *args)
{
	return engine_update_role(op, &((struct role_args *) args)->change);
}

#define CHANGES .flags = API_WRITES | CS_ADMIN
static const struct cs_action actions[] = {
	{CS_ACTION("createRole", "identity:create_role"), CHANGES,
	 .args = PARAMS(struct role_args, create_params), .prepare = prepare_create, .operation = create,
	 .returns = KIND_ROLE, CS_SUBJECT(struct role_args, wish.role), .shows = &cs_roles,
	 .doc = "Creates a role."},
	{CS_ACTION("updateRole", "identity:update_role"), CHANGES,
	 .args = PARAMS(struct role_args, update_params), .prepare = prepare_update, .operation = update,
	 .returns = KIND_ROLE, CS_SUBJECT(struct role_args, change.role.prefix), .shows = &cs_roles,
	 .doc = "Changes a role."},
	{CS_ACTION("deleteRole", "identity:delete_role"), CHANGES,
	 .args = CS_ONE(struct role_target, "id", role, KIND_ROLE, "The role."), .prepare = prepare_delete,
	 .operation = engine_delete_role_run, .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Deletes a role that nobody has."},
};
const struct api_actions cs_role_change_actions = API_ACTIONS(actions);
