/* SPDX-License-Identifier: Apache-2.0
 * Keys of EC2 Instance Connect: whose they are, when they expire, and how many there may be. */
#include "cloud.h"

#include "engine/instance/connect_key.h"

static uuid numbered(uint8_t number)
{
	return (uuid){{[0] = number, [15] = number}};
}

static struct result add(struct cloud *c, struct connect_keys *keys, uint8_t account, uint8_t instance,
			 const char *user)
{
	const struct connect_key key = {.user = str_from(user),
					.line = STR("ssh-ed25519 AAAA"),
					.until_us = clock_now_us() + CONNECT_KEY_LIFE_US};
	return connect_keys_add(keys, &c->c, numbered(account), numbered(instance), &key);
}

static struct connect_key_list list(struct cloud *c, struct connect_keys *keys, uint8_t instance)
{
	struct connect_key_list found = {0};
	assert_true(result_is_ok(connect_keys_list(keys, c->c.arena, numbered(instance), &found)));
	return found;
}

static void keys_are_listed_for_their_instance_until_they_expire(void **state)
{
	struct cloud *c = *state;
	struct connect_keys *keys = connect_keys_new();
	int64_t start_us = clock_now_us();
	clock_set_us(start_us);
	assert_true(result_is_ok(add(c, keys, 1, 1, "root")));
	clock_set_us(start_us + CONNECT_KEY_LIFE_US / 2);
	assert_true(result_is_ok(add(c, keys, 1, 1, "admin")));
	assert_true(result_is_ok(add(c, keys, 1, 2, "other")));
	struct connect_key_list found = list(c, keys, 1);
	assert_int_equal(found.count, 2);
	assert_true(str_is(found.at[0].user, "admin") && str_is(found.at[1].user, "root"));
	clock_set_us(start_us + CONNECT_KEY_LIFE_US);
	found = list(c, keys, 1);
	assert_int_equal(found.count, 1);
	assert_true(str_is(found.at[0].user, "admin"));
	clock_set_us(start_us + 2 * CONNECT_KEY_LIFE_US);
	assert_int_equal(list(c, keys, 1).count, 0);
	assert_int_equal(list(c, keys, 2).count, 0);
	assert_int_equal(list(c, NULL, 1).count, 0);
	connect_keys_free(keys);
}

static void an_account_has_its_share_and_the_region_an_end(void **state)
{
	enum { ACCOUNTS = CONNECT_KEYS_MAX / CONNECT_SHARE };
	struct cloud *c = *state;
	struct connect_keys *keys = connect_keys_new();
	int64_t start_us = clock_now_us();
	clock_set_us(start_us);
	for (uint8_t account = 1; account <= ACCOUNTS; account++) {
		for (int k = 0; k < CONNECT_SHARE; k++)
			assert_true(result_is_ok(add(c, keys, account, account, "root")));
		assert_int_equal(add(c, keys, account, account, "root").code, ERR_THROTTLED);
	}
	assert_int_equal(add(c, keys, ACCOUNTS + 1, 1, "root").code, ERR_THROTTLED);
	clock_set_us(start_us + CONNECT_KEY_LIFE_US);
	assert_true(result_is_ok(add(c, keys, ACCOUNTS + 1, 1, "root")));
	assert_int_equal(list(c, keys, 1).count, 1);
	connect_keys_free(keys);
}

#define in_a_cloud(test) cmocka_unit_test_setup_teardown(test, cloud_setup, cloud_teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {
		in_a_cloud(keys_are_listed_for_their_instance_until_they_expire),
		in_a_cloud(an_account_has_its_share_and_the_region_an_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
