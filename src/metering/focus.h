/* SPDX-License-Identifier: Apache-2.0
 * Charges as rows of FOCUS, the FinOps Open Cost and Usage Specification, versions 1.2 and 1.4: the dataset "Cost and
 * Usage" as CSV (RFC 4180, UTF-8, lines that end with a line feed). A null is an empty field. Times are of UTC without a
 * fraction, numbers plain decimals, JSON columns flat objects. Costs are exact: quantity times price, with twelve
 * decimals at most. Source: FOCUS_Spec, tag v1.2 and the columns of 1.4; focus.def has the columns.
 *
 * Pure; any thread. */
#pragma once

#include "base/buf.h"
#include "metering/commitment.h"

enum focus_version { FOCUS_1_2, FOCUS_1_4 };

/* What all rows of a file have in common. */
struct focus_context {
	enum focus_version version;
	struct month month; /* the billing period */
	struct str provider, issuer, region;
};

struct focus_row {
	const struct charge *charge;
	struct str resource;  /* its id, as EC2 writes it */
	struct str charge_id; /* what `dari explain` takes */
	struct str account, account_name, billing_id, billing_name;
	struct str invoice, invoice_detail; /* empty: there is none yet */
};

/* Each ends with a line feed. */
void focus_write_header(struct buf *b, enum focus_version version);
void focus_write_row(struct buf *b, const struct focus_context *context, const struct focus_row *row);

/* The columns of a version: for a schema, and for checks. */
enum focus_type { FOCUS_TEXT, FOCUS_DECIMAL, FOCUS_TIME, FOCUS_JSON };
struct focus_column {
	const char *name;
	unsigned versions, nullable; /* bits: 1 << a version */
	enum focus_type type;
	const char *allowed; /* values with semicolons; empty: any */
};
extern const struct focus_column focus_columns[];
extern const size_t focus_column_count;

/* ---- checks ---- */

/* Checks a file as it was written: the columns and their order, types, nulls and allowed values; that cost is price times quantity
 * to the last decimal, that a SkuPriceId has one SkuId, that charge periods lie in their billing period and do not overlap. The
 * first faults, up to FOCUS_FAULTS_MAX, as lines of words with their row. The rules of the public validator 2.0.1 that
 * contradict the specification are not among them; docs/metering.md names them. */
enum { FOCUS_FAULTS_MAX = 20 };
RESULT focus_check(struct ctx *c, enum focus_version version, struct str csv, struct strs *ret_faults);
