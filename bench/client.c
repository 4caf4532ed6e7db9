/* SPDX-License-Identifier: Apache-2.0
 * A small HTTP client for the benchmarks. It reads only answers with Content-Length, which our own server and nginx
 * both send. */
#include "client.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "auth/key/sigv4.h"
#include "base/cleanup.h"
#include "base/clock.h"

enum { HEAD_CAP = 16 * 1024, CHUNK_SIZE = 64 * 1024 };

/* ---- arguments ---- */

struct str arg_text(int argc, char **argv, const char *name, struct str absent)
{
	for (int k = 1; k < argc; k++) {
		struct str arg = str_from(argv[k]);
		size_t mark = str_find_char(arg, '=', 0);
		if (str_is(str_slice(arg, 0, mark), name))
			return str_slice(arg, mark + 1, arg.n);
	}
	return absent;
}

int64_t arg_int(int argc, char **argv, const char *name, int64_t absent)
{
	int64_t value = absent;
	struct str text = arg_text(argc, argv, name, STR_NONE);
	if (text.n && !result_is_ok(str_parse_int(text, &value)))
		return absent;
	return value;
}

struct target arg_target(int argc, char **argv)
{
	return (struct target){.host = arg_text(argc, argv, "host", STR_NONE),
			       .key_id = arg_text(argc, argv, "key", STR_NONE),
			       .secret = arg_text(argc, argv, "secret", STR_NONE),
			       .token = arg_text(argc, argv, "token", STR_NONE),
			       .region = arg_text(argc, argv, "region", STR("us-east-1"))};
}

/* ---- requests ---- */

/* Writes an unsigned request: with an OpenStack token, with a JWT as Azure's clients send it, or without a token. */
static struct str write_plain(struct ctx *c, const struct target *target,
			      const struct client_request *request)
{
	const char *method = request->method ? request->method : "GET";
	const char *header =
		str_starts_with(target->token, STR("eyJ")) ? "Authorization: Bearer" : "X-Auth-Token:";
	struct str token =
		target->token.n ? str_print(c->arena, "%s %" STR_FMT "\r\n", header, STR_ARG(target->token))
				: STR_NONE;
	struct str body =
		request->body.n
			? str_print(c->arena, "Content-Type: application/json\r\nContent-Length: %zu\r\n",
				    request->body.n)
			: STR_NONE;
	return str_print(c->arena,
			 "%s %" STR_FMT " HTTP/1.1\r\nHost: %" STR_FMT "\r\n%" STR_FMT "%" STR_FMT
			 "\r\n%" STR_FMT,
			 method, STR_ARG(request->path), STR_ARG(target->host), STR_ARG(token), STR_ARG(body),
			 STR_ARG(request->body));
}

RESULT client_write_request(struct ctx *c, const struct target *target, const struct client_request *request,
			    struct str *ret_text)
{
	struct str authorization = STR_NONE, amz_date = STR_NONE;
	if (str_is_empty(target->key_id)) {
		*ret_text = write_plain(c, target, request);
		return ret_text->p ? OK : ctx_no_memory(c);
	}
	struct sigv4_signing signing = {.key_id = target->key_id,
					.secret = target->secret,
					.region = target->region,
					.service = STR("ec2"),
					.method = STR("POST"),
					.path = STR("/"),
					.body = request->body,
					.host = target->host,
					.at_us = clock_now_us()};
	TRY(sigv4_sign(c, &signing, &authorization, &amz_date));
	*ret_text = str_print(c->arena,
			      "POST / HTTP/1.1\r\nHost: %" STR_FMT "\r\nX-Amz-Date: %" STR_FMT
			      "\r\nAuthorization: %" STR_FMT
			      "\r\nContent-Type: application/x-www-form-urlencoded; charset=utf-8"
			      "\r\nContent-Length: %zu\r\n\r\n%" STR_FMT,
			      STR_ARG(target->host), STR_ARG(amz_date), STR_ARG(authorization),
			      request->body.n, STR_ARG(request->body));
	return ret_text->p ? OK : ctx_no_memory(c);
}

/* ---- exchanging ---- */

RESULT client_connect(struct ctx *c, struct str host, int *ret_fd)
{
	struct str port_text = host, address = STR_NONE;
	struct ip ip = {0};
	int64_t port = 0;
	if (!str_split_next(&port_text, ':', &address) || !result_is_ok(ip_parse(address, &ip)) ||
	    ip.family != IP_V4 || !result_is_ok(str_parse_int(port_text, &port)))
		return ctx_fail(c, ERR_INVALID, "host= wants ADDRESS:PORT, not %" STR_FMT, STR_ARG(host));
	struct sockaddr_in where = {.sin_family = AF_INET,
				    .sin_port = htons((uint16_t) port),
				    .sin_addr.s_addr = htonl(ip_to_v4(ip))};
	AUTO_FD fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *) &where, sizeof where) != 0)
		return ctx_fail(c, ERR_GONE, "%" STR_FMT ": %s", STR_ARG(host), strerrordesc_np(errno));
	(void) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
	*ret_fd = fd;
	fd = -1;
	return OK;
}

static int64_t content_length(struct str head)
{
	struct str line;
	while (str_split_next(&head, '\n', &line)) {
		int64_t size = 0;
		size_t mark = str_find_char(line, ':', 0);
		if (str_equal_nocase(str_slice(line, 0, mark), STR("content-length")) &&
		    result_is_ok(str_parse_int(str_trim(str_slice(line, mark + 1, line.n)), &size)))
			return size;
	}
	return 0;
}

bool client_read_head(struct str bytes, size_t *ret_head_size, int64_t *ret_body_size, int *ret_status)
{
	const char *end = memmem(bytes.p, bytes.n, "\r\n\r\n", 4);
	int64_t status = 0;
	if (!end)
		return false;
	struct str head = {bytes.p, (size_t) (end + 4 - bytes.p)};
	/* "HTTP/1.1 200 OK"; any other line counts as status 0. */
	IGNORE(str_parse_int(str_slice(head, 9, 12), &status));
	*ret_head_size = head.n;
	*ret_body_size = content_length(head);
	*ret_status = (int) status;
	return true;
}

static RESULT send_all(struct ctx *c, int fd, struct str bytes)
{
	for (size_t done = 0; done < bytes.n;) {
		ssize_t n = send(fd, bytes.p + done, bytes.n - done, MSG_NOSIGNAL);
		if (n < 0)
			return ctx_fail(c, ERR_GONE, "sending: %s", strerrordesc_np(errno));
		done += (size_t) n;
	}
	return OK;
}

RESULT client_exchange(struct ctx *c, int fd, struct str request, struct buf *ret_body, int *ret_status)
{
	size_t head_size = 0, base = ret_body->size;
	int64_t body_size = 0;
	bool head_read = false;
	TRY(send_all(c, fd, request));
	while (!head_read || ret_body->size - base < head_size + (size_t) body_size) {
		if (!buf_reserve(ret_body, CHUNK_SIZE))
			return ctx_no_memory(c);
		ssize_t n = recv(fd, ret_body->p + ret_body->size, CHUNK_SIZE, 0);
		if (n <= 0)
			return ctx_fail(c, ERR_GONE, "receiving: %s", n ? strerrordesc_np(errno) : "closed");
		ret_body->size += (size_t) n;
		struct str got = str_slice(buf_str(ret_body), base, ret_body->size);
		head_read = head_read || client_read_head(got, &head_size, &body_size, ret_status);
		if (!head_read && got.n > HEAD_CAP)
			return ctx_fail(c, ERR_TOO_LARGE, "an answer's head without an end");
	}
	memmove(ret_body->p + base, ret_body->p + base + head_size, (size_t) body_size);
	ret_body->size = base + (size_t) body_size;
	return OK;
}

RESULT client_ask(struct ctx *c, const struct target *target, int fd, const struct client_request *request,
		  struct buf *ret_body, int *ret_status)
{
	struct str text = STR_NONE;
	ret_body->size = 0;
	TRY(client_write_request(c, target, request, &text));
	return client_exchange(c, fd, text, ret_body, ret_status);
}

RESULT client_call(struct ctx *c, const struct target *target, int fd, const struct client_request *request,
		   struct buf *ret_body)
{
	int status = 0;
	TRY(client_ask(c, target, fd, request, ret_body, &status));
	if (status < 200 || status > 299)
		return ctx_fail(c, ERR_INVALID, "%d for %" STR_FMT " %" STR_FMT ": %" STR_FMT, status,
				STR_ARG(request->path), STR_ARG(request->body), STR_ARG(buf_str(ret_body)));
	return OK;
}

struct str client_find_text(struct str text, const char *open, char close)
{
	const char *at = text.n ? memmem(text.p, text.n, open, strlen(open)) : NULL;
	if (!at)
		return STR_NONE;
	size_t from = (size_t) (at - text.p) + strlen(open);
	return str_slice(text, from, str_find_char(text, close, from));
}

int client_fail(const struct ctx *c, struct result result)
{
	(void) fprintf(stderr, "%s: %" STR_FMT "\n", err_name(result.code), STR_ARG(c->problem.message));
	return 1;
}
