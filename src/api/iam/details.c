/* SPDX-License-Identifier: Apache-2.0
 * GetAccountAuthorizationDetails: users, groups, roles and policies with all their permissions, in pages. */
#include "api/iam/internal.h"
#include "engine/people/policy/aws_policy.h"
#include "model/iam_role.h"
#include "model/instance_profile.h"
#include "model/policy.h"
#include "model/policy_version.h"
#include "model/user.h"
#include "model/user_group.h"

struct details_args {
	struct strs filter;
	struct iam_pages pages;
};
static const struct param details_params[] = {
	PARAM(struct details_args, "Filter.member", filter,
	      .words = "User|Role|Group|LocalManagedPolicy|AWSManagedPolicy",
	      .doc = "Kinds of entities to return."),
	IAM_PAGES(struct details_args, pages),
};

static RESULT write_inline(struct iam_call *e, struct xml *x, const struct row *row)
{
	const struct policy *p = policy_of(row);
	const struct policy_version *v = engine_find_default_version(iam_tables(e), p);
	xml_text(x, "PolicyName", p->name);
	if (v)
		xml_text(x, "PolicyDocument", str_encode_url(e->c->arena, v->document, false));
	return OK;
}

static RESULT write_part(struct iam_call *e, struct xml *x, const struct iam_listing *listing, uuid parent,
			 struct iam_shown shown)
{
	struct iam_list list = {e, listing, parent, .shown = &shown};
	return iam_write_rows(&list, NULL, x);
}

/* Writes inline policies under the name `own` (NULL: omits them) and attached policies. */
static RESULT write_policies(struct iam_call *e, struct xml *x, const char *own, uuid id)
{
	const struct iam_shown inline_ones = {own, .write = write_inline};
	const struct iam_shown attached = {"AttachedManagedPolicies", .write = iam_attachments.shown.write};
	if (own)
		TRY(write_part(e, x, &iam_inline_policies, id, inline_ones));
	return write_part(e, x, &iam_attachments, id, attached);
}

static struct str get_group_name(struct iam_call *e, const struct row *membership)
{
	return iam_find_joined(e, membership)->name;
}

static RESULT write_user(struct iam_call *e, struct xml *x, const struct row *row)
{
	const struct iam_shown groups = {"GroupList", .get_text = get_group_name};
	const struct user *user = user_of(row);
	const struct policy_principal self = {KIND_USER, row};
	bool has_own = engine_next_inline_policy(iam_tables(e), &self, NULL);
	iam_write_entity(e, x, KIND_USER, row, "UserName", "UserId"); /* UserDetail has no PasswordLastUsed */
	iam_write_boundary(e, x, KIND_USER, row);
	iam_write_tags(x, user->tags);
	TRY(write_policies(e, x, has_own ? "UserPolicyList" : NULL, row->id));
	return write_part(e, x, &iam_memberships, row->id, groups);
}

static RESULT write_group(struct iam_call *e, struct xml *x, const struct row *row)
{
	TRY(iam_write_group(e, x, row));
	return write_policies(e, x, "GroupPolicyList", row->id);
}

/* Ordered by creation. */
static const struct iam_listing profiles_of_role = {
	.kind = KIND_INSTANCE_PROFILE,
	.paths = {{KIND_INSTANCE_PROFILE, INSTANCE_PROFILE_INDEX_IAM_ROLE}},
};

static RESULT write_role(struct iam_call *e, struct xml *x, const struct row *row)
{
	const struct iam_shown profiles = {"InstanceProfileList", .write = iam_write_profile};
	const struct iam_role *role = iam_role_of(row);
	iam_write_entity(e, x, KIND_IAM_ROLE, row, "RoleName", "RoleId");
	xml_text(x, "AssumeRolePolicyDocument", str_encode_url(e->c->arena, role->trust, false));
	iam_write_boundary(e, x, KIND_IAM_ROLE, row);
	iam_write_role_use(e, x, role);
	iam_write_tags(x, role->tags);
	TRY(write_policies(e, x, "RolePolicyList", row->id));
	return write_part(e, x, &profiles_of_role, row->id, profiles);
}

static RESULT write_version(struct iam_call *e, struct xml *x, const struct row *row)
{
	const struct policy_version *v = policy_version_of(row);
	iam_write_version(e, x, engine_find_policy(iam_tables(e), v->policy), v, true);
	return OK;
}

static RESULT write_managed(struct iam_call *e, struct xml *x, const struct row *row)
{
	static const struct iam_shown shown = {"PolicyVersionList", .write = write_version};
	const struct policy *p = policy_of(row);
	struct iam_list versions = iam_list_versions(e, p);
	versions.shown = &shown;
	iam_write_policy(e, x, p, false);
	return iam_write_rows(&versions, NULL, x);
}

/* Writes those of AWS's managed policies that are attached to somebody. */
static RESULT write_aws_policies(struct iam_call *e, struct iam_page *page, struct xml *x)
{
	const struct policy *p;
	for (size_t k = 0; (p = aws_policy_at(k)); k++) {
		if (!iam_is_attached(e, p) || !iam_page_takes(page, iam_number_key(e, k)))
			continue;
		xml_open(x, "member");
		TRY(write_managed(e, x, &p->row));
		xml_close(x, "member");
	}
	return OK;
}

static RESULT get_details(struct iam_call *e, const void *args, struct xml *x)
{
	static const struct {
		const char *kind, *set;
		const struct iam_listing *listing;
		struct iam_shown shown;
	} lists[] = {
		{"User", "UserDetailList", &iam_users, {.write = write_user}},
		{"Group", "GroupDetailList", &iam_groups, {.write = write_group}},
		{"Role", "RoleDetailList", &iam_roles, {.write = write_role}},
		{"LocalManagedPolicy", "Policies", &iam_policies, {.write = write_managed}},
	};
	const struct details_args *a = args;
	struct iam_page page;
	TRY(iam_open_page(e, &a->pages, &page));
	for (size_t k = 0; k < sizeof lists / sizeof lists[0]; k++) {
		struct iam_list list = {e, lists[k].listing, .shown = &lists[k].shown};
		xml_open(x, lists[k].set);
		page.section++;
		if (request_asks_for(a->filter, str_from(lists[k].kind)))
			TRY(iam_write_rows(&list, &page, x));
		page.section += list.listing == &iam_policies;
		if (list.listing == &iam_policies && request_asks_for(a->filter, STR("AWSManagedPolicy")))
			TRY(write_aws_policies(e, &page, x));
		xml_close(x, lists[k].set);
	}
	return iam_close_page(e, x, &page);
}

static const struct iam_action actions[] = {
	{IAM_ACTION("GetAccountAuthorizationDetails"), .args = PARAMS(struct details_args, details_params),
	 .answer = get_details,
	 .doc = "Returns the users, groups, roles and policies of the account, with all their relations."},
};
const struct api_actions iam_detail_actions = API_ACTIONS(actions);
