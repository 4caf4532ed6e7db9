/* SPDX-License-Identifier: Apache-2.0
 * Running helper programs: their input and environment, their output, and that no process or descriptor is
 * left. */
#include "test_base.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/child.h"
#include "base/cleanup.h"
#include "base/clock.h"

static int open_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	int count = 0;
	assert_non_null(d);
	while (readdir(d))
		count++;
	(void) closedir(d);
	return count;
}

static int fds_before;

static int setup(void **state)
{
	fds_before = open_fds();
	return ctx_setup(state);
}

static int teardown(void **state)
{
	(void) ctx_teardown(state);
	if (open_fds() != fds_before || waitpid(-1, NULL, WNOHANG) != -1) {
		print_error("a file descriptor or a child was left behind\n");
		return -1;
	}
	return 0;
}
#define child_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

static struct child shell(const char *const argv[4])
{
	return (struct child){.argv = argv, .timeout_us = 10 * MINUTE};
}
#define SH(script) ((const char *const[]){"/bin/sh", "-c", script, NULL})

static void test_output_and_status(void **state)
{
	struct ctx *c = *state;
	struct child_end end;
	struct child child = shell(SH("echo out; echo err >&2; exit 3"));
	assert_ok(child_run(c, &child, &end));
	assert_int_equal(end.status, 3);
	assert_str(end.out, "out\n");
	assert_str(end.err, "err\n");
	child = shell(SH("kill -9 $$"));
	assert_ok(child_run(c, &child, &end));
	assert_int_equal(end.status, 128 + 9);
	child = shell(SH(":"));
	assert_ok(child_run(c, &child, &end));
	assert_int_equal(end.status, 0);
	assert_int_equal(end.out.n, 0);
}

static void test_arguments_as_given(void **state)
{
	struct ctx *c = *state;
	struct child_end end;
	const char *const argv[] = {"printf", "<%s>", "a b", "$HOME",
				    "'",      "",     NULL}; /* found in PATH, no shell */
	struct child child = {.argv = argv};
	assert_ok(child_run(c, &child, &end));
	assert_str(end.out, "<a b><$HOME><'><>");
}

static void test_large_input_and_output(void **state)
{
	struct ctx *c = *state;
	struct child_end end;
	enum { SIZE = 400000 }; /* far beyond a pipe: feeding and draining must go together */
	char *input = malloc(SIZE);
	assert_non_null(input);
	for (int k = 0; k < SIZE; k++)
		input[k] = (char) ('a' + k % 26);
	const char *const argv[] = {"/bin/cat", NULL};
	struct child child = {.argv = argv, .input = {input, SIZE}, .timeout_us = 10 * MINUTE};
	assert_ok(child_run(c, &child, &end));
	assert_int_equal(end.out.n, SIZE);
	assert_memory_equal(end.out.p, input, SIZE);
	free(input);
}

static void test_input_nobody_reads(void **state)
{
	struct ctx *c = *state;
	struct child_end end;
	enum { SIZE = 400000 };
	char *input = calloc(1, SIZE);
	assert_non_null(input);
	struct child child = shell(SH("exec 0<&-; echo early"));
	child.input = (struct str){input, SIZE};
	assert_ok(child_run(c, &child, &end)); /* and SIGPIPE did not kill us */
	assert_str(end.out, "early\n");
	sigset_t pending;
	assert_int_equal(sigpending(&pending), 0);
	assert_int_equal(sigismember(&pending, SIGPIPE), 0);
	free(input);
}

static void test_no_input_is_end_of_file(void **state)
{
	struct ctx *c = *state;
	struct child_end end;
	struct child child = shell(SH("cat; echo end"));
	assert_ok(child_run(c, &child, &end));
	assert_str(end.out, "end\n");
}

static void test_no_such_program(void **state)
{
	struct ctx *c = *state;
	struct child_end end;
	static const char *const names[] = {"no-such-program-here", "/no/such", "/tmp", "/etc/passwd"};
	for (size_t k = 0; k < sizeof names / sizeof names[0]; k++) {
		const char *const argv[] = {names[k], NULL};
		struct child child = {.argv = argv, .timeout_us = 10 * MINUTE};
		ctx_clear_problem(c);
		assert_err(child_run(c, &child, &end), NOT_FOUND);
		assert_true(str_contains(c->problem.message, str_from(names[k])));
	}
}

static void test_exec_itself_fails(void **state)
{
	struct ctx *c = *state;
	struct child_end end;
	char path[] = "/tmp/dari_test_child_XXXXXX";
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd,
			       "\x7F"
			       "ELF nonsense",
			       13),
			 13);
	assert_int_equal(fchmod(fd, 0700), 0);
	(void) close(fd);
	const char *const argv[] = {path, NULL};
	struct child child = {.argv = argv, .timeout_us = 10 * MINUTE};
	assert_err(child_run(c, &child, &end), IO);
	assert_true(str_contains(c->problem.message, STR("Exec format error")));
	(void) unlink(path);
}

/* Processes that run "sleep <seconds>". */
static struct str find_sleepers(struct ctx *c, int seconds)
{
	struct child_end end;
	const char *script =
		str_print(c->arena,
			  "for d in /proc/[0-9]*; do "
			  "[ \"$(tr '\\0' ' ' <$d/cmdline 2>/dev/null)\" = 'sleep %d ' ] && echo $d; "
			  "done 2>/dev/null; :",
			  seconds)
			.p;
	struct child look = shell(SH(script));
	assert_ok(child_run(c, &look, &end));
	return end.out;
}

static void assert_no_sleepers(struct ctx *c, int seconds)
{
	struct str left = STR_NONE;
	for (int k = 0; k < 1000; k++) { /* init may still have to reap one */
		left = find_sleepers(c, seconds);
		if (left.n == 0)
			break;
	}
	assert_str(left, "");
}

static void test_deadline_kills_the_group(void **state)
{
	struct ctx *c = *state;
	struct child_end end;
	int seconds = 1000000 + (int) getpid(); /* a number that no other run of this test looks for */
	const char *script = str_print(c->arena, "sleep %d & sleep %d", seconds, seconds).p;
	struct child child = shell(SH(script));
	child.timeout_us = 300 * MILLISECOND;
	assert_err(child_run(c, &child, &end), TIMEOUT); /* days before the script's own end */
	assert_no_sleepers(c, seconds);
}

static void test_descendants_end(void **state)
{
	struct ctx *c = *state;
	struct child_end end;
	int seconds = 2000000 + (int) getpid();
	const char *script = str_print(c->arena,
				       "setsid sh -c 'sleep %d & exec setsid sleep %d' & "
				       "(setsid sleep %d &); sleep 1; [ \"$DARI_CHILD\" ] && exit $0",
				       seconds, seconds, seconds)
				     .p;
	const char *const argv[] = {"/bin/sh", "-c", script, "7", NULL};
	struct child child = {.argv = argv, .timeout_us = 10 * MINUTE, .ends_descendants = true};
	assert_ok(child_run(c, &child, &end)); /* by itself */
	assert_int_equal(end.status, 7);
	assert_no_sleepers(c, seconds);
	child = shell(SH(str_print(c->arena, "setsid sleep %d & wait", seconds).p));
	child.ends_descendants = true;
	child.timeout_us = SECOND;
	assert_err(child_run(c, &child, &end), TIMEOUT);
	assert_no_sleepers(c, seconds);
}

static void test_output_without_end(void **state)
{
	struct ctx *c = *state;
	struct child_end end;
	struct child child = shell(SH("yes & yes & yes & yes & yes & yes & wait"));
	child.keeps_ends = true;
	child.output_cap_size = 10000;
	child.timeout_us = 500 * MILLISECOND;
	assert_err(child_run(c, &child, &end), TIMEOUT);
	assert_true(end.out.n > 0 && end.out.n <= 10000);
	ctx_clear_problem(c);
	child = shell(SH("yes & yes & yes & yes & yes & yes & sleep 0.5")); /* the writers live on */
	child.keeps_ends = true;
	child.ends_descendants = true;
	assert_ok(child_run(c, &child, &end));
}

static void test_environment(void **state)
{
	struct ctx *c = *state;
	struct child_end end;
	static const char *const names[] = {"NOTIFY_SOCKET", "CREDENTIALS_DIRECTORY",
					    "LISTEN_FDS",    "WATCHDOG_USEC",
					    "PGPASSWORD",    "DARI_SECRET_ACCESS_KEY"};
	for (size_t k = 0; k < sizeof names / sizeof names[0]; k++)
		assert_int_equal(setenv(names[k], "not for children", 1), 0);
	assert_int_equal(setenv("SSH_AUTH_SOCK", "for children", 1), 0);
	struct child child = shell(SH("env"));
	assert_ok(child_run(c, &child, &end));
	assert_false(str_contains(end.out, STR("not for children")));
	assert_true(str_contains(end.out, STR("SSH_AUTH_SOCK=for children\n")));
	for (size_t k = 0; k < sizeof names / sizeof names[0]; k++)
		(void) unsetenv(names[k]);
}

static void test_deadlines_of_the_call(void **state)
{
	struct ctx *c = *state;
	struct child_end end;
	struct child child = shell(SH("sleep 98765"));
	clock_set_us(50 * SECOND); /* a test's frozen clock does not stop a child's time */
	c->deadline_us = clock_now_us() + 100 * MILLISECOND;
	assert_err(child_run(c, &child, &end), TIMEOUT);
	ctx_clear_problem(c);
	c->deadline_us = clock_now_us() - 1;
	assert_err(child_run(c, &child, &end), TIMEOUT);
	clock_set_us(0);
}

static void test_output_cap(void **state)
{
	struct ctx *c = *state;
	struct child_end end;
	struct child child = shell(SH("printf 1234567890"));
	child.output_cap_size = 10;
	assert_ok(child_run(c, &child, &end));
	assert_str(end.out, "1234567890");
	child.output_cap_size = 9;
	assert_err(child_run(c, &child, &end), TOO_LARGE);
	ctx_clear_problem(c);
	child = shell(SH("yes >&2")); /* without end; the default cap */
	assert_err(child_run(c, &child, &end), TOO_LARGE);
}

static void test_limits(void **state)
{
	struct ctx *c = *state;
	struct child_end end;
	struct rlimit core_before, core = {4096, 4096};
	assert_int_equal(getrlimit(RLIMIT_CORE, &core_before), 0);
	(void) setrlimit(RLIMIT_CORE, &core); /* where we may raise it */
	struct child child = shell(SH("ulimit -v; ulimit -t; ulimit -c"));
	child.memory_limit_size = 512 * 1024 * 1024;
	child.cpu_limit_s = 7;
	assert_ok(child_run(c, &child, &end));
	assert_str(end.out, "524288\n7\n0\n");
	(void) setrlimit(RLIMIT_CORE, &core_before);
	child = shell(SH("while :; do :; done"));
	child.cpu_limit_s = 1;
	assert_ok(child_run(c, &child, &end));
	assert_true(end.status == 128 + SIGXCPU || end.status == 128 + SIGKILL);
}

static void test_nothing_inherited(void **state)
{
	struct ctx *c = *state;
	struct child_end end;
	AUTO_FD leaky = open("/dev/null", O_RDONLY); /* without O_CLOEXEC on purpose */
	AUTO_FD high = fcntl(leaky, F_DUPFD, 200);
	assert_true(leaky >= 0 && high >= 200);
	const char *const argv[] = {"/bin/ls", "/proc/self/fd", NULL};
	struct child child = {.argv = argv, .timeout_us = 10 * MINUTE};
	assert_ok(child_run(c, &child, &end));
	assert_str(end.out, "0\n1\n2\n3\n");       /* 3 is ls's own */
	assert_int_equal(fcntl(high, F_GETFD), 0); /* the parent's descriptor is unchanged */
	void (*before)(int) = signal(SIGPIPE, SIG_IGN);
	/* Signals above 31 are the C library's, and come as whoever ran us left them. */
	child = shell(SH("sed -nE 's/^Sig(Blk|Ign):.*(.{8})$/\\2/p' /proc/self/status"));
	assert_ok(child_run(c, &child, &end));
	uint32_t blocked = 0, ignored = 0;
	assert_ok(str_decode_hex(str_slice(end.out, 0, 8), &blocked, sizeof blocked));
	assert_ok(str_decode_hex(str_slice(end.out, 9, 17), &ignored, sizeof ignored));
	assert_int_equal(blocked & ntohl(0x7fffffff), 0);
	assert_int_equal(ignored & ntohl(0x7fffffff), 0);
	assert_true(signal(SIGPIPE, before) == SIG_IGN);
}

static void test_daemon_that_keeps_the_pipe(void **state)
{
	struct ctx *c = *state;
	struct child_end end;
	struct child child = shell(SH("sleep 100000 & echo $!"));
	assert_ok(child_run(c, &child, &end));
	int64_t pid = 0;
	assert_ok(str_parse_int(str_trim(end.out), &pid));
	/* The grandchild still runs, because the call neither waits for it nor kills it: it may be a
	 * daemon. */
	assert_int_equal(kill((pid_t) pid, SIGKILL), 0);
}

static void test_network_namespace(void **state)
{
	struct ctx *c = *state;
	struct child_end end;
	AUTO_FD ours = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (geteuid() != 0 || ours < 0 || unshare(CLONE_NEWNET) != 0)
		skip();
	AUTO_FD theirs = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	int back = setns(ours, CLONE_NEWNET);
	struct stat here, there;
	char expected[64];
	assert_int_equal(back, 0);
	assert_true(fstat(ours, &here) == 0 && fstat(theirs, &there) == 0 && here.st_ino != there.st_ino);
	struct child child = shell(SH("readlink /proc/self/ns/net"));
	child.netns_fd = theirs;
	assert_ok(child_run(c, &child, &end));
	(void) snprintf(expected, sizeof expected, "net:[%lu]\n", (unsigned long) there.st_ino);
	assert_str(end.out, expected);
	child.netns_fd = 0;
	assert_ok(child_run(c, &child, &end));
	(void) snprintf(expected, sizeof expected, "net:[%lu]\n", (unsigned long) here.st_ino);
	assert_str(end.out, expected);
	AUTO_FD wrong = open("/dev/null", O_RDONLY | O_CLOEXEC);
	child.netns_fd = wrong;
	assert_err(child_run(c, &child, &end), IO);
}

static void test_with_low_descriptors_closed(void **state)
{
	(void) state;
	pid_t pid = fork(); /* apart: it closes the test's own 0, 1 and 2 */
	if (pid == 0) {
		struct ctx c;
		struct child_end end;
		for (int fd = 0; fd < 3; fd++)
			(void) close(fd);
		ctx_init(&c, arena_new(4096, 100000));
		const char *const argv[] = {"/bin/sh", "-c", "cat; echo err >&2", NULL};
		struct child child = {.argv = argv, .input = STR("in"), .timeout_us = 10 * MINUTE};
		struct result r = child_run(&c, &child, &end);
		bool good = result_is_ok(r) && str_is(end.out, "in") && str_is(end.err, "err\n");
		_exit(good ? 0 : 1);
	}
	int status = -1;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void *run_some(void *data)
{
	int *good = data;
	AUTO(arena) a = arena_new(4096, 1 << 20);
	for (int k = 0; k < 20; k++) {
		struct ctx c;
		struct child_end end;
		char text[32];
		ctx_init(&c, a);
		(void) snprintf(text, sizeof text, "%p-%d", data, k);
		const char *const argv[] = {"/bin/cat", NULL};
		struct child child = {.argv = argv, .input = str_from(text), .timeout_us = 10 * MINUTE};
		*good += result_is_ok(child_run(&c, &child, &end)) && str_is(end.out, text);
		arena_reset(a);
	}
	return NULL;
}

static void test_several_at_once(void **state)
{
	(void) state;
	pthread_t threads[4];
	int good[4] = {0};
	for (int k = 0; k < 4; k++)
		assert_int_equal(pthread_create(&threads[k], NULL, run_some, &good[k]), 0);
	for (int k = 0; k < 4; k++) {
		assert_int_equal(pthread_join(threads[k], NULL), 0);
		assert_int_equal(good[k], 20);
	}
}

static void out_of_memory_body(void *data)
{
	(void) data;
	AUTO(arena) a = arena_new(16, 1 << 20);
	if (!a)
		return;
	struct ctx c;
	struct child_end end;
	ctx_init(&c, a);
	const char *const argv[] = {"echo", "some words that do not fit", NULL};
	struct child child = {.argv = argv, .timeout_us = 10 * MINUTE};
	struct result r = child_run(&c, &child, &end);
	assert_int_equal(r.code, fault_has_fired() ? ERR_NO_MEMORY : ERR_NONE);
}

static void test_out_of_memory(void **state)
{
	(void) state;
	assert_true(for_each_fault(FAULT_ALLOC, false, out_of_memory_body, NULL) >= 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		child_test(test_output_and_status),
		child_test(test_arguments_as_given),
		child_test(test_large_input_and_output),
		child_test(test_input_nobody_reads),
		child_test(test_no_input_is_end_of_file),
		child_test(test_no_such_program),
		child_test(test_exec_itself_fails),
		child_test(test_deadline_kills_the_group),
		child_test(test_descendants_end),
		child_test(test_output_without_end),
		child_test(test_environment),
		child_test(test_deadlines_of_the_call),
		child_test(test_output_cap),
		child_test(test_limits),
		child_test(test_nothing_inherited),
		child_test(test_daemon_that_keeps_the_pipe),
		child_test(test_network_namespace),
		child_test(test_with_low_descriptors_closed),
		child_test(test_several_at_once),
		child_test(test_out_of_memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
