/* SPDX-License-Identifier: Apache-2.0
 * Implements web_post.h by libcurl. The answer's body is dropped. */
#include "drivers/web_post.h"

#include <curl/curl.h>

#include "drivers/egress_policy.h"

enum { CONNECT_MS = 5000, ANSWER_MAX = 64 * 1024 };

/* Ends the transfer of an answer that is too long. */
static size_t drop(char *bytes, size_t size, size_t count, void *arg)
{
	size_t *left = arg;
	(void) bytes;
	if (size * count > *left)
		return 0;
	*left -= size * count;
	return size * count;
}

static bool add_headers(const struct web_post *p, struct curl_slist **list)
{
	struct curl_slist *longer = curl_slist_append(*list, "Expect:");
	for (size_t k = 0; longer && k < WEB_POST_HEADERS_MAX && p->headers[k]; k++) {
		*list = longer;
		longer = curl_slist_append(*list, p->headers[k]);
	}
	if (longer)
		*list = longer;
	return longer != NULL;
}

static RESULT perform(struct ctx *c, struct web_post *p, CURL *curl, const struct curl_slist *headers)
{
	char words[CURL_ERROR_SIZE] = "";
	size_t left = ANSWER_MAX;
	long status = 0;
	struct web_visit visit = {.c = c, .url = p->url, .reach = p->reach};
	(void) curl_easy_setopt(curl, CURLOPT_URL, p->url);
	(void) curl_easy_setopt(curl, CURLOPT_PROXY, "");
	(void) curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	(void) curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long) CONNECT_MS);
	(void) curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long) p->timeout_ms);
	(void) curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, words);
	(void) curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, drop);
	(void) curl_easy_setopt(curl, CURLOPT_WRITEDATA, &left);
	(void) curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	(void) curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t) p->body.n);
	(void) curl_easy_setopt(curl, CURLOPT_POSTFIELDS, p->body.p ? p->body.p : "");
	TRY(web_visit_begin(&visit, curl, "http,https"));
	CURLcode code = curl_easy_perform(curl);
	(void) curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	p->status = (int) status;
	TRY(web_visit_check(&visit, code));
	return code == CURLE_OK ? OK
				: ctx_fail(c, ERR_IO, "%s does not answer: %s", p->url,
					   words[0] ? words : curl_easy_strerror(code));
}

RESULT web_post_send(struct ctx *c, struct web_post *p)
{
	CURL *curl = curl_easy_init();
	struct curl_slist *headers = NULL;
	struct result result =
		curl && add_headers(p, &headers) ? perform(c, p, curl, headers) : ctx_no_memory(c);
	curl_slist_free_all(headers);
	curl_easy_cleanup(curl);
	return result;
}
