/* SPDX-License-Identifier: Apache-2.0
 * Role assignments. Source: Azure REST API reference, "Role Assignments", 2022-04-01; error codes as the service sends them
 * ("Troubleshoot Azure RBAC"). */
#include "api/azure/authorization/authorization.h"
#include "api/core/path.h"
#include "base/uuid_asked.h"
#include "store/arm_assignment.h"
#include "store/user.h"
#include "store/user_group.h"

static const struct api_error bad_id = {ERR_INVALID, 0, 400, "InvalidRoleAssignmentId"};

/* Azure's principal type: User for a user with a password, else a service principal. */
static const char *type_of(struct az_call *e, const struct arm_assignment *a)
{
	const struct user *user = user_find(az_tables(e), a->user);
	if (!uuid_is_none(a->user_group))
		return "Group";
	return user && uuid_is_none(user->account) ? "User" : "ServicePrincipal";
}

static void write_assignment(struct az_call *e, struct json_writer *w, const struct arm_assignment *a)
{
	struct str name = uuid_to_str(e->c->arena, a->row.id), by = uuid_to_str(e->c->arena, a->made_by);
	json_write_open(w, "properties");
	json_write_text(w, "roleDefinitionId", az_write_definition_id(e, a->definition));
	json_write_text(w, "principalId", uuid_to_str(e->c->arena, engine_get_assigned(a)));
	json_write_z(w, "principalType", type_of(e, a));
	json_write_text(w, "scope", a->scope);
	json_write_null(w, "condition");
	json_write_null(w, "conditionVersion");
	az_write_time(w, "createdOn", a->row.created_us);
	az_write_time(w, "updatedOn", a->row.updated_us);
	json_write_text(w, "createdBy", by);
	json_write_text(w, "updatedBy", by);
	json_write_null(w, "delegatedManagedIdentityResourceId");
	json_write_text_or_null(w, "description", a->description);
	json_write_close(w);
	json_write_text(w, "id",
			str_print(e->c->arena, "%" STR_FMT AZ_AUTHORIZATION "/roleAssignments/%" STR_FMT,
				  STR_ARG(a->scope), STR_ARG(name)));
	json_write_z(w, "type", "Microsoft.Authorization/roleAssignments");
	json_write_text(w, "name", name);
}

/* ---- lists ---- */

/* "atScope()", "principalId eq '…'", "assignedTo('…')". */
struct filter {
	bool at_scope, with_groups;
	uuid principal; /* none: any principal */
};

static bool read_principal(struct str text, const char *before, struct filter *f)
{
	struct str word = str_from(before);
	return str_equal_nocase(str_slice(text, 0, word.n), word) &&
	       result_is_ok(
		       uuid_parse_asked(str_slice(text, word.n, word.n + UUID_TEXT_SIZE - 1), &f->principal));
}

static RESULT read_filter(struct az_call *e, struct filter *ret_filter)
{
	struct str text = str_trim(az_query_value(e, "$filter"));
	struct filter f = {0};
	f.at_scope = str_equal_nocase(str_slice(text, 0, strlen("atScope()")), STR("atScope()"));
	if (f.at_scope)
		text = str_trim(str_slice(text, strlen("atScope()"), text.n));
	if (f.at_scope && str_equal_nocase(str_slice(text, 0, 3), STR("and")))
		text = str_trim(str_slice(text, 3, text.n));
	f.with_groups = text.n && !read_principal(text, "principalId eq '", &f);
	if (f.with_groups && !read_principal(text, "assignedTo('", &f))
		return az_fail(e, "$filter", "The filter '%" STR_FMT "' is not supported.",
			       STR_ARG(str_slice(text, 0, 128)));
	*ret_filter = f;
	return OK;
}

static bool is_asked(struct az_call *e, const struct filter *f, const struct arm_assignment *a)
{
	if (uuid_is_none(f->principal) || uuid_equal(engine_get_assigned(a), f->principal))
		return true;
	return f->with_groups && engine_is_member(az_tables(e), f->principal, a->user_group);
}

static RESULT list_assignments(struct az_call *e, const void *args, struct json_writer *w)
{
	struct az_scope scope;
	struct filter f = {0};
	const struct tables *t = az_tables(e);
	(void) args;
	TRY(az_find_scope(e, &scope));
	TRY(read_filter(e, &f));
	json_write_open_list(w, "value");
	const struct arm_assignment *a = arm_assignment_first_by_account(t, e->c->who->account);
	for (; a; a = arm_assignment_next_by_account(t, a)) {
		struct arm_place place = engine_get_assignment_place(a);
		if (!az_concerns_scope(&scope, &place, !f.at_scope) || !is_asked(e, &f, a))
			continue;
		json_write_open(w, NULL);
		write_assignment(e, w, a);
		json_write_close(w);
	}
	json_write_close_list(w);
	return OK;
}

/* ---- one ---- */

/* Finds an assignment of the account; NULL: it has none with that id. */
static const struct arm_assignment *find_own(struct az_call *e, uuid id)
{
	const struct arm_assignment *a = arm_assignment_find(az_tables(e), id);
	return a && uuid_equal(a->account, e->c->who->account) ? a : NULL;
}

static RESULT show_assignment(struct az_call *e, const void *args, struct json_writer *w)
{
	struct az_scope scope;
	uuid id = UUID_NONE;
	(void) args;
	TRY(az_find_scope(e, &scope));
	TRY(az_path_id(e, "roleAssignmentName", &bad_id, &id));
	const struct arm_assignment *a = find_own(e, id);
	if (!a)
		return ctx_fail_kind(e->c, ERR_NOT_FOUND, KIND_ARM_ASSIGNMENT,
				     "The role assignment '%" STR_FMT "' is not found.",
				     STR_ARG(az_path_value(e, "roleAssignmentName")));
	write_assignment(e, w, a);
	return OK;
}

struct assignment_body {
	struct str definition, principal, type, description;
};
#define P(wire, member, ...) PARAM(struct assignment_body, wire, member, __VA_ARGS__)
static const struct param body_params[] = {
	P("roleDefinitionId", definition, .flags = REQUIRED, .max = ARM_SCOPE_MAX,
	  .doc = "Role definition to assign."),
	P("principalId", principal, .flags = REQUIRED,
	  .doc = "Principal: the UUID of an IAM user, group or role."),
	P("principalType", type, .flags = NULL_ABSENT,
	  .words = "User|Group|ServicePrincipal|ForeignGroup|Device", .doc = "Type of the principal."),
	P("description", description, .flags = NULL_ABSENT, .max = ARM_DESCRIPTION_MAX,
	  .doc = "Description: free text."),
	NOT_BUILT("condition|conditionVersion|delegatedManagedIdentityResourceId"),
	AZ_READ_ONLY("scope|createdOn|updatedOn|createdBy|updatedBy"),
};
#undef P
static const struct params body_table =
	PARAMS(struct assignment_body, body_params, .object = "RoleAssignmentProperties");
struct assignment_args {
	struct arm_assignment_wish wish;
	struct assignment_body body;
};
static const struct param assignment_params[] = {
	PARAM_OBJECT(struct assignment_args, "properties", body, body_table, .flags = REQUIRED,
		     .doc = "Role definition and principal of the assignment."),
	AZ_NAMED_PART,
};

static RESULT prepare_put(struct az_call *e, void *args)
{
	struct assignment_args *a = args;
	struct az_scope scope;
	TRY(az_find_scope(e, &scope));
	TRY(az_path_id(e, "roleAssignmentName", &bad_id, &a->wish.id));
	a->wish.definition = az_read_definition_id(a->body.definition);
	if (uuid_is_none(a->wish.definition))
		return az_fail(e, "properties.roleDefinitionId",
			       "The role definition ID '%" STR_FMT "' is not valid.",
			       STR_ARG(str_slice(a->body.definition, 0, 256)));
	if (!result_is_ok(uuid_parse_asked(a->body.principal, &a->wish.principal)))
		return az_fail(e, "properties.principalId", "The principal ID '%" STR_FMT "' is not valid.",
			       STR_ARG(str_slice(a->body.principal, 0, 64)));
	a->wish.place = scope.place;
	a->wish.scope = scope.text;
	a->wish.description = a->body.description;
	e->status = find_own(e, a->wish.id) ? 200 : 201;
	return OK;
}

static RESULT show_put(struct az_call *e, const void *args, struct json_writer *w)
{
	const struct assignment_args *a = args;
	const struct row *row = NULL;
	TRY(az_find_returned(e, a->wish.id, &row));
	write_assignment(e, w, arm_assignment_of(row));
	return OK;
}

/* Deletes an assignment; the answer shows the deleted one. */
struct delete_args {
	struct arm_assignment_target wish;
	struct arm_assignment was;
};

static RESULT prepare_delete(struct az_call *e, void *args)
{
	struct delete_args *a = args;
	struct az_scope scope;
	TRY(az_find_scope(e, &scope));
	TRY(az_path_id(e, "roleAssignmentName", &bad_id, &a->wish.id));
	const struct arm_assignment *found = find_own(e, a->wish.id);
	e->skips_operation = e->has_no_body = !found;
	e->status = found ? 200 : 204;
	if (!found)
		return OK;
	a->was = *found;
	a->was.scope = str_copy(e->c->arena, found->scope);
	a->was.description = str_copy(e->c->arena, found->description);
	return OK;
}

static RESULT show_deleted(struct az_call *e, const void *args, struct json_writer *w)
{
	const struct delete_args *a = args;
	write_assignment(e, w, &a->was);
	return OK;
}

#define LIST(where)                                                                                          \
	{                                                                                                    \
		HTTP_GET, where, .name = "RoleAssignments_ListForScope",                                     \
				 .permit = "iam:ListAzureRoleAssignments", .type = AZ_ASSIGNMENTS,           \
				 .answer = list_assignments, .query = "$filter",                             \
				 .doc = "Lists the role assignments at a scope."                             \
	}
#define GET(where)                                                                                           \
	{                                                                                                    \
		HTTP_GET, where, .name = "RoleAssignments_Get", .permit = "iam:ListAzureRoleAssignments",    \
				 .type = AZ_ASSIGNMENTS, .answer = show_assignment,                          \
				 .doc = "Gets one role assignment."                                          \
	}
#define PUT(where)                                                                                           \
	{                                                                                                    \
		HTTP_PUT, where, .name = "RoleAssignments_Create",                                           \
				 .permit = "iam:CreateAzureRoleAssignment", .flags = API_WRITES,             \
				 .type = AZ_ASSIGNMENTS,                                                     \
				 .args = PARAMS(struct assignment_args, assignment_params,                   \
						.object = "RoleAssignment"),                                 \
				 .prepare = prepare_put, .operation = engine_create_arm_assignment_run,      \
				 .returns = KIND_ARM_ASSIGNMENT, .answer = show_put,                         \
				 .doc = "Assigns a role to a principal at a scope."                          \
	}
#define DELETE(where)                                                                                        \
	{                                                                                                    \
		HTTP_DELETE, where, .name = "RoleAssignments_Delete",                                        \
				    .permit = "iam:DeleteAzureRoleAssignment", .flags = API_WRITES,          \
				    .type = AZ_ASSIGNMENTS, .args = {0, 0, sizeof(struct delete_args)},      \
				    .prepare = prepare_delete,                                               \
				    .operation = engine_delete_arm_assignment_run,                           \
				    .returns = API_RETURNS_NOTHING_STORED, .answer = show_deleted,           \
				    .doc = "Deletes a role assignment."                                      \
	}
static const struct az_action actions[] = {
	AZ_AT_EACH(LIST, "/roleAssignments"),
	AZ_AT_EACH(GET, "/roleAssignments/{roleAssignmentName}"),
	AZ_AT_EACH(PUT, "/roleAssignments/{roleAssignmentName}"),
	AZ_AT_EACH(DELETE, "/roleAssignments/{roleAssignmentName}"),
};
const struct api_actions az_assignment_actions = API_ACTIONS(actions);
