/* SPDX-License-Identifier: Apache-2.0
 * One-time values: kept until they expire, up to a limit. */
#include "../base/test_base.h"

#include "auth/token/replay_cache.h"
#include "base/clock.h"

#define NOW_US (INT64_C(1800000000) * SECOND)

static int setup(void **state)
{
	clock_set_us(NOW_US);
	*state = replay_cache_new();
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	replay_cache_free(*state);
	clock_set_us(0);
	return 0;
}

static void test_once(void **state)
{
	struct replay_cache *s = *state;
	assert_true(replay_cache_take(s, STR("one"), NOW_US + SECOND));
	assert_true(replay_cache_take(s, STR("two"), NOW_US + MINUTE));
	assert_false(replay_cache_take(s, STR("one"), NOW_US + MINUTE));
	clock_advance_us(SECOND);
	assert_true(replay_cache_take(s, STR("one"),
				      NOW_US + MINUTE)); /* whoever asks has refused it for its age before */
	assert_false(replay_cache_take(s, STR("two"), NOW_US + MINUTE));
}

static void test_the_first_to_end_is_forgotten(void **state)
{
	struct replay_cache *s = *state;
	char text[16];
	for (int k = 0; k < REPLAY_CACHE_SIZE; k++) {
		(void) snprintf(text, sizeof text, "%d", k);
		assert_true(replay_cache_take(s, str_from(text), NOW_US + MINUTE + k));
	}
	assert_false(replay_cache_take(s, STR("0"), NOW_US + HOUR));
	assert_true(replay_cache_take(s, STR("one more"), NOW_US + HOUR));
	assert_true(replay_cache_take(s, STR("0"), NOW_US + HOUR));
	assert_true(replay_cache_take(s, STR("1"), NOW_US + HOUR)); /* which "0" has taken the place of */
	assert_false(replay_cache_take(s, STR("9"), NOW_US + HOUR));
	assert_false(replay_cache_take(s, STR("one more"), NOW_US + HOUR));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {TEST(test_once), TEST(test_the_first_to_end_is_forgotten)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
