/* SPDX-License-Identifier: Apache-2.0
 * Private to api/ec2/: lists of rows. An ec2_listing describes how rows of a kind are found, filtered and written, for Describe actions and for the
 * answers of Create actions. */
#pragma once

#include "api/ec2/core/filter.h"
#include "api/ec2/core/item_cache.h"

/* Prefetch distance in rows: rows of a long list are scattered in memory. */
enum { ROWS_AHEAD = 8 };

/* Prefetches the parts of an item that will be written next. vec: a vector of rows of that kind. */
#define PREFETCH_ROWS(of_kind, vec)                                                                          \
	for (size_t part_ = 0; part_ < (vec).count; part_++)                                                 \
	row_prefetch(&model_kinds[of_kind], &(vec).at[part_]->row)

/* An item of a listing whose texts are cached. */
struct ec2_item {
	const struct row *row;
	uint64_t commit;                /* newest commit of the row and its parts, tables_whole_commit() */
	struct ec2_cached_item *cached; /* the item's cached text; NULL: not cached */
	const struct attribute_item *gathered; /* members of an item that is not cached */
};

struct ec2_listing {
	enum kind kind;
	const char *set;       /* the container's name: "vpcSet" */
	const char *other_set; /* the container of the items that in_other picks; NULL: one container */
	bool (*in_other)(const void *item);
	struct filters filters;
	bool has_operators;           /* rows of no account are everybody's */
	unsigned other_account_index; /* index that begins with another account that sees the row; 0: none */
	unsigned public_index;        /* index that begins with whether everybody sees the row; 0: none */
	/* Owners in a parameter of the request, as values of is_owner filters; NULL: no such parameter. */
	const struct strs *(*owners)(const void *args);
	/* A condition in addition to engine_may_see() and the filters; NULL: none. */
	bool (*shows)(struct ec2_call *e, const struct row *row);
	bool is_hiding; /* rows that .shows rejects do not exist in EC2: their ids are not found either */
	bool is_slow;   /* the id of a deleted row gives an empty list for a while, and no error */
	/* Collects the data of the row's element into the arena, while the view's tables are held. The item begins with the row's
	 * address; NULL: out of memory. Without this function the item is the row. */
	const void *(*gather)(struct ec2_call *e, const struct row *row);
	/* Writes the members of an item, afterwards. */
	void (*write)(struct ec2_call *e, struct xml *x, const void *item);
	/* Members as rows of a table, instead of gather and write. */
	const struct attributes *attributes;
	/* Kinds whose rows the functions of the attributes read, apart from the caller's owner and domains; KIND_NONE ends them. The
	 * text of an item is cached until the row, its parts or a row of these kinds change. NULL: items are not cached. */
	const enum kind *shared;
	bool shows_ended; /* for a while: engine/tombstone.h */
};

/* The list of the action, or of its items; NULL: neither. */
static inline const struct ec2_listing *ec2_shown_list(const struct ec2_action *action)
{
	return action->list ? action->list : action->items;
}

struct ec2_page {
	const struct row **rows;
	size_t count;
	struct str next_token; /* empty: there are no more */
};

/* Tokens of pages: a position, bound to the request's other parameters. Empty: from the beginning.
 * ERR_INVALID. */
RESULT ec2_parse_token(struct ec2_call *e, struct str token, struct row_place *ret_after);
/* Refuses a token. */
RESULT ec2_fail_token(struct ec2_call *e, struct str token);
struct str ec2_make_token(struct ec2_call *e, struct row_place last);

/* Opens the view and finds the rows asked for, in the order in which they were created. */
RESULT ec2_select(struct ec2_call *e, const struct ec2_listing *list, const struct ec2_query *query,
		  struct ec2_page *ret_page);
/* Items for rows, in the arena; the view's tables are released. */
RESULT ec2_gather(struct ec2_call *e, const struct ec2_listing *list, const struct row *const *rows,
		  size_t count, const void ***ret_items);
/* After the answer: lets go of cached items. */
void ec2_drop_cached(struct ec2_call *e);
/* The whole: the set and the token. */
RESULT ec2_describe(struct ec2_call *e, const struct ec2_listing *list, const struct ec2_query *query,
		    struct xml *x);
/* The row that the action returns (ec2_find_returned), within an element of that name; NULL: no element
 * around. */
RESULT ec2_write_returned(struct ec2_call *e, const struct ec2_listing *list, uuid id, const char *element,
			  struct xml *x);
/* <set><item>…</item>…</set> for items. */
void ec2_write_items(struct ec2_call *e, const struct ec2_listing *list, const void *const *items,
		     size_t count, struct xml *x);
