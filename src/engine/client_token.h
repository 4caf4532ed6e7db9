/* SPDX-License-Identifier: Apache-2.0
 * Client tokens: the same call, repeated, gets the first one's answer, for 24 hours. */
#pragma once

#include "engine/operation.h"

#define CLIENT_TOKEN_KEPT_US (24 * HOUR)

/* Forgets tokens older than 24 hours, at most max of them; the reconciler calls it now and then. */
struct client_token_sweep {
	size_t max;
	/* made: */
	size_t forgotten;
};
OPERATION(engine_sweep_client_tokens, client_token_sweep)
