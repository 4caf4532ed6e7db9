/* SPDX-License-Identifier: Apache-2.0
 * Roles. Rights are computed from the rows at each use, so a change applies as soon as it is published, also
 * to existing tokens. */
#include "engine/people/policy/role.h"

#include "engine/internal.h"
#include "engine/limits.h"
#include "engine/people/account/account.h"
#include "engine/people/keystone_extra_internal.h"
#include "store/account.h"
#include "store/group_member.h"
#include "store/project_role.h"
#include "store/role.h"
#include "store/role_assignment.h"
#include "store/trust.h"
#include "store/user.h"

_Static_assert((int) ROLE_RIGHT_READER == RIGHT_READER && (int) ROLE_RIGHT_MEMBER == RIGHT_MEMBER &&
		       (int) ROLE_RIGHT_MANAGER == RIGHT_MANAGER && (int) ROLE_RIGHT_ADMIN == RIGHT_ADMIN,
	       "the rights of who asks are those of roles");

/* ---- effective roles ---- */

static bool has_role(const struct roles *roles, uuid role)
{
	for (size_t n = 0; n < roles->count; n++)
		if (uuid_equal(roles->at[n], role))
			return true;
	return false;
}

static void add_role(struct roles *roles, uuid role)
{
	if (roles->count < ROLES_MAX && !has_role(roles, role))
		roles->at[roles->count++] = role;
}

/* The loop also reaches the roles it appends. */
void engine_close_roles(const struct tables *t, struct roles *roles)
{
	roles->rights = 0;
	for (size_t n = 0; n < roles->count; n++) {
		const struct role *role = role_find(t, roles->at[n]);
		if (!role)
			continue;
		if (role->right != ROLE_RIGHT_NONE)
			roles->rights |= 1U << role->right;
		for (size_t k = 0; k < role->implies.count; k++)
			add_role(roles, role->implies.at[k]);
	}
}

/* A domain's own roles have a meaning in Keystone only: users have the roles that they imply. */
static void drop_domain_roles(const struct tables *t, struct roles *roles)
{
	size_t count = 0;
	for (size_t n = 0; n < roles->count; n++) {
		const struct role *role = role_find(t, roles->at[n]);
		if (role && uuid_is_none(role->domain))
			roles->at[count++] = roles->at[n];
	}
	roles->count = count;
}

bool engine_is_account_within(const struct tables *t, uuid a, uuid b)
{
	const struct account *account = account_find(t, a);
	for (int depth = 0; account && depth < ACCOUNT_DEPTH_MAX; depth++) {
		if (uuid_equal(account->parent, b))
			return !uuid_is_none(b);
		account = account_find(t, account->parent);
	}
	return false;
}

struct place {
	const struct tables *t;
	enum identity_scope scope;
	uuid where, domain; /* domain: the account's */
};

static bool is_at(const struct role_assignment *a, const struct place *place)
{
	switch (place->scope) {
	case IDENTITY_ACCOUNT:
		if (a->inherited && !uuid_is_none(a->account))
			return engine_is_account_within(place->t, place->where, a->account);
		if (a->inherited)
			return uuid_equal(a->domain, place->domain);
		return uuid_equal(a->account, place->where);
	case IDENTITY_DOMAIN:
		return !a->inherited && uuid_equal(a->domain, place->where);
	case IDENTITY_SYSTEM:
		return a->system;
	case IDENTITY_UNSCOPED:
		break;
	}
	return false;
}

void engine_find_roles(const struct tables *t, uuid user, enum identity_scope scope, uuid where,
		       struct roles *ret_roles)
{
	struct place place = {.t = t, .scope = scope, .where = where};
	*ret_roles = (struct roles){0};
	if (scope == IDENTITY_ACCOUNT) {
		const struct account *account = account_find(t, where);
		if (!account)
			return;
		place.domain = account->domain;
	}
	const struct role_assignment *a = role_assignment_first_by_user(t, user);
	for (; a; a = role_assignment_next_by_user(t, a))
		if (is_at(a, &place))
			add_role(ret_roles, a->role);
	const struct group_member *m = group_member_first_by_user(t, user);
	for (; m; m = group_member_next_by_user(t, m)) {
		a = role_assignment_first_by_user_group(t, m->user_group);
		for (; a; a = role_assignment_next_by_user_group(t, a))
			if (is_at(a, &place))
				add_role(ret_roles, a->role);
	}
	engine_close_roles(t, ret_roles);
	drop_domain_roles(t, ret_roles);
}

void engine_narrow_roles(const struct tables *t, const struct uuids *list, struct roles *roles)
{
	struct roles narrow = {0};
	for (size_t n = 0; n < list->count; n++)
		if (has_role(roles, list->at[n]))
			add_role(&narrow, list->at[n]);
	engine_close_roles(t, &narrow);
	*roles = narrow;
}

const struct role *engine_find_standard_role(const struct tables *t, enum role_right right)
{
	const struct role *role = role_first(t);
	while (role && role->right != right)
		role = role_next(t, role);
	return role;
}

/* ---- roles ---- */

static RESULT check_name(struct op *op, uuid domain, struct str name, uuid but)
{
	TRY(engine_check_name(op, KIND_ROLE, name));
	const struct role *other = role_find_by_domain(op->head, domain, name);
	if (other && !uuid_equal(other->row.id, but))
		return ctx_fail_kind(op->ctx, ERR_EXISTS, KIND_ROLE,
				     "The role '%" STR_FMT "' exists already.", STR_ARG(name));
	return OK;
}

static RESULT find_role(struct op *op, const struct ref *ref, const struct role **ret_role)
{
	const struct row *row = NULL;
	TRY(engine_look_up(op->ctx, op->head, KIND_ROLE, ref, &row));
	*ret_role = role_of(row);
	return OK;
}

RESULT engine_create_role(struct op *op, struct role_wish *wish)
{
	const struct row *domain = NULL;
	TRY(engine_permit(op, "role.create", KIND_ROLE, NULL));
	if (ref_is_given(&wish->domain))
		TRY(engine_look_up(op->ctx, op->head, KIND_DOMAIN, &wish->domain, &domain));
	TRY(check_name(op, domain ? domain->id : UUID_NONE, wish->name, UUID_NONE));
	TRY(limit_check(op, LIMIT_ROLES, UUID_NONE, 1, STR_NONE));
	struct role role = {.row.id = engine_new_id(op, KIND_ROLE),
			    .row.gen = 1,
			    .domain = domain ? domain->id : UUID_NONE,
			    .name = wish->name,
			    .description = wish->description,
			    .rules = wish->rules};
	TRY(keystone_extra_add(op, KIND_ROLE, wish->extra, &role.extra));
	TRY(role_put(op, &role));
	wish->role = role.row.id;
	return engine_log_event(op, KIND_ROLE, &role.row, "created", "Role %" STR_FMT ".",
				STR_ARG(role.name));
}

bool engine_is_standard_role(const struct role *role)
{
	return role->right != ROLE_RIGHT_NONE ||
	       (uuid_is_none(role->domain) && str_is(role->name, ROLE_SERVICE));
}

static RESULT check_mutable(struct op *op, const struct role *role)
{
	return engine_is_standard_role(role)
		       ? ctx_fail_kind(op->ctx, ERR_PROTECTED, KIND_ROLE,
				       "The role %" STR_FMT " belongs to the region.", STR_ARG(role->name))
		       : OK;
}

RESULT engine_update_role(struct op *op, struct role_change *wish)
{
	const struct role *role = NULL;
	TRY(engine_permit(op, "role.update", KIND_ROLE, NULL));
	TRY(find_role(op, &wish->role, &role));
	TRY(check_mutable(op, role));
	struct role next = *role;
	if (wish->name)
		next.name = *wish->name;
	if (wish->description)
		next.description = *wish->description;
	if (wish->rules) {
		next.rules = *wish->rules;
		next.implies = (struct uuids){0};
	}
	TRY(check_name(op, role->domain, next.name, role->row.id));
	TRY(keystone_extra_add(op, KIND_ROLE, wish->extra, &next.extra));
	next.row.gen++;
	TRY(role_put(op, &next));
	return engine_log_event(op, KIND_ROLE, &next.row, "changed", "Role %" STR_FMT ".",
				STR_ARG(next.name));
}

/* Credentials keep the id of the deleted role in their lists, where it has no effect. */
RESULT engine_delete_role(struct op *op, struct role_target *wish)
{
	const struct role *role = NULL;
	TRY(engine_permit(op, "role.delete", KIND_ROLE, NULL));
	TRY(find_role(op, &wish->role, &role));
	TRY(check_mutable(op, role));
	uuid id = role->row.id;
	TRY(engine_log_event(op, KIND_ROLE, &role->row, "deleted", "Role %" STR_FMT ".",
			     STR_ARG(role->name)));
	return role_forget(op, id);
}

RESULT engine_imply_role(struct op *op, struct role_implication *wish)
{
	const struct role *role = NULL, *implied = NULL;
	TRY(engine_permit(op, "role.imply", KIND_ROLE, NULL));
	TRY(find_role(op, &wish->role, &role));
	TRY(find_role(op, &wish->implied, &implied));
	if (uuid_is_none(role->domain) && !uuid_is_none(implied->domain))
		return ctx_fail_kind(op->ctx, ERR_DENIED, KIND_ROLE,
				     "Global role cannot imply a domain-specific role");
	bool does = uuids_have(&role->implies, implied->row.id);
	if (wish->implies && !does && role->implies.count >= ROLES_MAX)
		return ctx_fail_kind(op->ctx, ERR_QUOTA, KIND_ROLE,
				     "The role %" STR_FMT " implies %d roles already.", STR_ARG(role->name),
				     ROLES_MAX);
	struct roles below = {.at = {implied->row.id}, .count = 1};
	engine_close_roles(op->head, &below);
	if (wish->implies && has_role(&below, role->row.id))
		return ctx_fail_kind(op->ctx, ERR_INVALID, KIND_ROLE,
				     "The role %" STR_FMT " implies %" STR_FMT " already.",
				     STR_ARG(implied->name), STR_ARG(role->name));
	if (!wish->implies && !does)
		return engine_fail_not_found(op->ctx, KIND_ROLE, &wish->implied);
	if (wish->implies == does)
		return OK;
	uuid list[ROLES_MAX];
	struct uuids implies = {list, 0};
	for (size_t n = 0; n < role->implies.count; n++)
		if (!uuid_equal(role->implies.at[n], implied->row.id))
			list[implies.count++] = role->implies.at[n];
	if (wish->implies)
		list[implies.count++] = implied->row.id;
	struct role next = *role;
	next.implies = implies;
	next.row.gen++;
	TRY(role_put(op, &next));
	return engine_log_event(op, KIND_ROLE, &next.row, "changed",
				wish->implies ? "Role %" STR_FMT " implies %" STR_FMT "."
					      : "Role %" STR_FMT " no longer implies %" STR_FMT ".",
				STR_ARG(next.name), STR_ARG(implied->name));
}

/* ---- assignments ---- */

/* Builds the row without an id. The domain of the account decides which administrator may do this. */
static RESULT resolve_grant(struct op *op, const struct role_grant *wish, struct role_assignment *ret_a)
{
	const struct row *role = NULL, *who = NULL, *where = NULL;
	bool is_group = ref_is_given(&wish->user_group), is_account = ref_is_given(&wish->account),
	     is_domain = ref_is_given(&wish->domain);
	if (is_group == ref_is_given(&wish->user) || is_account + is_domain + wish->system != 1 ||
	    (wish->inherited && wish->system))
		return ctx_fail_kind(op->ctx, ERR_COMBINATION, KIND_ROLE_ASSIGNMENT,
				     "A role is of one user or group, on one account, domain or the system.");
	if (is_account)
		TRY(engine_look_up(op->ctx, op->head, KIND_ACCOUNT, &wish->account, &where));
	if (is_domain)
		TRY(engine_look_up(op->ctx, op->head, KIND_DOMAIN, &wish->domain, &where));
	TRY(engine_permit(op, "role.grant", is_account ? KIND_ACCOUNT : KIND_DOMAIN, where));
	TRY(engine_look_up(op->ctx, op->head, KIND_ROLE, &wish->role, &role));
	TRY(engine_look_up(op->ctx, op->head, is_group ? KIND_USER_GROUP : KIND_USER,
			   is_group ? &wish->user_group : &wish->user, &who));
	*ret_a = (struct role_assignment){.row.gen = 1,
					  .role = role->id,
					  .user = is_group ? UUID_NONE : who->id,
					  .user_group = is_group ? who->id : UUID_NONE,
					  .account = is_account ? where->id : UUID_NONE,
					  .domain = is_domain ? where->id : UUID_NONE,
					  .system = wish->system,
					  .inherited = wish->inherited};
	return OK;
}

static bool is_same(const struct role_assignment *a, const struct role_assignment *b)
{
	return uuid_equal(a->role, b->role) && uuid_equal(a->user, b->user) &&
	       uuid_equal(a->user_group, b->user_group) && uuid_equal(a->account, b->account) &&
	       uuid_equal(a->domain, b->domain) && a->system == b->system && a->inherited == b->inherited;
}

static const struct role_assignment *find_same(const struct tables *t, const struct role_assignment *wanted)
{
	const struct role_assignment *a = NULL;
	if (!uuid_is_none(wanted->user)) {
		a = role_assignment_first_by_user(t, wanted->user);
		while (a && !is_same(a, wanted))
			a = role_assignment_next_by_user(t, a);
	} else {
		a = role_assignment_first_by_user_group(t, wanted->user_group);
		while (a && !is_same(a, wanted))
			a = role_assignment_next_by_user_group(t, a);
	}
	return a;
}

/* An administrator's role on an account is valid for all accounts, so it counts as a right over the
 * region. */
static bool gives_region(const struct tables *t, const struct role_assignment *a)
{
	struct roles given = {.at = {a->role}, .count = 1};
	engine_close_roles(t, &given);
	return given.rights & RIGHT(ADMIN) && (uuid_is_none(a->domain) || a->inherited);
}

static bool group_gives_region(const struct tables *t, uuid user_group)
{
	const struct role_assignment *a =
		uuid_is_none(user_group) ? NULL : role_assignment_first_by_user_group(t, user_group);
	while (a && !gives_region(t, a))
		a = role_assignment_next_by_user_group(t, a);
	return a;
}

static bool user_has_region(const struct tables *t, uuid user)
{
	const struct role_assignment *a = uuid_is_none(user) ? NULL : role_assignment_first_by_user(t, user);
	while (a && !gives_region(t, a))
		a = role_assignment_next_by_user(t, a);
	const struct group_member *m = a || uuid_is_none(user) ? NULL : group_member_first_by_user(t, user);
	while (m && !group_gives_region(t, m->user_group))
		m = group_member_next_by_user(t, m);
	return a || m;
}

static bool has_role_in(const struct tables *t, uuid user, enum identity_scope scope, uuid where)
{
	struct roles roles = {0};
	engine_find_roles(t, user, scope, where, &roles);
	return roles.count > 0;
}

static bool has_trust(const struct tables *t, uuid user, uuid account)
{
	const struct trust *trust = trust_first_by_trustee(t, user);
	while (trust && !(row_is_live(&trust->row) && uuid_equal(trust->account, account)))
		trust = trust_next_by_trustee(t, trust);
	return trust;
}

bool engine_acts_still(const struct tables *t, uuid user, uuid account)
{
	const struct user *row = user_find(t, user);
	const struct account *of = account_find(t, account);
	if (uuid_is_none(user))
		return true;
	if (!row || !row_is_live(&row->row) || !row->enabled)
		return false;
	return uuid_equal(row->account, account) || has_role_in(t, user, IDENTITY_ACCOUNT, account) ||
	       (of && has_role_in(t, user, IDENTITY_DOMAIN, of->domain)) ||
	       has_role_in(t, user, IDENTITY_SYSTEM, UUID_NONE) || user_has_region(t, user) ||
	       has_trust(t, user, account);
}

static RESULT fail_guarded(struct op *op)
{
	return ctx_fail_kind(op->ctx, ERR_DENIED, KIND_ROLE,
			     "Only an administrator of the region may change who is one.");
}

RESULT engine_guard_administrators(struct op *op, uuid user, uuid user_group)
{
	if (identity_is_admin(op->ctx->who) ||
	    (!user_has_region(op->head, user) && !group_gives_region(op->head, user_group)))
		return OK;
	return fail_guarded(op);
}

RESULT engine_guard_administrators_account(struct op *op, uuid account)
{
	const struct role_assignment *a =
		identity_is_admin(op->ctx->who) ? NULL : role_assignment_first_by_account(op->head, account);
	while (a && !gives_region(op->head, a))
		a = role_assignment_next_by_account(op->head, a);
	return a ? fail_guarded(op) : OK;
}

/* A domain's administrator cannot grant a right over the region. */
static RESULT check_giving(struct op *op, const struct role_assignment *wanted)
{
	if (identity_is_admin(op->ctx->who) || !gives_region(op->head, wanted))
		return OK;
	return ctx_fail_kind(op->ctx, ERR_DENIED, KIND_ROLE,
			     "A domain's administrator makes nobody an administrator of the region.");
}

static RESULT choose_project_role(struct op *op, const struct ref *ref, struct role_assignment *wanted)
{
	const struct row *row = NULL;
	if (!ref_is_given(ref))
		return OK;
	TRY(engine_look_up(op->ctx, op->head, KIND_PROJECT_ROLE, ref, &row));
	if (!uuid_equal(project_role_of(row)->account, wanted->account))
		return ctx_fail_field(op->ctx, ERR_INVALID, STR("projectroleid"),
				      "Invalid project role ID for the given project");
	wanted->project_role = row->id;
	return OK;
}

static RESULT change_project_role(struct op *op, const struct role_assignment *a, uuid project_role)
{
	struct role_assignment next = *a;
	if (uuid_equal(a->project_role, project_role))
		return OK;
	next.project_role = project_role;
	next.row.gen++;
	return role_assignment_put(op, &next);
}

RESULT engine_grant_role(struct op *op, struct role_grant *wish)
{
	struct role_assignment wanted;
	TRY(resolve_grant(op, wish, &wanted));
	TRY(choose_project_role(op, &wish->project_role, &wanted));
	TRY(check_giving(op, &wanted));
	const struct role_assignment *same = find_same(op->head, &wanted);
	if (same)
		return ref_is_given(&wish->project_role) ? change_project_role(op, same, wanted.project_role)
							 : OK;
	TRY(limit_check(op, LIMIT_ROLES_OF_USER, wanted.user, 1, STR_NONE));
	TRY(limit_check(op, LIMIT_ROLES_OF_GROUP, wanted.user_group, 1, STR_NONE));
	wanted.row.id = engine_new_id(op, KIND_ROLE_ASSIGNMENT);
	TRY(role_assignment_put(op, &wanted));
	return engine_log_event(op, KIND_ROLE_ASSIGNMENT, &wanted.row, "granted", "Role %" STR_FMT ".",
				STR_ARG(role_find(op->head, wanted.role)->name));
}

RESULT engine_revoke_role(struct op *op, struct role_grant *wish)
{
	struct role_assignment wanted;
	TRY(resolve_grant(op, wish, &wanted));
	if (!identity_is_admin(op->ctx->who) && gives_region(op->head, &wanted))
		return fail_guarded(op);
	const struct role_assignment *a = find_same(op->head, &wanted);
	if (!a)
		return ctx_fail_kind(op->ctx, ERR_NOT_FOUND, KIND_ROLE_ASSIGNMENT,
				     "That role is not assigned there.");
	TRY(engine_log_event(op, KIND_ROLE_ASSIGNMENT, &a->row, "revoked", "Role %" STR_FMT ".",
			     STR_ARG(role_find(op->head, wanted.role)->name)));
	return role_assignment_forget(op, a->row.id);
}
