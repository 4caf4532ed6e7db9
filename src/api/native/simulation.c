/* SPDX-License-Identifier: Apache-2.0
 * Policy simulator: which principals may do what, and which statement decides. Uses the evaluator of IAM's
 * simulator (auth/policy/simulation.h). Compiling policies is slow, so it runs on a lane.
 */
#include "api/native/write.h"

#include "auth/policy/simulation.h"
#include "base/vec.h"
#include "engine/people/policy/role.h"
#include "model/iam_name.h"
#include "store/iam_role.h"
#include "store/role_assignment.h"
#include "store/user.h"
#include "store/user_group.h"

enum { ACTIONS_MAX = 50, RESOURCES_MAX = 20, PRINCIPALS_MAX = 200, ACTION_SIZE_MAX = 128, TEXT_MAX = 2048 };

/* Decision for one principal, action and resource. */
struct decided {
	enum kind kind; /* kind of the principal */
	uuid id;
	struct str name, action, resource, policy_name, sid;
	struct policy_decision decision;
	uuid policy; /* policy of the deciding statement; none: an AWS policy, or no policy */
	struct policy_place start, end;
	struct policy_keys missing;
	bool is_owner;
};

struct simulation_args {
	struct ref user, user_group, iam_role;
	struct str said_actions, said_resources;
	/* results: */
	struct strs actions, resources;
	struct policy_principal principal; /* row is NULL outside of a view */
	uuid principal_id;
	VEC(struct decided) decided;
	bool is_cut;
};
#define S(name, member, ...) PARAM(struct simulation_args, name, member, .place = IN_QUERY, __VA_ARGS__)
#define ASKED                                                                                                \
	S("action", said_actions, .min = 3, .max = TEXT_MAX, .flags = REQUIRED,                              \
	  .doc = "Actions, comma separated, such as ec2:RunInstances or instance.create."),                  \
		S("resource", said_resources, .max = TEXT_MAX,                                               \
		  .doc = "ARNs of resources, comma separated; absent: *.")
static const struct param simulate_params[] = {
	S("user", user, .kind = KIND_USER, .doc = "Principal: a user."),
	S("user_group", user_group, .kind = KIND_USER_GROUP, .doc = "Principal: a user group."),
	S("iam_role", iam_role, .kind = KIND_IAM_ROLE, .doc = "Principal: a role."),
	ASKED,
};
static const struct param who_params[] = {ASKED};

/* ---- reading the request ---- */

static RESULT split(struct native_call *e, struct str said, size_t max, const char *field,
		    struct strs *ret_texts)
{
	VEC(struct str) texts = {0};
	struct str text;
	while (str_split_next(&said, ',', &text)) {
		text = str_trim(text);
		if (text.n && !VEC_PUSH(e->c->arena, &texts, text))
			return ctx_no_memory(e->c);
	}
	if (texts.count > max)
		return ctx_fail_field(e->c, ERR_TOO_LARGE, str_from(field), "%s names more than %zu.", field,
				      max);
	*ret_texts = (struct strs){texts.at, texts.count};
	return OK;
}

/* Reads the actions and replaces permission names by IAM actions. */
static RESULT read_actions(struct native_call *e, struct simulation_args *a)
{
	TRY(split(e, a->said_actions, ACTIONS_MAX, "action", &a->actions));
	struct str *texts = (struct str *) a->actions.at; /* this array is the call's own */
	for (size_t k = 0; k < a->actions.count; k++) {
		int permission = str_find_char(texts[k], ':', 0) < texts[k].n ? PERMISSION_NONE
									      : permission_find(texts[k]);
		if (permission != PERMISSION_NONE)
			texts[k] = str_from(model_permissions[permission].action);
		else if (str_find_char(texts[k], ':', 0) == texts[k].n)
			return ctx_fail_field(e->c, ERR_INVALID, STR("action"),
					      "There is no permission %" STR_FMT ".",
					      STR_ARG(str_slice(texts[k], 0, ACTION_SIZE_MAX)));
	}
	return a->actions.count ? OK
				: ctx_fail_field(e->c, ERR_MISSING, STR("action"), "action must name one.");
}

static RESULT read_asked(struct native_call *e, struct simulation_args *a)
{
	static const struct str all = {"*", 1};
	TRY(read_actions(e, a));
	TRY(split(e, a->said_resources, RESOURCES_MAX, "resource", &a->resources));
	if (!a->resources.count)
		a->resources = (struct strs){&all, 1};
	return OK;
}

static RESULT prepare_simulation(struct native_call *e, void *args)
{
	struct simulation_args *a = args;
	int named = ref_is_given(&a->user) + ref_is_given(&a->user_group) + ref_is_given(&a->iam_role);
	TRY(read_asked(e, a));
	if (named != 1)
		return ctx_fail_field(e->c, named ? ERR_COMBINATION : ERR_MISSING, STR("user"),
				      "Name one of user, user_group and iam_role.");
	TRY(engine_find_policy_principal(e->c, native_tables(e), &a->user, &a->user_group, &a->iam_role,
					 &a->principal));
	a->principal_id = a->principal.row->id;
	return OK;
}

static RESULT prepare_who(struct native_call *e, void *args)
{
	struct simulation_args *a = args;
	TRY(read_asked(e, a));
	if (a->actions.count > 1 || a->resources.count > 1)
		return ctx_fail_field(e->c, ERR_TOO_LARGE,
				      a->actions.count > 1 ? STR("action") : STR("resource"),
				      "One action on one resource is asked about.");
	return OK;
}

/* ---- deciding, on the lane ---- */

/* Notes the deciding statement: the first that denies, else the first that allows. */
static RESULT note_statement(struct simulation *s, const struct policy_question *q, struct decided *d)
{
	struct simulation_match m = {0};
	bool is_bounded = d->decision.by == POLICY_BY_BOUNDARY;
	if (is_bounded)
		d->policy_name = s->boundary_name;
	if (is_bounded || !simulation_next_match(s, q, &d->decision, &m))
		return simulation_find_missing(s, q, &d->missing);
	const struct simulated_policy *p = &s->policies.at[m.policy];
	d->policy = p->policy;
	d->policy_name = p->name;
	d->sid = str_copy(s->c->arena, policy_statement_id(p->code, m.statement));
	d->start = m.start;
	d->end = m.end;
	return simulation_find_missing(s, q, &d->missing);
}

static RESULT decide_one(struct native_call *e, struct simulation_args *a, struct simulation *s,
			 struct decided *d)
{
	struct policy_question q;
	simulation_decide(s, d->action, d->resource, &q, &d->decision);
	TRY(note_statement(s, &q, d));
	return VEC_PUSH(e->c->arena, &a->decided, *d) ? OK : ctx_no_memory(e->c);
}

static RESULT decide_all_of(struct native_call *e, struct simulation_args *a, const struct tables *t,
			    const struct policy_principal *principal)
{
	struct simulation s = {.c = e->c};
	TRY(simulation_add_principal(&s, t, e->c->who->account, principal, "user"));
	TRY(simulation_begin(&s));
	TRY(simulation_read_statements(&s));
	for (size_t k = 0; k < a->actions.count; k++)
		for (size_t n = 0; n < a->resources.count; n++) {
			struct decided d = {
				.kind = principal->kind,
				.id = principal->row->id,
				.name = str_copy(e->c->arena, iam_get_name(principal->kind, principal->row)),
				.action = a->actions.at[k],
				.resource = a->resources.at[n]};
			TRY(decide_one(e, a, &s, &d));
		}
	return OK;
}

static RESULT simulate(struct work_item *w)
{
	struct native_call *e = w->arg;
	struct simulation_args *a = e->args;
	AUTO_VIEW view = {0};
	view_open(e->config->store, &view);
	const struct policy_principal principal = {
		a->principal.kind, tables_find(view.tables, a->principal.kind, a->principal_id)};
	if (!principal.row)
		return engine_fail_gone(e->c, principal.kind, a->principal_id);
	return decide_all_of(e, a, view.tables, &principal);
}

struct asking {
	struct native_call *e;
	struct simulation_args *a;
	const struct tables *t;
	size_t count;
};

static RESULT ask_row(struct asking *asking, enum kind kind, const struct row *row)
{
	const struct policy_principal principal = {kind, row};
	asking->a->is_cut = asking->count >= PRINCIPALS_MAX;
	if (asking->a->is_cut)
		return OK;
	asking->count++;
	struct result found = engine_check_found(asking->e->c, asking->t, kind, row);
	if (found.code == ERR_DENIED ||
	    found.code == ERR_NOT_FOUND) { /* policies hide the row from the caller */
		ctx_clear_problem(asking->e->c);
		guard_drop_refusal(asking->e->c);
		return OK;
	}
	TRY(found);
	return decide_all_of(asking->e, asking->a, asking->t, &principal);
}

/* The owner is never restricted. */
static RESULT note_owner(struct asking *asking, const struct user *owner)
{
	struct native_call *e = asking->e;
	struct decided d = {.kind = KIND_USER,
			    .id = owner->row.id,
			    .name = str_copy(e->c->arena, owner->name),
			    .action = asking->a->actions.at[0],
			    .resource = asking->a->resources.at[0],
			    .decision.effect = POLICY_ALLOWS,
			    .is_owner = true};
	return VEC_PUSH(e->c->arena, &asking->a->decided, d) ? OK : ctx_no_memory(e->c);
}

/* Asks for the account's users, and for users of domains with a role on the account. */
static RESULT ask_users(struct asking *asking, uuid account)
{
	for (const struct user *u = user_first_by_owner(asking->t, account); u;
	     u = user_next_by_owner(asking->t, u))
		TRY(u->is_owner ? note_owner(asking, u) : ask_row(asking, KIND_USER, &u->row));
	for (const struct role_assignment *r = role_assignment_first_by_account(asking->t, account); r;
	     r = role_assignment_next_by_account(asking->t, r)) {
		const struct user *u = user_find(asking->t, r->user);
		bool is_known = !u || uuid_equal(u->account, account);
		for (size_t k = 0; k < asking->a->decided.count && !is_known; k++)
			is_known = uuid_equal(asking->a->decided.at[k].id, u->row.id);
		if (!is_known)
			TRY(ask_row(asking, KIND_USER, &u->row));
	}
	return OK;
}

static RESULT ask_everybody(struct work_item *w)
{
	struct native_call *e = w->arg;
	uuid account = e->c->who->account;
	AUTO_VIEW view = {0};
	view_open(e->config->store, &view);
	struct asking asking = {.e = e, .a = e->args, .t = view.tables};
	TRY(ask_users(&asking, account));
	for (const struct iam_role *r = iam_role_first_by_account(view.tables, account); r;
	     r = iam_role_next_by_account(view.tables, r))
		TRY(ask_row(&asking, KIND_IAM_ROLE, &r->row));
	return OK;
}

/* ---- the answer ---- */

static const char *decider_word(const struct decided *d)
{
	static const char *const words[] = {[POLICY_BY_NOBODY] = "nobody",
					    [POLICY_BY_IDENTITY] = "policy",
					    [POLICY_BY_ROLE] = "role",
					    [POLICY_BY_BOUNDARY] = "boundary",
					    [POLICY_BY_SESSION] = "session"};
	return d->is_owner ? "owner" : words[d->decision.by];
}

static void write_statement(const struct decided *d, struct json_writer *w)
{
	if (!uuid_is_none(d->policy))
		json_write_uuid(w, "policy", d->policy);
	if (d->policy_name.n)
		json_write_text(w, "policy_name", d->policy_name);
	if (!d->start.line)
		return;
	json_write_open(w, "statement");
	if (d->sid.n)
		json_write_text(w, "sid", d->sid);
	json_write_int(w, "line", d->start.line);
	json_write_int(w, "column", d->start.column);
	json_write_int(w, "end_line", d->end.line);
	json_write_int(w, "end_column", d->end.column);
	json_write_close(w);
}

static void write_decided(const struct decided *d, struct json_writer *w)
{
	json_write_open(w, NULL);
	json_write_uuid(w, model_kinds[d->kind].name, d->id);
	json_write_text(w, "name", d->name);
	json_write_text(w, "action", d->action);
	json_write_text(w, "resource", d->resource);
	json_write_z(w, "decision", simulation_word(&d->decision));
	json_write_z(w, "by", decider_word(d));
	write_statement(d, w);
	if (d->missing.names.count) {
		json_write_open_list(w, "missing_keys");
		for (size_t k = 0; k < d->missing.names.count; k++)
			json_write_text(w, NULL, d->missing.names.at[k]);
		json_write_close_list(w);
	}
	json_write_close(w);
}

static RESULT answer_decided(struct native_call *e, const void *args, struct json_writer *w)
{
	const struct simulation_args *a = args;
	(void) e;
	json_write_open_list(w, "items");
	for (size_t k = 0; k < a->decided.count; k++)
		write_decided(&a->decided.at[k], w);
	json_write_close_list(w);
	if (a->is_cut)
		json_write_bool(w, "is_cut", true);
	return OK;
}

static const struct native_action rows[] = {
	{HTTP_GET, "/simulate", .name = "Simulate", .permit = "iam:SimulatePrincipalPolicy",
	 .args = PARAMS(struct simulation_args, simulate_params), .prepare = prepare_simulation,
	 .work = simulate, .answer = answer_decided,
	 .doc = "Simulates the policies of a user, group or role like IAM's policy simulator. Returns "
		"decisions and the deciding statements."},
	{HTTP_GET, "/who-may", .name = "WhoMay", .permit = "iam:SimulatePrincipalPolicy",
	 .args = PARAMS(struct simulation_args, who_params), .prepare = prepare_who, .work = ask_everybody,
	 .answer = answer_decided,
	 .doc = "Returns the decision for each user and role of the account, with the deciding statement; at "
		"most 200."},
};
const struct api_actions native_simulation_actions = API_ACTIONS(rows);
