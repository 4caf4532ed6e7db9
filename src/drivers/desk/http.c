/* SPDX-License-Identifier: Apache-2.0
 * HTTP requests and helpers shared by all desk drivers. */
#include "drivers/desk/http.h"

#include <curl/curl.h>
#include <stdlib.h>

#include "base/clock.h"
#include "drivers/desk_signature.h"

enum { CONNECT_MS = 10000, WORDS_MAX = 512 };

static const char *noun_of(const struct desk_place *place)
{
	return place->noun ? place->noun : "desk";
}

/* ---- one transfer ---- */

struct transfer {
	struct ctx *c;
	struct desk_place *place;
	const struct desk_request *request;
	struct desk_answer *answer;
	struct buf body;
	int64_t retry_s;
};

static size_t take_body(char *bytes, size_t size, size_t count, void *arg)
{
	struct transfer *t = arg;
	buf_add(&t->body, bytes, size * count);
	return t->body.failed ? 0 : size * count;
}

static bool is_header(struct str line, const char *name, struct str *ret_value)
{
	size_t n = strlen(name);
	if (line.n <= n || line.p[n] != ':' || !str_equal_nocase(str_slice(line, 0, n), str_from(name)))
		return false;
	*ret_value = str_trim(str_slice(line, n + 1, line.n));
	return true;
}

static size_t take_header(char *bytes, size_t size, size_t count, void *arg)
{
	struct transfer *t = arg;
	struct str line = {bytes, size * count}, value;
	if (is_header(line, "ETag", &value))
		t->answer->etag = str_copy(t->c->arena, value);
	else if (is_header(line, "Location", &value))
		t->answer->location = str_copy(t->c->arena, value);
	else if (is_header(line, "X-Total-Count", &value))
		t->answer->total = str_copy(t->c->arena, value);
	else if (is_header(line, "Date", &value))
		IGNORE(clock_parse_http(value, &t->place->now_us));
	else if (is_header(line, "Retry-After", &value) && !result_is_ok(str_parse_int(value, &t->retry_s)))
		t->retry_s = 0;
	return size * count;
}

static void curl_release(CURL **curl)
{
	curl_easy_cleanup(*curl);
}
static void list_release(struct curl_slist **list)
{
	curl_slist_free_all(*list);
}
static void mime_release(curl_mime **mime)
{
	curl_mime_free(*mime);
}

static bool add_header(struct curl_slist **list, const char *text)
{
	struct curl_slist *longer = curl_slist_append(*list, text);
	if (longer)
		*list = longer;
	return longer != NULL;
}

static const char *signature_of(const struct transfer *t)
{
	struct arena *a = t->c->arena;
	struct str value = desk_sign(a, t->place->secret, clock_now_us() / SECOND, t->request->body);
	return str_to_z(a, str_print(a, DESK_SIGNATURE_HEADER ": %" STR_FMT, STR_ARG(value)));
}

static bool add_headers(struct transfer *t, struct curl_slist **list)
{
	const struct desk_request *r = t->request;
	struct arena *a = t->c->arena;
	bool is_fine = add_header(list, "Accept: application/json") && add_header(list, "Expect:");
	if (r->is_signed)
		is_fine = is_fine && add_header(list, signature_of(t));
	if (t->place->secret.n && !r->is_basic && !r->is_signed)
		is_fine = is_fine &&
			  add_header(list, str_to_z(a, str_print(a, "Authorization: %s %" STR_FMT,
								 r->token_word ? r->token_word : "Bearer",
								 STR_ARG(t->place->secret))));
	if (r->media_type)
		is_fine = is_fine &&
			  add_header(list, str_to_z(a, str_print(a, "Content-Type: %s", r->media_type)));
	for (size_t k = 0; k < DESK_HEADERS_MAX && r->headers[k]; k++)
		is_fine = is_fine && add_header(list, r->headers[k]);
	return is_fine;
}

static bool set_parts(struct transfer *t, CURL *curl, curl_mime **mime)
{
	*mime = curl_mime_init(curl);
	for (size_t k = 0; *mime && k < t->request->part_count; k++) {
		const struct desk_part *p = &t->request->parts[k];
		curl_mimepart *part = curl_mime_addpart(*mime);
		if (!part || curl_mime_name(part, p->name) ||
		    curl_mime_data(part, p->content.p ? p->content.p : "", p->content.n) ||
		    (p->file_name && curl_mime_filename(part, p->file_name)) ||
		    (p->type && curl_mime_type(part, p->type)))
			return false;
	}
	return *mime && curl_easy_setopt(curl, CURLOPT_MIMEPOST, *mime) == CURLE_OK;
}

static void set_options(struct transfer *t, CURL *curl, const char *url, char *words)
{
	const struct desk_request *r = t->request;
	(void) curl_easy_setopt(curl, CURLOPT_URL, url);
	(void) curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	(void) curl_easy_setopt(curl, CURLOPT_PROXY, "");
	(void) curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	(void) curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long) CONNECT_MS);
	(void) curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long) (t->place->timeout_us / MILLISECOND));
	(void) curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, words);
	(void) curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
	(void) curl_easy_setopt(curl, CURLOPT_WRITEDATA, t);
	(void) curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
	(void) curl_easy_setopt(curl, CURLOPT_HEADERDATA, t);
	if (r->is_basic) {
		struct arena *a = t->c->arena;
		(void) curl_easy_setopt(curl, CURLOPT_HTTPAUTH, (long) CURLAUTH_BASIC);
		(void) curl_easy_setopt(curl, CURLOPT_USERNAME, str_to_z(a, t->place->login));
		(void) curl_easy_setopt(curl, CURLOPT_PASSWORD, str_to_z(a, t->place->secret));
	}
	if (!r->part_count && r->media_type) {
		(void) curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t) r->body.n);
		(void) curl_easy_setopt(curl, CURLOPT_POSTFIELDS, r->body.p ? r->body.p : "");
	}
	(void) curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, r->method);
}

/* ---- results ---- */

static RESULT judge_transfer(struct transfer *t, CURLcode code, const char *words)
{
	if (code == CURLE_OK)
		return OK;
	if (t->body.too_large)
		return ctx_fail(t->c, ERR_INVALID, "%s %" STR_FMT " answers more than it may",
				noun_of(t->place), STR_ARG(t->place->name));
	return ctx_fail(t->c, code == CURLE_OPERATION_TIMEDOUT ? ERR_TIMEOUT : ERR_GONE,
			"%s %" STR_FMT " does not answer: %s", noun_of(t->place), STR_ARG(t->place->name),
			words[0] ? words : curl_easy_strerror(code));
}

static enum err error_of(const struct desk_request *r, int status)
{
	(void) r;
	switch (status) {
	case 401:
		return ERR_UNAUTHENTICATED;
	case 403:
		return ERR_DENIED;
	case 404:
		return ERR_NOT_FOUND;
	case 408:
	case 425:
	case 429:
		return ERR_AGAIN;
	case 413:
		return ERR_TOO_LARGE;
	default:
		return status >= 500 ? ERR_AGAIN : ERR_INVALID;
	}
}

static RESULT judge_status(struct transfer *t)
{
	int status = t->answer->status;
	const struct desk_request *r = t->request;
	bool is_fine = (status >= 200 && status < 300) || (status == 404 && r->takes_404) ||
		       (status == 412 && r->takes_412);
	if (is_fine)
		return OK;
	t->place->wait_us = t->retry_s > 0 && t->retry_s < 3600 ? t->retry_s * SECOND : 0;
	struct str said = str_cut(t->answer->body, WORDS_MAX);
	bool is_text = str_is_xml_text(said);
	return ctx_fail(t->c, error_of(r, status), "%s %" STR_FMT " answers %d%s%" STR_FMT, noun_of(t->place),
			STR_ARG(t->place->name), status, is_text && said.n ? ": " : "",
			STR_ARG(is_text ? str_trim(said) : STR_NONE));
}

static RESULT run_transfer(struct transfer *t, const char *url)
{
	char words[CURL_ERROR_SIZE] = "";
	__attribute__((cleanup(curl_release))) CURL *curl = curl_easy_init();
	__attribute__((cleanup(list_release))) struct curl_slist *headers = NULL;
	__attribute__((cleanup(mime_release))) curl_mime *mime = NULL;
	long status = 0;
	if (!curl || !add_headers(t, &headers))
		return ctx_no_memory(t->c);
	set_options(t, curl, url, words);
	if (t->request->part_count && !set_parts(t, curl, &mime))
		return ctx_no_memory(t->c);
	(void) curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	TRY(judge_transfer(t, curl_easy_perform(curl), words));
	(void) curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	t->answer->status = (int) status;
	t->answer->body = str_copy(t->c->arena, buf_str(&t->body));
	if (t->body.size && !t->answer->body.p)
		return ctx_no_memory(t->c);
	return judge_status(t);
}

RESULT desk_call(struct ctx *c, struct desk_place *place, const struct desk_request *request,
		 struct desk_answer *ret_answer)
{
	struct transfer t = {.c = c, .place = place, .request = request, .answer = ret_answer};
	bool is_whole = str_starts_with(request->path, STR("http://")) ||
			str_starts_with(request->path, STR("https://"));
	struct str base = place->url;
	while (str_ends_with(base, STR("/")))
		base.n--;
	struct str url = is_whole ? request->path
				  : str_print(c->arena, "%" STR_FMT "%" STR_FMT, STR_ARG(base),
					      STR_ARG(request->path));
	*ret_answer = (struct desk_answer){0};
	buf_init(&t.body, request->cap_size ? request->cap_size : DESK_ANSWER_CAP);
	struct result result = run_transfer(&t, str_to_z(c->arena, url));
	buf_done(&t.body);
	return result;
}

RESULT desk_call_json(struct ctx *c, struct desk_place *place, const struct desk_request *request,
		      struct desk_answer *ret_answer, json_t **ret_json)
{
	TRY(desk_call(c, place, request, ret_answer));
	struct str text = str_trim(ret_answer->body);
	*ret_json = text.n ? json_loadb(text.p, text.n, JSON_DECODE_ANY, NULL) : NULL;
	if (text.n && !*ret_json)
		return ctx_fail(c, ERR_INVALID, "%s %" STR_FMT " answers what is no JSON", noun_of(place),
				STR_ARG(place->name));
	return OK;
}

/* ---- shared by drivers ---- */

struct str desk_text(struct ctx *c, const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);
	if (json_is_string(value))
		return str_copy(c->arena, (struct str){json_string_value(value), json_string_length(value)});
	if (json_is_integer(value))
		return str_print(c->arena, "%lld", (long long) json_integer_value(value));
	return STR_NONE;
}

struct str desk_marker(struct ctx *c, uuid id)
{
	char text[UUID_TEXT_SIZE];
	return str_print(c->arena, "[dari:%s]", uuid_write(id, text));
}

/* Detects "On …, … wrote:" followed by quoted lines, which every reply by mail repeats. */
static bool begins_tail(struct str line, struct str rest)
{
	struct str next = STR_NONE;
	bool wrote = str_ends_with(str_trim(line), STR(" wrote:"));
	while (wrote && str_split_next(&rest, '\n', &next) && !str_trim(next).n)
		;
	return wrote && str_starts_with(next, STR(">"));
}

struct str desk_clean_text(struct ctx *c, struct str text)
{
	struct buf out;
	struct str rest = text, line;
	buf_init(&out, text.n + 2);
	while (str_split_next(&rest, '\n', &line)) {
		struct str bare = str_trim(line);
		if (str_starts_with(bare, STR("[dari:")) && str_ends_with(bare, STR("]")))
			continue;
		if (begins_tail(line, rest))
			break;
		buf_add_str(&out, str_ends_with(line, STR("\r")) ? str_slice(line, 0, line.n - 1) : line);
		buf_add_char(&out, '\n');
	}
	struct str clean = str_copy(c->arena, str_trim(buf_str(&out)));
	buf_done(&out);
	return clean;
}

struct str desk_option(const struct desk_place *place, const char *key)
{
	for (size_t k = 0; k < place->options.count; k++)
		if (str_is(place->options.at[k].key, key))
			return place->options.at[k].value;
	return STR_NONE;
}

bool desk_read_state(const struct desk_place *place, const struct desk_word *words, struct str word,
		     enum ticket_state *ret_state)
{
	char key[80];
	int n = snprintf(key, sizeof key, "state.%" STR_FMT, STR_ARG(word));
	struct str said = n > 0 && (size_t) n < sizeof key ? desk_option(place, key) : STR_NONE;
	for (int k = 0; k < TICKET_STATES; k++)
		if (str_is(said, ticket_state_words[k])) {
			*ret_state = (enum ticket_state) k;
			return true;
		}
	for (; words->word; words++)
		if (str_equal_nocase(word, str_from(words->word))) {
			*ret_state = words->means;
			return true;
		}
	return false;
}
