/* SPDX-License-Identifier: Apache-2.0
 * Stores sessions that policies of their own narrow, and restores them for work that runs later. */
#include "engine/people/work_session.h"

#include <inttypes.h>

#include "base/crypto.h"
#include "engine/internal.h"
#include "store/scaling_group.h"
#include "store/scaling_refresh.h"
#include "store/work_session.h"

enum { OF_AN_ACCOUNT = 1000, FORGET_AT_ONCE = 8 };

bool work_session_is_narrowed(const struct session *session)
{
	return session && (session_is_federated(session) || session->policy.n || session->policies.count);
}

/* Each text with its length, so that no two sessions have the same. */
static struct str digest_of(struct arena *a, const struct session *s)
{
	uint8_t digest[SHA256_SIZE];
	struct str text =
		str_print(a, "%" STR_FMT " %" STR_FMT " %" PRId64 " %zu:%" STR_FMT " %zu:%" STR_FMT,
			  STR_ARG(uuid_to_str(a, s->user)), STR_ARG(uuid_to_str(a, s->iam_role)),
			  s->expires_us, s->name.n, STR_ARG(s->name), s->policy.n, STR_ARG(s->policy));
	for (size_t k = 0; k < s->policies.count; k++)
		text = str_print(a, "%" STR_FMT " %" STR_FMT, STR_ARG(text),
				 STR_ARG(uuid_to_str(a, s->policies.at[k])));
	crypto_sha256(text, digest);
	return text.p ? str_encode_hex(a, digest, sizeof digest) : STR_NONE;
}

/* Scaling groups outlive the session that made them. */
static bool is_needed(const struct tables *t, const struct work_session *row)
{
	for (const struct scaling_group *g = scaling_group_first_by_account(t, row->account); g;
	     g = scaling_group_next_by_account(t, g)) {
		if (uuid_equal(g->made_with, row->row.id))
			return true;
		for (const struct scaling_refresh *r = scaling_refresh_first_by_scaling_group(t, g->row.id);
		     r; r = scaling_refresh_next_by_scaling_group(t, r))
			if (uuid_equal(r->made_with, row->row.id))
				return true;
	}
	return false;
}

static RESULT make_room(struct op *op, uuid account)
{
	uuid ended[FORGET_AT_ONCE];
	size_t count = 0, ended_count = 0;
	for (const struct work_session *w = work_session_first_by_account(op->head, account); w;
	     w = work_session_next_by_account(op->head, w), count++)
		if (w->until_us <= op->now_us && ended_count < FORGET_AT_ONCE && !is_needed(op->head, w))
			ended[ended_count++] = w->row.id;
	for (size_t k = 0; k < ended_count; k++)
		TRY(work_session_forget(op, ended[k]));
	return count - ended_count < OF_AN_ACCOUNT
		       ? OK
		       : ENGINE_FAIL(op, ERR_QUOTA, KIND_WORK_SESSION, STR_NONE,
				     "An account has up to %d sessions with policies whose work goes on.",
				     OF_AN_ACCOUNT);
}

RESULT work_session_note(struct op *op, const struct session *session, uuid *ret_row)
{
	struct str digest = digest_of(op->ctx->arena, session);
	if (!digest.p)
		return ctx_no_memory(op->ctx);
	const struct work_session *present = work_session_find_by_account(op->head, session->account, digest);
	if (present) {
		*ret_row = present->row.id;
		return OK;
	}
	TRY(make_room(op, session->account));
	struct work_session next = {.row = {.id = engine_new_id(op, KIND_WORK_SESSION), .gen = 1},
				    .account = session->account,
				    .digest = digest,
				    .user = session->user,
				    .iam_role = session->iam_role,
				    .name = session->name,
				    .policy = session->policy,
				    .policies = session->policies,
				    .until_us = session->expires_us};
	*ret_row = next.row.id;
	return work_session_put(op, &next);
}

struct session *work_session_restore(struct arena *a, const struct work_session *row)
{
	struct session *session = arena_new_object(a, struct session);
	if (session)
		*session = (struct session){.account = row->account,
					    .user = row->user,
					    .iam_role = row->iam_role,
					    .name = row->name,
					    .expires_us = row->until_us,
					    .policy = row->policy,
					    .policies = row->policies};
	return session;
}
