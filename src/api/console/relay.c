/* SPDX-License-Identifier: Apache-2.0
 * The relay: a list of tunnels (http/tunnel_list.h), of which each has a bridge between its websocket and its host. The
 * list's thread is the only one to touch bridges and descriptors of open consoles. */
#include "api/console/relay.h"

#include <inttypes.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/heap.h"
#include "base/log.h"
#include "engine/instance/instance.h"
#include "engine/people/asker.h"
#include "engine/resolve.h"
#include "http/tunnel_list.h"
#include "http/websocket.h"
#include "model/identity.h"

enum { RESERVE_PART = 16 }; /* reserves 1/16 of the lines for administrators */
enum { ARENA_SIZE = 16 * 1024, ARENA_CAP = 4 * 1024 * 1024 };
#define WEIGH_US (5 * SECOND) /* between two checks of the token behind an open console */

struct relay_line {
	struct listed_tunnel listed; /* first: the list's functions get its address */
	struct relay *relay;
	int stream_fd;         /* -1: closed */
	struct bridge *bridge; /* NULL: there was no memory for one, and the console closes */
	struct ticket ticket;
	int64_t opened_us, due_us, weighed_us;
};

struct relay {
	struct relay_config config;
	struct tunnel_list *lines;
};

/* ---- a line's life ---- */

static struct relay_line *line_of(struct listed_tunnel *t)
{
	return (struct relay_line *) t;
}

RESULT relay_take_line(struct relay *r, struct ctx *c, uuid account, struct relay_line **ret_line)
{
	struct listed_tunnel *t = NULL;
	TRY(tunnel_list_take(r->lines, c, account, c->who && identity_is_admin(c->who), &t));
	struct relay_line *l = line_of(t);
	l->relay = r;
	l->stream_fd = -1;
	*ret_line = l;
	return OK;
}

void relay_drop_line(struct relay_line *l)
{
	tunnel_list_drop(&l->listed);
}

struct http_tunnel *relay_connect(struct relay_line *l, int stream_fd, const struct ticket *ticket)
{
	l->stream_fd = stream_fd;
	l->ticket = *ticket;
	return &l->listed.tunnel;
}

static void line_clear(struct listed_tunnel *t)
{
	fd_autoclose(&line_of(t)->stream_fd);
}

/* Without memory for a bridge the connection still goes to the thread, which closes it. */
static void line_open(struct listed_tunnel *t, int fd, struct str early)
{
	struct relay_line *l = line_of(t);
	const struct bridge_config config = {
		.web_fd = fd, .stream_fd = l->stream_fd, .early = early, .idle_us = l->relay->config.idle_us};
	l->bridge = bridge_new(&config);
	l->opened_us = l->weighed_us = clock_monotonic_us();
}

static void close_line(struct relay_line *l)
{
	char text[UUID_TEXT_SIZE];
	log_event(LOG_INFO, "console-closed", "instance=%s duration_us=%" PRId64,
		  uuid_write(l->ticket.instance, text), clock_monotonic_us() - l->opened_us);
	bridge_free(l->bridge);
	fd_autoclose(&l->stream_fd);
}

/* ---- the thread ---- */

static bool is_due(const struct relay_line *l, const struct pollfd *fds, int64_t now_us)
{
	return fds[0].revents || fds[1].revents || now_us >= l->due_us;
}

/* True for failures that mean the user lost access. An instance that is off, or a lack of memory, is none. */
static bool is_refusal(struct result result)
{
	return result.code == ERR_UNAUTHENTICATED || result.code == ERR_DENIED ||
	       result.code == ERR_NOT_FOUND;
}

/* Asks what console.c asked when the console was opened. Conditions about the request stay as decided then. */
static RESULT check_access(struct relay *r, struct ctx *c, const struct ticket *ticket)
{
	struct identity *who = NULL;
	const struct instance *instance = NULL;
	const struct ref ref = ref_by_id(KIND_INSTANCE, ticket->instance);
	TRY(token_weigh(r->config.tokens, c, &ticket->by, &who));
	engine_act_by_roles(c, who);
	AUTO_VIEW view = {0};
	view_open(r->config.store, &view);
	if (r->config.guard && who)
		TRY(r->config.guard->admit(r->config.guard, c, view.tables, "instance.open_console"));
	return engine_find_console(c, view.tables, &ref, ticket->console == CONSOLE_SERIAL, &instance);
}

/* True if the user still has access. Without memory the question waits for the next time. */
static bool may_go_on(struct relay *r, struct relay_line *l, int64_t now_us)
{
	struct ctx c;
	struct arena *arena = now_us >= l->weighed_us + WEIGH_US ? arena_new(ARENA_SIZE, ARENA_CAP) : NULL;
	if (!arena)
		return true;
	ctx_init(&c, arena);
	l->weighed_us = now_us;
	bool may = !is_refusal(check_access(r, &c, &l->ticket));
	arena_free(arena);
	return may;
}

static bool line_work(struct listed_tunnel *t, const struct pollfd *fds, int64_t now_us, bool is_stopping)
{
	struct relay_line *l = line_of(t);
	bool goes_on = l->bridge && !is_stopping;
	bool may = !goes_on || may_go_on(l->relay, l, now_us);
	goes_on = goes_on && may;
	if (l->bridge && !goes_on)
		bridge_end(l->bridge, may ? "dari stops" : "access ended");
	else if (goes_on && is_due(l, fds, now_us))
		goes_on = bridge_work(l->bridge);
	if (!goes_on)
		close_line(l);
	return goes_on;
}

static int64_t line_prepare(struct listed_tunnel *t, struct pollfd *fds)
{
	struct relay_line *l = line_of(t);
	fds[0] = fds[1] = (struct pollfd){.fd = -1};
	l->due_us = l->bridge ? bridge_prepare(l->bridge, fds) : 0;
	int64_t weigh_us = l->weighed_us + WEIGH_US;
	return weigh_us < l->due_us ? weigh_us : l->due_us;
}

/* ---- the relay's life ---- */

RESULT relay_new(struct ctx *c, const struct relay_config *config, struct relay **ret_relay)
{
	const struct tunnel_list_config lines = {
		.thread_name = "consoles",
		.tunnel_size = sizeof(struct relay_line),
		.fd_count = BRIDGE_FDS,
		.ceiling = {config->line_max, config->per_account_max, config->line_max / RESERVE_PART},
		.refusal = "Too many consoles are open. Close one, and try again.",
		.open = line_open,
		.prepare = line_prepare,
		.work = line_work,
		.clear = line_clear};
	struct relay *r = heap_new(struct relay);
	if (!r)
		return ctx_no_memory(c);
	r->config = *config;
	struct result result = tunnel_list_new(c, &lines, &r->lines);
	if (!result_is_ok(result)) {
		heap_free(r);
		return result;
	}
	*ret_relay = r;
	return OK;
}

void relay_stop(struct relay *r)
{
	if (r)
		tunnel_list_stop(r->lines);
}

void relay_free(struct relay *r)
{
	if (!r)
		return;
	tunnel_list_free(r->lines);
	heap_free(r);
}

size_t relay_count_lines(struct relay *r)
{
	return tunnel_list_count(r->lines);
}
