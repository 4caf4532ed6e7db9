/* SPDX-License-Identifier: Apache-2.0
 * The authenticated caller and the rights of its roles. auth/ creates an identity, the call's context
 * contains it, and operations read it for ownership, permissions and events. It is constant during a call.
 *
 * Roles give four rights, each including the previous ones. A *reader* changes nothing. A *member* changes
 * everything that belongs to the account. A *manager* may do what a member may. An *administrator* of an
 * account or of the system, but not of a domain, has access to every account and changes the region itself:
 * hosts, limits, users. A domain's administrator manages that domain's accounts, users and groups, and
 * nothing else. Lists show the calling account, for administrators too, unless the call asks for all. */
#pragma once

#include <stdbool.h>

#include "base/str.h"
#include "base/uuid.h"
#include "model/row.h"

struct session; /* auth/sign_in/session.h */

/* The scope of the authentication. An access key's scope is always an account. */
enum identity_scope { IDENTITY_UNSCOPED, IDENTITY_ACCOUNT, IDENTITY_DOMAIN, IDENTITY_SYSTEM };

/* Strength of a user's authentication, weakest first. Changing second factors requires a person's interactive
 * session. */
enum identity_proof {
	PROOF_BY_KEY,     /* an access key or a token, usable by anybody who has it */
	PROOF_IN_SESSION, /* a console session after signing in by password, passkey or issuer */
	PROOF_BY_FACTOR,  /* a session with a verified second factor */
};

/* Same values as a role's `right` (schema/role.toml), asserted by engine/people/policy/role.c. Defined separately
 * because nearly every file uses identities, but few use roles. */
enum right { RIGHT_NONE, RIGHT_READER, RIGHT_MEMBER, RIGHT_MANAGER, RIGHT_ADMIN };

/* The bit for a right in identity.rights. */
#define RIGHT(which) (1U << RIGHT_##which)
#define RIGHTS_OF_MEMBER (RIGHT(READER) | RIGHT(MEMBER))

struct identity {
	enum identity_scope scope;
	unsigned rights; /* bit set of enum right */
	uuid account;    /* the calling account; none unless the scope is an account */
	uuid domain;     /* the account's domain, or the domain in scope */
	struct uuids
		domains_above; /* that domain is below these; without the default one, which is above all */
	/* Unset for the operator on the unix socket, and for an assumed IAM role. */
	uuid user;
	uuid iam_role;             /* assumed IAM role, whose policies alone apply; none: no role */
	struct uuids roles;        /* roles that give the rights, including implied ones */
	struct str account_number; /* 12 digits */
	struct str user_name;
	struct str user_path;          /* IAM path; empty: "/" */
	struct str access_key_id;      /* empty: no access key was used */
	const struct session *session; /* temporary credentials used; NULL: none */
	struct tags tags;              /* the caller's tags, for policies */
	uuid application_credential;   /* application credential used; none: no such */
	uuid trust;                    /* trust that gives the roles; none: they are the user's own */
	uuid trustee;                  /* user of the trust; none: no trust */
	enum identity_proof proof;
	int64_t factor_us;  /* when a second factor was shown; 0: none was */
	bool is_restricted; /* the credential can't create or delete credentials */
	bool is_operator;   /* from the unix socket: may act for any account */
	bool is_owner;      /* the account's root user in EC2, exempt from policies */
};

static inline bool identity_has(const struct identity *who, enum right right)
{
	return !who || who->is_operator || (who->rights & 1U << right);
}

/* True if the caller has access to every account. who NULL: the system itself, which has. */
static inline bool identity_is_admin(const struct identity *who)
{
	return identity_has(who, RIGHT_ADMIN) && (!who || who->scope != IDENTITY_DOMAIN);
}
