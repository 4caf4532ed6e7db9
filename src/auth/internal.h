/* SPDX-License-Identifier: Apache-2.0
 * What the files of Signature Version 4 share: the canonical request and the signature made from
 * it (canonical.c), and the cache of derived signing keys (cache.c). */
#pragma once

#include <pthread.h>

#include "auth/sigv4.h"
#include "base/crypto.h"

struct sigv4_header {
	struct str name, value;
};

/* What is signed, as it goes over the wire. */
struct sigv4_request {
	struct str method;
	struct str path, query; /* undecoded */
	const struct sigv4_header *headers;
	size_t header_count;
	struct str signed_headers; /* "host;x-amz-date" */
	struct str payload_hash;   /* hex SHA-256 of the body */
};

/* Where and when a signature holds. */
struct sigv4_scope {
	struct str date; /* 20150830 */
	struct str region, service;
	struct str text; /* "20150830/us-east-1/iam/aws4_request" */
};

enum { SIGNATURE_HEX_SIZE = 2 * SHA256_SIZE };

/* In c's arena; empty when it is full (its mark stays). Any thread. */
struct str sigv4_make_canonical(struct arena *a, const struct sigv4_request *request);
void sigv4_derive_key(struct str secret, const struct sigv4_scope *scope, uint8_t out[static SHA256_SIZE]);
/* Hex; amz_date is 20150830T123600Z. Empty when the arena is full. */
struct str sigv4_make_signature(struct arena *a, const uint8_t key[static SHA256_SIZE], struct str amz_date,
				struct str scope, struct str canonical);
struct str sigv4_hash_hex(struct arena *a, struct str data);

/* ---- derived keys ---- */

enum { CACHE_SETS = 128, CACHE_WAYS = 8, CACHE_SCOPE_SIZE = 80 };

struct cached_key {
	uuid row;        /* the access key's id; none: free */
	uint64_t commit; /* its version: disabling it, say, makes another */
	uint64_t used;   /* the set's count when last found */
	size_t scope_size;
	char scope[CACHE_SCOPE_SIZE];
	uint8_t key[SHA256_SIZE];
};

/* All scopes of one access key are in one set. */
struct cache_set {
	uint64_t uses;
	struct cached_key ways[CACHE_WAYS];
};

/* The locks, one for each set, are beside the sets: those that nobody used are then in no memory. */
struct key_cache {
	pthread_mutex_t locks[CACHE_SETS];
	struct cache_set sets[CACHE_SETS];
};

void cache_init(struct key_cache *cache); /* which is zeroed already */
void cache_done(struct key_cache *cache); /* wipes */
bool cache_find(struct key_cache *cache, uuid row, uint64_t commit, struct str scope,
		uint8_t ret_key[static SHA256_SIZE]);
/* Replaces the set's oldest. Older versions of the same row are wiped. */
void cache_put(struct key_cache *cache, uuid row, uint64_t commit, struct str scope,
	       const uint8_t key[static SHA256_SIZE]);
void cache_forget(struct key_cache *cache, uuid row); /* wipes all of that access key */
