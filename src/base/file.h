/* SPDX-License-Identifier: Apache-2.0
 * Files, behind the FAULT_FILE point. Errors are ERR_NOT_FOUND, ERR_EXISTS, ERR_IO and
 * ERR_TOO_LARGE; the words in the context name the path and the system's reason. All of it may
 * block. */
#pragma once

#include <sys/types.h>

#include "base/ctx.h"

RESULT file_read(struct ctx *c, const char *path, size_t cap_size, struct str *ret_bytes); /* in c's arena */
/* Writes a temporary file beside the path, syncs it, renames it, and syncs the directory. So the
 * file has either all of the bytes or its old content, also after a crash. */
RESULT file_write_synced(struct ctx *c, const char *path, struct str bytes, mode_t mode);
RESULT file_make_directory(struct ctx *c, const char *path,
			   mode_t mode); /* with its parents; OK if it exists */
RESULT file_rename_synced(struct ctx *c, const char *from, const char *to);
RESULT file_delete(struct ctx *c, const char *path); /* OK if it is absent */
/* Removes a directory with all that is below it, and follows no link. It reports nothing: what
 * cannot be removed stays. */
void file_remove_tree(const char *path);
bool file_exists(const char *path);
RESULT file_size(struct ctx *c, const char *path, int64_t *ret_size);
