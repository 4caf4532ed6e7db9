/* SPDX-License-Identifier: Apache-2.0
 * Small documents from the web, and answers to forms, over HTTPS: without redirects and proxies, bounded in size and
 * time, and only from where web_reach.h allows. What the operator asks for comes from anywhere. It blocks: only for
 * threads that may wait. */
#pragma once

#include "base/ctx.h"

struct web_reach;

struct web_fetch {
	const char *url;
	/* SHA-1 digests, in hex, of certificates that vouch for the server if no authority that the
	 * system knows does. */
	struct strs thumbprints;
	size_t cap_size;
	int64_t timeout_ms;      /* for the whole transfer */
	struct web_reach *reach; /* NULL: nothing is configured */
	/* The operator named it: by http and file, too, from this machine's own files and addresses, and along
	 * redirects. Those of HTTPS stay with HTTPS. */
	bool from_anywhere;
	/* What is sent by POST, as application/x-www-form-urlencoded; none: it is a GET. */
	struct str form;
	const char *user, *password; /* by HTTP Basic; both NULL: without */
};

/* Fetches a document into c's arena. Nothing is sent to a server before somebody vouches for it. ERR_IO: the server cannot be
 * reached, nobody vouches for it, it sends too much, or it does not answer 200. ERR_NOT_FOUND: of what comes from anywhere, there is
 * no such document. ERR_DENIED: it refuses a form with 400 or 401. */
RESULT web_fetch_get(struct ctx *c, const struct web_fetch *f, struct str *ret_body);
