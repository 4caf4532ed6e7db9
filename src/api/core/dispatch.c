/* SPDX-License-Identifier: Apache-2.0
 * Runs a call from its request to its answer. Three functions may leave the thread: api_work(), api_commit()
 * and api_observe(). The call then continues in work_resumed() or call_resumed().
 */
#include "api/core/dispatch.h"
#include "api/core/forward.h"

#include <assert.h>
#include <unistd.h>

#include "auth/key/cloudstack_signature.h"
#include "auth/key/sigv4.h"
#include "auth/sign_in/login_throttle.h"
#include "base/clock.h"
#include "base/reads.h"
#include "engine/resolve.h"
#include "http/internal_call.h"
#include "http/share.h"
#include "model/role.h"
#include "store/access_key.h"

#define OBSERVE_TIMEOUT_US (10 * SECOND)

bool api_take_internal_caller(struct api_call *e)
{
	const struct identity *who = call_internal_caller(e->call);
	if (!who)
		return false;
	e->c->who = who;
	e->call->account_number = who->account_number;
	return true;
}

/* ---- for handlers ---- */

struct str api_base_url(const struct api_call *e)
{
	struct str host = call_header(e->call, "Host"), scheme = call_header(e->call, "X-Forwarded-Proto");
	if (str_is_empty(host))
		return e->config->endpoint;
	if (!str_is(scheme, "http") && !str_is(scheme, "https"))
		scheme = e->call->is_tls ? STR("https") : STR("http");
	return str_print(e->c->arena, "%" STR_FMT "://%" STR_FMT, STR_ARG(scheme), STR_ARG(host));
}

static void note_view(struct api_call *e)
{
	if (e->protocol->view_opened)
		e->protocol->view_opened(e);
}

const struct tables *api_tables(struct api_call *e)
{
	if (!e->view.store) {
		view_open(e->config->store, &e->view);
		note_view(e);
	}
	assert(e->view.tables);
	return e->view.tables;
}

void api_release_tables(struct api_call *e)
{
	if (e->view.store && e->arg_count < 2) /* with several args the next one reads the tables, too */
		view_end_read(&e->view);
}

RESULT api_find_returned(struct api_call *e, uuid id, const struct row **ret_row)
{
	enum kind kind = e->change.returns;
	const struct row *left = api_find_in_change(&e->change, kind, id);
	*ret_row = left ? left : tables_find(api_tables(e), kind, id);
	return *ret_row ? OK : engine_fail_gone(e->c, kind, id);
}

static void set_bools(const struct api_action *a, char *args)
{
	for (size_t k = 0; a && k < sizeof a->sets / sizeof a->sets[0]; k++)
		if (a->sets[k])
			args[a->sets[k] - 1] = true;
}

RESULT api_new_args(struct api_call *e, size_t count, size_t size)
{
	e->args = arena_alloc_array(e->c->arena, count, size ? size : 1);
	e->arg_count = count;
	e->arg_size = size;
	if (!e->args)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < count; k++)
		set_bools(e->action, (char *) e->args + k * size);
	return OK;
}

void api_audit(struct api_call *e)
{
	if (e->audit)
		return;
	e->audit = audit_begin(e->call, e->audited, e->protocol->name);
	if (e->audit && e->protocol->describe_audit)
		e->protocol->describe_audit(e);
}

/* ---- who asks ---- */

/* Identity without rights, for open actions: a call without an identity would count as the system
 * itself. */
static const struct identity stranger = {.rights = 0};

/* Returns whom the call's place in a lane counts against: the account, so that many users share one
 * limit, or a stranger's address. */
static uuid find_asker(const struct api_call *e)
{
	const struct identity *who = e->c->who;
	if (!uuid_is_none(e->asker))
		return e->asker;
	if (!who || who == &stranger)
		return login_attempt_address(e->call->peer);
	return uuid_is_none(who->account) ? who->user : who->account;
}

/* ---- failing ---- */

static void answer_recorded_problem(struct audit_call *a, struct result written)
{
	struct api_call *e = a->call->face_data;
	(void) written; /* park.c logs a failed write */
	api_answer_problem(e, a->result);
}

/* In a process that does not write: leaves the call as it came, to the writer. */
static void pass_on(struct api_call *e)
{
	struct call *call = e->call;
	const struct api_forward *forward = e->forward;
	uuid asker = find_asker(e);
	view_close(&e->view);
	ctx_clear_problem(&call->ctx);
	call_drop_answer_headers(call);
	call->ctx.who = NULL;
	call->face_data = NULL;
	forward->pass_on(forward->self, call, asker);
}

static void fail_call(struct api_call *e, struct result result)
{
	const struct api_protocol *p = e->protocol;
	if (e->forward) {
		pass_on(e);
		return;
	}
	if (e->audit && p->is_unrecorded && p->is_unrecorded(result))
		e->audit->is_told = true;
	struct str code = e->audit ? api_problem_code(e, result) : STR_NONE;
	if (!api_record(e->audit, e->config->store, result, code, answer_recorded_problem))
		api_answer_problem(e, result);
}

/* A key that exists is the subject by its id. Guesses at it have records of their own; all names that no key
 * has share one (op_audit_flood). */
static void note_key(struct api_call *e, struct str key)
{
	audit_add_subject(e->audit, "access-key", str_copy(e->c->arena, key));
	view_close(&e->view); /* a thread reads one view at a time; nothing was found for the caller */
	e->view = (struct view){0};
	AUTO_VIEW view = {0};
	view_open(e->config->store, &view);
	const struct access_key *found = access_key_find_by_key_id(view.tables, key);
	if (!e->audit || !found)
		return;
	e->audit->record.texts[AUDIT_KIND] = str_from(model_kinds[KIND_ACCESS_KEY].name);
	e->audit->record.texts[AUDIT_ID] =
		str_encode_hex(e->c->arena, found->row.id.b, sizeof found->row.id.b);
}

/* Records a signature that proves nobody under the access key that the request names, so that guesses at
 * secrets leave a trace. */
static void note_refused_key(struct api_call *e, struct result result)
{
	struct str key = e->protocol->find_claimed_key ? e->protocol->find_claimed_key(e)
						       : sigv4_find_claimed_key(e->call);
	if (!key.n)
		key = str_slice(cloudstack_find_value(&e->pairs, "apikey"), 0, CLAIMED_KEY_MAX);
	if (e->audit || e->c->who || result.code != ERR_UNAUTHENTICATED || !key.n || !str_is_line(key))
		return;
	e->audit = audit_begin(e->call, audited_find_recorded("dari:ProveKey"), e->protocol->name);
	note_key(e, key);
}

/* Answers with a problem instead of the written answer, because the audit record could not be stored. */
static void fail_unrecorded(struct call *call, struct result result)
{
	struct api_call *e = call->face_data;
	e->has_headers = false;
	api_answer_problem(e, result);
}

/* ---- answering ---- */

/* Builds the cache key of an answer: calls with equal keys have the same caller and parameters. Opens the view.
 * False: the answer must not be cached. Audited calls and calls whose guard still checks rows are
 * excluded, because a cached answer would skip both; calls that were parked, because what they read is not on record. The guard
 * has decided on the action before, in each call, so a policy's condition on time, address or tags holds for cached answers, too. */
static bool make_answer_key(struct api_call *e, struct response_key *ret_key)
{
	const struct api_protocol *p = e->protocol;
	if (e->audit || e->action->flags & (API_WRITES | API_OBSERVES | API_CHANGES_BY_TIME) || !p->digest ||
	    (e->status && e->status != 200) || guard_awaits_rows(e->c) || reads_here.of != e)
		return false;
	struct str digest = p->digest(e);
	if (digest.n != sizeof ret_key->digest)
		return false;
	if (!e->view.store)
		view_open(e->config->store, &e->view);
	response_key_set_caller(ret_key, e->c->who);
	memcpy(ret_key->digest, digest.p, digest.n);
	return true;
}

static RESULT write_answer(struct api_call *e, struct buf *body)
{
	if (!e->has_no_body)
		TRY(e->protocol->write(e, body));
	TRY(guard_check_rest(e->c));
	if (arena_is_full(e->c->arena))
		return ctx_no_memory(e->c);
	if (e->is_dry)
		return ctx_fail(e->c, ERR_DRY_RUN, "Request would have succeeded, but DryRun flag is set.");
	return OK;
}

static void end_answer(struct api_call *e)
{
	if (e->protocol->end_answer)
		e->protocol->end_answer(e);
}

/* Takes over the buffer's memory unless sending fails. */
static RESULT send_answer(struct api_call *e, const struct response_key *key, struct buf *body)
{
	const struct api_protocol *p = e->protocol;
	struct result result = OK;
	int status = e->status ? e->status : 200;
	if (e->has_no_body)
		buf_done(body);
	if (e->audit) {
		end_answer(e); /* afterwards the call is parked, and another thread's */
		api_answer_recorded(e->audit, e->config->store, status,
				    e->has_no_body ? NULL : e->content_type, body, fail_unrecorded);
		return OK;
	}
	if (e->has_no_body)
		call_answer(e->call, status, NULL, NULL);
	else if (p->send && p->send(e, body, &result))
		; /* in the face's own way */
	else if (key)
		result = response_cache_add(e->face->cache, key, &reads_here, e->call, e->content_type, body);
	else
		call_answer(e->call, status, e->content_type, body);
	if (result_is_ok(result))
		end_answer(e);
	return result;
}

static void answer_file(struct api_call *e)
{
	call_answer_file(e->call, 200, "application/octet-stream", e->file, e->file_size);
}

static void answer_call(struct api_call *e)
{
	const struct api_protocol *p = e->protocol;
	struct response_key key;
	struct buf body;
	if (p->set_headers)
		p->set_headers(e);
	if (e->file) {
		answer_file(e);
		return;
	}
	bool has_view = e->view.store;
	bool is_cacheable = make_answer_key(e, &key);
	bool is_reading = is_cacheable && e->view.is_reading;
	if (is_cacheable && response_cache_send(e->face->cache, &key, &e->view, e->call, e->content_type)) {
		view_close(&e->view);
		return;
	}
	if (is_reading && !e->view.is_reading)
		view_close(
			&e->view); /* no memory to send the cached answer: a new one is made in a later view */
	else if (e->view.store && !has_view) /* a cached answer needs nothing of the view */
		note_view(e);
	buf_init(&body, BUF_ANSWER_CAP);
	struct result result = write_answer(e, &body);
	view_close(&e->view);
	if (result_is_ok(result))
		result = send_answer(e, is_cacheable ? &key : NULL, &body);
	if (result_is_ok(result))
		return;
	buf_done(&body);
	end_answer(e);
	fail_call(e, result);
}

/* ---- running ---- */

static struct api_work work_of(const struct api_call *e, RESULT (*run)(struct work_item *w))
{
	struct lane *lane = e->lane ? e->lane : e->face->lane;
	return (struct api_work){
		.lane = uuid_is_none(e->image) ? lane : NULL,
		.asker = find_asker(e),
		.refusal = e->errors->throttled,
		.reconciler = e->config->reconciler,
		.image = e->image,
		.threads = e->threads,
		.run = run,
		.arg = (struct api_call *) e,
	};
}

static RESULT run_undo(struct work_item *w)
{
	struct api_call *e = w->arg;
	e->action->undo(w);
	return OK;
}

static void undo_resumed(struct call *call, struct result undone)
{
	struct api_call *e = call->face_data;
	(void) undone; /* fails only when the program ends; periodic sweeps delete the rest */
	e->c->problem = e->refusal_problem;
	fail_call(e, e->refusal);
}

/* Undoes the work of a call whose work or change failed, then answers with the original refusal. */
static void fail_worked_call(struct api_call *e, struct result result)
{
	if (!e->action->undo || e->skips_work) {
		fail_call(e, result);
		return;
	}
	e->refusal = result;
	e->refusal_problem = e->c->problem;
	ctx_clear_problem(e->c);
	const struct api_work undo = work_of(e, run_undo);
	api_work(e->call, &undo, undo_resumed);
}

static void call_resumed(struct call *call, struct result result)
{
	if (result_is_ok(result))
		answer_call(call->face_data);
	else
		fail_worked_call(call->face_data, result);
}

/* Runs the call's operations in one change, all or none. Runs on the committer, where the face may be
 * closed already. */
static RESULT run_operations(struct op *op, void *wish)
{
	struct api_call *e = wish;
	bool is_deferred = false;
	if (e->protocol->begin_change)
		TRY(e->protocol->begin_change(e, op, &is_deferred));
	if (is_deferred)
		return OK;
	for (size_t k = 0; k < e->arg_count; k++)
		TRY(e->action->operation(op, (char *) e->args + k * e->arg_size));
	return e->protocol->end_change ? e->protocol->end_change(e, op) : OK;
}

static void commit_action(struct api_call *e)
{
	enum kind returns = e->returns ? e->returns : e->action->returns;
	e->change =
		(struct api_change){.action = e->action->permit,
				    .run = run_operations,
				    .wish = e,
				    .is_dry = e->is_dry,
				    .audit = e->records_answer ? NULL : e->audit,
				    .returns = returns == API_RETURNS_NOTHING_STORED ? KIND_NONE : returns};
	api_commit(e->call, e->config->store, &e->change, call_resumed);
}

static void work_resumed(struct call *call, struct result result)
{
	struct api_call *e = call->face_data;
	if (!result_is_ok(result))
		fail_worked_call(e, result);
	else if (e->action->operation && !e->skips_operation)
		commit_action(e);
	else
		answer_call(e);
}

static void do_work(struct api_call *e)
{
	const struct api_work work = work_of(e, e->action->work);
	api_work(e->call, &work, work_resumed);
}

static void look_at_host(struct api_call *e)
{
	const struct api_look look = {e->config->reconciler, e->host, OBSERVE_TIMEOUT_US, e->action->look,
				      e->args};
	api_observe(e->call, &look, call_resumed);
}

static void run_action(struct api_call *e)
{
	const struct api_action *a = e->action;
	if (a->work && !e->skips_work)
		do_work(e);
	else if (a->operation && !e->skips_operation)
		commit_action(e);
	else if (a->look && !e->is_dry && !uuid_is_none(e->host))
		look_at_host(e);
	else
		answer_call(e);
}

/* ---- from request to action ---- */

static RESULT permit_action(struct api_call *e)
{
	if (!e->c->who) { /* find() refuses strangers unless the action is API_OPEN */
		e->c->who = &stranger;
		return OK;
	}
	bool writes = e->action->flags & API_WRITES;
	struct guard_request request = {.action = str_from(e->action->permit),
					.is_change = e->action->operation,
					.has_role =
						identity_has(e->c->who, writes ? RIGHT_MEMBER : RIGHT_READER),
					.arg = e};
	if (e->protocol->describe_permission)
		TRY(e->protocol->describe_permission(e, &request));
	if (e->action->flags & API_FOR_ALL) {
		request.has_role = true;
		return guard_admit(e->config->guards, e->call, &request);
	}
	return guard_check_action(e->config->guards, e->call, &request);
}

/* Checks the guard here, because a file is sent without write_answer(), which does it for other answers. */
static RESULT check_file(struct api_call *e)
{
	struct result permitted = guard_check_rest(e->c);
	if (!result_is_ok(permitted))
		(void) close(e->file);
	return permitted;
}

static RESULT read_pairs(struct api_call *e)
{
	const struct api_protocol *p = e->protocol;
	const struct params_request request = {.dialect = p->dialect,
					       .body = document_of_pairs(&e->pairs, p->pairs->form)};
	TRY(api_new_args(e, 1, e->action->args.size));
	return params_fill(e->c, &e->action->args, &request, e->args);
}

static RESULT prepare_action(struct api_call *e)
{
	struct result result = e->protocol->prepare ? e->protocol->prepare(e) : read_pairs(e);
	if (result_is_ok(result) && e->file)
		result = check_file(e);
	view_close(&e->view);
	TRY(result);
	return arena_is_full(e->c->arena) ? ctx_no_memory(e->c) : OK;
}

/* Counts the connection for the caller's account. ERR_THROTTLED: the account has its share of connections. */
static RESULT take_connection(struct api_call *e)
{
	const struct identity *who = e->c->who;
	return !who || call_take_share(e->call, find_asker(e), identity_is_admin(who))
		       ? OK
		       : ctx_fail(e->c, ERR_THROTTLED, "This account has too many open connections.");
}

static RESULT find_and_prepare(struct api_call *e)
{
	TRY(e->protocol->find(e));
	TRY(take_connection(e));
	e->call->action = e->action->name ? e->action->name : e->action->permit;
	if (e->audited && !(e->audited->does & AUDIT_WHEN_SAID))
		api_audit(e);
	TRY(permit_action(e));
	reads_drop_sources(); /* each call checks the time of its proof and its policies' conditions anew */
	return prepare_action(e);
}

/* Authenticates, finds the action, checks permission and reads the parameters. The action itself has not
 * run yet. */
static RESULT take_request(struct api_call *e)
{
	reads_begin(e);
	struct result result = find_and_prepare(e);
	if (e->protocol->end_request)
		e->protocol->end_request(e);
	return result;
}

void api_call_begin(struct api_call *e, struct api_face *face, struct call *call)
{
	e->call = call;
	e->c = &call->ctx;
	e->face = face;
	e->protocol = face->protocol; /* copied from the face: a change may outlive it */
	e->config = &face->config;
	e->errors = face->protocol->errors;
	e->content_type = face->protocol->content_type;
	if (face->protocol->begin)
		face->protocol->begin(e);
}

/* Returns NULL without memory. */
static struct api_call *new_call(struct api_face *face, struct call *call)
{
	size_t size = face->protocol->call_size;
	struct api_call *e = arena_alloc(call->ctx.arena, size ? size : sizeof *e);
	if (e)
		api_call_begin(e, face, call);
	call->face_data = e;
	return e;
}

bool api_is_upload(struct api_face *face, struct call *call)
{
	bool may_be_upload = face->protocol->is_upload && call->method == face->protocol->uploads_by;
	struct api_call *e = may_be_upload ? new_call(face, call) : NULL;
	bool is_upload = e && face->protocol->is_upload(e);
	ctx_clear_problem(&call->ctx);
	call->face_data = is_upload ? e : NULL;
	return is_upload;
}

/* Prepares an upload as soon as its headers are there, before the body arrives. api_handle_call() then
 * only runs the action. */
void api_begin_call(void *self, struct call *call)
{
	if (!api_is_upload(self, call))
		return;
	struct api_call *e = call->face_data;
	struct result result = take_request(e);
	reads_end(); /* the body comes later */
	if (!result_is_ok(result))
		fail_call(e, result);
}

void api_handle_call(void *self, struct call *call)
{
	if (call->face_data) {
		run_action(call->face_data);
		return;
	}
	struct api_call *e = new_call(self, call);
	if (!e) {
		api_reject(self, call, 503, ERR_NO_MEMORY);
		return;
	}
	struct result result = take_request(e);
	if (result_is_ok(result)) {
		run_action(e);
	} else {
		note_refused_key(e, result);
		fail_call(e, result);
	}
	reads_end();
}

/* ---- in a process that does not write ---- */

static bool only_reads(const struct api_call *e)
{
	const struct api_action *a = e->action;
	return a && !a->work && !a->operation && !a->look && !e->audited && !e->audit && !e->file &&
	       !(a->flags & (API_WRITES | API_OBSERVES));
}

void api_handle_read(struct api_face *face, struct call *call, const struct api_forward *forward)
{
	struct api_call *e = new_call(face, call);
	if (!e) {
		api_reject(face, call, 503, ERR_NO_MEMORY);
		return;
	}
	e->forward = forward;
	struct result result = take_request(e);
	if (result_is_ok(result) && only_reads(e))
		run_action(e);
	else
		pass_on(e);
	reads_end();
}

void api_refuse_now(struct api_face *face, struct call *call, struct str why)
{
	struct api_call *e = new_call(face, call);
	if (e)
		api_answer_problem(e, ctx_fail(&call->ctx, ERR_AGAIN, "%" STR_FMT, STR_ARG(why)));
	else
		api_reject(face, call, 503, ERR_NO_MEMORY);
}

const struct http_face api_http_face = {.name = "api",
					.handle = api_handle_call,
					.reject = api_reject,
					.body_cap_size = API_BODY_CAP_SIZE,
					.begin = api_begin_call};
