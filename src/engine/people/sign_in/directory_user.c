/* SPDX-License-Identifier: Apache-2.0
 * Users of an LDAP directory: rows only. */
#include "engine/people/sign_in/directory_user.h"

#include "engine/limits.h"
#include "engine/people/policy/role.h"
#include "engine/people/sign_in/arrival_internal.h"
#include "engine/resolve.h"
#include "store/domain.h"
#include "store/user.h"

static const struct user *find_known(struct op *op, const struct directory_arrival *wish)
{
	const struct user *u = user_first_by_directory(op->head, wish->id);
	while (u && !(row_is_live(&u->row) && uuid_equal(u->domain, wish->domain)))
		u = user_next_by_directory(op->head, u);
	return u;
}

/* A user of the domain with a password of its own keeps its name: the directory's person of that name would get its roles. */
static RESULT check_name(struct op *op, const struct directory_arrival *wish, uuid but)
{
	const struct user *other = user_find_by_owner(op->head, UUID_NONE, wish->domain, wish->name);
	TRY(engine_check_name(op, KIND_USER, wish->name));
	return !other || uuid_equal(other->row.id, but)
		       ? OK
		       : arrival_refuse(
				 op, "The person's name in the directory is another user's in the domain.");
}

static RESULT take_over(struct op *op, const struct user *user, const struct directory_arrival *wish)
{
	struct user next = *user;
	if (!engine_is_user_open(op->head, user))
		return arrival_refuse(op, "The user is disabled.");
	if (str_equal(user->name, wish->name) && str_equal(user->email, wish->email))
		return OK;
	TRY(check_name(op, wish, user->row.id));
	next.name = wish->name;
	next.email = wish->email;
	next.row.gen++;
	TRY(user_put(op, &next));
	return engine_log_event(op, KIND_USER, &next.row, "changed",
				"User %" STR_FMT ", as in the directory.", STR_ARG(next.name));
}

static RESULT make_user(struct op *op, struct directory_arrival *wish)
{
	struct user user = {.row.id = engine_new_id(op, KIND_USER),
			    .row.gen = 1,
			    .domain = wish->domain,
			    .name = wish->name,
			    .email = wish->email,
			    .enabled = true,
			    .directory_id = wish->id};
	TRY(check_name(op, wish, UUID_NONE));
	TRY(limit_check(op, LIMIT_DOMAIN_USERS, user.domain, 1, STR_NONE));
	TRY(user_put(op, &user));
	wish->user = user.row.id;
	return engine_log_event(op, KIND_USER, &user.row, "created", "User %" STR_FMT ", from the directory.",
				STR_ARG(user.name));
}

RESULT engine_arrive_by_directory(struct op *op, struct directory_arrival *wish)
{
	const struct domain *domain = domain_find(op->head, wish->domain);
	const struct user *known = find_known(op, wish);
	if (!domain || !domain->enabled)
		return arrival_refuse(op, "The directory's domain is disabled or deleted.");
	/* Signing in: the caller has no identity yet, and the directory has proved the password. */
	engine_need_no_permission(op);
	wish->user = known ? known->row.id : UUID_NONE;
	TRY(known ? take_over(op, known, wish) : make_user(op, wish));
	return arrival_set_groups(op, wish->user, &wish->groups);
}

RESULT engine_leave_directory(struct op *op, struct directory_departure *wish)
{
	const struct user *user = user_find(op->head, wish->user);
	if (!engine_is_user_open(op->head, user) || !user->directory_id.n)
		return OK;
	TRY(engine_guard_administrators(op, user->row.id, UUID_NONE));
	struct user next = *user;
	next.enabled = false;
	next.valid_from_us = op->now_us;
	next.row.gen++;
	TRY(user_put(op, &next));
	return engine_log_event(op, KIND_USER, &next.row, "changed",
				"User %" STR_FMT ", disabled: no longer in the directory.",
				STR_ARG(next.name));
}
