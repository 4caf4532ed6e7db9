/* SPDX-License-Identifier: Apache-2.0
 * The inputs of rating: the usage log, the ledger and the accounts; and the records that bills need: price
 * lists and closed billing periods. Reading blocks and uses an SQL connection of its own: any thread but the
 * committer's. */
#pragma once

#include "engine/operation.h"
#include "metering/commitment.h"
#include "store/ledger.h"

struct account;

/* An account's usage, or a domain's own items such as commitments (account none), and its payer. A deleted
 * account that nothing more is known about has only its id. A billing account (a domain with is_billed) pays
 * for its own accounts and for those of domains below it (reseller) that are not billing accounts. The next
 * billing account above it issues the bill, or else the operator. So the usage of a customer's customer is
 * billed twice, each time by its seller's price lists; each bill is rated from the usage. */
struct billed {
	uuid account, domain;
	struct str number, name, domain_name;
	struct payer payer;
	uuid bill_to; /* a domain; none: pays nothing to that issuer */
	struct str bill_name;
};

/* The payer of an account's usage to its issuer, by whose price lists its prices are found. In c's arena. */
RESULT billing_find_payer(struct ctx *c, const struct tables *t, const struct account *account, uuid issuer,
			  struct payer *ret_payer);

/* Reads all loaded price lists, and the end of the last closed billing period (seconds; 0: none). In c's
 * arena. */
RESULT billing_read_book(struct ctx *c, struct store *s, struct price_book *ret_book,
			 int64_t *ret_closed_until_s);

struct billing_query {
	struct month month;
	uuid account;                   /* none: all accounts */
	uuid issuer;                    /* the domain that bills its customers; none: the operator */
	uuid bill_to;                   /* only what this domain pays; none: all */
	bool is_bare;                   /* without commitments */
	bool is_elsewhere;              /* machines elsewhere, which no bill contains, instead of all else */
	int64_t now_us;                 /* ongoing usage is rated up to this time */
	const struct price_list *tried; /* rates as if this list were loaded, too; NULL: none */
	int64_t as_of_us;               /* leaves out corrections of the log written since; 0: all
					 * corrections */
};

/* Both pointers are valid during the call. */
typedef RESULT (*billing_each)(void *arg, const struct billed *billed, const struct charge *charge);
typedef RESULT (*billing_unpriced)(void *arg, const struct billed *billed, enum kind kind, uuid id,
				   struct str meter);

/* Rates a month into charges by account, resource and meter. The result is deterministic
 * (metering/rate.h). */
RESULT billing_rate(struct ctx *c, struct store *s, const struct billing_query *query, billing_each each,
		    billing_unpriced unpriced, void *arg);

/* Rates like billing_rate(), and appends corrections: for each correction of the log that was written in that
 * month and changes a closed period, the old charge reversed and the new charge. A closed month keeps its
 * result, whatever is corrected later. */
RESULT billing_rate_all(struct ctx *c, struct store *s, const struct billing_query *query, billing_each each,
			billing_unpriced unpriced, void *arg);

/* Reads the usage records that match a query, with corrections applied, for APIs that report usage. Ordered
 * by resource, then by time. */
RESULT billing_read_levels(struct ctx *c, struct store *s, const struct usage_query *query,
			   RESULT (*each)(void *arg, const struct usage *usage), void *arg);

/* ---- changes ----
 * SQL refuses changes to a closed period, and the whole batch with them, so callers check first. */

struct price_list_wish {
	struct str yaml;
	struct str name; /* the list's name; the caller parsed and checked the list */
	int64_t from_s;
};
/* The caller checked that it does not begin within a closed period. ERR_DENIED: only administrators load
 * prices. */
OPERATION(engine_load_prices, price_list_wish)

/* A charge as stored for a closed period: key and values as text. */
struct kept_charge {
	uuid account, id;
	struct str key, values;
};
/* The caller checked that it does not begin within a closed period. Sets the id. */
struct commitment_wish {
	struct commitment commitment;
};
OPERATION(engine_make_commitment, commitment_wish)
/* All commitments, in c's arena. */
struct commitments {
	struct commitment *at;
	size_t count;
};
RESULT billing_read_commitments(struct ctx *c, struct store *s, struct commitments *ret_commitments);

struct charges_wish {
	struct month month;
	int64_t run; /* the same number for all charges of one closing */
	const struct kept_charge *charges;
	size_t count;
};
/* The caller checked that the period is not closed. */
OPERATION(engine_keep_charges, charges_wish)

struct closing_wish {
	struct month month;
	int64_t run;
	size_t count;
	struct str digest; /* of the charges, in hex */
};
/* The caller checked that the month is not closed. */
OPERATION(engine_close_month, closing_wish)

/* Corrects the level or the time of a record in the log. */
struct fix_wish {
	uuid id, account;
	struct str meter, reason;
	int64_t wrong_seq, at_us, level;
};
OPERATION(engine_fix_usage, fix_wish)

/* The record of a closed month. ERR_NOT_FOUND. */
struct closed_month {
	int64_t run, count, closed_us;
	struct str digest;
};
RESULT billing_find_closed(struct ctx *c, struct store *s, struct month month,
			   struct closed_month *ret_closed);

/* A charge as text: its identifying key, and all its values. Each is one line without a line end, in c's
 * arena. */
struct str billing_charge_key(struct ctx *c, const struct charge *charge);
struct str billing_charge_values(struct ctx *c, const struct charge *charge);
