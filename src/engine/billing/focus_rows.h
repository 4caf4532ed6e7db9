/* SPDX-License-Identifier: Apache-2.0
 * Charges of a month as FOCUS rows (metering/focus.h), each with its invoice line. For the operator's exports
 * and for an account's own download. */
#pragma once

#include "engine/billing/invoices.h"
#include "metering/focus.h"

struct focus_rows {
	struct ctx *c;  /* its arena holds the invoices and their lines */
	struct ctx row; /* its arena is reset for each row */
	struct month month;
	uuid issuer, payer; /* payer: one billing account; none: all that the issuer bills */
	struct accounts_book book;
	struct tally lines;
};

/* Reads the invoices; blocks. The caller sets month, issuer and payer; c and row must outlive it. */
RESULT focus_rows_begin(struct focus_rows *r, struct ctx *c, struct store *s, struct arena *row);
/* True if the invoice belongs to the month. A credit note belongs to the month of its issue. */
bool focus_rows_has(const struct focus_rows *r, const struct kept_invoice *invoice);
/* The row is valid until the next call. */
RESULT focus_rows_make(struct focus_rows *r, const struct billed *billed, const struct charge *charge,
		       struct focus_row *ret_row);
