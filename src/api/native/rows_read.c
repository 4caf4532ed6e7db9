/* SPDX-License-Identifier: Apache-2.0
 * Reads of single rows, their history and state explanation; search over all kinds; and the caller's
 * identity, permissions and quotas.
 */
#include <inttypes.h>

#include "api/core/explain.h"
#include "api/core/kinds_read.h"
#include "api/core/params.h"
#include "api/native/dry.h"
#include "api/native/list.h"

#include "auth/guard/guard.h"
#include "base/crypto.h"
#include "base/vec.h"
#include "model/permission.h"
#include "store/account.h"
#include "store/event.h"
#include "store/sql.h"

/* ---- ETags ---- */

RESULT native_set_etag(struct native_call *e, const enum kind *kinds, size_t count)
{
	const struct identity *who = e->c->who;
	const struct tables *t = native_tables(e);
	uint64_t newest = 0;
	uint8_t sum[SHA256_SIZE];
	char user[UUID_TEXT_SIZE], account[UUID_TEXT_SIZE];
	for (size_t k = 0; k < count; k++) {
		uint64_t commit = tables_kind_commit(t, kinds[k]);
		newest = commit > newest ? commit : newest;
	}
	struct str asked =
		str_print(e->c->arena, "%" STR_FMT "?%" STR_FMT " %s %s %x %d%d %llu %lld",
			  STR_ARG(e->call->path), STR_ARG(e->call->query), uuid_write(who->user, user),
			  uuid_write(who->account, account), who->rights, who->is_owner, native_is_admin(e),
			  (unsigned long long) newest, (long long) native_face_of(e)->started_us);
	if (!asked.p)
		return ctx_no_memory(e->c);
	crypto_sha256(asked, sum);
	e->etag = str_print(e->c->arena, "\"%" STR_FMT "\"", STR_ARG(str_encode_hex(e->c->arena, sum, 12)));
	struct str none = call_header(e->call, "If-None-Match");
	if (str_is(str_trim(none), "*") || str_contains(none, e->etag)) {
		e->status = 304;
		e->has_no_body = true;
	}
	return OK;
}

/* ---- one row ---- */

static RESULT find_target(struct native_call *e, const struct row **ret_row)
{
	enum kind kind = native_action_of(e)->kind;
	struct ref ref = native_read_ref(pairs_find(&e->path, "id"), kind, STR("id"));
	TRY(native_find_row(e, kind, &ref, ret_row));
	e->target = ref_by_id(kind, (*ret_row)->id);
	return OK;
}

RESULT native_prepare_row(struct native_call *e, void *args)
{
	const struct row *row = NULL;
	(void) args;
	return find_target(e, &row);
}

void native_write_row(struct native_call *e, struct json_writer *w, const char *key, enum kind kind,
		      const struct row *row)
{
	struct row_choice all;
	row_choose_all(kind, &all);
	const struct row_writer rw = {.arena = e->c->arena,
				      .tables = native_tables(e),
				      .kind = kind,
				      .choice = &all,
				      .whole_commit = tables_whole_commit};
	row_write(&rw, w, key, row, row_class(e->c, kind, row));
}

RESULT native_answer_row(struct native_call *e, const void *args, struct json_writer *w)
{
	const struct row *row = tables_find(native_tables(e), e->target.kind, e->target.prefix);
	(void) args;
	if (!row)
		return engine_fail_gone(e->c, e->target.kind, e->target.prefix);
	json_write_int(w, "batch", (int64_t) e->view.commit);
	native_write_row(e, w, "item", e->target.kind, row);
	return OK;
}

/* ---- history ---- */

enum { EVENTS_LIMIT = 50, EVENTS_LIMIT_MAX = 1000 };

struct events_walk {
	struct native_call *e;
	struct json_writer *w;
	size_t count, max;
	int64_t last_us, last_seq;
};

static RESULT write_event(void *arg, const struct event *event)
{
	struct events_walk *walk = arg;
	struct json_writer *w = walk->w;
	if (walk->count++ == walk->max) /* read only to learn that another page follows */
		return OK;
	json_write_open(w, NULL);
	json_write_int(w, "seq", event->seq);
	json_write_int(w, "at_us", event->at_us);
	json_write_z(w, "kind", model_kinds[event->kind].name);
	json_write_uuid(w, "id", event->id);
	if (!uuid_is_none(event->account))
		json_write_uuid(w, "account", event->account);
	if (!uuid_is_none(event->user))
		json_write_uuid(w, "user", event->user);
	if (event->request_id.n)
		json_write_text(w, "request_id", event->request_id);
	json_write_text(w, "action", event->action);
	json_write_text(w, "what", event->what);
	json_write_text(w, "text", event->text);
	json_write_text(w, "sentence", event->sentence);
	json_write_open_list(w, "arguments");
	for (struct str rest = event->arguments, one; event_take_argument(&rest, &one);)
		json_write_text(w, NULL, one);
	json_write_close_list(w);
	json_write_close(w);
	walk->last_us = event->at_us;
	walk->last_seq = event->seq;
	return OK;
}

static RESULT read_number(struct native_call *e, const char *name, int64_t max, int64_t *number)
{
	struct str said = pairs_find(&e->query, name);
	if (said.p && (!result_is_ok(str_parse_int(said, number)) || *number < 1 || *number > max))
		return ctx_fail_field(e->c, ERR_INVALID, str_from(name), "%s must be 1 to %lld.", name,
				      (long long) max);
	return OK;
}

/* Reads a time, or the last event of a page as "TIME-SEQ": the events of one change have the same time. */
static RESULT read_before(struct native_call *e, struct event_query *query)
{
	struct str said = pairs_find(&e->query, "before");
	size_t dash = str_find_char(said, '-', 0);
	bool has_seq = dash < said.n;
	if (!said.p || (result_is_ok(str_parse_int(str_slice(said, 0, dash), &query->before_us)) &&
			query->before_us > 0 &&
			(!has_seq || (result_is_ok(str_parse_int(str_slice(said, dash + 1, said.n),
								 &query->before_seq)) &&
				      query->before_seq > 0))))
		return OK;
	return ctx_fail_field(e->c, ERR_INVALID, STR("before"),
			      "before must be a time in microseconds, or the \"next\" of a page.");
}

static RESULT answer_events(struct native_call *e, struct event_query *query, struct json_writer *w)
{
	int64_t limit = EVENTS_LIMIT;
	struct events_walk walk = {.e = e, .w = w};
	TRY(read_number(e, "limit", EVENTS_LIMIT_MAX, &limit));
	TRY(read_before(e, query));
	walk.max = (size_t) limit;
	query->max = walk.max + 1;
	native_release_tables(e);
	json_write_open_list(w, "items");
	TRY(store_read_events(e->config->store, e->c, query, write_event, &walk));
	json_write_close_list(w);
	if (walk.count > walk.max)
		json_write_text(w, "next",
				str_print(e->c->arena, "%" PRId64 "-%" PRId64, walk.last_us, walk.last_seq));
	return OK;
}

/* Writes the events of a row; an empty list if they are those of another account. */
static RESULT answer_history(struct native_call *e, enum kind kind, const struct row *row,
			     struct json_writer *w)
{
	struct event_query query = {.id = row->id};
	if (row_tells_problems(kind, row, row_class(e->c, kind, row)))
		return answer_events(e, &query, w);
	json_write_open_list(w, "items");
	json_write_close_list(w);
	return OK;
}

RESULT native_prepare_events(struct native_call *e, void *args)
{
	const struct row *row = NULL;
	(void) args;
	return find_target(e, &row);
}

RESULT native_answer_events(struct native_call *e, const void *args, struct json_writer *w)
{
	const struct row *row = tables_find(native_tables(e), e->target.kind, e->target.prefix);
	(void) args;
	if (!row)
		return engine_fail_gone(e->c, e->target.kind, e->target.prefix);
	return answer_history(e, e->target.kind, row, w);
}

struct all_events {
	struct str kinds;
};

static RESULT prepare_all_events(struct native_call *e, void *args)
{
	struct all_events *a = args;
	return api_list_kinds_read(&e->core, GUARD_OF_DARI, native_is_admin(e), &a->kinds);
}

/* Writes events of the account, or with all=1 of all accounts, limited to kinds that the caller may
 * list. */
static RESULT answer_all_events(struct native_call *e, const void *args, struct json_writer *w)
{
	struct event_query query = {.account = e->c->who->account,
				    .kinds = ((const struct all_events *) args)->kinds};
	bool is_all = false;
	TRY(native_read_flag(e, "all", &is_all));
	if (is_all) {
		if (!native_is_admin(e))
			return ctx_fail_field(e->c, ERR_DENIED, STR("all"),
					      "Only administrators see all accounts' events.");
		query.account = UUID_NONE;
	}
	return answer_events(e, &query, w);
}

/* ---- why it is as it is ---- */

struct explain_args {
	enum kind kind;
	uuid id;
};

static RESULT prepare_explain(struct native_call *e, void *args)
{
	struct explain_args *a = args;
	const struct row *row = NULL;
	bool may = false;
	TRY(native_find_anything(e, pairs_find(&e->path, "id"), &a->kind, &row));
	a->id = row->id;
	view_close(&e->view); /* the guard opens its own view */
	e->view = (struct view){0};
	TRY(native_may_read(e, a->kind, &may));
	return may ? OK : ctx_fail(e->c, ERR_DENIED, "You may not list %s.", model_shown[a->kind].name);
}

/* Writes the row that blocks this one, if the caller may see it. */
static void write_waits_for(struct native_call *e, struct json_writer *w, const struct explanation *x)
{
	if (!x->waits_for || !native_sees(e->c, x->t, x->waits_for_kind, x->waits_for))
		return;
	json_write_open(w, "waits_for");
	json_write_z(w, "kind", model_kinds[x->waits_for_kind].name);
	json_write_uuid(w, "id", x->waits_for->id);
	json_write_close(w);
}

static RESULT answer_explain(struct native_call *e, const void *args, struct json_writer *w)
{
	const struct explain_args *a = args;
	struct explanation x = {.arena = e->c->arena,
				.reconciler = e->config->reconciler,
				.t = native_tables(e),
				.kind = a->kind,
				.row = tables_find(native_tables(e), a->kind, a->id)};
	/* the view is another one than that of prepare_explain(): the row may have gone to another account */
	if (!x.row || !native_sees(e->c, x.t, a->kind, x.row))
		return engine_fail_gone(e->c, a->kind, a->id);
	explain_begin(&x);
	bool is_hosts = x.waits_for_kind == KIND_HOST &&
			!native_is_admin(e); /* only administrators learn about hosts */
	bool is_told = row_tells_problems(a->kind, x.row, row_class(e->c, a->kind, x.row));
	json_write_z(w, "kind", model_kinds[a->kind].name);
	json_write_z(w, "state", explain_state(&x));
	json_write_int(w, "since_us", explain_since_us(&x) ? explain_since_us(&x) : x.row->updated_us);
	if (explain_is_obstructed(&x) && !is_hosts && is_told)
		json_write_text(w, "in_its_way", explain_obstacle(&x));
	write_waits_for(e, w, &x);
	if (x.reconciler && is_told)
		json_write_text(w, "next_try", explain_next_try(&x));
	if (explain_advice(&x).n && is_told)
		json_write_text(w, "advice", explain_advice(&x));
	native_write_row(e, w, "item", a->kind, x.row);
	json_write_open(w, "events");
	TRY(answer_history(e, a->kind, x.row, w));
	json_write_close(w);
	return OK;
}

/* ---- search ---- */

enum { SEARCH_MAX = 50, SEARCH_OF_KIND_MAX = 10 };

/* Name of the row, else the Name tag that EC2 clients set. */
static struct str name_of(const struct kind_info *k, const struct row *row)
{
	const struct str *name =
		k->name_offset ? (const void *) ((const char *) row + k->name_offset) : &STR_NONE;
	const struct tags *tags =
		k->tags_offset ? (const void *) ((const char *) row + k->tags_offset) : NULL;
	const struct tag *tag = tags && !name->n ? tags_find(*tags, STR("Name")) : NULL;
	return tag ? tag->value : *name;
}

static void write_found(struct native_call *e, struct json_writer *w, enum kind kind, const struct row *row)
{
	const struct kind_info *k = &model_kinds[kind];
	char ec2[EC2_ID_TEXT_SIZE];
	const char *state = native_state(native_tables(e), kind, row);
	json_write_open(w, NULL);
	json_write_z(w, "kind", k->name);
	json_write_z(w, "path", model_shown[kind].name);
	json_write_uuid(w, "id", row->id);
	if (*k->ec2_prefix)
		json_write_z(w, "ec2", id_write_ec2(kind, row->id, ec2));
	if (name_of(k, row).n)
		json_write_text(w, "name", name_of(k, row));
	if (state)
		json_write_z(w, "state", state);
	json_write_close(w);
}

/* True if the caller may list the kind. */
RESULT native_may_read(struct native_call *e, enum kind kind, bool *ret_may)
{
	const struct guard_request request = {.action = str_from(native_permit(model_shown[kind].read)),
					      .words = GUARD_OF_DARI,
					      .has_role = e->c->who->is_owner ||
							  identity_has(e->c->who, RIGHT_READER),
					      .arg = e};
	if (model_shown[kind].is_for_admins && !native_is_admin(e)) {
		*ret_may = false;
		return OK;
	}
	return guard_ask_actions(e->config->guards, e->call, &request, 1, ret_may);
}

struct search {
	struct listing l;
	size_t shown;
};

static RESULT search_kind(struct search *s, struct json_writer *w)
{
	struct listing *l = &s->l;
	size_t room = SEARCH_MAX - s->shown;
	l->limit = room < SEARCH_OF_KIND_MAX ? room : SEARCH_OF_KIND_MAX;
	l->t = native_tables(l->e);
	TRY(listing_run(l));
	for (size_t k = 0; k < l->page.count; k++)
		write_found(l->e, w, l->kind, l->page.rows[k]);
	s->shown += l->page.count;
	return OK;
}

static RESULT prepare_search(struct native_call *e, void *args)
{
	bool *may = args;
	struct str q = pairs_find(&e->query, "q");
	if (!str_trim(q).n)
		return ctx_fail_field(e->c, ERR_MISSING, STR("q"), "q is missing: the words to look for.");
	for (enum kind k = KIND_NONE + 1; k < KIND_COUNT; k++)
		if (model_shown[k].name)
			TRY(native_may_read(e, k, &may[k]));
	return OK;
}

static RESULT answer_search(struct native_call *e, const void *args, struct json_writer *w)
{
	const bool *may = args;
	struct search *s = arena_new_object(e->c->arena, struct search);
	if (!s)
		return ctx_no_memory(e->c);
	json_write_open_list(w, "items");
	for (enum kind k = KIND_NONE + 1; k < KIND_COUNT && s->shown < SEARCH_MAX; k++) {
		if (!may[k])
			continue;
		s->l = (struct listing){0};
		TRY(listing_read_search(e, k, &s->l));
		TRY(search_kind(s, w));
	}
	json_write_close_list(w);
	return OK;
}

/* ---- who, and may they ---- */

static RESULT answer_me(struct native_call *e, const void *args, struct json_writer *w)
{
	static const char *const rights[] = {"none", "reader", "member", "manager", "admin"};
	const struct identity *who = e->c->who;
	(void) args;
	if (!uuid_is_none(who->user))
		json_write_uuid(w, "user", who->user);
	if (who->user_name.n)
		json_write_text(w, "user_name", who->user_name);
	if (!uuid_is_none(who->account))
		json_write_uuid(w, "account", who->account);
	if (who->account_number.n)
		json_write_text(w, "account_number", who->account_number);
	if (!uuid_is_none(who->domain))
		json_write_uuid(w, "domain", who->domain);
	json_write_text(w, "principal", guard_write_principal(who, e->c->arena));
	json_write_bool(w, "is_owner", who->is_owner);
	json_write_bool(w, "is_admin", native_is_admin(e));
	json_write_open_list(w, "rights");
	for (enum right r = RIGHT_READER; r <= RIGHT_ADMIN; r++)
		if (identity_has(who, r))
			json_write_z(w, NULL, rights[r]);
	json_write_close_list(w);
	json_write_text(w, "region", e->config->region);
	return OK;
}

enum { MAY_MAX = 64 };

/* True for permissions that a reader's role includes. */
static bool is_read(struct str permission)
{
	return str_contains(permission, STR(".list")) || str_contains(permission, STR(".get")) ||
	       str_contains(permission, STR(".describe"));
}

/* Closes the view, because the guard opens its own. */
static void close_view(struct native_call *e)
{
	view_close(&e->view);
	e->view = (struct view){0};
}

/* True if all actions with that permission are for administrators, so that no role or policy grants it
 * to others. */
static bool is_for_admins(const struct native_call *e, const char *permit)
{
	const struct native_face *face = native_face_of(e);
	bool is_known = false;
	for (size_t k = 0; k < face->route_count; k++) {
		const struct api_action *a = face->routes[k].entry.action;
		if (strcmp(a->permit, permit) != 0)
			continue;
		if (!(a->flags & NATIVE_ADMIN))
			return false;
		is_known = true;
	}
	return is_known;
}

/* Asks for one permission. id empty: for any row. */
static RESULT ask_one(struct native_call *e, struct str name, struct str id, bool *ret_may)
{
	const struct identity *who = e->c->who;
	int permission = permission_find(name);
	if (permission == PERMISSION_NONE)
		return ctx_fail_field(e->c, ERR_INVALID, STR("permission"),
				      "There is no permission %" STR_FMT ".",
				      STR_ARG(str_slice(name, 0, 64)));
	const struct guard_request request = {
		.action = str_from(model_permissions[permission].action),
		.words = GUARD_OF_DARI,
		.is_change = id.n && !is_read(name),
		.has_role = who->is_owner || identity_has(who, is_read(name) ? RIGHT_READER : RIGHT_MEMBER),
		.arg = e};
	struct guard *kept = e->c->guard;
	const struct row *row = NULL;
	enum kind kind = KIND_NONE;
	close_view(e);
	if (is_for_admins(e, model_permissions[permission].action) && !native_is_admin(e)) {
		*ret_may = false;
		return OK;
	}
	struct result asked = guard_check_action(e->config->guards, e->call, &request);
	if (result_is_ok(asked) && id.n)
		asked = native_find_anything(e, id, &kind, &row); /* checks the guard for that row */
	e->c->guard = kept;
	close_view(e);
	*ret_may = result_is_ok(asked);
	if (asked.code != ERR_DENIED)
		return asked;
	ctx_clear_problem(e->c);
	return OK;
}

struct may_args {
	struct strs permissions;
	bool *may;
};

/* Reads ?permission=instance.stop,instance.start&id=i-…. Without id: for any row. */
static RESULT prepare_may(struct native_call *e, void *args)
{
	struct may_args *a = args;
	struct str said = pairs_find(&e->query, "permission"), id = pairs_find(&e->query, "id"), name;
	VEC(struct str) names = {0};
	while (str_split_next(&said, ',', &name))
		if (!VEC_PUSH(e->c->arena, &names, name))
			return ctx_no_memory(e->c);
	if (!names.count || names.count > MAY_MAX)
		return ctx_fail_field(e->c, names.count ? ERR_TOO_LARGE : ERR_MISSING, STR("permission"),
				      "permission must name 1 to %d.", MAY_MAX);
	a->permissions = (struct strs){names.at, names.count};
	a->may = arena_new_array(e->c->arena, bool, names.count);
	if (!a->may)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < names.count; k++)
		TRY(ask_one(e, names.at[k], id, &a->may[k]));
	return OK;
}

static RESULT answer_may(struct native_call *e, const void *args, struct json_writer *w)
{
	const struct may_args *a = args;
	(void) e;
	json_write_open(w, "may");
	for (size_t k = 0; k < a->permissions.count; k++) {
		json_write_key(w, a->permissions.at[k]);
		json_write_bool(w, NULL, a->may[k]);
	}
	json_write_close(w);
	return OK;
}

/* Sets an ETag that lasts as long as the process: the answer depends on the program alone. */
static RESULT prepare_const(struct native_call *e, void *args)
{
	(void) args;
	return native_set_etag(e, NULL, 0);
}

/* ---- limits ---- */

struct quotas_args {
	struct ref account;
};
static const struct param quotas_params[] = {
	PARAM(struct quotas_args, "account", account, .kind = KIND_ACCOUNT, .place = IN_QUERY,
	      .doc = "Account; absent: the caller's. Only administrators may name another."),
};

static RESULT answer_quotas(struct native_call *e, const void *args, struct json_writer *w)
{
	const struct quotas_args *a = args;
	struct ref own = ref_by_id(KIND_ACCOUNT, e->c->who->account);
	const struct row *row = NULL;
	TRY(engine_find(e->c, native_tables(e), KIND_ACCOUNT, ref_is_given(&a->account) ? &a->account : &own,
			&row));
	if (!uuid_equal(row->id, e->c->who->account) && !native_is_admin(e))
		return ctx_fail(e->c, ERR_DENIED, "Only administrators of the region see others' limits.");
	json_write_int(w, "batch", (int64_t) e->view.commit);
	native_write_quotas(w, account_of(row));
	return OK;
}

static const struct native_action rows[] = {
	{HTTP_GET, "/schema", .name = "GetSchema", .permit = "dari:GetSchema",
	 .flags = API_FOR_ALL | NATIVE_UNSCOPED, .prepare = prepare_const, .answer = native_answer_schema,
	 .doc = "Describes kinds, their fields, and all actions."},
	{HTTP_GET, "/openapi.json", .name = "GetOpenApi", .permit = "dari:GetOpenApi",
	 .flags = API_FOR_ALL | NATIVE_UNSCOPED, .prepare = prepare_const, .answer = native_answer_openapi,
	 .doc = "Describes kinds, fields and actions as OpenAPI 3.1."},
	{HTTP_GET, "/me", .name = "WhoAmI", .permit = "dari:WhoAmI", .flags = API_FOR_ALL | NATIVE_UNSCOPED,
	 .answer = answer_me, .doc = "Returns the caller, the account and the caller's permissions."},
	{HTTP_GET, "/may", .name = "MayI", .permit = "dari:MayI", .flags = API_FOR_ALL,
	 .args = {.size = sizeof(struct may_args)}, .prepare = prepare_may, .answer = answer_may,
	 .query = "permission|id",
	 .doc = "Returns which permissions the caller has on a row, or in general."},
	{HTTP_GET, "/explain/{id}", .name = "Explain", .permit = "dari:Explain", .flags = API_FOR_ALL,
	 .args = {.size = sizeof(struct explain_args)}, .prepare = prepare_explain, .answer = answer_explain,
	 .doc = "Explains the state of a row: its problems, the time of the next attempt, and what to do."},
	{HTTP_GET, "/search", .name = "Search", .permit = "dari:Search", .flags = API_FOR_ALL,
	 .args = {.size = KIND_COUNT * sizeof(bool)}, .prepare = prepare_search, .answer = answer_search,
	 .query = "q|all", .doc = "Finds rows of all kinds by id, name, address or tag; at most 50."},
	{HTTP_GET, "/quotas", .name = "ListQuotas", .permit = "ec2:DescribeAccountAttributes",
	 .args = PARAMS(struct quotas_args, quotas_params), .answer = answer_quotas,
	 .doc = "Lists the usage and quotas of the account; -1: unlimited."},
	{HTTP_GET, "/events", .name = "ListEvents", .permit = "ec2:DescribeEvents",
	 .args = {.size = sizeof(struct all_events)}, .query = "limit|before|all",
	 .prepare = prepare_all_events, .answer = answer_all_events,
	 .doc = "Lists the events of the account, newest first."},
};
const struct api_actions native_region_actions = API_ACTIONS(rows);
