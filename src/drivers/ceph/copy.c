/* SPDX-License-Identifier: Apache-2.0
 * Copies content between the image store's files and a pool's images, in pieces. The layout of a written file
 * is planned before its first byte (drivers/qcow2.h), from the extents that Ceph reports for the image or for
 * the difference between two snapshots. So the file's length is the progress. An image being written records
 * its progress in its metadata. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/heap.h"
#include "drivers/ceph/pool.h"
#include "drivers/image/image_file.h"
#include "drivers/qcow2.h"

enum { CHUNK_SIZE = 4 << 20 };

/* ---- extents of an image */

struct runs { /* heap: a disk may have half a million */
	struct qcow2_run *at;
	size_t count, capacity;
	bool wants_zeros; /* also record runs that read as zeros */
	bool has_failed;
};

static void push_run(struct runs *runs, int64_t from, int64_t to, bool is_zero)
{
	struct qcow2_run *last = runs->count ? &runs->at[runs->count - 1] : NULL;
	if (from >= to)
		return;
	if (last && last->is_zero == is_zero && last->from + last->count == from) {
		last->count += to - from;
		return;
	}
	if (runs->count == runs->capacity) {
		size_t more = 2 * runs->capacity + 64;
		struct qcow2_run *at = heap_resize(runs->at, more * sizeof *at);
		runs->has_failed = runs->has_failed || !at;
		if (!at)
			return;
		runs->at = at;
		runs->capacity = more;
	}
	runs->at[runs->count++] = (struct qcow2_run){from, to - from, is_zero};
}

static int64_t end_of(const struct runs *runs)
{
	return runs->count ? runs->at[runs->count - 1].from + runs->at[runs->count - 1].count : 0;
}

/* A cluster that contains any data counts as data. */
static void add_run(struct runs *runs, int64_t from, int64_t to, bool is_zero)
{
	int64_t end = end_of(runs);
	struct qcow2_run *last = end ? &runs->at[runs->count - 1] : NULL;
	if (from < end && !is_zero && last->is_zero) {
		last->count -= end - from;
		runs->count -= last->count <= 0;
	} else if (from < end)
		from = end;
	push_run(runs, from, to, is_zero);
}

static int note_extent(uint64_t at, size_t size, int exists, void *arg)
{
	struct runs *runs = arg;
	int64_t begin = (int64_t) at, end = begin + (int64_t) size;
	int64_t first = begin / QCOW2_CLUSTER_SIZE;
	int64_t last = (end + QCOW2_CLUSTER_SIZE - 1) / QCOW2_CLUSTER_SIZE;
	if (exists)
		add_run(runs, first, last, false);
	else if (runs->wants_zeros)
		add_run(runs, first, last, true);
	return runs->has_failed ? -ENOMEM : 0;
}

/* Adds everything that isn't data as zeros. */
static void fill_zeros(const struct runs *data, int64_t clusters, struct runs *ret_runs)
{
	int64_t next = 0;
	for (size_t k = 0; k < data->count; k++) {
		push_run(ret_runs, next, data->at[k].from, true);
		next = data->at[k].from + data->at[k].count;
		push_run(ret_runs, data->at[k].from, next, false);
	}
	push_run(ret_runs, next, clusters, true);
	ret_runs->has_failed = ret_runs->has_failed || data->has_failed;
}

/* ---- the plan of a file */

struct ceph_plan {
	char *name; /* owned; name of the image */
	struct qcow2_plan *file;
};

void ceph_forget_plan(struct disk_host *h)
{
	if (!h->plan)
		return;
	qcow2_plan_free(h->plan->file);
	heap_free(h->plan->name);
	heap_free(h->plan);
	h->plan = NULL;
}

/* The image to read an increment from. Without image or since, the full cut is read; it can be laid over
 * anything. */
struct source {
	rbd_image_t image;
	struct str since; /* the snapshot's name; empty: none */
	bool is_over;     /* the file will be laid over another one */
};

static RESULT find_increment(struct disk_host *h, struct ctx *c, const struct disk_name *name,
			     struct source *source)
{
	bool has = false;
	char id[UUID_TEXT_SIZE];
	AUTO_IMAGE volume = NULL;
	struct disk_name of = {.kind = DISK_VOLUME};
	struct str since = STR_NONE, volume_id = STR_NONE;
	TRY(ceph_get_meta(h, c, source->image, META_SINCE, &since));
	TRY(ceph_get_meta(h, c, source->image, META_VOLUME, &volume_id));
	source->is_over = since.n > 0;
	if (!since.n || !result_is_ok(uuid_parse(volume_id, &of.id)))
		return OK;
	struct str made = ceph_snapshot_name(c, str_from(uuid_write(name->id, id)));
	since = ceph_snapshot_name(c, since);
	if (!made.p || !since.p)
		return ctx_no_memory(c);
	TRY(ceph_open_image(h, c, ceph_name_of(h, c, &of), made.p, &volume));
	if (volume)
		TRY(ceph_has_snapshot(h, c, volume, since.p, &has));
	if (!has)
		return OK;
	ceph_autoclose(&source->image);
	source->image = TAKE(volume);
	source->since = since;
	return OK;
}

static RESULT find_source(struct disk_host *h, struct ctx *c, const struct disk_name *name,
			  struct str image_name, struct source *source)
{
	bool is_made = false;
	TRY(ceph_look_at(h, c, image_name, &source->image));
	if (source->image)
		TRY(ceph_check_mark(h, c, source->image, image_name, &is_made));
	if (!is_made)
		return ctx_fail(c, ERR_NOT_FOUND, "Ceph's pool %s does not have %" STR_FMT, h->pool,
				STR_ARG(image_name));
	return name->kind == DISK_CUT ? find_increment(h, c, name, source) : OK;
}

static RESULT make_plan(struct disk_host *h, struct ctx *c, const struct source *source, struct runs *runs,
			struct runs *filled, struct qcow2_plan **ret_file)
{
	int64_t size = 0;
	TRY(ceph_get_size_of(h, c, source->image, &size));
	runs->wants_zeros = source->since.n > 0;
	int answer = ceph.rbd_diff_iterate2(source->image, source->since.p, 0, (uint64_t) size,
					    !source->since.n, true, note_extent, runs);
	if (answer < 0)
		return ceph_fail(h, c, answer, "asking what an image has");
	if (source->is_over && !source->since.n) {
		fill_zeros(runs, (size + QCOW2_CLUSTER_SIZE - 1) / QCOW2_CLUSTER_SIZE, filled);
		runs = filled;
	}
	return runs->has_failed ? ctx_no_memory(c) : qcow2_plan_new(c, size, runs->at, runs->count, ret_file);
}

/* Reuses the plan of the previous call for the same file. */
static RESULT need_plan(struct disk_host *h, struct ctx *c, const struct source *source, struct str name,
			bool begins)
{
	struct runs runs = {0}, filled = {0};
	if (!begins && h->plan && str_is(name, h->plan->name))
		return OK;
	ceph_forget_plan(h);
	struct ceph_plan *plan = heap_new(struct ceph_plan);
	char *own = heap_copy_z(name.p);
	struct result r =
		plan && own ? make_plan(h, c, source, &runs, &filled, &plan->file) : ctx_no_memory(c);
	heap_free(runs.at);
	heap_free(filled.at);
	if (!result_is_ok(r)) {
		heap_free(own);
		heap_free(plan);
		return r;
	}
	plan->name = own;
	h->plan = plan;
	return OK;
}

/* ---- to this machine */

static RESULT fail_write(struct ctx *c)
{
	int error = errno;
	return ctx_fail(c, error == ENOSPC || error == EDQUOT ? ERR_CAPACITY : ERR_IO,
			"writing a copy on this machine: %s", strerrordesc_np(error));
}

static bool is_blank(const uint8_t *p, size_t size)
{
	return size == 0 || (p[0] == 0 && memcmp(p, p + 1, size - 1) == 0);
}

/* Leaves zeros as holes; the file gets its length at the end. */
static RESULT write_bytes(struct ctx *c, int fd, const uint8_t *p, size_t size, int64_t at)
{
	while (size) {
		size_t part = size < QCOW2_CLUSTER_SIZE ? size : QCOW2_CLUSTER_SIZE;
		ssize_t n = is_blank(p, part)         ? (ssize_t) part
			    : fault_fires(FAULT_FILE) ? (errno = EIO, -1)
						      : pwrite(fd, p, part, at);
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

/* Writes from one offset of the file on; ret_size: bytes of the file written. */
static RESULT write_place(struct disk_host *h, struct ctx *c, rbd_image_t image, int fd, int64_t at,
			  uint8_t *chunk, int64_t *ret_size)
{
	struct qcow2_place place = qcow2_plan_at(h->plan->file, at, chunk);
	size_t size = place.is_data && place.size < CHUNK_SIZE ? (size_t) place.size : CHUNK_SIZE;
	*ret_size = QCOW2_CLUSTER_SIZE;
	if (!place.is_data)
		return write_bytes(c, fd, chunk, QCOW2_CLUSTER_SIZE, at);
	ssize_t n = ceph.rbd_read(image, (uint64_t) place.at, size, (char *) chunk);
	if (n < 0)
		return ceph_fail(h, c, (int) n, "reading an image");
	*ret_size = ((int64_t) size + QCOW2_CLUSTER_SIZE - 1) / QCOW2_CLUSTER_SIZE * QCOW2_CLUSTER_SIZE;
	return n == (ssize_t) size
		       ? write_bytes(c, fd, chunk, size, at)
		       : ctx_fail(c, ERR_AGAIN, "an image in Ceph's pool %s changed its size", h->pool);
}

static RESULT write_places(struct disk_host *h, struct ctx *c, rbd_image_t image, int fd,
			   struct disk_copy *copy)
{
	int64_t until_us = clock_system_us() + DISK_PIECE_US, size = 0;
	uint8_t *chunk = heap_alloc(CHUNK_SIZE);
	struct result r = chunk ? OK : ctx_no_memory(c);
	for (bool first = true;
	     result_is_ok(r) && copy->done < copy->size && (first || clock_system_us() < until_us);
	     first = false) {
		r = write_place(h, c, image, fd, copy->done, chunk, &size);
		copy->done += result_is_ok(r) ? size : 0;
	}
	heap_free(chunk);
	TRY(r);
	return ftruncate(fd, copy->done) == 0 ? OK : fail_write(c);
}

/* Compares the beginning of an existing file with the plan: the image may have changed, or the volume
 * disappeared, since another connection began it. */
static RESULT check_beginning(struct ctx *c, const struct qcow2_plan *plan, int fd, int64_t size,
			      bool *ret_is_one)
{
	uint8_t *own = heap_alloc((size_t) 2 * QCOW2_CLUSTER_SIZE);
	uint8_t *there = own ? own + QCOW2_CLUSTER_SIZE : NULL;
	*ret_is_one = true;
	for (int64_t at = 0; own && *ret_is_one && at < size; at += QCOW2_CLUSTER_SIZE) {
		if (qcow2_plan_at(plan, at, own).is_data)
			break;
		*ret_is_one = pread(fd, there, QCOW2_CLUSTER_SIZE, at) == QCOW2_CLUSTER_SIZE &&
			      memcmp(own, there, QCOW2_CLUSTER_SIZE) == 0;
	}
	heap_free(own);
	return own ? OK : ctx_no_memory(c);
}

/* Sets copy->done, the offset to resume at. */
static RESULT find_place(struct disk_host *h, struct ctx *c, const struct source *source, struct str name,
			 int fd, struct disk_copy *copy)
{
	struct stat st;
	bool is_one = true;
	if (fstat(fd, &st) != 0)
		return ctx_fail(c, ERR_IO, "the copy %" STR_FMT ": %s", STR_ARG(copy->path),
				strerrordesc_np(errno));
	int64_t size = st.st_size / QCOW2_CLUSTER_SIZE * QCOW2_CLUSTER_SIZE;
	bool is_known = h->plan && str_is(name, h->plan->name);
	TRY(need_plan(h, c, source, name, size == 0));
	copy->size = qcow2_plan_file_size(h->plan->file);
	if (st.st_size > copy->size)
		return ctx_fail(c, ERR_CONFLICT, "%" STR_FMT " in Ceph's pool %s became smaller",
				STR_ARG(name), h->pool);
	if (!is_known)
		TRY(check_beginning(c, h->plan->file, fd, size, &is_one));
	copy->done = is_one ? size : 0;
	return is_one || ftruncate(fd, 0) == 0 ? OK : fail_write(c);
}

RESULT ceph_pull(struct disk_host *h, struct ctx *c, const struct disk_name *name, struct disk_copy *copy)
{
	struct source source = {0};
	struct str image_name = ceph_name_of(h, c, name);
	TRY(ceph_begin(h, c));
	struct result found = find_source(h, c, name, image_name, &source);
	AUTO_IMAGE image = source.image;
	TRY(found);
	const char *path = str_to_z(c->arena, copy->path);
	AUTO_FD fd = fault_fires(FAULT_FILE) ? -1 : open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return ctx_fail(c, ERR_IO, "the copy %s: %s", path, strerrordesc_np(errno));
	TRY(find_place(h, c, &source, image_name, fd, copy));
	return write_places(h, c, image, fd, copy);
}

/* ---- to the pool */

struct import {
	struct qcow2_file *file;
	rbd_image_t image;
	int64_t done; /* bytes of the disk */
	uint8_t *chunk;
};

/* A new image reads as zeros, so only data is written. */
static RESULT send_extent(struct disk_host *h, struct ctx *c, struct import *in)
{
	struct qcow2_extent extent = {0};
	TRY(qcow2_find(in->file, c, in->done, &extent));
	size_t size = extent.size < CHUNK_SIZE || extent.file_at < 0 ? (size_t) extent.size : CHUNK_SIZE;
	if (extent.file_at >= 0) {
		TRY(qcow2_read(in->file, c, extent.file_at, in->chunk, size));
		ssize_t n = is_blank(in->chunk, size) ? (ssize_t) size
						      : ceph.rbd_write(in->image, (uint64_t) in->done, size,
								       (const char *) in->chunk);
		if (n != (ssize_t) size)
			return ceph_fail(h, c, n < 0 ? (int) n : -EIO, "writing an image");
	}
	in->done += (int64_t) size;
	return OK;
}

static RESULT send_extents(struct disk_host *h, struct ctx *c, struct import *in)
{
	int64_t until_us = clock_system_us() + DISK_PIECE_US, size = qcow2_size(in->file);
	char text[24];
	for (bool first = true; in->done < size && (first || clock_system_us() < until_us); first = false)
		TRY(send_extent(h, c, in));
	int answer = ceph.rbd_flush(in->image);
	if (answer < 0)
		return ceph_fail(h, c, answer, "writing an image");
	(void) snprintf(text, sizeof text, "%" PRId64, in->done);
	return ceph_set_meta(h, c, in->image, META_DONE, text);
}

/* Creates the image if needed; in->done: bytes already there. The region's mark is written before the
 * content; META_DONE marks the image as incomplete. */
static RESULT need_image(struct disk_host *h, struct ctx *c, struct str name, struct import *in,
			 bool *ret_is_whole)
{
	bool is_made = false;
	struct str done = STR_NONE;
	TRY(ceph_open_image(h, c, name, NULL, &in->image));
	if (in->image)
		TRY(ceph_check_mark(h, c, in->image, name, &is_made));
	if (!is_made) {
		ceph_autoclose(&in->image);
		TRY(ceph_remove_image(h, c, name));
		TRY(ceph_make_blank(h, c, name, qcow2_size(in->file)));
		TRY(ceph_open_image(h, c, name, NULL, &in->image));
		if (!in->image)
			return ctx_fail(c, ERR_AGAIN, "%" STR_FMT " went while it was made", STR_ARG(name));
		TRY(ceph_set_meta(h, c, in->image, META_DONE, "0"));
		TRY(ceph_set_mark(h, c, in->image));
	}
	TRY(ceph_get_meta(h, c, in->image, META_DONE, &done));
	*ret_is_whole = !done.n;
	return done.n && (!result_is_ok(str_parse_int(done, &in->done)) || in->done < 0 ||
			  in->done > qcow2_size(in->file))
		       ? ctx_fail(c, ERR_CONFLICT, "%" STR_FMT " in Ceph's pool %s is of another file",
				  STR_ARG(name), h->pool)
		       : OK;
}

static RESULT finish_import(struct disk_host *h, struct ctx *c, const struct disk_name *name,
			    rbd_image_t image)
{
	bool has = false;
	if (name->kind == DISK_BASE)
		TRY(ceph_has_snapshot(h, c, image, BASE_SNAPSHOT, &has));
	int answer = name->kind == DISK_BASE && !has ? ceph.rbd_snap_create(image, BASE_SNAPSHOT) : 0;
	if (answer < 0)
		return ceph_fail(h, c, answer, "finishing a base");
	return ceph_set_meta(h, c, image, META_DONE, NULL);
}

static RESULT import(struct disk_host *h, struct ctx *c, const struct disk_name *name, struct import *in,
		     struct disk_copy *copy)
{
	bool is_whole = false;
	TRY(need_image(h, c, ceph_name_of(h, c, name), in, &is_whole));
	if (!is_whole) {
		TRY(send_extents(h, c, in));
		is_whole = in->done == qcow2_size(in->file);
		if (is_whole)
			TRY(finish_import(h, c, name, in->image));
	}
	double part = (double) in->done / (double) qcow2_size(in->file);
	copy->done = is_whole ? copy->size : (int64_t) ((double) (copy->size - 1) * part);
	return OK;
}

static RESULT check_file(struct ctx *c, const struct disk_name *name, const struct disk_copy *copy,
			 const char *path)
{
	struct stat st;
	if (name->kind == DISK_BASE)
		TRY(image_file_check(c, path, name->sha256, copy->size));
	if (fault_fires(FAULT_FILE) || stat(path, &st) != 0)
		return ctx_fail(c, ERR_IO, "the file %s: %s", path, strerrordesc_np(errno));
	return st.st_size == copy->size
		       ? OK
		       : ctx_fail(c, ERR_IO, "the file %s has %" PRId64 " bytes, not %" PRId64, path,
				  (int64_t) st.st_size, copy->size);
}

RESULT ceph_push(struct disk_host *h, struct ctx *c, const struct disk_name *name, struct disk_copy *copy)
{
	struct import in = {0};
	const char *path = str_to_z(c->arena, copy->path);
	if (!path)
		return ctx_no_memory(c);
	TRY(ceph_begin(h, c));
	TRY(check_file(c, name, copy, path));
	TRY(qcow2_open(c, path, &in.file));
	in.chunk = heap_alloc(CHUNK_SIZE);
	struct result r = in.chunk ? import(h, c, name, &in, copy) : ctx_no_memory(c);
	ceph_autoclose(&in.image);
	qcow2_close(in.file);
	heap_free(in.chunk);
	return r;
}
