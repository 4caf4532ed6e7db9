/* SPDX-License-Identifier: Apache-2.0
 * Private to reconcile/messaging/: what an endpoint is sent. */
#pragma once

#include "engine/messaging/messaging.h"
#include "reconcile/work.h"

/* The delivery as one step sees it. */
struct notification {
	const struct topic_subscription *subscription;
	const struct topic_delivery *delivery;
	const struct topic *topic;
	struct str topic_arn, subscription_arn;
	struct topic_key key;
};

/* Writes the JSON of a notification or a request to confirm, with its signature, in the step's arena. */
RESULT notification_write(struct step *s, const struct notification *n, struct str *ret_body);
/* Has the region's key made and kept; another step goes on. */
RESULT notification_make_key(struct step *s);
