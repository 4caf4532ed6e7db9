/* SPDX-License-Identifier: Apache-2.0
 * Life of the server: start, listeners, stop. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/heap.h"
#include "http/forwarded.h"
#include "http/internal.h"
#include "http/renew.h"

enum {
	LISTEN_BACKLOG = 1024,
	WAIT_STEP_MS = 5,
	UNLISTEN_DRAIN_MS = 5000, /* for answers of a listener being removed */
	STOP_DRAIN_MS = 200,      /* for the refusals of abandoned calls */
};

static void fill_defaults(struct http_config *config)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	if (config->thread_count == 0)
		config->thread_count = processors > 0 ? (unsigned) processors : 1;
	if (config->connection_max == 0)
		config->connection_max = 10000;
	if (config->idle_timeout_us == 0)
		config->idle_timeout_us = 65 * SECOND;
	if (config->request_timeout_us == 0)
		config->request_timeout_us = 30 * SECOND;
	if (config->header_cap_size == 0)
		config->header_cap_size = (size_t) 32 * 1024;
}

RESULT http_server_new(struct ctx *c, const struct http_config *config, struct http_server **ret_server)
{
	AUTO(http_server) s = heap_new(struct http_server);
	if (!s)
		return ctx_no_memory(c);
	s->epoll_fd = s->wake_fd = s->spare_fd = -1;
	s->config = *config;
	fill_defaults(&s->config);
	(void) pthread_mutex_init(&s->listen_lock, NULL);
	(void) pthread_mutex_init(&s->arena_lock, NULL);
	(void) pthread_mutex_init(&s->table.lock, NULL);
	TRY(accept_start(s, c));
	*ret_server = TAKE(s);
	return OK;
}

/* ---- arenas ---- */

struct arena *server_take_arena(struct http_server *s)
{
	struct arena *a = NULL;
	(void) pthread_mutex_lock(&s->arena_lock);
	if (s->arena_count)
		a = s->arenas[--s->arena_count];
	(void) pthread_mutex_unlock(&s->arena_lock);
	return a ? a : arena_new(ARENA_FIRST_SIZE, ARENA_REQUEST_CAP);
}

void server_give_arena(struct http_server *s, struct arena *a)
{
	arena_reset(a);
	(void) pthread_mutex_lock(&s->arena_lock);
	if (s->arena_count < ARENAS_KEPT_MAX) {
		s->arenas[s->arena_count++] = a;
		a = NULL;
	}
	(void) pthread_mutex_unlock(&s->arena_lock);
	arena_free(a);
}

/* ---- listeners ---- */

RESULT http_bind(struct ctx *c, struct ip ip, uint16_t port, int *ret_fd)
{
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} address = {.any.sa_family = AF_UNSPEC};
	socklen_t size = sizeof address.in;
	char text[IP_TEXT_SIZE];
	int on = 1;
	if (ip.family == IP_V4) {
		address.in.sin_family = AF_INET;
		address.in.sin_port = htons(port);
		memcpy(&address.in.sin_addr, ip.b, 4);
	} else if (ip.family == IP_V6) {
		size = sizeof address.in6;
		address.in6.sin6_family = AF_INET6;
		address.in6.sin6_port = htons(port);
		memcpy(&address.in6.sin6_addr, ip.b, 16);
	} else {
		return ctx_fail(c, ERR_INVALID, "no address to listen on");
	}
	AUTO_FD fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
	    (size == sizeof address.in6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) != 0) ||
	    bind(fd, &address.any, size) != 0 || listen(fd, LISTEN_BACKLOG) != 0)
		return ctx_fail(c, errno == EADDRINUSE ? ERR_IN_USE : ERR_IO, "listening on %s port %u: %s",
				ip_write(ip, text), (unsigned) port, strerrordesc_np(errno));
	*ret_fd = fd;
	fd = -1;
	return OK;
}

/* With the listen lock held. */
static RESULT listener_start(struct http_server *s, struct ctx *c, struct http_listener *l,
			     const struct http_where *where)
{
	struct http_pool *pool = NULL;
	TRY(pool_find_or_start(s, c, where, &pool));
	l->pool = pool;
	if (where->fd <= 0)
		TRY(http_bind(c, where->ip, where->port, &l->fd));
	else
		l->fd = where->fd;
	/* A single acceptor serves all listeners, and a blocking socket passed by systemd would stop it. */
	(void) fcntl(l->fd, F_SETFL, fcntl(l->fd, F_GETFL) | O_NONBLOCK);
	(void) fcntl(l->fd, F_SETFD, FD_CLOEXEC);
	l->number = ++s->last_number;
	struct epoll_event event = {.events = EPOLLIN, .data.u64 = l->number};
	if (epoll_ctl(s->epoll_fd, EPOLL_CTL_ADD, l->fd, &event) != 0) {
		if (where->fd <= 0)
			fd_autoclose(&l->fd);
		return ctx_fail(c, ERR_IO, "watching a listening socket: %s", strerrordesc_np(errno));
	}
	l->next = s->listeners;
	s->listeners = l;
	return OK;
}

void http_trust_proxies(struct http_listener *l, const struct http_proxies *proxies)
{
	l->proxies = proxies;
}

RESULT http_listen(struct http_server *s, struct ctx *c, const struct http_face *face, void *self,
		   const struct http_where *where, struct http_listener **ret_listener)
{
	struct http_listener *l = heap_new(struct http_listener);
	if (!l)
		return ctx_no_memory(c);
	*l = (struct http_listener){.server = s,
				    .face = face,
				    .self = self,
				    .tag = where->tag,
				    .is_reserved = where->is_reserved,
				    .fd = -1};
	(void) pthread_mutex_lock(&s->listen_lock);
	struct result r = s->stopping ? ctx_fail(c, ERR_AGAIN, "the HTTP server stops")
				      : listener_start(s, c, l, where);
	(void) pthread_mutex_unlock(&s->listen_lock);
	if (!result_is_ok(r))
		heap_free(l);
	else
		*ret_listener = l;
	return r;
}

uint16_t http_bound_port(int fd)
{
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct sockaddr_storage room;
	} address = {.any.sa_family = AF_UNSPEC};
	socklen_t size = sizeof address;
	if (getsockname(fd, &address.any, &size) != 0)
		return 0;
	if (address.any.sa_family == AF_INET6)
		return ntohs(address.in6.sin6_port);
	return address.any.sa_family == AF_INET ? ntohs(address.in.sin_port) : 0;
}

uint16_t http_listener_port(const struct http_listener *l)
{
	return http_bound_port(l->fd);
}

/* With the listen lock held, so the acceptor does not use the listener. */
static void listener_close(struct http_listener *l)
{
	l->closing = true;
	fd_autoclose(&l->fd); /* closing also removes it from epoll */
}

/* Polls in steps: used only while stopping, where some milliseconds do not matter. limit_ms negative: no
 * limit. Keeps cutting connections without a request. */
static void wait_until_none(struct http_server *s, const _Atomic unsigned *count,
			    const struct http_listener *only, int64_t limit_ms)
{
	for (int64_t waited_ms = 0; *count && (limit_ms < 0 || waited_ms < limit_ms);
	     waited_ms += WAIT_STEP_MS) {
		conn_sweep(s, SWEEP_IDLE, only);
		(void) poll(NULL, 0, WAIT_STEP_MS);
	}
}

static void retire_unused(struct http_server *s)
{
	for (struct http_pool *pool = s->pools; pool; pool = pool->next) {
		pool->is_retired = pool->cert_pem != NULL;
		for (struct http_listener *l = s->listeners; l; l = l->next)
			if (l->pool == pool)
				pool->is_retired = false;
	}
}

RESULT http_renew(struct http_server *s, struct ctx *c, struct http_listener *l,
		  const struct http_where *where)
{
	struct http_pool *pool = NULL;
	(void) pthread_mutex_lock(&s->listen_lock);
	struct result r = s->stopping ? ctx_fail(c, ERR_AGAIN, "the HTTP server stops")
				      : pool_find_or_start(s, c, where, &pool);
	if (result_is_ok(r)) {
		/* The acceptor may still be handing a connection to the old pool, so that pool is stopped by
		 * the next renewal, not by this one. */
		pool_stop_retired(s);
		l->pool = pool;
		retire_unused(s);
	}
	(void) pthread_mutex_unlock(&s->listen_lock);
	return r;
}

void http_unlisten(struct http_server *s, struct http_listener *l)
{
	(void) pthread_mutex_lock(&s->listen_lock);
	struct http_listener **at = &s->listeners;
	while (*at && *at != l)
		at = &(*at)->next;
	if (*at)
		*at = l->next;
	listener_close(l);
	(void) pthread_mutex_unlock(&s->listen_lock);
	wait_until_none(s, &l->connection_count, l, UNLISTEN_DRAIN_MS);
	conn_sweep(s, SWEEP_ALL, l); /* cuts slow readers; a parked call's connection goes once the call is
				      * woken */
	wait_until_none(s, &l->connection_count, l, -1);
	heap_free(l);
}

/* ---- the end ---- */

void http_server_stop(struct http_server *s, int64_t grace_us)
{
	if (s->stopped)
		return;
	s->stopped = true;
	(void) pthread_mutex_lock(&s->listen_lock);
	s->stopping = true;
	for (struct http_listener *l = s->listeners; l; l = l->next)
		listener_close(l);
	(void) pthread_mutex_unlock(&s->listen_lock);
	wait_until_none(s, &s->table.count, NULL, grace_us / MILLISECOND);
	s->abandoning = true;
	if (s->table.count) {
		conn_abandon_parked(s);
		wait_until_none(s, &s->table.count, NULL, STOP_DRAIN_MS);
	}
	park_wait_for_wakers();
	pool_stop_all(s);
	accept_end(s);
}

void http_server_free(struct http_server *s)
{
	if (!s)
		return;
	http_server_stop(s, 0);
	while (s->listeners) {
		struct http_listener *l = s->listeners;
		s->listeners = l->next;
		heap_free(l);
	}
	for (size_t k = 0; k < s->arena_count; k++)
		arena_free(s->arenas[k]);
	conn_table_done(&s->table);
	(void) pthread_mutex_destroy(&s->listen_lock);
	(void) pthread_mutex_destroy(&s->arena_lock);
	heap_free(s);
}

void http_read_figures(struct http_server *s, struct http_figures *ret_figures)
{
	struct http_figures f = {
		.requests = s->requests,
		.rejected = s->rejected,
		.connections = s->table.count,
		.parked = s->parked,
	};
	for (size_t k = 0; k < sizeof f.by_status / sizeof f.by_status[0]; k++)
		f.by_status[k] = s->by_status[k];
	*ret_figures = f;
}

size_t http_read_costs(const struct http_server *s, bool only_long, struct cost *ret_costs, size_t max)
{
	return cost_read(&s->costs, only_long, ret_costs, max);
}
