/* SPDX-License-Identifier: Apache-2.0
 * Shared by the benchmark's programs: NAME=VALUE arguments, signed EC2 requests, OpenStack requests with a token, and
 * blocking HTTP/1.1 exchanges over a persistent connection. One thread. */
#pragma once

#include "base/buf.h"
#include "base/ctx.h"

/* The server to call, and the credentials to call it with. */
struct target {
	struct str host; /* "127.0.0.1:8788" */
	struct str key_id, secret, region;
	struct str token; /* token of the identity service; used if there is no key */
};

/* Request to send. A target with a key gets an EC2 request: the body, a form, is signed and sent as POST to "/". */
struct client_request {
	const char *method; /* NULL: GET */
	struct str path, body;
};

/* Value of the argument "NAME=VALUE"; `absent` if the name is not given. */
struct str arg_text(int argc, char **argv, const char *name, struct str absent);
int64_t arg_int(int argc, char **argv, const char *name, int64_t absent);
/* Reads the arguments host=, key=, secret=, region= and token=. */
struct target arg_target(int argc, char **argv);

/* Writes the request's text into c's arena, and signs it if the target has a key. */
RESULT client_write_request(struct ctx *c, const struct target *target, const struct client_request *request,
			    struct str *ret_text);
/* Connects a socket with TCP_NODELAY; the caller closes it. ERR_GONE. */
RESULT client_connect(struct ctx *c, struct str host, int *ret_fd);
/* Finds the end of an answer's head and the length of its body; false while the head is incomplete. */
bool client_read_head(struct str bytes, size_t *ret_head_size, int64_t *ret_body_size, int *ret_status);
/* Sends the request, waits for the whole answer, and appends its body to *ret_body. ERR_GONE. */
RESULT client_exchange(struct ctx *c, int fd, struct str request, struct buf *ret_body, int *ret_status);
/* client_write_request() and client_exchange(); the answer's body replaces the content of *ret_body. */
RESULT client_ask(struct ctx *c, const struct target *target, int fd, const struct client_request *request,
		  struct buf *ret_body, int *ret_status);
/* client_ask(), with ERR_INVALID and the answer's text if the status is not a success. */
RESULT client_call(struct ctx *c, const struct target *target, int fd, const struct client_request *request,
		   struct buf *ret_body);
/* Text between the first `open`, such as "<id>", and the next `close`, such as '<'; empty if there is none. */
struct str client_find_text(struct str text, const char *open, char close);
/* Prints the failure; returns the exit status. */
int client_fail(const struct ctx *c, struct result result);
