/* SPDX-License-Identifier: Apache-2.0
 * Invoices: a billing account's charges of a month, as lines by account, SKU and price. Each line is rounded
 * once, half to even, to the currency's decimals; taxes are calculated from the rounded lines. The rounding
 * difference becomes a FOCUS row, so that an invoice's rows sum to the amount due.
 *
 * An invoice is stored as JSON. Its number is assigned when the month is closed, so the JSON made here lacks
 * it.
 *
 * Pure; any thread. */
#pragma once

#include "metering/commitment.h"
#include "metering/tally.h"

struct invoice_line {
	struct str account, name, text, unit, commitment; /* commitment: the one that covers it */
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
	money exact, net, total; /* sum of lines before and after rounding, and including taxes */
};

/* Further fields of an invoice. Texts; times are dates. */
struct invoice_head {
	struct month month;
	struct str issuer_id, issuer, payer_id, payer, address, order;
	struct str issued, due,
		reference; /* reference: of a credit note, the number of the cancelled invoice */
};

/* Starts an invoice without lines; its content is in c's arena. */
void invoice_begin(struct invoice *i, struct ctx *c);
/* Texts are copied. ERR_CONFLICT: not in the invoice's currency. */
RESULT invoice_add(struct invoice *i, struct str number, struct str name, const struct charge *charge);
/* Rounds and adds taxes, each "RATE NAME", optionally followed by a tab and more text. Nothing can be added
 * afterwards. */
RESULT invoice_end(struct invoice *i, struct strs taxes);
/* True if there is anything to pay, or to refund. */
bool invoice_is_due(const struct invoice *i);
/* The amount due in millionths of the currency. */
int64_t invoice_total(const struct invoice *i);
/* Writes the members of its object except the number, and the closing brace. In c's arena. */
RESULT invoice_write(const struct invoice *i, const struct invoice_head *head, struct str *ret_json);
/* The key that distinguishes a charge's line from others. */
struct str invoice_line_key(struct ctx *c, struct str number, const struct charge *charge);
