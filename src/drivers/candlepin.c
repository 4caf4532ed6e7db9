/* SPDX-License-Identifier: Apache-2.0
 * Candlepin client by libcurl. The server processes a mapping in a job, which is polled until it ends. */
#include "drivers/candlepin.h"

#include <curl/curl.h>
#include <jansson.h>

#include "base/buf.h"

enum {
	ANSWER_CAP = 4 << 20,
	TIMEOUT_S = 30,
	CONNECT_S = 10,
	RETRY_S = 60, /* if the server says nothing of Retry-After */
	RETRY_MAX_S = 86400,
	WORDS_MAX = 512
};

struct exchange {
	struct ctx *c;
	const struct candlepin *server;
	const char *url, *method;
	struct str body;
	struct buf answer;
	struct str retry_after;
	long status;
	char words[CURL_ERROR_SIZE];
};

/* ---- reading answers ---- */

static struct str text_of(struct ctx *c, const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);
	return str_copy(c->arena, (struct str){json_string_value(value), json_string_length(value)});
}

static bool has_ended(struct str state)
{
	return str_is(state, "FINISHED") || str_is(state, "FAILED") || str_is(state, "CANCELED") ||
	       str_is(state, "CANCELLED") || str_is(state, "ABORTED");
}

static void read_job(struct ctx *c, const json_t *job, struct candlepin_answer *a)
{
	struct str state = text_of(c, job, "state");
	a->job = text_of(c, job, "id");
	if (!a->job.n || !state.n)
		return; /* processed synchronously */
	a->state = str_is(state, "FINISHED") ? CANDLEPIN_TAKEN
		   : has_ended(state)        ? CANDLEPIN_REFUSED
					     : CANDLEPIN_WAITS;
	struct str result = text_of(c, job, "resultData");
	a->words = str_print(c->arena, "its job %" STR_FMT " is %" STR_FMT "%s%" STR_FMT, STR_ARG(a->job),
			     STR_ARG(state), result.n ? ": " : "", STR_ARG(str_slice(result, 0, WORDS_MAX)));
}

static int64_t seconds_of(struct str retry_after)
{
	int64_t seconds = 0;
	if (!result_is_ok(str_parse_int(str_trim(retry_after), &seconds)) || seconds < 1)
		return RETRY_S;
	return seconds < RETRY_MAX_S ? seconds : RETRY_MAX_S;
}

RESULT candlepin_read_answer(struct ctx *c, const struct candlepin *server, long status, struct str body,
			     struct str retry_after, struct candlepin_answer *ret_answer)
{
	json_error_t problem;
	*ret_answer = (struct candlepin_answer){.state = CANDLEPIN_TAKEN};
	if (status == 429) {
		ret_answer->state = CANDLEPIN_LATER;
		ret_answer->retry_s = seconds_of(retry_after);
		return OK;
	}
	json_t *json = json_loadb(body.p ? body.p : "", body.n, 0, &problem);
	struct str words = text_of(c, json, "displayMessage");
	if (status / 100 == 2)
		read_job(c, json, ret_answer);
	json_decref(json);
	if (status / 100 == 2)
		return OK;
	return ctx_fail(c, ERR_IO, "%" STR_FMT " answers %ld%s%" STR_FMT, STR_ARG(server->url), status,
			words.n ? ": " : "", STR_ARG(str_slice(words, 0, WORDS_MAX)));
}

/* ---- one call ---- */

static size_t take_piece(char *bytes, size_t size, size_t count, void *arg)
{
	struct exchange *x = arg;
	if (size * count > ANSWER_CAP - buf_str(&x->answer).n)
		return 0;
	buf_add(&x->answer, bytes, size * count);
	return size * count;
}

static size_t take_header(char *bytes, size_t size, size_t count, void *arg)
{
	struct exchange *x = arg;
	struct str line = {bytes, size * count}, name = STR_NONE;
	if (str_split_next(&line, ':', &name) && str_equal_nocase(name, STR("Retry-After")))
		x->retry_after = str_copy(x->c->arena, str_trim(line));
	return size * count;
}

static void set_blob(CURL *curl, CURLoption option, struct str pem)
{
	struct curl_blob blob = {(void *) pem.p, pem.n, CURL_BLOB_COPY};
	if (pem.n)
		(void) curl_easy_setopt(curl, option, &blob);
}

static void set_who(CURL *curl, struct ctx *c, const struct candlepin *s)
{
	if (s->user.n) {
		(void) curl_easy_setopt(curl, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
		(void) curl_easy_setopt(curl, CURLOPT_USERNAME, str_to_z(c->arena, s->user));
		(void) curl_easy_setopt(curl, CURLOPT_PASSWORD, str_to_z(c->arena, s->secret));
	} else if (s->certificate.n) {
		set_blob(curl, CURLOPT_SSLCERT_BLOB, s->certificate);
		set_blob(curl, CURLOPT_SSLKEY_BLOB, s->secret);
	}
	set_blob(curl, CURLOPT_CAINFO_BLOB, s->authority);
}

static CURLcode perform(struct exchange *x, CURL *curl, struct curl_slist *headers)
{
	(void) curl_easy_setopt(curl, CURLOPT_URL, x->url);
	(void) curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	(void) curl_easy_setopt(curl, CURLOPT_PROXY, "");
	(void) curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	(void) curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long) TIMEOUT_S);
	(void) curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long) CONNECT_S);
	(void) curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, x->words);
	(void) curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	(void) curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, x->method);
	(void) curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_piece);
	(void) curl_easy_setopt(curl, CURLOPT_WRITEDATA, x);
	(void) curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
	(void) curl_easy_setopt(curl, CURLOPT_HEADERDATA, x);
	if (x->body.p) {
		(void) curl_easy_setopt(curl, CURLOPT_POSTFIELDS, x->body.p);
		(void) curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t) x->body.n);
	}
	set_who(curl, x->c, x->server);
	CURLcode code = curl_easy_perform(curl);
	(void) curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &x->status);
	return code;
}

static RESULT call(struct exchange *x, struct candlepin_answer *ret_answer)
{
	CURL *curl = curl_easy_init();
	struct curl_slist *headers = curl_slist_append(NULL, "Accept: application/json");
	struct curl_slist *all = headers ? curl_slist_append(headers, "Content-Type: text/plain") : NULL;
	CURLcode code = CURLE_OUT_OF_MEMORY;
	buf_init(&x->answer, ANSWER_CAP);
	if (curl && all)
		code = perform(x, curl, all);
	curl_slist_free_all(headers);
	curl_easy_cleanup(curl);
	struct str body = str_copy(x->c->arena, buf_str(&x->answer));
	buf_done(&x->answer);
	if (code == CURLE_OUT_OF_MEMORY)
		return ctx_no_memory(x->c);
	if (code != CURLE_OK)
		return ctx_fail(x->c, ERR_IO, "%" STR_FMT " is not reached: %s", STR_ARG(x->server->url),
				x->words[0] ? x->words : curl_easy_strerror(code));
	return candlepin_read_answer(x->c, x->server, x->status, body, x->retry_after, ret_answer);
}

/* ---- the calls ---- */

static const char *url_of(struct ctx *c, const struct candlepin *s, const char *before, struct str name,
			  const char *after, struct str reporter)
{
	struct str base = s->url;
	while (str_ends_with(base, STR("/")))
		base.n--;
	return str_print(c->arena, "%" STR_FMT "%s%s%" STR_FMT "%s%" STR_FMT, STR_ARG(base),
			 s->is_satellite ? "/rhsm" : "", before,
			 STR_ARG(str_encode_url(c->arena, name, false)), after,
			 STR_ARG(str_encode_url(c->arena, reporter, false)))
		.p;
}

RESULT candlepin_tell(struct ctx *c, const struct candlepin *server, struct str mapping,
		      struct candlepin_answer *ret_answer)
{
	struct exchange x = {.c = c,
			     .server = server,
			     .method = "POST",
			     .body = mapping,
			     .url = url_of(c, server, "/hypervisors/", server->organisation,
					   "?create_missing=true&reporter_id=", server->reporter)};
	return x.url ? call(&x, ret_answer) : ctx_no_memory(c);
}

RESULT candlepin_ask_job(struct ctx *c, const struct candlepin *server, struct str job,
			 struct candlepin_answer *ret_answer)
{
	struct exchange x = {.c = c,
			     .server = server,
			     .method = "GET",
			     .url = url_of(c, server, "/jobs/", job, "", STR_NONE)};
	return x.url ? call(&x, ret_answer) : ctx_no_memory(c);
}

RESULT candlepin_beat(struct ctx *c, const struct candlepin *server, struct candlepin_answer *ret_answer)
{
	struct exchange x = {.c = c,
			     .server = server,
			     .method = "PUT",
			     .body = STR(""),
			     .url = url_of(c, server, "/hypervisors/", server->organisation,
					   "/heartbeat?reporter_id=", server->reporter)};
	return x.url ? call(&x, ret_answer) : ctx_no_memory(c);
}
