/* SPDX-License-Identifier: Apache-2.0
 * `dari restore`: puts a region's backup back on a machine on which no region is. It writes nothing over a file, and what it
 * wrote before a failure is removed again. */
#include <errno.h>
#include <grp.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/vec.h"
#include "daemon/backup/region_backup.h"
#include "daemon/backup/sealed_files.h"
#include "daemon/command.h"
#include "store/copy.h"
#include "store/sql.h"

enum { KEY_MAX = 1 << 20, OBJECT_MAX = 64 << 20, RESTORE_CAP = 256 << 20, NAMES_CAP = 4096 };

struct restore {
	struct ctx *c;
	const json_t *args;
	const char *root; /* stands for "/"; empty: none */
	struct backup_store *store;
	struct region_backup backup;
	struct sealed_files files;
	const char *data_directory; /* below root, as the next */
	const char *database;       /* a file of SQLite */
	const char *
		url; /* database of PostgreSQL that gets what is in the file, which is then deleted; NULL: none */
	struct str
		configured; /* the key `store` of the restored configuration; empty: no key, or no configuration */
	uid_t uid;          /* who owns the master key, and so the other data */
	gid_t gid;
	VEC(const char *) written; /* for removal after a failure */
	size_t missing;            /* files of images that are not in the backup */
	size_t lost;               /* attachments that are not in the backup, or damaged there */
};

static struct str arg_of(const struct restore *r, const char *name)
{
	const char *text = json_string_value(json_object_get(r->args, name));
	return text ? str_from(text) : STR_NONE;
}

static const char *below_root(struct restore *r, struct str path)
{
	return str_print(r->c->arena, "%s%" STR_FMT, r->root, STR_ARG(path)).p;
}

/* ---- what is there to restore ---- */

static RESULT open_store(struct restore *r, uuid *ret_region)
{
	const struct backup_target target = {.url = arg_of(r, "target"),
					     .endpoint = arg_of(r, "s3-endpoint"),
					     .region = arg_of(r, "s3-region").n ? arg_of(r, "s3-region")
										: STR("us-east-1"),
					     .key_id = arg_of(r, "s3-key-id"),
					     .secret_file = arg_of(r, "s3-secret-file")};
	struct str named = arg_of(r, "region");
	TRY(backup_store_new(r->c, &target, &r->store));
	if (str_is_empty(named))
		return region_backup_find_region(r->c, r->store, ret_region);
	return result_is_ok(uuid_parse(named, ret_region))
		       ? OK
		       : ctx_fail_field(r->c, ERR_INVALID, STR("region"), "%" STR_FMT " is no region's id",
					STR_ARG(named));
}

static RESULT open_files(struct restore *r)
{
	struct buf sealed;
	struct str pem = STR_NONE, key = arg_of(r, "key");
	if (str_is_empty(r->backup.sealed_sha256))
		return OK;
	if (str_is_empty(key))
		return ctx_fail_field(r->c, ERR_MISSING, STR("key"),
				      "the master key is in the backup, encrypted: name the recovery "
				      "certificate's private key "
				      "with --key");
	TRY(file_read(r->c, str_to_z(r->c->arena, key), KEY_MAX, &pem));
	buf_init(&sealed, OBJECT_MAX);
	struct result result = backup_store_get(
		r->store, r->c, region_backup_name(r->c->arena, &r->backup, "sealed.cms"), &sealed);
	if (result_is_ok(result) &&
	    !str_equal(region_backup_digest(r->c->arena, buf_str(&sealed)), r->backup.sealed_sha256))
		result = ctx_fail(r->c, ERR_CONFLICT,
				  "the encrypted files are not those that the backup's record names");
	if (result_is_ok(result))
		result = sealed_files_open(r->c, pem, buf_str(&sealed), &r->files);
	buf_done(&sealed);
	return result;
}

/* ---- files ---- */

static RESULT check_absent(struct restore *r, const char *path)
{
	TRY(path ? OK : ctx_no_memory(r->c));
	return !file_exists(path) ? OK
				  : ctx_fail(r->c, ERR_EXISTS,
					     "%s is there already: a backup is restored where no region is. "
					     "Move it away, or name "
					     "another place with --root",
					     path);
}

/* True if the machine has the same file already, e.g. an authority's certificate of a package. */
static bool is_there(struct restore *r, const char *path, const struct sealed_file *file)
{
	struct str content = STR_NONE;
	bool is_same = path && result_is_ok(file_read(r->c, path, file->content.n + 1, &content)) &&
		       str_equal(content, file->content);
	ctx_clear_problem(r->c);
	return is_same;
}

static RESULT make_parent(struct restore *r, const char *path, mode_t mode)
{
	const char *slash = strrchr(path, '/');
	const char *parent = str_print(r->c->arena, "%.*s", (int) (slash - path), path).p;
	TRY(parent ? OK : ctx_no_memory(r->c));
	if (!parent[0] || file_exists(parent))
		return OK;
	for (const char *end = strchr(parent + 1, '/'); end; end = strchr(end + 1, '/')) {
		const char *above = str_print(r->c->arena, "%.*s", (int) (end - parent), parent).p;
		TRY(above ? file_make_directory(r->c, above, 0755) : ctx_no_memory(r->c));
	}
	TRY(file_make_directory(r->c, parent, mode));
	if (geteuid() == 0 && mode == 0700 && chown(parent, r->uid, r->gid) != 0)
		return ctx_fail(r->c, ERR_IO, "cannot give %s its owner: %s", parent, strerrordesc_np(errno));
	return OK;
}

static RESULT write_file(struct restore *r, const char *path, struct str content, mode_t mode, uid_t uid,
			 gid_t gid)
{
	TRY(check_absent(r, path));
	TRY(file_write_synced(r->c, path, content, mode));
	TRY(VEC_PUSH(r->c->arena, &r->written, path) ? OK : ctx_no_memory(r->c));
	if (geteuid() == 0 && chown(path, uid, gid) != 0)
		return ctx_fail(r->c, ERR_IO, "cannot give %s its owner: %s", path, strerrordesc_np(errno));
	return OK;
}

/* Owners by name, since a new machine numbers its users anew. An unknown one leaves the file to root. */
static void find_owner(struct restore *r, const struct sealed_file *file, uid_t *ret_uid, gid_t *ret_gid)
{
	char bytes[NAMES_CAP];
	struct passwd user, *found_user = NULL;
	struct group group, *found_group = NULL;
	const char *user_name = str_to_z(r->c->arena, file->user),
		   *group_name = str_to_z(r->c->arena, file->group);
	(void) getpwnam_r(user_name, &user, bytes, sizeof bytes, &found_user);
	*ret_uid = found_user ? user.pw_uid : geteuid();
	(void) getgrnam_r(group_name, &group, bytes, sizeof bytes, &found_group);
	*ret_gid = found_group ? group.gr_gid : getegid();
	if (!found_user && file->user.n && geteuid() == 0)
		printf("There is no user %s here, so %" STR_FMT
		       " belongs to root: install the package dari first.\n",
		       user_name, STR_ARG(file->path));
}

static bool is_in_data(const struct restore *r, struct str path)
{
	struct str data = r->backup.data_directory;
	return str_starts_with(path, data) && path.n > data.n && path.p[data.n] == '/';
}

/* The master key's owner is that of the data directory, which may be made for another file first. */
static void find_data_owner(struct restore *r)
{
	for (size_t k = 0; k < r->files.count; k++)
		if (str_ends_with(r->files.at[k].path, STR("/master.key")))
			find_owner(r, &r->files.at[k], &r->uid, &r->gid);
}

static RESULT write_sealed_files(struct restore *r)
{
	find_data_owner(r);
	for (size_t k = 0; k < r->files.count; k++) {
		const struct sealed_file *file = &r->files.at[k];
		const char *path = below_root(r, file->path);
		uid_t uid = geteuid();
		gid_t gid = getegid();
		TRY(path ? OK : ctx_no_memory(r->c));
		find_owner(r, file, &uid, &gid);
		if (is_there(r, path, file))
			continue;
		TRY(make_parent(r, path, is_in_data(r, file->path) ? 0700 : 0755));
		TRY(write_file(r, path, file->content, (mode_t) file->mode, uid, gid));
	}
	return OK;
}

/* ---- the database and the attachments ---- */

static RESULT check_places(struct restore *r)
{
	for (size_t k = 0; k < r->files.count; k++) {
		const char *path = below_root(r, r->files.at[k].path);
		if (!is_there(r, path, &r->files.at[k]))
			TRY(check_absent(r, path));
	}
	/* SQLite would read the log of another database into this one. */
	static const char *const endings[] = {"", "-wal", "-shm"};
	for (size_t k = 0; r->backup.has_database && k < sizeof endings / sizeof endings[0]; k++)
		TRY(check_absent(r, str_print(r->c->arena, "%s%s", r->database, endings[k]).p));
	return r->url ? store_check_empty(r->c, r->url) : OK;
}

/* Gives a file that was written whole its name and its owner. */
static RESULT keep_file(struct restore *r, const char *half, const char *path)
{
	if (chmod(half, 0600) != 0 || (geteuid() == 0 && chown(half, r->uid, r->gid) != 0))
		return ctx_fail(r->c, ERR_IO, "cannot give %s its owner: %s", half, strerrordesc_np(errno));
	TRY(VEC_PUSH(r->c->arena, &r->written, path) ? OK : ctx_no_memory(r->c));
	return file_rename_synced(r->c, half, path);
}

/* Copies the file into PostgreSQL in one transaction, and compares. */
static RESULT fill_server(struct restore *r, const char *half)
{
	struct store_copied copied = {0};
	const char *lock = str_print(r->c->arena, "%s.lock", half).p;
	TRY(lock ? OK : ctx_no_memory(r->c));
	struct result result = store_copy(r->c, half, r->url, &copied);
	(void) unlink(lock);
	return result;
}

static RESULT write_database(struct restore *r)
{
	const char *path = r->database;
	const char *half = str_print(r->c->arena, "%s.half", path).p;
	TRY(half ? OK : ctx_no_memory(r->c));
	TRY(make_parent(r, path, 0700));
	if (!r->backup.has_database)
		return OK;
	struct result result = region_backup_read_database(r->c, r->store, &r->backup, half);
	if (result_is_ok(result))
		result = r->url ? fill_server(r, half) : keep_file(r, half, path);
	(void) unlink(half);
	return result;
}

/* A lost attachment is missed less than the region. A target that fails may have it still, so that the restore ends. */
static RESULT write_attachment(struct restore *r, const struct region_backup_file *file, struct ctx *c)
{
	struct buf content;
	const char *path =
		str_print(r->c->arena, "%s/tickets/%" STR_FMT, r->data_directory, STR_ARG(file->name)).p;
	TRY(path ? make_parent(r, path, 0700) : ctx_no_memory(r->c));
	buf_init(&content, OBJECT_MAX);
	struct result result = backup_store_get(
		r->store, c, region_backup_attachment(c->arena, r->backup.region, file->name), &content);
	bool is_lost = result.code == ERR_NOT_FOUND ||
		       (result_is_ok(result) && (int64_t) content.size != file->size);
	if (!result_is_ok(result) && !is_lost)
		result = ctx_fail(r->c, result.code, "%" STR_FMT, STR_ARG(c->problem.message));
	else if (!is_lost)
		result = write_file(r, path, buf_str(&content), 0600, r->uid, r->gid);
	r->lost += is_lost;
	buf_done(&content);
	return is_lost ? OK : result;
}

static RESULT write_attachments(struct restore *r)
{
	for (size_t k = 0; k < r->backup.attachments.count; k++) {
		AUTO(arena) scratch = arena_new(ARENA_FIRST_SIZE, 2 * OBJECT_MAX);
		struct ctx c;
		if (!scratch)
			return ctx_no_memory(r->c);
		ctx_init(&c, scratch);
		TRY(write_attachment(r, &r->backup.attachments.at[k], &c));
	}
	return OK;
}

/* The backup lists all images, and has those that were asked for. */
static RESULT write_image(struct restore *r, struct str name)
{
	const char *path = str_print(r->c->arena, "%s/images/%" STR_FMT, r->data_directory, STR_ARG(name)).p;
	const char *half =
		str_print(r->c->arena, "%s/images/%" STR_FMT ".part", r->data_directory, STR_ARG(name)).p;
	TRY(path && half ? make_parent(r, path, 0700) : ctx_no_memory(r->c));
	if (file_exists(path))
		return OK; /* put back by hand before */
	struct result result = region_images_read(r->c, r->store, r->backup.region, name, half);
	if (result.code == ERR_NOT_FOUND || result.code == ERR_INVALID) {
		ctx_clear_problem(r->c);
		r->missing++;
		result = OK;
	} else if (result_is_ok(result)) {
		result = keep_file(r, half, path);
	}
	(void) unlink(half);
	return result;
}

static RESULT write_images(struct restore *r)
{
	for (size_t k = 0; k < r->backup.images.count; k++)
		TRY(write_image(r, r->backup.images.at[k].name));
	return OK;
}

/* ---- the whole ---- */

/* The configuration is the first of the small files, if they have one. */
static RESULT read_configuration(struct restore *r)
{
	struct settings settings = {0};
	if (!r->files.count || str_ends_with(r->files.at[0].path, STR("/master.key")))
		return OK;
	TRY(settings_parse(r->c, r->files.at[0].content, str_to_z(r->c->arena, r->files.at[0].path),
			   &settings));
	r->configured = settings.store;
	return OK;
}

/* Below --root nothing reaches a server, unless --store names one: a rehearsal must not fill the region's own. */
static RESULT find_database(struct restore *r)
{
	struct str named = arg_of(r, "store");
	TRY(read_configuration(r));
	if (!r->backup.has_database)
		return named.n ? ctx_fail_field(r->c, ERR_COMBINATION, STR("store"),
						"--store has no effect: the backup has no database")
			       : OK;
	if (!named.n && r->backup.is_on_server && !*r->root && !r->configured.n)
		return ctx_fail_field(r->c, ERR_MISSING, STR("store"),
				      "the region has its database in PostgreSQL, and the backup no "
				      "configuration that names it: name "
				      "an empty database with --store postgresql://…, or a file of SQLite");
	if (named.n && !sql_is_url(named))
		r->database = str_to_z(r->c->arena, named);
	else if (named.n || (r->backup.is_on_server && !*r->root))
		r->url = str_to_z(r->c->arena, named.n ? named : r->configured);
	return OK;
}

static RESULT write_all(struct restore *r)
{
	struct str data = r->backup.data_directory, database = r->backup.database_path;
	if (!sealed_files_is_path(data) || (database.n && !sealed_files_is_path(database)))
		return ctx_fail(r->c, ERR_INVALID, "the backup's record names no data directory");
	r->data_directory = below_root(r, data);
	r->database = database.n ? below_root(r, database)
				 : str_print(r->c->arena, "%s/dari.db", r->data_directory).p;
	TRY(r->data_directory && r->database ? find_database(r) : ctx_no_memory(r->c));
	TRY(check_places(r));
	TRY(write_sealed_files(r));
	TRY(write_attachments(r));
	TRY(write_images(r));
	return write_database(r); /* last: what is in a server's database stays there when the rest fails */
}

static RESULT restore(struct restore *r)
{
	uuid region = UUID_NONE;
	r->uid = geteuid();
	r->gid = getegid();
	TRY(open_store(r, &region));
	TRY(region_backup_find(r->c, r->store, region, arg_of(r, "backup"), &r->backup));
	TRY(open_files(r));
	struct result result = write_all(r);
	for (size_t k = 0; k < r->written.count && !result_is_ok(result); k++)
		(void) unlink(r->written.at[k]);
	return result;
}

/* The next start of dari looks for the database where the configuration says. */
static void print_database(struct restore *r)
{
	const char *where = r->url ? r->url : r->database, *name = NULL;
	bool is_configured = r->configured.n ? str_is(r->configured, where) : !arg_of(r, "store").n;
	if (!result_is_ok(sql_name(r->c, where, &name)))
		name = "PostgreSQL";
	if (!r->backup.has_database)
		printf("Its database is PostgreSQL's: restore that before dari starts "
		       "(docs/postgresql.md).\n");
	else if (r->url || r->backup.is_on_server || !is_configured)
		printf("The database is in %s%s.\n", name,
		       is_configured ? ""
				     : ": name it in the configuration's key `store` before dari starts");
}

static void print_images(const struct restore *r)
{
	if (r->missing)
		printf("%zu of %zu image files are missing in the backup, or incomplete: put them into "
		       "%s/images from your copy, or import the images again. Running guests do not need "
		       "them.\n",
		       r->missing, r->backup.images.count, r->data_directory);
}

static void print_end(struct restore *r)
{
	const struct region_backup *b = &r->backup;
	char time[CLOCK_TEXT_SIZE];
	printf("Region %" STR_FMT " is restored as it was at %s: ", STR_ARG(b->region_name),
	       clock_write_s(b->made_us, time));
	if (b->has_database)
		printf("%" PRId64 " rows at commit %" PRId64 ", ", b->row_count, b->commit);
	printf("%zu files, %zu attachments.\n", r->files.count, b->attachments.count - r->lost);
	size_t outside = 0;
	for (size_t k = 0; k < r->files.count; k++)
		if (!is_in_data(r, r->files.at[k].path)) {
			if (!outside++)
				printf("Files outside %s:\n", r->data_directory);
			printf("  %s%" STR_FMT "\n", r->root, STR_ARG(r->files.at[k].path));
		}
	if (r->lost)
		printf("%zu attachments of tickets are lost: they are missing or damaged in the backup.\n",
		       r->lost);
	print_database(r);
	if (str_is_empty(b->sealed_sha256))
		printf("The backup was made without keys: put master.key into %s and the configuration in "
		       "its place.\n",
		       r->data_directory);
	print_images(r);
	printf("Next: systemctl start dari, dari doctor, and dari audit, which lists what hosts have and the "
	       "backup does not. "
	       "It is left alone until dari adopt or dari purge.\n");
}

/* ---- the list of backups ---- */

static RESULT list(struct restore *r)
{
	struct uuids ids = {0};
	struct region_backup b = {0};
	char id[UUID_TEXT_SIZE], time[CLOCK_TEXT_SIZE];
	uuid region = UUID_NONE;
	TRY(open_store(r, &region));
	TRY(region_backup_list(r->c, r->store, region, &ids));
	for (size_t k = 0; k < ids.count; k++) {
		struct result loaded = region_backup_load(r->c, r->store, region, ids.at[k], &b);
		uuid_write(ids.at[k], id);
		if (result_is_ok(loaded))
			printf("%s  %s  %10" PRId64 " rows  %s  %" STR_FMT "\n", id,
			       clock_write_s(b.made_us, time), b.row_count,
			       b.sealed_sha256.n ? "with keys   " : "without keys", STR_ARG(b.region_name));
		else if (loaded.code != ERR_NOT_FOUND)
			printf("%s  %" STR_FMT "\n", id, STR_ARG(r->c->problem.message));
		ctx_clear_problem(r->c);
	}
	return OK;
}

static int restore_here(const struct command *command, json_t *args, const char *config_path)
{
	AUTO(arena) arena = arena_new(ARENA_FIRST_SIZE, RESTORE_CAP);
	struct ctx c;
	(void) config_path;
	ctx_init(&c, arena);
	struct restore r = {.c = &c, .args = args};
	r.root = str_to_z(arena, arg_of(&r, "root"));
	bool lists = json_is_true(json_object_get(args, "list"));
	struct result result = lists ? list(&r) : restore(&r);
	backup_store_free(r.store);
	if (!result_is_ok(result)) {
		fprintf(stderr, "dari %s: %" STR_FMT "\n", command->words, STR_ARG(c.problem.message));
		return 1;
	}
	if (!lists)
		print_end(&r);
	return 0;
}

const struct command restore_commands[] = {
	{"restore",
	 "Restores a region's backup on a machine that has no region. dari must not run. Overwrites nothing.",
	 {{"target", PARAM_POSITIONAL, true, "file:///DIRECTORY or s3://BUCKET/PREFIX.", .is_path = true},
	  {"key", PARAM_OPTION, false, "PEM file with the private key of the recovery certificate.",
	   .is_path = true},
	  {"list", PARAM_FLAG, false, "Lists the backups instead."},
	  {"backup", PARAM_OPTION, false, "ID of the backup (default: the newest)."},
	  {"region", PARAM_OPTION, false, "The region's id, if the target has backups of several."},
	  {"root", PARAM_OPTION, false, "Directory that stands for /, for a rehearsal or a mounted disk.",
	   .is_path = true},
	  {"store", PARAM_OPTION, false,
	   "An empty database of PostgreSQL (postgresql://…) or a new file of SQLite for the rows (default: "
	   "where the region had "
	   "them; below --root always a file).",
	   .is_path = true},
	  {"s3-endpoint", PARAM_OPTION, false, "The URL of the S3 service."},
	  {"s3-region", PARAM_OPTION, false, "The region in signatures (default: us-east-1)."},
	  {"s3-key-id", PARAM_OPTION, false, "Id of the access key."},
	  {"s3-secret-file", PARAM_OPTION, false, "File with the secret of the access key in its first line.",
	   .is_path = true}},
	 .run_here = restore_here},
	{0},
};
