/* SPDX-License-Identifier: Apache-2.0
 * Files, with a new directory per test, and their state after a failure at any point. */
#include "test_base.h"

#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"

static char folder[64];

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void) st, (void) type, (void) at;
	return remove(path);
}

static int setup(void **state)
{
	(void) snprintf(folder, sizeof folder, "/tmp/dari_test_file_XXXXXX");
	return mkdtemp(folder) ? ctx_setup(state) : -1;
}

static int teardown(void **state)
{
	(void) ctx_teardown(state);
	return nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}
#define file_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

static const char *in_folder(struct ctx *c, const char *name)
{
	return str_print(c->arena, "%s/%s", folder, name).p;
}

static int count_one(const char *path, const struct stat *st, int type, struct FTW *at);
static int files_seen;

static int count_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void) path, (void) st, (void) at;
	files_seen += type == FTW_F;
	return 0;
}

static int count_files(void)
{
	files_seen = 0;
	assert_int_equal(nftw(folder, count_one, 16, FTW_PHYS), 0);
	return files_seen;
}

static void test_write_and_read(void **state)
{
	struct ctx *c = *state;
	const char *path = in_folder(c, "a");
	struct str bytes;
	struct stat st;
	(void) umask(077);
	assert_ok(file_write_synced(c, path, STR("hello"), 0644));
	(void) umask(022);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644); /* the requested mode, regardless of the umask */
	assert_ok(file_read(c, path, 5, &bytes));
	assert_str(bytes, "hello");
	assert_int_equal(bytes.p[5], 0);
	assert_ok(file_write_synced(c, path, STR("other words"), 0600));
	assert_ok(file_read(c, path, 100, &bytes));
	assert_str(bytes, "other words");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(count_files(), 1);
	assert_ok(file_write_synced(c, path, STR_NONE, 0600));
	assert_ok(file_read(c, path, 0, &bytes));
	assert_int_equal(bytes.n, 0);
}

static void test_read_limits(void **state)
{
	struct ctx *c = *state;
	const char *path = in_folder(c, "a");
	struct str bytes;
	assert_ok(file_write_synced(c, path, STR("123456"), 0600));
	assert_err(file_read(c, path, 5, &bytes), TOO_LARGE);
	assert_true(str_contains(c->problem.message, str_from(path)));
	assert_ok(file_read(c, path, SIZE_MAX, &bytes));
	assert_str(bytes, "123456");
	ctx_clear_problem(c);
	assert_err(file_read(c, in_folder(c, "none"), 5, &bytes), NOT_FOUND);
	assert_true(str_contains(c->problem.message, STR("none: No such file")));
	assert_err(file_read(c, folder, 5, &bytes), IO);
	assert_ok(file_read(c, "/proc/self/status", 100000, &bytes)); /* its size is reported as 0 */
	assert_true(str_contains(bytes, STR("Name:")));
	assert_err(file_read(c, "/proc/self/status", 10, &bytes), TOO_LARGE);
	assert_err(file_read(c, "/dev/zero", 100000, &bytes), TOO_LARGE);
}

static void test_write_errors(void **state)
{
	struct ctx *c = *state;
	assert_err(file_write_synced(c, in_folder(c, "no/such"), STR("x"), 0600), NOT_FOUND);
	ctx_clear_problem(c);
	assert_err(file_write_synced(c, folder, STR("x"), 0600), IO); /* a directory is in the way */
	assert_int_equal(count_files(), 0);
}

static void test_directories(void **state)
{
	struct ctx *c = *state;
	struct stat st;
	assert_ok(file_make_directory(c, in_folder(c, "a/b//c"), 0700));
	assert_int_equal(stat(in_folder(c, "a/b/c"), &st), 0);
	assert_true(S_ISDIR(st.st_mode));
	assert_ok(file_make_directory(c, in_folder(c, "a/b/c"), 0700));
	assert_ok(file_make_directory(c, in_folder(c, "a/d/"), 0700));
	assert_ok(file_make_directory(c, "/", 0700));
	assert_ok(file_write_synced(c, in_folder(c, "a/f"), STR("x"), 0600));
	assert_err(file_make_directory(c, in_folder(c, "a/f"), 0700), EXISTS);
	ctx_clear_problem(c);
	struct result r = file_make_directory(c, in_folder(c, "a/f/g"), 0700);
	assert_true(r.code == ERR_EXISTS || r.code == ERR_NOT_FOUND);
}

static void test_rename_delete_size(void **state)
{
	struct ctx *c = *state;
	const char *a = in_folder(c, "a"), *b = in_folder(c, "b");
	int64_t size = 0;
	assert_ok(file_write_synced(c, a, STR("12345"), 0600));
	assert_true(file_exists(a));
	assert_ok(file_size(c, a, &size));
	assert_int_equal(size, 5);
	assert_ok(file_rename_synced(c, a, b));
	assert_false(file_exists(a));
	assert_true(file_exists(b));
	assert_err(file_rename_synced(c, a, b), NOT_FOUND);
	assert_err(file_size(c, a, &size), NOT_FOUND);
	assert_ok(file_delete(c, b));
	assert_false(file_exists(b));
	assert_ok(file_delete(c, b));
	ctx_clear_problem(c);
	assert_err(file_delete(c, folder), IO);
}

/* After any fault, the file has either the old or the new content, and no other file remains. */
static void write_fault_body(void *data)
{
	struct ctx *c = data;
	arena_reset(c->arena);
	ctx_clear_problem(c);
	const char *path = in_folder(c, "a");
	if (!path)
		return;
	struct result r = file_write_synced(c, path, STR("new"), 0600);
	bool fired = fault_has_fired();
	fault_disarm();
	struct str bytes;
	assert_ok(file_read(c, path, 100, &bytes));
	assert_true(str_is(bytes, "new") || (fired && str_is(bytes, "old")));
	assert_int_equal(count_files(), 1);
	assert_int_equal(r.code == ERR_NONE, !fired);
	if (fired)
		assert_int_equal(c->problem.err, r.code);
	assert_ok(file_write_synced(c, path, STR("old"), 0600));
}

static void test_write_faults(void **state)
{
	struct ctx *c = *state;
	assert_ok(file_write_synced(c, in_folder(c, "a"), STR("old"), 0600));
	assert_true(for_each_fault(FAULT_FILE, false, write_fault_body, c) >= 6);
	assert_true(for_each_fault(FAULT_FILE, true, write_fault_body, c) >= 6);
}

/* After a kill at any point, the file has the old or the new content. A temporary file may remain. */
static void test_write_killed_anywhere(void **state)
{
	struct ctx *c = *state;
	const char *path = in_folder(c, "a");
	struct str bytes;
	int kills = 0;
	for (uint64_t n = 0;; n++, kills++) {
		assert_ok(file_write_synced(c, path, STR("old"), 0600));
		pid_t pid = fork();
		if (pid == 0) {
			fault_arm(FAULT_FILE | FAULT_KILL, n, false);
			_exit(file_write_synced(c, path, STR("new"), 0600).code);
		}
		int status = 0;
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_ok(file_read(c, path, 100, &bytes));
		if (!WIFSIGNALED(status)) {
			assert_int_equal(WEXITSTATUS(status), 0);
			assert_str(bytes, "new");
			break;
		}
		assert_true(str_is(bytes, "old") || str_is(bytes, "new"));
	}
	assert_true(kills >= 6);
}

static void others_fault_body(void *data)
{
	struct ctx *c = data;
	struct str bytes;
	int64_t size = 0;
	arena_reset(c->arena);
	ctx_clear_problem(c);
	struct result r = file_make_directory(c, in_folder(c, "x/y"), 0700);
	if (r.code == ERR_NONE)
		r = file_write_synced(c, in_folder(c, "x/y/a"), STR("text"), 0600);
	if (r.code == ERR_NONE)
		r = file_size(c, in_folder(c, "x/y/a"), &size);
	if (r.code == ERR_NONE)
		r = file_read(c, in_folder(c, "x/y/a"), 100, &bytes);
	if (r.code == ERR_NONE)
		r = file_rename_synced(c, in_folder(c, "x/y/a"), in_folder(c, "x/b"));
	if (r.code == ERR_NONE)
		r = file_delete(c, in_folder(c, "x/b"));
	assert_int_equal(r.code == ERR_NONE, !fault_has_fired());
	if (fault_has_fired())
		assert_true(str_contains(c->problem.message, STR("Input/output error")));
}

static void test_other_faults(void **state)
{
	assert_true(for_each_fault(FAULT_FILE, false, others_fault_body, *state) > 12);
}

static void test_read_without_memory(void **state)
{
	struct ctx *c = *state;
	struct str bytes;
	const char *path = in_folder(c, "a");
	assert_ok(file_write_synced(c, path, STR("0123456789"), 0600));
	AUTO(arena) tiny = arena_new(0, 0);
	struct ctx small;
	ctx_init(&small, tiny);
	assert_err(file_read(&small, path, 100, &bytes), TOO_LARGE);
	assert_err(file_write_synced(&small, path, STR("x"), 0600), TOO_LARGE);
	assert_err(file_make_directory(&small, path, 0700), TOO_LARGE);
}

static void test_fd_autoclose(void **state)
{
	(void) state;
	int kept = 0;
	{
		AUTO_FD fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
		assert_true(fd >= 0);
		kept = fd;
	}
	assert_int_equal(fcntl(kept, F_GETFD), -1);
	int none = -1;
	fd_autoclose(&none);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		file_test(test_write_and_read),        file_test(test_read_limits),
		file_test(test_write_errors),          file_test(test_directories),
		file_test(test_rename_delete_size),    file_test(test_write_faults),
		file_test(test_write_killed_anywhere), file_test(test_other_faults),
		file_test(test_read_without_memory),   file_test(test_fd_autoclose),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
