/* SPDX-License-Identifier: Apache-2.0
 * Paths of requests, and their forms in rows of actions: "/servers/{server_id}/action". Double slashes, and one
 * at the end, are ignored. Pure; any thread. */
#pragma once

#include "api/core/pairs.h"

/* Moves to the next segment that is not empty. */
bool path_next_segment(struct str *path, struct str *ret_segment);
size_t path_count_segments(struct str path);
/* Order of forms with the same number of segments: words before variables, so that "detail" is not read as an id. */
int path_compare_forms(const char *a, const char *b);
enum { PATH_PARTS_MAX = 24 }; /* maximum number of segments of a form */

/* The segments of a request's path. Those beyond PATH_PARTS_MAX are counted only: no form has so many. */
struct path_parts {
	struct str at[PATH_PARTS_MAX];
	size_t count;
};
void path_split(struct str path, struct path_parts *ret_parts);

/* True if the path matches the form; also returns its variables, of which there are at most `max`. A request is compared
 * with a whole table of forms, so the path is split once, and a form is read up to the first letter that differs. */
bool path_fits(const char *form, const struct path_parts *path, bool ignores_case, struct pair *variables,
	       size_t max, size_t *ret_count);

/* Decodes %XX in a segment or in a variable's value; "+" stands for itself in a path. False: malformed, not UTF-8, or no
 * memory. */
bool path_decode(struct arena *a, struct str *segment);
