/* SPDX-License-Identifier: Apache-2.0
 * Paths of requests, and the forms of them that rows of calls have: "/servers/{server_id}/action". Slashes may stand
 * twice, and at the end. Pure; any thread. */
#pragma once

#include "api/core/pairs.h"

/* The next segment that is not empty. */
bool path_next_segment(struct str *path, struct str *ret_segment);
size_t path_count_segments(struct str path);
/* For a sorted table of forms of as many segments: words go before variables, so that "detail" is no server's id. */
int path_compare_forms(const char *a, const char *b);
enum { PATH_PARTS_MAX = 24 }; /* a form's segments at most */

/* The segments of a request's path. Those beyond PATH_PARTS_MAX are counted only: no form has so many. */
struct path_parts {
	struct str at[PATH_PARTS_MAX];
	size_t count;
};
void path_split(struct str path, struct path_parts *ret_parts);

/* Whether the path is of that form; its variables then, max of them at most. A table of forms is searched for each request, so
 * the path is split once, and a form is read up to the first letter that differs. */
bool path_fits(const char *form, const struct path_parts *path, bool ignores_case, struct pair *variables,
	       size_t max, size_t *ret_count);

/* Decodes %XX in a segment or a variable's value; "+" is itself in a path. False: malformed, not UTF-8, or no memory. */
bool path_decode(struct arena *a, struct str *segment);
