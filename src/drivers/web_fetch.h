/* SPDX-License-Identifier: Apache-2.0
 * Fetches small documents and submits forms over HTTPS: without redirects and proxies, limited in size and
 * time, and only from where egress_policy.h allows. Requests by the operator may go anywhere. Blocks, so use
 * threads that may wait. */
#pragma once

#include "base/ctx.h"

struct egress_policy;

struct web_fetch {
	const char *url;
	/* SHA-1 digests, in hex, of certificates to trust if no CA of the system does. */
	struct strs thumbprints;
	size_t cap_size;
	int64_t timeout_ms;          /* entire transfer */
	struct egress_policy *reach; /* NULL: default rules */
	/* Requested by the operator: allows http and file too, this machine's files and addresses, and
	 * redirects. Redirects from HTTPS stay with HTTPS. */
	bool from_anywhere;
	/* POST body, as application/x-www-form-urlencoded; none: GET. */
	struct str form;
	const char *user, *password; /* HTTP Basic; both NULL: none */
};

/* Fetches a document into c's arena. Sends nothing before the server's certificate is trusted. ERR_IO:
 * unreachable, not trusted, too large, or a status other than 200. ERR_NOT_FOUND: no such document
 * (from_anywhere only). ERR_DENIED: a form was refused with 400 or 401. */
RESULT web_fetch_get(struct ctx *c, const struct web_fetch *f, struct str *ret_body);
