/* SPDX-License-Identifier: Apache-2.0
 * Copies files between this machine and a host's pool, piece by piece. libvirt can't rename volumes, so a
 * file has its final name from the start, and its length is the progress: it is created as an empty raw file
 * and grows only by appending received bytes in order. Each piece is a separate stream that is finished
 * properly, so no stream is aborted half-way. Holes are copied as holes. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fault.h"
#include "drivers/image/image_file.h"
#include "drivers/libvirt/host.h"

enum {
	CHUNK_SIZE = 256 * 1024 - 64, /* payload of one libvirt stream packet */
	PIECE_SIZE = 16 * 1024 * 1024,
	TAIL_SIZE = 64 * 1024
};

RESULT libvirt_find_file_size(struct compute_host *h, struct ctx *c, virStorageVolPtr v, int64_t *ret_size)
{
	virStorageVolInfo info = {0};
	if (virStorageVolGetInfoFlags(v, &info, VIR_STORAGE_VOL_GET_PHYSICAL) != 0)
		return libvirt_fail(h, c, "looking at %s on host %s", virStorageVolGetName(v), h->name);
	*ret_size = (int64_t) info.allocation; /* with this flag: the file's length */
	return OK;
}

/* Copies one piece through the stream; offsets are the same in both files. */
typedef RESULT copy_piece(struct compute_host *h, struct ctx *c, virStreamPtr stream, int fd, int64_t from,
			  int64_t to);

static RESULT finish(struct compute_host *h, struct ctx *c, virStreamPtr stream, struct result r)
{
	if (!result_is_ok(r))
		virStreamAbort(stream);
	else if (virStreamFinish(stream) != 0)
		r = libvirt_fail(h, c, "copying a file of host %s", h->name);
	virStreamFree(stream);
	return r;
}

/* Copies pieces until the time for one call is used up. */
static RESULT copy_pieces(struct compute_host *h, struct ctx *c, virStorageVolPtr v, int fd,
			  struct disk_copy *copy, copy_piece *copy_one, bool is_upload)
{
	int64_t until_us = clock_system_us() + DISK_PIECE_US;
	for (bool first = true; copy->done < copy->size && (first || clock_system_us() < until_us);
	     first = false) {
		int64_t left = copy->size - copy->done, piece = left < PIECE_SIZE ? left : PIECE_SIZE;
		unsigned long long from = (unsigned long long) copy->done, size = (unsigned long long) piece;
		virStreamPtr stream = virStreamNew(h->conn, 0);
		if (!stream)
			return libvirt_fail(h, c, "opening a stream");
		int failed = is_upload ? virStorageVolUpload(v, stream, from, size, 0)
				       : virStorageVolDownload(v, stream, from, size,
							       VIR_STORAGE_VOL_DOWNLOAD_SPARSE_STREAM);
		struct result r =
			failed ? libvirt_fail(h, c, "copying %s of host %s", virStorageVolGetName(v), h->name)
			       : copy_one(h, c, stream, fd, copy->done, copy->done + piece);
		TRY(finish(h, c, stream, r));
		copy->done += piece;
	}
	return OK;
}

/* ---- from the host */

static RESULT fail_write(struct ctx *c)
{
	int error = errno;
	return ctx_fail(c, error == ENOSPC || error == EDQUOT ? ERR_CAPACITY : ERR_IO,
			"writing a copy on this machine: %s", strerrordesc_np(error));
}

static RESULT write_chunk(struct ctx *c, int fd, const char *p, size_t size, int64_t at)
{
	while (size) {
		ssize_t n = fault_fires(FAULT_FILE) ? (errno = EIO, -1) : pwrite(fd, p, size, at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail_write(c);
		p += n;
		at += n;
		size -= (size_t) n;
	}
	return OK;
}

static RESULT receive_piece(struct compute_host *h, struct ctx *c, virStreamPtr stream, int fd, int64_t from,
			    int64_t to)
{
	AUTO(arena) scratch = arena_new(2 * CHUNK_SIZE, 4 * CHUNK_SIZE);
	char *chunk = scratch ? arena_alloc(scratch, CHUNK_SIZE) : NULL;
	if (!chunk)
		return ctx_no_memory(c);
	for (int64_t at = from; at < to;) {
		int n = virStreamRecvFlags(stream, chunk, CHUNK_SIZE, VIR_STREAM_RECV_STOP_AT_HOLE);
		long long hole = 0;
		if (n == -3 && virStreamRecvHole(stream, &hole, 0) != 0)
			n = -1;
		if (n == -1 || n == -2)
			return libvirt_fail(h, c, "receiving a file of host %s", h->name);
		int64_t more = n == -3 ? hole : n;
		if (more <= 0 || more > to - at)
			return ctx_fail(c, ERR_AGAIN, "a file of host %s changed its length", h->name);
		if (n > 0)
			TRY(write_chunk(c, fd, chunk, (size_t) n, at));
		at += more;
	}
	if (ftruncate(fd, to) != 0) /* the piece may have ended in a hole */
		return fail_write(c);
	return OK;
}

RESULT libvirt_pull(struct disk_host *disks, struct ctx *c, const struct disk_name *name,
		    struct disk_copy *copy)
{
	struct compute_host *h = disks->on;
	struct stat st;
	AUTO_VOLUME v = NULL;
	TRY(libvirt_check_alive(h, c));
	TRY(libvirt_need_pools(h, c));
	struct str file = libvirt_disk_name(c->arena, h->region, name);
	TRY(libvirt_find_volume(h, c, h->pool, file, &v));
	if (!v)
		return ctx_fail(c, ERR_NOT_FOUND, "host %s does not have %" STR_FMT, h->name, STR_ARG(file));
	TRY(libvirt_find_file_size(h, c, v, &copy->size));
	const char *path = str_to_z(c->arena, copy->path);
	AUTO_FD fd = fault_fires(FAULT_FILE) ? -1 : open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || fstat(fd, &st) != 0)
		return ctx_fail(c, ERR_IO, "the copy %s: %s", path, strerrordesc_np(errno));
	if (st.st_size > copy->size)
		return ctx_fail(c, ERR_CONFLICT, "%" STR_FMT " on host %s became shorter", STR_ARG(file),
				h->name);
	copy->done = st.st_size;
	return copy_pieces(h, c, v, fd, copy, receive_piece, false);
}

/* ---- to the host */

/* Creates an empty file. A base is readable for the guests of every owner, a volume only for its own
 * guest. */
static RESULT create_file(struct compute_host *h, struct ctx *c, struct str name, enum disk_kind kind,
			  virStorageVolPtr *ret_volume)
{
	struct str xml =
		str_print(c->arena,
			  "<volume type='file'><name>%" STR_FMT "</name><capacity unit='bytes'>0</capacity>"
			  "<allocation>0</allocation><target><format type='raw'/>"
			  "<permissions><mode>%s</mode></permissions></target></volume>",
			  STR_ARG(name), kind == DISK_BASE ? "0644" : "0600");
	return libvirt_create_volume(h, c, xml, name, ret_volume);
}

static RESULT send_chunk(struct compute_host *h, struct ctx *c, virStreamPtr stream, const char *p,
			 size_t size)
{
	while (size) {
		int sent = virStreamSend(stream, p, size);
		if (sent < 0)
			return libvirt_fail(h, c, "sending a file to host %s", h->name);
		p += sent;
		size -= (size_t) sent;
	}
	return OK;
}

static RESULT send_piece(struct compute_host *h, struct ctx *c, virStreamPtr stream, int fd, int64_t from,
			 int64_t to)
{
	AUTO(arena) scratch = arena_new(2 * CHUNK_SIZE, 4 * CHUNK_SIZE);
	char *chunk = scratch ? arena_alloc(scratch, CHUNK_SIZE) : NULL;
	if (!chunk)
		return ctx_no_memory(c);
	for (int64_t at = from; at < to;) {
		size_t wanted = to - at < CHUNK_SIZE ? (size_t) (to - at) : CHUNK_SIZE;
		ssize_t n = fault_fires(FAULT_FILE) ? 0 : pread(fd, chunk, wanted, at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return ctx_fail(c, ERR_IO, "a file for host %s cannot be read to its end", h->name);
		TRY(send_chunk(h, c, stream, chunk, (size_t) n));
		at += n;
	}
	return OK;
}

/* Opens the file to send. It must have the announced size, because the size decides whether the host's copy
 * is complete. */
static RESULT open_source(struct ctx *c, const struct disk_name *name, const struct disk_copy *copy,
			  int *ret_fd)
{
	const char *path = str_to_z(c->arena, copy->path);
	struct stat st;
	if (name->kind == DISK_BASE)
		TRY(image_file_check(c, path, name->sha256, copy->size));
	AUTO_FD fd = fault_fires(FAULT_FILE) ? -1 : open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) != 0)
		return ctx_fail(c, ERR_IO, "the file %s: %s", path, strerrordesc_np(errno));
	if (st.st_size != copy->size)
		return ctx_fail(c, ERR_IO, "the file %s has %" PRId64 " bytes, not %" PRId64, path,
				(int64_t) st.st_size, copy->size);
	*ret_fd = fd;
	fd = -1;
	return OK;
}

/* Reads the last bytes of the host's file. */
static RESULT receive_tail(struct compute_host *h, struct ctx *c, virStorageVolPtr v, char *tail, int64_t at,
			   size_t size)
{
	virStreamPtr stream = virStreamNew(h->conn, 0);
	if (!stream)
		return libvirt_fail(h, c, "opening a stream");
	struct result r = OK;
	if (virStorageVolDownload(v, stream, (unsigned long long) at, size, 0) != 0)
		r = libvirt_fail(h, c, "reading %s of host %s", virStorageVolGetName(v), h->name);
	for (size_t have = 0; result_is_ok(r) && have < size;) {
		int n = virStreamRecv(stream, tail + have, size - have);
		if (n <= 0)
			r = libvirt_fail(h, c, "reading %s of host %s", virStorageVolGetName(v), h->name);
		have += n > 0 ? (size_t) n : 0;
	}
	return finish(h, c, stream, r);
}

/* Compares the tail of the host's partial file with the local file. After a power loss, a host may have kept
 * the length without the data. */
static RESULT check_beginning(struct compute_host *h, struct ctx *c, virStorageVolPtr v, int fd,
			      const struct disk_copy *copy, bool *ret_is_one)
{
	AUTO(arena) scratch = arena_new(2 * TAIL_SIZE, 4 * TAIL_SIZE);
	size_t size = copy->done < TAIL_SIZE ? (size_t) copy->done : TAIL_SIZE;
	char *there = scratch ? arena_alloc(scratch, TAIL_SIZE) : NULL;
	char *here = scratch ? arena_alloc(scratch, TAIL_SIZE) : NULL;
	if (!there || !here)
		return ctx_no_memory(c);
	TRY(receive_tail(h, c, v, there, copy->done - (int64_t) size, size));
	*ret_is_one = pread(fd, here, size, copy->done - (int64_t) size) == (ssize_t) size &&
		      memcmp(here, there, size) == 0;
	return OK;
}

/* Finds the partial file to resume or creates a new one; copy->done becomes its length. */
static RESULT find_or_create(struct compute_host *h, struct ctx *c, struct str file, enum disk_kind kind,
			     int fd, struct disk_copy *copy, virStorageVolPtr *ret_volume)
{
	AUTO_VOLUME v = NULL;
	bool is_one = true;
	copy->done = 0;
	TRY(libvirt_find_volume(h, c, h->pool, file, &v));
	if (v)
		TRY(libvirt_find_file_size(h, c, v, &copy->done));
	if (copy->done > copy->size)
		return ctx_fail(c, ERR_CONFLICT, "%" STR_FMT " on host %s is longer than it should be",
				STR_ARG(file), h->name);
	if (copy->done > 0 && copy->done < copy->size)
		TRY(check_beginning(h, c, v, fd, copy, &is_one));
	if (!is_one) {
		TRY(libvirt_delete_volume(h, c, h->pool, file));
		libvirt_autodrop_volume(&v);
		copy->done = 0;
	}
	if (!v)
		TRY(create_file(h, c, file, kind, &v));
	*ret_volume = TAKE(v);
	return OK;
}

RESULT libvirt_send_file(struct compute_host *h, struct ctx *c, struct str file, enum disk_kind kind, int fd)
{
	struct disk_copy copy = {0};
	struct stat st;
	AUTO_VOLUME v = NULL;
	if (fstat(fd, &st) != 0)
		return ctx_fail(c, ERR_IO, "a file for host %s: %s", h->name, strerrordesc_np(errno));
	copy.size = st.st_size;
	TRY(libvirt_need_room(h, c, copy.size));
	TRY(libvirt_delete_volume(h, c, h->pool, file));
	TRY(create_file(h, c, file, kind, &v));
	while (copy.done < copy.size)
		TRY(libvirt_blame_room(h, c, copy_pieces(h, c, v, fd, &copy, send_piece, true)));
	return OK;
}

RESULT libvirt_push(struct disk_host *disks, struct ctx *c, const struct disk_name *name,
		    struct disk_copy *copy)
{
	struct compute_host *h = disks->on;
	AUTO_VOLUME v = NULL;
	AUTO_FD fd = -1;
	TRY(libvirt_check_alive(h, c));
	TRY(open_source(c, name, copy, &fd));
	TRY(libvirt_need_pools(h, c));
	struct str file = libvirt_disk_name(c->arena, h->region, name);
	TRY(find_or_create(h, c, file, name->kind, fd, copy, &v));
	if (copy->done < copy->size)
		TRY(libvirt_need_room(h, c, copy->size - copy->done));
	return libvirt_blame_room(h, c, copy_pieces(h, c, v, fd, copy, send_piece, true));
}
