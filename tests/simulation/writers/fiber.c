/* SPDX-License-Identifier: Apache-2.0
 * Fibers and events. The scheduler runs any fiber that can run, by a seeded choice, and moves the clock when none can. */
#include "fiber.h"

#include <setjmp.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "base/random.h"

enum { FIBERS_MAX = 4096, EVENTS_MAX = 65536, STACK_SIZE = 256 * 1024 };

struct fiber {
	ucontext_t first; /* where it begins */
	jmp_buf place;    /* where it goes on: unlike swapcontext(), without system calls */
	bool has_begun;
	struct fiber_group *group;
	void *(*run)(void *arg);
	void *arg;
	const void *object; /* waits for it; NULL: for the time alone */
	int64_t until_us;
	bool waits, was_woken, is_over;
	void *stack;
};

struct event {
	int64_t at_us;
	uint64_t order;
	void (*run)(void *arg);
	void *arg;
};

static struct fiber *fibers[FIBERS_MAX], *running;
static size_t fiber_count;
static struct event events[EVENTS_MAX];
static size_t event_count;
static int64_t now_us;
static uint64_t steps;
static jmp_buf scheduler;
static void *spare_stacks[FIBERS_MAX];
static size_t spare_count;

int64_t sim_now_us(void)
{
	return now_us;
}

uint64_t sim_steps(void)
{
	return steps;
}

void sim_start(int64_t us)
{
	now_us = us;
}

struct fiber_group *fiber_self_group(void)
{
	return running ? running->group : NULL;
}

/* ---- fibers ---- */

static void leave(struct fiber *self)
{
	if (_setjmp(self->place) == 0)
		_longjmp(scheduler, 1);
}

static void enter(struct fiber *f)
{
	if (_setjmp(scheduler) != 0)
		return;
	if (f->has_begun)
		_longjmp(f->place, 1);
	f->has_begun = true;
	(void) setcontext(&f->first);
}

static void fiber_main(void)
{
	struct fiber *self = running;
	(void) self->run(self->arg);
	self->is_over = true;
	fiber_wake(self);
	leave(self);
}

static void *take_stack(void)
{
	if (spare_count)
		return spare_stacks[--spare_count];
	void *stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	return stack == MAP_FAILED ? NULL : stack;
}

struct fiber *fiber_start(struct fiber_group *group, void *(*run)(void *arg), void *arg)
{
	struct fiber *f = calloc(1, sizeof *f);
	if (!f || fiber_count == FIBERS_MAX || !(f->stack = take_stack()))
		abort();
	f->group = group;
	f->run = run;
	f->arg = arg;
	(void) getcontext(&f->first);
	f->first.uc_stack.ss_sp = f->stack;
	f->first.uc_stack.ss_size = STACK_SIZE;
	makecontext(&f->first, fiber_main, 0);
	fibers[fiber_count++] = f;
	return f;
}

bool fiber_wait(const void *object, int64_t until_us)
{
	struct fiber *self = running;
	if (!self)
		abort();
	if (until_us <= now_us && !object)
		until_us = now_us;
	self->object = object;
	self->until_us = until_us;
	self->waits = true;
	self->was_woken = false;
	leave(self);
	return self->was_woken;
}

bool fiber_is_running(const struct fiber *fiber)
{
	return !fiber->is_over;
}

void fiber_sleep(int64_t us)
{
	(void) fiber_wait(NULL, now_us + (us > 0 ? us : 0));
}

void fiber_wake(const void *object)
{
	for (size_t k = 0; object && k < fiber_count; k++)
		if (fibers[k]->waits && fibers[k]->object == object) {
			fibers[k]->waits = false;
			fibers[k]->was_woken = true;
		}
}

void fiber_end_group(struct fiber_group *group)
{
	group->is_alive = false;
	if (running && running->group == group)
		leave(running);
}

static bool can_run(const struct fiber *f)
{
	return !f->is_over && f->group->is_alive && !f->group->stands_still &&
	       (!f->waits || f->until_us <= now_us);
}

/* Forgets fibers that never run again. Their stacks are used again; what they point to stays for the rest of the history. */
static void sweep(void)
{
	size_t kept = 0;
	for (size_t k = 0; k < fiber_count; k++) {
		struct fiber *f = fibers[k];
		if (!f->is_over && f->group->is_alive) {
			fibers[kept++] = f;
			continue;
		}
		if (f->stack)
			spare_stacks[spare_count++] = f->stack;
		f->stack = NULL;
	}
	fiber_count = kept;
}

static struct fiber *choose(void)
{
	struct fiber *chosen = NULL;
	uint64_t count = 0;
	for (size_t k = 0; k < fiber_count; k++)
		if (can_run(fibers[k]) && random_below(++count) == 0)
			chosen = fibers[k];
	return chosen;
}

/* ---- events: a heap ---- */

static bool is_before(const struct event *a, const struct event *b)
{
	return a->at_us < b->at_us || (a->at_us == b->at_us && a->order < b->order);
}

void event_at(int64_t at_us, void (*run)(void *arg), void *arg)
{
	if (event_count == EVENTS_MAX)
		abort();
	size_t k = event_count++;
	struct event e = {at_us > now_us ? at_us : now_us, random_below(UINT64_MAX), run, arg};
	for (; k && is_before(&e, &events[(k - 1) / 2]); k = (k - 1) / 2)
		events[k] = events[(k - 1) / 2];
	events[k] = e;
}

static struct event take_event(void)
{
	struct event first = events[0], last = events[--event_count];
	size_t k = 0;
	for (size_t child; (child = 2 * k + 1) < event_count; k = child) {
		if (child + 1 < event_count && is_before(&events[child + 1], &events[child]))
			child++;
		if (!is_before(&events[child], &last))
			break;
		events[k] = events[child];
	}
	events[k] = last;
	return first;
}

/* ---- the scheduler ---- */

static int64_t next_time(void)
{
	int64_t next_us = event_count ? events[0].at_us : INT64_MAX;
	for (size_t k = 0; k < fiber_count; k++) {
		const struct fiber *f = fibers[k];
		if (!f->is_over && f->group->is_alive && !f->group->stands_still && f->waits &&
		    f->until_us < next_us)
			next_us = f->until_us;
	}
	return next_us;
}

void sim_run_until(int64_t until_us)
{
	for (;;) {
		if (event_count && events[0].at_us <= now_us) {
			struct event e = take_event();
			e.run(e.arg);
			continue;
		}
		struct fiber *f = choose();
		if (f) {
			steps++;
			f->waits = false;
			running = f;
			enter(f);
			running = NULL;
			if (f->is_over || !f->group->is_alive)
				sweep();
			continue;
		}
		int64_t next_us = next_time();
		if (next_us > until_us) {
			now_us = until_us;
			return;
		}
		now_us = next_us;
	}
}
