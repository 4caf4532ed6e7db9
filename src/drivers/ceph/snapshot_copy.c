/* SPDX-License-Identifier: Apache-2.0
 * Cuts: a snapshot of the volume's image and a clone of it, which is the cut. So it is complete immediately
 * and survives the volume. After the cut is removed, the snapshot remains as the base for the next increment;
 * unneeded snapshots are dropped with the next cut. A difference of LUKS containers is useless for a file
 * encrypted differently, so cuts of encrypted volumes are always full and leave no snapshot. */
#include <errno.h>

#include "drivers/ceph/pool.h"

#define PREFIX "dari-"

struct str ceph_snapshot_name(struct ctx *c, struct str snapshot)
{
	return str_print(c->arena, PREFIX "%" STR_FMT, STR_ARG(snapshot));
}

static struct str name_of_id(struct ctx *c, uuid snapshot)
{
	char id[UUID_TEXT_SIZE];
	return ceph_snapshot_name(c, str_from(uuid_write(snapshot, id)));
}

/* Drops snapshots that no cut needs as a base any more. since empty: keeps the new one only. */
static RESULT drop_records(struct disk_host *h, struct ctx *c, rbd_image_t volume, struct str made,
			   struct str since)
{
	struct strs names = {0};
	TRY(ceph_list_snapshots(h, c, volume, &names));
	for (size_t k = 0; k < names.count; k++)
		if (str_starts_with(names.at[k], STR(PREFIX)) && !str_equal(names.at[k], made) &&
		    !str_equal(names.at[k], since))
			TRY(ceph_drop_snapshot(h, c, volume, names.at[k].p));
	return OK;
}

static RESULT write_words(struct disk_host *h, struct ctx *c, const struct disk_cut *cut, struct str name,
			  bool is_increment, bool is_passing)
{
	char volume[UUID_TEXT_SIZE], since[UUID_TEXT_SIZE];
	AUTO_IMAGE image = NULL;
	TRY(ceph_open_image(h, c, name, NULL, &image));
	if (!image)
		return ctx_fail(c, ERR_AGAIN, "%" STR_FMT " went while it was made", STR_ARG(name));
	TRY(ceph_set_meta(h, c, image, META_VOLUME, uuid_write(cut->volume, volume)));
	if (is_increment)
		TRY(ceph_set_meta(h, c, image, META_SINCE, uuid_write(cut->tracked_from, since)));
	if (is_passing)
		TRY(ceph_set_meta(h, c, image, META_PASSING, "yes"));
	return ceph_set_mark(h, c, image);
}

static RESULT take_snapshot(struct disk_host *h, struct ctx *c, rbd_image_t volume, struct str name)
{
	TRY(ceph_drop_snapshot(h, c, volume, name.p)); /* left by an unrecorded attempt */
	int answer = ceph.rbd_snap_create(volume, name.p);
	return answer < 0 ? ceph_fail(h, c, answer, "making the snapshot %" STR_FMT, STR_ARG(name)) : OK;
}

RESULT ceph_cut(struct disk_host *h, struct ctx *c, const struct disk_cut *cut,
		struct disk_cut_seen *ret_seen)
{
	bool is_made = false, is_increment = false, is_passing = cut->is_passing || cut->key;
	int64_t offset = 0;
	AUTO_IMAGE volume = NULL;
	struct disk_name volume_name = {.kind = DISK_VOLUME, .id = cut->volume};
	struct disk_name cut_name = {.kind = DISK_CUT, .id = cut->snapshot};
	struct disk_cut_seen seen = {.is_whole = true, .is_copied = true, .progress = 100};
	TRY(ceph_begin(h, c));
	struct str from = ceph_name_of(h, c, &volume_name), to = ceph_name_of(h, c, &cut_name);
	struct str made = name_of_id(c, cut->snapshot), since = name_of_id(c, cut->tracked_from);
	TRY(ceph_open_image(h, c, from, NULL, &volume));
	if (volume)
		TRY(ceph_check_mark(h, c, volume, from, &is_made));
	if (!is_made)
		return ctx_fail(c, ERR_NOT_FOUND, "%" STR_FMT " is missing in Ceph's pool %s", STR_ARG(from),
				h->pool);
	TRY(ceph_remove_image(h, c, to));
	if (cut->takes_increment && !cut->key)
		TRY(ceph_has_snapshot(h, c, volume, since.p, &is_increment));
	TRY(take_snapshot(h, c, volume, made));
	if (!is_passing)
		TRY(drop_records(h, c, volume, made, is_increment ? since : STR_NONE));
	if (cut->key)
		TRY(ceph_find_payload(h, c, volume, &offset));
	TRY(ceph_get_size_of(h, c, volume, &seen.size));
	seen.size -= offset;
	TRY(ceph_make_clone(h, c, from, made.p, to));
	TRY(write_words(h, c, cut, to, is_increment, is_passing));
	seen.is_increment = is_increment;
	seen.is_tracked = !is_passing;
	*ret_seen = seen;
	return OK;
}

/* A cut in passing keeps the previous base snapshot; any other cut keeps its own. */
RESULT ceph_remove_cut(struct disk_host *h, struct ctx *c, uuid snapshot)
{
	AUTO_IMAGE image = NULL, of = NULL;
	struct disk_name cut_name = {.kind = DISK_CUT, .id = snapshot};
	struct disk_name volume = {.kind = DISK_VOLUME};
	struct str name = ceph_name_of(h, c, &cut_name), id = STR_NONE, since = STR_NONE, passing = STR_NONE;
	TRY(ceph_look_at(h, c, name, &image));
	if (!image)
		return OK;
	TRY(ceph_get_meta(h, c, image, META_VOLUME, &id));
	TRY(ceph_get_meta(h, c, image, META_SINCE, &since));
	TRY(ceph_get_meta(h, c, image, META_PASSING, &passing));
	ceph_autoclose(&image);
	if (result_is_ok(uuid_parse(id, &volume.id)))
		TRY(ceph_open_image(h, c, ceph_name_of(h, c, &volume), NULL, &of));
	if (of && passing.n)
		TRY(ceph_drop_snapshot(h, c, of, name_of_id(c, snapshot).p));
	else if (of && since.n)
		TRY(ceph_drop_snapshot(h, c, of, ceph_snapshot_name(c, since).p));
	return ceph_remove_image(h, c, name);
}
