/* SPDX-License-Identifier: Apache-2.0
 * UEFI variables in rows: written ones are read back, and malformed ones are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/firmware.h"

#define GLOBAL_GUID                                                                                          \
	{                                                                                                    \
		0x61, 0xdf, 0xe4, 0x8b, 0xca, 0x93, 0xd2, 0x11, 0xaa, 0x0d, 0x00, 0xe0, 0x98, 0x03, 0x2b,    \
			0x8c                                                                                 \
	}
static const struct firmware_variable boot = {
	.name = {"BootOrder", 9}, .data = {"\0\1", 2}, .guid = GLOBAL_GUID, .attributes = 7};
static const struct firmware_variable bound = {.name = {"Motto", 5},
					       .data = {"x", 1},
					       .guid = {1, 2},
					       .attributes = 0x27,
					       .timestamp = {0xe8, 7},
					       .digest = {"0123456789abcdef0123456789ABCDEF", 32}};
static const struct firmware_variable key = {
	.name = {"PK", 2}, .data = {"k", 1}, .guid = GLOBAL_GUID, .attributes = 0x27};

static struct ctx *begin(void)
{
	static struct ctx c;
	ctx_init(&c, arena_new(ARENA_FIRST_SIZE, 4 << 20));
	assert_non_null(c.arena);
	return &c;
}

static struct str write(struct ctx *c, const struct firmware_variable *at, size_t count)
{
	struct str bytes = STR_NONE;
	assert_true(result_is_ok(firmware_write(c, &(struct firmware_variables){at, count}, &bytes)));
	return bytes;
}

static enum err read(struct ctx *c, struct str bytes, struct firmware_variables *ret_variables)
{
	struct result r = firmware_read(c, bytes, ret_variables);
	assert_int_equal(c->problem.message.n > 0, !result_is_ok(r));
	ctx_clear_problem(c);
	return r.code;
}

static void test_round(void **state)
{
	(void) state;
	struct ctx *c = begin();
	const struct firmware_variable all[] = {boot, bound, key};
	struct firmware_variables found = {0};
	assert_int_equal(read(c, write(c, NULL, 0), &found), ERR_NONE);
	assert_int_equal(found.count, 0);
	struct str bytes = write(c, all, 3);
	assert_int_equal(read(c, bytes, &found), ERR_NONE);
	assert_int_equal(found.count, 3);
	assert_true(str_is(found.at[0].name, "BootOrder") && str_equal(found.at[0].data, boot.data));
	assert_memory_equal(found.at[0].guid, boot.guid, sizeof boot.guid);
	assert_true(str_equal(found.at[1].digest, bound.digest));
	assert_memory_equal(found.at[1].timestamp, bound.timestamp, sizeof bound.timestamp);
	assert_int_equal(found.at[2].digest.n, 0); /* bound to none */
	assert_true(str_equal(write(c, found.at, 3), bytes));
	for (size_t n = 0; n < bytes.n; n++)
		assert_int_equal(read(c, str_slice(bytes, 0, n), &found), ERR_INVALID);
	arena_free(c->arena);
}

static void test_refused(void **state)
{
	(void) state;
	struct ctx *c = begin();
	struct firmware_variables found = {0};
	struct firmware_variable same[] = {boot, boot}, nameless = boot, cut = boot, odd = boot,
				 passing = boot;
	nameless.name = STR_NONE;
	cut.name = (struct str){"a\0b", 3};
	odd.name = (struct str){"\xff", 1};
	passing.attributes = 6;
	assert_int_equal(read(c, write(c, same, 2), &found), ERR_INVALID);
	same[1].guid[0]++;
	assert_int_equal(read(c, write(c, same, 2), &found), ERR_NONE);
	assert_int_equal(read(c, write(c, &nameless, 1), &found), ERR_INVALID);
	assert_int_equal(read(c, write(c, &cut, 1), &found), ERR_INVALID);
	assert_int_equal(read(c, write(c, &odd, 1), &found), ERR_INVALID);
	assert_int_equal(read(c, write(c, &passing, 1), &found), ERR_INVALID);
	struct str bytes = write(c, &boot, 1);
	char *more = arena_alloc(c->arena, bytes.n + 1);
	assert_non_null(more);
	memcpy(more, bytes.p, bytes.n);
	more[bytes.n] = 0;
	struct str longer = {more, bytes.n + 1};
	assert_int_equal(read(c, longer, &found), ERR_INVALID);
	memset(more, 0xff, 8); /* of how many there are */
	assert_int_equal(read(c, longer, &found), ERR_INVALID);
	arena_free(c->arena);
}

static void test_told(void **state)
{
	(void) state;
	const struct firmware_variable all[] = {boot, key};
	struct firmware_variable others = key, empty = key;
	others.guid[0]++;
	empty.data = STR_NONE;
	assert_false(firmware_has_platform_key(&(struct firmware_variables){all, 1}));
	assert_true(firmware_has_platform_key(&(struct firmware_variables){all, 2}));
	assert_false(firmware_has_platform_key(&(struct firmware_variables){&others, 1}));
	assert_false(firmware_has_platform_key(&(struct firmware_variables){&empty, 1}));
	assert_int_equal(firmware_stored_size(&(struct firmware_variables){NULL, 0}), 0);
	assert_true(firmware_stored_size(&(struct firmware_variables){all, 2}) >=
		    60 + 20 + 2 + 60 + 6 + 1); /* headers, names in UTF-16, data */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_told),
	};
	return cmocka_run_group_tests_name("firmware", tests, NULL, NULL);
}
