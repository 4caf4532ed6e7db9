/* SPDX-License-Identifier: Apache-2.0
 * Writes a ticket as TMF621's resource. Versions 4 and 5 use different names for the same members. */
#include <inttypes.h>

#include "api/tmf/internal.h"
#include "base/clock.h"
#include "store/support_ticket.h"
#include "store/ticket_attachment.h"
#include "store/ticket_link.h"
#include "store/ticket_message.h"

const char *const tmf_states[TICKET_STATES] = {
	[TICKET_NEW] = "acknowledged",  [TICKET_WORKING] = "inProgress",  [TICKET_WAITING] = "pending",
	[TICKET_HELD] = "held",         [TICKET_RESOLVED] = "resolved",   [TICKET_CLOSED] = "closed",
	[TICKET_REJECTED] = "rejected", [TICKET_CANCELLED] = "cancelled",
};

bool tmf_read_state(struct str word, enum ticket_state *ret_state)
{
	for (int k = 0; k < TICKET_STATES; k++)
		if (str_equal_nocase(word, str_from(tmf_states[k]))) {
			*ret_state = (enum ticket_state) k;
			return true;
		}
	return false;
}

bool tmf_read_severity(struct str word, enum support_ticket_severity *ret_severity)
{
	static const struct {
		const char *word;
		enum support_ticket_severity means;
	} words[] = {
		{"low", SUPPORT_TICKET_SEVERITY_LOW},          {"minor", SUPPORT_TICKET_SEVERITY_LOW},
		{"normal", SUPPORT_TICKET_SEVERITY_NORMAL},    {"medium", SUPPORT_TICKET_SEVERITY_NORMAL},
		{"moderate", SUPPORT_TICKET_SEVERITY_NORMAL},  {"high", SUPPORT_TICKET_SEVERITY_HIGH},
		{"major", SUPPORT_TICKET_SEVERITY_HIGH},       {"urgent", SUPPORT_TICKET_SEVERITY_URGENT},
		{"critical", SUPPORT_TICKET_SEVERITY_CRITICAL}};
	for (size_t k = 0; k < sizeof words / sizeof words[0]; k++)
		if (str_equal_nocase(word, str_from(words[k].word))) {
			*ret_severity = words[k].means;
			return true;
		}
	return false;
}

const struct ticket_link *tmf_find_link(const struct tables *t, uuid ticket, uuid desk)
{
	const struct ticket_link *l = ticket_link_first_by_ticket(t, ticket);
	while (l && !uuid_equal(l->desk, desk))
		l = ticket_link_next_by_ticket(t, l);
	return l;
}

struct str tmf_version(struct tmf_call *e, const struct support_ticket *ticket)
{
	const struct ticket_link *l = tmf_find_link(tmf_tables(e), ticket->row.id, e->desk);
	return str_print(e->c->arena, "\"%" PRIu64 "-%" PRId64 "-%" PRIu64 "\"", (uint64_t) ticket->row.gen,
			 ticket->last_message, l ? (uint64_t) l->row.gen : 0);
}

/* ---- members ---- */

static bool is_asked(struct str fields, const char *name)
{
	struct str one;
	bool any = fields.n > 0;
	while (str_split_next(&fields, ',', &one))
		if (str_is(str_trim(one), name))
			return true;
	return !any;
}

static void write_time(struct json_writer *w, const char *name, int64_t time_us)
{
	char text[CLOCK_TEXT_SIZE];
	if (time_us)
		json_write_z(w, name, clock_write_ms(time_us, text));
}

/* Writes the notes; those that the desk reported have the desk's own ids and times. */
static void write_notes(struct tmf_call *e, struct json_writer *w, const struct support_ticket *ticket,
			const struct ticket_link *l)
{
	const struct tables *t = tmf_tables(e);
	json_write_open_list(w, "note");
	for (const struct ticket_message *m = ticket_message_first_by_ticket(t, ticket->row.id); m;
	     m = ticket_message_next_by_ticket(t, m)) {
		if (m->is_private || m->number == 1)
			continue;
		bool is_its = l && uuid_equal(m->link, l->row.id) && m->origin.n;
		json_write_open(w, NULL);
		json_write_text(w, "id", is_its ? m->origin : uuid_to_str(e->c->arena, m->row.id));
		json_write_text(w, "author", m->author);
		write_time(w, "date", m->told_us ? m->told_us : m->row.created_us);
		json_write_text(w, "text", m->body);
		if (e->is_v5)
			json_write_z(w, "@type", "Note");
		json_write_close(w);
	}
	json_write_close_list(w);
}

/* Writes the attachments: files that Dari has, then those that the desk's document names. */
static RESULT write_files(struct tmf_call *e, struct json_writer *w, const struct support_ticket *ticket,
			  const json_t *named)
{
	const struct tables *t = tmf_tables(e);
	json_write_open_list(w, "attachment");
	for (const struct ticket_attachment *a = ticket_attachment_first_by_ticket(t, ticket->row.id); a;
	     a = ticket_attachment_next_by_ticket(t, a)) {
		if (a->is_private)
			continue;
		json_write_open(w, NULL);
		json_write_text(w, "id", uuid_to_str(e->c->arena, a->row.id));
		json_write_text(w, "name", a->name);
		json_write_text(w, "mimeType", a->media_type);
		json_write_open(w, "size");
		json_write_int(w, "amount", a->size);
		json_write_z(w, "units", "byte");
		json_write_close(w);
		if (e->is_v5)
			json_write_z(w, "@type", "Attachment");
		json_write_close(w);
	}
	for (size_t k = 0; k < json_array_size(named); k++)
		TRY(tmf_write_member(e, w, NULL, json_array_get(named, k)));
	json_write_close_list(w);
	return OK;
}

static void write_foreign(struct tmf_call *e, struct json_writer *w, struct str id)
{
	if (!id.n)
		return;
	if (!e->is_v5) {
		json_write_text(w, "externalId", id);
		return;
	}
	json_write_open_list(w, "externalIdentifier");
	json_write_open(w, NULL);
	json_write_text(w, "id", id);
	json_write_text(w, "owner", e->desk_name);
	json_write_z(w, "externalIdentifierType", "troubleTicket");
	json_write_z(w, "@type", "ExternalIdentifier");
	json_write_close(w);
	json_write_close_list(w);
}

static void write_resources(struct tmf_call *e, struct json_writer *w, struct strs resources)
{
	json_write_open_list(w, "relatedEntity");
	for (size_t k = 0; k < resources.count; k++) {
		json_write_open(w, NULL);
		json_write_z(w, "role", "affected");
		if (e->is_v5)
			json_write_open(w, "entity");
		json_write_text(w, "id", resources.at[k]);
		json_write_z(w, "@referredType", "Resource");
		if (e->is_v5) {
			json_write_close(w);
			json_write_z(w, "@type", "RelatedEntity");
		}
		json_write_close(w);
	}
	json_write_close_list(w);
}

static struct str first_body(const struct tables *t, uuid ticket)
{
	const struct ticket_message *m = ticket_message_first_by_ticket(t, ticket);
	return m && !m->is_private ? m->body : STR_NONE;
}

static void write_texts(struct tmf_call *e, struct json_writer *w, const struct support_ticket *ticket,
			struct str fields)
{
	enum ticket_state state = engine_get_ticket_state(tmf_tables(e), ticket, NULL);
	if (is_asked(fields, "name"))
		json_write_text(w, "name", ticket->subject);
	if (is_asked(fields, "description"))
		json_write_text(w, "description", first_body(tmf_tables(e), ticket->row.id));
	if (is_asked(fields, "status"))
		json_write_z(w, "status", tmf_states[state]);
	if (is_asked(fields, "statusChangeDate"))
		write_time(w, "statusChangeDate", ticket->state_us);
	if (is_asked(fields, "creationDate"))
		write_time(w, "creationDate", ticket->row.created_us);
	if (is_asked(fields, "lastUpdate"))
		write_time(w, "lastUpdate", ticket->row.updated_us);
	if (is_asked(fields, "resolutionDate"))
		write_time(w, "resolutionDate", ticket->resolved_us);
}

/* Members that Dari writes where the desk has said nothing else. */
static void write_ours(struct tmf_call *e, struct json_writer *w, const struct support_ticket *ticket,
		       const json_t *document, struct str fields)
{
	if (!json_object_get(document, "severity") && is_asked(fields, "severity"))
		json_write_z(w, "severity", support_ticket_severity_words[ticket->severity]);
	if (!json_object_get(document, "ticketType") && is_asked(fields, "ticketType"))
		json_write_z(w, "ticketType", support_ticket_about_words[ticket->about]);
	if (!json_object_get(document, "relatedEntity") && is_asked(fields, "relatedEntity") &&
	    ticket->resources.count)
		write_resources(e, w, ticket->resources);
}

static RESULT write_document(struct tmf_call *e, struct json_writer *w, const struct support_ticket *ticket,
			     json_t *document, struct str fields)
{
	const char *name;
	json_t *value;
	write_ours(e, w, ticket, document, fields);
	if (is_asked(fields, "attachment"))
		TRY(write_files(e, w, ticket, json_object_get(document, "attachment")));
	json_object_foreach (document, name, value)
		if (strcmp(name, "attachment") != 0 && is_asked(fields, name))
			TRY(tmf_write_member(e, w, name, value));
	return OK;
}

RESULT tmf_write_ticket(struct tmf_call *e, struct json_writer *w, const struct support_ticket *ticket,
			struct str fields)
{
	const struct ticket_link *l = tmf_find_link(tmf_tables(e), ticket->row.id, e->desk);
	struct str id = id_to_ec2(e->c->arena, KIND_SUPPORT_TICKET, ticket->row.id);
	json_t *document = tmf_load_document(l ? l->document : STR_NONE);
	if (!document)
		return ctx_no_memory(e->c);
	json_write_open(w, NULL);
	json_write_text(w, "id",
			id); /* id and href are always shown, whatever fields are selected (TMF630, part 1) */
	json_write_text(w, "href",
			str_print(e->c->arena,
				  "%" STR_FMT "/tmf-api/troubleTicket/%s/troubleTicket/%" STR_FMT,
				  STR_ARG(api_base_url(&e->core)), e->is_v5 ? "v5" : "v4", STR_ARG(id)));
	write_texts(e, w, ticket, fields);
	if (is_asked(fields, e->is_v5 ? "externalIdentifier" : "externalId"))
		write_foreign(e, w, l ? l->foreign_id : STR_NONE);
	if (is_asked(fields, "note"))
		write_notes(e, w, ticket, l);
	struct result result = write_document(e, w, ticket, document, fields);
	json_decref(document);
	json_write_z(w, "@type", "TroubleTicket");
	json_write_close(w);
	return result;
}
