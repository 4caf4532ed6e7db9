/* SPDX-License-Identifier: Apache-2.0
 * Key pairs. Instances copy the public key at launch. */
#include "engine/instance/key_pair.h"

#include "engine/internal.h"
#include "engine/quota_internal.h"
#include "engine/tag_internal.h"
#include "store/account.h"
#include "store/key_pair.h"
#include "store/role_assignment.h"
#include "store/user.h"

/* Key pairs belong to accounts (docs/mapping.md). Those made for a user are in the user's own account, else
 * in the default account, else in the first one in which the user has a role. */
static RESULT find_account_of(struct ctx *c, const struct tables *t, const struct ref *ref,
			      const struct account **ret_account)
{
	const struct user *user = user_find(t, ref->prefix);
	if (!identity_is_admin(c->who) && !uuid_equal(ref->prefix, c->who->user))
		return ctx_fail_kind(c, ERR_DENIED, KIND_KEY_PAIR,
				     "Only an administrator may use the key pairs of another user.");
	const struct account *account = user ? account_find(t, user->account) : NULL;
	if (!user || !row_is_live(&user->row))
		return engine_fail_not_found(c, KIND_USER, ref);
	if (!account)
		account = account_find(t, user->default_account);
	for (const struct role_assignment *r = role_assignment_first_by_user(t, user->row.id); r && !account;
	     r = role_assignment_next_by_user(t, r))
		account = account_find(t, r->account);
	if (!account || !row_is_live(&account->row))
		return ctx_fail_field(c, ERR_INVALID, ref->field,
				      "The user %" STR_FMT " is in no project, where a key pair could be.",
				      STR_ARG(ref->text));
	*ret_account = account;
	return OK;
}

RESULT engine_find_key_pair_of(struct ctx *c, const struct tables *t, const struct ref *user,
			       const struct ref *name, const struct key_pair **ret_key)
{
	const struct account *account = NULL;
	TRY(find_account_of(c, t, user, &account));
	const struct key_pair *key = key_pair_find_by_account(t, account->row.id, name->text);
	if (!key || !uuid_equal(key->made_by, user->prefix))
		return engine_fail_not_found(c, KIND_KEY_PAIR, name);
	*ret_key = key;
	return OK;
}

RESULT engine_create_key_pair(struct op *op, struct key_pair_wish *wish)
{
	const struct account *account = NULL;
	TRY(wish->user.kind ? find_account_of(op->ctx, op->head, &wish->user, &account)
			    : engine_find_acting_account(op, &account));
	if (wish->name.n < 1 || wish->name.n > 255 || !str_is_line(wish->name))
		return ctx_fail_kind(op->ctx, ERR_INVALID, KIND_KEY_PAIR,
				     "A key pair's name has 1 to 255 characters.");
	if (key_pair_find_by_account(op->head, account->row.id, wish->name))
		return ctx_fail_kind(op->ctx, ERR_EXISTS, KIND_KEY_PAIR,
				     "The key pair '%" STR_FMT "' already exists.", STR_ARG(wish->name));
	TRY(engine_permit(op, "key_pair.create", KIND_KEY_PAIR, NULL));
	struct key_pair key = {.row.id = engine_new_id(op, KIND_KEY_PAIR),
			       .row.gen = 1,
			       .account = account->row.id,
			       .made_by = wish->user.kind ? wish->user.prefix : UUID_NONE,
			       .name = wish->name,
			       .public_key = wish->public_key,
			       .fingerprint = wish->fingerprint,
			       .is_ed25519 = wish->is_ed25519};
	TRY(tag_normalize(op, wish->tags, &key.tags));
	TRY(quota_check(op, account->row.id, QUOTA_KEY_PAIRS, 1));
	TRY(key_pair_put(op, &key));
	wish->key_pair = key.row.id;
	return engine_log_event(op, KIND_KEY_PAIR, &key.row, "created", "Key pair %" STR_FMT ".",
				STR_ARG(key.name));
}

RESULT engine_fill_key_pair(struct op *op, struct key_pair_filling *wish)
{
	const struct key_pair *key = NULL;
	TRY(engine_permit_key_pair(op, &wish->key_pair, "key_pair.create", &key));
	if (key->public_key.n)
		return ENGINE_FAIL(op, ERR_STATE, KIND_KEY_PAIR, wish->key_pair.field,
				   "The key pair '%" STR_FMT "' has a key already.", STR_ARG(key->name));
	struct key_pair next = *key;
	next.public_key = wish->public_key;
	next.fingerprint = wish->fingerprint;
	next.is_ed25519 = wish->is_ed25519;
	TRY(key_pair_put(op, &next));
	return engine_log_event(op, KIND_KEY_PAIR, &next.row, "filled", "Key pair %" STR_FMT ".",
				STR_ARG(next.name));
}

RESULT engine_check_key_is_there(struct op *op, const struct key_pair *key, struct str field)
{
	return key->public_key.n
		       ? OK
		       : ENGINE_FAIL(op, ERR_STATE, KIND_KEY_PAIR, field,
				     "The key pair '%" STR_FMT "' has no key so far.", STR_ARG(key->name));
}

RESULT engine_delete_key_pair(struct op *op, struct key_pair_target *wish)
{
	const struct key_pair *key = NULL;
	struct result found =
		wish->user.kind
			? engine_find_key_pair_of(op->ctx, op->head, &wish->user, &wish->key_pair, &key)
			: engine_find_own_key_pair(op->ctx, op->head, &wish->key_pair, &key);
	if (found.code == ERR_NOT_FOUND && !wish->must_exist) {
		ctx_clear_problem(op->ctx);
		wish->deleted = UUID_NONE;
		return OK;
	}
	TRY(found);
	TRY(engine_permit(op, "key_pair.delete", KIND_KEY_PAIR, &key->row));
	TRY(engine_log_event(op, KIND_KEY_PAIR, &key->row, "deleted", "Key pair %" STR_FMT ".",
			     STR_ARG(key->name)));
	wish->deleted = key->row.id;
	return key_pair_forget(op, key->row.id);
}
