/* SPDX-License-Identifier: Apache-2.0
 * Private to the lists (select.c, filter.c, plan.c, list.c): compares the names and values of a query with a row. */
#pragma once

#include <jansson.h>

#include "api/core/list.h"
#include "api/openstack/core/list.h"
#include "base/vec.h"

struct os_filtering {
	struct os_call *e;
	const struct os_listing *list;
	VEC(struct os_filter) made;           /* filters of the attributes that the query names */
	bool has_members;                     /* the query has names that may be members' */
	const struct attribute_plan *members; /* planned if has_members; see os_plan_members() */
};

/* Before rows are looked at. ERR_UNKNOWN: a name that the service has not. ERR_INVALID: a value that no row
 * can be held to. */
RESULT os_check_filters(struct os_filtering *f);
/* True if the row matches the query. The caller holds the view's tables. ERR_NO_MEMORY. */
RESULT os_fits(const struct os_filtering *f, const struct row *row, bool *ret_fits);

/* The filter of that name, as of the microversion asked for; NULL: the list has none. */
const struct os_filter *os_find_filter(const struct os_filtering *f, struct str name);
/* Adds a plan for each filter that has an access path: its field's index, or what its row says (list.h).
 * ERR_NO_MEMORY. */
RESULT os_plan_filters(const struct os_filtering *f, struct list *l);

/* Gathers the row's item, which os_write_item() writes; NULL: no memory. plan: that of the listing. */
const void *os_gather_one(struct os_call *e, const struct os_listing *list, const struct attribute_plan *plan,
			  const struct row *row);
/* Plans the answer of a listing with attributes; NULL: the listing has none, or no memory. */
const struct attribute_plan *os_plan_members(struct os_call *e, const struct os_listing *list);
void os_write_item(struct os_call *e, const struct os_listing *list, const void *item, struct json_writer *w);
/* Members of the shown item; the caller releases them. NULL: no memory. */
json_t *os_members_of(struct os_call *e, const struct os_listing *list, const void *item);
/* Field that rows of every kind have: created_at, updated_at or id; NULL: no such name. */
const struct field *os_row_key_of(struct str name);
bool os_is_uuid(uuid id, struct str value);
/* Reads a boolean in a query as the service does; false: not a boolean. To Keystone every word is true that does not mean false. */
bool os_read_truth(const struct os_call *e, struct str value, bool *ret_truth);
