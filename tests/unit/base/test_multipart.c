/* SPDX-License-Identifier: Apache-2.0
 * Multipart forms: the same file is found for every division into pieces, and malformed forms are refused. */
#include "base/multipart.h"

#include "test_base.h"

struct got {
	char text[512];
	size_t n;
	int fails_after; /* pieces; 0: never */
	int pieces;
};

static RESULT take(void *arg, struct str bytes)
{
	struct got *got = arg;
	assert_true(got->n + bytes.n <= sizeof got->text);
	memcpy(got->text + got->n, bytes.p, bytes.n);
	got->n += bytes.n;
	return ++got->pieces == got->fails_after ? FAIL(CAPACITY) : OK;
}

#define TYPE "multipart/form-data; boundary=XY"
#define FILE_HEAD                                                                                            \
	"Content-Disposition: form-data; name=\"f\"; filename=\"a.img\"\r\nContent-Type: x/y\r\n\r\n"

/* Whether a file is found when the form arrives in pieces of the given size. */
static bool has_file(const char *form, size_t size, struct got *ret_got)
{
	struct multipart m;
	struct str all = str_from(form);
	*ret_got = (struct got){0};
	assert_true(multipart_begin(&m, STR(TYPE)));
	for (size_t at = 0; at < all.n; at += size)
		if (!result_is_ok(multipart_add(&m, str_slice(all, at, at + size), take, ret_got)))
			return false;
	return multipart_has_file(&m);
}

static void check_files(void **state)
{
	static const struct {
		const char *form, *file; /* NULL: none is in it */
	} cases[] = {
		{"--XY\r\n" FILE_HEAD "data\r\n--XY--\r\n", "data"},
		{"--XY\r\n" FILE_HEAD "\r\n--XY--", ""},
		{"\r\n--XY  \r\n" FILE_HEAD "data\r\n--XY--\r\nbehind", "data"},
		{"before\r\n--XY\r\n" FILE_HEAD "a\r\n-\r\n--X\r\r\n--\r\n--XY--", "a\r\n-\r\n--X\r\r\n--"},
		{"--XY\r\n\r\nplain\r\n--XY\r\n" FILE_HEAD "data\r\n--XY--", "data"},
		{"--XY\r\ncontent-disposition:form-data;FILENAME*=UTF-8''a\r\n\r\ndata\r\n--XY--", "data"},
		{"--XY\r\n" FILE_HEAD "one\r\n--XY\r\n" FILE_HEAD "two\r\n--XY--", "one"},
		{"--XY\r\n" FILE_HEAD "one--XY--", NULL},
		{"--XY\r\n" FILE_HEAD "one\r\n--XY", NULL},
		{"--XY\r\n" FILE_HEAD "one\r\n--XY\r\n", NULL},
		{"--XY\r\nContent-Disposition: form-data; name=\"filename=\"\r\n\r\none\r\n--XY--", NULL},
		{"--XY\r\nContent-Type: filename=x\r\n\r\none\r\n--XY--", NULL},
		{"--XY--", NULL},
		{"data", NULL},
		{"", NULL},
	};
	struct got got;
	(void) state;
	for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++)
		for (size_t size = 1; size < 200; size += size < 20 ? 1 : 60) {
			assert_int_equal(has_file(cases[k].form, size, &got), cases[k].file != NULL);
			if (cases[k].file)
				assert_true(str_is((struct str){got.text, got.n}, cases[k].file));
		}
}

static void check_types(void **state)
{
	static const struct {
		const char *type;
		bool is_form;
	} cases[] = {
		{TYPE, true},
		{"Multipart/Form-Data;charset=utf-8; BOUNDARY=\"a b\"", true},
		{"multipart/form-data", false},
		{"multipart/form-data; boundary=", false},
		{"multipart/form-data; boundary=\"\"", false},
		{"multipart/mixed; boundary=XY", false},
		{"application/x-www-form-urlencoded; boundary=XY", false},
		{"multipart/form-data; boundary=\x01", false},
		{"multipart/form-data; boundary="
		 "0123456789012345678901234567890123456789012345678901234567890123456789",
		 true},
		{"multipart/form-data; boundary="
		 "01234567890123456789012345678901234567890123456789012345678901234567890",
		 false},
		{"", false},
	};
	struct multipart m;
	(void) state;
	for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++)
		assert_int_equal(multipart_begin(&m, str_from(cases[k].type)), cases[k].is_form);
}

static void check_limits(void **state)
{
	struct multipart m;
	struct got got = {.fails_after = 1};
	static char long_head[MULTIPART_HEAD_MAX + 1];
	(void) state;
	memset(long_head, 'x', sizeof long_head);
	assert_true(multipart_begin(&m, STR(TYPE)));
	assert_err(multipart_add(&m, STR("--XY\r\n" FILE_HEAD "data"), take, &got), CAPACITY);
	assert_true(multipart_begin(&m, STR(TYPE)));
	assert_true(result_is_ok(multipart_add(&m, STR("--XY\r\n"), take, &got)));
	assert_err(multipart_add(&m, (struct str){long_head, sizeof long_head}, take, &got), INVALID);
	assert_true(multipart_begin(&m, STR(TYPE)));
	struct result result = multipart_add(&m, STR("--XY"), take, &got);
	for (int k = 0; k < MULTIPART_PARTS_MAX; k++) {
		assert_true(result_is_ok(result));
		result = multipart_add(&m, STR("\r\n\r\n\r\n--XY"), take, &got);
	}
	assert_err(multipart_add(&m, STR("\r\n\r\n\r\n--XY"), take, &got), INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(check_files),
		cmocka_unit_test(check_types),
		cmocka_unit_test(check_limits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
