/* SPDX-License-Identifier: Apache-2.0
 * File operations with the FAULT_FILE point. Errors are ERR_NOT_FOUND, ERR_EXISTS, ERR_IO and ERR_TOO_LARGE;
 * messages contain the path and the system's reason. All may block. */
#pragma once

#include <sys/types.h>

#include "base/ctx.h"

RESULT file_read(struct ctx *c, const char *path, size_t cap_size, struct str *ret_bytes); /* in c's arena */
/* Writes a temporary file in the same directory, syncs it, renames it, and syncs the directory. So the file
 * has either all of the new content or its old one, even after a crash. */
RESULT file_write_synced(struct ctx *c, const char *path, struct str bytes, mode_t mode);
RESULT file_make_directory(struct ctx *c, const char *path,
			   mode_t mode); /* including parents; OK if it exists */
RESULT file_rename_synced(struct ctx *c, const char *from, const char *to);
/* Makes the file's name survive a power failure; its content has to be synced besides. */
RESULT file_sync_parent(struct ctx *c, const char *path);
RESULT file_delete(struct ctx *c, const char *path); /* OK if it is absent */
/* Removes a directory recursively without following links. Reports no errors; what can't be removed
 * remains. */
void file_remove_tree(const char *path);
bool file_exists(const char *path);
RESULT file_size(struct ctx *c, const char *path, int64_t *ret_size);
