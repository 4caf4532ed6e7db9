/* SPDX-License-Identifier: Apache-2.0
 * Policies of users, groups and roles: attached, inline, and permissions boundaries. The three kinds share
 * their code: an action's parameters say which kind it concerns. */
#include "api/iam/internal.h"
#include "engine/resolve.h"
#include "model/policy.h"
#include "model/policy_attachment.h"
#include "model/policy_version.h"

struct attach {
	struct policy_attachment_wish wish;
	struct str arn;
};

static RESULT prepare_attach(struct iam_call *e, void *args)
{
	struct attach *a = args;
	return iam_find_policy(e, a->arn, IAM_NOT_ATTACHABLE, &a->wish.policy);
}

static RESULT prepare_detach(struct iam_call *e, void *args)
{
	struct attach *a = args;
	return iam_find_policy(e, a->arn, IAM_NO_POLICY, &a->wish.policy);
}

static RESULT prepare_boundary(struct iam_call *e, void *args)
{
	struct attach *a = args;
	a->wish.is_boundary = true;
	return a->arn.n ? iam_find_boundary(e, a->arn, &a->wish.policy) : OK;
}

static RESULT prepare_inline(struct iam_call *e, void *args)
{
	struct inline_policy_wish *wish = args;
	TRY(iam_check_name(e, wish->name, "PolicyName"));
	wish->field = STR("PolicyName");
	return wish->document.n ? iam_check_document(e, wish->document, POLICY_OF_IDENTITY, false) : OK;
}

/* ---- reads ---- */

static bool is_attached(const struct iam_list *l, const struct row *row)
{
	const struct policy_attachment *at = policy_attachment_of(row);
	const struct policy *p = engine_find_policy(iam_tables(l->e), at->policy);
	return p && !at->is_boundary && iam_is_own(l, row) && str_starts_with(p->path, l->path);
}

static RESULT write_attached(struct iam_call *e, struct xml *x, const struct row *row)
{
	const struct policy *p = engine_find_policy(iam_tables(e), policy_attachment_of(row)->policy);
	xml_text(x, "PolicyName", p->name);
	xml_text(x, "PolicyArn", iam_arn(e, KIND_POLICY, &p->row));
	return OK;
}

const struct iam_listing iam_attachments = {
	.kind = KIND_POLICY_ATTACHMENT,
	.paths = {{KIND_POLICY_ATTACHMENT, POLICY_ATTACHMENT_INDEX_USER},
		  {KIND_POLICY_ATTACHMENT, POLICY_ATTACHMENT_INDEX_USER_GROUP},
		  {KIND_POLICY_ATTACHMENT, POLICY_ATTACHMENT_INDEX_IAM_ROLE}},
	.find_parent = iam_find_principal,
	.shows = is_attached,
	.shown = {"AttachedPolicies", .write = write_attached},
};

static struct str name_of(struct iam_call *e, const struct row *row)
{
	(void) e;
	return policy_of(row)->name;
}

const struct iam_listing iam_inline_policies = {
	.kind = KIND_POLICY,
	.paths = {{KIND_POLICY, POLICY_INDEX_USER},
		  {KIND_POLICY, POLICY_INDEX_USER_GROUP},
		  {KIND_POLICY, POLICY_INDEX_IAM_ROLE}},
	.find_parent = iam_find_principal,
	.shows = iam_is_own,
	.shown = {"PolicyNames", .get_text = name_of},
};

/* Name of a kind of principal in messages, and the element with its name. */
struct principal_words {
	const char *kind, *name;
};

static const struct principal_words *words_of(enum kind kind)
{
	static const struct principal_words user = {"user", "UserName"}, group = {"group", "GroupName"},
					    role = {"role", "RoleName"};
	return kind == KIND_USER ? &user : kind == KIND_USER_GROUP ? &group : &role;
}

static RESULT get_inline(struct iam_call *e, const void *args, struct xml *x)
{
	const struct iam_read_args *a = args;
	const struct tables *t = iam_tables(e);
	struct policy_principal principal;
	TRY(engine_find_policy_principal(e->c, t, &a->user, &a->group, &a->role, &principal));
	const struct policy *p = engine_find_inline_policy(t, e->c->who->account, &principal, a->name);
	const struct policy_version *v = p ? engine_find_default_version(t, p) : NULL;
	if (!v)
		return ctx_fail_field(e->c, ERR_NOT_FOUND, STR("PolicyName"),
				      "The %s policy with name %" STR_FMT " cannot be found.",
				      words_of(principal.kind)->kind, STR_ARG(a->name));
	xml_text(x, words_of(principal.kind)->name, iam_get_name(principal.kind, principal.row));
	xml_text(x, "PolicyName", p->name);
	xml_text(x, "PolicyDocument", str_encode_url(e->c->arena, v->document, false));
	return OK;
}

/* ---- parameters, by the kind of principal ---- */

#define BOUNDARY                                                                                             \
	PARAM(struct attach, "PermissionsBoundary", arn, .flags = REQUIRED, .min = 20, .max = 2048,          \
	      .doc = "ARN of the permissions boundary.")
#define A struct iam_read_args
#define I struct inline_policy_wish
static const struct param attach_user_rows[] = {IAM_USER(struct attach, wish.user, | REQUIRED),
						IAM_POLICY_ARN(struct attach, arn)};
static const struct param attach_group_rows[] = {IAM_GROUP(struct attach, wish.user_group),
						 IAM_POLICY_ARN(struct attach, arn)};
static const struct param attach_role_rows[] = {IAM_ROLE(struct attach, wish.iam_role),
						IAM_POLICY_ARN(struct attach, arn)};
static const struct param bound_user_rows[] = {IAM_USER(struct attach, wish.user, | REQUIRED), BOUNDARY};
static const struct param bound_role_rows[] = {IAM_ROLE(struct attach, wish.iam_role), BOUNDARY};
static const struct param unbound_user_rows[] = {IAM_USER(struct attach, wish.user, | REQUIRED)};
static const struct param unbound_role_rows[] = {IAM_ROLE(struct attach, wish.iam_role)};

static const struct param put_user_rows[] = {IAM_USER(I, user, | REQUIRED), IAM_POLICY_NAME(I, name),
					     IAM_DOCUMENT(I, document)};
static const struct param put_group_rows[] = {IAM_GROUP(I, user_group), IAM_POLICY_NAME(I, name),
					      IAM_DOCUMENT(I, document)};
static const struct param put_role_rows[] = {IAM_ROLE(I, iam_role), IAM_POLICY_NAME(I, name),
					     IAM_DOCUMENT(I, document)};
static const struct param delete_user_rows[] = {IAM_USER(I, user, | REQUIRED), IAM_POLICY_NAME(I, name)};
static const struct param delete_group_rows[] = {IAM_GROUP(I, user_group), IAM_POLICY_NAME(I, name)};
static const struct param delete_role_rows[] = {IAM_ROLE(I, iam_role), IAM_POLICY_NAME(I, name)};

static const struct param user_attached_rows[] = {IAM_USER(A, user, | REQUIRED), IAM_PATH_PREFIX(A, path),
						  IAM_PAGES(A, pages)};
static const struct param group_attached_rows[] = {IAM_GROUP(A, group), IAM_PATH_PREFIX(A, path),
						   IAM_PAGES(A, pages)};
static const struct param role_attached_rows[] = {IAM_ROLE(A, role), IAM_PATH_PREFIX(A, path),
						  IAM_PAGES(A, pages)};
static const struct param of_user_rows[] = {IAM_USER(A, user, | REQUIRED), IAM_PAGES(A, pages)};
static const struct param of_group_rows[] = {IAM_GROUP(A, group), IAM_PAGES(A, pages)};
static const struct param of_role_rows[] = {IAM_ROLE(A, role), IAM_PAGES(A, pages)};
static const struct param get_user_rows[] = {IAM_USER(A, user, | REQUIRED), IAM_POLICY_NAME(A, name)};
static const struct param get_group_rows[] = {IAM_GROUP(A, group), IAM_POLICY_NAME(A, name)};
static const struct param get_role_rows[] = {IAM_ROLE(A, role), IAM_POLICY_NAME(A, name)};

#define READ(name_, rows, words)                                                                             \
	{                                                                                                    \
		IAM_ACTION(name_), .args = PARAMS(A, rows), .answer = get_inline, .doc = words               \
	}
#define LIST(name_, rows, listing, words)                                                                    \
	{                                                                                                    \
		IAM_ACTION(name_), .args = PARAMS(A, rows), .list = &(listing), .answer = iam_answer_list,   \
				   .doc = words                                                              \
	}
#define CHANGE(name_, T, rows, prepare_, run, words)                                                         \
	{                                                                                                    \
		IAM_ACTION(name_), .flags = API_WRITES, .args = PARAMS(T, rows), .prepare = prepare_,        \
				   .operation = run, .doc = words                                            \
	}
#define ATTACH(name_, rows, words)                                                                           \
	CHANGE(name_, struct attach, rows, prepare_attach, engine_attach_policy_run, words)
#define DETACH(name_, rows, words)                                                                           \
	CHANGE(name_, struct attach, rows, prepare_detach, engine_detach_policy_run, words)
#define PUT(name_, rows, words) CHANGE(name_, I, rows, prepare_inline, engine_put_inline_policy_run, words)
#define DELETE(name_, rows, words)                                                                           \
	CHANGE(name_, I, rows, prepare_inline, engine_delete_inline_policy_run, words)

static const struct iam_action actions[] = {
	ATTACH("AttachUserPolicy", attach_user_rows, "Attaches a managed policy to a user."),
	ATTACH("AttachGroupPolicy", attach_group_rows, "Attaches a managed policy to a group."),
	ATTACH("AttachRolePolicy", attach_role_rows, "Attaches a managed policy to a role."),
	DETACH("DetachUserPolicy", attach_user_rows, "Detaches a managed policy from a user."),
	DETACH("DetachGroupPolicy", attach_group_rows, "Detaches a managed policy from a group."),
	DETACH("DetachRolePolicy", attach_role_rows, "Detaches a managed policy from a role."),
	LIST("ListAttachedUserPolicies", user_attached_rows, iam_attachments,
	     "Lists the managed policies attached to a user."),
	LIST("ListAttachedGroupPolicies", group_attached_rows, iam_attachments,
	     "Lists the managed policies attached to a group."),
	LIST("ListAttachedRolePolicies", role_attached_rows, iam_attachments,
	     "Lists the managed policies attached to a role."),
	CHANGE("PutUserPermissionsBoundary", struct attach, bound_user_rows, prepare_boundary,
	       engine_attach_policy_run, "Sets the permissions boundary of a user."),
	CHANGE("DeleteUserPermissionsBoundary", struct attach, unbound_user_rows, prepare_boundary,
	       engine_detach_policy_run, "Deletes the permissions boundary of a user."),
	CHANGE("PutRolePermissionsBoundary", struct attach, bound_role_rows, prepare_boundary,
	       engine_attach_policy_run, "Sets the permissions boundary of a role."),
	CHANGE("DeleteRolePermissionsBoundary", struct attach, unbound_role_rows, prepare_boundary,
	       engine_detach_policy_run, "Deletes the permissions boundary of a role."),
	PUT("PutUserPolicy", put_user_rows, "Sets an inline policy of a user."),
	PUT("PutGroupPolicy", put_group_rows, "Sets an inline policy of a group."),
	PUT("PutRolePolicy", put_role_rows, "Sets an inline policy of a role."),
	DELETE("DeleteUserPolicy", delete_user_rows, "Deletes an inline policy of a user."),
	DELETE("DeleteGroupPolicy", delete_group_rows, "Deletes an inline policy of a group."),
	DELETE("DeleteRolePolicy", delete_role_rows, "Deletes an inline policy of a role."),
	READ("GetUserPolicy", get_user_rows, "Returns an inline policy of a user."),
	READ("GetGroupPolicy", get_group_rows, "Returns an inline policy of a group."),
	READ("GetRolePolicy", get_role_rows, "Returns an inline policy of a role."),
	LIST("ListUserPolicies", of_user_rows, iam_inline_policies, "Lists the inline policies of a user."),
	LIST("ListGroupPolicies", of_group_rows, iam_inline_policies,
	     "Lists the inline policies of a group."),
	LIST("ListRolePolicies", of_role_rows, iam_inline_policies, "Lists the inline policies of a role."),
};
const struct api_actions iam_principal_actions = API_ACTIONS(actions);
