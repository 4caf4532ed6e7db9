/* SPDX-License-Identifier: Apache-2.0
 * Following another process's commits. Each transaction notes in writer_change which rows it put or removed. A follower
 * reads these notes and the rows' present state in one snapshot, so it may pass over intermediate batches, but always
 * shows a whole one. Notifications only wake it up: they are lost with the connection.
 *
 * A database that was restored, or whose standby took over without its last commits, goes on with numbers of batches that a
 * follower has seen already. writer_start tells the two lines of history apart: it says with which batch each epoch began. */
#include <inttypes.h>
#include <poll.h>

#include "base/clock.h"
#include "base/fault.h"
#include "store/postgresql_internal.h"

enum {
	FOLLOW_PIECE = 1000, /* rows in one statement */
	UNTOLD_MS = 100,     /* between two looks where the server sends no notifications */
};

const char *const postgresql_change_sql =
	"CREATE TABLE IF NOT EXISTS writer_change (batch BIGINT NOT NULL, kind TEXT NOT NULL, id TEXT NOT "
	"NULL,"
	" at TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp());"
	"CREATE INDEX IF NOT EXISTS writer_change_by_batch ON writer_change (batch)";

const char *const postgresql_start_sql =
	"CREATE TABLE IF NOT EXISTS writer_start (epoch BIGINT PRIMARY KEY, batch BIGINT NOT NULL)";

RESULT postgresql_note_change(struct postgresql *self, struct ctx *c, enum kind kind, uuid id)
{
	struct postgresql_batch *batch = NULL;
	if (self->is_copying)
		return OK;
	TRY(postgresql_find_batch(self, c, POSTGRESQL_ADD_CHANGE, &batch));
	postgresql_add_int(batch, 0, (int64_t) self->commit + 1);
	postgresql_add_text(batch, 1, str_from(model_kinds[kind].name));
	postgresql_add_uuid(batch, 2, id);
	return postgresql_end_values(self, c, batch);
}

/* ---- loading ---- */

RESULT postgresql_open_follower(struct sql_driver *driver, struct ctx *c)
{
	struct postgresql *self = postgresql_of(driver);
	self->is_follower = true;
	TRY(postgresql_add_level(self, c));
	TRY(postgresql_exec(self, c, self->db, postgresql_start_sql)); /* an older writer makes none */
	TRY(postgresql_exec(self, c, self->db,
			    "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;"
			    "SET LOCAL idle_in_transaction_session_timeout = '60s'"));
	return postgresql_check_schema(self, c);
}

/* The database's last commit, and what tells whether it goes on from the one that this follower has. */
struct place {
	uint64_t commit, pruned;
	int64_t epoch;
	uint64_t
		forked; /* least commit from which a later epoch went on; 0: the database does not know ours */
};

static RESULT read_place(struct postgresql *self, struct ctx *c, struct place *ret_place)
{
	AUTO_PGRESULT row = NULL;
	char epoch[24];
	(void) snprintf(epoch, sizeof epoch, "%" PRId64, self->followed_epoch);
	TRY(postgresql_ask(
		self, c, self->db,
		"SELECT batch, pruned, writer.epoch,"
		" CASE WHEN writer.epoch = $1 THEN batch"
		" WHEN EXISTS (SELECT 1 FROM writer_start WHERE writer_start.epoch = $1)"
		" THEN (SELECT min(batch) FROM writer_start WHERE writer_start.epoch > $1) ELSE 0 END"
		" FROM writer, writer_lease WHERE writer.one = 1 AND writer_lease.one = 1",
		1, (const char *const[]){epoch}, &row));
	if (PQntuples(row) != 1)
		return ctx_fail(c, ERR_STATE, "the database %s has lost the row of its table writer",
				self->name);
	*ret_place = (struct place){.commit = (uint64_t) postgresql_int(row, 0),
				    .pruned = (uint64_t) postgresql_int(row, 1),
				    .epoch = postgresql_int(row, 2),
				    .forked = (uint64_t) postgresql_int(row, 3)};
	return OK;
}

RESULT postgresql_end_load(struct postgresql *self, struct ctx *c, uint64_t *ret_commit)
{
	struct place place;
	TRY(read_place(self, c, &place));
	self->commit = *ret_commit = place.commit;
	self->followed_epoch = place.epoch;
	self->answer_max_ms = POSTGRESQL_ANSWER_MS;
	return postgresql_exec(self, c, self->db, "COMMIT");
}

/* ---- following ---- */

/* Changed rows of one kind, of which those not found are gone. */
struct piece {
	const struct sql_feed *feed;
	enum kind kind;
	uuid ids[FOLLOW_PIECE];
	bool is_found[FOLLOW_PIECE];
	size_t count;
};

/* Rows come in the order of ids, as the notes do. */
static RESULT take_row(void *arg, const struct row *row)
{
	struct piece *piece = arg;
	size_t low = 0, high = piece->count;
	while (low + 1 < high) {
		size_t middle = (low + high) / 2;
		if (uuid_compare(piece->ids[middle], row->id) <= 0)
			low = middle;
		else
			high = middle;
	}
	piece->is_found[low] = true;
	return piece->feed->put(piece->feed->arg, piece->kind, row);
}

static RESULT read_piece(struct postgresql *self, struct ctx *c, struct piece *piece)
{
	struct buf list;
	buf_init(&list, (size_t) FOLLOW_PIECE * (UUID_TEXT_SIZE + 3) + 64);
	buf_print(&list, " WHERE id IN (");
	for (size_t n = 0; n < piece->count; n++) {
		char id[UUID_TEXT_SIZE];
		buf_print(&list, "%s'%s'", n ? "," : "", uuid_write(piece->ids[n], id));
	}
	buf_print(&list, ")");
	buf_add_char(&list, 0);
	struct result r = result_is_ok(buf_finish(&list))
				  ? postgresql_load_where(self, c, piece->kind, list.p, take_row, piece)
				  : ctx_no_memory(c);
	buf_done(&list);
	return r;
}

/* The notes since `since`, each row once, parents before what is counted in them: kinds in the order of loading. */
static RESULT read_notes(struct postgresql *self, struct ctx *c, uint64_t since, PGresult **ret_notes)
{
	char after[24];
	(void) snprintf(after, sizeof after, "%" PRIu64, since);
	return postgresql_ask(
		self, c, self->db,
		"SELECT DISTINCT kind COLLATE \"C\", id COLLATE \"C\" FROM writer_change WHERE batch > $1"
		" ORDER BY 1, 2",
		1, (const char *const[]){after}, ret_notes);
}

static struct str note_at(const PGresult *notes, int row, int column)
{
	return (struct str){PQgetvalue(notes, row, column), (size_t) PQgetlength(notes, row, column)};
}

/* Reads the rows of one kind that the notes from..to name, and passes on which of them are gone. */
static RESULT read_kind(struct postgresql *self, struct ctx *c, const PGresult *notes, int from, int to,
			struct piece *piece)
{
	for (int n = from; n < to;) {
		piece->count = 0;
		for (; n < to && piece->count < FOLLOW_PIECE; n++)
			if (result_is_ok(uuid_parse(note_at(notes, n, 1), &piece->ids[piece->count])))
				piece->is_found[piece->count++] = false;
		TRY(read_piece(self, c, piece));
		for (size_t k = 0; k < piece->count; k++)
			if (!piece->is_found[k])
				TRY(piece->feed->gone(piece->feed->arg, piece->kind, piece->ids[k]));
	}
	return OK;
}

static RESULT read_changes(struct postgresql *self, struct ctx *c, uint64_t since, struct piece *piece)
{
	AUTO_PGRESULT notes = NULL;
	TRY(read_notes(self, c, since, &notes));
	int count = PQntuples(notes);
	for (piece->kind = 1; piece->kind < KIND_COUNT; piece->kind++) {
		int from = 0, to = 0;
		while (from < count && !str_is(note_at(notes, from, 0), model_kinds[piece->kind].name))
			from++;
		for (to = from; to < count && str_is(note_at(notes, to, 0), model_kinds[piece->kind].name);
		     to++)
			;
		if (from < to)
			TRY(read_kind(self, c, notes, from, to, piece));
	}
	return OK;
}

static RESULT follow(struct postgresql *self, struct ctx *c, struct piece *piece, struct place *ret_place)
{
	TRY(read_place(self, c, ret_place));
	if (ret_place->commit < self->commit)
		return ctx_fail(c, ERR_GONE,
				"the database %s is at commit %" PRIu64 " and this process at %" PRIu64
				": it is an older copy",
				self->name, ret_place->commit, self->commit);
	if (ret_place->forked < self->commit)
		return ctx_fail(c, ERR_EXPIRED,
				"the database %s had other writers since commit %" PRIu64
				", and does not say that they went on from there",
				self->name, self->commit);
	if (ret_place->pruned > self->commit)
		return ctx_fail(c, ERR_EXPIRED, "the changes since commit %" PRIu64 " were deleted",
				self->commit);
	return ret_place->commit > self->commit ? read_changes(self, c, self->commit, piece) : OK;
}

RESULT postgresql_follow(struct sql_driver *driver, struct ctx *c, const struct sql_feed *feed,
			 uint64_t *ret_commit)
{
	struct postgresql *self = postgresql_of(driver);
	struct piece *piece = arena_new_object(c->arena, struct piece);
	if (!piece)
		return ctx_no_memory(c);
	piece->feed = feed;
	if (!postgresql_is_alive(self->db)) {
		postgresql_disconnect(&self->db);
		TRY(postgresql_connect(self, c, &self->db));
	}
	TRY(postgresql_exec(self, c, self->db, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"));
	struct place place = {0};
	struct result r = follow(self, c, piece, &place);
	if (result_is_ok(r))
		r = postgresql_exec(self, c, self->db, "COMMIT");
	*ret_commit = place.commit;
	if (result_is_ok(r)) {
		self->commit = place.commit;
		self->followed_epoch = place.epoch;
	} else {
		postgresql_disconnect(&self->db);
	}
	return r;
}

/* ---- waking up ---- */

bool postgresql_await_feed(struct sql_driver *driver, int max_ms)
{
	struct postgresql *self = postgresql_of(driver);
	PGnotify *news = NULL;
	bool has_news = false;
	(void) postgresql_lease_connection(self);
	if (!self->lease.listens && max_ms > UNTOLD_MS)
		max_ms = UNTOLD_MS;
	struct pollfd fd = {.fd = self->lease.db ? PQsocket(self->lease.db) : -1, .events = POLLIN};
	if (poll(&fd, 1, max_ms) > 0 && !PQconsumeInput(self->lease.db))
		postgresql_disconnect(&self->lease.db);
	while (self->lease.db && (news = PQnotifies(self->lease.db))) {
		has_news = true;
		PQfreemem(news);
	}
	return has_news || (self->lease.db && !self->lease.listens);
}
