/* SPDX-License-Identifier: Apache-2.0
 * The HTTP server: requests and answers, keep-alive, pipelining, odd input, listeners. */
#include "fixture.h"

#include <netinet/in.h>
#include <stdatomic.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#define GET(path) STR("GET " path " HTTP/1.1\r\nHost: a\r\n\r\n")

static int setup(void **state)
{
	static struct fixture f;
	fixture_start(&f, NULL);
	*state = &f;
	return 0;
}

/* Short time-outs, for requests that may never be complete. */
static int setup_quick(void **state)
{
	static struct fixture f;
	const struct http_config config = {
		.thread_count = 2, .request_timeout_us = 300 * MILLISECOND, .idle_timeout_us = SECOND};
	fixture_start(&f, &config);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	fixture_end(*state);
	return 0;
}

static void test_keep_alive(void **state)
{
	struct fixture *f = *state;
	struct client c;
	client_open(&c, f->arena, f->port);
	for (int k = 0; k < 3; k++) {
		assert_true(client_send(&c, STR("POST /echo%41?b=%2f&a HTTP/1.1\r\nHost: a\r\nX-Test: "
						"v\r\nContent-Length: 4\r\n\r\nbody")));
		struct reply r = client_read(&c);
		assert_int_equal(r.status, 200);
		assert_str(r.body, "POST\n/echo%41\nb=%2f&a\n4\n-\nv\n");
		assert_int_equal(reply_header(&r, "x-amzn-RequestId").n, 36);
		assert_true(str_ends_with(reply_header(&r, "Date"), STR(" GMT")));
		assert_str(reply_header(&r, "X-Fine"), "yes");
		assert_str(reply_header(&r, "X-Bad"), "");
		assert_str(reply_header(&r, "X-Split"), "");
		assert_str(reply_header(&r, "Server"), "");
		assert_str(reply_header(&r, "Content-Type"), "text/plain");
	}
	client_close(&c);
	struct http_figures figures = fixture_figures(f);
	assert_int_equal(figures.requests, 3);
	assert_int_equal(figures.by_status[2], 3);
	assert_int_equal(figures.rejected, 0);
	WAIT_UNTIL(fixture_figures(f).connections == 0);
}

static void test_pipelining(void **state)
{
	struct fixture *f = *state;
	struct client c;
	client_open(&c, f->arena, f->port);
	assert_true(client_send(&c, STR("GET /1 HTTP/1.1\r\nHost: a\r\n\r\n"
					"GET /park?5 HTTP/1.1\r\nHost: a\r\n\r\n"
					"POST /3 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
					"GET /early HTTP/1.1\r\nHost: a\r\n\r\n"
					"GET /5 HTTP/1.0\r\n\r\n")));
	static const char *const bodies[] = {"GET\n/1\n\n0\n-\n\n", "GET\n/park\n5\n0\n-\n\n",
					     "POST\n/3\n\n3\n-\n\n", "GET\n/early\n\n0\n-\n\n",
					     "GET\n/5\n\n0\n-\n\n"};
	for (size_t k = 0; k < 5; k++) {
		struct reply r = client_read(&c);
		assert_int_equal(r.status, 200);
		assert_str(r.body, bodies[k]);
	}
	assert_true(client_is_closed(&c)); /* HTTP/1.0 */
	client_close(&c);
}

static void test_head(void **state)
{
	struct fixture *f = *state;
	struct client c;
	client_open(&c, f->arena, f->port);
	for (int k = 0; k < 2; k++) {
		assert_true(client_send(&c, STR("HEAD /big?1000 HTTP/1.1\r\nHost: a\r\n\r\n")));
		struct reply r = client_read_headless(&c);
		assert_int_equal(r.status, 200);
		assert_str(reply_header(&r, "Content-Length"), "1000");
	}
	assert_true(client_send(&c, GET("/big?7")));
	struct reply r = client_read(&c);
	assert_str(r.body, "xxxxxxx");
	client_close(&c);
}

static void test_chunked_body(void **state)
{
	struct fixture *f = *state;
	struct reply r = client_ask(f->arena, f->port,
				    STR("PUT /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
					"5\r\nhello\r\n6;ext=1\r\n world\r\n0\r\nTrailer: x\r\n\r\n"));
	assert_str(r.body, "PUT\n/c\n\n11\n-\n\n");
}

static void test_body_in_pieces(void **state)
{
	struct fixture *f = *state;
	struct client c;
	client_open(&c, f->arena, f->port);
	struct str request = STR("POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nsix by");
	for (size_t k = 0; k < request.n; k++) {
		assert_true(client_send(&c, str_slice(request, k, k + 1)));
		if (k % 8 == 0)
			fixture_sleep_ms(1);
	}
	assert_str(client_read(&c).body, "POST\n/p\n\n6\n-\n\n");
	client_close(&c);
}

static bool is_of_letters(struct str body)
{
	size_t k = 0;
	while (k < body.n && body.p[k] == fixture_letter(k))
		k++;
	return k == body.n;
}

/* Answers that are generated while they are sent: complete, failing, and to a client that disconnects
 * early. */
static void test_answer_that_is_read(void **state)
{
	struct fixture *f = *state;
	struct client c;
	unsigned before = fixture_reads_ended();
	client_open(&c, f->arena, f->port);
	static const size_t sizes[] = {1, 64 * 1024, 3000000};
	for (size_t k = 0; k < 3; k++) {
		assert_true(client_send(
			&c, str_print(f->arena, "GET /read?%zu HTTP/1.1\r\nHost: a\r\n\r\n", sizes[k])));
		struct reply r = client_read(&c);
		assert_int_equal(r.status, 200);
		assert_int_equal(r.body.n, sizes[k]);
		assert_true(is_of_letters(r.body));
	}
	assert_true(client_send(&c, STR("HEAD /read?5000 HTTP/1.1\r\nHost: a\r\n\r\n")));
	struct reply head = client_read_headless(&c);
	assert_str(reply_header(&head, "Content-Length"), "5000");
	WAIT_UNTIL(fixture_reads_ended() == before + 4);
	assert_true(client_send(&c, STR("GET /read?60000000 HTTP/1.1\r\nHost: a\r\n\r\n")));
	client_close(&c);
	WAIT_UNTIL(fixture_reads_ended() == before + 5);
}

static void test_expect_continue(void **state)
{
	struct fixture *f = *state;
	struct client c;
	client_open(&c, f->arena, f->port);
	assert_true(client_send(
		&c, STR("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")));
	struct reply r = client_read(&c);
	assert_int_equal(r.status, 100);
	assert_true(client_send(&c, STR("ab")));
	assert_str(client_read(&c).body, "POST\n/\n\n2\n-\n\n");
	client_close(&c);
	r = client_ask(
		f->arena, f->port,
		STR("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 100001\r\n\r\n"));
	assert_int_equal(r.status, 413); /* and no 100 before it */
	assert_str(r.body, "refused: TOO_LARGE");
}

struct odd {
	struct str request;
	int status;
	const char *body; /* NULL: any */
};

static void test_odd_requests(void **state)
{
	struct fixture *f = *state;
	const struct odd odds[] = {
		{STR("GET http://b:80/abs?q HTTP/1.1\r\nHost: a\r\n\r\n"), 200, "GET\n/abs\nq\n0\n-\n\n"},
		{STR("GET HTTPS://b HTTP/1.1\r\nHost: a\r\n\r\n"), 200, "GET\n/\n\n0\n-\n\n"},
		{STR("GET http://b?q=1 HTTP/1.1\r\nHost: a\r\n\r\n"), 200, "GET\n/\nq=1\n0\n-\n\n"},
		{STR("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"), 400, "refused: INVALID"},
		{STR("GET path HTTP/1.1\r\nHost: a\r\n\r\n"), 400, "refused: INVALID"},
		{STR("GET ?a HTTP/1.1\r\nHost: a\r\n\r\n"), 400, "refused: INVALID"},
		{STR("CONNECT b:443 HTTP/1.1\r\nHost: a\r\n\r\n"), 400, "refused: INVALID"},
		{STR("GET /\xff\xfe%zz?\xc3( HTTP/1.1\r\nHost: a\r\n\r\n"), 200,
		 "GET\n/\xff\xfe%zz\n\xc3(\n0\n-\n\n"},
		{STR("GET /d HTTP/1.1\r\nHost: a\r\nX-Test: one\r\nX-Test: two\r\n\r\n"), 200,
		 "GET\n/d\n\n0\n-\none\n"},
		{STR("GET /d HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"), 400, NULL},
		{STR("GET /d HTTP/1.1\r\n\r\n"), 400, NULL},
		{STR("POST /d HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx"), 400,
		 NULL},
		{STR("POST /d HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n"
		     "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
		 400, NULL},
		{STR("POST /d HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n"), 400, NULL},
		{STR("POST /d HTTP/1.1\r\nHost: a\r\nContent-Length: 1x\r\n\r\n"), 400, NULL},
		{STR("POST /d HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n"), 413,
		 NULL},
		{STR("POST /d HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"), 400, NULL},
		{STR("PROPFIND /d HTTP/1.1\r\nHost: a\r\n\r\n"), 200, "PROPFIND\n/d\n\n0\n-\n\n"},
		{STR("\r\n\r\n\r\nGET /d HTTP/1.1\r\nHost: a\r\n\r\n"), 200, NULL},
		{STR("GET / HTTP/9.9\r\nHost: a\r\n\r\n"), -1, NULL},
		/* RFC 9110, 2.5: a higher minor version SHOULD be processed as HTTP/1.1, as nginx does */
		{STR("GET /d HTTP/1.9\r\nHost: a\r\n\r\n"), 200, "GET\n/d\n\n0\n-\n\n"},
		{STR("GET /d HTTP/1.9\r\n\r\n"), 400, NULL},
		{STR("GET /d HTTP/1.9\r\nHost: a\r\nHost: b\r\n\r\n"), 400, NULL},
		{STR("POST /d HTTP/1.9\r\nHost: a\r\nContent-Length: 1\r\n"
		     "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
		 400, NULL},
		{STR("GET /d HTTP/2.0\r\nHost: a\r\n\r\n"), 505, NULL},
		{STR("GET /d HTTP/0.9\r\nHost: a\r\n\r\n"), 505, NULL},
		{STR("GET /d HTTP/1.10\r\nHost: a\r\n\r\n"), 400, NULL},
		{STR("GET /d HTTP/1.x\r\nHost: a\r\n\r\n"), 400, NULL},
		{STR("GET /d http/1.1\r\nHost: a\r\n\r\n"), 400, NULL},
		{STR("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 TLS?\r\n\r\n\r\n"), -1, NULL},
		{STR("no-header-colon\r\nGET\r\n\r\n"), -1, NULL},
	};
	for (size_t k = 0; k < sizeof odds / sizeof odds[0]; k++) {
		struct client c;
		client_open(&c, f->arena, f->port);
		assert_true(client_send(&c, odds[k].request));
		struct reply r = client_read(&c);
		if (odds[k].status >= 0 && r.status != odds[k].status)
			print_error("request %zu: %d\n", k, r.status);
		if (odds[k].status >= 0)
			assert_int_equal(r.status, odds[k].status);
		if (odds[k].body)
			assert_str(r.body, odds[k].body);
		client_close(&c);
	}
	assert_int_equal(client_ask(f->arena, f->port, GET("/")).status, 200);
	WAIT_UNTIL(fixture_figures(f).connections == 0);
}

/* Heads that a proxy may read differently (RFC 9112, sections 2.2, 5.1, 5.2 and 6.1). The connection is
 * closed, so that no bytes behind the head are read as a request. */
static void test_heads_that_smuggle(void **state)
{
	struct fixture *f = *state;
#define HEAD(lines)                                                                                          \
	{                                                                                                    \
		"POST /a HTTP/1.1\r\nHost: a\r\n" lines "\r\n",                                              \
			sizeof "POST /a HTTP/1.1\r\nHost: a\r\n" lines "\r\n" - 1                            \
	}
	static const struct str heads[] = {
		HEAD("Transfer-Encoding : chunked\r\nContent-Length: 3\r\n"),
		HEAD("Transfer-Encoding\t: chunked\r\nContent-Length: 3\r\n"),
		HEAD("X-Test: b\r\n c\r\nContent-Length: 3\r\n"),
		HEAD("Transfer-Encoding:\r\n chunked\r\nContent-Length: 3\r\n"),
		HEAD("Transfer-Encoding:\r\n\tchunked\r\nContent-Length: 3\r\n"),
		HEAD("X-Test: a\0b\r\nContent-Length: 3\r\n"),
		HEAD("Content-Length: 3\r\nX-Test: a\0\r\n"),
		HEAD("X-Test\0: a\r\nContent-Length: 3\r\n"),
		HEAD("X-Test: b\rTransfer-Encoding: chunked\r\nContent-Length: 3\r\n"),
		HEAD("X-Test: b\nTransfer-Encoding: chunked\r\n"),
		HEAD("X-Test: a\x01\r\nContent-Length: 3\r\n"),
		HEAD("X Test: a\r\nContent-Length: 3\r\n"),
		HEAD("X-T\xc3\xa4st: a\r\nContent-Length: 3\r\n"),
		HEAD(": a\r\nContent-Length: 3\r\n"),
		HEAD("X-Test\r\nContent-Length: 3\r\n"),
		HEAD("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n"),
		HEAD("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
		HEAD("Transfer-Encoding: gzip, chunked\r\n"),
		HEAD("Transfer-Encoding: identity\r\nContent-Length: 3\r\n"),
		HEAD("Transfer-Encoding: \0chunked\r\n"),
		HEAD("Content-Length: 3\r\nContent-Length: 3\r\n"),
		STR("POST /a HTTP/1.1\r\n X-Test: b\r\nHost: a\r\nContent-Length: 3\r\n\r\n"),
		STR("POST /a HTTP/1.1\nHost: a\nContent-Length: 3\n\n"),
		STR("POST /a HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"),
		{"POST /a\0b HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n",
		 sizeof "POST /a\0b HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n" - 1},
	};
#undef HEAD
	for (size_t k = 0; k < sizeof heads / sizeof heads[0]; k++) {
		struct client c;
		client_open(&c, f->arena, f->port);
		assert_true(client_send(&c, heads[k]));
		assert_true(client_send(&c, STR("3\r\nabc\r\n0\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\n")));
		struct reply r = client_read(&c);
		if (r.status != 400)
			print_error("head %zu: %d\n", k, r.status);
		assert_int_equal(r.status, 400);
		assert_int_equal(client_read(&c).status, 0);
		client_close(&c);
	}
}

/* libmicrohttpd reads chunks more leniently than RFC 9112, 7.1: whatever ends them, no bytes behind a chunked body
 * are read as a request. */
static void test_chunks_that_smuggle(void **state)
{
	struct fixture *f = *state;
	static const char *const bodies[] = {"3\r\nabc\r\n0\r\n\r\n", "3\nabc\r\n0\r\n\r\n",
					     "3;x\nabc\r\n0\r\n\r\n", "3;x\ry\r\nabc\r\n0\r\n\r\n",
					     "3\r\nabc\n0\n\n",       "3\r\nabc\r\n0\r\nX: y\n\n",
					     "3\r\nabc\r\n0;x\n\r\n"};
	for (size_t k = 0; k < sizeof bodies / sizeof bodies[0]; k++) {
		struct client c;
		client_open(&c, f->arena, f->port);
		assert_true(client_send(
			&c, str_print(f->arena,
				      "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n%s"
				      "GET /b HTTP/1.1\r\nHost: a\r\n\r\n",
				      bodies[k])));
		assert_int_not_equal(client_read(&c).status, 0);
		assert_int_equal(client_read(&c).status, 0);
		client_close(&c);
	}
}

/* RFC 9110, 5.5: blanks and tabs around a value are no part of it. */
static void test_blanks_around_values(void **state)
{
	struct fixture *f = *state;
	static const char *const values[] = {"T", " T", "\tT", "  \t T", "T ", "T\t", " T \t "};
	for (size_t k = 0; k < sizeof values / sizeof values[0]; k++) {
		struct reply r = client_ask(
			f->arena, f->port,
			str_print(f->arena, "GET /e HTTP/1.1\r\nHost:a \r\nX-Test:%s\r\nX-Last:\r\n\r\n",
				  values[k]));
		assert_int_equal(r.status, 200);
		assert_str(r.body, "GET\n/e\n\n0\n-\nT\n");
	}
	assert_str(client_ask(f->arena, f->port, STR("GET /e HTTP/1.1\r\nHost: a\r\nX-Test: a \tb\r\n\r\n"))
			   .body,
		   "GET\n/e\n\n0\n-\na \tb\n");
	assert_str(
		client_ask(f->arena, f->port, STR("GET /e HTTP/1.1\r\nHost: a\r\nX-Test:  \t\r\n\r\n")).body,
		"GET\n/e\n\n0\n-\n\n");
	/* libmicrohttpd 0.9.75 compares with the blank: refused, but never read to the connection's end */
	struct reply r = client_ask(f->arena, f->port,
				    STR("POST /e HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked "
					"\r\n\r\n3\r\nabc\r\n0\r\n\r\n"));
	assert_true(r.status == 400 || (r.status == 200 && str_equal(r.body, STR("POST\n/e\n\n3\n-\n\n"))));
}

static void test_many_headers(void **state)
{
	struct fixture *f = *state;
	struct buf b;
	for (int count = 10; count <= 100000; count *= 10) {
		buf_init(&b, BUF_ANSWER_CAP);
		buf_print(&b, "GET /h HTTP/1.1\r\nHost: a\r\n");
		for (int k = 0; k < count; k++)
			buf_print(&b, "a%d:\r\n", k);
		buf_print(&b, "\r\n");
		struct reply r = client_ask(f->arena, f->port, buf_str(&b));
		if (count <= 100)
			assert_int_equal(r.status, 200);
		else
			assert_true(r.status == 431 || r.status == 0 || count == 1000);
		buf_done(&b);
	}
	assert_int_equal(client_ask(f->arena, f->port, GET("/")).status, 200);
}

/* A client that disappears at every byte of its request leaves nothing behind. */
static void test_torn_requests(void **state)
{
	struct fixture *f = *state;
	struct str request = STR("POST /park?2 HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody");
	for (size_t k = 0; k <= request.n; k++) {
		struct client c;
		client_open(&c, f->arena, f->port);
		assert_true(client_send(&c, str_slice(request, 0, k)));
		client_close(&c);
	}
	WAIT_UNTIL(fixture_figures(f).connections == 0);
	assert_int_equal(fixture_figures(f).parked, 0);
}

static void test_listeners(void **state)
{
	struct fixture *f = *state;
	struct http_listener *vpc1 = fixture_listen(f, &fixture_face, (void *) "vpc1");
	struct http_listener *vpc2 = fixture_listen(f, &fixture_face, (void *) "vpc2");
	for (int k = 0; k < 20; k++) {
		assert_str(client_ask(f->arena, http_listener_port(vpc1), GET("/")).body,
			   "GET\n/\n\n0\nvpc1\n\n");
		assert_str(client_ask(f->arena, http_listener_port(vpc2), GET("/")).body,
			   "GET\n/\n\n0\nvpc2\n\n");
		assert_str(client_ask(f->arena, f->port, GET("/")).body, "GET\n/\n\n0\n-\n\n");
	}
	struct client idle;
	uint16_t port = http_listener_port(vpc1);
	client_open(&idle, f->arena, port);
	WAIT_UNTIL(fixture_figures(f).connections == 1);
	http_unlisten(f->server, vpc1);
	assert_true(client_is_closed(&idle));
	client_close(&idle);
	client_open(&idle, f->arena, port);
	assert_int_equal(idle.fd, -1);
	assert_int_equal(client_ask(f->arena, http_listener_port(vpc2), GET("/")).status, 200);
}

static void test_adopted_sockets(void **state)
{
	struct fixture *f = *state;
	struct sockaddr_in in = {.sin_family = AF_INET};
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	int fd = socket(AF_INET, SOCK_STREAM,
			0); /* it blocks, as systemd's do: it must not hold up the others */
	assert_int_equal(bind(fd, (const struct sockaddr *) &in, sizeof in), 0);
	assert_int_equal(listen(fd, 10), 0);
	struct http_where where = {.fd = fd, .tag = (void *) "adopted"};
	struct http_listener *l = NULL;
	assert_ok(http_listen(f->server, f->ctx, &fixture_face, NULL, &where, &l));
	assert_str(client_ask(f->arena, http_listener_port(l), GET("/")).body, "GET\n/\n\n0\nadopted\n\n");

	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int name_size = snprintf(un.sun_path + 1, sizeof un.sun_path - 1, "dari-test-%d", (int) getpid());
	socklen_t size = (socklen_t) (offsetof(struct sockaddr_un, sun_path) + 1) + (socklen_t) name_size;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(fd, (const struct sockaddr *) &un, size), 0);
	assert_int_equal(listen(fd, 10), 0);
	where = (struct http_where){.fd = fd, .tag = (void *) "unix"};
	assert_ok(http_listen(f->server, f->ctx, &fixture_face, NULL, &where, &l));
	assert_int_equal(http_listener_port(l), 0);
	struct client c = {.fd = socket(AF_UNIX, SOCK_STREAM, 0), .arena = f->arena};
	assert_int_equal(connect(c.fd, (const struct sockaddr *) &un, size), 0);
	for (int k = 0; k < 3; k++) {
		assert_true(client_send(&c, GET("/park")));
		assert_str(client_read(&c).body, "GET\n/park\n\n0\nunix\n\n");
	}
	client_close(&c);

	struct http_listener *none = NULL;
	where = (struct http_where){.ip = ip_from_v4(0x7F000001), .port = f->port};
	assert_err(http_listen(f->server, f->ctx, &fixture_face, NULL, &where, &none), IN_USE);
	where = (struct http_where){.port = f->port};
	assert_err(http_listen(f->server, f->ctx, &fixture_face, NULL, &where, &none), INVALID);
}

static struct cost read_cost(const struct fixture *f, bool only_long, const char *action)
{
	struct cost costs[8];
	size_t count = http_read_costs(f->server, only_long, costs, 8);
	for (size_t k = 0; k < count; k++)
		if (strcmp(costs[k].action, action) == 0)
			return costs[k];
	return (struct cost){0};
}

/* CPU time in handle() and resume() is counted; waiting time is not. */
static void test_costs(void **state)
{
	struct fixture *f = *state;
	struct client c;
	client_open(&c, f->arena, f->port);
	assert_true(client_send(&c, GET("/park?200")));
	assert_int_equal(client_read(&c).status, 200);
	struct cost cost = read_cost(f, false, "Test");
	assert_int_equal(cost.runs, 2);
	assert_true(cost.longest_ns > 0 && cost.longest_ns < 100 * 1000 * 1000);
	assert_true(client_send(&c, GET("/toil?5")));
	assert_int_equal(client_read(&c).status, 200);
	cost = read_cost(f, true, "toil");
	assert_string_equal(cost.face, fixture_face.name);
	assert_int_equal(cost.runs, 1);
	assert_int_equal(cost.long_runs, 1);
	assert_in_range(cost.longest_ns, 5 * 1000 * 1000, INT64_MAX);
	assert_true(client_send(&c, GET("/toil-late?50")));
	assert_int_equal(client_read(&c).status, 200);
	cost = read_cost(f, true, "toil");
	assert_int_equal(cost.long_runs, 2);
	assert_in_range(cost.longest_ns, 50 * 1000 * 1000, INT64_MAX);
	client_close(&c);
}

static atomic_int files_sent;

/* libmicrohttpd's calls lead here, because the program's own symbols come before those of libraries. */
ssize_t sendfile64(int to, int from, off64_t *at, size_t size)
{
	files_sent++;
	return syscall(SYS_sendfile, to, from, at, size);
}

/* Kept answers are files: sending them in copied pieces costs five times as much. */
static void test_files_are_not_copied(void **state)
{
	struct fixture *f = *state;
	files_sent = 0;
	assert_int_equal(client_ask(f->arena, f->port, GET("/file")).status, 200);
	assert_int_equal(files_sent, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_keep_alive, setup, teardown),
		cmocka_unit_test_setup_teardown(test_pipelining, setup, teardown),
		cmocka_unit_test_setup_teardown(test_head, setup, teardown),
		cmocka_unit_test_setup_teardown(test_chunked_body, setup, teardown),
		cmocka_unit_test_setup_teardown(test_body_in_pieces, setup, teardown),
		cmocka_unit_test_setup_teardown(test_answer_that_is_read, setup, teardown),
		cmocka_unit_test_setup_teardown(test_expect_continue, setup, teardown),
		cmocka_unit_test_setup_teardown(test_odd_requests, setup_quick, teardown),
		cmocka_unit_test_setup_teardown(test_heads_that_smuggle, setup, teardown),
		cmocka_unit_test_setup_teardown(test_chunks_that_smuggle, setup, teardown),
		cmocka_unit_test_setup_teardown(test_blanks_around_values, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many_headers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_torn_requests, setup_quick, teardown),
		cmocka_unit_test_setup_teardown(test_listeners, setup, teardown),
		cmocka_unit_test_setup_teardown(test_costs, setup, teardown),
		cmocka_unit_test_setup_teardown(test_files_are_not_copied, setup, teardown),
		cmocka_unit_test_setup_teardown(test_adopted_sockets, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
