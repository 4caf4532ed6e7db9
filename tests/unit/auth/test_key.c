/* SPDX-License-Identifier: Apache-2.0
 * The master key's file, and access keys. */
#include "../base/test_base.h"
#include "model/access_key.h"

#include <sys/stat.h>
#include <unistd.h>

#include "auth/key/key.h"
#include "auth/key/key_owner.h"
#include "base/file.h"
#include "base/random.h"

static void test_master(void **state)
{
	struct ctx *c = *state;
	char folder[] = "/tmp/dari-key-XXXXXX";
	uint8_t one[MASTER_KEY_SIZE], two[MASTER_KEY_SIZE] = {0};
	struct stat info;
	assert_non_null(mkdtemp(folder));
	const char *path = str_print(c->arena, "%s/master.key", folder).p;
	assert_err(key_load_master(c, path, one), NOT_FOUND);
	ctx_clear_problem(c);
	assert_ok(key_make_master(c, path));
	assert_int_equal(stat(path, &info), 0);
	assert_int_equal(info.st_mode & 0777, 0600);
	assert_int_equal(info.st_size, 65);
	assert_ok(key_load_master(c, path, one));
	assert_memory_not_equal(one, two, sizeof one);
	assert_err(key_make_master(c, path), EXISTS);
	assert_ok(key_load_master(c, path, two));
	assert_memory_equal(one, two, sizeof one);
	ctx_clear_problem(c);
	assert_ok(file_write_synced(c, path, STR("not a key\n"), 0600));
	assert_err(key_load_master(c, path, two), INVALID);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(folder), 0);
}

static void test_draw(void **state)
{
	struct ctx *c = *state;
	uint8_t master[MASTER_KEY_SIZE], other[MASTER_KEY_SIZE];
	struct str secret = STR_NONE, opened = STR_NONE;
	memset(master, 1, sizeof master);
	memset(other, 2, sizeof other);
	struct access_key row = {.row.id = uuid_random()};
	assert_ok(key_draw(c, master, &row, &secret));
	assert_int_equal(row.key_id.n, 20);
	assert_true(str_starts_with(row.key_id, STR("AKIA")));
	for (size_t k = 0; k < row.key_id.n; k++)
		assert_non_null(strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", row.key_id.p[k]));
	assert_int_equal(secret.n, 40);
	assert_false(str_contains(row.secret, secret));
	assert_ok(key_open_secret(c, master, &row, &opened));
	assert_true(str_equal(opened, secret));
	assert_err(key_open_secret(c, other, &row, &opened), INVALID);
	row.row.id = uuid_random();
	assert_err(key_open_secret(c, master, &row, &opened), INVALID); /* moved to another row */
	struct access_key second = {.row.id = uuid_random()};
	struct str second_secret = STR_NONE;
	assert_ok(key_draw(c, master, &second, &second_secret));
	assert_false(str_equal(second.key_id, row.key_id));
	assert_false(str_equal(second_secret, secret));
}

static bool has_tag(struct tags tags, const char *key, const char *value)
{
	for (size_t k = 0; k < tags.count; k++)
		if (str_is(tags.at[k].key, key))
			return str_is(tags.at[k].value, value);
	return false;
}

/* A session's tag hides the role's tag of the same key; the role's other tags are copied. */
static void test_tags(void **state)
{
	struct ctx *c = *state;
	char text[] = "red";
	struct tag of_role[] = {{STR("color"), {text, 3}}, {STR("team"), STR("ops")}},
		   of_session[] = {{STR("team"), STR("dev")}};
	struct tags role = {of_role, 2}, session = {of_session, 1};
	struct tags both = key_copy_tags(c->arena, role, session);
	text[0] = 'b';
	assert_int_equal(both.count, 2);
	assert_true(has_tag(both, "team", "dev") && has_tag(both, "color", "red"));
	assert_int_equal(key_copy_tags(c->arena, role, (struct tags){0}).count, 2);
	assert_int_equal(key_copy_tags(c->arena, (struct tags){0}, session).count, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {ctx_test(test_master), ctx_test(test_draw), ctx_test(test_tags)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
