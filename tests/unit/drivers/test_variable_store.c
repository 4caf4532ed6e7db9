/* SPDX-License-Identifier: Apache-2.0
 * EDK II's variable store: reading a flash file, even if a guest has written malformed data to it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "drivers/libvirt/host.h"

enum { HEADER_SIZE = 72, STORE_SIZE = 1024, FILE_SIZE = 2048, ADDED = 0x3f, REPLACED = 0x3e, DELETED = 0x3d };

struct flash {
	struct arena *arena;
	struct ctx c;
	char bytes[FILE_SIZE];
	size_t end; /* offset past the last variable */
};

static void put(struct flash *f, size_t at, uint64_t n, size_t size)
{
	for (size_t k = 0; k < size; k++)
		f->bytes[at + k] = (char) (n >> 8 * k);
}

static struct flash *make(void)
{
	static struct flash flash;
	struct flash *f = &flash;
	f->arena = arena_new(ARENA_FIRST_SIZE, 1 << 20);
	assert_non_null(f->arena);
	ctx_init(&f->c, f->arena);
	memset(f->bytes, 0xff, sizeof f->bytes);
	memset(f->bytes, 0, HEADER_SIZE + 28);
	memcpy(f->bytes + 16, "\x8d\x2b\xf1\xff\x96\x76\x8b\x4c\xa9\x85\x27\x47\x07\x5b\x4f\x50", 16);
	put(f, 32, FILE_SIZE, 8);
	memcpy(f->bytes + 40, "_FVH", 4);
	put(f, 48, HEADER_SIZE, 2);
	memcpy(f->bytes + HEADER_SIZE, "\x78\x2c\xf3\xaa\x7b\x94\x9a\x43\xa1\x80\x2e\x14\x4e\xc3\x77\x92",
	       16);
	put(f, HEADER_SIZE + 16, STORE_SIZE, 4);
	put(f, HEADER_SIZE + 20, 0xfe5a, 2);
	f->end = HEADER_SIZE + 28;
	return f;
}

/* name: UTF-16 with its NUL. Returns where its header is. */
static size_t add(struct flash *f, uint8_t state, struct str name, struct str data, uint8_t guid)
{
	size_t at = f->end;
	memset(f->bytes + at, 0, 60);
	put(f, at, 0x55aa, 2);
	put(f, at + 2, state, 1);
	put(f, at + 4, 0x27, 4);
	put(f, at + 16, 2024, 2);
	put(f, at + 36, name.n, 4);
	put(f, at + 40, data.n, 4);
	put(f, at + 44, guid, 1);
	memcpy(f->bytes + at + 60, name.p, name.n);
	memcpy(f->bytes + at + 60 + name.n, data.p, data.n);
	f->end = (at + 60 + name.n + data.n + 3) & ~(size_t) 3;
	return at;
}

static struct firmware_variables parse(struct flash *f, enum err expected)
{
	struct firmware_variables found = {0};
	struct result r = libvirt_parse_variables(&f->c, (struct str){f->bytes, sizeof f->bytes}, &found);
	assert_int_equal(r.code, expected);
	assert_int_equal(f->c.problem.message.n > 0, expected != ERR_NONE);
	ctx_clear_problem(&f->c);
	return found;
}

#define UTF16_A STR("a\0\0\0")

static void test_found(void **state)
{
	(void) state;
	struct flash *f = make();
	assert_int_equal(parse(f, ERR_NONE).count, 0);
	add(f, ADDED, STR("B\0\xe4\0\xac\x20\x3d\xd8\0\xde\0\xd8\0\0"), STR("xyz"), 7);
	add(f, DELETED, UTF16_A, STR("gone"), 1);
	add(f, REPLACED, UTF16_A, STR("old"), 1);
	add(f, ADDED, UTF16_A, STR("new"), 1);
	add(f, REPLACED, UTF16_A, STR("others"), 2); /* nothing replaces it yet */
	struct firmware_variables all = parse(f, ERR_NONE);
	assert_int_equal(all.count, 3);
	assert_true(str_is(all.at[0].name, "B\u00e4\u20ac\U0001F600\uFFFD"));
	assert_true(str_is(all.at[0].data, "xyz") && all.at[0].guid[0] == 7 && all.at[0].attributes == 0x27);
	assert_int_equal(all.at[0].timestamp[0] | all.at[0].timestamp[1] << 8, 2024);
	assert_int_equal(all.at[0].digest.n, 0);
	assert_true(str_is(all.at[1].data, "new") && str_is(all.at[2].data, "others"));
	arena_free(f->arena);
}

/* The firmware's own list says which certificates a variable is bound to, and is none itself. */
static void test_bound(void **state)
{
	(void) state;
	struct flash *f = make();
	static const char entry[] = "\x40\0\0\0"
				    "\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
				    "\x3e\0\0\0\1\0\0\0\x20\0\0\0"
				    "a\0"
				    "0123456789abcdef0123456789ABCDEF";
	add(f, ADDED, UTF16_A, STR("1"), 1);
	add(f, ADDED, UTF16_A, STR("2"), 2);
	size_t at = add(f, ADDED, STR("c\0e\0r\0t\0d\0b\0\0\0"), (struct str){entry, sizeof entry - 1}, 0);
	memcpy(f->bytes + at + 44, "\x6e\xe5\xbe\xd9\xdc\x75\xd9\x49\xb4\xd7\xb5\x34\x21\x0f\x63\x7a", 16);
	struct firmware_variables all = parse(f, ERR_NONE);
	assert_int_equal(all.count, 2);
	assert_true(str_is(all.at[0].digest, "0123456789abcdef0123456789ABCDEF"));
	assert_int_equal(all.at[1].digest.n, 0);
	put(f, at + 60 + 14 + 4 + 24, 0x21, 4); /* the digest would go beyond the list */
	all = parse(f, ERR_NONE);
	assert_int_equal(all.count, 2);
	assert_int_equal(all.at[0].digest.n, 0);
	arena_free(f->arena);
}

static void test_damaged(void **state)
{
	(void) state;
	static const struct {
		size_t at, size;
		uint64_t value;
		enum err expected;
	} rows[] = {
		{40, 4, 0, ERR_UNSUPPORTED}, /* signature */
		{16, 4, 0, ERR_UNSUPPORTED}, /* of another file system */
		{HEADER_SIZE, 1, 0, ERR_UNSUPPORTED},
		{32, 8, FILE_SIZE + 1, ERR_IO},
		{32, 8, UINT64_MAX, ERR_IO},
		{48, 2, FILE_SIZE - 27, ERR_IO},
		{48, 2, 0xffff, ERR_IO},
		{HEADER_SIZE + 16, 4, 27, ERR_IO},
		{HEADER_SIZE + 16, 4, FILE_SIZE - HEADER_SIZE + 1, ERR_IO},
		{HEADER_SIZE + 20, 1, 0xff, ERR_IO},
		{HEADER_SIZE + 21, 1, 0xff, ERR_IO},
		{HEADER_SIZE + 28 + 36, 4, STORE_SIZE, ERR_IO},
		{HEADER_SIZE + 28 + 40, 4, UINT32_MAX - 1, ERR_IO},
		/* An empty store, or its end: not an error. */
		{HEADER_SIZE + 28 + 40, 4, UINT32_MAX, ERR_NONE},
		{HEADER_SIZE + 28 + 2, 1, 0xff, ERR_NONE},
		{HEADER_SIZE + 28, 2, 0, ERR_NONE},
	};
	for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
		struct flash *f = make();
		add(f, ADDED, UTF16_A, STR("x"), 1);
		put(f, rows[k].at, rows[k].value, rows[k].size);
		parse(f, rows[k].expected);
		arena_free(f->arena);
	}
}

/* With any corrupted byte, all returned values lie within the file. */
static void test_spoilt(void **state)
{
	(void) state;
	struct flash *f = make();
	add(f, ADDED, UTF16_A, STR("x"), 1);
	add(f, ADDED, UTF16_A, STR("y"), 2);
	for (size_t at = 0; at < f->end; at++)
		for (int bit = 0; bit < 8; bit++) {
			AUTO(arena) arena = arena_new(ARENA_FIRST_SIZE, 1 << 20);
			struct ctx c;
			struct firmware_variables found = {0};
			ctx_init(&c, arena);
			f->bytes[at] ^= (char) (1 << bit);
			struct result r =
				libvirt_parse_variables(&c, (struct str){f->bytes, sizeof f->bytes}, &found);
			assert_true(result_is_ok(r) || r.code == ERR_IO || r.code == ERR_UNSUPPORTED);
			for (size_t k = 0; k < found.count; k++)
				assert_true(found.at[k].data.p >= f->bytes &&
					    found.at[k].data.p + found.at[k].data.n <=
						    f->bytes + HEADER_SIZE + STORE_SIZE);
			f->bytes[at] ^= (char) (1 << bit);
		}
	arena_free(f->arena);
}

/* Replaced variables are found, and the other parts of the firmware's file are unchanged. */
static void test_replaced(void **state)
{
	(void) state;
	struct flash *f = make();
	add(f, ADDED, UTF16_A, STR("before"), 1);
	memset(f->bytes + HEADER_SIZE + STORE_SIZE, 7, 16);
	struct str file = {f->bytes, sizeof f->bytes}, made = STR_NONE;
	const struct firmware_variable given[] = {
		{.name = STR("B\u00e4\u20ac\U0001F600"), .data = STR("xyz"), .guid = {7}, .attributes = 7},
		{.name = STR("Motto"),
		 .data = STR("bound"),
		 .guid = {1, 2},
		 .attributes = 0x27,
		 .timestamp = {0xe8, 7},
		 .digest = STR("0123456789abcdef0123456789ABCDEF")},
	};
	struct firmware_variables all = {given, 2}, found = {0};
	assert_true(result_is_ok(libvirt_replace_variables(&f->c, file, &all, &made)));
	assert_int_equal(made.n, file.n);
	assert_memory_equal(made.p, file.p, HEADER_SIZE + 28);
	assert_memory_equal(made.p + HEADER_SIZE + STORE_SIZE, file.p + HEADER_SIZE + STORE_SIZE,
			    FILE_SIZE - HEADER_SIZE - STORE_SIZE);
	assert_true(result_is_ok(libvirt_parse_variables(&f->c, made, &found)));
	assert_int_equal(found.count, 2);
	for (size_t k = 0; k < 2; k++) {
		assert_true(str_equal(found.at[k].name, given[k].name));
		assert_true(str_equal(found.at[k].data, given[k].data));
		assert_true(str_equal(found.at[k].digest, given[k].digest));
		assert_int_equal(found.at[k].attributes, given[k].attributes);
		assert_memory_equal(found.at[k].guid, given[k].guid, sizeof given[k].guid);
		assert_memory_equal(found.at[k].timestamp, given[k].timestamp, sizeof given[k].timestamp);
	}
	char large[STORE_SIZE] = {0};
	const struct firmware_variable wide = {
		.name = STR("a"), .data = {large, sizeof large}, .attributes = 7};
	struct result r =
		libvirt_replace_variables(&f->c, file, &(struct firmware_variables){&wide, 1}, &made);
	assert_int_equal(r.code, ERR_CAPACITY);
	arena_free(f->arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_found),    cmocka_unit_test(test_bound),
		cmocka_unit_test(test_damaged),  cmocka_unit_test(test_spoilt),
		cmocka_unit_test(test_replaced),
	};
	return cmocka_run_group_tests_name("variable store", tests, NULL, NULL);
}
