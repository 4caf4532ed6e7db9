/* SPDX-License-Identifier: Apache-2.0
 * Stored secrets of users: rows only. */
#include "engine/people/credential/credential.h"

#include "engine/internal.h"
#include "engine/limits.h"
#include "engine/people/user_owned.h"
#include "store/credential.h"
#include "store/user.h"

static RESULT find_account(struct op *op, const struct ref *ref, uuid *account)
{
	const struct row *row = NULL;
	if (!ref_is_given(ref))
		return OK;
	TRY(engine_look_up(op->ctx, op->head, KIND_ACCOUNT, ref, &row));
	*account = row->id;
	return OK;
}

RESULT engine_create_credential(struct op *op, struct credential_wish *wish)
{
	const struct row *row = NULL;
	struct credential credential = {
		.row.id = wish->id, .row.gen = 1, .type = wish->type, .secret = wish->secret};
	TRY(engine_look_up(op->ctx, op->head, KIND_USER, &wish->user, &row));
	const struct user *user = user_of(row);
	TRY(find_account(op, &wish->account, &credential.account));
	TRY(engine_permit_own(op, "access_key.create", user, credential.account));
	TRY(engine_check_name(op, KIND_CREDENTIAL, wish->type));
	TRY(limit_check(op, LIMIT_CREDENTIALS, user->row.id, 1, STR_NONE));
	credential.user = user->row.id;
	TRY(credential_put(op, &credential));
	return engine_log_event(op, KIND_USER, &user->row, "credential kept", "Of the type %" STR_FMT ".",
				STR_ARG(credential.type));
}

static RESULT find(struct op *op, uuid id, const char *permission, const struct credential **ret_credential)
{
	const struct credential *credential = credential_find(op->head, id);
	const struct user *user = credential ? user_find(op->head, credential->user) : NULL;
	if (!user)
		return engine_fail_gone(op->ctx, KIND_CREDENTIAL, id);
	TRY(engine_permit_own(op, permission, user, credential->account));
	*ret_credential = credential;
	return op_name(op, KIND_CREDENTIAL, &credential->row);
}

RESULT engine_update_credential(struct op *op, struct credential_change *wish)
{
	const struct credential *credential = NULL;
	TRY(find(op, wish->credential, "access_key.enable", &credential));
	struct credential next = *credential;
	if (wish->clears_account)
		next.account = UUID_NONE;
	else
		TRY(find_account(op, &wish->account, &next.account));
	if (!uuid_equal(next.account, credential->account))
		TRY(engine_permit_own(op, "access_key.create", user_find(op->head, next.user), next.account));
	if (wish->type.n)
		next.type = wish->type;
	TRY(engine_check_name(op, KIND_CREDENTIAL, next.type));
	if (wish->secret.n)
		next.secret = wish->secret;
	next.row.gen++;
	return credential_put(op, &next);
}

RESULT engine_delete_credential(struct op *op, struct credential_target *wish)
{
	const struct credential *credential = NULL;
	TRY(find(op, wish->credential, "access_key.delete", &credential));
	return credential_forget(op, credential->row.id);
}
