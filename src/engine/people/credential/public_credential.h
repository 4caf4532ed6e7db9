/* SPDX-License-Identifier: Apache-2.0
 * Public keys for SSH and signing certificates that IAM keeps for a user. Nothing in Dari accepts them as proof of
 * identity: clients and tools store and read them. Rows only: the caller parses keys and certificates. */
#pragma once

#include "engine/operation.h"
#include "model/public_credential.h"

enum {
	SSH_KEYS_MAX = 5, /* per user */
	CERTIFICATES_MAX = 2,
};

struct public_credential_wish {
	struct ref user;
	enum public_credential_type type;
	struct str key_id, body, fingerprint;
	/* result: */
	uuid credential;
};
/* ERR_EXISTS: the user has the key, or a user of the account has the certificate. */
OPERATION(engine_upload_public_credential, public_credential_wish)

struct public_credential_target {
	struct ref user;
	enum public_credential_type type;
	struct str key_id;
	bool enabled; /* for engine_enable_public_credential */
};
OPERATION(engine_enable_public_credential, public_credential_target)
OPERATION(engine_delete_public_credential, public_credential_target)

struct public_credential;
/* The user's credential of that type and id; NULL: there is none. */
const struct public_credential *public_credential_of_user(const struct tables *t, uuid user,
							  enum public_credential_type type,
							  struct str key_id);
