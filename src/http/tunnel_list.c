/* SPDX-License-Identifier: Apache-2.0
 * The thread of a list, and its tunnels. */
#include "http/tunnel_list.h"

#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/exec_internal.h"
#include "base/file.h"
#include "base/heap.h"

struct tunnel_list {
	struct tunnel_list_config config;
	pthread_t thread;
	int wake_fd;
	struct pollfd *fds; /* the thread's: the wake, and those of each tunnel */

	pthread_mutex_t lock; /* guards the rest */
	struct listed_tunnel *all;
	size_t count;
	struct listed_tunnel *fresh; /* open, and not yet the thread's */
	bool is_stopping, is_ended;
};

static void wake(struct tunnel_list *list)
{
	uint64_t one = 1;
	ssize_t written = write(list->wake_fd, &one, sizeof one);
	(void) written; /* a full counter wakes as well */
}

/* ---- a tunnel's life ---- */

static size_t count_of(const struct tunnel_list *list, uuid asker)
{
	size_t count = 0;
	for (const struct listed_tunnel *t = list->all; t; t = t->next)
		count += uuid_equal(t->asker, asker);
	return count;
}

static void tunnel_open(struct http_tunnel *tunnel, int fd, struct str early)
{
	struct listed_tunnel *t = (struct listed_tunnel *) tunnel; /* its first member */
	struct tunnel_list *list = t->list;
	list->config.open(t, fd, early);
	(void) pthread_mutex_lock(&list->lock);
	t->next_open = list->fresh;
	list->fresh = t;
	(void) pthread_mutex_unlock(&list->lock);
	wake(list);
}

static void tunnel_end(struct http_tunnel *tunnel)
{
	tunnel_list_drop((struct listed_tunnel *) tunnel);
}

RESULT tunnel_list_take(struct tunnel_list *list, struct ctx *c, uuid asker, bool is_administrator,
			struct listed_tunnel **ret_tunnel)
{
	struct listed_tunnel *t = heap_alloc(list->config.tunnel_size);
	if (!t)
		return ctx_no_memory(c);
	t->tunnel = (struct http_tunnel){.open = tunnel_open, .end = tunnel_end};
	t->list = list;
	t->asker = asker;
	(void) pthread_mutex_lock(&list->lock);
	bool has_room = !list->is_stopping && ceiling_admits(&list->config.ceiling, list->count,
							     count_of(list, asker), is_administrator);
	if (has_room) {
		t->next = list->all;
		if (t->next)
			t->next->previous = t;
		list->all = t;
		list->count++;
	}
	(void) pthread_mutex_unlock(&list->lock);
	if (!has_room) {
		heap_free(t);
		return ctx_fail(c, ERR_QUOTA, "%s", list->config.refusal);
	}
	*ret_tunnel = t;
	return OK;
}

void tunnel_list_drop(struct listed_tunnel *t)
{
	struct tunnel_list *list = t->list;
	(void) pthread_mutex_lock(&list->lock);
	if (t->previous)
		t->previous->next = t->next;
	else
		list->all = t->next;
	if (t->next)
		t->next->previous = t->previous;
	list->count--;
	(void) pthread_mutex_unlock(&list->lock);
	list->config.clear(t);
	heap_free(t);
}

/* ---- the thread ---- */

/* Takes over the new tunnels. False: the thread must end. */
static bool take_fresh(struct tunnel_list *list, struct listed_tunnel **open, bool *ret_is_stopping)
{
	(void) pthread_mutex_lock(&list->lock);
	while (list->fresh) {
		struct listed_tunnel *t = list->fresh;
		list->fresh = t->next_open;
		t->next_open = *open;
		*open = t;
	}
	*ret_is_stopping = list->is_stopping;
	bool goes_on = !list->is_ended;
	(void) pthread_mutex_unlock(&list->lock);
	return goes_on;
}

/* Returns milliseconds to wait; -1: for ever. */
static int prepare(struct tunnel_list *list, struct listed_tunnel *open, size_t *ret_count)
{
	int64_t due_us = INT64_MAX;
	size_t n = 1;
	list->fds[0] = (struct pollfd){.fd = list->wake_fd, .events = POLLIN};
	for (struct listed_tunnel *t = open; t; t = t->next_open, n += list->config.fd_count) {
		int64_t own_us = list->config.prepare(t, &list->fds[n]);
		due_us = own_us < due_us ? own_us : due_us;
	}
	*ret_count = n;
	int64_t wait_us = due_us - clock_monotonic_us();
	return due_us == INT64_MAX ? -1 : wait_us <= 0 ? 0 : (int) (wait_us / MILLISECOND) + 1;
}

/* Each tunnel does what it can; those that have ended go. */
static void work(struct tunnel_list *list, struct listed_tunnel **open, bool is_stopping)
{
	int64_t now_us = clock_monotonic_us();
	size_t n = 1;
	for (struct listed_tunnel **at = open; *at; n += list->config.fd_count) {
		struct listed_tunnel *t = *at;
		if (list->config.work(t, &list->fds[n], now_us, is_stopping)) {
			at = &t->next_open;
		} else {
			*at = t->next_open;
			http_tunnel_close(&t->tunnel); /* its end frees the tunnel */
		}
	}
}

static void *list_run(void *arg)
{
	struct tunnel_list *list = arg;
	struct listed_tunnel *open = NULL;
	bool is_stopping = false;
	uint64_t ignored = 0;
	(void) pthread_setname_np(pthread_self(), list->config.thread_name);
	while (take_fresh(list, &open, &is_stopping)) {
		size_t count = 0;
		int wait_ms = prepare(list, open, &count);
		(void) poll(list->fds, count, is_stopping && open ? 0 : wait_ms);
		if (list->fds[0].revents && read(list->wake_fd, &ignored, sizeof ignored) < 0)
			continue; /* woken for nothing */
		work(list, &open, is_stopping);
	}
	return NULL;
}

/* ---- the list's life ---- */

RESULT tunnel_list_new(struct ctx *c, const struct tunnel_list_config *config, struct tunnel_list **ret_list)
{
	struct tunnel_list *list = heap_new(struct tunnel_list);
	if (!list)
		return ctx_no_memory(c);
	list->config = *config;
	list->fds = heap_alloc_array(1 + config->ceiling.most * config->fd_count, sizeof *list->fds);
	list->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	(void) pthread_mutex_init(&list->lock, NULL);
	if (list->fds && list->wake_fd >= 0 && exec_start_thread(&list->thread, list_run, list)) {
		*ret_list = list;
		return OK;
	}
	(void) pthread_mutex_destroy(&list->lock);
	fd_autoclose(&list->wake_fd);
	heap_free(list->fds);
	heap_free(list);
	return ctx_fail(c, ERR_IO, "the thread %s can't be started", config->thread_name);
}

static void set_flag(struct tunnel_list *list, bool *flag)
{
	(void) pthread_mutex_lock(&list->lock);
	*flag = true;
	(void) pthread_mutex_unlock(&list->lock);
	wake(list);
}

void tunnel_list_stop(struct tunnel_list *list)
{
	if (list)
		set_flag(list, &list->is_stopping);
}

void tunnel_list_free(struct tunnel_list *list)
{
	if (!list)
		return;
	set_flag(list, &list->is_ended);
	(void) pthread_join(list->thread, NULL);
	while (list->all) /* of calls that were given up before call_upgrade() */
		tunnel_list_drop(list->all);
	(void) pthread_mutex_destroy(&list->lock);
	fd_autoclose(&list->wake_fd);
	heap_free(list->fds);
	heap_free(list);
}

size_t tunnel_list_count(struct tunnel_list *list)
{
	(void) pthread_mutex_lock(&list->lock);
	size_t count = list->count;
	(void) pthread_mutex_unlock(&list->lock);
	return count;
}
