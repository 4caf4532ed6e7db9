/* SPDX-License-Identifier: Apache-2.0
 * Opens connections with a deadline, which virConnectOpen() lacks: a stopped or half-dead libvirtd would
 * block the host's actor forever. A connect() of our own tests the address first; then virConnectOpen() runs
 * on a thread that is awaited until the deadline. A late thread stays behind, at most one per address: the
 * next open takes over its result, and until then fails immediately. After OPENER_PATIENCE_US it is disowned
 * and closes its connection itself. */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/heap.h"
#include "drivers/libvirt/host.h"

enum { OPENERS_DISOWNED_MAX = 32, OPENER_STACK_SIZE = 1024 * 1024 };
static const int64_t OPENER_PATIENCE_US = 60 * SECOND;

struct opener {
	struct opener *next;
	char *uri;
	int64_t since_us;
	bool is_done, is_disowned;
	virConnectPtr conn;
	char failure[512]; /* message, if done without a connection */
};

static struct {
	pthread_mutex_t lock; /* guards the list, its openers, and the count */
	pthread_cond_t done;
	struct opener *first; /* running ones, and finished ones not yet taken */
	int disowned_count;
} openers = {.lock = PTHREAD_MUTEX_INITIALIZER, .done = PTHREAD_COND_INITIALIZER};

void libvirt_wait(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t deadline_us)
{
	int64_t in_a_second = clock_system_us() + SECOND;
	int64_t until = deadline_us < in_a_second ? deadline_us : in_a_second;
	struct timespec t = {.tv_sec = until / SECOND, .tv_nsec = until % SECOND * 1000};
	pthread_cond_clockwait(cond, lock, CLOCK_MONOTONIC, &t);
}

/* ---- the thread */

static void opener_free(struct opener *o)
{
	if (o->conn)
		virConnectClose(o->conn);
	heap_free(o->uri);
	heap_free(o);
}

static void *run_opener(void *arg)
{
	struct opener *o = arg;
	virConnectPtr conn = virConnectOpen(o->uri);
	const virError *e = conn ? NULL : virGetLastError();
	pthread_mutex_lock(&openers.lock);
	o->conn = conn;
	if (!conn)
		snprintf(o->failure, sizeof o->failure, "%s",
			 e && e->message ? e->message : "no reason given");
	o->is_done = true;
	bool is_disowned = o->is_disowned;
	if (is_disowned)
		openers.disowned_count--;
	pthread_cond_broadcast(&openers.done);
	pthread_mutex_unlock(&openers.lock);
	if (is_disowned)
		opener_free(o);
	return NULL;
}

static bool start_opener(struct opener *o)
{
	sigset_t all, before;
	pthread_attr_t attr;
	pthread_t thread;
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, OPENER_STACK_SIZE);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are for the daemon's main thread */
	bool started = pthread_create(&thread, &attr, run_opener, o) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	return started;
}

/* ---- its owner; all with openers.lock held */

static struct opener **find_opener(const char *uri)
{
	struct opener **at = &openers.first;
	while (*at && strcmp((*at)->uri, uri) != 0)
		at = &(*at)->next;
	return at;
}

static void unlink_opener(struct opener *o)
{
	*find_opener(o->uri) = o->next;
}

static RESULT add_opener(struct ctx *c, const char *uri, struct opener **ret_opener)
{
	struct opener *o = heap_new(struct opener);
	if (o)
		o->uri = heap_copy_z(uri);
	if (!o || !o->uri) {
		heap_free(o);
		return ctx_no_memory(c);
	}
	o->since_us = clock_system_us();
	if (!start_opener(o)) {
		opener_free(o);
		return ctx_fail(c, ERR_AGAIN, "no thread to connect to %s with", uri);
	}
	o->next = openers.first;
	openers.first = o;
	*ret_opener = o;
	return OK;
}

/* Returns the address's current opener, or starts a new one. */
static RESULT need_opener(struct ctx *c, const char *uri, struct opener **ret_opener)
{
	struct opener *o = *find_opener(uri);
	if (o && !o->is_done && clock_system_us() - o->since_us > OPENER_PATIENCE_US &&
	    openers.disowned_count < OPENERS_DISOWNED_MAX) {
		unlink_opener(o);
		o->is_disowned = true;
		openers.disowned_count++;
		o = NULL;
	}
	if (!o)
		return add_opener(c, uri, ret_opener);
	*ret_opener = o;
	return OK;
}

/* Looks the opener up after every wait: another caller with the same address may have taken it. */
static RESULT await_opener(struct ctx *c, const char *uri, int64_t deadline_us, virConnectPtr *ret_conn)
{
	struct opener *o = NULL;
	TRY(need_opener(c, uri, &o));
	while (!o->is_done && clock_system_us() < deadline_us) {
		libvirt_wait(&openers.done, &openers.lock, deadline_us);
		TRY(need_opener(c, uri, &o));
	}
	if (!o->is_done)
		return ctx_fail(c, ERR_GONE, "libvirt at %s accepts the connection but does not answer", uri);
	unlink_opener(o);
	struct result r = o->conn ? OK : ctx_fail(c, ERR_GONE, "libvirt at %s: %s", uri, o->failure);
	if (o->conn)
		*ret_conn = TAKE(o->conn);
	opener_free(o);
	return r;
}

RESULT libvirt_open_connection(struct ctx *c, const char *uri, int64_t deadline_us, virConnectPtr *ret_conn)
{
	pthread_mutex_lock(&openers.lock);
	struct result r = await_opener(c, uri, deadline_us, ret_conn);
	pthread_mutex_unlock(&openers.lock);
	return r;
}

/* ---- reaching the address */

/* The listening address in "qemu+transport://host:port/…?socket=path". */
struct address {
	struct str host, port; /* host empty: a unix socket */
	struct str path;
};

static RESULT parse_uri(struct ctx *c, struct str uri, struct address *ret_address)
{
	static const struct {
		struct str transport, port;
	} ports[] = {{STR(""), STR("16514")}, {STR("tls"), STR("16514")}, {STR("tcp"), STR("16509")},
		     {STR("ssh"), STR("22")}, {STR("libssh"), STR("22")}, {STR("libssh2"), STR("22")}};
	struct address a = {.path = STR("/run/libvirt/libvirt-sock")};
	struct str rest = uri, transport = STR_NONE, driver = STR_NONE;
	str_split_next(&rest, ':', &transport);
	str_split_next(&transport, '+', &driver); /* drops the "qemu+" */
	if (!str_starts_with(rest, STR("//")))
		return ctx_fail(c, ERR_INVALID, "\"%" STR_FMT "\" is not a host's URI", STR_ARG(uri));
	struct str query = str_slice(rest, str_find_char(rest, '?', 0) + 1, rest.n);
	rest = str_slice(rest, 2, rest.n);
	struct str place = str_slice(rest, 0, str_find_char(rest, '/', 0));
	size_t at = str_find_char(place, '@', 0);
	if (at < place.n)
		place = str_slice(place, at + 1, place.n);
	size_t host_end = str_find_char(place, ']', 0) < place.n ? str_find_char(place, ']', 0) : 0;
	size_t colon = str_find_char(place, ':', host_end);
	a.host = str_slice(place, host_end ? 1 : 0, host_end ? host_end : colon);
	a.port = str_slice(place, colon + 1, place.n);
	if (str_is(transport, "unix"))
		a.host = STR_NONE;
	for (size_t k = 0; k < sizeof ports / sizeof ports[0] && !a.port.n; k++)
		if (str_equal(ports[k].transport, transport))
			a.port = ports[k].port;
	for (struct str pair; str_split_next(&query, '&', &pair);)
		if (str_starts_with(pair, STR("socket=")))
			a.path = str_slice(pair, strlen("socket="), pair.n);
	*ret_address = a;
	return OK;
}

/* Returns 0 or errno. */
static int connect_until(const struct sockaddr *to, socklen_t size, int64_t deadline_us)
{
	AUTO_FD fd = socket(to->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return errno;
	if (connect(fd, to, size) == 0)
		return 0;
	if (errno != EINPROGRESS && errno != EAGAIN)
		return errno;
	struct pollfd p = {.fd = fd, .events = POLLOUT};
	int64_t left_ms = (deadline_us - clock_system_us()) / 1000;
	if (poll(&p, 1, left_ms > 0 ? (int) left_ms : 0) < 1)
		return ETIMEDOUT;
	int error = 0;
	socklen_t error_size = sizeof error;
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &error_size);
	return error;
}

static RESULT reach_unix(struct ctx *c, struct str path, int64_t deadline_us)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	if (path.n >= sizeof to.sun_path)
		return ctx_fail(c, ERR_INVALID, "socket path %" STR_FMT " is too long", STR_ARG(path));
	memcpy(to.sun_path, path.p, path.n);
	int error = connect_until((const struct sockaddr *) &to, sizeof to, deadline_us);
	if (error)
		return ctx_fail(c, ERR_GONE, "libvirt's socket %" STR_FMT ": %s", STR_ARG(path),
				strerrordesc_np(error));
	return OK;
}

static RESULT reach_host(struct ctx *c, const struct address *a, int64_t deadline_us)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;
	int failed = getaddrinfo(str_to_z(c->arena, a->host), str_to_z(c->arena, a->port), &hints, &found);
	if (failed)
		return ctx_fail(c, ERR_GONE, "host name %" STR_FMT ": %s", STR_ARG(a->host),
				gai_strerror(failed));
	int error = ETIMEDOUT;
	for (const struct addrinfo *to = found; to && error; to = to->ai_next)
		error = connect_until(to->ai_addr, to->ai_addrlen, deadline_us);
	freeaddrinfo(found);
	if (error)
		return ctx_fail(c, ERR_GONE, "%" STR_FMT " port %" STR_FMT ": %s", STR_ARG(a->host),
				STR_ARG(a->port), strerrordesc_np(error));
	return OK;
}

RESULT libvirt_reach(struct ctx *c, const char *uri, int64_t deadline_us)
{
	struct address a = {0};
	TRY(parse_uri(c, str_from(uri), &a));
	return a.host.n ? reach_host(c, &a, deadline_us) : reach_unix(c, a.path, deadline_us);
}

bool libvirt_is_local(struct ctx *c, const char *uri)
{
	struct address a = {0};
	return result_is_ok(parse_uri(c, str_from(uri), &a)) && !a.host.n;
}
