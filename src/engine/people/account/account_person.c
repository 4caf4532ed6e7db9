/* SPDX-License-Identifier: Apache-2.0
 * Creates and deletes accounts, users and roles together, by means of the single operations with their own
 * checks. */
#include "engine/people/account/account_person.h"

#include "engine/internal.h"
#include "engine/people/account/domain.h"
#include "engine/people/policy/role.h"
#include "store/account.h"
#include "store/role.h"
#include "store/role_assignment.h"
#include "store/user.h"

static RESULT grant(struct op *op, const struct account_person *wish, enum role_right right,
		    struct ref account, struct ref domain)
{
	bool is_named = ref_is_given(&wish->role);
	const struct role *role = is_named ? role_find(op->head, wish->role.prefix)
					   : engine_find_standard_role(op->head, right);
	struct role_grant grant = {.user = engine_ref_to(op, KIND_USER, wish->user.user, STR_NONE),
				   .account = account,
				   .domain = domain};
	if (!role)
		return engine_fail_gone(op->ctx, KIND_ROLE, UUID_NONE);
	grant.role = engine_ref_to(op, KIND_ROLE, role->row.id, STR_NONE);
	return engine_grant_role(op, &grant);
}

RESULT engine_create_person(struct op *op, struct account_person *wish)
{
	const struct row *row = NULL;
	const struct ref none = {0};
	if (wish->makes_account) {
		TRY(engine_create_account(op, &wish->account));
		wish->in = engine_ref_to(op, KIND_ACCOUNT, wish->account.account, STR_NONE);
	}
	TRY(engine_look_up(op->ctx, op->head, KIND_ACCOUNT, &wish->in, &row));
	const struct account *account = account_of(row);
	wish->user.domain = engine_ref_to(op, KIND_DOMAIN, account->domain, STR_NONE);
	wish->user.default_account = wish->in;
	TRY(engine_create_user(op, &wish->user));
	TRY(grant(op, wish, wish->right, wish->in, none));
	/* CloudStack's domain administrator is Keystone's administrator of the domain */
	return wish->right == ROLE_RIGHT_MANAGER && !ref_is_given(&wish->role)
		       ? grant(op, wish, ROLE_RIGHT_ADMIN, none,
			       engine_ref_to(op, KIND_DOMAIN, account->domain, STR_NONE))
		       : OK;
}

RESULT engine_delete_account_with_people(struct op *op, struct account_target *wish)
{
	const struct row *row = NULL;
	TRY(engine_look_up(op->ctx, op->head, KIND_ACCOUNT, &wish->account, &row));
	const struct role_assignment *a = role_assignment_first_by_account(op->head, row->id), *next = NULL;
	for (; a; a = next) {
		next = role_assignment_next_by_account(op->head, a);
		const struct user *user = user_find(op->head, a->user);
		if (!user || user->is_owner || !uuid_equal(user->default_account, row->id))
			continue;
		struct user_target target = {.user = engine_ref_to(op, KIND_USER, user->row.id, STR_NONE)};
		TRY(engine_delete_user(op, &target));
		/* the deletion may have removed several assignments */
		next = role_assignment_first_by_account(op->head, row->id);
	}
	return engine_delete_account(op, wish);
}

RESULT engine_close_domain(struct op *op, struct domain_target *wish)
{
	struct domain_change change = {.domain = wish->domain, .enabled = CHOICE_NO};
	TRY(engine_update_domain(op, &change));
	return engine_delete_domain(op, wish);
}
