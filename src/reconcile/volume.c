/* SPDX-License-Identifier: Apache-2.0
 * Volumes: what is wanted → a file in its host's pool. Woken by its row and its host's return. A
 * disk is deleted only for a row that says so, and one that was there and is gone is not replaced
 * by an empty one: that is told, and whoever needs it waits. */
#include "engine/volume.h"
#include "reconcile/work.h"

struct volume_rows {
	const struct volume *volume; /* NULL: no such row */
	struct volume_base base;
	bool is_held; /* its instance's domain may still use it */
};

static RESULT gather_volume(struct step *s, struct volume_rows *ret_rows)
{
	*ret_rows = (struct volume_rows){0};
	AUTO_VIEW view = {0};
	view_open(s->r->store, &view);
	const struct volume *v = volume_find(view.tables, s->id);
	if (!v)
		return OK;
	ret_rows->volume = STEP_COPY(s, KIND_VOLUME, struct volume, v);
	TRY(gather_volume_base(s, view.tables, v, &ret_rows->base));
	const struct instance *i = instance_find(view.tables, v->instance);
	ret_rows->is_held = i && i->seen_power != INSTANCE_SEEN_POWER_ABSENT;
	return OK;
}

static RESULT report_size(struct step *s, const struct volume *v, int64_t size)
{
	if (v->seen_size == size && v->seen_gen == (int64_t) v->row.gen)
		return OK;
	struct volume_sight *sight = STEP_NEW(s, struct volume_sight);
	*sight = (struct volume_sight){.volume = v->row.id, .gen = v->row.gen, .host = v->host, .size = size};
	step_report(s, engine_see_volume_run, sight);
	return OK;
}

static RESULT step_deleted(struct step *s, const struct volume_rows *rows)
{
	const struct volume *v = rows->volume;
	if (rows->is_held)
		return OK;          /* the instance's end wakes it */
	if (!uuid_is_none(v->host)) /* else it never was anywhere */
		TRY(s->host->disks.driver->remove(s->host->disks.connection, &s->ctx,
						  &(struct disk_name){.kind = DISK_VOLUME, .id = v->row.id}));
	TRY(report_size(s, v, 0));
	struct volume_sight *forget = STEP_NEW(s, struct volume_sight);
	*forget = (struct volume_sight){.volume = v->row.id, .gen = v->row.gen};
	step_report(s, engine_forget_volume_run, forget);
	return OK;
}

static RESULT report_missing(struct step *s, const struct volume *v, bool is_missing)
{
	struct condition condition = {
		.subject_kind = KIND_VOLUME,
		.subject = v->row.id,
		.name = STR(DISK_MISSING),
		.message = STR("Its disk was on its host, and is there no more."),
		.advice = STR("Bring the file back into the host's pool, or delete the volume. Its instance "
			      "is not started without it."),
	};
	return step_report_condition(s, &condition, is_missing);
}

/* A piece of the file that it is to stand on. */
static RESULT send_base(struct step *s, const struct volume_base *base)
{
	struct disk_name name = {.kind = DISK_BASE, .sha256 = base->sha256};
	struct disk_copy copy = {.path = gather_store_path(s, base->sha256), .size = base->file_size};
	if (!copy.path.p)
		return ctx_no_memory(&s->ctx);
	step_again(s);
	return s->host->disks.driver->push(s->host->disks.connection, &s->ctx, &name, &copy);
}

static RESULT step_live(struct step *s, const struct volume_rows *rows)
{
	const struct volume *v = rows->volume;
	struct disk_seen seen = {0};
	struct disk_spec wish = {.volume = v->row.id,
				 .size = v->size,
				 .base_sha256 = rows->base.sha256,
				 .base_file_size = rows->base.file_size,
				 .was_there = v->seen_size > 0};
	struct result result =
		s->host->disks.driver->ensure(s->host->disks.connection, &s->ctx, &wish, &seen);
	bool is_missing = result.code == ERR_NOT_FOUND && wish.was_there;
	if (is_missing)
		ctx_clear_problem(&s->ctx);
	else
		TRY(result);
	TRY(report_missing(s, v, is_missing));
	if (is_missing)
		return OK;
	return seen.lacks_base ? send_base(s, &rows->base) : report_size(s, v, seen.size);
}

RESULT reconcile_step_volume(struct step *s)
{
	struct volume_rows rows = {0};
	TRY(gather_volume(s, &rows));
	const struct volume *v = rows.volume;
	if (!v)
		return OK;
	if (!uuid_is_none(v->host) && !hosts_is_here(s, v->host)) {
		wake_for_row(s->r, KIND_VOLUME, &v->row);
		return OK;
	}
	if (!uuid_is_none(v->host))
		TRY(hosts_connect_disks(s->host, &s->ctx));
	if (!row_is_live(&v->row))
		return step_deleted(s, &rows);
	if (uuid_is_none(v->host))
		return OK; /* its instance's placing wakes it */
	return step_live(s, &rows);
}
