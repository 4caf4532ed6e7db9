/* SPDX-License-Identifier: Apache-2.0
 * Groups of users, and their members. */
#include "api/openstack/core/read_policies.h"
#include "api/openstack/core/write.h"
#include "api/openstack/identity/identity.h"
#include "engine/people/user_group.h"
#include "store/group_member.h"
#include "store/user.h"
#include "store/user_group.h"

void os_write_user_group(struct os_call *e, struct json_writer *w, const void *item)
{
	const struct user_group *g = item;
	os_write_hex(w, "id", g->row.id);
	json_write_text(w, "name", g->name);
	os_write_domain_id(w, "domain_id", g->domain);
	json_write_text(w, "description", g->description);
	os_write_extra(w, g->extra);
	os_write_self(e, w, "groups", g->row.id);
}

static bool fits_domain(struct os_call *e, const struct row *row, struct str value)
{
	struct ref ref;
	(void) e;
	return os_parse_id(value, KIND_DOMAIN, &ref) && uuid_equal(user_group_of(row)->domain, ref.prefix);
}

static const struct os_filter filters[] = {{"name", "name"}, {"domain_id", "domain", .fits = fits_domain}};
/* Hides groups of accounts, which are IAM's: their members have policies, not Keystone's roles. */
static bool is_domains(struct os_call *e, const struct row *row)
{
	(void) e;
	return uuid_is_none(user_group_of(row)->account);
}

static const struct os_listing groups = {
	.kind = KIND_USER_GROUP,
	.flags = OS_ALL_SEE_ALL,
	.items = "groups",
	.filters = OS_FILTERS(filters),
	.shows = is_domains,
	.write = os_write_user_group,
};

static RESULT list_groups(struct os_call *e, const void *args, struct json_writer *w)
{
	(void) args;
	return os_list_people(e, &groups, w);
}

struct new_group {
	struct user_group_wish wish;
	struct str others;
};
static const struct param create_params[] = {
	OS_BODY(struct new_group, "name", wish.name, .flags = REQUIRED, .min = 1, .max = 64,
		.doc = "Name; unique in the domain."),
	OS_BODY(struct new_group, "domain_id", wish.domain, .kind = KIND_DOMAIN, .flags = NULLABLE,
		.doc = "Domain; absent: the token's."),
	OS_BODY(struct new_group, "description", wish.description, .flags = NULLABLE,
		.doc = "Description: free text."),
};

static RESULT prepare_new(struct os_call *e, void *args)
{
	struct new_group *a = args;
	if (a->wish.domain.kind == KIND_NONE)
		a->wish.domain = os_own_domain(e);
	return os_take_extra(e, a->others, &a->wish.extra);
}

struct changed_group {
	struct user_group_change wish;
	struct str others;
	struct ref domain;
};
#define GROUP_ID(T) OS_PATH(T, "group_id", wish.user_group, .kind = KIND_USER_GROUP, .doc = "The user group.")
static const struct param update_params[] = {
	GROUP_ID(struct changed_group),
	OS_BODY(struct changed_group, "name", wish.name, .min = 1, .max = 64,
		.doc = "Name; unique in the domain."),
	OS_BODY(struct changed_group, "description", wish.description, .flags = NULLABLE,
		.doc = "Description: free text."),
	OS_SAME_DOMAIN(struct changed_group, domain),
};

static RESULT prepare_change(struct os_call *e, void *args)
{
	struct changed_group *a = args;
	const struct user_group *g = user_group_find(os_tables(e), a->wish.user_group.prefix);
	if (g)
		TRY(os_check_domain(e, &a->domain, &g->row, g->domain));
	return os_take_extra(e, a->others, &a->wish.extra);
}

struct group_args {
	struct user_group_target wish;
};
static const struct param group_params[] = {GROUP_ID(struct group_args)};

static RESULT show_group(struct os_call *e, const void *args, struct json_writer *w)
{
	return os_hide_absence(
		e, os_write_found(e, &groups, &((const struct group_args *) args)->wish.user_group, w));
}

/* ---- members ---- */

static RESULT list_members(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct group_args *a = args;
	const struct row *group = NULL;
	VEC(const struct row *) rows = {0};
	TRY(engine_find(e->c, os_tables(e), KIND_USER_GROUP, &a->wish.user_group, &group));
	const struct group_member *m = group_member_first_by_user_group(os_tables(e), group->id);
	for (; m; m = group_member_next_by_user_group(os_tables(e), m)) {
		const struct user *user = user_find(os_tables(e), m->user);
		if (user && !VEC_PUSH(e->c->arena, &rows, &user->row))
			return ctx_no_memory(e->c);
	}
	return os_list_rows(e, "users", rows.at, rows.count, os_write_user, w);
}

struct user_args {
	struct ref user;
};
static const struct param user_params[] = {
	OS_PATH(struct user_args, "user_id", user, .kind = KIND_USER, .doc = "The user."),
};

static RESULT list_users_groups(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct user_args *a = args;
	const struct row *user = NULL;
	VEC(const struct row *) rows = {0};
	TRY(os_hide_absence(e, engine_find(e->c, os_tables(e), KIND_USER, &a->user, &user)));
	const struct group_member *m = group_member_first_by_user(os_tables(e), user->id);
	for (; m; m = group_member_next_by_user(os_tables(e), m)) {
		const struct user_group *group = user_group_find(os_tables(e), m->user_group);
		if (group && !VEC_PUSH(e->c->arena, &rows, &group->row))
			return ctx_no_memory(e->c);
	}
	return os_list_rows(e, "groups", rows.at, rows.count, os_write_user_group, w);
}

struct member_args {
	struct membership wish;
};
static const struct param member_params[] = {
	GROUP_ID(struct member_args),
	OS_PATH(struct member_args, "user_id", wish.user, .kind = KIND_USER, .doc = "The user."),
};

/* Answers 204 or 404 only. */
static RESULT check_member(struct os_call *e, void *args)
{
	const struct member_args *a = args;
	const struct row *group = NULL, *user = NULL;
	TRY(engine_find(e->c, os_tables(e), KIND_USER_GROUP, &a->wish.user_group, &group));
	TRY(engine_find(e->c, os_tables(e), KIND_USER, &a->wish.user, &user));
	if (group_member_find_by_user_group(os_tables(e), group->id, user->id))
		return OK;
	return ctx_fail_kind(e->c, ERR_NOT_FOUND, KIND_GROUP_MEMBER, "The user is not in the group.");
}

#define MEMBER_PATH "/v3/groups/{group_id}/users/{user_id}"
static const struct os_action actions[] = {
	{HTTP_GET, "/v3/groups", .permit = "identity:list_groups", .args = {0, 0, sizeof(struct user_args)},
	 .list = &groups, .answer = list_groups, .doc = "Lists user groups."},
	{HTTP_POST, "/v3/groups", .permit = "identity:create_group", .flags = API_WRITES | OS_UNSCOPED,
	 .status = 201,
	 .args = OS_PARAMS(struct new_group, create_params,
			   .members = offsetof(struct new_group, others) + 1),
	 .wrap = "group", .item = "group", .prepare = prepare_new, .operation = engine_create_user_group_run,
	 .returns = KIND_USER_GROUP, OS_SHOWS(groups, struct new_group, wish.user_group),
	 .doc = "Creates a user group."},
	{HTTP_GET, "/v3/groups/{group_id}", .permit = "identity:get_group",
	 .args = OS_PARAMS(struct group_args, group_params), .item = "group", .answer = show_group,
	 .doc = "Shows one user group."},
	{HTTP_PATCH, "/v3/groups/{group_id}", .permit = "identity:update_group",
	 .flags = API_WRITES | OS_UNSCOPED,
	 .args = OS_PARAMS(struct changed_group, update_params,
			   .members = offsetof(struct changed_group, others) + 1),
	 .wrap = "group", .item = "group", .prepare = prepare_change,
	 .operation = engine_update_user_group_run, .returns = KIND_USER_GROUP,
	 OS_SHOWS(groups, struct changed_group, wish.user_group.prefix), .doc = "Changes a user group."},
	{HTTP_DELETE, "/v3/groups/{group_id}", .permit = "identity:delete_group",
	 .flags = API_WRITES | OS_UNSCOPED, .status = 204, .args = OS_PARAMS(struct group_args, group_params),
	 .operation = engine_delete_user_group_run, .doc = "Deletes a user group."},
	{HTTP_GET, "/v3/groups/{group_id}/users", .permit = "identity:list_users_in_group",
	 .args = OS_PARAMS(struct group_args, group_params), .answer = list_members,
	 .doc = "Lists the users of a group."},
	{HTTP_GET, "/v3/users/{user_id}/groups", .permit = "identity:list_groups_for_user",
	 .args = OS_PARAMS(struct user_args, user_params), .answer = list_users_groups,
	 .doc = "Lists the groups of a user."},
	{HTTP_PUT, MEMBER_PATH, .permit = "identity:add_user_to_group", .flags = API_WRITES | OS_UNSCOPED,
	 .status = 204, .args = OS_PARAMS(struct member_args, member_params),
	 .operation = engine_add_group_member_run, .doc = "Adds a user to a group."},
	{HTTP_GET, MEMBER_PATH, .permit = "identity:check_user_in_group", .status = 204,
	 .args = OS_PARAMS(struct member_args, member_params), .prepare = check_member,
	 .doc = "Checks whether a user is in a group."},
	{HTTP_DELETE, MEMBER_PATH, .permit = "identity:remove_user_from_group",
	 .flags = API_WRITES | OS_UNSCOPED, .status = 204,
	 .args = OS_PARAMS(struct member_args, member_params), .operation = engine_remove_group_member_run,
	 .doc = "Removes a user from a group."},
};
const struct os_actions os_user_group_actions = OS_ACTIONS(OS_IDENTITY, actions);
