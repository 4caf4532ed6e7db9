/* SPDX-License-Identifier: Apache-2.0
 * ServiceNow by its Table API and Attachment API, following its public reference; tested only with the tests'
 * fake. Surprises: unknown query terms are ignored, so results are checked; comments (public) and work notes
 * (internal) are written as fields but read as rows of sys_journal_field; times are UTC in whole seconds, so
 * changes within OVERLAP_S before the desk's own time are fetched again.
 *
 * Incidents are found again by correlation_id, comments by the marker at their end, files by name, size and
 * content digest. Options: table (incident), auth=bearer (else basic, by login and password), resolve_code
 * (close_code, default "Solved (Permanently)"), caller (caller_id of created incidents), state.WORD=STATE. A
 * queue is an assignment group. "On Hold" with the reason "Awaiting Caller" (1, a guess from default
 * instances) is the state "3.1". */
#include <inttypes.h>

#include "base/clock.h"
#include "base/vec.h"
#include "drivers/desk/http.h"

enum { PAGE = 100, PAGES_MAX = 50, CHANGED_MAX = 5000, OVERLAP_S = 120, FILE_MAX = 25 << 20 };

static const struct desk_word states[] = {
	{"1", TICKET_NEW},      {"2", TICKET_WORKING}, {"3", TICKET_HELD},      {"3.1", TICKET_WAITING},
	{"6", TICKET_RESOLVED}, {"7", TICKET_CLOSED},  {"8", TICKET_CANCELLED}, {NULL, TICKET_NEW},
};
/* Impact and urgency, from which ServiceNow derives the priority. By severity, low first. */
static const struct rank {
	const char *impact, *urgency;
} ranks[] = {{"3", "3"}, {"3", "2"}, {"2", "2"}, {"2", "1"}, {"1", "1"}};

static RESULT call(struct ctx *c, struct desk_place *place, struct desk_request *r,
		   struct desk_answer *answer, json_t **ret_json)
{
	r->is_basic = !str_is(desk_option(place, "auth"), "bearer");
	r->cap_size = r->cap_size ? r->cap_size : DESK_LIST_CAP;
	return desk_call_json(c, place, r, answer, ret_json);
}

static struct str table_of(const struct desk_place *place)
{
	struct str table = desk_option(place, "table");
	return table.n ? table : STR("incident");
}

/* Lists a table's rows that match a query; *ret_json is the whole answer. */
static RESULT list(struct ctx *c, struct desk_place *place, struct str table, struct str query,
		   const char *fields, int limit, int64_t offset, json_t **ret_json)
{
	struct desk_answer answer;
	struct desk_request r = {
		.method = "GET",
		.path = str_print(
			c->arena,
			"/api/now/table/%" STR_FMT "?sysparm_query=%" STR_FMT
			"&sysparm_fields=%s&sysparm_display_value=false"
			"&sysparm_exclude_reference_link=true&sysparm_limit=%d&sysparm_offset=%" PRId64,
			STR_ARG(table), STR_ARG(str_encode_url(c->arena, query, false)), fields, limit,
			offset)};
	return call(c, place, &r, &answer, ret_json);
}

static const json_t *result_of(const json_t *json)
{
	return json_object_get(json, "result");
}

static int add_piece(const char *bytes, size_t size, void *body)
{
	buf_add(body, bytes, size);
	return 0;
}

static RESULT send_json(struct ctx *c, struct desk_place *place, const char *method, struct str path,
			const json_t *value, json_t **ret_json)
{
	struct desk_answer answer;
	struct buf body;
	buf_init(&body, DESK_LIST_CAP);
	bool is_whole = json_dump_callback(value, add_piece, &body, JSON_COMPACT) == 0;
	struct desk_request r = {.method = method,
				 .path = path,
				 .media_type = "application/json",
				 .body = str_copy(c->arena, buf_str(&body))};
	buf_done(&body);
	return is_whole && r.body.p ? call(c, place, &r, &answer, ret_json) : ctx_no_memory(c);
}

static void set(json_t *object, const char *name, struct str value)
{
	(void) json_object_set_new(object, name, json_stringn(value.p ? value.p : "", value.n));
}

/* Parses "2026-11-24 18:56:00", UTC. */
static int64_t time_of(struct ctx *c, struct str text)
{
	int64_t time_us = 0;
	if (text.n == 19)
		IGNORE(clock_parse(str_print(c->arena, "%" STR_FMT "T%" STR_FMT "Z",
					     STR_ARG(str_slice(text, 0, 10)),
					     STR_ARG(str_slice(text, 11, 19))),
				   &time_us));
	return time_us;
}

/* ---- changes ---- */

struct changes {
	VEC(struct str) ids;
	struct str newest;
};

static RESULT take_page(struct ctx *c, struct desk_place *place, struct str query, int64_t offset,
			struct changes *changes, size_t *ret_count)
{
	AUTO_JSON json = NULL;
	TRY(list(c, place, table_of(place), query, "sys_id,sys_updated_on,correlation_id", PAGE, offset,
		 &json));
	const json_t *rows = result_of(json);
	*ret_count = json_array_size(rows);
	for (size_t k = 0; k < *ret_count; k++) {
		const json_t *row = json_array_get(rows, k);
		struct str at = desk_text(c, row, "sys_updated_on"), id = desk_text(c, row, "sys_id");
		if (str_compare(at, changes->newest) > 0)
			changes->newest = at;
		if (changes->ids.count < CHANGED_MAX && !VEC_PUSH(c->arena, &changes->ids, id))
			return ctx_no_memory(c);
	}
	return OK;
}

/* Lists changes of incidents with ids of ours. The first call returns the desk's current time. */
static RESULT poll(struct ctx *c, struct desk_place *place, struct str cursor,
		   struct desk_changes *ret_changes)
{
	struct changes changes = {.newest = cursor};
	size_t count = PAGE;
	struct str query = cursor.n ? str_print(c->arena,
						"correlation_idSTARTSWITHt-^sys_updated_on>=%" STR_FMT
						"^ORDERBYsys_updated_on",
						STR_ARG(cursor))
				    : STR("correlation_idSTARTSWITHt-^ORDERBYDESCsys_updated_on");
	for (int page = 0; page < PAGES_MAX && count == PAGE; page++) {
		TRY(take_page(c, place, query, (int64_t) page * PAGE, &changes, &count));
		if (!cursor.n)
			break;
	}
	int64_t cursor_us = time_of(c, cursor);
	bool is_recent = place->now_us && cursor_us && place->now_us - cursor_us < OVERLAP_S * SECOND;
	bool is_news = cursor.n && (is_recent || str_compare(changes.newest, cursor) > 0);
	ret_changes->cursor = changes.newest.n ? changes.newest : STR("2000-01-01 00:00:00");
	ret_changes->ids = (struct strs){changes.ids.at, is_news ? changes.ids.count : 0};
	return OK;
}

/* ---- making ---- */

static RESULT find(struct ctx *c, struct desk_place *place, struct str key, struct desk_made *ret_made)
{
	AUTO_JSON json = NULL;
	struct str query =
		str_print(c->arena, "correlation_id=%" STR_FMT "^ORDERBYsys_created_on", STR_ARG(key));
	TRY(list(c, place, table_of(place), query, "sys_id,number,correlation_id", PAGE, 0, &json));
	for (size_t k = 0; k < json_array_size(result_of(json)); k++) {
		const json_t *row = json_array_get(result_of(json), k);
		if (!str_equal(desk_text(c, row, "correlation_id"), key) || ret_made->id.n)
			continue;
		ret_made->id = desk_text(c, row, "sys_id");
		ret_made->number = desk_text(c, row, "number");
	}
	return OK;
}

static RESULT create(struct ctx *c, struct desk_place *place, const struct desk_ticket *t)
{
	AUTO_JSON row = json_object();
	AUTO_JSON answer = NULL;
	struct str caller = desk_option(place, "caller");
	set(row, "short_description", str_cut(t->subject, 160));
	set(row, "description",
	    str_print(c->arena, "%" STR_FMT "\n\n%" STR_FMT "%s%" STR_FMT "%s%" STR_FMT, STR_ARG(t->body),
		      STR_ARG(t->author), t->account.n ? ", account " : "", STR_ARG(t->account),
		      t->resources.n ? "\nAbout: " : "", STR_ARG(t->resources)));
	set(row, "correlation_id", t->id);
	set(row, "correlation_display", str_print(c->arena, "Dari ticket %" STR_FMT, STR_ARG(t->number)));
	set(row, "impact", str_from(ranks[t->severity].impact));
	set(row, "urgency", str_from(ranks[t->severity].urgency));
	if (place->queue.n)
		set(row, "assignment_group", place->queue);
	if (caller.n)
		set(row, "caller_id", caller);
	return send_json(c, place, "POST",
			 str_print(c->arena, "/api/now/table/%" STR_FMT, STR_ARG(table_of(place))), row,
			 &answer);
}

/* Reads the incident back after creating it: if the instance drops the field, it would be created again. */
static RESULT make(struct ctx *c, struct desk_place *place, const struct desk_ticket *t,
		   struct desk_made *ret_made)
{
	TRY(find(c, place, t->id, ret_made));
	if (!ret_made->id.n) {
		TRY(create(c, place, t));
		TRY(find(c, place, t->id, ret_made));
	}
	if (!ret_made->id.n)
		return ctx_fail(c, ERR_INVALID,
				"desk %" STR_FMT
				" does not keep correlation_id, by which tickets are found again",
				STR_ARG(place->name));
	ret_made->url = str_print(c->arena, "%" STR_FMT "/nav_to.do?uri=%" STR_FMT ".do?sys_id=%" STR_FMT,
				  STR_ARG(place->url), STR_ARG(table_of(place)), STR_ARG(ret_made->id));
	return OK;
}

/* ---- looking ---- */

static RESULT get_row(struct ctx *c, struct desk_place *place, struct str id, json_t **ret_json)
{
	struct desk_answer answer;
	struct desk_request r = {.method = "GET",
				 .path = str_print(c->arena,
						   "/api/now/table/%" STR_FMT "/%" STR_FMT
						   "?sysparm_fields=state,hold_reason,impact,urgency,sys_"
						   "updated_on&sysparm_display_value=false",
						   STR_ARG(table_of(place)),
						   STR_ARG(str_encode_url(c->arena, id, false)))};
	return call(c, place, &r, &answer, ret_json);
}

static void read_rank(struct ctx *c, const json_t *row, struct desk_view *view)
{
	struct str impact = desk_text(c, row, "impact"), urgency = desk_text(c, row, "urgency");
	for (size_t k = 0; k < sizeof ranks / sizeof ranks[0]; k++)
		if (str_is(impact, ranks[k].impact) && str_is(urgency, ranks[k].urgency)) {
			view->has_severity = true;
			view->severity = (enum ticket_link_severity) k;
		}
}

static void read_view(struct ctx *c, struct desk_place *place, const json_t *row, struct desk_view *view)
{
	view->state = desk_text(c, row, "state");
	if (str_is(view->state, "3") && str_is(desk_text(c, row, "hold_reason"), "1"))
		view->state = STR("3.1");
	view->version = desk_text(c, row, "sys_updated_on");
	view->is_state_known = desk_read_state(place, states, view->state, &view->means);
	read_rank(c, row, view);
}

static RESULT read_row(struct ctx *c, struct desk_place *place, struct str id, struct desk_view *view)
{
	AUTO_JSON json = NULL;
	TRY(get_row(c, place, id, &json));
	read_view(c, place, result_of(json), view);
	return OK;
}

/* ret_after: the row as the desk returned it. */
static RESULT change(struct ctx *c, struct desk_place *place, struct str id, const json_t *value,
		     struct desk_view *ret_after)
{
	AUTO_JSON answer = NULL;
	struct str path = str_print(c->arena, "/api/now/table/%" STR_FMT "/%" STR_FMT,
				    STR_ARG(table_of(place)), STR_ARG(str_encode_url(c->arena, id, false)));
	TRY(send_json(c, place, "PATCH", path, value, &answer));
	read_view(c, place, result_of(answer), ret_after);
	return OK;
}

struct reading {
	struct ctx *c;
	struct desk_place *place;
	VEC(struct desk_news) news;
	struct str newest;
};

static bool is_ours(const struct reading *r, struct str author)
{
	return r->place->login.n && str_equal_nocase(author, r->place->login);
}

static RESULT add_entry(struct reading *r, const json_t *row)
{
	struct ctx *c = r->c;
	struct str author = desk_text(c, row, "sys_created_by"), at = desk_text(c, row, "sys_created_on");
	struct desk_news news = {.origin = desk_text(c, row, "sys_id"),
				 .author = author,
				 .body = desk_clean_text(c, desk_text(c, row, "value")),
				 .told_us = time_of(c, at),
				 .is_private = !str_is(desk_text(c, row, "element"), "comments")};
	if (str_compare(at, r->newest) > 0)
		r->newest = at;
	if (!news.origin.n || is_ours(r, author))
		return OK;
	return VEC_PUSH(c->arena, &r->news, news) ? OK : ctx_no_memory(c);
}

static RESULT add_file(struct reading *r, const json_t *row)
{
	struct ctx *c = r->c;
	struct str id = desk_text(c, row, "sys_id"), author = desk_text(c, row, "sys_created_by"),
		   at = desk_text(c, row, "sys_created_on");
	struct desk_news news = {.origin = id,
				 .author = author,
				 .told_us = time_of(c, at),
				 .file_name = desk_text(c, row, "file_name"),
				 .file_id = id};
	if (str_compare(at, r->newest) > 0)
		r->newest = at;
	if (!id.n || !news.file_name.n || is_ours(r, author))
		return OK;
	return VEC_PUSH(c->arena, &r->news, news) ? OK : ctx_no_memory(c);
}

static RESULT read_table(struct reading *r, const char *table, struct str query, const char *fields,
			 RESULT (*add)(struct reading *r, const json_t *row))
{
	size_t count = PAGE;
	for (int page = 0; page < PAGES_MAX && count == PAGE; page++) {
		AUTO_JSON json = NULL;
		TRY(list(r->c, r->place, str_from(table), query, fields, PAGE, (int64_t) page * PAGE, &json));
		count = json_array_size(result_of(json));
		for (size_t k = 0; k < count; k++)
			TRY(add(r, json_array_get(result_of(json), k)));
	}
	return OK;
}

/* Times are whole seconds, so entries as old as the newest one are read again and deduplicated. */
static RESULT look(struct ctx *c, struct desk_place *place, struct str id, struct str read_to,
		   struct desk_view *ret_view)
{
	struct reading r = {.c = c, .place = place, .newest = read_to};
	struct str since =
		read_to.n ? str_print(c->arena, "^sys_created_on>=%" STR_FMT, STR_ARG(read_to)) : STR_NONE;
	TRY(read_row(c, place, id, ret_view));
	TRY(read_table(&r, "sys_journal_field",
		       str_print(c->arena,
				 "element_id=%" STR_FMT "^elementINcomments,work_notes%" STR_FMT
				 "^ORDERBYsys_created_on",
				 STR_ARG(id), STR_ARG(since)),
		       "sys_id,element,value,sys_created_by,sys_created_on", add_entry));
	TRY(read_table(&r, "sys_attachment",
		       str_print(c->arena, "table_sys_id=%" STR_FMT "%" STR_FMT "^ORDERBYsys_created_on",
				 STR_ARG(id), STR_ARG(since)),
		       "sys_id,file_name,sys_created_by,sys_created_on", add_file));
	ret_view->news = r.news.at;
	ret_view->news_count = r.news.count;
	ret_view->read_to = r.newest;
	return OK;
}

/* ---- saying ---- */

static RESULT find_comment(struct ctx *c, struct desk_place *place, struct str id, struct str marker,
			   struct str *ret_origin)
{
	AUTO_JSON json = NULL;
	struct str query = str_print(c->arena, "element_id=%" STR_FMT "^element=comments^valueLIKE%" STR_FMT,
				     STR_ARG(id), STR_ARG(marker));
	*ret_origin = STR_NONE;
	TRY(list(c, place, STR("sys_journal_field"), query, "sys_id,value", PAGE, 0, &json));
	for (size_t k = 0; k < json_array_size(result_of(json)); k++) {
		const json_t *row = json_array_get(result_of(json), k);
		if (str_contains(desk_text(c, row, "value"), marker))
			*ret_origin = desk_text(c, row, "sys_id");
	}
	return OK;
}

static RESULT say(struct ctx *c, struct desk_place *place, struct str id, const struct desk_message *m,
		  struct str *ret_origin)
{
	struct str marker = desk_marker(c, m->id);
	struct desk_view after = {0};
	AUTO_JSON value = json_object();
	TRY(find_comment(c, place, id, marker, ret_origin));
	if (ret_origin->n)
		return OK;
	set(value, "comments",
	    str_print(c->arena, "%" STR_FMT "%s%" STR_FMT "\n\n%" STR_FMT, STR_ARG(m->author),
		      m->author.n ? " writes:\n\n" : "", STR_ARG(m->body), STR_ARG(marker)));
	TRY(change(c, place, id, value, &after));
	return find_comment(c, place, id, marker, ret_origin);
}

static RESULT find_file(struct ctx *c, struct desk_place *place, struct str id, const struct desk_file *f,
			struct str *ret_origin)
{
	AUTO_JSON json = NULL;
	struct str query = str_print(c->arena, "table_sys_id=%" STR_FMT, STR_ARG(id));
	struct str size = str_print(c->arena, "%zu", f->content.n);
	*ret_origin = STR_NONE;
	TRY(list(c, place, STR("sys_attachment"), query, "sys_id,file_name,size_bytes,hash,sys_created_by",
		 PAGE, 0, &json));
	for (size_t k = 0; k < json_array_size(result_of(json)); k++) {
		const json_t *row = json_array_get(result_of(json), k);
		struct str hash = desk_text(c, row, "hash");
		if (str_equal(desk_text(c, row, "file_name"), f->name) &&
		    str_equal(desk_text(c, row, "size_bytes"), size) &&
		    (hash.n != f->sha256.n || str_equal_nocase(hash, f->sha256)))
			*ret_origin = desk_text(c, row, "sys_id");
	}
	return OK;
}

static RESULT attach(struct ctx *c, struct desk_place *place, struct str id, const struct desk_file *f,
		     struct str *ret_origin)
{
	struct desk_answer answer;
	AUTO_JSON json = NULL;
	TRY(find_file(c, place, id, f, ret_origin));
	if (ret_origin->n)
		return OK;
	struct desk_request r = {.method = "POST",
				 .path = str_print(c->arena,
						   "/api/now/attachment/file?table_name=%" STR_FMT
						   "&table_sys_id=%" STR_FMT "&file_name=%" STR_FMT,
						   STR_ARG(table_of(place)),
						   STR_ARG(str_encode_url(c->arena, id, false)),
						   STR_ARG(str_encode_url(c->arena, f->name, false))),
				 .media_type = str_to_z(c->arena, f->media_type),
				 .body = f->content};
	TRY(call(c, place, &r, &answer, &json));
	*ret_origin = desk_text(c, result_of(json), "sys_id");
	return OK;
}

static RESULT fetch(struct ctx *c, struct desk_place *place, struct str id, struct str file_id,
		    struct str *ret_content)
{
	struct desk_answer answer;
	struct desk_request r = {.method = "GET",
				 .path = str_print(c->arena, "/api/now/attachment/%" STR_FMT "/file",
						   STR_ARG(str_encode_url(c->arena, file_id, false))),
				 .is_basic = !str_is(desk_option(place, "auth"), "bearer"),
				 .cap_size = DESK_FILE_CAP};
	(void) id;
	TRY(desk_call(c, place, &r, &answer));
	*ret_content = answer.body;
	return OK;
}

/* ---- state and severity ---- */

/* An instance may require more fields for resolving, by rules of its own. The incident then stays unchanged,
 * and that is reported. */
static RESULT move(struct ctx *c, struct desk_place *place, struct str id, enum ticket_state state)
{
	struct desk_view before = {0}, after = {0};
	AUTO_JSON value = json_object();
	struct str code = desk_option(place, "resolve_code");
	TRY(read_row(c, place, id, &before));
	if (before.is_state_known && ticket_is_over(before.means) == ticket_is_over(state))
		return OK;
	set(value, "state", ticket_is_over(state) ? STR("6") : STR("2"));
	if (ticket_is_over(state)) {
		set(value, "close_code", code.n ? code : STR("Solved (Permanently)"));
		set(value, "close_notes", STR("Resolved at Dari."));
	}
	TRY(change(c, place, id, value, &after));
	if (after.is_state_known && ticket_is_over(after.means) == ticket_is_over(state))
		return OK;
	return ctx_fail(c, ERR_INVALID, "desk %" STR_FMT " keeps the ticket in the state %" STR_FMT,
			STR_ARG(place->name), STR_ARG(after.state));
}

static RESULT rate(struct ctx *c, struct desk_place *place, struct str id, enum ticket_link_severity severity)
{
	struct desk_view before = {0}, after = {0};
	AUTO_JSON value = json_object();
	TRY(read_row(c, place, id, &before));
	if (before.has_severity && before.severity == severity)
		return OK;
	set(value, "impact", str_from(ranks[severity].impact));
	set(value, "urgency", str_from(ranks[severity].urgency));
	return change(c, place, id, value, &after);
}

const struct desk_driver desk_servicenow = {
	.name = "servicenow",
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
