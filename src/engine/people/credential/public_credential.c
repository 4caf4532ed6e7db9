/* SPDX-License-Identifier: Apache-2.0
 * Uploaded public keys and certificates of users: rows only. */
#include "engine/people/credential/public_credential.h"

#include "engine/internal.h"
#include "engine/limits.h"
#include "engine/people/user_owned.h"
#include "store/public_credential.h"
#include "store/user.h"

/* Words of a type; `absent` is followed by the id. The sentence of a duplicate is a guess. */
static const struct words {
	const char *what, *upload, *update, *delete, *absent, *duplicate;
	enum limit_id limit;
} words_of[] = {
	[PUBLIC_CREDENTIAL_TYPE_SSH_KEY] = {"SSH public key", "public_credential.upload_ssh_key",
					    "public_credential.update_ssh_key",
					    "public_credential.delete_ssh_key", "The SSH Public Key with id",
					    "The SSH public key is already associated with the user.",
					    LIMIT_SSH_KEYS},
	[PUBLIC_CREDENTIAL_TYPE_CERTIFICATE] = {"Signing certificate", "public_credential.upload_certificate",
						"public_credential.update_certificate",
						"public_credential.delete_certificate",
						"The Certificate with id",
						"The certificate is already associated with a user.",
						LIMIT_CERTIFICATES},
};

const struct public_credential *public_credential_of_user(const struct tables *t, uuid user,
							  enum public_credential_type type, struct str key_id)
{
	const struct public_credential *p = public_credential_find_by_key_id(t, key_id);
	return p && uuid_equal(p->user, user) && p->type == type ? p : NULL;
}

static bool is_of_account(struct op *op, const struct public_credential *p, uuid account)
{
	const struct user *user = user_find(op->head, p->user);
	return user && !uuid_is_none(account) && uuid_equal(user->account, account);
}

static RESULT check_new(struct op *op, const struct user *user, const struct public_credential_wish *wish)
{
	const struct public_credential *p =
		public_credential_first_by_fingerprint(op->head, wish->fingerprint);
	for (; p; p = public_credential_next_by_fingerprint(op->head, p)) {
		bool is_near =
			uuid_equal(p->user, user->row.id) || (p->type == PUBLIC_CREDENTIAL_TYPE_CERTIFICATE &&
							      is_of_account(op, p, user->account));
		if (p->type == wish->type && is_near)
			return ENGINE_FAIL(op, ERR_EXISTS, KIND_PUBLIC_CREDENTIAL,
					   wish->type == PUBLIC_CREDENTIAL_TYPE_SSH_KEY
						   ? STR("SSHPublicKeyBody")
						   : STR("CertificateBody"),
					   "%s", words_of[wish->type].duplicate);
	}
	return limit_check(op, words_of[wish->type].limit, user->row.id, 1, STR_NONE);
}

RESULT engine_upload_public_credential(struct op *op, struct public_credential_wish *wish)
{
	const struct row *row = NULL;
	TRY(engine_look_up(op->ctx, op->head, KIND_USER, &wish->user, &row));
	const struct user *user = user_of(row);
	TRY(engine_permit_own(op, words_of[wish->type].upload, user, UUID_NONE));
	TRY(check_new(op, user, wish));
	struct public_credential credential = {.row.id = engine_new_id(op, KIND_PUBLIC_CREDENTIAL),
					       .row.gen = 1,
					       .user = user->row.id,
					       .type = wish->type,
					       .enabled = true,
					       .key_id = wish->key_id,
					       .body = wish->body,
					       .fingerprint = wish->fingerprint};
	TRY(public_credential_put(op, &credential));
	TRY(op_name(op, KIND_PUBLIC_CREDENTIAL, &credential.row));
	wish->credential = credential.row.id;
	return engine_log_event(op, KIND_USER, row, "credential uploaded", "%s %" STR_FMT ".",
				words_of[wish->type].what, STR_ARG(credential.key_id));
}

static RESULT find(struct op *op, const struct public_credential_target *wish, const char *permission,
		   const struct row **ret_user, const struct public_credential **ret_credential)
{
	TRY(engine_look_up(op->ctx, op->head, KIND_USER, &wish->user, ret_user));
	TRY(engine_permit_own(op, permission, user_of(*ret_user), UUID_NONE));
	*ret_credential = public_credential_of_user(op->head, (*ret_user)->id, wish->type, wish->key_id);
	if (!*ret_credential)
		return ctx_fail_kind(op->ctx, ERR_NOT_FOUND, KIND_PUBLIC_CREDENTIAL,
				     "%s %" STR_FMT " cannot be found.", words_of[wish->type].absent,
				     STR_ARG(wish->key_id));
	return op_name(op, KIND_PUBLIC_CREDENTIAL, &(*ret_credential)->row);
}

RESULT engine_enable_public_credential(struct op *op, struct public_credential_target *wish)
{
	const struct row *user = NULL;
	const struct public_credential *credential = NULL;
	TRY(find(op, wish, words_of[wish->type].update, &user, &credential));
	struct public_credential next = *credential;
	next.enabled = wish->enabled;
	next.row.gen++;
	TRY(public_credential_put(op, &next));
	return engine_log_event(op, KIND_USER, user, "credential changed",
				next.enabled ? "%s %" STR_FMT " is active." : "%s %" STR_FMT " is inactive.",
				words_of[wish->type].what, STR_ARG(next.key_id));
}

RESULT engine_delete_public_credential(struct op *op, struct public_credential_target *wish)
{
	const struct row *user = NULL;
	const struct public_credential *credential = NULL;
	TRY(find(op, wish, words_of[wish->type].delete, &user, &credential));
	TRY(engine_log_event(op, KIND_USER, user, "credential deleted", "%s %" STR_FMT ".",
			     words_of[wish->type].what, STR_ARG(credential->key_id)));
	return public_credential_forget(op, credential->row.id);
}
