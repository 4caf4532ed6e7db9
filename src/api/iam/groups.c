/* SPDX-License-Identifier: Apache-2.0
 * Groups: the account's own, which are made here, and who is in them. */
#include "api/iam/internal.h"
#include "engine/people/account_user.h"
#include "engine/people/user_group.h"
#include "engine/resolve.h"
#include "store/group_member.h"
#include "store/user.h"
#include "store/user_group.h"

void iam_write_group(struct iam_call *e, struct xml *x, const struct user_group *group)
{
	iam_write_entity(e, x, KIND_USER_GROUP, &group->row, "GroupName", "GroupId");
}

static RESULT find_group(struct iam_call *e, const struct ref *ref, const struct user_group **ret_group)
{
	const struct ref none = {0};
	struct policy_principal principal;
	TRY(engine_find_policy_principal(e->c, iam_tables(e), &none, ref, &none, &principal));
	*ret_group = user_group_of(principal.row);
	return OK;
}

/* ---- reads ---- */

struct group_args {
	struct ref group, user;
	struct str path;
	struct iam_pages pages;
};
static const struct param get_params[] = {IAM_GROUP(struct group_args, group),
					  IAM_PAGES(struct group_args, pages)};
static const struct param list_params[] = {IAM_PATH_PREFIX(struct group_args, path),
					   IAM_PAGES(struct group_args, pages)};
static const struct param of_user_params[] = {IAM_USER(struct group_args, user, | REQUIRED),
					      IAM_PAGES(struct group_args, pages)};

static RESULT get_group(struct iam_call *e, const void *args, struct xml *x)
{
	const struct group_args *a = args;
	const struct user_group *group = NULL;
	const struct tables *t = iam_tables(e);
	struct list_page page;
	TRY(find_group(e, &a->group, &group));
	TRY(iam_open_page(e, &a->pages, &page));
	xml_open(x, "Group");
	iam_write_group(e, x, group);
	xml_close(x, "Group");
	xml_open(x, "Users");
	const struct group_member *m = group_member_first_by_user_group(t, group->row.id);
	for (; m; m = group_member_next_by_user_group(t, m)) {
		const struct user *user = user_find(t, m->user);
		if (!user || !list_page_takes(&page))
			continue;
		xml_open(x, "member");
		iam_write_user(e, x, user, false);
		xml_close(x, "member");
	}
	xml_close(x, "Users");
	return iam_close_page(e, x, &page);
}

static RESULT list_groups(struct iam_call *e, const void *args, struct xml *x)
{
	const struct group_args *a = args;
	const struct tables *t = iam_tables(e);
	struct list_page page;
	TRY(iam_open_page(e, &a->pages, &page));
	xml_open(x, "Groups");
	const struct user_group *g = user_group_first_by_owner(t, e->c->who->account);
	for (; g; g = user_group_next_by_owner(t, g)) {
		if (!str_starts_with(iam_get_path(KIND_USER_GROUP, &g->row), a->path) ||
		    !list_page_takes(&page))
			continue;
		xml_open(x, "member");
		iam_write_group(e, x, g);
		xml_close(x, "member");
	}
	xml_close(x, "Groups");
	return iam_close_page(e, x, &page);
}

static RESULT list_of_user(struct iam_call *e, const void *args, struct xml *x)
{
	const struct group_args *a = args;
	const struct user *user = NULL;
	const struct tables *t = iam_tables(e);
	struct list_page page;
	TRY(iam_find_user(e, &a->user, &user));
	TRY(iam_open_page(e, &a->pages, &page));
	xml_open(x, "Groups");
	const struct group_member *m = group_member_first_by_user(t, user->row.id);
	for (; m; m = group_member_next_by_user(t, m)) {
		const struct user_group *g = user_group_find(t, m->user_group);
		if (!g || !engine_is_groups_account(t, g, e->c->who->account) || !list_page_takes(&page))
			continue;
		xml_open(x, "member");
		iam_write_group(e, x, g);
		xml_close(x, "member");
	}
	xml_close(x, "Groups");
	return iam_close_page(e, x, &page);
}

/* ---- changes ---- */

static const struct param create_params[] = {
	PARAM(struct account_group_wish, "GroupName", name, .flags = REQUIRED, .min = 1, .max = 128,
	      .doc = "Unique in the account, in any letter case."),
	IAM_PATH(struct account_group_wish, path),
};

static RESULT prepare_new(struct iam_call *e, void *args)
{
	struct account_group_wish *a = args;
	TRY(iam_check_name(e, a->name, "GroupName"));
	return iam_check_path(e, a->path, "Path");
}

static RESULT show_new(struct iam_call *e, const void *args, struct xml *x)
{
	const struct account_group_wish *a = args;
	const struct row *row = NULL;
	TRY(iam_find_returned(e, a->user_group, &row));
	xml_open(x, "Group");
	iam_write_group(e, x, user_group_of(row));
	xml_close(x, "Group");
	return OK;
}

static const struct param update_params[] = {
	IAM_GROUP(struct account_group_change, user_group),
	PARAM(struct account_group_change, "NewGroupName", name, .min = 1, .max = 128,
	      .doc = "Its name from now on."),
	PARAM(struct account_group_change, "NewPath", path, .min = 1, .max = 512,
	      .doc = "Its path likewise."),
};

static RESULT prepare_update(struct iam_call *e, void *args)
{
	struct account_group_change *a = args;
	TRY(iam_check_name(e, a->name, "NewGroupName"));
	return iam_check_path(e, a->path, "NewPath");
}

static const struct param delete_params[] = {IAM_GROUP(struct account_group_target, user_group)};
static const struct param member_params[] = {IAM_GROUP(struct membership, user_group),
					     IAM_USER(struct membership, user, | REQUIRED)};

static const struct iam_action actions[] = {
	{IAM_ACTION("CreateGroup"), .flags = API_WRITES,
	 .args = PARAMS(struct account_group_wish, create_params), .prepare = prepare_new,
	 .operation = engine_create_account_group_run, .returns = KIND_USER_GROUP, .answer = show_new,
	 .doc = "Makes a group."},
	{IAM_ACTION("GetGroup"), .args = PARAMS(struct group_args, get_params), .answer = get_group,
	 .doc = "One group and its members."},
	{IAM_ACTION("ListGroups"), .args = PARAMS(struct group_args, list_params), .answer = list_groups,
	 .doc = "The account's groups."},
	{IAM_ACTION("UpdateGroup"), .flags = API_WRITES,
	 .args = PARAMS(struct account_group_change, update_params), .prepare = prepare_update,
	 .operation = engine_update_account_group_run, .doc = "Gives a group another name or path."},
	{IAM_ACTION("DeleteGroup"), .flags = API_WRITES,
	 .args = PARAMS(struct account_group_target, delete_params),
	 .operation = engine_delete_account_group_run,
	 .doc = "Deletes a group without members and policies."},
	{IAM_ACTION("AddUserToGroup"), .flags = API_WRITES, .args = PARAMS(struct membership, member_params),
	 .operation = engine_add_group_member_run, .doc = "Makes a user a member."},
	{IAM_ACTION("RemoveUserFromGroup"), .flags = API_WRITES,
	 .args = PARAMS(struct membership, member_params), .operation = engine_remove_group_member_run,
	 .doc = "Ends that."},
	{IAM_ACTION("ListGroupsForUser"), .args = PARAMS(struct group_args, of_user_params),
	 .answer = list_of_user, .doc = "The groups that a user is in."},
};
const struct api_actions iam_group_actions = API_ACTIONS(actions);
