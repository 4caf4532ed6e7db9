/* SPDX-License-Identifier: Apache-2.0
 * Disks that several guests use at the same time. Each is a raw image, because QEMU can't open any other
 * format several times. All domains mark it <shareable/>; as all guests are on one host, its page cache, or
 * none, shows every guest the others' writes. QEMU doesn't back up such a file while others have it open, nor
 * does qemu-img read it. So libvirt copies it while all its guests are paused, which is instant where the
 * file system supports reflinks, and the cut is made from the copy. A growth is announced to every guest.
 *
 * A guest controls the first bytes of such a file. libvirt guesses formats from these when it reads a pool,
 * and would follow a backing file named there. So the pool's volume functions are used on such a file only if
 * libvirt considers it raw, both before and after. Domain definitions state the format explicitly. */
#include <inttypes.h>

#include "drivers/libvirt/host.h"

static RESULT check_is_plain(struct compute_host *h, struct ctx *c, virStorageVolPtr v)
{
	struct disk_file file = {0};
	TRY(libvirt_read_disk(h, c, v, &file));
	return str_is(file.format, "raw")
		       ? OK
		       : ctx_fail(c, ERR_INVALID,
				  "the disk %" STR_FMT
				  " on host %s begins like a file of the format %" STR_FMT
				  ", which its guests wrote there: it cannot be copied like that",
				  STR_ARG(file.path), h->name, STR_ARG(file.format));
}

static struct str name_of(struct compute_host *h, struct ctx *c, uuid volume, bool is_raw)
{
	struct disk_name name = {.kind = DISK_VOLUME, .id = volume, .is_raw = is_raw};
	return libvirt_disk_name(c->arena, h->region, &name);
}

static struct str path_of(struct compute_host *h, struct ctx *c, uuid volume)
{
	struct str name = name_of(h, c, volume, true);
	return str_print(c->arena, "%s/%" STR_FMT, h->pool_path, STR_ARG(name));
}

/* ---- making */

static struct str write_plain(struct ctx *c, struct str name, int64_t size)
{
	return str_print(
		c->arena,
		"<volume type='file'><name>%" STR_FMT "</name><capacity unit='bytes'>%" PRId64
		"</capacity><allocation>0</allocation><target><format type='raw'/></target></volume>",
		STR_ARG(name), size);
}

static RESULT make_blank(struct compute_host *h, struct ctx *c, struct str name, int64_t size)
{
	AUTO_VOLUME v = NULL;
	struct str xml = write_plain(c, name, size);
	return libvirt_create_volume(h, c, xml, name, &v);
}

static RESULT make_copy(struct compute_host *h, struct ctx *c, struct str name, int64_t size,
			virStorageVolPtr source)
{
	struct disk_file file = {0};
	int64_t made = 0;
	TRY(libvirt_read_disk(h, c, source, &file));
	TRY(libvirt_read_format(h, c, source, &file));
	TRY(libvirt_need_room(h, c, file.file_size));
	struct str xml = write_plain(c, name, file.size);
	if (!xml.p)
		return ctx_no_memory(c);
	AUTO_VOLUME v = virStorageVolCreateXMLFrom(h->pool, xml.p, source, 0);
	if (!v) {
		struct result r = libvirt_fail(h, c, "copying the disk %" STR_FMT, STR_ARG(file.path));
		virStoragePoolRefresh(h->pool, 0);
		return libvirt_blame_room(h, c, r);
	}
	TRY(libvirt_find_file_size(h, c, v, &made));
	if (made < size && virStorageVolResize(v, (unsigned long long) size, 0) != 0)
		return libvirt_fail(h, c, "growing the disk %" STR_FMT, STR_ARG(name));
	return OK;
}

/* Until someone recorded it as complete, the disk is recreated from the volume's previous form. */
static RESULT make(struct disk_host *disks, struct ctx *c, const struct disk_spec *w,
		   struct disk_seen *ret_seen)
{
	struct compute_host *h = disks->on;
	struct disk_name base = {.kind = DISK_BASE, .sha256 = w->base_sha256};
	struct str name = name_of(h, c, w->volume, true), from = name_of(h, c, w->volume, false);
	AUTO_VOLUME source = NULL;
	bool has = true;
	TRY(libvirt_delete_volume(h, c, h->pool, name));
	if (!w->was_there && w->base_sha256.n) {
		from = libvirt_disk_name(c->arena, h->region, &base);
		TRY(libvirt_has_base(h, c, w, from, &has));
	}
	if (!has) {
		*ret_seen = (struct disk_seen){.lacks_base = true};
		return OK;
	}
	if (w->was_there || w->base_sha256.n) {
		TRY(libvirt_find_volume(h, c, h->pool, from, &source));
		if (!source)
			return libvirt_fail_missing(h, c, w->volume);
	}
	TRY(source ? make_copy(h, c, name, w->size, source) : make_blank(h, c, name, w->size));
	*ret_seen = (struct disk_seen){.size = w->size};
	return OK;
}

/* ---- growing */

static RESULT resize_of(struct disk_host *disks, struct ctx *c, uuid domain, const struct disk_spec *w)
{
	struct str path = path_of(disks->on, c, w->volume);
	AUTO_DOMAIN d = virDomainLookupByUUID(disks->on->conn, domain.b);
	if (!path.p)
		return ctx_no_memory(c);
	if (!d && libvirt_error_is(VIR_ERR_NO_DOMAIN))
		return OK;
	if (!d)
		return libvirt_fail(disks->on, c, "looking for a domain");
	TRY(libvirt_check_answers(disks->on, c, d));
	ASKING(disks, domain);
	if (virDomainBlockResize(d, path.p, (unsigned long long) w->size, VIR_DOMAIN_BLOCK_RESIZE_BYTES) ==
		    0 ||
	    virDomainIsActive(d) == 0)
		return OK;
	return libvirt_fail(disks->on, c, "growing a disk of domain %s", virDomainGetName(d));
}

/* Grows it through a held QEMU, which knows the format. */
static RESULT resize_free(struct disk_host *disks, struct ctx *c, const struct disk_spec *w)
{
	struct compute_disk disk = {.volume = w->volume, .is_raw = true, .is_shared = true};
	AUTO_DOMAIN holder = NULL;
	TRY(libvirt_hold_disk(disks, c, w->volume, &disk, &holder));
	struct result r = resize_of(disks, c, libvirt_id_of(holder), w);
	struct problem problem = c->problem;
	struct result released = libvirt_release_disk(disks, c, w->volume);
	if (result_is_ok(r))
		return released;
	c->problem = problem;
	return r;
}

/* Repeats for guests that started while the others were notified. */
static RESULT grow(struct disk_host *disks, struct ctx *c, const struct disk_spec *w)
{
	struct uuids told = {0}, now = {0};
	struct str path = path_of(disks->on, c, w->volume);
	TRY(libvirt_list_users_of(disks->on, c, path, &told));
	for (size_t k = 0; k < told.count; k++)
		TRY(resize_of(disks, c, told.at[k], w));
	if (told.count == 0)
		TRY(resize_free(disks, c, w));
	TRY(libvirt_list_users_of(disks->on, c, path, &now));
	for (size_t k = 0; k < now.count; k++)
		if (!uuids_have(&told, now.at[k]))
			TRY(resize_of(disks, c, now.at[k], w));
	return OK;
}

RESULT libvirt_ensure_raw(struct disk_host *disks, struct ctx *c, const struct disk_spec *w,
			  struct disk_seen *ret_seen)
{
	struct compute_host *h = disks->on;
	int64_t size = 0;
	AUTO_VOLUME v = NULL;
	if (!w->was_raw)
		return make(disks, c, w, ret_seen);
	TRY(libvirt_find_volume(h, c, h->pool, name_of(h, c, w->volume, true), &v));
	if (!v)
		return libvirt_fail_missing(h, c, w->volume);
	TRY(libvirt_release_disk(disks, c, w->volume)); /* left by an interrupted call */
	TRY(libvirt_find_file_size(h, c, v, &size));
	if (size < w->size || w->is_growing)
		TRY(grow(disks, c, w));
	*ret_seen = (struct disk_seen){.size = size < w->size ? w->size : size};
	return libvirt_delete_volume(h, c, h->pool, name_of(h, c, w->volume, false)); /* its previous form */
}

/* ---- cutting */

static RESULT check_stands_still(struct compute_host *h, struct ctx *c, uuid domain)
{
	int state = VIR_DOMAIN_NOSTATE;
	AUTO_DOMAIN d = virDomainLookupByUUID(h->conn, domain.b);
	if (!d && libvirt_error_is(VIR_ERR_NO_DOMAIN))
		return OK;
	if (!d || virDomainGetState(d, &state, NULL, 0) != 0)
		return libvirt_fail(h, c, "looking at a domain");
	return state == VIR_DOMAIN_PAUSED || state == VIR_DOMAIN_SHUTOFF
		       ? OK
		       : ctx_fail(c, ERR_IN_USE, "the guest of domain %s has the disk and runs on",
				  virDomainGetName(d));
}

static RESULT check_all_stand_still(struct compute_host *h, struct ctx *c, uuid volume)
{
	struct uuids users = {0};
	TRY(libvirt_list_users_of(h, c, path_of(h, c, volume), &users));
	for (size_t k = 0; k < users.count; k++)
		TRY(check_stands_still(h, c, users.at[k]));
	return OK;
}

/* Checks for space for both the copy and the cut: the allocated bytes, which may be fewer than the length. */
static RESULT need_room(struct compute_host *h, struct ctx *c, virStorageVolPtr v)
{
	virStorageVolInfo info = {0};
	if (virStorageVolGetInfo(v, &info) != 0)
		return libvirt_fail(h, c, "looking at %s on host %s", virStorageVolGetName(v), h->name);
	return libvirt_need_room(h, c, 2 * (int64_t) info.allocation);
}

static struct str copy_name(struct compute_host *h, struct ctx *c, uuid snapshot)
{
	struct disk_name name = {.kind = DISK_CUT, .id = snapshot, .is_raw = true};
	return libvirt_disk_name(c->arena, h->region, &name);
}

/* Uses libvirt's own copying, which ignores QEMU's locks. */
static RESULT make_plain_copy(struct compute_host *h, struct ctx *c, virStorageVolPtr v, struct str name,
			      int64_t size)
{
	struct str xml = write_plain(c, name, size);
	if (!xml.p)
		return ctx_no_memory(c);
	AUTO_VOLUME quick = virStorageVolCreateXMLFrom(h->pool, xml.p, v, VIR_STORAGE_VOL_CREATE_REFLINK);
	if (quick)
		return OK;
	TRY(libvirt_delete_volume(h, c, h->pool, name));
	AUTO_VOLUME made = virStorageVolCreateXMLFrom(h->pool, xml.p, v, 0);
	if (made)
		return OK;
	struct result r = libvirt_fail(h, c, "copying a disk to %" STR_FMT, STR_ARG(name));
	virStoragePoolRefresh(h->pool, 0);
	return libvirt_blame_room(h, c, r);
}

/* Deletes a created file if it turned out to be useless. */
static RESULT keep_if(struct compute_host *h, struct ctx *c, struct result r, struct str made)
{
	struct problem problem = c->problem;
	if (result_is_ok(r) || r.code == ERR_GONE)
		return r;
	TRY(libvirt_delete_volume(h, c, h->pool, made));
	c->problem = problem;
	return r;
}

/* Returns when the copy is complete. */
static RESULT copy_still(struct compute_host *h, struct ctx *c, const struct disk_cut *cut,
			 struct disk_cut_seen *ret_seen)
{
	int64_t size = 0;
	AUTO_VOLUME v = NULL;
	struct str name = name_of(h, c, cut->volume, true), copy = copy_name(h, c, cut->snapshot);
	TRY(libvirt_find_volume(h, c, h->pool, name, &v));
	if (!v)
		return ctx_fail(c, ERR_NOT_FOUND, "the disk %" STR_FMT " is missing on the host %s",
				STR_ARG(name), h->name);
	TRY(libvirt_find_file_size(h, c, v, &size));
	TRY(libvirt_delete_volume(h, c, h->pool, copy));
	TRY(need_room(h, c, v));
	TRY(check_is_plain(h, c, v));
	TRY(check_all_stand_still(h, c, cut->volume));
	TRY(make_plain_copy(h, c, v, copy, size));
	struct result r = check_is_plain(h, c, v);
	if (result_is_ok(r))
		r = check_all_stand_still(h, c, cut->volume);
	*ret_seen = (struct disk_cut_seen){.is_copied = true, .progress = 50, .size = size};
	return keep_if(h, c, r, copy);
}

static RESULT cut_copy(struct compute_host *h, struct ctx *c, const struct disk_cut *cut, struct str file,
		       struct disk_cut_seen *ret_seen)
{
	int64_t size = 0;
	AUTO_VOLUME v = NULL;
	struct str copy = copy_name(h, c, cut->snapshot);
	TRY(libvirt_delete_volume(h, c, h->pool, file));
	TRY(libvirt_find_volume(h, c, h->pool, copy, &v));
	if (!v)
		return ctx_fail(c, ERR_NOT_FOUND, "the copy %" STR_FMT " is missing on the host %s",
				STR_ARG(copy), h->name);
	TRY(libvirt_find_file_size(h, c, v, &size));
	TRY(check_is_plain(h, c, v));
	TRY(libvirt_copy_resting(h, c, v, size, file));
	TRY(keep_if(h, c, check_is_plain(h, c, v), file));
	*ret_seen =
		(struct disk_cut_seen){.is_whole = true, .is_copied = true, .progress = 100, .size = size};
	return OK;
}

RESULT libvirt_cut_raw(struct disk_host *disks, struct ctx *c, const struct disk_cut *cut, struct str file,
		       struct disk_cut_seen *ret_seen)
{
	return cut->is_copied ? cut_copy(disks->on, c, cut, file, ret_seen)
			      : copy_still(disks->on, c, cut, ret_seen);
}
