/* SPDX-License-Identifier: Apache-2.0
 * An account's people as one: a user of its domain who has a role on it, and goes with it. So CloudStack has users: each is of
 * one account, which the user's default account says. */
#pragma once

#include "engine/people/account.h"
#include "engine/people/user.h"
#include "model/role.h"

/* A user with a role on an account: a new one, or one that is there. */
struct account_person {
	bool makes_account;
	struct account_wish account; /* makes_account: the account; its owner has no password and no key */
	struct ref in;               /* else: the account that is there */
	struct user_wish user;       /* the domain and the default account are the account's */
	enum role_right right;       /* MEMBER; MANAGER: of the domain, too; ADMIN */
};
OPERATION(engine_create_person, account_person)

/* Deletes an account with the users whose default account it is. As engine_delete_account(). */
OPERATION(engine_delete_account_with_people, account_target)

/* Deletes a domain, which is closed by that. As engine_delete_domain() otherwise. */
struct domain_target;
OPERATION(engine_close_domain, domain_target)
