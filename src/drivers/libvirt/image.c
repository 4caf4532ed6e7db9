/* SPDX-License-Identifier: Apache-2.0
 * The host's cache of images, which disks have as their backing file. libvirt can't rename, so a
 * file has its final name from its first byte on, and its size says whether it is whole: it is made
 * as an empty raw file and only grows by what arrives, in order. A shorter one is what a killed
 * upload left; nothing can use it yet, so it goes and is sent again. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fault.h"
#include "drivers/libvirt/host.h"

enum { CHUNK_SIZE = 256 * 1024 - 64 }; /* what one of libvirt's stream packets takes */

static bool is_sha256(struct str text)
{
	uint8_t bytes[32];
	return result_is_ok(str_decode_hex(text, bytes, sizeof bytes));
}

static RESULT find_size(struct compute_host *h, struct ctx *c, virStorageVolPtr v, int64_t *ret_size)
{
	virStorageVolInfo info = {0};
	if (virStorageVolGetInfoFlags(v, &info, VIR_STORAGE_VOL_GET_PHYSICAL) != 0)
		return libvirt_fail(h, c, "looking at the cached image %s", virStorageVolGetName(v));
	*ret_size = (int64_t) info.allocation; /* with the flag: the file's length */
	return OK;
}

static RESULT create_file(struct compute_host *h, struct ctx *c, struct str name,
			  virStorageVolPtr *ret_volume)
{
	struct str xml =
		str_print(c->arena,
			  "<volume type='file'><name>%" STR_FMT "</name><capacity unit='bytes'>0</capacity>"
			  "<allocation>0</allocation><target><format type='raw'/>"
			  "<permissions><mode>0644</mode></permissions></target></volume>",
			  STR_ARG(name));
	return libvirt_create_volume(h, c, xml, name, ret_volume);
}

/* ---- sending */

static RESULT send_chunk(struct compute_host *h, struct ctx *c, virStreamPtr stream, const char *p,
			 size_t size)
{
	while (size) {
		int sent = virStreamSend(stream, p, size);
		if (sent < 0)
			return libvirt_fail(h, c, "sending an image to host %s", h->name);
		p += sent;
		size -= (size_t) sent;
	}
	if (c->deadline_us && clock_now_us() > c->deadline_us)
		return ctx_fail(c, ERR_TIMEOUT, "sending an image to host %s took too long", h->name);
	return OK;
}

static RESULT send_bytes(struct compute_host *h, struct ctx *c, virStreamPtr stream, int fd, int64_t size)
{
	char *chunk = arena_alloc(c->arena, CHUNK_SIZE);
	if (!chunk)
		return ctx_no_memory(c);
	for (int64_t left = size; left > 0;) {
		ssize_t n = fault_fires(FAULT_FILE) ? -1 : read(fd, chunk, CHUNK_SIZE);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0 || n > left)
			return ctx_fail(c, ERR_IO,
					"the image's file is not of the size it was, %" PRId64 " bytes",
					size);
		TRY(send_chunk(h, c, stream, chunk, (size_t) n));
		left -= n;
	}
	return OK;
}

static RESULT send_file(struct compute_host *h, struct ctx *c, virStorageVolPtr v, int fd, int64_t size)
{
	virStreamPtr stream = virStreamNew(h->conn, 0);
	if (!stream)
		return libvirt_fail(h, c, "opening a stream");
	struct result r = OK;
	if (virStorageVolUpload(v, stream, 0, (unsigned long long) size, 0) != 0)
		r = libvirt_fail(h, c, "sending an image to host %s", h->name);
	else
		r = send_bytes(h, c, stream, fd, size);
	if (!result_is_ok(r))
		virStreamAbort(stream);
	else if (virStreamFinish(stream) != 0)
		r = libvirt_fail(h, c, "sending an image to host %s", h->name);
	virStreamFree(stream);
	return r;
}

/* The file to send. It must be of the size it is said to be: a cached one is judged by that. */
static RESULT open_source(struct ctx *c, const struct compute_disk *d, int *ret_fd)
{
	const char *path = str_to_z(c->arena, d->image_path);
	struct stat st;
	AUTO_FD fd = fault_fires(FAULT_FILE) ? -1 : open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) != 0)
		return ctx_fail(c, ERR_IO, "the image's file %s: %s", path, strerrordesc_np(errno));
	if (st.st_size != d->image_file_size)
		return ctx_fail(c, ERR_IO, "the image's file %s has %" PRId64 " bytes, not %" PRId64, path,
				(int64_t) st.st_size, d->image_file_size);
	*ret_fd = fd;
	fd = -1;
	return OK;
}

static RESULT replace_image(struct compute_host *h, struct ctx *c, const struct compute_disk *d,
			    struct str name, bool is_partial)
{
	AUTO_VOLUME v = NULL;
	AUTO_FD fd = -1;
	TRY(open_source(c, d, &fd));
	if (is_partial)
		TRY(libvirt_delete_volume(h, c, h->pool, name));
	TRY(create_file(h, c, name, &v));
	return send_file(h, c, v, fd, d->image_file_size);
}

RESULT libvirt_ensure_image(struct compute_host *h, struct ctx *c, const struct compute_disk *disk)
{
	int64_t size = -1;
	AUTO_VOLUME v = NULL;
	if (!is_sha256(disk->image_sha256))
		return ctx_fail(c, ERR_INTERNAL, "\"%" STR_FMT "\" is not an image's digest",
				STR_ARG(disk->image_sha256));
	struct str name = libvirt_image_name(c->arena, h->region, disk->image_sha256);
	TRY(libvirt_find_volume(h, c, h->pool, name, &v));
	if (v)
		TRY(find_size(h, c, v, &size));
	if (size > disk->image_file_size)
		return ctx_fail(c, ERR_CONFLICT, "%" STR_FMT " on host %s is longer than the image",
				STR_ARG(name), h->name);
	return v && size == disk->image_file_size ? OK : replace_image(h, c, disk, name, v != NULL);
}
