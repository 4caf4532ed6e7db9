/* SPDX-License-Identifier: Apache-2.0
 * Sends an event to a webhook. */
#include "drivers/webhook.h"

#include "base/clock.h"
#include "drivers/desk/http.h"

enum { TIMEOUT_S = 30 };

RESULT webhook_send(struct ctx *c, struct webhook_place *place, struct str body)
{
	struct desk_place there = {.noun = "webhook",
				   .name = place->name,
				   .url = place->url,
				   .secret = place->secret,
				   .timeout_us = TIMEOUT_S * SECOND};
	/* The URL is used as configured, without additions. */
	const struct desk_request request = {.method = "POST",
					     .path = place->url,
					     .media_type = "application/json",
					     .body = body,
					     .is_signed = true};
	struct desk_answer answer;
	struct result result = desk_call(c, &there, &request, &answer);
	place->wait_us = there.wait_us;
	return result;
}
