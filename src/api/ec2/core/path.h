/* SPDX-License-Identifier: Apache-2.0
 * Private to api/ec2/: the paths to the rows that a Describe action is asked for. A filter may be one,
 * by an index of its field, by its states or by its tags, or by a way through other rows (filter.h); the
 * rows that the caller may see are always one. What a list costs follows the shortest of them, not the
 * size of the account. On the tables of a view that walks. */
#pragma once

#include "api/ec2/core/list.h"

enum { STEPS_MAX = ACCESS_JOINS_MAX + 1 };

/* Rows that share a key: by an index, by a term, or one by its id; and the rows that steps lead to from
 * each of them. */
struct range {
	enum { RANGE_ROW, RANGE_INDEX, RANGE_TERM } by;
	enum kind kind;
	unsigned index, field_count;
	const struct row *probe; /* RANGE_INDEX: the key; RANGE_ROW: the row itself */
	uint64_t term;
	struct query_join joins[STEPS_MAX];
	struct row *keys[STEPS_MAX]; /* for those by an index */
	unsigned step_count;
	bool in_order; /* of ids: it begins behind where the last page ended */
};

/* The rows of all ranges; one may be in several of them. */
struct path {
	VEC(struct range) ranges;
};

/* Where a walk through a range stands. */
struct cursor {
	const struct row *at[STEPS_MAX + 1]; /* the range's own, then one for each step taken */
	const struct term *term;             /* RANGE_TERM: where its own stands */
	unsigned depth;
	bool begun;
};

/* What is sought, and where. */
struct search {
	struct ec2_call *e;
	const struct ec2_listing *list;
	const struct tables *t;
	struct filter_runs runs;
	uuid after;         /* rows behind this one; none: from the beginning */
	size_t max;         /* rows of a page */
	uint64_t looked_at; /* counts moves */
};

struct found {
	VEC(const struct row *) rows;
};

/* Whether the row is sought: the caller may see it, and it fits the filters. */
bool search_fits(const struct search *s, const struct row *row);
/* The rows that are sought, by the shortest path: at least those of a page and the next one, if there are as
 * many; in any order, and some of them perhaps twice. ERR_NO_MEMORY. */
RESULT search_paths(struct search *s, struct found *ret_found);
