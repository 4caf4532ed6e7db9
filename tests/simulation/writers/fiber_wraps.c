/* SPDX-License-Identifier: Apache-2.0
 * Functions that the linker calls instead of the system's and base/clock.c's: see meson.build's --wrap. Outside of fibers the
 * real ones run. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "fiber.h"
#include "history.h"
#include "libpq.h"

/* The linker's names begin with underscores. */
#pragma GCC diagnostic ignored "-Wmissing-prototypes"
#pragma GCC diagnostic ignored "-Wmissing-declarations"

/* ---- threads ---- */

static unsigned mutex_waiters; /* at least: ended processes' waiters stay counted */

int __real_pthread_mutex_lock(pthread_mutex_t *lock);

int __wrap_pthread_create(pthread_t *ret_thread, const pthread_attr_t *attributes, void *(*run)(void *),
			  void *arg)
{
	(void) attributes;
	*ret_thread = (pthread_t) fiber_start(fiber_self_group(), run, arg);
	return 0;
}

/* Fibers that are over stay in memory. */
int __wrap_pthread_join(pthread_t thread, void **ret_result)
{
	if (ret_result)
		*ret_result = NULL;
	while (fiber_is_running((struct fiber *) thread))
		(void) fiber_wait((const void *) thread, INT64_MAX);
	return 0;
}

int __wrap_pthread_setname_np(pthread_t thread, const char *name)
{
	(void) thread;
	(void) name;
	return 0;
}

int __wrap_pthread_sigmask(int how, const sigset_t *set, sigset_t *ret_before)
{
	(void) how;
	(void) set;
	if (ret_before)
		(void) sigemptyset(ret_before);
	return 0;
}

int __wrap_pthread_mutex_lock(pthread_mutex_t *lock)
{
	if (!fiber_self_group())
		return __real_pthread_mutex_lock(lock);
	while (pthread_mutex_trylock(lock) == EBUSY) {
		mutex_waiters++;
		(void) fiber_wait(lock, INT64_MAX);
		mutex_waiters--;
	}
	return 0;
}

int __real_pthread_mutex_unlock(pthread_mutex_t *lock);

int __wrap_pthread_mutex_unlock(pthread_mutex_t *lock)
{
	int failed = __real_pthread_mutex_unlock(lock);
	if (mutex_waiters)
		fiber_wake(lock);
	return failed;
}

static int wait_on(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t until_us)
{
	(void) __wrap_pthread_mutex_unlock(lock);
	bool was_woken = fiber_wait(cond, until_us);
	(void) __wrap_pthread_mutex_lock(lock);
	return was_woken ? 0 : ETIMEDOUT;
}

int __wrap_pthread_cond_wait(pthread_cond_t *cond, pthread_mutex_t *lock)
{
	return wait_on(cond, lock, INT64_MAX);
}

int __wrap_pthread_cond_clockwait(pthread_cond_t *cond, pthread_mutex_t *lock, clockid_t clock,
				  const struct timespec *until)
{
	(void) clock; /* the monotonic one, which is true */
	return wait_on(cond, lock, (int64_t) until->tv_sec * SECOND + until->tv_nsec / 1000);
}

int __wrap_pthread_cond_signal(pthread_cond_t *cond)
{
	fiber_wake(cond);
	return 0;
}

int __wrap_pthread_cond_broadcast(pthread_cond_t *cond)
{
	fiber_wake(cond);
	return 0;
}

/* ---- clocks ---- */

int64_t __wrap_clock_now_us(void)
{
	const struct fiber_group *group = fiber_self_group();
	return sim_now_us() + (group ? group->clock_ahead_us : 0);
}

int64_t __wrap_clock_steady_us(void)
{
	return __wrap_clock_now_us();
}

int64_t __wrap_clock_monotonic_us(void)
{
	return sim_now_us();
}

int64_t __wrap_clock_system_us(void)
{
	return sim_now_us();
}

int64_t __wrap_clock_boot_us(void)
{
	return sim_now_us();
}

void __wrap_clock_sleep_us(int64_t us)
{
	fiber_sleep(us);
}

/* ---- processes ---- */

int __real_poll(struct pollfd *fds, nfds_t count, int max_ms);

enum { SOCKETS_LOOK_US = 100000 }; /* between looks at sockets of the machine that runs the test */

int __wrap_poll(struct pollfd *fds, nfds_t count, int max_ms)
{
	if (!fiber_self_group())
		return __real_poll(fds, count, max_ms);
	int64_t until_us = max_ms < 0 ? INT64_MAX : sim_now_us() + max_ms * MILLISECOND;
	for (nfds_t n = 0; n < count; n++)
		fds[n].revents = 0;
	if (count == 1 && fds->fd >= LIBPQ_FD_FIRST)
		return libpq_poll(fds, until_us);
	bool are_real = count > 0 && fds->fd >= 0;
	int ready = 0;
	while (are_real && sim_now_us() < until_us && (ready = __real_poll(fds, count, 0)) == 0)
		fiber_sleep(SOCKETS_LOOK_US);
	if (!are_real)
		(void) fiber_wait(NULL, until_us);
	return ready;
}

int __wrap_shutdown(int fd, int how)
{
	(void) how;
	libpq_shut_down(fd);
	return 0;
}

int __wrap_sigtimedwait(const sigset_t *set, siginfo_t *ret_info, const struct timespec *max)
{
	struct fiber_group *group = fiber_self_group();
	(void) set;
	(void) ret_info;
	if (!group->is_told_to_end)
		fiber_sleep((int64_t) max->tv_sec * SECOND + max->tv_nsec / 1000);
	if (group->is_told_to_end)
		return SIGTERM;
	errno = EAGAIN;
	return -1;
}

_Noreturn void __real__exit(int status);

static _Noreturn void leave(int status)
{
	struct fiber_group *group = fiber_self_group();
	group->exited(group, status);
	fiber_end_group(group);
	abort();
}

_Noreturn void __wrap__exit(int status)
{
	if (!fiber_self_group())
		__real__exit(status);
	leave(status);
}

int __wrap_execv(const char *path, char *const argv[])
{
	(void) path;
	(void) argv;
	leave(-1);
}

pid_t __real_getpid(void);
int __real_kill(pid_t pid, int number);

pid_t __wrap_getpid(void)
{
	const struct fiber_group *group = fiber_self_group();
	return group ? process_pid(group->number) : __real_getpid();
}

int __wrap_gethostname(char *name, size_t size)
{
	const struct fiber_group *group = fiber_self_group();
	(void) snprintf(name, size, "m%d", group ? group->machine : 0);
	return 0;
}

int __wrap_kill(pid_t pid, int number)
{
	if (!fiber_self_group())
		return __real_kill(pid, number);
	if (process_is_alive(pid))
		return 0;
	errno = ESRCH;
	return -1;
}
