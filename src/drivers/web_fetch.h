/* SPDX-License-Identifier: Apache-2.0
 * Small documents from the web, over HTTPS: without redirects and proxies, bounded in size and
 * time, and only from where web_reach.h allows. It blocks: only for threads that may wait. */
#pragma once

#include "base/ctx.h"

struct web_reach;

struct web_fetch {
	const char *url;
	/* SHA-1 digests, in hex, of certificates that vouch for the server where no authority does that the
	 * system knows. */
	struct strs thumbprints;
	size_t cap_size;
	int64_t timeout_ms;      /* in all */
	struct web_reach *reach; /* NULL: nothing is configured */
};

/* Into c's arena. ERR_IO: it could not be reached, is not vouched for, is larger, or did not answer 200. */
RESULT web_fetch_get(struct ctx *c, const struct web_fetch *f, struct str *ret_body);
