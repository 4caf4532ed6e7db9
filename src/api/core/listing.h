/* SPDX-License-Identifier: Apache-2.0
 * Actions that list the rows of one kind, where everything but the protocol's words is a table: the filters are the
 * action's parameters with .fits, and an object's members are rows of members.h. A new face's lists are these. */
#pragma once

#include "api/core/list.h"
#include "api/core/members.h"

struct api_listing {
	enum kind kind;
	size_t name;      /* offset of the rows' name, a struct str; 0: they have none */
	const char *item; /* the answer's member that holds them: "zone" */
	/* What a row is called; NULL: .name says it. */
	struct str (*get_name)(struct api_call *e, const struct row *row);
	bool is_by_name; /* their order, else that in which they were created */
	/* An index that begins with whether everybody sees the row; the operator's are listed, too. 0: the account's own alone
	 * are. */
	unsigned public_index;
	/* Whether the caller sees a live row; NULL: as engine_may_see() says. */
	bool (*sees)(struct api_call *e, const struct row *row);
	/* Rows of other accounts for the list: their .sees is true. The filters apply to them, too. NULL: there are none. */
	RESULT (*add)(struct api_call *e, struct rows *ret_rows);
	bool is_all; /* every row is looked at: whose they are, .sees and .matches say */
	/* Filters that no parameter's row can say; NULL: there are none. */
	bool (*matches)(struct api_call *e, const void *args, const struct row *row);
	struct members members;
};

/* What lists are asked for besides the action's own filters. Empty: nothing. */
struct api_list_wish {
	struct ref id;            /* only this row, which must be there whatever the filters say */
	struct str name, keyword; /* the whole name, a part of it; in any case */
	struct tags tags;         /* that the row has, as its owner or the caller gave them */
	bool is_of_all;           /* all that the caller may see, not the account's own alone */
	uuid domain;              /* of accounts in this domain alone; none: in any */
	bool with_below;          /* and of the domains below that one */
	size_t offset, limit;     /* of the rows; 0: all */
};

/* The rows that the caller sees and the filters accept, in order. ERR_INVALID with the field "id" (FAULT_ID): the caller sees no
 * row of the wish's id. */
RESULT api_list_rows(struct api_call *e, const struct api_list_wish *wish, struct query_page *ret_page);
/* An object for each of the rows of the wish's page, in a list. */
void api_list_write(struct api_call *e, struct json_writer *w, members_write_time write_time,
		    const struct api_list_wish *wish, const struct query_page *page);
