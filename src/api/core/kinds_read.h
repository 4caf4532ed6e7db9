/* SPDX-License-Identifier: Apache-2.0
 * Kinds of rows that a caller may read, for answers with several kinds at once, such as lists of events. */
#pragma once

#include "api/core/face.h"
#include "auth/guard/guard.h"

/* The kinds whose read permission (model/shown.h) the caller's roles and policies give, as an event_query has them. Only
 * administrators read of a kind that has none, as the action's own permission decides. Call it without an open view.
 * ERR_NO_MEMORY. */
RESULT api_list_kinds_read(struct api_call *e, enum guard_words words, bool is_admin, struct str *ret_kinds);
