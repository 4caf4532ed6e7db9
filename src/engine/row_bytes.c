/* SPDX-License-Identifier: Apache-2.0
 * Memory used by an account's rows, and its limit. Limits on the number of rows do not bound memory, because
 * a row may hold a hundred KiB of text. The observer counts every version of every row; the follower refuses
 * clients' changes that enlarge a row of an account above its limit. */
#include "engine/row_bytes.h"

#include <inttypes.h>

#include "engine/internal.h"
#include "engine/quota_internal.h"
#include "model/access_rule.h"
#include "model/credential.h"
#include "model/group_member.h"
#include "model/identity.h"
#include "model/image_device.h"
#include "model/policy_version.h"
#include "model/public_credential.h"
#include "model/second_factor.h"
#include "model/ticket_seen.h"
#include "model/ticket_sending.h"
#include "model/token_revocation.h"
#include "store/account.h"
#include "store/row_size.h"

/* Rows of these kinds, if they have no account of their own, are charged to the account of their parent row. All other
 * kinds without an account are created by the operator and administrators, as are users without an account. */
static const struct part {
	enum kind whole;
	size_t field;
} parts[KIND_COUNT] = {
	[KIND_POLICY_VERSION] = {KIND_POLICY, offsetof(struct policy_version, policy)},
	[KIND_IMAGE_DEVICE] = {KIND_IMAGE, offsetof(struct image_device, image)},
	[KIND_CREDENTIAL] = {KIND_USER, offsetof(struct credential, user)},
	[KIND_ACCESS_RULE] = {KIND_USER, offsetof(struct access_rule, user)},
	[KIND_SECOND_FACTOR] = {KIND_USER, offsetof(struct second_factor, user)},
	[KIND_PUBLIC_CREDENTIAL] = {KIND_USER, offsetof(struct public_credential, user)},
	[KIND_TOKEN_REVOCATION] = {KIND_USER, offsetof(struct token_revocation, user)},
	[KIND_GROUP_MEMBER] = {KIND_USER, offsetof(struct group_member, user)},
	[KIND_TICKET_SENDING] = {KIND_TICKET_LINK, offsetof(struct ticket_sending, link)},
	[KIND_TICKET_SEEN] = {KIND_TICKET_LINK, offsetof(struct ticket_seen, link)},
};

bool row_bytes_has_payer(enum kind kind)
{
	return kind == KIND_ACCOUNT || model_kinds[kind].account_offset || parts[kind].whole;
}

static uuid find_payer(const struct tables *t, enum kind kind, const struct row *row)
{
	const struct part *part = &parts[kind];
	uuid owner = engine_get_owner(kind, row);
	if (!part->whole || !uuid_is_none(owner))
		return owner;
	uuid id = *(const uuid *) (const void *) ((const char *) row + part->field);
	const struct row *whole = uuid_is_none(id) ? NULL : tables_find(t, part->whole, id);
	return whole ? find_payer(t, part->whole, whole) : UUID_NONE;
}

static struct account_usage *usage_of(const struct tables *t, uuid payer)
{
	const struct account *account = uuid_is_none(payer) ? NULL : account_find(t, payer);
	return account ? account_usage(account) : NULL;
}

void row_bytes_count(const struct tables *head, enum kind kind, const struct row *row, int64_t sign)
{
	uuid *payer = store_row_payer(kind, row);
	if (uuid_is_none(*payer))
		*payer = find_payer(head, kind, row);
	struct account_usage *usage = usage_of(head, *payer);
	if (usage)
		__atomic_store_n(&usage->rows_bytes,
				 usage->rows_bytes + sign * (int64_t) store_row_size(kind, row),
				 __ATOMIC_RELAXED);
}

bool row_bytes_is_full(const struct tables *head, uuid account)
{
	struct account_usage *usage = usage_of(head, account);
	int64_t limit = usage ? account_find(head, account)->limit_rows_bytes : -1;
	return limit >= 0 && usage->rows_bytes > limit;
}

/* Accepts rows that end something, and rows that deletions create, such as their events: an account above its limit must be able
 * to delete. They have limits of their own. */
static bool always_fits(enum kind kind, const struct row *row)
{
	return !row_is_live(row) || kind == KIND_ASYNC_JOB || kind == KIND_CLIENT_TOKEN ||
	       kind == KIND_TOKEN_REVOCATION || kind == KIND_BUS_EVENT;
}

RESULT row_bytes_check(struct op *op, enum kind kind, const struct row *before, const struct row *after)
{
	const struct identity *who = op->ctx->who;
	size_t size = after ? store_row_size(kind, after) : 0;
	if (!who || who->is_operator || !after || always_fits(kind, after) ||
	    (before && size <= store_row_size(kind, before)))
		return OK;
	uuid payer = *store_row_payer(kind, after);
	if (!row_bytes_is_full(op->head, payer))
		return OK;
	return ctx_fail_kind(
		op->ctx, ERR_QUOTA, KIND_ACCOUNT,
		"The account's resources and their texts would take %" PRId64
		" bytes of memory; its limit is %" PRId64 ". Delete some, or ask for a higher limit.",
		usage_of(op->head, payer)->rows_bytes, account_find(op->head, payer)->limit_rows_bytes);
}
