/* SPDX-License-Identifier: Apache-2.0
 * Signing in to the console through an OpenID Connect provider: which provider vouches for which domain, and
 * which subject is which user. Only issuer and subject identify a person, never a name or an email address,
 * because those may be reassigned. The region's administrators configure all of this; auth/token/web_identity.h
 * verifies the token first. */
#pragma once

#include "engine/operation.h"
#include "engine/people/sign_in/arrival.h"

enum {
	OIDC_SIGN_INS_MAX = 8,  /* providers per domain */
	OIDC_CLIENT_MAX = 255,  /* characters */
	OIDC_SUBJECT_MAX = 255, /* OpenID Connect Core 1.0, section 2 */
	OIDC_SIGN_IN_NAME_MAX = 64,
};

/* Lets the provider vouch for people of the domain and replaces earlier settings. ERR_QUOTA: the domain has
 * its maximum of providers. */
struct oidc_sign_in_wish {
	struct ref oidc_provider, domain;
	struct str name, client;
	struct str secret; /* sealed for the provider's row; empty: the client has no secret */
	bool makes_users;
	struct str scopes, group_claim;
	struct strs groups; /* rules, as in engine/people/sign_in/arrival.h */
};
OPERATION(engine_set_oidc_sign_in, oidc_sign_in_wish)

/* Ends the sign-in through this provider. Its users and their subjects stay. */
struct oidc_sign_in_target {
	struct ref oidc_provider;
};
OPERATION(engine_end_oidc_sign_in, oidc_sign_in_target)

/* Links a domain's user to a subject of the provider, which must vouch for the domain; subject empty:
 * unlinks. ERR_EXISTS: the subject is linked to another user of the domain. */
struct oidc_link {
	struct ref user, oidc_provider;
	struct str subject;
};
OPERATION(engine_link_oidc_user, oidc_link)

/* A provider has vouched for a person, who is not yet the caller. Finds the user, or creates one if the
 * provider may. Sets the user's groups by the provider's rules. Grants no permissions.
 * ERR_UNAUTHENTICATED: no user of the domain has this subject, or the user may not sign in. */
struct oidc_arrival {
	uuid oidc_provider;
	struct str subject, email;
	struct strs groups;
	struct str names[ARRIVAL_NAMES]; /* for a new user: the first that is valid and free */
	/* found or created: */
	uuid user;
};
OPERATION(engine_arrive_by_oidc, oidc_arrival)

struct oidc_provider;
struct user;
/* The user with that subject of the provider, or NULL if its domain has none. */
const struct user *oidc_sign_in_find_user(const struct tables *t, const struct oidc_provider *provider,
					  struct str subject);
/* The domain is deleted. */
RESULT oidc_sign_in_forget_domain(struct op *op, uuid domain);
/* ERR_PROTECTED: the provider is used for sign-in, and the caller is no administrator. */
RESULT oidc_sign_in_check_free(struct op *op, const struct oidc_provider *provider);
