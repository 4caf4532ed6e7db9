/* SPDX-License-Identifier: Apache-2.0
 * Endless answers: pieces from any thread arrive complete and in order, with HTTP/1.1 and 1.0. The owner
 * learns of the outcome, and an idle connection uses little memory. */
#include "fixture.h"

#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/stream.h"

enum { CAP = 100 * 1000, LONG = 20 * 1000, POOL_SIZE = 48 * 1024, POOL_PAGES_MAX = 4 };

static struct http_stream *_Atomic stream; /* the last request's stream */
static _Atomic unsigned drained_count, gone_count;
static _Atomic uintptr_t request_at; /* in libmicrohttpd's memory */

static void drained(void *arg)
{
	(void) arg;
	drained_count++;
}

static void gone(void *arg)
{
	(void) arg;
	gone_count++;
}

static void handle(void *self, struct call *call)
{
	static const struct http_stream_owner owner = {drained, gone, NULL};
	(void) self;
	request_at = (uintptr_t) call_header(call, "Host").p;
	stream = call_answer_stream(call, "text/event-stream", CAP, &owner);
}

static const struct http_face face = {.name = "stream", .handle = handle, .body_cap_size = 1000};

static void begin(struct fixture *f, struct client *c, const char *version)
{
	stream = NULL;
	drained_count = gone_count = 0;
	fixture_start(f, NULL);
	client_open(c, f->arena, http_listener_port(fixture_listen(f, &face, NULL)));
	assert_true(client_send(
		c, str_print(f->arena, "GET / HTTP/%s\r\nHost: a\r\nConnection: close\r\n\r\n", version)));
	WAIT_UNTIL(stream != NULL);
}

static void end(struct fixture *f, struct client *c)
{
	http_stream_free(stream);
	client_close(c);
	fixture_end(f);
}

static struct str letters(struct arena *a, size_t n)
{
	char *text = arena_alloc(a, n);
	for (size_t k = 0; k < n; k++)
		text[k] = fixture_letter(k);
	return (struct str){text, n};
}

/* All that comes until the end of the connection, without the head and the marks of chunks. */
static struct str hear(struct client *c)
{
	char *heard = arena_alloc(c->arena, (size_t) 2 * CAP);
	size_t size = 0, head = 0, to = 0;
	for (ssize_t n = 1; n > 0; size += (size_t) n) {
		n = recv(c->fd, heard + size, (size_t) 2 * CAP - size, 0);
		assert_true(n >= 0);
	}
	while (head < size && memcmp(heard + head, "\r\n\r\n", 4) != 0)
		head++;
	struct str text = str_slice((struct str){heard, size}, head + 4, size);
	if (!str_contains((struct str){heard, head}, STR("chunked")))
		return text;
	char *all = arena_alloc(c->arena, size);
	for (size_t at = 0, n = 1; n > 0; at += n + 2, to += n) {
		n = strtoul(text.p + at, NULL, 16);
		at += str_find_char(str_slice(text, at, text.n), '\n', 0) + 1;
		assert_true(at + n + 2 <= text.n);
		memcpy(all + to, text.p + at, n);
	}
	return (struct str){all, to};
}

static void test_pieces(void **state)
{
	(void) state;
	static struct fixture f;
	struct client c;
	begin(&f, &c, "1.1");
	struct str text = letters(f.arena, LONG);
	assert_true(http_stream_write(stream, str_slice(text, 0, 5)));
	WAIT_UNTIL(drained_count == 1);
	assert_true(http_stream_write(stream, str_slice(text, 5, LONG)));
	WAIT_UNTIL(drained_count == 2);
	assert_int_equal(http_stream_unsent(stream), 0);
	assert_false(http_stream_write(stream, letters(f.arena, CAP + 1)));
	http_stream_end(stream);
	assert_true(str_equal(hear(&c), text));
	WAIT_UNTIL(gone_count == 1);
	assert_false(http_stream_write(stream, STR("late")));
	end(&f, &c);
}

/* HTTP/1.0 has no chunks: the answer ends with the connection. */
static void test_old_client(void **state)
{
	(void) state;
	static struct fixture f;
	struct client c;
	begin(&f, &c, "1.0");
	struct str text = letters(f.arena, LONG);
	assert_true(http_stream_write(stream, text));
	http_stream_end(stream);
	assert_true(str_equal(hear(&c), text));
	end(&f, &c);
}

/* Resident pages of the connection's memory, for which libmicrohttpd has a separate mapping. */
static unsigned resident_pages(void)
{
	enum { PAGES = POOL_SIZE / 4096 };
	unsigned char pages[PAGES] = {0};
	size_t page = (size_t) sysconf(_SC_PAGESIZE);
	unsigned count = 0;
	assert_int_equal(mincore((void *) (request_at / page * page), POOL_SIZE, pages), 0);
	for (size_t k = 0; k < POOL_SIZE / page; k++)
		count += pages[k] & 1;
	return count;
}

static void test_memory(void **state)
{
	(void) state;
	static struct fixture f;
	struct client c;
	begin(&f, &c, "1.1");
	WAIT_UNTIL(resident_pages() <= POOL_PAGES_MAX);
	struct str text = letters(f.arena, LONG);
	assert_true(http_stream_write(stream, text));
	WAIT_UNTIL(drained_count == 1);
	assert_true(resident_pages() <= POOL_PAGES_MAX);
	http_stream_end(stream);
	assert_true(str_equal(hear(&c), text));
	end(&f, &c);
}

/* A client's disconnection is noticed at the next write. */
static void test_client_goes(void **state)
{
	(void) state;
	static struct fixture f;
	struct client c;
	begin(&f, &c, "1.1");
	(void) shutdown(c.fd, SHUT_RDWR);
	WAIT_UNTIL(!http_stream_write(stream, STR("who is there?")));
	assert_int_equal(gone_count, 1);
	end(&f, &c);
}

static void test_cut(void **state)
{
	(void) state;
	static struct fixture f;
	struct client c;
	begin(&f, &c, "1.1");
	http_stream_cut(stream);
	WAIT_UNTIL(gone_count == 1);
	assert_true(client_is_closed(&c));
	end(&f, &c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pieces), cmocka_unit_test(test_old_client),
		cmocka_unit_test(test_memory), cmocka_unit_test(test_client_goes),
		cmocka_unit_test(test_cut),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
