/* SPDX-License-Identifier: Apache-2.0
 * Application credentials: a user makes them for a program and for one account. For that user and
 * administrators. */
#pragma once

#include "engine/operation.h"
#include "engine/people/access_rule.h"

enum { APPLICATION_CREDENTIALS_MAX = 100 }; /* of a user */

struct application_credential_wish {
	struct ref user, account;
	struct str name, description;
	struct refs roles;      /* none: all that the user has there */
	struct str secret_hash; /* by auth/password.h */
	int64_t expires_us;     /* 0: never */
	bool unrestricted;
	const struct access_rule_words *access_rules; /* what it may call; none: everything */
	size_t access_rule_count;
	/* made: */
	uuid credential;
};
/* ERR_DENIED: the user has no role on that account; or a role is asked for that the caller does not
 * have. */
OPERATION(engine_create_application_credential, application_credential_wish)

struct application_credential_target {
	uuid credential;
};
OPERATION(engine_delete_application_credential, application_credential_target)
