/* SPDX-License-Identifier: Apache-2.0
 * DNS over TCP (RFC 7766): several queries per connection, answers in any order, each with a length prefix.
 * An idle connection is closed after a few seconds.
 */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api/metadata/dns_internal.h"
#include "base/heap.h"

enum { ACCEPTS_AT_ONCE = 16, OUT_MAX = 256 * 1024 };

/* ---- coming ---- */

static bool is_welcome(const struct dns *d, const struct origin *origin)
{
	unsigned count = 0;
	if (d->clients.count >= CLIENTS_MAX)
		return false;
	for (const struct dns_watch *w = d->clients.first; w; w = w->later) {
		const struct origin *other = &((const struct dns_client *) w)->origin;
		count += other->place == origin->place && ip_equal(other->ip, origin->ip);
	}
	return count < CLIENTS_PER_SOURCE_MAX;
}

static bool client_new(struct dns *d, const struct origin *origin, int fd)
{
	struct dns_client *c = is_welcome(d, origin) ? heap_new(struct dns_client) : NULL;
	if (!c)
		return false;
	c->origin = *origin;
	c->origin.client = c;
	buf_init(&c->out, OUT_MAX);
	if (!dns_watch_open(d, &c->watch, WATCH_CLIENT, fd, EPOLLIN)) {
		heap_free(c);
		return false;
	}
	dns_watch_wait(&c->watch, &d->clients);
	return true;
}

void dns_client_accept(struct dns *d, struct dns_watch *w, uint32_t events)
{
	(void) events;
	struct dns_place *p = (struct dns_place *) ((char *) w - offsetof(struct dns_place, listen));
	for (int k = 0; k < ACCEPTS_AT_ONCE; k++) {
		struct origin origin = {.place = p};
		socklen_t size = sizeof origin.from;
		AUTO_FD fd =
			accept4(w->fd, (struct sockaddr *) &origin.from, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0)
			return;
		origin.ip = ip_from_v4(ntohl(origin.from.sin_addr.s_addr));
		if (client_new(d, &origin, fd))
			fd = -1;
	}
}

/* ---- going ---- */

void dns_client_close(struct dns *d, struct dns_client *c)
{
	if (c->forward_count)
		dns_forward_drop_all(d, c, NULL);
	dns_watch_close(d, &c->watch);
}

/* Closes the connection if the client has finished sending and has all answers. */
static void close_if_done(struct dns *d, struct dns_client *c)
{
	if (c->ended && c->forward_count == 0 && c->sent == c->out.size)
		dns_client_close(d, c);
}

/* ---- out ---- */

static void client_flush(struct dns *d, struct dns_client *c)
{
	while (c->sent < c->out.size) {
		ssize_t n = send(c->watch.fd, c->out.p + c->sent, c->out.size - c->sent,
				 MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK) {
			dns_client_close(d, c);
			return;
		}
		if (n < 0)
			break;
		c->sent += (size_t) n;
	}
	bool is_over = c->sent == c->out.size;
	if (is_over)
		c->sent = c->out.size = 0;
	dns_watch_change(d, &c->watch, (c->ended ? 0U : EPOLLIN) | (is_over ? 0U : EPOLLOUT));
	close_if_done(d, c);
}

void dns_client_send(struct dns *d, struct dns_client *c, const uint8_t *bytes, size_t size)
{
	uint8_t length[2] = {(uint8_t) (size >> 8), (uint8_t) size};
	if (c->watch.dead)
		return;
	buf_add(&c->out, length, sizeof length);
	buf_add(&c->out, bytes, size);
	if (c->out.failed)
		dns_client_close(d, c); /* the client does not read its answers */
	else
		client_flush(d, c);
}

void dns_client_note_answered(struct dns *d, struct dns_client *c)
{
	c->forward_count--;
	if (!c->watch.dead)
		close_if_done(d, c);
}

/* ---- in ---- */

/* Takes every complete query. */
static void take_queries(struct dns *d, struct dns_client *c)
{
	size_t at = 0;
	while (!c->watch.dead && c->in_size - at >= 2) {
		size_t size = (size_t) (c->in[at] << 8 | c->in[at + 1]);
		if (size > QUERY_MAX) {
			dns_client_close(d, c);
			return;
		}
		if (c->in_size - at - 2 < size)
			break;
		uint64_t strangers = d->figures.strangers;
		dns_take(d, &c->origin, c->in + at + 2, size);
		if (strangers != d->figures.strangers)
			dns_client_close(d, c);
		at += 2 + size;
	}
	c->in_size -= at;
	memmove(c->in, c->in + at, c->in_size);
}

static void client_read(struct dns *d, struct dns_client *c)
{
	ssize_t n = recv(c->watch.fd, c->in + c->in_size, sizeof c->in - c->in_size, MSG_DONTWAIT);
	if (n > 0) {
		c->in_size += (size_t) n;
		dns_watch_wait(&c->watch, &d->clients);
		take_queries(d, c);
	} else if (n == 0) {
		c->ended = true;
		client_flush(d, c);
	} else if (errno != EAGAIN && errno != EWOULDBLOCK) {
		dns_client_close(d, c);
	}
}

void dns_client_ready(struct dns *d, struct dns_watch *w, uint32_t events)
{
	struct dns_client *c = (struct dns_client *) w;
	if (events & (EPOLLERR | EPOLLHUP)) {
		dns_client_close(d, c);
		return;
	}
	if (events & EPOLLOUT)
		client_flush(d, c);
	if ((events & EPOLLIN) && !w->dead && !c->ended)
		client_read(d, c);
}
