/* SPDX-License-Identifier: Apache-2.0
 * Division of a file system's free space, and of the rest of an account's limit. */
#include "test_base.h"

#include "base/disk_room.h"

static struct disk_share share_of(const struct disk_payer *payer)
{
	return (struct disk_share){.payer = payer ? *payer : (struct disk_payer){0}};
}

static void expect(struct ctx *c, struct result result, enum err err)
{
	assert_int_equal(result.code, err);
	ctx_clear_problem(c);
}

/* Writers of one account share what its limit leaves; others and the region are not held to it. */
static void test_payers(void **state)
{
	struct ctx *c = *state;
	const struct disk_payer ann = {1000, uuid_random(), 7}, bob = {1000, uuid_random(), 7};
	struct disk_share first = share_of(&ann), second = share_of(&ann), third = share_of(&bob),
			  fourth = share_of(NULL);
	assert_ok(disk_share_take(&first, c, ".", 600));
	struct result over = disk_share_take(&second, c, ".", 500);
	assert_int_equal(c->problem.kind, 7);
	expect(c, over, ERR_QUOTA);
	assert_ok(disk_share_take(&second, c, ".", 400));
	assert_int_equal(disk_room_left_for(&ann), 0);
	assert_ok(disk_share_take(&third, c, ".", 1000));
	assert_ok(disk_share_take(&fourth, c, ".", 5000));
	disk_share_use(&first, 600); /* written, and in no row yet: it counts */
	expect(c, disk_room_check_for(c, &ann, ".", 1), ERR_QUOTA);
	disk_share_end(&first);
	assert_int_equal(disk_room_left_for(&ann), 600);
	assert_ok(disk_room_check_for(c, &ann, ".", 600));
	disk_share_end(&second);
	disk_share_end(&third);
	disk_share_end(&fourth);
	assert_int_equal(disk_room_left_for(&ann), 1000);
	assert_true(disk_room_left_for(NULL) == INT64_MAX);
}

/* An upload grows its share piece by piece. */
static void test_growing(void **state)
{
	struct ctx *c = *state;
	const struct disk_payer ann = {1000, uuid_random(), 0};
	struct disk_share share = share_of(&ann);
	for (int k = 0; k < 10; k++) {
		assert_ok(disk_share_take(&share, c, ".", 100));
		disk_share_use(&share, 100);
	}
	expect(c, disk_share_take(&share, c, ".", 1), ERR_QUOTA);
	disk_share_end(&share);
	disk_share_end(&share); /* harmless */
	assert_int_equal(disk_room_left_for(&ann), 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {ctx_test(test_payers), ctx_test(test_growing)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
