/* SPDX-License-Identifier: Apache-2.0
 * A single request to a server by libcurl: over its socket, or by https. */
#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "auth/key/sigv4.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "daemon/client/client.h"
#include "daemon/daemon.h"

enum { ANSWER_CAP = 64 * 1024 * 1024, CONNECT_S = 20, COOKIE_MAX = 4096, DETAIL_MAX = 4096 };
#define PREFIX "/api/v1"

struct exchange {
	struct ctx *c;
	struct client_place *place;
	CURL *curl;
	struct curl_slist *headers;
	struct buf body;
	char words[CURL_ERROR_SIZE];
	long status;
	bool lacks_memory;
};

/* ---- target ---- */

RESULT client_find_here(struct ctx *c, const char *config_path, struct client_place *ret_place)
{
	struct settings settings = {0};
	struct result result = settings_load(c, config_path, &settings);
	if (!result_is_ok(result)) {
		struct str why = c->problem.message;
		ctx_clear_problem(c);
		return ctx_fail(
			c, result.code, "%" STR_FMT "\n  %s", STR_ARG(why),
			access(config_path, R_OK) != 0 && errno == EACCES
				? "Run it as root (sudo dari …), or sign in with `dari login --url URL`."
				: "`dari init` makes a configuration; --config FILE names another one.");
	}
	*ret_place = (struct client_place){
		.socket = settings.control_socket, .url = STR("http://localhost"), .host = STR("localhost")};
	return OK;
}

static struct str take_part(struct arena *a, CURLU *u, CURLUPart part)
{
	char *text = NULL;
	struct str copy = STR_NONE;
	if (curl_url_get(u, part, &text, 0) == CURLUE_OK)
		copy = str_copy(a, str_from(text));
	curl_free(text);
	return copy;
}

static bool is_own_port(struct str scheme, struct str port)
{
	return !port.n || str_is(port, str_is(scheme, "https") ? "443" : "80");
}

static bool is_this_machine(struct str host)
{
	return str_is(host, "localhost") || str_is(host, "[::1]") || str_starts_with(host, STR("127."));
}

static RESULT check_parts(struct ctx *c, struct str url, CURLU *u, struct client_place *place)
{
	struct arena *a = c->arena;
	struct str scheme = take_part(a, u, CURLUPART_SCHEME), host = take_part(a, u, CURLUPART_HOST),
		   port = take_part(a, u, CURLUPART_PORT), path = take_part(a, u, CURLUPART_PATH);
	bool is_plain = str_is(scheme, "http");
	if ((!is_plain && !str_is(scheme, "https")) || !host.n || (path.n && !str_is(path, "/")) ||
	    take_part(a, u, CURLUPART_USER).n || take_part(a, u, CURLUPART_QUERY).n ||
	    take_part(a, u, CURLUPART_FRAGMENT).n)
		return ctx_fail(
			c, ERR_INVALID,
			"--url wants the server's address as https://cloud.example.org:8788, not %" STR_FMT,
			STR_ARG(url));
	if (is_plain && !is_this_machine(host))
		return ctx_fail(c, ERR_INVALID,
				"%" STR_FMT
				" would be asked over an open wire: who listens there could act as you.\n"
				"  Use https.",
				STR_ARG(url));
	place->host = is_own_port(scheme, port) ? str_lower(a, host)
						: str_print(a, "%" STR_FMT ":%" STR_FMT,
							    STR_ARG(str_lower(a, host)), STR_ARG(port));
	place->url = str_print(a, "%" STR_FMT "://%" STR_FMT, STR_ARG(scheme), STR_ARG(place->host));
	return place->host.p && place->url.p ? OK : ctx_no_memory(c);
}

RESULT client_read_url(struct ctx *c, struct str url, struct client_place *ret_place)
{
	struct client_place place = {0};
	CURLU *u = curl_url();
	if (!u)
		return ctx_no_memory(c);
	/* invalid URLs have no parts */
	(void) curl_url_set(u, CURLUPART_URL, str_to_z(c->arena, url), CURLU_NON_SUPPORT_SCHEME);
	struct result result = check_parts(c, url, u, &place);
	curl_url_cleanup(u);
	if (result_is_ok(result))
		*ret_place = place;
	return result;
}

/* ---- sending ---- */

static void add_header(struct exchange *x, const char *name, struct str value)
{
	struct str line = str_print(x->c->arena, "%s: %" STR_FMT, name, STR_ARG(value));
	struct curl_slist *longer = line.p ? curl_slist_append(x->headers, line.p) : NULL;
	if (longer)
		x->headers = longer;
	else
		x->lacks_memory = true;
}

static RESULT sign(struct exchange *x, const struct client_request *r, struct str body)
{
	const struct client_proof *proof = &x->place->proof;
	const struct sigv4_signing signing = {
		.key_id = proof->key_id,
		.secret = proof->secret,
		.region = proof->region,
		.service = STR("ec2"),
		.method = str_from(r->method),
		.path = str_print(x->c->arena, PREFIX "%s", r->path),
		.query = str_from(r->query),
		.body = body,
		.host = x->place->host,
		.at_us = clock_now_us(),
	};
	struct str authorization = STR_NONE, date = STR_NONE;
	TRY(sigv4_sign(x->c, &signing, &authorization, &date));
	add_header(x, "Authorization", authorization);
	add_header(x, "X-Amz-Date", date);
	return OK;
}

/* A session cookie normally comes from a browser, so the server also requires proof that the request comes
 * from its own page, by a user's action. */
static RESULT add_proof(struct exchange *x, const struct client_request *r, struct str body)
{
	const struct client_proof *proof = &x->place->proof;
	if (proof->key_id.n)
		return sign(x, r, body);
	if (proof->token.n)
		add_header(x, "X-Auth-Token", proof->token);
	if (proof->cookie.n)
		add_header(x, "Cookie", proof->cookie);
	add_header(x, "Origin", x->place->url);
	add_header(x, "X-Dari-User", STR("1"));
	return OK;
}

/* ---- incoming news ---- */

static size_t take_piece(char *bytes, size_t size, size_t count, void *arg)
{
	struct exchange *x = arg;
	buf_add(&x->body, bytes, size * count);
	return x->body.failed ? 0 : size * count; /* makes curl fail with a write error */
}

static bool is_cookie(struct str text)
{
	for (size_t k = 0; k < text.n; k++)
		if (text.p[k] <= ' ' || text.p[k] > '~' || text.p[k] == ';')
			return false;
	return text.n && text.n <= COOKIE_MAX;
}

/* Parses "Set-Cookie: dari=…; Path=/; …". */
static size_t take_header(char *bytes, size_t size, size_t count, void *arg)
{
	struct exchange *x = arg;
	struct str line = {bytes, size * count}, name, cookie;
	if (!str_split_next(&line, ':', &name) || !str_equal_nocase(name, STR("Set-Cookie")) ||
	    !str_split_next(&line, ';', &cookie))
		return size * count;
	cookie = str_trim(cookie);
	bool is_ours = str_starts_with(cookie, STR("dari=")) || str_starts_with(cookie, STR("__Host-dari="));
	if (is_ours && is_cookie(cookie))
		x->place->proof.cookie = str_copy(x->c->arena, cookie);
	return size * count;
}

struct str client_clean_text(struct arena *a, struct str text)
{
	char *p = arena_alloc(a, text.n + 1);
	for (size_t k = 0; p && k < text.n; k++) {
		unsigned char at = (unsigned char) text.p[k],
			      next = k + 1 < text.n ? (unsigned char) text.p[k + 1] : 0;
		bool steers = (at < ' ' && at != '\n' && at != '\t') || at == 0x7f ||
			      (at == 0xc2 && next >= 0x80 && next < 0xa0);
		p[k] = steers ? '?' : text.p[k];
		if (steers && at == 0xc2)
			p[++k] = '?';
	}
	return p ? (struct str){p, text.n} : STR_NONE;
}

/* ---- errors ---- */

static RESULT fail_unreached(struct exchange *x, CURLcode code)
{
	struct client_place *place = x->place;
	long error = 0;
	const char *words = *x->words ? x->words : curl_easy_strerror(code);
	(void) curl_easy_getinfo(x->curl, CURLINFO_OS_ERRNO, &error);
	if (x->body.too_large)
		return ctx_fail(x->c, ERR_IO, "%" STR_FMT " answers with more than %d MiB: Dari does not.",
				STR_ARG(place->url), ANSWER_CAP >> 20);
	if (place->socket.n && code == CURLE_COULDNT_CONNECT)
		return ctx_fail(x->c, ERR_GONE,
				"cannot reach the server at %" STR_FMT
				": %s\n  Is `dari serve` running? Its log says why not.",
				STR_ARG(place->socket), error ? strerror((int) error) : words);
	if (place->socket.n)
		return ctx_fail(x->c, ERR_IO, "the server ended without an answer");
	if (code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE)
		return ctx_fail(
			x->c, ERR_GONE,
			"%" STR_FMT " does not prove that it is the server: %s\n"
			"  --ca-file FILE names the certificate of the authority that vouches for it.",
			STR_ARG(place->url), words);
	return ctx_fail(
		x->c, ERR_GONE,
		"cannot reach %" STR_FMT
		": %s\n  Is the address right, does `dari serve` run there, and may this machine reach it?",
		STR_ARG(place->url), words);
}

static RESULT fail_foreign(struct exchange *x, const char *why)
{
	return ctx_fail(x->c, ERR_IO, "what answers at %" STR_FMT " (status %ld) is no server of Dari's: %s.",
			STR_ARG(x->place->socket.n ? x->place->socket : x->place->url), x->status, why);
}

/* Same mapping as src/api/native/errors.c. */
static enum err err_of_status(long status)
{
	static const struct {
		long status;
		enum err err;
	} rows[] = {{401, ERR_UNAUTHENTICATED}, {403, ERR_DENIED},   {404, ERR_NOT_FOUND},
		    {405, ERR_UNSUPPORTED},     {409, ERR_CONFLICT}, {413, ERR_TOO_LARGE},
		    {422, ERR_QUOTA},           {429, ERR_THROTTLED}};
	for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++)
		if (rows[k].status == status)
			return rows[k].err;
	return status >= 500 ? ERR_AGAIN : ERR_INVALID;
}

/* Reports a problem of /api/v1, with advice. */
static RESULT fail_refused(struct exchange *x, const json_t *problem)
{
	struct ctx *c = x->c;
	const json_t *detail = json_object_get(problem, "detail"), *type = json_object_get(problem, "type");
	bool is_there = str_is(str_from(json_string_value(type)), "urn:dari:exists");
	struct str said = {json_string_value(detail), json_string_length(detail)}, url = x->place->url;
	if (!said.n)
		return fail_foreign(x, "it refuses in no words of ours");
	said = client_clean_text(c->arena, str_cut(said, DETAIL_MAX));
	if (x->status == 401 && !x->place->socket.n && !json_object_get(problem, "need"))
		return ctx_fail(c, ERR_UNAUTHENTICATED,
				"%" STR_FMT "\n  `dari login --url %" STR_FMT "` signs in.", STR_ARG(said),
				STR_ARG(url));
	return ctx_fail(c, is_there ? ERR_EXISTS : err_of_status(x->status), "%" STR_FMT, STR_ARG(said));
}

static RESULT read_answer(struct exchange *x, json_t **ret_answer)
{
	struct str text = buf_str(&x->body);
	json_t *answer = json_loadb(text.p ? text.p : "", text.n, JSON_REJECT_DUPLICATES, NULL);
	struct result result = OK;
	if (!json_is_object(answer))
		result = fail_foreign(x, answer ? "its answer is no object" : "its answer is no JSON");
	else if (x->status >= 300)
		result = fail_refused(x, answer);
	if (result_is_ok(result))
		*ret_answer = answer;
	else
		json_decref(answer);
	return result;
}

/* ---- the request ---- */

static void set_options(struct exchange *x, const struct client_request *r, struct str body)
{
	struct arena *a = x->c->arena;
	const struct client_place *place = x->place;
	CURL *curl = x->curl;
	(void) curl_easy_setopt(curl, CURLOPT_URL,
				str_print(a, "%" STR_FMT PREFIX "%s%s%s", STR_ARG(place->url), r->path,
					  r->query ? "?" : "", r->query ? r->query : "")
					.p);
	(void) curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	(void) curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	(void) curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long) CONNECT_S);
	(void) curl_easy_setopt(curl, CURLOPT_TCP_KEEPALIVE, 1L);
	(void) curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, x->words);
	(void) curl_easy_setopt(curl, CURLOPT_HTTPHEADER, x->headers);
	(void) curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_piece);
	(void) curl_easy_setopt(curl, CURLOPT_WRITEDATA, x);
	(void) curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
	(void) curl_easy_setopt(curl, CURLOPT_HEADERDATA, x);
	(void) curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, r->method);
	if (body.n) {
		(void) curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t) body.n);
		(void) curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.p);
	}
	if (place->socket.n) {
		(void) curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, str_to_z(a, place->socket));
		(void) curl_easy_setopt(curl, CURLOPT_PROXY, "");
	}
	if (place->ca.n)
		(void) curl_easy_setopt(curl, CURLOPT_CAINFO, str_to_z(a, place->ca));
}

static RESULT perform(struct exchange *x, const struct client_request *r, struct str body)
{
	add_header(x, "Content-Type", STR("application/json"));
	add_header(x, "Accept", STR("application/json"));
	add_header(x, "Expect", STR_NONE); /* prevents curl from sending it */
	if (!x->place->socket.n)
		TRY(add_proof(x, r, body));
	if (x->lacks_memory)
		return ctx_no_memory(x->c);
	set_options(x, r, body);
	CURLcode code = curl_easy_perform(x->curl);
	(void) curl_easy_getinfo(x->curl, CURLINFO_RESPONSE_CODE, &x->status);
	return code == CURLE_OK ? OK : fail_unreached(x, code);
}

static RESULT write_body(struct ctx *c, const json_t *body, struct str *ret_text)
{
	char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
	*ret_text = str_copy(c->arena, str_from(text));
	free(text);
	return !body || ret_text->n ? OK : ctx_no_memory(c);
}

RESULT client_call(struct ctx *c, struct client_place *place, const struct client_request *request,
		   json_t **ret_answer)
{
	struct exchange x = {.c = c, .place = place, .curl = curl_easy_init()};
	struct str body = STR_NONE;
	if (!x.curl)
		return ctx_no_memory(c);
	buf_init(&x.body, ANSWER_CAP);
	struct result result = write_body(c, request->body, &body);
	if (result_is_ok(result))
		result = perform(&x, request, body);
	if (result_is_ok(result))
		result = read_answer(&x, ret_answer);
	curl_easy_cleanup(x.curl);
	curl_slist_free_all(x.headers);
	buf_done(&x.body);
	return result;
}
