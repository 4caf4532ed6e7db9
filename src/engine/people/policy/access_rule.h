/* SPDX-License-Identifier: Apache-2.0
 * Keystone's access rules: the API calls that an application credential may make. A user's credentials share
 * them: equal rules are stored once and deleted when no credential names them. Source:
 * keystone.application_credential; keystonemiddleware.auth_token, which enforces them. */
#pragma once

#include "engine/operation.h"

struct application_credential;

enum { ACCESS_RULES_MAX = 1000, CREDENTIAL_RULES_MAX = 64 }; /* per user; per credential */

/* An existing rule by its id, or a rule by its content, whether it exists or not. */
struct access_rule_words {
	struct ref id; /* kind none: by content */
	struct str service, path, method;
};
/* Runs inside the operation that creates a credential: finds the rules and creates missing ones.
 * ERR_NOT_FOUND: the user has no rule with that id. */
RESULT access_rules_take(struct op *op, uuid user, const struct access_rule_words *words, size_t count,
			 struct uuids *ret_rules);

struct access_rule_target {
	uuid rule;
};
/* ERR_IN_USE: a credential names the rule. */
OPERATION(engine_delete_access_rule, access_rule_target)

/* True if the credential allows the call. types: the service's types, separated by '|'. A credential without
 * rules allows every call. For views. */
bool engine_rules_allow(const struct tables *t, const struct application_credential *credential,
			const char *types, struct str method, struct str path);
/* True if a path matches a rule's pattern: * and {name} match one or more characters within a segment; **
 * matches any number of characters; all others match themselves. */
bool engine_path_fits(struct str pattern, struct str path);
