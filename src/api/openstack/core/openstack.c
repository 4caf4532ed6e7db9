/* SPDX-License-Identifier: Apache-2.0
 * A call from request to answer. Two places may leave the thread: face_commit() and face_observe();
 * the call then goes on in call_resumed(). */
#include "api/openstack/core/openstack.h"

#include <assert.h>
#include <stdlib.h>
#include <unistd.h>

#include "api/answers.h"
#include "api/openstack/core/errors.h"
#include "api/openstack/core/list.h"
#include "api/openstack/core/services.h"
#include "api/openstack/core/words.h"
#include "api/openstack/core/write.h"
#include "auth/guard.h"
#include "auth/limit.h"
#include "auth/password.h"
#include "base/crypto.h"
#include "base/heap.h"
#include "model/role.h"

enum { ACTIONS_MAX = 640, BODY_CAP_SIZE = 1024 * 1024 };

#define OBSERVE_TIMEOUT_US (10 * SECOND)

static const struct os_actions *const action_groups[] = {
#define GROUP(name) &os_##name##_actions,
#include "api/openstack/core/action_groups.def"
#undef GROUP
};

/* An action where paths lead to it. */
struct os_route {
	enum os_service service;
	size_t segment_count;
	const struct os_action *action;
	const struct audited *audited; /* NULL: it is not recorded */
};

struct openstack_face {
	struct openstack_config config;
	struct os_route routes[ACTIONS_MAX]; /* sorted by service and segments */
	size_t route_count;
	char *region, *endpoint;
	struct face_answers *answers;
};

/* ---- routes ---- */

/* The next segment that is not empty: slashes may stand twice, and at the end. */
static bool next_segment(struct str *path, struct str *ret_segment)
{
	while (str_split_next(path, '/', ret_segment))
		if (ret_segment->n)
			return true;
	return false;
}

static size_t count_segments(struct str path)
{
	struct str segment;
	size_t count = 0;
	while (next_segment(&path, &segment))
		count++;
	return count;
}

/* Literal segments go before variables: "detail" is no server's id. */
static int compare_routes(const void *a, const void *b)
{
	const struct os_route *x = a, *y = b;
	if (x->service != y->service)
		return x->service < y->service ? -1 : 1;
	if (x->segment_count != y->segment_count)
		return x->segment_count < y->segment_count ? -1 : 1;
	for (const char *p = x->action->path, *q = y->action->path;; p++, q++) {
		if (*p != *q)
			return *p == '{' ? 1 : *q == '{' ? -1 : *p - *q;
		if (!*p)
			return 0;
	}
}

static void sum_routes(struct openstack_face *face)
{
	for (size_t g = 0; g < sizeof action_groups / sizeof action_groups[0]; g++)
		for (size_t k = 0; k < action_groups[g]->count; k++) {
			const struct os_action *action = &action_groups[g]->at[k];
			assert(face->route_count < ACTIONS_MAX);
			face->routes[face->route_count++] = (struct os_route){
				action_groups[g]->service, count_segments(str_from(action->path)), action,
				audited_find_recorded(action->permit)};
		}
	qsort(face->routes, face->route_count, sizeof face->routes[0], compare_routes);
}

/* Whether the path is of that form; its variables then. */
static bool path_fits(struct str form, struct str path, struct os_pair variables[static OS_VARIABLES_MAX],
		      size_t *ret_count)
{
	struct str want, got;
	size_t count = 0;
	while (next_segment(&form, &want)) {
		bool has_one = next_segment(&path, &got);
		assert(has_one); /* as many segments */
		if (want.p[0] == '{') {
			assert(count < OS_VARIABLES_MAX);
			variables[count++] = (struct os_pair){str_slice(want, 1, want.n - 1), got};
		} else if (!str_equal(want, got)) {
			return false;
		}
	}
	*ret_count = count;
	return true;
}

/* ---- life ---- */

RESULT openstack_new(struct ctx *c, const struct openstack_config *config, struct openstack_face **ret_face)
{
	struct openstack_face *face = heap_new(struct openstack_face);
	if (!face)
		return ctx_no_memory(c);
	face->config = *config;
	face->region = heap_copy_z(str_to_z(c->arena, config->region));
	face->endpoint = heap_copy_z(str_to_z(c->arena, config->endpoint));
	face->answers = face_answers_new();
	if (!face->region || !face->endpoint || !face->answers) {
		openstack_free(face);
		return ctx_no_memory(c);
	}
	face->config.region = str_from(face->region);
	face->config.endpoint = str_from(face->endpoint);
	sum_routes(face);
	*ret_face = face;
	return OK;
}

void openstack_free(struct openstack_face *face)
{
	if (!face)
		return;
	heap_free(face->region);
	heap_free(face->endpoint);
	face_answers_free(face->answers);
	heap_free(face);
}

/* ---- the view of an answer ---- */

const struct tables *os_walk(struct os_call *e)
{
	if (!e->view.store)
		view_open(e->config->store, &e->view);
	assert(e->view.tables);
	return e->view.tables;
}

void os_stop_walking(struct os_call *e)
{
	if (e->view.store && !e->is_bulk) /* of many, the next one walks, too */
		view_stop_walking(&e->view);
}

RESULT os_find_shown(struct os_call *e, uuid id, const struct row **ret_row)
{
	return face_find_shown(e->c, &e->change, os_walk(e), id, ret_row);
}

RESULT os_find(struct os_call *e, enum kind kind, const struct ref *ref, const struct row **ret_row)
{
	*ret_row = face_find_left(&e->change, kind, ref->prefix);
	return *ret_row ? OK : engine_find(e->c, os_walk(e), kind, ref, ret_row);
}

/* ---- answering ---- */

/* ---- the audit log ---- */

static void begin_audit(struct os_call *e)
{
	e->audit = audit_begin(e->call, e->audited, "openstack");
	if (!e->audit || !e->c->who)
		return;
	struct str by = audit_write_credential(e->c->arena, e->c->who);
	struct str audit = os_write_audit_id(e->c->arena, e->token.audit);
	e->audit->record.texts[AUDIT_CREDENTIAL] = str_print(e->c->arena, "token:%" STR_FMT "%s%" STR_FMT,
							     STR_ARG(audit), by.n ? " " : "", STR_ARG(by));
}

void os_audit(struct os_call *e)
{
	if (!e->audit)
		begin_audit(e);
}

/* What the path names. */
static void add_subject(struct os_call *e)
{
	const struct os_pairs *path = &e->request.path;
	for (size_t k = 0; e->audit && k < path->count; k++)
		audit_add_subject(e->audit, str_to_z(e->c->arena, path->at[k].name), path->at[k].value);
}

static void answer_failed(struct audit_call *a, struct result written)
{
	(void) written; /* told in the log */
	os_answer_problem(a->call->face_data, a->result);
}

static void fail_call(struct os_call *e, struct result result)
{
	const struct problem *p = &e->c->problem;
	struct str code = STR_NONE;
	if (e->audit && result.code == ERR_THROTTLED)
		e->audit->is_told = true; /* nothing of it was looked at */
	else if (e->audit)
		code = str_print(
			e->c->arena, "%d",
			os_find_error(e->service, p->err ? p->err : result.code, p->kind, p->field)->status);
	if (!face_audit(e->audit, e->config->store, result, code, answer_failed))
		os_answer_problem(e, result);
}

/* In place of an answer that was written, whose headers are gone. */
static void fail_unrecorded(struct call *call, struct result result)
{
	struct os_call *e = call->face_data;
	e->has_headers = false;
	os_answer_problem(e, result);
}

/* ---- writing ---- */

static RESULT write_members(struct os_call *e, const void *args, struct json_writer *w)
{
	if (e->action->answer)
		return e->action->answer(e, args, w);
	return os_list(e, e->action->list, w);
}

static RESULT write_bulk(struct os_call *e, struct json_writer *w)
{
	json_write_open_list(w, str_to_z(e->c->arena, str_print(e->c->arena, "%ss", e->action->item)));
	for (size_t k = 0; k < e->arg_count; k++) {
		json_write_open(w, NULL);
		TRY(write_members(e, (char *) e->args + k * e->action->args.size, w));
		json_write_close(w);
	}
	json_write_close_list(w);
	return OK;
}

/* The whole answer in a buffer; when it fails, the half-written one is dropped. */
static RESULT write_answer(struct os_call *e, struct buf *body)
{
	const struct os_action *a = e->action;
	struct json_writer w;
	json_write_begin(&w, body);
	if (a->flags & OS_IN_PLACE) {
		TRY(write_members(e, e->args, &w));
	} else {
		json_write_open(&w, NULL);
		if (e->is_bulk) {
			TRY(write_bulk(e, &w));
		} else {
			if (a->item)
				json_write_open(&w, a->item);
			TRY(write_members(e, e->args, &w));
			if (a->item)
				json_write_close(&w);
		}
		json_write_close(&w);
	}
	TRY(guard_check_rest(e->c));
	if (arena_is_full(e->c->arena))
		return ctx_no_memory(e->c);
	return json_write_end(&w);
}

static const char content_type[] = "application/json";

/* Of a list, which follows from what the view sees, who asks and what is asked. */
static bool make_answer_key(struct os_call *e, struct face_answer_key *ret_key)
{
	const struct identity *who = e->c->who;
	char user[UUID_TEXT_SIZE];
	if (!e->action->list || e->action->answer || !who || guard_awaits_rows(e->c))
		return false;
	struct str asked =
		str_print(e->c->arena, "%" STR_FMT "\n%" STR_FMT "\n%" STR_FMT "\n%d\n%s\n%d %x",
			  STR_ARG(e->call->path), STR_ARG(e->call->query), STR_ARG(e->base_url),
			  e->request.version, uuid_write(who->user, user), (int) who->scope, who->rights);
	if (!asked.p)
		return false;
	uint8_t digest[SHA256_SIZE];
	crypto_sha256(asked, digest);
	struct str hex = str_encode_hex(e->c->arena, digest, sizeof digest);
	if (hex.n != sizeof ret_key->digest)
		return false;
	(void) os_walk(e);
	ret_key->account = who->account;
	ret_key->batch = e->view.batch;
	memcpy(ret_key->digest, hex.p, hex.n);
	return true;
}

static void answer_body(struct os_call *e, int status, struct buf *body)
{
	if (!e->has_no_body) {
		call_answer(e->call, status, content_type, body);
		return;
	}
	buf_done(body);
	call_answer(e->call, status, NULL, NULL);
}

/* What was written. key: under which it is kept, if nobody is to be told of each call; NULL: it is not. */
static RESULT send_answer(struct os_call *e, const struct face_answer_key *key, int status, struct buf *body)
{
	if (e->audit)
		face_answer_audited(e->audit, e->config->store, status, e->has_no_body ? NULL : content_type,
				    body, fail_unrecorded);
	else if (key)
		return face_answers_keep(e->answers, key, e->call, content_type, body);
	else
		answer_body(e, status, body);
	return OK;
}

static void answer_call(struct os_call *e)
{
	if (e->file) {
		os_set_headers(e);
		call_answer_file(e->call, 200, "application/octet-stream", e->file, e->file_size);
		return;
	}
	struct buf body;
	struct face_answer_key key;
	bool is_kept = !e->audit && make_answer_key(e, &key);
	int status = e->status ? e->status : e->action->status ? e->action->status : 200;
	os_set_headers(e);
	if (is_kept && face_answers_send(e->answers, &key, e->call, content_type)) {
		view_close(&e->view);
		return;
	}
	e->has_no_body = e->has_no_body || !(e->action->answer || e->action->list);
	buf_init(&body, BUF_ANSWER_CAP);
	struct result result = e->has_no_body ? guard_check_rest(e->c) : write_answer(e, &body);
	view_close(&e->view);
	if (result_is_ok(result))
		result = send_answer(e, is_kept ? &key : NULL, e->status ? e->status : status, &body);
	if (result_is_ok(result))
		return;
	buf_done(&body);
	fail_call(e, result);
}

/* ---- from request to action ---- */

static struct str find_base_url(const struct os_call *e)
{
	struct str host = call_header(e->call, "Host"), scheme = call_header(e->call, "X-Forwarded-Proto");
	if (str_is_empty(host))
		return e->config->endpoint;
	if (!str_is(scheme, "http") && !str_is(scheme, "https"))
		scheme = e->call->is_tls ? STR("https") : STR("http");
	return str_print(e->c->arena, "%" STR_FMT "://%" STR_FMT, STR_ARG(scheme), STR_ARG(host));
}

/* Volume's paths name the project, and need not: "-" stands there where they do not. */
static struct str with_project(struct arena *a, struct str path)
{
	struct str rest = path, version, project;
	struct ref ref;
	if (!next_segment(&rest, &version) || !str_is(version, "v3") || !next_segment(&rest, &project) ||
	    os_parse_id(project, KIND_ACCOUNT, &ref))
		return path;
	return str_print(a, "/v3/-/%" STR_FMT "/%" STR_FMT, STR_ARG(project), STR_ARG(rest));
}

/* The token's own, unless an administrator asks. */
static RESULT check_project(struct os_call *e)
{
	struct str project = os_query_find(&e->request.path, "project_id");
	struct ref ref;
	if (e->service != OS_VOLUME || !project.p || str_is(project, "-") || os_is_admin(e))
		return OK;
	return os_parse_id(project, KIND_ACCOUNT, &ref) && uuid_equal(ref.prefix, e->c->who->account)
		       ? OK
		       : ctx_fail(e->c, ERR_INVALID, "Malformed request url: another project's.");
}

struct os_call *os_call_new(struct openstack_face *face, struct call *call)
{
	struct os_call *e = arena_new_object(call->ctx.arena, struct os_call);
	if (!e)
		return NULL;
	*e = (struct os_call){
		.call = call, .c = &call->ctx, .config = &face->config, .answers = face->answers};
	call->face_data = e;
	e->c->dialect = &os_words;
	(void) os_service_of_path(call->path, &e->service, &e->path);
	if (e->service == OS_VOLUME)
		e->path = with_project(call->ctx.arena, e->path);
	e->base_url = find_base_url(e);
	return e;
}

/* The body as JSON; NULL: there is none. */
/* Reading JSON takes an HTTP thread some 40 ns a byte, and strangers may send it, too. The services
 * themselves take no more than this. Source: oslo.middleware, "max_request_body_size". */
enum { JSON_BODY_MAX = 114688 };

static RESULT parse_body(struct os_call *e, json_t **ret_body)
{
	struct str text = str_trim(e->call->body);
	json_error_t error;
	*ret_body = NULL;
	if (str_is_empty(text))
		return OK;
	if (text.n > JSON_BODY_MAX)
		return ctx_fail(e->c, ERR_TOO_LARGE, "Request is too large.");
	*ret_body = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, &error);
	if (*ret_body && json_is_object(*ret_body))
		return OK;
	json_decref(*ret_body);
	*ret_body = NULL;
	return ctx_fail(e->c, ERR_INVALID, "Malformed request body: %s (line %d, column %d)",
			error.text[0] ? error.text : "it is not an object", error.line, error.column);
}

static bool has_version(const struct os_action *a, int version)
{
	return (!a->since || version >= a->since) && (!a->until || version <= a->until);
}

static enum http_method method_of(const struct call *call)
{
	return call->method == HTTP_HEAD ? HTTP_GET : call->method;
}

/* Compute, Image and Block Storage take a slash at the end for one more segment, an id that is empty: a
 * client whose id was empty is not to be told of all. The others leave it out. */
static bool ends_with_no_id(const struct os_call *e, size_t segments)
{
	bool has_two = e->service == OS_IMAGE || e->service == OS_COMPUTE;
	size_t fewest = has_two ? 2 : e->service == OS_VOLUME ? 3 : SIZE_MAX; /* of a collection */
	return segments >= fewest && str_ends_with(e->call->path, STR("/"));
}

/* The first route that fits, whatever the body's name; NULL: none, or (has_path) none with this method. */
static const struct os_route *find_route(const struct openstack_face *face, struct os_call *e,
					 bool *ret_has_path)
{
	size_t count = 0, segments = count_segments(e->path);
	struct os_pair *variables = arena_new_array(e->c->arena, struct os_pair, OS_VARIABLES_MAX);
	*ret_has_path = false;
	if (ends_with_no_id(e, segments))
		return NULL;
	for (size_t k = 0; variables && k < face->route_count; k++) {
		const struct os_route *r = &face->routes[k];
		if (r->service != e->service || r->segment_count != segments ||
		    !has_version(r->action, e->request.version) ||
		    !path_fits(str_from(r->action->path), e->path, variables, &count))
			continue;
		*ret_has_path = true;
		if (r->action->method != method_of(e->call))
			continue;
		e->request.path = (struct os_pairs){variables, count};
		return r;
	}
	return NULL;
}

/* Of the actions on one path the one that the body names. */
static RESULT find_named(const struct openstack_face *face, struct os_call *e, const struct os_route *first,
			 const json_t *body)
{
	void *member = json_object_iter((json_t *) body);
	const char *name = member ? json_object_iter_key(member) : "";
	for (const struct os_route *r = first; r < face->routes + face->route_count; r++) {
		if (strcmp(r->action->path, first->action->path) != 0)
			break;
		if (strcmp(r->action->name, name) == 0 && has_version(r->action, e->request.version)) {
			e->action = r->action;
			e->audited = r->audited;
			return OK;
		}
	}
	return ctx_fail(e->c, ERR_INVALID, "There is no such action: %s", name);
}

/* Decodes %XX in what the path names. */
static RESULT decode_path(struct os_call *e)
{
	struct os_pair *at = (struct os_pair *) e->request.path.at; /* the arena's copy is ours */
	for (size_t k = 0; k < e->request.path.count; k++) {
		struct str text = at[k].value, plus = STR_NONE;
		VEC(char) escaped = {0};
		for (size_t n = 0; n < text.n; n++) /* in a path a plus is a plus */
			for (const char *p = text.p[n] == '+' ? "%2B" : (char[]){text.p[n], 0}; *p; p++)
				if (!VEC_PUSH(e->c->arena, &escaped, *p))
					return ctx_no_memory(e->c);
		plus = (struct str){escaped.at, escaped.count};
		if (!result_is_ok(str_decode_url(e->c->arena, plus, &at[k].value)) ||
		    !str_is_utf8(at[k].value))
			return ctx_fail(e->c, ERR_NOT_FOUND, "The resource could not be found.");
	}
	return OK;
}

/* ---- who may ---- */

static RESULT authenticate(struct os_call *e)
{
	struct identity *who = NULL;
	if (e->action && e->action->flags & OS_OPEN)
		return OK;
	struct str token = call_header(e->call, "X-Auth-Token");
	if (str_is_empty(token))
		return ctx_fail(e->c, ERR_UNAUTHENTICATED,
				"The request you have made requires authentication.");
	TRY(token_check(e->config->tokens, e->c, token, &e->token, &who));
	e->c->who = who;
	e->call->account_number = who->account_number;
	return OK;
}

/* A role, or else a policy: but nobody becomes an administrator by a policy of an account's. */
static RESULT permit_action(struct os_call *e)
{
	const struct os_action *a = e->action;
	if (a->flags & OS_OPEN)
		return OK;
	bool is_scoped = !uuid_is_none(e->c->who->account) || a->flags & OS_UNSCOPED ||
			 e->service == OS_IDENTITY || os_is_admin(e);
	if (!is_scoped || (a->flags & OS_ADMIN && !os_is_admin(e)))
		return ctx_fail(e->c, ERR_DENIED, "Policy doesn't allow %s to be performed.", a->permit);
	const struct guard_request request = {.action = str_from(a->permit),
					      .words = GUARD_OF_OPENSTACK,
					      .is_change = a->operation,
					      .has_role = !(a->flags & OS_WRITES) || a->flags & OS_UNSCOPED ||
							  identity_has(e->c->who, ROLE_RIGHT_MEMBER)};
	return guard_check_action(e->config->guards, e->call, &request);
}

/* ---- the action ---- */

/* The object that holds the parameters; of many, a list of those. */
static RESULT find_parameters(struct os_call *e, const json_t *body, const json_t **ret_value)
{
	const struct os_action *a = e->action;
	const char *wrap = a->name ? a->name : a->wrap;
	*ret_value = body;
	e->arg_count = 1;
	if (!wrap)
		return OK;
	*ret_value = json_object_get(body, wrap);
	if (!*ret_value && a->flags & OS_BULK) {
		*ret_value =
			json_object_get(body, str_to_z(e->c->arena, str_print(e->c->arena, "%ss", wrap)));
		e->is_bulk = *ret_value;
		if (!json_is_array(*ret_value) || !json_array_size(*ret_value) ||
		    json_array_size(*ret_value) > OS_LIST_MAX)
			*ret_value = NULL;
		e->arg_count = *ret_value ? json_array_size(*ret_value) : 0;
	}
	if (a->name) /* a word of no parameters has null, or whatever else says nothing */
		*ret_value = json_is_object(*ret_value) ? *ret_value : NULL;
	else if (!*ret_value)
		return ctx_fail_field(e->c, ERR_MISSING, str_from(wrap), "'%s' is a required property", wrap);
	return OK;
}

static RESULT read_args(struct os_call *e, const json_t *body)
{
	const struct os_action *a = e->action;
	const json_t *value = NULL;
	TRY(find_parameters(e, body, &value));
	e->args = arena_alloc_array(e->c->arena, e->arg_count, a->args.size ? a->args.size : 1);
	if (!e->args)
		return ctx_no_memory(e->c);
	e->request.is_query_strict = e->service == OS_COMPUTE && e->request.version >= 75 && !a->list;
	for (size_t k = 0; k < e->arg_count; k++) {
		void *args = (char *) e->args + k * a->args.size;
		e->request.body = e->is_bulk ? json_array_get(value, k) : value;
		TRY(os_params_read(e->c, &a->args, &e->request, args));
	}
	for (size_t k = 0; a->prepare && k < e->arg_count; k++)
		TRY(a->prepare(e, (char *) e->args + k * a->args.size));
	return OK;
}

/* A file that was opened is sent without an answer being written. */
static RESULT check_stream(struct os_call *e)
{
	struct result permitted = guard_check_rest(e->c);
	if (!result_is_ok(permitted))
		(void) close(e->file);
	return permitted;
}

/* Everything up to the point where the action itself may run. */
static RESULT prepare_action(struct os_call *e, const json_t *body)
{
	TRY(decode_path(e));
	TRY(check_project(e));
	TRY(os_query_parse(e->c, e->call->query, &e->request.query));
	struct result result = read_args(e, body);
	if (result_is_ok(result) && e->file)
		result = check_stream(e);
	e->request.body = NULL; /* it ends here */
	view_close(&e->view);   /* a call is not parked with a view */
	TRY(result);
	return arena_is_full(e->c->arena) ? ctx_no_memory(e->c) : OK;
}

static void call_resumed(struct call *call, struct result result)
{
	struct os_call *e = call->face_data;
	if (result_is_ok(result))
		answer_call(e);
	else
		fail_call(e, result);
}

/* On the committer: one operation, or all of a list. */
static RESULT run_operations(struct op *op, void *wish)
{
	struct os_call *e = wish;
	for (size_t k = 0; k < e->arg_count; k++)
		TRY(e->action->operation(op, (char *) e->args + k * e->action->args.size));
	return OK;
}

static void commit_action(struct os_call *e)
{
	e->change = (struct face_change){.action = e->action->permit,
					 .run = run_operations,
					 .wish = e,
					 .audit = e->audit,
					 .shown = e->shows ? e->shows : e->action->shows};
	face_commit(e->call, e->config->store, &e->change, call_resumed);
}

static void work_resumed(struct call *call, struct result result)
{
	struct os_call *e = call->face_data;
	if (!result_is_ok(result))
		fail_call(e, result);
	else if (e->action->operation)
		commit_action(e);
	else
		answer_call(e);
}

static void run_action(struct os_call *e)
{
	const struct os_action *a = e->action;
	if (a->work && !e->skips_work) {
		struct lane *lane = e->lane ? e->lane : passwords_lane(e->config->passwords);
		const struct face_work work = {
			.lane = uuid_is_none(e->image) ? lane : NULL,
			.asker = uuid_is_none(e->asker) && e->c->who ? e->c->who->user : e->asker,
			.refusal = "This request was rate-limited.",
			.reconciler = e->config->reconciler,
			.image = e->image,
			.run = a->work,
			.arg = e,
		};
		face_work(e->call, &work, work_resumed);
	} else if (a->operation && !e->is_as_asked) {
		commit_action(e);
	} else if (a->look && !uuid_is_none(e->host)) {
		const struct face_look look = {e->config->reconciler, e->host, OBSERVE_TIMEOUT_US, a->look,
					       e->args};
		face_observe(e->call, &look, call_resumed);
	} else {
		answer_call(e);
	}
}

/* One of a flood is told in sum where it is counted. */
static RESULT check_limits(struct os_call *e, const struct os_action *action)
{
	bool is_within =
		e->c->who ? limits_take(e->config->limits, e->c->who, action && action->flags & OS_WRITES)
			  : limits_take_stranger(e->config->limits, e->call->peer);
	if (is_within)
		return OK;
	e->call->is_quiet = true;
	return ctx_fail(e->c, ERR_THROTTLED, "This request was rate-limited.");
}

static RESULT check_route(struct os_call *e, const struct os_route *r, bool has_path)
{
	if (r)
		return OK;
	if (has_path)
		return ctx_fail_field(e->c, ERR_UNSUPPORTED, STR("method"),
				      "The method %" STR_FMT " is not allowed for this resource.",
				      STR_ARG(e->call->method_name));
	return ctx_fail(e->c, ERR_NOT_FOUND, "The resource could not be found.");
}

static RESULT find_action(const struct openstack_face *face, struct os_call *e, json_t **ret_body)
{
	bool has_path = false;
	TRY(os_read_version(e));
	const struct os_route *r = find_route(face, e, &has_path);
	struct result proved = r && r->action->flags & OS_OPEN ? OK : authenticate(e);
	struct result within =
		e->c->who || !result_is_ok(proved) ? check_limits(e, r ? r->action : NULL) : OK;
	TRY(result_is_ok(within) ? proved : within);
	TRY(check_route(e, r, has_path));
	if (!(r->action->flags & OS_RAW_BODY))
		TRY(parse_body(e, ret_body));
	e->action = r->action;
	e->audited = r->audited;
	if (r->action->name)
		TRY(find_named(face, e, r, *ret_body));
	e->call->action = e->action->permit;
	if (e->audited && !(e->audited->does & AUDIT_WHEN_SAID))
		begin_audit(e);
	add_subject(e);
	return permit_action(e);
}

/* When the headers are there: of a call that takes a body as it comes all is done but to run it. */
static void begin_call(void *self, struct call *call)
{
	json_t *body = NULL;
	bool has_path = false;
	struct os_call *e = call->method == HTTP_PUT ? os_call_new(self, call) : NULL;
	const struct os_route *r =
		e && result_is_ok(os_read_version(e)) ? find_route(self, e, &has_path) : NULL;
	call->face_data = NULL;
	ctx_clear_problem(&call->ctx);
	if (!r || !(r->action->flags & OS_UPLOAD))
		return;
	call->face_data = e;
	struct result result = find_action(self, e, &body);
	if (result_is_ok(result))
		result = prepare_action(e, NULL);
	if (!result_is_ok(result))
		fail_call(e, result);
}

static void handle_call(void *self, struct call *call)
{
	json_t *body = NULL;
	if (call->face_data) { /* begun */
		run_action(call->face_data);
		return;
	}
	struct os_call *e = os_call_new(self, call);
	if (!e) {
		call_answer(call, 503, NULL, NULL);
		return;
	}
	struct result result = find_action(self, e, &body);
	if (result_is_ok(result))
		result = prepare_action(e, body);
	json_decref(body);
	if (result_is_ok(result))
		run_action(e);
	else
		fail_call(e, result);
}

const struct http_face openstack_http_face = {.name = "openstack",
					      .handle = handle_call,
					      .reject = os_reject,
					      .body_cap_size = BODY_CAP_SIZE,
					      .begin = begin_call};
