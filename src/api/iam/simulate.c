/* SPDX-License-Identifier: Apache-2.0
 * SimulatePrincipalPolicy and SimulateCustomPolicy: decisions on what nobody has asked for. A user's roles
 * count: what they give is given. */
#include "api/iam/internal.h"
#include "engine/people/role.h"
#include "engine/resolve.h"

enum { DOCUMENTS_MAX = 20, RESULTS_MAX = 1000 };

static const struct param context_rows[] = {
	PARAM(struct iam_context_entry, "ContextKeyName", key, .flags = REQUIRED, .min = 5, .max = 256,
	      .doc = "A condition key."),
	PARAM(struct iam_context_entry, "ContextKeyType", type,
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
#define SIMULATED                                                                                            \
	PARAM(S, "PolicyInputList.member", documents, .max = IAM_DOCUMENT_MAX, .doc = "Further policies."),  \
		PARAM(S, "PermissionsBoundaryPolicyInputList.member", boundaries, .max = IAM_DOCUMENT_MAX,   \
		      .doc = "A permissions boundary."),                                                     \
		PARAM(S, "ActionNames.member", actions, .flags = REQUIRED, .max = 128,                       \
		      .doc = "What is asked: ec2:RunInstances, …"),                                          \
		PARAM(S, "ResourceArns.member", resources, .max = 2048,                                      \
		      .doc = "On what; nothing said: on all."),                                              \
		PARAM_LIST(S, "ContextEntries.member", context, context_params, .max = 100,                  \
			   .doc = "Condition keys of the request."),                                         \
		PARAM(S, "MaxItems", pages.max_items, .min = 1, .max = 1000,                                 \
		      .doc = "Accepted; all is on one page."),                                               \
		PARAM(S, "Marker", pages.marker, .min = 1, .max = 320, .doc = "Likewise."),                  \
		NOT_BUILT("ResourcePolicy"), NOT_BUILT("ResourceOwner"), NOT_BUILT("CallerArn"),             \
		NOT_BUILT("ResourceHandlingOption")
static const struct param custom_params[] = {SIMULATED};
static const struct param principal_params[] = {PARAM(S, "PolicySourceArn", source_arn, .flags = REQUIRED,
						      .min = 20, .max = 2048,
						      .doc = "The user or role, by its ARN."),
						SIMULATED};

struct simulation {
	struct iam_call *e;
	const struct simulation_wish *wish;
	struct guard_policies policies;
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

/* Of the caller's account: a user by "arn:aws:iam::111122223333:user/ann", a role likewise. */
static RESULT find_simulated(struct simulation *s, struct policy_principal *ret_principal)
{
	struct ctx *c = s->e->c;
	struct str arn = s->wish->source_arn, own = STR_NONE;
	size_t slash = arn.n;
	while (slash > 0 && arn.p[slash - 1] != '/')
		slash--;
	struct ref user = {.text = str_slice(arn, slash, arn.n), .field = STR("PolicySourceArn")};
	struct ref role = user;
	const struct ref none = {0};
	struct policy_principal principal = {0};
	user.kind = KIND_USER;
	role.kind = KIND_IAM_ROLE;
	bool is_role = str_contains(arn, STR(":role/"));
	struct result found = engine_find_policy_principal(c, iam_tables(s->e), is_role ? &none : &user,
							   &none, is_role ? &role : &none, &principal);
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

static RESULT gather_principal(struct simulation *s)
{
	struct policy_principal principal = {0};
	struct roles roles;
	struct ctx *c = s->e->c;
	TRY(find_simulated(s, &principal));
	uuid id = principal.row->id;
	engine_find_roles(iam_tables(s->e), id, IDENTITY_ACCOUNT, c->who->account, &roles);
	view_close(&s->e->view); /* the next one walks by itself */
	s->set.has_role = roles.rights & RIGHT(MEMBER);
	return guard_gather(s->e->config->guards, c, id, c->who->account, &s->policies);
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
	if (s->wish->source_arn.n)
		TRY(gather_principal(s));
	size_t count = s->policies.count + s->wish->documents.count;
	const struct policy_code **all = arena_new_array(c->arena, const struct policy_code *, count + 1);
	struct str *names = arena_new_array(c->arena, struct str, count + 1);
	if (!all || !names)
		return ctx_no_memory(c);
	for (size_t k = 0; k < s->policies.count; k++) {
		all[k] = s->policies.at[k];
		names[k] = s->policies.names[k];
	}
	for (size_t k = 0; k < s->wish->documents.count; k++) {
		size_t at = s->policies.count + k;
		TRY(compile(s, s->wish->documents.at[k], "PolicyInputList", &all[at]));
		names[at] = str_print(c->arena, "PolicyInputList.%zu", k + 1);
	}
	s->set.boundary = s->policies.boundary;
	if (s->wish->boundaries.count)
		TRY(compile(s, s->wish->boundaries.at[0], "PolicyInputList", &s->set.boundary));
	s->policies.at = all;
	s->policies.names = names;
	s->set.identity = all;
	s->set.identity_count = count;
	return OK;
}

static const char *word_of(const struct policy_decision *d)
{
	return d->effect == POLICY_ALLOWS   ? "allowed"
	       : d->effect == POLICY_DENIES ? "explicitDeny"
					    : "implicitDeny";
}

static void write_result(struct simulation *s, struct xml *x, struct str action, struct str resource)
{
	struct policy_decision d;
	struct policy_question q = {.action = action,
				    .permission = permission_find_action(action),
				    .resource = resource,
				    .find = find_key,
				    .request = s,
				    .arena = s->e->c->arena};
	policy_decide(&s->set, &q, &d);
	xml_open(x, "member");
	xml_text(x, "EvalActionName", action);
	xml_text(x, "EvalResourceName", resource);
	xml_z(x, "EvalDecision", word_of(&d));
	xml_open(x, "MatchedStatements");
	if (d.effect != POLICY_SILENT && d.by == POLICY_BY_IDENTITY) {
		xml_open(x, "member");
		xml_text(x, "SourcePolicyId", s->policies.names[d.policy]);
		xml_z(x, "SourcePolicyType", "IAM Policy");
		xml_close(x, "member");
	}
	xml_close(x, "MatchedStatements");
	xml_open(x, "MissingContextValues");
	xml_close(x, "MissingContextValues");
	if (s->set.boundary) {
		size_t statement = 0;
		xml_open(x, "PermissionsBoundaryDecisionDetail");
		xml_z(x, "AllowedByPermissionsBoundary",
		      policy_ask(s->set.boundary, &q, &statement) == POLICY_ALLOWS ? "true" : "false");
		xml_close(x, "PermissionsBoundaryDecisionDetail");
	}
	xml_close(x, "member");
}

static RESULT simulate(struct iam_call *e, const void *args, struct xml *x)
{
	static const struct str all = {"*", 1};
	struct simulation s = {.e = e, .wish = args};
	struct strs resources = s.wish->resources;
	TRY(check_counts(&s));
	TRY(gather(&s));
	if (resources.count == 0)
		resources = (struct strs){&all, 1};
	xml_open(x, "EvaluationResults");
	for (size_t k = 0; k < s.wish->actions.count; k++)
		for (size_t n = 0; n < resources.count; n++)
			write_result(&s, x, s.wish->actions.at[k], resources.at[n]);
	xml_close(x, "EvaluationResults");
	xml_z(x, "IsTruncated", "false");
	return OK;
}

static const struct iam_action actions[] = {
	{IAM_ACTION("SimulatePrincipalPolicy"), .args = PARAMS(S, principal_params), .answer = simulate,
	 .doc = "What a user's or role's policies say of actions."},
	{IAM_ACTION("SimulateCustomPolicy"), .args = PARAMS(S, custom_params), .answer = simulate,
	 .doc = "What policies that are sent say of actions."},
};
const struct api_actions iam_simulation_actions = API_ACTIONS(actions);
