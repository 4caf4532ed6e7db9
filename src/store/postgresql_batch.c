/* SPDX-License-Identifier: Apache-2.0
 * The open transaction: values are collected per statement, as binary arrays, and sent in one pipeline: BEGIN,
 * the fence, each statement, the commit number, COMMIT. So a commit takes one round trip.
 *
 * The fence must fail if its row is another writer's: a statement that merely updates no row would let the
 * pipeline's COMMIT commit an unfenced batch. */
#include <inttypes.h>
#include <poll.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/heap.h"
#include "store/postgresql_internal.h"

enum {
	COLUMN_CAP = 512 * 1024 * 1024,
	SEND_BYTES = 16 * 1024 * 1024, /* a larger transaction is sent in several parts */
	ARRAY_HEAD = 20,
	ARRAY_COUNT_AT = 12, /* offset of the number of elements */
	PARAMS_MAX = 192,
};

/* begins a text that is stored in hexadecimal; a text that begins so is stored in hexadecimal, too */
static const char hex_mark[] = "\x01hex:";

/* ---- values ---- */

static void add_number(struct buf *b, uint64_t value, unsigned size)
{
	char bytes[8];
	for (unsigned k = 0; k < size; k++)
		bytes[k] = (char) (value >> (8 * (size - 1 - k)));
	buf_add(b, bytes, size);
}

static void write_head(struct buf *b, uint32_t type)
{
	add_number(b, 1, 4); /* dimensions */
	add_number(b, 0, 4); /* flags */
	add_number(b, type, 4);
	add_number(b, 0, 4); /* elements, set on sending */
	add_number(b, 1, 4); /* lower bound */
}

static uint32_t column_type(const struct postgresql_batch *batch, unsigned column)
{
	return (uint32_t) postgresql_read_int(batch->columns[column].p + 8, 4);
}

struct postgresql_batch *postgresql_batch_of(struct postgresql_batch **slot, const char *sql,
					     const char *types)
{
	if (*slot)
		return *slot;
	struct postgresql_batch *batch = heap_new(struct postgresql_batch);
	unsigned count = (unsigned) strlen(types);
	if (!batch)
		return NULL;
	batch->sql = heap_copy_z(sql);
	batch->columns = heap_alloc_array(count, sizeof *batch->columns);
	batch->column_count = batch->columns ? count : 0;
	bool is_whole = batch->sql && batch->columns;
	for (unsigned k = 0; is_whole && k < count; k++) {
		buf_init(&batch->columns[k], COLUMN_CAP);
		write_head(&batch->columns[k], types[k] == 'i'   ? POSTGRESQL_INT8
					       : types[k] == 'b' ? POSTGRESQL_BYTEA
								 : POSTGRESQL_TEXT);
		is_whole = !batch->columns[k].failed;
	}
	if (!is_whole) {
		postgresql_free_batch(batch);
		return NULL;
	}
	return *slot = batch;
}

void postgresql_free_batch(struct postgresql_batch *batch)
{
	if (!batch)
		return;
	for (unsigned k = 0; k < batch->column_count; k++)
		buf_done(&batch->columns[k]);
	heap_free(batch->columns);
	heap_free(batch->sql);
	heap_free(batch);
}

void postgresql_add_int(struct postgresql_batch *batch, unsigned column, int64_t value)
{
	add_number(&batch->columns[column], 8, 4);
	add_number(&batch->columns[column], (uint64_t) value, 8);
}

void postgresql_add_bytes(struct postgresql_batch *batch, unsigned column, struct str bytes)
{
	add_number(&batch->columns[column], bytes.n, 4);
	buf_add_str(&batch->columns[column], bytes);
}

void postgresql_add_text(struct postgresql_batch *batch, unsigned column, struct str text)
{
	static const char digits[] = "0123456789abcdef";
	size_t mark = sizeof hex_mark - 1;
	if (str_is_utf8(text) && !str_starts_with(text, str_from(hex_mark))) {
		postgresql_add_bytes(batch, column, text);
		return;
	}
	struct buf *b = &batch->columns[column];
	add_number(b, mark + 2 * text.n, 4);
	buf_add(b, hex_mark, mark);
	for (size_t k = 0; k < text.n; k++) {
		buf_add_char(b, digits[(uint8_t) text.p[k] >> 4]);
		buf_add_char(b, digits[text.p[k] & 15]);
	}
}

struct str postgresql_decode(struct arena *a, struct str stored)
{
	struct str mark = str_from(hex_mark);
	if (!str_starts_with(stored, mark))
		return stored;
	struct str hex = str_slice(stored, mark.n, stored.n);
	char *bytes = arena_alloc(a, hex.n / 2);
	if (!bytes || !result_is_ok(str_decode_hex(hex, bytes, hex.n / 2)))
		return stored;
	return (struct str){bytes, hex.n / 2};
}

void postgresql_add_uuid(struct postgresql_batch *batch, unsigned column, uuid id)
{
	char text[UUID_TEXT_SIZE] = "";
	if (!uuid_is_none(id))
		uuid_write(id, text);
	postgresql_add_bytes(batch, column, str_from(text));
}

void postgresql_add_null(struct postgresql_batch *batch, unsigned column)
{
	add_number(&batch->columns[column], UINT32_MAX, 4);
}

static void clear_batch(struct postgresql_batch *batch)
{
	if (!batch)
		return;
	for (unsigned k = 0; k < batch->column_count; k++) {
		struct buf *b = &batch->columns[k];
		if (b->capacity > SEND_BYTES / 16) { /* one large batch is not kept for good */
			uint32_t type = column_type(batch, k);
			buf_done(b);
			buf_init(b, COLUMN_CAP);
			write_head(b, type);
		}
		b->size = ARRAY_HEAD;
	}
	batch->count = batch->size = 0;
}

/* ---- all batches ---- */

enum { BATCHES = 2 * KIND_COUNT + POSTGRESQL_HISTORY_COUNT };

/* In the order of sending: a row that was removed may have been put again. */
static struct postgresql_batch *batch_at(struct postgresql *self, unsigned n)
{
	if (n < KIND_COUNT)
		return self->forget[n];
	if (n < 2 * KIND_COUNT)
		return self->put[n - KIND_COUNT];
	return self->history[n - 2 * KIND_COUNT];
}

static bool is_damaged(const struct postgresql_batch *batch)
{
	bool failed = false;
	for (unsigned k = 0; k < batch->column_count; k++)
		failed = failed || batch->columns[k].failed;
	return failed;
}

/* Makes a batch anew whose columns ran out of memory: a failed buffer takes nothing any more. */
static void drop_damaged(struct postgresql_batch **slot)
{
	if (!*slot || !is_damaged(*slot))
		return;
	postgresql_free_batch(*slot);
	*slot = NULL;
}

void postgresql_clear(struct postgresql *self)
{
	for (unsigned kind = 0; kind < KIND_COUNT; kind++) {
		drop_damaged(&self->put[kind]);
		drop_damaged(&self->forget[kind]);
	}
	for (unsigned n = 0; n < POSTGRESQL_HISTORY_COUNT; n++)
		drop_damaged(&self->history[n]);
	for (unsigned n = 0; n < BATCHES; n++)
		clear_batch(batch_at(self, n));
	self->collected = 0;
}

RESULT postgresql_end_values(struct postgresql *self, struct ctx *c, struct postgresql_batch *batch)
{
	if (is_damaged(batch))
		return ctx_fail(c, ERR_NO_MEMORY, "out of memory for a transaction");
	size_t size = 0;
	for (unsigned k = 0; k < batch->column_count; k++)
		size += batch->columns[k].size;
	self->collected += size - batch->size;
	batch->size = size;
	batch->count++;
	if (self->collected < SEND_BYTES)
		return OK;
	struct result r = postgresql_send(self, c, 0);
	if (result_is_ok(r))
		postgresql_clear(self);
	return r;
}

/* ---- the pipeline ---- */

struct pipeline {
	struct postgresql *self;
	struct ctx *c;
	unsigned prepared[BATCHES]; /* batches whose statement this pipeline prepares */
	unsigned prepared_count;
};

static bool send_text(PGconn *db, const char *sql, int count, const char *const params[])
{
	return PQsendQueryParams(db, sql, count, NULL, params, NULL, NULL, 0);
}

/* Sets the element count of every column and sends the statement, which is prepared at its first use. */
static bool send_batch(struct pipeline *p, unsigned n)
{
	struct postgresql_batch *batch = batch_at(p->self, n);
	PGconn *db = p->self->db;
	const char *values[PARAMS_MAX];
	int lengths[PARAMS_MAX], formats[PARAMS_MAX];
	char name[32];
	(void) snprintf(name, sizeof name, "s%u", n);
	if (batch->column_count > PARAMS_MAX)
		return false;
	for (unsigned k = 0; k < batch->column_count; k++) {
		struct buf *b = &batch->columns[k];
		for (unsigned byte = 0; byte < 4; byte++)
			b->p[ARRAY_COUNT_AT + byte] = (char) (batch->count >> (8 * (3 - byte)));
		values[k] = b->p;
		lengths[k] = (int) b->size;
		formats[k] = 1;
	}
	if (batch->generation != p->self->generation) {
		if (!PQsendPrepare(db, name, batch->sql, 0, NULL))
			return false;
		p->prepared[p->prepared_count++] = n;
	}
	return PQsendQueryPrepared(db, name, (int) batch->column_count, values, lengths, formats, 0);
}

static bool send_all(struct pipeline *p, uint64_t commit)
{
	struct postgresql *self = p->self;
	char epoch[24], before[24], after[24];
	const char *const fence[] = {epoch, before, after};
	(void) snprintf(epoch, sizeof epoch, "%" PRId64, self->epoch);
	(void) snprintf(before, sizeof before, "%" PRIu64, self->commit);
	(void) snprintf(after, sizeof after, "%" PRIu64, commit ? commit : self->commit);
	bool is_sent = self->is_begun || send_text(self->db, "BEGIN", 0, NULL);
	is_sent = is_sent && send_text(self->db, "SELECT dari_fence($1, $2, $3)", 3, fence);
	for (unsigned n = 0; is_sent && n < BATCHES; n++)
		if (batch_at(self, n) && batch_at(self, n)->count)
			is_sent = send_batch(p, n);
	return is_sent &&
	       (!commit || !self->notifies || send_text(self->db, "NOTIFY dari_commit", 0, NULL)) &&
	       (!commit || send_text(self->db, "COMMIT", 0, NULL)) && PQpipelineSync(self->db);
}

static RESULT say_lost(struct pipeline *p)
{
	const char *words = PQerrorMessage(p->self->db);
	return ctx_fail(p->c, ERR_TIMEOUT, "the database %s cannot be reached: %s", p->self->name,
			*words ? words : "it does not answer");
}

/* Waits until the socket can be read, or written if there is something to write. */
static bool wait_for_server(struct postgresql *self, bool to_write)
{
	PGconn *db = self->db;
	struct pollfd fd = {.fd = PQsocket(db), .events = (short) (POLLIN | (to_write ? POLLOUT : 0))};
	int ready = poll(&fd, 1, self->answer_max_ms);
	return ready > 0 && (!(fd.revents & (POLLIN | POLLHUP | POLLERR)) || PQconsumeInput(db));
}

/* Reads while it writes: with both directions' buffers full, server and client would wait for each other. */
static bool flush(struct postgresql *self)
{
	int rest = 0;
	while ((rest = PQflush(self->db)) == 1)
		if (!wait_for_server(self, true))
			return false;
	return rest == 0;
}

/* Reads all results up to the pipeline's end. Returns the first failure. */
static RESULT read_answers(struct pipeline *p)
{
	struct postgresql *self = p->self;
	struct result r = OK;
	for (;;) {
		while (PQisBusy(self->db))
			if (!wait_for_server(self, false))
				return say_lost(p);
		AUTO_PGRESULT result = PQgetResult(self->db);
		ExecStatusType status = PQresultStatus(result);
		if (PQstatus(self->db) != CONNECTION_OK)
			return result_is_ok(r) || r.code == ERR_TIMEOUT
				       ? postgresql_fail(self, p->c, self->db, result, "committing")
				       : r;
		if (result && status == PGRES_PIPELINE_SYNC)
			return r;
		if (result && status == PGRES_FATAL_ERROR && result_is_ok(r))
			r = postgresql_fail(self, p->c, self->db, result, "writing a batch");
	}
}

RESULT postgresql_send(struct postgresql *self, struct ctx *c, uint64_t commit)
{
	struct pipeline p = {.self = self, .c = c};
	if (fault_fires(FAULT_SQL))
		return ctx_fail(c, ERR_IO, "writing a batch: a fault of a test");
	if (PQsetnonblocking(self->db, 1) != 0 || !PQenterPipelineMode(self->db) || !send_all(&p, commit) ||
	    !flush(self))
		return say_lost(&p);
	struct result r = read_answers(&p);
	if (r.code == ERR_TIMEOUT)
		return r;
	(void) PQexitPipelineMode(self->db);
	(void) PQsetnonblocking(self->db, 0);
	self->is_begun = true;
	for (unsigned k = 0; result_is_ok(r) && k < p.prepared_count; k++)
		batch_at(self, p.prepared[k])->generation = self->generation;
	return r;
}
