/* SPDX-License-Identifier: Apache-2.0
 * Disks: qcow2 files named by their volume, over a cached image or blank. One that is there is
 * grown, never shrunk, and made anew only while it cannot hold anything a guest wrote, which nobody
 * may say of one that was there before. */
#include <inttypes.h>

#include "drivers/libvirt/host.h"

/* A qcow2 of this many bytes holds its own tables and no cluster of data. */
enum { EMPTY_FILE_SIZE = 256 * 1024 };

/* ---- creating */

static struct str write_disk_xml(struct ctx *c, const struct compute_host *h, const struct compute_disk *d,
				 struct str name)
{
	struct str backing = STR(""), image = STR_NONE;
	if (d->image_sha256.n) {
		image = libvirt_image_name(c->arena, h->region, d->image_sha256);
		backing = str_print(c->arena,
				    "<backingStore><path>%s/%" STR_FMT
				    "</path><format type='qcow2'/></backingStore>",
				    h->pool_path, STR_ARG(image));
		if (!image.p || !backing.p)
			return STR_NONE;
	}
	return str_print(
		c->arena,
		"<volume type='file'><name>%" STR_FMT "</name><capacity unit='bytes'>%" PRId64 "</capacity>"
		"<allocation>0</allocation><target><format type='qcow2'/><compat>1.1</compat></target>"
		"%" STR_FMT "</volume>",
		STR_ARG(name), d->size, STR_ARG(backing));
}

static RESULT create_disk(struct compute_host *h, struct ctx *c, const struct compute_disk *d,
			  struct str name)
{
	if (d->image_sha256.n)
		TRY(libvirt_ensure_image(h, c, d));
	AUTO_VOLUME v = NULL;
	return libvirt_create_volume(h, c, write_disk_xml(c, h, d, name), name, &v);
}

/* ---- looking */

struct disk_file {
	struct str path, format, backing;
	int64_t capacity, physical;
};

static RESULT read_disk(struct compute_host *h, struct ctx *c, virStorageVolPtr v, struct disk_file *ret_file)
{
	AUTO(xml_tree) t = NULL;
	AUTO_TEXT xml = virStorageVolGetXMLDesc(v, 0); /* looks at the file anew */
	if (!xml)
		return libvirt_fail(h, c, "looking at the disk %s", virStorageVolGetName(v));
	TRY(xml_tree_parse(c, str_from(xml), &t));
	ret_file->path = xml_tree_find(c, t, "/volume/target/path");
	ret_file->format = xml_tree_find(c, t, "/volume/target/format/@type");
	ret_file->backing = xml_tree_find(c, t, "/volume/backingStore/path");
	TRY(libvirt_read_length(c, t, &ret_file->physical));
	if (!result_is_ok(str_parse_int(xml_tree_find(c, t, "/volume/capacity"), &ret_file->capacity)))
		return ctx_fail(c, ERR_IO, "libvirt does not tell the size of %s", virStorageVolGetName(v));
	return OK;
}

/* Cut off while it was made (libvirtd or the host died): not a disk yet, and nothing is lost with it. */
static bool is_unfinished(const struct compute_disk *d, const struct disk_file *f)
{
	bool is_whole = str_is(f->format, "qcow2") && f->capacity > 0 && f->physical > 0 &&
			(!d->image_sha256.n || f->backing.n);
	return !is_whole && f->physical <= EMPTY_FILE_SIZE;
}

/* ---- growing */

static RESULT grow_disk(struct compute_host *h, struct ctx *c, virStorageVolPtr v, const struct disk_file *f,
			int64_t size)
{
	AUTO_DOMAIN user = NULL;
	TRY(libvirt_find_user_of(h, c, f->path, &user));
	int failed = user ? virDomainBlockResize(user, f->path.p, (unsigned long long) size,
						 VIR_DOMAIN_BLOCK_RESIZE_BYTES)
			  : virStorageVolResize(v, (unsigned long long) size, 0);
	if (failed)
		return libvirt_fail(h, c, "growing the disk %s", virStorageVolGetName(v));
	return OK;
}

static RESULT fail_missing(struct compute_host *h, struct ctx *c, uuid volume)
{
	char id[UUID_TEXT_SIZE];
	return ctx_fail(c, ERR_NOT_FOUND, "the disk of volume %s is missing on the host %s",
			uuid_write(volume, id), h->name);
}

RESULT libvirt_ensure_disk(struct compute_host *h, struct ctx *c, const struct compute_disk *disk,
			   int64_t *ret_size)
{
	struct disk_file file = {0};
	AUTO_VOLUME v = NULL;
	TRY(libvirt_check_alive(h, c));
	if (disk->size <= 0 || disk->size % 512)
		return ctx_fail(c, ERR_INVALID, "a disk of %" PRId64 " bytes", disk->size);
	TRY(libvirt_need_pools(h, c));
	struct str name = libvirt_volume_name(c->arena, h->region, disk->volume);
	TRY(libvirt_find_volume(h, c, h->pool, name, &v));
	if (v)
		TRY(read_disk(h, c, v, &file));
	if (v && !disk->was_there && is_unfinished(disk, &file)) {
		TRY(libvirt_delete_volume(h, c, h->pool, name));
		libvirt_autodrop_volume(&v);
	}
	if (!v && disk->was_there)
		return fail_missing(h, c, disk->volume);
	if (!v) {
		TRY(create_disk(h, c, disk, name));
		*ret_size = disk->size;
		return OK;
	}
	if (!str_is(file.format, "qcow2"))
		return ctx_fail(c, ERR_CONFLICT, "%" STR_FMT " on host %s is not a qcow2 disk",
				STR_ARG(file.path), h->name);
	if (file.capacity < disk->size)
		TRY(grow_disk(h, c, v, &file, disk->size));
	*ret_size = file.capacity < disk->size ? disk->size : file.capacity;
	return OK;
}

RESULT libvirt_delete_disk(struct compute_host *h, struct ctx *c, uuid volume)
{
	AUTO_DOMAIN user = NULL;
	TRY(libvirt_check_alive(h, c));
	TRY(libvirt_need_pools(h, c));
	struct str name = libvirt_volume_name(c->arena, h->region, volume);
	if (!name.p)
		return ctx_no_memory(c);
	TRY(libvirt_find_user_of(h, c, name, &user));
	if (user)
		return ctx_fail(c, ERR_IN_USE, "the disk %" STR_FMT " is used by the running domain %s",
				STR_ARG(name), virDomainGetName(user));
	return libvirt_delete_volume(h, c, h->pool, name);
}
