/* SPDX-License-Identifier: Apache-2.0
 * Client tokens: idempotency over 24 hours, per account and action. */
#include "engine/client_token.h"

#include "engine/client_token_internal.h"
#include "engine/internal.h"
#include "engine/limits.h"
#include "store/client_token.h"

enum { TOKEN_SIZE_MAX = 128 };

static bool is_old(const struct op *op, const struct client_token *token)
{
	return token->row.created_us + CLIENT_TOKEN_KEPT_US <= op->now_us;
}

RESULT client_token_find_fresh(struct op *op, uuid account, struct str token, struct str digest,
			       const struct client_token **ret_token)
{
	*ret_token = NULL;
	if (str_is_empty(token))
		return OK;
	if (token.n > TOKEN_SIZE_MAX)
		return ctx_fail_kind(op->ctx, ERR_INVALID, KIND_CLIENT_TOKEN,
				     "A client token has up to %d characters.", TOKEN_SIZE_MAX);
	const struct client_token *row =
		client_token_find_by_token(op->head, account, str_from(op->action), token);
	if (!row)
		return OK;
	if (is_old(op, row))
		return client_token_forget(op, row->row.id);
	if (!str_equal(row->digest, digest))
		return ctx_fail_kind(
			op->ctx, ERR_CONFLICT, KIND_CLIENT_TOKEN,
			"Arguments on this idempotent request are inconsistent with arguments used in "
			"previous request(s).");
	*ret_token = row;
	return OK;
}

RESULT client_token_find_made(struct op *op, uuid account, struct str token, struct str digest,
			      enum kind kind, uuid *ret_made)
{
	const struct client_token *row = NULL;
	TRY(client_token_find_fresh(op, account, token, digest, &row));
	const struct row *made = row ? tables_find(op->head, kind, row->made) : NULL;
	if (row && (!made || !engine_may_see(op->ctx, kind, made)))
		return engine_fail_gone(op->ctx, kind, row->made);
	*ret_made = row ? row->made : UUID_NONE;
	return made ? op_name(op, kind, made) : OK;
}

RESULT client_token_write(struct op *op, uuid account, struct str token, struct str digest, uuid made)
{
	if (str_is_empty(token))
		return OK;
	struct client_token row = {.row.id = engine_new_id(op, KIND_CLIENT_TOKEN),
				   .row.gen = 1,
				   .account = account,
				   .action = str_from(op->action),
				   .token = token,
				   .digest = digest,
				   .made = made};
	TRY(limit_check(op, LIMIT_CLIENT_TOKENS, account, 1, STR_NONE));
	return client_token_put(op, &row);
}

RESULT engine_sweep_client_tokens(struct op *op, struct client_token_sweep *wish)
{
	const struct client_token *row = client_token_first(op->head), *next = NULL;
	wish->forgotten = 0;
	for (; row && wish->forgotten < wish->max; row = next) {
		next = client_token_next(op->head, row);
		if (!is_old(op, row))
			continue;
		TRY(client_token_forget(op, row->row.id));
		wish->forgotten++;
	}
	return OK;
}
