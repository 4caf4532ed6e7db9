/* SPDX-License-Identifier: Apache-2.0
 * Queries over the rows of one kind: the planner behind the lists of every face.
 *
 * A query has a predicate and several plans. Each plan alone reaches every row that the predicate accepts,
 * and may reach others. A plan is a union of scans. A scan reads rows that share a key: one row, a range of
 * an index, or the posting list of a term (model/term.h). Joins lead from these to rows of other kinds, the
 * last of which is the query's. query_run() advances one plan by one row at a time, always the one that has
 * read the fewest rows in vain, until one is complete. So a query costs what its best plan costs, without
 * statistics.
 *
 * A result has no duplicates. It is ordered by creation or by sort keys, and cut to a page.
 *
 * Threads: a query belongs to one thread. Its tables are those of a view that is read, or the head inside a
 * change, where scans of terms are not allowed because the head has no terms. Memory: keys, plans and results
 * are in the context's arena; the rows of a result belong to the tables. Errors: ERR_NO_MEMORY, and any
 * failure of the predicate, which ends the query. Limits: QUERY_JOINS_MAX joins in a scan; plans, scans and
 * sort keys as memory allows. */
#pragma once

#include "store/store.h"

enum { QUERY_JOINS_MAX = 4 };

/* Leads from a row to rows of another kind. */
struct query_join {
	enum kind kind; /* target kind; KIND_NONE: no join */
	unsigned index; /* leads to every row that has this row's id in the index's first field; 0: uses
			 * offset */
	size_t offset;  /* leads to the one row that this field names */
};
#define JOIN_ONE(row_kind, type, member)                                                                     \
	{                                                                                                    \
		.kind = (row_kind), .offset = offsetof(struct type, member)                                  \
	}
#define JOIN_EACH(row_kind, row_index)                                                                       \
	{                                                                                                    \
		.kind = (row_kind), .index = (row_index)                                                     \
	}

struct query_scan {
	enum { QUERY_ROW, QUERY_INDEX, QUERY_TERM } by;
	enum kind kind;              /* kind of the scanned rows */
	unsigned index, field_count; /* QUERY_INDEX: number of its fields that form the key; 0: all rows */
	bool is_prefix;              /* QUERY_INDEX: the last key field is a text prefix */
	const struct row *key; /* QUERY_INDEX: made by query_new_key(), NULL for all rows; QUERY_ROW: the row
		        * itself */
	uint64_t term;         /* QUERY_TERM */
	/* private, set by query_join_scan() and query_add_scan() */
	struct query_join joins[QUERY_JOINS_MAX];
	struct row *join_keys[QUERY_JOINS_MAX];
	unsigned join_count;
	bool is_by_creation; /* yields rows in order of creation, so it can start behind query.after */
};

struct query_plan {
	VEC(struct query_scan) scans; /* none: no row is accepted */
};

/* Value of a sort key that is not a field. */
struct query_value {
	struct str text;
	int64_t number; /* compared if the texts are equal */
};

struct query_sort {
	const struct field *field; /* compared by its type, enums by their words; NULL: get_value is used */
	struct query_value (*get_value)(void *arg, const void *key, const struct row *row);
	const void *key; /* argument of get_value */
	bool descends;
};

struct query {
	struct ctx *c;
	const struct tables *tables;
	enum kind kind;
	/* The predicate: tells whether the row belongs to the result. */
	RESULT (*matches)(void *arg, const struct row *row, bool *ret_matches);
	void *arg; /* argument of all callbacks */
	/* Further rows of the result, which the predicate does not test and which need not be in the
	 * tables. */
	struct rows given;
	const struct query_sort *sorts;
	size_t sort_count;      /* 0: by creation. Equal rows are ordered by id */
	struct row_place after; /* by creation: only rows behind this place; zero: all */
	/* With sort keys: only rows behind that of which is_marker is true, else behind `marker`; NULL: all. */
	bool (*is_marker)(void *arg, const struct row *row);
	const struct row *marker;
	size_t read_offset;   /* offset of the only field read beside the row's head; 0: any field may be
			       * read */
	size_t offset, limit; /* skips `offset` rows, then takes up to `limit`; SIZE_MAX: all */
	/* private */
	VEC(const struct query_plan *) plans;
	uint64_t rows_read; /* by scans and joins: the cost of the query */
};

struct query_page {
	const struct row **rows;
	size_t count;
	/* Number of rows from the page's first on. Without sort keys a query stops early: a value above the
	 * limit only means that there are more. */
	size_t found;
	bool lacks_marker; /* the marker was not found; the page is empty */
};

/* Zeroed row of the kind for use as a scan's key, with query.after as its place. NULL: out of memory. */
struct row *query_new_key(struct query *q, enum kind kind);
/* Adds a join behind the scan's last kind. */
RESULT query_join_scan(struct query *q, struct query_scan *scan, const struct query_join *join);
RESULT query_add_scan(struct query *q, struct query_plan *plan, const struct query_scan *scan);
RESULT query_add_plan(struct query *q, const struct query_plan *plan);
/* Without plans the result consists of the given rows. */
RESULT query_run(struct query *q, struct query_page *ret_page);
/* Rows read by all queries of the process: the cost of lists. Any thread. */
uint64_t query_count_rows_read(void);

/* Field of a kind by name; NULL: unknown, or the name is NULL. */
const struct field *query_find_field(enum kind kind, const char *name);
/* Address of the field in the row. */
static inline const void *query_field_at(const struct field *field, const struct row *row)
{
	return (const char *) row + field->offset;
}
