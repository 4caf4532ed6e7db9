/* SPDX-License-Identifier: Apache-2.0
 * Images by name: creating, marking, snapshots, removing. */
#include <errno.h>
#include <inttypes.h>

#include "base/heap.h"
#include "drivers/ceph/pool.h"

enum { META_SIZE = 256, SNAPSHOTS_MAX = 1024, CHILDREN_FIRST = 64 };

/* With this format, a snapshot can be removed while it has clones; it disappears with the last one. */
enum { CLONE_FORMAT = 2 };

/* Required for fast diffs and exclusive writers. */
static const uint64_t FEATURES = RBD_FEATURE_LAYERING | RBD_FEATURE_EXCLUSIVE_LOCK | RBD_FEATURE_OBJECT_MAP |
				 RBD_FEATURE_FAST_DIFF | RBD_FEATURE_DEEP_FLATTEN;

void ceph_autoclose(rbd_image_t *image)
{
	if (*image)
		(void) ceph.rbd_close(*image);
	*image = NULL;
}

struct str ceph_name_of(struct disk_host *h, struct ctx *c, const struct disk_name *name)
{
	return disk_name_write(c->arena, h->region, name, "");
}

struct str ceph_volume_name(struct arena *a, uuid region, uuid volume)
{
	return disk_name_write(a, region, &(struct disk_name){.kind = DISK_VOLUME, .id = volume}, "");
}

/* ---- opening */

static RESULT judge_open(struct disk_host *h, struct ctx *c, struct str name, int answer, rbd_image_t *image)
{
	if (answer < 0)
		*image = NULL;
	return answer < 0 && answer != -ENOENT ? ceph_fail(h, c, answer, "opening %" STR_FMT, STR_ARG(name))
					       : OK;
}

RESULT ceph_open_image(struct disk_host *h, struct ctx *c, struct str name, const char *snapshot,
		       rbd_image_t *ret_image)
{
	*ret_image = NULL;
	if (!name.p)
		return ctx_no_memory(c);
	int answer = snapshot ? ceph.rbd_open_read_only(h->io, name.p, ret_image, snapshot)
			      : ceph.rbd_open(h->io, name.p, ret_image, NULL);
	return judge_open(h, c, name, answer, ret_image);
}

RESULT ceph_look_at(struct disk_host *h, struct ctx *c, struct str name, rbd_image_t *ret_image)
{
	*ret_image = NULL;
	if (!name.p)
		return ctx_no_memory(c);
	return judge_open(h, c, name, ceph.rbd_open_read_only(h->io, name.p, ret_image, NULL), ret_image);
}

RESULT ceph_get_size_of(struct disk_host *h, struct ctx *c, rbd_image_t image, int64_t *ret_size)
{
	uint64_t size = 0;
	int answer = ceph.rbd_get_size(image, &size);
	*ret_size = (int64_t) size;
	return answer < 0 ? ceph_fail(h, c, answer, "looking at an image's size") : OK;
}

/* ---- metadata */

RESULT ceph_get_meta(struct disk_host *h, struct ctx *c, rbd_image_t image, const char *key,
		     struct str *ret_value)
{
	char value[META_SIZE];
	size_t size = sizeof value;
	int answer = ceph.rbd_metadata_get(image, key, value, &size);
	*ret_value = STR_NONE;
	if (answer == -ENOENT)
		return OK;
	if (answer < 0)
		return ceph_fail(h, c, answer, "reading %s of an image", key);
	*ret_value = str_copy(c->arena, str_from(value));
	return ret_value->p ? OK : ctx_no_memory(c);
}

RESULT ceph_set_meta(struct disk_host *h, struct ctx *c, rbd_image_t image, const char *key,
		     const char *value)
{
	int answer = value ? ceph.rbd_metadata_set(image, key, value) : ceph.rbd_metadata_remove(image, key);
	return answer < 0 && (value || answer != -ENOENT)
		       ? ceph_fail(h, c, answer, "writing %s of an image", key)
		       : OK;
}

RESULT ceph_check_mark(struct disk_host *h, struct ctx *c, rbd_image_t image, struct str name,
		       bool *ret_is_made)
{
	struct str region = STR_NONE;
	TRY(ceph_get_meta(h, c, image, META_REGION, &region));
	*ret_is_made = region.n > 0;
	if (!region.n || str_is(region, h->region_text))
		return OK;
	return ctx_fail(c, ERR_CONFLICT, "%" STR_FMT " in Ceph's pool %s is of another region", STR_ARG(name),
			h->pool);
}

RESULT ceph_set_mark(struct disk_host *h, struct ctx *c, rbd_image_t image)
{
	return ceph_set_meta(h, c, image, META_REGION, h->region_text);
}

/* ---- making */

static RESULT set_option(struct ctx *c, rbd_image_options_t options, int option, uint64_t value)
{
	return ceph.rbd_image_options_set_uint64(options, option, value) == 0
		       ? OK
		       : ctx_fail(c, ERR_INTERNAL, "librbd does not know an image's option %d", option);
}

RESULT ceph_make_blank(struct disk_host *h, struct ctx *c, struct str name, int64_t size)
{
	rbd_image_options_t options = NULL;
	ceph.rbd_image_options_create(&options);
	struct result r = set_option(c, options, RBD_IMAGE_OPTION_FEATURES, FEATURES);
	int answer = result_is_ok(r) ? ceph.rbd_create4(h->io, name.p, (uint64_t) size, options) : 0;
	ceph.rbd_image_options_destroy(options);
	TRY(r);
	return answer < 0 ? ceph_fail(h, c, answer, "making %" STR_FMT, STR_ARG(name)) : OK;
}

RESULT ceph_make_clone(struct disk_host *h, struct ctx *c, struct str of, const char *snapshot,
		       struct str name)
{
	rbd_image_options_t options = NULL;
	ceph.rbd_image_options_create(&options);
	struct result r = set_option(c, options, RBD_IMAGE_OPTION_FEATURES, FEATURES);
	if (result_is_ok(r))
		r = set_option(c, options, RBD_IMAGE_OPTION_CLONE_FORMAT, CLONE_FORMAT);
	int answer = result_is_ok(r) ? ceph.rbd_clone3(h->io, of.p, snapshot, h->io, name.p, options) : 0;
	ceph.rbd_image_options_destroy(options);
	TRY(r);
	return answer < 0 ? ceph_fail(h, c, answer, "making %" STR_FMT, STR_ARG(name)) : OK;
}

/* ---- snapshots, and what stands on them */

static RESULT copy_names(struct ctx *c, const rbd_linked_image_spec_t *images, size_t count,
			 struct strs *ret_names)
{
	struct str *names = arena_new_array(c->arena, struct str, count + 1);
	for (size_t k = 0; names && k < count; k++)
		names[k] = str_copy(c->arena, str_from(images[k].image_name));
	*ret_names = (struct strs){names, count};
	return names ? OK : ctx_no_memory(c);
}

RESULT ceph_list_children_of(struct disk_host *h, struct ctx *c, rbd_image_t image, struct strs *ret_names)
{
	size_t room = CHILDREN_FIRST, count = 0;
	rbd_linked_image_spec_t *children = NULL;
	int answer = -ERANGE;
	while (answer == -ERANGE) {
		heap_free(children);
		children = heap_alloc_array(room, sizeof *children);
		if (!children)
			return ctx_no_memory(c);
		count = room;
		answer = ceph.rbd_list_children3(image, children, &count);
		room = count > room ? count + CHILDREN_FIRST : 2 * room; /* more may have been added */
	}
	struct result r = answer < 0 ? ceph_fail(h, c, answer, "looking for what stands on an image")
				     : copy_names(c, children, count, ret_names);
	if (answer >= 0)
		ceph.rbd_linked_image_spec_list_cleanup(children, count);
	heap_free(children);
	return r;
}

RESULT ceph_list_snapshots(struct disk_host *h, struct ctx *c, rbd_image_t image, struct strs *ret_names)
{
	int room = SNAPSHOTS_MAX;
	rbd_snap_info_t *snapshots = heap_alloc_array((size_t) room, sizeof *snapshots);
	struct str *names = arena_new_array(c->arena, struct str, SNAPSHOTS_MAX);
	if (!snapshots || !names) {
		heap_free(snapshots);
		return ctx_no_memory(c);
	}
	int count = ceph.rbd_snap_list(image, snapshots, &room);
	for (int k = 0; k < count; k++)
		names[k] = str_copy(c->arena, str_from(snapshots[k].name));
	if (count >= 0)
		ceph.rbd_snap_list_end(snapshots);
	heap_free(snapshots);
	*ret_names = (struct strs){names, count < 0 ? 0 : (size_t) count};
	return count < 0 ? ceph_fail(h, c, count, "listing an image's snapshots") : OK;
}

RESULT ceph_has_snapshot(struct disk_host *h, struct ctx *c, rbd_image_t image, const char *name,
			 bool *ret_has)
{
	int answer = ceph.rbd_snap_exists(image, name, ret_has);
	return answer < 0 ? ceph_fail(h, c, answer, "looking for the snapshot %s", name) : OK;
}

RESULT ceph_drop_snapshot(struct disk_host *h, struct ctx *c, rbd_image_t image, const char *name)
{
	int answer = ceph.rbd_snap_remove(image, name);
	return answer < 0 && answer != -ENOENT ? ceph_fail(h, c, answer, "removing the snapshot %s", name)
					       : OK;
}

/* ---- removing */

/* Read-only openers aren't listed. */
static RESULT check_is_free(struct disk_host *h, struct ctx *c, rbd_image_t image, struct str name)
{
	rbd_image_watcher_t watchers[1];
	size_t count = 1;
	int answer = ceph.rbd_watchers_list(image, watchers, &count);
	if (answer >= 0)
		ceph.rbd_watchers_list_cleanup(watchers, count);
	if (answer < 0 && answer != -ERANGE)
		return ceph_fail(h, c, answer, "asking who has %" STR_FMT, STR_ARG(name));
	return count ? ctx_fail(c, ERR_IN_USE, "the disk %" STR_FMT " in Ceph's pool %s is used",
				STR_ARG(name), h->pool)
		     : OK;
}

static RESULT free_child(struct disk_host *h, struct ctx *c, struct str name)
{
	AUTO_IMAGE child = NULL;
	TRY(ceph_open_image(h, c, name, NULL, &child));
	int answer = child ? ceph.rbd_flatten(child) : 0;
	return answer < 0 && answer != -EINVAL /* it has no parent */
		       ? ceph_fail(h, c, answer, "freeing %" STR_FMT, STR_ARG(name))
		       : OK;
}

static RESULT empty_image(struct disk_host *h, struct ctx *c, rbd_image_t image)
{
	struct strs children = {0}, snapshots = {0};
	TRY(ceph_list_children_of(h, c, image, &children));
	for (size_t k = 0; k < children.count; k++)
		TRY(free_child(h, c, children.at[k]));
	TRY(ceph_list_snapshots(h, c, image, &snapshots));
	for (size_t k = 0; k < snapshots.count; k++)
		TRY(ceph_drop_snapshot(h, c, image, snapshots.at[k].p));
	return OK;
}

RESULT ceph_remove_image(struct disk_host *h, struct ctx *c, struct str name)
{
	AUTO_IMAGE image = NULL;
	TRY(ceph_look_at(h, c, name, &image));
	if (!image)
		return OK;
	TRY(check_is_free(h, c, image, name));
	ceph_autoclose(&image);
	TRY(ceph_open_image(h, c, name, NULL, &image));
	if (!image)
		return OK;
	TRY(empty_image(h, c, image));
	ceph_autoclose(&image);
	int answer = ceph.rbd_remove(h->io, name.p);
	return answer < 0 && answer != -ENOENT ? ceph_fail(h, c, answer, "removing %" STR_FMT, STR_ARG(name))
					       : OK;
}
