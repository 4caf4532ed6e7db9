/* SPDX-License-Identifier: Apache-2.0
 * The directories on a host that hold Dari's files, as libvirt pools: the host's own directory with disks and
 * cached images, its subdirectory with console logs, and directories shared with other hosts; a connection
 * works on one of them at a time. A pool that already exists for a directory is reused; otherwise one is
 * defined. The own directory's pool starts at every boot. A shared directory may not be mounted yet, so it is
 * never created, and its pool is started on demand. */
#include <inttypes.h>

#include "base/heap.h"
#include "drivers/libvirt/host.h"

/* A file system with less free space counts as full: a resumed guest would be paused again immediately. */
static const int64_t FULL_BELOW = (int64_t) 16 << 20;

static bool is_shared(const struct compute_host *h)
{
	return strcmp(h->pool_path, h->own_path) != 0;
}

/* Starts the pool, creating its directory if that is missing. */
static RESULT start_pool(struct compute_host *h, struct ctx *c, virStoragePoolPtr pool, const char *path,
			 bool makes)
{
	if (virStoragePoolIsActive(pool) == 1 || virStoragePoolCreate(pool, 0) == 0)
		return OK;
	if (!makes)
		return libvirt_fail(h, c, "starting the pool of %s on host %s", path, h->name);
	if (virStoragePoolBuild(pool, 0) != 0)
		return libvirt_fail(h, c, "making the directory %s on host %s", path, h->name);
	if (virStoragePoolCreate(pool, 0) != 0 && virStoragePoolIsActive(pool) != 1)
		return libvirt_fail(h, c, "starting the pool of %s on host %s", path, h->name);
	return OK;
}

static RESULT check_path(struct compute_host *h, struct ctx *c, virStoragePoolPtr pool, const char *path)
{
	AUTO(xml_tree) t = NULL;
	AUTO_TEXT xml = virStoragePoolGetXMLDesc(pool, 0);
	if (!xml)
		return libvirt_fail(h, c, "reading a pool's definition");
	TRY(xml_tree_parse(c, str_from(xml), &t));
	struct str has = xml_tree_find(c, t, "/pool/target/path");
	if (str_is(has, path))
		return OK;
	return ctx_fail(c, ERR_CONFLICT, "pool %s on host %s is at %" STR_FMT ", not at %s",
			virStoragePoolGetName(pool), h->name, STR_ARG(has), path);
}

static RESULT define_pool(struct compute_host *h, struct ctx *c, const char *name, const char *path,
			  bool at_boot, virStoragePoolPtr *ret_pool)
{
	struct str xml =
		str_print(c->arena, "<pool type='dir'><name>%s</name><target><path>%s</path></target></pool>",
			  name, path);
	if (!xml.p)
		return ctx_no_memory(c);
	AUTO_POOL p = virStoragePoolDefineXML(h->conn, xml.p, 0);
	if (!p)
		return libvirt_fail(h, c, "defining the pool of %s on host %s", path, h->name);
	if (at_boot)
		virStoragePoolSetAutostart(p, 1); /* optional: it is also started on demand */
	*ret_pool = TAKE(p);
	return OK;
}

static RESULT open_pool(struct compute_host *h, struct ctx *c, struct str name, struct str path, bool is_own,
			virStoragePoolPtr *ret_pool)
{
	if (!name.p || !path.p)
		return ctx_no_memory(c);
	AUTO_POOL p = virStoragePoolLookupByTargetPath(h->conn, path.p); /* finds active pools only */
	if (!p) {
		p = virStoragePoolLookupByName(h->conn, name.p);
		if (p)
			TRY(check_path(h, c, p, path.p));
		else if (libvirt_error_is(VIR_ERR_NO_STORAGE_POOL))
			TRY(define_pool(h, c, name.p, path.p, is_own, &p));
		else
			return libvirt_fail(h, c, "looking for the pool of %s", path.p);
	}
	TRY(start_pool(h, c, p, path.p, is_own));
	*ret_pool = TAKE(p);
	return OK;
}

/* The name is derived from the path: pool names can't contain slashes, checked paths contain no colons. */
static RESULT open_shared(struct compute_host *h, struct ctx *c)
{
	struct str path = str_copy(c->arena, str_from(h->pool_path));
	struct str name = str_print(c->arena, "dari-%s-%" STR_FMT, h->region_text, STR_ARG(path));
	char *at = (char *) name.p;
	for (size_t n = 0; name.p && n < name.n; n++)
		at[n] = at[n] == '/' ? ':' : at[n];
	return open_pool(h, c, name, path, false, &h->pool);
}

static RESULT open_own(struct compute_host *h, struct ctx *c)
{
	struct str name = str_print(c->arena, "dari-%s", h->region_text);
	return open_pool(h, c, name, str_from(h->own_path), true, &h->pool);
}

RESULT libvirt_need_pools(struct compute_host *h, struct ctx *c)
{
	if (h->pool && h->consoles && virStoragePoolIsActive(h->pool) == 1 &&
	    virStoragePoolIsActive(h->consoles) == 1)
		return OK;
	TRY(libvirt_check_alive(h, c));
	libvirt_autodrop_pool(&h->pool);
	libvirt_autodrop_pool(&h->consoles);
	TRY(is_shared(h) ? open_shared(h, c) : open_own(h, c));
	return open_pool(h, c, str_print(c->arena, "dari-%s-console", h->region_text),
			 str_print(c->arena, "%s/console", h->own_path), true, &h->consoles);
}

/* ---- shared directories */

RESULT libvirt_enter(struct disk_host *disks, struct ctx *c, struct str directory)
{
	struct compute_host *h = disks->on;
	struct str path = directory.n ? directory : str_from(h->own_path);
	TRY(ctx_check_may_act(c));
	if (str_is(path, h->pool_path))
		return OK;
	char *copy = heap_copy_z(str_to_z(c->arena, path));
	if (!copy)
		return ctx_no_memory(c);
	libvirt_autodrop_pool(&h->pool);
	heap_free(h->pool_path);
	h->pool_path = copy;
	return OK;
}

struct str libvirt_directory_of(const struct compute_host *h, const struct compute_disk *d)
{
	return d->directory.n ? d->directory : str_from(h->own_path);
}

static const struct str MARK_ENDING = STR(".seen");

static struct str mark_name(struct compute_host *h, struct ctx *c, const struct disk_mark *mark)
{
	char id[UUID_TEXT_SIZE];
	return str_print(c->arena, "dari-%s-%s-%" STR_FMT ".seen", h->region_text, uuid_write(mark->host, id),
			 STR_ARG(mark->word));
}

/* False: not one of this region's marks. The word points into name. */
static bool parse_mark(const struct compute_host *h, struct str name, struct disk_mark *ret_mark)
{
	const size_t id_at = sizeof "dari-01234567-" - 1, word_at = id_at + UUID_TEXT_SIZE;
	if (!str_starts_with(name, STR("dari-")) || !str_ends_with(name, MARK_ENDING) ||
	    name.n <= word_at + MARK_ENDING.n ||
	    !str_is(str_slice(name, strlen("dari-"), id_at - 1), h->region_text))
		return false;
	ret_mark->word = str_slice(name, word_at, name.n - MARK_ENDING.n);
	return result_is_ok(uuid_parse(str_slice(name, id_at, word_at - 1), &ret_mark->host));
}

static RESULT add_mark(struct compute_host *h, struct ctx *c, virStorageVolPtr v, const struct disk_mark *own,
		       struct str kept_word, struct disk_marks *marks)
{
	struct disk_mark mark = {0};
	struct str name = str_copy(c->arena, str_from(virStorageVolGetName(v)));
	if (!name.p)
		return ctx_no_memory(c);
	if (!parse_mark(h, name, &mark))
		return OK;
	bool is_old = uuid_equal(mark.host, own->host) && !str_equal(mark.word, own->word) &&
		      !str_equal(mark.word, kept_word);
	if (is_old)
		return libvirt_delete_volume(h, c, h->pool, name);
	marks->at[marks->count++] = mark;
	return OK;
}

static RESULT list_marks(struct compute_host *h, struct ctx *c, const struct disk_mark *own,
			 struct str kept_word, struct disk_marks *ret_marks)
{
	virStorageVolPtr *volumes = NULL;
	int count = virStoragePoolListAllVolumes(h->pool, &volumes, 0);
	if (count < 0)
		return libvirt_fail(h, c, "listing the pool %s", h->pool_path);
	ret_marks->at = arena_new_array(c->arena, struct disk_mark, (size_t) count + 1);
	struct result r = ret_marks->at ? OK : ctx_no_memory(c);
	for (int k = 0; k < count; k++) {
		if (result_is_ok(r))
			r = add_mark(h, c, volumes[k], own, kept_word, ret_marks);
		virStorageVolFree(volumes[k]);
	}
	libvirt_autofree_text((char **) &volumes);
	return r;
}

static RESULT make_mark(struct compute_host *h, struct ctx *c, const struct disk_mark *own)
{
	AUTO_VOLUME v = NULL;
	struct str name = mark_name(h, c, own);
	TRY(libvirt_find_volume(h, c, h->pool, name, &v));
	if (v)
		return OK;
	struct str xml =
		str_print(c->arena,
			  "<volume type='file'><name>%" STR_FMT "</name><capacity unit='bytes'>0</capacity>"
			  "<allocation>0</allocation><target><format type='raw'/></target></volume>",
			  STR_ARG(name));
	return libvirt_create_volume(h, c, xml, name, &v);
}

RESULT libvirt_prove(struct disk_host *disks, struct ctx *c, const struct disk_mark *own,
		     struct str kept_word, struct disk_marks *ret_marks)
{
	struct compute_host *h = disks->on;
	virStoragePoolInfo info = {0};
	struct disk_marks marks = {0};
	TRY(libvirt_check_alive(h, c));
	TRY(libvirt_need_pools(h, c));
	if (virStoragePoolRefresh(h->pool, 0) != 0) /* also refused while a file is created */
		return libvirt_fail(h, c, "reading the pool %s on host %s", h->pool_path, h->name);
	TRY(make_mark(h, c, own));
	TRY(list_marks(h, c, own, kept_word, &marks));
	if (virStoragePoolGetInfo(h->pool, &info) != 0)
		return libvirt_fail(h, c, "looking at the pool %s", h->pool_path);
	marks.size = (int64_t) info.capacity;
	marks.free = (int64_t) info.available;
	*ret_marks = marks;
	return OK;
}

/* ---- room */

/* libvirt reports the sizes of its last refresh; for the host's own file system the console pool is
 * refreshed, which is quicker. */
RESULT libvirt_find_room(struct compute_host *h, struct ctx *c, int64_t *ret_size, int64_t *ret_free)
{
	virStoragePoolInfo info = {0};
	TRY(libvirt_need_pools(h, c));
	virStoragePoolPtr pool = is_shared(h) ? h->pool : h->consoles;
	virStoragePoolRefresh(pool, 0); /* refused while one of its files is created */
	if (virStoragePoolGetInfo(pool, &info) != 0)
		return libvirt_fail(h, c, "looking at the room below %s on host %s", h->pool_path, h->name);
	*ret_size = (int64_t) info.capacity;
	*ret_free = (int64_t) info.available;
	return OK;
}

RESULT libvirt_check_room(struct compute_host *h, struct ctx *c)
{
	int64_t size = 0, free = 0;
	TRY(libvirt_find_room(h, c, &size, &free));
	return free >= FULL_BELOW
		       ? OK
		       : ctx_fail(c, ERR_CAPACITY, "the pool %s on host %s is full: %" PRId64 " MiB are left",
				  h->pool_path, h->name, free >> 20);
}

RESULT libvirt_need_room(struct compute_host *h, struct ctx *c, int64_t more)
{
	int64_t size = 0, free = 0;
	TRY(libvirt_find_room(h, c, &size, &free));
	return free >= more + FULL_BELOW ? OK
					 : ctx_fail(c, ERR_CAPACITY,
						    "the pool %s on host %s has %" PRId64
						    " MiB left, and up to %" PRId64 " MiB are to come",
						    h->pool_path, h->name, free >> 20, more >> 20);
}

RESULT libvirt_blame_room(struct compute_host *h, struct ctx *c, struct result r)
{
	if (result_is_ok(r) || r.code == ERR_GONE)
		return r;
	struct problem problem = c->problem;
	ctx_clear_problem(c);
	struct result room = libvirt_check_room(h, c);
	if (room.code == ERR_CAPACITY)
		return room;
	c->problem = problem;
	return r;
}

/* libvirt's list of a pool's files dates from its last refresh and its own changes since: it misses files
 * created or deleted by other hosts. So its answer is verified, and the pool refreshed if it is wrong. */
static RESULT find_shared(struct compute_host *h, struct ctx *c, struct str name,
			  virStorageVolPtr *ret_volume)
{
	virStorageVolInfo info = {0};
	AUTO_VOLUME v = virStorageVolLookupByName(h->pool, name.p);
	if (!v || virStorageVolGetInfo(v, &info) != 0) {
		libvirt_autodrop_volume(&v);
		if (virStoragePoolRefresh(h->pool, 0) != 0)
			return libvirt_fail(h, c, "reading the pool %s on host %s", h->pool_path, h->name);
		v = virStorageVolLookupByName(h->pool, name.p);
	}
	if (!v && !libvirt_error_is(VIR_ERR_NO_STORAGE_VOL))
		return libvirt_fail(h, c, "looking for %" STR_FMT, STR_ARG(name));
	*ret_volume = TAKE(v);
	return OK;
}

RESULT libvirt_find_volume(struct compute_host *h, struct ctx *c, virStoragePoolPtr pool, struct str name,
			   virStorageVolPtr *ret_volume)
{
	if (!name.p)
		return ctx_no_memory(c);
	if (pool == h->pool && is_shared(h))
		return find_shared(h, c, name, ret_volume);
	*ret_volume = virStorageVolLookupByName(pool, name.p);
	if (!*ret_volume && !libvirt_error_is(VIR_ERR_NO_STORAGE_VOL))
		return libvirt_fail(h, c, "looking for %" STR_FMT, STR_ARG(name));
	return OK;
}

RESULT libvirt_create_volume(struct compute_host *h, struct ctx *c, struct str xml, struct str name,
			     virStorageVolPtr *ret_volume)
{
	if (!xml.p)
		return ctx_no_memory(c);
	*ret_volume = virStorageVolCreateXML(h->pool, xml.p, 0);
	if (*ret_volume)
		return OK;
	struct result r = libvirt_fail(h, c, "creating %" STR_FMT " on host %s", STR_ARG(name), h->name);
	virStoragePoolRefresh(h->pool, 0);
	return libvirt_blame_room(h, c, r);
}

RESULT libvirt_read_length(struct ctx *c, struct xml_tree *t, int64_t *ret_size)
{
	struct str text = xml_tree_find(c, t, "/volume/physical");
	*ret_size = 0;
	if (!text.n) /* libvirt omits a zero */
		return OK;
	if (!result_is_ok(str_parse_int(text, ret_size)))
		return ctx_fail(c, ERR_IO, "libvirt tells a file's length as \"%" STR_FMT "\"",
				STR_ARG(text));
	return OK;
}

RESULT libvirt_delete_volume(struct compute_host *h, struct ctx *c, virStoragePoolPtr pool, struct str name)
{
	AUTO_VOLUME v = NULL;
	TRY(libvirt_find_volume(h, c, pool, name, &v));
	if (v && virStorageVolDelete(v, 0) != 0 && !libvirt_error_is(VIR_ERR_NO_STORAGE_VOL))
		return libvirt_fail(h, c, "deleting %" STR_FMT, STR_ARG(name));
	return OK;
}
