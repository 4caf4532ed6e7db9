/* SPDX-License-Identifier: Apache-2.0
 * The HTTP server's limits: sizes, connections, time-outs, and slow readers. */
#include "base/uuid.h"
#include "fixture.h"
#include "http/share.h"

#include <stddef.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define GET(path) STR("GET " path " HTTP/1.1\r\nHost: a\r\n\r\n")

static const struct http_config tight = {
	.thread_count = 2,
	.connection_max = 6,
	.per_address_max = 4,
	.request_timeout_us = 200 * MILLISECOND,
	.idle_timeout_us = 3 * SECOND,
	.header_cap_size = 2000,
};

static int setup(void **state)
{
	static struct fixture f;
	fixture_start(&f, NULL);
	*state = &f;
	return 0;
}

static int setup_tight(void **state)
{
	static struct fixture f;
	fixture_start(&f, &tight);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	fixture_end(*state);
	return 0;
}

static struct str repeat(struct fixture *f, char c, size_t n)
{
	char *p = arena_alloc(f->arena, n + 1);
	memset(p, c, n);
	return (struct str){p, n};
}

/* A unix socket of the server's; how to connect to it. */
static socklen_t listen_on_unix(struct fixture *f, const char *name, bool is_reserved,
				struct sockaddr_un *ret_un)
{
	struct http_where where = {.tag = (void *) "unix", .is_reserved = is_reserved};
	struct http_listener *l = NULL;
	*ret_un = (struct sockaddr_un){.sun_family = AF_UNIX};
	int n = snprintf(ret_un->sun_path + 1, sizeof ret_un->sun_path - 1, "dari-limits-%s-%d", name,
			 (int) getpid());
	socklen_t size = (socklen_t) (offsetof(struct sockaddr_un, sun_path) + 1) + (socklen_t) n;
	where.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(where.fd, (const struct sockaddr *) ret_un, size), 0);
	assert_int_equal(listen(where.fd, 10), 0);
	assert_ok(http_listen(f->server, f->ctx, &fixture_face, NULL, &where, &l));
	return size;
}

static struct client connect_to_unix(struct fixture *f, const struct sockaddr_un *un, socklen_t size)
{
	struct client c = {.fd = socket(AF_UNIX, SOCK_STREAM, 0), .arena = f->arena};
	assert_int_equal(connect(c.fd, (const struct sockaddr *) un, size), 0);
	return c;
}

/* Even if the server is full, connections to a reserved socket are accepted. */
static void test_reserved(void **state)
{
	struct fixture *f = *state;
	struct sockaddr_un any, reserved;
	struct client many[6];
	socklen_t any_size = listen_on_unix(f, "any", false, &any),
		  reserved_size = listen_on_unix(f, "reserved", true, &reserved);
	for (size_t k = 0; k < 6; k++) {
		many[k] = connect_to_unix(f, &any, any_size);
		assert_true(client_send(&many[k], GET("/")));
		assert_int_equal(client_read(&many[k]).status, 200);
	}
	struct client late = connect_to_unix(f, &any, any_size);
	(void) client_send(&late, GET("/"));
	assert_int_equal(client_read(&late).status, 503);
	struct client own = connect_to_unix(f, &reserved, reserved_size);
	assert_true(client_send(&own, GET("/")));
	assert_int_equal(client_read(&own).status, 200);
	for (size_t k = 0; k < 6; k++)
		client_close(&many[k]);
	client_close(&late);
	client_close(&own);
}

static void wait_for_connections(struct fixture *f, unsigned count)
{
	while (fixture_figures(f).connections != count)
		fixture_sleep_ms(1);
}

static struct reply ask_as(struct client *c, struct fixture *f, char who)
{
	assert_true(client_send(c, str_print(f->arena, "GET /of?%c HTTP/1.1\r\nHost: a\r\n\r\n", who)));
	return client_read(c);
}

/* A caller has at most two connections of the six, and the last two are the administrators'. */
static void test_shares(void **state)
{
	struct fixture *f = *state;
	struct sockaddr_un un;
	struct client c[6];
	const struct ceiling shares = {.of_one = 2, .reserve = 2};
	http_share_connections(f->server, &shares);
	socklen_t size = listen_on_unix(f, "shares", false, &un);
	for (size_t k = 0; k < 4; k++)
		c[k] = connect_to_unix(f, &un, size);
	assert_int_equal(ask_as(&c[0], f, 'a').status, 200);
	assert_int_equal(ask_as(&c[1], f, 'a').status, 200);
	assert_int_equal(ask_as(&c[2], f, 'b').status, 200);
	assert_int_equal(ask_as(&c[0], f, 'a').status, 200); /* not counted twice */
	assert_int_equal(ask_as(&c[3], f, 'a').status, 503);
	assert_true(client_is_closed(&c[3]));
	client_close(&c[3]);
	wait_for_connections(f, 3);
	c[3] = connect_to_unix(f, &un, size);
	assert_int_equal(ask_as(&c[1], f, 'b').status, 200); /* a proxy's connection carries many callers */
	assert_int_equal(ask_as(&c[3], f, 'a').status, 200);
	c[4] = connect_to_unix(f, &un, size);
	c[5] = connect_to_unix(f, &un, size);
	assert_int_equal(ask_as(&c[4], f, 'c').status, 503);
	assert_true(client_is_closed(&c[4]));
	client_close(&c[4]);
	wait_for_connections(f, 5);
	assert_int_equal(ask_as(&c[5], f, 'C').status, 200);
	assert_int_equal(ask_as(&c[5], f, 'C').status, 200);
	c[4] = connect_to_unix(f, &un, size);
	assert_true(client_send(&c[4], GET("/")));
	assert_int_equal(client_read(&c[4]).status, 200); /* nobody, who may sign in */
	assert_true(client_is_closed(&c[4]));
	for (size_t k = 0; k < 6; k++)
		client_close(&c[k]);
}

static void test_body_cap(void **state)
{
	struct fixture *f = *state;
	struct str body = repeat(f, 'b', FIXTURE_BODY_CAP);
	struct str fits = str_print(f->arena, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s",
				    FIXTURE_BODY_CAP, body.p);
	assert_str(client_ask(f->arena, f->port, fits).body, "POST\n/\n\n100000\n-\n\n");
	struct client c;
	client_open(&c, f->arena, f->port);
	assert_true(client_send(&c, str_print(f->arena,
					      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n",
					      FIXTURE_BODY_CAP + 1)));
	struct reply r = client_read(&c); /* the body was not even begun */
	assert_int_equal(r.status, 413);
	assert_str(r.body, "refused: TOO_LARGE");
	assert_int_equal(reply_header(&r, "x-amzn-RequestId").n, 36);
	assert_true(client_is_closed(&c));
	client_close(&c);
	assert_int_equal(fixture_figures(f).rejected, 1);
}

static void test_chunked_cap(void **state)
{
	struct fixture *f = *state;
	struct str body = repeat(f, 'b', FIXTURE_BODY_CAP);
	struct str over = str_print(f->arena,
				    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
				    "%x\r\n%s\r\n1\r\nx\r\n0\r\n\r\n",
				    FIXTURE_BODY_CAP, body.p);
	struct reply r = client_ask(f->arena, f->port, over);
	assert_int_equal(r.status, 413);
	assert_str(r.body, "refused: TOO_LARGE");
	/* one that doesn't end is cut off */
	struct client c;
	client_open(&c, f->arena, f->port);
	assert_true(client_send(&c, STR("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")));
	struct str chunk = str_print(f->arena, "%x\r\n%s\r\n", FIXTURE_BODY_CAP, body.p);
	int sent = 0;
	while (client_send(&c, chunk) && sent < 10000)
		sent++;
	assert_true(sent < 10000);
	client_close(&c);
}

#define PUT_CHUNKS "PUT /sink HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"

static void test_sink(void **state)
{
	struct fixture *f = *state;
	struct str body = repeat(f, 'b', FIXTURE_SINK_CAP);
	unsigned ended = fixture_sinks_ended();
	struct str fits = str_print(f->arena, "PUT /sink HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s",
				    FIXTURE_SINK_CAP, body.p);
	assert_str(client_ask(f->arena, f->port, fits).body, "1000000 bytes, 0 held, NONE");
	struct str chunked =
		str_print(f->arena, PUT_CHUNKS "%x\r\n%s\r\n0\r\n\r\n", FIXTURE_SINK_CAP, body.p);
	assert_str(client_ask(f->arena, f->port, chunked).body, "1000000 bytes, 0 held, NONE");
	struct str over =
		str_print(f->arena, PUT_CHUNKS "%x\r\n%s\r\n1\r\nx\r\n0\r\n\r\n", FIXTURE_SINK_CAP, body.p);
	assert_int_equal(client_ask(f->arena, f->port, over).status, 413);
	struct str longer = str_print(f->arena, "PUT /sink HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n",
				      FIXTURE_SINK_CAP + 1);
	assert_int_equal(client_ask(f->arena, f->port, longer).status, 413);
	WAIT_UNTIL(fixture_sinks_ended() == ended + 4);
}

#define PUT_PAUSED "PUT /paused-sink HTTP/1.1\r\nHost: a\r\n"

/* The call is parked before its body and after each piece; chunks that were read meanwhile stay in order. */
static void test_sink_pauses(void **state)
{
	struct fixture *f = *state;
	struct str body = repeat(f, 'b', FIXTURE_SINK_CAP), chunks = STR("");
	unsigned ended = fixture_sinks_ended();
	struct str fits =
		str_print(f->arena, PUT_PAUSED "Content-Length: %d\r\n\r\n%s", FIXTURE_SINK_CAP, body.p);
	assert_str(client_ask(f->arena, f->port, fits).body, "1000000 bytes, 0 held, NONE");
	for (int k = 0; k < 300; k++)
		chunks = str_print(f->arena, "%" STR_FMT "3\r\nabc\r\n", STR_ARG(chunks));
	struct str chunked =
		str_print(f->arena, PUT_PAUSED "Transfer-Encoding: chunked\r\n\r\n%" STR_FMT "0\r\n\r\n",
			  STR_ARG(chunks));
	assert_str(client_ask(f->arena, f->port, chunked).body, "900 bytes, 0 held, NONE");
	struct str bad = STR(PUT_PAUSED "Transfer-Encoding: chunked\r\n\r\n2\r\n!b\r\n2\r\ncd\r\n0\r\n\r\n");
	assert_true(str_ends_with(client_ask(f->arena, f->port, bad).body, STR("0 held, INVALID")));
	struct str longer =
		str_print(f->arena, PUT_PAUSED "Content-Length: %d\r\n\r\n", FIXTURE_SINK_CAP + 1);
	assert_int_equal(client_ask(f->arena, f->port, longer).status, 413);
	struct client c;
	client_open(&c, f->arena, f->port);
	assert_true(client_send(&c, STR(PUT_PAUSED "Content-Length: 10\r\n\r\nabc")));
	client_close(&c); /* in the middle */
	WAIT_UNTIL(fixture_sinks_ended() == ended + 5);
	assert_int_equal(fixture_figures(f).parked, 0);
}

static void test_sink_fails(void **state)
{
	struct fixture *f = *state;
	unsigned ended = fixture_sinks_ended(); /* a client sees its answer before the server ends the sink */
	struct str bad = STR(PUT_CHUNKS "2\r\nab\r\n2\r\n!c\r\n2\r\nde\r\n0\r\n\r\n");
	struct str body = client_ask(f->arena, f->port, bad).body;
	assert_true(str_ends_with(body, STR("0 held, INVALID")));
	struct client c;
	/* a long one is refused while it arrives, and the rest is read after the refusal */
	struct str piece = str_print(f->arena, "1000\r\n%s\r\n", repeat(f, 'b', 4096).p);
	client_open(&c, f->arena, f->port);
	assert_true(client_send(&c, STR(PUT_CHUNKS "1\r\n!\r\n")));
	for (int k = 0; k < 1000; k++)
		assert_true(client_send(&c, piece));
	assert_int_equal(client_read(&c).status, 413);
	assert_true(client_is_closed(&c));
	client_close(&c);
	client_open(&c, f->arena, f->port);
	assert_true(client_send(&c, STR(PUT_CHUNKS "4\r\nab")));
	client_close(&c); /* in the middle: it ends without having been whole */
	WAIT_UNTIL(fixture_sinks_ended() == ended + 3);
}

/* False, and the connection is closed: the machine made a pause too long to tell anything. */
static bool sends_slowly(struct client *c, struct str piece)
{
	int64_t longest_us = 0;
	bool is_taken = client_send(c, STR(PUT_CHUNKS));
	for (int k = 0; k < 20; k++) {
		int64_t from_us = clock_monotonic_us();
		fixture_sleep_ms(25);
		is_taken = is_taken && client_send(c, piece);
		int64_t pause_us = clock_monotonic_us() - from_us;
		longest_us = pause_us > longest_us ? pause_us : longest_us;
	}
	is_taken = is_taken && client_send(c, STR("0\r\n\r\n"));
	struct reply r = client_read(c);
	if (longest_us > tight.request_timeout_us / 2) {
		client_close(c);
		return false;
	}
	assert_true(is_taken);
	assert_str(r.body, "81920 bytes, 0 held, NONE");
	return true;
}

/* Longer than a request may take, as long as it comes; no longer when it stops. */
static void test_sink_takes_its_time(void **state)
{
	struct fixture *f = *state;
	struct client c;
	struct str piece = str_print(f->arena, "1000\r\n%s\r\n", repeat(f, 'b', 4096).p);
	client_open(&c, f->arena, f->port);
	while (!sends_slowly(&c, piece))
		client_open(&c, f->arena, f->port);
	client_close(&c); /* no request follows a body in chunks */
	client_open(&c, f->arena, f->port);
	assert_true(client_send(&c, STR(PUT_CHUNKS)));
	assert_true(client_send(&c, piece));
	assert_int_equal(client_read(&c).status, 408);
	assert_true(client_is_closed(&c));
	client_close(&c);
}

static void test_answered_before_its_body(void **state)
{
	struct fixture *f = *state;
	struct str request = STR("PUT /refused HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n");
	assert_int_equal(client_ask(f->arena, f->port, request).status, 200);
	struct str later = STR("PUT /refused-late HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n");
	assert_int_equal(client_ask(f->arena, f->port, later).status, 200);
}

static void test_file(void **state)
{
	struct fixture *f = *state;
	struct reply r = client_ask(f->arena, f->port, GET("/file"));
	assert_int_equal(r.status, 200);
	assert_str(r.body, "these are the bytes of a file");
	assert_str(reply_header(&r, "Content-Length"), "29");
}

static void test_header_cap(void **state)
{
	struct fixture *f = *state;
	for (size_t size = 1000; size < 64000; size += 500) {
		struct str request = str_print(f->arena, "GET / HTTP/1.1\r\nHost: a\r\nX-Long: %s\r\n\r\n",
					       repeat(f, 'h', size).p);
		struct reply r = client_ask(f->arena, f->port, request);
		if (request.n <= tight.header_cap_size)
			assert_int_equal(r.status, 200);
		else if (size < 10000) {
			assert_int_equal(r.status, 431);
			assert_str(r.body, "refused: TOO_LARGE");
		} else
			assert_true(r.status == 431 || r.status == 0);
	}
	struct str target =
		str_print(f->arena, "GET /%s HTTP/1.1\r\nHost: a\r\n\r\n", repeat(f, 'p', 3000).p);
	assert_int_equal(client_ask(f->arena, f->port, target).status, 431);
}

static void test_connection_cap(void **state)
{
	struct fixture *f = *state;
	struct client c[4];
	for (int k = 0; k < 4; k++) {
		client_open(&c[k], f->arena, f->port);
		assert_true(client_send(&c[k], GET("/")));
		assert_int_equal(client_read(&c[k]).status, 200);
	}
	struct client over;
	client_open(&over, f->arena, f->port);
	struct reply r = client_read(&over);
	assert_int_equal(r.status, 503);
	assert_int_equal(reply_header(&r, "x-amzn-RequestId").n, UUID_TEXT_SIZE - 1);
	assert_true(str_ends_with(reply_header(&r, "Date"), STR("GMT")));
	assert_true(client_is_closed(&over));
	client_close(&over);
	client_close(&c[0]);
	WAIT_UNTIL(fixture_figures(f).connections == 3);
	assert_int_equal(client_ask(f->arena, f->port, GET("/")).status, 200);
	for (int k = 1; k < 4; k++)
		client_close(&c[k]);
}

static void test_descriptors_used_up(void **state)
{
	struct fixture *f = *state;
	struct client c[64];
	struct rlimit before, few;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	few = before;
	for (int k = 0; k < 64; k++)
		client_open(&c[k], f->arena, f->port);
	WAIT_UNTIL(fixture_figures(f).connections == 64);
	for (int k = 0; k < 64; k++)
		client_close(&c[k]);
	WAIT_UNTIL(fixture_figures(f).connections == 0);
	few.rlim_cur = 60;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	for (int k = 0; k < 64; k++)
		client_open(&c[k], f->arena, f->port);
	fixture_sleep_ms(50);
	for (int k = 0; k < 64; k++)
		client_close(&c[k]);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	WAIT_UNTIL(fixture_figures(f).connections == 0);
	assert_int_equal(client_ask(f->arena, f->port, GET("/")).status, 200);
}

/* Bytes that come one by one for ever: in the headers, in the body, before the request line. */
static void drip(struct fixture *f, struct str first, char byte)
{
	struct client c;
	int64_t from_us = clock_monotonic_us();
	client_open(&c, f->arena, f->port);
	assert_true(client_send(&c, first));
	int sent = 0;
	while (sent < 200 && client_send(&c, (struct str){&byte, 1})) {
		fixture_sleep_ms(20);
		sent++;
	}
	assert_true(sent < 200 && clock_monotonic_us() - from_us >= 150 * MILLISECOND);
	client_close(&c);
	WAIT_UNTIL(fixture_figures(f).connections == 0);
}

static void test_slow_writers(void **state)
{
	struct fixture *f = *state;
	drip(f, STR("G"), 'E');
	drip(f, STR("GET / HTTP/1.1\r\nX-Slow: "), 'h');
	drip(f, STR("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10000\r\n\r\n"), 'b');
	assert_int_equal(fixture_figures(f).by_status[4], 3);
	struct client c;
	client_open(&c, f->arena, f->port);
	assert_true(client_send(&c, STR("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc")));
	struct reply r = client_read(&c);
	assert_int_equal(r.status, 408);
	assert_int_equal(reply_header(&r, "x-amzn-RequestId").n, UUID_TEXT_SIZE - 1);
	assert_true(str_ends_with(reply_header(&r, "Date"), STR("GMT")));
	assert_true(client_is_closed(&c));
	client_close(&c);
}

/* Rests longer than a request may take, and shorter than idle. False: the machine made a rest too long to tell anything. */
static bool rests_shortly(struct fixture *f, struct client *c, int64_t *ret_asked_us)
{
	client_open(c, f->arena, f->port);
	for (int k = 0; k < 3; k++) {
		*ret_asked_us = clock_monotonic_us();
		bool is_answered = client_send(c, GET("/")) && client_read(c).status == 200;
		fixture_sleep_ms(400);
		if (clock_monotonic_us() - *ret_asked_us > tight.idle_timeout_us / 2)
			return false;
		assert_true(is_answered);
	}
	return true;
}

static void test_idle_ends(void **state)
{
	struct fixture *f = *state;
	struct client c;
	int64_t asked_us = 0;
	for (int k = 0; k < 100 && !rests_shortly(f, &c, &asked_us); k++)
		client_close(&c);
	assert_true(client_is_closed(&c));
	assert_true(clock_monotonic_us() - asked_us >= tight.idle_timeout_us / 2);
	client_close(&c);
}

static void test_slow_reader(void **state)
{
	struct fixture *f = *state;
	enum { SIZE = 8 * 1024 * 1024 };
	struct client slow, quick;
	int small = 256 * 1024;
	client_open(&slow, f->arena, f->port);
	assert_int_equal(setsockopt(slow.fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small), 0);
	assert_true(client_send(&slow, GET("/big?8388608")));
	client_open(&quick, f->arena, f->port);
	for (int k = 0; k < 50; k++) { /* others are served at the same time */
		assert_true(client_send(&quick, GET("/")));
		assert_int_equal(client_read(&quick).status, 200);
	}
	size_t got = 0;
	char bytes[4096];
	while (got < SIZE) {
		ssize_t n = recv(slow.fd, bytes, sizeof bytes, 0);
		assert_true(n > 0);
		got += (size_t) n;
		if (got < (size_t) 512 * 1024)
			fixture_sleep_ms(1);
	}
	client_close(&slow);
	client_close(&quick);
}

/* A client that does not read is disconnected after 200 ms plus an eighth of a second per KiB. */
static void test_no_reader(void **state)
{
	struct fixture *f = *state;
	struct client c;
	int small = 4096;
	client_open(&c, f->arena, f->port);
	assert_int_equal(setsockopt(c.fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small), 0);
	assert_true(client_send(&c, GET("/big?8388608")));
	WAIT_UNTIL(fixture_figures(f).requests == 1);
	WAIT_UNTIL(fixture_figures(f).connections == 0); /* libmicrohttpd's idle second */
	client_close(&c);
}

/* Every allocation fails once: the answer may be missing or a 500, the next one is there. */
static void test_no_memory(void **state)
{
	struct fixture *f = *state;
	struct arena *a =
		arena_new((size_t) 1024 * 1024, (size_t) 1024 * 1024); /* the client needs none meanwhile */
	static const struct str requests[] = {
		{"GET /big?5000 HTTP/1.1\r\nHost: a\r\n\r\n", 35},
		{"POST /park HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", 54},
	};
	for (size_t k = 0; k < 2; k++)
		for (uint64_t n = 0;; n++) {
			fault_arm(FAULT_ALLOC, n, false);
			struct reply r = client_ask(a, f->port, requests[k]);
			fault_disarm();
			bool has_fired = fault_has_fired();
			if (has_fired)
				assert_true(r.status == 200 || r.status == 500 || r.status == 503 ||
					    r.status == 0);
			else
				assert_int_equal(r.status, 200);
			arena_reset(a);
			assert_int_equal(client_ask(a, f->port, requests[k]).status, 200);
			arena_reset(a);
			WAIT_UNTIL(fixture_figures(f).connections == 0);
			if (!has_fired)
				break;
		}
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_body_cap, setup, teardown),
		cmocka_unit_test_setup_teardown(test_chunked_cap, setup, teardown),
		cmocka_unit_test_setup_teardown(test_sink, setup, teardown),
		cmocka_unit_test_setup_teardown(test_sink_pauses, setup, teardown),
		cmocka_unit_test_setup_teardown(test_sink_fails, setup, teardown),
		cmocka_unit_test_setup_teardown(test_sink_takes_its_time, setup_tight, teardown),
		cmocka_unit_test_setup_teardown(test_answered_before_its_body, setup, teardown),
		cmocka_unit_test_setup_teardown(test_file, setup, teardown),
		cmocka_unit_test_setup_teardown(test_header_cap, setup_tight, teardown),
		cmocka_unit_test_setup_teardown(test_connection_cap, setup_tight, teardown),
		cmocka_unit_test_setup_teardown(test_shares, setup_tight, teardown),
		cmocka_unit_test_setup_teardown(test_reserved, setup_tight, teardown),
		cmocka_unit_test_setup_teardown(test_descriptors_used_up, setup, teardown),
		cmocka_unit_test_setup_teardown(test_slow_writers, setup_tight, teardown),
		cmocka_unit_test_setup_teardown(test_idle_ends, setup_tight, teardown),
		cmocka_unit_test_setup_teardown(test_slow_reader, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_reader, setup_tight, teardown),
		cmocka_unit_test_setup_teardown(test_no_memory, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
