/* SPDX-License-Identifier: Apache-2.0
 * Issuers' keys: fetching, caching and refreshing, unreachable issuers, and waiting requests. The test serves
 * the keys, and the clock only moves when a test sets it. */
#include "../base/test_base.h"
#include "model/oidc_provider.h"
#include "web_tokens.h"

#include "auth/token/issuers.h"

#define CONFIGURATION                                                                                        \
	"{\"issuer\": \"https://id.example.com/shop/\", \"jwks_uri\": \"https://keys.example.com/shop\"}"

struct world {
	struct arena *arena;
	struct ctx c;
	struct executor *executor;
	struct issuers *issuers;
	struct web_identity good, forged;
	struct oidc_provider provider;
};

/* ---- the web ---- */

static struct {
	const char *configuration, *keys; /* NULL: it cannot be reached */
	unsigned asked, keys_asked;
	struct web_fetch last;
} web;

static char reach; /* whose address is handed on */

static RESULT web_answer(struct ctx *c, const struct web_fetch *f, struct str *ret_body)
{
	bool is_configuration =
		strcmp(f->url, "https://id.example.com/shop/.well-known/openid-configuration") == 0;
	const char *body = is_configuration ? web.configuration : web.keys;
	assert_true(is_configuration || strcmp(f->url, "https://keys.example.com/shop") == 0);
	web.asked++;
	web.keys_asked += !is_configuration;
	web.last = *f;
	if (!body)
		return ctx_fail(c, ERR_IO, "no route to host");
	*ret_body = str_from(body);
	return OK;
}

static int setup(void **state)
{
	static struct str thumbprints[] = {STR("0123456789abcdef0123456789abcdef01234567")};
	static struct world w;
	w = (struct world){.arena = arena_new(4096, 1 << 22), .executor = executor_new_stepped(1)};
	ctx_init(&w.c, w.arena);
	clock_set_us(MADE_US + MINUTE);
	memset(&web, 0, sizeof web);
	web.configuration = CONFIGURATION;
	web.keys = key_set;
	const struct issuers_config config = {
		.executor = w.executor, .reach = (struct egress_policy *) &reach, .fetch = web_answer};
	assert_ok(issuers_new(&w.c, &config, &w.issuers));
	assert_ok(web_identity_read(&w.c, str_from(good), &w.good));
	assert_ok(web_identity_read(&w.c, str_from(of_other_key), &w.forged));
	w.provider = (struct oidc_provider){.row.id = uuid_random(),
					    .row.commit = 7,
					    .url = STR("id.example.com/shop"),
					    .thumbprints = {thumbprints, 1}};
	*state = &w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;
	issuers_free(w->issuers);
	executor_free(w->executor);
	arena_free(w->arena);
	clock_set_us(0);
	return 0;
}

static struct result prove(struct world *w, const struct web_identity *identity)
{
	ctx_clear_problem(&w->c);
	return issuers_prove(w->issuers, &w->c, &w->provider, identity);
}

static void expect(struct world *w, const struct web_identity *identity, enum err code, const char *words)
{
	assert_int_equal(prove(w, identity).code, code);
	assert_int_equal(w->c.problem.kind, KIND_OIDC_PROVIDER);
	if (!str_contains(w->c.problem.message, str_from(words)))
		fail_msg("'%.*s' does not say '%s'", STR_ARG(w->c.problem.message), words);
}

/* ---- keys ---- */

static void test_are_kept(void **state)
{
	struct world *w = *state;
	assert_ok(prove(w, &w->good));
	assert_int_equal(web.asked, 2);
	assert_true(str_is(web.last.thumbprints.at[0], "0123456789abcdef0123456789abcdef01234567"));
	assert_int_equal(web.last.cap_size, ISSUER_DOCUMENT_MAX);
	assert_int_equal(web.last.timeout_ms, ISSUER_TIMEOUT_MS);
	assert_ptr_equal(web.last.reach, &reach);
	web.keys = other_names;
	clock_advance_us(5 * MINUTE);
	assert_ok(prove(w, &w->good));
	assert_int_equal(web.asked, 2);
	clock_advance_us(MICROSECOND);
	assert_int_equal(prove(w, &w->good).code, ERR_INVALID);
	assert_int_equal(web.asked, 4);
}

/* An issuer has a new key: it is looked for, but not at each token that names one. */
static void test_a_new_keys_name(void **state)
{
	struct world *w = *state;
	web.keys = other_names;
	assert_int_equal(prove(w, &w->good).code, ERR_INVALID);
	web.keys = key_set;
	clock_advance_us(10 * SECOND - 1);
	assert_int_equal(prove(w, &w->good).code, ERR_INVALID);
	assert_int_equal(web.asked, 2);
	clock_advance_us(1);
	assert_ok(prove(w, &w->good));
	assert_int_equal(web.asked, 4);
}

/* A token that names an unknown key makes us ask an issuer that cannot be reached: the keys that it has given stay as long as they would
 * have. */
static void test_a_failed_request_keeps_keys(void **state)
{
	struct world *w = *state;
	web.keys = other_names;
	assert_int_equal(prove(w, &w->good).code, ERR_INVALID);
	web.keys = NULL;
	clock_advance_us(10 * SECOND);
	expect(w, &w->good, ERR_IO, "no route to host");
	assert_int_equal(prove(w, &w->good).code, ERR_INVALID);
	clock_advance_us(5 * MINUTE - 10 * SECOND + 1);
	expect(w, &w->good, ERR_IO, "no route to host");
	expect(w, &w->good, ERR_IO, "a moment ago");
}

/* A signature that is wrong is no reason to ask the issuer anything. */
static void test_a_forged_token(void **state)
{
	struct world *w = *state;
	assert_ok(prove(w, &w->good));
	clock_advance_us(MINUTE);
	assert_int_equal(prove(w, &w->forged).code, ERR_INVALID);
	assert_int_equal(web.asked, 2);
}

static void test_a_provider_that_changed(void **state)
{
	struct world *w = *state;
	assert_ok(prove(w, &w->good));
	w->provider.row.commit++;
	assert_ok(prove(w, &w->good));
	assert_int_equal(web.asked, 4);
	w->provider.row.id = uuid_random();
	assert_ok(prove(w, &w->good));
	assert_int_equal(web.asked, 6);
}

/* Keys of a limited number of issuers are cached; the oldest is evicted. */
static void test_as_many_as_are_kept(void **state)
{
	struct world *w = *state;
	uuid first = w->provider.row.id, second = uuid_random();
	for (size_t k = 0; k < ISSUERS_KEPT; k++) {
		assert_ok(prove(w, &w->good));
		clock_advance_us(MILLISECOND);
		w->provider.row.id = k == 0 ? second : uuid_random();
	}
	assert_int_equal(web.keys_asked, ISSUERS_KEPT);
	assert_ok(prove(w, &w->good));
	w->provider.row.id = second;
	assert_ok(prove(w, &w->good));
	assert_int_equal(web.keys_asked, ISSUERS_KEPT + 1);
	w->provider.row.id = first;
	assert_ok(prove(w, &w->good));
	assert_int_equal(web.keys_asked, ISSUERS_KEPT + 2);
}

/* ---- issuers with invalid or no answers ---- */

static void test_cannot_be_reached(void **state)
{
	struct world *w = *state;
	web.keys = NULL;
	expect(w, &w->good, ERR_IO, "no route to host");
	web.keys = key_set;
	clock_advance_us(10 * SECOND);
	expect(w, &w->good, ERR_IO, "a moment ago");
	assert_int_equal(web.asked, 2);
	clock_advance_us(1);
	assert_ok(prove(w, &w->good));
	assert_int_equal(web.asked, 4);
}

static void test_configurations(void **state)
{
	static const char *const bad[] = {
		"",
		"[]",
		"{}",
		"{\"issuer\": \"https://id.example.com/shop\"}",
		"{\"issuer\": 1, \"jwks_uri\": \"https://keys.example.com/shop\"}",
		"{\"issuer\": \"https://id.example.com\", \"jwks_uri\": \"https://keys.example.com/shop\"}",
		"{\"issuer\": \"https://id.example.com/shop\", \"jwks_uri\": "
		"\"http://keys.example.com/shop\"}",
		"{\"issuer\": \"https://id.example.com/shop\", \"jwks_uri\": \"file:///etc/passwd\"}",
	};
	struct world *w = *state;
	for (size_t k = 0; k < sizeof bad / sizeof bad[0]; k++) {
		web.configuration = bad[k];
		expect(w, &w->good, ERR_IO, "jwks_uri");
		clock_advance_us(11 * SECOND);
	}
	assert_int_equal(web.keys_asked, 0);
}

/* ---- signing in ---- */

#define PLACES                                                                                               \
	"{\"issuer\": \"https://id.example.com/shop\", \"jwks_uri\": \"https://keys.example.com/shop\", "    \
	"\"authorization_endpoint\": \"https://id.example.com/in?a=b\", \"token_endpoint\": "                \
	"\"https://keys.example.com/shop\""

static struct issuer_code code(const char *secret)
{
	return (struct issuer_code){.client = STR("a:b"),
				    .secret = str_from(secret),
				    .code = STR("c&d"),
				    .redirect = STR("https://cloud/back"),
				    .verifier = STR("verifier")};
}

static void test_places(void **state)
{
	static const char *const bad[] = {
		CONFIGURATION,
		"{\"issuer\": \"https://id.example.com/shop\", \"jwks_uri\": "
		"\"https://keys.example.com/shop\", "
		"\"authorization_endpoint\": \"http://id.example.com/in\", \"token_endpoint\": "
		"\"https://a/b\"}",
		"{\"issuer\": \"https://id.example.com/shop\", \"jwks_uri\": "
		"\"https://keys.example.com/shop\", "
		"\"authorization_endpoint\": \"https://a/b c\", \"token_endpoint\": \"https://a/b\"}",
		"{\"issuer\": \"https://id.example.com/shop\", \"jwks_uri\": "
		"\"https://keys.example.com/shop\", "
		"\"authorization_endpoint\": \"https://a/b#c\", \"token_endpoint\": \"https://a/b\"}",
	};
	struct world *w = *state;
	struct issuer_places places = {0};
	web.configuration = PLACES "}";
	assert_ok(issuers_find_places(w->issuers, &w->c, &w->provider, &places));
	assert_true(str_is(places.authorization, "https://id.example.com/in?a=b") && places.takes_basic);
	assert_ok(prove(w, &w->good)); /* uses keys fetched together with the places */
	assert_int_equal(web.asked, 2);
	for (size_t k = 0; k < sizeof bad / sizeof bad[0]; k++) {
		web.configuration = bad[k];
		w->provider.row.commit++;
		assert_int_equal(issuers_find_places(w->issuers, &w->c, &w->provider, &places).code, ERR_IO);
		assert_int_equal(w->c.problem.kind, KIND_OIDC_PROVIDER);
		ctx_clear_problem(&w->c);
	}
	web.keys = NULL;
	w->provider.row.commit++;
	assert_int_equal(issuers_find_places(w->issuers, &w->c, &w->provider, &places).code, ERR_IO);
	ctx_clear_problem(&w->c);
	unsigned asked = web.asked;
	assert_int_equal(issuers_find_places(w->issuers, &w->c, &w->provider, &places).code, ERR_IO);
	assert_int_equal(web.asked, asked);
}

static void test_a_code_is_exchanged(void **state)
{
	static const char form[] =
		"grant_type=authorization_code&code=c%26d&redirect_uri=https%3A%2F%2Fcloud%2Fback&"
		"code_verifier=verifier";
	struct world *w = *state;
	struct str token = STR_NONE;
	struct issuer_places places = {0};
	struct issuer_code with_secret = code("s e"), without = code("");
	web.configuration = PLACES "}";
	assert_ok(issuers_find_places(w->issuers, &w->c, &w->provider, &places));
	web.keys = "{\"id_token\": \"a.b.c\"}";
	assert_ok(issuers_exchange(w->issuers, &w->c, &w->provider, &with_secret, &token));
	assert_true(str_is(token, "a.b.c") && str_is(web.last.form, form));
	assert_string_equal(web.last.user, "a%3Ab");
	assert_string_equal(web.last.password, "s%20e");
	assert_int_equal(web.last.cap_size, ISSUER_DOCUMENT_MAX);
	assert_ok(issuers_exchange(w->issuers, &w->c, &w->provider, &without, &token));
	assert_true(str_ends_with(web.last.form, STR("verifier&client_id=a%3Ab")) && !web.last.user);
	web.keys = "{\"id_token\": 7}";
	assert_int_equal(issuers_exchange(w->issuers, &w->c, &w->provider, &without, &token).code, ERR_IO);
	ctx_clear_problem(&w->c);
	web.keys = NULL;
	assert_int_equal(issuers_exchange(w->issuers, &w->c, &w->provider, &without, &token).code, ERR_IO);
	assert_true(str_contains(w->c.problem.message, STR("no route to host")));
}

/* An issuer that takes no secret by HTTP Basic has it in the form. */
static void test_a_secret_in_the_form(void **state)
{
	struct world *w = *state;
	struct str token = STR_NONE;
	struct issuer_places places = {0};
	struct issuer_code with_secret = code("s e");
	web.configuration = PLACES ", \"token_endpoint_auth_methods_supported\": [\"client_secret_post\"]}";
	assert_ok(issuers_find_places(w->issuers, &w->c, &w->provider, &places));
	web.keys = "{\"id_token\": \"a.b.c\"}";
	assert_ok(issuers_exchange(w->issuers, &w->c, &w->provider, &with_secret, &token));
	assert_true(str_ends_with(web.last.form, STR("&client_id=a%3Ab&client_secret=s%20e")) &&
		    !web.last.user);
}

/* ---- work ---- */

struct work {
	struct work_item item;
	struct world *world;
	unsigned done_count;
	struct result result;
};

static RESULT run_work(struct work_item *item)
{
	struct work *work = item->arg;
	return issuers_prove(work->world->issuers, item->ctx, &work->world->provider, &work->world->good);
}

static void end_work(struct work_item *item, struct result result)
{
	struct work *work = item->arg;
	work->done_count++;
	work->result = result;
}

/* The work of the k-th asker: one of them alone does not get the whole line. */
static void post(struct world *w, struct work *work, size_t k)
{
	*work = (struct work){.item = {.ctx = &w->c, .run = run_work, .done = end_work, .arg = work},
			      .world = w};
	uuid asker = UUID_NONE;
	asker.b[0] = (uint8_t) (k + 1);
	lane_work(issuers_lane(w->issuers), (struct lane_asker){.id = asker}, "Rate exceeded", &work->item);
}

enum {
	FOR_EVERYBODY = ISSUERS_WAITING_MAX - ISSUERS_WAITING_MAX / 8
}; /* the others are for administrators */

static void test_work(void **state)
{
	struct world *w = *state;
	static struct work works[FOR_EVERYBODY + 1];
	for (size_t k = 0; k <= FOR_EVERYBODY; k++)
		post(w, &works[k], k);
	assert_int_equal(works[FOR_EVERYBODY].done_count, 1);
	assert_int_equal(works[FOR_EVERYBODY].result.code, ERR_THROTTLED);
	assert_int_equal(web.asked, 0);
	while (executor_step(w->executor, MADE_US + 2 * MINUTE))
		;
	for (size_t k = 0; k < FOR_EVERYBODY; k++) {
		assert_int_equal(works[k].done_count, 1);
		assert_ok(works[k].result);
	}
	assert_int_equal(web.asked, 2);
	for (size_t k = 0; k < 3; k++)
		post(w, &works[k], k);
	assert_true(executor_step(w->executor, MADE_US + 2 * MINUTE));
	issuers_free(w->issuers);
	w->issuers = NULL;
	unsigned gone = 0;
	for (size_t k = 0; k < 3; k++) {
		assert_int_equal(works[k].done_count, 1);
		gone += works[k].result.code == ERR_GONE;
	}
	assert_int_equal(gone, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {TEST(test_are_kept),
					   TEST(test_a_new_keys_name),
					   TEST(test_a_failed_request_keeps_keys),
					   TEST(test_a_forged_token),
					   TEST(test_a_provider_that_changed),
					   TEST(test_as_many_as_are_kept),
					   TEST(test_cannot_be_reached),
					   TEST(test_configurations),
					   TEST(test_places),
					   TEST(test_a_code_is_exchanged),
					   TEST(test_a_secret_in_the_form),
					   TEST(test_work)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
