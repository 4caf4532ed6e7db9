/* SPDX-License-Identifier: Apache-2.0
 * Files in snapshots of disks: a directory is listed, or one file is downloaded, without an instance. Each call reads a
 * raw copy of the snapshot, made and deleted on a lane for long work; so the stored file has a limit of size. What a
 * crash leaves of a copy is deleted with unfinished images at the next start. */
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/native/write.h"
#include "base/cleanup.h"
#include "drivers/image/guest_files.h"
#include "drivers/image/image_convert.h"
#include "drivers/image/image_file.h"
#include "model/states.h"
#include "reconcile/reconcile.h"
#include "store/snapshot.h"

#define STORED_MAX (INT64_C(8) << 30)

struct files_args {
	struct guest_place place;
	struct guest_listing listing;
	struct disk_export copy; /* `to` is the raw copy */
	struct str out;          /* the file that is read */
};

static RESULT take_partition(struct native_call *e, struct files_args *a)
{
	struct str said = pairs_find(&e->query, "partition");
	int64_t number = -1;
	if (said.n && (!result_is_ok(str_parse_int(said, &number)) || number < 0 || number > 128))
		return ctx_fail_field(e->c, ERR_INVALID, STR("partition"),
				      "A partition is a number from 0, the whole disk, to 128.");
	a->place.partition = (int) number;
	return OK;
}

static RESULT check_snapshot(struct native_call *e, const struct snapshot *s)
{
	if (model_derive_snapshot_state(s) != SNAPSHOT_COMPLETED || !s->sha256.n || !e->config->reconciler)
		return ctx_fail_kind(e->c, ERR_STATE, KIND_SNAPSHOT, "The snapshot is not completed.");
	if (s->is_encrypted)
		return ctx_fail_kind(e->c, ERR_UNSUPPORTED, KIND_SNAPSHOT,
				     "The snapshot is encrypted. Its files are read by an instance only.");
	if (s->file_size > STORED_MAX)
		return ctx_fail_kind(
			e->c, ERR_UNSUPPORTED, KIND_SNAPSHOT,
			"The snapshot's file has more than %d GiB. Its files are read by an instance "
			"only.",
			(int) (STORED_MAX >> 30));
	return OK;
}

static RESULT prepare_files(struct native_call *e, void *args)
{
	struct files_args *a = args;
	TRY(native_prepare_row(e, NULL));
	const struct snapshot *s = snapshot_find(native_tables(e), e->target.prefix);
	if (!s || !engine_is_own(e->c, KIND_SNAPSHOT, &s->row))
		return ctx_fail_kind(e->c, ERR_DENIED, KIND_SNAPSHOT, "The snapshot is another account's.");
	TRY(check_snapshot(e, s));
	TRY(take_partition(e, a));
	char token[UUID_TEXT_SIZE];
	const char *directory = reconciler_image_directory(e->config->reconciler);
	struct arena *arena = e->c->arena;
	a->place.path = pairs_find(&e->query, "path");
	if (!a->place.path.n)
		a->place.path = STR("/");
	a->copy = (struct disk_export){.from = image_file_path(arena, directory, s->sha256),
				       .sha256 = str_copy(arena, s->sha256),
				       .file_size = s->file_size,
				       .format = STR("raw"),
				       .to = str_print(arena, "%s/disk-%s" IMAGE_PARTIAL_SUFFIX, directory,
						       uuid_write(uuid_random(), token))};
	a->out = str_print(arena, "%s/file-%s" IMAGE_PARTIAL_SUFFIX, directory, token);
	a->place.disk = a->copy.to.p;
	e->image = s->row.id;
	return a->copy.from.p && a->copy.sha256.p && a->copy.to.p && a->out.p ? OK : ctx_no_memory(e->c);
}

/* ---- on the lane ---- */

static RESULT work_list(struct work_item *w)
{
	struct native_call *e = w->arg;
	struct files_args *a = e->args;
	struct result result = image_convert_export(e->c, &a->copy);
	if (result_is_ok(result))
		result = guest_files_list(e->c, &a->place, &a->listing);
	(void) unlink(a->copy.to.p);
	return result;
}

static RESULT open_out(struct native_call *e, const struct files_args *a)
{
	struct stat st;
	AUTO_FD fd = open(a->out.p, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || fstat(fd, &st) != 0)
		return ctx_fail(e->c, ERR_IO, "The file cannot be read.");
	e->file = fd;
	e->file_size = st.st_size;
	fd = -1;
	return OK;
}

static RESULT work_read(struct work_item *w)
{
	struct native_call *e = w->arg;
	struct files_args *a = e->args;
	struct result result = image_convert_export(e->c, &a->copy);
	if (result_is_ok(result))
		result = guest_files_read(e->c, &a->place, a->out.p);
	if (result_is_ok(result))
		result = open_out(e, a);
	(void) unlink(a->copy.to.p);
	(void) unlink(a->out.p);
	return result;
}

/* ---- answer ---- */

static RESULT answer_files(struct native_call *e, const void *args, struct json_writer *w)
{
	const struct guest_listing *l = &((const struct files_args *) args)->listing;
	(void) e;
	json_write_open_list(w, "partitions");
	for (size_t k = 0; k < l->partition_count; k++) {
		json_write_open(w, NULL);
		json_write_int(w, "number", l->partitions[k].number);
		json_write_int(w, "size", l->partitions[k].size);
		json_write_text(w, "type", str_from(l->partitions[k].type));
		json_write_close(w);
	}
	json_write_close_list(w);
	json_write_int(w, "partition", l->partition);
	json_write_bool(w, "is_cut", l->is_cut);
	json_write_open_list(w, "items");
	for (size_t k = 0; k < l->count; k++) {
		json_write_open(w, NULL);
		json_write_text(w, "name", l->at[k].name);
		json_write_text(w, "kind", str_from(guest_entry_words[l->at[k].kind]));
		json_write_int(w, "size", l->at[k].size);
		json_write_int(w, "mode", l->at[k].mode);
		json_write_close(w);
	}
	json_write_close_list(w);
	return OK;
}

static const struct native_action actions[] = {
	{HTTP_GET, "/snapshots/{id}/files", .name = "ListSnapshotFiles", .permit = "ec2:ReadSnapshotFiles",
	 .kind = KIND_SNAPSHOT, .flags = API_CHANGES_BY_TIME, .args = {.size = sizeof(struct files_args)},
	 .query = "partition|path", .prepare = prepare_files, .work = work_list, .answer = answer_files,
	 .doc = "Lists a directory (path) of the disk. Supports ext2, ext3 and ext4 in the given or the "
		"largest partition."},
	{HTTP_GET, "/snapshots/{id}/file", .name = "GetSnapshotFile", .permit = "ec2:ReadSnapshotFiles",
	 .kind = KIND_SNAPSHOT, .flags = API_CHANGES_BY_TIME, .args = {.size = sizeof(struct files_args)},
	 .query = "partition|path", .prepare = prepare_files, .work = work_read,
	 .doc = "Returns a regular file (path) of the disk, as " NATIVE_DATA_TYPE "."},
};
const struct api_actions native_snapshot_files_actions = API_ACTIONS(actions);
