/* SPDX-License-Identifier: Apache-2.0
 * Simulated disks as files: a qcow2 header, then the backing name and the text. They can be copied in pieces,
 * laid over another one, encrypted and converted. */
#include "drivers/sim/disk_state.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "drivers/image/image_convert.h"
#include "drivers/image/image_file.h"

enum { PIECES = 3 };

enum { HEAD_SIZE = 104, SIZE_AT = 24, CRYPT_AT = 32, KEY_AT = 640, MARK_AT = 800 };
enum { PART_AT = 650, TRACK_COUNT_AT, TRACKS_AT }; /* offsets of an increment's kind and of bitmaps */
enum { IS_WHOLE, IS_UNCHANGED, IS_CHANGED };       /* values at PART_AT */
static const char MARK[] = "of a simulated disk";

static void write_bytes(const struct sim_disk *d, unsigned char out[static SIM_FILE_SIZE])
{
	memset(out, 0, SIM_FILE_SIZE);
	memcpy(out, "QFI\xfb\0\0\0\3", 8);
	out[15] = d->base[0] ? HEAD_SIZE : 0; /* offset of the backing file's name */
	for (int k = 0; k < 8; k++)
		out[SIZE_AT + k] = (unsigned char) ((uint64_t) d->size >> (56 - 8 * k));
	out[103] = HEAD_SIZE;
	out[CRYPT_AT + 3] = d->key ? 2 : 0; /* LUKS */
	memcpy(out + KEY_AT, &d->key, sizeof d->key);
	memcpy(out + HEAD_SIZE, d->base, sizeof d->base);
	out[PART_AT] = uuid_is_none(d->since) ? IS_WHOLE : d->is_changed ? IS_CHANGED : IS_UNCHANGED;
	if (out[PART_AT] != IS_UNCHANGED)
		memcpy(out + SIM_TEXT_AT, d->text, sizeof d->text);
	out[TRACK_COUNT_AT] = (unsigned char) d->track_count;
	memcpy(out + TRACKS_AT, d->tracks, sizeof d->tracks);
	memcpy(out + MARK_AT, MARK, sizeof MARK);
}

static void read_bytes(struct sim_disk *d, const unsigned char *bytes)
{
	if (memcmp(bytes, "QFI\xfb", 4) != 0)
		return; /* any other image: blank to simulated guests */
	d->size = 0;
	for (int k = 0; k < 8; k++)
		d->size = d->size << 8 | bytes[SIZE_AT + k];
	if (memcmp(bytes + MARK_AT, MARK, sizeof MARK) != 0)
		return; /* also blank, and readable with any key */
	memcpy(d->base, bytes + HEAD_SIZE, sizeof d->base);
	memcpy(d->text, bytes + SIM_TEXT_AT, sizeof d->text);
	memcpy(&d->key, bytes + KEY_AT, sizeof d->key);
	d->base[sizeof d->base - 1] = d->text[sizeof d->text - 1] = '\0';
	if (d->kind != DISK_VOLUME) /* an image may come from anybody */
		return;
	d->track_count = bytes[TRACK_COUNT_AT] % (SIM_TRACKS + 1);
	memcpy(d->tracks, bytes + TRACKS_AT, sizeof d->tracks);
}

/* ---- copies */

static RESULT fail_file(struct ctx *c, const struct disk_copy *copy)
{
	return ctx_fail(c, errno == ENOSPC ? ERR_CAPACITY : ERR_IO, "the file %" STR_FMT ": %s",
			STR_ARG(copy->path), strerrordesc_np(errno));
}

static int64_t piece_of(const struct disk_copy *copy)
{
	int64_t piece = copy->size / PIECES + 1, left = copy->size - copy->done;
	return left < piece ? left : piece;
}

static const char *contents; /* directory; NULL: disks have no blocks. Set before the first host connects. */

void sim_compute_set_contents(const char *directory)
{
	contents = directory;
}

int sim_disk_open_content(uuid volume)
{
	char path[512], id[UUID_TEXT_SIZE];
	if (!contents ||
	    snprintf(path, sizeof path, "%s/%s.qcow2", contents, uuid_write(volume, id)) >= (int) sizeof path)
		return -1;
	return open(path, O_RDONLY | O_CLOEXEC);
}

/* Copies a piece of a file with real content. */
static RESULT pull_content(struct ctx *c, int content, int fd, struct disk_copy *copy)
{
	struct stat st;
	if (fstat(content, &st) != 0)
		return fail_file(c, copy);
	copy->size = st.st_size;
	int64_t piece = piece_of(copy);
	char *bytes = arena_alloc(c->arena, (size_t) piece + 1);
	if (!bytes)
		return ctx_no_memory(c);
	if (pread(content, bytes, (size_t) piece, copy->done) != piece ||
	    pwrite(fd, bytes, (size_t) piece, copy->done) != piece)
		return fail_file(c, copy);
	copy->done += piece;
	return OK;
}

RESULT sim_disk_pull(struct disk_host *h, struct ctx *c, const struct disk_name *name, struct disk_copy *copy)
{
	unsigned char bytes[SIM_FILE_SIZE];
	struct stat st;
	const struct sim_disk *d = sim_disk_find(h, name);
	if (!d || d->is_partial)
		return ctx_fail(c, ERR_NOT_FOUND, "host %s does not have that disk", h->link.host->name);
	AUTO_FD fd = open(str_to_z(c->arena, copy->path), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || fstat(fd, &st) != 0)
		return fail_file(c, copy);
	AUTO_FD content = d->kind == DISK_CUT ? sim_disk_open_content(d->cut_of) : -1;
	copy->done = st.st_size;
	if (content >= 0)
		return pull_content(c, content, fd, copy);
	copy->size = SIM_FILE_SIZE;
	if (copy->done > copy->size)
		return ctx_fail(c, ERR_CONFLICT, "a disk of host %s became shorter", h->link.host->name);
	write_bytes(d, bytes);
	int64_t piece = piece_of(copy);
	if (pwrite(fd, bytes + copy->done, (size_t) piece, copy->done) != piece)
		return fail_file(c, copy);
	copy->done += piece;
	return OK;
}

/* Opens the file; for a base, a missing file counts as an empty one. */
static RESULT open_source(struct ctx *c, const struct disk_name *name, const struct disk_copy *copy,
			  int *ret_fd)
{
	struct stat st;
	AUTO_FD fd = open(str_to_z(c->arena, copy->path), O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT && name->kind == DISK_BASE)
		return OK;
	if (name->kind == DISK_BASE)
		TRY(image_file_check(c, str_to_z(c->arena, copy->path), name->sha256, copy->size));
	if (fd < 0 || fstat(fd, &st) != 0)
		return fail_file(c, copy);
	if (st.st_size != copy->size)
		return ctx_fail(c, ERR_IO, "the file %" STR_FMT " has %" PRId64 " bytes, not %" PRId64,
				STR_ARG(copy->path), (int64_t) st.st_size, copy->size);
	*ret_fd = fd;
	fd = -1;
	return OK;
}

RESULT sim_disk_push(struct disk_host *h, struct ctx *c, const struct disk_name *name, struct disk_copy *copy)
{
	unsigned char bytes[SIM_FILE_SIZE] = {0};
	AUTO_FD fd = -1;
	TRY(open_source(c, name, copy, &fd));
	struct sim_disk *d = sim_disk_find(h, name);
	if (!d) {
		TRY(sim_disk_add(h, c, name, &d));
		d->is_partial = true;
	}
	copy->done = d->is_partial ? d->file_size : copy->size;
	copy->done += fd < 0 ? copy->size - copy->done : piece_of(copy);
	d->file_size = copy->done;
	if (copy->done < copy->size || !d->is_partial)
		return OK;
	d->is_partial = false;
	if (fd >= 0 && pread(fd, bytes, sizeof bytes, 0) < 0)
		return fail_file(c, copy);
	read_bytes(d, bytes);
	return OK;
}

/* ---- laying */

static RESULT read_file(struct ctx *c, struct str path, unsigned char bytes[static SIM_FILE_SIZE])
{
	AUTO_FD fd = open(str_to_z(c->arena, path), O_RDONLY | O_CLOEXEC);
	return fd >= 0 && pread(fd, bytes, SIM_FILE_SIZE, 0) == SIM_FILE_SIZE
		       ? OK
		       : ctx_fail(c, ERR_IO, "the file %" STR_FMT " is not whole", STR_ARG(path));
}

RESULT sim_disk_lay(struct ctx *c, const struct disk_layer *layer)
{
	unsigned char over[SIM_FILE_SIZE], made[SIM_FILE_SIZE];
	int64_t size = 0;
	TRY(image_file_check_head(c, str_to_z(c->arena, layer->increment), layer->key != NULL, &size));
	TRY(read_file(c, layer->over, over));
	TRY(read_file(c, layer->increment, made));
	if (made[PART_AT] == IS_UNCHANGED)
		memcpy(made + SIM_TEXT_AT, over + SIM_TEXT_AT, SIM_TEXT_SIZE);
	made[PART_AT] = IS_WHOLE;
	AUTO_FD fd = fault_fires(FAULT_FILE) ? -1
					     : open(str_to_z(c->arena, layer->made),
						    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	return fd >= 0 && write(fd, made, sizeof made) == (ssize_t) sizeof made
		       ? OK
		       : ctx_fail(c, ERR_IO, "the file %" STR_FMT " cannot be made", STR_ARG(layer->made));
}

/* ---- encrypting */

static RESULT write_file(struct ctx *c, const struct disk_copy *to, const unsigned char *bytes)
{
	AUTO_FD out = open(str_to_z(c->arena, to->path), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (out < 0 || pwrite(out, bytes, SIM_FILE_SIZE, 0) != SIM_FILE_SIZE)
		return fail_file(c, to);
	return fault_fires(FAULT_DRIVER) ? ctx_fail(c, ERR_IO, "the simulated machine ends half-way") : OK;
}

/* Copies the text of the source file, if there is one. */
RESULT sim_disk_encrypt(struct ctx *c, const struct disk_sealing *wish)
{
	unsigned char bytes[SIM_FILE_SIZE] = {0};
	struct sim_disk made = {.kind = DISK_BASE, .size = wish->size};
	struct disk_copy from = {.path = wish->from, .size = wish->file_size}, to = {.path = wish->to};
	struct disk_name name = {.kind = DISK_BASE, .sha256 = wish->sha256};
	AUTO_FD fd = -1;
	if (fault_fires(FAULT_DRIVER))
		return ctx_fail(c, ERR_AGAIN, "the simulated machine cannot encrypt just now");
	TRY(open_source(c, &name, &from, &fd));
	if (fd >= 0 && pread(fd, bytes, sizeof bytes, 0) < 0)
		return fail_file(c, &from);
	read_bytes(&made, bytes);
	made.size = wish->size;
	made.key = sim_key(wish->key);
	memset(made.base, 0, sizeof made.base);
	write_bytes(&made, bytes);
	return write_file(c, &to, bytes);
}

/* ---- other forms */

/* The image store's file may be absent in tests, and then counts as empty. */
static RESULT read_recast(struct ctx *c, const struct disk_recasting *wish,
			  unsigned char bytes[static SIM_FILE_SIZE])
{
	const struct disk_copy from = {.path = wish->from, .size = wish->file_size};
	const struct disk_name name = {.kind = DISK_BASE, .sha256 = wish->sha256};
	AUTO_FD fd = -1;
	if (!wish->sha256.n)
		return read_file(c, wish->from, bytes);
	TRY(open_source(c, &name, &from, &fd));
	return fd < 0 || pread(fd, bytes, SIM_FILE_SIZE, 0) >= 0 ? OK : fail_file(c, &from);
}

/* Writes the same content without a backing file or bitmaps. */
RESULT sim_disk_recast(struct ctx *c, const struct disk_recasting *wish)
{
	unsigned char bytes[SIM_FILE_SIZE] = {0};
	struct sim_disk made = {.kind = DISK_VOLUME};
	struct disk_copy to = {.path = wish->to};
	if (fault_fires(FAULT_DRIVER))
		return ctx_fail(c, ERR_AGAIN, "the simulated machine cannot convert just now");
	TRY(read_recast(c, wish, bytes));
	read_bytes(&made, bytes);
	made.key = sim_key(wish->key);
	made.track_count = 0;
	memset(made.base, 0, sizeof made.base);
	write_bytes(&made, bytes);
	return write_file(c, &to, bytes);
}

/* A disk that somebody imported has real content. */
static bool is_real(const unsigned char bytes[static SIM_FILE_SIZE])
{
	return memcmp(bytes, "QFI\xfb", 4) == 0 && memcmp(bytes + MARK_AT, MARK, sizeof MARK) != 0;
}

/* Writes the same bytes whatever the format; a real disk is converted. */
RESULT sim_disk_export(struct ctx *c, const struct disk_export *wish)
{
	unsigned char bytes[SIM_FILE_SIZE] = {0};
	struct disk_copy from = {.path = wish->from, .size = wish->file_size}, to = {.path = wish->to};
	struct disk_name name = {.kind = DISK_BASE, .sha256 = wish->sha256};
	AUTO_FD fd = -1;
	if (fault_fires(FAULT_DRIVER))
		return ctx_fail(c, ERR_AGAIN, "the simulated machine cannot convert just now");
	TRY(open_source(c, &name, &from, &fd));
	if (fd >= 0 && pread(fd, bytes, sizeof bytes, 0) < 0)
		return fail_file(c, &from);
	return fd >= 0 && is_real(bytes) ? image_convert_export(c, wish) : write_file(c, &to, bytes);
}
