/* SPDX-License-Identifier: Apache-2.0
 * An account's own users and groups: rows only. Keys, passwords and policies apply as soon as the change is
 * published. */
#include "engine/people/account/account_user.h"

#include <inttypes.h>

#include "engine/acting.h"
#include "engine/internal.h"
#include "engine/limits.h"
#include "engine/people/credential/password_policy_internal.h"
#include "engine/people/policy/policy.h"
#include "engine/people/policy/policy_internal.h"
#include "engine/people/user_internal.h"
#include "engine/tag_internal.h"
#include "model/policy_attachment.h"
#include "store/access_key.h"
#include "store/account.h"
#include "store/group_member.h"
#include "store/public_credential.h"
#include "store/second_factor.h"
#include "store/user.h"
#include "store/user_group.h"

/* ---- common ---- */

/* IAM compares names case-insensitively. */
static RESULT check_user_name(struct op *op, uuid account, struct str name, uuid but)
{
	TRY(engine_check_name(op, KIND_USER, name));
	const struct user *u = user_first_by_owner(op->head, account);
	for (; u; u = user_next_by_owner(op->head, u))
		if (str_equal_nocase(u->name, name) && !uuid_equal(u->row.id, but))
			return ctx_fail_kind(op->ctx, ERR_EXISTS, KIND_USER,
					     "User with name %" STR_FMT " already exists.", STR_ARG(name));
	return OK;
}

static RESULT check_group_name(struct op *op, uuid account, struct str name, uuid but)
{
	TRY(engine_check_name(op, KIND_USER_GROUP, name));
	const struct user_group *g = user_group_first_by_owner(op->head, account);
	for (; g; g = user_group_next_by_owner(op->head, g))
		if (str_equal_nocase(g->name, name) && !uuid_equal(g->row.id, but))
			return ctx_fail_kind(op->ctx, ERR_EXISTS, KIND_USER_GROUP,
					     "Group with name %" STR_FMT " already exists.", STR_ARG(name));
	return OK;
}

static RESULT fail_in_use(struct op *op, enum kind kind, const char *what)
{
	return ctx_fail_kind(op->ctx, ERR_IN_USE, (int) kind, "Cannot delete entity, must %s first.", what);
}

/* ---- users ---- */

static RESULT find_user(struct op *op, const struct ref *ref, const struct user **ret_user)
{
	const struct ref none = {0};
	struct policy_principal principal;
	TRY(engine_find_policy_principal(op->ctx, op->head, ref, &none, &none, &principal));
	*ret_user = user_of(principal.row);
	return OK;
}

RESULT engine_create_account_user(struct op *op, struct account_user_wish *wish)
{
	uuid account = UUID_NONE;
	TRY(engine_find_acting_id(op, &account));
	struct user user = {.row.id = engine_new_id(op, KIND_USER),
			    .row.gen = 1,
			    .account = account,
			    .name = wish->name,
			    .path = str_is_empty(wish->path) ? STR("/") : wish->path,
			    .enabled = true};
	TRY(tag_normalize(op, wish->tags, &user.tags));
	TRY(engine_permit_new(op, "user.create", KIND_USER, &user.row));
	TRY(check_user_name(op, account, wish->name, UUID_NONE));
	TRY(limit_check(op, LIMIT_USERS, account, 1, STR_NONE));
	TRY(user_put(op, &user));
	TRY(policy_put_boundary(op, KIND_USER, user.row.id, &wish->boundary));
	wish->user = user.row.id;
	return engine_log_event(op, KIND_USER, &user.row, "created", "User %" STR_FMT ".",
				STR_ARG(user.name));
}

RESULT engine_update_account_user(struct op *op, struct account_user_change *wish)
{
	const struct user *user = NULL;
	TRY(find_user(op, &wish->user, &user));
	TRY(engine_permit(op, "user.update", KIND_USER, &user->row));
	struct user next = *user;
	if (wish->path.n)
		next.path = wish->path;
	if (wish->name.n) {
		next.name = wish->name;
		TRY(check_user_name(op, user->account, wish->name, user->row.id));
	}
	next.row.gen++;
	TRY(user_put(op, &next));
	TRY(policy_follow_principal(op, user->account, KIND_USER, &user->row, &next.row));
	return engine_log_event(op, KIND_USER, &next.row, "changed", "User %" STR_FMT " is now %" STR_FMT ".",
				STR_ARG(user->name), STR_ARG(next.name));
}

RESULT engine_delete_account_user(struct op *op, struct account_user_target *wish)
{
	const struct user *user = NULL;
	TRY(find_user(op, &wish->user, &user));
	TRY(engine_permit(op, "user.delete", KIND_USER, &user->row));
	uuid id = user->row.id;
	if (user->password_hash.n)
		return fail_in_use(op, KIND_USER, "delete login profile");
	if (access_key_first_by_user(op->head, id))
		return fail_in_use(op, KIND_USER, "delete access keys");
	if (second_factor_first_by_user(op->head, id))
		return fail_in_use(op, KIND_USER, "delete MFA device");
	if (public_credential_first_by_user(op->head, id))
		return fail_in_use(op, KIND_USER, "delete SSH public keys and signing certificates");
	TRY(policy_check_principal_bare(op, KIND_USER, &user->row));
	if (group_member_first_by_user(op->head, id))
		return fail_in_use(op, KIND_USER, "remove users from group");
	TRY(engine_log_event(op, KIND_USER, &user->row, "deleted", "User %" STR_FMT ".",
			     STR_ARG(user->name)));
	return user_forget_whole(op, id);
}

/* ---- passwords ---- */

static RESULT write_login(struct op *op, const struct user *user, struct user *next)
{
	next->valid_from_us = op->now_us;
	next->row.gen++;
	TRY(user_put(op, next));
	return engine_log_event(op, KIND_USER, &next->row, "changed",
				next->password_hash.n ? "User %" STR_FMT " has a new password."
						      : "User %" STR_FMT " has no password.",
				STR_ARG(user->name));
}

static RESULT fail_no_login(struct op *op, const struct user *user)
{
	return ctx_fail_kind(op->ctx, ERR_NOT_FOUND, KIND_USER,
			     "Login Profile for User %" STR_FMT " cannot be found.", STR_ARG(user->name));
}

RESULT engine_create_login(struct op *op, struct login_wish *wish)
{
	const struct user *user = NULL;
	TRY(find_user(op, &wish->user, &user));
	TRY(engine_permit(op, "user.create_login", KIND_USER, &user->row));
	if (user->password_hash.n)
		return ctx_fail_kind(op->ctx, ERR_EXISTS, KIND_USER,
				     "Login Profile for user %" STR_FMT " already exists.",
				     STR_ARG(user->name));
	struct user next = *user;
	TRY(password_replace(op, &next, wish->password_hash));
	next.password_set_us = op->now_us;
	next.password_is_first = choice_or(wish->is_first, false);
	return write_login(op, user, &next);
}

RESULT engine_update_login(struct op *op, struct login_wish *wish)
{
	const struct user *user = NULL;
	TRY(find_user(op, &wish->user, &user));
	TRY(engine_permit(op, "user.update_login", KIND_USER, &user->row));
	if (!user->password_hash.n)
		return fail_no_login(op, user);
	struct user next = *user;
	if (wish->password_hash.n)
		TRY(password_replace(op, &next, wish->password_hash));
	choice_apply(wish->is_first, &next.password_is_first);
	return write_login(op, user, &next);
}

RESULT engine_delete_login(struct op *op, struct login_wish *wish)
{
	const struct user *user = NULL;
	TRY(find_user(op, &wish->user, &user));
	TRY(engine_permit(op, "user.delete_login", KIND_USER, &user->row));
	if (!user->password_hash.n)
		return fail_no_login(op, user);
	struct user next = *user;
	TRY(password_replace(op, &next, STR_NONE));
	next.password_set_us = 0;
	return write_login(op, user, &next);
}

/* ---- groups ---- */

static RESULT find_group(struct op *op, const struct ref *ref, const struct user_group **ret_group)
{
	const struct ref none = {0};
	struct policy_principal principal;
	TRY(engine_find_policy_principal(op->ctx, op->head, &none, ref, &none, &principal));
	*ret_group = user_group_of(principal.row);
	return OK;
}

RESULT engine_create_account_group(struct op *op, struct account_group_wish *wish)
{
	uuid account = UUID_NONE;
	TRY(engine_find_acting_id(op, &account));
	struct user_group group = {.row.id = engine_new_id(op, KIND_USER_GROUP),
				   .row.gen = 1,
				   .account = account,
				   .name = wish->name,
				   .path = str_is_empty(wish->path) ? STR("/") : wish->path};
	TRY(engine_permit_new(op, "group.create", KIND_USER_GROUP, &group.row));
	TRY(check_group_name(op, account, wish->name, UUID_NONE));
	TRY(limit_check(op, LIMIT_USER_GROUPS, account, 1, STR_NONE));
	TRY(user_group_put(op, &group));
	wish->user_group = group.row.id;
	return engine_log_event(op, KIND_USER_GROUP, &group.row, "created", "Group %" STR_FMT ".",
				STR_ARG(group.name));
}

RESULT engine_update_account_group(struct op *op, struct account_group_change *wish)
{
	const struct user_group *group = NULL;
	TRY(find_group(op, &wish->user_group, &group));
	TRY(engine_permit(op, "group.update", KIND_USER_GROUP, &group->row));
	struct user_group next = *group;
	if (wish->path.n)
		next.path = wish->path;
	if (wish->name.n) {
		next.name = wish->name;
		TRY(check_group_name(op, group->account, wish->name, group->row.id));
	}
	next.row.gen++;
	TRY(user_group_put(op, &next));
	return engine_log_event(op, KIND_USER_GROUP, &next.row, "changed",
				"Group %" STR_FMT " is now %" STR_FMT ".", STR_ARG(group->name),
				STR_ARG(next.name));
}

RESULT engine_delete_account_group(struct op *op, struct account_group_target *wish)
{
	const struct user_group *group = NULL;
	TRY(find_group(op, &wish->user_group, &group));
	TRY(engine_permit(op, "group.delete", KIND_USER_GROUP, &group->row));
	if (group_member_first_by_user_group(op->head, group->row.id))
		return fail_in_use(op, KIND_USER_GROUP, "remove users from group");
	TRY(policy_check_principal_bare(op, KIND_USER_GROUP, &group->row));
	TRY(engine_log_event(op, KIND_USER_GROUP, &group->row, "deleted", "Group %" STR_FMT ".",
			     STR_ARG(group->name)));
	return user_group_forget(op, group->row.id);
}

/* ---- account settings ---- */

static RESULT write_account(struct op *op, struct account *next, const char *what)
{
	next->row.gen++;
	TRY(account_put(op, next));
	return engine_log_event(op, KIND_ACCOUNT, &next->row, "changed", "Its %s was changed.", what);
}

RESULT engine_set_account_alias(struct op *op, struct account_alias *wish)
{
	const struct account *account = NULL;
	TRY(engine_find_acting_account(op, &account));
	TRY(engine_permit(op, "policy.set_alias", KIND_NONE, NULL));
	const struct account *other = account_first_by_alias(op->head, wish->alias);
	if (other && !uuid_equal(other->row.id, account->row.id))
		return ctx_fail_kind(op->ctx, ERR_EXISTS, KIND_ACCOUNT,
				     "The account alias %" STR_FMT " already exists.", STR_ARG(wish->alias));
	struct account next = *account;
	next.alias = wish->alias;
	return write_account(op, &next, "alias");
}

RESULT engine_clear_account_alias(struct op *op, struct account_alias *wish)
{
	const struct account *account = NULL;
	TRY(engine_find_acting_account(op, &account));
	TRY(engine_permit(op, "policy.clear_alias", KIND_NONE, NULL));
	if (!str_equal(account->alias, wish->alias))
		return ctx_fail_kind(op->ctx, ERR_NOT_FOUND, KIND_ACCOUNT,
				     "The account alias %" STR_FMT " is not the account's.",
				     STR_ARG(wish->alias));
	struct account next = *account;
	next.alias = STR_NONE;
	return write_account(op, &next, "alias");
}
