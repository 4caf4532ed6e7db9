/* SPDX-License-Identifier: Apache-2.0
 * The DNS responder's thread: sockets of places, UDP queries, and their dispatch.
 */
#include "api/metadata/dns.h"

#include <errno.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api/metadata/dns_internal.h"
#include "base/clock.h"
#include "base/heap.h"

enum { EVENTS_MAX = 64, PACKETS_AT_ONCE = 32 };
static const int64_t client_wait_us = 10 * SECOND, forward_wait_us = 2 * SECOND;

/* ---- watches ---- */

bool dns_watch_open(struct dns *d, struct dns_watch *w, enum watch_kind kind, int fd, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = w};
	w->kind = kind;
	w->fd = fd;
	return epoll_ctl(d->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

void dns_watch_change(struct dns *d, struct dns_watch *w, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = w};
	(void) epoll_ctl(d->epoll_fd, EPOLL_CTL_MOD, w->fd, &event);
}

static void watch_unqueue(struct dns_watch *w)
{
	struct dns_watch_queue *q = w->queue;
	if (!q)
		return;
	*(w->earlier ? &w->earlier->later : &q->first) = w->later;
	*(w->later ? &w->later->earlier : &q->last) = w->earlier;
	q->count--;
	w->queue = NULL;
}

void dns_watch_wait(struct dns_watch *w, struct dns_watch_queue *q)
{
	watch_unqueue(w);
	w->due_us = clock_monotonic_us() + q->wait_us;
	w->queue = q;
	w->earlier = q->last;
	w->later = NULL;
	*(q->last ? &q->last->later : &q->first) = w;
	q->last = w;
	q->count++;
}

void dns_watch_close(struct dns *d, struct dns_watch *w)
{
	if (w->dead)
		return;
	watch_unqueue(w);
	fd_autoclose(&w->fd); /* closing removes it from epoll */
	w->dead = true;
	w->next_dead = d->dead;
	d->dead = w;
}

static void watch_free(struct dns_watch *w)
{
	switch (w->kind) {
	case WATCH_CLIENT:
		buf_done(&((struct dns_client *) w)->out);
		break;
	case WATCH_FORWARD:
		buf_done(&((struct dns_forward *) w)->in);
		break;
	case WATCH_WAKE:
	case WATCH_UDP:
	case WATCH_LISTEN:
	case WATCH_KINDS:
		break;
	}
	heap_free(w); /* the watch is the first member of its owner */
}

static void reap(struct dns *d)
{
	while (d->dead) {
		struct dns_watch *w = d->dead;
		d->dead = w->next_dead;
		watch_free(w);
	}
}

/* ---- a query ---- */

void dns_send(struct dns *d, const struct origin *origin, const uint8_t *bytes, size_t size)
{
	if (origin->client)
		dns_client_send(d, origin->client, bytes, size);
	else /* dropped like a lost packet: the client retries */
		(void) sendto(origin->place->udp.fd, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL,
			      (const struct sockaddr *) &origin->from, sizeof origin->from);
}

void dns_say(struct dns *d, const struct origin *origin, const struct dns_query *query,
	     const struct dns_answer *answer)
{
	size_t size = 0, capacity = origin->client ? sizeof d->out : query->udp_size;
	if (!dns_write_answer(query, answer, d->out, capacity, &size)) {
		struct dns_answer cut = {.rcode = answer->rcode, .is_truncated = true};
		if (!dns_write_answer(query, &cut, d->out, capacity, &size))
			return;
	}
	dns_send(d, origin, d->out, size);
}

void dns_take(struct dns *d, const struct origin *origin, const uint8_t *bytes, size_t size)
{
	struct dns_query query;
	struct dns_answer answer = {.rcode = DNS_FORMERR};
	enum dns_verdict verdict = DNS_ANSWER;
	arena_reset(d->arena);
	AUTO_VIEW view = {0};
	view_open(d->store, &view);
	if (!dns_zone_knows(view.tables, origin->place->router, origin->ip)) {
		d->figures.strangers++;
		return;
	}
	enum dns_reading reading = dns_read_query(bytes, size, &query);
	if (reading == DNS_READ_QUERY)
		verdict = dns_zone_ask(view.tables, d->arena, origin->place->router, &query, &answer);
	view_close(&view);
	d->figures.queries++;
	d->figures.malformed += reading != DNS_READ_QUERY;
	if (reading == DNS_READ_NOISE)
		return;
	if (verdict == DNS_FORWARD) {
		dns_forward_start(d, origin, &query, bytes, size);
		return;
	}
	d->figures.answered++;
	dns_say(d, origin, &query, &answer);
}

/* ---- UDP ---- */

static void udp_ready(struct dns *d, struct dns_watch *w, uint32_t events)
{
	(void) events;
	struct dns_place *p = (struct dns_place *) w;
	for (int k = 0; k < PACKETS_AT_ONCE; k++) {
		struct origin origin = {.place = p};
		socklen_t from_size = sizeof origin.from;
		ssize_t size = recvfrom(w->fd, d->packet, sizeof d->packet, MSG_DONTWAIT,
					(struct sockaddr *) &origin.from, &from_size);
		if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return;
		if (size < 0 || origin.from.sin_family != AF_INET || origin.from.sin_port == 0)
			continue; /* nothing can be sent to port 0 */
		origin.ip = ip_from_v4(ntohl(origin.from.sin_addr.s_addr));
		if (size <= QUERY_MAX)
			dns_take(d, &origin, d->packet, (size_t) size);
	}
}

/* ---- the thread ---- */

static void wake_ready(struct dns *d, struct dns_watch *w, uint32_t events)
{
	(void) d;
	(void) events;
	uint64_t count = 0;
	(void) !read(w->fd, &count, sizeof count); /* resets the eventfd */
}

static void (*const ready[WATCH_KINDS])(struct dns *d, struct dns_watch *w, uint32_t events) = {
	[WATCH_WAKE] = wake_ready,           [WATCH_UDP] = udp_ready,
	[WATCH_LISTEN] = dns_client_accept,  [WATCH_CLIENT] = dns_client_ready,
	[WATCH_FORWARD] = dns_forward_ready,
};

static bool is_late(const struct dns_watch_queue *q, int64_t now_us)
{
	return q->first && q->first->due_us <= now_us;
}

static void end_late(struct dns *d)
{
	int64_t now_us = clock_monotonic_us();
	while (is_late(&d->forwards, now_us))
		dns_forward_try_next(d, (struct dns_forward *) d->forwards.first);
	while (is_late(&d->clients, now_us))
		dns_client_close(d, (struct dns_client *) d->clients.first);
}

static int wait_ms(const struct dns *d)
{
	int64_t due_us = INT64_MAX;
	if (d->forwards.first)
		due_us = d->forwards.first->due_us;
	if (d->clients.first && d->clients.first->due_us < due_us)
		due_us = d->clients.first->due_us;
	if (due_us == INT64_MAX)
		return -1;
	int64_t left_us = due_us - clock_monotonic_us();
	return left_us <= 0 ? 0 : (int) (left_us / MILLISECOND) + 1;
}

static void *dns_main(void *arg)
{
	struct dns *d = arg;
	struct epoll_event events[EVENTS_MAX];
	(void) pthread_setname_np(pthread_self(), "dns");
	(void) pthread_mutex_lock(&d->lock);
	while (!d->stopping) {
		int timeout_ms = wait_ms(d);
		(void) pthread_mutex_unlock(&d->lock);
		int count = epoll_wait(d->epoll_fd, events, EVENTS_MAX, timeout_ms);
		(void) pthread_mutex_lock(&d->lock);
		for (int k = 0; k < count; k++) {
			struct dns_watch *w = events[k].data.ptr;
			if (!w->dead)
				ready[w->kind](d, w, events[k].events);
		}
		end_late(d);
		reap(d);
	}
	(void) pthread_mutex_unlock(&d->lock);
	return NULL;
}

static void dns_wake(struct dns *d)
{
	uint64_t one = 1;
	(void) !write(d->wake.fd, &one, sizeof one); /* full means that the thread is awake already */
}

/* Blocks signals, which the main thread handles. Needs the lock. */
static RESULT start_thread(struct dns *d, struct ctx *c)
{
	if (d->running)
		return OK;
	sigset_t all, before;
	(void) sigfillset(&all);
	(void) pthread_sigmask(SIG_SETMASK, &all, &before);
	int failed = pthread_create(&d->thread, NULL, dns_main, d);
	(void) pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (failed)
		return ctx_fail(c, ERR_AGAIN, "starting the DNS responder: %s", strerrordesc_np(failed));
	d->running = true;
	return OK;
}

/* ---- places ---- */

static RESULT add_place(struct dns *d, struct ctx *c, struct dns_place *p, int udp_fd, int tcp_fd)
{
	TRY(start_thread(d, c));
	if (!dns_watch_open(d, &p->udp, WATCH_UDP, udp_fd, EPOLLIN))
		return ctx_fail(c, ERR_IO, "watching a DNS socket: %s", strerrordesc_np(errno));
	if (!dns_watch_open(d, &p->listen, WATCH_LISTEN, tcp_fd, EPOLLIN)) {
		int error = errno;
		(void) epoll_ctl(d->epoll_fd, EPOLL_CTL_DEL, udp_fd, NULL);
		return ctx_fail(c, ERR_IO, "watching a DNS socket: %s", strerrordesc_np(error));
	}
	p->next = d->places;
	if (p->next)
		p->next->previous = p;
	d->places = p;
	return OK;
}

RESULT dns_add_place(struct dns *d, struct ctx *c, uuid router, int udp_fd, int tcp_fd,
		     struct dns_place **ret_place)
{
	struct dns_place *p = heap_new(struct dns_place);
	if (!p)
		return ctx_no_memory(c);
	p->router = router;
	(void) pthread_mutex_lock(&d->lock);
	struct result r = add_place(d, c, p, udp_fd, tcp_fd);
	if (result_is_ok(r)) {
		*ret_place = p;
	} else { /* an epoll event for it may be pending */
		p->udp.fd = -1;
		p->udp.kind = WATCH_UDP;
		p->listen.dead = true;
		dns_watch_close(d, &p->udp);
	}
	(void) pthread_mutex_unlock(&d->lock);
	return r;
}

static void drop_clients(struct dns *d, const struct dns_place *p)
{
	struct dns_watch *next = NULL;
	for (struct dns_watch *w = d->clients.first; w; w = next) {
		next = w->later;
		if (((struct dns_client *) w)->origin.place == p)
			dns_client_close(d, (struct dns_client *) w);
	}
}

void dns_remove_place(struct dns *d, struct dns_place *p)
{
	if (!p)
		return;
	(void) pthread_mutex_lock(&d->lock);
	dns_forward_drop_all(d, NULL, p);
	drop_clients(d, p);
	*(p->previous ? &p->previous->next : &d->places) = p->next;
	if (p->next)
		p->next->previous = p->previous;
	fd_autoclose(&p->listen.fd);
	p->listen.dead = true; /* allocated together with the other watch */
	dns_watch_close(d, &p->udp);
	(void) pthread_mutex_unlock(&d->lock);
	dns_wake(d);
}

/* ---- life ---- */

RESULT dns_new(struct ctx *c, struct store *store, const struct dns_upstreams *upstreams,
	       struct dns **ret_dns)
{
	struct dns *d = heap_new(struct dns);
	if (!d)
		return ctx_no_memory(c);
	d->store = store;
	d->upstreams = *upstreams;
	d->clients.wait_us = client_wait_us;
	d->forwards.wait_us = forward_wait_us;
	(void) pthread_mutex_init(&d->lock, NULL);
	d->wake.fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	d->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	d->arena = arena_new(4096, ARENA_FIRST_SIZE);
	struct result r = OK;
	if (!d->arena)
		r = ctx_no_memory(c);
	else if (d->wake.fd < 0 || d->epoll_fd < 0 ||
		 !dns_watch_open(d, &d->wake, WATCH_WAKE, d->wake.fd, EPOLLIN))
		r = ctx_fail(c, ERR_IO, "making the DNS responder: %s", strerrordesc_np(errno));
	if (!result_is_ok(r))
		dns_free(d);
	else
		*ret_dns = d;
	return r;
}

void dns_free(struct dns *d)
{
	if (!d)
		return;
	while (d->places)
		dns_remove_place(d, d->places);
	(void) pthread_mutex_lock(&d->lock);
	d->stopping = true;
	(void) pthread_mutex_unlock(&d->lock);
	dns_wake(d);
	if (d->running)
		(void) pthread_join(d->thread, NULL);
	reap(d);
	fd_autoclose(&d->wake.fd);
	fd_autoclose(&d->epoll_fd);
	arena_free(d->arena);
	(void) pthread_mutex_destroy(&d->lock);
	heap_free(d);
}

void dns_read_figures(struct dns *d, struct dns_figures *ret_figures)
{
	(void) pthread_mutex_lock(&d->lock);
	*ret_figures = d->figures;
	(void) pthread_mutex_unlock(&d->lock);
}
