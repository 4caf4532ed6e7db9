/* SPDX-License-Identifier: Apache-2.0
 * Project roles. Whoever may change the project may change its roles; CloudStack's face decides about a project's own
 * administrators. Source: CloudStack's ProjectRoleManagerImpl. */
#include "engine/people/policy/project_role.h"

#include "engine/internal.h"
#include "store/account.h"
#include "store/project_role.h"
#include "store/role_assignment.h"

static RESULT check_name(struct op *op, uuid account, struct str name, uuid but)
{
	TRY(engine_check_name(op, KIND_PROJECT_ROLE, name));
	const struct project_role *other = project_role_find_by_account(op->head, account, name);
	return !other || uuid_equal(other->row.id, but)
		       ? OK
		       : ctx_fail_kind(op->ctx, ERR_EXISTS, KIND_PROJECT_ROLE,
				       "The project has a role named %" STR_FMT " already.", STR_ARG(name));
}

static RESULT log_change(struct op *op, const struct project_role *role, const char *what)
{
	return engine_log_event_to(op, role->account, KIND_PROJECT_ROLE, role->row.id, what,
				   "Project role %" STR_FMT ".", STR_ARG(role->name));
}

static RESULT find(struct op *op, const struct ref *ref, const struct project_role **ret_role)
{
	const struct row *row = NULL;
	TRY(engine_look_up(op->ctx, op->head, KIND_PROJECT_ROLE, ref, &row));
	*ret_role = project_role_of(row);
	const struct account *project = account_find(op->head, (*ret_role)->account);
	return project ? engine_permit(op, "account.update", KIND_ACCOUNT, &project->row)
		       : engine_fail_not_found(op->ctx, KIND_PROJECT_ROLE, ref);
}

static size_t count_roles(const struct tables *t, uuid account)
{
	size_t count = 0;
	for (const struct project_role *r = project_role_first_by_account(t, account); r;
	     r = project_role_next_by_account(t, r))
		count++;
	return count;
}

RESULT engine_create_project_role(struct op *op, struct project_role_wish *wish)
{
	const struct row *project = NULL;
	TRY(engine_look_up(op->ctx, op->head, KIND_ACCOUNT, &wish->account, &project));
	TRY(engine_permit(op, "account.update", KIND_ACCOUNT, project));
	TRY(check_name(op, project->id, wish->name, UUID_NONE));
	if (count_roles(op->head, project->id) >= PROJECT_ROLES_MAX)
		return ctx_fail_kind(op->ctx, ERR_QUOTA, KIND_PROJECT_ROLE, "A project has at most %d roles.",
				     PROJECT_ROLES_MAX);
	const struct project_role role = {.row.id = engine_new_id(op, KIND_PROJECT_ROLE),
					  .row.gen = 1,
					  .account = project->id,
					  .name = wish->name,
					  .description = wish->description};
	TRY(project_role_put(op, &role));
	wish->role = role.row.id;
	return log_change(op, &role, "created");
}

RESULT engine_update_project_role(struct op *op, struct project_role_change *wish)
{
	const struct project_role *role = NULL;
	TRY(find(op, &wish->role, &role));
	struct project_role next = *role;
	if (wish->name)
		next.name = *wish->name;
	if (wish->description)
		next.description = *wish->description;
	if (wish->rules)
		next.rules = *wish->rules;
	TRY(check_name(op, role->account, next.name, role->row.id));
	next.row.gen++;
	TRY(project_role_put(op, &next));
	return log_change(op, &next, "changed");
}

RESULT engine_delete_project_role(struct op *op, struct project_role_target *wish)
{
	const struct project_role *role = NULL;
	TRY(find(op, &wish->role, &role));
	if (role_assignment_first_by_project_role(op->head, role->row.id))
		return ctx_fail_field(op->ctx, ERR_DENIED, STR("id"),
				      "Found users that have the project role in use, cannot delete the "
				      "Project Role");
	TRY(log_change(op, role, "deleted"));
	return project_role_forget(op, role->row.id);
}
