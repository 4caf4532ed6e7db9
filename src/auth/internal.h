/* SPDX-License-Identifier: Apache-2.0
 * Shared by the files of Signature Version 4: the canonical request and its signature (canonical.c), and the
 * cache of derived signing keys (cache.c). */
#pragma once

#include <pthread.h>

#include "auth/sigv4.h"
#include "base/crypto.h"

struct sigv4_header {
	struct str name, value;
};

/* A request as it is sent. */
struct sigv4_request {
	struct str method;
	struct str path, query; /* not decoded */
	const struct sigv4_header *headers;
	size_t header_count;
	struct str signed_headers; /* for example "host;x-amz-date" */
	struct str payload_hash;   /* hex SHA-256 of the body */
};

/* Credential scope: where and when a signature is valid. */
struct sigv4_scope {
	struct str date; /* for example 20150830 */
	struct str region, service;
	struct str text; /* for example "20150830/us-east-1/iam/aws4_request" */
};

enum { SIGNATURE_HEX_SIZE = 2 * SHA256_SIZE };

/* In the arena; empty if it is full (which it remembers). Any thread. */
struct str sigv4_make_canonical(struct arena *a, const struct sigv4_request *request);
void sigv4_derive_key(struct str secret, const struct sigv4_scope *scope, uint8_t out[static SHA256_SIZE]);
/* Hex; amz_date is for example 20150830T123600Z. Empty if the arena is full. */
struct str sigv4_make_signature(struct arena *a, const uint8_t key[static SHA256_SIZE], struct str amz_date,
				struct str scope, struct str canonical);
struct str sigv4_hash_hex(struct arena *a, struct str data);

/* ---- derived keys ---- */

enum { CACHE_SETS = 128, CACHE_WAYS = 8, CACHE_SCOPE_SIZE = 80 };

struct cached_key {
	uuid row;        /* id of the access key; none: free */
	uint64_t commit; /* version of its row: any change, such as disabling, makes another one */
	uint64_t used;   /* counter of the set at the last hit */
	size_t scope_size;
	char scope[CACHE_SCOPE_SIZE];
	uint8_t key[SHA256_SIZE];
};

/* All scopes of one access key are in the same set. */
struct cache_set {
	uint64_t uses;
	struct cached_key ways[CACHE_WAYS];
};

/* The locks are apart from the sets, so that pages of unused sets are never touched. */
struct key_cache {
	pthread_mutex_t locks[CACHE_SETS];
	struct cache_set sets[CACHE_SETS];
};

void cache_init(struct key_cache *cache); /* the cache must be zeroed */
void cache_done(struct key_cache *cache); /* wipes the keys */
bool cache_find(struct key_cache *cache, uuid row, uint64_t commit, struct str scope,
		uint8_t ret_key[static SHA256_SIZE]);
/* Replaces the least recently used entry of the set, and wipes entries of older versions of the row. */
void cache_put(struct key_cache *cache, uuid row, uint64_t commit, struct str scope,
	       const uint8_t key[static SHA256_SIZE]);
void cache_forget(struct key_cache *cache, uuid row); /* wipes all entries of the access key */
