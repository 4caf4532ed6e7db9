/* SPDX-License-Identifier: Apache-2.0
 * Remote consoles: URLs that open a server's display or serial port in a browser. The host first confirms that the console can be opened, so that no dead URL is returned. The call changes nothing; the engine
 * requires the role member nevertheless. Source: Compute API reference, "Servers Remote Consoles"; up to
 * 2.5 they were actions. */
#include "api/console_url.h"
#include "api/openstack/compute/servers.h"
#include "auth/token/ticket.h"
#include "drivers/compute.h"
#include "engine/instance/instance.h"
#include "model/instance.h"

struct os_remote_console {
	struct ref server;
	struct str protocol, type;
	/* set by prepare_console(): */
	enum console console;
	uuid instance;
};
#define P(wire, member, ...) OS_BODY(struct os_remote_console, wire, member, .flags = REQUIRED, __VA_ARGS__)
#define SERVER                                                                                               \
	OS_PATH(struct os_remote_console, "server_id", server, .kind = KIND_INSTANCE, .doc = "The server.")
static const struct param create_params[] = {
	SERVER,
	P("protocol", protocol, .until = 7, .words = "vnc|spice|serial|rdp",
	  .doc = "Protocol: vnc or serial."),
	P("protocol", protocol, .since = 8, .words = "vnc|spice|serial|rdp|mks",
	  .doc = "Protocol: vnc or serial."),
	P("type", type, .until = 7, .words = "novnc|xvpvnc|spice-html5|serial|rdp-html5",
	  .doc = "Console type: novnc or serial."),
	P("type", type, .since = 8, .words = "novnc|xvpvnc|spice-html5|serial|rdp-html5|webmks",
	  .doc = "Console type: novnc or serial."),
};
static const struct param vnc_params[] = {
	SERVER,
	P("type", type, .words = "novnc|xvpvnc", .doc = "Console type: novnc only."),
};
static const struct param serial_params[] = {
	SERVER,
	P("type", type, .words = "serial", .doc = "Console type: serial only."),
};
#undef SERVER
#undef P

/* Accepts two of Nova's types, each with its own protocol. */
static RESULT find_type(struct os_call *e, struct os_remote_console *a)
{
	bool is_serial = str_is(a->type, "serial");
	const char *protocol = is_serial ? "serial" : "vnc";
	if ((!is_serial && !str_is(a->type, "novnc")) || (a->protocol.p && !str_is(a->protocol, protocol)))
		return ctx_fail_field(e->c, ERR_INVALID, STR("type"),
				      "Unavailable console type %" STR_FMT ".", STR_ARG(a->type));
	a->console = is_serial ? CONSOLE_SERIAL : CONSOLE_DISPLAY;
	return OK;
}

static RESULT prepare_console(struct os_call *e, void *args)
{
	struct os_remote_console *a = args;
	const struct instance *instance = NULL;
	TRY(os_find_live_server(e, &a->server, &instance));
	TRY(find_type(e, a));
	TRY(engine_find_console(e->c, os_tables(e), &a->server, a->console == CONSOLE_SERIAL, &instance));
	a->instance = instance->row.id;
	e->host = instance->host;
	return OK;
}

/* Runs on the host's thread. Reports a console that the guest lacks as an unavailable type, as Nova does. */
static RESULT look_at_console(struct observation *o, const struct compute_driver *driver,
			      struct compute_host *h)
{
	struct os_remote_console *a = o->arg;
	struct result result = driver->open_console(h, o->ctx, a->instance, a->console, NULL);
	if (result.code != ERR_UNSUPPORTED)
		return result;
	struct str why = o->ctx->problem.message;
	ctx_clear_problem(o->ctx);
	return ctx_fail_field(o->ctx, ERR_INVALID, STR("type"),
			      "Unavailable console type %" STR_FMT ". %" STR_FMT, STR_ARG(a->type),
			      STR_ARG(why));
}

static RESULT write_url(struct os_call *e, const struct os_remote_console *a, struct json_writer *w)
{
	struct str text = STR_NONE;
	struct ticket ticket = {
		.console = a->console, .instance = a->instance, .host = e->host, .by = e->token};
	TRY(ticket_issue(e->config->tickets, e->c, &ticket, &text));
	json_write_text(w, "type", a->type);
	json_write_text(w, "url", console_url(e->c->arena, e->base_url, a->console, text));
	return OK;
}

static RESULT show_console(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct os_remote_console *a = args;
	if (a->protocol.p)
		json_write_text(w, "protocol", a->protocol);
	return write_url(e, a, w);
}

#define ACTION(word, rows, words)                                                                            \
	{                                                                                                    \
		.method = HTTP_POST, .path = "/v2.1/servers/{server_id}/action", .verb = (word),             \
		.permit = "os_compute_api:os-remote-consoles", .until = 5,                                   \
		.args = OS_PARAMS(struct os_remote_console, rows), .item = "console",                        \
		.prepare = prepare_console, .look = look_at_console, .answer = show_console, .doc = (words)  \
	}

static const struct os_action actions[] = {
	{.method = HTTP_POST,
	 .path = "/v2.1/servers/{server_id}/remote-consoles",
	 .permit = "os_compute_api:os-remote-consoles",
	 .since = 6,
	 .args = OS_PARAMS(struct os_remote_console, create_params),
	 .wrap = "remote_console",
	 .item = "remote_console",
	 .prepare = prepare_console,
	 .look = look_at_console,
	 .answer = show_console,
	 .doc = "Returns a URL that opens the server's display or serial port. The URL is valid for ten "
		"minutes."},
	ACTION("os-getVNCConsole", vnc_params, "Returns a URL that opens the server's display."),
	ACTION("os-getSerialConsole", serial_params, "Returns a URL that opens the server's serial port."),
};
const struct os_actions os_console_actions = OS_ACTIONS(OS_COMPUTE, actions);
