/* SPDX-License-Identifier: Apache-2.0
 * Attachments of volumes, for readers. volume_attach.c changes them. */
#include "engine/storage/volume/volume_attachment.h"

#include "base/vec.h"
#include "engine/storage/snapshot/snapshot.h"
#include "model/state.h"
#include "store/snapshot.h"
#include "store/volume.h"
#include "store/volume_attachment.h"

uuid engine_volume_holder(const struct volume *volume)
{
	return uuid_is_none(volume->instance) ? volume->seen_instance : volume->instance;
}

uuid engine_attachment_id(const struct volume *volume)
{
	return uuid_is_none(volume->attachment) ? volume->row.id : volume->attachment;
}

bool engine_has_several_attachments(const struct tables *t, uuid volume)
{
	return volume_attachment_first_by_volume(t, volume) != NULL;
}

/* ---- lists ---- */

struct volumes { /* a VEC */
	const struct volume **at;
	size_t count, capacity;
};

/* NULL: no memory. */
static const struct volume *copy_as_attached(struct arena *a, const struct volume *volume,
					     const struct volume_attachment *further)
{
	struct volume *copy = arena_new_object(a, struct volume);
	if (!copy)
		return NULL;
	*copy = *volume;
	copy->instance = further->instance;
	copy->seen_instance = further->seen_instance;
	copy->device = further->device;
	copy->device_tag = further->device_tag;
	copy->device_slot = further->device_slot;
	copy->delete_on_termination = further->delete_on_termination;
	copy->attached_us = further->attached_us;
	copy->attachment = further->row.id;
	return copy;
}

static RESULT add_own(struct arena *a, const struct volume *volume, bool with_local, struct volumes *list)
{
	bool is_listed = row_is_live(&volume->row) && (with_local || volume->local == VOLUME_LOCAL_NO);
	return !is_listed || VEC_PUSH(a, list, volume) ? OK : FAIL(NO_MEMORY);
}

static RESULT add_further(struct arena *a, const struct tables *t, const struct volume_attachment *further,
			  struct volumes *list)
{
	const struct volume *volume = volume_find(t, further->volume);
	if (!volume || !row_is_live(&volume->row))
		return OK;
	const struct volume *copy = copy_as_attached(a, volume, further);
	return copy && VEC_PUSH(a, list, copy) ? OK : FAIL(NO_MEMORY);
}

static RESULT add_leaving(struct arena *a, const struct tables *t, uuid instance, struct volumes *list)
{
	for (const struct volume *v = volume_first_by_seen_instance(t, instance); v;
	     v = volume_next_by_seen_instance(t, v))
		if (uuid_is_none(v->instance))
			TRY(add_own(a, v, false, list));
	for (const struct volume_attachment *f = volume_attachment_first_by_seen_instance(t, instance); f;
	     f = volume_attachment_next_by_seen_instance(t, f))
		if (uuid_is_none(f->instance))
			TRY(add_further(a, t, f, list));
	return OK;
}

static RESULT add_attached(struct arena *a, const struct tables *t, uuid instance, bool with_local,
			   struct volumes *list)
{
	for (const struct volume *v = volume_first_by_instance(t, instance); v;
	     v = volume_next_by_instance(t, v))
		TRY(add_own(a, v, with_local, list));
	for (const struct volume_attachment *f = volume_attachment_first_by_instance(t, instance); f;
	     f = volume_attachment_next_by_instance(t, f))
		TRY(add_further(a, t, f, list));
	return OK;
}

RESULT engine_list_all_disks(struct arena *a, const struct tables *t, uuid instance,
			     struct volume_list *ret_list)
{
	struct volumes list = {0};
	TRY(add_attached(a, t, instance, true, &list));
	*ret_list = (struct volume_list){list.at, list.count};
	return OK;
}

RESULT engine_list_disks(struct arena *a, const struct tables *t, uuid instance, bool with_leaving,
			 struct volume_list *ret_list)
{
	struct volumes list = {0};
	TRY(add_attached(a, t, instance, false, &list));
	if (with_leaving)
		TRY(add_leaving(a, t, instance, &list));
	*ret_list = (struct volume_list){list.at, list.count};
	return OK;
}

RESULT engine_list_attachments(struct arena *a, const struct tables *t, const struct volume *volume,
			       struct volume_list *ret_list)
{
	struct volumes list = {0};
	if (model_derive_attachment(volume->instance, volume->seen_instance) != ATTACHMENT_NONE &&
	    !VEC_PUSH(a, &list, volume))
		return FAIL(NO_MEMORY);
	for (const struct volume_attachment *f = volume_attachment_first_by_volume(t, volume->row.id); f;
	     f = volume_attachment_next_by_volume(t, f)) {
		const struct volume *copy = copy_as_attached(a, volume, f);
		if (!copy || !VEC_PUSH(a, &list, copy))
			return FAIL(NO_MEMORY);
	}
	*ret_list = (struct volume_list){list.at, list.count};
	return OK;
}

RESULT engine_find_attachment(struct arena *a, const struct tables *t, const struct volume *volume,
			      uuid instance, const struct volume **ret_volume)
{
	struct volume_list list;
	*ret_volume = NULL;
	TRY(engine_list_attachments(a, t, volume, &list));
	for (size_t k = 0; k < list.count && !*ret_volume; k++)
		if (uuid_equal(engine_volume_holder(list.at[k]), instance))
			*ret_volume = list.at[k];
	return OK;
}

/* ---- consequences of sharing ---- */

uuid engine_find_host_of_shared(const struct tables *t, uuid instance)
{
	for (const struct volume *v = volume_first_by_instance(t, instance); v;
	     v = volume_next_by_instance(t, v))
		if (engine_has_several_attachments(t, v->row.id))
			return v->host;
	const struct volume_attachment *f = volume_attachment_first_by_instance(t, instance);
	const struct volume *volume = f ? volume_find(t, f->volume) : NULL;
	return volume ? volume->host : UUID_NONE;
}

static bool is_held(const struct tables *t, uuid volume)
{
	for (const struct snapshot *s = snapshot_first_by_volume(t, volume); s;
	     s = snapshot_next_by_volume(t, s))
		if (s->is_held && s->seen_stage == SNAPSHOT_SEEN_STAGE_NONE && engine_snapshot_is_pending(s))
			return true;
	return false;
}

/* A guest holds the file as long as it is plugged in, even if the engine wants it detached. */
bool engine_stands_still(const struct tables *t, uuid instance)
{
	for (const struct volume *v = volume_first_by_instance(t, instance); v;
	     v = volume_next_by_instance(t, v))
		if (v->is_raw && is_held(t, v->row.id))
			return true;
	for (const struct volume *v = volume_first_by_seen_instance(t, instance); v;
	     v = volume_next_by_seen_instance(t, v))
		if (v->is_raw && is_held(t, v->row.id))
			return true;
	for (const struct volume_attachment *f = volume_attachment_first_by_instance(t, instance); f;
	     f = volume_attachment_next_by_instance(t, f))
		if (is_held(t, f->volume))
			return true;
	for (const struct volume_attachment *f = volume_attachment_first_by_seen_instance(t, instance); f;
	     f = volume_attachment_next_by_seen_instance(t, f))
		if (is_held(t, f->volume))
			return true;
	return false;
}
