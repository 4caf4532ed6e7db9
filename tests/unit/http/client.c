/* SPDX-License-Identifier: Apache-2.0
 * The raw HTTP client of the tests. */
#include "client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { CLIENT_TIMEOUT_S = 600 };

void client_open(struct client *c, struct arena *a, uint16_t port)
{
	*c = (struct client){.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), .arena = a};
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
	struct timeval limit = {.tv_sec = CLIENT_TIMEOUT_S};
	int on = 1;
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	(void) setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	(void) setsockopt(c->fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
	(void) setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	if (connect(c->fd, (const struct sockaddr *) &to, sizeof to) != 0)
		client_close(c);
}

void client_close(struct client *c)
{
	if (c->fd >= 0)
		(void) close(c->fd);
	c->fd = -1;
}

bool client_send(struct client *c, struct str bytes)
{
	while (bytes.n) {
		ssize_t sent = send(c->fd, bytes.p, bytes.n, MSG_NOSIGNAL);
		if (sent <= 0)
			return false;
		bytes = str_slice(bytes, (size_t) sent, bytes.n);
	}
	return true;
}

/* Reads until at least need bytes are in c->left; false at the end of the stream. */
static bool client_fill(struct client *c, size_t need)
{
	if (need <= c->left.n)
		return true;
	char *p = arena_alloc(c->arena, need + 4096);
	if (!p)
		return false;
	if (c->left.n)
		memcpy(p, c->left.p, c->left.n);
	size_t have = c->left.n;
	while (have < need) {
		ssize_t got = recv(c->fd, p + have, need + 4096 - have, 0);
		if (got <= 0)
			break;
		have += (size_t) got;
	}
	c->left = (struct str){p, have};
	return have >= need;
}

static size_t head_size(struct str s)
{
	for (size_t k = 0; k + 4 <= s.n; k++)
		if (memcmp(s.p + k, "\r\n\r\n", 4) == 0)
			return k + 4;
	return 0;
}

struct str reply_header(const struct reply *r, const char *name)
{
	struct str rest = r->head, line;
	while (str_split_next(&rest, '\n', &line)) {
		size_t colon = str_find_char(line, ':', 0);
		if (colon < line.n && str_equal_nocase(str_slice(line, 0, colon), str_from(name)))
			return str_trim(str_slice(line, colon + 1, line.n));
	}
	return STR_NONE;
}

static struct reply read_one(struct client *c, bool has_body)
{
	struct reply r = {0};
	int64_t number = 0, length = 0;
	size_t size = 0;
	while ((size = head_size(c->left)) == 0)
		if (!client_fill(c, c->left.n + 1))
			return r;
	r.head = str_slice(c->left, 0, size);
	if (!result_is_ok(str_parse_int(str_slice(r.head, 9, 12), &number)))
		return r;
	if (has_body && number >= 200)
		IGNORE(str_parse_int(reply_header(&r, "Content-Length"), &length)); /* absent: none */
	if (!client_fill(c, size + (size_t) length))
		return (struct reply){0};
	r.head = str_slice(c->left, 0, size);
	r.body = str_slice(c->left, size, size + (size_t) length);
	c->left = str_slice(c->left, size + (size_t) length, c->left.n);
	r.status = (int) number;
	return r;
}

struct reply client_read(struct client *c)
{
	return read_one(c, true);
}

struct reply client_read_headless(struct client *c)
{
	return read_one(c, false);
}

bool client_is_closed(struct client *c)
{
	char bytes[256];
	ssize_t got = 0;
	while ((got = recv(c->fd, bytes, sizeof bytes, 0)) > 0)
		continue;
	return got == 0 || errno == ECONNRESET;
}

struct reply client_ask(struct arena *a, uint16_t port, struct str request)
{
	struct client c;
	client_open(&c, a, port);
	(void) client_send(&c, request); /* a refusal may arrive before the request is sent completely */
	struct reply r = client_read(&c);
	client_close(&c);
	return r;
}
