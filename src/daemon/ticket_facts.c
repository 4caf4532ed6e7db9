/* SPDX-License-Identifier: Apache-2.0
 * Facts that the region attaches to a ticket by itself: what `dari explain` says of each resource that it names, and which program
 * this is. What a vendor's desk is not to know is taken out where they leave (reconcile/support/ticket_link.c). */
#include <sys/utsname.h>

#include "base/clock.h"
#include "base/json_write.h"
#include "daemon/command.h"
#include "daemon/daemon.h"
#include "store/support_ticket.h"

enum { FACTS_CAP = 256 * 1024 };

static RESULT list_resources(struct daemon *d, struct ctx *c, uuid ticket, struct strs *ret_ids)
{
	AUTO_VIEW view = {0};
	view_open(d->store, &view);
	const struct support_ticket *t = support_ticket_find(view.tables, ticket);
	size_t count = t ? t->resources.count : 0;
	struct str *ids = arena_new_array(c->arena, struct str, count + 1);
	if (!ids)
		return ctx_no_memory(c);
	for (size_t k = 0; k < count; k++)
		ids[k] = str_copy(c->arena, t->resources.at[k]);
	*ret_ids = (struct strs){ids, count};
	return OK;
}

/* What is not there any more, or is another account's to the letter, says so in explain's own words. */
static struct str explain(struct daemon *d, struct ctx *c, struct str id)
{
	struct ctx own;
	struct str text = STR_NONE;
	ctx_init(&own, c->arena);
	struct result result =
		command_run_typed(d, &own, "explain", json_pack("{s:s%}", "id", id.p, id.n), &text);
	return result_is_ok(result) ? text : own.problem.message;
}

static void write_head(struct daemon *d, struct buf *text, struct json_writer *w)
{
	char now[CLOCK_TEXT_SIZE];
	struct utsname machine = {0};
	(void) uname(&machine);
	(void) clock_write_s(clock_now_us(), now);
	buf_print(text, "Region %" STR_FMT ", %s; control plane on Linux %s\n", STR_ARG(d->settings.region),
		  now, machine.release);
	json_write_text(w, "region", d->settings.region);
	json_write_z(w, "time", now);
	json_write_z(w, "kernel", machine.release);
}

RESULT ticket_facts_write(void *self, struct ctx *c, uuid ticket, struct str *ret_text, struct str *ret_json)
{
	struct daemon *d = self;
	struct strs ids = {0};
	struct buf text, json;
	struct json_writer w;
	TRY(list_resources(d, c, ticket, &ids));
	if (!ids.count)
		return OK;
	buf_init(&text, FACTS_CAP);
	buf_init(&json, FACTS_CAP);
	json_write_begin(&w, &json);
	json_write_open(&w, NULL);
	write_head(d, &text, &w);
	json_write_open_list(&w, "resources");
	for (size_t k = 0; k < ids.count; k++) {
		struct str said = explain(d, c, ids.at[k]);
		buf_print(&text, "\n== %" STR_FMT "\n%" STR_FMT "\n", STR_ARG(ids.at[k]), STR_ARG(said));
		json_write_open(&w, NULL);
		json_write_text(&w, "id", ids.at[k]);
		json_write_text(&w, "explain", said);
		json_write_close(&w);
	}
	json_write_close_list(&w);
	json_write_close(&w);
	struct result result = json_write_end(&w);
	*ret_text = str_copy(c->arena, buf_str(&text));
	if (result_is_ok(result))
		*ret_json = str_copy(c->arena, buf_str(&json));
	buf_done(&text);
	buf_done(&json);
	return OK; /* too much to be told: what fits is */
}
