/* SPDX-License-Identifier: Apache-2.0
 * createConsoleEndpoint: a URL that opens a machine's display for ten minutes. Asks the host first whether a
 * console is possible. A caller with a key gets a ticket that is valid as long as a session would be.
 */
#include "api/cloudstack/compute/compute.h"
#include "api/console_url.h"
#include "auth/token/ticket.h"
#include "drivers/compute.h"
#include "engine/instance/instance.h"
#include "model/instance.h"

struct console_args {
	struct ref machine;
	uuid instance;
};
static const struct param params[] = {
	PARAM(struct console_args, "virtualmachineid", machine, .kind = KIND_INSTANCE, .flags = REQUIRED,
	      .doc = "The virtual machine."),
	NOT_BUILT("token"),
};

static RESULT prepare(struct cs_call *e, void *args)
{
	struct console_args *a = args;
	const struct instance *instance = NULL;
	TRY(engine_find_console(e->c, cs_tables(e), &a->machine, false, &instance));
	a->instance = instance->row.id;
	e->host = instance->host;
	return OK;
}

static RESULT look(struct observation *o, const struct compute_driver *driver, struct compute_host *h)
{
	const struct console_args *a = o->arg;
	return driver->open_console(h, o->ctx, a->instance, CONSOLE_DISPLAY, NULL);
}

/* Writes host and port; the scheme's default port is left out of the URL. */
static void write_socket(struct json_writer *w, struct arena *a, struct str base_url, struct str ticket)
{
	struct str rest = base_url, scheme, place, host;
	(void) str_split_next(&rest, ':', &scheme);
	place = str_slice(rest, 2, rest.n);
	(void) str_split_next(&place, ':', &host);
	struct str port = place.n ? place : str_is(scheme, "https") ? STR("443") : STR("80");
	json_write_open(w, "websocket");
	json_write_text(w, "token", ticket);
	json_write_text(w, "host", host);
	json_write_text(w, "port", port);
	json_write_text(w, "path", str_print(a, CONSOLE_SOCKET "?token=%" STR_FMT, STR_ARG(ticket)));
	json_write_close(w);
}

static RESULT show(struct cs_call *e, const void *args, struct json_writer *w)
{
	const struct console_args *a = args;
	struct str text = STR_NONE, base_url = api_base_url(&e->core);
	struct token token = e->token;
	if (e->is_signed) {
		struct str unused;
		token = (struct token){
			.scope = IDENTITY_ACCOUNT, .user = e->c->who->user, .where = e->c->who->account};
		TRY(token_issue(e->config->tokens, e->c, &token, &unused));
	}
	struct ticket ticket = {
		.console = CONSOLE_DISPLAY, .instance = a->instance, .host = e->host, .by = token};
	TRY(ticket_issue(e->config->tickets, e->c, &ticket, &text));
	json_write_open(w, "consoleendpoint");
	json_write_bool(w, "success", true);
	json_write_text(w, "url", console_url(e->c->arena, base_url, CONSOLE_DISPLAY, text));
	write_socket(w, e->c->arena, base_url, text);
	json_write_close(w);
	return OK;
}

static const struct cs_action actions[] = {
	{CS_ACTION("createConsoleEndpoint", "os_compute_api:os-remote-consoles"), .flags = API_OBSERVES,
	 .args = PARAMS(struct console_args, params), .prepare = prepare, .look = look, .answer = show,
	 .says = "success|url|websocket",
	 .doc = "Creates a URL that opens the console of a virtual machine."},
};
const struct api_actions cs_console_actions = API_ACTIONS(actions);
