/* SPDX-License-Identifier: Apache-2.0
 * One request from its first line to its answer: libmicrohttpd's callbacks, all on the pool thread that owns
 * the connection.
 *
 *   call_on_uri        request line: creates the call with its arena, keeps the raw target
 *   call_on_request    headers (limits, refusals); each piece of the body; the complete request
 *                      (the face's handle()); again when a parked call was woken (resume())
 *   call_on_completed  the answer was sent, or the connection broke
 *
 * libmicrohttpd answers what it cannot parse by itself (400, and 431 when the headers do not fit its memory).
 * It can answer before or after a body, not in the middle of one. */
#include <inttypes.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/uuid.h"
#include "http/forwarded.h"
#include "http/internal.h"
#include "http/via.h"

enum {
	BODY_BEFOREHAND_MAX = 64 * 1024, /* larger bodies are allocated as they arrive */
	DISCARD_MAX = 1024 * 1024,       /* bytes of an oversized chunked body that are discarded in order
					  * to answer 413 */
	DRAIN_MAX = 64 * 1024 * 1024,    /* bytes discarded after an early answer */
	RATE_MIN = 8 * 1024,             /* minimum average transfer rate of a client, bytes/s */
};

void call_set_via(struct call *c, const void *via)
{
	if (c->p)
		c->p->via = via;
}

const void *call_via(const struct call *c)
{
	return c->p ? c->p->via : NULL;
}

static struct conn *conn_of(struct MHD_Connection *mhd)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	return info ? info->socket_context : NULL;
}

void call_on_connection(void *cls, struct MHD_Connection *mhd, void **socket_context,
			enum MHD_ConnectionNotificationCode what)
{
	struct http_worker *w = cls;
	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		const union MHD_ConnectionInfo *info =
			MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
		*socket_context = info ? conn_start(w, info->connect_fd, mhd) : NULL;
	} else if (*socket_context) {
		struct conn *conn = *socket_context;
		if (conn->call && !conn->orphaned)
			call_free(conn->call);
		conn_remove(conn);
		*socket_context = NULL;
	}
}

/* ---- the request line ---- */

/* Removes "http://host" from the target, if present. The result is not a path for "*" and "host:port". */
static struct str target_origin_form(struct str target)
{
	static const char *const schemes[] = {"http://", "https://"};
	for (size_t k = 0; k < 2; k++) {
		size_t n = strlen(schemes[k]);
		if (!str_equal_nocase(str_slice(target, 0, n), str_from(schemes[k])))
			continue;
		size_t end = n;
		while (end < target.n && target.p[end] != '/' && target.p[end] != '?')
			end++;
		return str_slice(target, end, target.n);
	}
	return target;
}

static void call_set_target(struct call *c, struct str target)
{
	bool was_absolute = target.n && target.p[0] != '/';
	struct str origin = target_origin_form(target);
	was_absolute = was_absolute && origin.n != target.n;
	size_t mark = str_find_char(origin, '?', 0);
	c->path = str_slice(origin, 0, mark);
	c->query = str_slice(origin, mark + 1, origin.n);
	if (str_is_empty(c->path) || c->path.p[0] != '/') {
		c->p->bad_target = !(was_absolute && str_is_empty(c->path));
		c->path = STR("/");
	}
}

static struct call *call_new(struct conn *conn)
{
	struct arena *a = server_take_arena(conn->server);
	if (!a)
		return NULL;
	struct call *c = arena_new_object(a, struct call);
	struct call_private *p = arena_new_object(a, struct call_private);
	if (!c || !p) {
		server_give_arena(conn->server, a);
		return NULL;
	}
	ctx_init(&c->ctx, a);
	c->ctx.request_id = uuid_to_str(a, uuid_random());
	c->p = p;
	c->self = conn->listener->self;
	c->tag = conn->listener->tag;
	c->peer = conn->peer;
	c->peer_port = conn->peer_port;
	c->local = conn->local;
	c->is_tls = conn->listener->pool->cert_pem != NULL;
	c->start_us = clock_now_us();
	c->ctx.deadline_us = c->start_us + conn->server->config.request_timeout_us;
	p->conn = conn;
	p->last_answer_header = &p->answer_headers;
	buf_init(&p->body, conn->listener->face->body_cap_size);
	return c;
}

void call_end(struct call *c)
{
	struct call_sink *sink = c->p->sink;
	c->p->sink = NULL;
	if (sink)
		sink->end(sink);
	buf_done(&c->p->body);
}

void call_free(struct call *c)
{
	struct conn *conn = c->p->conn;
	call_end(c);
	if (c->p->response)
		MHD_destroy_response(c->p->response);
	conn->call = NULL;
	server_give_arena(conn->server, c->ctx.arena);
}

void *call_on_uri(void *cls, const char *uri, struct MHD_Connection *mhd)
{
	(void) cls;
	struct conn *conn = conn_of(mhd);
	if (!conn || conn->call)
		return NULL;
	struct call *c = call_new(conn);
	if (!c)
		return NULL; /* call_on_request() then closes the connection */
	conn->call = c;
	conn->worker->has_served = true;
	if (conn->hop_limited)
		(void) conn_set_hop_limit(conn, -1);
	c->p->raw_target = str_from(uri);
	call_set_target(c, str_copy(c->ctx.arena, c->p->raw_target));
	/* if the sweeper has just cut the connection, the next read fails */
	(void) conn_enter(conn, CONN_READING, clock_monotonic_us() + conn->server->config.request_timeout_us);
	return c;
}

/* ---- the headers ---- */

struct str call_header(const struct call *c, const char *name)
{
	struct str wanted = str_from(name);
	for (size_t k = 0; k < c->p->header_count; k++)
		if (str_equal_nocase(c->p->headers[k].name, wanted))
			return c->p->headers[k].value;
	return STR_NONE;
}

RESULT call_each_header(struct call *c, RESULT (*each)(void *arg, struct str name, struct str value),
			void *arg)
{
	for (size_t k = 0; k < c->p->header_count; k++)
		TRY(each(arg, c->p->headers[k].name, c->p->headers[k].value));
	return OK;
}

static enum MHD_Result note_header(void *cls, enum MHD_ValueKind kind, const char *name, size_t name_size,
				   const char *value, size_t value_size)
{
	(void) kind;
	struct call_private *p = cls;
	p->headers[p->header_count++] = (struct header){{name, name_size}, {value, value_size}};
	return MHD_YES;
}

/* The strings stay in libmicrohttpd's memory, which outlives the call. */
static bool gather_headers(struct call *c, struct MHD_Connection *mhd)
{
	int count = MHD_get_connection_values(mhd, MHD_HEADER_KIND, NULL, NULL);
	if (count <= 0)
		return count == 0;
	c->p->headers = arena_new_array(c->ctx.arena, struct header, (size_t) count);
	if (!c->p->headers)
		return false;
	(void) MHD_get_connection_values_n(mhd, MHD_HEADER_KIND, note_header, c->p);
	return true;
}

static unsigned count_header(const struct call *c, const char *name)
{
	unsigned count = 0;
	for (size_t k = 0; k < c->p->header_count; k++)
		if (str_equal_nocase(c->p->headers[k].name, str_from(name)))
			count++;
	return count;
}

static enum http_method method_of(struct str name)
{
	static const char *const names[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"};
	for (int k = HTTP_GET; k < HTTP_OTHER; k++)
		if (str_is(name, names[k]))
			return (enum http_method) k;
	return HTTP_OTHER;
}

/* True if the end of the body is unambiguous: one length or chunked, not both. libmicrohttpd recognises
 * "chunked" only without trailing blanks, and would read a body in any other coding until the connection
 * ends. */
static bool body_is_delimited(const struct call *c)
{
	unsigned lengths = count_header(c, "Content-Length"), codings = count_header(c, "Transfer-Encoding");
	if (codings == 0)
		return lengths <= 1;
	return codings == 1 && lengths == 0 && c->p->has_chunks &&
	       str_equal_nocase(call_header(c, "Transfer-Encoding"), STR("chunked"));
}

/* 0: accepted; else the status of the refusal. start: the parser's copy of the head. Values are trimmed only
 * after they were compared with the head's bytes. */
static int check_head(struct call *c, struct MHD_Connection *mhd, const char *start, enum err *ret_why)
{
	struct call_private *p = c->p;
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
	size_t size = info ? info->header_size : 0;
	*ret_why = ERR_TOO_LARGE;
	if (size > p->conn->server->config.header_cap_size)
		return 431;
	*ret_why = ERR_INVALID;
	p->must_close = !body_is_delimited(c) || !head_fields_are_valid(p->headers, p->header_count);
	/* later versions refuse by themselves: MHD_OPTION_CLIENT_DISCIPLINE_LVL */
	if (MHD_VERSION < MHD_VERSION_STRICT)
		p->must_close = p->must_close || !head_is_whole((struct str){start, size}, p->raw_target,
								p->headers, p->header_count);
	for (size_t k = 0; k < p->header_count; k++)
		p->headers[k].value = head_trim(p->headers[k].value);
	return p->must_close || p->bad_target || count_header(c, "Host") > 1 ? 400 : 0;
}

enum { COST_NOT_MEASURED = -1 };

/* Start of a run of the face: CPU time of the thread. Reading that clock takes a kernel lock, so after its
 * first COST_ALL_RUNS runs a thread measures only one in COST_ONE_RUN_IN. */
static int64_t call_begin_cost(void)
{
	static _Thread_local unsigned runs;
	bool is_measured = runs < COST_ALL_RUNS || runs % COST_ONE_RUN_IN == 0;
	runs = runs < COST_ALL_RUNS + COST_ONE_RUN_IN - 1 ? runs + 1 : COST_ALL_RUNS;
	return is_measured ? clock_thread_ns() : COST_NOT_MEASURED;
}

/* End of a run started by call_begin_cost(). */
static void call_note_cost(struct call *c, int64_t from_ns)
{
	struct conn *conn = c->p->conn;
	if (from_ns == COST_NOT_MEASURED)
		return;
	int64_t used_ns = clock_thread_ns() - from_ns;
	if (used_ns > c->p->longest_ns)
		c->p->longest_ns = used_ns;
	cost_add(&conn->server->costs, conn->listener->face->name, c->action, used_ns);
}

static void call_reject(struct call *c, int status, enum err why)
{
	const struct http_face *face = c->p->conn->listener->face;
	c->p->conn->server->rejected++;
	if (face->reject) {
		face->reject(c->self, c, status, why);
		return;
	}
	struct buf body;
	buf_init(&body, 1024);
	buf_print(&body, "%s\n", err_meaning(why));
	call_answer(c, status, "text/plain;charset=UTF-8", &body);
}

/* ---- the answer ---- */

static void log_call(const struct call *c, int status)
{
	char peer[IP_TEXT_SIZE];
	if (c->is_quiet)
		return;
	log_event(LOG_INFO, "http-request",
		  "method=%s path=%s status=%d duration_us=%" PRId64 " longest_run_us=%" PRId64
		  " bytes=%zu face=%s action=%s account=%s "
		  "peer=%s request=%.*s",
		  log_quote(c->method_name), log_quote(c->path), status, clock_now_us() - c->start_us,
		  c->p->longest_ns / 1000, c->p->answer_size, c->p->conn->listener->face->name,
		  c->action ? c->action : "-", c->account_number.n ? log_quote(c->account_number) : "-",
		  ip_write(c->peer, peer), STR_ARG(c->ctx.request_id));
}

/* Gives the answer to libmicrohttpd and frees the call, so that a slow client does not hold the call's memory
 * while the answer drains. */
static enum MHD_Result call_send(struct call *c, struct MHD_Connection *mhd)
{
	struct conn *conn = c->p->conn;
	int64_t drain_us = (int64_t) (c->p->answer_size / RATE_MIN) * SECOND;
	int64_t deadline_us = clock_monotonic_us() + conn->server->config.request_timeout_us + drain_us;
	bool is_alive = conn_enter(conn, CONN_ANSWERING, c->p->is_stream ? CONN_NO_DEADLINE : deadline_us);
	enum MHD_Result sent =
		is_alive ? MHD_queue_response(mhd, (unsigned) c->p->status, c->p->response) : MHD_NO;
	call_note_answer(conn->server, c->p->status);
	log_call(c, c->p->status);
	call_free(c);
	return sent;
}

/* The server is stopping and the call belongs to whoever wakes it: answers without the call's memory. */
static enum MHD_Result conn_send_stopping(struct MHD_Connection *mhd)
{
	struct MHD_Response *r = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
	if (!r)
		return MHD_NO;
	(void) MHD_add_response_header(r, MHD_HTTP_HEADER_CONNECTION, "close");
	enum MHD_Result sent = MHD_queue_response(mhd, MHD_HTTP_SERVICE_UNAVAILABLE, r);
	MHD_destroy_response(r);
	return sent;
}

static void call_run_resume(struct call *c)
{
	void (*resume)(struct call * c) = c->p->resume;
	int64_t from_ns = call_begin_cost();
	c->p->resume = NULL;
	resume(c);
	call_note_cost(c, from_ns);
}

/* Handles the outcome of handle() or resume(): an answer, or parking. */
static enum MHD_Result call_settle(struct call *c, struct MHD_Connection *mhd)
{
	struct call_private *p = c->p;
	struct conn *conn = p->conn;
	for (;;) {
		if (p->response)
			return call_send(c, mhd);
		if (!p->resume)
			return MHD_NO; /* no memory for an answer: close */
		switch (park_call(c)) {
		case PARK_SUSPENDED:
			return MHD_YES;
		case PARK_ORPHANED:
			conn->orphaned = true;
			conn->call = NULL;
			return conn_send_stopping(mhd);
		case PARK_WOKEN:
			call_run_resume(c);
			break;
		}
	}
}

/* Checks the announced length, if any; result as above. */
static int check_length(const struct call *c, enum err *ret_why)
{
	const struct call_private *p = c->p;
	uint64_t cap = p->sink ? (uint64_t) p->sink->cap_size : p->conn->listener->face->body_cap_size;
	struct str text = call_header(c, "Content-Length");
	int64_t length = 0;
	*ret_why = ERR_TOO_LARGE;
	if (text.p && !result_is_ok(str_parse_int(text, &length)))
		return 400;
	return length > 0 && (uint64_t) length > cap ? 413 : 0;
}

/* Parks a call whose body is not complete, if its face asks for that. Afterwards the body goes on, or a face has answered
 * before it. */
static enum MHD_Result call_pause(struct call *c, struct MHD_Connection *mhd)
{
	struct call_private *p = c->p;
	struct conn *conn = p->conn;
	if (p->resume) /* a connection that was cut waits, too: somebody will wake the call */
		(void) conn_enter(conn, CONN_HANDLING, CONN_NO_DEADLINE);
	while (p->resume) {
		switch (park_call(c)) {
		case PARK_SUSPENDED:
			return MHD_YES;
		case PARK_ORPHANED:
			conn->orphaned = true;
			conn->call = NULL;
			return MHD_NO;
		case PARK_WOKEN:
			call_run_resume(c);
			break;
		}
	}
	enum err why = ERR_NONE;
	int refusal = p->stage == CALL_BEGUN && !p->response ? check_length(c, &why) : 0;
	if (refusal)
		call_reject(c, refusal, why);
	if (p->response) {
		p->stage = CALL_HANDLED;
		return call_send(c, mhd);
	}
	p->stage = CALL_BODY;
	int64_t until_us = clock_monotonic_us() + conn->server->config.request_timeout_us;
	return conn_enter(conn, CONN_READING, until_us) ? MHD_YES : MHD_NO;
}

/* The connection of a paused call is served again. */
static enum MHD_Result call_go_on(struct call *c, struct MHD_Connection *mhd)
{
	call_run_resume(c);
	return call_pause(c, mhd);
}

/* ---- the request ---- */

/* A header's lines as one value: a list may be on several (RFC 9110, 5.3). */
static struct str join_header(const struct call *c, const char *name)
{
	struct str all = STR_NONE;
	for (size_t k = 0; k < c->p->header_count; k++) {
		const struct header *h = &c->p->headers[k];
		if (!str_equal_nocase(h->name, str_from(name)))
			continue;
		all = all.p ? str_print(c->ctx.arena, "%" STR_FMT ",%" STR_FMT, STR_ARG(all),
					STR_ARG(h->value))
			    : h->value;
	}
	return all;
}

/* Reads the headers of trusted proxies only: a peer at any other address is the client itself. */
static void find_client(struct call *c)
{
	const struct http_proxies *proxies = c->p->conn->listener->proxies;
	if (!proxies || !forwarded_is_proxy(proxies, c->peer))
		return;
	struct str list = join_header(c, proxies->by_forwarded ? "Forwarded" : "X-Forwarded-For");
	struct forwarded found = forwarded_read(proxies, c->peer, list);
	if (!proxies->by_forwarded)
		found.scheme = call_header(c, "X-Forwarded-Proto");
	if (!ip_equal(found.client, c->peer))
		c->peer_port = 0; /* the proxy's */
	c->peer = found.client;
	if (found.scheme.n)
		c->is_tls = str_equal_nocase(found.scheme, STR("https"));
}

static enum MHD_Result call_begin(struct call *c, struct MHD_Connection *mhd, const char *method,
				  const char *version)
{
	enum err why = ERR_NONE;
	c->p->stage = CALL_BODY;
	c->method_name = str_copy(c->ctx.arena, str_from(method));
	c->method = method_of(c->method_name);
	/* HTTP/1.0 has no chunks (RFC 9112, 6.1) */
	c->p->has_chunks = strcmp(version, MHD_HTTP_VERSION_1_1) == 0;
	if (!gather_headers(c, mhd))
		return MHD_NO;
	const struct http_face *face = c->p->conn->listener->face;
	int refusal = check_head(c, mhd, method, &why);
	c->p->must_close |= c->p->conn->is_in_reserve; /* until call_take_share() */
	c->p->is_chunked = count_header(c, "Transfer-Encoding") > 0;
	if (refusal == 0)
		find_client(c);
	if (refusal == 0 && face->begin) {
		int64_t from_ns = call_begin_cost();
		face->begin(c->self, c);
		call_note_cost(c, from_ns);
	}
	if (refusal == 0 && c->p->resume) {
		c->p->stage = CALL_BEGUN;
		return call_pause(c, mhd);
	}
	if (refusal == 0 && !c->p->response)
		refusal = check_length(c, &why);
	if (refusal == 0 && !c->p->response)
		return MHD_YES;
	c->p->stage = CALL_HANDLED;
	if (refusal)
		call_reject(c, refusal, why);
	return c->p->response ? call_send(c, mhd) : MHD_NO;
}

void call_set_sink(struct call *c, struct call_sink *sink)
{
	c->p->sink = sink;
}

/* Renews the deadline for a client that keeps sending: the request timeout for each amount that the minimum
 * rate yields in that time. */
static bool call_note_progress(struct call *c)
{
	struct call_private *p = c->p;
	int64_t timeout_us = p->conn->server->config.request_timeout_us;
	if (p->sink->size < p->sink_mark)
		return true;
	p->sink_mark = p->sink->size + timeout_us * RATE_MIN / SECOND;
	return conn_enter(p->conn, CONN_READING, clock_monotonic_us() + timeout_us);
}

static void call_give_sink(struct call *c, const char *data, size_t size)
{
	struct call_sink *sink = c->p->sink;
	bool is_larger = (int64_t) size > sink->cap_size - sink->size;
	int64_t from_ns = call_begin_cost();
	if (!is_larger && result_is_ok(sink->result))
		sink->result = sink->take(sink, c, (struct str){data, size});
	call_note_cost(c, from_ns);
	if (is_larger || !result_is_ok(sink->result))
		c->p->discarded_size += size;
	else
		sink->size += (int64_t) size;
}

/* Discards the rest of an unwanted body. If it is long, the client gets an early answer, and its further data
 * are read and dropped, because a reset would destroy that answer. libmicrohttpd cannot answer at this point,
 * and over TLS nobody else can. False: close the connection. */
static bool call_discard(struct call *c, size_t size)
{
	struct call_private *p = c->p;
	struct conn *conn = p->conn;
	p->discarded_size += size;
	if (p->discarded_size <= DISCARD_MAX)
		return true;
	if (conn->listener->pool->cert_pem)
		return false;
	if (!p->is_told_early) {
		p->is_told_early = true;
		conn->server->rejected++;
		answer_bare(conn->server, conn->fd, 413, "Content Too Large", "");
		(void) shutdown(conn->fd, SHUT_WR);
	}
	return p->discarded_size <= DRAIN_MAX;
}

static enum MHD_Result call_take_body(struct call *c, struct MHD_Connection *mhd, const char *data,
				      size_t *data_size)
{
	struct call_private *p = c->p;
	size_t size = *data_size;
	*data_size = 0;
	if (p->sink && !p->discarded_size) {
		call_give_sink(c, data, size);
		if (c->p->resume)
			return call_pause(c, mhd);
		return call_note_progress(c) ? MHD_YES : MHD_NO;
	}
	if (p->discarded_size || size > p->body.cap_size - p->body.size)
		return call_discard(c, size) ? MHD_YES : MHD_NO;
	if (!p->body.p) {
		int64_t length = 0;
		/* checked by libmicrohttpd; absent for a chunked body */
		IGNORE(str_parse_int(call_header(c, "Content-Length"), &length));
		if (length > 0 && length <= BODY_BEFOREHAND_MAX)
			(void) buf_reserve(&p->body, (size_t) length);
	}
	buf_add(&p->body, data, size);
	return p->body.failed ? MHD_NO : MHD_YES;
}

static enum MHD_Result call_handle(struct call *c, struct MHD_Connection *mhd)
{
	struct conn *conn = c->p->conn;
	c->p->stage = CALL_HANDLED;
	if (c->p->is_told_early || !conn_enter(conn, CONN_HANDLING, CONN_NO_DEADLINE))
		return MHD_NO;
	c->body = buf_str(&c->p->body);
	bool has_failed = c->p->sink && !result_is_ok(c->p->sink->result);
	int64_t from_ns = call_begin_cost();
	if (c->p->discarded_size && !has_failed)
		call_reject(c, 413, ERR_TOO_LARGE);
	else
		conn->listener->face->handle(c->self, c);
	call_note_cost(c, from_ns);
	return call_settle(c, mhd);
}

enum MHD_Result call_on_request(void *cls, struct MHD_Connection *mhd, const char *url, const char *method,
				const char *version, const char *data, size_t *data_size, void **call)
{
	(void) cls;
	(void) url; /* decoded by libmicrohttpd; call_on_uri() keeps the raw form */
	(void) call;
	struct conn *conn = conn_of(mhd);
	if (!conn)
		return MHD_NO;
	if (conn->orphaned) {
		conn->call = NULL;
		return conn_send_stopping(mhd);
	}
	struct call *c = conn->call;
	if (!c)
		return MHD_NO;
	/* libmicrohttpd offers the next chunk of a suspended connection, too, if it has read it already: it stays there */
	if (c->p->stage == CALL_BODY && c->p->resume && park_is_suspended(c))
		return MHD_YES;
	switch (c->p->stage) {
	case CALL_NEW:
		return call_begin(c, mhd, method, version);
	case CALL_BEGUN:
		return call_go_on(c, mhd);
	case CALL_BODY:
		if (c->p->resume && call_go_on(c, mhd) != MHD_YES)
			return MHD_NO;
		return *data_size ? call_take_body(c, mhd, data, data_size) : call_handle(c, mhd);
	case CALL_HANDLED:
		call_run_resume(c);
		return call_settle(c, mhd);
	}
	return MHD_NO;
}

void call_on_completed(void *cls, struct MHD_Connection *mhd, void **call,
		       enum MHD_RequestTerminationCode how)
{
	(void) cls;
	(void) how;
	*call = NULL;
	struct conn *conn = conn_of(mhd);
	if (!conn)
		return;
	if (conn->call && !conn->orphaned) { /* the connection broke before there was an answer */
		log_call(conn->call, 0);
		call_free(conn->call);
	}
	const struct http_config *config = &conn->server->config;
	(void) conn_enter(conn, CONN_IDLE,
			  clock_monotonic_us() + config->idle_timeout_us + config->request_timeout_us);
}
