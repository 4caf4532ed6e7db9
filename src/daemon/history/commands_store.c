/* SPDX-License-Identifier: Apache-2.0
 * Commands on the database: verified copies; and moving history to a file, one JSON object per line, and then out of
 * SQL. Nothing is deleted before the file is synced. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/disk_room.h"
#include "base/file.h"
#include "base/heap.h"
#include "daemon/command.h"
#include "daemon/history/audit_lines.h"
#include "drivers/backup_store.h"
#include "store/copy.h"
#include "store/health.h"
#include "store/sql.h"

enum { PIECE = 2000 };

/* ---- the file, or the bucket ---- */

struct archive {
	struct command_call *call;
	const char *path; /* a file, or the URL of a store of objects; NULL: nothing is written */
	const char *word; /* how the names of objects begin */
	int fd;
	struct backup_store *store; /* NULL: a file is written */
	struct buf lines;           /* lines of one piece */
	int64_t first, last, count; /* first: of this piece */
	size_t read;                /* rows of this piece */
	struct audit_segment segment;
	int64_t before_us;
};

static RESULT fail_archive(const struct archive *a)
{
	return ctx_fail_field(&a->call->ctx, ERR_IO, STR("archive"), "cannot write %s: %s", a->path,
			      strerrordesc_np(errno));
}

static RESULT open_archive(struct archive *a)
{
	struct str path = command_arg(a->call, "archive");
	a->path = path.n ? str_to_z(a->call->ctx.arena, path) : NULL;
	if (!a->path)
		return OK;
	if (strstr(a->path, "://")) {
		struct backup_target target = a->call->daemon->settings.backup; /* its endpoint and its key */
		target.url = path;
		return backup_store_new(&a->call->ctx, &target, &a->store);
	}
	a->fd = open(a->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	return a->fd >= 0 ? OK : fail_archive(a);
}

/* Puts the piece as an object of its own. The digest in the name keeps the archives of two regions apart in one bucket. */
static RESULT put_piece(struct archive *a, struct str bytes)
{
	uint8_t digest[SHA256_SIZE];
	struct arena *arena = a->call->ctx.arena;
	crypto_sha256(bytes, digest);
	struct str name =
		str_print(arena, "%s-%012lld-%012lld-%" STR_FMT ".json", a->word, (long long) a->first,
			  (long long) a->last, STR_ARG(str_encode_hex(arena, digest, 8)));
	TRY(name.p && bytes.n ? backup_store_put(a->store, &a->call->ctx, name, bytes) : OK);
	a->lines.size = 0;
	return OK;
}

static RESULT write_piece(struct archive *a)
{
	struct str bytes = buf_str(&a->lines);
	TRY(buf_finish(&a->lines));
	if (a->store)
		return put_piece(a, bytes);
	for (size_t at = 0; a->path && at < bytes.n;) {
		ssize_t n = write(a->fd, bytes.p + at, bytes.n - at);
		if (n < 0 && errno != EINTR)
			return fail_archive(a);
		at += n > 0 ? (size_t) n : 0;
	}
	a->lines.size = 0;
	return OK;
}

static RESULT sync_archive(struct archive *a)
{
	if (!a->path || a->store)
		return OK;
	TRY(fsync(a->fd) == 0 ? OK : fail_archive(a));
	return file_sync_parent(&a->call->ctx, a->path);
}

static RESULT add_line(struct archive *a, json_t *value)
{
	char *line = value ? json_dumps(value, JSON_COMPACT) : NULL;
	json_decref(value);
	if (!line)
		return ctx_no_memory(&a->call->ctx);
	buf_print(&a->lines, "%s\n", line);
	heap_free(line);
	return OK;
}

/* ---- events ---- */

static RESULT add_event(void *arg, const struct event *e)
{
	struct archive *a = arg;
	a->first = a->read ? a->first : e->seq;
	char time[CLOCK_TEXT_SIZE], id[UUID_TEXT_SIZE], account[UUID_TEXT_SIZE], user[UUID_TEXT_SIZE];
	a->last = e->seq;
	a->read++;
	a->count++;
	if (!a->path)
		return OK;
	return add_line(a,
			json_pack("{s:I, s:s, s:s, s:s, s:s, s:s, s:s%, s:s%, s:s%, s:s%}", "seq",
				  (json_int_t) e->seq, "time", clock_write_ms(e->at_us, time), "kind",
				  model_kinds[e->kind].name, "id", uuid_write(e->id, id), "account",
				  uuid_write(e->account, account), "user", uuid_write(e->user, user),
				  "request_id", e->request_id.p, e->request_id.n, "action", e->action.p,
				  e->action.n, "what", e->what.p, e->what.n, "text", e->text.p, e->text.n));
}

static RESULT read_events(struct archive *a)
{
	struct command_call *call = a->call;
	a->last = -1; /* numbers start at 1 */
	do {
		const struct event_query query = {
			.after_seq = a->last, .before_us = a->before_us, .max = PIECE};
		a->read = 0;
		TRY(store_read_events(call->daemon->store, &call->ctx, &query, add_event, a));
		TRY(write_piece(a));
	} while (a->read == PIECE);
	return sync_archive(a);
}

static RESULT prune_events_run(struct op *op, void *arg)
{
	return op_prune_events(op, *(const int64_t *) arg);
}

static RESULT before_arg(struct command_call *call, int64_t *ret_us)
{
	struct str asked = command_arg(call, "before"), text = asked;
	if (asked.n == 10) /* a day, up to its first second */
		text = str_print(call->ctx.arena, "%" STR_FMT "T00:00:00Z", STR_ARG(asked));
	if (result_is_ok(clock_parse(text, ret_us)) && *ret_us <= clock_now_us())
		return OK;
	return ctx_fail_field(
		&call->ctx, ERR_INVALID, STR("before"),
		"--before wants a day as 2024-01-31 or a time as 2024-01-31T12:00:00Z that is past, not "
		"%" STR_FMT,
		STR_ARG(asked));
}

static void end_archive(struct archive *a)
{
	buf_done(&a->lines);
	backup_store_free(a->store);
	fd_autoclose(&a->fd);
}

static RESULT prune(struct archive *a)
{
	struct command_call *call = a->call;
	TRY(before_arg(call, &a->before_us));
	TRY(open_archive(a));
	TRY(read_events(a));
	int64_t gone = 0;
	do /* also without events: former states of resources go, too */
		TRY(command_commit(call, "dari:store prune", prune_events_run, &a->before_us));
	while ((gone += PRUNE_PIECE) < a->count);
	buf_print(&call->text, "%lld events were deleted%s%s\n", (long long) a->count,
		  a->path ? "; they are in " : "", a->path ? a->path : "");
	call->value = json_pack("[{s:I}]", "deleted", (json_int_t) a->count);
	return OK;
}

static RESULT store_prune(struct command_call *call)
{
	struct archive a = {.call = call, .word = "events", .fd = -1};
	buf_init(&a.lines, BUF_ANSWER_CAP);
	struct result result = prune(&a);
	end_archive(&a);
	return result;
}

/* ---- the audit log ---- */

static RESULT add_record(void *arg, const struct audit_record *record)
{
	struct archive *a = arg;
	if (record->at_us >= a->before_us)
		return OK;
	a->first = a->read ? a->first : record->seq;
	a->last = record->seq;
	a->read++;
	a->count++;
	a->segment.seq = record->seq;
	memcpy(a->segment.digest, record->digest, SHA256_SIZE);
	return add_line(a, audit_line_make(a->call->ctx.arena, record));
}

static RESULT cut_run(struct op *op, void *arg)
{
	return op_cut_audit(op, arg);
}

/* Deletes one piece at a time from SQL: the part in the file is already sealed, so an interruption is
 * harmless. */
static RESULT archive_audit(struct archive *a)
{
	struct command_call *call = a->call;
	TRY(before_arg(call, &a->before_us));
	TRY(store_read_segment(call->daemon->store, &call->ctx, &a->segment));
	TRY(open_archive(a));
	a->last = a->segment.seq;
	do {
		a->read = 0;
		TRY(store_read_audit(call->daemon->store, &call->ctx, a->last, PIECE, add_record, a));
		TRY(write_piece(a));
		TRY(sync_archive(a));
		if (a->read)
			TRY(command_commit(call, "dari:log archive", cut_run, &a->segment));
	} while (a->read == PIECE);
	struct str digest = str_encode_hex(call->ctx.arena, a->segment.digest, SHA256_SIZE);
	buf_print(&call->text,
		  "%lld records are in %s; the last one's number is %lld, its digest %" STR_FMT
		  "\nKeep %s: `dari log audit --verify --archive %s` reads %s.\n",
		  (long long) a->count, a->path, (long long) a->segment.seq, STR_ARG(digest),
		  a->store ? "the objects" : "the file", a->store ? "FILE" : a->path,
		  a->store ? "copies of them, in the order of their names" : "it");
	call->value = json_pack("[{s:I, s:I, s:s%}]", "archived", (json_int_t) a->count, "last",
				(json_int_t) a->segment.seq, "digest", digest.p, digest.n);
	return OK;
}

static RESULT log_archive(struct command_call *call)
{
	struct archive a = {.call = call, .word = "audit", .fd = -1};
	buf_init(&a.lines, BUF_ANSWER_CAP);
	struct result result = archive_audit(&a);
	end_archive(&a);
	return result;
}

/* ---- copies ---- */

static RESULT file_arg(struct command_call *call, const char **ret_path)
{
	*ret_path = str_to_z(call->ctx.arena, command_arg(call, "file"));
	return *ret_path ? OK : ctx_no_memory(&call->ctx);
}

static RESULT store_backup(struct command_call *call)
{
	const char *path = NULL;
	int64_t size = 0;
	TRY(file_arg(call, &path));
	TRY(store_copy_database(call->daemon->store, &call->ctx, path));
	TRY(file_size(&call->ctx, path, &size));
	buf_print(&call->text, "%s: %lld bytes, checked\n", path, (long long) size);
	call->value = json_pack("[{s:s, s:I}]", "file", path, "bytes", (json_int_t) size);
	return OK;
}

static RESULT store_rescue(struct command_call *call)
{
	const char *path = NULL;
	struct str lost = STR_NONE;
	TRY(file_arg(call, &path));
	TRY(store_rescue_database(call->daemon->store, &call->ctx, path, &lost));
	buf_print(&call->text, "%s: all resources as they are in memory; %s%" STR_FMT "\n", path,
		  lost.n ? "logs that could not be read and are empty there: " : "all logs were read",
		  STR_ARG(lost));
	call->value = json_pack("[{s:s, s:s%}]", "file", path, "lost", lost.n ? lost.p : "", lost.n);
	call->status = lost.n ? 1 : 0;
	return OK;
}

static const char *text_of(const json_t *args, const char *name)
{
	return json_string_value(json_object_get(args, name));
}

static int say_failed(const struct command *command, const struct ctx *c)
{
	fprintf(stderr, "dari %s: %" STR_FMT "\n", command->words, STR_ARG(c->problem.message));
	return 1;
}

static int store_copy_here(const struct command *command, json_t *args, const char *config_path)
{
	(void) config_path;
	AUTO(arena) arena = arena_new(ARENA_FIRST_SIZE, ARENA_REQUEST_CAP);
	struct ctx c;
	struct store_copied copied = {0};
	bool keeps = json_is_true(json_object_get(args, "keep"));
	ctx_init(&c, arena);
	struct result r =
		(keeps ? store_copy : store_move)(&c, text_of(args, "from"), text_of(args, "to"), &copied);
	if (!result_is_ok(r))
		return say_failed(command, &c);
	if (copied.row_count)
		printf("%zu rows and %zu records of history copied and compared, at commit %" PRIu64 ".\n",
		       copied.row_count, copied.record_count, copied.commit);
	else
		printf("The copy of before is at commit %" PRIu64 ".\n", copied.commit);
	printf(keeps ? "dari may start with either database: never start it with both.\n"
		     : "Name the new database in the configuration's key `store` before dari starts again. "
		       "dari does not "
		       "start with the former one any more (dari store reopen).\n");
	return 0;
}

static int store_reopen_here(const struct command *command, json_t *args, const char *config_path)
{
	(void) config_path;
	AUTO(arena) arena = arena_new(ARENA_FIRST_SIZE, ARENA_REQUEST_CAP);
	struct ctx c;
	ctx_init(&c, arena);
	if (!result_is_ok(store_reopen(&c, text_of(args, "store"))))
		return say_failed(command, &c);
	printf("dari starts with this database again. Never start dari with a copy of it, too.\n");
	return 0;
}

const struct command store_commands[] = {
	{"store backup",
	 "Copies the database into a file, and verifies both.",
	 {{"file", PARAM_POSITIONAL, true, "A new file on the server's machine.", .is_path = true}},
	 .run = store_backup},
	{"store rescue",
	 "Writes a new database from memory and the readable parts of a damaged one; exit status 1 if a log "
	 "is lost.",
	 {{"file", PARAM_POSITIONAL, true, "A new file on the server's machine.", .is_path = true}},
	 .run = store_rescue},
	{"store copy",
	 "Moves the region into another database, SQLite or PostgreSQL, while dari is stopped, and compares "
	 "each row. dari does not start with the former one any more.",
	 {{"from", PARAM_OPTION, true, "postgresql://HOST/NAME, or the path of SQLite's file."},
	  {"to", PARAM_OPTION, true, "An empty database of PostgreSQL, or a new file's path."},
	  {"keep", PARAM_FLAG, false, "Only copies: dari may start with the former one."}},
	 .run_here = store_copy_here},
	{"store reopen",
	 "Goes back to a database that `store copy` has moved away, or accepts a copy that it did not "
	 "finish.",
	 {{"store", PARAM_POSITIONAL, true, "postgresql://HOST/NAME, or the path of SQLite's file.",
	   .is_path = true}},
	 .run_here = store_reopen_here},
	{"store prune",
	 "Deletes old events from the database, optionally exporting them to a file.",
	 {{"before", PARAM_OPTION, true, "Events from before this: 2024-01-31, or a time."},
	  {"archive", PARAM_OPTION, false,
	   "A new file on the server's machine, or a store as file:///srv/events or s3://bucket/prefix (with "
	   "the key of "
	   "backup.…): JSON, one line for each event.",
	   .is_path = true}},
	 .run = store_prune},
	{"log archive",
	 "Moves old records of the audit log into a file; the hash chain continues from it.",
	 {{"before", PARAM_OPTION, true, "Records from before this: 2024-01-31, or a time."},
	  {"archive", PARAM_OPTION, true,
	   "A new file on the server's machine, or a store as file:///srv/audit or s3://bucket/prefix (with "
	   "the key of "
	   "backup.…): JSON, one line for each record.",
	   .is_path = true}},
	 .run = log_archive},
	{0},
};
