/* SPDX-License-Identifier: Apache-2.0
 * Who asks, once that is proved, and what roles let them do. auth/ makes an identity, the call's
 * context carries it, and operations read it for ownership, permissions and events. It does not
 * change while the call lives.
 *
 * Roles give four rights, each of which includes those before it. A *reader* changes nothing. A
 * *member* changes whatever belongs to the account. A *manager* may do what a member may. An
 * *administrator* of an account or of the system, but not of a domain, reaches into every account
 * and changes the region itself: hosts, limits, users. A domain's administrator manages the
 * accounts, users and groups of that domain, and nothing else. Lists show the account that asks, to
 * an administrator as well, unless the call asks for all. */
#pragma once

#include <stdbool.h>

#include "base/str.h"
#include "base/uuid.h"
#include "model/row.h"

struct session; /* auth/session.h */

/* What the proof is good for. An access key's scope is always an account. */
enum identity_scope { IDENTITY_UNSCOPED, IDENTITY_ACCOUNT, IDENTITY_DOMAIN, IDENTITY_SYSTEM };

/* How a user has proved who they are, weakest first. Second factors are changed only by a person who is there. */
enum identity_proof {
	PROOF_BY_KEY,     /* an access key or a token: anybody who has it */
	PROOF_IN_SESSION, /* a console session that its person signed in to, by password, passkey or issuer */
	PROOF_BY_FACTOR,  /* such a session that has shown a second factor */
};

/* As a role's `right` (schema/role.toml) is numbered, which engine/people/role.c asserts: nearly every file speaks of
 * who asks, and few of roles. */
enum right { RIGHT_NONE, RIGHT_READER, RIGHT_MEMBER, RIGHT_MANAGER, RIGHT_ADMIN };

/* The bit of a right in identity.rights. */
#define RIGHT(which) (1U << RIGHT_##which)
#define RIGHTS_OF_MEMBER (RIGHT(READER) | RIGHT(MEMBER))

struct identity {
	enum identity_scope scope;
	unsigned rights; /* one bit for each enum right */
	uuid account;    /* the account that asks; none unless the scope is an account */
	uuid domain;     /* the account's domain, or the domain that is the scope */
	/* None for the operator over the unix socket, and for somebody who has taken an IAM role. */
	uuid user;
	uuid iam_role; /* the IAM role that was taken, whose policies alone decide; none: no role was taken */
	struct uuids roles;        /* the roles that the rights come from, with implied ones */
	struct str account_number; /* 12 digits */
	struct str user_name;
	struct str user_path;          /* the path in IAM; empty: "/" */
	struct str access_key_id;      /* empty: the caller did not use an access key */
	const struct session *session; /* the temporary credentials that were used; NULL: none */
	struct tags tags;              /* of the caller, for policies */
	uuid application_credential;   /* none: the caller did not use one */
	uuid trust;                    /* that the roles come by; none: they are the user's own */
	uuid trustee;                  /* who uses the trust; none: there is none */
	enum identity_proof proof;
	bool is_restricted; /* the credential may not create or delete credentials */
	bool is_operator;   /* came over the unix socket: may act for any account */
	bool is_owner;      /* EC2's root user of the account, whom no policy restricts */
};

static inline bool identity_has(const struct identity *who, enum right right)
{
	return !who || who->is_operator || (who->rights & 1U << right);
}

/* Whether the caller reaches into every account. who NULL: the system itself, which does. */
static inline bool identity_is_admin(const struct identity *who)
{
	return identity_has(who, RIGHT_ADMIN) && (!who || who->scope != IDENTITY_DOMAIN);
}
