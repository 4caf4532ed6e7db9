/* SPDX-License-Identifier: Apache-2.0
 * Requests to clouds by libcurl. A trusted endpoint, which an administrator chose, may be any address; every
 * other one has to pass the region's egress policy, which checks each address just before connecting. */
#include "drivers/remote/http.h"

#include <curl/curl.h>

#include "base/clock.h"
#include "base/heap.h"
#include "drivers/egress_policy.h"

enum { WAIT_MAX_S = 3600 };

struct remote_connection {
	CURL *curl;
};

struct remote_connection *remote_connection_new(void)
{
	struct remote_connection *k = heap_new(struct remote_connection);
	if (k && !(k->curl = curl_easy_init())) {
		heap_free(k);
		return NULL;
	}
	return k;
}

void remote_connection_free(struct remote_connection *k)
{
	if (!k)
		return;
	curl_easy_cleanup(k->curl);
	heap_free(k);
}

/* ---- URLs ---- */

static void url_release(CURLU **url)
{
	curl_url_cleanup(*url);
}

/* A part of the URL, in the arena; empty: absent. */
static struct str part_of(struct arena *a, CURLU *url, CURLUPart part)
{
	char *text = NULL;
	struct str copy = STR_NONE;
	if (curl_url_get(url, part, &text, 0) == CURLUE_OK)
		copy = str_copy(a, str_from(text));
	curl_free(text);
	return copy;
}

static bool is_default_port(struct str scheme, struct str port)
{
	return !port.n || (str_is(scheme, "http") ? str_is(port, "80") : str_is(port, "443"));
}

RESULT remote_parse_url(struct ctx *c, struct str url, struct remote_url *ret_url)
{
	struct arena *a = c->arena;
	__attribute__((cleanup(url_release))) CURLU *parsed = curl_url();
	if (!parsed)
		return ctx_no_memory(c);
	bool is_url =
		str_is_line(url) && curl_url_set(parsed, CURLUPART_URL, str_to_z(a, url), 0) == CURLUE_OK;
	struct str scheme = is_url ? part_of(a, parsed, CURLUPART_SCHEME) : STR_NONE;
	if (!(str_is(scheme, "http") || str_is(scheme, "https")) || part_of(a, parsed, CURLUPART_USER).n ||
	    part_of(a, parsed, CURLUPART_QUERY).n || part_of(a, parsed, CURLUPART_FRAGMENT).n)
		return ctx_fail_field(c, ERR_INVALID, STR("endpoint"),
				      "An endpoint is a URL of https without a password and a query.");
	struct str host = part_of(a, parsed, CURLUPART_HOST), port = part_of(a, parsed, CURLUPART_PORT);
	*ret_url = (struct remote_url){.scheme = scheme, .host = host};
	if (!is_default_port(scheme, port))
		ret_url->host = str_print(a, "%" STR_FMT ":%" STR_FMT, STR_ARG(host), STR_ARG(port));
	ret_url->path = part_of(a, parsed, CURLUPART_PATH);
	return ret_url->host.n && !arena_is_full(a) ? OK : ctx_no_memory(c);
}

/* ---- one transfer ---- */

struct transfer {
	struct remote *remote;
	struct remote_answer *answer;
};

static size_t take_body(char *bytes, size_t size, size_t count, void *arg)
{
	struct transfer *t = arg;
	buf_add(&t->answer->body, bytes, size * count);
	return t->answer->body.failed ? 0 : size * count;
}

static size_t take_header(char *bytes, size_t size, size_t count, void *arg)
{
	struct transfer *t = arg;
	struct str line = {bytes, size * count}, name = STR("Retry-After:");
	int64_t wait_s = 0;
	if (line.n > name.n && str_equal_nocase(str_slice(line, 0, name.n), name) &&
	    result_is_ok(str_parse_int(str_trim(str_slice(line, name.n, line.n)), &wait_s)) && wait_s > 0)
		t->remote->wait_us = (wait_s < WAIT_MAX_S ? wait_s : WAIT_MAX_S) * SECOND;
	return size * count;
}

static void list_release(struct curl_slist **list)
{
	curl_slist_free_all(*list);
}

static bool add_headers(const struct remote_request *request, struct curl_slist **list)
{
	for (size_t k = 0; k < REMOTE_HEADERS_MAX && request->headers[k]; k++) {
		struct curl_slist *longer = curl_slist_append(*list, request->headers[k]);
		if (!longer)
			return false;
		*list = longer;
	}
	return true;
}

/* With a pin, the key alone identifies the server; with a CA, its certificates replace the system's. */
static void set_trust(struct ctx *c, const struct remote *r, CURL *curl)
{
	bool by_pin_alone = r->pin.n && !r->ca.n;
	(void) curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, by_pin_alone ? 0L : 1L);
	(void) curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, by_pin_alone ? 0L : 2L);
	if (r->pin.n)
		(void) curl_easy_setopt(curl, CURLOPT_PINNEDPUBLICKEY, str_to_z(c->arena, r->pin));
	if (r->ca.n) {
		struct curl_blob blob = {(void *) r->ca.p, r->ca.n, CURL_BLOB_COPY};
		(void) curl_easy_setopt(curl, CURLOPT_CAINFO_BLOB, &blob);
	}
}

static void set_options(struct ctx *c, struct transfer *t, const struct remote_request *request, CURL *curl,
			char *words)
{
	curl_easy_reset(curl); /* keeps the connection */
	(void) curl_easy_setopt(curl, CURLOPT_URL, str_to_z(c->arena, request->url));
	(void) curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	(void) curl_easy_setopt(curl, CURLOPT_PROXY, "");
	(void) curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	(void) curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
	(void) curl_easy_setopt(curl, CURLOPT_ACCEPT_ENCODING, "gzip");
	(void) curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long) REMOTE_CONNECT_MS);
	(void) curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long) (t->remote->timeout_us / MILLISECOND));
	(void) curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, words);
	(void) curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t) request->form.n);
	(void) curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->form.p);
	(void) curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
	(void) curl_easy_setopt(curl, CURLOPT_WRITEDATA, t);
	(void) curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
	(void) curl_easy_setopt(curl, CURLOPT_HEADERDATA, t);
	set_trust(c, t->remote, curl);
}

static RESULT judge(struct ctx *c, const struct transfer *t, CURLcode code, const char *words)
{
	struct str name = t->remote->name;
	if (t->answer->body.too_large)
		return ctx_fail(c, ERR_IO, "Provider %" STR_FMT " answers with more than %d MiB.",
				STR_ARG(name), REMOTE_ANSWER_CAP >> 20);
	if (code == CURLE_PARTIAL_FILE || code == CURLE_BAD_CONTENT_ENCODING)
		return ctx_fail(c, ERR_IO, "The answer of provider %" STR_FMT " ended early.", STR_ARG(name));
	if (code != CURLE_OK)
		return ctx_fail(c, code == CURLE_OPERATION_TIMEDOUT ? ERR_TIMEOUT : ERR_GONE,
				"Provider %" STR_FMT " does not answer: %s.", STR_ARG(name),
				words[0] ? words : curl_easy_strerror(code));
	if (t->answer->status >= 300 && t->answer->status < 400)
		return ctx_fail(c, ERR_IO,
				"Provider %" STR_FMT " redirects to another address; redirects are not "
				"followed.",
				STR_ARG(name));
	return OK;
}

static RESULT perform(struct ctx *c, struct transfer *t, const struct remote_request *request, CURL *curl)
{
	char words[CURL_ERROR_SIZE] = "";
	long status = 0;
	__attribute__((cleanup(list_release))) struct curl_slist *headers = NULL;
	struct web_visit visit = {.c = c, .url = str_to_z(c->arena, request->url), .reach = t->remote->reach};
	if (!add_headers(request, &headers))
		return ctx_no_memory(c);
	set_options(c, t, request, curl, words);
	(void) curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	if (!t->remote->is_trusted)
		TRY(web_visit_begin(&visit, curl, "https"));
	CURLcode code = curl_easy_perform(curl);
	(void) curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_reset(curl); /* no pointer to this frame stays behind */
	t->answer->status = (int) status;
	if (!t->remote->is_trusted)
		TRY(web_visit_check(&visit, code));
	return judge(c, t, code, words);
}

RESULT remote_send(struct ctx *c, struct remote *r, const struct remote_request *request,
		   struct remote_answer *ret_answer)
{
	struct transfer t = {.remote = r, .answer = ret_answer};
	AUTO(remote_connection) own = r->connection ? NULL : remote_connection_new();
	struct remote_connection *k = r->connection ? r->connection : own;
	*ret_answer = (struct remote_answer){0};
	buf_init(&ret_answer->body, REMOTE_ANSWER_CAP);
	r->wait_us = 0;
	return k ? perform(c, &t, request, k->curl) : ctx_no_memory(c);
}
