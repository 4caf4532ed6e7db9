/* SPDX-License-Identifier: Apache-2.0
 * Moves users between accounts, and gives the users of an account another role. Sources: API reference, "User", 4.19, and
 * AccountManagerImpl.
 */
#include "api/cloudstack/account/people.h"
#include "engine/people/account/account.h"
#include "engine/people/policy/role.h"
#include "engine/people/user.h"
#include "store/access_key.h"
#include "store/account.h"
#include "store/role.h"
#include "store/role_assignment.h"
#include "store/user.h"

struct move_user {
	struct ref user, account_id;
	struct str account;
	/* found: */
	uuid from, to;
};
#define P(wire, member, ...) PARAM(struct move_user, wire, member, __VA_ARGS__)
static const struct param move_params[] = {
	P("id", user, .kind = KIND_USER, .flags = REQUIRED, .doc = "The user."),
	P("account", account, .doc = "Account that the user moves to, by name, in the domain of the user."),
	P("accountid", account_id, .kind = KIND_ACCOUNT, .doc = "Account that the user moves to, by id."),
};
#undef P

static RESULT find_target(struct cs_call *e, const struct move_user *a, uuid domain, uuid *ret_account)
{
	const struct tables *t = cs_tables(e);
	const struct account *to = a->account.n ? account_find_by_domain(t, domain, a->account)
						: account_find(t, a->account_id.prefix);
	if (!a->account.n && !ref_is_given(&a->account_id))
		return cs_fail(e, "account", "provide either an account name or an account id!");
	if (!to || !row_is_live(&to->row) || cs_is_project(t, to->row.id))
		return a->account.n
			       ? cs_fail(e, "account", "Unable to find account %" STR_FMT " in the domain",
					 STR_ARG(a->account))
			       : cs_fail_id(e, KIND_ACCOUNT, "accountid", a->account_id.text);
	if (!uuid_equal(to->domain, domain))
		return cs_fail(
			e, "accountid",
			"moving a user from an account in one domain to an account in another domain is "
			"not supported!");
	*ret_account = to->row.id;
	return OK;
}

static RESULT prepare_move(struct cs_call *e, void *args)
{
	struct move_user *a = args;
	const struct tables *t = cs_tables(e);
	const struct user *user = user_find(t, a->user.prefix);
	const struct account *from = user && row_is_live(&user->row) ? cs_account_of(t, user) : NULL;
	if (!from)
		return cs_fail_id(e, KIND_USER, "id", a->user.text);
	if (!uuid_is_none(user->account))
		return cs_fail(e, "id", "The user is default and can't be (re)moved");
	TRY(find_target(e, a, from->domain, &a->to));
	a->from = from->row.id;
	e->skips_operation = uuid_equal(a->from, a->to);
	return OK;
}

/* Ends the user's roles on the account. */
static RESULT revoke_all(struct op *op, uuid user, uuid account)
{
	const struct role_assignment *a = role_assignment_first_by_user(op->head, user), *next = NULL;
	for (; a; a = next) {
		next = role_assignment_next_by_user(op->head, a);
		if (!uuid_equal(a->account, account))
			continue;
		struct role_grant grant = {.role = ref_by_id(KIND_ROLE, a->role),
					   .user = ref_by_id(KIND_USER, user),
					   .account = ref_by_id(KIND_ACCOUNT, account),
					   .inherited = a->inherited};
		TRY(engine_revoke_role(op, &grant));
	}
	return OK;
}

/* A key is of one account: CloudStack gives the moved user none. */
static RESULT drop_keys(struct op *op, uuid user, uuid account)
{
	const struct access_key *key = access_key_first_by_user(op->head, user), *next = NULL;
	for (; key; key = next) {
		next = access_key_next_by_user(op->head, key);
		struct access_key_target target = {.user = ref_by_id(KIND_USER, user), .key_id = key->key_id};
		if (uuid_equal(key->account, account))
			TRY(engine_delete_access_key(op, &target));
	}
	return OK;
}

/* A Domain Admin is Keystone's administrator of the domain, too, as createAccount makes him. */
static RESULT follow_domain(struct op *op, uuid user, uuid account, uuid role)
{
	const struct account *a = account_find(op->head, account);
	const struct role *is = role_find(op->head, role),
			  *admin = engine_find_standard_role(op->head, ROLE_RIGHT_ADMIN);
	struct role_grant grant = {.role = ref_by_id(KIND_ROLE, admin ? admin->row.id : UUID_NONE),
				   .user = ref_by_id(KIND_USER, user),
				   .domain = ref_by_id(KIND_DOMAIN, a ? a->domain : UUID_NONE)};
	if (is && is->right == ROLE_RIGHT_MANAGER)
		return engine_grant_role(op, &grant);
	const struct role_assignment *has = role_assignment_first_by_user(op->head, user);
	while (has && !(uuid_equal(has->role, grant.role.prefix) &&
			uuid_equal(has->domain, grant.domain.prefix) && !has->inherited))
		has = role_assignment_next_by_user(op->head, has);
	return has ? engine_revoke_role(op, &grant) : OK;
}

static RESULT move(struct op *op, void *args)
{
	struct move_user *a = args;
	const struct role *role = cs_role_of(op->head, a->to);
	const struct ref to = ref_by_id(KIND_ACCOUNT, a->to);
	struct user_change change = {.user = a->user, .default_account = &to};
	if (!role)
		role = engine_find_standard_role(op->head, ROLE_RIGHT_MEMBER);
	struct role_grant grant = {.role = ref_by_id(KIND_ROLE, role ? role->row.id : UUID_NONE),
				   .user = a->user,
				   .account = to};
	TRY(drop_keys(op, a->user.prefix, a->from));
	TRY(revoke_all(op, a->user.prefix, a->from));
	TRY(engine_update_user(op, &change));
	TRY(engine_grant_role(op, &grant));
	return follow_domain(op, a->user.prefix, a->to, grant.role.prefix);
}

/* ---- updateAccount: the role ---- */

struct regrant {
	struct op *op;
	uuid account, role;
	const struct user **at;
	size_t count;
};

static bool note_person(void *arg, const struct user *user)
{
	struct regrant *r = arg;
	if (r->at && uuid_is_none(user->account))
		r->at[r->count] = user;
	r->count += uuid_is_none(user->account);
	return true;
}

RESULT cs_change_account_role(struct op *op, uuid account, uuid role)
{
	struct regrant r = {.op = op, .account = account, .role = role};
	cs_each_person(op->head, account, note_person, &r);
	r.at = arena_new_array(op->ctx->arena, const struct user *, r.count + 1);
	if (!r.at)
		return ctx_no_memory(op->ctx);
	r.count = 0;
	cs_each_person(op->head, account, note_person, &r);
	for (size_t k = 0; k < r.count; k++) {
		uuid user = r.at[k]->row.id;
		struct role_grant grant = {.role = ref_by_id(KIND_ROLE, role),
					   .user = ref_by_id(KIND_USER, user),
					   .account = ref_by_id(KIND_ACCOUNT, account)};
		TRY(revoke_all(op, user, account));
		TRY(engine_grant_role(op, &grant));
		TRY(follow_domain(op, user, account, role));
	}
	return OK;
}

static const struct cs_action actions[] = {
	{CS_ACTION("moveUser", "identity:update_user"), .flags = API_WRITES | CS_ADMIN,
	 .args = PARAMS(struct move_user, move_params), .prepare = prepare_move, .operation = move,
	 .returns = API_RETURNS_NOTHING_STORED, .doc = "Moves a user to another account of its domain."},
};
const struct api_actions cs_user_move_actions = API_ACTIONS(actions);
