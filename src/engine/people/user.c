/* SPDX-License-Identifier: Apache-2.0
 * A domain's users: rows only. They can sign in as soon as the change is published. */
#include "engine/people/user.h"

#include "engine/internal.h"
#include "engine/limits.h"
#include "engine/people/credential/password_policy_internal.h"
#include "engine/people/credential/second_factor_internal.h"
#include "engine/people/keystone_extra_internal.h"
#include "engine/people/policy/policy_internal.h"
#include "engine/people/policy/role.h"
#include "engine/people/policy/trust.h"
#include "engine/people/user_internal.h"
#include "engine/people/user_name.h"
#include "engine/people/user_owned.h"
#include "store/user.h"

static RESULT find_user(struct op *op, const struct ref *ref, const struct user **ret_user)
{
	const struct row *row = NULL;
	TRY(engine_look_up(op->ctx, op->head, KIND_USER, ref, &row));
	*ret_user = user_of(row);
	return OK;
}

/* The user of that name, or of one that differs in case alone; `but` does not count. */
static const struct user *find_other(struct op *op, uuid domain, struct str name, uuid but, bool ignores_case)
{
	struct arena *a = op->ctx->arena;
	const struct user *other = ignores_case ? engine_find_namesake(a, op->head, domain, name, NULL)
						: user_find_by_owner(op->head, UUID_NONE, domain, name);
	while (other && uuid_equal(other->row.id, but))
		other = ignores_case ? engine_find_namesake(a, op->head, domain, name, other) : NULL;
	return other;
}

static RESULT check_name(struct op *op, uuid domain, struct str name, uuid but, bool ignores_case)
{
	TRY(engine_check_name(op, KIND_USER, name));
	return find_other(op, domain, name, but, ignores_case)
		       ? ctx_fail_kind(op->ctx, ERR_EXISTS, KIND_USER,
				       "The user '%" STR_FMT "' exists already in this domain.",
				       STR_ARG(name))
		       : OK;
}

static RESULT find_default(struct op *op, const struct ref *ref, uuid *ret_account)
{
	const struct row *row = NULL;
	*ret_account = UUID_NONE;
	if (!ref_is_given(ref))
		return OK;
	TRY(engine_look_up(op->ctx, op->head, KIND_ACCOUNT, ref, &row));
	*ret_account = row->id;
	return OK;
}

RESULT engine_create_user(struct op *op, struct user_wish *wish)
{
	const struct row *domain = tables_find(op->head, KIND_DOMAIN, DOMAIN_DEFAULT);
	if (ref_is_given(&wish->domain))
		TRY(engine_look_up(op->ctx, op->head, KIND_DOMAIN, &wish->domain, &domain));
	if (!domain)
		return engine_fail_gone(op->ctx, KIND_DOMAIN, DOMAIN_DEFAULT);
	TRY(engine_permit(op, "user.create", KIND_DOMAIN, domain));
	TRY(check_name(op, domain->id, wish->name, UUID_NONE, wish->ignores_case));
	TRY(limit_check(op, LIMIT_DOMAIN_USERS, domain->id, 1, STR_NONE));
	struct user user = {.row.id = engine_new_id(op, KIND_USER),
			    .row.gen = 1,
			    .domain = domain->id,
			    .name = wish->name,
			    .description = wish->description,
			    .email = wish->email,
			    .enabled = choice_or(wish->enabled, true),
			    .password_hash = wish->password_hash};
	TRY(find_default(op, &wish->default_account, &user.default_account));
	TRY(keystone_extra_add(op, KIND_USER, wish->extra, &user.extra));
	TRY(user_put(op, &user));
	wish->user = user.row.id;
	return engine_log_event(op, KIND_USER, &user.row, "created", "User %" STR_FMT ".",
				STR_ARG(user.name));
}

static RESULT apply_change(struct op *op, const struct user_change *wish, struct user *next)
{
	if (wish->name)
		next->name = *wish->name;
	if (wish->description)
		next->description = *wish->description;
	if (wish->email)
		next->email = *wish->email;
	if (wish->default_account)
		TRY(find_default(op, wish->default_account, &next->default_account));
	choice_apply(wish->enabled, &next->enabled);
	if (wish->password_hash.n || wish->clears_password)
		TRY(password_replace(op, next, wish->password_hash));
	if (!next->enabled)
		next->valid_from_us = op->now_us;
	return OK;
}

RESULT engine_update_user(struct op *op, struct user_change *wish)
{
	const struct user *user = NULL;
	TRY(find_user(op, &wish->user, &user));
	TRY(engine_permit(op, "user.update", KIND_USER, &user->row));
	TRY(engine_guard_administrators(op, user->row.id, UUID_NONE));
	if (user->is_owner && (wish->name || wish->enabled == CHOICE_NO))
		return ctx_fail_kind(op->ctx, ERR_PROTECTED, KIND_USER,
				     "An account's owner keeps its name and stays enabled.");
	struct user next = *user;
	TRY(apply_change(op, wish, &next));
	if (wish->name)
		TRY(check_name(op, user->domain, next.name, user->row.id, wish->ignores_case));
	TRY(keystone_extra_add(op, KIND_USER, wish->extra, &next.extra));
	next.row.gen++;
	TRY(user_put(op, &next));
	TRY(policy_follow_principal(op, user->account, KIND_USER, &user->row, &next.row));
	if (wish->password_hash.n)
		return engine_log_event(op, KIND_USER, &next.row, "changed",
					next.enabled ? "User %" STR_FMT ", enabled, with a new password."
						     : "User %" STR_FMT ", disabled, with a new password.",
					STR_ARG(next.name));
	if (wish->clears_password)
		return engine_log_event(op, KIND_USER, &next.row, "changed",
					next.enabled ? "User %" STR_FMT ", enabled, without a password."
						     : "User %" STR_FMT ", disabled, without a password.",
					STR_ARG(next.name));
	return engine_log_event(op, KIND_USER, &next.row, "changed",
				next.enabled ? "User %" STR_FMT ", enabled." : "User %" STR_FMT ", disabled.",
				STR_ARG(next.name));
}

RESULT user_forget_whole(struct op *op, uuid user)
{
	const struct user *gone = user_find(op->head, user);
	TRY(second_factor_forget_of_user(op, user));
	if (gone)
		TRY(policy_follow_principal(op, gone->account, KIND_USER, &gone->row, NULL));
	return user_forget(op, user);
}

RESULT engine_delete_user(struct op *op, struct user_target *wish)
{
	const struct user *user = NULL;
	TRY(find_user(op, &wish->user, &user));
	TRY(engine_permit(op, "user.delete", KIND_USER, &user->row));
	TRY(engine_guard_administrators(op, user->row.id, UUID_NONE));
	if (user->is_owner)
		return ctx_fail_kind(op->ctx, ERR_PROTECTED, KIND_USER,
				     "An account's owner goes with the account.");
	TRY(engine_log_event(op, KIND_USER, &user->row, "deleted", "User %" STR_FMT ".",
			     STR_ARG(user->name)));
	return user_forget_whole(op, user->row.id);
}

RESULT engine_change_own_password(struct op *op, struct own_password *wish)
{
	const struct user *user = NULL;
	TRY(find_user(op, &wish->user, &user));
	TRY(engine_permit_own(op, "password.change", user, UUID_NONE));
	if (!str_equal(user->password_hash, wish->hash_before))
		return ctx_fail_kind(op->ctx, ERR_CONFLICT, KIND_USER,
				     "The password was changed by somebody else.");
	struct user next = *user;
	TRY(password_replace(op, &next, wish->password_hash));
	next.row.gen++;
	TRY(user_put(op, &next));
	return engine_log_event(op, KIND_USER, &next.row, "changed", "User %" STR_FMT " has a new password.",
				STR_ARG(next.name));
}
