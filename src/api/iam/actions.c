/* SPDX-License-Identifier: Apache-2.0
 * The actions of IAM that are built: one row each, with its parameters. */
#include "api/iam/inside.h"

#define NAME_MAX 128
#define DOCUMENT_MAX (128 * 1024)

#define USER(T, member)                                                                                      \
	PARAM(T, "UserName", member, .flags = REQUIRED | BY_NAME, .kind = KIND_USER, .doc = "The user.")
#define GROUP(T, member)                                                                                     \
	PARAM(T, "GroupName", member, .flags = REQUIRED | BY_NAME, .kind = KIND_USER_GROUP,                  \
	      .doc = "The group.")
#define ARN(T, member)                                                                                       \
	PARAM(T, "PolicyArn", member, .flags = REQUIRED, .min = 20, .max = 2048, .doc = "The policy.")
#define POLICY_NAME(T, member)                                                                               \
	PARAM(T, "PolicyName", member, .flags = REQUIRED, .min = 1, .max = NAME_MAX, .doc = "Its name.")
#define DOCUMENT(T, member)                                                                                  \
	PARAM(T, "PolicyDocument", member, .flags = REQUIRED, .min = 1, .max = DOCUMENT_MAX,                 \
	      .doc = "The policy, in JSON.")
#define PAGES(T)                                                                                             \
	PARAM(T, "MaxItems", max_items, .min = 1, .max = 1000, .doc = "Size of a page."),                    \
		PARAM(T, "Marker", marker, .min = 1, .max = 320,                                             \
		      .doc = "The next page, by the last one's marker.")

#define A struct iam_policy_args
static const struct param arn_params[] = {ARN(A, arn)};
static const struct param version_params[] = {
	ARN(A, arn), PARAM(A, "VersionId", version, .flags = REQUIRED, .doc = "The version: v1, v2, …")};
static const struct param list_params[] = {
	PAGES(A),
	PARAM(A, "Scope", scope, .words = "All|AWS|Local",
	      .doc = "Amazon's own, of which there are none, or the account's."),
	PARAM(A, "OnlyAttached", only_attached, .doc = "Shows only what somebody has."),
	PARAM(A, "PathPrefix", path, .max = 512, .doc = "Shows only what lies below."),
	NOT_BUILT("PolicyUsageFilter"),
};
static const struct param versions_params[] = {ARN(A, arn), PAGES(A)};
static const struct param attached_to_user_params[] = {USER(A, user), PAGES(A),
						       NOT_BUILT("PathPrefix", .only = "/")};
static const struct param attached_to_group_params[] = {GROUP(A, group), PAGES(A),
							NOT_BUILT("PathPrefix", .only = "/")};
static const struct param of_user_params[] = {USER(A, user), PAGES(A)};
static const struct param of_group_params[] = {GROUP(A, group), PAGES(A)};
static const struct param get_of_user_params[] = {USER(A, user), POLICY_NAME(A, name)};
static const struct param get_of_group_params[] = {GROUP(A, group), POLICY_NAME(A, name)};
#undef A

static const struct param tag_params_rows[] = {
	PARAM(struct tag, "Key", key, .flags = REQUIRED, .min = 1, .max = 128, .doc = "A tag's key."),
	PARAM(struct tag, "Value", value, .max = 256, .doc = "Its value."),
};
static const struct params tag_params = PARAMS(struct tag, tag_params_rows);
static const struct param create_params[] = {
	POLICY_NAME(struct iam_create_policy, wish.name),
	PARAM(struct iam_create_policy, "Path", wish.path, .max = 512, .doc = "Of its ARN."),
	PARAM(struct iam_create_policy, "Description", wish.description, .max = 1000, .doc = "For people."),
	DOCUMENT(struct iam_create_policy, wish.document),
	PARAM_LIST(struct iam_create_policy, "Tags.member", wish.tags, tag_params, .max = 50,
		   .doc = "Its tags."),
};
static const struct param delete_params[] = {ARN(struct iam_delete_policy, arn)};
static const struct param create_version_params[] = {
	ARN(struct iam_create_version, arn), DOCUMENT(struct iam_create_version, wish.document),
	PARAM(struct iam_create_version, "SetAsDefault", wish.is_default, .doc = "It holds from now on.")};
static const struct param change_version_params[] = {
	ARN(struct iam_change_version, arn), PARAM(struct iam_change_version, "VersionId", version,
						   .flags = REQUIRED, .doc = "The version: v1, v2, …")};
static const struct param attach_user_params[] = {USER(struct iam_attach, wish.user),
						  ARN(struct iam_attach, arn)};
static const struct param attach_group_params[] = {GROUP(struct iam_attach, wish.user_group),
						   ARN(struct iam_attach, arn)};
static const struct param put_boundary_params[] = {USER(struct iam_attach, wish.user),
						   PARAM(struct iam_attach, "PermissionsBoundary", arn,
							 .flags = REQUIRED, .min = 20, .max = 2048,
							 .doc = "The policy that bounds it, by its ARN.")};
static const struct param delete_boundary_params[] = {USER(struct iam_attach, wish.user)};
#define W struct inline_policy_wish
static const struct param put_user_params[] = {USER(W, user), POLICY_NAME(W, name), DOCUMENT(W, document)};
static const struct param put_group_params[] = {GROUP(W, user_group), POLICY_NAME(W, name),
						DOCUMENT(W, document)};
static const struct param delete_user_params[] = {USER(W, user), POLICY_NAME(W, name)};
static const struct param delete_group_params[] = {GROUP(W, user_group), POLICY_NAME(W, name)};
#undef W

#define S struct iam_simulation
#define SIMULATED                                                                                            \
	PARAM(S, "PolicyInputList.member", documents, .max = DOCUMENT_MAX, .doc = "Further policies."),      \
		PARAM(S, "PermissionsBoundaryPolicyInputList.member", boundaries, .max = DOCUMENT_MAX,       \
		      .doc = "A permissions boundary."),                                                     \
		PARAM(S, "ActionNames.member", actions, .flags = REQUIRED, .max = 128,                       \
		      .doc = "What is asked: ec2:RunInstances, …"),                                          \
		PARAM(S, "ResourceArns.member", resources, .max = 2048,                                      \
		      .doc = "On what; nothing said: on all."),                                              \
		PARAM_LIST(S, "ContextEntries.member", context, iam_context_params, .max = 100,              \
			   .doc = "Condition keys of the request."),                                         \
		PARAM(S, "MaxItems", max_items, .min = 1, .max = 1000,                                       \
		      .doc = "Accepted; all is on one page."),                                               \
		PARAM(S, "Marker", marker, .doc = "Likewise."), NOT_BUILT("ResourcePolicy"),                 \
		NOT_BUILT("ResourceOwner"), NOT_BUILT("CallerArn"), NOT_BUILT("ResourceHandlingOption")
static const struct param simulate_custom_params[] = {SIMULATED};
static const struct param simulate_principal_params[] = {PARAM(S, "PolicySourceArn", source_arn,
							       .flags = REQUIRED, .min = 20, .max = 2048,
							       .doc = "The user, by its ARN."),
							 SIMULATED};
#undef S

#define READ(name_, T, rows, prepare_, answer_, words)                                                       \
	{                                                                                                    \
		.name = name_, .permit = "iam:" name_, .args = PARAMS(T, rows), .prepare = prepare_,         \
		.answer = answer_, .doc = words                                                              \
	}
#define CHANGE(name_, T, rows, prepare_, run, answer_, words)                                                \
	{                                                                                                    \
		.name = name_, .permit = "iam:" name_, .args = PARAMS(T, rows), .prepare = prepare_,         \
		.operation = run, .answer = answer_, .doc = words                                            \
	}

const struct iam_action iam_actions[] = {
	CHANGE("CreatePolicy", struct iam_create_policy, create_params, iam_prepare_create,
	       engine_create_policy_run, iam_answer_create, "Makes a managed policy."),
	CHANGE("DeletePolicy", struct iam_delete_policy, delete_params, iam_prepare_delete,
	       engine_delete_policy_run, 0, "Deletes a policy that nobody has."),
	READ("GetPolicy", struct iam_policy_args, arn_params, iam_prepare_policy, iam_get_policy,
	     "One policy."),
	READ("ListPolicies", struct iam_policy_args, list_params, 0, iam_list_policies,
	     "The account's policies."),
	CHANGE("CreatePolicyVersion", struct iam_create_version, create_version_params, iam_prepare_version,
	       engine_create_policy_version_run, iam_answer_version, "Gives a policy another text."),
	CHANGE("DeletePolicyVersion", struct iam_change_version, change_version_params,
	       iam_prepare_change_version, engine_delete_policy_version_run, 0,
	       "Deletes a version that does not hold."),
	CHANGE("SetDefaultPolicyVersion", struct iam_change_version, change_version_params,
	       iam_prepare_change_version, engine_set_default_policy_version_run, 0, "Lets a version hold."),
	READ("GetPolicyVersion", struct iam_policy_args, version_params, iam_prepare_policy, iam_get_version,
	     "One version, with its text."),
	READ("ListPolicyVersions", struct iam_policy_args, versions_params, iam_prepare_policy,
	     iam_list_versions, "A policy's versions."),
	CHANGE("AttachUserPolicy", struct iam_attach, attach_user_params, iam_prepare_attach,
	       engine_attach_policy_run, 0, "Gives a user a policy."),
	CHANGE("DetachUserPolicy", struct iam_attach, attach_user_params, iam_prepare_attach,
	       engine_detach_policy_run, 0, "Takes it away."),
	CHANGE("AttachGroupPolicy", struct iam_attach, attach_group_params, iam_prepare_attach,
	       engine_attach_policy_run, 0, "Gives a group's members a policy."),
	CHANGE("DetachGroupPolicy", struct iam_attach, attach_group_params, iam_prepare_attach,
	       engine_detach_policy_run, 0, "Takes it away."),
	READ("ListAttachedUserPolicies", struct iam_policy_args, attached_to_user_params, 0,
	     iam_list_attached, "Managed policies that a user has."),
	READ("ListAttachedGroupPolicies", struct iam_policy_args, attached_to_group_params, 0,
	     iam_list_attached, "Managed policies that a group has."),
	CHANGE("PutUserPermissionsBoundary", struct iam_attach, put_boundary_params, iam_prepare_boundary,
	       engine_attach_policy_run, 0, "Bounds what a user's policies and roles give."),
	CHANGE("DeleteUserPermissionsBoundary", struct iam_attach, delete_boundary_params,
	       iam_prepare_boundary, engine_detach_policy_run, 0, "Takes the bounds away."),
	CHANGE("PutUserPolicy", struct inline_policy_wish, put_user_params, iam_prepare_inline,
	       engine_put_inline_policy_run, 0, "Gives a user a policy of its own."),
	CHANGE("DeleteUserPolicy", struct inline_policy_wish, delete_user_params, iam_prepare_inline,
	       engine_delete_inline_policy_run, 0, "Takes it away."),
	READ("GetUserPolicy", struct iam_policy_args, get_of_user_params, 0, iam_get_inline,
	     "A user's own policy."),
	READ("ListUserPolicies", struct iam_policy_args, of_user_params, 0, iam_list_inline,
	     "A user's own policies."),
	CHANGE("PutGroupPolicy", struct inline_policy_wish, put_group_params, iam_prepare_inline,
	       engine_put_inline_policy_run, 0, "Gives a group a policy of its own."),
	CHANGE("DeleteGroupPolicy", struct inline_policy_wish, delete_group_params, iam_prepare_inline,
	       engine_delete_inline_policy_run, 0, "Takes it away."),
	READ("GetGroupPolicy", struct iam_policy_args, get_of_group_params, 0, iam_get_inline,
	     "A group's own policy."),
	READ("ListGroupPolicies", struct iam_policy_args, of_group_params, 0, iam_list_inline,
	     "A group's own policies."),
	READ("SimulatePrincipalPolicy", struct iam_simulation, simulate_principal_params, 0, iam_simulate,
	     "What a user's policies say of actions."),
	READ("SimulateCustomPolicy", struct iam_simulation, simulate_custom_params, 0, iam_simulate,
	     "What policies that are sent say of actions."),
};
const size_t iam_action_count = sizeof iam_actions / sizeof iam_actions[0];

void iam_write_coverage(struct buf *out)
{
	buf_print(out,
		  "\n## IAM: %zu actions\n\nAn action that IAM has and Dari has not answers "
		  "`InvalidAction`.\n\n"
		  "| action | what it does | refused parameters |\n| --- | --- | --- |\n",
		  iam_action_count);
	for (size_t k = 0; k < iam_action_count; k++) {
		const struct iam_action *a = &iam_actions[k];
		const char *before = "";
		buf_print(out, "| %s | %s | ", a->name, a->doc);
		for (size_t n = 0; n < a->args.count; n++) {
			const struct param *p = &a->args.at[n];
			if (p->type != PARAM_NOT_BUILT)
				continue;
			buf_print(out, "%s`%s`", before, p->wire);
			if (p->only)
				buf_print(out, " (but `%s`)", p->only);
			before = ", ";
		}
		buf_print(out, " |\n");
	}
}
