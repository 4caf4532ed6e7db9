/* SPDX-License-Identifier: Apache-2.0
 * A worker: one thread and its libmicrohttpd daemon, which has neither a listening socket nor a thread.
 *
 * The thread sleeps in poll(2) on the daemon's epoll descriptor, and lets the daemon only look. A daemon with
 * threads of its own sleeps in epoll_wait(2), and takes 128 events a time: after exactly 128 it sleeps again
 * before it has looked at one of them (MHD_epoll() of 0.9.75), until the next event on that thread comes. */
#include <limits.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/heap.h"
#include "http/internal.h"

/* libmicrohttpd's memory per connection also holds the parsed headers, the answer's headers and a piece of
 * the body. */
enum {
	POOL_MEMORY_MORE = 16 * 1024,
	GIVEN_FIRST = 64,
	CLOSING_MS = 10,  /* between looks at tunnels that end */
	RESERVED_MAX = 64 /* reserved listeners' connections beyond connection_max */
};

static const char tls_priorities[] = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2";

static struct MHD_Daemon *start_daemon(struct http_worker *w, const struct http_pool *pool)
{
	struct http_server *s = w->server;
	const struct http_config *config = &s->config;
	unsigned flags =
		MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME | MHD_ALLOW_UPGRADE;
	/* the acceptor enforces the limit */
	uint64_t limit = (uint64_t) config->connection_max + RESERVED_MAX;
	unsigned idle_s = (unsigned) ((config->idle_timeout_us + SECOND - 1) / SECOND);
	struct MHD_OptionItem options[9] = {
		{MHD_OPTION_CONNECTION_LIMIT, (intptr_t) (limit > UINT_MAX ? UINT_MAX : limit), NULL},
		{MHD_OPTION_CONNECTION_TIMEOUT, idle_s, NULL},
		{MHD_OPTION_CONNECTION_MEMORY_LIMIT, (intptr_t) config->header_cap_size + POOL_MEMORY_MORE,
		 NULL},
		/* all signals are blocked here; without this option MHD copies files in pieces of 4 KiB
		 * instead of using sendfile() */
		{MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, NULL},
#if MHD_VERSION >= 0x00097701
		{MHD_OPTION_CLIENT_DISCIPLINE_LVL, 1, NULL},
#else
		{MHD_OPTION_STRICT_FOR_CLIENT, 1, NULL},
#endif
	};
	size_t n = 5;
	if (pool->cert_pem) {
		flags |= MHD_USE_TLS;
		options[n++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_CERT, 0, pool->cert_pem};
		options[n++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_KEY, 0, pool->key_pem};
		options[n++] =
			(struct MHD_OptionItem){MHD_OPTION_HTTPS_PRIORITIES, 0, (void *) tls_priorities};
	}
	options[n] = (struct MHD_OptionItem){MHD_OPTION_END, 0, NULL};
	return MHD_start_daemon(flags, 0, NULL, NULL, call_on_request, s, MHD_OPTION_URI_LOG_CALLBACK,
				call_on_uri, s, MHD_OPTION_NOTIFY_COMPLETED, call_on_completed, s,
				MHD_OPTION_NOTIFY_CONNECTION, call_on_connection, w, MHD_OPTION_ARRAY,
				options, MHD_OPTION_END);
}

/* ---- waking the thread ---- */

static void worker_wake(struct http_worker *w)
{
	uint64_t one = 1;
	if (atomic_exchange(&w->is_woken, true))
		return;
	ssize_t written = write(w->wake_fd, &one, sizeof one);
	(void) written; /* a saturated counter wakes the thread as well */
}

void worker_enter(struct http_worker *w)
{
	w->wakers++;
}

/* libmicrohttpd has no means of its own to wake a daemon without a thread. */
void worker_leave(struct http_worker *w)
{
	worker_wake(w);
	w->wakers--; /* w may go now */
}

void worker_resume(const struct conn *conn)
{
	struct http_worker *w = conn->worker;
	worker_enter(w);
	MHD_resume_connection(conn->mhd);
	worker_leave(w);
}

/* ---- connections from the acceptor ---- */

bool worker_give_connection(struct http_worker *w, int fd, const struct sockaddr *address, socklen_t size)
{
	(void) pthread_mutex_lock(&w->lock);
	bool has_room = w->given_count < w->given_capacity;
	if (!has_room) {
		size_t wider = w->given_capacity ? w->given_capacity * 2 : GIVEN_FIRST;
		struct new_connection *given = heap_resize(w->given, wider * sizeof *given);
		has_room = given != NULL;
		w->given = given ? given : w->given;
		w->given_capacity = given ? wider : w->given_capacity;
	}
	if (has_room) {
		struct new_connection *new = &w->given[w->given_count++];
		*new = (struct new_connection){.fd = fd, .size = size};
		memcpy(&new->address, address, size);
	}
	(void) pthread_mutex_unlock(&w->lock);
	if (has_room)
		worker_wake(w);
	return has_room;
}

static bool take_given(struct http_worker *w, struct new_connection *ret_new)
{
	(void) pthread_mutex_lock(&w->lock);
	bool is_given = w->given_count > 0;
	if (is_given)
		*ret_new = w->given[--w->given_count];
	(void) pthread_mutex_unlock(&w->lock);
	return is_given;
}

/* libmicrohttpd closes the descriptor when it fails. The sweeper takes out that connection, or the next one
 * with this descriptor does. */
static void add_given(struct http_worker *w)
{
	struct new_connection new;
	while (take_given(w, &new))
		(void) MHD_add_connection(w->daemon, new.fd, (const struct sockaddr *) &new.address,
					  new.size);
}

/* ---- the thread ---- */

/* Returns how long the thread may sleep; negative: until an event. A daemon that ends a tunnel over TLS has to run
 * once more, and libmicrohttpd doesn't say so: the thread looks often while its tunnels close. */
static int sleep_ms(struct http_worker *w)
{
	MHD_UNSIGNED_LONG_LONG ms = 0;
	int max_ms = w->closing ? CLOSING_MS : -1;
	if (MHD_get_timeout(w->daemon, &ms) != MHD_YES)
		return max_ms;
	if (max_ms < 0)
		max_ms = INT_MAX;
	return ms > (unsigned) max_ms ? max_ms : (int) ms;
}

static void *worker_run(void *arg)
{
	struct http_worker *w = arg;
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(w->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	struct pollfd polled[] = {{.fd = info->epoll_fd, .events = POLLIN},
				  {.fd = w->wake_fd, .events = POLLIN}};
	while (!w->ended) {
		uint64_t ignored = 0;
		int ms = sleep_ms(w);
		if (ms != 0 &&
		    !w->has_served) /* after requests the next ones are probably there: looking is cheaper */
			(void) poll(polled, 2, ms);
		w->has_served = false;
		if (w->is_woken && read(w->wake_fd, &ignored, sizeof ignored) > 0) {
			w->is_woken = false; /* before we look: what comes later wakes again */
			add_given(w);
		}
		(void) MHD_run(w->daemon);
	}
	return NULL;
}

RESULT worker_start(struct http_server *s, struct ctx *c, const struct http_pool *pool,
		    struct http_worker *ret_worker)
{
	struct http_worker *w = ret_worker;
	*w = (struct http_worker){.server = s, .wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)};
	(void) pthread_mutex_init(&w->lock, NULL);
	w->daemon = w->wake_fd >= 0 ? start_daemon(w, pool) : NULL;
	if (!w->daemon)
		return pool->cert_pem && w->wake_fd >= 0
			       ? ctx_fail(c, ERR_INVALID, "the certificate or its key can't be used for TLS")
			       : ctx_fail(c, ERR_IO, "the HTTP server's threads can't be started");
	sigset_t before;
	pool_block_signals(&before);
	w->runs = pthread_create(&w->thread, NULL, worker_run, w) == 0;
	pool_restore_signals(&before);
	if (!w->runs)
		return ctx_fail(c, ERR_IO, "the HTTP server's threads can't be started");
	(void) pthread_setname_np(w->thread, "http-worker");
	return OK;
}

void worker_stop(struct http_worker *w)
{
	struct new_connection new;
	if (w->runs) {
		w->ended = true;
		worker_wake(w);
		(void) pthread_join(w->thread, NULL);
	}
	while (w->wakers)
		(void) poll(NULL, 0, 1);
	while (take_given(w, &new))
		(void) close(new.fd);
	if (w->daemon)
		MHD_stop_daemon(w->daemon);
	fd_autoclose(&w->wake_fd);
	heap_free(w->given);
	(void) pthread_mutex_destroy(&w->lock);
}
