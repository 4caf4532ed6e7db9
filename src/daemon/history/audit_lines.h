/* SPDX-License-Identifier: Apache-2.0
 * Records of the audit log as JSON objects: what `dari log audit --format json` prints, and an archive has line by line. */
#pragma once

#include <jansson.h>

#include "store/prune.h"

/* NULL: out of memory. */
json_t *audit_line_make(struct arena *arena, const struct audit_record *a);
/* Reads a file of such lines, in their order. ERR_INVALID: a line is none. A failure of each() ends it and is returned.
 * Texts are valid during the call. */
RESULT audit_lines_read(struct ctx *c, const char *path, audit_each each, void *arg);
