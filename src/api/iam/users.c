/* SPDX-License-Identifier: Apache-2.0
 * Users: the account's own, and domain users with a role on the account, which are only shown. */
#include "api/iam/internal.h"
#include "engine/people/account/account_user.h"
#include "engine/resolve.h"
#include "engine/tag.h"
#include "store/group_member.h"
#include "store/role_assignment.h"
#include "store/user.h"

/* ---- who ---- */

RESULT iam_choose_user(struct iam_call *e, struct ref *user)
{
	if (user->kind != KIND_NONE)
		return OK;
	if (!user_find(iam_tables(e), e->c->who->user))
		return ctx_fail_field(e->c, ERR_MISSING, STR("UserName"),
				      "Must specify userName when calling with non-User credentials");
	*user = (struct ref){
		.kind = KIND_USER, .prefix = e->c->who->user, .bits = 128, .field = STR("UserName")};
	return OK;
}

RESULT iam_find_user(struct iam_call *e, const struct ref *ref, const struct user **ret_user)
{
	const struct ref none = {0};
	struct policy_principal principal;
	const struct user *self = user_find(iam_tables(e), e->c->who->user);
	if (ref->bits == 128 && self && uuid_equal(ref->prefix, self->row.id)) {
		*ret_user = self;
		return engine_check_found(e->c, iam_tables(e), KIND_USER, &self->row);
	}
	TRY(engine_find_policy_principal(e->c, iam_tables(e), ref, &none, &none, &principal));
	*ret_user = user_of(principal.row);
	return OK;
}

bool iam_may_see_owned(struct iam_call *e, const struct user *user)
{
	return !uuid_is_none(user->account) || uuid_equal(user->row.id, e->c->who->user);
}

RESULT iam_prepare_user(struct iam_call *e, void *args)
{
	return iam_choose_user(e, &((struct iam_read_args *) args)->user);
}

RESULT iam_find_parent_user(struct iam_call *e, const struct iam_read_args *args, uuid *ret_user)
{
	const struct user *user = NULL;
	TRY(iam_find_user(e, &args->user, &user));
	*ret_user = user->row.id;
	return OK;
}

static void write_password_use(struct iam_call *e, struct xml *x, const struct user *user)
{
	const struct last_use stored = {.id = user->row.id, .at_us = user->password_used_us};
	const struct last_use use = last_used_find(e->config->uses, e->c->arena, &stored);
	if (use.at_us)
		iam_write_time(x, "PasswordLastUsed", use.at_us);
}

void iam_write_user(struct iam_call *e, struct xml *x, const struct user *user, bool is_whole)
{
	if (user->is_owner) {
		xml_text(x, "UserId", e->c->who->account_number);
		xml_text(x, "Arn",
			 str_print(e->c->arena, "arn:aws:iam::%" STR_FMT ":root",
				   STR_ARG(e->c->who->account_number)));
		iam_write_time(x, "CreateDate", user->row.created_us);
		write_password_use(e, x, user);
		return;
	}
	iam_write_entity(e, x, KIND_USER, &user->row, "UserName", "UserId");
	write_password_use(e, x, user);
	if (!is_whole)
		return;
	iam_write_boundary(e, x, KIND_USER, &user->row);
	if (user->tags.count)
		iam_write_tags(x, user->tags);
}

/* ---- reads ---- */

static const struct param user_params[] = {IAM_USER(struct iam_read_args, user)};
static const struct param list_tags_params[] = {IAM_USER(struct iam_read_args, user, | REQUIRED),
						IAM_PAGES(struct iam_read_args, pages)};

static RESULT get_user(struct iam_call *e, const void *args, struct xml *x)
{
	const struct iam_read_args *a = args;
	const struct user *user = NULL;
	TRY(iam_find_user(e, &a->user, &user));
	xml_open(x, "User");
	iam_write_user(e, x, user, true);
	xml_close(x, "User");
	return OK;
}

RESULT iam_write_listed_user(struct iam_call *e, struct xml *x, const struct row *row)
{
	iam_write_user(e, x, user_of(row), false);
	return OK;
}

/* Excludes other accounts' own users, even if they have a role here. */
static bool is_of_account(const struct iam_list *l, const struct row *row)
{
	const struct user *user = user_of(row);
	uuid account = l->e->c->who->account;
	return (uuid_is_none(user->account) || uuid_equal(user->account, account)) &&
	       engine_is_users_account(iam_tables(l->e), user, account);
}

#define OF_ROLES(role_index)                                                                                 \
	{KIND_ROLE_ASSIGNMENT, (role_index), .joins = {JOIN_ONE(KIND_USER, role_assignment, user)}},         \
	{                                                                                                    \
		KIND_ROLE_ASSIGNMENT, (role_index), .joins = {                                               \
			JOIN_ONE(KIND_USER_GROUP, role_assignment, user_group),                              \
			JOIN_EACH(KIND_GROUP_MEMBER, GROUP_MEMBER_INDEX_USER_GROUP),                         \
			JOIN_ONE(KIND_USER, group_member, user)                                              \
		}                                                                                            \
	}
const struct iam_listing iam_users = {
	.kind = KIND_USER,
	.order = "name",
	.paths = {{KIND_USER, USER_INDEX_OWNER},
		  OF_ROLES(ROLE_ASSIGNMENT_INDEX_ACCOUNT),
		  OF_ROLES(ROLE_ASSIGNMENT_INDEX_DOMAIN)},
	.path_index = USER_INDEX_PATH,
	.shows = is_of_account,
	.shown = {"Users", .write = iam_write_listed_user},
};

static RESULT list_tags(struct iam_call *e, const void *args, struct xml *x)
{
	const struct iam_read_args *a = args;
	const struct user *user = NULL;
	TRY(iam_find_user(e, &a->user, &user));
	return iam_list_tags(e, x, user->tags, &a->pages);
}

/* ---- changes ---- */

struct new_user {
	struct account_user_wish wish;
	struct str boundary;
};
static const struct param create_params[] = {
	PARAM(struct new_user, "UserName", wish.name, .flags = REQUIRED, .min = 1, .max = 64,
	      .doc = "Name; unique in the account, regardless of letter case."),
	IAM_PATH(struct new_user, wish.path),
	PARAM(struct new_user, "PermissionsBoundary", boundary, .min = 20, .max = 2048,
	      .doc = "ARN of the permissions boundary."),
	IAM_TAGS(struct new_user, wish.tags),
};

static RESULT prepare_new(struct iam_call *e, void *args)
{
	struct new_user *a = args;
	TRY(iam_check_name(e, a->wish.name, "UserName"));
	TRY(iam_check_path(e, a->wish.path, "Path"));
	TRY(iam_check_tags(e, a->wish.tags, true));
	return a->boundary.n ? iam_find_boundary(e, a->boundary, &a->wish.boundary) : OK;
}

static RESULT show_new(struct iam_call *e, const void *args, struct xml *x)
{
	const struct new_user *a = args;
	const struct row *row = NULL;
	TRY(iam_find_returned(e, a->wish.user, &row));
	xml_open(x, "User");
	iam_write_user(e, x, user_of(row), true);
	xml_close(x, "User");
	return OK;
}

static const struct param update_params[] = {
	IAM_USER(struct account_user_change, user, | REQUIRED),
	PARAM(struct account_user_change, "NewUserName", name, .min = 1, .max = 64, .doc = "New name."),
	PARAM(struct account_user_change, "NewPath", path, .min = 1, .max = 512, .doc = "New path."),
};

static RESULT prepare_update(struct iam_call *e, void *args)
{
	struct account_user_change *a = args;
	TRY(iam_check_name(e, a->name, "NewUserName"));
	return iam_check_path(e, a->path, "NewPath");
}

static const struct param delete_params[] = {IAM_USER(struct account_user_target, user, | REQUIRED)};

static const struct param tag_params[] = {IAM_USER(struct entity_tags, entity, | REQUIRED),
					  IAM_NEW_TAGS(struct entity_tags, tags)};
static const struct param untag_params[] = {IAM_USER(struct entity_tags, entity, | REQUIRED),
					    IAM_TAG_KEYS(struct entity_tags, keys)};

static const struct iam_action actions[] = {
	{IAM_ACTION("CreateUser"), .flags = API_WRITES, .args = PARAMS(struct new_user, create_params),
	 .prepare = prepare_new, .operation = engine_create_account_user_run, .returns = KIND_USER,
	 .answer = show_new, .doc = "Creates a user."},
	{IAM_ACTION("GetUser"), .args = PARAMS(struct iam_read_args, user_params),
	 .prepare = iam_prepare_user, .answer = get_user,
	 .doc = "Returns a user; without a name, the caller."},
	{IAM_ACTION("ListUsers"), .args = IAM_LIST, .list = &iam_users, .answer = iam_answer_list,
	 .doc = "Lists the account's users, and those of domains that have a role on it."},
	{IAM_ACTION("UpdateUser"), .flags = API_WRITES,
	 .args = PARAMS(struct account_user_change, update_params), .prepare = prepare_update,
	 .operation = engine_update_account_user_run, .doc = "Changes the name or path of a user."},
	{IAM_ACTION("DeleteUser"), .flags = API_WRITES,
	 .args = PARAMS(struct account_user_target, delete_params),
	 .operation = engine_delete_account_user_run,
	 .doc = "Deletes a user without keys, policies and group memberships."},
	{IAM_ACTION("TagUser"), .flags = API_WRITES, .args = PARAMS(struct entity_tags, tag_params),
	 .prepare = iam_prepare_tag, .operation = engine_tag_entity_run, .doc = "Sets tags on a user."},
	{IAM_ACTION("UntagUser"), .flags = API_WRITES, .args = PARAMS(struct entity_tags, untag_params),
	 .prepare = iam_prepare_untag, .operation = engine_untag_entity_run,
	 .doc = "Removes tags from a user."},
	{IAM_ACTION("ListUserTags"), .args = PARAMS(struct iam_read_args, list_tags_params),
	 .answer = list_tags, .doc = "Lists the tags of a user."},
};
const struct api_actions iam_user_actions = API_ACTIONS(actions);
