/* SPDX-License-Identifier: Apache-2.0
 * GET /stream: turns a request into a viewer of the feed.
 */
#include "api/native/action.h"
#include "api/native/feed.h"

static RESULT choose_kind(struct native_call *e, enum kind kind, bool is_asked)
{
	bool may = false;
	TRY(native_may_read(e, kind, &may));
	if (is_asked && !may)
		return ctx_fail_field(e->c, ERR_DENIED, STR("kinds"), "You may not list %s.",
				      model_shown[kind].name);
	e->wish->kinds[kind] = may;
	return OK;
}

/* Reads ?kinds=instances,volumes. Absent: all kinds that the caller may list. */
static RESULT choose_kinds(struct native_call *e)
{
	struct str said = pairs_find(&e->query, "kinds"), name;
	if (!said.p)
		for (enum kind k = KIND_NONE + 1; k < KIND_COUNT; k++)
			if (model_shown[k].name)
				TRY(choose_kind(e, k, false));
	while (said.p && str_split_next(&said, ',', &name)) {
		enum kind kind = native_kind_of(name);
		if (kind == KIND_NONE)
			return ctx_fail_field(e->c, ERR_INVALID, STR("kinds"), "There are no %" STR_FMT ".",
					      STR_ARG(str_slice(name, 0, 64)));
		TRY(choose_kind(e, kind, true));
	}
	return OK;
}

/* Reads ?all=1, or ?all=tickets,hosts for rows of all accounts of those kinds. */
static RESULT choose_all(struct native_call *e, bool is_all)
{
	struct str said = pairs_find(&e->query, "all"), name;
	for (enum kind k = KIND_NONE + 1; k < KIND_COUNT; k++)
		e->wish->all[k] = is_all || str_is(said, "1");
	while (!is_all && !str_is(said, "1") && !str_is(said, "0") && str_split_next(&said, ',', &name)) {
		enum kind kind = native_kind_of(name);
		if (kind == KIND_NONE)
			return ctx_fail_field(e->c, ERR_INVALID, STR("all"), "There are no %" STR_FMT ".",
					      STR_ARG(str_slice(name, 0, 64)));
		e->wish->all[kind] = true;
	}
	return OK;
}

static RESULT choose_account(struct native_call *e)
{
	struct str said = pairs_find(&e->query, "account");
	const struct row *row = NULL;
	struct str all = pairs_find(&e->query, "all");
	bool is_all = all.n && !str_is(all, "0");
	e->wish->account = e->c->who->account;
	TRY(choose_all(e, uuid_is_none(e->wish->account) && native_is_admin(e) && !said.p));
	if (said.p) {
		struct ref ref = native_read_ref(said, KIND_ACCOUNT, STR("account"));
		TRY(engine_find(e->c, native_tables(e), KIND_ACCOUNT, &ref, &row));
		e->wish->account = row->id;
	}
	if (!native_is_admin(e) && (is_all || !uuid_equal(e->wish->account, e->c->who->account)))
		return ctx_fail_field(e->c, ERR_DENIED, is_all ? STR("all") : STR("account"),
				      "Only administrators watch other accounts' rows.");
	return OK;
}

RESULT native_prepare_stream(struct native_call *e, void *args)
{
	(void) args;
	e->wish = arena_new_object(e->c->arena, struct feed_wish);
	if (!e->wish)
		return ctx_no_memory(e->c);
	struct str since = call_header(e->call, "Last-Event-ID");
	e->wish->since = since.n ? since : pairs_find(&e->query, "since");
	e->wish->who = e->c->who;
	e->wish->token = e->token;
	TRY(choose_kinds(e));
	return choose_account(e);
}

/* Hands the call to the feed, after the guard has permitted it. */
bool native_send_stream(struct api_call *core, struct buf *body, struct result *ret_result)
{
	struct native_call *e = native_call_of(core);
	struct feed *feed = native_face_of(e)->feed;
	struct viewer *viewer = NULL;
	if (!e->wish)
		return false;
	buf_done(body);
	*ret_result = feed ? feed_admit(feed, e->c, e->wish, &viewer)
			   : ctx_fail(e->c, ERR_UNSUPPORTED, "Nothing is streamed here.");
	if (!result_is_ok(*ret_result))
		return true;
	call_set_answer_header(e->call, "X-Accel-Buffering", STR("no"));
	const struct http_stream_owner owner = feed_owner_of(viewer);
	struct http_stream *stream =
		call_answer_stream(e->call, "text/event-stream; charset=utf-8", FEED_UNSENT_MAX, &owner);
	if (stream)
		(void) http_stream_write(stream, STR("retry: 2000\n\n"));
	feed_start(viewer, stream);
	return true;
}

static RESULT answer(struct native_call *e, const void *args, struct json_writer *w)
{
	(void) e;
	(void) args;
	(void) w;
	return OK;
}

static const struct native_action rows[] = {
	{HTTP_GET, "/stream", .name = "Stream", .permit = "dari:Stream",
	 .flags = API_FOR_ALL | NATIVE_STREAMS | NATIVE_UNSCOPED, .prepare = native_prepare_stream,
	 .answer = answer, .doc = "Streams rows as they change, as server-sent events."},
};
const struct api_actions native_stream_actions = API_ACTIONS(rows);

void native_end_streams(struct api_face *core)
{
	if (core)
		feed_end(((struct native_face *) core)->feed);
}
