/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: people whom an identity provider or a directory vouches for, and who sign in. Everything here runs inside an
 * operation. */
#pragma once

#include "engine/internal.h"
#include "engine/people/sign_in/arrival.h"
#include "model/user.h"

/* ERR_DENIED: the caller is no administrator of the region, and may not set sign-in by providers of that kind. */
RESULT arrival_check_administrator(struct op *op, enum kind kind);
/* ERR_PROTECTED: people of the domain sign in by the provider, and the caller is no administrator. domain none: nobody does. */
RESULT arrival_check_free(struct op *op, enum kind kind, uuid domain);
/* Finds the domain whose people a provider lets in; ref absent: Default. */
RESULT arrival_find_domain(struct op *op, const struct ref *ref, uuid *ret_domain);
/* ERR_STATE: the provider of `domain` does not let the user in. ERR_EXISTS: the subject's present user is another one; NULL: none. */
RESULT arrival_check_link(struct op *op, enum kind kind, struct str field, uuid domain,
			  const struct user *user, const struct user *present);
/* Checks that a person may sign in. user: the subject's; NULL: new. makes_users: the provider may create users. ERR_UNAUTHENTICATED. */
RESULT arrival_check_person(struct op *op, uuid domain, const struct user *user, bool makes_users);
/* Fails with ERR_UNAUTHENTICATED. */
RESULT arrival_refuse(struct op *op, const char *why);
/* Writes a new user of user->domain under the first of the names that is valid and free. `by`: for the event.
 * ERR_UNAUTHENTICATED: there is no such name. ERR_QUOTA. */
RESULT arrival_make_user(struct op *op, struct user *user, const struct str names[static ARRIVAL_NAMES],
			 struct str by);
/* Adds the user to groups of the user's domain, and removes the user from groups, as the rules say. Groups that no rule names
 * are left alone. A missing group is created. */
RESULT arrival_set_groups(struct op *op, uuid user, const struct arrival_groups *groups);
/* Checks rules before a row keeps them. ERR_INVALID names the field. */
RESULT arrival_check_rules(struct op *op, enum kind kind, struct strs rules);
