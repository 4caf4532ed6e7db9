/* SPDX-License-Identifier: Apache-2.0
 * What the lists of all faces share: from the values of a filter to plans of a query (store/query.h), whose
 * rows are listed, and tokens and counters of pages. A face keeps its protocol: how filters, pages and
 * tokens are spelt, how a value is compared, and its error words.
 *
 * A list begins with list_init(). The face adds a plan for each filter that leads to rows
 * (list_begin_plan(), then list_add_…(), then list_end_plan()), adds list_plan_all(), and runs the query. A
 * plan may reach rows that do not match, since the query's predicate is asked about each; it must not miss
 * one that does.
 *
 * Threads and memory: as store/query.h says. Errors: ERR_NO_MEMORY. */
#pragma once

#include "model/id.h"
#include "store/query.h"

/* How the values of a filter lead to rows: part of a face's const filter rows. */
enum { ACCESS_PATHS_MAX = 4, ACCESS_JOINS_MAX = QUERY_JOINS_MAX - 1 };
struct access_path {
	enum kind kind;     /* of the rows that a value names; KIND_NONE: no path */
	unsigned index;     /* by this index's first field, or the second behind an account; 0: by their id */
	const char *prefix; /* of a value that is an id under another prefix than its kind's: "eipassoc" */
	struct query_join
		joins[ACCESS_JOINS_MAX]; /* from those rows to the listed ones; KIND_NONE ends them */
};

/* What became of a value that was read into a key. */
enum list_reading {
	LIST_READ,
	LIST_READ_ABSENT, /* it is a value, and no row has it */
	LIST_READ_OTHER,  /* it is no value of the field: only the face's comparison knows what it means */
};

/* How a face spells values. */
struct list_spelling {
	/* An id of that kind, or under the prefix where there is one; false: it is none. */
	bool (*read_id)(struct str value, enum kind kind, const char *prefix, struct ref *ret_ref);
	/* A value that is spelt otherwise than its type's text, into the field's place in a key;
	 * LIST_READ_OTHER: it is spelt as usual. NULL: all are. */
	enum list_reading (*read)(const struct tables *t, const struct field *field, struct str value,
				  void *ret_at);
};

/* A list that is being planned. The indexes are those of the query's kind. */
struct list {
	struct query *query;
	const struct list_spelling *spelling;
	uuid owners[2];     /* whose rows are listed: the caller's and perhaps the operator's (no account) */
	size_t owner_count; /* 0: everybody's */
	unsigned account_index; /* list_account_index() */
	/* It begins with another account that sees the row, too; 0: none does. */
	unsigned other_account_index;
	/* It begins with whether everybody sees the row, and terms of launchers name the accounts that a
	 * row is shared with; 0: nobody else sees it. */
	unsigned public_index;
	uint64_t
		other_term; /* with public_index: of further rows that the caller may see; 0: there are none */
};

struct list_plan {
	struct list *list;
	struct query_plan *plan;
	enum kind kind;                /* of the rows that the filter is on */
	const struct query_join *join; /* from those to the listed rows; NULL: they are the listed rows */
	bool is_of_owners;             /* it reaches rows of the owners alone: others' are added at its end */
};

/* kind, join: see struct list_plan. The plan is not the query's before list_end_plan(). */
RESULT list_begin_plan(struct list *l, enum kind kind, const struct query_join *join,
		       struct list_plan *ret_plan);
/* The rows that the values lead to. is_compared: the filter compares a field, so that a value which no
 * field can have has no row. ret_is_plan: false: only the face's comparison knows the rows, and the plan is
 * to be dropped. */
RESULT list_add_values(struct list_plan *p, const struct access_path *path, struct strs values,
		       bool is_compared, bool *ret_is_plan);
/* The rows that the row of that id leads to: the path's index begins with its id. */
RESULT list_add_id(struct list_plan *p, const struct access_path *path, uuid id);
/* The account's rows whose text, the second field of this index of theirs, begins with the prefix. */
RESULT list_add_prefix(struct list_plan *p, unsigned index, uuid account, struct str prefix);
/* The rows of an account, by account_index. */
RESULT list_add_account(struct list_plan *p, uuid account);
/* The rows with a term (model/term.h); the owners' rows in a state, or in one of the security groups. */
RESULT list_add_term(struct list_plan *p, uint64_t term);
RESULT list_add_state(struct list_plan *p, unsigned state);
RESULT list_add_groups(struct list_plan *p, struct strs groups);
/* Hands the plan to the query. */
RESULT list_end_plan(struct list_plan *p);
/* The plan of every row that the caller may see: each list has it. */
RESULT list_plan_all(struct list *l);
/* The index of the kind that begins with the account, and holds the least besides; 0: the kind has none. */
unsigned list_account_index(enum kind kind);
/* The index of the listed kind for list_add_values() of the field; 0: there is none. */
unsigned list_find_index(const struct list *l, const struct field *field);

/* ---- pages ---- */

/* A token names the place of the page's last row. It is bound to the request's other parameters by their digest. Empty:
 * there is no digest, or no memory. */
struct str list_make_token(struct ctx *c, struct str digest, struct row_place last);
/* False: it is no token of this very request. */
bool list_read_token(struct ctx *c, struct str digest, struct str token, struct row_place *ret_last);
