/* SPDX-License-Identifier: Apache-2.0
 * Deletes expired client tokens, token revocations and sign-ups periodically. One step, with no id, handles
 * all rows of a kind. */
#include "base/clock.h"
#include "engine/client_token.h"
#include "engine/people/account/signup.h"
#include "engine/people/credential/token_revocation.h"
#include "model/signup.h"
#include "model/token_revocation.h"
#include "reconcile/work.h"
#include "store/client_token.h"

enum { TOKENS_A_SWEEP = 1000 };

/* One old token is enough to start a sweep. */
static bool has_old_tokens(struct step *s)
{
	int64_t before_us = clock_now_us() - CLIENT_TOKEN_KEPT_US;
	AUTO_VIEW view = {0};
	view_open(s->r->store, &view);
	const struct client_token *t = client_token_first(view.tables);
	while (t && t->row.created_us > before_us)
		t = client_token_next(view.tables, t);
	return t != NULL;
}

static RESULT step_tokens(struct step *s)
{
	if (!has_old_tokens(s))
		return OK;
	struct client_token_sweep *sweep = STEP_NEW(s, struct client_token_sweep);
	*sweep = (struct client_token_sweep){.max = TOKENS_A_SWEEP};
	step_report(s, engine_sweep_client_tokens_run, sweep);
	step_again(s);
	return OK;
}

const struct resource reconcile_client_token = {.step = step_tokens};

enum { REVOCATIONS_A_SWEEP = 1000, SIGNUPS_A_SWEEP = 1000 };

/* Looks at the first row of each index. Sign-ups without an expiry sort before the others. */
static void find_expired(struct step *s, bool *ret_revocation, bool *ret_signup)
{
	const struct token_revocation revocation = {.expires_us = INT64_MIN};
	const struct signup signup = {.expires_us = 1};
	int64_t now_us = clock_now_us();
	AUTO_VIEW view = {0};
	view_open(s->r->store, &view);
	const struct row *first = tables_seek(view.tables, KIND_TOKEN_REVOCATION,
					      TOKEN_REVOCATION_INDEX_EXPIRES, &revocation.row, 1);
	*ret_revocation = first && token_revocation_of(first)->expires_us <= now_us;
	first = tables_seek(view.tables, KIND_SIGNUP, SIGNUP_INDEX_EXPIRES, &signup.row, 1);
	*ret_signup = first && signup_of(first)->expires_us <= now_us;
}

/* Sign-ups have no step of their own; they expire here. */
static RESULT step_expired(struct step *s)
{
	bool has_revocation = false, has_signup = false;
	find_expired(s, &has_revocation, &has_signup);
	if (has_revocation) {
		struct token_revocation_sweep *sweep = STEP_NEW(s, struct token_revocation_sweep);
		*sweep = (struct token_revocation_sweep){.max = REVOCATIONS_A_SWEEP};
		step_report(s, engine_sweep_token_revocations_run, sweep);
	} else if (has_signup) {
		struct signup_sweep *sweep = STEP_NEW(s, struct signup_sweep);
		*sweep = (struct signup_sweep){.max = SIGNUPS_A_SWEEP};
		step_report(s, engine_sweep_signups_run, sweep);
	}
	if (has_revocation || has_signup)
		step_again(s);
	return OK;
}

const struct resource reconcile_token_revocation = {.step = step_expired};
