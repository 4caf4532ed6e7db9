/* SPDX-License-Identifier: Apache-2.0
 * Private to api/openstack/: lists of rows. An os_listing describes how rows of a kind are found, filtered, ordered and written; actions that show a single row use the same
 * listing. Queries may have, as the services document: limit, marker, sort_key and sort_dir (also sort=key:dir,…), page_reverse, and
 * the listing's filters; a filter given twice matches any of its values. Keystone also
 * accepts each plain member of a row as a filter, Neutron those members that the listing names. Other names: core/unknown.h. In
 * Neutron, fields= chooses the members of lists and of single rows. */
#pragma once

#include "api/core/attribute.h"
#include "api/openstack/core/action.h"

struct os_filters;
struct os_namer;
struct os_filter {
	const char *name;  /* in the query */
	const char *field; /* the row's that is compared; NULL: see below */
	bool is_id;        /* the row's own id */
	bool is_time;      /* created_at or updated_at: "gt:2024-01-02T03:04:05Z", several by commas */
	bool is_truth;     /* a boolean; ERR_INVALID for another value */
	int since;         /* the microversion that has it; 0: the first */
	bool is_pattern;   /* a regular expression, searched for in the field's text */
	bool is_admins;    /* ignored unless the caller is an administrator */
	bool has_lists;    /* "in:a,b" is a or b */
	bool needs_all;    /* all of several values must match */
	bool (*fits)(struct os_call *e, const struct row *row, struct str value);
	/* Access paths, besides an index of the field. All of them together find every row that fits, and may
	 * find more: the filter itself is still applied. */
	struct access_path access_paths[ACCESS_PATHS_MAX];
	bool is_name;     /* the name that the row is shown with */
	const char *made; /* names that begin so are made of the row, and no index leads there; NULL: none */
	const struct os_namer *namer;                      /* rows that lend it theirs; NULL: none do */
	bool is_device;                                    /* a text for the device that the row is of */
	enum { OS_NO_TAGS, OS_ALL_TAGS, OS_ANY_TAG } tags; /* words for tags, with commas between them */
	struct attribute_found found;   /* the attribute to compare; none: compare as above */
	const struct os_filters *parts; /* "name=value": as the filter of that name here */
};

struct os_filters {
	const struct os_filter *at;
	size_t count;
};

/* Rows of another kind from which the listed rows have their names. */
struct os_namer {
	enum kind kind;
	struct query_join join;
};

#define OS_FILTERS(rows)                                                                                     \
	{                                                                                                    \
		(rows), sizeof(rows) / sizeof(rows)[0]                                                       \
	}

/* Sort key besides created_at, updated_at and id: a field, or a value computed from the row as answers show it. */
struct os_sort_key {
	const char *name, *field;
	struct str (*text)(struct os_call *e, const struct row *row);
	int64_t (*number)(struct os_call *e, const struct row *row);
};

struct os_sort_keys {
	const struct os_sort_key *at;
	size_t count;
};

enum os_listing_flag {
	OS_ADMIN_SEES_ALL = 1 << 0, /* every account's rows, without asking */
	OS_ALL_PROJECTS = 1 << 1,   /* by `all_tenants` or `all_projects`, for admins */
	OS_NEWEST_FIRST = 1 << 2,   /* when the query does not say how; else the oldest */
	OS_ALL_SEE_ALL = 1 << 3,    /* also rows of no account, and of others that the caller may see */
	OS_BY_OFFSET = 1 << 4,      /* pages begin by an `offset`, too */
	OS_OWN_TO_OTHERS = 1 << 5,  /* a request for all rows by no administrator returns the caller's own */
	OS_COUNTS = 1 << 6,         /* `with_count` adds how many rows there are on all pages */
};
enum { OS_COUNTS_SINCE = 45 };

struct os_added {
	uuid only; /* the only row that is wanted; none: all */
	VEC(const struct row *) rows;
};

/* True if the row with that id is wanted. */
static inline bool os_wants(const struct os_added *added, uuid id)
{
	return uuid_is_none(added->only) || uuid_equal(added->only, id);
}

struct os_listing {
	enum kind kind;
	const char *items;   /* the answer's member: "servers" */
	const char *links;   /* member with the next page's link: "servers_links"; NULL: another form */
	const char *others;  /* names that queries may have beside filters and pages: "a|b"; NULL: none */
	const char *marker;  /* the text that a page's marker names rows by; NULL: their id */
	const char *members; /* plain members of rows that a query may name, too: "a|b"; NULL: none */
	int unknown_since; /* the microversion that refuses names that nothing reads; -1: all; 0: the service's */
	const char *passes; /* source that proves that the service ignores those here; NULL: it does not */
	struct os_filters filters;
	struct os_sort_keys sort_keys;
	const char *sort; /* the sort key of queries that name none; NULL: created_at */
	unsigned flags;
	unsigned public_index; /* index that begins with whether everybody sees the row; 0: none */
	/* A term of further rows that this query is about (struct list); NULL: none. */
	uint64_t (*other_term)(const struct os_call *e);
	int pages_since;  /* the microversion that has pages; 0: the first */
	int64_t page_max; /* rows of an answer, also of one to a query without a limit; 0: all. With
				   neither this nor links there are no pages, and limits say nothing */
	/* Adds what is shown as rows of the kind and has none of it, made in the arena (os_wants()); NULL:
	 * nothing. Filters, order and pages go for it as for the others. While the view's tables are held. */
	RESULT (*add)(struct os_call *e, struct os_added *ret_rows);
	/* More than engine_may_see() and the filters ask for; NULL: nothing. */
	bool (*shows)(struct os_call *e, const struct row *row);
	/* While the view's tables are held: collects what the row's object needs into the arena; NULL when that is full.
	 * Without it the item is the row. */
	const void *(*gather)(struct os_call *e, const struct row *row);
	/* Afterwards: the members of an item's object. */
	void (*write)(struct os_call *e, struct json_writer *w, const void *item);
	/* Rows of the members, instead of gather and write; with `write` only filters and sort keys, which add to those above. */
	const struct attributes *attributes;
	size_t shown_count; /* number of attributes, from the first, that answers show; 0: all */
};

static inline bool os_shows_attributes(const struct os_listing *list)
{
	return list->attributes && !list->write;
}

/* Attributes that answers of the listing show. */
static inline struct attributes os_shown_members(const struct os_listing *list)
{
	size_t all = list->attributes->count;
	return (struct attributes){list->attributes->at, list->shown_count ? list->shown_count : all};
}

/* The member "name", which may come from the tag Name. Its sort keys order by the field. */
#define OS_NAME(T, field, ...)                                                                               \
	ATTRIBUTE(T, "name", field, .get.text = os_get_name, .flags = ATTRIBUTE_IS_NAME, .filter = "name",   \
		  __VA_ARGS__)
struct str os_get_name(struct api_call *e, const struct row *row);
/* Writes the names of the listing's filters as texts of a list. */
void os_write_filter_names(struct json_writer *w, const struct os_listing *list);

/* Formats of ids and times in answers of the services. */
extern const struct attribute_style os_style;

/* Makes the filter of the listing's attribute that has this filter name in this version. False: there is none. */
bool os_make_filter(const struct os_listing *list, struct str name, int version,
		    struct os_filter *ret_filter);

struct os_page {
	const struct row **rows;
	size_t count;
	size_t limit; /* rows that the page might have; INT64_MAX or more: all */
	bool has_more, has_before;
	bool is_reverse;                 /* the query has page_reverse */
	struct str marker, first_marker; /* markers of the last and the first row */
};

/* Opens the view and finds the rows of the page, in order. ERR_INVALID: limit, marker, sort key. */
RESULT os_select(struct os_call *e, const struct os_listing *list, struct os_page *ret_page);
/* Items for rows, in the arena; the view's tables are released. */
RESULT os_gather(struct os_call *e, const struct os_listing *list, const struct os_page *page,
		 const void ***ret_items);
/* Writes the whole answer: the list and the links. */
RESULT os_list(struct os_call *e, const struct os_listing *list, struct json_writer *w);
/* Finds the rows of all pages, in no order. */
RESULT os_select_all(struct os_call *e, const struct os_listing *list, struct os_page *ret_page);
/* False if the request's fields=, of Neutron or Octavia, leaves the member out. */
bool os_shows_member(const struct os_call *e, const char *member);
/* The query of the next page, "limit=2&marker=…"; empty: there is none. */
struct str os_next_query(struct os_call *e, const struct os_page *page);

/* The members of a row of the call's view, or of one that the caller made. */
RESULT os_write_row(struct os_call *e, const struct os_listing *list, const struct row *row,
		    struct json_writer *w);
/* The members of the row that the action returns (os_find_returned). */
RESULT os_write_returned(struct os_call *e, const struct os_listing *list, uuid id, struct json_writer *w);
/* The members of the row that the ref names, if the caller may see it and the listing shows it. */
RESULT os_write_found(struct os_call *e, const struct os_listing *list, const struct ref *ref,
		      struct json_writer *w);

/* The row that the action shows (OS_SHOWS). */
RESULT os_write_shown(struct os_call *e, const void *args, struct json_writer *w);

/* True if the query's value equals the row's field. */
bool os_field_is(const struct os_call *e, const struct field *field, const struct row *row, struct str value);
/* True if the query's value, as the service reads booleans, equals `truth`. */
bool os_is_truth(const struct os_call *e, bool truth, struct str value);
/* True if the regular expression matches somewhere in the text; an invalid expression matches nothing. Each expression is compiled once per
 * call. */
bool os_pattern_fits(struct os_call *e, struct str pattern, struct str text);
bool os_is_pattern(struct os_call *e, struct str pattern);
