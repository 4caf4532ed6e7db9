/* SPDX-License-Identifier: Apache-2.0
 * A turn of a deployment: examines its operations in order, sends the calls that are possible now, one
 * after the other, and records all results in one change.
 */
#include "api/azure/deployments/deployer_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "http/internal_call.h"
#include "store/deployment.h"
#include "store/deployment_operation.h"

enum { TURN_ARENA_CAP = 64 * 1024 * 1024 };
/* Retry period for a refused deletion, counted from the deployment's last progress: resources that were deleted before can block it
 * until the hosts and the network have removed them. Unverified: no source says for how long Azure retries. */
#define REFUSALS_LAST_US MINUTE

/* An operation: the state in its row, and the results of this turn. */
struct known {
	struct deployment_news news;
	json_t *body;       /* the answer to this turn's request; owned by the turn */
	struct str refusal; /* reason why a deletion was refused for now */
	bool is_new_news, was_asked;
};

struct turn {
	struct turn *next;
	struct deployer *of;
	struct ctx ctx;
	const struct deployment *row; /* copies in the arena */
	struct known *known;
	size_t count, room, at;
	int64_t last_news_us;
	bool is_resumed; /* first turn since the program started */
	struct template *template;
	json_t *document, *parameters;
	struct bearer bearer;
	struct change change;
	struct job over;
	struct deployment_report report;
	struct ctx spare; /* for a report that the turn's arena has no room for; without an arena: unused */
};

uuid turn_account(const struct turn *t)
{
	return t->row->account;
}

struct turn *turn_next(const struct turn *t)
{
	return t->next;
}

void turn_unlink(struct turn **list, struct turn *t)
{
	while (*list != t)
		list = &(*list)->next;
	*list = t->next;
}

void turn_free(struct turn *t)
{
	template_free(t->template);
	json_decref(t->document);
	json_decref(t->parameters);
	for (size_t k = 0; k < t->count; k++)
		json_decref(t->known[k].body);
	arena_free(t->spare.arena);
	arena_free(t->ctx.arena); /* frees the turn, too: the turn is in this arena */
}

/* ---- what is known ---- */

static struct known *find_target(const struct turn *t, struct str id, size_t resource)
{
	for (size_t k = 0; k < t->count; k++) {
		struct known *n = &t->known[k];
		bool fits = resource != TEMPLATE_NO_RESOURCE ? n->news.place == (int64_t) resource
							     : str_equal_nocase(n->news.step.target, id);
		if (fits && n->news.step.act != DEPLOYMENT_OPERATION_ACT_DELETE &&
		    n->news.state != DEPLOYMENT_OPERATION_STATE_SKIPPED)
			return n;
	}
	return NULL;
}

/* Provides the state of a resource for reference(). */
static RESULT read_state(void *arg, const struct template_reference *what, json_t **ret_body)
{
	struct turn *t = arg;
	struct known *n = find_target(t, what->id, what->resource);
	n = n ? n : find_target(t, what->id, TEMPLATE_NO_RESOURCE);
	if (!n || n->news.state != DEPLOYMENT_OPERATION_STATE_SUCCEEDED)
		return FAIL(AGAIN);
	if (!n->body)
		n->body = json_loadb(n->news.answer.p, n->news.answer.n, 0, NULL);
	*ret_body = n->body;
	return n->body ? OK
		       : ctx_fail(&t->ctx, ERR_INVALID,
				  "What the resource '%" STR_FMT "' is was too long to be kept.",
				  STR_ARG(what->id));
}

static void set_state(struct known *n, enum deployment_operation_state state)
{
	n->news.state = state;
	n->is_new_news = true;
}

static void fail(struct turn *t, struct known *n, const char *code, struct str message)
{
	n->news.problem = deployment_make_problem(&t->ctx, code, message, n->news.step.target);
	set_state(n, DEPLOYMENT_OPERATION_STATE_FAILED);
}

/* Adds an operation that the template does not list. */
static struct known *add(struct turn *t, int64_t place, const struct deployment_step *step)
{
	if (t->count == t->room)
		return NULL; /* no room: a later turn adds it */
	struct known *n = &t->known[t->count++];
	*n = (struct known){
		.news = {.place = place, .step = *step, .state = DEPLOYMENT_OPERATION_STATE_WAITING},
		.is_new_news = true};
	return n;
}

static int64_t next_place(const struct turn *t)
{
	int64_t place = 0;
	for (size_t k = 0; k < t->count; k++)
		place = t->known[k].news.place >= place ? t->known[k].news.place + 1 : place;
	return place;
}

/* ---- asking ---- */

static void advance(struct turn *t);
static void answered(void *owner, int status, struct str body);

static void ask(struct turn *t, struct known *n, enum http_method method, struct str body)
{
	struct arena *a = t->ctx.arena;
	const struct internal_call wish = {
		.method = method,
		.path = str_encode_url(a, n->news.step.target, true),
		.query = str_print(a, "api-version=%" STR_FMT,
				   STR_ARG(str_encode_url(a, n->news.step.version, false))),
		.body = body,
		.peer = t->row->client,
		.is_tls = t->row->is_over_tls,
		.arg = &t->bearer,
		.done = answered,
		.owner = t,
	};
	n->was_asked = true;
	call_begin_internal(deployer_actor(t->of), api_handle_call, deployer_face(t->of), &wish);
}

static bool is_over(const struct known *n)
{
	return n->news.state == DEPLOYMENT_OPERATION_STATE_SUCCEEDED ||
	       n->news.state == DEPLOYMENT_OPERATION_STATE_SKIPPED;
}

static bool has_needs(const struct turn *t, const struct known *n)
{
	if (n->news.place >= (int64_t) template_count(t->template))
		return true;
	const struct template_resource *r = template_at(t->template, (size_t) n->news.place);
	for (size_t k = 0; k < r->need_count; k++)
		for (size_t m = 0; m < t->count; m++)
			if (t->known[m].news.place == (int64_t) r->needs[k] && !is_over(&t->known[m]))
				return false;
	return true;
}

/* Finds the resource that a reference waits for: in the template, or one that must be read first. */
static void find_missing(struct turn *t)
{
	const struct template_reference *m = template_missing(t->template);
	bool is_known = find_target(t, m->id, m->resource) || find_target(t, m->id, TEMPLATE_NO_RESOURCE);
	const struct deployment_step step = {
		.act = DEPLOYMENT_OPERATION_ACT_READ, .target = m->id, .version = m->version};
	if (!is_known)
		(void) add(t, next_place(t), &step); /* NULL: a later turn adds it */
}

/* Sends the resource's PUT; returns true if a call is under way. */
static bool put(struct turn *t, struct known *n)
{
	json_t *body = NULL;
	struct str text = STR_NONE;
	struct result result = template_make_body(t->template, (size_t) n->news.place, false, &body);
	if (result_is_ok(result))
		result = deployment_write_json(&t->ctx, body, &text);
	if (result_is_ok(result)) {
		ask(t, n, HTTP_PUT, text);
		return true;
	}
	if (result.code == ERR_AGAIN)
		find_missing(t);
	else if (result.code == ERR_INVALID)
		fail(t, n, "InvalidTemplate", t->ctx.problem.message);
	ctx_clear_problem(&t->ctx);
	return false;
}

static bool has_failed(const struct turn *t)
{
	for (size_t k = 0; k < t->count; k++)
		if (t->known[k].news.state == DEPLOYMENT_OPERATION_STATE_FAILED)
			return true;
	return false;
}

/* Acts on one operation; returns true if a call is under way. */
static bool act(struct turn *t, struct known *n)
{
	if (n->news.state == DEPLOYMENT_OPERATION_STATE_ASKED) {
		if (n->was_asked && n->body) /* the resource's state is known */
			return false;
		ask(t, n, HTTP_GET, STR_NONE);
		return true;
	}
	bool may_begin = !has_failed(t) && !t->row->is_cancelled && !n->was_asked;
	if (n->news.state != DEPLOYMENT_OPERATION_STATE_WAITING || !may_begin || !has_needs(t, n))
		return false;
	if (n->news.step.act == DEPLOYMENT_OPERATION_ACT_CREATE)
		return put(t, n);
	ask(t, n, n->news.step.act == DEPLOYMENT_OPERATION_ACT_READ ? HTTP_GET : HTTP_DELETE, STR_NONE);
	return true;
}

/* ---- what came of it ---- */

/* Extracts the face's error code and message. */
static struct str read_problem(struct turn *t, const struct known *n, const json_t *error)
{
	struct str text = STR_NONE;
	if (json_is_object(error) && result_is_ok(deployment_write_json(&t->ctx, error, &text)) &&
	    text.n <= 60000)
		return text;
	return deployment_make_problem(&t->ctx, "InternalServerError",
				       STR("The resource could not be deployed."), n->news.step.target);
}

static void take_problem(struct turn *t, struct known *n, const json_t *body)
{
	n->news.problem = read_problem(t, n, template_get(body, "error"));
	set_state(n, DEPLOYMENT_OPERATION_STATE_FAILED);
}

static bool is_passing(int status)
{
	return status == 0 || status == 429 || status == 503;
}

static void take_state(struct turn *t, struct known *n, const json_t *body)
{
	const json_t *word = template_get(template_get(body, "properties"), "provisioningState");
	struct str state = json_is_string(word) ? str_from(json_string_value(word)) : STR("Succeeded"),
		   text = STR_NONE;
	if (str_equal_nocase(state, STR("Failed")) || str_equal_nocase(state, STR("Canceled"))) {
		const json_t *error = template_get(template_get(body, "properties"), "error");
		if (json_is_object(error)) {
			n->news.problem = read_problem(t, n, error);
			set_state(n, DEPLOYMENT_OPERATION_STATE_FAILED);
			return;
		}
		fail(t, n, "ResourceDeploymentFailure",
		     str_print(t->ctx.arena,
			       "The resource operation completed with terminal provisioning state '%" STR_FMT
			       "'.",
			       STR_ARG(state)));
		return;
	}
	if (!str_equal_nocase(state, STR("Succeeded")))
		return;
	if (result_is_ok(deployment_write_json(&t->ctx, body, &text)) && text.n <= DEPLOYMENT_TEXT_MAX)
		n->news.answer = text;
	set_state(n, DEPLOYMENT_OPERATION_STATE_SUCCEEDED);
}

/* Reads a deletion's answer: gone, under way, or refused for now because something depends on it. */
static void take_deletion(struct turn *t, struct known *n, int status, const json_t *body)
{
	bool was_asked = n->news.state == DEPLOYMENT_OPERATION_STATE_ASKED;
	const json_t *state = template_get(template_get(body, "properties"), "provisioningState");
	if (status == 404 || status == 204 || (status == 200 && !was_asked))
		set_state(n, DEPLOYMENT_OPERATION_STATE_SUCCEEDED);
	else if (status == 202)
		set_state(n, DEPLOYMENT_OPERATION_STATE_ASKED);
	else if (status >= 400)
		n->refusal = read_problem(t, n, template_get(body, "error"));
	else if (str_equal_nocase(str_from(json_string_value(state)), STR("Failed")))
		take_state(t, n, body);
}

/* True if a nested deployment was started before a crash, but not noted. Its repeated PUT is refused
 * because it is active; it counts as just made. */
static bool was_made_before(const struct turn *t, int status, const json_t *body)
{
	const json_t *code = template_get(template_get(body, "error"), "code");
	return t->is_resumed && status == 409 && json_is_string(code) &&
	       strcmp(json_string_value(code), "DeploymentActive") == 0;
}

/* Reads an answer. True: ask again at once. */
static bool take(struct turn *t, struct known *n, int status, const json_t *body)
{
	if (is_passing(status))
		return false;
	bool was_put = n->news.state == DEPLOYMENT_OPERATION_STATE_WAITING &&
		       n->news.step.act == DEPLOYMENT_OPERATION_ACT_CREATE;
	n->news.status = was_put || status >= 400 || n->news.status == 0 ? status : n->news.status;
	if (n->news.step.act == DEPLOYMENT_OPERATION_ACT_DELETE) {
		take_deletion(t, n, status, body);
		return false;
	}
	if (was_put && was_made_before(t, status, body)) {
		n->news.status = 201;
		set_state(n, DEPLOYMENT_OPERATION_STATE_ASKED);
		return true;
	}
	if (status >= 400) {
		take_problem(t, n, body);
		return false;
	}
	if (was_put) {
		set_state(n, DEPLOYMENT_OPERATION_STATE_ASKED);
		return true;
	}
	take_state(t, n, body);
	return false;
}

static void answered(void *owner, int status, struct str text)
{
	struct turn *t = owner;
	struct known *n = &t->known[t->at];
	json_t *body = text.n ? json_loadb(text.p, text.n, 0, NULL) : NULL;
	bool goes_on = take(t, n, status, body);
	if (!goes_on) {
		json_decref(n->body);
		n->body = body ? body : json_null();
		t->at++;
	} else {
		json_decref(body);
	}
	advance(t);
}

/* ---- the end of a turn ---- */

static size_t count_state(const struct turn *t, enum deployment_operation_state state)
{
	size_t count = 0;
	for (size_t k = 0; k < t->count; k++)
		count += t->known[k].news.state == state;
	return count;
}

static bool is_of_template(const struct turn *t, struct str id)
{
	for (size_t k = 0; k < t->count; k++)
		if (t->known[k].news.state != DEPLOYMENT_OPERATION_STATE_SKIPPED &&
		    str_equal_nocase(t->known[k].news.step.target, id))
			return true;
	return false;
}

/* Complete mode: adds deletions of resources of the group that the template does not have. */
static void add_leftovers(struct turn *t)
{
	struct deployment_steps all = {0};
	AUTO_VIEW view = {0};
	view_open(deployer_face(t->of)->core.config.store, &view);
	if (!result_is_ok(deployment_list_group(&t->ctx, view.tables, t->row->account, t->row->resource_group,
						&all)))
		return; /* no memory: a later turn retries */
	for (size_t k = 0; k < all.count; k++) {
		all.at[k].act = DEPLOYMENT_OPERATION_ACT_DELETE;
		if (!is_of_template(t, all.at[k].target))
			(void) add(t, next_place(t), &all.at[k]); /* NULL: a later turn adds it */
	}
}

static void end_failed(struct turn *t)
{
	struct buf b;
	struct json_writer w;
	buf_init(&b, 65000);
	json_write_begin(&w, &b);
	json_write_open(&w, NULL);
	json_write_z(&w, "code", "DeploymentFailed");
	json_write_text(&w, "target", deployment_id_of(t->ctx.arena, t->row));
	json_write_z(&w, "message",
		     "At least one resource deployment operation failed. Please list deployment operations "
		     "for details. Please see "
		     "https://aka.ms/arm-deployment-operations for usage details.");
	json_write_open_list(&w, "details");
	for (size_t k = 0; k < t->count; k++)
		if (t->known[k].news.state == DEPLOYMENT_OPERATION_STATE_FAILED &&
		    b.size + t->known[k].news.problem.n < 60000)
			json_write_raw(&w, NULL, t->known[k].news.problem);
	json_write_close_list(&w);
	json_write_close(&w);
	t->report.ended = DEPLOYMENT_ENDED_FAILED;
	t->report.problem = result_is_ok(json_write_end(&w)) ? str_copy(t->ctx.arena, buf_str(&b)) : STR_NONE;
	buf_done(&b);
}

static void end_with(struct turn *t, const char *code)
{
	t->report.ended = DEPLOYMENT_ENDED_FAILED;
	t->report.problem = deployment_make_problem(&t->ctx, code, t->ctx.problem.message, STR_NONE);
	ctx_clear_problem(&t->ctx);
}

/* Ends the deployment as succeeded. */
static void end_well(struct turn *t)
{
	json_t *outputs = NULL;
	struct result result = template_make_outputs(t->template, &outputs);
	if (result_is_ok(result))
		result = deployment_write_json(&t->ctx, outputs, &t->report.outputs);
	if (result_is_ok(result) && t->report.outputs.n > DEPLOYMENT_TEXT_MAX) {
		t->report.outputs = STR_NONE;
		result = ctx_fail(&t->ctx, ERR_TOO_LARGE, "The outputs have more than %d bytes.",
				  DEPLOYMENT_TEXT_MAX);
	}
	if (result_is_ok(result))
		t->report.ended = DEPLOYMENT_ENDED_SUCCEEDED;
	else if (result.code == ERR_AGAIN)
		find_missing(t);
	else
		end_with(t, "DeploymentOutputEvaluationFailed");
	ctx_clear_problem(&t->ctx);
}

/* Fails the deployment: no call is possible, none is awaited, and something is undone. */
static void end_stuck(struct turn *t)
{
	for (size_t k = 0; k < t->count; k++) {
		struct known *n = &t->known[k];
		if (n->news.state != DEPLOYMENT_OPERATION_STATE_WAITING)
			continue;
		fail(t, n, "InvalidTemplate",
		     STR("The resource could not be deployed: what it needs never came.")); /* guessed */
		if (n->refusal.n)
			n->news.problem = n->refusal;
	}
	end_failed(t);
}

static bool has_news(const struct turn *t)
{
	for (size_t k = 0; k < t->count; k++)
		if (t->known[k].is_new_news)
			return true;
	return false;
}

/* True if rate limits postponed a call of this turn, so that its absence proves nothing. */
static bool was_put_off(const struct turn *t)
{
	for (size_t k = 0; k < t->count; k++)
		if (t->known[k].was_asked && t->known[k].news.state == DEPLOYMENT_OPERATION_STATE_WAITING &&
		    t->known[k].news.step.act != DEPLOYMENT_OPERATION_ACT_DELETE)
			return true;
	return false;
}

/* True while all that remains are refused deletions, within REFUSALS_LAST_US. */
static bool may_be_let(const struct turn *t)
{
	bool is_refused = false;
	for (size_t k = 0; k < t->count; k++)
		is_refused = is_refused || (t->known[k].news.state == DEPLOYMENT_OPERATION_STATE_WAITING &&
					    t->known[k].refusal.n);
	return is_refused && clock_now_us() < t->last_news_us + REFUSALS_LAST_US;
}

/* Decides the next state when no call is under way and none has failed. */
static void decide_next(struct turn *t)
{
	bool waits = count_state(t, DEPLOYMENT_OPERATION_STATE_WAITING);
	if (waits && !has_news(t) && !was_put_off(t) && !may_be_let(t))
		end_stuck(t);
	if (waits)
		return;
	if (t->row->is_complete && !has_news(t))
		add_leftovers(t);
	if (!t->row->is_complete || !has_news(t))
		end_well(t);
}

static void decide(struct turn *t)
{
	if (t->row->is_cancelled)
		t->report.ended = DEPLOYMENT_ENDED_CANCELLED;
	else if (count_state(t, DEPLOYMENT_OPERATION_STATE_ASKED))
		return;
	else if (has_failed(t))
		end_failed(t);
	else
		decide_next(t);
}

/* Runs on the actor, after the commit. */
static void run_over(struct job *job)
{
	struct turn *t = (struct turn *) ((char *) job - offsetof(struct turn, over));
	deployer_end_turn(t->of, t, t->report.count || t->report.ended != DEPLOYMENT_ENDED_NONE);
}

/* Runs on the committer. */
static void change_done(struct change *change, struct result result)
{
	struct turn *t = (struct turn *) ((char *) change - offsetof(struct turn, change));
	(void) result; /* a turn that could not be recorded is repeated */
	actor_post(deployer_actor(t->of), &t->over);
}

static void submit(struct turn *t, struct ctx *c)
{
	t->report.deployment = t->row->row.id;
	t->over = (struct job){.run = run_over};
	t->change = (struct change){.run = engine_note_deployment_run,
				    .arg = &t->report,
				    .ctx = c,
				    .done = change_done,
				    .action = "azure:deploy"};
	store_submit(deployer_face(t->of)->core.config.store, &t->change);
}

#define OUT_OF_MEMORY                                                                                        \
	"{\"code\":\"DeploymentOutputEvaluationFailed\","                                                    \
	"\"message\":\"The template takes more memory to evaluate than is allowed.\"}"

/* Fails a deployment whose evaluation has used up its turn's memory. The next turn would come to the same end, each
 * second and for ever. */
static void end_full(struct turn *t)
{
	struct arena *a = arena_new(ARENA_FIRST_SIZE, ARENA_REQUEST_CAP);
	if (!a) { /* the machine's memory is short: a later turn retries */
		deployer_end_turn(t->of, t, false);
		return;
	}
	ctx_init(&t->spare, a);
	t->report =
		(struct deployment_report){.ended = DEPLOYMENT_ENDED_FAILED, .problem = STR(OUT_OF_MEMORY)};
	submit(t, &t->spare);
}

static void finish(struct turn *t)
{
	if (t->report.ended == DEPLOYMENT_ENDED_NONE && !deployer_is_stopping(t->of))
		decide(t); /* decide() may add operations */
	struct deployment_news *news = arena_new_array(t->ctx.arena, struct deployment_news, t->count + 1);
	for (size_t k = 0; news && k < t->count; k++)
		if (t->known[k].is_new_news)
			news[t->report.count++] = t->known[k].news;
	if (arena_is_over_cap(t->ctx.arena)) {
		end_full(t);
		return;
	}
	if (!news || (!t->report.count && t->report.ended == DEPLOYMENT_ENDED_NONE)) {
		deployer_end_turn(t->of, t, false);
		return;
	}
	t->report.news = news;
	submit(t, &t->ctx);
}

static void advance(struct turn *t)
{
	for (; t->at < t->count && !deployer_is_stopping(t->of); t->at++)
		if (act(t, &t->known[t->at]))
			return; /* answered() continues */
	finish(t);
}

/* ---- the beginning of one ---- */

/* Allocates room for operations found on the way, too. */
static RESULT copy_operations(struct turn *t, const struct tables *tables)
{
	size_t count = 0;
	const struct deployment_operation *o =
		deployment_operation_first_by_deployment(tables, t->row->row.id);
	for (; o; o = deployment_operation_next_by_deployment(tables, o))
		count++;
	t->room = count + 64;
	t->known = arena_new_array(t->ctx.arena, struct known, t->room);
	if (!t->known)
		return ctx_no_memory(&t->ctx);
	o = deployment_operation_first_by_deployment(tables, t->row->row.id);
	for (; o; o = deployment_operation_next_by_deployment(tables, o)) {
		const struct deployment_operation *copy = deployment_operation_of(
			row_copy(t->ctx.arena, &model_kinds[KIND_DEPLOYMENT_OPERATION], &o->row));
		if (!copy)
			return ctx_no_memory(&t->ctx);
		if (copy->ended_us > t->last_news_us)
			t->last_news_us = copy->ended_us;
		t->known[t->count++] = (struct known){.news = {.place = copy->place,
							       .step = {.act = copy->act,
									.target = copy->target,
									.target_type = copy->target_type,
									.target_name = copy->target_name,
									.version = copy->version},
							       .state = copy->state,
							       .status = copy->status,
							       .answer = copy->answer,
							       .problem = copy->problem}};
	}
	return OK;
}

static int compare_known(const void *a, const void *b)
{
	const struct known *x = a, *y = b;
	return x->news.place < y->news.place ? -1 : x->news.place > y->news.place;
}

static RESULT copy_rows(struct turn *t, uuid deployment, struct template_place *ret_place)
{
	const struct api_config *config = &deployer_face(t->of)->core.config;
	AUTO_VIEW view = {0};
	view_open(config->store, &view);
	const struct deployment *row = deployment_find(view.tables, deployment);
	if (!row || row->ended_us)
		return FAIL(NOT_FOUND);
	t->row = deployment_of(row_copy(t->ctx.arena, &model_kinds[KIND_DEPLOYMENT], &row->row));
	if (!t->row)
		return ctx_no_memory(&t->ctx);
	t->last_news_us = t->row->row.created_us;
	*ret_place = deployment_place_of(&t->ctx, config, view.tables, t->row);
	TRY(copy_operations(t, view.tables));
	qsort(t->known, t->count, sizeof t->known[0], compare_known);
	return OK;
}

static RESULT open_template(struct turn *t, const struct template_place *place)
{
	struct str text = STR_NONE;
	TRY(crypto_open(&t->ctx, deployer_face(t->of)->core.config.master_key,
			uuid_to_str(t->ctx.arena, t->row->row.id), t->row->parameters, &text));
	t->document = json_loadb(t->row->template.p, t->row->template.n, 0, NULL);
	t->parameters = json_loadb(text.p, text.n, 0, NULL);
	const struct template_wish wish = {.place = *place,
					   .document = t->document,
					   .parameters = t->parameters,
					   .read = read_state,
					   .arg = t};
	return template_open(&t->ctx, &wish, &t->template);
}

static RESULT begin(struct turn *t, uuid deployment)
{
	struct template_place place;
	TRY(copy_rows(t, deployment, &place));
	t->bearer = (struct bearer){.user = t->row->made_by,
				    .key_id = t->row->key_id,
				    .certificate = t->row->certificate,
				    .tenant = t->row->tenant,
				    .audit = t->row->proof,
				    .issued_us = t->row->proved_us,
				    .expires_us = INT64_MAX};
	if (t->row->session.n)
		TRY(crypto_open(&t->ctx, deployer_face(t->of)->core.config.master_key,
				uuid_to_str(t->ctx.arena, t->row->row.id), t->row->session,
				&t->bearer.session));
	struct result opened = open_template(t, &place);
	if (!result_is_ok(opened) &&
	    opened.code !=
		    ERR_NO_MEMORY) { /* accepted when it was made, perhaps by another version of this program */
		end_with(t, "InvalidTemplate");
		t->count = 0;
		return OK;
	}
	return opened;
}

void turn_begin(struct deployer *d, uuid deployment, bool is_resumed, struct turn **list)
{
	struct arena *a = arena_new(ARENA_FIRST_SIZE, TURN_ARENA_CAP);
	struct turn *t = a ? arena_new_object(a, struct turn) : NULL;
	if (!t) {
		arena_free(a);
		return; /* the timer retries */
	}
	t->of = d;
	t->is_resumed = is_resumed;
	ctx_init(&t->ctx, a);
	if (!result_is_ok(begin(t, deployment))) {
		turn_free(t);
		return;
	}
	t->next = *list;
	*list = t;
	deployer_count_turn(d, 1);
	if (t->report.ended == DEPLOYMENT_ENDED_NONE)
		advance(t);
	else
		finish(t);
}
