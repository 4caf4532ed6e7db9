/* SPDX-License-Identifier: Apache-2.0
 * Who asks, once it is proved, and what they may. Made by auth/, carried by the call's context, read by
 * operations (ownership, permission, events). Immutable while the call lives.
 *
 * Rights come from roles and are four, each with what is below it: a reader changes nothing; a member
 * changes all that is the account's; a manager too (what more they may is the faces' to come); an
 * administrator (an account's or the system's, not a domain's) reaches into every account and changes the
 * region itself: hosts, limits, users. A domain's administrator manages the accounts, users and groups
 * of that domain and nothing else. Lists show the account that asks, also to an administrator, unless the
 * face was asked for all. */
#pragma once

#include <stdbool.h>

#include "base/str.h"
#include "base/uuid.h"
#include "model/role.h"
#include "model/row.h"

struct session; /* auth/session.h */

/* What the proof is good for. An access key's is always an account. */
enum identity_scope { IDENTITY_UNSCOPED, IDENTITY_ACCOUNT, IDENTITY_DOMAIN, IDENTITY_SYSTEM };

/* A bit of identity.rights. */
#define RIGHT(which) (1U << ROLE_RIGHT_##which)
#define RIGHTS_OF_MEMBER (RIGHT(READER) | RIGHT(MEMBER))

struct identity {
	enum identity_scope scope;
	unsigned rights;    /* a bit for each enum role_right */
	uuid account;       /* that asks; none unless the scope is one */
	uuid domain;        /* the account's, or the scope itself */
	uuid user;          /* none for the operator over the unix socket, and who took a role of IAM's */
	uuid iam_role;      /* that was taken: its policies alone say what is allowed; none: none was */
	struct uuids roles; /* those the rights come from, implied ones too */
	struct str account_number; /* 12 digits */
	struct str user_name;
	struct str user_path;          /* in IAM; empty: "/" */
	struct str access_key_id;      /* empty: not by an access key */
	const struct session *session; /* by temporary credentials; NULL: not by such */
	struct tags tags;              /* of who asks, to policies */
	uuid application_credential;   /* none: not by one */
	bool is_restricted;            /* by a credential that may not make or delete credentials */
	bool is_operator;              /* the unix socket: may act for any account */
	bool is_owner;                 /* EC2's root user of the account: no policy bounds it */
};

static inline bool identity_has(const struct identity *who, enum role_right right)
{
	return !who || who->is_operator || (who->rights & 1U << right);
}

/* Reaches into every account. who NULL: the system itself. */
static inline bool identity_is_admin(const struct identity *who)
{
	return identity_has(who, ROLE_RIGHT_ADMIN) && (!who || who->scope != IDENTITY_DOMAIN);
}
