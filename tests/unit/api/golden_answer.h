/* SPDX-License-Identifier: Apache-2.0
 * Formats answers for golden files: whole, or only the members named by the case. */
#pragma once

#include "script.h"

/* The whole answer: the status first, before a JSON body a line of the headers that the face has set, then
 * the body. What fits in a line stands on one, else each of its members does. The text of the elements in the
 * script's masks is shown as "*". */
struct str golden_show_whole(struct arena *a, const struct script *s, const struct world_answer *answer);

/* The status, and a line "path = value" for each leaf in or below the members that the script's @only names.
 * A path leaves out the root and the "item" or "member" of an XML list, whose place stands in brackets.
 * *ret_absent: the first name that no member has; empty when each has one. */
struct str golden_show_only(struct arena *a, const struct script *s, const struct world_answer *answer,
			    struct str *ret_absent);
