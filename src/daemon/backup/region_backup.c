/* SPDX-License-Identifier: Apache-2.0
 * Records of region backups: names, JSON, lists, and the checks of a copied database. */
#include "daemon/backup/region_backup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json_write.h"
#include "base/vec.h"
#include "model/backup_name.h"
#include "store/sql.h"

enum { FORMAT = 1, RECORD_MAX = 64 << 20, FILES_MAX = 1000000 };
static const struct str REGIONS = STR(BACKUP_REGIONS);

/* ---- names ---- */

/* UUID version 7 (RFC 9562): 48 bits of milliseconds, then random bits. */
uuid region_backup_new_id(int64_t now_us, uuid newest)
{
	uuid id = uuid_random();
	uint64_t ms = (uint64_t) (now_us / MILLISECOND), newest_ms = 0;
	for (int k = 0; k < 6; k++)
		newest_ms = newest_ms << 8 | newest.b[k];
	if (newest_ms >= ms)
		ms = newest_ms + 1;
	for (int k = 0; k < 6; k++)
		id.b[k] = (uint8_t) (ms >> (40 - 8 * k));
	id.b[6] = (uint8_t) ((id.b[6] & 0x0f) | 0x70);
	return id;
}

struct str region_backup_container(struct arena *a, uuid region)
{
	char text[UUID_TEXT_SIZE];
	return str_print(a, "%" STR_FMT "/%s", STR_ARG(REGIONS), uuid_write(region, text));
}

struct str region_backup_name(struct arena *a, const struct region_backup *b, const char *object)
{
	char region[UUID_TEXT_SIZE], id[UUID_TEXT_SIZE];
	return str_print(a, "%" STR_FMT "/%s/%s/%s", STR_ARG(REGIONS), uuid_write(b->region, region),
			 uuid_write(b->id, id), object);
}

struct str region_backup_attachment(struct arena *a, uuid region, struct str name)
{
	char text[UUID_TEXT_SIZE];
	return str_print(a, "%" STR_FMT "/%s/attachments/%" STR_FMT, STR_ARG(REGIONS),
			 uuid_write(region, text), STR_ARG(name));
}

/* ---- the record, written ---- */

static void write_files(struct json_writer *w, const char *key, const struct region_backup_files *files)
{
	json_write_open(w, key);
	for (size_t k = 0; k < files->count; k++) {
		json_write_key(w, files->at[k].name);
		json_write_int(w, NULL, files->at[k].size);
	}
	json_write_close(w);
}

static RESULT write_record(struct ctx *c, const struct region_backup *b, struct buf *out)
{
	struct json_writer w;
	char time[CLOCK_TEXT_SIZE];
	json_write_begin(&w, out);
	json_write_open(&w, NULL);
	json_write_int(&w, "format", FORMAT);
	json_write_text(&w, "region", uuid_to_str(c->arena, b->region));
	json_write_text(&w, "id", uuid_to_str(c->arena, b->id));
	json_write_text(&w, "region_name", b->region_name);
	json_write_text(&w, "version", b->version);
	json_write_text(&w, "data_directory", b->data_directory);
	json_write_z(&w, "made", clock_write_ms(b->made_us, time));
	if (b->has_database) {
		json_write_open(&w, "database");
		json_write_int(&w, "commit", b->commit);
		json_write_int(&w, "rows", b->row_count);
		json_write_text(&w, "sha256", b->database_sha256);
		json_write_text(&w, "path", b->database_path);
		json_write_bool(&w, "server", b->is_on_server);
		json_write_close(&w);
	} else {
		json_write_null(&w, "database");
	}
	json_write_text_or_null(&w, "sealed_sha256", b->sealed_sha256);
	write_files(&w, "attachments", &b->attachments);
	write_files(&w, "images", &b->images);
	json_write_close(&w);
	return json_write_end(&w);
}

RESULT region_backup_save(struct ctx *c, struct backup_store *store, const struct region_backup *b)
{
	struct buf text;
	buf_init(&text, RECORD_MAX);
	struct result result = write_record(c, b, &text);
	if (result_is_ok(result))
		result = backup_store_put(store, c, region_backup_name(c->arena, b, "region.json"),
					  buf_str(&text));
	buf_done(&text);
	return result;
}

/* ---- the record, read ---- */

static struct str text_of(struct arena *a, const json_t *object, const char *key)
{
	const json_t *text = json_object_get(object, key);
	return json_is_string(text)
		       ? str_copy(a, (struct str){json_string_value(text), json_string_length(text)})
		       : STR_NONE;
}

static int compare_files(const void *a, const void *b)
{
	return str_compare(((const struct region_backup_file *) a)->name,
			   ((const struct region_backup_file *) b)->name);
}

/* Names become names of files, so they are checked. */
static bool read_files(struct arena *a, const json_t *object, struct region_backup_files *ret_files)
{
	size_t count = json_object_size(object), k = 0;
	struct region_backup_file *files = arena_new_array(a, struct region_backup_file, count + 1);
	const char *key = NULL;
	json_t *value = NULL;
	if (!files || count > FILES_MAX || !json_is_object(object))
		return false;
	json_object_foreach ((json_t *) object, key, value) {
		if (!backup_name_is_part(str_from(key)) || !json_is_integer(value))
			return false;
		files[k++] =
			(struct region_backup_file){str_copy(a, str_from(key)), json_integer_value(value)};
	}
	if (count)
		qsort(files, count, sizeof *files, compare_files);
	*ret_files = (struct region_backup_files){files, count};
	return true;
}

/* Texts of a foreign bucket are printed, so that none may control a terminal. */
static bool is_text(struct str text)
{
	return str_is_empty(text) || str_is_line(text);
}

static bool read_record(struct arena *a, const json_t *root, struct region_backup *b)
{
	const json_t *database = json_object_get(root, "database");
	uuid region = UUID_NONE, id = UUID_NONE;
	b->region_name = text_of(a, root, "region_name");
	b->version = text_of(a, root, "version");
	b->data_directory = text_of(a, root, "data_directory");
	b->has_database = json_is_object(database);
	b->commit = json_integer_value(json_object_get(database, "commit"));
	b->row_count = json_integer_value(json_object_get(database, "rows"));
	b->database_sha256 = text_of(a, database, "sha256");
	b->database_path = text_of(a, database, "path");
	b->is_on_server = json_is_true(json_object_get(database, "server"));
	b->sealed_sha256 = text_of(a, root, "sealed_sha256");
	return json_integer_value(json_object_get(root, "format")) == FORMAT &&
	       result_is_ok(uuid_parse(text_of(a, root, "region"), &region)) &&
	       uuid_equal(region, b->region) && result_is_ok(uuid_parse(text_of(a, root, "id"), &id)) &&
	       uuid_equal(id, b->id) && result_is_ok(clock_parse(text_of(a, root, "made"), &b->made_us)) &&
	       is_text(b->region_name) && is_text(b->version) && is_text(b->data_directory) &&
	       is_text(b->database_path) &&
	       read_files(a, json_object_get(root, "attachments"), &b->attachments) &&
	       read_files(a, json_object_get(root, "images"), &b->images);
}

RESULT region_backup_load(struct ctx *c, struct backup_store *store, uuid region, uuid id,
			  struct region_backup *ret_backup)
{
	struct buf text;
	json_error_t where;
	struct region_backup b = {.region = region, .id = id};
	buf_init(&text, RECORD_MAX);
	struct result result =
		backup_store_get(store, c, region_backup_name(c->arena, &b, "region.json"), &text);
	json_t *root = result_is_ok(result) ? json_loadb(text.p, text.size, 0, &where) : NULL;
	buf_done(&text);
	bool is_read = root && read_record(c->arena, root, &b);
	json_decref(root);
	TRY(result);
	if (!is_read)
		return ctx_fail(c, ERR_INVALID, "%" STR_FMT " is damaged, or of another version of Dari",
				STR_ARG(region_backup_name(c->arena, &b, "region.json")));
	*ret_backup = b;
	return OK;
}

/* ---- lists ---- */

static int compare_ids(const void *a, const void *b)
{
	return uuid_compare(*(const uuid *) a, *(const uuid *) b);
}

static RESULT list_ids(struct ctx *c, struct backup_store *store, struct str folder, struct uuids *ret_ids)
{
	struct strs names = {0};
	TRY(backup_store_list(store, c, folder, &names));
	uuid *ids = arena_new_array(c->arena, uuid, names.count + 1);
	size_t count = 0;
	if (!ids)
		return ctx_no_memory(c);
	for (size_t k = 0; k < names.count; k++)
		count += result_is_ok(uuid_parse(names.at[k], &ids[count]));
	qsort(ids, count, sizeof *ids, compare_ids);
	*ret_ids = (struct uuids){ids, count};
	return OK;
}

RESULT region_backup_list(struct ctx *c, struct backup_store *store, uuid region, struct uuids *ret_ids)
{
	return list_ids(c, store, region_backup_container(c->arena, region), ret_ids);
}

RESULT region_backup_find_region(struct ctx *c, struct backup_store *store, uuid *ret_region)
{
	struct uuids ids = {0};
	struct str all = STR_NONE;
	TRY(list_ids(c, store, REGIONS, &ids));
	if (!ids.count)
		return ctx_fail(c, ERR_NOT_FOUND, "there is no backup of a region");
	for (size_t k = 0; k < ids.count; k++)
		all = str_print(c->arena, "%" STR_FMT "%s%" STR_FMT, STR_ARG(all), k ? ", " : "",
				STR_ARG(uuid_to_str(c->arena, ids.at[k])));
	if (ids.count > 1)
		return ctx_fail_field(
			c, ERR_COMBINATION, STR("region"),
			"there are backups of several regions: name one with --region (%" STR_FMT ")",
			STR_ARG(all));
	*ret_region = ids.at[0];
	return OK;
}

static RESULT find_newest(struct ctx *c, struct backup_store *store, uuid region,
			  struct region_backup *ret_backup)
{
	struct uuids ids = {0};
	TRY(region_backup_list(c, store, region, &ids));
	for (size_t k = ids.count; k > 0; k--) {
		struct result result = region_backup_load(c, store, region, ids.at[k - 1], ret_backup);
		if (result.code != ERR_NOT_FOUND)
			return result;
		ctx_clear_problem(c);
	}
	return ctx_fail(c, ERR_NOT_FOUND, "there is no complete backup of this region");
}

RESULT region_backup_find(struct ctx *c, struct backup_store *store, uuid region, struct str text,
			  struct region_backup *ret_backup)
{
	uuid id = UUID_NONE;
	if (str_is_empty(text))
		return find_newest(c, store, region, ret_backup);
	if (!result_is_ok(uuid_parse(text, &id)))
		return ctx_fail_field(c, ERR_INVALID, STR("backup"),
				      "%" STR_FMT " is no backup's id: --list shows them", STR_ARG(text));
	struct result result = region_backup_load(c, store, region, id, ret_backup);
	if (result.code != ERR_NOT_FOUND)
		return result;
	ctx_clear_problem(c);
	return ctx_fail_field(c, ERR_NOT_FOUND, STR("backup"), "there is no complete backup %" STR_FMT,
			      STR_ARG(text));
}

RESULT region_backup_remove(struct ctx *c, struct backup_store *store, uuid region, uuid id)
{
	const struct region_backup b = {.region = region, .id = id};
	const struct backup_place place = {
		.store = store, .container = region_backup_container(c->arena, region), .id = id};
	TRY(backup_store_remove(store, c, region_backup_name(c->arena, &b, "region.json")));
	return backup_data_remove(c, &place);
}

/* ---- files ---- */

RESULT region_backup_list_files(struct ctx *c, const char *directory, bool (*is_meant)(struct str name),
				struct region_backup_files *ret_files)
{
	VEC(struct region_backup_file) files = {0};
	const struct dirent *entry = NULL;
	struct stat seen;
	bool has_room = true;
	DIR *dir = opendir(directory);
	if (!dir && errno != ENOENT)
		return ctx_fail(c, ERR_IO, "cannot read %s: %s", directory, strerrordesc_np(errno));
	while (dir && has_room && (entry = readdir(dir))) {
		struct str name = str_from(entry->d_name);
		if (backup_name_is_part(name) && (!is_meant || is_meant(name)) &&
		    fstatat(dirfd(dir), entry->d_name, &seen, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISREG(seen.st_mode))
			has_room = VEC_PUSH(
				c->arena, &files,
				((struct region_backup_file){str_copy(c->arena, name), seen.st_size}));
	}
	if (dir)
		(void) closedir(dir);
	if (!has_room)
		return ctx_no_memory(c);
	if (files.count)
		qsort(files.at, files.count, sizeof *files.at, compare_files);
	*ret_files = (struct region_backup_files){files.at, files.count};
	return OK;
}

bool region_backup_has_file(const struct region_backup_files *files, const struct region_backup_file *file)
{
	const struct region_backup_file *found =
		files->count ? bsearch(file, files->at, files->count, sizeof *files->at, compare_files)
			     : NULL;
	return found && found->size == file->size;
}

struct str region_backup_digest(struct arena *a, struct str bytes)
{
	uint8_t digest[SHA256_SIZE];
	crypto_sha256(bytes, digest);
	return str_encode_hex(a, digest, sizeof digest);
}

RESULT region_backup_digest_file(struct ctx *c, const char *path, struct str *ret_hex)
{
	uint8_t digest[SHA256_SIZE];
	AUTO_FD fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return ctx_fail(c, ERR_IO, "cannot open %s: %s", path, strerrordesc_np(errno));
	TRY(crypto_sha256_file(c, fd, digest));
	*ret_hex = str_encode_hex(c->arena, digest, sizeof digest);
	return ret_hex->p ? OK : ctx_no_memory(c);
}

/* ---- the database ---- */

static RESULT count_row(void *arg, const struct row *row)
{
	(void) row;
	++*(int64_t *) arg;
	return OK;
}

static RESULT count_rows(struct ctx *c, struct sql_driver *driver, int64_t *ret_rows, int64_t *ret_commit)
{
	int64_t count = 0;
	uint64_t commit = 0;
	TRY(driver->open(driver, c));
	TRY(driver->read_commit(driver, c, &commit));
	for (enum kind kind = 1; kind < KIND_COUNT; kind++)
		TRY(driver->load(driver, c, kind, count_row, &count));
	*ret_rows = count;
	*ret_commit = (int64_t) commit;
	return OK;
}

RESULT region_backup_count_rows(struct ctx *c, const char *path, int64_t *ret_rows, int64_t *ret_commit)
{
	struct sql_driver *driver = NULL;
	const char *lock = str_print(c->arena, "%s.lock", path).p;
	TRY(lock ? sqlite_open(c, path, &driver) : ctx_no_memory(c));
	struct result result = count_rows(c, driver, ret_rows, ret_commit);
	driver->close(driver);
	(void) unlink(lock);
	return result;
}

RESULT region_backup_read_database(struct ctx *c, struct backup_store *store, const struct region_backup *b,
				   const char *path)
{
	const struct backup_place place = {
		.store = store, .container = region_backup_container(c->arena, b->region), .id = b->id};
	const struct backup_watch watch = {0};
	AUTO(backup_manifest) manifest = NULL;
	struct str digest = STR_NONE;
	int64_t rows = 0, commit = 0;
	TRY(backup_manifest_load(c, &place, &manifest));
	TRY(backup_data_read(c, &place, manifest, path, &watch));
	TRY(region_backup_digest_file(c, path, &digest));
	if (!str_equal(digest, b->database_sha256))
		return ctx_fail(c, ERR_CONFLICT,
				"the database in the backup is not the one that its record names");
	TRY(region_backup_count_rows(c, path, &rows, &commit));
	if (rows == b->row_count && commit == b->commit)
		return OK;
	return ctx_fail(c, ERR_CONFLICT,
			"the database in the backup has %" PRId64 " rows at commit %" PRId64
			", and its record says %" PRId64 " at %" PRId64,
			rows, commit, b->row_count, b->commit);
}
