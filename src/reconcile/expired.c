/* SPDX-License-Identifier: Apache-2.0
 * What has expired is swept now and then: client tokens that are too old to be repeated, and revocations of tokens that have
 * ended since. One step is of all rows at once: its id is none. */
#include "base/clock.h"
#include "engine/client_token.h"
#include "engine/people/token_revocation.h"
#include "model/token_revocation.h"
#include "reconcile/work.h"
#include "store/client_token.h"

enum { TOKENS_A_SWEEP = 1000 };

/* The first old ones are enough to know that there is something to sweep. */
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

enum { REVOCATIONS_A_SWEEP = 1000 };

static bool has_expired(struct step *s)
{
	const struct token_revocation probe = {.expires_us = INT64_MIN};
	AUTO_VIEW view = {0};
	view_open(s->r->store, &view);
	const struct row *first = tables_seek(view.tables, KIND_TOKEN_REVOCATION,
					      TOKEN_REVOCATION_INDEX_EXPIRES, &probe.row, 1);
	return first && token_revocation_of(first)->expires_us <= clock_now_us();
}

static RESULT step_revocations(struct step *s)
{
	if (!has_expired(s))
		return OK;
	struct token_revocation_sweep *sweep = STEP_NEW(s, struct token_revocation_sweep);
	*sweep = (struct token_revocation_sweep){.max = REVOCATIONS_A_SWEEP};
	step_report(s, engine_sweep_token_revocations_run, sweep);
	step_again(s);
	return OK;
}

const struct resource reconcile_token_revocation = {.step = step_revocations};
