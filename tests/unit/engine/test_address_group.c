/* SPDX-License-Identifier: Apache-2.0
 * Address groups: their contents, and the rules that refer to them. */
#include "cloud.h"
#include "store/address_group.h"
#include "store/address_group_version.h"
#include "store/security_group_rule.h"

#include "base/clock.h"
#include "engine/network/filter/address_group.h"
#include "engine/network/filter/security_group.h"
#include "engine/tombstone.h"

static struct ref ref_of(enum kind kind, uuid id)
{
	return (struct ref){.kind = kind, .prefix = id, .bits = 128};
}

static uuid make(struct cloud *c, struct identity *who, const struct cidr *blocks, size_t count)
{
	struct address_group_wish wish = {.name = STR("office"), .addresses = {blocks, count}};
	cloud_ok(c, who, engine_create_address_group, &wish);
	return wish.group;
}

static size_t count_blocks(struct cloud *c, uuid group)
{
	return address_group_find(cloud_tables(c), group)->addresses.count;
}

static void check_addresses(void **state)
{
	struct cloud *c = *state;
	const struct cidr blocks[] = {cidr_of("10.1.2.3/8"), cidr_of("10.0.0.0/8"), cidr_of("2001:db8::/64")};
	const struct cidr other = cidr_of("192.0.2.0/24");
	uuid group = make(c, &c->alice, blocks, 3);
	assert_int_equal(count_blocks(c, group), 2); /* twice the same */
	struct address_group_change change = {.group = ref_of(KIND_ADDRESS_GROUP, group),
					      .addresses = {&other, 1}};
	cloud_ok(c, &c->alice, engine_change_address_group, &change);
	assert_int_equal(count_blocks(c, group), 3);
	cloud_fails(c, &c->alice, engine_change_address_group, &change, ERR_EXISTS, KIND_ADDRESS_GROUP);
	cloud_fails(c, &c->bob, engine_change_address_group, &change, ERR_NOT_FOUND, KIND_ADDRESS_GROUP);
	change.removes = true;
	cloud_ok(c, &c->alice, engine_change_address_group, &change);
	assert_int_equal(count_blocks(c, group), 2);
	cloud_fails(c, &c->alice, engine_change_address_group, &change, ERR_NOT_FOUND, KIND_ADDRESS_GROUP);
}

static void check_limits(void **state)
{
	struct cloud *c = *state;
	struct cidr blocks[ADDRESS_GROUP_BLOCKS_MAX + 1];
	for (size_t k = 0; k <= ADDRESS_GROUP_BLOCKS_MAX; k++)
		blocks[k] = (struct cidr){ip_add(cidr_of("10.0.0.0/32").base, k), 32};
	struct address_group_wish wish = {.addresses = {blocks, ADDRESS_GROUP_BLOCKS_MAX + 1}};
	cloud_fails(c, &c->alice, engine_create_address_group, &wish, ERR_QUOTA, KIND_ADDRESS_GROUP);
	struct address_group_change change = {
		.group = ref_of(KIND_ADDRESS_GROUP, make(c, &c->alice, blocks, ADDRESS_GROUP_BLOCKS_MAX)),
		.addresses = {&blocks[ADDRESS_GROUP_BLOCKS_MAX], 1}};
	cloud_fails(c, &c->alice, engine_change_address_group, &change, ERR_QUOTA, KIND_ADDRESS_GROUP);
	for (int k = 1; k < ADDRESS_GROUPS_OF_ACCOUNT_MAX; k++)
		make(c, &c->alice, blocks, 1);
	struct address_group_wish more = {0};
	cloud_fails(c, &c->alice, engine_create_address_group, &more, ERR_QUOTA, KIND_ADDRESS_GROUP);
	make(c, &c->bob, blocks, 1);
}

static void check_rules(void **state)
{
	struct cloud *c = *state;
	const struct cidr block = cidr_of("192.0.2.0/24");
	struct security_group_wish group = {.name = STR("web"), .description = STR("w")};
	cloud_ok(c, &c->alice, engine_create_security_group, &group);
	struct ref ref = ref_of(KIND_ADDRESS_GROUP, make(c, &c->alice, &block, 1));
	struct rule_wish rule = {.protocol = 6, .from_port = 80, .to_port = 80, .peer_addresses = ref};
	struct rules_wish wish = {
		.group = ref_of(KIND_SECURITY_GROUP, group.group), .rules = &rule, .rule_count = 1};
	rule.peer_block = block;
	cloud_fails(c, &c->alice, engine_authorize_rules, &wish, ERR_COMBINATION, KIND_SECURITY_GROUP_RULE);
	rule.peer_block = (struct cidr){0};
	cloud_ok(c, &c->alice, engine_authorize_rules, &wish);
	cloud_fails(c, &c->alice, engine_authorize_rules, &wish, ERR_EXISTS, KIND_SECURITY_GROUP_RULE);
	rule.is_ipv6 = true; /* another family is another rule */
	cloud_ok(c, &c->alice, engine_authorize_rules, &wish);
	cloud_ok(c, &c->alice, engine_revoke_rules, &wish);
	rule.peer_addresses = ref_of(KIND_ADDRESS_GROUP, make(c, &c->bob, &block, 1));
	cloud_fails(c, &c->alice, engine_authorize_rules, &wish, ERR_NOT_FOUND, KIND_ADDRESS_GROUP);
	struct address_group_target target = {ref};
	cloud_fails(c, &c->alice, engine_delete_address_group, &target, ERR_IN_USE, KIND_ADDRESS_GROUP);
	rule = (struct rule_wish){.protocol = 6, .from_port = 80, .to_port = 80, .peer_addresses = ref};
	cloud_ok(c, &c->alice, engine_revoke_rules, &wish);
	cloud_ok(c, &c->alice, engine_delete_address_group, &target);
	assert_null(security_group_rule_first_by_peer_address_group(cloud_tables(c), ref.prefix));
}

/* An earlier version can be restored as a new one; the oldest of many versions are deleted. */
static void check_versions(void **state)
{
	struct cloud *c = *state;
	const struct cidr block = cidr_of("192.0.2.0/24"), other = cidr_of("198.51.100.0/24"),
			  six = cidr_of("2001:db8::/64");
	const struct str note = STR("here");
	struct address_group_wish wish = {.addresses = {&block, 1},
					  .notes = {&note, 1},
					  .family = ADDRESS_GROUP_FAMILY_IPV4,
					  .max_blocks = 2};
	cloud_ok(c, &c->alice, engine_create_address_group, &wish);
	struct ref ref = ref_of(KIND_ADDRESS_GROUP, wish.group);
	struct address_group_edit edit = {
		.group = ref, .current_version = 1, .added = {&other, 1}, .removed = {&block, 1}};
	cloud_fails(c, &c->bob, engine_edit_address_group, &edit, ERR_NOT_FOUND, KIND_ADDRESS_GROUP);
	cloud_ok(c, &c->alice, engine_edit_address_group, &edit);
	cloud_fails(c, &c->alice, engine_edit_address_group, &edit, ERR_CONFLICT, KIND_ADDRESS_GROUP);
	const struct address_group *group = address_group_find(cloud_tables(c), wish.group);
	assert_int_equal(group->version, 2);
	assert_true(cidr_equal(group->addresses.at[0], other) && group->notes.count == 0);
	edit = (struct address_group_edit){.group = ref, .added = {&six, 1}};
	cloud_fails(c, &c->alice, engine_edit_address_group, &edit, ERR_INVALID, KIND_ADDRESS_GROUP);
	edit = (struct address_group_edit){.group = ref, .restored = 7};
	cloud_fails(c, &c->alice, engine_edit_address_group, &edit, ERR_NOT_FOUND,
		    KIND_ADDRESS_GROUP_VERSION);
	edit.restored = 1;
	cloud_ok(c, &c->alice, engine_edit_address_group, &edit);
	group = address_group_find(cloud_tables(c), wish.group);
	assert_int_equal(group->version, 3);
	assert_true(cidr_equal(group->addresses.at[0], block) && str_is(group->notes.at[0], "here"));
	for (int64_t k = 0; k < ADDRESS_GROUP_VERSIONS_MAX; k++) {
		edit.restored = k + 2;
		cloud_ok(c, &c->alice, engine_edit_address_group, &edit);
	}
	edit.restored = 2;
	cloud_fails(c, &c->alice, engine_edit_address_group, &edit, ERR_NOT_FOUND,
		    KIND_ADDRESS_GROUP_VERSION);
	struct address_group_target target = {.group = ref};
	cloud_ok(c, &c->alice, engine_delete_address_group, &target);
	assert_null(address_group_version_first_by_group(cloud_tables(c), wish.group));
}

/* EC2's rules are of the family of the list's blocks. */
static void check_families(void **state)
{
	struct cloud *c = *state;
	const struct cidr six = cidr_of("2001:db8::/64");
	struct security_group_wish group = {.name = STR("web"), .description = STR("w")};
	cloud_ok(c, &c->alice, engine_create_security_group, &group);
	struct rule_wish rule = {.protocol = -1,
				 .peer_addresses = ref_of(KIND_ADDRESS_GROUP, make(c, &c->alice, &six, 1)),
				 .is_of_their_family = true};
	struct rules_wish wish = {
		.group = ref_of(KIND_SECURITY_GROUP, group.group), .rules = &rule, .rule_count = 1};
	cloud_ok(c, &c->alice, engine_authorize_rules, &wish);
	assert_true(security_group_rule_find(cloud_tables(c), wish.made.at[0])->is_ipv6);
	cloud_ok(c, &c->alice, engine_revoke_rules, &wish);
}

/* The newest deleted groups are listed until their retention ends. */
static void check_ended(void **state)
{
	struct cloud *c = *state;
	const struct cidr four = cidr_of("192.0.2.0/24");
	for (int k = 0; k < TOMBSTONES_LISTED_MAX + 2; k++) {
		struct address_group_target target = {
			.group = ref_of(KIND_ADDRESS_GROUP, make(c, &c->alice, &four, 1))};
		cloud_ok(c, &c->alice, engine_delete_address_group, &target);
		assert_false(row_is_live(&address_group_find(cloud_tables(c), target.deleted)->row));
		cloud_fails(c, &c->alice, engine_delete_address_group, &target, ERR_NOT_FOUND,
			    KIND_ADDRESS_GROUP);
	}
	assert_int_equal(tables_count(cloud_tables(c), KIND_ADDRESS_GROUP), TOMBSTONES_LISTED_MAX);
	struct tombstone ended = {KIND_ADDRESS_GROUP,
				  address_group_first_by_account(cloud_tables(c), c->alice.account)->row.id};
	cloud_fails(c, NULL, engine_forget_tombstone, &ended, ERR_STATE, KIND_ADDRESS_GROUP);
	clock_set_us(clock_now_us() + ENDED_LISTED_US);
	cloud_ok(c, NULL, engine_forget_tombstone, &ended);
	cloud_ok(c, NULL, engine_forget_tombstone, &ended);
	assert_null(address_group_find(cloud_tables(c), ended.id));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(check_addresses, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_limits, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_versions, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_families, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_ended, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_rules, cloud_setup, cloud_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
