/* SPDX-License-Identifier: Apache-2.0
 * Disks: qcow2 files named after their volume, blank or over a cached base. An existing disk is grown, never
 * shrunk. It is recreated only if it cannot contain guest data, which is never assumed of a disk that was
 * already seen complete. Also this driver's connection functions. */
#include <inttypes.h>

#include "base/file.h"
#include "base/heap.h"
#include "drivers/crypt_file.h"
#include "drivers/image/image_convert.h"
#include "drivers/image/image_file.h"
#include "drivers/image/image_tool.h"
#include "drivers/increment_apply.h"
#include "drivers/libvirt/host.h"
#include "drivers/swap_file.h"
#include "model/host.h"

/* A qcow2 file up to this size holds its tables but no data cluster. */
enum { EMPTY_FILE_SIZE = 256 * 1024 };

/* ---- the connection */

static void close_disks(struct disk_host *h)
{
	if (!h)
		return;
	libvirt_close_host(h->on);
	heap_free(h->jobs);
	heap_free(h);
}

static RESULT open_disks(struct ctx *c, uuid region, const struct host *host, struct disk_host **ret_host)
{
	struct disk_host *h = heap_new(struct disk_host);
	if (!h)
		return ctx_no_memory(c);
	struct result r = libvirt_connect(c, region, host, false, &h->on);
	if (!result_is_ok(r)) {
		close_disks(h);
		return r;
	}
	*ret_host = h;
	return OK;
}

static void watch(struct disk_host *h, void (*asks)(void *arg, uuid guest), void *arg)
{
	h->asks = asks;
	h->asks_arg = arg;
}

struct asking libvirt_ask(struct disk_host *h, uuid whose)
{
	if (h->asks)
		h->asks(h->asks_arg, whose);
	return (struct asking){h};
}

void libvirt_end_asking(struct asking *asking)
{
	if (asking->h->asks)
		asking->h->asks(asking->h->asks_arg, UUID_NONE);
}

uuid libvirt_id_of(virDomainPtr d)
{
	uuid id = UUID_NONE;
	(void) virDomainGetUUID(d, id.b);
	return id;
}

/* ---- creating */

static RESULT create_encrypted(struct compute_host *h, struct ctx *c, struct str name, int64_t size,
			       struct str backing, const struct disk_key *key)
{
	AUTO_FD fd = -1;
	if (!name.p)
		return ctx_no_memory(c);
	TRY(crypt_file_create(c, key, size, backing, &fd));
	return libvirt_send_file(h, c, name, DISK_VOLUME, fd);
}

RESULT libvirt_create_disk(struct compute_host *h, struct ctx *c, struct str name, int64_t size,
			   struct str backing, const struct disk_key *key)
{
	AUTO_VOLUME v = NULL;
	if (key)
		return create_encrypted(h, c, name, size, backing, key);
	struct str store = STR("");
	if (backing.n)
		store = str_print(c->arena,
				  "<backingStore><path>%" STR_FMT
				  "</path><format type='qcow2'/></backingStore>",
				  STR_ARG(backing));
	if (!store.p || !name.p)
		return ctx_no_memory(c);
	struct str xml = str_print(c->arena,
				   "<volume type='file'><name>%" STR_FMT
				   "</name><capacity unit='bytes'>%" PRId64 "</capacity>"
				   "<allocation>0</allocation><target><format type='qcow2'/>"
				   "<compat>1.1</compat></target>%" STR_FMT "</volume>",
				   STR_ARG(name), size, STR_ARG(store));
	return libvirt_create_volume(h, c, xml, name, &v);
}

/* The base is complete when it has its full length: it only grows by appending received bytes. */
RESULT libvirt_has_base(struct compute_host *h, struct ctx *c, const struct disk_spec *w, struct str name,
			bool *ret_has)
{
	AUTO_VOLUME v = NULL;
	int64_t size = -1;
	TRY(libvirt_find_volume(h, c, h->pool, name, &v));
	if (v)
		TRY(libvirt_find_file_size(h, c, v, &size));
	if (size > w->base_file_size)
		return ctx_fail(c, ERR_CONFLICT, "%" STR_FMT " on host %s is longer than it should be",
				STR_ARG(name), h->name);
	*ret_has = size == w->base_file_size;
	return OK;
}

static RESULT create_swap(struct compute_host *h, struct ctx *c, const struct disk_spec *w, struct str name)
{
	AUTO_FD fd = -1;
	TRY(swap_file_create(c, w->size, w->volume, &fd));
	return libvirt_send_file(h, c, name, DISK_VOLUME, fd);
}

static RESULT create_disk(struct compute_host *h, struct ctx *c, const struct disk_spec *w, struct str name,
			  struct disk_seen *ret_seen)
{
	struct str base = STR_NONE;
	bool has = true;
	if (w->base_sha256.n) {
		struct disk_name base_name = {.kind = DISK_BASE, .sha256 = w->base_sha256};
		base = libvirt_disk_name(c->arena, h->region, &base_name);
		TRY(libvirt_has_base(h, c, w, base, &has));
	}
	if (has)
		TRY(w->is_swap ? create_swap(h, c, w, name)
			       : libvirt_create_disk(h, c, name, w->size, base, w->key));
	*ret_seen = (struct disk_seen){.size = has ? w->size : 0, .lacks_base = !has};
	return OK;
}

/* Checks that the base still exists; it may have been lost since. */
static RESULT look_for_base(struct compute_host *h, struct ctx *c, const struct disk_spec *w,
			    struct disk_seen *seen)
{
	struct disk_name base_name = {.kind = DISK_BASE, .sha256 = w->base_sha256};
	bool has = false;
	TRY(libvirt_has_base(h, c, w, libvirt_disk_name(c->arena, h->region, &base_name), &has));
	seen->lacks_base = !has;
	return OK;
}

/* ---- looking */

RESULT libvirt_read_disk(struct compute_host *h, struct ctx *c, virStorageVolPtr v,
			 struct disk_file *ret_file)
{
	AUTO(xml_tree) t = NULL;
	AUTO_TEXT xml = virStorageVolGetXMLDesc(v, 0); /* rereads the file's sizes, but not its format */
	if (!xml)
		return libvirt_fail(h, c, "looking at the disk %s", virStorageVolGetName(v));
	TRY(xml_tree_parse(c, str_from(xml), &t));
	ret_file->path = xml_tree_find(c, t, "/volume/target/path");
	ret_file->format = xml_tree_find(c, t, "/volume/target/format/@type");
	ret_file->backing = xml_tree_find(c, t, "/volume/backingStore/path");
	ret_file->is_encrypted = xml_tree_find(c, t, "/volume/target/encryption/@format").n > 0;
	TRY(libvirt_read_length(c, t, &ret_file->file_size));
	if (!result_is_ok(str_parse_int(xml_tree_find(c, t, "/volume/capacity"), &ret_file->size)))
		return ctx_fail(c, ERR_IO, "libvirt does not tell the size of %s", virStorageVolGetName(v));
	return OK;
}

/* An interrupted creation (libvirtd or the host died) left a file that is not yet a disk. Nothing is lost by
 * deleting it. */
static bool is_unfinished(const struct disk_spec *w, const struct disk_file *f)
{
	bool is_whole = str_is(f->format, "qcow2") && f->size > 0 && f->file_size > 0 &&
			(!w->base_sha256.n || f->backing.n);
	if (w->key || w->is_swap) /* libvirt knows only the length of uploaded files */
		return f->file_size <= (w->key ? CRYPT_FILE_EMPTY_SIZE : SWAP_FILE_EMPTY_SIZE);
	return !is_whole && f->file_size <= EMPTY_FILE_SIZE;
}

/* ---- growing */

struct growth {
	const struct disk_file *file;
	const struct disk_spec *wish;
	virStorageVolPtr volume;
	virDomainPtr user; /* the domain that has it open; NULL: none */
};

static RESULT hold(struct disk_host *disks, struct ctx *c, struct growth *g)
{
	const struct disk_spec *w = g->wish;
	struct compute_disk disk = {
		.volume = w->volume,
		.key = w->key,
		.encrypted_base = w->base_is_encrypted && g->file->backing.n ? w->base_sha256 : STR_NONE};
	return g->user ? OK : libvirt_hold_disk(disks, c, w->volume, &disk, &g->user);
}

static int resize_in_use(struct disk_host *disks, const struct growth *g, unsigned long long size)
{
	ASKING(disks, libvirt_id_of(g->user));
	return virDomainBlockResize(g->user, g->file->path.p, size, VIR_DOMAIN_BLOCK_RESIZE_BYTES);
}

static RESULT resize(struct disk_host *disks, struct ctx *c, const struct growth *g)
{
	unsigned long long size = (unsigned long long) g->wish->size;
	int failed = g->user ? resize_in_use(disks, g, size) : virStorageVolResize(g->volume, size, 0);
	return failed ? libvirt_fail(disks->on, c, "growing the disk %s", virStorageVolGetName(g->volume))
		      : OK;
}

static RESULT drop_tracks(struct disk_host *disks, struct ctx *c, const struct growth *g)
{
	struct track_set all = {.volume = g->wish->volume, .known = {g->wish->tracked_from}};
	struct str target = STR_NONE;
	ASKING(disks, libvirt_id_of(g->user));
	TRY(libvirt_find_target(disks->on, c, g->user, g->file->path, &target));
	return libvirt_drop_tracks(disks->on, c, g->user, target, &all);
}

/* Grows a disk after dropping its bitmaps: QEMU can't resize one with a bitmap corrupted by a crash. The
 * disk's next cut is a full one. */
static RESULT resize_untracked(struct disk_host *disks, struct ctx *c, struct growth *g)
{
	TRY(hold(disks, c, g));
	TRY(drop_tracks(disks, c, g));
	return resize(disks, c, g);
}

static RESULT grow_disk(struct disk_host *disks, struct ctx *c, virStorageVolPtr v, const struct disk_file *f,
			const struct disk_spec *w)
{
	AUTO_DOMAIN user = NULL;
	TRY(libvirt_find_user_of(disks->on, c, f->path, &user));
	if (user)
		TRY(libvirt_check_answers(disks->on, c, user));
	struct growth g = {.file = f, .wish = w, .volume = v, .user = user};
	struct result r = w->key ? hold(disks, c, &g) : OK;
	if (result_is_ok(r))
		r = resize(disks, c, &g);
	if (!result_is_ok(r) && r.code != ERR_GONE && r.code != ERR_AGAIN) {
		ctx_clear_problem(c);
		r = resize_untracked(disks, c, &g);
	}
	user = g.user;
	struct problem problem = c->problem;
	struct result released = libvirt_release_disk(disks, c, w->volume);
	if (result_is_ok(r))
		return released;
	c->problem = problem;
	return r;
}

struct result libvirt_fail_missing(struct compute_host *h, struct ctx *c, uuid volume)
{
	char id[UUID_TEXT_SIZE];
	return ctx_fail(c, ERR_NOT_FOUND, "the disk of volume %s is missing on the host %s",
			uuid_write(volume, id), h->name);
}

/* libvirt detects an uploaded file's format when it reads the pool. It does so by itself some time after the
 * upload, possibly later than this call. */
RESULT libvirt_read_format(struct compute_host *h, struct ctx *c, virStorageVolPtr v, struct disk_file *file)
{
	if (str_is(file->format, "qcow2"))
		return OK;
	if (virStoragePoolRefresh(h->pool, 0) != 0)
		return libvirt_fail(h, c, "reading the pool %s on host %s", h->pool_path, h->name);
	TRY(libvirt_read_disk(h, c, v, file));
	return str_is(file->format, "qcow2")
		       ? OK
		       : ctx_fail(c, ERR_CONFLICT, "%" STR_FMT " on host %s is not a qcow2 disk",
				  STR_ARG(file->path), h->name);
}

static RESULT check_encryption(struct compute_host *h, struct ctx *c, const struct disk_spec *wish,
			       const struct disk_file *file)
{
	if (file->is_encrypted == (wish->key != NULL))
		return OK;
	return ctx_fail(c, ERR_CONFLICT, "%" STR_FMT " on host %s is %sencrypted", STR_ARG(file->path),
			h->name, file->is_encrypted ? "" : "not ");
}

static RESULT ensure(struct disk_host *disks, struct ctx *c, const struct disk_spec *wish,
		     struct disk_seen *ret_seen)
{
	struct compute_host *h = disks->on;
	struct disk_file file = {0};
	AUTO_VOLUME v = NULL;
	TRY(libvirt_check_alive(h, c));
	if (wish->size <= 0 || wish->size % 512)
		return ctx_fail(c, ERR_INVALID, "a disk of %" PRId64 " bytes", wish->size);
	TRY(libvirt_need_pools(h, c));
	if (wish->is_raw)
		return libvirt_ensure_raw(disks, c, wish, ret_seen);
	struct str name = libvirt_volume_name(c->arena, h->region, wish->volume, false);
	TRY(libvirt_find_volume(h, c, h->pool, name, &v));
	if (v)
		TRY(libvirt_read_disk(h, c, v, &file));
	if (v && !wish->was_there && is_unfinished(wish, &file)) {
		TRY(libvirt_delete_volume(h, c, h->pool, name));
		libvirt_autodrop_volume(&v);
	}
	if (!v && wish->was_there)
		return libvirt_fail_missing(h, c, wish->volume);
	if (!v)
		return create_disk(h, c, wish, name, ret_seen);
	TRY(libvirt_read_format(h, c, v, &file));
	TRY(check_encryption(h, c, wish, &file));
	if (file.size < wish->size)
		TRY(grow_disk(disks, c, v, &file, wish));
	*ret_seen = (struct disk_seen){.size = file.size < wish->size ? wish->size : file.size};
	return file.backing.n && wish->base_sha256.n ? look_for_base(h, c, wish, ret_seen) : OK;
}

/* ---- deleting */

/* Checks the file of this directory only: another directory may have a file of the same volume while it is
 * moved. */
static RESULT check_volume_is_free(struct compute_host *h, struct ctx *c, virStorageVolPtr v)
{
	AUTO_DOMAIN user = NULL;
	AUTO_TEXT path = virStorageVolGetPath(v);
	if (!path)
		return libvirt_fail(h, c, "looking at the disk %s", virStorageVolGetName(v));
	TRY(libvirt_find_user_of(h, c, str_from(path), &user));
	return user ? ctx_fail(c, ERR_IN_USE, "the disk %s is used by the running domain %s", path,
			       virDomainGetName(user))
		    : OK;
}

/* Drops the volume's key unless a guest uses the volume's other file, which is opened with the same key. */
static RESULT drop_secret(struct compute_host *h, struct ctx *c, struct str name, uuid volume)
{
	AUTO_DOMAIN user = NULL;
	TRY(libvirt_find_user_of(h, c, name, &user));
	return user ? OK : libvirt_drop_secret(h, c, volume);
}

static RESULT remove_disk(struct disk_host *disks, struct ctx *c, const struct disk_name *what)
{
	struct compute_host *h = disks->on;
	AUTO_VOLUME v = NULL;
	TRY(libvirt_check_alive(h, c));
	TRY(libvirt_need_pools(h, c));
	struct str name = libvirt_disk_name(c->arena, h->region, what);
	TRY(libvirt_find_volume(h, c, h->pool, name, &v));
	if (!v)
		return what->kind == DISK_VOLUME ? drop_secret(h, c, name, what->id) : OK;
	if (what->kind == DISK_VOLUME) {
		TRY(libvirt_release_disk(disks, c, what->id));
		TRY(check_volume_is_free(h, c, v));
	} else if (what->kind == DISK_CUT)
		TRY(libvirt_end_cut(disks, c, what->id));
	else
		TRY(libvirt_check_base_is_free(h, c, name));
	TRY(libvirt_delete_volume(h, c, h->pool, name));
	return what->kind == DISK_VOLUME ? drop_secret(h, c, name, what->id) : OK;
}

const struct disk_driver disk_libvirt = {
	.scheme = "qemu",
	.open_host = open_disks,
	.close_host = close_disks,
	.watch = watch,
	.list = libvirt_list_disks,
	.ensure = ensure,
	.remove = remove_disk,
	.cut = libvirt_cut,
	.lay = increment_apply,
	.pull = libvirt_pull,
	.push = libvirt_push,
	.encrypt = image_convert_sealed,
	.export_file = image_convert_export,
	.recast = image_convert,
	.enter = libvirt_enter,
	.prove = libvirt_prove,
	.pack = image_convert_pack,
};
