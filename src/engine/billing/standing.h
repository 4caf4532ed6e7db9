/* SPDX-License-Identifier: Apache-2.0
 * Billing accounts: domains that pay, and how they stand when they do not. An account stands as the worst of the billing
 * accounts above it: what a reseller does not pay for is not served to its customers either.
 *
 *   active     all is paid
 *   overdue    somebody was told
 *   limited    nothing new is made, nothing is started and nothing grows; all else goes on
 *   suspended  instances are stopped, and the account's people change nothing; they read
 *   closed     the same. Nothing is deleted: that is left to an operator
 *
 * The rules hold for people of the account, in every face. The operator, administrators and the system itself
 * are not kept from anything. A refusal is ERR_DENIED of KIND_DOMAIN with the field STANDING_FIELD, which each face has a
 * row of errors for. */
#pragma once

#include "engine/operation.h"
#include "model/domain.h"

#define STANDING_FIELD "(unpaid)"
/* The reason of an instance that a suspension stopped. It is started again when the account stands well, unless somebody has
 * asked something else of it since. */
#define STANDING_REASON "Server.AccountSuspended"

/* How an account stands. NULL stands well. */
enum domain_bill_state standing_of(const struct tables *t, const struct account *account);
/* Who bills a billing account: the next one above it; none: the operator. */
uuid standing_issuer_of(const struct tables *t, const struct domain *d);
/* A reseller by its ref: "none" is nobody. ERR_STATE: it is no billing account. */
RESULT standing_find_reseller(struct op *op, const struct ref *ref, uuid *ret_reseller);
/* Whether the caller may change anything at all in its account: it is paid for, and not quarantined (engine/billing/misuse.h). */
RESULT standing_check(struct op *op);
/* Whether what a change made of a row of that account is something new. */
RESULT standing_follow(struct op *op, enum kind kind, uuid owner, const struct row *before,
		       const struct row *after);

/* Makes a domain a billing account, or none, and says how it pays. NULL and 0 bits leave what is. */
struct billing_settings {
	struct ref domain, reseller; /* reseller: with the text "none" nobody's */
	enum choice is_billed, is_prepaid;
	const struct str *name, *address, *order;
	const int64_t *limit, *days;
	const struct strs *taxes; /* each "RATE NAME", and behind a tab more words */
};
OPERATION(engine_set_billing, billing_settings)

/* Changes how a billing account stands. What it is suspended for is stopped, and started when it is no more. */
struct standing_wish {
	uuid domain;
	enum domain_bill_state state;
	int64_t unpaid_us; /* since when it owes; 0: it does not */
	enum domain_bill_credit credit;
	int64_t left; /* of a prepaid one: its credit, in millionths of the currency */
	/* made: */
	enum domain_bill_state before;
	size_t stopped, started;
};
OPERATION(engine_set_standing, standing_wish)
