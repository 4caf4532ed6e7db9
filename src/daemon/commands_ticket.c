/* SPDX-License-Identifier: Apache-2.0
 * dari ticket …: tickets, for the operator and users without AWS's client. */
#include <inttypes.h>

#include "base/clock.h"
#include "base/disk_room.h"
#include "base/file.h"
#include "daemon/command.h"
#include "drivers/ticket_file.h"
#include "engine/quota.h"
#include "engine/resolve.h"
#include "engine/support/desk.h"
#include "engine/support/ticket.h"
#include "model/redact.h"
#include "store/account.h"
#include "store/desk.h"
#include "store/support_ticket.h"
#include "store/ticket_attachment.h"
#include "store/ticket_link.h"
#include "store/ticket_message.h"
#include "store/ticket_sending.h"

enum { LISTED_MAX = 10000 };

/* Parses an id or a number. */
static RESULT ticket_arg(struct command_call *call, struct ref *ret_ref)
{
	int64_t number = 0;
	struct str text = command_arg(call, "ticket");
	if (!result_is_ok(str_parse_int(text, &number)))
		return command_id_arg(call, "ticket", KIND_SUPPORT_TICKET, ret_ref);
	AUTO_VIEW view = {0};
	view_open(call->daemon->store, &view);
	const struct support_ticket *t = support_ticket_find_by_number(view.tables, number);
	if (!t)
		return ctx_fail_field(&call->ctx, ERR_NOT_FOUND, STR("ticket"),
				      "there is no ticket %" STR_FMT, STR_ARG(text));
	*ret_ref = ref_by_id(KIND_SUPPORT_TICKET, t->row.id);
	ret_ref->text = text;
	ret_ref->field = STR("ticket");
	return OK;
}

static struct str id_of(struct command_call *call, uuid id)
{
	return id_to_ec2(call->ctx.arena, KIND_SUPPORT_TICKET, id);
}

/* Reads --body or --body-file. */
static RESULT body_arg(struct command_call *call, struct str *ret_body)
{
	struct str path = command_arg(call, "body-file");
	*ret_body = command_arg(call, "body");
	if (path.n)
		return file_read(&call->ctx, str_to_z(call->ctx.arena, path), TICKET_BODY_MAX, ret_body);
	return ret_body->n ? OK
			   : ctx_fail_field(&call->ctx, ERR_MISSING, STR("body"),
					    "--body says it, or --body-file names a file that does");
}

/* ---- opening and saying ---- */

static RESULT ticket_open(struct command_call *call)
{
	struct ticket_wish wish = {.owner =
					   command_account_ref(call, command_arg(call, "account"), "account"),
				   .subject = command_arg(call, "subject")};
	struct str rest = command_arg(call, "resource"), id;
	VEC(struct str) resources = {0};
	int severity = 0, about = 0;
	TRY(body_arg(call, &wish.body));
	TRY(command_word_arg(call, "severity", support_ticket_severity_words, SUPPORT_TICKET_SEVERITY_NORMAL,
			     &severity));
	TRY(command_word_arg(call, "about", support_ticket_about_words, SUPPORT_TICKET_ABOUT_TECHNICAL,
			     &about));
	while (str_split_next(&rest, '\n', &id))
		if (!VEC_PUSH(call->ctx.arena, &resources, id))
			return ctx_no_memory(&call->ctx);
	wish.severity = (enum support_ticket_severity) severity;
	wish.about = (enum support_ticket_about) about;
	wish.resources = (struct strs){resources.at, resources.count};
	TRY(command_commit(call, "dari:ticket open", engine_open_ticket_run, &wish));
	struct str text = id_of(call, wish.ticket);
	buf_print(&call->text, "%" STR_FMT "\n", STR_ARG(text));
	call->value = json_pack("{s:s%}", "ticket", text.p, text.n);
	return OK;
}

static RESULT ticket_say(struct command_call *call)
{
	struct ticket_saying wish = {.is_private = command_has_flag(call, "private")};
	TRY(ticket_arg(call, &wish.ticket));
	TRY(body_arg(call, &wish.body));
	TRY(command_commit(call, "dari:ticket say", engine_say_in_ticket_run, &wish));
	struct str text = id_of(call, wish.said_in);
	buf_print(&call->text, "said in %" STR_FMT "\n", STR_ARG(text));
	call->value = json_pack("{s:s%}", "ticket", text.p, text.n);
	return OK;
}

/* The ticket's account pays for its files, whoever attaches them. */
static RESULT find_payer(struct command_call *call, const struct ref *ticket, struct disk_payer *ret_payer)
{
	const struct row *row = NULL;
	AUTO_VIEW view = {0};
	view_open(call->daemon->store, &view);
	TRY(engine_find(&call->ctx, view.tables, KIND_SUPPORT_TICKET, ticket, &row));
	*ret_payer = engine_pay_disk(view.tables, support_ticket_of(row)->account, KIND_TICKET_ATTACHMENT);
	return OK;
}

static RESULT ticket_attach(struct command_call *call)
{
	struct daemon *d = call->daemon;
	struct ticket_attaching wish = {.is_private = command_has_flag(call, "private")};
	struct disk_payer payer;
	const struct ticket_place place = {str_from(settings_path(call->ctx.arena, &d->settings, "tickets")),
					   d->master_key, &payer};
	struct str path = command_arg(call, "file"), name = path, content, rest = path, piece;
	TRY(ticket_arg(call, &wish.ticket));
	TRY(find_payer(call, &wish.ticket, &payer));
	while (str_split_next(&rest, '/', &piece))
		name = piece;
	TRY(file_read(&call->ctx, str_to_z(call->ctx.arena, path), TICKET_FILE_MAX, &content));
	wish.file = (struct ticket_file){.id = uuid_random(),
					 .name = name,
					 .media_type = ticket_file_type(content),
					 .size = (int64_t) content.n};
	TRY(ticket_file_write(&call->ctx, &place, wish.file.id, content, &wish.file.sha256));
	struct result result = command_commit(call, "dari:ticket attach", engine_attach_to_ticket_run, &wish);
	if (!result_is_ok(result)) {
		struct ctx own;
		ctx_init(&own, call->ctx.arena);
		ticket_file_delete(&own, &place, wish.file.id);
		return result;
	}
	buf_print(&call->text, "attached %" STR_FMT ", %" PRId64 " bytes\n", STR_ARG(name), wish.file.size);
	return OK;
}

static RESULT change(struct command_call *call, const char *action, enum support_ticket_wish wanted)
{
	struct ticket_change wish = {.wish = wanted};
	TRY(ticket_arg(call, &wish.ticket));
	TRY(command_commit(call, action, engine_change_ticket_run, &wish));
	buf_print(&call->text, "it was %s, and is %s\n", ticket_state_words[wish.before],
		  ticket_state_words[wish.after]);
	call->value = json_pack("{s:s, s:s}", "before", ticket_state_words[wish.before], "after",
				ticket_state_words[wish.after]);
	return OK;
}

static RESULT ticket_close(struct command_call *call)
{
	return change(call, "dari:ticket close",
		      command_has_flag(call, "for-good") ? SUPPORT_TICKET_WISH_CLOSED
		      : command_has_flag(call, "cancel") ? SUPPORT_TICKET_WISH_CANCELLED
							 : SUPPORT_TICKET_WISH_RESOLVED);
}

static RESULT ticket_reopen_command(struct command_call *call)
{
	return change(call, "dari:ticket reopen", SUPPORT_TICKET_WISH_OPEN);
}

static RESULT ticket_work(struct command_call *call)
{
	struct ticket_work wish = {.state = SUPPORT_TICKET_OPERATOR_STATE_NEW};
	int state = 0;
	TRY(ticket_arg(call, &wish.ticket));
	TRY(command_word_arg(call, "state", support_ticket_operator_state_words, -1, &state));
	wish.state = (enum support_ticket_operator_state) state;
	TRY(command_commit(call, "dari:ticket work", engine_work_on_ticket_run, &wish));
	buf_print(&call->text, "the operator has it as %s\n", support_ticket_operator_state_words[state]);
	return OK;
}

static RESULT ticket_rate(struct command_call *call)
{
	struct ticket_rating wish = {.severity = SUPPORT_TICKET_SEVERITY_LOW};
	int severity = 0;
	TRY(ticket_arg(call, &wish.ticket));
	TRY(command_word_arg(call, "severity", support_ticket_severity_words, -1, &severity));
	wish.severity = (enum support_ticket_severity) severity;
	TRY(command_commit(call, "dari:ticket rate", engine_rate_ticket_run, &wish));
	buf_print(&call->text, "its severity is %s\n", support_ticket_severity_words[severity]);
	return OK;
}

static RESULT ticket_redact(struct command_call *call)
{
	struct ticket_redaction wish = {.body = command_arg(call, "body")};
	TRY(ticket_arg(call, &wish.ticket));
	TRY(command_int_arg(call, "message", 0, 1, TICKET_MESSAGES_MAX, &wish.number));
	if (!wish.body.n)
		wish.body = STR("[removed]");
	TRY(command_commit(call, "dari:ticket redact", engine_redact_ticket_run, &wish));
	buf_print(&call->text, "message %" PRId64 " is taken away here; what desks have of it stays there\n",
		  wish.number);
	return OK;
}

static RESULT ticket_facts_command(struct command_call *call)
{
	struct ticket_refresh wish = {0};
	TRY(ticket_arg(call, &wish.ticket));
	TRY(command_commit(call, "dari:ticket facts", engine_refresh_ticket_facts_run, &wish));
	buf_add_str(&call->text, STR("facts are gathered anew, and attached\n"));
	return OK;
}

/* ---- desks of a ticket ---- */

static RESULT ticket_link_command(struct command_call *call)
{
	struct ticket_linking wish = {.desk = command_arg(call, "desk"),
				      .ends = command_has_flag(call, "end"),
				      .goes_on = command_has_flag(call, "goes-on")};
	TRY(ticket_arg(call, &wish.ticket));
	TRY(command_commit(call, "dari:ticket link", engine_link_ticket_run, &wish));
	buf_print(&call->text, "the ticket is %s desk %" STR_FMT "\n",
		  wish.ends ? "not linked any more with" : "linked with", STR_ARG(wish.desk));
	return OK;
}

static RESULT change_sending(struct command_call *call, const char *action, bool drops)
{
	struct sending_change wish = {.drops = drops};
	struct str text = command_arg(call, "sending");
	wish.sending =
		(struct ref){.kind = KIND_TICKET_SENDING, .bits = 128, .text = text, .field = STR("sending")};
	if (!result_is_ok(uuid_parse(text, &wish.sending.prefix)))
		return ctx_fail_field(&call->ctx, ERR_INVALID, STR("sending"),
				      "a sending is named by its UUID, as dari ticket show has it");
	TRY(command_commit(call, action, engine_change_sending_run, &wish));
	buf_print(&call->text, "%s\n", drops ? "it is given up" : "it is tried again");
	return OK;
}

static RESULT ticket_retry(struct command_call *call)
{
	return change_sending(call, "dari:ticket retry", false);
}

static RESULT ticket_drop(struct command_call *call)
{
	return change_sending(call, "dari:ticket drop", true);
}

/* ---- showing ---- */

static struct str name_account(const struct tables *t, uuid id)
{
	const struct account *account = account_find(t, id);
	return account ? account->name : STR_NONE;
}

static RESULT ticket_list(struct command_call *call)
{
	struct str name = command_arg(call, "account");
	size_t count = 0;
	AUTO_VIEW view = {0};
	view_open(call->daemon->store, &view);
	call->value = json_array();
	buf_print(&call->text, "%-20s %6s %-10s %-9s %-16s %s\n", "id", "number", "state", "severity",
		  "account", "subject");
	for (const struct support_ticket *k = support_ticket_first(view.tables); k && count < LISTED_MAX;
	     k = support_ticket_next(view.tables, k)) {
		struct str id = id_of(call, k->row.id), account = name_account(view.tables, k->account);
		enum ticket_state state = engine_get_ticket_state(view.tables, k, NULL);
		if ((name.n && !str_equal(name, account)) ||
		    (!command_has_flag(call, "all") && ticket_is_over(state)))
			continue;
		count++;
		buf_print(&call->text, "%-20.*s %6" PRId64 " %-10s %-9s %-16.*s %" STR_FMT "\n", STR_ARG(id),
			  k->number, ticket_state_words[state], support_ticket_severity_words[k->severity],
			  STR_ARG(account), STR_ARG(k->subject));
		(void) json_array_append_new(call->value,
					     json_pack("{s:s%, s:I, s:s, s:s, s:s%, s:s%}", "ticket", id.p,
						       id.n, "number", (json_int_t) k->number, "state",
						       ticket_state_words[state], "severity",
						       support_ticket_severity_words[k->severity], "account",
						       account.p ? account.p : "", account.n, "subject",
						       k->subject.p, k->subject.n));
	}
	return OK;
}

static json_t *text_json(struct str text)
{
	return json_stringn(text.p ? text.p : "", text.n);
}

static void show_messages(struct command_call *call, const struct tables *t, uuid ticket)
{
	json_t *list = json_array();
	for (const struct ticket_message *m = ticket_message_first_by_ticket(t, ticket); m;
	     m = ticket_message_next_by_ticket(t, m)) {
		char time[CLOCK_TEXT_SIZE];
		(void) clock_write_s(m->row.created_us, time);
		buf_print(&call->text, "\n%" PRId64 "  %s  %s %" STR_FMT "%s\n%" STR_FMT "\n", m->number,
			  time, ticket_message_said_by_words[m->said_by], STR_ARG(m->author),
			  m->is_private ? " (private)" : "", STR_ARG(m->body));
		(void) json_array_append_new(list, json_pack("{s:I, s:s, s:s, s:o, s:b, s:o}", "number",
							     (json_int_t) m->number, "time", time, "said_by",
							     ticket_message_said_by_words[m->said_by],
							     "author", text_json(m->author), "private",
							     m->is_private, "body", text_json(m->body)));
	}
	(void) json_object_set_new(call->value, "messages", list);
}

static void show_files(struct command_call *call, const struct tables *t, uuid ticket)
{
	json_t *list = json_array();
	for (const struct ticket_attachment *a = ticket_attachment_first_by_ticket(t, ticket); a;
	     a = ticket_attachment_next_by_ticket(t, a)) {
		buf_print(&call->text, "file       %" STR_FMT ", %" PRId64 " bytes, %" STR_FMT "%s\n",
			  STR_ARG(a->name), a->size, STR_ARG(a->media_type),
			  a->is_private ? " (private)" : "");
		(void) json_array_append_new(list, json_pack("{s:o, s:I, s:o, s:o, s:b}", "name",
							     text_json(a->name), "size", (json_int_t) a->size,
							     "type", text_json(a->media_type), "sha256",
							     text_json(a->sha256), "private", a->is_private));
	}
	(void) json_object_set_new(call->value, "files", list);
}

static json_t *show_sendings(struct command_call *call, const struct tables *t, uuid link)
{
	json_t *list = json_array();
	for (const struct ticket_sending *s = ticket_sending_first_by_link(t, link); s;
	     s = ticket_sending_next_by_link(t, s)) {
		char id[UUID_TEXT_SIZE];
		(void) uuid_write(s->row.id, id);
		if (s->stage != TICKET_SENDING_STAGE_SENT)
			buf_print(&call->text, "  %s %-10s %-7s %" STR_FMT "\n", id,
				  ticket_sending_what_words[s->what], ticket_sending_stage_words[s->stage],
				  STR_ARG(s->problem));
		(void) json_array_append_new(list,
					     json_pack("{s:s, s:s, s:s, s:o, s:o, s:I}", "id", id, "what",
						       ticket_sending_what_words[s->what], "stage",
						       ticket_sending_stage_words[s->stage], "origin",
						       text_json(s->origin), "problem", text_json(s->problem),
						       "removed", (json_int_t) s->removed));
	}
	return list;
}

static void show_links(struct command_call *call, const struct tables *t, uuid ticket)
{
	json_t *list = json_array();
	for (const struct ticket_link *l = ticket_link_first_by_ticket(t, ticket); l;
	     l = ticket_link_next_by_ticket(t, l)) {
		const struct desk *desk = desk_find(t, l->desk);
		struct str name = desk ? desk->name : STR_NONE;
		buf_print(&call->text,
			  "at         %" STR_FMT ": %" STR_FMT " %" STR_FMT " (%s)%s %" STR_FMT "\n",
			  STR_ARG(name), STR_ARG(l->foreign_number.n ? l->foreign_number : l->foreign_id),
			  STR_ARG(l->foreign_state), ticket_state_words[l->state],
			  l->is_stopped                      ? ", stopped"
			  : l->aim == TICKET_LINK_AIM_CLOSED ? ", ended"
							     : "",
			  STR_ARG(l->problem));
		json_t *one = json_pack("{s:o, s:o, s:o, s:s, s:b, s:b, s:o, s:I}", "desk", text_json(name),
					"id", text_json(l->foreign_id), "foreign_state",
					text_json(l->foreign_state), "state", ticket_state_words[l->state],
					"stopped", l->is_stopped, "ended", l->aim == TICKET_LINK_AIM_CLOSED,
					"problem", text_json(l->problem), "tries", (json_int_t) l->tries);
		(void) json_object_set_new(one, "sendings", show_sendings(call, t, l->row.id));
		(void) json_array_append_new(list, one);
	}
	(void) json_object_set_new(call->value, "links", list);
}

static RESULT ticket_show(struct command_call *call)
{
	struct ref ref;
	const struct support_ticket *k = NULL;
	TRY(ticket_arg(call, &ref));
	AUTO_VIEW view = {0};
	view_open(call->daemon->store, &view);
	TRY(engine_find_support_ticket(&call->ctx, view.tables, &ref, &k));
	enum ticket_state state = engine_get_ticket_state(view.tables, k, NULL);
	struct str id = id_of(call, k->row.id), account = name_account(view.tables, k->account);
	call->value =
		json_pack("{s:o, s:I, s:o, s:s, s:s, s:s, s:o, s:o, s:o}", "ticket", text_json(id), "number",
			  (json_int_t) k->number, "subject", text_json(k->subject), "state",
			  ticket_state_words[state], "severity", support_ticket_severity_words[k->severity],
			  "about", support_ticket_about_words[k->about], "account", text_json(account),
			  "product", text_json(k->product), "route", text_json(k->route));
	buf_print(&call->text,
		  "%" STR_FMT "  number %" PRId64 "\nsubject    %" STR_FMT "\nstate      %s\nseverity   %s\n"
		  "account    %" STR_FMT "\nroute      %" STR_FMT "\n",
		  STR_ARG(id), k->number, STR_ARG(k->subject), ticket_state_words[state],
		  support_ticket_severity_words[k->severity], STR_ARG(account), STR_ARG(k->route));
	show_links(call, view.tables, k->row.id);
	show_files(call, view.tables, k->row.id);
	show_messages(call, view.tables, k->row.id);
	return OK;
}

/* Shows which parts of a text would be sent, without sending anything. */
static RESULT ticket_preview(struct command_call *call)
{
	struct str body, clean = STR_NONE;
	size_t count = 0;
	TRY(body_arg(call, &body));
	if (!result_is_ok(redact_text(call->ctx.arena, body, NULL, &clean, &count)))
		return ctx_no_memory(&call->ctx);
	buf_print(&call->text, "%" STR_FMT "\n%zu secrets would be taken out\n", STR_ARG(clean), count);
	call->value = json_pack("{s:o, s:I}", "body", text_json(clean), "removed", (json_int_t) count);
	return OK;
}

#define TICKET                                                                                               \
	{                                                                                                    \
		"ticket", PARAM_POSITIONAL, true, "Ticket, by id (t-…) or number."                         \
	}
#define BODY(words)                                                                                          \
	{"body", PARAM_OPTION, false, words},                                                                \
	{                                                                                                    \
		"body-file", PARAM_OPTION, false, "File with the text.", .is_path = true                     \
	}

const struct command ticket_commands[] = {
	{"ticket open",
	 "Opens a ticket for an account, and sends it to the desks in charge.",
	 {{"account", PARAM_OPTION, true, "Owning account."},
	  {"subject", PARAM_OPTION, true, "Subject, up to 255 characters."},
	  BODY("Text of the first message."),
	  {"severity", PARAM_OPTION, false, "low, normal, high, urgent or critical (default: normal)."},
	  {"about", PARAM_OPTION, false, "technical, billing, quota or account (default: technical)."},
	  {"resource", PARAM_OPTION, false, "Id of an affected resource; may be given several times.",
	   .repeats = true}},
	 .run = ticket_open,
	 .is_anywhere = true},
	{"ticket list",
	 "Lists open tickets.",
	 {{"account", PARAM_OPTION, false, "Only tickets of this account."},
	  {"all", PARAM_FLAG, false, "Includes closed tickets."}},
	 .run = ticket_list,
	 .is_anywhere = true},
	{"ticket show",
	 "Shows a ticket: its desks, files and messages.",
	 {TICKET},
	 .run = ticket_show,
	 .is_anywhere = true},
	{"ticket say",
	 "Adds a message to a ticket, and sends it to all its desks.",
	 {TICKET,
	  BODY("Text of the message."),
	  {"private", PARAM_FLAG, false, "Internal note: it is sent to no desk."}},
	 .run = ticket_say,
	 .is_anywhere = true},
	{"ticket attach",
	 "Attaches a file to a ticket.",
	 {TICKET,
	  {"file", PARAM_POSITIONAL, true, "File on the server's machine, up to 25 MiB.", .is_path = true},
	  {"private", PARAM_FLAG, false, "Visible to the operator's desk only."}},
	 .run = ticket_attach},
	{"ticket close",
	 "Resolves a ticket, here and at its desks; it is closed seven days later.",
	 {TICKET,
	  {"for-good", PARAM_FLAG, false, "Closes the ticket for good; it cannot be reopened."},
	  {"cancel", PARAM_FLAG, false, "Withdraws the ticket."}},
	 .run = ticket_close,
	 .is_anywhere = true},
	{"ticket reopen",
	 "Reopens a ticket that was resolved.",
	 {TICKET},
	 .run = ticket_reopen_command,
	 .is_anywhere = true},
	{"ticket work",
	 "Sets the state of a ticket that is at no desk.",
	 {TICKET,
	  {"state", PARAM_OPTION, true,
	   "new, working, waiting (for the customer), held, resolved or rejected."}},
	 .run = ticket_work,
	 .is_anywhere = true},
	{"ticket rate",
	 "Sets the severity of a ticket, here and at desks that mirror it.",
	 {TICKET, {"severity", PARAM_OPTION, true, "low, normal, high, urgent or critical."}},
	 .run = ticket_rate,
	 .is_anywhere = true},
	{"ticket link",
	 "Links a ticket with a desk, and sends it all messages except internal notes.",
	 {TICKET,
	  {"desk", PARAM_POSITIONAL, true, "Its name."},
	  {"end", PARAM_FLAG, false, "Ends the link: nothing is exchanged any more."},
	  {"goes-on", PARAM_FLAG, false,
	   "Resumes a ticket that was stopped because messages came too fast."}},
	 .run = ticket_link_command,
	 .is_anywhere = true},
	{"ticket retry",
	 "Sends again what a desk refused, or what waits.",
	 {{"sending", PARAM_POSITIONAL, true, "UUID of the message, as in `dari ticket show`."}},
	 .run = ticket_retry,
	 .is_anywhere = true},
	{"ticket drop",
	 "Drops a message that a desk refused.",
	 {{"sending", PARAM_POSITIONAL, true, "UUID of the message, as in `dari ticket show`."}},
	 .run = ticket_drop,
	 .is_anywhere = true},
	{"ticket redact",
	 "Deletes the text of a message, here.",
	 {TICKET,
	  {"message", PARAM_OPTION, true, "Number of the message."},
	  {"body", PARAM_OPTION, false, "Replacement text."}},
	 .run = ticket_redact,
	 .is_anywhere = true},
	{"ticket facts",
	 "Collects the diagnostics of a ticket's resources again.",
	 {TICKET},
	 .run = ticket_facts_command,
	 .is_anywhere = true},
	{"ticket preview",
	 "Dry run: prints the redacted text that would be sent to a desk.",
	 {BODY("Text to redact.")},
	 .run = ticket_preview,
	 .is_anywhere = true},
	{0},
};
