/* SPDX-License-Identifier: Apache-2.0
 * Private to api/ec2/: filters of Describe actions. Each list of rows has a table of filter names; a row of the table names the field to compare, or the function that finds the
 * values. All functions read the tables of an open view. */
#pragma once

#include "api/core/attribute.h"
#include "api/ec2/core/action.h"

struct filter_run;
struct filter_join;

struct filter {
	const char *name;
	const char *field; /* field of the row, of a type with a text form; ids in EC2's form */
	const char *fixed; /* the only value, which every row has */
	bool (*get)(const struct filter_run *f,
		    const struct row *row); /* true: one of the row's values matches */
	bool (*in_state)(const struct filter_run *f, unsigned state); /* compares only the row's state */
	bool is_id;                                                   /* the row's own id */
	bool is_owner; /* values are owners as get reads them: "self", "amazon", account numbers */
	enum kind
		id_of; /* EC2 refuses values that are no ids of that kind; KIND_NONE: any text is accepted */
	/* Access paths. An access path finds all matching rows, and may find more: the filter itself is still applied. */
	unsigned index;                                    /* index of the listed kind by the field */
	struct access_path access_paths[ACCESS_PATHS_MAX]; /* all of them together */
	const struct filter_join *joined; /* rows of another kind that have a filter joined_filter */
	const char *joined_filter;
	struct attribute_found found; /* attribute of the filter; none: a row of the other table */
};

/* Rows of another kind with filters of their own, from which a join leads to the listed rows. */
struct filter_join {
	enum kind kind; /* an account sees its own only */
	const struct filters *filters;
	struct query_join join;
};

#define FILTERS(rows)                                                                                        \
	{                                                                                                    \
		(rows), sizeof(rows) / sizeof(rows)[0]                                                       \
	}

/* Filters that come from rows of attributes only. */
#define FILTERS_OF(table)                                                                                    \
	{                                                                                                    \
		.attributes = &(table)                                                                       \
	}

/* Filters from rows of attributes, and further filters. */
#define FILTERS_AND(rows, table)                                                                             \
	{                                                                                                    \
		(rows), sizeof(rows) / sizeof(rows)[0], &(table)                                             \
	}
/* The caller's account number. */
#define EC2_OWNER(wire, ...) ATTRIBUTE_CALL(ec2_call, wire, owner, __VA_ARGS__)
/* A list that is always empty. */
#define EC2_EMPTY_SET(wire)                                                                                  \
	ATTRIBUTE_ROWS(wire, ec2_no_members, attribute_list_nothing, .flags = ATTRIBUTE_EMPTY_NONE)
extern const struct attributes ec2_no_members;
/* The region's name. */
struct str ec2_get_region(struct api_call *e, const struct row *row);
#define EC2_REGION(wire, ...) ATTRIBUTE_MADE(TEXT, text, wire, ec2_get_region, __VA_ARGS__)

/* EC2's formats of ids, times and lists. */
extern const struct attribute_style ec2_style;

/* A compiled filter of a request. */
struct filter_run {
	struct ec2_call *e;
	const struct tables *t;
	enum kind kind;
	const struct filter *filter; /* NULL: a tag filter */
	const struct field *field;
	struct str tag_key; /* KEY of tag:KEY, or the text after another name that ends in ':' */
	enum { FILTER_ROW, FILTER_TAG, FILTER_TAG_KEY, FILTER_TAG_VALUE } what;
	struct strs patterns;
	bool is_plain; /* no pattern has a wildcard */
};

struct filter_runs {
	struct filter_run *at;
	size_t count;
};

/* ERR_INVALID "The filter 'x' is invalid"; ERR_MALFORMED with the kind of id_of; ERR_TOO_LARGE over 200 values. */
RESULT filters_compile(struct ec2_call *e, enum kind kind, const struct filters *filters,
		       const struct ec2_filters *asked, struct filter_runs *ret_runs);
/* Offset that the first filter reads a row at; 0: no filter. A query prefetches that part alone, because most rows of a
 * filtered list do not match. */
size_t filters_read_offset(const struct filter_runs *runs);
/* True if the row matches all filters. */
bool filters_fit(const struct filter_runs *runs, const struct tables *t, const struct row *row);

/* Finds the filter at that position, counted through both tables; false: no such position. */
bool filters_get(const struct filters *filters, size_t at, struct filter *ret_filter);

/* True if the value matches one of the patterns; used by get functions. */
bool filter_text(const struct filter_run *f, struct str value);
bool filter_z(const struct filter_run *f, const char *value);
bool filter_id(const struct filter_run *f, enum kind kind, uuid id); /* none: no value, matches nothing */
bool filter_int(const struct filter_run *f, int64_t value);
bool filter_bool(const struct filter_run *f, bool value);
bool filter_time(const struct filter_run *f, int64_t time_us);
bool filter_owner(const struct filter_run *f, const struct row *row); /* the caller's account number */
/* Matches nothing; used by filters on attributes that no row here has. */
bool filter_nothing(const struct filter_run *f, const struct row *row);
/* Finds the filter of that name in another kind's table; false: no such filter. */
bool filter_become(const struct filter_run *f, enum kind kind, const struct filters *filters,
		   const char *name, struct filter_run *ret_run);
/* The caller's tags of a row; empty if the caller has not tagged the row. */
const struct tags *ec2_tags_of(const struct ec2_call *e, enum kind kind, const struct row *row);
