/* SPDX-License-Identifier: Apache-2.0
 * Private to api/ec2/: lists of rows. A Describe action is an ec2_listing, which says how rows of
 * a kind are found, filtered and written; what a Create action answers is written by the same. */
#pragma once

#include "api/ec2/filter.h"
#include "api/ec2/memo.h"

struct ec2_listing {
	enum kind kind;
	const char *set; /* the container's name: "vpcSet" */
	struct filters filters;
	unsigned account_index; /* the kind's index that begins with the account; 0: all rows are looked at */
	/* More than engine_may_see() and the filters ask for; NULL: nothing. */
	bool (*shows)(struct ec2_call *e, const struct row *row);
	/* While the view walks: collects what the row's element needs into the arena; NULL when that is
	 * full. Without it the item is the row. */
	const void *(*gather)(struct ec2_call *e, const struct row *row);
	/* Afterwards: the members of an item. */
	void (*write)(struct ec2_call *e, struct xml *x, const void *item);
	/* Adds all rows that were gathered for the item, its own first, NULL for one that is not there.
	 * With it, what a Describe action wrote is kept for the next one: write() then gets a call that
	 * holds the rest of the key, owner and domain, and nothing else. NULL: not worth it. */
	void (*name_rows)(const void *item, struct ec2_memo_key *key);
};

struct ec2_page {
	const struct row **rows;
	size_t count;
	struct str next_token; /* empty: there are no more */
};

/* Tokens of pages: a position, bound to the request's other parameters. Empty: from the beginning.
 * ERR_INVALID. */
RESULT ec2_parse_token(struct ec2_call *e, struct str token, uuid *ret_after);
struct str ec2_make_token(struct ec2_call *e, uuid last);

/* Opens the view and finds the rows asked for, in the order of their ids. */
RESULT ec2_select(struct ec2_call *e, const struct ec2_listing *list, const struct ec2_query *query,
		  struct ec2_page *ret_page);
/* Items for rows, in the arena; the view stops walking. */
RESULT ec2_gather(struct ec2_call *e, const struct ec2_listing *list, const struct row *const *rows,
		  size_t count, const void ***ret_items);
/* The whole: the set and the token. */
RESULT ec2_describe(struct ec2_call *e, const struct ec2_listing *list, const struct ec2_query *query,
		    struct xml *x);
/* One row by its id, within an element of that name; NULL: no element around. */
RESULT ec2_write_row(struct ec2_call *e, const struct ec2_listing *list, uuid id, const char *element,
		     struct xml *x);
/* <set><item>…</item>…</set> for items. */
void ec2_write_items(struct ec2_call *e, const struct ec2_listing *list, const void *const *items,
		     size_t count, struct xml *x);
