/* SPDX-License-Identifier: Apache-2.0
 * Invoices, credit notes and payments, as the ledger has them. Numbers are the issuer's and have no gaps: they are drawn in the
 * change that writes the invoice, which for a month is the one that closes it. Nothing is edited: a credit note takes an
 * invoice back. SQL refuses what would break this (store/sqlite_ledger.c). */
#pragma once

#include "engine/billing/billing.h"
#include "metering/invoice.h"

/* What is to be written. The issuer is a domain; of the operator DOMAIN_DEFAULT stands for it. */
struct new_invoice {
	uuid issuer, payer;
	struct str
		issuer_name; /* what its numbers begin with: letters, digits and '-'; empty: the operator's */
	int64_t from_us;     /* the billing period */
	int64_t total;       /* millionths of the currency */
	struct str json;     /* invoice_write() */
};
struct invoices_wish {
	const struct new_invoice *at;
	size_t count;
	const struct closing_wish *closing; /* of the month that they close; NULL: none */
	/* made: */
	struct strs numbers;
};
OPERATION(engine_issue_invoices, invoices_wish)

/* A payment, or a credit. Whoever calls has looked whether the ledger has the key (billing_find_payment()); one that was noted since
 * then is known here. */
struct payment_wish {
	uuid issuer, payer;
	int64_t amount; /* millionths of the currency */
	bool is_credit;
	struct str key, text;
	/* made: */
	bool is_known; /* it was noted before, and nothing was done */
};
OPERATION(engine_note_payment, payment_wish)
/* Whether the ledger has a payment with that key. Blocks, as all that reads the ledger. */
RESULT billing_find_payment(struct ctx *c, struct store *s, struct str key, bool *ret_is_known);

/* What the ledger has, by payer, in c's arena. */
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

/* Payments and credits less invoices, in millionths of the currency. */
int64_t billing_balance(const struct accounts_book *b, uuid payer);
/* The last payment or credit; 0: there is none. */
int64_t billing_last_payment(const struct accounts_book *b, uuid payer);
/* Since when a billing account owes what it should have paid, if invoices are due so many days after they were issued, the oldest
 * first; 0: it does not. */
int64_t billing_unpaid_since(const struct accounts_book *b, uuid payer, int64_t days, int64_t now_us);
