/* SPDX-License-Identifier: Apache-2.0
 * Webhooks: who is told by HTTP what becomes of accounts and invoices. What happens is written down for each of them in the
 * change that it follows from, so that nothing is lost whatever dies; reconcile/billing/webhook.c tells it.
 *
 * Events: invoice.issued, invoice.voided; payment.noted; account.overdue, .limited, .suspended, .closed, .restored;
 * credit.low, .scarce, .empty; account.network-cut, .network-restored, .egress-limited, .egress-unlimited,
 * .quarantined, .released; instance.frozen, .thawed; signup.requested, .known, .review,
 * .confirmed, .refused, .active. */
#pragma once

#include "engine/operation.h"
#include "model/webhook_delivery.h"

struct webhook;

enum { WEBHOOKS_MAX = 64, WEBHOOK_DELIVERIES_KEPT = 10000, WEBHOOK_GIVE_UP_HOURS = 72 };

/* Makes it, or changes the one of that name; texts that are empty leave what is. For administrators. */
struct webhook_wish {
	uuid id;           /* of one that is made, and of the one that is there */
	struct str name;   /* letters, digits, '-', '_' and '.' */
	struct str url;    /* http or https */
	struct str secret; /* sealed with the id */
	struct strs events;
	bool has_events;
	enum choice off, takes_payments;
};
OPERATION(engine_put_webhook, webhook_wish)

/* With what it was to be told. */
struct webhook_target {
	struct ref webhook;
};
OPERATION(engine_delete_webhook, webhook_target)

/* It is told once more, at once. ERR_STATE: it has taken that. */
struct delivery_target {
	struct ref delivery;
};
OPERATION(engine_retry_delivery, delivery_target)

/* What became of telling it. What is gone meanwhile: OK, and nothing happens. */
struct delivery_report {
	uuid delivery;
	bool is_taken;
	bool is_away;  /* nobody answers there: the others wait as well */
	bool is_final; /* it is not told again */
	struct str problem;
	int64_t retry_us;
};
OPERATION(engine_see_delivery, delivery_report)

/* The first that is due; NULL: none is, and the next one is then (0: there is none). */
const struct webhook_delivery *engine_next_delivery(const struct tables *t, uuid webhook, int64_t now_us,
						    int64_t *ret_next_us);

/* ---- for operations ---- */

/* Of whom it tells: none is left out. */
struct webhook_event {
	const char *name;
	uuid domain, account, instance;
	struct str invoice; /* its number: it goes along */
	uuid signup;        /* its token goes along; none: none does */
	struct tags more;   /* further members, as text */
};
RESULT webhook_note(struct op *op, const struct webhook_event *event);
