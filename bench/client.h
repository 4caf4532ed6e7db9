/* SPDX-License-Identifier: Apache-2.0
 * What the benchmark's programs share: NAME=VALUE arguments, EC2 requests that are signed and OpenStack's
 * with a token, and a plain blocking HTTP/1.1 exchange over a kept connection. One thread. */
#pragma once

#include "base/buf.h"
#include "base/ctx.h"

/* Who is called, and as whom. */
struct target {
	struct str host; /* "127.0.0.1:8788" */
	struct str key_id, secret, region;
	struct str token; /* of the identity service; for a target without a key */
};

/* What is asked for. With a key it is EC2's: a signed POST of the body, a form, to "/". */
struct client_request {
	const char *method; /* NULL: GET */
	struct str path, body;
};

/* Of the arguments "NAME=VALUE": the value, or absent. */
struct str arg_text(int argc, char **argv, const char *name, struct str absent);
int64_t arg_int(int argc, char **argv, const char *name, int64_t absent);
/* host=, key=, secret=, region=, token=. */
struct target arg_target(int argc, char **argv);

/* The request's text, in c's arena; what is signed is signed now. */
RESULT client_write_request(struct ctx *c, const struct target *target, const struct client_request *request,
			    struct str *ret_text);
/* A connected socket without delay; the caller's. ERR_GONE. */
RESULT client_connect(struct ctx *c, struct str host, int *ret_fd);
/* Where an answer's head ends and how long its body is; false while the head is not whole. */
bool client_read_head(struct str bytes, size_t *ret_head_size, int64_t *ret_body_size, int *ret_status);
/* Sends the request and waits for the whole answer; its body goes to the end of *ret_body. ERR_GONE. */
RESULT client_exchange(struct ctx *c, int fd, struct str request, struct buf *ret_body, int *ret_status);
/* Both; the body is all of *ret_body. */
RESULT client_ask(struct ctx *c, const struct target *target, int fd, const struct client_request *request,
		  struct buf *ret_body, int *ret_status);
/* The same, and ERR_INVALID with the answer when the status is not one of success. */
RESULT client_call(struct ctx *c, const struct target *target, int fd, const struct client_request *request,
		   struct buf *ret_body);
/* What stands between the first of `open` and the `close` after it: "<id>" and '<', say; empty when there is
 * none. */
struct str client_find_text(struct str text, const char *open, char close);
/* Prints what went wrong; the exit status. */
int client_fail(const struct ctx *c, struct result result);
