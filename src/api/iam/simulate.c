/* SPDX-License-Identifier: Apache-2.0
 * Policy simulator: decides hypothetical requests, and lists the condition keys that policies use. A user's
 * roles count as well. */
#include "api/iam/internal.h"
#include "auth/policy/simulation.h"
#include "engine/resolve.h"

enum { DOCUMENTS_MAX = 20, RESULTS_MAX = 1000 };

static const struct param context_rows[] = {
	PARAM(struct iam_context_entry, "ContextKeyName", key, .flags = REQUIRED, .min = 5, .max = 256,
	      .doc = "Condition key."),
	PARAM(struct iam_context_entry, "ContextKeyType", type,
	      .words =
		      "string|stringList|numeric|numericList|boolean|booleanList|ip|ipList|binary|binaryList|"
		      "date|dateList",
	      .doc = "Type of the values."),
	PARAM(struct iam_context_entry, "ContextKeyValues.member", values, .max = 2048,
	      .doc = "Values of the condition key."),
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
	PARAM(S, "PolicyInputList.member", documents, .max = IAM_DOCUMENT_MAX, .doc = "Additional policies.")
#define SOURCE                                                                                               \
	PARAM(S, "PolicySourceArn", source_arn, .flags = REQUIRED, .min = 20, .max = 2048,                   \
	      .doc = "ARN of the user, group or role.")
#define SIMULATED                                                                                            \
	FURTHER,                                                                                             \
		PARAM(S, "PermissionsBoundaryPolicyInputList.member", boundaries, .max = IAM_DOCUMENT_MAX,   \
		      .doc = "Permissions boundary."),                                                       \
		PARAM(S, "ActionNames.member", actions, .flags = REQUIRED, .min = 3, .max = 128,             \
		      .doc = "Actions to simulate, such as ec2:RunInstances."),                              \
		PARAM(S, "ResourceArns.member", resources, .min = 1, .max = 2048,                            \
		      .doc = "ARNs of the resources; absent: all resources."),                               \
		PARAM_LIST(S, "ContextEntries.member", context, context_params, .max = 100,                  \
			   .doc = "Condition keys of the simulated request."),                               \
		IAM_PAGES(S, pages), NOT_BUILT("ResourcePolicy"), NOT_BUILT("ResourceOwner"),                \
		NOT_BUILT("CallerArn"), NOT_BUILT("ResourceHandlingOption")
static const struct param custom_params[] = {SIMULATED};
static const struct param principal_params[] = {SOURCE, SIMULATED};
static const struct param custom_keys_params[] = {PARAM(S, "PolicyInputList.member", documents,
							.flags = REQUIRED, .max = IAM_DOCUMENT_MAX,
							.doc = "Policies to evaluate.")};
static const struct param principal_keys_params[] = {SOURCE, FURTHER};

struct simulation_call {
	struct iam_call *e;
	const struct simulation_wish *wish;
	struct simulation s;
};

/* Finds the principal of the caller's account by ARN: "arn:aws:iam::111122223333:user/ann", or a group's
 * or role's. */
static RESULT find_simulated(struct simulation_call *s, struct policy_principal *ret_principal)
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

/* Adds the principal's policies; a boundary in the request replaces the principal's own. */
static RESULT add_principal(struct simulation_call *s)
{
	struct policy_principal principal = {0};
	TRY(find_simulated(s, &principal));
	return simulation_add_principal(&s->s, iam_tables(s->e), s->e->c->who->account, &principal,
					"PolicySourceArn");
}

static RESULT check_counts(struct simulation_call *s)
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

static RESULT lend_keys(struct simulation_call *s)
{
	const struct iam_context_entries *given = &s->wish->context;
	struct simulation_key *keys =
		arena_new_array(s->e->c->arena, struct simulation_key, given->count + 1);
	if (!keys)
		return ctx_no_memory(s->e->c);
	for (size_t k = 0; k < given->count; k++)
		keys[k] = (struct simulation_key){given->at[k].key, given->at[k].values};
	s->s.keys = keys;
	s->s.key_count = given->count;
	return OK;
}

/* Adds the principal's policies and those in the request. */
static RESULT gather(struct simulation_call *s)
{
	struct ctx *c = s->e->c;
	s->s.c = c;
	TRY(check_counts(s));
	TRY(lend_keys(s));
	if (s->wish->source_arn.n)
		TRY(add_principal(s));
	for (size_t k = 0; k < s->wish->documents.count; k++)
		TRY(simulation_add_document(&s->s, str_print(c->arena, "PolicyInputList.%zu", k + 1),
					    s->wish->documents.at[k], "PolicyInputList"));
	if (s->wish->boundaries.count)
		TRY(simulation_set_boundary(&s->s, s->wish->boundaries.at[0], "PolicyInputList"));
	return simulation_begin(&s->s);
}

/* ---- what is decided ---- */

static void write_place(struct iam_call *e, struct xml *x, const char *name, const struct policy_place *place)
{
	xml_open(x, name);
	iam_write_int(e, x, "Line", place->line);
	iam_write_int(e, x, "Column", place->column);
	xml_close(x, name);
}

/* Writes the statements that produced the decision. */
static void write_matched(struct simulation_call *s, struct xml *x, const struct policy_question *q,
			  const struct policy_decision *d)
{
	struct simulation_match m = {0};
	xml_open(x, "MatchedStatements");
	while (simulation_next_match(&s->s, q, d, &m)) {
		xml_open(x, "member");
		xml_text(x, "SourcePolicyId", s->s.policies.at[m.policy].name);
		xml_z(x, "SourcePolicyType", "IAM Policy");
		if (m.start.line) {
			write_place(s->e, x, "StartPosition", &m.start);
			write_place(s->e, x, "EndPosition", &m.end);
		}
		xml_close(x, "member");
	}
	xml_close(x, "MatchedStatements");
}

static void write_names(struct xml *x, const char *list, const struct policy_keys *keys)
{
	xml_open(x, list);
	for (size_t k = 0; keys && k < keys->names.count; k++)
		xml_text(x, "member", keys->names.at[k]);
	xml_close(x, list);
}

static void write_boundary(struct simulation_call *s, struct xml *x, const struct policy_question *q)
{
	bool has_boundary = false, allows = simulation_boundary_allows(&s->s, q, &has_boundary);
	if (!has_boundary)
		return;
	xml_open(x, "PermissionsBoundaryDecisionDetail");
	xml_z(x, "AllowedByPermissionsBoundary", allows ? "true" : "false");
	xml_close(x, "PermissionsBoundaryDecisionDetail");
}

/* If the request names resources, the result is repeated per resource, which then also lists the missing
 * keys. */
static RESULT write_result(struct simulation_call *s, struct xml *x, struct str action, struct str resource)
{
	bool is_named = s->wish->resources.count;
	struct policy_keys missing = {0};
	struct policy_decision d;
	struct policy_question q;
	simulation_decide(&s->s, action, resource, &q, &d);
	TRY(simulation_find_missing(&s->s, &q, &missing));
	xml_open(x, "member");
	xml_text(x, "EvalActionName", action);
	xml_text(x, "EvalResourceName", resource);
	xml_z(x, "EvalDecision", simulation_word(&d));
	write_matched(s, x, &q, &d);
	write_names(x, "MissingContextValues", is_named ? NULL : &missing);
	write_boundary(s, x, &q);
	xml_open(x, "EvalDecisionDetails");
	xml_close(x, "EvalDecisionDetails");
	if (is_named) {
		xml_open(x, "ResourceSpecificResults");
		xml_open(x, "member");
		xml_text(x, "EvalResourceName", resource);
		xml_z(x, "EvalResourceDecision", simulation_word(&d));
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
	struct simulation_call s = {.e = e, .wish = args};
	struct strs resources = s.wish->resources;
	struct iam_page page;
	TRY(iam_open_page(e, &s.wish->pages, &page));
	TRY(gather(&s));
	TRY(simulation_read_statements(&s.s));
	if (resources.count == 0)
		resources = (struct strs){&all, 1};
	xml_open(x, "EvaluationResults");
	for (size_t k = 0; k < s.wish->actions.count; k++)
		for (size_t n = 0; n < resources.count; n++)
			if (iam_page_takes(&page, iam_number_key(e, k * resources.count + n)))
				TRY(write_result(&s, x, s.wish->actions.at[k], resources.at[n]));
	xml_close(x, "EvaluationResults");
	return iam_close_page(e, x, &page);
}

static RESULT get_context_keys(struct iam_call *e, const void *args, struct xml *x)
{
	struct simulation_call s = {.e = e, .wish = args};
	struct policy_keys keys = {0};
	TRY(gather(&s));
	for (size_t k = 0; k < s.s.policies.count; k++)
		TRY(policy_list_keys(e->c, s.s.policies.at[k].document, &keys));
	write_names(x, "ContextKeyNames", &keys);
	return OK;
}

static const struct iam_action actions[] = {
	{IAM_ACTION("SimulatePrincipalPolicy"), .args = PARAMS(S, principal_params), .answer = simulate,
	 .doc = "Simulates actions against the policies of a user, group or role."},
	{IAM_ACTION("SimulateCustomPolicy"), .args = PARAMS(S, custom_params), .answer = simulate,
	 .doc = "Simulates actions against the given policies."},
	{IAM_ACTION("GetContextKeysForPrincipalPolicy"), .args = PARAMS(S, principal_keys_params),
	 .answer = get_context_keys,
	 .doc = "Lists the condition keys that the policies of a user, group or role use."},
	{IAM_ACTION("GetContextKeysForCustomPolicy"), .args = PARAMS(S, custom_keys_params),
	 .answer = get_context_keys, .doc = "Lists the condition keys that the given policies use."},
};
const struct api_actions iam_simulation_actions = API_ACTIONS(actions);
