/* SPDX-License-Identifier: Apache-2.0
 * Signing in to WinRM. It takes NTLM in the scheme Negotiate, and Basic if it is configured to, which is for https alone. NTLM signs a connection in:
 * its last message goes with a request, and later requests on the connection need none. A request with the last message that
 * arrives on another connection is refused, so that it is never carried out twice. Kerberos is not supported. Sources: RFC 4559,
 * MS-NLMP, MS-WSMV. */
#include "drivers/remote/hyperv/wsman_sign_in.h"

#include "base/clock.h"
#include "base/crypto.h"
#include "drivers/remote/hyperv/ntlm.h"

#define SESSION_US (25 * MINUTE)
#define CHALLENGE_START "Negotiate TlRMTVNTUAAC"
enum scheme { SCHEME_BASIC = 1, SCHEME_NTLM };

static int scheme_of(const struct remote *r)
{
	return remote_session_peek(r)->version;
}

/* Sends one request and reads its answer. authorization: value of that header; empty: none. start: start of the wanted
 * WWW-Authenticate. */
static RESULT exchange(struct wsman_link *l, struct str body, struct str authorization, const char *start,
		       bool only_reads, struct remote_answer *ret_answer)
{
	struct ctx *c = l->c;
	struct remote one = *l->r;
	struct remote_request request = {
		.url = l->url,
		.body = body,
		.only_reads = only_reads,
		.is_http1 = true,
		.headers = {"Content-Type: application/soap+xml;charset=UTF-8", "Expect:"},
		.wanted_header = "WWW-Authenticate",
		.wanted_start = start};
	if (authorization.n)
		request.headers[2] = str_to_z(
			c->arena, str_print(c->arena, "Authorization: %" STR_FMT, STR_ARG(authorization)));
	int64_t left_us = l->end_us - clock_steady_us();
	*ret_answer = (struct remote_answer){0};
	if (left_us < SECOND)
		return ctx_fail(c, ERR_TIMEOUT,
				"The provider is too slow: a call takes longer than %d seconds.",
				(int) (l->r->timeout_us / SECOND));
	one.timeout_us = left_us;
	struct result result = remote_send(c, &one, &request, ret_answer);
	l->r->wait_us = one.wait_us;
	return result;
}

static void drop(struct remote_answer *answer)
{
	buf_done(&answer->body);
	answer->body = (struct buf){0};
}

/* ---- NTLM ---- */

/* Sends the first message without a body. Empty: the server does not take NTLM. */
static RESULT ask_challenge(struct wsman_link *l, struct str *ret_base64)
{
	struct remote_answer answer;
	struct str first = str_print(l->c->arena, "Negotiate %" STR_FMT, STR_ARG(ntlm_write_negotiate(l->c)));
	struct result result = exchange(l, STR_NONE, first, CHALLENGE_START, true, &answer);
	struct str header = answer.header, scheme = STR("Negotiate ");
	int status = answer.status;
	drop(&answer);
	TRY(result);
	bool is_challenge = status == 401 && header.n > scheme.n;
	*ret_base64 = is_challenge ? str_trim(str_slice(header, scheme.n, header.n)) : STR_NONE;
	return OK;
}

static RESULT refuse(struct wsman_link *l)
{
	remote_session_close(remote_session_peek(l->r));
	return ctx_fail(l->c, ERR_UNAUTHENTICATED, "The server refuses the user or the password.");
}

/* True if the answer refuses the sign-in. A fault in the body is the API's. */
static bool is_refused(const struct remote_answer *answer)
{
	return answer->status == 401;
}

static RESULT post_signed(struct wsman_link *l, struct str body, struct remote_answer *ret_answer)
{
	struct ctx *c = l->c;
	struct str base64 = STR_NONE, last = STR_NONE;
	struct ntlm_challenge challenge;
	struct ntlm_nonce nonce;
	TRY(ask_challenge(l, &base64));
	if (!base64.n)
		return ctx_fail(c, ERR_AGAIN, "The server takes no NTLM for now.");
	TRY(ntlm_read_challenge(c, base64, &challenge));
	ntlm_make_nonce(&challenge, &nonce);
	TRY(ntlm_write_answer(c, l->r->login, l->r->secret, &challenge, &nonce, &last));
	TRY(exchange(l, body, str_print(c->arena, "Negotiate %" STR_FMT, STR_ARG(last)), "Negotiate", true,
		     ret_answer));
	if (!is_refused(ret_answer))
		return OK;
	return ret_answer->is_new
		       ? ctx_fail(c, ERR_AGAIN, "The server ended the connection before it answered.")
		       : refuse(l);
}

/* Requests that only read try a connection that is signed in already. */
static RESULT post_ntlm(struct wsman_link *l, struct str body, bool only_reads,
			struct remote_answer *ret_answer)
{
	if (only_reads) {
		TRY(exchange(l, body, STR_NONE, "Negotiate", true, ret_answer));
		if (!is_refused(ret_answer))
			return OK;
		drop(ret_answer);
	}
	return post_signed(l, body, ret_answer);
}

/* ---- Basic ---- */

static RESULT post_basic(struct wsman_link *l, struct str body, bool only_reads,
			 struct remote_answer *ret_answer)
{
	struct arena *a = l->c->arena;
	struct str pair = str_print(a, "%" STR_FMT ":%" STR_FMT, STR_ARG(l->r->login), STR_ARG(l->r->secret));
	struct str header = str_print(a, "Basic %" STR_FMT, STR_ARG(str_encode_base64(a, pair)));
	struct result result = exchange(l, body, header, "Basic", only_reads, ret_answer);
	if (pair.p)
		crypto_wipe((void *) pair.p, pair.n);
	TRY(result);
	if (!is_refused(ret_answer))
		return OK;
	return ret_answer->header.n
		       ? refuse(l)
		       : ctx_fail(l->c, ERR_IO, "The server no longer takes Basic authentication.");
}

/* ---- sessions ---- */

/* Asks which schemes the server offers. */
static RESULT offers_basic(struct wsman_link *l, bool *ret_does)
{
	struct remote_answer answer;
	struct result result = exchange(l, STR_NONE, STR_NONE, "Basic", true, &answer);
	*ret_does = answer.status == 401 && answer.header.n;
	drop(&answer);
	return result;
}

/* Basic sends the password itself. Whoever can change an answer on its way can also take NTLM out of it. */
static RESULT refuse_plain(struct wsman_link *l)
{
	return ctx_fail(l->c, ERR_IO,
			"The server offers Basic authentication alone, which Dari uses over https only: the "
			"password would be readable on its way.");
}

RESULT wsman_sign_in(struct wsman_link *l)
{
	struct str challenge = STR_NONE;
	bool has_basic = false;
	if (remote_session_is_open(remote_session_of(l->r)))
		return OK;
	TRY(ask_challenge(l, &challenge));
	if (!challenge.n)
		TRY(offers_basic(l, &has_basic));
	if (!challenge.n && !has_basic)
		return ctx_fail(
			l->c, ERR_IO,
			"The server offers neither NTLM (Negotiate) nor Basic authentication: it is no "
			"WinRM, or both are turned off there.");
	if (!challenge.n && !str_starts_with(l->url, STR("https:")))
		return refuse_plain(l);
	TRY(remote_session_open(l->c, l->r, SESSION_US, STR("-"), l->r->endpoint, STR("-")));
	remote_session_peek(l->r)->version = challenge.n ? SCHEME_NTLM : SCHEME_BASIC;
	return OK;
}

RESULT wsman_post(struct wsman_link *l, struct str body, bool only_reads, struct remote_answer *ret_answer)
{
	return scheme_of(l->r) == SCHEME_NTLM ? post_ntlm(l, body, only_reads, ret_answer)
					      : post_basic(l, body, only_reads, ret_answer);
}
