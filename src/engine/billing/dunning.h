/* SPDX-License-Identifier: Apache-2.0
 * Dunning of billing accounts (standing.h), from the ledger. A postpaid account is in debt from the due date
 * of its oldest unpaid invoice on, and is limited when the debt exceeds its limit. A prepaid account is in
 * debt once its payments are used up. Reading blocks and uses an SQL connection of its own: any thread but
 * the committer's. Called by: reconcile/billing/dunning.c periodically;
 * `dari billing dun` and `dari billing pay` at once. */
#pragma once

#include "engine/billing/invoices.h"
#include "engine/billing/standing.h"

/* The region's settings: days of debt until each state. */
#define SETTING_LIMITED_DAYS STR("billing.limited_days")
#define SETTING_SUSPENDED_DAYS STR("billing.suspended_days")
#define SETTING_CLOSED_DAYS STR("billing.closed_days")
/* The reconciler's interval in seconds; 0: off. */
#define SETTING_DUN_EVERY_S STR("billing.dun_every_s")
enum { LIMITED_DAYS = 7, SUSPENDED_DAYS = 14, CLOSED_DAYS = 44, DUN_EVERY_S = 3600 };

struct dunning_days {
	int64_t limited, suspended, closed;
};
/* Reads the settings, for the head or a view. */
struct dunning_days billing_read_days(const struct tables *t);

/* A copy of a billing account's state. */
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
/* only: this account; none: all. In c's arena. */
RESULT billing_list_dunned(struct ctx *c, struct store *s, uuid only, struct dunned_list *ret_list);
/* Computes the account's new standing. */
RESULT billing_weigh(struct ctx *c, struct store *s, const struct dunned_list *list,
		     const struct dunning_days *days, const struct dunned *d, struct standing_wish *ret_wish);
