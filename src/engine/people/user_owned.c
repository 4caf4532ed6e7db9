/* SPDX-License-Identifier: Apache-2.0
 * Access to a user's own secrets. */
#include "engine/people/user_owned.h"

#include "engine/billing/standing.h"

#include "engine/internal.h"
#include "engine/people/policy/role.h"
#include "model/role.h"
#include "model/user.h"
#include "store/account.h"
#include "store/application_credential.h"

enum { ACCOUNTS_CONCERNED_MAX = 3 };

static bool starts_with(const char *permission, const char *family)
{
	return strncmp(permission, family, strlen(family)) == 0;
}

bool engine_is_personal(const char *permission)
{
	static const char *const families[] = {"access_key.",
					       "access_rule.",
					       "application_credential.",
					       "password.",
					       "public_credential.",
					       "second_factor.",
					       "token.",
					       "trust."};
	for (size_t n = 0; n < sizeof families / sizeof *families; n++)
		if (starts_with(permission, families[n]))
			return true;
	return false;
}

static struct result fail_denied(struct ctx *c, const char *permission)
{
	return ctx_fail_kind(c, ERR_DENIED, KIND_USER, "Only the user may perform %s, and an administrator.",
			     permission);
}

/* ---- application credentials, trusts ---- */

bool engine_is_narrowed(const struct tables *t, const struct identity *who, uuid account)
{
	struct roles roles;
	if (uuid_is_none(who->application_credential) && uuid_is_none(who->trust))
		return false;
	engine_find_roles(t, who->user, IDENTITY_ACCOUNT, account, &roles);
	for (size_t n = 0; n < roles.count; n++)
		if (!uuids_have(&who->roles, roles.at[n]))
			return true;
	return false;
}

/* Names and roles of application credentials are not secret. */
static bool shows_no_secret(const char *permission)
{
	return strcmp(permission, "application_credential.list") == 0 ||
	       strcmp(permission, "access_rule.list") == 0;
}

RESULT engine_check_trusting(struct ctx *c)
{
	if (!c->who || uuid_is_none(c->who->application_credential))
		return OK;
	return ctx_fail_kind(c, ERR_DENIED, KIND_TRUST,
			     "You are not authorized to perform the requested action: Using method "
			     "'application_credential' is not allowed for managing trusts.");
}

/* A trust cannot create anything that outlives it or reaches further. Keystone creates access keys for the
 * trust's project; here that is refused, because a signature by such a key could not be told from the
 * trustor's own. */
static RESULT check_trust_reach(struct ctx *c, const char *permission)
{
	if (starts_with(permission, "application_credential.") || starts_with(permission, "access_rule."))
		return ctx_fail_kind(
			c, ERR_DENIED, KIND_USER,
			"Cannot manage application credentials with a token issued via delegation.");
	if (starts_with(permission, "second_factor."))
		return ctx_fail_kind(c, ERR_DENIED, KIND_USER,
				     "Cannot manage second factors with a token issued via delegation.");
	if (starts_with(permission, "public_credential."))
		return ctx_fail_kind(
			c, ERR_DENIED, KIND_USER,
			"Cannot manage uploaded credentials with a token issued via delegation.");
	if (starts_with(permission, "access_key."))
		return ctx_fail_kind(c, ERR_DENIED, KIND_USER,
				     "Cannot manage access keys with a token issued via delegation.");
	return OK;
}

static RESULT check_reach(struct ctx *c, const struct tables *t, const char *permission, uuid account)
{
	const struct identity *who = c->who;
	if (starts_with(permission, "trust."))
		return engine_check_trusting(c);
	if (!uuid_is_none(who->trust))
		TRY(check_trust_reach(c, permission));
	if (shows_no_secret(permission))
		return OK;
	if (who->is_restricted)
		return ctx_fail_kind(c, ERR_DENIED, KIND_USER,
				     "A restricted application credential may not perform %s.", permission);
	if (uuid_is_none(who->application_credential) || !starts_with(permission, "access_key."))
		return OK;
	const struct application_credential *by = application_credential_find(t, who->application_credential);
	if (by && by->access_rules.count) /* keys cannot enforce access rules */
		return ctx_fail_kind(c, ERR_DENIED, KIND_USER,
				     "An application credential with access rules may not perform %s.",
				     permission);
	if (uuid_equal(account, who->account) && !engine_is_narrowed(t, who, account))
		return OK;
	return ctx_fail_kind(c, ERR_DENIED, KIND_USER,
			     "An application credential may perform %s for its own account only, with all "
			     "roles that its user has there.",
			     permission);
}

/* ---- accounts ---- */

static size_t list_accounts(const struct identity *who, const struct user *user, uuid account,
			    uuid out[static ACCOUNTS_CONCERNED_MAX])
{
	const uuid all[ACCOUNTS_CONCERNED_MAX] = {user->account, account, who->account};
	size_t count = 0;
	for (size_t n = 0; n < ACCOUNTS_CONCERNED_MAX; n++) {
		bool is_there = uuid_is_none(all[n]);
		for (size_t k = 0; k < count && !is_there; k++)
			is_there = uuid_equal(out[k], all[n]);
		if (!is_there)
			out[count++] = all[n];
	}
	return count;
}

/* ret_is_allowed: a policy of the user's own account allows it. */
static RESULT ask_accounts(struct ctx *c, const struct tables *t, const char *permission,
			   const struct user *user, uuid account, bool *ret_is_allowed)
{
	uuid accounts[ACCOUNTS_CONCERNED_MAX];
	size_t count = list_accounts(c->who, user, account, accounts);
	*ret_is_allowed = false;
	TRY(engine_check_guarded(c));
	for (size_t n = 0; n < count && c->guard; n++) {
		bool is_allowed = false;
		TRY(c->guard->check_account(c->guard, c, t, permission, user, accounts[n], &is_allowed));
		if (is_allowed && uuid_equal(accounts[n], user->account))
			*ret_is_allowed = true;
	}
	return OK;
}

/* ---- users ---- */

/* True if the caller administers the account's own users. */
static bool is_steward(const struct identity *who, const struct user *user)
{
	return who->scope == IDENTITY_ACCOUNT && uuid_equal(who->account, user->account) &&
	       (who->is_owner || identity_has(who, RIGHT_MANAGER));
}

static bool lets_users_change_passwords(const struct tables *t, uuid account)
{
	const struct account *row = account_find(t, account);
	return row && row->password_own;
}

/* A domain's user and an account's owner need no permission; an account's own users need the account's. */
static bool may_own_user(const struct identity *who, const struct tables *t, const char *permission,
			 const struct user *user, bool is_allowed)
{
	bool is_self = uuid_equal(user->row.id, who->user);
	bool is_in_account = is_self || uuid_equal(who->account, user->account);
	if (is_steward(who, user) || (is_allowed && is_in_account))
		return true;
	return is_self && strcmp(permission, "password.change") == 0 &&
	       lets_users_change_passwords(t, user->account);
}

RESULT engine_check_own(struct ctx *c, const struct tables *t, const char *permission,
			const struct user *user, uuid account)
{
	const struct identity *who = c->who;
	bool is_allowed = false;
	if (!who || who->is_operator)
		return OK;
	TRY(check_reach(c, t, permission, account));
	TRY(ask_accounts(c, t, permission, user, account, &is_allowed));
	bool is_accounts_own = !uuid_is_none(user->account) && !user->is_owner;
	bool may = is_accounts_own ? may_own_user(who, t, permission, user, is_allowed)
				   : uuid_equal(user->row.id, who->user);
	return may || identity_is_admin(who) ? OK : fail_denied(c, permission);
}

RESULT engine_check_undenied(struct ctx *c, const struct tables *t, const char *permission,
			     const struct user *user)
{
	bool is_allowed = false;
	if (!c->who || !uuid_equal(c->who->user, user->row.id))
		return fail_denied(c, permission);
	TRY(check_reach(c, t, permission, UUID_NONE));
	return ask_accounts(c, t, permission, user, UUID_NONE, &is_allowed);
}

RESULT engine_permit_own(struct op *op, const char *permission, const struct user *user, uuid account)
{
	struct guard *guard = op->ctx->guard;
	bool is_allowed = false;
	op->is_permitted = true;
	if (guard)
		TRY(guard->check(guard, op->ctx, op->head, permission, KIND_USER, &user->row, NULL,
				 &is_allowed));
	TRY(standing_check(op));
	TRY(engine_check_own(op->ctx, op->head, permission, user, account));
	return op_name(op, KIND_USER, &user->row);
}
