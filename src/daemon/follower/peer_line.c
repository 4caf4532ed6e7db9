/* SPDX-License-Identifier: Apache-2.0
 * Lines to the writer by libcurl, which does TLS: a list of tunnels (http/tunnel_list.h). A line's owner is the thread that
 * dials, then the call's pool thread, and from line_open() on the list's thread. */
#include "daemon/follower/peer_line.h"

#include <curl/curl.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "auth/sign_in/login_throttle.h"
#include "base/clock.h"
#include "http/tunnel_list.h"

enum {
	LINES_MAX = 256,
	LINES_OF_ADDRESS = 64, /* lines of a client's address: users behind one gateway share it */
	FLOW_SIZE = 16 * 1024,
	HEAD_CAP = 32 * 1024,
	BODY_CAP = 1024 * 1024,
	CONNECT_MS = 1000,
	STEP_MS = 500, /* between two looks whether the writer is still the same */
	FDS = 2,
	ROUNDS = 16 /* pieces that a line carries before the next line's turn */
};
#define ANSWER_US (40 * SECOND)

/* Bytes of one direction that were read and not written yet. */
struct flow {
	char bytes[FLOW_SIZE];
	size_t at, end;
};

struct peer_line {
	struct listed_tunnel listed; /* first: the list's functions get its address */
	CURL *curl;
	int client_fd; /* the tunnel's; -1: the line closes */
	bool has_more; /* bytes may be there that poll() knows nothing of */
	struct flow up, down;
};

/* ---- a line's life ---- */

static struct peer_line *line_of(struct listed_tunnel *t)
{
	return (struct peer_line *) t;
}

static void line_clear(struct listed_tunnel *t)
{
	curl_easy_cleanup(line_of(t)->curl);
}

static void line_open(struct listed_tunnel *t, int fd, struct str early)
{
	struct peer_line *l = line_of(t);
	size_t size = early.n < FLOW_SIZE ? early.n : 0;
	l->client_fd = early.n > size ? -1 : fd; /* a client that sends so much unasked is cut off */
	if (size > 0)
		memcpy(l->up.bytes, early.p, size);
	l->up.end = size;
	l->has_more = true;
}

struct http_tunnel *peer_line_get_tunnel(struct peer_line *l)
{
	return &l->listed.tunnel;
}

/* ---- dialling ---- */

static bool wait_for(CURL *curl, short events, const struct peer_call *peer, int64_t until_us)
{
	curl_socket_t fd = CURL_SOCKET_BAD;
	(void) curl_easy_getinfo(curl, CURLINFO_ACTIVESOCKET, &fd);
	struct pollfd waits = {.fd = fd, .events = events};
	while (fd != CURL_SOCKET_BAD && clock_monotonic_us() < until_us && peer->goes_on(peer->self))
		if (poll(&waits, 1, STEP_MS) > 0)
			return true;
	return false;
}

static RESULT fail(struct ctx *c, const char *why)
{
	return ctx_fail(c, ERR_IO, "%s", why);
}

static RESULT send_all(struct ctx *c, struct peer_call *peer, CURL *curl, struct str bytes, int64_t until_us)
{
	while (bytes.n > 0) {
		size_t sent = 0;
		CURLcode code = curl_easy_send(curl, bytes.p, bytes.n, &sent);
		peer->was_sent = peer->was_sent || sent > 0;
		bytes = str_slice(bytes, sent, bytes.n);
		if (code == CURLE_AGAIN ? !wait_for(curl, POLLOUT, peer, until_us) : code != CURLE_OK)
			return fail(c, curl_easy_strerror(code));
	}
	return OK;
}

/* Adds what the writer sends next, at most room bytes. */
static RESULT receive(struct ctx *c, struct peer_call *peer, CURL *curl, size_t room, int64_t until_us)
{
	struct buf *b = &peer->body;
	size_t got = 0;
	CURLcode code = CURLE_AGAIN;
	if (!buf_reserve(b, room))
		return ctx_no_memory(c);
	while (code == CURLE_AGAIN) {
		code = curl_easy_recv(curl, b->p + b->size, room, &got);
		if (code == CURLE_AGAIN && !wait_for(curl, POLLIN, peer, until_us))
			return fail(c, "no answer");
	}
	if (code != CURLE_OK || got == 0)
		return fail(c, code != CURLE_OK ? curl_easy_strerror(code) : "the connection ended");
	b->size += got;
	return OK;
}

static RESULT write_header(void *arg, struct str name, struct str value)
{
	buf_print(arg, "%" STR_FMT ": %" STR_FMT "\r\n", STR_ARG(name), STR_ARG(value));
	return OK;
}

static RESULT send_head(struct ctx *c, struct peer_call *peer, CURL *curl, int64_t until_us)
{
	struct call *call = peer->call;
	__attribute__((cleanup(buf_done))) struct buf head;
	buf_init(&head, 2 * HEAD_CAP);
	buf_print(&head, "GET %" STR_FMT "%s%" STR_FMT " HTTP/1.1\r\n", STR_ARG(call->path),
		  call->query.n ? "?" : "", STR_ARG(call->query));
	TRY(peer_each_header(peer, write_header, &head));
	buf_print(&head, "\r\n");
	TRY(buf_finish(&head));
	return send_all(c, peer, curl, buf_str(&head), until_us);
}

/* Reads the answer's head into peer. *ret_size: bytes of the head; what follows it stays in peer->body, too. */
static RESULT read_head(struct ctx *c, struct peer_call *peer, CURL *curl, int64_t until_us, size_t *ret_size)
{
	size_t end = SIZE_MAX;
	while (end == SIZE_MAX) {
		if (peer->body.size >= HEAD_CAP)
			return fail(c, "the answer's head is too long");
		TRY(receive(c, peer, curl, HEAD_CAP - peer->body.size, until_us));
		const char *found = memmem(peer->body.p, peer->body.size, "\r\n\r\n", 4);
		end = found ? (size_t) (found - peer->body.p) + 4 : SIZE_MAX;
	}
	struct str head = {peer->body.p, end}, line = STR_NONE, word = STR_NONE;
	while (str_split_next(&head, '\n', &line))
		peer_take_header(peer, line);
	line = str_slice((struct str){peer->body.p, end}, strlen("HTTP/1.1 "), end);
	int64_t status = 0;
	if (!str_split_next(&line, ' ', &word) || !result_is_ok(str_parse_int(word, &status)) ||
	    status < 101 || status > 599)
		return fail(c, "no HTTP answer");
	peer->status = (int) status;
	*ret_size = end;
	return OK;
}

/* The rest of an answer that is no upgrade: libmicrohttpd gives the size of each. */
static RESULT read_body(struct ctx *c, struct peer_call *peer, CURL *curl, int64_t until_us, size_t head_size)
{
	if (peer->content_length < 0 || peer->content_length > BODY_CAP)
		return fail(c, "the answer has no size, or is too large");
	size_t whole = head_size + (size_t) peer->content_length;
	while (peer->body.size < whole)
		TRY(receive(c, peer, curl, whole - peer->body.size, until_us));
	peer->body.size = whole - head_size;
	memmove(peer->body.p, peer->body.p + head_size, peer->body.size);
	return OK;
}

static RESULT dial(struct peer_line *l, struct ctx *c, struct peer_call *peer)
{
	int64_t until_us = clock_monotonic_us() + ANSWER_US;
	size_t head_size = 0;
	l->curl = curl_easy_init();
	if (!l->curl)
		return ctx_no_memory(c);
	peer_set_connection(l->curl, str_to_z(c->arena, peer->address), CONNECT_MS);
	(void) curl_easy_setopt(l->curl, CURLOPT_CONNECT_ONLY, 1L);
	CURLcode code = curl_easy_perform(l->curl);
	if (code != CURLE_OK)
		return fail(c, curl_easy_strerror(code));
	TRY(send_head(c, peer, l->curl, until_us));
	TRY(read_head(c, peer, l->curl, until_us, &head_size));
	if (peer->status != 101)
		return read_body(c, peer, l->curl, until_us, head_size);
	size_t rest = peer->body.size - head_size;
	if (rest > FLOW_SIZE)
		return fail(c, "the writer speaks too early");
	memcpy(l->down.bytes, peer->body.p + head_size, rest);
	l->down.end = rest;
	return OK;
}

RESULT peer_line_dial(struct tunnel_list *lines, struct ctx *c, struct peer_call *peer,
		      struct peer_line **ret_line)
{
	struct listed_tunnel *t = NULL;
	buf_init(&peer->body, HEAD_CAP + BODY_CAP);
	TRY(tunnel_list_take(lines, c, login_attempt_address(peer->call->peer), false, &t));
	struct result r = dial(line_of(t), c, peer);
	bool is_open = result_is_ok(r) && peer->status == 101;
	if (!is_open)
		tunnel_list_drop(t);
	*ret_line = is_open ? line_of(t) : NULL;
	return r;
}

/* ---- carrying ---- */

static bool is_empty(const struct flow *f)
{
	return f->at == f->end;
}

/* Result of a read or a write: nothing could move, bytes have moved, or the connection has ended. */
enum step { STEP_NONE, STEP_DONE, STEP_END };

static enum step step_of(ssize_t moved, size_t *counter)
{
	if (moved > 0)
		*counter += (size_t) moved;
	return moved > 0                                          ? STEP_DONE
	       : moved < 0 && (errno == EAGAIN || errno == EINTR) ? STEP_NONE
								  : STEP_END;
}

static enum step step_of_curl(CURLcode code, size_t moved, size_t *counter)
{
	*counter += code == CURLE_OK ? moved : 0;
	return code == CURLE_AGAIN ? STEP_NONE : code != CURLE_OK || !moved ? STEP_END : STEP_DONE;
}

/* Reads more once everything read before was written. */
static enum step carry_up(struct peer_line *l)
{
	struct flow *f = &l->up;
	size_t moved = 0;
	if (!is_empty(f)) {
		CURLcode code = curl_easy_send(l->curl, f->bytes + f->at, f->end - f->at, &moved);
		return step_of_curl(code, moved, &f->at);
	}
	f->at = f->end = 0;
	return step_of(recv(l->client_fd, f->bytes, FLOW_SIZE, MSG_DONTWAIT), &f->end);
}

static enum step carry_down(struct peer_line *l)
{
	struct flow *f = &l->down;
	size_t moved = 0;
	if (!is_empty(f))
		return step_of(
			send(l->client_fd, f->bytes + f->at, f->end - f->at, MSG_DONTWAIT | MSG_NOSIGNAL),
			&f->at);
	f->at = f->end = 0;
	CURLcode code = curl_easy_recv(l->curl, f->bytes, FLOW_SIZE, &moved);
	return step_of_curl(code, moved, &f->end);
}

/* False: a side has ended the connection. libcurl may hold decrypted bytes that poll() knows nothing of, so a line reads
 * until there is nothing, or has more. */
static bool carry(struct peer_line *l)
{
	l->has_more = true;
	for (int round = 0; round < ROUNDS; round++) {
		enum step up = carry_up(l), down = carry_down(l);
		if (up == STEP_END || down == STEP_END)
			return false;
		if (up == STEP_NONE && down == STEP_NONE) {
			l->has_more = false;
			return true;
		}
	}
	return true;
}

static bool line_work(struct listed_tunnel *t, const struct pollfd *fds, int64_t now_us, bool is_stopping)
{
	struct peer_line *l = line_of(t);
	(void) now_us;
	if (is_stopping || l->client_fd < 0)
		return false;
	return (l->has_more || fds[0].revents || fds[1].revents) ? carry(l) : true;
}

static int64_t line_prepare(struct listed_tunnel *t, struct pollfd *fds)
{
	const struct peer_line *l = line_of(t);
	curl_socket_t fd = CURL_SOCKET_BAD;
	(void) curl_easy_getinfo(l->curl, CURLINFO_ACTIVESOCKET, &fd);
	bool has_up = !is_empty(&l->up), has_down = !is_empty(&l->down);
	fds[0] = (struct pollfd){.fd = l->client_fd,
				 .events = (short) ((has_up ? 0 : POLLIN) | (has_down ? POLLOUT : 0))};
	fds[1] = (struct pollfd){.fd = fd,
				 .events = (short) ((has_down ? 0 : POLLIN) | (has_up ? POLLOUT : 0))};
	return l->has_more || l->client_fd < 0 ? 0 : INT64_MAX;
}

RESULT peer_lines_new(struct ctx *c, struct tunnel_list **ret_lines)
{
	static const struct tunnel_list_config lines = {
		.thread_name = "peer-lines",
		.tunnel_size = sizeof(struct peer_line),
		.fd_count = FDS,
		.ceiling = {LINES_MAX, LINES_OF_ADDRESS, 0},
		.refusal = "Too many consoles are open. Close one, and try again.",
		.open = line_open,
		.prepare = line_prepare,
		.work = line_work,
		.clear = line_clear};
	return tunnel_list_new(c, &lines, ret_lines);
}
