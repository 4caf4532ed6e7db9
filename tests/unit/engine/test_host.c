/* SPDX-License-Identifier: Apache-2.0
 * Hosts, external networks and their ranges. */
#include "cloud.h"
#include "engine/instance/instance_event.h"
#include "store/host.h"
#include "store/zone.h"

static void check_add(void **state)
{
	struct cloud *c = *state;
	struct host_wish wish = {.name = STR("h9"), .uri = STR("sim://"), .reserved_memory = -1};
	cloud_fails(c, &c->alice, engine_add_host, &wish, ERR_DENIED, KIND_HOST);
	cloud_ok(c, &c->operator, engine_add_host, &wish);
	const struct host *host = host_find(cloud_tables(c), wish.host);
	assert_int_equal(host->overcommit_percent, 400);
	assert_int_equal(host->reserved_memory, GIB);
	assert_true(host->enabled && host->seen_state == HOST_SEEN_STATE_UNKNOWN);
	assert_true(uuid_equal(host->zone, zone_find_by_name(cloud_tables(c), STR("xy-west-2a"))->row.id));
	cloud_fails(c, &c->operator, engine_add_host, &wish, ERR_EXISTS, KIND_HOST);
	wish.name = STR("a,b");
	cloud_fails(c, &c->operator, engine_add_host, &wish, ERR_INVALID, KIND_HOST);
	wish.name = STR("h8");
	wish.zone = ref_named(KIND_ZONE, "nowhere");
	cloud_fails(c, &c->operator, engine_add_host, &wish, ERR_NOT_FOUND, KIND_ZONE);
	wish.zone = ref_named(KIND_ZONE, "xyw2-az2");
	cloud_ok(c, &c->operator, engine_add_host, &wish);
}

/* Sizes of texts and least numbers: the last value that is right, and the first that is not. */
static void check_add_bounds(void **state)
{
	struct cloud *c = *state;
	static char words[256];
	memset(words, 'a', sizeof words);
	struct str most = {words, 255}, more = {words, 256};
	struct host_wish good = {.name = most,
				 .address = most,
				 .cpu = {words, 63},
				 .uri = STR("sim://"),
				 .pool_path = STR("/a"),
				 .reserved_memory = 0},
			 wish = good;
	wish.name = more;
	cloud_fails(c, &c->operator, engine_add_host, &wish, ERR_INVALID, KIND_HOST);
	wish.name = STR_NONE;
	cloud_fails(c, &c->operator, engine_add_host, &wish, ERR_INVALID, KIND_HOST);
	wish.name = STR("-a");
	cloud_fails(c, &c->operator, engine_add_host, &wish, ERR_INVALID, KIND_HOST);
	wish = good;
	wish.address = more;
	cloud_fails(c, &c->operator, engine_add_host, &wish, ERR_INVALID, KIND_HOST);
	wish.address = STR("a,b");
	cloud_fails(c, &c->operator, engine_add_host, &wish, ERR_INVALID, KIND_HOST);
	wish = good;
	wish.cpu = (struct str){words, 64};
	cloud_fails(c, &c->operator, engine_add_host, &wish, ERR_INVALID, KIND_HOST);
	wish = good;
	wish.uri = STR("no uri");
	cloud_fails(c, &c->operator, engine_add_host, &wish, ERR_INVALID, KIND_HOST);
	wish = good;
	wish.pool_path = STR("a");
	cloud_fails(c, &c->operator, engine_add_host, &wish, ERR_INVALID, KIND_HOST);
	wish = good;
	wish.overcommit_percent = -1;
	cloud_fails(c, &c->operator, engine_add_host, &wish, ERR_INVALID, KIND_HOST);
	wish = good;
	wish.reserved_memory = -2;
	cloud_fails(c, &c->operator, engine_add_host, &wish, ERR_INVALID, KIND_HOST);
	cloud_ok(c, &c->operator, engine_add_host, &good);
	const struct host *host = host_find(cloud_tables(c), good.host);
	assert_true(host->name.n == 255 && host->address.n == 255 && host->cpu.n == 63);
	assert_int_equal(host->reserved_memory, 0);
}

static void check_see(void **state)
{
	struct cloud *c = *state;
	const struct tables *t = cloud_tables(c);
	clock_advance_us(5 * SECOND);
	int64_t since_us = host_find(t, c->hosts[0])->seen_since_us;
	uint64_t commit = host_find(t, c->hosts[0])->row.commit;
	struct host_report report = {.host = c->hosts[0], .state = HOST_SEEN_STATE_UP};
	cloud_ok(c, NULL, engine_see_host, &report);
	assert_int_equal(host_find(t, c->hosts[0])->row.commit, commit); /* no news, no write */
	report.state = HOST_SEEN_STATE_DOWN;
	cloud_ok(c, NULL, engine_see_host, &report);
	const struct host *host = host_find(t, c->hosts[0]);
	assert_int_equal(host->seen_since_us, since_us + 5 * SECOND);
	assert_int_equal(host->seen_cpus, 8);
	assert_int_equal(host->row.gen, 1);
	report.host = uuid_random();
	cloud_ok(c, NULL, engine_see_host, &report);
}

static struct str guests_of(struct cloud *c, size_t n)
{
	return host_find(cloud_tables(c), c->hosts[n])->seen_guest_cpu;
}

static void tell_model(struct cloud *c, size_t n, const char *cpu, const char *named)
{
	struct host_report report = {.host = c->hosts[n],
				     .state = HOST_SEEN_STATE_UP,
				     .has_facts = true,
				     .virt = HOST_SEEN_VIRT_KVM,
				     .cpu = str_from(cpu),
				     .named_cpu = str_from(named)};
	cloud_ok(c, NULL, engine_see_host, &report);
}

/* Hosts with CPUs of one vendor form a group: added, changed and removed hosts change the CPU model of all
 * guests in the group. */
static void check_processors(void **state)
{
	struct cloud *c = *state;
	tell_model(c, 0, "New AMD aes avx avx2", "");
	assert_true(str_is(guests_of(c, 0), "New AMD aes avx avx2"));
	tell_model(c, 1, "Old AMD aes avx -avx2", "");
	assert_true(str_is(guests_of(c, 0), "Old AMD aes avx -avx2"));
	assert_true(str_is(guests_of(c, 1), "Old AMD aes avx -avx2"));
	tell_model(c, 2, "Other Intel aes vmx", "");
	assert_true(str_is(guests_of(c, 2), "Other Intel aes vmx"));
	assert_true(str_is(guests_of(c, 0), "Old AMD aes avx -avx2"));

	struct host_settings wish = {.host = ref_named(KIND_HOST, "h2"), .cpu = STR("host")};
	cloud_fails(c, &c->alice, engine_update_host, &wish, ERR_DENIED, KIND_HOST);
	cloud_ok(c, &c->operator, engine_update_host, &wish);
	assert_int_equal(guests_of(c, 1).n, 0);
	assert_true(str_is(guests_of(c, 0), "New AMD aes avx avx2"));
	wish.cpu = STR("Westmere");
	cloud_ok(c, &c->operator, engine_update_host, &wish);
	tell_model(c, 1, "Old AMD aes avx -avx2", "Westmere AMD aes");
	assert_true(str_is(guests_of(c, 1), "Westmere AMD aes"));
	wish.cpu = STR("region");
	cloud_ok(c, &c->operator, engine_update_host, &wish);
	assert_true(str_is(guests_of(c, 0), "Old AMD aes avx -avx2"));
	struct host_target gone = {.host = wish.host};
	cloud_ok(c, &c->operator, engine_remove_host, &gone);
	assert_true(str_is(guests_of(c, 0), "New AMD aes avx avx2"));

	wish = (struct host_settings){.host = ref_named(KIND_HOST, "h1"), .cpu = STR("<cpu>")};
	cloud_fails(c, &c->operator, engine_update_host, &wish, ERR_INVALID, KIND_HOST);
	wish = (struct host_settings){
		.host = ref_named(KIND_HOST, "h1"), .set_move_rate = true, .move_rate = -1};
	cloud_fails(c, &c->operator, engine_update_host, &wish, ERR_INVALID, KIND_HOST);
	wish.move_rate = 100;
	cloud_ok(c, &c->operator, engine_update_host, &wish);
	assert_int_equal(host_find(cloud_tables(c), c->hosts[0])->move_rate, 100);
}

static void check_maintenance(void **state)
{
	struct cloud *c = *state;
	int64_t now_us = clock_now_us();
	struct maintenance_wish wish = {.host = ref_named(KIND_HOST, "h1"), .from_us = now_us + HOUR};
	struct maintenance_target target = {.host = wish.host};
	cloud_fails(c, &c->alice, engine_plan_maintenance, &wish, ERR_DENIED, KIND_HOST);
	cloud_fails(c, &c->operator, engine_end_maintenance, &target, ERR_STATE, KIND_HOST);
	wish.end_us = wish.from_us;
	cloud_fails(c, &c->operator, engine_plan_maintenance, &wish, ERR_INVALID, KIND_HOST);
	wish.end_us = wish.from_us + HOUR;
	wish.deadline_us = now_us;
	cloud_fails(c, &c->operator, engine_plan_maintenance, &wish, ERR_INVALID, KIND_HOST);
	wish.deadline_us = wish.end_us;
	cloud_fails(c, &c->operator, engine_plan_maintenance, &wish, ERR_CONFLICT, KIND_HOST);
	wish.deadline_us = 0;
	char words[256];
	memset(words, 'a', sizeof words);
	wish.reason = (struct str){words, sizeof words};
	cloud_fails(c, &c->operator, engine_plan_maintenance, &wish, ERR_INVALID, KIND_HOST);
	wish.reason = STR("a new fan");
	assert_true(engine_is_host_open(host_find(cloud_tables(c), c->hosts[0])));
	cloud_ok(c, &c->operator, engine_plan_maintenance, &wish);
	const struct host *host = host_find(cloud_tables(c), c->hosts[0]);
	assert_true(!engine_is_host_open(host) && str_is(engine_host_reason(host), "a new fan"));
	assert_int_equal(host->maintenance_deadline_us, wish.from_us);
	struct host_settings opens = {.host = wish.host, .enabled = CHOICE_YES},
			     closes = {.host = wish.host, .enabled = CHOICE_NO, .reason = STR("a new disk")};
	cloud_fails(c, &c->operator, engine_update_host, &opens, ERR_STATE, KIND_HOST);
	cloud_ok(c, &c->operator, engine_update_host, &closes);
	cloud_fails(c, &c->operator, engine_update_host, &opens, ERR_STATE, KIND_HOST);
	wish.host = ref_named(KIND_HOST, "h99");
	cloud_fails(c, &c->operator, engine_plan_maintenance, &wish, ERR_NOT_FOUND, KIND_HOST);
	cloud_fails(c, &c->alice, engine_end_maintenance, &target, ERR_DENIED, KIND_HOST);
	cloud_ok(c, &c->operator, engine_end_maintenance, &target);
	host = host_find(cloud_tables(c), c->hosts[0]);
	assert_true(!engine_is_host_open(host) && str_is(engine_host_reason(host), "a new disk"));
	cloud_ok(c, &c->operator, engine_update_host, &opens);
	assert_true(engine_is_host_open(host_find(cloud_tables(c), c->hosts[0])));
}

static void check_remove(void **state)
{
	struct cloud *c = *state;
	struct host_settings closed = {
		.host = ref_named(KIND_HOST, "h3"), .enabled = CHOICE_NO, .reason = STR("a new fan")};
	cloud_ok(c, &c->operator, engine_update_host, &closed);
	assert_false(host_find(cloud_tables(c), c->hosts[2])->enabled);
	assert_true(str_is(host_find(cloud_tables(c), c->hosts[2])->disabled_reason, "a new fan"));
	struct host_target target = {.host = closed.host};
	cloud_fails(c, &c->alice, engine_remove_host, &target, ERR_DENIED, KIND_HOST);
	struct condition_wish condition = {
		.kind = KIND_HOST, .subject = c->hosts[2], .name = STR("HostDown")};
	cloud_ok(c, NULL, engine_set_condition, &condition);
	cloud_ok(c, &c->operator, engine_remove_host, &target);
	assert_null(host_find(cloud_tables(c), c->hosts[2]));
	assert_int_equal(tables_count(cloud_tables(c), KIND_CONDITION), 0);

	uuid instance = cloud_launch_one(c);
	const struct host *host = host_find(cloud_tables(c), cloud_instance(c, instance)->host);
	target.host = ref_to(c, KIND_HOST, host->row.id);
	cloud_fails(c, &c->operator, engine_remove_host, &target, ERR_IN_USE, KIND_HOST);
	struct host_usage use;
	engine_read_host_use(host, &use);
	assert_int_equal(use.instances, 1);
	assert_int_equal(use.vcpus, 2);
	assert_int_equal(use.memory, GIB);
	assert_int_equal(use.disk, 2 * GIB);
}

static void check_ranges(void **state)
{
	struct cloud *c = *state;
	struct address_range_wish wish = {.external_network = ref_named(KIND_EXTERNAL_NETWORK, "internet"),
					  .first = ip_of("198.51.100.19"),
					  .last = ip_of("198.51.100.30")};
	cloud_fails(c, &c->operator, engine_add_address_range, &wish, ERR_CONFLICT, KIND_ADDRESS_RANGE);
	wish.first = ip_of("198.51.100.5");
	wish.last = ip_of("198.51.100.6");
	cloud_fails(c, &c->operator, engine_add_address_range, &wish, ERR_CONFLICT, KIND_ADDRESS_RANGE);
	wish.first = ip_of("198.51.100.40");
	cloud_fails(c, &c->operator, engine_add_address_range, &wish, ERR_INVALID, KIND_ADDRESS_RANGE);
	wish.last = ip_of("198.51.100.41");
	cloud_fails(c, &c->alice, engine_add_address_range, &wish, ERR_DENIED, KIND_EXTERNAL_NETWORK);
	cloud_ok(c, &c->operator, engine_add_address_range, &wish);
	assert_int_equal(tables_count(cloud_tables(c), KIND_ADDRESS_RANGE), 2);
	wish.external_network = ref_named(KIND_EXTERNAL_NETWORK, "moon");
	cloud_fails(c, &c->operator, engine_add_address_range, &wish, ERR_NOT_FOUND, KIND_EXTERNAL_NETWORK);
}

static void check_external_networks(void **state)
{
	struct cloud *c = *state;
	struct external_network_wish wish = {.name = STR("internet"),
					     .physical_network = STR("p2"),
					     .next_hop = ip_of("203.0.113.1"),
					     .infra_first = ip_of("203.0.113.2"),
					     .infra_last = ip_of("203.0.113.9"),
					     .first = ip_of("203.0.113.9"),
					     .last = ip_of("203.0.113.20")};
	cloud_fails(c, &c->operator, engine_add_external_network, &wish, ERR_EXISTS, KIND_EXTERNAL_NETWORK);
	wish.name = STR("second");
	cloud_fails(c, &c->operator, engine_add_external_network, &wish, ERR_CONFLICT, KIND_ADDRESS_RANGE);
	wish.first = ip_of("203.0.113.10");
	cloud_fails(c, &c->bob, engine_add_external_network, &wish, ERR_DENIED, KIND_EXTERNAL_NETWORK);
	cloud_ok(c, &c->operator, engine_add_external_network, &wish);
	wish.name = STR("third");
	wish.infra_last = ip_of("203.0.113.1");
	cloud_fails(c, &c->operator, engine_add_external_network, &wish, ERR_INVALID, KIND_EXTERNAL_NETWORK);
	wish.next_hop = (struct ip){0};
	cloud_fails(c, &c->operator, engine_add_external_network, &wish, ERR_MISSING, KIND_EXTERNAL_NETWORK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(check_add, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_add_bounds, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_see, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_processors, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_maintenance, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_remove, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_ranges, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_external_networks, cloud_setup, cloud_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
