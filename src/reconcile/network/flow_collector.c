/* SPDX-License-Identifier: Apache-2.0
 * Collects IPFIX reports for flow logs.
 *
 * A host reports packets of three kinds: arrived from an interface, left to an interface, dropped by a policy. What left to an
 * interface was accepted there. What arrived from it was accepted unless a policy dropped it, and both reports come apart, from two
 * caches of Open vSwitch. So a sent flow is written when its reports are HOLD_US old, and a surplus of a flow with drops waits for
 * the next interval. */
#include "reconcile/network/flow_collector.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/heap.h"
#include "base/log.h"
#include "drivers/ipfix.h"

enum {
	DATAGRAM_SIZE = 65536,
	SOCKET_BUFFER_SIZE = 8 << 20,
	BOOKS_MAX = 4096,
	FIRST_ROOM = 256,
	TAP_DIGITS = 11,
	DOMAIN_SHIFT = 24,
	DHCP_PORT = 67,
	DHCP_CLIENT_PORT = 68,
	UDP = 17,
	DUE_MAX = 64,
	LOOK_MS = 1000
};
/* Hosts' Open vSwitch reports a flow after 10 s at the latest (cache_active_timeout). */
#define HOLD_US (15 * SECOND)
/* Life of a flow with more dropped packets than seen ones: the reports of the rest may still come. */
#define OWED_US (2 * MINUTE)
/* New interfaces are watched after this time. */
#define PLAN_EVERY_US (10 * SECOND)
/* A new log is watched within this time. One whose last interval ended earlier was watched by a process that has ended. */
#define LOST_AFTER_US (5 * SECOND)
/* A file that could not be written is written again after this time. */
#define RETRY_US MINUTE

/* ---- state ---- */

struct flow_key {
	uint64_t tap;
	struct ip source, destination;
	uint16_t source_port, destination_port;
	uint8_t protocol;
	bool is_out;
};

struct flow {
	struct flow_key key;
	bool is_used;
	int64_t packets, bytes; /* seen at the interface; less than zero: more was dropped than seen so far */
	int64_t dropped_packets, dropped_bytes;
	int64_t start_us, end_us;
	int64_t came_us; /* when the first report came since the last file */
	int64_t owed_us; /* since when more was dropped than seen; 0: it was not */
};

/* Flows of a log: a hash table with open addressing. */
struct book {
	uuid log, account;
	struct flow *flows;
	size_t room, count;
	int64_t skipped, from_us, interval_us;
	int64_t lost_at;   /* the collector's `lost` at the beginning */
	int64_t retry_us;  /* the next file is not written before; 0: no file failed */
	int64_t uncovered; /* interfaces beyond the account's share */
	int tries;         /* files that failed in a row */
	bool is_lost;      /* nobody watched since from_us */
	bool is_watched;   /* while the plan changes */
};

struct watched {
	uint64_t tap;
	size_t book;
};

struct flow_collector {
	int fd, wake_fd; /* fd -1: it does not listen */
	bool runs;
	pthread_t thread;
	flow_due *due;
	void *due_arg;
	int64_t planned_us, told_us; /* the thread's: when due() was last called */
	atomic_bool stopping;
	struct ipfix_templates *templates; /* the thread's */
	struct cidr *exporters;
	size_t exporter_count;
	pthread_mutex_t lock; /* guards what follows: the thread adds, and the reconciler plans and takes */
	struct book *books;   /* owned */
	size_t book_count, flow_count;
	struct watched *watched; /* owned; sorted by tap */
	size_t watched_count;
	struct flow_end *ends; /* owned; sorted by datapath and address */
	size_t end_count;
	struct network_drop *drops; /* owned; sorted by point */
	size_t drop_count;
	int64_t lost; /* reports that did not arrive, of all exporters */
	bool is_late;
};

uint64_t flow_tap(uuid port)
{
	uint64_t tap = 0;
	for (size_t k = 0; k < (TAP_DIGITS + 1) / 2; k++)
		tap = tap << 8 | port.b[k];
	return tap >> 4; /* eleven digits of twelve */
}

/* 0: no interface of a guest has that name. */
static uint64_t parse_tap(const char *name)
{
	char *end = NULL;
	if (strncmp(name, "dt", 2) != 0 || strlen(name) != 2 + TAP_DIGITS)
		return 0;
	uint64_t tap = strtoull(name + 2, &end, 16);
	return *end ? 0 : tap;
}

/* ---- books ---- */

static uint64_t hash_ip(uint64_t hash, struct ip ip)
{
	uint64_t half[2];
	memcpy(half, ip.b, sizeof half);
	return hash_add(hash_add(hash, half[0]), half[1]);
}

static uint64_t hash_key(const struct flow_key *k)
{
	uint64_t hash = hash_ip(hash_ip(hash_add(0, k->tap), k->source), k->destination);
	return hash_add(hash, (uint64_t) k->source_port << 32 | (uint64_t) k->destination_port << 16 |
				      (uint64_t) k->protocol << 1 | k->is_out);
}

static bool is_key(const struct flow_key *a, const struct flow_key *b)
{
	return a->tap == b->tap && a->is_out == b->is_out && a->protocol == b->protocol &&
	       a->source_port == b->source_port && a->destination_port == b->destination_port &&
	       ip_equal(a->source, b->source) && ip_equal(a->destination, b->destination);
}

static struct flow *find_slot(struct flow *flows, size_t room, const struct flow_key *key)
{
	size_t at = hash_key(key) & (room - 1);
	while (flows[at].is_used && !is_key(&flows[at].key, key))
		at = (at + 1) & (room - 1);
	return &flows[at];
}

static bool grow(struct book *b)
{
	size_t room = b->room ? 2 * b->room : FIRST_ROOM;
	struct flow *flows = heap_alloc_array(room, sizeof *flows);
	if (!flows)
		return false;
	for (size_t k = 0; k < b->room; k++)
		if (b->flows[k].is_used)
			*find_slot(flows, room, &b->flows[k].key) = b->flows[k];
	heap_free(b->flows);
	b->flows = flows;
	b->room = room;
	return true;
}

static size_t count_of_account(const struct flow_collector *f, uuid account)
{
	size_t count = 0;
	for (size_t k = 0; k < f->book_count; k++)
		count += uuid_equal(f->books[k].account, account) ? f->books[k].count : 0;
	return count;
}

/* The flow of that key; NULL: an amount is exceeded. */
static struct flow *find_flow(struct flow_collector *f, struct book *b, const struct flow_key *key)
{
	if (2 * b->count >= b->room && !grow(b))
		return NULL;
	struct flow *flow = find_slot(b->flows, b->room, key);
	if (flow->is_used)
		return flow;
	if (b->count >= FLOWS_OF_LOG || f->flow_count >= FLOWS_OF_ALL ||
	    count_of_account(f, b->account) >= FLOWS_OF_ACCOUNT)
		return NULL;
	*flow = (struct flow){.key = *key, .is_used = true};
	b->count++;
	f->flow_count++;
	return flow;
}

static void add_to(struct flow_collector *f, struct book *b, const struct flow_key *key,
		   const struct ipfix_record *r, bool is_dropped)
{
	struct flow *flow = find_flow(f, b, key);
	if (!flow) {
		b->skipped++;
		return;
	}
	*(is_dropped ? &flow->dropped_packets : &flow->packets) += r->packets;
	*(is_dropped ? &flow->dropped_bytes : &flow->bytes) += r->bytes;
	if (!flow->start_us || r->start_us < flow->start_us)
		flow->start_us = r->start_us;
	if (r->end_us > flow->end_us)
		flow->end_us = r->end_us;
	if (!flow->came_us)
		flow->came_us = clock_now_us();
}

/* ---- reports ---- */

static int by_tap(const void *left, const void *right)
{
	uint64_t a = ((const struct watched *) left)->tap, b = ((const struct watched *) right)->tap;
	return a < b ? -1 : a > b;
}

static void add(struct flow_collector *f, uint64_t tap, bool is_out, const struct ipfix_record *r,
		bool is_dropped)
{
	const struct watched wanted = {.tap = tap}, *w = NULL;
	const struct flow_key key = {
		tap, r->source, r->destination, r->source_port, r->destination_port, r->protocol, is_out};
	if (tap && f->watched_count)
		w = bsearch(&wanted, f->watched, f->watched_count, sizeof *w, by_tap);
	if (!w)
		return;
	while (w > f->watched && w[-1].tap == tap)
		w--;
	for (; w < f->watched + f->watched_count && w->tap == tap; w++)
		add_to(f, &f->books[w->book], &key, r, is_dropped);
}

static int by_end(const void *left, const void *right)
{
	const struct flow_end *a = left, *b = right;
	if (a->datapath != b->datapath)
		return a->datapath < b->datapath ? -1 : 1;
	return ip_compare(a->ip, b->ip);
}

static uint64_t find_end(const struct flow_collector *f, uint32_t datapath, struct ip ip)
{
	const struct flow_end wanted = {.datapath = datapath, .ip = ip};
	const struct flow_end *end =
		f->end_count ? bsearch(&wanted, f->ends, f->end_count, sizeof *end, by_end) : NULL;
	return end ? end->tap : 0;
}

static int by_point(const void *left, const void *right)
{
	uint32_t a = ((const struct network_drop *) left)->point,
		 b = ((const struct network_drop *) right)->point;
	return a < b ? -1 : a > b;
}

/* Says whose traffic a policy dropped. Out of a network to a port it is the receiver's, unless the port is a router's; into a
 * network it is the sender's if the packet came from its device, else it came from a router and is the receiver's. */
static void add_drop(struct flow_collector *f, const struct ipfix_record *r)
{
	const struct network_drop wanted = {.point = r->point};
	const struct network_drop *drop =
		f->drop_count ? bsearch(&wanted, f->drops, f->drop_count, sizeof *drop, by_point) : NULL;
	uint32_t datapath = r->domain & ((1U << DOMAIN_SHIFT) - 1);
	uint64_t sender = find_end(f, datapath, r->source), receiver = find_end(f, datapath, r->destination);
	if (datapath && !drop)
		f->is_late = f->is_late || sender || receiver;
	if (!drop)
		return;
	uint64_t device = parse_tap(r->in);
	bool is_senders = sender && (!device || device == sender);
	if (drop->is_out ? receiver == 0 && is_senders : is_senders)
		add(f, sender, true, r, true);
	else
		add(f, receiver, false, r, true);
}

static bool is_unspecified(struct ip ip)
{
	static const uint8_t zeros[sizeof ip.b];
	return memcmp(ip.b, zeros, sizeof zeros) == 0;
}

/* The platform's own, and IPv6 addresses of the link: neighbour discovery and group membership. */
static bool is_platforms(struct ip ip)
{
	if (ip.family == IP_V6)
		return ip.b[0] == 0xff || (ip.b[0] == 0xfe && (ip.b[1] & 0xc0) == 0x80) || is_unspecified(ip);
	return ip.family == IP_V4 && ((ip.b[0] == 169 && ip.b[1] == 254) || ip_to_v4(ip) == 0xa83f8110U);
}

/* As in EC2: neither DHCP nor what goes to or comes from the platform's own addresses. */
static bool is_recorded(const struct ipfix_record *r)
{
	bool is_dhcp = r->protocol == UDP &&
		       (r->source_port == DHCP_PORT || r->source_port == DHCP_CLIENT_PORT) &&
		       (r->destination_port == DHCP_PORT || r->destination_port == DHCP_CLIENT_PORT);
	return !is_dhcp && !is_platforms(r->source) && !is_platforms(r->destination);
}

static void take_record(void *arg, const struct ipfix_record *r)
{
	struct flow_collector *f = arg;
	if (!is_recorded(r))
		return;
	if (r->domain >> DOMAIN_SHIFT == NETWORK_SAMPLE_DOMAIN)
		add_drop(f, r);
	else if (r->is_output)
		add(f, parse_tap(r->out), false, r, false);
	else
		add(f, parse_tap(r->in), true, r, false);
}

/* ---- the thread ---- */

static struct ip read_address(const struct sockaddr_storage *from, uint16_t *ret_port)
{
	struct ip ip = {0};
	if (from->ss_family == AF_INET) {
		const struct sockaddr_in *in = (const struct sockaddr_in *) from;
		ip.family = IP_V4;
		memcpy(ip.b, &in->sin_addr, 4);
		*ret_port = ntohs(in->sin_port);
	} else {
		const struct sockaddr_in6 *in = (const struct sockaddr_in6 *) from;
		ip.family = IP_V6;
		memcpy(ip.b, &in->sin6_addr, 16);
		*ret_port = ntohs(in->sin6_port);
	}
	return ip;
}

static bool may_export(const struct flow_collector *f, struct ip ip)
{
	bool may = f->exporter_count == 0;
	for (size_t k = 0; k < f->exporter_count && !may; k++)
		may = cidr_contains(f->exporters[k], ip);
	return may;
}

static void receive(struct flow_collector *f, uint8_t *datagram)
{
	struct sockaddr_storage from;
	socklen_t from_size = sizeof from;
	ssize_t size =
		recvfrom(f->fd, datagram, DATAGRAM_SIZE, MSG_DONTWAIT, (struct sockaddr *) &from, &from_size);
	uint16_t port = 0;
	int64_t lost = 0;
	if (size <= 0)
		return;
	struct ip ip = read_address(&from, &port);
	if (!may_export(f, ip))
		return;
	struct str message = {(const char *) datagram, (size_t) size};
	(void) pthread_mutex_lock(&f->lock);
	(void) ipfix_read(f->templates, ip, port, message, take_record, f, &lost);
	f->lost += lost;
	(void) pthread_mutex_unlock(&f->lock);
}

/* True if the log's interval has ended. */
static bool is_over(const struct book *b, int64_t now_us)
{
	return now_us >= b->retry_us && now_us >= (b->from_us / b->interval_us + 1) * b->interval_us;
}

/* Logs whose interval is over, up to DUE_MAX; the others' turn comes with the next call. */
static size_t find_due(struct flow_collector *f, int64_t now_us, uuid (*ret_logs)[2])
{
	size_t count = 0;
	(void) pthread_mutex_lock(&f->lock);
	for (size_t k = 0; k < f->book_count && count < DUE_MAX; k++) {
		const struct book *b = &f->books[k];
		if (!is_over(b, now_us))
			continue;
		ret_logs[count][0] = b->log;
		ret_logs[count++][1] = b->account;
	}
	(void) pthread_mutex_unlock(&f->lock);
	return count;
}

static bool is_plan_due(struct flow_collector *f, int64_t now_us)
{
	(void) pthread_mutex_lock(&f->lock);
	bool is_due = f->book_count && (f->is_late || now_us - f->planned_us >= PLAN_EVERY_US);
	if (is_due)
		f->is_late = false;
	(void) pthread_mutex_unlock(&f->lock);
	return is_due;
}

static void tell(struct flow_collector *f)
{
	int64_t now_us = clock_now_us();
	uuid logs[DUE_MAX][2];
	if (!f->due || (now_us >= f->told_us && now_us - f->told_us < SECOND))
		return;
	f->told_us = now_us;
	if (is_plan_due(f, now_us)) {
		f->planned_us = now_us;
		f->due(f->due_arg, UUID_NONE, UUID_NONE);
	}
	size_t count = find_due(f, now_us, logs);
	for (size_t k = 0; k < count; k++)
		f->due(f->due_arg, logs[k][0], logs[k][1]);
}

static void *run(void *arg)
{
	struct flow_collector *f = arg;
	uint8_t *datagram = heap_alloc(DATAGRAM_SIZE);
	(void) pthread_setname_np(pthread_self(), "flows");
	while (datagram && !atomic_load(&f->stopping)) {
		struct pollfd fds[] = {{f->wake_fd, POLLIN, 0}, {f->fd, POLLIN, 0}};
		(void) poll(fds, f->fd >= 0 ? 2 : 1, LOOK_MS);
		if (f->fd >= 0)
			receive(f, datagram);
		tell(f);
	}
	heap_free(datagram);
	return NULL;
}

/* ---- life ---- */

static RESULT parse_place(struct ctx *c, struct str listen, struct sockaddr_storage *ret_at,
			  socklen_t *ret_size)
{
	size_t colon = listen.n;
	int64_t port = 0;
	struct ip ip;
	while (colon > 0 && listen.p[colon - 1] != ':')
		colon--;
	struct str host = str_slice(listen, 0, colon ? colon - 1 : 0);
	if (host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']')
		host = str_slice(host, 1, host.n - 1);
	if (ip_parse(host, &ip).code || str_parse_int(str_slice(listen, colon, listen.n), &port).code ||
	    port < 0 || port > UINT16_MAX) {
		ctx_clear_problem(c);
		return ctx_fail(c, ERR_INVALID, "flow_logs.listen is ADDRESS:PORT, not %" STR_FMT,
				STR_ARG(listen));
	}
	memset(ret_at, 0, sizeof *ret_at);
	struct sockaddr_in *v4 = (struct sockaddr_in *) ret_at;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *) ret_at;
	if (ip.family == IP_V4) {
		*v4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t) port)};
		memcpy(&v4->sin_addr, ip.b, 4);
		*ret_size = sizeof *v4;
	} else {
		*v6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons((uint16_t) port)};
		memcpy(&v6->sin6_addr, ip.b, 16);
		*ret_size = sizeof *v6;
	}
	return OK;
}

static RESULT listen_at(struct flow_collector *f, struct ctx *c, struct str listen)
{
	struct sockaddr_storage at;
	socklen_t size = 0;
	int buffer = SOCKET_BUFFER_SIZE;
	TRY(parse_place(c, listen, &at, &size));
	f->fd = socket(at.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (f->fd < 0 || bind(f->fd, (struct sockaddr *) &at, size) != 0)
		return ctx_fail(c, ERR_IO, "cannot receive flows at %" STR_FMT ": %s", STR_ARG(listen),
				strerrordesc_np(errno));
	(void) setsockopt(f->fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
	f->templates = ipfix_templates_new();
	return f->templates ? OK : ctx_no_memory(c);
}

static RESULT read_exporters(struct flow_collector *f, struct ctx *c, struct strs texts)
{
	f->exporters = heap_alloc_array(texts.count + 1, sizeof *f->exporters);
	if (!f->exporters)
		return ctx_no_memory(c);
	for (size_t k = 0; k < texts.count; k++) {
		struct cidr *block = &f->exporters[k];
		if (result_is_ok(ip_parse(texts.at[k], &block->base)))
			block->bits = block->base.family == IP_V4 ? 32 : 128;
		else
			TRY(cidr_parse(texts.at[k], block));
		f->exporter_count++;
	}
	return OK;
}

RESULT flow_collector_new(struct ctx *c, struct str listen, struct strs exporters,
			  struct flow_collector **ret_collector)
{
	struct flow_collector *f = heap_new(struct flow_collector);
	if (!f)
		return ctx_no_memory(c);
	f->fd = f->wake_fd = -1;
	(void) pthread_mutex_init(&f->lock, NULL);
	struct result r = read_exporters(f, c, exporters);
	if (result_is_ok(r) && listen.n)
		r = listen_at(f, c, listen);
	if (!result_is_ok(r)) {
		flow_collector_free(f);
		return r;
	}
	*ret_collector = f;
	return OK;
}

RESULT flow_collector_start(struct flow_collector *f, struct ctx *c, flow_due *due, void *arg)
{
	f->due = due;
	f->due_arg = arg;
	f->wake_fd = eventfd(0, EFD_CLOEXEC);
	f->runs = f->wake_fd >= 0 && pthread_create(&f->thread, NULL, run, f) == 0;
	return f->runs ? OK : ctx_no_memory(c);
}

void flow_collector_stop(struct flow_collector *f)
{
	if (!f || !f->runs)
		return;
	atomic_store(&f->stopping, true);
	(void) eventfd_write(f->wake_fd, 1);
	(void) pthread_join(f->thread, NULL);
	f->runs = false;
}

void flow_collector_free(struct flow_collector *f)
{
	if (!f)
		return;
	flow_collector_stop(f);
	if (f->fd >= 0)
		(void) close(f->fd);
	if (f->wake_fd >= 0)
		(void) close(f->wake_fd);
	for (size_t k = 0; k < f->book_count; k++)
		heap_free(f->books[k].flows);
	ipfix_templates_free(f->templates);
	heap_free(f->exporters);
	heap_free(f->books);
	heap_free(f->watched);
	heap_free(f->ends);
	heap_free(f->drops);
	(void) pthread_mutex_destroy(&f->lock);
	heap_free(f);
}

bool flow_collector_listens(const struct flow_collector *f)
{
	return f && f->fd >= 0;
}

/* ---- the plan ---- */

static size_t find_book(const struct flow_collector *f, uuid log)
{
	size_t at = 0;
	while (at < f->book_count && !uuid_equal(f->books[at].log, log))
		at++;
	return at;
}

static void forget_books(struct flow_collector *f)
{
	size_t kept = 0;
	for (size_t k = 0; k < f->book_count; k++) {
		if (f->books[k].is_watched) {
			f->books[kept++] = f->books[k];
			continue;
		}
		f->flow_count -= f->books[k].count;
		heap_free(f->books[k].flows);
	}
	f->book_count = kept;
}

/* A lost interval begins where the last one ended, is over at once, and has a file of its own. */
static struct book make_book(const struct flow_collector *f, const struct flow_watch *w, int64_t now_us)
{
	bool is_lost = w->since_us > 0 && now_us - w->since_us > LOST_AFTER_US;
	return (struct book){.log = w->log,
			     .account = w->account,
			     .from_us = is_lost ? w->since_us : now_us,
			     .is_lost = is_lost,
			     .lost_at = f->lost,
			     .interval_us = w->interval_us};
}

/* Adds books of new logs, and forgets those of logs that are gone. False: there are too many. */
static bool make_books(struct flow_collector *f, const struct flow_plan *plan, int64_t now_us)
{
	for (size_t k = 0; k < f->book_count; k++)
		f->books[k].is_watched = false;
	for (size_t k = 0; k < plan->watch_count; k++) {
		const struct flow_watch *w = &plan->watches[k];
		size_t at = find_book(f, w->log);
		if (at == f->book_count && at < BOOKS_MAX)
			f->books[f->book_count++] = make_book(f, w, now_us);
		if (at < f->book_count)
			f->books[at].is_watched = true;
		if (at < f->book_count && !w->tap)
			f->books[at].uncovered = w->uncovered;
	}
	forget_books(f);
	return true;
}

static void *copy(const void *list, size_t count, size_t size)
{
	void *made = heap_alloc_array(count + 1, size);
	if (made && count)
		memcpy(made, list, count * size);
	return made;
}

bool flow_collector_watch(struct flow_collector *f, struct flow_plan *plan, int64_t now_us)
{
	struct flow_end *ends = copy(plan->ends, plan->end_count, sizeof *ends);
	struct network_drop *drops = copy(plan->drops, plan->drop_count, sizeof *drops);
	struct watched *watched = heap_alloc_array(plan->watch_count + 1, sizeof *watched);
	if (ends)
		qsort(ends, plan->end_count, sizeof *ends, by_end);
	if (drops)
		qsort(drops, plan->drop_count, sizeof *drops, by_point);
	(void) pthread_mutex_lock(&f->lock);
	if (!f->books)
		f->books = heap_alloc_array(BOOKS_MAX, sizeof *f->books);
	bool is_whole = ends && drops && watched && f->books;
	if (is_whole) {
		(void) make_books(f, plan, now_us);
		f->watched_count = 0;
		for (size_t k = 0; k < plan->watch_count; k++) {
			size_t book = find_book(f, plan->watches[k].log);
			if (book < f->book_count)
				watched[f->watched_count++] = (struct watched){plan->watches[k].tap, book};
		}
		qsort(watched, f->watched_count, sizeof *watched, by_tap);
		struct watched *old_watched = f->watched;
		struct flow_end *old_ends = f->ends;
		struct network_drop *old_drops = f->drops;
		f->watched = watched, f->ends = ends, f->drops = drops;
		f->end_count = plan->end_count;
		f->drop_count = plan->drop_count;
		watched = old_watched, ends = old_ends, drops = old_drops;
	}
	(void) pthread_mutex_unlock(&f->lock);
	heap_free(watched);
	heap_free(ends);
	heap_free(drops);
	return is_whole;
}

/* ---- taking ---- */

static struct flow_record write_record(const struct flow *flow, bool is_reject, int64_t packets,
				       int64_t bytes)
{
	return (struct flow_record){.tap = flow->key.tap,
				    .is_out = flow->key.is_out,
				    .is_reject = is_reject,
				    .source = flow->key.source,
				    .destination = flow->key.destination,
				    .source_port = flow->key.source_port,
				    .destination_port = flow->key.destination_port,
				    .protocol = flow->key.protocol,
				    .packets = packets,
				    .bytes = bytes,
				    .start_us = flow->start_us,
				    .end_us = flow->end_us};
}

/* Writes up to two records of the flow. True: something is left for the next interval. */
static bool take_flow(struct flow *flow, int64_t now_us, struct flow_record *records, size_t *count)
{
	if (flow->key.is_out && now_us - flow->came_us < HOLD_US)
		return true;
	int64_t packets = flow->packets, bytes = flow->bytes;
	int64_t dropped_packets = flow->dropped_packets, dropped_bytes = flow->dropped_bytes;
	bool is_mixed = flow->key.is_out && dropped_packets > 0;
	if (dropped_packets > 0)
		records[(*count)++] = write_record(flow, true, dropped_packets, dropped_bytes);
	if (packets > 0 && !is_mixed)
		records[(*count)++] = write_record(flow, false, packets, bytes);
	int64_t left = flow->key.is_out ? packets - dropped_packets : 0, owed_us = flow->owed_us;
	bool is_left = is_mixed ? left != 0 : left < 0 && now_us - owed_us < OWED_US;
	*flow = (struct flow){.key = flow->key, .is_used = true};
	if (is_left) {
		flow->packets = left;
		flow->bytes = bytes - dropped_bytes;
		flow->owed_us = left < 0 && owed_us ? owed_us : now_us;
	}
	return is_left;
}

static int by_interface(const void *left, const void *right)
{
	const struct flow_record *a = left, *b = right;
	if (a->tap != b->tap)
		return a->tap < b->tap ? -1 : 1;
	return a->start_us < b->start_us ? -1 : a->start_us > b->start_us;
}

static void take_book(struct flow_collector *f, struct book *b, int64_t now_us, struct flow *left,
		      struct flow_take *take)
{
	size_t left_count = 0;
	for (size_t k = 0; k < b->room; k++)
		if (b->flows[k].is_used && take_flow(&b->flows[k], now_us, take->records, &take->count))
			left[left_count++] = b->flows[k];
	if (b->room)
		memset(b->flows, 0, b->room * sizeof *b->flows);
	for (size_t k = 0; k < left_count; k++)
		*find_slot(b->flows, b->room, &left[k].key) = left[k];
	f->flow_count -= b->count - left_count;
	b->count = left_count;
	take->from_us = b->from_us;
	take->is_lost = b->is_lost;
	b->is_lost = false;
	take->skipped = b->skipped + f->lost - b->lost_at;
	take->uncovered = b->uncovered;
	b->from_us = now_us;
	b->skipped = 0;
	b->lost_at = f->lost;
}

RESULT flow_collector_take(struct flow_collector *f, struct ctx *c, uuid log, int64_t now_us,
			   bool *ret_is_due, struct flow_take *ret_take)
{
	struct flow_take take = {0};
	(void) pthread_mutex_lock(&f->lock);
	size_t at = find_book(f, log);
	struct book *b = at < f->book_count && is_over(&f->books[at], now_us) ? &f->books[at] : NULL;
	size_t count = b ? b->count : 0;
	take.records = arena_new_array(c->arena, struct flow_record, 2 * count + 1);
	struct flow *left = heap_alloc_array(count + 1, sizeof *left);
	bool is_whole = take.records && left;
	if (b && is_whole)
		take_book(f, b, now_us, left, &take);
	(void) pthread_mutex_unlock(&f->lock);
	heap_free(left);
	if (!is_whole)
		return ctx_no_memory(c);
	qsort(take.records, take.count, sizeof *take.records, by_interface);
	*ret_is_due = b != NULL;
	*ret_take = take;
	return OK;
}

/* ---- files that could not be written ---- */

/* A packet that an interface sent is counted before it is dropped, so that a dropped one counts as sent, too. */
static void restore(struct flow_collector *f, struct book *b, const struct flow_record *r)
{
	const struct flow_key key = {r->tap,         r->source,           r->destination,
				     r->source_port, r->destination_port, r->protocol,
				     r->is_out};
	struct flow *flow = find_flow(f, b, &key);
	if (!flow) {
		b->skipped++;
		return;
	}
	if (r->is_reject) {
		flow->dropped_packets += r->packets;
		flow->dropped_bytes += r->bytes;
	}
	if (!r->is_reject || r->is_out) {
		flow->packets += r->packets;
		flow->bytes += r->bytes;
	}
	if (!flow->start_us || r->start_us < flow->start_us)
		flow->start_us = r->start_us;
	if (r->end_us > flow->end_us)
		flow->end_us = r->end_us;
	if (!flow->came_us)
		flow->came_us = r->start_us;
}

bool flow_collector_give_back(struct flow_collector *f, uuid log, const struct flow_take *take,
			      int64_t now_us)
{
	(void) pthread_mutex_lock(&f->lock);
	size_t at = find_book(f, log);
	struct book *b = at < f->book_count ? &f->books[at] : NULL;
	bool is_kept = b && ++b->tries < FLOW_TRIES;
	for (size_t k = 0; is_kept && k < take->count; k++)
		restore(f, b, &take->records[k]);
	if (is_kept) {
		b->from_us = take->from_us;
		b->skipped += take->skipped;
		b->is_lost = b->is_lost || take->is_lost;
	} else if (b)
		b->tries = 0;
	if (b)
		b->retry_us = now_us + RETRY_US;
	(void) pthread_mutex_unlock(&f->lock);
	return is_kept;
}

void flow_collector_forget_failures(struct flow_collector *f, uuid log)
{
	(void) pthread_mutex_lock(&f->lock);
	size_t at = find_book(f, log);
	if (at < f->book_count) {
		f->books[at].tries = 0;
		f->books[at].retry_us = 0;
	}
	(void) pthread_mutex_unlock(&f->lock);
}
