/* SPDX-License-Identifier: Apache-2.0
 * Key pairs: rows only, instances copy the public key at launch. */
#include "engine/instance/key_pair.h"

#include "engine/internal.h"
#include "engine/limits.h"
#include "engine/tag_internal.h"
#include "model/account.h"
#include "store/key_pair.h"

RESULT engine_create_key_pair(struct op *op, struct key_pair_wish *wish)
{
	const struct account *account = NULL;
	TRY(engine_find_acting_account(op, &account));
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
			       .name = wish->name,
			       .public_key = wish->public_key,
			       .fingerprint = wish->fingerprint,
			       .is_ed25519 = wish->is_ed25519};
	TRY(tag_normalize(op, wish->tags, &key.tags));
	TRY(limit_check(op, LIMIT_KEY_PAIRS, account->row.id, 1, STR_NONE));
	TRY(key_pair_put(op, &key));
	wish->key_pair = key.row.id;
	return engine_log_event(op, KIND_KEY_PAIR, &key.row, "created", "Key pair %" STR_FMT ".",
				STR_ARG(key.name));
}

RESULT engine_delete_key_pair(struct op *op, struct key_pair_target *wish)
{
	const struct key_pair *key = NULL;
	struct result found = engine_find_own_key_pair(op->ctx, op->head, &wish->key_pair, &key);
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
