/* SPDX-License-Identifier: Apache-2.0
 * The two directories on a host that Dari keeps files in, as libvirt pools: disks and cached images
 * in pool_path, console logs below it. A pool that already serves the directory is used as it is;
 * else one of our own is defined, started with every boot. */
#include <inttypes.h>

#include "drivers/libvirt/host.h"

/* A file system with less is full: a guest that went on would be held again at once. */
static const int64_t FULL_BELOW = (int64_t) 16 << 20;

/* Starts it; makes its directory when that is what is missing. */
static RESULT start_pool(struct compute_host *h, struct ctx *c, virStoragePoolPtr pool, const char *path)
{
	if (virStoragePoolIsActive(pool) == 1 || virStoragePoolCreate(pool, 0) == 0)
		return OK;
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
			  virStoragePoolPtr *ret_pool)
{
	struct str xml =
		str_print(c->arena, "<pool type='dir'><name>%s</name><target><path>%s</path></target></pool>",
			  name, path);
	if (!xml.p)
		return ctx_no_memory(c);
	AUTO_POOL p = virStoragePoolDefineXML(h->conn, xml.p, 0);
	if (!p)
		return libvirt_fail(h, c, "defining the pool of %s on host %s", path, h->name);
	virStoragePoolSetAutostart(p, 1); /* a convenience: we start it too */
	*ret_pool = TAKE(p);
	return OK;
}

static RESULT open_pool(struct compute_host *h, struct ctx *c, const char *suffix,
			virStoragePoolPtr *ret_pool)
{
	struct str name = str_print(c->arena, "dari-%s%s", h->region_text, suffix);
	struct str path =
		str_print(c->arena, "%s%s%s", h->pool_path, *suffix ? "/" : "", *suffix ? suffix + 1 : "");
	if (!name.p || !path.p)
		return ctx_no_memory(c);
	AUTO_POOL p = virStoragePoolLookupByTargetPath(h->conn, path.p); /* finds running ones */
	if (!p) {
		p = virStoragePoolLookupByName(h->conn, name.p);
		if (p)
			TRY(check_path(h, c, p, path.p));
		else if (libvirt_error_is(VIR_ERR_NO_STORAGE_POOL))
			TRY(define_pool(h, c, name.p, path.p, &p));
		else
			return libvirt_fail(h, c, "looking for the pool of %s", path.p);
	}
	TRY(start_pool(h, c, p, path.p));
	*ret_pool = TAKE(p);
	return OK;
}

RESULT libvirt_need_pools(struct compute_host *h, struct ctx *c)
{
	if (h->pool && h->consoles && virStoragePoolIsActive(h->pool) == 1 &&
	    virStoragePoolIsActive(h->consoles) == 1)
		return OK;
	TRY(libvirt_check_alive(h, c));
	libvirt_autodrop_pool(&h->pool);
	libvirt_autodrop_pool(&h->consoles);
	TRY(open_pool(h, c, "", &h->pool));
	return open_pool(h, c, "-console", &h->consoles);
}

/* libvirt tells what it knew when it last read a pool; the consoles' is the one that is read quickly. */
RESULT libvirt_find_room(struct compute_host *h, struct ctx *c, int64_t *ret_size, int64_t *ret_free)
{
	virStoragePoolInfo info = {0};
	TRY(libvirt_need_pools(h, c));
	virStoragePoolRefresh(h->consoles, 0); /* refused while a file of it is made */
	if (virStoragePoolGetInfo(h->consoles, &info) != 0)
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

RESULT libvirt_find_volume(struct compute_host *h, struct ctx *c, virStoragePoolPtr pool, struct str name,
			   virStorageVolPtr *ret_volume)
{
	if (!name.p)
		return ctx_no_memory(c);
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
	if (!text.n) /* libvirt leaves a zero out */
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
