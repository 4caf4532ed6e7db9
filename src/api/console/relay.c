/* SPDX-License-Identifier: Apache-2.0
 * The relay's thread, and its lines. A line is in `all` from relay_take_line() until its connection's end,
 * which frees it on a thread of the HTTP server's. While its connection is open the relay's thread has it,
 * which is the only one to touch its bridge and descriptors. */
#include "api/console/relay.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/ceiling.h"
#include "base/clock.h"
#include "base/exec_internal.h"
#include "base/file.h"
#include "base/heap.h"
#include "base/log.h"
#include "engine/instance/instance.h"
#include "engine/people/asker.h"
#include "engine/resolve.h"
#include "http/websocket.h"
#include "model/identity.h"

enum { RESERVE_PART = 16 }; /* reserves 1/16 of the lines for administrators */
enum { ARENA_SIZE = 16 * 1024, ARENA_CAP = 4 * 1024 * 1024 };
#define WEIGH_US (5 * SECOND) /* between two checks of the token behind an open console */

struct relay_line {
	struct http_tunnel tunnel;
	struct relay *relay;
	uuid account;
	int stream_fd; /* -1: closed */
	struct bridge *bridge;
	struct ticket ticket;
	int64_t opened_us, due_us, weighed_us;
	struct relay_line *next, *previous; /* in relay.all */
	struct relay_line *next_open;       /* in relay.fresh, or the thread's own list */
};

struct relay {
	struct relay_config config;
	pthread_t thread;
	int wake_fd;
	struct pollfd *fds; /* the thread's: the wake, and two of each line */

	pthread_mutex_t lock; /* guards what follows */
	struct relay_line *all;
	size_t count;
	struct relay_line *fresh; /* open, and not yet the thread's */
	bool is_stopping, is_ended;
};

static void wake(struct relay *r)
{
	uint64_t one = 1;
	ssize_t written = write(r->wake_fd, &one, sizeof one);
	(void) written; /* a full counter wakes as well */
}

/* ---- a line's life ---- */

static size_t count_of(const struct relay *r, uuid account)
{
	size_t count = 0;
	for (const struct relay_line *l = r->all; l; l = l->next)
		count += uuid_equal(l->account, account);
	return count;
}

static void tunnel_open(struct http_tunnel *t, int fd, struct str early);
static void tunnel_end(struct http_tunnel *t);

RESULT relay_take_line(struct relay *r, struct ctx *c, uuid account, struct relay_line **ret_line)
{
	struct relay_line *l = heap_new(struct relay_line);
	if (!l)
		return ctx_no_memory(c);
	*l = (struct relay_line){.tunnel = {.open = tunnel_open, .end = tunnel_end},
				 .relay = r,
				 .account = account,
				 .stream_fd = -1};
	const struct ceiling ceiling = {r->config.line_max, r->config.per_account_max,
					r->config.line_max / RESERVE_PART};
	bool is_admin = c->who && identity_is_admin(c->who);
	(void) pthread_mutex_lock(&r->lock);
	bool has_room = !r->is_stopping && ceiling_admits(&ceiling, r->count, count_of(r, account), is_admin);
	if (has_room) {
		l->next = r->all;
		if (l->next)
			l->next->previous = l;
		r->all = l;
		r->count++;
	}
	(void) pthread_mutex_unlock(&r->lock);
	if (!has_room) {
		heap_free(l);
		return ctx_fail(c, ERR_QUOTA, "Too many consoles are open. Close one, and try again.");
	}
	*ret_line = l;
	return OK;
}

void relay_drop_line(struct relay_line *l)
{
	struct relay *r = l->relay;
	(void) pthread_mutex_lock(&r->lock);
	if (l->previous)
		l->previous->next = l->next;
	else
		r->all = l->next;
	if (l->next)
		l->next->previous = l->previous;
	r->count--;
	(void) pthread_mutex_unlock(&r->lock);
	fd_autoclose(&l->stream_fd);
	heap_free(l);
}

struct http_tunnel *relay_connect(struct relay_line *l, int stream_fd, const struct ticket *ticket)
{
	l->stream_fd = stream_fd;
	l->ticket = *ticket;
	return &l->tunnel;
}

/* Without memory for a bridge the connection still goes to the thread, which closes it. */
static void tunnel_open(struct http_tunnel *t, int fd, struct str early)
{
	struct relay_line *l = (struct relay_line *) t; /* its first member */
	struct relay *r = l->relay;
	const struct bridge_config config = {
		.web_fd = fd, .stream_fd = l->stream_fd, .early = early, .idle_us = r->config.idle_us};
	l->bridge = bridge_new(&config);
	l->opened_us = l->weighed_us = clock_monotonic_us();
	(void) pthread_mutex_lock(&r->lock);
	l->next_open = r->fresh;
	r->fresh = l;
	(void) pthread_mutex_unlock(&r->lock);
	wake(r);
}

static void tunnel_end(struct http_tunnel *t)
{
	relay_drop_line((struct relay_line *) t);
}

/* On the thread; the line is gone soon after. */
static void close_line(struct relay_line *l)
{
	char text[UUID_TEXT_SIZE];
	log_event(LOG_INFO, "console-closed", "instance=%s duration_us=%" PRId64,
		  uuid_write(l->ticket.instance, text), clock_monotonic_us() - l->opened_us);
	bridge_free(l->bridge);
	fd_autoclose(&l->stream_fd);
	http_tunnel_close(&l->tunnel);
}

/* ---- the thread ---- */

/* Takes over the new connections. False: the thread must end. */
static bool take_fresh(struct relay *r, struct relay_line **open, bool *ret_is_stopping)
{
	(void) pthread_mutex_lock(&r->lock);
	while (r->fresh) {
		struct relay_line *l = r->fresh;
		r->fresh = l->next_open;
		l->next_open = *open;
		*open = l;
	}
	*ret_is_stopping = r->is_stopping;
	bool goes_on = !r->is_ended;
	(void) pthread_mutex_unlock(&r->lock);
	return goes_on;
}

static bool is_due(const struct relay_line *l, const struct pollfd *fds, int64_t now_us)
{
	return fds[0].revents || fds[1].revents || now_us >= l->due_us;
}

/* True for failures that mean the user lost access. An instance that is off, or a lack of memory, is none. */
static bool is_refusal(struct result result)
{
	return result.code == ERR_UNAUTHENTICATED || result.code == ERR_DENIED ||
	       result.code == ERR_NOT_FOUND;
}

/* Asks what console.c asked when the console was opened. Conditions about the request stay as decided then. */
static RESULT check_access(struct relay *r, struct ctx *c, const struct ticket *ticket)
{
	struct identity *who = NULL;
	const struct instance *instance = NULL;
	const struct ref ref = ref_by_id(KIND_INSTANCE, ticket->instance);
	TRY(token_weigh(r->config.tokens, c, &ticket->by, &who));
	engine_act_by_roles(c, who);
	AUTO_VIEW view = {0};
	view_open(r->config.store, &view);
	if (r->config.guard && who)
		TRY(r->config.guard->admit(r->config.guard, c, view.tables, "instance.open_console"));
	return engine_find_console(c, view.tables, &ref, ticket->console == CONSOLE_SERIAL, &instance);
}

/* True if the user still has access. Without memory the question waits for the next time. */
static bool may_go_on(struct relay *r, struct relay_line *l, int64_t now_us)
{
	struct ctx c;
	struct arena *arena = now_us >= l->weighed_us + WEIGH_US ? arena_new(ARENA_SIZE, ARENA_CAP) : NULL;
	if (!arena)
		return true;
	ctx_init(&c, arena);
	l->weighed_us = now_us;
	bool may = !is_refusal(check_access(r, &c, &l->ticket));
	arena_free(arena);
	return may;
}

/* Each line carries what it can; those that have ended go. */
static void work_on(struct relay *r, struct relay_line **open, const struct pollfd *fds, bool is_stopping)
{
	int64_t now_us = clock_monotonic_us();
	size_t n = 1;
	for (struct relay_line **at = open; *at; n += BRIDGE_FDS) {
		struct relay_line *l = *at;
		bool goes_on = l->bridge && !is_stopping;
		bool may = !goes_on || may_go_on(r, l, now_us);
		goes_on = goes_on && may;
		if (l->bridge && !goes_on)
			bridge_end(l->bridge, may ? "dari stops" : "access ended");
		else if (goes_on && is_due(l, &fds[n], now_us))
			goes_on = bridge_work(l->bridge);
		if (goes_on) {
			at = &l->next_open;
		} else {
			*at = l->next_open;
			close_line(l);
		}
	}
}

/* Milliseconds to wait; -1: for ever. */
static int prepare(struct relay *r, struct relay_line *open, size_t *ret_count)
{
	int64_t due_us = INT64_MAX;
	size_t n = 1;
	r->fds[0] = (struct pollfd){.fd = r->wake_fd, .events = POLLIN};
	for (struct relay_line *l = open; l; l = l->next_open, n += BRIDGE_FDS) {
		l->due_us = l->bridge ? bridge_prepare(l->bridge, &r->fds[n]) : 0;
		due_us = l->due_us < due_us ? l->due_us : due_us;
		due_us = l->weighed_us + WEIGH_US < due_us ? l->weighed_us + WEIGH_US : due_us;
	}
	*ret_count = n;
	int64_t wait_us = due_us - clock_monotonic_us();
	return due_us == INT64_MAX ? -1 : wait_us <= 0 ? 0 : (int) (wait_us / MILLISECOND) + 1;
}

static void *relay_run(void *arg)
{
	struct relay *r = arg;
	struct relay_line *open = NULL;
	bool is_stopping = false;
	uint64_t ignored = 0;
	(void) pthread_setname_np(pthread_self(), "consoles");
	while (take_fresh(r, &open, &is_stopping)) {
		size_t count = 0;
		int wait_ms = prepare(r, open, &count);
		(void) poll(r->fds, count, is_stopping && open ? 0 : wait_ms);
		if (r->fds[0].revents && read(r->wake_fd, &ignored, sizeof ignored) < 0)
			continue; /* woken for nothing */
		work_on(r, &open, r->fds, is_stopping);
	}
	return NULL;
}

/* ---- the relay's life ---- */

RESULT relay_new(struct ctx *c, const struct relay_config *config, struct relay **ret_relay)
{
	struct relay *r = heap_new(struct relay);
	if (!r)
		return ctx_no_memory(c);
	r->config = *config;
	r->fds = heap_alloc((1 + config->line_max * BRIDGE_FDS) * sizeof *r->fds);
	r->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	(void) pthread_mutex_init(&r->lock, NULL);
	if (r->fds && r->wake_fd >= 0 && exec_start_thread(&r->thread, relay_run, r)) {
		*ret_relay = r;
		return OK;
	}
	(void) pthread_mutex_destroy(&r->lock);
	fd_autoclose(&r->wake_fd);
	heap_free(r->fds);
	heap_free(r);
	return ctx_fail(c, ERR_IO, "the consoles' thread can't be started");
}

static void set_flag(struct relay *r, bool *flag)
{
	(void) pthread_mutex_lock(&r->lock);
	*flag = true;
	(void) pthread_mutex_unlock(&r->lock);
	wake(r);
}

void relay_stop(struct relay *r)
{
	if (r)
		set_flag(r, &r->is_stopping);
}

void relay_free(struct relay *r)
{
	if (!r)
		return;
	set_flag(r, &r->is_ended);
	(void) pthread_join(r->thread, NULL);
	while (r->all) /* of calls that were given up while a host was asked */
		relay_drop_line(r->all);
	(void) pthread_mutex_destroy(&r->lock);
	fd_autoclose(&r->wake_fd);
	heap_free(r->fds);
	heap_free(r);
}

size_t relay_count_lines(struct relay *r)
{
	(void) pthread_mutex_lock(&r->lock);
	size_t count = r->count;
	(void) pthread_mutex_unlock(&r->lock);
	return count;
}
