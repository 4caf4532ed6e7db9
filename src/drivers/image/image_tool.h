/* SPDX-License-Identifier: Apache-2.0
 * Runs programs on disk files: qemu-img, cp. Blocks: never use it on an HTTP thread or the committer. */
#pragma once

#include "base/buf.h"
#include "base/ctx.h"
#include "model/disk_key.h"

/* Limits of time, memory and file size. */
struct image_tool_limits {
	int64_t timeout_s; /* also of CPU time */
	size_t memory_size;
	int64_t file_size; /* of each written file; 0: none. ERR_TOO_LARGE when exceeded */
};
extern const struct image_tool_limits IMAGE_TOOL_LONG; /* for processing a whole disk */

struct image_tool {
	const char *const *argv;    /* NULL-terminated */
	const struct disk_key *key; /* passed on standard input; NULL: none */
	struct image_tool_limits limits;
	enum err failure;      /* when it exits with failure */
	const char *complaint; /* first part of the message, before its output */
};
/* ret_output: in the context's arena. ERR_AGAIN: timing a key derivation failed, and nothing was created;
 * otherwise errors of child_run() and the tool's own. */
RESULT image_tool_run(struct ctx *c, const struct image_tool *tool, struct str *ret_output);

/* Runs a tool that creates the file `to`, limited by the free space. ERR_CAPACITY: exceeded. */
RESULT image_tool_write(struct ctx *c, const struct image_tool *tool, const char *to);
/* Turns such a run's ERR_TOO_LARGE into ERR_CAPACITY, with the message of base/disk_room.h. */
RESULT image_tool_blame_room(struct ctx *c, const struct image_tool_limits *limits, struct result result);

/* Writes one qcow2 file of a chain for qemu-img's --image-opts; the secret is named key. prefix: begins
 * the option names, such as "backing."; empty: for the first file. */
void image_tool_write_file(struct buf *b, const char *prefix, struct str path, bool is_encrypted);
/* Writes a path as the value of such an option, where a comma must be doubled. */
void image_tool_write_path(struct buf *b, struct str path);
