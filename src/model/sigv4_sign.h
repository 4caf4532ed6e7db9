/* SPDX-License-Identifier: Apache-2.0
 * AWS Signature Version 4 as text and digests: the canonical request, the signing key and the signature. The
 * verifier of incoming requests (auth/key/sigv4.h) and clients of other clouds use it. Pure functions; any thread. */
#pragma once

#include "base/crypto.h"
#include "base/ctx.h"

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

/* Signs a request of our own. Returns the values of the Authorization and X-Amz-Date headers. */
struct sigv4_signing {
	struct str key_id, secret, region, service, method, path, query, body, host;
	int64_t at_us;
	/* Further headers to be signed: names in lower case, in alphabetical order, between host and x-amz-date. */
	const struct sigv4_header *more;
	size_t more_count;
};
RESULT sigv4_sign(struct ctx *c, const struct sigv4_signing *request, struct str *ret_authorization,
		  struct str *ret_amz_date);
