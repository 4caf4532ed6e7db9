/* SPDX-License-Identifier: Apache-2.0
 * Facts that the region attaches to a ticket: the state of each named resource, and the program's version.
 * Facts not meant for a vendor's desk are removed on sending (reconcile/support/ticket_link.c). */
#include <sys/utsname.h>

#include "api/core/explain.h"
#include "api/native/rows.h"
#include "base/clock.h"
#include "base/json_write.h"
#include "daemon/command.h"
#include "daemon/daemon.h"
#include "engine/resolve.h"
#include "engine/support/ticket.h"
#include "store/account.h"
#include "store/support_ticket.h"

enum { FACTS_CAP = 256 * 1024 };

/* Facts are for desks, including vendors'. They are read with the rights of a member of the ticket's account
 * in /api/v1, and limited to list columns: no user data, no names of people. */
struct facts {
	struct daemon *d;
	struct arena *arena;
	struct view view;
	const struct support_ticket *ticket; /* NULL: no longer exists */
	struct identity who;
	struct ctx own; /* acts as `who` */
};

static void open_facts(struct facts *f, struct daemon *d, struct ctx *c, uuid ticket)
{
	*f = (struct facts){.d = d, .arena = c->arena};
	view_open(d->store, &f->view);
	f->ticket = support_ticket_find(f->view.tables, ticket);
	const struct account *account = f->ticket ? account_find(f->view.tables, f->ticket->account) : NULL;
	ctx_init(&f->own, c->arena);
	if (!account)
		return;
	f->who = (struct identity){.scope = IDENTITY_ACCOUNT,
				   .rights = RIGHTS_OF_MEMBER,
				   .account = account->row.id,
				   .domain = account->domain};
	engine_act_by_roles(&f->own, &f->who);
}

/* The columns of the kind's list, without references to users. */
static void choose_fields(enum kind kind, struct row_choice *ret_choice)
{
	const struct kind_info *k = &model_kinds[kind];
	row_choose_columns(kind, ret_choice);
	for (unsigned n = 0; n < k->field_count; n++)
		if (k->fields[n].ref == KIND_USER || k->fields[n].type == FIELD_BLOB)
			ret_choice->fields[n] = false;
}

static void write_line(struct buf *text, struct json_writer *w, const char *label, const char *member,
		       struct str words)
{
	if (!words.n)
		return;
	buf_print(text, "%-14s %" STR_FMT "\n", label, STR_ARG(words));
	json_write_text(w, member, words);
}

/* As in the account's GET /explain/{id}, without the host that something waits for, which is internal. */
static void write_state(struct facts *f, enum kind kind, const struct row *row, struct buf *text,
			struct json_writer *w)
{
	struct explanation x = {.arena = f->arena,
				.reconciler = f->d->reconciler,
				.t = f->view.tables,
				.kind = kind,
				.row = row};
	explain_begin(&x);
	int64_t known_us = explain_since_us(&x);
	write_line(text, w, "state", "state", str_from(explain_state(&x)));
	write_line(text, w, "since", "since", explain_time(&x, known_us ? known_us : row->updated_us));
	if (explain_is_obstructed(&x) && x.waits_for_kind != KIND_HOST)
		write_line(text, w, "in its way", "in_its_way", explain_obstacle(&x));
	write_line(text, w, "next try", "next_try", explain_next_try(&x));
	write_line(text, w, "what to do", "what_to_do", explain_advice(&x));
}

static void write_row(struct facts *f, enum kind kind, const struct row *row, struct buf *text,
		      struct json_writer *w)
{
	struct row_choice choice;
	struct buf item;
	struct json_writer items;
	choose_fields(kind, &choice);
	const struct row_writer rw = {.arena = f->arena,
				      .tables = f->view.tables,
				      .kind = kind,
				      .choice = &choice,
				      .whole_commit = tables_whole_commit};
	row_write(&rw, w, "item", row, ROW_FOR_OWNER);
	buf_init(&item, FACTS_CAP);
	json_write_begin(&items, &item);
	row_write(&rw, &items, NULL, row, ROW_FOR_OWNER);
	if (result_is_ok(json_write_end(&items)))
		buf_print(text, "%" STR_FMT "\n", STR_ARG(buf_str(&item)));
	buf_done(&item);
}

/* Another account's resource and a missing one look the same. */
static void write_resource(struct facts *f, struct str id, struct buf *text, struct json_writer *w)
{
	enum kind kind = KIND_NONE;
	const struct row *row = NULL;
	buf_print(text, "\n== %" STR_FMT "\n", STR_ARG(id));
	json_write_open(w, NULL);
	json_write_text(w, "id", id);
	struct result found =
		engine_find_ticket_resource(&f->own, f->view.tables, f->who.account, id, &kind, &row);
	if (result_is_ok(found) && model_shown[kind].name) {
		json_write_z(w, "kind", model_kinds[kind].name);
		write_state(f, kind, row, text, w);
		write_row(f, kind, row, text, w);
	} else {
		write_line(text, w, "", "problem", STR("The account has no such resource."));
	}
	ctx_clear_problem(&f->own);
	json_write_close(w);
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
	struct facts f;
	struct buf text, json;
	struct json_writer w;
	open_facts(&f, d, c, ticket);
	struct strs ids = f.ticket && !uuid_is_none(f.who.account) ? f.ticket->resources : (struct strs){0};
	if (!ids.count) {
		view_close(&f.view);
		return OK;
	}
	buf_init(&text, FACTS_CAP);
	buf_init(&json, FACTS_CAP);
	json_write_begin(&w, &json);
	json_write_open(&w, NULL);
	write_head(d, &text, &w);
	json_write_open_list(&w, "resources");
	for (size_t k = 0; k < ids.count; k++)
		write_resource(&f, ids.at[k], &text, &w);
	json_write_close_list(&w);
	json_write_close(&w);
	view_close(&f.view);
	struct result result = json_write_end(&w);
	*ret_text = str_copy(c->arena, buf_str(&text));
	if (result_is_ok(result))
		*ret_json = str_copy(c->arena, buf_str(&json));
	buf_done(&text);
	buf_done(&json);
	return OK; /* too much: the part that fits is used */
}
