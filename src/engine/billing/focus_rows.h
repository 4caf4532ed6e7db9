/* SPDX-License-Identifier: Apache-2.0
 * Charges of a month as rows of FOCUS (metering/focus.h), each with the line of the invoice that it is a part of. For files
 * that operators export, and for what an account takes by itself. */
#pragma once

#include "engine/billing/invoices.h"
#include "metering/focus.h"

struct focus_rows {
	struct ctx *c;  /* whose arena has the invoices and their lines */
	struct ctx row; /* its arena is emptied for each row */
	struct month month;
	uuid issuer, payer; /* of one billing account alone; payer none: of all that the issuer bills */
	struct accounts_book book;
	struct tally lines;
};

/* Reads the invoices, and blocks meanwhile. month, issuer and payer are set; c and row stay until the end. */
RESULT focus_rows_begin(struct focus_rows *r, struct ctx *c, struct store *s, struct arena *row);
/* Whether an invoice is the month's own. Credit notes are of the month in which they were issued. */
bool focus_rows_has(const struct focus_rows *r, const struct kept_invoice *invoice);
/* The row lasts until the next one is made. */
RESULT focus_rows_make(struct focus_rows *r, const struct billed *billed, const struct charge *charge,
		       struct focus_row *ret_row);
