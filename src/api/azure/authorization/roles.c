/* SPDX-License-Identifier: Apache-2.0
 * Role definitions, and the caller's permissions at a scope. Built-in roles are in
 * engine/people/policy/arm_roles.def; custom roles are rows. Source: Azure REST API reference, "Role Definitions"
 * and "Permissions", 2022-04-01.
 */
#include <jansson.h>

#include "api/azure/authorization/authorization.h"
#include "base/vec.h"
#include "store/arm_role.h"

static const struct api_error bad_id = {ERR_INVALID, 0, 400, "InvalidRoleDefinitionId"};

/* ---- answers ---- */

static void write_own(struct json_writer *w, const struct arm_definition *d)
{
	if (!d->row) {
		json_write_open_list(w, "assignableScopes");
		json_write_z(w, NULL, "/");
		json_write_close_list(w);
		return;
	}
	json_write_raw(w, "assignableScopes", d->row->scopes);
	az_write_time(w, "createdOn", d->row->row.created_us);
	az_write_time(w, "updatedOn", d->row->row.updated_us);
}

static void write_definition(struct az_call *e, struct json_writer *w, const struct arm_definition *d)
{
	json_write_open(w, "properties");
	json_write_text(w, "roleName", d->name);
	json_write_z(w, "type", d->row ? "CustomRole" : "BuiltInRole");
	json_write_text(w, "description", d->description);
	json_write_raw(w, "permissions", d->permissions);
	write_own(w, d);
	json_write_close(w);
	json_write_text(w, "id", az_write_definition_id(e, d->id));
	json_write_z(w, "type", "Microsoft.Authorization/roleDefinitions");
	json_write_uuid(w, "name", d->id);
}

/* "roleName eq 'Reader'", "type eq 'CustomRole'"; "atScopeAndBelow()" is what a list shows anyway. */
struct filter {
	struct str name, type;
};

static RESULT read_filter(struct az_call *e, struct filter *ret_filter)
{
	struct str rest = str_trim(az_query_value(e, "$filter"));
	struct filter f = {0};
	bool is_good = true;
	while (rest.n && is_good) {
		if (az_take_word(&rest, STR("roleName")))
			is_good = az_take_value(&rest, &f.name);
		else if (az_take_word(&rest, STR("type")))
			is_good = az_take_value(&rest, &f.type);
		else
			is_good = az_take_word(&rest, STR("atScopeAndBelow()"));
		if (rest.n && is_good)
			is_good = az_take_word(&rest, STR("and"));
	}
	*ret_filter = f;
	return is_good ? OK : az_fail(e, "$filter", "The filter is not supported.");
}

static void write_if_asked(struct az_call *e, struct json_writer *w, const struct filter *f,
			   const struct arm_definition *d)
{
	struct str type = d->row ? STR("CustomRole") : STR("BuiltInRole");
	if ((f->name.n && !str_equal_nocase(f->name, d->name)) ||
	    (f->type.n && !str_equal_nocase(f->type, type)))
		return;
	json_write_open(w, NULL);
	write_definition(e, w, d);
	json_write_close(w);
}

static RESULT list_definitions(struct az_call *e, const void *args, struct json_writer *w)
{
	struct az_scope scope;
	struct filter f = {0};
	struct arm_definition d;
	const struct tables *t = az_tables(e);
	(void) args;
	TRY(az_find_scope(e, &scope));
	TRY(read_filter(e, &f));
	json_write_open_list(w, "value");
	for (size_t k = 0; engine_get_builtin_role(k, &d); k++)
		write_if_asked(e, w, &f, &d);
	const struct arm_role *r = arm_role_first_by_account(t, e->c->who->account);
	for (; r; r = arm_role_next_by_account(t, r))
		if (engine_find_definition(t, r->account, r->row.id, &d))
			write_if_asked(e, w, &f, &d);
	json_write_close_list(w);
	return OK;
}

static RESULT show_definition(struct az_call *e, const void *args, struct json_writer *w)
{
	struct arm_definition d;
	uuid id = UUID_NONE;
	(void) args;
	TRY(az_path_id(e, "roleDefinitionId", &bad_id, &id));
	if (!engine_find_definition(az_tables(e), e->c->who->account, id, &d))
		return ctx_fail_kind(e->c, ERR_NOT_FOUND, KIND_ARM_ROLE,
				     "The specified role definition with ID '%" STR_FMT "' does not exist.",
				     STR_ARG(az_path_value(e, "roleDefinitionId")));
	write_definition(e, w, &d);
	return OK;
}

/* ---- changes ---- */

struct role_body {
	struct str name, description, type, permissions, scopes;
};
#define P(wire, member, ...) PARAM(struct role_body, wire, member, __VA_ARGS__)
static const struct param body_params[] = {
	P("roleName", name, .flags = REQUIRED, .min = 1, .max = ARM_NAME_MAX, .doc = "Name of the role."),
	P("description", description, .flags = NULL_ABSENT, .max = ARM_DESCRIPTION_MAX,
	  .doc = "Description: free text."),
	P("type", type, .flags = NULL_ABSENT, .words = "CustomRole", .doc = "Type; only CustomRole."),
	{.wire = "permissions",
	 .type = PARAM_JSON,
	 .offset = offsetof(struct role_body, permissions),
	 .flags = REQUIRED,
	 .doc = "Permissions: a list of objects with actions, notActions, dataActions and notDataActions."},
	{.wire = "assignableScopes",
	 .type = PARAM_JSON,
	 .offset = offsetof(struct role_body, scopes),
	 .flags = REQUIRED,
	 .doc = "Assignable scopes within the subscription."},
	AZ_READ_ONLY("createdOn|updatedOn|createdBy|updatedBy"),
};
#undef P
static const struct params body_table =
	PARAMS(struct role_body, body_params, .object = "RoleDefinitionProperties");
struct role_args {
	struct arm_role_wish wish;
	struct role_body body;
};
static const struct param role_params[] = {
	PARAM_OBJECT(struct role_args, "properties", body, body_table, .flags = REQUIRED,
		     .doc = "Name, permissions and scopes of the role."),
	AZ_NAMED_PART,
};

enum { LIST_MAX = 1000, ACTION_MAX = 512 };

/* True for an action pattern: words, slashes and stars. */
static bool is_action(const json_t *text)
{
	struct str action = {json_string_value(text), json_string_length(text)};
	bool is_good = json_is_string(text) && action.n >= 1 && action.n <= ACTION_MAX;
	for (size_t k = 0; is_good && k < action.n; k++)
		is_good = str_is_alphanumeric(action.p[k]) || strchr("./*-_", action.p[k]);
	return is_good;
}

static RESULT check_actions(struct az_call *e, json_t *permission, const char *name)
{
	json_t *list = json_object_get(permission, name);
	if (!list || json_is_null(list)) {
		json_t *none = json_array();
		return none && json_object_set_new(permission, name, none) == 0 ? OK : ctx_no_memory(e->c);
	}
	bool is_good = json_is_array(list) && json_array_size(list) <= LIST_MAX;
	for (size_t k = 0; is_good && k < json_array_size(list); k++)
		is_good = is_action(json_array_get(list, k));
	return is_good ? OK
		       : az_fail(e, "properties.permissions",
				 "The %s of a permission are a list of up to %d operations.", name, LIST_MAX);
}

static RESULT check_permissions(struct az_call *e, json_t *list)
{
	static const char *const names[] = {"actions", "notActions", "dataActions", "notDataActions"};
	if (!json_is_array(list) || !json_array_size(list) || json_array_size(list) > 16)
		return az_fail(e, "properties.permissions",
			       "The permissions of a role are a list of 1 to 16.");
	for (size_t k = 0; k < json_array_size(list); k++) {
		json_t *permission = json_array_get(list, k);
		if (!json_is_object(permission))
			return az_fail(e, "properties.permissions", "A permission is an object.");
		for (size_t n = 0; n < sizeof names / sizeof names[0]; n++)
			TRY(check_actions(e, permission, names[n]));
	}
	return OK;
}

/* Reads the permissions and completes them to all four lists, as answers show them. */
static RESULT read_permissions(struct az_call *e, struct str text, struct str *ret_text)
{
	json_t *list = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, NULL);
	struct result result = check_permissions(e, list);
	char *whole = result_is_ok(result) ? json_dumps(list, JSON_COMPACT) : NULL;
	json_decref(list);
	TRY(result);
	*ret_text = whole ? str_copy(e->c->arena, str_from(whole)) : STR_NONE;
	free(whole);
	if (!ret_text->p)
		return ctx_no_memory(e->c);
	return ret_text->n <= ARM_PERMISSIONS_MAX
		       ? OK
		       : az_fail(e, "properties.permissions", "The permissions of a role are too long.");
}

static RESULT check_scopes(struct az_call *e, struct str text)
{
	struct str own = str_print(e->c->arena, "/subscriptions/%" STR_FMT,
				   STR_ARG(uuid_to_str(e->c->arena, e->c->who->account)));
	json_t *list = json_loadb(text.p, text.n, 0, NULL);
	bool is_good = json_is_array(list) && json_array_size(list) && json_array_size(list) <= LIST_MAX &&
		       text.n <= 16384;
	for (size_t k = 0; is_good && k < json_array_size(list); k++) {
		struct str scope = str_from(json_string_value(json_array_get(list, k)));
		is_good = str_equal_nocase(str_slice(scope, 0, own.n), own) &&
			  (scope.n == own.n || scope.p[own.n] == '/');
	}
	json_decref(list);
	return is_good ? OK
		       : az_fail(e, "properties.assignableScopes",
				 "The assignable scopes of a role are a list of scopes in its subscription.");
}

static RESULT prepare_put(struct az_call *e, void *args)
{
	struct role_args *a = args;
	TRY(az_path_id(e, "roleDefinitionId", &bad_id, &a->wish.id));
	TRY(check_scopes(e, a->body.scopes));
	TRY(read_permissions(e, a->body.permissions, &a->wish.permissions));
	a->wish.name = a->body.name;
	a->wish.description = a->body.description;
	a->wish.scopes = a->body.scopes;
	return OK;
}

static RESULT show_put(struct az_call *e, const void *args, struct json_writer *w)
{
	const struct role_args *a = args;
	const struct row *row = NULL;
	TRY(az_find_returned(e, a->wish.id, &row));
	const struct arm_role *r = arm_role_of(row);
	const struct arm_definition d = {r->row.id,      r->row.commit,  r->name,
					 r->description, r->permissions, r};
	e->status = 201; /* 201 also for a changed role */
	write_definition(e, w, &d);
	return OK;
}

static RESULT prepare_delete(struct az_call *e, void *args)
{
	struct arm_role_target *wish = args;
	struct arm_definition d;
	TRY(az_path_id(e, "roleDefinitionId", &bad_id, &wish->id));
	e->skips_operation = !engine_find_definition(az_tables(e), e->c->who->account, wish->id, &d);
	e->status = e->skips_operation ? 204 : 200;
	return OK;
}

/* ---- what a caller may do ---- */

/* Lists permissions from the caller's assignments at the scope. Azure has no words for rights from IAM
 * policies, Keystone roles or ownership: such callers are shown as allowed everything. */
static RESULT list_permissions(struct az_call *e, const void *args, struct json_writer *w)
{
	struct az_scope scope;
	size_t count = 0;
	struct arm_grant *grants = arena_new_array(e->c->arena, struct arm_grant, ARM_ASSIGNMENTS_OF_ONE);
	const struct identity *who = e->c->who;
	uuid principal = uuid_is_none(who->iam_role) ? who->user : who->iam_role;
	(void) args;
	if (!grants)
		return ctx_no_memory(e->c);
	TRY(az_find_scope(e, &scope));
	(void) engine_find_grants(az_tables(e), principal, who->account, grants, &count);
	json_write_open_list(w, "value");
	if (who->is_owner)
		json_write_raw(w, NULL,
			       STR("{\"actions\":[\"*\"],\"notActions\":[],\"dataActions\":[],"
				   "\"notDataActions\":[]}"));
	for (size_t k = 0; k < count; k++) {
		struct str list = grants[k].definition.permissions;
		if (az_concerns_scope(&scope, &grants[k].place, false))
			json_write_raw(w, NULL,
				       str_slice(list, 1, list.n - 1)); /* without the list's brackets */
	}
	json_write_close_list(w);
	return OK;
}

#define LIST(where)                                                                                          \
	{                                                                                                    \
		HTTP_GET, where "/roleDefinitions",                                                          \
			.name = "RoleDefinitions_List", .permit = "iam:ListAzureRoles", .type = AZ_ROLES,    \
			.answer = list_definitions, .query = "$filter", .doc = "Lists role definitions."     \
	}
#define PERMISSIONS(where)                                                                                   \
	{                                                                                                    \
		HTTP_GET, where "/permissions",                                                              \
			.name = "Permissions_List", .permit = "iam:ListAzureRoles", .flags = API_FOR_ALL,    \
			.type = AZ_PERMISSIONS, .answer = list_permissions,                                  \
			.doc = "Lists the permissions that the caller's role assignments give at a scope."   \
	}
#define ONE AZ_SUBSCRIPTION AZ_AUTHORIZATION "/roleDefinitions/{roleDefinitionId}"
static const struct az_action actions[] = {
	LIST(AZ_SUBSCRIPTION AZ_AUTHORIZATION),
	LIST(AZ_GROUP AZ_AUTHORIZATION),
	LIST(AZ_AT_RESOURCE AZ_AUTHORIZATION),
	{HTTP_GET, ONE, .name = "RoleDefinitions_Get", .permit = "iam:ListAzureRoles", .type = AZ_ROLES,
	 .answer = show_definition, .doc = "Gets one role definition."},
	{HTTP_PUT, ONE, .name = "RoleDefinitions_CreateOrUpdate", .permit = "iam:PutAzureRole",
	 .flags = API_WRITES, .type = AZ_ROLES,
	 .args = PARAMS(struct role_args, role_params, .object = "RoleDefinition"), .prepare = prepare_put,
	 .operation = engine_put_arm_role_run, .returns = KIND_ARM_ROLE, .answer = show_put,
	 .doc = "Creates or replaces a custom role."},
	{HTTP_DELETE, ONE, .name = "RoleDefinitions_Delete", .permit = "iam:DeleteAzureRole",
	 .flags = API_WRITES, .type = AZ_ROLES, .args = {0, 0, sizeof(struct arm_role_target)},
	 .prepare = prepare_delete, .operation = engine_delete_arm_role_run,
	 .returns = API_RETURNS_NOTHING_STORED, .doc = "Deletes a custom role without assignments."},
	PERMISSIONS(AZ_SUBSCRIPTION AZ_AUTHORIZATION),
	PERMISSIONS(AZ_GROUP AZ_AUTHORIZATION),
	PERMISSIONS(AZ_AT_RESOURCE AZ_AUTHORIZATION),
};
const struct api_actions az_role_actions = API_ACTIONS(actions);
