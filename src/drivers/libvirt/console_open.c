/* SPDX-License-Identifier: Apache-2.0
 * Opens a guest's consoles. For a display, QEMU itself hands over a connected descriptor. A serial port is
 * one of libvirt's streams, which works over every transport. A thread with a connection of its own copies
 * between the stream and a socket: libvirt's send call blocks on the host, so a client flooding a guest that
 * doesn't read, or a hung host, must not block anything else. */
#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/exec_internal.h"
#include "base/file.h"
#include "base/heap.h"
#include "drivers/libvirt/host.h"

/* ---- a display */

static RESULT open_display(struct compute_host *h, struct ctx *c, virDomainPtr d, int *ret_fd)
{
	AUTO(xml_tree) t = NULL;
	AUTO_TEXT xml = virDomainGetXMLDesc(d, 0); /* the running guest's XML, without flags */
	if (!xml)
		return libvirt_fail(h, c, "looking at a domain's display");
	TRY(xml_tree_parse(c, str_from(xml), &t));
	if (!xml_tree_find(c, t, "/domain/devices/graphics[@type='vnc']/@type").n)
		return ctx_fail(c, ERR_UNSUPPORTED,
				"The guest was started without a display: stop it and start it again.");
	if (!libvirt_is_local(c, h->uri)) /* descriptors can be passed over unix sockets only */
		return ctx_fail(c, ERR_UNSUPPORTED,
				"Host %s is reached over a network, through which libvirt hands on no "
				"display. The serial console can be opened.",
				h->name);
	if (!ret_fd)
		return OK;
	int fd = virDomainOpenGraphicsFD(d, 0, 0);
	if (fd < 0)
		return libvirt_fail(h, c, "opening a domain's display");
	*ret_fd = fd;
	return OK;
}

/* ---- a serial port: its thread */

enum { PIECE_SIZE = 4096 };
static const int64_t END_OLDER_US = 3 * SECOND;

struct carrier {
	struct carrier *next; /* in carriers, from the start of its thread until its stream is closed */
	uuid id;              /* the guest */
	_Atomic bool is_replaced;
	virConnectPtr conn;
	virStreamPtr stream;
	int fd;      /* this side's end of the socket */
	int wake_fd; /* eventfd, written when the stream has an event */
	char said[PIECE_SIZE], typed[PIECE_SIZE];
	size_t said_from, said_size, typed_from, typed_size;
};

static struct {
	pthread_mutex_t lock; /* guards the list and its links */
	pthread_cond_t ended;
	struct carrier *first;
} carriers = {.lock = PTHREAD_MUTEX_INITIALIZER, .ended = PTHREAD_COND_INITIALIZER};

static void join_carriers(struct carrier *k)
{
	(void) pthread_mutex_lock(&carriers.lock);
	k->next = carriers.first;
	carriers.first = k;
	(void) pthread_mutex_unlock(&carriers.lock);
}

static void leave_carriers(const struct carrier *k)
{
	(void) pthread_mutex_lock(&carriers.lock);
	for (struct carrier **at = &carriers.first; *at; at = &(*at)->next)
		if (*at == k) {
			*at = k->next;
			break;
		}
	(void) pthread_cond_broadcast(&carriers.ended);
	(void) pthread_mutex_unlock(&carriers.lock);
}

/* Closes the socket before the connection, since the host may take long to release the latter. */
static void carrier_free(struct carrier *k)
{
	if (!k)
		return;
	if (k->stream) {
		(void) virStreamEventRemoveCallback(k->stream);
		(void) virStreamAbort(k->stream);
		(void) virStreamFree(k->stream);
	}
	leave_carriers(k);
	fd_autoclose(&k->fd);
	if (k->conn)
		libvirt_close_connection(k->conn); /* afterwards on_stream() is no longer running either */
	fd_autoclose(&k->wake_fd);
	heap_free(k);
}
DEFINE_AUTO(carrier)

static void carrier_wake(const struct carrier *k)
{
	uint64_t one = 1;
	ssize_t written = write(k->wake_fd, &one, sizeof one);
	(void) written; /* a full counter wakes up as well */
}

/* Runs on libvirt's event thread. */
static void on_stream(virStreamPtr stream, int events, void *arg)
{
	(void) stream, (void) events;
	carrier_wake(arg);
}

static bool is_for_later(ssize_t n)
{
	return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR);
}

/* Copies the guest's output to the socket. False: either side has ended. */
static bool carry_said(struct carrier *k)
{
	for (;;) {
		if (k->said_from == k->said_size) {
			int n = virStreamRecv(k->stream, k->said, sizeof k->said);
			if (n == -2)
				return true;
			if (n <= 0)
				return false;
			k->said_from = 0;
			k->said_size = (size_t) n;
		}
		ssize_t n = send(k->fd, k->said + k->said_from, k->said_size - k->said_from, MSG_NOSIGNAL);
		if (n < 0)
			return is_for_later(n);
		k->said_from += (size_t) n;
	}
}

static bool carry_typed(struct carrier *k)
{
	for (;;) {
		if (k->typed_from == k->typed_size) {
			ssize_t n = recv(k->fd, k->typed, sizeof k->typed, 0);
			if (n <= 0)
				return is_for_later(n);
			k->typed_from = 0;
			k->typed_size = (size_t) n;
		}
		int n = virStreamSend(k->stream, k->typed + k->typed_from, k->typed_size - k->typed_from);
		if (n < 0)
			return n == -2;
		k->typed_from += (size_t) n;
	}
}

/* Subscribes only to stream events that can be handled now, because libvirt repeats an event until it is
 * consumed. */
static bool carrier_wait(struct carrier *k)
{
	bool has_said = k->said_from < k->said_size, has_typed = k->typed_from < k->typed_size;
	int events = VIR_STREAM_EVENT_ERROR | VIR_STREAM_EVENT_HANGUP;
	events |= has_said ? 0 : VIR_STREAM_EVENT_READABLE;
	events |= has_typed ? VIR_STREAM_EVENT_WRITABLE : 0;
	if (virStreamEventUpdateCallback(k->stream, events) != 0)
		return false;
	int socket = (has_typed ? 0 : POLLIN) | (has_said ? POLLOUT : 0);
	struct pollfd fds[] = {{.fd = k->wake_fd, .events = POLLIN},
			       {.fd = socket ? k->fd : -1, .events = (short) socket}};
	uint64_t ignored = 0;
	if (poll(fds, 2, -1) > 0 && fds[0].revents && read(k->wake_fd, &ignored, sizeof ignored) < 0)
		return is_for_later(-1);
	return true;
}

static void *carrier_run(void *arg)
{
	AUTO(carrier) k = arg;
	(void) pthread_setname_np(pthread_self(), "console");
	while (!k->is_replaced && carry_said(k) && carry_typed(k) && carrier_wait(k))
		;
	return NULL;
}

/* ---- a serial port: its beginning */

static RESULT fail_stream(struct ctx *c, const struct compute_host *h)
{
	const virError *e = virGetLastError();
	return ctx_fail(c, ERR_IO, "opening a serial console on host %s: %s", h->name,
			e && e->message ? e->message : "no reason given");
}

/* Ends this process's older console of the guest. A serial port has one console at a time. libvirt can take
 * over the port by force, but libvirtd (9.0) sometimes leaves the connection that held the forcibly closed
 * stream unanswered. So the older carrier is ended from this side first. */
static void end_older(uuid id)
{
	int64_t deadline_us = clock_system_us() + END_OLDER_US;
	bool is_there = true;
	(void) pthread_mutex_lock(&carriers.lock);
	while (is_there && clock_system_us() < deadline_us) {
		is_there = false;
		for (struct carrier *k = carriers.first; k; k = k->next) {
			if (!uuid_equal(k->id, id))
				continue;
			is_there = true;
			if (!atomic_exchange(&k->is_replaced, true))
				carrier_wake(k);
		}
		if (is_there)
			libvirt_wait(&carriers.ended, &carriers.lock, deadline_us);
	}
	(void) pthread_mutex_unlock(&carriers.lock);
}

static RESULT open_stream(struct compute_host *h, struct ctx *c, uuid id, struct carrier *k)
{
	TRY(libvirt_connect_again(h, c, &k->conn));
	AUTO_DOMAIN d = virDomainLookupByUUID(k->conn, id.b);
	k->stream = d ? virStreamNew(k->conn, VIR_STREAM_NONBLOCK) : NULL;
	if (!k->stream || virDomainOpenConsole(d, NULL, k->stream, VIR_DOMAIN_CONSOLE_FORCE) != 0 ||
	    virStreamEventAddCallback(k->stream, VIR_STREAM_EVENT_READABLE, on_stream, k, NULL) != 0)
		return fail_stream(c, h);
	return OK;
}

static RESULT open_serial(struct compute_host *h, struct ctx *c, uuid id, int *ret_fd)
{
	int ends[2] = {-1, -1};
	pthread_t thread;
	AUTO(carrier) k = heap_new(struct carrier);
	if (!k)
		return ctx_no_memory(c);
	k->fd = -1;
	k->id = id;
	k->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (k->wake_fd < 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0)
		return ctx_fail(c, ERR_AGAIN, "no descriptors for a console: %s", strerrordesc_np(errno));
	k->fd = ends[0];
	AUTO_FD theirs = ends[1];
	end_older(id);
	TRY(open_stream(h, c, id, k));
	join_carriers(k);
	if (!exec_start_thread(&thread, carrier_run, k))
		return ctx_fail(c, ERR_AGAIN, "no thread for a console");
	(void) pthread_detach(thread);
	(void) TAKE(k); /* now owned by the thread */
	*ret_fd = theirs;
	theirs = -1;
	return OK;
}

RESULT libvirt_open_console(struct compute_host *h, struct ctx *c, uuid id, enum console console, int *ret_fd)
{
	AUTO_DOMAIN d = NULL;
	TRY(libvirt_find_running(h, c, id, &d, NULL));
	if (console == CONSOLE_DISPLAY)
		return open_display(h, c, d, ret_fd);
	return ret_fd ? open_serial(h, c, id, ret_fd) : OK;
}
