/* SPDX-License-Identifier: Apache-2.0
 * Connections: the table by file descriptor and client address, limits at accept, and deadlines.
 * libmicrohttpd's own timeout only ends silence; a client that sends or reads a byte now and then could stay
 * forever.
 *
 * A connection is cut by shutdown(2) with the table's lock held, which guarantees that the descriptor still
 * belongs to it: libmicrohttpd then sees the end of file and closes it on its own thread. */
#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/heap.h"
#include "base/log.h"
#include "http/forwarded.h"
#include "http/internal.h"

void conn_table_done(struct conn_table *t)
{
	for (size_t k = 0; k < t->capacity; k++)
		heap_free(t->by_fd[k]);
	heap_free(t->by_fd);
	(void) pthread_mutex_destroy(&t->lock);
}

static struct ip peer_of(const struct sockaddr *address, uint16_t *ret_port)
{
	struct ip ip = {0};
	*ret_port = 0;
	if (address->sa_family == AF_INET) {
		struct sockaddr_in in;
		memcpy(&in, address, sizeof in);
		ip = ip_from_v4(ntohl(in.sin_addr.s_addr));
		*ret_port = ntohs(in.sin_port);
	} else if (address->sa_family == AF_INET6) {
		struct sockaddr_in6 in6;
		memcpy(&in6, address, sizeof in6);
		*ret_port = ntohs(in6.sin6_port);
		if (IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr)) {
			memcpy(ip.b, in6.sin6_addr.s6_addr + 12, 4);
			ip.family = IP_V4;
		} else {
			memcpy(ip.b, in6.sin6_addr.s6_addr, 16);
			ip.family = IP_V6;
		}
	}
	return ip;
}

static struct http_local local_of(int fd, const struct sockaddr *address)
{
	struct ucred peer = {0};
	socklen_t size = sizeof peer;
	if (address->sa_family != AF_UNIX || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0)
		return (struct http_local){0};
	return (struct http_local){true, peer.uid, peer.pid};
}

static struct conn **bucket_of(struct conn_table *t, struct ip ip)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a */
	for (size_t k = 0; k < sizeof ip.b; k++)
		hash = (hash ^ ip.b[k]) * UINT64_C(0x100000001b3);
	return &t->buckets[(hash ^ hash >> 32) % CONN_BUCKETS];
}

static bool address_is_full(struct conn_table *t, struct ip ip, unsigned max)
{
	unsigned count = 0;
	if (max == 0 || ip_is_none(ip))
		return false;
	for (const struct conn *c = *bucket_of(t, ip); c && count < max; c = c->next)
		if (ip_equal(c->peer, ip))
			count++;
	return count >= max;
}

static bool table_reserve(struct conn_table *t, int fd)
{
	size_t need = (size_t) fd + 1;
	if (need <= t->capacity)
		return true;
	size_t wider = need < 64 ? 64 : need * 2;
	struct conn **by_fd = heap_resize(t->by_fd, wider * sizeof(struct conn *));
	if (!by_fd)
		return false;
	memset(by_fd + t->capacity, 0, (wider - t->capacity) * sizeof(struct conn *));
	t->by_fd = by_fd;
	t->capacity = wider;
	return true;
}

/* With the table's lock held. */
static void table_take_out(struct conn_table *t, struct conn *conn)
{
	t->by_fd[conn->fd] = NULL;
	share_leave(t, conn);
	if (conn->previous)
		conn->previous->next = conn->next;
	else
		*bucket_of(t, conn->peer) = conn->next;
	if (conn->next)
		conn->next->previous = conn->previous;
	t->count--;
	conn->listener->connection_count--;
	conn->pool->connection_count--;
	heap_free(conn);
}

/* With the table's lock held. */
static struct result table_put(struct conn_table *t, struct conn *conn)
{
	const struct http_config *config = &conn->server->config;
	if (!table_reserve(t, conn->fd))
		return FAIL(NO_MEMORY);
	/* stale entry: libmicrohttpd failed before it started with that connection, and closed the descriptor
	 * without a callback */
	if (t->by_fd[conn->fd])
		table_take_out(t, t->by_fd[conn->fd]);
	bool is_full = t->count >= config->connection_max && !conn->listener->is_reserved;
	const struct http_proxies *proxies = conn->listener->proxies;
	bool is_proxy = proxies && forwarded_is_proxy(proxies, conn->peer); /* its clients share it */
	if (is_full || (!is_proxy && address_is_full(t, conn->peer, config->per_address_max)))
		return FAIL(QUOTA);
	conn->is_in_reserve = !conn->listener->is_reserved && share_is_reserve(t);
	struct conn **bucket = bucket_of(t, conn->peer);
	conn->next = *bucket;
	if (conn->next)
		conn->next->previous = conn;
	*bucket = conn;
	t->by_fd[conn->fd] = conn;
	t->count++;
	conn->listener->connection_count++;
	conn->pool->connection_count++;
	return OK;
}

RESULT conn_add(struct http_listener *l, int fd, const struct sockaddr *address, struct conn **ret_conn)
{
	struct http_server *s = l->server;
	struct conn *conn = heap_new(struct conn);
	if (!conn)
		return FAIL(NO_MEMORY);
	conn->server = s;
	conn->listener = l;
	conn->pool = l->pool;
	conn->fd = fd;
	conn->peer = peer_of(address, &conn->peer_port);
	conn->local = local_of(fd, address);
	conn->deadline_us = clock_monotonic_us() + s->config.request_timeout_us;
	(void) pthread_mutex_lock(&s->table.lock);
	struct result r = table_put(&s->table, conn);
	(void) pthread_mutex_unlock(&s->table.lock);
	if (!result_is_ok(r))
		heap_free(conn);
	else
		*ret_conn = conn;
	return r;
}

struct conn *conn_start(struct http_worker *w, int fd, struct MHD_Connection *mhd)
{
	struct conn_table *t = &w->server->table;
	(void) pthread_mutex_lock(&t->lock);
	struct conn *conn = fd >= 0 && (size_t) fd < t->capacity ? t->by_fd[fd] : NULL;
	if (conn) {
		conn->worker = w;
		conn->mhd = mhd;
		conn->started = true;
	}
	(void) pthread_mutex_unlock(&t->lock);
	return conn;
}

void conn_remove(struct conn *conn)
{
	struct conn_table *t = &conn->server->table;
	struct http_tunnel *tunnel = conn->tunnel;
	if (tunnel && tunnel->is_closing)
		conn->worker->closing--;
	(void) pthread_mutex_lock(&t->lock);
	table_take_out(t, conn);
	(void) pthread_mutex_unlock(&t->lock);
	if (tunnel)
		tunnel->end(tunnel);
}

/* The exchange makes the phase visible with the deadline, and detects a cut that happened before: exactly one
 * of the sweeper and the pool thread wins. */
bool conn_enter(struct conn *conn, enum conn_phase phase, int64_t deadline_us)
{
	atomic_store_explicit(&conn->phase, (int) phase, memory_order_relaxed);
	return atomic_exchange(&conn->deadline_us, deadline_us) != CONN_CUT;
}

bool conn_set_hop_limit(struct conn *conn, int hops)
{
	bool is_v6 = conn->peer.family == IP_V6;
	conn->hop_limited = hops > 0;
	return setsockopt(conn->fd, is_v6 ? IPPROTO_IPV6 : IPPROTO_IP, is_v6 ? IPV6_UNICAST_HOPS : IP_TTL,
			  &hops, sizeof hops) == 0;
}

/* With the table's lock held. */
static void conn_cut_late(struct conn *conn, int64_t now_us)
{
	static const char *const doing[] = {"idle", "reading", "handling", "answering", "tunnel"};
	int64_t deadline_us = conn->deadline_us;
	int phase = atomic_load_explicit(&conn->phase, memory_order_relaxed);
	if (deadline_us == CONN_NO_DEADLINE || deadline_us == CONN_CUT || now_us < deadline_us)
		return;
	if (!atomic_compare_exchange_strong(&conn->deadline_us, &deadline_us, CONN_CUT))
		return; /* the pool thread entered another phase meanwhile */
	char peer[IP_TEXT_SIZE];
	log_event(LOG_INFO, "http-timeout", "peer=%s face=%s while=%s", ip_write(conn->peer, peer),
		  conn->listener->face->name, doing[phase]);
	if ((phase == CONN_IDLE || phase == CONN_READING) && !conn->listener->pool->cert_pem)
		answer_bare(conn->server, conn->fd, 408, "Request Timeout", "");
	(void) shutdown(conn->fd, SHUT_RDWR);
	conn->server->rejected++;
}

static void conn_sweep_one(struct conn *conn, enum conn_sweep what, int64_t now_us)
{
	switch (what) {
	case SWEEP_LATE:
		conn_cut_late(conn, now_us);
		break;
	case SWEEP_IDLE:
		if (atomic_load_explicit(&conn->phase, memory_order_relaxed) == CONN_IDLE)
			(void) shutdown(conn->fd, SHUT_RDWR);
		break;
	case SWEEP_ALL:
		(void) shutdown(conn->fd, SHUT_RDWR);
		break;
	}
}

void conn_sweep(struct http_server *s, enum conn_sweep what, const struct http_listener *only)
{
	struct conn_table *t = &s->table;
	int64_t now_us = clock_monotonic_us();
	(void) pthread_mutex_lock(&t->lock);
	for (size_t k = 0; k < t->capacity; k++) {
		struct conn *conn = t->by_fd[k];
		if (!conn || (only && conn->listener != only))
			continue;
		if (conn->started)
			conn_sweep_one(conn, what, now_us);
		else if (now_us >= conn->deadline_us) /* libmicrohttpd never started it, for lack of memory */
			table_take_out(t, conn);
	}
	(void) pthread_mutex_unlock(&t->lock);
}

void conn_abandon_parked(struct http_server *s)
{
	struct conn_table *t = &s->table;
	(void) pthread_mutex_lock(&t->lock);
	for (size_t k = 0; k < t->capacity; k++)
		if (t->by_fd[k] && t->by_fd[k]->started)
			park_abandon(t->by_fd[k]);
	(void) pthread_mutex_unlock(&t->lock);
}
