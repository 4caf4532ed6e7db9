/* SPDX-License-Identifier: Apache-2.0
 * Request Tracker 5 by REST2. Source: RT::REST2 (https://docs.bestpractical.com/rt/5.0.3/RT/REST2.html),
 * tested with 5.0.3. Surprises: a PUT with a status unknown to RT returns 200 and a text, so the result is
 * read back; a custom field missing from the queue is dropped silently, so it is read back too; /correspond
 * returns no id.
 *
 * Options: field (the custom field with our id; "Dari ticket"), auth=basic (the secret is a password), hold
 * (RT's status for "held"; stalled), state.WORD=STATE. A queue is identified by its name. Transactions with
 * ids up to OVERLAP below the cursor are fetched again, because ids may commit out of order on a busy
 * database. */
#include <inttypes.h>

#include "base/clock.h"
#include "base/vec.h"
#include "drivers/desk/http.h"

enum { PAGE = 100, PAGES_MAX = 50, OVERLAP = 50, FILE_MAX = 10 << 20, CHANGED_MAX = 5000 };

static const struct desk_word states[] = {
	{"new", TICKET_NEW},
	{"open", TICKET_WORKING},
	{"stalled", TICKET_HELD},
	{"resolved", TICKET_RESOLVED},
	{"rejected", TICKET_REJECTED},
	{"deleted", TICKET_CANCELLED},
	{NULL, TICKET_NEW},
};

static struct str field_of(const struct desk_place *place)
{
	struct str field = desk_option(place, "field");
	return field.n ? field : STR("Dari ticket");
}

static RESULT call(struct ctx *c, struct desk_place *place, struct desk_request *r,
		   struct desk_answer *answer, json_t **ret_json)
{
	r->is_basic = str_is(desk_option(place, "auth"), "basic");
	r->token_word = "token";
	r->path = str_print(c->arena, "/REST/2.0%" STR_FMT, STR_ARG(r->path));
	return desk_call_json(c, place, r, answer, ret_json);
}

static RESULT get(struct ctx *c, struct desk_place *place, struct str path, struct desk_answer *answer,
		  json_t **ret_json)
{
	struct desk_request r = {.method = "GET", .path = path, .cap_size = DESK_LIST_CAP};
	return call(c, place, &r, answer, ret_json);
}

static RESULT send_json(struct ctx *c, struct desk_place *place, const char *method, struct str path,
			struct buf *body, struct desk_answer *answer, json_t **ret_json)
{
	struct desk_request r = {.method = method,
				 .path = path,
				 .media_type = "application/json",
				 .body = str_copy(c->arena, buf_str(body))};
	buf_done(body);
	return call(c, place, &r, answer, ret_json);
}

static int64_t number_of(struct str text)
{
	int64_t value = 0;
	IGNORE(str_parse_int(text, &value));
	return value;
}

/* ---- changes ---- */

static RESULT ask_changes(struct ctx *c, struct desk_place *place, int64_t after, int page, bool newest_first,
			  json_t **ret_json)
{
	struct buf body;
	struct json_writer w;
	struct desk_answer answer;
	buf_init(&body, DESK_ANSWER_CAP);
	json_write_begin(&w, &body);
	json_write_open_list(&w, NULL);
	json_write_open(&w, NULL);
	json_write_z(&w, "field", "ObjectType");
	json_write_z(&w, "value", "RT::Ticket");
	json_write_close(&w);
	json_write_open(&w, NULL);
	json_write_z(&w, "field", "id");
	json_write_z(&w, "operator", ">");
	json_write_int(&w, "value", after);
	json_write_close(&w);
	json_write_close_list(&w);
	struct desk_request r = {
		.method = "POST",
		.path = str_print(c->arena,
				  "/transactions?fields=ObjectId&orderby=id&order=%s&per_page=%d&page=%d",
				  newest_first ? "DESC" : "ASC", newest_first ? 1 : PAGE, page),
		.media_type = "application/json",
		.body = str_copy(c->arena, buf_str(&body)),
		.cap_size = DESK_LIST_CAP};
	struct result result = json_write_end(&w);
	buf_done(&body);
	TRY(result);
	return call(c, place, &r, &answer, ret_json);
}

static bool has_text(const struct str *at, size_t count, struct str text)
{
	for (size_t k = count; k > 0; k--)
		if (str_equal(at[k - 1], text))
			return true;
	return false;
}

struct changes {
	VEC(struct str) ids;
	int64_t newest;
};

static RESULT take_change(struct ctx *c, const json_t *item, struct changes *changes)
{
	int64_t number = number_of(desk_text(c, item, "id"));
	struct str id = desk_text(c, item, "ObjectId");
	if (number > changes->newest)
		changes->newest = number;
	bool is_new = number > 0 && id.n && changes->ids.count < CHANGED_MAX &&
		      !has_text(changes->ids.at, changes->ids.count, id);
	return !is_new || VEC_PUSH(c->arena, &changes->ids, id) ? OK : ctx_no_memory(c);
}

static RESULT take_page(struct ctx *c, struct desk_place *place, int64_t after, int page, bool newest_first,
			struct changes *changes, bool *ret_more)
{
	AUTO_JSON json = NULL;
	TRY(ask_changes(c, place, after, page, newest_first, &json));
	const json_t *items = json_object_get(json, "items");
	for (size_t k = 0; k < json_array_size(items); k++)
		TRY(take_change(c, json_array_get(items, k), changes));
	*ret_more = json_array_size(items) == PAGE;
	return OK;
}

/* If only the overlap returned something, nothing is reported: otherwise every link's step would look in
 * vain. */
static RESULT poll(struct ctx *c, struct desk_place *place, struct str cursor,
		   struct desk_changes *ret_changes)
{
	int64_t from = number_of(cursor);
	struct changes changes = {.newest = from};
	bool is_first = !cursor.n, more = true;
	for (int page = 1; more && page <= PAGES_MAX; page++) {
		TRY(take_page(c, place, from < OVERLAP ? 0 : from - OVERLAP, page, is_first, &changes,
			      &more));
		more = more && !is_first;
	}
	bool is_news = !is_first && changes.newest > from;
	ret_changes->cursor = str_print(c->arena, "%" PRId64, changes.newest);
	ret_changes->ids = (struct strs){changes.ids.at, is_news ? changes.ids.count : 0};
	return OK;
}

/* ---- the ticket ---- */

static RESULT find(struct ctx *c, struct desk_place *place, struct str id, struct str *ret_id)
{
	struct str query = str_print(c->arena, "'CF.{%" STR_FMT "}' = '%" STR_FMT "'",
				     STR_ARG(field_of(place)), STR_ARG(id));
	struct desk_answer answer;
	AUTO_JSON json = NULL;
	TRY(get(c, place,
		str_print(c->arena, "/tickets?query=%" STR_FMT "&orderby=id",
			  STR_ARG(str_encode_url(c->arena, query, false))),
		&answer, &json));
	const json_t *items = json_object_get(json, "items");
	*ret_id = json_array_size(items) ? desk_text(c, json_array_get(items, 0), "id") : STR_NONE;
	return OK;
}

static const char *const priorities[] = {"10", "30", "50", "70", "90"};

static struct str body_of(struct ctx *c, const struct desk_ticket *t)
{
	return str_print(c->arena,
			 "%" STR_FMT "\n\n-- \nTicket %" STR_FMT " (%" STR_FMT ")%s%" STR_FMT "%s%" STR_FMT
			 "%s%" STR_FMT "\n",
			 STR_ARG(t->body), STR_ARG(t->number), STR_ARG(t->id),
			 t->account.n ? ", account " : "", STR_ARG(t->account),
			 t->product.n ? ", product " : "", STR_ARG(t->product),
			 t->resources.n ? "\nAbout: " : "", STR_ARG(t->resources));
}

static RESULT write_ticket(struct ctx *c, struct desk_place *place, const struct desk_ticket *t,
			   struct buf *body)
{
	struct json_writer w;
	json_write_begin(&w, body);
	json_write_open(&w, NULL);
	json_write_text(&w, "Queue", place->queue.n ? place->queue : STR("General"));
	json_write_text(&w, "Subject", t->subject);
	json_write_text(&w, "Content", body_of(c, t));
	json_write_z(&w, "ContentType", "text/plain");
	json_write_z(&w, "Priority", priorities[t->severity]);
	if (t->requestor.n)
		json_write_text(&w, "Requestor", t->requestor);
	json_write_open(&w, "CustomFields");
	json_write_key(&w, field_of(place));
	json_write_text(&w, NULL, t->id);
	json_write_close(&w);
	json_write_close(&w);
	return json_write_end(&w);
}

/* Verifies the custom field, which RT drops silently if the queue lacks it: the ticket would then be created
 * again after the next crash. */
static RESULT check_field(struct ctx *c, struct desk_place *place, const struct desk_ticket *t)
{
	struct str found;
	TRY(find(c, place, t->id, &found));
	return found.n ? OK
		       : ctx_fail(c, ERR_INVALID,
				  "desk %" STR_FMT ": the queue has no custom field '%" STR_FMT
				  "', by which tickets are found again",
				  STR_ARG(place->name), STR_ARG(field_of(place)));
}

static RESULT make(struct ctx *c, struct desk_place *place, const struct desk_ticket *t,
		   struct desk_made *ret_made)
{
	struct str id;
	TRY(find(c, place, t->id, &id));
	if (!id.n) {
		struct buf body;
		struct desk_answer answer;
		AUTO_JSON json = NULL;
		buf_init(&body, DESK_LIST_CAP);
		TRY(write_ticket(c, place, t, &body));
		TRY(send_json(c, place, "POST", STR("/ticket"), &body, &answer, &json));
		id = desk_text(c, json, "id");
		TRY(check_field(c, place, t));
	}
	*ret_made = (struct desk_made){id, id,
				       str_print(c->arena, "%" STR_FMT "/Ticket/Display.html?id=%" STR_FMT,
						 STR_ARG(place->url), STR_ARG(id))};
	return OK;
}

/* ---- what was told ---- */

/* Returns the Creator's name, e.g. "root", from an object {id, …} or a text. */
static struct str creator_of(struct ctx *c, const json_t *item)
{
	const json_t *creator = json_object_get(item, "Creator");
	return json_is_object(creator) ? desk_text(c, creator, "id") : desk_text(c, item, "Creator");
}

struct reading {
	struct ctx *c;
	struct desk_place *place;
	VEC(struct desk_news) news;
	struct str marker, found; /* marker of a message to find, and its transaction */
	int64_t newest;
};

static RESULT add_file(struct reading *r, struct str transaction, struct str author, int64_t told_us,
		       const json_t *attachment)
{
	struct str id = desk_text(r->c, attachment, "id");
	struct desk_news news = {
		.origin = str_print(r->c->arena, "%" STR_FMT "/%" STR_FMT, STR_ARG(transaction), STR_ARG(id)),
		.author = author,
		.told_us = told_us,
		.file_name = desk_text(r->c, attachment, "Filename"),
		.file_id = id};
	return VEC_PUSH(r->c->arena, &r->news, news) ? OK : ctx_no_memory(r->c);
}

static RESULT decode(struct ctx *c, const json_t *attachment, struct str *ret_content)
{
	struct str text = desk_text(c, attachment, "Content");
	return result_is_ok(str_decode_base64(c->arena, text, ret_content))
		       ? OK
		       : ctx_fail(c, ERR_INVALID, "RT gives an attachment that is no base64");
}

static RESULT get_attachment(struct ctx *c, struct desk_place *place, struct str id, size_t cap,
			     json_t **ret_json)
{
	struct desk_answer answer;
	struct desk_request r = {.method = "GET",
				 .path = str_print(c->arena, "/attachment/%" STR_FMT, STR_ARG(id)),
				 .cap_size = cap};
	return call(c, place, &r, &answer, ret_json);
}

/* Reads a correspondence's text and files. */
static RESULT read_parts(struct reading *r, struct str transaction, struct str author, int64_t told_us,
			 bool is_ours)
{
	struct desk_answer answer;
	AUTO_JSON json = NULL;
	struct str text = STR_NONE;
	size_t at = r->news.count;
	struct str path = str_print(
		r->c->arena, "/transaction/%" STR_FMT "/attachments?fields=Filename,ContentType&per_page=100",
		STR_ARG(transaction));
	TRY(get(r->c, r->place, path, &answer, &json));
	const json_t *items = json_object_get(json, "items");
	for (size_t k = 0; k < json_array_size(items); k++) {
		const json_t *item = json_array_get(items, k);
		struct str type = desk_text(r->c, item, "ContentType");
		if (desk_text(r->c, item, "Filename").n) {
			if (!is_ours)
				TRY(add_file(r, transaction, author, told_us, item));
			continue;
		}
		if (text.n || !str_starts_with(type, STR("text/")))
			continue;
		AUTO_JSON part = NULL;
		TRY(get_attachment(r->c, r->place, desk_text(r->c, item, "id"), DESK_LIST_CAP, &part));
		TRY(decode(r->c, part, &text));
	}
	if (r->marker.n && str_contains(text, r->marker))
		r->found = transaction;
	if (is_ours)
		return OK;
	struct desk_news news = {.origin = transaction,
				 .author = author,
				 .told_us = told_us,
				 .body = desk_clean_text(r->c, text)};
	if (!VEC_PUSH(r->c->arena, &r->news, news))
		return ctx_no_memory(r->c);
	struct desk_news last = r->news.at[r->news.count - 1]; /* copied before files are added */
	memmove(&r->news.at[at + 1], &r->news.at[at], (r->news.count - 1 - at) * sizeof r->news.at[0]);
	r->news.at[at] = last;
	return OK;
}

/* Skips comments (internal), mail generated by RT itself, and Dari's own messages. */
static RESULT read_transaction(struct reading *r, const json_t *item)
{
	struct str type = desk_text(r->c, item, "Type"), author = creator_of(r->c, item);
	struct str id = desk_text(r->c, item, "id");
	int64_t told_us = 0;
	bool is_ours = r->place->login.n && str_equal_nocase(author, r->place->login);
	IGNORE(clock_parse(desk_text(r->c, item, "Created"), &told_us));
	if (!str_is(type, "Correspond") || str_is(author, "RT_System") || (is_ours && !r->marker.n))
		return OK;
	return read_parts(r, id, author, told_us, is_ours);
}

static RESULT read_history(struct reading *r, struct str id, int64_t after)
{
	bool more = true;
	r->newest = after;
	for (int page = 1; more && page <= PAGES_MAX; page++) {
		struct desk_answer answer;
		AUTO_JSON json = NULL;
		struct str path = str_print(r->c->arena,
					    "/ticket/%" STR_FMT
					    "/history?fields=Type,Created,Creator&per_page=%d&page=%d",
					    STR_ARG(id), PAGE, page);
		TRY(get(r->c, r->place, path, &answer, &json));
		const json_t *items = json_object_get(json, "items");
		for (size_t k = 0; k < json_array_size(items); k++) {
			const json_t *item = json_array_get(items, k);
			int64_t number = number_of(desk_text(r->c, item, "id"));
			if (number > r->newest)
				r->newest = number;
			if (number > after - OVERLAP)
				TRY(read_transaction(r, item));
		}
		more = json_array_size(items) == PAGE;
	}
	return OK;
}

static enum ticket_link_severity severity_of(int64_t priority)
{
	int64_t k = priority / 20;
	return (enum ticket_link_severity)(k < 0 ? 0 : k > 4 ? 4 : k);
}

static RESULT read_ticket(struct ctx *c, struct desk_place *place, struct str id, struct desk_view *ret_view)
{
	struct desk_answer answer;
	AUTO_JSON json = NULL;
	int64_t priority = 0;
	TRY(get(c, place, str_print(c->arena, "/ticket/%" STR_FMT, STR_ARG(id)), &answer, &json));
	ret_view->state = desk_text(c, json, "Status");
	ret_view->version = answer.etag;
	ret_view->is_state_known = desk_read_state(place, states, ret_view->state, &ret_view->means);
	ret_view->has_severity = result_is_ok(str_parse_int(desk_text(c, json, "Priority"), &priority));
	ret_view->severity = severity_of(priority);
	return OK;
}

static RESULT look(struct ctx *c, struct desk_place *place, struct str id, struct str read_to,
		   struct desk_view *ret_view)
{
	struct reading r = {.c = c, .place = place};
	TRY(read_ticket(c, place, id, ret_view));
	TRY(read_history(&r, id, number_of(read_to)));
	ret_view->news = r.news.at;
	ret_view->news_count = r.news.count;
	ret_view->read_to = str_print(c->arena, "%" PRId64, r.newest);
	return OK;
}

/* ---- saying ---- */

/* ret_origin: its transaction; empty: not found. */
static RESULT find_marker(struct ctx *c, struct desk_place *place, struct str id, uuid key,
			  struct str *ret_origin)
{
	struct reading r = {.c = c, .place = place, .marker = desk_marker(c, key)};
	TRY(read_history(&r, id, 0));
	*ret_origin = r.found;
	return OK;
}

static struct str words_of(struct ctx *c, const struct desk_message *m)
{
	struct str marker = desk_marker(c, m->id);
	return str_print(c->arena, "%" STR_FMT "%s%" STR_FMT "\n\n%" STR_FMT "\n", STR_ARG(m->author),
			 m->author.n ? " writes:\n\n" : "", STR_ARG(m->body), STR_ARG(marker));
}

static RESULT say(struct ctx *c, struct desk_place *place, struct str id, const struct desk_message *m,
		  struct str *ret_origin)
{
	struct buf body;
	struct json_writer w;
	struct desk_answer answer;
	AUTO_JSON json = NULL;
	TRY(find_marker(c, place, id, m->id, ret_origin));
	if (ret_origin->n)
		return OK;
	buf_init(&body, DESK_LIST_CAP);
	json_write_begin(&w, &body);
	json_write_open(&w, NULL);
	json_write_text(&w, "Content", words_of(c, m));
	json_write_z(&w, "ContentType", "text/plain");
	json_write_close(&w);
	TRY(json_write_end(&w));
	TRY(send_json(c, place, "POST", str_print(c->arena, "/ticket/%" STR_FMT "/correspond", STR_ARG(id)),
		      &body, &answer, &json));
	return find_marker(c, place, id, m->id, ret_origin);
}

static RESULT attach(struct ctx *c, struct desk_place *place, struct str id, const struct desk_file *f,
		     struct str *ret_origin)
{
	struct desk_answer answer;
	AUTO_JSON json = NULL;
	struct buf body;
	struct json_writer w;
	TRY(find_marker(c, place, id, f->id, ret_origin));
	if (ret_origin->n)
		return OK;
	buf_init(&body, DESK_ANSWER_CAP);
	json_write_begin(&w, &body);
	json_write_open(&w, NULL);
	json_write_text(&w, "Content",
			str_print(c->arena, "File %" STR_FMT " (SHA-256 %" STR_FMT ")\n\n%" STR_FMT "\n",
				  STR_ARG(f->name), STR_ARG(f->sha256), STR_ARG(desk_marker(c, f->id))));
	json_write_z(&w, "ContentType", "text/plain");
	json_write_close(&w);
	TRY(json_write_end(&w));
	const struct desk_part parts[] = {
		{.name = "JSON", .type = "application/json", .content = str_copy(c->arena, buf_str(&body))},
		{.name = "Attachments",
		 .file_name = str_to_z(c->arena, f->name),
		 .type = str_to_z(c->arena, f->media_type),
		 .content = f->content}};
	struct desk_request r = {.method = "POST",
				 .path = str_print(c->arena, "/ticket/%" STR_FMT "/correspond", STR_ARG(id)),
				 .parts = parts,
				 .part_count = 2};
	buf_done(&body);
	TRY(call(c, place, &r, &answer, &json));
	return find_marker(c, place, id, f->id, ret_origin);
}

static RESULT fetch(struct ctx *c, struct desk_place *place, struct str id, struct str file_id,
		    struct str *ret_content)
{
	AUTO_JSON json = NULL;
	(void) id;
	TRY(get_attachment(c, place, file_id, DESK_FILE_CAP, &json));
	return decode(c, json, ret_content);
}

/* ---- state and severity ---- */

static RESULT put(struct ctx *c, struct desk_place *place, struct str id, const char *member,
		  struct str value, struct str version)
{
	struct buf body;
	struct json_writer w;
	struct desk_answer answer;
	AUTO_JSON json = NULL;
	buf_init(&body, DESK_ANSWER_CAP);
	json_write_begin(&w, &body);
	json_write_open(&w, NULL);
	json_write_text(&w, member, value);
	json_write_close(&w);
	TRY(json_write_end(&w));
	struct desk_request r = {.method = "PUT",
				 .path = str_print(c->arena, "/ticket/%" STR_FMT, STR_ARG(id)),
				 .media_type = "application/json",
				 .body = str_copy(c->arena, buf_str(&body)),
				 .takes_412 = true};
	if (version.n)
		r.headers[0] =
			str_to_z(c->arena, str_print(c->arena, "If-Match: %" STR_FMT, STR_ARG(version)));
	buf_done(&body);
	TRY(call(c, place, &r, &answer, &json));
	return answer.status == 412 ? ctx_fail(c, ERR_AGAIN, "the ticket changed there meanwhile") : OK;
}

static struct str word_for(const struct desk_place *place, enum ticket_state state)
{
	struct str hold = desk_option(place, "hold");
	switch (state) {
	case TICKET_NEW:
	case TICKET_WORKING:
		return STR("open");
	case TICKET_WAITING:
	case TICKET_HELD:
		return hold.n ? hold : STR("stalled");
	case TICKET_REJECTED:
	case TICKET_CANCELLED:
		return STR("rejected");
	case TICKET_RESOLVED:
	case TICKET_CLOSED:
	case TICKET_STATES:
		break;
	}
	return STR("resolved");
}

/* RT returns 200 even if it ignores the change, so the ticket is read back: an unchanged version means
 * failure. A change to yet another state is the desk staff's doing, which the next look sees. */
static RESULT move(struct ctx *c, struct desk_place *place, struct str id, enum ticket_state state)
{
	struct desk_view before = {0}, after = {0};
	TRY(read_ticket(c, place, id, &before));
	bool is_there = before.is_state_known && ticket_is_over(before.means) == ticket_is_over(state);
	if (is_there)
		return OK;
	TRY(put(c, place, id, "Status", word_for(place, state), before.version));
	TRY(read_ticket(c, place, id, &after));
	if (after.is_state_known && ticket_is_over(after.means) == ticket_is_over(state))
		return OK;
	if (before.version.n && !str_equal(before.version, after.version))
		return OK;
	return ctx_fail(c, ERR_INVALID, "desk %" STR_FMT " keeps the ticket in the state %" STR_FMT,
			STR_ARG(place->name), STR_ARG(after.state));
}

static RESULT rate(struct ctx *c, struct desk_place *place, struct str id, enum ticket_link_severity severity)
{
	struct desk_view before = {0};
	TRY(read_ticket(c, place, id, &before));
	if (before.has_severity && before.severity == severity)
		return OK;
	return put(c, place, id, "Priority", str_from(priorities[severity]), before.version);
}

const struct desk_driver desk_rt = {
	.name = "rt",
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
