/* SPDX-License-Identifier: Apache-2.0
 * Applies increments: copies the base content and has QEMU commit the increment into the copy. Both inputs
 * remain unchanged, so this can be repeated after a crash; only a complete result is ever given a name. */
#include "drivers/increment_apply.h"

#include <unistd.h>

#include "base/buf.h"
#include "drivers/image/image_file.h"
#include "drivers/image/image_tool.h"

enum { PATH_CAP = 16 << 10 };

static RESULT run(struct ctx *c, const struct disk_key *key, const char *const *argv, const char *to,
		  const char *complaint)
{
	const struct image_tool tool = {argv, key, IMAGE_TOOL_LONG, ERR_IO, complaint};
	return image_tool_write(c, &tool, to);
}

static RESULT write_chain(struct ctx *c, const struct disk_layer *layer, struct str *ret_chain)
{
	struct buf b;
	buf_init(&b, PATH_CAP);
	image_tool_write_file(&b, "", layer->increment, layer->key != NULL);
	buf_print(&b, ",");
	image_tool_write_file(&b, "backing.", layer->made, layer->key != NULL);
	struct result r = buf_finish(&b);
	if (result_is_ok(r))
		*ret_chain = str_copy(c->arena, buf_str(&b));
	buf_done(&b);
	TRY(r);
	return ret_chain->p ? OK : ctx_no_memory(c);
}

static RESULT copy_file(struct ctx *c, const char *from, const char *to)
{
	const char *argv[] = {"cp", "--reflink=auto", "--sparse=always", "--", from, to, NULL};
	return run(c, NULL, argv, to, "copying what was cut before");
}

static RESULT commit(struct ctx *c, const struct disk_layer *layer, const char *made)
{
	struct str chain = STR_NONE;
	TRY(write_chain(c, layer, &chain));
	/* -d: keeps the increment's content */
	const char *plain[] = {"qemu-img", "commit", "-q", "-d", "--image-opts", chain.p, NULL};
	const char *sealed[] = {"qemu-img",     "commit",   "-q",
				"-d",           "--object", "secret,id=key,file=/dev/stdin",
				"--image-opts", chain.p,    NULL};
	return run(c, layer->key, layer->key ? sealed : plain, made, "qemu-img lays no increment");
}

RESULT increment_apply(struct ctx *c, const struct disk_layer *layer)
{
	const char *made = str_to_z(c->arena, layer->made), *over = str_to_z(c->arena, layer->over);
	const char *increment = str_to_z(c->arena, layer->increment);
	int64_t size = 0;
	TRY(image_file_check_head(c, increment, layer->key != NULL, &size));
	(void) unlink(made);
	TRY(copy_file(c, over, made));
	return commit(c, layer, made);
}
