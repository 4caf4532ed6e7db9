/* SPDX-License-Identifier: Apache-2.0
 * What webhooks are told, by HTTP (drivers/desk/webhook_event.c): POSTed, and signed as desks' events are
 * (drivers/desk_signature.h). An answer of 2xx means that it was taken. The call blocks up to half a minute. */
#pragma once

#include "base/ctx.h"

struct webhook_place {
	struct str name, url, secret;
	/* found: */
	int64_t wait_us; /* how long it wants to be left alone; 0: it does not say */
};

/* ERR_GONE, ERR_TIMEOUT, ERR_AGAIN: it does not answer, or not now; else it refuses. In words. */
RESULT webhook_send(struct ctx *c, struct webhook_place *place, struct str body);
