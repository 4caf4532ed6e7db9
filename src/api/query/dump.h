/* SPDX-License-Identifier: Apache-2.0
 * Parameter tables as JSON, for `dari dump`, the documentation, and the tests that hold them against
 * published models. Any thread. */
#pragma once

#include "api/core/action.h"
#include "api/query/request.h"
#include "base/buf.h"

/* A JSON string of a literal of ours. */
void params_dump_text(struct buf *out, const char *text);
/* "name": "text", and a comma. */
void params_dump_member(struct buf *out, const char *name, const char *text);
/* One object for each parameter, commas between them: *first until there was one. */
void params_dump(struct buf *out, const struct params *table, bool *first);
/* The members of an action that every face's has; each ends with a comma. */
void params_dump_action(struct buf *out, const struct api_action *a, const char *service);
