/* SPDX-License-Identifier: Apache-2.0
 * Connections that switch to another protocol: the bytes pass unchanged, in plain text and over TLS,
 * including those received behind the request, and every tunnel ends exactly once. */
#include "fixture.h"

#include <assert.h>
#include <curl/curl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/crypto.h"

static const char request[] =
	"GET /tunnel HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n";
static _Atomic unsigned opened, ended;

struct tunnel {
	struct http_tunnel http;
	int fd;
	char early[16];
	size_t early_size;
};

/* Echoes its input until a full stop. */
static void *run(void *arg)
{
	struct tunnel *t = arg;
	char heard[256];
	ssize_t n = (ssize_t) t->early_size;
	memcpy(heard, t->early, t->early_size);
	for (bool goes_on = true; goes_on;) {
		if (n > 0)
			goes_on = send(t->fd, heard, (size_t) n, MSG_NOSIGNAL) == n &&
				  !memchr(heard, '.', (size_t) n);
		struct pollfd fds = {.fd = t->fd, .events = POLLIN};
		if (goes_on && poll(&fds, 1, 10000) > 0) {
			n = recv(t->fd, heard, sizeof heard, 0);
			goes_on = n > 0;
		}
	}
	http_tunnel_close(&t->http);
	return NULL;
}

static void tunnel_open(struct http_tunnel *http, int fd, struct str early)
{
	struct tunnel *t = (struct tunnel *) http; /* its first member */
	pthread_t thread;
	t->fd = fd;
	t->early_size = early.n;
	assert(early.n <= sizeof t->early);
	memcpy(t->early, early.p, early.n);
	opened++;
	if (pthread_create(&thread, NULL, run, t) == 0)
		(void) pthread_detach(thread);
}

static void tunnel_end(struct http_tunnel *http)
{
	free(http);
	ended++;
}

static void handle(void *self, struct call *call)
{
	(void) self;
	struct tunnel *t = calloc(1, sizeof *t);
	t->http = (struct http_tunnel){.open = tunnel_open, .end = tunnel_end};
	call_upgrade(call, "echo", &t->http);
}

static const struct http_face face = {.name = "tunnel", .handle = handle, .body_cap_size = 1000};

/* Reads until it has the words. */
static bool hear(int fd, const char *words)
{
	char heard[1000];
	for (size_t size = 0; size < sizeof heard;) {
		ssize_t n = recv(fd, heard + size, sizeof heard - size, 0);
		if (n <= 0)
			return false;
		size += (size_t) n;
		if (str_contains((struct str){heard, size}, str_from(words)))
			return true;
	}
	return false;
}

static void test_plain(void **state)
{
	(void) state;
	static struct fixture f;
	struct client c;
	fixture_start(&f, NULL);
	opened = ended = 0;
	uint16_t port = http_listener_port(fixture_listen(&f, &face, NULL));
	client_open(&c, f.arena, port);
	assert_true(client_send(&c, str_print(f.arena, "%searly", request)));
	assert_true(hear(c.fd, "\r\n\r\nearly"));
	assert_true(client_send(&c, STR("later")) && hear(c.fd, "later"));
	assert_int_equal(ended, 0);
	assert_int_equal(fixture_figures(&f).connections, 1);
	fixture_sleep_ms(1500); /* longer than a request may take: it is none any more */
	assert_true(client_send(&c, STR("end.")) && hear(c.fd, "end."));
	assert_true(client_is_closed(&c));
	client_close(&c);
	WAIT_UNTIL(ended == 1);
	/* the client disconnects */
	client_open(&c, f.arena, port);
	assert_true(client_send(&c, str_from(request)) && hear(c.fd, "101 Switching"));
	client_close(&c);
	WAIT_UNTIL(ended == 2);
	/* not possible in HTTP/1.0 */
	assert_int_not_equal(client_ask(f.arena, port, STR("GET /tunnel HTTP/1.0\r\nHost: a\r\n\r\n")).status,
			     101);
	WAIT_UNTIL(ended == 3);
	assert_int_equal(opened, 2);
	WAIT_UNTIL(fixture_figures(&f).connections == 0);
	fixture_end(&f);
}

/* Reads from curl until the text ends with these words. */
static bool hear_tls(CURL *curl, const char *words)
{
	char heard[1000];
	size_t size = 0;
	for (int tries = 0; tries < 12000; tries++) {
		size_t n = 0;
		CURLcode code = curl_easy_recv(curl, heard + size, sizeof heard - size, &n);
		if (code != CURLE_OK && code != CURLE_AGAIN)
			return false;
		size += n;
		if (str_contains((struct str){heard, size}, str_from(words)))
			return true;
		fixture_sleep_ms(5);
	}
	return false;
}

static void tell_tls(struct str url, struct str cert)
{
	size_t sent = 0;
	CURL *curl = curl_easy_init();
	struct curl_blob ca = {.data = (void *) cert.p, .len = cert.n, .flags = CURL_BLOB_NOCOPY};
	(void) curl_easy_setopt(curl, CURLOPT_URL, url.p);
	(void) curl_easy_setopt(curl, CURLOPT_CAINFO_BLOB, &ca);
	(void) curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
	(void) curl_easy_setopt(curl, CURLOPT_IPRESOLVE, CURL_IPRESOLVE_V4);
	(void) curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
	(void) curl_easy_setopt(curl, CURLOPT_CONNECT_ONLY, 1L);
	assert_int_equal(curl_easy_perform(curl), CURLE_OK);
	assert_int_equal(curl_easy_send(curl, request, sizeof request - 1, &sent), CURLE_OK);
	assert_true(hear_tls(curl, "101 Switching"));
	assert_int_equal(curl_easy_send(curl, "hello", 5, &sent), CURLE_OK);
	assert_true(hear_tls(curl, "hello"));
	assert_int_equal(curl_easy_send(curl, "end.", 4, &sent), CURLE_OK);
	assert_true(hear_tls(curl, "end."));
	WAIT_UNTIL(ended == opened); /* though the client is still there */
	curl_easy_cleanup(curl);
}

/* The server closes many tunnels: libmicrohttpd's thread meets some of them half closed. */
static void test_tls(void **state)
{
	(void) state;
	enum { TUNNELS = 40 };
	static struct fixture f;
	struct str cert, key;
	struct http_listener *l = NULL;
	fixture_start(&f, NULL);
	opened = ended = 0;
	assert_ok(crypto_make_certificate(f.ctx, STR("localhost"), 24 * HOUR, &cert, &key));
	struct http_where where = {.ip = ip_from_v4(0x7F000001), .cert_pem = cert, .key_pem = key};
	assert_ok(http_listen(f.server, f.ctx, &face, NULL, &where, &l));
	struct str url = str_print(f.arena, "https://localhost:%u/", (unsigned) http_listener_port(l));
	for (unsigned k = 0; k < TUNNELS; k++)
		tell_tls(url, cert);
	assert_int_equal(ended, TUNNELS);
	fixture_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_plain), cmocka_unit_test(test_tls)};
	(void) curl_global_init(CURL_GLOBAL_DEFAULT);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	curl_global_cleanup();
	return failed;
}
