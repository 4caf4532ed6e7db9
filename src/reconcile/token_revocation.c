/* SPDX-License-Identifier: Apache-2.0
 * Revoked tokens: those that have expired since are swept now and then. */
#include "engine/people/token_revocation.h"
#include "base/clock.h"
#include "model/token_revocation.h"
#include "reconcile/work.h"

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

/* One step is of all revoked tokens at once: its id is none. */
const struct resource reconcile_token_revocation = {.step = step_revocations};
