/* SPDX-License-Identifier: Apache-2.0
 * Private to api/cloudstack/account/: projects, their members and their roles. */
#pragma once

#include "api/cloudstack/account/people.h"
#include "engine/people/account/account.h"
#include "model/role_words.h"

enum standing { CS_NOT_IN, CS_REGULAR, CS_PROJECT_ADMIN };

/* Membership of the account's users, or of one user; either may be none. */
enum standing cs_find_standing(const struct tables *t, uuid project, uuid account, uuid user);
/* Lists the accounts that have a member in the project, each once. */
RESULT cs_list_members(struct ctx *c, const struct tables *t, uuid project, struct uuids *ret_accounts);
/* Finds the project that a parameter names. ERR_NOT_FOUND: not a project, or hidden from the caller. */
RESULT cs_find_project(struct cs_call *e, const struct ref *ref, const char *parameter,
		       const struct account **ret_project);
/* Gives the role in the project to all users of the account, or to the user alone; project_role none: without rules. */
RESULT cs_add_member(struct op *op, uuid project, uuid account, uuid user, enum role_right right,
		     uuid project_role);
/* An update of a project. Its first member is the engine's wish. */
struct project_change {
	struct account_change wish;
	struct str account, role;
	struct ref user;
	enum choice swaps;
	/* found: */
	uuid new_account, new_user, old_account;
};
/* Checks who shall manage the project, and makes it so. Without account and userid nothing changes. */
RESULT cs_check_new_owner(struct cs_call *e, struct project_change *a, const struct account *project);
RESULT cs_change_owner(struct op *op, const struct project_change *a);
