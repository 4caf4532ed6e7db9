/* SPDX-License-Identifier: Apache-2.0
 * Password policies, and passwords that expire. Nothing outside the rows changes; sign-ins check the policy at each
 * password. */
#include "engine/people/credential/password_policy.h"

#include <string.h>

#include "engine/internal.h"
#include "engine/people/credential/password_policy_internal.h"
#include "engine/people/user_owned.h"
#include "store/account.h"
#include "store/user.h"

#define DAY_US (24 * 3600 * SECOND)

/* ---- the policy ---- */

static RESULT write_password_policy(struct op *op, const char *permission, const struct password_policy *p)
{
	const struct account *account = NULL;
	TRY(engine_find_acting_account(op, &account));
	TRY(engine_permit(op, permission, KIND_NONE, NULL));
	if (!p->length_min && !account->password_length_min)
		return ctx_fail_kind(op->ctx, ERR_NOT_FOUND, KIND_ACCOUNT,
				     "The account policy with name PasswordPolicy cannot be found.");
	struct account next = *account;
	next.password_length_min = p->length_min;
	next.password_symbols = p->symbols;
	next.password_digits = p->digits;
	next.password_capitals = p->capitals;
	next.password_small_letters = p->small_letters;
	next.password_own = p->own;
	next.password_age_days = p->age_days;
	next.password_reuse = p->reuse;
	next.password_hard_expiry = p->hard_expiry;
	next.row.gen++;
	TRY(account_put(op, &next));
	return engine_log_event(op, KIND_ACCOUNT, &next.row, "changed", "Its password policy was changed.");
}

RESULT engine_set_password_policy(struct op *op, struct password_policy *wish)
{
	return write_password_policy(op, "policy.set_passwords", wish);
}

RESULT engine_clear_password_policy(struct op *op, struct password_policy *wish)
{
	*wish = (struct password_policy){0};
	return write_password_policy(op, "policy.clear_passwords", wish);
}

struct password_form {
	int64_t characters, small_letters, capitals, digits, symbols;
};

static struct password_form look_at(struct str plain)
{
	struct password_form f = {0};
	for (size_t k = 0; k < plain.n; k++) {
		unsigned char byte = (unsigned char) plain.p[k];
		f.small_letters += byte >= 'a' && byte <= 'z';
		f.capitals += byte >= 'A' && byte <= 'Z';
		f.digits += byte >= '0' && byte <= '9';
		f.symbols += byte && strchr("!@#$%^&*()_+-=[]{}|'", byte) != NULL;
		f.characters += (byte & 0xc0) != 0x80;
	}
	return f;
}

static bool fits_policy(const struct account *a, const struct password_form *f)
{
	if (a->password_length_min == 0)
		return f->characters >= 8 &&
		       !!f->small_letters + !!f->capitals + !!f->digits + !!f->symbols >= 3;
	return f->characters >= a->password_length_min && (f->symbols || !a->password_symbols) &&
	       (f->digits || !a->password_digits) && (f->capitals || !a->password_capitals) &&
	       (f->small_letters || !a->password_small_letters);
}

RESULT engine_check_password(struct ctx *c, const struct account *account, struct str plain)
{
	const struct password_form form = look_at(plain);
	return !account || fits_policy(account, &form)
		       ? OK
		       : ctx_fail_kind(c, ERR_INVALID, KIND_ACCOUNT,
				       "Password does not conform to the account password policy.");
}

/* ---- age ---- */

static const struct account *find_policy(const struct tables *t, const struct user *user)
{
	const struct account *account = account_find(t, user->account);
	return account && account->password_length_min && !user->is_owner ? account : NULL;
}

int64_t engine_password_expiry(const struct tables *t, const struct user *user)
{
	const struct account *policy = find_policy(t, user);
	int64_t since_us = user->password_changed_us ? user->password_changed_us
			   : user->password_set_us   ? user->password_set_us
						     : user->row.created_us;
	return policy && policy->password_age_days && user->password_hash.n
		       ? since_us + policy->password_age_days * DAY_US
		       : 0;
}

enum password_standing engine_weigh_password(const struct tables *t, const struct user *user, int64_t now_us)
{
	int64_t expiry_us = engine_password_expiry(t, user);
	bool has_expired = expiry_us && expiry_us <= now_us;
	if (has_expired && find_policy(t, user)->password_hard_expiry)
		return PASSWORD_DEAD;
	return has_expired || user->password_is_first ? PASSWORD_MUST_CHANGE : PASSWORD_LETS_IN;
}

/* ---- reuse ---- */

RESULT engine_list_refused_passwords(struct ctx *c, const struct tables *t, const struct user *user,
				     struct strs *ret_hashes)
{
	const struct account *policy = find_policy(t, user);
	size_t most = policy ? (size_t) policy->password_reuse : 0, count = 0;
	struct str *at = arena_new_array(c->arena, struct str, PASSWORD_REUSE_MAX);
	struct str rest = user->password_history, line;
	if (!at)
		return ctx_no_memory(c);
	if (most && user->password_hash.n)
		at[count++] = str_copy(c->arena, user->password_hash);
	while (count < most && str_split_next(&rest, '\n', &line))
		if (line.n)
			at[count++] = str_copy(c->arena, line);
	*ret_hashes = (struct strs){at, count};
	return arena_is_full(c->arena) ? ctx_no_memory(c) : OK;
}

RESULT engine_fail_reused_password(struct ctx *c)
{
	return ctx_fail_kind(c, ERR_INVALID, KIND_ACCOUNT,
			     "Policy constraint violation with password reuse prevention during password "
			     "change.");
}

/* Writes the history of a user whose password is being replaced: the present hash, then earlier ones, no more than the policy
 * refuses. */
static RESULT write_history(struct op *op, const struct user *user, struct str *ret_history)
{
	struct strs hashes;
	struct str parts[2 * PASSWORD_REUSE_MAX];
	TRY(engine_list_refused_passwords(op->ctx, op->head, user, &hashes));
	for (size_t k = 0; k < hashes.count; k++) {
		parts[2 * k] = hashes.at[k];
		parts[2 * k + 1] = STR("\n");
	}
	*ret_history = str_join(op->ctx->arena, parts, 2 * hashes.count);
	return arena_is_full(op->ctx->arena) ? ctx_no_memory(op->ctx) : OK;
}

RESULT password_replace(struct op *op, struct user *next, struct str hash)
{
	TRY(write_history(op, next, &next->password_history));
	next->password_hash = hash;
	next->password_changed_us = hash.n ? op->now_us : 0;
	next->password_is_first = false;
	next->valid_from_us = op->now_us;
	return OK;
}

/* ---- at the sign-in ---- */

/* Users of domains may, as in Keystone. Those of accounts may when they have to, or the account lets all of them. */
static bool may_renew(struct op *op, const struct user *user)
{
	const struct account *account = account_find(op->head, user->account);
	enum password_standing standing = engine_weigh_password(op->head, user, op->now_us);
	return standing != PASSWORD_DEAD &&
	       (!account || standing == PASSWORD_MUST_CHANGE || account->password_own);
}

/* The caller is the user who has just proved the present password (guard_admit_proved()). Renewal needs no
 * policy that allows it, because an expired password lets nobody do anything else; a Deny counts. */
RESULT engine_renew_password(struct op *op, struct own_password *wish)
{
	const struct user *user = user_find(op->head, wish->user.prefix);
	if (!user || !str_equal(user->password_hash, wish->hash_before))
		return ctx_fail_kind(op->ctx, ERR_CONFLICT, KIND_USER,
				     "The password was changed by somebody else.");
	TRY(engine_check_undenied(op->ctx, op->head, "password.change", user));
	if (!may_renew(op, user))
		return ctx_fail_kind(
			op->ctx, ERR_DENIED, KIND_USER,
			"This user may not change the password. Ask an administrator of the account.");
	/* Proved by the old password; the account's password policy decides (may_renew()). */
	engine_need_no_permission(op);
	struct user next = *user;
	TRY(password_replace(op, &next, wish->password_hash));
	next.row.gen++;
	TRY(user_put(op, &next));
	return engine_log_event(op, KIND_USER, &next.row, "changed", "User %" STR_FMT " has a new password.",
				STR_ARG(next.name));
}
