/* SPDX-License-Identifier: Apache-2.0
 * A call from request to answer. Two places may leave the thread: face_commit() and face_observe();
 * the call then goes on in call_resumed(). */
#include "api/ec2/core/ec2.h"

#include <assert.h>
#include <stdlib.h>

#include "api/answers.h"
#include "api/ec2/core/errors.h"
#include "api/ec2/core/list.h"
#include "api/face.h"
#include "auth/guard.h"
#include "auth/limit.h"
#include "base/heap.h"
#include "engine/region/region.h"
#include "model/role.h"

enum { ACTIONS_MAX = 256, TAGS_ASKED_MAX = 50, BODY_CAP_SIZE = 1024 * 1024 };

#define OBSERVE_TIMEOUT_US (10 * SECOND)

static const struct ec2_actions *const action_groups[] = {
#define GROUP(name) &ec2_##name##_actions,
#include "api/ec2/core/action_groups.def"
#undef GROUP
};

struct ec2_face {
	struct ec2_config config;
	const struct ec2_action *actions[ACTIONS_MAX]; /* sorted by name */
	const struct audited *audited[ACTIONS_MAX];    /* likewise */
	size_t action_count;
	char *region, *endpoint;
	struct ec2_memo *memo;
	struct face_answers *answers;
	uint64_t rows_looked_at; /* atomic */
};

/* Parameters of every call. */
static const char *const common_params[] = {"Action", "Version", "DryRun", 0};

/* ---- the table of actions ---- */

static int compare_actions(const void *a, const void *b)
{
	const struct ec2_action *const *x = a, *const *y = b;
	return strcmp((*x)->name, (*y)->name);
}

size_t ec2_sum_actions(const struct ec2_action **out, size_t max)
{
	size_t count = 0;
	for (size_t g = 0; g < sizeof action_groups / sizeof action_groups[0]; g++)
		for (size_t k = 0; k < action_groups[g]->count && count < max; k++)
			out[count++] = &action_groups[g]->at[k];
	assert(count < max); /* there was room for all */
	qsort(out, count, sizeof *out, compare_actions);
	for (size_t k = 1; k < count; k++)
		assert(strcmp(out[k - 1]->name, out[k]->name) != 0);
	return count;
}

static const struct ec2_action *find_action(const struct ec2_face *face, struct str name, bool of_sts,
					    size_t *ret_at)
{
	size_t low = 0, high = face->action_count;
	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = str_compare(name, str_from(face->actions[middle]->name));
		if (order == 0) {
			*ret_at = middle;
			return !!(face->actions[middle]->flags & OF_STS) == of_sts ? face->actions[middle]
										   : 0;
		}
		*(order < 0 ? &high : &low) = order < 0 ? middle : middle + 1;
	}
	return 0;
}

static void choose_action(struct ec2_call *e, const struct ec2_face *face, struct str name, bool of_sts)
{
	size_t at = 0;
	e->action = find_action(face, name, of_sts, &at);
	e->audited = e->action ? face->audited[at] : NULL;
}

/* ---- life ---- */

RESULT ec2_new(struct ctx *c, const struct ec2_config *config, struct ec2_face **ret_face)
{
	struct ec2_face *face = heap_new(struct ec2_face);
	if (!face)
		return ctx_no_memory(c);
	face->config = *config;
	face->region = heap_copy_z(str_to_z(c->arena, config->region));
	face->endpoint = heap_copy_z(str_to_z(c->arena, config->endpoint));
	face->memo = ec2_memo_new();
	face->answers = face_answers_new();
	if (!face->region || !face->endpoint || !face->memo || !face->answers) {
		ec2_free(face);
		return ctx_no_memory(c);
	}
	face->config.region = str_from(face->region);
	face->config.endpoint = str_from(face->endpoint);
	face->action_count = ec2_sum_actions(face->actions, ACTIONS_MAX);
	for (size_t k = 0; k < face->action_count; k++)
		face->audited[k] = audited_find_recorded(face->actions[k]->permit);
	*ret_face = face;
	return OK;
}

void ec2_free(struct ec2_face *face)
{
	if (!face)
		return;
	heap_free(face->region);
	heap_free(face->endpoint);
	ec2_memo_free(face->memo);
	face_answers_free(face->answers);
	heap_free(face);
}

void ec2_read_figures(const struct ec2_face *face, struct ec2_figures *ret_figures)
{
	*ret_figures = (struct ec2_figures){.rows_looked_at =
						    __atomic_load_n(&face->rows_looked_at, __ATOMIC_RELAXED)};
}

/* ---- the view of an answer ---- */

const struct tables *ec2_walk(struct ec2_call *e)
{
	if (!e->view.store) {
		view_open(e->config->store, &e->view);
		e->domain = engine_get_domain_name(e->view.tables, e->c->arena);
		e->public_domain = engine_get_public_domain_name(e->view.tables, e->c->arena);
	}
	assert(e->view.tables);
	return e->view.tables;
}

RESULT ec2_find_shown(struct ec2_call *e, uuid id, const struct row **ret_row)
{
	return face_find_shown(e->c, &e->change, ec2_walk(e), id, ret_row);
}

void ec2_stop_walking(struct ec2_call *e)
{
	if (e->view.store)
		view_stop_walking(&e->view);
}

/* ---- answering ---- */

static enum ec2_dialect dialect_of(const struct ec2_call *e)
{
	return e->action && e->action->flags & OF_STS ? DIALECT_STS : DIALECT_EC2;
}

static void answer_failed(struct audit_call *a, struct result written)
{
	struct ec2_call *e = a->call->face_data;
	(void) written; /* told in the log */
	ec2_answer_problem(e->call, dialect_of(e), a->result);
}

static void fail_call(struct ec2_call *e, struct result result)
{
	struct str code = e->audit ? str_from(ec2_find_problem(e->c, dialect_of(e), result)->code) : STR_NONE;
	if (!face_audit(e->audit, e->config->store, result, code, answer_failed))
		ec2_answer_problem(e->call, dialect_of(e), result);
}

static void fail_resumed(struct call *call, struct result result)
{
	fail_call(call->face_data, result);
}

static void begin_audit(struct ec2_call *e)
{
	e->audit = audit_begin(e->call, e->audited, e->action->flags & OF_STS ? "sts" : "ec2");
	params_add_subject(e->audit, &e->pairs);
}

void ec2_audit(struct ec2_call *e)
{
	if (!e->audit)
		begin_audit(e);
}

static RESULT write_members(struct ec2_call *e, struct xml *x)
{
	if (e->action->list)
		return ec2_describe(e, e->action->list, e->args, x);
	if (e->action->answer)
		return e->action->answer(e, e->args, x);
	xml_z(x, "return", "true");
	return OK;
}

static RESULT write_ec2_answer(struct ec2_call *e, struct xml *x)
{
	const char *root = str_to_z(e->c->arena, str_print(e->c->arena, "%sResponse", e->action->name));
	xml_open_ns(
		x, root,
		str_print(e->c->arena, "http://ec2.amazonaws.com/doc/%" STR_FMT "/", STR_ARG(e->version)));
	xml_text(x, "requestId", e->c->request_id);
	TRY(write_members(e, x));
	xml_close(x, root);
	return OK;
}

static RESULT write_sts_answer(struct ec2_call *e, struct xml *x)
{
	const char *root = str_to_z(e->c->arena, str_print(e->c->arena, "%sResponse", e->action->name));
	const char *inner = str_to_z(e->c->arena, str_print(e->c->arena, "%sResult", e->action->name));
	xml_open_ns(
		x, root,
		str_print(e->c->arena, "https://sts.amazonaws.com/doc/%" STR_FMT "/", STR_ARG(e->version)));
	xml_open(x, inner);
	TRY(write_members(e, x));
	xml_close(x, inner);
	xml_open(x, "ResponseMetadata");
	xml_text(x, "RequestId", e->c->request_id);
	xml_close(x, "ResponseMetadata");
	xml_close(x, root);
	return OK;
}

/* The whole answer in a buffer; when it fails, the half-written one is dropped. */
static RESULT write_answer(struct ec2_call *e, struct buf *body)
{
	struct xml x;
	xml_begin(&x, body);
	TRY(e->action->flags & OF_STS ? write_sts_answer(e, &x) : write_ec2_answer(e, &x));
	TRY(guard_check_rest(e->c));
	if (arena_is_full(e->c->arena))
		return ctx_no_memory(e->c);
	if (e->dry_run)
		return ctx_fail(e->c, ERR_DRY_RUN, "Request would have succeeded, but DryRun flag is set.");
	return xml_end(&x);
}

static const char content_type[] = "text/xml;charset=UTF-8";

/* Of a read, whose answer follows from what the view sees; false: it is not to be kept. */
static bool make_answer_key(struct ec2_call *e, struct face_answer_key *ret_key)
{
	static const char *const none[] = {0};
	if (e->action->flags & (WRITES | OBSERVES | OF_STS | BY_TIME) || e->dry_run ||
	    guard_awaits_rows(e->c))
		return false;
	struct str digest = params_digest(e->c, &e->pairs, none);
	if (digest.n != sizeof ret_key->digest)
		return false;
	(void) ec2_walk(e);
	ret_key->account = e->c->who->account;
	ret_key->batch = e->view.batch;
	memcpy(ret_key->digest, digest.p, digest.n);
	return true;
}

/* A long one: with it goes what it quotes. */
static RESULT answer_quoting(struct ec2_call *e, struct buf *body)
{
	const struct ec2_quotes quotes = {e->quotes.at, e->quotes.count};
	TRY(ec2_answer_quoting(e->call, content_type, body, &quotes, e->kept.at, e->kept.count));
	e->kept.count = 0;
	return OK;
}

static void answer_call(struct ec2_call *e)
{
	struct buf body;
	struct face_answer_key key;
	bool is_kept = !e->audit && make_answer_key(e, &key);
	if (is_kept && face_answers_send(e->answers, &key, e->call, content_type)) {
		view_close(&e->view);
		return;
	}
	buf_init(&body, BUF_ANSWER_CAP);
	struct result result = write_answer(e, &body);
	view_close(&e->view);
	if (result_is_ok(result) && e->audit) {
		ec2_drop_kept(e);
		face_answer_audited(e->audit, e->config->store, 200, content_type, &body, fail_resumed);
		return;
	}
	if (result_is_ok(result) && e->quotes.count)
		result = answer_quoting(e, &body);
	else if (result_is_ok(result) && is_kept)
		result = face_answers_keep(e->answers, &key, e->call, content_type, &body);
	else if (result_is_ok(result))
		call_answer(e->call, 200, content_type, &body);
	ec2_drop_kept(e);
	if (result_is_ok(result))
		return;
	buf_done(&body);
	fail_call(e, result);
}

/* ---- from request to action ---- */

static bool is_date(struct str s)
{
	static const char shape[] = "dddd-dd-dd";
	if (s.n != sizeof shape - 1)
		return false;
	for (size_t k = 0; k < s.n; k++)
		if (shape[k] == 'd' ? s.p[k] < '0' || s.p[k] > '9' : s.p[k] != '-')
			return false;
	return true;
}

static RESULT read_version(struct ec2_call *e)
{
	e->version = params_find(&e->pairs, "Version");
	if (str_is_empty(e->version))
		return ctx_fail_field(e->c, ERR_MISSING, STR("Version"),
				      "The request must contain the parameter Version");
	if (!is_date(e->version))
		return ctx_fail_field(e->c, ERR_INVALID, STR("Version"),
				      "Value (%" STR_FMT
				      ") for parameter Version is invalid. It is no API version.",
				      STR_ARG(str_slice(e->version, 0, 64)));
	return OK;
}

static RESULT read_dry_run(struct ec2_call *e)
{
	struct str dry_run = params_find(&e->pairs, "DryRun");
	if (dry_run.p && !result_is_ok(str_parse_bool(dry_run, &e->dry_run)))
		return ctx_fail_field(e->c, ERR_INVALID, STR("DryRun"),
				      "Value (%" STR_FMT
				      ") for parameter DryRun is invalid. It must be true or false.",
				      STR_ARG(str_slice(dry_run, 0, 64)));
	return OK;
}

static RESULT parse_request(struct ec2_call *e)
{
	struct call *call = e->call;
	if (call->method != HTTP_GET && call->method != HTTP_POST)
		return ctx_fail(e->c, ERR_UNSUPPORTED, "The method %" STR_FMT " is not GET or POST",
				STR_ARG(call->method_name));
	struct str form = call->method == HTTP_POST ? call->body : STR_NONE;
	return params_parse(e->c, call->query, form, &e->pairs);
}

/* Which service the client takes us for, where no signature says so. */
static bool looks_like_sts(const struct ec2_call *e, const struct ec2_face *face)
{
	size_t at = 0;
	return str_is(params_find(&e->pairs, "Version"), "2011-06-15") ||
	       find_action(face, params_find(&e->pairs, "Action"), true, &at);
}

/* One of a flood: told in sum where it is counted, and answered with as little work as there is. */
static void refuse_flood(struct ec2_call *e, bool of_sts)
{
	enum ec2_dialect dialect = of_sts ? DIALECT_STS : DIALECT_EC2;
	e->call->is_quiet = true;
	ec2_answer_error(e->call, dialect, ec2_find_error(dialect, ERR_THROTTLED, KIND_NONE, STR_NONE),
			 of_sts ? STR("Rate exceeded") : STR("Request limit exceeded."));
}

/* Who asks was not proved. Nothing of such a request was read so far, but for its signature. */
static void refuse_stranger(struct ec2_call *e, const struct ec2_face *face, struct sigv4_answer *answer)
{
	bool of_sts = str_is(answer->service, "sts");
	if (!limits_take_stranger(e->config->limits, e->call->peer)) {
		refuse_flood(e, of_sts);
		return;
	}
	struct result result = parse_request(e);
	if (!result_is_ok(result)) {
		fail_call(e, result);
		return;
	}
	of_sts = of_sts || (str_is_empty(answer->service) && looks_like_sts(e, face));
	enum ec2_dialect dialect = of_sts ? DIALECT_STS : DIALECT_EC2;
	if (answer->fault == SIGV4_NO_CREDENTIALS && !of_sts)
		answer->message = STR("The request must contain the parameter AWSAccessKeyId");
	ec2_answer_error(e->call, dialect, ec2_find_fault(dialect, answer->fault), answer->message);
}

/* Who asks; false when the call was answered with a refusal. */
static bool authenticate(struct ec2_call *e, const struct ec2_face *face, bool *ret_of_sts)
{
	struct sigv4_answer answer = {0};
	struct result result = sigv4_check(e->config->sigv4, e->call, &answer);
	*ret_of_sts = str_is(answer.service, "sts");
	if (!result_is_ok(result)) {
		ec2_answer_problem(e->call, *ret_of_sts ? DIALECT_STS : DIALECT_EC2, result);
		return false;
	}
	if (answer.fault == SIGV4_FINE && !*ret_of_sts && !str_is(answer.service, "ec2")) {
		answer.fault = SIGV4_SCOPE;
		answer.message = STR("Credential should be scoped to correct service: 'ec2'.");
	}
	if (answer.fault != SIGV4_FINE) {
		refuse_stranger(e, face, &answer);
		return false;
	}
	e->c->who = answer.who;
	e->owner = answer.who->account_number;
	e->call->account_number = answer.who->account_number;
	return true;
}

static void refuse_action(struct ec2_call *e, struct str name, bool of_sts)
{
	static const struct ec2_error invalid = {ERR_UNKNOWN, KIND_NONE, 400, "InvalidAction", 0};
	enum ec2_dialect dialect = of_sts ? DIALECT_STS : DIALECT_EC2;
	struct str shown = str_slice(name, 0, 128);
	if (str_is_empty(name))
		ec2_answer_error(e->call, dialect, ec2_find_error(dialect, ERR_MISSING, KIND_NONE, STR_NONE),
				 STR("The request must contain the parameter Action"));
	else if (!of_sts && ec2_is_known_action(name))
		ec2_answer_error(e->call, dialect,
				 ec2_find_error(dialect, ERR_UNSUPPORTED, KIND_NONE, STR_NONE),
				 str_print(e->c->arena, "The action %" STR_FMT " is not supported here.",
					   STR_ARG(shown)));
	else
		ec2_answer_error(e->call, dialect, &invalid,
				 str_print(e->c->arena,
					   "The action %" STR_FMT " is not valid for this web service.",
					   STR_ARG(shown)));
}

/* ---- who may ---- */

/* A condition key that a parameter is: tags that are set by themselves. */
static enum policy_known find_request_key(const void *arg, struct str key, struct strs *ret_values)
{
	const struct ec2_call *e = arg;
	struct str prefix = STR("aws:requesttag/");
	bool wants_keys = str_is(key, "aws:tagkeys");
	struct str *found = arena_new_array(e->c->arena, struct str, TAGS_ASKED_MAX);
	size_t count = 0;
	if (!found || (!wants_keys && !str_starts_with(key, prefix)))
		return POLICY_ABSENT;
	for (int n = 1; n <= TAGS_ASKED_MAX && count < TAGS_ASKED_MAX; n++) {
		struct str name = params_find(&e->pairs,
					      str_to_z(e->c->arena, str_print(e->c->arena, "Tag.%d.Key", n)));
		struct str value = params_find(
			&e->pairs, str_to_z(e->c->arena, str_print(e->c->arena, "Tag.%d.Value", n)));
		if (name.p && wants_keys)
			found[count++] = name;
		else if (name.p && str_equal(name, str_slice(key, prefix.n, key.n)))
			found[count++] = value.p ? value : STR("");
	}
	*ret_values = (struct strs){found, count};
	return count ? POLICY_PRESENT : POLICY_ABSENT;
}

/* Before anything of the action is read. A role gives a reader what changes nothing, a member the rest. */
static RESULT permit_action(struct ec2_call *e)
{
	const struct ec2_action *a = e->action;
	if (a->flags & FOR_ALL)
		return OK;
	enum role_right right = a->flags & WRITES ? ROLE_RIGHT_MEMBER : ROLE_RIGHT_READER;
	const struct guard_request request = {.action = str_from(a->permit),
					      .words = a->flags & OF_STS ? GUARD_OF_IAM : GUARD_OF_EC2,
					      .is_change = a->operation,
					      .has_role = identity_has(e->c->who, right),
					      .find = find_request_key,
					      .arg = e};
	return guard_check_action(e->config->guards, e->call, &request);
}

/* Everything up to the point where the action itself may run. */
static RESULT prepare_action(struct ec2_call *e)
{
	TRY(read_version(e));
	TRY(read_dry_run(e));
	e->args = arena_alloc(e->c->arena, e->action->args.size);
	if (!e->args)
		return ctx_no_memory(e->c);
	TRY(params_read(e->c, &e->action->args, common_params, &e->pairs, e->args));
	struct result result = e->action->prepare ? e->action->prepare(e, e->args) : OK;
	view_close(&e->view); /* a call is not parked with a view */
	TRY(result);
	return arena_is_full(e->c->arena) ? ctx_no_memory(e->c) : OK;
}

static void call_resumed(struct call *call, struct result result)
{
	struct ec2_call *e = call->face_data;
	if (result_is_ok(result))
		answer_call(e);
	else
		fail_call(e, result);
}

static void commit_action(struct ec2_call *e)
{
	const struct ec2_action *a = e->action;
	e->change = (struct face_change){.action = a->permit,
					 .run = a->operation,
					 .wish = e->args,
					 .is_dry = e->dry_run,
					 .audit = e->audit,
					 .shown = a->shows};
	face_commit(e->call, e->config->store, &e->change, call_resumed);
}

static void work_resumed(struct call *call, struct result result)
{
	struct ec2_call *e = call->face_data;
	if (!result_is_ok(result))
		fail_call(e, result);
	else if (e->action->operation)
		commit_action(e);
	else
		answer_call(e);
}

static void run_action(struct ec2_call *e)
{
	const struct ec2_action *a = e->action;
	if (a->work) {
		const struct face_work work = {
			.lane = e->lane,
			.asker = e->asker,
			.refusal = e->action->flags & OF_STS ? "Rate exceeded" : "Request limit exceeded.",
			.run = a->work,
			.arg = e};
		face_work(e->call, &work, work_resumed);
	} else if (a->operation) {
		commit_action(e);
	} else if (a->look && !e->dry_run && !uuid_is_none(e->host)) {
		const struct face_look look = {e->config->reconciler, e->host, OBSERVE_TIMEOUT_US, a->look,
					       e->args};
		face_observe(e->call, &look, call_resumed);
	} else {
		answer_call(e);
	}
}

static void start_action(struct ec2_call *e)
{
	e->call->action = e->action->name;
	if (e->audited && !(e->audited->does & AUDIT_WHEN_SAID))
		begin_audit(e);
	struct result result = permit_action(e);
	if (result_is_ok(result))
		result = prepare_action(e);
	if (result_is_ok(result))
		run_action(e);
	else
		fail_call(e, result);
}

/* Who signs nothing, and names an action that needs it not, has their token to prove who they are: true, it
 * was taken or answered. They have no rights by themselves. */
static bool take_unsigned(struct ec2_call *e, const struct ec2_face *face)
{
	static const struct identity nobody = {.scope = IDENTITY_UNSCOPED};
	struct call *call = e->call;
	struct str name = STR("AssumeRoleWithWebIdentity"); /* not every stranger's body is read */
	if (call_header(call, "Authorization").n || str_contains(call->query, STR("X-Amz-Signature=")) ||
	    (!str_contains(call->body, name) && !str_contains(call->query, name)))
		return false;
	if (!limits_take_stranger(e->config->limits, call->peer)) {
		refuse_flood(e, true);
		return true;
	}
	struct result result = parse_request(e);
	choose_action(e, face, params_find(&e->pairs, "Action"), true);
	if (result_is_ok(result) && !(e->action && e->action->flags & UNSIGNED)) {
		e->action = NULL;
		return false;
	}
	e->c->who = &nobody;
	if (result_is_ok(result))
		start_action(e);
	else
		fail_call(e, result);
	return true;
}

static void handle_call(void *self, struct call *call)
{
	struct ec2_face *face = self;
	struct ec2_call *e = arena_new_object(call->ctx.arena, struct ec2_call);
	if (!e) {
		ec2_answer_problem(call, DIALECT_EC2, ctx_no_memory(&call->ctx));
		return;
	}
	*e = (struct ec2_call){.call = call,
			       .c = &call->ctx,
			       .config = &face->config,
			       .memo = face->memo,
			       .answers = face->answers,
			       .rows_looked_at = &face->rows_looked_at};
	call->face_data = e;
	bool of_sts = false;
	if (take_unsigned(e, face) || !authenticate(e, face, &of_sts))
		return;
	struct result result = parse_request(e);
	struct str name = params_find(&e->pairs, "Action");
	choose_action(e, face, name, of_sts);
	if (!limits_take(e->config->limits, e->c->who, e->action && e->action->flags & WRITES)) {
		refuse_flood(e, of_sts);
		return;
	}
	if (!result_is_ok(result)) {
		fail_call(e, result);
		return;
	}
	if (!e->action) {
		refuse_action(e, name, of_sts);
		return;
	}
	start_action(e);
}

const struct http_face ec2_http_face = {
	.name = "ec2", .handle = handle_call, .reject = ec2_reject, .body_cap_size = BODY_CAP_SIZE};
