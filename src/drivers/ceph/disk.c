/* SPDX-License-Identifier: Apache-2.0
 * Disks: images named by their volume, clones of a base's snapshot or blank, grown and never shrunk. And the
 * driver's table. */
#include <inttypes.h>

#include "drivers/ceph/pool.h"
#include "drivers/image_file.h"
#include "drivers/image_layer.h"

static RESULT has_base(struct disk_host *h, struct ctx *c, struct str base, bool *ret_has)
{
	AUTO_IMAGE image = NULL;
	TRY(ceph_look_at(h, c, base, &image));
	*ret_has = false;
	return image ? ceph_has_snapshot(h, c, image, BASE_SNAPSHOT, ret_has) : OK;
}

/* The mark comes last: what has none is made anew. */
static RESULT finish_disk(struct disk_host *h, struct ctx *c, const struct disk_spec *w, struct str name,
			  struct disk_seen *ret_seen)
{
	AUTO_IMAGE image = NULL;
	TRY(ceph_open_image(h, c, name, NULL, &image));
	if (!image)
		return ctx_fail(c, ERR_AGAIN, "%" STR_FMT " went while it was made", STR_ARG(name));
	TRY(ceph_get_size_of(h, c, image, &ret_seen->size));
	int answer = ret_seen->size < w->size ? ceph.rbd_resize(image, (uint64_t) w->size) : 0;
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
	if (!has)
		TRY(has_base(h, c, base, &has));
	*ret_seen = (struct disk_seen){.lacks_base = !has};
	if (!has)
		return OK;
	TRY(w->base_sha256.n ? ceph_make_clone(h, c, base, BASE_SNAPSHOT, name)
			     : ceph_make_blank(h, c, name, w->size));
	return finish_disk(h, c, w, name, ret_seen);
}

static RESULT check_wish(struct disk_host *h, struct ctx *c, const struct disk_spec *w)
{
	if (w->size <= 0 || w->size % 512)
		return ctx_fail(c, ERR_INVALID, "a disk of %" PRId64 " bytes", w->size);
	return w->key ? ctx_fail(c, ERR_INVALID, "Ceph's pool %s does not take encrypted volumes", h->pool)
		      : OK;
}

static struct result fail_missing(struct disk_host *h, struct ctx *c, struct str name)
{
	return ctx_fail(c, ERR_NOT_FOUND, "%" STR_FMT " is missing in Ceph's pool %s", STR_ARG(name),
			h->pool);
}

/* One that holds, or is to hold, something. */
static RESULT check_disk(struct disk_host *h, struct ctx *c, const struct disk_spec *w, rbd_image_t image,
			 struct str name, struct disk_seen *ret_seen)
{
	struct str done = STR_NONE;
	TRY(ceph_get_meta(h, c, image, META_DONE, &done));
	if (done.n)
		return ctx_fail(c, ERR_CONFLICT, "%" STR_FMT " in Ceph's pool %s is half of a disk",
				STR_ARG(name), h->pool);
	TRY(ceph_get_size_of(h, c, image, &ret_seen->size));
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
	TRY(check_wish(h, c, w));
	TRY(ceph_look_at(h, c, name, &image));
	if (image)
		TRY(ceph_check_mark(h, c, image, name, &is_made));
	if (image && is_made)
		return check_disk(h, c, w, image, name, ret_seen);
	if (w->was_there)
		return fail_missing(h, c, name);
	ceph_autoclose(&image);
	TRY(ceph_remove_image(h, c, name)); /* what a crash left */
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

static RESULT encrypt(struct ctx *c, const struct disk_sealing *wish)
{
	(void) wish;
	return ctx_fail(c, ERR_INVALID, "pools of Ceph do not take encrypted volumes");
}

static RESULT export_file(struct ctx *c, const struct disk_export *wish)
{
	const char *from = str_to_z(c->arena, wish->from), *to = str_to_z(c->arena, wish->to);
	if (!from || !to)
		return ctx_no_memory(c);
	TRY(image_file_check(c, from, wish->sha256, wish->file_size));
	return image_file_export(c, from, wish->format, to);
}

/* ---- a host's directories, of which a pool has none */

static RESULT enter(struct disk_host *h, struct ctx *c, struct str directory)
{
	return directory.n ? ctx_fail(c, ERR_INVALID, "Ceph's pool %s has no directory %" STR_FMT, h->pool,
				      STR_ARG(directory))
			   : OK;
}

/* Monitors and one of the OSDs answer. */
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
	.lay = image_layer_lay,
	.pull = ceph_pull,
	.push = ceph_push,
	.encrypt = encrypt,
	.export_file = export_file,
	.enter = enter,
	.prove = prove,
};
