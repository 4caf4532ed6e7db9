/* SPDX-License-Identifier: Apache-2.0
 * Groups of the account and their members. */
#include "api/iam/internal.h"
#include "engine/people/account/account_user.h"
#include "engine/people/user_group.h"
#include "engine/resolve.h"
#include "store/group_member.h"
#include "store/user.h"
#include "store/user_group.h"

RESULT iam_write_group(struct iam_call *e, struct xml *x, const struct row *row)
{
	iam_write_entity(e, x, KIND_USER_GROUP, row, "GroupName", "GroupId");
	return OK;
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

static const struct param get_params[] = {IAM_GROUP(struct iam_read_args, group),
					  IAM_PAGES(struct iam_read_args, pages)};
static const struct param of_user_params[] = {IAM_USER(struct iam_read_args, user, | REQUIRED),
					      IAM_PAGES(struct iam_read_args, pages)};

/* The parent is a group. */
static const struct iam_listing members = {
	.kind = KIND_USER,
	.paths = {{KIND_GROUP_MEMBER, GROUP_MEMBER_INDEX_USER_GROUP,
		   .joins = {JOIN_ONE(KIND_USER, group_member, user)}}},
	.shown = {"Users", .write = iam_write_listed_user},
};

static RESULT get_group(struct iam_call *e, const void *args, struct xml *x)
{
	const struct iam_read_args *a = args;
	const struct user_group *group = NULL;
	struct iam_page page;
	TRY(find_group(e, &a->group, &group));
	struct iam_list users = {e, &members, group->row.id};
	TRY(iam_open_page(e, &a->pages, &page));
	xml_open(x, "Group");
	TRY(iam_write_group(e, x, &group->row));
	xml_close(x, "Group");
	TRY(iam_write_rows(&users, &page, x));
	return iam_close_page(e, x, &page);
}

const struct iam_listing iam_groups = {
	.kind = KIND_USER_GROUP,
	.order = "name",
	.paths = {{KIND_USER_GROUP, USER_GROUP_INDEX_OWNER}},
	.path_index = USER_GROUP_INDEX_PATH,
	.shown = {"Groups", .write = iam_write_group},
};

const struct user_group *iam_find_joined(struct iam_call *e, const struct row *membership)
{
	return user_group_find(iam_tables(e), group_member_of(membership)->user_group);
}

static bool is_in_account(const struct iam_list *l, const struct row *row)
{
	const struct user_group *group = iam_find_joined(l->e, row);
	return group && engine_is_groups_account(iam_tables(l->e), group, l->e->c->who->account);
}

static RESULT write_joined(struct iam_call *e, struct xml *x, const struct row *row)
{
	return iam_write_group(e, x, &iam_find_joined(e, row)->row);
}

const struct iam_listing iam_memberships = {
	.kind = KIND_GROUP_MEMBER,
	.paths = {{KIND_GROUP_MEMBER, GROUP_MEMBER_INDEX_USER}},
	.find_parent = iam_find_parent_user,
	.shows = is_in_account,
	.shown = {"Groups", .write = write_joined},
};

/* ---- changes ---- */

static const struct param create_params[] = {
	PARAM(struct account_group_wish, "GroupName", name, .flags = REQUIRED, .min = 1, .max = 128,
	      .doc = "Name; unique in the account, regardless of letter case."),
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
	TRY(iam_write_group(e, x, row));
	xml_close(x, "Group");
	return OK;
}

static const struct param update_params[] = {
	IAM_GROUP(struct account_group_change, user_group),
	PARAM(struct account_group_change, "NewGroupName", name, .min = 1, .max = 128, .doc = "New name."),
	PARAM(struct account_group_change, "NewPath", path, .min = 1, .max = 512, .doc = "New path."),
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
	 .doc = "Creates a group."},
	{IAM_ACTION("GetGroup"), .args = PARAMS(struct iam_read_args, get_params), .answer = get_group,
	 .doc = "Returns a group and its members."},
	{IAM_ACTION("ListGroups"), .args = IAM_LIST, .list = &iam_groups, .answer = iam_answer_list,
	 .doc = "Lists the account's groups."},
	{IAM_ACTION("UpdateGroup"), .flags = API_WRITES,
	 .args = PARAMS(struct account_group_change, update_params), .prepare = prepare_update,
	 .operation = engine_update_account_group_run, .doc = "Changes the name or path of a group."},
	{IAM_ACTION("DeleteGroup"), .flags = API_WRITES,
	 .args = PARAMS(struct account_group_target, delete_params),
	 .operation = engine_delete_account_group_run,
	 .doc = "Deletes a group without members and policies."},
	{IAM_ACTION("AddUserToGroup"), .flags = API_WRITES, .args = PARAMS(struct membership, member_params),
	 .operation = engine_add_group_member_run, .doc = "Adds a user to a group."},
	{IAM_ACTION("RemoveUserFromGroup"), .flags = API_WRITES,
	 .args = PARAMS(struct membership, member_params), .operation = engine_remove_group_member_run,
	 .doc = "Removes a user from a group."},
	{IAM_ACTION("ListGroupsForUser"), .args = PARAMS(struct iam_read_args, of_user_params),
	 .list = &iam_memberships, .answer = iam_answer_list, .doc = "Lists the groups of a user."},
};
const struct api_actions iam_group_actions = API_ACTIONS(actions);
