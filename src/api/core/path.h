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
/* Whether the path is of that form, which has as many segments; its variables then, max of them at most. */
bool path_fits(struct str form, struct str path, bool ignores_case, struct pair *variables, size_t max,
	       size_t *ret_count);
