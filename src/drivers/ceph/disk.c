/* SPDX-License-Identifier: Apache-2.0
 * Disks: images named after their volume, blank or clones of a base's snapshot; grown and never shrunk. And
 * the driver's table. */
#include <errno.h>
#include <inttypes.h>

#include "drivers/ceph/pool.h"
#include "drivers/crypt_file.h"
#include "drivers/image/image_convert.h"
#include "drivers/increment_apply.h"

static RESULT has_base(struct disk_host *h, struct ctx *c, struct str base, bool *ret_has)
{
	AUTO_IMAGE image = NULL;
	TRY(ceph_look_at(h, c, base, &image));
	*ret_has = false;
	return image ? ceph_has_snapshot(h, c, image, BASE_SNAPSHOT, ret_has) : OK;
}

static struct result fail_gone(struct ctx *c, struct str name)
{
	return ctx_fail(c, ERR_AGAIN, "%" STR_FMT " went while it was made", STR_ARG(name));
}

/* ---- encrypted ones: the head of a LUKS container comes before the disk's bytes */

RESULT ceph_find_payload(struct disk_host *h, struct ctx *c, rbd_image_t image, int64_t *ret_offset)
{
	char head[CRYPT_HEAD_LOOK];
	ssize_t n = ceph.rbd_read(image, 0, sizeof head, head);
	if (n < 0)
		return ceph_fail(h, c, (int) n, "reading an image");
	return crypt_file_find_payload(c, (struct str){head, (size_t) n}, ret_offset);
}

RESULT ceph_find_sealed(struct disk_host *h, struct ctx *c, rbd_image_t image, int64_t *ret_offset)
{
	struct str sealed = STR_NONE;
	TRY(ceph_get_meta(h, c, image, META_SEALED, &sealed));
	*ret_offset = 0;
	return sealed.n ? ceph_find_payload(h, c, image, ret_offset) : OK;
}

static RESULT write_head(struct disk_host *h, struct ctx *c, struct str name, const struct disk_key *key)
{
	struct str head = STR_NONE;
	AUTO_IMAGE image = NULL;
	TRY(crypt_file_make_head(c, key, &head));
	TRY(ceph_make_blank(h, c, name, (int64_t) head.n));
	TRY(ceph_open_image(h, c, name, NULL, &image));
	if (!image)
		return fail_gone(c, name);
	ssize_t n = ceph.rbd_write(image, 0, head.n, head.p);
	if (n != (ssize_t) head.n)
		return ceph_fail(h, c, n < 0 ? (int) n : -EIO, "writing an image");
	return ceph_set_meta(h, c, image, META_SEALED, "yes");
}

/* Marks an imported image as sealed if it is a LUKS container; refuses it otherwise. */
static RESULT need_sealed(struct disk_host *h, struct ctx *c, const struct disk_spec *w, rbd_image_t image,
			  struct str name)
{
	struct str sealed = STR_NONE;
	int64_t offset = 0;
	AUTO_IMAGE own = NULL;
	TRY(ceph_get_meta(h, c, image, META_SEALED, &sealed));
	if (sealed.n && !w->key)
		return ctx_fail(c, ERR_CONFLICT, "%" STR_FMT " in Ceph's pool %s is encrypted", STR_ARG(name),
				h->pool);
	if (sealed.n || !w->key)
		return OK;
	TRY(ceph_find_payload(h, c, image, &offset));
	TRY(ceph_open_image(h, c, name, NULL, &own));
	return own ? ceph_set_meta(h, c, own, META_SEALED, "yes") : fail_gone(c, name);
}

/* ---- making */

/* Writes the mark last: an image without it is recreated. */
static RESULT finish_disk(struct disk_host *h, struct ctx *c, const struct disk_spec *w, struct str name,
			  struct disk_seen *ret_seen)
{
	int64_t offset = 0;
	AUTO_IMAGE image = NULL;
	TRY(ceph_open_image(h, c, name, NULL, &image));
	if (!image)
		return fail_gone(c, name);
	TRY(ceph_find_sealed(h, c, image, &offset));
	TRY(ceph_get_size_of(h, c, image, &ret_seen->size));
	ret_seen->size -= offset;
	int answer = ret_seen->size < w->size ? ceph.rbd_resize(image, (uint64_t) (w->size + offset)) : 0;
	if (answer < 0)
		return ceph_fail(h, c, answer, "growing %" STR_FMT, STR_ARG(name));
	if (ret_seen->size < w->size)
		ret_seen->size = w->size;
	return ceph_set_mark(h, c, image);
}

static RESULT make_disk(struct disk_host *h, struct ctx *c, const struct disk_spec *w, struct str name,
			struct disk_seen *ret_seen)
{
	struct disk_name base_name = {.kind = DISK_BASE, .sha256 = w->base_sha256};
	struct str base = ceph_name_of(h, c, &base_name);
	bool has = !w->base_sha256.n;
	if (!has && w->key)
		return ctx_fail(c, ERR_INVALID, "an encrypted disk in Ceph's pool %s stands on nothing",
				h->pool);
	if (!has)
		TRY(has_base(h, c, base, &has));
	*ret_seen = (struct disk_seen){.lacks_base = !has};
	if (!has)
		return OK;
	TRY(w->base_sha256.n ? ceph_make_clone(h, c, base, BASE_SNAPSHOT, name)
	    : w->key         ? write_head(h, c, name, w->key)
			     : ceph_make_blank(h, c, name, w->size));
	return finish_disk(h, c, w, name, ret_seen);
}

static RESULT check_wish(struct ctx *c, const struct disk_spec *w)
{
	return w->size > 0 && w->size % 512 == 0
		       ? OK
		       : ctx_fail(c, ERR_INVALID, "a disk of %" PRId64 " bytes", w->size);
}

static struct result fail_missing(struct disk_host *h, struct ctx *c, struct str name)
{
	return ctx_fail(c, ERR_NOT_FOUND, "%" STR_FMT " is missing in Ceph's pool %s", STR_ARG(name),
			h->pool);
}

/* Checks a disk that holds, or will hold, data. */
static RESULT check_disk(struct disk_host *h, struct ctx *c, const struct disk_spec *w, rbd_image_t image,
			 struct str name, struct disk_seen *ret_seen)
{
	struct str done = STR_NONE;
	int64_t offset = 0;
	TRY(ceph_get_meta(h, c, image, META_DONE, &done));
	if (done.n)
		return ctx_fail(c, ERR_CONFLICT, "%" STR_FMT " in Ceph's pool %s is half of a disk",
				STR_ARG(name), h->pool);
	TRY(need_sealed(h, c, w, image, name));
	if (w->key)
		TRY(ceph_find_payload(h, c, image, &offset));
	TRY(ceph_get_size_of(h, c, image, &ret_seen->size));
	ret_seen->size -= offset;
	return ret_seen->size < w->size ? finish_disk(h, c, w, name, ret_seen) : OK;
}

static RESULT ensure(struct disk_host *h, struct ctx *c, const struct disk_spec *w,
		     struct disk_seen *ret_seen)
{
	bool is_made = false;
	AUTO_IMAGE image = NULL;
	struct disk_name volume = {.kind = DISK_VOLUME, .id = w->volume};
	struct str name = ceph_name_of(h, c, &volume);
	*ret_seen = (struct disk_seen){0};
	TRY(ceph_begin(h, c));
	TRY(check_wish(c, w));
	TRY(ceph_look_at(h, c, name, &image));
	if (image)
		TRY(ceph_check_mark(h, c, image, name, &is_made));
	if (image && is_made)
		return check_disk(h, c, w, image, name, ret_seen);
	if (w->was_there)
		return fail_missing(h, c, name);
	ceph_autoclose(&image);
	TRY(ceph_remove_image(h, c, name)); /* left by a crash */
	return make_disk(h, c, w, name, ret_seen);
}

/* ---- removing */

static RESULT check_stands_alone(struct disk_host *h, struct ctx *c, rbd_image_t image, struct str name)
{
	struct strs children = {0};
	TRY(ceph_list_children_of(h, c, image, &children));
	return children.count ? ctx_fail(c, ERR_IN_USE, "%" STR_FMT " stands on %" STR_FMT,
					 STR_ARG(children.at[0]), STR_ARG(name))
			      : OK;
}

static RESULT remove_disk(struct disk_host *h, struct ctx *c, const struct disk_name *what)
{
	bool is_made = false;
	AUTO_IMAGE image = NULL;
	struct str name = ceph_name_of(h, c, what);
	TRY(ceph_begin(h, c));
	TRY(ceph_look_at(h, c, name, &image));
	if (!image)
		return OK;
	TRY(ceph_check_mark(h, c, image, name, &is_made));
	if (what->kind == DISK_BASE)
		TRY(check_stands_alone(h, c, image, name));
	ceph_autoclose(&image);
	return what->kind == DISK_CUT ? ceph_remove_cut(h, c, what->id) : ceph_remove_image(h, c, name);
}

/* ---- a host's directories, of which a pool has none */

static RESULT enter(struct disk_host *h, struct ctx *c, struct str directory)
{
	return directory.n ? ctx_fail(c, ERR_INVALID, "Ceph's pool %s has no directory %" STR_FMT, h->pool,
				      STR_ARG(directory))
			   : OK;
}

/* Succeeds if the monitors and an OSD answer. */
static RESULT prove(struct disk_host *h, struct ctx *c, const struct disk_mark *own, struct str kept_word,
		    struct disk_marks *ret_marks)
{
	AUTO_IMAGE none = NULL;
	struct disk_inventory room = {0};
	(void) own;
	(void) kept_word;
	TRY(ceph_begin(h, c));
	TRY(ceph_find_room(h, c, &room));
	TRY(ceph_look_at(h, c, ceph_volume_name(c->arena, h->region, UUID_NONE), &none));
	*ret_marks = (struct disk_marks){.size = room.pool_size, .free = room.pool_free};
	return OK;
}

const struct disk_driver disk_rbd = {
	.scheme = "rbd",
	.open_host = ceph_refuse_host,
	.open_pool = ceph_open_pool,
	.block = ceph_block,
	.unblock = ceph_unblock,
	.see_block = ceph_see_block,
	.list_users = ceph_list_users,
	.close_host = ceph_close_pool,
	.watch = ceph_watch,
	.list = ceph_list,
	.ensure = ensure,
	.remove = remove_disk,
	.cut = ceph_cut,
	.lay = increment_apply,
	.pull = ceph_pull,
	.push = ceph_push,
	.encrypt = image_convert_sealed,
	.export_file = image_convert_export,
	.recast = image_convert,
	.enter = enter,
	.prove = prove,
};
