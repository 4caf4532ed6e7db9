/* SPDX-License-Identifier: Apache-2.0
 * Answers: headers, libmicrohttpd's response object around the face's buffer (no copy), figures. */
#include <inttypes.h>

#include "base/clock.h"
#include "base/heap.h"
#include "base/log.h"
#include "base/uuid.h"
#include "http/private.h"

static bool is_token(const char *name)
{
	static const char more[] = "!#$%&'*+-.^_`|~";
	size_t n = strlen(name);
	for (size_t k = 0; k < n; k++) {
		char c = name[k];
		bool is_alnum = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
		if (!is_alnum && !strchr(more, c))
			return false;
	}
	return n > 0;
}

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
	if (!is_token(name) || !is_field_value(value)) {
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

bool call_set_hop_limit(struct call *c, int hops)
{
	return conn_set_hop_limit(c->p->conn, hops);
}

static bool add_header(struct MHD_Response *r, const char *name, const char *value)
{
	return MHD_add_response_header(r, name, value) == MHD_YES;
}

static bool add_headers(struct call *c, struct MHD_Response *r, const char *content_type)
{
	char date[CLOCK_TEXT_SIZE];
	bool done = add_header(r, "x-amzn-RequestId", c->ctx.request_id.p) &&
		    add_header(r, MHD_HTTP_HEADER_DATE, clock_write_http(clock_now_us(), date));
	if (done && content_type)
		done = add_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, content_type);
	for (const struct answer_header *h = c->p->answer_headers; done && h; h = h->next)
		done = add_header(r, h->name, h->value);
	const struct conn *conn = c->p->conn;
	if (done && (conn->server->stopping || conn->listener->closing))
		done = add_header(r, MHD_HTTP_HEADER_CONNECTION, "close");
	return done;
}

RESULT call_make_response(struct call *c, int status, const char *content_type, struct buf *body)
{
	struct call_private *p = c->p;
	struct MHD_Response *r = NULL;
	if (body && body->size) {
		r = MHD_create_response_from_buffer_with_free_callback(body->size, body->p, heap_free);
		if (r) {
			p->answer_size = body->size;
			*body = (struct buf){0};
		}
	} else {
		r = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
		p->answer_size = 0;
	}
	if (body)
		buf_done(body);
	if (!r || !add_headers(c, r, content_type)) {
		if (r)
			MHD_destroy_response(r);
		return FAIL(NO_MEMORY);
	}
	p->response = r;
	p->status = status;
	return OK;
}

void call_answer(struct call *c, int status, const char *content_type, struct buf *body)
{
	struct call_private *p = c->p;
	if (p->response) {
		log_event(LOG_ERROR, "http-answered-twice", "face=%s request=%.*s",
			  p->conn->listener->face->name, STR_ARG(c->ctx.request_id));
		if (body)
			buf_done(body);
		return;
	}
	bool is_broken = (body && body->failed) || p->lacks_header;
	if (is_broken && body)
		buf_done(body);
	/* when it fails the connection is closed without an answer: call.c looks at p->response */
	IGNORE(call_make_response(c, is_broken ? 500 : status, is_broken ? NULL : content_type, body));
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
