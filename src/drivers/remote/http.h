/* SPDX-License-Identifier: Apache-2.0
 * Private to drivers/remote/: one request to a cloud by libcurl, without redirects and proxies, bounded in time
 * and size. */
#pragma once

#include "base/buf.h"
#include "drivers/remote.h"

enum { REMOTE_ANSWER_CAP = 32 << 20, REMOTE_HEADERS_MAX = 8, REMOTE_CONNECT_MS = 10000 };

struct remote_request {
	struct str url;
	struct str form;                         /* body, application/x-www-form-urlencoded */
	const char *headers[REMOTE_HEADERS_MAX]; /* "Name: value"; NULL-terminated */
};

struct remote_answer {
	int status;
	struct buf body; /* to be freed with buf_done(), after a failure, too */
};

/* Sends the request. OK for every status except 3xx, which is ERR_IO. */
RESULT remote_send(struct ctx *c, struct remote *r, const struct remote_request *request,
		   struct remote_answer *ret_answer);

/* The parts of an endpoint's URL that a signature covers, in the arena. ERR_INVALID with the field `endpoint`:
 * no URL of http or https, or one with a password, a query or a fragment. */
struct remote_url {
	struct str scheme, host, path; /* host with the port, unless it is the scheme's */
};
RESULT remote_parse_url(struct ctx *c, struct str url, struct remote_url *ret_url);
