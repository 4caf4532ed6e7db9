/* SPDX-License-Identifier: Apache-2.0
 * Pages, and the way from a ticket to an open console:
 *
 *   the handshake and where it comes from (the page has to be ours), the ticket, the instance as it is now,
 *   a line of the relay's; then, with the call parked, the host opens the console; then the connection is
 *   the relay's. What fails before that is answered in HTTP. */
#include "api/console/console.h"

#include "api/console/internal.h"
#include "api/console/relay.h"
#include "api/console/site.h"
#include "api/console_url.h"
#include "api/core/park.h"
#include "auth/guard/guard.h"
#include "auth/limit.h"
#include "auth/token/ticket.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/heap.h"
#include "base/log.h"
#include "drivers/compute.h"
#include "engine/instance/instance.h"
#include "http/websocket.h"
#include "model/host.h"
#include "model/instance.h"
#include "pages.h" /* made of web/console/ */

#define OPEN_TIMEOUT_US (10 * SECOND)

struct console_face {
	struct console_config config;
	char *novnc_directory;
};

/* A console on its way to being open; in the call's arena. */
struct opening {
	struct ticket ticket;
	struct relay_line *line;
	int stream_fd; /* from the host; -1: none */
	struct console_face *face;
	struct audit_call *audit;
};

RESULT console_new(struct ctx *c, const struct console_config *config, struct console_face **ret_face)
{
	struct console_face *face = heap_new(struct console_face);
	if (!face)
		return ctx_no_memory(c);
	face->config = *config;
	face->novnc_directory = heap_copy_z(str_to_z(c->arena, config->novnc_directory));
	if (!face->novnc_directory) {
		console_free(face);
		return ctx_no_memory(c);
	}
	*ret_face = face;
	return OK;
}

void console_free(struct console_face *face)
{
	if (face)
		heap_free(face->novnc_directory);
	heap_free(face);
}

/* ---- answers ---- */

struct str console_write_sockets(struct call *call)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-:[]";
	struct str host = call_header(call, "Host");
	bool is_plain = host.n > 0;
	for (size_t k = 0; k < host.n && is_plain; k++)
		is_plain = memchr(plain, host.p[k], sizeof plain - 1) != NULL;
	return is_plain ? str_print(call->ctx.arena, " ws://%" STR_FMT " wss://%" STR_FMT, STR_ARG(host),
				    STR_ARG(host))
			: STR_NONE;
}

/* Allows nothing from other origins, and sends no Referer: the URL contains the ticket. The hash is that
 * of the empty text: xterm makes style elements, whose rules web/console/terminal.js puts elsewhere. */
void console_set_page_headers(struct call *call)
{
	struct str sockets = console_write_sockets(call);
	call_set_answer_header(
		call, "Content-Security-Policy",
		str_print(call->ctx.arena,
			  "default-src 'none'; script-src 'self'; style-src 'self' "
			  "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='; font-src 'self'; "
			  "media-src 'self'; img-src 'self' data: blob:; connect-src 'self'%" STR_FMT
			  "; base-uri 'none'; form-action 'none'",
			  STR_ARG(sockets)));
	call_set_answer_header(call, "Referrer-Policy", STR("no-referrer"));
	call_set_answer_header(call, "X-Content-Type-Options", STR("nosniff"));
}

void console_answer(struct call *call, int status, const char *content_type, struct buf *body)
{
	console_set_page_headers(call);
	call_set_answer_header(call, "Cache-Control", STR("no-store"));
	call_answer(call, status, content_type, body);
}

void console_answer_words(struct call *call, int status, struct str words)
{
	struct buf body;
	buf_init(&body, 4096);
	buf_print(&body, "%" STR_FMT "\n", STR_ARG(words));
	console_answer(call, status, "text/plain; charset=utf-8", &body);
}

static void answer_text(struct call *call, const char *content_type, struct str text)
{
	struct buf body;
	buf_init(&body, text.n);
	buf_add_str(&body, text);
	console_answer(call, 200, content_type, &body);
}

static int status_of(enum err err)
{
	static const struct {
		enum err err;
		int status;
	} rows[] = {
		{ERR_INVALID, 400},     {ERR_UNAUTHENTICATED, 403},
		{ERR_DENIED, 403},      {ERR_NOT_FOUND, 404},
		{ERR_STATE, 409},       {ERR_CONFLICT, 409},
		{ERR_UNSUPPORTED, 501}, {ERR_THROTTLED, 429},
		{ERR_QUOTA, 503},       {ERR_AGAIN, 503},
		{ERR_GONE, 503},        {ERR_TIMEOUT, 503},
		{ERR_NO_MEMORY, 503},
	};
	for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++)
		if (rows[k].err == err)
			return rows[k].status;
	return 500;
}

static void answer_problem(struct call *call, struct result result)
{
	const struct problem *p = &call->ctx.problem;
	int status = status_of(result.code);
	struct str words = p->message.n ? p->message : str_from(err_meaning(result.code));
	if (status == 500) {
		log_event(LOG_ERROR, "internal-error", "face=console request=%s error=%s message=%s",
			  log_quote(call->ctx.request_id), err_name(result.code), log_quote(words));
		words = STR("The console could not be opened. The server's log has the cause.");
	}
	if (!call_header(call, "Upgrade").p) {
		console_answer_words(call, status, words);
		return;
	}
	/* No websocket's client shows words, and what comes behind the headers is a frame to some. */
	struct buf nothing;
	buf_init(&nothing, 1);
	call_set_answer_header(call, "Connection", STR("close"));
	console_answer(call, status, "text/plain; charset=utf-8", &nothing);
}

/* ---- who comes, and from where ---- */

/* "https://cloud.example.com:8080/…" → the name; empty: there is none. */
static struct str parse_url_host(struct str url, struct str *ret_scheme)
{
	struct str rest = url;
	if (!str_split_next(&rest, ':', ret_scheme) || !str_starts_with(rest, STR("//")))
		return STR_NONE;
	rest = str_slice(rest, 2, rest.n);
	return str_slice(rest, 0, str_find_char(rest, '/', 0));
}

/* "name:port", "[::1]:port" → the name. */
static struct str name_of(struct str host)
{
	size_t from = host.n && host.p[0] == '[' ? str_find_char(host, ']', 0) : 0;
	return str_slice(host, 0, str_find_char(host, ':', from));
}

/* Checks Origin as Nova's proxy does: browsers say which page opens a websocket, and only our own pages
 * may. Other clients send no Origin. */
static RESULT check_origin(struct call *call)
{
	struct str origin = call_header(call, "Origin"), scheme = STR_NONE;
	if (!origin.p)
		return OK;
	struct str name = name_of(parse_url_host(origin, &scheme));
	if (name.n && str_equal_nocase(name, name_of(call_header(call, "Host"))) &&
	    (str_is(scheme, "http") || str_is(scheme, "https")))
		return OK;
	return ctx_fail(&call->ctx, ERR_DENIED, "The page that asks for the console is not from here.");
}

/* "a=b&token=T": as it is, for a ticket needs no escapes. */
static struct str find_token(struct str query)
{
	struct str pair;
	while (str_split_next(&query, '&', &pair))
		if (str_starts_with(pair, STR("token=")))
			return str_slice(pair, strlen("token="), pair.n);
	return STR_NONE;
}

static RESULT check_ticket(struct console_face *face, struct call *call, struct ticket *ret_ticket)
{
	struct identity *who = NULL;
	struct result result =
		ticket_check(face->config.tickets, &call->ctx, find_token(call->query), ret_ticket, &who);
	if (result.code == ERR_UNAUTHENTICATED && !limits_take_stranger(face->config.limits, call->peer)) {
		call->is_quiet = true;
		return ctx_fail(&call->ctx, ERR_THROTTLED, "This request was rate-limited.");
	}
	TRY(result);
	call->ctx.who = who;
	call->account_number = who->account_number;
	return OK;
}

/* The instance is there, on, on the host that it was on, and still theirs; and their policies of now allow it. */
static RESULT check_instance(struct console_face *face, struct call *call, const struct ticket *ticket)
{
	const struct guard_request request = {.action = STR("ec2:OpenInstanceConsole"),
					      .words = GUARD_OF_DARI,
					      .has_role = identity_has(call->ctx.who, RIGHT_MEMBER)};
	TRY(guard_check_action(face->config.guards, call, &request));
	const struct ref ref = ref_by_id(KIND_INSTANCE, ticket->instance);
	const struct instance *instance = NULL;
	AUTO_VIEW v;
	view_open(face->config.store, &v);
	TRY(engine_find_console(&call->ctx, v.tables, &ref, ticket->console == CONSOLE_SERIAL, &instance));
	if (!uuid_equal(instance->host, ticket->host))
		return ctx_fail(&call->ctx, ERR_CONFLICT,
				"The instance is on another host now: ask for a new link to its console.");
	return guard_check_rest(&call->ctx);
}

/* ---- opening ---- */

static RESULT look_open(struct observation *o, const struct compute_driver *driver, struct compute_host *h)
{
	struct opening *opening = o->arg;
	return driver->open_console(h, o->ctx, opening->ticket.instance, opening->ticket.console,
				    &opening->stream_fd);
}

static void log_opened(const struct call *call, const struct opening *o)
{
	char instance[UUID_TEXT_SIZE], user[UUID_TEXT_SIZE], peer[IP_TEXT_SIZE];
	log_event(LOG_INFO, "console-opened", "instance=%s console=%s user=%s peer=%s request=%.*s",
		  uuid_write(o->ticket.instance, instance),
		  o->ticket.console == CONSOLE_SERIAL ? "serial" : "display",
		  uuid_write(o->ticket.by.user, user), ip_write(call->peer, peer),
		  STR_ARG(call->ctx.request_id));
}

static void answer_failed(struct audit_call *a, struct result written)
{
	(void) written; /* told in the log */
	answer_problem(a->call, a->result);
}

static void fail_opening(struct opening *o, struct call *call, struct result result)
{
	fd_autoclose(&o->stream_fd);
	if (o->line)
		relay_drop_line(o->line);
	o->line = NULL;
	if (o->audit && result.code == ERR_THROTTLED)
		o->audit->is_told = true; /* a throttled call leaves no audit record: it was not examined */
	struct str code = str_print(call->ctx.arena, "%d", status_of(result.code));
	if (!api_record(o->audit, o->face->config.store, result, code, answer_failed))
		answer_problem(call, result);
}

static void join(struct audit_call *a, struct result written)
{
	struct opening *o = a->call->face_data;
	if (!result_is_ok(written)) {
		fail_opening(o, a->call,
			     ctx_fail(&a->call->ctx, ERR_IO, "the audit log could not be written"));
		return;
	}
	log_opened(a->call, o);
	call_upgrade(a->call, "websocket", relay_connect(o->line, o->stream_fd, &o->ticket));
}

static void opened(struct call *call, struct result result)
{
	struct opening *o = call->face_data;
	if (!result_is_ok(result))
		fail_opening(o, call, result);
	else if (!api_record(o->audit, o->face->config.store, OK, STR_NONE, join))
		fail_opening(o, call, ctx_no_memory(&call->ctx)); /* without a record: none could be made */
}

static void note_instance(struct opening *o, struct call *call)
{
	audit_add_subject(o->audit, "console",
			  o->ticket.console == CONSOLE_SERIAL ? STR("serial") : STR("display"));
	if (!o->audit)
		return;
	o->audit->record.texts[AUDIT_KIND] = STR("instance");
	o->audit->record.texts[AUDIT_ID] =
		str_encode_hex(call->ctx.arena, o->ticket.instance.b, sizeof o->ticket.instance.b);
	o->audit->record.texts[AUDIT_CREDENTIAL] = STR("ticket");
}

static RESULT begin_opening(struct console_face *face, struct call *call, struct opening *o)
{
	TRY(check_origin(call));
	TRY(check_ticket(face, call, &o->ticket));
	note_instance(o, call);
	TRY(check_instance(face, call, &o->ticket));
	TRY(websocket_accept(call));
	return relay_take_line(face->config.relay, &call->ctx, call->ctx.who->account, &o->line);
}

static void open_socket(struct console_face *face, struct call *call)
{
	struct opening *o = arena_new_object(call->ctx.arena, struct opening);
	call->action = "console:open";
	if (!o) {
		answer_problem(call, ctx_no_memory(&call->ctx));
		return;
	}
	*o = (struct opening){.stream_fd = -1, .face = face};
	o->audit = audit_begin(call, audited_find_recorded(call->action), "console");
	call->face_data = o;
	struct result result = begin_opening(face, call, o);
	if (!result_is_ok(result)) {
		fail_opening(o, call, result);
		return;
	}
	const struct api_look look = {.reconciler = face->config.reconciler,
				      .host = o->ticket.host,
				      .timeout_us = OPEN_TIMEOUT_US,
				      .look = look_open,
				      .arg = o};
	api_observe(call, &look, opened);
}

/* ---- the face ---- */

bool console_has_path(struct str path)
{
	return str_starts_with(path, STR(CONSOLE_PREFIX));
}

static const struct {
	const char *path, *content_type;
	const struct str *text;
} pages[] = {
	{CONSOLE_SERIAL_PAGE, "text/html; charset=utf-8", &page_serial_html},
	{CONSOLE_PREFIX "serial.js", "text/javascript; charset=utf-8", &page_serial_js},
	{CONSOLE_PREFIX "serial.css", "text/css; charset=utf-8", &page_serial_css},
};

void console_handle(struct console_face *face, struct call *call)
{
	static const struct str novnc = {CONSOLE_DISPLAY_PAGES, sizeof CONSOLE_DISPLAY_PAGES - 1};
	call->action = "console:page";
	if (call->method != HTTP_GET && call->method != HTTP_HEAD) {
		call_set_answer_header(call, "Allow", STR("GET, HEAD"));
		console_answer_words(call, 405, STR("Only GET is served here."));
		return;
	}
	if (str_is(call->path, CONSOLE_SOCKET)) {
		open_socket(face, call);
		return;
	}
	if (str_starts_with(call->path, novnc)) {
		console_send_file(call, str_from(face->novnc_directory),
				  str_slice(call->path, novnc.n, call->path.n));
		return;
	}
	for (size_t k = 0; k < sizeof pages / sizeof pages[0]; k++)
		if (str_is(call->path, pages[k].path)) {
			answer_text(call, pages[k].content_type, *pages[k].text);
			return;
		}
	console_send_site(call);
}
