/* SPDX-License-Identifier: Apache-2.0
 * `dari backup`: copies the running region to a store of objects, lists what is there, and proves a backup by reading it. */
#include <inttypes.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/disk_room.h"
#include "base/file.h"
#include "base/log.h"
#include "daemon/backup/region_backup.h"
#include "daemon/backup/region_drill.h"
#include "daemon/backup/sealed_files.h"
#include "daemon/command.h"
#include "engine/engine.h"
#include "engine/people/policy/aws_policy.h"
#include "engine/region/region.h"
#include "store/health.h"
#include "store/reference.h"
#include "store/sql.h"

enum { KEEP_MAX = REGION_BACKUPS_MAX - 1, OBJECT_MAX = 64 << 20 };

/* Held by the backup that is being made or proved: both use one directory. */
static pthread_mutex_t working = PTHREAD_MUTEX_INITIALIZER;

struct work {
	struct command_call *call;
	struct ctx *c;
	struct daemon *d;
	struct backup_store *store;
	const char *directory; /* for the copy of the database; removed at the end */
	const char *database;  /* in it */
	struct region_backup made;
	int64_t stored_size, removed;
};

static RESULT put(struct work *w, struct str name, struct str bytes)
{
	TRY(name.p ? backup_store_put(w->store, w->c, name, bytes) : ctx_no_memory(w->c));
	w->stored_size += (int64_t) bytes.n;
	return OK;
}

/* ---- the parts ---- */

static RESULT copy_database(struct work *w)
{
	struct region_backup *b = &w->made;
	const char *original = settings_store(w->c->arena, &w->d->settings);
	const struct backup_place place = {
		.store = w->store, .container = region_backup_container(w->c->arena, b->region), .id = b->id};
	const struct backup_watch watch = {0};
	struct backup_facts facts = {.data_us = b->made_us};
	struct backup_written written = {0};
	int64_t size = 0;
	b->is_on_server = sql_is_url(str_from(original));
	if (!b->is_on_server) {
		TRY(file_size(w->c, original, &size));
		TRY(disk_room_check(w->c, w->directory, size));
	}
	TRY(store_copy_database(w->d->store, w->c, w->database));
	TRY(region_backup_count_rows(w->c, w->database, &b->row_count, &b->commit));
	TRY(region_backup_digest_file(w->c, w->database, &b->database_sha256));
	TRY(file_size(w->c, w->database, &facts.size));
	TRY(backup_data_write(w->c, &place, &facts, NULL, w->database, &watch, &written));
	w->stored_size += written.stored_size;
	b->database_path = b->is_on_server ? STR_NONE : str_from(original);
	b->has_database = true;
	return OK;
}

static RESULT seal_files(struct work *w)
{
	struct str path = command_arg(w->call, "recovery-certificate"), pem = STR_NONE, sealed = STR_NONE;
	if (command_has_flag(w->call, "without-keys"))
		return OK;
	if (str_is_empty(path))
		return ctx_fail_field(w->c, ERR_MISSING, STR("recovery-certificate"),
				      "--recovery-certificate has to name a certificate that the master key "
				      "is encrypted to. Make one, and keep its "
				      "key elsewhere: openssl req -x509 -newkey rsa:4096 -nodes -days 36500 "
				      "-subj /CN=recovery -keyout recovery.key "
				      "-out recovery.pem. Or leave the master key and the configuration out: "
				      "--without-keys");
	TRY(file_read(w->c, str_to_z(w->c->arena, path), SEALED_FILE_MAX, &pem));
	TRY(sealed_files_make(w->c, w->d, pem, &sealed));
	w->made.sealed_sha256 = region_backup_digest(w->c->arena, sealed);
	return put(w, region_backup_name(w->c->arena, &w->made, "sealed.cms"), sealed);
}

static bool has_name(const struct strs *names, struct str name)
{
	for (size_t k = 0; k < names->count; k++)
		if (str_equal(names->at[k], name))
			return true;
	return false;
}

/* ERR_NOT_FOUND: it was deleted meanwhile. */
static RESULT copy_attachment(struct work *w, const char *directory, struct str name)
{
	AUTO(arena) scratch = arena_new(ARENA_FIRST_SIZE, 2 * OBJECT_MAX);
	const char *path = str_print(w->c->arena, "%s/%" STR_FMT, directory, STR_ARG(name)).p;
	struct str content = STR_NONE;
	struct ctx c;
	if (!scratch || !path)
		return ctx_no_memory(w->c);
	ctx_init(&c, scratch);
	struct result result = file_read(&c, path, OBJECT_MAX, &content);
	if (!result_is_ok(result))
		return ctx_fail(w->c, result.code, "%" STR_FMT, STR_ARG(c.problem.message));
	return put(w, region_backup_attachment(w->c->arena, w->made.region, name), content);
}

/* An attachment never changes, so those of the newest backup are there already. The target's list tells which were lost
 * there; with BACKUP_LIST_MAX names it may be incomplete, and tells nothing. */
static RESULT copy_attachments(struct work *w, const struct region_backup *newest)
{
	const char *directory = settings_path(w->c->arena, &w->d->settings, "tickets");
	struct str folder = region_backup_attachment(w->c->arena, w->made.region, STR_NONE);
	struct region_backup_files files = {0};
	struct strs there = {0};
	size_t count = 0;
	TRY(region_backup_list_files(w->c, directory, NULL, &files));
	TRY(backup_store_list(w->store, w->c, str_slice(folder, 0, folder.n - 1), &there));
	struct region_backup_file *copied =
		arena_new_array(w->c->arena, struct region_backup_file, files.count + 1);
	if (!copied)
		return ctx_no_memory(w->c);
	for (size_t k = 0; k < files.count; k++) {
		struct result result = OK;
		if (!region_backup_has_file(&newest->attachments, &files.at[k]) ||
		    (there.count < BACKUP_LIST_MAX && !has_name(&there, files.at[k].name)))
			result = copy_attachment(w, directory, files.at[k].name);
		if (result.code != ERR_NOT_FOUND)
			TRY(result);
		ctx_clear_problem(w->c);
		if (result_is_ok(result))
			copied[count++] = files.at[k];
	}
	w->made.attachments = (struct region_backup_files){copied, count};
	return OK;
}

/* Other backups may have them already; a copy of them all can take hours. */
static RESULT copy_images(struct work *w)
{
	const char *directory = settings_path(w->c->arena, &w->d->settings, "images");
	TRY(region_images_list(w->c, directory, &w->made.images));
	return command_has_flag(w->call, "images")
		       ? region_images_copy(w->c, w->store, w->made.region, directory, &w->made.images,
					    &w->stored_size)
		       : OK;
}

/* ---- what is no longer kept ---- */

static RESULT remove_attachment(struct work *w, struct str name)
{
	return backup_store_remove(w->store, w->c,
				   region_backup_attachment(w->c->arena, w->made.region, name));
}

static RESULT remove_image(struct work *w, struct str name)
{
	return region_images_remove(w->c, w->store, w->made.region, name);
}

static const struct region_backup_files *files_of(const struct region_backup *b, bool is_image)
{
	return is_image ? &b->images : &b->attachments;
}

/* kept: the backups that stay. */
static RESULT remove_files(struct work *w, const struct region_backup *old, bool is_image,
			   const struct region_backup *kept, size_t kept_count)
{
	const struct region_backup_files *files = files_of(old, is_image);
	for (size_t k = 0; k < files->count; k++) {
		bool is_needed = false;
		for (size_t n = 0; n < kept_count && !is_needed; n++)
			is_needed = region_backup_has_file(files_of(&kept[n], is_image), &files->at[k]);
		if (!is_needed)
			TRY((is_image ? remove_image : remove_attachment)(w, files->at[k].name));
	}
	return OK;
}

static RESULT remove_one(struct work *w, uuid id)
{
	w->removed++;
	return region_backup_remove(w->c, w->store, w->made.region, id);
}

/* Removes incomplete backups, which a kill leaves, and complete ones beyond the number to keep. A record that cannot be read
 * stays for people; while there is one, attachments and images stay too, since its backup may need them. */
static RESULT remove_old(struct work *w, int64_t keep)
{
	struct uuids ids = {0};
	TRY(region_backup_list(w->c, w->store, w->made.region, &ids));
	struct region_backup *all = arena_new_array(w->c->arena, struct region_backup, ids.count + 1);
	size_t count = 0, kept = 0;
	bool all_are_read = true;
	if (!all)
		return ctx_no_memory(w->c);
	for (size_t k = ids.count; k > 0; k--) {
		struct result loaded =
			region_backup_load(w->c, w->store, w->made.region, ids.at[k - 1], &all[count]);
		ctx_clear_problem(w->c);
		count += result_is_ok(loaded);
		all_are_read = all_are_read && (result_is_ok(loaded) || loaded.code == ERR_NOT_FOUND);
		if (loaded.code == ERR_NOT_FOUND)
			TRY(remove_one(w, ids.at[k - 1]));
	}
	kept = (int64_t) count < keep ? count : (size_t) keep;
	for (size_t k = kept; k < count; k++) {
		TRY(remove_one(w, all[k].id));
		for (int is_image = 0; is_image < 2 && all_are_read; is_image++)
			TRY(remove_files(w, &all[k], is_image, all, kept));
	}
	return OK;
}

/* ---- making one ---- */

static RESULT make(struct work *w)
{
	struct region_backup *b = &w->made, newest = {0};
	struct daemon *d = w->d;
	struct uuids ids = {0};
	int64_t keep = KEEP_MAX;
	TRY(command_int_arg(w->call, "keep", KEEP_MAX, 1, KEEP_MAX, &keep));
	TRY(region_backup_list(w->c, w->store, d->region_id, &ids));
	uuid last = ids.count ? ids.at[ids.count - 1] : UUID_NONE;
	*b = (struct region_backup){.region = d->region_id,
				    .id = region_backup_new_id(clock_now_us(), last),
				    .region_name = d->settings.region,
				    .version = STR(DARI_VERSION),
				    .data_directory = d->settings.data_directory,
				    .made_us = clock_now_us()};
	struct result found = region_backup_find(w->c, w->store, b->region, STR_NONE, &newest);
	if (!result_is_ok(found) && found.code != ERR_NOT_FOUND && found.code != ERR_INVALID)
		return found; /* after a damaged record all attachments are stored again */
	ctx_clear_problem(w->c);
	TRY(seal_files(w));
	TRY(copy_database(w));
	TRY(copy_attachments(w, &newest));
	TRY(copy_images(w));
	TRY(region_backup_save(w->c, w->store, b));
	return remove_old(w, keep);
}

static void tell_made(struct work *w)
{
	const struct region_backup *b = &w->made;
	char id[UUID_TEXT_SIZE];
	buf_print(&w->call->text, "%s: %" PRId64 " rows at commit %" PRId64 ", ", uuid_write(b->id, id),
		  b->row_count, b->commit);
	buf_print(&w->call->text, "%zu attachments; %" PRId64 " bytes written%s\n", b->attachments.count,
		  w->stored_size, b->sealed_sha256.n ? "" : "; WITHOUT the master key and the configuration");
	if (w->removed)
		buf_print(&w->call->text, "%" PRId64 " older or incomplete backups were removed\n",
			  w->removed);
	w->call->value = json_pack("[{s:s, s:I, s:I, s:I, s:b}]", "id", id, "rows", (json_int_t) b->row_count,
				   "commit", (json_int_t) b->commit, "bytes", (json_int_t) w->stored_size,
				   "sealed", b->sealed_sha256.n > 0);
	log_event(LOG_INFO, "region-backup", "id=%s rows=%" PRId64 " commit=%" PRId64 " bytes=%" PRId64, id,
		  b->row_count, b->commit, w->stored_size);
}

/* ---- proving one ---- */

static RESULT check_object(struct work *w, struct str name, struct str sha256, int64_t size)
{
	struct buf bytes;
	buf_init(&bytes, OBJECT_MAX);
	struct result result = backup_store_get(w->store, w->c, name, &bytes);
	bool is_same = result_is_ok(result) && (size < 0 || (int64_t) bytes.size == size) &&
		       (!sha256.n || str_equal(region_backup_digest(w->c->arena, buf_str(&bytes)), sha256));
	buf_done(&bytes);
	TRY(result);
	return is_same ? OK
		       : ctx_fail(w->c, ERR_CONFLICT,
				  "%" STR_FMT " has other bytes than the backup's record says",
				  STR_ARG(name));
}

static void count_dangling(void *arg, const struct row *row, const struct field *field, uuid gone)
{
	(void) row, (void) field;
	*(size_t *) arg += aws_policy_find(gone) == NULL; /* AWS's managed policies have no rows */
}

/* Compares a loaded region with what the backup's record says of it. */
static RESULT check_region(struct work *w, struct store *store)
{
	const struct region_backup *b = &w->made;
	struct store_figures figures = {0};
	size_t dangling = 0;
	TRY(store_compare_with_sql(store, w->c));
	store_read_figures(store, &figures);
	AUTO_VIEW view = {0};
	view_open(store, &view);
	reference_find_dangling(view.tables, count_dangling, &dangling);
	if ((int64_t) figures.rows != b->row_count || (int64_t) figures.commit != b->commit)
		return ctx_fail(w->c, ERR_CONFLICT,
				"the region of the backup starts with %" PRIu64 " rows at commit %" PRIu64
				", its record says %" PRId64 " at %" PRId64,
				(uint64_t) figures.rows, (uint64_t) figures.commit, b->row_count, b->commit);
	if (!uuid_equal(engine_get_region_id(view.tables), b->region))
		return ctx_fail(w->c, ERR_CONFLICT, "the backup has the database of another region");
	if (dangling)
		return ctx_fail(w->c, ERR_CONFLICT, "%zu references in the backup's rows lead nowhere",
				dangling);
	return OK;
}

/* Starts a region of the restored database as far as its rows: in the folder of the work, without drivers and listeners, so
 * that it reaches no host, no network and no client. */
static RESULT rehearse(struct work *w)
{
	struct store_config config = {.executor = w->d->executor,
				      .observe = engine_observe,
				      .check = engine_check_row,
				      .follow = engine_follow};
	struct store *store = NULL;
	TRY(sql_open(w->c, w->database, &config.sql));
	TRY(store_open(w->c, &config, &store));
	struct result result = check_region(w, store);
	store_close(store);
	return result;
}

static RESULT prove(struct work *w)
{
	struct region_backup *b = &w->made;
	struct arena *a = w->c->arena;
	TRY(region_backup_find(w->c, w->store, w->d->region_id, command_arg(w->call, "backup"), b));
	if (b->has_database)
		TRY(region_backup_read_database(w->c, w->store, b, w->database));
	if (b->has_database)
		TRY(rehearse(w));
	if (b->sealed_sha256.n)
		TRY(check_object(w, region_backup_name(a, b, "sealed.cms"), b->sealed_sha256, -1));
	for (size_t k = 0; k < b->attachments.count; k++)
		TRY(check_object(w, region_backup_attachment(a, b->region, b->attachments.at[k].name),
				 STR_NONE, b->attachments.at[k].size));
	return OK;
}

static void tell_proved(struct work *w)
{
	const struct region_backup *b = &w->made;
	char id[UUID_TEXT_SIZE], time[CLOCK_TEXT_SIZE];
	buf_print(&w->call->text,
		  "%s of %s is whole: %" PRId64 " rows at commit %" PRId64
		  " were read back%s, %zu attachments are there, the master "
		  "key and the configuration are %s\n",
		  uuid_write(b->id, id), clock_write_s(b->made_us, time), b->row_count, b->commit,
		  b->has_database ? ", and a region started with them" : "", b->attachments.count,
		  b->sealed_sha256.n ? "in it, encrypted" : "NOT in it");
	w->call->value = json_pack("[{s:s, s:I, s:I, s:b}]", "id", id, "rows", (json_int_t) b->row_count,
				   "commit", (json_int_t) b->commit, "sealed", b->sealed_sha256.n > 0);
}

/* ---- listing them ---- */

static void tell_backup(struct work *w, const struct region_backup *b)
{
	char id[UUID_TEXT_SIZE], time[CLOCK_TEXT_SIZE];
	uuid_write(b->id, id);
	clock_write_s(b->made_us, time);
	buf_print(&w->call->text, "%s  %s  %10" PRId64 " rows  %s  dari %" STR_FMT "\n", id, time,
		  b->row_count, b->sealed_sha256.n ? "with keys   " : "without keys", STR_ARG(b->version));
	(void) json_array_append_new(w->call->value,
				     json_pack("{s:s, s:s, s:I, s:I, s:b}", "id", id, "made", time, "rows",
					       (json_int_t) b->row_count, "commit", (json_int_t) b->commit,
					       "sealed", b->sealed_sha256.n > 0));
}

static void tell_damaged(struct work *w, uuid backup)
{
	static const char PROBLEM[] = "its record is damaged, or of another version of Dari";
	char id[UUID_TEXT_SIZE];
	buf_print(&w->call->text, "%s  %s\n", uuid_write(backup, id), PROBLEM);
	(void) json_array_append_new(w->call->value, json_pack("{s:s, s:s}", "id", id, "problem", PROBLEM));
}

static RESULT list(struct work *w)
{
	struct uuids ids = {0};
	struct region_backup b = {0};
	w->call->value = json_array();
	TRY(region_backup_list(w->c, w->store, w->d->region_id, &ids));
	for (size_t k = 0; k < ids.count; k++) {
		struct result loaded = region_backup_load(w->c, w->store, w->d->region_id, ids.at[k], &b);
		if (loaded.code != ERR_NOT_FOUND && loaded.code != ERR_INVALID)
			TRY(loaded);
		ctx_clear_problem(w->c);
		if (result_is_ok(loaded))
			tell_backup(w, &b);
		else if (loaded.code == ERR_INVALID)
			tell_damaged(w, ids.at[k]);
	}
	return OK;
}

/* ---- the command ---- */

/* Empty: there is no such path. */
static struct str resolve(struct arena *a, struct str path)
{
	char whole[PATH_MAX];
	return realpath(str_to_z(a, path), whole) ? str_copy(a, str_from(whole)) : STR_NONE;
}

/* A backup in the data directory is lost with it, and pollutes the region's own files. */
static RESULT check_target(struct ctx *c, const struct settings *s, struct str url)
{
	static const struct str FILE_URL = STR("file://");
	struct str data = resolve(c->arena, s->data_directory), path = str_slice(url, FILE_URL.n, url.n),
		   there = STR_NONE;
	if (!str_starts_with(url, FILE_URL))
		return OK;
	/* the target's deepest directory that exists */
	while (path.n && !(there = resolve(c->arena, path)).n)
		while (--path.n && path.p[path.n] != '/')
			;
	return data.n && str_starts_with(there, data) && (there.n == data.n || there.p[data.n] == '/')
		       ? ctx_fail_field(c, ERR_INVALID, STR("target"),
					"%" STR_FMT " is in the data directory, and would be lost with it: "
					"name a directory on another disk",
					STR_ARG(there))
		       : OK;
}

static RESULT open_work(struct work *w)
{
	struct arena *a = w->c->arena;
	struct backup_target target = w->d->settings.backup; /* its endpoint and its key */
	target.url = command_arg(w->call, "target");
	w->directory = settings_path(a, &w->d->settings, "backup.partial");
	w->database = str_print(a, "%s/dari.db", w->directory).p;
	TRY(w->database ? OK : ctx_no_memory(w->c));
	TRY(check_target(w->c, &w->d->settings, target.url));
	TRY(backup_store_new(w->c, &target, &w->store));
	file_remove_tree(w->directory);
	return file_make_directory(w->c, w->directory, 0700);
}

static RESULT work(struct work *w)
{
	bool makes = !command_has_flag(w->call, "prove");
	if (pthread_mutex_trylock(&working) != 0)
		return ctx_fail(w->c, ERR_IN_USE, "another backup is being made or proved");
	struct result result = open_work(w);
	if (result_is_ok(result))
		result = makes ? make(w) : prove(w);
	if (w->directory)
		file_remove_tree(w->directory);
	region_drill_note(w->c, &w->d->settings, makes ? DRILL_BACKUP : DRILL_PROOF,
			  result_is_ok(result)          ? STR_NONE
			  : w->c->problem.message.n > 0 ? w->c->problem.message
							: STR("it failed"));
	(void) pthread_mutex_unlock(&working);
	TRY(result);
	(makes ? tell_made : tell_proved)(w);
	return OK;
}

/* An option that the command would not look at is refused. */
static RESULT check_options(struct command_call *call)
{
	static const struct {
		const char *name, *but;
	} apart[] = {
		{"prove", "list"},
		{"backup", "list"},
		{"keep", "list"},
		{"keep", "prove"},
		{"images", "list"},
		{"images", "prove"},
		{"without-keys", "list"},
		{"without-keys", "prove"},
		{"recovery-certificate", "list"},
		{"recovery-certificate", "prove"},
		{"recovery-certificate", "without-keys"},
	};
	for (size_t k = 0; k < sizeof apart / sizeof apart[0]; k++)
		if (json_object_get(call->args, apart[k].name) && command_has_flag(call, apart[k].but))
			return ctx_fail_field(&call->ctx, ERR_COMBINATION, str_from(apart[k].name),
					      "--%s has no effect with --%s: leave one of them out",
					      apart[k].name, apart[k].but);
	if (command_arg(call, "backup").n && !command_has_flag(call, "prove"))
		return ctx_fail_field(&call->ctx, ERR_COMBINATION, STR("backup"),
				      "--backup names the backup that --prove reads");
	return OK;
}

static RESULT backup(struct command_call *call)
{
	struct work w = {.call = call, .c = &call->ctx, .d = call->daemon};
	struct backup_target target = w.d->settings.backup;
	bool lists = command_has_flag(call, "list");
	TRY(check_options(call));
	target.url = command_arg(call, "target");
	struct result result = lists ? backup_store_new(w.c, &target, &w.store) : work(&w);
	if (lists && result_is_ok(result))
		result = list(&w);
	backup_store_free(w.store);
	return result;
}

const struct command backup_commands[] = {
	{"backup",
	 "Copies the running region to a store of objects: the database, tickets' attachments, and, "
	 "encrypted, the master key, "
	 "the configuration and certificates. Volumes are not copied.",
	 {{"target", PARAM_POSITIONAL, true,
	   "file:///DIRECTORY or s3://BUCKET/PREFIX (with the key of backup.…).", .is_path = true},
	  {"recovery-certificate", PARAM_OPTION, false,
	   "PEM file on the server's machine: certificate for encrypting the master key and the "
	   "configuration.",
	   .is_path = true},
	  {"images", PARAM_FLAG, false, "Also copies the files of images that are not there yet."},
	  {"keep", PARAM_OPTION, false, "Number of newest backups to keep."},
	  {"without-keys", PARAM_FLAG, false,
	   "Does not copy the master key, the configuration and certificates."},
	  {"list", PARAM_FLAG, false, "Lists the region's backups instead."},
	  {"prove", PARAM_FLAG, false,
	   "Verifies the newest backup instead: reads it back, starts an isolated region from it, and "
	   "compares the rows with the record."},
	  {"backup", PARAM_OPTION, false, "With --prove: ID of another backup."}},
	 .run = backup},
	{0},
};
