/* SPDX-License-Identifier: Apache-2.0
 * Searches in JSON: {"and": [{"=": {"name": "web"}}, {"!=": {"state": "ok"}}]}. Values are compared as texts, which is right for
 * ids, names and times. Pure but for the callback. */
#pragma once

#include <jansson.h>

#include "base/ctx.h"

enum {
	JSON_SEARCH_MAX = 4096,   /* characters of a search */
	JSON_SEARCH_DEPTH = 8,    /* operators within each other */
	JSON_SEARCH_VALUES = 100, /* of a list */
	JSON_SEARCH_COMPARISONS = 16,
	JSON_SEARCH_LIKE = 64 /* bytes of a pattern */
};

struct json_search {
	/* Reads an attribute; {NULL, 0}: null. subject NULL: only whether there is such an attribute. False: there is none. */
	bool (*read)(void *arg, const void *subject, struct str name, struct str *ret_value);
	void *arg;
};

/* Parses and checks a search; *ret_query is the caller's. ERR_INVALID. */
RESULT json_search_read(struct ctx *c, struct str text, const struct json_search *search, json_t **ret_query);
/* ERR_INVALID: it is no search, or names an unknown attribute. */
RESULT json_search_check(struct ctx *c, const json_t *query, const struct json_search *search);
/* True if a checked search matches the subject; {} matches everything. */
bool json_search_fits(struct ctx *c, const json_t *query, const struct json_search *search,
		      const void *subject);
