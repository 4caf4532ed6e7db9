/* SPDX-License-Identifier: Apache-2.0
 * A desk's view of tickets: list, show, open, patch. A desk's report has the same effect as a polled one: the desk that owns the
 * ticket sets its state, and another desk's state becomes a message (engine/support/ticket_sync.c).
 *
 * PATCH is a merge patch, except for `note`: partners send only new notes. Notes of the array that have no id or an unknown id are
 * added, and no note is removed. A note with an id can be sent again safely. */
#include <inttypes.h>

#include "api/tmf/internal.h"
#include "base/clock.h"
#include "base/uuid_asked.h"
#include "base/vec.h"
#include "store/support_ticket.h"
#include "store/ticket_link.h"
#include "store/ticket_message.h"

enum {
	PAGE_MAX = 100,
	SUBJECT_MADE_MAX = 120,
	NOTES_MAX = 20
}; /* more in a minute are a machine's: engine/support/ticket_sync.c */

static RESULT fail_absent(struct tmf_call *e, struct str id)
{
	return ctx_fail_kind(e->c, ERR_NOT_FOUND, KIND_SUPPORT_TICKET,
			     "There is no trouble ticket %" STR_FMT ".", STR_ARG(str_cut(id, 64)));
}

/* Finds the path's ticket, if the caller's desk is linked with it. */
static RESULT find_ticket(struct tmf_call *e, const struct support_ticket **ret_ticket,
			  const struct ticket_link **ret_link)
{
	struct str id = tmf_path_value(e, "id");
	struct ref ref;
	const struct row *row =
		result_is_ok(id_parse_ec2(id, KIND_SUPPORT_TICKET, &ref))
			? tables_find_prefix(tmf_tables(e), KIND_SUPPORT_TICKET, ref.prefix, ref.bits)
			: NULL;
	*ret_ticket = support_ticket_of(row);
	*ret_link = row ? tmf_find_link(tmf_tables(e), row->id, e->desk) : NULL;
	return *ret_link ? OK : fail_absent(e, id);
}

/* ---- reading ---- */

static RESULT answer_one(struct tmf_call *e, const void *args, struct json_writer *w)
{
	const struct support_ticket *ticket = NULL;
	const struct ticket_link *link = NULL;
	(void) args;
	TRY(find_ticket(e, &ticket, &link));
	call_set_answer_header(e->call, "ETag", tmf_version(e, ticket));
	return tmf_write_ticket(e, w, ticket, tmf_query_value(e, "fields"));
}

static RESULT read_number(struct tmf_call *e, const char *name, int64_t absent, int64_t max, int64_t *ret)
{
	struct str text = tmf_query_value(e, name);
	*ret = absent;
	if (!text.n || (result_is_ok(str_parse_int(text, ret)) && *ret >= 0))
		*ret = *ret > max ? max : *ret;
	else
		return ctx_fail_field(e->c, ERR_INVALID, str_from(name), "%s is a number from 0 on.", name);
	return OK;
}

/* Filters by an attribute: status, severity, externalId. */
static bool fits(struct tmf_call *e, const struct support_ticket *ticket, const struct ticket_link *l)
{
	struct str status = tmf_query_value(e, "status"), severity = tmf_query_value(e, "severity");
	struct str foreign = tmf_query_value(e, "externalId");
	enum ticket_state state = engine_get_ticket_state(tmf_tables(e), ticket, NULL);
	return (!status.n || str_is(status, tmf_states[state])) &&
	       (!severity.n || str_is(severity, support_ticket_severity_words[ticket->severity])) &&
	       (!foreign.n || str_equal(foreign, l->foreign_id));
}

static RESULT answer_list(struct tmf_call *e, const void *args, struct json_writer *w)
{
	int64_t offset = 0, limit = 0, total = 0, shown = 0;
	const struct tables *t = tmf_tables(e);
	(void) args;
	TRY(read_number(e, "offset", 0, INT64_MAX, &offset));
	TRY(read_number(e, "limit", PAGE_MAX, PAGE_MAX, &limit));
	json_write_open_list(w, NULL);
	for (const struct ticket_link *l = ticket_link_first_by_desk(t, e->desk); l;
	     l = ticket_link_next_by_desk(t, l)) {
		const struct support_ticket *ticket = support_ticket_find(t, l->ticket);
		if (!ticket || !fits(e, ticket, l))
			continue;
		if (total++ >= offset && shown < limit) {
			TRY(tmf_write_ticket(e, w, ticket, tmf_query_value(e, "fields")));
			shown++;
		}
	}
	json_write_close_list(w);
	call_set_answer_header(e->call, "X-Total-Count", str_print(e->c->arena, "%" PRId64, total));
	call_set_answer_header(e->call, "X-Result-Count", str_print(e->c->arena, "%" PRId64, shown));
	e->status = shown < total ? 206 : 200;
	return OK;
}

/* ---- request bodies ---- */

static struct str text_of(struct tmf_call *e, const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);
	return json_is_string(value) ? str_copy(e->c->arena, (struct str){json_string_value(value),
									  json_string_length(value)})
				     : STR_NONE;
}

/* True for a note that Dari sent to the desk. The engine recognizes notes that the desk sent before by their ids. */
static bool is_known_note(struct tmf_call *e, uuid ticket, struct str id)
{
	const struct tables *t = tmf_tables(e);
	uuid message;
	const struct ticket_message *m =
		result_is_ok(uuid_parse_asked(id, &message)) ? ticket_message_find(t, message) : NULL;
	return m && uuid_equal(m->ticket, ticket);
}

static struct desk_item read_note(struct tmf_call *e, const json_t *note)
{
	struct str id = text_of(e, note, "id");
	struct desk_item item = {.origin = str_cut(id.n ? id : uuid_to_str(e->c->arena, uuid_random()), 255),
				 .author = text_of(e, note, "author"),
				 .body = text_of(e, note, "text")};
	if (!result_is_ok(clock_parse(text_of(e, note, "date"), &item.told_us)))
		item.told_us = 0;
	return item;
}

/* ticket: none for a new ticket. */
static RESULT read_notes(struct tmf_call *e, uuid ticket, struct link_report *report)
{
	const json_t *list = json_object_get(e->body, "note");
	struct desk_item *items = arena_new_array(e->c->arena, struct desk_item, NOTES_MAX);
	if (!items)
		return ctx_no_memory(e->c);
	if (list && (!json_is_array(list) || json_array_size(list) > NOTES_MAX))
		return ctx_fail_field(e->c, ERR_INVALID, STR("note"), "note is a list of up to %d notes.",
				      NOTES_MAX);
	for (size_t k = 0; k < json_array_size(list); k++) {
		struct desk_item item = read_note(e, json_array_get(list, k));
		bool is_known = !uuid_is_none(ticket) && is_known_note(e, ticket, item.origin);
		if (item.body.n && !is_known)
			items[report->item_count++] = item;
	}
	report->items = items;
	return OK;
}

static RESULT read_report(struct tmf_call *e, uuid ticket, struct str document, struct link_report *report)
{
	struct str status = text_of(e, e->body, "status"), severity = text_of(e, e->body, "severity");
	enum support_ticket_severity rated;
	if (status.n && !tmf_read_state(status, &report->state))
		return ctx_fail_field(e->c, ERR_INVALID, STR("status"), "%" STR_FMT " is no status.",
				      STR_ARG(str_cut(status, 64)));
	report->has_state = status.n > 0;
	report->foreign_state = str_cut(status, 64);
	report->has_severity = tmf_read_severity(severity, &rated);
	if (report->has_severity)
		report->severity = (enum ticket_link_severity) rated;
	report->document_was = str_copy(e->c->arena, document);
	TRY(tmf_merge_document(e, document, &report->document));
	report->has_document = !str_equal(report->document, report->document_was);
	return read_notes(e, ticket, report);
}

/* ---- opening ---- */

struct open_args {
	struct ticket_wish wish;
};

static RESULT require(struct tmf_call *e, const char *name, struct str value)
{
	return value.n ? OK
		       : ctx_fail_field(e->c, ERR_MISSING, str_from(name), "The attribute %s is mandatory.",
					name);
}

static struct str foreign_id_of(struct tmf_call *e)
{
	const json_t *list = json_object_get(e->body, "externalIdentifier");
	struct str id = text_of(e, e->body, "externalId");
	return id.n ? id : text_of(e, json_array_get(list, 0), "id");
}

static RESULT read_resources(struct tmf_call *e, struct ticket_wish *wish)
{
	const json_t *list = json_object_get(e->body, "relatedEntity");
	VEC(struct str) ids = {0};
	for (size_t k = 0; k < json_array_size(list) && k < TICKET_RESOURCES_MAX; k++) {
		const json_t *one = json_array_get(list, k), *entity = json_object_get(one, "entity");
		struct str id = text_of(e, entity ? entity : one, "id");
		if (id.n && !VEC_PUSH(e->c->arena, &ids, id))
			return ctx_no_memory(e->c);
	}
	wish->resources = (struct strs){ids.at, ids.count};
	return OK;
}

/* The beginning of the first line that has a word: what a ticket without a name is called. */
static struct str begin_of(struct str description)
{
	struct str rest = str_trim(description), line = STR_NONE;
	(void) str_split_next(&rest, '\n', &line);
	return str_trim(str_cut(line, SUBJECT_MADE_MAX));
}

static RESULT prepare_open(struct tmf_call *e, void *args)
{
	struct ticket_wish *wish = &((struct open_args *) args)->wish;
	struct str severity = text_of(e, e->body, "severity"), type = text_of(e, e->body, "ticketType");
	if (uuid_is_none(e->c->who->account))
		return ctx_fail(e->c, ERR_DENIED, "This desk opens no tickets here.");
	wish->body = text_of(e, e->body, "description");
	TRY(require(e, "description", wish->body));
	TRY(require(e, "severity", severity));
	TRY(require(e, "ticketType", type));
	wish->subject = text_of(e, e->body, "name");
	if (!wish->subject.n)
		wish->subject = begin_of(wish->body);
	wish->severity = SUPPORT_TICKET_SEVERITY_NORMAL;
	(void) tmf_read_severity(severity, &wish->severity);
	wish->author = e->desk_name;
	wish->desk = e->desk;
	wish->foreign_id = foreign_id_of(e);
	wish->said = arena_new_object(e->c->arena, struct link_report);
	if (!wish->said)
		return ctx_no_memory(e->c);
	TRY(read_report(e, UUID_NONE, STR_NONE, wish->said));
	return read_resources(e, wish);
}

static RESULT answer_open(struct tmf_call *e, const void *args, struct json_writer *w)
{
	const struct open_args *a = args;
	const struct row *row = NULL;
	TRY(tmf_find_returned(e, a->wish.ticket, &row));
	call_set_answer_header(e->call, "ETag", tmf_version(e, support_ticket_of(row)));
	e->status = 201;
	return tmf_write_ticket(e, w, support_ticket_of(row), STR_NONE);
}

/* ---- patching ---- */

struct patch_args {
	struct link_report wish;
	uuid ticket;
};

static RESULT check_version(struct tmf_call *e, const struct support_ticket *ticket)
{
	struct str said = call_header(e->call, "If-Match");
	if (!said.n || str_equal(said, tmf_version(e, ticket)) || str_is(said, "*"))
		return OK;
	return ctx_fail(e->c, ERR_CONFLICT, "The trouble ticket has changed meanwhile.");
}

/* Refuses changes of a stopped link: a success would tell the desk that its note was stored. */
static RESULT check_goes(struct tmf_call *e, const struct ticket_link *link)
{
	return link && link->is_stopped
		       ? ctx_fail(e->c, ERR_STATE,
				  "Too many notes came within a minute: the operator has to resume the "
				  "exchange with this desk.")
		       : OK;
}

static RESULT prepare_patch(struct tmf_call *e, void *args)
{
	struct patch_args *a = args;
	const struct support_ticket *ticket = NULL;
	const struct ticket_link *link = NULL;
	TRY(find_ticket(e, &ticket, &link));
	TRY(check_goes(e, link));
	TRY(check_version(e, ticket));
	a->ticket = ticket->row.id;
	a->wish.link = link->row.id;
	TRY(read_report(e, a->ticket, link->document, &a->wish));
	view_close(&e->view);
	e->view = (struct view){0};
	return OK;
}

static RESULT answer_patch(struct tmf_call *e, const void *args, struct json_writer *w)
{
	const struct patch_args *a = args;
	const struct support_ticket *ticket = support_ticket_find(tmf_tables(e), a->ticket);
	if (!ticket)
		return fail_absent(e, tmf_path_value(e, "id"));
	TRY(check_goes(e, tmf_find_link(tmf_tables(e), a->ticket, e->desk)));
	call_set_answer_header(e->call, "ETag", tmf_version(e, ticket));
	return tmf_write_ticket(e, w, ticket, STR_NONE);
}

/* DELETE: the desk that has opened it takes it back. */
static RESULT prepare_delete(struct tmf_call *e, void *args)
{
	struct patch_args *a = args;
	const struct support_ticket *ticket = NULL;
	const struct ticket_link *link = NULL;
	TRY(find_ticket(e, &ticket, &link));
	if (!link->is_theirs)
		return ctx_fail(e->c, ERR_DENIED, "A desk deletes only what it has opened.");
	a->wish.link = link->row.id;
	a->wish.has_state = true;
	a->wish.state = TICKET_CANCELLED;
	view_close(&e->view);
	e->view = (struct view){0};
	return OK;
}

static const struct tmf_action rows[] = {
	{HTTP_GET, "troubleTicket", .name = "listTroubleTicket", .permit = "support:DescribeCases",
	 .flags = API_FOR_ALL, .doc = "Lists the tickets that the desk is linked with.",
	 .answer = answer_list},
	{HTTP_GET, "troubleTicket/{id}", .name = "retrieveTroubleTicket", .permit = "support:DescribeCases",
	 .flags = API_FOR_ALL, .doc = "Shows one ticket.", .answer = answer_one},
	{HTTP_POST, "troubleTicket", .name = "createTroubleTicket", .permit = "support:CreateCase",
	 .flags = API_WRITES | API_FOR_ALL, .args = {.size = sizeof(struct open_args)},
	 .operation = engine_open_ticket_run, .returns = KIND_SUPPORT_TICKET,
	 .doc = "Opens a ticket for the account that the desk opens tickets for.", .prepare = prepare_open,
	 .answer = answer_open},
	{HTTP_PATCH, "troubleTicket/{id}", .name = "patchTroubleTicket", .permit = "support:WorkOnCase",
	 .flags = API_WRITES | API_FOR_ALL, .args = {.size = sizeof(struct patch_args)},
	 .operation = engine_see_link_run, .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Changes the state and severity of a ticket, and adds notes.", .prepare = prepare_patch,
	 .answer = answer_patch},
	{HTTP_DELETE, "troubleTicket/{id}", .name = "deleteTroubleTicket", .permit = "support:WorkOnCase",
	 .flags = API_WRITES | API_FOR_ALL, .args = {.size = sizeof(struct patch_args)},
	 .operation = engine_see_link_run, .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Cancels a ticket that the desk has opened.", .prepare = prepare_delete},
};
const struct api_actions tmf_ticket_actions = API_ACTIONS(rows);
