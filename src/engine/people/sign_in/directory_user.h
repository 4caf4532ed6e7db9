/* SPDX-License-Identifier: Apache-2.0
 * Users of a domain whose passwords an LDAP directory proves (auth/sign_in/login.h). The directory's id identifies a person (entryUUID,
 * objectGUID), never the name, which may be given to somebody else later. */
#pragma once

#include "engine/operation.h"
#include "engine/people/sign_in/arrival.h"

struct user;

/* Signs in a person whom the directory has proved, and who is not yet the caller. The operation finds the user by id and takes over
 * name and e-mail address, or creates a user without a password; then it adds the user to groups and removes it from groups as the rules
 * say. It grants no role: an administrator gives roles to the groups. ERR_UNAUTHENTICATED: the user is disabled, or the name belongs to another user of the domain, who has a password here. */
struct directory_arrival {
	uuid domain;
	struct str id, name, email;
	struct arrival_groups groups;
	/* result: */
	uuid user;
};
OPERATION(engine_arrive_by_directory, directory_arrival)

/* Disables a user whom the directory no longer has, and ends the user's tokens. Keys and roles stay, for an administrator may enable the
 * user again. Nothing happens if the user is disabled already. ERR_PROTECTED: nobody else could administrate the region. */
struct directory_departure {
	uuid user;
};
SYSTEM_OPERATION(engine_leave_directory, directory_departure)
