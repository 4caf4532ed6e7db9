/* SPDX-License-Identifier: Apache-2.0
 * Thread of the OVSDB client: runs one session after another. A session requests a snapshot, publishes it,
 * applies updates, delivers answers to waiting callers, and answers echo requests. It ends when the server
 * disconnects, is silent for too long, or violates the protocol. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/heap.h"
#include "drivers/ovn/frame.h"
#include "drivers/ovn/ovsdb_internal.h"

enum { READ_SIZE = 64 * 1024, MESSAGE_MAX_SIZE = 512 * 1024 * 1024 };
static const int64_t probe_after_us = 5 * SECOND;
static const int64_t backoff_first_us = 100 * MILLISECOND;
static const int64_t backoff_last_us = 4 * SECOND;
static const char *const monitor_id = "dari-monitor";
static const char *const probe_id = "dari-probe";

struct session {
	struct ovsdb *db;
	int fd;
	struct frame frame;
	struct buf in;  /* an incomplete message */
	struct buf out; /* being sent */
	size_t sent_size;
	int64_t heard_us; /* monotonic */
	bool probed;      /* a probe was sent since then */
	char problem[sizeof((struct ovsdb *) 0)->problem];
};

static bool fail_session(struct session *s, const char *why)
{
	snprintf(s->problem, sizeof s->problem, "%s", why);
	return false;
}

static bool fail_errno(struct session *s)
{
	char text[128];
	return fail_session(s, strerror_r(errno, text, sizeof text));
}

/* ---- server messages ---- */

static bool queue_and_drop(struct ovsdb *db, json_t *message)
{
	bool ok = ovsdb_queue(db, message);
	json_decref(message);
	return ok;
}

/* for example {table: [{"columns": [..]}]} */
static json_t *make_monitor_requests(const struct ovsdb_schema *schema)
{
	json_t *tables = json_object();
	for (size_t k = 0; k < schema->column_count; k++) {
		const struct ovsdb_column *column = &schema->columns[k];
		json_t *request = json_array_get(json_object_get(tables, column->table), 0);
		if (!request) {
			json_object_set_new(tables, column->table, json_pack("[{s:[]}]", "columns"));
			request = json_array_get(json_object_get(tables, column->table), 0);
		}
		json_array_append_new(json_object_get(request, "columns"), json_string(column->name));
	}
	return tables;
}

static bool request_snapshot(struct session *s)
{
	json_t *params =
		json_pack("[s,s,o,s]", s->db->schema->database, monitor_id,
			  make_monitor_requests(s->db->schema), "00000000-0000-0000-0000-000000000000");
	json_t *message = json_pack("{s:s,s:o,s:s}", "method", "monitor_cond_since", "params", params, "id",
				    monitor_id);
	pthread_mutex_lock(&s->db->lock);
	bool ok = queue_and_drop(s->db, message);
	pthread_mutex_unlock(&s->db->lock);
	return ok || fail_session(s, "out of memory");
}

/* Handles the answer to the monitor request: [found, transaction, tables]. */
static bool publish_snapshot(struct session *s, const json_t *message)
{
	struct ovsdb *db = s->db;
	struct ovsdb_cache fresh;
	const json_t *tables = json_array_get(json_object_get(message, "result"), 2);
	struct result r = ovsdb_cache_init(&fresh, db->schema);
	if (!r.code)
		r = ovsdb_cache_update(&fresh, tables, NULL, NULL);
	if (r.code) {
		ovsdb_cache_done(&fresh);
		return fail_session(s, "the server refused to be monitored");
	}
	pthread_mutex_lock(&db->lock);
	ovsdb_cache_done(&db->cache);
	db->cache = fresh;
	db->state = OVSDB_SYNCED;
	db->problem[0] = 0;
	pthread_cond_broadcast(&db->turned);
	if (db->watcher.connection)
		db->watcher.connection(db->watcher.arg, true);
	pthread_mutex_unlock(&db->lock);
	return true;
}

static bool apply_update(struct session *s, const json_t *params)
{
	struct ovsdb *db = s->db;
	pthread_mutex_lock(&db->lock);
	struct result r = FAIL(IO);
	if (db->state == OVSDB_SYNCED)
		r = ovsdb_cache_update(&db->cache, json_array_get(params, 2), db->watcher.changed,
				       db->watcher.arg);
	pthread_mutex_unlock(&db->lock);
	return !r.code || fail_session(s, "the server sent a malformed update");
}

static bool answer_echo(struct session *s, const json_t *message)
{
	json_t *answer = json_pack("{s:O?,s:n,s:O?}", "result", json_object_get(message, "params"), "error",
				   "id", json_object_get(message, "id"));
	pthread_mutex_lock(&s->db->lock);
	bool ok = queue_and_drop(s->db, answer);
	pthread_mutex_unlock(&s->db->lock);
	return ok || fail_session(s, "out of memory");
}

/* Hands over the whole message, because JSON reference counts are not thread-safe. True: a caller took it. */
static bool hand_answer(struct session *s, json_int_t id, json_t *message)
{
	struct ovsdb *db = s->db;
	bool taken = false;
	pthread_mutex_lock(&db->lock);
	for (struct ovsdb_wait *wait = db->waits; wait && !taken; wait = wait->next) {
		if (wait->id == id && !wait->done) {
			wait->answer = message;
			wait->done = taken = true;
		}
	}
	pthread_cond_broadcast(&db->turned);
	pthread_mutex_unlock(&db->lock);
	return taken;
}

static bool take_notice(struct session *s, json_t *message)
{
	const char *method = json_string_value(json_object_get(message, "method"));
	const json_t *id = json_object_get(message, "id");
	if (method && strcmp(method, "update3") == 0)
		return apply_update(s, json_object_get(message, "params"));
	if (method && strcmp(method, "echo") == 0)
		return answer_echo(s, message);
	if (json_is_string(id) && strcmp(json_string_value(id), monitor_id) == 0)
		return publish_snapshot(s, message);
	return true; /* the answer to a probe */
}

/* ---- bytes ---- */

static bool take_whole(struct session *s, struct str text)
{
	json_error_t ignored;
	json_t *message = json_loadb(text.p, text.n, 0, &ignored);
	if (!message)
		return fail_session(s, "the server sent what is not JSON");
	const json_t *id = json_object_get(message, "id");
	bool is_answer = json_is_integer(id) && !json_object_get(message, "method");
	if (is_answer && hand_answer(s, json_integer_value(id), message))
		return true;
	bool ok = is_answer || take_notice(s, message); /* nobody waits for a late answer */
	json_decref(message);
	return ok;
}

static bool take_bytes(struct session *s, struct str bytes)
{
	while (bytes.n > 0) {
		size_t used = 0;
		enum frame_state state = frame_feed(&s->frame, bytes, &used);
		if (state == FRAME_BAD)
			return fail_session(s, "the server sent what is not JSON-RPC");
		buf_add(&s->in, bytes.p, used);
		if (s->in.failed)
			return fail_session(s, "out of memory");
		bytes = str_slice(bytes, used, bytes.n);
		if (state == FRAME_MORE)
			continue;
		bool ok = take_whole(s, buf_str(&s->in));
		buf_done(&s->in);
		buf_init(&s->in, MESSAGE_MAX_SIZE);
		if (!ok)
			return false;
	}
	return true;
}

static bool receive(struct session *s)
{
	char *bytes = heap_alloc(READ_SIZE);
	if (!bytes)
		return fail_session(s, "out of memory");
	ssize_t n = recv(s->fd, bytes, READ_SIZE, MSG_DONTWAIT);
	bool ok;
	if (n > 0) {
		s->heard_us = clock_monotonic_us();
		s->probed = false;
		ok = take_bytes(s, (struct str){bytes, (size_t) n});
	} else if (n == 0) {
		ok = fail_session(s, "the server closed it");
	} else {
		ok = errno == EAGAIN || errno == EINTR || fail_errno(s);
	}
	heap_free(bytes);
	return ok;
}

/* Takes what callers have queued once the previous buffer was sent. */
static bool take_out(struct session *s)
{
	if (s->out.size > s->sent_size)
		return true;
	buf_done(&s->out);
	s->sent_size = 0;
	pthread_mutex_lock(&s->db->lock);
	s->out = s->db->out;
	buf_init(&s->db->out, s->out.cap_size);
	pthread_mutex_unlock(&s->db->lock);
	return !s->out.failed || fail_session(s, "out of memory");
}

static bool send_out(struct session *s)
{
	if (!take_out(s))
		return false;
	while (s->sent_size < s->out.size) {
		ssize_t n = send(s->fd, s->out.p + s->sent_size, s->out.size - s->sent_size,
				 MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0)
			return errno == EAGAIN || errno == EINTR || fail_errno(s);
		s->sent_size += (size_t) n;
	}
	return true;
}

/* Probes a silent server; a server that stays silent is considered dead. */
static bool probe(struct session *s)
{
	int64_t silent_us = clock_monotonic_us() - s->heard_us;
	if (silent_us < probe_after_us)
		return true;
	if (silent_us >= 2 * probe_after_us)
		return fail_session(s, "it does not answer");
	if (s->probed)
		return true;
	s->probed = true;
	pthread_mutex_lock(&s->db->lock);
	bool ok = queue_and_drop(s->db,
				 json_pack("{s:s,s:[],s:s}", "method", "echo", "params", "id", probe_id));
	pthread_mutex_unlock(&s->db->lock);
	return ok || fail_session(s, "out of memory");
}

/* ---- sessions ---- */

static bool is_stopping(struct ovsdb *db)
{
	pthread_mutex_lock(&db->lock);
	bool stop = db->stop;
	pthread_mutex_unlock(&db->lock);
	return stop;
}

/* Waits for the socket (-1: none), a wake-up by a caller, or the timeout. */
static short wait_events(struct ovsdb *db, int fd, bool to_send, int64_t timeout_us)
{
	struct pollfd fds[] = {{.fd = db->wake_fd, .events = POLLIN},
			       {.fd = fd, .events = (short) (to_send ? POLLIN | POLLOUT : POLLIN)}};
	if (poll(fds, 2, (int) (timeout_us / MILLISECOND)) <= 0)
		return 0;
	uint64_t count;
	if (fds[0].revents && read(db->wake_fd, &count, sizeof count) < 0)
		return 0; /* the counter was already reset */
	return fds[1].revents;
}

static bool connect_session(struct session *s)
{
	s->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s->fd < 0 ||
	    connect(s->fd, (const struct sockaddr *) &s->db->address, sizeof s->db->address) != 0)
		return fail_errno(s);
	return true;
}

static void run_session(struct session *s)
{
	frame_init(&s->frame, MESSAGE_MAX_SIZE);
	s->heard_us = clock_monotonic_us();
	bool ok = connect_session(s) && request_snapshot(s);
	while (ok && !is_stopping(s->db)) {
		ok = probe(s) && send_out(s);
		if (!ok)
			break;
		short events = wait_events(s->db, s->fd, s->out.size > s->sent_size, SECOND);
		if (events & (POLLIN | POLLHUP | POLLERR))
			ok = receive(s);
	}
}

/* Tells waiting callers that no answer will come, and drops unsent messages. */
static bool end_session(struct session *s)
{
	struct ovsdb *db = s->db;
	if (s->fd >= 0)
		close(s->fd);
	buf_done(&s->in);
	buf_done(&s->out);
	pthread_mutex_lock(&db->lock);
	bool was_synced = db->state == OVSDB_SYNCED;
	db->state = OVSDB_LOST;
	snprintf(db->problem, sizeof db->problem, "%s", s->problem);
	size_t cap_size = db->out.cap_size;
	buf_done(&db->out);
	buf_init(&db->out, cap_size);
	for (struct ovsdb_wait *wait = db->waits; wait; wait = wait->next)
		wait->done = true;
	pthread_cond_broadcast(&db->turned);
	if (was_synced && !db->stop && db->watcher.connection)
		db->watcher.connection(db->watcher.arg, false);
	pthread_mutex_unlock(&db->lock);
	return was_synced;
}

void *ovsdb_run(void *arg)
{
	struct ovsdb *db = arg;
	int64_t backoff_us = backoff_first_us;
	pthread_setname_np(pthread_self(), "ovsdb");
	while (!is_stopping(db)) {
		struct session s = {.db = db, .fd = -1};
		buf_init(&s.in, MESSAGE_MAX_SIZE);
		run_session(&s);
		if (end_session(&s))
			backoff_us = backoff_first_us;
		if (!is_stopping(db))
			(void) wait_events(db, -1, false, backoff_us);
		backoff_us = backoff_us * 2 < backoff_last_us ? backoff_us * 2 : backoff_last_us;
	}
	return NULL;
}
