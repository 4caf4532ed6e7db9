/* SPDX-License-Identifier: Apache-2.0
 * The cache of whole answers with many threads: each call gets the answer of its own key and commit, with its own request id, as text, as
 * file and compressed, while others add, replace and drop answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <zlib.h>

#include "api/core/response_cache.h"
#include "fake_http.h"

enum { THREADS = 4, ROUNDS = 1500, ACCOUNTS = 2, DIGESTS = 3, ROOM = 400 * 1024, GZIP_WINDOW = 15 + 16 };
enum { SHORT_SIZE = 20000, LONG_SIZE = 300000 }; /* the long one has no request id, and becomes a file */

struct asking {
	struct response_cache *cache;
	unsigned thread;
	size_t hits;
	char text[ROOM]; /* an expanded answer */
};

static _Atomic uint64_t commit = 1;

static void write_body(struct buf *body, const struct response_key *key, uint64_t at, struct str id)
{
	bool is_long = key->digest[0] == 'a';
	size_t size = is_long ? LONG_SIZE : SHORT_SIZE;
	buf_init(body, BUF_ANSWER_CAP);
	buf_print(body, "<answer><requestId>%" STR_FMT "</requestId>", STR_ARG((is_long ? STR_NONE : id)));
	buf_print(body, "%d %c %llu ", key->account.b[15], key->digest[0], (unsigned long long) at);
	while (body->size < size)
		buf_add_char(body, (char) ('a' + (body->size + at) % 26));
}

static const char *compare(struct asking *g, const struct fake_call *f, struct str expected)
{
	struct str body = buf_str(&f->body);
	z_stream z = {.next_in = (Bytef *) (uintptr_t) body.p,
		      .avail_in = (uInt) body.n,
		      .next_out = (Bytef *) g->text,
		      .avail_out = ROOM};
	if (f->answer_header_count) {
		bool is_whole =
			inflateInit2(&z, GZIP_WINDOW) == Z_OK && inflate(&z, Z_FINISH) == Z_STREAM_END;
		(void) inflateEnd(&z);
		if (!is_whole)
			return "damaged";
		body = (struct str){g->text, ROOM - z.avail_out};
	}
	return str_equal(body, expected) ? NULL : "another answer";
}

/* Asks once, and makes the answer if there is none. */
static const char *ask(struct asking *g, unsigned n)
{
	char id[UUID_TEXT_SIZE];
	struct fake_call f;
	struct buf body, expected;
	struct view view = {.commit = atomic_load(&commit)}; /* not read: right are answers of its commit */
	const struct reads reads = {.commit = view.commit};
	struct response_key key = {.account = {{[15] = (uint8_t) (n % ACCOUNTS)}}};
	memset(key.digest, 'a' + (int) (n % DIGESTS), sizeof key.digest);
	uuid_write((uuid){{[0] = (uint8_t) g->thread, [14] = (uint8_t) (n >> 8), [15] = (uint8_t) n}}, id);
	fake_call_init(&f, "POST", STR("/"), STR_NONE, STR_NONE);
	f.call.ctx.request_id = str_from(id);
	f.call.is_tls = n % 5 == 0;
	if (n % 4 == 0)
		fake_call_add_header(&f, "Accept-Encoding", STR("gzip"));
	write_body(&expected, &key, view.commit, str_from(id));
	bool is_hit = response_cache_send(g->cache, &key, &view, &f.call, "text/xml");
	if (!is_hit) {
		write_body(&body, &key, view.commit, str_from(id));
		IGNORE(response_cache_add(g->cache, &key, &reads, &f.call, "text/xml",
					  &body)); /* the body shows the result */
	}
	g->hits += is_hit;
	const char *wrong = compare(g, &f, buf_str(&expected));
	buf_done(&expected);
	fake_call_done(&f);
	return wrong;
}

static void *ask_for_a_while(void *arg)
{
	struct asking *g = arg;
	const char *wrong = NULL;
	for (unsigned n = 0; !wrong && n < ROUNDS; n++) {
		wrong = ask(g, n * 7 + g->thread);
		if (g->thread == 0 && n % 40 == 39)
			(void) atomic_fetch_add(&commit, 1);
		if (g->thread == 1 && n % 100 == 99)
			response_cache_trim(g->cache);
	}
	return (void *) (uintptr_t) wrong;
}

static void test_threads(void **state)
{
	static struct asking asking[THREADS];
	pthread_t threads[THREADS];
	struct response_cache *m = response_cache_new(RESPONSE_SIZE_MIN);
	size_t hits = 0;
	(void) state;
	for (unsigned k = 0; k < THREADS; k++) {
		asking[k].cache = m;
		asking[k].thread = k;
		assert_int_equal(pthread_create(&threads[k], NULL, ask_for_a_while, &asking[k]), 0);
	}
	for (unsigned k = 0; k < THREADS; k++) {
		void *wrong = NULL;
		assert_int_equal(pthread_join(threads[k], &wrong), 0);
		if (wrong)
			fail_msg("thread %u: %s", k, (const char *) wrong);
		hits += asking[k].hits;
	}
	assert_true(hits > 0); /* the last thread finds its own answers, at the latest */
	response_cache_free(m);
	struct response_cache_figures figures;
	response_cache_read_figures(&figures);
	assert_int_equal(figures.size, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_threads)};
	return cmocka_run_group_tests(tests, 0, 0);
}
