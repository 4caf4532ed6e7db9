/* SPDX-License-Identifier: Apache-2.0
 * Posts a message to a server that an account chose: without redirects and proxies, and only to where egress_policy.h allows.
 * Blocks, so use threads that may wait. */
#pragma once

#include "base/ctx.h"

struct egress_policy;

enum { WEB_POST_HEADERS_MAX = 8 };

struct web_post {
	const char *url;                           /* http or https */
	struct egress_policy *reach;               /* NULL: default rules */
	const char *headers[WEB_POST_HEADERS_MAX]; /* "Name: value"; NULL-terminated */
	struct str body;
	int64_t timeout_ms; /* entire transfer */
	/* result: */
	int status;
};

/* OK: the server answered, with *p->status. ERR_IO, with a message: it did not, is not trusted, or is out of bounds. */
RESULT web_post_send(struct ctx *c, struct web_post *p);
