/* SPDX-License-Identifier: Apache-2.0
 * Receives reports about requests (access_collector.h). */
#include "reconcile/balancing/access_collector.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/heap.h"
#include "drivers/proxy.h"
#include "reconcile/balancing/access_journal.h"

/* LAST_TURN: more than a socket holds, so that a busy proxy cannot delay the end. */
enum {
	DATAGRAM_SIZE = 65536,
	TURN = 64,
	LAST_TURN = 10000,
	EVENTS = 64,
	DUE_MAX = 64,
	LOOK_MS = 1000,
	FIRST_ROOM = 16 << 10
};
#define RETRY_US MINUTE
enum { RETRY_MOST = 10 };

/* The reports of one load balancer. */
struct spool {
	struct spool *next;
	struct access_subject subject;
	struct access_subject next_subject; /* follows when what waits has been taken */
	bool has_next_subject;
	int fd;      /* -1: it ends when its last file is written */
	char *bytes; /* owned */
	size_t size, room;
	size_t taken; /* room that a file in the making has */
	bool is_taken;
	int64_t from_us, retry_us;
	int64_t dropped, worker, lost;
	int tries;
	struct access_file file; /* the journal's, which is being written */
	struct access_files files;
};

struct access_collector {
	int epoll_fd, wake_fd;
	bool runs;
	pthread_t thread;
	access_due *due;
	void *due_arg;
	int64_t told_us; /* the thread's */
	atomic_bool stopping;
	pthread_mutex_t lock;           /* guards what follows */
	struct spool *spools;           /* owned */
	struct access_journal *journal; /* owned; NULL: reports are in memory alone */
	size_t room;                    /* bytes of all spools, with those taken */
	struct access_figures figures;
};

static struct spool **find(struct access_collector *f, uuid proxy)
{
	struct spool **at = &f->spools;
	while (*at && !uuid_equal((*at)->subject.proxy, proxy))
		at = &(*at)->next;
	return at;
}

/* ---- receiving ---- */

static size_t room_of_account(const struct access_collector *f, uuid account)
{
	size_t room = 0;
	for (const struct spool *s = f->spools; s; s = s->next)
		room += uuid_equal(s->subject.account, account) ? s->room + s->taken : 0;
	return room;
}

/* False: a limit is reached, or memory is short. */
static bool grow(struct access_collector *f, struct spool *s, size_t size)
{
	size_t room = s->room ? s->room : FIRST_ROOM;
	while (room < size)
		room *= 2;
	if (room > ACCESS_OF_ONE - s->taken)
		room = ACCESS_OF_ONE - s->taken;
	size_t more = room - s->room;
	if (room < size || f->room + more > ACCESS_OF_ALL ||
	    room_of_account(f, s->subject.account) + more > ACCESS_OF_ACCOUNT)
		return false;
	char *bytes = s->bytes ? heap_resize(s->bytes, room) : heap_alloc(room);
	if (!bytes)
		return false;
	s->bytes = bytes;
	s->room = room;
	f->room += more;
	return true;
}

static void drop(struct access_collector *f, struct spool *s, int64_t count)
{
	s->dropped += count;
	f->figures.dropped += count;
}

/* Messages of HAProxy's own have no mark. */
static void add(struct access_collector *f, struct spool *s, const char *bytes, size_t size)
{
	while (size && bytes[size - 1] == '\n')
		size--;
	if (!str_starts_with((struct str){bytes, size}, STR(ACCESS_MARK " ")) || memchr(bytes, '\n', size))
		return;
	if (s->size + size + 1 > s->room && !grow(f, s, s->size + size + 1)) {
		drop(f, s, 1);
		return;
	}
	memcpy(s->bytes + s->size, bytes, size);
	s->bytes[s->size + size] = '\n';
	s->size += size + 1;
	f->figures.received++;
}

/* Reads at most that many datagrams of the socket. A datagram may be empty, and recv() returns 0 then. */
static void read_socket(struct access_collector *f, struct spool *s, char *datagram, int most)
{
	size_t before = s->size;
	ssize_t size = 0;
	for (int k = 0; k < most && (size = recv(s->fd, datagram, DATAGRAM_SIZE, MSG_DONTWAIT)) >= 0; k++)
		add(f, s, datagram, (size_t) size);
	if (s->size > before)
		access_journal_add(f->journal, &s->subject, s->from_us, &s->file, &s->files,
				   (struct str){s->bytes + before, s->size - before});
}

/* Reads a few datagrams, so that a busy proxy leaves others their turn. */
static void receive(struct access_collector *f, int fd, char *datagram)
{
	(void) pthread_mutex_lock(&f->lock);
	struct spool *s = f->spools;
	while (s && s->fd != fd)
		s = s->next;
	if (s)
		read_socket(f, s, datagram, TURN);
	(void) pthread_mutex_unlock(&f->lock);
}

/* ---- the thread ---- */

static int64_t end_of(const struct spool *s)
{
	return (s->from_us / s->subject.interval_us + 1) * s->subject.interval_us;
}

static bool is_due(const struct spool *s, int64_t now_us)
{
	return !s->is_taken && now_us >= s->retry_us &&
	       (s->subject.needs_test || s->subject.needs_connection_test || s->fd < 0 ||
		s->has_next_subject || s->size >= ACCESS_EARLY || now_us >= end_of(s));
}

/* Says which files are due, of spools behind the first `skipped`. Returns how many spools were looked at; 0: there are no more. */
static size_t tell_some(struct access_collector *f, size_t skipped, int64_t now_us)
{
	uuid due[DUE_MAX][2];
	size_t count = 0, seen = 0;
	(void) pthread_mutex_lock(&f->lock);
	const struct spool *s = f->spools;
	for (size_t k = 0; s && k < skipped; k++)
		s = s->next;
	for (; s && count < DUE_MAX; s = s->next, seen++) {
		if (!is_due(s, now_us))
			continue;
		due[count][0] = s->subject.balancer;
		due[count++][1] = s->subject.account;
	}
	(void) pthread_mutex_unlock(&f->lock);
	for (size_t k = 0; k < count; k++)
		f->due(f->due_arg, due[k][0], due[k][1]);
	return seen;
}

/* Once a second. due() is called without the lock, so a spool that ends meanwhile may hide another until the next second. */
static void tell(struct access_collector *f)
{
	int64_t now_us = clock_now_us();
	if (now_us >= f->told_us && now_us - f->told_us < SECOND)
		return;
	f->told_us = now_us;
	for (size_t at = 0, seen = 1; seen; at += seen)
		seen = tell_some(f, at, now_us);
}

static void *run(void *arg)
{
	struct access_collector *f = arg;
	char *datagram = heap_alloc(DATAGRAM_SIZE);
	(void) pthread_setname_np(pthread_self(), "access-logs");
	while (datagram && !atomic_load(&f->stopping)) {
		struct epoll_event events[EVENTS];
		int count = epoll_wait(f->epoll_fd, events, EVENTS, LOOK_MS);
		for (int k = 0; k < count; k++)
			if (events[k].data.fd != f->wake_fd)
				receive(f, events[k].data.fd, datagram);
		tell(f);
	}
	heap_free(datagram);
	return NULL;
}

/* ---- life ---- */

struct access_collector *access_collector_new(void)
{
	struct access_collector *f = heap_new(struct access_collector);
	if (!f)
		return NULL;
	(void) pthread_mutex_init(&f->lock, NULL);
	f->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	f->wake_fd = eventfd(0, EFD_CLOEXEC);
	struct epoll_event event = {.events = EPOLLIN, .data.fd = f->wake_fd};
	if (f->epoll_fd >= 0 && f->wake_fd >= 0 &&
	    epoll_ctl(f->epoll_fd, EPOLL_CTL_ADD, f->wake_fd, &event) == 0)
		return f;
	access_collector_free(f);
	return NULL;
}

RESULT access_collector_start(struct access_collector *f, struct ctx *c, access_due *due, void *arg)
{
	f->due = due;
	f->due_arg = arg;
	f->runs = pthread_create(&f->thread, NULL, run, f) == 0;
	return f->runs ? OK : ctx_no_memory(c);
}

void access_collector_stop(struct access_collector *f)
{
	if (!f || !f->runs)
		return;
	atomic_store(&f->stopping, true);
	(void) eventfd_write(f->wake_fd, 1);
	(void) pthread_join(f->thread, NULL);
	f->runs = false;
	char *datagram = heap_alloc(DATAGRAM_SIZE);
	(void) pthread_mutex_lock(&f->lock);
	for (struct spool *s = f->spools; s && datagram; s = s->next)
		if (s->fd >= 0)
			read_socket(f, s, datagram, LAST_TURN);
	(void) pthread_mutex_unlock(&f->lock);
	heap_free(datagram);
}

static void free_spool(struct access_collector *f, struct spool **at)
{
	struct spool *s = *at;
	*at = s->next;
	f->room -= s->room;
	if (s->fd >= 0)
		(void) close(s->fd);
	access_journal_end(&s->file);
	heap_free(s->bytes);
	heap_free(s);
}

/* Ends a spool that has nothing left for a file. */
static void end_spool(struct access_collector *f, struct spool **at)
{
	access_journal_delete(f->journal, (*at)->subject.proxy, (*at)->files);
	free_spool(f, at);
}

void access_collector_free(struct access_collector *f)
{
	if (!f)
		return;
	access_collector_stop(f);
	while (f->spools)
		free_spool(f, &f->spools);
	access_journal_free(f->journal);
	if (f->epoll_fd >= 0)
		(void) close(f->epoll_fd);
	if (f->wake_fd >= 0)
		(void) close(f->wake_fd);
	(void) pthread_mutex_destroy(&f->lock);
	heap_free(f);
}

/* ---- subjects ---- */

bool access_collector_reads(struct access_collector *f, uuid proxy)
{
	(void) pthread_mutex_lock(&f->lock);
	const struct spool *s = *find(f, proxy);
	bool reads = s && s->fd >= 0;
	(void) pthread_mutex_unlock(&f->lock);
	return reads;
}

static struct spool *ensure(struct access_collector *f, uuid proxy, int64_t now_us)
{
	struct spool **at = find(f, proxy);
	if (!*at && (*at = heap_new(struct spool))) {
		(*at)->fd = (*at)->file.fd = -1;
		(*at)->from_us = now_us;
	}
	return *at;
}

static bool read_at(struct access_collector *f, struct spool *s, int fd)
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
	if (s->fd >= 0)
		(void) close(s->fd);
	s->fd = -1;
	if (epoll_ctl(f->epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0)
		return false;
	s->fd = fd;
	return true;
}

static bool leads_elsewhere(const struct access_subject *a, const struct access_subject *b)
{
	return a->logs_requests != b->logs_requests || a->logs_connections != b->logs_connections ||
	       strcmp(a->prefix, b->prefix) != 0 || strcmp(a->connection_prefix, b->connection_prefix) != 0;
}

/* Reports that were received before a change go to the former files. */
static void set_subject(struct spool *s, const struct access_subject *subject)
{
	s->has_next_subject = s->size && leads_elsewhere(&s->subject, subject);
	*(s->has_next_subject ? &s->next_subject : &s->subject) = *subject;
}

bool access_collector_open(struct access_collector *f, const struct access_subject *subject, int fd,
			   int64_t now_us)
{
	(void) pthread_mutex_lock(&f->lock);
	struct spool *s = ensure(f, subject->proxy, now_us);
	bool is_open = s != NULL;
	if (s && !s->worker) { /* counted by a former process or spool */
		s->worker = subject->worker;
		s->lost = subject->lost;
	}
	if (s)
		set_subject(s, subject);
	if (s && fd >= 0)
		is_open = read_at(f, s, fd);
	(void) pthread_mutex_unlock(&f->lock);
	if (!is_open && fd >= 0)
		(void) close(fd);
	return is_open;
}

/* Reports that still wait in the socket are read first. */
void access_collector_close(struct access_collector *f, uuid proxy)
{
	char *datagram = heap_alloc(DATAGRAM_SIZE);
	(void) pthread_mutex_lock(&f->lock);
	struct spool **at = find(f, proxy), *s = *at;
	if (s && s->fd >= 0 && datagram)
		read_socket(f, s, datagram, LAST_TURN);
	if (s && s->fd >= 0)
		(void) close(s->fd);
	if (s)
		s->fd = -1;
	if (s && !s->size && !s->is_taken)
		end_spool(f, at);
	(void) pthread_mutex_unlock(&f->lock);
	heap_free(datagram);
}

void access_collector_count_lost(struct access_collector *f, uuid proxy, int64_t worker, int64_t lost)
{
	(void) pthread_mutex_lock(&f->lock);
	struct spool *s = *find(f, proxy);
	if (s && worker != s->worker)
		s->lost = 0;
	if (s && lost > s->lost)
		drop(f, s, lost - s->lost);
	if (s) {
		s->worker = worker;
		s->lost = lost;
	}
	(void) pthread_mutex_unlock(&f->lock);
}

/* ---- reports of former processes ---- */

static bool restore_lines(void *arg, const struct access_subject *subject, int64_t from_us, struct str lines,
			  struct access_files **ret_files)
{
	struct access_collector *f = arg;
	struct spool **at = find(f, subject->proxy), *s = *at ? *at : ensure(f, subject->proxy, from_us);
	if (!s)
		return false;
	if (!s->files.next)
		s->subject = *subject;
	if (s->size + lines.n > s->room && !grow(f, s, s->size + lines.n)) {
		if (!s->size && !s->files.next)
			free_spool(f, find(f, subject->proxy));
		return false;
	}
	if (lines.n)
		memcpy(s->bytes + s->size, lines.p, lines.n);
	s->size += lines.n;
	*ret_files = &s->files;
	return true;
}

RESULT access_collector_keep(struct access_collector *f, struct ctx *c, const char *directory)
{
	(void) pthread_mutex_lock(&f->lock);
	struct result r = (f->journal = access_journal_new(directory))
				  ? access_journal_restore(f->journal, c, restore_lines, f)
				  : ctx_no_memory(c);
	(void) pthread_mutex_unlock(&f->lock);
	return r;
}

/* ---- files ---- */

/* A load balancer whose proxy was replaced has a spool of each. */
static struct spool *find_due(struct access_collector *f, uuid balancer, int64_t now_us)
{
	struct spool *s = f->spools;
	while (s && !(uuid_equal(s->subject.balancer, balancer) && is_due(s, now_us)))
		s = s->next;
	return s;
}

void access_collector_take(struct access_collector *f, uuid balancer, int64_t now_us, bool *ret_is_due,
			   struct access_take *ret_take)
{
	(void) pthread_mutex_lock(&f->lock);
	struct spool *s = find_due(f, balancer, now_us);
	*ret_is_due = s;
	if (s) {
		*ret_take = (struct access_take){.subject = s->subject,
						 .reports = {s->bytes, s->size},
						 .dropped = s->dropped,
						 .worker = s->worker,
						 .lost = s->lost,
						 .end_us = end_of(s),
						 .files = s->files};
		if (s->has_next_subject)
			s->subject = s->next_subject;
		s->has_next_subject = false;
		access_journal_end(&s->file);
		s->files.first = s->files.next;
		s->taken = s->room;
		s->is_taken = true;
		s->bytes = NULL;
		s->size = s->room = 0;
		s->dropped = 0;
		s->from_us = now_us;
	}
	(void) pthread_mutex_unlock(&f->lock);
}

/* Ends what a file has, whose bytes are freed or given back. A spool without a socket ends with its last file. */
static void end_take(struct access_collector *f, struct spool *s)
{
	f->room -= s->taken;
	s->taken = 0;
	s->is_taken = false;
	if (s->fd < 0 && !s->size)
		end_spool(f, find(f, s->subject.proxy));
}

static int64_t count_lines(struct str text)
{
	int64_t count = 0;
	for (size_t k = 0; k < text.n; k++)
		count += text.p[k] == '\n';
	return count;
}

/* Puts the bytes before those that came meanwhile. False: there is no room for both. */
static bool restore(struct access_collector *f, struct spool *s, struct access_take *take)
{
	size_t size = take->reports.n + s->size;
	char *bytes = size && size <= ACCESS_OF_ONE ? heap_alloc(size) : NULL;
	if (size && !bytes)
		return false;
	if (take->reports.n)
		memcpy(bytes, take->reports.p, take->reports.n);
	if (s->size)
		memcpy(bytes + take->reports.n, s->bytes, s->size);
	heap_free(s->bytes);
	f->room += size - s->room;
	s->bytes = bytes;
	s->size = s->room = size;
	return true;
}

bool access_collector_give_back(struct access_collector *f, struct access_take *take, int64_t now_us)
{
	(void) pthread_mutex_lock(&f->lock);
	struct spool *s = *find(f, take->subject.proxy);
	bool is_kept = s && ++s->tries < ACCESS_TRIES && restore(f, s, take);
	if (is_kept) {
		if (leads_elsewhere(&take->subject, &s->subject)) { /* the bytes belong to the former place */
			if (!s->has_next_subject)
				s->next_subject = s->subject;
			s->has_next_subject = true;
			s->subject = take->subject;
		}
		s->dropped += take->dropped;
		s->files.first = take->files.first;
	} else {
		f->figures.dropped += count_lines(take->reports);
		access_journal_delete(f->journal, take->subject.proxy, take->files);
	}
	if (s) {
		s->tries = is_kept ? s->tries : 0;
		s->retry_us = now_us + RETRY_US * (s->tries < RETRY_MOST ? s->tries : RETRY_MOST);
		end_take(f, s);
	}
	(void) pthread_mutex_unlock(&f->lock);
	heap_free((char *) (uintptr_t) take->reports.p);
	return is_kept;
}

void access_collector_free_take(struct access_collector *f, struct access_take *take)
{
	(void) pthread_mutex_lock(&f->lock);
	struct spool *s = *find(f, take->subject.proxy);
	if (s) {
		s->tries = 0;
		s->retry_us = 0;
		s->subject.needs_test = s->subject.needs_test && !take->subject.needs_test;
		s->subject.needs_connection_test =
			s->subject.needs_connection_test && !take->subject.needs_connection_test;
		end_take(f, s);
	}
	access_journal_delete(f->journal, take->subject.proxy, take->files);
	(void) pthread_mutex_unlock(&f->lock);
	heap_free((char *) (uintptr_t) take->reports.p);
}

struct access_figures access_collector_read(struct access_collector *f)
{
	(void) pthread_mutex_lock(&f->lock);
	struct access_figures figures = f->figures;
	(void) pthread_mutex_unlock(&f->lock);
	return figures;
}
