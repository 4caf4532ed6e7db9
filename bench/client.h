/* SPDX-License-Identifier: Apache-2.0
 * What the benchmark's programs share: NAME=VALUE arguments, signed EC2 requests, and a plain
 * blocking HTTP/1.1 exchange over a kept connection. One thread. */
#pragma once

#include "base/buf.h"
#include "base/ctx.h"

/* Who is called, and as whom. */
struct target {
	struct str host; /* "127.0.0.1:8788" */
	struct str key_id, secret, region;
	struct str token; /* of the identity service, for a GET; empty: none */
};

/* Of the arguments "NAME=VALUE": the value, or absent. */
struct str arg_text(int argc, char **argv, const char *name, struct str absent);
int64_t arg_int(int argc, char **argv, const char *name, int64_t absent);
/* host=, key=, secret=, region=, token=. */
struct target arg_target(int argc, char **argv);

/* The text of a POST of that form, signed now; of GET path where the target has no key. In c's arena. */
RESULT client_write_request(struct ctx *c, const struct target *target, struct str form, struct str path,
			    struct str *ret_request);
/* A connected socket without delay; the caller's. ERR_GONE. */
RESULT client_connect(struct ctx *c, struct str host, int *ret_fd);
/* Where an answer's head ends and how long its body is; false while the head is not whole. */
bool client_read_head(struct str bytes, size_t *ret_head_size, int64_t *ret_body_size, int *ret_status);
/* Sends the request and waits for the whole answer; its body goes to the end of *ret_body. ERR_GONE. */
RESULT client_exchange(struct ctx *c, int fd, struct str request, struct buf *ret_body, int *ret_status);
/* The same with a form: ERR_INVALID with the answer for another status than 200. */
RESULT client_call(struct ctx *c, const struct target *target, int fd, struct str form, struct buf *ret_body);
/* The text between the first <name> and </name>; empty when there is none. */
struct str client_find_text(struct str xml, const char *name);
/* Prints what went wrong; the exit status. */
int client_fail(const struct ctx *c, struct result result);
