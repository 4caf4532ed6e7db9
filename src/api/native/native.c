/* SPDX-License-Identifier: Apache-2.0
 * The native protocol: routes by path and method, JSON bodies and answers, problems.
 */
#include "api/core/path.h"
#include "api/native/action.h"
#include "api/native/feed.h"

#include "auth/token/replay_cache.h"
#include "base/clock.h"
#include "base/heap.h"

enum { QUERY_PAIRS_MAX = 64, LEFTOVER_THREADS = 2, LEFTOVERS_WAITING_MAX = 16 };

static const struct pairs_rules query_rules = {.noun = "query", .count_max = QUERY_PAIRS_MAX};

static void begin(struct api_call *core)
{
	core->c->kind_words = &native_words;
}

/* ---- who asks, and for what ---- */

static RESULT check_route(struct native_call *e, const struct native_route *r, bool has_path)
{
	if (r)
		return OK;
	if (has_path)
		return ctx_fail_field(e->c, ERR_UNSUPPORTED, STR("method"),
				      "There is no %" STR_FMT " of this path.",
				      STR_ARG(str_slice(e->call->method_name, 0, 32)));
	return ctx_fail(e->c, ERR_NOT_FOUND, "There is nothing at this path.");
}

static RESULT read_body(struct native_call *e)
{
	struct str text = str_trim(e->call->body);
	json_error_t error;
	if (!text.n || e->action->flags & NATIVE_RAW_BODY)
		return OK;
	e->body = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, &error);
	if (json_is_object(e->body))
		return OK;
	return ctx_fail(e->c, ERR_INVALID, "The body is no JSON object: %s",
			e->body ? "it is something else" : error.text);
}

static RESULT decode_path(struct native_call *e)
{
	struct pair *at = (struct pair *) e->path.at; /* the array is this call's own copy */
	for (size_t k = 0; k < e->path.count; k++)
		if (!path_decode(e->c->arena, &at[k].value))
			return ctx_fail(e->c, ERR_NOT_FOUND, "There is nothing at this path.");
	return OK;
}

static RESULT find(struct api_call *core)
{
	struct native_call *e = native_call_of(core);
	bool has_path = false;
	const struct native_route *r = native_find_route(e, &has_path);
	const struct api_action *action = r ? r->entry.action : NULL;
	struct result proved = action && action->flags & API_OPEN ? OK : native_authenticate(e);
	if (action && action->flags & NATIVE_BROWSER)
		api_choose_action(core, &r->entry); /* a throttled browser gets a page, too */
	TRY(api_check_limits(core, action, proved));
	TRY(check_route(e, r, has_path));
	api_choose_action(core, &r->entry);
	TRY(decode_path(e));
	TRY(pairs_parse(e->c, &query_rules, e->call->query, STR_NONE, &e->query));
	return read_body(e);
}

static bool is_upload(struct api_call *core)
{
	bool has_path = false;
	const struct native_route *r = native_find_route(native_call_of(core), &has_path);
	return r && r->entry.action->flags & NATIVE_UPLOAD;
}

/* ---- who may ---- */

/* A role or a policy permits. No policy of an account grants administrator rights. */
static RESULT describe_permission(struct api_call *core, struct guard_request *request)
{
	struct native_call *e = native_call_of(core);
	unsigned flags = e->action->flags;
	bool is_scoped = !uuid_is_none(e->c->who->account) || flags & (NATIVE_UNSCOPED | API_FOR_ALL) ||
			 native_is_admin(e);
	request->words = GUARD_OF_DARI;
	if (flags & NATIVE_ADMIN && !native_is_admin(e))
		return ctx_fail(e->c, ERR_DENIED, "Only administrators of the region may do this.");
	if (!is_scoped)
		return ctx_fail(e->c, ERR_DENIED, "This needs a token for an account.");
	request->has_role = e->c->who->is_owner ||
			    identity_has(e->c->who, flags & API_WRITES ? RIGHT_MEMBER : RIGHT_READER);
	return OK;
}

static void describe_audit(struct api_call *core)
{
	struct native_call *e = native_call_of(core);
	for (size_t k = 0; k < e->path.count; k++)
		audit_add_subject(e->audit, str_to_z(e->c->arena, e->path.at[k].name), e->path.at[k].value);
}

/* ---- the request ---- */

static RESULT prepare(struct api_call *core)
{
	struct native_call *e = native_call_of(core);
	const struct native_action *a = native_action_of(e);
	const struct params_request request = {.dialect = &native_dialect,
					       .path = document_of_pairs(&e->path, PAIRS_FLAT),
					       .query = document_of_pairs(&e->query, PAIRS_FLAT),
					       .body = document_of_json(e->body),
					       .is_query_open = true};
	if (a->status)
		e->status = a->status;
	if (a->flags & API_WRITES)
		return native_prepare_change(e, &request);
	TRY(native_check_read(e));
	TRY(api_new_args(core, 1, a->args.size));
	if (a->args.count)
		TRY(params_fill(e->c, &a->args, &request, e->args));
	return a->prepare ? a->prepare(e, e->args) : OK;
}

static void end_request(struct api_call *core)
{
	struct native_call *e = native_call_of(core);
	json_decref(e->body);
	e->body = NULL;
}

/* ---- answers ---- */

static void set_headers(struct api_call *core)
{
	struct native_call *e = native_call_of(core);
	call_set_answer_header(e->call, "X-Request-Id", e->c->request_id);
	call_set_answer_header(e->call, "Cache-Control", STR("private, no-cache"));
	call_set_answer_header(e->call, "X-Content-Type-Options", STR("nosniff"));
	if (e->etag.n)
		call_set_answer_header(e->call, "ETag", e->etag);
}

static RESULT write_answer(struct api_call *core, struct buf *body)
{
	struct native_call *e = native_call_of(core);
	const struct native_action *a = native_action_of(e);
	struct json_writer w;
	if (a->write) {
		e->content_type = a->content_type;
		return a->write(e, e->args, body);
	}
	json_write_begin(&w, body);
	json_write_open(&w, NULL);
	TRY(a->answer ? a->answer(e, e->args, &w) : native_answer_change(e, &w));
	json_write_close(&w);
	return json_write_end(&w);
}

/* ---- life ---- */

static bool open_face(struct api_face *core)
{
	struct native_face *face = (struct native_face *) core;
	face->started_us = clock_now_us();
	face->spents = replay_cache_new();
	if (!face->spents || !native_sum_routes(face))
		return false;
	struct ctx c;
	struct arena *arena = arena_new(ARENA_FIRST_SIZE, ARENA_FIRST_SIZE);
	if (!arena)
		return false;
	ctx_init(&c, arena);
	const struct feed_config config = {.store = core->config.store,
					   .executor = core->config.executor,
					   .tokens = core->config.tokens};
	const struct lane_config leftovers = {.executor = core->config.executor,
					      .name = "leftovers",
					      .threads = LEFTOVER_THREADS,
					      .waiting_max = LEFTOVERS_WAITING_MAX,
					      .waiting_of_one = LEFTOVERS_WAITING_MAX};
	struct result opened = core->config.executor ? feed_new(&c, &config, &face->feed) : OK;
	if (core->config.executor && result_is_ok(opened))
		opened = lane_new(&c, &leftovers, &face->leftovers);
	arena_free(arena);
	return result_is_ok(opened);
}

static void close_face(struct api_face *core)
{
	struct native_face *face = (struct native_face *) core;
	lane_free(face->leftovers);
	feed_free(face->feed);
	replay_cache_free(face->spents);
	heap_free(face->paths);
}

static bool is_unrecorded(struct result result)
{
	return result.code == ERR_THROTTLED;
}

const struct api_protocol native_protocol = {
	.name = "native",
	.content_type = "application/json",
	.face_size = sizeof(struct native_face),
	.call_size = sizeof(struct native_call),
	.errors = &native_errors,
	.open = open_face,
	.close = close_face,
	.begin = begin,
	.find = find,
	.uploads_by = HTTP_PUT,
	.is_upload = is_upload,
	.describe_permission = describe_permission,
	.describe_audit = describe_audit,
	.prepare = prepare,
	.end_request = end_request,
	.begin_change = native_begin_change,
	.end_change = native_end_change,
	.set_headers = set_headers,
	.write = write_answer,
	.send = native_send_stream,
	.word_problem = native_word_problem,
	.write_problem = native_write_problem,
	.is_unrecorded = is_unrecorded,
};
