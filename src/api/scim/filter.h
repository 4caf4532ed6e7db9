/* SPDX-License-Identifier: Apache-2.0
 * Filters (RFC 7644 3.4.2.2) and the paths of patches (3.5.2). A filter is parsed into a tree in the arena, within limits of
 * length, depth and terms, because strangers to the region write the texts. Any thread. */
#pragma once

#include <jansson.h>

#include "api/scim/schema.h"
#include "base/ctx.h"

enum {
	SCIM_FILTER_SIZE_MAX = 4096,
	SCIM_FILTER_DEPTH_MAX = 16,
	SCIM_FILTER_TERMS_MAX = 64,
	SCIM_PATH_TERMS_MAX =
		16, /* compared with each value, in each operation of a patch, on an HTTP thread */
};

enum scim_operator {
	SCIM_EQ,
	SCIM_NE,
	SCIM_CO,
	SCIM_SW,
	SCIM_EW,
	SCIM_GT,
	SCIM_GE,
	SCIM_LT,
	SCIM_LE,
	SCIM_PR,  /* the attribute has a value */
	SCIM_HAS, /* place[left] */
	SCIM_AND,
	SCIM_OR,
	SCIM_NOT,
};

enum scim_literal { SCIM_IS_TEXT, SCIM_IS_TRUE, SCIM_IS_FALSE, SCIM_IS_NULL };

struct scim_filter {
	enum scim_operator op;
	const struct scim_filter *left, *right; /* of AND and OR; left: of NOT and HAS, too */
	struct scim_place place;
	enum scim_literal literal;
	struct str text;
	int64_t time_us; /* the literal, if the attribute is a time */
};

/* ERR_INVALID with the field "filter": malformed, an unknown attribute, an operator that the attribute's type lacks, or over a
 * limit. */
RESULT scim_parse_filter(struct ctx *c, const struct scim_type *type, struct str text,
			 const struct scim_filter **ret_filter);

/* The path of a patch: "emails[type eq \"work\"].value". */
struct scim_path {
	struct scim_place place;
	const struct scim_filter *filter; /* selects values of the attribute; NULL: none */
};
/* ERR_INVALID with the field "path", or "filter" for what is between the brackets. */
RESULT scim_parse_path(struct ctx *c, const struct scim_type *type, struct str text,
		       struct scim_path *ret_path);

/* The value of a place's attribute, without its sub: a new reference; NULL: it has no value. */
typedef json_t *(*scim_read_value)(void *arg, const struct scim_place *place);
bool scim_matches(const struct scim_filter *f, scim_read_value read, void *arg);
/* The same for one value of a list: `value` is the object that sub-attributes are read from. */
bool scim_matches_value(const struct scim_filter *f, const json_t *value);
