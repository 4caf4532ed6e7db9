/* SPDX-License-Identifier: Apache-2.0
 * Runs a helper program. The child is created by vfork(), so that a process with a gigabyte of memory doesn't
 * copy its page tables for each qemu-img. Between vfork and exec it only makes system calls, with the data
 * passed to child_main(). It leads its own process group, which is killed as a whole.
 *
 * Deadlines here use real time rather than the test clock: a child process runs in real time. */
#include "base/child.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <linux/close_range.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/random.h"

/* READS_MAX: reads of one pipe before the deadline is looked at again. They hold more than a pipe does.
 * ROUNDS_MAX: looks at all processes, because one that is killed may just have created another. */
enum {
	OUTPUT_CAP_SIZE = 1024 * 1024,
	PATH_SIZE = 4096,
	READ_SIZE = 4096,
	READS_MAX = 512,
	ROUNDS_MAX = 50,
	MARK_SIZE = 48,
	PROC_PATH_SIZE = 300,
	NO_PID = 0,
	LOOK_MS = 1000
};

/* ---- environment ---- */

/* A descendant may leave its process group, its session and its parent, as the programs behind pseudo terminals do; the mark in its
 * environment stays. */
struct environment {
	char *const *at;      /* NULL-terminated, in the context's arena */
	char mark[MARK_SIZE]; /* variable that no other process has; empty: none */
};

static bool is_private(const char *variable)
{
	static const char *const heads[] = {
		"NOTIFY_SOCKET=",      "CREDENTIALS_DIRECTORY=",  "WATCHDOG_",  "LISTEN_", "PG",
		"DARI_ACCESS_KEY_ID=", "DARI_SECRET_ACCESS_KEY=", "DARI_TOKEN="};
	for (size_t k = 0; k < sizeof heads / sizeof heads[0]; k++)
		if (strncmp(variable, heads[k], strlen(heads[k])) == 0)
			return true;
	return false;
}

static void make_mark(char mark[static MARK_SIZE])
{
	(void) snprintf(mark, MARK_SIZE, "DARI_CHILD=%016llx%016llx", (unsigned long long) random_u64(),
			(unsigned long long) random_u64());
}

/* Copies the process's environment without variables that are meant for Dari alone: sockets and credentials of the service
 * manager, PostgreSQL's, and keys of callers. is_marked: adds the mark, which descendants inherit. */
static RESULT make_environment(struct ctx *c, bool is_marked, struct environment *ret_environment)
{
	size_t count = 0, kept = 0;
	while (environ && environ[count])
		count++;
	char **at = arena_new_array(c->arena, char *, count + 2);
	if (!at)
		return ctx_no_memory(c);
	*ret_environment = (struct environment){.at = at};
	for (size_t k = 0; k < count; k++)
		if (!is_private(environ[k]))
			at[kept++] = environ[k];
	if (is_marked) {
		make_mark(ret_environment->mark);
		at[kept++] = ret_environment->mark;
	}
	at[kept] = NULL;
	return OK;
}

/* ---- descendants ---- */

/* True if one of the file's texts, which end with NUL, is the mark. */
static bool has_text(int fd, const char *mark)
{
	char part[READ_SIZE];
	size_t size = strlen(mark) + 1, matched = 0;
	bool is_start = true;
	ssize_t got = 0;
	while ((got = read(fd, part, sizeof part)) > 0)
		for (ssize_t k = 0; k < got; k++) {
			if (is_start)
				matched = 0;
			is_start = part[k] == '\0';
			matched = matched < size && part[k] == mark[matched] ? matched + 1 : size + 1;
			if (matched == size)
				return true;
		}
	return false;
}

/* The descriptor names the process even if it ends and another one gets its number. */
static bool kill_marked(const char *number, const char *mark)
{
	char path[PROC_PATH_SIZE];
	AUTO_FD process = (int) syscall(SYS_pidfd_open, (pid_t) strtol(number, NULL, 10), 0U);
	(void) snprintf(path, sizeof path, "/proc/%s/environ", number);
	AUTO_FD file = process >= 0 ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	return file >= 0 && has_text(file, mark) &&
	       syscall(SYS_pidfd_send_signal, process, SIGKILL, NULL, 0U) == 0;
}

/* Kills all processes with the mark. A process that has replaced its environment is not found. A killed one has none any more, so
 * that each round kills those alone that the last one missed. */
static void kill_descendants(const struct environment *environment)
{
	bool has_killed = environment->mark[0] != '\0';
	for (int round = 0; has_killed && round < ROUNDS_MAX; round++) {
		DIR *processes = opendir("/proc");
		const struct dirent *each = NULL;
		has_killed = false;
		while (processes && (each = readdir(processes)))
			if (each->d_name[0] >= '1' && each->d_name[0] <= '9')
				has_killed |= kill_marked(each->d_name, environment->mark);
		if (processes)
			(void) closedir(processes);
	}
}

/* ---- the child ---- */

/* Pipe ends; [0] is the read end. */
struct pipes {
	int in[2], out[2], err[2], trouble[2]; /* trouble: errno of a failure before the exec */
};

struct running {
	const struct child *child;
	struct environment environment;
	struct pipes pipes;
	pid_t pid;
	int pid_fd; /* readable when the child has ended */
	int status; /* from waitpid */
	size_t input_at;
	struct buf out, err;
	int64_t deadline_us; /* on real_us()'s scale; INT64_MAX: none */
};

static int64_t real_us(void)
{
	struct timespec now = {0};
	(void) clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t) now.tv_sec * SECOND + now.tv_nsec / 1000;
}

static void close_fd(int *fd)
{
	fd_autoclose(fd);
}

static void running_stop(struct running *r)
{
	int *fds[] = {&r->pipes.in[0],      &r->pipes.in[1],      &r->pipes.out[0],
		      &r->pipes.out[1],     &r->pipes.err[0],     &r->pipes.err[1],
		      &r->pipes.trouble[0], &r->pipes.trouble[1], &r->pid_fd};
	if (r->pid != NO_PID) {
		(void) kill(-r->pid, SIGKILL);
		(void) kill(r->pid, SIGKILL); /* it may not have created its group yet */
		while (waitpid(r->pid, NULL, 0) < 0 && errno == EINTR)
			continue;
		r->pid = NO_PID;
	}
	kill_descendants(&r->environment);
	for (size_t k = 0; k < sizeof fds / sizeof fds[0]; k++)
		close_fd(fds[k]);
	buf_done(&r->out);
	buf_done(&r->err);
}

static RESULT fail_errno(struct ctx *c, enum err err, const char *what, const char *program, int number)
{
	char text[128];
	return ctx_fail(c, err, "cannot %s %s: %s", what, program, strerror_r(number, text, sizeof text));
}

/* Creates both ends close-on-exec and above 2, so that dup2 onto 0, 1 and 2 doesn't overwrite either. */
static bool make_pipe(int ends[2])
{
	int raw[2];
	if (pipe2(raw, O_CLOEXEC) != 0)
		return false;
	for (size_t k = 0; k < 2; k++) {
		ends[k] = raw[k];
		if (raw[k] > STDERR_FILENO)
			continue;
		ends[k] = fcntl(raw[k], F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
		(void) close(raw[k]);
	}
	return ends[0] >= 0 && ends[1] >= 0;
}

static bool is_program(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

/* Finds the program in PATH. Must precede the vfork, because the search needs more than system calls. */
static RESULT find_program(struct ctx *c, const char *name, const char **ret_path)
{
	if (strchr(name, '/')) {
		*ret_path = name;
		return is_program(name) ? OK : ctx_fail(c, ERR_NOT_FOUND, "no such program: %s", name);
	}
	const char *path = getenv("PATH");
	struct str rest =
		str_from(path ? path : "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
	struct str folder;
	while (str_split_next(&rest, ':', &folder)) {
		if (folder.n == 0 || folder.n > PATH_SIZE)
			continue; /* an empty entry would mean the working directory, which a daemon must
				   * not search */
		struct str full = str_print(c->arena, "%" STR_FMT "/%s", STR_ARG(folder), name);
		if (!full.p)
			return ctx_no_memory(c);
		if (is_program(full.p)) {
			*ret_path = full.p;
			return OK;
		}
	}
	return ctx_fail(c, ERR_NOT_FOUND, "no such program in PATH: %s", name);
}

static bool limit(int resource, uint64_t value)
{
	struct rlimit both = {.rlim_cur = value, .rlim_max = value};
	return setrlimit((__rlimit_resource_t) resource, &both) == 0;
}

/* From here to child_main(), code runs in the child on the parent's memory: it may only make system calls,
 * and change no variable but errno. */
static bool child_wire_up(const struct pipes *p)
{
	return dup2(p->in[0], STDIN_FILENO) >= 0 && dup2(p->out[1], STDOUT_FILENO) >= 0 &&
	       dup2(p->err[1], STDERR_FILENO) >= 0 &&
	       syscall(SYS_close_range, 3U, ~0U, (unsigned) CLOSE_RANGE_CLOEXEC) == 0;
}

static bool child_confine(const struct child *child)
{
	return (child->netns_fd <= 0 || setns(child->netns_fd, CLONE_NEWNET) == 0) &&
	       (!child->memory_limit_size || limit(RLIMIT_AS, child->memory_limit_size)) &&
	       (!child->file_limit_size || limit(RLIMIT_FSIZE, (uint64_t) child->file_limit_size)) &&
	       (!child->cpu_limit_s || limit(RLIMIT_CPU, (uint64_t) child->cpu_limit_s)) &&
	       limit(RLIMIT_CORE, 0);
}

/* Resets dispositions and the mask. Ignored signals (SIGPIPE here, possibly more from the parent process) and
 * the signal mask would survive the exec. Signals that can't be changed return an error, which is ignored. */
static bool child_reset_signals(void)
{
	static const struct sigaction by_default = {.sa_handler = SIG_DFL};
	static const sigset_t nothing;
	for (int number = 1; number < 32; number++)
		(void) sigaction(number, &by_default, NULL);
	return sigprocmask(SIG_SETMASK, &nothing, NULL) == 0;
}

static _Noreturn void child_main(const struct running *r, const char *path)
{
	if (setpgid(0, 0) == 0 && prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && child_wire_up(&r->pipes) &&
	    child_confine(r->child) && child_reset_signals())
		(void) execve(path, (char *const *) r->child->argv, r->environment.at);
	int number = errno;
	ssize_t written = write(r->pipes.trouble[1], &number, sizeof number);
	(void) written;
	_exit(127);
}

/* A separate function, because the child must not return from the frame that called vfork. */
static __attribute__((noinline)) pid_t spawn(const struct running *r, const char *path)
{
	pid_t pid = vfork();
	if (pid == 0)
		child_main(r, path);
	return pid;
}

static bool set_nonblocking(int fd)
{
	return fcntl(fd, F_SETFL, O_NONBLOCK) == 0;
}

static RESULT start(struct ctx *c, struct running *r)
{
	const char *program = r->child->argv[0], *path = NULL;
	struct pipes *p = &r->pipes;
	TRY(find_program(c, program, &path));
	TRY(make_environment(c, r->child->ends_descendants, &r->environment));
	if (!make_pipe(p->in) || !make_pipe(p->out) || !make_pipe(p->err) || !make_pipe(p->trouble) ||
	    !set_nonblocking(p->in[1]) || !set_nonblocking(p->out[0]) || !set_nonblocking(p->err[0]))
		return fail_errno(c, ERR_IO, "make pipes for", program, errno);

	sigset_t all, before; /* signal handlers must not run in the child, which shares the parent's
			       * memory */
	(void) sigfillset(&all);
	(void) pthread_sigmask(SIG_SETMASK, &all, &before);
	pid_t pid = spawn(r, path);
	int number = errno;
	(void) pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (pid < 0)
		return fail_errno(c, ERR_IO, "start", program, number);
	r->pid = pid;
	close_fd(&p->in[0]);
	close_fd(&p->out[1]);
	close_fd(&p->err[1]);
	close_fd(&p->trouble[1]);
	ssize_t got = 0; /* nothing to read: the exec closed the pipe */
	do {
		got = read(p->trouble[0], &number, sizeof number);
	} while (got < 0 && errno == EINTR);
	if (got == (ssize_t) sizeof number)
		return fail_errno(c, number == ENOENT ? ERR_NOT_FOUND : ERR_IO, "run", program, number);
	r->pid_fd = (int) syscall(SYS_pidfd_open, pid, 0U);
	return r->pid_fd >= 0 ? OK : fail_errno(c, ERR_IO, "watch", program, errno);
}

static void feed(struct running *r)
{
	struct str left = str_slice(r->child->input, r->input_at, r->child->input.n);
	ssize_t put = left.n ? write(r->pipes.in[1], left.p, left.n) : 0;
	if (put > 0)
		r->input_at += (size_t) put;
	bool later = put < 0 && (errno == EAGAIN || errno == EINTR);
	if (r->input_at == r->child->input.n || (put < 0 && !later))
		close_fd(&r->pipes.in[1]); /* everything written, or the child doesn't read it, which is
					    * not an error */
}

/* Makes room for n bytes: the newest half stays, because a program says last why it ended. */
static void drop_front(struct buf *into, size_t n)
{
	size_t kept = into->cap_size / 2;
	if (n + kept > into->cap_size)
		kept = into->cap_size - n;
	if (kept > into->size)
		kept = into->size;
	memmove(into->p, into->p + into->size - kept, kept);
	into->size = kept;
}

/* Reads the available data, but no longer than READS_MAX: a child may write as fast as this reads. False: above the cap. */
static bool drain(int *fd, bool keeps_ends, struct buf *into)
{
	for (int k = 0; *fd >= 0 && k < READS_MAX; k++) {
		char part[READ_SIZE];
		ssize_t got = read(*fd, part, sizeof part);
		if (got > 0) {
			if (keeps_ends && into->size + (size_t) got > into->cap_size)
				drop_front(into, (size_t) got);
			buf_add(into, part, (size_t) got);
			if (into->failed)
				return false;
			continue;
		}
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 && errno == EAGAIN)
			return true;
		close_fd(fd);
	}
	return true;
}

static int poll_timeout_ms(const struct running *r)
{
	const int most_ms = r->child->is_over ? LOOK_MS : (int) (HOUR / MILLISECOND);
	if (r->deadline_us == INT64_MAX)
		return r->child->is_over ? most_ms : -1;
	int64_t left_ms = (r->deadline_us - real_us()) / MILLISECOND;
	if (left_ms < 0)
		return 0;
	return left_ms >= most_ms ? most_ms : (int) left_ms + 1;
}

static RESULT check_output(struct ctx *c, const struct running *r, const struct buf *b)
{
	if (!b->failed)
		return OK;
	if (!b->too_large)
		return ctx_no_memory(c);
	return ctx_fail(c, ERR_TOO_LARGE, "%s wrote more than %zu bytes", r->child->argv[0], b->cap_size);
}

/* Exchanges data until the child ends, then reads the rest from the pipes. Doesn't wait for descendants that
 * keep them open. */
static RESULT converse(struct ctx *c, struct running *r)
{
	for (bool ended = false; !ended;) {
		struct pollfd fds[] = {{.fd = r->pid_fd, .events = POLLIN},
				       {.fd = r->pipes.in[1], .events = POLLOUT},
				       {.fd = r->pipes.out[0], .events = POLLIN},
				       {.fd = r->pipes.err[0], .events = POLLIN}};
		int ready = poll(fds, sizeof fds / sizeof fds[0], poll_timeout_ms(r));
		if (ready < 0 && errno != EINTR)
			return fail_errno(c, ERR_IO, "wait for", r->child->argv[0], errno);
		ended = ready > 0 && fds[0].revents;
		if (r->pipes.in[1] >= 0)
			feed(r);
		bool all = drain(&r->pipes.out[0], r->child->keeps_ends, &r->out);
		all = drain(&r->pipes.err[0], r->child->keeps_ends, &r->err) && all;
		if (!all) {
			TRY(check_output(c, r, &r->out));
			return check_output(c, r, &r->err);
		}
		if (!ended && r->child->is_over && r->child->is_over(r->child->over_of))
			return ctx_fail(c, ERR_GONE, "%s was killed before its end", r->child->argv[0]);
		if (!ended && real_us() >= r->deadline_us)
			return ctx_fail(c, ERR_TIMEOUT, "%s did not end in time and was killed",
					r->child->argv[0]);
	}
	return OK;
}

static RESULT reap(struct ctx *c, struct running *r)
{
	pid_t got = 0;
	do {
		got = waitpid(r->pid, &r->status, 0);
	} while (got < 0 && errno == EINTR);
	pid_t pid = r->pid;
	r->pid = NO_PID;
	return got == pid ? OK : fail_errno(c, ERR_IO, "wait for", r->child->argv[0], errno);
}

static RESULT take_output(struct ctx *c, const struct buf *b, struct str *ret_text)
{
	*ret_text = str_copy(c->arena, buf_str(b));
	return b->size && !ret_text->p ? ctx_no_memory(c) : OK;
}

static int64_t deadline_of(const struct ctx *c, const struct child *child)
{
	int64_t left_us = child->timeout_us > 0 ? child->timeout_us : INT64_MAX;
	if (c->deadline_us) {
		int64_t call_left_us = c->deadline_us - clock_now_us();
		if (call_left_us < left_us)
			left_us = call_left_us;
	}
	int64_t now_us = real_us();
	return left_us > INT64_MAX - now_us ? INT64_MAX : now_us + left_us;
}

/* Blocks SIGPIPE in this thread while it writes to a child that may not read, and consumes a pending one, so
 * that neither the process's handler nor other threads are affected. */
struct quiet {
	sigset_t before;
	bool was_pending;
};

static void quiet_begin(struct quiet *q)
{
	sigset_t pipe_only, pending;
	(void) sigemptyset(&pipe_only);
	(void) sigaddset(&pipe_only, SIGPIPE);
	(void) sigpending(&pending);
	q->was_pending = sigismember(&pending, SIGPIPE) == 1;
	(void) pthread_sigmask(SIG_BLOCK, &pipe_only, &q->before);
}

static void quiet_end(struct quiet *q)
{
	static const struct timespec at_once;
	sigset_t pipe_only;
	(void) sigemptyset(&pipe_only);
	(void) sigaddset(&pipe_only, SIGPIPE);
	if (!q->was_pending)
		while (sigtimedwait(&pipe_only, NULL, &at_once) < 0 && errno == EINTR)
			continue;
	(void) pthread_sigmask(SIG_SETMASK, &q->before, NULL);
}

RESULT child_run(struct ctx *c, const struct child *child, struct child_end *ret_end)
{
	__attribute__((cleanup(quiet_end))) struct quiet quiet;
	quiet_begin(&quiet);
	__attribute__((cleanup(running_stop))) struct running r = {
		.child = child,
		.pipes = {{-1, -1}, {-1, -1}, {-1, -1}, {-1, -1}},
		.pid_fd = -1,
		.deadline_us = deadline_of(c, child),
	};
	size_t cap_size = child->output_cap_size ? child->output_cap_size : OUTPUT_CAP_SIZE;
	buf_init(&r.out, cap_size);
	buf_init(&r.err, cap_size);
	if (real_us() >= r.deadline_us)
		return ctx_fail(c, ERR_TIMEOUT, "no time left to run %s", child->argv[0]);
	TRY(start(c, &r));
	struct result talk = converse(c, &r);
	if (!result_is_ok(talk)) {
		if (child->keeps_ends) {
			TRY(take_output(c, &r.out, &ret_end->out));
			TRY(take_output(c, &r.err, &ret_end->err));
		}
		return talk;
	}
	TRY(reap(c, &r));
	struct child_end end = {.status = WIFSIGNALED(r.status) ? 128 + WTERMSIG(r.status)
								: WEXITSTATUS(r.status)};
	TRY(take_output(c, &r.out, &end.out));
	TRY(take_output(c, &r.err, &end.err));
	*ret_end = end;
	return OK;
}
