/* SPDX-License-Identifier: Apache-2.0
 * Client tokens: if a call is repeated with the same token within 24 hours, it gets the first
 * call's answer. */
#pragma once

#include "engine/operation.h"

#define CLIENT_TOKEN_KEPT_US (24 * HOUR)

/* For the reconciler: forgets tokens older than 24 hours, at most max of them. */
struct client_token_sweep {
	size_t max;
	/* made: */
	size_t forgotten;
};
OPERATION(engine_sweep_client_tokens, client_token_sweep)
