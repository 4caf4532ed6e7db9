/* SPDX-License-Identifier: Apache-2.0
 * Sign-ins that an identity provider ends: the sealed cookie between the two requests of the browser. */
#include "api/native/sign_in/begun.h"

#include "base/clock.h"
#include "base/random.h"
#include "http/cookie.h"

enum { STAMP_SIZE = 8 };
#define BEGUN_US (10 * MINUTE) /* time to sign in at the provider */

static const char *cookie_name(struct native_call *e, const char *way)
{
	return str_to_z(e->c->arena,
			str_print(e->c->arena, "%sdari-%s", e->call->is_tls ? "__Host-" : "", way));
}

/* The browser returns from the provider's site. OpenID Connect's redirect is a GET, which SameSite=Lax permits. SAML's response comes
 * by POST, with which browsers send cookies of SameSite=None alone, and those need TLS. */
static void set_cookie(struct native_call *e, const char *way, struct str value)
{
	bool comes_by_post = strcmp(way, "saml") == 0 && e->call->is_tls;
	call_set_answer_header(
		e->call, "Set-Cookie",
		str_print(e->c->arena, "%s=%" STR_FMT "; Path=/; HttpOnly; SameSite=%s%s; Max-Age=%d",
			  cookie_name(e, way), STR_ARG(value), comes_by_post ? "None" : "Lax",
			  e->call->is_tls ? "; Secure" : "", value.n ? (int) (BEGUN_US / SECOND) : 0));
}

/* Associated data of the sealed cookie: the cookie opens for its provider and purpose only. */
static struct str bound_to(struct arena *a, const char *way, uuid provider)
{
	char id[UUID_TEXT_SIZE];
	return str_print(a, "console-%s %s", way, uuid_write(provider, id));
}

struct str native_derive_begun(struct arena *a, struct str secret, const char *what)
{
	uint8_t mac[SHA256_SIZE];
	crypto_hmac_sha256(secret.p, secret.n, str_from(what), mac);
	return str_encode_base64url(a, (struct str){(const char *) mac, sizeof mac});
}

RESULT native_seal_begun(struct native_call *e, const char *way, uuid provider, struct str *ret_secret)
{
	char *plain = arena_alloc(e->c->arena, BEGUN_SECRET_SIZE + STAMP_SIZE);
	int64_t now_us = clock_now_us();
	struct str sealed = STR_NONE;
	if (!plain)
		return ctx_no_memory(e->c);
	random_bytes(plain, BEGUN_SECRET_SIZE);
	memcpy(plain + BEGUN_SECRET_SIZE, &now_us, STAMP_SIZE);
	TRY(crypto_seal(e->c, e->config->master_key, bound_to(e->c->arena, way, provider),
			(struct str){plain, BEGUN_SECRET_SIZE + STAMP_SIZE}, &sealed));
	*ret_secret = (struct str){plain, BEGUN_SECRET_SIZE};
	struct str cookie = str_encode_base64url(e->c->arena, sealed);
	if (!cookie.p)
		return ctx_no_memory(e->c);
	set_cookie(e, way, cookie);
	return OK;
}

bool native_open_begun(struct native_call *e, const char *way, uuid provider, struct str *ret_secret,
		       int64_t *ret_until_us)
{
	struct str sealed = STR_NONE, plain = STR_NONE;
	int64_t begun_us = 0;
	bool is_open = result_is_ok(str_decode_base64url(
			       e->c->arena, cookie_find(e->call, cookie_name(e, way)), &sealed)) &&
		       result_is_ok(crypto_open(e->c, e->config->master_key,
						bound_to(e->c->arena, way, provider), sealed, &plain)) &&
		       plain.n == BEGUN_SECRET_SIZE + STAMP_SIZE;
	ctx_clear_problem(e->c);
	if (!is_open)
		return false;
	memcpy(&begun_us, plain.p + BEGUN_SECRET_SIZE, STAMP_SIZE);
	*ret_secret = str_slice(plain, 0, BEGUN_SECRET_SIZE);
	*ret_until_us = begun_us + BEGUN_US;
	return begun_us <= clock_now_us() && clock_now_us() < *ret_until_us;
}

void native_forget_begun(struct native_call *e, const char *way)
{
	set_cookie(e, way, STR_NONE);
}

RESULT native_lead_to(struct native_call *e, struct str place)
{
	if (!place.p)
		return ctx_no_memory(e->c);
	call_set_answer_header(e->call, "Location", place);
	e->status = 303;
	e->has_no_body = true;
	return OK;
}

RESULT native_fail_begun(struct native_call *e, const char *why, const char *words)
{
	e->why = why;
	return ctx_fail(e->c, ERR_UNAUTHENTICATED, "%s", words);
}

RESULT native_check_begun_wire(struct native_call *e)
{
	e->why = "wire";
	TRY(native_check_wire(e));
	e->why = NULL;
	return OK;
}
