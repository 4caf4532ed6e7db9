/* SPDX-License-Identifier: Apache-2.0
 * Files, behind the FAULT_FILE point. Errors: ERR_NOT_FOUND, ERR_EXISTS, ERR_IO, ERR_TOO_LARGE,
 * with the words in the context: path and errno's text. May block. */
#pragma once

#include <sys/types.h>

#include "base/ctx.h"

RESULT file_read(struct ctx *c, const char *path, size_t cap_size, struct str *ret_bytes); /* in c's arena */
/* Write to a temporary beside it, fsync, rename, fsync the directory: all or nothing. */
RESULT file_write_synced(struct ctx *c, const char *path, struct str bytes, mode_t mode);
RESULT file_make_directory(struct ctx *c, const char *path, mode_t mode); /* with parents; exists: OK */
RESULT file_rename_synced(struct ctx *c, const char *from, const char *to);
RESULT file_delete(struct ctx *c, const char *path); /* absent: OK */
/* With all below it, following no link; as far as it can: what is left is told by nobody. */
void file_remove_tree(const char *path);
bool file_exists(const char *path);
RESULT file_size(struct ctx *c, const char *path, int64_t *ret_size);
