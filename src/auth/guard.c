/* SPDX-License-Identifier: Apache-2.0
 * The two steps, compiled policies, and what is told of a refusal. */
#include "auth/guard.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#include "auth/guard_inside.h"
#include "auth/session.h"
#include "base/crypto.h"
#include "base/heap.h"
#include "base/json_write.h"
#include "engine/own.h"
#include "engine/resolve.h"
#include "model/iam_name.h"
#include "store/rows.h"

enum {
	COMPILED_MAX = 1024,
	REFUSALS_MAX = 256,
	REFUSAL_MAX_SIZE = 8192,
	REQUEST_ID_SIZE = 40,
	WORDS_MAX = 1024
};

struct compiled {
	uuid version; /* none: free */
	uint64_t batch;
	struct policy_code *policy;
};

struct refusal {
	char request_id[REQUEST_ID_SIZE];
	char *json;
	size_t size;
};

/* A face's name of a permission. */
struct word {
	struct str text;
	int permission;
};

struct guards {
	struct store *store;
	uint8_t key[SHA256_SIZE]; /* that encoded messages are sealed with */
	char *region;
	struct word words[WORDS_MAX]; /* sorted */
	size_t word_count;
	pthread_mutex_t lock; /* over what follows */
	struct compiled compiled[COMPILED_MAX];
	struct refusal refusals[REFUSALS_MAX];
	size_t next_refusal;
};
_Static_assert((int) SHA256_SIZE == (int) MASTER_KEY_SIZE, "a digest is a key");

static int compare_words(const void *a, const void *b)
{
	return str_compare(((const struct word *) a)->text, ((const struct word *) b)->text);
}

static void sum_words(struct guards *g)
{
	struct word word;
	for (word.permission = 0; word.permission < PERMISSION_COUNT; word.permission++)
		for (size_t n = 0; permission_word(word.permission, n, &word.text); n++) {
			assert(g->word_count < WORDS_MAX);
			g->words[g->word_count++] = word;
		}
	qsort(g->words, g->word_count, sizeof g->words[0], compare_words);
}

static int find_permission(const struct guards *g, struct str action)
{
	const struct word key = {.text = action};
	const struct word *found = bsearch(&key, g->words, g->word_count, sizeof key, compare_words);
	return found ? found->permission : PERMISSION_NONE;
}

RESULT guards_new(struct ctx *c, const struct guards_config *config, struct guards **ret_guards)
{
	struct guards *g = heap_new(struct guards);
	if (!g)
		return ctx_no_memory(c);
	g->store = config->store;
	g->region = heap_copy_z(str_to_z(c->arena, config->region));
	if (!g->region) {
		heap_free(g);
		return ctx_no_memory(c);
	}
	(void) pthread_mutex_init(&g->lock, NULL);
	sum_words(g);
	crypto_hmac_sha256(config->master_key, MASTER_KEY_SIZE, STR("refusal"), g->key);
	*ret_guards = g;
	return OK;
}

void guards_free(struct guards *g)
{
	if (!g)
		return;
	for (size_t k = 0; k < COMPILED_MAX; k++)
		heap_free(g->compiled[k].policy);
	for (size_t k = 0; k < REFUSALS_MAX; k++)
		heap_free(g->refusals[k].json);
	(void) pthread_mutex_destroy(&g->lock);
	crypto_wipe(g->key, sizeof g->key);
	heap_free(g->region);
	heap_free(g);
}

/* ---- compiled policies ---- */

static struct compiled *slot_of(struct guards *g, uuid version)
{
	uint32_t hash;
	memcpy(&hash, version.b + 4, sizeof hash);
	return &g->compiled[hash % COMPILED_MAX];
}

/* A copy for the call, of the one that is kept; NULL: none is. */
static const struct policy_code *copy_kept(struct guards *g, struct arena *a, const struct row *version)
{
	struct policy_code *copy = NULL;
	(void) pthread_mutex_lock(&g->lock);
	const struct compiled *slot = slot_of(g, version->id);
	if (slot->policy && uuid_equal(slot->version, version->id) && slot->batch == version->batch) {
		copy = arena_alloc(a, policy_size(slot->policy));
		if (copy)
			memcpy((void *) copy, slot->policy, policy_size(slot->policy));
	}
	(void) pthread_mutex_unlock(&g->lock);
	return copy;
}

static void keep(struct guards *g, const struct row *version, const struct policy_code *policy)
{
	struct policy_code *copy = heap_alloc(policy_size(policy));
	if (!copy)
		return; /* it is compiled again */
	memcpy((void *) copy, policy, policy_size(policy));
	(void) pthread_mutex_lock(&g->lock);
	struct compiled *slot = slot_of(g, version->id);
	struct policy_code *before = slot->policy;
	*slot = (struct compiled){version->id, version->batch, copy};
	(void) pthread_mutex_unlock(&g->lock);
	heap_free(before);
}

static RESULT take_policy(struct guards *g, struct ctx *c, const struct policy_version *version,
			  const struct policy_code **ret_policy)
{
	*ret_policy = copy_kept(g, c->arena, &version->row);
	if (*ret_policy)
		return OK;
	if (!result_is_ok(policy_compile(c, version->document, POLICY_OF_IDENTITY, ret_policy))) {
		ctx_clear_problem(c);
		return ctx_fail(c, ERR_INTERNAL, "a policy that was stored does not compile");
	}
	keep(g, &version->row, *ret_policy);
	return OK;
}

static struct str name_policy(struct arena *a, struct str account_number, const struct policy *policy)
{
	if (!policy_is_managed(policy))
		return str_print(a, "inline policy %" STR_FMT, STR_ARG(policy->name));
	return iam_arn_to_text(a, account_number, KIND_POLICY, &policy->row);
}

/* Rows as the tables have them, named; they are good as long as these. */
struct found_policies {
	struct policy_source sources[POLICY_SOURCES_MAX];
	struct str *names; /* in the arena */
	size_t count;
};

static RESULT find_policies(struct ctx *c, const struct tables *t, uuid holder, uuid account,
			    struct found_policies *ret_found)
{
	const struct account *row = account_find(t, account);
	ret_found->count = 0;
	if (uuid_is_none(holder) || !engine_has_policies(t))
		return OK;
	if (!engine_find_policies(t, holder, account, ret_found->sources, &ret_found->count))
		return ctx_fail_kind(c, ERR_DENIED, KIND_POLICY,
				     "You are not authorized: more than %d policies speak of the user.",
				     POLICY_SOURCES_MAX);
	ret_found->names = arena_new_array(c->arena, struct str, ret_found->count + 1);
	if (!ret_found->names)
		return ctx_no_memory(c);
	for (size_t k = 0; k < ret_found->count; k++)
		ret_found->names[k] =
			name_policy(c->arena, row ? row->number : STR_NONE, ret_found->sources[k].policy);
	return OK;
}

static RESULT compile_policies(struct guards *g, struct ctx *c, const struct found_policies *found,
			       struct guard_policies *ret_policies)
{
	struct guard_policies out = {.names = found->names};
	if (found->count)
		out.at = arena_new_array(c->arena, const struct policy_code *, found->count);
	if (found->count && !out.at)
		return ctx_no_memory(c);
	for (size_t k = 0; k < found->count; k++) {
		const struct policy_code *policy = NULL;
		TRY(take_policy(g, c, found->sources[k].version, &policy));
		if (found->sources[k].is_boundary) {
			out.boundary = policy;
			out.boundary_name = found->names[k];
			continue;
		}
		out.names[out.count] = found->names[k];
		out.at[out.count++] = policy;
	}
	*ret_policies = out;
	return OK;
}

RESULT guard_gather(struct guards *g, struct ctx *c, uuid user, uuid account,
		    struct guard_policies *ret_policies)
{
	struct found_policies found;
	AUTO_VIEW v;
	view_open(g->store, &v);
	struct result result = find_policies(c, v.tables, user, account, &found);
	view_stop_walking(&v);
	TRY(result);
	return compile_policies(g, c, &found, ret_policies);
}

/* What bounds a session. A policy that is gone allows nothing. */
static RESULT gather_session(struct guards *g, struct ctx *c, const struct session *session,
			     struct guard_policies *out)
{
	const struct policy_version *versions[SESSION_POLICIES_MAX];
	size_t count = 0;
	if (!session || (!session->policy.n && !session->policies.count))
		return OK;
	out->has_session = true;
	out->session = arena_new_array(c->arena, const struct policy_code *, SESSION_POLICIES_MAX + 1);
	if (!out->session)
		return ctx_no_memory(c);
	if (session->policy.n)
		TRY(policy_compile(c, session->policy, POLICY_OF_IDENTITY,
				   &out->session[out->session_count++]));
	AUTO_VIEW v;
	view_open(g->store, &v);
	for (size_t k = 0; k < session->policies.count && count < SESSION_POLICIES_MAX; k++) {
		const struct policy *policy = engine_find_policy(v.tables, session->policies.at[k]);
		versions[count] = policy ? engine_find_default_version(v.tables, policy) : NULL;
		count += versions[count] != NULL;
	}
	view_stop_walking(&v);
	for (size_t k = 0; k < count; k++)
		TRY(take_policy(g, c, versions[k], &out->session[out->session_count++]));
	return OK;
}

struct str guard_region(const struct guards *g)
{
	return g ? str_from(g->region) : STR_NONE;
}

/* ---- refusals ---- */

static const char *const deciders[] = {
	[POLICY_BY_NOBODY] = "identity-based policy",
	[POLICY_BY_IDENTITY] = "identity-based policy",
	[POLICY_BY_ROLE] = "role",
	[POLICY_BY_BOUNDARY] = "permissions boundary",
	[POLICY_BY_SESSION] = "session policy",
};

static struct str decider_name(const struct guard_state *s, const struct policy_decision *d)
{
	if (d->by == POLICY_BY_IDENTITY)
		return s->policies.names[d->policy];
	return d->by == POLICY_BY_BOUNDARY  ? s->policies.boundary_name
	       : d->by == POLICY_BY_SESSION ? STR("passed with the session")
					    : STR_NONE;
}

static const struct policy_code *decider(const struct guard_state *s, const struct policy_decision *d)
{
	return d->by == POLICY_BY_IDENTITY  ? s->policies.at[d->policy]
	       : d->by == POLICY_BY_SESSION ? s->policies.session[d->policy]
					    : s->policies.boundary;
}

static void write_statement(struct json_writer *w, const struct guard_state *s,
			    const struct policy_decision *d)
{
	json_write_open(w, "matchedStatements");
	json_write_open_list(w, "items");
	if (d->effect == POLICY_DENIES) {
		json_write_open(w, NULL);
		json_write_text(w, "statementId", policy_statement_id(decider(s, d), d->statement));
		json_write_int(w, "statement", (int64_t) d->statement + 1);
		json_write_z(w, "effect", "DENY");
		json_write_text(w, "policy", decider_name(s, d));
		json_write_z(w, "policyType", deciders[d->by]);
		json_write_close(w);
	}
	json_write_close_list(w);
	json_write_close(w);
}

static void write_conditions(struct json_writer *w, const struct policy_question *q)
{
	json_write_open(w, "conditions");
	json_write_open_list(w, "items");
	for (const char *const *key = guard_told_keys; *key; key++) {
		struct strs values = {0};
		if (guard_find_key(q, str_from(*key), &values) != POLICY_PRESENT || !values.count)
			continue;
		json_write_open(w, NULL);
		json_write_z(w, "key", *key);
		json_write_open(w, "values");
		json_write_open_list(w, "items");
		json_write_open(w, NULL);
		json_write_text(w, "value", values.at[0]);
		json_write_close(w);
		json_write_close_list(w);
		json_write_close(w);
		json_write_close(w);
	}
	json_write_close_list(w);
	json_write_close(w);
}

/* As DecodeAuthorizationMessage shows it; empty when there is no room for it. */
static struct str write_refusal(const struct guard_state *s, const struct policy_question *q,
				const struct policy_decision *d)
{
	const struct identity *who = s->call->ctx.who;
	struct buf b;
	struct json_writer w;
	struct str text = STR_NONE;
	buf_init(&b, REFUSAL_MAX_SIZE);
	json_write_begin(&w, &b);
	json_write_open(&w, NULL);
	json_write_bool(&w, "allowed", false);
	json_write_bool(&w, "explicitDeny", d->effect == POLICY_DENIES);
	json_write_z(&w, "decidedBy", deciders[d->by]);
	write_statement(&w, s, d);
	json_write_open(&w, "failures");
	json_write_open_list(&w, "items");
	json_write_close_list(&w);
	json_write_close(&w);
	json_write_open(&w, "context");
	json_write_open(&w, "principal");
	bool is_of_role = !uuid_is_none(who->iam_role);
	json_write_text(&w, "id", uuid_to_str(q->arena, is_of_role ? who->iam_role : who->user));
	json_write_text(&w, "name", is_of_role ? who->session->role_name : who->user_name);
	json_write_text(&w, "arn", guard_write_principal(who, q->arena));
	json_write_close(&w);
	json_write_text(&w, "action", q->action);
	json_write_text(&w, "resource", q->resource);
	write_conditions(&w, q);
	json_write_close(&w);
	json_write_close(&w);
	if (result_is_ok(json_write_end(&w)))
		text = str_copy(q->arena, buf_str(&b));
	buf_done(&b);
	return text;
}

static struct result fail_refused(const struct guard_state *s, struct ctx *c, const struct policy_question *q,
				  const struct policy_decision *d)
{
	if (s->request.words == GUARD_OF_OPENSTACK)
		return ctx_fail(c, ERR_DENIED, "Policy doesn't allow %" STR_FMT " to be performed.",
				STR_ARG(s->request.action));
	struct str user = guard_write_principal(c->who, c->arena);
	const char *before =
		s->request.words == GUARD_OF_EC2 ? "You are not authorized to perform this operation. " : "";
	if (d->effect == POLICY_DENIES)
		return ctx_fail(c, ERR_DENIED,
				"%sUser: %" STR_FMT " is not authorized to perform: %" STR_FMT
				" on resource: %" STR_FMT " with an explicit deny in a%s %s: %" STR_FMT ".",
				before, STR_ARG(user), STR_ARG(q->action), STR_ARG(q->resource),
				d->by == POLICY_BY_IDENTITY ? "n" : "", deciders[d->by],
				STR_ARG(decider_name(s, d)));
	return ctx_fail(c, ERR_DENIED,
			"%sUser: %" STR_FMT " is not authorized to perform: %" STR_FMT
			" on resource: %" STR_FMT " because no %s allows the %" STR_FMT " action.",
			before, STR_ARG(user), STR_ARG(q->action), STR_ARG(q->resource), deciders[d->by],
			STR_ARG(q->action));
}

static RESULT refuse(struct guard_state *s, struct ctx *c, const struct policy_question *q,
		     const struct policy_decision *d)
{
	s->refusal = write_refusal(s, q, d);
	ctx_clear_problem(c);
	struct result failed = fail_refused(s, c, q, d);
	s->refused = c->problem.message;
	return failed;
}

/* ---- the two steps ---- */

static struct policy_question make_question(const struct guard_subject *subject, struct arena *a,
					    int permission, struct str action)
{
	const struct guard_request *r = &subject->state->request;
	/* Before anything was found it may be any resource. */
	bool is_open = !subject->tables && subject->state->is_open;
	return (struct policy_question){.action = action,
					.permission = permission,
					.resource = is_open         ? STR_NONE
						    : r->resource.n ? r->resource
								    : guard_write_arn(subject, a),
					.find = guard_find_key,
					.request = subject,
					.arena = a};
}

static void decide(const struct guard_state *s, const struct policy_question *q, bool has_role,
		   struct policy_decision *ret_decision)
{
	const struct policy_set set = {.identity = s->policies.at,
				       .identity_count = s->policies.count,
				       .has_role = has_role,
				       .has_session = s->policies.has_session,
				       .session = s->policies.session,
				       .session_count = s->policies.session_count,
				       .boundary = s->policies.boundary};
	policy_decide(&set, q, ret_decision);
}

static RESULT decide_or_refuse(struct guard_state *s, struct ctx *c, struct policy_question *q, bool has_role,
			       bool *ret_is_allowed)
{
	struct policy_decision d;
	decide(s, q, has_role, &d);
	if (arena_is_full(q->arena))
		return ctx_no_memory(c);
	if (d.effect != POLICY_ALLOWS) {
		if (str_is_empty(q->resource))
			q->resource = STR("*");
		return refuse(s, c, q, &d);
	}
	if (s->is_narrowed && !has_role) {
		d = (struct policy_decision){POLICY_SILENT, POLICY_BY_ROLE, 0, 0};
		return refuse(s, c, q, &d);
	}
	*ret_is_allowed = d.by == POLICY_BY_IDENTITY && !s->is_narrowed;
	return OK;
}

/* Tags of what is made are permitted as those that are set later. */
static RESULT check_created_tags(struct guard_state *s, struct ctx *c, const struct guard_subject *made)
{
	struct guard_subject subject = *made;
	size_t offset = made->planned ? model_kinds[made->kind].tags_offset : 0;
	int tag_set = permission_find(STR("tag.set"));
	bool is_allowed = false;
	if (!offset || s->permission == tag_set ||
	    !((const struct tags *) (const void *) ((const char *) made->planned + offset))->count)
		return OK;
	struct str action = str_from(
		model_permissions[s->permission == PERMISSION_NONE ? tag_set : s->permission].action);
	size_t colon = str_find_char(action, ':', 0);
	subject.create_action = str_slice(action, colon + 1, action.n);
	struct policy_question q =
		make_question(&subject, c->arena, tag_set, str_from(model_permissions[tag_set].action));
	return decide_or_refuse(s, c, &q, s->request.has_role, &is_allowed);
}

/* A role that the operation gives to instances takes a permission of its own, whatever was called. */
static RESULT check_passing(struct guard_state *s, struct ctx *c, const struct guard_subject *role,
			    int permission, bool *ret_is_allowed)
{
	struct guard_subject subject = *role;
	subject.passed_to = STR("ec2.amazonaws.com");
	struct policy_question q =
		make_question(&subject, c->arena, permission, str_from(model_permissions[permission].action));
	q.resource = guard_write_arn(&subject, c->arena);
	return decide_or_refuse(s, c, &q, identity_has(c->who, ROLE_RIGHT_MANAGER), ret_is_allowed);
}

/* Parts of calls that are nobody's whole call: that an image is everybody's from then on. */
static const char *const parts_in_all_words[] = {"image.publish"};

static bool is_part_of(const struct guard_state *s, const char *permission)
{
	if (s->request.words == GUARD_OF_OPENSTACK)
		return true;
	for (size_t k = 0; k < sizeof parts_in_all_words / sizeof parts_in_all_words[0]; k++)
		if (strcmp(permission, parts_in_all_words[k]) == 0)
			return true;
	return false;
}

/* What the operation does as a part of what was asked, in words that IAM denies by itself: Neutron's
 * update_port assigns addresses, say. */
static RESULT check_part(struct guard_state *s, struct ctx *c, const struct guard_subject *subject,
			 const char *permission)
{
	struct policy_decision d;
	int part = permission_find(str_from(permission));
	if (!is_part_of(s, permission) || part == PERMISSION_NONE || part == s->permission)
		return OK;
	struct policy_question q =
		make_question(subject, c->arena, part, str_from(model_permissions[part].action));
	decide(s, &q, s->request.has_role, &d);
	return d.effect == POLICY_DENIES ? refuse(s, c, &q, &d) : OK;
}

/* A row on which AWS does not decide the action is kept from its user by a Deny that names it, and nothing
 * else: what is written for AWS goes on to be allowed. */
static RESULT check_undecided(struct guard_state *s, struct ctx *c, struct policy_question *q,
			      bool *ret_is_allowed)
{
	struct policy_decision d;
	q->is_by_name = true;
	decide(s, q, true, &d);
	if (d.effect == POLICY_DENIES)
		return refuse(s, c, q, &d);
	const struct guard_subject any = {.state = s};
	const struct policy_question open = make_question(&any, c->arena, s->permission, s->request.action);
	decide(s, &open, s->request.has_role, &d);
	*ret_is_allowed = d.effect == POLICY_ALLOWS && d.by == POLICY_BY_IDENTITY && !s->is_narrowed;
	return OK;
}

/* The call's own action on one row, or with KIND_NONE on what has none. */
static RESULT check_row(struct guard_state *s, struct ctx *c, const struct guard_subject *subject,
			bool *ret_is_allowed)
{
	struct policy_question q = make_question(subject, c->arena, s->permission, s->request.action);
	if (subject->kind != KIND_NONE && !permission_is_decided_on(s->permission, subject->kind))
		return check_undecided(s, c, &q, ret_is_allowed);
	s->was_asked = true;
	return decide_or_refuse(s, c, &q, s->request.has_role, ret_is_allowed);
}

static RESULT check_resource(struct guard *guard, struct ctx *c, const struct tables *t,
			     const char *permission, enum kind kind, const struct row *row,
			     const struct row *planned, bool *ret_is_allowed)
{
	struct guard_state *s = (struct guard_state *) guard;
	const struct guard_subject subject = {
		.state = s, .tables = t, .kind = kind, .row = row, .planned = planned};
	if (!s->has_voice)
		return OK;
	if (planned)
		s->was_planned[kind] = true;
	if (strcmp(permission, "iam_role.pass") == 0)
		return check_passing(s, c, &subject, permission_find(str_from(permission)), ret_is_allowed);
	TRY(check_row(s, c, &subject, ret_is_allowed));
	TRY(check_part(s, c, &subject, permission));
	return check_created_tags(s, c, &subject);
}

/* What belongs to an account, and what IAM has ARNs of: policies name nothing else. */
static bool may_be_named(enum kind kind)
{
	return model_kinds[kind].account_offset || iam_is_kind(kind) || kind == KIND_ACCOUNT;
}

/* Whether rows that the call names are of no concern. */
static bool is_asked_of_all(const struct guard_state *s)
{
	return !s->request.is_change && permission_has_no_rows(s->permission);
}

static RESULT check_found(struct guard *guard, struct ctx *c, const struct tables *t, enum kind kind,
			  const struct row *row)
{
	struct guard_state *s = (struct guard_state *) guard;
	const struct guard_subject subject = {.state = s, .tables = t, .kind = kind, .row = row};
	bool is_allowed = false;
	if (!s->has_voice || s->is_over || !may_be_named(kind) || is_asked_of_all(s))
		return OK;
	return check_row(s, c, &subject, &is_allowed);
}

/* Where an operation asked nothing about what it is about to make, what it made is asked about: the change is
 * undone when that is refused. */
static RESULT check_made(void *arg, enum kind kind, const struct row *row)
{
	struct op *op = arg;
	struct guard_state *s = (struct guard_state *) op->ctx->guard;
	const struct guard_subject subject = {.state = s, .tables = op->head, .kind = kind, .planned = row};
	bool is_allowed = false;
	if (s->was_planned[kind] || !may_be_named(kind) || !permission_is_decided_on(s->permission, kind))
		return OK;
	TRY(check_row(s, op->ctx, &subject, &is_allowed));
	return check_created_tags(s, op->ctx, &subject);
}

RESULT guard_check_made(struct op *op)
{
	const struct guard_state *s = (const struct guard_state *) op->ctx->guard;
	return s && s->has_voice ? op_visit_made(op, check_made, op) : OK;
}

/* AWS decides before it looks, by the id that the call has; OpenStack's services look first. */
static RESULT check_absent(struct guard *guard, struct ctx *c, const struct tables *t, const struct ref *ref)
{
	struct guard_state *s = (struct guard_state *) guard;
	const struct guard_subject subject = {
		.state = s, .tables = t, .kind = ref->kind, .absent = ref->text};
	bool is_allowed = false;
	if (!s->has_voice || s->is_over || s->request.is_change || s->request.words != GUARD_OF_EC2 ||
	    is_asked_of_all(s) || !permission_is_decided_on(s->permission, ref->kind) || !ref->text.n)
		return OK;
	struct policy_question q = make_question(&subject, c->arena, s->permission, s->request.action);
	s->was_asked = true;
	return decide_or_refuse(s, c, &q, s->request.has_role, &is_allowed);
}

/* Whose policies speak of who asks. */
static uuid holder_of(const struct identity *who)
{
	return uuid_is_none(who->iam_role) ? who->user : who->iam_role;
}

static bool have_voice(const struct guard_policies *p)
{
	return p->count || p->boundary || p->has_session;
}

static RESULT check_account(struct guard *guard, struct ctx *c, const struct tables *t,
			    const char *permission, const struct user *user, uuid account,
			    bool *ret_is_allowed)
{
	struct guard_state *s = (struct guard_state *) guard;
	struct guard_state *there = arena_new_object(c->arena, struct guard_state);
	struct found_policies *found = arena_new_object(c->arena, struct found_policies);
	int asked = permission_find(str_from(permission));
	if (!there || !found)
		return ctx_no_memory(c);
	*there = *s;
	if (asked == PERMISSION_NONE)
		return OK;
	TRY(find_policies(c, t, holder_of(c->who), account, found));
	TRY(compile_policies(s->guards, c, found, &there->policies));
	if (!have_voice(&there->policies))
		return OK;
	const struct guard_subject subject = {
		.state = there, .tables = t, .kind = KIND_USER, .row = &user->row, .account = account};
	struct policy_question q =
		make_question(&subject, c->arena, asked, str_from(model_permissions[asked].action));
	struct result result = decide_or_refuse(there, c, &q, true, ret_is_allowed);
	s->refusal = there->refusal.n ? there->refusal : s->refusal;
	return result;
}

RESULT guard_check_rest(struct ctx *c)
{
	struct guard_state *s = (struct guard_state *) c->guard;
	const struct guard_subject subject = {.state = s};
	bool is_allowed = false, is_decided = !s || !s->has_voice || !s->is_open || s->was_asked;
	if (s && s->refused.n) /* and whoever found the row went on without it */
		return ctx_fail(c, ERR_DENIED, "%" STR_FMT, STR_ARG(s->refused));
	if (s)
		s->is_over = true;
	if (is_decided)
		return OK;
	s->is_open = false;
	struct policy_question q = make_question(&subject, c->arena, s->permission, s->request.action);
	return decide_or_refuse(s, c, &q, s->request.has_role, &is_allowed);
}

bool guard_awaits_rows(const struct ctx *c)
{
	const struct guard_state *s = (const struct guard_state *) c->guard;
	return s && s->has_voice && s->is_open;
}

/* Without a policy that speaks of them roles alone decide. */
static RESULT check_role(struct ctx *c, const struct guard_request *r)
{
	if (r->has_role)
		return OK;
	if (r->words == GUARD_OF_OPENSTACK)
		return ctx_fail(c, ERR_DENIED, "Policy doesn't allow %" STR_FMT " to be performed.",
				STR_ARG(r->action));
	return ctx_fail(c, ERR_DENIED,
			"%sUser: %" STR_FMT " is not authorized to perform: %" STR_FMT
			" because no identity-based policy and no role allows the %" STR_FMT " action.",
			r->words == GUARD_OF_EC2 ? "You are not authorized to perform this operation. " : "",
			STR_ARG(guard_write_principal(c->who, c->arena)), STR_ARG(r->action),
			STR_ARG(r->action));
}

/* What people do about themselves is judged by the policies of other accounts, too: engine/own.h. */
static bool is_personal(int permission)
{
	return permission != PERMISSION_NONE && engine_is_personal(model_permissions[permission].name);
}

static bool is_narrowed(struct guards *g, const struct identity *who)
{
	if (uuid_is_none(who->application_credential))
		return false;
	AUTO_VIEW v;
	view_open(g->store, &v);
	return engine_is_narrowed(v.tables, who, who->account);
}

/* What the engine's finders and operations ask later, left in the call's context. NULL: no memory. */
static struct guard_state *new_state(struct guards *g, struct call *call, const struct guard_request *request,
				     int permission, const struct guard_policies *policies)
{
	struct guard_state *s = arena_new_object(call->ctx.arena, struct guard_state);
	bool has_voice = have_voice(policies);
	if (!s)
		return NULL;
	*s = (struct guard_state){.guard = {.check = check_resource,
					    .check_found = check_found,
					    .check_absent = check_absent,
					    .check_account = check_account},
				  .guards = g,
				  .call = call,
				  .request = *request,
				  .permission = permission,
				  .policies = *policies,
				  .region = str_from(g->region),
				  .is_open = !request->resource.n &&
					     (request->is_change || !permission_has_no_rows(permission)),
				  .has_voice = has_voice,
				  .is_narrowed = has_voice && is_narrowed(g, call->ctx.who)};
	call->ctx.guard = &s->guard;
	return s;
}

RESULT guard_check_action(struct guards *g, struct call *call, const struct guard_request *request)
{
	struct ctx *c = &call->ctx;
	struct guard_policies policies = {0};
	bool is_allowed = false;
	if (g && c->who && !c->who->is_owner && !uuid_is_none(c->who->account)) {
		TRY(guard_gather(g, c, holder_of(c->who), c->who->account, &policies));
		TRY(gather_session(g, c, c->who->session, &policies));
	}
	int permission = g ? find_permission(g, request->action) : PERMISSION_NONE;
	bool has_voice = have_voice(&policies);
	if (!has_voice)
		TRY(check_role(c, request));
	if (!has_voice && !(c->who && is_personal(permission)))
		return OK;
	struct guard_state *s = new_state(g, call, request, permission, &policies);
	if (!s)
		return ctx_no_memory(c);
	if (!has_voice)
		return OK;
	const struct guard_subject subject = {.state = s};
	struct policy_question q = make_question(&subject, c->arena, s->permission, request->action);
	return decide_or_refuse(s, c, &q, request->has_role, &is_allowed);
}

/* ---- what is told of a refusal ---- */

static void remember(struct guards *g, struct str request_id, struct str json)
{
	char *copy = heap_alloc(json.n + 1);
	if (!copy || request_id.n >= REQUEST_ID_SIZE) {
		heap_free(copy);
		return;
	}
	memcpy(copy, json.p, json.n);
	(void) pthread_mutex_lock(&g->lock);
	struct refusal *r = &g->refusals[g->next_refusal++ % REFUSALS_MAX];
	char *before = r->json;
	*r = (struct refusal){.json = copy, .size = json.n};
	memcpy(r->request_id, request_id.p, request_id.n);
	(void) pthread_mutex_unlock(&g->lock);
	heap_free(before);
}

/* What a message is sealed for: only the account whose call was refused opens it again. */
static struct str refusal_label(const struct ctx *c)
{
	return str_print(c->arena, "refusal of %" STR_FMT, STR_ARG(c->who->account_number));
}

struct str guard_tell_refusal(struct ctx *c)
{
	const struct guard_state *s = (const struct guard_state *) c->guard;
	struct str sealed = STR_NONE;
	if (!s || str_is_empty(s->refusal))
		return STR_NONE;
	remember(s->guards, c->request_id, s->refusal);
	if (!result_is_ok(crypto_seal(c, s->guards->key, refusal_label(c), s->refusal, &sealed)))
		return STR_NONE;
	return str_encode_hex(c->arena, sealed.p, sealed.n);
}

RESULT guard_decode_refusal(struct guards *g, struct ctx *c, struct str encoded, struct str *ret_json)
{
	char *sealed = arena_alloc(c->arena, encoded.n / 2 + 1);
	if (!sealed)
		return ctx_no_memory(c);
	if (encoded.n == 0 || encoded.n % 2 || encoded.n > 4 * REFUSAL_MAX_SIZE ||
	    !result_is_ok(str_decode_hex(encoded, sealed, encoded.n / 2)) ||
	    !result_is_ok(crypto_open(c, g->key, refusal_label(c), (struct str){sealed, encoded.n / 2},
				      ret_json))) {
		ctx_clear_problem(c);
		return ctx_fail_field(c, ERR_INVALID, STR("EncodedMessage"),
				      "Message: the encoded message is not valid");
	}
	return OK;
}

struct str guard_find_refusal(struct guards *g, struct arena *a, struct str request_id)
{
	struct str json = STR_NONE;
	(void) pthread_mutex_lock(&g->lock);
	for (size_t k = 0; k < REFUSALS_MAX && !json.n; k++)
		if (g->refusals[k].json && str_is(request_id, g->refusals[k].request_id))
			json = str_copy(a, (struct str){g->refusals[k].json, g->refusals[k].size});
	(void) pthread_mutex_unlock(&g->lock);
	return json;
}
