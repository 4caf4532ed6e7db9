/* SPDX-License-Identifier: Apache-2.0
 * Private to api/native/: parameters of a list, and its pages. */
#pragma once

#include "api/core/list.h"
#include "api/native/action.h"
#include "api/native/rows.h"

enum {
	LIST_LIMIT = 100,
	LIST_LIMIT_MAX = 1000,
	LIST_FILTERS_MAX = 16,
	LIST_VALUES_MAX = 100,
	LIST_WORDS_MAX = 8
};

/* `field=a,b`: the field has one of the values. */
struct row_filter {
	const struct field *field; /* NULL: the filter compares the state, or a tag */
	struct str tag;            /* "Name" of tag.Name; p NULL: the filter compares the state */
	struct strs values;
	const struct row **probes; /* rows that each have a value in the field; NULL: compare texts */
};

struct row_order {
	const struct field *field; /* NULL: by state */
	bool descends, is_created;
};

struct row_cursor {
	bool is_given;
	struct str text;         /* value of the order's field, or the state */
	const struct row *probe; /* row with that value in its field */
	uuid id;
};

struct listing {
	struct native_call *e;
	const struct tables *t;
	enum kind kind;
	struct ctx own; /* context of the caller without administrator rights */
	struct identity plain;
	bool is_all;
	uuid account; /* lists this account's rows only; none: the caller's */
	struct row_choice choice;
	struct str q[LIST_WORDS_MAX];
	size_t word_count;
	struct row_filter filters[LIST_FILTERS_MAX];
	size_t filter_count;
	struct row_order order;
	bool is_of_owners; /* a filter or the order tells of a member that only owners see */
	struct row_cursor after;
	size_t limit;
	bool counts_all, has_total;
	size_t total;
	uint64_t batch;
	struct query_page page;
};

/* Reads the query into the call's listing. ERR_INVALID, ERR_UNKNOWN with the parameter at fault. */
RESULT listing_read(struct native_call *e, struct listing *l);
/* Sets up a search of the words `q` among rows of another kind. */
RESULT listing_read_search(struct native_call *e, enum kind kind, struct listing *l);
/* Cursor of the row: base64url of the order's value and the id. */
struct str listing_write_cursor(const struct listing *l, const struct row *last);
RESULT listing_read_cursor(struct listing *l, struct str text);
/* True if the word (lower case) is in the row's searched fields, tags or addresses, or begins its id. */
bool native_has_word(struct arena *a, const struct tables *t, enum kind kind, const struct row *row,
		     unsigned class, struct str word);
/* True if the row matches account, filters and words of the list, on whatever page. */
bool listing_fits(struct listing *l, const struct row *row);
/* Runs the query and sets l->page. */
RESULT listing_run(struct listing *l);
/* The row's sort key, as a text. */
struct str listing_key(const struct listing *l, const struct row *row);
