/* SPDX-License-Identifier: Apache-2.0
 * Connections to hosts' libvirt, and the event thread that all of them share. Keep-alive makes a
 * call to a hung or vanished host fail within KEEPALIVE_S * (KEEPALIVE_COUNT + 1) seconds. */
#include <signal.h>

#include "base/clock.h"
#include "base/heap.h"
#include "drivers/libvirt/host.h"
#include "model/host.h"

enum { KEEPALIVE_S = 3, KEEPALIVE_COUNT = 3 };
static const int64_t REACH_US = 3 * SECOND, OPEN_US = 10 * SECOND;

/* ---- the event thread */

static pthread_once_t events_once = PTHREAD_ONCE_INIT;
static bool events_run;

static void *run_events(void *arg)
{
	(void) arg;
	pthread_setname_np(pthread_self(), "libvirt-events");
	while (virEventRunDefaultImpl() == 0)
		;
	return NULL;
}

static void ignore_error(void *arg, virErrorPtr error)
{
	(void) arg, (void) error; /* libvirt's default handler writes to standard error */
}

static void start_events(void)
{
	signal(SIGPIPE, SIG_IGN); /* libvirt writes to sockets that may be closed */
	virSetErrorFunc(NULL, ignore_error);
	if (virInitialize() != 0 || virEventRegisterDefaultImpl() != 0)
		return;
	sigset_t all, before;
	pthread_t thread;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	events_run = pthread_create(&thread, NULL, run_events, NULL) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (events_run)
		pthread_detach(thread);
}

/* ---- callbacks, on the event thread */

static void host_unref(void *arg)
{
	struct compute_host *h = arg;
	pthread_mutex_lock(&h->lock);
	int left = --h->refs;
	pthread_mutex_unlock(&h->lock);
	if (left)
		return;
	pthread_mutex_destroy(&h->lock);
	pthread_cond_destroy(&h->ended);
	heap_free(h->name);
	heap_free(h->uri);
	heap_free(h->own_path);
	heap_free(h->pool_path);
	heap_free(h->virt_reason);
	heap_free(h->model);
	heap_free(h->cpu);
	heap_free(h->named_cpu);
	heap_free(h->machine);
	heap_free(h->machines);
	heap_free(h->host_stopped);
	heap_free(h);
}

/* Notes that the host's shutdown ended a guest: QEMU received SIGTERM. libvirt's own domain state doesn't
 * record it; afterwards it looks like the guest's own shutdown. */
static void note_host_stop(struct compute_host *h, uuid id, bool by_host)
{
	size_t k = 0;
	while (k < h->host_stopped_count && !uuid_equal(h->host_stopped[k], id))
		k++;
	if (!by_host && k < h->host_stopped_count)
		h->host_stopped[k] = h->host_stopped[--h->host_stopped_count];
	if (!by_host || k < h->host_stopped_count)
		return;
	uuid *more = heap_resize(h->host_stopped, (h->host_stopped_count + 1) * sizeof *more);
	if (!more)
		return;
	h->host_stopped = more;
	more[h->host_stopped_count++] = id;
}

static int on_lifecycle(virConnectPtr conn, virDomainPtr domain, int event, int detail, void *arg)
{
	(void) conn;
	struct compute_host *h = arg;
	uuid id = UUID_NONE;
	if (virDomainGetUUID(domain, id.b) != 0) /* reads the handle, without a call to the host */
		return 0;
	pthread_mutex_lock(&h->lock);
	if (event == VIR_DOMAIN_EVENT_SHUTDOWN)
		note_host_stop(h, id, detail == VIR_DOMAIN_EVENT_SHUTDOWN_HOST);
	else if (event == VIR_DOMAIN_EVENT_STARTED || event == VIR_DOMAIN_EVENT_UNDEFINED)
		note_host_stop(h, id, false);
	if (event == VIR_DOMAIN_EVENT_STOPPED && uuid_equal(id, h->proof)) {
		h->proof_detail = detail;
		pthread_cond_broadcast(&h->ended);
	}
	if (h->changed)
		h->changed(h->changed_arg, id);
	pthread_mutex_unlock(&h->lock);
	return 0;
}

/* Either event of a device, removed or removal failed, prompts a new look at the guest. */
static void on_device(virConnectPtr conn, virDomainPtr domain, const char *alias, void *arg)
{
	(void) conn, (void) alias;
	struct compute_host *h = arg;
	uuid id = UUID_NONE;
	if (virDomainGetUUID(domain, id.b) != 0)
		return;
	pthread_mutex_lock(&h->lock);
	if (h->changed)
		h->changed(h->changed_arg, id);
	pthread_mutex_unlock(&h->lock);
}

static void on_close(virConnectPtr conn, int reason, void *arg)
{
	(void) conn, (void) reason;
	struct compute_host *h = arg;
	atomic_store(&h->is_gone, true);
	pthread_mutex_lock(&h->lock);
	pthread_cond_broadcast(&h->ended);
	if (h->changed)
		h->changed(h->changed_arg, UUID_NONE);
	pthread_mutex_unlock(&h->lock);
}

void libvirt_watch(struct compute_host *h, void (*changed)(void *arg, uuid id), void *arg)
{
	pthread_mutex_lock(&h->lock);
	h->changed = changed;
	h->changed_arg = arg;
	pthread_mutex_unlock(&h->lock);
}

/* ---- the end of a connection */

/* A timeout queued in libvirt's event loop. Its removal runs mark_passed() after all earlier removals. */
struct mark {
	pthread_mutex_t lock; /* guards is_passed */
	pthread_cond_t passed;
	bool is_passed;
};

static void on_mark(int timer, void *arg)
{
	(void) timer, (void) arg; /* removed before it is due */
}

static void mark_passed(void *arg)
{
	struct mark *m = arg;
	pthread_mutex_lock(&m->lock);
	m->is_passed = true;
	pthread_cond_signal(&m->passed);
	pthread_mutex_unlock(&m->lock);
}

void libvirt_pass_events(void)
{
	struct mark m = {.lock = PTHREAD_MUTEX_INITIALIZER, .passed = PTHREAD_COND_INITIALIZER};
	int timer = virEventAddTimeout(-1, on_mark, &m, mark_passed);
	if (timer < 0 || virEventRemoveTimeout(timer) != 0)
		return; /* out of memory, on which GLib aborts anyway */
	pthread_mutex_lock(&m.lock);
	while (!m.is_passed)
		pthread_cond_wait(&m.passed, &m.lock);
	pthread_mutex_unlock(&m.lock);
}

void libvirt_close_connection(virConnectPtr conn)
{
	libvirt_pass_events();
	(void) virConnectClose(conn);
}

/* ---- open, close */

static void host_ref(struct compute_host *h)
{
	pthread_mutex_lock(&h->lock);
	h->refs++;
	pthread_mutex_unlock(&h->lock);
}

static const struct {
	int id;
	virConnectDomainEventGenericCallback call;
} events[HOST_EVENTS] = {
	{VIR_DOMAIN_EVENT_ID_LIFECYCLE, VIR_DOMAIN_EVENT_CALLBACK(on_lifecycle)},
	{VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED, VIR_DOMAIN_EVENT_CALLBACK(on_device)},
	{VIR_DOMAIN_EVENT_ID_DEVICE_REMOVAL_FAILED, VIR_DOMAIN_EVENT_CALLBACK(on_device)},
};

static RESULT register_callbacks(struct compute_host *h, struct ctx *c, bool with_events)
{
	host_ref(h);
	if (virConnectRegisterCloseCallback(h->conn, on_close, h, host_unref) != 0) {
		host_unref(h);
		return libvirt_fail(h, c, "watching the connection");
	}
	for (size_t k = 0; with_events && k < HOST_EVENTS; k++) {
		host_ref(h);
		h->event_ids[k] = virConnectDomainEventRegisterAny(h->conn, NULL, events[k].id,
								   events[k].call, h, host_unref);
		if (h->event_ids[k] < 0) {
			host_unref(h);
			return libvirt_fail(h, c, "watching the domains");
		}
	}
	return OK;
}

RESULT libvirt_connect_again(struct compute_host *h, struct ctx *c, virConnectPtr *ret_conn)
{
	virConnectPtr conn = NULL;
	int64_t now = clock_system_us();
	TRY(libvirt_reach(c, h->uri, now + REACH_US));
	TRY(libvirt_open_connection(c, h->uri, now + OPEN_US, &conn));
	if (virConnectSetKeepAlive(conn, KEEPALIVE_S, KEEPALIVE_COUNT) < 0) {
		libvirt_close_connection(conn);
		return ctx_fail(c, ERR_GONE, "turning keep-alive on for host %s", h->name);
	}
	*ret_conn = conn;
	return OK;
}

static RESULT connect_host(struct compute_host *h, struct ctx *c, bool with_events)
{
	TRY(libvirt_connect_again(h, c, &h->conn));
	return register_callbacks(h, c, with_events);
}

/* The path is inserted into XML and into file names that QEMU parses, so only plain characters are
 * allowed. */
static RESULT check_pool_path(struct ctx *c, struct str path)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/._-";
	bool is_plain = path.n > 1 && path.p[0] == '/' && !str_contains(path, STR("//"));
	for (size_t k = 0; k < path.n && is_plain; k++)
		is_plain = memchr(plain, path.p[k], sizeof plain - 1) != NULL;
	if (is_plain)
		return OK;
	return ctx_fail(c, ERR_INVALID,
			"pool path \"%" STR_FMT "\" must be absolute and of letters, digits, . _ - /",
			STR_ARG(path));
}

RESULT libvirt_connect(struct ctx *c, uuid region, const struct host *host, bool with_events,
		       struct compute_host **ret_host)
{
	struct str path = host->pool_path;
	while (path.n > 1 && path.p[path.n - 1] == '/')
		path.n--;
	TRY(check_pool_path(c, path));
	pthread_once(&events_once, start_events);
	if (!events_run)
		return ctx_fail(c, ERR_INTERNAL, "libvirt's event loop did not start");
	struct compute_host *h = heap_new(struct compute_host);
	if (!h)
		return ctx_no_memory(c);
	pthread_mutex_init(&h->lock, NULL);
	pthread_cond_init(&h->ended, NULL);
	h->refs = 1;
	for (size_t k = 0; k < HOST_EVENTS; k++)
		h->event_ids[k] = -1;
	h->region = region;
	libvirt_write_region(region, h->region_text);
	h->name = heap_copy_z(str_to_z(c->arena, host->name));
	h->uri = heap_copy_z(str_to_z(c->arena, host->uri));
	h->own_path = heap_copy_z(str_to_z(c->arena, path));
	h->pool_path = heap_copy_z(str_to_z(c->arena, path));
	h->model = heap_copy_z(str_to_z(c->arena, host->cpu));
	bool is_whole = h->name && h->uri && h->own_path && h->pool_path && h->model;
	struct result r = is_whole ? connect_host(h, c, with_events) : ctx_no_memory(c);
	if (!result_is_ok(r)) {
		libvirt_close_host(h);
		return r;
	}
	*ret_host = h;
	return OK;
}

RESULT libvirt_open_host(void *self, struct ctx *c, uuid region, const struct host *host,
			 struct compute_host **ret_host)
{
	(void) self;
	return libvirt_connect(c, region, host, true, ret_host);
}

void libvirt_close_host(struct compute_host *h)
{
	if (!h)
		return;
	libvirt_watch(h, NULL, NULL);
	libvirt_autodrop_pool(&h->pool);
	libvirt_autodrop_pool(&h->consoles);
	if (h->conn) {
		for (size_t k = 0; k < HOST_EVENTS; k++)
			if (h->event_ids[k] >= 0)
				virConnectDomainEventDeregisterAny(h->conn, h->event_ids[k]);
		virConnectUnregisterCloseCallback(h->conn, on_close);
		libvirt_close_connection(h->conn);
		h->conn = NULL;
	}
	host_unref(h);
}

const struct compute_driver compute_libvirt = {
	.scheme = "qemu",
	.open_host = libvirt_open_host,
	.close_host = libvirt_close_host,
	.probe = libvirt_probe,
	.see = libvirt_see,
	.list = libvirt_list,
	.define = libvirt_define,
	.set_power = libvirt_set_power,
	.swap = libvirt_swap,
	.end_swap = libvirt_end_swap,
	.undefine = libvirt_undefine,
	.see_end = libvirt_see_end,
	.send = libvirt_send,
	.read_console = libvirt_read_console,
	.read_stats = libvirt_read_stats,
	.read_usages = libvirt_read_usages,
	.draw_screen = libvirt_draw_screen,
	.read_variables = libvirt_read_variables,
	.open_console = libvirt_open_console,
	.trust_pool = libvirt_trust_pool,
	.watch = libvirt_watch,
};
