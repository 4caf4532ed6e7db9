/* SPDX-License-Identifier: Apache-2.0
 * Webhooks: HTTP notifications about accounts, invoices and sign-ups. Each notification is stored in the
 * change that causes it, so that a crash loses none; reconcile/billing/webhook.c delivers it. Events:
 * invoice.issued, invoice.voided; payment.noted; account.overdue, .limited, .suspended, .closed, .restored;
 * credit.low, .scarce, .empty; account.network-cut, .network-restored, .egress-limited, .egress-unlimited,
 * .quarantined, .released; instance.frozen, .thawed; signup.requested, .known, .review, .confirmed, .refused,
 * .active; webhook.test. */
#pragma once

#include "engine/operation.h"

struct webhook_delivery;

enum { WEBHOOKS_MAX = 64, WEBHOOK_DELIVERIES_KEPT = 10000, WEBHOOK_GIVE_UP_HOURS = 72 };

/* Creates the webhook with that name, or changes it; empty texts leave the present value. Requires an
 * administrator. */
struct webhook_wish {
	uuid id;           /* id of a new webhook, or of the existing one */
	struct str name;   /* letters, digits, '-', '_' and '.' */
	struct str url;    /* http or https */
	struct str secret; /* sealed with the id */
	struct strs events;
	bool has_events;
	enum choice off, takes_payments;
};
OPERATION(engine_put_webhook, webhook_wish)

/* Deletes the webhook with its pending deliveries. */
struct webhook_target {
	struct ref webhook;
};
OPERATION(engine_delete_webhook, webhook_target)

/* Sends the event webhook.test to the webhook, whatever events it wants. ERR_STATE: it is off. */
struct webhook_test {
	struct ref webhook;
};
OPERATION(engine_test_webhook, webhook_test)

/* Retries a delivery at once. ERR_STATE: it was delivered. */
struct delivery_target {
	struct ref delivery;
};
OPERATION(engine_retry_delivery, delivery_target)

/* The outcome of a delivery. OK without a change if the delivery or its webhook is gone. */
struct delivery_report {
	uuid delivery;
	bool is_taken;
	bool is_away;  /* the server does not answer: delays the other deliveries, too */
	bool is_final; /* no further retry */
	struct str problem;
	int64_t retry_us;
};
SYSTEM_OPERATION(engine_see_delivery, delivery_report)

/* The first delivery that is due. NULL: none; *ret_next_us is when the next one is due (0: none). */
const struct webhook_delivery *engine_next_delivery(const struct tables *t, uuid webhook, int64_t now_us,
						    int64_t *ret_next_us);

/* ---- for operations ---- */

/* The event's subjects; unused ones are none. */
struct webhook_event {
	const char *name;
	uuid domain, account, instance;
	struct str invoice; /* number of the invoice, which is included */
	uuid signup;        /* the sign-up whose token is included; none: no token */
	struct tags more;   /* further members, as text */
};
RESULT webhook_note(struct op *op, const struct webhook_event *event);
