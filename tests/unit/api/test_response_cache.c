/* SPDX-License-Identifier: Apache-2.0
 * The cache of whole answers: equal bytes except for the request id, and only for the same caller and
 * request. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/resource.h>
#include <zlib.h>

#include "api/core/response_cache.h"
#include "api/core/response_cache_room.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/heap.h"
#include "model/id.h"
#include "world.h"

static const struct str first_id = {"00000000-1111-4222-8333-444444444444", 36},
			second_id = {"99999999-8888-4777-8666-555555555555", 36};

/* A key, and the commit that an answer was made at or is asked for. */
struct asked {
	struct response_key key;
	uint64_t commit;
};

static struct asked key_of(unsigned account, uint64_t commit, char digest)
{
	struct asked asked = {.key.account = {{[15] = (uint8_t) account}}, .commit = commit};
	memset(asked.key.digest, digest, sizeof asked.key.digest);
	return asked;
}

/* A view that is not read any more: an answer is right in it if it is of its commit. */
static struct view view_of(const struct asked *asked)
{
	return (struct view){.commit = asked->commit};
}

static struct reads reads_of(const struct asked *asked)
{
	return (struct reads){.commit = asked->commit};
}

static void begin(struct fake_call *f, struct str id)
{
	fake_call_init(f, "POST", STR("/"), STR_NONE, STR_NONE);
	f->call.ctx.request_id = id;
}

static void write_body(struct buf *body, struct str id, size_t size)
{
	buf_init(body, BUF_ANSWER_CAP);
	buf_print(body, "<answer><requestId>%" STR_FMT "</requestId>", STR_ARG(id));
	while (body->size < size)
		buf_add_char(body, (char) ('a' + body->size % 26));
}

/* Answered and kept under the key, if it may be. */
static void keep(struct response_cache *m, const struct asked *asked, size_t size)
{
	struct fake_call f;
	struct buf body, expected;
	begin(&f, first_id);
	write_body(&body, first_id, size);
	write_body(&expected, first_id, size);
	const struct reads reads = reads_of(asked);
	IGNORE(response_cache_add(m, &asked->key, &reads, &f.call, "text/xml",
				  &body)); /* the result is checked by is_answered */
	assert_true(f.is_answered);
	assert_true(str_equal(buf_str(&f.body), buf_str(&expected)));
	buf_done(&expected);
	fake_call_done(&f);
}

static bool sends(struct response_cache *m, const struct asked *asked, size_t size)
{
	struct fake_call f;
	struct buf expected;
	begin(&f, second_id);
	struct view view = view_of(asked);
	bool sent = response_cache_send(m, &asked->key, &view, &f.call, "text/xml");
	assert_int_equal(sent, f.is_answered);
	write_body(&expected, second_id, size);
	if (sent)
		assert_true(str_equal(buf_str(&f.body), buf_str(&expected)));
	buf_done(&expected);
	fake_call_done(&f);
	return sent;
}

static void test_own_id(void **state)
{
	(void) state;
	struct response_cache *m = response_cache_new(RESPONSE_SIZE_MIN);
	const struct asked key = key_of(1, 7, 'a'), later = key_of(1, 8, 'a'), other = key_of(2, 7, 'a'),
			   asked = key_of(1, 7, 'b');
	assert_false(sends(m, &key, 0));
	keep(m, &key, 20000);
	assert_true(sends(m, &key, 20000));
	assert_true(sends(m, &key, 20000));
	assert_false(sends(m, &later, 0)); /* something was committed */
	assert_false(sends(m, &other, 0)); /* another caller */
	assert_false(sends(m, &asked, 0)); /* a different request */
	keep(m, &later, 30000);
	assert_true(sends(m, &later, 30000));
	assert_false(sends(m, &key, 0)); /* replaced */
	response_cache_free(m);
}

/* More requests than the cache has sets: some share the set of the kept answer, and none is sent that answer. */
static void test_digests(void **state)
{
	enum { MANY = 1000 };
	(void) state;
	struct response_cache *m = response_cache_new(RESPONSE_SIZE_MIN);
	const struct asked key = key_of(1, 1, 'a');
	keep(m, &key, RESPONSE_SIZE_MIN);
	for (int k = 0; k < MANY; k++) {
		struct asked other = key;
		memcpy(other.key.digest, &k, sizeof k);
		assert_false(sends(m, &other, 0));
	}
	assert_true(sends(m, &key, RESPONSE_SIZE_MIN));
	response_cache_free(m);
}

/* Callers with other rights, of another domain, by a trust, a role or an application credential, or in another scope get answers of
 * their own, whatever the digest is. */
static void test_callers(void **state)
{
	(void) state;
	struct response_cache *m = response_cache_new(RESPONSE_SIZE_MIN);
	const uuid some = {{[15] = 9}};
	const struct identity caller = {.scope = IDENTITY_ACCOUNT, .account = some, .rights = RIGHT(READER)};
	struct identity others[] = {caller, caller, caller, caller, caller,
				    caller, caller, caller, caller, caller};
	others[0].account = (uuid){{[15] = 8}};
	others[1].domain = others[2].trust = some;
	others[3].scope = IDENTITY_DOMAIN;
	others[4].rights |= RIGHT(ADMIN);
	others[5].is_operator = true;
	others[6].is_owner = true;
	others[7].application_credential = others[8].iam_role = some;
	others[9].is_restricted = true;
	struct asked asked = key_of(1, 1, 'a');
	response_key_set_caller(&asked.key, &caller);
	keep(m, &asked, 20000);
	assert_true(sends(m, &asked, 20000));
	for (size_t k = 0; k < sizeof others / sizeof others[0]; k++) {
		struct asked other = asked;
		response_key_set_caller(&other.key, &others[k]);
		if (sends(m, &other, 0))
			fail_msg("caller %zu gets the answer of another one", k);
	}
	response_cache_free(m);
}

static void test_sizes(void **state)
{
	(void) state;
	struct response_cache *m = response_cache_new(RESPONSE_SIZE_MIN);
	const struct asked key = key_of(1, 1, 'a');
	keep(m, &key, RESPONSE_SIZE_MIN - 1);
	assert_false(sends(m, &key, 0));
	keep(m, &key, RESPONSE_SIZE_MAX + 1);
	assert_false(sends(m, &key, 0));
	keep(m, &key, RESPONSE_SIZE_MAX);
	assert_true(sends(m, &key, RESPONSE_SIZE_MAX));
	response_cache_free(m);
}

/* A long answer without a request id is kept as a file after it was requested again. */
static void test_without_id(void **state)
{
	(void) state;
	struct response_cache *m = response_cache_new(RESPONSE_SIZE_MIN);
	const struct asked key = key_of(1, 1, 'a');
	struct view view = view_of(&key);
	const struct reads reads = reads_of(&key);
	struct fake_call f;
	struct buf body, expected;
	write_body(&expected, STR_NONE, 300000);
	for (int k = 0; k < 4; k++) {
		begin(&f, first_id);
		f.call.is_tls = k == 1;
		write_body(&body, STR_NONE, 300000);
		if (k == 0)
			IGNORE(response_cache_add(m, &key.key, &reads, &f.call, "text/xml",
						  &body)); /* the body shows the result */
		else
			assert_true(response_cache_send(m, &key.key, &view, &f.call, "text/xml"));
		assert_true(str_equal(buf_str(&f.body), buf_str(&expected)));
		fake_call_done(&f);
		buf_done(&body);
	}
	buf_done(&expected);
	response_cache_free(m);
}

/* Without memory the answer is not sent, and the view is not read any more; without file descriptors a long answer is sent from memory. */
static void test_scarcity(void **state)
{
	(void) state;
	struct response_cache *m = response_cache_new(RESPONSE_SIZE_MIN);
	const struct asked key = key_of(1, 1, 'a');
	const struct reads reads = reads_of(&key);
	struct rlimit limit, none;
	struct view view = view_of(&key);
	struct fake_call f;
	struct buf body, expected;
	write_body(&body, STR_NONE, 300000);
	write_body(&expected, STR_NONE, 300000);
	begin(&f, first_id);
	IGNORE(response_cache_add(m, &key.key, &reads, &f.call, "text/xml",
				  &body)); /* the next calls show it */
	fake_call_done(&f);
	begin(&f, first_id);
	assert_true(response_cache_send(m, &key.key, &view, &f.call, "text/xml")); /* a memfd is made */
	fake_call_done(&f);
	begin(&f, first_id);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = limit;
	none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	fault_arm(FAULT_ALLOC, 0, false);
	bool is_sent = response_cache_send(m, &key.key, &view, &f.call, "text/xml");
	fault_disarm();
	assert_false(is_sent);
	assert_true(response_cache_send(m, &key.key, &view, &f.call, "text/xml"));
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_true(str_equal(buf_str(&f.body), buf_str(&expected)));
	fake_call_done(&f);
	buf_done(&expected);
	response_cache_free(m);
}

/* The gzip stream, expanded; zlib compares its checksum and size. */
static struct str expand(struct arena *a, struct str packed)
{
	enum { ROOM = 400000, GZIP_WINDOW = 15 + 16 };
	char *text = arena_alloc(a, ROOM);
	z_stream z = {.next_in = (Bytef *) (uintptr_t) packed.p,
		      .avail_in = (uInt) packed.n,
		      .next_out = (Bytef *) text,
		      .avail_out = ROOM};
	assert_non_null(text);
	assert_int_equal(inflateInit2(&z, GZIP_WINDOW), Z_OK);
	assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
	assert_int_equal(z.avail_in, 0);
	(void) inflateEnd(&z);
	return (struct str){text, ROOM - z.avail_out};
}

/* Asks with that Accept-Encoding. */
static void check_zipped(struct response_cache *m, const struct asked *asked, struct str id, size_t size,
			 const char *encodings, bool is_zipped)
{
	struct view view = view_of(asked);
	struct fake_call f;
	struct buf expected;
	begin(&f, id.n ? id : first_id);
	fake_call_add_header(&f, "Accept-Encoding", str_from(encodings));
	write_body(&expected, id, size);
	assert_true(response_cache_send(m, &asked->key, &view, &f.call, "text/xml"));
	assert_int_equal(f.answer_header_count, is_zipped ? 2 : 0);
	struct str body = buf_str(&f.body);
	if (is_zipped) {
		assert_in_range(body.n, 1, size / 2);
		body = expand(f.arena, body);
	}
	assert_true(str_equal(body, buf_str(&expected)));
	buf_done(&expected);
	fake_call_done(&f);
}

/* A client that takes gzip gets the same text compressed, each with its own request id. */
static void test_zip(void **state)
{
	(void) state;
	struct response_cache *m = response_cache_new(RESPONSE_SIZE_MIN);
	const struct asked key = key_of(1, 1, 'a'), plain = key_of(1, 1, 'b');
	const struct reads reads = reads_of(&plain);
	struct fake_call f;
	struct buf body;
	keep(m, &key, 200000);
	check_zipped(m, &key, second_id, 200000, "gzip", true);
	check_zipped(m, &key, first_id, 200000, "br, GZIP;q=0.5", true);
	check_zipped(m, &key, second_id, 200000, "identity", false);
	check_zipped(m, &key, second_id, 200000, "gzip;q=0, deflate", false);
	check_zipped(m, &key, second_id, 200000, "gzip;q=0.000", false);
	begin(&f, first_id);
	write_body(&body, STR_NONE, 300000);
	IGNORE(response_cache_add(m, &plain.key, &reads, &f.call, "text/xml",
				  &body)); /* check_zipped() sees the result */
	fake_call_done(&f);
	check_zipped(m, &plain, STR_NONE, 300000, "deflate, gzip", true);
	check_zipped(m, &plain, STR_NONE, 300000, "", false); /* also as a memfd */
	check_zipped(m, &plain, STR_NONE, 300000, "gzip", true);
	response_cache_free(m);
}

/* An answer made from the clock, or from records, is sent once. */
static void test_sources(void **state)
{
	(void) state;
	struct response_cache *m = response_cache_new(RESPONSE_SIZE_MIN);
	const struct asked key = key_of(1, 1, 'a');
	const struct reads unkept[] = {{.commit = 1, .has_clock = true}, {.commit = 1, .has_outside = true}};
	for (size_t k = 0; k < 2; k++) {
		struct fake_call f;
		struct buf body;
		begin(&f, first_id);
		write_body(&body, first_id, 20000);
		IGNORE(response_cache_add(m, &key.key, &unkept[k], &f.call, "text/xml",
					  &body)); /* is_answered is the result */
		assert_true(f.is_answered);
		fake_call_done(&f);
		assert_false(sends(m, &key, 0));
	}
	response_cache_free(m);
}

/* Answers that nobody asks for between two trims go. */
static void test_trim(void **state)
{
	(void) state;
	struct response_cache *m = response_cache_new(RESPONSE_SIZE_MIN);
	struct response_cache_figures before, held;
	response_cache_read_figures(&before);
	const struct asked idle = key_of(1, 1, 'a'), busy = key_of(1, 1, 'b');
	keep(m, &idle, 20000);
	keep(m, &busy, 20000);
	heap_trim_slack();
	assert_true(sends(m, &busy, 20000));
	heap_trim_slack();
	assert_false(sends(m, &idle, 0));
	assert_true(sends(m, &busy, 20000));
	response_cache_read_figures(&held);
	assert_int_equal(held.size - before.size, 40000); /* a second text may come */
	response_cache_free(m);
	response_cache_read_figures(&held);
	assert_int_equal(held.size, before.size);
}

enum { USERS = 50, LIST_SIZE = 138 * 1024 };

/* Many users in turn, each with an answer of their own, do not drive out one another. */
static void test_turns(void **state)
{
	(void) state;
	struct response_cache *m = response_cache_new(RESPONSE_SIZE_MIN);
	for (int user = 0; user < USERS; user++) {
		const struct asked key = key_of(1, 1, (char) ('0' + user));
		keep(m, &key, LIST_SIZE / 2);
	}
	int hits = 0;
	for (int user = 0; user < USERS; user++) {
		const struct asked key = key_of(1, 1, (char) ('0' + user));
		hits += sends(m, &key, LIST_SIZE / 2);
	}
	assert_in_range(hits, USERS * 9 / 10, USERS); /* a set may be full */
	response_cache_free(m);
}

/* An account that fills its share drops its own answers, oldest first, and no other's. */
static void test_share(void **state)
{
	enum { MANY = 20, FIT = RESPONSE_CACHE_SHARE / (2 * RESPONSE_SIZE_MAX) };
	(void) state;
	struct response_cache *m = response_cache_new(RESPONSE_SIZE_MIN);
	const struct asked other = key_of(2, 1, 'o');
	keep(m, &other, 20000);
	for (int k = 0; k < MANY; k++) {
		const struct asked key = key_of(1, 1, (char) ('a' + k));
		keep(m, &key, RESPONSE_SIZE_MAX);
	}
	assert_true(sends(m, &other, 20000));
	for (int k = 0; k < MANY; k++) {
		const struct asked key = key_of(1, 1, (char) ('a' + k));
		assert_int_equal(sends(m, &key, RESPONSE_SIZE_MAX), k >= MANY - FIT);
	}
	response_cache_free(m);
}

/* An account that asks for ever different things replaces its own answers, and no other's. */
static void test_places(void **state)
{
	enum { MANY = 3000, OTHERS = 16, FEWEST = OTHERS - 2 };
	(void) state;
	struct response_cache *m = response_cache_new(RESPONSE_SIZE_MIN);
	int kept = 0;
	for (int k = 0; k < OTHERS; k++) {
		const struct asked other = key_of(2, 1, (char) ('a' + k));
		keep(m, &other, RESPONSE_SIZE_MIN);
	}
	for (int k = 0; k < MANY; k++) {
		struct asked key = key_of(1, 1, 'a');
		memcpy(key.key.digest, &k, sizeof k);
		keep(m, &key, RESPONSE_SIZE_MIN);
	}
	for (int k = 0; k < OTHERS; k++) {
		const struct asked other = key_of(2, 1, (char) ('a' + k));
		kept += sends(m, &other, RESPONSE_SIZE_MIN);
	}
	assert_in_range(kept, FEWEST, OTHERS); /* more than two of them may share a set */
	response_cache_free(m);
}

/* Accounts together take no more than the whole: the answer asked for least recently goes. */
static void test_whole(void **state)
{
	enum { ACCOUNTS = 3 * RESPONSE_CACHE_SIZE / (2 * RESPONSE_SIZE_MAX) };
	(void) state;
	struct response_cache *m = response_cache_new(RESPONSE_SIZE_MIN);
	int hits = 0;
	for (unsigned k = 0; k < ACCOUNTS; k++) {
		const struct asked key = key_of(k + 1, 1, 'a'), first = key_of(1, 1, 'a');
		keep(m, &key, RESPONSE_SIZE_MAX);
		assert_true(sends(m, &first, RESPONSE_SIZE_MAX)); /* asked for all the time */
	}
	for (unsigned k = 0; k < ACCOUNTS; k++) {
		const struct asked key = key_of(k + 1, 1, 'a');
		hits += sends(m, &key, RESPONSE_SIZE_MAX);
	}
	assert_in_range(hits, 2, RESPONSE_CACHE_SIZE / (2 * RESPONSE_SIZE_MAX));
	response_cache_free(m);
}

/* Through the face: a change is seen at once, an answer of another's never. */
static void test_face(void **state)
{
	(void) state;
	static struct world w;
	char image[EC2_ID_TEXT_SIZE];
	world_make(&w);
	struct world_answer made = world_post(
		&w, &w.alice,
		str_print(w.arena,
			  "Action=RunInstances&InstanceType=t3.nano&MinCount=6&MaxCount=6&ImageId=%s",
			  id_write_ec2(KIND_IMAGE, w.image, image)));
	world_settle(&w, MINUTE);
	const struct str ask = STR("Action=DescribeInstances");
	struct world_answer once = world_post(&w, &w.alice, ask), twice = world_post(&w, &w.alice, ask);
	assert_in_range(once.body.n, RESPONSE_SIZE_MIN, RESPONSE_SIZE_MAX);
	assert_true(str_equal(once.body, twice.body));
	assert_false(str_contains(world_post(&w, &w.bob, ask).body, STR("instanceId")));
	struct str id = world_element(made.body, "instanceId");
	(void) world_post(&w, &w.alice,
			  str_print(w.arena,
				    "Action=CreateTags&Tag.1.Key=k&Tag.1.Value=new&ResourceId.1=%" STR_FMT,
				    STR_ARG(id)));
	struct world_answer after = world_post(&w, &w.alice, ask);
	assert_true(str_contains(after.body, STR("<value>new</value>")));
	assert_false(str_contains(once.body, STR("<value>new</value>")));
	world_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_own_id),     cmocka_unit_test(test_sizes),
					   cmocka_unit_test(test_callers),    cmocka_unit_test(test_scarcity),
					   cmocka_unit_test(test_digests),    cmocka_unit_test(test_places),
					   cmocka_unit_test(test_without_id), cmocka_unit_test(test_zip),
					   cmocka_unit_test(test_sources),    cmocka_unit_test(test_trim),
					   cmocka_unit_test(test_turns),      cmocka_unit_test(test_share),
					   cmocka_unit_test(test_whole),      cmocka_unit_test(test_face)};
	return cmocka_run_group_tests(tests, 0, 0);
}
