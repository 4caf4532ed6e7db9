/* SPDX-License-Identifier: Apache-2.0
 * Forwards queries for outside names. Each query goes on a socket of its own, so the kernel picks a random
 * port, to one upstream; after two seconds to the next. Only the id changes. An answer counts only if it
 * comes from that upstream with our id and the same question. Queries over TCP are forwarded over TCP,
 * because clients use TCP to repeat truncated answers.
 */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api/metadata/dns_internal.h"
#include "base/file.h"
#include "base/heap.h"
#include "base/random.h"

/* ---- the upstreams ---- */

/* "address", "address:port", "[address]:port" */
static bool parse_upstream(struct str text, struct ip *ret_ip, uint16_t *ret_port)
{
	struct str port = STR_NONE;
	size_t colon = str_find_char(text, ':', 0);
	bool is_v6 = colon < text.n && str_find_char(text, ':', colon + 1) < text.n;
	if (text.n && text.p[0] == '[') {
		size_t end = str_find_char(text, ']', 0);
		port = str_slice(text, end + 1, text.n);
		if (end == text.n || (port.n && port.p[0] != ':'))
			return false;
		port = str_slice(port, 1, port.n);
		text = str_slice(text, 1, end);
	} else if (colon < text.n && !is_v6) {
		port = str_slice(text, colon + 1, text.n);
		text = str_slice(text, 0, colon);
	}
	int64_t number = 53;
	if (port.n && (!result_is_ok(str_parse_int(port, &number)) || number < 1 || number > 65535))
		return false;
	*ret_port = (uint16_t) number;
	return result_is_ok(ip_parse(text, ret_ip));
}

/* Skips our own addresses, which would loop, and upstreams beyond the table. */
static void add_upstream(struct dns_upstreams *list, struct ip ip, uint16_t port)
{
	bool is_ours = ip.family == IP_V4 && ip.b[0] == 169 && ip.b[1] == 254 && ip.b[2] == 169;
	if (is_ours || list->count == DNS_UPSTREAMS_MAX)
		return;
	struct upstream *u = &list->at[list->count++];
	*u = (struct upstream){.size = sizeof u->to.in};
	if (ip.family == IP_V4) {
		u->to.in.sin_family = AF_INET;
		u->to.in.sin_port = htons(port);
		memcpy(&u->to.in.sin_addr, ip.b, 4);
		return;
	}
	u->size = sizeof u->to.in6;
	u->to.in6.sin6_family = AF_INET6;
	u->to.in6.sin6_port = htons(port);
	memcpy(&u->to.in6.sin6_addr, ip.b, 16);
}

void dns_parse_resolv_conf(struct str text, struct dns_upstreams *ret_upstreams)
{
	struct str line = STR_NONE, word = STR_NONE;
	*ret_upstreams = (struct dns_upstreams){0};
	while (str_split_next(&text, '\n', &line)) {
		struct ip ip = {0};
		struct str rest = str_trim(line);
		if (!str_starts_with(rest, STR("nameserver")))
			continue;
		rest = str_slice(rest, 10, rest.n);
		if (rest.n == 0 || (rest.p[0] != ' ' && rest.p[0] != '\t'))
			continue;
		rest = str_trim(rest);
		if (str_split_next(&rest, ' ', &word) && result_is_ok(ip_parse(word, &ip)))
			add_upstream(ret_upstreams, ip, 53);
	}
}

RESULT dns_read_upstreams(struct ctx *c, struct strs config, struct dns_upstreams *ret_upstreams)
{
	*ret_upstreams = (struct dns_upstreams){0};
	for (size_t k = 0; k < config.count; k++) {
		struct ip ip = {0};
		uint16_t port = 0;
		if (!parse_upstream(str_trim(config.at[k]), &ip, &port))
			return ctx_fail(c, ERR_INVALID, "'%" STR_FMT "' is not the address of a resolver",
					STR_ARG(config.at[k]));
		add_upstream(ret_upstreams, ip, port);
	}
	struct str text = STR_NONE;
	if (config.count == 0 && file_exists("/etc/resolv.conf")) {
		TRY(file_read(c, "/etc/resolv.conf", 64 * 1024, &text));
		dns_parse_resolv_conf(text, ret_upstreams);
	}
	return OK;
}

/* ---- the table ---- */

static struct dns_forward **bucket_of(struct dns *d, const struct origin *origin)
{
	uint64_t hash = (uint64_t) (uintptr_t) origin->place ^ (uint64_t) ip_to_v4(origin->ip) << 20;
	hash *= UINT64_C(0x9e3779b97f4a7c15);
	return &d->buckets[(hash >> 40) % FORWARD_BUCKETS];
}

static bool has_room(struct dns *d, const struct origin *origin)
{
	unsigned count = 0;
	if (d->forwards.count >= FORWARDS_MAX)
		return false;
	for (const struct dns_forward *f = *bucket_of(d, origin); f; f = f->next)
		count += f->origin.place == origin->place && ip_equal(f->origin.ip, origin->ip);
	return count < FORWARDS_PER_SOURCE_MAX;
}

static void forward_close(struct dns *d, struct dns_forward *f)
{
	*(f->previous ? &f->previous->next : bucket_of(d, &f->origin)) = f->next;
	if (f->next)
		f->next->previous = f->previous;
	dns_watch_close(d, &f->watch);
}

void dns_forward_drop_all(struct dns *d, const struct dns_client *client, const struct dns_place *place)
{
	struct dns_watch *next = NULL;
	for (struct dns_watch *w = d->forwards.first; w; w = next) {
		struct dns_forward *f = (struct dns_forward *) w;
		next = w->later;
		if (client ? f->origin.client == client : f->origin.place == place)
			forward_close(d, f);
	}
}

/* ---- out ---- */

static bool send_udp(struct dns_forward *f, int fd)
{
	return send(fd, f->bytes, f->size, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t) f->size;
}

/* The first bytes on a new connection always fit its buffer. */
static bool send_tcp(struct dns_forward *f, int fd)
{
	uint8_t length[2] = {(uint8_t) (f->size >> 8), (uint8_t) f->size};
	struct iovec parts[2] = {{length, sizeof length}, {f->bytes, f->size}};
	struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
	return sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t) (f->size + 2);
}

/* Opens a socket to the upstream; false: it cannot be reached. */
static bool forward_open(struct dns *d, struct dns_forward *f, const struct upstream *u)
{
	bool is_tcp = f->origin.client != NULL;
	AUTO_FD fd = socket(u->to.any.sa_family,
			    (is_tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0 || (connect(fd, &u->to.any, u->size) != 0 && errno != EINPROGRESS))
		return false;
	f->id = (uint16_t) random_u64();
	f->bytes[0] = (uint8_t) (f->id >> 8);
	f->bytes[1] = (uint8_t) f->id;
	f->is_sent = false;
	f->in.size = 0;
	if ((!is_tcp && !send_udp(f, fd)) ||
	    !dns_watch_open(d, &f->watch, WATCH_FORWARD, fd, is_tcp ? EPOLLOUT : EPOLLIN))
		return false;
	fd = -1;
	return true;
}

static void forward_end(struct dns *d, struct dns_forward *f)
{
	struct dns_client *client = f->origin.client;
	forward_close(d, f);
	if (client)
		dns_client_note_answered(d, client);
}

static void forward_fail(struct dns *d, struct dns_forward *f)
{
	struct dns_answer answer = {.rcode = DNS_SERVFAIL};
	d->figures.failed++;
	dns_say(d, &f->origin, &f->query, &answer);
	if (!f->watch.dead)
		forward_end(d, f);
}

void dns_forward_try_next(struct dns *d, struct dns_forward *f)
{
	fd_autoclose(&f->watch.fd);
	while (f->next_upstream < d->upstreams.count) {
		if (!forward_open(d, f, &d->upstreams.at[f->next_upstream++]))
			continue;
		dns_watch_wait(&f->watch, &d->forwards);
		return;
	}
	forward_fail(d, f);
}

void dns_forward_start(struct dns *d, const struct origin *origin, const struct dns_query *query,
		       const uint8_t *bytes, size_t size)
{
	struct dns_forward *f = has_room(d, origin) ? heap_alloc(sizeof(struct dns_forward) + size) : NULL;
	if (!f) {
		struct dns_answer answer = {.rcode = DNS_SERVFAIL};
		d->figures.failed++;
		dns_say(d, origin, query, &answer);
		return;
	}
	f->watch.fd = -1;
	f->watch.kind = WATCH_FORWARD;
	f->origin = *origin;
	f->query = *query;
	f->size = size;
	memcpy(f->bytes, bytes, size);
	buf_init(&f->in, 2 + DNS_PACKET_MAX);
	struct dns_forward **bucket = bucket_of(d, origin);
	f->next = *bucket;
	if (f->next)
		f->next->previous = f;
	*bucket = f;
	if (origin->client)
		origin->client->forward_count++;
	dns_watch_wait(&f->watch, &d->forwards);
	d->figures.forwarded++;
	dns_forward_try_next(d, f);
}

/* ---- back ---- */

/* True if the next upstream should be asked: this one fails or refuses. */
static bool is_worth_another(const struct dns *d, const struct dns_forward *f, const uint8_t *bytes)
{
	unsigned rcode = bytes[3] & 15;
	return (rcode == DNS_SERVFAIL || rcode == DNS_NOTIMP || rcode == DNS_REFUSED) &&
	       f->next_upstream < d->upstreams.count;
}

/* Passes the answer on; false: not the expected answer. */
static bool relay(struct dns *d, struct dns_forward *f, uint8_t *bytes, size_t size)
{
	if (!dns_is_answer(bytes, size, f->id, &f->query))
		return false;
	if (is_worth_another(d, f, bytes)) {
		dns_forward_try_next(d, f);
		return true;
	}
	d->figures.relayed++;
	bytes[0] = (uint8_t) (f->query.id >> 8);
	bytes[1] = (uint8_t) f->query.id;
	if (f->origin.client || size <= f->query.udp_size) {
		dns_send(d, &f->origin, bytes, size);
	} else {
		struct dns_answer cut = {.rcode = (enum dns_rcode)(bytes[3] & 15), .is_truncated = true};
		dns_say(d, &f->origin, &f->query, &cut);
	}
	if (!f->watch.dead) /* closing a broken client also ends its forwards */
		forward_end(d, f);
	return true;
}

static void ready_udp(struct dns *d, struct dns_forward *f)
{
	ssize_t size = recv(f->watch.fd, d->packet, sizeof d->packet, MSG_DONTWAIT);
	if (size >= 0)
		(void) relay(d, f, d->packet, (size_t) size); /* else not for us: keep waiting */
	else if (errno != EAGAIN && errno != EWOULDBLOCK)
		dns_forward_try_next(d, f); /* port unreachable */
}

/* Reads until the answer is complete. False: the connection is unusable. */
static bool ready_tcp(struct dns *d, struct dns_forward *f, uint32_t events)
{
	if (!f->is_sent) {
		f->is_sent = !(events & (EPOLLERR | EPOLLHUP)) && send_tcp(f, f->watch.fd);
		dns_watch_change(d, &f->watch, EPOLLIN);
		return f->is_sent;
	}
	ssize_t n = recv(f->watch.fd, d->packet, sizeof d->packet, MSG_DONTWAIT);
	if (n < 0)
		return errno == EAGAIN || errno == EWOULDBLOCK;
	buf_add(&f->in, d->packet, (size_t) n);
	if (n == 0 || f->in.failed)
		return false;
	if (f->in.size < 2)
		return true;
	uint8_t *bytes = (uint8_t *) f->in.p;
	size_t size = (size_t) (bytes[0] << 8 | bytes[1]);
	return f->in.size - 2 < size || relay(d, f, bytes + 2, size);
}

void dns_forward_ready(struct dns *d, struct dns_watch *w, uint32_t events)
{
	struct dns_forward *f = (struct dns_forward *) w;
	if (!f->origin.client)
		ready_udp(d, f);
	else if (!ready_tcp(d, f, events))
		dns_forward_try_next(d, f);
}
