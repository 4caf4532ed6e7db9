/* SPDX-License-Identifier: Apache-2.0
 * Groups of users: rows only. Changes of members take effect at once. */
#include "engine/people/user_group.h"

#include "engine/internal.h"
#include "engine/limits.h"
#include "engine/people/keystone_extra_internal.h"
#include "engine/people/policy/policy.h"
#include "engine/people/policy/policy_internal.h"
#include "engine/people/policy/role.h"
#include "model/user.h"
#include "store/group_member.h"
#include "store/user_group.h"

static RESULT find_group(struct op *op, const struct ref *ref, const struct user_group **ret_group)
{
	const struct row *row = NULL;
	TRY(engine_look_up(op->ctx, op->head, KIND_USER_GROUP, ref, &row));
	*ret_group = user_group_of(row);
	return OK;
}

static RESULT check_name(struct op *op, uuid domain, struct str name, uuid but)
{
	TRY(engine_check_name(op, KIND_USER_GROUP, name));
	const struct user_group *other = user_group_find_by_owner(op->head, UUID_NONE, domain, name);
	if (other && !uuid_equal(other->row.id, but))
		return ctx_fail_kind(op->ctx, ERR_EXISTS, KIND_USER_GROUP,
				     "The group '%" STR_FMT "' exists already in this domain.",
				     STR_ARG(name));
	return OK;
}

RESULT engine_create_user_group(struct op *op, struct user_group_wish *wish)
{
	const struct row *domain = tables_find(op->head, KIND_DOMAIN, DOMAIN_DEFAULT);
	if (ref_is_given(&wish->domain))
		TRY(engine_look_up(op->ctx, op->head, KIND_DOMAIN, &wish->domain, &domain));
	if (!domain)
		return engine_fail_gone(op->ctx, KIND_DOMAIN, DOMAIN_DEFAULT);
	TRY(engine_permit(op, "group.create", KIND_DOMAIN, domain));
	TRY(check_name(op, domain->id, wish->name, UUID_NONE));
	TRY(limit_check(op, LIMIT_DOMAIN_GROUPS, domain->id, 1, STR_NONE));
	struct user_group group = {.row.id = engine_new_id(op, KIND_USER_GROUP),
				   .row.gen = 1,
				   .domain = domain->id,
				   .name = wish->name,
				   .description = wish->description};
	TRY(keystone_extra_add(op, KIND_USER_GROUP, wish->extra, &group.extra));
	TRY(user_group_put(op, &group));
	wish->user_group = group.row.id;
	return engine_log_event(op, KIND_USER_GROUP, &group.row, "created", "Group %" STR_FMT ".",
				STR_ARG(group.name));
}

RESULT engine_update_user_group(struct op *op, struct user_group_change *wish)
{
	const struct user_group *group = NULL;
	TRY(find_group(op, &wish->user_group, &group));
	TRY(engine_permit(op, "group.update", KIND_USER_GROUP, &group->row));
	/* A directory adds its people to a group by name: they would get the roles of the group that takes the name. */
	if (wish->name)
		TRY(engine_guard_administrators(op, UUID_NONE, group->row.id));
	struct user_group next = *group;
	if (wish->name)
		next.name = *wish->name;
	if (wish->description)
		next.description = *wish->description;
	TRY(check_name(op, group->domain, next.name, group->row.id));
	TRY(keystone_extra_add(op, KIND_USER_GROUP, wish->extra, &next.extra));
	next.row.gen++;
	TRY(user_group_put(op, &next));
	return engine_log_event(op, KIND_USER_GROUP, &next.row, "changed", "Group %" STR_FMT ".",
				STR_ARG(next.name));
}

RESULT engine_delete_user_group(struct op *op, struct user_group_target *wish)
{
	const struct user_group *group = NULL;
	TRY(find_group(op, &wish->user_group, &group));
	TRY(engine_permit(op, "group.delete", KIND_USER_GROUP, &group->row));
	TRY(engine_guard_administrators(op, UUID_NONE, group->row.id));
	TRY(engine_log_event(op, KIND_USER_GROUP, &group->row, "deleted", "Group %" STR_FMT ".",
			     STR_ARG(group->name)));
	return user_group_forget(op, group->row.id);
}

/* ---- members ---- */

/* Increments gen, by which SCIM's clients notice that the members have changed. */
static RESULT note_members_changed(struct op *op, const struct user_group *group)
{
	struct user_group next = *group;
	next.row.gen++;
	return user_group_put(op, &next);
}

static RESULT resolve(struct op *op, const struct membership *wish, const struct user_group **ret_group,
		      const struct user **ret_user)
{
	const struct user_group *group = NULL;
	const struct row *user = NULL;
	TRY(find_group(op, &wish->user_group, &group));
	TRY(engine_permit(op, "group.change_members", KIND_USER_GROUP, &group->row));
	TRY(engine_guard_administrators(op, UUID_NONE, group->row.id));
	TRY(engine_look_up(op->ctx, op->head, KIND_USER, &wish->user, &user));
	*ret_group = group;
	*ret_user = user_of(user);
	if (!uuid_is_none(group->account) && !engine_is_users_account(op->head, *ret_user, group->account))
		return engine_fail_not_found(op->ctx, KIND_USER, &wish->user);
	return OK;
}

RESULT engine_add_group_member(struct op *op, struct membership *wish)
{
	const struct user_group *group = NULL;
	const struct user *user = NULL;
	TRY(resolve(op, wish, &group, &user));
	if (group_member_find_by_user_group(op->head, group->row.id, user->row.id))
		return OK;
	TRY(limit_check(op, uuid_is_none(group->account) ? LIMIT_MEMBERSHIPS : LIMIT_GROUPS_OF_USER,
			user->row.id, 1, STR_NONE));
	struct group_member member = {.row.id = engine_new_id(op, KIND_GROUP_MEMBER),
				      .row.gen = 1,
				      .user_group = group->row.id,
				      .user = user->row.id};
	TRY(group_member_put(op, &member));
	TRY(note_members_changed(op, group));
	return engine_log_event(op, KIND_USER_GROUP, &group->row, "member added", "User %" STR_FMT ".",
				STR_ARG(user->name));
}

RESULT engine_remove_group_member(struct op *op, struct membership *wish)
{
	const struct user_group *group = NULL;
	const struct user *user = NULL;
	TRY(resolve(op, wish, &group, &user));
	const struct group_member *member =
		group_member_find_by_user_group(op->head, group->row.id, user->row.id);
	if (!member && !uuid_is_none(group->account))
		return OK; /* IAM reports no error for an account's own groups */
	if (!member)
		return ctx_fail_kind(op->ctx, ERR_NOT_FOUND, KIND_GROUP_MEMBER,
				     "The user %" STR_FMT " is not in the group %" STR_FMT ".",
				     STR_ARG(user->name), STR_ARG(group->name));
	TRY(engine_log_event(op, KIND_USER_GROUP, &group->row, "member removed", "User %" STR_FMT ".",
			     STR_ARG(user->name)));
	TRY(note_members_changed(op, group));
	return group_member_forget(op, member->row.id);
}
