/* SPDX-License-Identifier: Apache-2.0
 * Sign-ins that an identity provider ends: the sealed cookie between the two requests of the browser. */
#include "api/native/sign_in/begun.h"

#include "auth/sign_in/federated.h"
#include "base/clock.h"
#include "http/cookie.h"

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
	call_set_answer_header(e->call, "Set-Cookie",
			       str_print(e->c->arena,
					 "%s=%" STR_FMT "; Path=/; HttpOnly; SameSite=%s%s; Max-Age=%d",
					 cookie_name(e, way), STR_ARG(value), comes_by_post ? "None" : "Lax",
					 e->call->is_tls ? "; Secure" : "",
					 value.n ? (int) (FEDERATED_BEGUN_US / SECOND) : 0));
}

static const char *purpose_of(struct native_call *e, const char *way)
{
	return str_to_z(e->c->arena, str_print(e->c->arena, "console-%s", way));
}

RESULT native_seal_begun(struct native_call *e, const char *way, uuid provider, struct str *ret_secret)
{
	struct str cookie = STR_NONE;
	TRY(federated_seal(e->c, e->config->master_key, purpose_of(e, way), provider, ret_secret, &cookie));
	set_cookie(e, way, cookie);
	return OK;
}

bool native_open_begun(struct native_call *e, const char *way, uuid provider, struct str *ret_secret,
		       int64_t *ret_until_us)
{
	return federated_open(e->c, e->config->master_key, purpose_of(e, way), provider,
			      cookie_find(e->call, cookie_name(e, way)), ret_secret, ret_until_us);
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
