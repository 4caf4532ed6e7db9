/* SPDX-License-Identifier: Apache-2.0
 * Fences as rows: which devices and requests are refused, tries that fail, hosts that come back. The tests in
 * tests/unit/reconcile/test_fence.c run fence commands. */
#include "cloud.h"
#include "engine/region/fence.h"
#include "model/condition.h"
#include "store/fence.h"
#include "store/host.h"

static const struct tag port_option[] = {{{"port", 4}, {"7", 1}}};

static struct ref h1(void)
{
	return ref_named(KIND_HOST, "h1");
}

static struct fence_device_wish device(void)
{
	return (struct fence_device_wish){
		.host = h1(), .command = STR("/usr/sbin/fence_ipmilan"), .options = {port_option, 1}};
}

static void report(struct cloud *c, enum host_seen_state seen, const char *boot)
{
	struct host_report wish = {.host = c->hosts[0],
				   .state = seen,
				   .has_facts = seen == HOST_SEEN_STATE_UP,
				   .boot_id = str_from(boot)};
	cloud_ok(c, NULL, engine_see_host, &wish);
}

/* Gives a host a fence device, lets the host go down, and asks for its fence. */
static const struct fence *ask(struct cloud *c, const char *boot)
{
	struct fence_device_wish wish = device();
	cloud_ok(c, &c->operator, engine_set_fence_device, &wish);
	if (*boot)
		report(c, HOST_SEEN_STATE_UP, boot);
	report(c, HOST_SEEN_STATE_DOWN, "");
	struct fence_asking asked = {.host = h1()};
	cloud_ok(c, &c->operator, engine_ask_fence, &asked);
	const struct fence *f = engine_find_fence(cloud_tables(c), c->hosts[0]);
	assert_int_equal(f->stage, FENCE_STAGE_ASKED);
	return f;
}

static const struct fence *last(struct cloud *c)
{
	return engine_last_fence(cloud_tables(c), c->hosts[0]);
}

/* ---- devices ---- */

static void refuses(struct cloud *c, struct fence_device_wish wish, const char *field)
{
	cloud_fails(c, &c->operator, engine_set_fence_device, &wish, ERR_INVALID, KIND_HOST);
	assert_true(str_is(c->c.problem.field, field));
}

static void check_options(void **state)
{
	struct cloud *c = *state;
	static const struct tag wrong[] = {{{"", 0}, {"x", 1}},
					   {{"a b", 3}, {"x", 1}},
					   {{"action", 6}, {"off", 3}},
					   {{"port", 4}, {"1\n2", 3}}};
	struct fence_device_wish wish = device();
	cloud_fails(c, &c->alice, engine_set_fence_device, &wish, ERR_DENIED, KIND_HOST);
	for (size_t k = 0; k < sizeof wrong / sizeof *wrong; k++) {
		wish.options = (struct tags){&wrong[k], 1};
		refuses(c, wish, "option");
	}
	wish = device();
	wish.command = STR("fence_ipmilan");
	refuses(c, wish, "command");
	wish.command = STR("/usr/sbin/\x01");
	refuses(c, wish, "command");
	wish.command = STR_NONE;
	refuses(c, wish, "command"); /* options without a command */
	wish.options.count = 0;
	wish.secret = STR("sealed");
	refuses(c, wish, "command");
}

static void check_times(void **state)
{
	struct cloud *c = *state;
	const struct host *host = host_find(cloud_tables(c), c->hosts[0]);
	struct fence_device_wish wish = device();
	static const int64_t wrong[] = {-2, 1, FENCE_AFTER_S_MIN - 1, FENCE_AFTER_S_MAX + 1};
	for (size_t k = 0; k < sizeof wrong / sizeof *wrong; k++) {
		wish.after_s = wrong[k];
		refuses(c, wish, "after-s");
	}
	assert_int_equal(engine_get_fence_after_us(cloud_tables(c), host), 0); /* it has no command */
	wish.after_s = FENCE_AFTER_S_MIN;
	cloud_ok(c, &c->operator, engine_set_fence_device, &wish);
	host = host_find(cloud_tables(c), c->hosts[0]);
	assert_int_equal(engine_get_fence_after_us(cloud_tables(c), host), FENCE_AFTER_S_MIN * SECOND);
	wish.after_s = FENCE_AFTER_S_MAX;
	cloud_ok(c, &c->operator, engine_set_fence_device, &wish);
	wish.after_s = -1;
	cloud_ok(c, &c->operator, engine_set_fence_device, &wish);
	host = host_find(cloud_tables(c), c->hosts[0]);
	assert_int_equal(engine_get_fence_after_us(cloud_tables(c), host), 0);
	wish.after_s = 0;
	cloud_ok(c, &c->operator, engine_set_fence_device, &wish);
	host = host_find(cloud_tables(c), c->hosts[0]);
	assert_int_equal(engine_get_fence_after_us(cloud_tables(c), host), FENCE_AFTER_S * SECOND);
}

static void check_addresses(void **state)
{
	struct cloud *c = *state;
	struct str addresses[17];
	struct fence_device_wish wish = {.host = h1(), .addresses = {addresses, 1}};
	struct host_wish real = {.name = STR("real"), .uri = STR("qemu+tls://real/system")};
	cloud_ok(c, &c->operator, engine_add_host, &real);
	wish.host = ref_named(KIND_HOST, "real"); /* a simulated host may be named in any way */
	addresses[0] = STR("host.example");
	refuses(c, wish, "blocklist");
	for (size_t k = 0; k < 17; k++)
		addresses[k] = STR("fd00::1");
	wish.addresses.count = 17;
	refuses(c, wish, "blocklist");
	wish.addresses.count = 16;
	cloud_ok(c, &c->operator, engine_set_fence_device, &wish);
}

/* ---- requests ---- */

static void check_asking(void **state)
{
	struct cloud *c = *state;
	char reason[256];
	memset(reason, 'r', sizeof reason);
	struct fence_asking wish = {.host = h1()};
	struct fence_word word = {.host = h1(), .who = STR("ann")};
	cloud_fails(c, &c->operator, engine_ask_fence, &wish, ERR_STATE, KIND_HOST); /* answers */
	cloud_fails(c, &c->operator, engine_vouch_fence, &word, ERR_STATE, KIND_HOST);
	report(c, HOST_SEEN_STATE_DOWN, "");
	cloud_fails(c, &c->alice, engine_ask_fence, &wish, ERR_DENIED, KIND_HOST);
	cloud_fails(c, &c->alice, engine_vouch_fence, &word, ERR_DENIED, KIND_HOST);
	cloud_fails(c, &c->operator, engine_ask_fence, &wish, ERR_UNSUPPORTED,
		    KIND_HOST); /* has no command */
	wish.reason = (struct str){reason, 256};
	cloud_fails(c, &c->operator, engine_ask_fence, &wish, ERR_INVALID, KIND_HOST);
	wish.reason = STR("\x02");
	cloud_fails(c, &c->operator, engine_ask_fence, &wish, ERR_INVALID, KIND_HOST);
	struct fence_device_wish set = device();
	cloud_ok(c, &c->operator, engine_set_fence_device, &set);
	wish.reason = (struct str){reason, 255};
	cloud_ok(c, &c->operator, engine_ask_fence, &wish);
	uuid asked = last(c)->row.id;
	cloud_ok(c, &c->operator, engine_ask_fence, &wish); /* asked for already: stays as it is */
	assert_true(uuid_equal(last(c)->row.id, asked));
	assert_false(engine_is_host_fenced(cloud_tables(c), c->hosts[0]));
	cloud_ok(c, &c->operator, engine_vouch_fence, &word);
	assert_int_equal(last(c)->proof, FENCE_PROOF_WORD);
	assert_true(engine_is_host_off(cloud_tables(c), c->hosts[0]));
	assert_true(engine_is_let_go(cloud_tables(c), c->hosts[0], uuid_random()));
	cloud_ok(c, &c->operator, engine_vouch_fence, &word);
	cloud_fails(c, &c->operator, engine_ask_fence, &wish, ERR_STATE, KIND_HOST); /* off already */
}

/* ---- reports ---- */

static void check_tries(void **state)
{
	struct cloud *c = *state;
	struct fence_report try = {.fence = ask(c, "")->row.id, .problem = STR("no route")};
	for (int k = 1; k <= 2; k++) {
		cloud_ok(c, NULL, engine_see_fence, &try);
		assert_int_equal(last(c)->tries, k);
		assert_int_equal(last(c)->stage, FENCE_STAGE_ASKED);
	}
	assert_true(str_contains(cloud_condition(c, c->hosts[0], "Fencing")->message,
				 STR("Attempt 2: no route")));
	cloud_ok(c, NULL, engine_see_fence, &try);
	assert_int_equal(last(c)->stage, FENCE_STAGE_FAILED);
	assert_null(engine_find_fence(cloud_tables(c), c->hosts[0]));
	assert_null(cloud_condition(c, c->hosts[0], "Fencing"));
	assert_non_null(cloud_condition(c, c->hosts[0], "FenceFailed"));
	try.is_off = true;
	cloud_ok(c, NULL, engine_see_fence, &try); /* late: over */
	assert_int_equal(last(c)->stage, FENCE_STAGE_FAILED);
	try.fence = uuid_random();
	cloud_ok(c, NULL, engine_see_fence, &try);
	report(c, HOST_SEEN_STATE_UP, "");
	assert_null(cloud_condition(c, c->hosts[0], "FenceFailed"));
}

static void check_return(void **state)
{
	struct cloud *c = *state;
	struct fence_report off = {.fence = ask(c, "one")->row.id, .is_off = true};
	struct fence_return back = {.fence = off.fence, .is_cleared = true};
	cloud_ok(c, NULL, engine_see_fence_return, &back); /* not confirmed yet */
	assert_int_equal(last(c)->returned_us, 0);
	cloud_ok(c, NULL, engine_see_fence, &off);
	assert_int_equal(last(c)->proof, FENCE_PROOF_COMMAND);
	assert_non_null(cloud_condition(c, c->hosts[0], "Fenced"));
	report(c, HOST_SEEN_STATE_UP, "two");
	assert_int_not_equal(last(c)->returned_us, 0);
	assert_false(engine_is_host_fenced(cloud_tables(c), c->hosts[0]));
	back.is_cleared = false;
	cloud_ok(c, NULL, engine_see_fence_return, &back);
	assert_int_equal(last(c)->ended_us, 0); /* copies of evacuated guests are still there */
	back.is_cleared = true;
	cloud_ok(c, NULL, engine_see_fence_return, &back);
	assert_int_not_equal(last(c)->ended_us, 0);
	assert_null(cloud_condition(c, c->hosts[0], "Fenced"));
	uint64_t commit = last(c)->row.commit;
	cloud_ok(c, NULL, engine_see_fence_return, &back);
	struct fence_report unblocked = {.fence = uuid_random()};
	cloud_ok(c, NULL, engine_see_fence_unblocked, &unblocked);
	assert_int_equal(last(c)->row.commit, commit);
}

/* Another boot than before is a proof by itself; the same boot is none. */
static void check_boots(void **state)
{
	struct cloud *c = *state;
	ask(c, "one");
	report(c, HOST_SEEN_STATE_UP, "one");
	assert_int_equal(last(c)->stage, FENCE_STAGE_FAILED);
	assert_int_equal(last(c)->proof, FENCE_PROOF_NONE);
	clock_advance_us(SECOND);
	ask(c, "one");
	report(c, HOST_SEEN_STATE_UP, "two");
	assert_int_equal(last(c)->stage, FENCE_STAGE_CONFIRMED);
	assert_int_equal(last(c)->proof, FENCE_PROOF_BOOT);
	assert_int_not_equal(last(c)->ended_us, 0);
	assert_null(engine_find_fence(cloud_tables(c), c->hosts[0]));
}

/* A host keeps its last twenty fences. */
static void check_records(void **state)
{
	struct cloud *c = *state;
	uuid first = ask(c, "one")->row.id;
	for (int k = 0; k < 20; k++) {
		report(c, HOST_SEEN_STATE_UP, "one");
		clock_advance_us(SECOND);
		assert_int_equal(fence_find(cloud_tables(c), first) != NULL, k < 20);
		ask(c, "one");
	}
	assert_null(fence_find(cloud_tables(c), first));
	assert_int_equal(tables_count(cloud_tables(c), KIND_FENCE), 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(check_options, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_times, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_addresses, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_asking, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_tries, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_return, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_boots, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_records, cloud_setup, cloud_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
