/* SPDX-License-Identifier: Apache-2.0
 * Queries over the rows of one kind: the planner that the lists of every face use.
 *
 * A query has a predicate and several plans. Each plan alone reaches every row that the predicate accepts,
 * and may reach others. A plan is a union of scans. A scan reads rows that share a key: one row, a range of
 * an index, or the posting list of a term (model/term.h). Joins lead from each of them to rows of other
 * kinds, the last of which is the query's. query_run() advances one plan by one row at a time, always the
 * plan that has read the fewest rows in vain, until one of them is complete. So a query costs what its best
 * plan costs, without statistics: what finds few rows reads few, however many there are.
 *
 * A result holds no row twice. It is in the order in which the rows were created, or ordered by sort keys, and is
 * cut to a page.
 *
 * Threads: a query belongs to one thread. Its tables are those of a view that is read, or the head inside a
 * change, where scans of terms are not allowed: the head has no terms.
 * Memory: keys, plans and results are in the context's arena. The rows of a result are the tables' own.
 * Errors: ERR_NO_MEMORY, and any failure of the predicate, which ends the query.
 * Limits: QUERY_JOINS_MAX joins in a scan; as many plans, scans and sort keys as memory allows. */
#pragma once

#include "store/store.h"

enum { QUERY_JOINS_MAX = 4 };

/* From a row to rows of another kind. */
struct query_join {
	enum kind kind; /* theirs; KIND_NONE: no join */
	unsigned index; /* to every row that names the row in this index's first field; 0: see offset */
	size_t offset;  /* to the one row that this field of the row names */
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
	enum kind kind;              /* of the rows that share the key */
	unsigned index, field_count; /* QUERY_INDEX: how many of its fields make the key; 0: all rows */
	bool is_prefix;              /* QUERY_INDEX: the last of them, a text, begins with the key's */
	const struct row
		*key;  /* QUERY_INDEX: query_new_key(), NULL for all rows; QUERY_ROW: the row itself */
	uint64_t term; /* QUERY_TERM */
	/* private, set by query_join_scan() and query_add_scan(): */
	struct query_join joins[QUERY_JOINS_MAX];
	struct row *join_keys[QUERY_JOINS_MAX];
	unsigned join_count;
	bool is_by_creation; /* its rows come in that order, so that it can begin behind query.after */
};

struct query_plan {
	VEC(struct query_scan) scans; /* none: no row is accepted */
};

/* What a row is sorted by, where that is no field of it. */
struct query_value {
	struct str text;
	int64_t number; /* compared where the texts are equal */
};

struct query_sort {
	const struct field *field; /* compared by its type, an enum by its words; or */
	struct query_value (*get_value)(void *arg, const void *key, const struct row *row);
	const void *key; /* for get_value */
	bool descends;
};

struct query {
	struct ctx *c;
	const struct tables *tables;
	enum kind kind;
	/* The predicate: whether the row is in the result. */
	RESULT (*matches)(void *arg, const struct row *row, bool *ret_matches);
	void *arg; /* of all functions of the query */
	/* Rows of the result besides those that plans find. The predicate is not asked about them; they need not be
	 * in the tables. */
	struct rows given;
	const struct query_sort *sorts;
	size_t sort_count;      /* 0: by creation. Rows that sort alike are in the order of their ids */
	struct row_place after; /* by creation: only rows behind this place; zero: all */
	/* By sort keys: only rows behind the one that this is true of; NULL: all. */
	bool (*is_marker)(void *arg, const struct row *row);
	size_t read_offset;   /* of the only field that is read behind the row's first ones; 0: all may be */
	size_t offset, limit; /* passes over so many rows, then takes so many; SIZE_MAX: all */
	/* private: */
	VEC(const struct query_plan *) plans;
	uint64_t rows_read; /* by scans and joins: what the query cost */
};

struct query_page {
	const struct row **rows;
	size_t count;
	/* Rows from the page's first on. By creation a query stops early: more than the limit says that there are
	 * more, not how many. */
	size_t found;
	bool lacks_marker; /* no row of the result is the marker: the page is empty */
};

/* A zeroed row of the kind, to be a scan's key; its place is query.after. NULL: no memory. */
struct row *query_new_key(struct query *q, enum kind kind);
/* The scan's last kind of rows leads on to the join's. */
RESULT query_join_scan(struct query *q, struct query_scan *scan, const struct query_join *join);
RESULT query_add_scan(struct query *q, struct query_plan *plan, const struct query_scan *scan);
RESULT query_add_plan(struct query *q, const struct query_plan *plan);
/* Without a plan the result is made of the rows given. */
RESULT query_run(struct query *q, struct query_page *ret_page);
/* The rows that all queries of this process have read: what its lists have cost. Any thread. */
uint64_t query_count_rows_read(void);

/* The field of a kind by its name; NULL: there is none, or the name is NULL. */
const struct field *query_find_field(enum kind kind, const char *name);
/* Where the row has it. */
static inline const void *query_field_at(const struct field *field, const struct row *row)
{
	return (const char *) row + field->offset;
}
