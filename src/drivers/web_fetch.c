/* SPDX-License-Identifier: Apache-2.0
 * Fetches documents by libcurl. A server without a certificate trusted by the system is accepted only if one
 * of the thumbprints is in its chain and the chain is valid from there. A handshake without a request reads
 * the chain first; the request then goes over a connection pinned to the same key. */
#include "drivers/web_fetch.h"

#include <curl/curl.h>

#include "base/buf.h"
#include "base/crypto.h"
#include "drivers/egress_policy.h"

enum { CHAIN_MAX = 10 };

struct fetching {
	const struct web_fetch *wish;
	struct buf body;
};

static size_t take_piece(char *bytes, size_t size, size_t count, void *arg)
{
	struct fetching *f = arg;
	if (size * count > f->wish->cap_size - buf_str(&f->body).n)
		return 0; /* makes curl fail with a write error */
	buf_add(&f->body, bytes, size * count);
	return size * count;
}

/* The certificates that the server sent, its own first. */
static struct strs take_chain(CURL *curl, struct arena *a)
{
	struct curl_certinfo *info = NULL;
	struct str *pems = arena_new_array(a, struct str, CHAIN_MAX);
	size_t count = 0;
	if (!pems || curl_easy_getinfo(curl, CURLINFO_CERTINFO, &info) != CURLE_OK || !info ||
	    info->num_of_certs > CHAIN_MAX)
		return (struct strs){0};
	for (int k = 0; k < info->num_of_certs; k++)
		for (const struct curl_slist *line = info->certinfo[k]; line; line = line->next)
			if (strncmp(line->data, "Cert:", 5) == 0 && count < CHAIN_MAX)
				pems[count++] = str_copy(a, str_from(line->data + 5));
	return (struct strs){pems, count};
}

static void set_form(const struct web_fetch *wish, CURL *curl)
{
	if (wish->form.n) {
		(void) curl_easy_setopt(curl, CURLOPT_POSTFIELDS, wish->form.p);
		(void) curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long) wish->form.n);
	}
	if (wish->user && wish->password) {
		(void) curl_easy_setopt(curl, CURLOPT_USERNAME, wish->user);
		(void) curl_easy_setopt(curl, CURLOPT_PASSWORD, wish->password);
		(void) curl_easy_setopt(curl, CURLOPT_HTTPAUTH, (long) CURLAUTH_BASIC);
	}
}

static CURLcode perform(struct fetching *f, CURL *curl, bool by_thumbprint, char *words)
{
	set_form(f->wish, curl);
	(void) curl_easy_setopt(curl, CURLOPT_URL, f->wish->url);
	(void) curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
	(void) curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	(void) curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long) f->wish->timeout_ms);
	(void) curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, words);
	(void) curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_piece);
	(void) curl_easy_setopt(curl, CURLOPT_WRITEDATA, f);
	(void) curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
	(void) curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, by_thumbprint ? 0L : 1L);
	(void) curl_easy_setopt(curl, CURLOPT_CERTINFO, by_thumbprint ? 1L : 0L);
	return curl_easy_perform(curl);
}

/* Checks the thumbprints first. *ret_is_vouched_for false: nothing was requested. */
static CURLcode perform_by_thumbprint(struct fetching *f, CURL *curl, char *words, struct arena *a,
				      bool *ret_is_vouched_for)
{
	(void) curl_easy_setopt(curl, CURLOPT_CONNECT_ONLY, 1L);
	CURLcode code = perform(f, curl, true, words);
	const struct strs chain = take_chain(curl, a);
	struct str key = chain.count ? crypto_digest_public_key(a, chain.at[0]) : STR_NONE;
	const char *pin = str_to_z(a, str_print(a, "sha256//%" STR_FMT, STR_ARG(key)));
	*ret_is_vouched_for =
		code == CURLE_OK && key.n && pin && crypto_is_vouched_for(a, chain, f->wish->thumbprints);
	if (!*ret_is_vouched_for)
		return code;
	(void) curl_easy_setopt(curl, CURLOPT_CONNECT_ONLY, 0L);
	(void) curl_easy_setopt(curl, CURLOPT_PINNEDPUBLICKEY, pin);
	return perform(f, curl, true, words);
}

static struct result begin(struct web_visit *v, CURL *curl, const struct web_fetch *wish)
{
	const char *redirects = str_starts_with(str_from(wish->url), STR("https:")) ? "https" : "http,https";
	if (!wish->from_anywhere)
		return web_visit_begin(v, curl, "https");
	(void) curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https,file");
	(void) curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, redirects);
	(void) curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
	(void) curl_easy_setopt(curl, CURLOPT_MAXREDIRS, 5L);
	return OK;
}

/* The error code for a failed transfer. */
static enum err weigh(const struct web_fetch *wish, CURL *curl, CURLcode code)
{
	long status = 0;
	(void) curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	if (code != CURLE_HTTP_RETURNED_ERROR)
		return wish->from_anywhere && code == CURLE_FILE_COULDNT_READ_FILE ? ERR_NOT_FOUND : ERR_IO;
	if (wish->form.n && (status == 400 || status == 401))
		return ERR_DENIED;
	return wish->from_anywhere && status == 404 ? ERR_NOT_FOUND : ERR_IO;
}

RESULT web_fetch_get(struct ctx *c, const struct web_fetch *wish, struct str *ret_body)
{
	struct fetching f = {.wish = wish};
	char words[CURL_ERROR_SIZE] = {0};
	CURL *curl = curl_easy_init();
	if (!curl)
		return ctx_no_memory(c);
	buf_init(&f.body, wish->cap_size);
	struct web_visit visit = {.c = c, .url = wish->url, .reach = wish->reach};
	struct result allowed = begin(&visit, curl, wish);
	CURLcode code = result_is_ok(allowed) ? perform(&f, curl, false, words) : CURLE_OK;
	bool is_vouched_for = true;
	if (code == CURLE_PEER_FAILED_VERIFICATION && wish->thumbprints.count)
		code = perform_by_thumbprint(&f, curl, words, c->arena, &is_vouched_for);
	if (result_is_ok(allowed))
		allowed = web_visit_check(&visit, code);
	enum err why = weigh(wish, curl, code);
	curl_easy_cleanup(curl);
	struct str body = str_copy(c->arena, buf_str(&f.body));
	buf_done(&f.body);
	TRY(allowed);
	if (code != CURLE_OK)
		return ctx_fail(c, why, "cannot fetch %s: %s", wish->url,
				words[0] ? words : curl_easy_strerror(code));
	if (!is_vouched_for)
		return ctx_fail(c, ERR_IO, "no thumbprint is of the certificates of %s", wish->url);
	*ret_body = body;
	return body.p ? OK : ctx_fail(c, ERR_IO, "%s is empty", wish->url);
}
