/* SPDX-License-Identifier: Apache-2.0
 * Backups in an S3 bucket. Requests are signed here: libcurl's own signature covers headers that it does not send, which S3
 * refuses. URLs are in path style, which all compatible services support. Also plain unsigned PUT to a web server, used for export only. */
#include "drivers/backup_store_internal.h"

#include "base/clock.h"
#include "base/crypto.h"
#include "base/file.h"
#include "model/backup_name.h"
#include "model/sigv4_sign.h"

enum { CONNECT_TIMEOUT_S = 10, SLOW_BYTES = 1024, SLOW_S = 60, LISTING_MAX = 4 << 20, ANSWER_MAX = 64 << 10 };

struct exchange {
	const char *method; /* one of GET, PUT, DELETE */
	const char *url;
	struct str path, query; /* parts of the url that the signature covers */
	struct str body;        /* for PUT */
	size_t sent;
	struct buf *answer; /* body of a successful answer */
	struct buf refusal;
	CURL *curl;
	long status;
};

static size_t send_piece(char *bytes, size_t size, size_t count, void *arg)
{
	struct exchange *x = arg;
	size_t n = x->body.n - x->sent;
	if (n > size * count)
		n = size * count;
	memcpy(bytes, x->body.p + x->sent, n);
	x->sent += n;
	return n;
}

static size_t take_piece(char *bytes, size_t size, size_t count, void *arg)
{
	struct exchange *x = arg;
	long status = 0;
	(void) curl_easy_getinfo(x->curl, CURLINFO_RESPONSE_CODE, &status);
	struct buf *into = status == 200 && x->answer ? x->answer : &x->refusal;
	buf_add(into, bytes, size * count);
	bool is_full = !result_is_ok(buf_finish(into));
	return is_full && into != &x->refusal ? 0 : size * count;
}

static void headers_release(struct curl_slist **headers)
{
	curl_slist_free_all(*headers);
}

static RESULT add_line(struct ctx *c, struct curl_slist **headers, struct str line)
{
	struct curl_slist *longer = line.p ? curl_slist_append(*headers, line.p) : NULL;
	*headers = longer ? longer : *headers;
	return longer ? OK : ctx_no_memory(c);
}

static RESULT add_signature(const struct backup_store *s, struct ctx *c, const struct exchange *x,
			    struct str digest, struct curl_slist **headers)
{
	const struct sigv4_header more[] = {{STR("x-amz-content-sha256"), digest}};
	struct str authorization = STR_NONE, date = STR_NONE;
	const struct sigv4_signing signing = {.key_id = s->key_id,
					      .secret = s->secret,
					      .region = s->region,
					      .service = STR("s3"),
					      .method = str_from(x->method),
					      .path = x->path,
					      .query = x->query,
					      .body = x->body,
					      .host = s->host,
					      .at_us = clock_now_us(),
					      .more = more,
					      .more_count = 1};
	TRY(sigv4_sign(c, &signing, &authorization, &date));
	TRY(add_line(c, headers, str_print(c->arena, "Authorization: %" STR_FMT, STR_ARG(authorization))));
	return add_line(c, headers, str_print(c->arena, "X-Amz-Date: %" STR_FMT, STR_ARG(date)));
}

static RESULT add_headers(const struct backup_store *s, struct ctx *c, const struct exchange *x,
			  struct curl_slist **headers)
{
	struct str digest = sigv4_hash_hex(c->arena, x->body);
	TRY(add_line(c, headers, STR("Expect:")));
	TRY(add_line(c, headers, str_print(c->arena, "x-amz-content-sha256: %" STR_FMT, STR_ARG(digest))));
	return s->key_id.n ? add_signature(s, c, x, digest, headers) : OK;
}

static CURLcode perform(struct exchange *x, struct curl_slist *headers, char *words)
{
	CURL *curl = x->curl;
	curl_easy_reset(curl);
	(void) curl_easy_setopt(curl, CURLOPT_URL, x->url);
	(void) curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	(void) curl_easy_setopt(curl, CURLOPT_PROXY, "");
	(void) curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	(void) curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long) CONNECT_TIMEOUT_S);
	(void) curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, (long) SLOW_BYTES);
	(void) curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (long) SLOW_S);
	(void) curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	(void) curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, words);
	(void) curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_piece);
	(void) curl_easy_setopt(curl, CURLOPT_WRITEDATA, x);
	if (strcmp(x->method, "PUT") == 0) {
		(void) curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
		(void) curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t) x->body.n);
		(void) curl_easy_setopt(curl, CURLOPT_READFUNCTION, send_piece);
		(void) curl_easy_setopt(curl, CURLOPT_READDATA, x);
	} else
		(void) curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, x->method);
	CURLcode code = curl_easy_perform(curl);
	(void) curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &x->status);
	return code;
}

/* The error code in the service's answer, for messages. */
static struct str refusal_of(const struct exchange *x)
{
	static const struct str BEGIN = STR("<Code>"), END = STR("</Code>");
	struct str text = buf_str(&x->refusal);
	for (size_t k = 0; k + BEGIN.n < text.n; k++) {
		struct str rest = str_slice(text, k, text.n);
		if (!str_starts_with(rest, BEGIN))
			continue;
		rest = str_slice(rest, BEGIN.n, rest.n);
		size_t n = str_find_char(rest, '<', 0);
		struct str code = str_slice(rest, 0, n);
		return str_starts_with(str_slice(rest, n, rest.n), END) && backup_name_is_part(code)
			       ? code
			       : STR_NONE;
	}
	return STR_NONE;
}

/* ERR_NOT_FOUND: status 404. */
static RESULT exchange(const struct backup_store *s, struct ctx *c, struct exchange *x)
{
	char words[CURL_ERROR_SIZE] = {0};
	__attribute__((cleanup(headers_release))) struct curl_slist *headers = NULL;
	TRY(add_headers(s, c, x, &headers));
	buf_init(&x->refusal, ANSWER_MAX);
	x->curl = s->curl;
	CURLcode code = perform(x, headers, words);
	struct str refusal = str_copy(c->arena, refusal_of(x));
	buf_done(&x->refusal);
	if (x->answer && !result_is_ok(buf_finish(x->answer)))
		return buf_finish(x->answer);
	if (code != CURLE_OK)
		return ctx_fail(c, ERR_IO, "%s %s: %s", x->method, x->url,
				words[0] ? words : curl_easy_strerror(code));
	if (x->status / 100 == 2)
		return OK;
	return ctx_fail(c, x->status == 404 ? ERR_NOT_FOUND : ERR_IO, "%s %s: it answers %ld %" STR_FMT,
			x->method, x->url, x->status, STR_ARG(refusal));
}

/* A request about an object. Names need no escapes: backup_name_is_part(). */
static struct exchange about(const struct backup_store *s, struct ctx *c, const char *method, struct str name)
{
	return (struct exchange){
		.method = method,
		.url = str_print(c->arena, "%s/%" STR_FMT, s->bucket_url, STR_ARG(name)).p,
		.path = str_print(c->arena, "%" STR_FMT "/%" STR_FMT, STR_ARG(s->path), STR_ARG(name))};
}

static RESULT run(const struct backup_store *s, struct ctx *c, struct exchange *x)
{
	return x->url ? exchange(s, c, x) : ctx_no_memory(c);
}

static RESULT put(struct backup_store *s, struct ctx *c, struct str name, struct str bytes)
{
	struct exchange x = about(s, c, "PUT", name);
	x.body = bytes;
	struct result result = run(s, c, &x);
	if (result.code != ERR_NOT_FOUND)
		return result;
	ctx_clear_problem(c);
	return ctx_fail(c, ERR_IO, "PUT %s: there is no such bucket", x.url);
}

static RESULT get(struct backup_store *s, struct ctx *c, struct str name, struct buf *into)
{
	struct exchange x = about(s, c, "GET", name);
	x.answer = into;
	return run(s, c, &x);
}

static RESULT remove_object(struct backup_store *s, struct ctx *c, struct str name)
{
	struct exchange x = about(s, c, "DELETE", name);
	struct result result = run(s, c, &x);
	if (result.code != ERR_NOT_FOUND)
		return result;
	ctx_clear_problem(c);
	return OK;
}

/* Text between tags at `at`, e.g. <Key>text</Key>; empty: another tag. */
static struct str element_at(struct str text, size_t at, struct str tag)
{
	struct str rest = str_slice(text, at, text.n);
	if (!str_starts_with(rest, tag))
		return STR_NONE;
	rest = str_slice(rest, tag.n, rest.n);
	return str_slice(rest, 0, str_find_char(rest, '<', 0));
}

/* Lists the answer's keys directly in the folder, and its folders, which end in a slash. Our names contain no characters
 * that XML escapes; keys with such characters are skipped, and so is the echoed prefix. */
static RESULT read_keys(struct ctx *c, struct str text, struct str folder, struct strs *ret_names)
{
	struct str *names = arena_new_array(c->arena, struct str, BACKUP_LIST_MAX);
	size_t count = 0;
	if (!names)
		return ctx_no_memory(c);
	for (size_t at = str_find_char(text, '<', 0); at < text.n && count < BACKUP_LIST_MAX;
	     at = str_find_char(text, '<', at + 1)) {
		struct str key = element_at(text, at, STR("<Key>"));
		if (!key.n) {
			key = element_at(text, at, STR("<Prefix>"));
			key.n -= key.n && key.p[key.n - 1] == '/';
		}
		if (key.n <= folder.n + 1 || !str_starts_with(key, folder) || key.p[folder.n] != '/')
			continue;
		struct str name = str_slice(key, folder.n + 1, key.n);
		if (backup_name_is_part(name))
			names[count++] = str_copy(c->arena, name);
	}
	*ret_names = (struct strs){names, count};
	return OK;
}

/* grouping: "delimiter=%2F&" lists subfolders instead of the
 * keys in them; "" leaves both out. */
static RESULT list_page(struct backup_store *s, struct ctx *c, struct str folder, const char *grouping,
			struct strs *ret_names)
{
	struct buf answer;
	struct str prefix =
		str_encode_url(c->arena, str_print(c->arena, "%" STR_FMT "/", STR_ARG(folder)), false);
	struct str query = str_print(c->arena, "%slist-type=2&max-keys=%d&prefix=%" STR_FMT, grouping,
				     BACKUP_LIST_MAX, STR_ARG(prefix));
	struct exchange x = {.method = "GET", .answer = &answer, .path = s->path, .query = query};
	x.url = str_print(c->arena, "%s?%" STR_FMT, s->bucket_url, STR_ARG(query)).p;
	buf_init(&answer, LISTING_MAX);
	struct result result = run(s, c, &x);
	if (result_is_ok(result))
		result = read_keys(c, buf_str(&answer), folder, ret_names);
	buf_done(&answer);
	return result;
}

static RESULT list(struct backup_store *s, struct ctx *c, struct str folder, struct strs *ret_names)
{
	return list_page(s, c, folder, "delimiter=%2F&", ret_names);
}

/* Deletes page by page until the listing is empty. */
static RESULT remove_folder(struct backup_store *s, struct ctx *c, struct str folder)
{
	struct strs names = {0};
	do {
		TRY(list_page(s, c, folder, "", &names));
		for (size_t k = 0; k < names.count; k++) {
			struct str name = str_print(c->arena, "%" STR_FMT "/%" STR_FMT, STR_ARG(folder),
						    STR_ARG(names.at[k]));
			if (!name.p)
				return ctx_no_memory(c);
			TRY(remove_object(s, c, name));
		}
	} while (names.count);
	return OK;
}

const struct backup_store_kind backup_store_s3 = {
	.put = put, .get = get, .list = list, .remove = remove_object, .remove_folder = remove_folder};

/* Host and path as curl sends them: without the scheme's own port. */
static RESULT split_url(struct backup_store *s, struct ctx *c)
{
	struct str url = str_from(s->bucket_url);
	bool is_https = str_starts_with(url, STR("https://"));
	size_t skip = is_https ? 8 : str_starts_with(url, STR("http://")) ? 7 : 0;
	struct str rest = str_slice(url, skip, url.n);
	size_t slash = str_find_char(rest, '/', 0);
	struct str host = str_slice(rest, 0, slash), port = is_https ? STR(":443") : STR(":80");
	if (!skip || !host.n || memchr(host.p, '@', host.n))
		return ctx_fail(c, ERR_INVALID,
				"backup.s3_endpoint must be a URL of https or http without a password.");
	s->host = str_ends_with(host, port) ? str_slice(host, 0, host.n - port.n) : host;
	s->path = str_slice(rest, slash, rest.n);
	return OK;
}

RESULT backup_store_open_s3(struct backup_store *s, struct ctx *c, const struct backup_target *target,
			    struct str bucket)
{
	struct str secret = STR_NONE, endpoint = target->endpoint, text = STR_NONE;
	if (!endpoint.n || !target->key_id.n || !target->secret_file.n)
		return ctx_fail(c, ERR_INVALID,
				"backup.s3_endpoint, backup.s3_key_id and backup.s3_secret_file must be set "
				"with the target %" STR_FMT,
				STR_ARG(target->url));
	TRY(file_read(c, str_to_z(c->arena, target->secret_file), 4096, &text));
	(void) str_split_next(&text, '\n', &secret);
	while (endpoint.p[endpoint.n - 1] == '/')
		endpoint.n--;
	s->bucket_url = str_print(s->arena, "%" STR_FMT "/%" STR_FMT, STR_ARG(endpoint), STR_ARG(bucket)).p;
	s->region = str_copy(s->arena, target->region);
	s->key_id = str_copy(s->arena, target->key_id);
	s->secret = str_copy(s->arena, str_trim(secret));
	s->curl = curl_easy_init();
	if (!s->bucket_url || !s->curl || arena_is_full(s->arena))
		return ctx_no_memory(c);
	return split_url(s, c);
}

/* ---- write-only by PUT ---- */

static RESULT put_web(struct backup_store *s, struct ctx *c, struct str name, struct str bytes)
{
	struct exchange x = about(s, c, "PUT", name);
	x.body = bytes;
	struct result result = run(s, c, &x);
	if (result.code != ERR_NOT_FOUND)
		return result;
	ctx_clear_problem(c);
	return ctx_fail(c, ERR_IO, "PUT %s: it answers 404", x.url);
}

const struct backup_store_kind backup_store_web = {.put = put_web};

RESULT backup_store_open_web(struct backup_store *s, struct ctx *c, struct str url)
{
	while (url.n && url.p[url.n - 1] == '/')
		url.n--;
	if (!str_is_line(url) || memchr(url.p, '@', url.n) || memchr(url.p, '?', url.n) ||
	    memchr(url.p, '#', url.n))
		return ctx_fail(c, ERR_INVALID,
				"The URL %" STR_FMT " must not have a name, a password or a query.",
				STR_ARG(url));
	s->bucket_url = str_to_z(s->arena, url);
	s->curl = curl_easy_init();
	return *s->bucket_url && s->curl ? OK : ctx_no_memory(c);
}
