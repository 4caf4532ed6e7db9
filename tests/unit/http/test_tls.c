/* SPDX-License-Identifier: Apache-2.0
 * TLS listeners: several with different certificates, next to plain ones, and with parked calls. */
#include "fixture.h"

#include <curl/curl.h>

#include "base/crypto.h"

static size_t take(char *bytes, size_t size, size_t count, void *arg)
{
	buf_add(arg, bytes, size * count);
	return size * count;
}

static long get_https(const struct fixture *f, uint16_t port, struct str ca_pem, const char *path,
		      struct buf *ret_body)
{
	CURL *curl = curl_easy_init();
	long status = 0;
	struct curl_blob ca = {.data = (void *) ca_pem.p, .len = ca_pem.n, .flags = CURL_BLOB_NOCOPY};
	const char *url = str_print(f->arena, "https://localhost:%u%s", (unsigned) port, path).p;
	buf_init(ret_body, BUF_ANSWER_CAP);
	(void) curl_easy_setopt(curl, CURLOPT_URL, url);
	(void) curl_easy_setopt(curl, CURLOPT_CAINFO_BLOB, &ca);
	(void) curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
	(void) curl_easy_setopt(curl, CURLOPT_IPRESOLVE, CURL_IPRESOLVE_V4);
	(void) curl_easy_setopt(curl, CURLOPT_TIMEOUT, 10L);
	(void) curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
	(void) curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
	(void) curl_easy_setopt(curl, CURLOPT_WRITEDATA, ret_body);
	if (curl_easy_perform(curl) == CURLE_OK)
		(void) curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_cleanup(curl);
	return status;
}

static void test_tls(void **state)
{
	static struct fixture f;
	struct str cert[2], key[2];
	struct http_listener *l[3];
	struct buf body;
	(void) state;
	fixture_start(&f, NULL);
	for (int k = 0; k < 2; k++)
		assert_ok(crypto_make_certificate(f.ctx, STR("localhost,127.0.0.1"), 24 * HOUR, &cert[k],
						  &key[k]));
	for (int k = 0; k < 3; k++) {
		struct http_where where = {.ip = ip_from_v4(0x7F000001),
					   .cert_pem = cert[k % 2],
					   .key_pem = key[k % 2],
					   .tag = (void *) (k == 2 ? "third"
							    : k    ? "second"
								   : "first")};
		assert_ok(http_listen(f.server, f.ctx, &fixture_face, NULL, &where, &l[k]));
	}
	static const char *const paths[] = {"/", "/park?5", "/early"};
	for (size_t k = 0; k < 3; k++) {
		assert_int_equal(get_https(&f, http_listener_port(l[k]), cert[k % 2], paths[k], &body), 200);
		assert_true(str_contains(buf_str(&body), k == 2 ? STR("\nthird\n")
							 : k    ? STR("\nsecond\n")
								: STR("\nfirst\n")));
		buf_done(&body);
	}
	assert_int_equal(get_https(&f, http_listener_port(l[0]), cert[0], "/big?3000000", &body), 200);
	assert_int_equal(body.size, 3000000);
	buf_done(&body);
	assert_int_equal(get_https(&f, http_listener_port(l[0]), cert[0], "/read?3000000", &body), 200);
	assert_int_equal(body.size, 3000000);
	for (size_t k = 0; k < body.size; k++)
		assert_int_equal(body.p[k], fixture_letter(k));
	buf_done(&body);
	/* the other certificate */
	assert_int_equal(get_https(&f, http_listener_port(l[0]), cert[1], "/", &body), 0);
	buf_done(&body);
	/* plain text to a TLS port */
	struct reply r =
		client_ask(f.arena, http_listener_port(l[0]), STR("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
	assert_int_equal(r.status, 0);
	assert_int_equal(client_ask(f.arena, f.port, STR("GET / HTTP/1.1\r\nHost: a\r\n\r\n")).status, 200);

	struct http_where bad = {.ip = ip_from_v4(0x7F000001), .cert_pem = STR("no"), .key_pem = key[0]};
	struct http_listener *none = NULL;
	assert_err(http_listen(f.server, f.ctx, &fixture_face, NULL, &bad, &none), INVALID);
	fixture_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_tls)};
	(void) curl_global_init(CURL_GLOBAL_DEFAULT);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	curl_global_cleanup();
	return failed;
}
