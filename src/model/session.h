/* SPDX-License-Identifier: Apache-2.0
 * Contents of temporary credentials of STS. auth/sign_in/session.h issues and opens them. */
#pragma once

#include <stdbool.h>

#include "base/str.h"
#include "base/uuid.h"
#include "model/row.h"

struct session {
	uuid account;
	uuid user;       /* owner of a user's session, federated or not; none: a role's session */
	uuid iam_role;   /* assumed IAM role; none: a user's session */
	struct str name; /* of a role's session, or of the federated user; empty: GetSessionToken's */
	int64_t issued_us, expires_us;
	int64_t factor_us;     /* when the user showed a code of an MFA device for it; 0: never */
	struct str policy;     /* inline session policy; empty: none */
	struct uuids policies; /* managed session policies */
	struct tags tags;      /* session tags */
	/* Instance whose guest uses the session, and its VPC at the time of issue. None: the role was assumed
	 * by a principal. */
	uuid instance, router;
	/* Present name and path of the role; not part of the token. */
	struct str role_name, role_path;
};

/* True for a session of GetFederationToken. Its rights are those of the user that its session policies allow, too; without
 * session policies there are none. NULL: no session. */
static inline bool session_is_federated(const struct session *s)
{
	return s && uuid_is_none(s->iam_role) && s->name.n;
}
