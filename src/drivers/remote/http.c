/* SPDX-License-Identifier: Apache-2.0
 * Requests to clouds by libcurl. The server of a trusted endpoint, which an administrator chose, may be any
 * address; every other one, also one that a trusted cloud names, has to pass the region's egress policy, which
 * checks each address just before connecting. */
#include "drivers/remote/http.h"

#include <curl/curl.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/heap.h"
#include "drivers/egress_policy.h"
#include "drivers/remote/address_map.h"
#include "drivers/remote/power_map.h"
#include "drivers/remote/task_notes.h"

enum { WAIT_MAX_S = 3600 };
#define DOWNLOAD_MIN_SPEED 1024L /* bytes per second */
#define SESSION_MAX_US (30 * MINUTE)

struct remote_connection {
	CURL *curl;
	struct remote_session session;
	struct power_map powers;
	struct address_map addresses;
	struct task_notes tasks;
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
	crypto_wipe(&k->session, sizeof k->session);
	power_map_clear(&k->powers);
	address_map_clear(&k->addresses);
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

enum { PROVIDER_TEXT_MAX = 255 };

static bool is_of_form(struct str text, enum remote_form form)
{
	static const char *const more[] = {
		[REMOTE_WORD] = "-", [REMOTE_PLACE] = "-_.", [REMOTE_NAME] = " ._-@()+,:'"};
	for (size_t k = 0; k < text.n; k++) {
		bool is_letter = str_is_alphanumeric(text.p[k]) ||
				 (form == REMOTE_NAME && (unsigned char) text.p[k] >= 0x80);
		if (!is_letter && !strchr(more[form], text.p[k]))
			return false;
	}
	return str_is_line(text);
}

RESULT remote_check_text(struct ctx *c, struct str text, enum remote_form form, const char *field,
			 const char *what)
{
	bool is_good = text.n && text.n <= PROVIDER_TEXT_MAX && is_of_form(text, form);
	/* no relative path, and no blanks that one reader keeps and another one drops */
	if (is_good && form != REMOTE_WORD)
		is_good = text.p[0] != '.' && !str_contains(text, STR("..")) && text.p[0] != ' ' &&
			  text.p[text.n - 1] != ' ';
	return is_good ? OK : ctx_fail_field(c, ERR_INVALID, str_from(field), "%s", what);
}

/* True if the URL's server is the endpoint's. Ports may differ, because the services of a cloud often share an
 * address. http is not trusted if the endpoint is https. */
static bool is_endpoint_server(struct arena *a, const struct remote *r, struct str url)
{
	__attribute__((cleanup(url_release))) CURLU *own = curl_url(), *asked = curl_url();
	if (!own || !asked || curl_url_set(own, CURLUPART_URL, str_to_z(a, r->endpoint), 0) != CURLUE_OK ||
	    curl_url_set(asked, CURLUPART_URL, str_to_z(a, url), 0) != CURLUE_OK)
		return false;
	struct str host = part_of(a, own, CURLUPART_HOST), scheme = part_of(a, asked, CURLUPART_SCHEME);
	return host.n && str_equal_nocase(host, part_of(a, asked, CURLUPART_HOST)) &&
	       (str_is(scheme, "https") || str_equal(scheme, part_of(a, own, CURLUPART_SCHEME)));
}

/* ---- one transfer ---- */

struct transfer {
	struct ctx *c;
	struct remote *remote;
	const struct remote_request *request;
	struct remote_answer *answer;
	CURL *curl;
	int64_t sent;          /* bytes of the upload */
	struct result refused; /* by the taker of the body */
	bool is_unreadable;    /* the upload's file cannot be read */
};

static bool is_success(CURL *curl)
{
	long status = 0;
	(void) curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	return status == 200;
}

static size_t take_body(char *bytes, size_t size, size_t count, void *arg)
{
	struct transfer *t = arg;
	const struct remote_body_taker *taker = t->request->taker;
	if (taker && is_success(t->curl)) {
		t->refused = taker->add(taker->arg, t->c, (struct str){bytes, size * count});
		return result_is_ok(t->refused) ? size * count : 0;
	}
	buf_add(&t->answer->body, bytes, size * count);
	return t->answer->body.failed ? 0 : size * count;
}

static size_t send_piece(char *bytes, size_t size, size_t count, void *arg)
{
	struct transfer *t = arg;
	const struct remote_upload *u = t->request->upload;
	int64_t left = u->size - t->sent;
	size_t most = left < (int64_t) (size * count) ? (size_t) left : size * count;
	ssize_t got = most ? pread(u->fd, bytes, most, t->sent) : 0;
	t->is_unreadable = got < 0 || (most && !got);
	if (t->is_unreadable)
		return CURL_READFUNC_ABORT;
	crypto_digest_add(u->digest, (struct str){bytes, (size_t) got});
	t->sent += got;
	return (size_t) got;
}

static int watch_transfer(void *arg, curl_off_t down, curl_off_t got, curl_off_t up, curl_off_t sent)
{
	const struct remote_request *request = ((const struct transfer *) arg)->request;
	(void) down, (void) got, (void) up, (void) sent;
	return (request->upload ? request->upload->goes_on(request->upload->arg)
				: request->taker->goes_on(request->taker->arg))
		       ? 0
		       : 1;
}

/* Value of a header with that name; empty: the line is another one. */
static struct str value_of(struct str line, const char *name)
{
	size_t n = strlen(name);
	bool is_it =
		line.n > n && line.p[n] == ':' && str_equal_nocase(str_slice(line, 0, n), str_from(name));
	return is_it ? str_trim(str_slice(line, n + 1, line.n)) : STR_NONE;
}

static size_t take_header(char *bytes, size_t size, size_t count, void *arg)
{
	struct transfer *t = arg;
	struct str line = {bytes, size * count}, wait = value_of(line, "Retry-After");
	int64_t wait_s = 0;
	if (wait.n && result_is_ok(str_parse_int(wait, &wait_s)) && wait_s > 0)
		t->remote->wait_us = (wait_s < WAIT_MAX_S ? wait_s : WAIT_MAX_S) * SECOND;
	if (t->request->wanted_header && !t->answer->header.n) {
		struct str value = value_of(line, t->request->wanted_header);
		if (str_starts_with(value, str_from(t->request->wanted_start)))
			t->answer->header = str_copy(t->c->arena, value);
	}
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

/* An upload or a download takes as long as it needs while bytes move. */
static void set_long(struct transfer *t, CURL *curl)
{
	(void) curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
	(void) curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, watch_transfer);
	(void) curl_easy_setopt(curl, CURLOPT_XFERINFODATA, t);
	(void) curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, 0L);
	/* A slow sender must not occupy a lane of the account for ever. */
	(void) curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, t->request->taker ? DOWNLOAD_MIN_SPEED : 1L);
	(void) curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (long) REMOTE_UPLOAD_IDLE_S);
}

static void set_upload(struct transfer *t, CURL *curl)
{
	const struct remote_upload *u = t->request->upload;
	(void) curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
	(void) curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t) u->size);
	(void) curl_easy_setopt(curl, CURLOPT_READFUNCTION, send_piece);
	(void) curl_easy_setopt(curl, CURLOPT_READDATA, t);
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
	(void) curl_easy_setopt(curl, CURLOPT_ACCEPT_ENCODING, request->taker ? NULL : "gzip");
	(void) curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long) REMOTE_CONNECT_MS);
	(void) curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long) (t->remote->timeout_us / MILLISECOND));
	(void) curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, words);
	const char *method = request->method ? request->method : "POST";
	/* curl repeats a request, a POST too, if a reused connection ends before the answer begins: the cloud
	 * may have carried it out. On a new connection it does not. */
	bool may_repeat = request->only_reads || strcmp(method, "GET") == 0;
	(void) curl_easy_setopt(curl, CURLOPT_FRESH_CONNECT, may_repeat ? 0L : 1L);
	if (request->is_http1) {
		(void) curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long) CURL_HTTP_VERSION_1_1);
		(void) curl_easy_setopt(curl, CURLOPT_MAXCONNECTS, 1L);
	}
	if (request->upload) {
		set_upload(t, curl);
	} else if (strcmp(method, "GET") != 0) {
		(void) curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t) request->body.n);
		(void) curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body.n ? request->body.p : "");
		(void) curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
	}
	if (request->upload || request->taker)
		set_long(t, curl);
	(void) curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
	(void) curl_easy_setopt(curl, CURLOPT_WRITEDATA, t);
	(void) curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
	(void) curl_easy_setopt(curl, CURLOPT_HEADERDATA, t);
	set_trust(c, t->remote, curl);
}

static RESULT judge(struct ctx *c, const struct transfer *t, CURLcode code, const char *words)
{
	struct str name = t->remote->name;
	TRY(t->refused);
	if (t->answer->body.too_large)
		return ctx_fail(c, ERR_IO, "Provider %" STR_FMT " answers with more than %d MiB.",
				STR_ARG(name), REMOTE_ANSWER_CAP >> 20);
	if (t->is_unreadable)
		return ctx_fail(c, ERR_IO, "A file of the image store cannot be read.");
	if (code == CURLE_ABORTED_BY_CALLBACK)
		return ctx_fail(c, ERR_AGAIN, "The transfer of a disk with provider %" STR_FMT " was ended.",
				STR_ARG(name));
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

/* Other servers that a trusted cloud names may be plain only if its own endpoint is: a certificate or a pin would guard nothing
 * otherwise. */
static bool may_be_plain(const struct remote *r)
{
	return r->is_trusted && str_starts_with(r->endpoint, STR("http:"));
}

static RESULT perform(struct ctx *c, struct transfer *t, const struct remote_request *request, CURL *curl)
{
	char words[CURL_ERROR_SIZE] = "";
	long status = 0, connects = 0;
	__attribute__((cleanup(list_release))) struct curl_slist *headers = NULL;
	struct web_visit visit = {.c = c, .url = str_to_z(c->arena, request->url), .reach = t->remote->reach};
	if (!add_headers(request, &headers))
		return ctx_no_memory(c);
	set_options(c, t, request, curl, words);
	(void) curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	bool is_trusted = t->remote->is_trusted && is_endpoint_server(c->arena, t->remote, request->url);
	if (!is_trusted)
		TRY(web_visit_begin(&visit, curl, may_be_plain(t->remote) ? "http,https" : "https"));
	CURLcode code = curl_easy_perform(curl);
	(void) curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	(void) curl_easy_getinfo(curl, CURLINFO_NUM_CONNECTS, &connects);
	curl_easy_reset(curl); /* no pointer to this frame stays behind */
	t->answer->status = (int) status;
	t->answer->is_new = connects > 0;
	if (!is_trusted)
		TRY(web_visit_check(&visit, code));
	return judge(c, t, code, words);
}

RESULT remote_send(struct ctx *c, struct remote *r, const struct remote_request *request,
		   struct remote_answer *ret_answer)
{
	struct transfer t = {.c = c,
			     .remote = r,
			     .request = request,
			     .answer = ret_answer,
			     .curl = r->connection->curl,
			     .refused = OK};
	*ret_answer = (struct remote_answer){0};
	buf_init(&ret_answer->body, REMOTE_ANSWER_CAP);
	r->wait_us = 0;
	return perform(c, &t, request, r->connection->curl);
}

enum err remote_err_of_status(int status)
{
	static const struct {
		int status;
		enum err err;
	} known[] = {{400, ERR_INVALID},    {401, ERR_UNAUTHENTICATED}, {403, ERR_DENIED},
		     {404, ERR_NOT_FOUND},  {408, ERR_AGAIN},           {409, ERR_STATE},
		     {410, ERR_NOT_FOUND},  {413, ERR_THROTTLED},       {429, ERR_THROTTLED},
		     {501, ERR_UNSUPPORTED}};
	for (size_t k = 0; k < sizeof known / sizeof known[0]; k++)
		if (known[k].status == status)
			return known[k].err;
	return status >= 500 ? ERR_AGAIN : status >= 400 ? ERR_INVALID : ERR_IO;
}

/* ---- sessions ---- */

static void digest_credentials(const struct remote *r, uint8_t ret[static SHA256_SIZE])
{
	const struct str texts[] = {r->endpoint, r->region, r->domain, r->project, r->login, r->secret};
	uint8_t chain[2 * SHA256_SIZE] = {0};
	for (size_t k = 0; k < sizeof texts / sizeof texts[0]; k++) {
		crypto_sha256(texts[k], chain + SHA256_SIZE);
		crypto_sha256((struct str){(const char *) chain, sizeof chain}, chain);
	}
	memcpy(ret, chain, SHA256_SIZE);
}

struct remote_session *remote_session_of(const struct remote *r)
{
	struct remote_session *session = &r->connection->session;
	uint8_t of[SHA256_SIZE];
	digest_credentials(r, of);
	if (session->until_us <= clock_now_us() || memcmp(of, session->of, sizeof of) != 0)
		remote_session_close(session);
	return session;
}

struct power_map *remote_power_map(const struct remote *r)
{
	return &r->connection->powers;
}

struct address_map *remote_address_map(const struct remote *r)
{
	return &r->connection->addresses;
}

struct remote_session *remote_session_peek(const struct remote *r)
{
	return &r->connection->session;
}

struct task_notes *remote_task_notes(const struct remote *r)
{
	return &r->connection->tasks;
}

bool remote_session_is_open(const struct remote_session *session)
{
	return session->until_us != 0;
}

static bool keep_text(char *place, size_t most, struct str text)
{
	if (text.n > most || !str_is_line(text))
		return false;
	memcpy(place, text.p, text.n);
	place[text.n] = '\0';
	return true;
}

static bool is_url_usable(struct ctx *c, const struct remote *r, struct str url)
{
	struct remote_url parsed;
	bool is_url = result_is_ok(remote_parse_url(c, url, &parsed));
	ctx_clear_problem(c);
	return is_url && (!str_starts_with(r->endpoint, STR("https:")) || str_is(parsed.scheme, "https"));
}

static struct str trim_slashes(struct str url)
{
	while (str_ends_with(url, STR("/")))
		url = str_slice(url, 0, url.n - 1);
	return url;
}

RESULT remote_session_open(struct ctx *c, const struct remote *r, int64_t life_us, struct str token,
			   struct str url, struct str account)
{
	struct remote_session *session = &r->connection->session;
	remote_session_close(session);
	url = trim_slashes(url);
	if (!is_url_usable(c, r, url))
		return ctx_fail(c, ERR_IO,
				"The sign-in names no usable URL of the API: it must be one of https.");
	bool is_kept = token.n && account.n && keep_text(session->token, REMOTE_TOKEN_MAX, token) &&
		       keep_text(session->url, REMOTE_URL_MAX, url) &&
		       keep_text(session->account, REMOTE_ACCOUNT_MAX, account);
	if (!is_kept)
		return ctx_fail(c, ERR_IO, "The sign-in's answer is not usable.");
	digest_credentials(r, session->of);
	session->until_us = clock_now_us() + (life_us < SESSION_MAX_US ? life_us : SESSION_MAX_US);
	return OK;
}

void remote_session_add(struct ctx *c, const struct remote *r, enum remote_service service, struct str url)
{
	struct remote_session *session = &r->connection->session;
	char *place = session->others[service];
	url = trim_slashes(url);
	if (!url.n || !is_url_usable(c, r, url) || !keep_text(place, REMOTE_URL_MAX, url))
		place[0] = '\0';
}

RESULT remote_session_keep_id(struct ctx *c, const struct remote *r, size_t place, struct str id)
{
	return keep_text(r->connection->session.ids[place], REMOTE_SESSION_ID_MAX, id)
		       ? OK
		       : ctx_fail(c, ERR_IO, "The sign-in's answer is not usable: an id is too long.");
}

void remote_session_close(struct remote_session *session)
{
	crypto_wipe(session, sizeof *session);
}
