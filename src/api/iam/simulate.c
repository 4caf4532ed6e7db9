/* SPDX-License-Identifier: Apache-2.0
 * The policy simulator: decisions on what nobody has asked for, and which condition keys policies ask for. A user's
 * roles count: what they give is given. */
#include "api/iam/internal.h"
#include "engine/people/role.h"
#include "engine/resolve.h"
#include "model/policy.h"
#include "model/policy_version.h"

enum { DOCUMENTS_MAX = 20, RESULTS_MAX = 1000 };

static const struct param context_rows[] = {
	PARAM(struct iam_context_entry, "ContextKeyName", key, .flags = REQUIRED, .min = 5, .max = 256,
	      .doc = "A condition key."),
	PARAM(struct iam_context_entry, "ContextKeyType", type,
	      .words =
		      "string|stringList|numeric|numericList|boolean|booleanList|ip|ipList|binary|binaryList|"
		      "date|dateList",
	      .doc = "The type of its values; operators say it."),
	PARAM(struct iam_context_entry, "ContextKeyValues.member", values, .max = 2048, .doc = "Its values."),
};
static const struct params context_params = PARAMS(struct iam_context_entry, context_rows);

struct simulation_wish {
	struct str source_arn;
	struct strs documents, boundaries, actions, resources;
	struct iam_context_entries context;
	struct iam_pages pages;
};
#define S struct simulation_wish
#define FURTHER                                                                                              \
	PARAM(S, "PolicyInputList.member", documents, .max = IAM_DOCUMENT_MAX, .doc = "Further policies.")
#define SOURCE                                                                                               \
	PARAM(S, "PolicySourceArn", source_arn, .flags = REQUIRED, .min = 20, .max = 2048,                   \
	      .doc = "The user, the group or the role, by its ARN.")
#define SIMULATED                                                                                            \
	FURTHER,                                                                                             \
		PARAM(S, "PermissionsBoundaryPolicyInputList.member", boundaries, .max = IAM_DOCUMENT_MAX,   \
		      .doc = "A permissions boundary."),                                                     \
		PARAM(S, "ActionNames.member", actions, .flags = REQUIRED, .min = 3, .max = 128,             \
		      .doc = "What is asked: ec2:RunInstances, …"),                                          \
		PARAM(S, "ResourceArns.member", resources, .min = 1, .max = 2048,                            \
		      .doc = "On what; nothing said: on all."),                                              \
		PARAM_LIST(S, "ContextEntries.member", context, context_params, .max = 100,                  \
			   .doc = "Condition keys of the request."),                                         \
		IAM_PAGES(S, pages), NOT_BUILT("ResourcePolicy"), NOT_BUILT("ResourceOwner"),                \
		NOT_BUILT("CallerArn"), NOT_BUILT("ResourceHandlingOption")
static const struct param custom_params[] = {SIMULATED};
static const struct param principal_params[] = {SOURCE, SIMULATED};
static const struct param custom_keys_params[] = {PARAM(S, "PolicyInputList.member", documents,
							.flags = REQUIRED, .max = IAM_DOCUMENT_MAX,
							.doc = "The policies.")};
static const struct param principal_keys_params[] = {SOURCE, FURTHER};

/* A policy that counts: what it is called, and what it says. Of each statement: where it stands, once that was asked
 * (before, its line is 0), and the keys that it asks for, which only a simulation needs. */
struct input {
	struct str name, document;
	const struct policy_code *code;
	struct policy_place *starts, *ends;
	struct policy_keys *keys;
};

struct simulation {
	struct iam_call *e;
	const struct simulation_wish *wish;
	VEC(struct input) inputs;
	const struct policy_code **identity; /* of the inputs */
	struct policy_set set;
};

/* Keys are compared in lower case up to '/'. */
static bool is_same_key(struct str a, struct str b)
{
	size_t slash = str_find_char(a, '/', 0);
	return a.n == b.n && str_equal_nocase(str_slice(a, 0, slash), str_slice(b, 0, slash)) &&
	       str_equal(str_slice(a, slash, a.n), str_slice(b, slash, b.n));
}

static enum policy_known find_key(const struct policy_question *q, struct str key, struct strs *ret_values)
{
	const struct simulation *s = q->request;
	for (size_t k = 0; k < s->wish->context.count; k++)
		if (is_same_key(key, s->wish->context.at[k].key)) {
			*ret_values = s->wish->context.at[k].values;
			return POLICY_PRESENT;
		}
	return POLICY_ABSENT;
}

static RESULT compile(struct simulation *s, struct str document, const char *field,
		      const struct policy_code **ret_code)
{
	struct result result = policy_compile(s->e->c, document, POLICY_OF_IDENTITY, ret_code);
	if (result.code == ERR_INVALID)
		s->e->c->problem.field = str_from(field);
	return result;
}

/* Of the caller's account: a user by "arn:aws:iam::111122223333:user/ann", a group or a role likewise. */
static RESULT find_simulated(struct simulation *s, struct policy_principal *ret_principal)
{
	struct ctx *c = s->e->c;
	struct str arn = s->wish->source_arn, own = STR_NONE;
	size_t slash = arn.n;
	while (slash > 0 && arn.p[slash - 1] != '/')
		slash--;
	struct ref ref = {.text = str_slice(arn, slash, arn.n), .field = STR("PolicySourceArn")};
	const struct ref none = {0};
	struct policy_principal principal = {0};
	ref.kind = str_contains(arn, STR(":role/"))    ? KIND_IAM_ROLE
		   : str_contains(arn, STR(":group/")) ? KIND_USER_GROUP
						       : KIND_USER;
	struct result found =
		engine_find_policy_principal(c, iam_tables(s->e), ref.kind == KIND_USER ? &ref : &none,
					     ref.kind == KIND_USER_GROUP ? &ref : &none,
					     ref.kind == KIND_IAM_ROLE ? &ref : &none, &principal);
	if (result_is_ok(found))
		own = iam_arn(s->e, principal.kind, principal.row);
	else if (found.code != ERR_NOT_FOUND)
		return found;
	ctx_clear_problem(c);
	if (!own.n || !str_equal(own, arn))
		return ctx_fail_field(c, ERR_NOT_FOUND, STR("PolicySourceArn"),
				      "The entity %" STR_FMT " does not exist.", STR_ARG(arn));
	*ret_principal = principal;
	return OK;
}

/* A managed policy goes by its name, an inline one by its owner's, too: "user_ann_own". */
static struct str name_policy(struct iam_call *e, const struct policy *p)
{
	const struct {
		enum kind kind;
		uuid id;
		const char *word;
	} owners[] = {{KIND_USER, p->user, "user"},
		      {KIND_USER_GROUP, p->user_group, "group"},
		      {KIND_IAM_ROLE, p->iam_role, "role"}};
	for (size_t k = 0; k < sizeof owners / sizeof owners[0]; k++) {
		const struct row *row = uuid_is_none(owners[k].id)
						? NULL
						: tables_find(iam_tables(e), owners[k].kind, owners[k].id);
		if (row)
			return str_print(e->c->arena, "%s_%" STR_FMT "_%" STR_FMT, owners[k].word,
					 STR_ARG(iam_get_name(owners[k].kind, row)), STR_ARG(p->name));
	}
	return str_copy(e->c->arena, p->name);
}

static RESULT add_input(struct simulation *s, struct str name, struct str document, const char *field)
{
	struct input input = {.name = name, .document = document};
	TRY(compile(s, document, field, &input.code));
	return VEC_PUSH(s->e->c->arena, &s->inputs, input) ? OK : ctx_no_memory(s->e->c);
}

/* The principal's policies; a boundary that was sent counts instead of its own. */
static RESULT add_principal(struct simulation *s)
{
	struct ctx *c = s->e->c;
	struct policy_principal principal = {0};
	struct roles roles = {0};
	struct policy_source *sources = arena_new_array(c->arena, struct policy_source, POLICY_SOURCES_MAX);
	size_t count = 0;
	if (!sources)
		return ctx_no_memory(c);
	TRY(find_simulated(s, &principal));
	uuid id = principal.row->id;
	if (principal.kind == KIND_USER)
		engine_find_roles(iam_tables(s->e), id, IDENTITY_ACCOUNT, c->who->account, &roles);
	s->set.has_role = roles.rights & RIGHT(MEMBER);
	if (!engine_find_policies(iam_tables(s->e), id, c->who->account, sources, &count))
		return ctx_fail(c, ERR_QUOTA, "More than %d policies speak of the principal.",
				POLICY_SOURCES_MAX);
	for (size_t k = 0; k < count; k++) {
		struct str document = str_copy(c->arena, sources[k].version->document);
		if (sources[k].is_boundary)
			TRY(compile(s, document, "PolicySourceArn", &s->set.boundary));
		else
			TRY(add_input(s, name_policy(s->e, sources[k].policy), document, "PolicySourceArn"));
	}
	return OK;
}

static RESULT check_counts(struct simulation *s)
{
	const struct simulation_wish *w = s->wish;
	size_t resources = w->resources.count ? w->resources.count : 1;
	if (w->documents.count > DOCUMENTS_MAX || w->boundaries.count > 1)
		return ctx_fail_field(s->e->c, ERR_INVALID, STR("PolicyInputList"),
				      "Up to %d policies and one permissions boundary may be sent.",
				      DOCUMENTS_MAX);
	if (w->actions.count * resources > RESULTS_MAX)
		return ctx_fail_field(s->e->c, ERR_INVALID, STR("ActionNames"),
				      "Up to %d actions on resources may be asked at once.", RESULTS_MAX);
	return OK;
}

/* The principal's, and those that were sent. */
static RESULT gather(struct simulation *s)
{
	struct ctx *c = s->e->c;
	TRY(check_counts(s));
	if (s->wish->source_arn.n)
		TRY(add_principal(s));
	for (size_t k = 0; k < s->wish->documents.count; k++)
		TRY(add_input(s, str_print(c->arena, "PolicyInputList.%zu", k + 1), s->wish->documents.at[k],
			      "PolicyInputList"));
	if (s->wish->boundaries.count)
		TRY(compile(s, s->wish->boundaries.at[0], "PolicyInputList", &s->set.boundary));
	s->identity = arena_new_array(c->arena, const struct policy_code *, s->inputs.count + 1);
	if (!s->identity)
		return ctx_no_memory(c);
	for (size_t k = 0; k < s->inputs.count; k++)
		s->identity[k] = s->inputs.at[k].code;
	s->set.identity = s->identity;
	s->set.identity_count = s->inputs.count;
	return OK;
}

/* ---- what is decided ---- */

/* Each document is read once, however many actions are asked about. */
static RESULT read_statements(struct simulation *s)
{
	struct arena *a = s->e->c->arena;
	for (size_t k = 0; k < s->inputs.count; k++) {
		struct input *input = &s->inputs.at[k];
		size_t count = policy_count_statements(input->code) + 1;
		input->starts = arena_new_array(a, struct policy_place, count);
		input->ends = arena_new_array(a, struct policy_place, count);
		input->keys = arena_new_array(a, struct policy_keys, count);
		if (!input->starts || !input->ends || !input->keys)
			return ctx_no_memory(s->e->c);
		TRY(policy_list_keys_of_each(s->e->c, input->document, input->keys));
	}
	return OK;
}

static const char *word_of(const struct policy_decision *d)
{
	return d->effect == POLICY_ALLOWS   ? "allowed"
	       : d->effect == POLICY_DENIES ? "explicitDeny"
					    : "implicitDeny";
}

static void write_place(struct iam_call *e, struct xml *x, const char *name, const struct policy_place *place)
{
	xml_open(x, name);
	iam_write_int(e, x, "Line", place->line);
	iam_write_int(e, x, "Column", place->column);
	xml_close(x, name);
}

/* All statements that allow, or that deny. */
static void write_matched(struct simulation *s, struct xml *x, const struct policy_question *q,
			  const struct policy_decision *d)
{
	xml_open(x, "MatchedStatements");
	for (size_t k = 0; k < s->inputs.count && d->effect != POLICY_SILENT; k++) {
		struct input *input = &s->inputs.at[k];
		for (size_t n = 0; n < policy_count_statements(input->code); n++) {
			if (policy_ask_statement(input->code, q, n) != d->effect)
				continue;
			xml_open(x, "member");
			xml_text(x, "SourcePolicyId", input->name);
			xml_z(x, "SourcePolicyType", "IAM Policy");
			if (input->starts[n].line ||
			    policy_find_place(input->document, n, &input->starts[n], &input->ends[n])) {
				write_place(s->e, x, "StartPosition", &input->starts[n]);
				write_place(s->e, x, "EndPosition", &input->ends[n]);
			}
			xml_close(x, "member");
		}
	}
	xml_close(x, "MatchedStatements");
}

static bool has_key(const struct policy_keys *keys, struct str key)
{
	for (size_t k = 0; k < keys->names.count; k++)
		if (str_equal_nocase(keys->names.at[k], key))
			return true;
	return false;
}

/* What statements about the action ask for, and nobody gave. */
static RESULT find_missing(struct simulation *s, const struct policy_question *q, struct policy_keys *missing)
{
	struct strs values;
	for (size_t k = 0; k < s->inputs.count; k++) {
		const struct input *input = &s->inputs.at[k];
		for (size_t n = 0; n < policy_count_statements(input->code); n++) {
			const struct policy_keys *keys = &input->keys[n];
			bool concerns = keys->names.count && policy_concerns(input->code, q, n);
			for (size_t m = 0; concerns && m < keys->names.count; m++)
				if (find_key(q, keys->names.at[m], &values) == POLICY_ABSENT &&
				    !has_key(missing, keys->names.at[m]) &&
				    !VEC_PUSH(s->e->c->arena, &missing->names, keys->names.at[m]))
					return ctx_no_memory(s->e->c);
		}
	}
	return OK;
}

static void write_names(struct xml *x, const char *list, const struct policy_keys *keys)
{
	xml_open(x, list);
	for (size_t k = 0; keys && k < keys->names.count; k++)
		xml_text(x, "member", keys->names.at[k]);
	xml_close(x, list);
}

static void write_boundary(struct simulation *s, struct xml *x, const struct policy_question *q)
{
	size_t statement = 0;
	if (!s->set.boundary)
		return;
	xml_open(x, "PermissionsBoundaryDecisionDetail");
	xml_z(x, "AllowedByPermissionsBoundary",
	      policy_ask(s->set.boundary, q, &statement) == POLICY_ALLOWS ? "true" : "false");
	xml_close(x, "PermissionsBoundaryDecisionDetail");
}

/* On a resource that was named the result is said of it, too, and which keys are missing there alone. */
static RESULT write_result(struct simulation *s, struct xml *x, struct str action, struct str resource)
{
	bool is_named = s->wish->resources.count;
	struct policy_keys missing = {0};
	struct policy_decision d;
	struct policy_question q = {.action = action,
				    .permission = permission_find_action(action),
				    .resource = resource,
				    .find = find_key,
				    .request = s,
				    .arena = s->e->c->arena};
	policy_decide(&s->set, &q, &d);
	TRY(find_missing(s, &q, &missing));
	xml_open(x, "member");
	xml_text(x, "EvalActionName", action);
	xml_text(x, "EvalResourceName", resource);
	xml_z(x, "EvalDecision", word_of(&d));
	write_matched(s, x, &q, &d);
	write_names(x, "MissingContextValues", is_named ? NULL : &missing);
	write_boundary(s, x, &q);
	xml_open(x, "EvalDecisionDetails");
	xml_close(x, "EvalDecisionDetails");
	if (is_named) {
		xml_open(x, "ResourceSpecificResults");
		xml_open(x, "member");
		xml_text(x, "EvalResourceName", resource);
		xml_z(x, "EvalResourceDecision", word_of(&d));
		write_matched(s, x, &q, &d);
		write_names(x, "MissingContextValues", &missing);
		write_boundary(s, x, &q);
		xml_close(x, "member");
		xml_close(x, "ResourceSpecificResults");
	}
	xml_close(x, "member");
	return OK;
}

static RESULT simulate(struct iam_call *e, const void *args, struct xml *x)
{
	static const struct str all = {"*", 1};
	struct simulation s = {.e = e, .wish = args};
	struct strs resources = s.wish->resources;
	struct list_page page;
	TRY(iam_open_page(e, &s.wish->pages, &page));
	TRY(gather(&s));
	TRY(read_statements(&s));
	if (resources.count == 0)
		resources = (struct strs){&all, 1};
	xml_open(x, "EvaluationResults");
	for (size_t k = 0; k < s.wish->actions.count; k++)
		for (size_t n = 0; n < resources.count; n++)
			if (list_page_takes(&page))
				TRY(write_result(&s, x, s.wish->actions.at[k], resources.at[n]));
	xml_close(x, "EvaluationResults");
	return iam_close_page(e, x, &page);
}

static RESULT get_context_keys(struct iam_call *e, const void *args, struct xml *x)
{
	struct simulation s = {.e = e, .wish = args};
	struct policy_keys keys = {0};
	TRY(gather(&s));
	for (size_t k = 0; k < s.inputs.count; k++)
		TRY(policy_list_keys(e->c, s.inputs.at[k].document, &keys));
	write_names(x, "ContextKeyNames", &keys);
	return OK;
}

static const struct iam_action actions[] = {
	{IAM_ACTION("SimulatePrincipalPolicy"), .args = PARAMS(S, principal_params), .answer = simulate,
	 .doc = "What a user's, group's or role's policies say of actions."},
	{IAM_ACTION("SimulateCustomPolicy"), .args = PARAMS(S, custom_params), .answer = simulate,
	 .doc = "What policies that are sent say of actions."},
	{IAM_ACTION("GetContextKeysForPrincipalPolicy"), .args = PARAMS(S, principal_keys_params),
	 .answer = get_context_keys, .doc = "Which condition keys a principal's policies ask for."},
	{IAM_ACTION("GetContextKeysForCustomPolicy"), .args = PARAMS(S, custom_keys_params),
	 .answer = get_context_keys, .doc = "Which condition keys policies that are sent ask for."},
};
const struct api_actions iam_simulation_actions = API_ACTIONS(actions);
