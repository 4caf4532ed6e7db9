/* SPDX-License-Identifier: Apache-2.0
 * Destinations that accounts may choose: address ranges, addresses of this machine and of managers, the
 * configuration's additions and exceptions, and that curl obeys the decision. */
#include "../base/test_base.h"

#include "drivers/egress_policy.h"
#include "drivers/web_fetch.h"

struct fixture {
	struct arena *arena;
	struct ctx c;
};

static int setup(void **state)
{
	static struct fixture f;
	f = (struct fixture){.arena = arena_new(4096, 1 << 22)};
	ctx_init(&f.c, f.arena);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	arena_free(((struct fixture *) *state)->arena);
	return 0;
}

static struct ip ip_of(const char *text)
{
	struct ip ip = {0};
	if (!result_is_ok(ip_parse(str_from(text), &ip)))
		fail_msg("%s is no address", text);
	return ip;
}

static struct cidr block_of(const char *text)
{
	struct cidr block = {0};
	if (!result_is_ok(cidr_parse(str_from(text), &block)))
		fail_msg("%s is no block", text);
	return block;
}

/* "a, b, c" */
static struct strs list_of(struct fixture *f, const char *text)
{
	struct str *at = arena_new_array(f->arena, struct str, 16);
	struct str rest = str_from(text), one = STR_NONE;
	size_t count = 0;
	while (str_split_next(&rest, ',', &one))
		if (one.n)
			at[count++] = str_trim(one);
	return (struct strs){at, count};
}

static struct egress_policy *reach_of(struct fixture *f, const char *not_from, const char *also_from)
{
	const struct egress_policy_config config = {.not_from = list_of(f, not_from),
						    .also_from = list_of(f, also_from)};
	struct egress_policy *r = NULL;
	assert_ok(egress_policy_new(&f->c, &config, &r));
	return r;
}

/* ---- by its digits ---- */

static void test_addresses(void **state)
{
	static const struct {
		const char *address;
		bool is_allowed;
	} cases[] = {
		{"0.0.0.0", false},
		{"0.1.2.3", false},
		{"126.255.255.255", true},
		{"127.0.0.1", false},
		{"127.255.255.255", false},
		{"128.0.0.1", true},
		{"169.254.169.254", false},
		{"169.253.0.1", true},
		{"192.0.0.170", false},
		{"192.0.1.1", true},
		{"223.255.255.255", true},
		{"224.0.0.1", false},
		{"239.1.2.3", false},
		{"240.0.0.1", false},
		{"255.255.255.255", false},
		{"10.1.2.3", true}, /* by the configuration alone */
		{"192.168.1.1", true},
		{"100.64.0.1", true},
		{"203.0.113.7", true},
		{"::", false},
		{"::1", false},
		{"::2", false},
		{"::8.8.8.8", false},      /* compatible */
		{"::ffff:8.8.8.8", false}, /* mapped */
		{"::ffff:127.0.0.1", false},
		{"::ffff:0:8.8.8.8", false}, /* translated */
		{"64:ff9b::8.8.8.8", true},  /* NAT64 */
		{"64:ff9b::127.0.0.1", false},
		{"64:ff9b::169.254.169.254", false},
		{"64:ff9b::a00:1", true},
		{"64:ff9b:1::8.8.8.8", true}, /* a network's own NAT64 */
		{"64:ff9b:1:fffe::8.8.8.8", true},
		{"64:ff9b:1::127.0.0.1", false},
		{"64:ff9b:1:7f00:0:100::", false}, /* 127.0.0.1 behind 48 bits */
		{"64:ff9b:1:7f:0:1::", false},     /* behind 56 */
		{"64:ff9b:1:0:7f:0:100:0", false}, /* behind 64 */
		{"64:ff9b:1:808:8:800::", false},  /* 8.8.8.8 behind 48 bits: ambiguous */
		{"64:ff9b:2::7f00:1", true},       /* none */
		{"2002:808:808::1", true},         /* 6to4 */
		{"2002:7f00:1::1", false},
		{"2002:a9fe:a9fe::", false},
		{"2001::1", false}, /* Teredo */
		{"2001:0:4136:e378:8000:63bf:3fff:fdd2", false},
		{"2001:1::1", true},
		{"100::1", false},
		{"fe80::1", false},
		{"febf::1", false},
		{"fec0::1", false},
		{"feff::1", false},
		{"ff02::1", false},
		{"fd00::1", true}, /* by the configuration alone */
		{"2001:db8::1", true},
		{"2606:4700::1111", true},
	};
	const struct web_refused nothing = {0};
	struct egress_policy *r = reach_of(*state, "", "");
	for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
		if (egress_policy_allows(r, &nothing, ip_of(cases[k].address)) != cases[k].is_allowed ||
		    egress_policy_allows(NULL, &nothing, ip_of(cases[k].address)) != cases[k].is_allowed)
			fail_msg("%s is %s", cases[k].address, cases[k].is_allowed ? "refused" : "allowed");
	}
	assert_false(egress_policy_allows(r, &nothing, (struct ip){0}));
	egress_policy_free(r);
}

/* ---- this machine's, and of what manages the region ---- */

static bool is_refused(const struct web_refused *refused, const char *address)
{
	return !egress_policy_allows(NULL, refused, ip_of(address));
}

static void test_own_addresses(void **state)
{
	(void) state;
	struct cidr own[] = {block_of("192.0.2.17/28"),  block_of("198.51.100.4/31"),
			     block_of("203.0.113.9/32"), block_of("10.0.0.5/24"),
			     block_of("2001:db8::5/64"), block_of("2001:db8:1::7/128"),
			     block_of("198.51.100.8/30")};
	const struct web_refused refused = {.own = own, .own_count = sizeof own / sizeof *own};
	static const char *const ours[] = {"192.0.2.17",
					   "192.0.2.16",
					   "192.0.2.31", /* the network's first and its broadcast */
					   "198.51.100.4",
					   "203.0.113.9",
					   "10.0.0.255",
					   "2001:db8::5",
					   "2001:db8::" /* its routers */,
					   "2001:db8:1::7",
					   "198.51.100.8",
					   "198.51.100.11",
					   "64:ff9b::10.0.0.5",
					   "2002:c000:211::1",
					   "64:ff9b:1::192.0.2.31"};
	static const char *const neighbours[] = {"192.0.2.18",        "192.0.2.32",
						 "198.51.100.5",      "203.0.113.8",
						 "2001:db8::6",       "2001:db8::ffff:ffff:ffff:ffff",
						 "10.0.0.6",          "2001:db8:1::8",
						 "64:ff9b::10.0.0.6", "198.51.100.9"};
	for (size_t k = 0; k < sizeof ours / sizeof *ours; k++)
		if (!is_refused(&refused, ours[k]))
			fail_msg("%s is allowed", ours[k]);
	for (size_t k = 0; k < sizeof neighbours / sizeof *neighbours; k++)
		if (is_refused(&refused, neighbours[k]))
			fail_msg("%s is refused", neighbours[k]);
}

static void test_managed_addresses(void **state)
{
	(void) state;
	const struct ip hosts[] = {ip_of("10.9.0.1"), ip_of("fd00::9")};
	const struct web_refused refused = {.managed = {hosts, 2}};
	assert_true(is_refused(&refused, "10.9.0.1"));
	assert_true(is_refused(&refused, "64:ff9b::10.9.0.1"));
	assert_true(is_refused(&refused, "fd00::9"));
	assert_false(is_refused(&refused, "10.9.0.2"));
	assert_false(is_refused(&refused, "fd00::8"));
}

/* ---- the configuration ---- */

static void test_configured(void **state)
{
	struct cidr own = block_of("10.0.0.5/24");
	const struct ip host = ip_of("10.0.0.6");
	const struct web_refused refused = {.own = &own, .own_count = 1, .managed = {&host, 1}};
	struct egress_policy *r =
		reach_of(*state, "10.0.0.0/8, fc00::/7, 203.0.113.7",
			 "10.7.0.0/16, 10.0.0.7, 127.0.0.2, fd00::1, 2001:db8::/32, 127.0.0.0/30");
	static const struct {
		const char *address;
		bool is_allowed;
	} cases[] = {
		{"10.1.2.3", false},         {"11.1.2.3", true},          {"203.0.113.7", false},
		{"203.0.113.8", true},       {"fd00::2", false},          {"fd00::1", true}, /* named */
		{"10.7.1.1", true}, /* its block is */
		{"10.0.0.7", true},          {"10.0.0.5", false},         {"64:ff9b::10.1.2.3", false},
		{"64:ff9b::10.7.1.1", true}, {"64:ff9b::10.0.0.7", true}, {"2002:a01:203::1", false},
		{"127.0.0.2", true},  /* named, so even this machine itself */
		{"127.0.0.1", false}, /* a block does not do that */
	};
	for (size_t k = 0; k < sizeof cases / sizeof *cases; k++)
		if (egress_policy_allows(r, &refused, ip_of(cases[k].address)) != cases[k].is_allowed)
			fail_msg("%s is %s", cases[k].address, cases[k].is_allowed ? "refused" : "allowed");
	egress_policy_free(r);
	r = reach_of(*state, "", "10.0.0.0/8"); /* nor does a block name what manages the region */
	assert_false(egress_policy_allows(r, &refused, ip_of("10.0.0.5")));
	assert_false(egress_policy_allows(r, &refused, ip_of("10.0.0.6")));
	egress_policy_free(r);
	r = reach_of(*state, "", "10.0.0.5, 10.0.0.6");
	assert_true(egress_policy_allows(r, &refused, ip_of("10.0.0.5")));
	assert_true(egress_policy_allows(r, &refused, ip_of("10.0.0.6")));
	egress_policy_free(r);
}

static void test_bad_blocks(void **state)
{
	struct fixture *f = *state;
	static const char *const bad[] = {"10.0.0.0/33",   "10.0.0.300/8", "10.0.0.1/8", "intranet",
					  "::/129",        "10.0.0.0/",    "10/8",       "-",
					  "2001:db8::1/64"};
	for (size_t k = 0; k < sizeof bad / sizeof *bad; k++)
		for (int is_also = 0; is_also < 2; is_also++) {
			struct egress_policy *r = NULL;
			struct egress_policy_config config = {0};
			*(is_also ? &config.also_from : &config.not_from) = list_of(f, bad[k]);
			ctx_clear_problem(&f->c);
			assert_int_equal(egress_policy_new(&f->c, &config, &r).code, ERR_INVALID);
			assert_null(r);
			struct str says = f->c.problem.message;
			if (!str_contains(says, str_print(f->arena, "\"%s\"", bad[k])) ||
			    !str_contains(says, str_from(is_also ? "images.fetch_also_from"
								 : "images.fetch_not_from")))
				fail_msg("%.*s", STR_ARG(says));
		}
}

/* ---- how hosts are reached ---- */

static void test_hosts_of_remotes(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *remote, *hosts;
	} cases[] = {
		{"qemu+tls://hv1.example.com/system", "hv1.example.com"},
		{"qemu+ssh://root@10.0.0.5/system?keyfile=/a@b://c", "10.0.0.5"},
		{"qemu+tls://[2001:db8::5]:16514/system", "2001:db8::5"},
		{"qemu+tcp://10.0.0.5:16509/system", "10.0.0.5"},
		{"qemu+tls://hv1?pkipath=/etc/x:y", "hv1"},
		{"qemu+tls://user@[fd00::1]", "fd00::1"},
		{"qemu+unix:///system?socket=/run/libvirt/x@y:1", ""},
		{"qemu:///system", ""},
		{"sim://", ""},
		{"sim://hv7/", ""},
		{"unix:/run/ovn/ovnnb_db.sock", ""},
		{"ssl:10.0.0.1:6641,ssl:[2001:db8::2]:6641, tcp:nb3.example.com:6641",
		 "10.0.0.1 2001:db8::2 nb3.example.com"},
		{"unix:/a.sock,tcp:10.0.0.1:6641", "10.0.0.1"},
		{"simulated", ""},
		{"", ""},
		{"://", ""},
		{"x://[", ""},
		{"tcp:", ""},
	};
	for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
		struct str remote = str_from(cases[k].remote), all = STR_NONE;
		for (struct str host; (host = egress_policy_next_host(&remote)).n;)
			all = str_print(f->arena, "%" STR_FMT "%s%" STR_FMT, STR_ARG(all), all.n ? " " : "",
					STR_ARG(host));
		if (!str_is(all, cases[k].hosts))
			fail_msg("of %s: '%.*s'", cases[k].remote, STR_ARG(all));
	}
}

/* ---- curl is held to it ---- */

static const char *remote; /* how the only host is reached */

static bool list_one(void *arg, struct arena *a, struct strs *ret_remotes)
{
	struct str *at = arena_new_array(a, struct str, 1);
	(void) arg;
	*at = str_from(remote);
	*ret_remotes = (struct strs){at, 1};
	return true;
}

/* Port 9 is closed, so an attempted connection fails with another message than a refused address. */
#define NOT_ALLOWED "is not allowed"
#define TRIED "port 9"

static void expect_fetch(struct fixture *f, struct egress_policy *r, const char *host, const char *words)
{
	struct str body = STR_NONE;
	const struct web_fetch wish = {.url = str_print(f->arena, "https://%s:9/x", host).p,
				       .cap_size = 1024,
				       .timeout_ms = 20000,
				       .reach = r};
	ctx_clear_problem(&f->c);
	assert_int_equal(web_fetch_get(&f->c, &wish, &body).code, ERR_IO);
	if (!str_contains(f->c.problem.message, str_from(words)))
		fail_msg("'%.*s' does not say '%s'", STR_ARG(f->c.problem.message), words);
	if (strcmp(words, NOT_ALLOWED) == 0)
		assert_true(str_contains(f->c.problem.message, str_print(f->arena, "of %s is", host)));
}

static void test_curl(void **state)
{
	struct fixture *f = *state;
	expect_fetch(f, NULL, "127.0.0.1", NOT_ALLOWED);
	expect_fetch(f, NULL, "localhost", NOT_ALLOWED); /* a name that resolves to it */
	expect_fetch(f, NULL, "[::1]", NOT_ALLOWED);
	expect_fetch(f, NULL, "[::ffff:127.0.0.1]", NOT_ALLOWED);
	expect_fetch(f, NULL, "0", "the address of 0.0.0.0 is not allowed");
	struct egress_policy *r = reach_of(f, "", "127.0.0.1");
	expect_fetch(f, r, "127.0.0.1", TRIED);
	expect_fetch(f, r, "localhost", TRIED); /* also where ::1 is looked at first */
	expect_fetch(f, r, "127.0.0.2", NOT_ALLOWED);
	egress_policy_free(r);
}

/* Addresses and names of the region's hosts are refused. */
static void test_managers(void **state)
{
	struct fixture *f = *state;
	static const char *const remotes[] = {"qemu+tls://203.0.113.77/system", "ssl:203.0.113.77:6641"};
	const struct egress_policy_config config = {.list_remotes = list_one};
	AUTO(egress_policy) r = NULL;
	assert_ok(egress_policy_new(&f->c, &config, &r));
	for (size_t k = 0; k < 2; k++) {
		remote = remotes[k];
		expect_fetch(f, r, "203.0.113.77", NOT_ALLOWED);
	}
	CURL *curl = curl_easy_init();
	struct web_visit visit = {.c = &f->c, .url = "https://a", .reach = r};
	remote = "qemu+tls://localhost/system";
	assert_ok(web_visit_begin(&visit, curl, "https"));
	bool is_known = false;
	for (size_t k = 0; k < visit.refused.managed.count; k++)
		is_known = is_known || ip_equal(visit.refused.managed.at[k], ip_of("127.0.0.1"));
	assert_true(is_known);
	curl_easy_cleanup(curl);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_addresses, setup, teardown),
		cmocka_unit_test_setup_teardown(test_own_addresses, setup, teardown),
		cmocka_unit_test_setup_teardown(test_managed_addresses, setup, teardown),
		cmocka_unit_test_setup_teardown(test_configured, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bad_blocks, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hosts_of_remotes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_curl, setup, teardown),
		cmocka_unit_test_setup_teardown(test_managers, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
