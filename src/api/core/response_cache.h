/* SPDX-License-Identifier: Apache-2.0
 * A bounded cache of whole answers. An answer to a read depends only on the published rows, the caller and the
 * parameters. Until the next commit, repeated calls get the same bytes without a copy, with request ids of their
 * own, so polling clients cost little. Entries may be dropped at any time. Any thread. */
#pragma once

#include "base/uuid.h"
#include "http/server.h"

struct response_cache;

/* Shorter answers are quickly written, longer ones take too much room. */
enum { RESPONSE_SIZE_MIN = 8 * 1024, RESPONSE_SIZE_MAX = 1024 * 1024, RESPONSE_DIGEST_SIZE = 64 };

struct response_key {
	uuid account;
	uint64_t commit;                   /* the view's */
	char digest[RESPONSE_DIGEST_SIZE]; /* of all parameters */
};

/* NULL when out of memory. At most 32 MiB, taken as answers come, and 16 file descriptors. */
struct response_cache *response_cache_new(void);
void response_cache_free(struct response_cache *m); /* NULL: nothing; answers on their way go on */

/* Answers the call if there is an answer of that key; false: there is none. */
bool response_cache_send(struct response_cache *m, const struct response_key *key, struct call *call,
			 const char *content_type);
/* Answers the call with the body, and caches it for the next one if its size is right. Where the call's
 * request id stands early in it, each call gets its own there. Takes the buffer's memory. ERR_NO_MEMORY: not
 * answered. */
RESULT response_cache_add(struct response_cache *m, const struct response_key *key, struct call *call,
			  const char *content_type, struct buf *body);
