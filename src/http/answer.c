/* SPDX-License-Identifier: Apache-2.0
 * Answers: headers, libmicrohttpd's response object around the face's buffer (without a copy), and
 * counters. */
#include <assert.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/heap.h"
#include "base/log.h"
#include "base/uuid.h"
#include "http/internal.h"

/* Piece size of an answer produced while it is sent: still in the processor's cache when the kernel copies
 * it. */
enum { READ_AT_ONCE = 64 * 1024 };
static const int64_t KEEP_ALIVE_EARLIER_US = 5 * SECOND;

static bool is_field_value(struct str value)
{
	for (size_t k = 0; k < value.n; k++)
		if ((unsigned char) value.p[k] < 0x20 || value.p[k] == 0x7F)
			return false;
	return true;
}

void call_set_answer_header(struct call *c, const char *name, struct str value)
{
	struct call_private *p = c->p;
	if (!head_is_token(str_from(name)) || !is_field_value(value)) {
		log_event(LOG_WARN, "http-bad-answer-header", "name=%s value=%s request=%.*s",
			  log_quote(str_from(name)), log_quote(value), STR_ARG(c->ctx.request_id));
		return;
	}
	struct answer_header *h = arena_new_object(c->ctx.arena, struct answer_header);
	if (!h) {
		p->lacks_header = true;
		return;
	}
	h->name = str_to_z(c->ctx.arena, str_from(name));
	h->value = str_to_z(c->ctx.arena, value);
	*p->last_answer_header = h;
	p->last_answer_header = &h->next;
}

void call_drop_answer_headers(struct call *c)
{
	c->p->answer_headers = NULL;
	c->p->last_answer_header = &c->p->answer_headers;
}

bool call_set_hop_limit(struct call *c, int hops)
{
	return conn_set_hop_limit(c->p->conn, hops);
}

static bool add_header(struct MHD_Response *r, const char *name, const char *value)
{
	return MHD_add_response_header(r, name, value) == MHD_YES;
}

/* Announces a timeout slightly shorter than the server's: a request sent just as the server closes an idle
 * connection would be lost (RFC 9112, 9.3.1). */
static bool add_keep_alive(struct MHD_Response *r, int64_t idle_us)
{
	char value[32];
	int64_t idle_s = (idle_us - KEEP_ALIVE_EARLIER_US) / SECOND;
	(void) snprintf(value, sizeof value, "timeout=%lld", (long long) idle_s);
	return idle_s <= 0 || add_header(r, "Keep-Alive", value);
}

static bool add_headers(struct call *c, struct MHD_Response *r, const char *content_type)
{
	char date[CLOCK_TEXT_SIZE];
	bool done = add_header(r, "x-amzn-RequestId", c->ctx.request_id.p) &&
		    add_header(r, MHD_HTTP_HEADER_DATE, clock_write_http(clock_now_us(), date));
	if (done && content_type)
		done = add_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, content_type);
	if (done && c->is_tls) /* RFC 6797: tells a browser that came by TLS to use TLS only */
		done = add_header(r, "Strict-Transport-Security", "max-age=31536000");
	for (const struct answer_header *h = c->p->answer_headers; done && h; h = h->next)
		done = add_header(r, h->name, h->value);
	const struct conn *conn = c->p->conn;
	bool closes =
		conn->server->stopping || conn->listener->closing || c->p->must_close || c->p->is_chunked;
	if (done && closes)
		done = add_header(r, MHD_HTTP_HEADER_CONNECTION, "close");
	return done && (closes || add_keep_alive(r, conn->server->config.idle_timeout_us));
}

/* Takes over the response; NULL: no memory for it. On failure p->response stays NULL, and call.c closes the
 * connection without an answer. */
static void call_set_response(struct call *c, int status, const char *content_type, struct MHD_Response *r,
			      size_t size)
{
	struct call_private *p = c->p;
	if (!r || !add_headers(c, r, content_type)) {
		if (r)
			MHD_destroy_response(r);
		return;
	}
	p->response = r;
	p->answer_size = size;
	p->status = status;
}

static struct MHD_Response *response_of_buffer(struct buf *body)
{
	if (!body || !body->size)
		return MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
	struct MHD_Response *r =
		MHD_create_response_from_buffer_with_free_callback(body->size, body->p, heap_free);
	if (r)
		*body = (struct buf){0};
	return r;
}

static bool is_answered(const struct call *c)
{
	if (c->p->response)
		log_event(LOG_ERROR, "http-answered-twice", "face=%s request=%.*s",
			  c->p->conn->listener->face->name, STR_ARG(c->ctx.request_id));
	return c->p->response;
}

void call_answer(struct call *c, int status, const char *content_type, struct buf *body)
{
	bool is_broken = (body && body->failed) || c->p->lacks_header;
	if (is_broken && body)
		buf_done(body);
	if (c->p->is_inside) {
		internal_call_answer(c, is_broken ? 500 : status, is_broken ? NULL : body);
		return;
	}
	size_t size = body ? body->size : 0;
	if (!is_answered(c))
		call_set_response(c, is_broken ? 500 : status, is_broken ? NULL : content_type,
				  response_of_buffer(body), size);
	if (body)
		buf_done(body);
}

void call_answer_pieces(struct call *c, int status, const char *content_type, const struct str *pieces,
			size_t count, void (*done)(void *arg), void *arg)
{
	struct MHD_IoVec vector[CALL_PIECES_MAX];
	size_t size = 0;
	if (c->p->is_inside) {
		internal_call_answer(c, 0, NULL);
		done(arg);
		return;
	}
	assert(count <= CALL_PIECES_MAX);
	for (size_t k = 0; k < count; k++) {
		vector[k] = (struct MHD_IoVec){pieces[k].p, pieces[k].n};
		size += pieces[k].n;
	}
	struct MHD_Response *r = NULL;
	if (!is_answered(c) && !c->p->lacks_header)
		r = count == 1 ? MHD_create_response_from_buffer_with_free_callback_cls(
					 /* MHD only reads it, despite the type */
					 size, (void *) pieces->p, done, arg)
			       : MHD_create_response_from_iovec(vector, (unsigned) count, done, arg);
	if (!r)
		done(arg);
	if (!c->p->response)
		call_set_response(c, status, content_type, r, size);
}

void call_answer_read(struct call *c, int status, const char *content_type, uint64_t size,
		      ssize_t (*read)(void *arg, uint64_t at, char *to, size_t room), void (*done)(void *arg),
		      void *arg)
{
	struct MHD_Response *r = NULL;
	if (c->p->is_inside) {
		internal_call_answer(c, 0, NULL);
		done(arg);
		return;
	}
	if (!is_answered(c) && !c->p->lacks_header)
		r = MHD_create_response_from_callback(size, READ_AT_ONCE, read, arg, done);
	if (!r)
		done(arg);
	if (!c->p->response)
		call_set_response(c, status, content_type, r, (size_t) size);
}

bool answer_stream(struct call *c, int status, const char *content_type, uint64_t size, size_t block,
		   ssize_t (*read)(void *arg, uint64_t at, char *to, size_t room), void (*done)(void *arg),
		   void *arg)
{
	struct MHD_Response *r =
		is_answered(c) ? NULL : MHD_create_response_from_callback(size, block, read, arg, done);
	if (r)
		call_set_response(c, status, content_type, r, size == MHD_SIZE_UNKNOWN ? 0 : (size_t) size);
	return r && c->p->response == r;
}

void call_answer_file(struct call *c, int status, const char *content_type, int fd, int64_t size)
{
	struct MHD_Response *r = NULL;
	if (c->p->is_inside) {
		internal_call_answer(c, 0, NULL);
		fd_autoclose(&fd);
		return;
	}
	if (!is_answered(c) && !c->p->lacks_header)
		r = MHD_create_response_from_fd64((uint64_t) size, fd);
	if (!r)
		fd_autoclose(&fd);
	if (!c->p->response)
		call_set_response(c, status, content_type, r, (size_t) size);
}

/* ---- an end of HTTP ---- */

static void tunnel_opened(void *cls, struct MHD_Connection *mhd, void *call, const char *early,
			  size_t early_size, MHD_socket fd, struct MHD_UpgradeResponseHandle *handle)
{
	(void) mhd;
	(void) call;
	struct conn *conn = cls;
	/* if the sweeper has just cut the connection, the tunnel's first read fails */
	(void) conn_enter(conn, CONN_TUNNEL, CONN_NO_DEADLINE);
	conn->tunnel->handle = handle;
	conn->tunnel->worker = conn->worker;
	conn->tunnel->client_fd = conn->fd;
	conn->tunnel->open(conn->tunnel, fd, (struct str){early, early_size});
}

void call_upgrade(struct call *c, const char *protocol, struct http_tunnel *t)
{
	struct conn *conn = c->p->conn;
	struct MHD_Response *r = NULL;
	call_set_answer_header(c, MHD_HTTP_HEADER_UPGRADE, str_from(protocol));
	if (!is_answered(c) && !c->p->lacks_header)
		r = MHD_create_response_for_upgrade(tunnel_opened, conn);
	if (!c->p->response)
		call_set_response(c, MHD_HTTP_SWITCHING_PROTOCOLS, NULL, r, 0);
	if (r && c->p->response == r)
		conn->tunnel = t; /* from here on conn_remove() ends the tunnel, even if it is never opened */
	else
		t->end(t);
}

void http_tunnel_close(struct http_tunnel *t)
{
	/* Workaround: over TLS, libmicrohttpd before 1.0 shuts down its side of the tunnel before it records
	 * the close. Its pool thread may handle the shutdown in between, and then waits for the client
	 * forever. Shutting down the client's side wakes the thread once more. */
	AUTO_FD client_fd = fcntl(t->client_fd, F_DUPFD_CLOEXEC, 0);
	struct http_worker *w = t->worker;
	worker_enter(w);
	t->is_closing = true;
	w->closing++;
	(void) MHD_upgrade_action(t->handle, MHD_UPGRADE_ACTION_CLOSE); /* may free the tunnel */
	worker_leave(w);
	if (client_fd >= 0)
		(void) shutdown(client_fd, SHUT_RD);
}

void call_note_answer(struct http_server *s, int status)
{
	s->requests++;
	if (status >= 100 && status < 600)
		s->by_status[status / 100]++;
}

void answer_bare(struct http_server *s, int fd, int status, const char *reason, const char *more)
{
	char date[CLOCK_TEXT_SIZE], id[UUID_TEXT_SIZE];
	struct buf b;
	buf_init(&b, 1024);
	buf_print(&b,
		  "HTTP/1.1 %d %s\r\nDate: %s\r\nx-amzn-RequestId: %s\r\nConnection: close\r\n%s"
		  "Content-Length: 0\r\n\r\n",
		  status, reason, clock_write_http(clock_now_us(), date), uuid_write(uuid_random(), id),
		  more);
	if (result_is_ok(buf_finish(&b)) && send(fd, b.p, b.size, MSG_DONTWAIT | MSG_NOSIGNAL) > 0) {
		call_note_answer(s, status);
		log_event(LOG_INFO, "http-refused", "status=%d request=%s", status, id);
	}
	buf_done(&b);
}
