/* SPDX-License-Identifier: Apache-2.0
 * Signature Version 4: AWS's published example, requests signed by botocore, all kinds of errors, and the
 * cache of derived keys. */
#include "../base/test_base.h"
#include "store/access_key.h"
#include "store/account.h"
#include "store/domain.h"
#include "store/user.h"

#include "auth/internal.h"
#include "auth/key/key.h"
#include "base/clock.h"
#include "made_call.h"
#include "model/id.h"
#include "store/sql.h"

#define KEY_ID "AKIDEXAMPLE"
#define SECRET "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
#define NOW_US (INT64_C(1440938160) * SECOND) /* 2015-08-30T12:36:00Z */

struct world {
	struct ctx ctx;
	struct executor *executor;
	struct store *store;
	struct sigv4 *sigv4;
	uint8_t master[MASTER_KEY_SIZE];
	struct domain domain;
	struct account account;
	struct user user;
	struct access_key key;
	struct arena *call_arena;
	struct made_call made;
	struct sigv4_answer answer;
};

static RESULT put_rows(struct op *op, void *arg)
{
	const struct world *w = arg;
	TRY(domain_put(op, &w->domain));
	TRY(account_put(op, &w->account));
	TRY(user_put(op, &w->user));
	return access_key_put(op, &w->key);
}

static RESULT delete_key(struct op *op, void *arg)
{
	const struct world *w = arg;
	return access_key_delete(op, w->key.row.id);
}

static RESULT delete_user(struct op *op, void *arg)
{
	const struct world *w = arg;
	return user_delete(op, w->user.row.id);
}

static void write_rows(struct world *w)
{
	assert_ok(store_commit(w->store, &w->ctx, "test", put_rows, w));
}

/* The secret of the test, sealed for the key's row. */
static void seal(struct world *w, struct str secret)
{
	struct str binding = {(const char *) w->key.row.id.b, sizeof w->key.row.id.b};
	assert_ok(crypto_seal(&w->ctx, w->master, binding, secret, &w->key.secret));
}

static int setup(void **state)
{
	static struct world world;
	struct world *w = &world;
	*w = (struct world){.call_arena = arena_new(ARENA_FIRST_SIZE, ARENA_REQUEST_CAP)};
	ctx_init(&w->ctx, arena_new(4096, 1024 * 1024));
	clock_set_us(NOW_US);
	memset(w->master, 7, sizeof w->master);
	struct store_config config = {.executor = w->executor = executor_new_threads()};
	assert_ok(sqlite_open(&w->ctx, ":memory:", &config.sql));
	assert_ok(store_open(&w->ctx, &config, &w->store));
	w->domain = (struct domain){.row.id = DOMAIN_DEFAULT, .name = STR("Default"), .enabled = true};
	w->account = (struct account){.row.id = uuid_random(),
				      .domain = DOMAIN_DEFAULT,
				      .name = STR("first"),
				      .number = STR("123456789012"),
				      .enabled = true};
	w->user = (struct user){.row.id = uuid_random(),
				.account = w->account.row.id,
				.name = STR("ann"),
				.enabled = true,
				.is_owner = true};
	w->key = (struct access_key){.row.id = uuid_random(),
				     .account = w->account.row.id,
				     .user = w->user.row.id,
				     .key_id = STR(KEY_ID),
				     .enabled = true};
	seal(w, STR(SECRET));
	write_rows(w);
	struct sigv4_config sigv4 = {.store = w->store, .master_key = w->master, .region = STR("home-1")};
	assert_ok(sigv4_new(&w->ctx, &sigv4, &w->sigv4));
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;
	sigv4_free(w->sigv4);
	store_close(w->store);
	executor_free(w->executor);
	arena_free(w->ctx.arena);
	arena_free(w->call_arena);
	clock_set_us(0);
	return 0;
}

static enum sigv4_fault check(struct world *w, struct str text)
{
	made_call_init(&w->made, w->call_arena, text);
	w->answer = (struct sigv4_answer){0};
	assert_ok(sigv4_check(w->sigv4, &w->made.call, &w->answer));
	if (w->answer.fault) {
		assert_null(w->answer.who);
		assert_null(w->made.call.ctx.who);
		assert_true(w->answer.message.n > 0);
		assert_true(str_is_xml_text(w->answer.message));
	}
	return w->answer.fault;
}

#define assert_fault(w, text, what, words)                                                                   \
	do {                                                                                                 \
		assert_int_equal(check((w), (text)), SIGV4_##what);                                          \
		if (!str_contains((w)->answer.message, str_from(words)))                                     \
			fail_msg("%" STR_FMT, STR_ARG((w)->answer.message));                                 \
	} while (0)

/* ---- the published example ---- */

static void test_published_example(void **state)
{
	struct world *w = *state;
	struct arena *a = w->ctx.arena;
	const struct sigv4_header headers[] = {
		{STR("Host"), STR("iam.amazonaws.com")},
		{STR("Content-Type"), STR("application/x-www-form-urlencoded; charset=utf-8")},
		{STR("X-Amz-Date"), STR("20150830T123600Z")},
	};
	const struct sigv4_request request = {.method = STR("GET"),
					      .path = STR("/"),
					      .query = STR("Action=ListUsers&Version=2010-05-08"),
					      .headers = headers,
					      .header_count = 3,
					      .signed_headers = STR("content-type;host;x-amz-date"),
					      .payload_hash = sigv4_hash_hex(a, STR_NONE)};
	struct str canonical = sigv4_make_canonical(a, &request);
	assert_str(sigv4_hash_hex(a, canonical),
		   "f536975d06c0309214f805bb90ccff089219ecd68b2577efef23edd43b7e1a59");
	const struct sigv4_scope scope = {.date = STR("20150830"),
					  .region = STR("us-east-1"),
					  .service = STR("iam"),
					  .text = STR("20150830/us-east-1/iam/aws4_request")};
	uint8_t key[SHA256_SIZE];
	sigv4_derive_key(STR(SECRET), &scope, key);
	assert_str(str_encode_hex(a, key, sizeof key),
		   "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9");
	assert_str(sigv4_make_signature(a, key, STR("20150830T123600Z"), scope.text, canonical),
		   "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7");
	struct str text =
		STR("GET /?Action=ListUsers&Version=2010-05-08 HTTP/1.1\r\n"
		    "Host: iam.amazonaws.com\r\n"
		    "Content-Type: application/x-www-form-urlencoded; charset=utf-8\r\n"
		    "X-Amz-Date: 20150830T123600Z\r\n"
		    "Authorization: AWS4-HMAC-SHA256 Credential=" KEY_ID
		    "/20150830/us-east-1/iam/aws4_request, SignedHeaders=content-type;host;x-amz-date, "
		    "Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7\r\n\r\n");
	assert_int_equal(check(w, text), SIGV4_FINE);
	assert_str(w->answer.service, "iam");
	const struct identity *who = w->answer.who;
	assert_ptr_equal(w->made.call.ctx.who, who);
	assert_true(uuid_equal(who->account, w->account.row.id));
	assert_true(uuid_equal(who->user, w->user.row.id));
	assert_str(who->account_number, "123456789012");
	assert_str(who->user_name, "ann");
	assert_str(who->access_key_id, KEY_ID);
	assert_false(who->is_operator);
	assert_str(w->made.call.account_number, "123456789012");
}

/* ---- botocore ---- */

static const struct {
	const char *name, *service, *text;
} botocore_requests[] = {
#include "botocore_requests.inc"
};

enum { BOTOCORE_COUNT = sizeof botocore_requests / sizeof botocore_requests[0] };

static void test_botocore(void **state)
{
	struct world *w = *state;
	for (size_t k = 0; k < 2 * (size_t) BOTOCORE_COUNT; k++) { /* twice: without the cache, and with it */
		size_t n = k % BOTOCORE_COUNT;
		if (check(w, str_from(botocore_requests[n].text)) != SIGV4_FINE)
			fail_msg("%s: %" STR_FMT, botocore_requests[n].name, STR_ARG(w->answer.message));
		assert_str(w->answer.service, botocore_requests[n].service);
	}
}

/* ---- AWS's SDK for JavaScript ---- */

static const struct {
	const char *name, *service, *text;
} sdk_js_requests[] = {
#include "sdk_js_requests.inc"
};

/* The JavaScript SDK also signs the body's length and digest, and its own headers. */
static void test_sdk_js(void **state)
{
	struct world *w = *state;
	for (size_t n = 0; n < sizeof sdk_js_requests / sizeof sdk_js_requests[0]; n++) {
		if (check(w, str_from(sdk_js_requests[n].text)) != SIGV4_FINE)
			fail_msg("%s: %" STR_FMT, sdk_js_requests[n].name, STR_ARG(w->answer.message));
		assert_str(w->answer.service, sdk_js_requests[n].service);
	}
}

/* Every changed character must invalidate the signature, except for insignificant ones. */
static void test_every_byte_counts(void **state)
{
	struct world *w = *state;
	for (size_t r = 0; r < BOTOCORE_COUNT; r++) {
		struct str text = str_from(botocore_requests[r].text);
		char changed[2048];
		unsigned accepted = 0;
		assert_true(text.n < sizeof changed);
		for (size_t k = 0; k < text.n; k++) {
			memcpy(changed, text.p, text.n);
			changed[k] = (char) (changed[k] == 'x' ? 'y' : 'x');
			accepted += check(w, (struct str){changed, text.n}) == SIGV4_FINE;
		}
		/* the version and line ends of HTTP, header names that are not signed, spaces trimmed */
		assert_in_range(accepted, 0, 60);
		memcpy(changed, text.p, text.n);
		for (size_t cut = 0; cut < text.n; cut++) /* cut short: never a crash */
			(void) check(w, (struct str){changed, cut});
	}
}

/* ---- faults ---- */

/* A signed POST with parts that a test may turn. */
struct turn {
	const char *key_id, *secret, *region, *service, *body, *sent_body, *more;
	int64_t at_us;
};

static struct str sign(struct world *w, struct turn t)
{
	struct str authorization, amz_date, body = str_from(t.body ? t.body : "Action=X");
	const struct sigv4_signing signing = {.key_id = str_from(t.key_id ? t.key_id : KEY_ID),
					      .secret = str_from(t.secret ? t.secret : SECRET),
					      .region = str_from(t.region ? t.region : "home-1"),
					      .service = str_from(t.service ? t.service : "ec2"),
					      .method = STR("POST"),
					      .path = STR("/"),
					      .body = body,
					      .host = STR("a:8774"),
					      .at_us = t.at_us ? t.at_us : NOW_US};
	assert_ok(sigv4_sign(&w->ctx, &signing, &authorization, &amz_date));
	return str_print(w->ctx.arena,
			 "POST / HTTP/1.1\r\nHost: a:8774\r\nX-Amz-Date: %s\r\nAuthorization: %s\r\n%s\r\n%s",
			 amz_date.p, authorization.p, t.more ? t.more : "",
			 t.sent_body ? t.sent_body : body.p);
}

static void test_faults_of_key(void **state)
{
	struct world *w = *state;
	struct str good = sign(w, (struct turn){0});
	assert_int_equal(check(w, good), SIGV4_FINE);
	assert_fault(w, sign(w, (struct turn){.key_id = "AKIAOTHER"}), UNKNOWN_KEY, "security token");
	assert_fault(w, sign(w, (struct turn){.more = "X-Amz-Security-Token: abc\r\n"}), UNKNOWN_KEY,
		     "token");
	assert_fault(w, sign(w, (struct turn){.secret = "other"}), MISMATCH, "does not match");
	w->key.enabled = false;
	write_rows(w);
	assert_fault(w, good, UNKNOWN_KEY, "invalid");
	w->key.enabled = true;
	write_rows(w);
	assert_int_equal(check(w, good), SIGV4_FINE);
	w->account.enabled = false;
	write_rows(w);
	assert_fault(w, good, UNKNOWN_KEY, "invalid");
	w->account.enabled = true;
	write_rows(w);
	assert_int_equal(check(w, good), SIGV4_FINE);
	assert_ok(store_commit(w->store, &w->ctx, "test", delete_user, w));
	assert_fault(w, good, UNKNOWN_KEY, "invalid");
	w->user.row.deleted_us = 0;
	write_rows(w);
	assert_int_equal(check(w, good), SIGV4_FINE);
	assert_ok(store_commit(w->store, &w->ctx, "test", delete_key, w));
	assert_fault(w, good, UNKNOWN_KEY, "invalid");
}

/* The cache never serves an older secret. */
static void test_changed_secret(void **state)
{
	struct world *w = *state;
	struct str good = sign(w, (struct turn){0});
	assert_int_equal(check(w, good), SIGV4_FINE);
	seal(w, STR("another secret"));
	write_rows(w);
	assert_fault(w, good, MISMATCH, "does not match");
	assert_int_equal(check(w, sign(w, (struct turn){.secret = "another secret"})), SIGV4_FINE);
	w->key.secret = STR("not sealed");
	write_rows(w);
	made_call_init(&w->made, w->call_arena, good);
	assert_err(sigv4_check(w->sigv4, &w->made.call, &w->answer), INTERNAL);
}

static void test_faults_of_time(void **state)
{
	struct world *w = *state;
	const int64_t skew = 5 * MINUTE;
	assert_int_equal(check(w, sign(w, (struct turn){.at_us = NOW_US - skew})), SIGV4_FINE);
	assert_int_equal(check(w, sign(w, (struct turn){.at_us = NOW_US + skew})), SIGV4_FINE);
	assert_fault(w, sign(w, (struct turn){.at_us = NOW_US - skew - SECOND}), SKEWED,
		     "Signature expired: 20150830T123059Z is now earlier than 20150830T123100Z "
		     "(20150830T123600Z - 5 min.)");
	assert_fault(w, sign(w, (struct turn){.at_us = NOW_US + skew + SECOND}), SKEWED,
		     "Signature not yet current: 20150830T124101Z is still later than 20150830T124100Z "
		     "(20150830T123600Z + 5 min.)");
	struct str presigned = str_from(botocore_requests[BOTOCORE_COUNT - 2].text); /* 900 s */
	clock_set_us(NOW_US + 900 * SECOND);
	assert_int_equal(check(w, presigned), SIGV4_FINE);
	clock_set_us(NOW_US + 901 * SECOND);
	assert_fault(w, presigned, SKEWED, "Signature expired: 20150830T123600Z + 900 s");
	clock_set_us(NOW_US - skew - SECOND);
	assert_fault(w, presigned, SKEWED, "not yet current");
	clock_set_us(NOW_US);
}

static void test_faults_of_scope(void **state)
{
	struct world *w = *state;
	assert_int_equal(check(w, sign(w, (struct turn){.service = "sts", .region = "us-east-1"})),
			 SIGV4_FINE);
	assert_fault(w, sign(w, (struct turn){.region = "us-east-1"}), SCOPE,
		     "valid region, not 'us-east-1'");
	assert_str(w->answer.service, "ec2");
	assert_fault(w, sign(w, (struct turn){.region = "\xff\x01"}), SCOPE,
		     "not '?"
		     "?'");
#define CREDENTIAL(c)                                                                                        \
	STR("GET / HTTP/1.1\r\nHost: a\r\nX-Amz-Date: 20150830T123600Z\r\nAuthorization: AWS4-HMAC-SHA256 "  \
	    "Credential=" c ",SignedHeaders=host,Signature=00\r\n\r\n")
	assert_fault(w, CREDENTIAL("K/20150830/home-1/ec2/aws3"), SCOPE, "'aws4_request', not 'aws3'");
	assert_fault(w, CREDENTIAL("K/20150829/home-1/ec2/aws4_request"), SCOPE, "'20150829' != '20150830'");
	assert_fault(w, CREDENTIAL("K/20150830/home-1/ec2"), INCOMPLETE, "5 slash-delimited");
	assert_fault(w, CREDENTIAL("K/20150830/home-1/ec2/aws4_request/x"), INCOMPLETE, "5 slash-delimited");
	assert_fault(w, CREDENTIAL("K//home-1/ec2/aws4_request"), INCOMPLETE, "5 slash-delimited");
	assert_fault(w, CREDENTIAL("K/20150830/home-1/ec2/aws4_request"), UNKNOWN_KEY, "invalid");
	assert_fault(w, CREDENTIAL(KEY_ID "/20150830/home-1/ec2/aws4_request"), MISMATCH, "does not match");
}

static void test_faults_of_body(void **state)
{
	struct world *w = *state;
	assert_fault(w, sign(w, (struct turn){.sent_body = "Action=Y"}), MISMATCH, "does not match");
	assert_fault(w, sign(w, (struct turn){.more = "x-amz-content-sha256: UNSIGNED-PAYLOAD\r\n"}),
		     MISMATCH, "x-amz-content-sha256");
	assert_int_equal(
		check(w,
		      sign(w, (struct turn){.body = "",
					    .more = "x-amz-content-sha256: e3b0c44298fc1c149afbf4c8996fb92427"
						    "ae41e4649b934ca495991b7852b855\r\n"})),
		SIGV4_FINE);
}

struct bad {
	struct str text;
	enum sigv4_fault fault;
	const char *words;
};

static void test_malformed(void **state)
{
	struct world *w = *state;
#define REQUEST(headers) STR("GET / HTTP/1.1\r\nHost: a\r\n" headers "\r\n")
#define SCOPE_TEXT KEY_ID "/20150830/home-1/ec2/aws4_request"
#define V4 "Authorization: AWS4-HMAC-SHA256 "
	const struct bad bads[] = {
		{REQUEST(""), SIGV4_NO_CREDENTIALS, "missing Authentication Token"},
		{STR("POST / HTTP/1.1\r\nHost: a\r\n\r\nAction=X&AWSAccessKeyId=AKIA&SignatureVersion=2"),
		 SIGV4_INCOMPLETE, "Version 2"},
		{REQUEST("Authorization: AWS AKIA:abc\r\n"), SIGV4_INCOMPLETE, "'AWS'"},
		{REQUEST("Authorization: AWS4-ECDSA-P256-SHA256 Credential=a\r\n"), SIGV4_INCOMPLETE,
		 "algorithm"},
		{REQUEST(V4 "\r\n"), SIGV4_INCOMPLETE, "'Credential' parameter"},
		{REQUEST(V4 "Credential=" SCOPE_TEXT ", SignedHeaders=host\r\n"), SIGV4_INCOMPLETE,
		 "requires 'Signature' parameter. Auth"},
		{REQUEST(V4 "Credential=" SCOPE_TEXT ", Signature=0\r\n"), SIGV4_INCOMPLETE,
		 "'SignedHeaders'"},
		{REQUEST(V4 "Credential=" SCOPE_TEXT ", SignedHeaders=host, Signature=0\r\n"),
		 SIGV4_INCOMPLETE, "'X-Amz-Date' or a 'Date'"},
		{REQUEST("Date: yesterday\r\n" V4 "Credential=" SCOPE_TEXT
			 ",SignedHeaders=host,Signature=0\r\n"),
		 SIGV4_INCOMPLETE, "'X-Amz-Date' or a 'Date'"},
		{REQUEST("X-Amz-Date: 2015-08-30T12:36:00Z\r\n" V4 "Credential=" SCOPE_TEXT
			 ",SignedHeaders=host,Signature=0\r\n"),
		 SIGV4_INCOMPLETE, "basic format"},
		{REQUEST("X-Amz-Date: 20159930T123600Z\r\n" V4 "Credential=" SCOPE_TEXT
			 ",SignedHeaders=host,Signature=0\r\n"),
		 SIGV4_INCOMPLETE, "basic format"},
		{REQUEST("X-Amz-Date: 20150830T123600Z\r\n" V4 "Credential=" SCOPE_TEXT
			 ",SignedHeaders=x-amz-date,Signature=0\r\n"),
		 SIGV4_MISMATCH, "'Host'"},
		{STR("GET /?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=%zz HTTP/1.1\r\nHost: "
		     "a\r\n\r\n"),
		 SIGV4_INCOMPLETE, "X-Amz-Credential"},
		{STR("GET /?X-Amz-Algorithm=other HTTP/1.1\r\nHost: a\r\n\r\n"), SIGV4_INCOMPLETE, "'other'"},
		{STR("GET "
		     "/?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=K/20150830/home-1/ec2/aws4_request&"
		     "X-Amz-Date=20150830T123600Z&X-Amz-Expires=604801&X-Amz-SignedHeaders=host&X-Amz-"
		     "Signature=0 "
		     "HTTP/1.1\r\nHost: a\r\n\r\n"),
		 SIGV4_INCOMPLETE, "X-Amz-Expires"},
	};
	for (size_t k = 0; k < sizeof bads / sizeof bads[0]; k++) {
		if (check(w, bads[k].text) != bads[k].fault ||
		    !str_contains(w->answer.message, str_from(bads[k].words)))
			fail_msg("%zu: %d %" STR_FMT, k, (int) w->answer.fault, STR_ARG(w->answer.message));
	}
}

/* The Date header stands in for X-Amz-Date; the signature is over its basic form. */
static void test_date_header(void **state)
{
	struct world *w = *state;
	struct arena *a = w->ctx.arena;
	const struct sigv4_scope scope = {.date = STR("20150830"),
					  .region = STR("home-1"),
					  .service = STR("ec2"),
					  .text = STR("20150830/home-1/ec2/aws4_request")};
	const struct sigv4_header headers[] = {{STR("date"), STR("Sun, 30 Aug 2015 12:36:00 GMT")},
					       {STR("host"), STR("a")}};
	const struct sigv4_request request = {.method = STR("GET"),
					      .path = STR("/"),
					      .headers = headers,
					      .header_count = 2,
					      .signed_headers = STR("date;host"),
					      .payload_hash = sigv4_hash_hex(a, STR_NONE)};
	uint8_t key[SHA256_SIZE];
	sigv4_derive_key(STR(SECRET), &scope, key);
	struct str signature = sigv4_make_signature(a, key, STR("20150830T123600Z"), scope.text,
						    sigv4_make_canonical(a, &request));
	struct str text = str_print(a,
				    "GET / HTTP/1.1\r\nHost: a\r\nDate: Sun, 30 Aug 2015 12:36:00 GMT\r\n"
				    "Authorization: AWS4-HMAC-SHA256 Signature=%s,SignedHeaders=date;host,"
				    "Credential=%s/%s\r\n\r\n",
				    signature.p, KEY_ID, scope.text.p);
	assert_int_equal(check(w, text), SIGV4_FINE);
}

static struct str canonical_of(struct world *w, const char *path, const char *query)
{
	const struct sigv4_header headers[] = {
		{STR("X-A"), STR(" one  two ")}, {STR("host"), STR("a")}, {STR("x-a"), STR("three")}};
	const struct sigv4_request request = {.method = STR("GET"),
					      .path = str_from(path),
					      .query = str_from(query),
					      .headers = headers,
					      .header_count = 3,
					      .signed_headers = STR("host;x-a;x-none"),
					      .payload_hash = STR("hash")};
	return sigv4_make_canonical(w->ctx.arena, &request);
}

static void test_canonical(void **state)
{
	struct world *w = *state;
#define REST "host:a\nx-a:one two,three\nx-none:\n\nhost;x-a;x-none\nhash"
	assert_str(canonical_of(w, "/", ""), "GET\n/\n\n" REST);
	assert_str(canonical_of(w, "//a/./b/../c//", "b=1&a&&a=%7e&a=+&c=%zz&b=%2f&X-Amz-Signature=1"),
		   "GET\n/a/c/\na=&a=%20&a=~&b=%2F&b=1&c=%25zz\n" REST);
	assert_str(canonical_of(w, "/../..", "\xea=\xeb"), "GET\n/\n%EA=%EB\n" REST);
	assert_str(canonical_of(w, "/a%20b", "a=b=c"), "GET\n/a%2520b\na=b%3Dc\n" REST);
}

/* More scopes and keys than the cache has room for. */
static void test_cache(void **state)
{
	static struct key_cache cache;
	uint8_t key[SHA256_SIZE], got[SHA256_SIZE];
	unsigned hits = 0;
	(void) state;
	cache_init(&cache);
	uuid row = uuid_random();
	for (int k = 0; k < 20; k++) {
		char scope[CACHE_SCOPE_SIZE + 8];
		memset(key, k, sizeof key);
		size_t n = (size_t) snprintf(scope, sizeof scope, "scope %d", k);
		cache_put(&cache, row, 1, (struct str){scope, n}, key);
		assert_true(cache_find(&cache, row, 1, (struct str){scope, n}, got));
		assert_memory_equal(key, got, sizeof key);
		assert_false(cache_find(&cache, row, 2, (struct str){scope, n}, got));
		assert_false(cache_find(&cache, uuid_random(), 1, (struct str){scope, n}, got));
	}
	for (int k = 0; k < 20; k++) {
		char scope[32];
		size_t n = (size_t) snprintf(scope, sizeof scope, "scope %d", k);
		hits += cache_find(&cache, row, 1, (struct str){scope, n}, got);
	}
	assert_int_equal(hits, CACHE_WAYS);
	cache_put(&cache, row, 2, STR("new version"), key);
	assert_false(cache_find(&cache, row, 1, STR("scope 19"), got));
	assert_true(cache_find(&cache, row, 2, STR("new version"), got));
	cache_forget(&cache, row);
	assert_false(cache_find(&cache, row, 2, STR("new version"), got));
	static const char longer[CACHE_SCOPE_SIZE + 1];
	cache_put(&cache, row, 2, (struct str){longer, sizeof longer}, key);
	assert_false(cache_find(&cache, row, 2, (struct str){longer, sizeof longer}, got));
	for (int k = 0; k < 5000; k++)
		cache_put(&cache, uuid_random(), 1, STR("scope"), key);
	cache_done(&cache);
}

/* Measures a check with a cached signing key. Prints the figure, and never fails because of it. */
static void test_cost(void **state)
{
	enum { ROUNDS = 20000 };
	struct world *w = *state;
	struct str good = sign(w, (struct turn){0});
	struct timespec from, to;
	int64_t ns = 0;
	for (int k = 0; k < ROUNDS; k++) {
		made_call_init(&w->made, w->call_arena, good);
		(void) clock_gettime(CLOCK_MONOTONIC, &from);
		struct result result = sigv4_check(w->sigv4, &w->made.call, &w->answer);
		(void) clock_gettime(CLOCK_MONOTONIC, &to);
		assert_int_equal(result.code, ERR_NONE);
		ns += (to.tv_sec - from.tv_sec) * 1000000000 + to.tv_nsec - from.tv_nsec;
	}
	print_message("a check with a cached key: %.2f us\n", (double) ns / ROUNDS / 1000);
}

struct sign_job {
	struct world *w;
	unsigned wrong;
};

static void *check_many(void *arg)
{
	struct sign_job *job = arg;
	struct arena *a = arena_new(ARENA_FIRST_SIZE, ARENA_REQUEST_CAP);
	for (size_t k = 0; k < 300; k++) {
		struct made_call made;
		struct sigv4_answer answer = {0};
		made_call_init(&made, a, str_from(botocore_requests[k % BOTOCORE_COUNT].text));
		if (!result_is_ok(sigv4_check(job->w->sigv4, &made.call, &answer)) || answer.fault)
			job->wrong++;
	}
	arena_free(a);
	return NULL;
}

/* Several threads check while the row is written again and again. */
static void test_threads(void **state)
{
	struct world *w = *state;
	pthread_t threads[4];
	struct sign_job jobs[4];
	for (size_t k = 0; k < 4; k++) {
		jobs[k] = (struct sign_job){.w = w};
		assert_int_equal(pthread_create(&threads[k], NULL, check_many, &jobs[k]), 0);
	}
	for (int k = 0; k < 20; k++)
		write_rows(w);
	for (size_t k = 0; k < 4; k++) {
		assert_int_equal(pthread_join(threads[k], NULL), 0);
		assert_int_equal(jobs[k].wrong, 0);
	}
}

static void check_under_fault(void *data)
{
	struct world *w = data;
	made_call_init(&w->made, w->call_arena, str_from(botocore_requests[0].text));
	w->answer = (struct sigv4_answer){0};
	struct result r = sigv4_check(w->sigv4, &w->made.call, &w->answer);
	if (result_is_ok(r))
		assert_int_equal(w->answer.fault, SIGV4_FINE);
	else
		assert_null(w->made.call.ctx.who);
}

static void test_no_memory(void **state)
{
	struct world *w = *state;
	(void) for_each_fault(FAULT_ALLOC, false, check_under_fault, w);
	/* an arena too small, by every size */
	for (size_t cap = 256; cap < 16384; cap += 64) {
		struct arena *small = arena_new(256, cap);
		made_call_init(&w->made, small, str_from(botocore_requests[2].text));
		w->answer = (struct sigv4_answer){0};
		struct result r = sigv4_check(w->sigv4, &w->made.call, &w->answer);
		if (result_is_ok(r))
			assert_int_equal(w->answer.fault, SIGV4_FINE);
		arena_free(small);
	}
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_published_example),
		TEST(test_botocore),
		TEST(test_sdk_js),
		TEST(test_every_byte_counts),
		TEST(test_faults_of_key),
		TEST(test_changed_secret),
		TEST(test_faults_of_time),
		TEST(test_faults_of_scope),
		TEST(test_faults_of_body),
		TEST(test_malformed),
		TEST(test_date_header),
		TEST(test_canonical),
		TEST(test_cache),
		TEST(test_threads),
		TEST(test_no_memory),
		TEST(test_cost),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
