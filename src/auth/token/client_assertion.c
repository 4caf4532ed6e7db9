/* SPDX-License-Identifier: Apache-2.0
 * Reads and verifies client assertions signed with a certificate's key. */
#include "auth/token/client_assertion.h"

#include <jansson.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/crypto_issue.h"

#define TIME_S_MAX (INT64_C(1) << 40)

static json_t *parse(struct arena *a, struct str part)
{
	struct str text = STR_NONE;
	if (!result_is_ok(str_decode_base64url(a, part, &text)) || !text.n)
		return NULL;
	return json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, NULL);
}

static struct str take_text(struct arena *a, const json_t *object, const char *name)
{
	const json_t *text = json_object_get(object, name);
	return json_is_string(text)
		       ? str_copy(a, (struct str){json_string_value(text), json_string_length(text)})
		       : STR_NONE;
}

static int64_t take_time(const json_t *object, const char *name)
{
	double seconds = json_number_value(json_object_get(object, name));
	return seconds > 0 && seconds < (double) TIME_S_MAX ? (int64_t) seconds * SECOND : 0;
}

/* MSAL for Python adds padding; other libraries do not. */
static struct str take_digest(struct arena *a, const json_t *header, const char *name)
{
	struct str text = take_text(a, header, name);
	while (str_ends_with(text, STR("=")))
		text.n--;
	return text;
}

static bool read_header(struct arena *a, const json_t *header, struct client_assertion *out)
{
	struct str algorithm = take_text(a, header, "alg"), sha1 = take_digest(a, header, "x5t");
	struct str sha256 = take_digest(a, header, "x5t#S256");
	out->is_pss = str_is(algorithm, "PS256");
	out->is_sha256 = sha256.n;
	return (out->is_pss || str_is(algorithm, "RS256")) && (sha1.n || sha256.n) &&
	       !json_object_get(header, "crit") &&
	       result_is_ok(str_decode_base64url(a, sha256.n ? sha256 : sha1, &out->thumbprint));
}

/* A compact JWS (RFC 7515): header, claims and signature in base64url, with dots between. */
RESULT client_assertion_read(struct ctx *c, struct str text, struct client_assertion *ret_assertion)
{
	struct client_assertion out = {0};
	struct str rest = text, head, claims, signature;
	json_t *header = NULL, *body = NULL;
	bool is_whole = text.n <= CLIENT_ASSERTION_MAX && str_split_next(&rest, '.', &head) &&
			str_split_next(&rest, '.', &claims) && str_split_next(&rest, '.', &signature) &&
			!rest.n && result_is_ok(str_decode_base64url(c->arena, signature, &out.signature));
	if (is_whole) {
		out.signed_part = str_slice(text, 0, head.n + 1 + claims.n);
		header = parse(c->arena, head);
		body = parse(c->arena, claims);
		is_whole = read_header(c->arena, header, &out) && json_is_object(body);
		out.issuer = take_text(c->arena, body, "iss");
		out.subject = take_text(c->arena, body, "sub");
		out.audience = take_text(c->arena, body, "aud");
		out.until_us = take_time(body, "exp");
		out.from_us = take_time(body, "nbf");
	}
	json_decref(header);
	json_decref(body);
	if (!is_whole)
		return ctx_fail(c, ERR_INVALID, "The assertion is no JSON Web Token of RS256 or PS256.");
	*ret_assertion = out;
	return arena_is_full(c->arena) ? ctx_no_memory(c) : OK;
}

bool client_assertion_names(const struct client_assertion *a, struct str cert_pem)
{
	uint8_t sum[SHA256_SIZE];
	size_t size = crypto_digest_certificate(cert_pem, a->is_sha256, sum);
	return size && a->thumbprint.n == size && memcmp(sum, a->thumbprint.p, size) == 0;
}

bool client_assertion_proves(struct ctx *c, const struct client_assertion *a, struct str cert_pem)
{
	int64_t from_us = 0, until_us = 0, now_us = clock_now_us();
	bool is_valid = result_is_ok(crypto_read_validity(c, cert_pem, &from_us, &until_us)) &&
			from_us <= now_us && now_us < until_us;
	ctx_clear_problem(c);
	return is_valid && client_assertion_names(a, cert_pem) &&
	       crypto_verify_certificate(cert_pem, a->is_pss, a->signed_part, a->signature);
}
