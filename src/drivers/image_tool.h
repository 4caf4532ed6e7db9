/* SPDX-License-Identifier: Apache-2.0
 * Running a program on files of disks: qemu-img, cp. Blocks: never on an HTTP thread or the committer. */
#pragma once

#include "base/buf.h"
#include "base/ctx.h"
#include "model/disk_key.h"

/* How long it may take, and how large it may grow. */
struct image_tool_limits {
	int64_t timeout_s; /* of processor time, too */
	size_t memory_size;
	int64_t file_size; /* of each file that it writes; 0: no limit. ERR_TOO_LARGE where it would pass that */
};
extern const struct image_tool_limits IMAGE_TOOL_LONG; /* what goes through a whole disk */

struct image_tool {
	const char *const *argv;    /* ended by NULL */
	const struct disk_key *key; /* passed to its standard input; NULL: nothing is */
	struct image_tool_limits limits;
	enum err failure;      /* when it says that it failed */
	const char *complaint; /* what that means, before its own words */
};
/* ret_output: in the context's arena. ERR_AGAIN: a key's derivation could not be measured, and nothing was
 * made; else as child_run() and the tool's own. */
RESULT image_tool_run(struct ctx *c, const struct image_tool *tool, struct str *ret_output);

/* Runs a tool that writes the file `to`, which is not there yet, with the room that is left as its limit.
 * ERR_CAPACITY: it would pass that. */
RESULT image_tool_write(struct ctx *c, const struct image_tool *tool, const char *to);
/* Turns ERR_TOO_LARGE of such a run into ERR_CAPACITY, in the words of base/disk_room.h. */
RESULT image_tool_blame_room(struct ctx *c, const struct image_tool_limits *limits, struct result result);

/* One of a chain's qcow2 files, as qemu-img's --image-opts has it; the secret is called key. prefix: of the options' names,
 * such as "backing."; empty: it is the first. */
void image_tool_write_file(struct buf *b, const char *prefix, struct str path, bool is_encrypted);
/* A path as the value of such an option: a comma ends it but where it is doubled. */
void image_tool_write_path(struct buf *b, struct str path);
