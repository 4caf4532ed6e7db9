/* SPDX-License-Identifier: Apache-2.0
 * Secrets that Keystone keeps for a user: for that user and administrators. One of the type ec2 is an access key
 * instead (engine/people/account.h). */
#pragma once

#include "engine/operation.h"

enum { CREDENTIALS_MAX = 100, CREDENTIAL_SECRET_MAX = 16384 }; /* of a user; bytes */

struct credential_wish {
	uuid id; /* drawn by the caller, who binds the secret to it */
	struct ref user;
	struct ref account; /* kind none: none */
	struct str type;    /* 1 to 255 characters */
	struct str secret;  /* sealed */
};
OPERATION(engine_create_credential, credential_wish)

struct credential_change {
	uuid credential;
	struct str type, secret; /* empty: as they are */
	struct ref account;      /* kind none: as it is */
	bool clears_account;
};
OPERATION(engine_update_credential, credential_change)

struct credential_target {
	uuid credential;
};
OPERATION(engine_delete_credential, credential_target)
