/* SPDX-License-Identifier: Apache-2.0
 * The list of accounts that a row is shared with: common to images and snapshots. */
#include "engine/storage/sharing.h"

#include "engine/internal.h"
#include "engine/storage/sharing_internal.h"
#include "store/account.h"

enum { SHARED_WITH_MAX = 1000 };

static RESULT find_account(struct op *op, const struct ref *ref, uuid *ret_account)
{
	const struct account *account = account_find_by_number(op->head, ref->text);
	if (!account && ref->bits)
		account = account_of(tables_find_prefix(op->head, KIND_ACCOUNT, ref->prefix, ref->bits));
	if (!account || !row_is_live(&account->row))
		return ENGINE_FAIL_ABOUT(op, ERR_NOT_FOUND, KIND_ACCOUNT, ref,
					 "The account '%" STR_FMT "' does not exist", STR_ARG(ref->text));
	*ret_account = account->row.id;
	return OK;
}

RESULT sharing_change(struct op *op, enum kind kind, const struct sharing *wish, bool *is_public,
		      struct uuids *accounts)
{
	size_t most = accounts->count + wish->add.count, count = 0;
	uuid *next = arena_new_array(op->ctx->arena, uuid, most + 1), account;
	if (!next)
		return ctx_no_memory(op->ctx);
	for (size_t n = 0; n < accounts->count && !wish->reset; n++)
		next[count++] = accounts->at[n];
	for (size_t n = 0; n < wish->add.count; n++) {
		TRY(find_account(op, &wish->add.at[n], &account));
		if (!uuids_have(&(struct uuids){next, count}, account))
			next[count++] = account;
	}
	for (size_t n = 0; n < wish->remove.count; n++) {
		TRY(find_account(op, &wish->remove.at[n], &account));
		size_t k = 0;
		while (k < count && !uuid_equal(next[k], account))
			k++;
		if (k < count)
			next[k] = next[--count];
	}
	if (count > SHARED_WITH_MAX)
		return ENGINE_FAIL(op, ERR_QUOTA, kind, wish->field,
				   "It may be shared with %d accounts at most.", SHARED_WITH_MAX);
	if (wish->reset)
		*is_public = false;
	choice_apply(wish->is_public, is_public);
	*accounts = (struct uuids){next, count};
	return OK;
}
