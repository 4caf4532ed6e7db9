/* SPDX-License-Identifier: Apache-2.0
 * Audit records as JSON objects, for `dari log audit --format json` and archives. */
#pragma once

#include <jansson.h>

#include "store/prune.h"

/* NULL: out of memory. */
json_t *audit_line_make(struct arena *arena, const struct audit_record *a);
/* Reads a file of such lines in order. ERR_INVALID: invalid line. An error of each() ends reading and is
 * returned. Texts are valid during the call. */
RESULT audit_lines_read(struct ctx *c, const char *path, audit_each each, void *arg);
