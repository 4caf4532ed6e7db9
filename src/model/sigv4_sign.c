/* SPDX-License-Identifier: Apache-2.0
 * The canonical request of Signature Version 4, its signature, and signing requests of our own. Pure
 * functions. Source: "Create a signed AWS API request", IAM User Guide; details that it leaves open (empty
 * segments, repeated headers) follow botocore's auth.py. */
#include "model/sigv4_sign.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/vec.h"

enum { SIGNED_MAX = 8 };

/* Decodes a piece of a query and encodes it again in AWS's canonical form. */
static struct str recode(struct arena *a, struct str piece)
{
	struct str plain = piece;
	if (!result_is_ok(str_decode_url(a, piece, &plain)))
		plain = piece; /* an invalid escape stands for itself */
	return str_encode_url(a, plain, false);
}

static int compare_pairs(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;
	int order = str_compare(x->name, y->name);
	return order ? order : str_compare(x->value, y->value);
}

static void add_query(struct arena *a, struct buf *b, struct str query)
{
	VEC(struct pair) pairs = {0};
	struct str piece;
	while (str_split_next(&query, '&', &piece)) {
		size_t mark = str_find_char(piece, '=', 0);
		struct pair pair = {recode(a, str_slice(piece, 0, mark)),
				    recode(a, str_slice(piece, mark + 1, piece.n))};
		if (str_is_empty(piece) || str_is(pair.name, "X-Amz-Signature"))
			continue;
		if (!VEC_PUSH(a, &pairs, pair))
			return;
	}
	if (pairs.count > 1)
		qsort(pairs.at, pairs.count, sizeof pairs.at[0], compare_pairs);
	for (size_t k = 0; k < pairs.count; k++) {
		if (k)
			buf_add_char(b, '&');
		buf_add_str(b, pairs.at[k].name);
		buf_add_char(b, '=');
		buf_add_str(b, pairs.at[k].value);
	}
}

/* Removes empty and dot segments (RFC 3986, 5.2.4) and encodes again, as every service except S3 requires. */
static void add_path(struct arena *a, struct buf *b, struct str path)
{
	VEC(struct str) segments = {0};
	struct str rest = path, segment;
	while (str_split_next(&rest, '/', &segment)) {
		if (str_is_empty(segment) || str_is(segment, "."))
			continue;
		if (str_is(segment, "..")) {
			segments.count -= segments.count > 0;
			continue;
		}
		if (!VEC_PUSH(a, &segments, segment))
			return;
	}
	for (size_t k = 0; k < segments.count; k++) {
		buf_add_char(b, '/');
		buf_add_str(b, str_encode_url(a, segments.at[k], false));
	}
	if (segments.count == 0 || str_ends_with(path, STR("/")))
		buf_add_char(b, '/');
}

/* Trims the value and collapses runs of spaces. */
static void add_header_value(struct buf *b, struct str value)
{
	bool was_space = false;
	value = str_trim(value);
	for (size_t k = 0; k < value.n; k++) {
		bool is_space = value.p[k] == ' ';
		if (!(is_space && was_space))
			buf_add_char(b, value.p[k]);
		was_space = is_space;
	}
}

static void add_header(struct buf *b, const struct sigv4_request *request, struct str name)
{
	bool is_first = true;
	buf_add_str(b, name);
	buf_add_char(b, ':');
	for (size_t k = 0; k < request->header_count; k++) {
		if (!str_equal_nocase(request->headers[k].name, name))
			continue;
		if (!is_first)
			buf_add_char(b, ',');
		is_first = false;
		add_header_value(b, request->headers[k].value);
	}
	buf_add_char(b, '\n');
}

struct str sigv4_make_canonical(struct arena *a, const struct sigv4_request *request)
{
	struct buf b;
	struct str rest = request->signed_headers, name;
	buf_init(&b, ARENA_REQUEST_CAP);
	buf_add_str(&b, request->method);
	buf_add_char(&b, '\n');
	add_path(a, &b, request->path);
	buf_add_char(&b, '\n');
	add_query(a, &b, request->query);
	buf_add_char(&b, '\n');
	while (str_split_next(&rest, ';', &name))
		add_header(&b, request, name);
	buf_add_char(&b, '\n');
	buf_add_str(&b, request->signed_headers);
	buf_add_char(&b, '\n');
	buf_add_str(&b, request->payload_hash);
	struct str canonical = b.failed || arena_is_full(a) ? STR_NONE : str_copy(a, buf_str(&b));
	buf_done(&b);
	return canonical;
}

void sigv4_derive_key(struct str secret, const struct sigv4_scope *scope, uint8_t out[static SHA256_SIZE])
{
	char first[4 + 256] = "AWS4";
	/* our secrets have 40 characters */
	size_t size = secret.n < sizeof first - 4 ? secret.n : sizeof first - 4;
	memcpy(first + 4, secret.p, size);
	crypto_hmac_sha256(first, 4 + size, scope->date, out);
	crypto_hmac_sha256(out, SHA256_SIZE, scope->region, out);
	crypto_hmac_sha256(out, SHA256_SIZE, scope->service, out);
	crypto_hmac_sha256(out, SHA256_SIZE, STR("aws4_request"), out);
	crypto_wipe(first, sizeof first);
}

struct str sigv4_hash_hex(struct arena *a, struct str data)
{
	uint8_t hash[SHA256_SIZE];
	crypto_sha256(data, hash);
	return str_encode_hex(a, hash, sizeof hash);
}

struct str sigv4_make_signature(struct arena *a, const uint8_t key[static SHA256_SIZE], struct str amz_date,
				struct str scope, struct str canonical)
{
	uint8_t mac[SHA256_SIZE];
	struct str hash = sigv4_hash_hex(a, canonical);
	struct str to_sign = str_print(a, "AWS4-HMAC-SHA256\n%" STR_FMT "\n%" STR_FMT "\n%" STR_FMT,
				       STR_ARG(amz_date), STR_ARG(scope), STR_ARG(hash));
	if (!canonical.p || !to_sign.p)
		return STR_NONE;
	crypto_hmac_sha256(key, SHA256_SIZE, to_sign, mac);
	return str_encode_hex(a, mac, sizeof mac);
}

RESULT sigv4_sign(struct ctx *c, const struct sigv4_signing *signing, struct str *ret_authorization,
		  struct str *ret_amz_date)
{
	char basic[CLOCK_TEXT_SIZE];
	uint8_t key[SHA256_SIZE];
	struct str amz_date = str_copy(c->arena, str_from(clock_write_basic(signing->at_us, basic)));
	struct sigv4_scope scope = {
		.date = str_slice(amz_date, 0, 8), .region = signing->region, .service = signing->service};
	scope.text = str_print(c->arena, "%" STR_FMT "/%" STR_FMT "/%" STR_FMT "/aws4_request",
			       STR_ARG(scope.date), STR_ARG(scope.region), STR_ARG(scope.service));
	struct sigv4_header headers[SIGNED_MAX] = {{STR("host"), signing->host}};
	struct str names = STR("host");
	size_t count = 1;
	for (size_t k = 0; k < signing->more_count && count < SIGNED_MAX - 1; k++, count++) {
		headers[count] = signing->more[k];
		names = str_print(c->arena, "%" STR_FMT ";%" STR_FMT, STR_ARG(names),
				  STR_ARG(signing->more[k].name));
	}
	headers[count++] = (struct sigv4_header){STR("x-amz-date"), amz_date};
	names = str_print(c->arena, "%" STR_FMT ";x-amz-date", STR_ARG(names));
	const struct sigv4_request request = {
		.method = signing->method,
		.path = signing->path,
		.query = signing->query,
		.headers = headers,
		.header_count = count,
		.signed_headers = names,
		.payload_hash = sigv4_hash_hex(c->arena, signing->body),
	};
	sigv4_derive_key(signing->secret, &scope, key);
	struct str signature = sigv4_make_signature(c->arena, key, amz_date, scope.text,
						    sigv4_make_canonical(c->arena, &request));
	crypto_wipe(key, sizeof key);
	struct str authorization =
		str_print(c->arena,
			  "AWS4-HMAC-SHA256 Credential=%" STR_FMT "/%" STR_FMT ", SignedHeaders=%" STR_FMT
			  ", Signature=%" STR_FMT,
			  STR_ARG(signing->key_id), STR_ARG(scope.text), STR_ARG(names), STR_ARG(signature));
	if (!signature.p || !authorization.p)
		return ctx_no_memory(c);
	*ret_authorization = authorization;
	*ret_amz_date = amz_date;
	return OK;
}
