/* SPDX-License-Identifier: Apache-2.0
 * Managed policies, their versions and attachments, and roles. They run the operations of the IAM API. A
 * document that does not compile is refused with the place of the error, for editors: POST …?dry=1 checks
 * without creating.
 */
#include "api/native/write.h"

#include "engine/people/policy/aws_policy.h"
#include "engine/people/policy/iam_role.h"
#include "engine/people/policy/policy.h"
#include "engine/tag.h"
#include "model/iam_name.h"
#include "model/policy_version.h"

enum { NAME_MAX_SIZE = 128, ROLE_NAME_MAX = 64, PATH_MAX_SIZE = 512, TEXT_MAX = 1000 };

/* ---- what a document, a name and a path may be ---- */

static RESULT check_document(struct native_call *e, struct str document, enum policy_form form,
			     const char *field)
{
	const struct policy_code *code = NULL;
	struct result result = policy_check(e->c, document, form, &code, &e->fault);
	if (result_is_ok(result) && form == POLICY_OF_TRUST)
		result = policy_check_principals(e->c, native_tables(e), document);
	if (result_is_ok(result) && form == POLICY_OF_TRUST && !policy_is_of_vendor(code, STR("sts")))
		result = ctx_fail(e->c, ERR_INVALID,
				  "AssumeRole policy may only specify STS AssumeRole actions.");
	if (result.code == ERR_INVALID)
		e->c->problem.field = str_from(field);
	return result;
}

static RESULT check_name(struct native_call *e, struct str name, struct str path)
{
	if (!iam_is_name(name))
		return ctx_fail_field(e->c, ERR_INVALID, STR("name"),
				      "name must have letters, digits and +=,.@_- alone.");
	if (!iam_is_path(path))
		return ctx_fail_field(e->c, ERR_INVALID, STR("path"), "path must begin and end with /.");
	return OK;
}

/* ---- managed policies ---- */

#define DOCUMENT(T, member, text)                                                                            \
	PARAM(struct T, "document", member, .min = 1, .max = POLICY_DOCUMENT_MAX, .flags = REQUIRED,         \
	      .doc = (text))
static const struct param policy_params[] = {
	PARAM(struct policy_wish, "name", name, .min = 1, .max = NAME_MAX_SIZE, .flags = REQUIRED,
	      .doc = "Name; unique in the account."),
	PARAM(struct policy_wish, "path", path, .max = PATH_MAX_SIZE, .doc = "Path of the ARN; absent: /."),
	PARAM(struct policy_wish, "description", description, .max = TEXT_MAX,
	      .doc = "Description: free text."),
	DOCUMENT(policy_wish, document, "Policy document in IAM's policy language, as text."),
	PARAM(struct policy_wish, "tags", tags, .max = TAG_COUNT_MAX, .doc = "Tags."),
};
static const struct param version_params[] = {
	DOCUMENT(policy_version_wish, document, "Policy document of the new version."),
	PARAM(struct policy_version_wish, "is_default", is_default,
	      .doc = "Makes the new version the default."),
};
static const struct param number_params[] = {
	PARAM(struct policy_version_target, "number", number, .min = 1, .max = INT64_MAX, .flags = REQUIRED,
	      .doc = "Version number."),
};

static RESULT prepare_policy(struct native_call *e, void *args)
{
	const struct policy_wish *wish = args;
	TRY(check_name(e, wish->name, wish->path));
	return check_document(e, wish->document, POLICY_OF_IDENTITY, "document");
}

static RESULT prepare_version(struct native_call *e, void *args)
{
	return check_document(e, ((const struct policy_version_wish *) args)->document, POLICY_OF_IDENTITY,
			      "document");
}

static RESULT prepare_number(struct native_call *e, void *args)
{
	(void) e;
	((struct policy_version_target *) args)->field = STR("number");
	return OK;
}

/* ---- who has them ---- */

static const struct param attach_params[] = {
	REF(policy_attachment_wish, "policy", policy, POLICY, .flags = REQUIRED,
	    .doc = "Policy: the account's own, or one that AWS manages."),
};

/* ---- roles ---- */

static const struct param role_params[] = {
	PARAM(struct iam_role_wish, "name", name, .min = 1, .max = ROLE_NAME_MAX, .flags = REQUIRED,
	      .doc = "Name; unique in the account."),
	PARAM(struct iam_role_wish, "path", path, .max = PATH_MAX_SIZE, .doc = "Path of the ARN; absent: /."),
	PARAM(struct iam_role_wish, "description", description, .max = TEXT_MAX,
	      .doc = "Description: free text."),
	PARAM(struct iam_role_wish, "trust", trust, .min = 1, .max = POLICY_DOCUMENT_MAX, .flags = REQUIRED,
	      .doc = "Trust policy, as text: principals that may assume the role."),
};
static const struct param trust_params[] = {
	PARAM(struct iam_role_change, "trust", trust, .min = 1, .max = POLICY_DOCUMENT_MAX, .flags = REQUIRED,
	      .doc = "New trust policy: principals that may assume the role."),
};

static RESULT prepare_role(struct native_call *e, void *args)
{
	const struct iam_role_wish *wish = args;
	TRY(check_name(e, wish->name, wish->path));
	return check_document(e, wish->trust, POLICY_OF_TRUST, "trust");
}

static RESULT prepare_trust(struct native_call *e, void *args)
{
	return check_document(e, ((const struct iam_role_change *) args)->trust, POLICY_OF_TRUST, "trust");
}

/* ---- AWS's own, which are no rows ---- */

static RESULT answer_aws_policies(struct native_call *e, const void *args, struct json_writer *w)
{
	const struct policy *p = NULL;
	(void) args;
	(void) e;
	json_write_open_list(w, "items");
	for (size_t n = 0; (p = aws_policy_at(n)); n++) {
		json_write_open(w, NULL);
		json_write_uuid(w, "id", p->row.id);
		json_write_text(w, "name", p->name);
		json_write_text(w, "path", p->path);
		if (p->description.n)
			json_write_text(w, "description", p->description);
		json_write_text(w, "document", aws_policy_version(p)->document);
		json_write_close(w);
	}
	json_write_close_list(w);
	return OK;
}

#define ATTACH(where, permission, kind, verb, member, run, text)                                             \
	CHANGE_OF(POST, where "/{id}/" verb, permission, kind, KIND_POLICY_ATTACHMENT,                       \
		  .args = PARAMS(struct policy_attachment_wish, attach_params),                              \
		  .target = NATIVE_AT(policy_attachment_wish, member), .operation = (run), .doc = (text))
#define ATTACH_AND_DETACH(where, word, kind, member)                                                         \
	ATTACH(where, "iam:Attach" word "Policy", kind, "attach-policy", member, engine_attach_policy_run,   \
	       "Attaches a policy."),                                                                        \
		ATTACH(where, "iam:Detach" word "Policy", kind, "detach-policy", member,                     \
		       engine_detach_policy_run, "Detaches a policy.")

static const struct native_action actions[] = {
	{HTTP_GET, "/aws-policies", .name = "ListAwsPolicies", .permit = "iam:ListPolicies",
	 .answer = answer_aws_policies,
	 .doc = "Lists AWS's own managed policies, which every account may attach."},
	CREATE("/policies", "iam:CreatePolicy", POLICY, .args = PARAMS(struct policy_wish, policy_params),
	       .prepare = prepare_policy, .operation = engine_create_policy_run,
	       .doc = "Creates a managed policy. An invalid document is refused with the position of the "
		      "error."),
	CHANGE(DELETE, "/policies/{id}", "iam:DeletePolicy", POLICY,
	       .args = {.size = sizeof(struct policy_target)}, .target = NATIVE_AT(policy_target, policy),
	       .operation = engine_delete_policy_run,
	       .doc = "Deletes a managed policy that is not attached."),
	CHANGE_OF(POST, "/policies/{id}/versions", "iam:CreatePolicyVersion", POLICY, KIND_POLICY_VERSION,
		  .args = PARAMS(struct policy_version_wish, version_params),
		  .target = NATIVE_AT(policy_version_wish, policy), .prepare = prepare_version,
		  .operation = engine_create_policy_version_run,
		  .doc = "Creates a version of a managed policy."),
	CHANGE(POST, "/policies/{id}/default", "iam:SetDefaultPolicyVersion", POLICY,
	       .args = PARAMS(struct policy_version_target, number_params),
	       .target = NATIVE_AT(policy_version_target, policy), .prepare = prepare_number,
	       .operation = engine_set_default_policy_version_run,
	       .doc = "Sets the default version of a managed policy."),
	CHANGE(POST, "/policies/{id}/delete-version", "iam:DeletePolicyVersion", POLICY,
	       .args = PARAMS(struct policy_version_target, number_params),
	       .target = NATIVE_AT(policy_version_target, policy), .prepare = prepare_number,
	       .operation = engine_delete_policy_version_run,
	       .doc = "Deletes a version other than the default one."),
	ATTACH_AND_DETACH("/users", "User", USER, user),
	ATTACH_AND_DETACH("/user-groups", "Group", USER_GROUP, user_group),
	ATTACH_AND_DETACH("/iam-roles", "Role", IAM_ROLE, iam_role),
	CREATE("/iam-roles", "iam:CreateRole", IAM_ROLE, .args = PARAMS(struct iam_role_wish, role_params),
	       .prepare = prepare_role, .operation = engine_create_iam_role_run, .doc = "Creates a role."),
	CHANGE(POST, "/iam-roles/{id}/trust", "iam:UpdateAssumeRolePolicy", IAM_ROLE,
	       .args = PARAMS(struct iam_role_change, trust_params),
	       .target = NATIVE_AT(iam_role_change, iam_role), .prepare = prepare_trust,
	       .operation = engine_update_iam_role_trust_run, .doc = "Replaces the trust policy of a role."),
	CHANGE(DELETE, "/iam-roles/{id}", "iam:DeleteRole", IAM_ROLE,
	       .args = {.size = sizeof(struct iam_role_target)},
	       .target = NATIVE_AT(iam_role_target, iam_role), .operation = engine_delete_iam_role_run,
	       .doc = "Deletes a role without policies."),
};
const struct api_actions native_policies_actions = API_ACTIONS(actions);
