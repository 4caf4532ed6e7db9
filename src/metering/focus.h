/* SPDX-License-Identifier: Apache-2.0
 * Writes charges as rows of FOCUS, the FinOps Open Cost and Usage Specification, versions 1.2 and 1.4: the
 * dataset "Cost and Usage" as CSV (RFC 4180, UTF-8, lines ended by a line feed). Null is an empty field.
 * Times are UTC without fraction, numbers plain decimals, JSON columns flat objects. Costs are exact:
 * quantity times price, with at most twelve decimals. Source: FOCUS_Spec, tag v1.2 and the columns of 1.4;
 * focus.def lists the columns.
 *
 * Pure; any thread. */
#pragma once

#include "base/buf.h"
#include "metering/commitment.h"

enum focus_version { FOCUS_1_2, FOCUS_1_4 };

/* Values common to all rows of a file. */
struct focus_context {
	enum focus_version version;
	struct month month; /* the billing period */
	struct str provider, issuer, region;
};

struct focus_row {
	const struct charge *charge;
	struct str resource;  /* its id in EC2's form */
	struct str charge_id; /* argument for `dari explain` */
	struct str account, account_name, billing_id, billing_name;
	struct str invoice, invoice_detail; /* empty: none yet */
};

/* Each writes a final line feed. */
void focus_write_header(struct buf *b, enum focus_version version);
void focus_write_row(struct buf *b, const struct focus_context *context, const struct focus_row *row);

/* The columns of a version, for schemas and checks. */
enum focus_type { FOCUS_TEXT, FOCUS_DECIMAL, FOCUS_TIME, FOCUS_JSON };
struct focus_column {
	const char *name;
	unsigned versions, nullable; /* bits: 1 << version */
	enum focus_type type;
	const char *allowed; /* permitted values, separated by semicolons; empty: any */
};
extern const struct focus_column focus_columns[];
extern const size_t focus_column_count;

/* ---- checks ---- */

/* Checks a written file: columns and their order, types, nulls and allowed values; that cost is exactly price
 * times quantity, that a SkuPriceId has one SkuId, that charge periods are within their billing period and
 * don't overlap. Returns the first faults, up to FOCUS_FAULTS_MAX, as messages with row numbers. Omits rules
 * of the public validator 2.0.1 that contradict the specification; docs/metering.md lists them. */
enum { FOCUS_FAULTS_MAX = 20 };
RESULT focus_check(struct ctx *c, enum focus_version version, struct str csv, struct strs *ret_faults);
