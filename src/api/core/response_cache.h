/* SPDX-License-Identifier: Apache-2.0
 * A bounded cache of whole answers. An answer to a read depends only on the published rows, the caller and the
 * parameters. Until a commit changes a kind of rows that the answer was made from, repeated calls get the same bytes, with
 * request ids of their own, so polling clients cost little. The record of what was read (base/reads.h) decides, not a list in
 * the action. Entries may be dropped at any time. Any thread. */
#pragma once

#include "base/reads.h"
#include "base/uuid.h"
#include "http/server.h"
#include "model/identity.h"
#include "store/store.h"

struct response_cache;

/* Shorter answers are quickly written, longer ones take too much room. */
enum { RESPONSE_SIZE_MIN = 8 * 1024, RESPONSE_SIZE_MAX = 1024 * 1024, RESPONSE_DIGEST_SIZE = 64 };

/* Rights are part of each key, so that no face can forget them: an administrator's list has rows that other callers of the account may
 * not see. A face whose answers also depend on the user adds the user to the digest. */
struct response_key {
	uuid account, domain, trust;
	uuid application_credential, iam_role; /* may narrow what the user may see */
	enum identity_scope scope;
	unsigned rights;
	bool is_operator, is_owner, is_restricted;
	char digest[RESPONSE_DIGEST_SIZE]; /* of all parameters */
};
/* Fills all but the digest. */
void response_key_set_caller(struct response_key *key, const struct identity *who);

/* Caches answers of at least so many bytes: RESPONSE_SIZE_MIN, or less in tests. NULL when out of memory. At most 32 MiB, taken as
 * answers come, and 16 file descriptors. */
struct response_cache *response_cache_new(size_t size_min);
void response_cache_free(struct response_cache *m); /* NULL: nothing; answers on their way go on */

/* Answers the call if there is an answer of that key that is right in the view. False: there is none, or memory is out; in the
 * latter case, as after an answer, the view's reading has ended. A client that takes gzip gets the answer compressed. */
bool response_cache_send(struct response_cache *m, const struct response_key *key, struct view *v,
			 struct call *call, const char *content_type);
/* Answers the call with the body, and caches it for the next one if its size is right. Where the call's
 * request id stands early in it, each call gets its own there. An answer made from the clock, or from sources outside the store,
 * is not cached. Takes the buffer's memory. ERR_NO_MEMORY: not answered. */
RESULT response_cache_add(struct response_cache *m, const struct response_key *key, const struct reads *reads,
			  struct call *call, const char *content_type, struct buf *body);

/* Drops the answers that no call has got since the last time. heap_trim_slack() calls it, so that a peak's memory is given back. */
void response_cache_trim(struct response_cache *m);

/* Sums of all caches of the process. */
struct response_cache_figures {
	uint64_t hits, misses; /* misses: calls whose answer might have been cached */
	uint64_t zipped;       /* hits that were sent compressed */
	uint64_t
		unkept; /* misses whose answer is not cached: it depends on the clock, or on a source outside the store */
	uint64_t size; /* bytes held now */
};
void response_cache_read_figures(struct response_cache_figures *ret_figures);
