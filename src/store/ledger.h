/* SPDX-License-Identifier: Apache-2.0
 * What rating reads: the usage log, and the ledger beside it. Both are in SQL only, written with the change that
 * they tell of, and only added to: triggers refuse every UPDATE and DELETE.
 *
 * A record of usage says a meter's level from its time on. Records are ordered by `seq`, not by time: a clock that
 * is set back does not take the log back with it. Its records bear the last time again (so what lasted meanwhile
 * lasted no time); a clock that leaps by more than a day against the steady clock is not believed until somebody
 * says so (store_confirm_clock), or until the next start.
 *
 * The ledger has what else bills are made of, each record of one type:
 *   LEDGER_SUBJECT  what a resource was called, and its tags, from then on (name, text). It is written in the usage log: in the
 *                   row of a record of the same resource where the change has one.
 *   LEDGER_FIX      a meter's level was another from from_us on; the record `number` of usage was wrong (name: the
 *                   meter, text: why)
 *   LEDGER_PRICES   a version of a price list, in force from from_us on (name, text: the YAML)
 *   LEDGER_CHARGE   a row of a closed billing period that begins at from_us (name: its key, text: its values)
 *   LEDGER_CLOSED   that billing period is closed (number: of charges, level: the end of the period, text: their digest)
 *   LEDGER_COMMITMENT  a commitment, of its id, from from_us on (name, text: metering/commitment.h)
 *   LEDGER_INVOICE  an invoice for the billing period at from_us, or a credit note (account: the domain that issues it, id:
 *                   the domain that it is for, number: the issuer's, without gaps, level: what is to pay, in millionths
 *                   of the currency, name: its number as text, text: all of it, as JSON)
 *   LEDGER_PAYMENT  what a billing account paid or was credited (account: to which domain, id: which domain, level: millionths
 *                   of the currency, number: 1 for a credit, name: the key that tells it from others, text: words)
 * A closed period takes no further charges, commitments and price lists, an issuer's numbers have no gaps, and a payment with
 * the same key comes once: SQL refuses all else. */
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
	int64_t seq; /* its number in the log, from 1 on; drawn as it is added */
};

/* Usage from before a time. With a kind: the account's records of it whose meters begin with these letters (ASCII, without
 * LIKE's % and _), by resource, in the order of the log. Without: all of the account, or without an account all there are, by
 * account, resource and meter, in the order of the log. is_software: instead, everybody's records of guests with licences
 * (model/licence.h), in the order of the log. */
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
	int64_t seq; /* drawn as it is added */
	int64_t at_us, from_us, number, level;
	uuid id, account;
	struct str name, text;
};

/* By resource, then in the order of the log. */
struct ledger_query {
	enum ledger_type type;
	int64_t from_us; /* only those of that from_us; LEDGER_ANY_TIME: all */
	uuid id;         /* none: any */
};
#define LEDGER_ANY_TIME INT64_MIN

/* Adds a record with the change. at_us is set here. The texts are copied. */
RESULT op_ledger(struct op *op, const struct ledger_record *record);
/* Reads SQL over a connection of its own, and blocks meanwhile. Any thread but the committer's. */
RESULT store_read_ledger(struct store *s, struct ctx *c, const struct ledger_query *query,
			 RESULT (*each)(void *arg, const struct ledger_record *record), void *arg);

/* How the wall clock stands to the log: 0 and 0, as it should. behind: new records bear the log's last time.
 * ahead: it leapt by that much, and is not believed. Any thread. */
void store_read_clock(struct store *s, int64_t *ret_behind_us, int64_t *ret_ahead_us);
/* The operator says that the clock is right: it is believed from the next record on. Any thread. */
void store_confirm_clock(struct store *s);
