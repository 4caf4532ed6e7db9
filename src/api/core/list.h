/* SPDX-License-Identifier: Apache-2.0
 * Turns the values of filters into plans of a query (store/query.h), and makes the tokens of pages, for all
 * faces. Spelling of filters, pages and tokens, comparison of values, and errors are left to the face.
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

/* The way from the values of a filter to rows; part of a face's const filter rows. */
enum { ACCESS_PATHS_MAX = 5, ACCESS_JOINS_MAX = QUERY_JOINS_MAX - 1 };
struct access_path {
	enum kind kind; /* kind of the rows that a value names; KIND_NONE: there is no path */
	unsigned
		index; /* its first field, or the second after an account, is the value; 0: the value is an id */
	const char *prefix; /* prefix of the ids, if another than the kind's: "eipassoc" */
	struct query_join
		joins[ACCESS_JOINS_MAX]; /* from those rows to the listed ones; KIND_NONE ends them */
};

/* Result of reading a value into a key. */
enum list_reading {
	LIST_READ,
	LIST_READ_ABSENT, /* a valid value that no row has */
	LIST_READ_OTHER,  /* no value of the field: only the face's comparison knows its meaning */
};

/* A face's spelling of values. */
struct list_spelling {
	/* Reads an id of that kind, or one with the prefix if that is given; false: the value is no such id. */
	bool (*read_id)(struct str value, enum kind kind, const char *prefix, struct ref *ret_ref);
	/* Reads a value whose spelling differs from the text of the field's type into a key.
	 * LIST_READ_OTHER: the usual spelling applies. NULL: it applies to all fields. */
	enum list_reading (*read)(const struct tables *t, const struct field *field, struct str value,
				  void *ret_at);
};

/* A list that is being planned. The indexes are those of the query's kind. */
struct list {
	struct query *query;
	const struct list_spelling *spelling;
	uuid owners[2];     /* owners of the listed rows: the caller, and perhaps the operator (no account) */
	size_t owner_count; /* 0: the rows of all owners are listed */
	unsigned account_index; /* list_account_index() */
	/* Index that begins with another account that sees the row; 0: there is none. */
	unsigned other_account_index;
	/* Index that begins with whether everybody sees the row; the accounts that a row is shared with are
	 * terms of launchers. 0: only the owner sees it. */
	unsigned public_index;
	uint64_t
		other_term; /* with public_index: term of further rows that the caller sees; 0: there are none */
};

struct list_plan {
	struct list *list;
	struct query_plan *plan;
	enum kind kind;                /* kind of the rows that have the filter's field */
	const struct query_join *join; /* from those to the listed rows; NULL: they are the listed rows */
	bool is_of_owners; /* it reaches only the owners' rows; list_end_plan() adds those of others */
};

/* Begins a plan, which becomes part of the query in list_end_plan(). kind, join: see struct list_plan. */
RESULT list_begin_plan(struct list *l, enum kind kind, const struct query_join *join,
		       struct list_plan *ret_plan);
/* Adds the rows that the values lead to. is_compared: the filter compares a field, so that no row matches an impossible
 * value. *ret_is_plan false: only the face's comparison knows the rows, and the caller drops the plan. */
RESULT list_add_values(struct list_plan *p, const struct access_path *path, struct strs values,
		       bool is_compared, bool *ret_is_plan);
/* Adds the rows that the row of that id leads to: the path's index begins with the id. */
RESULT list_add_id(struct list_plan *p, const struct access_path *path, uuid id);
/* Adds the account's rows whose text, the index's second field, begins with the prefix. */
RESULT list_add_prefix(struct list_plan *p, unsigned index, uuid account, struct str prefix);
/* Adds the rows of an account, by account_index. */
RESULT list_add_account(struct list_plan *p, uuid account);
/* Add the rows with a term (model/term.h), and the owners' rows in a state or in one of the security groups. */
RESULT list_add_term(struct list_plan *p, uint64_t term);
RESULT list_add_state(struct list_plan *p, unsigned state);
RESULT list_add_groups(struct list_plan *p, struct strs groups);
/* Hands the plan to the query. */
RESULT list_end_plan(struct list_plan *p);
/* Adds the plan of every row that the caller may see; each list ends with it. */
RESULT list_plan_all(struct list *l);
/* The index of the kind that begins with the account and has the fewest other fields; 0: there is none. */
unsigned list_account_index(enum kind kind);
/* The index of the listed kind for list_add_values() of the field; 0: there is none. */
unsigned list_find_index(const struct list *l, const struct field *field);

/* ---- pages ---- */

/* A token names the place of the page's last row. It is bound to the request's other parameters by their digest. Empty:
 * there is no digest, or no memory. */
struct str list_make_token(struct ctx *c, struct str digest, struct row_place last);
/* False: it is no token of this very request. */
bool list_read_token(struct ctx *c, struct str digest, struct str token, struct row_place *ret_last);
