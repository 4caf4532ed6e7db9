/* SPDX-License-Identifier: Apache-2.0
 * Client tokens: those that are too old to be repeated are swept now and then. */
#include "engine/client_token.h"
#include "base/clock.h"
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

/* One step is of all client tokens at once: its id is none. */
const struct resource reconcile_client_token = {.step = step_tokens};
