/* SPDX-License-Identifier: Apache-2.0
 * Private to api/native/: what a list was asked for, and where its pages begin. */
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

/* `field=a,b`: one of the values. */
struct row_filter {
	const struct field *field; /* NULL: its state, or the tag */
	struct str tag;            /* "Name" of tag.Name; p is NULL: its state */
	struct strs values;
	const struct row **probes; /* each with a value in the field; NULL: texts are compared */
};

struct row_order {
	const struct field *field; /* NULL: its state */
	bool descends, is_created;
};

struct row_cursor {
	bool is_given;
	struct str text;         /* of the order's field, or its state */
	const struct row *probe; /* with that in its field */
	uuid id;
};

struct listing {
	struct native_call *e;
	const struct tables *t;
	enum kind kind;
	struct ctx own; /* as if the caller were no administrator */
	struct identity plain;
	bool is_all;
	uuid account; /* whose rows alone; none: the caller's */
	struct row_choice choice;
	struct str q[LIST_WORDS_MAX];
	size_t word_count;
	struct row_filter filters[LIST_FILTERS_MAX];
	size_t filter_count;
	struct row_order order;
	struct row_cursor after;
	size_t limit;
	bool counts_all, has_total;
	size_t total;
	uint64_t batch;
	struct query_page page;
};

/* Reads the query into the call's listing. ERR_INVALID, ERR_UNKNOWN with the parameter at fault. */
RESULT listing_read(struct native_call *e, struct listing *l);
/* The same for a search of the words `q` among another kind's. */
RESULT listing_read_search(struct native_call *e, enum kind kind, struct listing *l);
/* "<base64url>" of the order's value and the id. */
struct str listing_write_cursor(const struct listing *l, const struct row *last);
RESULT listing_read_cursor(struct listing *l, struct str text);
/* Whether the word (lower case) is in what is searched of the row. */
bool native_has_word(struct arena *a, const struct tables *t, enum kind kind, const struct row *row,
		     unsigned class, struct str word);
/* Whether the row is one of those asked for, apart from the page. */
bool listing_fits(struct listing *l, const struct row *row);
/* Finds the page. */
RESULT listing_run(struct listing *l);
/* What the row is ordered by, as a text. */
struct str listing_key(const struct listing *l, const struct row *row);
