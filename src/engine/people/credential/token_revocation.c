/* SPDX-License-Identifier: Apache-2.0
 * Tokens revoked before they expire. */
#include "engine/people/credential/token_revocation.h"

#include "engine/internal.h"
#include "engine/limits.h"
#include "store/token_revocation.h"
#include "store/user.h"

RESULT engine_revoke_token(struct op *op, struct token_revocation_wish *wish)
{
	/* The caller has shown the token: ending it takes no right. */
	engine_need_no_permission(op);
	if (wish->expires_us <= op->now_us || token_revocation_find_by_audit(op->head, wish->audit))
		return OK;
	const struct user *user = user_find(op->head, wish->user);
	if (user && !result_is_ok(limit_check(op, LIMIT_REVOCATIONS, wish->user, 1, STR_NONE))) {
		ctx_clear_problem(op->ctx);
		struct user next = *user;
		next.valid_from_us = op->now_us;
		next.row.gen++;
		return user_put(op, &next);
	}
	struct token_revocation revocation = {.row.id = engine_new_id(op, KIND_TOKEN_REVOCATION),
					      .row.gen = 1,
					      .audit = wish->audit,
					      .user = wish->user,
					      .expires_us = wish->expires_us};
	return token_revocation_put(op, &revocation);
}

/* Walks the index by expiry and stops at the first that has not expired. */
RESULT engine_sweep_token_revocations(struct op *op, struct token_revocation_sweep *wish)
{
	const struct token_revocation probe = {.expires_us = INT64_MIN};
	const struct row *row =
		tables_seek(op->head, KIND_TOKEN_REVOCATION, TOKEN_REVOCATION_INDEX_EXPIRES, &probe.row, 1);
	for (size_t n = 0; row && n < wish->max; n++) {
		const struct token_revocation *t = token_revocation_of(row);
		if (t->expires_us > op->now_us)
			break;
		row = tables_next(op->head, KIND_TOKEN_REVOCATION, TOKEN_REVOCATION_INDEX_EXPIRES, row, 0);
		TRY(token_revocation_forget(op, t->row.id));
	}
	return OK;
}
