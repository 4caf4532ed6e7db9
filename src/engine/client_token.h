/* SPDX-License-Identifier: Apache-2.0
 * Client tokens: a call repeated with the same token within 24 hours gets the first call's result. */
#pragma once

#include "engine/operation.h"

#define CLIENT_TOKEN_KEPT_US (24 * HOUR)

/* For the reconciler: forgets up to `max` tokens older than 24 hours. */
struct client_token_sweep {
	size_t max;
	/* result: */
	size_t forgotten;
};
SYSTEM_OPERATION(engine_sweep_client_tokens, client_token_sweep)
