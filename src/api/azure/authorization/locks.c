/* SPDX-License-Identifier: Apache-2.0
 * Management locks. The engine enforces them in every face (engine/people/policy/arm_lock.c). Source: Azure REST
 * API reference, "Management Locks", 2016-09-01.
 */
#include "api/azure/authorization/authorization.h"
#include "engine/people/policy/arm_lock.h"
#include "store/arm_lock.h"

static void write_lock(struct az_call *e, struct json_writer *w, const struct arm_lock *l)
{
	static const char *const words[] = {
		[ARM_LOCK_LEVEL_CANNOT_DELETE] = "CanNotDelete", [ARM_LOCK_LEVEL_READ_ONLY] = "ReadOnly"};
	json_write_open(w, "properties");
	json_write_z(w, "level", words[l->level]);
	if (l->notes.n)
		json_write_text(w, "notes", l->notes);
	json_write_close(w);
	json_write_text(w, "id",
			str_print(e->c->arena, "%" STR_FMT AZ_AUTHORIZATION "/locks/%" STR_FMT,
				  STR_ARG(l->scope), STR_ARG(l->name)));
	json_write_z(w, "type", "Microsoft.Authorization/locks");
	json_write_text(w, "name", l->name);
}

/* With the filter "atScope()" the list leaves out locks of narrower scopes. */
static RESULT list_locks(struct az_call *e, const void *args, struct json_writer *w)
{
	struct az_scope scope;
	struct str filter = str_trim(az_query_value(e, "$filter"));
	const struct tables *t = az_tables(e);
	(void) args;
	TRY(az_find_scope(e, &scope));
	if (filter.n && !str_equal_nocase(filter, STR("atScope()")))
		return az_fail(e, "$filter", "The filter '%" STR_FMT "' is not supported.",
			       STR_ARG(str_slice(filter, 0, 128)));
	json_write_open_list(w, "value");
	const struct arm_lock *l = arm_lock_first_by_account(t, e->c->who->account);
	for (; l; l = arm_lock_next_by_account(t, l)) {
		struct arm_place place = engine_get_lock_place(l);
		if (!az_concerns_scope(&scope, &place, !filter.n))
			continue;
		json_write_open(w, NULL);
		write_lock(e, w, l);
		json_write_close(w);
	}
	json_write_close_list(w);
	return OK;
}

/* Finds the lock of that name at the scope; NULL: there is none. */
static RESULT find_lock(struct az_call *e, struct az_scope *ret_scope, const struct arm_lock **ret_lock)
{
	TRY(az_find_scope(e, ret_scope));
	*ret_lock = engine_find_arm_lock(az_tables(e), e->c->who->account, ret_scope->text,
					 az_path_value(e, "lockName"));
	return OK;
}

static RESULT show_lock(struct az_call *e, const void *args, struct json_writer *w)
{
	struct az_scope scope;
	const struct arm_lock *l = NULL;
	(void) args;
	TRY(find_lock(e, &scope, &l));
	if (!l)
		return ctx_fail_kind(e->c, ERR_NOT_FOUND, KIND_ARM_LOCK,
				     "The lock '%" STR_FMT "' could not be found.",
				     STR_ARG(str_slice(az_path_value(e, "lockName"), 0, 128)));
	write_lock(e, w, l);
	return OK;
}

struct lock_body {
	struct str level, notes;
};
#define P(wire, member, ...) PARAM(struct lock_body, wire, member, __VA_ARGS__)
static const struct param body_params[] = {
	P("level", level, .flags = REQUIRED, .words = "CanNotDelete|ReadOnly",
	  .doc = "Level: CanNotDelete or ReadOnly."),
	P("notes", notes, .flags = NULL_ABSENT, .max = ARM_NOTES_MAX, .doc = "Notes: free text."),
	NOT_BUILT("owners"),
};
#undef P
static const struct params body_table =
	PARAMS(struct lock_body, body_params, .object = "ManagementLockProperties");
struct lock_args {
	struct arm_lock_wish wish;
	struct lock_body body;
};
static const struct param lock_params[] = {
	PARAM_OBJECT(struct lock_args, "properties", body, body_table, .flags = REQUIRED,
		     .doc = "Level and notes of the lock."),
	AZ_NAMED_PART,
	AZ_READ_ONLY("systemData"),
};

static RESULT prepare_put(struct az_call *e, void *args)
{
	struct lock_args *a = args;
	struct az_scope scope;
	const struct arm_lock *l = NULL;
	TRY(find_lock(e, &scope, &l));
	a->wish.name = az_path_value(e, "lockName");
	a->wish.level =
		str_is(a->body.level, "ReadOnly") ? ARM_LOCK_LEVEL_READ_ONLY : ARM_LOCK_LEVEL_CANNOT_DELETE;
	a->wish.notes = a->body.notes;
	a->wish.place = scope.place;
	a->wish.scope = scope.text;
	return OK;
}

static RESULT show_put(struct az_call *e, const void *args, struct json_writer *w)
{
	const struct lock_args *a = args;
	const struct row *row = NULL;
	TRY(az_find_returned(e, a->wish.lock, &row));
	e->status = a->wish.is_new ? 201 : 200;
	write_lock(e, w, arm_lock_of(row));
	return OK;
}

static RESULT prepare_delete(struct az_call *e, void *args)
{
	struct arm_lock_target *wish = args;
	struct az_scope scope;
	const struct arm_lock *l = NULL;
	TRY(find_lock(e, &scope, &l));
	e->skips_operation = !l;
	e->status = l ? 200 : 204;
	wish->lock = l ? l->row.id : UUID_NONE;
	return OK;
}

#define LIST(where)                                                                                          \
	{                                                                                                    \
		HTTP_GET, where, .name = "ManagementLocks_ListByScope", .permit = "iam:ListAzureLocks",      \
				 .type = AZ_LOCKS, .answer = list_locks, .query = "$filter",                 \
				 .doc = "Lists the management locks at a scope and below it."                \
	}
#define GET(where)                                                                                           \
	{                                                                                                    \
		HTTP_GET, where, .name = "ManagementLocks_GetByScope", .permit = "iam:ListAzureLocks",       \
				 .type = AZ_LOCKS, .answer = show_lock, .doc = "Gets one management lock."   \
	}
#define PUT(where)                                                                                           \
	{                                                                                                    \
		HTTP_PUT, where,                                                                             \
			.name = "ManagementLocks_CreateOrUpdateByScope", .permit = "iam:PutAzureLock",       \
			.flags = API_WRITES, .type = AZ_LOCKS,                                               \
			.args = PARAMS(struct lock_args, lock_params, .object = "ManagementLockObject"),     \
			.prepare = prepare_put, .operation = engine_put_arm_lock_run,                        \
			.returns = KIND_ARM_LOCK, .answer = show_put,                                        \
			.doc = "Creates a lock that forbids deleting, or changing, the resources at a "      \
			       "scope."                                                                      \
	}
#define DELETE(where)                                                                                        \
	{                                                                                                    \
		HTTP_DELETE, where, .name = "ManagementLocks_DeleteByScope",                                 \
				    .permit = "iam:DeleteAzureLock", .flags = API_WRITES, .type = AZ_LOCKS,  \
				    .args = {0, 0, sizeof(struct arm_lock_target)},                          \
				    .prepare = prepare_delete, .operation = engine_delete_arm_lock_run,      \
				    .returns = API_RETURNS_NOTHING_STORED,                                   \
				    .doc = "Deletes a management lock."                                      \
	}
static const struct az_action actions[] = {
	AZ_AT_EACH(LIST, "/locks"),
	AZ_AT_EACH(GET, "/locks/{lockName}"),
	AZ_AT_EACH(PUT, "/locks/{lockName}"),
	AZ_AT_EACH(DELETE, "/locks/{lockName}"),
};
const struct api_actions az_lock_actions = API_ACTIONS(actions);
