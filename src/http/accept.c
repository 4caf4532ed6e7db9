/* SPDX-License-Identifier: Apache-2.0
 * The acceptor: one thread that accepts for every listener and hands each connection to the listener's pool,
 * so that a listener costs a socket and no thread. It also cuts connections whose deadline has passed;
 * without connections it sleeps. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "http/internal.h"

enum {
	EVENTS_MAX = 64,
	ACCEPTS_PER_TURN = 64, /* then other listeners get their turn */
	SWEEP_MS_MAX = 1000,
	SWEEP_MS_MIN = 10,
};

/* Sends 503 past libmicrohttpd, without caring whether it arrives. */
static void refuse(struct http_listener *l, int fd)
{
	l->server->rejected++;
	if (!l->pool->cert_pem)
		answer_bare(l->server, fd, 503, "Service Unavailable", "Retry-After: 1\r\n");
	(void) shutdown(fd, SHUT_WR);
	(void) close(fd);
}

static void take_connection(struct http_listener *l, int fd, const struct sockaddr *address, socklen_t size)
{
	struct conn *conn = NULL;
	int on = 1;
	if (!result_is_ok(conn_add(l, fd, address, &conn))) {
		refuse(l, fd);
		return;
	}
	if (address->sa_family != AF_UNIX)
		(void) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	if (!pool_give_connection(l->pool, fd, address, size)) {
		conn_remove(conn); /* nobody else has seen it yet */
		refuse(l, fd);
	}
}

/* Called when descriptors have run out: frees the spare one to accept a client and refuse it. Otherwise the
 * pending connection would keep epoll awake forever. */
static void shed_one(struct http_server *s, struct http_listener *l)
{
	if (s->spare_fd < 0)
		return;
	(void) close(s->spare_fd);
	int fd = accept4(l->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd >= 0)
		refuse(l, fd);
	s->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	log_event(LOG_WARN, "http-out-of-descriptors", "connections=%u", s->table.count);
}

/* With the listen lock held. */
static void accept_some(struct http_server *s, struct http_listener *l)
{
	for (int k = 0; k < ACCEPTS_PER_TURN; k++) {
		union {
			struct sockaddr any;
			struct sockaddr_storage room;
		} address = {.any.sa_family = AF_UNSPEC};
		socklen_t size = sizeof address;
		int fd = accept4(l->fd, &address.any, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0) {
			if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
				shed_one(s, l);
			return; /* EAGAIN: no more; other errors concern that client, and epoll reports the
				 * rest again */
		}
		take_connection(l, fd, &address.any, size);
	}
}

static void accept_event(struct http_server *s, uint64_t number)
{
	(void) pthread_mutex_lock(&s->listen_lock);
	for (struct http_listener *l = s->listeners; l; l = l->next)
		if (l->number == number && l->fd >= 0) {
			accept_some(s, l);
			break;
		}
	(void) pthread_mutex_unlock(&s->listen_lock);
}

static int sweep_period_ms(const struct http_server *s)
{
	if (s->table.count == 0)
		return -1;
	int64_t period_ms = s->config.request_timeout_us / (4 * MILLISECOND);
	return period_ms > SWEEP_MS_MAX   ? SWEEP_MS_MAX
	       : period_ms < SWEEP_MS_MIN ? SWEEP_MS_MIN
					  : (int) period_ms;
}

static void *accept_run(void *arg)
{
	struct http_server *s = arg;
	struct epoll_event events[EVENTS_MAX];
	int64_t swept_us = clock_monotonic_us();
	while (!s->ended) {
		int period_ms = sweep_period_ms(s);
		int count = epoll_wait(s->epoll_fd, events, EVENTS_MAX, period_ms);
		for (int k = 0; k < count; k++) {
			uint64_t ignored = 0;
			if (events[k].data.u64)
				accept_event(s, events[k].data.u64);
			else if (read(s->wake_fd, &ignored, sizeof ignored) < 0)
				continue; /* spurious wake-up */
		}
		int64_t now_us = clock_monotonic_us();
		if (count <= 0 || now_us - swept_us >= period_ms * MILLISECOND) {
			conn_sweep(s, SWEEP_LATE, NULL);
			swept_us = now_us;
		}
	}
	return NULL;
}

void accept_nudge(struct http_server *s)
{
	uint64_t one = 1;
	ssize_t written = write(s->wake_fd, &one, sizeof one);
	(void) written; /* a saturated counter wakes the acceptor as well */
}

RESULT accept_start(struct http_server *s, struct ctx *c)
{
	struct epoll_event wake = {.events = EPOLLIN, .data.u64 = 0};
	s->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	s->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	s->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (s->epoll_fd < 0 || s->wake_fd < 0 || s->spare_fd < 0 ||
	    epoll_ctl(s->epoll_fd, EPOLL_CTL_ADD, s->wake_fd, &wake) != 0)
		return ctx_fail(c, ERR_IO, "the HTTP server's epoll: %s", strerrordesc_np(errno));
	sigset_t before;
	pool_block_signals(&before);
	int failed = pthread_create(&s->acceptor, NULL, accept_run, s);
	pool_restore_signals(&before);
	if (failed)
		return ctx_fail(c, ERR_NO_MEMORY, "the HTTP server's thread: %s", strerrordesc_np(failed));
	s->accepting = true;
	(void) pthread_setname_np(s->acceptor, "http-accept");
	return OK;
}

void accept_end(struct http_server *s)
{
	if (s->accepting) {
		s->ended = true;
		accept_nudge(s);
		(void) pthread_join(s->acceptor, NULL);
		s->accepting = false;
	}
	fd_autoclose(&s->epoll_fd);
	fd_autoclose(&s->wake_fd);
	fd_autoclose(&s->spare_fd);
}
