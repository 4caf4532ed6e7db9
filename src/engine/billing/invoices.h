/* SPDX-License-Identifier: Apache-2.0
 * Invoices, credit notes and payments in the ledger. Numbers are consecutive per issuer: each is drawn in the
 * change that writes the invoice, which for a month is also the one that closes it. Invoices are never
 * edited; a credit note cancels one. SQL refuses violations (store/sqlite_ledger.c). */
#pragma once

#include "engine/billing/billing.h"
#include "metering/invoice.h"

/* An invoice to issue. The issuer is a domain, or DOMAIN_DEFAULT for the operator. */
struct new_invoice {
	uuid issuer, payer;
	struct str issuer_name; /* prefix of its numbers: letters, digits and '-'; empty: the operator's */
	int64_t from_us;        /* start of the billing period */
	int64_t total;          /* millionths of the currency */
	struct str json;        /* from invoice_write() */
};
struct invoices_wish {
	const struct new_invoice *at;
	size_t count;
	const struct closing_wish *closing; /* also closes this month; NULL: none */
	/* results: */
	struct strs numbers;
};
OPERATION(engine_issue_invoices, invoices_wish)

/* Records a payment or a credit. The caller has searched the ledger for the key (billing_find_payment());
 * this operation detects a payment recorded since then. */
struct payment_wish {
	uuid issuer, payer;
	int64_t amount; /* millionths of the currency */
	bool is_credit;
	struct str key, text;
	/* result: */
	bool is_known; /* true: already recorded, nothing changed */
};
OPERATION(engine_note_payment, payment_wish)
/* True if the ledger has a payment with that key. Blocks, like all reads of the ledger. */
RESULT billing_find_payment(struct ctx *c, struct store *s, struct str key, bool *ret_is_known);

/* The ledger's entries, in c's arena. */
struct kept_invoice {
	uuid issuer, payer;
	struct str number, json;
	int64_t from_us, total, at_us;
};
struct kept_payment {
	uuid issuer, payer;
	struct str key, text;
	int64_t amount, at_us;
	bool is_credit;
};
struct accounts_book {
	const struct kept_invoice *invoices;
	const struct kept_payment *payments;
	size_t invoice_count, payment_count;
};
RESULT billing_read_accounts(struct ctx *c, struct store *s, struct accounts_book *ret_book);

/* Payments and credits minus invoices, in millionths of the currency. */
int64_t billing_balance(const struct accounts_book *b, uuid payer);
/* The amount of the last payment or credit, in millionths; 0: none. */
int64_t billing_last_payment(const struct accounts_book *b, uuid payer);
/* The due date of the oldest unpaid invoice, if invoices are due `days` after issue and payments cover the
 * oldest first; 0: nothing is overdue. */
int64_t billing_unpaid_since(const struct accounts_book *b, uuid payer, int64_t days, int64_t now_us);
