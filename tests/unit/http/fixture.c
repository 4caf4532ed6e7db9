/* SPDX-License-Identifier: Apache-2.0
 * The API for the HTTP server's tests, and the thread that wakes its parked calls. */
#include "fixture.h"

#include <poll.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/log.h"
#include "http/share.h"

enum { WAITING_MAX = 4096 };

/* Calls that are parked, with the time at which to wake them. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
	struct call *call;
	int64_t at_us;
} waiting[WAITING_MAX];
static unsigned waiting_count;
static bool ended;
static pthread_t waker;

void fixture_sleep_ms(int ms)
{
	(void) poll(NULL, 0, ms);
}

static void wait_for_waker(struct call *c, int64_t at_us)
{
	(void) pthread_mutex_lock(&lock);
	if (waiting_count == WAITING_MAX)
		abort();
	waiting[waiting_count].call = c;
	waiting[waiting_count++].at_us = at_us;
	(void) pthread_mutex_unlock(&lock);
}

/* Takes one that is due, or NULL. */
static struct call *take_due(int64_t now_us)
{
	struct call *c = NULL;
	(void) pthread_mutex_lock(&lock);
	for (unsigned k = 0; k < waiting_count && !c; k++)
		if (waiting[k].at_us <= now_us) {
			c = waiting[k].call;
			waiting[k] = waiting[--waiting_count];
		}
	(void) pthread_mutex_unlock(&lock);
	return c;
}

static void *waker_run(void *arg)
{
	(void) arg;
	for (;;) {
		struct call *c = NULL;
		while ((c = take_due(clock_monotonic_us())))
			call_wake(c);
		(void) pthread_mutex_lock(&lock);
		bool stop = ended;
		(void) pthread_mutex_unlock(&lock);
		if (stop)
			return NULL;
		fixture_sleep_ms(1);
	}
}

unsigned fixture_held_count(void)
{
	(void) pthread_mutex_lock(&lock);
	unsigned count = waiting_count;
	(void) pthread_mutex_unlock(&lock);
	return count;
}

void fixture_release(void)
{
	struct call *c = NULL;
	while ((c = take_due(INT64_MAX)))
		call_wake(c);
}

/* ---- the face ---- */

static void answer_echo(struct call *c)
{
	struct buf b;
	buf_init(&b, BUF_ANSWER_CAP);
	buf_print(&b, "%.*s\n%.*s\n%.*s\n%zu\n%s\n%.*s\n", STR_ARG(c->method_name), STR_ARG(c->path),
		  STR_ARG(c->query), c->body.n, c->tag ? (const char *) c->tag : "-",
		  STR_ARG(call_header(c, "x-test")));
	call_set_answer_header(c, "X-Fine", STR("yes"));
	call_set_answer_header(c, "X-Bad", STR("a\r\nX-Split: 1"));
	call_set_answer_header(c, "X Bad", STR("name"));
	call_answer(c, 200, "text/plain", &b);
}

static void answer_big(struct call *c)
{
	struct buf b;
	int64_t size = 0;
	buf_init(&b, BUF_ANSWER_CAP);
	if (result_is_ok(str_parse_int(c->query, &size)) && size > 0 && buf_reserve(&b, (size_t) size)) {
		memset(b.p, 'x', (size_t) size);
		b.size = (size_t) size;
	}
	call_answer(c, 200, "text/plain", &b);
}

/* ---- an answer that is written as it is sent ---- */

static _Atomic unsigned reads_ended;

unsigned fixture_reads_ended(void)
{
	return reads_ended;
}

static ssize_t read_letters(void *arg, uint64_t at, char *to, size_t room)
{
	(void) arg;
	size_t size = room > 1000 ? room - 7 : room;
	for (size_t k = 0; k < size; k++)
		to[k] = fixture_letter(at + k);
	return (ssize_t) size;
}

static void note_read(void *arg)
{
	(void) arg;
	reads_ended++;
}

static void answer_read(struct call *c)
{
	int64_t size = 0;
	assert_ok(str_parse_int(c->query, &size));
	call_answer_read(c, 200, "text/plain", (uint64_t) size, read_letters, note_read, NULL);
}

static void resume_second(struct call *c)
{
	answer_echo(c);
}

static void resume_again(struct call *c)
{
	wait_for_waker(c, clock_monotonic_us());
	call_park(c, resume_second);
}

static void park(struct call *c, void (*resume)(struct call *), int64_t at_us)
{
	wait_for_waker(c, at_us);
	call_park(c, resume);
}

/* ---- a body that is counted as it comes ---- */

static _Atomic unsigned sinks_ended;

unsigned fixture_sinks_ended(void)
{
	return sinks_ended;
}

static RESULT count_piece(struct call_sink *sink, struct call *c, struct str piece)
{
	(void) sink;
	return memchr(piece.p, '!', piece.n) ? ctx_fail(&c->ctx, ERR_INVALID, "no such bytes") : OK;
}

static void go_on(struct call *c)
{
	(void) c;
}

/* Each piece is followed by a pause. */
static RESULT pause_after_piece(struct call_sink *sink, struct call *c, struct str piece)
{
	park(c, go_on, clock_monotonic_us());
	return count_piece(sink, c, piece);
}

static void note_end(struct call_sink *sink)
{
	(void) sink;
	sinks_ended++;
}

static void toil(struct call *c)
{
	int64_t ms = 0, from_ns = clock_thread_ns();
	IGNORE(str_parse_int(c->query, &ms));
	c->action = "toil";
	while (clock_thread_ns() - from_ns < ms * 1000 * 1000)
		continue;
	answer_echo(c);
}

static void fixture_begin(void *self, struct call *c)
{
	(void) self;
	if (str_is(c->path, "/refused"))
		answer_echo(c);
	if (str_is(c->path, "/refused-late"))
		park(c, answer_echo, clock_monotonic_us());
	bool pauses = str_is(c->path, "/paused-sink");
	if (!str_is(c->path, "/sink") && !pauses)
		return;
	struct call_sink *sink = arena_new_object(c->ctx.arena, struct call_sink);
	*sink = (struct call_sink){.cap_size = FIXTURE_SINK_CAP,
				   .take = pauses ? pause_after_piece : count_piece,
				   .end = note_end};
	if (pauses)
		park(c, go_on, clock_monotonic_us());
	c->face_data = sink;
	call_set_sink(c, sink);
}

static void answer_sink(struct call *c)
{
	const struct call_sink *sink = c->face_data;
	struct buf b;
	buf_init(&b, 1000);
	buf_print(&b, "%lld bytes, %zu held, %s", (long long) sink->size, c->body.n,
		  err_name(sink->result.code));
	call_answer(c, 200, "text/plain", &b);
}

static void answer_file(struct call *c)
{
	static const char bytes[] = "these are the bytes of a file, and some that are not sent";
	int fd = memfd_create("file", MFD_CLOEXEC);
	assert_int_equal(write(fd, bytes, sizeof bytes), sizeof bytes);
	call_answer_file(c, 200, "application/octet-stream", fd, 29);
}

/* Counts the connection for the caller in the query; in capitals for an administrator. */
static bool take_share(struct call *c)
{
	uuid who = {{[15] = (uint8_t) c->query.p[0]}};
	return call_take_share(c, who, c->query.p[0] < 'a');
}

static void fixture_reject(void *self, struct call *c, int status, enum err why);

static void fixture_handle(void *self, struct call *c)
{
	int64_t ms = 0;
	(void) self;
	c->action = "Test";
	IGNORE(str_parse_int(c->query, &ms)); /* absent: at once */
	if (str_is(c->path, "/of") && !take_share(c))
		fixture_reject(self, c, 503, ERR_THROTTLED);
	else if (str_is(c->path, "/big"))
		answer_big(c);
	else if (str_is(c->path, "/read"))
		answer_read(c);
	else if (str_is(c->path, "/sink") || str_is(c->path, "/paused-sink"))
		answer_sink(c);
	else if (str_is(c->path, "/file"))
		answer_file(c);
	else if (str_is(c->path, "/park"))
		park(c, answer_echo, clock_monotonic_us() + ms * MILLISECOND);
	else if (str_is(c->path, "/again"))
		park(c, resume_again, clock_monotonic_us());
	else if (str_is(c->path, "/hold"))
		park(c, answer_echo, INT64_MAX);
	else if (str_is(c->path, "/toil"))
		toil(c);
	else if (str_is(c->path, "/toil-late")) {
		call_wake(c);
		call_park(c, toil);
	} else if (str_is(c->path, "/early")) {
		call_wake(c);
		call_park(c, answer_echo);
	} else
		answer_echo(c);
}

static void fixture_reject(void *self, struct call *c, int status, enum err why)
{
	struct buf b;
	(void) self;
	buf_init(&b, 1000);
	buf_print(&b, "refused: %s", err_name(why));
	call_answer(c, status, "text/plain", &b);
}

const struct http_face fixture_face = {"test", fixture_handle, fixture_reject, FIXTURE_BODY_CAP,
				       fixture_begin};

struct http_listener *fixture_listen(struct fixture *f, const struct http_face *face, void *tag)
{
	struct http_listener *l = NULL;
	struct http_where where = {.ip = ip_from_v4(0x7F000001), .tag = tag};
	assert_ok(http_listen(f->server, f->ctx, face, f, &where, &l));
	return l;
}

void fixture_start(struct fixture *f, const struct http_config *config)
{
	static const struct http_config usual = {.thread_count = 2, .request_timeout_us = 10 * SECOND};
	*f = (struct fixture){.arena = arena_new(4096, 256 * 1024 * 1024)};
	f->ctx = arena_new_object(f->arena, struct ctx);
	ctx_init(f->ctx, f->arena);
	log_set_level(LOG_ERROR);
	assert_ok(http_server_new(f->ctx, config ? config : &usual, &f->server));
	f->listener = fixture_listen(f, &fixture_face, NULL);
	f->port = http_listener_port(f->listener);
	assert_true(f->port > 0);
	ended = false;
	assert_int_equal(pthread_create(&waker, NULL, waker_run, NULL), 0);
}

void fixture_end(struct fixture *f)
{
	http_server_free(f->server);
	(void) pthread_mutex_lock(&lock);
	ended = true;
	(void) pthread_mutex_unlock(&lock);
	(void) pthread_join(waker, NULL);
	fixture_release();
	arena_free(f->arena);
}

struct http_figures fixture_figures(const struct fixture *f)
{
	struct http_figures figures = {0};
	http_read_figures(f->server, &figures);
	return figures;
}
