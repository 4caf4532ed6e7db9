/* SPDX-License-Identifier: Apache-2.0
 * Converts disks with qemu-img. Format and backing file of every input are stated explicitly, so qemu-img
 * never guesses them. */
#include "drivers/image/image_convert.h"

#include <unistd.h>

#include "base/disk_room.h"
#include "drivers/crypt_file.h"
#include "drivers/image/image_file.h"
#include "drivers/image/image_tool.h"

enum { OPTIONS_CAP = 16 << 10 };

static RESULT run(struct ctx *c, const struct disk_key *key, const char *const *argv, const char *to)
{
	const struct image_tool tool = {argv, key, IMAGE_TOOL_LONG, ERR_IO,
					"qemu-img writes no disk in another form"};
	return image_tool_write(c, &tool, to);
}

/* ---- reading */

static bool is_from_encrypted(const struct disk_recasting *w)
{
	return w->key && !w->from_is_plain;
}

static RESULT check_from(struct ctx *c, const struct disk_recasting *w, const char *from)
{
	bool is_encrypted = w->from_form == DISK_FORM_QCOW2 && is_from_encrypted(w);
	int64_t size = 0;
	if (w->sha256.n)
		TRY(image_file_check(c, from, w->sha256, w->file_size));
	if (w->from_form == DISK_FORM_RAW)
		return OK;
	return w->base.n ? image_file_check_overlay(c, from, is_encrypted)
			 : image_file_check_head(c, from, is_encrypted, &size);
}

static void write_container(struct buf *b, struct str path)
{
	buf_print(b,
		  "driver=luks,key-secret=key,file.driver=qcow2,file.file.driver=file,file.file.filename=");
	image_tool_write_path(b, path);
}

static RESULT write_from(struct ctx *c, const struct disk_recasting *w, struct str *ret_options)
{
	struct buf b;
	bool is_encrypted = is_from_encrypted(w);
	buf_init(&b, OPTIONS_CAP);
	if (w->from_form == DISK_FORM_CEPH && is_encrypted)
		write_container(&b, w->from);
	else if (w->from_form == DISK_FORM_RAW) {
		buf_print(&b, "driver=raw,file.driver=file,file.filename=");
		image_tool_write_path(&b, w->from);
	} else
		image_tool_write_file(&b, "", w->from, is_encrypted);
	if (w->base.n) {
		buf_print(&b, ",");
		image_tool_write_file(&b, "backing.", w->base, w->key && !w->base_is_plain);
	}
	struct result r = buf_finish(&b);
	if (result_is_ok(r))
		*ret_options = str_copy(c->arena, buf_str(&b));
	buf_done(&b);
	TRY(r);
	return ret_options->p ? OK : ctx_no_memory(c);
}

/* ---- writing */

static RESULT convert(struct ctx *c, const struct disk_recasting *w, const char *format, const char *options,
		      const char *to)
{
	struct str from = STR_NONE;
	TRY(write_from(c, w, &from));
	const char *plain[] = {"qemu-img", "convert", "-q", "--image-opts", "-O", format, "-o", options,
			       from.p,     to,        NULL};
	const char *sealed[] = {
		"qemu-img",     "convert", "-q",   "--object", "secret,id=key,file=/dev/stdin",
		"--image-opts", "-O",      format, "-o",       options,
		from.p,         to,        NULL};
	return run(c, w->key, w->key ? sealed : plain, to);
}

/* Creates the LUKS container first, then wraps it in the form that a pool accepts. */
static RESULT make_container(struct ctx *c, const struct disk_recasting *w, const char *to)
{
	struct str container = str_print(c->arena, "%s.luks" IMAGE_PARTIAL_SUFFIX, to);
	if (!container.p)
		return ctx_no_memory(c);
	const char *argv[] = {"qemu-img", "convert", "-q",         "-f",        "raw", "-O",
			      "qcow2",    "-o",      "compat=1.1", container.p, to,    NULL};
	struct result r = convert(c, w, "luks", CRYPT_CONTAINER_OPTIONS, container.p);
	if (result_is_ok(r))
		r = run(c, NULL, argv, to);
	(void) unlink(container.p);
	return r;
}

RESULT image_convert(struct ctx *c, const struct disk_recasting *w)
{
	const char *from = str_to_z(c->arena, w->from), *to = str_to_z(c->arena, w->to);
	if (!from || !to)
		return ctx_no_memory(c);
	TRY(check_from(c, w, from));
	if (w->to_form == DISK_FORM_CEPH && w->key)
		return make_container(c, w, to);
	if (w->to_form == DISK_FORM_RAW)
		return convert(c, w, "raw", "preallocation=off", to);
	return convert(c, w, "qcow2", w->key ? CRYPT_FILE_OPTIONS : "compat=1.1", to);
}

/* ---- files of the image store, and into it */

static RESULT check_store_file(struct ctx *c, const char *from, const char *to, struct str sha256,
			       int64_t size)
{
	return from && to ? image_file_check(c, from, sha256, size) : ctx_no_memory(c);
}

RESULT image_convert_sealed(struct ctx *c, const struct disk_sealing *w)
{
	const char *from = str_to_z(c->arena, w->from), *to = str_to_z(c->arena, w->to);
	TRY(check_store_file(c, from, to, w->sha256, w->file_size));
	struct image_tool_limits limits = IMAGE_TOOL_LONG;
	limits.file_size = disk_room_largest(to);
	TRY(disk_room_check(c, to, 1 << 20));
	struct result result = crypt_file_convert(c, w->key, from, "qcow2", to, &limits);
	return image_tool_blame_room(c, &limits, result);
}

RESULT image_convert_export(struct ctx *c, const struct disk_export *w)
{
	const char *from = str_to_z(c->arena, w->from), *to = str_to_z(c->arena, w->to);
	TRY(check_store_file(c, from, to, w->sha256, w->file_size));
	return image_file_export(c, from, w->format, to);
}

RESULT image_convert_pack(struct ctx *c, const char *from, const char *to)
{
	const char *argv[] = {"qemu-img", "convert", "-f", "raw", "-O", "qcow2", from, to, NULL};
	const struct image_tool tool = {argv, NULL, IMAGE_TOOL_LONG, ERR_INVALID,
					"qemu-img cannot take the disk in"};
	return image_tool_write(c, &tool, to);
}
