/* SPDX-License-Identifier: Apache-2.0
 * What rating needs of the region: the usage log, the ledger, who the accounts are. And what is written for bills: price
 * lists, and billing periods that are closed.
 *
 * Reading blocks, and reads SQL over a connection of its own: any thread but the committer's. */
#pragma once

#include "engine/operation.h"
#include "metering/commitment.h"
#include "store/ledger.h"

/* Whose usage it is, and who pays for it. A deleted account that nothing is known of any more has its id alone; what a domain has
 * of its own, such as its commitments, has no account.
 *
 * A domain that is a billing account (is_billed) pays for its accounts and for those of domains below it (reseller)
 * that are none. Who issues the bill is the next billing account above it, else the operator. So what a customer's customer
 * uses is billed twice, each time by the lists of whoever sells it; and each is rated from usage. */
struct billed {
	uuid account, domain;
	struct str number, name, domain_name;
	struct payer payer;
	uuid bill_to; /* a domain; none: the account pays nothing to that issuer */
	struct str bill_name;
};

/* All price lists that were loaded, and until when billing periods are closed (seconds; 0: none is). In c's arena. */
RESULT billing_read_book(struct ctx *c, struct store *s, struct price_book *ret_book,
			 int64_t *ret_closed_until_s);

struct billing_query {
	struct month month;
	uuid account;                   /* none: all */
	uuid issuer;                    /* a domain whose customers are billed; none: the operator */
	uuid bill_to;                   /* only what this domain pays; none: all */
	bool is_bare;                   /* without commitments */
	int64_t now_us;                 /* until when what lasts is rated */
	const struct price_list *tried; /* as if it were loaded too; NULL: none */
	int64_t as_of_us;               /* without what the log was corrected by since; 0: with all */
};

/* The charge and who is billed are valid during the call. */
typedef RESULT (*billing_each)(void *arg, const struct billed *billed, const struct charge *charge);
typedef RESULT (*billing_unpriced)(void *arg, const struct billed *billed, enum kind kind, uuid id,
				   struct str meter);

/* Rates a month: charges by account, resource and meter, each time the same (metering/rate.h). */
RESULT billing_rate(struct ctx *c, struct store *s, const struct billing_query *query, billing_each each,
		    billing_unpriced unpriced, void *arg);

/* The same, and behind it what corrections of the log that were written in that month change of periods that were closed: the
 * old charge taken back, and the new one. It gives what a closed month gave, whatever is corrected later. */
RESULT billing_rate_all(struct ctx *c, struct store *s, const struct billing_query *query, billing_each each,
			billing_unpriced unpriced, void *arg);

/* The records of the usage log that a query finds, as corrections have them: for those who tell of usage in the words of an API. By
 * resource; of one in the order of time. */
RESULT billing_read_levels(struct ctx *c, struct store *s, const struct usage_query *query,
			   RESULT (*each)(void *arg, const struct usage *usage), void *arg);

/* ---- changes ----
 * SQL refuses what would change a closed period, and with it all of the batch: whoever calls has looked before. */

struct price_list_wish {
	struct str yaml;
	struct str name; /* of the list: it was read and checked */
	int64_t from_s;
};
/* It does not begin within a closed period. ERR_DENIED: only administrators load prices. */
OPERATION(engine_load_prices, price_list_wish)

/* A charge as a closed period keeps it: its key and its values, in text. */
struct kept_charge {
	uuid account, id;
	struct str key, values;
};
/* It does not begin within a closed period. Its id is made. */
struct commitment_wish {
	struct commitment commitment;
};
OPERATION(engine_make_commitment, commitment_wish)
/* All of them; in c's arena. */
struct commitments {
	struct commitment *at;
	size_t count;
};
RESULT billing_read_commitments(struct ctx *c, struct store *s, struct commitments *ret_commitments);

struct charges_wish {
	struct month month;
	int64_t run; /* charges of one closing have one number */
	const struct kept_charge *charges;
	size_t count;
};
/* The period is not closed. */
OPERATION(engine_keep_charges, charges_wish)

struct closing_wish {
	struct month month;
	int64_t run;
	size_t count;
	struct str digest; /* of the charges, hex */
};
/* It is not closed yet. */
OPERATION(engine_close_month, closing_wish)

/* Corrects the log: the level of a record was another, or began at another time. */
struct fix_wish {
	uuid id, account;
	struct str meter, reason;
	int64_t wrong_seq, at_us, level;
};
OPERATION(engine_fix_usage, fix_wish)

/* A closed month: what its closing wrote. ERR_NOT_FOUND. */
struct closed_month {
	int64_t run, count, closed_us;
	struct str digest;
};
RESULT billing_find_closed(struct ctx *c, struct store *s, struct month month,
			   struct closed_month *ret_closed);

/* A charge as text: what it is told by, and all that it says. Both are lines without line ends, in c's arena. */
struct str billing_charge_key(struct ctx *c, const struct charge *charge);
struct str billing_charge_values(struct ctx *c, const struct charge *charge);
