/* SPDX-License-Identifier: Apache-2.0
 * Runs programs on disk files, within resource limits because their input may be hostile. */
#include "drivers/image/image_tool.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "base/child.h"
#include "base/clock.h"
#include "base/disk_room.h"

const struct image_tool_limits IMAGE_TOOL_LONG = {3600, (size_t) 4 << 30, 0};

/* True if qemu-img gave up measuring its key derivation because its thread's CPU clock hadn't advanced
 * meanwhile. Nothing was created; a retry usually succeeds. */
static bool has_not_ticked(const struct child_end *end)
{
	return str_contains(end->err, STR("accurate CPU usage"));
}

/* A tool over its file-size limit is ended by SIGXFSZ; if it ignores that signal, it reports EFBIG. */
static bool has_grown_too_large(const struct child_end *end)
{
	return end->status == 128 + SIGXFSZ ||
	       (end->status && str_contains(end->err, str_from(strerrordesc_np(EFBIG))));
}

RESULT image_tool_run(struct ctx *c, const struct image_tool *tool, struct str *ret_output)
{
	struct child child = {.argv = tool->argv,
			      .input = tool->key ? str_from(tool->key->text) : STR(""),
			      .timeout_us = tool->limits.timeout_s * SECOND,
			      .memory_limit_size = tool->limits.memory_size,
			      .file_limit_size = tool->limits.file_size,
			      .cpu_limit_s = tool->limits.timeout_s};
	struct child_end end = {0};
	TRY(child_run(c, &child, &end));
	if (has_grown_too_large(&end))
		return ctx_fail(c, ERR_TOO_LARGE, "%s: more than %lld MiB would be written", tool->complaint,
				(long long) (tool->limits.file_size >> 20));
	if (end.status != 0)
		return ctx_fail(c, has_not_ticked(&end) ? ERR_AGAIN : tool->failure, "%s: %" STR_FMT,
				tool->complaint, STR_ARG(str_trim(end.err)));
	*ret_output = end.out;
	return OK;
}

RESULT image_tool_blame_room(struct ctx *c, const struct image_tool_limits *limits, struct result result)
{
	if (result.code != ERR_TOO_LARGE)
		return result;
	ctx_clear_problem(c);
	return disk_room_fail(c, limits->file_size);
}

RESULT image_tool_write(struct ctx *c, const struct image_tool *tool, const char *to)
{
	struct image_tool limited = *tool;
	struct str output = STR_NONE;
	limited.limits.file_size = disk_room_largest(to);
	TRY(disk_room_check(c, to, 1 << 20)); /* because a limit of 0 would mean none */
	return image_tool_blame_room(c, &limited.limits, image_tool_run(c, &limited, &output));
}

void image_tool_write_path(struct buf *b, struct str path)
{
	for (size_t k = 0; k < path.n; k++) {
		buf_add_char(b, path.p[k]);
		if (path.p[k] == ',')
			buf_add_char(b, ',');
	}
}

void image_tool_write_file(struct buf *b, const char *prefix, struct str path, bool is_encrypted)
{
	buf_print(b, "%sdriver=qcow2,%sfile.driver=file,", prefix, prefix);
	if (is_encrypted)
		buf_print(b, "%sencrypt.format=luks,%sencrypt.key-secret=key,", prefix, prefix);
	buf_print(b, "%sfile.filename=", prefix);
	image_tool_write_path(b, path);
}
