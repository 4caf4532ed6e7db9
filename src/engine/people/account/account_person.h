/* SPDX-License-Identifier: Apache-2.0
 * CloudStack's users: each belongs to one account, its default account, has a role on it and is deleted with
 * it. Here such a person is a user of the account's domain. */
#pragma once

#include "engine/people/account/account.h"
#include "engine/people/user.h"
#include "model/role.h"

/* Creates a user with a role on an account, which is new or exists. */
struct account_person {
	bool makes_account;
	struct account_wish account; /* makes_account: the new account; its owner has no password and no
				      * key */
	struct ref in;               /* otherwise: the existing account */
	struct user_wish user;       /* domain and default account are set from the account */
	struct ref role;             /* a role of the region without a right; kind none: `right` chooses */
	enum role_right right;       /* MEMBER; MANAGER: also administrator of the domain; ADMIN */
};
OPERATION(engine_create_person, account_person)

/* Deletes an account with the users whose default account it is. Errors of engine_delete_account(). */
OPERATION(engine_delete_account_with_people, account_target)

/* Disables a domain and deletes it. Errors of engine_delete_domain(). */
struct domain_target;
OPERATION(engine_close_domain, domain_target)
