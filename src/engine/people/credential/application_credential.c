/* SPDX-License-Identifier: Apache-2.0
 * Application credentials. Their rights are computed at use: a role that the user loses, the credential
 * loses, too. */
#include "engine/people/credential/application_credential.h"

#include "engine/internal.h"
#include "engine/limits.h"
#include "engine/people/policy/role.h"
#include "engine/people/user_owned.h"
#include "model/role.h"
#include "store/application_credential.h"
#include "store/user.h"

/* The roles the user can delegate: those on the account, narrowed to the caller's own credential if there is
 * one. */
static void find_own_roles(const struct op *op, uuid user, uuid account, struct roles *ret_roles)
{
	const struct identity *who = op->ctx->who;
	engine_find_roles(op->head, user, IDENTITY_ACCOUNT, account, ret_roles);
	if (who && !uuid_is_none(who->application_credential))
		engine_narrow_roles(op->head, &who->roles, ret_roles);
}

static bool has_role(const struct roles *roles, uuid role)
{
	return uuids_have(&(struct uuids){roles->at, roles->count}, role);
}

static RESULT choose_roles(struct op *op, const struct application_credential_wish *wish,
			   const struct roles *own, struct roles *ret_roles)
{
	struct roles chosen = {0};
	if (wish->roles.count > ROLES_MAX)
		return ctx_fail_kind(op->ctx, ERR_INVALID, KIND_ROLE, "At most %d roles.", ROLES_MAX);
	for (size_t n = 0; n < wish->roles.count; n++) {
		const struct row *role = NULL;
		TRY(engine_look_up(op->ctx, op->head, KIND_ROLE, &wish->roles.at[n], &role));
		if (!has_role(own, role->id))
			return ctx_fail_kind(op->ctx, ERR_DENIED, KIND_ROLE,
					     "You have not the role %" STR_FMT " there.",
					     STR_ARG(role_of(role)->name));
		chosen.at[chosen.count++] = role->id;
	}
	if (wish->roles.count == 0)
		chosen = *own;
	if (chosen.count == 0)
		return ctx_fail_kind(op->ctx, ERR_DENIED, KIND_ROLE, "The user has no role in that account.");
	*ret_roles = chosen;
	return OK;
}

static RESULT check_place(struct op *op, const struct application_credential_wish *wish, uuid user)
{
	TRY(engine_check_name(op, KIND_APPLICATION_CREDENTIAL, wish->name));
	if (wish->expires_us && wish->expires_us <= op->now_us)
		return ctx_fail_kind(op->ctx, ERR_INVALID, KIND_APPLICATION_CREDENTIAL,
				     "It would have expired already.");
	if (application_credential_find_by_user(op->head, user, wish->name))
		return ctx_fail_kind(op->ctx, ERR_EXISTS, KIND_APPLICATION_CREDENTIAL,
				     "The user has an application credential '%" STR_FMT "' already.",
				     STR_ARG(wish->name));
	return limit_check(op, LIMIT_APPLICATION_CREDENTIALS, user, 1, STR_NONE);
}

RESULT engine_create_application_credential(struct op *op, struct application_credential_wish *wish)
{
	const struct row *user = NULL, *account = NULL;
	TRY(engine_look_up(op->ctx, op->head, KIND_USER, &wish->user, &user));
	TRY(engine_look_up(op->ctx, op->head, KIND_ACCOUNT, &wish->account, &account));
	TRY(engine_permit_own(op, "application_credential.create", user_of(user), account->id));
	TRY(check_place(op, wish, user->id));
	struct roles own, chosen;
	find_own_roles(op, user->id, account->id, &own);
	TRY(choose_roles(op, wish, &own, &chosen));
	struct uuids rules;
	TRY(access_rules_take(op, user->id, wish->access_rules, wish->access_rule_count, &rules));
	struct application_credential credential = {
		.row.id = engine_new_id(op, KIND_APPLICATION_CREDENTIAL),
		.row.gen = 1,
		.user = user->id,
		.account = account->id,
		.name = wish->name,
		.description = wish->description,
		.roles = {chosen.at, chosen.count},
		.secret_hash = wish->secret_hash,
		.expires_us = wish->expires_us,
		.access_rules = rules,
		.unrestricted = wish->unrestricted,
	};
	TRY(application_credential_put(op, &credential));
	wish->credential = credential.row.id;
	return engine_log_event(op, KIND_USER, user, "application credential created",
				"Application credential %" STR_FMT ".", STR_ARG(credential.name));
}

RESULT engine_delete_application_credential(struct op *op, struct application_credential_target *wish)
{
	const struct application_credential *a = application_credential_find(op->head, wish->credential);
	if (!a)
		return engine_fail_gone(op->ctx, KIND_APPLICATION_CREDENTIAL, wish->credential);
	const struct user *user = user_find(op->head, a->user);
	if (!user)
		return engine_fail_gone(op->ctx, KIND_USER, a->user);
	TRY(engine_permit_own(op, "application_credential.delete", user, a->account));
	TRY(engine_log_event(op, KIND_USER, &user->row, "application credential deleted",
			     "Application credential %" STR_FMT ".", STR_ARG(a->name)));
	return application_credential_forget(op, a->row.id);
}
