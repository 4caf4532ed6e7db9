/* SPDX-License-Identifier: Apache-2.0
 * What becomes of billing accounts that do not pay (standing.h), by what the ledger has of them. Called by: reconcile/billing/dunning.c
 * from time to time; `dari billing dun`, and `dari billing pay`, at once.
 *
 * Postpaid: an account owes since its oldest invoice is due, and is limited when it owes more than its limit. Prepaid: since it has used up what
 * it paid. Reading blocks, and reads SQL over a connection of its own: any thread but the committer's. */
#pragma once

#include "engine/billing/invoices.h"
#include "engine/billing/standing.h"

/* From how many days on. Settings of the region. */
#define SETTING_LIMITED_DAYS STR("billing.limited_days")
#define SETTING_SUSPENDED_DAYS STR("billing.suspended_days")
#define SETTING_CLOSED_DAYS STR("billing.closed_days")
/* How often the reconciler looks; 0: it does not. */
#define SETTING_DUN_EVERY_S STR("billing.dun_every_s")
enum { LIMITED_DAYS = 7, SUSPENDED_DAYS = 14, CLOSED_DAYS = 44, DUN_EVERY_S = 3600 };

struct dunning_days {
	int64_t limited, suspended, closed;
};
/* As the settings say, on the head or on a view that is read. */
struct dunning_days billing_read_days(const struct tables *t);

/* Billing accounts, as they were when they were looked at. */
struct dunned {
	uuid id, issuer;
	struct str name;
	bool is_prepaid;
	int64_t days, limit, unpaid_us;
	enum domain_bill_state state;
	enum domain_bill_credit credit;
};
struct dunned_list {
	const struct dunned *at;
	size_t count;
	struct accounts_book book;
};
/* only: none for all. In c's arena. */
RESULT billing_list_dunned(struct ctx *c, struct store *s, uuid only, struct dunned_list *ret_list);
/* How it is to stand. */
RESULT billing_weigh(struct ctx *c, struct store *s, const struct dunned_list *list,
		     const struct dunning_days *days, const struct dunned *d, struct standing_wish *ret_wish);
