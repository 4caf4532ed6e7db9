/* SPDX-License-Identifier: Apache-2.0
 * Blocks of public addresses: their share of an external network, allocations from them, and their
 * release. */
#include "base/random.h"
#include "cloud.h"
#include "engine/capacity.h"
#include "engine/network/address/address_prefix.h"
#include "engine/virtual/source_nat.h"
#include "store/account.h"
#include "store/address.h"
#include "store/address_prefix.h"
#include "store/external_network.h"

static uuid make(struct cloud *c, const struct identity *who, int64_t bits)
{
	struct address_prefix_wish wish = {.name = STR("block"), .bits = bits};
	cloud_ok(c, who, engine_create_address_prefix, &wish);
	return wish.prefix;
}

static struct cidr block_of(struct cloud *c, uuid prefix)
{
	return address_prefix_find(cloud_tables(c), prefix)->block;
}

static struct address_wish draw_from(struct cloud *c, uuid prefix)
{
	return (struct address_wish){.prefix = ref_to(c, KIND_ADDRESS_PREFIX, prefix)};
}

static void release(struct cloud *c, uuid address)
{
	struct address_target target = {.address = ref_to(c, KIND_ADDRESS, address)};
	cloud_ok(c, &c->alice, engine_release_address, &target);
}

static void forget(struct cloud *c, uuid address)
{
	struct address_report report = {.address = address};
	cloud_ok(c, NULL, engine_forget_address, &report);
}

static int64_t count_taken(struct cloud *c)
{
	struct capacity_use use;
	engine_read_capacity(cloud_tables(c), CAPACITY_PUBLIC_ADDRESSES,
			     &external_network_first(cloud_tables(c))->row, &use);
	return use.used;
}

static int64_t count_of_alice(struct cloud *c)
{
	return account_usage(account_find(cloud_tables(c), c->alice.account))->addresses;
}

/* Prefixes are taken from the ten addresses from .10. */
static void check_keeps_out(void **state)
{
	struct cloud *c = *state;
	int64_t before = count_taken(c);
	uuid prefix = make(c, &c->alice, 30);
	struct cidr block = block_of(c, prefix);
	assert_true(ip_equal(block.base, ip_of("198.51.100.12")) && block.bits == 30);
	assert_int_equal(count_taken(c), before + 4);
	assert_int_equal(count_of_alice(c), 4);
	assert_int_equal(cloud_usage(c, prefix, "address:idle"), 4);
	struct address_wish wish = {.ip = ip_of("198.51.100.13")};
	cloud_fails(c, &c->alice, engine_allocate_address, &wish, ERR_EXISTS, KIND_ADDRESS);
	for (int n = 0; n < 6; n++) {
		wish = (struct address_wish){0};
		cloud_ok(c, &c->bob, engine_allocate_address, &wish);
		assert_false(cidr_contains(block, wish.made_ip));
	}
	wish = (struct address_wish){0};
	cloud_fails(c, &c->bob, engine_allocate_address, &wish, ERR_CAPACITY, KIND_ADDRESS);
}

static void check_draw(void **state)
{
	struct cloud *c = *state;
	uuid prefix = make(c, &c->alice, 30);
	int64_t taken = count_taken(c);
	struct address_wish wish = draw_from(c, prefix);
	cloud_fails(c, &c->bob, engine_allocate_address, &wish, ERR_NOT_FOUND, KIND_ADDRESS_PREFIX);
	cloud_ok(c, &c->alice, engine_allocate_address, &wish);
	uuid first = wish.address;
	assert_true(ip_equal(wish.made_ip, ip_of("198.51.100.12")));
	assert_int_equal(cloud_usage(c, prefix, "address:idle"), 3);
	assert_int_equal(cloud_usage(c, first, "address:idle"), 1);
	assert_int_equal(count_taken(c), taken);
	assert_int_equal(count_of_alice(c), 4);
	wish = draw_from(c, prefix);
	wish.ip = ip_of("198.51.100.16");
	cloud_fails(c, &c->alice, engine_allocate_address, &wish, ERR_RANGE, KIND_ADDRESS_PREFIX);
	wish.ip = ip_of("198.51.100.12");
	cloud_fails(c, &c->alice, engine_allocate_address, &wish, ERR_EXISTS, KIND_ADDRESS_PREFIX);
	wish.ip = ip_of("198.51.100.15");
	cloud_ok(c, &c->alice, engine_allocate_address, &wish);
	for (int n = 0; n < 2; n++) {
		wish = draw_from(c, prefix);
		cloud_ok(c, &c->alice, engine_allocate_address, &wish);
	}
	assert_int_equal(cloud_usage(c, prefix, "address:idle"), 0);
	wish = draw_from(c, prefix);
	cloud_fails(c, &c->alice, engine_allocate_address, &wish, ERR_CAPACITY, KIND_ADDRESS_PREFIX);
	release(c, first); /* returned to the block once the network has removed it */
	assert_int_equal(cloud_usage(c, prefix, "address:idle"), 1);
	cloud_fails(c, &c->alice, engine_allocate_address, &wish, ERR_CAPACITY, KIND_ADDRESS_PREFIX);
	forget(c, first);
	assert_int_equal(count_taken(c), taken);
	cloud_ok(c, &c->alice, engine_allocate_address, &wish);
	assert_true(ip_equal(wish.made_ip, ip_of("198.51.100.12")));
}

static void check_limits(void **state)
{
	struct cloud *c = *state;
	struct address_prefix_wish wish = {.name = STR("block"), .bits = 27};
	cloud_fails(c, &c->alice, engine_create_address_prefix, &wish, ERR_RANGE, KIND_ADDRESS_PREFIX);
	wish.bits = 32;
	cloud_fails(c, &c->alice, engine_create_address_prefix, &wish, ERR_RANGE, KIND_ADDRESS_PREFIX);
	wish.bits = 28;
	cloud_fails(c, &c->alice, engine_create_address_prefix, &wish, ERR_CAPACITY, KIND_ADDRESS_PREFIX);
	struct account_limits limits =
		account_limits_all(ref_named(KIND_ACCOUNT, "alice"), ACCOUNT_LIMIT_KEEP);
	limits.addresses = 5;
	cloud_ok(c, &c->operator, engine_set_limits, &limits);
	uuid prefix = make(c, &c->alice, 30);
	wish.bits = 31;
	cloud_fails(c, &c->alice, engine_create_address_prefix, &wish, ERR_QUOTA, KIND_ADDRESS);
	struct address_wish one = {0};
	cloud_ok(c, &c->alice, engine_allocate_address, &one);
	one = (struct address_wish){0};
	cloud_fails(c, &c->alice, engine_allocate_address, &one, ERR_QUOTA, KIND_ADDRESS);
	one = draw_from(c, prefix); /* is paid for already */
	cloud_ok(c, &c->alice, engine_allocate_address, &one);
}

static void check_delete(void **state)
{
	struct cloud *c = *state;
	int64_t before = count_taken(c);
	uuid prefix = make(c, &c->alice, 31);
	struct cidr block = block_of(c, prefix);
	struct address_wish wish = draw_from(c, prefix);
	cloud_ok(c, &c->alice, engine_allocate_address, &wish);
	struct address_prefix_target target = {.prefix = ref_to(c, KIND_ADDRESS_PREFIX, prefix)};
	cloud_fails(c, &c->bob, engine_delete_address_prefix, &target, ERR_NOT_FOUND, KIND_ADDRESS_PREFIX);
	cloud_fails(c, &c->alice, engine_delete_address_prefix, &target, ERR_IN_USE, KIND_ADDRESS_PREFIX);
	release(c, wish.address);
	cloud_ok(c, &c->alice, engine_delete_address_prefix, &target);
	assert_int_equal(cloud_usage(c, prefix, "address:idle"), 0);
	assert_int_equal(count_of_alice(c), 0);
	assert_int_equal(count_taken(c), before + 2); /* the network has one still */
	struct address_wish again = {.ip = ip_add(block.base, 1)};
	cloud_fails(c, &c->bob, engine_allocate_address, &again, ERR_EXISTS, KIND_ADDRESS);
	cloud_fails(c, &c->alice, engine_delete_address_prefix, &target, ERR_NOT_FOUND, KIND_ADDRESS_PREFIX);
	forget(c, wish.address);
	assert_null(address_prefix_find(cloud_tables(c), prefix));
	assert_int_equal(count_taken(c), before);
	cloud_ok(c, &c->bob, engine_allocate_address, &again);
	prefix = make(c, &c->alice, 31); /* one that nothing was drawn from goes at once */
	target.prefix = ref_to(c, KIND_ADDRESS_PREFIX, prefix);
	cloud_ok(c, &c->alice, engine_delete_address_prefix, &target);
	assert_null(address_prefix_find(cloud_tables(c), prefix));
}

/* All of its addresses are the source NAT's, which has no others' and not more than it may. */
static void check_source_nat(void **state)
{
	struct cloud *c = *state;
	uuid prefix = make(c, &c->alice, 30);
	const struct ref ref = ref_to(c, KIND_ADDRESS_PREFIX, prefix);
	struct source_nat_wish wish = {.name = STR("out"), .prefixes = {&ref, 1}};
	struct address_wish drawn = draw_from(c, prefix);
	cloud_ok(c, &c->alice, engine_allocate_address, &drawn);
	cloud_fails(c, &c->alice, engine_put_source_nat, &wish, ERR_CONFLICT, KIND_ADDRESS_PREFIX);
	assert_true(uuid_is_none(address_prefix_find(cloud_tables(c), prefix)->source_nat));
	release(c, drawn.address); /* the network has it still */
	cloud_fails(c, &c->alice, engine_put_source_nat, &wish, ERR_CONFLICT, KIND_ADDRESS_PREFIX);
	forget(c, drawn.address);
	int64_t taken = count_taken(c);
	cloud_fails(c, &c->bob, engine_put_source_nat, &wish, ERR_NOT_FOUND, KIND_ADDRESS_PREFIX);
	cloud_ok(c, &c->alice, engine_put_source_nat, &wish);
	size_t count = 0;
	const struct address *a = address_first_by_source_nat(cloud_tables(c), wish.made);
	for (; a; a = address_next_by_source_nat(cloud_tables(c), a)) {
		assert_false(a->is_elastic);
		count++;
	}
	assert_int_equal(count, 4);
	assert_int_equal(cloud_usage(c, prefix, "address:idle"), 4);
	assert_int_equal(count_taken(c), taken);
	assert_int_equal(count_of_alice(c), 4);
	cloud_fails(c, &c->alice, engine_allocate_address, &drawn, ERR_CAPACITY, KIND_ADDRESS_PREFIX);
	struct address_prefix_target target = {.prefix = ref};
	cloud_fails(c, &c->alice, engine_delete_address_prefix, &target, ERR_IN_USE, KIND_ADDRESS_PREFIX);
	struct source_nat_wish other = {.name = STR("other"), .prefixes = wish.prefixes};
	cloud_fails(c, &c->alice, engine_put_source_nat, &other, ERR_CONFLICT, KIND_ADDRESS_PREFIX);
	wish.source_nat = ref_to(c, KIND_SOURCE_NAT, wish.made);
	uint64_t gen = address_prefix_find(cloud_tables(c), prefix)->row.gen;
	cloud_ok(c, &c->alice, engine_put_source_nat, &wish); /* again: the same */
	assert_int_equal(address_prefix_find(cloud_tables(c), prefix)->row.gen, gen);
	struct source_nat_target end = {.source_nat = wish.source_nat};
	cloud_ok(c, &c->alice, engine_delete_source_nat, &end);
	assert_int_equal(count_taken(c), taken);
	cloud_ok(c, &c->alice, engine_delete_address_prefix, &target);
	while ((a = address_first_by_prefix(cloud_tables(c), prefix)))
		forget(c, a->row.id);
	assert_null(address_prefix_find(cloud_tables(c), prefix));
	assert_int_equal(count_taken(c), taken - 4);
}

static void check_source_nat_is_full(void **state)
{
	struct cloud *c = *state;
	uuid prefix = make(c, &c->alice, 31);
	struct ref refs[9];
	for (size_t k = 0; k < 9; k++)
		refs[k] = ref_to(c, KIND_ADDRESS_PREFIX, prefix);
	struct source_nat_wish wish = {.name = STR("out"), .prefixes = {refs, 9}};
	cloud_fails(c, &c->alice, engine_put_source_nat, &wish, ERR_QUOTA, KIND_SOURCE_NAT);
}

/* ---- random allocations and releases ---- */

static void check_apart(struct cloud *c)
{
	const struct tables *t = cloud_tables(c);
	int64_t count = 0;
	for (const struct address_prefix *p = address_prefix_first(t); p; p = address_prefix_next(t, p)) {
		assert_true(ip_compare(p->block.base, ip_of("198.51.100.10")) >= 0);
		assert_true(ip_compare(cidr_last(p->block), ip_of("198.51.100.19")) <= 0);
		count += (int64_t) cidr_count(p->block);
		for (const struct address_prefix *q = address_prefix_next(t, p); q;
		     q = address_prefix_next(t, q))
			assert_false(cidr_contains(p->block, q->block.base) ||
				     cidr_contains(q->block, p->block.base));
		for (const struct address *a = address_first(t); a; a = address_next(t, a))
			assert_int_equal(cidr_contains(p->block, a->ip), uuid_equal(a->prefix, p->row.id));
	}
	for (const struct address *a = address_first(t); a; a = address_next(t, a))
		count += uuid_is_none(a->prefix);
	assert_int_equal(count_taken(c), count);
}

static RESULT try_any(struct cloud *c)
{
	const struct tables *t = cloud_tables(c);
	struct address_prefix_wish make_wish = {.name = STR("block"), .bits = 29 + (int64_t) random_below(3)};
	const struct address_prefix *p = address_prefix_first(t);
	const struct address *a = address_first(t);
	for (uint64_t n = random_below(4); n > 0 && a && address_next(t, a); n--)
		a = address_next(t, a);
	for (uint64_t n = random_below(4); n > 0 && p && address_prefix_next(t, p); n--)
		p = address_prefix_next(t, p);
	struct address_wish wish = {0};
	struct address_target leave = {.address = ref_to(c, KIND_ADDRESS, a ? a->row.id : UUID_NONE)};
	struct address_report report = {.address = leave.address.prefix};
	struct address_prefix_target gone = {
		.prefix = ref_to(c, KIND_ADDRESS_PREFIX, p ? p->row.id : UUID_NONE)};
	switch (random_below(8)) {
	case 0:
	case 1:
		return cloud_run(c, &c->alice, engine_create_address_prefix_run, &make_wish);
	case 5:
		wish.prefix = gone.prefix;
		return cloud_run(c, &c->alice, engine_allocate_address_run, &wish);
	case 2:
		return cloud_run(c, &c->alice, engine_allocate_address_run, &wish);
	case 3:
		return cloud_run(c, &c->alice, engine_release_address_run, &leave);
	case 4:
		return cloud_run(c, NULL, engine_forget_address_run, &report);
	default:
		return cloud_run(c, &c->alice, engine_delete_address_prefix_run, &gone);
	}
}

static void check_histories(void **state)
{
	struct cloud *c = *state;
	size_t most = 0;
	for (int n = 0; n < 1000; n++) {
		struct result result = try_any(c);
		assert_true(result_is_ok(result) || result.code != ERR_INTERNAL);
		check_apart(c);
		size_t count = tables_count(cloud_tables(c), KIND_ADDRESS_PREFIX);
		most = count > most ? count : most;
	}
	assert_true(most >= 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(check_keeps_out, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_draw, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_limits, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_delete, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_source_nat, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_source_nat_is_full, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_histories, cloud_setup, cloud_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
