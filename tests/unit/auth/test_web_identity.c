/* SPDX-License-Identifier: Apache-2.0
 * OpenID Connect tokens: the claims that are read, errors, signatures and audiences. The tokens were made
 * once, with two keys that were discarded. */
#include "../base/test_base.h"
#include "model/oidc_provider.h"
#include "web_tokens.h"

#include "auth/token/web_identity.h"
#include "base/clock.h"

static const char for_a_party[] =
	"eyJhbGciOiJFUzI1NiIsImtpZCI6Im9uZSIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJodHRwczovL2lkLmV"
	"4YW1wbGUuY29tL3Nob3AvIiwic3ViIjoicmVwbzpzaG9wIiwiYXVkIjpbInRpbGwiLCJkZXNrIl0sIml"
	"hdCI6MTgwMDAwMDAwMCwiZXhwIjoxODAwMDAzNjAwLCJhZG1pbiI6dHJ1ZSwibGV2ZWwiOjcsImF6cCI"
	"6InBob25lIn0.Bsep7rxf0EWuvyx4PX0u3VvFEh3VQ0IQFC1k8Tiv3Nd7aWxWo8PcQb0zo71rDjTDlMk"
	"uXDpYDIozANVPmv1gHQ";

static const char without_subject[] =
	"eyJhbGciOiJFUzI1NiIsImtpZCI6Im9uZSIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJodHRwczovL2lkLmV"
	"4YW1wbGUuY29tL3Nob3AvIiwiYXVkIjpbInRpbGwiLCJkZXNrIl0sImlhdCI6MTgwMDAwMDAwMCwiZXh"
	"wIjoxODAwMDAzNjAwLCJhZG1pbiI6dHJ1ZSwibGV2ZWwiOjd9.YdAfvAJhlOywWEWcleKlsCHqQxStIe"
	"PnPaCsIcTKjB6j6V27uDWliIR8MihOo12Y-hLTaEDNPvtfjqqoDVgfdw";

static const char without_issuer[] =
	"eyJhbGciOiJFUzI1NiIsImtpZCI6Im9uZSIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJyZXBvOnNob3AiLCJ"
	"hdWQiOlsidGlsbCIsImRlc2siXSwiaWF0IjoxODAwMDAwMDAwLCJleHAiOjE4MDAwMDM2MDAsImFkbWl"
	"uIjp0cnVlLCJsZXZlbCI6N30.1O8tSbxvQMu3Y0zafo8e4pTmEYKjQ1rakoI14jzquZKAULcRDdBYcbl"
	"gDtEaTmUmjsRm_8VwiyZL7N-JvBO_MQ";

static const char without_audience[] =
	"eyJhbGciOiJFUzI1NiIsImtpZCI6Im9uZSIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJodHRwczovL2lkLmV"
	"4YW1wbGUuY29tL3Nob3AvIiwic3ViIjoicmVwbzpzaG9wIiwiaWF0IjoxODAwMDAwMDAwLCJleHAiOjE"
	"4MDAwMDM2MDAsImFkbWluIjp0cnVlLCJsZXZlbCI6N30.BtyLqwQXEcT22oVqXVvb3VJoi36sdz3lDuD"
	"hDAanDdjPp74KehDrVCngZg02zTRmGCk1QKRDIaB4hcMXblebVA";

static const char without_end[] =
	"eyJhbGciOiJFUzI1NiIsImtpZCI6Im9uZSIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJodHRwczovL2lkLmV"
	"4YW1wbGUuY29tL3Nob3AvIiwic3ViIjoicmVwbzpzaG9wIiwiYXVkIjpbInRpbGwiLCJkZXNrIl0sIml"
	"hdCI6MTgwMDAwMDAwMCwiYWRtaW4iOnRydWUsImxldmVsIjo3fQ.8AodjDRgFApX-XmN7XU6M8hKPYky"
	"NXnqdqvIjiTcGXlKBYZV9vmGTafmJyakOX96f7F-oKk5aRgTrYUILR_7Yg";

static const char without_beginning[] =
	"eyJhbGciOiJFUzI1NiIsImtpZCI6Im9uZSIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJodHRwczovL2lkLmV"
	"4YW1wbGUuY29tL3Nob3AvIiwic3ViIjoicmVwbzpzaG9wIiwiYXVkIjpbInRpbGwiLCJkZXNrIl0sImV"
	"4cCI6MTgwMDAwMzYwMCwiYWRtaW4iOnRydWUsImxldmVsIjo3fQ.EqPDQKVZzvEOl5b_4Xf8uJbLfQ3B"
	"cQNxmaYL71Ie4jkZroJdOseV9SDFnMEVmAxTFbXnBy7oORHNHpgiX_5a9g";

static const char not_yet[] =
	"eyJhbGciOiJFUzI1NiIsImtpZCI6Im9uZSIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJodHRwczovL2lkLmV"
	"4YW1wbGUuY29tL3Nob3AvIiwic3ViIjoicmVwbzpzaG9wIiwiYXVkIjpbInRpbGwiLCJkZXNrIl0sIml"
	"hdCI6MTgwMDAwMDAwMCwiZXhwIjoxODAwMDAzNjAwLCJhZG1pbiI6dHJ1ZSwibGV2ZWwiOjcsIm5iZiI"
	"6MTgwMDAwMTgwMH0.UdBfzMV6nat7DbSPIbgVKPfNct8bDM5DCKWxp0iS1LEse_Dvo6Q1yfITzwlyqPK"
	"YpY26xg_MbpxLa6Z_o637EA";

static const char with_extension[] =
	"eyJhbGciOiJFUzI1NiIsImNyaXQiOlsiYjY0Il0sImtpZCI6Im9uZSIsInR5cCI6IkpXVCJ9.eyJpc3M"
	"iOiJodHRwczovL2lkLmV4YW1wbGUuY29tL3Nob3AvIiwic3ViIjoicmVwbzpzaG9wIiwiYXVkIjpbInR"
	"pbGwiLCJkZXNrIl0sImlhdCI6MTgwMDAwMDAwMCwiZXhwIjoxODAwMDAzNjAwLCJhZG1pbiI6dHJ1ZSw"
	"ibGV2ZWwiOjd9.MPwL_NzUjZVbsFo0AKS49IPVaFDj4lTw-D6Hu9Zg6px3WhG9zdAzE4dOtUhBaZpVnR"
	"Nrphi-f3UtxLWHcM3xTA";

static const char by_hmac[] =
	"eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJodHRwczovL2lkLmV4YW1wbGUuY29tL3N"
	"ob3AvIiwic3ViIjoicmVwbzpzaG9wIiwiYXVkIjpbInRpbGwiLCJkZXNrIl0sImlhdCI6MTgwMDAwMDA"
	"wMCwiZXhwIjoxODAwMDAzNjAwLCJhZG1pbiI6dHJ1ZSwibGV2ZWwiOjd9.yWmuCy0M3Abkm0mVjhrvFW"
	"wQhghe_Vpo3-qRXSsP49Q";

static int setup(void **state)
{
	clock_set_us(MADE_US + MINUTE);
	*state = arena_new(4096, 1 << 20);
	return 0;
}

static int teardown(void **state)
{
	clock_set_us(0);
	arena_free(*state);
	return 0;
}

static struct ctx context(void **state)
{
	struct ctx c;
	ctx_init(&c, *state);
	return c;
}

static void test_is_read(void **state)
{
	struct ctx c = context(state);
	struct web_identity w;
	struct strs values = {0};
	assert_ok(web_identity_read(&c, str_from(good), &w));
	assert_true(str_is(w.issuer, "id.example.com/shop") && str_is(w.subject, "repo:shop"));
	assert_true(str_is(w.audience, "till") && str_is(w.algorithm, "ES256") && str_is(w.key_id, "one"));
	assert_int_equal(w.expires_us, MADE_US + HOUR);
	assert_true(web_identity_find_key(&w, STR("id.example.com/shop:sub"), &values));
	assert_true(values.count == 1 && str_is(values.at[0], "repo:shop"));
	assert_true(web_identity_find_key(&w, STR("ID.example.com/shop:oaud"), &values));
	assert_true(values.count == 2 && str_is(values.at[1], "desk"));
	assert_true(web_identity_find_key(&w, STR("id.example.com/shop:admin"), &values));
	assert_true(str_is(values.at[0], "true"));
	assert_true(web_identity_find_key(&w, STR("id.example.com/shop:level"), &values));
	assert_true(str_is(values.at[0], "7"));
	assert_false(web_identity_find_key(&w, STR("id.example.com/shop:mail"), &values));
	assert_false(web_identity_find_key(&w, STR("id.example.com:sub"), &values));
	assert_ok(web_identity_read(&c, str_from(for_a_party), &w));
	assert_true(str_is(w.audience, "phone"));
}

static void expect_bad(void **state, struct str token, enum err code, const char *words)
{
	struct ctx c = context(state);
	struct web_identity w;
	assert_int_equal(web_identity_read(&c, token, &w).code, code);
	assert_int_equal(c.problem.kind, KIND_OIDC_PROVIDER);
	if (!str_contains(c.problem.message, str_from(words)))
		fail_msg("'%.*s' does not say '%s'", STR_ARG(c.problem.message), words);
}

static void test_is_refused(void **state)
{
	static const struct {
		const char *token, *words;
	} bad[] = {
		{"", "not a valid JWT"},
		{"a.b", "not a valid JWT"},
		{"e30.e30.e30.e30", "not a valid JWT"},
		{"e30.e30.!", "not a valid JWT"},
		{"W10.e30.AAAA", "not JSON"},
		{without_subject, "claim: sub"},
		{without_issuer, "claim: iss"},
		{without_audience, "claim: aud"},
		{without_end, "claim: exp"},
		{without_beginning, "claim: iat"},
		{not_yet, "not valid yet"},
		{with_extension, "extensions"},
		{by_hmac, "RS256 or ES256"},
	};
	for (size_t k = 0; k < sizeof bad / sizeof bad[0]; k++)
		expect_bad(state, str_from(bad[k].token), ERR_INVALID, bad[k].words);
	clock_set_us(MADE_US + HOUR);
	expect_bad(state, str_from(good), ERR_EXPIRED, "expired");
	clock_set_us(MADE_US - HOUR);
	expect_bad(state, str_from(good), ERR_INVALID, "not valid yet");
}

static void test_signature(void **state)
{
	struct ctx c = context(state);
	struct web_identity w;
	bool has_key = false;
	assert_ok(web_identity_read(&c, str_from(good), &w));
	assert_ok(web_identity_prove(&c, &w, str_from(key_set), &has_key));
	assert_true(has_key);
	assert_int_equal(web_identity_prove(&c, &w, str_from(other_names), &has_key).code, ERR_INVALID);
	assert_false(has_key);
	assert_int_equal(web_identity_prove(&c, &w, STR("mars"), &has_key).code, ERR_INVALID);
	assert_false(has_key);
	assert_ok(web_identity_read(&c, str_from(of_other_key), &w));
	assert_int_equal(web_identity_prove(&c, &w, str_from(key_set), &has_key).code, ERR_INVALID);
	assert_true(has_key);
}

static void test_whom_it_is_for(void **state)
{
	struct ctx c = context(state);
	struct web_identity w;
	struct str clients[] = {STR("desk"), STR("till")};
	struct oidc_provider provider = {.url = STR("id.example.com/shop"), .client_ids = {clients, 2}};
	assert_ok(web_identity_read(&c, str_from(good), &w));
	assert_ok(web_identity_fit(&c, &w, &provider));
	provider.client_ids.count = 1; /* the first of its audiences counts */
	assert_int_equal(web_identity_fit(&c, &w, &provider).code, ERR_INVALID);
	provider = (struct oidc_provider){.url = STR("id.example.com"), .client_ids = {clients, 2}};
	assert_int_equal(web_identity_fit(&c, &w, &provider).code, ERR_INVALID);
}

/* Claims as in a sign-in's token; NULL: the claim is absent. */
static struct web_identity signed_in(struct str texts[static 5], const char *first, const char *second,
				     const char *party, const char *nonce)
{
	struct web_identity w = {.issuer = STR("id.example.com/shop")};
	const size_t audiences = (first != NULL) + (second != NULL);
	texts[0] = str_from(first);
	texts[1] = str_from(second);
	texts[2] = str_from(party);
	texts[3] = str_from(nonce);
	if (audiences)
		w.claims[w.claim_count++] = (struct web_claim){STR("aud"), {texts, audiences}};
	if (party)
		w.claims[w.claim_count++] = (struct web_claim){STR("azp"), {texts + 2, 1}};
	if (nonce)
		w.claims[w.claim_count++] = (struct web_claim){STR("nonce"), {texts + 3, 1}};
	return w;
}

static void test_for_a_client(void **state)
{
	static const struct {
		const char *first, *second, *party, *nonce;
		bool is_good;
	} rows[] = {
		{"till", NULL, NULL, "n", true},     {"till", NULL, "till", "n", true},
		{"desk", "till", "till", "n", true}, {"desk", NULL, NULL, "n", false},
		{"desk", NULL, "till", "n", false},  {"till", NULL, "desk", "n", false},
		{"desk", "till", NULL, "n", false},  {"till", NULL, NULL, "m", false},
		{"till", NULL, NULL, NULL, false},   {NULL, NULL, "till", "n", false},
	};
	struct ctx c = context(state);
	const struct oidc_provider provider = {.url = STR("id.example.com/shop")},
				   other = {.url = STR("id.example.com")};
	struct str texts[5];
	for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
		struct web_identity w =
			signed_in(texts, rows[k].first, rows[k].second, rows[k].party, rows[k].nonce);
		struct result fits = web_identity_fit_client(&c, &w, &provider, STR("till"), STR("n"));
		assert_int_equal(fits.code, rows[k].is_good ? ERR_NONE : ERR_INVALID);
		ctx_clear_problem(&c);
	}
	struct web_identity w = signed_in(texts, "till", NULL, NULL, "n");
	assert_int_equal(web_identity_fit_client(&c, &w, &other, STR("till"), STR("n")).code, ERR_INVALID);
	assert_int_equal(web_identity_fit_client(&c, &w, &provider, STR("till"), STR_NONE).code, ERR_INVALID);
	assert_true(str_is(web_identity_find_claim(&w, "nonce"), "n"));
	assert_int_equal(web_identity_find_claim(&w, "email").n, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {TEST(test_is_read), TEST(test_is_refused), TEST(test_signature),
					   TEST(test_whom_it_is_for), TEST(test_for_a_client)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
