/* SPDX-License-Identifier: Apache-2.0
 * Tests of drivers/disk.h for directories shared by several hosts; disk_contract.c runs its own tests there,
 * too. */
#include "compute_contract.h"

#define MIB (INT64_C(1) << 20)

static struct disk_mark mark_of(const char *host, const char *word)
{
	struct disk_mark mark = {.word = str_from(word)};
	assert_true(result_is_ok(uuid_parse(str_from(host), &mark.host)));
	return mark;
}

static size_t count_marks(struct scene *s, const struct disk_mark *own, const char *kept_word,
			  const struct disk_mark *looked_for)
{
	struct disk_marks marks = {0};
	size_t count = 0;
	EXPECT_SOON(s, subject.disks->prove(s->pool, &s->c, own, str_from(kept_word), &marks));
	assert_true(marks.size > 0 && marks.free > 0);
	for (size_t k = 0; k < marks.count; k++)
		count += uuid_equal(marks.at[k].host, looked_for->host) &&
			 str_equal(marks.at[k].word, looked_for->word);
	return count;
}

/* A host's new mark replaces its old ones, except for the kept one. Other hosts' marks stay, and no mark is
 * listed as a disk. */
static void test_marks(void **state)
{
	static const char one[] = "11111111-2222-4333-8444-555555555555",
			  two[] = "99999999-2222-4333-8444-555555555555";
	(void) state;
	struct scene s = scene_open();
	struct disk_mark first = mark_of(one, "aa01"), second = mark_of(one, "aa02"),
			 third = mark_of(one, "aa03"), other = mark_of(two, "bb01");
	struct disk_inventory before = {0}, after = {0};
	EXPECT(&s, ERR_NONE, subject.disks->list(s.pool, &s.c, &before));
	assert_int_equal(count_marks(&s, &first, "", &first), 1);
	assert_int_equal(count_marks(&s, &first, "", &first), 1);
	assert_int_equal(count_marks(&s, &other, "", &first), 1);
	assert_int_equal(count_marks(&s, &second, "aa01", &first), 1);
	scene_reopen(&s);
	assert_int_equal(count_marks(&s, &third, "aa02", &first), 0);
	assert_int_equal(count_marks(&s, &third, "aa02", &second), 1);
	assert_int_equal(count_marks(&s, &third, "aa02", &other), 1);
	assert_int_equal(count_marks(&s, &third, "", &second), 0);
	EXPECT(&s, ERR_NONE, subject.disks->list(s.pool, &s.c, &after));
	assert_int_equal(after.count, before.count);
	scene_close(&s);
}

/* A connection's directories are separate: a disk in one is not found in another. */
static void test_apart(void **state)
{
	(void) state;
	struct scene s = scene_open();
	uuid volume = s.files[1].volume;
	scene_make_disk(&s, &s.files[1]);
	EXPECT(&s, ERR_NONE, subject.disks->enter(s.pool, &s.c, STR_NONE));
	assert_null(scene_find_disk(&s, DISK_VOLUME, volume));
	scene_delete_disk(&s, volume); /* absent */
	s.files[1].size = 16 * MIB;
	assert_int_equal(scene_make_disk(&s, &s.files[1]), 16 * MIB);
	EXPECT(&s, ERR_NONE, subject.disks->enter(s.pool, &s.c, subject.directory));
	assert_int_equal(scene_find_disk(&s, DISK_VOLUME, volume)->size, 8 * MIB);
	scene_delete_disk(&s, volume);
	EXPECT(&s, ERR_NONE, subject.disks->enter(s.pool, &s.c, STR_NONE));
	assert_non_null(scene_find_disk(&s, DISK_VOLUME, volume));
	scene_delete_disk(&s, volume);
	EXPECT(&s, ERR_NONE, subject.disks->enter(s.pool, &s.c, subject.directory));
	scene_close(&s);
}

int shared_contract_run(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_marks), cmocka_unit_test(test_apart)};
	return cmocka_run_group_tests_name("shared directories", tests, NULL, NULL);
}
