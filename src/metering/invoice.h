/* SPDX-License-Identifier: Apache-2.0
 * Invoices: the charges of a billing account and a month as lines by account, SKU and price. Each line is rounded once, half to
 * even, to what the currency has; taxes are of the rounded lines. What the rounding adds is a row of FOCUS, so that the rows of
 * an invoice sum to what is to pay.
 *
 * An invoice is kept as JSON. Its number is drawn when the month is closed, so that the text made here lacks it.
 *
 * Pure; any thread. */
#pragma once

#include "metering/commitment.h"
#include "metering/tally.h"

struct invoice_line {
	struct str account, name, text, unit, commitment; /* commitment: what it is covered by */
	enum charge_category category;
	bool is_correction;
	int64_t price;
	money amount; /* rounded */
};

struct invoice_tax {
	struct str name, words;
	int64_t rate; /* millionths */
	money amount;
};

struct invoice {
	struct ctx *c;
	struct tally tally; /* its lines: data is an invoice_line */
	struct str currency;
	struct invoice_tax *taxes;
	size_t tax_count;
	money exact, net, total; /* the sum of lines before and after rounding, and with taxes */
};

/* What else stands on it. Texts; times are dates. */
struct invoice_head {
	struct month month;
	struct str issuer_id, issuer, payer_id, payer, address, order;
	struct str issued, due,
		reference; /* reference: of a credit note, the number of the invoice that it takes back */
};

/* Begins one without lines; what it is made of lives in c's arena. */
void invoice_begin(struct invoice *i, struct ctx *c);
/* Texts are copied. ERR_CONFLICT: it is of another currency than what was added. */
RESULT invoice_add(struct invoice *i, struct str number, struct str name, const struct charge *charge);
/* Rounds, and adds taxes: "RATE NAME" each, behind a tab more words. Nothing is added afterwards. */
RESULT invoice_end(struct invoice *i, struct strs taxes);
/* Whether there is anything to pay, or to give back. */
bool invoice_is_due(const struct invoice *i);
/* What is to pay, in millionths of the currency. */
int64_t invoice_total(const struct invoice *i);
/* The members of its object but the number, and the end of the object. In c's arena. */
RESULT invoice_write(const struct invoice *i, const struct invoice_head *head, struct str *ret_json);
/* What tells a charge's line from others. */
struct str invoice_line_key(struct ctx *c, struct str number, const struct charge *charge);
