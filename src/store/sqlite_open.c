/* SPDX-License-Identifier: Apache-2.0
 * Opens a SQLite database: lock, connections, settings, and schema, which is created in a new database,
 * migrated in an older one, and refused with a message if the program does not know it. sqlite.c uses the
 * database afterwards. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/file.h"
#include "base/heap.h"
#include "base/log.h"
#include "store/sqlite_internal.h"

enum { BUSY_TIMEOUT_MS = 5000, SCRATCH_CAP = 64 * 1024 * 1024 };

/* ---- the file ---- */

static int sqlite_open_fd(const char *path, int flags)
{
	if (fault_fires(FAULT_FILE)) {
		errno = EIO;
		return -1;
	}
	return open(path, flags | O_CLOEXEC, 0600);
}

/* Excludes a second process, whose memory would diverge from this one's. An open file description lock is
 * released with the process, and also excludes a second opening within it. */
static RESULT sqlite_lock(struct sqlite *self, struct ctx *c)
{
	const char *path = str_print(c->arena, "%s.lock", self->path).p;
	if (!path)
		return ctx_no_memory(c);
	self->lock_fd = sqlite_open_fd(path, O_RDWR | O_CREAT);
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	if (self->lock_fd >= 0 && fcntl(self->lock_fd, F_OFD_SETLK, &lock) == 0)
		return OK;
	if (self->lock_fd >= 0 && (errno == EAGAIN || errno == EACCES))
		return ctx_fail(c, ERR_IN_USE,
				"the database %s is in use by another dari process, which holds %s: end that "
				"one first, or use another data directory",
				self->path, path);
	char words[128];
	return ctx_fail(c, ERR_IO, "cannot lock %s: %s", path, strerror_r(errno, words, sizeof words));
}

/* Created by us with mode 0600; SQLite gives its other files the same mode. */
static RESULT sqlite_make_file(struct sqlite *self, struct ctx *c)
{
	AUTO_FD fd = sqlite_open_fd(self->path, O_RDWR | O_CREAT);
	char words[128];
	return fd >= 0 ? OK
		       : ctx_fail(c, ERR_IO, "cannot open the database %s: %s", self->path,
				  strerror_r(errno, words, sizeof words));
}

static RESULT sqlite_connect(struct sqlite *self, struct ctx *c, sqlite3 **ret_db)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI;
	int code = fault_fires(FAULT_SQL) ? SQLITE_IOERR : sqlite3_open_v2(self->name, ret_db, flags, NULL);
	if (code != SQLITE_OK)
		return sqlite_fail(c, *ret_db, code, "opening the database");
	sqlite3_extended_result_codes(*ret_db, 1);
	sqlite3_busy_timeout(*ret_db, BUSY_TIMEOUT_MS);
	return OK;
}

RESULT sqlite_open_file(struct sqlite *self, struct ctx *c, const char *path)
{
	static _Atomic unsigned memory_count;
	bool in_memory = strcmp(path, ":memory:") == 0;
	/* a named in-memory database is shared with the reading connection; the prefix keeps a path from
	 * being read as a URI */
	struct str name =
		in_memory ? str_print(c->arena, "file:/dari-%u?vfs=memdb", atomic_fetch_add(&memory_count, 1))
			  : str_print(c->arena, "%s%s", *path == '/' ? "" : "./", path);
	self->path = heap_copy_z(path);
	self->name = name.p ? heap_copy_z(name.p) : NULL;
	self->scratch = arena_new(ARENA_FIRST_SIZE, SCRATCH_CAP);
	if (!self->path || !self->name || !self->scratch)
		return ctx_fail(c, ERR_NO_MEMORY, "out of memory for the database %s", path);
	if (!in_memory) {
		TRY(sqlite_lock(self, c));
		TRY(sqlite_make_file(self, c));
	}
	TRY(sqlite_connect(self, c, &self->db));
	TRY(sqlite_connect(self, c, &self->checker));
	return sqlite_connect(self, c, &self->reader);
}

/* ---- whether it is still there ---- */

/* In pages of 4 KiB: a checkpoint at 32 MiB. Rows often change again soon after their creation, so with a
 * longer WAL the same page is written fewer times; reading it after a crash remains quick. */
enum {
	CHECKPOINT_FRAMES = 8000,
	BACKFILL_OFFSET = 96 /* nBackfill in the WAL index: sqlite.org/walformat.html */
};

/* Reads the number of WAL frames already copied to the database file, which changes with every checkpoint by
 * any process. */
static uint32_t read_copied_frames(const struct sqlite *self)
{
	uint32_t frames = 0;
	bool is_read = self->shm_fd >= 0 &&
		       pread(self->shm_fd, &frames, sizeof frames, BACKFILL_OFFSET) == sizeof frames;
	return is_read ? frames : 0;
}

static void sqlite_note_content(struct sqlite *self)
{
	struct stat seen = {0};
	if (self->lock_fd < 0 || stat(self->files[0].path, &seen) != 0)
		return;
	self->changed_at = seen.st_mtim;
	self->changed_size = seen.st_size;
	self->copied_frames = read_copied_frames(self);
}

/* Replaces SQLite's automatic checkpoint, which wouldn't report that it wrote to the file. */
static int sqlite_carry_over(void *arg, sqlite3 *db, const char *name, int frames)
{
	if (frames < CHECKPOINT_FRAMES)
		return SQLITE_OK;
	struct sqlite *self = arg;
	pthread_mutex_lock(&self->noting);
	(void) sqlite3_wal_checkpoint_v2(db, name, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
	sqlite_note_content(self);
	pthread_mutex_unlock(&self->noting);
	return SQLITE_OK;
}

/* Evaluates a change of the open file by another program. A checkpoint through SQLite (e.g. the sqlite3
 * shell) only copies dari's committed frames, which is harmless. Copying another database over the file
 * leaves the WAL index unchanged, so equal frame counts reveal it. */
static RESULT check_content(struct sqlite *self, struct ctx *c)
{
	struct stat seen = {0};
	bool is_same =
		self->lock_fd < 0 || stat(self->files[0].path, &seen) != 0 ||
		(seen.st_size == self->changed_size && seen.st_mtim.tv_sec == self->changed_at.tv_sec &&
		 seen.st_mtim.tv_nsec == self->changed_at.tv_nsec);
	if (is_same)
		return OK;
	if (read_copied_frames(self) == self->copied_frames)
		return ctx_fail(c, ERR_GONE, "%s was overwritten by another program while dari has it open",
				self->path);
	sqlite_note_content(self);
	return OK;
}

/* The version doesn't change by commits of this connection. */
RESULT sqlite_find_writers(struct sqlite *self, struct ctx *c)
{
	TRY(sqlite_prepare(c, self->db, &self->read_version, "PRAGMA data_version"));
	int code = sqlite_step(self->read_version);
	int64_t version = code == SQLITE_ROW ? sqlite3_column_int64(self->read_version, 0) : 0;
	struct result result =
		code == SQLITE_ROW ? OK : sqlite_fail(c, self->db, code, "looking for other writers");
	sqlite_let_go(self->read_version);
	TRY(result);
	if (self->data_version && self->data_version != version)
		return ctx_fail(c, ERR_GONE, "another program has changed the database %s", self->path);
	self->data_version = version;
	return OK;
}

/* After the schema was written, so that the WAL exists. */
static RESULT sqlite_note_files(struct sqlite *self, struct ctx *c)
{
	static const char *const endings[SQLITE_FILES] = {"", "-wal", "-shm"};
	int has_moved = 0;
	for (size_t k = 0; k < SQLITE_FILES && self->lock_fd >= 0; k++) {
		struct sqlite_file *file = &self->files[k];
		struct stat seen = {0};
		heap_free(file->path);
		file->path = heap_copy_z(str_print(c->arena, "%s%s", self->path, endings[k]).p);
		if (!file->path)
			return ctx_no_memory(c);
		if (stat(file->path, &seen) == 0)
			*file = (struct sqlite_file){file->path, seen.st_dev, seen.st_ino};
	}
	(void) sqlite3_file_control(self->db, NULL, SQLITE_FCNTL_HAS_MOVED, &has_moved);
	/* must stay open until SQLite has closed its own descriptor: close() would release the process's
	 * POSIX locks on the file */
	if (self->lock_fd >= 0 && self->shm_fd < 0)
		self->shm_fd = open(self->files[SQLITE_SHM].path, O_RDONLY | O_CLOEXEC);
	sqlite_note_content(self);
	(void) sqlite3_wal_hook(self->db, sqlite_carry_over, self);
	return has_moved ? ctx_fail(c, ERR_IO, "the database %s was replaced while it was opened", self->path)
			 : OK;
}

/* Checks by name, because SQLite continues on open files whatever happens to their names, and does not notice
 * a replaced WAL at all. A change between this check and the end of COMMIT is equivalent to one after it. */
RESULT sqlite_find_files(struct sql_driver *driver, struct ctx *c)
{
	struct sqlite *self = (struct sqlite *) driver;
	for (size_t k = 0; k < SQLITE_FILES && self->files[k].inode; k++) {
		const struct sqlite_file *file = &self->files[k];
		struct stat seen = {0};
		char words[128];
		if (stat(file->path, &seen) != 0)
			return ctx_fail(c, ERR_GONE, "%s was there when dari opened it, and is not now: %s",
					file->path, strerror_r(errno, words, sizeof words));
		if (seen.st_dev != file->device || seen.st_ino != file->inode)
			return ctx_fail(c, ERR_GONE, "%s is not the file that dari has open: it was replaced",
					file->path);
	}
	pthread_mutex_lock(&self->noting);
	struct result result = check_content(self, c);
	pthread_mutex_unlock(&self->noting);
	return result;
}

/* ---- what the database says of itself ---- */

/* *ret_value empty: it does not say. */
static RESULT sqlite_find_meta(struct sqlite *self, struct ctx *c, const char *name, struct str *ret_value)
{
	AUTO_STATEMENT statement = NULL;
	TRY(sqlite_prepare(c, self->db, &statement, "SELECT value FROM meta WHERE name = ?1"));
	sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
	int code = sqlite_step(statement);
	*ret_value = STR_NONE;
	if (code == SQLITE_DONE)
		return OK;
	if (code != SQLITE_ROW)
		return sqlite_fail(c, self->db, code, "reading what the database says of itself");
	const char *text = (const char *) sqlite3_column_text(statement, 0);
	*ret_value = str_copy(c->arena, str_from(text));
	return ret_value->p || !text || !*text ? OK : ctx_no_memory(c);
}

static RESULT sqlite_read_meta(struct sqlite *self, struct ctx *c, const char *name, struct str *ret_value)
{
	TRY(sqlite_find_meta(self, c, name, ret_value));
	return ret_value->n ? OK
			    : ctx_fail(c, ERR_STATE,
				       "the database %s does not say its %s: it is not Dari's, or damaged",
				       self->path, name);
}

static RESULT sqlite_write_meta(struct sqlite *self, struct ctx *c, const char *name, const char *value)
{
	AUTO_STATEMENT statement = NULL;
	TRY(sqlite_prepare(c, self->db, &statement,
			   "INSERT OR REPLACE INTO meta (name, value) VALUES (?1, ?2)"));
	sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
	sqlite3_bind_text(statement, 2, value, -1, SQLITE_STATIC);
	return sqlite_run(c, statement, "writing what the database says of itself");
}

static RESULT sqlite_count(struct sqlite *self, struct ctx *c, const char *sql, int64_t *ret_count)
{
	AUTO_STATEMENT statement = NULL;
	TRY(sqlite_prepare(c, self->db, &statement, sql));
	int code = sqlite_step(statement);
	if (code != SQLITE_ROW)
		return sqlite_fail(c, self->db, code, "looking at the database's tables");
	*ret_count = sqlite3_column_int64(statement, 0);
	return OK;
}

/* ---- its schema ---- */

/* History exists in SQL only, so it is indexed here by resource and by account. */
static const char history_sql[] =
	"CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);"
	"CREATE TABLE IF NOT EXISTS event (seq INTEGER PRIMARY KEY, at_us BIGINT NOT NULL,"
	" kind TEXT NOT NULL, id TEXT NOT NULL,"
	" account TEXT NOT NULL, \"user\" TEXT NOT NULL, request_id TEXT NOT NULL, action TEXT NOT NULL,"
	" what TEXT NOT NULL, text TEXT NOT NULL, arguments TEXT NOT NULL DEFAULT '');"
	"CREATE INDEX IF NOT EXISTS event_by_id ON event (id, at_us);"
	"CREATE INDEX IF NOT EXISTS event_by_account ON event (account, at_us);"
	"CREATE INDEX IF NOT EXISTS event_by_time ON event (at_us);";

/* Migration: events used to be whole sentences, which are sentences without arguments now. */
static RESULT add_arguments(struct sqlite *self, struct ctx *c)
{
	int64_t columns = 0;
	TRY(sqlite_count(self, c, "SELECT count(*) FROM pragma_table_info('event') WHERE name = 'arguments'",
			 &columns));
	return columns ? OK
		       : sqlite_exec(c, self->db,
				     "ALTER TABLE event ADD COLUMN arguments TEXT NOT NULL DEFAULT ''");
}

/* Makes this program's level the one in force. */
static RESULT sqlite_write_level(struct sqlite *self, struct ctx *c)
{
	char version[16];
	struct str text = level_write(c->arena);
	const char *level = text.p ? str_to_z(c->arena, text) : NULL;
	if (!level)
		return ctx_no_memory(c);
	sqlite3_snprintf(sizeof version, version, "%u", self->schema.version);
	TRY(sqlite_write_meta(self, c, "schema_version", version));
	TRY(sqlite_write_meta(self, c, "schema_level", level));
	TRY(sqlite_write_meta(self, c, "schema_program", sql_get_program()));
	return sqlite_write_meta(self, c, "schema_hash", self->schema.hash);
}

static RESULT sqlite_make_tables(struct sqlite *self, struct ctx *c)
{
	TRY(sqlite_exec(c, self->db, history_sql));
	for (enum kind kind = 1; kind < KIND_COUNT; kind++)
		TRY(sqlite_exec(c, self->db, model_kinds[kind].create_sql));
	return sqlite_write_level(self, c);
}

/* All migrations and the new version are one transaction, so that no partial migration can be found later. */
static RESULT sqlite_migrate(struct sqlite *self, struct ctx *c, unsigned from)
{
	for (const struct migration *m = self->schema.migrations; m->sql; m++)
		if (m->version > from)
			TRY(sqlite_exec(c, self->db, m->sql));
	return sqlite_make_tables(self, c);
}

/* Finds out what the level in force lacks. A migration raises the level by itself. */
static RESULT sqlite_compare_level(struct sqlite *self, struct ctx *c, int64_t version)
{
	struct level_meta found = {.version = version};
	TRY(sqlite_read_meta(self, c, "schema_hash", &found.hash));
	TRY(sqlite_find_meta(self, c, "schema_level", &found.text));
	TRY(sqlite_find_meta(self, c, "schema_program", &found.program));
	if (migration_is_due(self->schema.migrations, version))
		return OK;
	TRY(level_compare(c, self->path, &found, self->schema.version, self->schema.hash, &self->level));
	self->driver.level = self->level;
	return OK;
}

static RESULT sqlite_check_version(struct sqlite *self, struct ctx *c, unsigned *ret_version)
{
	struct str text = STR_NONE;
	int64_t version = 0;
	TRY(sqlite_read_meta(self, c, "schema_version", &text));
	if (!result_is_ok(str_parse_int(text, &version)) || version < 1 || version > INT32_MAX)
		return ctx_fail(c, ERR_STATE,
				"the database %s is damaged: its schema version is \"%" STR_FMT "\"",
				self->path, STR_ARG(sqlite_clean(c->arena, text)));
	if (version > self->schema.version)
		return ctx_fail(
			c, ERR_STATE,
			"the database %s is of schema version %" PRId64
			", this program knows up to %u: start the "
			"newer program, or restore a backup made before the upgrade, such as %s.schema-%u "
			"if it is there",
			self->path, version, self->schema.version, self->path, self->schema.version);
	*ret_version = (unsigned) version;
	return sqlite_compare_level(self, c, version);
}

/* ERR_STATE, with a message: it has tables of another program. */
static RESULT count_tables(struct sqlite *self, struct ctx *c, int64_t *ret_tables, int64_t *ret_metas)
{
	TRY(sqlite_count(self, c, "SELECT count(*) FROM sqlite_schema", ret_tables));
	TRY(sqlite_count(self, c, "SELECT count(*) FROM sqlite_schema WHERE name = 'meta'", ret_metas));
	return !*ret_tables || *ret_metas
		       ? OK
		       : ctx_fail(c, ERR_STATE,
				  "the database %s has tables, but none of Dari's: it is another program's",
				  self->path);
}

/* 0: a new database. */
static RESULT sqlite_find_version(struct sqlite *self, struct ctx *c, unsigned *ret_version)
{
	int64_t tables = 0, metas = 0;
	TRY(count_tables(self, c, &tables, &metas));
	*ret_version = 0;
	return metas ? sqlite_check_version(self, c, ret_version) : OK;
}

static RESULT read_marks(struct sqlite *self, struct ctx *c, struct str ret_marks[SQL_MARKS])
{
	for (enum sql_mark mark = 0; mark < SQL_MARKS; mark++)
		TRY(sqlite_find_meta(self, c, sql_mark_names[mark], &ret_marks[mark]));
	return OK;
}

/* Checks a database that is not new before anything is changed there. */
static RESULT check_known(struct sqlite *self, struct ctx *c, unsigned version)
{
	struct str marks[SQL_MARKS];
	TRY(read_marks(self, c, marks));
	TRY(sql_check_marks(&self->driver, c, self->path, marks));
	return sql_admit(&self->driver, c, migration_is_due(self->schema.migrations, version));
}

RESULT sqlite_mark(struct sql_driver *driver, struct ctx *c, enum sql_mark mark, struct str text)
{
	struct sqlite *self = (struct sqlite *) driver;
	AUTO_STATEMENT statement = NULL;
	TRY(sqlite_find_files(driver, c));
	if (text.n)
		return sqlite_write_meta(self, c, sql_mark_names[mark], str_to_z(c->arena, text));
	TRY(sqlite_prepare(c, self->db, &statement, "DELETE FROM meta WHERE name = ?1"));
	sqlite3_bind_text(statement, 1, sql_mark_names[mark], -1, SQLITE_STATIC);
	return sqlite_run(c, statement, "taking a mark back");
}

RESULT sqlite_identify(struct sql_driver *driver, struct ctx *c, struct sql_identity *ret_identity)
{
	struct sqlite *self = (struct sqlite *) driver;
	int64_t tables = 0, metas = 0, commit = 0;
	struct str text = STR_NONE;
	*ret_identity = (struct sql_identity){0};
	TRY(count_tables(self, c, &tables, &metas));
	if (!metas)
		return OK;
	TRY(sqlite_read_meta(self, c, "commit", &text));
	if (!result_is_ok(str_parse_int(text, &commit)) || commit < 0)
		return ctx_fail(c, ERR_STATE, "the database %s is damaged: it does not say its last commit",
				self->path);
	ret_identity->commit = (uint64_t) commit;
	return read_marks(self, c, ret_identity->marks);
}

/* Copies the database before its migration, so that an upgrade can be reverted. Replaces a copy of an earlier
 * attempt. */
static RESULT sqlite_keep_copy(struct sqlite *self, struct ctx *c, unsigned version)
{
	const char *copy = str_print(c->arena, "%s.schema-%u", self->path, version).p;
	const char *half = str_print(c->arena, "%s.half", copy).p;
	if (!copy || !half)
		return ctx_no_memory(c);
	struct result result = sqlite_settle_copy(c, sqlite_copy_into(c, self->db, half), half, copy);
	if (!result_is_ok(result)) {
		struct str why = c->problem.message;
		ctx_clear_problem(c);
		return ctx_fail(
			c, result.code,
			"the database %s is not migrated without a copy of it, which needs as much room "
			"again beside it: %" STR_FMT,
			self->path, STR_ARG(why));
	}
	log_event(LOG_INFO, "schema-migrates", "from=%u to=%u copy=%s", version, self->schema.version, copy);
	return OK;
}

/* Adds a table or a column that the level in force lacks, unless an earlier start has. */
static RESULT add_part(void *arg, struct ctx *c, const struct kind_info *kind, const struct field *field,
		       const char *sql)
{
	struct sqlite *self = arg;
	int64_t columns = 0;
	const char *look =
		field ? str_print(c->arena, "SELECT count(*) FROM pragma_table_info('%s') WHERE name = '%s'",
				  kind->name, field->name)
				.p
		      : "SELECT 0";
	if (!look)
		return ctx_no_memory(c);
	TRY(sqlite_count(self, c, look, &columns));
	return columns ? OK : sqlite_exec(c, self->db, sql);
}

RESULT sqlite_confirm_level(struct sql_driver *driver, struct ctx *c)
{
	struct sqlite *self = (struct sqlite *) driver;
	TRY(sqlite_exec(c, self->db, "BEGIN IMMEDIATE"));
	struct result r = sqlite_write_level(self, c);
	if (result_is_ok(r))
		r = sqlite_exec(c, self->db, "COMMIT");
	sqlite_rollback(self->db);
	TRY(r);
	driver->level = NULL;
	return OK;
}

/* A database of an older program has no mark. */
static RESULT sqlite_keep_key(struct sqlite *self, struct ctx *c)
{
	static const char meta[] = "master_key";
	struct str found = STR_NONE;
	TRY(sqlite_find_meta(self, c, meta, &found));
	TRY(sql_check_key(&self->driver, c, self->path, found));
	return found.n || !*self->driver.key_mark ? OK
						  : sqlite_write_meta(self, c, meta, self->driver.key_mark);
}

static RESULT sqlite_write_schema(struct sqlite *self, struct ctx *c, unsigned version)
{
	if (version == 0) {
		TRY(sqlite_make_tables(self, c));
		TRY(sqlite_write_meta(self, c, "commit", "0"));
	} else if (migration_is_due(self->schema.migrations, version)) {
		TRY(sqlite_migrate(self, c, version));
	} else if (self->level) {
		TRY(level_each_addition(self->level, c, add_part, self));
	} else {
		TRY(sqlite_write_level(self, c)); /* may be missing in a database of an older program */
	}
	TRY(sqlite_keep_key(self, c));
	TRY(add_arguments(self, c));
	TRY(sqlite_make_ledger(self, c));
	TRY(sqlite_make_series(self, c));
	TRY(sqlite_make_audit(self, c)); /* at each start, in case triggers were removed */
	char host[128] = "", writer[160];
	(void) gethostname(host, sizeof host - 1); /* stays empty if there is no name */
	sqlite3_snprintf(sizeof writer, writer, "%s:%d", host, (int) getpid());
	return sqlite_write_meta(self, c, "writer", writer);
}

RESULT sqlite_open_schema(struct sql_driver *driver, struct ctx *c)
{
	struct sqlite *self = (struct sqlite *) driver;
	/* must precede the first table; otherwise the file never shrinks */
	TRY(sqlite_exec(c, self->db, "PRAGMA auto_vacuum = INCREMENTAL"));
	TRY(sqlite_exec(c, self->db,
			"PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
			"PRAGMA foreign_keys = OFF; PRAGMA temp_store = MEMORY"));
	unsigned version = 0; /* cannot change: we hold the lock */
	TRY(sqlite_find_version(self, c, &version));
	TRY(version ? check_known(self, c, version) : OK);
	if (version && migration_is_due(self->schema.migrations, version) && self->lock_fd >= 0)
		TRY(sqlite_keep_copy(self, c, version));
	TRY(sqlite_exec(c, self->db, "BEGIN IMMEDIATE"));
	struct result r = sqlite_write_schema(self, c, version);
	if (result_is_ok(r))
		r = sqlite_exec(c, self->db, "COMMIT");
	sqlite_rollback(self->db);
	TRY(r);
	TRY(sqlite_make_past(self, c)); /* apart: a damaged log fails a whole transaction */
	/* Opens the WAL of both now, while the file names are known to be right. The reader parses the schema
	 * with it, so that no request does. The checker does when it is first used. */
	TRY(sqlite_exec(c, self->reader, "SELECT value FROM meta"));
	TRY(sqlite_exec(c, self->checker, "PRAGMA schema_version"));
	return sqlite_note_files(self, c);
}
