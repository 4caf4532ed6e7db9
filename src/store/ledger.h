/* SPDX-License-Identifier: Apache-2.0
 * Input of rating: the usage log and the ledger. Both are in SQL only, written with the change they describe,
 * and append-only: triggers refuse every UPDATE and DELETE.
 *
 * A usage record states a meter's level from its time on. Records are ordered by `seq`, not by time, because
 * the clock may be set back. Records then repeat the latest time of the log (the time in between counts as
 * zero). A clock that jumps ahead of the steady clock by more than a day is not trusted until the operator
 * confirms it (store_confirm_clock()) or the process restarts.
 *
 * The ledger contains everything else that bills are made of. Types of records:
 *   LEDGER_SUBJECT  name and tags of a resource from then on (name, text). It is stored in the usage log, in
 *                   the row of a usage record of the same resource if the change has one.
 *   LEDGER_FIX  corrects a meter's level from from_us on; number: the wrong usage record, name: the meter,
 *               text: the reason
 *   LEDGER_PRICES  a version of a price list, valid from from_us on (name; text: YAML)
 *   LEDGER_CHARGE  a row of the closed billing period that begins at from_us (name: its key, text: its
 *                  values)
 *   LEDGER_CLOSED  closes the billing period; number: of charges, level: end of the period, text: digest of
 *                  the charges
 *   LEDGER_COMMITMENT  a commitment with this id from from_us on (name, text: metering/commitment.h)
 *   LEDGER_INVOICE  an invoice or credit note for the billing period at from_us; account: issuing domain, id:
 *                   invoiced domain, number: the issuer's consecutive number, level: total in millionths of
 *                   the currency, name: the number as text, text: the document as JSON
 *   LEDGER_PAYMENT  a payment or credit of a billing account; account: receiving domain, id: paying domain,
 *                   level: millionths of the currency, number: 1 for a credit, name: unique key, text: note
 *
 * SQL enforces that a closed period accepts no charges, commitments or price lists, that an issuer's numbers
 * are consecutive, and that payment keys are unique. */
#pragma once

#include "base/ctx.h"
#include "model/row.h"

struct op;
struct store;

struct usage {
	int64_t at_us;
	enum kind kind;
	uuid id, account;
	struct str meter;
	int64_t level;
	int64_t seq; /* number in the log, from 1; assigned when added */
};

/* Selects usage before before_us. With a kind: the account's records of that kind whose meter has the prefix
 * `meter` (ASCII without LIKE's % and _), by resource, in log order. Without: all records of the account or,
 * without an account, of all accounts, by account, resource and meter, in log order. is_software: instead,
 * all records of guests with licences (model/licence.h), in log order. */
struct usage_query {
	enum kind kind;
	uuid account;
	struct str meter;
	int64_t before_us;
	bool is_software;
};

enum ledger_type {
	LEDGER_SUBJECT,
	LEDGER_FIX,
	LEDGER_PRICES,
	LEDGER_CHARGE,
	LEDGER_CLOSED,
	LEDGER_COMMITMENT,
	LEDGER_INVOICE,
	LEDGER_PAYMENT,
	LEDGER_TYPES
};

struct ledger_record {
	enum ledger_type type;
	int64_t seq; /* assigned when added */
	int64_t at_us, from_us, number, level;
	uuid id, account;
	struct str name, text;
};

/* Result: by resource, then in log order. */
struct ledger_query {
	enum ledger_type type;
	int64_t from_us; /* only records with this from_us; LEDGER_ANY_TIME: all */
	uuid id;         /* none: any */
};
#define LEDGER_ANY_TIME INT64_MIN

/* Adds a record with the change. Sets at_us; copies the texts. */
RESULT op_ledger(struct op *op, const struct ledger_record *record);
/* Reads SQL through a separate connection. Blocks. Any thread but the committer's. */
RESULT store_read_ledger(struct store *s, struct ctx *c, const struct ledger_query *query,
			 RESULT (*each)(void *arg, const struct ledger_record *record), void *arg);

/* State of the wall clock; both 0 normally. behind: new records repeat the log's latest time. ahead: the
 * clock jumped by this and is not trusted. Any thread. */
void store_read_clock(struct store *s, int64_t *ret_behind_us, int64_t *ret_ahead_us);
/* The operator confirms the clock: trusted from the next record on. Any thread. */
void store_confirm_clock(struct store *s);
