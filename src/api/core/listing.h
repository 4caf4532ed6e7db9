/* SPDX-License-Identifier: Apache-2.0
 * Lists of the rows of one kind, described by tables: the filters are the action's parameters with .fits, and the
 * members of an object are rows of members.h. The face provides only the protocol's names and messages. New faces
 * use this header. */
#pragma once

#include "api/core/list.h"
#include "api/core/members.h"

struct api_listing {
	enum kind kind;
	size_t whole; /* offset of the field that names the whole whose part a row is, for .matches; 0: none */
	size_t name;  /* offset of the rows' name, a struct str; 0: they have none */
	const char *item; /* the answer's member that holds them: "zone" */
	/* Name of a row; NULL: the field at .name. */
	struct str (*get_name)(struct api_call *e, const struct row *row);
	bool is_by_name; /* ordered by name, else by creation */
	/* An index that begins with whether everybody sees the row; the operator's rows are listed, too. 0: only the account's
	 * own rows are. */
	unsigned public_index;
	/* True if the caller sees a live row; NULL: engine_may_see() decides. */
	bool (*sees)(struct api_call *e, const struct row *row);
	/* Adds rows of other accounts for which .sees is true. The filters apply to them, too. NULL: there are none. */
	RESULT (*add)(struct api_call *e, struct rows *ret_rows);
	bool is_all; /* examines the rows of all accounts: .sees and .matches choose */
	/* Filters that no parameter's row can express; NULL: there are none. */
	bool (*matches)(struct api_call *e, const void *args, const struct row *row);
	struct members members;
};

/* Parameters of a list besides the action's own filters. Empty members restrict nothing. */
struct api_list_wish {
	struct ref id;            /* this row alone, which must exist even if the filters exclude it */
	struct str name, keyword; /* the whole name, a part of it; letter case does not matter */
	struct tags tags;         /* tags of the row, given by its owner or by the caller */
	bool is_of_all;           /* all rows that the caller may see, not only those of the account */
	uuid domain;              /* rows of accounts in this domain; none: in any */
	bool with_below;          /* and in the domains below it */
	size_t offset, limit;     /* page; limit 0: all rows */
};

/* The rows that the caller sees and the filters accept, in order. ERR_INVALID with the field "id" (FAULT_ID): the caller sees no
 * row of the wish's id. */
RESULT api_list_rows(struct api_call *e, const struct api_list_wish *wish, struct query_page *ret_page);
/* Writes a list with an object for each row of the wish's page. */
void api_list_write(struct api_call *e, struct json_writer *w, members_write_time write_time,
		    const struct api_list_wish *wish, const struct query_page *page);
