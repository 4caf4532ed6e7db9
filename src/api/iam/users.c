/* SPDX-License-Identifier: Apache-2.0
 * Users: the account's own, which are made here, and a domain's that have a role on it, which are shown. */
#include <stdlib.h>

#include "api/iam/internal.h"
#include "base/vec.h"
#include "engine/people/account_user.h"
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

static int compare_names(const void *a, const void *b)
{
	const struct user *one = *(const struct user *const *) a, *other = *(const struct user *const *) b;
	int order = str_compare(one->name, other->name);
	return order ? order : memcmp(&one->row.id, &other->row.id, sizeof one->row.id);
}

struct people {
	struct iam_call *e;
	VEC(const struct user *) found;
};

static RESULT add_person(struct people *p, uuid id)
{
	const struct user *user = uuid_is_none(id) ? NULL : user_find(iam_tables(p->e), id);
	if (!user || user->is_owner || !uuid_is_none(user->account))
		return OK;
	for (size_t k = 0; k < p->found.count; k++)
		if (p->found.at[k] == user)
			return OK;
	return VEC_PUSH(p->e->c->arena, &p->found, user) ? OK : ctx_no_memory(p->e->c);
}

/* Of one assignment: its user, or its group's members. */
static RESULT add_assigned(struct people *p, const struct role_assignment *a)
{
	TRY(add_person(p, a->user));
	if (uuid_is_none(a->user_group))
		return OK;
	const struct group_member *m = group_member_first_by_user_group(iam_tables(p->e), a->user_group);
	for (; m; m = group_member_next_by_user_group(iam_tables(p->e), m))
		TRY(add_person(p, m->user));
	return OK;
}

RESULT iam_list_people(struct iam_call *e, const struct user *const **ret_users, size_t *ret_count)
{
	const struct tables *t = iam_tables(e);
	struct people p = {.e = e};
	const struct user *own = user_first_by_owner(t, e->c->who->account);
	for (; own; own = user_next_by_owner(t, own))
		if (!own->is_owner && !VEC_PUSH(e->c->arena, &p.found, own))
			return ctx_no_memory(e->c);
	const struct role_assignment *a = role_assignment_first_by_account(t, e->c->who->account);
	for (; a; a = role_assignment_next_by_account(t, a))
		TRY(add_assigned(&p, a));
	a = role_assignment_first_by_domain(t, e->c->who->domain);
	for (; a; a = role_assignment_next_by_domain(t, a))
		if (a->inherited)
			TRY(add_assigned(&p, a));
	if (p.found.count)
		qsort(p.found.at, p.found.count, sizeof *p.found.at, compare_names);
	*ret_users = (const struct user *const *) p.found.at;
	*ret_count = p.found.count;
	return OK;
}

void iam_write_user(struct iam_call *e, struct xml *x, const struct user *user, bool is_whole)
{
	if (user->is_owner) {
		xml_text(x, "UserId", e->c->who->account_number);
		xml_text(x, "Arn",
			 str_print(e->c->arena, "arn:aws:iam::%" STR_FMT ":root",
				   STR_ARG(e->c->who->account_number)));
		iam_write_time(x, "CreateDate", user->row.created_us);
		return;
	}
	iam_write_entity(e, x, KIND_USER, &user->row, "UserName", "UserId");
	const struct last_use stored = {.id = user->row.id, .at_us = user->password_used_us};
	const struct last_use use = uses_find(e->config->uses, e->c->arena, &stored);
	if (use.at_us)
		iam_write_time(x, "PasswordLastUsed", use.at_us);
	if (!is_whole)
		return;
	iam_write_boundary(e, x, KIND_USER, &user->row);
	if (user->tags.count)
		iam_write_tags(x, user->tags);
}

/* ---- reads ---- */

struct user_args {
	struct ref user;
	struct str path;
	struct iam_pages pages;
};
static const struct param user_params[] = {IAM_USER(struct user_args, user)};
static const struct param list_params[] = {IAM_PATH_PREFIX(struct user_args, path),
					   IAM_PAGES(struct user_args, pages)};
static const struct param list_tags_params[] = {IAM_USER(struct user_args, user, | REQUIRED),
						IAM_PAGES(struct user_args, pages)};

static RESULT choose_user(struct iam_call *e, void *args)
{
	return iam_choose_user(e, &((struct user_args *) args)->user);
}

static RESULT get_user(struct iam_call *e, const void *args, struct xml *x)
{
	const struct user_args *a = args;
	const struct user *user = NULL;
	TRY(iam_find_user(e, &a->user, &user));
	xml_open(x, "User");
	iam_write_user(e, x, user, true);
	xml_close(x, "User");
	return OK;
}

static RESULT list_users(struct iam_call *e, const void *args, struct xml *x)
{
	const struct user_args *a = args;
	const struct user *const *users = NULL;
	size_t count = 0;
	struct list_page page;
	TRY(iam_open_page(e, &a->pages, &page));
	TRY(iam_list_people(e, &users, &count));
	xml_open(x, "Users");
	for (size_t k = 0; k < count; k++) {
		if (!str_starts_with(iam_get_path(KIND_USER, &users[k]->row), a->path) ||
		    !list_page_takes(&page))
			continue;
		xml_open(x, "member");
		iam_write_user(e, x, users[k], false);
		xml_close(x, "member");
	}
	xml_close(x, "Users");
	return iam_close_page(e, x, &page);
}

static RESULT list_tags(struct iam_call *e, const void *args, struct xml *x)
{
	const struct user_args *a = args;
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
	      .doc = "Unique in the account, in any letter case."),
	IAM_PATH(struct new_user, wish.path),
	PARAM(struct new_user, "PermissionsBoundary", boundary, .min = 20, .max = 2048,
	      .doc = "A policy that bounds what it may."),
	IAM_TAGS(struct new_user, wish.tags),
};

static RESULT prepare_new(struct iam_call *e, void *args)
{
	struct new_user *a = args;
	TRY(iam_check_name(e, a->wish.name, "UserName"));
	TRY(iam_check_path(e, a->wish.path, "Path"));
	return a->boundary.n ? iam_find_policy(e, a->boundary, "PermissionsBoundary", &a->wish.boundary) : OK;
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
	PARAM(struct account_user_change, "NewUserName", name, .min = 1, .max = 64,
	      .doc = "Its name from now on."),
	PARAM(struct account_user_change, "NewPath", path, .min = 1, .max = 512, .doc = "Its path likewise."),
};

static RESULT prepare_update(struct iam_call *e, void *args)
{
	struct account_user_change *a = args;
	TRY(iam_check_name(e, a->name, "NewUserName"));
	return iam_check_path(e, a->path, "NewPath");
}

static const struct param delete_params[] = {IAM_USER(struct account_user_target, user, | REQUIRED)};

static const struct param tag_params[] = {IAM_USER(struct entity_tags, entity, | REQUIRED),
					  PARAM_LIST(struct entity_tags, "Tags.member", tags, iam_tag_params,
						     .flags = REQUIRED, .max = 50, .doc = "Set on it.")};
static const struct param untag_params[] = {IAM_USER(struct entity_tags, entity, | REQUIRED),
					    PARAM(struct entity_tags, "TagKeys.member", keys,
						  .flags = REQUIRED, .min = 1, .max = 128,
						  .doc = "Taken from it.")};

static const struct iam_action actions[] = {
	{IAM_ACTION("CreateUser"), .flags = API_WRITES, .args = PARAMS(struct new_user, create_params),
	 .prepare = prepare_new, .operation = engine_create_account_user_run, .returns = KIND_USER,
	 .answer = show_new, .doc = "Makes a user."},
	{IAM_ACTION("GetUser"), .args = PARAMS(struct user_args, user_params), .prepare = choose_user,
	 .answer = get_user, .doc = "One user: the caller, when none is named."},
	{IAM_ACTION("ListUsers"), .args = PARAMS(struct user_args, list_params), .answer = list_users,
	 .doc = "The account's users, and those of domains that have a role on it."},
	{IAM_ACTION("UpdateUser"), .flags = API_WRITES,
	 .args = PARAMS(struct account_user_change, update_params), .prepare = prepare_update,
	 .operation = engine_update_account_user_run, .doc = "Gives a user another name or path."},
	{IAM_ACTION("DeleteUser"), .flags = API_WRITES,
	 .args = PARAMS(struct account_user_target, delete_params),
	 .operation = engine_delete_account_user_run, .doc = "Deletes a user that has nothing left."},
	{IAM_ACTION("TagUser"), .flags = API_WRITES, .args = PARAMS(struct entity_tags, tag_params),
	 .operation = engine_tag_entity_run, .doc = "Sets tags of a user."},
	{IAM_ACTION("UntagUser"), .flags = API_WRITES, .args = PARAMS(struct entity_tags, untag_params),
	 .operation = engine_untag_entity_run, .doc = "Takes tags from a user."},
	{IAM_ACTION("ListUserTags"), .args = PARAMS(struct user_args, list_tags_params), .answer = list_tags,
	 .doc = "A user's tags."},
};
const struct api_actions iam_user_actions = API_ACTIONS(actions);
