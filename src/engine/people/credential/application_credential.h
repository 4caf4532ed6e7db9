/* SPDX-License-Identifier: Apache-2.0
 * Application credentials: a user creates one for a program and for one account. Requires that user or an
 * administrator. */
#pragma once

#include "engine/operation.h"
#include "engine/people/policy/access_rule.h"

enum { APPLICATION_CREDENTIALS_MAX = 100 }; /* per user */

struct application_credential_wish {
	struct ref user, account;
	struct str name, description;
	struct refs roles;      /* none: all the user's roles in the account */
	struct str secret_hash; /* by auth/sign_in/password.h */
	int64_t expires_us;     /* 0: never */
	bool unrestricted;
	const struct access_rule_words *access_rules; /* allowed calls; none: all */
	size_t access_rule_count;
	/* result: */
	uuid credential;
};
/* ERR_DENIED: the user has no role on that account, or the request names a role that the caller lacks. */
OPERATION(engine_create_application_credential, application_credential_wish)

struct application_credential_target {
	uuid credential;
};
OPERATION(engine_delete_application_credential, application_credential_target)
