/* SPDX-License-Identifier: Apache-2.0
 * GetAccountAuthorizationDetails: everybody and everything that says who may what, in one answer of pages. */
#include "api/iam/internal.h"
#include "engine/people/aws_policy.h"
#include "model/policy_attachment.h"
#include "model/policy_version.h"
#include "model/user.h"
#include "store/group_member.h"
#include "store/iam_role.h"
#include "store/instance_profile.h"
#include "store/policy.h"
#include "store/user_group.h"

struct details_args {
	struct strs filter;
	struct iam_pages pages;
};
static const struct param details_params[] = {
	PARAM(struct details_args, "Filter.member", filter,
	      .words = "User|Role|Group|LocalManagedPolicy|AWSManagedPolicy", .doc = "Only of these kinds."),
	IAM_PAGES(struct details_args, pages),
};

struct details {
	struct iam_call *e;
	const struct details_args *args;
	struct list_page page;
	struct xml *x;
};

static bool wants(const struct details *d, const char *kind)
{
	return request_asks_for(d->args->filter, str_from(kind));
}

static void write_text(struct details *d, const char *name, const struct policy *p)
{
	const struct policy_version *v = engine_find_default_version(iam_tables(d->e), p);
	if (v)
		xml_text(d->x, name, str_encode_url(d->e->c->arena, v->document, false));
}

/* Its own policies under that name, and what is attached to it. */
static void write_policies(struct details *d, const char *own, enum kind kind, const struct row *row)
{
	const struct policy_principal principal = {kind, row};
	const struct tables *t = iam_tables(d->e);
	uuid account = d->e->c->who->account;
	xml_open(d->x, own);
	const struct policy *p = engine_next_inline_policy(t, &principal, NULL);
	for (; p; p = engine_next_inline_policy(t, &principal, p)) {
		if (!uuid_equal(p->account, account))
			continue;
		xml_open(d->x, "member");
		xml_text(d->x, "PolicyName", p->name);
		write_text(d, "PolicyDocument", p);
		xml_close(d->x, "member");
	}
	xml_close(d->x, own);
	xml_open(d->x, "AttachedManagedPolicies");
	const struct policy_attachment *a = engine_next_attachment(t, &principal, NULL);
	for (; a; a = engine_next_attachment(t, &principal, a)) {
		p = engine_find_policy(t, a->policy);
		if (!p || a->is_boundary || !uuid_equal(a->account, account))
			continue;
		xml_open(d->x, "member");
		xml_text(d->x, "PolicyName", p->name);
		xml_text(d->x, "PolicyArn", iam_arn(d->e, KIND_POLICY, &p->row));
		xml_close(d->x, "member");
	}
	xml_close(d->x, "AttachedManagedPolicies");
}

static void write_user(struct details *d, const struct user *user)
{
	const struct tables *t = iam_tables(d->e);
	xml_open(d->x, "member");
	iam_write_user(d->e, d->x, user, true);
	write_policies(d, "UserPolicyList", KIND_USER, &user->row);
	xml_open(d->x, "GroupList");
	const struct group_member *m = group_member_first_by_user(t, user->row.id);
	for (; m; m = group_member_next_by_user(t, m)) {
		const struct user_group *g = user_group_find(t, m->user_group);
		if (g && engine_is_groups_account(t, g, d->e->c->who->account))
			xml_text(d->x, "member", g->name);
	}
	xml_close(d->x, "GroupList");
	xml_close(d->x, "member");
}

static RESULT write_users(struct details *d)
{
	const struct user *const *users = NULL;
	size_t count = 0;
	TRY(iam_list_people(d->e, &users, &count));
	xml_open(d->x, "UserDetailList");
	for (size_t k = 0; k < count && wants(d, "User"); k++)
		if (list_page_takes(&d->page))
			write_user(d, users[k]);
	xml_close(d->x, "UserDetailList");
	return OK;
}

static void write_groups(struct details *d)
{
	const struct tables *t = iam_tables(d->e);
	xml_open(d->x, "GroupDetailList");
	const struct user_group *g =
		wants(d, "Group") ? user_group_first_by_owner(t, d->e->c->who->account) : NULL;
	for (; g; g = user_group_next_by_owner(t, g)) {
		if (!list_page_takes(&d->page))
			continue;
		xml_open(d->x, "member");
		iam_write_group(d->e, d->x, g);
		write_policies(d, "GroupPolicyList", KIND_USER_GROUP, &g->row);
		xml_close(d->x, "member");
	}
	xml_close(d->x, "GroupDetailList");
}

static void write_role(struct details *d, const struct iam_role *role)
{
	const struct tables *t = iam_tables(d->e);
	xml_open(d->x, "member");
	iam_write_entity(d->e, d->x, KIND_IAM_ROLE, &role->row, "RoleName", "RoleId");
	xml_text(d->x, "AssumeRolePolicyDocument", str_encode_url(d->e->c->arena, role->trust, false));
	iam_write_boundary(d->e, d->x, KIND_IAM_ROLE, &role->row);
	iam_write_role_use(d->e, d->x, role);
	iam_write_tags(d->x, role->tags);
	write_policies(d, "RolePolicyList", KIND_IAM_ROLE, &role->row);
	xml_open(d->x, "InstanceProfileList");
	const struct instance_profile *p = instance_profile_first_by_iam_role(t, role->row.id);
	for (; p; p = instance_profile_next_by_iam_role(t, p)) {
		xml_open(d->x, "member");
		iam_write_profile(d->e, d->x, p, false);
		xml_close(d->x, "member");
	}
	xml_close(d->x, "InstanceProfileList");
	xml_close(d->x, "member");
}

static void write_roles(struct details *d)
{
	const struct tables *t = iam_tables(d->e);
	xml_open(d->x, "RoleDetailList");
	const struct iam_role *r =
		wants(d, "Role") ? iam_role_first_by_account(t, d->e->c->who->account) : NULL;
	for (; r; r = iam_role_next_by_account(t, r))
		if (list_page_takes(&d->page))
			write_role(d, r);
	xml_close(d->x, "RoleDetailList");
}

static void write_managed_one(struct details *d, const struct policy *p)
{
	if (!policy_is_managed(p) || !list_page_takes(&d->page))
		return;
	xml_open(d->x, "member");
	iam_write_policy(d->e, d->x, p, false);
	xml_open(d->x, "PolicyVersionList");
	const struct policy_version *v = engine_next_version(iam_tables(d->e), p, NULL);
	for (; v; v = engine_next_version(iam_tables(d->e), p, v)) {
		xml_open(d->x, "member");
		iam_write_version(d->e, d->x, p, v, true);
		xml_close(d->x, "member");
	}
	xml_close(d->x, "PolicyVersionList");
	xml_close(d->x, "member");
}

/* Of AWS's own those that somebody has. */
static void write_managed(struct details *d)
{
	const struct tables *t = iam_tables(d->e);
	xml_open(d->x, "Policies");
	const struct policy *p =
		wants(d, "LocalManagedPolicy") ? policy_first_by_account(t, d->e->c->who->account) : NULL;
	for (; p; p = policy_next_by_account(t, p))
		write_managed_one(d, p);
	for (size_t k = 0; wants(d, "AWSManagedPolicy") && (p = aws_policy_at(k)); k++)
		if (iam_is_attached(d->e, p))
			write_managed_one(d, p);
	xml_close(d->x, "Policies");
}

static RESULT get_details(struct iam_call *e, const void *args, struct xml *x)
{
	struct details d = {.e = e, .args = args, .x = x};
	TRY(iam_open_page(e, &d.args->pages, &d.page));
	TRY(write_users(&d));
	write_groups(&d);
	write_roles(&d);
	write_managed(&d);
	return iam_close_page(e, x, &d.page);
}

static const struct iam_action actions[] = {
	{IAM_ACTION("GetAccountAuthorizationDetails"), .args = PARAMS(struct details_args, details_params),
	 .answer = get_details,
	 .doc = "Users, groups, roles and policies of the account, with all that says who may what."},
};
const struct api_actions iam_detail_actions = API_ACTIONS(actions);
