/* SPDX-License-Identifier: Apache-2.0
 * Private to api/ec2/: the ways to the rows that a Describe action is asked for. A filter may be one,
 * by an index of its field, by its states or by its tags; the account's rows are always one. What a
 * list costs follows the shortest of them, not the size of the account. On the tables of a view that
 * walks. */
#pragma once

#include "api/ec2/list.h"

/* Rows that share a key: by an index, by a term, or one by its id. */
struct range {
	enum { RANGE_ROW, RANGE_INDEX, RANGE_TERM } by;
	unsigned index, field_count;
	const struct row *probe; /* RANGE_INDEX: the key; RANGE_ROW: the row itself */
	uint64_t term;
	bool in_order; /* of ids: it begins behind where the last page ended */
};

/* The rows of all ranges; one may be in several of them. */
struct path {
	VEC(struct range) ranges;
	size_t at; /* while it is measured */
	const struct row *row;
};

/* Where rows are sought. */
struct search {
	struct ec2_call *e;
	const struct ec2_listing *list;
	const struct tables *t;
	uuid after; /* rows behind this one; none: from the beginning */
};

/* The shortest path to all rows that may fit the filters. */
RESULT path_choose(const struct search *s, const struct filter_runs *runs, const struct path **ret_path);

const struct row *range_first(const struct search *s, const struct range *r); /* NULL: there is none */
const struct row *range_next(const struct search *s, const struct range *r, const struct row *row);
