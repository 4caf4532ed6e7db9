/* SPDX-License-Identifier: Apache-2.0
 * The call functions of http/server.h, without a server. */
#include "fake_http.h"

#include <assert.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "http/internal_call.h"
#include "http/share.h"
#include "http/via.h"

enum { PIECE_SIZE = 16 * 1024 }; /* bytes per piece of a request body that is received in pieces */

static struct fake_call *fake_of(const struct call *c)
{
	return (struct fake_call *) (void *) c;
}

struct str call_header(const struct call *c, const char *name)
{
	const struct fake_call *f = fake_of(c);
	for (size_t k = 0; k < f->header_count; k++)
		if (str_equal_nocase(f->header_names[k], str_from(name)))
			return f->header_values[k];
	return STR_NONE;
}

RESULT call_each_header(struct call *c, RESULT (*each)(void *arg, struct str name, struct str value),
			void *arg)
{
	const struct fake_call *f = fake_of(c);
	for (size_t k = 0; k < f->header_count; k++)
		TRY(each(arg, f->header_names[k], f->header_values[k]));
	return OK;
}

void call_set_answer_header(struct call *c, const char *name, struct str value)
{
	struct fake_call *f = fake_of(c);
	assert(f->answer_header_count < FAKE_HEADERS_MAX);
	f->answer_names[f->answer_header_count] = str_from(name);
	f->answer_values[f->answer_header_count++] = value;
}

void call_drop_answer_headers(struct call *c)
{
	fake_of(c)->answer_header_count = 0;
}

bool call_set_hop_limit(struct call *c, int hops)
{
	(void) c;
	return hops > 0;
}

void call_answer(struct call *c, int status, const char *content_type, struct buf *body)
{
	struct fake_call *f = fake_of(c);
	assert(!f->is_answered);
	(void) content_type;
	f->is_answered = true;
	f->status = status;
	if (body) {
		f->body = *body;
		*body = (struct buf){0};
	}
}

void call_answer_pieces(struct call *c, int status, const char *content_type, const struct str *pieces,
			size_t count, void (*done)(void *arg), void *arg)
{
	struct buf body;
	buf_init(&body, BUF_ANSWER_CAP);
	for (size_t k = 0; k < count; k++)
		buf_add_str(&body, pieces[k]);
	done(arg);
	call_answer(c, status, content_type, &body);
}

unsigned fake_answers_read;

/* By little pieces, of sizes that fit nothing. */
void call_answer_read(struct call *c, int status, const char *content_type, uint64_t size,
		      ssize_t (*read)(void *arg, uint64_t at, char *to, size_t room), void (*done)(void *arg),
		      void *arg)
{
	struct buf body;
	char piece[997];
	buf_init(&body, BUF_ANSWER_CAP);
	while (body.size < size) {
		size_t left = size - body.size, room = 1 + body.size % sizeof piece;
		ssize_t n = read(arg, body.size, piece, room < left ? room : left);
		assert(n > 0 && (size_t) n <= room);
		buf_add(&body, piece, (size_t) n);
	}
	assert(body.size == size);
	fake_answers_read++;
	done(arg);
	call_answer(c, status, content_type, &body);
}

void call_answer_file(struct call *c, int status, const char *content_type, int fd, int64_t size)
{
	struct buf body;
	buf_init(&body, BUF_ANSWER_CAP);
	assert(buf_reserve(&body, (size_t) size));
	assert(pread(fd, body.p, (size_t) size, 0) == size);
	body.size = (size_t) size;
	fd_autoclose(&fd);
	call_answer(c, status, content_type, &body);
}

void call_set_via(struct call *c, const void *via)
{
	fake_of(c)->via = via;
}

const void *call_via(const struct call *c)
{
	return c->p ? fake_of(c)->via : NULL; /* a call without p stands for one that was answered */
}

void call_set_sink(struct call *c, struct call_sink *sink)
{
	fake_of(c)->sink = sink;
}

static void note_cost(struct fake_call *f, int64_t from_ns)
{
	int64_t used_ns = clock_thread_ns() - from_ns;
	if (used_ns > f->longest_ns)
		f->longest_ns = used_ns;
}

static void give_sink(struct fake_call *f, struct str body)
{
	for (size_t at = 0; at < body.n && result_is_ok(f->sink->result); at += PIECE_SIZE) {
		int64_t from_ns = clock_thread_ns();
		struct str piece = str_slice(body, at, at + PIECE_SIZE < body.n ? at + PIECE_SIZE : body.n);
		f->sink->result = f->sink->take(f->sink, &f->call, piece);
		f->sink->size += (int64_t) piece.n;
		note_cost(f, from_ns);
	}
}

void fake_call_resume(struct fake_call *f)
{
	int64_t from_ns = clock_thread_ns();
	f->is_woken = false;
	f->resume(&f->call);
	note_cost(f, from_ns);
}

void fake_call_handle(struct fake_call *f, const struct http_face *face)
{
	struct str body = f->call.body;
	int64_t from_ns = clock_thread_ns();
	if (face->begin)
		face->begin(f->call.self, &f->call);
	note_cost(f, from_ns);
	if (f->sink) {
		f->call.body = STR_NONE;
		give_sink(f, body);
	}
	if (f->is_answered)
		return;
	from_ns = clock_thread_ns();
	face->handle(f->call.self, &f->call);
	note_cost(f, from_ns);
}

void call_park(struct call *c, void (*resume)(struct call *c))
{
	fake_of(c)->resume = resume;
}

/* A fake call has no connection. */
bool call_take_share(struct call *c, uuid who, bool is_administrator)
{
	(void) c;
	(void) who;
	(void) is_administrator;
	return true;
}

static void wake_inside(struct fake_call *f);

void call_wake(struct call *c)
{
	static uint64_t wakes;
	assert(!fake_of(c)->is_woken);
	fake_of(c)->is_woken = true;
	fake_of(c)->wake_order = ++wakes;
	if (fake_of(c)->is_inside)
		wake_inside(fake_of(c));
}

static enum http_method method_of(const char *name)
{
	static const char *const names[] = {
		[HTTP_GET] = "GET", [HTTP_HEAD] = "HEAD",   [HTTP_POST] = "POST",
		[HTTP_PUT] = "PUT", [HTTP_PATCH] = "PATCH", [HTTP_DELETE] = "DELETE"};
	for (enum http_method k = HTTP_GET; k < HTTP_OTHER; k++)
		if (strcmp(name, names[k]) == 0)
			return k;
	return HTTP_OTHER;
}

void fake_call_init(struct fake_call *f, const char *method, struct str path, struct str query,
		    struct str body)
{
	*f = (struct fake_call){0};
	f->arena = arena_new(ARENA_FIRST_SIZE, ARENA_REQUEST_CAP);
	assert(f->arena);
	ctx_init(&f->call.ctx, f->arena);
	f->call.p = (struct call_private *) (void *) f; /* marks a call of this file */
	f->call.ctx.request_id = STR("00000000-1111-4222-8333-444444444444");
	f->call.method_name = str_from(method);
	f->call.method = method_of(method);
	f->call.path = path;
	f->call.query = query;
	f->call.body = body;
	f->call.start_us = clock_now_us();
	f->call.ctx.deadline_us = f->call.start_us + 60 * SECOND;
}

void fake_call_add_header(struct fake_call *f, const char *name, struct str value)
{
	assert(f->header_count < FAKE_HEADERS_MAX);
	f->header_names[f->header_count] = str_from(name);
	f->header_values[f->header_count++] = value;
}

void fake_call_done(struct fake_call *f)
{
	if (f->sink)
		f->sink->end(f->sink);
	buf_done(&f->body);
	arena_free(f->arena);
}

/* ---- from inside: as http/internal_call.c does it ---- */

struct fake_inside {
	struct fake_call fake; /* first */
	struct actor *actor;
	struct job job; /* wakes it, or ends it */
	void (*done)(void *owner, int status, struct str body);
	void *owner;
	const void *arg;
};

const struct identity *call_internal_caller(const struct call *c)
{
	(void) c;
	return NULL;
}

const void *call_internal_arg(const struct call *c)
{
	return fake_of(c)->is_inside ? ((const struct fake_inside *) (const void *) c)->arg : NULL;
}

static struct fake_inside *inside_of_job(struct job *job)
{
	return (struct fake_inside *) (void *) ((char *) job - offsetof(struct fake_inside, job));
}

static void drop_inside(struct job *job)
{
	struct fake_inside *i = inside_of_job(job);
	fake_call_done(&i->fake);
	free(i);
}

static void run_inside(struct job *job)
{
	struct fake_inside *i = inside_of_job(job);
	if (!i->fake.is_answered)
		fake_call_resume(&i->fake);
	if (!i->fake.is_answered)
		return;
	i->done(i->owner, i->fake.status, buf_str(&i->fake.body));
	drop_inside(job);
}

static void wake_inside(struct fake_call *f)
{
	struct fake_inside *i = (struct fake_inside *) (void *) f;
	actor_post(i->actor, &i->job);
}

void call_begin_internal(struct actor *actor, void (*handle)(void *self, struct call *call), void *self,
			 const struct internal_call *wish)
{
	static const char *const names[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"};
	struct fake_inside *i = calloc(1, sizeof *i);
	assert(i);
	fake_call_init(&i->fake, names[wish->method], STR_NONE, STR_NONE, STR_NONE);
	struct call *c = &i->fake.call;
	c->path = str_copy(i->fake.arena, wish->path);
	c->query = str_copy(i->fake.arena, wish->query);
	c->body = str_copy(i->fake.arena, wish->body);
	c->self = self;
	i->fake.is_inside = true;
	i->actor = actor;
	i->job = (struct job){.run = run_inside, .drop = drop_inside};
	i->done = wish->done;
	i->owner = wish->owner;
	i->arg = wish->arg;
	handle(self, c);
	if (i->fake.is_answered)
		actor_post(actor, &i->job);
}

/* ---- streams ---- */

struct http_stream *call_answer_stream(struct call *c, const char *content_type, size_t cap_size,
				       const struct http_stream_owner *owner)
{
	struct fake_call *f = fake_of(c);
	struct http_stream *s = calloc(1, sizeof *s);
	(void) content_type;
	assert(s && !f->is_answered);
	s->owner = *owner;
	s->cap_size = cap_size;
	buf_init(&s->unsent, cap_size);
	f->is_answered = true;
	f->status = 200;
	f->stream = s;
	return s;
}

bool http_stream_write(struct http_stream *s, struct str piece)
{
	if (s->is_ended || s->unsent.size + piece.n > s->cap_size)
		return false;
	buf_add_str(&s->unsent, piece);
	return true;
}

size_t http_stream_unsent(struct http_stream *s)
{
	return s->unsent.size;
}

void http_stream_end(struct http_stream *s)
{
	s->is_ended = true;
}

void http_stream_cut(struct http_stream *s)
{
	s->is_ended = s->is_cut = true;
}

void http_stream_free(struct http_stream *s)
{
	s->owner = (struct http_stream_owner){0};
	s->is_ended = s->is_free = true;
}

struct str fake_stream_take(struct http_stream *s, struct arena *a)
{
	struct str text = str_copy(a, buf_str(&s->unsent));
	buf_done(&s->unsent);
	buf_init(&s->unsent, s->cap_size);
	if (s->owner.drained)
		s->owner.drained(s->owner.arg);
	return text;
}

void fake_stream_forget(struct http_stream *s)
{
	buf_done(&s->unsent);
	free(s);
}
