/* SPDX-License-Identifier: Apache-2.0
 * A desk that receives events and answers by calls to our own TMF621 (api/tmf/): for any system with an
 * automation of its own. Events are TMF621's, POSTed to its URL and signed (drivers/desk_signature.h). Events
 * that create a ticket, a message or a file keep their eventId when repeated, so the receiver can deduplicate
 * them; state and severity are idempotent. Such a desk is never polled.
 *
 * A desk may answer a creation event with {"id": "…"}: its own name for the ticket, shown to people. */
#include "base/clock.h"
#include "base/crypto.h"
#include "drivers/desk/http.h"
#include "drivers/desk_signature.h"

enum { FILE_MAX = 5 << 20 };

static const char *const severities[] = {"low", "normal", "high", "urgent", "critical"};
static const char *const states[] = {
	[TICKET_NEW] = "acknowledged",  [TICKET_WORKING] = "inProgress", [TICKET_WAITING] = "pending",
	[TICKET_HELD] = "held",         [TICKET_RESOLVED] = "resolved",  [TICKET_CLOSED] = "closed",
	[TICKET_REJECTED] = "rejected", [TICKET_CANCELLED] = "cancelled"};

static int add_piece(const char *bytes, size_t size, void *body)
{
	buf_add(body, bytes, size);
	return 0;
}

static struct str dump(struct ctx *c, const json_t *value)
{
	struct buf text;
	buf_init(&text, DESK_LIST_CAP);
	bool is_whole = json_dump_callback(value, add_piece, &text, JSON_COMPACT) == 0;
	struct str copy = is_whole ? str_copy(c->arena, buf_str(&text)) : STR_NONE;
	buf_done(&text);
	return copy;
}

/* Takes ownership of the ticket. path: its changed part; NULL: all. */
static RESULT tell(struct ctx *c, struct desk_place *place, const char *type, const char *path, struct str id,
		   json_t *ticket, json_t **ret_answer)
{
	char now[CLOCK_TEXT_SIZE];
	struct desk_answer answer;
	AUTO_JSON event = json_pack("{s:s%, s:s, s:s, s:{s:o}}", "eventId", id.p, id.n, "eventTime",
				    clock_write_ms(clock_now_us(), now), "eventType", type, "event",
				    "troubleTicket", ticket);
	if (event && path)
		(void) json_object_set_new(event, "fieldPath", json_string(path));
	struct desk_request r = {.method = "POST",
				 .path = STR_NONE,
				 .media_type = "application/json",
				 .body = event ? dump(c, event) : STR_NONE,
				 .is_signed = true};
	if (!r.body.p)
		return ctx_no_memory(c);
	TRY(desk_call(c, place, &r, &answer));
	*ret_answer = answer.body.n ? json_loadb(answer.body.p, answer.body.n, 0, NULL) : NULL;
	return OK;
}

static void set(json_t *object, const char *name, struct str value)
{
	(void) json_object_set_new(object, name, json_stringn(value.p ? value.p : "", value.n));
}

static RESULT make(struct ctx *c, struct desk_place *place, const struct desk_ticket *t,
		   struct desk_made *ret_made)
{
	AUTO_JSON answer = NULL;
	json_t *ticket = json_object();
	set(ticket, "id", t->id);
	set(ticket, "name", t->subject);
	set(ticket, "description", t->body);
	set(ticket, "severity", str_from(severities[t->severity]));
	set(ticket, "ticketType", STR("technical"));
	set(ticket, "status", str_from(states[t->state]));
	set(ticket, "@type", STR("TroubleTicket"));
	if (t->account.n)
		(void) json_object_set_new(
			ticket, "relatedParty",
			json_pack("[{s:s%, s:s}]", "id", t->account.p, t->account.n, "role", "customer"));
	if (t->resources.n)
		(void) json_object_set_new(
			ticket, "relatedEntity",
			json_pack("[{s:s%, s:s}]", "id", t->resources.p, t->resources.n, "role", "affected"));
	TRY(tell(c, place, "TroubleTicketCreateEvent", NULL, t->id, ticket, &answer));
	struct str number = desk_text(c, answer, "id");
	ret_made->id = t->id; /* used by our events and by its calls */
	ret_made->number = str_cut(number.n ? number : t->id, 64);
	ret_made->url = desk_text(c, answer, "href");
	return OK;
}

/* The desk identifies the ticket by our id, which its calls use. */
static json_t *part_of(struct str ticket, const char *name, json_t *value)
{
	return json_pack("{s:s%, s:o, s:s}", "id", ticket.p, ticket.n, name, value, "@type", "TroubleTicket");
}

static RESULT say(struct ctx *c, struct desk_place *place, struct str id, const struct desk_message *m,
		  struct str *ret_origin)
{
	AUTO_JSON answer = NULL;
	char now[CLOCK_TEXT_SIZE];
	struct str key = str_print(c->arena, "dari-%" STR_FMT, STR_ARG(uuid_to_str(c->arena, m->id)));
	json_t *notes =
		json_pack("[{s:s%, s:s%, s:s, s:s%}]", "id", key.p, key.n, "author",
			  m->author.p ? m->author.p : "", m->author.n, "date",
			  clock_write_ms(clock_now_us(), now), "text", m->body.p ? m->body.p : "", m->body.n);
	(void) id;
	*ret_origin = key;
	return tell(c, place, "TroubleTicketAttributeValueChangeEvent", "note", key,
		    part_of(m->ticket, "note", notes), &answer);
}

static RESULT attach(struct ctx *c, struct desk_place *place, struct str id, const struct desk_file *f,
		     struct str *ret_origin)
{
	AUTO_JSON answer = NULL;
	struct str key = str_print(c->arena, "dari-%" STR_FMT, STR_ARG(uuid_to_str(c->arena, f->id)));
	struct str content = str_encode_base64(c->arena, f->content);
	json_t *files = json_pack("[{s:s%, s:s%, s:s%, s:s%, s:{s:I, s:s}}]", "id", key.p, key.n, "name",
				  f->name.p, f->name.n, "mimeType", f->media_type.p, f->media_type.n,
				  "content", content.p ? content.p : "", content.n, "size", "amount",
				  (json_int_t) f->content.n, "units", "byte");
	(void) id;
	*ret_origin = key;
	return tell(c, place, "TroubleTicketAttributeValueChangeEvent", "attachment", key,
		    part_of(f->ticket, "attachment", files), &answer);
}

/* Every repetition has an id of its own. */
static struct str new_id(struct ctx *c)
{
	return str_print(c->arena, "dari-%" STR_FMT, STR_ARG(uuid_to_str(c->arena, uuid_random())));
}

static RESULT move(struct ctx *c, struct desk_place *place, struct str id, enum ticket_state state)
{
	AUTO_JSON answer = NULL;
	json_t *status = json_string(ticket_is_over(state) ? "resolved" : "inProgress");
	return tell(c, place, "TroubleTicketStatusChangeEvent", "status", new_id(c),
		    part_of(id, "status", status), &answer);
}

static RESULT rate(struct ctx *c, struct desk_place *place, struct str id, enum ticket_link_severity severity)
{
	AUTO_JSON answer = NULL;
	return tell(c, place, "TroubleTicketAttributeValueChangeEvent", "severity", new_id(c),
		    part_of(id, "severity", json_string(severities[severity])), &answer);
}

/* ---- what it tells comes by its own calls ---- */

static RESULT poll(struct ctx *c, struct desk_place *place, struct str cursor,
		   struct desk_changes *ret_changes)
{
	(void) c;
	(void) place;
	ret_changes->cursor = cursor;
	return OK;
}

static RESULT look(struct ctx *c, struct desk_place *place, struct str id, struct str read_to,
		   struct desk_view *ret_view)
{
	(void) c;
	(void) place;
	(void) id;
	ret_view->read_to = read_to;
	return OK;
}

static RESULT fetch(struct ctx *c, struct desk_place *place, struct str id, struct str file_id,
		    struct str *ret_content)
{
	(void) place;
	(void) id;
	(void) file_id;
	(void) ret_content;
	return ctx_fail(c, ERR_NOT_FOUND, "a webhook has no files");
}

const struct desk_driver desk_webhook = {
	.name = "webhook",
	.has_severity = true,
	.file_max = FILE_MAX,
	.poll = poll,
	.make = make,
	.look = look,
	.say = say,
	.attach = attach,
	.fetch = fetch,
	.move = move,
	.rate = rate,
};
