/* SPDX-License-Identifier: Apache-2.0
 * Keystone's access rules: which calls of which service an application credential may make. A user's credentials
 * share them: the same rule is kept once, and goes by itself when no credential names it. Source:
 * keystone.application_credential; keystonemiddleware.auth_token, which holds requests to them. */
#pragma once

#include "engine/operation.h"

struct application_credential;

enum { ACCESS_RULES_MAX = 1000, CREDENTIAL_RULES_MAX = 64 }; /* of a user; of a credential */

/* One that is there, by its id; or what it says, whether it is there or not. */
struct access_rule_words {
	struct ref id; /* kind none: by what it says */
	struct str service, path, method;
};
/* Inside the operation that makes a credential of the user: finds the rules, and makes those that are not there.
 * ERR_NOT_FOUND: the user has none of that id. */
RESULT access_rules_take(struct op *op, uuid user, const struct access_rule_words *words, size_t count,
			 struct uuids *ret_rules);

struct access_rule_target {
	uuid rule;
};
/* ERR_IN_USE: a credential names it. */
OPERATION(engine_delete_access_rule, access_rule_target)

/* Whether a credential may make the call: of one of the service's types, several with '|' between them. On a view that
 * is read. One that names no rule may make every call. */
bool engine_rules_allow(const struct tables *t, const struct application_credential *credential,
			const char *types, struct str method, struct str path);
/* Whether a path fits a rule's pattern: * and {name} are characters of one segment, at least one; ** is any number of
 * characters. All others stand for themselves. */
bool engine_path_fits(struct str pattern, struct str path);
