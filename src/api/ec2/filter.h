/* SPDX-License-Identifier: Apache-2.0
 * Private to api/ec2/: filters of Describe actions. Each list of rows has a table of filter names;
 * a row of it says which field of the resource's row is compared, or which function finds the values.
 * All on the tables of a view that walks. */
#pragma once

#include "api/ec2/action.h"

struct filter_run;

struct filter {
	const char *name;
	const char *field; /* the row's, of a type that has a text; ids as EC2 writes them */
	const char *fixed; /* the one value that every row has */
	bool (*get)(const struct filter_run *f, const struct row *row); /* true: one of its values fits */
	bool (*in_state)(const struct filter_run *f, unsigned state);   /* of a row's state alone */
	bool is_id;                                                     /* the row's own id */
	unsigned index; /* this index of the kind begins with the field, which is a ref: a way to the rows
			   (path.h) */
};

#define FILTERS(rows)                                                                                        \
	{                                                                                                    \
		(rows), sizeof(rows) / sizeof(rows)[0]                                                       \
	}

/* One filter of a request, ready to be run. */
struct filter_run {
	struct ec2_call *e;
	const struct tables *t;
	enum kind kind;
	const struct filter *filter; /* NULL: a tag filter */
	const struct field *field;
	struct str tag_key; /* of tag:KEY, or what stands behind another name that ends in ':' */
	enum { FILTER_ROW, FILTER_TAG, FILTER_TAG_KEY, FILTER_TAG_VALUE } what;
	struct strs patterns;
	bool is_plain; /* no pattern has a wildcard */
};

struct filter_runs {
	struct filter_run *at;
	size_t count;
};

/* ERR_INVALID "The filter 'x' is invalid"; ERR_TOO_LARGE over 200 values. */
RESULT filters_compile(struct ec2_call *e, enum kind kind, const struct filters *filters,
		       const struct ec2_filters *asked, struct filter_runs *ret_runs);
/* Whether the row fits them all. */
bool filters_fit(const struct filter_runs *runs, const struct tables *t, const struct row *row);

/* For get functions: whether the value fits one of the patterns. */
bool filter_text(const struct filter_run *f, struct str value);
bool filter_z(const struct filter_run *f, const char *value);
bool filter_id(const struct filter_run *f, enum kind kind, uuid id); /* none: no value, fits nothing */
bool filter_prefixed(const struct filter_run *f, const char *prefix, uuid id);
bool filter_int(const struct filter_run *f, int64_t value);
bool filter_bool(const struct filter_run *f, bool value);
bool filter_time(const struct filter_run *f, int64_t time_us);
bool filter_ip(const struct filter_run *f, struct ip ip);
bool filter_zone(const struct filter_run *f, uuid zone);              /* by its name */
bool filter_owner(const struct filter_run *f, const struct row *row); /* the caller's account number */
/* For filters on what no row here has. */
bool filter_nothing(const struct filter_run *f, const struct row *row);
/* The filter `name` of another table, on a row of its kind: an instance by its interfaces. */
bool filter_through(const struct filter_run *f, enum kind kind, const struct filters *filters,
		    struct str name, const struct row *row);

/* The tags of a row; none where its kind has none. */
const struct tags *ec2_tags_of(enum kind kind, const struct row *row);
