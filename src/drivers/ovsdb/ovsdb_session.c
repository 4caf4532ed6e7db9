/* SPDX-License-Identifier: Apache-2.0
 * Thread of the OVSDB client: runs one session after another. A session requests a snapshot, publishes it,
 * applies updates, delivers answers to waiting callers, and answers echo requests. It ends when the server
 * disconnects, is silent for too long, or violates the protocol. With several addresses a session also ends when its
 * server is not, or no longer, the leader; the next session tries the next address. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/heap.h"
#include "drivers/ovsdb/frame.h"
#include "drivers/ovsdb/ovsdb_internal.h"
#include "drivers/ovsdb/ovsdb_stream.h"

enum { READ_SIZE = 64 * 1024, MESSAGE_MAX_SIZE = 512 * 1024 * 1024 };
static const char *const monitor_id = "dari-monitor";
static const char *const server_monitor_id = "dari-server";
static const char *const probe_id = "dari-probe";

/* Pace of attempts. The client waits long for a single server, because nothing else can answer. In a cluster another
 * server takes over within two seconds, so the client soon leaves a silent one, and soon asks all again. */
struct pace {
	int64_t connect_us, probe_us; /* limit of connecting; silence before a probe, and after it */
	int64_t backoff_first_us, backoff_last_us; /* between two rounds over all addresses */
};
static const struct pace pace_single = {5 * SECOND, 5 * SECOND, 100 * MILLISECOND, 4 * SECOND};
static const struct pace pace_cluster = {SECOND, SECOND, 50 * MILLISECOND, 400 * MILLISECOND};

struct session {
	struct ovsdb *db;
	const struct ovsdb_remote *remote;
	const struct pace *pace;
	struct ovsdb_stream stream;
	struct ovsdb_server server; /* in a cluster */
	struct frame frame;
	struct buf in;  /* an incomplete message */
	struct buf out; /* being sent */
	size_t sent_size;
	int64_t heard_us; /* monotonic */
	bool probed;      /* a probe was sent since then */
	char problem[256];
};

static bool is_cluster(const struct ovsdb *db)
{
	return db->remotes.count > 1;
}

static bool fail_session(struct session *s, const char *why)
{
	if (is_cluster(s->db))
		snprintf(s->problem, sizeof s->problem, "%s: %s", s->remote->text, why);
	else
		snprintf(s->problem, sizeof s->problem, "%s", why);
	return false;
}

static bool fail_stream(struct session *s)
{
	char text[128];
	return fail_session(s, s->stream.problem ? s->stream.problem : strerror_r(errno, text, sizeof text));
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

static bool send_request(struct session *s, json_t *message)
{
	pthread_mutex_lock(&s->db->lock);
	bool ok = queue_and_drop(s->db, message);
	pthread_mutex_unlock(&s->db->lock);
	return ok || fail_session(s, "out of memory");
}

static bool request_server(struct session *s)
{
	return send_request(s, json_pack("{s:s,s:o,s:s}", "method", "monitor_cond", "params",
					 ovsdb_server_monitor(s->db->schema->database, server_monitor_id),
					 "id", server_monitor_id));
}

static bool request_snapshot(struct session *s)
{
	json_t *params =
		json_pack("[s,s,o,s]", s->db->schema->database, monitor_id,
			  make_monitor_requests(s->db->schema), "00000000-0000-0000-0000-000000000000");
	return send_request(s, json_pack("{s:s,s:o,s:s}", "method", "monitor_cond_since", "params", params,
					 "id", monitor_id));
}

/* Ends the session unless this server leads; asks it for the snapshot once it is known to. */
static bool take_server(struct session *s, const json_t *tables)
{
	bool is_first = !s->server.is_known;
	ovsdb_server_update(&s->server, tables);
	const char *problem = ovsdb_server_check(&s->server, &s->db->cluster);
	if (problem)
		return fail_session(s, problem);
	return !is_first || request_snapshot(s);
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
	return send_request(s, json_pack("{s:O?,s:n,s:O?}", "result", json_object_get(message, "params"),
					 "error", "id", json_object_get(message, "id")));
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
	if (method && strcmp(method, "update2") == 0)
		return take_server(s, json_array_get(json_object_get(message, "params"), 1));
	if (method && strcmp(method, "echo") == 0)
		return answer_echo(s, message);
	if (json_is_string(id) && strcmp(json_string_value(id), monitor_id) == 0)
		return publish_snapshot(s, message);
	if (json_is_string(id) && strcmp(json_string_value(id), server_monitor_id) == 0)
		return take_server(s, json_object_get(message, "result"));
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
	bool ok = true, goes_on = true;
	while (ok && goes_on) {
		ssize_t n = ovsdb_stream_receive(&s->stream, bytes, READ_SIZE);
		goes_on = n > 0 && ovsdb_stream_has_more(&s->stream);
		if (n > 0) {
			s->heard_us = clock_monotonic_us();
			s->probed = false;
			ok = take_bytes(s, (struct str){bytes, (size_t) n});
		} else if (n == 0) {
			ok = fail_session(s, "the server closed it");
		} else {
			ok = errno == EAGAIN || errno == EINTR || fail_stream(s);
		}
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
		ssize_t n =
			ovsdb_stream_send(&s->stream, s->out.p + s->sent_size, s->out.size - s->sent_size);
		if (n < 0)
			return errno == EAGAIN || errno == EINTR || fail_stream(s);
		s->sent_size += (size_t) n;
	}
	return true;
}

/* Probes a silent server; a server that stays silent is considered dead. */
static bool probe(struct session *s)
{
	int64_t silent_us = clock_monotonic_us() - s->heard_us;
	if (silent_us < s->pace->probe_us)
		return true;
	if (silent_us >= 2 * s->pace->probe_us)
		return fail_session(s, "it does not answer");
	if (s->probed)
		return true;
	s->probed = true;
	return send_request(s, json_pack("{s:s,s:[],s:s}", "method", "echo", "params", "id", probe_id));
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
	int64_t until_us = clock_monotonic_us() + s->pace->connect_us;
	bool ok = ovsdb_stream_open(&s->stream, s->remote, &s->db->tls);
	while (ok && !s->stream.is_ready && !is_stopping(s->db)) {
		int64_t left_us = until_us - clock_monotonic_us();
		if (left_us <= 0)
			return fail_session(s, "it does not answer");
		if (wait_events(s->db, s->stream.fd, s->stream.wants_room, left_us))
			ok = ovsdb_stream_continue(&s->stream);
	}
	return ok || fail_stream(s);
}

static void run_session(struct session *s)
{
	frame_init(&s->frame, MESSAGE_MAX_SIZE);
	bool ok = connect_session(s) && (is_cluster(s->db) ? request_server(s) : request_snapshot(s));
	s->heard_us = clock_monotonic_us();
	int64_t look_us = s->pace->probe_us < SECOND ? s->pace->probe_us : SECOND;
	while (ok && !is_stopping(s->db)) {
		ok = probe(s) && send_out(s);
		if (!ok)
			break;
		bool to_send = s->stream.wants_room || (s->out.size > s->sent_size && !s->stream.tls);
		short events = wait_events(s->db, s->stream.fd, to_send, look_us);
		if (events & (POLLIN | POLLHUP | POLLERR))
			ok = receive(s);
	}
}

/* The attempts since the last connection, or the last pause. */
struct round {
	size_t tried;
	char problems[sizeof((struct ovsdb *) 0)
			      ->problem]; /* of each address, so that people see which is why */
};

static void note_attempt(struct round *round, const struct session *s)
{
	size_t size = round->tried ? strlen(round->problems) : 0;
	(void) snprintf(round->problems + size, sizeof round->problems - size, "%s%s", size ? "; " : "",
			s->problem);
	round->tried++;
}

/* Tells waiting callers that no answer will come, and drops unsent messages. Callers of a client that was just opened
 * wait until every address was tried. */
static bool end_session(struct session *s, const struct round *round)
{
	struct ovsdb *db = s->db;
	ovsdb_stream_close(&s->stream);
	buf_done(&s->in);
	buf_done(&s->out);
	pthread_mutex_lock(&db->lock);
	bool was_synced = db->state == OVSDB_SYNCED;
	bool is_round_over = round->tried == db->remotes.count;
	if (db->state != OVSDB_NEW || is_round_over)
		db->state = OVSDB_LOST;
	if (was_synced || is_round_over)
		snprintf(db->problem, sizeof db->problem, "%s", was_synced ? s->problem : round->problems);
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
	const struct pace *pace = is_cluster(db) ? &pace_cluster : &pace_single;
	int64_t backoff_us = pace->backoff_first_us;
	struct round round = {0};
	size_t next = 0;
	pthread_setname_np(pthread_self(), "ovsdb");
	while (!is_stopping(db)) {
		struct session s = {.db = db, .remote = &db->remotes.at[next], .pace = pace, .stream.fd = -1};
		buf_init(&s.in, MESSAGE_MAX_SIZE);
		run_session(&s);
		next = (next + 1) % db->remotes.count;
		note_attempt(&round, &s);
		if (end_session(&s, &round)) {
			backoff_us = pace->backoff_first_us;
			round = (struct round){0};
			note_attempt(&round, &s);
		}
		if (round.tried < db->remotes.count || is_stopping(db))
			continue;
		round = (struct round){0};
		(void) wait_events(db, -1, false, backoff_us);
		backoff_us = backoff_us * 2 < pace->backoff_last_us ? backoff_us * 2 : pace->backoff_last_us;
	}
	return NULL;
}
