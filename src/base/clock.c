/* SPDX-License-Identifier: Apache-2.0
 * The two clocks, and their control by tests. Conversions to text are in clock_text.c. */
#include "base/clock.h"

#include <errno.h>
#include <stdatomic.h>
#include <time.h>

#include "base/reads.h"

/* 0: the system's time. Released and acquired: whoever reads a time that a test set sees what the test did before. */
static _Atomic int64_t frozen_us;
static _Atomic int64_t set_by_us; /* test's offset */
/* the largest offset of the wall clock from the monotonic one seen so far */
static _Atomic int64_t ahead_us;

static int64_t system_us(clockid_t id)
{
	struct timespec now = {0};
	(void) clock_gettime(id, &now);
	return (int64_t) now.tv_sec * SECOND + now.tv_nsec / 1000;
}

static int64_t wall_us(void)
{
	return system_us(CLOCK_REALTIME) + atomic_load_explicit(&set_by_us, memory_order_relaxed);
}

int64_t clock_now_us(void)
{
	reads_note_clock();
	int64_t frozen = atomic_load_explicit(&frozen_us, memory_order_acquire);
	return frozen ? frozen : wall_us();
}

/* The offset between the clocks changes only when the wall clock is set. */
int64_t clock_steady_us(void)
{
	reads_note_clock();
	int64_t frozen = atomic_load_explicit(&frozen_us, memory_order_acquire);
	if (frozen)
		return frozen;
	int64_t monotonic = system_us(CLOCK_MONOTONIC), ahead = wall_us() - monotonic;
	int64_t furthest = atomic_load_explicit(&ahead_us, memory_order_relaxed);
	while (ahead > furthest && !atomic_compare_exchange_weak(&ahead_us, &furthest, ahead))
		;
	return monotonic + (ahead > furthest ? ahead : furthest);
}

int64_t clock_monotonic_us(void)
{
	reads_note_clock();
	int64_t frozen = atomic_load_explicit(&frozen_us, memory_order_acquire);
	return frozen ? frozen : system_us(CLOCK_MONOTONIC);
}

int64_t clock_thread_ns(void)
{
	struct timespec used = {0};
	(void) clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
	return (int64_t) used.tv_sec * 1000 * 1000 * 1000 + used.tv_nsec;
}

int64_t clock_system_us(void)
{
	return system_us(CLOCK_MONOTONIC);
}

int64_t clock_boot_us(void)
{
	int64_t frozen = atomic_load_explicit(&frozen_us, memory_order_acquire);
	return frozen ? frozen : system_us(CLOCK_BOOTTIME);
}

bool clock_is_frozen(void)
{
	return atomic_load_explicit(&frozen_us, memory_order_acquire) != 0;
}

void clock_set_wall_us(int64_t by_us)
{
	atomic_store_explicit(&set_by_us, by_us, memory_order_relaxed);
}

void clock_set_us(int64_t now_us)
{
	atomic_store_explicit(&frozen_us, now_us, memory_order_release);
}

void clock_advance_us(int64_t by_us)
{
	int64_t before = atomic_load_explicit(&frozen_us, memory_order_acquire);
	int64_t after = 0;
	do { /* freezes a running clock at its current time first */
		after = (before ? before : wall_us()) + by_us;
	} while (!atomic_compare_exchange_weak(&frozen_us, &before, after));
}

void clock_sleep_us(int64_t us)
{
	if (us <= 0)
		return;
	if (clock_is_frozen()) {
		clock_advance_us(us);
		return;
	}
	struct timespec left = {.tv_sec = us / SECOND, .tv_nsec = us % SECOND * 1000};
	while (nanosleep(&left, &left) < 0 && errno == EINTR)
		;
}
