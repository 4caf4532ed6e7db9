/* SPDX-License-Identifier: Apache-2.0
 * A desk that speaks TM Forum's Trouble Ticket API, version 4 or 5 (option version), with this driver as the
 * client. Also part of the generic webhook: a desk that receives events and answers by calls to our own
 * TMF621 (api/tmf/). Sources: TMF621_Trouble_Ticket-v4.0.0.swagger.json,
 * TMF621-Trouble_Ticket-v5.0.1.oas.yaml. Our key goes into externalId, comments into notes; a note is found
 * again by its id, which is ours. By merge-patch rules, a PATCH of `note` replaces the array; by common
 * practice it contains only new notes. Sending all existing notes followed by the new one means the same to
 * both.
 *
 * Options: version (4 or 5), base (of its paths; /tmf-api/troubleTicket/vN). */
#include <inttypes.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/vec.h"
#include "drivers/desk/http.h"

enum { FILE_MAX = 5 << 20, CHANGED_MAX = 2000, PAGE = 100 };

static const struct desk_word states[] = {
	{"acknowledged", TICKET_NEW},  {"inProgress", TICKET_WORKING},  {"pending", TICKET_WAITING},
	{"held", TICKET_HELD},         {"resolved", TICKET_RESOLVED},   {"closed", TICKET_CLOSED},
	{"rejected", TICKET_REJECTED}, {"cancelled", TICKET_CANCELLED}, {NULL, TICKET_NEW},
};
static const char *const severities[] = {"low", "normal", "high", "urgent", "critical"};

static bool is_v5(const struct desk_place *place)
{
	return str_is(desk_option(place, "version"), "5");
}

static struct str path_of(struct ctx *c, const struct desk_place *place, struct str rest)
{
	struct str base = desk_option(place, "base");
	if (base.n)
		return str_print(c->arena, "%" STR_FMT "/troubleTicket%" STR_FMT, STR_ARG(base),
				 STR_ARG(rest));
	return str_print(c->arena, "/tmf-api/troubleTicket/%s/troubleTicket%" STR_FMT,
			 is_v5(place) ? "v5" : "v4", STR_ARG(rest));
}

static RESULT get(struct ctx *c, struct desk_place *place, struct str rest, struct desk_answer *answer,
		  json_t **ret_json)
{
	const struct desk_request r = {
		.method = "GET", .path = path_of(c, place, rest), .cap_size = DESK_LIST_CAP};
	return desk_call_json(c, place, &r, answer, ret_json);
}

static RESULT get_one(struct ctx *c, struct desk_place *place, struct str id, struct desk_answer *answer,
		      json_t **ret_json)
{
	return get(c, place, str_print(c->arena, "/%" STR_FMT, STR_ARG(str_encode_url(c->arena, id, false))),
		   answer, ret_json);
}

static struct str foreign_of(struct ctx *c, const json_t *ticket)
{
	struct str id = desk_text(c, ticket, "externalId");
	return id.n ? id
		    : desk_text(c, json_array_get(json_object_get(ticket, "externalIdentifier"), 0), "id");
}

/* ---- making ---- */

/* Filters are optional in the specification, and unsupported ones are ignored, so results are checked. */
static RESULT find(struct ctx *c, struct desk_place *place, struct str key, json_t **ret_ticket)
{
	struct desk_answer answer;
	for (int64_t offset = 0;; offset += PAGE) {
		AUTO_JSON list = NULL;
		struct str rest = str_print(c->arena, "?externalId=%" STR_FMT "&offset=%" PRId64 "&limit=%d",
					    STR_ARG(str_encode_url(c->arena, key, false)), offset, PAGE);
		TRY(get(c, place, rest, &answer, &list));
		for (size_t k = 0; k < json_array_size(list); k++)
			if (str_equal(foreign_of(c, json_array_get(list, k)), key)) {
				*ret_ticket = json_incref(json_array_get(list, k));
				return OK;
			}
		if (json_array_size(list) < PAGE || offset > PAGE * PAGE)
			return OK;
	}
}

static void write_key(struct json_writer *w, const struct desk_place *place, struct str key)
{
	if (!is_v5(place)) {
		json_write_text(w, "externalId", key);
		return;
	}
	json_write_open_list(w, "externalIdentifier");
	json_write_open(w, NULL);
	json_write_text(w, "id", key);
	json_write_z(w, "owner", "dari");
	json_write_z(w, "externalIdentifierType", "troubleTicket");
	json_write_z(w, "@type", "ExternalIdentifier");
	json_write_close(w);
	json_write_close_list(w);
}

static RESULT send_json(struct ctx *c, struct desk_place *place, const char *method, const char *type,
			struct str path, struct buf *body, const char *header, json_t **ret_json)
{
	struct desk_answer answer;
	struct desk_request r = {.method = method,
				 .path = path,
				 .media_type = type,
				 .body = str_copy(c->arena, buf_str(body)),
				 .headers = {header},
				 .cap_size = DESK_LIST_CAP,
				 .takes_412 = true};
	buf_done(body);
	TRY(desk_call_json(c, place, &r, &answer, ret_json));
	return answer.status == 412 ? ctx_fail(c, ERR_AGAIN, "the ticket changed there meanwhile") : OK;
}

static RESULT make(struct ctx *c, struct desk_place *place, const struct desk_ticket *t,
		   struct desk_made *ret_made)
{
	AUTO_JSON ticket = NULL;
	TRY(find(c, place, t->id, &ticket));
	if (!ticket) {
		struct buf body;
		struct json_writer w;
		buf_init(&body, DESK_LIST_CAP);
		json_write_begin(&w, &body);
		json_write_open(&w, NULL);
		json_write_text(&w, "name", t->subject);
		json_write_text(&w, "description", t->body);
		json_write_z(&w, "severity", severities[t->severity]);
		json_write_z(&w, "ticketType", "technical");
		write_key(&w, place, t->id);
		json_write_z(&w, "@type", "TroubleTicket");
		json_write_close(&w);
		TRY(json_write_end(&w));
		TRY(send_json(c, place, "POST", "application/json", path_of(c, place, STR_NONE), &body, NULL,
			      &ticket));
	}
	ret_made->id = ret_made->number = desk_text(c, ticket, "id");
	ret_made->url = desk_text(c, ticket, "href");
	return ret_made->id.n ? OK : ctx_fail(c, ERR_INVALID, "the desk names no id of the ticket");
}

/* ---- looking ---- */

static RESULT add_news(struct ctx *c, const struct desk_place *place, const json_t *note, const json_t *known,
		       struct desk_news *news, size_t *count)
{
	struct str id = desk_text(c, note, "id"), author = desk_text(c, note, "author"),
		   text = desk_text(c, note, "text");
	(void) known;
	if (!id.n || str_starts_with(id, STR("dari-")) ||
	    (place->login.n && str_equal_nocase(author, place->login)))
		return OK;
	news[*count] = (struct desk_news){.origin = id, .author = author, .body = desk_clean_text(c, text)};
	IGNORE(clock_parse(desk_text(c, note, "date"), &news[*count].told_us));
	(*count)++;
	return OK;
}

static RESULT look(struct ctx *c, struct desk_place *place, struct str id, struct str read_to,
		   struct desk_view *ret_view)
{
	struct desk_answer answer;
	AUTO_JSON ticket = NULL;
	size_t count = 0;
	(void) read_to;
	TRY(get_one(c, place, id, &answer, &ticket));
	const json_t *notes = json_object_get(ticket, "note");
	struct desk_news *news = arena_new_array(c->arena, struct desk_news, json_array_size(notes) + 1);
	if (!news)
		return ctx_no_memory(c);
	for (size_t k = 0; k < json_array_size(notes); k++)
		TRY(add_news(c, place, json_array_get(notes, k), notes, news, &count));
	struct str severity = desk_text(c, ticket, "severity");
	for (int k = 0; k < 5; k++)
		if (str_equal_nocase(severity, str_from(severities[k]))) {
			ret_view->has_severity = true;
			ret_view->severity = (enum ticket_link_severity) k;
		}
	ret_view->state = desk_text(c, ticket, "status");
	ret_view->version = answer.etag.n ? answer.etag : desk_text(c, ticket, "lastUpdate");
	ret_view->is_state_known = desk_read_state(place, states, ret_view->state, &ret_view->means);
	ret_view->news = news;
	ret_view->news_count = count;
	return OK;
}

/* The specification has no sort by time: every ticket with lastUpdate at or after the cursor is listed. */
static RESULT poll(struct ctx *c, struct desk_place *place, struct str cursor,
		   struct desk_changes *ret_changes)
{
	VEC(struct str) ids = {0};
	struct str newest = cursor;
	bool more = true;
	for (int64_t offset = 0; more && offset < CHANGED_MAX; offset += PAGE) {
		struct desk_answer answer;
		AUTO_JSON list = NULL;
		TRY(get(c, place,
			str_print(c->arena, "?fields=id,lastUpdate&offset=%" PRId64 "&limit=%d", offset,
				  PAGE),
			&answer, &list));
		for (size_t k = 0; k < json_array_size(list); k++) {
			struct str at = desk_text(c, json_array_get(list, k), "lastUpdate");
			struct str id = desk_text(c, json_array_get(list, k), "id");
			if (at.n && str_compare(at, newest) > 0)
				newest = at;
			if ((!at.n || str_compare(at, cursor) >= 0) && !VEC_PUSH(c->arena, &ids, id))
				return ctx_no_memory(c);
		}
		more = json_array_size(list) == PAGE;
	}
	ret_changes->cursor = newest;
	ret_changes->ids = (struct strs){ids.at, ids.count};
	return OK;
}

/* ---- saying ---- */

static struct str note_id(struct ctx *c, uuid id)
{
	return str_print(c->arena, "dari-%" STR_FMT, STR_ARG(uuid_to_str(c->arena, id)));
}

static bool has_note(struct ctx *c, const json_t *ticket, struct str id, struct str marker)
{
	const json_t *notes = json_object_get(ticket, "note");
	for (size_t k = 0; k < json_array_size(notes); k++)
		if (str_equal(desk_text(c, json_array_get(notes, k), "id"), id) ||
		    str_contains(desk_text(c, json_array_get(notes, k), "text"), marker))
			return true;
	return false;
}

static int add_piece(const char *bytes, size_t size, void *body)
{
	buf_add(body, bytes, size);
	return 0;
}

static RESULT patch(struct ctx *c, struct desk_place *place, struct str id, const struct desk_answer *before,
		    const json_t *change)
{
	AUTO_JSON answer = NULL;
	struct buf body;
	const char *header = before->etag.n ? str_to_z(c->arena, str_print(c->arena, "If-Match: %" STR_FMT,
									   STR_ARG(before->etag)))
					    : NULL;
	buf_init(&body, DESK_LIST_CAP);
	if (json_dump_callback(change, add_piece, &body, JSON_COMPACT) != 0)
		body.failed = true;
	struct str rest = str_print(c->arena, "/%" STR_FMT, STR_ARG(str_encode_url(c->arena, id, false)));
	return send_json(c, place, "PATCH", "application/merge-patch+json", path_of(c, place, rest), &body,
			 header, &answer);
}

static RESULT say(struct ctx *c, struct desk_place *place, struct str id, const struct desk_message *m,
		  struct str *ret_origin)
{
	struct desk_answer before;
	AUTO_JSON ticket = NULL;
	char now[CLOCK_TEXT_SIZE];
	struct str key = note_id(c, m->id), marker = desk_marker(c, m->id);
	TRY(get_one(c, place, id, &before, &ticket));
	*ret_origin = key;
	if (has_note(c, ticket, key, marker))
		return OK;
	struct str text = str_print(c->arena, "%" STR_FMT "\n\n%" STR_FMT, STR_ARG(m->body), STR_ARG(marker));
	const json_t *notes = json_object_get(ticket, "note");
	AUTO_JSON all = json_is_array(notes) ? json_copy((json_t *) notes) : json_array();
	AUTO_JSON change = json_object();
	(void) json_array_append_new(all,
				     json_pack("{s:s%, s:s%, s:s, s:s%}", "id", key.p, key.n, "author",
					       m->author.p ? m->author.p : "", m->author.n, "date",
					       clock_write_ms(clock_now_us(), now), "text", text.p, text.n));
	(void) json_object_set(change, "note", all);
	return patch(c, place, id, &before, change);
}

static RESULT attach(struct ctx *c, struct desk_place *place, struct str id, const struct desk_file *f,
		     struct str *ret_origin)
{
	struct desk_answer before;
	AUTO_JSON ticket = NULL;
	struct str key = note_id(c, f->id), content = str_encode_base64(c->arena, f->content);
	TRY(get_one(c, place, id, &before, &ticket));
	*ret_origin = key;
	const json_t *files = json_object_get(ticket, "attachment");
	for (size_t k = 0; k < json_array_size(files); k++)
		if (str_equal(desk_text(c, json_array_get(files, k), "id"), key))
			return OK;
	AUTO_JSON all = json_is_array(files) ? json_copy((json_t *) files) : json_array();
	AUTO_JSON change = json_object();
	(void) json_array_append_new(all, json_pack("{s:s%, s:s%, s:s%, s:s%, s:{s:I, s:s}}", "id", key.p,
						    key.n, "name", f->name.p, f->name.n, "mimeType",
						    f->media_type.p, f->media_type.n, "content",
						    content.p ? content.p : "", content.n, "size", "amount",
						    (json_int_t) f->content.n, "units", "byte"));
	(void) json_object_set(change, "attachment", all);
	return patch(c, place, id, &before, change);
}

static RESULT fetch(struct ctx *c, struct desk_place *place, struct str id, struct str file_id,
		    struct str *ret_content)
{
	(void) place;
	(void) id;
	(void) file_id;
	(void) ret_content;
	return ctx_fail(c, ERR_NOT_FOUND, "a trouble ticket's files come with it");
}

static RESULT move(struct ctx *c, struct desk_place *place, struct str id, enum ticket_state state)
{
	struct desk_answer before;
	AUTO_JSON ticket = NULL;
	enum ticket_state is;
	TRY(get_one(c, place, id, &before, &ticket));
	if (desk_read_state(place, states, desk_text(c, ticket, "status"), &is) &&
	    ticket_is_over(is) == ticket_is_over(state))
		return OK;
	const char *word = ticket_is_over(state) ? "resolved" : "inProgress";
	AUTO_JSON change = json_pack("{s:s, s:s}", "status", word, "statusChangeReason", "as it is at Dari");
	return patch(c, place, id, &before, change);
}

static RESULT rate(struct ctx *c, struct desk_place *place, struct str id, enum ticket_link_severity severity)
{
	struct desk_answer before;
	AUTO_JSON ticket = NULL;
	TRY(get_one(c, place, id, &before, &ticket));
	if (str_is(desk_text(c, ticket, "severity"), severities[severity]))
		return OK;
	AUTO_JSON change = json_pack("{s:s}", "severity", severities[severity]);
	return patch(c, place, id, &before, change);
}

const struct desk_driver desk_tmf621 = {
	.name = "tmf621",
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
