/* SPDX-License-Identifier: Apache-2.0
 * Billing accounts: domains that pay, and their standing. An account has the worst standing of the billing
 * accounts above it, so a reseller's debt also stops its customers.
 *
 * active: everything is paid
 * overdue: the customer was notified
 * limited: no new resources, no starts, no growth; everything else continues
 * suspended: instances are stopped, and the account's users may only read
 * closed: like suspended; deletion is left to an operator
 *
 * The rules apply to the account's users in all faces. The operator, administrators and the system itself are
 * exempt. A refusal is ERR_DENIED of KIND_DOMAIN with the field STANDING_FIELD, for which each face has an
 * error row. */
#pragma once

#include "engine/operation.h"
#include "model/domain_words.h"

struct domain;

#define STANDING_FIELD "(unpaid)"
/* The reason of an instance stopped by a suspension. It is started again when the standing recovers, unless
 * somebody has requested something else since. */
#define STANDING_REASON "Server.AccountSuspended"

/* The standing of an account. NULL: active. */
enum domain_bill_state standing_of(const struct tables *t, const struct account *account);
/* The issuer of a billing account's invoices: the next billing account above it; none: the operator. */
uuid standing_issuer_of(const struct tables *t, const struct domain *d);
/* Finds a reseller by its ref; "none": no reseller. ERR_STATE: the domain is not a billing account. */
RESULT standing_find_reseller(struct op *op, const struct ref *ref, uuid *ret_reseller);
/* Checks that the caller may change things in its account: neither suspended nor quarantined
 * (engine/billing/misuse.h). ERR_DENIED. */
RESULT standing_check(struct op *op);
/* Checks that a change of the account's row creates nothing new if the account is limited. ERR_DENIED. */
RESULT standing_follow(struct op *op, enum kind kind, uuid owner, const struct row *before,
		       const struct row *after);

/* Makes a domain a billing account, or ends that, and sets how it pays. NULL and CHOICE_DEFAULT: no
 * change. */
struct billing_settings {
	struct ref domain, reseller; /* reseller: the text "none" removes it */
	enum choice is_billed, is_prepaid;
	const struct str *name, *address, *order;
	const int64_t *limit, *days;
	const struct strs *taxes; /* each "RATE NAME", optionally followed by a tab and more text */
};
OPERATION(engine_set_billing, billing_settings)

/* Sets a billing account's standing. Stops the instances of suspended accounts, and starts them again
 * afterwards. */
struct standing_wish {
	uuid domain;
	enum domain_bill_state state;
	int64_t unpaid_us; /* in debt since; 0: no debt */
	enum domain_bill_credit credit;
	int64_t left; /* a prepaid account's credit, in millionths of the currency */
	/* results: */
	enum domain_bill_state before;
	size_t stopped, started;
};
OPERATION(engine_set_standing, standing_wish)
