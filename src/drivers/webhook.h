/* SPDX-License-Identifier: Apache-2.0
 * Sends events to webhooks by HTTP POST (drivers/desk/webhook_event.c), signed like desk events
 * (drivers/desk_signature.h). A 2xx answer confirms the receipt. Blocks for up to half a minute. */
#pragma once

#include "base/ctx.h"

struct webhook_place {
	struct str name, url, secret;
	/* results: */
	int64_t wait_us; /* requested delay before the next call; 0: none */
};

/* ERR_GONE, ERR_TIMEOUT, ERR_AGAIN: no answer, or retry later; otherwise refused. With a message. */
RESULT webhook_send(struct ctx *c, struct webhook_place *place, struct str body);
